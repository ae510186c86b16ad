//! Curves in characters.

use super::curves::{Curve, Curves};
use crate::runtime::events::Chart;
use crate::runtime::format::number_text;

const WIDTH: usize = 64;
const HEIGHT: usize = 17;
/// One for each curve, in turn.
const MARKS: [char; 6] = ['•', '+', '×', 'o', '*', '~'];

/// The chart as lines of text, without a line end.
pub fn curves(chart: &Chart) -> String {
    let title = &chart.title;
    let chart = &Curves::of(chart);
    let mut cells = vec![[' '; WIDTH]; HEIGHT];
    let mut seen = false;
    // The first curve is drawn last: it is the one that a reader looks for.
    for (number, curve) in chart.curves.iter().enumerate().rev() {
        let mark = MARKS[number % MARKS.len()];
        draw(chart, curve, &mut |column, row| {
            seen = true;
            cells[HEIGHT - 1 - row][column] = mark;
        });
    }
    let mut lines: Vec<String> = Vec::new();
    if !title.is_empty() {
        lines.push(title.clone());
    }
    if !seen {
        lines.push("no finite numbers to draw".to_owned());
        return lines.join("\n");
    }
    let labels =
        [(0, chart.y.to), (HEIGHT / 2, f64::midpoint(chart.y.from, chart.y.to)), (HEIGHT - 1, chart.y.from)];
    let label = |row: usize| labels.iter().find(|(at, _)| *at == row).map(|(_, number)| short(*number));
    let width = labels.iter().map(|(_, number)| short(*number).chars().count()).max().unwrap_or(0);
    for (row, cells) in cells.iter().enumerate() {
        let (text, tick) = label(row).map_or((String::new(), '│'), |text| (text, '┤'));
        let line: String = cells.iter().collect();
        lines.push(format!("{text:>width$} {tick}{}", line.trim_end()));
    }
    lines.push(format!("{:width$} └{}", "", "─".repeat(WIDTH)));
    let (from, to) = (short(chart.x.from), short(chart.x.to));
    let gap = WIDTH.saturating_sub(from.chars().count() + to.chars().count());
    lines.push(format!("{:width$}  {from}{}{to}", "", " ".repeat(gap)));
    if chart.curves.len() > 1 {
        let names = chart.curves.iter().enumerate();
        let names = names.map(|(number, curve)| format!("{} {}", MARKS[number % MARKS.len()], curve.name));
        lines.push(format!("{:width$}  {}", "", names.collect::<Vec<_>>().join("   ")));
    }
    lines.join("\n")
}

fn short(number: f64) -> String {
    number_text((number * 1e4).round() / 1e4)
}

/// Calls `mark` with the column and row, from the lower left corner, of each cell of a curve.
fn draw(chart: &Curves, curve: &Curve, mark: &mut dyn FnMut(usize, usize)) {
    let place =
        |(x, y): (f64, f64)| (chart.x.place(x) * (WIDTH - 1) as f64, chart.y.place(y) * (HEIGHT - 1) as f64);
    for run in curve.runs() {
        let mut before = None;
        for point in run {
            let (x, y) = place(*point);
            let (from_x, from_y): (f64, f64) = before.filter(|_| curve.joined).unwrap_or((x, y));
            let steps = (x - from_x).abs().max((y - from_y).abs()).ceil().max(1.0) as usize;
            for step in 0..=steps {
                let share = step as f64 / steps as f64;
                let column = (from_x + share * (x - from_x)).round() as usize;
                let row = (from_y + share * (y - from_y)).round() as usize;
                mark(column.min(WIDTH - 1), row.min(HEIGHT - 1));
            }
            before = Some((x, y));
        }
    }
}
