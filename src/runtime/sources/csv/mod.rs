//! Tables as text: columns of numbers, and columns of names as class numbers.
//!
//! - Without the option [`header`] decides whether the first line is a header, and tells where it is in doubt.
//! - Columns are numbered from 0, negative numbers count from the end; `columns(a:b)` excludes b.
//! - A field that is empty or says that it is not known is an error, and so is anything that is
//!   not a finite number, except that a column read as ints may consist of names: its classes are
//!   the names that are given, or all that are found in sorted (Unicode) order. Numbers and names in
//!   one column are an error.
//! - Empty lines are skipped; blanks around a field do not belong to it. Lines end with LF, CR LF or,
//!   in a file without any LF, with CR.

mod advice;
mod dates;
mod gathered;
mod header;
mod numbers;
mod scan;
mod select;
mod shares;
pub mod stored;
pub mod stream;
mod values;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::base::Diagnostic;
use crate::runtime::array::Array;
use crate::runtime::report::tables::{ColumnError, FirstLine, HeaderDoubt, MissingColumn, TableError};
use crate::runtime::room::Need;
use crate::runtime::world::World;

use super::file::FileBytes;
use super::text::utf8;

pub use crate::ir::program::TableFormat as Options;
use crate::ir::program::Date;
pub use select::{ColumnRef, Selection};

use scan::{Field, ScanError, Scanner, line_column};
use select::resolve;
use stream::Stream;
pub use advice::no_number;
pub use dates::{date_of, days as days_of, orders as date_orders};
pub use values::{Kind, kind_of, number_of};

use values::Reader;

/// What the elements are to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    F32,
    F64,
    /// Floats of 64 bits that 32 bits can hold, if not exactly.
    Wide,
    /// Whole numbers, or the classes of names.
    Int,
    Bool,
    /// Whether there is no value.
    Missing,
}

/// Columns that are to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub selection: Selection,
    pub want: Want,
    /// Of ints: the names of the classes, if they are known beforehand.
    pub classes: Option<Arc<[String]>>,
    /// Whether floats may be missing, which are then NaN.
    pub may_miss: bool,
    /// Whether all that stands there are names, numbers and nothing as well. Of given names the last is then the class
    /// of all that are not given.
    pub is_category: bool,
    /// What of points in time is read.
    pub date: Option<Date>,
}

impl Request {
    /// Columns as they stand.
    pub fn plain(selection: Selection, want: Want) -> Request {
        Request { selection, want, classes: None, may_miss: false, is_category: false, date: None }
    }
}

/// Columns that were read.
#[derive(Clone, PartialEq, Debug)]
pub struct Columns {
    pub array: Array,
    /// The names by class, if the columns consist of names.
    pub classes: Option<Vec<String>>,
    /// Dates that are all written from the year to the day, where another order was asked for.
    pub idle_order: bool,
}

/// What was read of a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    pub rows: usize,
    /// The names of all columns of the file.
    pub header: Option<Vec<String>>,
    /// One for each request.
    pub columns: Vec<Columns>,
    /// What is to be told and is no error.
    pub warnings: Vec<Diagnostic>,
}

/// Reads columns of a csv file, plain or gzipped, in one pass.
///
/// Errors: E0701, E0705 (missing value), E0706 (not a number), E0707 (ragged rows), E0708 (no such
/// column), E0709 (not a csv text), E0710 (no rows), E0712 (a number that does not fit), E0754 (a
/// name that is no class). All but the first name line and column.
pub fn read(
    world: &dyn World,
    path: &Path,
    options: &Options,
    requests: &[Request],
) -> Result<Table, Diagnostic> {
    read_without(world, path, options, requests, &[])
}

/// The same without the rows that are dropped; none are if there are no answers.
///
/// # Errors
/// As [`read`].
pub fn read_without(
    world: &dyn World,
    path: &Path,
    options: &Options,
    requests: &[Request],
    dropped: &[bool],
) -> Result<Table, Diagnostic> {
    let file = FileBytes::open(world, path)?;
    let name = path.display().to_string();
    let bytes = file.all()?;
    let text = utf8(&bytes, &format!("`{name}`"))?;
    read_rows(text, &name, options, requests, dropped)
}

