//! A picture as pixels, and these as a PNG file.

use super::drawing::{Anchor, Bitmap, Colour, Drawing, Shape, Text, WHITE};
use super::font;

/// So many pixels wide is a unit of a drawing: sharp on a slide.
const SCALE: f64 = 2.0;

/// How far the white edge of a text reaches beyond its strokes.
const HALO: f64 = 1.5;

/// The drawing as a PNG file.
pub fn png(drawing: &Drawing) -> Vec<u8> {
    encode(&pixels(drawing))
}

/// Pixels as a PNG file; empty if there are none.
pub fn encode(bitmap: &Bitmap) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, bitmap.columns as u32, bitmap.rows as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(bitmap.pixels.as_flattened()));
    if written.is_ok() { out } else { Vec::new() }
}

fn pixels(drawing: &Drawing) -> Bitmap {
    let (columns, rows) = ((drawing.width * SCALE).round() as usize, (drawing.height * SCALE).round() as usize);
    let mut canvas = Canvas { bitmap: Bitmap { columns, rows, pixels: vec![WHITE; columns * rows] } };
    for shape in &drawing.shapes {
        canvas.draw(shape);
    }
    canvas.bitmap
}

struct Canvas {
    bitmap: Bitmap,
}

impl Canvas {
    fn draw(&mut self, shape: &Shape) {
        let scaled = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|(x, y)| (x * SCALE, y * SCALE)).collect()
        };
        match shape {
            Shape::Box { x, y, width, height, colour } => {
                self.fill((x * SCALE, y * SCALE), ((x + width) * SCALE, (y + height) * SCALE), &|_, _| *colour);
            }
            Shape::Bitmap { x, y, width, height, bitmap } => {
                let (from, size) = ((x * SCALE, y * SCALE), (width * SCALE, height * SCALE));
                self.fill(from, (from.0 + size.0, from.1 + size.1), &|x, y| {
                    let place = |at: f64, from: f64, size: f64, count: usize| {
                        (((at - from) / size * count as f64).max(0.0) as usize).min(count.saturating_sub(1))
                    };
                    let column = place(x, from.0, size.0, bitmap.columns);
                    bitmap.pixels[place(y, from.1, size.1, bitmap.rows) * bitmap.columns + column]
                });
            }
            Shape::Line { points, width, colour } => self.stroke(&scaled(points), width * SCALE / 2.0, *colour, 1.0),
            Shape::Dots { points, radius, colour, opacity } => {
                for point in scaled(points) {
                    self.stroke(&[point], radius * SCALE, *colour, *opacity);
                }
            }
            Shape::Text(text) => self.text(text),
        }
    }

    fn text(&mut self, text: &Text) {
        let (strokes, width) = font::strokes(&text.text, text.size);
        let before = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        let thick = text.size * if text.bold { 0.065 } else { 0.045 };
        let placed = |(x, y): &(f64, f64)| {
            let (x, y) = (x - before, *y);
            let (x, y) = if text.turned { (y, -x) } else { (x, y) };
            ((text.x + x) * SCALE, (text.y + y) * SCALE)
        };
        let strokes: Vec<Vec<(f64, f64)>> =
            strokes.iter().map(|stroke| stroke.iter().map(placed).collect()).collect();
        if text.has_halo {
            strokes.iter().for_each(|points| self.stroke(points, (thick + HALO) * SCALE, WHITE, 1.0));
        }
        strokes.iter().for_each(|points| self.stroke(points, thick * SCALE, text.colour, 1.0));
    }

    /// Gives each pixel of a box its colour, by the pixel's middle; pixels at the edge by the part that is inside.
    fn fill(&mut self, from: (f64, f64), to: (f64, f64), colour: &dyn Fn(f64, f64) -> Colour) {
        let part = |at: usize, from: f64, to: f64| ((at + 1) as f64).min(to) - (at as f64).max(from);
        for row in from.1.max(0.0) as usize..(to.1.ceil().max(0.0) as usize).min(self.bitmap.rows) {
            for column in from.0.max(0.0) as usize..(to.0.ceil().max(0.0) as usize).min(self.bitmap.columns) {
                let covered = part(column, from.0, to.0).max(0.0) * part(row, from.1, to.1).max(0.0);
                let colour = colour(column as f64 + 0.5, row as f64 + 0.5);
                self.blend(column, row, colour, covered);
            }
        }
    }

    fn blend(&mut self, column: usize, row: usize, colour: Colour, share: f64) {
        let pixel = &mut self.bitmap.pixels[row * self.bitmap.columns + column];
        for (old, new) in pixel.iter_mut().zip(colour) {
            *old = (f64::from(*old) * (1.0 - share) + f64::from(new) * share).round() as u8;
        }
    }

    /// A line with round ends and corners; of one point a disc. Each pixel is drawn once, by its distance to the
    /// line, so that lines are smooth.
    fn stroke(&mut self, points: &[(f64, f64)], radius: f64, colour: Colour, opacity: f64) {
        let radius = radius.max(0.5);
        let runs: Vec<[(f64, f64); 2]> = match points {
            [] => return,
            [point] => vec![[*point, *point]],
            points => points.windows(2).map(|pair| [pair[0], pair[1]]).collect(),
        };
        // Pieces are drawn by themselves; where two meet, the pixel keeps what it has of the darker one.
        let mut seen: std::collections::HashMap<(usize, usize), f64> = std::collections::HashMap::new();
        for [a, b] in runs {
            let reach = radius + 1.0;
            let range = |a: f64, b: f64, most: usize| {
                let from = (a.min(b) - reach).max(0.0) as usize;
                from..((a.max(b) + reach).ceil().max(0.0) as usize).min(most)
            };
            for row in range(a.1, b.1, self.bitmap.rows) {
                // Only what lies near the line in this row.
                let (left, right) = near(a, b, row as f64 + 0.5, reach);
                for column in range(left, right, self.bitmap.columns) {
                    let covered = radius + 0.5 - distance((column as f64 + 0.5, row as f64 + 0.5), a, b);
                    if covered > 0.0 {
                        let most = seen.entry((column, row)).or_default();
                        *most = most.max(covered.min(1.0));
                    }
                }
            }
        }
        for ((column, row), covered) in seen {
            self.blend(column, row, colour, covered * opacity);
        }
    }
}

