//! The scalar expression of a loop, operation by operation, as tensors over the loop's domain.

use super::cx::{Cx, Made};
use super::graph::{Ty, Value};
use super::layout::{Domain, Laid};
use super::reads::{self, Outside, Source, places};
use super::writer::Writer;
use crate::ir::{BinaryOp, Body, Scalar, ScalarId, Sub, UnaryOp};

/// The tensors of some scalars of a body.
pub struct Scalars<'a> {
    pub domain: &'a Domain,
    pub body: &'a Body,
    pub sources: &'a [Source<'a>],
    made: Vec<Option<Laid>>,
    /// Whether a scalar is computed only where a condition chooses it, so that what it reads elsewhere is not used.
    is_chosen: Vec<bool>,
}

impl<'a> Scalars<'a> {
    pub fn new(domain: &'a Domain, body: &'a Body, sources: &'a [Source<'a>], roots: &[ScalarId]) -> Scalars<'a> {
        let made = vec![None; body.nodes.len()];
        Scalars { domain, body, sources, made, is_chosen: chosen(body, roots) }
    }

    /// The tensor of a scalar.
    pub fn value(&mut self, cx: &mut Cx, id: ScalarId) -> Made<Laid> {
        let mut needed = vec![false; id.0 as usize + 1];
        needed[id.0 as usize] = true;
        for at in (0..=id.0 as usize).rev() {
            if needed[at] && self.made[at].is_none() {
                for_each_used(&self.body.nodes[at], &mut |operand| needed[operand.0 as usize] = true);
            }
        }
        for (at, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
            if self.made[at].is_none() {
                self.made[at] = Some(self.scalar(cx, at)?);
            }
        }
        self.get(id)
    }

    fn get(&self, id: ScalarId) -> Made<Laid> {
        self.made[id.0 as usize].clone().ok_or_else(|| "a scalar before its operands".to_owned())
    }

    fn scalar(&self, cx: &mut Cx, at: usize) -> Made<Laid> {
        match &self.body.nodes[at] {
            Scalar::Float(value) => Ok(Laid::scalar(cx.writer.float(value.0))),
            Scalar::Int(value) => Ok(Laid::scalar(cx.writer.int(*value))),
            Scalar::Bool(value) => Ok(Laid::scalar(cx.writer.bool(*value))),
            Scalar::Affine(affine) => self.domain.affine(cx, affine),
            Scalar::Read { operand, subs, padded } => self.read(cx, at, *operand as usize, subs, *padded),
            Scalar::Unary(op, a) => {
                let a = self.get(*a)?;
                Ok(self.unary(cx, *op, &a))
            }
            Scalar::Binary(op, a, b) => {
                let (a, b) = (self.get(*a)?, self.get(*b)?);
                Ok(self.binary(cx, *op, &a, &b))
            }
            Scalar::Select(condition, a, b) => {
                let (condition, a, b) = (self.get(*condition)?, self.get(*a)?, self.get(*b)?);
                Ok(self.domain.choose(cx, &condition, &a, &b))
            }
            Scalar::WithSlope { value, .. } => self.get(*value),
        }
    }

    fn read(&self, cx: &mut Cx, at: usize, operand: usize, subs: &[Sub], padded: bool) -> Made<Laid> {
        let outside = match (padded, self.is_chosen[at]) {
            (true, _) => Outside::Zero,
            (false, true) => Outside::Unused,
            (false, false) => Outside::Never,
        };
        let source = &self.sources[operand];
        let places = places(subs, &|id| self.made[id.0 as usize].clone())?;
        reads::read(cx, self.domain, source, &places, outside)
    }

    fn unary(&self, cx: &mut Cx, op: UnaryOp, a: &Laid) -> Laid {
        let (writer, value) = (&mut cx.writer, &a.value);
        let made = match op {
            UnaryOp::Neg => writer.unary("Neg", value),
            UnaryOp::Exp => writer.unary("Exp", value),
            UnaryOp::Log => writer.unary("Log", value),
            UnaryOp::Sin => writer.unary("Sin", value),
            UnaryOp::Cos => writer.unary("Cos", value),
            UnaryOp::Tanh => writer.unary("Tanh", value),
            UnaryOp::Sqrt => writer.unary("Sqrt", value),
            UnaryOp::Erf => error_function(writer, value),
            UnaryOp::NormalCdf => {
                // (1 + erf(x / √2)) / 2
                let (root, one, half) =
                    (writer.float(std::f64::consts::SQRT_2), writer.float(1.0), writer.float(0.5));
                let scaled = writer.binary("Div", value, &root);
                let error = error_function(writer, &scaled);
                let sum = writer.binary("Add", &error, &one);
                writer.binary("Mul", &sum, &half)
            }
            UnaryOp::Floor => writer.unary("Floor", value),
            UnaryOp::Ceil => writer.unary("Ceil", value),
            UnaryOp::Round => writer.unary("Round", value),
            UnaryOp::Not => writer.unary("Not", value),
            UnaryOp::ToFloat => {
                let float = writer.float;
                writer.cast(value, float)
            }
            UnaryOp::ToInt => writer.cast(value, Ty::I64),
            UnaryOp::Stop => value.clone(),
        };
        Laid { value: made, axes: a.axes.clone() }
    }

    fn binary(&self, cx: &mut Cx, op: BinaryOp, a: &Laid, b: &Laid) -> Laid {
        let domain = self.domain;
        match op {
            BinaryOp::Add => domain.binary(cx, "Add", a, b),
            BinaryOp::Sub => domain.binary(cx, "Sub", a, b),
            BinaryOp::Mul => domain.binary(cx, "Mul", a, b),
            BinaryOp::Div => domain.binary(cx, "Div", a, b),
            BinaryOp::Pow => domain.binary(cx, "Pow", a, b),
            BinaryOp::FloorDiv | BinaryOp::Mod => self.whole_division(cx, op, a, b),
            BinaryOp::Lt => domain.compare(cx, "Less", a, b),
            BinaryOp::Le => domain.compare(cx, "LessOrEqual", a, b),
            BinaryOp::Eq => domain.compare(cx, "Equal", a, b),
            BinaryOp::And => domain.compare(cx, "And", a, b),
            BinaryOp::Or => domain.compare(cx, "Or", a, b),
        }
    }

    /// Quotient and remainder of ints, rounded down; 0 where the divisor is 0. `Div` rounds towards zero, `Mod` has
    /// the sign of the divisor.
    fn whole_division(&self, cx: &mut Cx, op: BinaryOp, a: &Laid, b: &Laid) -> Laid {
        let domain = self.domain;
        let is_sure = cx.writer.known_ints(&b.value).is_some_and(|values| !values.contains(&0));
        let (zero, one) = (Laid::scalar(cx.writer.int(0)), Laid::scalar(cx.writer.int(1)));
        let is_zero = (!is_sure).then(|| domain.compare(cx, "Equal", b, &zero));
        let divisor = match &is_zero {
            Some(is_zero) => domain.choose(cx, is_zero, &one, b),
            None => b.clone(),
        };
        let rest = domain.binary(cx, "Mod", a, &divisor);
        let result = match op {
            BinaryOp::Mod => rest,
            _ => {
                let whole = domain.binary(cx, "Sub", a, &rest);
                domain.binary(cx, "Div", &whole, &divisor)
            }
        };
        match is_zero {
            Some(is_zero) => domain.choose(cx, &is_zero, &zero, &result),
            None => result,
        }
    }
}

/// Of floats of 64 bits runtimes have none.
fn error_function(writer: &mut Writer, value: &Value) -> Value {
    let narrow = writer.cast(value, Ty::F32);
    let error = writer.unary("Erf", &narrow);
    writer.cast(&error, value.ty)
}

/// The operands that a value needs: of a value with a slope, the value.
fn for_each_used(scalar: &Scalar, visit: &mut dyn FnMut(ScalarId)) {
    match scalar {
        Scalar::WithSlope { value, .. } => visit(*value),
        other => other.for_each_operand(visit),
    }
}

/// Whether every way from the roots to a scalar goes through a branch of a select.
fn chosen(body: &Body, roots: &[ScalarId]) -> Vec<bool> {
    let mut always = vec![false; body.nodes.len()];
    roots.iter().for_each(|root| always[root.0 as usize] = true);
    for at in (0..body.nodes.len()).rev() {
        if !always[at] {
            continue;
        }
        match &body.nodes[at] {
            Scalar::Select(condition, ..) => always[condition.0 as usize] = true,
            other => for_each_used(other, &mut |id| always[id.0 as usize] = true),
        }
    }
    always.into_iter().map(|always| !always).collect()
}

