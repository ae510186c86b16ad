//! Sign analysis: whether values are known to be positive, so that dividing by them or taking their logarithm is
//! safe.

use super::affine::Var;
use super::dim::Dim;
use super::graph::{Combine, Graph, Loop, NodeId, Op, RandKind};
use super::scalar::{BinaryOp, Body, Scalar, ScalarId, Sub, UnaryOp};
use super::types::ConstData;

/// What is known of a value (or of all elements of a tensor), the weakest statement first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sign {
    Any,
    /// At least 0.
    NotNegative,
    /// Above 0 as a real number; rounding may have made it 0.
    Positive,
    /// At least some positive constant.
    Bounded,
}

/// The signs of the nodes of a graph, computed when they are asked for.
#[derive(Default, Debug)]
pub struct Signs {
    known: Vec<Sign>,
    /// Whether to use only the form of expressions and not the values of constants: a constant that happens not to
    /// be negative then has no known sign.
    by_form: bool,
}

impl Signs {
    /// The signs that expressions have by their form, such as sums of squares.
    pub fn by_form() -> Signs {
        Signs { by_form: true, ..Signs::default() }
    }

    /// The sign of a node. Each node is analysed once.
    pub fn of(&mut self, graph: &Graph, id: NodeId) -> Sign {
        for at in self.known.len()..=id.0 as usize {
            let sign = self.node(graph, NodeId(at as u32));
            self.known.push(sign);
        }
        self.known[id.0 as usize]
    }

    /// The sign of a scalar of an expression that reads `operands` over `domain`.
    pub fn of_scalar(
        &mut self,
        graph: &Graph,
        body: &Body,
        id: ScalarId,
        operands: &[NodeId],
        domain: &[Dim],
    ) -> Sign {
        let signs = self.of_scalars(graph, &body.nodes[..=id.0 as usize], operands, domain);
        signs[id.0 as usize]
    }

    /// The signs of the scalars of an expression that reads `operands` over `domain`.
    pub fn of_scalars(
        &mut self,
        graph: &Graph,
        scalars: &[Scalar],
        operands: &[NodeId],
        domain: &[Dim],
    ) -> Vec<Sign> {
        let mut signs: Vec<Sign> = Vec::with_capacity(scalars.len());
        for scalar in scalars {
            let of = |id: &ScalarId| signs[id.0 as usize];
            let sign = match scalar {
                Scalar::Float(value) => of_number(value.0),
                Scalar::Int(value) => of_number(*value as f64),
                Scalar::Bool(_) => Sign::NotNegative,
                Scalar::Affine(affine) => {
                    let bounds = affine.terms.iter().all(|(var, _)| matches!(var, Var::Index(_)));
                    let size = |var: Var| match var {
                        Var::Index(index) => domain[index as usize].clone(),
                        Var::Step(_) => Dim::ONE,
                    };
                    match bounds.then(|| affine.bounds(size)).flatten() {
                        Some((least, _)) if least.at_least(&Dim::ONE) => Sign::Bounded,
                        Some((least, _)) if least.at_least(&Dim::ZERO) => Sign::NotNegative,
                        _ => Sign::Any,
                    }
                }
                Scalar::Read { operand, padded, .. } => {
                    let sign = self.of(graph, operands[*operand as usize]);
                    if *padded { sign.min(Sign::NotNegative) } else { sign }
                }
                Scalar::Unary(op, a) => match op {
                    UnaryOp::Exp | UnaryOp::NormalCdf => Sign::Positive,
                    UnaryOp::Sqrt => of(a).max(Sign::NotNegative),
                    UnaryOp::Tanh | UnaryOp::Erf => of(a).min(Sign::Positive),
                    UnaryOp::ToFloat | UnaryOp::Stop => of(a),
                    UnaryOp::Ceil => of(a),
                    UnaryOp::Floor | UnaryOp::Round | UnaryOp::ToInt => of(a).min(Sign::NotNegative),
                    // Nothing more than its range is known of any other.
                    other => of_number(other.properties().range.0),
                },
                Scalar::Binary(op, a, b) => match op {
                    BinaryOp::Add => sum(of(a), of(b)),
                    BinaryOp::Mul if a == b => of(a).max(Sign::NotNegative),
                    BinaryOp::Mul => product(of(a), of(b)),
                    BinaryOp::Div => product(of(a), of(b)).min(Sign::Positive),
                    BinaryOp::Pow => of(a).min(Sign::Positive),
                    BinaryOp::Sub
                    | BinaryOp::FloorDiv
                    | BinaryOp::Mod
                    | BinaryOp::Lt
                    | BinaryOp::Le
                    | BinaryOp::Eq
                    | BinaryOp::And
                    | BinaryOp::Or => Sign::Any,
                },
                Scalar::Select(condition, a, b) => {
                    if is_absolute_value(scalars, *condition, *a, *b) {
                        Sign::NotNegative
                    } else {
                        of(a).min(of(b))
                    }
                }
                Scalar::WithSlope { value, .. } => of(value),
            };
            signs.push(sign);
        }
        signs
    }

