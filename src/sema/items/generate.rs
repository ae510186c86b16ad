//! `generate MODEL from PROMPT with CHOICE, length = n`: a model's step from the characters so far to the next.
//!
//! The choice is a function of the language: it gets the model's scores as its first argument, as in a
//! pipeline, and gives a character's number. Its random numbers are those of a training step: the n-th
//! character is chosen in step n.

use super::output;
use crate::base::Span;
use crate::ir::program::{DataSet, Generate, Source};
use crate::ir::{Dim, Elem, InputKey, LoopBuilder, Op, Sub, Type};
use crate::sema::value::Given;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::data::IdleSeed;
use crate::sema::scope::report::output::GenerateError;
use crate::sema::settings;
use crate::sema::value::{DataValue, Instance, InstanceKind, IntSource, Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

struct Options {
    length: usize,
    seed: Option<u64>,
    data: Option<DataValue>,
}

/// `None` is reported.
pub fn generate(
    cx: &mut Elaborator<'_>,
    item: &ast::Generate,
    span: Span,
    sets: &[DataSet],
) -> Option<Generate> {
    let options = options(cx, item, span)?;
    let set = text_data(cx, options.data.as_ref(), span, sets)?;
    let prompt = prompt(cx, &item.prompt)?;
    let instance = model(cx, &item.model)?;
    let window = window(cx, &instance, &item.model)?;
    // A condition that the model puts on its characters is one on the text.
    let field = set.fields.iter().find(|field| field.row.elem == Elem::Int);
    let field = field.map(|field| IntSource::Field { set: set.name.clone(), field: field.name.clone() });
    let (graph, scored) = output::evaluation(cx, |cx| {
        let ty = Type::new(Elem::Int, vec![Dim::ONE, Dim::from(window)]);
        let characters =
            cx.graph_mut().add(Op::Input { name: InputKey::field("characters"), ty }, Vec::new());
        let mut characters = cx.tensor(characters, item.model.span);
        characters.field = field;
        let given = Given { name: None, value: Value::Tensor(characters), span: item.model.span };
        let scores = cx.call_instance(&instance, vec![given], item.model.span);
        let (scores, scores_each, classes) = scores_of_next(cx, &scores, window, item.model.span)?;
        cx.graph_mut().output("scores", scores.node);
        let scores = Given { name: None, value: Value::Tensor(scores), span: item.model.span };
        let next = cx.stage(scores, &item.choice);
        if next.is_error() {
            return None;
        }
        let next = match &next {
            Value::Tensor(next) if next.ty == Type::scalar(Elem::Int) => cx.node(next, item.choice.span)?,
            _ => {
                cx.report(GenerateError::ChoiceNotNumber { found: next, at: item.choice.span });
                return None;
            }
        };
        cx.graph_mut().output("next", next);
        Some((scores_each, classes))
    });
    let (scores_each, classes) = scored?;
    let seed = item.options.iter().find(|option| option.name.as_str() == "seed");
    if let Some(seed) = seed.filter(|_| !graph.draws_numbers()) {
        cx.report(IdleSeed::Generation { choice: item.choice.span, at: seed.span });
    }
    Some(Generate {
        span,
        data: set.name.clone(),
        prompt,
        prompt_span: item.prompt.span,
        length: options.length,
        seed: options.seed,
        window,
        scores_each,
        classes,
        graph,
    })
}

fn options(cx: &mut Elaborator<'_>, item: &ast::Generate, span: Span) -> Option<Options> {
    let (mut length, mut seed, mut data) = (None, None, None);
    for (at, option) in item.options.iter().enumerate() {
        let value = &option.value;
        match cx.setting(&settings::GENERATE, option, &item.options[..at])?.name {
            "length" => {
                let count = cx.compile_time_int(value, "`length`")?;
                let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
                    cx.report(GenerateError::Length { length: count, at: value.span });
                    return None;
                };
                length = Some(count);
            }
            "seed" => seed = Some(cx.compile_time_int(value, "`seed`")? as u64),
            _ => match cx.expr(value, None) {
                Value::Data(named) => data = Some(named),
                Value::Error => return None,
                found => {
                    cx.report(GenerateError::NotData { found, at: value.span });
                    return None;
                }
            },
        }
    }
    let Some(length) = length else {
        cx.report(GenerateError::NoLength { at: span });
        return None;
    };
    Some(Options { length, seed, data })
}

/// The data set that the characters are numbered by: the one that is named, or the only text.
fn text_data<'s>(
    cx: &mut Elaborator<'_>,
    named: Option<&DataValue>,
    span: Span,
    sets: &'s [DataSet],
) -> Option<&'s DataSet> {
    let is_text = |set: &&DataSet| matches!(set.source, Source::Text { .. });
    let texts: Vec<&DataSet> = sets.iter().filter(is_text).collect();
    if let Some(named) = named {
        let set = sets.iter().find(|set| set.name == named.item)?;
        if is_text(&set) {
            return Some(set);
        }
        cx.report(GenerateError::NotText { data: set.name.clone(), declared: set.span, at: span });
        return None;
    }
    match texts.as_slice() {
        [set] => return Some(set),
        [] => {
            cx.report(GenerateError::NoTexts { at: span });
        }
        several => {
            let names = several.iter().map(|set| set.name.clone()).collect();
            cx.report(GenerateError::SeveralTexts { names, at: span });
        }
    }
    None
}

