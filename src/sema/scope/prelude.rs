//! The library written in the language, compiled into the binary and parsed item by item when reached.

use crate::base::order::PutInOrder;
use crate::sema::scope::candidates::NameKind;
use crate::sema::scope::module::{Found, ItemRef, ModuleId};
use crate::sema::scope::report::Report;
use crate::base::{FileId, SourceMap};
use crate::syntax::{self, ast};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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

/// The kind of the item that a word begins, if it is one that stands in the library.
fn kind_of(word: &str) -> Option<NameKind> {
    let role = ast::Role::ALL.into_iter().find(|role| role.keyword() == word);
    role.map(NameKind::Definition).or_else(|| (word == "const").then_some(NameKind::Const))
}

/// The library among the files of one compilation.
#[derive(Debug, Default)]
pub struct Prelude {
    /// The number of its first file; the others follow.
    first: FileId,
    places: Option<&'static HashMap<&'static str, Place>>,
    /// What this compilation has found.
    found: HashMap<&'static str, Option<ItemRef>>,
}

#[derive(Debug)]
struct Place {
    /// The place of its file in [`FILES`].
    file: usize,
    range: Range<usize>,
    kind: NameKind,
}

/// What is the same in every compilation of a process.
struct Library {
    files: Vec<(Arc<str>, Arc<str>)>,
    places: HashMap<&'static str, Place>,
}

/// Items that were parsed before, by the number of their file and their name: whoever compiles many programs pays for
/// an item of the library once. Only those of the usual numbers are kept, behind one file of the user's.
static PARSED: Mutex<BTreeMap<(FileId, &'static str), ItemRef>> = Mutex::new(BTreeMap::new());

const USUAL: FileId = FileId(1);

impl Prelude {
    /// Adds the files of the library. Nothing of them is parsed yet.
    pub fn index(sources: &mut SourceMap) -> Prelude {
        let library = library();
        let files = library.files.iter();
        let added: Vec<FileId> = files.map(|(name, text)| sources.add(name.clone(), text.clone())).collect();
        let first = added.first().copied().unwrap_or_default();
        Prelude { first, places: Some(&library.places), found: HashMap::new() }
    }

    pub fn has_file(&self, file: FileId) -> bool {
        self.places.is_some() && (self.first.0..self.first.0 + FILES.len() as u32).contains(&file.0)
    }

    pub fn find(&mut self, name: &str, reports: &mut Vec<Report>) -> Option<Found> {
        let (name, place) = self.places?.get_key_value(name)?;
        let first = self.first;
        let item = self.found.entry(name).or_insert_with(|| parsed(first, name, place, reports));
        Some(item.clone().map_or(Found::Broken, Found::Item))
    }

    /// The names of the library in order, each with its kind.
    pub fn names(&self) -> Vec<(&'static str, NameKind)> {
        let places = self.places.into_iter().flatten();
        let mut names: Vec<_> = places.map(|(name, place)| (*name, place.kind)).collect();
        names.put_in_order_by_key(|(name, _)| *name);
        names
    }
}

/// Finds where the items are: each begins at the start of a line with its word.
fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut places = HashMap::new();
        for (file, (_, text)) in FILES.iter().enumerate() {
            let starts = item_starts(text);
            for (at, (start, item, kind)) in starts.iter().enumerate() {
                let end = starts.get(at + 1).map_or(text.len(), |(next, ..)| *next);
                places.insert(*item, Place { file, range: *start..end, kind: *kind });
            }
        }
        let files = FILES.iter().map(|(name, text)| (Arc::from(*name), Arc::from(*text))).collect();
        Library { files, places }
    })
}

/// The item at a place, if it is right.
fn parsed(
    first: FileId,
    name: &'static str,
    place: &Place,
    reports: &mut Vec<Report>,
) -> Option<ItemRef> {
    let file = FileId(first.0 + place.file as u32);
    // What a thread that failed has left here is whole: items are put in when they are.
    let before = || PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(item) = before().get(&(file, name)) {
        return Some(item.clone());
    }
    let (item, errors) = syntax::parse_item_at(file, FILES[place.file].1, place.range.clone());
    let is_right = errors.is_empty();
    reports.extend(errors.into_iter().map(Report::from));
    let item = item.map(|item: ast::Item| ItemRef { module: ModuleId::PRELUDE, item: Arc::new(item) })?;
    if is_right && first == USUAL {
        before().insert((file, name), item.clone());
    }
    Some(item)
}

/// Where each item begins, its doc comment included, its name and its kind.
fn item_starts(text: &'static str) -> Vec<(usize, &'static str, NameKind)> {
    let mut starts = Vec::new();
    let (mut offset, mut doc) = (0, None);
    for line in text.split_inclusive('\n') {
        if line.starts_with("##") {
            doc = doc.or(Some(offset));
        } else {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if let Some(kind) = kind_of(word) {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''));
                starts.push((doc.unwrap_or(offset), &rest[..end.unwrap_or(rest.len())], kind));
            }
            doc = None;
        }
        offset += line.len();
    }
    starts
}
