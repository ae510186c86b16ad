//! Tables that are larger than memory: columns of floats stay in their file, of which is kept where each row begins.
//! The rows of a batch are read and taken apart when it needs them, in any order.
//!
//! The file is gone through once, piece by piece, as any other is, by several ranks each through a part of it: what is
//! wrong with it is told before anything is trained, and the columns that are small are held in memory.

use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::scan::{Field, Scanner};
use super::shares::Text;
use super::stream::Stream;
use super::values::Reader;
use super::{Begun, Columns, Options, Place, Request, Want, gathered, header};
use crate::base::Diagnostic;
use crate::runtime::array::Elements;
use crate::runtime::ranks::{self, Shared};
use crate::runtime::report::tables::{HeaderDoubt, TableError};
use crate::runtime::sources::file::FileBytes;
use crate::runtime::world::World;

/// What is looked at to learn how the file is written.
const HEAD: usize = 1 << 24;
/// So many numbers are taken apart at a time.
const PIECE: usize = 1 << 16;
/// So many bytes are read at a time, if rows follow one another.
const RUN: usize = 1 << 20;

/// Columns of a table that stay in its file.
#[derive(Debug)]
pub struct StoredTable {
    bytes: FileBytes,
    name: String,
    options: Options,
    /// Fields of a row.
    n_columns: usize,
    /// Where each row begins, and how many bytes it has.
    starts: Vec<u64>,
    lengths: Vec<u32>,
    /// What is read, each with the numbers of its columns.
    requests: Vec<(Request, Vec<usize>)>,
    /// The rows that were read last: the columns of a batch are asked for one after another.
    last: Mutex<Arc<Taken>>,
}

/// Rows and their numbers, for each request.
#[derive(Default, Debug)]
struct Taken {
    rows: Vec<u32>,
    values: Vec<Vec<f64>>,
}

/// Rows that were read at once, and where each stands among the bytes.
struct Run {
    bytes: Vec<u8>,
    rows: Vec<Range<usize>>,
}

/// What was read of a table.
pub struct Large {
    pub rows: usize,
    /// Of each request the columns, or their number in `stored`.
    pub columns: Vec<Held>,
    pub stored: Arc<StoredTable>,
    pub warnings: Vec<Diagnostic>,
}

pub enum Held {
    InMemory(Columns),
    InFile(usize),
}

/// The bytes of a file, one after another.
pub(super) struct InOrder {
    pub bytes: FileBytes,
    pub at: usize,
}

impl Read for InOrder {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(self.bytes.length() - self.at);
        let cannot = |error: Diagnostic| io::Error::other(error.message);
        self.bytes.read_at(self.at, &mut into[..count]).map_err(cannot)?;
        self.at += count;
        Ok(count)
    }
}

/// About how many rows a file has that is on the disk and has more than so many bytes; none of another.
///
/// # Errors
/// E0701, E0702.
pub fn rows_if_large(world: &dyn World, path: &Path, bytes: usize) -> Result<Option<usize>, Diagnostic> {
    let file = FileBytes::open(world, path)?;
    if !file.is_on_disk() || file.length() <= bytes {
        return Ok(None);
    }
    let head = file.read(0..RUN)?;
    let lines = head.iter().filter(|byte| **byte == b'\n').count();
    // Without line feeds it is read as a whole, whatever it is.
    Ok((lines > 0).then(|| (file.length() as u128 * lines as u128 / head.len() as u128) as usize))
}

/// Reads a table piece by piece without the rows that are dropped, each of some ranks a part of it. Columns of floats
/// for which `stays` says so stay in the file.
///
/// # Errors
/// As [`super::read`]; E0933 if ranks read something else, E0934 if one does not take part.
pub fn read(
    world: &dyn World,
    path: &Path,
    options: &Options,
    requests: &[Request],
    (stays, dropped): (&[bool], &[bool]),
    ranks: Option<&Shared>,
) -> Result<Large, Diagnostic> {
    let bytes = FileBytes::open(world, path)?;
    let name = path.display().to_string();
    let (options, mut warnings) = decided(&bytes, &name, options, requests)?;
    let reader = Box::new(InOrder { bytes: bytes.clone(), at: 0 });
    let mut head = Stream::new(reader, name.clone(), options, requests.to_vec());
    head.first_line(&mut |_| {})?;
    let header = head.header().map(<[String]>::to_vec);
    let columns = head.columns();
    let has_index = header.as_ref().is_some_and(|names| names.len() > 1 && names[0].is_empty());
    if has_index && columns.iter().any(|columns| columns.contains(&0)) {
        warnings.push(HeaderDoubt::IndexColumn { file: name.clone() }.into());
    }
    let n_columns = head.n_columns();
    let pairs = || requests.iter().zip(&columns).zip(stays);
    let is_in_file = |request: &Request, stays: bool| stays && matches!(request.want, Want::F32 | Want::F64 | Want::Wide);
    let in_memory = pairs().filter(|((request, _), stays)| !is_in_file(request, **stays));
    let held: Vec<Reader<'static>> =
        in_memory.map(|((request, columns), _)| Reader::new(columns.clone(), request, options)).collect();
    let in_file = pairs().filter(|((request, _), stays)| is_in_file(request, **stays));
    let in_file: Vec<(Request, Vec<usize>)> =
        in_file.map(|((request, columns), _)| (request.clone(), columns.clone())).collect();
    let text = Text { bytes: &bytes, name: &name, options, ranks: ranks.filter(|_| !head.ends_in_returns()), head };
    text.check_same(dropped)?;
    let Rows { starts, lengths, held } = rows(&text, held, &in_file, header.as_deref(), dropped)?;
    let count = starts.len();
    if count == 0 {
        return Err(TableError::NoRows { file: name }.into());
    }
    let (mut held, mut next) = (held.into_iter(), 0..in_file.len());
    let of = |((request, _), stays): ((&Request, _), &bool)| match is_in_file(request, *stays) {
        true => Some(Held::InFile(next.next()?)),
        false => Some(Held::InMemory(held.next()?)),
    };
    let found = pairs().filter_map(of).collect();
    let last = Mutex::default();
    let stored = StoredTable { bytes, name, options, n_columns, starts, lengths, requests: in_file, last };
    Ok(Large { rows: count, columns: found, stored: Arc::new(stored), warnings })
}

