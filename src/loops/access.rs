//! A stage of a plan with numbers only: every subscript becomes an address that is linear in the indices.
//!
//! Indices of size 1 are left out and indices that always go together are made one, so that what was a
//! matrix to the user is a run of elements to the loops.

use super::LoopError;
use super::ir::{Base, BasePlace, Kind, Param};
use crate::ir::program::Precision;
use crate::ir::{Affine, BinaryOp, Combine, Elem, Loop, Scalar, ScalarId, StepId, Sub, UnaryOp, Var};
use crate::plan::{Place, Plan, Stage, View};
use std::collections::HashMap;

/// `constant + Σ coefficient · index + Σ factor · scan counter`.
#[derive(Clone, PartialEq, Debug)]
pub struct Form {
    pub coefficients: Vec<i64>,
    pub steps: Vec<(StepId, i64)>,
    pub constant: i64,
}

/// Where an element is. Outside of `checks` a read gives 0 and a write is left out.
#[derive(Clone, PartialEq, Debug)]
pub struct Access {
    pub param: u32,
    /// In elements.
    pub form: Form,
    /// Ints of the body and what they are multiplied by.
    pub values: Vec<(ScalarId, i64)>,
    pub checks: Vec<Check>,
}

/// `0 <= form < size`, or the same of a value.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    pub form: Form,
    pub value: Option<ScalarId>,
    pub size: i64,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    Float(f64),
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
#[derive(Clone, Debug)]
pub struct Work {
    pub sizes: Vec<i64>,
    pub shared: usize,
    /// For each index, whether the write does not use it.
    pub reduced: Vec<bool>,
    pub nodes: Vec<Node>,
    pub kinds: Vec<Kind>,
    pub result: ScalarId,
    pub combine: Combine,
    pub accumulate: bool,
    pub write: Access,
    pub target_kind: Kind,
    /// The number of a point among the reduced indices.
    pub reduced_number: Form,
    /// Whether no two points of the unreduced indices write to one element.
    pub injective: bool,
    /// Whether every element of the target is written.
    pub covering: bool,
    /// Whether the target is in private memory.
    pub private_target: bool,
    /// Axes of the target, for filling it: size and stride in elements.
    pub target_axes: Vec<(i64, i64)>,
    /// For each axis of the target, the shared index that it is written by.
    pub target_shared: Vec<Option<usize>>,
    pub target_param: u32,
}

/// The parameters of a kernel in the making.
pub struct Params<'p> {
    plan: &'p Plan,
    scratch_start: i64,
    pieces: usize,
    pub bases: Vec<Base>,
    pub params: Vec<Param>,
    /// Where each parameter's buffer lies: what kind of memory, from which byte to which.
    extents: Vec<(BasePlace, i64, i64)>,
    /// Scan counters that are used as numbers.
    pub steps: Vec<StepId>,
    /// How many steps each scan around has.
    trips: HashMap<StepId, i64>,
    /// Parameters in private memory.
    pub is_scratch: Vec<bool>,
}

/// The kind of an element in memory.
pub fn kind_of(elem: Elem, precision: Precision) -> Kind {
    match (elem, precision) {
        (Elem::Float, Precision::F32) => Kind::F32,
        (Elem::Float, Precision::F64) => Kind::F64,
        (Elem::Int, _) => Kind::I32,
        (Elem::Bool, _) => Kind::Bool,
    }
}

impl Form {
    pub fn number(rank: usize, constant: i64) -> Form {
        Form { coefficients: vec![0; rank], steps: Vec::new(), constant }
    }

    fn from_affine(affine: &Affine, rank: usize) -> Result<Form, LoopError> {
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
        match self.steps.iter_mut().find(|(own, _)| *own == step) {
            Some((_, own)) => *own += factor,
            None => self.steps.push((step, factor)),
        }
    }

