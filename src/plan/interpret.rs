//! The reference interpreter of plans, for tests: executes a plan on plain memory, so that plans are tested without
//! native code.

use super::{BufferId, Gemm, Nest, Place, Plan, Rand, Stage, Step, View, divided_axes, fill_with_poison, identity};
use crate::base::philox::Draw;
use crate::ir::interpret::{compare, float_binary, float_unary, int_binary};
use crate::ir::program::Precision;
use crate::ir::{Affine, BinaryOp, Combine, ConstData, Elem, RandKind, Scalar, ScalarId, StepId, Sub};
use crate::ir::{UnaryOp, Var};

/// Carries out a plan. `externals` holds the caller's tensors by slot, as numbers (bools are 0 and 1), and is
/// updated in place. Temporaries share one arena of bytes, as in native code.
pub fn interpret(plan: &Plan, externals: &mut [Vec<f64>], seed: u64, training_step: u32) {
    let mut machine = Machine {
        plan,
        externals,
        arena: poisoned(plan.arena_bytes),
        scratch: poisoned(plan.scratch_bytes),
        steps: Vec::new(),
        draw: Draw { seed, stream: 0, step: training_step, scan_step: 0 },
    };
    machine.run(&plan.steps);
}

/// Bytes in which a read of what was never written shows.
fn poisoned(bytes: usize) -> Vec<u8> {
    let mut memory = vec![0; bytes];
    fill_with_poison(&mut memory);
    memory
}

struct Machine<'p> {
    plan: &'p Plan,
    externals: &'p mut [Vec<f64>],
    arena: Vec<u8>,
    scratch: Vec<u8>,
    /// The counters of the scans around, outermost first.
    steps: Vec<(StepId, i64)>,
    draw: Draw,
}

