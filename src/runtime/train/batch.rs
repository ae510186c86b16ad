//! The code of a step, or of an evaluation, for one batch size, with its tensors.

use std::sync::Arc;

use crate::base::{Diagnostic, Span};
use crate::ir::program::{BATCH, Train};
use crate::ir::{Dim, Graph, Sizes};
use crate::runtime::array::{Array, Elements};
use crate::runtime::call::{Caller, Moment};
use crate::runtime::data::{Column, Table};
use crate::runtime::memory::{Binding, Cell, Memory};
use crate::runtime::program::Part;
use crate::runtime::session::{Session, unbound};

/// A function bound to the tensors of one batch size.
pub struct Batch {
    pub size: usize,
    pub binding: Binding,
    /// The fields it reads, and where a batch of them is put.
    fields: Vec<(Column, Cell)>,
    step: Option<Cell>,
    /// `loss:K`, in the order of the lines.
    pub losses: Vec<Cell>,
    /// Of the metrics that are averaged, in order.
    pub metrics: Vec<Cell>,
    /// For each whole metric its arguments.
    pub gathered: Vec<Vec<Cell>>,
}

impl Batch {
    /// Makes the code for a batch size and its tensors.
    ///
    /// # Errors
    /// If there is no code for this size.
    pub fn prepare(
        session: &mut Session,
        part: Part,
        graph: &Graph,
        train: &Train,
        table: &Table,
        size: usize,
        sizes: &Sizes,
    ) -> Result<Batch, Diagnostic> {
        let mut sizes = sizes.clone();
        sizes.insert(BATCH.into(), Dim::from(size));
        let program = session.program.clone();
        let function = program
            .function(part, graph, &sizes)
            .map_err(|error| program.build_failed(&error, train.span))?;
        let mut fields = Vec::new();
        let mut step = None;
        let binding = session.memory.bind(function, |memory, external| {
            let (kind, name) = external.name.split_once(':')?;
            match (kind, name) {
                ("input", "step") => {
                    let cell = memory.add(Array::new(Vec::new(), Elements::I32(vec![0]))?);
                    step = Some(cell);
                    Some(cell)
                }
                ("input", name) => {
                    let column = table.fields.get(name)?;
                    let cell = memory.add(column.empty(size));
                    fields.push((column.clone(), cell));
                    Some(cell)
                }
                (_, path) => memory.find(path),
            }
        });
        let binding = binding.map_err(|name| unbound(&name, train.span))?;
        let mut losses = Vec::new();
        for line in 0..train.lines.len() {
            losses.extend(binding.cell(&format!("output:loss:{line}")));
        }
        let mut metrics = Vec::new();
        let mut gathered = Vec::new();
        for metric in &train.metrics {
            let name = &metric.name;
            if metric.whole.is_none() {
                metrics.extend(binding.cell(&format!("output:metric:{name}")));
            } else {
                let argument = |at: usize| binding.cell(&format!("output:whole:{name}:{at}"));
                gathered.push((0..).map_while(argument).collect());
            }
        }
        Ok(Batch { size, binding, fields, step, losses, metrics, gathered })
    }

    /// Carries out the function on some rows; as many as the batch's size.
    pub fn run(&self, caller: &Caller, memory: &mut Memory, rows: &[u32], moment: Moment) {
        for (column, cell) in &self.fields {
            column.gather(rows, memory.get_mut(*cell));
        }
        if let Some(cell) = self.step
            && let Elements::I32(step) = memory.get_mut(cell).elements_mut()
        {
            step[0] = moment.step as i32;
        }
        caller.call(&self.binding, memory, moment);
    }

    /// Gives back its tensors.
    pub fn release(self, memory: &mut Memory) {
        memory.release(&self.binding);
        self.fields.iter().for_each(|(_, cell)| memory.remove(*cell));
        self.step.into_iter().for_each(|cell| memory.remove(cell));
    }
}

/// The code for the batch sizes that occur: the usual one and a smaller last one.
pub struct Batches<'a> {
    pub part: Part,
    pub graph: &'a Graph,
    pub train: &'a Train,
    pub table: Arc<Table>,
    pub sizes: Sizes,
    ready: Vec<Batch>,
}

impl<'a> Batches<'a> {
    pub fn new(
        part: Part,
        graph: &'a Graph,
        train: &'a Train,
        table: Arc<Table>,
        sizes: Sizes,
    ) -> Batches<'a> {
        Batches { part, graph, train, table, sizes, ready: Vec::new() }
    }

    /// The place of the code for a size, made now if it is the first of this size.
    ///
    /// # Errors
    /// As [`Batch::prepare`].
    pub fn ensure(&mut self, session: &mut Session, size: usize) -> Result<usize, Diagnostic> {
        if let Some(at) = self.ready.iter().position(|batch| batch.size == size) {
            return Ok(at);
        }
        let batch =
            Batch::prepare(session, self.part, self.graph, self.train, &self.table, size, &self.sizes)?;
        self.ready.push(batch);
        Ok(self.ready.len() - 1)
    }

    pub fn get(&self, at: usize) -> &Batch {
        &self.ready[at]
    }

    pub fn release(self, session: &mut Session) {
        self.ready.into_iter().for_each(|batch| batch.release(&mut session.memory));
    }
}

/// The number of rows in a part of the data that must have some.
///
/// # Errors
/// E0725.
pub fn some_rows(rows: usize, name: &str, span: Span) -> Result<usize, Diagnostic> {
    if rows == 0 {
        let error = Diagnostic::error("E0725", format!("`{name}` has no rows"));
        return Err(error.at(span, "a part is its share of the rows, rounded down"));
    }
    Ok(rows)
}
