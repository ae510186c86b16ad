//! The rules of whole modules.

use super::verify;
use crate::ir::{ConstData, StepId};
use crate::loops::LoopError;
use crate::loops::ir::*;
use crate::plan::{Local, elem_bytes};
use std::ops::Deref;

/// A module that keeps the rules. Only [`module`] makes one, so code made of it reaches no memory that is not its
/// own: machine code is made of nothing else.
#[derive(Clone, Debug)]
pub struct VerifiedModule(Module);

impl VerifiedModule {
    /// The module, to be changed and verified again.
    pub fn into_inner(self) -> Module {
        self.0
    }
}

impl Deref for VerifiedModule {
    type Target = Module;

    fn deref(&self) -> &Module {
        &self.0
    }
}

/// Checks a module.
///
/// # Errors
/// The first rule that is broken: a mistake of an earlier stage.
pub fn module(module: Module) -> Result<VerifiedModule, LoopError> {
    module.kernels.iter().try_for_each(verify)?;
    let mut checker = ModuleChecker { module: &module, steps: Vec::new() };
    checker.items(&module.items)?;
    checker.constants()?;
    if module.tiny && !module.target.one_function {
        return checker.fail("one function of a step for a target that makes none");
    }
    Ok(VerifiedModule(module))
}

struct ModuleChecker<'m> {
    module: &'m Module,
    /// The scans around, with the number of their steps.
    steps: Vec<(StepId, i64)>,
}