impl Machine<'_> {
    fn run(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Nest(nest) => self.nest(nest),
                Step::Gemm(gemm) => self.gemm(gemm),
                Step::Rand(rand) => self.rand(rand),
                Step::Scan(scan) => {
                    self.steps.push((scan.step, 0));
                    for at in 0..scan.trip {
                        let now = if scan.reverse { scan.trip - 1 - at } else { at };
                        self.steps.last_mut().expect("pushed above").1 = now;
                        self.run(&scan.steps);
                    }
                    self.steps.pop();
                }
            }
        }
    }

    fn nest(&mut self, nest: &Nest) {
        let sizes: Vec<i64> = sizes(&nest.stages[0])[..nest.shared].to_vec();
        if nest.pieces <= 1 {
            points(&sizes, |shared| nest.stages.iter().for_each(|stage| self.stage(stage, shared)));
            return;
        }
        // The tasks may run in any order. Running the last one first shows dependences between them.
        let pieces = (nest.pieces as i64).min(sizes[0].max(1));
        for piece in (0..pieces).rev() {
            let (from, to) = (piece * sizes[0] / pieces, (piece + 1) * sizes[0] / pieces);
            let mut part = sizes.clone();
            part[0] = to - from;
            points(&part, |shared| {
                let mut shared = shared.to_vec();
                shared[0] += from;
                nest.stages.iter().for_each(|stage| self.stage(stage, &shared));
            });
        }
    }

    /// One stage at one point of the shared loops.
    fn stage(&mut self, stage: &Stage, shared: &[i64]) {
        let body = &stage.body;
        let sizes = sizes(stage);
        let elem = self.buffer_elem(&stage.target);
        let target = &stage.target;
        let reduced: Vec<usize> =
            (0..sizes.len()).filter(|index| !body.write.iter().any(|sub| uses(sub, *index))).collect();
        if stage.needs_identity() {
            // The elements that belong to this point of the shared loops.
            let divided = divided_axes(body, shared.len());
            let at_shared = |axis: usize| divided[axis];
            let axes = 0..target.shape.len();
            let sizes: Vec<i64> =
                axes.clone().map(|axis| at_shared(axis).map_or(target.shape[axis], |_| 1)).collect();
            points(&sizes, |place| {
                let place: Vec<i64> = axes
                    .clone()
                    .map(|axis| at_shared(axis).map_or(place[axis], |index| shared[index]))
                    .collect();
                let at = self.address(target, &place);
                self.store(target.buffer, at, identity(body.combine, elem));
            });
        }
        let mut best: std::collections::HashMap<i64, f64> = Default::default();
        points(&sizes[shared.len()..], |rest| {
            let point: Vec<i64> = shared.iter().chain(rest).copied().collect();
            let mut values = vec![None; body.body.nodes.len()];
            let place: Vec<i64> =
                body.write.iter().map(|sub| self.sub(stage, sub, &point, &mut values)).collect();
            let inside = place.iter().zip(&target.shape).all(|(at, size)| (0..*size).contains(at));
            if !inside {
                assert!(body.dropping, "a write outside of {}: {place:?}", self.plan.name(target.buffer));
                return;
            }
            let value = self.scalar(stage, body.body.result, &point, &mut values);
            let at = self.address(target, &place);
            let old = self.load(target.buffer, at);
            let new = match body.combine {
                Combine::Set => value,
                Combine::Add if elem == Elem::Bool => f64::from(old != 0.0 || value != 0.0),
                Combine::Add => old + value,
                Combine::Mul => old * value,
                Combine::Max | Combine::Min => {
                    if is_better(value, old, body.combine == Combine::Max) {
                        value
                    } else {
                        old
                    }
                }
                Combine::ArgMax | Combine::ArgMin => {
                    let number =
                        reduced.iter().fold(0, |number, index| number * sizes[*index] + point[*index]);
                    let greatest = body.combine == Combine::ArgMax;
                    let better = best.get(&at).is_none_or(|best| is_better(value, *best, greatest));
                    if better {
                        best.insert(at, value);
                        number as f64
                    } else {
                        old
                    }
                }
            };
            self.store(target.buffer, at, new);
        });
    }

    fn gemm(&mut self, gemm: &Gemm) {
        let sizes = gemm.sizes();
        let (outer, summed) = sizes.split_at(sizes.len() - gemm.sides[2].len());
        let places = [0, 1, 2].map(|operand| gemm.places(operand));
        points(outer, |point| {
            let address = |interpreter: &Self, operand: usize, at: &[i64]| {
                let place = |place: &usize| point.iter().chain(at).nth(*place).copied().unwrap_or(0);
                let axes: Vec<i64> = places[operand].iter().map(place).collect();
                interpreter.address(gemm.views()[operand], &axes)
            };
            let at = address(self, 2, &[]);
            let mut sum = if gemm.accumulate { self.load(gemm.c.buffer, at) } else { 0.0 };
            points(summed, |k| {
                let a = self.load(gemm.a.buffer, address(self, 0, k));
                sum += a * self.load(gemm.b.buffer, address(self, 1, k));
            });
            self.store(gemm.c.buffer, at, sum);
        });
    }

    fn rand(&mut self, rand: &Rand) {
        let base = self.affine(&rand.step, &[]);
        let (outer, inner) = rand.target.shape.split_at(rand.step_axes);
        let (outer, inner) = (outer.to_vec(), inner.to_vec());
        points(&outer, |steps| {
            let number = steps.iter().zip(&outer).fold(0, |number, (at, size)| number * size + at);
            let draw = Draw { stream: rand.stream, scan_step: (base + number) as u32, ..self.draw };
            let mut element = 0;
            points(&inner, |place| {
                let value = match (rand.kind, self.plan.precision) {
                    (RandKind::Uniform, Precision::F32) => f64::from(draw.uniform_f32(element)),
                    (RandKind::Uniform, Precision::F64) => draw.uniform_f64(element),
                    (RandKind::Normal, Precision::F32) => f64::from(draw.normal_f32(element)),
                    (RandKind::Normal, Precision::F64) => draw.normal_f64(element),
                };
                element += 1;
                let place: Vec<i64> = steps.iter().chain(place).copied().collect();
                let at = self.address(&rand.target, &place);
                self.store(rand.target.buffer, at, value);
            });
        });
    }

    fn scalar(&self, stage: &Stage, id: ScalarId, point: &[i64], values: &mut Vec<Option<f64>>) -> f64 {
        if let Some(value) = values[id.0 as usize] {
            return value;
        }
        let body = &stage.body.body;
        let elem =
            |id: ScalarId| body.elem_of(id, &|operand| self.buffer_elem(&stage.operands[operand as usize]));
        let value = match &body[id] {
            Scalar::Float(value) => value.0,
            Scalar::Int(value) => *value as f64,
            Scalar::Bool(value) => f64::from(*value),
            Scalar::Affine(affine) => self.affine(affine, point) as f64,
            Scalar::Read { operand, subs, padded } => {
                let view = &stage.operands[*operand as usize];
                let place: Vec<i64> = subs.iter().map(|sub| self.sub(stage, sub, point, values)).collect();
                let inside = place.iter().zip(&view.shape).all(|(at, size)| (0..*size).contains(at));
                assert!(inside || *padded, "a read outside of {}: {place:?}", self.plan.name(view.buffer));
                if inside { self.load(view.buffer, self.address(view, &place)) } else { 0.0 }
            }
            Scalar::Unary(op, id) => {
                unary(*op, elem(*id), self.plan.precision, self.scalar(stage, *id, point, values))
            }
            Scalar::Binary(op, left, right) => {
                let a = self.scalar(stage, *left, point, values);
                let b = self.scalar(stage, *right, point, values);
                binary(*op, elem(*left), self.plan.precision, a, b)
            }
            Scalar::Select(c, a, b) => {
                let taken = if self.scalar(stage, *c, point, values) != 0.0 { *a } else { *b };
                self.scalar(stage, taken, point, values)
            }
            Scalar::WithSlope { value, .. } => self.scalar(stage, *value, point, values),
        };
        let value = match (elem(id), self.plan.precision) {
            (Elem::Float, Precision::F32) => f64::from(value as f32),
            (Elem::Float, Precision::F64) | (Elem::Int | Elem::Bool, _) => value,
        };
        values[id.0 as usize] = Some(value);
        value
    }

    fn sub(&self, stage: &Stage, sub: &Sub, point: &[i64], values: &mut Vec<Option<f64>>) -> i64 {
        match sub {
            Sub::Affine(affine) => self.affine(affine, point),
            Sub::Value(id) => self.scalar(stage, *id, point, values) as i64,
        }
    }

    fn affine(&self, affine: &Affine, point: &[i64]) -> i64 {
        let number = |dim: &crate::ir::Dim| dim.as_number().expect("plans are static");
        affine.terms.iter().fold(number(&affine.constant), |sum, (var, coefficient)| {
            let value = match var {
                Var::Index(index) => point[*index as usize],
                Var::Step(step) => self.step(*step),
            };
            sum + number(coefficient) * value
        })
    }

    fn step(&self, step: StepId) -> i64 {
        self.steps.iter().find(|(other, _)| *other == step).expect("a step outside of its scan").1
    }

    fn address(&self, view: &View, place: &[i64]) -> i64 {
        let inner: i64 = place.iter().zip(&view.strides).map(|(at, stride)| at * stride).sum();
        let steps: i64 = view.step_strides.iter().map(|(step, stride)| self.step(*step) * stride).sum();
        view.offset + inner + steps
    }

    fn buffer_elem(&self, view: &View) -> Elem {
        self.plan.buffers[view.buffer.0 as usize].elem
    }

    fn load(&self, id: BufferId, at: i64) -> f64 {
        let buffer = &self.plan.buffers[id.0 as usize];
        assert!(
            (0..buffer.len as i64).contains(&at),
            "{} read at {at} of {}",
            self.plan.name(id),
            buffer.len
        );
        let at = at as usize;
        let bytes = buffer.elem_bytes(self.plan.precision);
        let memory = match &buffer.place {
            Place::Arena(offset) => &self.arena[offset + at * bytes..][..bytes],
            Place::Scratch(offset) => &self.scratch[offset + at * bytes..][..bytes],
            Place::External(slot) => return self.externals[*slot as usize][at],
            Place::Const(value) => {
                return match &value.data {
                    ConstData::Float(values) => values[at].0,
                    ConstData::Int(values) => values[at] as f64,
                    ConstData::Bool(values) => f64::from(values[at]),
                };
            }
        };
        match (buffer.elem, memory) {
            (Elem::Float, [a, b, c, d]) => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
            (Elem::Int, [a, b, c, d]) => f64::from(i32::from_le_bytes([*a, *b, *c, *d])),
            (Elem::Int, eight) => i64::from_le_bytes(eight.try_into().expect("eight bytes")) as f64,
            (_, [byte]) => f64::from(*byte),
            (_, eight) => f64::from_le_bytes(eight.try_into().expect("eight bytes")),
        }
    }

    fn store(&mut self, id: BufferId, at: i64, value: f64) {
        let buffer = &self.plan.buffers[id.0 as usize];
        assert!(
            (0..buffer.len as i64).contains(&at),
            "{} written at {at} of {}",
            self.plan.name(id),
            buffer.len
        );
        let at = at as usize;
        let bytes = buffer.elem_bytes(self.plan.precision);
        let memory = match &buffer.place {
            Place::Arena(offset) => &mut self.arena[offset + at * bytes..][..bytes],
            Place::Scratch(offset) => &mut self.scratch[offset + at * bytes..][..bytes],
            Place::External(slot) => {
                let single = buffer.elem == Elem::Float && self.plan.precision == Precision::F32;
                self.externals[*slot as usize][at] = if single { f64::from(value as f32) } else { value };
                return;
            }
            Place::Const(_) => panic!("a write into a constant"),
        };
        match (buffer.elem, self.plan.precision) {
            (Elem::Float, Precision::F32) => memory.copy_from_slice(&(value as f32).to_le_bytes()),
            (Elem::Float, Precision::F64) => memory.copy_from_slice(&value.to_le_bytes()),
            (Elem::Int, _) if bytes == 8 => memory.copy_from_slice(&(value as i64).to_le_bytes()),
            (Elem::Int, _) => memory.copy_from_slice(&(value as i32).to_le_bytes()),
            (Elem::Bool, _) => memory[0] = u8::from(value != 0.0),
        }
    }
}

