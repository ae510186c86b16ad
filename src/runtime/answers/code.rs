//! A graph as code for so many rows, called again and again with other rows.

use std::sync::Arc;

use crate::backend::{Binding, Call};
use crate::base::{Diagnostic, Span};
use crate::compile::{Code, Function, Use};
use crate::ir::program::BATCH;
use crate::ir::ranges::{self, Range};
use crate::ir::{Dim, ExternalKey, Graph, InputKey, OutputKey, Sizes, columns_of};
use crate::runtime::array::{Array, Elements};
use crate::runtime::call::{overflown, tensor_mut, tensor_ref};
use crate::runtime::memory::Cell;
use crate::runtime::evaluate::unbound;
use crate::runtime::session::Session;

/// Code whose inputs are fields, and its results.
pub struct RowCode {
    function: Arc<Function>,
    slots: Vec<Slot>,
    results: Vec<(OutputKey, Array)>,
}

/// What is bound to an external of the function.
#[derive(Clone, Copy)]
enum Slot {
    /// A field, by its place among those given.
    Field(usize),
    /// A parameter or state, or a whole column of data.
    Variable(Cell),
    Output(usize),
}

impl RowCode {
    /// Code for `rows` rows. `below` says of each field what its ints must lie below, if they are bounded.
    ///
    /// # Errors
    /// If there is no code, or a column that the graph reads as a whole cannot be read.
    pub fn new(
        session: &mut Session,
        graph: &Graph,
        rows: usize,
        fields: &[(Arc<str>, Option<i64>, bool)],
    ) -> Result<RowCode, Diagnostic> {
        let program = session.program.clone();
        let mut sizes = Sizes::new();
        sizes.insert(BATCH.into(), Dim::from(rows));
        session.add_row_sizes(graph, &mut sizes)?;
        for (name, below, wide) in fields {
            let key = InputKey::Field(name.clone());
            match below {
                _ if *wide => ranges::note_input(&mut sizes, &key, Range::ALL),
                Some(below) => ranges::note_input(&mut sizes, &key, Range { least: 0, greatest: below - 1 }),
                None => {}
            }
        }
        for key in columns_of(graph) {
            if let Some(range) = session.column(&key, &sizes)?.and_then(|column| column.int_range()) {
                ranges::note_input(&mut sizes, &InputKey::Column(key), range);
            }
        }
        let function = program.build(graph, &sizes, Use::Often);
        let function = Arc::new(function.map_err(|error| program.build_failed(&error, Span::NONE))?);
        let precision = session.memory.precision;
        let (mut slots, mut results) = (Vec::new(), Vec::new());
        for external in &function.externals {
            let slot = match &external.name {
                ExternalKey::Input(InputKey::Field(name)) => {
                    fields.iter().position(|(field, ..)| field == name).map(Slot::Field)
                }
                ExternalKey::Input(InputKey::Column(key)) => {
                    session.column(key, &sizes)?.map(|column| Slot::Variable(session.memory.add(column)))
                }
                ExternalKey::Input(_) => None,
                ExternalKey::Output(name) => {
                    results.push((name.clone(), Array::for_external(external, precision)));
                    Some(Slot::Output(results.len() - 1))
                }
                ExternalKey::Param(path) | ExternalKey::State(path) => {
                    session.memory.find(path).map(Slot::Variable)
                }
            };
            slots.push(slot.ok_or_else(|| unbound(&external.name, Span::NONE))?);
        }
        Ok(RowCode { function, slots, results })
    }

    /// Carries it out on fields, in the order in which they were named.
    ///
    /// # Errors
    /// If an int leaves 64 bits, or the code fails.
    pub fn call(&mut self, session: &Session, fields: &[&Array]) -> Result<(), Diagnostic> {
        let Code::Compiled(code) = &self.function.code else {
            return Err(Diagnostic::fault("code that is called often was not compiled"));
        };
        let mut outputs: Vec<Option<&mut Array>> =
            self.results.iter_mut().map(|(_, array)| Some(array)).collect();
        let mut bindings: Vec<Binding<'_>> = Vec::with_capacity(self.slots.len());
        for (slot, external) in self.slots.iter().zip(&self.function.externals) {
            let missing = || unbound(&external.name, Span::NONE);
            bindings.push(match slot {
                Slot::Field(at) => Binding::Read(tensor_ref(fields.get(*at).ok_or_else(missing)?.elements())),
                Slot::Variable(cell) => Binding::Read(tensor_ref(session.memory.get(*cell).elements())),
                Slot::Output(at) => {
                    let array = outputs[*at].take().ok_or_else(missing)?;
                    Binding::Write(tensor_mut(array.elements_mut(), 0))
                }
            });
        }
        let call = Call { step: 0, seed: session.program.checked().seed };
        let run = |workspace: &mut _| code.step(workspace, &mut bindings, call, &session.caller);
        match self.function.with_workspace(&**code, run)? {
            Some(overflow) => Err(overflown(code.facts().place_of(overflow).span)),
            None => Ok(()),
        }
    }

    /// A result of the last call.
    pub fn result(&self, name: &OutputKey) -> Option<&Array> {
        self.results.iter().find(|(other, _)| other == name).map(|(_, array)| array)
    }
}

/// Some rows of an array; the last is repeated where there are not so many.
pub fn padded(array: &Array, from: usize, rows: usize) -> Option<Array> {
    let (len, last) = (array.row_len(), array.rows().checked_sub(1)?);
    let mut shape = array.shape().to_vec();
    *shape.first_mut()? = rows;
    let mut elements = array.elements().part(0..0);
    let place = |row: usize| (from + row).min(last) * len;
    macro_rules! gather {
        ($values:expr, $into:expr) => {
            (0..rows).for_each(|row| $into.extend_from_slice(&$values[place(row)..place(row) + len]))
        };
    }
    match (array.elements(), &mut elements) {
        (Elements::F32(values), Elements::F32(into)) => gather!(values, into),
        (Elements::F64(values), Elements::F64(into)) => gather!(values, into),
        (Elements::I32(values), Elements::I32(into)) => gather!(values, into),
        (Elements::I64(values), Elements::I64(into)) => gather!(values, into),
        (Elements::U8(values), Elements::U8(into)) => gather!(values, into),
        (Elements::Bool(values), Elements::Bool(into)) => gather!(values, into),
        _ => return None,
    }
    Array::new(shape, elements).ok()
}
