//! How errors and warnings are told: once for each place, and at the user's text.
//!
//! What is wrong is data, a [`Problem`]: an enum for each subject, whose variants hold the values, names and places
//! that a message needs. Its code and its words stand in the file of the subject, in this folder and nowhere else.

pub mod calls;
pub mod companions;
pub mod data;
pub mod division;
pub mod functions;
pub mod gradients;
pub mod groups;
pub mod indices;
pub mod judging;
pub mod layers;
pub mod limits;
pub mod losses;
pub mod modules;
pub mod names;
pub mod numbers;
pub mod optimizers;
pub mod output;
pub mod plot;
pub mod parameter_sets;
pub mod roles;
pub mod scans;
pub mod settings;
pub mod shapes;
pub mod sizes;
pub mod sources;
pub mod subscripts;
pub mod sweeps;
pub mod training;
pub mod types;
pub mod values;
pub mod windows;

use shapes::Shape;
use std::fmt;
use std::sync::Arc;
use crate::sema::scope::Scope;
use crate::sema::scope::frames::{Binding, BindingKind};
use crate::sema::value::Value;
use crate::base::{Diagnostic, SourceMap, Span, is_told};

/// Something that is wrong with a program, or doubtful, as data.
pub trait Problem: fmt::Debug + 'static {
    /// How it is told. Texts of the program are looked up in `sources`.
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic;

    /// What it comes from, where the checker goes on differently by it.
    fn cause(&self) -> Cause {
        Cause::Program
    }

    /// The shapes in its labels. Their sizes get their names if the problem is found again on symbolic sizes.
    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        Vec::new()
    }

    /// Where values were made whose computed sizes do not fit: other hyperparameters there may mend it.
    fn makers(&self) -> Vec<Span> {
        Vec::new()
    }
}

/// What a problem comes from, as far as the checker goes on differently by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The program, or what it is called with.
    Program,
    /// The program, whatever the sizes and arguments are that a caller would choose.
    AnySizes,
    /// Sizes are compared that have no numbers yet.
    OpenSizes,
    /// What must be known when the program is compiled is not.
    NotKnown,
    /// A starting value that is missing, or is made of what is not known before the first step.
    NoStart,
}

/// A problem that was reported.
#[derive(Debug)]
pub struct Report {
    pub diagnostic: Diagnostic,
    /// What it is, unless another stage told it.
    problem: Option<Box<dyn Problem>>,
    /// Tensors that the user has given to the library function in which it is.
    inputs: Vec<LibraryInput>,
}

/// A tensor that the user has given to a library function.
#[derive(Debug)]
struct LibraryInput {
    name: Arc<str>,
    shape: Shape,
    at: Span,
}

impl LibraryInput {
    fn label(&self) -> String {
        format!("`{}` is {}", self.name, self.shape.alone())
    }
}

impl From<Diagnostic> for Report {
    fn from(diagnostic: Diagnostic) -> Report {
        Report { diagnostic, problem: None, inputs: Vec::new() }
    }
}

impl Report {
    pub fn cause(&self) -> Cause {
        self.problem.as_ref().map_or(Cause::Program, |problem| problem.cause())
    }

    pub fn makers(&self) -> Vec<Span> {
        self.problem.as_ref().map_or(Vec::new(), |problem| problem.makers())
    }

    /// Whether both tell the same mistake, of which each is told once.
    pub fn is_same(&self, other: &Report) -> bool {
        self.is_at(&ReportKey::of(&other.diagnostic))
    }

    pub fn is_at(&self, key: &ReportKey) -> bool {
        ReportKey::of(&self.diagnostic) == *key
    }
}

/// What a report is known by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportKey {
    code: &'static str,
    place: Option<Span>,
}

impl ReportKey {
    fn of(diagnostic: &Diagnostic) -> ReportKey {
        ReportKey { code: diagnostic.code, place: diagnostic.primary_span() }
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
            self.tell(diagnostic, Box::new(problem));
        }
        Value::Error
    }

    /// In the body of a library function the place shown first is the user's call. The same error at the same place
    /// is told once, however often the place is reached.
    fn tell(&mut self, mut diagnostic: Diagnostic, mut problem: Box<dyn Problem>) {
        let here = diagnostic.primary_span();
        if self.is_known(&diagnostic) {
            return;
        }
        let mut inputs = Vec::new();
        let library = here.is_some_and(|span| self.modules.prelude.has_file(span.file));
        let calls: Vec<(Span, String)> = self
            .frames
            .iter()
            .filter(|frame| frame.item.is_some() && !frame.call.is_none())
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
                for (place, text, shape) in self.given_by_user(*span) {
                    if !diagnostic.labels.iter().any(|label| label.span == place) {
                        diagnostic = diagnostic.and_at(place, text);
                        inputs.extend(shape);
                    }
                }
                if self.is_known(&diagnostic) {
                    return;
                }
            }
        } else if let Some((span, name)) = calls.last()
            && here.is_some_and(|here| !span.holds(here))
            && !diagnostic.labels.iter().any(|label| label.span == *span)
            && !self.context.is_looking()
        {
            diagnostic = diagnostic.and_at(*span, format!("in this call of `{name}`"));
        }
        if !problem.shapes_mut().is_empty() {
            self.remember_sizes(&diagnostic);
        }
        self.reports.push(Report { diagnostic, problem: Some(problem), inputs });
    }

    /// What the user has given to the library at this call: places, and what stands there.
    fn given_by_user(&self, call: Span) -> Vec<(Span, String, Option<LibraryInput>)> {
        let Some(frame) = self.frames.iter().rev().find(|frame| frame.call == call) else {
            return Vec::new();
        };
        let is_given = |input: &&Binding| {
            input.kind == BindingKind::Input && input.span.file == call.file && input.span != call
        };
        let labels = frame.bindings.iter().filter(is_given).filter_map(|input| match &input.value {
            Value::Tensor(tensor) => {
                let (name, shape) = (input.name.clone(), Shape::of(tensor));
                let tensor = LibraryInput { name, shape, at: input.span };
                Some((input.span, tensor.label(), Some(tensor)))
            }
            Value::Str(_) | Value::Instance(_) | Value::List(_) => {
                Some((input.span, format!("`{}` is {}", input.name, input.value.describe()), None))
            }
            _ => None,
        });
        labels.collect()
    }

    /// Whether this error was reported at this place before. With other sizes it becomes a note there.
    fn is_known(&mut self, new: &Diagnostic) -> bool {
        is_told(self.reports.iter_mut().map(|report| &mut report.diagnostic), new, !self.context.is_looking())
    }

    /// Adds what to do to what was reported last.
    pub fn help_last(&mut self, help: &str) {
        if let Some(last) = self.reports.pop() {
            self.reports.push(Report { diagnostic: last.diagnostic.help(help), ..last });
        }
    }

    pub fn has_errors(&self) -> bool {
        self.reports.iter().any(|report| report.diagnostic.is_error())
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
