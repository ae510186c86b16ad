//! What can be wrong with a folder of images and with one of them. Names of files come as messages show them.

use super::Problem;
use crate::base::{Diagnostic, Span};

/// What is wrong with images.
#[derive(Clone, Debug)]
pub enum ImageError {
    NoImages { folder: String },
    /// Labels are asked for, and there is no folder for each class.
    NoClasses { folder: String },
    /// An image of another size, and no word how it is brought to that of the field.
    Size { file: String, found: (usize, usize), wanted: (usize, usize) },
    /// The decoder says why.
    Undecodable { file: String, why: String },
}

impl Problem for ImageError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ImageError::NoImages { folder } => {
                Diagnostic::error("E0710", format!("`{folder}` has no `.png` or `.jpg` files"))
                    .help("give each class a folder of its own: `flowers/rose/7.jpg`")
            }
            ImageError::NoClasses { folder } => {
                Diagnostic::error("E0711", format!("`{folder}` has no folder for each class"))
                    .help("without classes there are only `pixels()`")
            }
            ImageError::Size { file, found: (height, width), wanted: (rows, columns) } => {
                let message = format!(
                    "`{file}` is {height} high and {width} wide, but the field has images of {rows} by {columns}"
                );
                Diagnostic::error("E0722", message).help(
                    "`pixels(fit = \"cover\")` scales images to the field's size, and cuts what is beyond; so do \
                     `contain`, with black sides, and `stretch`",
                )
            }
            ImageError::Undecodable { file, why } => {
                Diagnostic::error("E0702", format!("`{file}` cannot be decoded: {why}"))
            }
        }
    }
}

/// What is told of images that are read nevertheless.
#[derive(Clone, Debug)]
pub enum ImageWarning {
    /// Entries of a folder that are not read.
    Skipped { folder: String, kinds: Vec<Skipped>, at: Span },
    /// What a file has and a pixel of the field has not.
    Loss { file: String, loss: Loss, at: Span },
}

/// Entries that are not read for one reason: how many, and the first by name.
#[derive(Clone, Debug)]
pub struct Skipped {
    pub kind: SkippedKind,
    pub count: usize,
    pub first: String,
}

/// What stands in a folder of images and is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SkippedKind {
    /// Files that are no PNG or JPEG files by their names.
    Others,
    /// Images beside the folders of the classes.
    Beside,
    /// Folders within the folders of the classes.
    Deeper,
    /// Folders without images: they are no classes.
    Empty,
}

/// What a file has and a pixel of a field has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Loss {
    /// 16 bits for each channel.
    Bits = 1,
    /// Opacity.
    Opacity = 2,
    /// The numbers of the colours in a palette.
    Palette = 4,
}

impl Problem for ImageWarning {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ImageWarning::Skipped { folder, kinds, at } => {
                let count: usize = kinds.iter().map(|kind| kind.count).sum();
                let message = format!("`{folder}` has {count} entries that are not read");
                let warning = Diagnostic::warning("W0605", message);
                kinds.iter().fold(warning, |warning, kind| warning.note(kind.text())).at(*at, "")
            }
            ImageWarning::Loss { file, loss, at } => {
                let (message, help) = match loss {
                    Loss::Bits => (
                        format!("`{file}` has 16 bits for each channel; pixels have the upper 8 of them"),
                        "convert the images to an npy file to keep all of them",
                    ),
                    Loss::Palette => (
                        format!(
                            "`{file}` has a palette: the brightness of its colours is read, not their numbers"
                        ),
                        "a mask of classes is a grey PNG file, or an npy file of ints",
                    ),
                    Loss::Opacity => (
                        format!("`{file}` is transparent in places; its opacity is left out"),
                        "a field of four channels, `[4, height, width]`, has it",
                    ),
                };
                let warning = Diagnostic::warning("W0606", message).at(*at, "").help(help);
                warning.note("other files of the folder may be like it")
            }
        }
    }
}

impl Skipped {
    fn text(&self) -> String {
        let what = match self.kind {
            SkippedKind::Others => "no PNG or JPEG files by their names",
            SkippedKind::Beside => "images beside the folders of the classes",
            SkippedKind::Deeper => "folders within the folders of the classes",
            SkippedKind::Empty => "folders without images, which are no classes",
        };
        let more = if self.count > 1 { ", …" } else { "" };
        format!("{} {what}: `{}`{more}", self.count, self.first)
    }
}
