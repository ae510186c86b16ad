//! The data sets of a session, read when they are first needed.

use std::borrow::Cow;
use std::sync::Arc;

use super::array::Array;
use super::data::read::Around;
use super::data::{self, Table, load};
use super::fields::FieldsOf;
use super::given;
use super::kept::Kept;
use super::program::Diagnostics;
use super::session::Session;
use super::report::data::{DataError, LearntWarning};
use crate::base::{Diagnostic, Span};
use crate::ir::program::{DataRef, DataSet};
use crate::ir::{ColumnKey, Sizes};

/// The names of data sets.
pub(super) fn names_of(sets: &[DataSet]) -> Vec<Arc<str>> {
    sets.iter().map(|set| set.name.clone()).collect()
}

impl Session {
    /// The rows of a data set, read when they are first needed.
    pub(super) fn table(&mut self, name: &str) -> Result<Arc<Table>, Diagnostic> {
        let program = self.program.clone();
        let sets = &program.checked().data;
        let unknown = || DataError::Unknown { name: name.to_owned(), sets: names_of(sets) };
        let number = sets.iter().position(|set| &*set.name == name).ok_or_else(unknown)?;
        // What is made of given rows, or with what was kept, is not the same in all sessions.
        let is_shared = self.kept.is_none() && !given::any_is_given(&program);
        let known = if is_shared { program.table(number).get() } else { self.tables.get(name) };
        if let Some(table) = known {
            return Ok(Arc::clone(table));
        }
        let set = &sets[number];
        let precision = program.checked().precision;
        let (given, kept, notices) = (self.rows_given.clone(), self.kept.clone(), self.notices.clone());
        let ranks = self.ranks.clone();
        let classes = match &kept {
            Some(kept) => Cow::Owned(program.classes().with(sets, kept)),
            None => Cow::Borrowed(program.classes()),
        };
        let around = Around {
            world: program.world(),
            given: &given,
            base: program.base(),
            classes: &classes,
            kept: kept.as_deref(),
            dropped: &[],
            notices: &notices,
            ranks: ranks.as_ref(),
        };
        let mut fields = FieldsOf { session: self, set };
        let loaded = load::load(set, around, precision, load::Limits::default(), &mut fields);
        let table = match loaded {
            Ok(table) => Arc::new(table),
            Err(error) if error.code == "E0754" && kept.is_some() && !self.is_aimed => {
                // Parameters may be the start of a training on other classes.
                let (set, found, at) = (set.name.clone(), error.message, set.span);
                self.notices.add(LearntWarning::OtherNames { set, found, at });
                self.kept = None;
                return self.table(name);
            }
            Err(error) => return Err(error),
        };
        if is_shared {
            return Ok(Arc::clone(program.table(number).get_or_init(|| table)));
        }
        self.tables.insert(set.name.clone(), Arc::clone(&table));
        Ok(table)
    }

    /// What was learnt from the data sets that were read so far, and what the file of the parameters has kept of
    /// others.
    pub(super) fn learnt(&self) -> Kept {
        let mut learnt = self.kept.as_deref().cloned().unwrap_or_default();
        learnt.given = self.kept.is_some();
        for (number, set) in self.program.checked().data.iter().enumerate() {
            let known = self.tables.get(&set.name);
            if let Some(table) = known.or_else(|| self.program.table(number).get()) {
                learnt.add(&set.name, table);
            }
        }
        learnt
    }

    /// A whole column, for code of these sizes; none if there is none of this name.
    pub(super) fn column(
        &mut self,
        key: &ColumnKey,
        sizes: &Sizes,
    ) -> Result<Option<Arc<Array>>, Diagnostic> {
        let table = self.table(&key.set)?;
        table.whole(&key.field, key.part.as_deref(), sizes, &mut |code, sizes, inputs| {
            self.compute(code, sizes, inputs)
        })
    }

    /// The table and rows that a `data = …` means.
    pub(super) fn rows(
        &mut self,
        data: &DataRef,
        span: Span,
    ) -> Result<(Arc<Table>, data::Rows), Diagnostic> {
        let table = self.table(&data.set)?;
        let no_part = || DataError::NoPart { name: data::data_name(data), at: span };
        let rows = table.rows_of(data.part.as_deref()).ok_or_else(no_part)?;
        Ok((table, rows))
    }
}

/// What a data set holds.
pub struct Description {
    pub rows: usize,
    /// Each part with its number of rows.
    pub parts: Vec<(Arc<str>, usize)>,
    /// A line for each field.
    pub fields: Vec<String>,
}

impl Session {
    /// What a data set of the program holds.
    ///
    /// # Errors
    /// Those of reading it.
    #[doc(hidden)]
    pub fn describe(&mut self, name: &str) -> Result<Description, Diagnostics> {
        let program = self.program.clone();
        let table = self.table(name).map_err(|error| program.failed([error]))?;
        let set = program.checked().data.iter().find(|set| &*set.name == name);
        let parts = table.parts.iter().map(|(name, rows)| (name.clone(), rows.len())).collect();
        let mut fields = Vec::new();
        for field in set.into_iter().flat_map(|set| &set.fields) {
            let mut line = format!("{}: {}", field.name, field.row);
            if let Some(data::Column::Memory(array)) = table.fields.get(&field.name) {
                line.push_str(&values_of(array, table.names.get(&field.name).map(|names| &**names)));
            }
            fields.push(line);
        }
        Ok(Description { rows: table.rows, parts, fields })
    }
}

/// Of classes how many rows each has, of numbers between which they lie and what their mean is.
fn values_of(array: &Array, names: Option<&[String]>) -> String {
    let count = array.elements().len();
    if count == 0 {
        return String::new();
    }
    if let (Some(names), 1) = (names, array.row_len()) {
        let mut rows = vec![0usize; names.len()];
        for at in 0..count {
            if let Some(class) = rows.get_mut(array.number(at) as usize) {
                *class += 1;
            }
        }
        let classes: Vec<String> = names
            .iter()
            .zip(rows)
            .enumerate()
            .take(20)
            .map(|(at, (name, rows))| format!("{at} {name} ({rows})"))
            .collect();
        return format!(", {}", classes.join(", "));
    }
    let (mut least, mut greatest, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    for at in 0..count {
        let value = array.number(at);
        (least, greatest, sum) = (least.min(value), greatest.max(value), sum + value);
    }
    let text = super::format::number_text;
    format!(", from {} to {}, mean {}", text(least), text(greatest), text(sum / count as f64))
}
