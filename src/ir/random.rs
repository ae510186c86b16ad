//! Random graphs, for tests of everything that takes graphs.
//!
//! They are sound by construction: indices stay in bounds, types fit. All ops occur, nested in scans too.
//! Their only symbolic dimension is `n`.

use super::interpret::{Feed, Real, Tensor};
use super::*;
use std::sync::Arc;

/// A generator of small numbers (xorshift).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// In `0 .. below`.
    pub fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) as usize) % below
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    /// A float in -2 .. 2 with few digits.
    pub fn float(&mut self) -> f64 {
        (self.below(65) as f64 - 32.0) / 16.0
    }
}

/// A graph of about `size` nodes with one to three outputs. `scans`: how deep scans may nest.
pub fn graph(seed: u64, size: usize, scans: usize) -> Graph {
    let mut maker = Maker { random: Random::new(seed), graph: Graph::new(), steps: vec![], next_step: 0 };
    for (name, elem, shape) in [
        ("a", Elem::Float, vec![n()]),
        ("b", Elem::Float, vec![n(), Dim::number(3)]),
        ("c", Elem::Float, vec![Dim::number(3), Dim::number(2)]),
        ("d", Elem::Int, vec![n()]),
        ("e", Elem::Float, vec![]),
    ] {
        maker.graph.add(Op::Input { name: name.into(), ty: Type::new(elem, shape) }, vec![]);
    }
    let weight = Type::new(Elem::Float, vec![Dim::number(3)]);
    maker.graph.add(Op::Param { path: "layer.weight".into(), ty: weight.clone() }, vec![]);
    maker.graph.add(Op::State { path: "layer.mean".into(), ty: weight }, vec![]);
    for _ in 0..size {
        maker.node(scans);
    }
    for at in 0..1 + maker.random.below(3) {
        let node = maker.recent(|_| true).expect("there are inputs");
        maker.graph.output(format!("y{at}"), node);
    }
    maker.graph
}

/// Values for the inputs and variables of [`graph`] with `n` rows.
pub fn feed<F: Real>(seed: u64, n: usize) -> Feed<F> {
    let mut random = Random::new(seed ^ 0xFEED);
    let mut floats = |shape: &[usize]| {
        let count = shape.iter().product();
        Tensor::floats(shape.to_vec(), (0..count).map(|_| F::from_f64(random.float())).collect())
    };
    let inputs = [("a", floats(&[n])), ("b", floats(&[n, 3])), ("c", floats(&[3, 2])), ("e", floats(&[]))];
    let mut inputs: std::collections::BTreeMap<InputKey, Tensor<F>> =
        inputs.into_iter().map(|(name, value)| (name.into(), value)).collect();
    let variables = [("layer.weight", floats(&[3])), ("layer.mean", floats(&[3]))];
    let ints = (0..n).map(|_| random.below(7) as i64 - 3).collect();
    inputs.insert("d".into(), Tensor::ints(vec![n], ints));
    let variables = variables.into_iter().map(|(path, value)| (path.into(), value)).collect();
    Feed { inputs, variables, seed, step: 1 + seed as u32 % 10 }
}

pub fn sizes(n: usize) -> Sizes {
    [("n".into(), Dim::from(n))].into_iter().collect()
}

fn n() -> Dim {
    Dim::symbol("n")
}

struct Maker {
    random: Random,
    graph: Graph,
    /// The scans around, with their number of steps.
    steps: Vec<(StepId, Dim)>,
    next_step: u32,
}

impl Maker {
    /// A tensor that fits, one of the last if there are many.
    fn recent(&mut self, fits: impl Fn(&Type) -> bool) -> Option<NodeId> {
        let nodes = self.graph.nodes();
        let tensors = nodes.filter(|(_, node)| !matches!(node.op, Op::Scan(_)) && fits(&node.ty));
        let tensors: Vec<NodeId> = tensors.map(|(id, _)| id).collect();
        let first = if self.random.chance(70) { tensors.len().saturating_sub(6) } else { 0 };
        if tensors.is_empty() { None } else { Some(self.random.one_of(&tensors[first..])) }
    }

    fn float(&mut self, min_rank: usize) -> Option<NodeId> {
        self.recent(|ty| ty.elem == Elem::Float && (min_rank..=3).contains(&ty.rank()))
    }

