//! What the epochs of a training are judged by, `stop = patience(5, by = "accuracy")` and `keep = best`; and what is
//! frozen.

use super::train::{must_be_there, positive, value_call};
use crate::base::Span;
use crate::ir::program::{Forward, Judged, Train};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::judging::JudgingError;
use crate::sema::scope::report::training::TrainError;
use crate::sema::settings::Arguments;
use crate::syntax::ast;

/// `patience(5)`, `patience(5, by = "accuracy", greatest = true)`. What is wrong is reported.
pub fn read_stop(cx: &mut Elaborator<'_>, value: &ast::Expr, train: &mut Train<Forward>) {
    let Some(arguments) = value_call(cx, value, "patience") else {
        cx.report(TrainError::NotPatience { at: value.span });
        return;
    };
    let Some(arguments) = arguments else { return };
    let Some(epochs) = arguments.get("epochs") else { return };
    train.patience = positive(cx, epochs, "the patience").map(|epochs| epochs as usize);
    read_judged(cx, &arguments, value.span, train);
}

/// `best`, `best(by = "accuracy", greatest = true)`, `last`. What is wrong is reported.
pub fn read_keep(cx: &mut Elaborator<'_>, value: &ast::Expr, train: &mut Train<Forward>) {
    match value.as_name().map(|name| &**name) {
        Some("best") => train.keep_best = true,
        Some("last") => {}
        _ => match value_call(cx, value, "best") {
            Some(Some(arguments)) => {
                train.keep_best = true;
                read_judged(cx, &arguments, value.span, train);
            }
            Some(None) => {}
            None => {
                cx.report(JudgingError::NotKept { at: value.span });
            }
        },
    }
}

fn read_judged(cx: &mut Elaborator<'_>, arguments: &Arguments<'_>, at: Span, train: &mut Train<Forward>) {
    let mut judged = Judged::default();
    if let Some(by) = arguments.get("by") {
        let Some(name) = cx.text_arg(by) else { return };
        judged.by = (name != "loss").then(|| name.into());
    }
    if let Some(greatest) = arguments.get("greatest") {
        let Some(greatest) = cx.compile_time_bool(greatest, "`greatest`") else { return };
        judged.greatest = greatest;
    }
    if train.judged != Judged::default() && judged != Judged::default() && judged != train.judged {
        cx.report(JudgingError::Both { at });
    } else if judged != Judged::default() {
        train.judged = judged;
    }
}

/// Reports what the settings name and the training does not have, and what has no effect.
pub fn check(cx: &mut Elaborator<'_>, item: &ast::Train, train: &Train<Forward>) {
    let given = |name: &str| item.settings.iter().find(|setting| setting.name.as_str() == name).map(|setting| setting.span);
    if let Some(by) = &train.judged.by
        && let Some(at) = given("stop").or(given("keep"))
        && !cx.has_errors()
        && !train.metrics.iter().any(|metric| metric.name == *by)
    {
        let known = train.metrics.iter().map(|metric| metric.name.clone()).chain(["loss".into()]).collect();
        cx.report(JudgingError::NoMetric { by: by.clone(), known, at });
    }
    if let (Some(at), None) = (given("validate_every"), &train.validate) {
        cx.report(JudgingError::NothingToValidate { at });
    }
    if let Some(at) = given("freeze").filter(|_| !cx.has_errors()) {
        must_be_there(cx, &train.frozen, at);
    }
}
