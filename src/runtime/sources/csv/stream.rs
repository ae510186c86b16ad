//! A csv text read piece by piece, from a file or a pipe: rows are given out as soon as they are complete, and what
//! has been read is forgotten.

use std::io::{self, Read};

use super::scan::{Field, Scanner};
use super::select::resolve;
use super::values::Reader;
use super::{Columns, Options, Place, Request, counted, doubt, header, hint_separator, line_column};
use crate::base::Diagnostic;
use crate::runtime::room::size_text;
use crate::runtime::sources::text::{in_utf16, is_utf16};

/// What is read at a time.
const PIECE: usize = 1 << 16;
/// A row is not longer than this: what has no line ends is no table, and may have no end.
const LONGEST_ROW: usize = 1 << 26;
/// The beginning of a row that is longer than this is looked at again only when it has doubled.
const LONG_ROW: usize = 1 << 20;

/// Rows of a csv text, and where the text is at.
pub struct Stream {
    reader: Box<dyn Read>,
    name: String,
    options: Options,
    requests: Vec<Request>,
    /// What was read and not given out yet.
    text: String,
    /// Bytes that are the beginning of a character.
    partial: Vec<u8>,
    is_at_end: bool,
    /// Whether lines end in a carriage return alone, once the first line end has been read.
    ends_in_returns: Option<bool>,
    /// Lines before `text`.
    lines: usize,
    /// Bytes before `text`.
    offset: u64,
    /// The names of the columns, where the text does not have them.
    names: Option<Vec<String>>,
    begun: Option<Begun>,
}

/// What the first line says.
struct Begun {
    header: Option<Vec<String>>,
    n_columns: usize,
    first_line: usize,
    /// The columns of each request.
    columns: Vec<Vec<usize>>,
}

