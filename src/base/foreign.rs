//! What users of other languages and libraries type, and what they write here instead.
//!
//! One table for each place where a name can stand: names of items, methods of tensors, arguments, settings of
//! `train`. Messages about unknown names look here before they guess by spelling. Everything in the column `here`
//! exists, which a test checks; nothing here changes what a program means.

mod arguments;
mod methods;
mod names;
mod statements;

pub use arguments::{ARGUMENTS, CLAUSES, SETTINGS};
pub use methods::METHODS;
pub use names::NAMES;
pub use statements::STATEMENTS;

/// A row: some names from elsewhere, and what takes their place.
#[derive(Clone, Copy, Debug)]
pub struct Foreign {
    /// The names, separated by blanks; capitals and underscores do not matter.
    pub theirs: &'static str,
    /// The name to put in their place as it stands; empty if more must change.
    pub here: &'static str,
    /// What to write and what differs; empty if the name says it all.
    pub advice: &'static str,
}

const fn row(theirs: &'static str, here: &'static str, advice: &'static str) -> Foreign {
    Foreign { theirs, here, advice }
}

/// The modules of other languages that stand in front of a name and a point.
const MODULES: [&str; 24] = [
    "nn",
    "F",
    "torch",
    "functional",
    "optim",
    "lr_scheduler",
    "torchvision",
    "np",
    "numpy",
    "jnp",
    "jax",
    "flax",
    "linen",
    "optax",
    "tf",
    "keras",
    "layers",
    "losses",
    "optimizers",
    "activations",
    "math",
    "sklearn",
    "Flux",
    "init",
];

/// Whether a name is a module of another language, so that `nn.Linear` is meant for `Linear`.
pub fn is_module(name: &str) -> bool {
    MODULES.contains(&name)
}

/// A name without what writers of different languages do differently: capitals and underscores.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| *c != '_' && *c != '-').flat_map(char::to_lowercase).collect()
}

/// The first row of a table that has the name.
pub fn find(table: &'static [Foreign], name: &str) -> Option<&'static Foreign> {
    rows(table, name).next()
}

/// All rows of a table that have the name.
pub fn rows(table: &'static [Foreign], name: &str) -> impl Iterator<Item = &'static Foreign> {
    let wanted = folded(name);
    // Of a single letter the case counts: `e` is a number, `E` often a size.
    let is_letter = name.chars().count() == 1;
    let (name, wanted) = (name.to_owned(), wanted);
    let same = move |theirs: &str| if is_letter { theirs == name } else { folded(theirs) == wanted };
    table.iter().filter(move |row| row.theirs.split_whitespace().any(&same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_twice_in_a_table() {
        for (title, table) in
            [("names", NAMES), ("methods", METHODS), ("settings", SETTINGS), ("clauses", CLAUSES), ("statements", STATEMENTS)]
        {
            let mut seen = Vec::new();
            for name in table.iter().flat_map(|row| row.theirs.split_whitespace()) {
                let name = folded(name);
                assert!(!seen.contains(&name), "{name} stands twice among {title}");
                seen.push(name);
            }
        }
    }

    #[test]
    fn every_row_says_something() {
        for row in [NAMES, METHODS, ARGUMENTS, CLAUSES, SETTINGS, STATEMENTS].into_iter().flatten() {
            assert!(!row.here.is_empty() || !row.advice.is_empty(), "{}", row.theirs);
        }
    }

    #[test]
    fn capitals_and_underscores_do_not_matter() {
        assert_eq!(find(NAMES, "crossEntropy_loss").map(|row| row.here), Some("cross_entropy"));
        assert!(find(NAMES, "relu").is_none());
    }
}
