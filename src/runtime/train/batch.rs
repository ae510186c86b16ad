//! The code of a step, or of an evaluation, for one batch size, with its tensors.
//!
//! Steps are carried out in series: a series is one call of native code, which takes the rows of each batch
//! from the columns and puts the results of each step behind those of the one before. Only columns that are
//! not in memory are gathered here, step by step.

mod batches;
mod checks;
pub mod companions;
mod divided;
pub mod results;
mod shared;

use std::sync::Arc;

use crate::base::{Diagnostic, Span};
use crate::compile::Function;
use crate::ir::program::{BATCH, Train};
use crate::ir::{Dim, ExternalKey, InputKey, OutputKey};
use crate::plan::External;
use crate::runtime::array::Array;
use crate::runtime::call::{Argument, Caller, Moment, Series};
use crate::runtime::data::bounds::Bounds;
use crate::runtime::data::{Column, Table};
use crate::runtime::int_ranges::note_ints;
use crate::runtime::memory::{Cell, Memory};
use crate::runtime::evaluate::unbound;
use crate::runtime::report::data::RowsError;
use crate::runtime::session::Session;
pub use batches::Batches;
use companions::{Before, Companion};
use divided::Divided;
use results::Results;

/// The results of one call of native code take so many bytes at most.
const SERIES_BYTES: usize = 1 << 24;

/// Steps that are taken in one call of native code.
struct Taking<'a> {
    /// Of all steps, one behind the other; none if they are held.
    rows: &'a [u32],
    steps: usize,
    /// Results go behind those of so many steps.
    done: usize,
    first: Moment,
    /// Whether the call ends where a loss is not finite.
    watch: bool,
}

/// A function bound to the tensors of one batch size.
pub struct Batch {
    pub size: usize,
    function: Arc<Function>,
    slots: Vec<Slot>,
    pub results: Results,
    /// What carries a step out that is divided among shards. The function is then its last part, whose results are
    /// those of the step.
    divided: Option<Box<Divided>>,
    companions: Vec<Companion>,
}

/// What is bound to an external of the function.
enum Slot {
    Variable(Cell),
    /// A field, and what a batch of it is gathered in where that is done here.
    Field(Column, Option<Gathered>),
    /// A field of a companion, by number, gathered here.
    Companion(usize, Column, Gathered),
    /// All rows of a column that the program names by its path.
    Whole(Cell),
    Step,
    /// A number in `results`.
    Result(usize),
}

/// The tensor for a batch of a field.
struct Gathered {
    cell: Cell,
    bounds: Option<Bounds>,
}

impl Gathered {
    fn fill(&self, session: &mut Session, column: &Column, rows: &[u32]) -> Result<(), Diagnostic> {
        let mut array = session.memory.take_one(self.cell);
        let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
        column.gather(rows, Arc::make_mut(&mut array), &mut carry)?;
        if let Some(bounds) = &self.bounds {
            bounds.check(&array, |at| rows[at] as usize)?;
        }
        session.memory.set(self.cell, array);
        Ok(())
    }
}

/// How many steps of a series were taken, and whether the last one's loss is finite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    pub steps: usize,
    pub finite: bool,
}

impl Batch {
    /// Makes the code for a batch size and its tensors.
    ///
    /// # Errors
    /// If there is no code for this size.
    pub fn prepare(session: &mut Session, of: &Batches<'_>, size: usize) -> Result<Batch, Diagnostic> {
        let train = of.train;
        let mut sizes = of.sizes.clone();
        sizes.insert(BATCH.into(), Dim::from(size));
        note_ints(session, of.graph, &of.table, &mut sizes)?;
        companions::note_ints(&of.companions, of.graph, &mut sizes);
        let program = session.program.clone();
        let function = program.function(of.part, of.graph, &sizes).map_err(|error| {
            let failed = program.build_failed(&error, train.span);
            if size >= train.batch {
                return failed.note(format!("for a batch of {size} rows"));
            }
            let batch = train.batch;
            failed
                .note(format!("for a batch of {size} rows: the last of an epoch is smaller than {batch}"))
                .help("choose a `batch` that divides the number of rows, or say `shuffle = false`")
        })?;
        Batch::need(&function, size).check().map_err(|error| error.at(train.span, "asked for here"))?;
        Batch::bind(session, of, size, function)
    }

