//! Reducers: `sum[i < N, j](body)`.
//!
//! A reducer becomes a loop of its own over the indices around it that its body uses, and its own. A reducer
//! directly in one of the same kind (`sum[i](sum[j](…))`) becomes one loop with it.

use crate::sema::build::index::reduce::{Terms, result_interval};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Value;
use super::uses::Uses;
use crate::sema::build::index::{Bases, Introduced};
use crate::sema::scope::report::calls::CallError;
use crate::sema::scope::report::indices::IndexError;
use crate::base::Span;
use crate::ir::Dim;
use crate::syntax::ast::{self, ExprKind, ReduceIndex, ReduceOp};

/// `sum[i < N, j](body)`
pub fn reduce(elaborator: &mut Elaborator<'_>, reduce: &ast::Reduce, span: Span) -> Value {
    if elaborator.reducer_is_hidden(reduce) {
        return Value::Error;
    }
    let (indices, body) = flattened(reduce);
    let Some((new, bases)) = elaborator.reducer_indices(&indices, body, reduce, span) else {
        return Value::Error;
    };
    let (around, opened) = elaborator.open_frame(true, &new, true, bases);
    let value = elaborator.expr(body, None);
    let scalar = elaborator.indexed_scalar(&value, body.span);
    let scalar = scalar.and_then(|id| elaborator.reducible(reduce.op, id, &value, body.span));
    let condition = elaborator.skip_condition();
    let (Some(frame), Some(scalar), true) = (elaborator.close_frame(opened), scalar, !new.doubtful) else {
        return Value::Error;
    };
    let count = Dim::product(&frame.parts.domain()[around..]);
    let interval = if condition.is_none() { result_interval(reduce.op, &value, &count) } else { None };
    let terms = Terms { scalar, condition, count };
    let made = elaborator.reduced(reduce.op, frame.parts, around, &terms, span);
    crate::sema::build::operators::with_interval(made, interval)
}

/// The indices and the body of a reducer, taking in those directly in it that reduce in the same way.
pub(super) fn flattened(reduce: &ast::Reduce) -> (Vec<&ReduceIndex>, &ast::Expr) {
    let mut indices: Vec<&ReduceIndex> = reduce.indices.iter().collect();
    let mut body = &reduce.body;
    while let ExprKind::Reduce(inner) = &body.kind {
        let merges = match reduce.op {
            ReduceOp::Sum
            | ReduceOp::Prod
            | ReduceOp::Max
            | ReduceOp::Min
            | ReduceOp::Any
            | ReduceOp::All => true,
            ReduceOp::Mean | ReduceOp::Argmax | ReduceOp::Argmin => false,
        };
        let again = |index: &ReduceIndex| indices.iter().any(|known| name_of(known) == name_of(index));
        if !merges || inner.op != reduce.op || inner.indices.iter().any(again) || bounds_name(&indices, inner)
        {
            break;
        }
        indices.extend(&inner.indices);
        body = &inner.body;
    }
    (indices, body)
}

/// Whether a range of the inner reducer names an index of the outer one: an error to be shown there.
fn bounds_name(outer: &[&ReduceIndex], inner: &ast::Reduce) -> bool {
    let mut is_named = false;
    for index in &inner.indices {
        if let ReduceIndex::Index(ast::Index { bound: Some(bound), .. }) = index {
            crate::sema::walk::expr(bound, &mut |part| {
                is_named |= part.as_name().is_some_and(|name| outer.iter().any(|index| name_of(index) == &**name));
            });
        }
    }
    is_named
}

fn name_of(index: &ReduceIndex) -> &str {
    match index {
        ReduceIndex::Index(index) => &index.name.text,
        ReduceIndex::Pack(pack) => &pack.text,
    }
}

impl Elaborator<'_> {
    /// Reports a reducer whose name a binding hides.
    fn reducer_is_hidden(&mut self, reduce: &ast::Reduce) -> bool {
        let name = reduce.op.as_str();
        let Some(binding) = self.frame().find(name) else { return false };
        let (kind, declared) = (binding.kind, binding.span);
        self.report(CallError::HiddenReducer { name, kind, declared, at: reduce.op_span });
        true
    }

    /// The ranges of a reducer's indices.
    fn reducer_indices(
        &mut self,
        indices: &[&ReduceIndex],
        body: &ast::Expr,
        reduce: &ast::Reduce,
        span: Span,
    ) -> Option<(Introduced, Bases)> {
        let names = self.reducer_names(indices.iter().copied());
        if !self.check_index_names(&names) {
            return None;
        }
        let one = matches!(reduce.op, ReduceOp::Argmax | ReduceOp::Argmin);
        if one && (names.indices.len() != 1 || !names.packs.is_empty()) {
            self.report(IndexError::OneIndex { reducer: reduce.op.as_str(), at: span });
            return None;
        }
        let mut uses = Uses::of(&names);
        self.look_for_uses(&mut uses, body, &mut Vec::new());
        let ranges = self.ranges(&names, &uses);
        Some((ranges, uses.bases))
    }
}