/// What is done with each row of [`Stream::visit`].
pub(super) type Visit<'a> = &'a mut dyn FnMut(&[Field<'_>], &Place<'_>, (u64, usize)) -> Result<(), Diagnostic>;

/// Rows that were read together.
#[derive(Debug)]
pub struct Block {
    pub rows: usize,
    /// One for each request.
    pub columns: Vec<Columns>,
    /// All fields of each row, as they are written.
    pub fields: Vec<Vec<String>>,
}

impl Stream {
    /// `name` is how messages call the text.
    pub fn new(reader: Box<dyn Read>, name: String, options: Options, requests: Vec<Request>) -> Stream {
        let (text, partial) = (String::new(), Vec::new());
        Stream {
            reader,
            name,
            options,
            requests,
            text,
            partial,
            is_at_end: false,
            ends_in_returns: None,
            lines: 0,
            offset: 0,
            names: None,
            begun: None,
        }
    }

    /// The same for a text without names, whose columns have these.
    pub fn with_names(self, names: Vec<String>) -> Stream {
        Stream { names: Some(names), ..self }
    }

    /// Whether names of classes were asked for that nobody has said, for each request.
    pub fn is_open(&self) -> Vec<bool> {
        let is_open = |request: &Request| request.want == super::Want::Int && request.classes.is_none();
        self.requests.iter().map(is_open).collect()
    }

    /// The names of the columns, once a row has been read; none if the text has no header.
    pub fn header(&self) -> Option<&[String]> {
        self.begun.as_ref()?.header.as_deref()
    }

    /// The numbers of the columns of each request, once a row has been read.
    pub(super) fn columns(&self) -> Vec<Vec<usize>> {
        self.begun.as_ref().map(|begun| begun.columns.clone()).unwrap_or_default()
    }

    /// How many columns there are, once a row has been read.
    pub fn n_columns(&self) -> usize {
        self.begun.as_ref().map_or(0, |begun| begun.n_columns)
    }

    /// The next rows, as many as are there without waiting and `most` at most, but at least one; none at the end.
    /// Warnings about the first line go to `tell`.
    ///
    /// # Errors
    /// E0701 if it cannot be read, and those of [`super::read`] about the text.
    pub fn next(
        &mut self,
        most: usize,
        tell: &mut dyn FnMut(Diagnostic),
    ) -> Result<Option<Block>, Diagnostic> {
        if !self.first_line(tell)? {
            return Ok(None);
        }
        loop {
            let (end, rows) = self.complete_rows(most)?;
            if rows > 0 {
                let block = self.rows(end)?;
                self.forget(end);
                return Ok(Some(block));
            }
            if self.is_at_end {
                return Ok(None);
            }
            self.read_line()?;
        }
    }

    /// Reads the first line, if nothing was read yet. `false` if there is nothing at all.
    ///
    /// # Errors
    /// As [`Stream::next`].
    pub(super) fn first_line(&mut self, tell: &mut dyn FnMut(Diagnostic)) -> Result<bool, Diagnostic> {
        Ok(self.begun.is_some() || self.begin(tell)?)
    }

    /// Goes through all rows: the fields of each, where it stands for messages, and the byte of the text where it
    /// begins and how many it has.
    ///
    /// # Errors
    /// As [`Stream::next`], and those of `visit`.
    pub(super) fn visit(&mut self, visit: Visit<'_>) -> Result<(), Diagnostic> {
        if !self.first_line(&mut |_| {})? {
            return Ok(());
        }
        loop {
            let (end, rows) = self.complete_rows(usize::MAX)?;
            if rows > 0 {
                self.visit_until(end, visit)?;
                self.forget(end);
            } else if self.is_at_end {
                return Ok(());
            } else {
                self.read_line()?;
            }
        }
    }

    /// Goes through the rows of the text up to a place.
    fn visit_until(&self, end: usize, visit: Visit<'_>) -> Result<(), Diagnostic> {
        let text = &self.text[..end];
        let place = Place { name: &self.name, text, lines: self.lines };
        let mut scanner = self.scanner(text)?;
        let mut fields: Vec<Field<'_>> = Vec::new();
        while place.scanned(scanner.next_record(&mut fields))? {
            self.check_width(&fields, &place)?;
            let start = fields[0].start;
            visit(&fields, &place, (self.offset + start as u64, scanner.place() - start))?;
        }
        Ok(())
    }

    /// Forgets the text up to a place.
    fn forget(&mut self, end: usize) {
        self.lines += self.text[..end].bytes().filter(|byte| *byte == b'\n').count();
        self.offset += end as u64;
        self.text.drain(..end);
    }

    /// Whether a row has as many fields as the first line.
    fn check_width(&self, fields: &[Field<'_>], place: &Place<'_>) -> Result<(), Diagnostic> {
        let Some(begun) = self.begun.as_ref().filter(|begun| begun.n_columns != fields.len()) else { return Ok(()) };
        let message = format!(
            "{} has {}, but line {} has {}",
            place.line(fields[0].start),
            counted(fields.len(), "field"),
            begun.first_line,
            begun.n_columns
        );
        Err(Diagnostic::error("E0707", message))
    }

    /// Reads the first line and what it says. `false` if there is nothing at all.
    fn begin(&mut self, tell: &mut dyn FnMut(Diagnostic)) -> Result<bool, Diagnostic> {
        if let Some(names) = self.names.clone() {
            let found = self.requests.iter();
            let found = found.map(|request| resolve(&request.selection, names.len(), Some(&names), &self.name));
            let columns = found.collect::<Result<_, Diagnostic>>()?;
            let n_columns = names.len();
            self.begun = Some(Begun { header: Some(names), n_columns, first_line: 1, columns });
            return Ok(true);
        }
        let end = loop {
            let (end, rows) = self.complete_rows(1)?;
            if rows > 0 {
                break end;
            }
            if self.is_at_end {
                return Err(Diagnostic::error("E0710", format!("`{}` is empty", self.name)));
            }
            self.read_line()?;
        };
        let place = Place { name: &self.name, text: &self.text, lines: 0 };
        let mut scanner = self.scanner(&self.text)?;
        let mut first = Vec::new();
        place.scanned(scanner.next_record(&mut first))?;
        let verdict = match self.options.header {
            Some(is_header) => header::Verdict { is_header, in_doubt: false },
            None => header::decide(&first, scanner.clone(), &self.requests, &self.options),
        };
        if verdict.in_doubt {
            tell(doubt(&self.name, &first, verdict.is_header));
        }
        let names = || first.iter().map(|field| field.text.to_string()).collect::<Vec<String>>();
        let header = verdict.is_header.then(names);
        let found = self.requests.iter().map(|request| {
            resolve(&request.selection, first.len(), header.as_deref(), &self.name)
                .map_err(|error| hint_separator(error, &first, &self.options))
        });
        let columns = found.collect::<Result<_, Diagnostic>>()?;
        let first_line = line_column(&self.text, first[0].start).0;
        let n_columns = first.len();
        if header.is_some() {
            self.forget(end);
        }
        self.begun = Some(Begun { header, n_columns, first_line, columns });
        Ok(true)
    }

    fn scanner<'t>(&self, text: &'t str) -> Result<Scanner<'t>, Diagnostic> {
        let separator = u8::try_from(self.options.separator).ok().filter(u8::is_ascii);
        let separator = separator.ok_or_else(|| {
            let message = format!(
                "the separator of a csv file is one ASCII character, not {:?}",
                self.options.separator
            );
            Diagnostic::error("E0709", message)
        })?;
        Ok(Scanner::new(text, separator))
    }

    /// Where the rows end that are complete, and how many these are.
    fn complete_rows(&self, most: usize) -> Result<(usize, usize), Diagnostic> {
        let mut scanner = self.scanner(&self.text)?;
        let (mut fields, mut end, mut rows) = (Vec::new(), 0, 0);
        while rows < most {
            let found = scanner.next_record(&mut fields);
            // A row that reaches the end of what was read, or a quote that is open there, may go on.
            if !self.is_at_end && (found.is_err() || scanner.place() >= self.text.len()) {
                break;
            }
            let place = Place { name: &self.name, text: &self.text, lines: self.lines };
            if !place.scanned(found)? {
                break;
            }
            (end, rows) = (scanner.place(), rows + 1);
        }
        Ok((end, rows))
    }

    /// The rows of the text up to a place.
    fn rows(&self, end: usize) -> Result<Block, Diagnostic> {
        let Some(begun) = &self.begun else { return Ok(Block { rows: 0, columns: vec![], fields: vec![] }) };
        let text = &self.text[..end];
        let place = Place { name: &self.name, text, lines: self.lines };
        let mut scanner = self.scanner(text)?;
        let pairs = begun.columns.iter().zip(&self.requests);
        let mut readers: Vec<Reader<'_>> =
            pairs.map(|(columns, request)| Reader::new(columns.clone(), request, self.options)).collect();
        let mut fields: Vec<Field<'_>> = Vec::new();
        let mut written = Vec::new();
        while place.scanned(scanner.next_record(&mut fields))? {
            self.check_width(&fields, &place)?;
            for reader in &mut readers {
                reader.push_row(&fields, &place, begun.header.as_deref())?;
            }
            written.push(fields.iter().map(|field| field.text.to_string()).collect());
        }
        let rows = written.len();
        let columns = readers.into_iter().map(|reader| reader.finish(rows)).collect::<Result<_, _>>()?;
        Ok(Block { rows, columns, fields: written })
    }

    /// Reads on until a row may be complete that was not before.
    fn read_line(&mut self) -> Result<(), Diagnostic> {
        let known = self.text.len();
        loop {
            let before = self.text.len();
            self.read_more()?;
            let is_looked_at = self.text.len() < LONG_ROW || self.text.len() >= 2 * known;
            if self.is_at_end || is_looked_at && self.text[before..].contains('\n') {
                return Ok(());
            }
            if self.text.len() > LONGEST_ROW {
                let (name, line) = (&self.name, self.lines + 1);
                let longest = size_text(LONGEST_ROW as u64);
                let message = format!("{name}:{line}: a row is longer than {longest}, which none of a table is");
                return Err(Diagnostic::error("E0709", message));
            }
        }
    }

    fn read_more(&mut self) -> Result<(), Diagnostic> {
        let cannot = |error: &dyn std::fmt::Display| {
            Diagnostic::error("E0701", format!("cannot read `{}`: {error}", self.name))
        };
        let mut bytes = std::mem::take(&mut self.partial);
        let known = bytes.len();
        bytes.resize(known + PIECE, 0);
        let count = loop {
            match self.reader.read(&mut bytes[known..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| cannot(&error))?,
            }
        };
        bytes.truncate(known + count);
        self.is_at_end = count == 0;
        if self.lines == 0 && self.text.is_empty() && known == 0 && is_utf16(&bytes) {
            return Err(in_utf16(&format!("`{}`", self.name)));
        }
        let valid = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !self.is_at_end => error.valid_up_to(),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = self.lines + lines_in(self.text.as_bytes()) + lines_in(before) + 1;
                let byte = bytes[error.valid_up_to()];
                let what = format!("it is not a text in UTF-8: line {line} has the byte {byte:02x}");
                return Err(cannot(&what));
            }
        };
        self.partial = bytes.split_off(valid);
        // The mark that some programs put before a text is not part of it.
        let text = String::from_utf8(bytes).unwrap_or_default();
        let is_first = self.begun.is_none() && self.text.is_empty();
        let known = text.len();
        let text = if is_first { text.strip_prefix('\u{feff}').unwrap_or(&text) } else { &text };
        self.offset += (known - text.len()) as u64;
        let before = self.text.len();
        self.text.push_str(text);
        self.end_lines(before);
        Ok(())
    }

    /// Sees from the first line how lines end, and makes line ends of carriage returns from `before` on if these are
    /// what lines end in.
    fn end_lines(&mut self, before: usize) {
        let mut from = before;
        if self.ends_in_returns.is_none() {
            // A carriage return that was the last byte may stand before.
            let start = before - usize::from(self.text[..before].ends_with('\r'));
            let first = self.text[start..].find(['\r', '\n']).map(|at| start + at);
            self.ends_in_returns = first.and_then(|at| match self.text.as_bytes().get(at..at + 2) {
                Some([b'\r', next]) => Some(*next != b'\n'),
                Some(_) => Some(false),
                None => (self.is_at_end || self.text.ends_with('\n')).then(|| self.text.ends_with('\r')),
            });
            from = start;
        }
        if self.ends_in_returns == Some(true) {
            let ended = self.text[from..].replace('\r', "\n");
            self.text.replace_range(from.., &ended);
        }
    }
}