/// The rows of a table that are not dropped.
struct Rows<C> {
    starts: Vec<u64>,
    lengths: Vec<u32>,
    /// The columns that are in memory.
    held: Vec<C>,
}

/// Goes through the rows of a table, each rank through some, and puts together what all have found.
fn rows(
    text: &Text<'_>,
    held: Vec<Reader<'static>>,
    in_file: &[(Request, Vec<usize>)],
    header: Option<&[String]>,
    dropped: &[bool],
) -> Result<Rows<Columns>, Diagnostic> {
    let is_dropped = |row: usize| dropped.get(row).copied().unwrap_or(false);
    let mut known = None;
    let mut readers = held;
    if let Some(ranks) = text.ranks {
        // Rows before a part, some of which may be dropped, are counted first.
        let mut first = Some(text.head.place().0);
        if !dropped.is_empty() {
            let visit = |starts: &mut Vec<u64>, _, _: &[Field<'_>], _: &Place<'_>, (start, _)| {
                starts.push(start);
                Ok(())
            };
            let (starts, parts) = text.in_parts(None, &Vec::new, &visit)?;
            let before = parts[..ranks::place(Some(ranks)).0].iter().map(|part| part.rows).sum::<usize>();
            let mine = starts.iter().zip(before..).find(|(_, row)| !is_dropped(*row)).map(|(start, _)| *start);
            let found = ranks::gathered(ranks, mine.map(u64::to_le_bytes).map(Vec::from).unwrap_or_default())?;
            let start = found.into_iter().find_map(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
            (first, known) = (start, Some(parts));
        }
        // Whether ints are numbers or names is what the first row says. What is wrong with it is found in its part.
        if let Some(first) = first {
            let learn = &mut |fields: &[Field<'_>], place: &Place<'_>| {
                readers.iter_mut().for_each(|reader| drop(reader.push_copied(fields, place, header)));
            };
            drop(text.look(first, learn));
        }
    }
    let new = || {
        let held = readers.iter().map(Reader::emptied).collect();
        Rows { starts: Vec::new(), lengths: Vec::new(), held }
    };
    let visit = |rows: &mut Rows<Reader<'static>>, row, fields: &[Field<'_>], place: &Place<'_>, (start, length)| {
        if is_dropped(row) {
            return Ok(());
        }
        rows.starts.push(start);
        // A row is not longer than a stream allows.
        rows.lengths.push(length as u32);
        rows.held.iter_mut().try_for_each(|reader| reader.push_copied(fields, place, header))?;
        in_file.iter().try_for_each(|(request, columns)| {
            Reader::new(columns.clone(), request, text.options).push_row(fields, place, header)
        })
    };
    let (Rows { starts, lengths, held }, _) = text.in_parts(known.as_deref(), &new, &visit)?;
    let held = held.into_iter().map(|reader| reader.finish(starts.len())).collect::<Result<Vec<_>, _>>()?;
    let Some(ranks) = text.ranks else { return Ok(Rows { starts, lengths, held }) };
    let gather = |bytes: Vec<u8>| ranks::gathered(ranks, bytes).map(|parts| parts.concat());
    let starts = gather(starts.iter().flat_map(|start| start.to_le_bytes()).collect())?;
    let lengths = gather(lengths.iter().flat_map(|length| length.to_le_bytes()).collect())?;
    let columns = ranks::gathered(ranks, gathered::to_bytes(&held))?;
    Ok(Rows {
        starts: starts.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect(),
        lengths: lengths.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect(),
        held: gathered::joined(&columns, &held)?,
    })
}

/// How the file is read: whether it has a header is decided as for any other file, by its first lines.
pub(super) fn decided(
    bytes: &FileBytes,
    name: &str,
    options: &Options,
    requests: &[Request],
) -> Result<(Options, Vec<Diagnostic>), Diagnostic> {
    let mut size = RUN / 8;
    let (head, end) = loop {
        let head = bytes.read(0..size)?;
        let end = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if size >= HEAD || size >= bytes.length() || header::is_enough(&head[..end], options) {
            break (head, end);
        }
        size *= 4;
    };
    let text = std::str::from_utf8(&head[..end]).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.is_empty() {
        return Ok((*options, Vec::new()));
    }
    let begun = Begun::new(text, name, options, requests)?;
    Ok((Options { header: Some(begun.header.is_some()), ..*options }, begun.doubt.map(Diagnostic::from).into_iter().collect()))
}

impl StoredTable {
    pub fn rows(&self) -> usize {
        self.starts.len()
    }

    /// How many numbers a row has of a request.
    pub fn row_len(&self, request: usize) -> usize {
        self.requests[request].1.len()
    }

    /// Reads the numbers of rows and hands them on, some rows at a time: the place of the first among `rows`, and the
    /// numbers.
    ///
    /// # Errors
    /// E0701 if the file cannot be read any more, or is not what it was.
    pub fn read_rows(
        &self,
        request: usize,
        rows: &[u32],
        put: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<(), Diagnostic> {
        let width: usize = self.requests.iter().map(|(_, columns)| columns.len()).sum();
        let piece = (PIECE / width.max(1)).max(1);
        for (number, rows) in rows.chunks(piece).enumerate() {
            put(number * piece, &self.taken(rows)?.values[request]);
        }
        Ok(())
    }

    fn taken(&self, rows: &[u32]) -> Result<Arc<Taken>, Diagnostic> {
        let last = Arc::clone(&self.last.lock().unwrap_or_else(PoisonError::into_inner));
        if last.rows == rows {
            return Ok(last);
        }
        let (mut runs, mut at) = (Vec::new(), 0);
        while at < rows.len() {
            let run = self.run(&rows[at..]);
            runs.push(self.bytes_of(&rows[at..at + run])?);
            at += run;
        }
        let new = |(request, columns): &(Request, Vec<usize>)| Reader::new(columns.clone(), request, self.options);
        let mut readers: Vec<Reader<'_>> = self.requests.iter().map(new).collect();
        readers.iter_mut().try_for_each(|reader| reader.reserve(rows.len()))?;
        let texts = runs.iter().flat_map(|run| run.rows.iter().map(|range| run.bytes.get(range.clone())));
        for text in texts {
            let text = text.and_then(|text| std::str::from_utf8(text).ok());
            self.take_row(text.ok_or_else(|| self.changed())?, &mut readers)?;
        }
        let numbers = |reader: Reader<'_>| match reader.finish(rows.len())?.array.elements() {
            Elements::F64(numbers) => Ok(numbers.clone()),
            Elements::F32(numbers) => Ok(numbers.iter().map(|number| f64::from(*number)).collect()),
            _ => Err(self.changed()),
        };
        let values = readers.into_iter().map(numbers).collect::<Result<_, Diagnostic>>()?;
        let taken = Arc::new(Taken { rows: rows.to_vec(), values });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&taken);
        Ok(taken)
    }

    /// How many of these rows follow one another in the file and are read at once.
    fn run(&self, rows: &[u32]) -> usize {
        let start = self.starts[rows[0] as usize];
        let follows = |pair: &[u32]| pair[1] == pair[0] + 1 && self.end(pair[1]) - start <= RUN as u64;
        1 + rows.windows(2).take_while(|pair| follows(pair)).count()
    }

    /// The byte behind a row.
    fn end(&self, row: u32) -> u64 {
        self.starts[row as usize] + u64::from(self.lengths[row as usize])
    }

    /// Reads rows that follow one another.
    fn bytes_of(&self, rows: &[u32]) -> Result<Run, Diagnostic> {
        let (first, last) = (rows[0], rows[rows.len() - 1]);
        let start = self.starts[first as usize];
        let mut bytes = vec![0; (self.end(last) - start) as usize];
        self.bytes.read_at(start as usize, &mut bytes)?;
        let range = |row: &u32| (self.starts[*row as usize] - start) as usize..(self.end(*row) - start) as usize;
        Ok(Run { rows: rows.iter().map(range).collect(), bytes })
    }

    /// Takes a row apart.
    fn take_row<'t>(&self, text: &'t str, readers: &mut [Reader<'t>]) -> Result<(), Diagnostic> {
        let separator = u8::try_from(self.options.separator).unwrap_or(b',');
        let mut fields: Vec<Field<'t>> = Vec::new();
        let found = Scanner::new(text, separator).next_record(&mut fields);
        if found != Ok(true) || fields.len() != self.n_columns {
            return Err(self.changed());
        }
        let place = Place { name: &self.name, text, lines: 0 };
        let mut readers = readers.iter_mut();
        readers.try_for_each(|reader| reader.push_row(&fields, &place, None).map_err(|_| self.changed()))
    }

    fn changed(&self) -> Diagnostic {
        TableError::Changed { file: self.name.clone() }.into()
    }
}
