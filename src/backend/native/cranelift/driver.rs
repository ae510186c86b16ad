//! The function that carries out a whole step: calls of kernels, or their code itself if the step is tiny. One
//! iteration of a scan whose iterations may run at the same time is a function of its own.

use super::codegen;
use crate::backend::Options;
use crate::backend::native::frame::offset;
use crate::ir::StepId;
use crate::loops::{Base, BasePlace, Call, Gemm, Item, Module, Rand};
use crate::plan::Local;
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;
use std::collections::HashMap;

/// `(env, piece)`.
pub fn kernel_signature(convention: CallConv) -> ir::Signature {
    signature(convention, 2)
}

/// `(frame)`.
pub fn step_signature(convention: CallConv) -> ir::Signature {
    signature(convention, 1)
}

/// `(frame, distance, scratch distance, counter)`: one iteration of an independent scan. Its own memory, and that of
/// the pieces of its kernels, lie so many bytes behind the places that the plan gives them.
pub fn iteration_signature(convention: CallConv) -> ir::Signature {
    signature(convention, 4)
}

/// So many words.
pub fn signature(convention: CallConv, n_params: usize) -> ir::Signature {
    let mut signature = ir::Signature::new(convention);
    signature.params = vec![ir::AbiParam::new(types::I64); n_params];
    signature
}

/// Writes the body of a kernel function: the addresses and counters stand in `env`, one after another.
pub fn write_kernel(builder: &mut FunctionBuilder<'_>, kernel: &crate::loops::Kernel, has_fma: bool) {
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let (env, piece) = (builder.block_params(entry)[0], builder.block_params(entry)[1]);
    let mut words = Vec::new();
    for at in 0..kernel.params.len() + kernel.steps.len() {
        words.push(builder.ins().load(types::I64, constant_flags(), env, at as i32 * 8));
    }
    let (bases, steps) = words.split_at_mut(kernel.params.len());
    for (base, param) in bases.iter_mut().zip(&kernel.params) {
        if param.piece_stride != 0 {
            let offset = builder.ins().imul_imm_s(piece, param.piece_stride);
            *base = builder.ins().iadd(*base, offset);
        }
    }
    codegen::kernel(builder, kernel, has_fma, bases, steps, Some(piece));
    builder.ins().return_(&[]);
}

/// Loads of memory that does not change while the step runs.
fn constant_flags() -> MemFlagsData {
    MemFlagsData::trusted().with_readonly().with_can_move()
}

/// The products, random calls and independent scans that the step refers to by number.
#[derive(Default)]
pub struct Tables {
    pub gemms: Vec<Gemm>,
    pub rands: Vec<Rand>,
    pub scans: Vec<IndependentScan>,
}

/// A scan whose iterations are calls of a function.
#[derive(Clone, Copy)]
pub struct IndependentScan {
    /// Its number among the items of the module.
    pub item: usize,
    pub trip: i64,
    pub local: Local,
}

/// Writes the body of the step function.
pub fn write_step(
    builder: &mut FunctionBuilder<'_>,
    module: &Module,
    has_fma: bool,
    options: Options,
) -> Tables {
    let tables = Tables::default();
    let (mut driver, _) = Driver::new(builder, module, has_fma, options, tables);
    driver.items(&module.items);
    let tables = driver.tables;
    builder.ins().return_(&[]);
    tables
}

/// Writes the body of the function that carries out one iteration of an independent scan of the step.
pub fn write_iteration(
    builder: &mut FunctionBuilder<'_>,
    module: &Module,
    has_fma: bool,
    options: Options,
    (scan, tables): (&IndependentScan, Tables),
) -> Tables {
    let (mut driver, params) = Driver::new(builder, module, has_fma, options, tables);
    if let Item::Scan { step, items, .. } = &module.items[scan.item] {
        driver.own_memory = Some(OwnMemory { local: scan.local, distance: params[1], of_scratch: params[2] });
        driver.counters.insert(*step, params[3]);
        driver.items(items);
    }
    let tables = driver.tables;
    builder.ins().return_(&[]);
    tables
}

