//! Recognition of common mistakes at the place where the parser stopped. Other errors are described by the tokens
//! that were expected.

mod foreign;
mod numbers;
mod python;
mod slips;

use crate::base::{Span, nearest};

use super::errors::{Failure, innermost_open, previous_asks_for_more};
use super::grammar::Rule;
use super::report::{
    Advice, BraceError, Expected, LineError, LineWithWith, MeantByComma, MeantType, MissingError, NameError, ParseError,
    Unexpected,
};
use super::scan::ends_open;
use super::tokens::{RESERVED, Token, TokenKind};
use foreign::{foreign_character, foreign_word};
use numbers::wrong_number;
use slips::begins_line;

/// Words that begin a statement or a line of a declaration.
const LINE_WORDS: [&str; 13] = [
    "param", "state", "carry", "collect", "scan", "require", "advise", "for", "minimize", "measure", "split",
    "drop", "windows",
];

/// What is wrong where the parser failed.
pub(super) fn recognise(failure: &Failure<'_>) -> ParseError {
    let rules: [fn(&Failure<'_>) -> Option<ParseError>; 18] = [
        reserved_name,
        line_without_value,
        foreign_character,
        foreign_word,
        wrong_number,
        block_or_template,
        brace_on_next_line,
        missing_body,
        missing_else,
        missing_with,
        missing_from,
        missing_axis_word,
        operator_at_line_start,
        misspelled_word,
        two_statements,
        missing_equals,
        missing_in,
        missing_comma,
    ];
    let mut rules = python::HABITS.iter().chain(&slips::SLIPS).chain(&rules);
    rules.find_map(|rule| rule(failure)).unwrap_or_else(|| anything_else(failure).into())
}

fn reserved_name(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found?;
    let error = |token: Token| -> ParseError {
        NameError::Reserved { word: failure.text(token).to_owned(), at: failure.span(token) }.into()
    };
    let word = failure.text(found);
    // `if = 3`: a keyword where a name should stand.
    let before = failure.previous.filter(|previous| RESERVED.contains(&failure.text(*previous)));
    if let Some(before) = before.filter(|_| matches!(word, "=" | ":" | "<-" | "+=")) {
        return Some(error(before));
    }
    if !RESERVED.contains(&word) {
        return None;
    }
    let next = failure.next().map(|next| failure.text(next));
    let bound = matches!(next, Some("=" | ":" | "<-" | "+=" | "," | ")" | "(" | "{" | "in"));
    let names_something =
        failure.expects(Rule::ident) || failure.expects(Rule::name) || failure.expects(Rule::path);
    let begins_binding = failure.expects_statement() && matches!(next, Some("=" | ":" | "<-" | "+="));
    let prefix_word = matches!(word, "if" | "not");
    if !(names_something || begins_binding || failure.expects_value() && bound && !prefix_word) {
        return None;
    }
    Some(error(found))
}

/// `a =` and then a whole statement on the next line, which was parsed as the value.
fn line_without_value(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "=" | ":" | "<-" | "+="))?;
    let name = failure.previous.filter(|name| name.kind == TokenKind::Word && failure.after_value())?;
    let mut before = failure.tokens.iter().rev().skip_while(|token| token.start >= name.start);
    let newline = before.next().filter(|token| token.kind == TokenKind::Newline)?;
    let asking = before.find(|token| token.kind != TokenKind::Newline)?;
    if !ends_open(failure.text(*asking)) {
        return None;
    }
    let end = failure.span(*asking).end;
    let at = Span { start: end, end, ..failure.span(*newline) };
    let after = failure.text(*asking).to_owned();
    Some(MissingError::Value { after, at, statement: failure.span(found) }.into())
}

/// `if c{`: the brace of a template touches its name, that of a block does not.
fn block_or_template(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found?;
    let before = failure.tokens.iter().take_while(|token| token.start < found.start);
    let line: Vec<&Token> = before
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .take_while(|token| token.kind != TokenKind::Newline)
        .collect();
    let header =
        line.last().is_some_and(|first| matches!(failure.text(**first), "if" | "for" | "scan" | "}"));
    let touching = line.windows(2).find(|pair| {
        failure.text(*pair[0]) == "{" && pair[1].kind == TokenKind::Word && pair[1].end == pair[0].start
    })?;
    let (brace, name) = (touching[0], touching[1]);
    header.then(|| {
        BraceError::TouchesName { name: failure.text(*name).to_owned(), at: failure.span(*brace) }.into()
    })
}

