//! Which columns of a csv file a field is made of.

use crate::runtime::report::tables::MissingColumn;

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
///
/// # Errors
/// That there is none of them.
pub(super) fn resolve(
    selection: &Selection,
    n_columns: usize,
    header: Option<&[String]>,
) -> Result<Vec<usize>, MissingColumn> {
    let number = |number: i64| {
        let from_start = if number < 0 { number.saturating_add(n_columns as i64) } else { number };
        let found = usize::try_from(from_start).ok().filter(|&column| column < n_columns);
        found.ok_or(MissingColumn::Number { number, count: n_columns })
    };
    let column = |column: &ColumnRef| match (column, header) {
        (ColumnRef::Number(at), _) => number(*at),
        (ColumnRef::Name(name), None) => Err(MissingColumn::NoHeader(name.clone())),
        (ColumnRef::Name(wanted), Some(names)) => {
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(at, _)| at);
            let name = wanted.clone();
            match (places.next(), places.next()) {
                (Some(at), None) => Ok(at),
                (Some(first), Some(second)) => Err(MissingColumn::Twice { name, first, second }),
                (None, _) => Err(MissingColumn::Name { name, names: names.to_vec() }),
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
                return Err(MissingColumn::Range { first, end });
            }
            Ok((first..end).collect())
        }
    }
}