    /// Binds code for a batch size to its tensors.
    ///
    /// # Errors
    /// If the code asks for a tensor that there is not.
    pub fn bind(
        session: &mut Session,
        of: &Batches<'_>,
        size: usize,
        function: Arc<Function>,
    ) -> Result<Batch, Diagnostic> {
        let train = of.train;
        let mut sizes = of.sizes.clone();
        sizes.insert(BATCH.into(), Dim::from(size));
        let mut results = Vec::new();
        let mut keys: Vec<&OutputKey> = Vec::new();
        let mut slots = Vec::with_capacity(function.externals.len());
        for external in &function.externals {
            let slot = match &external.name {
                ExternalKey::Output(key) => {
                    keys.push(key);
                    results.push(Array::for_rows(external, session.memory.precision, vec![0]));
                    Some(Slot::Result(results.len() - 1))
                }
                ExternalKey::Input(InputKey::Step) => Some(Slot::Step),
                ExternalKey::Input(InputKey::Column(key)) => {
                    session.column(key, &sizes)?.map(|column| Slot::Whole(session.memory.add(column)))
                }
                ExternalKey::Input(InputKey::Field(name)) => match field(&of.table, name, external) {
                    None => None,
                    Some(column) => {
                        let bounds = of.table.bounds_at(name, &sizes)?;
                        let lazy = !matches!(column, Column::Memory(_));
                        let gathered =
                            lazy.then(|| Gathered { cell: session.memory.add(column.empty(size)), bounds });
                        Some(Slot::Field(column, gathered))
                    }
                },
                ExternalKey::Input(InputKey::Companion(name, field)) => {
                    let found = of.companions.iter().position(|companion| companion.name == *name);
                    match found.and_then(|at| Some((at, of.companions[at].column(field)?.clone()))) {
                        None => None,
                        Some((at, column)) => {
                            let companion = &of.companions[at];
                            let bounds = companion.table.bounds_at(field, &sizes)?;
                            let cell = session.memory.add(column.empty(companion.size(size)));
                            Some(Slot::Companion(at, column, Gathered { cell, bounds }))
                        }
                    }
                }
                ExternalKey::Input(
                    InputKey::Source(_)
                    | InputKey::Drawn(_)
                    | InputKey::Statistic(_)
                    | InputKey::Gradient(_)
                    | InputKey::LineLoss
                    | InputKey::Passed(_),
                ) => None,
                ExternalKey::Param(path) | ExternalKey::State(path) => {
                    session.memory.find(path).map(Slot::Variable)
                }
            };
            slots.push(slot.ok_or_else(|| unbound(&external.name, train.span))?);
        }
        let batch = Batch::of_results(train, size, Arc::clone(&function), slots, results, &keys);
        Ok(Batch { companions: of.companions.clone(), ..batch })
    }

    /// A batch with these results, in the order of their keys.
    fn of_results(
        train: &Train,
        size: usize,
        function: Arc<Function>,
        slots: Vec<Slot>,
        results: Vec<Array>,
        keys: &[&OutputKey],
    ) -> Batch {
        let of_result = |number: usize| {
            let at = slots.iter().position(|slot| matches!(slot, Slot::Result(result) if *result == number));
            at.map(|at| function.externals[at].shape.clone()).unwrap_or_default()
        };
        let shapes = (0..results.len()).map(of_result).collect();
        let results = Results::of(train, size, results, shapes, keys);
        Batch { size, function, slots, results, divided: None, companions: Vec::new() }
    }