fn brace_on_next_line(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Newline)?;
    let brace =
        failure.tokens.iter().find(|token| token.start >= found.end && token.kind != TokenKind::Newline)?;
    if failure.text(*brace) != "{" {
        return None;
    }
    let at = failure.span(*brace);
    Some(BraceError::OnNextLine { gap: Span { end: at.start, ..failure.place() }, at }.into())
}

fn missing_body(failure: &Failure<'_>) -> Option<ParseError> {
    if let Some(found) =
        failure.found.filter(|found| failure.text(*found) == "whole" && failure.expects(Rule::body))
    {
        return Some(LineError::LateWhole { at: failure.span(found) }.into());
    }
    let wants_body = failure.expects(Rule::body) || failure.expects(Rule::block) && !failure.expects_value();
    if !wants_body
        || failure.found.is_some_and(|found| !matches!(found.kind, TokenKind::Newline | TokenKind::Word))
    {
        return None;
    }
    let (found, at) = (failure.found(), failure.place());
    Some(match failure.expects(Rule::body) {
        true => MissingError::Body { found, at }.into(),
        false => MissingError::Block { found, at }.into(),
    })
}

fn missing_else(failure: &Failure<'_>) -> Option<ParseError> {
    if failure.expects(Rule::kw_then) && !failure.expects_value() {
        return Some(MissingError::Then { found: failure.found(), at: failure.place() }.into());
    }
    if !failure.expects(Rule::kw_else)
        || failure.expects_value()
        || failure.literals.iter().any(|text| text == "]")
    {
        return None;
    }
    Some(MissingError::Else { at: failure.place() }.into())
}

fn missing_with(failure: &Failure<'_>) -> Option<ParseError> {
    let mut words = failure.tokens.iter().filter(|token| token.kind == TokenKind::Word);
    let line = match words.next() {
        _ if !failure.expects(Rule::kw_with) => return None,
        Some(word) if failure.text(*word) == "generate" => LineWithWith::Generate,
        _ => LineWithWith::Minimize,
    };
    Some(MissingError::With { line, found: failure.found(), at: failure.place() }.into())
}

fn missing_from(failure: &Failure<'_>) -> Option<ParseError> {
    let (found, at) = (failure.found(), failure.place());
    failure.expects(Rule::kw_from).then(|| MissingError::From { found, at }.into())
}

fn missing_axis_word(failure: &Failure<'_>) -> Option<ParseError> {
    let (found, at) = (failure.found(), failure.place());
    failure.expects(Rule::kw_along).then(|| MissingError::Along { found, at }.into())
}

/// A line that begins with an operator: the line above should have ended with it.
fn operator_at_line_start(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Symbol)?;
    let word = failure.text(found);
    if !failure.expects_statement()
        || !matches!(word, "+" | "*" | "/" | "@" | "^" | "==" | "<" | ">" | "<=" | ">=")
    {
        return None;
    }
    Some(LineError::BeginsWithOperator { operator: word.to_owned(), at: failure.span(found) }.into())
}

fn misspelled_word(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Word)?;
    let previous = failure.previous.filter(|previous| previous.kind == TokenKind::Word)?;
    let before = failure.tokens.iter().rfind(|token| token.end <= previous.start);
    let begins_line =
        before.is_none_or(|before| before.kind == TokenKind::Newline || matches!(failure.text(*before), "{"));
    let word = failure.text(previous);
    if !begins_line || LINE_WORDS.contains(&word) || RESERVED.contains(&failure.text(found)) {
        return None;
    }
    if matches!(word, "maximize" | "maximise") {
        return Some(LineError::Maximize { at: failure.span(previous) }.into());
    }
    let meant = nearest(word, LINE_WORDS)?;
    Some(LineError::Misspelt { word: word.to_owned(), meant, at: failure.span(previous) }.into())
}

