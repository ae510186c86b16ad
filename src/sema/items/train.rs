//! `train` items: the settings, and the graphs of the lines and of an evaluation.

use super::batch::in_batch_graph;
use super::companions::{self, BatchData};
use super::{assignments, intervals, judging, measure, minimize, order, saturation};
use crate::base::Span;
use crate::ir::program::{Answer, DataRef, DataSet, Forward, Judged, Length, StartFile, Train, is_below};
use crate::ir::ranges::MAX_STEP;
use crate::ir::{Graph, InputKey, Op, OutputKey};
use crate::sema::scope::context::ItemContext;
use crate::sema::body::data_table::FieldInfo;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::body::losses::loss_of_line;
use crate::sema::scope::report::data::IdleSeed;
use crate::sema::scope::report::settings::SettingError;
use crate::sema::scope::report::training::{FieldType, TrainDataError, TrainError};
use crate::sema::settings;
use crate::sema::value::{DataValue, Function, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// More parts of a batch help nowhere.
const MOST_SHARDS: u64 = 1024;

pub fn train_item(cx: &mut Elaborator<'_>, item: &ast::Train, sets: &[DataSet]) -> Option<Train<Forward>> {
    let mut train = Train {
        span: item.keyword_span,
        data: DataRef { set: "".into(), part: None },
        validate: None,
        companions: Vec::new(),
        batch: 32,
        batch_span: None,
        shards: None,
        length: Length::Epochs(0),
        seed: 0,
        shuffle: true,
        patience: None,
        judged: Judged::default(),
        keep_best: false,
        validate_every: None,
        accumulate: None,
        plateau: None,
        frozen: Vec::new(),
        init: None,
        anew: false,
        intervals: Vec::new(),
        advice: Vec::new(),
        evaluate: None,
        lines: Vec::new(),
        metrics: Vec::new(),
        step: Forward::default(),
        fields: Vec::new(),
        answers: Vec::new(),
    };
    let data = settings(cx, item, &mut train);
    if item.minimize.is_empty() {
        cx.report(TrainError::NothingMinimized { at: item.keyword_span });
    }
    let data = data?;
    let data = companions::companions(cx, item, data, &mut train);
    let training = ItemContext::training(last_step(cx, &data.main, &train)).freezing(&train.frozen);
    cx.in_item(training, |cx| {
        cx.within(cx.context.evaluating(), |cx| assignments::assignments(cx, item, &data, &mut train));
        minimize::lines(cx, item, &data, &mut train);
        if let Some(start) = train.init.clone().filter(|_| !cx.has_errors()) {
            check_parts(cx, &start);
        }
        judging::check(cx, item, &train);
        if train.validate.is_some() {
            cx.within(cx.context.evaluating(), |cx| evaluation_graph(cx, item, &data, &mut train));
        }
    });
    train.advice = std::mem::take(&mut cx.conditions.values);
    train.intervals = intervals::intervals(cx, item, sets);
    train.fields = used_fields(cx, &data.main, &train);
    companions::find_fields(cx, &data, &mut train);
    idle_seed(cx, item, &train);
    order::tell_neighbours(cx, &train);
    saturation::tell_rounded_logarithms(cx, &train);
    Some(train)
}

/// The last step of the training; of data whose rows are not counted yet at least the number of epochs.
fn last_step(cx: &Elaborator<'_>, data: &DataValue, train: &Train<Forward>) -> u64 {
    match train.length {
        Length::Steps(steps) => steps,
        Length::Epochs(epochs) => {
            let rows = cx.data.sets.get(&data.item).filter(|_| data.part.is_none());
            let rows = rows.and_then(|info| info.rows.as_number()).unwrap_or(1).max(1);
            epochs.saturating_mul((rows as u64).div_ceil(train.batch as u64))
        }
    }
}

/// A seed is for starting values, the order of rows and random numbers.
fn idle_seed(cx: &mut Elaborator<'_>, item: &ast::Train, train: &Train<Forward>) {
    let lines = train.lines.iter().flat_map(|line| [&line.forward, &line.update]);
    let is_random = {
        let mut graphs = lines.chain([&cx.variables.init, &train.step.init]);
        train.shuffle || graphs.any(Graph::draws_numbers)
    };
    let seed = item.settings.iter().find(|setting| setting.name.as_str() == "seed");
    if let Some(seed) = seed.filter(|_| !is_random && !cx.has_errors()) {
        cx.report(IdleSeed::Training { at: seed.span });
    }
}

/// What the settings say that is looked at together.
#[derive(Default)]
struct Said {
    data: Option<DataValue>,
    validated: Option<(DataValue, Span)>,
    length: Option<(Length, Span)>,
    /// Whether a setting that there is not was reported: it may be a misspelt one.
    unknown: bool,
}

/// Reads the settings; the data to train on.
fn settings(cx: &mut Elaborator<'_>, item: &ast::Train, train: &mut Train<Forward>) -> Option<DataValue> {
    let mut said = Said::default();
    for (at, given) in item.settings.iter().enumerate() {
        if settings::TRAIN.settings.iter().all(|known| known.name != given.name.as_str()) {
            said.unknown = true;
            let mut optimizers = item.minimize.iter().take(1).flat_map(ast::Minimize::optimizers);
            let optimizer = optimizers.find_map(|optimizer| optimizer_with(cx, optimizer, given.name.as_str()));
            let (group, name) = (&settings::TRAIN, given.name.clone());
            cx.report(SettingError::Unknown { group, name, optimizer });
        } else if cx.setting(&settings::TRAIN, given, &item.settings[..at]).is_some() {
            read_setting(cx, given, train, &mut said);
        }
    }
    if !item.settings.iter().any(|given| given.name.as_str() == "data") {
        cx.report(TrainError::NoData { at: item.keyword_span });
    }
    match said.length {
        Some((length, _)) => train.length = length,
        None if said.unknown => {}
        None => {
            cx.report(TrainError::NoLength { at: item.keyword_span });
        }
    }
    let data = said.data?;
    train.data = data_ref_of(&data);
    if let Some((other, span)) = said.validated {
        if other.item != data.item && !same_fields(cx, &data, &other, span) {
            return Some(data);
        }
        train.validate = Some(data_ref_of(&other));
    }
    Some(data)
}

/// Reads a setting that the table has.
fn read_setting(cx: &mut Elaborator<'_>, given: &ast::Setting, train: &mut Train<Forward>, said: &mut Said) {
    let (name, value) = (&given.name, &given.value);
    match name.as_str() {
        "data" => said.data = data_ref(cx, value, "`data`"),
        "validate" => {
            said.validated = data_ref(cx, value, "`validate`").map(|data| (data, value.span));
        }
        "batch" => {
            if let Some(batch) = positive(cx, value, "`batch`") {
                train.batch = batch as usize;
                train.batch_span = Some(given.span);
            }
        }
        "shards" => {
            let shards = positive(cx, value, "`shards`");
            if let Some(count) = shards.filter(|shards| *shards > MOST_SHARDS) {
                cx.report(TrainError::TooManyShards { count, most: MOST_SHARDS, at: value.span });
            }
            train.shards = shards.map(|shards| (shards as usize, given.span));
        }
        "epochs" | "steps" => {
            let count = positive(cx, value, &format!("`{name}`"));
            if let (Some(_), Some((_, first))) = (count, said.length) {
                cx.report(TrainError::BothLengths { at: given.span, first });
            }
            let length = match (name.as_str(), count) {
                ("steps", Some(count)) => Length::Steps(count),
                (_, count) => Length::Epochs(count.unwrap_or(1)),
            };
            said.length = Some((length, given.span));
        }
        "seed" => {
            if let Some(seed) = cx.compile_time_int(value, "`seed`") {
                train.seed = seed as u64;
            }
        }
        "shuffle" => {
            if let Some(shuffle) = cx.compile_time_bool(value, "`shuffle`") {
                train.shuffle = shuffle;
            }
        }
        "stop" => judging::read_stop(cx, value, train),
        "keep" => judging::read_keep(cx, value, train),
        "plateau" => judging::read_plateau(cx, value, train),
        "accumulate" => {
            train.accumulate =
                positive(cx, value, "`accumulate`").filter(|every| *every > 1).map(|every| (every, given.span));
        }
        "validate_every" => {
            train.validate_every = positive(cx, value, "`validate_every`");
        }
        "freeze" => train.frozen = path_parts(cx, "freeze", value).unwrap_or_default(),
        "init" if value.as_name().is_some_and(|name| &**name == "anew") => train.anew = true,
        "init" => train.init = start_file(cx, value),
        _ => {
            cx.report(SettingError::NotRead { name: name.clone() });
        }
    }
}

/// The name of an optimizer, if it has a hyperparameter of this name.
fn optimizer_with(cx: &mut Elaborator<'_>, optimizer: &ast::Expr, name: &str) -> Option<Arc<str>> {
    let callee = match &optimizer.kind {
        ast::ExprKind::Call { callee, .. } => callee,
        _ => optimizer,
    };
    let Some(Value::Function(Function::Item(item))) = cx.global(callee.as_name()?, callee.span) else {
        return None;
    };
    let list = item.definition()?.hyper.as_ref().or(item.definition()?.inputs.as_ref())?;
    list.parameters.iter().any(|parameter| parameter.name.as_str() == name).then(|| item.name().into())
}

pub(super) fn data_ref_of(data: &DataValue) -> DataRef {
    DataRef { set: data.item.clone(), part: data.part.clone() }
}

/// Validation data of another data set must have the same fields.
fn same_fields(cx: &mut Elaborator<'_>, data: &DataValue, other: &DataValue, span: Span) -> bool {
    let fields = |item: &Arc<str>| cx.data.sets.get(item).map(|info| info.fields.clone()).unwrap_or_default();
    let (wanted, others) = (fields(&data.item), fields(&other.item));
    let differing = wanted.iter().find(|field| {
        !others.iter().any(|other| other.name == field.name && other.row == field.row)
    });
    let Some(field) = differing else { return true };
    let of_another_type = others.iter().find(|other| other.name == field.name);
    let as_declared =
        |field: &FieldInfo| FieldType { name: field.name.clone(), row: field.row.clone(), span: field.span };
    cx.report(TrainDataError::OtherFields {
        data: data.item.clone(),
        other: other.item.clone(),
        field: as_declared(field),
        found: of_another_type.map(as_declared),
        at: span,
    });
    false
}

pub(super) fn positive(cx: &mut Elaborator<'_>, value: &ast::Expr, what: &str) -> Option<u64> {
    let count = cx.compile_time_int(value, what)?;
    if (1..=MAX_STEP).contains(&count) {
        return Some(count as u64);
    }
    cx.report(TrainError::OutOfRange { what: what.to_owned(), count, at: value.span });
    None
}

/// The value of a setting that is a call of this name.
pub(super) fn value_call<'a>(
    cx: &mut Elaborator<'_>,
    value: &'a ast::Expr,
    name: &str,
) -> Option<Option<settings::Arguments<'a>>> {
    let ast::ExprKind::Call { callee, args } = &value.kind else { return None };
    callee.as_name().filter(|callee| &***callee == name)?;
    Some(settings::find(settings::VALUES, name).and_then(|call| cx.arguments(call, args)))
}

