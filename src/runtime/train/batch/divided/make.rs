//! The code of all parts for a batch size, and their tensors.

use std::collections::HashMap;
use std::sync::Arc;

use super::sums::{Sum, Sums, widened};
use super::{Divided, Filled, Gather, Ready};
use crate::base::Diagnostic;
use crate::compile::Function;
use crate::ir::program::{BATCH, Train};
use crate::ir::ranges::{self, Range};
use crate::ir::{Dim, ExternalKey, Graph, InputKey, Op, OutputKey, Sizes};
use crate::plan::External;
use crate::runtime::array::{Array, Elements};
use crate::runtime::data::Column;
use crate::runtime::evaluate::unbound;
use crate::runtime::int_ranges::note_ints;
use crate::runtime::memory::{Binding, Cell};
use crate::runtime::program::Part;
use crate::runtime::ranks::beside::Totals;
use crate::runtime::session::Session;
use crate::runtime::train::batch::results::resize;
use crate::runtime::train::batch::{Batch, Batches, Gathered, Slot, companions, field};
use crate::shard::{FIRST, How, Of, SHARD, Sharded};

/// A value on its way: of one shard, or of all.
type Place = (Option<usize>, u32);

/// What is known while the parts are bound.
struct Maker<'a, 'b> {
    session: &'a mut Session,
    of: &'a Batches<'b>,
    sharded: &'a Sharded,
    divided: Divided,
    cells: HashMap<Place, Cell>,
    of_fields: HashMap<(Option<usize>, Arc<str>), Cell>,
    /// Whole columns, and what is drawn from other data.
    columns: HashMap<InputKey, Cell>,
    /// Values whose ints have 64 bits.
    wide: Vec<bool>,
}

/// So many bytes of sums are worth a thread that exchanges them beside the computation.
const BESIDE: usize = 1 << 15;

/// The step, ready to be carried out.
///
/// # Errors
/// If there is no code for its size, or a rank does not take part.
pub fn made(
    session: &mut Session,
    of: &Batches<'_>,
    sharded: &Sharded,
    divided: Divided,
) -> Result<Batch, Diagnostic> {
    let size = divided.shards.rows;
    let (cells, of_fields, columns) = Default::default();
    let wide = vec![false; sharded.passed.len()];
    let mut maker = Maker { session, of, sharded, divided, cells, of_fields, columns, wide };
    let mut last = None;
    for number in 0..sharded.parts.len() {
        last = maker.part(number)?.or(last);
    }
    let Some(binding) = last else { return Err(Diagnostic::fault("a step without parts")) };
    let mut divided = maker.divided;
    let bytes = divided.parts.iter().map(|part| part.sums.bytes()).max();
    if bytes.is_some_and(|bytes| bytes >= BESIDE) {
        divided.totals = Totals::beside(divided.shards.clone());
    }
    for part in divided.parts.iter_mut().filter(|part| !part.sums.is_empty()) {
        part.sums.make_groups(session, part.bindings.last())?;
        part.gives &= divided.totals.is_beside();
    }
    let mut batch = batch_of(session, of.train, size, &binding, &mut divided.results);
    divided.losses.clone_from(&batch.results.losses);
    batch.divided = Some(Box::new(divided));
    Ok(batch)
}

/// A batch whose results are those of the last part.
fn batch_of(
    session: &Session,
    train: &Train,
    size: usize,
    last: &Binding,
    results: &mut Vec<Cell>,
) -> Batch {
    let mut slots = Vec::new();
    let mut arrays = Vec::new();
    let mut keys: Vec<&OutputKey> = Vec::new();
    for (external, cell) in last.function.externals.iter().zip(&last.cells) {
        slots.push(match &external.name {
            ExternalKey::Output(key) => {
                keys.push(key);
                results.push(*cell);
                arrays.push(Array::for_rows(external, session.memory.precision, vec![0]));
                Slot::Result(arrays.len() - 1)
            }
            // The parts have their own tensors.
            ExternalKey::Input(_) | ExternalKey::Param(_) | ExternalKey::State(_) => Slot::Step,
        });
    }
    Batch::of_results(train, size, Arc::clone(&last.function), slots, arrays, &keys)
}

impl Maker<'_, '_> {
    /// Makes and binds a part; gives the binding of a whole part.
    fn part(&mut self, number: usize) -> Result<Option<Binding>, Diagnostic> {
        let part = &self.sharded.parts[number];
        let shards = match part.of {
            Of::Whole => vec![None],
            Of::Shard => self.divided.shards.of(self.divided.shards.rank).into_iter().map(Some).collect(),
        };
        let gives = part.of == Of::Shard && self.divided.shards.size > 1;
        let mut ready = Ready { bindings: Vec::new(), gives, sums: Sums::default(), gathers: Vec::new() };
        for shard in shards {
            let function = self.code(number, shard, gives)?;
            let binding = self.bind(part.of, shard, function)?;
            ready.bindings.push(binding);
        }
        self.outputs(part.of, &part.graph, &mut ready);
        let whole = ready.bindings.last().filter(|_| part.of == Of::Whole).cloned();
        self.divided.parts.push(ready);
        Ok(whole)
    }

