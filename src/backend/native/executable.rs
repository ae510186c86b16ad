//! Machine code of a module, and how it is run.

use super::compile::{Compiler, Functions};
use super::cranelift::driver::Tables;
use super::cranelift::isa::Machine;
use super::frame::{self, Elsewhere, Frame, IterationFn, ScanCode, StepFn};
use super::memory::Aligned;
use super::moving::Moving;
use super::products::MatrixProduct;
use crate::backend::facts::{is_finite, write_constants};
use crate::backend::{Binding, Call, Code, CodeError, Facts, Options, Outcome, Overflow, RunContext};
use crate::backend::{Series, Workspace, host};
use crate::loops::VerifiedModule;
use crate::plan::fill_with_poison;
use std::ops::Range;

/// A module as machine code.
pub struct Executable {
    functions: Functions,
    tables: Tables,
    products: Vec<MatrixProduct>,
    scans: Vec<ScanCode>,
    /// The part of the arena that is the private memory of kernels.
    scratch: Range<usize>,
    constants: Aligned,
    facts: Facts,
}

/// The temporaries of one call at a time.
struct Temporaries {
    arena: Aligned,
    /// For iterations of independent scans on other threads; made when there are some.
    elsewhere: Option<Aligned>,
    /// Gathered rows, one run of memory for each external that needs it.
    rows: Vec<Option<Aligned>>,
    pointers: Pointers,
}

/// Room for the addresses of externals; they mean something during a call only.
struct Pointers(Vec<*mut u8>);

// SAFETY: nothing is done with what a call has left here.
unsafe impl Send for Pointers {}

impl Executable {
    /// # Errors
    /// If this processor lacks what the code needs, or memory is short.
    pub fn new(module: &VerifiedModule, options: Options) -> Result<Executable, CodeError> {
        host::check(&module.target)?;
        let (functions, tables) = Compiler::new(Machine::Host, options)?.compile(module)?;
        let products = tables.gemms.iter().map(MatrixProduct::new).collect();
        let scans = tables.scans.iter().zip(&functions.iterations).map(|(scan, code)| ScanCode {
            // SAFETY: it was compiled with this signature, and lives as long as `functions`.
            iteration: unsafe { std::mem::transmute::<*const u8, IterationFn>(*code) },
            trip: scan.trip,
            local: scan.local,
        });
        let scans = scans.collect();
        let scratch = module.scratch_start..module.arena_bytes;
        let mut constants = Aligned::new(module.constant_bytes)?;
        write_constants(module, constants.bytes_mut())?;
        Ok(Executable { functions, tables, products, scans, scratch, constants, facts: Facts::of(module) })
    }

    /// In checked code: makes temporaries and results unusable until something is written there.
    ///
    /// # Safety
    /// The pointers are those of the externals, for this step.
    unsafe fn poison(&self, arena: &mut Aligned, pointers: &[*mut u8]) {
        if !self.facts.checked {
            return;
        }
        fill_with_poison(arena.bytes_mut());
        for (at, pointer) in pointers.iter().enumerate() {
            if self.facts.externals[at].is_result() {
                // SAFETY: the binding of a result was checked to have room for it.
                unsafe { frame::poison(*pointer, self.facts.external_bytes(at) as u64) };
            }
        }
    }

    /// A frame for a step; the words are those of reports and of the fault.
    fn frame<'a>(
        &'a self,
        arena: &mut Aligned,
        elsewhere: Elsewhere,
        pointers: &[*mut u8],
        call: Call,
        words: [*mut u64; 2],
        cx: RunContext<'a>,
    ) -> Frame<'a> {
        let [report, fault] = words;
        Frame {
            externals: pointers.as_ptr(),
            arena: arena.as_mut_ptr(),
            constants: self.constants.as_ptr(),
            kernels: self.functions.kernels.as_ptr(),
            fork: frame::fork,
            gemm: frame::gemm,
            rand: frame::rand,
            mark: frame::mark,
            fault,
            poison: frame::poison,
            report,
            scan: frame::scan,
            step: call.step,
            seed: call.seed,
            parallel: cx.parallel,
            products: &self.products,
            rands: &self.tables.rands,
            scans: &self.scans,
            elsewhere,
            scratch_start: self.scratch.start,
            profile: cx.watch,
            results: cx.results,
            facts: &self.facts,
        }
    }

    /// Memory for the iterations of independent scans that other threads than the first carry out.
    fn elsewhere(&self, memory: &mut Option<Aligned>, threads: usize) -> Result<Elsewhere, CodeError> {
        let most = self.scans.iter().map(|scan| scan.trip as usize).max().unwrap_or(0).min(threads);
        let count = most.saturating_sub(1);
        let own_bytes = self.scans.iter().map(|scan| scan.local.bytes).max().unwrap_or(0);
        let bytes = own_bytes + self.scratch.len().next_multiple_of(128);
        let wanted = count * bytes;
        if memory.as_ref().is_none_or(|memory| memory.len() < wanted) {
            *memory = (wanted > 0).then(|| Aligned::new(wanted)).transpose()?;
        }
        let start = memory.as_mut().map_or(std::ptr::null_mut(), Aligned::as_mut_ptr);
        Ok(Elsewhere { start, bytes, own_bytes, count })
    }

    fn step(&self) -> StepFn {
        // SAFETY: it was compiled with this signature, and lives as long as `self`.
        unsafe { std::mem::transmute::<*const u8, StepFn>(self.functions.step) }
    }

    /// The first of the watched externals that is not finite after a step.
    ///
    /// # Safety
    /// The pointers are those of the externals, for this step.
    unsafe fn not_finite(&self, watched: &[usize], pointers: &[*mut u8]) -> Option<usize> {
        watched.iter().copied().find(|&at| {
            let bytes = self.facts.elem_bytes(at).min(self.facts.external_bytes(at));
            // SAFETY: by the contract.
            let first = unsafe { std::slice::from_raw_parts(pointers[at].cast_const(), bytes) };
            !is_finite(self.facts.externals[at].elem, self.facts.precision, first)
        })
    }
}

