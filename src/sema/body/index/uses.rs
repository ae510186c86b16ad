//! Ranges of indices: written ones, and those taken from bare uses as subscripts, on either side.
//!
//! The right-hand side is gone through once before it is elaborated. The tensors that are subscripted by an
//! index alone are worked out on the way, and kept, so that nothing is elaborated twice.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::{Tensor, Value};
use super::names::Names;
use crate::sema::build::index::{Bases, Introduced, Ranged, RangedPack};
use crate::sema::scope::report::indices::{AxisUse, IndexError};
use crate::base::Span;
use crate::ir::Dim;
use crate::syntax::ast::{
    Block, Expr, ExprKind, IfBlock, Otherwise, ReduceIndex, SubscriptKind,
    Subscripts,
};
use std::sync::Arc;

/// Where the ranges of indices come from.
pub(super) struct Uses {
    /// All indices that are being introduced, with a written range or without.
    names: Vec<Arc<str>>,
    wanted: Vec<Wanted>,
    pub bases: Bases,
}

/// An index without a written range.
struct Wanted {
    name: Arc<str>,
    span: Span,
    bare: Vec<AxisUse>,
    /// A subscript that has more in it than the index.
    compound: Option<Span>,
    /// Whether a bare use could not be looked at, which is reported there.
    broken: bool,
}

impl Uses {
    /// Looks for the ranges of those indices of which none is written.
    pub fn of(names: &Names<'_>) -> Uses {
        let wanted = names.indices.iter().filter(|index| index.bound.is_none());
        let wanted = wanted.map(|index| Wanted {
            name: index.name.clone(),
            span: index.span,
            bare: Vec::new(),
            compound: None,
            broken: false,
        });
        let all = names.indices.iter().map(|index| index.name.clone()).collect();
        Uses { names: all, wanted: wanted.collect(), bases: Bases::new() }
    }

    /// A bare use of an index in an axis of known size.
    pub fn note(&mut self, name: &str, bare: AxisUse) {
        if let Some(wanted) = self.wanted.iter_mut().find(|wanted| &*wanted.name == name) {
            wanted.bare.push(bare);
        }
    }

    fn note_broken(&mut self, name: &str) {
        self.wanted.iter_mut().filter(|wanted| &*wanted.name == name).for_each(|wanted| wanted.broken = true);
    }

    pub(super) fn note_compound(&mut self, expr: &Expr, hidden: &[Arc<str>]) {
        crate::sema::walk::expr(expr, &mut |part| {
            if let ExprKind::Name(name) = &part.kind
                && !hidden.contains(name)
                && let Some(wanted) = self.wanted.iter_mut().find(|wanted| wanted.name == *name)
            {
                wanted.compound = wanted.compound.or(Some(expr.span));
            }
        });
    }
}

