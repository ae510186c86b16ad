//! The portable driver: a step item by item, over one linear memory, with kernels that somebody else carries out.
//!
//! ```text
//! report, fault │ constants │ arena │ external 0 │ external 1 │ …
//! ```
//!
//! An address is a place in that memory. Tensors of the caller are copied in before a series and out after it, the
//! rows of a batch before each step. There are no other threads here: pieces are carried out one after another.

mod items;
mod layout;

use super::facts::is_finite;
use super::{Binding, Call, Code, CodeError, Facts, Outcome, Overflow, RunContext, Series, Workspace};
use crate::loops::{KernelId, VerifiedModule};
use crate::plan::fill_with_poison;
use items::Step;
use layout::Layout;

/// Kernels by number, over linear memory: all that a back end has to make to get code for steps.
pub trait Kernels: Send + Sync {
    /// What a kernel works in besides memory.
    type Registers: Default + Send + 'static;

    /// Carries out a piece of a kernel. One that computes with ints of 64 bits, or checks accesses, writes what it
    /// finds where its parameters say.
    ///
    /// # Errors
    /// If an access lies outside of the memory.
    fn run(
        &self,
        kernel: KernelId,
        env: Env<'_>,
        memory: &mut [u8],
        registers: &mut Self::Registers,
    ) -> Result<(), CodeError>;
}

/// What a kernel is called with.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// The address of each parameter.
    pub bases: &'a [i64],
    pub steps: &'a [i64],
    pub piece: i64,
}

/// Code whose steps the driver carries out.
pub struct Driven<K> {
    kernels: K,
    module: VerifiedModule,
    facts: Facts,
    layout: Layout,
}

struct Memory<R> {
    bytes: Vec<u8>,
    registers: R,
}

impl<K: Kernels> Driven<K> {
    /// Code of a module with these kernels, which are as many as the module has.
    ///
    /// # Errors
    /// If the machine has no addresses for so much memory.
    pub fn new(kernels: K, module: &VerifiedModule) -> Result<Driven<K>, CodeError> {
        let (facts, module) = (Facts::of(module), module.clone());
        let layout = Layout::of(&module, &facts)?;
        Ok(Driven { kernels, module, facts, layout })
    }

    /// In checked code: makes temporaries and results unusable until something is written there.
    fn poison(&self, memory: &mut [u8]) -> Result<(), CodeError> {
        if !self.facts.checked {
            return Ok(());
        }
        let results = (0..self.facts.externals.len()).filter(|at| self.facts.externals[*at].is_result());
        let results = results.map(|at| self.layout.external(&self.facts, at));
        for place in results.chain([self.layout.arena(&self.facts)]) {
            fill_with_poison(layout::part(memory, place)?);
        }
        Ok(())
    }

    fn steps(
        &self,
        memory: &mut Memory<K::Registers>,
        bindings: &mut [Binding<'_>],
        series: Series<'_>,
        cx: RunContext<'_>,
    ) -> Result<Outcome, CodeError> {
        for number in 0..series.steps {
            let step = series.first.step.wrapping_add(number as u32);
            for (at, binding) in bindings.iter().enumerate() {
                let target = layout::part(&mut memory.bytes, self.layout.external(&self.facts, at))?;
                layout::place(&self.facts.externals[at], binding, number, step, &series, target)?;
            }
            memory.bytes.get_mut(..layout::WORDS).into_iter().for_each(|words| words.fill(0));
            self.poison(&mut memory.bytes)?;
            cx.watch.into_iter().for_each(|watch| watch(None));
            let call = Call { step, seed: series.first.seed };
            Step::new(self, &mut memory.bytes, &mut memory.registers, call, cx).carry_out()?;
            let [number_of_check, element, fault] = layout::words(&memory.bytes)?;
            self.facts.report([number_of_check, element])?;
            if let Some(site) = Overflow::from_word(fault) {
                return Ok(Outcome::Overflow { steps: number + 1, site });
            }
            for (at, binding) in bindings.iter_mut().enumerate() {
                if let Binding::Each(tensor) = binding {
                    let bytes = layout::part(&mut memory.bytes, self.layout.external(&self.facts, at))?;
                    tensor.take_from(number * bytes.len(), bytes)?;
                }
            }
            for &at in series.watched {
                let first = layout::part(&mut memory.bytes, self.layout.external(&self.facts, at))?;
                if !is_finite(self.facts.externals[at].elem, self.facts.precision, first) {
                    return Ok(Outcome::NotFinite { steps: number + 1, external: at });
                }
            }
            if series.is_interrupted_before(number + 1) {
                return Ok(Outcome::Interrupted { steps: number + 1 });
            }
        }
        Ok(Outcome::Done)
    }
}

impl<K: Kernels> Code for Driven<K> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn workspace(&self) -> Result<Workspace, CodeError> {
        let bytes = self.layout.memory(&self.module, &self.facts)?;
        Ok(Workspace(Box::new(Memory { bytes, registers: K::Registers::default() })))
    }

    fn run(
        &self,
        workspace: &mut Workspace,
        bindings: &mut [Binding<'_>],
        series: Series<'_>,
        cx: RunContext<'_>,
    ) -> Result<Outcome, CodeError> {
        self.facts.check(bindings, &series)?;
        let memory = workspace.of::<Memory<K::Registers>>()?;
        if memory.bytes.len() != self.layout.bytes {
            return Err(CodeError::new("the workspace belongs to other code"));
        }
        for (at, binding) in bindings.iter().enumerate() {
            let target = layout::part(&mut memory.bytes, self.layout.external(&self.facts, at))?;
            match binding {
                Binding::Read(tensor) => tensor.copy_to(0, target)?,
                Binding::Write(tensor) => tensor.as_ref().copy_to(0, target)?,
                Binding::Rows(_) | Binding::Each(_) | Binding::StepNumber => {}
            }
        }
        let outcome = self.steps(memory, bindings, series, cx);
        for (at, binding) in bindings.iter_mut().enumerate() {
            if let Binding::Write(tensor) = binding {
                tensor
                    .take_from(0, layout::part(&mut memory.bytes, self.layout.external(&self.facts, at))?)?;
            }
        }
        outcome
    }
}
