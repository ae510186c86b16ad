//! The values of the fields of a csv file: numbers, or names that become classes.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use crate::runtime::report::Problem;
use crate::runtime::report::tables::{ColumnName, FieldError, TableError, WrongField};
use crate::runtime::array::{Array, Elements, whole_number};
use crate::runtime::room;

use super::dates;
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
        push(&mut self.values, field, &self.options, self.date)
            .map_err(|wrong| self.field_error(wrong, field, column, place, header).diagnostic())
    }

    fn field_error(
        &self,
        wrong: WrongField,
        field: &Field<'_>,
        column: usize,
        place: &Place<'_>,
        header: Option<&[String]>,
    ) -> FieldError {
        let names = match &self.values {
            Values::Names { known, .. } => known.keys().map(|name| name.to_string()).collect(),
            _ => Vec::new(),
        };
        let name = header.and_then(|names| names.get(column));
        FieldError {
            at: place.line_and_column(field.start),
            column: name.map_or(ColumnName::Number(column), |name| ColumnName::Name(name.clone())),
            text: field.text.to_string(),
            wrong,
            names,
            is_first: header.is_none() && place.lines + line_column(place.text, field.start).0 == 1,
            format: self.options,
        }
    }

    pub fn finish(self, rows: usize) -> Result<Columns, Diagnostic> {
        let idle_order = !self.order_matters && rows > 0;
        let shape = if self.is_one { vec![rows] } else { vec![rows, self.columns.len()] };
        let (elements, classes) = match self.values {
            Values::F32(values) => (Elements::F32(values), None),
            Values::F64(values, _) => (Elements::F64(values), None),
            Values::Bool(values) | Values::Missing(values) => (Elements::Bool(values), None),
            Values::Ints(values) => {
                let array = Array::whole(shape, values).map_err(|_| TableError::Unshaped)?;
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
        let array = Array::new(shape, elements).map_err(|_| TableError::Unshaped)?;
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
) -> Result<(), WrongField> {
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
                return Err(WrongField::TooLarge);
            }
            list.push(value);
        }
        Values::Bool(list) => list.push(bool_of(text)?),
        Values::Missing(list) => list.push(is_missing(text)),
        Values::Open => {
            *values = match kind_of(text, options) {
                _ if date.is_some() => Values::Ints(Vec::new()),
                Kind::Missing => return Err(WrongField::Missing),
                Kind::Name => Values::names(false),
                Kind::Number => Values::Ints(Vec::new()),
            };
            push(values, field, options, date)?;
        }
        Values::Ints(list) => list.push(match date {
            Some(date) => whole_number(moment(text, date)?).ok_or(WrongField::NotWhole)?,
            None => int(&number_text(text, options).map_err(|wrong| match wrong {
                WrongField::NotANumber => WrongField::NameAmongNumbers,
                other => other,
            })?)?,
        }),
        Values::Names { .. } => push_name(values, field, options)?,
    }
    Ok(())
}

/// Adds a name: a class that is given, or a new one.
fn push_name<'a>(values: &mut Values<'a>, field: &Field<'a>, options: &Options) -> Result<(), WrongField> {
    let Values::Names { ids, known, given, is_category } = values else { return Ok(()) };
    // In a category nothing is a name like any other, however it is written.
    let is_gap = is_missing(&field.text);
    let name = if is_gap && *is_category { Cow::Borrowed("") } else { field.text.clone() };
    match (*given, known.get(&name), kind_of(&field.text, options)) {
        (true, Some(class), _) => ids.push(*class),
        (true, None, _) if *is_category => ids.push(known.len() as i32 - 1),
        (true, None, Kind::Missing) | (false, _, Kind::Missing) if !*is_category => return Err(WrongField::Missing),
        (true, None, _) => return Err(WrongField::UnknownName),
        (false, _, Kind::Number) if !*is_category => return Err(WrongField::NumberAmongNames),
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
fn number_text<'t>(text: &'t str, options: &Options) -> Result<Cow<'t, str>, WrongField> {
    plain(text, options).ok_or_else(|| not_a_number(text))
}

fn moment(text: &str, date: Date) -> Result<f64, WrongField> {
    if is_missing(text) {
        return Err(WrongField::Missing);
    }
    dates::number(text, date).map_err(WrongField::NoDate)
}

fn bool_of(text: &str) -> Result<bool, WrongField> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" => Ok(true),
        "false" | "f" | "no" | "n" => Ok(false),
        _ if is_missing(text) => Err(WrongField::Missing),
        _ => match text.parse::<f64>() {
            Ok(value) if value == 0.0 || value == 1.0 => Ok(value == 1.0),
            _ => Err(WrongField::NotABool),
        },
    }
}

fn int(text: &str) -> Result<i64, WrongField> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let value: f64 = text.parse().map_err(|_| match not_a_number(text) {
        WrongField::NotANumber => WrongField::NameAmongNumbers,
        other => other,
    })?;
    match whole_number(finite(value, text)?) {
        Some(number) => Ok(number),
        None if value.fract() == 0.0 => Err(WrongField::TooLarge),
        None => Err(WrongField::NotWhole),
    }
}

fn not_a_number(text: &str) -> WrongField {
    if is_missing(text) { WrongField::Missing } else { WrongField::NotANumber }
}

fn finite(value: f64, text: &str) -> Result<f64, WrongField> {
    match value {
        _ if value.is_finite() => Ok(value),
        _ if value.is_nan() => Err(WrongField::Missing),
        _ if text.to_ascii_lowercase().contains("inf") => Err(WrongField::NotFinite),
        _ => Err(WrongField::TooLarge),
    }
}
