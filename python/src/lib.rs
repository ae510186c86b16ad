//! The Python module `nnc._nnc`: programs, sessions, arrays of NumPy. What Python itself says better stands in
//! `nnc/__init__.py`.

mod arrays;
mod errors;
mod listener;

use std::path::PathBuf;
use std::sync::Mutex;

use nnc::Given;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use nnc::GivenError;

use arrays::{Array, array_of, tensor_of};
use errors::{NncError, raised};
use listener::Listener;

/// Data that a host program gives: of each data item its fields.
type Rows = Vec<(String, Vec<(String, nnc::Tensor)>)>;

/// A program that was checked.
#[pyclass(frozen)]
struct Program {
    program: nnc::Program,
}

/// The parameters of a program, and what trains them.
#[pyclass(frozen)]
struct Session {
    session: Mutex<nnc::Session>,
    program: nnc::Program,
}

/// Compiles the text of a program. Paths in it are relative to `folder`.
#[pyfunction]
#[pyo3(signature = (text, *, name = None, folder = None))]
fn compile(py: Python<'_>, text: &str, name: Option<String>, folder: Option<PathBuf>) -> PyResult<Program> {
    let mut options = nnc::Options::new().name(name.unwrap_or_else(|| "program".to_owned()));
    if let Some(folder) = folder {
        options = options.folder(folder);
    }
    let compiled = py.detach(|| nnc::compile_with(text, &options));
    compiled.map(|program| Program { program }).map_err(|errors| raised(py, &errors))
}

/// Compiles a file.
#[pyfunction]
fn compile_file(py: Python<'_>, path: PathBuf) -> PyResult<Program> {
    let compiled = py.detach(|| nnc::Program::from_file(&path));
    compiled.map(|program| Program { program }).map_err(|errors| raised(py, &errors))
}

#[pymethods]
impl Program {
    /// A session with new parameters, and with rows for the data items whose fields have no values.
    #[pyo3(signature = (rows, threads = None))]
    fn session(&self, py: Python<'_>, rows: &Bound<'_, PyDict>, threads: Option<usize>) -> PyResult<Session> {
        let mut given: Rows = Vec::new();
        for (data, fields) in rows.iter() {
            let fields = fields.cast_into::<PyDict>()?;
            let fields: PyResult<Vec<(String, nnc::Tensor)>> =
                fields.iter().map(|(name, values)| Ok((name.extract()?, tensor_of(&values)?))).collect();
            given.push((data.extract()?, fields?));
        }
        let program = self.program.clone();
        let made = py.detach(|| {
            let given = given.into_iter().fold(Given::new(), |all, (data, fields)| all.data(&data, fields));
            let mut session = program.session_with(given)?;
            if let Some(threads) = threads {
                session.set_threads(threads);
            }
            Ok::<nnc::Session, nnc::Diagnostics>(session)
        });
        let session = made.map_err(|errors| raised(py, &errors))?;
        Ok(Session { session: Mutex::new(session), program: self.program.clone() })
    }

    /// What was noticed when the program was checked, as texts.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.program
            .warnings()
            .iter()
            .map(|warning| format!("{}: {}", warning.code, warning.message))
            .collect()
    }

    /// The names of the models, each with the names and types of its inputs.
    #[getter]
    fn models(&self) -> Vec<(String, Vec<(String, String)>)> {
        let input = |(name, ty): &(std::sync::Arc<str>, nnc::ir::Type)| (name.to_string(), ty.to_string());
        let models = self.program.checked().models.iter();
        models.map(|model| (model.name.to_string(), model.inputs.iter().map(input).collect())).collect()
    }

    /// The paths of parameters, each with its type.
    #[getter]
    fn parameters(&self) -> Vec<(String, String)> {
        let parameters = self.program.checked().params.iter();
        parameters.map(|parameter| (parameter.path.to_string(), parameter.ty.to_string())).collect()
    }

    /// The gradient of every loss as a formula.
    fn derive(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.program.derive()).map_err(|errors| raised(py, &errors))
    }

    /// The number of classes of a field, if it is declared with one.
    fn classes_of(&self, data: &str, field: &str) -> Option<u64> {
        self.program.classes_of(data, field)
    }

    /// The exception about missing values of a field.
    fn missing(&self, py: Python<'_>, data: &str, field: &str, count: usize, row: usize) -> Py<PyAny> {
        self.wrong(py, data, field, &GivenError::Missing { count, row })
    }

    /// The exception about names that are no classes of a field.
    fn odd_names(&self, py: Python<'_>, data: &str, field: &str, names: Vec<String>) -> Py<PyAny> {
        self.wrong(py, data, field, &GivenError::Names { names })
    }

    /// The exception about values that are no numbers.
    fn odd_type(&self, py: Python<'_>, data: &str, field: &str, found: String) -> Py<PyAny> {
        self.wrong(py, data, field, &GivenError::Type { found })
    }
}