/// `safetensors("start.safetensors", prefix = "init.")`
fn start_file(cx: &mut Elaborator<'_>, value: &ast::Expr) -> Option<StartFile> {
    let Some(arguments) = value_call(cx, value, "safetensors") else {
        cx.report(TrainError::NotParameterFile { at: value.span });
        return None;
    };
    let arguments = arguments?;
    let path = arguments.get("path")?;
    let span = path.span;
    let path = cx.text_arg(path)?;
    let prefix = match arguments.get("prefix") {
        Some(prefix) => cx.text_arg(prefix)?,
        None => String::new(),
    };
    let mut parts = [Vec::new(), Vec::new()];
    for (name, parts) in ["only", "except"].into_iter().zip(&mut parts) {
        if let Some(list) = arguments.get(name) {
            *parts = path_parts(cx, name, list)?;
        }
    }
    let [only, except] = parts;
    Some(StartFile { path, prefix, only, except, span })
}

/// `only = ["conv1", "blocks.0"]`: beginnings of the paths of parameters. `None` is reported.
fn path_parts(cx: &mut Elaborator<'_>, option: &'static str, list: &ast::Expr) -> Option<Vec<String>> {
    let value = cx.expr(list, None);
    let texts = match &value {
        Value::Error => return None,
        Value::Str(text) => Some(vec![text.to_string()]),
        _ => value.as_texts(),
    };
    let Some(texts) = texts else {
        cx.report(TrainError::NotPaths { option, found: value, at: list.span });
        return None;
    };
    Some(texts)
}

