//! Checkpoints: a session as a safetensors file, from which training goes on bit by bit as if it had not been
//! broken off.
//!
//! Parameters and states stand under their paths, as in every safetensors file; all else under reserved
//! names: `nnc.optimizer.PATH` the states of the optimisers, `nnc.gathered.M.K` arguments of metrics of an
//! unfinished epoch, and in the metadata `nnc.progress`, a JSON object.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::array::Array;
use super::program::Diagnostics;
use super::session::{Session, convert};
use super::sources::checkpoint::{self, Wanted};
use super::sources::safetensors::{self, SafeTensors};
use super::train::Progress;
use super::train::averages::Averages;
use crate::base::Diagnostic;
use crate::ir::Elem;
use crate::ir::program::{Action, Train, Variable};

const PROGRESS: &str = "nnc.progress";
const OPTIMIZER: &str = "nnc.optimizer.";
const GATHERED: &str = "nnc.gathered.";

impl Session {
    /// Writes parameters, states and where the training is.
    ///
    /// # Errors
    /// E0714 if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Diagnostics> {
        let mut arrays: Vec<(String, &Array)> = Vec::new();
        for name in self.parameters() {
            arrays.extend(self.parameter(name).map(|array| (name.to_owned(), array)));
        }
        let mut metadata = BTreeMap::new();
        if let Some(progress) = &self.progress {
            for state in optimizer_states(self, progress.action) {
                arrays.extend(
                    self.parameter(&state.path).map(|array| (format!("{OPTIMIZER}{}", state.path), array)),
                );
            }
            for (metric, arguments) in progress.averages.gathered.iter().enumerate() {
                for (number, array) in arguments.iter().enumerate() {
                    arrays.push((format!("{GATHERED}{metric}.{number}"), array));
                }
            }
            metadata.insert(PROGRESS.to_owned(), progress_text(progress));
        }
        let named: Vec<(&str, &Array)> = arrays.iter().map(|(name, array)| (name.as_str(), *array)).collect();
        checkpoint::write(path, &named, &metadata).map_err(|error| self.program.failed([error]))
    }

    /// Goes on where a file was [saved](Session::save): [`Session::run`] then begins with the training that
    /// was at work, and takes the steps that are left.
    ///
    /// # Errors
    /// E0730 if the file was not saved by a run of this program.
    pub fn resume(&mut self, path: &Path) -> Result<(), Diagnostics> {
        let program = self.program.clone();
        self.read_checkpoint(path).map_err(|error| program.failed([error]))
    }

    /// Whether a training has begun and left parameters that are worth keeping.
    pub fn is_trained(&self) -> bool {
        self.progress.is_some() && !self.damaged
    }

    /// Steps that the last training took.
    pub fn step(&self) -> u64 {
        self.progress.as_ref().map_or(0, |progress| progress.step)
    }

    fn read_checkpoint(&mut self, path: &Path) -> Result<(), Diagnostic> {
        let wrong = |what: &str| {
            Diagnostic::error("E0730", format!("cannot go on from `{}`: {what}", path.display()))
                .help("`--init` starts anew from the parameters of any safetensors file")
        };
        let file = safetensors::open(path)?;
        let text = file.metadata().get(PROGRESS).ok_or_else(|| wrong("it has no training in it"))?;
        let mut progress =
            progress_of(text).ok_or_else(|| wrong("what it says about the training cannot be read"))?;
        let program = self.program.clone();
        let Some(Action::Train(_)) = program.checked().actions.get(progress.action) else {
            return Err(wrong("the program has no `train` in that place"));
        };
        let own = program.checked().params.iter().chain(&program.checked().states);
        self.read_variables(&file, "", &own.collect::<Vec<_>>())?;
        let states = optimizer_states(self, progress.action);
        self.read_variables(&file, OPTIMIZER, &states.iter().collect::<Vec<_>>())?;
        for metric in 0.. {
            let named = |number: usize| format!("{GATHERED}{metric}.{number}");
            let arguments = (0..).map_while(|number: usize| {
                file.shape(&named(number))?;
                Some(file.tensor(&named(number)).and_then(|stored| stored.load()))
            });
            let arguments = arguments.collect::<Result<Vec<Array>, Diagnostic>>()?;
            if arguments.is_empty() {
                break;
            }
            progress.averages.gathered.push(arguments);
        }
        self.first_action = progress.action;
        self.progress = Some(progress);
        Ok(())
    }

    fn read_variables(
        &mut self,
        file: &SafeTensors,
        prefix: &str,
        variables: &[&Variable],
    ) -> Result<(), Diagnostic> {
        let wanted: Vec<Wanted> = variables.iter().map(|own| Wanted::of(own)).collect();
        let (arrays, _) = checkpoint::find(file, prefix, &wanted)?;
        for (variable, stored) in variables.iter().zip(arrays) {
            let array = stored.load()?;
            let array = convert(&array, variable.ty.elem, self.memory.precision).unwrap_or_else(|| {
                // A state of ints that holds none: the shape is right, the numbers are not ours.
                Arc::new(Array::zeros(Elem::Int, self.memory.precision, array.shape().to_vec()))
            });
            match self.memory.find(&variable.path) {
                Some(cell) => self.memory.set(cell, array),
                None => drop(self.memory.add_named(variable.path.clone(), array)),
            }
        }
        Ok(())
    }
}

fn optimizer_states(session: &Session, action: usize) -> Vec<Variable> {
    match session.program.checked().actions.get(action) {
        Some(Action::Train(train)) => Train::clone(train).optimizer_states,
        Some(Action::Print(_) | Action::Expect(_) | Action::Plot(_) | Action::Generate(_)) | None => {
            Vec::new()
        }
    }
}

/// Floats as their bits: what is read back is what was written.
fn progress_text(progress: &Progress) -> String {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits().to_string()).collect::<Vec<_>>();
    json!({
        "action": progress.action,
        "step": progress.step,
        "best": progress.best.to_bits().to_string(),
        "waited": progress.waited,
        "rows": progress.averages.rows.to_bits().to_string(),
        "losses": bits(&progress.averages.losses),
        "metrics": bits(&progress.averages.metrics),
    })
    .to_string()
}

fn progress_of(text: &str) -> Option<Progress> {
    let value: Value = serde_json::from_str(text).ok()?;
    let float = |value: &Value| value.as_str()?.parse().ok().map(f64::from_bits);
    let floats = |name: &str| value[name].as_array()?.iter().map(float).collect::<Option<Vec<f64>>>();
    let averages = Averages {
        rows: float(&value["rows"])?,
        losses: floats("losses")?,
        metrics: floats("metrics")?,
        gathered: Vec::new(),
    };
    Some(Progress {
        action: usize::try_from(value["action"].as_u64()?).ok()?,
        step: value["step"].as_u64()?,
        best: float(&value["best"])?,
        waited: usize::try_from(value["waited"].as_u64()?).ok()?,
        averages,
    })
}