impl Program {
    fn wrong(&self, py: Python<'_>, data: &str, field: &str, error: &GivenError) -> Py<PyAny> {
        raised(py, &self.program.given_error(data, field, error)).into_value(py).into_any()
    }
}

impl Session {
    /// Calls a function with the session while other threads of Python run.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&mut nnc::Session) -> Result<T, nnc::Diagnostics> + Send,
    ) -> PyResult<T> {
        let made = py.detach(|| {
            let mut session = self.session.try_lock().map_err(|_| None)?;
            session.after_fork();
            call(&mut session).map_err(Some)
        });
        made.map_err(|errors| match errors {
            Some(errors) => raised(py, &errors),
            None => NncError::new_err("the session is at work in another thread, or in this one's callback"),
        })
    }

    fn listened(
        &self,
        py: Python<'_>,
        callback: Option<Py<PyAny>>,
        call: impl FnOnce(&mut nnc::Session, &mut Listener) -> Result<(), nnc::Diagnostics> + Send,
    ) -> PyResult<Py<PyDict>> {
        let mut listener = Listener::new(callback);
        let outcome = self.with(py, |session| call(session, &mut listener));
        let report = listener.finish(py)?;
        outcome.map(|()| report)
    }
}

#[pymethods]
impl Session {
    /// Carries out the trainings of the program. `callback` is called with a dictionary for each epoch; if it gives
    /// `False`, the training ends.
    #[pyo3(signature = (callback = None))]
    fn train(&self, py: Python<'_>, callback: Option<Py<PyAny>>) -> PyResult<Py<PyDict>> {
        self.listened(py, callback, |session, listener| session.train(listener).map(drop))
    }

    /// Carries out the whole program: also what it prints and expects.
    #[pyo3(signature = (callback = None))]
    fn run(&self, py: Python<'_>, callback: Option<Py<PyAny>>) -> PyResult<Py<PyDict>> {
        self.listened(py, callback, |session, listener| session.run(listener))
    }

    /// Losses and metrics over the rows of a data item: `{"loss": …, "losses": […], NAME: …}`.
    fn evaluate(&self, py: Python<'_>, data: &str) -> PyResult<Py<PyDict>> {
        let scores = self.with(py, |session| session.evaluate(data))?;
        listener::scores(py, &scores)
    }

    /// What a model gives for arrays: an array, or a tuple of several.
    #[pyo3(signature = (model, *inputs))]
    fn predict(&self, py: Python<'_>, model: &str, inputs: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let inputs = inputs.iter().map(|input| Array::of(&input)).collect::<PyResult<Vec<Array<'_>>>>()?;
        let views = inputs.iter().map(Array::view).collect::<PyResult<Vec<nnc::TensorView<'_>>>>()?;
        let results = self.with(py, |session| session.predict_views(model, &views))?;
        let mut arrays =
            results.into_iter().map(|result| array_of(py, result)).collect::<PyResult<Vec<_>>>()?;
        match arrays.len() {
            1 => Ok(arrays.remove(0)),
            _ => Ok(PyTuple::new(py, arrays)?.into_any().unbind()),
        }
    }

    /// All parameters and states, copied, by their paths.
    fn parameters(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let all = self.with(py, |session| {
            let paths: Vec<String> = session.parameters().map(str::to_owned).collect();
            Ok(paths
                .into_iter()
                .filter_map(|path| session.parameter(&path).cloned().map(|tensor| (path, tensor)))
                .collect::<Vec<(String, nnc::Tensor)>>())
        })?;
        let parameters = PyDict::new(py);
        for (path, tensor) in all {
            parameters.set_item(path, array_of(py, tensor)?)?;
        }
        Ok(parameters.unbind())
    }

    /// Puts an array in the place of a parameter.
    fn set_parameter(&self, py: Python<'_>, path: &str, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let tensor = tensor_of(values)?;
        self.with(py, |session| session.set_parameter(path, &tensor))
    }

    /// Reads parameters from a safetensors file, whose names may begin with a prefix.
    #[pyo3(signature = (path, prefix = ""))]
    fn load(&self, py: Python<'_>, path: PathBuf, prefix: &str) -> PyResult<()> {
        self.with(py, |session| session.load(&path, prefix, &mut nnc::Silent))
    }

    /// Writes parameters, states and the progress of the training into a safetensors file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.with(py, |session| session.save(&path))
    }

    /// The program.
    #[getter]
    fn program(&self) -> Program {
        Program { program: self.program.clone() }
    }
}

/// The command line: what `nnc ARGUMENTS` does, and its exit code.
#[pyfunction]
fn command(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
    py.detach(|| nnc::cli::command(arguments))
}

#[pymodule]
fn _nnc(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Program>()?;
    module.add_class::<Session>()?;
    module.add("NncError", module.py().get_type::<NncError>())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(compile, module)?)?;
    module.add_function(wrap_pyfunction!(compile_file, module)?)?;
    module.add_function(wrap_pyfunction!(command, module)?)
}
