//! Operators. On compile-time numbers they are evaluated, on tensors and indexed values they become loops.

use crate::sema::build::constants::negated;
use crate::sema::build::Builder;
use crate::sema::build::parameter_sets::has_sets;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::tensors::{common_elem, convert, number_elem};
use crate::sema::value::{Interval, Value};
use crate::sema::scope::report::values::ValueError;
use crate::base::Span;
use crate::ir::{self, Affine, Dim, Elem, LoopBuilder, Scalar, ScalarId};
use crate::syntax::ast::{BinaryOp, UnaryOp};

/// The greatest exponent for which `x ^ n` is written as multiplications.
const MAX_POWER: i64 = 64;

impl Builder<'_> {
    pub fn unary(&mut self, op: UnaryOp, value: &Value, value_span: Span, span: Span) -> Value {
        match (op, value) {
            (_, Value::Error) => Value::Error,
            (_, Value::Parameters(_)) => {
                let arg = [Arg { value, span: value_span }];
                self.map_sets(&arg, span, &mut |cx, values| cx.unary(op, &values[0], value_span, span))
            }
            (UnaryOp::Neg, Value::Int(dim)) => negated(dim),
            (UnaryOp::Neg, Value::Ratio(a, b)) => Value::Ratio(-a, b.clone()),
            (UnaryOp::Neg, Value::Float(number)) => Value::Float(-number),
            (UnaryOp::Not, Value::Bool(value)) => Value::Bool(!value),
            (UnaryOp::Not, _) if elem_of(value).is_some_and(|elem| elem != Elem::Bool) => {
                self.report(ValueError::NotBools { by: "not", found: value.clone(), at: value_span })
            }
            _ => {
                if !self.check_operand(value, value_span) {
                    return Value::Error;
                }
                let arg = [Arg { value, span: value_span }];
                let made = self.elementwise("negate", &arg, span, &mut |l, scalars| match op {
                    UnaryOp::Not => l.unary(ir::UnaryOp::Not, scalars[0]),
                    UnaryOp::Neg => {
                        let number = if l.elem(scalars[0]) == Elem::Bool {
                            convert(l, scalars[0], Elem::Int)
                        } else {
                            scalars[0]
                        };
                        match affine_of(l, number) {
                            Some(affine) => l.affine(affine.scale(&Dim::number(-1))),
                            None => l.unary(ir::UnaryOp::Neg, number),
                        }
                    }
                });
                let zero = Value::int(0);
                self.with_facts(made, BinaryOp::Sub, &zero, value)
            }
        }
    }

    pub fn binary(&mut self, op: BinaryOp, left: Arg<'_>, right: Arg<'_>, span: Span) -> Value {
        if left.value.is_error() || right.value.is_error() {
            return Value::Error;
        }
        if has_sets(&[left, right]) {
            return self.set_binary(op, left, right, span);
        }
        if op == BinaryOp::MatMul {
            return self.matmul(left, right, span);
        }
        if let Some(value) = self.constant_binary(op, left, right, span) {
            return value;
        }
        if !self.check_operand(left.value, left.span) || !self.check_operand(right.value, right.span) {
            return Value::Error;
        }
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            for arg in [left, right] {
                if elem_of(arg.value).is_some_and(|elem| elem != Elem::Bool) {
                    let (by, found) = (op.as_str(), arg.value.clone());
                    return self.report(ValueError::NotBools { by, found, at: arg.span });
                }
            }
        }
        let made = match op {
            BinaryOp::Pow => self.power(left, right, span),
            _ => self.elementwise(verb(op), &[left, right], span, &mut |l, scalars| {
                write_binary(l, op, scalars[0], scalars[1])
            }),
        };
        self.with_facts(made, op, left.value, right.value)
    }

    /// `if c then a else b` with a condition that is known at run time only.
    pub fn select(&mut self, condition: Arg<'_>, then: Arg<'_>, otherwise: Arg<'_>, span: Span) -> Value {
        if has_sets(&[condition, then, otherwise]) {
            return self.map_sets(&[condition, then, otherwise], span, &mut |cx, values| {
                let arg = |at: usize, of: Arg<'_>| Arg { value: &values[at], span: of.span };
                cx.select(arg(0, condition), arg(1, then), arg(2, otherwise), span)
            });
        }
        for arg in [then, otherwise] {
            if !self.check_operand(arg.value, arg.span) {
                return Value::Error;
            }
        }
        let elem = common_elem([then.value, otherwise.value].into_iter().filter_map(elem_of));
        let made =
            self.elementwise("choose between", &[condition, then, otherwise], span, &mut |l, scalars| {
                let (a, b) = (convert(l, scalars[1], elem), convert(l, scalars[2], elem));
                l.select(scalars[0], a, b)
            });
        let interval = match (interval_of(then.value), interval_of(otherwise.value)) {
            (Some(a), Some(b)) if elem == Elem::Int => Some(a.union(&b)),
            _ => None,
        };
        with_interval(made, interval)
    }

    /// `x ^ y`: repeated multiplication for a whole exponent known at compile time.
    fn power(&mut self, left: Arg<'_>, right: Arg<'_>, span: Span) -> Value {
        let whole = match right.value {
            Value::Int(dim) => dim.as_number(),
            Value::Float(number) if number.fract() == 0.0 && number.abs() <= MAX_POWER as f64 => {
                Some(*number as i64)
            }
            _ => None,
        };
        let float_exponent = matches!(right.value, Value::Float(_));
        match whole.filter(|n| (-MAX_POWER..=MAX_POWER).contains(n)) {
            Some(n) => self.elementwise("raise", &[left], span, &mut |l, scalars| {
                let elem = if n < 0 || float_exponent || l.elem(scalars[0]) == Elem::Float {
                    Elem::Float
                } else {
                    Elem::Int
                };
                let base = convert(l, scalars[0], elem);
                let one = if elem == Elem::Float { l.float(1.0) } else { l.int(1) };
                let power = match repeated(l, base, n.unsigned_abs()) {
                    Some(power) => power,
                    None => one,
                };
                if n < 0 { l.binary(ir::BinaryOp::Div, one, power) } else { power }
            }),
            None => self.elementwise("raise", &[left, right], span, &mut |l, scalars| {
                let (a, b) = (l.to_float(scalars[0]), l.to_float(scalars[1]));
                l.binary(ir::BinaryOp::Pow, a, b)
            }),
        }
    }

    /// Reports operands that are no numbers.
    fn check_operand(&mut self, value: &Value, span: Span) -> bool {
        let is_operand = match value {
            Value::Error => return false,
            Value::Tuple(_)
            | Value::Layer(_)
            | Value::Instance(_)
            | Value::Function(_)
            | Value::Str(_)
            | Value::None
            | Value::Data(_) => false,
            _ => true,
        };
        if !is_operand {
            self.report(ValueError::NotComputable { found: value.clone(), at: span });
        }
        is_operand
    }

    /// Notes what is known of an int result: its interval, and its affine expression in scan steps.
    fn with_facts(&mut self, made: Value, op: BinaryOp, left: &Value, right: &Value) -> Value {
        let interval = match (interval_of(left), interval_of(right)) {
            (Some(a), Some(b)) => combine_intervals(op, &a, &b),
            _ => None,
        };
        let mut made = with_interval(made, interval);
        if let Value::Tensor(tensor) = &mut made
            && tensor.ty.elem == Elem::Int
            && tensor.rank() == 0
            && let (Some(a), Some(b)) = (step_form(left), step_form(right))
        {
            tensor.affine = match op {
                BinaryOp::Add => Some(a.add(&b)),
                BinaryOp::Sub => Some(a.sub(&b)),
                BinaryOp::Mul if b.is_constant() => Some(a.scale(&b.constant)),
                BinaryOp::Mul if a.is_constant() => Some(b.scale(&a.constant)),
                _ => None,
            };
        }
        made
    }
}

