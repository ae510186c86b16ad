//! The training that written programs begin with.

use std::fmt;

/// A `train` item: the settings that all written programs have, and what differs.
pub struct Training<'a> {
    /// The data, which is divided into `train` and `test`.
    pub data: &'a str,
    pub minimize: &'a str,
    pub measure: &'a str,
    pub epochs: u32,
    /// Epochs without a better validation after which it ends.
    pub patience: u32,
    /// Whether the parameters of the best epoch are those at the end.
    pub keeps_best: bool,
}

impl fmt::Display for Training<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Training { data, minimize, measure, epochs, patience, keeps_best } = self;
        let (which, keep) = match keeps_best {
            true => (", with the parameters of the best one", "    keep     = best\n"),
            false => ("", ""),
        };
        write!(
            f,
            "train {{
    data     = {data}.train
    minimize {minimize}
    measure  {measure}
    validate = {data}.test
    batch    = 32
    epochs   = {epochs}
    # Ends when the validation has not become better for so many epochs{which}.
    stop     = patience({patience})
{keep}}}
"
        )
    }
}
