//! Habits of other languages (E0018).

use crate::base::{Diagnostic, Span};

use super::super::errors::Failure;
use super::super::tokens::TokenKind;

pub(super) fn foreign_character(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found?;
    let word = failure.text(found);
    let place = failure.span(found);
    let after = failure.next().filter(|next| next.start == found.end);
    let doubled = after.filter(|next| failure.text(*next) == word);
    let both = after.map_or(place, |next| place.to(failure.span(next)));
    let previous = failure
        .previous
        .filter(|previous| previous.end == found.start)
        .map(|previous| failure.text(previous));
    let whole = |place: Span| Span { start: place.start - 1, ..place };
    let error = |what: &str, place: Span| {
        Diagnostic::error("E0018", what.to_string()).at(place, "not of this language")
    };
    match word {
        "*" if previous == Some("*") => {
            Some(error("a power is written `^`", whole(place)).suggest("write", whole(place), "^"))
        }
        "/" if previous == Some("/") => Some(
            error("there is no `//`", whole(place))
                .help("`div(a, b)` rounds down; a comment begins with `#`"),
        ),
        "=" if matches!(previous, Some("==" | "!=")) => {
            let all = Span { start: place.start - 2, ..place };
            Some(error("a comparison has two signs", all).suggest("write", all, previous.unwrap_or_default()))
        }
        "+" if previous == Some("+") && after.is_none() => {
            Some(error("there is no `++`", whole(place)).help("bind the name again, `x = x + 1`"))
        }
        "=" if matches!(previous, Some(":")) => {
            Some(error("a binding is written `=`", whole(place)).suggest("write", whole(place), "="))
        }
        "=" if matches!(previous, Some("*" | "/" | "-" | "@" | "^")) => Some(
            error(&format!("there is no `{}=`", previous.unwrap_or_default()), whole(place))
                .help("bind the name again, `x = x - 1`"),
        ),
        ">" if previous == Some("=") => Some(error("there is no `=>`", whole(place))),
        _ if found.kind != TokenKind::Unknown => None,
        "&" => {
            Some(
                error("the logical and is written `and`", if doubled.is_some() { both } else { place })
                    .suggest("write", if doubled.is_some() { both } else { place }, "and"),
            )
        }
        "|" => {
            Some(
                error("the logical or is written `or`", if doubled.is_some() { both } else { place })
                    .suggest("write", if doubled.is_some() { both } else { place }, "or"),
            )
        }
        "!" => Some(error("negation is written `not`", place).suggest("write", place, "not ")),
        "%" => Some(error("there is no `%`", place).help("the remainder of a / b is `mod(a, b)`")),
        ";" => {
            let next = failure.next().filter(|next| next.kind != TokenKind::Newline);
            let error = error("statements are not ended by `;`", place);
            Some(match next {
                Some(next) => {
                    let gap = Span { end: failure.span(next).start, ..place };
                    error.suggest("a statement ends with its line", gap, "\n    ")
                }
                None => error.suggest("a statement ends with its line", place, ""),
            })
        }
        "'" | "`" | "“" | "”" | "‘" | "’" => {
            Some(error("strings are written in double quotes", place).help("like \"this\""))
        }
        "−" | "–" | "—" => {
            Some(error("this is not the minus sign", place).suggest("write", place, "-"))
        }
        "×" | "·" => Some(error("multiplication is written `*`", place).suggest("write", place, "*")),
        "≤" => Some(error("less or equal is written `<=`", place).suggest("write", place, "<=")),
        "≥" => Some(error("greater or equal is written `>=`", place).suggest("write", place, ">=")),
        "≠" => Some(error("unequal is written `!=`", place).suggest("write", place, "!=")),
        "←" => Some(error("an update is written `<-`", place).suggest("write", place, "<-")),
        "→" => Some(error("the arrow is written `->`", place).suggest("write", place, "->")),
        "?" => Some(error("there is no `?`", place).help("a choice is written `if c then a else b`")),
        _ => {
            let shown: String = word.escape_debug().collect();
            Some(error(&format!("the character `{shown}` has no meaning here"), place))
        }
    }
}

pub(super) fn foreign_word(failure: &Failure<'_>) -> Option<Diagnostic> {
    let previous = failure.previous.filter(|previous| previous.kind == TokenKind::Word)?;
    let found = failure.found.filter(|found| found.kind != TokenKind::Newline)?;
    let word = failure.text(previous);
    let place = failure.span(previous);
    // A name can follow another word only where that word was taken for a whole value.
    if !failure.after_value() || matches!(found.kind, TokenKind::Symbol | TokenKind::Close) {
        return None;
    }
    let rest = Span { end: failure.span(found).start, ..place };
    let error = |what: &str| Diagnostic::error("E0018", what.to_string()).at(place, "not of this language");
    match word {
        "let" | "var" | "val" | "local" | "auto" => {
            Some(error("a binding has no keyword").suggest("write only `name = …`", rest, ""))
        }
        "return" => Some(error("there is no `return`").suggest(
            "the last expression of a body is its value",
            rest,
            "",
        )),
        "def" | "function" | "func" | "class" => Some(
            error("declarations do not stand in bodies").help("declare it as an item, outside of this one"),
        ),
        "while" | "loop" => Some(
            error(&format!("there is no `{word}`"))
                .help("`for l in 0..n` repeats at compile time, `scan t < T` runs over time steps"),
        ),
        "elif" | "elseif" | "elsif" => {
            Some(error(&format!("there is no `{word}`")).suggest("write", place, "else if"))
        }
        "lambda" => Some(error("there are no anonymous functions").help("declare it with `fn`")),
        _ => None,
    }
}
