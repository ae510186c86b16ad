//! Spans of source text, and the map of all sources.
#![warn(missing_docs, rustdoc::broken_intra_doc_links)]

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A file of a [`SourceMap`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct FileId(pub u32);

/// A range of bytes in one file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The first byte behind it.
    pub end: u32,
}

impl Span {
    /// The place of what no line of a program says: what belongs to the language or the compiler, what the host
    /// program asks for, and an item that is elaborated although nothing calls it.
    pub const NONE: Span = Span { file: FileId(0), start: 0, end: 0 };

    /// Whether it is [`Span::NONE`].
    pub fn is_none(self) -> bool {
        self == Span::NONE
    }

    /// The bytes `start .. end` of a file.
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: start as u32, end: end as u32 }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether another span lies in it.
    pub fn holds(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// Whether it has no bytes.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}..{}", self.file.0, self.start, self.end)
    }
}

/// One source text and the name under which messages show it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name.
    pub name: Arc<str>,
    /// All of it.
    pub text: Arc<str>,
    /// The offsets of the beginnings of lines, computed on first use.
    lines: OnceLock<Arc<[u32]>>,
}

impl SourceFile {
    /// Where each line begins, the first at 0.
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect()
        })
    }

    /// The number of the line of a byte offset, from 0.
    fn line_at(&self, offset: usize) -> usize {
        self.lines().partition_point(|start| *start as usize <= offset) - 1
    }

    #[doc(hidden)]
    /// The lines that a range of bytes touches, and some around them: the number of the first, from 0, and
    /// their bytes.
    pub fn lines_around(&self, range: Range<usize>, around: usize) -> (usize, Range<usize>) {
        let first = self.line_at(range.start).saturating_sub(around);
        let last = self.line_at(range.end) + around + 1;
        let end = self.lines().get(last).map_or(self.text.len(), |start| *start as usize);
        (first, self.lines()[first] as usize..end)
    }
}

/// All texts of one compilation: the user's file, its imports, the prelude.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let lines = OnceLock::new();
        self.files.push(SourceFile { name: name.into(), text: text.into(), lines });
        FileId(self.files.len() as u32 - 1)
    }

    /// The file of this number.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The text of a span; the empty text if the span is out of range.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Line and column of a byte offset, both from 1; columns count characters.
    pub fn line_column(&self, file: FileId, offset: u32) -> (usize, usize) {
        let file = self.file(file);
        let offset = file.text.floor_char_boundary(offset as usize);
        let line = file.line_at(offset);
        (line + 1, file.text[file.lines()[line] as usize..offset].chars().count() + 1)
    }

    /// All files, in the order in which they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(at as u32), file))
    }
}
