//! `nnc init FOLDER`: a program for a folder of pictures, with a folder for each class in it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::names::{identifier, quoted};
use super::training::Training;
use crate::base::Diagnostic;
use crate::base::order::PutInOrder;

/// So many pictures of each class are looked at.
const LOOKED_AT: usize = 50;
/// Pictures of one size up to this are read as they are.
const MOST_SIDE: u32 = 96;
/// Others get this size, or that of the smaller ones if it is less.
const USUAL_SIDE: u32 = 64;

/// What a folder holds.
struct Found {
    /// The folders of the classes, and how many pictures each has.
    classes: Vec<(String, usize)>,
    /// Whether some pictures are in folders within these.
    is_nested: bool,
    /// Whether some pictures have colours.
    has_colours: bool,
    least: Size,
    greatest: Size,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

/// The text of a program for the pictures of a folder, which it names as `file`.
///
/// # Errors
/// E0701 if it cannot be read, E0710 without pictures, E0780 without classes.
pub fn program(folder: &Path, file: &str) -> Result<String, Diagnostic> {
    let found = look(folder)?;
    let stem = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut taken = ["image", "kind", "train", "test"].map(str::to_owned).to_vec();
    Ok(found.text(&identifier(&stem, &mut taken), file))
}

fn look(folder: &Path) -> Result<Found, Diagnostic> {
    let shown = folder.display();
    let mut sizes: Vec<(Size, bool)> = Vec::new();
    let (mut classes, mut is_nested, mut beside) = (Vec::new(), false, 0);
    for path in entries(folder)? {
        if !path.is_dir() {
            beside += usize::from(is_picture(&path));
            continue;
        }
        let mut pictures = Vec::new();
        let deeper = below(&path, &mut pictures)?;
        if pictures.is_empty() {
            continue;
        }
        is_nested |= deeper;
        sizes.extend(pictures.iter().take(LOOKED_AT).filter_map(|path| size_of(path)));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        classes.push((name, pictures.len()));
    }
    if classes.len() < 2 {
        let error = match (classes.len(), beside) {
            (0, 0) => Diagnostic::error("E0710", format!("`{shown}` has no PNG or JPEG files in it")),
            _ => Diagnostic::error("E0780", format!("`{shown}` has no two folders of pictures: they are the classes")),
        };
        return Err(error.help("a folder for each class: `photos/cat/1.jpg`, `photos/owl/1.jpg`"));
    }
    let Some((first, _)) = sizes.first().copied() else {
        return Err(Diagnostic::error("E0710", format!("no picture in `{shown}` can be read")));
    };
    let by = |choose: fn(u32, u32) -> u32| {
        sizes.iter().fold(first, |so_far, (size, _)| Size {
            width: choose(so_far.width, size.width),
            height: choose(so_far.height, size.height),
        })
    };
    let has_colours = sizes.iter().any(|(_, has_colours)| *has_colours);
    Ok(Found { classes, is_nested, has_colours, least: by(u32::min), greatest: by(u32::max) })
}

/// What is in a folder, by name; what is hidden is left out, as it is when data is read.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let failed = |error: std::io::Error| {
        Diagnostic::error("E0701", format!("cannot read `{}`: {error}", folder.display()))
    };
    let found = std::fs::read_dir(folder).map_err(failed)?;
    let paths = found.map(|entry| entry.map(|entry| entry.path()).map_err(failed));
    let mut paths = paths.collect::<Result<Vec<PathBuf>, Diagnostic>>()?;
    paths.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    paths.put_in_order();
    Ok(paths)
}

/// Adds the pictures of a folder and of those in it; whether some are deeper.
fn below(folder: &Path, into: &mut Vec<PathBuf>) -> Result<bool, Diagnostic> {
    let mut is_deeper = false;
    for path in entries(folder)? {
        // What is linked may lead back here.
        if path.is_symlink() {
            continue;
        } else if path.is_dir() {
            let before = into.len();
            below(&path, into)?;
            is_deeper |= into.len() > before;
        } else if is_picture(&path) {
            into.push(path);
        }
    }
    Ok(is_deeper)
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    matches!(ending.as_str(), "png" | "jpg" | "jpeg")
}

/// Size of a picture and whether it has colours, as its head says.
fn size_of(path: &Path) -> Option<(Size, bool)> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let mut start = [0; 2];
    file.read_exact(&mut start).ok()?;
    if start == [0xFF, 0xD8] { size_of_jpeg(&mut file) } else { size_of_png(&mut file) }
}

/// Behind the first two bytes.
fn size_of_png(file: &mut impl Read) -> Option<(Size, bool)> {
    let mut head = [0; 24];
    file.read_exact(&mut head).ok()?;
    let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap_or_default());
    let is_png = head[..6] == *b"NG\r\n\x1a\n" && head[10..14] == *b"IHDR";
    // Colour types 0 and 4 are grey.
    is_png.then(|| (Size { width: number(14), height: number(18) }, !matches!(head[23], 0 | 4)))
}

