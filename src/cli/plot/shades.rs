//! Charts that are no curves, in characters.

use super::bars::{counts, places};
use super::cells::{Images, short};
use super::curves::series;
use super::plane::Plane;
use crate::ir::program::PlotKind;
use crate::runtime::events::Chart;

const WIDTH: usize = 48;
/// From nothing to all.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];
/// More rows or columns of a matrix or image are left out in a sketch.
const MOST: usize = 64;
/// Of a matrix with no more rows and columns the numbers are shown.
const WRITTEN: usize = 12;
const MOST_IMAGES: usize = 4;

/// A line for each bar.
pub fn bars(chart: &Chart) -> String {
    let series = series(chart);
    let count = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let labels = places(chart, count);
    let mut lines = titled(chart);
    for (name, values) in &series {
        if series.len() > 1 {
            lines.push(name.clone());
        }
        let rows = values.iter().enumerate();
        let rows = rows.map(|(at, value)| (labels.get(at).cloned().unwrap_or_default(), *value));
        lines.extend(lengths(&rows.collect::<Vec<_>>()));
    }
    lines.join("\n")
}

pub fn histogram(chart: &Chart) -> String {
    let counted = counts(chart);
    let mut lines = titled(chart);
    for (name, counts) in &counted.series {
        if counted.series.len() > 1 {
            lines.push(name.clone());
        }
        let width = (counted.x.to - counted.x.from) / counted.bins as f64;
        let from = |at: usize| counted.x.from + width * at as f64;
        let rows = counts.iter().enumerate();
        let rows = rows.map(|(at, count)| (format!("{}…{}", short(from(at)), short(from(at + 1))), *count as f64));
        lines.extend(lengths(&rows.collect::<Vec<_>>()));
    }
    lines.join("\n")
}

/// Numbers as lengths of lines behind their names; of negative ones the size.
fn lengths(rows: &[(String, f64)]) -> Vec<String> {
    let finite = rows.iter().map(|(_, value)| value.abs()).filter(|value| value.is_finite());
    let greatest = finite.fold(0.0, f64::max);
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(String, f64)| {
        let share = if greatest > 0.0 && value.is_finite() { value.abs() / greatest } else { 0.0 };
        let length = (share * WIDTH as f64).round() as usize;
        let mark = if *value < 0.0 { "▒" } else { "█" };
        format!("{name:>widest$} │{} {}", mark.repeat(length), short(*value))
    };
    rows.iter().map(line).collect()
}

pub fn heat(chart: &Chart) -> String {
    let mut lines = titled(chart);
    let Some(array) = chart.column("y0") else { return lines.join("\n") };
    let (rows, columns) = (array.rows(), array.row_len());
    let values = array.to_f64();
    if (1..=WRITTEN).contains(&rows) && (1..=WRITTEN).contains(&columns) {
        lines.extend(written(&values, columns, &chart.labels));
        return lines.join("\n");
    }
    let range = super::axis::Axis::around(values.iter().copied().filter(|value| value.is_finite()));
    for row in 0..rows.min(MOST) {
        let cells = (0..columns.min(MOST)).flat_map(|column| [range.place(values[row * columns + column]); 2]);
        lines.push(cells.map(shade).collect());
    }
    lines.push(format!("{} {}   {} {}", SHADES[1], short(range.from), SHADES[4], short(range.to)));
    lines.join("\n")
}

/// A small matrix as numbers, below and beside the names of its columns and rows if there are as many.
fn written(values: &[f64], columns: usize, labels: &[String]) -> Vec<String> {
    let name = |at: usize, count: usize| match labels.len() == count {
        true => labels[at].clone(),
        false => String::new(),
    };
    let rows = values.len() / columns;
    let mut table: Vec<Vec<String>> = Vec::new();
    if labels.len() == columns {
        table.push(std::iter::once(String::new()).chain(labels.iter().cloned()).collect());
    }
    for (at, row) in values.chunks(columns).enumerate() {
        table.push(std::iter::once(name(at, rows)).chain(row.iter().map(|value| short(*value))).collect());
    }
    let width = |at: usize| table.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=columns).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        padded.collect::<Vec<_>>().join("  ")
    };
    table.iter().map(line).collect()
}