impl Code for Executable {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn workspace(&self) -> Result<Workspace, CodeError> {
        let rows = self.facts.externals.iter().map(|_| None).collect();
        let pointers = Pointers(Vec::with_capacity(self.facts.externals.len()));
        Ok(Workspace(Box::new(Temporaries {
            arena: Aligned::new(self.facts.arena_bytes)?,
            elsewhere: None,
            rows,
            pointers,
        })))
    }

    fn run(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        series: Series<'_>,
        cx: RunContext<'_>,
    ) -> Result<Outcome, CodeError> {
        self.facts.check(bindings, &series)?;
        let Temporaries { arena, elsewhere, rows, pointers: Pointers(pointers) } = workspace.of::<Temporaries>()?;
        if arena.len() < self.facts.arena_bytes || rows.len() != bindings.len() {
            return Err(CodeError::new("the workspace belongs to other code"));
        }
        let mut step_number = series.first.step as i32;
        pointers.clear();
        pointers.resize(bindings.len(), std::ptr::null_mut());
        let mut moving = Vec::new();
        for (at, binding) in bindings.iter_mut().enumerate() {
            moving.extend(Moving::of(&self.facts, at, binding, &mut rows[at])?);
            pointers[at] = match binding {
                Binding::Read(tensor) | Binding::Rows(tensor) => tensor.pointer().cast_mut(),
                Binding::Write(tensor) | Binding::Each(tensor) => tensor.pointer(),
                Binding::StepNumber => (&raw mut step_number).cast(),
            };
        }
        let (mut report, mut fault) = ([0u64; 2], 0u64);
        let words = [(&raw mut report).cast::<u64>(), &raw mut fault];
        let elsewhere = self.elsewhere(elsewhere, cx.parallel.threads())?;
        let mut frame = self.frame(arena, elsewhere, pointers, series.first, words, cx);
        let step = self.step();
        for number in 0..series.steps {
            frame.step = series.first.step.wrapping_add(number as u32);
            // SAFETY: nobody else holds a pointer to it at this moment.
            unsafe { (&raw mut step_number).write(frame.step as i32) };
            for moving in &moving {
                // SAFETY: its binding was checked above.
                unsafe { moving.place(number, &series, pointers) };
            }
            frame.externals = pointers.as_ptr();
            // SAFETY: every binding was checked against its external and the length of the series.
            unsafe { self.poison(arena, pointers) };
            cx.watch.into_iter().for_each(|watch| watch(None));
            // SAFETY: as above; the module keeps the rules of its verifier.
            unsafe { step(&frame) };
            // SAFETY: the step is over, and so is its use of the words.
            let (report, fault) = unsafe { (words[0].cast::<[u64; 2]>().read(), words[1].read()) };
            self.facts.report(report)?;
            if let Some(site) = Overflow::from_word(fault) {
                return Ok(Outcome::Overflow { steps: number + 1, site });
            }
            // SAFETY: as above.
            if let Some(external) = unsafe { self.not_finite(series.watched, pointers) } {
                return Ok(Outcome::NotFinite { steps: number + 1, external });
            }
            if series.is_interrupted_before(number + 1) {
                return Ok(Outcome::Interrupted { steps: number + 1 });
            }
        }
        Ok(Outcome::Done)
    }
}

/// The arena of a workspace of machine code.
#[cfg(test)]
pub fn arena_of(workspace: &mut Workspace) -> &mut [u8] {
    workspace.of::<Temporaries>().expect("machine code works in it").arena.bytes_mut()
}
