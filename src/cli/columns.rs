//! What stands in the columns of a table: numbers or names, how many are missing, and what looks odd.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::base::order::PutInOrder;
use crate::base::Diagnostic;
use crate::runtime::data::texts::words;
use crate::runtime::sources::csv::stream::Stream;
use crate::runtime::sources::file::{FileBytes, is_gzipped};
use crate::runtime::world::native::NativeWorld;
use crate::runtime::sources::csv::{Kind, Options, date_orders, kind_of, number_of};

/// So many different values of a column are counted.
const MOST_VALUES: usize = 1000;
/// So many different words of a column are counted.
const MOST_WORDS: usize = 50_000;
/// Rows that are shown.
const SHOWN: usize = 3;

/// A table as a whole.
pub struct Profile {
    pub rows: usize,
    pub has_header: bool,
    pub columns: Vec<Column>,
    /// The first rows.
    pub first: Vec<Vec<String>>,
}

/// One column of it.
#[derive(Default)]
pub struct Column {
    pub name: String,
    pub numbers: usize,
    pub names: usize,
    pub missing: usize,
    /// The texts that say that a value is missing.
    pub gaps: std::collections::BTreeSet<String>,
    /// How often each value stands there, as long as these are not too many.
    pub values: BTreeMap<String, usize>,
    pub has_more_values: bool,
    /// How often each of these orders reads the names as dates.
    dates: [usize; 3],
    pub least: f64,
    pub greatest: f64,
    sum: f64,
    /// Whether all numbers are whole, and each is one more than the one before.
    pub is_whole: bool,
    pub counts_up: bool,
    last: f64,
    /// Of names that are texts: how many words they have together, how many the longest has, and how often each word
    /// stands there, as long as these are not too many.
    words: usize,
    pub most_words: usize,
    vocabulary: BTreeMap<String, usize>,
}

impl Column {
    /// Whether the names are texts of several words, most of which stand there once.
    pub fn is_text(&self) -> bool {
        let differ = self.has_more_values || self.values.len() * 2 > self.names;
        self.holds_names() && differ && self.words >= 3 * self.names && self.date_orders().is_empty()
    }

    /// How many words stand there more than once.
    pub fn repeated_words(&self) -> usize {
        self.vocabulary.values().filter(|count| **count > 1).count()
    }

    fn add_words(&mut self, text: &str) {
        let words = words(text);
        self.words += words.len();
        self.most_words = self.most_words.max(words.len());
        for word in words {
            if self.vocabulary.len() < MOST_WORDS || self.vocabulary.contains_key(&word) {
                *self.vocabulary.entry(word).or_default() += 1;
            }
        }
    }

    pub fn holds_numbers(&self) -> bool {
        self.numbers > 0 && self.names == 0
    }

    pub fn holds_names(&self) -> bool {
        self.names > 0 && self.numbers == 0
    }

