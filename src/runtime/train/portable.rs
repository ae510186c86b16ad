//! A training as graphs and arrays, for whoever carries it out elsewhere: a step at the sizes of its batch, what it
//! begins with, and some batches.

use std::sync::Arc;

use super::batch::companions;
use super::order::Order;
use super::{begin, data_sizes, some_rows};
use crate::base::order::PutInOrder;
use crate::base::{Diagnostic, Span};
use crate::compile::BuildError;
use crate::ir::program::{self as checked, Action, BATCH, Precision};
use crate::ir::{Dim, DimError, Graph, InputKey, Op, Sizes, Type, specialise};
use crate::opt;
use crate::runtime::array::Array;
use crate::runtime::data::data_name;
use crate::runtime::events::Silent;
use crate::runtime::program::Diagnostics;
use crate::runtime::session::Session;

/// The first training of a program.
pub struct Portable {
    pub span: Span,
    pub precision: Precision,
    pub seed: u64,
    pub batch: usize,
    /// A step, with static sizes.
    pub step: Graph,
    /// Parameters, states and the states of the optimisers, with whether they are states.
    pub variables: Vec<(Arc<str>, bool, Type)>,
    /// What they begin with.
    pub starts: Vec<(Arc<str>, Arc<Array>)>,
    /// What a step is given beside them.
    pub inputs: Vec<(InputKey, Type)>,
    /// Whole columns of data.
    pub columns: Vec<(InputKey, Arc<Array>)>,
    /// The fields of the rows of the first steps, one step behind another.
    pub batches: Vec<(InputKey, Array)>,
    /// Models for a batch of rows, in evaluation mode.
    pub models: Vec<(Arc<str>, Graph)>,
}

/// The inputs that the outputs of a graph need.
pub fn inputs_of(graph: &Graph) -> Vec<(InputKey, Type)> {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let nodes = graph.nodes().filter(|(id, _)| needed[id.0 as usize]);
    let input = |op: &Op| match op {
        Op::Input { name, ty } => Some((name.clone(), ty.clone())),
        _ => None,
    };
    nodes.filter_map(|(_, node)| input(&node.op)).collect()
}

impl Portable {
    /// The first training of a session's program, with the batches of some steps. `None` if it has none.
    ///
    /// # Errors
    /// Those of a training before its first step.
    pub fn of(session: &mut Session, steps: u64) -> Result<Option<Portable>, Diagnostics> {
        let program = session.program.clone();
        Portable::made(session, steps).map_err(|error| program.failed([error]))
    }

    fn made(session: &mut Session, steps: u64) -> Result<Option<Portable>, Diagnostic> {
        let program = session.program.clone();
        let checked = program.checked();
        let mut actions = checked.actions.iter().enumerate();
        let found = actions.find_map(|(number, action)| match action {
            Action::Train(train) => Some((number, train)),
            _ => None,
        });
        let Some((action, train)) = found else { return Ok(None) };
        let (table, rows) = session.rows(&train.data, train.span)?;
        some_rows(rows.len(), &data_name(&train.data), train.span)?;
        let mut sizes = data_sizes(session, train)?;
        begin(session, action, train, &mut Silent)?;
        let mut order = Order::new(rows, train.batch, train.seed, train.shuffle);
        let batch = order.batch();
        sizes.insert(BATCH.into(), Dim::from(batch));
        let step = sized(&train.step.graph, &sizes)
            .map_err(|error| program.build_failed(&BuildError::Size(error), train.span))?;
        let states = checked.states.iter().chain(&train.step.states).map(|state| (state, true));
        let all = checked.params.iter().map(|param| (param, false)).chain(states);
        let (mut variables, mut starts) = (Vec::new(), Vec::new());
        for (variable, is_state) in all {
            let Some(cell) = session.memory.find(&variable.path) else { continue };
            starts.push((variable.path.clone(), session.memory.shared(cell)));
            variables.push((variable.path.clone(), is_state, variable.ty.clone()));
        }
        let inputs = inputs_of(&step);
        let mut companions = companions::of_training(session, train, false)?;
        let mut drawn = vec![Vec::new(); companions.len()];
        let mut taken = Vec::new();
        // The rows of whole batches, as many as there are.
        for number in 0.. {
            if taken.len() as u64 >= steps * batch as u64 || number >= 4 * steps {
                break;
            }
            let mut rows = Vec::new();
            order.take(number, 1, &mut rows);
            if rows.len() < batch {
                break;
            }
            for (companion, drawn) in companions.iter_mut().zip(&mut drawn) {
                drawn.extend(companion.take(order.before(number), batch));
            }
            taken.extend(rows);
        }
        let (mut columns, mut batches) = (Vec::new(), Vec::new());
        for (key, _) in &inputs {
            match key {
                InputKey::Column(column) => {
                    let array = session.column(column, &sizes)?;
                    columns.extend(array.map(|array| (key.clone(), array)));
                }
                InputKey::Field(name) => {
                    let Some(column) = table.fields.get(name) else { continue };
                    let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
                    batches.push((key.clone(), column.rows_of(&taken, &mut carry)?));
                }
                InputKey::Companion(name, field) => {
                    let Some(at) = companions.iter().position(|companion| companion.name == *name) else { continue };
                    let Some(column) = companions[at].column(field) else { continue };
                    let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
                    batches.push((key.clone(), column.rows_of(&drawn[at], &mut carry)?));
                }
                _ => {}
            }
        }
        let models = models_for(checked, &sizes, batch);
        let (precision, seed, span) = (checked.precision, train.seed, train.span);
        Ok(Some(Portable {
            span, precision, seed, batch, step, variables, starts, inputs, columns, batches, models,
        }))
    }
}

/// A graph at sizes that are known.
fn sized(graph: &Graph, sizes: &Sizes) -> Result<Graph, DimError> {
    specialise(&opt::stabilised(graph), sizes).map(|graph| opt::optimise(&graph))
}

/// The models whose sizes are known for a batch of rows.
fn models_for(checked: &checked::Program, sizes: &Sizes, batch: usize) -> Vec<(Arc<str>, Graph)> {
    let for_batch = |model: &checked::Model| {
        let graph = model.forward.as_ref()?;
        let mut symbols = Vec::new();
        for (_, ty) in inputs_of(graph) {
            ty.shape.iter().for_each(|size| size.symbols(&mut symbols));
        }
        symbols.retain(|symbol| !sizes.contains_key(symbol));
        symbols.put_in_order();
        symbols.dedup();
        let mut sizes = sizes.clone();
        match symbols.as_slice() {
            [] => {}
            // Only the rows of the batch are open.
            [rows] => drop(sizes.insert(rows.clone(), Dim::from(batch))),
            _ => return None,
        }
        let graph = sized(graph, &sizes).ok()?;
        let is_static = graph.nodes().all(|(_, node)| node.ty.static_shape().is_some());
        is_static.then(|| (model.name.clone(), graph))
    };
    checked.models.iter().filter_map(for_batch).collect()
}
