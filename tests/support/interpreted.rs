//! What modules compute, by the interpreter or another back end: what other forms are compared with.

use std::sync::Arc;

use nnc::backend::interpreter::INTERPRETER;
use nnc::backend::{Alone, Backend, Binding, Call, Options};
use nnc::ir::program::Precision;
use nnc::ir::{ExternalKey, InputKey};
use nnc::loops::VerifiedModule;
use nnc::runtime::answers::deployed::{Deployed, DeployedField};
use nnc::runtime::call::{tensor_mut, tensor_ref};
use nnc::{Elements, Tensor};

/// A module that the interpreter carries out.
pub struct Interpreted {
    pub module: VerifiedModule,
    code: Box<dyn nnc::backend::Code>,
}

impl Interpreted {
    pub fn new(module: VerifiedModule) -> Interpreted {
        Interpreted::by(&INTERPRETER, module)
    }

    /// The same by another back end.
    pub fn by(backend: &dyn Backend, module: VerifiedModule) -> Interpreted {
        let code = backend.compile(&module, Options::default()).unwrap_or_else(|error| panic!("{error}"));
        Interpreted { module, code }
    }

    /// The tensors of the externals after a step, from those that are read.
    pub fn step(
        &self,
        call: Call,
        given: &dyn Fn(&ExternalKey) -> Option<Arc<Tensor>>,
    ) -> Vec<(ExternalKey, Tensor)> {
        let precision = self.module.precision;
        let mut tensors: Vec<(ExternalKey, Tensor)> = Vec::new();
        for external in &self.module.externals {
            let zeros = Tensor::for_external(external, precision);
            let tensor = match given(&external.name) {
                Some(tensor) => {
                    Tensor::new(zeros.shape().to_vec(), like(&zeros, &tensor)).expect("as many elements")
                }
                None => zeros,
            };
            tensors.push((external.name.clone(), tensor));
        }
        let mut all: Vec<(Vec<usize>, Elements)> =
            tensors.iter().map(|(_, it)| (it.shape().to_vec(), it.elements().clone())).collect();
        let bindings = all.iter_mut().zip(&self.module.externals).map(|((_, elements), external)| {
            if external.written {
                Binding::Write(tensor_mut(elements, 0))
            } else {
                Binding::Read(tensor_ref(elements))
            }
        });
        let mut bindings: Vec<Binding<'_>> = bindings.collect();
        let mut workspace = self.code.workspace().unwrap_or_else(|error| panic!("{error}"));
        let fault = self.code.step(&mut workspace, &mut bindings, call, &Alone);
        assert!(fault.unwrap_or_else(|error| panic!("{error}")).is_none(), "an int has left 64 bits");
        drop(bindings);
        let made = tensors.into_iter().zip(all);
        made.map(|((key, _), (shape, it))| (key, Tensor::new(shape, it).expect("as many elements"))).collect()
    }
}

/// The elements of a tensor in the type of another one.
fn like(model: &Tensor, tensor: &Tensor) -> Elements {
    match model.elements() {
        Elements::F32(_) => Elements::F32(tensor.to_f32().into_owned()),
        Elements::F64(_) => Elements::F64(tensor.to_f64().into_owned()),
        Elements::I32(_) => {
            Elements::I32(tensor.to_i64().expect("ints").iter().map(|value| *value as i32).collect())
        }
        Elements::I64(_) => Elements::I64(tensor.to_i64().expect("ints").into_owned()),
        _ => Elements::Bool(tensor.to_i64().expect("ints").iter().map(|value| *value != 0).collect()),
    }
}

/// The bytes of the results of a row.
pub fn by_interpreter(
    deployed: &Deployed,
    row: &[Tensor],
    model: &Interpreted,
    preparation: Option<&Interpreted>,
) -> Vec<u8> {
    let fields = fields_of(deployed, row, preparation);
    let results = model.step(Call { step: 0, seed: deployed.program.checked().seed }, &|key| match key {
        ExternalKey::Input(InputKey::Field(name)) => {
            let at = deployed.fields.iter().position(|field| field.name == *name)?;
            fields.get(at).cloned()
        }
        ExternalKey::Input(InputKey::Column(key)) => {
            deployed.columns.iter().find(|(known, _)| known == key).map(|(_, array)| Arc::clone(array))
        }
        ExternalKey::Param(path) | ExternalKey::State(path) => {
            deployed.variables.iter().find(|(known, _)| known == path).map(|(_, array)| Arc::clone(array))
        }
        _ => None,
    });
    let mut outputs: Vec<(usize, &Tensor)> = results
        .iter()
        .filter_map(|(key, tensor)| match key {
            ExternalKey::Output(key) => Some((key.text().parse().ok()?, tensor)),
            _ => None,
        })
        .collect();
    outputs.sort_by_key(|(number, _)| *number);
    outputs.into_iter().flat_map(|(_, tensor)| bytes(tensor.elements())).collect()
}

/// What the model reads of a row.
pub fn fields_of(deployed: &Deployed, row: &[Tensor], preparation: Option<&Interpreted>) -> Vec<Arc<Tensor>> {
    let precision = deployed.program.checked().precision;
    match (preparation, &deployed.preparation) {
        (Some(code), Some(known)) => {
            let results = code.step(Call { step: 0, seed: 0 }, &|key| {
                let ExternalKey::Input(key) = key else { return None };
                let column = known.columns.iter().position(|column| column.name == *key);
                column.map(|at| Arc::new(row[at].clone())).or_else(|| known.known.get(key).cloned())
            });
            let field = |field: &DeployedField| {
                let is_it =
                    |key: &ExternalKey| matches!(key, ExternalKey::Output(key) if key.text() == field.name);
                let found = results.iter().find(|(key, _)| is_it(key)).expect("a field");
                let floats = Elements::F32(found.1.to_f32().into_owned());
                let is_narrow = precision == Precision::F32 && matches!(found.1.elements(), Elements::F64(_));
                let rounded = Tensor::new(found.1.shape().to_vec(), floats).expect("as many elements");
                Arc::new(if is_narrow { rounded } else { found.1.clone() })
            };
            deployed.fields.iter().map(field).collect()
        }
        _ => row.iter().cloned().map(Arc::new).collect(),
    }
}

/// Elements as they lie in memory.
pub fn bytes(elements: &Elements) -> Vec<u8> {
    match elements {
        Elements::F32(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::F64(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::I32(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::I64(values) => values.iter().flat_map(|value| value.to_ne_bytes()).collect(),
        Elements::U8(values) => values.clone(),
        Elements::Bool(values) => values.iter().map(|value| u8::from(*value)).collect(),
        other => panic!("elements that C does not have: {other:?}"),
    }
}
