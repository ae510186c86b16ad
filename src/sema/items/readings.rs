//! Columns that are neither numbers nor classes as they stand: `category(column("city"))`, which has a class for
//! names that nobody has seen, and `date(column("day"))`, which makes points in time numbers.

use crate::base::Span;
use crate::ir::Elem;
use crate::ir::program::{Date, DateOrder, DatePart, Fit, TextUnit, TextUnits};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::report::sources::{CategoryError, ReadingError};
use crate::sema::settings::Arguments;
use crate::sema::value::Value;
use crate::syntax::ast;

/// What can be asked of a point in time.
const PARTS: [(&str, DatePart); 9] = [
    ("days", DatePart::Days),
    ("year", DatePart::Year),
    ("month", DatePart::Month),
    ("day", DatePart::Day),
    ("weekday", DatePart::Weekday),
    ("yearday", DatePart::YearDay),
    ("hour", DatePart::Hour),
    ("minute", DatePart::Minute),
    ("second", DatePart::Second),
];

/// How dates are written.
const ORDERS: [(&str, DateOrder); 3] = [
    ("ymd", DateOrder::YearMonthDay),
    ("dmy", DateOrder::DayMonthYear),
    ("mdy", DateOrder::MonthDayYear),
];

/// How images are brought to another size.
const FITS: [(&str, Fit); 3] = [("cover", Fit::Cover), ("contain", Fit::Contain), ("stretch", Fit::Stretch)];

/// `pixels(fit = "cover")`. `None` is reported.
pub fn fit(cx: &mut Elaborator<'_>, value: &ast::Expr) -> Option<Fit> {
    choice(cx, value, "`fit` of images", &FITS)
}

/// Whether an expression reads columns of a table as they stand, or the points in time in them.
pub fn reads_columns(values: &ast::Expr) -> bool {
    match &values.kind {
        ast::ExprKind::Call { callee, .. } => {
            callee.as_name().is_some_and(|name| matches!(&**name, "column" | "columns" | "date"))
        }
        _ => false,
    }
}

/// `date(column("day"), part = "year", order = "dmy")`
pub fn date(
    cx: &mut Elaborator<'_>,
    arguments: &Arguments<'_>,
    expected: Option<&Expected>,
) -> Option<Value> {
    let column = one_column(cx, arguments.get("column")?, "date")?;
    let mut date = Date { part: DatePart::Days, order: DateOrder::YearMonthDay };
    if let Some(part) = arguments.get("part") {
        date.part = choice(cx, part, "`part` of a date", &PARTS)?;
    }
    if let Some(order) = arguments.get("order") {
        date.order = choice(cx, order, "`order` of a date", &ORDERS)?;
    }
    Some(cx.within(cx.context.of_dates(date), |cx| cx.expr(column, expected)))
}

/// One of some words. `None` is reported.
fn choice<T: Copy>(
    cx: &mut Elaborator<'_>,
    value: &ast::Expr,
    what: &'static str,
    words: &[(&'static str, T)],
) -> Option<T> {
    let text = cx.text_arg(value)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*meaning);
    }
    let words = words.iter().map(|(word, _)| *word).collect();
    cx.report(ReadingError::NotOneOf { what, text, words, at: value.span });
    None
}

/// The argument, if it is a `column(…)`. `None` is reported.
fn one_column<'a>(
    cx: &mut Elaborator<'_>,
    value: &'a ast::Expr,
    call: &'static str,
) -> Option<&'a ast::Expr> {
    let is_column = matches!(&value.kind, ast::ExprKind::Call { callee, .. }
        if callee.as_name().is_some_and(|name| &**name == "column"));
    if is_column {
        return Some(value);
    }
    let is_text = matches!(value.kind, ast::ExprKind::Str(_));
    cx.report(ReadingError::NotOneColumn { call, is_text, at: value.span });
    None
}

/// `category(column("city"))` in a field `class(n)`: n - 1 names, and one class for all others.
pub fn category(cx: &mut Elaborator<'_>, arguments: &Arguments<'_>, span: Span) -> Option<Value> {
    let column = one_column(cx, arguments.get("column")?, "category")?;
    let classes = declared_classes(cx, span)?;
    let names = match arguments.get("names") {
        Some(names) => Some((cx.class_names(names, Elem::Int)?, names.span)),
        None => None,
    };
    if classes < 2 {
        cx.report(CategoryError::FewClasses { classes, at: span });
        return None;
    }
    if let Some((names, place)) = &names
        && names.len() + 1 != classes
    {
        cx.report(CategoryError::OtherNumberOfNames { names: names.len(), classes, at: *place });
        return None;
    }
    let context = cx.context.of_categories(names.map(|(names, _)| names));
    let class = Expected { elem: Some(Elem::Int), axes: Vec::new() };
    Some(cx.within(context, |cx| cx.expr(column, Some(&class))))
}

/// `words(column("review"))` in a field `class(n)[length]`: the numbers of the words, and what is behind the last.
pub fn text(
    cx: &mut Elaborator<'_>,
    name: &'static str,
    arguments: &Arguments<'_>,
    span: Span,
) -> Option<Value> {
    let column = one_column(cx, arguments.get("column")?, name)?;
    let unit = match name {
        "words" => TextUnit::Words,
        "characters" => TextUnit::Characters,
        _ => TextUnit::Pairs,
    };
    let field = cx.context.row()?.field.clone();
    let declared = cx.data.current.declared.iter().find(|declared| declared.name.text == field).cloned();
    let ty = declared.and_then(|field| field.ty);
    let Some(ast::Type { kind: ast::TypeKind::Tensor { element: ast::Element::Class(size), dims }, .. }) = &ty
    else {
        cx.report(CategoryError::NoTextType { call: name, at: span });
        return None;
    };
    let [ast::Dim { kind: ast::DimKind::Size(length), .. }] = dims.as_slice() else {
        cx.report(CategoryError::NoTextType { call: name, at: span });
        return None;
    };
    let number = |cx: &mut Elaborator<'_>, size: &ast::Expr, what: &str| {
        let size = cx.size(size, what)?;
        size.as_number().and_then(|size| usize::try_from(size).ok())
    };
    let (most, length) = (number(cx, size, "the number of classes"), number(cx, length, "the length of a text"));
    let (Some(most @ 3..=MOST), Some(length @ 1..=MOST)) = (most, length) else {
        cx.report(CategoryError::TextSizes { call: name, at: span });
        return None;
    };
    let context = cx.context.of_texts(TextUnits { unit, length, most });
    let class = Expected { elem: Some(Elem::Int), axes: Vec::new() };
    Some(cx.within(context, |cx| cx.expr(column, Some(&class))))
}

/// A text has at most so many parts, and a vocabulary so many.
const MOST: usize = 1 << 24;

/// The n of the field `class(n)` that is being worked out. `None` is reported.
fn declared_classes(cx: &mut Elaborator<'_>, span: Span) -> Option<usize> {
    let field = cx.context.row()?.field.clone();
    let declared = cx.data.current.declared.iter().find(|declared| declared.name.text == field).cloned();
    let ty = declared.and_then(|field| field.ty);
    if let Some(ast::Type { kind: ast::TypeKind::Tensor { element: ast::Element::Class(size), dims }, .. }) = &ty
        && dims.is_empty()
    {
        let size = cx.size(size, "the number of classes")?;
        return match size.as_number().and_then(|size| usize::try_from(size).ok()) {
            Some(size) => Some(size),
            None => {
                cx.report(CategoryError::UnknownClasses { at: span });
                None
            }
        };
    }
    cx.report(CategoryError::NotClasses { at: span });
    None
}
