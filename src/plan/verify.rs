//! What holds of every plan:
//!
//! 1. A buffer lies where there is room for it: in the arena, in the private memory of a worker, or in a tensor of
//!    the caller that has its type and size.
//! 2. A view has a stride for each axis, moves with scans around it only, and all its elements are in its buffer.
//! 3. A stage has an operand for each read and a subscript for each axis; the stages of a nest agree in the loops that
//!    they share, and all their sizes are numbers. Its scalars read scalars before them, and its subscripts and linear
//!    forms move with indices of its own loops and with scans around it only.
//! 4. Nothing is written to a constant or to a tensor that the caller lets be read only.
//! 5. The views of a product have its sizes.
//! 6. Scans have a counter of their own; there are pieces, at least one.
//! 7. What one iteration of an independent scan writes, no other touches: the memory of each, and its part of others.
//! 8. Buffers of the arena that are alive at the same time share no bytes, unless one takes over all of the other.

use super::memory::{Life, for_each_view, lives};
use super::{Buffer, BufferId, Gemm, Local, Nest, Place, Plan, PlanError, Rand, ScanSteps, Stage, Step, View};
use crate::ir::{Affine, Dim, Graph, Op, Scalar, StepId, Sub, Var};

/// Checks a plan.
///
/// # Errors
/// The first rule that is broken: a mistake of a pass of the planner.
pub fn verify(plan: &Plan) -> Result<(), PlanError> {
    let mut checker = Checker { plan, scans: Vec::new() };
    plan.buffers.iter().try_for_each(|buffer| checker.buffer(buffer))?;
    checker.steps(&plan.steps)?;
    checker.arena()
}

/// Whether all sizes and coefficients of a graph are numbers, as every pass of the planner believes.
///
/// # Errors
/// What is still open.
pub fn is_static(graph: &Graph) -> Result<(), PlanError> {
    let number = |size: &Dim| match size.as_number() {
        Some(_) => Ok(()),
        None => Err(PlanError::Open(size.to_string())),
    };
    let affine = |affine: &Affine| {
        number(&affine.constant)?;
        affine.terms.iter().try_for_each(|(_, coefficient)| number(coefficient))
    };
    for (_, node) in graph.nodes() {
        node.ty.shape.iter().try_for_each(number)?;
        match &node.op {
            Op::Loop(body) => {
                body.domain.iter().chain(&body.shape).try_for_each(number)?;
                body.body.affines().try_for_each(affine)?;
                for sub in &body.write {
                    if let Sub::Affine(subscript) = sub {
                        affine(subscript)?;
                    }
                }
            }
            Op::Scan(scan) => {
                number(&scan.trip)?;
                is_static(&scan.body)?;
            }
            _ => {}
        }
    }
    Ok(())
}

struct Checker<'p> {
    plan: &'p Plan,
    /// The scans around, with the number of their steps.
    scans: Vec<(StepId, i64)>,
}

fn fail<T>(what: impl std::fmt::Display) -> Result<T, PlanError> {
    Err(PlanError::Broken(format!("plan: {what}")))
}

