//! Event files, as TensorBoard reads them: records of `length, crc(length), data, crc(data)`, where the data is a
//! protocol buffer `Event` with a time, a step and summaries of one number each.

use crate::base::order::PutInOrder;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// An open event file.
pub struct EventFile {
    out: BufWriter<File>,
}

impl EventFile {
    /// Creates `events.out.tfevents.SECONDS.nnc` in a folder.
    ///
    /// # Errors
    /// Those of the system.
    pub fn create(folder: &Path, seconds: f64) -> io::Result<EventFile> {
        let path =
            folder.join(format!("events.out.tfevents.{:010}.{}.nnc", seconds as u64, std::process::id()));
        let mut file = EventFile { out: BufWriter::new(File::create(path)?) };
        let mut event = Vec::new();
        double(&mut event, 1, seconds);
        bytes(&mut event, 3, b"brain.Event:2");
        file.record(&event)?;
        Ok(file)
    }

    /// Adds numbers by tag at a step.
    ///
    /// # Errors
    /// Those of the system.
    pub fn add(&mut self, seconds: f64, step: u64, values: &[(String, f64)]) -> io::Result<()> {
        let mut summary = Vec::new();
        for (tag, value) in values {
            let mut one = Vec::new();
            bytes(&mut one, 1, tag.as_bytes());
            key(&mut one, 2, 5);
            one.extend((*value as f32).to_le_bytes());
            bytes(&mut summary, 1, &one);
        }
        let mut event = Vec::new();
        double(&mut event, 1, seconds);
        key(&mut event, 2, 0);
        varint(&mut event, step);
        bytes(&mut event, 5, &summary);
        self.record(&event)
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    /// Those of the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn record(&mut self, data: &[u8]) -> io::Result<()> {
        let length = (data.len() as u64).to_le_bytes();
        self.out.write_all(&length)?;
        self.out.write_all(&masked(crc32c(&length)).to_le_bytes())?;
        self.out.write_all(data)?;
        self.out.write_all(&masked(crc32c(data)).to_le_bytes())
    }
}

/// Takes events out of the files in a folder that will come again: those behind `step` of training number `train`,
/// from 1. Files that are damaged stay as they are from there on.
///
/// # Errors
/// Those of the system.
pub fn forget(folder: &Path, train: usize, step: u64) -> io::Result<()> {
    let entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let is_events = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("events.out.tfevents.") && name.ends_with(".nnc")
    };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(is_events).collect();
    paths.put_in_order();
    // Steps are counted anew in each training.
    let (mut number, mut last) = (1, 0);
    for path in paths {
        let file = std::fs::read(&path)?;
        let mut at = 0;
        while let Some((end, found)) = record_at(&file, at) {
            if found > 0 && found <= last {
                number += 1;
            }
            if number > train || number == train && found > step {
                File::options().write(true).open(&path)?.set_len(at as u64)?;
                break;
            }
            last = if found > 0 { found } else { last };
            at = end;
        }
    }
    Ok(())
}

/// The end of a record, and the step of its event; 0 if it has none.
fn record_at(file: &[u8], at: usize) -> Option<(usize, u64)> {
    let length = u64::from_le_bytes(file.get(at..at + 8)?.try_into().ok()?);
    let data = at + 12;
    let end = data.checked_add(usize::try_from(length).ok()?)?;
    let mut event = file.get(data..end)?;
    let mut step = 0;
    while let Some((key, rest)) = read_varint(event) {
        event = match key & 7 {
            0 => {
                let (value, rest) = read_varint(rest)?;
                step = if key >> 3 == 2 { value } else { step };
                rest
            }
            1 => rest.get(8..)?,
            2 => {
                let (length, rest) = read_varint(rest)?;
                rest.get(usize::try_from(length).ok()?..)?
            }
            _ => rest.get(4..)?,
        };
    }
    Some((end.checked_add(4).filter(|end| *end <= file.len())?, step))
}

fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().position(|byte| *byte < 0x80)? + 1;
    let digits = bytes.get(..length).filter(|digits| digits.len() <= 9)?;
    let value = digits.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((value, &bytes[length..]))
}

/// The number of a field and how it is encoded.
fn key(into: &mut Vec<u8>, field: u64, encoding: u64) {
    varint(into, field << 3 | encoding);
}

fn varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn double(into: &mut Vec<u8>, field: u64, value: f64) {
    key(into, field, 1);
    into.extend(value.to_le_bytes());
}

