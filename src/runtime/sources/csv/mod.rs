//! Tables as text: columns of numbers, and columns of names as class numbers.
//!
//! - Without the option the first line is a header if it has no number in it and no empty field.
//! - Columns are numbered from 0, negative numbers count from the end; `columns(a:b)` excludes b.
//! - A field that is empty or says that it is not known is an error, and so is anything that is
//!   not a finite number, except that a column read as ints may consist of names: its classes are
//!   the names in sorted (Unicode) order. Numbers and names in one column are an error.
//! - Empty lines are skipped; blanks around a field do not belong to it.

mod scan;
mod select;
mod values;

use std::path::Path;

use crate::base::Diagnostic;
use crate::runtime::array::Array;

use super::file::FileBytes;
use super::text::utf8;

pub use select::{ColumnRef, Selection};

use scan::{Field, ScanError, Scanner, line_column};
use select::resolve;
use values::Reader;

/// How a file is to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether the first line has the names of the columns; none: see the head of this file.
    pub header: Option<bool>,
    pub separator: char,
}

/// What the elements are to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    F32,
    F64,
    /// Whole numbers, or the classes of names.
    Int,
}

/// Columns that are to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub selection: Selection,
    pub want: Want,
}

/// Columns that were read.
#[derive(Clone, PartialEq, Debug)]
pub struct Columns {
    pub array: Array,
    /// The names by class, if the columns consist of names.
    pub classes: Option<Vec<String>>,
}

/// What was read of a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    pub rows: usize,
    /// The names of all columns of the file.
    pub header: Option<Vec<String>>,
    /// One for each request.
    pub columns: Vec<Columns>,
}

impl Default for Options {
    fn default() -> Options {
        Options { header: None, separator: ',' }
    }
}

/// Reads columns of a csv file, plain or gzipped, in one pass.
///
/// Errors: E0701, E0705 (missing value), E0706 (not a number), E0707 (ragged rows), E0708 (no such
/// column), E0709 (not a csv text), E0710 (no rows), E0712 (a number that does not fit). All but
/// the first name line and column.
pub fn read(path: &Path, options: &Options, requests: &[Request]) -> Result<Table, Diagnostic> {
    let file = FileBytes::open(path)?;
    let name = path.display().to_string();
    let bytes = file.all()?;
    let text = utf8(&bytes, &format!("`{name}`"))?;
    read_text(text, &name, options, requests)
}

/// As [`read`], from a text; `name` is how messages call the file.
pub fn read_text(
    text: &str,
    name: &str,
    options: &Options,
    requests: &[Request],
) -> Result<Table, Diagnostic> {
    let place = Place { name, text };
    let separator = u8::try_from(options.separator).ok().filter(u8::is_ascii).ok_or_else(|| {
        Diagnostic::error(
            "E0709",
            format!("the separator of a csv file is one ASCII character, not {:?}", options.separator),
        )
    })?;
    let mut scanner = Scanner::new(text, separator);
    let mut fields = Vec::new();
    if !place.scanned(scanner.next_record(&mut fields))? {
        return Err(Diagnostic::error("E0710", format!("`{name}` is empty")));
    }
    let n_columns = fields.len();
    let is_header = options.header.unwrap_or_else(|| looks_like_header(&fields));
    let header: Option<Vec<String>> =
        is_header.then(|| fields.iter().map(|field| field.text.to_string()).collect());
    let first_line = line_column(text, fields[0].start).0;
    let mut readers = Vec::new();
    for request in requests {
        let columns = resolve(&request.selection, n_columns, header.as_deref(), name)
            .map_err(|diagnostic| hint_separator(diagnostic, &fields, options))?;
        readers.push(Reader::new(columns, request));
    }
    let mut rows = 0;
    let mut more = if is_header { place.scanned(scanner.next_record(&mut fields))? } else { true };
    while more {
        if fields.len() != n_columns {
            let message = format!(
                "{} has {}, but line {first_line} has {n_columns}",
                place.line(fields[0].start),
                counted(fields.len(), "field")
            );
            return Err(Diagnostic::error("E0707", message));
        }
        for reader in &mut readers {
            reader.push_row(&fields, &place, header.as_deref())?;
        }
        rows += 1;
        more = place.scanned(scanner.next_record(&mut fields))?;
    }
    if rows == 0 {
        return Err(Diagnostic::error("E0710", format!("`{name}` has a header line and no rows"))
            .help("if this line is data, say `header = false`"));
    }
    let columns = readers.into_iter().map(|reader| reader.finish(rows)).collect::<Result<Vec<_>, _>>()?;
    Ok(Table { rows, header, columns })
}

