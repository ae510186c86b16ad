//! The formatter: blanks, indentation and empty lines; the user's line breaks stay.
//!
//! It works on tokens, so comments stay where they are. Rules:
//!
//! - four blanks for each level of brackets; lines that go on are indented once more;
//! - a block with more than one line has its braces at line ends;
//! - at most one empty line in a row, none directly inside braces;
//! - one blank around operators; `2*i` stays tight where it was tight on both sides;
//! - neighbouring lines whose `=` (or whose comments) were in one column keep a common column.

mod spacing;

use std::collections::HashSet;
use std::ops::Range;

use crate::base::{Diagnostic, FileId};

use super::parse;
use super::print::print;
use super::scan::ends_open;
use super::tokens::{CONTINUING, Token, TokenKind, tokens};
use spacing::{Class, Marks, space_between};

const INDENT: usize = 4;

/// The text in its canonical form; errors if it does not parse. Formatting twice changes nothing.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let file = FileId(0);
    let (tree, errors) = parse(file, text);
    if errors.iter().any(|error| error.is_error()) {
        return Err(errors);
    }
    let formatted = laid_out(text);
    // If the rules above changed the meaning by mistake, the text is left as it is.
    let (again, _) = parse(file, &formatted);
    Ok(if print(&again) == print(&tree) { formatted } else { text.to_string() })
}

pub(super) fn laid_out(text: &str) -> String {
    let mut lines = break_lines(text);
    align_assignments(text, &mut lines);
    lay_out(text, &lines)
}

/// A line of the result.
#[derive(Default)]
struct Line {
    tokens: Vec<(Token, Class)>,
    comment: Option<Token>,
    /// Whether an empty line stands before it.
    gap: bool,
    /// Whether it continues the statement of the line before.
    continues: bool,
    /// Whether the innermost open bracket at its start is `(` or `[`.
    in_brackets: bool,
    /// The number of brackets that are open at its start.
    depth: usize,
    /// Tokens at whose columns neighbouring lines are aligned, in order, each with the spaces that this takes.
    pads: Vec<(usize, usize)>,
}

/// Cuts the tokens into lines: where the user did, and at the braces of blocks of several lines.
fn break_lines(text: &str) -> Vec<Line> {
    let marks = Marks::of(text);
    let all = tokens(text);
    let tall = tall_blocks(text, &all, &marks);
    let mut lines: Vec<Line> = Vec::new();
    let mut line = Line::default();
    let mut n_newlines = 0;
    let mut open: Vec<bool> = Vec::new();
    let mut last: Option<Token> = None;
    for (at, &token) in all.iter().enumerate() {
        if token.kind == TokenKind::Newline {
            n_newlines += 1;
            continue;
        }
        let class = marks.class(text, token);
        let opens_block = |at: usize| tall.contains(&at) && all[at].kind == TokenKind::Open;
        let breaks = n_newlines > 0
            || tall.contains(&at) && token.kind == TokenKind::Close
            || at > 0 && opens_block(at - 1) && token.kind != TokenKind::Comment;
        if breaks && !(line.tokens.is_empty() && line.comment.is_none()) {
            lines.push(std::mem::take(&mut line));
        }
        if line.tokens.is_empty() && line.comment.is_none() {
            line.gap = n_newlines > 1 && !lines.is_empty();
            line.in_brackets = open.last().is_some_and(|in_brackets| *in_brackets);
            line.depth = open.len();
            let word = token.text(text);
            let continuing_word = word == "|>" || CONTINUING.contains(&word) && !is_binding(text, &all[at..]);
            let after_block = word == "else" && last.is_some_and(|last| last.text(text) == "}");
            let asks = last.is_some_and(|last| ends_open(last.text(text)));
            line.continues = token.kind != TokenKind::Comment && (asks || continuing_word && !after_block);
        }
        n_newlines = 0;
        if token.kind == TokenKind::Comment {
            line.comment = Some(token);
            continue;
        }
        match token.kind {
            TokenKind::Open => open.push(class != Class::BlockOpen),
            TokenKind::Close => drop(open.pop()),
            _ => {}
        }
        line.tokens.push((token, class));
        last = Some(token);
    }
    lines.push(line);
    lines.retain(|line| !line.tokens.is_empty() || line.comment.is_some());
    // A comment between the lines of a statement is indented like the line it stands above.
    for at in (0..lines.len().saturating_sub(1)).rev() {
        if lines[at].tokens.is_empty() {
            lines[at].continues = lines[at + 1].continues;
        }
    }
    lines
}