impl Checker<'_> {
    fn bytes(&self, buffer: &Buffer) -> usize {
        buffer.len * buffer.elem_bytes(self.plan.precision)
    }

    /// Rule 1.
    fn buffer(&self, buffer: &Buffer) -> Result<(), PlanError> {
        match &buffer.place {
            // What no step touches has no place.
            Place::Arena(offset) if *offset + self.bytes(buffer) > self.plan.arena_bytes => {
                let is_used = self.is_used(buffer);
                if is_used { fail(format!("a buffer at {offset} of the arena is not in it")) } else { Ok(()) }
            }
            Place::Scratch(offset) if *offset + self.bytes(buffer) > self.plan.scratch_bytes => {
                fail(format!("a buffer at {offset} of private memory is not in it"))
            }
            Place::Arena(_) | Place::Scratch(_) => Ok(()),
            Place::Const(value) if value.shape.iter().product::<usize>() != buffer.len => {
                fail(format!("a constant of {:?} as {} elements", value.shape, buffer.len))
            }
            Place::Const(_) => Ok(()),
            Place::External(slot) => {
                let Some(external) = self.plan.externals.get(*slot as usize) else {
                    return fail(format!("there is no external {slot}"));
                };
                let count: usize = external.shape.iter().product();
                if (external.elem, external.wide, count) != (buffer.elem, buffer.is_wide(), buffer.len) {
                    return fail(format!("the buffer of `{}` is of another type or size", external.name));
                }
                Ok(())
            }
        }
    }

    fn is_used(&self, buffer: &Buffer) -> bool {
        let lives = lives(self.plan.buffers.len(), &self.plan.steps);
        self.plan.buffers.iter().zip(lives).any(|(other, life)| std::ptr::eq(other, buffer) && life.is_some())
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), PlanError> {
        for step in steps {
            for_each_view_checked(step, &mut |view, written| self.view(view, written))?;
            match step {
                Step::Nest(nest) => self.nest(nest)?,
                Step::Gemm(gemm) => self.gemm(gemm)?,
                Step::Rand(Rand { target, step_axes, .. }) => {
                    if *step_axes > target.shape.len() {
                        return fail("random numbers over more scans than they have axes");
                    }
                }
                Step::Scan(scan) => {
                    if scan.trip < 0 || self.scans.iter().any(|(step, _)| *step == scan.step) {
                        return fail(format!("the scan t{} of {} steps", scan.step.0, scan.trip));
                    }
                    if let Some(local) = scan.local {
                        self.independent(scan, local)?;
                    }
                    self.scans.push((scan.step, scan.trip));
                    self.steps(&scan.steps)?;
                    self.scans.pop();
                }
            }
        }
        Ok(())
    }

    /// Rule 7.
    fn independent(&self, scan: &ScanSteps, local: Local) -> Result<(), PlanError> {
        if !self.scans.is_empty() || local.start + local.bytes > self.plan.arena_bytes {
            return fail(format!("the memory of the iterations of scan t{}", scan.step.0));
        }
        let is_local = |id: BufferId| match self.plan.buffers[id.0 as usize].place {
            Place::Arena(offset) => (local.start..local.start + local.bytes).contains(&offset),
            Place::Scratch(_) => true,
            Place::External(_) | Place::Const(_) => false,
        };
        let mut written: Vec<BufferId> = Vec::new();
        for_each_view_of(&scan.steps, &mut |view, is_written| {
            if is_written && !is_local(view.buffer) {
                written.push(view.buffer);
            }
        });
        let mut outcome = Ok(());
        for_each_view_of(&scan.steps, &mut |view, _| {
            if !written.contains(&view.buffer) {
                return;
            }
            let part: i64 =
                view.step_strides.iter().filter(|(step, _)| *step == scan.step).map(|(_, by)| by).sum();
            let axes = view.shape.iter().copied().zip(view.strides.iter().copied());
            let (least, greatest) = reach(view.offset, axes);
            if least < 0 || greatest >= part {
                outcome = fail(format!(
                    "iterations of scan t{} share elements of buffer {}",
                    scan.step.0, view.buffer.0
                ));
            }
        });
        outcome
    }

    /// Rules 2 and 4.
    fn view(&self, view: &View, is_written: bool) -> Result<(), PlanError> {
        let Some(buffer) = self.plan.buffers.get(view.buffer.0 as usize) else {
            return fail(format!("there is no buffer {}", view.buffer.0));
        };
        if view.strides.len() != view.shape.len() {
            return fail(format!("a view of {} axes with {} strides", view.shape.len(), view.strides.len()));
        }
        let mut axes: Vec<(i64, i64)> =
            view.shape.iter().copied().zip(view.strides.iter().copied()).collect();
        for (step, stride) in &view.step_strides {
            match self.scans.iter().find(|(other, _)| other == step) {
                Some((_, trip)) => axes.push((*trip, *stride)),
                None => return fail(format!("a view moves with t{}, which is no scan around it", step.0)),
            }
        }
        let is_empty = axes.iter().any(|(size, _)| *size <= 0);
        let (least, greatest) = reach(view.offset, axes.iter().copied());
        if !is_empty && (least < 0 || greatest >= buffer.len as i64) {
            return fail(format!("elements {least} to {greatest} of a buffer of {}", buffer.len));
        }
        match &buffer.place {
            Place::Const(_) if is_written => fail("a constant is written"),
            Place::External(slot) if is_written && !self.plan.externals[*slot as usize].written => {
                fail(format!("`{}` is written, which is read only", self.plan.externals[*slot as usize].name))
            }
            Place::Const(_) | Place::External(_) | Place::Arena(_) | Place::Scratch(_) => Ok(()),
        }
    }

    /// Rule 3.
    fn nest(&self, nest: &Nest) -> Result<(), PlanError> {
        if nest.pieces == 0 {
            return fail(format!("`{}` in no pieces", nest.name.text));
        }
        let mut shared: Option<Vec<i64>> = None;
        for stage in &nest.stages {
            let sizes = self.stage(stage)?;
            let Some(first) = sizes.get(..nest.shared) else {
                return fail(format!("`{}` shares more loops than a stage has", nest.name.text));
            };
            match &shared {
                Some(shared) if shared != first => {
                    return fail(format!("the stages of `{}` share loops of other sizes", nest.name.text));
                }
                Some(_) => {}
                None => shared = Some(first.to_vec()),
            }
        }
        Ok(())
    }

    /// The sizes of the loops of a stage.
    fn stage(&self, stage: &Stage) -> Result<Vec<i64>, PlanError> {
        let body = &stage.body;
        for (at, scalar) in body.body.nodes.iter().enumerate() {
            let mut is_before = true;
            scalar.for_each_operand(|id| is_before &= (id.0 as usize) < at);
            if !is_before {
                return fail(format!("scalar {at} of a stage depends on one that comes later"));
            }
            scalar.affines().try_for_each(|affine| self.affine(affine, body.domain.len()))?;
            let Scalar::Read { operand, subs, .. } = scalar else { continue };
            match stage.operands.get(*operand as usize) {
                Some(view) if view.shape.len() == subs.len() => {}
                Some(view) => return fail(format!("{} subscripts of {} axes", subs.len(), view.shape.len())),
                None => return fail(format!("a stage without operand {operand}")),
            }
        }
        if body.write.len() != stage.target.shape.len() {
            return fail(format!("{} subscripts of {} axes", body.write.len(), stage.target.shape.len()));
        }
        for sub in &body.write {
            match sub {
                Sub::Affine(affine) => self.affine(affine, body.domain.len())?,
                Sub::Value(id) if (id.0 as usize) < body.body.nodes.len() => {}
                Sub::Value(id) => return fail(format!("a write to the value of scalar {}, which is not there", id.0)),
            }
        }
        let sizes: Option<Vec<i64>> = body.domain.iter().map(|size| size.as_number()).collect();
        match sizes {
            Some(sizes) => Ok(sizes),
            None => fail("a loop whose size has no number"),
        }
    }

    /// A linear form of a stage with some loops.
    fn affine(&self, affine: &Affine, n_indices: usize) -> Result<(), PlanError> {
        affine.terms.iter().try_for_each(|(var, _)| match var {
            Var::Index(index) if (*index as usize) < n_indices => Ok(()),
            Var::Index(index) => fail(format!("a subscript with i{index}, in {n_indices} loops")),
            Var::Step(step) if self.scans.iter().any(|(around, _)| around == step) => Ok(()),
            Var::Step(step) => fail(format!("a subscript moves with t{}, which is no scan around it", step.0)),
        })
    }

    /// Rule 5.
    fn gemm(&self, gemm: &Gemm) -> Result<(), PlanError> {
        let all = gemm.sizes();
        for (operand, view) in gemm.views().into_iter().enumerate() {
            let sizes: Vec<i64> = gemm.places(operand).into_iter().map(|place| all[place]).collect();
            if view.shape != sizes {
                return fail(format!("a product of {sizes:?} with an operand of {:?}", view.shape));
            }
        }
        if gemm.pieces == 0 { fail(format!("`{}` in no pieces", gemm.name.text)) } else { Ok(()) }
    }

    /// Rule 7.
    fn arena(&self) -> Result<(), PlanError> {
        let lives = lives(self.plan.buffers.len(), &self.plan.steps);
        let mut placed: Vec<(usize, usize, Life)> = Vec::new();
        for (buffer, life) in self.plan.buffers.iter().zip(lives) {
            let (Place::Arena(offset), Some(life)) = (&buffer.place, life) else { continue };
            let end = offset + self.bytes(buffer);
            let clashes = |(from, to, other): &&(usize, usize, Life)| {
                *from < end && *offset < *to && life.meets(*other) && from != offset
            };
            if let Some((from, ..)) = placed.iter().find(clashes) {
                return fail(format!(
                    "buffers at {from} and {offset} of the arena are alive at the same time"
                ));
            }
            placed.push((*offset, end, life));
        }
        Ok(())
    }
}

