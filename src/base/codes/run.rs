//! E072x and up: what happens while a program runs.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0720",
        title: "a value is outside of its bounds",
        explain: "\
A field of type `class(10)`, or one that is used as a subscript, holds whole numbers from 0 up to
a bound. The message names the field, the row (from 0) and the value; both places are shown.
    label: class(10) = column(64)      # classes are 0, 1, …, 9
If the classes in the file begin at 1, subtract it:
    label: class(10) = column(64) - 1",
    },
    Code {
        code: "E0721",
        title: "the fields of a data set have different numbers of rows",
        explain: "\
Row r of every field belongs to the same example, so all fields have equally many rows. A data set
has at most 4294967295 of them.
Are two of the arrays from different files or parts, or is an axis other than the first the rows?",
    },
    Code {
        code: "E0722",
        title: "an array in a file has another shape than its field",
        explain: "\
The first axis of an array is the rows; the others must have as many elements as the declared type
of one row.
    image: [28, 28] = tensor(\"images\")     # the file has [60000, 784] or [60000, 28, 28]",
    },
    Code {
        code: "E0723",
        title: "the loss or a parameter became infinite or is not a number",
        explain: "\
Training stops at the step whose loss is not finite, or that made a parameter or state so. The message
names the step, the `minimize` line and the first tensor that went bad. Usual reasons: the learning rate is too large; `log` or a
division meets 0; inputs are in the thousands. What helps:
    with SGD(lr = 0.01), clip_norm = 1
    log(max(p, 1e-12))
    x: [4] = standardize(columns(0:4))",
    },
    Code {
        code: "E0724",
        title: "an `expect` does not hold",
        explain: "\
The condition of an `expect` is false, or false for some element if it is a tensor. Both sides of a
comparison are shown. The lines behind it are carried out up to the next `train`, and the run ends
with exit code 1.
    expect accuracy(Digits(digits.test.image), digits.test.label) > 0.96, \"accurate enough\"",
    },
    Code {
        code: "E0725",
        title: "a part of the data has no rows",
        explain: "\
Parts of a `split` are their share of the rows, rounded down; the last takes the rest. With few
rows a small share is none.
    split train = 0.9, test = 0.1      # of 9 rows: 8 and 1
    split train = 0.99, val = 0.005, test = 0.005     # of 100 rows: 99, 0 and 1",
    },
    Code {
        code: "E0726",
        title: "a size does not come out",
        explain: "\
Sizes that depend on the number of rows or on the batch size are computed when these are known.
Then a quotient was not whole, a size was negative, or the tensors do not fit into memory.
    x |> reshape([B / 4, 4 * n])       # needs a batch that is a multiple of 4
Mind that the last batch of an epoch is smaller unless `shuffle = false`.",
    },
    Code {
        code: "E0728",
        title: "no such data to measure on",
        explain: "\
Losses and metrics are measured on a data set of the program, or on one part of it, that has the
fields of the `train`. Only a `train` with a `validate` line can be measured.
    session.evaluate(\"digits.test\")",
    },
    Code {
        code: "E0730",
        title: "cannot go on from this file",
        explain: "\
`--resume` needs a file that `--save` wrote in a run of the same program: it holds the states of
the optimisers and how far the training was, too.
To start anew from the parameters alone, of any safetensors file:
    nnc run digits.nn --init digits.safetensors",
    },
    Code {
        code: "E0731",
        title: "the inputs do not fit the model",
        explain: "\
A model is given as many tensors as it has inputs, each of the declared type; free sizes such as
the batch must be the same wherever they stand.
    session.predict(\"Xor\", &[&Tensor::floats(&[4, 2], &values)?])",
    },
    Code {
        code: "E0732",
        title: "a model that cannot go on with a text",
        explain: "\
A `generate` gives the model the last characters of the text, as many as its window takes, and
chooses the next by the scores. Therefore
- the model scores as many characters as the text of the data has different ones;
- scores are numbers, and do not depend on characters that come later (attention is `causal = true`,
  a recurrent layer is not `bidirectional`);
- a model that scores the end of its window only needs a text that fills it from the start.",
    },
    Code {
        code: "E0733",
        title: "a checkpoint of another training",
        explain: "\
`--resume` takes the steps that are left as if the training had not been broken off. That needs the same
data, rows and settings, and steps that compute the same; the message lists what has changed since the file
was saved. More epochs or steps, another patience, other prints and comments are no change.
To go on in spite of a change, with parameters and states of the optimisers as they are:
    nnc run digits.nn --resume digits.safetensors --changed
To start anew from the parameters alone:
    nnc run digits.nn --init digits.safetensors",
    },
    Code {
        code: "E0734",
        title: "more memory than there is",
        explain: "\
What is needed at the same time is compared with what the computer has free, and with the limits of the
process and its container, before it is allocated. The message lists the largest parts: parameters, states of
the optimisers, what a step keeps of a batch, data.
What a step keeps grows with the batch:
    nnc run large.nn --batch 16
Arrays of npy, idx and safetensors files are read batch by batch where they are large; csv files are not.",
    },
    Code {
        code: "E0745",
        title: "an int that 64 bits do not hold",
        explain: "\
Ints are whole numbers from -2^63 to 2^63 - 1. A sum, a product or a quotient of ints beyond these is an
error when the program runs: it is never wrapped around or cut off. Both branches of an elementwise `if` are
computed, so bound what is computed with:
    if n < 20 then min(n, 20)^14 else 0
Where a rounded number will do, compute with floats:
    prod(float(sizes))",
    },
    Code {
        code: "E0753",
        title: "data sets whose classes do not fit together",
        explain: "\
One number means one class in all data of a program: fields of the same name share the names in their files. Here
there are more of them together than the field's type has, or two lists of names differ.
    label: class(4) = column(\"label\")      # if there are four in all files together
Fields that have nothing to do with each other have different names.",
    },
    Code {
        code: "E0754",
        title: "a name that is no class",
        explain: "\
The names of the classes are listed, or known from other data of the program, and this is none of them. Is it
written in another way there, or does the list lack it?
    label: class(3) = column(\"label\", names = [\"cat\", \"dog\", \"owl\"])",
    },
    Code {
        code: "E0755",
        title: "a field without a value in data that reads a file",
        explain: "\
A field that has a type and no value is given by the program that runs this one. In data that reads a file each
field says what of the file it is.
    data iris = csv(\"iris.csv\") { x: [4] }                        # wrong
    data iris = csv(\"iris.csv\") { x: [4] = columns(0:4) }         # right
    data iris { x: [4] }                                            # right: given by whoever runs it",
    },
    Code {
        code: "E0756",
        title: "data that nobody has given",
        explain: "\
A field that has a type and no value is given by whoever runs the program: by a program that embeds nnc, or by
a file with an array for each field.
    data points { x: [2] }
On the command line a file gives the rows, one that `np.savez(\"points.npz\", x = x)` writes for example:
    nnc run net.nn --data points=points.npz
In Python arrays or a data frame give them:
    program.session(points={\"x\": x})
In a Rust program:
    program.session_with(Given::new().data(\"points\", [(\"x\", x)]))",
    },
    Code {
        code: "E0757",
        title: "rows that are given for something else",
        explain: "\
Rows are given for a `data` item whose fields have a type and no value, a tensor for each of these fields. Either
the program has no such item, or its fields are others.
    data points { x: [2] }
    session.give(\"point\", [(\"x\", x)])        # wrong: the data is called `points`
    session.give(\"points\", [(\"z\", z)])       # wrong: it has no field `z`
    session.give(\"points\", [(\"x\", x)])       # right",
    },
    Code {
        code: "E0760",
        title: "a value that is no date",
        explain: "\
The message has the line and column of the file. Dates are written 2024-02-29, 2024-02-29 12:30:15,
2024-02-29T12:30Z, 2024-02, and with an order 29.02.2024 or 02/29/2024. Where day and month could be
either, nothing is guessed.
    day: [] = date(column(\"day\"))                       # wrong for 03/04/2024
    day: [] = date(column(\"day\"), order = \"mdy\")        # right: 4 March",
    },
    Code {
        code: "E0761",
        title: "no rows are left",
        explain: "\
`drop rows where` has left out all rows, or there are more folds than rows, or than groups of rows. Look
at the columns with `nnc data FILE.nn`.
    drop rows where not is_missing(column(\"age\"))       # wrong: drops those that have one
    drop rows where is_missing(column(\"age\"))           # right",
    },
    Code {
        code: "E0762",
        title: "a training that cannot be cross-validated",
        explain: "\
`nnc cv` makes folds of the two parts of the data that the one `train` of the program learns from: in
turn each fold is the second part, and the others together are the first.
    train { data = d        … }                          # wrong: what is held out?
    train { data = d.train  validate = d.test  … }       # right, with `split train = 0.8, test = 0.2` in d",
    },
    Code {
        code: "E0768",
        title: "what the loss gives a model depends on the step of the training",
        explain: "\
`step` in a loss is the number of the step, as for a softmax that grows harder while it trains. Predictions are made
behind the training, where there is no step; another model says what stands in its place, and can be exported.
    minimize mse(Codes(x, max(exp(-0.1 * step), 0.5)), x) with Adam(lr = 0.01)
    model Final(x: [B, 6]) = Codes(x, 0.5)                       # nnc export FILE.nn --model Final …",
    },
    Code {
        code: "E0770",
        title: "nothing can be predicted: no loss calls a model",
        explain: "\
`nnc predict`, `nnc eval` and `nnc importance` take from the last `train` which fields of the data a model reads
and what its results are compared with, so its loss has to call the model.
    minimize cross_entropy(Net(x), species) with Adam(lr = 0.01)",
    },
    Code {
        code: "E0771",
        title: "it is not clear what is to be predicted",
        explain: "\
The losses of the `train` call several models, or one on different inputs, or none of the name that is given. The
option says which is meant:
    nnc predict gan.nn --weights w.safetensors --model Judge new.csv",
    },
    Code {
        code: "E0772",
        title: "what a field has learnt from its rows is not known",
        explain: "\
Statistics such as those of `standardize` are those of the rows that the model was trained on. They are kept in the
file of the parameters, and never learnt from new rows. This file does not have them: it was written by another
program, or the formula of the statistic was changed since.
Train again, or undo the change.",
    },
    Code {
        code: "E0773",
        title: "a field of new rows needs more than its row",
        explain: "\
Rows are predicted one by one, so the fields that a model reads must follow from the columns of the same row and
from what was learnt. Random numbers and values of neighbouring rows do not.
    x: [4] = standardize(columns(0:4))          # can be predicted from
    x: [4] = columns(0:4) + 0.1 * normal()      # cannot: do this in the model, in training",
    },
    Code {
        code: "E0774",
        title: "there are no parameters to predict with",
        explain: "\
Without parameters from a file a network gives random numbers, which nothing prints as if they were predictions.
    nnc run net.nn --save net.safetensors
    nnc predict net.nn --weights net.safetensors new.csv",
    },
    Code {
        code: "E0775",
        title: "the input or output has another form than the data",
        explain: "\
New rows of a table come as csv or as lines of JSON, from a file or a pipe; new rows of stored arrays come in a file of
arrays. Lines of JSON have columns by name only. Only rows of tables have columns that can be kept beside the
predictions.",
    },
    Code {
        code: "E0776",
        title: "a folder is not that of a run",
        explain: "\
`nnc run` keeps a folder with program.nn, run.json, metrics.csv, last.safetensors and, where there is a validation,
best.safetensors. `nnc resume`, `nnc rerun` and `nnc runs` need run.json and program.nn. A new run needs a folder of
its own: one that is not there, or empty.",
    },
    Code {
        code: "E0777",
        title: "a run comes out differently when it is carried out again",
        explain: "\
The same program, data and seed give the same bits on the same kind of processor. The notes say what differs: the
program or data in the folder may have been changed; parameters and metrics follow from these, from the version of
nnc, and in their last bits from the width of the processor's vectors.",
    },
    Code {
        code: "E0780",
        title: "no column to predict from",
        explain: "\
`nnc init` writes a program that predicts one column of a csv file from the others. It leaves out columns that number
the rows, that never change, that have a name of its own in every row, or of which most values are missing; in this
file none is left.
    nnc init apples.csv --target kind      # another column is to be predicted",
    },
    Code {
        code: "E0786",
        title: "a wrong line of a `sweep`",
        explain: "\
A `sweep` says what `nnc sweep FILE` tries: lines `NAME in VALUES`, and settings that say how trials are chosen and
judged. A setting that would change nothing is an error, so that nobody relies on it.
    sweep {
        lr    in 1e-4..1e-1, log = true      # a range, at `points` values or, with `trials`, at random
        WIDTH in [8, 16, 32]                 # a list
        trials   = 32
        by       = \"validation accuracy\"    # a score of the first `train`
        greatest = true
        keep     = 4
    }",
    },
    Code {
        code: "E0787",
        title: "a `sweep` tries what the file does not have",
        explain: "\
A name that is tried is a constant of the same file, a setting of `train`, or an argument that an optimizer is given by
name. A number that stands in the middle of a formula has no name: make it a constant.
    const WIDTH = 16
    … Linear(WIDTH) …                        # WIDTH in [8, 16, 32]
    minimize … with Adam(lr = 0.01)          # lr in [0.1, 0.01]; Adam(0.01) names nothing",
    },
    Code {
        code: "E0788",
        title: "values that cannot be tried",
        explain: "\
A line of a `sweep` has a list in brackets, whose values are taken as they are written, or a range of two numbers, both
of which are tried. On a logarithmic scale a range begins above 0; one of whole numbers has whole ends.
    lr    in [0.1, 0.01]
    lr    in 1e-4..1e-1, log = true
    WIDTH in 8..64, whole = true",
    },
    Code {
        code: "E0789",
        title: "a `sweep` with nothing to do",
        explain: "\
A `sweep` tries values in the `train` of its file. A file has one `sweep`, which says in at least one line what is
tried: `lr in [0.1, 0.01]`. Several lines are tried in all combinations or, with `trials`, at random.
Without it, `nnc sweep FILE lr=0.1,0.01` says so on the command line.",
    },
    Code {
        code: "E0791",
        title: "an access outside of a tensor, by a mistake of the compiler",
        explain: "\
With `--checked` (in a library, `Program::check_accesses`) native code checks every read and write
against the memory of its tensor. One of them would have been outside. It was not carried out, and
the run ended. That is never the fault of the program: please report it, with the program and its
data. Without `--checked` the same program may give wrong numbers or crash.
Until it is repaired, another form of the expression that the message shows may help.",
    },
    Code {
        code: "E0792",
        title: "a broken rule between two stages of the compiler",
        explain: "\
The stages of the compiler check what they hand on. One of them has made something that the next one
must not take: rather than code that computes anything, there is none. That is never the fault of the
program: please report it, with the program and the message. Until it is repaired, another form of
the expression in question may help, and so may another back end: `nnc run --backend interpreter`.",
    },
    Code {
        code: "E0793",
        title: "no code for this computer",
        explain: "\
The back end that was asked for makes code that this processor cannot run, or this `nnc` was built
without it. Without `--backend` the best one for the computer is taken; `--backend interpreter` runs
everywhere, slowly.",
    },
    Code {
        code: "E0799",
        title: "a mistake of the compiler",
        explain: "\
A part of the compiler or of the runtime has found that another one broke a rule, or that compiled code and
program do not fit together. That is never the fault of the program: please report it, with the program, its
data and what `nnc --version` says. With `RUST_BACKTRACE=1` the report has the functions that were running.
Until it is repaired, another form of the statement in question may help.",
    },
];