    fn sizes(&self, shard: Option<usize>) -> Sizes {
        let shards = &self.divided.shards;
        let rows = shard.map_or(0..shards.rows, |shard| shards.rows_of(shard));
        let mut sizes = self.of.sizes.clone();
        sizes.insert(BATCH.into(), Dim::from(shards.rows));
        sizes.insert(SHARD.into(), Dim::from(rows.len()));
        sizes.insert(FIRST.into(), Dim::from(rows.start));
        sizes
    }

    fn code(
        &mut self,
        number: usize,
        shard: Option<usize>,
        gives: bool,
    ) -> Result<Arc<Function>, Diagnostic> {
        let graph = &self.sharded.parts[number].graph;
        let mut sizes = self.sizes(shard);
        if !mentions(graph, FIRST) {
            // Shards of the same size share their code.
            sizes.remove(FIRST);
        }
        note_ints(self.session, graph, &self.of.table, &mut sizes)?;
        companions::note_ints(&self.of.companions, graph, &mut sizes);
        for (at, wide) in self.wide.iter().enumerate() {
            if *wide {
                ranges::note_input(&mut sizes, &InputKey::Passed(at as u32), Range::ALL);
            }
        }
        let Part::Step(action) = self.of.part else { return Err(Diagnostic::fault("only steps are divided")) };
        let part = if gives { Part::Giving(action, number) } else { Part::Divided(action, number) };
        let program = self.session.program.clone();
        let train = self.of.train;
        let function = program
            .function(part, graph, &sizes)
            .map_err(|error| program.build_failed(&error, train.span))?;
        Batch::need(&function, self.divided.shards.rows)
            .check()
            .map_err(|error| error.at(train.span, "asked for here"))?;
        Ok(function)
    }

    fn bind(
        &mut self,
        of: Of,
        shard: Option<usize>,
        function: Arc<Function>,
    ) -> Result<Binding, Diagnostic> {
        let mut given: HashMap<InputKey, Cell> = HashMap::new();
        for external in &function.externals {
            let ExternalKey::Input(key) = &external.name else { continue };
            let cell = match key {
                InputKey::Passed(number) => Some(self.passed(*number, shard, external)?),
                InputKey::Field(name) => self.field(name, shard, external)?,
                InputKey::Step => {
                    let cell = self.add(Array::for_external(external, self.session.memory.precision));
                    self.divided.numbers.push(cell);
                    Some(cell)
                }
                InputKey::Column(column) => match self.columns.get(key) {
                    Some(cell) => Some(*cell),
                    None => {
                        let sizes = self.sizes(None);
                        let array = self.session.column(column, &sizes)?;
                        let cell = array.map(|array| self.add(array));
                        self.columns.extend(cell.map(|cell| (key.clone(), cell)));
                        cell
                    }
                },
                InputKey::Companion(name, field) => match self.columns.get(key) {
                    Some(cell) => Some(*cell),
                    None => {
                        let cell = self.drawn(name, field)?;
                        self.columns.extend(cell.map(|cell| (key.clone(), cell)));
                        cell
                    }
                },
                InputKey::Source(_)
                | InputKey::Drawn(_)
                | InputKey::Statistic(_)
                | InputKey::Gradient(_)
                | InputKey::LineLoss => None,
            };
            given.extend(cell.map(|cell| (key.clone(), cell)));
        }
        let binding = self.session.memory.bind(function, |memory, external| match &external.name {
            ExternalKey::Input(key) => given.get(key).copied(),
            ExternalKey::Param(path) | ExternalKey::State(path) => memory.find(path),
            ExternalKey::Output(_) => None,
        });
        let binding = binding.map_err(|name| unbound(&name, self.of.train.span))?;
        for (external, cell) in binding.function.externals.iter().zip(&binding.cells) {
            let ExternalKey::Output(OutputKey::Passed(number)) = &external.name else { continue };
            let place = if of == Of::Shard { shard } else { None };
            self.cells.insert((place, *number), *cell);
            self.wide[*number as usize] |= external.wide;
        }
        Ok(binding)
    }

    fn add(&mut self, array: impl Into<Arc<Array>>) -> Cell {
        let cell = self.session.memory.add(array);
        self.divided.cells.push(cell);
        cell
    }

    /// The tensor of a value that another part has made, or that the shards have made together.
    fn passed(
        &mut self,
        number: u32,
        shard: Option<usize>,
        external: &External,
    ) -> Result<Cell, Diagnostic> {
        let place = match &self.sharded.passed[number as usize].how {
            How::Rows => (shard, number),
            How::Whole | How::Sum(_) | How::Gathered(_) => (None, number),
            How::Field(name) => {
                let name = Arc::clone(name);
                let cell = self.field(&name, None, external)?;
                return cell.ok_or_else(|| unbound(&external.name, self.of.train.span));
            }
        };
        if let Some(cell) = self.cells.get(&place) {
            return Ok(*cell);
        }
        let cell = self.add(Array::for_external(external, self.session.memory.precision));
        self.cells.insert(place, cell);
        Ok(cell)
    }

