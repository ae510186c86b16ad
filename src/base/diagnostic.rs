//! The one type in which every stage reports what is wrong with a program.

use super::Span;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Severity {
    Error,
    Warning,
}

/// A place in the source and what is to be said about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    pub span: Span,
    pub message: String,
    /// The place of the mistake itself; the others explain it.
    pub primary: bool,
}

/// A suggestion, and the edit that carries it out where one is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Help {
    pub message: String,
    pub patch: Option<(Span, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    /// A stable code from the table of error codes, `E0203`; `nnc explain` tells more.
    pub code: &'static str,
    pub message: String,
    pub labels: Vec<Label>,
    pub notes: Vec<String>,
    pub helps: Vec<Help>,
}

pub type Diagnostics = Vec<Diagnostic>;

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message.into())
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message.into())
    }

    fn new(severity: Severity, code: &'static str, message: String) -> Diagnostic {
        let (labels, notes, helps) = (Vec::new(), Vec::new(), Vec::new());
        Diagnostic { severity, code, message, labels, notes, helps }
    }

    /// Marks the place of the mistake.
    pub fn at(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into(), primary: true });
        self
    }

    /// Marks a place that explains the mistake.
    pub fn and_at(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into(), primary: false });
        self
    }

    pub fn note(mut self, message: impl Into<String>) -> Diagnostic {
        self.notes.push(message.into());
        self
    }

    pub fn help(mut self, message: impl Into<String>) -> Diagnostic {
        self.helps.push(Help { message: message.into(), patch: None });
        self
    }

    /// A suggestion that replaces the text of `span`.
    pub fn suggest(mut self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Diagnostic {
        self.helps.push(Help { message: message.into(), patch: Some((span, text.into())) });
        self
    }

    /// The place of the mistake, if it has one.
    pub fn primary_span(&self) -> Option<Span> {
        self.labels.iter().find(|label| label.primary).or(self.labels.first()).map(|label| label.span)
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
