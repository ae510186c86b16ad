//! Arrays as text, the way NumPy prints them: aligned columns, few digits, `…` where much is left out.
//!
//! ```text
//! [[0.0271  0.973]
//!  [0.9581 0.0419]]
//! ```

use super::array::{Array, Elements};

/// Arrays with more elements are summarised.
const SUMMARISE_ABOVE: usize = 1000;
/// How many elements at each end of an axis a summary shows.
const EDGE: usize = 3;
/// A line is broken before it is longer.
const WIDTH: usize = 100;
/// Digits behind the point.
const DECIMALS: usize = 4;

/// The array as text, without a line end.
pub fn array_text(array: &Array) -> String {
    let summarise = array.elements().len() > SUMMARISE_ABOVE;
    let shown = shown_positions(array.shape(), summarise);
    let style = Style::of(array.elements(), &shown);
    let mut printer = Printer { array, style, summarise, width: 0, out: String::new() };
    let cells = shown.iter().map(|at| printer.style.cell(array.elements(), *at));
    printer.width = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
    if array.shape().is_empty() {
        printer.width = 0;
    }
    printer.axis(0, 0);
    printer.out
}

/// One number with six significant digits, as messages and progress lines show it.
pub fn number_text(value: f64) -> String {
    if !value.is_finite() {
        return non_finite(value);
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) {
        let text = format!("{value:.3e}");
        return text;
    }
    let decimals = if magnitude >= 1.0 { 6usize.saturating_sub(digits_before(magnitude)) } else { 6 };
    trim_zeros(&format!("{value:.decimals$}"))
}

fn digits_before(magnitude: f64) -> usize {
    magnitude.log10().floor() as usize + 1
}

