//! What can be wrong with a file of arrays (npy, npz, idx, safetensors), with an array in it, and with parameters that
//! are to be found in it. `name` is an array or a file as messages show it.

use super::{Problem, listed};
use crate::base::{Diagnostic, nearest};
use crate::runtime::array::shape_text;

/// What is wrong with an array in a file.
#[derive(Clone, Debug)]
pub enum ArrayError {
    /// Other bytes follow the header than its shape needs; none if they are more than fit into memory.
    Length {
        name: String,
        shape: Vec<usize>,
        needed: Option<usize>,
        found: usize,
    },
    HasMore {
        name: String,
    },
    /// An element that the wanted type cannot hold, and where it stands in an array that is no scalar.
    Unfit {
        name: String,
        value: String,
        at: Option<Vec<usize>>,
        wanted: &'static str,
    },
    /// A type of elements that is not read.
    Type {
        name: String,
        found: String,
        format: Format,
    },
    /// The file has no array of this name.
    Missing {
        file: String,
        name: String,
        names: Vec<String>,
    },
}

/// A format of files with arrays that names the types of elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Npy,
    Safetensors,
}

impl Problem for ArrayError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ArrayError::Length { name, shape, needed, found } => {
                let shape = shape_text(shape);
                let needed =
                    needed.map_or("more bytes than fit into memory".to_owned(), |count| format!("{count} bytes"));
                let message = format!(
                    "{name} says it has the shape {shape}, which needs {needed}, but {found} bytes follow its header"
                );
                Diagnostic::error("E0703", message)
            }
            ArrayError::HasMore { name } => {
                Diagnostic::error("E0703", format!("{name} has more elements than its shape"))
            }
            ArrayError::Unfit { name, value, at, wanted } => {
                let place = at.as_ref().map_or(String::new(), |index| format!(" at {}", shape_text(index)));
                Diagnostic::error("E0712", format!("{name} has {value}{place}, which is not {wanted}"))
            }
            ArrayError::Type { name, found, format } => {
                let message = format!("{name} has elements of the type `{found}`, which is not read");
                let error = Diagnostic::error("E0704", message);
                match format {
                    Format::Npy => error
                        .note("read are b1, i1, i2, i4, i8, u1, u2, u4, u8, f2, f4 and f8")
                        .help("convert the array before saving it, with `x.astype(\"float32\")` for example"),
                    Format::Safetensors => error.note(
                        "read are BOOL, U8, I8, U16, I16, U32, I32, U64, I64, F16, BF16, F32 and F64",
                    ),
                }
            }
            ArrayError::Missing { file, name, names } => {
                let error = Diagnostic::error("E0711", format!("`{file}` has no array `{name}`"));
                if let Some(near) = nearest(name, names.iter().map(String::as_str)) {
                    return error.help(format!("it has `{near}`"));
                }
                match names.len() {
                    0 => error.note("it has no arrays at all"),
                    count => error.note(format!("it has {count}: {}", listed(names, 10))),
                }
            }
        }
    }
}

/// What is wrong with an `npy` file.
#[derive(Clone, Debug)]
pub enum NpyError {
    /// It begins with other bytes.
    Magic { name: String, first: Vec<u8> },
    Cut { name: String },
    Header { name: String, text: String },
}

impl Problem for NpyError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            NpyError::Magic { name, first } => {
                let bytes: Vec<String> = first.iter().map(|byte| format!("{byte:02x}")).collect();
                let found = match bytes.is_empty() {
                    true => "is empty".to_owned(),
                    false => format!("begins with the bytes {}", bytes.join(" ")),
                };
                let message =
                    format!("{name} is not an `npy` file: it {found}, where 93 4e 55 4d 50 59 is expected");
                let error = Diagnostic::error("E0702", message);
                match first.starts_with(b"PK") {
                    true => error.help("this is a zip archive: read it with `npz(…)`"),
                    false => error,
                }
            }
            NpyError::Cut { name } => {
                Diagnostic::error("E0703", format!("{name} ends in the middle of its header"))
            }
            NpyError::Header { name, text } => {
                let shown: String = text.trim().chars().take(200).collect();
                Diagnostic::error("E0702", format!("the header of {name} cannot be read: `{shown}`")).note(
                    "expected is a header such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }",
                )
            }
        }
    }
}

/// What is wrong with an `npz` archive.
#[derive(Clone, Debug)]
pub enum NpzError {
    /// No table of a zip archive; with whether it is a single array.
    NoTable { file: String, is_array: bool },
    /// An array that cannot be unpacked.
    Damaged { array: String },
    /// An array declares more than its bytes can hold.
    Oversized { array: String, why: String },
    /// This build does not unpack compressed arrays.
    NoDeflate,
}

impl Problem for NpzError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            NpzError::NoTable { file, is_array } => {
                let message =
                    format!("`{file}` is not an `npz` file: the table of a zip archive is not at its end");
                let error = Diagnostic::error("E0702", message);
                match is_array {
                    true => error.help("this is a single array: read it with `npy(…)`"),
                    false => error,
                }
            }
            NpzError::Damaged { array } => Diagnostic::error(
                "E0702",
                format!("{array} cannot be unpacked: the archive is damaged or encrypted"),
            ),
            NpzError::Oversized { array, why } => Diagnostic::error("E0702", format!("{array}: {why}")),
            NpzError::NoDeflate => {
                Diagnostic::error("E0702", "this build of nnc does not unpack compressed arrays")
                    .help("save them with `np.savez`, or build nnc with the feature `formats`")
            }
        }
    }
}

