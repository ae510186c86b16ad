//! The area that numbers are drawn in: title, axes, legend.

use super::axis::Axis;
use super::drawing::{
    Anchor, Bitmap, Colour, Drawing, FAINT, GREY, INK, LABEL, Shape, Text, cut, shade, width_of,
};
use crate::runtime::events::Chart;
use crate::runtime::format::number_text;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
const RIGHT: f64 = 24.0;
/// The longest names in a picture.
const NAME: usize = 28;

/// How a name stands in the legend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sample {
    Line,
    Dot,
    Box,
}

/// A drawing, and where in it the numbers are.
pub struct Frame {
    pub drawing: Drawing,
    pub x: Axis,
    pub y: Axis,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// What is written along the axes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks<'a> {
    /// Names at 0, 1, 2 … in place of numbers, below and to the left.
    pub x: Option<&'a [String]>,
    pub y: Option<&'a [String]>,
    /// Whether lines go through the area at the numbers.
    pub lines: bool,
}

impl Frame {
    /// An empty area with title, axes and legend. `beside` is room to its right.
    pub fn new(
        chart: &Chart,
        (x, y): (Axis, Axis),
        marks: Marks<'_>,
        legend: &[(String, Colour, Sample)],
        beside: f64,
    ) -> Frame {
        let y_texts = ticks(y, marks.y, 6, false);
        let widest = y_texts.iter().map(|(_, text)| width_of(text, LABEL)).fold(0.0, f64::max);
        let left = (widest + 20.0 + if chart.y_label.is_empty() { 0.0 } else { 22.0 }).max(48.0);
        let right = WIDTH - RIGHT - beside;
        let x_texts = ticks(x, marks.x, 8, true);
        let rows = legend_rows(legend, WIDTH - RIGHT - left);
        let title = if chart.title.is_empty() { 0.0 } else { 26.0 };
        let top = 18.0 + title + 20.0 * rows.len() as f64;
        let bottom = HEIGHT - 32.0 - if chart.x_label.is_empty() { 0.0 } else { 22.0 };
        let drawing = Drawing::new(WIDTH, HEIGHT);
        let mut frame = Frame { drawing, x, y, left, right, top, bottom };
        if !chart.title.is_empty() {
            let text = cut(&chart.title, 80);
            frame.drawing.text(Text { size: 17.0, bold: true, colour: INK, ..plain((left, 28.0), &text) });
        }
        for (at, row) in rows.iter().enumerate() {
            frame.legend(row, title + 22.0 + 20.0 * at as f64);
        }
        frame.axes(&x_texts, &y_texts, marks.lines);
        let middle = f64::midpoint(left, right);
        if !chart.x_label.is_empty() {
            let place = (middle, HEIGHT - 10.0);
            frame.drawing.text(Text { anchor: Anchor::Middle, size: 14.0, colour: INK, ..plain(place, &chart.x_label) });
        }
        if !chart.y_label.is_empty() {
            let place = (18.0, f64::midpoint(top, bottom));
            let text = Text { anchor: Anchor::Middle, size: 14.0, colour: INK, ..plain(place, &chart.y_label) };
            frame.drawing.text(Text { turned: true, ..text });
        }
        frame
    }

    pub fn across(&self, x: f64) -> f64 {
        self.left + self.x.place(x) * (self.right - self.left)
    }

    pub fn up(&self, y: f64) -> f64 {
        self.bottom - self.y.place(y) * (self.bottom - self.top)
    }

