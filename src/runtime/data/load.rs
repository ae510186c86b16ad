//! Fields of a data set from the columns of its source.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::bounds::Bounds;
use super::lazy::Computed;
use super::making::Fields;
use super::read::Around;
use super::sorted::{Sorted, sorted};
use super::{Column, Rows, Table};
use crate::base::Diagnostic;
use crate::ir::program::{DataRef, DataSet, Precision, SourceColumn};
use crate::ir::{ColumnKey, Dim, Graph, InputKey, Node, NodeId, Op, OutputKey, Sizes};
use crate::runtime::array::Array;
use crate::runtime::ranks::Shared;

/// What the graphs of fields are given, and what they give.
pub type Inputs = BTreeMap<InputKey, Arc<Array>>;
pub type Outputs = BTreeMap<OutputKey, Array>;
/// Columns that graphs of fields read.
pub type Columns = BTreeMap<InputKey, Column>;

/// Carries out the graphs of fields.
pub trait Evaluate {
    /// A column of another data set, and its rows that are meant; none if there is none of this name.
    ///
    /// # Errors
    /// If that data cannot be read.
    fn column(&mut self, key: &ColumnKey, sizes: &Sizes) -> Result<Option<(Column, Rows)>, Diagnostic>;

    /// The names of the classes of a field of another data set.
    ///
    /// # Errors
    /// If that data cannot be read.
    fn names(&mut self, set: &str, field: &str) -> Result<Option<Arc<[String]>>, Diagnostic>;

    /// Adds the numbers of rows of other data sets that a graph mentions.
    ///
    /// # Errors
    /// If that data cannot be read.
    fn add_row_sizes(&mut self, graph: &Graph, sizes: &mut Sizes) -> Result<(), Diagnostic>;

    /// A graph for all rows, once.
    ///
    /// # Errors
    /// If there is no code for these sizes.
    fn once(&mut self, graph: &Graph, sizes: &Sizes, inputs: &Inputs) -> Result<Outputs, Diagnostic>;

    /// As [`Evaluate::once`], in floats of 64 bits whatever the program's are.
    ///
    /// # Errors
    /// As [`Evaluate::once`].
    fn wide(&mut self, graph: &Graph, sizes: &Sizes, inputs: &Inputs) -> Result<Outputs, Diagnostic>;

    /// The code of a field that is computed of some rows.
    ///
    /// # Errors
    /// As [`Evaluate::once`].
    fn rows(&mut self, computed: &Computed, sizes: &Sizes, inputs: &Inputs) -> Result<Outputs, Diagnostic>;

    /// The processes that need the same, if there are others.
    fn ranks(&self) -> Option<Shared>;
}

/// Thresholds, in bytes, that decide whether a column is held in memory, read from its file for each batch, or
/// computed for some rows at a time. Bytes are those of the numbers as the program has them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How much is in memory. Beyond that, large columns stay in their file, and fields made of random numbers
    /// are made batch by batch.
    pub memory: usize,
    /// How much is made of random numbers in one piece. Beyond that, it is made block by block.
    pub piece: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: 1 << 28, piece: 1 << 20 }
    }
}

/// Reads the source, computes the fields, checks their bounds and divides the rows.
///
/// # Errors
/// Those of [`read::columns`]; E0720 (a value out of its bounds), E0721 (columns of different length),
/// and those of `evaluate`.
pub fn load(
    set: &DataSet,
    around: Around<'_>,
    precision: Precision,
    limits: Limits,
    evaluate: &mut dyn Evaluate,
) -> Result<Table, Diagnostic> {
    let (graph, given) = match around.kept {
        Some(kept) => kept.put_into(set),
        None => (set.graph.clone(), Inputs::new()),
    };
    let mut set = set.clone();
    if !given.is_empty() {
        let names = [input_names(&graph), input_names(&set.division.graph)].concat();
        set.columns.retain(|column| names.contains(&column.name));
    }
    let Sorted { set, read, rows, rows_of_file, parts, windows, summaries } = sorted(set, around, precision, limits, evaluate)?;
    let set = &set;
    let given: Inputs = given.into_iter().chain(summaries).collect();
    let is_named = |column: &SourceColumn| {
        !column.training_only && set.fields.iter().any(|field| field.name == column.field)
    };
    let named = set.columns.iter().zip(&read).filter(|(column, _)| is_named(column));
    let names = named.filter_map(|(column, read)| Some((column.field.clone(), read.names.clone()?))).collect();
    let (columns, wide): (Vec<Column>, Vec<_>) = read.into_iter().map(|read| (read.column, read.wide)).unzip();
    let text = columns.iter().find_map(|column| match column {
        Column::Windows(windows) => Some(windows.text().clone()),
        Column::Memory(_) | Column::Lazy(_) => None,
    });
    let mut sizes = Sizes::new();
    sizes.insert(DataRef::rows_of(&set.name, None), Dim::from(rows));
    for (name, rows) in &parts {
        sizes.insert(DataRef::rows_of(&set.name, Some(name)), Dim::from(rows.len()));
    }
    let notices = around.notices;
    evaluate.add_row_sizes(&graph, &mut sizes)?;
    let making = Fields {
        set,
        graph: &graph,
        given: &given,
        precision,
        sizes: &sizes,
        n_rows: rows,
        parts: &parts,
        limits,
        notices,
    };
    let (fields, learnt) = making.all(columns, wide, evaluate)?;
    let mut bounds = BTreeMap::new();
    for field in &set.fields {
        let allowed = Bounds::new(set, field, &sizes);
        match fields.get(&field.name) {
            Some(Column::Memory(array)) => allowed.check(array, |at| at)?,
            Some(Column::Windows(windows)) => allowed.check_vocabulary(windows.text().vocabulary())?,
            Some(Column::Lazy(_)) | None => {}
        }
        if allowed.is_open() || matches!(fields.get(&field.name), Some(Column::Lazy(_))) {
            bounds.insert(field.name.clone(), allowed);
        }
    }
    let table = Table {
        rows,
        fields,
        bounds,
        rows_of_file,
        is_last: Vec::new(),
        parts: parts.clone(),
        text,
        learnt,
        names,
        whole: Mutex::default(),
    };
    match windows {
        Some(windows) => windows.of_table(table, |column, rows| making.part_of(column, rows)),
        None => Ok(table),
    }
}

/// The inputs that the outputs of a graph need.
pub fn input_names(graph: &Graph) -> Vec<InputKey> {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let name = |(id, node): (NodeId, &Node)| match &node.op {
        Op::Input { name, .. } if needed[id.0 as usize] => Some(name.clone()),
        _ => None,
    };
    graph.nodes().filter_map(name).collect()
}
