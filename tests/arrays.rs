//! Predictions for rows that stand in arrays and in folders of images.
#![cfg(all(feature = "cli", feature = "formats"))]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nnc::NativeWorld;
use nnc::runtime::array::{Array, Elements};
use nnc::runtime::sources::{checkpoint, npy};

const REST: &str = "
    y: class(2) = tensor(\"y\")
    split train = 0.8, test = 0.2
}
model M(x: [B, 3]) -> [B, 2] { x |> Linear(2) }
train {
    data     = d.train
    minimize cross_entropy(M(x), y) with Adam(lr = 0.1)
    batch    = 8
    epochs   = 5
}
";

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nnc_arrays_{}_{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).expect("a file");
    }

    /// Output and errors of a command that ends as it should.
    fn nnc(&self, arguments: &[&str], ends_well: bool) -> (String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_nnc"))
            .current_dir(&self.0)
            .args(arguments)
            .output()
            .expect("nnc starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.success(), ends_well, "{arguments:?}: {out}{errors}");
        (out, errors)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Rows of three numbers; whether the first is the greater one of two decides the class.
fn rows(count: usize) -> (Array, Array) {
    let value = |at: usize| ((at * 37 % 101) as f32 - 50.0) / 25.0;
    let values: Vec<f32> = (0..count * 3).map(value).collect();
    let classes = values.chunks(3).map(|row| i32::from(row[0] > row[1])).collect();
    let array = |shape: Vec<usize>, elements| Array::new(shape, elements).expect("as many as the shape says");
    (array(vec![count, 3], Elements::F32(values)), array(vec![count], Elements::I32(classes)))
}

fn as_npy(array: &Array) -> Vec<u8> {
    let mut bytes = Vec::new();
    npy::write_to(&mut bytes, array).expect("memory can be written");
    bytes
}

fn write_safetensors(path: &Path, arrays: &[(&str, &Array)]) {
    checkpoint::write(&NativeWorld, path, arrays, &BTreeMap::new()).expect("a file");
}

/// An archive as `numpy.savez` writes it.
fn as_npz(arrays: &[(&str, &Array)]) -> Vec<u8> {
    let (mut bytes, mut table) = (Vec::new(), Vec::new());
    for (name, array) in arrays {
        let (name, data) = (format!("{name}.npy"), as_npy(array));
        // Version, flags, method (stored), time, date, checksum, sizes, length of the name, of the extra field.
        let mut common = [20u16, 0, 0, 0, 0, 0, 0].map(u16::to_le_bytes).concat();
        common.extend([data.len() as u32; 2].map(u32::to_le_bytes).concat());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        table.extend([&b"PK\x01\x02\x14\x00"[..], &common, &[0; 10]].concat());
        table.extend((bytes.len() as u32).to_le_bytes());
        table.extend(name.bytes());
        bytes.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), &data].concat());
    }
    let start = bytes.len() as u32;
    bytes.extend(&table);
    let count = (arrays.len() as u16).to_le_bytes();
    bytes.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count].concat());
    bytes.extend([table.len() as u32, start].map(u32::to_le_bytes).concat());
    bytes.extend([0, 0]);
    bytes
}