fn looks_like_header(fields: &[Field<'_>]) -> bool {
    fields.iter().all(|field| !field.text.is_empty() && field.text.parse::<f64>().is_err())
}

/// If the file has one column only because its separator is another, says so.
fn hint_separator(diagnostic: Diagnostic, fields: &[Field<'_>], options: &Options) -> Diagnostic {
    let [single] = fields else { return diagnostic };
    match [';', '\t', '|', ','].into_iter().find(|&c| c != options.separator && single.text.contains(c)) {
        Some(found) => {
            diagnostic.help(format!("its first line has {found:?} in it: say `separator = {found:?}`"))
        }
        None => diagnostic,
    }
}

/// Where messages say that something is.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn line(&self, at: usize) -> String {
        format!("{}:{}", self.name, line_column(self.text, at).0)
    }

    fn line_and_column(&self, at: usize) -> String {
        let (line, column) = line_column(self.text, at);
        format!("{}:{line}:{column}", self.name)
    }

    fn scanned<T>(&self, result: Result<T, ScanError>) -> Result<T, Diagnostic> {
        result.map_err(|error| {
            let (at, what) = match error {
                ScanError::UnclosedQuote(at) => (at, "this quote is never closed"),
                ScanError::TextAfterQuote(at) => (at, "text between a closing quote and the next separator"),
            };
            Diagnostic::error("E0709", format!("{}: {what}", self.line_and_column(at)))
                .note("within a quoted field a quote is written twice")
        })
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::array::Elements;

    fn one(column: i64, want: Want) -> Request {
        Request { selection: Selection::One(ColumnRef::Number(column)), want }
    }

    fn named(name: &str, want: Want) -> Request {
        Request { selection: Selection::One(ColumnRef::Name(name.to_owned())), want }
    }

    fn range(start: Option<i64>, end: Option<i64>, want: Want) -> Request {
        Request { selection: Selection::Range { start, end }, want }
    }

    fn table(text: &str, requests: &[Request]) -> Result<Table, Diagnostic> {
        read_text(text, "a.csv", &Options::default(), requests)
    }

    fn error(text: &str, requests: &[Request]) -> (&'static str, String) {
        let error = table(text, requests).unwrap_err();
        (error.code, error.message)
    }

    #[test]
    fn the_checked_in_tables() {
        let digits = [range(Some(0), Some(64), Want::F32), one(64, Want::Int)];
        let digits = read(Path::new("models/data/digits.csv"), &Options::default(), &digits).unwrap();
        assert_eq!((digits.rows, digits.header), (1797, None));
        assert_eq!(digits.columns[0].array.shape(), [1797, 64]);
        assert_eq!(digits.columns[0].array.to_f32()[..4], [0.0, 0.0, 5.0, 13.0]);
        assert_eq!(digits.columns[1].array.to_i64().unwrap()[..4], [0, 1, 2, 3]);
        let iris = [range(None, Some(-1), Want::F64), named("species", Want::Int)];
        let iris = read(Path::new("models/data/iris.csv"), &Options::default(), &iris).unwrap();
        assert_eq!(iris.columns[0].array.shape(), [150, 4]);
        let classes = iris.columns[1].classes.as_ref().unwrap();
        assert_eq!(classes, &["setosa", "versicolor", "virginica"]);
        assert_eq!(iris.columns[1].array.to_i64().unwrap()[149], 2);
        for (name, rows, columns) in
            [("breast_cancer", 569, 31), ("wine", 178, 14), ("diabetes", 442, 11), ("karate_edges", 78, 3)]
        {
            let all = [range(None, None, Want::F32)];
            let table =
                read(Path::new(&format!("models/data/{name}.csv")), &Options::default(), &all).unwrap();
            assert_eq!(table.columns[0].array.shape(), [rows, columns]);
        }
    }

    #[test]
    fn headers_and_options() {
        let text = "x;n\n1,5;a\n";
        let options = Options { header: None, separator: ';' };
        let wrong = read_text(text, "a.csv", &options, &[named("x", Want::F32)]).unwrap_err();
        assert_eq!(wrong.message, "a.csv:2:1: column `x` is `1,5`, which is not a number");
        assert!(wrong.helps[0].message.contains("decimal point"));
        let wrong = table(text, &[named("n", Want::F32)]).unwrap_err();
        assert_eq!(
            wrong.helps.last().unwrap().message,
            "its first line has ';' in it: say `separator = ';'`"
        );
        let years = "2020,2021\n1,2\n";
        assert_eq!(table(years, &[one(0, Want::Int)]).unwrap().rows, 2);
        let options = Options { header: Some(true), separator: ',' };
        let years = read_text(years, "a.csv", &options, &[named("2021", Want::Int)]).unwrap();
        assert_eq!((years.rows, years.columns[0].array.elements()), (1, &Elements::I32(vec![2])));
        let options = Options { header: Some(false), separator: ',' };
        let names = read_text("b\na\nb\n", "a.csv", &options, &[one(0, Want::Int)]).unwrap();
        assert_eq!(names.columns[0].array.elements(), &Elements::I32(vec![1, 0, 1]));
    }

    #[test]
    fn places_of_wrong_values() {
        let x = [named("x", Want::F32)];
        assert_eq!(
            error("k,x\na,1\n\"b\nc\",oops\n", &x),
            ("E0706", "a.csv:4:4: column `x` is `oops`, which is not a number".to_owned())
        );
        assert_eq!(error("k,x\né, \n", &x), ("E0705", "a.csv:2:4: column `x` has no value".to_owned()));
        assert_eq!(
            error("k,x\na,NaN\n", &x),
            ("E0705", "a.csv:2:3: column `x` has no value but `NaN`".to_owned())
        );
        assert_eq!(error("k,x\na,?\n", &x).0, "E0705");
        assert_eq!(error("k,x\na,inf\n", &x).0, "E0706");
        assert_eq!(
            error("k,x\na,1e99\n", &x),
            ("E0712", "a.csv:2:3: column `x` is 1e99, which does not fit the type of the field".to_owned())
        );
        assert_eq!(
            error("k,x\na,1\nb,2,3\n", &x),
            ("E0707", "a.csv:3 has 3 fields, but line 1 has 2".to_owned())
        );
        assert_eq!(error("k,x\na,1\nb\n", &x), ("E0707", "a.csv:3 has 1 field, but line 1 has 2".to_owned()));
        assert_eq!(error("k,x\na,\"1\n", &x), ("E0709", "a.csv:2:3: this quote is never closed".to_owned()));
        let x = [named("x", Want::Int)];
        assert_eq!(
            error("k,x\na,1.5\n", &x),
            ("E0712", "a.csv:2:3: column `x` is 1.5, but the field is an int".to_owned())
        );
        let long = table("k,x\na,3000000000\nb,-1\n", &x).unwrap();
        assert_eq!(long.columns[0].array.elements(), &Elements::I64(vec![3_000_000_000, -1]));
        assert_eq!(error("k,x\na,9223372036854775808\n", &x).0, "E0712");
        assert_eq!(
            error("k,x\na,1\nb,c\n", &x),
            ("E0706", "a.csv:3:3: column `x` is `c`, but it began with numbers".to_owned())
        );
        assert_eq!(
            error("k,x\na,c\nb,1\n", &x),
            ("E0706", "a.csv:3:3: column `x` is the number 1, but it began with names".to_owned())
        );
        assert_eq!(table("k,x\na,2.0\n", &x).unwrap().columns[0].array.elements(), &Elements::I32(vec![2]));
    }

    #[test]
    fn columns_that_do_not_exist() {
        let text = "width,height\n1,2\n";
        let missing = table(text, &[named("heigth", Want::F32)]).unwrap_err();
        assert_eq!((missing.code, missing.helps[0].message.as_str()), ("E0708", "it has `height`"));
        assert_eq!(
            error(text, &[one(2, Want::F32)]),
            ("E0708", "`a.csv` has 2 columns, so there is no column 2".to_owned())
        );
        assert_eq!(error(text, &[one(i64::MIN, Want::F32)]).0, "E0708");
        assert_eq!(error(text, &[range(Some(0), Some(3), Want::F32)]).0, "E0708");
        assert_eq!(error(text, &[range(Some(1), Some(1), Want::F32)]).0, "E0708");
        assert_eq!(error("1,2\n", &[named("x", Want::F32)]).0, "E0708");
        assert_eq!(error("x,x\n1,2\n", &[named("x", Want::F32)]).0, "E0708");
    }

    #[test]
    fn no_rows() {
        assert_eq!(error("", &[]).0, "E0710");
        assert_eq!(error("\n\n", &[]).0, "E0710");
        assert_eq!(error("x,y\n", &[]).0, "E0710");
    }
}
