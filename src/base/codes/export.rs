//! Models in other forms.

use super::Code;

pub const CODES: &[Code] = &[
    Code {
    code: "E0850",
    title: "a size of the exported model is open",
    explain: "\
The memory of exported C has a size that is known when it is compiled, so that of each axis beside the batch must be.
What a loss calls has the sizes of its data. A model that only the program's text has needs numbers in its type, and
its first axis is the batch.
    model Net(x: [B, n]) -> [B, 2] = x |> Linear(2)        # n is open
    model Net(x: [4]) -> [2] = x |> Linear(2)              # there is no batch
    model Net(x: [B, 4]) -> [B, 2] = x |> Linear(2)",
    },
    Code {
        code: "E0851",
        title: "there is no training to export",
        explain: "\
`nnc export --train` writes the step of the last `train` whose loss calls the model. If no loss calls it, there is
nothing to write; without `--train` the model is exported as it is.
    train { data = d  minimize mse(Net(x), y) with SGD(lr = 0.1)  batch = 8  epochs = 1 }",
    },
    Code {
        code: "E0870",
        title: "the model cannot be written as ONNX",
        explain: "\
ONNX has operators for maps, sums, products, convolutions, pools, gathers, scatter-adds and recurrences, of tensors
whose sizes are numbers or those of the inputs. It has none for nnc's random numbers, and none in version 17 for the
greatest or least of what is written to computed places. The model must do without, or be exported as C.
    model Net(x: [B, 4]) -> [B, 4] = x + normal(0, 1, like = x)       # other numbers at each call
    model Net(x: [B, 4], noise: [B, 4]) -> [B, 4] = x + noise         # they are an input",
    },
];
