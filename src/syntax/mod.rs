//! Rank 1: `.nn` text to syntax tree.
//!
//! ```text
//! text ──tokens, scan──▶ slices, one an item ──grammar (pest)──▶ pairs ──build──▶ ast::File
//!                                 └── a slice that does not parse ──errors──▶ diagnostics
//! ```
//!
//! Every item is parsed by itself. A wrong item costs its own line in [`ast::File::broken`] and
//! its own diagnostics, and nothing else. [`parse`] always returns a tree.

pub mod ast;
mod build;
mod errors;
mod format;
mod grammar;
mod mistakes;
pub mod print;
mod report;
mod scan;
pub mod tokens;
pub mod words;

use std::ops::Range;
use std::sync::Arc;

use crate::base::order::PutInOrder;
use crate::base::{Diagnostic, FileId, Span};

pub use format::format;
use grammar::parse_item;
use report::{BracketError, BuildError};
pub use scan::{ItemSlice, index_items};
pub use tokens::is_name;

/// Lines that begin no item are reported up to this number.
const MAX_STRAYS: usize = 20;

/// Parses a whole file. Never fails: what cannot be parsed is in `broken`, with a diagnostic.
pub fn parse(file: FileId, text: &str) -> (ast::File, Vec<Diagnostic>) {
    let mut tree = ast::File { id: file, items: Vec::new(), broken: Vec::new() };
    let mut errors = Vec::new();
    let mut n_strays = 0;
    for slice in index_items(text) {
        // Prose gives one error a line; a screenful of them is enough.
        n_strays += usize::from(slice.keyword.is_empty());
        if slice.keyword.is_empty() && n_strays > MAX_STRAYS {
            continue;
        }
        match parse_slice(file, text, &slice) {
            (Some(item), of_item) => {
                tree.items.push(item);
                errors.extend(of_item);
            }
            (None, of_item) => {
                tree.broken.push(broken_item(file, text, &slice));
                errors.extend(of_item);
            }
        }
    }
    errors.put_in_order_by_key(|error| error.primary_span().map(|span| span.start));
    (tree, errors)
}

/// Parses the one item in a range that [`index_items`] gave for this text.
pub fn parse_item_at(file: FileId, text: &str, range: Range<usize>) -> (Option<ast::Item>, Vec<Diagnostic>) {
    let Some(inner) = text.get(range.clone()) else { return (None, Vec::new()) };
    match index_items(inner).into_iter().next() {
        Some(mut slice) => {
            slice.range = range.start + slice.range.start..range.start + slice.range.end;
            slice.start += range.start;
            parse_slice(file, text, &slice)
        }
        None => (None, Vec::new()),
    }
}

fn parse_slice(file: FileId, text: &str, slice: &ItemSlice) -> (Option<ast::Item>, Vec<Diagnostic>) {
    let errors = scan::check_brackets(file, text, &slice.range);
    if slice.keyword.is_empty() {
        return (None, vec![errors::not_an_item(file, text, slice).diagnostic()]);
    }
    if !errors.is_empty() {
        return (None, errors.iter().map(BracketError::diagnostic).collect());
    }
    match parse_item(&text[slice.range.clone()]) {
        Ok(mut pairs) => match pairs.next() {
            Some(whole) => {
                let (item, errors) = build::build_item(file, text, slice.range.start, whole);
                (item, errors.iter().map(BuildError::diagnostic).collect())
            }
            None => (None, Vec::new()),
        },
        Err(error) => (None, errors::diagnose(file, text, slice, error)),
    }
}

fn broken_item(file: FileId, text: &str, slice: &ItemSlice) -> ast::BrokenItem {
    let name = slice.name.as_ref().map(|name| {
        let after = slice.start + slice.keyword.len();
        let start = text[after..].find(name.as_str()).map_or(after, |at| after + at);
        ast::Name::new(name.as_str(), Span::new(file, start, start + name.len()))
    });
    let span = Span::new(file, slice.start, slice.range.end);
    ast::BrokenItem { keyword: Arc::from(slice.keyword.as_str()), name, span }
}

#[cfg(test)]
mod tests;
