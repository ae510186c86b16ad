//! `npy`, NumPy's format for one array.
//!
//! `\x93NUMPY`, a version, the length of the header, the header as a Python literal
//! (`{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`), then the elements.
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::io::{self, Write};
use std::path::Path;

use crate::base::Diagnostic;
use crate::runtime::report::arrays::{ArrayError, Format, NpyError};
use crate::runtime::world::World;
use crate::runtime::array::{Array, Elements};

use super::file::FileBytes;
use super::stored::{AxisOrder, Layout, StoredArray, StoredType};

/// Opens an `npy` file; elements of a plain one are read when they are asked for.
///
/// Errors: E0701, E0702 (not an `npy` file), E0703 (its length does not fit its header), E0704.
pub fn open(world: &dyn World, path: &Path) -> Result<StoredArray, Diagnostic> {
    parse(FileBytes::open(world, path)?, format!("`{}`", path.display()))
}

/// As [`open`], from bytes; `name` is how messages call the array.
pub fn parse(file: FileBytes, name: String) -> Result<StoredArray, Diagnostic> {
    let bytes = &*file.read(0..12)?;
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err(NpyError::Magic { name, first: bytes.iter().take(6).copied().collect() }.into());
    }
    let Some((start, end)) = header_range(bytes).filter(|(_, end)| *end <= file.length()) else {
        return Err(NpyError::Cut { name }.into());
    };
    let header = file.read(start..end)?;
    let text = String::from_utf8_lossy(&header);
    let Some(header) = Header::parse(&text) else {
        return Err(NpyError::Header { name, text: text.into_owned() }.into());
    };
    let Some((element, big_endian)) = element_of(&header.descr) else {
        return Err(ArrayError::Type { name, found: header.descr, format: Format::Npy }.into());
    };
    let order = if header.fortran_order { AxisOrder::ColumnMajor } else { AxisOrder::RowMajor };
    let layout = Layout { element, big_endian, order };
    let elements = file.slice(end..file.length()).unwrap_or(FileBytes::owned(Vec::new()));
    StoredArray::new(name, elements, header.shape, layout)
}

/// Writes an array as such a file.
///
/// # Errors
/// Those of writing.
pub fn write_to(mut out: &mut dyn Write, array: &Array) -> io::Result<()> {
    let descr = match array.elements() {
        Elements::F32(_) => "<f4",
        Elements::F64(_) => "<f8",
        Elements::I32(_) => "<i4",
        Elements::I64(_) => "<i8",
        Elements::U8(_) => "|u1",
        Elements::Bool(_) => "|b1",
    };
    let shape: String = array.shape().iter().map(|size| format!("{size}, ")).collect();
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // Elements begin at a multiple of 64.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', length - header.len() - 1));
    header.push('\n');
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(length as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    super::checkpoint::write_elements(&mut out, array.elements())
}

/// Where the header's text lies, from the first 12 bytes; None if there are not so many as say it.
fn header_range(bytes: &[u8]) -> Option<(usize, usize)> {
    let (start, length): (usize, usize) = match *bytes.get(6)? {
        1 => (10, usize::from(u16::from_le_bytes([*bytes.get(8)?, *bytes.get(9)?]))),
        _ => {
            let length = bytes.get(8..12)?;
            (12, u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize)
        }
    };
    Some((start, start.checked_add(length)?))
}

fn element_of(descr: &str) -> Option<(StoredType, bool)> {
    let (order, name) = descr.split_at_checked(1)?;
    let big_endian = match order {
        "<" | "|" | "=" => false,
        ">" => true,
        _ => return None,
    };
    let element = match name {
        "b1" => StoredType::Bool,
        "i1" => StoredType::I8,
        "i2" => StoredType::I16,
        "i4" => StoredType::I32,
        "i8" => StoredType::I64,
        "u1" => StoredType::U8,
        "u2" => StoredType::U16,
        "u4" => StoredType::U32,
        "u8" => StoredType::U64,
        "f2" => StoredType::F16,
        "f4" => StoredType::F32,
        "f8" => StoredType::F64,
        _ => return None,
    };
    Some((element, big_endian))
}

/// What the header says.
#[derive(PartialEq, Debug)]
struct Header {
    /// For a structured type the text of its list, which [`element_of`] refuses.
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Option<Header> {
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest)?;
            let value = after.trim_start().strip_prefix(':')?.trim_start();
            rest = match key {
                "descr" if value.starts_with('[') => {
                    let end = closing_bracket(value)?;
                    descr = Some(value[..end].to_owned());
                    &value[end..]
                }
                "descr" => {
                    let (name, after) = quoted(value)?;
                    descr = Some(name.to_owned());
                    after
                }
                "fortran_order" => {
                    let (flag, after) = match value.strip_prefix("True") {
                        Some(after) => (true, after),
                        None => (false, value.strip_prefix("False")?),
                    };
                    fortran_order = Some(flag);
                    after
                }
                "shape" => {
                    let (inner, after) = value.strip_prefix('(')?.split_once(')')?;
                    // Python 2 wrote long integers with an L.
                    let sizes = inner.split(',').map(|size| size.trim().trim_end_matches('L'));
                    let sizes: Option<Vec<usize>> =
                        sizes.filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect();
                    shape = Some(sizes?);
                    after
                }
                _ => return None,
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        Some(Header { descr: descr?, fortran_order: fortran_order?, shape: shape? })
    }
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|&c| c == '\'' || c == '"')?;
    text[1..].split_once(quote)
}

