//! Checkpoints: parameters and states by path, written to and read from `safetensors` files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::base::{nearest, Diagnostic};
use crate::ir::program::{StartFile, Variable};
use crate::runtime::array::{Array, Elements};
use crate::runtime::report::arrays::{CheckpointError, WrongArray};
use crate::runtime::report::files::FileError;
use crate::runtime::world::World;

use super::safetensors::SafeTensors;
use super::stored::StoredArray;

/// A parameter or state that is to be read from a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub name: String,
    pub shape: Vec<usize>,
}

impl Wanted {
    pub fn of(variable: &Variable) -> Wanted {
        Wanted { name: variable.path.to_string(), shape: variable.ty.static_shape().unwrap_or_default() }
    }
}

/// Writes arrays by name, and texts beside them, to a `safetensors` file. The same arrays give the
/// same bytes. A file of this name is replaced only when the new one is complete.
///
/// Errors: E0714.
pub fn write(
    world: &dyn World,
    path: &Path,
    arrays: &[(&str, &Array)],
    metadata: &BTreeMap<String, String>,
) -> Result<(), Diagnostic> {
    world.write(path, &mut |out| write_to(out, arrays, metadata)).map_err(|error| cannot_write(path, &error))
}

/// Writes the same as [`write`] into the folder for temporary files, under a new name that begins as that of
/// `path`, and gives that name.
///
/// Errors: E0714.
pub fn rescue(
    world: &dyn World,
    path: &Path,
    arrays: &[(&str, &Array)],
    metadata: &BTreeMap<String, String>,
) -> Result<PathBuf, Diagnostic> {
    let stem = path.file_stem().map_or("parameters".into(), OsStr::to_string_lossy);
    let stem = format!("nnc-rescued-{stem}");
    world
        .write_new(&stem, ".safetensors", &mut |out| write_to(out, arrays, metadata))
        .map_err(|error| cannot_write(Path::new(&stem), &error))
}

