//! One line of a training on a few rows, looked at closely: values and derivatives, and finite differences.

mod declared;

use std::collections::HashMap;
use std::sync::Arc;

use super::array::{Array, Elements};
use super::call::Moment;
use super::int_ranges::noted;
use super::program::Diagnostics;
use super::report::data::DataError;
use super::session::{Session, Tensors};
use super::train::batch::companions;
use crate::base::Diagnostic;
use crate::compile::{Function, Use};
use crate::derive::{Derivation, Symbol};
use crate::ir::program::{BATCH, Train};
use crate::ir::{Dim, Graph, OutputKey, Sizes};

pub use declared::DeclaredAgreement;

/// At most so many elements of a parameter are compared with finite differences.
const COMPARED: usize = 100;

/// How far a parameter is moved for a difference. A kink nearby is passed over by one of the smaller ones.
const STEPS: [f64; 3] = [1e-5, 1e-6, 1e-4];

/// Below this share of a parameter's greatest derivative an element counts as so great: near 0 a relative
/// error says nothing.
const SMALLEST: f64 = 1e-3;

/// The rows of the data that an example is made of.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    pub first: usize,
    pub count: usize,
}

/// How the gradient of a parameter agrees with finite differences.
#[derive(Clone, PartialEq, Debug)]
pub struct Agreement {
    pub path: Arc<str>,
    /// `|a − d| / max(|a|, |d|)` at the worst element.
    pub worst: f64,
    pub elements: usize,
    pub compared: usize,
}

/// What a line of a training is evaluated on.
struct Example {
    inputs: Tensors,
    sizes: Sizes,
    moment: Moment,
}

impl Session {
    /// The values of everything that a derivation writes down, for some rows of the data.
    ///
    /// # Errors
    /// If the data cannot be read or has no such row.
    #[doc(hidden)]
    pub fn values(
        &mut self,
        train: &Train,
        derivation: &Derivation,
        rows: Rows,
    ) -> Result<HashMap<Symbol, Array>, Diagnostics> {
        let program = self.program.clone();
        self.example_values(train, derivation, rows).map_err(|error| program.failed([error]))
    }

    fn example_values(
        &mut self,
        train: &Train,
        derivation: &Derivation,
        rows: Rows,
    ) -> Result<HashMap<Symbol, Array>, Diagnostic> {
        let example = self.example(train, &derivation.graph, rows)?;
        let found = self.evaluate_once(
            &derivation.graph,
            &example.sizes,
            example.moment,
            &example.inputs,
            train.span,
        )?;
        let mut values: HashMap<Symbol, Array> = HashMap::new();
        for (name, array) in &example.inputs {
            values.insert(Symbol::new(name.label()), (**array).clone());
        }
        for (symbol, name) in &derivation.outputs {
            values.extend(
                found.get(&OutputKey::Named(name.clone())).map(|array| (symbol.clone(), array.clone())),
            );
        }
        Ok(values)
    }

    /// Compares the gradient of every parameter with central differences of the loss. For small differences
    /// the program is compiled with 64-bit floats.
    ///
    /// # Errors
    /// As [`Session::values`].
    #[doc(hidden)]
    pub fn compare_gradients(
        &mut self,
        train: &Train,
        derivation: &Derivation,
        rows: Rows,
    ) -> Result<Vec<Agreement>, Diagnostics> {
        let program = self.program.clone();
        self.agreements(train, derivation, rows).map_err(|error| program.failed([error]))
    }

    fn agreements(
        &mut self,
        train: &Train,
        derivation: &Derivation,
        rows: Rows,
    ) -> Result<Vec<Agreement>, Diagnostic> {
        let values = self.example_values(train, derivation, rows)?;
        let mut loss = derivation.graph.clone();
        let name = OutputKey::Named(derivation.outputs[&Symbol::new("L")].clone());
        loss.outputs.retain(|output| output.name == name);
        let example = self.example(train, &loss, rows)?;
        let program = self.program.clone();
        let sizes = noted(&loss, &example.sizes, &example.inputs, true);
        let function = program.build(&loss, &sizes, Use::Often);
        let function = Arc::new(function.map_err(|error| program.build_failed(&error, train.span))?);
        let mut found = Vec::new();
        for given in &derivation.given {
            let (Some(path), Some(gradient)) = (&given.path, values.get(&given.symbol.adjoint())) else {
                continue;
            };
            found.push(self.agreement(&function, &example, path, gradient)?);
        }
        Ok(found)
    }