/// A complete statement, then on the same line what looks like the next one.
fn two_statements(failure: &Failure<'_>) -> Option<ParseError> {
    if failure.in_string {
        return None;
    }
    if let Some(comma) = failure.found.filter(|found| failure.text(*found) == ",") {
        let in_block = innermost_open(failure, comma).is_some_and(|open| failure.text(open) == "{");
        let mut rest = failure.tokens.iter().filter(|token| token.start > comma.start);
        let meant = match (rest.next(), rest.next()) {
            (None, _) => MeantByComma::End,
            (Some(next), _) if next.kind == TokenKind::Newline => MeantByComma::End,
            (Some(next), Some(after)) if next.kind == TokenKind::Word && failure.text(*after) == "=" => {
                let name = failure.previous.filter(|name| name.kind == TokenKind::Word);
                match name.is_some_and(|name| begins_line(failure, name)) {
                    true => MeantByComma::Tuple,
                    false => MeantByComma::NextLine,
                }
            }
            _ => MeantByComma::NextLine,
        };
        return in_block.then(|| LineError::Comma { meant, at: failure.span(comma) }.into());
    }
    let found = failure.found.filter(|found| found.kind == TokenKind::Word)?;
    let in_block = innermost_open(failure, found).is_some_and(|open| failure.text(open) == "{");
    let after = failure.next().map(|next| failure.text(next));
    let is_line_word = LINE_WORDS.contains(&failure.text(found)) || RESERVED.contains(&failure.text(found));
    let begins = matches!(after, Some("=" | "<-" | "+=" | ":")) || is_line_word && after != Some("(");
    if !in_block || !failure.after_value() || !begins || failure.expects(Rule::kw_then) {
        return None;
    }
    Some(LineError::SecondStatement { at: failure.span(found) }.into())
}

fn missing_equals(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found?;
    let (eq, colon) = (failure.expects(Rule::eq), failure.expects(Rule::colon));
    // In a statement `=` is possible after any value; it is missing where a value follows.
    let begins_value =
        matches!(found.kind, TokenKind::Word | TokenKind::Number | TokenKind::Str | TokenKind::Open);
    let is_type = colon && failure.text(found) == "[";
    let in_list = failure.literals.iter().any(|text| text == ")");
    if !is_type && (!eq || in_list || !(begins_value || found.kind == TokenKind::Newline)) {
        return None;
    }
    let at = failure.place();
    Some(match (is_type, begins_value) {
        (true, _) if failure.expects(Rule::arrow) => MissingError::Arrow { gap: failure.gap(), at }.into(),
        (true, _) => MissingError::Colon { gap: failure.gap(), at }.into(),
        (false, false) if failure.after_value() => return None,
        (false, has_value) => MissingError::Equals { has_value, at }.into(),
    })
}

fn missing_in(failure: &Failure<'_>) -> Option<ParseError> {
    let (found, at) = (failure.found(), failure.place());
    failure.expects(Rule::kw_in).then(|| MissingError::In { found, at }.into())
}

/// Two values side by side inside brackets.
fn missing_comma(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found?;
    let begins_value = matches!(found.kind, TokenKind::Word | TokenKind::Number | TokenKind::Str);
    let in_list = failure.literals.iter().any(|text| text == ",") && failure.after_value();
    if !begins_value || !in_list || RESERVED.contains(&failure.text(found)) {
        return None;
    }
    let open = innermost_open(failure, found).filter(|open| failure.text(*open) != "{")?;
    let (before, bracket) = (failure.text(found).to_owned(), failure.span(open));
    Some(MissingError::Comma { before, gap: failure.gap(), bracket, at: failure.span(found) }.into())
}

// ------------------------------------------------------------------------------------ the rest

fn anything_else(failure: &Failure<'_>) -> Unexpected {
    let asking = failure.previous.filter(|_| previous_asks_for_more(failure) && failure.expects_value());
    let advice = match failure.found {
        Some(found) if failure.expects(Rule::ty) && found.kind == TokenKind::Word => {
            Some(Advice::Type(meant_type(failure, found)))
        }
        Some(found) if failure.text(found) == "==" && failure.expects(Rule::eq) => Some(Advice::Bind),
        Some(found) if failure.text(found) == "{" && failure.expects_value() => Some(Advice::List),
        Some(found) if found.kind == TokenKind::Str && failure.expects(Rule::comma) => {
            Some(Advice::CommaBefore { gap: failure.gap() })
        }
        Some(found) if failure.text(found) == "=" && failure.after_value() => Some(Advice::Compare),
        _ => None,
    };
    Unexpected {
        expected: expected(failure),
        found: failure.found(),
        asks: asking.map(|previous| failure.text(previous).to_owned()),
        advice,
        at: failure.place(),
    }
}

