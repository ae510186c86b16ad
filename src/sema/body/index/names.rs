//! Which names of a left-hand side or reducer are indices.
//!
//! A name that stands bare in a subscript on the left (inside `dst[e]` too), or in a reducer's brackets, is
//! always an index. In a compound subscript on the left (`S*i + u`) a whole number known at compile time keeps
//! its value and any other name is an index.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::Found;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::Value;
use crate::sema::scope::report::indices::IndexError;
use crate::base::Span;
use crate::syntax::ast::{self, ExprKind, ReduceIndex, SubscriptKind, TargetSubscript, TargetSubscriptKind};
use std::sync::Arc;

/// An index as it is introduced.
#[derive(Clone, Debug)]
pub(super) struct IndexName<'t> {
    pub name: Arc<str>,
    pub span: Span,
    /// The range that is written, `i < N`.
    pub bound: Option<&'t ast::Expr>,
}

/// The indices and packs that a statement or reducer introduces, in order, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Names<'t> {
    pub indices: Vec<IndexName<'t>>,
    pub packs: Vec<&'t ast::Name>,
}

/// A name found in a subscript on the left.
struct Mention {
    name: Arc<str>,
    span: Span,
    bare: bool,
}

impl<'t> Names<'t> {
    fn add(&mut self, name: Arc<str>, span: Span, bound: Option<&'t ast::Expr>) {
        match self.indices.iter_mut().find(|index| index.name == name) {
            Some(known) => known.bound = known.bound.or(bound),
            None => self.indices.push(IndexName { name, span, bound }),
        }
    }

    fn add_pack(&mut self, name: &'t ast::Name) {
        if !self.packs.iter().any(|known| known.text == name.text) {
            self.packs.push(name);
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.indices.iter().any(|index| &*index.name == name)
    }
}

impl Elaborator<'_> {
    /// The indices of a left-hand side.
    pub(super) fn left_names<'t>(&mut self, subscripts: &'t [TargetSubscript]) -> Names<'t> {
        let mut mentions = Vec::new();
        let mut names = Names::default();
        for subscript in subscripts {
            if let TargetSubscriptKind::Expr(expr) = &subscript.kind {
                mention(expr, false, &mut mentions, &mut Vec::new());
            }
        }
        let bare = |name: &str| {
            mentions.iter().any(|mention| mention.bare && &*mention.name == name)
                || subscripts.iter().any(
                    |subscript| matches!(&subscript.kind, TargetSubscriptKind::Index(index) if &*index.name.text == name),
                )
        };
        for subscript in subscripts {
            match &subscript.kind {
                TargetSubscriptKind::Index(index) => {
                    names.add(index.name.text.clone(), index.name.span, index.bound.as_ref())
                }
                TargetSubscriptKind::Pack(pack) => names.add_pack(pack),
                TargetSubscriptKind::Expr(expr) => {
                    let (mut mentioned, mut packs) = (Vec::new(), Vec::new());
                    mention(expr, false, &mut mentioned, &mut packs);
                    for mention in mentioned {
                        let Mention { name, span, bare: is_bare } = mention;
                        if is_bare || bare(&name) || !self.is_number_name(&name, span) {
                            names.add(name, span, None);
                        }
                    }
                    packs.into_iter().for_each(|pack| names.add_pack(pack));
                }
            }
        }
        names
    }

    /// The indices of a reducer.
    pub(super) fn reducer_names<'t>(
        &mut self,
        indices: impl IntoIterator<Item = &'t ReduceIndex>,
    ) -> Names<'t> {
        let mut names = Names::default();
        for index in indices {
            match index {
                ReduceIndex::Index(index) => {
                    if let Some(first) = names.indices.iter().find(|known| known.name == index.name.text) {
                        self.report(IndexError::IntroducedTwice { name: index.name.clone(), first: first.span });
                    }
                    names.add(index.name.text.clone(), index.name.span, index.bound.as_ref());
                }
                ReduceIndex::Pack(pack) => names.add_pack(pack),
            }
        }
        names
    }

    /// Whether a name in a compound subscript on the left keeps its value.
    fn is_number_name(&mut self, name: &Arc<str>, span: Span) -> bool {
        if let Some(binding) = self.frame().find(name) {
            return binding.value.is_number() || matches!(binding.kind, BindingKind::Step | BindingKind::For);
        }
        match self.constant_item(name) {
            true => self.global(name, span).is_some_and(|value| value.is_number()),
            false => false,
        }
    }

    /// Whether a name means a `const` of the file, its imports or the library.
    fn constant_item(&mut self, name: &str) -> bool {
        let module = self.frame().module;
        match self.find_item(module, name) {
            Some(Found::Item(item)) => matches!(item.item.kind, ast::ItemKind::Const(_)),
            Some(Found::Broken) | None => false,
        }
    }

    /// Reports names that cannot be indices.
    pub(super) fn check_index_names(&mut self, names: &Names<'_>) -> bool {
        let mut fits = true;
        for index in &names.indices {
            fits &= self.check_index_name(&index.name, index.span);
        }
        fits
    }

    fn check_index_name(&mut self, name: &Arc<str>, span: Span) -> bool {
        let bound = self.frame().find(name);
        let bound = bound.map(|binding| (binding.kind, binding.span, binding.value.clone()));
        let (what, declared, value) = match bound {
            Some((kind, at, value)) => match kind {
                BindingKind::Dim { .. } | BindingKind::Hyper | BindingKind::For | BindingKind::Step => {
                    (kind.word(), Some(at), value)
                }
                BindingKind::Local
                | BindingKind::Input
                | BindingKind::Index
                | BindingKind::Param
                | BindingKind::State
                | BindingKind::Carry
                | BindingKind::Declared => return true,
            },
            None if self.constant_item(name) => match self.global(name, span) {
                Some(value @ (Value::Int(_) | Value::Ratio(..))) => {
                    ("constant", self.constant_place(name), value)
                }
                Some(_) | None => return true,
            },
            None => return true,
        };
        let declared = declared.filter(|declared| *declared != span && !declared.is_none());
        self.report(IndexError::NotIndex { name: name.clone(), what, value, declared, at: span });
        false
    }

    fn constant_place(&mut self, name: &str) -> Option<Span> {
        let module = self.frame().module;
        match self.find_item(module, name) {
            Some(Found::Item(item)) => Some(item.name_span()),
            Some(Found::Broken) | None => None,
        }
    }
}

