//! `npz`, NumPy's format for several arrays: a zip archive of `npy` files.
//!
//! Only what NumPy writes is read: stored or deflated members, less than 4 GiB in all. The table
//! at the end of the archive says where they are. Stored members are read like an `npy` file.

use std::path::{Path, PathBuf};

#[cfg(feature = "formats")]
use flate2::read::DeflateDecoder;

use crate::base::Diagnostic;
use crate::runtime::report::arrays::{ArrayError, NpzError};

use super::file::FileBytes;
use super::npy;
#[cfg(feature = "formats")]
use super::packed;
use super::stored::StoredArray;
use crate::runtime::room::Need;
use crate::runtime::world::World;
#[cfg(feature = "formats")]
use crate::runtime::world::read::read_all;

/// An archive whose table has been read.
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    file: FileBytes,
    members: Vec<Member>,
}

/// An entry of the archive's table.
#[derive(Debug)]
struct Member {
    /// Without `.npy`.
    name: String,
    method: u16,
    packed: usize,
    unpacked: usize,
    header: usize,
}

/// Bytes of the record at the end of an archive without its comment, and of a member's header without its name.
const END_RECORD: usize = 22;
const HEADER: usize = 30;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Opens an `npz` archive.
///
/// Errors: E0701, E0702 (not a zip archive, or one that NumPy does not write).
pub fn open(world: &dyn World, path: &Path) -> Result<Npz, Diagnostic> {
    parse(FileBytes::open(world, path)?, path)
}

/// As [`open`], from bytes; `path` is for messages.
pub fn parse(file: FileBytes, path: &Path) -> Result<Npz, Diagnostic> {
    let members = read_table(&file)?.ok_or_else(|| {
        let is_array = file.read(0..6).is_ok_and(|bytes| *bytes == *b"\x93NUMPY");
        NpzError::NoTable { file: path.display().to_string(), is_array }
    })?;
    Ok(Npz { path: path.to_owned(), file, members })
}

#[cfg(feature = "formats")]
fn inflated(packed: &[u8], most: usize) -> Result<Option<Vec<u8>>, Diagnostic> {
    Ok(read_all(&mut DeflateDecoder::new(packed), most as u64).ok())
}

#[cfg(feature = "formats")]
fn can_hold(unpacked: usize, packed: usize) -> Result<(), String> {
    packed::check(unpacked as u128, "bytes", packed, packed::DEFLATE)
}

#[cfg(not(feature = "formats"))]
fn can_hold(_: usize, _: usize) -> Result<(), String> {
    Ok(())
}

#[cfg(not(feature = "formats"))]
fn inflated(_: &[u8], _: usize) -> Result<Option<Vec<u8>>, Diagnostic> {
    Err(NpzError::NoDeflate.into())
}

impl Npz {
    /// The names of the arrays, in the order of the archive.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.name.as_str())
    }

    /// The array of this name.
    ///
    /// Errors: E0711 (no such array), E0702 (a damaged or encrypted member) and those of `npy`.
    pub fn tensor(&self, name: &str) -> Result<StoredArray, Diagnostic> {
        let Some(member) = self.members.iter().find(|member| member.name == name) else {
            return Err(no_such_array(name, &self.path, self.names()).into());
        };
        let shown = format!("array `{name}` of `{}`", self.path.display());
        let damaged = || NpzError::Damaged { array: shown.clone() };
        let bytes = self.member_bytes(member)?.ok_or_else(damaged)?;
        npy::parse(bytes, shown)
    }

    /// None if the archive is damaged or encrypted there.
    ///
    /// Errors: E0701, E0734.
    fn member_bytes(&self, member: &Member) -> Result<Option<FileBytes>, Diagnostic> {
        let header = self.file.read(member.header..member.header.saturating_add(HEADER))?;
        let lengths = u16_at(&header, 26).zip(u16_at(&header, 28));
        let (Some((name, extra)), true) = (lengths, header.starts_with(b"PK\x03\x04")) else {
            return Ok(None);
        };
        let start = member.header + HEADER + usize::from(name) + usize::from(extra);
        let Some(packed) = self.file.slice(start..start.saturating_add(member.packed)) else {
            return Ok(None);
        };
        match member.method {
            STORED => Ok(Some(packed)),
            DEFLATED => {
                let what = format!("`{}` of `{}`, unpacked", member.name, self.path.display());
                can_hold(member.unpacked, member.packed)
                    .map_err(|why| NpzError::Oversized { array: what.clone(), why })?;
                Need::of(what, member.unpacked as u64).check()?;
                let packed = packed.all()?;
                let whole =
                    inflated(&packed, member.unpacked)?.filter(|bytes| bytes.len() == member.unpacked);
                Ok(whole.map(FileBytes::owned))
            }
            _ => Ok(None),
        }
    }
}

/// The error for a name that an archive does not have.
pub(super) fn no_such_array<'a>(name: &str, path: &Path, names: impl Iterator<Item = &'a str>) -> ArrayError {
    let (file, names) = (path.display().to_string(), names.map(str::to_owned).collect());
    ArrayError::Missing { file, name: name.to_owned(), names }
}

