//! Modules as object files, which linkers put into other programs.
//!
//! ```text
//! kernels, step        ──▶ local functions, as they are run here ─┐
//! parameters, tables   ──▶ constants                             ─┼─▶ SYMBOL(memory, tensors …)
//! ```
//!
//! The function of a symbol makes the [`Frame`](super::frame::Frame) of a step on its stack and calls the step.

use super::avx::{self, Vectors};
use super::compile::Compiler;
use super::cranelift::driver;
use super::cranelift::isa::Machine;
use super::frame::offset;
use crate::backend::facts::write_constants;
use crate::backend::object::{ALIGNMENT, Function, Object, Source};
use crate::backend::{CodeError, Options};
use crate::loops::{Item, Module, VerifiedModule};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use cranelift_codegen::{FinalizedMachReloc, FinalizedRelocTarget};
use cranelift_frontend::FunctionBuilder;
use object::write::{Relocation, StandardSection, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationEncoding, RelocationFlags, RelocationKind, SectionKind,
    SymbolFlags, SymbolKind, SymbolScope,
};

/// The bytes of an object file for processors like this one.
///
/// # Errors
/// If a module draws random numbers, or object files of this computer are not known.
pub fn write(object: &Object<'_>) -> Result<Vec<u8>, CodeError> {
    let (format, architecture) = host()?;
    let compiler = Compiler::new(Machine::Host, Options::default())?;
    let mut file = object::write::Object::new(format, architecture, Endianness::Little);
    if format == BinaryFormat::Elf {
        // The code needs no stack that can be executed.
        file.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Linker);
    }
    let mut writer = Writer { file, compiler, symbols: Vec::new(), constants: Vec::new() };
    for (number, bytes) in object.constants.iter().enumerate() {
        let data = writer.constant(&format!("{}_constant_{number}", object.name), bytes)?;
        writer.constants.push(data);
    }
    for function in &object.functions {
        writer.function(function)?;
    }
    writer.file.write().map_err(failed)
}

/// What object files of this computer are like.
fn host() -> Result<(BinaryFormat, Architecture), CodeError> {
    let format = if cfg!(target_os = "macos") {
        BinaryFormat::MachO
    } else if cfg!(windows) {
        BinaryFormat::Coff
    } else {
        BinaryFormat::Elf
    };
    if cfg!(target_arch = "x86_64") {
        Ok((format, Architecture::X86_64))
    } else if cfg!(target_arch = "aarch64") && format == BinaryFormat::Elf {
        Ok((format, Architecture::Aarch64))
    } else {
        Err(CodeError::unsupported("object files of this computer"))
    }
}

struct Writer {
    file: object::write::Object<'static>,
    compiler: Compiler,
    /// By the numbers by which functions refer to them.
    symbols: Vec<SymbolId>,
    /// Those of the object.
    constants: Vec<Place>,
}

/// The number of a symbol.
#[derive(Clone, Copy)]
struct Place(u32);

/// What the function of a symbol refers to.
struct Parts {
    step: Place,
    fork: Place,
    /// The addresses of the kernels.
    kernels: Place,
    /// The constants of the module.
    tables: Place,
}

impl Writer {
    fn function(&mut self, function: &Function<'_>) -> Result<(), CodeError> {
        let (module, symbol) = (function.module, &function.symbol);
        if module.items.iter().any(draws) {
            return Err(CodeError::unsupported("random numbers in an object file"));
        }
        let kernels = self.kernels(module, symbol)?;
        self.compiler.write_step(&one_after_another(module));
        let step = self.define(&format!("{symbol}_step"), SymbolScope::Compilation)?;
        self.write_fork();
        let fork = self.define(&format!("{symbol}_fork"), SymbolScope::Compilation)?;
        let mut bytes = vec![0; module.constant_bytes];
        write_constants(module, &mut bytes)?;
        let tables = self.constant(&format!("{symbol}_tables"), &bytes)?;
        self.write_entry(function, &Parts { step, fork, kernels, tables });
        self.define(symbol, SymbolScope::Dynamic)?;
        Ok(())
    }

    /// The functions of the kernels, and an array of their addresses.
    fn kernels(&mut self, module: &VerifiedModule, symbol: &str) -> Result<Place, CodeError> {
        let mut kernels = Vec::new();
        for (number, kernel) in module.kernels.iter().enumerate() {
            let name = format!("{symbol}_kernel_{number}");
            kernels.push(match Vectors::of(&module.target).filter(|_| !kernel.long) {
                Some(vectors) => self.code(&name, SymbolScope::Compilation, &avx::compile(kernel, vectors)?, &[])?,
                None => {
                    self.compiler.write_kernel(module, number);
                    self.define(&name, SymbolScope::Compilation)?
                }
            });
        }
        let addresses = vec![0; kernels.len().max(1) * 8];
        let table = self.symbol(&format!("{symbol}_kernels"), SymbolKind::Data, SymbolScope::Compilation);
        let section = self.file.section_id(StandardSection::ReadOnlyDataWithRel);
        let start = self.file.add_symbol_data(self.symbols[table.0 as usize], section, &addresses, 8);
        let (kind, encoding) = (RelocationKind::Absolute, RelocationEncoding::Generic);
        for (number, kernel) in kernels.iter().enumerate() {
            let offset = start + number as u64 * 8;
            let (symbol, flags) = (self.symbols[kernel.0 as usize], RelocationFlags::Generic { kind, encoding, size: 64 });
            self.file.add_relocation(section, Relocation { offset, symbol, addend: 0, flags }).map_err(failed)?;
        }
        Ok(table)
    }

