//! Data, training and output: everything of a file that is carried out, as a [`Program`].
//!
//! - [`data`], [`demand`], [`sources`], [`columns`]: `data` items, and the names of what is in them; `given`: fields
//!   that whoever runs the program gives; `readings`, `missing`: columns of dates and categories, and columns that
//!   lack values; [`statistics`]: `standardize`; `division`: which rows are left out, and which belong to which part;
//!   `windows`: several rows of a series as one;
//! - [`train`]: the settings of a training; [`minimize`], [`optimizer`], [`measure`], [`batch`]: its losses, updates
//!   and metrics as forward graphs; `assignments`: parameters that it computes of others; `groups`: parameters with
//!   a method of their own; `judging`: what epochs are judged by; `order`: warnings
//!   about the order of rows; `intervals`: what is carried out while it trains;
//! - `sweep`: what `nnc sweep` tries;
//! - [`output`], `plot`, [`generate`]: `print` and `expect`; pictures; texts that a model goes on with;
//! - [`models`]: models for prediction and summaries.

mod assignments;
pub mod batch;
pub mod columns;
mod companions;
pub mod data;
pub mod demand;
mod division;
pub mod generate;
mod given;
mod judging;
mod groups;
mod intervals;
pub mod measure;
pub mod minimize;
mod missing;
pub mod models;
pub mod optimizer;
mod order;
mod saturation;
pub mod output;
mod plot;
mod readings;
#[cfg(test)]
mod settings_tests;
pub mod sources;
pub mod statistics;
pub mod sweep;
pub mod train;
mod windows;

use crate::sema::body::elaborator::Elaborator;
use super::value::IntSource;
use crate::base::{Span, with_stack};
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::modules::ModuleError;
use crate::ir::program::{Action, Bound, DataSet, Forward, Precision, Program, Variable};
use crate::syntax::ast;

/// Elaborates all items of the main file. Errors are in the elaborator.
pub fn program(cx: &mut Elaborator<'_>) -> Program<Forward> {
    let mut program = Program::default();
    let Some(main) = cx.modules.main() else { return program };
    let items = main.items.clone();
    let mut precision: Option<Span> = None;
    for item in &items {
        if let ast::ItemKind::Precision(chosen) = &item.item.kind {
            if let Some(first) = precision.replace(item.item.span) {
                cx.report(ModuleError::PrecisionTwice { at: item.item.span, first });
            }
            program.precision = match chosen.float {
                ast::FloatWidth::F32 => Precision::F32,
                ast::FloatWidth::F64 => Precision::F64,
            };
        }
    }
    program.data = demand::data_items(cx);
    for item in &items {
        actions(cx, &item.item, &program.data, &mut program.actions);
    }
    let items: Vec<&ast::Item> = items.iter().map(|item| &*item.item).collect();
    program.sweep = sweep::sweep(cx, &items, &program.actions);
    program.models = models::models(cx);
    variables(cx, &mut program);
    field_bounds(cx, &mut program);
    program.requirements = std::mem::take(&mut cx.conditions.sizes);
    program
}

/// What is carried out of an item, in order.
fn actions(cx: &mut Elaborator<'_>, item: &ast::Item, sets: &[DataSet], made: &mut Vec<Action<Forward>>) {
    let span = item.span;
    let action = match &item.kind {
        ast::ItemKind::Train(train) => {
            train::train_item(cx, train, sets).map(|train| Action::Train(Box::new(train)))
        }
        ast::ItemKind::Print(print) => output::print(cx, print, span).map(Action::Print),
        ast::ItemKind::Expect(expect) => output::expect(cx, expect, span).map(Action::Expect),
        ast::ItemKind::Plot(plot) => plot::plot(cx, plot, span).map(Action::Plot),
        ast::ItemKind::Generate(item) => generate::generate(cx, item, span, sets).map(Action::Generate),
        ast::ItemKind::For(header) => {
            let variable = &header.variable;
            cx.turns(variable, &header.over, variable.span, &mut |cx, value| {
                let opened = cx.frame_mut().open();
                cx.frame_mut().bind(variable.text.clone(), value, variable.span, BindingKind::For);
                for inner in &header.items {
                    with_stack(|| actions(cx, inner, sets, made));
                }
                cx.frame_mut().close(opened);
            });
            None
        }
        ast::ItemKind::Precision(_)
        | ast::ItemKind::Import(_)
        | ast::ItemKind::Const(_)
        | ast::ItemKind::Definition(_)
        | ast::ItemKind::Data(_)
        | ast::ItemKind::Sweep(_) => None,
    };
    made.extend(action);
}

fn variables(cx: &mut Elaborator<'_>, program: &mut Program<Forward>) {
    for variable in &cx.variables.list {
        let entry = Variable {
            path: variable.path.clone(),
            ty: variable.ty.clone(),
            frozen: variable.frozen,
            span: variable.span,
        };
        if variable.is_state { program.states.push(entry) } else { program.params.push(entry) }
    }
    program.init = std::mem::take(&mut cx.variables.init);
    program.seed = program
        .actions
        .iter()
        .find_map(|action| match action {
            Action::Train(train) => Some(train.seed),
            Action::Print(_) | Action::Expect(_) | Action::Plot(_) | Action::Generate(_) => None,
        })
        .unwrap_or(0);
}

/// Conditions that subscripts put on int fields and inputs of models become bounds of these.
fn field_bounds(cx: &mut Elaborator<'_>, program: &mut Program<Forward>) {
    for (source, bound) in std::mem::take(&mut cx.conditions.ints) {
        match source {
            IntSource::ModelInput { model, input } => {
                let model = program.models.iter_mut().find(|known| known.name == model);
                let Some(model) = model else { continue };
                if !model.bounds.iter().any(|(known, other)| *known == input && other.below == bound.below) {
                    model.bounds.push((input, bound));
                }
            }
            IntSource::Field { set, field } => {
                let data = program.data.iter_mut().find(|data| data.name == set);
                let field = data.and_then(|data| data.fields.iter_mut().find(|known| known.name == field));
                let Some(field) = field else { continue };
                if !field.bounds.iter().any(|known: &Bound| known.below == bound.below) {
                    field.bounds.push(bound);
                }
            }
            IntSource::Caller => {}
        }
    }
}
