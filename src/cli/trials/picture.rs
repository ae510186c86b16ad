//! The trials of a sweep as parallel coordinates: an upright axis for each name and one for the score, and a line through
//! them for each trial.

use crate::base::order::PutInOrder;
use crate::cli::plot::drawing::{Anchor, Colour, Drawing, INK, Text, colour, tint};
use crate::runtime::format::number_text;

const TOP: f64 = 76.0;
const HEIGHT: f64 = 340.0;
const BOTTOM: f64 = 24.0;
/// Room to the left of the first axis, between two axes, and to the right of the last.
const LEFT: f64 = 90.0;
const BETWEEN: f64 = 170.0;
const RIGHT: f64 = 60.0;
/// How wide a letter of the title is at most, in the mean.
const LETTER: f64 = 9.5;
/// More values than these are not written beside an axis one by one.
const MOST_LABELS: usize = 8;
/// Values that lie further apart than this are on a logarithmic scale.
const FAR: f64 = 50.0;

/// What a picture shows.
pub struct Trials<'a> {
    pub title: &'a str,
    pub names: &'a [&'a str],
    /// What trials are ordered by.
    pub by: &'a str,
    /// The values and the score of each trial, the best first.
    pub rows: Vec<(&'a [String], f64)>,
}

/// Where values lie on an axis, and what stands beside it.
enum Scale {
    Numbers { from: f64, to: f64, is_log: bool, labels: Vec<f64> },
    Names(Vec<String>),
}

impl Scale {
    fn of_texts(texts: &[&str]) -> Scale {
        let numbers: Option<Vec<f64>> =
            texts.iter().map(|text| text.parse().ok().filter(|number: &f64| number.is_finite())).collect();
        if let Some(numbers) = numbers {
            return Scale::of_numbers(numbers, true);
        }
        let mut names: Vec<String> = Vec::new();
        for text in texts {
            if !names.iter().any(|name| name == text) {
                names.push((*text).to_owned());
            }
        }
        names.put_in_order();
        Scale::Names(names)
    }

    fn of_numbers(mut numbers: Vec<f64>, may_be_log: bool) -> Scale {
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        let (from, to) = (numbers.first().copied().unwrap_or(0.0), numbers.last().copied().unwrap_or(0.0));
        let is_log = may_be_log && from > 0.0 && to / from > FAR;
        if numbers.len() > MOST_LABELS {
            let point = |at: usize| {
                let place = at as f64 / 4.0;
                if is_log { from * (to / from).powf(place) } else { from + place * (to - from) }
            };
            let rounded = |value: f64| format!("{value:.2e}").parse().unwrap_or(value);
            // The ends as they are, what lies between them with three digits.
            numbers = (0..5).map(|at| if at % 4 == 0 { point(at) } else { rounded(point(at)) }).collect();
        }
        Scale::Numbers { from, to, is_log, labels: numbers }
    }

    /// From 0, below, to 1.
    fn place_of(&self, number: f64) -> f64 {
        match self {
            Scale::Numbers { from, to, .. } if from == to => 0.5,
            Scale::Numbers { from, to, is_log: true, .. } => (number / from).ln() / (to / from).ln(),
            Scale::Numbers { from, to, .. } => (number - from) / (to - from),
            Scale::Names(names) if names.len() > 1 => number / (names.len() - 1) as f64,
            Scale::Names(_) => 0.5,
        }
    }

    fn place(&self, text: &str) -> f64 {
        match self {
            Scale::Numbers { .. } => self.place_of(text.parse().unwrap_or(f64::NAN)),
            Scale::Names(names) => {
                self.place_of(names.iter().position(|name| name == text).unwrap_or(0) as f64)
            }
        }
    }

    fn labels(&self) -> Vec<(f64, String)> {
        match self {
            Scale::Numbers { labels, .. } => {
                labels.iter().map(|number| (self.place_of(*number), number_text(*number))).collect()
            }
            Scale::Names(names) => {
                let labelled = names.iter().enumerate();
                labelled.map(|(at, name)| (self.place_of(at as f64), name.clone())).collect()
            }
        }
    }
}

