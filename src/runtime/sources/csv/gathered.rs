//! Columns of which each process has read some rows, put together.

use std::collections::BTreeSet;

use super::Columns;
use crate::base::Diagnostic;
use crate::runtime::array::{Array, Elements};
use crate::runtime::ranks::bytes::{append, take};

/// The columns as bytes.
pub(super) fn to_bytes(columns: &[Columns]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for column in columns {
        let elements = column.array.elements();
        bytes.push(kinds().iter().position(|kind| is_alike(kind, elements)).unwrap_or_default() as u8);
        number(&mut bytes, elements.len());
        append(&mut bytes, elements);
        bytes.push(u8::from(column.classes.is_some()));
        let names = column.classes.as_deref().unwrap_or_default();
        number(&mut bytes, names.len());
        for name in names {
            number(&mut bytes, name.len());
            bytes.extend_from_slice(name.as_bytes());
        }
    }
    bytes
}

/// The columns of all rows, of those of some rows each. `like` are columns of the same shape, whatever their rows.
///
/// # Errors
/// If the bytes are no such columns.
pub(super) fn joined(parts: &[Vec<u8>], like: &[Columns]) -> Result<Vec<Columns>, Diagnostic> {
    let mut rest: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let of = |like: &Columns| {
        let parts = rest.iter_mut().map(taken).collect::<Option<Vec<Part>>>();
        parts.and_then(|parts| joined_column(parts, like))
    };
    let found = like.iter().map(of).collect::<Option<Vec<Columns>>>();
    found.ok_or_else(|| Diagnostic::fault("columns of another rank are none"))
}

/// A column of some rows: its values, and its names if it consists of names.
type Part = (Elements, Option<Vec<String>>);

fn kinds() -> [Elements; 6] {
    [
        Elements::F32(Vec::new()),
        Elements::F64(Vec::new()),
        Elements::I32(Vec::new()),
        Elements::I64(Vec::new()),
        Elements::U8(Vec::new()),
        Elements::Bool(Vec::new()),
    ]
}

fn is_alike(a: &Elements, b: &Elements) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn number(into: &mut Vec<u8>, number: usize) {
    into.extend_from_slice(&(number as u64).to_le_bytes());
}

fn taken_bytes<'b>(from: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(taken)
}

fn taken_number(from: &mut &[u8]) -> Option<usize> {
    let bytes: [u8; 8] = taken_bytes(from, 8)?.try_into().ok()?;
    usize::try_from(u64::from_le_bytes(bytes)).ok()
}

fn taken(from: &mut &[u8]) -> Option<Part> {
    let kind = usize::from(*taken_bytes(from, 1)?.first()?);
    let count = taken_number(from)?;
    let elements = take(from, count, kinds().get(kind)?);
    let has_names = *taken_bytes(from, 1)?.first()? == 1;
    let mut names = Vec::new();
    for _ in 0..taken_number(from)? {
        let length = taken_number(from)?;
        names.push(String::from_utf8(taken_bytes(from, length)?.to_vec()).ok()?);
    }
    (elements.len() == count).then_some((elements, has_names.then_some(names)))
}

fn joined_column(mut parts: Vec<Part>, like: &Columns) -> Option<Columns> {
    let classes = one_numbering(&mut parts);
    let width: usize = like.array.shape().get(1..)?.iter().product();
    let rows = parts.iter().map(|(elements, _)| elements.len()).sum::<usize>().checked_div(width)?;
    let shape: Vec<usize> = std::iter::once(rows).chain(like.array.shape()[1..].iter().copied()).collect();
    let is_long = parts.iter().any(|(elements, _)| matches!(elements, Elements::I64(_)));
    if is_long && classes.is_none() {
        let long = |(elements, _): Part| {
            let array = Array::new(vec![elements.len()], elements).ok()?;
            array.to_i64().ok().map(|values| values.into_owned())
        };
        let values = parts.into_iter().map(long).collect::<Option<Vec<Vec<i64>>>>()?.concat();
        return Some(Columns { array: Array::whole(shape, values).ok()?, classes, idle_order: false });
    }
    let mut all = parts.first()?.0.zeros_alike(rows * width);
    let mut at = 0;
    for (elements, _) in &parts {
        if !is_alike(elements, &all) {
            return None;
        }
        all.put(at, elements);
        at += elements.len();
    }
    // Each part knows its own rows only, so nothing is said of the order of all dates.
    Some(Columns { array: Array::new(shape, all).ok()?, classes, idle_order: false })
}

/// Numbers names alike in all parts: as they are if these are the same, else in order of all that there are.
fn one_numbering(parts: &mut [Part]) -> Option<Vec<String>> {
    let first = parts.iter().find_map(|(_, names)| names.clone())?;
    let is_same = |(elements, names): &Part| elements.is_empty() || names.as_ref() == Some(&first);
    if parts.iter().all(is_same) {
        return Some(first);
    }
    let all: BTreeSet<String> = parts.iter().filter_map(|(_, names)| names.as_deref()).flatten().cloned().collect();
    let all: Vec<String> = all.into_iter().collect();
    for (elements, names) in parts {
        let (Elements::I32(values), Some(names)) = (elements, names) else { continue };
        let places: Vec<i32> = names.iter().filter_map(|name| all.binary_search(name).ok()).map(|at| at as i32).collect();
        values.iter_mut().for_each(|value| *value = places.get(*value as usize).copied().unwrap_or_default());
    }
    Some(all)
}
