//! The values of the fields of a csv file: numbers, or names that become classes.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::base::order::PutInOrder;
use crate::base::{Diagnostic, nearest};
use crate::runtime::array::{Array, Elements, whole_number};
use crate::runtime::room;

use super::advice::no_number;
use super::dates::{self, NoDate};
use super::numbers::plain;
use super::scan::{Field, line_column};
use super::select::Selection;
use super::{Columns, Options, Place, Request, Want};
use crate::ir::program::{Date, DateOrder};

/// Collects the values of one request.
pub(super) struct Reader<'a> {
    columns: Vec<usize>,
    is_one: bool,
    may_miss: bool,
    options: Options,
    date: Option<Date>,
    /// Whether some date is read in another way for the order that was asked for.
    order_matters: bool,
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
        /// Whether everything is a name. Of given names the last is then the class of all others.
        is_category: bool,
    },
    /// Whether there is no value.
    Missing(Vec<bool>),
}

impl<'a> Reader<'a> {
    pub fn new(columns: Vec<usize>, request: &Request, options: Options) -> Reader<'a> {
        let values = match request.want {
            Want::F32 => Values::F32(Vec::new()),
            Want::F64 => Values::F64(Vec::new(), f64::MAX),
            Want::Wide => Values::F64(Vec::new(), f64::from(f32::MAX)),
            Want::Bool => Values::Bool(Vec::new()),
            Want::Int => match &request.classes {
                Some(classes) => {
                    let numbered =
                        classes.iter().zip(0..).map(|(name, class)| (Cow::Owned(name.clone()), class));
                    let (known, is_category) = (numbered.collect(), request.is_category);
                    Values::Names { ids: Vec::new(), known, given: true, is_category }
                }
                None if request.is_category => Values::names(true),
                None => Values::Open,
            },
            Want::Missing => Values::Missing(Vec::new()),
        };
        Reader {
            columns,
            is_one: matches!(request.selection, Selection::One(_)),
            may_miss: request.may_miss,
            options,
            date: request.date,
            order_matters: request.date.is_none_or(|date| date.order == DateOrder::YearMonthDay),
            values,
        }
    }

    /// What the values of so many rows take. Of ints, whose type shows when they are read, the list grows: the old
    /// one is there until it is copied.
    pub fn bytes(&self, rows: usize) -> u64 {
        let size = match &self.values {
            Values::F32(_) => 4,
            Values::F64(..) => 8,
            Values::Bool(_) | Values::Missing(_) => 1,
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
            Values::Bool(values) | Values::Missing(values) => {
                *values = room::vector(count, "the values of a csv file")?;
            }
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
        for at in 0..self.columns.len() {
            let column = self.columns[at];
            self.push_field(&fields[column], column, place, header)?;
        }
        Ok(())
    }

    fn push_field(
        &mut self,
        field: &Field<'a>,
        column: usize,
        place: &Place<'_>,
        header: Option<&[String]>,
    ) -> Result<(), Diagnostic> {
        if let (Values::F64(list, _), true) = (&mut self.values, self.may_miss && is_missing(&field.text)) {
            list.push(f64::NAN);
            return Ok(());
        }
        if let (Some(date), false) = (self.date, self.order_matters) {
            let plain = Date { order: DateOrder::YearMonthDay, ..date };
            self.order_matters = dates::number(&field.text, plain).is_err();
        }
        push(&mut self.values, field, &self.options, self.date).map_err(|wrong| {
            let names = match &self.values {
                Values::Names { known, .. } => known.keys().map(|name| &**name).collect(),
                _ => Vec::new(),
            };
            wrong.diagnostic(field, place, column, header, &names, &self.options)
        })
    }

    pub fn finish(self, rows: usize) -> Result<Columns, Diagnostic> {
        let idle_order = !self.order_matters && rows > 0;
        let without_number = || Diagnostic::error("E0710", "columns without a number of columns");
        let shape = if self.is_one { vec![rows] } else { vec![rows, self.columns.len()] };
        let (elements, classes) = match self.values {
            Values::F32(values) => (Elements::F32(values), None),
            Values::F64(values, _) => (Elements::F64(values), None),
            Values::Bool(values) | Values::Missing(values) => (Elements::Bool(values), None),
            Values::Ints(values) => {
                let array = Array::whole(shape, values).map_err(|_| without_number())?;
                return Ok(Columns { array, classes: None, idle_order });
            }
            Values::Open => (Elements::I32(Vec::new()), None),
            Values::Names { ids, known, given: true, .. } => {
                let mut names: Vec<(i32, Cow<'_, str>)> =
                    known.into_iter().map(|(name, class)| (class, name)).collect();
                names.put_in_order();
                let names = names.into_iter().map(|(_, name)| name.into_owned()).collect();
                (Elements::I32(ids), Some(names))
            }
            Values::Names { ids, known, given: false, .. } => {
                let mut names: Vec<(Cow<'_, str>, i32)> = known.into_iter().collect();
                names.put_in_order();
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
        let array = Array::new(shape, elements).map_err(|_| without_number())?;
        Ok(Columns { array, classes, idle_order })
    }
}

impl Reader<'static> {
    /// A reader of the same columns that has read nothing but knows, as this one does, whether ints are numbers or
    /// names.
    pub fn emptied(&self) -> Reader<'static> {
        let values = match &self.values {
            Values::F32(_) => Values::F32(Vec::new()),
            Values::F64(_, most) => Values::F64(Vec::new(), *most),
            Values::Bool(_) => Values::Bool(Vec::new()),
            Values::Open => Values::Open,
            Values::Ints(_) => Values::Ints(Vec::new()),
            Values::Names { known, given, is_category, .. } => {
                Values::Names { ids: Vec::new(), known: known.clone(), given: *given, is_category: *is_category }
            }
            Values::Missing(_) => Values::Missing(Vec::new()),
        };
        Reader { columns: self.columns.clone(), values, ..*self }
    }

    /// As [`Reader::push_row`], of a text that is forgotten.
    pub fn push_copied(
        &mut self,
        fields: &[Field<'_>],
        place: &Place<'_>,
        header: Option<&[String]>,
    ) -> Result<(), Diagnostic> {
        for at in 0..self.columns.len() {
            let column = self.columns[at];
            let Field { text, start } = &fields[column];
            let field = Field { text: Cow::Owned(text.to_string()), start: *start };
            self.push_field(&field, column, place, header)?;
        }
        Ok(())
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
    NoDate(NoDate),
}

impl Values<'_> {
    /// Names of which none is known yet.
    fn names(is_category: bool) -> Self {
        Values::Names { ids: Vec::new(), known: HashMap::new(), given: false, is_category }
    }
}

/// What a field is, whatever its column is read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Number,
    /// Empty, or a text by which tables say that a value is not known.
    Missing,
    Name,
}

/// The number that a text is in a table.
pub fn number_of(text: &str, options: &Options) -> Option<f64> {
    plain(text, options)?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// What a text is in a table.
pub fn kind_of(text: &str, options: &Options) -> Kind {
    if is_missing(text) {
        Kind::Missing
    } else if plain(text, options).is_some_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite)) {
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

fn push<'a>(
    values: &mut Values<'a>,
    field: &Field<'a>,
    options: &Options,
    date: Option<Date>,
) -> Result<(), Wrong> {
    let text = field.text.as_ref();
    match values {
        Values::F32(list) => {
            let text = number_text(text, options)?;
            let value: f32 = text.parse().map_err(|_| not_a_number(&text))?;
            list.push(finite(f64::from(value), &text).map(|_| value)?);
        }
        Values::F64(list, most) => {
            let value = match date {
                Some(date) => moment(text, date)?,
                None => {
                    let text = number_text(text, options)?;
                    finite(text.parse().map_err(|_| not_a_number(&text))?, &text)?
                }
            };
            if value.abs() > *most {
                return Err(Wrong::TooLarge);
            }
            list.push(value);
        }
        Values::Bool(list) => list.push(bool_of(text)?),
        Values::Missing(list) => list.push(is_missing(text)),
        Values::Open => {
            *values = match kind_of(text, options) {
                _ if date.is_some() => Values::Ints(Vec::new()),
                Kind::Missing => return Err(Wrong::Missing),
                Kind::Name => Values::names(false),
                Kind::Number => Values::Ints(Vec::new()),
            };
            push(values, field, options, date)?;
        }
        Values::Ints(list) => list.push(match date {
            Some(date) => whole_number(moment(text, date)?).ok_or(Wrong::NotWhole)?,
            None => int(&number_text(text, options).map_err(|wrong| match wrong {
                Wrong::NotANumber => Wrong::NameAmongNumbers,
                other => other,
            })?)?,
        }),
        Values::Names { .. } => push_name(values, field, options)?,
    }
    Ok(())
}

/// Adds a name: a class that is given, or a new one.
fn push_name<'a>(values: &mut Values<'a>, field: &Field<'a>, options: &Options) -> Result<(), Wrong> {
    let Values::Names { ids, known, given, is_category } = values else { return Ok(()) };
    // In a category nothing is a name like any other, however it is written.
    let is_gap = is_missing(&field.text);
    let name = if is_gap && *is_category { Cow::Borrowed("") } else { field.text.clone() };
    match (*given, known.get(&name), kind_of(&field.text, options)) {
        (true, Some(class), _) => ids.push(*class),
        (true, None, _) if *is_category => ids.push(known.len() as i32 - 1),
        (true, None, Kind::Missing) | (false, _, Kind::Missing) if !*is_category => return Err(Wrong::Missing),
        (true, None, _) => return Err(Wrong::UnknownName),
        (false, _, Kind::Number) if !*is_category => return Err(Wrong::NumberAmongNames),
        (false, Some(id), _) => ids.push(*id),
        (false, None, _) => {
            let next = known.len() as i32;
            known.insert(name, next);
            ids.push(next);
        }
    }
    Ok(())
}

/// A number with a decimal point and without groups of digits.
fn number_text<'t>(text: &'t str, options: &Options) -> Result<Cow<'t, str>, Wrong> {
    plain(text, options).ok_or_else(|| not_a_number(text))
}