    /// Takes steps, each on as many of `rows` as the batch's size, `before` which others have drawn theirs. With `watch`,
    /// stops behind a step whose losses are not all finite.
    ///
    /// # Errors
    /// If rows cannot be read from a file, or are out of their bounds.
    pub fn run(
        &mut self,
        session: &mut Session,
        rows: &[u32],
        before: Before,
        first: Moment,
        watch: bool,
    ) -> Result<Taken, Diagnostic> {
        let steps = rows.len() / self.size.max(1);
        self.results.make_room(steps);
        if let Some(divided) = &mut self.divided {
            return divided.run(session, &mut self.results.arrays, rows, before, first, watch);
        }
        let lazy = self.slots.iter().any(|slot| matches!(slot, Slot::Field(_, Some(_)) | Slot::Companion(..)));
        if !lazy {
            let taking = Taking { rows, steps, done: 0, first, watch };
            return self.series(&session.caller, &mut session.memory, &taking);
        }
        for step in 0..steps {
            let rows_of_step = &rows[step * self.size..(step + 1) * self.size];
            for slot in &self.slots {
                if let Slot::Field(column, Some(field)) = slot {
                    field.fill(session, column, rows_of_step)?;
                }
            }
            self.fill_companions(session, before.after(step, self.size))?;
            let first = Moment { step: first.step.wrapping_add(step as u32), ..first };
            let taking = Taking { rows: rows_of_step, steps: 1, done: step, first, watch };
            let taken = self.series(&session.caller, &mut session.memory, &taking)?;
            if !taken.finite {
                return Ok(Taken { steps: step + 1, finite: false });
            }
        }
        Ok(Taken { steps, finite: true })
    }

    /// Gathers what a step reads of companions.
    fn fill_companions(&mut self, session: &mut Session, before: Before) -> Result<(), Diagnostic> {
        let rows: Vec<Vec<u32>> =
            self.companions.iter_mut().map(|companion| companion.take(before, self.size)).collect();
        for slot in &self.slots {
            if let Slot::Companion(at, column, gathered) = slot {
                gathered.fill(session, column, &rows[*at])?;
            }
        }
        Ok(())
    }

    /// One call of native code.
    fn series(
        &mut self,
        caller: &Caller,
        memory: &mut Memory,
        taking: &Taking<'_>,
    ) -> Result<Taken, Diagnostic> {
        let Taking { rows, steps, done, first, watch } = *taking;
        let mut results: Vec<Option<&mut Array>> = self.results.arrays.iter_mut().map(Some).collect();
        let mut watched = Vec::new();
        let mut arguments = Vec::with_capacity(self.slots.len());
        for (at, slot) in self.slots.iter().enumerate() {
            arguments.push(match slot {
                Slot::Variable(cell) | Slot::Whole(cell) => Argument::Cell(*cell),
                Slot::Field(_, Some(gathered)) | Slot::Companion(_, _, gathered) => Argument::Cell(gathered.cell),
                Slot::Field(Column::Memory(array), None) => Argument::Rows(array),
                Slot::Field(Column::Windows(_) | Column::Lazy(_), None) | Slot::Step => Argument::Step,
                Slot::Result(number) => {
                    if watch && self.results.losses.contains(number) {
                        watched.push(at);
                    }
                    let count = self.function.externals[at].shape.iter().product::<usize>();
                    let array = results[*number].take().expect("each result has one slot");
                    Argument::Each(array, done * count)
                }
            });
        }
        let series = Series { steps, rows, first, watched: &watched };
        caller.series(&self.function, arguments, memory, series)
    }

    /// Gathers the rows of one step; from now on [`Batch::repeat`] takes steps on them.
    ///
    /// # Errors
    /// As [`Batch::run`].
    pub fn hold(&mut self, session: &mut Session, rows: &[u32]) -> Result<(), Diagnostic> {
        self.fill_companions(session, Before::default())?;
        for slot in &mut self.slots {
            if let Slot::Field(column, gathered) = slot {
                // A whole column in its own order is there already.
                if let Column::Memory(array) = column
                    && rows.iter().copied().eq(0..array.rows() as u32)
                {
                    let cell = session.memory.add(Arc::clone(array));
                    *gathered = Some(Gathered { cell, bounds: None });
                    continue;
                }
                let empty = || Gathered { cell: session.memory.add(column.empty(rows.len())), bounds: None };
                gathered.get_or_insert_with(empty).fill(session, column, rows)?;
            }
        }
        Ok(())
    }

