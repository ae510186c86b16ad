//! How fields are made of the columns of a source: as they stand, row by row when a batch needs them, or in one piece.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bounds::Bounds;
use super::drawn::{self, Apart};
use super::lazy::{Computed, Lazy, Origin, no_code};
use super::learn::{self, Learnt, widened};
use super::load::{Columns, Evaluate, Inputs, Limits, input_names};
use super::parts::{PartRows, training_rows};
use super::rowwise::{Kind, Names, is_elementwise, kinds, only};
use super::{Column, Rows, digits, statistics};
use crate::base::Diagnostic;
use crate::compile::Cache;
use crate::ir::program::{DataRef, DataSet, Precision};
use crate::ir::{ColumnKey, Dim, Elem, Graph, InputKey, Op, Output, OutputKey, Sizes, columns_of, compact};
use crate::runtime::array::Array;
use crate::runtime::notices::Notices;

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
    pub(super) fn all(
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

    /// The numbers of rows that a graph may read: of this data set, its training part, and of what is looked at.
    fn counts(&self, others: &[(ColumnKey, Column)]) -> Vec<(Arc<str>, usize)> {
        let mut counts = vec![(DataRef::rows_of(&self.set.name, None), self.n_rows)];
        if let Some((part, rows)) = self.parts.first() {
            counts.push((DataRef::rows_of(&self.set.name, Some(part)), rows.len()));
        }
        for (key, column) in others {
            let rows = DataRef::rows_of(&key.set, key.part.as_deref());
            if !counts.iter().any(|(known, _)| *known == rows) {
                counts.push((rows, column.rows()));
            }
        }
        counts
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
        let others = self.others(whole, made, evaluate)?;
        let counts = self.counts(&others);
        inputs.extend(others.iter().map(|(key, column)| (InputKey::Column(key.clone()), column.clone())));
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
        for (output, lazy) in made {
            match self.row_by_row(lazy, bytes, is_elementwise(whole, output), evaluate)? {
                Some(column) => drop(fields.insert(output.name.text(), column)),
                None => eager.outputs.push(output.clone()),
            }
        }
        if !eager.outputs.is_empty() {
            fields.extend(self.at_once(&eager, &inputs, wide, learnt, evaluate)?);
        }
        Ok(fields)
    }

    /// A field that is computed row by row, where all of those take so many bytes; none if it is computed in one piece.
    fn row_by_row(
        &self,
        lazy: Arc<Lazy>,
        bytes: usize,
        is_elementwise: bool,
        evaluate: &mut dyn Evaluate,
    ) -> Result<Option<Column>, Diagnostic> {
        if bytes > self.limits.memory {
            return Ok(Some(Column::Lazy(lazy)));
        }
        if bytes <= self.limits.piece || !is_elementwise {
            return Ok(None);
        }
        let mut carry = |code: &_, sizes: &_, inputs: &_| evaluate.rows(code, sizes, inputs);
        Ok(Some(Column::Memory(lazy.whole(&mut carry)?.narrowed().into())))
    }

    /// Fields that are computed in one piece, of all rows. What files say is computed with in 64 bits, if it has so many
    /// digits. Random numbers are those of the program's precision.
    fn at_once(
        &self,
        eager: &Graph,
        inputs: &Columns,
        wide: &Inputs,
        learnt: &mut Learnt,
        evaluate: &mut dyn Evaluate,
    ) -> Result<BTreeMap<Arc<str>, Column>, Diagnostic> {
        let mut fields = BTreeMap::new();
        let names = input_names(eager);
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
        self.learn(eager, is_wide, &arrays, learnt, evaluate)?;
        let outputs = match is_wide {
            true => evaluate.wide(eager, self.sizes, &arrays)?,
            false => evaluate.once(eager, self.sizes, &arrays)?,
        };
        for (name, array) in outputs {
            let name = name.text();
            let array = if is_wide { self.rounded(&name, array.into()) } else { array.narrowed().into() };
            fields.insert(name, Column::Memory(array));
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
