//! One number for a name in all data of a program.
//!
//! The names in a file get numbers in sorted order, so a file that lacks a name would number the others anew.
//! Therefore fields of the same name in different `data` items share their classes: the names of all their files
//! together, or those that one of them lists (`names = […]`). The same holds for the characters of texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::read::{csv_selection, resolve};
use crate::base::order::PutInOrder;
use crate::base::{Diagnostic, Span};
use crate::ir::Elem;
use crate::ir::program::{DataSet, OTHER, Select, Source, SourceColumn};
use crate::runtime::kept::Kept;
use crate::runtime::notices::Notices;
use crate::runtime::report::data::{ClassError, NamesOfSet};
use crate::runtime::sources::images::Images;
use crate::runtime::sources::{csv, text};
use crate::runtime::world::World;

/// Where the files of a program are.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub world: &'a Arc<dyn World>,
    /// What paths are relative to.
    pub base: &'a Path,
}

/// A data set and a field of it.
type SetField = (Arc<str>, Arc<str>);

/// The classes that data sets share.
#[derive(Clone, Default, Debug)]
pub struct Classes {
    names: BTreeMap<SetField, Arc<[String]>>,
    /// By data set.
    vocabularies: BTreeMap<Arc<str>, Arc<[char]>>,
    /// By field, the data set whose training part says which names of a category have a class.
    teachers: BTreeMap<Arc<str>, Arc<str>>,
    /// Why a data set cannot be read.
    failed: BTreeMap<Arc<str>, Diagnostic>,
}

/// A field of names in one data set.
struct Member<'a> {
    set: &'a DataSet,
    column: &'a SourceColumn,
    names: BTreeSet<String>,
}

impl Classes {
    /// Looks into all files that share classes. Those that cannot be read are left out: reading them tells why.
    pub fn of(sets: &[DataSet], around: Place<'_>) -> Classes {
        let mut classes = Classes::default();
        let mut fields: Vec<&Arc<str>> = Vec::new();
        for column in sets.iter().flat_map(|set| &set.columns) {
            if holds_names(column) && !fields.contains(&&column.field) {
                fields.push(&column.field);
            }
        }
        for field in fields {
            classes.share_names(sets, field, around);
        }
        classes.share_characters(sets, around);
        for set in sets {
            for column in set.columns.iter().filter(|column| learns_names(column)) {
                classes.teachers.entry(column.field.clone()).or_insert_with(|| set.name.clone());
            }
        }
        classes
    }

    /// The same with what a file of parameters has kept in place of what the data's files have.
    pub fn with(&self, sets: &[DataSet], kept: &Kept) -> Classes {
        let mut classes = self.clone();
        for set in sets {
            for column in &set.columns {
                if let Some(names) = kept.classes(&set.name, &column.field) {
                    classes.names.insert((set.name.clone(), column.field.clone()), Arc::clone(names));
                    classes.failed.remove(&set.name);
                }
            }
            if let Some(characters) = kept.vocabulary(&set.name) {
                classes.vocabularies.insert(set.name.clone(), Arc::clone(characters));
            }
        }
        classes
    }

    /// The classes of a column of names: those that are shared, or listed.
    pub fn names(&self, set: &DataSet, column: &SourceColumn) -> Option<Arc<[String]>> {
        let shared = self.names.get(&(set.name.clone(), column.field.clone())).cloned();
        let other = column.has_other.then(|| OTHER.to_owned());
        shared.or_else(|| column.names.as_ref().map(|names| names.iter().cloned().chain(other).collect()))
    }

    /// The same with names of one more field.
    pub fn with_names(&self, set: &DataSet, field: &Arc<str>, names: Arc<[String]>) -> Classes {
        let mut classes = self.clone();
        classes.names.insert((set.name.clone(), field.clone()), names);
        classes
    }

    /// The data set whose training part a category of this field is learnt from, if it is another one: the first in
    /// the program.
    pub fn teacher(&self, set: &DataSet, field: &Arc<str>) -> Option<&Arc<str>> {
        self.teachers.get(field).filter(|teacher| **teacher != set.name)
    }

    /// The characters of a text and of those that share theirs with it.
    pub fn vocabulary(&self, set: &DataSet) -> Option<&Arc<[char]>> {
        self.vocabularies.get(&set.name)
    }

    /// # Errors
    /// E0753 if the classes of a data set do not fit those that it shares.
    pub fn check(&self, set: &DataSet) -> Result<(), Diagnostic> {
        self.failed.get(&set.name).map_or(Ok(()), |error| Err(error.clone()))
    }