    /// The tensor of what a step draws from other data: the same rows for all shards.
    fn drawn(&mut self, name: &Arc<str>, field: &str) -> Result<Option<Cell>, Diagnostic> {
        let of = self.of;
        let Some(at) = of.companions.iter().position(|companion| companion.name == *name) else { return Ok(None) };
        let companion = &of.companions[at];
        let Some(column) = companion.column(field).cloned() else { return Ok(None) };
        let bounds = companion.table.bounds_at(field, &self.sizes(None))?;
        let cell = self.add(column.empty(companion.size(self.divided.shards.rows)));
        self.divided.drawn.push((at, column, Gathered { cell, bounds }));
        Ok(Some(cell))
    }

    /// The tensor of a field for the rows of a shard, or of the whole batch.
    fn field(
        &mut self,
        name: &Arc<str>,
        shard: Option<usize>,
        external: &External,
    ) -> Result<Option<Cell>, Diagnostic> {
        if let Some(cell) = self.of_fields.get(&(shard, Arc::clone(name))) {
            return Ok(Some(*cell));
        }
        let Some(column) = field(&self.of.table, name, external) else { return Ok(None) };
        let bounds = match &column {
            Column::Memory(_) => None,
            Column::Windows(_) | Column::Lazy(_) => self.of.table.bounds_at(name, &self.of.sizes)?,
        };
        let shards = &self.divided.shards;
        let rows = shard.map_or(0..shards.rows, |shard| shards.rows_of(shard));
        let cell = self.add(column.empty(rows.len()));
        self.divided.fields.push(Filled { column, cell, bounds, rows });
        self.of_fields.insert((shard, Arc::clone(name)), cell);
        Ok(Some(cell))
    }

    /// What happens to the values that the shards make in a part.
    fn outputs(&mut self, of: Of, graph: &Graph, ready: &mut Ready) {
        if of == Of::Whole {
            return;
        }
        let mine = self.divided.shards.of(self.divided.shards.rank);
        let sizes = self.sizes(None);
        for output in &graph.outputs {
            let OutputKey::Passed(number) = output.name else { continue };
            let passed = &self.sharded.passed[number as usize];
            let shape: Vec<usize> =
                passed.ty.shape.iter().map(|size| size.evaluate(&sizes).unwrap_or(0).max(0) as usize).collect();
            let like = widened(&Elements::zeros(passed.ty.elem, self.session.memory.precision, 0));
            let cells = mine.iter().filter_map(|shard| self.cells.get(&(Some(*shard), number)).copied());
            let cells: Vec<Cell> = cells.collect();
            // Ints of all shards together have 64 bits.
            let is_shared = matches!(passed.how, How::Sum(_) | How::Gathered(_));
            self.wide[number as usize] |= is_shared && matches!(like, Elements::I64(_));
            let count = shape.iter().product();
            let total = if is_shared {
                let array = Array::new(shape.clone(), grown(&like, count));
                array.ok().map(|array| self.add(array))
            } else {
                None
            };
            self.cells.extend(total.map(|cell| ((None, number), cell)));
            match passed.how {
                How::Sum(way) => {
                    ready.sums.add(Sum { number, summands: cells, total, like, count, way });
                }
                How::Gathered(axis) => {
                    let outer = shape[..axis].iter().product();
                    let row = shape[axis..].iter().product::<usize>() / self.divided.shards.rows.max(1);
                    ready.gathers.push(Gather { parts: cells, whole: total, like, outer, row });
                }
                How::Whole | How::Rows | How::Field(_) => {}
            }
        }
    }
}

/// Zeros of the type of other elements.
fn grown(like: &Elements, count: usize) -> Elements {
    let mut array = Array::new(vec![0], like.clone()).unwrap_or_else(|_| unreachable!("no elements"));
    resize(&mut array, count);
    array.into_elements()
}

/// Whether a size of the graph has a symbol.
fn mentions(graph: &Graph, symbol: &str) -> bool {
    let mut found = false;
    for (_, node) in graph.nodes() {
        let mut look = |size: &Dim| {
            let mut symbols = Vec::new();
            size.symbols(&mut symbols);
            found |= symbols.iter().any(|found| &**found == symbol);
        };
        let mapped: Result<Op, ()> = node.op.try_map_sizes(
            &mut |size| {
                look(size);
                Ok(size.clone())
            },
            &mut |affine| Ok(affine.clone()),
        );
        drop(mapped);
        if let Op::Loop(body) = &node.op {
            let subs = body.body.affines();
            subs.for_each(|affine| {
                look(&affine.constant);
                affine.terms.iter().for_each(|(_, size)| look(size));
            });
        }
        if let Op::Scan(scan) = &node.op {
            found |= mentions(&scan.body, symbol);
        }
    }
    found
}
