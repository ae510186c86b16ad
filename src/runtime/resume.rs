//! Checkpoints: a session as a safetensors file, from which training goes on bit by bit as if it had not been
//! broken off.
//!
//! Parameters and states stand under their paths, as in every safetensors file; all else under reserved
//! names: `nnc.optimizer.PATH` the states of the optimisers, `nnc.kept.PATH` the parameters of the best epoch so far,
//! `nnc.left.PATH` those after the last step if the best have taken their place, `nnc.gathered.M.K` arguments of
//! metrics of an unfinished epoch, and in the metadata `nnc.progress` and `nnc.fingerprint`, JSON objects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::array::Array;
use super::events::{Event, Observer};
use super::fingerprint::Fingerprint;
use super::kept;
use super::program::Diagnostics;
use super::report::Problem;
use super::report::programs::ParameterError;
use super::report::training::ResumeError;
use super::session::{Session, convert};
use super::sources::checkpoint::{self, Wanted};
use super::sources::safetensors::{self, SafeTensors};
use super::train::{Progress, Values};
use crate::base::{Diagnostic, Severity};
use crate::ir::program::{Action, Variable};

const PROGRESS: &str = "nnc.progress";
const FINGERPRINT: &str = "nnc.fingerprint";
const BEST: &str = "nnc.best";
const OPTIMIZER: &str = "nnc.optimizer.";
const GATHERED: &str = "nnc.gathered.";
const KEPT: &str = "nnc.kept.";
const LEFT: &str = "nnc.left.";

/// How long at most is lost if the process is killed, while saving takes no time.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// What writes a checkpoint's arrays and texts.
type Write<'a, T> = &'a mut dyn FnMut(&[(&str, &Array)], &BTreeMap<String, String>) -> Result<T, Diagnostic>;

/// The file in which a session keeps what was learnt.
pub(super) struct Keeper {
    path: PathBuf,
    /// When the last try ended, and how long it took.
    last: Duration,
    cost: Duration,
    /// The action and step that the file is of, if it was written within a training.
    saved: Option<(usize, u64)>,
    /// Whether nothing was learnt since the file was written.
    is_current: bool,
    /// Whether it was told that the file cannot be written.
    has_complained: bool,
    best: Option<Best>,
}

/// The parameters with the least loss of the validation, and the file in which they are kept.
struct Best {
    path: PathBuf,
    /// The number of the training, the epoch and its loss.
    action: usize,
    epoch: u64,
    loss: f64,
    arrays: Vec<(String, Array)>,
    is_written: bool,
}

impl Best {
    fn text(&self) -> String {
        let bits = self.loss.to_bits().to_string();
        json!({ "action": self.action, "epoch": self.epoch, "loss": bits }).to_string()
    }
}

impl Keeper {
    fn new(path: PathBuf, now: Duration) -> Keeper {
        Keeper { path, last: now, saved: None, cost: Duration::ZERO, is_current: false, has_complained: false, best: None }
    }

    /// Often, but not so often that it takes more than a little of the time.
    fn is_due(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) >= (self.cost * 50).max(SAVE_EVERY)
    }

    /// Notes how a try ended that lasted from `begun` to `now`; gives what is to be told.
    fn note(
        &mut self,
        written: Result<(), Diagnostic>,
        begun: Duration,
        now: Duration,
    ) -> Option<Diagnostic> {
        (self.cost, self.last) = (now.saturating_sub(begun), now);
        self.is_current = written.is_ok();
        let error = written.err()?;
        let is_news = !std::mem::replace(&mut self.has_complained, true);
        is_news.then(|| error.note("training goes on; it is tried again"))
    }
}

impl Session {
    /// Writes parameters, states and where the training is.
    ///
    /// # Errors
    /// E0714 if the file cannot be written; the file is then as it was.
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<(), Diagnostics> {
        let path = path.as_ref();
        self.take_fingerprint(self.progress.as_ref().map(|progress| progress.action));
        let world = Arc::clone(self.program.world());
        let written = self.write(self.progress.as_ref(), &mut |arrays, metadata| {
            checkpoint::write(&*world, path, arrays, metadata)
        });
        written.map_err(|error| self.program.failed([error]))
    }

    /// Writes the same into the folder for temporary files, under a new name that begins as that of `path`.
    /// Gives that name.
    ///
    /// # Errors
    /// E0714 if that fails, too.
    pub fn rescue(&self, path: impl AsRef<Path>) -> Result<PathBuf, Diagnostics> {
        let path = path.as_ref();
        let written = self.write(self.progress.as_ref(), &mut |arrays, metadata| {
            checkpoint::rescue(&**self.program.world(), path, arrays, metadata)
        });
        written.map_err(|error| self.program.failed([error]))
    }

