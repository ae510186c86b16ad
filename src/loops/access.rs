//! A stage of a plan with numbers only: every subscript becomes an address that is linear in the indices.
//!
//! Indices of size 1 are left out and indices that always go together are made one, so that what was a
//! matrix to the user is a run of elements to the loops.

use super::LoopError;
use super::ir::Kind;
use super::params::{Params, kind_of};
use super::trips::Trips;
use crate::ir::ranges::{self, OfBody, Range};
use crate::ir::recognise::Scatter;
use crate::ir::{Affine, BinaryOp, Combine, Elem, Loop, Number, Scalar, ScalarId, StepId, Sub, UnaryOp, Var};
use crate::plan::{self, Stage, View};

/// `constant + Σ coefficient · index + Σ factor · scan counter`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Form {
    pub coefficients: Vec<i64>,
    pub steps: Vec<(StepId, i64)>,
    pub constant: i64,
}

/// The place of an element. Where a check does not hold, a read gives 0 and a write is left out.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Access {
    pub param: u32,
    /// In elements.
    pub form: Form,
    /// Ints of the body and what they are multiplied by.
    pub values: Vec<(ScalarId, i64)>,
    pub checks: Vec<Check>,
}

/// `0 <= form < size`, or the same of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Check {
    pub form: Form,
    /// The constant of the form with what the counters of scans add, at the least and at the most.
    pub constant: (i64, i64),
    pub value: Option<ScalarId>,
    pub size: i64,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    Float(Number),
    Int(i64),
    Bool(bool),
    Form(Form),
    Read(Access),
    Unary(UnaryOp, ScalarId),
    Binary(BinaryOp, ScalarId, ScalarId),
    Select(ScalarId, ScalarId, ScalarId),
    /// The same as another.
    Same(ScalarId),
}

/// A stage ready to be scheduled.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Work {
    pub sizes: Vec<i64>,
    pub shared: usize,
    /// For each index, whether the write does not use it.
    pub reduced: Vec<bool>,
    pub nodes: Vec<Node>,
    pub kinds: Vec<Kind>,
    /// Operations on ints whose result may leave 64 bits.
    pub open: Vec<bool>,
    /// Whether combining the values may leave 64 bits.
    pub open_combine: bool,
    pub result: ScalarId,
    pub combine: Combine,
    pub accumulate: bool,
    pub write: Access,
    pub target_kind: Kind,
    /// The number of a point among the reduced indices.
    pub reduced_number: Form,
    /// Whether no two points of the unreduced indices write to one element.
    pub injective: bool,
    /// Whether computed subscripts name the elements that it writes, which may name one several times.
    pub is_scatter: bool,
    /// Whether every element of the target is written.
    pub covering: bool,
    /// Whether the target is in private memory.
    pub private_target: bool,
    /// Axes of the target, for filling it: size and stride in elements.
    pub target_axes: Vec<(i64, i64)>,
    /// For each axis of the target, the shared index that divides it, as [`plan::divided_axes`] has it.
    pub target_shared: Vec<Option<usize>>,
    pub target_param: u32,
}

impl Work {
    /// Whether it has ints that 32 bits may not hold.
    pub fn is_long(&self) -> bool {
        self.target_kind == Kind::I64 || self.kinds.contains(&Kind::I64) || self.is_open()
    }

    /// Whether an int may leave 64 bits.
    pub fn is_open(&self) -> bool {
        self.open_combine || self.open.contains(&true)
    }
}

impl Form {
    pub fn number(rank: usize, constant: i64) -> Form {
        Form { coefficients: vec![0; rank], steps: Vec::new(), constant }
    }

