//! The order of `data` items: one is elaborated when something names it, however far down it stands.

use super::data::data_item;
use crate::base::{Diagnostic, Span};
use crate::ir::program::DataSet;
use crate::sema::elaborator::{Elaborator, Mode};
use crate::sema::graphs::Level;
use crate::sema::module::ItemRef;
use crate::sema::scope::{Frame, FrameKind};
use crate::syntax::ast;
use std::sync::Arc;

/// Elaborates all data items of the program, in the order of the file; those of imports stand behind.
pub fn data_items(own: &mut Elaborator<'_>) -> Vec<DataSet> {
    let all: Vec<ItemRef> = own.modules.user_modules().flat_map(|(_, module)| module.items.clone()).collect();
    let mut items: Vec<(Arc<str>, ItemRef)> = Vec::new();
    for item in all {
        // The main file comes first, and its data hides that of imports.
        if let ast::ItemKind::Data(data) = &item.item.kind
            && !items.iter().any(|(name, _)| *name == data.name.text)
        {
            items.push((data.name.text.clone(), item));
        }
    }
    own.data.waiting = items.clone();
    for (name, _) in &items {
        elaborate(own, name);
    }
    let mut made = std::mem::take(&mut own.data.made);
    made.sort_by_key(|set| items.iter().position(|(name, _)| *name == set.name));
    made
}

/// Elaborates a data item if that has not been done.
fn elaborate(own: &mut Elaborator<'_>, name: &str) {
    let Some(at) = own.data.waiting.iter().position(|(waiting, _)| &**waiting == name) else { return };
    let (name, item) = own.data.waiting.remove(at);
    let ast::ItemKind::Data(data) = &item.item.kind else { return };
    own.data.open.push((name, data.name.span));
    let set = apart(own, &item, |own| data_item(own, data));
    own.data.open.pop();
    own.data.made.push(set);
}

/// Carries out `run` as if nothing else were being elaborated.
fn apart<R>(own: &mut Elaborator<'_>, item: &ItemRef, run: impl FnOnce(&mut Elaborator<'_>) -> R) -> R {
    let levels = std::mem::replace(&mut own.levels, vec![Level::compile_time()]);
    let index_frames = std::mem::take(&mut own.index_frames);
    let scans = std::mem::take(&mut own.scans);
    let draws = std::mem::take(&mut own.draws);
    let draw_path = own.draw_path.take();
    let current = std::mem::take(&mut own.variables.current);
    let (reading, declared) = (own.data.reading.take(), std::mem::take(&mut own.data.declared));
    let whole = std::mem::take(&mut own.data.whole);
    let mode = std::mem::replace(&mut own.mode, Mode { training: false, updates: false });
    let frame = Frame::new(FrameKind::File, None, item.module, Span::default());
    let result = own.in_frame(frame, run);
    own.mode = mode;
    own.data.whole = whole;
    (own.data.reading, own.data.declared) = (reading, declared);
    own.variables.current = current;
    own.draw_path = draw_path;
    own.draws = draws;
    own.scans = scans;
    own.index_frames = index_frames;
    own.levels = levels;
    result
}

impl Elaborator<'_> {
    /// Makes sure that what a data item has is known, before something of it is looked up. `false` is reported.
    pub fn demand_data(&mut self, name: &Arc<str>, span: Span) -> bool {
        if self.data.is_own(name) {
            return true;
        }
        if let Some(at) = self.data.open.iter().position(|(open, _)| open == name) {
            let circle: Vec<&str> = self.data.open[at..].iter().map(|(open, _)| &**open).collect();
            let circle = format!("{} → {name}", circle.join(" → "));
            let error = Diagnostic::error("E0630", format!("the data `{name}` is made from itself"));
            let error = error.at(span, "this closes the circle");
            let declared = self.data.open[at].1;
            self.report(error.and_at(declared, "declared here").note(circle));
            return false;
        }
        elaborate(self, name);
        true
    }
}