/// Calls `visit` with the views of a step that is no scan, and whether it is written.
fn for_each_view_checked(
    step: &Step,
    visit: &mut dyn FnMut(&View, bool) -> Result<(), PlanError>,
) -> Result<(), PlanError> {
    if matches!(step, Step::Scan(_)) {
        return Ok(());
    }
    let mut outcome = Ok(());
    for_each_view(step, &mut |view, written| {
        if outcome.is_ok() {
            outcome = visit(view, written);
        }
    });
    outcome
}

/// The views of all steps of a list, and whether they are written.
fn for_each_view_of(steps: &[Step], visit: &mut dyn FnMut(&View, bool)) {
    steps.iter().for_each(|step| for_each_view(step, &mut |view, written| visit(view, written)));
}

/// The first and the last element that an access from an offset on reaches along axes of these sizes and strides.
fn reach(offset: i64, axes: impl Iterator<Item = (i64, i64)>) -> (i64, i64) {
    let ends = axes.map(|(size, stride)| (size - 1).max(0) * stride);
    ends.fold((offset, offset), |(least, greatest), end| (least + end.min(0), greatest + end.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;
    use crate::plan::{Options, plain};

    fn plan() -> Plan {
        let text = "\
%0 = input \"x\" : [70]
%1 = loop i0 < 70 : [i0] = mul(%0[i0], 2.0) : [70]
%2 = loop i0 < 70 : [i0] = add(%1[i0], %0[i0]) : [70]
out \"y\" = %2
";
        plain(&parse(text).unwrap(), Options::default()).unwrap()
    }

    /// Whether a mistake in the plan is noticed.
    fn is_wrong(mistake: impl FnOnce(&mut Plan)) -> bool {
        let mut plan = plan();
        mistake(&mut plan);
        verify(&plan).is_err()
    }

    fn stage(plan: &mut Plan) -> &mut Stage {
        match &mut plan.steps[0] {
            Step::Nest(nest) => &mut nest.stages[0],
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn broken_rules_are_noticed() {
        assert_eq!(verify(&plan()), Ok(()));
        assert!(is_wrong(|plan| plan.arena_bytes = 8));
        assert!(is_wrong(|plan| stage(plan).target.offset = 1));
        assert!(is_wrong(|plan| stage(plan).target.buffer = BufferId(99)));
        assert!(is_wrong(|plan| stage(plan).operands.clear()));
        assert!(is_wrong(|plan| stage(plan).target.step_strides.push((StepId(1), 1))));
        assert!(is_wrong(|plan| {
            let body = std::sync::Arc::make_mut(&mut stage(plan).body);
            body.write = vec![Sub::Affine(Affine::step(StepId(3)))];
        }));
        assert!(is_wrong(|plan| {
            let body = std::sync::Arc::make_mut(&mut stage(plan).body);
            body.write = vec![Sub::Affine(Affine::index(1))];
        }));
        // The input of the first stage is read only.
        assert!(is_wrong(|plan| {
            let stage = stage(plan);
            stage.target = stage.operands[0].clone();
        }));
    }

    #[test]
    fn what_is_open_has_no_plan() {
        let open = parse("%0 = input \"x\" : [batch]\nout \"y\" = %0\n").unwrap();
        assert!(matches!(plain(&open, Options::default()), Err(PlanError::Open(_))));
    }
}