    pub fn from_affine(affine: &Affine, rank: usize) -> Result<Form, LoopError> {
        let number = |dim: &crate::ir::Dim| {
            dim.as_number().ok_or_else(|| LoopError(format!("the size {dim} is not a number")))
        };
        let mut form = Form::number(rank, number(&affine.constant)?);
        for (var, coefficient) in &affine.terms {
            match var {
                Var::Index(index) => form.coefficients[*index as usize] += number(coefficient)?,
                Var::Step(step) => form.add_step(*step, number(coefficient)?),
            }
        }
        Ok(form)
    }

    fn add_step(&mut self, step: StepId, factor: i64) {
        match self.steps.iter_mut().find(|(known, _)| *known == step) {
            Some((_, known)) => *known += factor,
            None => self.steps.push((step, factor)),
        }
    }

    fn add_scaled(&mut self, other: &Form, factor: i64) {
        self.coefficients.iter_mut().zip(&other.coefficients).for_each(|(mine, its)| *mine += its * factor);
        other.steps.iter().for_each(|(step, its)| self.add_step(*step, its * factor));
        self.constant += other.constant * factor;
    }

    /// The least and the greatest value.
    ///
    /// # Errors
    /// If it moves with a scan that is not around.
    pub fn bounds(&self, sizes: &[i64], trips: &Trips) -> Result<(i64, i64), LoopError> {
        let (mut least, mut greatest) = trips.bounds(self.constant, &self.steps)?;
        for (factor, size) in self.coefficients.iter().zip(sizes) {
            let reach = factor * (size - 1);
            least += reach.min(0);
            greatest += reach.max(0);
        }
        Ok((least, greatest))
    }
}

/// Brings a stage into normal form.
pub fn normalise(stage: &Stage, shared: usize, params: &mut Params<'_>) -> Result<Work, LoopError> {
    let body: &Loop = &stage.body;
    let rank = body.domain.len();
    let mut sizes = Vec::with_capacity(rank);
    for dim in &body.domain {
        sizes.push(dim.as_number().ok_or_else(|| LoopError(format!("the size {dim} is not a number")))?);
    }
    let (kinds, known) = kinds(stage, &sizes, params)?;
    let open_combine = is_open_combine(stage, &sizes, &known, params);
    let nodes = nodes(stage, &known, &sizes, params)?;
    let write = access(&stage.target, &body.write, body.dropping, &known.ranges, &sizes, params)?;
    let reduced = reduced_indices(body, rank);
    let mut reduced_number = Form::number(rank, 0);
    let mut factor = 1;
    for index in (0..rank).rev().filter(|&index| reduced[index]) {
        reduced_number.coefficients[index] = factor;
        factor *= sizes[index];
    }
    let plan::Coverage { injective, covering } = plan::coverage(body);
    let target_param = params.param(&stage.target, 0, &[])?;
    params.params[write.param as usize].written = true;
    let mut work = Work {
        sizes,
        shared,
        reduced,
        nodes,
        kinds,
        open: known.open,
        open_combine,
        result: body.body.result,
        combine: body.combine,
        accumulate: stage.accumulate,
        write,
        target_kind: params.kind(&stage.target),
        reduced_number,
        injective,
        is_scatter: Scatter::of(body).is_some(),
        covering,
        private_target: params.is_scratch[target_param as usize],
        target_axes: stage.target.shape.iter().copied().zip(stage.target.strides.iter().copied()).collect(),
        target_shared: plan::divided_axes(body, shared),
        target_param,
    };
    if work.covering && work.write.checks.is_empty() {
        // The place of a whole target is the place of its first write.
        work.target_param = work.write.param;
    }
    Ok(work)
}

