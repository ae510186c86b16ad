//! What can be known of a text before it is parsed: where its items begin, whether its brackets
//! are in order, and which doc comment stands above a line.

use std::ops::Range;
use std::sync::Arc;

use crate::base::{FileId, Span};

use super::ast::{Doc, MAX_DEPTH};
use super::report::{BracketError, partner_of};
use super::tokens::{CONTINUING, ITEM_WORDS, RESERVED, Token, TokenKind, tokens};

/// One item's text, found without parsing it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemSlice {
    /// The word the item begins with; empty where the line begins no item.
    pub keyword: String,
    /// The word after it, for items that declare a name.
    pub name: Option<String>,
    /// The item with the comments directly above it, without the blank lines after it.
    pub range: Range<usize>,
    /// Where the item's first word is.
    pub start: usize,
}

/// Finds the items of a text. Outside brackets a line at column 1 that does not go on with the line
/// before begins an item, or what should have been one. Everywhere else a line begins one only if
/// it cannot be anything else (inside brackets: one above it is not closed).
pub fn index_items(text: &str) -> Vec<ItemSlice> {
    index_tokens(text, &tokens(text))
}

fn index_tokens(text: &str, tokens: &[Token]) -> Vec<ItemSlice> {
    let mut items: Vec<ItemSlice> = Vec::new();
    let mut depth = 0usize;
    let mut previous: Option<Token> = None;
    let mut line_start = true;
    for (at, &token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => {
                line_start = true;
                continue;
            }
            TokenKind::Comment => continue,
            _ => {}
        }
        if line_start {
            let begins = match depth {
                0 => {
                    !goes_on(text, previous, token)
                        && (at_column_one(text, token) || surely_begins_item(text, tokens, at))
                }
                _ => {
                    let inside = items.last().is_some_and(|item| holds_items(&item.keyword, depth));
                    at_column_one(text, token)
                        && surely_begins_item(text, tokens, at)
                        && !(inside && CARRIED_OUT.contains(&token.text(text)))
                }
            };
            if begins {
                items.push(begin_item(text, tokens, at));
                depth = 0;
            } else if depth == 0 && items.is_empty() {
                items.push(begin_item(text, tokens, at));
            }
        }
        line_start = false;
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if let Some(item) = items.last_mut() {
            item.range.end = token.end;
        }
        previous = Some(token);
    }
    items
}

/// The words of items that stand in the braces of `for` and, but for the first two, of `every`.
const CARRIED_OUT: [&str; 6] = ["train", "for", "print", "expect", "plot", "generate"];

/// Whether items stand in such braces of an item: in those of a `for`, and of `every` in a `train`.
fn holds_items(keyword: &str, depth: usize) -> bool {
    match keyword {
        "for" => depth >= 1,
        "train" => depth >= 2,
        _ => false,
    }
}

fn begin_item(text: &str, tokens: &[Token], at: usize) -> ItemSlice {
    let token = tokens[at];
    let word = token.text(text);
    let keyword = if ITEM_WORDS.contains(&word) { word } else { "" };
    // `a = 1` outside of all items gives a name, too.
    let bound = tokens.get(at + 1).filter(|next| keyword.is_empty() && next.text(text) == "=");
    let name = match bound {
        Some(_) => Some(&tokens[at]),
        None => tokens.get(at + 1).filter(|next| {
            next.kind == TokenKind::Word
                && !matches!(keyword, "precision" | "import" | "print" | "expect" | "plot" | "generate" | "sweep" | "for")
        }),
    };
    ItemSlice {
        keyword: keyword.to_string(),
        name: name.map(|name| name.text(text).to_string()),
        range: comments_above(text, token.start)..token.end,
        start: token.start,
    }
}

