//! Builds the syntax tree from pest's pairs, and checks rules that the grammar cannot express: what may stand on
//! the left of `=`, where the value of an expression would be lost, how deep nesting may be.

mod blocks;
mod expressions;
mod items;
mod operators;
mod statements;
mod types;

use std::sync::Arc;

use pest::iterators::{Pair, Pairs};

use crate::base::{FileId, Span};

use super::ast::{Constant, Doc, Expr, ExprKind, Item, MAX_DEPTH, Name};
use super::grammar::Rule;
use super::report::{BuildError, ExprError};
use super::scan::doc_above;

/// Recursion of the builder itself; an operator and a bracket count separately.
const MAX_RECURSION: usize = 2 * MAX_DEPTH;

/// Builds the item of a `whole_item` pair. `base` is where the parsed slice begins in `text`.
pub(super) fn build_item(
    file: FileId,
    text: &str,
    base: usize,
    whole_item: Pair<'_, Rule>,
) -> (Option<Item>, Vec<BuildError>) {
    let errors = Vec::new();
    let mut builder =
        Builder { file, text, base, errors, depth: 0, height: 0, is_too_deep: false, holes: false };
    let item =
        whole_item.into_inner().find(|pair| pair.as_rule() == Rule::item).and_then(|pair| builder.item(pair));
    (item, builder.errors)
}

struct Builder<'t> {
    file: FileId,
    text: &'t str,
    base: usize,
    errors: Vec<BuildError>,
    /// How deep the recursion is at this moment.
    depth: usize,
    /// The height of the tallest expression finished within the current node.
    height: usize,
    /// Whether some expression is nested too deeply, which is told once.
    is_too_deep: bool,
    /// Whether `_` may stand in an expression: on a left-hand side.
    holes: bool,
}

impl Builder<'_> {
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(self.file, self.base + span.start(), self.base + span.end())
    }

    fn error(&mut self, error: impl Into<BuildError>) {
        self.errors.push(error.into());
    }

    fn doc(&self, span: Span) -> Option<Doc> {
        doc_above(self.file, self.text, self.base, span.start as usize)
    }

    /// A name that is being declared or bound.
    fn name(&mut self, pair: &Pair<'_, Rule>) -> Name {
        let name = Name::new(pair.as_str(), self.span(pair));
        self.check_bindable(&name.text, name.span);
        name
    }

    fn check_bindable(&mut self, text: &Arc<str>, span: Span) {
        if Constant::from_name(text).is_some() {
            self.error(ExprError::Constant { name: text.clone(), at: span });
        }
    }

    /// The next pair's name; the grammar says there is one.
    fn next_name(&mut self, pairs: &mut Pairs<'_, Rule>, around: Span) -> Name {
        match take(pairs, Rule::ident) {
            Some(pair) => self.name(&pair),
            None => Name::new("", around),
        }
    }

    /// Runs `build` for a node that holds other expressions, and gives up on it if it is too high.
    fn nested(&mut self, span: Span, build: impl FnOnce(&mut Self) -> Expr) -> Expr {
        if self.depth >= MAX_RECURSION {
            self.too_deep(span);
            return Expr::new(ExprKind::Error, span);
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.height, 0);
        let expr = build(self);
        self.depth -= 1;
        let (expr, height) = self.checked(expr, self.height);
        self.height = outer.max(height);
        expr
    }

    /// Replaces an expression whose parts are as high as the limit allows.
    fn checked(&mut self, expr: Expr, height_of_parts: usize) -> (Expr, usize) {
        if height_of_parts < MAX_DEPTH {
            return (expr, height_of_parts + 1);
        }
        self.too_deep(expr.span);
        (Expr::new(ExprKind::Error, expr.span), 1)
    }

    fn too_deep(&mut self, span: Span) {
        if !std::mem::replace(&mut self.is_too_deep, true) {
            self.error(ExprError::Nesting { at: span });
        }
    }
}

/// Takes the next pair if it is of this rule.
fn take<'i>(pairs: &mut Pairs<'i, Rule>, rule: Rule) -> Option<Pair<'i, Rule>> {
    if pairs.peek().is_some_and(|pair| pair.as_rule() == rule) { pairs.next() } else { None }
}
