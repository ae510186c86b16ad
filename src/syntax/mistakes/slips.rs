//! Small slips: something is nearly right, and what was meant can be shown.

use crate::base::{Span, foreign};

use super::super::ast::ReduceOp;
use super::super::errors::{Failure, innermost_open};
use super::super::grammar::Rule;
use super::super::report::{BraceError, ForeignConstruct, LineError, ParseError, SlipError};
use super::super::tokens::{ITEM_WORDS, Token, TokenKind};
use super::numbers::decimal_comma;

pub(super) const SLIPS: [fn(&Failure<'_>) -> Option<ParseError>; 14] = [
    branch_without_if,
    item_in_a_body,
    spaced_template,
    three_points,
    reducer_without_parentheses,
    type_before_name,
    tuple_of_sizes,
    decimal_comma,
    hyphen_in_a_name,
    otherwise_before_the_last,
    part_without_name,
    options_behind_with,
    drop_without_where,
    nothing_for_rows,
];

/// The word before the place of the failure, if the two touch.
fn touching_word(failure: &Failure<'_>, found: Token) -> Option<Token> {
    failure.previous.filter(|previous| previous.end == found.start && previous.kind == TokenKind::Word)
}

pub(super) fn begins_line(failure: &Failure<'_>, token: Token) -> bool {
    let before = failure.tokens.iter().rfind(|before| before.end <= token.start);
    before.is_none_or(|before| before.kind == TokenKind::Newline || failure.text(*before) == "{")
}

fn branch_without_if(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "else" | "then"))?;
    let word = failure.text(found);
    (begins_line(failure, found) && failure.expects_statement())
        .then(|| LineError::BranchWithoutIf { word: word.to_owned(), at: failure.span(found) }.into())
}

/// `data d { … }` within a model.
fn item_in_a_body(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Word)?;
    let word = failure.previous.filter(|word| ITEM_WORDS.contains(&failure.text(*word)))?;
    let in_block = innermost_open(failure, word).is_some_and(|open| failure.text(open) == "{");
    if !in_block || !begins_line(failure, word) || !failure.after_value() {
        return None;
    }
    let at = failure.span(word);
    Some(match failure.text(word) {
        "const" => {
            ForeignConstruct::BindingWord { gap: Span { end: failure.span(found).start, ..at }, at }.into()
        }
        text => {
            let advice = match text {
                "expect" => foreign::find(foreign::STATEMENTS, "assert"),
                _ => foreign::find(foreign::STATEMENTS, text),
            };
            let (word, advice) = (text.to_owned(), advice.map(|row| row.advice));
            LineError::ItemInBody { word, advice, at: at.to(failure.span(found)) }.into()
        }
    })
}

/// `fc {l} = …`: the brace of a template touches the name.
fn spaced_template(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == "{")?;
    let name = failure.previous.filter(|name| name.kind == TokenKind::Word && name.end < found.start)?;
    let mut after = failure.tokens.iter().filter(|token| token.start > found.start);
    let (_, close, then) = (after.next()?, after.next()?, after.next()?);
    let gap = Span { start: failure.span(name).end, end: failure.span(found).start, ..failure.span(found) };
    let is_name = failure.text(*close) == "}" && matches!(failure.text(*then), "=" | "." | ":");
    (is_name && begins_line(failure, name))
        .then(|| BraceError::ApartFromName { gap, at: failure.span(found) }.into())
}

/// `0...n`
fn three_points(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == "...")?;
    let follows = failure.previous.is_some_and(|previous| previous.end == found.start);
    let header = failure.tokens.iter().any(|token| failure.text(*token) == "in");
    (follows && header).then(|| SlipError::ThreePoints { at: failure.span(found) }.into())
}

/// `sum[i] x[i]`
fn reducer_without_parentheses(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| {
        matches!(found.kind, TokenKind::Word | TokenKind::Number) || failure.text(*found) == "["
    })?;
    let close = failure.previous.filter(|previous| failure.text(*previous) == "]")?;
    let open = innermost_open(failure, close)?;
    let name = failure.tokens.iter().rfind(|token| token.end <= open.start)?;
    ReduceOp::from_name(failure.text(*name))?;
    let reducer_at = failure.span(*name).to(failure.span(close));
    let reducer = failure.slice[name.start..close.end].to_owned();
    Some(SlipError::ReducerWithoutParentheses { reducer, reducer_at, at: failure.span(found) }.into())
}

/// `int x` for `x: int`.
fn type_before_name(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Word)?;
    let ty = failure.previous.filter(|ty| matches!(failure.text(*ty), "int" | "float" | "bool"))?;
    let in_list = innermost_open(failure, ty).is_some_and(|open| failure.text(open) == "(");
    let at = failure.span(ty).to(failure.span(found));
    let (ty, name) = (failure.text(ty).to_owned(), failure.text(found).to_owned());
    (in_list && failure.expects(Rule::colon)).then(|| SlipError::TypeBeforeName { ty, name, at }.into())
}