impl Elaborator<'_> {
    /// Goes through an expression for bare uses. `hidden` are the indices of reducers on the way.
    pub(super) fn look_for_uses(&mut self, uses: &mut Uses, expr: &Expr, hidden: &mut Vec<Arc<str>>) {
        if uses.wanted.is_empty() || self.limits.is_reached() {
            return;
        }
        match &expr.kind {
            ExprKind::Subscript { base, subscripts } => {
                self.look_at_subscripts(uses, base, subscripts, hidden);
                self.look_for_uses(uses, base, hidden);
                for item in &subscripts.items {
                    if let SubscriptKind::At(at) = &item.kind {
                        self.look_for_uses(uses, at, hidden);
                    }
                }
                if let Some(Otherwise::Value(value)) = &subscripts.otherwise {
                    self.look_for_uses(uses, value, hidden);
                }
            }
            ExprKind::Reduce(reduce) => {
                let known = hidden.len();
                hidden.extend(reduce.indices.iter().filter_map(|index| match index {
                    ReduceIndex::Index(index) => Some(index.name.text.clone()),
                    ReduceIndex::Pack(_) => None,
                }));
                self.look_for_uses(uses, &reduce.body, hidden);
                hidden.truncate(known);
            }
            ExprKind::If { condition, then, otherwise } => {
                match self.known_condition(uses, condition, hidden) {
                    Some(true) => self.look_for_uses(uses, then, hidden),
                    Some(false) => self.look_for_uses(uses, otherwise, hidden),
                    None => {
                        [condition, then, otherwise]
                            .into_iter()
                            .for_each(|part| self.look_for_uses(uses, part, hidden));
                    }
                }
            }
            ExprKind::IfBlock(block) => self.look_at_block(uses, block, hidden),
            _ => crate::sema::walk::parts(expr, &mut |part| self.look_for_uses(uses, part, hidden)),
        }
    }

    fn look_at_block(&mut self, uses: &mut Uses, block: &IfBlock, hidden: &mut Vec<Arc<str>>) {
        for branch in &block.branches {
            match self.known_condition(uses, &branch.condition, hidden) {
                Some(true) => return self.look_at_body(uses, &branch.body, hidden),
                Some(false) => {}
                None => self.look_at_body(uses, &branch.body, hidden),
            }
        }
        if let Some(otherwise) = &block.otherwise {
            self.look_at_body(uses, otherwise, hidden);
        }
    }

    fn look_at_body(&mut self, uses: &mut Uses, body: &Block, hidden: &mut Vec<Arc<str>>) {
        if let Some(value) = &body.value {
            self.look_for_uses(uses, value, hidden);
        }
    }

    /// A condition of compile-time values only, which decides which branch is built.
    fn known_condition(&mut self, uses: &Uses, condition: &Expr, hidden: &[Arc<str>]) -> Option<bool> {
        if self.depends_on_index(uses, condition, hidden) {
            return None;
        }
        let mut compile_time = true;
        crate::sema::walk::expr(condition, &mut |part| match &part.kind {
            ExprKind::Name(name) => {
                compile_time &= self.frame().find(name).is_none_or(|binding| {
                    !binding.value.is_run_time()
                        && !matches!(binding.value, Value::Instance(_) | Value::Layer(_) | Value::Error)
                });
            }
            // What is called with a tensor's name in it is not known; `kind(mask)` is.
            ExprKind::Reduce(_) | ExprKind::Subscript { .. } | ExprKind::Pipeline { .. } => {
                compile_time = false
            }
            _ => {}
        });
        let asks_kind = asks_for_kind(condition);
        if !compile_time && !asks_kind {
            return None;
        }
        self.expr(condition, None).as_bool()
    }

    /// Whether an expression names an index: a wanted one, one of a reducer around it, one bound already.
    fn depends_on_index(&self, uses: &Uses, expr: &Expr, hidden: &[Arc<str>]) -> bool {
        let mut is_named = false;
        crate::sema::walk::expr(expr, &mut |part| {
            if let ExprKind::Name(name) = &part.kind {
                is_named |= hidden.contains(name)
                    || uses.names.contains(name)
                    || self.frame().find(name).is_some_and(|binding| matches!(binding.value, Value::Indexed(_)));
            }
            if let ExprKind::Subscript { subscripts, .. } = &part.kind {
                is_named |= subscripts.items.iter().any(|item| matches!(item.kind, SubscriptKind::Pack(_)));
            }
        });
        is_named
    }

    fn look_at_subscripts(
        &mut self,
        uses: &mut Uses,
        base: &Expr,
        subscripts: &Subscripts,
        hidden: &[Arc<str>],
    ) {
        let mut axis = Some(0);
        let mut bare = Vec::new();
        for item in &subscripts.items {
            match &item.kind {
                SubscriptKind::At(at) => {
                    match at.as_name() {
                        Some(name) if !hidden.contains(name) => {
                            if uses.wanted.iter().any(|wanted| wanted.name == *name) {
                                bare.push((name.clone(), axis, item.span));
                            }
                        }
                        _ => uses.note_compound(at, hidden),
                    }
                    axis = axis.map(|axis| axis + 1);
                }
                SubscriptKind::Pack(pack) => {
                    axis = match self.frame().find(&pack.text).map(|binding| &binding.value) {
                        Some(Value::Pack(sizes)) => axis.map(|axis| axis + sizes.len()),
                        _ => None,
                    };
                }
                SubscriptKind::Slice(_) => axis = axis.map(|axis| axis + 1),
                SubscriptKind::New => {}
                SubscriptKind::Rest => axis = None,
            }
        }
        if bare.is_empty() {
            return;
        }
        if self.depends_on_index(uses, base, hidden) {
            bare.iter().for_each(|(name, _, _)| uses.note_broken(name));
            return;
        }
        let value = match uses.bases.get(&base.id).cloned().or_else(|| self.known_base(base)) {
            Some(value) => value,
            None => {
                let value = self.expr(base, None);
                uses.bases.insert(base.id, value.clone());
                value
            }
        };
        let sizes = match &value {
            Value::Tensor(tensor) => tensor.ty.shape.clone(),
            Value::List(_) | Value::Pack(_) => match self.to_tensor(&value, base.span) {
                Some(tensor) => {
                    let shape = tensor.ty.shape.clone();
                    uses.bases.insert(base.id, Value::Tensor(tensor));
                    shape
                }
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        for (name, axis, span) in bare {
            match axis.and_then(|axis| sizes.get(axis).map(|size| (axis, size))) {
                Some((axis, size)) => {
                    let tensor = self.text(base.span).to_owned();
                    uses.note(&name, AxisUse { axis, tensor, size: size.clone(), at: span });
                }
                None => uses.note_broken(&name),
            }
        }
    }

    /// The ranges of all indices and packs. Indices whose range is not known are reported and get the range 1.
    pub(super) fn ranges(&mut self, names: &Names<'_>, uses: &Uses) -> Introduced {
        let mut made = Introduced::default();
        for index in &names.indices {
            let range = match index.bound {
                Some(bound) => self.written_range(names, &index.name, bound),
                None => match uses.wanted.iter().find(|wanted| wanted.name == index.name) {
                    Some(wanted) => self.range_of_uses(wanted),
                    None => None,
                },
            };
            made.doubtful |= range.is_none();
            let range = range.unwrap_or(Dim::ONE);
            made.indices.push(Ranged { name: index.name.clone(), span: index.span, range });
        }
        for pack in &names.packs {
            let value = self.frame().find(&pack.text).map(|binding| binding.value.clone());
            match value {
                Some(Value::Pack(axes)) => {
                    let ranges = axes.iter().map(|axis| axis.size.clone()).collect();
                    made.packs.push(RangedPack { name: pack.text.clone(), ranges });
                }
                Some(Value::Error) => made.doubtful = true,
                _ => {
                    self.report(IndexError::PackUnbound { name: (*pack).clone() });
                    made.doubtful = true;
                }
            }
        }
        made
    }

    fn written_range(&mut self, names: &Names<'_>, index: &str, bound: &Expr) -> Option<Dim> {
        let mut other: Option<(Arc<str>, Span)> = None;
        crate::sema::walk::expr(bound, &mut |part| {
            if let ExprKind::Name(name) = &part.kind {
                let is_index = names.has(name)
                    || self.frame().find(name).is_some_and(|binding| matches!(binding.value, Value::Indexed(_)));
                if is_index && other.is_none() {
                    other = Some((name.clone(), part.span));
                }
            }
        });
        if let Some((other, span)) = other {
            let (index, bound) = (index.into(), bound.span);
            self.report(IndexError::RangeOfIndex { index, other, bound, at: span });
            return None;
        }
        self.size(bound, &format!("the range of `{index}`"))
    }

    fn range_of_uses(&mut self, wanted: &Wanted) -> Option<Dim> {
        let Some((first, rest)) = wanted.bare.split_first() else {
            if !wanted.broken {
                let (name, compound) = (wanted.name.clone(), wanted.compound);
                self.report(IndexError::UnknownRange { name, compound, at: wanted.span });
            }
            return None;
        };
        if let Some(other) = rest.iter().find(|other| other.size != first.size) {
            let (name, first, other) = (wanted.name.clone(), first.clone(), other.clone());
            self.report(IndexError::DifferentSizes { name, first, other });
            return None;
        }
        Some(first.size.clone())
    }
}

impl Uses {
    /// The sizes of a tensor that is written: bare indices on the left.
    pub fn note_target(
        &mut self,
        target: &Tensor,
        name: &str,
        subscripts: &[(Option<Arc<str>>, usize, Span)],
    ) {
        let mut axis = 0;
        for (index, width, span) in subscripts {
            if let (Some(index), Some(size)) = (index, target.ty.shape.get(axis)) {
                self.note(index, AxisUse { axis, tensor: name.to_owned(), size: size.clone(), at: *span });
            }
            axis += width;
        }
    }
}

/// Whether an expression is made of `kind(x) == …` only.
fn asks_for_kind(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary { left, right, .. } => asks_for_kind(left) && asks_for_kind(right),
        ExprKind::Unary { operand, .. } => asks_for_kind(operand),
        ExprKind::Call { callee, .. } => callee.as_name().is_some_and(|name| &**name == "kind"),
        ExprKind::Str(_) | ExprKind::Constant(_) => true,
        _ => false,
    }
}