fn bytes(into: &mut Vec<u8>, field: u64, value: &[u8]) {
    key(into, field, 2);
    varint(into, value.len() as u64);
    into.extend(value);
}

/// The Castagnoli checksum.
fn crc32c(data: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !data.iter().fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// A checksum that may itself be checksummed.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader of the format finds: for each record the step and the numbers by tag.
    fn read(mut file: &[u8]) -> Vec<(u64, Vec<(String, f32)>)> {
        let mut found = Vec::new();
        while !file.is_empty() {
            let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
            assert_eq!(file[8..12], masked(crc32c(&file[..8])).to_le_bytes());
            let data = &file[12..12 + length];
            assert_eq!(file[12 + length..16 + length], masked(crc32c(data)).to_le_bytes());
            file = &file[16 + length..];
            let mut event = (0, Vec::new());
            for (field, value) in fields(data) {
                match (field, value) {
                    (2, Field::Varint(step)) => event.0 = step,
                    (5, Field::Bytes(summary)) => {
                        for (_, value) in fields(&summary) {
                            let Field::Bytes(value) = value else { panic!("a value") };
                            let parts = fields(&value);
                            let [(1, Field::Bytes(tag)), (2, Field::Fixed(number))] = parts.as_slice() else {
                                panic!("a tag and a number")
                            };
                            event.1.push((String::from_utf8(tag.clone()).unwrap(), *number));
                        }
                    }
                    _ => {}
                }
            }
            found.push(event);
        }
        found
    }

    /// What will come again is forgotten, in the training that is gone on with and behind it.
    #[test]
    fn events_that_come_again_are_forgotten() {
        let folder = std::env::temp_dir().join(format!("nnc-forget-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let steps = |name: &str| {
            read(&std::fs::read(folder.join(name)).unwrap()).iter().map(|event| event.0).collect::<Vec<_>>()
        };
        let mut file = EventFile::create(&folder, 1e9).unwrap();
        for step in [10, 20, 30, 10, 20, 30, 40] {
            file.add(1e9, step, &[("loss/train".into(), 0.5)]).unwrap();
        }
        file.flush().unwrap();
        let name = format!("events.out.tfevents.1000000000.{}.nnc", std::process::id());
        forget(&folder, 3, 0).unwrap();
        assert_eq!(steps(&name), [0, 10, 20, 30, 10, 20, 30, 40]);
        forget(&folder, 2, 25).unwrap();
        assert_eq!(steps(&name), [0, 10, 20, 30, 10, 20]);
        forget(&folder, 1, 20).unwrap();
        assert_eq!(steps(&name), [0, 10, 20]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    enum Field {
        Varint(u64),
        Double,
        Bytes(Vec<u8>),
        Fixed(f32),
    }

    fn fields(mut data: &[u8]) -> Vec<(u64, Field)> {
        let number = |data: &mut &[u8]| {
            let (mut value, mut shift) = (0u64, 0);
            loop {
                let byte = data[0];
                *data = &data[1..];
                value |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return value;
                }
            }
        };
        let mut found = Vec::new();
        while !data.is_empty() {
            let key = number(&mut data);
            let field = match key & 7 {
                0 => Field::Varint(number(&mut data)),
                1 => {
                    data = &data[8..];
                    Field::Double
                }
                2 => {
                    let length = number(&mut data) as usize;
                    let (value, rest) = data.split_at(length);
                    data = rest;
                    Field::Bytes(value.to_vec())
                }
                _ => {
                    let (value, rest) = data.split_at(4);
                    data = rest;
                    Field::Fixed(f32::from_le_bytes(value.try_into().unwrap()))
                }
            };
            found.push((key >> 3, field));
        }
        found
    }

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = std::env::temp_dir().join(format!("nnc-events-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut file = EventFile::create(&folder, 1.5).unwrap();
        file.add(2.0, 300, &[("loss/train".into(), 0.25), ("accuracy/validation".into(), 1.0)]).unwrap();
        file.flush().unwrap();
        let path = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        assert!(path.to_string_lossy().contains("tfevents"));
        let found = read(&std::fs::read(&path).unwrap());
        let expected = vec![("loss/train".to_owned(), 0.25), ("accuracy/validation".to_owned(), 1.0)];
        assert_eq!(found, [(0, vec![]), (300, expected)]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
