//! Whether the first line of a csv file has the names of the columns. The first of these that applies says it:
//!
//! | the first line | is |
//! |---|---|
//! | has a name that the program reads a column by | a header |
//! | is the only one | a header if it has no number in it and no empty field |
//! | is empty in its first field alone: the index column that pandas writes | a header |
//! | has a name above numbers, or a number above names | a header, in doubt if it has numbers above numbers, too |
//! | has a name that stands below in the same column again | a row |
//! | has names only | a header, in doubt |
//! | has years for all its numbers, and below stand others | a header, in doubt |
//! | has names and numbers | a row, in doubt |
//! | has numbers only that count up by 1 from 0 or 1 on, three or more, and the next line does not | a row, in doubt |
//! | has numbers only | a row |
//!
//! What is in doubt is told.

use super::scan::Field;
use super::select::{ColumnRef, Selection};
use super::values::{Kind, kind_of};
use super::{Options, Request, Scanner};

/// How many lines below the first are looked at.
const SAMPLE: usize = 1000;

/// What the first line is, and whether another answer is as good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    pub is_header: bool,
    pub in_doubt: bool,
}

const fn verdict(is_header: bool, in_doubt: bool) -> Verdict {
    Verdict { is_header, in_doubt }
}

/// What stands in a column below the first line.
#[derive(Default)]
struct Below {
    numbers: bool,
    names: bool,
    /// A number that is no year.
    other_than_years: bool,
    /// The name of the first line.
    same_name: bool,
}

/// Whether a text has all lines that are looked at.
pub(super) fn is_enough(text: &[u8], options: &Options) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let mut scanner = Scanner::new(text, u8::try_from(options.separator).unwrap_or(b','));
    let (mut fields, mut lines) = (Vec::new(), 0);
    while lines <= SAMPLE && matches!(scanner.next_record(&mut fields), Ok(true)) {
        lines += 1;
    }
    lines > if options.header.is_some() { 0 } else { SAMPLE }
}

/// `rest` stands behind the first line.
pub(super) fn decide(
    first: &[Field<'_>],
    mut rest: Scanner<'_>,
    requests: &[Request],
    options: &Options,
) -> Verdict {
    if requests.iter().any(|request| asks_for_one_of(&request.selection, first)) {
        return verdict(true, false);
    }
    let kinds: Vec<Kind> = first.iter().map(|field| kind_of(&field.text, options)).collect();
    let has = |kind: Kind| kinds.contains(&kind);
    let mut below: Vec<Below> = first.iter().map(|_| Below::default()).collect();
    let mut second: Vec<Option<f64>> = Vec::new();
    let mut fields = Vec::new();
    let mut lines = 0;
    while lines < SAMPLE && matches!(rest.next_record(&mut fields), Ok(true)) {
        if lines == 0 {
            second = fields.iter().map(|field| field.text.parse().ok()).collect();
        }
        lines += 1;
        for ((field, below), first) in fields.iter().zip(&mut below).zip(first) {
            match kind_of(&field.text, options) {
                Kind::Number => {
                    below.numbers = true;
                    below.other_than_years |= !is_year(&field.text);
                }
                Kind::Name => below.names = true,
                Kind::Missing => {}
            }
            below.same_name |= field.text == first.text;
        }
    }
    if lines == 0 {
        return verdict(!has(Kind::Number) && !has(Kind::Missing), false);
    }
    if let [index, others @ ..] = first
        && index.text.is_empty()
        && !others.is_empty()
        && others.iter().all(|field| !field.text.is_empty())
        && (below[0].numbers || below[0].names)
    {
        return verdict(true, false);
    }
    let columns = || kinds.iter().zip(&below);
    let differs = columns().any(|(kind, below)| match kind {
        Kind::Name => below.numbers && !below.names,
        Kind::Number => below.names && !below.numbers,
        Kind::Missing => false,
    });
    if differs {
        return verdict(true, columns().any(|(kind, below)| *kind == Kind::Number && below.numbers));
    }
    if columns().any(|(kind, below)| *kind == Kind::Name && below.same_name) {
        return verdict(false, false);
    }
    if !has(Kind::Number) && !has(Kind::Missing) {
        return verdict(true, true);
    }
    let numbers = || kinds.iter().enumerate().filter(|(_, kind)| **kind == Kind::Number).map(|(at, _)| at);
    let years = numbers().all(|at| is_year(&first[at].text) && below[at].other_than_years);
    if first.len() > 1 && years && has(Kind::Number) {
        return verdict(true, true);
    }
    if has(Kind::Name) {
        return verdict(false, true);
    }
    let counts = counts_up(&first.iter().map(|field| field.text.parse().ok()).collect::<Vec<_>>());
    verdict(false, counts && !counts_up(&second))
}

/// Whether a column is asked for by a name of the first line.
fn asks_for_one_of(selection: &Selection, first: &[Field<'_>]) -> bool {
    let is_there = |column: &ColumnRef| match column {
        ColumnRef::Name(name) => first.iter().any(|field| field.text == *name),
        ColumnRef::Number(_) => false,
    };
    match selection {
        Selection::One(column) => is_there(column),
        Selection::List(columns) => columns.iter().any(is_there),
        Selection::Range { .. } => false,
    }
}

fn is_year(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|year| (1800..=2200).contains(&year))
}

/// Whether these are 0, 1, 2, … or 1, 2, 3, …, as columns without names are called.
fn counts_up(values: &[Option<f64>]) -> bool {
    let [Some(start), _, _, ..] = values else { return false };
    (*start == 0.0 || *start == 1.0)
        && values.iter().enumerate().all(|(at, value)| *value == Some(start + at as f64))
}
