//! Fields of new rows: those that a model reads, computed row by row with what was learnt from the rows that it was
//! trained on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Diagnostic;
use crate::compile::{Function, Use};
use crate::ir::program::{DataSet, Division, Precision, Select, Source, SourceColumn, TableFormat};
use crate::ir::ranges::{self, Range};
use crate::ir::{
    Combine, Dim, Elem, Graph, InputKey, Op, Output, OutputKey, Sizes, Type, columns_of, compact,
};
use crate::runtime::array::{Array, Elements};
use crate::runtime::call::Moment;
use crate::runtime::data::bounds::Bounds;
use crate::runtime::data::load::{Inputs, input_names};
use crate::runtime::data::read::csv_request;
use crate::runtime::data::rowwise::{Kind, Names, kinds};
use crate::runtime::data::{Column, classes::Classes};
use crate::runtime::kept::{Kept, statistics::statistics};
use crate::runtime::report::answers::AnswerError;
use crate::runtime::report::data::RowsError;
use crate::runtime::session::{Session, Tensors, convert};
use crate::runtime::sources::csv;

/// A data set with some of its fields and the columns that these read, where what was learnt is kept.
///
/// # Errors
/// E0772 if something that fields use was learnt and is not kept, E0773 if a field depends on other rows.
pub fn narrowed(set: &DataSet, fields: &[Arc<str>], kept: &Kept) -> Result<DataSet, Diagnostic> {
    let mut set = set.clone();
    let is_wanted = |output: &Output| fields.contains(&output.name.text());
    set.graph.outputs.retain(is_wanted);
    set.graph = compact(&set.graph);
    set.fields.retain(|field| fields.contains(&field.name));
    let (graph, known) = kept.put_into(&set);
    if let Some(missing) = set.fields.iter().find(|field| !learns_nothing(&set, &graph, &field.name)) {
        let (field, at) = (missing.name.clone(), missing.span);
        return Err(AnswerError::NotKept { set: set.name.clone(), field, at }.into());
    }
    // The names of statistics depend on the columns that they are of, so these stay; they are not read.
    let names = [input_names(&set.graph), input_names(&set.division.graph)].concat();
    set.columns.retain(|column| names.contains(&column.name));
    if matches!(set.source, Source::None) {
        return Ok(by_place(set));
    }
    let rows = format!("{}.rows", set.name);
    let empty = Arc::new(Array::zeros(Elem::Float, Precision::F32, vec![0]));
    let columns =
        set.columns.iter().map(|column| (column.name.clone(), Column::Memory(Arc::clone(&empty)))).collect();
    let others = columns_of(&graph).into_iter().map(|key| (InputKey::Column(key), Arc::clone(&empty)));
    let known: Inputs = known.into_iter().chain(others).collect();
    let kinds = kinds(&graph, &rows, &Names { columns: &columns, known: &known });
    if set.windows.is_some() {
        return Ok(set);
    }
    let is_open = |output: &&Output| kinds[output.node.0 as usize] != Kind::Rows;
    if let Some(output) = graph.outputs.iter().find(is_open) {
        let field = output.name.text();
        let at = set.fields.iter().find(|known| known.name == field).map(|field| field.span);
        return Err(AnswerError::OtherRows { set: set.name.clone(), field, at }.into());
    }
    Ok(set)
}

fn learns_nothing(set: &DataSet, graph: &Graph, field: &Arc<str>) -> bool {
    let mut of_field = graph.clone();
    of_field.outputs.retain(|output| output.name.text() == *field);
    statistics(set, &of_field).is_empty()
}

/// Data without a file, whose fields are then the columns of a new one, in order.
fn by_place(mut set: DataSet) -> DataSet {
    let mut graph = Graph::new();
    let rows = Dim::symbol(format!("{}.rows", set.name));
    let mut from = 0;
    set.columns.clear();
    for (number, field) in set.fields.iter().enumerate() {
        let name = InputKey::Source(number as u32);
        let width = field.row.static_shape().map_or(1, |shape| shape.iter().product());
        let shape: Vec<Dim> = std::iter::once(rows.clone()).chain(field.row.shape.iter().cloned()).collect();
        let ty = Type::new(field.row.elem, shape);
        let node = graph.add(Op::Input { name: name.clone(), ty }, Vec::new());
        graph.output(OutputKey::Named(field.name.clone()), node);
        set.columns.push(SourceColumn {
            name,
            field: field.name.clone(),
            select: Select::Columns { from, to: from + width },
            names: None,
            row: field.row.clone(),
            training_only: false,
            may_miss: false,
            has_other: false,
            date: None,
            text: None,
            summary: None,
            span: field.span,
        });
        from += width;
    }
    (set.graph, set.rows, set.parts) = (graph, None, Vec::new());
    set.source = Source::Csv { path: String::new(), format: TableFormat::default(), span: set.span };
    (set.division, set.windows) = (Division::default(), None);
    set
}