/// What the numbers of the body are, and which operations on ints must be tested when they are carried out.
fn kinds(stage: &Stage, sizes: &[i64], params: &Params<'_>) -> Result<(Vec<Kind>, OfBody), LoopError> {
    let plan = params.plan();
    let buffer = |operand: u32| &plan.buffers[stage.operands[operand as usize].buffer.0 as usize];
    let trips = |step: StepId| params.trips().get(step);
    let known = ranges::of_body(&stage.body.body, sizes, &trips, &|operand| {
        (buffer(operand).elem, buffer(operand).range)
    });
    let mut elems: Vec<Elem> = Vec::with_capacity(stage.body.body.nodes.len());
    for scalar in &stage.body.body.nodes {
        let elem_of = |id: &ScalarId| elems[id.0 as usize];
        elems.push(match scalar {
            Scalar::Float(_) => Elem::Float,
            Scalar::Int(_) | Scalar::Affine(_) => Elem::Int,
            Scalar::Bool(_) => Elem::Bool,
            Scalar::Read { operand, .. } => buffer(*operand).elem,
            Scalar::Unary(op, a) => op.result(elem_of(a)).ok_or_else(|| mistyped(op.name()))?,
            Scalar::Binary(op, a, _) => op.result(elem_of(a)).ok_or_else(|| mistyped(op.name()))?,
            Scalar::Select(_, a, _) => elem_of(a),
            Scalar::WithSlope { value, .. } => elem_of(value),
        });
    }
    let kinds = elems.into_iter().zip(&known.ranges).zip(&stage.body.body.nodes);
    let kinds = kinds.map(|((elem, range), scalar)| match scalar {
        // What is read has the kind that it has in memory.
        Scalar::Read { operand, .. } => kind_of(elem, buffer(*operand).is_wide(), plan.precision),
        _ => kind_of(elem, elem == Elem::Int && !range.is_narrow(), plan.precision),
    });
    Ok((kinds.collect(), known))
}

/// Whether adding up or multiplying the values may leave 64 bits. What the target already holds is in its range.
fn is_open_combine(stage: &Stage, sizes: &[i64], known: &OfBody, params: &Params<'_>) -> bool {
    let target = &params.plan().buffers[stage.target.buffer.0 as usize];
    let body = &stage.body;
    if target.elem != Elem::Int || !matches!(body.combine, Combine::Add | Combine::Mul) {
        return false;
    }
    let (_, exact) = ranges::of_combined(body, known.ranges[body.body.result.0 as usize], sizes);
    !exact || stage.accumulate && target.range == Range::ALL
}

/// The body with addresses instead of subscripts.
fn nodes(
    stage: &Stage,
    known: &OfBody,
    sizes: &[i64],
    params: &mut Params<'_>,
) -> Result<Vec<Node>, LoopError> {
    let mut nodes = Vec::with_capacity(stage.body.body.nodes.len());
    for scalar in &stage.body.body.nodes {
        nodes.push(match scalar {
            Scalar::Float(value) => Node::Float(*value),
            Scalar::Int(value) => Node::Int(*value),
            Scalar::Bool(value) => Node::Bool(*value),
            Scalar::Affine(affine) => {
                let form = Form::from_affine(affine, sizes.len())?;
                note_steps(params, &form);
                Node::Form(form)
            }
            Scalar::Read { operand, subs, padded } => {
                let view = &stage.operands[*operand as usize];
                if view.shape.contains(&0) {
                    // Every element lies outside, and there is no memory in whose place a lane could read.
                    zero(params.plan().buffers[view.buffer.0 as usize].elem)
                } else {
                    Node::Read(access(view, subs, *padded, &known.ranges, sizes, params)?)
                }
            }
            Scalar::Unary(UnaryOp::Stop, a) => Node::Same(*a),
            Scalar::Unary(op, a) => Node::Unary(*op, *a),
            Scalar::Binary(op, a, b) => Node::Binary(*op, *a, *b),
            Scalar::Select(c, a, b) => Node::Select(*c, *a, *b),
            Scalar::WithSlope { value, .. } => Node::Same(*value),
        });
    }
    Ok(nodes)
}

fn zero(elem: Elem) -> Node {
    match elem {
        Elem::Float => Node::Float(Number(0.0)),
        Elem::Int => Node::Int(0),
        Elem::Bool => Node::Bool(false),
    }
}

