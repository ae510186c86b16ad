//! Which registers an instruction reads and writes.

use super::{Inst, Int, Mem, Node, Src, V};

/// What an instruction does with a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Read,
    Write,
    /// Written while operands are still to be read.
    EarlyWrite,
    Both,
}

impl Inst {
    /// Calls `visit` with every register.
    pub fn for_each(&mut self, visit: &mut dyn FnMut(&mut V, Role)) {
        use Inst::*;
        use Role::*;
        fn src(operand: &mut Src, visit: &mut dyn FnMut(&mut V, Role)) {
            if let Src::Reg(operand) = operand {
                visit(operand, Read);
            }
        }
        fn int(operand: &mut Int, visit: &mut dyn FnMut(&mut V, Role)) {
            if let Int::Reg(operand) = operand {
                visit(operand, Read);
            }
        }
        fn mem(operand: &mut Mem, visit: &mut dyn FnMut(&mut V, Role)) {
            visit(&mut operand.base, Read);
            if let Some((index, _)) = &mut operand.index {
                visit(index, Read);
            }
        }
        match self {
            Binary { dst, a, b, .. } | Compare { dst, a, b, .. } => {
                visit(a, Read);
                src(b, visit);
                visit(dst, Write);
            }
            Unary { dst, a, .. } => {
                src(a, visit);
                visit(dst, Write);
            }
            Fma { dst, a, b, c, .. } => {
                [a, b, c].into_iter().for_each(|operand| src(operand, visit));
                visit(dst, Write);
            }
            Blend { dst, mask, then, otherwise, .. } => {
                visit(mask, Read);
                src(then, visit);
                visit(otherwise, Read);
                visit(dst, Write);
            }
            Masks { dst, a, b, .. } => {
                visit(a, Read);
                visit(b, Read);
                visit(dst, Write);
            }
            Join { dst, lower, upper, .. } => {
                visit(lower, Read);
                visit(upper, Read);
                visit(dst, Write);
            }
            Shift { dst, a, .. }
            | SplatMask { dst, a, .. }
            | ExtractMask { dst, a, .. }
            | Splat { dst, a, .. }
            | SplatInt { dst, a, .. }
            | Copy { dst, a }
            | Half { dst, a, .. }
            | Lane { dst, a, .. }
            | ToInt { dst, a }
            | FromInt { dst, a }
            | Convert { dst, a }
            | Move { dst, a }
            | Negate { dst, a, .. }
            | Extend { dst, a } => {
                visit(a, Read);
                visit(dst, Write);
            }
            Insert { dst, a, .. } => {
                visit(a, Read);
                visit(dst, Both);
            }
            InsertLoad { dst, from, .. } => {
                mem(from, visit);
                visit(dst, Both);
            }
            Load { dst, from, .. }
            | LoadMask { dst, from, .. }
            | SplatLoad { dst, from, .. }
            | LoadInt { dst, from, .. }
            | Address { dst, of: from } => {
                mem(from, visit);
                visit(dst, Write);
            }
            Store { from, to, .. } | StoreMask { from, to, .. } | StoreInt { from, to, .. } => {
                visit(from, Read);
                mem(to, visit);
            }
            Constant { dst, .. } | Set { dst, .. } | Iota { dst, .. } | Number { dst, .. } => {
                visit(dst, Write)
            }
            Alu { dst, a, b, .. } | Multiply { dst, a, b, .. } | ShiftInt { dst, a, by: b, .. } => {
                visit(a, Read);
                int(b, visit);
                visit(dst, Write);
            }
            Test { dst, a, b, .. } => {
                visit(a, Read);
                int(b, visit);
                visit(dst, Write);
            }
            Choose { dst, condition, a, b } => {
                visit(condition, Read);
                visit(a, Read);
                visit(b, Read);
                visit(dst, EarlyWrite);
            }
            Extreme { dst, a, b, .. } => {
                visit(a, Read);
                visit(b, Read);
                visit(dst, EarlyWrite);
            }
            Divide { dst, a, b, .. } => {
                visit(a, Read);
                visit(b, Read);
                visit(dst, EarlyWrite);
            }
            Bind(_) => {}
            Branch { a, b, .. } => {
                visit(a, Read);
                int(b, visit);
            }
            Check { place, below, report, .. } => {
                visit(place, Read);
                int(below, visit);
                visit(report, Read);
            }
            Advance { dst, .. } => visit(dst, Both),
        }
    }
}

impl Node {
    /// Calls `visit` with every register, in order.
    pub fn for_each(&mut self, visit: &mut dyn FnMut(&mut V, Role)) {
        match self {
            Node::Inst(inst) => inst.for_each(visit),
            Node::Loop(inner) => {
                if let Int::Reg(to) = &mut inner.to {
                    visit(to, Role::Read);
                }
                inner.body.iter_mut().for_each(|node| node.for_each(visit));
                visit(&mut inner.counter, Role::Both);
                inner.multiples.iter_mut().for_each(|(multiple, _)| visit(multiple, Role::Both));
            }
            Node::If { condition, then } => {
                visit(condition, Role::Read);
                then.iter_mut().for_each(|node| node.for_each(visit));
            }
        }
    }
}
