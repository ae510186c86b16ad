//! Numbers that are none.

use crate::base::{Diagnostic, Span};

use super::super::errors::Failure;
use super::super::tokens::{Token, TokenKind, is_name};

/// `0,1` for `0.1`.
pub(super) fn decimal_comma(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == ",")?;
    let number = |token: &Token| token.kind == TokenKind::Number;
    let before = failure.previous.filter(number).filter(|before| before.end == found.start)?;
    let after = failure.next().filter(number).filter(|after| after.start == found.end)?;
    let whole = failure.span(before).to(failure.span(after));
    failure.after_value().then(|| {
        Diagnostic::error("E0011", "a number has a point, not a comma")
            .at(failure.span(found), "not expected here")
            .suggest("write", whole, format!("{}.{}", failure.text(before), failure.text(after)))
    })
}

pub(super) fn wrong_number(failure: &Failure<'_>) -> Option<Diagnostic> {
    let error = |what: String, place: Span| Diagnostic::error("E0011", what).at(place, "not a number");
    // The point is either what does not fit or what the parser has just taken for a member's.
    let point =
        [failure.found, failure.previous].into_iter().flatten().find(|token| failure.text(*token) == ".");
    let number = point.and_then(|point| {
        let touches = |token: &&Token| token.end == point.start && token.kind == TokenKind::Number;
        failure.tokens.iter().find(touches).map(|number| (*number, point))
    });
    if let Some((number, point)) = number {
        let place = failure.span(number).to(failure.span(point));
        let text = failure.text(number);
        return Some(error(format!("a digit is missing behind the point in `{text}.`"), place).suggest(
            "write",
            place,
            format!("{text}.0"),
        ));
    }
    let found = failure.found?;
    if found.kind == TokenKind::Number && failure.expects_value() {
        let word = failure.text(found);
        let place = failure.span(found);
        let digits = word.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(word.len());
        let (number, rest) = word.split_at(digits);
        let error = error(format!("`{word}` is not a number"), place);
        return Some(match is_name(rest) && !rest.starts_with(['e', 'E']) && !number.ends_with('.') {
            true => error.suggest("if this is a product", place, format!("{number} * {rest}")),
            false => error.help("numbers are written `1`, `0.5`, `1e-3`, `1_000`"),
        });
    }
    if failure.text(found) != "." {
        return None;
    }
    let next = failure.next();
    let digits = next.filter(|next| next.start == found.end && next.kind == TokenKind::Number);
    if let Some(digits) = digits.filter(|_| failure.expects_value()) {
        let place = failure.span(found).to(failure.span(digits));
        let text = failure.text(digits);
        return Some(error(format!("a digit is missing before the point in `.{text}`"), place).suggest(
            "write",
            place,
            format!("0.{text}"),
        ));
    }
    None
}
