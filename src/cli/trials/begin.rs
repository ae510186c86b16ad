//! Trials before they are carried out: where their folders are, and whether they have ended in an earlier try.

use std::path::{Path, PathBuf};

use super::crew::{self, Failed, Outcome};
use super::groups::{self, Done, Waiting};
use super::{again, results};
use crate::base::order::PutInOrder;
use crate::cli::runs::record::{Begun, Folder, next_folder};
use crate::cli::{Failure, folder};
use crate::runtime::program::{Diagnostics, Program};

/// So many trials are compiled before they are trained together.
const AT_ONCE: usize = 256;

/// Where trials have their folders.
pub struct Place<'a> {
    pub file: &'a Path,
    pub out: Option<&'a Path>,
    pub resume: Option<&'a Path>,
    /// What it is called after: `runs/NAME-sweep-N`.
    pub word: &'static str,
    /// What is in such a folder.
    pub first: &'static str,
}

impl Place<'_> {
    /// The folder that was named, or the next one.
    ///
    /// # Errors
    /// If it is none of trials, or has something in it.
    pub fn propose(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = self.resume {
            if !path.join(self.first).exists() && !path.join(results::TABLE).exists() {
                return Err(Failure::Usage(format!("`{}` is no folder of a {}", path.display(), self.word)));
            }
            return Ok(path.to_path_buf());
        }
        match self.out {
            Some(path) => {
                if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
                    return Err(Failure::Usage(format!("`{}` is not empty", path.display())));
                }
                Ok(path.to_path_buf())
            }
            None => {
                let stem = self.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
                next_folder(&format!("{stem}-{}", self.word)).map_err(folder::failed)
            }
        }
    }
}

/// What all trials begin with.
pub struct Start<'a> {
    /// The folder around theirs, if they are kept.
    pub path: Option<&'a Path>,
    /// What the folder of each is called after.
    pub word: &'static str,
    pub file: &'a Path,
    pub data: &'a [(String, PathBuf)],
    /// Whether trials that have ended are taken as they are.
    pub resumes: bool,
    pub together: bool,
}

impl Start<'_> {
    /// Gives a trial its folder, if it has not ended before.
    ///
    /// # Errors
    /// Those of making the folder, and E0776 if it is of another trial.
    pub fn of(&self, number: usize, program: Program, text: &str) -> Result<Begins, Diagnostics> {
        let Some(path) = self.path else { return Ok(Begins::Waits(Waiting { number, program, folder: None })) };
        let begun = Begun { program: &program, text, file: self.file, init: None, data: self.data };
        let path = path.join(format!("{}-{}", self.word, number + 1));
        if self.resumes
            && let Some(outcome) = again::earlier(&path, &begun).map_err(|error| program.failed([error]))?
        {
            return Ok(Begins::Ended(outcome));
        }
        let folder = Folder::create(Some(&path), &begun).map_err(|error| program.failed([error]))?;
        if self.together {
            folder.note_together();
        }
        Ok(Begins::Waits(Waiting { number, program, folder: Some(folder) }))
    }
}

/// A trial that was looked at.
pub enum Begins {
    /// It has its folder, if one is kept, and can be carried out.
    Waits(Waiting),
    /// It has ended in an earlier sweep.
    Ended(Outcome),
}

/// Hears of each trial by number, and what is to be said of it.
pub type Note<'a> = &'a mut dyn FnMut(usize, Result<Outcome, Failed>, &str);

/// Carries out trials of which those that differ in numbers only are trained together.
pub fn each_together(
    count: usize,
    jobs: usize,
    begin: &(dyn Fn(usize) -> Result<Begins, Diagnostics> + Sync),
    note: Note<'_>,
) {
    for from in (0..count).step_by(AT_ONCE) {
        let mut waiting = Vec::new();
        let begun = |at: usize| begin(from + at);
        crew::each(AT_ONCE.min(count - from), jobs, begun, |at, begun| match begun {
            Ok(Begins::Waits(one)) => waiting.push(one),
            Ok(Begins::Ended(outcome)) => note(from + at, Ok(outcome), ""),
            Err(errors) => note(from + at, Err(errors.into()), ""),
        });
        waiting.put_in_order_by_key(|one| one.number);
        let groups = groups::divided(waiting, jobs);
        let group = |at: usize| groups::carry_out(&groups[at]);
        crew::each(groups.len(), jobs, group, |_, ended| {
            for Done { number, outcome, together } in ended {
                let others = if together > 1 { format!("; one of {together} together") } else { String::new() };
                note(number, outcome.map_err(Failed::from), &others);
            }
        });
    }
}