impl ModuleChecker<'_> {
    fn fail<T>(&self, what: impl std::fmt::Display) -> Result<T, LoopError> {
        Err(LoopError(format!("loop IR: {what}\n{}", self.module)))
    }

    fn items(&mut self, items: &[Item]) -> Result<(), LoopError> {
        for item in items {
            match item {
                Item::Call(call) => self.call(call)?,
                Item::Gemm(gemm) => self.gemm(gemm)?,
                Item::Rand(rand) => {
                    rand.scan_terms.iter().try_for_each(|(step, _)| self.trip(*step).map(drop))?;
                    let count = rand.draws * rand.len;
                    if count < 0 || !rand.elem.is_float() {
                        return self.fail(format!("random numbers `{}` of no kind", rand.name.text));
                    }
                    self.reaches(&rand.base, (0, (count - 1) * rand.elem.bytes()), rand.elem)?;
                }
                Item::Poison { base, bytes } => self.reaches(base, (0, bytes - 1), Kind::Bool)?,
                Item::Scan { step, trip, local, items, .. } => {
                    let is_within = |local: &Local| local.start + local.bytes <= self.module.arena_bytes;
                    if !local.iter().all(is_within) || local.is_some() && !self.steps.is_empty() {
                        return self.fail(format!("the memory of the iterations of scan t{}", step.0));
                    }
                    if *trip <= 0 || self.steps.iter().any(|(other, _)| other == step) {
                        return self.fail(format!("the scan t{} over {trip} steps", step.0));
                    }
                    self.steps.push((*step, *trip));
                    self.items(items)?;
                    self.steps.pop();
                }
            }
        }
        Ok(())
    }

    fn call(&self, call: &Call) -> Result<(), LoopError> {
        let Some(kernel) = self.module.kernels.get(call.kernel.0 as usize) else {
            return self.fail(format!("there is no kernel k{}", call.kernel.0));
        };
        if call.bases.len() != kernel.params.len() || call.steps.len() != kernel.steps.len() {
            return self.fail(format!("k{} is called with other arguments than it takes", call.kernel.0));
        }
        if kernel.pieces == 0 || kernel.pieces > 1 && kernel.piece.is_none() {
            return self.fail(format!("k{} is cut into pieces that it does not know", call.kernel.0));
        }
        call.steps.iter().try_for_each(|step| self.trip(*step).map(drop))?;
        for (base, param) in call.bases.iter().zip(&kernel.params) {
            self.place(base)?;
            base.steps.iter().try_for_each(|(step, _)| self.trip(*step).map(drop))?;
            let is_constant = base.place == BasePlace::Constants;
            let is_input = self.external(base).is_some_and(|external| !external.written);
            if param.written && (is_constant || is_input) {
                return self.fail(format!("k{} writes to {base}, which is read only", call.kernel.0));
            }
        }
        Ok(())
    }

    fn gemm(&self, gemm: &Gemm) -> Result<(), LoopError> {
        if !gemm.kind.is_float() || gemm.pieces == 0 {
            return self.fail(format!("the product `{}` is of no floats", gemm.name.text));
        }
        let sizes = [[gemm.m, gemm.k], [gemm.k, gemm.n], [gemm.m, gemm.n]];
        for (operand, base) in gemm.bases.iter().enumerate() {
            let sides = &gemm.sides[operand];
            let points = |side: &Side| side.axes.iter().map(|(size, _)| size).product::<i64>();
            if sides.each_ref().map(points) != sizes[operand] {
                return self.fail(format!("the sides of the product `{}` are of other sizes", gemm.name.text));
            }
            let axes = gemm.batch.iter().map(|(size, strides)| (*size, strides[operand]));
            let (mut least, mut greatest) = (0i64, 0i64);
            for (size, stride) in axes.chain(sides.iter().flat_map(|side| side.axes.iter().copied())) {
                if size <= 0 {
                    return Ok(());
                }
                let reach = (size - 1) * stride * gemm.kind.bytes();
                (least, greatest) = (least + reach.min(0), greatest + reach.max(0));
            }
            self.reaches(base, (least, greatest), gemm.kind)?;
            if operand == 2 && self.external(base).is_some_and(|external| !external.written) {
                return self.fail(format!("a product is written to {base}, which is read only"));
            }
        }
        Ok(())
    }

    fn trip(&self, step: StepId) -> Result<i64, LoopError> {
        match self.steps.iter().find(|(other, _)| *other == step) {
            Some((_, trip)) => Ok(*trip),
            None => self.fail(format!("the counter t{} outside of its scan", step.0)),
        }
    }

    fn external(&self, base: &Base) -> Option<&crate::plan::External> {
        match base.place {
            BasePlace::External(slot) => self.module.externals.get(slot as usize),
            BasePlace::Arena | BasePlace::Constants | BasePlace::Fault | BasePlace::Report => None,
        }
    }

    /// The bytes that there are at a place.
    fn place(&self, base: &Base) -> Result<i64, LoopError> {
        Ok(match base.place {
            BasePlace::Arena => self.module.arena_bytes as i64,
            BasePlace::Constants => self.module.constant_bytes as i64,
            BasePlace::Fault => 8,
            BasePlace::Report => 16,
            BasePlace::External(slot) => match self.module.externals.get(slot as usize) {
                Some(external) => {
                    let bytes = elem_bytes(external.elem, external.wide, self.module.precision);
                    (external.shape.iter().product::<usize>() * bytes) as i64
                }
                None => return self.fail(format!("there is no external {slot}")),
            },
        })
    }

    /// Whether all that lies from the first to the second byte behind a base, in all steps of the scans around, is
    /// there, and so is an element from the second one on.
    fn reaches(&self, base: &Base, (least, greatest): (i64, i64), kind: Kind) -> Result<(), LoopError> {
        let (mut least, mut greatest) = (base.offset + least, base.offset + greatest + kind.bytes());
        for (step, factor) in &base.steps {
            let reach = factor * (self.trip(*step)? - 1);
            (least, greatest) = (least + reach.min(0), greatest + reach.max(0));
        }
        if least < 0 || greatest > self.place(base)? {
            return self.fail(format!("bytes {least} to {greatest} of {base} are not there"));
        }
        Ok(())
    }

    fn constants(&self) -> Result<(), LoopError> {
        for constant in &self.module.constants {
            let (count, bytes) = match &constant.value.data {
                ConstData::Float(values) => {
                    (values.len(), elem_bytes(crate::ir::Elem::Float, false, self.module.precision))
                }
                ConstData::Int(values) => {
                    (values.len(), if values.iter().all(|value| i32::try_from(*value).is_ok()) { 4 } else { 8 })
                }
                ConstData::Bool(values) => (values.len(), 1),
            };
            if constant.offset + count * bytes > self.module.constant_bytes {
                return self.fail(format!("the constant at {} is longer than its memory", constant.offset));
            }
        }
        Ok(())
    }
}
