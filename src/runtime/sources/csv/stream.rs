//! A csv text read piece by piece, from a file or a pipe: rows are given out as soon as they are complete, and what
//! has been read is forgotten.

mod visit;

use std::io::{self, Read};

use super::scan::{Field, ScanError};
use super::select::resolve;
use super::values::Reader;
use super::{Columns, Options, Place, Request, doubt, header, line_column, no_column, scanner};
use crate::base::Diagnostic;
use crate::runtime::report::files::TextError;
use crate::runtime::report::tables::{ColumnError, TableError};
use crate::runtime::sources::text::is_utf16;

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
    /// What is wrong with the bytes behind `text`, told when the rows before have been given out.
    damage: Option<Diagnostic>,
    /// The names of the columns, where the text does not have them.
    names: Option<Vec<String>>,
    begun: Option<Begun>,
}

/// What the first line says.
#[derive(Clone)]
struct Begun {
    header: Option<Vec<String>>,
    n_columns: usize,
    first_line: usize,
    /// The columns of each request.
    columns: Vec<Vec<usize>>,
}

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
            damage: None,
            names: None,
            begun: None,
        }
    }

    /// The same from another place on, given what has the text from there on: a line begins there, with so many before
    /// it.
    pub(super) fn at(&self, reader: Box<dyn Read>, (offset, lines): (u64, usize)) -> Stream {
        Stream {
            reader,
            name: self.name.clone(),
            options: self.options,
            requests: self.requests.clone(),
            text: String::new(),
            partial: Vec::new(),
            is_at_end: false,
            ends_in_returns: self.ends_in_returns,
            lines,
            offset,
            damage: None,
            names: self.names.clone(),
            begun: self.begun.clone(),
        }
    }

    /// The byte of the text that it has come to, and how many lines are before it.
    pub(super) fn place(&self) -> (u64, usize) {
        (self.offset, self.lines)
    }

    /// Whether lines end in a carriage return alone, as far as the first line says.
    pub(super) fn ends_in_returns(&self) -> bool {
        self.ends_in_returns == Some(true)
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
            // Nothing but empty lines.
            self.forget(end);
            self.read_line()?;
        }
    }

    /// Looks at the next row.
    ///
    /// # Errors
    /// As [`Stream::next`].
    pub(super) fn look(&mut self, look: &mut dyn FnMut(&[Field<'_>], &Place<'_>)) -> Result<(), Diagnostic> {
        while self.first_line(&mut |_| {})? {
            if self.complete_rows(1)?.1 > 0 {
                let mut fields = Vec::new();
                let place = Place { name: &self.name, text: &self.text, lines: self.lines };
                place.scanned(scanner(&self.text, &self.options)?.next_record(&mut fields))?;
                self.check_width(&fields, &place)?;
                look(&fields, &place);
                return Ok(());
            }
            if self.is_at_end {
                return Ok(());
            }
            self.read_line()?;
        }
        Ok(())
    }

    /// Reads the first line, if nothing was read yet. `false` if there is nothing at all.
    ///
    /// # Errors
    /// As [`Stream::next`].
    pub(super) fn first_line(&mut self, tell: &mut dyn FnMut(Diagnostic)) -> Result<bool, Diagnostic> {
        Ok(self.begun.is_some() || self.begin(tell)?)
    }

    /// Whether what was found up to a place of the text may be more than that when more is read: a row that reaches
    /// the end of what was read, or a quote that is open there.
    fn may_go_on(&self, found: Result<bool, ScanError>, place: usize) -> bool {
        let is_open = match found {
            Ok(_) => place >= self.text.len(),
            Err(ScanError::UnclosedQuote(_)) => true,
            Err(ScanError::TextAfterQuote(at)) => !self.text[at..].contains('\n'),
        };
        is_open && !self.is_at_end
    }

    fn too_long(&self, line: usize) -> TableError {
        TableError::LongRow { file: self.name.clone(), line, most: LONGEST_ROW }
    }

    /// Forgets the text up to a place.
    fn forget(&mut self, end: usize) {
        self.lines += self.text[..end].bytes().filter(|byte| *byte == b'\n').count();
        self.offset += end as u64;
        self.text.drain(..end);
    }

    /// Whether a row has as many fields as the first line.
    fn check_width(&self, fields: &[Field<'_>], place: &Place<'_>) -> Result<(), TableError> {
        let Some(begun) = &self.begun else { return Ok(()) };
        place.check_width(fields, begun.first_line, begun.n_columns)
    }

    /// Reads the first line and what it says. `false` if there is nothing at all.
    fn begin(&mut self, tell: &mut dyn FnMut(Diagnostic)) -> Result<bool, Diagnostic> {
        if let Some(names) = self.names.clone() {
            let found = self.requests.iter();
            let found = found.map(|request| resolve(&request.selection, names.len(), Some(&names)));
            let columns = found.collect::<Result<_, _>>();
            let columns = columns.map_err(|missing| no_column(&self.name, missing, &[], &self.options))?;
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
                return Err(TableError::Empty { file: self.name.clone() }.into());
            }
            self.read_line()?;
        };
        let place = Place { name: &self.name, text: &self.text, lines: 0 };
        let mut scanner = scanner(&self.text, &self.options)?;
        let mut first = Vec::new();
        place.scanned(scanner.next_record(&mut first))?;
        let verdict = match self.options.header {
            Some(is_header) => header::Verdict { is_header, in_doubt: false },
            None => header::decide(&first, scanner.clone(), &self.requests, &self.options),
        };
        if verdict.in_doubt {
            tell(doubt(&self.name, &first, verdict.is_header).into());
        }
        let names = || first.iter().map(|field| field.text.to_string()).collect::<Vec<String>>();
        let header = verdict.is_header.then(names);
        let found = self.requests.iter().map(|request| {
            resolve(&request.selection, first.len(), header.as_deref())
                .map_err(|missing| no_column(&self.name, missing, &first, &self.options))
        });
        let columns = found.collect::<Result<_, ColumnError>>()?;
        let first_line = line_column(&self.text, first[0].start).0;
        let n_columns = first.len();
        if header.is_some() {
            self.forget(end);
        }
        self.begun = Some(Begun { header, n_columns, first_line, columns });
        Ok(true)
    }

    /// Where the rows end that are complete, and how many these are.
    fn complete_rows(&self, most: usize) -> Result<(usize, usize), Diagnostic> {
        let mut scanner = scanner(&self.text, &self.options)?;
        let (mut fields, mut end, mut rows) = (Vec::new(), 0, 0);
        while rows < most {
            let found = scanner.next_record(&mut fields);
            if self.may_go_on(found, scanner.place()) || rows > 0 && found.is_err() {
                let is_empty = rows == 0 && found == Ok(false) && self.text.ends_with('\n');
                end = if is_empty { self.text.len() } else { end };
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
        let mut scanner = scanner(text, &self.options)?;
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
        let ends = self.text.bytes().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        if known - ends > LONGEST_ROW + 1 {
            return Err(self.too_long(self.lines + lines_in(&self.text.as_bytes()[..ends]) + 1).into());
        }
        loop {
            let before = self.text.len();
            self.read_more()?;
            let length = self.text.len();
            let is_looked_at = length < LONG_ROW || length >= 2 * known || length > LONGEST_ROW;
            let is_new = self.text[before..].contains('\n') || length > LONGEST_ROW;
            if self.is_at_end || is_looked_at && is_new {
                return Ok(());
            }
        }
    }

    fn read_more(&mut self) -> Result<(), Diagnostic> {
        if let Some(damage) = self.damage.take() {
            return Err(damage);
        }
        let mut bytes = std::mem::take(&mut self.partial);
        let known = bytes.len();
        bytes.resize(known + PIECE, 0);
        let count = loop {
            match self.reader.read(&mut bytes[known..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(TableError::Unreadable { file: self.name.clone(), why: error.to_string() }.into());
                }
                Ok(count) => break count,
            }
        };
        bytes.truncate(known + count);
        self.is_at_end = count == 0;
        if self.begun.is_none() && self.text.is_empty() && known == 0 && is_utf16(&bytes) {
            return Err(TextError::Utf16 { name: format!("`{}`", self.name) }.into());
        }
        let valid = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !self.is_at_end => error.valid_up_to(),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = self.lines + lines_in(self.text.as_bytes()) + lines_in(before) + 1;
                let byte = bytes[error.valid_up_to()];
                // It is not the end before that is told.
                self.is_at_end = false;
                self.damage = Some(TableError::Byte { file: self.name.clone(), line, byte }.into());
                error.valid_up_to()
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
mod tests;
