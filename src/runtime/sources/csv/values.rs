//! The values of the fields of a csv file: numbers, or names that become classes.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::base::{Diagnostic, nearest};
use crate::runtime::array::{Array, Elements, whole_number};
use crate::runtime::room;

use super::advice::no_number;
use super::scan::{Field, line_column};
use super::select::Selection;
use super::{Columns, Place, Request, Want};

/// Collects the values of one request.
pub(super) struct Reader<'a> {
    columns: Vec<usize>,
    is_one: bool,
    may_miss: bool,
    values: Values<'a>,
}

enum Values<'a> {
    F32(Vec<f32>),
    /// With what none of them may exceed.
    F64(Vec<f64>, f64),
    Bool(Vec<bool>),
    /// Nothing has been read, so it is open whether there are numbers or names.
    Open,
    Ints(Vec<i64>),
    Names {
        ids: Vec<i32>,
        known: HashMap<Cow<'a, str>, i32>,
        /// Whether `known` has all names, with their classes.
        given: bool,
    },
}

impl<'a> Reader<'a> {
    pub fn new(columns: Vec<usize>, request: &Request) -> Reader<'a> {
        let values = match request.want {
            Want::F32 => Values::F32(Vec::new()),
            Want::F64 => Values::F64(Vec::new(), f64::MAX),
            Want::Wide => Values::F64(Vec::new(), f64::from(f32::MAX)),
            Want::Bool => Values::Bool(Vec::new()),
            Want::Int => match &request.classes {
                Some(classes) => {
                    let numbered =
                        classes.iter().zip(0..).map(|(name, class)| (Cow::Owned(name.clone()), class));
                    Values::Names { ids: Vec::new(), known: numbered.collect(), given: true }
                }
                None => Values::Open,
            },
        };
        Reader {
            columns,
            is_one: matches!(request.selection, Selection::One(_)),
            may_miss: request.may_miss,
            values,
        }
    }

    /// What the values of so many rows take. Of ints, whose type shows when they are read, the list grows: the old
    /// one is there until it is copied.
    pub fn bytes(&self, rows: usize) -> u64 {
        let size = match &self.values {
            Values::F32(_) => 4,
            Values::F64(..) => 8,
            Values::Bool(_) => 1,
            Values::Names { .. } => 8,
            Values::Open | Values::Ints(_) => 16,
        };
        room::bytes_of(&[rows, self.columns.len()], size)
    }

    /// Makes room for the values of so many rows, where their type is known.
    ///
    /// # Errors
    /// E0734.
    pub fn reserve(&mut self, rows: usize) -> Result<(), Diagnostic> {
        let count = rows.saturating_mul(self.columns.len());
        match &mut self.values {
            Values::F32(values) => *values = room::vector(count, "the values of a csv file")?,
            Values::F64(values, _) => *values = room::vector(count, "the values of a csv file")?,
            Values::Bool(values) => *values = room::vector(count, "the values of a csv file")?,
            Values::Open | Values::Ints(_) | Values::Names { .. } => {}
        }
        Ok(())
    }

    pub fn push_row(
        &mut self,
        fields: &[Field<'a>],
        place: &Place<'_>,
        header: Option<&[String]>,
    ) -> Result<(), Diagnostic> {
        for &column in &self.columns {
            let field = &fields[column];
            if let (Values::F64(list, _), true) = (&mut self.values, self.may_miss && is_missing(&field.text))
            {
                list.push(f64::NAN);
                continue;
            }
            push(&mut self.values, field).map_err(|wrong| {
                let names = match &self.values {
                    Values::Names { known, .. } => known.keys().map(|name| &**name).collect(),
                    _ => Vec::new(),
                };
                wrong.diagnostic(field, place, column, header, &names)
            })?;
        }
        Ok(())
    }

    pub fn finish(self, rows: usize) -> Result<Columns, Diagnostic> {
        let without_number = || Diagnostic::error("E0710", "columns without a number of columns");
        let shape = if self.is_one { vec![rows] } else { vec![rows, self.columns.len()] };
        let (elements, classes) = match self.values {
            Values::F32(values) => (Elements::F32(values), None),
            Values::F64(values, _) => (Elements::F64(values), None),
            Values::Bool(values) => (Elements::Bool(values), None),
            Values::Ints(values) => {
                let array = Array::whole(shape, values).ok_or_else(without_number)?;
                return Ok(Columns { array, classes: None });
            }
            Values::Open => (Elements::I32(Vec::new()), None),
            Values::Names { ids, known, given: true } => {
                let mut names: Vec<(i32, Cow<'_, str>)> =
                    known.into_iter().map(|(name, class)| (class, name)).collect();
                names.sort_unstable();
                let names = names.into_iter().map(|(_, name)| name.into_owned()).collect();
                (Elements::I32(ids), Some(names))
            }
            Values::Names { ids, known, given: false } => {
                let mut names: Vec<(Cow<'_, str>, i32)> = known.into_iter().collect();
                names.sort_unstable();
                let mut classes = vec![0; names.len()];
                for (class, (_, id)) in names.iter().enumerate() {
                    classes[*id as usize] = class as i32;
                }
                let elements = ids.into_iter().map(|id| classes[id as usize]).collect();
                (
                    Elements::I32(elements),
                    Some(names.into_iter().map(|(name, _)| name.into_owned()).collect()),
                )
            }
        };
        let array = Array::new(shape, elements).ok_or_else(without_number)?;
        Ok(Columns { array, classes })
    }
}

/// What is wrong with a field.
enum Wrong {
    Missing,
    NotANumber,
    NotFinite,
    NotWhole,
    TooLarge,
    /// A name in a column that began with numbers.
    NameAmongNumbers,
    /// A number in a column that began with names.
    NumberAmongNames,
    /// A name that is none of those given.
    UnknownName,
    NotABool,
}

/// What a field is, whatever its column is read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Number,
    /// Empty, or a text by which tables say that a value is not known.
    Missing,
    Name,
}

/// What a text is.
pub fn kind_of(text: &str) -> Kind {
    if is_missing(text) {
        Kind::Missing
    } else if text.parse::<f64>().is_ok_and(f64::is_finite) {
        Kind::Number
    } else {
        Kind::Name
    }
}

fn is_missing(text: &str) -> bool {
    const UNKNOWN: [&str; 13] =
        ["na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "nil", "?", "-", ".", "missing"];
    text.is_empty() || UNKNOWN.contains(&text.to_ascii_lowercase().as_str())
}

fn push<'a>(values: &mut Values<'a>, field: &Field<'a>) -> Result<(), Wrong> {
    let text = field.text.as_ref();
    match values {
        Values::F32(list) => {
            let value: f32 = text.parse().map_err(|_| not_a_number(text))?;
            list.push(finite(f64::from(value), text).map(|_| value)?);
        }
        Values::F64(list, most) => {
            let value: f64 = text.parse().map_err(|_| not_a_number(text))?;
            let value = finite(value, text)?;
            if value.abs() > *most {
                return Err(Wrong::TooLarge);
            }
            list.push(value);
        }
        Values::Bool(list) => list.push(bool_of(text)?),
        Values::Open => {
            *values = match kind_of(text) {
                Kind::Missing => return Err(Wrong::Missing),
                Kind::Name => Values::Names { ids: Vec::new(), known: HashMap::new(), given: false },
                Kind::Number => Values::Ints(Vec::new()),
            };
            push(values, field)?;
        }
        Values::Ints(list) => list.push(int(text)?),
        Values::Names { ids, known, given: true } => match known.get(text) {
            Some(&class) => ids.push(class),
            None if is_missing(text) => return Err(Wrong::Missing),
            None => return Err(Wrong::UnknownName),
        },
        Values::Names { ids, known, given: false } => {
            match kind_of(text) {
                Kind::Missing => return Err(Wrong::Missing),
                Kind::Number => return Err(Wrong::NumberAmongNames),
                Kind::Name => {}
            }
            let next = known.len() as i32;
            let id = match known.get(text) {
                Some(&id) => id,
                None => *known.entry(field.text.clone()).or_insert(next),
            };
            ids.push(id);
        }
    }
    Ok(())
}

fn bool_of(text: &str) -> Result<bool, Wrong> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" => Ok(true),
        "false" | "f" | "no" | "n" => Ok(false),
        _ if is_missing(text) => Err(Wrong::Missing),
        _ => match text.parse::<f64>() {
            Ok(value) if value == 0.0 || value == 1.0 => Ok(value == 1.0),
            _ => Err(Wrong::NotABool),
        },
    }
}

