//! `plot`: what is drawn, and how.

use super::output::evaluation;
use super::saturation::tell_rounded_output;
use super::train::positive;
use crate::base::Span;
use crate::ir::program::{Plot, PlotKind};
use crate::ir::{Dim, Elem, Graph, OutputKey};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::plot::PlotError;
use crate::sema::scope::report::settings::SettingError;
use crate::sema::settings;
use crate::sema::value::Value;
use crate::syntax::ast::{self, Name};

/// The bars of a histogram.
const MOST_BINS: u64 = 10_000;

/// `plot y`, `plot x, y, z, title = "…"`: curves over x (over 0, 1, 2 … if there is one tensor only), or another kind
/// of picture.
pub fn plot(cx: &mut Elaborator<'_>, item: &ast::Plot, span: Span) -> Option<Plot> {
    let mut plot = Plot {
        span,
        graph: Graph::new(),
        kind: PlotKind::default(),
        title: String::new(),
        x_label: String::new(),
        y_label: String::new(),
        names: Vec::new(),
        labels: Vec::new(),
        bins: None,
        series: Vec::new(),
    };
    let (graph, made) = evaluation(cx, |cx| {
        let mut tensors = Vec::new();
        let mut given: Vec<&Name> = Vec::new();
        for arg in &item.args.args {
            let Some(name) = &arg.name else {
                tensors.push((cx.expr(&arg.value, None), arg.value.span));
                continue;
            };
            if let Some(first) = given.iter().find(|known| known.as_str() == name.as_str()) {
                let (group, first) = (&settings::PLOT, first.span);
                cx.report(SettingError::SetTwice { group, name: name.clone(), first });
                return None;
            }
            given.push(name);
            read_option(cx, name, &arg.value, &mut plot)?;
        }
        has_effect(cx, &given, plot.kind)?;
        if tensors.is_empty() {
            cx.report(PlotError::Nothing { at: span });
            return None;
        }
        if tensors.iter().any(|(value, _)| value.is_error()) {
            return None;
        }
        let labelled = labelled(&tensors, plot.kind);
        let curves = if plot.kind.has_rows() { columns(cx, tensors, &mut plot)? } else { shown(cx, tensors, &mut plot, span)? };
        if let (false, Some(curves), Some(name)) =
            (plot.names.is_empty(), curves, given.iter().find(|name| name.as_str() == "names"))
            && curves != plot.names.len()
        {
            cx.report(PlotError::Names { names: plot.names.len(), curves, at: name.span });
            return None;
        }
        if let Some(name) = given.iter().find(|name| name.as_str() == "labels") {
            has_labels(cx, &labelled, &plot, name.span)?;
        }
        Some(())
    });
    made?;
    tell_rounded_output(cx, &graph);
    plot.graph = graph;
    Some(plot)
}

/// `None` is reported.
fn read_option(cx: &mut Elaborator<'_>, name: &Name, value: &ast::Expr, plot: &mut Plot) -> Option<()> {
    match name.as_str() {
        "title" => plot.title = cx.text_arg(value)?,
        "x_label" => plot.x_label = cx.text_arg(value)?,
        "y_label" => plot.y_label = cx.text_arg(value)?,
        "names" => plot.names = texts(cx, name, value)?,
        "labels" => plot.labels = texts(cx, name, value)?,
        "bins" => {
            let bins = positive(cx, value, "`bins`")?;
            if bins > MOST_BINS {
                cx.report(PlotError::Bins { bins, at: value.span });
                return None;
            }
            plot.bins = Some(bins as usize);
        }
        "kind" => {
            let text = cx.text_arg(value)?;
            let found = PlotKind::ALL.into_iter().find(|kind| kind.name() == text);
            if found.is_none() {
                cx.report(PlotError::NoSuchKind { found: text, at: value.span });
            }
            plot.kind = found?;
        }
        _ => {
            let (group, name) = (&settings::PLOT, name.clone());
            cx.report(SettingError::Unknown { group, name, optimizer: None });
            return None;
        }
    }
    Some(())
}

fn texts(cx: &mut Elaborator<'_>, name: &Name, list: &ast::Expr) -> Option<Vec<String>> {
    let value = cx.expr(list, None);
    if value.is_error() {
        return None;
    }
    let texts = value.as_texts();
    if texts.is_none() {
        cx.report(PlotError::NotTexts { option: name.clone(), found: value, at: list.span });
    }
    texts
}

/// Reports options that say nothing about this kind of picture.
fn has_effect(cx: &mut Elaborator<'_>, given: &[&Name], kind: PlotKind) -> Option<()> {
    let idle = given.iter().find(|name| match name.as_str() {
        "bins" => kind != PlotKind::Histogram,
        "names" => !(kind.has_rows() || kind == PlotKind::Histogram),
        "labels" => matches!(kind, PlotKind::Curves | PlotKind::Points | PlotKind::Histogram | PlotKind::Levels),
        "x_label" | "y_label" => kind == PlotKind::Images,
        _ => false,
    });
    if let Some(name) = idle {
        cx.report(PlotError::NoEffect { option: (*name).clone(), kind });
        return None;
    }
    Some(())
}