    /// `fork(frame, kernel, environment, pieces)`: the pieces of a kernel, one after the other.
    fn write_fork(&mut self) {
        let convention = self.compiler.isa.default_call_conv();
        let Compiler { context, builder_context, isa, .. } = &mut self.compiler;
        context.clear();
        context.func.signature = driver::signature(convention, 4);
        let mut b = FunctionBuilder::new(&mut context.func, builder_context);
        let (entry, body, exit) = (b.create_block(), b.create_block(), b.create_block());
        b.append_block_params_for_function_params(entry);
        b.append_block_param(body, types::I64);
        b.switch_to_block(entry);
        let [_, kernel, environment, pieces] = *b.block_params(entry) else { return };
        let first = b.ins().iconst(types::I64, 0);
        b.ins().jump(body, &[ir::BlockArg::Value(first)]);
        b.switch_to_block(body);
        let piece = b.block_params(body)[0];
        let signature = b.import_signature(driver::kernel_signature(convention));
        b.ins().call_indirect(signature, kernel, &[environment, piece]);
        let next = b.ins().iadd_imm_s(piece, 1);
        let again = b.ins().icmp(IntCC::UnsignedLessThan, next, pieces);
        b.ins().brif(again, body, &[ir::BlockArg::Value(next)], exit, &[]);
        b.switch_to_block(exit);
        b.ins().return_(&[]);
        b.seal_all_blocks();
        b.finalize(isa.frontend_config());
    }