/// What is wrong with an `idx` file.
#[derive(Clone, Debug)]
pub enum IdxError {
    /// Too short for any header.
    Short { name: String, bytes: usize },
    /// It begins with other bytes.
    Magic { name: String, first: [u8; 4] },
    /// Too short for the axes of its header.
    Cut { name: String, axes: u8, needed: usize, bytes: usize },
}

impl Problem for IdxError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            IdxError::Short { name, bytes } => {
                let message =
                    format!("{name} is not an `idx` file: it has {bytes} bytes, its header needs 4 or more");
                Diagnostic::error("E0702", message)
            }
            IdxError::Magic { name, first: [first, second, third, fourth] } => {
                let found = format!("{first:02x} {second:02x} {third:02x} {fourth:02x}");
                let message = format!("{name} is not an `idx` file: it begins with the bytes {found}");
                Diagnostic::error("E0702", message).note(
                    "an `idx` file begins with 00 00, the type of its elements (08, 09, 0b, 0c, 0d or 0e) and \
                     the number of its axes",
                )
            }
            IdxError::Cut { name, axes, needed, bytes } => {
                let message = format!(
                    "{name} ends in the middle of its header: {axes} axes need {needed} bytes, it has {bytes}"
                );
                Diagnostic::error("E0703", message)
            }
        }
    }
}

/// What is wrong with a `safetensors` file.
#[derive(Clone, Debug)]
pub enum SafetensorsError {
    /// Too short for any header.
    Short { file: String, bytes: usize },
    NoHeader { file: String },
    /// The header is longer than the file.
    Cut { file: String, header: u64, follow: usize },
    NotJson { file: String, why: String },
    /// What the header says of an array.
    Entry { file: String, array: String, text: String },
    /// An array lies beyond the end of the file.
    Beyond { file: String, array: String, start: usize, end: usize, follow: usize },
}

impl Problem for SafetensorsError {
    fn diagnostic(&self) -> Diagnostic {
        let not = |file: &str, what: String| {
            Diagnostic::error("E0702", format!("`{file}` is not a `safetensors` file: {what}"))
        };
        match self {
            SafetensorsError::Short { file, bytes } => {
                not(file, format!("it has {bytes} bytes, too few for a header"))
            }
            SafetensorsError::NoHeader { file } => {
                not(file, "its header, from byte 8, does not begin with `{`".to_owned())
            }
            SafetensorsError::NotJson { file, why } => not(file, format!("its header is not JSON: {why}")),
            SafetensorsError::Entry { file, array, text } => not(
                file,
                format!("its header says of `{array}` no dtype, shape and data_offsets, but {text}"),
            ),
            SafetensorsError::Cut { file, header, follow } => {
                let message = format!("`{file}` says that its header has {header} bytes, but only {follow} follow");
                Diagnostic::error("E0703", message)
            }
            SafetensorsError::Beyond { file, array, start, end, follow } => {
                let message = format!(
                    "`{file}` says that `{array}` lies at bytes {start} to {end} after the header, but only \
                     {follow} follow"
                );
                Diagnostic::error("E0703", message)
            }
        }
    }
}

/// How parameters and a file of them do not fit each other.
#[derive(Clone, Debug)]
pub enum CheckpointError {
    /// Of so many arrays these are missing or have another shape; whether a call names the file and may leave some out.
    Unfit { file: String, wanted: usize, wrong: Vec<WrongArray>, can_leave_out: bool },
    /// Arrays that nothing uses.
    Unused { file: String, names: Vec<String> },
}

/// Why the file has not the array that is wanted.
#[derive(Clone, Debug)]
pub enum WrongArray {
    Shape { name: String, found: Vec<usize>, wanted: Vec<usize> },
    Missing { name: String, wanted: Vec<usize>, near: Option<String> },
}

impl Problem for CheckpointError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            CheckpointError::Unfit { file, wanted, wrong, can_leave_out } => {
                let what = if wrong.len() == 1 { "does" } else { "do" };
                let message = format!("{} of {wanted} arrays {what} not fit `{file}`", wrong.len());
                let error = Diagnostic::error("E0713", message);
                let error = wrong.iter().fold(error, |error, array| error.note(array.text()));
                match can_leave_out {
                    true => {
                        error.help("`except = [\"head\"]` in the call leaves layers at their starting values")
                    }
                    false => error,
                }
            }
            CheckpointError::Unused { file, names } => {
                let (count, names) = (names.len(), listed(names, 5));
                Diagnostic::warning("W0071", format!("nothing uses {count} of the arrays in `{file}`: {names}"))
            }
        }
    }
}

impl WrongArray {
    fn text(&self) -> String {
        match self {
            WrongArray::Shape { name, found, wanted } => {
                let (found, wanted) = (shape_text(found), shape_text(wanted));
                format!("`{name}` has the shape {found} in the file, {wanted} is needed")
            }
            WrongArray::Missing { name, wanted, near } => {
                let near = near.as_ref().map_or(String::new(), |near| format!("; the file has `{near}`"));
                format!("`{name}` {} is not in the file{near}", shape_text(wanted))
            }
        }
    }
}
