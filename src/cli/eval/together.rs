//! `nnc eval` of the trials of a sweep: how good the mean of their predictions is, beside each alone.

use std::path::PathBuf;

use serde_json::json;

use super::{Subject, failed_in};
use crate::base::Diagnostic;
use crate::cli::Failure;
use crate::cli::ensemble::{Ensemble, Waiting};
use crate::cli::judge::Judge;
use crate::cli::output::say;
use crate::runtime::array::Array;
use crate::runtime::format::number_text;

/// Truths of two models are the same if they differ by less, relative to their size: each has undone its own formula.
const CLOSE: f64 = 1e-4;

/// Evaluates the mean of what the models in some folders say, and shows it.
pub fn carry_out(subject: &Subject, paths: &[PathBuf]) -> Result<(), Failure> {
    let mut models = Vec::new();
    let (mut results, mut alone) = (Vec::new(), Vec::new());
    let mut of_lead: Option<(Array, String)> = None;
    for path in paths {
        let of_path = subject.of_model(path);
        let mut judged = of_path.judged_as(1, models.is_empty(), true)?;
        let failed = failed_in(&judged.program);
        let (fields, mut truth) = judged.fields().map_err(&failed)?;
        judged.trained.predictor.turn_back(&mut truth);
        let session = &mut judged.trained.session;
        let of_model = judged.trained.predictor.results(session, &fields, truth.rows()).map_err(&failed)?;
        let mut judge = Judge::new(&judged.trained.predictor);
        judge.add(&judged.trained.predictor, &of_model[0], &truth);
        alone.push((path.display().to_string(), judge.summary()));
        match &of_lead {
            None => of_lead = Some((truth, judged.shown.clone())),
            Some((first, _)) if are_close(first, &truth) => {}
            Some(_) => {
                let message = format!("`{}` and `{}` have learnt from other rows", paths[0].display(), path.display());
                let error = Diagnostic::error("E0771", message);
                return Err(failed(error.help("name a file with rows that none of them has learnt from")));
            }
        }
        results.push(of_model);
        models.push((judged.program, judged.trained));
    }
    let Some((truth, shown)) = of_lead else { return Ok(()) };
    let all = Ensemble::of(models, paths)?;
    let failed = failed_in(&all.program);
    let mut waiting: Vec<Waiting> = all.others.iter().map(|_| Waiting::default()).collect();
    for (number, waiting) in waiting.iter_mut().enumerate() {
        all.note(number, &results[number + 1], truth.rows(), waiting);
    }
    let mean = all.mean(results.swap_remove(0), &mut waiting).map_err(&failed)?;
    let predictor = &all.lead.predictor;
    let mut judge = Judge::new(predictor);
    judge.add(predictor, &mean[0], &truth);
    if subject.json {
        let each = alone.iter().map(|(path, summary)| {
            let summary: serde_json::Map<String, serde_json::Value> =
                summary.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            json!({ "model": path, "summary": summary })
        });
        let mut value = judge.json(predictor);
        value["data"] = json!(shown);
        value["models"] = json!(each.collect::<Vec<_>>());
        say(&value.to_string());
        return Ok(());
    }
    say(&format!("{} rows of {shown}, the mean of {} models", judge.rows, all.len()));
    for (at, (name, value)) in judge.summary().into_iter().enumerate() {
        let each = alone.iter().filter_map(|(_, summary)| Some(number_text(summary.get(at)?.1)));
        say(&format!("{name} {}   (alone {})", number_text(value), each.collect::<Vec<_>>().join(", ")));
    }
    if !judge.confusion.is_empty() {
        say(&format!("\n{}", judge.matrix(predictor)));
    }
    if judge.has_probabilities() {
        say(&format!("\n{}", judge.calibration()));
    }
    Ok(())
}

fn are_close(one: &Array, other: &Array) -> bool {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= CLOSE * (1.0 + a.abs()) || a.is_nan() && b.is_nan();
    one.shape() == other.shape() && one.to_f64().iter().zip(other.to_f64().iter()).all(close)
}
