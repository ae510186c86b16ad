//! Constant evaluation: operators on compile-time values (sizes, quotients that are not decided yet, floats,
//! bools); `==` of values of any kind.

use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::value::{Function, Value};
use crate::sema::scope::report::numbers::NumberError;
use crate::base::Span;
use crate::ir::Dim;
use crate::syntax::ast::BinaryOp;

impl Builder<'_> {
    /// The result, if both sides are known at compile time.
    pub fn constant_binary(
        &mut self,
        op: BinaryOp,
        left: Arg<'_>,
        right: Arg<'_>,
        span: Span,
    ) -> Option<Value> {
        let (a, b) = (left.value, right.value);
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne)
            && let Some(equal) = compare_kinds(a, b)
        {
            return Some(Value::Bool(equal == (op == BinaryOp::Eq)));
        }
        if let (Value::Bool(x), Value::Bool(y)) = (a, b) {
            match op {
                BinaryOp::And => return Some(Value::Bool(*x && *y)),
                BinaryOp::Or => return Some(Value::Bool(*x || *y)),
                BinaryOp::Eq => return Some(Value::Bool(x == y)),
                BinaryOp::Ne => return Some(Value::Bool(x != y)),
                _ => {}
            }
        }
        if !a.is_number() || !b.is_number() || matches!(op, BinaryOp::And | BinaryOp::Or) {
            return None;
        }
        let as_int = |value: &Value| match value {
            Value::Int(dim) => Some(dim.clone()),
            Value::Bool(value) => Some(Dim::number(i64::from(*value))),
            _ => None,
        };
        if let (Some(x), Some(y)) = (as_int(a), as_int(b)) {
            return self.int_binary(op, &x, &y, span);
        }
        let ratio = |value: &Value| match value {
            Value::Ratio(p, q) => Some((p.clone(), q.clone())),
            other => as_int(other).map(|dim| (dim, Dim::ONE)),
        };
        if let (Some((p, q)), Some((r, s))) = (ratio(a), ratio(b)) {
            let made = match op {
                BinaryOp::Add => Some((&(&p * &s) + &(&r * &q), &q * &s)),
                BinaryOp::Sub => Some((&(&p * &s) - &(&r * &q), &q * &s)),
                BinaryOp::Mul => Some((&p * &r, &q * &s)),
                BinaryOp::Div => Some((&p * &s, &q * &r)),
                _ => None,
            };
            if let Some((p, q)) = made {
                return Some(quotient(p, q));
            }
            if op.is_comparison() && q.at_least(&Dim::ONE) && s.at_least(&Dim::ONE) {
                return self.int_binary(op, &(&p * &s), &(&r * &q), span);
            }
        }
        let (x, y) = (a.as_float()?, b.as_float()?);
        Some(match op {
            BinaryOp::Add => Value::Float(x + y),
            BinaryOp::Sub => Value::Float(x - y),
            BinaryOp::Mul => Value::Float(x * y),
            BinaryOp::Div => Value::Float(x / y),
            BinaryOp::Pow => Value::Float(x.powf(y)),
            BinaryOp::Eq => Value::Bool(x == y),
            BinaryOp::Ne => Value::Bool(x != y),
            BinaryOp::Lt => Value::Bool(x < y),
            BinaryOp::Le => Value::Bool(x <= y),
            BinaryOp::Gt => Value::Bool(x > y),
            BinaryOp::Ge => Value::Bool(x >= y),
            BinaryOp::And | BinaryOp::Or | BinaryOp::MatMul => return None,
        })
    }

    fn int_binary(&mut self, op: BinaryOp, a: &Dim, b: &Dim, span: Span) -> Option<Value> {
        Some(match op {
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => match (a.as_number(), b.as_number()) {
                (Some(x), Some(y)) => whole_or_float(op, x, y),
                _ if op == BinaryOp::Add => Value::Int(a + b),
                _ if op == BinaryOp::Sub => Value::Int(a - b),
                _ => Value::Int(a * b),
            },
            BinaryOp::Div => {
                if b.is_number(0) {
                    return Some(match a.as_number() {
                        Some(0) => Value::Float(f64::NAN),
                        Some(a) if a < 0 => Value::Float(f64::NEG_INFINITY),
                        _ => Value::Float(f64::INFINITY),
                    });
                }
                quotient(a.clone(), b.clone())
            }
            BinaryOp::Pow => match (a.as_number(), b.as_number()) {
                (Some(base), Some(n)) if n >= 0 => {
                    match u32::try_from(n).ok().and_then(|n| base.checked_pow(n)) {
                        Some(power) => Value::int(power),
                        None => Value::Float((base as f64).powf(n as f64)),
                    }
                }
                (Some(base), Some(n)) => Value::Float((base as f64).powf(n as f64)),
                (None, Some(n)) if (0..=16).contains(&n) => Value::Int(a.pow(n as u32)),
                _ => return None,
            },
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                match compare_sizes(op, a, b) {
                    Some(holds) => Value::Bool(holds),
                    None => {
                        let (left, right) = (a.clone(), b.clone());
                        self.report(NumberError::OpenComparison { left, op, right, at: span })
                    }
                }
            }
            BinaryOp::And | BinaryOp::Or | BinaryOp::MatMul => return None,
        })
    }
}