fn moment(text: &str, date: Date) -> Result<f64, Wrong> {
    if is_missing(text) {
        return Err(Wrong::Missing);
    }
    dates::number(text, date).map_err(Wrong::NoDate)
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
        options: &Options,
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
            Wrong::NotANumber => {
                let is_first = header.is_none() && place.lines + line_column(place.text, field.start).0 == 1;
                Diagnostic::error("E0706", format!("{at}: {of} is `{shown}`, which is not a number"))
                    .help(no_number(&shown, is_first, options))
            }
            Wrong::NoDate(why) => no_date(why, &at, &of, &shown),
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

fn no_date(why: NoDate, at: &str, of: &str, shown: &str) -> Diagnostic {
    let error = |what: &str| Diagnostic::error("E0760", format!("{at}: {of} is `{shown}`, {what}"));
    match why {
        NoDate::Form => error("which is no date")
            .help("dates are written 2024-02-29, 2024-02-29 12:30, 29.02.2024 or 02/29/2024"),
        NoDate::Order => error("in which day and month could be either")
            .help("say how dates are written: `date(column(…), order = \"dmy\")`, or \"mdy\""),
        NoDate::Range => error("and there is no such day or time")
            .help("if the month stands before the day, say `order = \"mdy\"`"),
    }
}

const FILL_IN: &str = "leave the row out by `drop rows where is_missing(column(…))`, or fill in a value: a number by \
                       `fill(column(…), mean)`";

fn listed(names: &[&str]) -> String {
    let mut names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.put_in_order();
    let more = names.len() > 12;
    names.truncate(12);
    if more { format!("{} and others", names.join(", ")) } else { names.join(", ") }
}