/// The names in columns that consist of names, sorted; none if they are numbers.
///
/// Errors: as [`read`].
pub fn names(
    world: &dyn World,
    path: &Path,
    options: &Options,
    selection: &Selection,
) -> Result<Option<BTreeSet<String>>, Diagnostic> {
    let bytes = FileBytes::open(world, path)?;
    let name = path.display().to_string();
    let request = Request::plain(selection.clone(), Want::Int);
    let options = stored::decided(&bytes, &name, options, std::slice::from_ref(&request))?.0;
    let reader = Box::new(stored::InOrder { bytes, at: 0 });
    let mut stream = Stream::new(reader, name, options, vec![request]);
    stream.first_line(&mut |_| {})?;
    let columns = stream.columns().concat();
    let (mut names, mut has_numbers) = (BTreeSet::new(), false);
    stream.visit(None, &mut |fields, _, _| {
        for column in &columns {
            let text = &*fields[*column].text;
            match kind_of(text, &options) {
                Kind::Number => has_numbers = true,
                // Reading the file tells about it.
                Kind::Missing => {}
                Kind::Name if names.contains(text) => {}
                Kind::Name => drop(names.insert(text.to_owned())),
            }
        }
        Ok(())
    })?;
    Ok((!has_numbers).then_some(names))
}

/// As [`read`], from a text; `name` is how messages call the file.
pub fn read_text(
    text: &str,
    name: &str,
    options: &Options,
    requests: &[Request],
) -> Result<Table, Diagnostic> {
    read_rows(text, name, options, requests, &[])
}

fn read_rows(
    text: &str,
    name: &str,
    options: &Options,
    requests: &[Request],
    dropped: &[bool],
) -> Result<Table, Diagnostic> {
    let text = lines(text);
    let mut begun = Begun::new(&text, name, options, requests)?;
    let mut readers = Vec::new();
    let mut warnings = Vec::new();
    for request in requests {
        let columns = resolve(&request.selection, begun.n_columns, begun.header.as_deref())
            .map_err(|missing| no_column(name, missing, &begun.first, options))?;
        if begun.has_index && columns.contains(&0) && warnings.is_empty() {
            warnings.push(HeaderDoubt::IndexColumn { file: name.to_owned() }.into());
        }
        readers.push(Reader::new(columns, request, *options));
    }
    // A line may be part of a quoted field, so there are no more rows than lines.
    let most_rows = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let bytes = readers.iter().map(|reader| reader.bytes(most_rows)).fold(0, u64::saturating_add);
    Need::of(format!("the values of `{name}`"), bytes).check()?;
    readers.iter_mut().try_for_each(|reader| reader.reserve(most_rows))?;
    let (mut rows, mut line) = (0, 0);
    while begun.next_row()? {
        line += 1;
        if dropped.get(line - 1).copied().unwrap_or(false) {
            continue;
        }
        for reader in &mut readers {
            reader.push_row(&begun.fields, &begun.place, begun.header.as_deref())?;
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(TableError::NoRows { file: name.to_owned() }.into());
    }
    warnings.extend(begun.doubt.map(Diagnostic::from));
    let columns = readers.into_iter().map(|reader| reader.finish(rows)).collect::<Result<Vec<_>, _>>()?;
    Ok(Table { rows, header: begun.header, columns, warnings })
}

/// The text with `\n` at the ends of lines where they are `\r` alone.
fn lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') && !text.contains('\n') {
        Cow::Owned(text.replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text whose first line was looked at.
struct Begun<'a> {
    place: Place<'a>,
    scanner: Scanner<'a>,
    /// The first line.
    first: Vec<Field<'a>>,
    first_line: usize,
    n_columns: usize,
    header: Option<Vec<String>>,
    /// Whether the first column is the index that pandas writes.
    has_index: bool,
    /// Whether the first line may be what it is not taken for.
    doubt: Option<HeaderDoubt>,
    /// Whether the first line is a row that is not given out yet.
    waiting: bool,
    /// The present row.
    fields: Vec<Field<'a>>,
}

impl<'a> Begun<'a> {
    fn new(
        text: &'a str,
        name: &'a str,
        options: &Options,
        requests: &[Request],
    ) -> Result<Begun<'a>, Diagnostic> {
        let place = Place { name, text, lines: 0 };
        let mut scanner = scanner(text, options)?;
        let mut first = Vec::new();
        if !place.scanned(scanner.next_record(&mut first))? {
            return Err(TableError::Empty { file: name.to_owned() }.into());
        }
        let verdict = match options.header {
            Some(is_header) => header::Verdict { is_header, in_doubt: false },
            None => header::decide(&first, scanner.clone(), requests, options),
        };
        let header: Option<Vec<String>> =
            verdict.is_header.then(|| first.iter().map(|field| field.text.to_string()).collect());
        Ok(Begun {
            has_index: header.as_ref().is_some_and(|names| names.len() > 1 && names[0].is_empty()),
            doubt: verdict.in_doubt.then(|| doubt(name, &first, verdict.is_header)),
            first_line: line_column(text, first[0].start).0,
            n_columns: first.len(),
            waiting: header.is_none(),
            place,
            scanner,
            first,
            header,
            fields: Vec::new(),
        })
    }

    /// Goes on to the next row; false at the end.
    fn next_row(&mut self) -> Result<bool, Diagnostic> {
        if std::mem::take(&mut self.waiting) {
            self.fields.clone_from(&self.first);
            return Ok(true);
        }
        if !self.place.scanned(self.scanner.next_record(&mut self.fields))? {
            return Ok(false);
        }
        self.place.check_width(&self.fields, self.first_line, self.n_columns)?;
        Ok(true)
    }
}

