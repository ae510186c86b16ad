//! The one type in which every stage reports what is wrong with a program.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use super::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// The program is rejected, or its run has failed.
    Error,
    /// Probably not meant.
    Warning,
}

/// A span of the source with a message.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said about it; may be empty.
    pub message: String,
    /// Whether this is the span of the mistake itself; other labels explain it.
    pub primary: bool,
}

/// A suggestion, with the edit that applies it if one is known.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Help {
    /// What to do.
    pub message: String,
    /// The text that takes the place of what stands there.
    pub patch: Option<(Span, String)>,
}

/// An error or a warning: what is wrong, where, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code from the table of error codes, `E0203`; `nnc explain` tells more.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Places in the program, that of the mistake itself first.
    pub labels: Vec<Label>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// What to do.
    pub helps: Vec<Help>,
}

/// How a note begins that repeats a message for another way to the same place.
const OTHER_CALL: &str = "for another call: ";

/// Finds the diagnostic with the code and the place of a new one: a mistake is told once, however often its place
/// is reached. With `noted`, another message becomes a note of it.
pub fn is_told<'d>(
    mut diagnostics: impl Iterator<Item = &'d mut Diagnostic>,
    new: &Diagnostic,
    noted: bool,
) -> bool {
    let Some(here) = new.primary_span() else { return false };
    let is_same = |known: &&'d mut Diagnostic| known.code == new.code && known.primary_span() == Some(here);
    let Some(known) = diagnostics.find(is_same) else {
        return false;
    };
    if noted && known.message != new.message && !known.notes.iter().any(|note| note.starts_with(OTHER_CALL)) {
        known.notes.push(format!("{OTHER_CALL}{}", new.message));
    }
    true
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message.into())
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message.into())
    }

    /// A mistake of the compiler (E0799), with what to do about it: never the fault of the program.
    pub fn fault(message: impl std::fmt::Display) -> Diagnostic {
        Diagnostic::of_nnc("E0799", message)
    }

    /// A mistake of the compiler that has a code of its own.
    pub fn of_nnc(code: &'static str, message: impl std::fmt::Display) -> Diagnostic {
        Diagnostic::error(code, format!("a fault of nnc: {message}"))
            .help("please report this program with its data, and the version that `nnc --version` says")
    }

    fn new(severity: Severity, code: &'static str, message: String) -> Diagnostic {
        let (labels, notes, helps) = (Vec::new(), Vec::new(), Vec::new());
        Diagnostic { severity, code, message, labels, notes, helps }
    }

    /// Adds the label of the mistake itself.
    pub fn at(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into(), primary: true });
        self
    }

    /// Adds a label that explains the mistake.
    pub fn and_at(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into(), primary: false });
        self
    }

    /// Adds what else there is to know.
    pub fn note(mut self, message: impl Into<String>) -> Diagnostic {
        self.notes.push(message.into());
        self
    }

    /// Adds what to do.
    pub fn help(mut self, message: impl Into<String>) -> Diagnostic {
        self.helps.push(Help { message: message.into(), patch: None });
        self
    }

    /// A suggestion that replaces the text of `span`.
    pub fn suggest(mut self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Diagnostic {
        self.helps.push(Help { message: message.into(), patch: Some((span, text.into())) });
        self
    }

    /// The span of the mistake, if it has one.
    pub fn primary_span(&self) -> Option<Span> {
        self.labels.iter().find(|label| label.primary).or(self.labels.first()).map(|label| label.span)
    }

    /// Whether it is more than a warning.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
