//! Signs and words of other languages (E0018).

use crate::base::Span;

use super::super::errors::Failure;
use super::super::report::{ForeignConstruct, ForeignSign, ParseError, Sign};
use super::super::tokens::{Token, TokenKind};

pub(super) fn foreign_character(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found?;
    Some(match two_signs(failure, found) {
        Some(error) => error.into(),
        None if found.kind == TokenKind::Unknown => unknown_character(failure, found).into(),
        None => return None,
    })
}

/// A sign that touches the one before, which together are none here: `**`, `+=`, `===`.
fn two_signs(failure: &Failure<'_>, found: Token) -> Option<ForeignSign> {
    let previous = failure.previous.filter(|previous| previous.end == found.start)?;
    let before = failure.text(previous);
    let at = failure.span(previous).to(failure.span(found));
    let stands_alone = failure.next().is_none_or(|next| next.start != found.end);
    Some(match (before, failure.text(found)) {
        ("*", "*") => ForeignSign::Spelling { sign: Sign::Power, at },
        ("/", "/") => ForeignSign::DoubleSlash { at },
        ("==" | "!=", "=") => ForeignSign::ThreeSigns { comparison: before.to_owned(), at },
        ("+", "+") if stands_alone => ForeignSign::Increment { at },
        (":", "=") => ForeignSign::Spelling { sign: Sign::Binding, at },
        ("*" | "/" | "-" | "@" | "^", "=") => ForeignSign::Assigning { operator: before.to_owned(), at },
        ("=", ">") => ForeignSign::FatArrow { at },
        _ => return None,
    })
}

/// A character that begins no token.
fn unknown_character(failure: &Failure<'_>, found: Token) -> ForeignSign {
    let (word, at) = (failure.text(found), failure.span(found));
    let spelling = |sign: Sign| ForeignSign::Spelling { sign, at };
    // `&&` and `||`
    let after = failure.next().filter(|next| next.start == found.end && failure.text(*next) == word);
    let doubled = after.map_or(at, |next| at.to(failure.span(next)));
    match word {
        "&" => ForeignSign::Spelling { sign: Sign::And, at: doubled },
        "|" => ForeignSign::Spelling { sign: Sign::Or, at: doubled },
        "!" => spelling(Sign::Not),
        "−" | "–" | "—" => spelling(Sign::Minus),
        "×" | "·" => spelling(Sign::Times),
        "≤" => spelling(Sign::LessOrEqual),
        "≥" => spelling(Sign::GreaterOrEqual),
        "≠" => spelling(Sign::Unequal),
        "←" => spelling(Sign::Update),
        "→" => spelling(Sign::Arrow),
        "%" => ForeignSign::Percent { at },
        "?" => ForeignSign::QuestionMark { at },
        ";" => {
            let next = failure.next().filter(|next| next.kind != TokenKind::Newline);
            let gap = next.map(|next| Span { end: failure.span(next).start, ..at });
            ForeignSign::Semicolon { gap, at }
        }
        "'" | "`" | "“" | "”" | "‘" | "’" => ForeignSign::Quote { at },
        _ => ForeignSign::Character { character: word.escape_debug().collect(), at },
    }
}

pub(super) fn foreign_word(failure: &Failure<'_>) -> Option<ParseError> {
    let previous = failure.previous.filter(|previous| previous.kind == TokenKind::Word)?;
    let found = failure.found.filter(|found| found.kind != TokenKind::Newline)?;
    let at = failure.span(previous);
    // A name can follow another word only where that word was taken for a whole value.
    if !failure.after_value() || matches!(found.kind, TokenKind::Symbol | TokenKind::Close) {
        return None;
    }
    let gap = Span { end: failure.span(found).start, ..at };
    let word = failure.text(previous).to_owned();
    Some(
        match word.as_str() {
            "let" | "var" | "val" | "local" | "auto" => ForeignConstruct::BindingWord { gap, at },
            "return" => ForeignConstruct::Return { gap, at },
            "def" | "function" | "func" | "class" => ForeignConstruct::Declaration { at },
            "while" | "loop" => ForeignConstruct::Loop { word, at },
            "elif" | "elseif" | "elsif" => ForeignConstruct::ElseIf { word, at },
            "lambda" => ForeignConstruct::Lambda { at },
            _ => return None,
        }
        .into(),
    )
}
