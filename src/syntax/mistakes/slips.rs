//! Small slips: something is nearly right, and what was meant can be shown.

use crate::base::{Cause, Diagnostic, Span};

use super::super::ast::ReduceOp;
use super::super::errors::{Failure, innermost_open};
use super::super::grammar::Rule;
use super::super::tokens::{ITEM_WORDS, Token, TokenKind};
use super::numbers::decimal_comma;

pub(super) const SLIPS: [fn(&Failure<'_>) -> Option<Diagnostic>; 13] = [
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
    drop_without_where,
    nothing_for_rows,
];

/// The word before the place of the failure, if the two touch.
fn touching_word(failure: &Failure<'_>, found: Token) -> Option<Token> {
    failure.previous.filter(|previous| previous.end == found.start && previous.kind == TokenKind::Word)
}

fn begins_line(failure: &Failure<'_>, token: Token) -> bool {
    let before = failure.tokens.iter().rfind(|before| before.end <= token.start);
    before.is_none_or(|before| before.kind == TokenKind::Newline || failure.text(*before) == "{")
}

fn branch_without_if(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "else" | "then"))?;
    let word = failure.text(found);
    (begins_line(failure, found) && failure.expects_statement()).then(|| {
        Diagnostic::error("E0001", format!("this `{word}` belongs to no `if`"))
            .because(Cause::BranchWithoutIf)
            .at(failure.span(found), "not expected here")
            .help("`if c then a else b`, or `if c { … } else { … }`")
    })
}

/// `data d { … }` within a model.
fn item_in_a_body(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Word)?;
    let word = failure.previous.filter(|word| ITEM_WORDS.contains(&failure.text(*word)))?;
    let in_block = innermost_open(failure, word).is_some_and(|open| failure.text(open) == "{");
    (in_block && begins_line(failure, word) && failure.after_value()).then(|| {
        let text = failure.text(word);
        Diagnostic::error("E0013", format!("`{text}` begins an item, and items stand outside of all braces"))
            .at(failure.span(word).to(failure.span(found)), "not in a body")
            .help("move it out of this body; its name is known there all the same")
    })
}

/// `fc {l} = …`: the brace of a template touches the name.
fn spaced_template(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == "{")?;
    let name = failure.previous.filter(|name| name.kind == TokenKind::Word && name.end < found.start)?;
    let mut after = failure.tokens.iter().filter(|token| token.start > found.start);
    let (_, close, then) = (after.next()?, after.next()?, after.next()?);
    let gap = Span { start: failure.span(name).end, end: failure.span(found).start, ..failure.span(found) };
    let is_name = failure.text(*close) == "}" && matches!(failure.text(*then), "=" | "." | ":");
    (is_name && begins_line(failure, name)).then(|| {
        Diagnostic::error("E0017", "the brace of a name touches it")
            .because(Cause::Brace)
            .at(failure.span(found), "with a space before it, this is a block")
            .suggest("if this is a name with a compile-time part", gap, "")
    })
}

/// `0...n`
fn three_points(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == "...")?;
    let follows = failure.previous.is_some_and(|previous| previous.end == found.start);
    let header = failure.tokens.iter().any(|token| failure.text(*token) == "in");
    (follows && header).then(|| {
        Diagnostic::error("E0001", "a range is written with two points")
            .at(failure.span(found), "these are three")
            .suggest("write", failure.span(found), "..")
    })
}

/// `sum[i] x[i]`
fn reducer_without_parentheses(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| {
        matches!(found.kind, TokenKind::Word | TokenKind::Number) || failure.text(*found) == "["
    })?;
    let close = failure.previous.filter(|previous| failure.text(*previous) == "]")?;
    let open = innermost_open(failure, close)?;
    let name = failure.tokens.iter().rfind(|token| token.end <= open.start)?;
    ReduceOp::from_name(failure.text(*name))?;
    let reducer = failure.span(*name).to(failure.span(close));
    let text = &failure.slice[name.start..close.end];
    Some(
        Diagnostic::error("E0001", "a reducer takes its body in parentheses")
            .at(failure.span(found), "the body begins here")
            .and_at(reducer, "the reducer")
            .help(format!("write `{text}(…)`: what the parentheses hold is reduced, and no more")),
    )
}

/// `int x` for `x: int`.
fn type_before_name(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Word)?;
    let ty = failure.previous.filter(|ty| matches!(failure.text(*ty), "int" | "float" | "bool"))?;
    let in_list = innermost_open(failure, ty).is_some_and(|open| failure.text(open) == "(");
    let whole = failure.span(ty).to(failure.span(found));
    (in_list && failure.expects(Rule::colon)).then(|| {
        Diagnostic::error("E0001", "a type stands behind its name").at(whole, "the other way round").suggest(
            "write",
            whole,
            format!("{}: {}", failure.text(found), failure.text(ty)),
        )
    })
}