fn trim_zeros(text: &str) -> String {
    if !text.contains('.') {
        return text.to_owned();
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn non_finite(value: f64) -> String {
    let text = if value.is_nan() {
        "nan"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    };
    text.to_owned()
}

/// How all elements of one array are written.
enum Style {
    /// Digits behind the point; a whole number keeps its point: `1.`.
    Fixed(usize),
    /// Digits behind the point of the mantissa.
    Scientific(usize),
    Whole,
}

impl Style {
    fn of(elements: &Elements, shown: &[usize]) -> Style {
        let value = |at: &usize| match elements {
            Elements::F32(values) => Some(f64::from(values[*at])),
            Elements::F64(values) => Some(values[*at]),
            Elements::I32(_) | Elements::I64(_) | Elements::U8(_) | Elements::Bool(_) => None,
        };
        let finite: Vec<f64> =
            shown.iter().filter_map(value).filter(|value| value.is_finite()).map(f64::abs).collect();
        match elements {
            Elements::I32(_) | Elements::I64(_) => return Style::Whole,
            Elements::U8(_) | Elements::Bool(_) => return Style::Whole,
            Elements::F32(_) | Elements::F64(_) => {}
        }
        let greatest = finite.iter().copied().fold(0.0, f64::max);
        let least = finite.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        if greatest >= 1e6 || (least < 1e-4 && (greatest < 1e-2 || finite.len() == 1)) {
            return Style::Scientific(DECIMALS);
        }
        // A single number shows six digits, an array four decimals.
        let most = if finite.len() == 1 && greatest < 1.0 { 6 } else { DECIMALS };
        let needed = finite.iter().map(|value| decimals_of(*value, most)).max().unwrap_or(0);
        Style::Fixed(needed)
    }

    fn cell(&self, elements: &Elements, at: usize) -> String {
        let float = |value: f64| match self {
            _ if !value.is_finite() => non_finite(value),
            Style::Scientific(digits) => format!("{value:.digits$e}"),
            Style::Fixed(0) => format!("{value:.0}."),
            Style::Fixed(decimals) => format!("{value:.decimals$}"),
            Style::Whole => format!("{value}"),
        };
        match elements {
            Elements::F32(values) => float(f64::from(values[at])),
            Elements::F64(values) => float(values[at]),
            Elements::I32(values) => values[at].to_string(),
            Elements::I64(values) => values[at].to_string(),
            Elements::U8(values) => values[at].to_string(),
            Elements::Bool(values) => values[at].to_string(),
        }
    }
}

/// How many decimals, at most `most`, show the value as well as `most` would.
fn decimals_of(value: f64, most: usize) -> usize {
    let text = format!("{value:.most$}");
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    fraction.trim_end_matches('0').len()
}

/// The places, in order, that are printed.
fn shown_positions(shape: &[usize], summarise: bool) -> Vec<usize> {
    let mut positions = vec![0];
    for size in shape {
        let shown = shown_on_axis(*size, summarise);
        positions =
            positions.iter().flat_map(|at| shown.iter().flatten().map(move |place| at * size + place)).collect();
    }
    positions
}

/// The places on one axis; `None` stands for what is left out.
fn shown_on_axis(size: usize, summarise: bool) -> Vec<Option<usize>> {
    if summarise && size > 2 * EDGE {
        (0..EDGE).map(Some).chain([None]).chain((size - EDGE..size).map(Some)).collect()
    } else {
        (0..size).map(Some).collect()
    }
}

struct Printer<'a> {
    array: &'a Array,
    style: Style,
    summarise: bool,
    width: usize,
    out: String,
}

impl Printer<'_> {
    /// Prints what lies at `offset`, an index into the axes before `axis`.
    fn axis(&mut self, axis: usize, offset: usize) {
        let Some(size) = self.array.shape().get(axis).copied() else {
            let cell = self.style.cell(self.array.elements(), offset);
            self.out.push_str(&format!("{cell:>width$}", width = self.width));
            return;
        };
        let last = axis + 1 == self.array.shape().len();
        let gap = "\n".repeat(self.array.shape().len() - axis - 1) + &" ".repeat(axis + 1);
        self.out.push('[');
        let mut column = axis + 1;
        for (at, place) in shown_on_axis(size, self.summarise).into_iter().enumerate() {
            if at > 0 && last {
                if column + self.width + 1 > WIDTH {
                    self.out.push('\n');
                    self.out.push_str(&" ".repeat(axis + 1));
                    column = axis + 1;
                } else {
                    self.out.push(' ');
                    column += 1;
                }
            } else if at > 0 {
                self.out.push_str(&gap);
            }
            match place {
                Some(place) => self.axis(axis + 1, offset * size + place),
                None => self.out.push('…'),
            }
            column += if place.is_some() { self.width } else { 1 };
        }
        self.out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(shape: &[usize], values: &[f32]) -> String {
        array_text(&Array::new(shape.to_vec(), Elements::F32(values.to_vec())).unwrap())
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(
            floats(&[2, 2], &[0.027_13, 0.973, 0.9581, 0.0419]),
            "[[0.0271 0.9730]\n [0.9581 0.0419]]"
        );
        assert_eq!(floats(&[3], &[1.0, -2.0, 30.0]), "[ 1. -2. 30.]");
        assert_eq!(floats(&[2], &[0.5, f32::NAN]), "[0.5 nan]");
        assert_eq!(floats(&[1, 1, 2], &[0.5, 0.25]), "[[[0.50 0.25]]]");
        assert_eq!(floats(&[0], &[]), "[]");
    }

    #[test]
    fn scalars() {
        assert_eq!(floats(&[], &[0.123_456_78]), "0.123457");
        assert_eq!(floats(&[], &[3.0]), "3.");
        assert_eq!(floats(&[], &[1e-7]), "1.0000e-7");
        let array = Array::new(vec![2], Elements::Bool(vec![true, false])).unwrap();
        assert_eq!(array_text(&array), "[ true false]");
        assert_eq!(number_text(0.5), "0.5");
        assert_eq!(number_text(1234.5678), "1234.57");
        assert_eq!(number_text(1.5e-9), "1.500e-9");
        assert_eq!(number_text(f64::NAN), "nan");
    }

    #[test]
    fn large_arrays_are_summarised() {
        let array = Array::new(vec![100, 50], Elements::I32((0..5000).collect())).unwrap();
        let text = array_text(&array);
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(text.starts_with("[[   0    1    2 …   47   48   49]\n"), "{text}");
        assert!(text.ends_with("[4950 4951 4952 … 4997 4998 4999]]"), "{text}");
    }
}
