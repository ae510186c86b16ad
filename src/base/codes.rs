//! The one table of error codes: `nnc explain CODE` prints from it, and every diagnostic names a
//! code in it (`tests/tidy.rs` compares). One file for each part of the language, so that a part
//! can be read in one go:
//!
//! | codes | about |
//! |---|---|
//! | E00xx | [`syntax`]: the form of the text |
//! | E01xx | [`names`]: names, roles, calls |
//! | E02xx | [`shapes`]: shapes, types, broadcasting |
//! | E03xx | [`index`]: index notation |
//! | E04xx | [`grad`]: differentiation |
//! | E05xx | [`state`]: recurrences, states, random numbers; from E0590 on [`parameters`]: parameters as values |
//! | E06xx | [`train`]: optimisers, data and train declarations; from E0650 on [`tables`]: how columns are read and rows divided; E0658 and E0659 [`optimizers`]: the loss in optimisers |
//! | E07xx | [`data`]: loading of data; from E0720 on [`run`]: what happens at run time |
//! | E08xx | [`export`]: models in other forms |
//! | E088x | [`companions`]: data that a training draws from beside its own, loops around trainings, what they show at work |
//! | E089x | [`groups`]: groups of parameters, and derivatives that functions declare; from E0897 on when and how much parameters change; E0898 a run that is watched |
//! | E09xx | from E0910 on [`given`]: rows out of the tables of a host program; from E0930 on [`ranks`]: processes that train together, from E0936 on models in forms for other tools |
//! | W00xx | [`warnings`] |

mod companions;
mod data;
mod export;
mod work;
mod given;
mod grad;
mod groups;
mod index;
mod names;
mod optimizers;
mod parameters;
mod ranks;
mod run;
mod shapes;
mod state;
mod syntax;
mod tables;
mod train;
mod warnings;

/// What `nnc explain` says about a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// `E0203`: stable, never given to another error.
    pub code: &'static str,
    /// One line, lower case, without a full stop.
    pub title: &'static str,
    /// Three to eight lines: what it means, a wrong example, the right one.
    pub explain: &'static str,
}

/// All codes, in ascending order within each part.
pub fn all() -> impl Iterator<Item = &'static Code> {
    let parts: [&'static [Code]; 19] = [
        syntax::CODES,
        names::CODES,
        shapes::CODES,
        index::CODES,
        grad::CODES,
        state::CODES,
        parameters::CODES,
        train::CODES,
        tables::CODES,
        optimizers::CODES,
        data::CODES,
        run::CODES,
        work::CODES,
        export::CODES,
        companions::CODES,
        groups::CODES,
        given::CODES,
        ranks::CODES,
        warnings::CODES,
    ];
    parts.into_iter().flatten()
}

/// The entry of a code, in whatever case it is written.
pub fn find(code: &str) -> Option<&'static Code> {
    all().find(|entry| entry.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ascending_and_explained() {
        let mut last = "";
        for entry in all() {
            assert!(entry.code > last, "{} after {last}", entry.code);
            assert!(entry.code.len() == 5 && entry.code.starts_with(['E', 'W']), "{}", entry.code);
            assert!(!entry.title.is_empty() && !entry.title.ends_with('.'), "{}", entry.code);
            let lines = entry.explain.trim().lines().count();
            assert!((3..=16).contains(&lines), "{} is explained in {lines} lines", entry.code);
            last = entry.code;
        }
        assert_eq!(find("e0001").map(|entry| entry.code), Some("E0001"));
    }
}
