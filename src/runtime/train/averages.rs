//! Losses and metrics over many batches: averages weighted by rows, and arguments gathered for metrics that
//! are computed on all rows at once.

use std::ops::Range;

use super::batch::results::Results;
use crate::base::Diagnostic;
use crate::ir::program::{Metric, ROWS, Train};
use crate::ir::{Dim, InputKey, Sizes};
use crate::runtime::array::{Array, Elements};
use crate::runtime::call::Moment;
use crate::runtime::events::Scores;
use crate::runtime::memory::scalar;
use crate::runtime::program::Part;
use crate::runtime::session::{Session, Tensors};

/// Sums over the batches so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Averages {
    pub rows: f64,
    pub losses: Vec<f64>,
    /// In the order of the batch metrics.
    pub metrics: Vec<f64>,
    /// For each whole metric its arguments, batch after batch.
    pub gathered: Vec<Vec<Array>>,
}

impl Averages {
    /// Adds what some steps of the last series gave, each on as many rows as the batch has.
    pub fn add(&mut self, results: &Results, steps: Range<usize>) {
        let weight = results.size as f64;
        self.rows += weight * steps.len() as f64;
        self.losses.resize(results.losses.len(), 0.0);
        self.metrics.resize(results.metrics.len(), 0.0);
        results.add_losses(steps.clone(), weight, &mut self.losses);
        results.add_metrics(steps.clone(), weight, &mut self.metrics);
        let more = results.gathered(steps);
        if self.gathered.is_empty() {
            self.gathered = more;
            return;
        }
        for (arrays, more) in self.gathered.iter_mut().zip(&more) {
            arrays.iter_mut().zip(more).for_each(|(array, more)| append(array, more));
        }
    }

    /// The averages, and the whole metrics of what was gathered; begins anew.
    ///
    /// # Errors
    /// If a whole metric cannot be computed for so many rows.
    pub fn finish(
        &mut self,
        session: &mut Session,
        train: &Train,
        action: usize,
    ) -> Result<Scores, Diagnostic> {
        let sums = std::mem::take(self);
        let losses = sums.losses.iter().map(|sum| sum / sums.rows).collect();
        let mut averaged = sums.metrics.iter().map(|sum| sum / sums.rows);
        let mut gathered = sums.gathered.into_iter();
        let mut metrics = Vec::new();
        for (number, metric) in train.metrics.iter().enumerate() {
            let value = match metric.whole {
                None => averaged.next(),
                Some(_) => match gathered.next() {
                    Some(arguments) => whole(session, train, action, number, metric, arguments)?,
                    None => None,
                },
            };
            metrics.push((metric.name.clone(), value.unwrap_or(f64::NAN)));
        }
        Ok(Scores { losses, metrics })
    }
}

fn whole(
    session: &mut Session,
    train: &Train,
    action: usize,
    number: usize,
    metric: &Metric,
    arguments: Vec<Array>,
) -> Result<Option<f64>, Diagnostic> {
    let Some(graph) = &metric.whole else { return Ok(None) };
    let rows = arguments.iter().find(|array| !array.shape().is_empty()).map_or(1, Array::rows);
    let sizes = Sizes::from([(ROWS.into(), Dim::from(rows))]);
    let arguments = arguments.into_iter().enumerate();
    let inputs: Tensors =
        arguments.map(|(at, array)| (InputKey::field(at.to_string()), array.into())).collect();
    let moment = Moment { seed: train.seed, step: 0 };
    let part = Part::Metric(action, number);
    let values = session.evaluate_graph(part, graph, &sizes, moment, &inputs, Some(metric.span))?;
    Ok(values.get(&"value".into()).map(scalar))
}

/// Appends rows. Arguments without rows (scalars) stay as they are.
fn append(array: &mut Array, more: &Array) {
    if array.shape().is_empty() {
        return;
    }
    let mut shape = array.shape().to_vec();
    shape[0] += more.rows();
    let empty = Array::new(vec![0], Elements::Bool(Vec::new())).expect("an empty array");
    let mut elements = std::mem::replace(array, empty).into_elements();
    match (&mut elements, more.elements()) {
        (Elements::F32(gathered), Elements::F32(more)) => gathered.extend_from_slice(more),
        (Elements::F64(gathered), Elements::F64(more)) => gathered.extend_from_slice(more),
        (Elements::I32(gathered), Elements::I32(more)) => gathered.extend_from_slice(more),
        (Elements::I64(gathered), Elements::I64(more)) => gathered.extend_from_slice(more),
        (Elements::U8(gathered), Elements::U8(more)) => gathered.extend_from_slice(more),
        (Elements::Bool(gathered), Elements::Bool(more)) => gathered.extend_from_slice(more),
        _ => {}
    }
    *array = Array::new(shape, elements).expect("rows of one shape and type");
}
