//! Reports NaN and infinite numbers as soon as they can be seen: in the data before the training, in
//! parameters, states and states of optimisers between its steps, in what validation and metrics give.
//!
//! Looking takes little time: tensors are read once in many steps. Where something is bad, the steps since the
//! last look are repeated one by one.

use super::batch::{Batches, companions};
use super::batch::companions::Before;
use super::blame;
use crate::base::Span;
use crate::ir::program::Train;
use crate::runtime::call::Moment;
use crate::runtime::data::{Column, Rows, Table};
use crate::runtime::events::{Event, Observer, Scores};
use crate::runtime::report::Problem;
use crate::runtime::report::training::{BadScore, TrainWarning};
use crate::runtime::session::Session;

/// Warns of values of the fields that a training uses which are NaN or infinite. Columns that are read batch by
/// batch are not looked at.
pub fn data(train: &Train, table: &Table, rows: &Rows, observer: &mut dyn Observer) {
    for field in &train.fields {
        let Some(Column::Memory(array)) = table.fields.get(field) else { continue };
        if blame::first_not_finite(array, false).is_none() {
            continue;
        }
        let values = array.to_f64();
        let of_row = |at: usize| {
            let (row, len) = (rows.get(at) as usize, array.row_len());
            let value = values[row * len..(row + 1) * len].iter().find(|value| !value.is_finite())?;
            Some((row, *value))
        };
        let bad: Vec<(usize, f64)> = (0..rows.len()).filter_map(of_row).collect();
        // Rows of other parts do not matter here.
        let Some((row, value)) = bad.iter().min_by_key(|(row, _)| *row) else { continue };
        let (field, set, rows) = (field.clone(), train.data.set.clone(), bad.len());
        let warning = TrainWarning::BadValues { field, set, rows, first: (*row, *value), at: train.span };
        observer.event(&Event::Warning(&warning.diagnostic()));
    }
}

/// A score that is no number, if a loss of the validation or a metric is none, and the place that it is about.
pub fn bad_score(train: &Train, trained: &Scores, validation: Option<&Scores>) -> Option<(BadScore, Span)> {
    let metric = |scores: &Scores| {
        let bad = scores.metrics.iter().find(|(_, value)| value.is_nan());
        let name = bad.map(|(name, _)| name.clone())?;
        let known = train.metrics.iter().find(|metric| *metric.name == *name);
        Some((name, known.map_or(train.span, |metric| metric.span)))
    };
    if let Some(scores) = validation {
        let losses = scores.losses.iter().enumerate();
        if let Some((line, loss)) = losses.into_iter().find(|(_, loss)| !loss.is_finite()) {
            let span = train.lines.get(line).map_or(train.span, |line| line.span);
            return Some((BadScore::ValidationLoss(*loss), span));
        }
        if let Some((name, span)) = metric(scores) {
            return Some((BadScore::ValidationMetric(name), span));
        }
    }
    metric(trained).map(|(name, span)| (BadScore::Metric(name), span))
}

/// Says of the first batch of the validation whose losses are no numbers what went bad in it first.
pub fn first_bad_of_validation(
    session: &mut Session,
    train: &Train,
    batches: &mut Batches<'_>,
    rows: &Rows,
) -> Option<String> {
    let size = train.batch.min(rows.len()).max(1);
    let mut before = Before::default();
    for start in (0..rows.len()).step_by(size) {
        let taken: Vec<u32> = (start..(start + size).min(rows.len())).map(|at| rows.get(at)).collect();
        let batch = batches.of_size(session, taken.len()).ok()?;
        batch.run(session, &taken, before, Moment { seed: train.seed, step: 0 }, false).ok()?;
        if batch.results.losses(0).iter().any(|loss| !loss.is_finite()) {
            let Batches { graph, table, sizes, companions, .. } = batches;
            let drawn = companions::inputs(session, companions, graph, sizes, (before, taken.len())).ok()?;
            let looked = blame::Looked { graph, table, rows: &taken, drawn, sizes, step: None };
            let text = blame::first_bad(session, train, looked)?;
            return Some(format!("in rows {start} to {} of it, {text}", start + taken.len() - 1));
        }
        before = before.after(1, taken.len());
    }
    None
}
