//! Folders of images: PNG and JPEG files, in a folder for each class or without classes.
//!
//! ```text
//! flowers/daisy/1.png      class 0
//! flowers/rose/7.jpg       class 1
//! ```

use std::fmt;
#[cfg(feature = "formats")]
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(feature = "formats")]
use zune_jpeg::JpegDecoder;
#[cfg(feature = "formats")]
use zune_jpeg::zune_core::colorspace::ColorSpace;
#[cfg(feature = "formats")]
use zune_jpeg::zune_core::options::DecoderOptions;

use super::file::FileBytes;
#[cfg(feature = "formats")]
use super::packed;
use super::folders::{Entries, below, entries};
use super::resize;
use crate::base::{Diagnostic, Span};
use crate::ir::program::Fit;
use crate::runtime::notices::Notices;
use crate::runtime::report::images::{self as report, ImageError, ImageWarning, Loss, SkippedKind};
#[cfg(feature = "formats")]
use crate::runtime::room::{self, Need};
use crate::runtime::world::World;

/// The image files of a folder. Nothing is decoded until rows are read.
pub struct Images {
    /// Where its files are read.
    world: Arc<dyn World>,
    folder: PathBuf,
    /// In order: classes by name, files by name within their class.
    files: Vec<PathBuf>,
    /// The class of each file; empty if the folder has no folders in it.
    labels: Vec<i32>,
    classes: Vec<String>,
    /// Files in the folder that are no images and are left out.
    skipped: Skipped,
    /// Which kinds of information were lost by the conversion of pixels so far.
    lost: AtomicU8,
    /// Where the first loss of each kind is told, and at what place of the program.
    notices: Notices,
    span: Span,
}

/// What stands in a folder of images and is not read.
#[derive(Default, Debug)]
struct Skipped {
    /// Files that are no PNG or JPEG files by their names.
    others: Vec<PathBuf>,
    /// Images beside the folders of the classes.
    beside: Vec<PathBuf>,
    /// Folders within the folders of the classes.
    deeper: Vec<PathBuf>,
    /// Folders without images: they are no classes.
    empty: Vec<PathBuf>,
}

/// The size that all images are to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// 1 (grey), 3 (red, green, blue) or 4 (and opacity).
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// How images of other sizes are brought to it; without, there are none.
    pub fit: Option<Fit>,
}

/// A decoded image: bytes of pixels side by side.
pub(super) struct Pixels {
    channels: usize,
    height: usize,
    width: usize,
    bytes: Vec<u8>,
    sixteen_bits: bool,
    has_palette: bool,
}

impl Images {
    /// Lists the images of a folder; if it is nested, with those in folders within the folders of the classes. What is
    /// skipped and what pixels lose is told in `notices`, at the place `span`
    /// of the program.
    ///
    /// Errors: E0701, E0710 (there are none).
    pub fn open(
        world: &Arc<dyn World>,
        folder: &Path,
        nested: bool,
        notices: &Notices,
        span: Span,
    ) -> Result<Images, Diagnostic> {
        let mut images = Images {
            world: Arc::clone(world),
            folder: folder.to_path_buf(),
            files: Vec::new(),
            labels: Vec::new(),
            classes: Vec::new(),
            skipped: Skipped::default(),
            lost: AtomicU8::new(0),
            notices: notices.clone(),
            span,
        };
        let Entries { folders, files, others } = entries(&**world, folder)?;
        images.skipped.others = others;
        for class in folders {
            let Entries { folders, mut files, others } = entries(&**world, &class)?;
            images.skipped.others.extend(others);
            if nested {
                below(&**world, folders, &mut files, &mut images.skipped.others)?;
            } else {
                images.skipped.deeper.extend(folders);
            }
            if files.is_empty() {
                images.skipped.empty.push(class);
                continue;
            }
            let number = images.classes.len() as i32;
            images.labels.extend(std::iter::repeat_n(number, files.len()));
            images.files.extend(files);
            let name = class.file_name().unwrap_or_default();
            images.classes.push(name.to_string_lossy().into_owned());
        }
        if images.files.is_empty() {
            images.files = files;
        } else {
            images.skipped.beside = files;
        }
        if images.files.is_empty() {
            return Err(ImageError::NoImages { folder: folder.display().to_string() }.into());
        }
        if let Some(warning) = images.skipped.warning(folder, span) {
            notices.add(warning);
        }
        Ok(images)
    }