fn sizes(stage: &Stage) -> Vec<i64> {
    stage.body.domain.iter().map(|size| size.as_number().expect("plans are static")).collect()
}

fn uses(sub: &Sub, index: usize) -> bool {
    match sub {
        Sub::Affine(affine) => affine.uses(Var::Index(index as u32)),
        Sub::Value(_) => false,
    }
}

/// Calls `visit` with all points of a domain, row-major.
fn points(sizes: &[i64], mut visit: impl FnMut(&[i64])) {
    if sizes.iter().any(|size| *size <= 0) {
        return;
    }
    let mut point = vec![0; sizes.len()];
    loop {
        visit(&point);
        let Some(axis) = (0..sizes.len()).rev().find(|axis| point[*axis] + 1 < sizes[*axis]) else { return };
        point[axis] += 1;
        point[axis + 1..].fill(0);
    }
}

/// An operation on an element of one type, by the functions of the interpreter of graphs.
fn unary(op: UnaryOp, elem: Elem, precision: Precision, a: f64) -> f64 {
    let of_floats = match (elem, precision) {
        (Elem::Float, Precision::F32) => float_unary::<f32>(op).map(|f| f64::from(f(a as f32))),
        (Elem::Float, Precision::F64) => float_unary::<f64>(op).map(|f| f(a)),
        (Elem::Int | Elem::Bool, _) => None,
    };
    of_floats.unwrap_or(match op {
        UnaryOp::Neg => -a,
        UnaryOp::Not => 1.0 - a,
        UnaryOp::ToInt => a.trunc(),
        _ => a,
    })
}

/// An operation on two elements of one type.
fn binary(op: BinaryOp, elem: Elem, precision: Precision, a: f64, b: f64) -> f64 {
    let result = match (elem, precision) {
        (Elem::Float, Precision::F32) => {
            float_binary::<f32>(op).map(|f| f64::from(f(a as f32, b as f32)))
        }
        (Elem::Float, Precision::F64) => float_binary::<f64>(op).map(|f| f(a, b)),
        (Elem::Int, _) => {
            int_binary(op).map(|f| f(a as i64, b as i64).expect("an int within 64 bits") as f64)
        }
        (Elem::Bool, _) => match op {
            BinaryOp::And => Some(a.min(b)),
            BinaryOp::Or => Some(a.max(b)),
            _ => None,
        },
    };
    let compared = || compare::<f64>(op).map(|f| f64::from(f(&a, &b)));
    result.or_else(compared).expect("an operation that the type has")
}

/// Whether a value takes the place of the greatest (or least) one so far; the first NaN does, and stays.
fn is_better(value: f64, best: f64, greatest: bool) -> bool {
    let beyond = if greatest { value > best } else { value < best };
    beyond || (value.is_nan() && !best.is_nan())
}
