//! A table that several processes go through together, each the rows that begin in its part of the bytes.
//!
//! Where a row begins is known only from those before it, since line ends may stand within quotes. So each process
//! begins at the first line of its part that looks like the beginning of a row, and afterwards all compare: what a
//! process has gone through is right if it began where the one before it ended. One that did not begins again there.
//! The first error in the file is the one that counts. Lines before a part are numbered when all are counted, so all
//! look at the row that has it once more, and say the same.

use std::sync::PoisonError;

use super::scan::{Field, ScanError, Scanner};
use super::stored::InOrder;
use super::stream::Stream;
use super::{Options, Place};
use crate::base::Diagnostic;
use crate::runtime::ranks::{self, Lost, Shared, to_all};
use crate::runtime::report::tables::TableError;
use crate::runtime::sources::file::FileBytes;

/// So many bytes are looked at to find a line that looks like the beginning of a row.
const WINDOW: usize = 1 << 16;
/// So many lines are tried there, and so many rows from each on must be such.
const TRIES: usize = 64;
const ROWS: usize = 16;

/// A table that is gone through.
pub(super) struct Text<'a> {
    pub bytes: &'a FileBytes,
    pub name: &'a str,
    pub options: Options,
    /// It has read the first line.
    pub head: Stream,
    pub ranks: Option<&'a Shared>,
}

/// What a process has gone through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Part {
    /// The bytes where it began and ended.
    start: u64,
    end: u64,
    /// How many rows these were, and how many lines.
    pub rows: usize,
    lines: usize,
    /// Where the row begins that is not right, and how many lines of the part are before it.
    wrong: Option<(u64, usize)>,
}

/// What is done with a row: its number, if that is known, its fields, where it stands for messages, and the byte where
/// it begins and how many it has.
pub(super) type Visit<'a, T> =
    &'a dyn Fn(&mut T, usize, &[Field<'_>], &Place<'_>, (u64, usize)) -> Result<(), Diagnostic>;