    /// The orders in which all names of the column can be read as dates.
    pub fn date_orders(&self) -> Vec<&'static str> {
        let orders = ["ymd", "dmy", "mdy"].into_iter().zip(self.dates);
        orders.filter(|(_, count)| self.holds_names() && *count == self.names).map(|(order, _)| order).collect()
    }

    /// How many of the names stand in at least so many rows.
    pub fn frequent(&self, rows: usize) -> usize {
        self.values.values().filter(|count| **count >= rows).count()
    }

    pub fn mean(&self) -> f64 {
        self.sum / self.numbers.max(1) as f64
    }

    /// What is odd about the column, if something is.
    pub fn oddity(&self) -> Option<String> {
        let count = self.numbers + self.names;
        if count == 0 {
            return Some("has no values".to_owned());
        }
        if self.values.len() == 1 && !self.has_more_values {
            return Some("is the same in all rows".to_owned());
        }
        if self.numbers > 0 && self.names > 0 {
            return Some(format!("has {} numbers and {} names", self.numbers, self.names));
        }
        if self.counts_up && count > 10 {
            return Some("counts the rows".to_owned());
        }
        let all_differ = self.values.len() == count || self.has_more_values;
        if self.names > 0 && self.date_orders().is_empty() && all_differ && count > 20 {
            return Some("has another name in nearly every row".to_owned());
        }
        None
    }

    fn add(&mut self, text: &str, options: &Options) {
        match kind_of(text, options) {
            Kind::Missing => {
                self.missing += 1;
                self.gaps.insert(text.to_owned());
                return;
            }
            Kind::Name => {
                self.names += 1;
                self.add_words(text);
                for order in date_orders(text) {
                    self.dates[order as usize] += 1;
                }
            }
            Kind::Number => {
                let value = number_of(text, options).unwrap_or(f64::NAN);
                if self.numbers == 0 {
                    (self.least, self.greatest, self.is_whole, self.counts_up) = (value, value, true, true);
                } else {
                    self.counts_up &= value == self.last + 1.0;
                }
                self.least = self.least.min(value);
                self.greatest = self.greatest.max(value);
                self.sum += value;
                self.is_whole &= value.fract() == 0.0;
                self.last = value;
                self.numbers += 1;
            }
        }
        if let Some(count) = self.values.get_mut(text) {
            *count += 1;
        } else if self.values.len() < MOST_VALUES {
            self.values.insert(text.to_owned(), 1);
        } else {
            self.has_more_values = true;
        }
    }
}

/// A csv file for reading from its beginning to its end, unpacked if it is gzipped.
///
/// # Errors
/// E0701, E0702.
pub fn opened(path: &Path) -> Result<Box<dyn Read>, Diagnostic> {
    let failed = |error: io::Error| {
        Diagnostic::error("E0701", format!("cannot read `{}`: {error}", path.display()))
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut first = Vec::new();
    Read::by_ref(&mut file).take(2).read_to_end(&mut first).map_err(failed)?;
    if is_gzipped(&first) {
        let unpacked = FileBytes::open(&NativeWorld, path)?.all()?.into_owned();
        return Ok(Box::new(io::Cursor::new(unpacked)));
    }
    Ok(Box::new(io::Cursor::new(first).chain(file)))
}

/// Looks at all rows of a csv file.
///
/// # Errors
/// E0701 if it cannot be read, and those of its text.
pub fn profile(
    path: &Path,
    options: Options,
    tell: &mut dyn FnMut(Diagnostic),
) -> Result<Profile, Diagnostic> {
    let name = path.display().to_string();
    let mut stream = Stream::new(opened(path)?, name, options, Vec::new());
    let mut profile = Profile { rows: 0, has_header: false, columns: Vec::new(), first: Vec::new() };
    while let Some(block) = stream.next(1000, tell)? {
        if profile.rows == 0 {
            profile.has_header = stream.header().is_some();
            let names = match stream.header() {
                Some(names) => names.to_vec(),
                None => (0..stream.n_columns()).map(|at| at.to_string()).collect(),
            };
            profile.columns = names.into_iter().map(|name| Column { name, ..Column::default() }).collect();
        }
        for fields in block.fields {
            for (column, text) in profile.columns.iter_mut().zip(&fields) {
                column.add(text, &options);
            }
            if profile.first.len() < SHOWN {
                profile.first.push(fields);
            }
        }
        profile.rows += block.rows;
    }
    Ok(profile)
}

/// `Adelie (152), Chinstrap (68) and 3 others`, the most frequent first.
pub fn values_text(column: &Column, most: usize) -> String {
    let mut values: Vec<(&String, &usize)> = column.values.iter().collect();
    values.put_in_order_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown: Vec<String> =
        values.iter().take(most).map(|(name, count)| format!("{name} ({count})")).collect();
    match values.len().saturating_sub(most) {
        0 => shown.join(", "),
        others => format!("{} and {others} others", shown.join(", ")),
    }
}
