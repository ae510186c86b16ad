//! `idx`, the format in which MNIST is published.
//!
//! Two zero bytes, the type of the elements, the number of axes, each axis as a big-endian 32-bit
//! number, then the elements, big-endian, last index fastest.

use std::path::Path;

use crate::base::Diagnostic;
use crate::runtime::report::arrays::IdxError;
use crate::runtime::world::World;

use super::file::FileBytes;
use super::stored::{AxisOrder, Layout, StoredArray, StoredType};

/// Opens an `idx` file, plain or gzipped.
///
/// Errors: E0701, E0702 (not an `idx` file), E0703 (its length does not fit its header).
pub fn open(world: &dyn World, path: &Path) -> Result<StoredArray, Diagnostic> {
    parse(FileBytes::open(world, path)?, format!("`{}`", path.display()))
}

/// As [`open`], from bytes; `name` is how messages call the array.
pub fn parse(file: FileBytes, name: String) -> Result<StoredArray, Diagnostic> {
    // No header is longer.
    let bytes = &*file.read(0..4 + 4 * 255)?;
    let &[zero, also_zero, code, axes, ..] = bytes else {
        return Err(IdxError::Short { name, bytes: bytes.len() }.into());
    };
    let Some(element) = element_of(code).filter(|_| zero == 0 && also_zero == 0) else {
        return Err(IdxError::Magic { name, first: [zero, also_zero, code, axes] }.into());
    };
    let header = 4 + 4 * usize::from(axes);
    let Some(sizes) = bytes.get(4..header) else {
        return Err(IdxError::Cut { name, axes, needed: header, bytes: bytes.len() }.into());
    };
    let shape =
        sizes.chunks_exact(4).map(|s| u32::from_be_bytes([s[0], s[1], s[2], s[3]]) as usize).collect();
    let layout = Layout { element, big_endian: true, order: AxisOrder::RowMajor };
    let elements = file.slice(header..file.length()).unwrap_or(FileBytes::owned(Vec::new()));
    StoredArray::new(name, elements, shape, layout)
}

fn element_of(code: u8) -> Option<StoredType> {
    match code {
        0x08 => Some(StoredType::U8),
        0x09 => Some(StoredType::I8),
        0x0b => Some(StoredType::I16),
        0x0c => Some(StoredType::I32),
        0x0d => Some(StoredType::F32),
        0x0e => Some(StoredType::F64),
        _ => None,
    }
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::runtime::array::Elements;
    use crate::runtime::world::native::NativeWorld;

    fn parsed(bytes: Vec<u8>) -> Result<StoredArray, Diagnostic> {
        parse(FileBytes::owned(bytes), "`a`".to_owned())
    }

    #[test]
    fn all_types() {
        let load = |code: u8, count: u8, data: &[u8]| {
            let mut bytes = vec![0, 0, code, 1, 0, 0, 0, count];
            bytes.extend(data);
            parsed(bytes).unwrap().load().unwrap().into_elements()
        };
        assert_eq!(load(0x08, 2, &[1, 255]), Elements::U8(vec![1, 255]));
        assert_eq!(load(0x09, 2, &[1, 255]), Elements::I32(vec![1, -1]));
        assert_eq!(load(0x0b, 1, &[0xff, 0xfe]), Elements::I32(vec![-2]));
        assert_eq!(load(0x0c, 1, &[0, 0, 1, 2]), Elements::I32(vec![258]));
        assert_eq!(load(0x0d, 1, &1.5f32.to_be_bytes()), Elements::F32(vec![1.5]));
        assert_eq!(load(0x0e, 1, &1.5f64.to_be_bytes()), Elements::F64(vec![1.5]));
    }

    #[test]
    fn plain_and_gzipped_files() {
        let bytes: Vec<u8> = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat();
        let folder = std::env::temp_dir().join(format!("nnc-idx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("plain"), &bytes).unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(&bytes).unwrap();
        std::fs::write(folder.join("packed.gz"), packed.finish().unwrap()).unwrap();
        for name in ["plain", "packed.gz"] {
            let array = open(&NativeWorld, &folder.join(name)).unwrap();
            assert_eq!(array.shape(), [2, 1, 2]);
            assert_eq!(array.load().unwrap().elements(), &Elements::U8(vec![1, 2, 3, 4]));
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = parsed(b"<!DOCTYPE html>".to_vec()).unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            ("E0702", "`a` is not an `idx` file: it begins with the bytes 3c 21 44 4f")
        );
        assert_eq!(parsed(vec![0, 0]).unwrap_err().code, "E0702");
        assert_eq!(parsed(vec![0, 0, 8, 2, 0, 0]).unwrap_err().code, "E0703");
        let error = parsed(vec![0, 0, 8, 1, 0, 0, 0, 5, 1, 2]).unwrap_err();
        assert_eq!(
            error.message,
            "`a` says it has the shape [5], which needs 5 bytes, but 2 bytes follow its header"
        );
    }
}