/// The verb for an operator in messages.
fn verb(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "add",
        BinaryOp::Sub => "subtract",
        BinaryOp::Mul => "multiply",
        BinaryOp::Div => "divide",
        BinaryOp::Pow => "raise",
        BinaryOp::MatMul => "multiply",
        BinaryOp::And | BinaryOp::Or => "combine",
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => "compare",
    }
}

/// Writes an operator on scalars of whatever types; affine expressions of indices stay affine expressions.
pub fn write_binary(l: &mut LoopBuilder<'_>, op: BinaryOp, a: ScalarId, b: ScalarId) -> ScalarId {
    let common = common_elem([l.elem(a), l.elem(b)].into_iter());
    let elem = match op {
        BinaryOp::Div | BinaryOp::Pow => Elem::Float,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul if common == Elem::Bool => Elem::Int,
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge if common == Elem::Bool => Elem::Int,
        _ => common,
    };
    let (a, b) = (convert(l, a, elem), convert(l, b, elem));
    if elem == Elem::Int
        && let (Some(x), Some(y)) = (affine_of(l, a), affine_of(l, b))
    {
        let linear = match op {
            BinaryOp::Add => Some(x.add(&y)),
            BinaryOp::Sub => Some(x.sub(&y)),
            BinaryOp::Mul if y.is_constant() => Some(x.scale(&y.constant)),
            BinaryOp::Mul if x.is_constant() => Some(y.scale(&x.constant)),
            _ => None,
        };
        if let Some(linear) = linear.filter(Affine::is_small) {
            return match linear.as_number() {
                Some(number) => l.int(number),
                None => l.affine(linear),
            };
        }
    }
    match op {
        BinaryOp::Add => l.binary(ir::BinaryOp::Add, a, b),
        BinaryOp::Sub => l.binary(ir::BinaryOp::Sub, a, b),
        BinaryOp::Mul => l.binary(ir::BinaryOp::Mul, a, b),
        BinaryOp::Div => l.binary(ir::BinaryOp::Div, a, b),
        BinaryOp::Pow => l.binary(ir::BinaryOp::Pow, a, b),
        BinaryOp::Lt => l.binary(ir::BinaryOp::Lt, a, b),
        BinaryOp::Le => l.binary(ir::BinaryOp::Le, a, b),
        BinaryOp::Gt => l.binary(ir::BinaryOp::Lt, b, a),
        BinaryOp::Ge => l.binary(ir::BinaryOp::Le, b, a),
        BinaryOp::Eq => l.binary(ir::BinaryOp::Eq, a, b),
        BinaryOp::Ne => {
            let equal = l.binary(ir::BinaryOp::Eq, a, b);
            l.unary(ir::UnaryOp::Not, equal)
        }
        BinaryOp::And => l.binary(ir::BinaryOp::And, a, b),
        BinaryOp::Or => l.binary(ir::BinaryOp::Or, a, b),
        // `@` is not elementwise; the caller has handled it.
        BinaryOp::MatMul => a,
    }
}

