//! What the header declares: the row that a model reads, its result, and what is known of classes.

use std::sync::Arc;

use crate::backend::c::names::Names;
use crate::backend::c::text::element;
use crate::ir::program::{DatePart, Precision};
use crate::ir::Type;
use crate::loops::{Kind, kind_of};
use crate::runtime::answers::deployed::Deployed;
use crate::runtime::answers::described::{column_classes, column_name, column_place};

/// A member of a struct: a number, or an array.
#[derive(Clone)]
pub struct Member {
    pub name: String,
    pub kind: Kind,
    /// None for a single number.
    pub shape: Vec<usize>,
    pub comment: String,
    pub below: Option<i64>,
    /// The names of its classes.
    pub names: Option<Arc<[String]>>,
    /// Whether the last class is that of all names that have none of their own.
    pub has_other: bool,
}

impl Member {
    /// A tensor of which nothing else is known.
    pub fn of_shape(name: String, kind: Kind, shape: Vec<usize>) -> Member {
        let comment = shape_text(&shape);
        Member { name, kind, shape, comment, below: None, names: None, has_other: false }
    }

    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn is_array(&self) -> bool {
        !self.shape.is_empty()
    }

    /// `float x[4];`
    pub fn declaration(&self) -> String {
        let ty = element(self.kind);
        let count = self.count().max(1);
        if self.is_array() { format!("{ty} {}[{count}];", self.name) } else { format!("{ty} {};", self.name) }
    }

    /// The address of its first element within a struct: `row->x`.
    pub fn address(&self, of: &str) -> String {
        format!("{}{of}{}", if self.is_array() { "" } else { "&" }, self.name)
    }
}

/// Rows and results of a model.
pub struct Api {
    /// What a row has.
    pub row: Vec<Member>,
    /// What the model reads, if it is computed from the row.
    pub fields: Vec<Member>,
    pub results: Vec<Member>,
}

impl Api {
    pub fn of(deployed: &Deployed) -> Api {
        let precision = deployed.program.checked().precision;
        let mut names = Names::default();
        let fields = deployed.fields.iter().map(|field| Member {
            name: names.give(&field.name),
            below: field.below,
            names: field.names.clone(),
            ..member(&field.row, precision)
        });
        let fields: Vec<Member> = fields.collect();
        let Some(preparation) = &deployed.preparation else {
            return Api { row: fields, fields: Vec::new(), results: results(deployed, precision) };
        };
        let mut names = Names::default();
        let row = preparation.columns.iter().map(|column| {
            let names_of = column_classes(deployed, column);
            let mut made = member(&column.row, Precision::F64);
            if let Some(place) = column_place(column) {
                made.comment = format!("{}: {place}", made.comment);
            }
            if let Some(date) = column.date {
                made.comment = format!("{}: {}", made.comment, date_part(date.part));
            }
            if column.may_miss && made.kind.is_float() {
                made.comment.push_str("; NAN where it is missing");
            }
            let has_other = column.has_other && names_of.is_some();
            Member { name: names.give(&column_name(column)), names: names_of, has_other, ..made }
        });
        let row = row.collect();
        Api { row, fields, results: results(deployed, precision) }
    }
}

fn member(row: &Type, precision: Precision) -> Member {
    let shape = row.static_shape().unwrap_or_default();
    Member::of_shape(String::new(), kind_of(row.elem, false, precision), shape)
}

/// What is known of a point in time.
fn date_part(part: DatePart) -> &'static str {
    match part {
        DatePart::Days => "days since 1 January 1970, with fractions",
        DatePart::Year => "the year",
        DatePart::Month => "the month, from 1",
        DatePart::Day => "the day of the month, from 1",
        DatePart::Weekday => "the day of the week, Monday is 0",
        DatePart::YearDay => "the day of the year, from 1",
        DatePart::Hour => "the hour",
        DatePart::Minute => "the minute",
        DatePart::Second => "the second",
    }
}

/// What a comment says of a shape.
fn shape_text(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "a number".to_owned();
    }
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

/// The results of the model, in order.
fn results(deployed: &Deployed, precision: Precision) -> Vec<Member> {
    let mut names = Names::default();
    let results = deployed.results().into_iter();
    results.map(|result| Member { name: names.give(&result.name), ..member(&result.row, precision) }).collect()
}
