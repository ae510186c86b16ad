//! How files are called and written, and words of the language for what files and columns are called.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cli::columns::opened;
use crate::syntax::tokens;

/// A string of the language.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('{', "{{"))
}

/// A name of the language that is like a text, and not yet taken.
pub fn identifier(text: &str, taken: &mut Vec<String>) -> String {
    let plain: String =
        text.trim().chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let plain = plain.trim_matches('_').to_owned();
    let starts_well = plain.chars().next().is_some_and(char::is_alphabetic);
    let base = if starts_well && tokens::is_name(&plain) { plain } else { format!("c_{plain}") };
    let base = if tokens::is_name(&base) { base } else { "field".to_owned() };
    let mut name = base.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{base}{number}");
        number += 1;
    }
    taken.push(name.clone());
    name
}

/// The name of a file without the ending of a packed one.
pub fn plain_name(path: &Path) -> PathBuf {
    let is_packed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    if is_packed { path.with_extension("") } else { path.to_path_buf() }
}

/// What stands between the fields of the first line of a file: what is there most often.
pub fn separator_of(path: &Path) -> char {
    let mut start = Vec::new();
    let read = opened(path).ok().and_then(|file| file.take(1 << 16).read_to_end(&mut start).ok());
    let text = String::from_utf8_lossy(&start);
    let line = read.and_then(|_| text.lines().next()).unwrap_or_default();
    let count = |separator: &char| line.chars().filter(|c| c == separator).count();
    [',', ';', '\t', '|'].into_iter().rev().max_by_key(count).filter(|separator| count(separator) > 0).unwrap_or(',')
}