fn mistyped(name: &str) -> LoopError {
    LoopError(format!("`{name}` of a type that it does not take"))
}

fn note_steps(params: &mut Params<'_>, form: &Form) {
    for (step, _) in &form.steps {
        if !params.steps.contains(step) {
            params.steps.push(*step);
        }
    }
}

/// An int that is not sure to lie within its axis is tested, whatever the program has proven: an int that has left
/// 64 bits ends the run with an error, but not before its kernel is done.
fn access(
    view: &View,
    subs: &[Sub],
    guarded: bool,
    ranges: &[Range],
    sizes: &[i64],
    params: &mut Params<'_>,
) -> Result<Access, LoopError> {
    let rank = sizes.len();
    let is_empty = sizes.contains(&0) || params.trips().is_empty();
    let mut form = Form::number(rank, 0);
    let mut values = Vec::new();
    let mut checks = Vec::new();
    for ((sub, stride), size) in subs.iter().zip(&view.strides).zip(&view.shape) {
        match sub {
            Sub::Affine(affine) => {
                let subscript = Form::from_affine(affine, rank)?;
                form.add_scaled(&subscript, *stride);
                let (least, greatest) = subscript.bounds(sizes, params.trips())?;
                let inside = least >= 0 && greatest < *size;
                if !guarded && !inside && !is_empty {
                    let text = format!("a subscript from {least} to {greatest} of an axis of {size}");
                    return Err(LoopError(text));
                }
                if guarded && !inside {
                    let constant = params.trips().bounds(subscript.constant, &subscript.steps)?;
                    checks.push(Check { form: subscript, constant, value: None, size: *size });
                }
            }
            Sub::Value(value) => {
                values.push((*value, *stride));
                let range = ranges[value.0 as usize];
                if guarded || range.least < 0 || range.greatest >= *size {
                    let form = Form::number(rank, 0);
                    checks.push(Check { form, constant: (0, 0), value: Some(*value), size: *size });
                }
            }
        }
    }
    form.steps.retain(|(_, factor)| *factor != 0);
    let param = if checks.is_empty() {
        let (offset, steps) = (std::mem::take(&mut form.constant), std::mem::take(&mut form.steps));
        params.param(view, offset, &steps)?
    } else {
        // Element 0 of the view is what is read instead of an element outside.
        note_steps(params, &form);
        checks.iter().for_each(|check| note_steps(params, &check.form));
        params.param(view, 0, &[])?
    };
    Ok(Access { param, form, values, checks })
}

fn reduced_indices(body: &Loop, rank: usize) -> Vec<bool> {
    let mut depends: Vec<Vec<bool>> = Vec::with_capacity(body.body.nodes.len());
    for scalar in &body.body.nodes {
        let mut varies = vec![false; rank];
        scalar.for_each_operand(|id| {
            varies.iter_mut().zip(&depends[id.0 as usize]).for_each(|(varies, its)| *varies |= its);
        });
        let mut mark = |affine: &Affine| mark_indices(affine, &mut varies);
        match scalar {
            Scalar::Affine(affine) => mark(affine),
            Scalar::Read { subs, .. } => subs.iter().for_each(|sub| {
                if let Sub::Affine(affine) = sub {
                    mark(affine);
                }
            }),
            _ => {}
        }
        depends.push(varies);
    }
    let mut used = vec![false; rank];
    for sub in &body.write {
        match sub {
            Sub::Affine(affine) => mark_indices(affine, &mut used),
            Sub::Value(id) => {
                used.iter_mut().zip(&depends[id.0 as usize]).for_each(|(used, its)| *used |= its);
            }
        }
    }
    used.into_iter().map(|used| !used).collect()
}

fn mark_indices(affine: &Affine, used: &mut [bool]) {
    for (var, _) in &affine.terms {
        if let Var::Index(index) = var {
            used[*index as usize] = true;
        }
    }
}
