//! W00xx: warnings.

use super::Code;

pub(super) const CODES: &[Code] = &[Code {
    code: "W0071",
    title: "a file of parameters has arrays that nothing uses",
    explain: "\
The file has arrays under the prefix that are no parameter or state of the models that are trained.
Harmless if the file is a larger model's; otherwise a layer may be missing in the program. Names
without the prefix are ignored, and so is `num_batches_tracked`.",
}];
