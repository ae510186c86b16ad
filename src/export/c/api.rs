//! What the header declares: the row that a model reads, its result, and what is known of classes.

use std::sync::Arc;

use crate::backend::c::names::Names;
use crate::backend::c::text::element;
use crate::ir::program::{Precision, Select};
use crate::ir::{Elem, Type};
use crate::loops::{Kind, kind_of};
use crate::runtime::answers::deployed::Deployed;
use crate::runtime::answers::meaning::{Probabilities, Reading};

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
}

impl Member {
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
            let called = match &column.select {
                Select::Named(columns) => match columns.as_slice() {
                    [one] => one.clone(),
                    _ => column.field.to_string(),
                },
                _ => column.field.to_string(),
            };
            let what = match &column.select {
                Select::Named(columns) if columns.len() > 1 => format!("columns {}", columns.join(", ")),
                Select::Columns { from, to } if to - from > 1 => format!("columns {from} to {}", to - 1),
                Select::Columns { from, .. } => format!("column {from}"),
                Select::Tensor(name) => format!("the array `{name}`"),
                _ => String::new(),
            };
            let classes = deployed.fields.iter().find(|field| field.name == column.field);
            let classes = classes.and_then(|field| field.names.clone()).filter(|_| column.row.elem == Elem::Int);
            let written = column.names.clone().map(Arc::from);
            let mut made = member(&column.row, Precision::F64);
            if !what.is_empty() {
                made.comment = format!("{}: {what}", made.comment);
            }
            Member { name: names.give(&called), names: classes.or(written), ..made }
        });
        let row = row.collect();
        Api { row, fields, results: results(deployed, precision) }
    }
}

/// Whether a result has one part for each row.
pub fn has_rows(deployed: &Deployed, output: &crate::ir::Output) -> bool {
    let first = deployed.graph.shape(output.node).first();
    first.and_then(crate::ir::Dim::as_symbol).is_some_and(|symbol| *symbol == deployed.rows)
}

fn member(row: &Type, precision: Precision) -> Member {
    let shape = row.static_shape().unwrap_or_default();
    let kind = kind_of(row.elem, false, precision);
    let comment = if shape.is_empty() { "a number".to_owned() } else { shape_text(&shape) };
    Member { name: String::new(), kind, shape, comment, below: None, names: None }
}

fn shape_text(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", sizes.join(", "))
}

/// The results of the model, in order.
fn results(deployed: &Deployed, precision: Precision) -> Vec<Member> {
    let mut names = Names::default();
    let mut outputs: Vec<(usize, &crate::ir::Output)> = deployed
        .graph
        .outputs
        .iter()
        .filter_map(|output| Some((output.name.text().parse().ok()?, output)))
        .collect();
    outputs.sort_by_key(|(number, _)| *number);
    let is_single = outputs.len() == 1;
    let reading = deployed.meaning.as_ref().map(|meaning| meaning.reading);
    let called = |number: usize| match (is_single, reading, &deployed.target) {
        (true, Some(Reading::Classes(_, Probabilities::Themselves)), _) => "probabilities".to_owned(),
        (true, Some(Reading::Classes(..)), _) => "scores".to_owned(),
        (true, Some(Reading::Truth(_)), Some(target)) => format!("score of {target}"),
        (true, _, Some(target)) => target.clone(),
        (true, _, None) => "value".to_owned(),
        (false, ..) => format!("value {number}"),
    };
    let made = outputs.iter().map(|(number, output)| {
        let ty = deployed.graph.ty(output.node);
        let row = Type::new(ty.elem, ty.shape.iter().skip(usize::from(has_rows(deployed, output))).cloned().collect());
        Member { name: names.give(&called(*number)), ..member(&row, precision) }
    });
    made.collect()
}