    /// Adds a node, if there is something to make it of.
    fn node(&mut self, scans: usize) -> Option<NodeId> {
        match self.random.below(13) {
            0..=2 => self.elementwise(),
            3 | 4 => self.reduction(),
            5 => self.product(),
            6 => self.shifted(),
            7 => self.gather_or_scatter(),
            8 => self.reshaped(),
            9 => self.transposed(),
            10 => self.leaf(),
            11 => self.slice(),
            _ if scans > 0 => self.scan(scans - 1),
            _ => self.elementwise(),
        }
    }

    fn elementwise(&mut self) -> Option<NodeId> {
        let first = self.float(0)?;
        let shape = self.graph.shape(first).to_vec();
        let ends = shape.clone();
        let second = self.recent(|ty| ends.ends_with(&ty.shape))?;
        let mut random = Random(self.random.0);
        let steps = self.steps.clone();
        let mut l = LoopBuilder::new(&self.graph, shape.clone());
        let mut values = Vec::new();
        for node in [first, second] {
            let rank = self.graph.shape(node).len();
            let subs = (shape.len() - rank..shape.len()).map(|index| l.index(index)).collect();
            let read = l.read(node, subs);
            values.push(l.to_float(read));
        }
        if !shape.is_empty() && random.chance(20) {
            let mut sum = Affine::index(random.below(shape.len())).offset(&n());
            if let Some((step, _)) = steps.last() {
                sum = sum.add(&Affine::step(*step));
            }
            let value = l.affine(sum);
            values.push(l.to_float(value));
        }
        for _ in 0..1 + random.below(5) {
            let (a, b) = (random.one_of(&values), random.one_of(&values));
            let value = match random.below(9) {
                0 => {
                    let op = random.one_of(&[UnaryOp::Tanh, UnaryOp::Sin, UnaryOp::Cos, UnaryOp::Erf]);
                    l.unary(op, a)
                }
                1 => {
                    let op = random.one_of(&[UnaryOp::Neg, UnaryOp::Exp, UnaryOp::Sqrt, UnaryOp::Log]);
                    l.unary(op, a)
                }
                2 => l.float(random.float()),
                3 => {
                    let op = random.one_of(&[BinaryOp::Lt, BinaryOp::Le, BinaryOp::Eq]);
                    let condition = l.binary(op, a, b);
                    let condition =
                        if random.chance(30) { l.unary(UnaryOp::Not, condition) } else { condition };
                    let other = random.one_of(&values);
                    l.select(condition, a, other)
                }
                4 => {
                    let one = l.float(1.0);
                    l.add(Scalar::WithSlope { value: a, arg: b, slope: one })
                }
                5 => {
                    let whole = l.unary(UnaryOp::ToInt, a);
                    let three = l.int(3);
                    let op = random.one_of(&[BinaryOp::FloorDiv, BinaryOp::Mod, BinaryOp::Add]);
                    let whole = l.binary(op, whole, three);
                    l.to_float(whole)
                }
                _ => {
                    let op = random.one_of(&[BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div]);
                    l.binary(op, a, b)
                }
            };
            values.push(value);
        }
        let mut value = values[values.len() - 1];
        // Keeps numbers from growing without end.
        if random.chance(50) {
            value = l.unary(UnaryOp::Tanh, value);
        }
        let node = l.map(value);
        self.random = random;
        Some(self.graph.add_loop(node))
    }

    fn reduction(&mut self) -> Option<NodeId> {
        let x = self.float(1)?;
        let shape = self.graph.shape(x).to_vec();
        let kept: Vec<usize> = (0..shape.len()).filter(|_| self.random.chance(50)).collect();
        let combine = self.random.one_of(&[
            Combine::Add,
            Combine::Add,
            Combine::Max,
            Combine::Min,
            Combine::Mul,
            Combine::ArgMax,
            Combine::ArgMin,
        ]);
        let mut l = LoopBuilder::new(&self.graph, shape.clone());
        let subs = (0..shape.len()).map(|index| l.index(index)).collect();
        let value = l.read(x, subs);
        let write = kept.iter().map(|index| l.index(*index)).collect();
        let node = l.reduce(kept.iter().map(|index| shape[*index].clone()).collect(), write, combine, value);
        Some(self.graph.add_loop(node))
    }