fn meant_type(failure: &Failure<'_>, found: Token) -> MeantType {
    let meant = match failure.text(found) {
        "f16" | "f32" | "f64" | "float16" | "float32" | "float64" | "real" | "double" | "number"
        | "Float" | "Tensor" | "tensor" | "FloatTensor" | "Array" | "ndarray" | "Matrix" | "Vector" => {
            Some("float")
        }
        "i8" | "i32" | "i64" | "int8" | "int32" | "int64" | "uint8" | "integer" | "Int" | "long"
        | "LongTensor" => Some("int"),
        "boolean" | "Bool" => Some("bool"),
        _ => None,
    };
    let next = failure.next().filter(|next| next.start == found.end).map(|next| failure.text(next));
    let is_tensor = matches!(failure.text(found).to_lowercase().as_str(), "tensor" | "floattensor" | "longtensor" | "array" | "ndarray" | "matrix" | "vector");
    match meant {
        _ if is_tensor && !matches!(next, Some("[" | "<")) || next == Some(".") => MeantType::Tensor,
        Some("float") if next == Some("[") => MeantType::SizesAlone,
        Some("float") if next == Some("<") => MeantType::NotKnown,
        Some(word) => MeantType::Word(word),
        None => MeantType::Size(failure.text(found).to_owned()),
    }
}

/// What was expected, the likeliest first.
fn expected(failure: &Failure<'_>) -> Vec<Expected> {
    const CLOSING: [&str; 4] = [",", ")", "]", "}"];
    let after_value = failure.after_value();
    let mut expected: Vec<Expected> = Vec::new();
    let mut add = |new: Expected| {
        if !expected.contains(&new) {
            expected.push(new);
        }
    };
    let literals = failure.literals.iter();
    let closing = literals.filter_map(|text| CLOSING.into_iter().find(|closing| closing == text));
    if failure.expects_statement() {
        add(Expected::Statement);
        closing.filter(|text| *text == "}").for_each(|text| add(Expected::Token(text)));
        return expected;
    }
    if failure.expects_value() {
        add(Expected::Value);
    }
    failure.expected.iter().filter_map(|rule| expected_by(*rule, after_value)).for_each(&mut add);
    for text in closing {
        let ends_line = text == "}" && after_value && !failure.in_string;
        add(if ends_line { Expected::EndOfLine } else { Expected::Token(text) });
    }
    if after_value {
        add(Expected::Operator);
    }
    expected
}

/// What a rule of the grammar is called in messages; nothing for rules that say no more than others.
fn expected_by(rule: Rule, after_value: bool) -> Option<Expected> {
    Some(match rule {
        Rule::ident | Rule::path | Rule::name | Rule::member_name | Rule::member_text | Rule::setting => {
            Expected::Name
        }
        Rule::ty | Rule::dims | Rule::element => Expected::Type,
        Rule::parameter => Expected::Parameter,
        Rule::string => Expected::String,
        Rule::item => Expected::Item,
        Rule::body => Expected::Body,
        Rule::EOI => Expected::EndOfItem,
        Rule::params => Expected::Token("("),
        Rule::pack => Expected::Token("..."),
        Rule::eq => Expected::Token("="),
        Rule::plus_eq => Expected::Token("+="),
        Rule::larrow => Expected::Token("<-"),
        Rule::arrow => Expected::Token("->"),
        Rule::colon => Expected::Token(":"),
        Rule::less => Expected::Token("<"),
        Rule::comma => Expected::Token(","),
        Rule::block | Rule::data_block => Expected::Token("{"),
        Rule::kw_in => Expected::Token("in"),
        Rule::kw_else if !after_value => Expected::Token("else"),
        Rule::kw_then => Expected::Token("then"),
        _ => return None,
    })
}
