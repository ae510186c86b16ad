//! Numbers as colours: heat maps, and grids of images.

use super::axis::Axis;
use super::drawing::{Anchor, Bitmap, Colour, Drawing, INK, Text, WHITE, cut, shade};
use super::frame::{Frame, Marks, numbers, plain, room_of_scale};
use crate::runtime::array::Array;
use crate::runtime::events::Chart;
use crate::runtime::format::number_text;

/// In larger maps the numbers do not stand in the cells.
const WRITTEN: usize = 12;
/// More images than these are not told apart.
const MOST_IMAGES: usize = 144;

/// A matrix: rows from above to below, a colour for each number.
pub fn heat(chart: &Chart) -> Drawing {
    let Some(array) = chart.column("y0") else { return Drawing::new(720.0, 440.0) };
    let (rows, columns) = (array.rows(), array.row_len());
    let values = array.to_f64();
    let range = Axis::around(values.iter().copied().filter(|value| value.is_finite()));
    let axes = (
        Axis { from: -0.5, to: columns.max(1) as f64 - 0.5 },
        Axis { from: rows.max(1) as f64 - 0.5, to: -0.5 },
    );
    let has = |count: usize| chart.labels.len() == count;
    let names = |count: usize| if has(count) { chart.labels.clone() } else { numbers(count) };
    let (x, y) = (names(columns), names(rows));
    let marks = Marks { x: Some(&x), y: Some(&y), lines: false };
    let mut frame = Frame::new(chart, axes, marks, &[], room_of_scale(range));
    if rows == 0 || columns == 0 {
        return frame.drawing;
    }
    let pixels = values.iter().map(|value| shade(range.place(*value))).collect();
    let size = (frame.right - frame.left, frame.bottom - frame.top);
    frame.drawing.bitmap((frame.left, frame.top), size, Bitmap { columns, rows, pixels });
    if rows <= WRITTEN && columns <= WRITTEN {
        for (at, value) in values.iter().enumerate() {
            let (x, y) = frame.place(((at % columns) as f64, (at / columns) as f64));
            let colour = if range.place(*value) > 0.6 { INK } else { WHITE };
            let text = short(*value);
            frame.drawing.text(Text { anchor: Anchor::Middle, colour, ..plain((x, y + 4.5), &text) });
        }
    }
    frame.scale(range);
    frame.drawing
}

/// A number in few digits.
pub fn short(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e6 {
        return number_text(value);
    }
    if (0.01..1e4).contains(&value.abs()) {
        let digits = if value.abs() < 10.0 { 2 } else { 1 };
        return format!("{value:.digits$}");
    }
    format!("{value:.1e}")
}

/// The images of a chart: how many, and the height, width and channels of each.
pub struct Images {
    pub count: usize,
    pub height: usize,
    pub width: usize,
    channels: usize,
    values: Vec<f64>,
    range: Axis,
}

impl Images {
    pub fn of(array: &Array) -> Images {
        let shape = array.shape();
        let (count, channels, height, width) = match shape {
            [height, width] => (1, 1, *height, *width),
            [count, height, width] => (*count, 1, *height, *width),
            [count, channels, height, width] => (*count, *channels, *height, *width),
            _ => (0, 1, 0, 0),
        };
        let values = array.to_f64().into_owned();
        let range = Axis::around(values.iter().copied().filter(|value| value.is_finite()));
        Images { count: count.min(MOST_IMAGES), height, width, channels, values, range }
    }

    /// How bright a place of an image is, from 0 to 1.
    pub fn brightness(&self, image: usize, channel: usize, row: usize, column: usize) -> f64 {
        let at = ((image * self.channels + channel) * self.height + row) * self.width + column;
        self.range.place(self.values[at])
    }

    fn bitmap(&self, image: usize) -> Bitmap {
        let pixel = |at: usize| -> Colour {
            let (row, column) = (at / self.width, at % self.width);
            let part = |channel: usize| {
                let share = self.brightness(image, channel, row, column);
                if share.is_finite() { (share * 255.0).round() as u8 } else { 0 }
            };
            if self.channels == 3 { [part(0), part(1), part(2)] } else { [part(0); 3] }
        };
        Bitmap {
            columns: self.width,
            rows: self.height,
            pixels: (0..self.width * self.height).map(pixel).collect(),
        }
    }
}

/// Images in rows, each with its label below. Black is the least number of all, white the greatest.
pub fn images(chart: &Chart) -> Drawing {
    let (width, height, edge) = (720.0, 440.0, 24.0);
    let mut drawing = Drawing::new(width, height);
    let Some(images) = chart.column("y0").map(Images::of) else { return drawing };
    let top = if chart.title.is_empty() { edge } else { 44.0 };
    if !chart.title.is_empty() {
        drawing.text(Text { size: 17.0, bold: true, colour: INK, ..plain((edge, 28.0), &cut(&chart.title, 80)) });
    }
    if images.count == 0 || images.width == 0 || images.height == 0 {
        return drawing;
    }
    let label = if chart.labels.is_empty() { 4.0 } else { 22.0 };
    let (room_x, room_y) = (width - 2.0 * edge, height - top - 12.0);
    // As many columns as make the images largest.
    let size_with = |columns: usize| {
        let rows = images.count.div_ceil(columns);
        let wide = (room_x / columns as f64 - 6.0) / images.width as f64;
        wide.min((room_y / rows as f64 - label) / images.height as f64)
    };
    let columns = (1..=images.count).max_by(|a, b| size_with(*a).total_cmp(&size_with(*b))).unwrap_or(1);
    let scale = size_with(columns).max(0.1);
    let (wide, high) = (images.width as f64 * scale, images.height as f64 * scale);
    for image in 0..images.count {
        let x = edge + (image % columns) as f64 * (wide + 6.0);
        let y = top + (image / columns) as f64 * (high + label);
        drawing.bitmap((x, y), (wide, high), images.bitmap(image));
        if let Some(text) = chart.labels.get(image) {
            let most = ((wide / 7.0) as usize).max(3);
            drawing.label((x + wide / 2.0, y + high + 14.0), Anchor::Middle, &cut(text, most));
        }
    }
    drawing
}