/// How many things of a picture have labels, by its tensors: bars, images, classes; of a matrix rows or columns. Empty
/// if that is not known.
fn labelled(tensors: &[(Value, Span)], kind: PlotKind) -> Vec<usize> {
    let shape = |at: usize| tensors.get(at).map(|(value, _)| sizes(value));
    let counts: Vec<Option<usize>> = match kind {
        PlotKind::Bars => shape(0).and_then(|shape| shape.first().copied()).into_iter().collect(),
        PlotKind::Images => match shape(0) {
            Some(shape) if shape.len() == 2 => vec![Some(1)],
            Some(shape) => shape.first().copied().into_iter().collect(),
            None => Vec::new(),
        },
        PlotKind::Heat => shape(0).unwrap_or_default(),
        PlotKind::Regions => match shape(1) {
            Some(shape) if shape.len() == 2 => shape[1..].to_vec(),
            _ => Vec::new(),
        },
        PlotKind::Curves | PlotKind::Points | PlotKind::Histogram | PlotKind::Levels => Vec::new(),
    };
    counts.into_iter().collect::<Option<_>>().unwrap_or_default()
}

/// The sizes of the axes of a tensor or of lists in lists, as far as they are known.
fn sizes(value: &Value) -> Vec<Option<usize>> {
    match value {
        Value::Tensor(tensor) => {
            tensor.ty.shape.iter().map(|size| size.as_number().and_then(|size| usize::try_from(size).ok())).collect()
        }
        Value::List(elements) => {
            let inner = elements.first().map(sizes).unwrap_or_default();
            [Some(elements.len())].into_iter().chain(inner).collect()
        }
        _ => Vec::new(),
    }
}

/// Reports labels that are more or fewer than what they name.
fn has_labels(cx: &mut Elaborator<'_>, labelled: &[usize], plot: &Plot, at: Span) -> Option<()> {
    let labels = plot.labels.len();
    if labelled.is_empty() || labelled.contains(&labels) {
        return Some(());
    }
    cx.report(PlotError::Labels { labels, kind: plot.kind, shown: labelled.to_vec(), at });
    None
}

/// Columns over a first one, all with the same rows; how many there are, if that is known. `None` is reported.
fn columns(cx: &mut Elaborator<'_>, tensors: Vec<(Value, Span)>, plot: &mut Plot) -> Option<Option<usize>> {
    let many = tensors.len() > 1;
    let mut rows: Option<(Dim, Span)> = None;
    let mut curves = Some(0);
    for (at, (value, place)) in tensors.into_iter().enumerate() {
        let tensor = cx.to_tensor(&value, place)?;
        if tensor.rank() != 1 && tensor.rank() != 2 {
            cx.report(PlotError::NotCurve { found: value, at: place });
            return None;
        }
        let size = tensor.ty.shape[0].clone();
        match &rows {
            Some((known, first)) if *known != size => {
                let (known, first) = (known.clone(), *first);
                cx.report(PlotError::DifferentRows { rows: size, at: place, known, first });
                return None;
            }
            Some(_) => {}
            None => rows = Some((size, place)),
        }
        let width = tensor.ty.shape.get(1).map_or(Some(1), |width| width.as_number());
        let tensor = cx.with_elem(tensor, Elem::Float, place)?;
        if many && at == 0 {
            cx.graph_mut().output(OutputKey::named("x".to_owned()), tensor.node);
            continue;
        }
        curves = curves.zip(width).map(|(curves, width)| curves + width as usize);
        cx.graph_mut().output(OutputKey::named(format!("y{}", plot.series.len())), tensor.node);
        plot.series.push(cx.text(place).to_string());
    }
    Some(curves)
}

/// The tensors of the other kinds; how many of them can have names. `None` is reported.
fn shown(
    cx: &mut Elaborator<'_>,
    tensors: Vec<(Value, Span)>,
    plot: &mut Plot,
    span: Span,
) -> Option<Option<usize>> {
    let kind = plot.kind;
    let count = tensors.len();
    let fits = match kind {
        PlotKind::Histogram => true,
        PlotKind::Heat | PlotKind::Images => count == 1,
        _ => (2..=4).contains(&count),
    };
    if !fits {
        cx.report(PlotError::Tensors { kind, at: span });
        return None;
    }
    for (at, (value, place)) in tensors.into_iter().enumerate() {
        let tensor = cx.to_tensor(&value, place)?;
        let shape = &tensor.ty.shape;
        let is_pair = || shape.len() == 2 && shape[1].as_number().is_none_or(|width| width == 2);
        let fits = match (kind, at) {
            (PlotKind::Histogram, _) => !shape.is_empty(),
            (PlotKind::Heat, _) => shape.len() == 2,
            (PlotKind::Images, _) => match shape.len() {
                2 | 3 => true,
                4 => shape[1].as_number().is_none_or(|channels| channels == 1 || channels == 3),
                _ => false,
            },
            (_, 0 | 2) => is_pair(),
            (PlotKind::Regions, 1) => shape.len() == 1 || shape.len() == 2,
            (_, 1) => shape.len() == 1 || shape.len() == 2 && shape[1].as_number() == Some(1),
            _ => shape.len() == 1,
        };
        if !fits {
            cx.report(PlotError::Shape { kind, found: value, at: place });
            return None;
        }
        let tensor = cx.with_elem(tensor, Elem::Float, place)?;
        let name = match (kind.is_plane(), at) {
            (true, 0) => "x".to_owned(),
            (true, at) => format!("y{}", at - 1),
            (false, at) => format!("y{at}"),
        };
        cx.graph_mut().output(OutputKey::named(name), tensor.node);
        if !(kind.is_plane() && at == 0) {
            plot.series.push(cx.text(place).to_string());
        }
    }
    Some(Some(count))
}