    pub fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.across(x), self.up(y))
    }

    /// Dots in the colour of a curve.
    pub fn dots(&mut self, points: Vec<(f64, f64)>, radius: f64, number: usize, opacity: f64) {
        let colour = super::drawing::colour(number);
        self.drawing.shapes.push(Shape::Dots { points, radius, colour, opacity });
    }

    /// A bar from 0 to a height.
    pub fn bar(&mut self, (from, to): (f64, f64), height: f64, number: usize) {
        let (left, right) = (self.across(from), self.across(to));
        let (a, b) = (self.up(0.0), self.up(height));
        let gap = ((right - left) * 0.06).min(1.5);
        let size = ((right - left - gap).max(0.5), (a - b).abs());
        self.drawing.rectangle((left + gap / 2.0, a.min(b)), size, super::drawing::colour(number));
    }

    /// Lines through the area at the numbers of the y axis.
    pub fn lines_across(&mut self) {
        for (number, _) in self.y.ticks(6) {
            let y = self.up(number);
            self.drawing.line(&[(self.left, y), (self.right, y)], 1.0, FAINT);
        }
    }

    /// The scale of shades to the right of the area.
    pub fn scale(&mut self, values: Axis) {
        let (x, height) = (self.right + 16.0, self.bottom - self.top);
        let pixels = (0..128).map(|at| shade(1.0 - f64::from(at) / 127.0)).collect();
        self.drawing.bitmap((x, self.top), (14.0, height), Bitmap { columns: 1, rows: 128, pixels });
        for (value, text) in values.ticks(6) {
            let y = self.bottom - values.place(value) * height;
            self.drawing.line(&[(x + 14.0, y), (x + 18.0, y)], 1.0, GREY);
            self.drawing.label((x + 22.0, y + 4.5), Anchor::Start, &text);
        }
    }

    fn axes(&mut self, x_texts: &[(f64, String)], y_texts: &[(f64, String)], lines: bool) {
        let (left, right, top, bottom) = (self.left, self.right, self.top, self.bottom);
        for (number, text) in x_texts {
            let x = self.across(*number);
            if lines {
                self.drawing.line(&[(x, top), (x, bottom)], 1.0, FAINT);
            }
            self.drawing.label((x, bottom + 19.0), Anchor::Middle, text);
        }
        for (number, text) in y_texts {
            let y = self.up(*number);
            if lines {
                self.drawing.line(&[(left, y), (right, y)], 1.0, FAINT);
            }
            self.drawing.label((left - 8.0, y + 4.5), Anchor::End, text);
        }
        self.drawing.line(&[(left, top), (left, bottom), (right, bottom)], 1.0, GREY);
    }

    fn legend(&mut self, row: &[(String, Colour, Sample)], y: f64) {
        let mut x = self.left;
        for (name, colour, sample) in row {
            match sample {
                Sample::Line => self.drawing.line(&[(x, y - 4.0), (x + 18.0, y - 4.0)], 2.5, *colour),
                Sample::Dot => self.drawing.line(&[(x + 9.0, y - 4.0)], 7.0, *colour),
                Sample::Box => self.drawing.rectangle((x + 4.0, y - 10.0), (12.0, 12.0), *colour),
            }
            self.drawing.text(Text { colour: INK, ..plain((x + 24.0, y), name) });
            x += legend_width(name);
        }
    }
}

/// Room for the scale of [`Frame::scale`].
pub fn room_of_scale(values: Axis) -> f64 {
    let widest = values.ticks(6).iter().map(|(_, text)| width_of(text, LABEL)).fold(0.0, f64::max);
    widest + 30.0
}

pub fn plain(place: (f64, f64), text: &str) -> Text {
    Text::label(place, Anchor::Start, text)
}

fn legend_width(name: &str) -> f64 {
    width_of(name, LABEL) + 44.0
}

/// Names in as many rows as they need; of very many only the first.
fn legend_rows(legend: &[(String, Colour, Sample)], width: f64) -> Vec<Vec<(String, Colour, Sample)>> {
    const MOST: usize = 3;
    let mut rows: Vec<Vec<(String, Colour, Sample)>> = Vec::new();
    let mut used = f64::INFINITY;
    for (name, colour, sample) in legend {
        let name = cut(name, NAME);
        let wide = legend_width(&name);
        if used + wide > width {
            if rows.len() == MOST {
                break;
            }
            rows.push(Vec::new());
            used = 0.0;
        }
        used += wide;
        if let Some(last) = rows.last_mut() {
            last.push((name, *colour, *sample));
        }
    }
    rows
}

/// Where what is written: numbers, or names if there are any. Of names that would lie on each other every second,
/// third, … is left.
fn ticks(axis: Axis, names: Option<&[String]>, about: usize, along: bool) -> Vec<(f64, String)> {
    let Some(names) = names else { return axis.ticks(about) };
    let names: Vec<String> = names.iter().map(|name| cut(name, if along { 16 } else { NAME })).collect();
    let widest = names.iter().map(|name| width_of(name, LABEL) + 10.0).fold(0.0, f64::max);
    let needed = if along { widest } else { 14.0 } * names.len() as f64;
    let every = (needed / if along { 600.0 } else { 360.0 }).ceil().max(1.0) as usize;
    names.into_iter().enumerate().map(|(at, name)| (at as f64, name)).step_by(every).collect()
}

/// 0, 1, 2 … as names.
pub fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|at| number_text(at as f64)).collect()
}