    /// Takes steps on the rows that are held, in one call of native code.
    ///
    /// # Errors
    /// As [`Caller::series`].
    pub fn repeat(
        &mut self,
        caller: &Caller,
        memory: &mut Memory,
        steps: usize,
        first: Moment,
    ) -> Result<(), Diagnostic> {
        self.results.make_room(steps);
        let taking = Taking { rows: &[], steps, done: 0, first, watch: false };
        self.series(caller, memory, &taking).map(drop)
    }

    /// Takes one step on the rows that are held, kernel by kernel: see [`Caller::profile`].
    ///
    /// # Errors
    /// As [`Caller::series`].
    pub fn profile(
        &mut self,
        caller: &Caller,
        memory: &mut Memory,
        moment: Moment,
        watch: &dyn Fn(Option<usize>),
    ) -> Result<(), Diagnostic> {
        let mut made = Vec::new();
        let mut arguments = Vec::with_capacity(self.slots.len());
        for (external, slot) in self.function.externals.iter().zip(&self.slots) {
            arguments.push(match slot {
                Slot::Variable(cell) | Slot::Whole(cell) => Argument::Cell(*cell),
                Slot::Field(_, Some(gathered)) | Slot::Companion(_, _, gathered) => Argument::Cell(gathered.cell),
                Slot::Field(_, None) | Slot::Step => Argument::Step,
                Slot::Result(_) => {
                    let zeros = Array::for_external(external, memory.precision);
                    made.push(memory.add(zeros));
                    Argument::Cell(made[made.len() - 1])
                }
            });
        }
        let done = caller.profile(&self.function, arguments, memory, moment, watch);
        made.into_iter().for_each(|cell| memory.remove(cell));
        done
    }

    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The elements of a step of each result.
    fn results_of_step(&self) -> Vec<usize> {
        let externals = self.function.externals.iter().zip(&self.slots);
        let results = externals.filter(|(_, slot)| matches!(slot, Slot::Result(_)));
        results.map(|(external, _)| external.shape.iter().product()).collect()
    }

    /// How many steps are taken in one call at most: as many as there is room for their results.
    pub fn steps_at_once(&self) -> u64 {
        (SERIES_BYTES / self.result_bytes().max(1)).max(1) as u64
    }

    /// Bytes that a step's results take.
    fn result_bytes(&self) -> usize {
        let of = |(external, slot): (&External, &Slot)| match slot {
            Slot::Result(_) => external.shape.iter().product::<usize>() * 8,
            Slot::Variable(_) | Slot::Field(..) | Slot::Companion(..) | Slot::Whole(_) | Slot::Step => 0,
        };
        self.function.externals.iter().zip(&self.slots).map(of).sum()
    }

    /// Gives back its tensors.
    pub fn release(self, memory: &mut Memory) {
        if let Some(divided) = self.divided {
            divided.release(memory);
        }
        for slot in self.slots {
            match slot {
                Slot::Field(_, Some(gathered)) | Slot::Companion(_, _, gathered) => memory.remove(gathered.cell),
                Slot::Whole(cell) => memory.remove(cell),
                Slot::Field(_, None) | Slot::Variable(_) | Slot::Step | Slot::Result(_) => {}
            }
        }
    }
}

/// The field of a name, if a row of it is what the code works on.
fn field(table: &Table, name: &str, external: &External) -> Option<Column> {
    let column = table.fields.get(name)?;
    (external.shape.get(1..)? == column.row_shape()).then(|| column.clone())
}

/// The number of rows in a part of the data that must have some.
///
/// # Errors
/// E0725.
pub fn some_rows(rows: usize, name: &str, span: Span) -> Result<usize, Diagnostic> {
    if rows == 0 {
        return Err(RowsError::None { name: name.to_owned(), at: span }.into());
    }
    Ok(rows)
}
