//! Rows that are texts of a table, or photographs of any size: from files to predictions.

use std::fs;
use std::path::Path;

#[path = "support/folder.rs"]
mod folder;

use folder::{Folder, errors};

/// Opinions about things; each is of one of two kinds, by the words in it.
fn opinions(count: usize) -> Vec<(String, &'static str)> {
    let things = ["the soup", "this film", "my room", "the book", "the journey", "a song"];
    let good = ["wonderful", "delightful", "a joy", "splendid", "charming"];
    let bad = ["dreadful", "a bore", "wretched", "dull", "a disappointment"];
    let also = ["truly", "in the end", "to be honest,", "again", "I think"];
    let opinion = |at: usize| {
        let any = |of: usize, count: usize| (at + 1) * (7919 + 104_729 * of) / 64 % count;
        let is_good = any(1, 2) == 0;
        let words = if is_good { good } else { bad };
        let text = format!("{}, {} was {}!", also[any(2, 5)], things[any(3, 6)], words[any(4, 5)]);
        (text, if is_good { "good" } else { "bad" })
    };
    (0..count).map(opinion).collect()
}

/// Texts are classified by words, characters and parts of words; new ones by what was learnt, with words that nobody has
/// seen, from a file and from a pipe, without the file of the training.
#[test]
fn texts_are_classified() {
    let folder = Folder::new("texts");
    let rows: Vec<String> = opinions(120).iter().map(|(text, kind)| format!("\"{text}\",{kind}")).collect();
    let new = "text\n\"Truly, the weather was SPLENDID!\"\n\"again, that zoo was a bore!\"\n\"I think, my room was wretched!\"\n";
    let seen = "text\n\"truly, a song was splendid!\"\n\"again, the book was a bore!\"\n\"I think, my room was wretched!\"\n";
    for (unit, length, most) in [("words", 12, 60), ("characters", 60, 60), ("pairs", 24, 120)] {
        folder.write("all.csv", &format!("text,kind\n{}\n", rows.join("\n")));
        // Words that nobody has seen are unknown; characters and parts of words are never.
        let new = if unit == "words" { new } else { seen };
        folder.write("new.csv", new);
        let program = format!(
            "data opinions = csv(\"all.csv\") {{
    text: class({most})[{length}] = {unit}(column(\"text\"))
    kind: class(2) = column(\"kind\")
    split train = 0.75, test = 0.25
}}
## The mean over what stands before the end of each text.
model Opinion(text: int[B, T]) -> [B, 2] {{
    there = if text > 0 then 1 else 0
    parts = text |> Embedding({most}, 16) |> Conv1dOver(16)
    sum(parts * there[:, :, new], axis = 1) / max(sum(there, axis = 1), 1)[:, new] |> Linear(2)
}}
## Each part with those on both sides of it.
layer Conv1dOver(out)(x: [B, T, n]) -> [B, T, out] {{
    t[b, c, i] = x[b, i, c]
    y = t |> Conv1d(out, 5, padding = 2) |> relu
    z[b, i, c] = y[b, c, i]
    z
}}
"
        );
        let train = "train {
    data     = opinions.train
    minimize cross_entropy(Opinion(text), kind) with Adam(lr = 0.01)
    measure  accuracy(Opinion(text), kind)
    validate = opinions.test
    batch    = 16
    epochs   = 50
    keep     = best
}
expect accuracy(Opinion(opinions.test.text), opinions.test.kind) > 0.9
";
        folder.write("o.nn", &format!("{program}{train}"));
        folder.nnc(&["run", "o.nn", "--out", unit]);
        let judged = folder.nnc(&["eval", unit]);
        assert!(judged.contains("30 rows") && judged.contains("good"), "{judged}");
        fs::remove_file(folder.0.join("all.csv")).expect("removed");
        let out = folder.nnc(&["predict", unit, "new.csv"]);
        let kinds: Vec<&str> = out.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!(kinds, ["good", "bad", "bad"], "{unit}: {out}");
        assert_eq!(folder.on(new, &["predict", unit, "-"]), out);
        let first = new.lines().take(2).collect::<Vec<_>>().join("\n");
        assert_eq!(folder.on(&first, &["predict", unit, "-"]).lines().nth(1), out.lines().nth(1));
        let missing = folder.on("text\n\"\"\nzzz qqq\n", &["predict", unit, "-"]);
        assert_eq!(missing.lines().count(), 3, "{missing}");
    }
}

