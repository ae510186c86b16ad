//! Several trainings at once: trainings that differ in numbers only take their steps together.
//!
//! A series of steps is one call of code in which the member is one more index ([`ir::members`](crate::ir::members)),
//! on tensors of all members. What happens between series (scores, validation, patience, the best parameters) happens
//! for each member by its own [`Driver`], on what the member has of results and tensors. A member whose loss is no
//! number, or that something else is wrong with, leaves the others and is trained alone, so that what is said about it
//! is what its own run says.

mod all;

use std::sync::Arc;

use all::All;

use super::{Driver, Taken, blame};
use crate::base::Diagnostic;
use crate::ir::members::{Options, Place, united};
use crate::ir::program::{Action, BATCH, Program as Checked, Train};
use crate::ir::{Dim, Graph, Sizes, columns_of, specialise};
use crate::opt::stabilised;
use crate::runtime::data::{Column, Rows, Table, joined};
use crate::runtime::events::{Event, Observer, Reason, Trained};
use crate::runtime::memory::Memory;
use crate::runtime::program::{Part, Program};
use crate::runtime::session::Session;
use crate::runtime::train::batch::{Batches, some_rows};
use crate::runtime::train::order::Order;
use crate::runtime::train::{Progress, begin, data_name, data_sizes, started};

/// One of the trainings.
pub struct Member<'a> {
    pub session: &'a mut Session,
    pub observer: &'a mut dyn Observer,
}

/// The data of a training.
struct Ready {
    table: Arc<Table>,
    sizes: Sizes,
    order: Order,
    rows: Rows,
}

/// Where the rows of all members are.
struct Source {
    table: Arc<Table>,
    sizes: Sizes,
    /// The rows of a member in the table, if each has its own.
    of_member: u32,
}

/// A training among others.
struct Running<'a, 'm> {
    member: Member<'m>,
    driver: Driver<'a>,
    state: State,
}

enum State {
    Active,
    Ended(Box<Trained>),
    /// It is to be trained alone.
    Left,
}

/// Carries out an action that is a `train` of all members. `None` if they cannot be trained together, and nothing was
/// carried out then. In the list, `None` stands for a member that has to be trained alone from the beginning.
pub fn run(mut members: Vec<Member<'_>>, action: usize) -> Option<Vec<Option<Trained>>> {
    let programs: Vec<Program> = members.iter().map(|member| member.session.program.clone()).collect();
    let trains: Vec<&Train> = programs.iter().map(|program| training(program, action)).collect::<Option<_>>()?;
    let mut readies = Vec::new();
    for (member, train) in members.iter_mut().zip(&trains) {
        readies.push(ready(member.session, train).ok()?);
    }
    if members.len() < 2 || !fit(&trains, &readies) {
        return None;
    }
    // The numbers of a member lie together, so its sums run in the lanes in which they run alone.
    let table = common_table(trains[0], &readies)?;
    let has_own_tables = !Arc::ptr_eq(&table, &readies[0].table);
    let own_rows = has_own_tables || trains.iter().any(|train| train.seed != trains[0].seed);
    let options = Options { place: Place::First, own_rows };
    let graphs = united_graphs(&trains, &readies, options)?;
    let session = session_for(members[0].session, &programs[0]);
    let of_member = if has_own_tables { readies[0].table.rows as u32 } else { 0 };
    let rows = Source { table, sizes: readies[0].sizes.clone(), of_member };
    let mut all = All::new(session, &graphs, &trains, &rows, action, options);
    // What is wrong with the code is told by a training alone.
    all.batch(readies[0].order.batch()).ok()?;
    let mut running = Vec::new();
    for ((mut member, train), ready) in members.into_iter().zip(&trains).zip(readies) {
        let (driver, state) = match driver(&mut member, action, train, ready) {
            Ok(driver) => (driver, State::Active),
            // The others of the list are not there yet, and what was told is told again by each alone.
            Err(_) => return Some(trains.iter().map(|_| None).collect()),
        };
        running.push(Running { member, driver, state });
    }
    match all.gather(&running) {
        Some(()) => all.train(&mut running),
        None => running.iter_mut().for_each(|one| one.state = State::Left),
    }
    Some(running.into_iter().map(Running::outcome).collect())
}

fn training(program: &Program, action: usize) -> Option<&Train> {
    match program.checked().actions.get(action) {
        Some(Action::Train(train)) => Some(train),
        _ => None,
    }
}

/// The data that a training goes through.
fn ready(session: &mut Session, train: &Train) -> Result<Ready, Diagnostic> {
    let (table, rows) = session.rows(&train.data, train.span)?;
    some_rows(rows.len(), &data_name(&train.data), train.span)?;
    let sizes = data_sizes(session, train)?;
    let order = Order::new(rows.clone(), train.batch, train.seed, train.shuffle);
    Ok(Ready { table, sizes, order, rows })
}

/// Whether two trainings take equally many steps on equally many rows.
pub fn are_alike(a: &Train, b: &Train) -> bool {
    // Of plateaus a driver tells the session of its own training, and what is shown at intervals looks into it.
    let is_simple = |train: &Train| {
        train.shards.is_none()
            && train.companions.is_empty()
            && train.plateau.is_none()
            && train.accumulate.is_none()
            && train.intervals.is_empty()
    };
    let settings = |train: &Train| {
        (train.batch, train.length, train.shuffle, train.validate_every, train.lines.len(), train.metrics.len())
    };
    is_simple(a) && is_simple(b) && settings(a) == settings(b) && a.fields == b.fields && a.data == b.data
}

