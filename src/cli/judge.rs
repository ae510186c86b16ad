//! Predictions compared with what is true: a confusion matrix, precision and recall, calibration, errors of numbers.

use serde_json::{Value, json};

use crate::cli::sheet::class_name;
use crate::runtime::answers::meaning::Reading;
use crate::runtime::answers::predictor::Predictor;
use crate::runtime::array::Array;

/// Into how many groups probabilities are sorted.
const GROUPS: usize = 10;
/// A probability is not taken to be smaller.
const LEAST: f64 = 1e-12;

/// Counts and sums over the rows that were judged.
#[derive(Clone, Default)]
pub struct Judge {
    pub rows: usize,
    /// `[true][predicted]`
    pub confusion: Vec<Vec<u64>>,
    /// Of the probability that is given to the prediction: how many, their sum, how many are right.
    groups: Vec<(u64, f64, u64)>,
    /// The sum of -log of the probability of what is true.
    log_loss: f64,
    /// Of numbers: how many, and the sums of |difference|, difference², truth and truth².
    numbers: (u64, f64, f64, f64, f64),
}

impl Judge {
    pub fn new(predictor: &Predictor) -> Judge {
        let classes = match predictor.meaning.reading {
            Reading::Classes(classes, _) => classes,
            Reading::Truth(_) => 2,
            Reading::Numbers => 0,
        };
        Judge {
            confusion: vec![vec![0; classes]; classes],
            groups: vec![(0, 0.0, 0); GROUPS],
            ..Judge::default()
        }
    }

    /// Counts rows.
    pub fn add(&mut self, predictor: &Predictor, results: &Array, truth: &Array) {
        let (len, of_truth) = (results.row_len(), truth.row_len());
        for row in 0..results.rows() {
            let values: Vec<f64> = (row * len..(row + 1) * len).map(|at| results.number(at)).collect();
            let truth: Vec<f64> = (row * of_truth..(row + 1) * of_truth).map(|at| truth.number(at)).collect();
            let (class, probabilities) = predictor.meaning.read(&values);
            match predictor.meaning.reading {
                Reading::Classes(..) => {
                    let p = probabilities.as_deref();
                    self.count(truth.first().map_or(0, |class| *class as usize), class, p);
                }
                Reading::Truth(_) => {
                    for (p, truth) in probabilities.into_iter().flatten().zip(&truth) {
                        self.count(usize::from(*truth > 0.5), usize::from(p > 0.5), Some(&[1.0 - p, p]));
                    }
                }
                Reading::Numbers => {
                    for (value, truth) in values.iter().zip(&truth) {
                        let (n, difference) = (&mut self.numbers, value - truth);
                        n.0 += 1;
                        n.1 += difference.abs();
                        n.2 += difference * difference;
                        n.3 += truth;
                        n.4 += truth * truth;
                    }
                }
            }
            self.rows += 1;
        }
    }

    fn count(&mut self, truth: usize, class: usize, probabilities: Option<&[f64]>) {
        if let Some(cell) = self.confusion.get_mut(truth).and_then(|row| row.get_mut(class)) {
            *cell += 1;
        }
        let Some(probabilities) = probabilities else { return };
        let p = probabilities.get(class).copied().unwrap_or(0.0);
        let group = &mut self.groups[((p * GROUPS as f64) as usize).min(GROUPS - 1)];
        *group = (group.0 + 1, group.1 + p, group.2 + u64::from(truth == class));
        self.log_loss -= probabilities.get(truth).copied().unwrap_or(0.0).max(LEAST).ln();
    }

    fn counted(&self) -> u64 {
        self.confusion.iter().flatten().sum()
    }

    /// The share of right predictions.
    pub fn accuracy(&self) -> Option<f64> {
        let right: u64 = (0..self.confusion.len()).map(|class| self.confusion[class][class]).sum();
        (self.counted() > 0).then(|| right as f64 / self.counted() as f64)
    }

    /// The mean of -log of the probability of what is true.
    pub fn log_loss(&self) -> Option<f64> {
        let count: u64 = self.groups.iter().map(|group| group.0).sum();
        (count > 0).then(|| self.log_loss / count as f64)
    }

    /// By how much probabilities and shares of right predictions differ, over groups of probabilities.
    fn calibration_error(&self) -> Option<f64> {
        let count: u64 = self.groups.iter().map(|group| group.0).sum();
        let error = |(n, p, right): &(u64, f64, u64)| if *n == 0 { 0.0 } else { (p - *right as f64).abs() };
        (count > 0).then(|| self.groups.iter().map(error).sum::<f64>() / count as f64)
    }

