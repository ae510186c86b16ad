//! Fields of a data set from the columns of its source.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::bounds::Bounds;
use super::lazy::{Computed, Lazy, Origin, no_code};
use super::rowwise::row_by_row;
use super::{Column, Rows, Table, read};
use crate::base::Diagnostic;
use crate::compile::Cache;
use crate::ir::program::{DataSet, Precision};
use crate::ir::{Dim, Graph, Node, NodeId, Op, Output, Sizes, compact};
use crate::runtime::array::Array;
use crate::runtime::permutation::split_rows;

/// Carries out a graph: sizes, inputs by name; gives the outputs by name.
pub type Evaluate<'a> = dyn FnMut(&Graph, &Sizes, &BTreeMap<Arc<str>, Arc<Array>>) -> Result<BTreeMap<Arc<str>, Array>, Diagnostic>
    + 'a;

/// How many bytes of columns are read into memory at once. Beyond that, large columns stay in their file.
pub const LOADED_BYTES: usize = 1 << 28;

/// Reads the source, computes the fields, checks their bounds and divides the rows. If the columns take more
/// than `limit` bytes, the large ones are read batch by batch.
///
/// # Errors
/// Those of [`read::columns`]; E0720 (a value out of its bounds), E0721 (columns of different length),
/// and those of `evaluate`.
pub fn load(
    set: &DataSet,
    base: &Path,
    precision: Precision,
    limit: usize,
    evaluate: &mut Evaluate<'_>,
) -> Result<Table, Diagnostic> {
    let columns = read::columns(set, base, precision, limit)?;
    let rows = count_rows(set, &columns)?;
    let parts = parts(set, rows)?;
    let text = columns.iter().find_map(|column| match column {
        Column::Windows(windows) => Some(windows.text().clone()),
        Column::Memory(_) | Column::Lazy(_) => None,
    });
    let mut sizes = Sizes::new();
    sizes.insert(format!("{}.rows", set.name).into(), Dim::from(rows));
    for (name, rows) in &parts {
        sizes.insert(format!("{}.{name}.rows", set.name).into(), Dim::from(rows.len()));
    }
    let training = training_rows(&parts, rows);
    sizes.entry(format!("{}.train.rows", set.name).into()).or_insert_with(|| Dim::from(training.len()));
    let fields = Fields { set, precision, sizes: &sizes }.of(columns, &training, evaluate)?;
    let mut bounds = BTreeMap::new();
    for field in &set.fields {
        let own = Bounds::new(set, field, &sizes);
        match fields.get(&field.name) {
            Some(Column::Memory(array)) => own.check(array, |at| at)?,
            Some(Column::Windows(windows)) => own.check_vocabulary(windows.text().vocabulary())?,
            Some(Column::Lazy(_)) => drop(bounds.insert(field.name.clone(), own)),
            None => {}
        }
    }
    Ok(Table { rows, fields, bounds, parts, text, whole: Mutex::default() })
}

fn count_rows(set: &DataSet, columns: &[Column]) -> Result<usize, Diagnostic> {
    let Some((first, column)) = set.columns.iter().zip(columns).next() else {
        let rows = set.rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0);
        return within_limit(set, rows);
    };
    for (other, other_column) in set.columns.iter().zip(columns) {
        if other_column.rows() != column.rows() {
            let message = format!("the fields of `{}` have different numbers of rows", set.name);
            return Err(Diagnostic::error("E0721", message)
                .at(other.span, format!("this has {} rows", other_column.rows()))
                .and_at(first.span, format!("this has {} rows", column.rows())));
        }
    }
    if let Some(rows) = set.rows
        && rows != column.rows() as u64
    {
        let message = format!("`{}` says it has {rows} rows, its source has {}", set.name, column.rows());
        return Err(Diagnostic::error("E0721", message).at(set.span, ""));
    }
    within_limit(set, column.rows())
}

fn within_limit(set: &DataSet, rows: usize) -> Result<usize, Diagnostic> {
    if u32::try_from(rows).is_err() {
        let message = format!("`{}` has {rows} rows; at most 4294967295 can be visited", set.name);
        return Err(Diagnostic::error("E0721", message).at(set.span, ""));
    }
    Ok(rows)
}

/// A part and the numbers of its rows.
type PartRows = (Arc<str>, Arc<[u32]>);

fn parts(set: &DataSet, rows: usize) -> Result<Vec<PartRows>, Diagnostic> {
    if set.parts.is_empty() {
        return Ok(Vec::new());
    }
    let shares: Vec<f64> = set.parts.iter().map(|part| part.share).collect();
    let lists = split_rows(rows as u32, &shares, set.seed, set.in_order);
    Ok(set.parts.iter().zip(lists).map(|(part, list)| (part.name.clone(), list.into())).collect())
}

