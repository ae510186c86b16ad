//! Updates only the rows of a table that have a gradient.
//!
//! The gradient of a gather is a scatter: it adds to few rows of a table as large as the parameter, and the
//! update of plain gradient descent leaves an element alone whose gradient is 0. So of
//!
//! ```text
//! t[·, ·] = 0; t[x[b], d] += g[b, d];      p[i, d] = p[i, d] - 0.1 * t[i, d]
//! ```
//!
//! the rows that no `x[b]` names need neither be cleared nor updated:
//!
//! ```text
//! t[x[b], d] = 0;      t[x[b], d] += g[b, d];      p[x[b], d] = p[x[b], d] - 0.1 * t[x[b], d]; t[x[b], d] = 0
//! ```
//!
//! A row that is named twice is updated at its first point and left alone at the second, where its gradient is 0
//! again. The sums are the same in the same order, so the bits are the same (for a finite rate, and but for the
//! sign of a parameter that is -0). Nothing here knows tables or optimisers: an update qualifies if its formula
//! with 0 in place of the gradient is the old value, which [`Value`] works out.

use super::address::{extents, leading_bare};
use super::touched::Touched;
use super::{BufferId, Nest, Place, Plan, Stage, Step, View};
use crate::ir::recognise::Scatter;
use crate::ir::{Affine, BinaryOp, Body, Combine, Loop, Number, Scalar, ScalarId, Sub, UnaryOp};
use std::collections::HashMap;
use std::sync::Arc;

/// By how much a table must be larger than what is added to it: a named row is written three times, in no order.
const LARGER: i64 = 4;

/// Replaces updates of whole tables by updates of rows where that leaves the same values.
pub(super) fn update_rows(plan: &mut Plan) {
    let mut scatter = 0;
    while scatter < plan.steps.len() {
        if let Some(update) = update_of(plan, scatter)
            && let Some((cleared, added, updated)) = rows_of(plan, scatter, update)
        {
            plan.steps[update] = Step::Nest(updated);
            plan.steps[scatter] = Step::Nest(added);
            plan.steps.insert(scatter, Step::Nest(cleared));
            scatter += 1;
        }
        scatter += 1;
    }
}

/// The one step beside a scatter that touches its target, after it.
fn update_of(plan: &Plan, scatter: usize) -> Option<usize> {
    let target = scattered_into(plan, scatter)?;
    match users(plan, target).as_slice() {
        [first, second] if *first == scatter => Some(*second),
        _ => None,
    }
}

/// The steps that touch a buffer.
fn users(plan: &Plan, buffer: BufferId) -> Vec<usize> {
    let touches = |step: &Step| {
        let Touched { reads, writes } = Touched::by(step);
        reads.contains(&buffer) || writes.contains(&buffer)
    };
    (0..plan.steps.len()).filter(|at| touches(&plan.steps[*at])).collect()
}

/// The one stage of a step.
fn only_stage(step: &Step) -> Option<(&Nest, &Stage)> {
    match step {
        Step::Nest(nest) => match nest.stages.as_slice() {
            [stage] => Some((nest, stage)),
            _ => None,
        },
        Step::Gemm(_) | Step::Rand(_) | Step::Scan(_) => None,
    }
}

/// The temporary that a step fills by adding to rows which computed subscripts name, much fewer than it has.
fn scattered_into(plan: &Plan, at: usize) -> Option<BufferId> {
    let (_, stage) = only_stage(&plan.steps[at])?;
    let buffer = &plan.buffers[stage.target.buffer.0 as usize];
    let is_whole = stage.target.offset == 0
        && stage.target.is_contiguous()
        && stage.target.step_strides.is_empty()
        && stage.target.count() == buffer.len as i64;
    let points: i64 = extents(&stage.body).iter().product();
    let fits = matches!(buffer.place, Place::Arena(_))
        && Scatter::of(&stage.body).is_some_and(|scatter| scatter.combine == Combine::Add)
        && !stage.accumulate
        && is_whole
        && leading_bare(&stage.body) > 0
        && points.saturating_mul(LARGER) <= buffer.len as i64;
    fits.then_some(stage.target.buffer)
}

