//! The order of `data` items: one is elaborated when something names it, however far down it stands.

use super::data::data_item;
use crate::base::order::PutInOrder;
use crate::base::Span;
use crate::ir::program::DataSet;
use crate::sema::scope::context::ItemContext;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::frames::{Frame, FrameKind};
use crate::sema::scope::report::data::DataError;
use crate::syntax::ast;
use std::sync::Arc;

/// Elaborates all data items of the program, in the order of the file; those of imports stand behind.
pub fn data_items(cx: &mut Elaborator<'_>) -> Vec<DataSet> {
    let all: Vec<ItemRef> = cx.modules.user_modules().flat_map(|(_, module)| module.items.clone()).collect();
    let mut items: Vec<(Arc<str>, ItemRef)> = Vec::new();
    for item in all {
        // The main file comes first, and its data hides that of imports.
        if let ast::ItemKind::Data(data) = &item.item.kind
            && !items.iter().any(|(name, _)| *name == data.name.text)
        {
            items.push((data.name.text.clone(), item));
        }
    }
    cx.data.waiting = items.clone();
    for (name, _) in &items {
        elaborate(cx, name);
    }
    let mut made = std::mem::take(&mut cx.data.made);
    made.put_in_order_by_key(|set| items.iter().position(|(name, _)| *name == set.name));
    made
}

/// Elaborates a data item if that has not been done.
fn elaborate(cx: &mut Elaborator<'_>, name: &str) {
    let Some(at) = cx.data.waiting.iter().position(|(waiting, _)| &**waiting == name) else { return };
    let (name, item) = cx.data.waiting.remove(at);
    let ast::ItemKind::Data(data) = &item.item.kind else { return };
    cx.data.open.push((name, data.name.span));
    let set = apart(cx, &item, |cx| data_item(cx, data));
    cx.data.open.pop();
    cx.data.made.push(set);
}

/// Elaborates an item as if nothing else were being elaborated.
fn apart<R>(
    cx: &mut Elaborator<'_>,
    item: &ItemRef,
    elaborate: impl FnOnce(&mut Elaborator<'_>) -> R,
) -> R {
    let construction = cx.begin_construction();
    let scans = std::mem::take(&mut cx.scans);
    let around = std::mem::take(&mut cx.data.current);
    let frame = Frame::uncalled(FrameKind::File, None, item.module);
    let result = cx.in_item(ItemContext::file(), |cx| cx.in_frame(frame, elaborate));
    cx.data.current = around;
    cx.scans = scans;
    cx.go_on_with(construction);
    result
}

impl Elaborator<'_> {
    /// Makes sure that what a data item has is known, before something of it is looked up. `false` is reported.
    pub fn demand_data(&mut self, name: &Arc<str>, span: Span) -> bool {
        if self.data.is_open(name) {
            return true;
        }
        if let Some(at) = self.data.open.iter().position(|(open, _)| open == name) {
            let names = self.data.open[at..].iter().map(|(open, _)| open.clone()).collect();
            self.report(DataError::Circle { names, declared: self.data.open[at].1, at: span });
            return false;
        }
        elaborate(self, name);
        true
    }
}
