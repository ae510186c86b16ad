//! Series of steps that code takes in one call, and how such a series ends.

use super::{CodeError, Parallel};
use crate::ir::ExternalKey;
use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a step depends on besides its tensors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Call {
    /// The number of the training step; random numbers depend on it.
    pub step: u32,
    pub seed: u64,
}

/// Which rows of the columns the steps of a series take.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// From this row on, one after another; after the last comes the first.
    From(usize),
    /// `order[0 .. batch]`, then the next ones.
    Order(&'a [u32]),
}

/// A series of steps.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    pub first: Call,
    pub steps: usize,
    pub rows: Rows<'a>,
    /// Externals, given as [`Binding::Each`](super::Binding::Each), that must stay finite.
    pub watched: &'a [usize],
    /// Set by another thread to stop the series of steps.
    pub interrupted: Option<&'a AtomicBool>,
}

/// Is given an external by its number, and its bytes.
pub type Give<'a> = dyn Fn(usize, &[u8]) + 'a;

/// The context of a series: its threads, and who is told of each kernel.
#[derive(Clone, Copy)]
pub struct RunContext<'a> {
    pub parallel: &'a dyn Parallel,
    /// Called with nothing when a step begins and with the number of each kernel when it is done, by code that was
    /// made for that.
    pub watch: Option<&'a dyn Fn(Option<usize>)>,
    /// Called with the number of an external that is a result, and its bytes, as soon as nothing in the step changes
    /// it any more, by machine code that was made to be watched. Those of some results are never given.
    pub results: Option<&'a Give<'a>>,
}

/// How a series ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done,
    /// After so many steps.
    Interrupted {
        steps: usize,
    },
    /// The last of so many steps gave this external a value that is not finite.
    NotFinite {
        steps: usize,
        external: usize,
    },
    /// In the last of so many steps an int has left 64 bits.
    Overflow {
        steps: usize,
        site: Overflow,
    },
}

/// Where an int has left 64 bits: see [`place_of`](super::Facts::place_of).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct Overflow(pub(super) usize);

impl Overflow {
    /// As kernels write it: the number of the site, from 1; 0 if there is none.
    pub(super) fn from_word(word: u64) -> Option<Overflow> {
        (word as usize).checked_sub(1).map(Overflow)
    }
}

/// The temporaries of one call at a time. Only the code that made it knows what it holds.
pub struct Workspace(pub(super) Box<dyn Any + Send>);

impl Workspace {
    /// # Errors
    /// If it belongs to another kind of code.
    pub(super) fn of<W: 'static>(&mut self) -> Result<&mut W, CodeError> {
        self.0.downcast_mut().ok_or_else(|| CodeError::new("the workspace belongs to other code"))
    }
}

impl<'a> Series<'a> {
    /// A single step.
    pub fn once(first: Call) -> Series<'a> {
        Series { first, steps: 1, rows: Rows::From(0), watched: &[], interrupted: None }
    }

    /// Whether somebody wants it to stop before the step of this number.
    pub(super) fn is_interrupted_before(&self, number: usize) -> bool {
        number < self.steps && self.interrupted.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Where step `number` finds its rows in a column.
    pub(super) fn rows_of(&self, number: usize, batch: usize, n_rows: usize) -> Batch<'a> {
        match self.rows {
            Rows::From(first) => {
                let start = (first + number * batch) % n_rows;
                if start + batch <= n_rows { Batch::Run(start) } else { Batch::Around(start, n_rows) }
            }
            Rows::Order(order) => {
                let order = &order[number * batch..(number + 1) * batch];
                let start = order.first().map_or(0, |row| *row as usize);
                if order.iter().copied().eq(start as u32..(start + batch) as u32) {
                    return Batch::Run(start);
                }
                Batch::Scattered(order)
            }
        }
    }

    /// Checks the rows against a column.
    ///
    /// # Errors
    /// If there are too few row numbers, or a number is beyond the column.
    pub(super) fn check_rows(&self, batch: usize, rows: usize, name: &ExternalKey) -> Result<(), CodeError> {
        let Rows::Order(order) = self.rows else { return Ok(()) };
        if order.len() < batch * self.steps {
            let (given, steps) = (order.len(), self.steps);
            return Err(CodeError::new(format!("`{name}`: {given} row numbers for {steps} steps")));
        }
        match order[..batch * self.steps].iter().find(|row| **row as usize >= rows) {
            Some(row) => Err(CodeError::new(format!("`{name}` has {rows} rows, row {row} is asked for"))),
            None => Ok(()),
        }
    }
}

/// The rows of one step.
pub(super) enum Batch<'a> {
    /// They lie one after another, from this one on.
    Run(usize),
    /// The same, but after so many rows comes the first.
    Around(usize, usize),
    Scattered(&'a [u32]),
}

impl Batch<'_> {
    /// Calls `copy` with the number of each row and its place in a batch of so many.
    pub fn for_each(&self, batch: usize, mut copy: impl FnMut(usize, usize)) {
        match self {
            Batch::Run(start) => (0..batch).for_each(|at| copy(start + at, at)),
            Batch::Around(start, rows) => (0..batch).for_each(|at| copy((start + at) % rows, at)),
            Batch::Scattered(order) => order.iter().enumerate().for_each(|(at, row)| copy(*row as usize, at)),
        }
    }
}