/// Reports what `only` and `except` name and no model has.
fn check_parts(cx: &mut Elaborator<'_>, start: &StartFile) {
    let parts: Vec<String> = start.only.iter().chain(&start.except).cloned().collect();
    must_be_there(cx, &parts, start.span);
}

/// Reports the first of some beginnings of paths that no parameter or state has.
pub(super) fn must_be_there(cx: &mut Elaborator<'_>, parts: &[String], at: Span) {
    let paths: Vec<Arc<str>> = cx.variables.list.iter().map(|variable| variable.path.clone()).collect();
    let is_there = |part: &&String| paths.iter().any(|path| is_below(path, part));
    let Some(part) = parts.iter().find(|part| !is_there(part)) else { return };
    let mut layers: Vec<String> = Vec::new();
    for path in &paths {
        let layer = path.rsplit_once('.').map_or(&**path, |(layer, _)| layer);
        if !layers.iter().any(|known| known == layer) {
            layers.push(layer.to_owned());
        }
    }
    cx.report(TrainError::NoSuchPart { part: part.clone(), layers, at });
}

/// The same losses and metrics, for other data than that of the training.
fn evaluation_graph(
    cx: &mut Elaborator<'_>,
    item: &ast::Train,
    data: &BatchData,
    train: &mut Train<Forward>,
) {
    cx.begin_graph();
    let (graph, ()) = in_batch_graph(cx, data, |cx| {
        for (number, line) in item.minimize.iter().enumerate() {
            cx.built.answers.clear();
            if let Some(loss) = loss_of_line(cx, item.keyword_span, line) {
                cx.graph_mut().output(OutputKey::Loss(number as u32), loss.node);
            }
            let answers = std::mem::take(&mut cx.built.answers).into_iter();
            let of_line = |(model, results)| Answer { model, line: number as u32, results };
            train.answers.extend(answers.map(of_line));
        }
        measure::measures(cx, item, train, false);
    });
    train.evaluate = Some(graph);
}

