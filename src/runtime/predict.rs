//! Results of a model for given inputs. What inputs of some shapes need is prepared once; a prediction is then
//! little more than the call of its code.

use std::sync::Arc;

use super::array::{Array, Elements, shape_text};
use super::call::{Moment, overflown, tensor_mut, tensor_ref};
use super::memory::Cell;
use super::program::{Part, Program, code_failed};
use super::session::{Session, convert, unbound};
use super::sizes;
use crate::backend::{Binding, Call};
use crate::base::{Diagnostic, Span, nearest};
use crate::compile::{Code, Function};
use crate::ir::program::{Model, Precision};
use crate::ir::ranges::{self, Range};
use crate::ir::{Elem, ExternalKey, InputKey, OutputKey, Sizes, Type, columns_of};

/// Of so many shapes and models a session remembers what they need.
const REMEMBERED: usize = 64;

/// What a model needs for inputs of certain shapes.
pub(super) struct Prepared {
    /// The number of the model.
    model: usize,
    shapes: Vec<Vec<usize>>,
    /// Of the inputs of ints, which have 64 bits.
    wide: Vec<bool>,
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
    /// A parameter or state, or a whole column of data.
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
    let converted = converted(session, &models[number], inputs)?;
    let given: Vec<&Array> =
        inputs.iter().zip(&converted).map(|(input, it)| it.as_deref().unwrap_or(input)).collect();
    let inputs = given.as_slice();
    let is_for = |ready: &Prepared| {
        ready.model == number
            && ready.shapes.len() == inputs.len()
            && ready.shapes.iter().zip(inputs).all(|(shape, input)| shape == input.shape())
            && ready.wide.iter().zip(inputs).all(|(wide, input)| *wide == is_wide(input))
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
    session: &mut Session,
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
    session.add_row_sizes(graph, &mut sizes)?;
    let below = |name: &Arc<str>| {
        let of_input = model.bounds.iter().filter(|(input, _)| input == name);
        of_input.filter_map(|(_, bound)| bound.below.evaluate(&sizes).ok()).min()
    };
    let below: Vec<Option<i64>> = model.inputs.iter().map(|(name, _)| below(name)).collect();
    for (((input_name, _), input), below) in model.inputs.iter().zip(inputs).zip(&below) {
        let key = InputKey::Field(input_name.clone());
        match below {
            _ if is_wide(input) => ranges::note_input(&mut sizes, &key, Range::ALL),
            // What is given is tested before it is used.
            Some(below) => ranges::note_input(&mut sizes, &key, Range { least: 0, greatest: below - 1 }),
            None => {}
        }
    }
    for key in columns_of(graph) {
        if let Some(range) = session.column(&key, &sizes)?.and_then(|column| column.int_range()) {
            ranges::note_input(&mut sizes, &InputKey::Column(key), range);
        }
    }
    let function = program.function(Part::Forward(number), graph, &sizes);
    let function = function.map_err(|error| program.build_failed(&error, Span::default()))?;
    let mut slots = Vec::new();
    for external in &function.externals {
        let slot = match &external.name {
            ExternalKey::Input(InputKey::Field(name)) => {
                model.inputs.iter().position(|(it, _)| it == name).map(Slot::Input)
            }
            ExternalKey::Input(InputKey::Column(key)) => {
                session.column(key, &sizes)?.map(|column| Slot::Variable(session.memory.add(column)))
            }
            ExternalKey::Input(_) => None,
            ExternalKey::Output(_) => Some(Slot::Output),
            ExternalKey::Param(path) | ExternalKey::State(path) => {
                session.memory.find(path).map(Slot::Variable)
            }
        };
        slots.push(slot.ok_or_else(|| unbound(&external.name, Span::default()))?);
    }
    Ok(Prepared {
        model: number,
        shapes: inputs.iter().map(|input| input.shape().to_vec()).collect(),
        wide: inputs.iter().map(|input| is_wide(input)).collect(),
        slots,
        below,
        function,
    })
}

impl Prepared {
    fn call(&self, session: &Session, model: &Model, inputs: &[&Array]) -> Result<Vec<Array>, Diagnostic> {
        let precision = session.memory.precision;
        for (at, (input, (name, _))) in inputs.iter().zip(&model.inputs).enumerate() {
            check_bound(input, self.below[at], name, &model.name)?;
        }
        let externals = || self.function.externals.iter().zip(&self.slots);
        let outputs = externals().filter(|(_, slot)| matches!(slot, Slot::Output));
        let mut results: Vec<Array> =
            outputs.clone().map(|(external, _)| Array::for_external(external, precision)).collect();
        let mut next = results.iter_mut();
        let mut bindings: Vec<Binding<'_>> = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            bindings.push(match slot {
                Slot::Input(at) => Binding::Read(tensor_ref(inputs[*at].elements())),
                Slot::Variable(cell) => Binding::Read(tensor_ref(session.memory.get(*cell).elements())),
                Slot::Output => {
                    let array = next.next().expect("a result for each output");
                    Binding::Write(tensor_mut(array.elements_mut(), 0))
                }
            });
        }
        let Code::Compiled(code) = &self.function.code else { unreachable!("models are compiled") };
        let moment = Moment { seed: session.program.checked().seed, step: 0 };
        let call = Call { step: moment.step, seed: moment.seed };
        let run = |workspace: &mut _| code.step(workspace, &mut bindings, call, &session.caller);
        let outcome = self.function.with_workspace(&**code, run);
        let overflow = outcome.map_err(|error| code_failed(&error))?;
        if let Some(overflow) = overflow {
            return Err(overflown(code.facts().place_of(overflow).span));
        }
        // Outputs are called `0`, `1`, …; the function may have them in another order.
        let number = |name: &ExternalKey| match name {
            ExternalKey::Output(OutputKey::Named(name)) => name.parse().ok(),
            _ => None,
        };
        if results.len() > 1 {
            let order: Vec<usize> = outputs.filter_map(|(external, _)| number(&external.name)).collect();
            let mut numbered: Vec<(usize, Array)> = order.into_iter().zip(results).collect();
            numbered.sort_by_key(|(number, _)| *number);
            return Ok(numbered.into_iter().map(|(_, array)| array).collect());
        }
        Ok(results)
    }
}

