//! Why there is no code, or why it cannot be run like this.

use crate::loops::{LoopError, Site};
use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeError {
    pub text: String,
    pub kind: Failure,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// There is not enough memory.
    NoMemory,
    /// This computer, or this back end, cannot run such code.
    Unsupported,
    /// What is given to code does not fit it.
    Misfit,
    /// A rule that an earlier stage or this one should have kept is broken: a mistake of this compiler.
    Internal,
    /// Checked code has stopped an access outside of its buffer: a mistake of this compiler.
    Access(Box<Fault>),
}

/// An access outside of its buffer, which was not carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub site: Site,
    /// The element of the buffer, counted from its first.
    pub element: i64,
}

impl CodeError {
    /// What is given does not fit.
    pub fn new(text: impl Into<String>) -> CodeError {
        CodeError { text: text.into(), kind: Failure::Misfit }
    }

    pub fn unsupported(text: impl Into<String>) -> CodeError {
        CodeError { text: text.into(), kind: Failure::Unsupported }
    }

    /// A broken rule, in words for whoever mends it.
    pub fn internal(text: impl Into<String>) -> CodeError {
        CodeError { text: text.into(), kind: Failure::Internal }
    }

    pub fn no_memory(text: impl fmt::Display) -> CodeError {
        CodeError { text: format!("no memory {text}"), kind: Failure::NoMemory }
    }

    /// The access that was stopped, if that is why.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.kind {
            Failure::Access(fault) => Some(fault),
            Failure::NoMemory | Failure::Unsupported | Failure::Misfit | Failure::Internal => None,
        }
    }

    /// Whether there was not enough memory.
    pub fn is_no_memory(&self) -> bool {
        self.kind == Failure::NoMemory
    }
}

impl From<Fault> for CodeError {
    fn from(fault: Fault) -> CodeError {
        let Site { kernel, access, elements } = &fault.site;
        let name = &kernel.text;
        let text = format!("{access} in the kernel `{name}` is at {} of {elements} elements", fault.element);
        CodeError { text, kind: Failure::Access(Box::new(fault)) }
    }
}

impl From<LoopError> for CodeError {
    fn from(error: LoopError) -> CodeError {
        CodeError::internal(error.0)
    }
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CodeError {}
