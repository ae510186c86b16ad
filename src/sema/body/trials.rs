//! Suggestions for shape errors, found by trying other hyperparameters.
//!
//! Where sizes disagree because a layer has changed them (`H - 2`), its call is elaborated again with other
//! values for the whole-number hyperparameters that it leaves at their defaults. No layer is known by name: what
//! makes the error go away, for all sizes, is what the message suggests.

use crate::sema::scope::context::Trial;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::sizes::Numeric;
use crate::sema::scope::module::{Found, ItemRef};
use crate::base::{Diagnostic, Help, Span};
use crate::syntax::ast::{ExprKind, Role};
use std::sync::Arc;

/// The values that are tried for a hyperparameter.
const TRIED: [i64; 3] = [1, 2, 3];

impl Elaborator<'_> {
    /// A suggestion for a shape error; `named` is the same error with names for the sizes, among `all` that are
    /// found in that body.
    pub fn what_would_fit(
        &mut self,
        error: &Numeric,
        named: &Diagnostic,
        all: &[Diagnostic],
    ) -> Option<Help> {
        let changed = named.labels.iter().filter(|label| {
            !label.primary
                && label.message.contains('[')
                && label.message.contains([' ', '/'])
                && [" - ", " + ", " / ", "floor("].iter().any(|sign| label.message.contains(sign))
        });
        let calls: Vec<Span> = changed.map(|label| label.span).collect();
        for call in calls {
            let text = self.text(call);
            let Some(layer) = self.layer_called(error.item(), text) else { continue };
            for (name, default) in whole_numbers(&layer) {
                for value in TRIED.into_iter().filter(|value| *value != default) {
                    let trying = self.context.trying(Trial { call, name: name.clone(), value });
                    let found = self.within(trying, |cx| cx.wrong_as_before(error));
                    let known = |cx: &Diagnostic| {
                        all.iter()
                            .any(|other| other.code == cx.code && other.primary_span() == cx.primary_span())
                    };
                    if found.is_some_and(|found| found.len() < all.len() && found.iter().all(known)) {
                        let message =
                            format!("with `{name} = {value}` in this `{}` the sizes fit", layer.name());
                        let end = Span { start: call.end - 1, end: call.end - 1, ..call };
                        let comma = if text.ends_with("()") { "" } else { ", " };
                        let patch = text.ends_with(')').then(|| (end, format!("{comma}{name} = {value}")));
                        return Some(Help { message, patch });
                    }
                }
            }
        }
        None
    }

    fn layer_called(&mut self, around: &ItemRef, call: &str) -> Option<ItemRef> {
        let name = call.split('(').next()?.trim();
        match self.modules.find(around.module, name, &mut Vec::new()) {
            Some(Found::Item(item)) if item.role() == Some(Role::Layer) => Some(item),
            _ => None,
        }
    }
}

/// The hyperparameters whose defaults are whole numbers.
fn whole_numbers(layer: &ItemRef) -> Vec<(Arc<str>, i64)> {
    let list = layer.definition().and_then(|definition| definition.hyper.as_ref());
    let parameters = list.into_iter().flat_map(|list| &list.parameters);
    let with_default = parameters.filter_map(|it| match it.default.as_ref()?.kind {
        ExprKind::Int(value) => Some((it.name.text.clone(), value)),
        _ => None,
    });
    with_default.collect()
}