/// `x: (B, 2)` for `x: [B, 2]`.
fn tuple_of_sizes(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|_| failure.expects(Rule::ty))?;
    let open = innermost_open(failure, found).filter(|open| failure.text(*open) == "(")?;
    let before = failure.tokens.iter().rfind(|token| token.end <= open.start)?;
    let mut rest = failure.tokens.iter().filter(|token| token.start > open.start);
    let close = rest.find(|token| matches!(token.kind, TokenKind::Open | TokenKind::Close))?;
    if !matches!(failure.text(*before), ":" | "->") || failure.text(*close) != ")" {
        return None;
    }
    let sizes = failure.slice[open.end..close.start].to_owned();
    Some(SlipError::SizesInParentheses { sizes, at: failure.span(open).to(failure.span(*close)) }.into())
}

/// `learning-rate` for `learning_rate`.
fn hyphen_in_a_name(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == "-" && failure.expects(Rule::eq))?;
    let before = touching_word(failure, found)?;
    let after = failure.next().filter(|next| next.start == found.end && next.kind == TokenKind::Word)?;
    let whole = failure.span(before).to(failure.span(after));
    let name = format!("{}_{}", failure.text(before), failure.text(after));
    (!failure.after_value()).then(|| SlipError::Hyphen { whole, name, at: failure.span(found) }.into())
}

/// `x[i - 1 else 0, c]` for `x[i - 1, c else 0]`.
fn otherwise_before_the_last(failure: &Failure<'_>) -> Option<ParseError> {
    let comma = failure.found.filter(|found| failure.text(*found) == ",")?;
    let open = innermost_open(failure, comma).filter(|open| failure.text(*open) == "[")?;
    let inside = |token: &&Token| open.end <= token.start && token.start < comma.start;
    let otherwise = failure.tokens.iter().filter(inside).rfind(|token| failure.text(**token) == "else")?;
    let mut depth = 0;
    let close = failure.tokens.iter().filter(|token| token.start > comma.start).find(|token| {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth -= 1,
            _ => {}
        }
        depth < 0
    });
    let at = failure.span(*otherwise).to(failure.span(comma));
    let written = close.filter(|close| failure.text(**close) == "]").map(|close| {
        let text = |from: usize, to: usize| failure.slice[from..to].trim();
        let before = text(open.end, otherwise.start);
        let (value, rest) = (text(otherwise.start, comma.start), text(comma.start, close.start));
        (failure.span(open).to(failure.span(*close)), format!("[{before}{rest} {value}]"))
    });
    Some(SlipError::EarlyElse { written, at }.into())
}

/// `split 0.8`
fn part_without_name(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Number)?;
    let word =
        failure.previous.filter(|word| failure.text(*word) == "split" && begins_line(failure, *word))?;
    let share: f64 = failure.text(found).parse().ok().filter(|share| *share > 0.0 && *share < 1.0)?;
    let rest = format!("{:.3}", 1.0 - share);
    let rest = rest.trim_end_matches('0').to_owned();
    let (share, number) = (failure.text(found).to_owned(), failure.span(found));
    Some(SlipError::UnnamedPart { number, share, rest, at: failure.span(word).to(number) }.into())
}

/// `plot x with kind = "heat"`
fn options_behind_with(failure: &Failure<'_>) -> Option<ParseError> {
    let with = failure.found.filter(|found| failure.text(*found) == "with")?;
    let is_plot = failure.tokens.first().is_some_and(|first| failure.text(*first) == "plot");
    let at = failure.span(with);
    let gap = Span { end: at.end, ..failure.gap() };
    (is_plot && failure.after_value()).then(|| SlipError::OptionsBehindWith { gap, at }.into())
}

/// `drop rows column("age") > 100`, `drop where …`
fn drop_without_where(failure: &Failure<'_>) -> Option<ParseError> {
    let word = failure.previous?;
    let found = failure.found?;
    let line = &failure.slice[..word.end];
    let begins = line.rsplit('\n').next().is_some_and(|line| matches!(line.trim(), "drop" | "drop rows"));
    if !begins || failure.text(found) == "=" {
        return None;
    }
    Some(SlipError::DropWithoutRows { at: failure.span(word).to(failure.span(found)) }.into())
}

/// `[, 4]`, `[:, 4]` and `[?, 4]` for `[B, 4]`.
fn nothing_for_rows(failure: &Failure<'_>) -> Option<ParseError> {
    if let Some(sign) = failure.found.filter(|found| matches!(failure.text(*found), ":" | "?" | "*")) {
        let open = innermost_open(failure, sign).filter(|open| failure.text(*open) == "[")?;
        let before = failure.tokens.iter().rfind(|token| token.end <= open.start)?;
        let is_type = matches!(failure.text(*before), ":" | "->");
        let at = failure.span(sign);
        return is_type.then(|| SlipError::AnySize { sign: failure.text(sign).to_owned(), at }.into());
    }
    let comma = failure.found.filter(|found| failure.text(*found) == ",")?;
    let open = failure.previous.filter(|open| failure.text(*open) == "[")?;
    let end = failure.span(open).end;
    let at = failure.span(comma);
    Some(SlipError::MissingSize { before: Span { start: end, end, ..at }, at }.into())
}
