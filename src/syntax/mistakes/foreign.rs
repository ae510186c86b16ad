//! Signs and words of other languages (E0018).

use crate::base::{Span, foreign};

use super::super::errors::{Failure, innermost_open};
use super::super::report::{ForeignConstruct, ForeignSign, ParseError, Sign};
use super::super::tokens::{Token, TokenKind};
use super::slips::begins_line;

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
        ("<", ">") => ForeignSign::Spelling { sign: Sign::Unequal, at },
        ("*" | "/" | "-" | "@" | "^", "=") => {
            let name = failure.tokens.iter().rfind(|token| token.end <= previous.start);
            let name = name.filter(|name| name.kind == TokenKind::Word).map(|name| failure.text(*name));
            ForeignSign::Assigning {
                name: name.unwrap_or("x").to_owned(),
                operator: before.to_owned(),
                at,
            }
        }
        (".", "*" | "/" | "+" | "-" | "^" | "=="| "<" | ">" | "<=" | ">=") => {
            ForeignSign::Pointed { operator: failure.text(found).to_owned(), at }
        }
        (".", "(") => ForeignSign::PointedCall { at: failure.span(previous) },
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
        "|" if failure.expects_value() => ForeignSign::Function { name: "abs", at },
        "|" => ForeignSign::Spelling { sign: Sign::Or, at: doubled },
        "!" | "~" | "¬" => spelling(Sign::Not),
        "∧" => spelling(Sign::And),
        "∨" => spelling(Sign::Or),
        "÷" => spelling(Sign::Over),
        "²" => spelling(Sign::Squared),
        "³" => spelling(Sign::Cubed),
        "∞" => spelling(Sign::Infinity),
        "√" => ForeignSign::Function { name: "sqrt", at },
        "∑" => ForeignSign::Function { name: "sum", at },
        "∏" => ForeignSign::Function { name: "prod", at },
        "−" | "–" | "—" => spelling(Sign::Minus),
        "×" | "·" => spelling(Sign::Times),
        "≤" => spelling(Sign::LessOrEqual),
        "≥" => spelling(Sign::GreaterOrEqual),
        "≠" => spelling(Sign::Unequal),
        "←" => spelling(Sign::Update),
        "→" => spelling(Sign::Arrow),
        "%" => ForeignSign::Percent { at },
        "?" => ForeignSign::QuestionMark { at },
        ";" if innermost_open(failure, found).is_some_and(|open| failure.text(open) == "[") => {
            ForeignSign::Rows { at }
        }
        ";" => {
            let in_body = innermost_open(failure, found).is_some();
            let next = failure.next().filter(|next| next.kind != TokenKind::Newline);
            let gap = next.map(|next| Span { end: failure.span(next).start, ..at });
            ForeignSign::Semicolon { gap, in_body, at }
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
    let row = foreign::find(foreign::STATEMENTS, &word).filter(|_| word != "return" && begins_line(failure, previous));
    if let Some(row) = row {
        return Some(ForeignConstruct::Statement { advice: row.advice, word, at }.into());
    }
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
