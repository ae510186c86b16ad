//! The library written in the language, compiled into the binary and parsed item by item when reached.

use crate::base::order::PutInOrder;
use crate::sema::scope::module::{Found, ItemRef, ModuleId};
use crate::sema::scope::report::Report;
use crate::base::{FileId, SourceMap};
use crate::syntax::{self, ast};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The files of the library, with the names under which messages show them.
pub const FILES: &[(&str, &str)] = &[
    ("prelude/activations.nn", include_str!("../../prelude/activations.nn")),
    ("prelude/algebra.nn", include_str!("../../prelude/algebra.nn")),
    ("prelude/attention.nn", include_str!("../../prelude/attention.nn")),
    ("prelude/convolution.nn", include_str!("../../prelude/convolution.nn")),
    ("prelude/functions.nn", include_str!("../../prelude/functions.nn")),
    ("prelude/generation.nn", include_str!("../../prelude/generation.nn")),
    ("prelude/graph.nn", include_str!("../../prelude/graph.nn")),
    ("prelude/inits.nn", include_str!("../../prelude/inits.nn")),
    ("prelude/linear.nn", include_str!("../../prelude/linear.nn")),
    ("prelude/losses.nn", include_str!("../../prelude/losses.nn")),
    ("prelude/metrics.nn", include_str!("../../prelude/metrics.nn")),
    ("prelude/normalisation.nn", include_str!("../../prelude/normalisation.nn")),
    ("prelude/optimizers.nn", include_str!("../../prelude/optimizers.nn")),
    ("prelude/augmentation.nn", include_str!("../../prelude/augmentation.nn")),
    ("prelude/pooling.nn", include_str!("../../prelude/pooling.nn")),
    ("prelude/schedules.nn", include_str!("../../prelude/schedules.nn")),
    ("prelude/sequence.nn", include_str!("../../prelude/sequence.nn")),
    ("prelude/sorting.nn", include_str!("../../prelude/sorting.nn")),
    ("prelude/spiking.nn", include_str!("../../prelude/spiking.nn")),
];

/// The words that begin an item with a name; only these stand in the library.
const WORDS: [&str; 9] =
    ["activation", "const", "fn", "init", "layer", "loss", "metric", "optimizer", "schedule"];

#[derive(Debug, Default)]
pub struct Prelude {
    files: Vec<FileId>,
    places: HashMap<&'static str, Place>,
    parsed: HashMap<&'static str, Option<ItemRef>>,
}

#[derive(Clone, Debug)]
struct Place {
    file: FileId,
    text: &'static str,
    range: Range<usize>,
}

impl Prelude {
    /// Finds where the items are: each begins at the start of a line with its word.
    pub fn index(sources: &mut SourceMap) -> Prelude {
        let mut prelude = Prelude::default();
        for (name, text) in FILES {
            let file = sources.add(*name, *text);
            prelude.files.push(file);
            let starts = item_starts(text);
            for (at, (start, item)) in starts.iter().enumerate() {
                let end = starts.get(at + 1).map_or(text.len(), |(next, _)| *next);
                prelude.places.insert(item, Place { file, text, range: *start..end });
            }
        }
        prelude
    }

    pub fn has_file(&self, file: FileId) -> bool {
        self.files.contains(&file)
    }

    pub fn find(&mut self, name: &str, reports: &mut Vec<Report>) -> Option<Found> {
        let (key, place) = self.places.get_key_value(name)?;
        let (key, place) = (*key, place.clone());
        let item = self.parsed.entry(key).or_insert_with(|| {
            let (item, errors) = syntax::parse_item_at(place.file, place.text, place.range);
            reports.extend(errors.into_iter().map(Report::from));
            item.map(|item: ast::Item| ItemRef { module: ModuleId::PRELUDE, item: Arc::new(item) })
        });
        Some(item.clone().map_or(Found::Broken, Found::Item))
    }

    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = self.places.keys().copied().collect();
        names.put_in_order();
        names
    }
}

/// Where each item begins, its doc comment included, and its name.
fn item_starts(text: &'static str) -> Vec<(usize, &'static str)> {
    let mut starts = Vec::new();
    let (mut offset, mut doc) = (0, None);
    for line in text.split_inclusive('\n') {
        if line.starts_with("##") {
            doc = doc.or(Some(offset));
        } else {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if WORDS.contains(&word) {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''));
                starts.push((doc.unwrap_or(offset), &rest[..end.unwrap_or(rest.len())]));
            }
            doc = None;
        }
        offset += line.len();
    }
    starts
}
