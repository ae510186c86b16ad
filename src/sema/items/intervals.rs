//! `every 10 epochs { … }`: what a training shows while it is at work.

use super::{generate, output, plot, train};
use crate::ir::program::{DataSet, Interval, Length, Shown};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::context::ItemContext;
use crate::syntax::ast;

pub fn intervals(cx: &mut Elaborator<'_>, item: &ast::Train, sets: &[DataSet]) -> Vec<Interval> {
    let made = item.intervals.iter().filter_map(|interval| {
        let count = match &interval.count {
            Some(count) => train::positive(cx, count, "the number behind `every`"),
            None => Some(1),
        };
        let shown = shown(cx, &interval.items, sets);
        let every = match interval.unit {
            ast::IntervalUnit::Epochs => Length::Epochs(count?),
            ast::IntervalUnit::Steps => Length::Steps(count?),
        };
        Some(Interval { every, shown, span: interval.header_span })
    });
    made.collect()
}

fn shown(cx: &mut Elaborator<'_>, items: &[ast::Item], sets: &[DataSet]) -> Vec<Shown> {
    let mut shown = Vec::new();
    for item in items {
        let span = item.span;
        let made = cx.in_item(ItemContext::interval(), |cx| match &item.kind {
            ast::ItemKind::Print(print) => output::print(cx, print, span).map(Shown::Print),
            ast::ItemKind::Expect(expect) => output::expect(cx, expect, span).map(Shown::Expect),
            ast::ItemKind::Plot(plot) => plot::plot(cx, plot, span).map(Shown::Plot),
            _ => None,
        });
        let made = match &item.kind {
            // The number of a step is that of a character there.
            ast::ItemKind::Generate(item) => generate::generate(cx, item, span, sets).map(Shown::Generate),
            _ => made,
        };
        shown.extend(made);
    }
    shown
}
