//! How errors and warnings are told: once for each place, and at the user's text.
//!
//! What is wrong is data, a [`Problem`]: an enum for each subject, whose variants hold the values, names and places
//! that a message needs. Its code and its words stand in the file of the subject, in this folder and nowhere else.

pub mod data;
pub mod division;
pub mod gradients;
pub mod groups;
pub mod judging;
pub mod losses;
pub mod modules;
pub mod names;
pub mod optimizers;
pub mod output;
pub mod settings;
pub mod sizes;
pub mod sources;
pub mod subscripts;
pub mod training;
pub mod windows;

use crate::sema::scope::Scope;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Value, show_axes};
use crate::base::{Diagnostic, SourceMap, Span, is_told};

/// Something that is wrong with a program, or doubtful, as data.
pub trait Problem {
    /// How it is told. Texts of the program are looked up in `sources`.
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic;
}

impl Problem for Diagnostic {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        self.clone()
    }
}

/// An error with the label of its place.
fn error(code: &'static str, message: impl Into<String>, at: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, message).at(at, label)
}

impl<'a> Scope<'a> {
    /// Reports an error or a warning: see [`Scope::tell`]. The value is what an erroneous expression is worth.
    pub fn report(&mut self, problem: impl Problem) -> Value {
        if !self.limits.is_reached() {
            let diagnostic = problem.diagnostic(self.sources);
            self.tell(diagnostic);
        }
        Value::Error
    }

    /// In the body of a library function the place shown first is the user's call. The same error at the same place
    /// is told once, however often the place is reached.
    fn tell(&mut self, mut diagnostic: Diagnostic) {
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
            .filter(|input| input.kind == BindingKind::Input && input.span.file == call.file && input.span != call);
        let described = inputs.filter_map(|input| match &input.value {
            Value::Tensor(tensor) => Some((input, show_axes(tensor.ty.elem, &tensor.axes()))),
            Value::Str(_) | Value::Instance(_) | Value::List(_) => Some((input, input.value.describe())),
            _ => None,
        });
        described.map(|(input, text)| (input.span, format!("`{}` is {text}", input.name))).collect()
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

    /// Adds what to do to what was reported last.
    pub fn help_last(&mut self, help: &str) {
        if let Some(last) = self.diagnostics.pop() {
            self.diagnostics.push(last.help(help));
        }
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

/// "`a`, `b` and `c`"
pub fn list_names(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_string(),
        [one] => format!("`{one}`"),
        [init @ .., last] => {
            let init: Vec<String> = init.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", init.join(", "))
        }
    }
}
