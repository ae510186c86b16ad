//! Habits of Python (E0018): blocks by colon, conditionals behind their value, comprehensions, prefixes of strings.

use crate::base::{Span, foreign};

use super::super::ast::ReduceOp;
use super::super::errors::{Failure, innermost_open};
use super::super::grammar::Rule;
use super::super::report::{ForeignConstruct, ForeignSign, LineError, NameError, ParseError};
use super::super::tokens::{ITEM_WORDS, Token, TokenKind};

pub(super) const HABITS: [fn(&Failure<'_>) -> Option<ParseError>; 15] = [
    format_of_value,
    index_range,
    range_as_value,
    arrow_function,
    string_prefix,
    conditional_behind,
    comprehension,
    colon_before_block,
    another_branch,
    identity,
    setting_with_colon,
    imported_module,
    item_word_as_name,
    quoted_singly,
    call_in_train,
];

/// The tokens of the line that a token stands in.
fn line<'f>(failure: &'f Failure<'_>, of: Token) -> &'f [Token] {
    let newline = |token: &Token| token.kind == TokenKind::Newline;
    let at = failure.tokens.partition_point(|token| token.start < of.start);
    let first = failure.tokens[..at].iter().rposition(newline).map_or(0, |before| before + 1);
    let rest = failure.tokens[at..].iter().position(newline).unwrap_or(failure.tokens.len() - at);
    &failure.tokens[first..at + rest]
}

/// `{a:.2f}` or `{}` in a string.
fn format_of_value(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|_| failure.in_string)?;
    let at = failure.span(found);
    match failure.text(found) {
        ":" if failure.after_value() => Some(ForeignConstruct::Format { at }.into()),
        "}" if failure.slice[..found.start].trim_end().ends_with('{') => {
            Some(ForeignConstruct::EmptyHole { at }.into())
        }
        _ => None,
    }
}

/// `sum[i in 0..n](…)`
fn index_range(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "in" | "=" | "∈"))?;
    let open = innermost_open(failure, found).filter(|open| failure.text(*open) == "[")?;
    let reducer = failure.tokens.iter().rfind(|token| token.end <= open.start)?;
    ReduceOp::from_name(failure.text(*reducer))?;
    Some(ForeignConstruct::IndexRange { at: failure.span(found) }.into())
}

/// `const a = 1:3`
fn range_as_value(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), ":" | ".."))?;
    let is_number = |token: Option<Token>| token.is_some_and(|token| token.kind == TokenKind::Number);
    let both = is_number(failure.previous) && is_number(failure.next());
    (both && failure.after_value()).then(|| ForeignConstruct::RangeValue { at: failure.span(found) }.into())
}

/// `x -> 2 * x`, `x => 2 * x`
fn arrow_function(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found?;
    let is_arrow = match failure.text(found) {
        "->" => failure.after_value(),
        ">" => failure.previous.is_some_and(|before| before.end == found.start && failure.text(before) == "="),
        _ => false,
    };
    let inside = innermost_open(failure, found).is_some();
    (is_arrow && inside).then(|| ForeignConstruct::Lambda { at: failure.span(found) }.into())
}

/// `f"…"`
fn string_prefix(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(found.kind, TokenKind::Str | TokenKind::OpenStr))?;
    let prefix = failure.previous.filter(|word| word.end == found.start && word.kind == TokenKind::Word)?;
    let known = matches!(failure.text(prefix), "f" | "F" | "r" | "b" | "rf" | "fr" | "u" | "s");
    known.then(|| ForeignConstruct::StringPrefix { at: failure.span(prefix) }.into())
}

/// `a if c else b`
fn conditional_behind(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == "if" && failure.after_value())?;
    let rest: Vec<&Token> = line(failure, found).iter().filter(|token| token.start > found.start).collect();
    let at = |word: &str| rest.iter().position(|token| failure.text(**token) == word);
    let otherwise = at("else").filter(|_| at("then").is_none() && at("{").is_none())?;
    let at = failure.span(found).to(failure.span(*rest[otherwise]));
    Some(ForeignConstruct::ConditionBehind { at }.into())
}

/// `[i * i for i in 0..3]`
fn comprehension(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == "for" && failure.after_value())?;
    let open = innermost_open(failure, found).filter(|open| matches!(failure.text(*open), "[" | "("))?;
    Some(ForeignConstruct::Comprehension { at: failure.span(open).to(failure.span(found)) }.into())
}