/// That a file has no such columns, with what its first line shows if it has one column only.
fn no_column(name: &str, missing: MissingColumn, first: &[Field<'_>], options: &Options) -> ColumnError {
    let cause = match first {
        [single] => {
            let separators = [';', '\t', '|', ','].into_iter();
            let other = separators.filter(|&c| c != options.separator).find(|&c| single.text.contains(c));
            let is_comment = single.text.starts_with('#');
            other.map(FirstLine::Separator).or(is_comment.then_some(FirstLine::Comment))
        }
        _ => None,
    };
    ColumnError { file: name.to_owned(), missing, cause }
}

/// The first line may be what it is not taken for.
fn doubt(name: &str, first: &[Field<'_>], is_header: bool) -> HeaderDoubt {
    let first = first.iter().map(|field| field.text.to_string()).collect();
    HeaderDoubt::Verdict { file: name.to_owned(), first, is_header }
}

/// What takes a text apart.
fn scanner<'t>(text: &'t str, options: &Options) -> Result<Scanner<'t>, TableError> {
    let separator = u8::try_from(options.separator).ok().filter(u8::is_ascii);
    Ok(Scanner::new(text, separator.ok_or(TableError::Separator(options.separator))?))
}

/// Where messages say that something is.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
    /// How many lines of the file stand before the text.
    lines: usize,
}

impl Place<'_> {
    fn line(&self, at: usize) -> String {
        format!("{}:{}", self.name, self.lines + line_column(self.text, at).0)
    }

    fn line_and_column(&self, at: usize) -> String {
        let (line, column) = line_column(self.text, at);
        format!("{}:{}:{column}", self.name, self.lines + line)
    }

    /// Whether a row has as many fields as the first line.
    fn check_width(
        &self,
        fields: &[Field<'_>],
        first_line: usize,
        expected: usize,
    ) -> Result<(), TableError> {
        match fields.len() {
            count if count == expected => Ok(()),
            count => Err(TableError::Ragged {
                at: self.line(fields[0].start),
                fields: count,
                first_line,
                expected,
            }),
        }
    }

    fn scanned<T>(&self, result: Result<T, ScanError>) -> Result<T, TableError> {
        result.map_err(|error| match error {
            ScanError::UnclosedQuote(at) => TableError::UnclosedQuote { at: self.line_and_column(at) },
            ScanError::TextAfterQuote(at) => TableError::TextAfterQuote { at: self.line_and_column(at) },
        })
    }
}

#[cfg(test)]
mod tests;
