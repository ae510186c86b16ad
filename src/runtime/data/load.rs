//! Fields of a data set from the columns of its source.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::bounds::Bounds;
use super::drawn::{self, Apart};
use super::lazy::{Computed, Lazy, Origin, no_code};
use super::learn::{self, Learnt, widened};
use super::parts::{PartRows, training_rows};
use super::read::Around;
use super::sorted::{Sorted, sorted};
use super::rowwise::{Kind, Names, is_elementwise, kinds, only};
use super::{Column, Rows, Table, digits, statistics};
use crate::base::Diagnostic;
use crate::compile::Cache;
use crate::ir::program::{DataRef, DataSet, Precision, SourceColumn};
use crate::ir::{
    ColumnKey, Dim, Elem, Graph, InputKey, Node, NodeId, Op, Output, OutputKey, Sizes, columns_of,
    compact,
};
use crate::runtime::array::Array;
use crate::runtime::notices::Notices;
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

/// What the fields of a data set are made with.
pub(super) struct Fields<'a> {
    pub(super) set: &'a DataSet,
    /// The fields, with what is known of the statistics in them as inputs, and these inputs.
    pub(super) graph: &'a Graph,
    pub(super) given: &'a Inputs,
    pub(super) precision: Precision,
    pub(super) sizes: &'a Sizes,
    pub(super) n_rows: usize,
    pub(super) parts: &'a [PartRows],
    pub(super) limits: Limits,
    pub(super) notices: &'a Notices,
}