    /// The root of the mean square of differences.
    pub fn root_mean_square(&self) -> Option<f64> {
        (self.numbers.0 > 0).then(|| (self.numbers.2 / self.numbers.0 as f64).sqrt())
    }

    /// What is less for better predictions, and its name.
    pub fn badness(&self) -> Option<(&'static str, f64)> {
        let log_loss = self.log_loss().map(|value| ("log loss", value));
        let wrong = || self.accuracy().map(|value| ("share of wrong", 1.0 - value));
        log_loss
            .or_else(wrong)
            .or_else(|| self.root_mean_square().map(|value| ("root mean square error", value)))
    }

    /// Precision and recall of a class; none where nothing is of it.
    fn of_class(&self, class: usize) -> (Option<f64>, Option<f64>) {
        let right = self.confusion[class][class] as f64;
        let predicted: u64 = self.confusion.iter().map(|row| row[class]).sum();
        let of_it: u64 = self.confusion[class].iter().sum();
        let share = |count: u64| (count > 0).then(|| right / count as f64);
        (share(predicted), share(of_it))
    }

    /// Numbers of the whole by name.
    pub fn summary(&self) -> Vec<(&'static str, f64)> {
        let mut found = Vec::new();
        let mut add = |name, value: Option<f64>| found.extend(value.map(|value| (name, value)));
        add("accuracy", self.accuracy());
        add("log loss", self.log_loss());
        add("calibration error", self.calibration_error());
        let (n, absolute, square, sum, squares) = self.numbers;
        if n > 0 {
            add("mean absolute error", Some(absolute / n as f64));
            add("root mean square error", self.root_mean_square());
            let spread = squares - sum * sum / n as f64;
            add("R2", (spread > 0.0).then(|| 1.0 - square / spread));
        }
        found
    }

    pub fn json(&self, predictor: &Predictor) -> Value {
        let classes = 0..self.confusion.len();
        let of_class = classes.map(|class| {
            let (precision, recall) = self.of_class(class);
            let rows: u64 = self.confusion[class].iter().sum();
            let name = name(predictor, class);
            json!({ "class": name, "rows": rows, "precision": precision, "recall": recall })
        });
        let groups = self.groups.iter().filter(|group| group.0 > 0).map(|(n, p, right)| {
            json!({ "rows": n, "probability": p / *n as f64, "right": *right as f64 / *n as f64 })
        });
        let summary: serde_json::Map<String, Value> =
            self.summary().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        json!({
            "rows": self.rows,
            "summary": summary,
            "classes": of_class.collect::<Vec<_>>(),
            "confusion": self.confusion,
            "calibration": groups.collect::<Vec<_>>(),
        })
    }

    /// The confusion matrix with precision and recall, as text.
    pub fn matrix(&self, predictor: &Predictor) -> String {
        let count = self.confusion.len();
        let share = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let names: Vec<String> = (0..count).map(|class| name(predictor, class)).collect();
        let mut lines = vec![
            std::iter::once("true \\ predicted".to_owned())
                .chain(names.iter().cloned())
                .chain(["recall".to_owned()])
                .collect::<Vec<String>>(),
        ];
        for (class, name) in names.iter().enumerate() {
            let cells = self.confusion[class].iter().map(u64::to_string);
            let name = std::iter::once(name.clone());
            lines.push(name.chain(cells).chain([share(self.of_class(class).1)]).collect());
        }
        let precision = (0..count).map(|class| share(self.of_class(class).0));
        lines.push(std::iter::once("precision".to_owned()).chain(precision).chain([String::new()]).collect());
        let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..count + 2).map(width).collect();
        let line = |cells: &Vec<String>| {
            let padded = cells.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
                let blanks = " ".repeat(width - cell.chars().count());
                if at == 0 { format!("{cell}{blanks}") } else { format!("{blanks}{cell}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// How often predictions are right, by their probability.
    pub fn calibration(&self) -> String {
        let mut text = "probability  rows  right".to_owned();
        for (at, (n, p, right)) in self.groups.iter().enumerate().filter(|(_, group)| group.0 > 0) {
            let (from, to) = (at as f64 / GROUPS as f64, (at + 1) as f64 / GROUPS as f64);
            let (p, right) = (p / *n as f64, *right as f64 / *n as f64);
            text.push_str(&format!("\n{from:.1} to {to:.1}  {n:>6}  {right:.3} where {p:.3} is said"));
        }
        text
    }

    /// Whether there are probabilities.
    pub fn has_probabilities(&self) -> bool {
        self.groups.iter().any(|group| group.0 > 0)
    }
}

fn name(predictor: &Predictor, class: usize) -> String {
    match predictor.meaning.reading {
        Reading::Truth(_) => class.to_string(),
        _ => class_name(predictor, class),
    }
}