/// The place after the bracket that closes the one at the beginning.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at + 1),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::runtime::array::Elements;

    /// As `numpy.save` writes it.
    pub fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        let padding = (64 - (11 + header.len()) % 64) % 64;
        bytes.extend(((header.len() + padding + 1) as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(std::iter::repeat_n(b' ', padding));
        bytes.push(b'\n');
        bytes.extend(data);
        bytes
    }

    fn load(header: &str, data: &[u8]) -> Result<(Vec<usize>, Elements), Diagnostic> {
        let array = parse(FileBytes::owned(npy(header, data)), "`a`".to_owned())?.load()?;
        Ok((array.shape().to_vec(), array.into_elements()))
    }

    #[test]
    fn types_and_orders() {
        let f4 = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
        let read = load("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", &f4).unwrap();
        assert_eq!(read, (vec![2, 3], Elements::F32(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])));
        let read = load("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", &f4).unwrap();
        assert_eq!(read, (vec![2, 3], Elements::F32(vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0])));
        let read =
            load("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", &[0, 1, 255, 255]).unwrap();
        assert_eq!(read, (vec![2], Elements::I32(vec![1, -1])));
        let read = load("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", &[0, 1]).unwrap();
        assert_eq!(read, (vec![2], Elements::Bool(vec![false, true])));
        let read =
            load("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", &2.5f64.to_le_bytes()).unwrap();
        assert_eq!(read, (vec![], Elements::F64(vec![2.5])));
        let read = load("{'descr': '<f2', 'fortran_order': False, 'shape': (1L,), }", &[0, 0x3c]).unwrap();
        assert_eq!(read, (vec![1], Elements::F32(vec![1.0])));
        let read =
            load("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", &7u64.to_le_bytes()).unwrap();
        assert_eq!(read, (vec![1], Elements::I32(vec![7])));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let code = |header: &str, data: &[u8]| load(header, data).unwrap_err().code;
        assert_eq!(code("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", &[0; 8]), "E0704");
        assert_eq!(
            code("{'descr': [('a', '<f4', [2])], 'fortran_order': False, 'shape': (1,), }", &[0; 8]),
            "E0704"
        );
        assert_eq!(code("{'descr': '<f4', 'shape': (1,), }", &[0; 4]), "E0702");
        assert_eq!(code("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", &[0; 4]), "E0702");
        assert_eq!(code("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", &[0; 4]), "E0703");
        let parsed = |bytes: &[u8]| parse(FileBytes::owned(bytes.to_vec()), "`a`".to_owned());
        assert_eq!(parsed(b"PK\x03\x04...").unwrap_err().helps.len(), 1);
        assert_eq!(
            parsed(b"").unwrap_err().message,
            "`a` is not an `npy` file: it is empty, where 93 4e 55 4d 50 59 is expected"
        );
        assert_eq!(parsed(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").unwrap_err().code, "E0703");
    }
}
