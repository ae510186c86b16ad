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
    Code {
        code: "W0735",
        title: "a score is not a number",
        explain: "\
The loss of the validation is NaN or infinite, or a metric is NaN, though the training's own loss and all
parameters and states are numbers. Training goes on. The message names what is bad in the validation first:
often a row of the data, or a logarithm or division that meets 0 in evaluation only.
    y: [1] = log(max(column(\"price\"), 1e-6))",
    },
    Code {
        code: "W0736",
        title: "the data has values that are no numbers",
        explain: "\
A field that a training uses is NaN or infinite in some rows. What is computed of such a value is NaN, too, and
in the end all parameters are, unless the program takes care of it. The message names the first row, from 0.
A comparison with itself is false for NaN alone:
    x: [4] = if raw == raw then raw else 0",
    },
];
