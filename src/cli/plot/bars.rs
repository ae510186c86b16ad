//! Bars, and histograms as bars.

use super::axis::Axis;
use super::curves::series;
use super::drawing::{Drawing, GREY, colour};
use super::frame::{Frame, Marks, Sample, numbers};
use crate::runtime::array::Array;
use crate::runtime::events::Chart;

/// The most bars of a histogram that nobody has given a number of.
const MOST_BINS: usize = 60;

/// A bar for each number; several series stand side by side.
pub fn draw(chart: &Chart) -> Drawing {
    let series = series(chart);
    let count = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let values = || series.iter().flat_map(|(_, values)| values).copied().filter(|value| value.is_finite());
    let y = Axis::around(values().chain([0.0])).above(0.05);
    let x = Axis { from: -0.5, to: count.max(1) as f64 - 0.5 };
    let labels = places(chart, count);
    let marks = Marks { x: Some(&labels), lines: false, ..Marks::default() };
    let legend: Vec<_> = match series.len() {
        1 if chart.names.is_empty() => Vec::new(),
        _ => series.iter().enumerate().map(|(at, (name, _))| (name.clone(), colour(at), Sample::Box)).collect(),
    };
    let mut frame = Frame::new(chart, (x, y), marks, &legend, 0.0);
    frame.lines_across();
    let wide = 0.8 / series.len().max(1) as f64;
    for (number, (_, values)) in series.iter().enumerate() {
        for (at, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            let left = at as f64 - 0.4 + wide * number as f64;
            frame.bar((left, left + wide), *value, number);
        }
    }
    let zero = frame.up(0.0);
    frame.drawing.line(&[(frame.left, zero), (frame.right, zero)], 1.0, GREY);
    frame.drawing
}

/// What stands below the bars: names, the numbers of `x`, or 0, 1, 2, ….
pub fn places(chart: &Chart, count: usize) -> Vec<String> {
    if !chart.labels.is_empty() {
        return chart.labels.clone();
    }
    match chart.column("x") {
        Some(x) => x.to_f64().iter().map(|x| crate::runtime::format::number_text(*x)).collect(),
        None => numbers(count),
    }
}

/// How many numbers lie between which.
pub struct Counts {
    pub x: Axis,
    pub bins: usize,
    /// The names of the series, and how many of its numbers lie in each part.
    pub series: Vec<(String, Vec<u64>)>,
}

/// The counts of a histogram.
pub fn counts(chart: &Chart) -> Counts {
    let array = |number: usize| chart.column(&format!("y{number}")).map(Array::to_f64).unwrap_or_default();
    let named = chart.series.iter().enumerate().map(|(number, text)| {
        let finite: Vec<f64> = array(number).iter().copied().filter(|value| value.is_finite()).collect();
        (chart.names.get(number).unwrap_or(text).clone(), finite)
    });
    let series: Vec<(String, Vec<f64>)> = named.collect();
    let x = Axis::around(series.iter().flat_map(|(_, values)| values).copied());
    let most = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    // As many as twice the cube root: Rice's rule.
    let bins = chart.bins.unwrap_or(((2.0 * (most as f64).cbrt()).ceil() as usize).clamp(5, MOST_BINS));
    let count = |values: &Vec<f64>| {
        let mut counts = vec![0u64; bins];
        for value in values {
            counts[((x.place(*value) * bins as f64) as usize).min(bins - 1)] += 1;
        }
        counts
    };
    Counts { x, bins, series: series.iter().map(|(name, values)| (name.clone(), count(values))).collect() }
}

/// How often numbers lie in each part of their range; several series lie over each other as outlines.
pub fn histogram(chart: &Chart) -> Drawing {
    let Counts { x, bins, series } = counts(chart);
    let greatest = series.iter().flat_map(|(_, counts)| counts).copied().max().unwrap_or(1).max(1);
    let y = Axis { from: 0.0, to: greatest as f64 }.above(0.05);
    let legend: Vec<_> = match series.len() {
        1 if chart.names.is_empty() => Vec::new(),
        _ => series.iter().enumerate().map(|(at, (name, _))| (name.clone(), colour(at), Sample::Box)).collect(),
    };
    let mut frame = Frame::new(chart, (x, y), Marks::default(), &legend, 0.0);
    frame.lines_across();
    let edge = |at: usize| x.from + (x.to - x.from) * at as f64 / bins as f64;
    for (number, (_, counts)) in series.iter().enumerate() {
        if series.len() == 1 {
            for (at, count) in counts.iter().enumerate() {
                frame.bar((edge(at), edge(at + 1)), *count as f64, number);
            }
            continue;
        }
        let mut outline = vec![frame.place((x.from, 0.0))];
        for (at, count) in counts.iter().enumerate() {
            outline.extend([frame.place((edge(at), *count as f64)), frame.place((edge(at + 1), *count as f64))]);
        }
        outline.push(frame.place((x.to, 0.0)));
        frame.drawing.line(&outline, 2.0, colour(number));
    }
    frame.drawing
}