/// Names in a subscript on the left: `bare` says whether the expression is a whole subscript.
fn mention<'t>(expr: &'t ast::Expr, bare: bool, into: &mut Vec<Mention>, packs: &mut Vec<&'t ast::Name>) {
    match &expr.kind {
        ExprKind::Name(name) => into.push(Mention { name: name.clone(), span: expr.span, bare }),
        ExprKind::Unary { operand, .. } => mention(operand, false, into, packs),
        ExprKind::Binary { left, right, .. } => {
            mention(left, false, into, packs);
            mention(right, false, into, packs);
        }
        ExprKind::Call { args, .. } => {
            args.args.iter().for_each(|arg| mention(&arg.value, false, into, packs))
        }
        ExprKind::Subscript { subscripts, .. } => {
            for item in &subscripts.items {
                match &item.kind {
                    SubscriptKind::At(at) => mention(at, true, into, packs),
                    SubscriptKind::Pack(pack) => packs.push(pack),
                    SubscriptKind::Slice(_) | SubscriptKind::New | SubscriptKind::Rest => {}
                }
            }
        }
        ExprKind::If { condition, then, otherwise } => {
            [condition, then, otherwise].into_iter().for_each(|part| mention(part, false, into, packs));
        }
        ExprKind::At { value, .. } => mention(value, false, into, packs),
        ExprKind::Pipeline { input, .. } => mention(input, false, into, packs),
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Constant(_)
        | ExprKind::Template(_)
        | ExprKind::List(_)
        | ExprKind::Tuple(_)
        | ExprKind::Spread(_)
        | ExprKind::IfBlock(_)
        | ExprKind::Reduce(_)
        | ExprKind::Field { .. }
        | ExprKind::Transpose(_)
        | ExprKind::Slice(_)
        | ExprKind::Error => {}
    }
}