/// The inputs that are not as code reads them, as it does.
fn converted(
    session: &Session,
    model: &Model,
    inputs: &[&Array],
) -> Result<Vec<Option<Arc<Array>>>, Diagnostic> {
    let precision = session.memory.precision;
    let convert = |(input, (name, ty)): (&&Array, &(Arc<str>, Type))| {
        if is_as_needed(input, ty.elem, precision) {
            return Ok(None);
        }
        let message = || format!("the input `{name}` of `{}` has {} elements", model.name, ty.elem);
        convert(input, ty.elem, precision).map(Some).ok_or_else(|| wrong(message()))
    };
    let mut converted: Vec<_> =
        inputs.iter().zip(&model.inputs).map(convert).collect::<Result<_, Diagnostic>>()?;
    converted.resize(inputs.len(), None);
    Ok(converted)
}

fn is_wide(array: &Array) -> bool {
    matches!(array.elements(), Elements::I64(_))
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
    let Some(below) = below else { return Ok(()) };
    let outside = |value: &i64| *value < 0 || *value >= below;
    let found = match array.elements() {
        Elements::I32(values) => values.iter().map(|value| i64::from(*value)).find(outside),
        Elements::I64(values) => values.iter().copied().find(outside),
        _ => None,
    };
    match found {
        Some(value) => {
            let message = format!(
                "the input `{name}` of `{model}` has the value {value}, but it must lie in 0..{below}"
            );
            Err(wrong(message))
        }
        None => Ok(()),
    }
}
