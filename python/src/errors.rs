//! What is wrong with a program or its run, as an exception whose text is the picture of the program's source.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(nnc, NncError, PyException, "What is wrong with a program, its data or its run.");

/// The exception of some diagnostics. Its attribute `codes` has the code of each.
pub fn raised(py: Python<'_>, errors: &nnc::Diagnostics) -> PyErr {
    let error = NncError::new_err(errors.to_string());
    let codes: Vec<&str> = errors.list.iter().map(|diagnostic| diagnostic.code).collect();
    // An exception without its codes is better than none.
    let _ = error.value(py).setattr("codes", codes);
    error
}
