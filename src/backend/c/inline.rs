//! Which values are written where they are used, instead of having a name: those that one statement uses, near by.

use std::collections::{HashMap, HashSet};

use super::lanes::{Piece, uses};
use crate::loops::{Binary, Expr, Stmt, Unary, ValueId};

/// So many operations stand in one expression at most.
const MOST: usize = 4;

/// Finds them in a block and the blocks in it. `counts` says how often each value is used anywhere.
pub fn find(pieces: &[Piece<'_>], counts: &HashMap<ValueId, usize>, found: &mut HashSet<ValueId>) {
    let mut run: Vec<&Stmt> = Vec::new();
    for piece in pieces {
        if let Piece::One(stmt) = piece {
            run.push(stmt);
            continue;
        }
        within(&run, counts, found);
        run.clear();
        match piece {
            Piece::One(_) | Piece::Part(..) => {}
            Piece::Lanes(_, statements) => within(statements, counts, found),
            Piece::For(_, body) | Piece::If(_, body) => find(body, counts, found),
        }
    }
    within(&run, counts, found);
}

/// What is known of a value on its way into the expression of another.
struct Candidate {
    /// The first statement whose load it contains.
    loaded: Option<usize>,
    operations: usize,
}

fn within(run: &[&Stmt], counts: &HashMap<ValueId, usize>, found: &mut HashSet<ValueId>) {
    let mut candidates: HashMap<ValueId, Candidate> = HashMap::new();
    let mut last_store = None;
    for (at, stmt) in run.iter().enumerate() {
        let used = match stmt {
            Stmt::Let(_, expr) => uses(expr),
            Stmt::Store { value, .. } => vec![*value],
            Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => Vec::new(),
        };
        let mut here = Candidate { loaded: None, operations: 1 };
        let is_once = !matches!(stmt, Stmt::Let(_, expr) if names_twice(expr));
        for value in used {
            let Some(candidate) = candidates.remove(&value) else { continue };
            let is_moved = candidate.loaded.is_some_and(|load| last_store.is_some_and(|store| store > load));
            if is_once && !is_moved && here.operations + candidate.operations <= MOST {
                found.insert(value);
                here.operations += candidate.operations;
                here.loaded = [here.loaded, candidate.loaded].into_iter().flatten().min();
            }
        }
        match stmt {
            Stmt::Store { .. } => last_store = Some(at),
            Stmt::Let(value, expr) => {
                if matches!(expr, Expr::Load(_) | Expr::Gather(_)) {
                    here.loaded = Some(at);
                }
                if counts.get(value) == Some(&1) && !matches!(expr, Expr::Pack(_) | Expr::Half(..)) {
                    candidates.insert(*value, here);
                }
            }
            Stmt::For(_) | Stmt::If { .. } | Stmt::Check { .. } => {}
        }
    }
}

/// Whether the expression of C has an operand twice, or takes only names.
fn names_twice(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Binary(Binary::Min | Binary::Max, ..)
            | Expr::Unary(Unary::Abs, _)
            | Expr::Gather(_)
            | Expr::Load(_)
            | Expr::Linear(_)
            | Expr::Pack(_)
            | Expr::Half(..)
            | Expr::Overflows(..)
    )
}
