//! The tensors of a session: parameters, states, batches, results.
//!
//! Compiled code sees tensors by number, in the order of its [`External`]s; a [`Binding`] says which tensor
//! of the memory each number is.

use std::collections::HashMap;
use std::sync::Arc;

use super::array::{Array, Elements};
use crate::compile::{Code, Function};
use crate::ir::program::Precision;
use crate::ir::{Elem, ExternalKey};
use crate::plan::External;

/// A place in a [`Memory`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Cell(u32);

/// Tensors by number; some also by name.
#[derive(Clone, Debug)]
pub struct Memory {
    pub precision: Precision,
    cells: Vec<Arc<Array>>,
    free: Vec<Cell>,
    names: HashMap<Arc<str>, Cell>,
    /// Stands in a cell that has no tensor at the moment.
    empty: Arc<Array>,
}

/// A function and the tensors it works on.
#[derive(Clone)]
pub struct Binding {
    pub function: Arc<Function>,
    pub cells: Vec<Cell>,
}

impl Memory {
    pub fn new(precision: Precision) -> Memory {
        let empty = Arc::new(Array::zeros(Elem::Bool, precision, vec![0]));
        Memory { precision, cells: Vec::new(), free: Vec::new(), names: HashMap::new(), empty }
    }

    pub fn add(&mut self, array: impl Into<Arc<Array>>) -> Cell {
        match self.free.pop() {
            Some(cell) => {
                self.cells[cell.0 as usize] = array.into();
                cell
            }
            None => {
                self.cells.push(array.into());
                Cell(self.cells.len() as u32 - 1)
            }
        }
    }

    pub fn add_named(&mut self, name: impl Into<Arc<str>>, array: impl Into<Arc<Array>>) -> Cell {
        let cell = self.add(array);
        self.names.insert(name.into(), cell);
        cell
    }

    pub fn find(&self, name: &str) -> Option<Cell> {
        self.names.get(name).copied()
    }

    pub fn get(&self, cell: Cell) -> &Array {
        &self.cells[cell.0 as usize]
    }

    pub fn shared(&self, cell: Cell) -> Arc<Array> {
        Arc::clone(&self.cells[cell.0 as usize])
    }

    /// The tensor for changing; copied first if somebody else has it too.
    pub fn get_mut(&mut self, cell: Cell) -> &mut Array {
        Arc::make_mut(&mut self.cells[cell.0 as usize])
    }

    pub fn set(&mut self, cell: Cell, array: impl Into<Arc<Array>>) {
        self.cells[cell.0 as usize] = array.into();
    }

    /// Takes tensors out for a call that works on them; [`Memory::put_back`] ends it.
    pub(super) fn take(&mut self, cells: &[Cell]) -> Vec<Arc<Array>> {
        cells.iter().map(|cell| self.take_one(*cell)).collect()
    }

    /// Takes one tensor out; nothing stands in its place.
    pub(super) fn take_one(&mut self, cell: Cell) -> Arc<Array> {
        std::mem::replace(&mut self.cells[cell.0 as usize], Arc::clone(&self.empty))
    }

    pub(super) fn put_back(&mut self, cells: &[Cell], tensors: Vec<Arc<Array>>) {
        for (cell, tensor) in cells.iter().zip(tensors) {
            self.cells[cell.0 as usize] = tensor;
        }
    }

    /// Gives a place back. Its name is forgotten.
    pub fn remove(&mut self, cell: Cell) {
        self.names.retain(|_, known| *known != cell);
        self.cells[cell.0 as usize] = Arc::clone(&self.empty);
        self.free.push(cell);
    }

    /// A new tensor of zeros for each output of a function; the other tensors by name.
    ///
    /// # Errors
    /// The name that `find` does not know, or whose tensor has another shape.
    pub fn bind(
        &mut self,
        function: Arc<Function>,
        mut find: impl FnMut(&mut Memory, &External) -> Option<Cell>,
    ) -> Result<Binding, ExternalKey> {
        let mut cells = Vec::with_capacity(function.externals.len());
        for external in &function.externals {
            let cell = if is_output(external) {
                self.add(Array::for_external(external, self.precision))
            } else {
                find(self, external).ok_or_else(|| external.name.clone())?
            };
            let is_interpreted = matches!(function.code, Code::Interpreted(_));
            if !fits(self.get(cell), external, is_interpreted) {
                return Err(external.name.clone());
            }
            cells.push(cell);
        }
        Ok(Binding { function, cells })
    }

    /// Gives back the outputs of a binding.
    pub fn release(&mut self, binding: &Binding) {
        for (external, cell) in binding.function.externals.iter().zip(&binding.cells) {
            if is_output(external) {
                self.remove(*cell);
            }
        }
    }
}

fn is_output(external: &External) -> bool {
    matches!(external.name, ExternalKey::Output(_))
}

fn fits(array: &Array, external: &External, is_interpreted: bool) -> bool {
    let count: usize = external.shape.iter().product();
    let (elem, wide) = match array.elements() {
        Elements::F32(_) | Elements::F64(_) => (Elem::Float, false),
        Elements::I32(_) => (Elem::Int, false),
        Elements::I64(_) => (Elem::Int, true),
        Elements::U8(_) | Elements::Bool(_) => (Elem::Bool, false),
    };
    // The interpreter takes ints of either size.
    array.elements().len() == count && elem == external.elem && (is_interpreted || wide == external.wide)
}

/// The only float of a scalar.
pub fn scalar(array: &Array) -> f64 {
    match array.elements() {
        Elements::F32(values) => values.first().map_or(f64::NAN, |value| f64::from(*value)),
        Elements::F64(values) => values.first().copied().unwrap_or(f64::NAN),
        Elements::I32(values) => values.first().map_or(f64::NAN, |value| f64::from(*value)),
        Elements::I64(values) => values.first().map_or(f64::NAN, |value| *value as f64),
        Elements::U8(values) => values.first().map_or(f64::NAN, |value| f64::from(*value)),
        Elements::Bool(values) => values.first().map_or(f64::NAN, |value| f64::from(u8::from(*value))),
    }
}
