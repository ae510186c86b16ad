//! `nnc init FILE --series`: a program that forecasts a column of a table out of its own past.

use super::Plan;
use super::names::quoted;
use super::training::Training;
use crate::base::Diagnostic;
use crate::cli::columns::Column;
use crate::ir::program::DateOrder;
use crate::runtime::format::number_text;
use crate::runtime::sources::csv::days_of;

/// Numbers that lie further apart than this by a factor are taken as logarithms.
const WIDE: f64 = 4.0;
/// At most so many names are series of one file.
const MOST_SERIES: usize = 10_000;

/// How many rows a forecast looks at, and how many it gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lengths {
    pub past: usize,
    pub future: usize,
}

/// What the rows of a table are, as a series.
pub struct Series<'p> {
    plan: &'p Plan<'p>,
    /// The column of the dates, and how they are written.
    date: Option<(usize, &'static str)>,
    /// The column whose names are the series.
    by: Option<usize>,
    lengths: Lengths,
}

/// Whether rows look like a series: numbers to be predicted, and dates of which each is another.
pub fn is_likely(plan: &Plan<'_>) -> bool {
    let is_one = |at: &usize| {
        let column = plan.column(*at);
        column.names == plan.profile.rows && (column.has_more_values || column.values.len() == column.names)
    };
    plan.column(plan.target).holds_numbers() && plan.target_classes().is_none() && plan.dates.iter().any(is_one)
}

impl<'p> Series<'p> {
    /// # Errors
    /// E0780 if the column holds no numbers, or has too few.
    pub fn new(plan: &'p Plan<'p>, past: Option<usize>, future: Option<usize>) -> Result<Series<'p>, Diagnostic> {
        let target = plan.column(plan.target);
        if !target.holds_numbers() {
            let message = format!("the column `{}` holds no numbers that could be forecast", target.name);
            return Err(Diagnostic::error("E0780", message).help("`--target` names another column"));
        }
        let dated = |at: usize| Some((at, *plan.column(at).date_orders().first()?));
        let date = (0..plan.profile.columns.len()).find_map(dated);
        let repeats = |column: &Column| !column.has_more_values && column.values.len() < column.names;
        let has_repeated_dates = date.is_some_and(|(at, _)| {
            let column = plan.column(at);
            repeats(column) || column.has_more_values && plan.classes.iter().any(|at| repeats(plan.column(*at)))
        });
        let is_series = |at: &&usize| {
            let column = plan.column(**at);
            column.missing == 0 && column.values.len() > 1 && column.values.len() <= MOST_SERIES
        };
        let by = plan.classes.iter().find(is_series).copied().filter(|_| has_repeated_dates);
        let usual = usual_lengths(plan, date);
        let lengths = Lengths { past: past.unwrap_or(usual.past), future: future.unwrap_or(usual.future) };
        let rows = match by {
            Some(at) => plan.column(at).values.values().copied().min().unwrap_or(0),
            None => plan.profile.rows,
        };
        let needed = lengths.past + lengths.future;
        // Each part needs a window.
        if rows * 3 / 10 < needed {
            let message = format!("{rows} rows are too few for windows of {} and {} rows", lengths.past, lengths.future);
            let error = Diagnostic::error("E0780", message).note(format!(
                "three tenths of them are the test, and hold one window if there are {}",
                (needed * 10).div_ceil(3)
            ));
            return Err(error.help("`--past 6 --future 3` asks for shorter ones"));
        }
        Ok(Series { plan, date, by, lengths })
    }

    pub fn text(&self) -> String {
        let (plan, Lengths { past, future }) = (self.plan, self.lengths);
        let (rows, column) = (plan.profile.rows, plan.column(plan.target));
        let (name, file, options) = (&plan.name, quoted(&plan.file), plan.options());
        let read = format!("column({})", plan.read(plan.target));
        let filled = if column.missing > 0 { format!("fill({read}, median)") } else { read };
        let is_wide = column.least > 0.0 && column.greatest > WIDE * column.least;
        let level = if is_wide { format!("log({filled})") } else { filled };
        let (least, greatest) = (number_text(column.least), number_text(column.greatest));
        let why = if is_wide { "; logarithms, since it grows by factors" } else { "" };
        let windows = self.windows();
        let (begins, parts) = match past.checked_sub(future) {
            Some(first) => (
                format!("The last {future} rows again, and what the window says beside its end."),
                format!("past[:, {first}:] + (past - last |> Linear({future}))"),
            ),
            None => (
                "The last row again, and what the window says beside its end.".to_owned(),
                format!("last + (past - last |> Linear({future}))"),
            ),
        };
        let training = Training {
            data: name,
            minimize: "mse(Forecast(past), future) with Adam(lr = 0.005)",
            measure: "error = l1(Forecast(past), future)",
            epochs: 200,
            patience: 30,
            keeps_best: true,
        };
        format!(
            "# Written by `nnc init`: {rows} rows as a series. Change what you like.

data {name} = csv({file}{options}) {{
    # From {least} to {greatest}{why}; less its mean, by its standard deviation, those of the training part.
    level = standardize({level})
    # A row is a window: {past} rows, and the {future} that follow.
    past: [{past}] = window(level, {past})
    future: [{future}] = window(level, {future}, shift = {past})
{windows}    split train = 0.7, test = 0.3, in_order = true
}}

model Forecast(past: [B, {past}]) -> [B, {future}] {{
    last = past[:, {at}][:, new]
    # {begins}
    {parts}
}}

{training}",
            at = past - 1
        )
    }

    /// The line that says which rows are a series, and in which order they are.
    fn windows(&self) -> String {
        let read = |at: usize| format!("column({})", self.plan.read(at));
        let series = self.by.map(|at| format!("series = {}", read(at)));
        let order = self.date.map(|(at, order)| {
            let order = if order == "ymd" { String::new() } else { format!(", order = \"{order}\"") };
            format!("order = date({}{order})", read(at))
        });
        let said: Vec<String> = series.into_iter().chain(order).collect();
        if said.is_empty() { String::new() } else { format!("    windows {}\n", said.join(", ")) }
    }
}

fn order_of(name: &str) -> DateOrder {
    match name {
        "dmy" => DateOrder::DayMonthYear,
        "mdy" => DateOrder::MonthDayYear,
        _ => DateOrder::YearMonthDay,
    }
}

/// Two seasons back and one ahead, by how far the first two dates lie apart: months, days or hours.
fn usual_lengths(plan: &Plan<'_>, date: Option<(usize, &'static str)>) -> Lengths {
    let days = |row: &Vec<String>| date.and_then(|(at, order)| days_of(row.get(at)?, order_of(order)));
    let dates: Vec<f64> = plan.profile.first.iter().filter_map(days).collect();
    let step = dates.windows(2).map(|pair| (pair[1] - pair[0]).abs()).find(|step| *step > 0.0);
    match step {
        Some(step) if step < 0.5 => Lengths { past: 48, future: 24 },
        Some(step) if step < 4.0 => Lengths { past: 28, future: 7 },
        Some(step) if step < 25.0 => Lengths { past: 52, future: 13 },
        Some(step) if step > 300.0 => Lengths { past: 6, future: 3 },
        _ => Lengths { past: 24, future: 12 },
    }
}