/// The picture. Trials without a score, which have failed, are left out.
pub fn draw(trials: &Trials<'_>) -> Drawing {
    let rows: Vec<_> = trials.rows.iter().filter(|(_, score)| score.is_finite()).collect();
    let mut scales: Vec<(&str, Scale)> = Vec::new();
    for (at, name) in trials.names.iter().enumerate() {
        let texts: Vec<&str> = rows.iter().map(|(values, _)| values[at].as_str()).collect();
        scales.push((name, Scale::of_texts(&texts)));
    }
    scales.push((trials.by, Scale::of_numbers(rows.iter().map(|(_, score)| *score).collect(), false)));
    // The title has a line of its own, whatever the axes need.
    let title = 48.0 + LETTER * trials.title.chars().count() as f64;
    let wide = LEFT + BETWEEN * (scales.len() - 1) as f64 + RIGHT;
    let mut drawing =
        Drawing::new(wide.max(title), TOP + HEIGHT + BOTTOM);
    drawing.text(Text { size: 16.0, ..heading((24.0, 26.0), Anchor::Start, trials.title) });
    // The best is drawn last, above the others.
    for (rank, (values, score)) in rows.iter().enumerate().rev() {
        let places = values.iter().zip(&scales).map(|(value, (_, scale))| scale.place(value));
        let places = places.chain(scales.last().map(|(_, scale)| scale.place_of(*score)));
        let points: Vec<_> = places.enumerate().map(|(axis, place)| (x_of(axis), y_of(place))).collect();
        let (width, colour) = stroke(rank, rows.len());
        drawing.line(&points, width, colour);
    }
    for (axis, (name, scale)) in scales.iter().enumerate() {
        draw_axis(&mut drawing, x_of(axis), name, scale);
    }
    drawing
}

fn draw_axis(drawing: &mut Drawing, x: f64, name: &str, scale: &Scale) {
    drawing.line(&[(x, y_of(1.0)), (x, y_of(0.0))], 1.0, INK);
    drawing.text(heading((x, 56.0), Anchor::Middle, name));
    for (place, label) in scale.labels() {
        let y = y_of(place);
        drawing.line(&[(x - 5.0, y), (x, y)], 1.0, INK);
        // Numbers stay readable where lines cross them.
        let label = Text { has_halo: true, ..Text::label((x - 8.0, y + 4.5), Anchor::End, &label) };
        drawing.text(label);
    }
}

fn x_of(axis: usize) -> f64 {
    LEFT + BETWEEN * axis as f64
}

fn y_of(place: f64) -> f64 {
    TOP + HEIGHT * (1.0 - place)
}

fn heading(place: (f64, f64), anchor: Anchor, text: &str) -> Text {
    Text { bold: true, colour: INK, ..Text::label(place, anchor, text) }
}

/// Width and colour of a trial's line: the best in orange, the others in blue that pales with their rank.
fn stroke(rank: usize, count: usize) -> (f64, Colour) {
    if rank == 0 {
        return (3.0, colour(1));
    }
    (1.5, tint(colour(0), 0.75 - 0.6 * rank as f64 / count.max(1) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::plot::drawing::Shape;
    use crate::cli::plot::svg;

    #[test]
    fn scales() {
        let rates = Scale::of_texts(&["1e-4", "0.1", "1e-3"]);
        assert!((rates.place("1e-3") - 1.0 / 3.0).abs() < 1e-12);
        let widths = Scale::of_texts(&["8", "16", "12"]);
        assert_eq!(widths.place("12"), 0.5);
        assert_eq!(widths.labels().len(), 3);
        let words = Scale::of_texts(&["none", "patience(3)", "none"]);
        assert_eq!((words.place("none"), words.place("patience(3)")), (0.0, 1.0));
        assert_eq!(Scale::of_texts(&["4", "4"]).place("4"), 0.5);
    }

    #[test]
    fn a_trial_that_failed_has_no_line() {
        let values = [["a<b".to_owned()], ["c".to_owned()]];
        let rows = vec![(&values[0][..], 0.5), (&values[1][..], f64::NAN)];
        let drawing = draw(&Trials { title: "t", names: &["k"], by: "loss", rows });
        let is_of_trial = |shape: &&Shape| matches!(shape, Shape::Line { points, .. } if points[0].0 < points[1].0 - 5.0);
        assert_eq!(drawing.shapes.iter().filter(is_of_trial).count(), 1);
        let text = svg(&drawing);
        assert!(text.contains("a&lt;b") && !text.contains("NaN"));
    }
}
