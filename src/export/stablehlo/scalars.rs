//! The scalar expression of a loop, computed for all points of some of its indices at a time.

use std::collections::HashMap;

use super::graph::Graphs;
use super::text::{Kind, Value};
use super::Unsupported;
use crate::base::order::PutInOrder;
use crate::ir::{Affine, BinaryOp, Loop, Scalar, ScalarId, StepId, Sub, UnaryOp, Var};

/// A loop with its operands.
pub struct Points<'a> {
    pub body: &'a Loop,
    pub operands: Vec<Value>,
    /// The sizes of the domain.
    pub sizes: Vec<i64>,
    known: HashMap<(ScalarId, Vec<usize>), Value>,
}

impl<'a> Points<'a> {
    pub fn new(body: &'a Loop, operands: Vec<Value>, sizes: Vec<i64>) -> Points<'a> {
        Points { body, operands, sizes, known: HashMap::new() }
    }

    pub fn shape(&self, over: &[usize]) -> Vec<i64> {
        over.iter().map(|index| self.sizes[*index]).collect()
    }

    /// A scalar for all points of the indices `over`, an axis for each.
    pub fn value(&mut self, cx: &mut Graphs, id: ScalarId, over: &[usize]) -> Result<Value, Unsupported> {
        if let Some(value) = self.known.get(&(id, over.to_vec())) {
            return Ok(value.clone());
        }
        // Operands stand before users, so a long chain needs no deep recursion.
        let mut needed = vec![false; self.body.body.nodes.len()];
        needed[id.0 as usize] = true;
        for at in (0..=id.0 as usize).rev() {
            if needed[at] {
                self.body.body.nodes[at].for_each_operand(|operand| needed[operand.0 as usize] = true);
            }
        }
        for at in 0..=id.0 {
            let key = (ScalarId(at), over.to_vec());
            if needed[at as usize] && !self.known.contains_key(&key) {
                let value = self.one(cx, ScalarId(at), over)?;
                self.known.insert(key, value);
            }
        }
        Ok(self.known[&(id, over.to_vec())].clone())
    }

    fn get(&self, id: ScalarId, over: &[usize]) -> Value {
        self.known[&(id, over.to_vec())].clone()
    }

    fn one(&mut self, cx: &mut Graphs, id: ScalarId, over: &[usize]) -> Result<Value, Unsupported> {
        let shape = self.shape(over);
        let float = cx.float;
        Ok(match &self.body.body[id] {
            Scalar::Float(number) => cx.text.splat(number.0, float, shape),
            Scalar::Int(number) => cx.text.int(*number, Kind::I64, shape),
            Scalar::Bool(truth) => cx.text.splat(f64::from(u8::from(*truth)), Kind::I1, shape),
            Scalar::Affine(affine) => self.affine(cx, affine, over)?,
            Scalar::Read { operand, subs, padded } => self.read(cx, *operand as usize, subs, *padded, over)?,
            Scalar::Unary(op, a) => {
                let a = self.get(*a, over);
                unary(cx, *op, &a)
            }
            Scalar::Binary(op, a, b) => {
                let (a, b) = (self.get(*a, over), self.get(*b, over));
                binary(cx, *op, &a, &b)
            }
            Scalar::Select(which, yes, no) => {
                let (which, yes, no) = (self.get(*which, over), self.get(*yes, over), self.get(*no, over));
                cx.text.select(&which, &yes, &no)
            }
            Scalar::WithSlope { value, .. } => self.get(*value, over),
        })
    }

    /// An affine expression as ints.
    fn affine(&mut self, cx: &mut Graphs, affine: &Affine, over: &[usize]) -> Result<Value, Unsupported> {
        let shape = self.shape(over);
        let mut sum = cx.text.int(number(&affine.constant)?, Kind::I64, shape.clone());
        for (var, coefficient) in &affine.terms {
            let term = match var {
                Var::Index(index) => {
                    let axis = over.iter().position(|other| other == &(*index as usize));
                    // An index of one value is 0.
                    if axis.is_none() && self.sizes[*index as usize] == 1 {
                        continue;
                    }
                    let axis = axis.ok_or(Unsupported::Subscript)?;
                    cx.text.iota(axis, Kind::I64, shape.clone())
                }
                Var::Step(step) => {
                    let step = cx.step(*step)?;
                    cx.text.broadcast(&step, &[], shape.clone())
                }
            };
            let factor = cx.text.int(number(coefficient)?, Kind::I64, shape.clone());
            let term = cx.text.same("stablehlo.multiply", &[&term, &factor]);
            sum = cx.text.same("stablehlo.add", &[&sum, &term]);
        }
        Ok(sum)
    }

    fn read(
        &mut self,
        cx: &mut Graphs,
        operand: usize,
        subs: &[Sub],
        padded: bool,
        over: &[usize],
    ) -> Result<Value, Unsupported> {
        if let Some(value) = self.sliced(cx, operand, subs, padded, over)? {
            return Ok(value);
        }
        let of = self.operands[operand].clone();
        let (places, inside) = self.places(cx, subs, &of.shape, padded, over)?;
        let flat = cx.text.reshape(&of, vec![of.count()]);
        let value = cx.text.gather(&flat, &places);
        Ok(match inside {
            Some(inside) => {
                let zero = cx.text.splat(0.0, value.kind, value.shape.clone());
                cx.text.select(&inside, &value, &zero)
            }
            None => value,
        })
    }

    /// A read by slices, if every subscript is an index of its own or a number.
    fn sliced(
        &self,
        cx: &mut Graphs,
        operand: usize,
        subs: &[Sub],
        padded: bool,
        over: &[usize],
    ) -> Result<Option<Value>, Unsupported> {
        let of = self.operands[operand].clone();
        let (mut low, mut high, mut ranges, mut axes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (sub, size) in subs.iter().zip(&of.shape) {
            let Sub::Affine(affine) = sub else { return Ok(None) };
            let start = number(&affine.constant)?;
            let (by, count) = match affine.terms.as_slice() {
                [] => (1, 1),
                [(Var::Index(index), _)]
                    if self.sizes[*index as usize] == 1 && !over.contains(&(*index as usize)) =>
                {
                    (1, 1)
                }
                [(Var::Index(index), coefficient)] => {
                    let index = *index as usize;
                    let Some(axis) = over.iter().position(|other| *other == index) else { return Ok(None) };
                    let by = number(coefficient)?;
                    if by < 1 || axes.contains(&axis) {
                        return Ok(None);
                    }
                    axes.push(axis);
                    (by, self.sizes[index])
                }
                _ => return Ok(None),
            };
            let end = start + (count - 1) * by + 1;
            let (before, behind) = ((-start).max(0), (end - size).max(0));
            if !padded && (before > 0 || behind > 0) {
                return Ok(None);
            }
            low.push(before);
            high.push(behind);
            ranges.push((start + before, end + before, by));
        }
        let value = cx.text.pad(&of, &low, &high);
        let value = cx.text.slice(&value, &ranges);
        let shape: Vec<i64> = axes.iter().map(|axis| self.sizes[over[*axis]]).collect();
        let value = cx.text.reshape(&value, shape);
        let mut order: Vec<usize> = (0..axes.len()).collect();
        order.put_in_order_by_key(|at| axes[*at]);
        let value = cx.text.transpose(&value, &order);
        axes.put_in_order();
        Ok(Some(cx.text.broadcast(&value, &axes, self.shape(over))))
    }

    /// The numbers of elements that subscripts name, in the order of memory, and where they are in the tensor if they
    /// may be outside.
    pub fn places(
        &mut self,
        cx: &mut Graphs,
        subs: &[Sub],
        sizes: &[i64],
        may_leave: bool,
        over: &[usize],
    ) -> Result<(Value, Option<Value>), Unsupported> {
        let shape = self.shape(over);
        let mut place = cx.text.int(0, Kind::I64, shape.clone());
        let mut inside: Option<Value> = None;
        for (sub, size) in subs.iter().zip(sizes) {
            let mut value = match sub {
                Sub::Affine(affine) => self.affine(cx, affine, over)?,
                Sub::Value(id) => self.value(cx, *id, over)?,
            };
            if may_leave {
                let zero = cx.text.int(0, Kind::I64, shape.clone());
                let last = cx.text.int(size - 1, Kind::I64, shape.clone());
                for fits in [cx.text.compare("LE", &zero, &value), cx.text.compare("LE", &value, &last)] {
                    inside = Some(match inside {
                        Some(others) => cx.text.same("stablehlo.and", &[&others, &fits]),
                        None => fits,
                    });
                }
                value = cx.text.same("stablehlo.clamp", &[&zero, &value, &last]);
            }
            let size = cx.text.int(*size, Kind::I64, shape.clone());
            place = cx.text.same("stablehlo.multiply", &[&place, &size]);
            place = cx.text.same("stablehlo.add", &[&place, &value]);
        }
        Ok((place, inside))
    }
}

impl Graphs {
    /// The number of the step of a scan.
    fn step(&self, step: StepId) -> Result<Value, Unsupported> {
        self.steps.get(&step).cloned().ok_or(Unsupported::Subscript)
    }
}

/// A size that is known.
pub fn number(size: &crate::ir::Dim) -> Result<i64, Unsupported> {
    size.as_number().ok_or(Unsupported::OpenSize)
}

fn unary(cx: &mut Graphs, op: UnaryOp, a: &Value) -> Value {
    let text = &mut cx.text;
    let name = match op {
        UnaryOp::Neg => "stablehlo.negate",
        UnaryOp::Exp => "stablehlo.exponential",
        UnaryOp::Log => "stablehlo.log",
        UnaryOp::Sin => "stablehlo.sine",
        UnaryOp::Cos => "stablehlo.cosine",
        UnaryOp::Tanh => "stablehlo.tanh",
        UnaryOp::Sqrt => "stablehlo.sqrt",
        UnaryOp::Floor => "stablehlo.floor",
        UnaryOp::Ceil => "stablehlo.ceil",
        UnaryOp::Round => "stablehlo.round_nearest_even",
        UnaryOp::Not => "stablehlo.not",
        UnaryOp::Stop => return a.clone(),
        UnaryOp::ToFloat => return text.convert(a, cx.float),
        UnaryOp::ToInt => return text.convert(a, Kind::I64),
        UnaryOp::Erf => return text.add(&format!("chlo.erf {} : {} -> {}", a.name, a.ty(), a.ty()), a.kind, a.shape.clone()),
        UnaryOp::NormalCdf => {
            let factor = text.splat(-std::f64::consts::FRAC_1_SQRT_2, a.kind, a.shape.clone());
            let scaled = text.same("stablehlo.multiply", &[a, &factor]);
            let call = format!("chlo.erfc {} : {} -> {}", scaled.name, a.ty(), a.ty());
            let twice = text.add(&call, a.kind, a.shape.clone());
            let half = text.splat(0.5, a.kind, a.shape.clone());
            return text.same("stablehlo.multiply", &[&twice, &half]);
        }
    };
    text.same(name, &[a])
}

fn binary(cx: &mut Graphs, op: BinaryOp, a: &Value, b: &Value) -> Value {
    let text = &mut cx.text;
    let name = match op {
        BinaryOp::Add => "stablehlo.add",
        BinaryOp::Sub => "stablehlo.subtract",
        BinaryOp::Mul => "stablehlo.multiply",
        BinaryOp::Div => "stablehlo.divide",
        BinaryOp::Pow => "stablehlo.power",
        BinaryOp::And => "stablehlo.and",
        BinaryOp::Or => "stablehlo.or",
        BinaryOp::Lt => return text.compare("LT", a, b),
        BinaryOp::Le => return text.compare("LE", a, b),
        BinaryOp::Eq => return text.compare("EQ", a, b),
        BinaryOp::FloorDiv | BinaryOp::Mod => {
            let zero = text.int(0, a.kind, a.shape.clone());
            let one = text.int(1, a.kind, a.shape.clone());
            let by_zero = text.compare("EQ", b, &zero);
            let safe = text.select(&by_zero, &one, b);
            let quotient = text.same("stablehlo.divide", &[a, &safe]);
            let rest = text.same("stablehlo.remainder", &[a, &safe]);
            // The quotient is cut off towards zero: one too many where the signs differ.
            let product = text.same("stablehlo.multiply", &[&rest, &safe]);
            let differs = text.compare("LT", &product, &zero);
            let value = if op == BinaryOp::Mod {
                let moved = text.same("stablehlo.add", &[&rest, &safe]);
                text.select(&differs, &moved, &rest)
            } else {
                let less = text.same("stablehlo.subtract", &[&quotient, &one]);
                text.select(&differs, &less, &quotient)
            };
            return text.select(&by_zero, &zero, &value);
        }
    };
    text.same(name, &[a, b])
}
