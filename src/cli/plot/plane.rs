//! What a function of two numbers gives: the regions of classes, and curves of equal height.

use super::axis::Axis;
use super::drawing::{Bitmap, Colour, Drawing, INK, WHITE, colour, shade, tint};
use super::frame::{Frame, Marks, Sample, room_of_scale};
use crate::ir::program::PlotKind;
use crate::runtime::array::Array;
use crate::runtime::events::Chart;

/// Values at all crossings of some x with some y.
pub struct Plane {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// For each y from below, for each x.
    pub values: Vec<f64>,
    /// The number of classes, if the values are these.
    pub classes: usize,
    points: Vec<(f64, f64)>,
    marks: Vec<usize>,
}

impl Plane {
    /// `None` if the points are not all crossings of a lattice, each once.
    pub fn of(chart: &Chart) -> Option<Plane> {
        let places = pairs(chart.column("x")?);
        let sorted = |pick: fn(&(f64, f64)) -> f64| {
            let mut numbers: Vec<f64> = places.iter().map(pick).collect();
            numbers.sort_by(f64::total_cmp);
            // What differs by rounding only is one line of the lattice.
            let room = (numbers.last()? - numbers.first()?) * 1e-6;
            numbers.dedup_by(|a, b| *a - *b <= room);
            Some(numbers)
        };
        let (x, y) = (sorted(|place| place.0)?, sorted(|place| place.1)?);
        if x.len() < 2 || y.len() < 2 || x.len() * y.len() != places.len() {
            return None;
        }
        let heights = heights(chart)?;
        let nearest = |numbers: &[f64], number: f64| {
            let at = numbers.partition_point(|known| *known < number);
            let before = at.saturating_sub(1);
            let at = at.min(numbers.len() - 1);
            if (number - numbers[before]).abs() < (numbers[at] - number).abs() { before } else { at }
        };
        let mut values = vec![f64::NAN; places.len()];
        let mut seen = vec![false; places.len()];
        for ((px, py), value) in places.iter().zip(heights) {
            let at = nearest(&y, *py) * x.len() + nearest(&x, *px);
            values[at] = value;
            seen[at] = true;
        }
        if seen.contains(&false) {
            return None;
        }
        let points = chart.column("y1").map(pairs).unwrap_or_default();
        let marks: Vec<usize> = chart.column("y2").map(classes).unwrap_or_default();
        let of_values = values.iter().filter(|_| chart.kind == PlotKind::Regions).map(|value| *value as usize);
        let most = of_values.chain(marks.iter().copied()).max().unwrap_or(0);
        Some(Plane { x, y, values, classes: most + 1, points, marks })
    }

    /// From the edges of the outermost cells, of which the crossings are the middles.
    fn axes(&self) -> (Axis, Axis) {
        let ends = |numbers: &[f64]| Axis::around(numbers.iter().copied()).wider(0.5 / (numbers.len() - 1) as f64);
        (ends(&self.x), ends(&self.y))
    }

    /// The least and the greatest value.
    pub fn range(&self) -> Axis {
        Axis::around(self.values.iter().copied().filter(|value| value.is_finite()))
    }
}

/// A tensor of two columns as points.
fn pairs(array: &Array) -> Vec<(f64, f64)> {
    array.to_f64().chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Numbers of classes.
fn classes(array: &Array) -> Vec<usize> {
    array.to_f64().iter().map(|class| class.max(0.0).round() as usize).collect()
}

/// A value for each point; of several columns the number of the greatest.
fn heights(chart: &Chart) -> Option<Vec<f64>> {
    let array = chart.column("y0")?;
    let (values, width) = (array.to_f64(), array.row_len().max(1));
    if array.shape().len() == 1 || chart.kind == PlotKind::Levels {
        return Some(values.iter().copied().step_by(width).collect());
    }
    let best = |row: &[f64]| {
        let pairs = row.iter().enumerate();
        pairs.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0.0, |(at, _)| at as f64)
    };
    Some(values.chunks_exact(width).map(best).collect())
}

pub fn draw(chart: &Chart) -> Option<Drawing> {
    let plane = Plane::of(chart)?;
    let axes = plane.axes();
    let is_levels = chart.kind == PlotKind::Levels;
    let range = plane.range();
    let name = |class: usize| chart.labels.get(class).cloned().unwrap_or_else(|| class.to_string());
    let legend: Vec<_> = match is_levels && plane.marks.is_empty() {
        true => Vec::new(),
        false => (0..plane.classes.min(12)).map(|class| (name(class), colour(class), Sample::Dot)).collect(),
    };
    let beside = if is_levels { room_of_scale(range) } else { 0.0 };
    let mut frame = Frame::new(chart, axes, Marks::default(), &legend, beside);
    let (columns, rows) = (plane.x.len(), plane.y.len());
    let pixel = |at: usize| -> Colour {
        let value = plane.values[(rows - 1 - at / columns) * columns + at % columns];
        match is_levels {
            true => shade(range.place(value)),
            false if value.is_finite() => tint(colour(value as usize), 0.35),
            false => WHITE,
        }
    };
    let pixels = (0..columns * rows).map(pixel).collect();
    let size = (frame.right - frame.left, frame.bottom - frame.top);
    frame.drawing.bitmap((frame.left, frame.top), size, Bitmap { columns, rows, pixels });
    if is_levels {
        // At the ends of the range there is rounding to be seen, and nothing else.
        let inner = range.ticks(10).into_iter().filter(|(level, _)| (0.01..0.99).contains(&range.place(*level)));
        for (level, _) in inner {
            for (from, to) in contour(&plane, level) {
                let ends = [frame.place(from), frame.place(to)];
                frame.drawing.line(&ends, 1.0, WHITE);
            }
        }
        frame.scale(range);
    }
    marks(&mut frame, &plane);
    Some(frame.drawing)
}

/// The points of the data, in the colours of their classes.
fn marks(frame: &mut Frame, plane: &Plane) {
    let inside = |point: &(f64, f64)| {
        let within = |axis: Axis, at: f64| at.is_finite() && (0.0..=1.0).contains(&axis.place(at));
        within(frame.x, point.0) && within(frame.y, point.1)
    };
    let numbered = plane.points.iter().enumerate().filter(|(_, point)| inside(point));
    let placed: Vec<((f64, f64), Colour)> = numbered
        .map(|(at, point)| (frame.place(*point), plane.marks.get(at).map_or(INK, |class| colour(*class))))
        .collect();
    // A white ring tells a point from its region.
    for (place, colour) in placed {
        frame.drawing.line(&[place], 8.0, WHITE);
        frame.drawing.line(&[place], 6.0, colour);
    }
}

type Place = (f64, f64);

/// Where the values pass a level, as pieces of lines: in each cell between four crossings.
fn contour(plane: &Plane, level: f64) -> Vec<(Place, Place)> {
    let columns = plane.x.len();
    let mut found = Vec::new();
    for row in 0..plane.y.len() - 1 {
        for column in 0..columns - 1 {
            let corner = |right: usize, above: usize| {
                let place = (plane.x[column + right], plane.y[row + above]);
                (place, plane.values[(row + above) * columns + column + right] - level)
            };
            let around = [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)];
            if around.iter().any(|(_, value)| !value.is_finite()) {
                continue;
            }
            let crossing = |side: usize| {
                let ((a, below), (b, above)) = (around[side], around[(side + 1) % 4]);
                let part = below / (below - above);
                ((below < 0.0) != (above < 0.0)).then_some((a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part))
            };
            let places: Vec<Place> = (0..4).filter_map(crossing).collect();
            found.extend(places.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
    }
    found
}
