//! `safetensors`: arrays by name, the format of PyTorch's published weights and of checkpoints.
//!
//! The length of the header (64 bits, little-endian), the header as JSON
//! (`{"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {…}}`),
//! then the elements, little-endian; offsets count from the header's end.
//! <https://huggingface.co/docs/safetensors>

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::base::Diagnostic;
use crate::runtime::report::arrays::{ArrayError, Format, SafetensorsError};
use crate::runtime::world::World;

use super::file::FileBytes;
use super::npz::no_such_array;
use super::stored::{AxisOrder, Layout, StoredArray, StoredType};

/// A file whose header has been read.
#[derive(Debug)]
pub struct SafeTensors {
    path: PathBuf,
    elements: FileBytes,
    entries: BTreeMap<String, Entry>,
    metadata: BTreeMap<String, String>,
}

/// What the header says of one array.
#[derive(Debug)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    start: usize,
    end: usize,
}

/// Opens a `safetensors` file; elements are read when they are asked for.
///
/// Errors: E0701, E0702 (not such a file), E0703 (shorter than its header says).
pub fn open(world: &dyn World, path: &Path) -> Result<SafeTensors, Diagnostic> {
    parse(FileBytes::open(world, path)?, path)
}

/// As [`open`], from bytes; `path` is for messages.
pub fn parse(file: FileBytes, path: &Path) -> Result<SafeTensors, Diagnostic> {
    let shown = || path.display().to_string();
    let bytes = &*file.read(0..9)?;
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(SafetensorsError::Short { file: shown(), bytes: file.length() }.into());
    };
    let length = u64::from_le_bytes(*length);
    if !rest.starts_with(b"{") {
        return Err(SafetensorsError::NoHeader { file: shown() }.into());
    }
    let follow = file.length() - 8;
    let Some(length) = usize::try_from(length).ok().filter(|length| *length <= follow) else {
        return Err(SafetensorsError::Cut { file: shown(), header: length, follow }.into());
    };
    let header = file.read(8..8 + length)?;
    let header: Map<String, Value> = serde_json::from_slice(&header)
        .map_err(|error| SafetensorsError::NotJson { file: shown(), why: error.to_string() })?;
    let data = follow - length;
    let elements = file.slice(8 + length..file.length()).unwrap_or(FileBytes::owned(Vec::new()));
    let (mut entries, mut metadata) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in header {
        if name == "__metadata__" {
            let pairs = value.as_object().into_iter().flatten();
            metadata =
                pairs.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned()))).collect();
            continue;
        }
        let Some(entry) = Entry::parse(&value) else {
            return Err(SafetensorsError::Entry { file: shown(), array: name, text: value.to_string() }.into());
        };
        if entry.end > data {
            let Entry { start, end, .. } = entry;
            return Err(SafetensorsError::Beyond { file: shown(), array: name, start, end, follow: data }.into());
        }
        entries.insert(name, entry);
    }
    Ok(SafeTensors { path: path.to_owned(), elements, entries, metadata })
}

impl SafeTensors {
    /// The names of the arrays, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The shape of the array of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// Texts that the file carries beside its arrays.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The array of this name.
    ///
    /// Errors: E0711 (no such array), E0704 (a type that is not read), E0703 (wrong length).
    pub fn tensor(&self, name: &str) -> Result<StoredArray, Diagnostic> {
        let Some(entry) = self.entries.get(name) else {
            return Err(no_such_array(name, &self.path, self.names()).into());
        };
        let shown = format!("`{name}` of `{}`", self.path.display());
        let Some(element) = element_of(&entry.dtype) else {
            let (found, format) = (entry.dtype.clone(), Format::Safetensors);
            return Err(ArrayError::Type { name: shown, found, format }.into());
        };
        let layout = Layout { element, big_endian: false, order: AxisOrder::RowMajor };
        let bytes = self.elements.slice(entry.start..entry.end).unwrap_or(FileBytes::owned(Vec::new()));
        StoredArray::new(shown, bytes, entry.shape.clone(), layout)
    }
}