/// Whether the trainings go through the same rows, or equally many of tables of one form, which are in memory.
fn fit(trains: &[&Train], readies: &[Ready]) -> bool {
    let (train, first) = (trains[0], &readies[0]);
    let in_memory = |field: &Arc<str>| matches!(first.table.fields.get(field), Some(Column::Memory(_)));
    // Folds have tables of their own. What reads whole columns of them is not told apart by member.
    let reads_columns = trains.iter().any(|train| !columns_of(&train.step.graph).is_empty());
    let has_same_rows = |ready: &Ready| {
        let has_own_table = !Arc::ptr_eq(&ready.table, &first.table);
        let may_have = !reads_columns && joined::are_alike(&first.table, &ready.table, &train.fields);
        (!has_own_table || may_have) && ready.sizes == first.sizes && ready.rows.len() == first.rows.len()
    };
    train.fields.iter().all(in_memory)
        && trains.iter().all(|other| are_alike(train, other))
        && readies.iter().all(has_same_rows)
}

/// The table that all share, or those of all, one after the other. `None` if they are too large.
fn common_table(train: &Train, readies: &[Ready]) -> Option<Arc<Table>> {
    let first = &readies[0].table;
    if readies.iter().all(|ready| Arc::ptr_eq(&ready.table, first)) {
        return Some(Arc::clone(first));
    }
    let tables: Vec<&Table> = readies.iter().map(|ready| &*ready.table).collect();
    Table::joined(&tables, &train.fields).map(Arc::new)
}

/// The step of all members for each size of a batch that occurs.
fn united_graphs(trains: &[&Train], readies: &[Ready], options: Options) -> Option<Vec<(usize, Graph)>> {
    let order = &readies[0].order;
    let mut sizes = vec![order.batch()];
    if !order.has_one_size() {
        sizes.push(order.equal_steps(order.steps_per_epoch() - 1).0);
    }
    let of_size = |size: usize| {
        let mut known = readies[0].sizes.clone();
        known.insert(BATCH.into(), Dim::from(size));
        // The laws that look at numbers are those of a training alone.
        let static_step = |train: &&Train| specialise(&stabilised(&train.step.graph), &known).ok();
        let graphs: Vec<Graph> = trains.iter().map(static_step).collect::<Option<_>>()?;
        Some((size, united(&graphs.iter().collect::<Vec<_>>(), options)?))
    };
    sizes.into_iter().map(of_size).collect()
}

/// A session for the tensors of all members.
fn session_for(session: &Session, program: &Program) -> Session {
    let checked = Checked { requirements: Vec::new(), ..program.checked().clone() };
    let mut aside = session.aside();
    aside.program = program.replaced(checked);
    aside.program.share_data_of(program);
    aside.memory = Memory::new(program.checked().precision);
    aside
}

/// What takes a member through its training, without code of its own.
fn driver<'a>(
    member: &mut Member<'_>,
    action: usize,
    train: &'a Train,
    ready: Ready,
) -> Result<Driver<'a>, Diagnostic> {
    begin(member.session, action, train, member.observer)?;
    let Ready { table, sizes, order, rows } = ready;
    let batches = Batches::new(Part::Step(action), &train.step.graph, train, table, sizes, Vec::new());
    started(member.session, (action, train), (order, rows), batches, Progress::new(action), member.observer)
}

impl Running<'_, '_> {
    fn is_active(&self) -> bool {
        matches!(self.state, State::Active)
    }

    /// Tells about steps that all have taken, the last of which is `step`.
    fn look(&mut self, all: &All<'_>, number: usize, taken: &Taken, tell: bool) {
        let step = taken.before + taken.steps;
        let results = all.results(number, taken);
        let is_bad = |at: usize| results.losses(at).iter().any(|loss| !loss.is_finite());
        if (0..taken.steps as usize).any(is_bad) {
            self.state = State::Left;
            return;
        }
        let Running { member: Member { session, observer }, driver, state } = self;
        driver.given = Some(results);
        driver.progress.step = step;
        let ends = step.is_multiple_of(driver.period) || step >= driver.steps;
        let stopped = observer.stop();
        let is_due = session.is_save_due();
        if is_due || stopped || ends && (driver.validation.is_some() || driver.train.keep_best) {
            all.scatter(number, session);
        }
        if driver.look(session, taken, stopped, *observer).is_err() {
            *state = State::Left;
            return;
        }
        if tell || stopped {
            observer.event(&Event::Progress { step, steps: driver.steps });
        }
        session.keep_up(&driver.progress, *observer);
        if stopped && step < driver.steps {
            self.end(all, number, Reason::Stopped);
        }
    }

    /// The member has ended, well or not.
    fn end(&mut self, all: &All<'_>, number: usize, reason: Reason) {
        let Running { member: Member { session, observer }, driver, state } = self;
        all.scatter(number, session);
        if blame::bad_variable(session, driver.train).is_some() {
            *state = State::Left;
            return;
        }
        let trained = driver.ended(session, reason);
        observer.event(&Event::End(&trained));
        session.progress = Some(driver.progress.clone());
        *state = State::Ended(Box::new(trained));
    }

    fn outcome(self) -> Option<Trained> {
        if let Some((batches, _)) = self.driver.validation {
            batches.release(self.member.session);
        }
        match self.state {
            State::Ended(trained) => Some(*trained),
            State::Active | State::Left => None,
        }
    }
}
