//! How errors and warnings are told: once for each place, and at the user's text.
//!
//! What is wrong is data where a file of this folder has a type for it ([`names`], [`subscripts`]); its words stand there.

pub mod names;
pub mod sizes;
pub mod subscripts;

use crate::sema::scope::Scope;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Value, show_axes};
use crate::base::{Diagnostic, Span, is_told};

impl<'a> Scope<'a> {
    /// Reports an error or a warning. In the body of a library function the place shown first is the user's
    /// call. The same error at the same place is reported once, however often the place is reached.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        if self.limits.is_reached() {
            return;
        }
        let here = diagnostic.primary_span();
        if self.is_known(&diagnostic) {
            return;
        }
        let library = here.is_some_and(|span| self.modules.prelude.has_file(span.file));
        let calls: Vec<(Span, String)> = self
            .frames
            .iter()
            .filter(|frame| frame.item.is_some() && frame.call != Span::default())
            .map(|frame| {
                (frame.call, frame.item.as_ref().map_or(String::new(), |item| item.name().to_string()))
            })
            .collect();
        if library {
            if let Some((span, name)) =
                calls.iter().rev().find(|(span, _)| !self.modules.prelude.has_file(span.file))
            {
                diagnostic.labels.retain(|label| label.span != *span);
                for label in &mut diagnostic.labels {
                    label.primary = false;
                }
                diagnostic = diagnostic.at(*span, format!("in this call of `{name}`"));
                diagnostic.labels.rotate_right(1);
                for (place, text) in self.given_by_user(*span) {
                    if !diagnostic.labels.iter().any(|label| label.span == place) {
                        diagnostic = diagnostic.and_at(place, text);
                    }
                }
                if self.is_known(&diagnostic) {
                    return;
                }
            }
        } else if let Some((span, name)) = calls.last()
            && here.is_some_and(|here| {
                !(span.start <= here.start && here.end <= span.end && span.file == here.file)
            })
            && !diagnostic.labels.iter().any(|label| label.span == *span)
            && !self.context.is_looking()
        {
            diagnostic = diagnostic.and_at(*span, format!("in this call of `{name}`"));
        }
        self.remember_sizes(&diagnostic);
        self.diagnostics.push(diagnostic);
    }

    /// What the user has given to the library at this call: places, and what stands there.
    fn given_by_user(&self, call: Span) -> Vec<(Span, String)> {
        let Some(frame) = self.frames.iter().rev().find(|frame| frame.call == call) else {
            return Vec::new();
        };
        let inputs = frame
            .bindings
            .iter()
            .filter(|cx| cx.kind == BindingKind::Input && cx.span.file == call.file && cx.span != call);
        let described = inputs.filter_map(|cx| match &cx.value {
            Value::Tensor(tensor) => Some((cx, show_axes(tensor.ty.elem, &tensor.axes()))),
            Value::Str(_) | Value::Instance(_) | Value::List(_) => Some((cx, cx.value.describe())),
            _ => None,
        });
        described.map(|(cx, text)| (cx.span, format!("`{}` is {text}", cx.name))).collect()
    }

    /// Whether this error was reported at this place before. With other sizes it becomes a note there.
    fn is_known(&mut self, new: &Diagnostic) -> bool {
        is_told(&mut self.diagnostics, new, !self.context.is_looking())
    }

    pub fn error(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Value {
        self.report(Diagnostic::error(code, message).at(span, label));
        Value::Error
    }

    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The innermost place in the user's own files: `span` itself, or the call that led into the library.
    pub fn user_place(&self, span: Span) -> Span {
        if !self.modules.prelude.has_file(span.file) {
            return span;
        }
        let calls = self.frames.iter().rev().map(|frame| frame.call);
        calls.into_iter().find(|call| !self.modules.prelude.has_file(call.file)).unwrap_or(span)
    }

    /// The text of a place.
    pub fn text(&self, span: Span) -> &'a str {
        self.sources.text(span)
    }
}

/// "1 axis", "3 axes"
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}
