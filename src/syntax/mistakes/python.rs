//! Habits of Python (E0018): blocks by colon, conditionals behind their value, comprehensions, prefixes of strings.

use crate::base::{Diagnostic, Span, foreign};

use super::super::errors::{Failure, innermost_open};
use super::super::grammar::Rule;
use super::super::tokens::{ITEM_WORDS, Token, TokenKind};

pub(super) const HABITS: [fn(&Failure<'_>) -> Option<Diagnostic>; 11] = [
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

fn error(what: impl Into<String>, place: Span) -> Diagnostic {
    Diagnostic::error("E0018", what).at(place, "not of this language")
}

/// The tokens of the line that a token stands in.
fn line<'f>(failure: &'f Failure<'_>, of: Token) -> &'f [Token] {
    let newline = |token: &Token| token.kind == TokenKind::Newline;
    let at = failure.tokens.partition_point(|token| token.start < of.start);
    let first = failure.tokens[..at].iter().rposition(newline).map_or(0, |before| before + 1);
    let rest = failure.tokens[at..].iter().position(newline).unwrap_or(failure.tokens.len() - at);
    &failure.tokens[first..at + rest]
}

/// `f"…"`
fn string_prefix(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| matches!(found.kind, TokenKind::Str | TokenKind::OpenStr))?;
    let prefix = failure.previous.filter(|word| word.end == found.start && word.kind == TokenKind::Word)?;
    let known = matches!(failure.text(prefix), "f" | "F" | "r" | "b" | "rf" | "fr" | "u" | "s");
    known.then(|| {
        error("strings have no prefix", failure.span(prefix)).suggest(
            "`{x}` in a string is always the value of x",
            failure.span(prefix),
            "",
        )
    })
}

/// `a if c else b`
fn conditional_behind(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == "if" && failure.after_value())?;
    let rest: Vec<&Token> = line(failure, found).iter().filter(|token| token.start > found.start).collect();
    let at = |word: &str| rest.iter().position(|token| failure.text(**token) == word);
    let otherwise = at("else").filter(|_| at("then").is_none() && at("{").is_none())?;
    let place = failure.span(found).to(failure.span(*rest[otherwise]));
    Some(
        error("the condition of a choice comes first", place)
            .help("write `if c then a else b` for `a if c else b`"),
    )
}

/// `[i * i for i in 0..3]`
fn comprehension(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == "for" && failure.after_value())?;
    let open = innermost_open(failure, found).filter(|open| matches!(failure.text(*open), "[" | "("))?;
    Some(
        error("there are no comprehensions", failure.span(open).to(failure.span(found)))
            .help("index notation makes a tensor element by element: `y[i < n] = i * i`"),
    )
}

/// `for i in 0..3:` or `if c:` at the end of a line.
fn colon_before_block(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == ":")?;
    let tokens = line(failure, found);
    let first = failure.text(*tokens.first()?);
    let header = matches!(first, "for" | "if" | "else" | "elif" | "while" | "scan" | "def" | "class" | "}")
        || ITEM_WORDS.contains(&first);
    let last = tokens.last().is_some_and(|last| last.start == found.start);
    (header && last).then(|| {
        error("a block stands in braces, not behind a colon", failure.span(found))
            .help(format!("write `{first} … {{` and close it with `}}` below"))
    })
}

/// `elif` after the block of an `if`.
fn another_branch(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "elif" | "elsif" | "elseif"))?;
    let place = failure.span(found);
    Some(error(format!("there is no `{}`", failure.text(found)), place).suggest("write", place, "else if"))
}

/// `x is None`
fn identity(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "is" | "in"))?;
    let value = failure.previous.filter(|value| value.kind == TokenKind::Word)?;
    let condition = line(failure, found).first().is_some_and(|first| failure.text(*first) == "if");
    let (word, name) = (failure.text(found), failure.text(value));
    (condition && word == "is").then(|| {
        error("there is no `is`", failure.span(found)).help(format!(
            "`kind({name}) == \"none\"` asks whether {name} is given; values are compared with `==`"
        ))
    })
}

/// `epochs: 10` in `train`, `data` or `generate`.
fn setting_with_colon(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| failure.text(*found) == ":" && failure.expects(Rule::eq))?;
    let name = failure.previous.filter(|name| name.kind == TokenKind::Word)?;
    let first = line(failure, found).first().is_some_and(|first| first.start == name.start);
    let place = Span { start: failure.span(name).end, ..failure.span(found) };
    first.then(|| error("a setting is written with `=`", failure.span(found)).suggest("write", place, " ="))
}

/// `import numpy as np`
fn imported_module(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found =
        failure.found.filter(|found| found.kind == TokenKind::Word && failure.expects(Rule::string))?;
    let import = failure.previous.filter(|import| failure.text(*import) == "import")?;
    let module = failure.text(found);
    Some(
        error(format!("`{module}` cannot be imported"), failure.span(import).to(failure.span(found)))
            .help("leave the line out: the library is always there; `import \"file.nn\"` brings what another file declares"),
    )
}

/// `model.fit(x, y)`, `model = Net`: the word begins an item.
fn item_word_as_name(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "=" | "." | "("))?;
    let word = failure.previous.filter(|word| word.end <= found.start && word.kind == TokenKind::Word)?;
    let text = failure.text(word);
    let begins = failure.tokens.first().is_some_and(|first| first.start == word.start);
    if !begins || !ITEM_WORDS.contains(&text) || !failure.expects(Rule::name) && !failure.expects(Rule::ident)
    {
        return None;
    }
    let error = Diagnostic::error("E0005", format!("`{text}` begins an item and is no name here"))
        .at(failure.span(word), format!("a name is expected after `{text}`"));
    let method = failure.next().filter(|_| failure.text(found) == ".").map(|next| failure.text(next));
    Some(match method.and_then(|method| foreign::find(foreign::METHODS, method)) {
        Some(row) => error.help(row.advice),
        None => error.help(format!("`{text} NAME …` declares one; `nnc doc {text}` tells more")),
    })
}

/// `optimizer.zero_grad()`, `loss.backward()`: a line of a `train` that only calls something.
fn call_in_train(failure: &Failure<'_>) -> Option<Diagnostic> {
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
    let error = Diagnostic::error("E0001", format!("a line of `train` cannot be a call of `{name}`"))
        .at(place, "only called");
    Some(match foreign::find(foreign::METHODS, name).filter(|row| !row.advice.is_empty()) {
        Some(row) => error.help(row.advice),
        None => error.help(
            "lines of `train` are settings such as `epochs = 10`, `minimize LOSS with OPTIMIZER`, `measure METRIC`, `init MODEL = …` and `MODEL <- …`",
        ),
    })
}

/// `'…'`
fn quoted_singly(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "'" | "’" | "‘"))?;
    let rest = &failure.slice[found.end..];
    let inside = rest.split(['\n', '"']).next()?;
    let close = inside.find(['\'', '’', '‘'])?;
    let width = inside[close..].chars().next().map_or(1, char::len_utf8);
    let place = failure.span(found);
    let whole = Span { end: place.start + (found.end - found.start + close + width) as u32, ..place };
    Some(error("strings are written in double quotes", whole).suggest(
        "write",
        whole,
        format!("\"{}\"", &inside[..close]),
    ))
}
