//! Blocks: `for` around what is carried out, `every` in a `train`, and the lines of a `sweep`.

use pest::iterators::{Pair, Pairs};

use crate::base::{Span, with_stack};

use super::super::ast::{ForItems, ForRange, Interval, IntervalUnit, Item, ItemKind, Name, Setting, Sweep, Tried};
use super::super::grammar::Rule;
use super::super::report::ItemError;
use super::{Builder, take};

impl Builder<'_> {
    /// `for NAME in RANGE { … }`
    pub(super) fn items_for(&mut self, mut parts: Pairs<'_, Rule>, span: Span) -> ForItems {
        parts.next();
        let (variable, over) = self.for_header(&mut parts, span);
        let items = self.items_block(parts.next(), |kind| {
            matches!(
                kind,
                ItemKind::Train(_)
                    | ItemKind::Print(_)
                    | ItemKind::Expect(_)
                    | ItemKind::Plot(_)
                    | ItemKind::Generate(_)
                    | ItemKind::For(_)
            )
        });
        ForItems { variable, over, items: self.permitted(items, "for"), span }
    }

    /// `sweep { … }`
    pub(super) fn sweep(&mut self, mut parts: Pairs<'_, Rule>, span: Span) -> Sweep {
        let keyword_span = parts.next().map_or(span, |word| self.span(&word));
        let mut sweep = Sweep { tried: Vec::new(), settings: Vec::new(), keyword_span };
        for line in parts {
            if line.as_rule() == Rule::setting {
                let setting = self.setting(line);
                self.add_setting(&mut sweep.settings, setting);
                continue;
            }
            let tried = self.tried(line);
            match sweep.tried.iter().find(|first| first.name.text == tried.name.text) {
                Some(first) => self.twice(&tried.name.text, first.span, tried.span),
                None => sweep.tried.push(tried),
            }
        }
        sweep
    }

    /// `NAME in VALUES, log = true`
    fn tried(&mut self, pair: Pair<'_, Rule>) -> Tried {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let (name, values) = self.for_header(&mut parts, span);
        let mut options = Vec::new();
        for part in parts.filter(|part| part.as_rule() == Rule::setting) {
            let option = self.setting(part);
            self.add_setting(&mut options, option);
        }
        Tried { name, values, options, span }
    }

    fn add_setting(&mut self, settings: &mut Vec<Setting>, setting: Setting) {
        match settings.iter().find(|first| first.name.text == setting.name.text) {
            Some(first) => self.twice(&setting.name.text, first.span, setting.span),
            None => settings.push(setting),
        }
    }

    /// `NAME in RANGE`, of items and of statements.
    pub(super) fn for_header(&mut self, parts: &mut Pairs<'_, Rule>, span: Span) -> (Name, ForRange) {
        let variable = self.next_name(parts, span);
        take(parts, Rule::kw_in);
        let start = self.next_expr(parts, span);
        let over = match take(parts, Rule::expr) {
            Some(end) => ForRange::Range { start, end: self.expr(end) },
            None => ForRange::List(start),
        };
        (variable, over)
    }

    /// `every 10 epochs { … }`
    pub(super) fn interval(&mut self, pair: Pair<'_, Rule>) -> Interval {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        parts.next();
        let count = take(&mut parts, Rule::expr).map(|count| self.expr(count));
        let word = parts.next();
        let is_steps = word.as_ref().is_some_and(|word| word.as_rule() == Rule::kw_steps);
        let end = word.map_or(span.end, |word| self.span(&word).end);
        let items = self.items_block(parts.next(), |kind| {
            matches!(kind, ItemKind::Print(_) | ItemKind::Expect(_) | ItemKind::Plot(_) | ItemKind::Generate(_))
        });
        let unit = if is_steps { IntervalUnit::Steps } else { IntervalUnit::Epochs };
        Interval { count, unit, items: self.permitted(items, "every"), header_span: Span { end, ..span } }
    }

    /// The items in braces, each with whether it may stand there.
    fn items_block(
        &mut self,
        pair: Option<Pair<'_, Rule>>,
        may_stand: impl Fn(&ItemKind) -> bool,
    ) -> Vec<(Item, bool)> {
        let pairs = pair.into_iter().flat_map(Pair::into_inner).filter(|part| part.as_rule() == Rule::item);
        let items = pairs.filter_map(|part| with_stack(|| self.item(part)));
        items.map(|item| { let fits = may_stand(&item.kind); (item, fits) }).collect()
    }

    /// The items that may stand there; the others are told.
    fn permitted(&mut self, items: Vec<(Item, bool)>, block: &'static str) -> Vec<Item> {
        let mut permitted = Vec::new();
        for (item, fits) in items {
            match fits {
                true => permitted.push(item),
                false => self.error(ItemError::NotInBlock { word: item.kind.keyword(), block, at: item.span }),
            }
        }
        permitted
    }
}
