//! Which rows of a data set are left out, and how the others are divided: `drop rows where …`, `split …`.

use super::data::whole_field;
use crate::base::Span;
use crate::ir::program::{DataSet, Folds, Part, Source};
use crate::ir::{Op, OutputKey};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::scope::report::windows::WindowError;
use crate::sema::scope::report::division::{Decides, DropError, FoldError, PartError};
use crate::sema::scope::report::settings::SettingError;
use crate::sema::settings;
use crate::sema::value::{Tensor, Value};
use crate::sema::walk;
use crate::syntax::ast;

/// Reads the shares of the parts, or the folds, and whether rows stay in order.
pub fn read_split(cx: &mut Elaborator<'_>, split: &ast::Split, set: &mut DataSet) {
    if let Some(in_order) = split.option("in_order") {
        set.in_order = cx.compile_time_bool(&in_order.value, "`in_order`").unwrap_or(false);
    }
    read_folds(cx, split, set);
    let by = ["stratify", "group"].map(|name| split.option(name));
    let clash = match by {
        [Some(first), Some(second)] => Some((first, second)),
        [Some(by), None] | [None, Some(by)] if set.in_order => {
            split.option("in_order").map(|in_order| (in_order, by))
        }
        _ => None,
    };
    if let Some((first, second)) = clash {
        let (at, other) = (second.span, first.span);
        let (first, second) = (first.name.clone(), second.name.clone());
        cx.report(FoldError::Both { first, second, at, other });
    }
    let mut sum = 0.0;
    let errors = cx.reports.len();
    for part in &split.parts {
        let value = cx.expr(&part.value, None);
        if value.as_bool().is_some() {
            let (group, name) = (&settings::SPLIT, part.name.clone());
            cx.report(SettingError::Unknown { group, name, optimizer: None });
            continue;
        }
        let Some(share) = value.as_float() else {
            if !value.is_error() {
                cx.report(PartError::ShareNotNumber { found: value, at: part.value.span });
            }
            continue;
        };
        if !(share > 0.0 && share <= 1.0) {
            cx.report(PartError::ShareOutside { part: part.name.clone(), share, at: part.value.span });
        }
        if set.parts.iter().any(|known| known.name == part.name.text) || &*part.name.text == "rows" {
            cx.report(PartError::NameTaken { name: part.name.clone() });
        }
        sum += share;
        set.parts.push(Part { name: part.name.text.clone(), share });
    }
    let is_whole = split.parts.is_empty() || (sum - 1.0).abs() <= 1e-6;
    if !is_whole && cx.reports.len() == errors {
        cx.report(PartError::Sum { sum, at: split.span });
    }
    if split.parts.is_empty() && split.option("folds").is_none() && cx.reports.len() == errors {
        cx.report(PartError::NoParts { at: split.span });
    }
}

/// `folds = 5, fold = 2`: the parts `train` and `test`.
fn read_folds(cx: &mut Elaborator<'_>, split: &ast::Split, set: &mut DataSet) {
    let Some(folds) = split.option("folds") else {
        if let Some(fold) = split.option("fold") {
            cx.report(FoldError::NoFolds { at: fold.span });
        }
        return;
    };
    if let Some(part) = split.parts.first() {
        cx.report(FoldError::PartBeside { part: part.span, folds: folds.span });
        return;
    }
    let Some(count) = cx.compile_time_int(&folds.value, "`folds`") else { return };
    if !(2..=10_000).contains(&count) {
        cx.report(FoldError::Count { count, at: folds.value.span });
        return;
    }
    let held = match split.option("fold") {
        Some(fold) => match cx.compile_time_int(&fold.value, "`fold`") {
            Some(held) if (1..=count).contains(&held) => held,
            Some(held) => {
                cx.report(FoldError::NoSuchFold { fold: held, count, at: fold.value.span });
                return;
            }
            None => return,
        },
        None => 1,
    };
    let share = 1.0 / count as f64;
    set.parts = vec![
        Part { name: "train".into(), share: 1.0 - share },
        Part { name: "test".into(), share },
    ];
    set.division.folds = Some(Folds { count: count as u32, held: held as u32 - 1 });
}

