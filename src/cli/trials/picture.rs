//! The trials of a sweep as parallel coordinates: an upright axis for each name and one for the score, and a line through
//! them for each trial.

use std::fmt::Write;

use crate::base::order::PutInOrder;
use crate::cli::plot::escaped;
use crate::runtime::format::number_text;

const TOP: f64 = 76.0;
const HEIGHT: f64 = 340.0;
const BOTTOM: f64 = 24.0;
/// Room to the left of the first axis, between two axes, and to the right of the last.
const LEFT: f64 = 90.0;
const BETWEEN: f64 = 170.0;
const RIGHT: f64 = 60.0;
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

/// The picture as the text of an SVG file. Trials without a score, which have failed, are left out.
pub fn svg(trials: &Trials<'_>) -> String {
    let rows: Vec<_> = trials.rows.iter().filter(|(_, score)| score.is_finite()).collect();
    let mut scales: Vec<(&str, Scale)> = Vec::new();
    for (at, name) in trials.names.iter().enumerate() {
        let texts: Vec<&str> = rows.iter().map(|(values, _)| values[at].as_str()).collect();
        scales.push((name, Scale::of_texts(&texts)));
    }
    scales.push((trials.by, Scale::of_numbers(rows.iter().map(|(_, score)| *score).collect(), false)));
    let width = LEFT + BETWEEN * (scales.len() - 1) as f64 + RIGHT;
    let height = TOP + HEIGHT + BOTTOM;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("<text x=\"24\" y=\"26\" font-size=\"16\" font-weight=\"bold\">{}</text>", escaped(trials.title)));
    let x = |axis: usize| LEFT + BETWEEN * axis as f64;
    let y = |place: f64| TOP + HEIGHT * (1.0 - place);
    // The best is drawn last, above the others.
    for (rank, (values, score)) in rows.iter().enumerate().rev() {
        let places = values.iter().zip(&scales).map(|(value, (_, scale))| scale.place(value));
        let places = places.chain(scales.last().map(|(_, scale)| scale.place_of(*score)));
        let mut path = String::new();
        for (axis, place) in places.enumerate() {
            let letter = if axis == 0 { 'M' } else { 'L' };
            // Writing to a text does not fail.
            let _ = write!(path, "{letter}{:.1} {:.1}", x(axis), y(place));
        }
        let stroke = colour(rank, rows.len());
        line(format!("<path d=\"{path}\" fill=\"none\" {stroke}/>"));
    }
    for (axis, (name, scale)) in scales.iter().enumerate() {
        let (x, bottom) = (x(axis), TOP + HEIGHT);
        line(format!("<path d=\"M{x} {TOP}V{bottom}\" stroke=\"#333\"/>"));
        let name = escaped(name);
        line(format!("<text x=\"{x}\" y=\"56\" text-anchor=\"middle\" font-weight=\"bold\">{name}</text>"));
        for (place, label) in scale.labels() {
            let (tick, text, low) = (x - 5.0, x - 8.0, y(place) + 4.5);
            line(format!("<path d=\"M{tick} {:.1}H{x}\" stroke=\"#333\"/>", y(place)));
            // A white edge keeps numbers readable where lines cross them.
            line(format!(
                "<text x=\"{text}\" y=\"{low:.1}\" text-anchor=\"end\" fill=\"#333\" stroke=\"white\" \
                 stroke-width=\"3\" paint-order=\"stroke\">{}</text>",
                escaped(&label)
            ));
        }
    }
    out + "</svg>\n"
}

/// The line of a trial: the best in orange, the others in blue that pales with their rank.
fn colour(rank: usize, count: usize) -> String {
    if rank == 0 {
        return "stroke=\"#d55e00\" stroke-width=\"3\"".to_owned();
    }
    let strength = 0.75 - 0.6 * rank as f64 / count.max(1) as f64;
    format!("stroke=\"#0072b2\" stroke-opacity=\"{strength:.2}\" stroke-width=\"1.5\"")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let text = svg(&Trials { title: "t", names: &["k"], by: "loss", rows });
        assert_eq!(text.matches("fill=\"none\"").count(), 1);
        assert!(text.contains("a&lt;b") && !text.contains("NaN"));
    }
}