    fn product(&mut self) -> Option<NodeId> {
        let x = self.float(1)?;
        let last = self.graph.shape(x).last()?.clone();
        let y =
            self.recent(|ty| ty.elem == Elem::Float && ty.shape.first() == Some(&last) && ty.rank() < 4)?;
        let (left, right) = (self.graph.shape(x).to_vec(), self.graph.shape(y).to_vec());
        let outer = left.len() - 1;
        let mut domain = left.clone();
        domain.extend(right[1..].iter().cloned());
        if domain.len() > 4 {
            return None;
        }
        let mut l = LoopBuilder::new(&self.graph, domain.clone());
        let subs = (0..left.len()).map(|index| l.index(index)).collect();
        let a = l.read(x, subs);
        let subs = (outer..domain.len()).map(|index| l.index(index)).collect();
        let b = l.read(y, subs);
        let value = l.binary(BinaryOp::Mul, a, b);
        let kept: Vec<usize> = (0..domain.len()).filter(|index| *index != outer).collect();
        let write = kept.iter().map(|index| l.index(*index)).collect();
        let shape = kept.iter().map(|index| domain[*index].clone()).collect();
        let node = l.reduce(shape, write, Combine::Add, value);
        Some(self.graph.add_loop(node))
    }

    /// Padded reads or dropping writes at `k*i + offset`.
    fn shifted(&mut self) -> Option<NodeId> {
        let x = self.float(1)?;
        let shape = self.graph.shape(x).to_vec();
        let axis = self.random.below(shape.len());
        let factor = Dim::number(1 + self.random.below(2) as i64);
        let offset = Dim::number(self.random.below(4) as i64 - 2);
        let reads = self.random.chance(50);
        let mut l = LoopBuilder::new(&self.graph, shape.clone());
        let plain: Vec<Sub> = (0..shape.len()).map(|index| l.index(index)).collect();
        let mut moved = plain.clone();
        moved[axis] = Sub::Affine(Affine::index(axis).scale(&factor).offset(&offset));
        let node = if reads {
            let value = l.read_padded(x, moved);
            l.map(value)
        } else {
            let value = l.read(x, plain);
            let combine = self.random.one_of(&[Combine::Set, Combine::Add]);
            l.finish(shape, moved, true, combine, value)
        };
        Some(self.graph.add_loop(node))
    }

    /// `x[ids[i] mod size]`, or adding there.
    fn gather_or_scatter(&mut self) -> Option<NodeId> {
        let x = self.float(1)?;
        let ids = self.recent(|ty| ty.elem == Elem::Int && ty.rank() == 1)?;
        let shape = self.graph.shape(x).to_vec();
        let gather = self.random.chance(50);
        let length = self.graph.shape(ids)[0].clone();
        if !gather && shape[0] != length {
            return None;
        }
        let mut domain = shape.clone();
        domain[0] = length;
        let mut l = LoopBuilder::new(&self.graph, domain);
        let index = l.index(0);
        let id = l.read(ids, vec![index]);
        let size = l.size(&if gather { shape[0].clone() } else { Dim::number(3) });
        let id = Sub::Value(l.binary(BinaryOp::Mod, id, size));
        let plain: Vec<Sub> = (0..shape.len()).map(|index| l.index(index)).collect();
        let mut computed = plain.clone();
        computed[0] = id;
        let node = if gather {
            let value = l.read(x, computed);
            l.map(value)
        } else {
            let value = l.read(x, plain);
            let mut shape = shape;
            shape[0] = Dim::number(3);
            l.reduce(shape, computed, Combine::Add, value)
        };
        Some(self.graph.add_loop(node))
    }

    fn reshaped(&mut self) -> Option<NodeId> {
        let x = self.float(0)?;
        let count = self.graph.ty(x).count();
        let shape = match self.random.below(3) {
            0 => vec![count],
            1 => vec![Dim::ONE, count],
            _ => self.graph.shape(x).iter().rev().cloned().collect(),
        };
        Some(self.graph.add(Op::Reshape { shape }, vec![x]))
    }

