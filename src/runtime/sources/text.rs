//! A text as class numbers of its characters, and windows over it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::base::Diagnostic;
use crate::runtime::report::files::TextError;
use crate::runtime::room::{self, Need};
use crate::runtime::world::World;

use super::file::FileBytes;

/// A text and its vocabulary: the characters that occur in it, in the order of their Unicode
/// numbers. A character's class is its place in the vocabulary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    vocabulary: Arc<[char]>,
    /// Two bytes a character; vocabularies are far smaller than 65,536.
    ids: Arc<[u16]>,
}

/// Row r are the `length` characters from r + `shift` on. Nothing is copied until rows are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Windows {
    text: Text,
    length: usize,
    shift: usize,
    rows: usize,
}

impl Text {
    /// Reads a UTF-8 file, plain or gzipped. A byte order mark is skipped; line ends are `\n`.
    ///
    /// Errors: E0701, E0709 (not UTF-8), E0710 (empty).
    pub fn open(world: &dyn World, path: &Path) -> Result<Text, Diagnostic> {
        let name = format!("`{}`", path.display());
        let file = FileBytes::open(world, path)?;
        has_room(&file, &name)?;
        Text::new(utf8(&file.all()?, &name)?, &name)
    }

    /// As [`Text::open`], from a string; `name` is how messages call it.
    pub fn new(text: &str, name: &str) -> Result<Text, Diagnostic> {
        let text = lines(text);
        Text::numbered(&text, vocabulary_of(&text).into_iter().collect(), name)
    }

    /// As [`Text::open`], with the numbers that the characters have in a vocabulary, in ascending order.
    ///
    /// Errors: as [`Text::open`].
    pub fn open_numbered(world: &dyn World, path: &Path, vocabulary: &[char]) -> Result<Text, Diagnostic> {
        let name = format!("`{}`", path.display());
        let file = FileBytes::open(world, path)?;
        has_room(&file, &name)?;
        let text = lines(utf8(&file.all()?, &name)?);
        Text::numbered(&text, vocabulary.to_vec(), &name)
    }

    fn numbered(text: &str, vocabulary: Vec<char>, name: &str) -> Result<Text, Diagnostic> {
        if text.is_empty() {
            return Err(TextError::Empty { name: name.to_owned() }.into());
        }
        if vocabulary.len() > usize::from(u16::MAX) + 1 {
            return Err(TextError::Characters { name: name.to_owned(), count: vocabulary.len() }.into());
        }
        let id = |c: char| vocabulary.binary_search(&c).ok().and_then(|id| u16::try_from(id).ok());
        let mut ids: Vec<u16> = room::vector(text.chars().count(), "the characters of a text")?;
        ids.extend(text.chars().filter_map(id));
        Ok(Text { vocabulary: vocabulary.into(), ids: ids.into() })
    }

    /// The characters by class.
    pub fn vocabulary(&self) -> &[char] {
        &self.vocabulary
    }

    /// The number of characters.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Never true: an empty text is an error.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The classes of some of the characters.
    ///
    /// # Panics
    ///
    /// If the range goes beyond the text.
    pub fn classes(&self, range: Range<usize>) -> impl Iterator<Item = i32> {
        self.ids[range].iter().map(|&id| i32::from(id))
    }

    /// The classes of another text's characters.
    ///
    /// Errors: E0716 names the first that the vocabulary does not have.
    pub fn encode(&self, text: &str) -> Result<Vec<i32>, Diagnostic> {
        let class = |(at, character): (usize, char)| match self.vocabulary.binary_search(&character) {
            Ok(id) => Ok(id as i32),
            Err(_) => {
                let vocabulary = self.vocabulary.iter().collect();
                Err(TextError::Unknown { at, character, vocabulary }.into())
            }
        };
        text.chars().enumerate().map(class).collect()
    }

