//! What a training tells Python: a callback after each epoch, and Ctrl-C.

use nnc::{Event, Observer};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Listens to a session for a callback.
pub struct Listener {
    callback: Option<Py<PyAny>>,
    /// The first exception of the callback, or that of Ctrl-C.
    error: Option<PyErr>,
    is_over: bool,
    printed: Vec<String>,
    steps_per_epoch: Option<u64>,
    trained: Option<nnc::Trained>,
}

impl Listener {
    pub fn new(callback: Option<Py<PyAny>>) -> Listener {
        Listener {
            callback,
            error: None,
            is_over: false,
            printed: Vec::new(),
            steps_per_epoch: None,
            trained: None,
        }
    }

    /// What the trainings came to.
    pub fn finish(self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let report = PyDict::new(py);
        report.set_item("printed", self.printed)?;
        if let Some(trained) = self.trained {
            report.set_item("steps", trained.steps)?;
            report.set_item("epochs", trained.epochs)?;
            report.set_item("seconds", trained.seconds)?;
            report.set_item("reason", trained.reason.name())?;
            report.set_item("train", scores(py, &trained.last)?)?;
            if let Some(validation) = &trained.validation {
                report.set_item("validation", scores(py, validation)?)?;
            }
        }
        Ok(report.unbind())
    }

    fn call(&mut self, report: &nnc::EpochReport) {
        let Some(callback) = &self.callback else { return };
        let outcome = Python::attach(|py| {
            let epoch = PyDict::new(py);
            epoch.set_item("epoch", report.epoch)?;
            epoch.set_item("epochs", report.epochs)?;
            epoch.set_item("step", report.step)?;
            epoch.set_item("steps", report.steps)?;
            epoch.set_item("train", scores(py, &report.train)?)?;
            if let Some(validation) = &report.validation {
                epoch.set_item("validation", scores(py, validation)?)?;
            }
            let answer = callback.call1(py, (epoch,))?;
            Ok::<bool, PyErr>(answer.bind(py).extract::<bool>().is_ok_and(|goes_on| !goes_on))
        });
        match outcome {
            Ok(is_over) => self.is_over |= is_over,
            Err(error) => self.error = Some(error),
        }
    }
}

impl Observer for Listener {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(start) => self.steps_per_epoch = Some(start.steps_per_epoch),
            Event::Epoch(report) if self.error.is_none() => self.call(report),
            Event::Print(text) => self.printed.push((*text).to_owned()),
            Event::End(trained) => self.trained = Some((*trained).clone()),
            _ => {}
        }
    }

    fn stop(&mut self) -> bool {
        if self.error.is_none()
            && let Err(error) = Python::attach(|py| py.check_signals())
        {
            self.error = Some(error);
        }
        self.is_over || self.error.is_some()
    }

    /// A callback is asked after each epoch.
    fn steps_at_once(&self) -> Option<u64> {
        self.callback.as_ref().and(self.steps_per_epoch)
    }

    fn leave(&mut self) -> bool {
        self.error.is_some()
    }
}

/// Losses and metrics by their names.
pub fn scores(py: Python<'_>, scores: &nnc::Scores) -> PyResult<Py<PyDict>> {
    let all = PyDict::new(py);
    all.set_item("loss", scores.loss())?;
    all.set_item("losses", scores.losses.clone())?;
    for (name, value) in &scores.metrics {
        all.set_item(&**name, *value)?;
    }
    Ok(all.unbind())
}