/// The sum, difference or product of two whole numbers: an int, or a float where no int can hold it.
fn whole_or_float(op: BinaryOp, x: i64, y: i64) -> Value {
    let (whole, near) = match op {
        BinaryOp::Add => (x.checked_add(y), x as f64 + y as f64),
        BinaryOp::Sub => (x.checked_sub(y), x as f64 - y as f64),
        _ => (x.checked_mul(y), x as f64 * y as f64),
    };
    whole.map_or(Value::Float(near), Value::int)
}

/// The negative of a whole number, by the same rule.
pub fn negated(dim: &Dim) -> Value {
    match dim.as_number() {
        Some(number) => whole_or_float(BinaryOp::Sub, 0, number),
        None => Value::Int(-dim),
    }
}

/// `a / b` of whole numbers: an int if the quotient is whole, a float if it is not, a quotient of sizes if that is
/// not known yet.
fn quotient(a: Dim, b: Dim) -> Value {
    match (a.as_number(), b.as_number()) {
        (Some(x), Some(y)) if y != 0 => match (x.checked_div(y), x.checked_rem(y)) {
            (Some(whole), Some(0)) => Value::int(whole),
            _ => Value::Float(x as f64 / y as f64),
        },
        // Where the division is exact as polynomials, both kinds of quotient are that polynomial.
        _ => match a.exact_div(&b) {
            Some(exact) if exact == a.floor_div(&b) => Value::Int(exact),
            _ => Value::Ratio(a, b),
        },
    }
}

/// Whether a comparison of sizes holds for all symbolic dimensions (each at least 1), or fails for all.
fn compare_sizes(op: BinaryOp, a: &Dim, b: &Dim) -> Option<bool> {
    let more = |dim: &Dim| dim + &Dim::ONE;
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Some(match op {
            BinaryOp::Eq => a == b,
            BinaryOp::Ne => a != b,
            BinaryOp::Lt => a < b,
            BinaryOp::Le => a <= b,
            BinaryOp::Gt => a > b,
            _ => a >= b,
        });
    }
    match op {
        BinaryOp::Eq if a == b => Some(true),
        BinaryOp::Eq if a.at_least(&more(b)) || b.at_least(&more(a)) => Some(false),
        BinaryOp::Ne => compare_sizes(BinaryOp::Eq, a, b).map(|equal| !equal),
        BinaryOp::Lt => compare_sizes(BinaryOp::Ge, a, b).map(|holds| !holds),
        BinaryOp::Gt => compare_sizes(BinaryOp::Ge, b, a).map(|holds| !holds),
        BinaryOp::Le => compare_sizes(BinaryOp::Ge, b, a),
        BinaryOp::Ge if a.at_least(b) => Some(true),
        BinaryOp::Ge if b.at_least(&more(a)) => Some(false),
        _ => None,
    }
}

/// `==` of values that are not both numbers or tensors: different kinds are different.
fn compare_kinds(a: &Value, b: &Value) -> Option<bool> {
    let numeric = |value: &Value| value.is_number() || value.is_run_time();
    match (a, b) {
        (Value::Str(x), Value::Str(y)) => Some(x == y),
        (Value::None, Value::None) => Some(true),
        (Value::Function(x), Value::Function(y)) => Some(match (x, y) {
            (Function::Item(x), Function::Item(y)) => x == y,
            (Function::Builtin(x), Function::Builtin(y)) => std::ptr::eq(*x, *y),
            _ => false,
        }),
        (Value::Layer(x), Value::Layer(y)) => Some(x == y),
        (Value::Instance(x), Value::Instance(y)) => Some(x.path == y.path),
        (Value::List(_) | Value::Pack(_), Value::List(_) | Value::Pack(_)) => {
            let (x, y) = (a.elements()?, b.elements()?);
            if x.iter().chain(&y).any(Value::is_run_time) {
                return None;
            }
            let equal = |(x, y): (&Value, &Value)| match (x, y) {
                (Value::Int(x), Value::Int(y)) => Some(x == y),
                (x, y) if x.is_number() && y.is_number() => Some(x.as_float()? == y.as_float()?),
                (x, y) => compare_kinds(x, y),
            };
            if x.len() != y.len() {
                return Some(false);
            }
            x.iter().zip(&y).map(equal).try_fold(true, |all, equal| equal.map(|equal| all && equal))
        }
        (a, b) if numeric(a) && numeric(b) => None,
        (Value::List(_) | Value::Pack(_), b) if b.is_run_time() => None,
        (a, Value::List(_) | Value::Pack(_)) if a.is_run_time() => None,
        (Value::Error | Value::Tuple(_) | Value::Data(_), _)
        | (_, Value::Error | Value::Tuple(_) | Value::Data(_)) => None,
        _ => Some(false),
    }
}