/// `nnc init` finds texts, too, and what it writes trains and predicts.
#[test]
fn a_program_is_written_for_texts() {
    let folder = Folder::new("written");
    let rows: Vec<String> = opinions(120)
        .iter()
        .enumerate()
        .map(|(at, (text, kind))| format!("\"{text} {at}\",{},{kind}", at % 7))
        .collect();
    folder.write("all.csv", &format!("text,stars,kind\n{}\n", rows.join("\n")));
    folder.nnc(&["init", "all.csv"]);
    let program = folder.read("all.nn");
    assert!(program.contains("= words(column(\"text\"))") && program.contains("|> Words("), "{program}");
    folder.nnc(&["run", "all.nn", "--epochs", "40", "--out", "r"]);
    let out = folder.on("text,stars\nthe soup was a joy,3\nthe soup was dull,3\n", &["predict", "r", "-"]);
    let kinds: Vec<&str> = out.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(kinds, ["good", "bad"], "{out}");
}

/// A colour picture of stripes that lie along its rows or columns, of any size.
fn stripes(path: &Path, width: u32, height: u32, along_rows: bool, colours: [[u8; 3]; 2], is_grey: bool) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let mut encoder = png::Encoder::new(fs::File::create(path).expect("a file"), width, height);
    encoder.set_color(if is_grey { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    let mut bytes = Vec::new();
    for i in 0..height {
        for j in 0..width {
            let place = if along_rows {
                i as f32 / height.min(width) as f32
            } else {
                j as f32 / height.min(width) as f32
            };
            let of = usize::from((place * 6.0) as u32 % 2 == 1);
            bytes.extend_from_slice(&colours[of][..if is_grey { 1 } else { 3 }]);
        }
    }
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&bytes).expect("pixels");
}

/// Photographs of any size, in folders within folders, are scaled to that of the field, and changed at random in training.
#[test]
fn photographs_of_any_size() {
    let folder = Folder::new("photographs");
    for at in 0..24u32 {
        for (kind, along_rows) in [("rows", true), ("columns", false)] {
            let deep = if at % 3 == 0 { "far/away/" } else { "" };
            let path = folder.0.join(format!("photos/{kind}/{deep}{at}.png"));
            let shade = |k: u32| ((at * 37 + k * 91) % 200) as u8;
            let colours = [[shade(1), shade(2), shade(3)], [255 - shade(2) / 4, 255, 250 - shade(1) / 4]];
            stripes(&path, 16 + at * 3 % 17, 18 + at * 5 % 13, along_rows, colours, at % 4 == 0);
        }
    }
    stripes(&folder.0.join("new/wide.png"), 60, 20, true, [[10, 20, 30], [200, 250, 240]], false);
    stripes(&folder.0.join("new/tall.png"), 17, 50, false, [[0; 3], [255; 3]], false);
    folder.write("photos/notes.txt", "no picture");
    let program = "data photos = images(\"photos\", nested = true) {
    image: [3, 16, 16] = pixels(fit = \"cover\") / 255
    kind: class(2) = labels()
    split train = 0.75, test = 0.25, stratify = kind
}
model Net(image: [B, 3, 16, 16]) -> [B, 2] {
    image |> random_flip(p = 0.5) |> random_shift(most = 2) |> random_noise(std = 0.02)
        |> Conv2d(8, 3, padding = 1) |> relu |> max_pool2d(2) |> Conv2d(8, 3, padding = 1) |> relu
        |> GlobalAvgPool2d() |> Linear(2)
}
train {
    data     = photos.train
    minimize cross_entropy(Net(image), kind) with Adam(lr = 0.02)
    measure  accuracy(Net(image), kind)
    validate = photos.test
    batch    = 12
    epochs   = 60
    keep     = best
}
expect accuracy(Net(photos.test.image), photos.test.kind) > 0.9
";
    folder.write("p.nn", program);
    let output = folder.command(&["run", "p.nn", "--out", "r"]).output().expect("nnc starts");
    assert!(output.status.success() && errors(&output).contains("W0605"), "{}", errors(&output));
    let out = folder.nnc(&["predict", "r", "new"]);
    let kinds: Vec<&str> = out.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(kinds, ["columns", "rows"], "{out}");
    folder.write("q.nn", &program.replace("pixels(fit = \"cover\")", "pixels()"));
    let said = folder.fails(&["run", "q.nn", "--no-save"]);
    assert!(said.contains("E0722") && said.contains("fit = \"cover\""), "{said}");
    folder.write("q.nn", &program.replace("fit = \"cover\"", "fit = \"covers\""));
    let said = folder.fails(&["check", "q.nn"]);
    assert!(said.contains("`cover`") || said.contains("\"cover\""), "{said}");
}