/// From where to where a line is at most `reach` above or below a height.
fn near(a: (f64, f64), b: (f64, f64), y: f64, reach: f64) -> (f64, f64) {
    let rise = b.1 - a.1;
    if rise.abs() < 1e-9 {
        return (a.0, b.0);
    }
    let at = |y: f64| a.0 + (b.0 - a.0) * ((y - a.1) / rise).clamp(0.0, 1.0);
    (at(y - reach), at(y + reach))
}

/// How far a point is from a piece of a line.
fn distance((x, y): (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { (((x - a.0) * dx + (y - a.1) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    (x - a.0 - along * dx).hypot(y - a.1 - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_there() {
        let mut drawing = Drawing::new(20.0, 10.0);
        drawing.line(&[(2.0, 5.0), (18.0, 5.0)], 2.0, [255, 0, 0]);
        drawing.rectangle((0.0, 0.0), (2.0, 2.0), [0, 0, 255]);
        let drawn = pixels(&drawing);
        let at = |x: usize, y: usize| drawn.pixels[y * drawn.columns + x];
        assert_eq!((drawn.columns, drawn.rows), (40, 20));
        assert_eq!(at(20, 10), [255, 0, 0]);
        assert_eq!(at(1, 1), [0, 0, 255]);
        assert_eq!(at(20, 2), WHITE);
    }

    #[test]
    fn a_file_that_is_read_back() {
        let bitmap = Bitmap { columns: 2, rows: 1, pixels: vec![[1, 2, 3], [4, 5, 6]] };
        let file = encode(&bitmap);
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let mut bytes = vec![0; 6];
        reader.next_frame(&mut bytes).unwrap();
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6]);
    }
}