fn int(text: &str) -> Result<i64, Wrong> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let value: f64 = text.parse().map_err(|_| match not_a_number(text) {
        Wrong::NotANumber => Wrong::NameAmongNumbers,
        other => other,
    })?;
    match whole_number(finite(value, text)?) {
        Some(number) => Ok(number),
        None if value.fract() == 0.0 => Err(Wrong::TooLarge),
        None => Err(Wrong::NotWhole),
    }
}

fn not_a_number(text: &str) -> Wrong {
    if is_missing(text) { Wrong::Missing } else { Wrong::NotANumber }
}

fn finite(value: f64, text: &str) -> Result<f64, Wrong> {
    match value {
        _ if value.is_finite() => Ok(value),
        _ if value.is_nan() => Err(Wrong::Missing),
        _ if text.to_ascii_lowercase().contains("inf") => Err(Wrong::NotFinite),
        _ => Err(Wrong::TooLarge),
    }
}

impl Wrong {
    fn diagnostic(
        self,
        field: &Field<'_>,
        place: &Place<'_>,
        column: usize,
        header: Option<&[String]>,
        names: &[&str],
    ) -> Diagnostic {
        let at = place.line_and_column(field.start);
        let shown: String = field.text.chars().take(40).collect();
        let of = match header.and_then(|names| names.get(column)) {
            Some(name) => format!("column `{name}`"),
            None => format!("column {column}"),
        };
        match self {
            Wrong::Missing if field.text.is_empty() => {
                Diagnostic::error("E0705", format!("{at}: {of} has no value")).help(FILL_IN)
            }
            Wrong::Missing => {
                let error = Diagnostic::error("E0705", format!("{at}: {of} has no value but `{shown}`"));
                let error = error.help(FILL_IN);
                match names {
                    [] => error,
                    [..] => {
                        error.help(format!("if it is a class, name all of them: `names = [\"{shown}\", …]`"))
                    }
                }
            }
            Wrong::UnknownName => {
                let message = format!("{at}: {of} is `{shown}`, which is none of the names of its classes");
                let error = Diagnostic::error("E0754", message);
                match nearest(&shown, names.iter().copied()) {
                    Some(near) => error.help(format!("one of them is `{near}`")),
                    None => error.note(format!("they are {}", listed(names))),
                }
            }
            Wrong::NotABool => {
                let message = format!("{at}: {of} is `{shown}`, which is neither true nor false");
                Diagnostic::error("E0706", message).help(
                    "a bool is written true or false, yes or no, 1 or 0; other names are read as `class(2)`",
                )
            }
            Wrong::NotANumber
                if header.is_none() && place.lines + line_column(place.text, field.start).0 == 1 =>
            {
                Diagnostic::error("E0706", format!("{at}: {of} is `{shown}`, which is not a number"))
                    .help("if the first line has the names of the columns, say `header = true`")
            }
            Wrong::NotANumber => {
                Diagnostic::error("E0706", format!("{at}: {of} is `{shown}`, which is not a number"))
                    .help(no_number(&shown))
            }
            Wrong::NotFinite => {
                Diagnostic::error("E0706", format!("{at}: {of} is `{shown}`, which is not a finite number"))
            }
            Wrong::NotWhole => {
                Diagnostic::error("E0712", format!("{at}: {of} is {shown}, but the field is an int"))
                    .help("declare the field as a float, without `int` or `class`")
            }
            Wrong::TooLarge => Diagnostic::error(
                "E0712",
                format!("{at}: {of} is {shown}, which does not fit the type of the field"),
            ),
            Wrong::NameAmongNumbers => {
                Diagnostic::error("E0706", format!("{at}: {of} is `{shown}`, but it began with numbers"))
            }
            Wrong::NumberAmongNames => Diagnostic::error(
                "E0706",
                format!("{at}: {of} is the number {shown}, but it began with names"),
            )
            .help("a column is read as classes of names if all its fields are names"),
        }
    }
}

const FILL_IN: &str = "remove the row, or fill in a value; a number by `fill(column(…), mean)`";

fn listed(names: &[&str]) -> String {
    let mut names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.sort_unstable();
    let more = names.len() > 12;
    names.truncate(12);
    if more { format!("{} and others", names.join(", ")) } else { names.join(", ") }
}
