//! Tensors out of what NumPy makes arrays of, and arrays out of tensors.

use nnc::{Elements, Tensor};
use numpy::{Element, IntoPyArray, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// The tensor of an array, or of whatever `numpy.asarray` takes. Elements are copied once.
pub fn tensor_of(values: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let array = values.py().import("numpy")?.call_method1("asarray", (values,))?;
    if let Some(tensor) = exactly::<f32>(&array, Elements::F32)? {
        return Ok(tensor);
    }
    if let Some(tensor) = exactly::<f64>(&array, Elements::F64)? {
        return Ok(tensor);
    }
    if let Some(tensor) = exactly::<bool>(&array, Elements::Bool)? {
        return Ok(tensor);
    }
    if let Some(tensor) = exactly::<u8>(&array, Elements::U8)? {
        return Ok(tensor);
    }
    if let Some(tensor) = exactly::<i32>(&array, Elements::I32)? {
        return Ok(tensor);
    }
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    let (wider, name) = match kind.as_str() {
        "i" | "u" => ("int64", "ints"),
        "f" => ("float64", "floats"),
        _ => {
            let ty = array.getattr("dtype")?;
            return Err(PyTypeError::new_err(format!("an array of numbers is needed, not of {ty}")));
        }
    };
    let array = array.call_method1("astype", (wider,))?;
    let found = match name {
        "ints" => exactly::<i64>(&array, Elements::I64)?,
        _ => exactly::<f64>(&array, Elements::F64)?,
    };
    found.ok_or_else(|| PyTypeError::new_err(format!("an array of {name} is needed")))
}

/// The tensor of an array whose elements are of one type.
fn exactly<T: Element + Copy>(
    array: &Bound<'_, PyAny>,
    elements: impl FnOnce(Vec<T>) -> Elements,
) -> PyResult<Option<Tensor>> {
    let Ok(array) = array.cast::<PyArrayDyn<T>>() else { return Ok(None) };
    let shape = array.shape().to_vec();
    let is_in_order = array.is_c_contiguous();
    let array = array.readonly();
    let values = match array.as_slice() {
        Ok(slice) if is_in_order => slice.to_vec(),
        _ => array.as_array().iter().copied().collect(),
    };
    let tensor = Tensor::new(shape, elements(values));
    tensor.map(Some).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// An array that owns its elements.
pub fn array_of(py: Python<'_>, tensor: &Tensor) -> PyResult<Py<PyAny>> {
    let shape = tensor.shape();
    match tensor.elements() {
        Elements::F32(values) => shaped(py, values.clone(), shape),
        Elements::F64(values) => shaped(py, values.clone(), shape),
        Elements::I32(values) => shaped(py, values.clone(), shape),
        Elements::I64(values) => shaped(py, values.clone(), shape),
        Elements::U8(values) => shaped(py, values.clone(), shape),
        Elements::Bool(values) => shaped(py, values.clone(), shape),
        _ => Err(PyTypeError::new_err("elements that NumPy does not have")),
    }
}

fn shaped<T: Element>(py: Python<'_>, values: Vec<T>, shape: &[usize]) -> PyResult<Py<PyAny>> {
    Ok(values.into_pyarray(py).reshape(shape.to_vec())?.into_any().unbind())
}