impl<'b, 'f, 'm> Driver<'b, 'f, 'm> {
    /// At the beginning of a function whose first parameter is the frame, and the parameters.
    fn new(
        builder: &'b mut FunctionBuilder<'f>,
        module: &'m Module,
        has_fma: bool,
        options: Options,
        tables: Tables,
    ) -> (Driver<'b, 'f, 'm>, Vec<ir::Value>) {
    let convention = builder.func.signature.call_conv;
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let params = builder.block_params(entry).to_vec();
    let frame = params[0];
    let words = most_words(&module.items, module);
    let slot = ir::StackSlotData::new(ir::StackSlotKind::ExplicitSlot, (words * 8) as u32, 4);
    let env = builder.create_sized_stack_slot(slot);
    let mut signature = |n_params| builder.import_signature(signature(convention, n_params));
    let signatures = Signatures {
        kernel: signature(2),
        fork: signature(4),
        gemm: signature(5),
        rand: signature(4),
        mark: signature(2),
        poison: signature(2),
        scan: signature(2),
    };
    let driver = Driver {
        b: builder,
        module,
        has_fma,
        options,
        frame,
        env,
        signatures,
        counters: HashMap::new(),
        own_memory: None,
        tables,
        n_marks: 0,
    };
    (driver, params)
    }
}

fn most_words(items: &[Item], module: &Module) -> usize {
    let words = items.iter().map(|item| match item {
        Item::Call(call) => {
            let kernel = &module.kernels[call.kernel.0 as usize];
            kernel.params.len() + kernel.steps.len()
        }
        Item::Scan { items, .. } => most_words(items, module),
        Item::Gemm(_) | Item::Rand(_) | Item::Poison { .. } => 0,
    });
    words.max().unwrap_or(0).max(1)
}

struct Signatures {
    kernel: ir::SigRef,
    fork: ir::SigRef,
    gemm: ir::SigRef,
    rand: ir::SigRef,
    mark: ir::SigRef,
    poison: ir::SigRef,
    scan: ir::SigRef,
}

struct Driver<'b, 'f, 'm> {
    b: &'b mut FunctionBuilder<'f>,
    module: &'m Module,
    has_fma: bool,
    options: Options,
    frame: ir::Value,
    env: ir::StackSlot,
    signatures: Signatures,
    /// The counters of the scans around.
    counters: HashMap<StepId, ir::Value>,
    /// In the function of one iteration of a scan.
    own_memory: Option<OwnMemory>,
    tables: Tables,
    n_marks: i64,
}

/// The part of the arena that an iteration of a scan has for itself, and how many bytes it lies behind its place; the
/// private memory of kernels likewise.
struct OwnMemory {
    local: Local,
    distance: ir::Value,
    of_scratch: ir::Value,
}

