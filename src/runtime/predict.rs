//! Results of a model for given inputs. What inputs of some shapes need is prepared once; a prediction is then
//! little more than the call of its code.

use std::sync::Arc;

use super::array::{Array, Elements, shape_text};
use super::call::{Moment, tensor_mut, tensor_ref};
use super::memory::Cell;
use super::program::{Part, Program};
use super::session::{Session, convert, unbound};
use super::sizes;
use crate::base::{Diagnostic, Span, nearest};
use crate::compile::{Code, Function};
use crate::ir::program::{Model, Precision};
use crate::ir::{Elem, Sizes, Type};
use crate::jit::{Binding, Call};

/// Of so many shapes and models a session remembers what they need.
const REMEMBERED: usize = 64;

/// What a model needs for inputs of certain shapes.
pub(super) struct Prepared {
    /// The number of the model.
    model: usize,
    shapes: Vec<Vec<usize>>,
    function: Arc<Function>,
    /// For each external of the function.
    slots: Vec<Slot>,
    /// The least that each input's ints must stay below.
    below: Vec<Option<i64>>,
}

/// What an external of the function is.
#[derive(Clone, Copy)]
enum Slot {
    Input(usize),
    Variable(Cell),
    Output,
}

/// The results of a model, in order.
///
/// # Errors
/// E0731 if there is no such model, or the inputs do not fit its signature.
pub(super) fn predict(
    session: &mut Session,
    name: &str,
    inputs: &[&Array],
) -> Result<Vec<Array>, Diagnostic> {
    let program = session.program.clone();
    let models = &program.checked().models;
    let number = models.iter().position(|model| &*model.name == name).ok_or_else(|| unknown(models, name))?;
    let is_for = |ready: &Prepared| {
        ready.model == number
            && ready.shapes.len() == inputs.len()
            && ready.shapes.iter().zip(inputs).all(|(shape, input)| shape == input.shape())
    };
    let at = match session.prepared.iter().position(is_for) {
        Some(at) => at,
        None => {
            let new = prepare(session, &program, number, inputs)?;
            if session.prepared.len() == REMEMBERED {
                session.prepared.remove(0);
            }
            session.prepared.push(new);
            session.prepared.len() - 1
        }
    };
    session.prepared[at].call(session, &models[number], inputs)
}

fn wrong(message: String) -> Diagnostic {
    Diagnostic::error("E0731", message)
}

fn unknown(models: &[Model], name: &str) -> Diagnostic {
    let error = wrong(format!("there is no model `{name}`"));
    match nearest(name, models.iter().map(|model| &*model.name)) {
        Some(near) => error.help(format!("there is `{near}`")),
        None => error,
    }
}

fn prepare(
    session: &Session,
    program: &Program,
    number: usize,
    inputs: &[&Array],
) -> Result<Prepared, Diagnostic> {
    let model = &program.checked().models[number];
    let name = &model.name;
    let Some(graph) = &model.forward else {
        return Err(wrong(format!("a size of `{name}` is open: nothing in the program calls it")));
    };
    if model.inputs.len() != inputs.len() {
        let message = format!("`{name}` has {} inputs, {} are given", model.inputs.len(), inputs.len());
        return Err(wrong(message));
    }
    let mut sizes = Sizes::new();
    for ((input_name, ty), input) in model.inputs.iter().zip(inputs) {
        if !sizes::bind(ty, input.shape(), &mut sizes) {
            let found = shape_text(input.shape());
            return Err(wrong(format!("the input `{input_name}` of `{name}` is {ty}, but {found} is given")));
        }
    }
    let function = program.function(Part::Forward(number), graph, &sizes);
    let function = function.map_err(|error| program.build_failed(&error, Span::default()))?;
    let slot = |name: &str| match name.split_once(':')? {
        ("input", name) => model.inputs.iter().position(|(own, _)| &**own == name).map(Slot::Input),
        ("output", _) => Some(Slot::Output),
        (_, path) => session.memory.find(path).map(Slot::Variable),
    };
    let slots = function
        .externals
        .iter()
        .map(|external| slot(&external.name).ok_or_else(|| unbound(&external.name, Span::default())));
    let below = |(name, _): &(Arc<str>, Type)| {
        let own = model.bounds.iter().filter(|(own, _)| own == name);
        own.filter_map(|(_, bound)| bound.below.evaluate(&sizes).ok()).min()
    };
    Ok(Prepared {
        model: number,
        shapes: inputs.iter().map(|input| input.shape().to_vec()).collect(),
        slots: slots.collect::<Result<_, _>>()?,
        below: model.inputs.iter().map(below).collect(),
        function,
    })
}