/// The table of a zip archive: its end record is the last thing in the file but a comment.
///
/// Errors: E0701, E0734.
fn read_table(file: &FileBytes) -> Result<Option<Vec<Member>>, Diagnostic> {
    let start = file.length().saturating_sub(END_RECORD + usize::from(u16::MAX));
    let last = file.read(start..file.length())?;
    let Some((end, count, from)) = end_record(&last) else { return Ok(None) };
    Ok(members(&file.read(from..(start + end).max(from))?, count))
}

/// Where the end record begins, how many members the table has, and where it begins.
fn end_record(bytes: &[u8]) -> Option<(usize, u16, usize)> {
    let last = bytes.len().checked_sub(END_RECORD)?;
    let end = (0..=last).rev().find(|&at| bytes[at..].starts_with(b"PK\x05\x06"))?;
    Some((end, u16_at(bytes, end + 10)?, u32_at(bytes, end + 16)?))
}

fn members(bytes: &[u8], count: u16) -> Option<Vec<Member>> {
    let mut at = 0;
    let mut members = Vec::new();
    for _ in 0..count {
        let entry = bytes.get(at..).filter(|entry| entry.starts_with(b"PK\x01\x02"))?;
        let name_len = usize::from(u16_at(entry, 28)?);
        let name = String::from_utf8_lossy(entry.get(46..46 + name_len)?).into_owned();
        let name = name.strip_suffix(".npy").map(str::to_owned).unwrap_or(name);
        let (packed, unpacked, header) = (u32_at(entry, 20)?, u32_at(entry, 24)?, u32_at(entry, 42)?);
        // Bit 0 of the flags says that the member is encrypted.
        let method = if u16_at(entry, 8)? & 1 == 0 { u16_at(entry, 10)? } else { u16::MAX };
        members.push(Member { name, method, packed, unpacked, header });
        at += 46 + name_len + usize::from(u16_at(entry, 30)?) + usize::from(u16_at(entry, 32)?);
    }
    Some(members)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|two| u16::from_le_bytes([two[0], two[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at + 4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]) as usize)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::super::npy::tests::npy;
    use super::*;
    use crate::runtime::array::Elements;

    /// An archive of two arrays, `x` stored and `y` deflated.
    pub fn archive() -> Vec<u8> {
        let x = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", &[1, 2, 3]);
        let y = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", &[0; 8]);
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(&y).unwrap();
        let packed_y = packer.finish().unwrap();
        let (mut bytes, mut table) = (Vec::new(), Vec::new());
        for (name, method, data, unpacked) in
            [("x.npy", STORED, &x, x.len()), ("y.npy", DEFLATED, &packed_y, y.len())]
        {
            // Version, flags, method, time, date, checksum, sizes, length of the name, of the extra field.
            let mut common = [20u16, 0, method, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
            common.extend((data.len() as u32).to_le_bytes());
            common.extend((unpacked as u32).to_le_bytes());
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0, 0]);
            table.extend(b"PK\x01\x02\x14\x00");
            table.extend(&common);
            table.extend([0; 10]);
            table.extend((bytes.len() as u32).to_le_bytes());
            table.extend(name.bytes());
            bytes.extend(b"PK\x03\x04");
            bytes.extend(&common);
            bytes.extend(name.bytes());
            bytes.extend(data);
        }
        let start = bytes.len() as u32;
        bytes.extend(&table);
        bytes.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0");
        bytes.extend((table.len() as u32).to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn stored_and_deflated_members() {
        let npz = parse(FileBytes::owned(archive()), Path::new("a.npz")).unwrap();
        assert_eq!(npz.names().collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(npz.tensor("x").unwrap().load().unwrap().elements(), &Elements::U8(vec![1, 2, 3]));
        assert_eq!(npz.tensor("y").unwrap().load().unwrap().elements(), &Elements::F32(vec![0.0, 0.0]));
        let error = npz.tensor("z").unwrap_err();
        assert_eq!((error.code, error.notes[0].as_str()), ("E0711", "it has 2: `x`, `y`"));
    }

    /// A member of some bytes that declares gigabytes is refused before they are asked for.
    #[test]
    fn declared_sizes_are_compared_with_the_bytes_that_are_there() {
        let mut bytes = archive();
        let table = bytes.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
        bytes[table + 24..table + 28].copy_from_slice(&u32::MAX.to_le_bytes());
        let npz = parse(FileBytes::owned(bytes), Path::new("a.npz")).unwrap();
        let error = npz.tensor("y").unwrap_err();
        assert!(error.code == "E0702" && error.message.contains("declares 4.3 GB, but its "), "{}", error.message);
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(parse(FileBytes::owned(vec![]), Path::new("a")).unwrap_err().code, "E0702");
        let single = FileBytes::owned(npy("{}", &[]));
        assert_eq!(parse(single, Path::new("a")).unwrap_err().helps.len(), 1);
    }
}
