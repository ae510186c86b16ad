//! Which tokens of a line have a blank between them.

use std::collections::HashSet;

use super::super::grammar::{Rule, parse_item};
use super::super::scan::index_items;
use super::super::tokens::{Token, TokenKind};

/// The class of a token for the spacing rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A word, a number or a string.
    Value,
    /// A `-` before its operand.
    Minus,
    /// An operator that is written without blanks, `2*i`.
    Tight,
    /// An operator or `=` with blanks around it.
    Spaced,
    Comma,
    TypeColon,
    /// The colon of `a:b`.
    SliceColon,
    /// `.` or `..`
    Dots,
    /// `...`
    Ellipsis,
    /// The bracket of a call, a subscript or a list of parameters.
    CallOpen,
    /// Any other `(` or `[`.
    Open,
    Close,
    BlockOpen,
    BlockClose,
    TemplateOpen,
    TemplateClose,
}

/// The roles of tokens that only the parser knows: the offsets at which each of these begins.
#[derive(Default)]
pub struct Marks {
    minus: HashSet<usize>,
    slice_colon: HashSet<usize>,
    call_open: HashSet<usize>,
    template_open: HashSet<usize>,
    template_close: HashSet<usize>,
}

impl Marks {
    /// The marks of a text that parses.
    pub fn of(text: &str) -> Marks {
        let mut marks = Marks::default();
        for item in index_items(text) {
            let base = item.range.start;
            let Ok(pairs) = parse_item(&text[item.range]) else { continue };
            for pair in pairs.flatten() {
                let (start, end) = (base + pair.as_span().start(), base + pair.as_span().end());
                match pair.as_rule() {
                    Rule::prefix => drop(marks.minus.insert(start)),
                    Rule::arguments | Rule::subscripts | Rule::params => drop(marks.call_open.insert(start)),
                    Rule::template => {
                        marks.template_open.insert(start);
                        marks.template_close.insert(end - 1);
                    }
                    Rule::argument | Rule::subscript => {
                        let colons = pair.into_inner().filter(|part| part.as_rule() == Rule::colon);
                        marks.slice_colon.extend(colons.map(|colon| base + colon.as_span().start()));
                    }
                    // `class(10)`, `int[B]`: the bracket after the word.
                    Rule::element | Rule::ty => {
                        let mut parts = pair.into_inner();
                        let head = parts
                            .next()
                            .filter(|head| matches!(head.as_rule(), Rule::kw_class | Rule::element));
                        if let Some(head) = head {
                            let after = base + head.as_span().end();
                            // Not beyond the type: the next bracket may be far away.
                            let bracket = text[after..end.max(after)].find(['(', '[']);
                            marks.call_open.extend(bracket.map(|at| after + at));
                        }
                    }
                    _ => {}
                }
            }
        }
        marks
    }

    pub fn class(&self, text: &str, token: Token) -> Class {
        let word = token.text(text);
        match (token.kind, word) {
            (_, "{") if self.template_open.contains(&token.start) => Class::TemplateOpen,
            (_, "}") if self.template_close.contains(&token.start) => Class::TemplateClose,
            (_, "{") => Class::BlockOpen,
            (_, "}") => Class::BlockClose,
            (TokenKind::Open, _) if self.call_open.contains(&token.start) => Class::CallOpen,
            (TokenKind::Open, _) => Class::Open,
            (TokenKind::Close, _) => Class::Close,
            (_, ",") => Class::Comma,
            (_, ":") if self.slice_colon.contains(&token.start) => Class::SliceColon,
            (_, ":") => Class::TypeColon,
            (_, "." | "..") => Class::Dots,
            (_, "...") => Class::Ellipsis,
            (_, "-") if self.minus.contains(&token.start) => Class::Minus,
            (_, "+" | "-" | "*" | "/" | "@" | "^") if is_tight(text, token) => Class::Tight,
            (TokenKind::Symbol, _) => Class::Spaced,
            _ => Class::Value,
        }
    }
}

/// Whether there is no blank on either side.
fn is_tight(text: &str, token: Token) -> bool {
    let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
    !blank(text[..token.start].chars().next_back()) && !blank(text[token.end..].chars().next())
}

/// Whether a blank stands between two tokens of a line.
pub fn space_between(text: &str, (left, a): (Token, Class), (right, b): (Token, Class)) -> bool {
    let touching = left.end == right.start;
    if right.text(text) == "else" {
        return true;
    }
    match (a, b) {
        (Class::BlockOpen, Class::BlockClose) => false,
        (Class::Ellipsis, Class::Value) | (Class::TemplateClose, Class::Value) => !touching,
        (Class::Value, Class::Ellipsis) | (Class::Comma, Class::SliceColon) => true,
        (
            _,
            Class::Comma
            | Class::Close
            | Class::SliceColon
            | Class::TypeColon
            | Class::Dots
            | Class::CallOpen
            | Class::TemplateOpen
            | Class::TemplateClose
            | Class::Tight,
        ) => false,
        (
            Class::Open
            | Class::CallOpen
            | Class::TemplateOpen
            | Class::Dots
            | Class::Minus
            | Class::SliceColon
            | Class::Tight,
            _,
        ) => false,
        _ => true,
    }
}
