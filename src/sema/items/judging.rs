//! What the epochs of a training are judged by, `stop = patience(5, by = "accuracy")` and `keep = best`; and what is
//! frozen.

use super::train::{must_be_there, positive, value_call};
use crate::base::Span;
use crate::ir::program::{Forward, Judged, PLATEAUS, Train};
use crate::ir::Op;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::judging::JudgingError;
use crate::sema::scope::report::training::TrainError;
use crate::sema::settings::Arguments;
use crate::syntax::ast;

/// `patience(5)`, `patience(5, by = "accuracy", greatest = true)`. What is wrong is reported.
pub fn read_stop(cx: &mut Elaborator<'_>, value: &ast::Expr, train: &mut Train<Forward>) {
    train.patience = read_patience(cx, "stop", value, train);
}

/// As `stop`: so many epochs are a plateau. What is wrong is reported.
pub fn read_plateau(cx: &mut Elaborator<'_>, value: &ast::Expr, train: &mut Train<Forward>) {
    train.plateau = read_patience(cx, "plateau", value, train);
}

fn read_patience(
    cx: &mut Elaborator<'_>,
    setting: &'static str,
    value: &ast::Expr,
    train: &mut Train<Forward>,
) -> Option<usize> {
    let Some(arguments) = value_call(cx, value, "patience") else {
        cx.report(TrainError::NotPatience { setting, at: value.span });
        return None;
    };
    let arguments = arguments?;
    let epochs = positive(cx, arguments.get("epochs")?, "the patience").map(|epochs| epochs as usize);
    read_judged(cx, &arguments, value.span, train);
    epochs
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

/// Reports plateaus that nothing counts, and schedules that count what there is not.
fn check_plateaus(cx: &mut Elaborator<'_>, train: &Train<Forward>, given: Option<Span>) {
    let counts = |op: &Op| matches!(op, Op::State { path, .. } if **path == *PLATEAUS);
    let counting = train.lines.iter().find(|line| {
        let needed = line.update.reachable(line.update.outputs.iter().map(|output| output.node));
        line.update.nodes().any(|(id, node)| needed[id.0 as usize] && counts(&node.op))
    });
    match (given, counting) {
        (Some(at), None) => {
            cx.report(JudgingError::PlateauWithoutSchedule { at });
        }
        (None, Some(line)) => {
            cx.report(JudgingError::ScheduleWithoutPlateau { at: line.span });
        }
        _ => {}
    }
    if let (Some(at), Some(stop), Some(plateau)) = (given, train.patience, train.plateau)
        && stop <= plateau
    {
        cx.report(JudgingError::StopsBefore { stop, plateau, at });
    }
}

/// Reports what the settings name and the training does not have, and what has no effect.
pub fn check(cx: &mut Elaborator<'_>, item: &ast::Train, train: &Train<Forward>) {
    let given = |name: &str| item.settings.iter().find(|setting| setting.name.as_str() == name).map(|setting| setting.span);
    if let Some(by) = &train.judged.by
        && let Some(at) = given("stop").or(given("keep")).or(given("plateau"))
        && !cx.has_errors()
        && !train.metrics.iter().any(|metric| metric.name == *by)
    {
        let known = train.metrics.iter().map(|metric| metric.name.clone()).chain(["loss".into()]).collect();
        cx.report(JudgingError::NoMetric { by: by.clone(), known, at });
    }
    if let (Some(at), None) = (given("validate_every"), &train.validate) {
        cx.report(JudgingError::NothingToValidate { at });
    }
    if !cx.has_errors() {
        check_plateaus(cx, train, given("plateau"));
    }
    if let Some(at) = given("freeze").filter(|_| !cx.has_errors()) {
        must_be_there(cx, &train.frozen, at);
    }
}
