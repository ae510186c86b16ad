//! Tests that ints stay in 64 bits, where the ranges do not show it.
//!
//! Every operation is tested, whether its result is used or not, so the outcome does not depend on loop fusion.

use super::access::{Node, Work};
use super::emit::Emitter;
use super::ir::*;
use crate::ir::{BinaryOp, Combine, ScalarId, UnaryOp};

impl Work {
    /// The kind that values have when they are combined into the target: of ints that of the target.
    pub fn value_kind(&self) -> Kind {
        match (self.combine, self.target_kind) {
            (Combine::ArgMax | Combine::ArgMin, _) => self.kinds[self.result.0 as usize],
            (_, Kind::I32 | Kind::I64) => self.target_kind,
            _ => self.kinds[self.result.0 as usize],
        }
    }
}

impl Emitter<'_> {
    /// Stores the number of the fault if an operation of a point leaves 64 bits, or if `also` holds.
    pub fn test(&mut self, work: &Work, point: &[i64], also: Option<ValueId>) {
        if self.fault.is_none() || !work.is_open() {
            return;
        }
        let mut memo = vec![None; work.nodes.len()];
        let mut any = also;
        for at in (0..work.nodes.len()).filter(|at| work.open[*at]) {
            let (op, a, b) = match &work.nodes[at] {
                Node::Unary(UnaryOp::Neg, a) => (Binary::Sub, None, *a),
                Node::Binary(BinaryOp::Add, a, b) => (Binary::Add, Some(*a), *b),
                Node::Binary(BinaryOp::Sub, a, b) => (Binary::Sub, Some(*a), *b),
                Node::Binary(BinaryOp::Mul, a, b) => (Binary::Mul, Some(*a), *b),
                Node::Binary(BinaryOp::FloorDiv, a, b) => (Binary::FloorDiv, Some(*a), *b),
                _ => continue,
            };
            let mut value = |id: ScalarId| self.eval(work, id, point, &mut memo);
            let (left, right) = (a.map(&mut value), value(b));
            let left = left.unwrap_or_else(|| self.builder.int(Kind::I64, 0));
            let overflow = self.builder.overflows(op, left, right);
            any = Some(match any {
                Some(any) => self.builder.binary(Binary::Or, any, overflow),
                None => overflow,
            });
        }
        self.report(any);
    }

    /// Stores the number of the fault if the condition holds.
    pub fn report(&mut self, condition: Option<ValueId>) {
        let (Some(condition), Some((param, site))) = (condition, self.fault) else { return };
        self.builder.begin_if(condition);
        let site = self.builder.int(Kind::I64, site);
        self.builder.store(Address { param, index: Linear::default() }, site);
        self.builder.end_if();
    }

    /// Whether combining a value into another leaves 64 bits.
    pub fn combine_overflows(&mut self, work: &Work, old: ValueId, value: ValueId) -> Option<ValueId> {
        let op = match work.combine {
            Combine::Add => Binary::Add,
            Combine::Mul => Binary::Mul,
            _ => return None,
        };
        work.open_combine.then(|| self.builder.overflows(op, old, value))
    }
}
