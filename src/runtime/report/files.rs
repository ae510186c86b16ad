//! What can be wrong with a file, whatever is in it, with a folder, and with a text. Names of files come as messages
//! show them.

use std::io;

use super::Problem;
use crate::base::Diagnostic;

/// What is wrong with a file or a folder.
#[derive(Clone, Debug)]
pub enum FileError {
    /// A folder where a file is needed.
    IsFolder {
        path: String,
    },
    Missing {
        path: String,
        neighbours: Neighbours,
    },
    MissingFolder {
        path: String,
    },
    /// A file where a folder of images is needed.
    NoFolder {
        path: String,
    },
    /// The system says why.
    Unreadable {
        path: String,
        why: String,
    },
    UnreadableFolder {
        path: String,
        why: String,
    },
    /// It could be read before.
    Lost {
        name: String,
        why: Lost,
    },
    /// What is in memory ends too early.
    Ended,
    /// It begins as a gzip file; with whether it would become too large.
    Gzip {
        path: String,
        why: String,
        is_too_large: bool,
    },
    /// This build does not unpack gzip files.
    NoGzip {
        path: String,
    },
    Unwritable {
        path: String,
        why: String,
    },
}

/// What is there instead of a file.
#[derive(Clone, Debug)]
pub enum Neighbours {
    /// A file of almost this name.
    Near { folder: String, name: String },
    /// The folder has no file of a name like this.
    Others,
    NoFolder { folder: String },
}

/// Why a file cannot be read any more.
#[derive(Clone, Debug)]
pub enum Lost {
    CutShort,
    System(String),
}

impl From<&io::Error> for Lost {
    fn from(error: &io::Error) -> Lost {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Lost::CutShort,
            _ => Lost::System(error.to_string()),
        }
    }
}

impl Problem for FileError {
    fn diagnostic(&self) -> Diagnostic {
        let cannot_read = |message: String| Diagnostic::error("E0701", message);
        match self {
            FileError::IsFolder { path } => cannot_read(format!("`{path}` is a folder, not a file")),
            FileError::Missing { path, neighbours } => {
                let error = cannot_read(format!("there is no file `{path}`"));
                match neighbours {
                    Neighbours::Near { folder, name } => error.help(format!("`{folder}` has a file `{name}`")),
                    Neighbours::Others => error,
                    Neighbours::NoFolder { folder } => {
                        error.note(format!("there is no folder `{folder}` either"))
                    }
                }
            }
            FileError::MissingFolder { path } => cannot_read(format!("there is no folder `{path}`")),
            FileError::NoFolder { path } => {
                cannot_read(format!("`{path}` is a file, not a folder of images"))
            }
            FileError::Unreadable { path, why } => cannot_read(format!("cannot read `{path}`: {why}")),
            FileError::UnreadableFolder { path, why } => {
                cannot_read(format!("cannot read the folder `{path}`: {why}"))
            }
            FileError::Lost { name, why } => {
                let why = match why {
                    Lost::CutShort => "it has been cut short",
                    Lost::System(why) => why,
                };
                cannot_read(format!("cannot read {name} any more: {why}"))
            }
            FileError::Ended => cannot_read("the contents end before what is to be read".to_owned()),
            FileError::Gzip { path, why, is_too_large } => {
                let message = format!("`{path}` begins as a gzip file but cannot be unpacked: {why}");
                let error = Diagnostic::error("E0702", message);
                match is_too_large {
                    true => error.help(format!("unpack it with `gunzip -k {path}`")),
                    false => error,
                }
            }
            FileError::NoGzip { path } => {
                let message = format!("`{path}` is a gzip file, which this build of nnc does not unpack");
                Diagnostic::error("E0702", message).help("the feature `formats` reads such files")
            }
            FileError::Unwritable { path, why } => {
                Diagnostic::error("E0714", format!("cannot write `{path}`: {why}"))
            }
        }
    }
}

/// What is wrong with a text, or with what is asked of it.
#[derive(Clone, Debug)]
pub enum TextError {
    Empty { name: String },
    /// More different characters than there are numbers for.
    Characters { name: String, count: usize },
    /// A character, counted from 0, that the vocabulary does not have.
    Unknown { at: usize, character: char, vocabulary: String },
    /// No window of so many characters, with so many behind it, fits.
    Short { characters: usize, length: usize, reach: usize },
    Utf16 { name: String },
    NotUtf8 { name: String, line: usize, byte: u8, offset: usize },
}

impl Problem for TextError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            TextError::Empty { name } => Diagnostic::error("E0710", format!("{name} is empty")),
            TextError::Characters { name, count } => {
                let message = format!("{name} has {count} different characters; at most 65536 are read");
                Diagnostic::error("E0709", message)
            }
            TextError::Unknown { at, character, vocabulary } => {
                let number = at + 1;
                let message =
                    format!("character {number} of the text is {character:?}, which the vocabulary does not have");
                Diagnostic::error("E0716", message).note(format!("the vocabulary is {vocabulary:?}"))
            }
            TextError::Short { characters, length, reach } => {
                let beyond = match reach {
                    0 => String::new(),
                    1 => " and the next one".to_owned(),
                    reach => format!(" and the next {reach}"),
                };
                let message =
                    format!("a text of {characters} characters has no windows of {length} characters{beyond}");
                Diagnostic::error("E0715", message)
            }
            TextError::Utf16 { name } => {
                Diagnostic::error("E0709", format!("{name} is a text in UTF-16, not in UTF-8"))
                    .help("save it as UTF-8, with `iconv -f utf-16 -t utf-8 OLD > NEW` for example")
            }
            TextError::NotUtf8 { name, line, byte, offset } => {
                let message =
                    format!("{name} is not UTF-8 text: line {line} has the byte {byte:02x} at offset {offset}");
                Diagnostic::error("E0709", message)
                    .help("save it as UTF-8, with `iconv -f latin1 -t utf-8` for example")
            }
        }
    }
}