/// Computes fields of new rows from the columns of a table.
pub struct NewFields {
    pub set: DataSet,
    /// The columns that are read.
    pub columns: Vec<SourceColumn>,
    pub graph: Graph,
    /// What is the same for all rows: statistics, columns of other data.
    pub known: Inputs,
    /// Code by the number of rows and by which of the columns have ints of 64 bits.
    functions: BTreeMap<(usize, Vec<bool>), Arc<Function>>,
}

impl NewFields {
    /// `set` is a [narrowed] data set.
    ///
    /// # Errors
    /// If a column of other data that a field reads cannot be read.
    pub fn new(session: &mut Session, set: &DataSet, kept: &Kept) -> Result<NewFields, Diagnostic> {
        let (graph, mut known) = kept.put_into(set);
        let sizes = session.row_sizes(std::iter::empty())?;
        for key in columns_of(&graph) {
            if let Some(column) = session.column(&key, &sizes)? {
                known.insert(InputKey::Column(key), column);
            }
        }
        for array in known.values_mut() {
            if matches!(array.elements(), Elements::F32(_)) {
                *array = convert(array, Elem::Float, Precision::F64).unwrap_or_else(|| Arc::clone(array));
            }
        }
        let names = input_names(&graph);
        let columns = set.columns.iter().filter(|column| names.contains(&column.name)).cloned().collect();
        Ok(NewFields { set: set.clone(), columns, graph, known, functions: BTreeMap::new() })
    }

    /// What of a table's column is read.
    pub fn requests(&self, classes: &Classes, precision: Precision) -> Vec<csv::Request> {
        self.columns.iter().map(|column| csv_request(&self.set, column, classes, precision)).collect()
    }

    /// How a table is read, and with which separator.
    pub fn options(&self) -> csv::Options {
        match &self.set.source {
            Source::Csv { format, .. } => *format,
            _ => csv::Options::default(),
        }
    }

    /// Whether the fields have the same bits however many rows are computed at once: they have no sums in them.
    pub fn is_elementwise(&self) -> bool {
        self.graph.nodes().all(|(_, node)| match &node.op {
            Op::Loop(body) => body.combine == Combine::Set,
            Op::Scan(_) => false,
            _ => true,
        })
    }

    /// The fields of some rows, in the order of the data's fields, from the columns in order. `first` is the number
    /// of the first row.
    ///
    /// # Errors
    /// E0720 if ints are out of bounds, E0722 if a column has another width than declared.
    pub fn of(
        &mut self,
        session: &mut Session,
        columns: Vec<Array>,
        rows: usize,
        first: usize,
    ) -> Result<Vec<Array>, Diagnostic> {
        let mut inputs: Tensors = self.known.clone();
        for (array, column) in columns.into_iter().zip(&self.columns) {
            inputs.insert(column.name.clone(), Arc::new(in_rows(array, column, rows)?));
        }
        let is_wide = |name: &InputKey| {
            inputs.get(name).is_some_and(|array| matches!(array.elements(), Elements::I64(_)))
        };
        let wide: Vec<bool> = self.columns.iter().map(|column| is_wide(&column.name)).collect();
        let mut sizes = Sizes::new();
        sizes.insert(format!("{}.rows", self.set.name).into(), Dim::from(rows));
        session.add_row_sizes(&self.graph, &mut sizes)?;
        let precision = session.memory.precision;
        let program = session.program.clone();
        let function = match self.functions.get(&(rows, wide.clone())) {
            Some(function) => Arc::clone(function),
            None => {
                for (column, _) in self.columns.iter().zip(&wide).filter(|(_, wide)| **wide) {
                    ranges::note_input(&mut sizes, &column.name, Range::ALL);
                }
                let made = program.build_in(Precision::F64, &self.graph, &sizes, Use::Often);
                let made = Arc::new(made.map_err(|error| program.build_failed(&error, self.set.span))?);
                self.functions.insert((rows, wide), Arc::clone(&made));
                made
            }
        };
        // What files say is computed with in 64 bits, as when the model was trained.
        session.memory.precision = Precision::F64;
        let moment = Moment { seed: self.set.seed, step: 0 };
        let outputs = session.evaluate_function(function, moment, &inputs, self.set.span);
        session.memory.precision = precision;
        let mut outputs = outputs?;
        let mut fields = Vec::new();
        for field in &self.set.fields {
            let array = outputs.remove(&OutputKey::Named(field.name.clone()));
            let array = array.and_then(|array| convert(&array, field.row.elem, precision));
            let array = array.ok_or_else(|| {
                let message = format!("the field `{}` was not computed", field.name);
                Diagnostic::fault(message).at(field.span, "")
            })?;
            Bounds::new(&self.set, field, &sizes).check(&array, |at| first + at)?;
            fields.push(Arc::unwrap_or_clone(array));
        }
        Ok(fields)
    }
}

/// The array with rows of the declared shape, floats in 64 bits.
fn in_rows(array: Array, column: &SourceColumn, rows: usize) -> Result<Array, Diagnostic> {
    let row = column.row.static_shape().unwrap_or_default();
    let shape: Vec<usize> = std::iter::once(rows).chain(row).collect();
    let found = array.row_len();
    let other = |_| RowsError::Columns { row: column.row.clone(), found, at: column.span }.into();
    array.reshaped(shape).map_err(other)
}