/// Whether the line that begins with `token` continues the statement that ends with `previous`.
fn goes_on(text: &str, previous: Option<Token>, token: Token) -> bool {
    let word = token.text(text);
    let continuing =
        CONTINUING.contains(&word) || word == "|>" || token.kind == TokenKind::Close || word == "{";
    continuing || previous.is_some_and(|previous| ends_open(previous.text(text)))
}

/// Whether a line that ends with this token goes on in the next one.
pub fn ends_open(word: &str) -> bool {
    matches!(
        word,
        "+" | "-"
            | "*"
            | "/"
            | "^"
            | "@"
            | "="
            | "+="
            | "<-"
            | "|>"
            | ","
            | "=="
            | "!="
            | "<="
            | ">="
            | "<"
            | ">"
            | "and"
            | "or"
            | "->"
    )
}

fn at_column_one(text: &str, token: Token) -> bool {
    token.start == 0 || text.as_bytes()[token.start - 1] == b'\n'
}

/// Two words in a row, the first an item word: no statement looks like this.
fn surely_begins_item(text: &str, tokens: &[Token], at: usize) -> bool {
    let word = tokens[at].text(text);
    // A `for` is a statement of bodies, too.
    if !ITEM_WORDS.contains(&word) || word == "for" {
        return false;
    }
    let Some(next) = tokens.get(at + 1) else { return false };
    let next_word = next.text(text);
    match next.kind {
        TokenKind::Word => !RESERVED.contains(&next_word) && !matches!(next_word, "with" | "over" | "along"),
        TokenKind::Str => true,
        TokenKind::Open => matches!(word, "train" | "sweep") && next_word == "{",
        _ => false,
    }
}