impl Entry {
    fn parse(value: &Value) -> Option<Entry> {
        let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        let dtype = value.get("dtype")?.as_str()?.to_owned();
        let shape = value.get("shape")?.as_array()?.iter().map(number).collect::<Option<Vec<usize>>>()?;
        let [start, end] = value.get("data_offsets")?.as_array()?.as_slice() else { return None };
        let (start, end) = (number(start)?, number(end)?);
        (start <= end).then_some(Entry { dtype, shape, start, end })
    }
}

fn element_of(dtype: &str) -> Option<StoredType> {
    match dtype {
        "BOOL" => Some(StoredType::Bool),
        "U8" => Some(StoredType::U8),
        "I8" => Some(StoredType::I8),
        "U16" => Some(StoredType::U16),
        "I16" => Some(StoredType::I16),
        "U32" => Some(StoredType::U32),
        "I32" => Some(StoredType::I32),
        "U64" => Some(StoredType::U64),
        "I64" => Some(StoredType::I64),
        "F16" => Some(StoredType::F16),
        "BF16" => Some(StoredType::Bf16),
        "F32" => Some(StoredType::F32),
        "F64" => Some(StoredType::F64),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::runtime::array::Elements;

    pub fn file(header: &str, data: &[u8]) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
    }

    fn parsed(header: &str, data: &[u8]) -> Result<SafeTensors, Diagnostic> {
        parse(FileBytes::owned(file(header, data)), Path::new("a.safetensors"))
    }

    #[test]
    fn types() {
        let header = r#"{"__metadata__":{"made":"by hand"},
            "half":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},
            "brain":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]},
            "ids":{"dtype":"I64","shape":[2],"data_offsets":[4,20]},
            "flags":{"dtype":"BOOL","shape":[1,2],"data_offsets":[20,22]},
            "small":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[22,23]}}"#;
        let data =
            [&[0, 0x3c, 0x80, 0x3f][..], &5i64.to_le_bytes(), &(-5i64).to_le_bytes(), &[1, 0, 9]].concat();
        let tensors = parsed(header, &data).unwrap();
        let load = |name| tensors.tensor(name).unwrap().load().unwrap().into_elements();
        assert_eq!(tensors.metadata()["made"], "by hand");
        assert_eq!(load("half"), Elements::F32(vec![1.0]));
        assert_eq!(load("brain"), Elements::F32(vec![1.0]));
        assert_eq!(load("ids"), Elements::I32(vec![5, -5]));
        assert_eq!(load("flags"), Elements::Bool(vec![true, false]));
        assert_eq!(tensors.tensor("small").unwrap_err().code, "E0704");
        let error = tensors.tensor("flag").unwrap_err();
        assert_eq!((error.code, error.helps[0].message.as_str()), ("E0711", "it has `flags`"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let code = |header: &str, data: &[u8]| match parsed(header, data) {
            Err(error) => error.code,
            Ok(tensors) => tensors.tensor("w").map_or_else(|error| error.code, |_| "none"),
        };
        assert_eq!(code(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, &[0; 4]), "none");
        assert_eq!(code(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, &[0; 3]), "E0703");
        assert_eq!(code(r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, &[0; 4]), "E0703");
        assert_eq!(code(r#"{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,4]}}"#, &[0; 4]), "E0702");
        assert_eq!(code(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, &[0; 4]), "E0702");
        let huge = r#"{"w":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,18446744073709551615]}}"#;
        assert_eq!(code(huge, &[0; 4]), "E0703");
        assert_eq!(code("[]", &[]), "E0702");
        assert_eq!(code("{", &[]), "E0702");
        let bytes = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
        assert_eq!(parse(FileBytes::owned(bytes), Path::new("a")).unwrap_err().code, "E0703");
        assert_eq!(parse(FileBytes::owned(vec![1, 2]), Path::new("a")).unwrap_err().code, "E0702");
    }
}
