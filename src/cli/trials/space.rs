//! Which values a sweep tries: `0.1,0.01`, `1e-4..1e-1:log`, `8..64:int`.

use crate::base::philox::{key_of, philox4x32};
use crate::ir::program::{Axis, RangeError, Values};

/// What is wrong with a text, and how it is written.
fn wrong(text: &str) -> String {
    format!(
        "`{text}`: write NAME=VALUE,VALUE or NAME=FROM..TO, for example lr=0.1,0.01 or lr=1e-4..1e-1:log or \
         width=8..64:int"
    )
}

/// From `NAME=VALUES`.
///
/// # Errors
/// What is wrong with it.
pub fn axis(text: &str) -> Result<Axis, String> {
    let (name, values) = text.split_once('=').ok_or_else(|| wrong(text))?;
    let (name, values) = (name.trim(), values.trim());
    if name.is_empty() || values.is_empty() || values.contains('\n') {
        return Err(wrong(text));
    }
    let name = name.strip_prefix("train.").unwrap_or(name).to_owned();
    let (range, ways) = values.split_once(':').unwrap_or((values, ""));
    let Some((from, to)) = range.split_once("..") else {
        let list = parts_of(values);
        if list.iter().any(String::is_empty) {
            return Err(wrong(text));
        }
        return Ok(Axis { name, values: Values::List(list) });
    };
    let number = |text: &str| {
        let value: Option<f64> = text.trim().replace('_', "").parse().ok();
        value.filter(|value| value.is_finite()).ok_or_else(|| wrong(text))
    };
    let (from, to) = (number(from)?, number(to)?);
    let (mut is_log, mut is_whole) = (false, false);
    for way in ways.split(':').filter(|way| !way.is_empty()) {
        match way {
            "log" => is_log = true,
            "int" => is_whole = true,
            _ => return Err(format!("`{text}`: a range is `:log` or `:int` or both, not `:{way}`")),
        }
    }
    let values = Values::range(from, to, is_log, is_whole).map_err(|why| match why {
        RangeError::Empty => format!("`{text}`: {from} is not less than {to}"),
        RangeError::NoLogarithm => format!("`{text}`: a range on a logarithmic scale begins above 0"),
        RangeError::NotWhole => format!("`{text}`: a range of whole numbers has whole ends"),
    })?;
    Ok(Axis { name, values })
}

/// The parts between commas that stand in no brackets.
fn parts_of(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0usize);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (c, parts.last_mut()) {
            (',', _) if depth == 0 => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

impl Values {
    /// The value at a place between 0 and 1.
    fn at(&self, place: f64) -> String {
        match self {
            Values::List(values) => {
                let at = (place * values.len() as f64) as usize;
                values[at.min(values.len() - 1)].clone()
            }
            Values::Range { from, to, is_log, is_whole } => {
                // Whole numbers are all equally likely, the last as well.
                let end = if *is_whole && !is_log { to + 1.0 } else { *to };
                let value = match is_log {
                    true => (from.ln() + place * (end.ln() - from.ln())).exp(),
                    false => from + place * (end - from),
                };
                let value = value.clamp(*from, *to);
                match (is_whole, is_log) {
                    (true, true) => format!("{}", value.round()),
                    (true, false) => format!("{}", value.floor()),
                    // As many digits as matter.
                    (false, _) => format!("{:e}", format!("{value:.3e}").parse::<f64>().unwrap_or(value)),
                }
            }
        }
    }

    /// All values, or as many as there are points in a range, its ends among them.
    fn all(&self, points: usize) -> Vec<String> {
        match self {
            Values::List(values) => values.clone(),
            Values::Range { from, to, is_log, is_whole } => {
                let steps = points.saturating_sub(1).max(1) as f64;
                let value = |at: usize| {
                    let place = at as f64 / steps;
                    let value = match is_log {
                        true => (from.ln() + place * (to.ln() - from.ln())).exp(),
                        false => from + place * (to - from),
                    };
                    match is_whole {
                        true => format!("{}", value.round()),
                        false => format!("{:e}", format!("{value:.3e}").parse::<f64>().unwrap_or(value)),
                    }
                };
                let mut values: Vec<String> = (0..points.max(1)).map(value).collect();
                values.dedup();
                values
            }
        }
    }
}

/// All combinations, the last axis fastest.
pub fn grid(axes: &[Axis], points: usize) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = vec![Vec::new()];
    for axis in axes {
        let values = axis.values.all(points);
        let longer = |row: &Vec<String>| -> Vec<Vec<String>> {
            values.iter().map(|value| row.iter().cloned().chain([value.clone()]).collect()).collect()
        };
        rows = rows.iter().flat_map(longer).collect();
    }
    rows
}

/// How many combinations there are; none if they are too many to count.
pub fn size(axes: &[Axis], points: usize) -> Option<usize> {
    axes.iter().try_fold(1usize, |size, axis| size.checked_mul(axis.values.all(points).len()))
}

/// So many combinations at random: trial `n` is a function of the seed and of n.
pub fn random(axes: &[Axis], trials: usize, seed: u64) -> Vec<Vec<String>> {
    let place = |trial: usize, axis: usize| {
        let words = philox4x32([axis as u32, trial as u32, 0, u32::MAX - 1], key_of(seed));
        f64::from(words[0]) / 4_294_967_296.0
    };
    (0..trials)
        .map(|trial| axes.iter().enumerate().map(|(at, axis)| axis.values.at(place(trial, at))).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges() {
        let lists = [axis("lr=0.1, 0.01").unwrap(), axis("train.stop=patience(3),none").unwrap()];
        let rows = grid(&lists, 5);
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[1], ["0.1", "none"]);
        assert_eq!(lists[1].name, "stop");
        let range = [axis("lr=1e-4..1e-1:log").unwrap()];
        assert_eq!(grid(&range, 4).concat(), ["1e-4", "1e-3", "1e-2", "1e-1"]);
        assert_eq!(grid(&[axis("n=8..64:int").unwrap()], 3).concat(), ["8", "36", "64"]);
        assert_eq!(grid(&[axis("n=1..2:int").unwrap()], 5).concat(), ["1", "2"]);
        for text in ["lr", "=1", "lr=", "lr=1,,2", "lr=2..1", "lr=0..1:log", "n=0.5..3:int", "n=1..2:odd", "n=a..b"] {
            assert!(axis(text).is_err(), "{text}");
        }
    }

    #[test]
    fn random_values_lie_in_their_range_and_depend_on_the_seed() {
        let axes = [axis("lr=1e-4..1e-1:log").unwrap(), axis("n=2..4:int").unwrap(), axis("a=x,y").unwrap()];
        let rows = random(&axes, 200, 7);
        assert_eq!(rows, random(&axes, 200, 7));
        assert_ne!(rows, random(&axes, 200, 8));
        assert_eq!(rows[..20], random(&axes, 20, 7)[..]);
        let count = |at: usize, value: &str| rows.iter().filter(|row| row[at] == value).count();
        assert!(rows.iter().all(|row| (1e-4..=1e-1).contains(&row[0].parse::<f64>().unwrap())));
        assert!(["2", "3", "4"].iter().all(|value| count(1, value) > 40));
        assert!(count(2, "x") > 70 && count(2, "y") > 70);
    }
}