/// The affine expression of an int scalar, if it is one.
pub fn affine_of(l: &LoopBuilder<'_>, id: ScalarId) -> Option<Affine> {
    match l.scalar(id) {
        Scalar::Affine(affine) => Some(affine.clone()),
        Scalar::Int(value) => Some(Affine::constant(*value)),
        _ => None,
    }
}

/// `base ^ n` by squaring; `None` for n = 0.
fn repeated(l: &mut LoopBuilder<'_>, base: ScalarId, n: u64) -> Option<ScalarId> {
    let (mut square, mut rest, mut power) = (base, n, None);
    while rest > 0 {
        if rest % 2 == 1 {
            power = Some(match power {
                Some(power) => l.binary(ir::BinaryOp::Mul, power, square),
                None => square,
            });
        }
        rest /= 2;
        if rest > 0 {
            square = l.binary(ir::BinaryOp::Mul, square, square);
        }
    }
    power
}

/// The element type of a number, tensor or indexed value.
pub fn elem_of(value: &Value) -> Option<Elem> {
    match value {
        Value::Tensor(tensor) => Some(tensor.ty.elem),
        Value::Indexed(scalar) => Some(scalar.elem),
        Value::List(items) => {
            let elems: Option<Vec<Elem>> = items.iter().map(elem_of).collect();
            Some(common_elem(elems?.into_iter()))
        }
        Value::Pack(_) => Some(Elem::Int),
        other => number_elem(other),
    }
}

/// The interval in which an int lies.
pub fn interval_of(value: &Value) -> Option<Interval> {
    match value {
        Value::Int(dim) => Interval { least: dim.clone(), greatest: dim.clone() }.held(),
        Value::Bool(_) => Some(Interval::new(0i64, 1i64)),
        Value::Tensor(tensor) => match tensor.ty.elem {
            Elem::Bool => Some(Interval::new(0i64, 1i64)),
            Elem::Int => tensor.interval.clone(),
            Elem::Float => None,
        },
        Value::Indexed(scalar) => match scalar.elem {
            Elem::Bool => Some(Interval::new(0i64, 1i64)),
            Elem::Int => scalar.interval.clone(),
            Elem::Float => None,
        },
        _ => None,
    }
}

pub fn with_interval(mut value: Value, interval: Option<Interval>) -> Value {
    let interval = interval.and_then(Interval::held);
    match &mut value {
        Value::Tensor(tensor) if tensor.ty.elem == Elem::Int => tensor.interval = interval,
        Value::Indexed(scalar) if scalar.elem == Elem::Int => scalar.interval = interval,
        _ => {}
    }
    value
}

fn combine_intervals(op: BinaryOp, a: &Interval, b: &Interval) -> Option<Interval> {
    Some(match op {
        BinaryOp::Add => Interval { least: &a.least + &b.least, greatest: &a.greatest + &b.greatest },
        BinaryOp::Sub => Interval { least: &a.least - &b.greatest, greatest: &a.greatest - &b.least },
        BinaryOp::Mul => {
            let products = [
                &a.least * &b.least,
                &a.least * &b.greatest,
                &a.greatest * &b.least,
                &a.greatest * &b.greatest,
            ];
            if !products.iter().all(Dim::is_exact) {
                return None;
            }
            let least = products.iter().skip(1).fold(products[0].clone(), |least, next| least.min_with(next));
            let greatest =
                products.iter().skip(1).fold(products[0].clone(), |most, next| most.max_with(next));
            Interval { least, greatest }
        }
        _ => return None,
    })
}

/// The affine expression in scan steps of an int scalar.
fn step_form(value: &Value) -> Option<Affine> {
    match value {
        Value::Int(dim) => Some(Affine::constant(dim.clone())),
        Value::Tensor(tensor) => tensor.affine.clone(),
        _ => None,
    }
}
