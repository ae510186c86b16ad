//! W00xx: warnings.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "W0071",
        title: "a file of parameters has arrays that nothing uses",
        explain: "\
The file has arrays under the prefix that are no parameter or state of the models that are trained.
Harmless if the file is a larger model's; otherwise a layer may be missing in the program. Names
without the prefix are ignored, and so is `num_batches_tracked`.",
    },
    Code {
        code: "W0601",
        title: "a parameter on which no loss depends",
        explain: "\
The `minimize` line calls the parameter's model, but its loss does not change with the parameter, so it
stays as it is. Often a layer was made and never called, or its result is not used. `frozen` says that
this is meant, `over` trains other models only.",
    },
    Code {
        code: "W0602",
        title: "a size that nothing fixes",
        explain: "\
A parameter's shape depends on the shape of an input of a model that nothing calls, so its size is open.
The model is checked for all sizes; to run it or to see its summary, call it in a `train` or write the
number into its signature.
    model Net(x: [B, n]) -> [B, 3] { x |> Linear(3) }     # n is open
    model Net(x: [B, 4]) -> [B, 3] { x |> Linear(3) }     # n is 4",
    },
];