/// Whether a file of this name can be written, as far as that can be known before there is something to write.
///
/// Errors: E0714.
pub fn is_writable(world: &dyn World, path: &Path) -> Result<(), Diagnostic> {
    world.check_writable(path).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> Diagnostic {
    FileError::Unwritable { path: path.display().to_string(), why: error.to_string() }.into()
}

/// Finds every parameter and state that a program starts with in a file, under `prefix` and its
/// own name and with its own shape; they come in the order of `wanted`. Names without the prefix
/// are ignored; those with it that nothing wants give one warning (`num_batches_tracked` none).
/// `call` is what names the file, if the program does.
///
/// Errors: E0713 lists all that are missing or have another shape.
pub fn find(
    file: &SafeTensors,
    prefix: &str,
    wanted: &[Wanted],
    call: Option<&StartFile>,
) -> Result<(Vec<StoredArray>, Vec<Diagnostic>), Diagnostic> {
    let mut unused: Vec<&str> = file.names().filter_map(|name| name.strip_prefix(prefix)).collect();
    unused.retain(|name| !wanted.iter().any(|want| want.name == *name));
    let mut wrong: Vec<WrongArray> = Vec::new();
    let mut arrays = Vec::new();
    for want in wanted {
        let (name, shape) = (format!("{prefix}{}", want.name), want.shape.clone());
        match file.shape(&name) {
            Some(found) if found == shape => arrays.push(file.tensor(&name)?),
            Some(found) => wrong.push(WrongArray::Shape { name, found: found.to_vec(), wanted: shape }),
            None => {
                let near = nearest(&want.name, unused.iter().copied()).map(|near| format!("{prefix}{near}"));
                wrong.push(WrongArray::Missing { name, wanted: shape, near });
            }
        }
    }
    let shown = file.path().display().to_string();
    if !wrong.is_empty() {
        let (wanted, can_leave_out) = (wanted.len(), call.is_some_and(|call| !call.is_partial()));
        return Err(CheckpointError::Unfit { file: shown, wanted, wrong, can_leave_out }.into());
    }
    // What a checkpoint has beside parameters and states is for going on with it.
    unused.retain(|name| name.rsplit('.').next() != Some("num_batches_tracked") && !name.starts_with("nnc."));
    let names: Vec<String> = unused.iter().map(|name| format!("{prefix}{name}")).collect();
    let warning = (!names.is_empty()).then(|| CheckpointError::Unused { file: shown, names }.into());
    Ok((arrays, warning.into_iter().collect()))
}

/// Writes the bytes of such a file.
///
/// # Errors
/// Those of writing.
pub fn write_to(
    mut out: &mut dyn Write,
    arrays: &[(&str, &Array)],
    metadata: &BTreeMap<String, String>,
) -> io::Result<()> {
    let header = header(arrays, metadata);
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    arrays.iter().try_for_each(|(_, array)| write_elements(&mut out, array.elements()))
}

/// The header, padded with spaces so that elements begin at a multiple of 8.
fn header(arrays: &[(&str, &Array)], metadata: &BTreeMap<String, String>) -> String {
    let mut entries = Map::new();
    if !metadata.is_empty() {
        entries.insert("__metadata__".to_owned(), json!(metadata));
    }
    let mut start = 0;
    for (name, array) in arrays {
        let (dtype, size) = match array.elements() {
            Elements::F32(_) => ("F32", 4),
            Elements::F64(_) => ("F64", 8),
            Elements::I32(_) => ("I32", 4),
            Elements::I64(_) => ("I64", 8),
            Elements::U8(_) => ("U8", 1),
            Elements::Bool(_) => ("BOOL", 1),
        };
        let end = start + array.elements().len() * size;
        let entry = json!({ "dtype": dtype, "shape": array.shape(), "data_offsets": [start, end] });
        entries.insert((*name).to_owned(), entry);
        start = end;
    }
    let mut text = Value::Object(entries).to_string();
    text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
    text
}

/// Elements as they stand in files, little-endian.
///
/// # Errors
/// Those of writing.
pub fn write_elements(out: &mut impl Write, elements: &Elements) -> io::Result<()> {
    match elements {
        Elements::F32(values) => write_encoded(out, values, |value| value.to_le_bytes()),
        Elements::F64(values) => write_encoded(out, values, |value| value.to_le_bytes()),
        Elements::I32(values) => write_encoded(out, values, |value| value.to_le_bytes()),
        Elements::I64(values) => write_encoded(out, values, |value| value.to_le_bytes()),
        Elements::U8(values) => out.write_all(values),
        Elements::Bool(values) => write_encoded(out, values, |value| [u8::from(value)]),
    }
}

/// Writes values some thousand at a time.
fn write_encoded<T: Copy, const N: usize>(
    out: &mut impl Write,
    values: &[T],
    encode: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut bytes = Vec::new();
    for chunk in values.chunks(1 << 12) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|value| encode(*value)));
        out.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use std::fs;

    use super::*;
    use crate::runtime::sources::safetensors;
    use crate::runtime::world::native::NativeWorld;

    fn array(shape: &[usize], elements: Elements) -> Array {
        Array::new(shape.to_vec(), elements).unwrap()
    }

    fn wanted(name: &str, shape: &[usize]) -> Wanted {
        Wanted { name: name.to_owned(), shape: shape.to_vec() }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = std::env::temp_dir().join(format!("nnc-checkpoint-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.safetensors");
        let weight = array(&[2, 2], Elements::F32(vec![1.0, -0.0, f32::MIN_POSITIVE, 3.5]));
        let mask = array(&[3], Elements::Bool(vec![true, false, true]));
        let step = array(&[], Elements::I32(vec![-7]));
        let wide = array(&[1], Elements::F64(vec![0.1]));
        let long = array(&[2], Elements::I64(vec![1, -1_600_000_000_000]));
        let arrays =
            [("fc.weight", &weight), ("mask", &mask), ("step", &step), ("wide", &wide), ("long", &long)];
        let metadata =
            BTreeMap::from([("epoch".to_owned(), "3".to_owned()), ("a".to_owned(), "\"b\"".to_owned())]);
        write(&NativeWorld, &path, &arrays, &metadata).unwrap();
        let first = fs::read(&path).unwrap();
        write(&NativeWorld, &path, &arrays, &metadata).unwrap();
        assert_eq!(first, fs::read(&path).unwrap());
        let file = safetensors::open(&NativeWorld, &path).unwrap();
        assert_eq!(file.metadata(), &metadata);
        for (name, array) in arrays {
            assert_eq!(&file.tensor(name).unwrap().load().unwrap(), array);
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let error = write(&NativeWorld, &folder.join("no/b"), &arrays, &metadata).unwrap_err();
        assert_eq!(error.code, "E0714");
        fs::remove_dir_all(folder).unwrap();
    }

    fn example() -> SafeTensors {
        let header = r#"{"init.fc1.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "init.fc1.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},
            "init.bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[12,20]},
            "other":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;
        let bytes = safetensors::tests::file(header, &[0; 20]);
        safetensors::parse(super::super::file::FileBytes::owned(bytes), Path::new("a.safetensors")).unwrap()
    }

    #[test]
    fn all_that_is_missing_is_listed() {
        let want = [wanted("fc1.wieght", &[2]), wanted("fc1.bias", &[2]), wanted("fc2.bias", &[9])];
        let error = find(&example(), "init.", &want, None).unwrap_err();
        assert_eq!(error.code, "E0713");
        assert_eq!(error.message, "3 of 3 arrays do not fit `a.safetensors`");
        let expected = [
            "`init.fc1.wieght` [2] is not in the file; the file has `init.fc1.weight`",
            "`init.fc1.bias` has the shape [1] in the file, [2] is needed",
            "`init.fc2.bias` [9] is not in the file",
        ];
        assert_eq!(error.notes, expected);
    }

    #[test]
    fn unused_names_give_one_warning() {
        let (arrays, warnings) = find(&example(), "init.", &[wanted("fc1.bias", &[1])], None).unwrap();
        assert_eq!((arrays.len(), warnings.len()), (1, 1));
        assert_eq!(warnings[0].message, "nothing uses 1 of the arrays in `a.safetensors`: `init.fc1.weight`");
        let want = [wanted("fc1.bias", &[1]), wanted("fc1.weight", &[2])];
        assert!(find(&example(), "init.", &want, None).unwrap().1.is_empty());
    }
}
