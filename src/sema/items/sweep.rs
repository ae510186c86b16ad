//! `sweep { … }`: what `nnc sweep` tries, and how trials are judged. Nothing else of a program depends on it.

use crate::base::Span;
use crate::ir::program::{Action, Axis, Forward, Sweep, Train, Values};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::sweeps::{IdleSetting, SweepError};
use crate::sema::settings::{self, TRAIN};
use crate::sema::walk;
use crate::syntax::ast;

/// Where a name has its values in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The value of a constant.
    Constant(Span),
    /// A setting of every `train`.
    Setting,
    /// Arguments of optimizers, by name.
    Arguments(Vec<Span>),
}

/// Where a name has its values; none if the items have nothing of that name.
pub fn place(items: &[&ast::Item], name: &str) -> Option<Place> {
    let constant = items.iter().find_map(|item| match &item.kind {
        ast::ItemKind::Const(constant) if constant.name.as_str() == name => Some(constant.value.span),
        _ => None,
    });
    if let Some(span) = constant {
        return Some(Place::Constant(span));
    }
    if TRAIN.names().contains(&name) {
        return Some(Place::Setting);
    }
    let mut found = Vec::new();
    let lines = items.iter().flat_map(|item| item.trainings()).flat_map(|train| &train.minimize);
    for optimizer in lines.flat_map(ast::Minimize::optimizers) {
        walk::expr(optimizer, &mut |expr| {
            let ast::ExprKind::Call { args, .. } = &expr.kind else { return };
            let is_named = |arg: &&ast::Arg| arg.name.as_ref().is_some_and(|word| word.as_str() == name);
            found.extend(args.args.iter().filter(is_named).map(|arg| arg.value.span));
        });
    }
    (!found.is_empty()).then_some(Place::Arguments(found))
}

/// The sweep of a file. What is wrong is reported.
pub fn sweep(cx: &mut Elaborator<'_>, items: &[&ast::Item], actions: &[Action<Forward>]) -> Option<Sweep> {
    let mut sweeps = items.iter().filter_map(|item| match &item.kind {
        ast::ItemKind::Sweep(sweep) => Some(&**sweep),
        _ => None,
    });
    let item = sweeps.next()?;
    if let Some(second) = sweeps.next() {
        cx.report(SweepError::Second { at: second.keyword_span, first: item.keyword_span });
    }
    let mut sweep = Sweep::default();
    for tried in &item.tried {
        if place(items, tried.name.as_str()).is_none() {
            let names = items.iter().filter_map(|item| match &item.kind {
                ast::ItemKind::Const(constant) => Some(constant.name.as_str().to_owned()),
                _ => None,
            });
            cx.report(SweepError::NoPlace { name: tried.name.clone(), constants: names.collect() });
        }
        if let Some(values) = values(cx, tried) {
            sweep.axes.push(Axis { name: tried.name.as_str().to_owned(), values });
        }
    }
    if item.tried.is_empty() {
        cx.report(SweepError::Nothing { at: item.keyword_span });
    }
    if items.iter().all(|item| item.trainings().is_empty()) {
        cx.report(SweepError::NoTraining { at: item.keyword_span });
    }
    for (at, given) in item.settings.iter().enumerate() {
        if cx.setting(&settings::SWEEP, given, &item.settings[..at]).is_some() {
            read_setting(cx, given, &mut sweep);
        }
    }
    tell_idle(cx, item, &sweep);
    let train = actions.iter().find_map(|action| match action {
        Action::Train(train) => Some(&**train),
        _ => None,
    });
    if let (Some(by), Some(train)) = (&sweep.by, train) {
        let known = scores(train);
        let at = item.settings.iter().find(|setting| setting.name.as_str() == "by").map(|setting| setting.value.span);
        if let Some(at) = at.filter(|_| !known.contains(by)) {
            cx.report(SweepError::NoScore { by: by.clone(), known, at });
        }
    }
    Some(sweep)
}

/// The scores of each epoch of a training.
fn scores(train: &Train<Forward>) -> Vec<String> {
    let lines = train.lines.len();
    let losses = (1..=lines).filter(|_| lines > 1).map(|line| format!("loss {line}"));
    let metrics = train.metrics.iter().map(|metric| metric.name.to_string());
    let names: Vec<String> = std::iter::once("loss".to_owned()).chain(losses).chain(metrics).collect();
    let of_validation = names.iter().filter(|_| train.validate.is_some()).map(|name| format!("validation {name}"));
    names.iter().cloned().chain(of_validation).collect()
}