/// The first images, side by side.
pub fn images(chart: &Chart) -> String {
    let mut lines = titled(chart);
    let Some(images) = chart.column("y0").map(Images::of) else { return lines.join("\n") };
    let shown = images.count.min(MOST_IMAGES);
    for row in 0..images.height.min(MOST) {
        let of_image = |image: usize| -> String {
            let columns = 0..images.width.min(MOST / shown.max(1));
            columns.flat_map(|column| [shade(images.brightness(image, 0, row, column)); 2]).collect()
        };
        lines.push((0..shown).map(of_image).collect::<Vec<_>>().join("  "));
    }
    if shown < images.count {
        lines.push(format!("{shown} of {} images", images.count));
    }
    lines.join("\n")
}

/// Classes as digits, heights as shades; `None` if the points are no lattice.
pub fn plane(chart: &Chart) -> Option<String> {
    let plane = Plane::of(chart)?;
    let range = plane.range();
    let mut lines = titled(chart);
    let (columns, rows) = (plane.x.len(), plane.y.len());
    // Characters are twice as high as they are wide.
    let (across, down) = (columns.clamp(2, WIDTH), rows.clamp(2, WIDTH / 2));
    for row in (0..down).rev() {
        let of_column = |column: usize| {
            let at = (row * (rows - 1) / (down - 1)) * columns + column * (columns - 1) / (across - 1);
            match chart.kind {
                PlotKind::Levels => shade(range.place(plane.values[at])),
                _ => char::from_digit(plane.values[at] as u32 % 36, 36).unwrap_or('?'),
            }
        };
        lines.push((0..across).map(of_column).collect());
    }
    let ends = |values: &[f64]| (short(values.first().copied().unwrap_or(0.0)), short(values.last().copied().unwrap_or(0.0)));
    let ((left, right), (low, high)) = (ends(&plane.x), ends(&plane.y));
    lines.push(format!("from {left} to {right} across, from {low} to {high} upwards"));
    lines.push(match chart.kind {
        PlotKind::Levels => format!("{} {}   {} {}", SHADES[1], short(range.from), SHADES[4], short(range.to)),
        _ => {
            let named = chart.labels.iter().zip(0..).filter_map(|(label, at)| Some(format!("{} {label}", char::from_digit(at, 36)?)));
            named.collect::<Vec<_>>().join("   ")
        }
    });
    lines.retain(|line| !line.is_empty());
    Some(lines.join("\n"))
}

fn titled(chart: &Chart) -> Vec<String> {
    Some(chart.title.clone()).filter(|title| !title.is_empty()).into_iter().collect()
}

fn shade(share: f64) -> char {
    if !share.is_finite() {
        return '?';
    }
    SHADES[((share * SHADES.len() as f64).max(0.0) as usize).min(SHADES.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::array::Array;

    #[test]
    fn bars_have_their_lengths() {
        let mut chart = Chart::curves("", &[0.0, 1.0], &[("y".to_owned(), vec![1.0, 2.0])]);
        chart.kind = PlotKind::Bars;
        chart.labels = vec!["cat".into(), "dog".into()];
        let text = bars(&chart);
        let lengths: Vec<usize> = text.lines().map(|line| line.matches('█').count()).collect();
        assert_eq!(lengths, [24, 48]);
        assert!(text.starts_with("cat │"));
    }

    #[test]
    fn a_matrix_in_numbers_and_in_shades() {
        let mut chart = Chart::curves("m", &[], &[("y".to_owned(), vec![])]);
        chart.kind = PlotKind::Heat;
        chart.columns[1].1 = Array::floats(&[2, 2], &[0.0, 1.5, 20.0, 4.0]).unwrap();
        assert_eq!(heat(&chart), "m\n   0  1.50\n  20     4");
        chart.labels = vec!["cat".into(), "a dog".into()];
        assert_eq!(heat(&chart), "m\n       cat  a dog\n  cat    0   1.50\na dog   20      4");
        let ramp: Vec<f32> = (0..13).map(|at| at as f32).collect();
        chart.columns[1].1 = Array::floats(&[1, 13], &ramp).unwrap();
        assert!(heat(&chart).lines().nth(1).is_some_and(|line| line.starts_with("    ") && line.ends_with("██")));
    }
}
