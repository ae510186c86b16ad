//! E06xx: optimisers, data and train declarations.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0601",
        title: "the data has no such field",
        explain: "\
After the name of a data set stands a field, a part or `rows`; after a part, a field or `rows`.
    digits.test.lable      # wrong: the field is called `label`
    digits.test.label      # right",
    },
    Code {
        code: "E0602",
        title: "data where a compile-time value is needed",
        explain: "\
The rows of a data set are known when the program runs; sizes, settings and hyperparameters are known
before. Use the data in `train`, `print`, `expect`, in other data, in starting values or in a function
that they call.
    train { steps = points.x[0] }            # wrong: not known when the program is checked
    train { steps = 100 }                    # right",
    },
    Code {
        code: "E0603",
        title: "a column that the source does not have",
        explain: "\
Each source is read in its own way: `column(\"name\")`, `column(3)` and `columns(0:64)` for csv;
`tensor(\"name\")` for npz and safetensors; `tensor()` for npy and idx; `window(64)` and
`window(64, shift = 1)` for texts; `pixels()` and `labels()` for folders of images. `standardize(e)`
may stand around any of them, in a `data` item only.
    data d = csv(\"d.csv\") { x: [4] = tensor(\"x\") }       # wrong
    data d = csv(\"d.csv\") { x: [4] = columns(0:4) }      # right",
    },
    Code {
        code: "E0604",
        title: "a source of data that is not one",
        explain: "\
A source is a call with a path: csv, npy, npz, safetensors, idx, images or text. Only csv has options,
`header` and `separator`.
    data d = cvs(\"d.csv\") { … }                  # wrong
    data d = csv(\"d.csv\", header = false) { … }  # right",
    },
    Code {
        code: "E0605",
        title: "the number of rows is not known or does not fit",
        explain: "\
Made data says `rows = 1_000`; a literal's first axis is its rows; a file says it itself, so `rows`
must not.
    data d { x: [2] = uniform(-1, 1) }               # wrong: how many?
    data d { rows = 100
             x: [2] = uniform(-1, 1) }               # right",
    },
    Code {
        code: "E0606",
        title: "a split that is not one",
        explain: "\
The parts of a split have different names and shares between 0 and 1 that add up to 1. Parts are
rounded down, the last takes the rest.
    split train = 0.8, test = 0.3      # wrong: 1.1
    split train = 0.8, test = 0.2      # right",
    },
    Code {
        code: "E0607",
        title: "a field with a name that is taken",
        explain: "\
No field may have the name of another field, of a part, `rows` or `T`: `digits.rows` and `x.T` would
mean two things.
    data d { rows = 10
             T: [] = uniform(0, 1) }           # wrong: `x.T` is the transpose",
    },
    Code {
        code: "E0608",
        title: "fields with different numbers of rows",
        explain: "\
All fields of a data set have equally many rows: row i of each belongs together.
    x = [[0, 0], [0, 1]]
    y = [[0], [1], [1]]      # wrong: 3 rows, not 2",
    },
    Code {
        code: "E0610",
        title: "data that cannot be used for training here",
        explain: "\
`data` and `validate` take a data set, or a part of one that is split; validation data has the fields
of the training data.
    data = digits            # wrong if `digits` is split
    data = digits.train      # right",
    },
    Code {
        code: "E0611",
        title: "a `train` without data or without anything to minimize",
        explain: "\
A `train` needs at least `data`, one `minimize` line and `epochs` or `steps`.
    train {
        data     = points
        minimize mse(Net(x), y) with SGD(lr = 0.1)
        epochs   = 10
    }",
    },
    Code {
        code: "E0612",
        title: "a setting of `train` that is not one, or is set twice",
        explain: "\
Settings are data, validate, batch, epochs, steps, seed, shuffle, stop and init, each at most once;
lines that begin with `minimize` and `measure` may stand several times.
    train { data = d
            lr   = 0.1 }                          # wrong: it belongs to the optimizer, SGD(lr = 0.1)",
    },
    Code {
        code: "E0613",
        title: "how long to train is not said, or said twice",
        explain: "\
Exactly one of `epochs` (passes over the data) and `steps` (updates) is given.
Say how long, once:
    epochs = 20        # or
    steps  = 5_000",
    },
    Code {
        code: "E0614",
        title: "a setting of `train` with a value out of range",
        explain: "\
`batch`, `epochs`, `steps` and patience are whole numbers of at least 1; `stop` takes
`patience(n)`; `init` takes `safetensors(\"file\", prefix = \"…\")`.
    batch = 0          # wrong
    batch = 32         # right",
    },
    Code {
        code: "E0615",
        title: "a loss that is not a scalar",
        explain: "\
A loss is one number for the whole batch.
    minimize (Net(x) - y)^2 with SGD()           # wrong: one for each row
    minimize mean((Net(x) - y)^2) with SGD()     # right",
    },
    Code {
        code: "E0616",
        title: "there is nothing to train",
        explain: "\
A `minimize` line trains the models that its loss calls, or the models, layers and parameters after `over`. They
must have parameters that are not `frozen`.
    minimize mean(y) with SGD()                  # wrong: no model in it
    minimize mse(Net(x), y) with SGD()           # right",
    },
    Code {
        code: "E0617",
        title: "an option of `minimize` that is not one",
        explain: "\
Options are `clip_norm = c` and `clip_value = c` with a positive number c known at compile time.
    minimize mse(Net(x), y) with SGD(), clip = 1           # wrong
    minimize mse(Net(x), y) with SGD(), clip_norm = 1      # right",
    },
    Code {
        code: "E0618",
        title: "an optimizer is needed",
        explain: "\
After `with` stands an optimizer with its hyperparameters.
    minimize mse(Net(x), y) with 0.1             # wrong
    minimize mse(Net(x), y) with SGD(lr = 0.1)   # right",
    },
    Code {
        code: "E0619",
        title: "an optimizer that does not update `param` once",
        explain: "\
The body of an optimizer assigns `param` exactly once, by its last `<-`.
    optimizer Plain(lr = 0.1) {
        param <- param - lr * grad
    }",
    },
    Code {
        code: "E0620",
        title: "something that cannot stand in an optimizer",
        explain: "\
The body is written for one parameter and is elementwise: bindings, `state`, `<-` on states and on
`param`, compile-time `if`. It has no value, parameters, index notation or scans.
    optimizer Bad(lr = 0.1) { param - lr * grad }              # wrong: a value
    optimizer Good(lr = 0.1) { param <- param - lr * grad }    # right",
    },
    Code {
        code: "E0621",
        title: "a metric that is not one",
        explain: "\
A `measure` line gives one number, under a name: `measure accuracy(Net(x), y)` is called after the
function, anything else needs `measure NAME = …`. The arguments of a `whole` metric are gathered over
all batches, so the batch is their first axis; such a metric stands alone on its line.",
    },
    Code {
        code: "E0622",
        title: "a `print`, `expect` or `plot` that cannot be carried out",
        explain: "\
`expect` takes a condition (a bool, or a tensor of bools that must all hold) and a message;
`plot` takes tensors and options; how many tensors, of which shapes, and which options depends on its `kind`.
    plot curve, kind = \"heat\"                            # wrong: one axis is no matrix
    plot table, kind = \"heat\", title = \"counts\"          # right: [rows, columns]
    expect accuracy(Net(d.x), d.y), \"good\"                # wrong: a number
    expect accuracy(Net(d.x), d.y) > 0.9, \"good\"          # right",
    },
    Code {
        code: "E0623",
        title: "a `generate` that cannot be carried out",
        explain: "\
A model goes on with a text if its one input is a row of characters, `int[B, T]`, and it gives the
scores of the next character after each of them, `[B, T, n]`, or after the last, `[B, n]`. A `text`
source numbers the characters; the choice behind `with` gets the scores and gives one number.
    generate Writer(plays.x) from \"A\" with sample, length = 80      # wrong: a call
    generate Writer from \"A\" with softmax, length = 80              # wrong: no number
    generate Writer from \"A\" with sample(temperature = 0.8), length = 80, seed = 3",
    },
    Code {
        code: "E0630",
        title: "data that is made from itself",
        explain: "\
A field may use fields of other data, also of data that stands further down, and the fields above it
of its own data. Data sets that use one another in a circle cannot be made.
    data a { x: [1] = mean(b.x) ... }
    data b { x: [1] = mean(a.x) ... }        # wrong: `a` needs `b`, which needs `a`",
    },
    Code {
        code: "E0631",
        title: "data that depends on parameters",
        explain: "\
Data is made once, before anything is trained, so a field cannot use a model or its parameters. Call
the model where its result is needed: in a loss, a `measure`, a `print`.
    data d { x: [1] = uniform(0, 1)
             y: [1] = Net(d.x)[0] }           # wrong
    train { minimize mse(Other(x), Net(x)) with SGD(lr = 0.1) over Other ... }      # right",
    },
    Code {
        code: "E0635",
        title: "a setting that has no effect",
        explain: "\
What is written and changes nothing is a mistake: of the setting, or of what it was written for. A `seed` is for
random numbers and for the order of rows; without either it says nothing.
    data d { seed = 3
             x = [[0.0], [1.0]] }                   # wrong: nothing in it is random",
    },
    Code {
        code: "E0636",
        title: "one number for a field of several",
        explain: "\
A field whose rows have several elements gets all of them: a single column, or a number that differs from row to
row, is not spread over them.
    x: [4] = column(\"width\")                       # wrong: one number for four
    x: [4] = columns(0:4)                           # right
    x: [] = column(\"width\")                        # right",
    },
    Code {
        code: "E0637",
        title: "a setting in a `data` item that stands elsewhere",
        explain: "\
A line `name = value` of a `data` item is a field, except for `rows` and `seed`. A field that is one constant for
all rows and has the name of a setting of something else is most likely that setting.
    data d = csv(\"d.csv\") { header = false
                             x = column(0) }        # wrong: a field called `header`
    data d = csv(\"d.csv\", header = false) { x = column(0) }",
    },
    Code {
        code: "E0640",
        title: "ints are divided by 0",
        explain: "\
The divisor of `div` or `mod` is the int 0, known at compile time: there is no such int. Of ints that are known when the
program runs the result is 0 then, so a branch that looks at the divisor stays defined; floats give an infinity or NaN.
    mod(step, every)             # `every` is 0
    mod(step, max(every, 1))
    if n > 0 then div(total, n) else 0",
    },
    Code {
        code: "E0646",
        title: "data that reads nothing of its file",
        explain: "\
How many rows there are is known from the file that the fields read. A field that is written out, or made, is
the same for all rows or has rows of its own.
    data d = csv(\"d.csv\") { x = [1, 2, 3] }        # wrong: three numbers in each of unknown rows
    data d = csv(\"d.csv\") { x = column(\"a\") }     # right
    data d { x = [1, 2, 3] }                        # right: three rows",
    },
    Code {
        code: "E0647",
        title: "a number for what is true or false",
        explain: "\
A hyperparameter whose default is true or false is one of these, and one whose default is a number is not.
A further number by position is often one that another library has at this place.
    x |> Linear(8, bias = 0)          # wrong
    x |> Linear(8, bias = false)      # right",
    },
];