impl Prepared {
    fn call(&self, session: &Session, model: &Model, inputs: &[&Array]) -> Result<Vec<Array>, Diagnostic> {
        let precision = session.memory.precision;
        let mut converted: Vec<Option<Arc<Array>>> = Vec::with_capacity(inputs.len());
        for (at, (input, (name, ty))) in inputs.iter().zip(&model.inputs).enumerate() {
            let array = match is_as_needed(input, ty.elem, precision) {
                true => None,
                false => Some(convert(input, ty.elem, precision).ok_or_else(|| {
                    wrong(format!("the input `{name}` of `{}` has {} elements", model.name, ty.elem))
                })?),
            };
            check_bound(array.as_deref().unwrap_or(input), self.below[at], name, &model.name)?;
            converted.push(array);
        }
        let externals = || self.function.externals.iter().zip(&self.slots);
        let outputs = externals().filter(|(_, slot)| matches!(slot, Slot::Output));
        let mut results: Vec<Array> = outputs
            .clone()
            .map(|(external, _)| Array::zeros(external.elem, precision, external.shape.clone()))
            .collect();
        let mut next = results.iter_mut();
        let mut bindings: Vec<Binding<'_>> = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            bindings.push(match slot {
                Slot::Input(at) => {
                    let array = converted[*at].as_deref().unwrap_or(inputs[*at]);
                    Binding::Read(tensor_ref(array.elements()))
                }
                Slot::Variable(cell) => Binding::Read(tensor_ref(session.memory.get(*cell).elements())),
                Slot::Output => {
                    let array = next.next().expect("a result for each output");
                    Binding::Write(tensor_mut(array.elements_mut(), 0))
                }
            });
        }
        let Code::Native(code) = &self.function.code else { unreachable!("models are compiled") };
        let moment = Moment { seed: session.program.checked().seed, step: 0 };
        let call = Call { step: moment.step, seed: moment.seed };
        let run = |workspace: &mut _| code.run(workspace, &mut bindings, call, &session.caller);
        let outcome = self.function.with_workspace(code, run);
        outcome.map_err(|error| Diagnostic::error("E0799", error.to_string()))?;
        // Outputs are called `0`, `1`, …; the function may have them in another order.
        let number = |name: &str| name.strip_prefix("output:").and_then(|name| name.parse().ok());
        if results.len() > 1 {
            let order: Vec<usize> = outputs.filter_map(|(external, _)| number(&external.name)).collect();
            let mut numbered: Vec<(usize, Array)> = order.into_iter().zip(results).collect();
            numbered.sort_by_key(|(number, _)| *number);
            return Ok(numbered.into_iter().map(|(_, array)| array).collect());
        }
        Ok(results)
    }
}

/// Whether code can read the array as it is.
fn is_as_needed(array: &Array, elem: Elem, precision: Precision) -> bool {
    match (array.elements(), elem) {
        (Elements::F32(_), Elem::Float) => precision == Precision::F32,
        (Elements::F64(_), Elem::Float) => precision == Precision::F64,
        (Elements::I32(_), Elem::Int) | (Elements::Bool(_), Elem::Bool) => true,
        _ => false,
    }
}

fn check_bound(array: &Array, below: Option<i64>, name: &str, model: &str) -> Result<(), Diagnostic> {
    let (Some(below), Elements::I32(values)) = (below, array.elements()) else { return Ok(()) };
    match values.iter().find(|value| **value < 0 || i64::from(**value) >= below) {
        Some(value) => {
            let message = format!(
                "the input `{name}` of `{model}` has the value {value}, but it must lie in 0..{below}"
            );
            Err(wrong(message))
        }
        None => Ok(()),
    }
}