    /// The function that other programs call.
    fn write_entry(&mut self, function: &Function<'_>, parts: &Parts) {
        let Writer { compiler, constants, .. } = self;
        let Compiler { context, builder_context, isa, .. } = compiler;
        context.clear();
        let mut signature = driver::signature(isa.default_call_conv(), function.parameters);
        signature.returns.push(ir::AbiParam::new(types::I32));
        context.func.signature = signature;
        let mut b = FunctionBuilder::new(&mut context.func, builder_context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let parameters = b.block_params(entry).to_vec();
        let slot = |b: &mut FunctionBuilder<'_>, words: usize| {
            let kind = ir::StackSlotKind::ExplicitSlot;
            b.create_sized_stack_slot(ir::StackSlotData::new(kind, words as u32 * 8, 4))
        };
        let frame = slot(&mut b, offset::END as usize / 8);
        let externals = slot(&mut b, function.sources.len().max(1));
        let words = slot(&mut b, 3);
        let address_of = |b: &mut FunctionBuilder<'_>, place: Place| {
            let name = name_of(b.func, place);
            let symbol = ir::GlobalValueData::Symbol { name, offset: 0.into(), colocated: true, tls: false };
            let symbol = b.func.create_global_value(symbol);
            b.ins().symbol_value(types::I64, symbol)
        };
        for (at, source) in function.sources.iter().enumerate() {
            let address = match source {
                Source::Parameter(number) => parameters[*number],
                Source::Constant(number) => address_of(&mut b, constants[*number]),
            };
            b.ins().stack_store(types::I64, address, externals, at as i32 * 8);
        }
        let zero = b.ins().iconst(types::I64, 0);
        (0..3).for_each(|word| {
            b.ins().stack_store(types::I64, zero, words, word * 8);
        });
        let behind = b.ins().iadd_imm_s(parameters[0], ALIGNMENT as i64 - 1);
        let mask = b.ins().iconst(types::I64, -(ALIGNMENT as i64));
        let arena = b.ins().band(behind, mask);
        let (tables, kernels) = (address_of(&mut b, parts.tables), address_of(&mut b, parts.kernels));
        let fork = address_of(&mut b, parts.fork);
        let externals = b.ins().stack_addr(types::I64, externals, 0);
        let fault = b.ins().stack_addr(types::I64, words, 0);
        let report = b.ins().stack_addr(types::I64, words, 8);
        let fields = [
            (offset::EXTERNALS, externals),
            (offset::ARENA, arena),
            (offset::CONSTANTS, tables),
            (offset::KERNELS, kernels),
            (offset::FORK, fork),
            // Nothing in such a module calls these.
            (offset::GEMM, zero),
            (offset::RAND, zero),
            (offset::MARK, zero),
            (offset::FAULT, fault),
            (offset::POISON, zero),
            (offset::REPORT, report),
            (offset::SCAN, zero),
        ];
        for (offset, value) in fields {
            b.ins().stack_store(types::I64, value, frame, offset);
        }
        let step = address_of(&mut b, parts.step);
        let frame = b.ins().stack_addr(types::I64, frame, 0);
        let signature = b.import_signature(driver::step_signature(isa.default_call_conv()));
        b.ins().call_indirect(signature, step, &[frame]);
        let fault = b.ins().stack_load(types::I64, types::I64, words, 0);
        let failed = b.ins().icmp(IntCC::NotEqual, fault, zero);
        let result = b.ins().uextend(types::I32, failed);
        b.ins().return_(&[result]);
        b.seal_all_blocks();
        b.finalize(isa.frontend_config());
    }

    /// Compiles the function that was written last.
    fn define(&mut self, name: &str, scope: SymbolScope) -> Result<Place, CodeError> {
        let compiled = self.compiler.compile_function()?;
        let (code, relocations) = (compiled.code_buffer().to_vec(), compiled.buffer.relocs().to_vec());
        self.code(name, scope, &code, &relocations)
    }

    /// Takes the code of a function.
    fn code(
        &mut self,
        name: &str,
        scope: SymbolScope,
        code: &[u8],
        relocations: &[FinalizedMachReloc],
    ) -> Result<Place, CodeError> {
        let place = self.symbol(name, SymbolKind::Text, scope);
        let section = self.file.section_id(StandardSection::Text);
        let start = self.file.add_symbol_data(self.symbols[place.0 as usize], section, code, ALIGNMENT as u64);
        for relocation in relocations {
            let symbol = self.target_of(relocation)?;
            let flags = flags_of(relocation.kind)?;
            let (offset, addend) = (start + u64::from(relocation.offset), relocation.addend);
            self.file.add_relocation(section, Relocation { offset, symbol, addend, flags }).map_err(failed)?;
        }
        Ok(place)
    }

    /// What the last function refers to.
    fn target_of(&self, relocation: &FinalizedMachReloc) -> Result<SymbolId, CodeError> {
        match relocation.target {
            FinalizedRelocTarget::ExternalName(ir::ExternalName::User(name)) => {
                let number = self.compiler.context.func.params.user_named_funcs()[name].index;
                Ok(self.symbols[number as usize])
            }
            ref other => Err(CodeError::unsupported(format!("this processor lacks an instruction ({other:?})"))),
        }
    }

    fn constant(&mut self, name: &str, bytes: &[u8]) -> Result<Place, CodeError> {
        let place = self.symbol(name, SymbolKind::Data, SymbolScope::Compilation);
        let section = self.file.section_id(StandardSection::ReadOnlyData);
        let bytes = if bytes.is_empty() { &[0] } else { bytes };
        self.file.add_symbol_data(self.symbols[place.0 as usize], section, bytes, ALIGNMENT as u64);
        Ok(place)
    }

    fn symbol(&mut self, name: &str, kind: SymbolKind, scope: SymbolScope) -> Place {
        self.symbols.push(self.file.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind,
            scope,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        }));
        Place(self.symbols.len() as u32 - 1)
    }
}

/// A name by which a function refers to a symbol.
fn name_of(function: &mut ir::Function, place: Place) -> ir::ExternalName {
    let name = ir::UserExternalName { namespace: 0, index: place.0 };
    ir::ExternalName::user(function.declare_imported_user_function(name))
}

// As the binary interface of Arm numbers them.
const R_AARCH64_ADR_PREL_PG_HI21: u32 = 275;
const R_AARCH64_ADD_ABS_LO12_NC: u32 = 277;

/// How a linker is to fill in an address.
fn flags_of(kind: Reloc) -> Result<RelocationFlags, CodeError> {
    let elf = |r_type| Ok(RelocationFlags::Elf { r_type });
    match kind {
        // Symbols of the same file are found from where the code lies.
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 => Ok(RelocationFlags::Generic {
            kind: RelocationKind::Relative,
            encoding: RelocationEncoding::Generic,
            size: 32,
        }),
        Reloc::Aarch64AdrPrelPgHi21 => elf(R_AARCH64_ADR_PREL_PG_HI21),
        Reloc::Aarch64AddAbsLo12Nc => elf(R_AARCH64_ADD_ABS_LO12_NC),
        other => Err(CodeError::unsupported(format!("addresses of the kind {other:?}"))),
    }
}

/// The module with iterations one after another, since there is nobody to run them at the same time.
fn one_after_another(module: &VerifiedModule) -> Module {
    let mut module = Module::clone(module);
    for item in &mut module.items {
        if let Item::Scan { local, .. } = item {
            *local = None;
        }
    }
    module
}

/// Whether an item draws random numbers.
fn draws(item: &Item) -> bool {
    match item {
        Item::Rand(_) => true,
        Item::Scan { items, .. } => items.iter().any(draws),
        Item::Call(_) | Item::Gemm(_) | Item::Poison { .. } => false,
    }
}

fn failed(error: object::write::Error) -> CodeError {
    CodeError::internal(format!("object file: {error}"))
}
