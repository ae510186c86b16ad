//! Numbers that are none.

use super::super::errors::Failure;
use super::super::report::{NumberError, ParseError};
use super::super::tokens::{Token, TokenKind, is_name};

/// `0,1` for `0.1`.
pub(super) fn decimal_comma(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == ",")?;
    let number = |token: &Token| token.kind == TokenKind::Number;
    let before = failure.previous.filter(number).filter(|before| before.end == found.start)?;
    let after = failure.next().filter(number).filter(|after| after.start == found.end)?;
    let whole = failure.span(before).to(failure.span(after));
    let written = format!("{}.{}", failure.text(before), failure.text(after));
    failure.after_value().then(|| NumberError::DecimalComma { whole, written, at: failure.span(found) }.into())
}

pub(super) fn wrong_number(failure: &Failure<'_>) -> Option<ParseError> {
    // The point is either what does not fit or what the parser has just taken for a member's.
    let point =
        [failure.found, failure.previous].into_iter().flatten().find(|token| failure.text(*token) == ".");
    let number = point.and_then(|point| {
        let touches = |token: &&Token| token.end == point.start && token.kind == TokenKind::Number;
        failure.tokens.iter().find(touches).map(|number| (*number, point))
    });
    if let Some((number, point)) = number {
        let at = failure.span(number).to(failure.span(point));
        return Some(NumberError::NoDigitBehindPoint { digits: failure.text(number).to_owned(), at }.into());
    }
    let found = failure.found?;
    if found.kind == TokenKind::Number && failure.expects_value() {
        let (text, at) = (failure.text(found).to_owned(), failure.span(found));
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(text.len());
        let (number, name) = text.split_at(digits);
        if !is_name(name) || name.starts_with(['e', 'E']) || number.ends_with('.') {
            return Some(NumberError::NotNumber { text, at }.into());
        }
        let (number, name) = (number.to_owned(), name.to_owned());
        return Some(NumberError::Product { text, number, name, at }.into());
    }
    if failure.text(found) != "." {
        return None;
    }
    let next = failure.next();
    let digits = next.filter(|next| next.start == found.end && next.kind == TokenKind::Number);
    let digits = digits.filter(|_| failure.expects_value())?;
    let at = failure.span(found).to(failure.span(digits));
    Some(NumberError::NoDigitBeforePoint { digits: failure.text(digits).to_owned(), at }.into())
}
