//! Results of a model for given inputs. What inputs of some shapes need is prepared once; a prediction is then
//! little more than the call of its code.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::array::{Array, Elements, shape_text};
use super::call::{overflown, tensor_mut, tensor_ref};
use super::memory::Cell;
use super::program::Part;
use super::report::programs::ModelError;
use super::evaluate::unbound;
use super::session::{Session, convert};
use super::sizes;
use super::view::{ElementsView, TensorView};
use crate::base::order::PutInOrder;
use crate::backend::{Binding, Call};
use crate::base::{Diagnostic, Span};
use crate::compile::{Code, Function};
use crate::ir::program::{Model, Precision};
use crate::ir::ranges::{self, Range};
use crate::ir::{Elem, ExternalKey, InputKey, OutputKey, Sizes, Type, columns_of};
use crate::plan::External;

/// A session remembers what models need for so many combinations of shapes.
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
    /// The externals that are results, in the order of the results.
    outputs: Vec<usize>,
    columns: Vec<Arc<Array>>,
    /// Room for what a call gives to the code.
    rooms: Mutex<Vec<Room>>,
    /// The least that each input's ints must stay below.
    below: Vec<Option<i64>>,
}

/// Room for bindings; empty between calls.
type Room = Vec<Binding<'static>>;

/// What is bound to an external of the function.
#[derive(Clone, Copy)]
enum Slot {
    Input(usize),
    /// A parameter or state.
    Variable(Cell),
    /// A whole column of data, by its number among [`Prepared::columns`].
    Column(usize),
    Output,
}

/// Where predictions of a session keep what they need.
#[derive(Default)]
pub(super) struct Predictions {
    prepared: Mutex<Vec<Arc<Prepared>>>,
}