/// The three steps that clear, add to and update the rows, if the second step is an update that leaves alone what
/// has no gradient.
fn rows_of(plan: &Plan, scatter: usize, update: usize) -> Option<(Nest, Nest, Nest)> {
    let (scatter_nest, added) = only_stage(&plan.steps[scatter])?;
    let (update_nest, whole) = only_stage(&plan.steps[update])?;
    let gradient = added.target.buffer;
    let bare: Vec<Sub> = (0..added.target.shape.len()).map(|axis| Sub::Affine(Affine::index(axis))).collect();
    let is_update = whole.body.combine == Combine::Set
        && !whole.body.dropping
        && whole.body.write == bare
        && extents(&whole.body) == added.target.shape
        && whole.target.shape == added.target.shape
        && whole.target.buffer != gradient;
    if !is_update || Value::of_update(whole, gradient, &bare)? != Value::Old {
        return None;
    }
    // What the subscripts are read from must still be there, and unchanged, at the update.
    let mut cleared = Rows::new(added);
    let subs = cleared.subscripts();
    let mut between = Touched::default();
    plan.steps[scatter..=update].iter().for_each(|step| between.extend(&Touched::by(step)));
    if cleared.operands.iter().any(|view| between.writes.contains(&view.buffer)) {
        return None;
    }
    let zero = cleared.add(Scalar::Float(Number(0.0)));
    let cleared = cleared.stage(subs, zero, &added.target);
    let mut updated = Rows::new(added);
    let subs = updated.subscripts();
    let value = updated.paste(whole, whole.body.body.result, Some(&subs), &mut HashMap::new());
    let updated = updated.stage(subs, value, &whole.target);
    let nest = |of: &Nest, shared: usize, stages: Vec<Stage>| Nest { shared, stages, ..of.clone() };
    let indices = added.body.domain.len();
    Some((
        nest(scatter_nest, scatter_nest.shared, vec![cleared.clone()]),
        nest(scatter_nest, scatter_nest.shared, vec![Stage { accumulate: true, ..added.clone() }]),
        nest(update_nest, indices, vec![updated, cleared]),
    ))
}

/// What a formula gives where the gradient is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    Zero,
    /// The old value of the element that is written.
    Old,
    /// Something that is the same for all elements, such as a rate.
    Same,
    Other,
}

impl Value {
    /// Of an update's result; `None` if it reads what depends on the element in another way.
    fn of_update(stage: &Stage, gradient: BufferId, bare: &[Sub]) -> Option<Value> {
        let mut values: Vec<Value> = Vec::with_capacity(stage.body.body.nodes.len());
        for scalar in &stage.body.body.nodes {
            let of = |id: &ScalarId| values[id.0 as usize];
            let value = match scalar {
                Scalar::Float(number) if number.0 == 0.0 => Value::Zero,
                Scalar::Float(number) if !number.0.is_finite() => return None,
                Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) => Value::Same,
                Scalar::Read { operand, subs, padded } => {
                    let view = &stage.operands[*operand as usize];
                    let is_constant = |sub: &Sub| match sub {
                        Sub::Affine(affine) => affine.terms.is_empty(),
                        Sub::Value(_) => false,
                    };
                    if view.buffer == gradient && subs == bare && !padded {
                        Value::Zero
                    } else if *view == stage.target && subs == bare && !padded {
                        Value::Old
                    } else if view.buffer != stage.target.buffer
                        && view.buffer != gradient
                        && !padded
                        && subs.iter().all(is_constant)
                    {
                        Value::Same
                    } else {
                        return None;
                    }
                }
                Scalar::Unary(UnaryOp::Neg, a) if of(a) == Value::Zero => Value::Zero,
                Scalar::Unary(_, a) if of(a) == Value::Same => Value::Same,
                Scalar::Binary(op, a, b) => Value::joined(*op, of(a), of(b)),
                Scalar::Affine(_) | Scalar::Unary(..) | Scalar::Select(..) | Scalar::WithSlope { .. } => {
                    Value::Other
                }
            };
            values.push(value);
        }
        Some(values[stage.body.body.result.0 as usize])
    }

    fn joined(op: BinaryOp, a: Value, b: Value) -> Value {
        match (op, a, b) {
            (BinaryOp::Mul, Value::Zero, Value::Zero | Value::Same) => Value::Zero,
            (BinaryOp::Mul, Value::Same, Value::Zero) => Value::Zero,
            (BinaryOp::Add | BinaryOp::Sub, Value::Zero, Value::Zero) => Value::Zero,
            (BinaryOp::Add | BinaryOp::Sub, Value::Old, Value::Zero) => Value::Old,
            (BinaryOp::Add, Value::Zero, Value::Old) => Value::Old,
            (_, Value::Same, Value::Same) => Value::Same,
            _ => Value::Other,
        }
    }
}