/// What a name is tried with. `None` is reported.
fn values(cx: &mut Elaborator<'_>, tried: &ast::Tried) -> Option<Values> {
    let (mut is_log, mut is_whole) = (false, false);
    for (at, option) in tried.options.iter().enumerate() {
        cx.setting(&settings::TRIED, option, &tried.options[..at])?;
        let flag = cx.compile_time_bool(&option.value, &format!("`{}`", option.name))?;
        match option.name.as_str() {
            "log" => is_log = flag,
            _ => is_whole = flag,
        }
    }
    match &tried.values {
        ast::ForRange::Range { start, end } => {
            let (from, to) = (number(cx, start), number(cx, end));
            let at = Span { end: end.span.end, ..start.span };
            match Values::range(from?, to?, is_log, is_whole) {
                Ok(values) => Some(values),
                Err(why) => {
                    cx.report(SweepError::Range { why, at });
                    None
                }
            }
        }
        ast::ForRange::List(list) => {
            let ast::ExprKind::List(values) = &list.kind else {
                cx.report(SweepError::NotList { at: list.span });
                return None;
            };
            if values.is_empty() {
                cx.report(SweepError::EmptyList { at: list.span });
                return None;
            }
            if let Some(option) = tried.options.first() {
                cx.report(SweepError::ListWithScale { at: option.span });
            }
            Some(Values::List(values.iter().map(|value| cx.sources.text(value.span).to_owned()).collect()))
        }
    }
}

/// An end of a range. `None` is reported.
fn number(cx: &mut Elaborator<'_>, end: &ast::Expr) -> Option<f64> {
    let value = cx.expr(end, None);
    if value.is_error() {
        return None;
    }
    let number = value.as_float().filter(|number| number.is_finite());
    if number.is_none() {
        cx.report(SweepError::NotNumber { at: end.span });
    }
    number
}

/// Reads a setting that the table has.
fn read_setting(cx: &mut Elaborator<'_>, given: &ast::Setting, sweep: &mut Sweep) {
    let value = &given.value;
    match given.name.as_str() {
        "trials" => sweep.trials = count(cx, "trials", 1, value),
        "points" => sweep.points = count(cx, "points", 2, value),
        "keep" => sweep.keep = count(cx, "keep", 1, value),
        "seed" => sweep.seed = cx.compile_time_int(value, "`seed`").map(|seed| seed as u64),
        "by" => sweep.by = cx.text_arg(value),
        "greatest" => sweep.greatest = cx.compile_time_bool(value, "`greatest`").unwrap_or(false),
        other => debug_assert!(false, "the setting `{other}` of the table is not read"),
    }
}

fn count(cx: &mut Elaborator<'_>, setting: &'static str, least: i64, value: &ast::Expr) -> Option<u64> {
    let found = cx.compile_time_int(value, &format!("`{setting}`"))?;
    if found < least {
        cx.report(SweepError::OutOfRange { setting, least, found, at: value.span });
        return None;
    }
    Some(found as u64)
}

/// Reports settings that change nothing.
fn tell_idle(cx: &mut Elaborator<'_>, item: &ast::Sweep, sweep: &Sweep) {
    let given = |name: &str| item.settings.iter().find(|setting| setting.name.as_str() == name).map(|setting| setting.span);
    let has_range = item.tried.iter().any(|tried| matches!(tried.values, ast::ForRange::Range { .. }));
    let mut idle = |setting: &'static str, why: IdleSetting| {
        if let Some(at) = given(setting) {
            cx.report(SweepError::Idle { setting, why, at });
        }
    };
    match (given("trials"), has_range) {
        (Some(_), _) => idle("points", IdleSetting::Trials),
        (None, true) => idle("seed", IdleSetting::NoTrials),
        (None, false) => {
            idle("seed", IdleSetting::NoTrials);
            idle("points", IdleSetting::NoRange);
        }
    }
    if sweep.by.is_none() && given("by").is_none() {
        idle("greatest", IdleSetting::NoScore);
    }
}