fn lines_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::super::{ColumnRef, Selection, Want};
    use super::*;
    use crate::runtime::array::Elements;

    /// Gives one byte at a time.
    struct Slow(Vec<u8>);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() || into.is_empty() {
                return Ok(0);
            }
            into[0] = self.0.remove(0);
            Ok(1)
        }
    }

    fn stream(text: &str, slow: bool) -> Stream {
        let request = Request::plain(Selection::List(vec![ColumnRef::Name("b".into())]), Want::F64);
        let bytes = text.as_bytes().to_vec();
        let reader: Box<dyn Read> =
            if slow { Box::new(Slow(bytes)) } else { Box::new(io::Cursor::new(bytes)) };
        Stream::new(reader, "t.csv".into(), Options::default(), vec![request])
    }

    fn values(mut stream: Stream) -> Result<(Vec<f64>, Vec<Vec<String>>), Diagnostic> {
        let (mut values, mut fields) = (Vec::new(), Vec::new());
        while let Some(block) = stream.next(2, &mut |_| {})? {
            let Elements::F64(found) = block.columns[0].array.elements() else { panic!("floats") };
            values.extend(found);
            fields.extend(block.fields);
        }
        Ok((values, fields))
    }

    #[test]
    fn rows_come_in_any_pieces() {
        let text = "a,b\n\"x, \"\"y\"\"\nz\",1\n\u{e9},2.5\r\n\n,3";
        for slow in [false, true] {
            let (found, fields) = values(stream(text, slow)).unwrap();
            assert_eq!(found, [1.0, 2.5, 3.0]);
            assert_eq!(fields[0], ["x, \"y\"\nz", "1"]);
            assert_eq!(fields[2], ["", "3"]);
        }
    }

    #[test]
    fn lines_may_end_in_carriage_returns_alone() {
        for slow in [false, true] {
            for text in ["a,b\rx,1\ry,2", "a,b\rx,1\r\ry,2\r", "a,b\r\nx,1\r\ny,2\r\n"] {
                assert_eq!(values(stream(text, slow)).unwrap().0, [1.0, 2.0], "{text:?}");
            }
        }
    }

    /// Neither a line nor a quote without end is waited for.
    #[test]
    fn a_row_has_an_end() {
        let endless: [Box<dyn Read>; 2] =
            [Box::new(io::repeat(b'1')), Box::new(io::Cursor::new(*b"a,b\n1,\"\n").chain(io::repeat(b'\n')))];
        for reader in endless {
            let error = values(Stream { reader, ..stream("", false) }).unwrap_err();
            assert!(error.code == "E0709" && error.message.contains("longer than 67.1 MB"), "{}", error.message);
        }
    }

    #[test]
    fn errors_name_the_line_of_the_file() {
        for slow in [false, true] {
            let error = values(stream("a,b\n1,1\n1,2\n1,x\n", slow)).unwrap_err();
            assert!(error.message.starts_with("t.csv:4:3: "), "{}", error.message);
            let error = values(stream("a,b\n1,1\n1,2\n1\n", slow)).unwrap_err();
            assert!(error.message.starts_with("t.csv:4 has 1 field"), "{}", error.message);
            let error = values(stream("a,b\n1,1\n1,\"2\n", slow)).unwrap_err();
            assert!(error.message.starts_with("t.csv:3:3: "), "{}", error.message);
        }
    }
}