impl Text<'_> {
    /// A stream that goes on from a place.
    fn stream(&self, (offset, lines): (u64, usize)) -> Stream {
        let reader = Box::new(InOrder { bytes: self.bytes.clone(), at: offset as usize });
        self.head.at(reader, (offset, lines))
    }

    /// Looks at the row that begins at a byte.
    pub fn look(&self, start: u64, look: &mut dyn FnMut(&[Field<'_>], &Place<'_>)) -> Result<(), Diagnostic> {
        self.stream((start, 0)).look(look)
    }

    /// Goes through the rows of this process, with what `new` makes, and gives what has become of that, and what each
    /// process has gone through. `known` is what they have gone through before: rows have numbers then.
    ///
    /// # Errors
    /// Those of `visit` and about the text: the first in the file, the same on all ranks. E0933 if it is not the same
    /// file, and E0934 if a rank does not take part.
    pub fn in_parts<T>(
        &self,
        known: Option<&[Part]>,
        new: &dyn Fn() -> T,
        visit: Visit<'_, T>,
    ) -> Result<(T, Vec<Part>), Diagnostic> {
        let (rank, size) = ranks::place(self.ranks);
        let first = self.head.place();
        let until = (rank + 1 < size).then(|| self.beginning(rank + 1, size));
        let mut start = match known {
            Some(known) => known[rank].start,
            None if rank == 0 => first.0,
            None => self.line_near(self.beginning(rank, size), self.head.n_columns())?,
        };
        let before = |parts: &[Part]| parts[..rank].iter().map(|part| part.rows).sum::<usize>();
        let first_row = known.map_or(0, before);
        let lines = if rank == 0 { first.1 } else { 0 };
        let mut made = new();
        let (mut mine, error) = self.through((start, lines), until, first_row, &mut made, visit);
        let Some(ranks) = self.ranks else { return error.map_or(Ok((made, vec![mine])), Err) };
        let mut parts = compared(ranks, mine)?;
        while let Some(again) = out_of_place(&parts) {
            if again.contains(&rank) {
                start = parts[rank - 1].end;
                made = new();
                mine = self.through((start, lines), until, first_row, &mut made, visit).0;
            }
            parts = compared(ranks, mine)?;
        }
        match parts.iter().position(|part| part.wrong.is_some()) {
            Some(wrong) => Err(self.error(&parts, wrong, first.1, new, visit)),
            None => Ok((made, parts)),
        }
    }

    /// The byte where the part of a process begins.
    fn beginning(&self, rank: usize, size: usize) -> u64 {
        (self.bytes.length() as u128 * rank as u128 / size as u128) as u64
    }

    /// Goes through the rows from a byte on, with so many lines before it, up to what is wrong.
    fn through<T>(
        &self,
        (start, lines): (u64, usize),
        until: Option<u64>,
        first_row: usize,
        made: &mut T,
        visit: Visit<'_, T>,
    ) -> (Part, Option<Diagnostic>) {
        let mut stream = self.stream((start, lines));
        let mut rows = 0;
        let found = stream.visit(until, &mut |fields, place, bytes| {
            visit(made, first_row + rows, fields, place, bytes)?;
            rows += 1;
            Ok(())
        });
        let (end, last) = found.as_ref().map_or_else(|_| stream.place(), |place| *place);
        let lines = last - lines;
        let wrong = found.is_err().then_some((end, lines));
        (Part { start, end, rows, lines, wrong }, found.err())
    }

    /// The error that a process has found, with the lines that are before it.
    fn error<T>(
        &self,
        parts: &[Part],
        wrong: usize,
        first_line: usize,
        new: &dyn Fn() -> T,
        visit: Visit<'_, T>,
    ) -> Diagnostic {
        let before = &parts[..wrong];
        let lines = first_line + before.iter().map(|part| part.lines).sum::<usize>();
        let rows = before.iter().map(|part| part.rows).sum::<usize>() + parts[wrong].rows;
        let (byte, within) = parts[wrong].wrong.unwrap_or_default();
        let mut seen = false;
        let again = self.stream((byte, lines + within)).visit(None, &mut |fields, place, bytes| {
            // The row itself, and not those behind it.
            if std::mem::replace(&mut seen, true) {
                return Err(self.changed());
            }
            visit(&mut new(), rows, fields, place, bytes)
        });
        again.err().unwrap_or_else(|| self.changed())
    }

    pub fn changed(&self) -> Diagnostic {
        TableError::Changed { file: self.name.to_owned() }.into()
    }

    /// The first line from a byte on that looks like the beginning of a row.
    fn line_near(&self, byte: u64, n_columns: usize) -> Result<u64, Diagnostic> {
        let mut from = (byte as usize).saturating_sub(1);
        loop {
            let window = self.bytes.read(from..from + WINDOW)?;
            let is_last = from + window.len() >= self.bytes.length();
            let mut lines = window.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
            let Some(first) = lines.clone().next() else {
                if is_last {
                    return Ok(self.bytes.length() as u64);
                }
                from += window.len();
                continue;
            };
            let looks_right = |line: &usize| self.looks_like_rows(&window[*line..], n_columns);
            return Ok((from + lines.by_ref().take(TRIES).find(looks_right).unwrap_or(first)) as u64);
        }
    }

    /// Whether a text looks as if it began with a row: as many fields as there are columns in each row, and quotes
    /// only around fields.
    fn looks_like_rows(&self, bytes: &[u8], n_columns: usize) -> bool {
        let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let text = std::str::from_utf8(&bytes[..valid]).unwrap_or_default();
        let separator = u8::try_from(self.options.separator).unwrap_or(b',');
        let (mut scanner, mut fields) = (Scanner::new(text, separator), Vec::new());
        for row in 0..ROWS {
            match scanner.next_record(&mut fields) {
                // It may go on behind what was looked at.
                Ok(_) if scanner.place() >= text.len() => return true,
                Err(ScanError::UnclosedQuote(_)) => return row > 0,
                Ok(true) => {}
                Ok(false) | Err(ScanError::TextAfterQuote(_)) => return false,
            }
            let is_odd = |field: &Field<'_>| text.as_bytes()[field.start] != b'"' && field.text.contains('"');
            if fields.len() != n_columns || fields.iter().any(is_odd) {
                return false;
            }
        }
        true
    }

    /// Whether all ranks read the same file.
    ///
    /// # Errors
    /// E0933, and E0934 if a rank does not take part.
    pub fn check_same(&self, dropped: &[bool]) -> Result<(), Diagnostic> {
        let Some(ranks) = self.ranks else { return Ok(()) };
        let file = self.name.rsplit('/').next().unwrap_or(self.name);
        let left_out = dropped.iter().filter(|dropped| **dropped).count();
        let mine = format!("reads {} bytes of `{file}`, without {left_out} rows", self.bytes.length());
        let texts = ranks::texts(ranks, &mine)?;
        let others = texts.iter().enumerate().filter(|(_, text)| **text != mine);
        let said = |text: &String| text.starts_with("reads ").then(|| text.clone());
        let others: Vec<(usize, Option<String>)> = others.map(|(rank, text)| (rank, said(text))).collect();
        match others.is_empty() {
            true => Ok(()),
            false => Err(TableError::Ranks { size: texts.len(), mine, others }.into()),
        }
    }
}

/// What each process has gone through.
fn compared(ranks: &Shared, mine: Part) -> Result<Vec<Part>, Lost> {
    let mut ranks = ranks.lock().unwrap_or_else(PoisonError::into_inner);
    let size = ranks.size();
    let received = ranks.exchange(to_all(size, mine.to_bytes()), &vec![Part::BYTES; size])?;
    Ok(received.iter().map(|bytes| Part::of_bytes(bytes)).collect())
}

/// The processes that did not begin where the one before them has ended, as far as that is known; none if all that is
/// before the first error is in its place.
fn out_of_place(parts: &[Part]) -> Option<Vec<usize>> {
    let is_out = |rank: &usize| parts[*rank].start != parts[rank - 1].end && parts[rank - 1].wrong.is_none();
    let first = (1..parts.len()).find(|rank| parts[*rank].start != parts[rank - 1].end);
    let error = parts.iter().position(|part| part.wrong.is_some()).unwrap_or(parts.len());
    let is_needed = first.is_some_and(|first| first <= error);
    is_needed.then(|| (1..parts.len()).filter(is_out).collect())
}

impl Part {
    const BYTES: usize = 56;

    fn to_bytes(self) -> Vec<u8> {
        let (byte, lines) = self.wrong.unwrap_or_default();
        let wrong = u64::from(self.wrong.is_some());
        let numbers = [self.start, self.end, self.rows as u64, self.lines as u64, wrong, byte, lines as u64];
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn of_bytes(bytes: &[u8]) -> Part {
        let number = |at: usize| {
            let bytes = bytes.iter().skip(at * 8).take(8).rev();
            bytes.fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
        };
        let wrong = (number(4) == 1).then(|| (number(5), number(6) as usize));
        let [start, end] = [number(0), number(1)];
        Part { start, end, rows: number(2) as usize, lines: number(3) as usize, wrong }
    }
}

#[cfg(test)]
mod tests;