/// The rows that statistics are taken from: those of the part `train`, or of the first part.
fn training_rows(parts: &[(Arc<str>, Arc<[u32]>)], rows: usize) -> Rows {
    let train = parts.iter().find(|(name, _)| &**name == "train").or(parts.first());
    train.map_or(Rows::All(rows), |(_, rows)| Rows::Some(Arc::clone(rows)))
}

/// What the fields of a data set are made with.
struct Fields<'a> {
    set: &'a DataSet,
    precision: Precision,
    sizes: &'a Sizes,
}

impl Fields<'_> {
    fn of(
        &self,
        columns: Vec<Column>,
        training: &Rows,
        evaluate: &mut Evaluate<'_>,
    ) -> Result<BTreeMap<Arc<str>, Column>, Diagnostic> {
        let graph = &self.set.graph;
        let inputs = self.inputs(columns, training)?;
        let rows = format!("{}.rows", self.set.name);
        let by_row = row_by_row(graph, &rows, |name| inputs.contains_key(name));
        let mut fields = BTreeMap::new();
        let mut eager = graph.clone();
        eager.outputs.clear();
        for output in &graph.outputs {
            match &graph[output.node].op {
                // Fields that are columns as they stand need no computing.
                Op::Input { name, .. } if inputs.contains_key(name) => {
                    fields.insert(output.name.clone(), inputs[name].clone());
                }
                _ => match self.computed(output, by_row[output.node.0 as usize], &inputs) {
                    Some(column) => drop(fields.insert(output.name.clone(), column)),
                    None => eager.outputs.push(output.clone()),
                },
            }
        }
        if !eager.outputs.is_empty() {
            let mut arrays = BTreeMap::new();
            for name in input_names(&eager) {
                if let Some(column) = inputs.get(&name) {
                    arrays.insert(name, column.whole(&mut no_code)?);
                }
            }
            for (name, array) in evaluate(&eager, self.sizes, &arrays)? {
                fields.insert(name, Column::Memory(array.into()));
            }
        }
        Ok(fields)
    }

    /// The columns as the graph names them. A training-only column has the rows of the training part.
    fn inputs(
        &self,
        columns: Vec<Column>,
        training: &Rows,
    ) -> Result<BTreeMap<Arc<str>, Column>, Diagnostic> {
        let mut inputs = BTreeMap::new();
        for (column, declared) in columns.into_iter().zip(&self.set.columns) {
            let column = match (declared.training_only, training) {
                (false, _) | (true, Rows::All(_)) => column,
                (true, Rows::Some(rows)) => Column::Memory(column.rows_of(rows, &mut no_code)?.into()),
            };
            inputs.insert(declared.name.clone(), column);
        }
        Ok(inputs)
    }

    /// A field that is computed batch by batch: one of columns that are not in memory.
    fn computed(&self, output: &Output, by_row: bool, inputs: &BTreeMap<Arc<str>, Column>) -> Option<Column> {
        let ty = self.set.graph.ty(output.node);
        let row: Option<Vec<usize>> = ty.shape.get(1..)?.iter().map(size_of_axis).collect();
        let mut graph = self.set.graph.clone();
        graph.outputs = vec![output.clone()];
        let graph = compact(&graph);
        let own: BTreeMap<Arc<str>, Column> = input_names(&graph)
            .into_iter()
            .map(|name| inputs.get(&name).map(|column| (name, column.clone())))
            .collect::<Option<_>>()?;
        if !by_row || !own.values().any(|column| matches!(column, Column::Lazy(_))) {
            return None;
        }
        let field = self.set.fields.iter().find(|field| field.name == output.name)?;
        let (elem, precision, span) = (ty.elem, self.precision, field.span);
        let computed = Computed {
            graph,
            rows: format!("{}.rows", self.set.name).into(),
            sizes: self.sizes.clone(),
            n_rows: own.values().next()?.rows(),
            inputs: own,
            functions: Cache::default(),
        };
        let origin = Origin::Computed(computed);
        Some(Column::Lazy(Arc::new(Lazy { origin, row: row?, elem, precision, span })))
    }
}

fn size_of_axis(size: &Dim) -> Option<usize> {
    size.as_number().and_then(|size| usize::try_from(size).ok())
}

/// The inputs that the outputs of a graph need.
fn input_names(graph: &Graph) -> Vec<Arc<str>> {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let name = |(id, node): (NodeId, &Node)| match &node.op {
        Op::Input { name, .. } if needed[id.0 as usize] => Some(name.clone()),
        _ => None,
    };
    graph.nodes().filter_map(name).collect()
}
