//! A chart as an SVG picture.

use std::fmt::Write;

use super::{Curve, Curves};
use crate::base::order::PutInOrder;
use crate::base::visible::visible;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
/// Room for the title and legend above, the numbers to the left and below.
const TOP: f64 = 56.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 24.0;
const BOTTOM: f64 = 44.0;
/// Okabe and Ito's colours, which people see apart whatever their eyes are.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
/// A curve with more points is thinned: nobody sees more than this on so few pixels.
const POINTS: usize = 4000;

/// The chart as the text of an SVG file.
pub fn svg(chart: &Curves) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for (number, text) in chart.x.ticks(8) {
        let x = across(chart, number);
        line(&format!("<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#e4e4e4\"/>"));
        let at = bottom + 20.0;
        line(&format!("<text x=\"{x:.1}\" y=\"{at}\" text-anchor=\"middle\" fill=\"#555\">{text}</text>"));
    }
    for (number, text) in chart.y.ticks(6) {
        let y = up(chart, number);
        line(&format!("<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#e4e4e4\"/>"));
        let (x, at) = (LEFT - 8.0, y + 4.5);
        line(&format!("<text x=\"{x}\" y=\"{at:.1}\" text-anchor=\"end\" fill=\"#555\">{text}</text>"));
    }
    line(&format!("<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#888\"/>"));
    if !chart.title.is_empty() {
        let title = escaped(&chart.title);
        line(&format!("<text x=\"{LEFT}\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{title}</text>"));
    }
    let mut legend = LEFT;
    for (number, curve) in chart.curves.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        line(&drawn(chart, curve, colour));
        let (name, end, text) = (escaped(&curve.name), legend + 18.0, legend + 24.0);
        let sample = if curve.joined {
            format!("<path d=\"M{legend:.1} 40H{end:.1}\" stroke=\"{colour}\" stroke-width=\"2.5\"/>")
        } else {
            format!("<circle cx=\"{:.1}\" cy=\"40\" r=\"3.5\" fill=\"{colour}\"/>", legend + 9.0)
        };
        line(&format!("{sample}<text x=\"{text:.1}\" y=\"44.5\" fill=\"#333\">{name}</text>"));
        // Letters are about seven wide.
        legend += 44.0 + 7.0 * curve.name.chars().count() as f64;
    }
    line("</svg>");
    out
}

fn across(chart: &Curves, x: f64) -> f64 {
    LEFT + chart.x.place(x) * (WIDTH - LEFT - RIGHT)
}

fn up(chart: &Curves, y: f64) -> f64 {
    HEIGHT - BOTTOM - chart.y.place(y) * (HEIGHT - BOTTOM - TOP)
}

fn drawn(chart: &Curves, curve: &Curve, colour: &str) -> String {
    let place = |(x, y): &(f64, f64)| (across(chart, *x), up(chart, *y));
    let mut path = String::new();
    for run in curve.runs() {
        for (at, point) in thinned(run).enumerate() {
            let (x, y) = place(&point);
            // A line of no length with round ends is a dot.
            let _ = match (curve.joined && run.len() > 1, at) {
                (true, 0) => write!(path, "M{x:.1} {y:.1}"),
                (true, _) => write!(path, "L{x:.1} {y:.1}"),
                (false, _) => write!(path, "M{x:.1} {y:.1}h0"),
            };
        }
    }
    let width = if curve.joined { 2.0 } else { 5.0 };
    let fade = if curve.joined { "" } else { " stroke-opacity=\"0.6\"" };
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{fade} \
         stroke-linecap=\"round\" stroke-linejoin=\"round\"/>"
    )
}

/// At most [`POINTS`] points: of each group the least and the greatest, so that no peak is lost.
fn thinned(run: &[(f64, f64)]) -> Box<dyn Iterator<Item = (f64, f64)> + '_> {
    if run.len() <= POINTS {
        return Box::new(run.iter().copied());
    }
    let group = run.len().div_ceil(POINTS / 2);
    Box::new(run.chunks(group).flat_map(|points| {
        let by_y = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let ends = [points.iter().min_by(by_y), points.iter().max_by(by_y)];
        let mut ends: Vec<(f64, f64)> = ends.into_iter().flatten().copied().collect();
        ends.put_in_order_by(|a, b| a.0.total_cmp(&b.0));
        ends
    }))
}

/// As XML wants it. Two characters stand in no XML, in whatever spelling.
fn escaped(text: &str) -> String {
    let text = visible(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
