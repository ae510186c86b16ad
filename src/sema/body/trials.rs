//! Suggestions for shape errors, found by trying other hyperparameters.
//!
//! Where sizes disagree because a layer has changed them (`H - 2`), its call is elaborated again with other
//! values for the whole-number hyperparameters that it leaves at their defaults. No layer is known by name: what
//! makes the error go away, for all sizes, is what the message suggests.

use crate::sema::scope::context::Trial;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::sizes::Numeric;
use crate::sema::scope::module::{Found, ItemRef};
use crate::base::{Help, Span};
use crate::sema::scope::report::Report;
use crate::sema::walk;
use crate::syntax::ast::{self, ExprKind, Role};
use std::sync::Arc;

/// The values that are tried for a hyperparameter.
const TRIED: [i64; 3] = [1, 2, 3];

impl Elaborator<'_> {
    /// A suggestion for a shape error; `named` is the same error with names for the sizes, among `all` that are
    /// found in that body.
    pub fn what_would_fit(
        &mut self,
        error: &Numeric,
        named: &Report,
        all: &[Report],
    ) -> Option<Help> {
        for call in named.makers() {
            let Some((layer, args)) = self.layer_called(&error.item, call) else { continue };
            for (name, default) in whole_numbers(&layer) {
                for value in TRIED.into_iter().filter(|value| *value != default) {
                    let trying = self.context.trying(Trial { call, name: name.clone(), value });
                    let again = self.within(trying, |cx| cx.wrong_as_before(error));
                    let is_known = |report: &Report| all.iter().any(|known| known.is_same(report));
                    if again.is_some_and(|again| again.len() < all.len() && again.iter().all(is_known)) {
                        let message =
                            format!("with `{name} = {value}` in this `{}` the sizes fit", layer.name());
                        let end = Span { start: args.span.end - 1, end: args.span.end - 1, ..args.span };
                        let comma = if args.args.is_empty() { "" } else { ", " };
                        let patch = Some((end, format!("{comma}{name} = {value}")));
                        return Some(Help { message, patch });
                    }
                }
            }
        }
        None
    }

    /// The layer that is called at a place of a definition, and the arguments of that call.
    fn layer_called(&mut self, around: &ItemRef, call: Span) -> Option<(ItemRef, ast::Args)> {
        let mut called = None;
        walk::block(&around.definition()?.body, &mut |expr| {
            if let (true, ExprKind::Call { callee, args }) = (expr.span == call, &expr.kind) {
                called = callee.as_name().map(|name| (name.clone(), args.clone()));
            }
        });
        let (name, args) = called?;
        match self.find_item(around.module, &name) {
            Some(Found::Item(item)) if item.role() == Some(Role::Layer) => Some((item, args)),
            _ => None,
        }
    }
}

/// The hyperparameters whose defaults are whole numbers.
fn whole_numbers(layer: &ItemRef) -> Vec<(Arc<str>, i64)> {
    let list = layer.definition().and_then(|definition| definition.hyper.as_ref());
    let parameters = list.into_iter().flat_map(|list| &list.parameters);
    let with_default = parameters.filter_map(|parameter| match parameter.default.as_ref()?.kind {
        ExprKind::Int(value) => Some((parameter.name.text.clone(), value)),
        _ => None,
    });
    with_default.collect()
}