/// `x: (B, 2)` for `x: [B, 2]`.
fn tuple_of_sizes(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|_| failure.expects(Rule::ty))?;
    let open = innermost_open(failure, found).filter(|open| failure.text(*open) == "(")?;
    let before = failure.tokens.iter().rfind(|token| token.end <= open.start)?;
    let mut rest = failure.tokens.iter().filter(|token| token.start > open.start);
    let close = rest.find(|token| matches!(token.kind, TokenKind::Open | TokenKind::Close))?;
    if !matches!(failure.text(*before), ":" | "->") || failure.text(*close) != ")" {
        return None;
    }
    let whole = failure.span(open).to(failure.span(*close));
    let sizes = &failure.slice[open.end..close.start];
    Some(
        Diagnostic::error("E0001", "the sizes of a tensor stand in square brackets")
            .at(whole, "a type is expected here")
            .suggest("write", whole, format!("[{sizes}]")),
    )
}

/// `learning-rate` for `learning_rate`.
fn hyphen_in_a_name(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == "-" && failure.expects(Rule::eq))?;
    let before = touching_word(failure, found)?;
    let after = failure.next().filter(|next| next.start == found.end && next.kind == TokenKind::Word)?;
    let whole = failure.span(before).to(failure.span(after));
    (!failure.after_value()).then(|| {
        Diagnostic::error("E0001", "a name has no `-` in it")
            .at(failure.span(found), "this is a minus sign")
            .suggest("write", whole, format!("{}_{}", failure.text(before), failure.text(after)))
    })
}

/// `x[i - 1 else 0, c]` for `x[i - 1, c else 0]`.
fn otherwise_before_the_last(failure: &Failure<'_>) -> Option<Diagnostic> {
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
    let error = Diagnostic::error("E0001", "`else` closes the list of subscripts")
        .at(failure.span(*otherwise).to(failure.span(comma)), "what an outside read gives stands last");
    let Some(close) = close.filter(|close| failure.text(**close) == "]") else {
        return Some(error.help("write `x[i - 1, c else 0]`"));
    };
    let text = |from: usize, to: usize| failure.slice[from..to].trim();
    let before = text(open.end, otherwise.start);
    let (value, rest) = (text(otherwise.start, comma.start), text(comma.start, close.start));
    let whole = failure.span(open).to(failure.span(*close));
    Some(error.suggest("write", whole, format!("[{before}{rest} {value}]")))
}

/// `split 0.8`
fn part_without_name(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Number)?;
    let word =
        failure.previous.filter(|word| failure.text(*word) == "split" && begins_line(failure, *word))?;
    let share: f64 = failure.text(found).parse().ok().filter(|share| *share > 0.0 && *share < 1.0)?;
    let rest = format!("{:.3}", 1.0 - share);
    let names = format!("train = {}, test = {}", failure.text(found), rest.trim_end_matches('0'));
    Some(
        Diagnostic::error("E0016", "the parts of a split have names")
            .at(failure.span(word).to(failure.span(found)), "a name and `=` are missing")
            .suggest("write", failure.span(found), names),
    )
}

/// `drop rows column("age") > 100`, `drop where …`
fn drop_without_where(failure: &Failure<'_>) -> Option<Diagnostic> {
    let word = failure.previous?;
    let found = failure.found?;
    let line = &failure.slice[..word.end];
    let begins = line.rsplit('\n').next().is_some_and(|line| matches!(line.trim(), "drop" | "drop rows"));
    if !begins || failure.text(found) == "=" {
        return None;
    }
    let error = Diagnostic::error("E0001", "rows that are left out are named by a condition");
    let error = error.at(failure.span(word).to(failure.span(found)), "`rows where` is missing");
    Some(error.help("write `drop rows where is_missing(column(\"age\"))`"))
}

/// `[, 4]` for `[B, 4]`.
fn nothing_for_rows(failure: &Failure<'_>) -> Option<Diagnostic> {
    let comma = failure.found.filter(|found| failure.text(*found) == ",")?;
    let open = failure.previous.filter(|open| failure.text(*open) == "[")?;
    let end = failure.span(open).end;
    Some(
        Diagnostic::error("E0001", "a size is missing")
            .at(failure.span(comma), "nothing stands before this comma")
            .suggest("any number of rows has a name", Span { start: end, end, ..failure.span(comma) }, "B"),
    )
}