/// A program is written for a folder of pictures, which learns them as it stands.
#[test]
fn a_program_is_written_for_pictures() {
    let folder = Folder::new("init_pictures");
    for at in 0..24u32 {
        for (kind, along_rows) in [("rows", true), ("columns", false)] {
            let deep = if at % 3 == 0 { "more/" } else { "" };
            let path = folder.0.join(format!("my photos/{kind}/{deep}{at}.png"));
            let shade = |k: u32| ((at * 37 + k * 91) % 100) as u8;
            let colours = [[shade(1), shade(2), shade(3)], [255 - shade(2), 255, 250 - shade(1)]];
            stripes(&path, 20 + at % 5, 24 + at % 3, along_rows, colours, at % 4 == 0);
        }
    }
    folder.nnc(&["init", "my photos/"]);
    let program = folder.read("my photos.nn");
    assert!(program.contains("data my_photos = images(\"my photos\", nested = true)"), "{program}");
    assert!(program.contains("image: [3, 20, 20] = pixels(fit = \"cover\") / 255"), "{program}");
    assert!(program.contains("# columns (24), rows (24)"), "{program}");
    folder.nnc(&["run", "my photos.nn", "--epochs", "25"]);
    let judged = folder.nnc(&["eval", "runs/my photos-1"]);
    assert!(judged.contains("columns") && judged.contains("rows"), "{judged}");
    fs::create_dir_all(folder.0.join("one/alone")).expect("a folder");
    let said = folder.fails(&["init", "one"]);
    assert!(said.contains("E0710"), "{said}");
    stripes(&folder.0.join("one/alone/1.png"), 8, 8, true, [[0; 3], [255; 3]], false);
    let said = folder.fails(&["init", "one"]);
    assert!(said.contains("E0780") && said.contains("classes"), "{said}");
}

/// A network that PyTorch has trained gets a new head: its layers are read, frozen with their running means, and give the
/// numbers that they give there.
#[test]
fn a_new_head_on_layers_of_pytorch() {
    let folder = Folder::new("head");
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pretrained/stripes.safetensors");
    fs::copy(weights, folder.0.join("stripes.safetensors")).expect("copied");
    for at in 0..16u32 {
        for (kind, along_rows) in [("rows", true), ("columns", false)] {
            let shade = |k: u32| ((at * 37 + k * 91) % 200) as u8;
            let colours = [[shade(1), shade(2), shade(3)], [255, 250, 245]];
            let path = folder.0.join(format!("photos/{kind}/{at}.png"));
            stripes(&path, 16 + at % 5, 16 + at % 7, along_rows, colours, false);
        }
    }
    folder.write(
        "p.nn",
        "data photos = images(\"photos\") {
    image: [3, 16, 16] = pixels(fit = \"cover\") / 255
    kind: class(2) = labels()
    split train = 0.5, test = 0.5, stratify = kind
}

model Net(image: [B, 3, 16, 16]) -> [B, 2] {
    conv1 = Conv2d(8, 3, padding = 1)
    bn1 = BatchNorm2d()
    conv2 = Conv2d(16, 3, padding = 1)
    bn2 = BatchNorm2d()
    fc = Linear(2)
    h = image |> conv1 |> bn1 |> relu |> max_pool2d(2) |> conv2 |> bn2 |> relu |> GlobalAvgPool2d()
    state seen: [16] = 0
    if training { seen <- h[0] }
    fc(h)
}

train {
    data     = photos.train
    init     = safetensors(\"stripes.safetensors\", except = [\"fc\", \"seen\"])
    freeze   = [\"conv1\", \"bn1\", \"conv2\", \"bn2\"]
    minimize cross_entropy(Net(image), kind) with Adam(lr = 0.05)
    validate = photos.test
    batch    = 16
    epochs   = 40
}
print accuracy(Net(photos.test.image), photos.test.kind)
",
    );
    let said = folder.nnc(&["run", "p.nn", "--quiet", "--save", "w.safetensors"]);
    assert!(said.trim().parse::<f64>().is_ok_and(|right| right > 0.9), "{said}");
    let program = folder.read("p.nn");
    let model =
        program.split("model Net").nth(1).and_then(|text| text.split("train {").next()).expect("a model");
    // Below the head nothing has changed, neither weights nor running means: a picture that PyTorch was given, too, gives
    // the same numbers. What its layers make of it is printed by tests/pretrained/stripes.py.
    let probe = format!(
        "model Net{model}
data probe {{
    rows = 1
    image: [3, 16, 16] = made()
    kind: class(2) = 0
}}
fn made() {{
    x[c < 3, i < 16, j < 16] = mod(i * 3 + j * 5 + c * 7, 11) / 10
    x
}}
optimizer Still(lr = 0) {{ param <- param - lr * grad }}
train {{
    data     = probe
    init     = safetensors(\"w.safetensors\")
    freeze   = [\"conv1\", \"bn1\", \"conv2\", \"bn2\"]
    minimize cross_entropy(Net(image), kind) with Still()
    batch    = 1
    steps    = 1
}}
const TORCH = [0.320365, 0.360027, 0.982924, 0.780323, 0.349744, 2.384186, 0.276022, 0.446499, 0.677797, 0.683269, 2.160662, 2.011652, 2.643262, 1.639141, 1.494227, 0.384972]
expect max(abs(Net.seen - TORCH)) < 1e-4
"
    );
    folder.write("probe.nn", &probe);
    folder.nnc(&["run", "probe.nn", "--no-save"]);
}