    /// From now on saves to this file whenever a `train` ends, and while it is at work every few seconds.
    pub fn save_to(&mut self, path: impl Into<PathBuf>) {
        self.keeper = Some(Keeper::new(path.into(), self.now()));
    }

    /// From now on keeps the parameters with the least loss of the validation in another file, beside that of
    /// [`Session::save_to`]. Goes on with the file if the training goes on.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn save_best_to(&mut self, path: impl Into<PathBuf>) -> Result<(), Diagnostics> {
        let path = path.into();
        let failed = |error: Diagnostic| self.program.failed([error]);
        let mut best = Best {
            path,
            action: usize::MAX,
            epoch: 0,
            loss: f64::INFINITY,
            arrays: Vec::new(),
            is_written: true,
        };
        if self.progress.is_some() && self.program.world().open(&best.path).is_ok() {
            let world = self.program.world();
            let file = safetensors::open(&**world, &best.path).map_err(failed)?;
            let text = file.metadata().get(BEST).map_or("", String::as_str);
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            let bits = value["loss"].as_str().and_then(|text| text.parse().ok());
            if let (Some(action), Some(epoch), Some(bits)) =
                (value["action"].as_u64(), value["epoch"].as_u64(), bits)
            {
                (best.action, best.epoch) = (action as usize, epoch);
                best.loss = f64::from_bits(bits);
            }
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.best = Some(best);
        }
        Ok(())
    }

    /// How many trainings of the program come before the one that it goes on with.
    pub fn trainings_before(&self) -> usize {
        let actions = self.program.checked().actions.iter().take(self.first_action);
        actions.filter(|action| matches!(action, Action::Train(_))).count()
    }

    /// Notes the validation of an epoch, whose parameters are there now.
    pub(super) fn note_validation(&mut self, action: usize, epoch: u64, loss: f64) {
        let is_better = |best: &Best| best.action != action || loss < best.loss;
        let Some(Keeper { best: Some(best), .. }) = &self.keeper else { return };
        if !is_better(best) || loss.is_nan() {
            return;
        }
        let arrays = self.parameters().map(str::to_owned).collect::<Vec<_>>().into_iter();
        let arrays = arrays.filter_map(|name| Some((name.clone(), self.parameter(&name)?.clone())));
        let arrays = arrays.collect();
        if let Some(best) = self.keeper.as_mut().and_then(|keeper| keeper.best.as_mut()) {
            let path = std::mem::take(&mut best.path);
            *best = Best { path, action, epoch, loss, arrays, is_written: false };
        }
    }

    /// Writes the best parameters, if there are new ones.
    fn write_best(&self, keeper: &mut Keeper) -> Result<(), Diagnostic> {
        let Some(best) = keeper.best.as_mut().filter(|best| !best.is_written) else { return Ok(()) };
        let learnt = self.learnt();
        let mut metadata = BTreeMap::from([(BEST.to_owned(), best.text())]);
        metadata.extend((!learnt.is_empty()).then(|| learnt.metadata()));
        let arrays = best.arrays.iter().map(|(name, array)| (name.clone(), array));
        let arrays: Vec<(String, &Array)> = arrays.chain(learnt.arrays()).collect();
        let named: Vec<(&str, &Array)> = arrays.iter().map(|(name, array)| (name.as_str(), *array)).collect();
        checkpoint::write(&**self.program.world(), &best.path, &named, &metadata)?;
        best.is_written = true;
        Ok(())
    }

    /// The step of the present action that is saved already.
    pub(super) fn saved_step(&self, action: usize) -> Option<u64> {
        let saved = self.keeper.as_ref()?.saved;
        saved.filter(|(of, _)| *of == action).map(|(_, step)| step)
    }

    /// Whether the file of [`Session::save_to`] has what was learnt so far.
    pub fn is_saved(&self) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.is_current)
    }

    /// Whether it is time to save a training at work.
    pub(super) fn is_save_due(&self) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.is_due(self.now()))
    }

    /// Saves a training at work, if it is time to. What goes wrong is told once; there is another try later.
    pub(super) fn keep_up(&mut self, progress: &Progress, observer: &mut dyn Observer) {
        if let Some(keeper) = &mut self.keeper {
            keeper.is_current = false;
        }
        if self.is_save_due() {
            self.keep(Some(progress), observer);
        }
    }

    /// Saves what a `train` that has ended learnt.
    pub(super) fn keep_all(&mut self, observer: &mut dyn Observer) {
        let progress = self.progress.take();
        self.keep(progress.as_ref(), observer);
        self.progress = progress;
    }

    fn keep(&mut self, progress: Option<&Progress>, observer: &mut dyn Observer) {
        let Some(mut keeper) = self.keeper.take() else { return };
        let begun = self.now();
        self.take_fingerprint(progress.map(|progress| progress.action));
        let world = Arc::clone(self.program.world());
        // The best first: a training that goes on from the other file finds the same best again.
        let written = self.write_best(&mut keeper).and_then(|()| {
            self.write(progress, &mut |arrays, metadata| {
                checkpoint::write(&*world, &keeper.path, arrays, metadata)
            })
        });
        if let (Ok(()), Some(progress)) = (&written, progress) {
            keeper.saved = Some((progress.action, progress.step));
        }
        if let Some(mut error) = keeper.note(written, begun, self.now()) {
            error.severity = Severity::Warning;
            observer.event(&Event::Warning(&error));
        }
        self.keeper = Some(keeper);
    }

    /// Makes the fingerprint that a checkpoint of this action has. Data that was read for the training is there;
    /// a checkpoint without a fingerprint is better than none.
    fn take_fingerprint(&mut self, action: Option<usize>) {
        if let Some(action) = action
            && self.fingerprint.as_ref().is_none_or(|(known, _)| *known != action)
        {
            let made = Fingerprint::of(self, action).ok().flatten();
            self.fingerprint = made.map(|fingerprint| (action, fingerprint));
        }
    }

    /// Hands what makes up a checkpoint to what writes it.
    fn write<T>(&self, progress: Option<&Progress>, write: Write<'_, T>) -> Result<T, Diagnostic> {
        let mut arrays: Vec<(String, &Array)> = Vec::new();
        for name in self.parameters() {
            arrays.extend(self.parameter(name).map(|array| (name.to_owned(), array)));
        }
        let mut metadata = BTreeMap::new();
        if let Some(progress) = progress {
            for state in optimizer_states(self, progress.action) {
                arrays.extend(
                    self.parameter(&state.path).map(|array| (format!("{OPTIMIZER}{}", state.path), array)),
                );
            }
            // At the end the best ones stand under their own paths.
            let (prefix, values) = match (&progress.kept, progress.left.is_empty()) {
                (Some(kept), true) => (KEPT, &kept.values),
                _ => (LEFT, &progress.left),
            };
            arrays.extend(values.iter().map(|(path, array)| (format!("{prefix}{path}"), &**array)));
            for (metric, arguments) in progress.averages.gathered.iter().enumerate() {
                for (number, array) in arguments.iter().enumerate() {
                    arrays.push((format!("{GATHERED}{metric}.{number}"), array));
                }
            }
            metadata.insert(PROGRESS.to_owned(), progress::text(progress));
            let of_this = self.fingerprint.as_ref().filter(|(action, _)| *action == progress.action);
            metadata.extend(of_this.map(|(_, made)| (FINGERPRINT.to_owned(), made.text())));
        }
        let learnt = self.learnt();
        arrays.extend(learnt.arrays());
        metadata.extend((!learnt.is_empty()).then(|| learnt.metadata()));
        let named: Vec<(&str, &Array)> = arrays.iter().map(|(name, array)| (name.as_str(), *array)).collect();
        write(&named, &metadata)
    }

    /// Goes on where a file was [saved](Session::save): [`Session::run`] then begins with the training that
    /// was at work, and takes the steps that are left.
    ///
    /// # Errors
    /// E0730 if the file was not saved by a run of this program, E0733 if the program, its data or its settings
    /// have changed since in a way that steps depend on: the number of epochs may be another.
    pub fn resume(&mut self, path: impl AsRef<Path>) -> Result<(), Diagnostics> {
        let path = path.as_ref();
        let program = self.program.clone();
        self.given = true;
        let read = self.read_checkpoint(path, false).map(drop);
        read.map_err(|error| program.failed([error]))
    }

    /// The same, also with a program, data or settings that have changed. Gives a warning that says how.
    ///
    /// # Errors
    /// E0730, E0713 if parameters or states of the optimisers have other shapes.
    pub fn resume_changed(&mut self, path: impl AsRef<Path>) -> Result<Option<Diagnostic>, Diagnostics> {
        let path = path.as_ref();
        let program = self.program.clone();
        self.given = true;
        self.read_checkpoint(path, true).map_err(|error| program.failed([error]))
    }

    /// Whether a training has begun and left parameters that are worth keeping.
    pub fn is_trained(&self) -> bool {
        self.progress.is_some() && !self.damaged
    }

    /// Steps that the last training took.
    pub fn step(&self) -> u64 {
        self.progress.as_ref().map_or(0, |progress| progress.step)
    }

    fn read_checkpoint(&mut self, path: &Path, changed: bool) -> Result<Option<Diagnostic>, Diagnostic> {
        let shown = || path.display().to_string();
        let file = safetensors::open(&**self.program.world(), path)?;
        let text =
            file.metadata().get(PROGRESS).ok_or_else(|| ResumeError::NoTraining { file: shown() })?;
        let mut progress = progress::of(text).ok_or_else(|| ResumeError::Unreadable { file: shown() })?;
        let program = self.program.clone();
        let Some(Action::Train(_)) = program.checked().actions.get(progress.action) else {
            return Err(ResumeError::NoTrain { file: shown() }.into());
        };
        self.kept = kept::Kept::of_file(&file)?.filter(|kept| kept.given).map(Arc::new);
        let differences = self.differences(&file, progress.action)?;
        let other = ResumeError::OtherTraining { file: shown(), differences, is_allowed: changed };
        let warning = match &other {
            ResumeError::OtherTraining { differences, .. } if differences.is_empty() => None,
            other if changed => Some(other.diagnostic()),
            other => return Err(other.diagnostic()),
        };
        let variables = program.checked().params.iter().chain(&program.checked().states);
        self.read_variables(&file, "", &variables.collect::<Vec<_>>())?;
        let states = optimizer_states(self, progress.action);
        self.read_variables(&file, OPTIMIZER, &states.iter().collect::<Vec<_>>())?;
        self.read_kept(&file, &mut progress)?;
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
        self.resumed_changed = warning.is_some();
        Ok(warning)
    }

    /// Reads the parameters of the best epoch; if these have taken the place of the last ones, those, too.
    fn read_kept(&mut self, file: &SafeTensors, progress: &mut Progress) -> Result<(), Diagnostic> {
        let Some(kept) = &mut progress.kept else { return Ok(()) };
        let program = self.program.clone();
        let variables: Vec<&Variable> = program.checked().params.iter().chain(&program.checked().states).collect();
        let now = |session: &Session| -> Values {
            let cells = variables.iter().filter_map(|variable| Some((variable.path.clone(), session.memory.find(&variable.path)?)));
            cells.map(|(path, cell)| (path, session.memory.shared(cell))).collect()
        };
        let is_over = file.names().any(|name| name.starts_with(LEFT));
        if is_over {
            kept.values = now(self);
            return self.read_variables(file, LEFT, &variables);
        }
        let last = now(self);
        self.read_variables(file, KEPT, &variables)?;
        kept.values = now(self);
        for (path, value) in last {
            if let Some(cell) = self.memory.find(&path) {
                self.memory.set(cell, value);
            }
        }
        Ok(())
    }

    /// How the training differs from the one that wrote a checkpoint.
    fn differences(&mut self, file: &SafeTensors, action: usize) -> Result<Vec<String>, Diagnostic> {
        let Some(saved) = file.metadata().get(FINGERPRINT).and_then(|text| Fingerprint::parse(text)) else {
            return Ok(vec!["the file does not say of which program and data it is".to_owned()]);
        };
        let now = Fingerprint::of(self, action)?;
        let differences = now.as_ref().map_or_else(Vec::new, |now| now.differences_from(&saved));
        self.fingerprint = now.map(|now| (action, now));
        Ok(differences)
    }

    fn read_variables(
        &mut self,
        file: &SafeTensors,
        prefix: &str,
        variables: &[&Variable],
    ) -> Result<(), Diagnostic> {
        let wanted: Vec<Wanted> = variables.iter().map(|variable| Wanted::of(variable)).collect();
        let (arrays, _) = checkpoint::find(file, prefix, &wanted, None)?;
        for (variable, stored) in variables.iter().zip(arrays) {
            let array = stored.load()?;
            let array = convert(&array, variable.ty.elem, self.memory.precision).ok_or_else(|| {
                let (path, elem) = (variable.path.clone(), variable.ty.elem);
                ParameterError::OfFile { path, elem }
            })?;
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
        Some(Action::Train(train)) => train.step.states.clone(),
        Some(Action::Print(_) | Action::Expect(_) | Action::Plot(_) | Action::Generate(_)) | None => {
            Vec::new()
        }
    }
}

mod progress;
#[cfg(test)]
mod tests;