/// The same rows give the same predictions, whatever file they stand in.
#[test]
fn arrays_by_name() {
    let folder = Folder::new("named");
    let ((x, y), (new, _)) = (rows(60), rows(7));
    write_safetensors(&folder.0.join("d.safetensors"), &[("x", &x), ("y", &y)]);
    folder.write("d.npz", as_npz(&[("x", &x), ("y", &y)]));
    write_safetensors(&folder.0.join("new.safetensors"), &[("x", &new)]);
    folder.write("new.npz", as_npz(&[("x", &new)]));
    folder.write("new.npy", as_npy(&new));
    write_safetensors(&folder.0.join("other.safetensors"), &[("z", &new)]);
    let mut all = Vec::new();
    for source in ["npz", "safetensors"] {
        let data = format!("data d = {source}(\"d.{source}\") {{\n    x: [3] = standardize(tensor(\"x\"))");
        folder.write(&format!("{source}.nn"), format!("{data}{REST}"));
        folder.nnc(&["run", &format!("{source}.nn"), "--quiet", "--out", source], true);
        for input in ["new.npz", "new.safetensors"] {
            let (out, errors) = folder.nnc(&["predict", source, input], true);
            assert!(out.lines().count() == 8 && errors.is_empty(), "{out}{errors}");
            all.push(out);
        }
        folder.nnc(&["predict", source, "new.npz", "-o", "out.npy"], true);
        let errors = folder.nnc(&["predict", source, "new.npy"], false).1;
        assert!(errors.contains("E0775") && errors.contains("arrays by name"), "{errors}");
        let errors = folder.nnc(&["predict", source, "other.safetensors"], false).1;
        assert!(errors.contains("has no array `x`"), "{errors}");
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
}

/// Numbers are predicted in the units of the file, if that can be; where it cannot, and where they are none, it is told.
#[test]
fn a_single_array() {
    let folder = Folder::new("single");
    let (x, _) = rows(60);
    let program = |target: &str| {
        format!(
            "data d = npy(\"x.npy\") {{\n x: [3] = tensor()\n y: [1] = {target}\n}}\n\
            model M(x: [B, 3]) -> [B, 1] {{ x |> Linear(1) }}\n\
            train {{\n data = d\n minimize mse(M(x), y) with Adam(lr = 0.1)\n batch = 8\n epochs = 5\n}}\n"
        )
    };
    folder.write("x.npy", as_npy(&x));
    folder.write("plain.nn", program("x[:1]"));
    folder.write("scaled.nn", program("standardize(x[:1])"));
    folder.write("product.nn", program("x[:1] * x[1:2]"));
    for (name, is_told) in [("plain", false), ("scaled", false), ("product", true)] {
        folder.nnc(&["run", &format!("{name}.nn"), "--quiet", "--out", name], true);
        let (out, errors) = folder.nnc(&["predict", name, "x.npy"], true);
        assert_eq!((out.lines().count(), errors.contains("W0681")), (61, is_told), "{errors}");
    }
    // What was standardised comes back as it was: the number that the model gives, times the deviation, plus the mean.
    let numbers =
        |text: String| text.lines().skip(1).map(|it| it.parse().expect("a number")).collect::<Vec<f64>>();
    let of_file = numbers(folder.nnc(&["predict", "scaled", "x.npy"], true).0);
    let (raw, errors) = folder.nnc(&["predict", "scaled", "x.npy", "--raw"], true);
    assert!(errors.contains("W0681"), "{errors}");
    let raw = numbers(raw);
    let firsts: Vec<f64> = (0..x.rows()).map(|row| x.number(row * 3)).collect();
    let mean = firsts.iter().sum::<f64>() / firsts.len() as f64;
    let deviation = (firsts.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / firsts.len() as f64).sqrt();
    assert!(raw.iter().zip(&of_file).all(|(raw, it)| (raw * deviation + mean - it).abs() < 1e-5));
    let mut values = vec![0.5f32; 9];
    values[4] = f32::NAN;
    folder.write("nan.npy", as_npy(&Array::new(vec![3, 3], Elements::F32(values)).expect("nine")));
    let errors = folder.nnc(&["predict", "plain", "nan.npy"], true).1;
    assert!(errors.contains("W0682") && errors.contains("row 1 "), "{errors}");
    folder.write("wide.npy", as_npy(&Array::new(vec![2, 4], Elements::F32(vec![0.0; 8])).expect("eight")));
    let errors = folder.nnc(&["predict", "plain", "wide.npy"], false).1;
    assert!(errors.contains("E0722"), "{errors}");
}

/// A folder of images without classes.
#[test]
fn images() {
    let folder = Folder::new("images");
    let image = |path: &str, grey: u8| {
        let path = folder.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let mut encoder = png::Encoder::new(fs::File::create(path).expect("a file"), 4, 4);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().expect("a file");
        writer.write_image_data(&[grey; 16]).expect("a file");
    };
    for number in 0..8u8 {
        image(&format!("all/dark/{number}.png"), 10 + number);
        image(&format!("all/light/{number}.png"), 200 + number);
    }
    [20, 230, 30].iter().enumerate().for_each(|(at, grey)| image(&format!("new/{at}.png"), *grey));
    folder.write(
        "p.nn",
        "data d = images(\"all\") {\n x: [4, 4] = pixels() / 255\n y: class(2) = labels()\n}\n\
        model M(x: [B, 4, 4]) -> [B, 2] { reshape(x, [B, 16]) |> Linear(2) }\n\
        train {\n data = d\n minimize cross_entropy(M(x), y) with Adam(lr = 0.05)\n batch = 8\n epochs = 30\n}\n",
    );
    folder.nnc(&["run", "p.nn", "--quiet", "--out", "r"], true);
    let out = folder.nnc(&["predict", "r", "new"], true).0;
    let classes: Vec<&str> = out.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(classes, ["dark", "light", "dark"]);
    assert!(folder.nnc(&["predict", "r", "new/0.png"], false).1.contains("not a folder of images"));
}
