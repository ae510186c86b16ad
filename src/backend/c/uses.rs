//! Which values and parameters statements use.

use std::collections::{HashMap, HashSet};

use super::lanes::{Piece, uses};
use crate::loops::{Bound, Expr, Stmt, ValueId};

/// How often each value is used.
pub fn count(block: &[Stmt], counts: &mut HashMap<ValueId, usize>) {
    for stmt in block {
        let mut add = |value: ValueId| *counts.entry(value).or_default() += 1;
        match stmt {
            Stmt::Let(_, expr) => expr.for_each_value(add),
            Stmt::Store { address, value } => {
                add(*value);
                address.index.terms.iter().for_each(|(term, _)| add(*term));
            }
            Stmt::For(inner) => {
                for bound in [inner.from, inner.to] {
                    if let Bound::Value(value) = bound {
                        add(value);
                    }
                }
                inner.carries.iter().for_each(|carry| {
                    add(carry.start);
                    // What goes round is a variable.
                    add(carry.next);
                    add(carry.next);
                });
                count(&inner.body, counts);
            }
            Stmt::If { condition, then } => {
                add(*condition);
                count(then, counts);
            }
            Stmt::Check { .. } => {}
        }
    }
}

/// The values that a statement on one level uses.
pub fn used_by(stmt: &Stmt, values: &mut HashSet<ValueId>) {
    match stmt {
        Stmt::Let(_, expr) => values.extend(uses(expr)),
        Stmt::Store { address, value } => {
            values.insert(*value);
            values.extend(address.index.terms.iter().map(|(term, _)| *term));
        }
        Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => {}
    }
}

/// The values that a piece uses.
pub fn used_in(piece: &Piece<'_>, values: &mut HashSet<ValueId>) {
    match piece {
        Piece::One(stmt) | Piece::Part(stmt, _) => used_by(stmt, values),
        Piece::Lanes(_, statements) => statements.iter().for_each(|stmt| used_by(stmt, values)),
        Piece::For(inner, body) => {
            values.extend(inner.carries.iter().flat_map(|carry| [carry.start, carry.next]));
            body.iter().for_each(|piece| used_in(piece, values));
        }
        Piece::If(condition, body) => {
            values.insert(*condition);
            body.iter().for_each(|piece| used_in(piece, values));
        }
    }
}

/// The parameters and values that a block uses.
pub fn used(block: &[Stmt], params: &mut HashSet<u32>, values: &mut HashSet<ValueId>) {
    for stmt in block {
        used_by(stmt, values);
        match stmt {
            Stmt::Let(_, Expr::Load(address)) | Stmt::Store { address, .. } => {
                params.insert(address.param);
            }
            Stmt::Let(_, Expr::Gather(addresses)) => params.extend(addresses.iter().map(|address| address.param)),
            Stmt::For(inner) => {
                for bound in [inner.from, inner.to] {
                    if let Bound::Value(value) = bound {
                        values.insert(value);
                    }
                }
                used(&inner.body, params, values);
            }
            Stmt::If { then, .. } => used(then, params, values),
            _ => {}
        }
    }
}