/// Whether the word that begins these tokens is a name here: `with = 3`.
fn is_binding(text: &str, rest: &[Token]) -> bool {
    rest.get(1).is_some_and(|next| matches!(next.text(text), "=" | ":" | "<-" | "+=" | "." | "["))
}

/// The positions of the braces of blocks with more than one line.
fn tall_blocks(text: &str, all: &[Token], marks: &Marks) -> HashSet<usize> {
    let mut tall = HashSet::new();
    let mut open: Vec<(usize, bool)> = Vec::new();
    for (at, &token) in all.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => open.iter_mut().for_each(|(_, has_newline)| *has_newline = true),
            TokenKind::Open => open.push((at, false)),
            TokenKind::Close => {
                if let Some((start, true)) = open.pop()
                    && marks.class(text, token) == Class::BlockClose
                {
                    tall.extend([start, at]);
                }
            }
            _ => {}
        }
    }
    tall
}

/// Keeps the `=` of neighbouring lines in one column where the user had them in one column.
fn align_assignments(text: &str, lines: &mut [Line]) {
    align(text, lines, pivot);
    align(text, lines, second_pivot);
}

/// Aligns lines whose `pivot`, a token, is in one column.
fn align(text: &str, lines: &mut [Line], pivot: fn(&str, &Line) -> Option<usize>) {
    let pivots: Vec<Option<usize>> = lines.iter().map(|line| pivot(text, line)).collect();
    let source_column = |(line, pivot): (&Line, &Option<usize>)| {
        pivot.map(|pivot| column(text, line.tokens[pivot].0.start))
    };
    let columns: Vec<Option<usize>> = lines.iter().zip(&pivots).map(source_column).collect();
    let width = |at: usize| {
        let line = &lines[at];
        let before = pivots[at].map(|pivot| join_tokens(text, &line.tokens[..pivot]).chars().count());
        before.map(|before| before + line.pads.iter().map(|(_, spaces)| spaces).sum::<usize>())
    };
    let widths: Vec<Option<usize>> = (0..lines.len()).map(width).collect();
    let passed = |at: usize| lines[at].tokens.is_empty();
    // Lines of different depth are in one column by accident: they are indented anew.
    let ends = |at: usize| lines[at].gap || lines[at].depth != lines[at - 1].depth;
    for group in groups(&columns, ends, passed) {
        let widest = widths[group.clone()].iter().flatten().max().copied().unwrap_or(0);
        for at in group {
            if let (Some(pivot), Some(width)) = (pivots[at], widths[at]) {
                lines[at].pads.push((pivot, widest - width));
            }
        }
    }
}

/// Runs of neighbouring lines that had something in the same column. A `gap` ends a run; lines
/// that may be `passed` do not, though they have nothing to align.
fn groups(
    columns: &[Option<usize>],
    gap: impl Fn(usize) -> bool,
    passed: impl Fn(usize) -> bool,
) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    while start < columns.len() {
        let shared = columns[start];
        let mut end = start + 1;
        let goes_on = |at: usize| !gap(at) && (columns[at] == shared || columns[at].is_none() && passed(at));
        while shared.is_some() && end < columns.len() && goes_on(end) {
            end += 1;
        }
        groups.push(start..end);
        start = end;
    }
    groups
}

/// The `=` of a line that begins a statement, or what follows `minimize`, `measure` and `init`.
fn pivot(text: &str, line: &Line) -> Option<usize> {
    if line.continues || line.in_brackets {
        return None;
    }
    let first = line.tokens.first()?.0.text(text);
    if matches!(first, "minimize" | "measure" | "init")
        && line.tokens.get(1).is_some_and(|second| second.1 != Class::Spaced)
    {
        return Some(1);
    }
    sign(text, line)
}

/// The sign behind what `measure` and `init` name.
fn second_pivot(text: &str, line: &Line) -> Option<usize> {
    let first = line.tokens.first()?.0.text(text);
    let is_named = matches!(first, "measure" | "init") && pivot(text, line) == Some(1);
    sign(text, line).filter(|_| is_named)
}

