//! Several trained models as one: what they say of a row is averaged.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::folder::{self, Model};
use super::input::DataFiles;
use super::progress::Terminal;
use super::Failure;
use crate::base::Diagnostic;
use crate::runtime::answers::meaning::{Meaning, Probabilities, Reading};
use crate::runtime::answers::predictor::Predictor;
use crate::runtime::answers::trained::{Trained, Wish};
use crate::runtime::array::{Array, Elements};
use crate::runtime::events::{Observer, Silent};
use crate::runtime::program::Program;

/// One or more models. The first says what results are called.
pub struct Ensemble {
    pub program: Program,
    pub lead: Trained,
    pub others: Vec<Trained>,
    /// How the results of each are to be read, the first first.
    meanings: Vec<Meaning>,
}

impl Ensemble {
    /// The models in some folders, or one program. Warnings of the first are told, if any are.
    ///
    /// # Errors
    /// Those of reading them, E0771 if they do not predict the same.
    pub fn new(
        paths: &[PathBuf],
        weights: Option<&Path>,
        data: &DataFiles,
        wish: &Wish<'_>,
        (tells, checked): (bool, bool),
    ) -> Result<Ensemble, Failure> {
        let mut all: Vec<(Program, Trained)> = Vec::new();
        for path in paths {
            let Model { program, weights } = folder::model(path, weights, data)?;
            program.check_accesses(checked);
            let mut terminal = Terminal::new(true, false, program.sources().clone());
            let tells = tells && all.is_empty();
            let observer: &mut dyn Observer = if tells { &mut terminal } else { &mut Silent };
            let wish = Wish { weights: weights.as_deref(), ..*wish };
            let trained = Trained::new(&program, &wish, observer)?;
            all.push((program, trained));
        }
        Ensemble::of(all, paths)
    }

    /// Such models, which were read from these paths.
    ///
    /// # Errors
    /// E0771 if they do not predict the same.
    pub fn of(all: Vec<(Program, Trained)>, paths: &[PathBuf]) -> Result<Ensemble, Failure> {
        let meanings: Vec<Meaning> = all.iter().map(|(_, trained)| trained.predictor.meaning.clone()).collect();
        let mut all = all.into_iter();
        let Some((program, mut lead)) = all.next() else {
            return Err(folder::failed(Diagnostic::fault("a sweep without trials")));
        };
        let others: Vec<Trained> = all.map(|(_, trained)| trained).collect();
        let differs = |(other, path): &(&Trained, &PathBuf)| (!are_alike(&lead.predictor, &other.predictor)).then(|| path.display().to_string());
        if let Some(path) = others.iter().zip(&paths[1..]).find_map(|pair| differs(&pair)) {
            let message = format!("`{}` and `{path}` do not predict the same", paths[0].display());
            return Err(program.failed([Diagnostic::error("E0771", message)]).into());
        }
        if !others.is_empty() {
            lead.predictor.meaning.reading = averaged(lead.predictor.meaning.reading);
        }
        Ok(Ensemble { program, lead, others, meanings })
    }

    /// How many models there are.
    pub fn len(&self) -> usize {
        self.meanings.len()
    }

    /// The results of the first model and those of the others, averaged: probabilities where there are any.
    ///
    /// # Errors
    /// If there are too few results of the others.
    pub fn mean(&self, of_lead: Vec<Array>, of_others: &mut [Waiting]) -> Result<Vec<Array>, Diagnostic> {
        if of_others.is_empty() {
            return Ok(of_lead);
        }
        let mut sums: Vec<Vec<f64>> = (0..of_lead.len()).map(|at| shares(&self.meanings[0], at, &of_lead[at])).collect();
        for waiting in of_others {
            waiting.taken += of_lead.first().map_or(0, Array::rows);
            for (sum, values) in sums.iter_mut().zip(&mut waiting.values) {
                if values.len() < sum.len() {
                    return Err(Diagnostic::fault("a model has said less than the others"));
                }
                let taken = values.drain(..sum.len());
                taken.zip(sum.iter_mut()).for_each(|(value, sum)| *sum += value);
            }
        }
        let count = self.len() as f64;
        let mean = |(array, sum): (Array, Vec<f64>)| {
            let elements = match array.elements() {
                Elements::F64(_) => Elements::F64(sum.iter().map(|sum| sum / count).collect()),
                _ => Elements::F32(sum.iter().map(|sum| (sum / count) as f32).collect()),
            };
            Array::new(array.shape().to_vec(), elements).map_err(|error| Diagnostic::fault(error.to_string()))
        };
        of_lead.into_iter().zip(sums).map(mean).collect()
    }

    /// Notes results of one of the others, by number.
    pub fn note(&self, number: usize, results: &[Array], rows: usize, waiting: &mut Waiting) {
        waiting.values.resize(results.len(), VecDeque::new());
        for (at, array) in results.iter().enumerate() {
            let values = shares(&self.meanings[number + 1], at, array);
            waiting.values[at].extend(&values[..rows * array.row_len()]);
        }
        waiting.rows += rows;
    }
}

/// What one of several models has said and nobody has asked for yet.
#[derive(Default)]
pub struct Waiting {
    /// For each result.
    values: Vec<VecDeque<f64>>,
    /// So many rows were noted in all, and so many of them asked for.
    pub rows: usize,
    taken: usize,
}

impl Waiting {
    /// How many rows were noted and not asked for.
    pub fn left(&self) -> usize {
        self.rows - self.taken
    }
}

/// How the mean of such results is to be read.
fn averaged(reading: Reading) -> Reading {
    match reading {
        Reading::Classes(count, Probabilities::OfScores) => Reading::Classes(count, Probabilities::Themselves),
        Reading::Truth(_) => Reading::Truth(Probabilities::Themselves),
        other => other,
    }
}

/// What is averaged of a result: probabilities, or the numbers as they are.
fn shares(meaning: &Meaning, result: usize, array: &Array) -> Vec<f64> {
    let len = array.row_len();
    let values = array.to_f64();
    let is_numbers = match meaning.reading {
        Reading::Classes(_, of) | Reading::Truth(of) => of != Probabilities::OfScores,
        Reading::Numbers => true,
    };
    if is_numbers || result > 0 || len == 0 {
        return values.into_owned();
    }
    let of_row = |row: &[f64]| {
        let probabilities = meaning.read(row).1.unwrap_or_else(|| row.to_vec());
        // Of two classes and one result it is that of the second.
        probabilities[probabilities.len() - len..].to_vec()
    };
    values.chunks(len).flat_map(of_row).collect()
}

/// Whether results of two models can be averaged.
fn are_alike(one: &Predictor, other: &Predictor) -> bool {
    let meanings = (&one.meaning, &other.meaning);
    (meanings.0.reading, &meanings.0.row, &meanings.0.target) == (meanings.1.reading, &meanings.1.row, &meanings.1.target)
        && one.names == other.names
        && one.asked.graph.outputs.len() == other.asked.graph.outputs.len()
}
