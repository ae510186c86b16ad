//! A picture as shapes: what SVG files and files of pixels are written from.

/// Red, green and blue.
pub type Colour = [u8; 3];

pub const WHITE: Colour = [255; 3];
pub const INK: Colour = [34, 34, 34];
pub const GREY: Colour = [85, 85, 85];
pub const FAINT: Colour = [228, 228, 228];

/// Okabe and Ito's colours, which people see apart whatever their eyes are.
const COLOURS: [Colour; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [0, 0, 0]];

/// The colour of a curve or class, by its number.
pub fn colour(number: usize) -> Colour {
    COLOURS[number % COLOURS.len()]
}

/// A colour on white, of which `share` is left.
pub fn tint(colour: Colour, share: f64) -> Colour {
    colour.map(|part| (255.0 - (255.0 - f64::from(part)) * share).round() as u8)
}

/// From dark blue over green to yellow, evenly bright steps: the scale that is called viridis, at nine places.
const SCALE: [Colour; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

/// The colour of a number from 0 to 1; grey of what is none.
pub fn shade(share: f64) -> Colour {
    if !share.is_finite() {
        return [200; 3];
    }
    let place = share.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let at = (place as usize).min(SCALE.len() - 2);
    let part = place - at as f64;
    std::array::from_fn(|n| (f64::from(SCALE[at][n]) * (1.0 - part) + f64::from(SCALE[at + 1][n]) * part).round() as u8)
}

/// Where a text is with respect to its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Text {
    pub x: f64,
    pub y: f64,
    pub size: f64,
    pub anchor: Anchor,
    pub bold: bool,
    pub colour: Colour,
    /// Whether it is read from below to above.
    pub turned: bool,
    /// Whether a white edge keeps it readable on lines that are drawn before it.
    pub has_halo: bool,
    pub text: String,
}

impl Text {
    /// A text in the size of labels.
    pub fn label((x, y): (f64, f64), anchor: Anchor, text: &str) -> Text {
        let text = text.to_owned();
        Text { x, y, size: LABEL, anchor, bold: false, colour: GREY, turned: false, has_halo: false, text }
    }
}

/// Pixels, from the upper left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bitmap {
    pub columns: usize,
    pub rows: usize,
    pub pixels: Vec<Colour>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    Box { x: f64, y: f64, width: f64, height: f64, colour: Colour },
    Line { points: Vec<(f64, f64)>, width: f64, colour: Colour },
    Dots { points: Vec<(f64, f64)>, radius: f64, colour: Colour, opacity: f64 },
    Text(Text),
    Bitmap { x: f64, y: f64, width: f64, height: f64, bitmap: Bitmap },
}

#[derive(Clone, PartialEq, Debug)]
pub struct Drawing {
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
}

impl Drawing {
    pub fn new(width: f64, height: f64) -> Drawing {
        Drawing { width, height, shapes: Vec::new() }
    }

    pub fn line(&mut self, points: &[(f64, f64)], width: f64, colour: Colour) {
        self.shapes.push(Shape::Line { points: points.to_vec(), width, colour });
    }

    pub fn rectangle(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), colour: Colour) {
        self.shapes.push(Shape::Box { x, y, width, height, colour });
    }

    pub fn bitmap(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), bitmap: Bitmap) {
        self.shapes.push(Shape::Bitmap { x, y, width, height, bitmap });
    }

    /// A text in the size of labels.
    pub fn label(&mut self, place: (f64, f64), anchor: Anchor, text: &str) {
        self.text(Text::label(place, anchor, text));
    }

    pub fn text(&mut self, text: Text) {
        self.shapes.push(Shape::Text(text));
    }
}

/// The size of labels.
pub const LABEL: f64 = 13.0;

/// About how wide a text of this size is.
pub fn width_of(text: &str, size: f64) -> f64 {
    super::font::strokes(text, size).1.max(text.chars().count() as f64 * size * 0.52)
}

/// A text cut to so many characters.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}