    fn agreement(
        &mut self,
        loss: &Arc<Function>,
        example: &Example,
        path: &Arc<str>,
        gradient: &Array,
    ) -> Result<Agreement, Diagnostic> {
        let gradient = gradient.to_f64().into_owned();
        let smallest = gradient.iter().fold(0.0f64, |most, value| most.max(value.abs())) * SMALLEST;
        let compared = gradient.len().min(COMPARED);
        let mut worst = 0.0f64;
        for at in 0..compared {
            let element = at * gradient.len() / compared;
            let mut least = f64::INFINITY;
            for step in STEPS {
                let above = self.moved_loss(loss, example, path, element, step)?;
                let below = self.moved_loss(loss, example, path, element, -step)?;
                let difference = (above - below) / (2.0 * step);
                let scale = gradient[element].abs().max(difference.abs()).max(smallest).max(1e-9);
                let error = (gradient[element] - difference).abs() / scale;
                least = least.min(error);
                if least < 1e-6 {
                    break;
                }
            }
            worst = worst.max(least);
        }
        Ok(Agreement { path: path.clone(), worst, elements: gradient.len(), compared })
    }

    /// The loss with one element of a parameter moved; the parameter is as before afterwards.
    fn moved_loss(
        &mut self,
        loss: &Arc<Function>,
        example: &Example,
        path: &str,
        element: usize,
        by: f64,
    ) -> Result<f64, Diagnostic> {
        let missing = || Diagnostic::fault(format!("there is no parameter `{path}`"));
        let cell = self.memory.find(path).ok_or_else(missing)?;
        let before = self.memory.shared(cell);
        let mut moved = (*before).clone();
        match moved.elements_mut() {
            Elements::F64(values) => values[element] += by,
            Elements::F32(values) => values[element] += by as f32,
            Elements::I32(_) | Elements::I64(_) | Elements::U8(_) | Elements::Bool(_) => {}
        }
        self.memory.set(cell, moved);
        let found =
            self.evaluate_function(Arc::clone(loss), example.moment, &example.inputs, Default::default());
        self.memory.set(cell, before);
        let found = found?;
        Ok(found.values().next().map_or(f64::NAN, |loss| loss.to_f64()[0]))
    }

    /// The rows from `first` on that are needed to show a line on as few as the program allows: one, where no size
    /// or subscript asks for more.
    ///
    /// # Errors
    /// If the data cannot be read or has no such row, and if no number of its rows is allowed.
    #[doc(hidden)]
    pub fn fewest_rows(
        &mut self,
        train: &Train,
        derivation: &Derivation,
        first: usize,
    ) -> Result<Rows, Diagnostics> {
        let program = self.program.clone();
        self.example_rows(train, derivation, first).map_err(|error| program.failed([error]))
    }

    fn example_rows(
        &mut self,
        train: &Train,
        derivation: &Derivation,
        first: usize,
    ) -> Result<Rows, Diagnostic> {
        let (_, all) = self.rows(&train.data, train.span)?;
        let most = train.batch.min(all.len().saturating_sub(first));
        let (mut empty, mut refused) = (None, None);
        let mut sizes = self.row_sizes(std::iter::once(&derivation.graph))?;
        for count in counts(most) {
            sizes.insert(BATCH.into(), Dim::from(count));
            match self.program.allows(&derivation.graph, &sizes) {
                Ok(true) => return Ok(Rows { first, count }),
                // Twelve months are allowed where windows of twelve have a next month, but there is no window.
                Ok(false) => drop(empty.get_or_insert(Rows { first, count })),
                Err(error) => refused = Some(error),
            }
        }
        match (empty, refused) {
            (Some(rows), _) => Ok(rows),
            (None, None) => Err(no_row(first, all.len(), train)),
            (None, Some(error)) => {
                let tried = format!("neither for one row from row {first} on nor for more, up to {most}");
                Err(self.program.build_failed(&error, train.span).note(tried))
            }
        }
    }

    /// Rows of the data of a `train`, and the sizes that go with them.
    fn example(&mut self, train: &Train, graph: &Graph, rows: Rows) -> Result<Example, Diagnostic> {
        let (table, all) = self.rows(&train.data, train.span)?;
        let count = rows.count.min(all.len().saturating_sub(rows.first));
        if count == 0 {
            return Err(no_row(rows.first, all.len(), train));
        }
        let numbers: Vec<u32> = (rows.first..rows.first + count).map(|at| all.get(at)).collect();
        let mut sizes = self.row_sizes(std::iter::once(graph))?;
        sizes.insert(BATCH.into(), Dim::from(count));
        let mut inputs = self.batch_inputs(graph, &table, &numbers, &sizes, 1)?;
        let mut drawn = companions::of_training(self, train, true)?;
        let place = (companions::Before::default(), count);
        inputs.extend(companions::inputs(self, &mut drawn, graph, &sizes, place)?);
        Ok(Example { inputs, sizes, moment: Moment { seed: train.seed, step: 1 } })
    }
}

/// Numbers of rows to try, from one to the most: all small ones, then ever fewer, and the most.
fn counts(most: usize) -> impl Iterator<Item = usize> {
    let all = (1..=16).chain((5..usize::BITS).map(|power| 1 << power));
    all.take_while(move |count| *count < most).chain((most > 0).then_some(most))
}

fn no_row(first: usize, rows: usize, train: &Train) -> Diagnostic {
    DataError::NoRow { row: first, rows, at: train.span }.into()
}