impl Driver<'_, '_, '_> {
    fn items(&mut self, items: &[Item]) {
        for (number, item) in items.iter().enumerate() {
            match item {
                Item::Call(call) => self.call(call),
                Item::Gemm(gemm) => self.gemm(gemm),
                Item::Rand(rand) => self.rand(rand),
                Item::Poison { base, bytes } => self.poison(base, *bytes),
                // Whoever watches the items of a step is told of them one after another.
                Item::Scan { trip, local: Some(local), .. } if !self.options.profiled => {
                    self.independent(IndependentScan { item: number, trip: *trip, local: *local });
                }
                Item::Scan { step, trip, reverse, items, .. } => self.scan(*step, *trip, *reverse, items),
            }
        }
    }

    fn field(&mut self, offset: i32) -> ir::Value {
        self.b.ins().load(types::I64, constant_flags(), self.frame, offset)
    }

    fn base(&mut self, base: &Base) -> ir::Value {
        let mut address = match base.place {
            BasePlace::Arena => self.field(offset::ARENA),
            BasePlace::Constants => self.field(offset::CONSTANTS),
            BasePlace::Fault => self.field(offset::FAULT),
            BasePlace::Report => self.field(offset::REPORT),
            BasePlace::External(slot) => {
                let externals = self.field(offset::EXTERNALS);
                self.b.ins().load(types::I64, constant_flags(), externals, slot as i32 * 8)
            }
        };
        for (step, factor) in &base.steps {
            let moved = self.b.ins().imul_imm_s(self.counters[step], *factor);
            address = self.b.ins().iadd(address, moved);
        }
        if let (BasePlace::Arena, Some(memory)) = (base.place, &self.own_memory) {
            let Local { start, bytes } = memory.local;
            if (start as i64..(start + bytes) as i64).contains(&base.offset) {
                address = self.b.ins().iadd(address, memory.distance);
            } else if base.offset >= self.module.scratch_start as i64 {
                address = self.b.ins().iadd(address, memory.of_scratch);
            }
        }
        if base.offset == 0 { address } else { self.b.ins().iadd_imm_s(address, base.offset) }
    }

    fn call(&mut self, call: &Call) {
        let kernel = &self.module.kernels[call.kernel.0 as usize];
        let bases: Vec<ir::Value> = call.bases.iter().map(|base| self.base(base)).collect();
        let steps: Vec<ir::Value> = call.steps.iter().map(|step| self.counters[step]).collect();
        if self.module.tiny && kernel.pieces == 1 {
            codegen::kernel(self.b, kernel, self.has_fma, &bases, &steps, None);
            return self.mark();
        }
        for (at, word) in bases.iter().chain(&steps).enumerate() {
            self.b.ins().stack_store(types::I64, *word, self.env, at as i32 * 8);
        }
        let env = self.b.ins().stack_addr(types::I64, self.env, 0);
        let kernels = self.field(offset::KERNELS);
        let code = self.b.ins().load(types::I64, constant_flags(), kernels, call.kernel.0 as i32 * 8);
        if kernel.pieces > 1 {
            let fork = self.field(offset::FORK);
            let pieces = self.b.ins().iconst(types::I64, kernel.pieces as i64);
            self.b.ins().call_indirect(self.signatures.fork, fork, &[self.frame, code, env, pieces]);
        } else {
            let zero = self.b.ins().iconst(types::I64, 0);
            self.b.ins().call_indirect(self.signatures.kernel, code, &[env, zero]);
        }
        self.mark();
    }

    fn gemm(&mut self, gemm: &Gemm) {
        let number = self.b.ins().iconst(types::I64, self.tables.gemms.len() as i64);
        self.tables.gemms.push(gemm.clone());
        let [a, b, c] = gemm.bases.each_ref().map(|base| self.base(base));
        let code = self.field(offset::GEMM);
        self.b.ins().call_indirect(self.signatures.gemm, code, &[self.frame, number, a, b, c]);
        self.mark();
    }

    fn rand(&mut self, rand: &Rand) {
        let number = self.b.ins().iconst(types::I64, self.tables.rands.len() as i64);
        self.tables.rands.push(rand.clone());
        let target = self.base(&rand.base);
        let mut scan_step = self.b.ins().iconst(types::I64, rand.scan_step);
        for (step, factor) in &rand.scan_terms {
            let term = self.b.ins().imul_imm_s(self.counters[step], *factor);
            scan_step = self.b.ins().iadd(scan_step, term);
        }
        let code = self.field(offset::RAND);
        self.b.ins().call_indirect(self.signatures.rand, code, &[self.frame, number, target, scan_step]);
        self.mark();
    }

    fn poison(&mut self, base: &Base, bytes: i64) {
        let memory = self.base(base);
        let bytes = self.b.ins().iconst(types::I64, bytes);
        let code = self.field(offset::POISON);
        self.b.ins().call_indirect(self.signatures.poison, code, &[memory, bytes]);
    }

    /// Iterations that may run at the same time: on several threads, if there are some.
    fn independent(&mut self, scan: IndependentScan) {
        let number = self.b.ins().iconst(types::I64, self.tables.scans.len() as i64);
        self.tables.scans.push(scan);
        let code = self.field(offset::SCAN);
        self.b.ins().call_indirect(self.signatures.scan, code, &[self.frame, number]);
    }

    fn scan(&mut self, step: StepId, trip: i64, reverse: bool, items: &[Item]) {
        let (body, exit) = (self.b.create_block(), self.b.create_block());
        self.b.append_block_param(body, types::I64);
        let (first, last, by) = if reverse { (trip - 1, 0, -1) } else { (0, trip - 1, 1) };
        let first = self.b.ins().iconst(types::I64, first);
        self.b.ins().jump(body, &[ir::BlockArg::Value(first)]);
        self.b.switch_to_block(body);
        let counter = self.b.block_params(body)[0];
        self.counters.insert(step, counter);
        self.items(items);
        let next = self.b.ins().iadd_imm_s(counter, by);
        let again = self.b.ins().icmp_imm_s(ir::condcodes::IntCC::NotEqual, counter, last);
        self.b.ins().brif(again, body, &[ir::BlockArg::Value(next)], exit, &[]);
        self.b.switch_to_block(exit);
        self.counters.remove(&step);
    }

    /// Says that an item is done; they are counted as [`Facts::names`](crate::backend::Facts) does.
    fn mark(&mut self) {
        if self.options.profiled {
            let number = self.b.ins().iconst(types::I64, self.n_marks);
            let code = self.field(offset::MARK);
            self.b.ins().call_indirect(self.signatures.mark, code, &[self.frame, number]);
        }
        self.n_marks += 1;
    }
}
