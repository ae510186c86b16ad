//! What must hold of every data file: a reader gives contents or a diagnostic.

use std::io::Write;
use std::path::Path;

use nnc::runtime::sources::file::FileBytes;
use nnc::runtime::sources::stored::StoredArray;
use nnc::runtime::sources::{csv, idx, npy, npz, safetensors, text};

/// A kind of file: its name, small right files, and everything that is done with one.
pub struct Format {
    pub name: &'static str,
    pub seeds: Vec<Vec<u8>>,
    pub read: fn(Vec<u8>) -> bool,
}

pub fn formats() -> Vec<Format> {
    let mut formats = read_from_memory();
    formats.extend(super::disk::formats());
    formats
}

fn read_from_memory() -> Vec<Format> {
    vec![
        Format {
            name: "idx",
            seeds: idx_seeds(),
            read: |bytes| array(idx::parse(owned(bytes), "`a`".into())),
        },
        Format {
            name: "npy",
            seeds: npy_seeds(),
            read: |bytes| array(npy::parse(owned(bytes), "`a`".into())),
        },
        Format { name: "npz", seeds: npz_seeds(), read: read_npz },
        Format { name: "safetensors", seeds: safetensors_seeds(), read: read_safetensors },
        Format { name: "csv", seeds: csv_seeds(), read: read_csv },
        Format { name: "text", seeds: vec!["to be, or not to be — ∞".into()], read: read_text },
    ]
}

fn owned(bytes: Vec<u8>) -> FileBytes {
    FileBytes::owned(bytes)
}

fn array<E>(array: Result<StoredArray, E>) -> bool {
    let Ok(array) = array else { return false };
    let loaded = array.load().is_ok();
    drop(array.load_as::<f32>());
    drop(array.load_as::<i32>());
    loaded
}

fn read_npz(bytes: Vec<u8>) -> bool {
    let Ok(archive) = npz::parse(owned(bytes), Path::new("a.npz")) else { return false };
    archive.names().filter(|name| !array(archive.tensor(name))).count() == 0
}

fn read_safetensors(bytes: Vec<u8>) -> bool {
    let Ok(file) = safetensors::parse(owned(bytes), Path::new("a.safetensors")) else { return false };
    file.names().filter(|name| !array(file.tensor(name))).count() == 0
}

fn read_csv(bytes: Vec<u8>) -> bool {
    let Ok(text) = std::str::from_utf8(&bytes) else { return false };
    let columns = |start, end| csv::Selection::Range { start, end };
    let requests = [
        csv::Request::plain(columns(Some(0), Some(2)), csv::Want::F32),
        csv::Request::plain(columns(Some(-1), None), csv::Want::Int),
    ];
    let mut all = true;
    for header in [None, Some(true), Some(false)] {
        for separator in [',', ';'] {
            let options = csv::Options { header, separator, ..csv::Options::default() };
            all &= csv::read_text(text, "a.csv", &options, &requests).is_ok();
            drop(csv::read_text(text, "a.csv", &options, &requests[1..]));
        }
    }
    all
}

fn read_text(bytes: Vec<u8>) -> bool {
    let Ok(letters) = std::str::from_utf8(&bytes) else { return false };
    let Ok(text) = text::Text::new(letters, "`a`") else { return false };
    text.decode(&text.classes(0..text.len()).collect::<Vec<_>>()) == letters
}

fn idx_seeds() -> Vec<Vec<u8>> {
    let head = |kind: u8, sizes: &[u32]| -> Vec<u8> {
        let mut file = vec![0, 0, kind, sizes.len() as u8];
        sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
        file
    };
    vec![
        [head(8, &[2, 3, 4]), vec![7; 24]].concat(),
        [head(0x0D, &[3]), vec![0x40; 12]].concat(),
        [head(0x0E, &[2, 1]), vec![0x3F; 16]].concat(),
    ]
}

fn npy_file(description: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{description}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(data);
    file
}

fn npy_seeds() -> Vec<Vec<u8>> {
    vec![
        npy_file("<i8", "False", "(2, 3)", &[1; 48]),
        npy_file("<f4", "True", "(3, 2)", &[0x3F; 24]),
        npy_file("|u1", "False", "(5,)", &[9; 5]),
        npy_file("<f8", "False", "()", &[0; 8]),
        npy_file("|b1", "False", "(2, 2)", &[1, 0, 1, 1]),
    ]
}

/// An archive of stored and of deflated arrays.
fn npz_seeds() -> Vec<Vec<u8>> {
    [false, true]
        .map(|deflate| archive(&[("x.npy", &npy_seeds()[0]), ("y.npy", &npy_seeds()[1])], deflate))
        .to_vec()
}

fn archive(files: &[(&str, &[u8])], deflate: bool) -> Vec<u8> {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in files {
        let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(data).expect("memory can be written");
        let packed = if deflate { packer.finish().expect("memory can be written") } else { data.to_vec() };
        let mut checksum = flate2::Crc::new();
        checksum.update(data);
        let mut common = Vec::new();
        for number in [20u16, 0, if deflate { 8 } else { 0 }, 0, 0] {
            common.extend(number.to_le_bytes());
        }
        for number in [checksum.sum(), packed.len() as u32, data.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let start = body.len() as u32;
        body.extend([b"PK\x03\x04".to_vec(), common.clone(), name.as_bytes().to_vec(), packed].concat());
        directory.extend([b"PK\x01\x02\x14\x00".to_vec(), common, vec![0; 10]].concat());
        directory.extend(start.to_le_bytes());
        directory.extend(name.bytes());
    }
    let (start, size, count) = (body.len() as u32, directory.len() as u32, files.len() as u16);
    body.extend(directory);
    body.extend(b"PK\x05\x06\0\0\0\0");
    body.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    body.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    body.extend([0, 0]);
    body
}

fn safetensors_seeds() -> Vec<Vec<u8>> {
    let file = |header: &str, data: usize| {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![3; data]].concat()
    };
    vec![
        file(
            r#"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[1],"data_offsets":[24,32]}}"#,
            32,
        ),
        file(r#"{"__metadata__":{"nnc.step":"7"},"h":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}"#, 8),
    ]
}

fn csv_seeds() -> Vec<Vec<u8>> {
    let texts = [
        "x,y,kind\n1,2.5,\"a\"\n-3,4e2,b\n5,6,\"a \"\"b\"\"\"\n",
        "1;2;3\r\n4;5;6\r\n",
        "a,b\n\n1,2\n 3 , 4 \n",
        "year,2019,2020\nnan,inf,-1\n1e400,0x1,NA\n",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
