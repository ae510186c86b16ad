//! The loop of a reducer.

use crate::base::Span;
use crate::ir::build::LoopParts;
use crate::ir::{BinaryOp, Combine, Dim, Elem, LoopBuilder, ScalarId};
use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::operators::interval_of;
use crate::sema::build::tensors::convert;
use crate::sema::scope::report::values::ValueError;
use crate::sema::value::{Interval, Value};
use crate::syntax::ast::{self, ReduceOp};

/// What a reducer goes over.
pub struct Terms {
    /// A term.
    pub scalar: ScalarId,
    /// Whether it counts; all do, if there is none.
    pub condition: Option<ScalarId>,
    /// How many there are, those that do not count with them.
    pub count: Dim,
}

impl Builder<'_> {
    /// The term with the element type in which it is reduced. Reports terms that cannot be reduced so.
    pub fn reducible(&mut self, op: ReduceOp, id: ScalarId, value: &Value, span: Span) -> Option<ScalarId> {
        let elem = self.with_index_body(|l| l.elem(id))?;
        let wanted = match op {
            ReduceOp::Any | ReduceOp::All if elem != Elem::Bool => {
                let found = value.clone();
                self.report(ValueError::NotBools { by: op.as_str(), found, at: span });
                return None;
            }
            ReduceOp::Any | ReduceOp::All => Elem::Bool,
            ReduceOp::Mean => Elem::Float,
            ReduceOp::Sum
            | ReduceOp::Prod
            | ReduceOp::Max
            | ReduceOp::Min
            | ReduceOp::Argmax
            | ReduceOp::Argmin => {
                if elem == Elem::Bool {
                    Elem::Int
                } else {
                    elem
                }
            }
        };
        self.with_index_body(|l| convert(l, id, wanted))
    }

    /// The loops of a reducer, and its value in the expression around it.
    pub fn reduced(
        &mut self,
        op: ReduceOp,
        parts: LoopParts,
        around: usize,
        terms: &Terms,
        span: Span,
    ) -> Value {
        let Terms { scalar, condition, count: ref all } = *terms;
        let combine = match op {
            ReduceOp::Sum | ReduceOp::Mean => Combine::Add,
            ReduceOp::Prod => Combine::Mul,
            ReduceOp::Max | ReduceOp::Any => Combine::Max,
            ReduceOp::Min | ReduceOp::All => Combine::Min,
            ReduceOp::Argmax => Combine::ArgMax,
            ReduceOp::Argmin => Combine::ArgMin,
        };
        let mut builder = LoopBuilder::resume(self.graph(), parts.clone());
        let scalar = match condition {
            Some(condition) => {
                let identity = identity(&mut builder, combine, scalar);
                builder.select(condition, scalar, identity)
            }
            None => scalar,
        };
        let (tensor, used) = self.emit_reducer(builder.suspend(), around, combine, scalar, span);
        let made = self.read_back(tensor, &used);
        if op != ReduceOp::Mean {
            return made;
        }
        let count = match condition {
            Some(condition) => {
                let mut builder = LoopBuilder::resume(self.graph(), parts);
                let (one, zero) = (builder.float(1.0), builder.float(0.0));
                let counted = builder.select(condition, one, zero);
                let (tensor, used) =
                    self.emit_reducer(builder.suspend(), around, Combine::Add, counted, span);
                let count = self.read_back(tensor, &used);
                // Without terms the mean is 0 / 1.
                self.elementwise("count", &[Arg { value: &count, span }], span, &mut |l, scalars| {
                    let one = l.float(1.0);
                    let none = l.binary(BinaryOp::Lt, scalars[0], one);
                    l.select(none, one, scalars[0])
                })
            }
            None if all.is_number(0) => Value::int(1),
            None => Value::Int(all.clone()),
        };
        self.binary(ast::BinaryOp::Div, Arg { value: &made, span }, Arg { value: &count, span }, span)
    }
}

/// What combines with every value to that value.
pub fn identity(l: &mut LoopBuilder<'_>, combine: Combine, like: ScalarId) -> ScalarId {
    let greatest = match combine {
        Combine::Set | Combine::Add => {
            return match l.elem(like) {
                Elem::Float => l.float(0.0),
                Elem::Int => l.int(0),
                Elem::Bool => l.bool(false),
            };
        }
        Combine::Mul => {
            return match l.elem(like) {
                Elem::Float => l.float(1.0),
                Elem::Int => l.int(1),
                Elem::Bool => l.bool(true),
            };
        }
        Combine::Max | Combine::ArgMax => false,
        Combine::Min | Combine::ArgMin => true,
    };
    match l.elem(like) {
        Elem::Float => l.float(if greatest { f64::INFINITY } else { f64::NEG_INFINITY }),
        Elem::Int => l.int(if greatest { i64::MAX } else { i64::MIN }),
        Elem::Bool => l.bool(greatest),
    }
}

/// The interval of a reduced int.
pub fn result_interval(op: ReduceOp, value: &Value, terms: &Dim) -> Option<Interval> {
    match op {
        ReduceOp::Argmax | ReduceOp::Argmin => Some(Interval::below(terms)),
        ReduceOp::Max | ReduceOp::Min if terms.at_least(&Dim::ONE) => interval_of(value),
        ReduceOp::Sum => {
            let interval = interval_of(value)?;
            Some(Interval { least: &interval.least * terms, greatest: &interval.greatest * terms })
        }
        _ => None,
    }
}