    fn transposed(&mut self) -> Option<NodeId> {
        let x = self.float(2)?;
        if self.random.chance(20) {
            return Some(self.graph.add(Op::Mark(self.random.below(3) as u32), vec![x]));
        }
        let shape: Vec<Dim> = self.graph.shape(x).iter().rev().cloned().collect();
        let mut l = LoopBuilder::new(&self.graph, shape.clone());
        let subs = (0..shape.len()).rev().map(|index| l.index(index)).collect();
        let value = l.read(x, subs);
        let node = l.map(value);
        Some(self.graph.add_loop(node))
    }

    fn leaf(&mut self) -> Option<NodeId> {
        if self.random.chance(40) {
            let values: Vec<f64> = (0..6).map(|_| self.random.float()).collect();
            return Some(self.graph.constant(Const::floats(vec![3, 2], values)));
        }
        // Nested scans count their steps through, the innermost fastest.
        let count = self
            .steps
            .iter()
            .fold(Affine::constant(0i64), |count, (step, trip)| count.scale(trip).add(&Affine::step(*step)));
        let kind = self.random.one_of(&[RandKind::Uniform, RandKind::Normal]);
        let stream = format!("draw{}", self.random.below(3)).into();
        let shape = self.random.one_of(&[
            vec![n()],
            vec![n(), Dim::number(3)],
            vec![Dim::number(2), Dim::number(2), n()],
        ]);
        Some(self.graph.add(Op::Rand { kind, stream, shape, step: count, step_axes: 0 }, vec![]))
    }

    /// `x[t]` in a scan, `x[size - 1]` elsewhere.
    fn slice(&mut self) -> Option<NodeId> {
        let steps = self.steps.clone();
        let x = match steps.last() {
            Some((_, trip)) => {
                self.recent(|ty| ty.elem == Elem::Float && ty.shape.first() == Some(trip) && ty.rank() < 4)?
            }
            None => self.float(1)?,
        };
        let shape = self.graph.shape(x).to_vec();
        let place = match steps.last() {
            Some((step, _)) => Affine::step(*step),
            None => Affine::constant(&shape[0] - &Dim::ONE),
        };
        let mut l = LoopBuilder::new(&self.graph, shape[1..].to_vec());
        let mut subs = vec![Sub::Affine(place)];
        subs.extend((1..shape.len()).map(|index| l.index(index - 1)));
        let value = l.read(x, subs);
        let node = l.map(value);
        Some(self.graph.add_loop(node))
    }

    fn scan(&mut self, scans: usize) -> Option<NodeId> {
        let carry = self.float(0)?;
        let captures: Vec<NodeId> = (0..3).filter_map(|_| self.recent(|ty| ty.rank() < 4)).collect();
        let trip = self.random.one_of(&[n(), Dim::number(3), Dim::number(2)]);
        let step = StepId(self.next_step);
        self.next_step += 1;
        let carry_ty = self.graph.ty(carry).clone();
        let types: Vec<Type> = captures.iter().map(|node| self.graph.ty(*node).clone()).collect();

        let outer = std::mem::take(&mut self.graph);
        self.steps.push((step, trip.clone()));
        let start = self.graph.add(Op::Carry { index: 0, ty: carry_ty.clone() }, vec![]);
        for (index, ty) in types.into_iter().enumerate() {
            self.graph.add(Op::Capture { index: index as u32, ty }, vec![]);
        }
        for _ in 0..2 + self.random.below(5) {
            self.node(scans);
        }
        let next = self.recent(|ty| *ty == carry_ty).unwrap_or(start);
        let next = self.graph.map(&[next, start], |l, read| {
            let sum = l.binary(BinaryOp::Add, read[0], read[1]);
            l.unary(UnaryOp::Tanh, sum)
        });
        self.graph.output("next", next);
        for _ in 0..self.random.below(3) {
            if let Some(node) = self.recent(|ty| ty.rank() < 3) {
                self.graph.output("collected", node);
            }
        }
        self.steps.pop();
        let body = std::mem::replace(&mut self.graph, outer);

        let n_results = body.outputs.len() as u32;
        let scan = Scan { step, trip, reverse: self.random.chance(40), n_carries: 1, body };
        let operands = std::iter::once(carry).chain(captures).collect();
        let scan = self.graph.add(Op::Scan(Arc::new(scan)), operands);
        let mut result = None;
        for index in 0..n_results {
            result = Some(self.graph.add(Op::Result(index), vec![scan]));
        }
        result
    }
}