fn used_fields(cx: &Elaborator<'_>, data: &DataValue, train: &Train<Forward>) -> Vec<Arc<str>> {
    let Some(info) = cx.data.sets.get(&data.item) else { return Vec::new() };
    let names = info.fields.iter().map(|field| field.name.clone());
    names.filter(|name| reads(train, &InputKey::Field(name.clone()))).collect()
}

/// Whether a line or the evaluation of a training reads an input.
pub(super) fn reads(train: &Train<Forward>, key: &InputKey) -> bool {
    let used = |graph: &Graph| {
        let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
        graph.nodes().any(|(id, node)| {
            needed[id.0 as usize] && matches!(&node.op, Op::Input { name, .. } if name == key)
        })
    };
    let lines = train.lines.iter().flat_map(|line| [&line.forward, &line.update]);
    lines.chain(&train.evaluate).any(used)
}

/// A data set or part as `train` names it.
pub fn data_ref(cx: &mut Elaborator<'_>, expr: &ast::Expr, what: &'static str) -> Option<DataValue> {
    match cx.expr(expr, None) {
        Value::Data(data) => {
            let parts = cx.data.sets.get(&data.item).map(|info| info.parts.clone()).unwrap_or_default();
            if data.part.is_none()
                && let Some(first) = parts.first()
            {
                cx.report(TrainDataError::Split { data: data.item, first: first.clone(), at: expr.span });
                return None;
            }
            Some(data)
        }
        Value::Error => None,
        found => {
            cx.report(TrainDataError::NotData { what, found, at: expr.span });
            None
        }
    }
}
