//! What can be wrong with brackets and the quotes of strings, before anything is parsed.

use crate::base::{Diagnostic, Span};

use super::super::ast::MAX_DEPTH;
use super::error;

#[derive(Clone, Debug)]
pub(in crate::syntax) enum BracketError {
    TooDeep { at: Span },
    /// The `{` of an expression in a string.
    OpenHole { at: Span },
    OpenString { at: Span },
    /// A bracket whose partner is missing, and where that should stand at the latest.
    Unclosed { bracket: String, at: Span, end: Span },
    /// A closing bracket, and the innermost one that is open there.
    ClosesNothing { bracket: String, at: Span, inner: Option<(String, Span)> },
    /// `[1, 2)`
    Crossed { open: String, open_at: Span, close: String, at: Span },
}

impl BracketError {
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            BracketError::TooDeep { at } => {
                let message = format!("brackets are nested more than {MAX_DEPTH} deep");
                error("E0003", message, *at, "this one is too deep").help("give an inner part a name of its own")
            }
            BracketError::OpenHole { at } => {
                error("E0009", "a `{` in this string is not closed", *at, "`{expr}` stands for a value")
                    .help("for a brace itself write `{{`")
            }
            BracketError::OpenString { at } => {
                error("E0009", "this string is not closed", *at, "the closing `\"` is missing on this line")
                    .help("a quote inside a string is written `\\\"`")
            }
            BracketError::Unclosed { bracket, at, end } => {
                let partner = partner_of(bracket);
                error("E0002", format!("`{bracket}` is never closed"), *at, "opened here")
                    .and_at(*end, format!("`{partner}` expected here at the latest"))
                    .suggest(
                        format!("close it with `{partner}`"),
                        *end,
                        if bracket == "{" { "\n}" } else { partner },
                    )
            }
            BracketError::ClosesNothing { bracket, at, inner } => {
                let label = format!("there is no open `{}`", partner_of(bracket));
                let error = error("E0002", format!("`{bracket}` closes nothing"), *at, label);
                match inner {
                    Some((open, place)) => {
                        error.and_at(*place, format!("`{}` would close this", partner_of(open)))
                    }
                    None => error,
                }
            }
            BracketError::Crossed { open, open_at, close, at } => {
                let partner = partner_of(open);
                let message = format!("`{open}` is closed by `{close}`");
                error("E0002", message, *at, format!("`{partner}` expected here"))
                    .and_at(*open_at, "opened here")
                    .suggest("write", *at, partner)
            }
        }
    }
}

/// The bracket at the other end.
pub(in crate::syntax) fn partner_of(bracket: &str) -> &'static str {
    match bracket {
        "(" => ")",
        "[" => "]",
        "{" => "}",
        ")" => "(",
        "]" => "[",
        _ => "{",
    }
}
