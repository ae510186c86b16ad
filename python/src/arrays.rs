//! Arrays of NumPy as tensors, and tensors as arrays. Elements that lie as a tensor's are not copied.

use nnc::{Elements, ElementsView, Tensor, TensorView};
use numpy::{Element, IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// An array whose elements nnc can read where they are, borrowed for a call.
pub enum Array<'py> {
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
    I32(PyReadonlyArrayDyn<'py, i32>),
    I64(PyReadonlyArrayDyn<'py, i64>),
    U8(PyReadonlyArrayDyn<'py, u8>),
    Bool(PyReadonlyArrayDyn<'py, bool>),
}

impl<'py> Array<'py> {
    /// Whatever shares its memory by DLPack, or `numpy.asarray` takes. Copied are arrays whose last axis does not run
    /// fastest, and elements of types that nnc does not have.
    pub fn of(values: &Bound<'py, PyAny>) -> PyResult<Array<'py>> {
        let py = values.py();
        let numpy = py.import("numpy")?;
        let is_array = values.is_instance(&numpy.getattr("ndarray")?)?;
        let array = match !is_array && values.hasattr("__dlpack__")? {
            true => numpy.call_method1("from_dlpack", (values,)).map_err(|error| {
                let message = "memory that is shared by DLPack must be on the CPU, of numbers that NumPy has";
                PyTypeError::new_err(format!("{message}: {}", error.value(py)))
            })?,
            false => numpy.call_method1("asarray", (values,))?,
        };
        let ty = array.getattr("dtype")?;
        let (kind, size): (String, usize) =
            (ty.getattr("kind")?.extract()?, ty.getattr("itemsize")?.extract()?);
        let wanted = match (kind.as_str(), size) {
            ("f", 4) => "float32",
            ("f", _) => "float64",
            ("i", 4) => "int32",
            ("u", 1) => "uint8",
            ("i" | "u", _) => "int64",
            ("b", _) => "bool",
            _ => return Err(PyTypeError::new_err(format!("an array of numbers is needed, not of {ty}"))),
        };
        // Nothing is copied of what is so already.
        let array = numpy.call_method1("require", (array, wanted, ["C", "A"]))?;
        Ok(match wanted {
            "float32" => Array::F32(borrowed(&array)?),
            "float64" => Array::F64(borrowed(&array)?),
            "int32" => Array::I32(borrowed(&array)?),
            "uint8" => Array::U8(borrowed(&array)?),
            "bool" => Array::Bool(borrowed(&array)?),
            _ => Array::I64(borrowed(&array)?),
        })
    }

    /// A view, whose elements are read in the array's memory.
    pub fn view(&self) -> PyResult<TensorView<'_>> {
        let (shape, elements) = match self {
            Array::F32(array) => (array.shape(), ElementsView::F32(array.as_slice()?)),
            Array::F64(array) => (array.shape(), ElementsView::F64(array.as_slice()?)),
            Array::I32(array) => (array.shape(), ElementsView::I32(array.as_slice()?)),
            Array::I64(array) => (array.shape(), ElementsView::I64(array.as_slice()?)),
            Array::U8(array) => (array.shape(), ElementsView::U8(array.as_slice()?)),
            Array::Bool(array) => (array.shape(), ElementsView::Bool(array.as_slice()?)),
        };
        TensorView::new(shape, elements).map_err(|error| PyTypeError::new_err(error.to_string()))
    }
}

fn borrowed<'py, T: Element>(array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let array = array.cast::<PyArrayDyn<T>>().map_err(|_| {
        PyTypeError::new_err("an array of numbers in the order of bytes of this computer is needed")
    })?;
    Ok(array.try_readonly()?)
}

/// The tensor of an array, with a copy of its elements.
pub fn tensor_of(values: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    Ok(Array::of(values)?.view()?.to_tensor())
}

/// An array that has the elements of the tensor, not copied.
pub fn array_of(py: Python<'_>, tensor: Tensor) -> PyResult<Py<PyAny>> {
    let shape = tensor.shape().to_vec();
    match tensor.into_elements() {
        Elements::F32(values) => shaped(py, values, shape),
        Elements::F64(values) => shaped(py, values, shape),
        Elements::I32(values) => shaped(py, values, shape),
        Elements::I64(values) => shaped(py, values, shape),
        Elements::U8(values) => shaped(py, values, shape),
        Elements::Bool(values) => shaped(py, values, shape),
        _ => Err(PyTypeError::new_err("elements that NumPy does not have")),
    }
}

fn shaped<T: Element>(py: Python<'_>, values: Vec<T>, shape: Vec<usize>) -> PyResult<Py<PyAny>> {
    Ok(values.into_pyarray(py).reshape(shape)?.into_any().unbind())
}