impl Fields<'_> {
    /// All fields. Those that look at a part of their own data, `digits.train.image`, are made after what they
    /// look at.
    fn all(
        &self,
        columns: Vec<Column>,
        wide: Vec<Option<Arc<Array>>>,
        evaluate: &mut dyn Evaluate,
    ) -> Result<(BTreeMap<Arc<str>, Column>, Learnt), Diagnostic> {
        let mut learnt = Learnt::new();
        let source = self.inputs(columns)?;
        let wide = self.wide_inputs(wide)?;
        let mut made: BTreeMap<Arc<str>, Column> = BTreeMap::new();
        let mut waiting: Vec<(Graph, Vec<ColumnKey>)> = Vec::new();
        for output in &self.graph.outputs {
            let graph = only(self.graph, output);
            let keys = columns_of(&graph).into_iter().filter(|key| key.set == self.set.name);
            waiting.push((graph.clone(), keys.collect()));
        }
        while !waiting.is_empty() {
            let is_ready =
                |(_, keys): &(Graph, Vec<ColumnKey>)| keys.iter().all(|key| made.contains_key(&key.field));
            let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
            if ready.is_empty() {
                let message = format!("the fields of `{}` are made from one another", self.set.name);
                return Err(Diagnostic::fault(message).at(self.set.span, ""));
            }
            let names: Vec<&OutputKey> =
                ready.iter().flat_map(|(graph, _)| graph.outputs.iter().map(|output| &output.name)).collect();
            let mut graph = self.graph.clone();
            graph.outputs.retain(|output| names.contains(&&output.name));
            let fields = self.of(&compact(&graph), &source, &wide, &made, &mut learnt, evaluate)?;
            made.extend(fields);
            waiting = later;
        }
        Ok((made, learnt))
    }

    /// The columns of data sets, also of this one, that a graph reads as a whole.
    fn others(
        &self,
        graph: &Graph,
        made: &BTreeMap<Arc<str>, Column>,
        evaluate: &mut dyn Evaluate,
    ) -> Result<Vec<(ColumnKey, Column)>, Diagnostic> {
        let mut found = Vec::new();
        for key in columns_of(graph) {
            let made_column = made.get(&key.field).filter(|_| key.set == self.set.name);
            let column = match made_column {
                Some(column) => Some((column.clone(), self.rows_of(key.part.as_deref()))),
                None => evaluate.column(&key, self.sizes)?,
            };
            let Some((column, rows)) = column else { continue };
            found.push((key, self.part_of(column, &rows)?));
        }
        Ok(found)
    }

    /// The rows of a part of this data set; all without a part.
    fn rows_of(&self, part: Option<&str>) -> Rows {
        let found = part.and_then(|part| self.parts.iter().find(|(name, _)| &**name == part));
        found.map_or(Rows::All(self.n_rows), |(_, rows)| Rows::Some(Arc::clone(rows)))
    }

    /// Some rows of a column: copied, if the column is in memory.
    pub(super) fn part_of(&self, column: Column, rows: &Rows) -> Result<Column, Diagnostic> {
        let Rows::Some(rows) = rows else { return Ok(column) };
        match column {
            Column::Memory(_) | Column::Windows(_) => {
                Ok(Column::Memory(column.rows_of(rows, &mut no_code)?.into()))
            }
            Column::Lazy(ref lazy) => {
                let (row, elem, span) = (lazy.row.clone(), lazy.elem, lazy.span);
                let origin = Origin::Part(column.clone(), Arc::clone(rows));
                Ok(Column::Lazy(Arc::new(Lazy {
                    origin,
                    row,
                    elem,
                    wide: lazy.wide,
                    precision: self.precision,
                    span,
                })))
            }
        }
    }

    /// Some fields, of the columns of the source and of fields that are made.
    fn of(
        &self,
        whole: &Graph,
        source: &Columns,
        wide: &Inputs,
        made: &BTreeMap<Arc<str>, Column>,
        learnt: &mut Learnt,
        evaluate: &mut dyn Evaluate,
    ) -> Result<BTreeMap<Arc<str>, Column>, Diagnostic> {
        let mut inputs = source.clone();
        let rows = DataRef::rows_of(&self.set.name, None);
        let mut counts: Vec<(Arc<str>, usize)> = vec![(rows.clone(), self.n_rows)];
        if let Some((part, rows)) = self.parts.first() {
            counts.push((DataRef::rows_of(&self.set.name, Some(part)), rows.len()));
        }
        let others = self.others(whole, made, evaluate)?;
        for (key, column) in &others {
            let rows = DataRef::rows_of(&key.set, key.part.as_deref());
            if !counts.iter().any(|(known, _)| *known == rows) {
                counts.push((rows, column.rows()));
            }
            inputs.insert(InputKey::Column(key.clone()), column.clone());
        }
        // Random numbers are columns like others; only fields that are made in one piece draw their own.
        let (mut graph, random) = drawn::apart(whole, &rows, self.set.seed);
        inputs.extend(random.into_iter().map(|apart| self.random(apart)));
        let used = input_names(&graph);
        let used = || inputs.iter().filter(|(name, _)| used.contains(name)).map(|(_, column)| column);
        let in_files = used().any(|column| !column.is_made());
        let bytes = used().fold(0usize, |sum, column| sum.saturating_add(column.lazy_bytes()));
        let is_large = bytes > self.limits.memory;
        let mut known = self.given.clone();
        if in_files || is_large {
            let Fields { sizes, precision, .. } = *self;
            let of = statistics::Rows { counts: &counts, columns: &inputs, sizes, precision };
            let fields = graph.outputs.len();
            graph.outputs.extend(learn::outputs(self.set, &graph));
            (graph, known) = of.settle(graph, known, evaluate)?;
            self.learn_settled(graph.outputs.split_off(fields), &graph, &known, learnt, evaluate)?;
            graph = compact(&graph);
            // What is left of other columns is the same for every row.
            let left = input_names(&graph);
            for (key, column) in others {
                let name = InputKey::Column(key);
                if left.contains(&name) {
                    let mut carry = |code: &_, sizes: &_, inputs: &_| evaluate.rows(code, sizes, inputs);
                    known.insert(name, column.whole(&mut carry)?);
                }
            }
        }
        let kinds = kinds(&graph, &rows, &Names { columns: &inputs, known: &known });
        let mut fields = BTreeMap::new();
        let mut made = Vec::new();
        let mut eager = whole.clone();
        eager.outputs.clear();
        for (output, output_of_all) in graph.outputs.iter().zip(&whole.outputs) {
            let column = match &graph[output.node].op {
                // Fields that are columns as they stand need no computing.
                Op::Input { name, .. } if wide.contains_key(name) => {
                    Some(Column::Memory(self.rounded(&output.name.text(), Arc::clone(&wide[name]))))
                }
                Op::Input { name, .. } if inputs.contains_key(name) => Some(inputs[name].clone()),
                _ if kinds[output.node.0 as usize] == Kind::Rows => {
                    self.computed(&graph, output, &inputs, &known)
                }
                _ => None,
            };
            match column {
                Some(Column::Lazy(lazy)) if lazy.is_made() => made.push((output_of_all, lazy)),
                Some(column) => drop(fields.insert(output.name.text(), column)),
                None => eager.outputs.push(output_of_all.clone()),
            }
        }
        let bytes = made.iter().fold(0usize, |sum, (_, lazy)| sum.saturating_add(lazy.bytes()));
        for (output_of_all, lazy) in made {
            let column = if bytes > self.limits.memory {
                Column::Lazy(lazy)
            } else if bytes > self.limits.piece && is_elementwise(whole, output_of_all) {
                let mut carry = |code: &_, sizes: &_, inputs: &_| evaluate.rows(code, sizes, inputs);
                Column::Memory(lazy.whole(&mut carry)?.narrowed().into())
            } else {
                eager.outputs.push(output_of_all.clone());
                continue;
            };
            fields.insert(output_of_all.name.text(), column);
        }
        if !eager.outputs.is_empty() {
            // What files say is computed with in 64 bits, if it has so many digits. Random numbers are those of the
            // program's precision.
            let names = input_names(&eager);
            let is_wide = names.iter().any(|name| wide.contains_key(name)) && !eager.draws_numbers();
            let mut arrays = BTreeMap::new();
            for name in names {
                let mut carry = |code: &_, sizes: &_, inputs: &_| evaluate.rows(code, sizes, inputs);
                let array = match (wide.get(&name), inputs.get(&name), self.given.get(&name)) {
                    (Some(array), ..) if is_wide => Arc::clone(array),
                    (_, Some(column), _) if is_wide => widened(column.whole(&mut carry)?),
                    (_, Some(column), _) => column.whole(&mut carry)?,
                    (_, None, Some(array)) if is_wide => widened(Arc::clone(array)),
                    (_, None, Some(array)) => self.narrowed(array),
                    (_, None, None) => continue,
                };
                arrays.insert(name, array);
            }
            self.learn(&eager, is_wide, &arrays, learnt, evaluate)?;
            let outputs = match is_wide {
                true => evaluate.wide(&eager, self.sizes, &arrays)?,
                false => evaluate.once(&eager, self.sizes, &arrays)?,
            };
            for (name, array) in outputs {
                let name = name.text();
                let array = if is_wide { self.rounded(&name, array.into()) } else { array.narrowed().into() };
                fields.insert(name, Column::Memory(array));
            }
        }
        Ok(fields)
    }

    /// A field in the floats of the program.
    fn rounded(&self, name: &str, array: Arc<Array>) -> Arc<Array> {
        match self.set.fields.iter().find(|field| &*field.name == name) {
            Some(field) => digits::rounded(array, field, self.notices),
            None => array,
        }
    }

    /// The columns that are known in 64 bits, as the graph names them.
    fn wide_inputs(&self, wide: Vec<Option<Arc<Array>>>) -> Result<Inputs, Diagnostic> {
        let training = &training_rows(self.parts, self.n_rows);
        let mut inputs = Inputs::new();
        for (array, declared) in wide.into_iter().zip(&self.set.columns) {
            let Some(array) = array else { continue };
            let array = match (declared.training_only, training) {
                (true, Rows::Some(rows)) => Column::Memory(array).rows_of(rows, &mut no_code)?.into(),
                (false, _) | (true, Rows::All(_)) => array,
            };
            inputs.insert(declared.name.clone(), array);
        }
        Ok(inputs)
    }

    /// A call that draws as a column, by the name of its input.
    fn random(&self, apart: Apart) -> (InputKey, Column) {
        let origin = Origin::Drawn(apart.drawn, self.n_rows);
        let (elem, precision, span) = (Elem::Float, self.precision, self.set.span);
        (
            apart.name,
            Column::Lazy(Arc::new(Lazy { origin, row: apart.row, elem, wide: false, precision, span })),
        )
    }

    /// The columns as the graph names them. A training-only column has the rows of the training part.
    fn inputs(&self, columns: Vec<Column>) -> Result<Columns, Diagnostic> {
        let training = &training_rows(self.parts, self.n_rows);
        let mut inputs = BTreeMap::new();
        for (column, declared) in columns.into_iter().zip(&self.set.columns) {
            let column = match (declared.training_only, training) {
                (false, _) | (true, Rows::All(_)) => column,
                (true, Rows::Some(rows)) if column.is_made() => {
                    Column::Memory(column.rows_of(rows, &mut no_code)?.into())
                }
                (true, Rows::Some(rows)) => {
                    let row = column.row_shape();
                    let (elem, span) = (declared.row.elem, declared.span);
                    let wide = matches!(&column, Column::Lazy(lazy) if lazy.wide);
                    let origin = Origin::Part(column, Arc::clone(rows));
                    Column::Lazy(Arc::new(Lazy { origin, row, elem, wide, precision: self.precision, span }))
                }
            };
            inputs.insert(declared.name.clone(), column);
        }
        Ok(inputs)
    }

    /// A field that is computed row by row of columns that are not in memory.
    fn computed(&self, graph: &Graph, output: &Output, inputs: &Columns, known: &Inputs) -> Option<Column> {
        let ty = graph.ty(output.node);
        let row: Option<Vec<usize>> = ty.shape.get(1..)?.iter().map(size_of_axis).collect();
        let graph = only(graph, output);
        let names = input_names(&graph);
        let (fixed, names): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| known.contains_key(name));
        let columns: Columns = names
            .into_iter()
            .map(|name| inputs.get(&name).map(|column| (name, column.clone())))
            .collect::<Option<_>>()?;
        if !columns.values().any(|column| matches!(column, Column::Lazy(_))) {
            return None;
        }
        let field = self.set.fields.iter().find(|field| field.name == output.name.text())?;
        let (elem, precision, span) = (ty.elem, self.precision, field.span);
        let computed = Computed {
            graph,
            rows: DataRef::rows_of(&self.set.name, None),
            sizes: self.sizes.clone(),
            n_rows: self.n_rows,
            inputs: columns,
            known: fixed.into_iter().map(|name| (name.clone(), Arc::clone(&known[&name]))).collect(),
            functions: Cache::default(),
        };
        // How large its ints are is not known before they are computed, unless they must keep bounds.
        let bounds = Bounds::new(self.set, field, self.sizes).range();
        let wide = elem == Elem::Int && !bounds.is_some_and(|range| range.is_narrow());
        let origin = Origin::Computed(computed);
        Some(Column::Lazy(Arc::new(Lazy { origin, row: row?, elem, wide, precision, span })))
    }
}

fn size_of_axis(size: &Dim) -> Option<usize> {
    size.as_number().and_then(|size| usize::try_from(size).ok())
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
