//! Functions that ask for compile-time facts about a tensor's values, by which a function of the library says what
//! it expects (`advise lower_bound(z) < 0, "…"`).

use super::{Arguments, Builtin, builtin};
use crate::ir::values::{self, Values};
use crate::sema::build::Builder;
use crate::sema::scope::report::values::ValueError;
use crate::sema::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    builtin(
        "lower_bound",
        "x",
        "What no element of x is below, as far as its formula says it, known at compile time; -inf otherwise.",
        |e, a| values_of(e, a).map_or(Value::Error, |values| Value::Float(values.interval.least)),
    ),
    builtin(
        "upper_bound",
        "x",
        "What no element of x is above, as far as its formula says it, known at compile time; inf otherwise.",
        |e, a| values_of(e, a).map_or(Value::Error, |values| Value::Float(values.interval.greatest)),
    ),
    builtin(
        "is_unbounded",
        "x",
        "Whether x is any number with the right parameters, as a linear layer's result is, known at compile time.",
        |e, a| {
            values_of(e, a).map_or(Value::Error, |values| {
                Value::Bool(
                    values.reached
                        && values.interval.least == f64::NEG_INFINITY
                        && values.interval.greatest == f64::INFINITY,
                )
            })
        },
    ),
    builtin(
        "is_log_softmax",
        "x",
        "Whether the exponentials of x add up to 1 along an axis by its formula, known at compile time.",
        |e, a| values_of(e, a).map_or(Value::Error, |values| Value::Bool(values.logarithms)),
    ),
];

/// `None` is reported.
fn values_of(e: &mut Builder<'_>, a: &Arguments) -> Option<Values> {
    let x = a.arg("x");
    if let Some(number) = x.value.as_float() {
        return Some(Values::within(number, number));
    }
    if x.value.kind().is_none() || matches!(x.value, Value::Str(_)) {
        e.report(ValueError::NoBounds { found: x.value.clone(), at: x.span });
        return None;
    }
    let Value::Tensor(tensor) = x.value else { return Some(Values::UNKNOWN) };
    if let Some(interval) = &tensor.interval
        && let (Some(least), Some(greatest)) = (interval.least.as_number(), interval.greatest.as_number())
    {
        return Some(Values::within(least as f64, greatest as f64));
    }
    let level = e.levels.iter().find(|level| level.id == tensor.level);
    Some(level.map_or(Values::UNKNOWN, |level| values::of(&level.graph, tensor.node)))
}
