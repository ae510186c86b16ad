//! Damaged files: every reader gives contents or a diagnostic, whatever the bytes are.

use std::io::Write;
use std::path::Path;

use super::file::FileBytes;
use super::stored::StoredArray;
use super::{csv, idx, images, npy, npz, safetensors, text};
use crate::base::Diagnostic;
use crate::base::philox::philox4x32;
use crate::runtime::world::native::NativeWorld;

/// Reads all that a reader can read; the outcome does not matter, only that there is one.
type Read = fn(Vec<u8>);

#[test]
fn idx_files() {
    let file = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4][..], &[7; 24]].concat();
    damage(&file, |bytes| use_array(idx::parse(FileBytes::owned(bytes), "`a`".to_owned())));
}

#[test]
fn npy_files() {
    for order in ["False", "True"] {
        let header = format!("{{'descr': '<i8', 'fortran_order': {order}, 'shape': (2, 3), }}");
        damage(&npy::tests::npy(&header, &[1; 48]), |bytes| {
            use_array(npy::parse(FileBytes::owned(bytes), "`a`".to_owned()));
        });
    }
}

#[test]
fn npz_files() {
    damage(&npz::tests::archive(), |bytes| {
        if let Ok(npz) = npz::parse(FileBytes::owned(bytes), Path::new("a.npz")) {
            npz.names().for_each(|name| use_array(npz.tensor(name)));
        }
    });
}

#[test]
fn safetensors_files() {
    let header = r#"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[1],"data_offsets":[24,32]}}"#;
    damage(&safetensors::tests::file(header, &[3; 32]), |bytes| {
        if let Ok(file) = safetensors::parse(FileBytes::owned(bytes), Path::new("a.safetensors")) {
            file.names().for_each(|name| use_array(file.tensor(name)));
        }
    });
}

#[test]
fn csv_files() {
    let file = "x,y,kind\n1,2.5,\"a\"\n-3,4e2,b\n5,6,\"a \"\"b\"\"\"\n";
    damage(file.as_bytes(), |bytes| {
        let Ok(text) = text::utf8(&bytes, "`a`") else { return };
        let columns = |start, end| csv::Selection::Range { start, end };
        let requests = [
            csv::Request::plain(columns(Some(0), Some(2)), csv::Want::F32),
            csv::Request::plain(columns(Some(-1), None), csv::Want::Int),
        ];
        for header in [None, Some(true), Some(false)] {
            let options = csv::Options { header, ..csv::Options::default() };
            drop(csv::read_text(text, "a.csv", &options, &requests));
            drop(csv::read_text(text, "a.csv", &options, &requests[1..]));
        }
    });
}

#[test]
fn gzipped_files() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(b"to be or not to be").unwrap();
    let path = std::env::temp_dir().join(format!("nnc-damage-{}.gz", std::process::id()));
    let file = packer.finish().unwrap();
    for end in 0..file.len() {
        std::fs::write(&path, &file[..end]).unwrap();
        drop(text::Text::open(&NativeWorld, &path));
    }
    std::fs::write(&path, &file).unwrap();
    assert_eq!(text::Text::open(&NativeWorld, &path).unwrap().len(), 18);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn png_files() {
    for colour in [png::ColorType::Grayscale, png::ColorType::Rgba] {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 3, 2);
        encoder.set_color(colour);
        encoder.write_header().unwrap().write_image_data(&[9; 24][..6 * colour.samples()]).unwrap();
        assert!(images::decode_bytes(&file).is_ok());
        damage(&file, |bytes| drop(images::decode_bytes(&bytes)));
    }
}

#[test]
fn png_files_that_declare_more_than_they_hold() {
    for (width, height, size) in [(40_000, 40_000, "6.4 GB"), (1, i32::MAX as u32, "8.6 GB")] {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgba);
        drop(encoder.write_header().unwrap());
        // An empty block of packed data.
        file.truncate(file.len() - 12);
        file.extend([&[0, 0, 0, 2][..], b"IDAT", &[0x78, 0x9c], &[0; 4]].concat());
        let told = images::decode_bytes(&file).err().unwrap();
        assert!(told.contains(&format!("declares {size}, but its ")), "{told}");
    }
}

