//! Curves and clouds of points.

use super::axis::Axis;
use super::drawing::{Drawing, colour};
use super::frame::{Frame, Marks, Sample};
use crate::base::order::PutInOrder;
use crate::ir::program::PlotKind;
use crate::runtime::array::Array;
use crate::runtime::events::Chart;

/// A curve with more points is thinned: nobody sees more than this on so few pixels.
const POINTS: usize = 4000;

/// A chart with everything that a picture needs.
pub struct Curves {
    pub curves: Vec<Curve>,
    pub x: Axis,
    pub y: Axis,
}

/// One curve.
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Whether its points are joined: their x never goes back. What jumps about is a cloud of points.
    pub joined: bool,
}

impl Curves {
    /// The curves of a chart: each column of `y0`, `y1`, … over `x`, or over 0, 1, 2 … without one. Points that
    /// are not finite are gaps.
    pub fn of(chart: &Chart) -> Curves {
        let x = chart.column("x").map(Array::to_f64);
        let mut curves = Vec::new();
        for (name, values) in series(chart) {
            let points: Vec<(f64, f64)> = match &x {
                Some(x) => x.iter().copied().zip(values).collect(),
                None => values.into_iter().enumerate().map(|(at, y)| (at as f64, y)).collect(),
            };
            let forward = points.windows(2).all(|pair| pair[0].0 <= pair[1].0);
            curves.push(Curve { name, points, joined: forward && chart.kind != PlotKind::Points });
        }
        let finite = |pick: fn(&(f64, f64)) -> f64| {
            curves.iter().flat_map(|curve| &curve.points).map(pick).filter(|value| value.is_finite())
        };
        let (x, y) = (Axis::around(finite(|point| point.0)), Axis::around(finite(|point| point.1)));
        Curves { curves, x, y }
    }
}

/// The columns of `y0`, `y1`, … with their names.
pub fn series(chart: &Chart) -> Vec<(String, Vec<f64>)> {
    let mut found = Vec::new();
    for (number, text) in chart.series.iter().enumerate() {
        let Some(array) = chart.column(&format!("y{number}")) else { continue };
        let (values, width) = (array.to_f64(), array.row_len().max(1));
        for at in 0..width {
            let name = match chart.names.get(found.len()) {
                Some(name) => name.clone(),
                None if width > 1 => format!("{text}[{at}]"),
                None => text.clone(),
            };
            found.push((name, values.iter().skip(at).step_by(width).copied().collect()));
        }
    }
    found
}

impl Curve {
    /// The runs of finite points.
    pub fn runs(&self) -> impl Iterator<Item = &[(f64, f64)]> {
        self.points.split(|(x, y)| !x.is_finite() || !y.is_finite()).filter(|run| !run.is_empty())
    }
}

pub fn draw(chart: &Chart) -> Drawing {
    let curves = Curves::of(chart);
    let sample = |curve: &Curve| if curve.joined { Sample::Line } else { Sample::Dot };
    let named = curves.curves.iter().enumerate();
    let legend: Vec<_> = named.map(|(at, curve)| (curve.name.clone(), colour(at), sample(curve))).collect();
    // Points at the edge are whole, and curves leave some air.
    let axes = if curves.curves.iter().all(|curve| curve.joined) {
        (curves.x, curves.y.wider(0.02))
    } else {
        (curves.x.wider(0.03), curves.y.wider(0.03))
    };
    let marks = Marks { lines: true, ..Marks::default() };
    let mut frame = Frame::new(chart, axes, marks, &legend, 0.0);
    for (number, curve) in curves.curves.iter().enumerate() {
        for run in curve.runs() {
            let points: Vec<(f64, f64)> = thinned(run).iter().map(|point| frame.place(*point)).collect();
            if curve.joined && run.len() > 1 {
                frame.drawing.line(&points, 2.0, colour(number));
            } else {
                frame.dots(points, 2.6, number, 0.6);
            }
        }
    }
    frame.drawing
}

/// At most [`POINTS`] points: of each group the least and the greatest, so that no peak is lost.
fn thinned(run: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if run.len() <= POINTS {
        return run.to_vec();
    }
    let group = run.len().div_ceil(POINTS / 2);
    let ends = run.chunks(group).flat_map(|points| {
        let by_y = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let ends = [points.iter().min_by(by_y), points.iter().max_by(by_y)];
        let mut ends: Vec<(f64, f64)> = ends.into_iter().flatten().copied().collect();
        ends.put_in_order_by(|a, b| a.0.total_cmp(&b.0));
        ends
    });
    ends.collect()
}