/// Behind the first two bytes: segments, each with its length, until the one that has the size.
fn size_of_jpeg(file: &mut impl Read) -> Option<(Size, bool)> {
    loop {
        let mut segment = [0; 4];
        file.read_exact(&mut segment).ok()?;
        let length = u64::from(u16::from_be_bytes([segment[2], segment[3]])).checked_sub(2)?;
        if segment[0] != 0xFF {
            return None;
        }
        if matches!(segment[1], 0xC0..=0xCF) && !matches!(segment[1], 0xC4 | 0xC8 | 0xCC) {
            let mut frame = [0; 6];
            file.read_exact(&mut frame).ok()?;
            let number = |at: usize| u32::from(u16::from_be_bytes([frame[at], frame[at + 1]]));
            return Some((Size { width: number(3), height: number(1) }, frame[5] > 1));
        }
        let skipped = std::io::copy(&mut file.take(length), &mut std::io::sink()).ok()?;
        if skipped < length {
            return None;
        }
    }
}

impl Found {
    /// The size that the field has, and whether pictures have it.
    fn size(&self) -> (Size, bool) {
        let is_one = self.least == self.greatest;
        if is_one && self.least.width.max(self.least.height) <= MOST_SIDE {
            return (self.least, true);
        }
        // Sides are halved twice.
        let side = (self.least.width.min(self.least.height) / 4 * 4).clamp(16, USUAL_SIDE);
        (Size { width: side, height: side }, false)
    }

    fn text(&self, name: &str, file: &str) -> String {
        let count: usize = self.classes.iter().map(|(_, count)| count).sum();
        let n = self.classes.len();
        let shown: Vec<String> = self.classes.iter().take(8).map(|(name, count)| format!("{name} ({count})")).collect();
        let more = if n > 8 { format!(" and {} others", n - 8) } else { String::new() };
        let (Size { width, height }, is_as_it_is) = self.size();
        let channels = if self.has_colours { 3 } else { 1 };
        let nested = if self.is_nested { ", nested = true" } else { "" };
        let (fit, why) = match is_as_it_is {
            true => ("", format!("All have {width} × {height} pixels.")),
            false => (
                "fit = \"cover\"",
                format!(
                    "From {} × {} to {} × {} pixels: scaled, and cut at the sides.",
                    self.least.width, self.least.height, self.greatest.width, self.greatest.height
                ),
            ),
        };
        // Where sides can be halved no more, they are not.
        let halve = |times: u32| if width.min(height) >> times >= 4 { " |> max_pool2d(2)" } else { "" };
        let (first, second) = (halve(1), halve(2));
        let file = quoted(file);
        let classes = format!("{}{more}", shown.join(", "));
        let training = Training {
            data: name,
            minimize: "cross_entropy(Net(image), kind) with AdamW(lr = 0.002)",
            measure: "accuracy(Net(image), kind)",
            epochs: 60,
            patience: 15,
            keeps_best: true,
        };
        format!(
            "# Written by `nnc init`: {count} pictures of {n} classes. Change what you like.

data {name} = images({file}{nested}) {{
    # {why}
    image: [{channels}, {height}, {width}] = pixels({fit}) / 255
    # {classes}
    kind: class({n}) = labels()
    split train = 0.8, test = 0.2, stratify = kind
}}

model Net(image: [B, {channels}, {height}, {width}]) -> [B, {n}] {{
    # Changed at random in each step of the training. Where left and right matter, leave `random_flip` out.
    image |> random_flip() |> random_shift(most = {shift})
        |> Conv2d(16, 3, padding = 1) |> BatchNorm2d() |> relu{first}
        |> Conv2d(32, 3, padding = 1) |> BatchNorm2d() |> relu{second}
        |> Conv2d(64, 3, padding = 1) |> BatchNorm2d() |> relu
        |> GlobalAvgPool2d() |> Linear({n})
}}

{training}",
            shift = (width.min(height) / 16).max(1)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_pictures() {
        let png = b"NG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x14\0\0\0\x1e\x08\x02";
        let (size, has_colours) = size_of_png(&mut &png[..]).expect("a head");
        assert_eq!((size.width, size.height, has_colours), (20, 30, true));
        assert!(size_of_png(&mut &b"NG\r\n\x1a\n\0\0\0\rIDAT\0\0\0\x14\0\0\0\x1e\x08\x02"[..]).is_none());
        let jpeg = b"\xff\xe0\0\x04ab\xff\xc4\0\x03c\xff\xc2\0\x0b\x08\0\x1e\0\x14\x01";
        let (size, has_colours) = size_of_jpeg(&mut &jpeg[..]).expect("a head");
        assert_eq!((size.width, size.height, has_colours), (20, 30, false));
        for broken in [&jpeg[..9], &b"\xff\xe0\0\0"[..], &b"\x00\xe0\0\x04"[..]] {
            assert!(size_of_jpeg(&mut &*broken).is_none());
        }
    }
}