/// A loop over the points of a scatter, under construction.
struct Rows<'s> {
    scatter: &'s Stage,
    nodes: Vec<Scalar>,
    operands: Vec<View>,
}

impl<'s> Rows<'s> {
    fn new(scatter: &'s Stage) -> Rows<'s> {
        Rows { scatter, nodes: Vec::new(), operands: Vec::new() }
    }

    fn add(&mut self, scalar: Scalar) -> ScalarId {
        self.nodes.push(scalar);
        ScalarId(self.nodes.len() as u32 - 1)
    }

    /// The subscripts of the scatter's write.
    fn subscripts(&mut self) -> Vec<Sub> {
        self.paste_subs(self.scatter, &self.scatter.body.write, None, &mut HashMap::new())
    }

    fn paste_subs(
        &mut self,
        from: &Stage,
        subs: &[Sub],
        row: Option<&[Sub]>,
        known: &mut HashMap<ScalarId, ScalarId>,
    ) -> Vec<Sub> {
        let copy = |sub: &Sub| match sub {
            Sub::Affine(affine) => Sub::Affine(affine.clone()),
            Sub::Value(id) => Sub::Value(self.paste(from, *id, row, known)),
        };
        subs.iter().map(copy).collect()
    }

    /// Copies a scalar of a stage and what it needs. Elements at the point of the loop are read at `row`, if given.
    fn paste(
        &mut self,
        from: &Stage,
        id: ScalarId,
        row: Option<&[Sub]>,
        known: &mut HashMap<ScalarId, ScalarId>,
    ) -> ScalarId {
        if let Some(copy) = known.get(&id) {
            return *copy;
        }
        let scalar = match &from.body.body[id] {
            Scalar::Read { operand, subs, padded } => {
                let reads_element = |sub: &Sub| matches!(sub, Sub::Affine(affine) if !affine.terms.is_empty());
                let subs = match row {
                    Some(row) if subs.iter().any(reads_element) => row.to_vec(),
                    _ => self.paste_subs(from, subs, row, known),
                };
                let view = &from.operands[*operand as usize];
                let place = self.operands.iter().position(|other| other == view).unwrap_or_else(|| {
                    self.operands.push(view.clone());
                    self.operands.len() - 1
                });
                Scalar::Read { operand: place as u32, subs, padded: *padded }
            }
            other => other.map_operands(|id| self.paste(from, id, row, known)),
        };
        let copy = self.add(scalar);
        known.insert(id, copy);
        copy
    }

    /// `target[subs] = value` at every point. It may set an element several times, to the same value or in order.
    fn stage(self, subs: Vec<Sub>, value: ScalarId, target: &View) -> Stage {
        let body = Loop {
            domain: self.scatter.body.domain.clone(),
            shape: self.scatter.body.shape.clone(),
            write: subs,
            dropping: self.scatter.body.dropping,
            combine: Combine::Set,
            body: Body { nodes: self.nodes, result: value },
        };
        // The elements that no point names keep their values.
        Stage { body: Arc::new(body), operands: self.operands, target: target.clone(), accumulate: true }
    }
}