impl Predictions {
    /// Forgets what predictions needed: columns of data that are others now.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Prepared>>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The results of a model, in order.
///
/// # Errors
/// E0731 if there is no such model, or the inputs do not fit its signature.
pub(super) fn predict(session: &Session, name: &str, inputs: &[TensorView<'_>]) -> Result<Vec<Array>, Diagnostic> {
    as_code_reads(session, name, inputs, |prepared, model, inputs| {
        let precision = session.memory.precision;
        let zeros = prepared.outputs().map(|external| Array::for_external(external, precision));
        let mut results: Vec<Array> = zeros.collect();
        prepared.call(session, model, inputs, &mut results)?;
        Ok(results)
    })
}

/// The same into tensors that are there already. Nothing is allocated if there was a prediction for inputs of these
/// shapes before, and the inputs have the elements that the program has.
///
/// # Errors
/// As [`predict`]; E0731 if the results do not fit.
pub(super) fn predict_into(
    session: &Session,
    name: &str,
    inputs: &[TensorView<'_>],
    results: &mut [Array],
) -> Result<(), Diagnostic> {
    as_code_reads(session, name, inputs, |prepared, model, inputs| {
        let count = prepared.outputs().count();
        if count != results.len() {
            let (model, given) = (name.to_owned(), results.len());
            return Err(ModelError::Results { model, wanted: count, given }.into());
        }
        for (external, result) in prepared.outputs().zip(results.iter()) {
            let fits = result.shape() == external.shape
                && has_elements(result, external.elem, external.wide, session.memory.precision);
            if !fits {
                let needed = Array::for_external(external, session.memory.precision);
                let (model, wanted, given) = (name.to_owned(), type_text(&needed), type_text(result));
                return Err(ModelError::Result { model, wanted, given }.into());
            }
        }
        prepared.call(session, model, inputs, results)
    })
}

/// Carries out `work` with the inputs in the elements that the code of a model reads, and what it needs for them.
fn as_code_reads<T>(
    session: &Session,
    name: &str,
    inputs: &[TensorView<'_>],
    work: impl FnOnce(&Prepared, &Model, &[TensorView<'_>]) -> Result<T, Diagnostic>,
) -> Result<T, Diagnostic> {
    let models = &session.program.checked().models;
    let number = models.iter().position(|model| &*model.name == name).ok_or_else(|| unknown(models, name))?;
    let (model, precision) = (&models[number], session.memory.precision);
    let are_as_needed = inputs.len() == model.inputs.len()
        && inputs.iter().zip(&model.inputs).all(|(input, (_, ty))| is_as_needed(input.elements(), ty.elem, precision));
    if are_as_needed {
        return work(&*prepared(session, number, inputs)?, model, inputs);
    }
    let converted = converted(session, model, inputs)?;
    let given: Vec<TensorView<'_>> = inputs
        .iter()
        .zip(&converted)
        .map(|(input, converted)| converted.as_ref().map_or(*input, |converted| converted.view()))
        .collect();
    work(&*prepared(session, number, &given)?, model, &given)
}

/// What a model needs for inputs of these shapes: prepared now if they are new.
fn prepared(session: &Session, number: usize, inputs: &[TensorView<'_>]) -> Result<Arc<Prepared>, Diagnostic> {
    let is_for = |ready: &&Arc<Prepared>| {
        ready.model == number
            && ready.shapes.len() == inputs.len()
            && ready.shapes.iter().zip(inputs).all(|(shape, input)| shape == input.shape())
            && ready.wide.iter().zip(inputs).all(|(wide, input)| *wide == is_wide(*input))
    };
    if let Some(ready) = session.predictions.lock().iter().find(is_for) {
        return Ok(Arc::clone(ready));
    }
    // Data that the model looks at is loaded by a session of its own.
    let new = Arc::new(prepare(&mut session.aside(), number, inputs)?);
    let mut ready = session.predictions.lock();
    if ready.len() == REMEMBERED {
        ready.remove(0);
    }
    ready.push(Arc::clone(&new));
    Ok(new)
}

fn unknown(models: &[Model], name: &str) -> ModelError {
    let models = models.iter().map(|model| model.name.clone()).collect();
    ModelError::Unknown { name: name.to_owned(), models }
}

/// The sizes of the symbolic dimensions of a model's inputs, from the shapes that are given.
fn sizes_of(model: &Model, inputs: &[TensorView<'_>]) -> Result<Sizes, Diagnostic> {
    let name = &model.name;
    if model.inputs.len() != inputs.len() {
        let (wanted, given) = (model.inputs.len(), inputs.len());
        return Err(ModelError::Inputs { model: name.clone(), wanted, given }.into());
    }
    let mut sizes = Sizes::new();
    for ((input_name, ty), input) in model.inputs.iter().zip(inputs) {
        if !sizes::bind(ty, input.shape(), &mut sizes) {
            let (wanted, given) = (ty.to_string(), shape_text(input.shape()));
            let (model, input) = (name.clone(), input_name.clone());
            return Err(ModelError::Input { model, input, wanted, given }.into());
        }
    }
    Ok(sizes)
}

fn prepare(
    session: &mut Session,
    number: usize,
    inputs: &[TensorView<'_>],
) -> Result<Prepared, Diagnostic> {
    let program = session.program.clone();
    let model = &program.checked().models[number];
    let name = &model.name;
    let Some(graph) = &model.forward else {
        return Err(ModelError::Open { model: name.clone() }.into());
    };
    let mut sizes = sizes_of(model, inputs)?;
    session.add_row_sizes(graph, &mut sizes)?;
    let below = |name: &Arc<str>| {
        let of_input = model.bounds.iter().filter(|(input, _)| input == name);
        of_input.filter_map(|(_, bound)| bound.below.evaluate(&sizes).ok()).min()
    };
    let below: Vec<Option<i64>> = model.inputs.iter().map(|(name, _)| below(name)).collect();
    for (((input_name, _), input), below) in model.inputs.iter().zip(inputs).zip(&below) {
        let key = InputKey::Field(input_name.clone());
        match below {
            _ if is_wide(*input) => ranges::note_input(&mut sizes, &key, Range::ALL),
            // Inputs are checked before they are used.
            Some(below) => {
                ranges::note_all_of_input(&mut sizes, &key, Range { least: 0, greatest: below - 1 });
            }
            None => {}
        }
    }
    for key in columns_of(graph) {
        if let Some(range) = session.column(&key, &sizes)?.and_then(|column| column.int_range()) {
            ranges::note_all_of_input(&mut sizes, &InputKey::Column(key), range);
        }
    }
    let function = program.function(Part::Forward(number), graph, &sizes);
    let function = function.map_err(|error| program.build_failed(&error, Span::NONE))?;
    // Outputs are called `0`, `1`, …; the function may have them in another order.
    let result = |name: &OutputKey| name.text().parse::<usize>().ok();
    let (mut slots, mut columns) = (Vec::new(), Vec::new());
    let mut outputs: Vec<(usize, usize)> = Vec::new();
    for (at, external) in function.externals.iter().enumerate() {
        let slot = match &external.name {
            ExternalKey::Input(InputKey::Field(name)) => {
                model.inputs.iter().position(|(input, _)| input == name).map(Slot::Input)
            }
            ExternalKey::Input(InputKey::Column(key)) => session.column(key, &sizes)?.map(|column| {
                columns.push(column);
                Slot::Column(columns.len() - 1)
            }),
            ExternalKey::Input(_) => None,
            ExternalKey::Output(name) => {
                let number = result(name);
                outputs.extend(number.map(|number| (number, at)));
                number.map(|_| Slot::Output)
            }
            ExternalKey::Param(path) | ExternalKey::State(path) => {
                session.memory.find(path).map(Slot::Variable)
            }
        };
        slots.push(slot.ok_or_else(|| unbound(&external.name, Span::NONE))?);
    }
    outputs.put_in_order();
    Ok(Prepared {
        model: number,
        shapes: inputs.iter().map(|input| input.shape().to_vec()).collect(),
        wide: inputs.iter().map(|input| is_wide(*input)).collect(),
        outputs: outputs.into_iter().map(|(_, at)| at).collect(),
        slots,
        columns,
        rooms: Mutex::default(),
        below,
        function,
    })
}

impl Prepared {
    /// The externals that are results, in the order of the results.
    fn outputs(&self) -> impl Iterator<Item = &External> {
        self.outputs.iter().map(|at| &self.function.externals[*at])
    }

    /// Carries out the model, whose results are as [`Prepared::outputs`] says.
    fn call(
        &self,
        session: &Session,
        model: &Model,
        inputs: &[TensorView<'_>],
        results: &mut [Array],
    ) -> Result<(), Diagnostic> {
        for (at, (input, (name, _))) in inputs.iter().zip(&model.inputs).enumerate() {
            check_bound(*input, self.below[at], name, &model.name)?;
        }
        let free = || self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let room = free().pop().unwrap_or_default();
        let mut bindings = emptied(room);
        bindings.extend(self.slots.iter().map(|slot| match slot {
            Slot::Input(at) => Binding::Read(inputs[*at].elements().tensor_ref()),
            Slot::Variable(cell) => Binding::Read(tensor_ref(session.memory.get(*cell).elements())),
            Slot::Column(at) => Binding::Read(tensor_ref(self.columns[*at].elements())),
            // Replaced below.
            Slot::Output => Binding::StepNumber,
        }));
        for (at, result) in self.outputs.iter().zip(results) {
            bindings[*at] = Binding::Write(tensor_mut(result.elements_mut(), 0));
        }
        let Code::Compiled(code) = &self.function.code else { unreachable!("models are compiled") };
        let call = Call { step: 0, seed: session.program.checked().seed };
        let run = |workspace: &mut _| code.step(workspace, &mut bindings, call, &session.caller);
        let outcome = self.function.with_workspace(&**code, run);
        free().push(emptied(bindings));
        match outcome? {
            Some(overflow) => Err(overflown(code.facts().place_of(overflow).span)),
            None => Ok(()),
        }
    }
}

/// An empty vector in the memory of another one.
fn emptied<'b>(mut bindings: Vec<Binding<'_>>) -> Vec<Binding<'b>> {
    bindings.clear();
    bindings.into_iter().map(|_| Binding::StepNumber).collect()
}

/// The inputs that are not as code reads them, as it does.
fn converted(
    session: &Session,
    model: &Model,
    inputs: &[TensorView<'_>],
) -> Result<Vec<Option<Arc<Array>>>, Diagnostic> {
    let precision = session.memory.precision;
    let convert = |(input, (name, ty)): (&TensorView<'_>, &(Arc<str>, Type))| {
        if is_as_needed(input.elements(), ty.elem, precision) {
            return Ok(None);
        }
        let other = || {
            let (model, input, elem) = (model.name.clone(), name.clone(), ty.elem);
            ModelError::Elements { model, input, elem }
        };
        convert(&input.to_tensor(), ty.elem, precision).map(Some).ok_or_else(other)
    };
    let mut converted: Vec<_> =
        inputs.iter().zip(&model.inputs).map(convert).collect::<Result<_, ModelError>>()?;
    converted.resize(inputs.len(), None);
    Ok(converted)
}

/// Whether a tensor has the elements of an external.
fn has_elements(array: &Array, elem: Elem, wide: bool, precision: Precision) -> bool {
    match (elem, array.elements()) {
        (Elem::Int, Elements::I64(_)) => wide,
        (Elem::Int, Elements::I32(_)) => !wide,
        _ => is_as_needed(array.view().elements(), elem, precision),
    }
}

/// `f32[2, 3]`
fn type_text(array: &Array) -> String {
    let elem = match array.elements() {
        Elements::F32(_) => "f32",
        Elements::F64(_) => "f64",
        Elements::I32(_) => "i32",
        Elements::I64(_) => "i64",
        Elements::U8(_) => "u8",
        Elements::Bool(_) => "bool",
    };
    format!("{elem}{}", shape_text(array.shape()))
}

fn is_wide(input: TensorView<'_>) -> bool {
    matches!(input.elements(), ElementsView::I64(_))
}

/// Whether code can read the elements as they are.
fn is_as_needed(elements: ElementsView<'_>, elem: Elem, precision: Precision) -> bool {
    match (elements, elem) {
        (ElementsView::F32(_), Elem::Float) => precision == Precision::F32,
        (ElementsView::F64(_), Elem::Float) => precision == Precision::F64,
        (ElementsView::I32(_), Elem::Int) | (ElementsView::Bool(_), Elem::Bool) => true,
        _ => false,
    }
}

fn check_bound(input: TensorView<'_>, below: Option<i64>, name: &str, model: &str) -> Result<(), Diagnostic> {
    let Some(below) = below else { return Ok(()) };
    let outside = |value: &i64| *value < 0 || *value >= below;
    let found = match input.elements() {
        ElementsView::I32(values) => values.iter().map(|value| i64::from(*value)).find(outside),
        ElementsView::I64(values) => values.iter().copied().find(outside),
        _ => None,
    };
    match found {
        Some(value) => {
            let (model, input) = (model.to_owned(), name.to_owned());
            Err(ModelError::Bound { model, input, value, below }.into())
        }
        None => Ok(()),
    }
}
