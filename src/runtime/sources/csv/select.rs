//! Which columns of a csv file a field is made of.

use crate::base::{Diagnostic, nearest};

use super::counted;

/// A column by number or name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ColumnRef {
    Number(i64),
    Name(String),
}

/// Which columns a field is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selection {
    /// `column(c)`: the array is `[rows]`.
    One(ColumnRef),
    /// `columns(a:b)`, where both may be left out: `[rows, b - a]`.
    Range { start: Option<i64>, end: Option<i64> },
    /// `columns("a", "b")`: `[rows, n]`.
    List(Vec<ColumnRef>),
}

/// The numbers of the selected columns.
pub(super) fn resolve(
    selection: &Selection,
    n_columns: usize,
    header: Option<&[String]>,
    name: &str,
) -> Result<Vec<usize>, Diagnostic> {
    let no_such = |what: String| Diagnostic::error("E0708", format!("`{name}` {what}"));
    let number = |number: i64| {
        let from_start = if number < 0 { number.saturating_add(n_columns as i64) } else { number };
        usize::try_from(from_start).ok().filter(|&column| column < n_columns).ok_or_else(|| {
            no_such(format!("has {}, so there is no column {number}", counted(n_columns, "column")))
                .note(format!("columns are numbered from 0 to {}", n_columns - 1))
        })
    };
    let column = |column: &ColumnRef| match (column, header) {
        (ColumnRef::Number(at), _) => number(*at),
        (ColumnRef::Name(wanted), None) => Err(no_such(format!(
            "has no header line in which a column could be called `{wanted}`"
        ))
        .help("if its first line is a header, say `header = true`; otherwise give the column's number")),
        (ColumnRef::Name(wanted), Some(names)) => {
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(at, _)| at);
            match (places.next(), places.next()) {
                (Some(at), None) => Ok(at),
                (Some(first), Some(second)) => {
                    Err(no_such(format!("calls two columns `{wanted}`: {first} and {second}"))
                        .help("give the column's number"))
                }
                (None, _) => {
                    let missing = no_such(format!("has no column `{wanted}`"));
                    Err(match nearest(wanted, names.iter().map(String::as_str)) {
                        Some(near) => missing.help(format!("it has `{near}`")),
                        None => missing.note(format!("its columns are {}", listed(names))),
                    })
                }
            }
        }
    };
    match selection {
        Selection::One(one) => Ok(vec![column(one)?]),
        Selection::List(list) => list.iter().map(column).collect(),
        Selection::Range { start, end } => {
            let first = start.map_or(Ok(0), number)?;
            // The end is excluded, so it may be the number of columns.
            let end = end.filter(|&end| end != n_columns as i64).map_or(Ok(n_columns), number)?;
            if first >= end {
                return Err(no_such(format!("has no columns from {first} up to {end}, which is excluded")));
            }
            Ok((first..end).collect())
        }
    }
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(10).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 10 { format!("{shown} and others") } else { shown }
}