    fn node(&mut self, graph: &Graph, id: NodeId) -> Sign {
        let node = &graph[id];
        match &node.op {
            Op::Const(_) | Op::Rand { .. } if self.by_form => Sign::Any,
            Op::Const(value) => {
                let least = match &value.data {
                    ConstData::Float(values) => {
                        values.iter().map(|value| value.0).fold(f64::INFINITY, f64::min)
                    }
                    ConstData::Int(values) => values.iter().map(|v| *v as f64).fold(f64::INFINITY, f64::min),
                    ConstData::Bool(_) => 0.0,
                };
                of_number(least)
            }
            Op::Reshape { .. } | Op::Mark(_) => self.of(graph, node.operands[0]),
            Op::Rand { kind: RandKind::Uniform, .. } => Sign::NotNegative,
            Op::Loop(body) => {
                let body = body.clone();
                let operands = node.operands.clone();
                let value = self.of_scalar(graph, &body.body, body.body.result, &operands, &body.domain);
                of_loop(&body, value)
            }
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Rand { kind: RandKind::Normal, .. }
            | Op::Scan(_)
            | Op::Result(_)
            | Op::Carry { .. }
            | Op::Capture { .. } => Sign::Any,
        }
    }
}

fn of_loop(body: &Loop, value: Sign) -> Sign {
    match body.combine {
        // Elements that are not written are 0.
        Combine::Set | Combine::Add if covers(body) => value,
        Combine::Set | Combine::Add => value.min(Sign::NotNegative),
        Combine::Mul => value.min(Sign::Positive),
        Combine::Max | Combine::Min if covers(body) => value,
        Combine::Max | Combine::Min => Sign::Any,
        Combine::ArgMax | Combine::ArgMin => Sign::NotNegative,
    }
}

/// Whether every element is certainly written.
fn covers(body: &Loop) -> bool {
    let written = (0..body.write.len()).all(|axis| match (&body.write[axis], body.write_index(axis)) {
        (_, Some(index)) => {
            body.domain[index] == body.shape[axis]
                && (0..axis).all(|other| body.write_index(other) != Some(index))
        }
        (Sub::Affine(affine), None) => affine.as_number() == Some(0) && body.shape[axis].is_number(1),
        (Sub::Value(_), None) => false,
    });
    written
        && (0..body.domain.len()).all(|index| {
            body.domain[index].at_least(&Dim::ONE)
                || (0..body.write.len()).any(|axis| body.write_index(axis) == Some(index))
        })
}

fn of_number(value: f64) -> Sign {
    if value > 0.0 {
        Sign::Bounded
    } else if value == 0.0 {
        Sign::NotNegative
    } else {
        Sign::Any
    }
}

fn sum(a: Sign, b: Sign) -> Sign {
    if a.min(b) == Sign::Any { Sign::Any } else { a.max(b) }
}

fn product(a: Sign, b: Sign) -> Sign {
    a.min(b)
}

/// `if x < 0 then -x else …x…` or `if 0 < x then …x… else -x`, the rest of which is `|x|` too.
fn is_absolute_value(scalars: &[Scalar], condition: ScalarId, a: ScalarId, b: ScalarId) -> bool {
    let at = |id: ScalarId| &scalars[id.0 as usize];
    let zero = |id: ScalarId| matches!(at(id), Scalar::Float(value) if value.0 == 0.0);
    let negated = |id: ScalarId, x: ScalarId| matches!(at(id), Scalar::Unary(UnaryOp::Neg, of) if *of == x);
    // x itself, or a value that is 0 where x is 0.
    let plain = |id: ScalarId, x: ScalarId| {
        id == x
            || matches!(at(id), Scalar::Select(test, on, off)
                if zero(*on) && *off == x && matches!(at(*test), Scalar::Binary(BinaryOp::Eq, of, _) if *of == x))
    };
    match *at(condition) {
        Scalar::Binary(BinaryOp::Lt | BinaryOp::Le, x, bound) if zero(bound) => {
            (negated(a, x) || zero(a)) && plain(b, x)
        }
        Scalar::Binary(BinaryOp::Lt | BinaryOp::Le, bound, x) if zero(bound) => {
            (plain(a, x)) && (negated(b, x) || zero(b))
        }
        _ => false,
    }
}