/// The start of the comment lines directly above the line of `at`, or the start of that line.
fn comments_above(text: &str, at: usize) -> usize {
    let mut start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    if !text[start..at].trim().is_empty() {
        return at;
    }
    while start > 0 {
        let above = text[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    start
}

/// The doc comment in the `##` lines directly above `at`, not looking before `floor`.
pub fn doc_above(file: FileId, text: &str, floor: usize, at: usize) -> Option<Doc> {
    let line = text[floor..at].rfind('\n')? + floor + 1;
    if !text[line..at].trim().is_empty() {
        return None;
    }
    let mut start = line;
    let mut lines: Vec<&str> = Vec::new();
    while start > floor {
        let above = text[floor..start - 1].rfind('\n').map_or(floor, |newline| floor + newline + 1);
        let Some(comment) = text[above..start].trim().strip_prefix("##") else { break };
        lines.push(comment.strip_prefix(' ').unwrap_or(comment));
        start = above;
    }
    if lines.is_empty() {
        return None;
    }
    lines.reverse();
    let first = start + text[start..].find('#').unwrap_or(0);
    let last = text[..line].trim_end().len();
    Some(Doc { text: Arc::from(lines.join("\n")), span: Span::new(file, first, last) })
}

/// Errors of brackets looked for in one item; more would be noise.
const MAX_ERRORS: usize = 20;

/// Errors of the brackets in `text[range]`; while there are any, parsing it says nothing useful.
pub(super) fn check_brackets(file: FileId, text: &str, range: &Range<usize>) -> Vec<BracketError> {
    let slice = &text[range.clone()];
    let place = |token: Token| Span::new(file, range.start + token.start, range.start + token.end);
    let mut errors = Vec::new();
    let mut open_strings = Vec::new();
    let mut open: Vec<Token> = Vec::new();
    let mut too_deep = false;
    let mut last_stray = None;
    let all = tokens(slice);
    for &token in &all {
        if errors.len() + open_strings.len() >= MAX_ERRORS {
            break;
        }
        match token.kind {
            TokenKind::OpenStr => open_strings.push(open_string(token.text(slice), place(token))),
            TokenKind::Open => {
                open.push(token);
                if open.len() > MAX_DEPTH && !too_deep {
                    too_deep = true;
                    errors.push(BracketError::TooDeep { at: place(token) });
                }
            }
            TokenKind::Close => {
                let partner = partner_of(token.text(slice));
                match open.iter().rposition(|open| open.text(slice) == partner) {
                    Some(position) if position + 1 == open.len() => {
                        open.pop();
                    }
                    Some(position) => {
                        let inner = open[position + 1];
                        let end = place(likely_end(slice, &all, inner).unwrap_or(token));
                        errors.push(unclosed(slice, inner, &place, Span { end: end.start, ..end }));
                        open.truncate(position);
                    }
                    None => match open.last() {
                        // `[1, 2)`: one bracket was meant to be the other.
                        Some(&inner) if inner.text(slice) != "{" && token.text(slice) != "}" => {
                            errors.push(crossed(slice, inner, token, &place));
                            open.pop();
                        }
                        // Of several in a row the first says it all.
                        _ if last_stray == Some(token.start) => last_stray = Some(token.end),
                        _ => {
                            errors.push(closes_nothing(slice, token, &open, &place));
                            last_stray = Some(token.end);
                        }
                    },
                }
            }
            TokenKind::Word
            | TokenKind::Number
            | TokenKind::Str
            | TokenKind::Symbol
            | TokenKind::Newline
            | TokenKind::Comment
            | TokenKind::Unknown => {}
        }
    }
    // Brackets in what is taken for the rest of a string are not counted.
    if !open_strings.is_empty() {
        return open_strings;
    }
    // The innermost unclosed parenthesis tells more than the block around it.
    if let Some(&inner) = open.last().filter(|_| !too_deep) {
        let end = match likely_end(slice, &all, inner) {
            Some(newline) => place(newline).start as usize,
            None => range.start + slice.trim_end().len(),
        };
        errors.push(unclosed(slice, inner, &place, Span::new(file, end, end)));
    }
    errors
}

fn open_string(text: &str, at: Span) -> BracketError {
    let is_quoted = text.len() > 1 && text.ends_with('"');
    if is_quoted && text.contains('{') { BracketError::OpenHole { at } } else { BracketError::OpenString { at } }
}

fn unclosed(text: &str, open: Token, place: &impl Fn(Token) -> Span, end: Span) -> BracketError {
    BracketError::Unclosed { bracket: open.text(text).to_owned(), at: place(open), end }
}

/// The first line end after an unclosed `(` or `[` at which its contents seem to end: nothing
/// before it or after it asks for more.
fn likely_end(text: &str, tokens: &[Token], open: Token) -> Option<Token> {
    if open.text(text) == "{" {
        return None;
    }
    let first = tokens.iter().position(|token| token.start == open.start)?;
    let mut last = open;
    for (at, &token) in tokens.iter().enumerate().skip(first) {
        match token.kind {
            TokenKind::Comment => {}
            TokenKind::Newline => {
                let next = tokens[at..]
                    .iter()
                    .find(|next| !matches!(next.kind, TokenKind::Newline | TokenKind::Comment));
                let more_before = last.kind == TokenKind::Open || ends_open(last.text(text));
                let more_after = next.is_some_and(|next| {
                    let word = next.text(text);
                    ends_open(word) || CONTINUING.contains(&word) || next.kind == TokenKind::Open
                });
                if !more_before && !more_after {
                    return Some(Token { end: token.start, ..token });
                }
            }
            _ => last = token,
        }
    }
    None
}

fn closes_nothing(text: &str, close: Token, open: &[Token], place: &impl Fn(Token) -> Span) -> BracketError {
    let inner = open.last().map(|&inner| (inner.text(text).to_owned(), place(inner)));
    BracketError::ClosesNothing { bracket: close.text(text).to_owned(), at: place(close), inner }
}

fn crossed(text: &str, open: Token, close: Token, place: &impl Fn(Token) -> Span) -> BracketError {
    let (bracket, partner) = (open.text(text).to_owned(), close.text(text).to_owned());
    BracketError::Crossed { open: bracket, open_at: place(open), close: partner, at: place(close) }
}
