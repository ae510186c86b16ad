//! From a module to machine code in memory.

use super::avx::{self, Vectors};
use super::cranelift::driver::{self, IndependentScan, Tables};
use super::cranelift::isa::{self, Machine};
use crate::backend::{CodeError, Form, Options};
use crate::loops::{Module, VerifiedModule};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::{Context, ir};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider, SystemMemoryProvider};

/// Functions of a module: kernels, then the step and the iterations of its scans.
pub struct Compiler {
    pub(super) isa: OwnedTargetIsa,
    pub(super) context: Context,
    pub(super) builder_context: FunctionBuilderContext,
    has_fma: bool,
    options: Options,
}

/// Code that can be run, until it is dropped.
pub struct Functions {
    memory: SystemMemoryProvider,
    pub kernels: Vec<*const u8>,
    pub step: *const u8,
    /// One iteration of each independent scan of the step.
    pub iterations: Vec<*const u8>,
}

// SAFETY: the code is never written again, and freed by whoever drops it last.
unsafe impl Send for Functions {}
// SAFETY: as above; the pointers are only read.
unsafe impl Sync for Functions {}

impl Drop for Functions {
    fn drop(&mut self) {
        // SAFETY: functions of the code are only called through a borrow of their owner.
        unsafe { self.memory.free_memory() }
    }
}

impl Compiler {
    /// # Errors
    /// If Cranelift does not know the processor.
    pub fn new(machine: Machine, options: Options) -> Result<Compiler, CodeError> {
        let isa = isa::make(machine)?;
        let has_fma = isa::has_fma(&*isa);
        let (context, builder_context) = (Context::new(), FunctionBuilderContext::new());
        Ok(Compiler { isa, context, builder_context, has_fma, options })
    }

    /// Compiles all functions and makes them executable.
    ///
    /// # Errors
    /// If Cranelift rejects a function, or there is no memory for it.
    pub fn compile(mut self, module: &VerifiedModule) -> Result<(Functions, Tables), CodeError> {
        let mut memory = SystemMemoryProvider::new();
        let mut kernels = Vec::with_capacity(module.kernels.len());
        for number in 0..module.kernels.len() {
            if module.tiny && module.kernels[number].pieces == 1 {
                kernels.push(std::ptr::null());
                continue;
            }
            if let Some(vectors) = Vectors::of(&module.target).filter(|_| !module.kernels[number].long) {
                let code = avx::compile(&module.kernels[number], vectors)?;
                kernels.push(into_memory(&mut memory, &code)?);
                continue;
            }
            self.write_kernel(module, number);
            kernels.push(self.place(&mut memory)?);
        }
        let mut tables = self.write_step(module);
        let step = self.place(&mut memory)?;
        let mut iterations = Vec::with_capacity(tables.scans.len());
        for scan in tables.scans.clone() {
            tables = self.write_iteration(module, &scan, tables);
            iterations.push(self.place(&mut memory)?);
        }
        memory
            .finalize(BranchProtection::None)
            .map_err(|error| CodeError::no_memory(format!("for code: {error}")))?;
        Ok((Functions { memory, kernels, step, iterations }, tables))
    }

    /// The functions as text: CLIF, or assembly.
    ///
    /// # Errors
    /// As [`Compiler::compile`].
    pub fn text(mut self, module: &VerifiedModule, form: Form) -> Result<String, CodeError> {
        let mut text = String::new();
        for (number, kernel) in module.kernels.iter().enumerate() {
            if module.tiny && kernel.pieces == 1 {
                continue;
            }
            self.write_kernel(module, number);
            text.push_str(&format!("; kernel k{number}\n"));
            self.add_text(form, &mut text)?;
        }
        let mut tables = self.write_step(module);
        text.push_str("; step\n");
        self.add_text(form, &mut text)?;
        for scan in tables.scans.clone() {
            tables = self.write_iteration(module, &scan, tables);
            text.push_str(&format!("; one of {} iterations\n", scan.trip));
            self.add_text(form, &mut text)?;
        }
        Ok(text)
    }

    /// The current function as text.
    fn add_text(&mut self, form: Form, text: &mut String) -> Result<(), CodeError> {
        if form == Form::Assembly {
            self.context.set_disasm(true);
            let compiled = self.compile_function()?;
            text.push_str(compiled.vcode.as_deref().unwrap_or(""));
        } else {
            text.push_str(&self.context.func.display().to_string());
        }
        text.push('\n');
        Ok(())
    }

    pub(super) fn write_kernel(&mut self, module: &Module, number: usize) {
        let (kernel, has_fma) = (&module.kernels[number], self.has_fma);
        self.write(driver::kernel_signature, number, |builder| driver::write_kernel(builder, kernel, has_fma));
    }

    pub(super) fn write_step(&mut self, module: &Module) -> Tables {
        let (has_fma, options) = (self.has_fma, self.options);
        self.write(driver::step_signature, module.kernels.len(), |builder| {
            driver::write_step(builder, module, has_fma, options)
        })
    }

    fn write_iteration(&mut self, module: &Module, scan: &IndependentScan, tables: Tables) -> Tables {
        let (has_fma, options) = (self.has_fma, self.options);
        self.write(driver::iteration_signature, module.kernels.len() + 1 + scan.item, |builder| {
            driver::write_iteration(builder, module, has_fma, options, (scan, tables))
        })
    }

    /// Makes a function of this signature the current one, whose body is written by `body`.
    fn write<R>(
        &mut self,
        signature: impl Fn(CallConv) -> ir::Signature,
        number: usize,
        body: impl FnOnce(&mut FunctionBuilder<'_>) -> R,
    ) -> R {
        self.context.clear();
        self.context.func.signature = signature(self.isa.default_call_conv());
        self.context.func.name = ir::UserFuncName::user(0, number as u32);
        let mut builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder_context);
        let result = body(&mut builder);
        builder.seal_all_blocks();
        builder.finalize(self.isa.frontend_config());
        result
    }

    pub(super) fn compile_function(&mut self) -> Result<&cranelift_codegen::CompiledCode, CodeError> {
        let isa: &dyn TargetIsa = &*self.isa;
        self.context
            .compile(isa, &mut ControlPlane::default())
            .map_err(|error| CodeError::internal(format!("Cranelift: {:?}", error.inner)))
    }

    /// Compiles the current function into executable memory.
    fn place(&mut self, memory: &mut SystemMemoryProvider) -> Result<*const u8, CodeError> {
        let compiled = self.compile_function()?;
        let relocations = compiled.buffer.relocs();
        if let Some(relocation) = relocations.first() {
            return Err(CodeError::unsupported(format!(
                "this processor lacks an instruction ({:?})",
                relocation.target
            )));
        }
        into_memory(memory, compiled.code_buffer())
    }
}

/// A copy of a function where it may be executed later.
fn into_memory(memory: &mut SystemMemoryProvider, code: &[u8]) -> Result<*const u8, CodeError> {
    let target = memory
        .allocate(code.len(), 64, JITMemoryKind::Executable)
        .map_err(|error| CodeError::no_memory(format!("for code: {error}")))?;
    // SAFETY: the memory was just allocated with this length, and is writable until `finalize`.
    unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), target, code.len()) };
    Ok(target)
}