    fn share_names(&mut self, sets: &[DataSet], field: &Arc<str>, around: Place<'_>) {
        let members: Vec<(&DataSet, &SourceColumn)> = sets
            .iter()
            .filter_map(|set| {
                let column = set.columns.iter().find(|column| column.field == *field && holds_names(column))?;
                Some((set, column))
            })
            .collect();
        if members.len() < 2 {
            return;
        }
        let listed = members.iter().filter_map(|(set, column)| Some((set, column, column.names.as_ref()?)));
        let listed: Vec<_> = listed.collect();
        if let [(_, first, names), others @ ..] = listed.as_slice() {
            if let Some((set, other, _)) = others.iter().find(|(.., others)| others != names) {
                let (first, other) = (first.span, other.span);
                let error = ClassError::OtherNames { field: field.clone(), first, other };
                self.failed.insert(set.name.clone(), error.into());
            }
            for (set, _) in &members {
                self.names.insert((set.name.clone(), field.clone()), names.as_slice().into());
            }
            return;
        }
        let members = members.into_iter().filter_map(|(set, column)| {
            let names = names_of(set, column, around)?;
            Some(Member { set, column, names })
        });
        let members: Vec<Member<'_>> = members.collect();
        let all: BTreeSet<&String> = members.iter().flat_map(|member| &member.names).collect();
        if members.iter().all(|member| member.names.len() == all.len()) {
            return;
        }
        for member in &members {
            if let Some((declared, span)) = declared(member.set, field)
                && all.len() > declared
                && member.names.len() <= declared
            {
                let (field, all, sets) = (field.clone(), all.len(), names_of_sets(&members));
                let error = ClassError::TooMany { field, all, declared, at: span, sets };
                self.failed.insert(member.set.name.clone(), error.into());
            }
        }
        let all: Arc<[String]> = all.into_iter().cloned().collect();
        for member in &members {
            self.names.insert((member.set.name.clone(), field.clone()), Arc::clone(&all));
        }
    }

    fn share_characters(&mut self, sets: &[DataSet], around: Place<'_>) {
        let path = |set: &DataSet| match &set.source {
            Source::Text { path, .. } => Some(resolve(around.base, path)),
            _ => None,
        };
        let texts: Vec<&DataSet> = sets.iter().filter(|set| path(set).is_some()).collect();
        let share = |a: &DataSet, b: &DataSet| {
            a.fields.iter().any(|field| b.fields.iter().any(|other| other.name == field.name))
        };
        let mut groups: Vec<Vec<&DataSet>> = Vec::new();
        for set in texts {
            let (with, without): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|group| group.iter().any(|other| share(set, other)));
            groups = without;
            groups.push(with.into_iter().flatten().chain([set]).collect());
        }
        for group in groups {
            let mut paths: Vec<_> = group.iter().filter_map(|set| path(set)).collect();
            paths.put_in_order();
            paths.dedup();
            if paths.len() < 2 {
                continue;
            }
            let all: BTreeSet<char> = paths
                .iter()
                .filter_map(|path| text::characters(&**around.world, path).ok())
                .flatten()
                .collect();
            let all: Arc<[char]> = all.into_iter().collect();
            self.vocabularies.extend(group.iter().map(|set| (set.name.clone(), Arc::clone(&all))));
        }
    }
}

/// Whether a column may consist of names.
fn holds_names(column: &SourceColumn) -> bool {
    let has_names = matches!(column.select, Select::Columns { .. } | Select::Named(_) | Select::Labels);
    has_names && column.row.elem == Elem::Int && !column.training_only && !column.has_other && column.date.is_none() && column.text.is_none()
}

/// Whether the names of a column have to be learnt from its training part.
pub fn learns_names(column: &SourceColumn) -> bool {
    column.has_other && column.names.is_none() || column.text.is_some()
}

/// The names in a column; none if it holds numbers or cannot be read.
fn names_of(set: &DataSet, column: &SourceColumn, around: Place<'_>) -> Option<BTreeSet<String>> {
    match &set.source {
        Source::Csv { path, format, .. } => {
            csv::names(&**around.world, &resolve(around.base, path), format, &csv_selection(&column.select)).ok()?
        }
        Source::Images { path, nested, .. } => {
            let images =
                Images::open(around.world, &resolve(around.base, path), *nested, &Notices::default(), Span::NONE)
                    .ok()?;
            Some(images.classes().iter().cloned().collect())
        }
        _ => None,
    }
}

/// The n of a field `class(n)`, and where it stands.
pub fn declared(set: &DataSet, field: &str) -> Option<(usize, Span)> {
    let field = set.fields.iter().find(|known| &*known.name == field)?;
    let bound = field.bounds.iter().find(|bound| bound.is_declared)?;
    Some((usize::try_from(bound.below.as_number()?).ok()?, bound.span))
}

/// Which names only one of the sets has.
fn names_of_sets(members: &[Member<'_>]) -> Vec<NamesOfSet> {
    let of_set = |member: &Member<'_>| {
        let others = || members.iter().filter(|other| other.set.name != member.set.name);
        let only = member.names.iter().filter(|name| !others().any(|other| other.names.contains(*name)));
        NamesOfSet {
            set: member.set.name.clone(),
            only: only.cloned().collect(),
            at: member.column.span,
        }
    };
    members.iter().map(of_set).collect()
}
