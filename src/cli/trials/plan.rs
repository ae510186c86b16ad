//! What is tried and how trials are judged: the `sweep` of a program, and what the command line says in its place.

use super::space;
use crate::cli::Failure;
use crate::ir::program::Sweep;

/// More trials than these are a mistake.
const MOST_TRIALS: usize = 100_000;
/// How many values of a range are tried, if nobody says it.
const POINTS: u64 = 5;

/// What is tried, how it is judged and what stays of it.
pub struct Plan {
    pub names: Vec<String>,
    /// For each trial a value of each name.
    pub combinations: Vec<Vec<String>>,
    pub by: Option<String>,
    pub greatest: bool,
    pub keep: Option<u64>,
}

/// What the command line says.
#[derive(Default)]
pub struct Said<'a> {
    /// `NAME=VALUES`, each in place of the line of that name.
    pub axes: &'a [String],
    pub trials: Option<u64>,
    pub seed: Option<u64>,
    pub points: Option<u64>,
    pub by: Option<&'a str>,
    pub greatest: bool,
    pub keep: Option<u64>,
}

impl Plan {
    /// The sweep of a program, if it has one, with what the command line says.
    ///
    /// # Errors
    /// If nothing is tried, or too much.
    pub fn new(of_file: Option<Sweep>, said: &Said<'_>) -> Result<Plan, Failure> {
        let mut sweep = of_file.unwrap_or_default();
        let mut given: Vec<String> = Vec::new();
        for text in said.axes {
            let axis = space::axis(text).map_err(Failure::Usage)?;
            if given.contains(&axis.name) {
                return Err(Failure::Usage(format!("`{}` is given twice", axis.name)));
            }
            given.push(axis.name.clone());
            match sweep.axes.iter_mut().find(|known| known.name == axis.name) {
                Some(known) => *known = axis,
                None => sweep.axes.push(axis),
            }
        }
        if sweep.axes.is_empty() {
            let message = "nothing is tried: write NAME=VALUES, or a `sweep { … }` in the program";
            return Err(Failure::Usage(message.into()));
        }
        // Whoever says how many points ranges have wants all combinations.
        let trials = said.trials.or(sweep.trials.filter(|_| said.points.is_none()));
        let points = said.points.or(sweep.points).unwrap_or(POINTS) as usize;
        if said.seed.is_some() && trials.is_none() {
            return Err(Failure::Usage("`--seed` is for random combinations: add `--trials N`".into()));
        }
        let (by, greatest) = match said.by {
            Some(by) => (Some(by.to_owned()), said.greatest),
            None => (sweep.by, sweep.greatest || said.greatest),
        };
        if greatest && by.is_none() {
            return Err(Failure::Usage("`--greatest` says what is best by a score: add `--by SCORE`".into()));
        }
        let combinations = match trials {
            Some(trials) if trials <= MOST_TRIALS as u64 => {
                space::random(&sweep.axes, trials as usize, said.seed.or(sweep.seed).unwrap_or(0))
            }
            Some(_) => return Err(Failure::Usage(format!("a sweep has at most {MOST_TRIALS} trials"))),
            None => match space::size(&sweep.axes, points) {
                Some(size) if size <= MOST_TRIALS => space::grid(&sweep.axes, points),
                _ => return Err(Failure::Usage("there are too many combinations: try some with `--trials N`".into())),
            },
        };
        let names = sweep.axes.into_iter().map(|axis| axis.name).collect();
        Ok(Plan { names, combinations, by, greatest, keep: said.keep.or(sweep.keep) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::program::{Axis, Values};

    fn of_file() -> Sweep {
        let list = |values: &[&str]| Values::List(values.iter().map(|value| (*value).to_owned()).collect());
        let axis = |name: &str, values| Axis { name: name.to_owned(), values };
        let range = Values::range(1.0, 9.0, false, true).unwrap();
        Sweep {
            axes: vec![axis("lr", list(&["0.1", "0.01"])), axis("WIDTH", range)],
            trials: Some(7),
            by: Some("accuracy".into()),
            greatest: true,
            keep: Some(3),
            ..Sweep::default()
        }
    }

    #[test]
    fn the_command_line_stands_before_the_file() {
        let plan = Plan::new(Some(of_file()), &Said::default()).ok().unwrap();
        assert_eq!((plan.combinations.len(), plan.greatest, plan.keep), (7, true, Some(3)));
        let axes = ["lr=0.5".to_owned(), "batch=8,16".to_owned()];
        let said = Said { axes: &axes, points: Some(3), by: Some("loss"), ..Said::default() };
        let plan = Plan::new(Some(of_file()), &said).ok().unwrap();
        assert_eq!(plan.names, ["lr", "WIDTH", "batch"]);
        // Another score is not the greatest because that of the file was.
        assert_eq!((plan.combinations.len(), plan.by.as_deref(), plan.greatest), (6, Some("loss"), false));
        assert_eq!(plan.combinations[5], ["0.5", "9", "16"]);
        for said in [Said { seed: Some(1), ..Said::default() }, Said { greatest: true, ..Said::default() }] {
            let mut grid = of_file();
            (grid.trials, grid.by) = (None, None);
            assert!(Plan::new(Some(grid), &said).is_err());
        }
        assert!(Plan::new(None, &Said::default()).is_err());
    }
}