/// Elaborates what decides about rows: conditions of `drop`, `stratify`, `group`.
pub fn read_division(
    cx: &mut Elaborator<'_>,
    item: &ast::Data,
    set: &mut DataSet,
    literal: &mut Option<(u64, Span)>,
) {
    let option = |name: &str| item.split.as_ref().and_then(|split| split.option(name)).map(|option| option.value.clone());
    let (class, group) = (option("stratify"), option("group"));
    let of_windows = |name: &str| {
        let options = item.windows.iter().flat_map(|windows| &windows.options);
        options.into_iter().find(|option| option.name.as_str() == name).map(|option| option.value.clone())
    };
    let (series, order) = (of_windows("series"), of_windows("order"));
    let asks = [&class, &group, &series, &order].iter().any(|asked| asked.is_some());
    if item.drops.is_empty() && !asks {
        return;
    }
    if let Some(drop) = item.drops.first()
        && (set.source.file().is_none() || matches!(set.source, Source::Text { .. } | Source::Images { .. }))
    {
        cx.report(DropError::NoTable { at: drop.span });
        return;
    }
    let drop = item.drops.iter().cloned().reduce(|left, right| {
        let span = left.span.to(right.span);
        let (left, right) = (Box::new(left), Box::new(right));
        ast::Expr::new(ast::ExprKind::Binary { op: ast::BinaryOp::Or, op_span: span, left, right }, span)
    });
    let asked = [
        (Decides::Drop, drop),
        (Decides::Class, class),
        (Decides::Group, group),
        (Decides::Series, series),
        (Decides::Order, order),
    ];
    let frame = Frame::uncalled(FrameKind::File, None, cx.frame().module);
    cx.data.current.whole.clear();
    cx.data.current.declared = item.fields.clone();
    cx.data.current.reach = None;
    cx.begin_graph();
    let (graph, ()) = cx.in_new_graph(|cx| {
        cx.in_frame(frame, |cx| {
            for (decides, value) in asked {
                let Some(value) = value else { continue };
                let errors = cx.reports.len();
                let made = bind_fields(cx, item, &value, set, literal)
                    .then(|| of_rows(cx, decides, &value, set, literal));
                match made.flatten() {
                    Some(whole) => cx.graph_mut().output(OutputKey::named(output_of(decides)), whole.node),
                    None if cx.reports.len() == errors => {
                        cx.report(DropError::Learnt { at: value.span });
                    }
                    None => {}
                }
            }
        })
    });
    cx.data.current.declared.clear();
    if cx.data.current.reach.is_some() {
        let lines = item.split.iter().map(|split| split.span).chain(item.windows.iter().map(|line| line.span));
        let at = item.drops.iter().map(|drop| drop.span).chain(lines).next().unwrap_or(item.name.span);
        cx.report(WindowError::Decides { at });
    }
    let is_learnt = |op: &Op| match op {
        Op::Input { name, .. } => {
            let column = set.columns.iter().find(|column| column.name == *name);
            column.is_none_or(|column| column.training_only || column.summary.is_some())
        }
        _ => false,
    };
    if graph.nodes().any(|(_, node)| is_learnt(&node.op)) {
        let span = item.drops.first().map(|drop| drop.span).or(item.split.as_ref().map(|split| split.span));
        cx.report(DropError::Learnt { at: span.unwrap_or(item.name.span) });
        return;
    }
    set.division.graph = graph;
}

/// The output of [`DataSet::division`] that holds it.
fn output_of(decides: Decides) -> &'static str {
    match decides {
        Decides::Drop => "drop",
        Decides::Class => "class",
        Decides::Group => "group",
        Decides::Series => "series",
        Decides::Order => "order",
    }
}

/// Gives the fields that an expression uses their values. `false` if one of them could not be made.
fn bind_fields(
    cx: &mut Elaborator<'_>,
    item: &ast::Data,
    value: &ast::Expr,
    set: &mut DataSet,
    literal: &mut Option<(u64, Span)>,
) -> bool {
    let mut used = Vec::new();
    walk::expr(value, &mut |part| used.extend(part.as_name().cloned()));
    for field in item.fields.iter().rev().filter(|field| used.contains(&field.name.text)).collect::<Vec<_>>() {
        if let Some(value) = &field.value {
            walk::expr(value, &mut |part| used.extend(part.as_name().cloned()));
        }
    }
    for field in item.fields.iter().filter(|field| used.contains(&field.name.text)) {
        if cx.frame().find(&field.name.text).is_some() {
            continue;
        }
        let Some((whole, _)) = whole_field(cx, field, set, literal, false) else { return false };
        let (name, span) = (field.name.text.clone(), field.name.span);
        cx.frame_mut().bind(name, Value::Tensor(whole), span, BindingKind::Input);
    }
    true
}

/// A condition or a number of all rows. `None` is reported.
fn of_rows(
    cx: &mut Elaborator<'_>,
    decides: Decides,
    value: &ast::Expr,
    set: &mut DataSet,
    literal: &mut Option<(u64, Span)>,
) -> Option<Tensor> {
    let is_drop = decides == Decides::Drop;
    let element = match decides {
        Decides::Drop => ast::Element::Bool,
        Decides::Order => ast::Element::Float,
        Decides::Class | Decides::Group | Decides::Series => ast::Element::Int,
    };
    let kind = ast::TypeKind::Tensor { element, dims: Vec::new() };
    let field = ast::DataField {
        doc: None,
        name: ast::Name { text: decides.word().into(), span: value.span },
        ty: Some(ast::Type { kind, span: value.span }),
        value: Some(value.clone()),
        span: value.span,
    };
    let errors = cx.reports.len();
    let made = whole_field(cx, &field, set, literal, is_drop);
    if made.is_none() && cx.reports.len() > errors {
        cx.help_last(decides.help());
    }
    made.map(|(whole, _)| whole)
}