/// `for i in 0..3:` or `if c:` at the end of a line.
fn colon_before_block(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == ":")?;
    let tokens = line(failure, found);
    let first = failure.text(*tokens.first()?);
    let header = matches!(first, "for" | "if" | "else" | "elif" | "while" | "scan" | "def" | "class" | "}")
        || ITEM_WORDS.contains(&first);
    let last = tokens.last().is_some_and(|last| last.start == found.start);
    (header && last).then(|| {
        ForeignConstruct::ColonBeforeBlock { word: first.to_owned(), at: failure.span(found) }.into()
    })
}

/// `elif` after the block of an `if`.
fn another_branch(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "elif" | "elsif" | "elseif"))?;
    let word = failure.text(found).to_owned();
    Some(ForeignConstruct::ElseIf { word, at: failure.span(found) }.into())
}

/// `x is None`
fn identity(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "is" | "in"))?;
    let value = failure.previous.filter(|value| value.kind == TokenKind::Word)?;
    let condition = line(failure, found).first().is_some_and(|first| failure.text(*first) == "if");
    let name = failure.text(value).to_owned();
    (condition && failure.text(found) == "is")
        .then(|| ForeignConstruct::Is { name, at: failure.span(found) }.into())
}

/// `epochs: 10` in `train`, `data` or `generate`.
fn setting_with_colon(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| failure.text(*found) == ":" && failure.expects(Rule::eq))?;
    let name = failure.previous.filter(|name| name.kind == TokenKind::Word)?;
    let first = line(failure, found).first().is_some_and(|first| first.start == name.start);
    let gap = Span { start: failure.span(name).end, ..failure.span(found) };
    first.then(|| ForeignConstruct::SettingWithColon { gap, at: failure.span(found) }.into())
}

/// `import numpy as np`
fn imported_module(failure: &Failure<'_>) -> Option<ParseError> {
    let found =
        failure.found.filter(|found| found.kind == TokenKind::Word && failure.expects(Rule::string))?;
    let import = failure.previous.filter(|import| failure.text(*import) == "import")?;
    let at = failure.span(import).to(failure.span(found));
    Some(ForeignConstruct::Import { module: failure.text(found).to_owned(), at }.into())
}

/// `model.fit(x, y)`, `model = Net`: the word begins an item.
fn item_word_as_name(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "=" | "." | "("))?;
    let word = failure.previous.filter(|word| word.end <= found.start && word.kind == TokenKind::Word)?;
    let text = failure.text(word);
    let begins = failure.tokens.first().is_some_and(|first| first.start == word.start);
    if !begins || !ITEM_WORDS.contains(&text) || !failure.expects(Rule::name) && !failure.expects(Rule::ident)
    {
        return None;
    }
    let method = failure.next().filter(|_| failure.text(found) == ".").map(|next| failure.text(next));
    let advice = method.and_then(|method| foreign::find(foreign::METHODS, method)).map(|row| row.advice);
    Some(NameError::ItemWord { word: text.to_owned(), advice, at: failure.span(word) }.into())
}

/// `optimizer.zero_grad()`, `loss.backward()`: a line of a `train` that only calls something.
fn call_in_train(failure: &Failure<'_>) -> Option<ParseError> {
    let is_train = failure.tokens.first().is_some_and(|first| failure.text(*first) == "train");
    let previous = failure.previous.filter(|previous| is_train && failure.text(*previous) == ")")?;
    if failure.found.is_some_and(|found| found.kind != TokenKind::Newline && failure.text(found) != "}") {
        return None;
    }
    let line: Vec<Token> =
        line(failure, previous).iter().copied().filter(|token| token.end <= previous.end).collect();
    let open = line.iter().position(|token| failure.text(*token) == "(")?;
    let is_path = |at: usize, token: &Token| match at % 2 {
        0 => token.kind == TokenKind::Word,
        _ => failure.text(*token) == ".",
    };
    if open % 2 == 0 || !line[..open].iter().enumerate().all(|(at, token)| is_path(at, token)) {
        return None;
    }
    let name = failure.text(line[open - 1]);
    let place = failure.span(line[0]).to(failure.span(previous));
    let row = foreign::find(foreign::METHODS, name).filter(|row| !row.advice.is_empty());
    let advice = row.map(|row| row.advice);
    Some(LineError::CallInTrain { name: name.to_owned(), advice, at: place }.into())
}

/// `'…'`
fn quoted_singly(failure: &Failure<'_>) -> Option<ParseError> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "'" | "’" | "‘"))?;
    let rest = &failure.slice[found.end..];
    let inside = rest.split(['\n', '"']).next()?;
    let close = inside.find(['\'', '’', '‘'])?;
    let width = inside[close..].chars().next().map_or(1, char::len_utf8);
    let place = failure.span(found);
    let whole = Span { end: place.start + (found.end - found.start + close + width) as u32, ..place };
    Some(ForeignSign::SingleQuotes { inside: inside[..close].to_owned(), at: whole }.into())
}