    /// The text that classes stand for; what is no class becomes U+FFFD.
    pub fn decode(&self, classes: &[i32]) -> String {
        let character =
            |&class: &i32| usize::try_from(class).ok().and_then(|id| self.vocabulary.get(id).copied());
        classes.iter().map(|class| character(class).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }

    /// A window of `length` characters at every character, `shift` characters further on. There are as many as
    /// stay within the text with a shift of `reach`, the greatest of those that are used together.
    ///
    /// Errors: E0715.
    pub fn windows(&self, length: usize, shift: usize, reach: usize) -> Result<Windows, Diagnostic> {
        let reach = reach.max(shift);
        match self.ids.len().checked_sub(length + reach) {
            Some(more) if length > 0 => Ok(Windows { text: self.clone(), length, shift, rows: more + 1 }),
            Some(_) | None => Err(TextError::Short { characters: self.ids.len(), length, reach }.into()),
        }
    }
}

impl Windows {
    /// The number of windows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The text that they are windows of.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Characters of one row.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The characters of windows, one row after the other: `out` is `[rows, length]`.
    ///
    /// # Panics
    ///
    /// If a row is not below [`Windows::rows`] or `out` has not `length` places for each.
    pub fn read(&self, rows: impl IntoIterator<Item = usize>, out: &mut [i32]) {
        let mut places = out.chunks_exact_mut(self.length);
        for row in rows {
            let start = row + self.shift;
            let place = places.next().expect("a place for every row");
            for (place, &id) in place.iter_mut().zip(&self.text.ids[start..start + self.length]) {
                *place = i32::from(id);
            }
        }
    }
}

/// Whether there is room for a text while it is numbered: its bytes, its lines, and twice two bytes for each character.
fn has_room(file: &FileBytes, name: &str) -> Result<(), Diagnostic> {
    let length = file.length() as u64;
    let need = Need::of(format!("the contents of {name}, twice"), length.saturating_mul(2));
    need.and("the numbers of its characters", length.saturating_mul(4)).check()
}

/// The text with `\n` at the ends of lines.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn vocabulary_of(text: &str) -> BTreeSet<char> {
    text.chars().collect()
}

/// The characters of a file.
///
/// Errors: as [`Text::open`].
pub fn characters(world: &dyn World, path: &Path) -> Result<BTreeSet<char>, Diagnostic> {
    let name = format!("`{}`", path.display());
    Ok(vocabulary_of(&lines(utf8(&FileBytes::open(world, path)?.all()?, &name)?)))
}

/// Whether bytes are the beginning of a text in UTF-16.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    let zeros = |at: usize| bytes.get(at) == Some(&0) && bytes.get(at + 2) == Some(&0);
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || zeros(0) || zeros(1)
}

/// The text that bytes are, without a byte order mark.
///
/// Errors: E0709 with the line of the first byte that is not UTF-8.
pub(super) fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, Diagnostic> {
    match std::str::from_utf8(bytes) {
        _ if is_utf16(bytes) => Err(TextError::Utf16 { name: name.to_owned() }.into()),
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let line = good.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let byte = bytes.get(good.len()).copied().unwrap_or(0);
            Err(TextError::NotUtf8 { name: name.to_owned(), line, byte, offset: good.len() }.into())
        }
    }
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use super::*;
    use crate::runtime::world::native::NativeWorld;

    fn text(text: &str) -> Text {
        Text::new(text, "`t`").unwrap()
    }

    #[test]
    fn classes_are_in_sorted_order() {
        let text = text("to be\r\nñ");
        assert_eq!(text.vocabulary(), ['\n', ' ', 'b', 'e', 'o', 't', 'ñ']);
        assert_eq!(text.classes(0..text.len()).collect::<Vec<_>>(), [5, 4, 1, 2, 3, 0, 6]);
        assert_eq!(text.encode("be ñ").unwrap(), [2, 3, 1, 6]);
        assert_eq!(text.decode(&[2, 3, 1, 6, 7, -1]), "be ñ\u{fffd}\u{fffd}");
        let error = text.encode("box").unwrap_err();
        assert_eq!(error.code, "E0716");
        assert_eq!(error.message, "character 3 of the text is 'x', which the vocabulary does not have");
    }

    #[test]
    fn windows_and_what_follows() {
        let text = text("abcdefg");
        for (reach, rows) in [(0, 5), (1, 4), (4, 1)] {
            assert_eq!(text.windows(3, 0, reach).unwrap().rows(), rows);
        }
        let (mut inputs, mut targets) = ([0; 6], [0; 6]);
        text.windows(3, 0, 2).unwrap().read([2, 0], &mut inputs);
        text.windows(3, 2, 2).unwrap().read([2, 0], &mut targets);
        assert_eq!((inputs, targets), ([2, 3, 4, 0, 1, 2], [4, 5, 6, 2, 3, 4]));
        assert_eq!(text.windows(6, 0, 1).unwrap().rows(), 1);
        assert_eq!(text.windows(7, 1, 1).unwrap_err().code, "E0715");
        assert_eq!(text.windows(0, 0, 1).unwrap_err().code, "E0715");
    }

    #[test]
    fn wrong_texts() {
        assert_eq!(Text::new("", "`t`").unwrap_err().code, "E0710");
        let error = utf8(b"ab\nc\xe9d", "`t`").unwrap_err();
        assert_eq!(error.message, "`t` is not UTF-8 text: line 2 has the byte e9 at offset 4");
        assert_eq!(utf8(b"\xef\xbb\xbfa", "`t`").unwrap(), "a");
    }

    #[test]
    fn the_checked_in_text() {
        let text = Text::open(&NativeWorld, Path::new("models/data/shakespeare.txt")).unwrap();
        assert_eq!((text.len(), text.vocabulary().len()), (277_319, 69));
    }
}