    fn add_scaled(&mut self, other: &Form, factor: i64) {
        self.coefficients.iter_mut().zip(&other.coefficients).for_each(|(own, its)| *own += its * factor);
        other.steps.iter().for_each(|(step, its)| self.add_step(*step, its * factor));
        self.constant += other.constant * factor;
    }

    /// The least and the greatest value.
    pub fn bounds(&self, sizes: &[i64], trips: &HashMap<StepId, i64>) -> (i64, i64) {
        let (mut least, mut greatest) = (self.constant, self.constant);
        let of_indices = self.coefficients.iter().copied().zip(sizes.iter().copied());
        let of_steps =
            self.steps.iter().map(|(step, factor)| (*factor, trips.get(step).copied().unwrap_or(1)));
        for (factor, size) in of_indices.chain(of_steps) {
            let reach = factor * (size - 1);
            least += reach.min(0);
            greatest += reach.max(0);
        }
        (least, greatest)
    }
}

impl<'p> Params<'p> {
    /// `scratch_start`: the byte of the arena where the private memory of piece 0 begins.
    pub fn new(plan: &'p Plan, scratch_start: i64, pieces: usize, trips: HashMap<StepId, i64>) -> Params<'p> {
        Params {
            plan,
            scratch_start,
            pieces,
            bases: Vec::new(),
            params: Vec::new(),
            extents: Vec::new(),
            steps: Vec::new(),
            trips,
            is_scratch: Vec::new(),
        }
    }

    pub fn kind(&self, view: &View) -> Kind {
        kind_of(self.plan.buffers[view.buffer.0 as usize].elem, self.plan.precision)
    }

    pub fn trips(&self) -> &HashMap<StepId, i64> {
        &self.trips
    }

    /// The parameter for a view whose first element lies `offset` elements further, moving with `steps`.
    pub fn param(&mut self, view: &View, offset: i64, steps: &[(StepId, i64)]) -> Result<u32, LoopError> {
        let kind = self.kind(view);
        let (base, extent) = base_of(self.plan, self.scratch_start, view, offset, steps)?;
        if let Some(at) =
            (0..self.bases.len()).find(|&at| self.bases[at] == base && self.params[at].kind == kind)
        {
            return Ok(at as u32);
        }
        let buffer = &self.plan.buffers[view.buffer.0 as usize];
        let is_scratch = matches!(buffer.place, Place::Scratch(_));
        let piece_stride = if is_scratch && self.pieces > 1 { scratch_stride(self.plan) } else { 0 };
        self.bases.push(base);
        self.params.push(Param { kind, written: false, piece_stride });
        self.extents.push(extent);
        self.is_scratch.push(is_scratch);
        Ok(self.bases.len() as u32 - 1)
    }

    /// Takes over the parameters of another kernel.
    pub fn adopt(&mut self, other: &Params<'_>) {
        self.bases = other.bases.clone();
        self.params = other.params.clone();
        self.extents = other.extents.clone();
        self.is_scratch = other.is_scratch.clone();
    }

    /// For each parameter, those whose memory may overlap its own.
    pub fn aliases(&self) -> Vec<Vec<u32>> {
        let overlap =
            |a: &(BasePlace, i64, i64), b: &(BasePlace, i64, i64)| a.0 == b.0 && a.1 < b.2 && b.1 < a.2;
        let all = 0..self.extents.len();
        all.clone()
            .map(|a| {
                let overlapping = all.clone().filter(|&b| overlap(&self.extents[a], &self.extents[b]));
                overlapping.map(|b| b as u32).collect()
            })
            .collect()
    }
}

/// Bytes from one piece's private memory to the next one's.
pub fn scratch_stride(plan: &Plan) -> i64 {
    plan.scratch_bytes.next_multiple_of(64) as i64
}

/// The address of an element of a view, and which bytes its buffer occupies.
pub fn base_of(
    plan: &Plan,
    scratch_start: i64,
    view: &View,
    offset: i64,
    steps: &[(StepId, i64)],
) -> Result<(Base, (BasePlace, i64, i64)), LoopError> {
    let buffer = &plan.buffers[view.buffer.0 as usize];
    let bytes = kind_of(buffer.elem, plan.precision).bytes();
    let len = buffer.len as i64 * bytes;
    let (place, start) = match &buffer.place {
        Place::Arena(at) => (BasePlace::Arena, *at as i64),
        Place::Scratch(at) => (BasePlace::Arena, scratch_start + *at as i64),
        Place::External(slot) => (BasePlace::External(*slot), 0),
        Place::Const(value) => (BasePlace::Constants, constant_offset(plan, value)?),
    };
    let mut all_steps: Vec<(StepId, i64)> = Vec::new();
    for (step, factor) in view.step_strides.iter().chain(steps) {
        match all_steps.iter_mut().find(|(own, _)| own == step) {
            Some((_, own)) => *own += factor * bytes,
            None => all_steps.push((*step, factor * bytes)),
        }
    }
    all_steps.retain(|(_, factor)| *factor != 0);
    all_steps.sort_by_key(|(step, _)| *step);
    let base = Base { place, offset: start + (view.offset + offset) * bytes, steps: all_steps };
    Ok((base, (place, start, start + len.max(1))))
}

/// The byte at which a constant starts among all constants of the plan, in order of the buffers.
fn constant_offset(plan: &Plan, wanted: &std::sync::Arc<crate::ir::Const>) -> Result<i64, LoopError> {
    constants(plan)
        .into_iter()
        .find(|(_, value, _)| std::sync::Arc::ptr_eq(value, wanted))
        .map(|(offset, _, _)| offset as i64)
        .ok_or_else(|| LoopError("a constant has no place".into()))
}

/// Every constant with its offset and length in bytes.
pub fn constants(plan: &Plan) -> Vec<(usize, &std::sync::Arc<crate::ir::Const>, usize)> {
    let mut end = 0;
    let mut all: Vec<(usize, &std::sync::Arc<crate::ir::Const>, usize)> = Vec::new();
    for buffer in &plan.buffers {
        if let Place::Const(value) = &buffer.place
            && !all.iter().any(|(_, own, _)| std::sync::Arc::ptr_eq(own, value))
        {
            let len = buffer.len * kind_of(buffer.elem, plan.precision).bytes() as usize;
            all.push((end, value, len));
            end += len.next_multiple_of(64);
        }
    }
    all
}

/// Brings a stage into normal form.
pub fn normalise(stage: &Stage, shared: usize, params: &mut Params<'_>) -> Result<Work, LoopError> {
    let body: &Loop = &stage.body;
    let rank = body.domain.len();
    let mut sizes = Vec::with_capacity(rank);
    for dim in &body.domain {
        sizes.push(dim.as_number().ok_or_else(|| LoopError(format!("the size {dim} is not a number")))?);
    }
    let precision = params.plan.precision;
    let read_elem =
        |operand: u32| params.plan.buffers[stage.operands[operand as usize].buffer.0 as usize].elem;
    let mut elems: Vec<Elem> = Vec::with_capacity(body.body.nodes.len());
    for scalar in &body.body.nodes {
        let elem_of = |id: &ScalarId| elems[id.0 as usize];
        elems.push(match scalar {
            Scalar::Float(_) => Elem::Float,
            Scalar::Int(_) | Scalar::Affine(_) => Elem::Int,
            Scalar::Bool(_) => Elem::Bool,
            Scalar::Read { operand, .. } => read_elem(*operand),
            Scalar::Unary(op, a) => op.result(elem_of(a)).ok_or_else(|| mistyped(op.name()))?,
            Scalar::Binary(op, a, _) => op.result(elem_of(a)).ok_or_else(|| mistyped(op.name()))?,
            Scalar::Select(_, a, _) => elem_of(a),
            Scalar::WithSlope { value, .. } => elem_of(value),
        });
    }
    let kinds: Vec<Kind> = elems.iter().map(|elem| kind_of(*elem, precision)).collect();
    let mut nodes = Vec::with_capacity(body.body.nodes.len());
    for scalar in &body.body.nodes {
        nodes.push(match scalar {
            Scalar::Float(value) => Node::Float(value.0),
            Scalar::Int(value) => Node::Int(*value),
            Scalar::Bool(value) => Node::Bool(*value),
            Scalar::Affine(affine) => {
                let form = Form::from_affine(affine, rank)?;
                note_steps(params, &form);
                Node::Form(form)
            }
            Scalar::Read { operand, subs, padded } => {
                let view = &stage.operands[*operand as usize];
                Node::Read(access(view, subs, *padded, &sizes, params)?)
            }
            Scalar::Unary(UnaryOp::Stop, a) => Node::Same(*a),
            Scalar::Unary(op, a) => Node::Unary(*op, *a),
            Scalar::Binary(op, a, b) => Node::Binary(*op, *a, *b),
            Scalar::Select(c, a, b) => Node::Select(*c, *a, *b),
            Scalar::WithSlope { value, .. } => Node::Same(*value),
        });
    }
    let write = access(&stage.target, &body.write, body.dropping, &sizes, params)?;
    let reduced = reduced_indices(body, rank);
    let mut reduced_number = Form::number(rank, 0);
    let mut factor = 1;
    for index in (0..rank).rev().filter(|&index| reduced[index]) {
        reduced_number.coefficients[index] = factor;
        factor *= sizes[index];
    }
    let (injective, covering) = coverage(body, &sizes, &stage.target.shape);
    let target_param = params.param(&stage.target, 0, &[])?;
    params.params[write.param as usize].written = true;
    let mut work = Work {
        sizes,
        shared,
        reduced,
        nodes,
        kinds,
        result: body.body.result,
        combine: body.combine,
        accumulate: stage.accumulate,
        write,
        target_kind: params.kind(&stage.target),
        reduced_number,
        injective,
        covering: covering && !body.dropping,
        private_target: params.is_scratch[target_param as usize],
        target_axes: stage.target.shape.iter().copied().zip(stage.target.strides.iter().copied()).collect(),
        target_shared: (0..body.write.len())
            .map(|axis| body.write_index(axis).filter(|index| *index < shared))
            .collect(),
        target_param,
    };
    if work.covering && work.write.checks.is_empty() {
        // The place of a whole target is the place of its first write.
        work.target_param = work.write.param;
    }
    Ok(work)
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

fn access(
    view: &View,
    subs: &[Sub],
    guarded: bool,
    sizes: &[i64],
    params: &mut Params<'_>,
) -> Result<Access, LoopError> {
    let rank = sizes.len();
    let mut form = Form::number(rank, 0);
    let mut values = Vec::new();
    let mut checks = Vec::new();
    for ((sub, stride), size) in subs.iter().zip(&view.strides).zip(&view.shape) {
        match sub {
            Sub::Affine(affine) => {
                let own = Form::from_affine(affine, rank)?;
                form.add_scaled(&own, *stride);
                let (least, greatest) = own.bounds(sizes, &params.trips);
                if guarded && (least < 0 || greatest >= *size) {
                    checks.push(Check { form: own, value: None, size: *size });
                }
            }
            Sub::Value(value) => {
                values.push((*value, *stride));
                if guarded {
                    checks.push(Check { form: Form::number(rank, 0), value: Some(*value), size: *size });
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
        let mut own = vec![false; rank];
        scalar.for_each_operand(|id| {
            own.iter_mut().zip(&depends[id.0 as usize]).for_each(|(own, its)| *own |= its);
        });
        let mut mark = |affine: &Affine| mark_indices(affine, &mut own);
        match scalar {
            Scalar::Affine(affine) => mark(affine),
            Scalar::Read { subs, .. } => subs.iter().for_each(|sub| {
                if let Sub::Affine(affine) = sub {
                    mark(affine);
                }
            }),
            _ => {}
        }
        depends.push(own);
    }
    let mut used = vec![false; rank];
    for sub in &body.write {
        match sub {
            Sub::Affine(affine) => mark_indices(affine, &mut used),
            Sub::Value(id) => {
                used.iter_mut().zip(&depends[id.0 as usize]).for_each(|(own, its)| *own |= its);
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

/// Whether writes are to distinct elements, and whether they are to all.
fn coverage(body: &Loop, sizes: &[i64], shape: &[i64]) -> (bool, bool) {
    let mut taken = vec![false; sizes.len()];
    let (mut injective, mut covering) = (true, true);
    for (sub, size) in body.write.iter().zip(shape) {
        let Sub::Affine(affine) = sub else { return (false, false) };
        let indices: Vec<usize> = affine
            .terms
            .iter()
            .filter_map(|(var, _)| match var {
                Var::Index(index) => Some(*index as usize),
                Var::Step(_) => None,
            })
            .collect();
        match indices.as_slice() {
            [] => covering &= *size == 1,
            [index] if !taken[*index] => {
                taken[*index] = true;
                covering &= affine.as_index().is_some() && sizes[*index] == *size;
            }
            _ => (injective, covering) = (false, false),
        }
    }
    (injective, covering && injective)
}

impl Work {
    /// Calls `visit` with everything that is linear in the indices.
    fn for_each_form(&mut self, mut visit: impl FnMut(&mut Form)) {
        let visit_access = |access: &mut Access, visit: &mut dyn FnMut(&mut Form)| {
            visit(&mut access.form);
            access.checks.iter_mut().for_each(|check| visit(&mut check.form));
        };
        for node in &mut self.nodes {
            match node {
                Node::Form(form) => visit(form),
                Node::Read(access) => visit_access(access, &mut visit),
                _ => {}
            }
        }
        visit_access(&mut self.write, &mut visit);
        visit(&mut self.reduced_number);
    }

    fn drop_index(&mut self, index: usize) {
        self.sizes.remove(index);
        self.reduced.remove(index);
        self.for_each_form(|form| {
            form.coefficients.remove(index);
        });
    }

    /// Whether index `at + 1` runs on where index `at` steps, in everything.
    fn mergeable(&mut self, at: usize) -> bool {
        if self.reduced[at] != self.reduced[at + 1] || at + 1 == self.shared {
            return false;
        }
        let size = self.sizes[at + 1];
        let mut fits = true;
        self.for_each_form(|form| {
            fits &= form.coefficients[at] == size * form.coefficients[at + 1];
        });
        fits
    }
}

/// Leaves out indices of size 1 and joins indices, in all stages of a nest alike.
pub fn simplify(stages: &mut [Work]) {
    for stage in stages.iter_mut() {
        for index in (stage.shared..stage.sizes.len()).rev() {
            if stage.sizes[index] == 1 {
                stage.drop_index(index);
            }
        }
        for at in (stage.shared..stage.sizes.len().saturating_sub(1)).rev() {
            if stage.mergeable(at) {
                merge(stage, at);
            }
        }
    }
    let shared = stages[0].shared;
    for index in (0..shared).rev() {
        if stages.iter().all(|stage| stage.sizes[index] == 1) {
            for stage in stages.iter_mut() {
                stage.shared -= 1;
                stage.drop_index(index);
            }
        }
    }
    for at in (0..stages[0].shared.saturating_sub(1)).rev() {
        if stages.iter_mut().all(|stage| stage.mergeable(at)) {
            for stage in stages.iter_mut() {
                merge(stage, at);
                stage.shared -= 1;
            }
        }
    }
}

fn merge(stage: &mut Work, at: usize) {
    stage.sizes[at] *= stage.sizes[at + 1];
    stage.sizes[at + 1] = stage.sizes[at];
    stage.drop_index(at);
}
