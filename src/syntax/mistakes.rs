//! Recognition of common mistakes at the place where the parser stopped. Other errors are described by the tokens
//! that were expected.

mod foreign;
mod numbers;
mod python;
mod slips;

use crate::base::{Cause, Diagnostic, Span, nearest};

use super::errors::{Failure, innermost_open, previous_asks_for_more};
use super::grammar::Rule;
use super::scan::ends_open;
use super::tokens::{RESERVED, Token, TokenKind};
use foreign::{foreign_character, foreign_word};
use numbers::wrong_number;

/// Words that begin a statement or a line of a declaration.
const LINE_WORDS: [&str; 13] = [
    "param", "state", "carry", "collect", "scan", "require", "advise", "for", "minimize", "measure", "split",
    "drop", "windows",
];

/// One diagnostic for one failure of the parser.
pub(super) fn describe(failure: &Failure<'_>) -> Diagnostic {
    let rules: [fn(&Failure<'_>) -> Option<Diagnostic>; 18] = [
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
    rules.find_map(|rule| rule(failure)).unwrap_or_else(|| anything_else(failure))
}

fn reserved_name(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found?;
    let error = |token: Token| {
        let word = failure.text(token);
        Diagnostic::error("E0005", format!("`{word}` is a reserved word and cannot be a name"))
            .at(failure.span(token), "a name is expected here")
            .suggest("give it another name", failure.span(token), format!("{word}_"))
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
fn line_without_value(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| matches!(failure.text(*found), "=" | ":" | "<-" | "+="))?;
    let name = failure.previous.filter(|name| name.kind == TokenKind::Word && failure.after_value())?;
    let mut before = failure.tokens.iter().rev().skip_while(|token| token.start >= name.start);
    let newline = before.next().filter(|token| token.kind == TokenKind::Newline)?;
    let asking = before.find(|token| token.kind != TokenKind::Newline)?;
    if !ends_open(failure.text(*asking)) {
        return None;
    }
    let end = failure.span(*asking).end;
    Some(
        Diagnostic::error("E0001", format!("a value is missing after `{}`", failure.text(*asking)))
            .at(Span { start: end, end, ..failure.span(*newline) }, "the line goes on below")
            .and_at(failure.span(found), "so this does not begin a statement"),
    )
}

/// `if c{`: the brace of a template touches its name, that of a block does not.
fn block_or_template(failure: &Failure<'_>) -> Option<Diagnostic> {
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
    let place = failure.span(*brace);
    header.then(|| {
        Diagnostic::error("E0017", "a block's brace has a space before it")
            .because(Cause::Brace)
            .at(place, format!("`{}{{…}}` is a name with a compile-time part", failure.text(*name)))
            .suggest("put a space before the brace", Span { end: place.start, ..place }, " ")
    })
}

fn brace_on_next_line(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Newline)?;
    let brace =
        failure.tokens.iter().find(|token| token.start >= found.end && token.kind != TokenKind::Newline)?;
    if failure.text(*brace) != "{" {
        return None;
    }
    let place = failure.span(*brace);
    let gap = Span { end: place.start, ..failure.place() };
    Some(
        Diagnostic::error("E0017", "`{` stands on the line of what it belongs to")
            .because(Cause::Brace)
            .at(place, "a statement ended with the line above")
            .suggest("move it up", gap, " "),
    )
}

fn missing_body(failure: &Failure<'_>) -> Option<Diagnostic> {
    if let Some(found) =
        failure.found.filter(|found| failure.text(*found) == "whole" && failure.expects(Rule::body))
    {
        return Some(
            Diagnostic::error("E0013", "`whole` stands directly after the inputs of a metric")
                .at(failure.span(found), "not here"),
        );
    }
    let wants_body = failure.expects(Rule::body) || failure.expects(Rule::block) && !failure.expects_value();
    if !wants_body
        || failure.found.is_some_and(|found| !matches!(found.kind, TokenKind::Newline | TokenKind::Word))
    {
        return None;
    }
    let help = if failure.expects(Rule::body) {
        "a body is `= expression` or `{ statements }`"
    } else {
        "a block is `{ statements }`, with `{` on this line"
    };
    let what = if failure.expects(Rule::body) { "a body is missing" } else { "a block is missing" };
    Some(
        Diagnostic::error("E0001", what)
            .at(failure.place(), format!("expected here, found {}", failure.found_text()))
            .help(help),
    )
}

fn missing_else(failure: &Failure<'_>) -> Option<Diagnostic> {
    if failure.expects(Rule::kw_then) && !failure.expects_value() {
        let error = Diagnostic::error("E0001", "`then` or a block is missing after the condition")
            .at(failure.place(), format!("expected `then` or `{{`, found {}", failure.found_text()));
        return Some(match failure.found.map(|found| failure.text(found)) {
            Some("=") => error.suggest("a comparison is written `==`", failure.place(), "=="),
            _ => error.help("`if c then a else b`, or `if c { … } else { … }`"),
        });
    }
    if !failure.expects(Rule::kw_else)
        || failure.expects_value()
        || failure.literals.iter().any(|text| text == "]")
    {
        return None;
    }
    Some(
        Diagnostic::error("E0012", "`if … then …` has no `else`")
            .at(failure.place(), "`else` expected here")
            .help("write `if c then a else b`: there must be a value in the other case, too"),
    )
}

fn missing_with(failure: &Failure<'_>) -> Option<Diagnostic> {
    let (what, example) = match failure.tokens.iter().find(|token| token.kind == TokenKind::Word) {
        _ if !failure.expects(Rule::kw_with) => return None,
        Some(word) if failure.text(*word) == "generate" => (
            "a `generate` says how each character is chosen",
            "generate Net from \"A\" with sample(temperature = 0.8), length = 200",
        ),
        _ => ("a `minimize` line names its optimizer", "minimize mse(Net(x), y) with Adam(lr = 1e-3)"),
    };
    let error = Diagnostic::error("E0001", what)
        .at(failure.place(), format!("expected `with`, found {}", failure.found_text()));
    Some(error.help(format!("for example `{example}`")))
}

fn missing_from(failure: &Failure<'_>) -> Option<Diagnostic> {
    failure.expects(Rule::kw_from).then(|| {
        Diagnostic::error("E0001", "a `generate` says what the text begins with")
            .at(failure.place(), format!("expected `from`, found {}", failure.found_text()))
            .help("for example `generate Net from \"A\" with sample(temperature = 0.8), length = 200`")
    })
}

fn missing_axis_word(failure: &Failure<'_>) -> Option<Diagnostic> {
    failure.expects(Rule::kw_along).then(|| {
        Diagnostic::error("E0001", "`collect` names the axis of the steps")
            .at(failure.place(), format!("expected `along`, found {}", failure.found_text()))
            .help("for example `collect hs = h along 1`")
    })
}

/// A line that begins with an operator: the line above should have ended with it.
fn operator_at_line_start(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found.filter(|found| found.kind == TokenKind::Symbol)?;
    let word = failure.text(found);
    if !failure.expects_statement()
        || !matches!(word, "+" | "*" | "/" | "@" | "^" | "==" | "<" | ">" | "<=" | ">=")
    {
        return None;
    }
    Some(
        Diagnostic::error("E0006", format!("a line cannot begin with `{word}`"))
            .at(failure.span(found), "the statement above ended with its line")
            .help(format!("to go on over the end of a line, end that line with `{word}`")),
    )
}

fn misspelled_word(failure: &Failure<'_>) -> Option<Diagnostic> {
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
        return Some(
            Diagnostic::error("E0018", "there is no `maximize`")
                .at(failure.span(previous), "not of this language")
                .help("what is smallest when its negative is greatest: `minimize -(…) with …`"),
        );
    }
    let meant = nearest(word, LINE_WORDS)?;
    Some(
        Diagnostic::error("E0001", format!("`{word}` does not begin a statement"))
            .at(failure.span(previous), "an unknown word before a name")
            .suggest(format!("did you mean `{meant}`?"), failure.span(previous), meant),
    )
}

/// A complete statement, then on the same line what looks like the next one.
fn two_statements(failure: &Failure<'_>) -> Option<Diagnostic> {
    if failure.in_string {
        return None;
    }
    if let Some(comma) = failure.found.filter(|found| failure.text(*found) == ",") {
        let in_block = innermost_open(failure, comma).is_some_and(|open| failure.text(open) == "{");
        let own_line = failure.next().is_none_or(|next| next.kind == TokenKind::Newline);
        return in_block.then(|| {
            Diagnostic::error("E0008", "the lines of a block are not separated by commas")
                .at(failure.span(comma), "a comma after a whole statement")
                .help(if own_line { "leave it out" } else { "begin a new line instead" })
        });
    }
    let found = failure.found.filter(|found| found.kind == TokenKind::Word)?;
    let in_block = innermost_open(failure, found).is_some_and(|open| failure.text(open) == "{");
    let after = failure.next().map(|next| failure.text(next));
    let is_line_word = LINE_WORDS.contains(&failure.text(found)) || RESERVED.contains(&failure.text(found));
    let begins = matches!(after, Some("=" | "<-" | "+=" | ":")) || is_line_word && after != Some("(");
    if !in_block || !failure.after_value() || !begins || failure.expects(Rule::kw_then) {
        return None;
    }
    let place = failure.span(found);
    Some(
        Diagnostic::error("E0008", "two statements on one line")
            .at(place, "this begins another statement")
            .help("put it on a line of its own"),
    )
}

fn missing_equals(failure: &Failure<'_>) -> Option<Diagnostic> {
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
    let place = failure.place();
    let before = Span { end: place.start, ..place };
    let error = Diagnostic::error("E0016", if is_type { "`:` is missing" } else { "`=` is missing" });
    let result = is_type && failure.expects(Rule::arrow);
    let error = if result { Diagnostic::error("E0016", "`->` is missing") } else { error };
    Some(match (is_type, begins_value) {
        (true, _) if result => {
            let end = failure.previous.map_or(before.start, |previous| failure.span(previous).end);
            let gap = Span { start: end, end, ..place };
            error.at(place, "the type of the result stands after `->`").suggest("write", gap, " ->")
        }
        (true, _) => {
            let end = failure.previous.map_or(before.start, |previous| failure.span(previous).end);
            error.at(place, "a type stands after `:`").suggest(
                "write",
                Span { start: end, end, ..place },
                ":",
            )
        }
        (false, true) => error.at(place, "`=` expected before this").suggest("write", before, "= "),
        (false, false) if failure.after_value() => return None,
        (false, false) => error.at(place, "expected `=` and a value"),
    })
}

fn missing_in(failure: &Failure<'_>) -> Option<Diagnostic> {
    failure.expects(Rule::kw_in).then(|| {
        Diagnostic::error("E0001", "a `for` header says what it runs over")
            .at(failure.place(), format!("expected `in`, found {}", failure.found_text()))
            .help("for example `for l in 0..layers { … }`")
    })
}

/// Two values side by side inside brackets.
fn missing_comma(failure: &Failure<'_>) -> Option<Diagnostic> {
    let found = failure.found?;
    let begins_value = matches!(found.kind, TokenKind::Word | TokenKind::Number | TokenKind::Str);
    let in_list = failure.literals.iter().any(|text| text == ",") && failure.after_value();
    if !begins_value || !in_list || RESERVED.contains(&failure.text(found)) {
        return None;
    }
    let open = innermost_open(failure, found).filter(|open| failure.text(*open) != "{")?;
    let place = failure.span(found);
    let end = failure.previous.map_or(place.start, |previous| failure.span(previous).end);
    Some(
        Diagnostic::error(
            "E0001",
            format!("a comma or an operator is missing before `{}`", failure.text(found)),
        )
        .at(place, "not part of the value before it")
        .and_at(failure.span(open), "inside this bracket")
        .suggest("if these are two elements", Span { start: end, end, ..place }, ","),
    )
}

// ------------------------------------------------------------------------------------ the rest

fn anything_else(failure: &Failure<'_>) -> Diagnostic {
    let expected = expected_words(failure);
    let found = failure.found_text();
    let message = match expected.as_slice() {
        [] => format!("{found} does not fit here"),
        words => format!("expected {}, found {found}", join(words)),
    };
    let place = failure.place();
    let label = match failure.previous {
        Some(previous) if previous_asks_for_more(failure) && failure.expects_value() => {
            format!("a value is expected after `{}`", failure.text(previous))
        }
        _ => "not expected here".to_string(),
    };
    let label = if place.is_empty() {
        label.replace("not expected here", "something is missing here")
    } else {
        label
    };
    let error = Diagnostic::error("E0001", message).at(place, label);
    match failure.found {
        Some(found) if failure.expects(Rule::ty) && found.kind == TokenKind::Word => {
            type_help(error, failure, found)
        }
        Some(found) if failure.text(found) == "==" && failure.expects(Rule::eq) => {
            error.suggest("a name is bound with a single `=`", place, "=")
        }
        Some(found) if failure.text(found) == "{" && failure.expects_value() => {
            error.help("a list is written in square brackets: `[1, 2, 3]`")
        }
        Some(found) if found.kind == TokenKind::Str && failure.expects(Rule::comma) => {
            let end = failure.previous.map_or(place.start, |previous| failure.span(previous).end);
            error.suggest("a comma stands before the message", Span { start: end, end, ..place }, ",")
        }
        Some(found) if failure.text(found) == "=" && failure.after_value() => {
            error.suggest("a comparison is written `==`", place, "==")
        }
        _ => error,
    }
}

fn type_help(error: Diagnostic, failure: &Failure<'_>, found: Token) -> Diagnostic {
    let place = failure.span(found);
    let suggestion = match failure.text(found) {
        "f16" | "f32" | "f64" | "float16" | "float32" | "float64" | "real" | "double" | "number"
        | "Float" | "Tensor" | "tensor" | "FloatTensor" | "Array" | "ndarray" | "Matrix" | "Vector" => {
            Some("float")
        }
        "i8" | "i32" | "i64" | "int8" | "int32" | "int64" | "uint8" | "integer" | "Int" | "long"
        | "LongTensor" => Some("int"),
        "boolean" | "Bool" => Some("bool"),
        _ => None,
    };
    let error = error.help("types are `[B, 3]`, `int[B]`, `bool[B]`, `class(10)`, `float`");
    let next = failure.next().filter(|next| next.start == found.end).map(|next| failure.text(next));
    match suggestion {
        Some("float") if next == Some("[") => {
            error.suggest("a tensor of floats is its sizes alone", place, "")
        }
        Some("float") if next == Some("<") => error,
        Some(word) => error.suggest("write", place, word),
        None => error.suggest("if this is a size", place, format!("[{}]", failure.text(found))),
    }
}

/// What was expected, in the user's words, the likeliest first.
fn expected_words(failure: &Failure<'_>) -> Vec<String> {
    let after_value = failure.after_value();
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_string());
        }
    };
    let closing =
        failure.literals.iter().map(String::as_str).filter(|text| matches!(*text, "," | ")" | "]" | "}"));
    if failure.expects_statement() {
        add("a statement");
        closing.filter(|text| *text == "}").for_each(|text| add(&format!("`{text}`")));
        return words;
    }
    if failure.expects_value() {
        add("a value");
    }
    for &rule in &failure.expected {
        match rule {
            Rule::ident | Rule::path | Rule::name | Rule::member_name | Rule::member_text | Rule::setting => {
                add("a name")
            }
            Rule::ty | Rule::dims | Rule::element => add("a type"),
            Rule::params => add("`(`"),
            Rule::parameter => add("a parameter"),
            Rule::string => add("a string"),
            Rule::item => add("an item"),
            Rule::pack => add("`...`"),
            Rule::eq => add("`=`"),
            Rule::plus_eq => add("`+=`"),
            Rule::larrow => add("`<-`"),
            Rule::arrow => add("`->`"),
            Rule::colon => add("`:`"),
            Rule::less => add("`<`"),
            Rule::comma => add("`,`"),
            Rule::body => add("a body"),
            Rule::block | Rule::data_block => add("`{`"),
            Rule::kw_in => add("`in`"),
            Rule::kw_else if !failure.after_value() => add("`else`"),
            Rule::kw_then => add("`then`"),
            Rule::EOI => add("the end of the item"),
            _ => {}
        }
    }
    for text in closing {
        if text == "}" && after_value && !failure.in_string {
            add("the end of the line")
        } else {
            add(&format!("`{text}`"))
        }
    }
    if failure.after_value() {
        add("an operator");
    }
    words
}

fn join(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