#[test]
fn jpeg_files() {
    // 8 × 8 pixels of one grey.
    let tables = |class: u8| [&[0xff, 0xdb, 0, 67, class][..], &[1; 64]].concat();
    let frame = [0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
    let huffman = |class: u8| [&[0xff, 0xc4, 0, 20, class, 1][..], &[0; 15], &[0]].concat();
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x3f, 0xff, 0xd9];
    let file = [&[0xff, 0xd8][..], &tables(0), &frame, &huffman(0), &huffman(0x10), &scan].concat();
    assert!(images::decode_bytes(&file).is_ok());
    // 15,420 × 15,420 pixels in as many bytes.
    let mut large = file.clone();
    large[2 + 69 + 5..][..4].fill(0x3c);
    let told = images::decode_bytes(&large).err().unwrap();
    assert!(told.contains("declares 237776400 pixels, but its "), "{told}");
    damage(&file, |bytes| drop(images::decode_bytes(&bytes)));
}

#[test]
fn texts() {
    damage("to be, or not to be:\r\nthat is the question, ñ\n".as_bytes(), |bytes| {
        if let Ok(text) = text::utf8(&bytes, "`a`").and_then(|text| text::Text::new(text, "`a`")) {
            drop(text.windows(4, 1, 1));
        }
    });
}

/// Many bytes of one kind are few when they are packed.
#[test]
fn bombs() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(&[0; 1 << 20]).unwrap();
    let packed = packer.finish().unwrap();
    assert!(packed.len() < 1 << 11);
    let unpacked = |most| super::file::unpacked(&packed[..], most, Path::new("a.gz"));
    assert_eq!(unpacked(1 << 20).unwrap().length(), 1 << 20);
    let error = unpacked(1 << 19).unwrap_err();
    assert!(error.code == "E0702" && error.message.contains("more than 524 KB"), "{}", error.message);
    assert_eq!(error.helps[0].message, "unpack it with `gunzip -k a.gz`");
}

#[cfg(unix)]
#[test]
fn files_that_are_cut_short_while_they_are_read() {
    let path = std::env::temp_dir().join(format!("nnc-cut-{}.npy", std::process::id()));
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (5000, 4), }";
    std::fs::write(&path, npy::tests::npy(header, &[1; 80_000])).unwrap();
    let array = npy::open(&NativeWorld, &path).unwrap();
    let text = FileBytes::open(&NativeWorld, &path).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1000).unwrap();
    assert_eq!(array.load().unwrap_err().code, "E0701");
    assert_eq!(array.fetch_rows(&[4999], &mut [0f32; 4]).unwrap_err().code, "E0701");
    assert!(text.all().unwrap_err().message.contains("cut short"));
    std::fs::remove_file(path).unwrap();
}

fn use_array(array: Result<StoredArray, Diagnostic>) {
    if let Ok(array) = array {
        drop(array.load());
        drop(array.load_as::<f32>());
    }
}

/// Hands over the file as it is, cut off everywhere, longer, and with bytes changed at random.
fn damage(file: &[u8], read: Read) {
    read(file.to_vec());
    for end in 0..file.len() {
        read(file[..end].to_vec());
    }
    read([file, &[0; 3]].concat());
    for round in 0..20_000 {
        let mut bytes = file.to_vec();
        let words = philox4x32([round, 0, 0, 0], [2026, 0]);
        // One to three bytes; often to values that are extreme in some format.
        for word in &words[..1 + words[3] as usize % 3] {
            let at = (word >> 8) as usize % bytes.len();
            bytes[at] = match word & 7 {
                0 => 0,
                1 => 0xff,
                2 => b'9',
                3 => bytes[at] ^ 1 << (word >> 4 & 7),
                _ => (word >> 24) as u8 ^ *word as u8,
            };
        }
        read(bytes);
    }
}