/// The first `=`, `+=` or `<-` of a line outside of brackets.
fn sign(text: &str, line: &Line) -> Option<usize> {
    let mut depth = 0;
    for (at, (token, _)) in line.tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth -= 1,
            TokenKind::Symbol if depth == 0 && matches!(token.text(text), "=" | "+=" | "<-") => {
                return (at > 0).then_some(at);
            }
            _ => {}
        }
    }
    None
}

fn column(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..at].chars().count()
}

fn join_tokens(text: &str, tokens: &[(Token, Class)]) -> String {
    let mut result = String::new();
    for (at, &(token, class)) in tokens.iter().enumerate() {
        if at > 0 && space_between(text, tokens[at - 1], (token, class)) {
            result.push(' ');
        }
        result.push_str(token.text(text));
    }
    result
}

/// An open bracket: the indentation of the line it is on and that of its contents.
struct Level {
    outer: usize,
    inner: usize,
    is_block: bool,
}

fn lay_out(text: &str, lines: &[Line]) -> String {
    let mut levels: Vec<Level> = Vec::new();
    let mut rows: Vec<(String, Option<(usize, &str)>)> = Vec::new();
    let mut gaps = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let closing = line.tokens.iter().take_while(|(token, _)| token.kind == TokenKind::Close).count();
        let indent = if closing > 0 && closing <= levels.len() {
            levels[levels.len() - closing].outer
        } else {
            let level = levels.last();
            let inner = level.map_or(0, |level| level.inner);
            let on_lines = level.is_none_or(|level| level.is_block);
            inner + if line.continues && on_lines { INDENT } else { 0 }
        };
        let mut row = " ".repeat(indent);
        for (position, &(token, class)) in line.tokens.iter().enumerate() {
            if position > 0 && space_between(text, line.tokens[position - 1], (token, class)) {
                row.push(' ');
            }
            for (_, spaces) in line.pads.iter().filter(|(pivot, _)| *pivot == position) {
                row.push_str(&" ".repeat(*spaces));
            }
            row.push_str(token.text(text));
            match token.kind {
                TokenKind::Open => {
                    // The rows of a matrix stand under each other.
                    let is_last = position + 1 == line.tokens.len();
                    let hangs = token.text(text) == "[" && !is_last;
                    let inner = if hangs { row.chars().count() } else { indent + INDENT };
                    levels.push(Level { outer: indent, inner, is_block: class == Class::BlockOpen });
                }
                TokenKind::Close => drop(levels.pop()),
                _ => {}
            }
        }
        let opens_before =
            at > 0 && lines[at - 1].tokens.last().is_some_and(|last| last.1 == Class::BlockOpen);
        let closes = line.tokens.first().is_some_and(|first| first.1 == Class::BlockClose);
        gaps.push(line.gap && !opens_before && !closes);
        let comment = line.comment.map(|comment| {
            let words = comment.text(text).trim_end();
            if line.tokens.is_empty() {
                row.push_str(words);
                (usize::MAX, "")
            } else {
                (column(text, comment.start), words)
            }
        });
        rows.push((row, comment.filter(|(column, _)| *column != usize::MAX)));
    }
    join_rows(&rows, &gaps)
}

/// Joins the rows; comments that were in one column stay in one.
fn join_rows(rows: &[(String, Option<(usize, &str)>)], gaps: &[bool]) -> String {
    let mut result = String::new();
    let columns: Vec<Option<usize>> =
        rows.iter().map(|(_, comment)| comment.map(|(column, _)| column)).collect();
    for group in groups(&columns, |at| gaps[at], |_| true) {
        let commented = rows[group.clone()].iter().filter(|(_, comment)| comment.is_some());
        let widest = commented.map(|(row, _)| row.chars().count()).max().unwrap_or(0);
        for at in group {
            let (row, comment) = &rows[at];
            if gaps[at] {
                result.push('\n');
            }
            result.push_str(row);
            if let Some((_, comment)) = comment {
                result.push_str(&" ".repeat(widest - row.chars().count() + 2));
                result.push_str(comment);
            }
            result.push('\n');
        }
    }
    result
}
