//! Runs that go on in the folder in which they were kept: after a break, or with another rate.

use std::path::{Path, PathBuf};

use super::Run;
use crate::base::Diagnostic;
use crate::cli::backend::Choice;
use crate::cli::input::DataFiles;
use crate::cli::output::complain;
use crate::cli::runs::record::{Folder, changes, read_info};
use crate::cli::steer::with_rate;
use crate::cli::Failure;
use crate::ir::program::Action;
use crate::runtime::program::Program;

impl Run {
    /// A run that was kept in a folder and goes on, or begins again if nothing of it was kept.
    pub fn again(
        folder: PathBuf,
        resume: Option<PathBuf>,
        init: Option<PathBuf>,
        threads: Option<usize>,
        quiet: bool,
    ) -> Run {
        Run {
            file: folder.join("program.nn"),
            epochs: None,
            steps: None,
            batch: None,
            seed: None,
            threads,
            init,
            resume,
            changed: false,
            save: None,
            out: Some(folder),
            no_save: false,
            settings: Vec::new(),
            quiet,
            events: None,
            every: None,
            plots: None,
            data: DataFiles::default(),
            backend: Choice::default(),
            precision: None,
            timings: false,
            checked: false,
            joined: None,
            first_training: 0,
        }
    }

    /// Carries out a run of [`Run::again`].
    pub fn carry_out_kept(mut self, program: &Program) -> Result<(), Failure> {
        let path = self.out.take().unwrap_or_default();
        self.carry_out_joined(|run| run.carry_out_kept_here(program, &path))
    }

    fn carry_out_kept_here(mut self, program: &Program, path: &Path) -> Result<(), Failure> {
        if self.joined.as_ref().is_some_and(|joined| joined.rank > 0) {
            return self.carry_out_in(program, None);
        }
        let folder = self.reopened(program, path)?;
        self.carry_out_in(program, Some(folder))
    }

    /// The folder of a run that goes on. If it was broken off where its program was changed, what it goes on from is of
    /// the earlier one.
    fn reopened(&mut self, program: &Program, path: &Path) -> Result<Folder, Failure> {
        let mut session = program.session()?;
        let mut place = (0, 0);
        if let Some(resume) = &self.resume {
            let info = read_info(path).map_err(|error| program.failed([error]))?;
            let change = changes(&info).pop();
            if change.is_some() {
                session.resume_changed(resume)?;
            } else {
                session.resume(resume)?;
            }
            place = (session.trainings_before(), session.step());
            self.first_training = place.0;
            self.changed = change.is_some_and(|(training, step, _)| (training, step) == place);
        }
        Ok(Folder::reopen(path, place.0, place.1).map_err(|error| program.failed([error]))?)
    }

    /// The program with another rate, and the folder in which it goes on from what was kept.
    pub(super) fn with_rate(&mut self, rate: &str, folder: &Folder) -> Result<(Program, Folder), Failure> {
        let path = &folder.path;
        let (text, program) = with_rate(path, rate).map_err(Failure::Usage)?;
        (self.resume, self.init) = (Some(folder.last()), None);
        let mut session = program.session()?;
        session.resume_changed(folder.last())?;
        let place = (session.trainings_before(), session.step());
        if let Err(error) = folder.change_program(&text, place) {
            let message = format!("cannot write into `{}`: {error}", path.display());
            return Err(program.failed([Diagnostic::error("E0714", message)]).into());
        }
        complain(&format!("lr = {rate} from step {} on", place.1 + 1));
        program.check_accesses(self.checked);
        self.backend.apply(&program);
        let folder = self.reopened(&program, path)?;
        Ok((program, folder))
    }

    /// How many plots come before the training that the run goes on with.
    pub(super) fn plots_before(&self, program: &Program) -> usize {
        let actions = &program.checked().actions;
        let mut trainings = actions.iter().enumerate().filter(|(_, action)| matches!(action, Action::Train(_)));
        let first = trainings.nth(self.first_training).filter(|_| self.first_training > 0);
        let before = &actions[..first.map_or(0, |(at, _)| at)];
        before.iter().filter(|action| matches!(action, Action::Plot(_))).count()
    }
}
