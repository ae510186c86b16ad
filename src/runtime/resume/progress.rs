//! Where a training is, as a text in the metadata of a checkpoint.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::runtime::events::Scores;
use crate::runtime::train::averages::Averages;
use crate::runtime::train::{Kept, Progress, Values};

/// Floats as their bits: what is read back is what was written.
pub(super) fn text(progress: &Progress) -> String {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits().to_string()).collect::<Vec<_>>();
    let scores = |scores: &Scores| {
        let (names, values): (Vec<&str>, Vec<f64>) =
            scores.metrics.iter().map(|(name, value)| (&**name, *value)).unzip();
        json!({ "losses": bits(&scores.losses), "names": names, "metrics": bits(&values) })
    };
    let (train, validation) = &progress.last;
    json!({
        "action": progress.action,
        "step": progress.step,
        "best": progress.best.to_bits().to_string(),
        "waited": progress.waited,
        "stalled": progress.stalled,
        "kept": progress.kept.as_ref().map(|kept| kept.epoch),
        "rows": progress.averages.rows.to_bits().to_string(),
        "losses": bits(&progress.averages.losses),
        "metrics": bits(&progress.averages.metrics),
        "train": scores(train),
        "validation": validation.as_ref().map(scores),
    })
    .to_string()
}

/// What such a text says; none if it is damaged.
pub(super) fn of(text: &str) -> Option<Progress> {
    let value: Value = serde_json::from_str(text).ok()?;
    let float = |value: &Value| value.as_str()?.parse().ok().map(f64::from_bits);
    let floats = |value: &Value| value.as_array()?.iter().map(float).collect::<Option<Vec<f64>>>();
    let scores = |value: &Value| {
        let names = value["names"].as_array()?.iter().map(|name| Some(Arc::from(name.as_str()?)));
        let names = names.collect::<Option<Vec<Arc<str>>>>()?;
        let values = floats(&value["metrics"])?;
        Some(Scores { losses: floats(&value["losses"])?, metrics: names.into_iter().zip(values).collect() })
    };
    let averages = Averages {
        rows: float(&value["rows"])?,
        losses: floats(&value["losses"])?,
        metrics: floats(&value["metrics"])?,
        gathered: Vec::new(),
    };
    Some(Progress {
        action: usize::try_from(value["action"].as_u64()?).ok()?,
        step: value["step"].as_u64()?,
        best: float(&value["best"])?,
        waited: usize::try_from(value["waited"].as_u64()?).ok()?,
        // Files of older versions have no plateaus.
        stalled: value["stalled"].as_u64().and_then(|stalled| usize::try_from(stalled).ok()).unwrap_or(0),
        averages,
        kept: value["kept"].as_u64().map(|epoch| Kept { epoch, values: Values::new() }),
        left: Values::new(),
        // Files of older versions do not have them.
        last: (scores(&value["train"]).unwrap_or_default(), scores(&value["validation"])),
    })
}