    pub fn rows(&self) -> usize {
        self.files.len()
    }

    /// The classes of all images.
    ///
    /// Errors: E0711 if the folder has no classes.
    pub fn labels(&self) -> Result<&[i32], Diagnostic> {
        if self.labels.is_empty() {
            return Err(ImageError::NoClasses { folder: self.folder.display().to_string() }.into());
        }
        Ok(&self.labels)
    }

    /// The names of the classes by number.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Decodes images into bytes `[rows, channels, height, width]`.
    ///
    /// Errors: E0701, E0702, E0722 (an image of another size).
    ///
    /// # Panics
    ///
    /// If a row is not below [`Images::rows`].
    pub fn read(&self, rows: &[u32], size: Size, out: &mut [u8]) -> Result<(), Diagnostic> {
        let area = size.height * size.width;
        for (row, place) in rows.iter().zip(out.chunks_exact_mut((size.channels * area).max(1))) {
            let path = &self.files[*row as usize];
            let pixels = decode(&*self.world, path)?;
            let pixels = match size.fit {
                Some(fit) => pixels.scaled(size.height, size.width, fit),
                None => pixels,
            };
            if (pixels.height, pixels.width) != (size.height, size.width) {
                let found = (pixels.height, pixels.width);
                let file = path.display().to_string();
                return Err(ImageError::Size { file, found, wanted: (size.height, size.width) }.into());
            }
            self.tell_losses(path, &pixels, size);
            for (at, pixel) in pixels.bytes.chunks_exact(pixels.channels).enumerate() {
                for channel in 0..size.channels {
                    place[channel * area + at] = channel_of(pixel, channel, size.channels);
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images of `{}`", self.files.len(), self.folder.display())
    }
}

impl Images {
    /// Tells the first loss of each kind.
    fn tell_losses(&self, path: &Path, pixels: &Pixels, size: Size) {
        let has_opacity = pixels.channels.is_multiple_of(2);
        let is_opaque = || pixels.bytes.chunks_exact(pixels.channels).all(|pixel| pixel.last() == Some(&255));
        let losses = [
            (Loss::Bits, pixels.sixteen_bits),
            (Loss::Palette, pixels.has_palette && size.channels == 1),
            (Loss::Opacity, has_opacity && size.channels < 4 && !pixels.has_palette),
        ];
        for (loss, _) in losses.iter().filter(|(_, found)| *found) {
            if self.lost.load(Ordering::Relaxed) & *loss as u8 != 0 || *loss == Loss::Opacity && is_opaque() {
                continue;
            }
            self.lost.fetch_or(*loss as u8, Ordering::Relaxed);
            let file = path.display().to_string();
            self.notices.add(ImageWarning::Loss { file, loss: *loss, at: self.span });
        }
    }
}

impl Skipped {
    fn warning(&self, folder: &Path, at: Span) -> Option<ImageWarning> {
        let kinds = [
            (&self.others, SkippedKind::Others),
            (&self.beside, SkippedKind::Beside),
            (&self.deeper, SkippedKind::Deeper),
            (&self.empty, SkippedKind::Empty),
        ];
        let found = kinds.into_iter().filter_map(|(paths, kind)| {
            let first = paths.iter().min()?.display().to_string();
            Some(report::Skipped { kind, count: paths.len(), first })
        });
        let kinds: Vec<report::Skipped> = found.collect();
        (!kinds.is_empty()).then(|| ImageWarning::Skipped { folder: folder.display().to_string(), kinds, at })
    }
}

/// A channel of a pixel that has 1, 2 (grey), 3 or 4 (colours) bytes.
fn channel_of(pixel: &[u8], channel: usize, channels: usize) -> u8 {
    match (pixel, channel) {
        ([.., opacity], 3) if pixel.len().is_multiple_of(2) => *opacity,
        (_, 3) => 255,
        ([grey] | [grey, _], _) => *grey,
        // How bright colours are to the eye (ITU-R 601), with the integers that others use.
        ([red, green, blue, ..], _) if channels == 1 => {
            let weighted = u32::from(*red) * 19_595 + u32::from(*green) * 38_470 + u32::from(*blue) * 7_471;
            ((weighted + 0x8000) >> 16) as u8
        }
        (colours, channel) => colours[channel],
    }
}

impl Pixels {
    /// The image in another size.
    fn scaled(self, height: usize, width: usize, fit: Fit) -> Pixels {
        let size = resize::Area { height: self.height, width: self.width };
        let bytes = resize::fitted(&self.bytes, self.channels, size, resize::Area { height, width }, fit);
        Pixels { height, width, bytes, ..self }
    }
}

/// Decodes a file; what it is is seen from its first bytes.
fn decode(world: &dyn World, path: &Path) -> Result<Pixels, Diagnostic> {
    let file = FileBytes::open(world, path)?;
    decode_bytes(&file.all()?).map_err(|error| {
        ImageError::Undecodable { file: path.display().to_string(), why: error }.into()
    })
}

pub(super) fn decode_bytes(bytes: &[u8]) -> Result<Pixels, String> {
    if bytes.starts_with(&[0x89, b'P', b'N', b'G']) {
        decode_png(bytes)
    } else if bytes.starts_with(&[0xff, 0xd8]) {
        decode_jpeg(bytes)
    } else {
        Err("it begins like neither a PNG nor a JPEG file".to_owned())
    }
}

#[cfg(not(feature = "formats"))]
fn decode_png(_: &[u8]) -> Result<Pixels, String> {
    Err("this build of nnc has no decoder; the feature `formats` brings it".to_owned())
}

#[cfg(not(feature = "formats"))]
fn decode_jpeg(bytes: &[u8]) -> Result<Pixels, String> {
    decode_png(bytes)
}

#[cfg(feature = "formats")]
fn decode_png(bytes: &[u8]) -> Result<Pixels, String> {
    let mut decoder = png::Decoder::new(BufReader::new(Cursor::new(bytes)));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let sixteen_bits = reader.info().bit_depth == png::BitDepth::Sixteen;
    let has_palette = reader.info().color_type == png::ColorType::Indexed;
    let info = reader.info();
    let bits = u128::from(info.width) * u128::from(info.height) * info.bits_per_pixel() as u128;
    packed::check(bits / 8, "bytes", bytes.len(), packed::DEFLATE)?;
    let length = reader.output_buffer_size().ok_or("it is too large")?;
    let mut pixels = room::filled(length, "its pixels").map_err(|error| error.message)?;
    let frame = reader.next_frame(&mut pixels).map_err(|error| error.to_string())?;
    pixels.truncate(frame.buffer_size());
    Ok(Pixels {
        channels: frame.color_type.samples(),
        height: frame.height as usize,
        width: frame.width as usize,
        bytes: pixels,
        sixteen_bits,
        has_palette,
    })
}

#[cfg(feature = "formats")]
fn decode_jpeg(bytes: &[u8]) -> Result<Pixels, String> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let info = decoder.info().ok_or("it has no size")?;
    let pixels = u64::from(info.width) * u64::from(info.height);
    packed::check(pixels.into(), "pixels", bytes.len(), packed::JPEG)?;
    Need::of("its pixels", 3 * pixels).check().map_err(|error| error.message)?;
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    Ok(Pixels {
        channels: 3,
        height: usize::from(info.height),
        width: usize::from(info.width),
        bytes: pixels,
        sixteen_bits: false,
        has_palette: false,
    })
}

#[cfg(all(test, feature = "system", feature = "formats"))]
mod tests {
    use std::fs;

    use super::*;

    /// A PNG file with these pixels.
    fn png(path: &Path, color: png::ColorType, width: u32, height: u32, pixels: &[u8]) {
        let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), width, height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    }

    #[test]
    fn classes_are_folders() {
        let folder = std::env::temp_dir().join(format!("nnc-images-{}", std::process::id()));
        for class in ["rose", "daisy", "empty"] {
            fs::create_dir_all(folder.join(class)).unwrap();
        }
        png(&folder.join("rose/b.png"), png::ColorType::Rgb, 2, 1, &[255, 0, 0, 0, 255, 0]);
        png(&folder.join("rose/a.PNG"), png::ColorType::Grayscale, 2, 1, &[7, 9]);
        png(&folder.join("daisy/x.png"), png::ColorType::Rgba, 2, 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
        fs::write(folder.join("rose/notes.txt"), "no image").unwrap();
        let notices = Notices::default();
        let world: Arc<dyn World> = Arc::new(crate::runtime::world::native::NativeWorld);
        let open = |folder: &Path| Images::open(&world, folder, false, &notices, Span::NONE);
        let images = open(&folder).unwrap();
        let told = notices.take();
        assert_eq!((told.len(), told[0].code, told[0].notes.len()), (1, "W0605", 2));
        assert_eq!((images.rows(), images.classes()), (3, &["daisy".to_owned(), "rose".to_owned()][..]));
        assert_eq!(images.labels().unwrap(), [0, 1, 1]);
        let read = |channels, rows: &[u32]| {
            let mut out = vec![0; channels * 2 * rows.len()];
            images.read(rows, Size { channels, height: 1, width: 2, fit: None }, &mut out).map(|()| out)
        };
        assert_eq!(read(3, &[0, 1]).unwrap(), [1, 5, 2, 6, 3, 7, 7, 9, 7, 9, 7, 9]);
        assert_eq!(read(1, &[2, 1]).unwrap(), [76, 150, 7, 9]);
        assert_eq!(notices.take().iter().map(|told| told.code).collect::<Vec<_>>(), ["W0606"]);
        assert_eq!(read(4, &[0]).unwrap(), [1, 5, 2, 6, 3, 7, 4, 8]);
        fs::write(folder.join("rose/a.PNG"), [0x89, b'P', b'N', b'G', 1, 2]).unwrap();
        assert_eq!(read(1, &[1]).unwrap_err().code, "E0702");
        let large = |fit| Size { channels: 1, height: 2, width: 2, fit };
        let error = images.read(&[0], large(None), &mut [0; 4]).unwrap_err();
        assert_eq!(error.code, "E0722");
        let mut out = [0; 4];
        images.read(&[0], large(Some(Fit::Stretch)), &mut out).unwrap();
        assert_eq!(out, [2, 6, 2, 6]);
        fs::create_dir_all(folder.join("rose/far/away")).unwrap();
        png(&folder.join("rose/far/away/c.png"), png::ColorType::Grayscale, 2, 1, &[3, 4]);
        let nested = Images::open(&world, &folder, true, &notices, Span::NONE).unwrap();
        assert_eq!(nested.labels().unwrap(), [0, 1, 1, 1]);
        let flat = open(&folder.join("daisy")).unwrap();
        assert_eq!((flat.rows(), flat.labels().unwrap_err().code), (1, "E0711"));
        assert_eq!(open(&folder.join("empty")).unwrap_err().code, "E0710");
        assert_eq!(open(&folder.join("none")).unwrap_err().code, "E0701");
        fs::remove_dir_all(folder).unwrap();
    }
}
