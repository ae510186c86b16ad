//! All rows of a csv text, or those of a part of it, gone through one by one.

use super::{LONGEST_ROW, Stream};
use crate::base::Diagnostic;
use crate::runtime::sources::csv::scan::Field;
use crate::runtime::report::tables::TableError;
use crate::runtime::sources::csv::{Place, line_column, scanner};

/// What is done with each row of [`Stream::visit`].
pub(in crate::runtime::sources::csv) type Visit<'a> = &'a mut dyn FnMut(&[Field<'_>], &Place<'_>, (u64, usize)) -> Result<(), Diagnostic>;

/// What of the text was gone through.
enum Visited {
    /// All complete rows.
    Text,
    /// All that was to be gone through; a line begins at this byte, so many behind the last one that was gone through.
    Until(u64, usize),
}

impl Stream {
    /// Goes through the rows that begin before a byte of the text, or all: the fields of each, where it stands for
    /// messages, and the byte of the text where it begins and how many it has. Gives the byte where the first line
    /// begins that was not gone through, and how many lines are before it. After an error the stream is at the row
    /// that has it.
    ///
    /// # Errors
    /// As [`Stream::next`], and those of `visit`.
    pub(in crate::runtime::sources::csv) fn visit(&mut self, until: Option<u64>, visit: Visit<'_>) -> Result<(u64, usize), Diagnostic> {
        if !self.first_line(&mut |_| {})? || until.is_some_and(|until| self.offset >= until) {
            return Ok(self.place());
        }
        loop {
            let (end, found) = self.visit_text(until, visit);
            self.forget(end);
            match found? {
                Visited::Until(byte, lines) => return Ok((byte, self.lines + lines)),
                Visited::Text => self.read_line()?,
            }
        }
    }

    /// Goes through the complete rows of the text, and says where they end.
    fn visit_text(&self, until: Option<u64>, visit: Visit<'_>) -> (usize, Result<Visited, Diagnostic>) {
        let place = Place { name: &self.name, text: &self.text, lines: self.lines };
        let mut scanner = match scanner(&self.text, &self.options) {
            Ok(scanner) => scanner,
            Err(error) => return (0, Err(error.into())),
        };
        let mut fields: Vec<Field<'_>> = Vec::new();
        loop {
            let before = scanner.place();
            if let Some(found) = self.line_from(before, until) {
                return (before, Ok(found));
            }
            let found = scanner.next_record(&mut fields);
            if self.may_go_on(found, scanner.place()) {
                let is_empty = found == Ok(false) && self.text.ends_with('\n');
                return (if is_empty { self.text.len() } else { before }, Ok(Visited::Text));
            }
            match place.scanned(found) {
                Ok(true) => {}
                Ok(false) => return (before, Ok(Visited::Until(self.offset + self.text.len() as u64, 0))),
                Err(error) => return (before, Err(error.into())),
            }
            let start = fields[0].start;
            let row = (self.offset + start as u64, scanner.place() - start);
            let checked = self.check_length(row.1, &place, start).and_then(|()| self.check_width(&fields, &place));
            if let Err(error) = checked.map_err(Diagnostic::from).and_then(|()| visit(&fields, &place, row)) {
                return (before, Err(error));
            }
        }
    }

    /// The first byte from `until` on where a line begins, if only line ends stand between a place of the text and it.
    fn line_from(&self, place: usize, until: Option<u64>) -> Option<Visited> {
        let until = until?;
        let ends = self.text.as_bytes()[place..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let behind = ends.zip(self.offset + place as u64 + 1..).filter(|(byte, _)| **byte == b'\n');
        let (lines, (_, byte)) = (1..).zip(behind).find(|(_, (_, byte))| *byte >= until)?;
        Some(Visited::Until(byte, lines))
    }

    /// Whether a row is not too long.
    fn check_length(&self, length: usize, place: &Place<'_>, start: usize) -> Result<(), TableError> {
        if length <= LONGEST_ROW { Ok(()) } else { Err(self.too_long(place.lines + line_column(place.text, start).0)) }
    }
}
