//! Scalar operations of the tensor IR as values of the loop IR, in as many lanes as their operands have.

use super::builder::Builder;
use super::ir::*;
use super::math::{self, Function};
use crate::ir::{BinaryOp, Combine, UnaryOp};

pub fn unary(b: &mut Builder, float: Kind, op: UnaryOp, a: ValueId) -> ValueId {
    match op {
        UnaryOp::Neg => b.unary(Unary::Neg, a),
        UnaryOp::Sqrt => b.unary(Unary::Sqrt, a),
        UnaryOp::Floor => b.unary(Unary::Floor, a),
        UnaryOp::Ceil => b.unary(Unary::Ceil, a),
        UnaryOp::Round => b.unary(Unary::Round, a),
        UnaryOp::Not => b.unary(Unary::Not, a),
        UnaryOp::ToFloat => b.as_float(float, a),
        UnaryOp::ToInt => b.unary(Unary::ToInt, a),
        UnaryOp::Stop => a,
        UnaryOp::Exp => math::function(b, Function::Exp, a),
        UnaryOp::Log => math::function(b, Function::Log, a),
        UnaryOp::Sin => math::function(b, Function::Sin, a),
        UnaryOp::Cos => math::function(b, Function::Cos, a),
        UnaryOp::Tanh => math::function(b, Function::Tanh, a),
        UnaryOp::Erf => math::function(b, Function::Erf, a),
        UnaryOp::NormalCdf => math::function(b, Function::NormalCdf, a),
    }
}

pub fn binary(b: &mut Builder, op: BinaryOp, x: ValueId, y: ValueId) -> ValueId {
    let op = match op {
        BinaryOp::Add => Binary::Add,
        BinaryOp::Sub => Binary::Sub,
        BinaryOp::Mul => Binary::Mul,
        BinaryOp::Div => Binary::Div,
        BinaryOp::Pow => return math::power(b, x, y),
        BinaryOp::FloorDiv => return lane_by_lane(b, Binary::FloorDiv, x, y),
        BinaryOp::Mod => return lane_by_lane(b, Binary::Mod, x, y),
        BinaryOp::Lt => Binary::Lt,
        BinaryOp::Le => Binary::Le,
        BinaryOp::Eq => Binary::Eq,
        BinaryOp::And => Binary::And,
        BinaryOp::Or => Binary::Or,
    };
    b.binary(op, x, y)
}

/// An operation that no processor has for vectors. Its loop does not become lanes on its account, but an operand that
/// an earlier stage has left in a register lies in lanes if other stages do.
fn lane_by_lane(b: &mut Builder, op: Binary, x: ValueId, y: ValueId) -> ValueId {
    let (x, y) = b.match_lanes(x, y);
    let ty = b.ty(x);
    if ty.lanes == 1 {
        return b.binary(op, x, y);
    }
    let lane = |b: &mut Builder, lane: u8| {
        let (x, y) = (b.extract(x, lane), b.extract(y, lane));
        b.binary(op, x, y)
    };
    let results = (0..ty.lanes).map(|at| lane(b, at)).collect();
    b.add(ty, Expr::Pack(results))
}

/// Zero or false.
pub fn zero(b: &mut Builder, kind: Kind) -> ValueId {
    number(b, kind, 0.0)
}

fn number(b: &mut Builder, kind: Kind, value: f64) -> ValueId {
    match kind {
        Kind::F32 | Kind::F64 => b.float(kind, value),
        Kind::I32 | Kind::I64 => b.int(kind, value as i64),
        Kind::Bool => b.bool(value != 0.0),
    }
}

/// The value of an element before anything is combined into it.
pub fn identity(b: &mut Builder, combine: Combine, kind: Kind) -> ValueId {
    let value = match (combine, kind) {
        (Combine::Set | Combine::Add, _) => 0.0,
        (Combine::Mul, _) => 1.0,
        (Combine::Max | Combine::ArgMax, Kind::F32 | Kind::F64) => f64::NEG_INFINITY,
        (Combine::Max | Combine::ArgMax, Kind::I32) => return b.int(kind, i32::MIN.into()),
        (Combine::Max | Combine::ArgMax, Kind::I64) => return b.int(kind, i64::MIN),
        (Combine::Max | Combine::ArgMax, Kind::Bool) => 0.0,
        (Combine::Min | Combine::ArgMin, Kind::F32 | Kind::F64) => f64::INFINITY,
        (Combine::Min | Combine::ArgMin, Kind::I32) => return b.int(kind, i32::MAX.into()),
        (Combine::Min | Combine::ArgMin, Kind::I64) => return b.int(kind, i64::MAX),
        (Combine::Min | Combine::ArgMin, Kind::Bool) => 1.0,
    };
    number(b, kind, value)
}

/// An element and the next value that is combined into it. The first NaN is taken by max and min and stays.
pub fn combine(b: &mut Builder, combine: Combine, old: ValueId, value: ValueId) -> ValueId {
    let is_bool = b.ty(value).kind == Kind::Bool;
    let op = match combine {
        Combine::Set | Combine::ArgMax | Combine::ArgMin => return value,
        Combine::Add if is_bool => Binary::Or,
        Combine::Mul if is_bool => Binary::And,
        Combine::Add => Binary::Add,
        Combine::Mul => Binary::Mul,
        Combine::Max if is_bool => Binary::Or,
        Combine::Min if is_bool => Binary::And,
        Combine::Max => Binary::Max,
        Combine::Min => Binary::Min,
    };
    match op {
        Binary::Max | Binary::Min if b.ty(value).kind.is_float() => {
            // `value > old ? value : old` keeps the old one if either is NaN; a value that is NaN is taken.
            let extreme = b.binary(op, value, old);
            let is_number = b.binary(Binary::Eq, value, value);
            b.select(is_number, extreme, value)
        }
        _ => b.binary(op, old, value),
    }
}

/// Stands for the number of an element where there is no element: it is greater than every number.
pub fn no_number(b: &mut Builder, kind: Kind, lanes: u8) -> ValueId {
    let none = b.int(kind, if kind == Kind::I32 { i32::MAX.into() } else { i64::MAX });
    b.splat(none, lanes)
}