fn prompt(cx: &mut Elaborator<'_>, expr: &ast::Expr) -> Option<String> {
    match cx.expr(expr, None) {
        Value::Str(text) if text.is_empty() => {
            cx.report(GenerateError::EmptyPrompt { at: expr.span });
            None
        }
        Value::Str(text) => Some(text.to_string()),
        Value::Error => None,
        found => {
            cx.report(GenerateError::PromptNotText { found, at: expr.span });
            None
        }
    }
}

fn model(cx: &mut Elaborator<'_>, expr: &ast::Expr) -> Option<Arc<Instance>> {
    match cx.expr(expr, None) {
        Value::Instance(instance) => Some(instance),
        Value::Error => None,
        found => {
            cx.report(GenerateError::NotModel { found, at: expr.span });
            None
        }
    }
}

/// How many characters the model sees at once: what it is first called with, or what its signature says.
fn window(cx: &mut Elaborator<'_>, instance: &Instance, expr: &ast::Expr) -> Option<usize> {
    let InstanceKind::Layer { item, .. } = &instance.kind else { return None };
    let called = cx.models.inputs.get(item.name()).cloned();
    let definition = item.definition()?;
    let fits = |ty: &Type| ty.elem == Elem::Int && ty.rank() == 2;
    let (inputs, length) = match &called {
        Some(types) => {
            (types.len(), types.first().filter(|ty| fits(ty)).and_then(|ty| ty.shape[1].as_number()))
        }
        None => {
            let parameters = definition.inputs.as_ref().map_or(&[][..], |list| &list.parameters);
            (parameters.len(), parameters.first().and_then(|parameter| written_length(parameter.ty.as_ref())))
        }
    };
    let length = length.and_then(|length| usize::try_from(length).ok()).filter(|length| *length > 0);
    if let (1, Some(length)) = (inputs, length) {
        return Some(length);
    }
    let (model, declared) = (item.name().to_owned(), definition.name.span);
    cx.report(GenerateError::OtherInputs { model, declared, at: expr.span });
    None
}

/// The T of `int[B, T]`, if it is a number.
fn written_length(ty: Option<&ast::Type>) -> Option<i64> {
    let ast::TypeKind::Tensor { element, dims } = &ty?.kind else { return None };
    let is_int = matches!(element, ast::Element::Int | ast::Element::Class(_));
    match dims.as_slice() {
        [_, ast::Dim { kind: ast::DimKind::Size(size), .. }] if is_int => match &size.kind {
            ast::ExprKind::Int(length) => Some(*length),
            _ => None,
        },
        _ => None,
    }
}

/// The scores of what follows the character at `place`; whether the model scores each place; how many there
/// are. `None` is reported.
fn scores_of_next(
    cx: &mut Elaborator<'_>,
    scores: &Value,
    window: usize,
    span: Span,
) -> Option<(Tensor, bool, usize)> {
    if scores.is_error() {
        return None;
    }
    let Value::Tensor(tensor) = scores else { return wrong_scores(cx, scores, window, span) };
    let sizes: Option<Vec<i64>> = tensor.ty.shape.iter().map(Dim::as_number).collect();
    let (scores_each, classes) = match sizes.as_deref() {
        _ if tensor.ty.elem != Elem::Float => return wrong_scores(cx, scores, window, span),
        Some([1, classes]) => (false, *classes),
        Some([1, places, classes]) if *places == window as i64 => (true, *classes),
        _ => return wrong_scores(cx, scores, window, span),
    };
    let node = cx.node(tensor, span)?;
    let place = cx
        .graph_mut()
        .add(Op::Input { name: InputKey::field("place"), ty: Type::scalar(Elem::Int) }, Vec::new());
    let mut l = LoopBuilder::new(cx.graph(), vec![Dim::number(classes)]);
    let first = Sub::Affine(crate::ir::Affine::constant(0i64));
    let class = l.index(0);
    let value = if scores_each {
        let place = l.read(place, Vec::new());
        l.read_padded(node, vec![first, Sub::Value(place), class])
    } else {
        l.read(node, vec![first, class])
    };
    let body = l.map(value);
    Some((cx.add_loop(span, body), scores_each, usize::try_from(classes).ok()?))
}

fn wrong_scores<T>(cx: &mut Elaborator<'_>, scores: &Value, window: usize, span: Span) -> Option<T> {
    cx.report(GenerateError::NoScores { found: scores.clone(), window, at: span });
    None
}
