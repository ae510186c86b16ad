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
        code: "W0603",
        title: "a first line of a csv file that may be something else",
        explain: "\
The first line has the names of the columns if the program asks for one of them, or if a name in it stands above
numbers. Where all lines look alike, and where its numbers may be years or plain counting, it is a guess, which
this tells. The source says what is right:
    data d = csv(\"years.csv\", header = true) { … }",
    },
    Code {
        code: "W0604",
        title: "fewer names than classes",
        explain: "\
A column of names is numbered in the sorted order of the names that are there. If the file lacks some, they all
get other numbers than in a file that has them. Either n is too large, or the names are to be listed:
    label: class(3) = column(\"label\", names = [\"cat\", \"dog\", \"owl\"])
Files of one program whose fields have the same name share their names.",
    },
    Code {
        code: "W0605",
        title: "entries of a folder of images that are not read",
        explain: "\
Read are files that end in `.png`, `.jpg` or `.jpeg`, in the folder itself or, if it has folders, in each of
these, which is then a class. Other files, images beside the classes, deeper folders and folders without images
are passed over. Hidden files are not mentioned.",
    },
    Code {
        code: "W0606",
        title: "an image has more than its pixels can say",
        explain: "\
Pixels are numbers from 0 to 255: the lower 8 bits of images with 16 are lost. Opacity is read into a field of
four channels only. Of an image with a palette the colours are read, not their numbers in the palette.
    mask: [4, 64, 64] = pixels()        # red, green, blue and opacity",
    },
    Code {
        code: "W0607",
        title: "numbers of a file lose digits",
        explain: "\
Floats of 32 bits have about seven digits: 1700000060, a time in seconds, becomes 1700000000. What is computed in
a `data` item from a file's columns is computed in 64 bits and rounded at the end:
    t = standardize(column(\"t\"))
    t = column(\"t\") - 1_700_000_000
`precision = f64` keeps all digits everywhere.",
    },
    Code {
        code: "W0608",
        title: "the number of a row is read as a column",
        explain: "\
The first column of the file has no name: pandas writes the number of the row there. It says nothing about the
row, and a network that sees it learns the order of the file.
    x: [4] = columns(1:5)                    # not columns(0:4)",
    },
    Code {
        code: "W0609",
        title: "a `stop` that cannot stop",
        explain: "\
`stop = patience(n)` ends the training after n epochs without a better loss, so at the earliest after n + 1. This
training is over before.
    epochs = 100
    stop   = patience(5)",
    },
    Code {
        code: "W0610",
        title: "what is shown depends on parameters that were never trained",
        explain: "\
The parameters are the random numbers that they start from: no `train` of the program changes them, and none were
read from a file.
    nnc run answer.nn --init trained.safetensors",
    },
    Code {
        code: "W0611",
        title: "something that is not what a function expects",
        explain: "\
`advise` in a body warns where a compile-time condition does not hold: what is computed is well defined, but rarely
what is meant. The losses say in this way what they take: scores, probabilities or logarithms of these.
    cross_entropy(softmax(Net(x)), y)            # the softmax is taken twice
    cross_entropy(Net(x), y)                     # right",
    },
    Code {
        code: "W0612",
        title: "neighbours in a batch whose rows are shuffled",
        explain: "\
A window or a recurrence runs over the rows of the batch, so neighbours matter; but with `shuffle = true` any two
rows may be neighbours. Either the rows stay in order, or each row of the data holds a whole window.
    shuffle = false",
    },
    Code {
        code: "W0613",
        title: "folders called by numbers that are not those of their classes",
        explain: "\
Folders of images are numbered from 0 in the order of their names as texts: `10` stands before `2`, and folders
from `1` on are classes from 0 on. A list of names says which number each has:
    label: class(11) = labels(names = [\"0\", \"1\", \"2\", …])",
    },
    Code {
        code: "W0614",
        title: "a batch with more rows than the data",
        explain: "\
A batch has at most all rows of the data, so this one has fewer than are written. With one batch an epoch, an epoch
is a single update.
    batch = 16",
    },
    Code {
        code: "W0615",
        title: "what was learnt from data is learnt again",
        explain: "\
The file of the parameters was not written by this version of nnc, so it does not have the statistics and names of
classes that the model was trained with. They are taken from the training data of the program, which must be what it
was.
    nnc run net.nn --init old.safetensors --save new.safetensors      # keeps them",
    },
    Code {
        code: "W0616",
        title: "no folder of the run is kept",
        explain: "\
A program that trains on data of a file leaves a folder `runs/NAME-N` in the current folder, which cannot be written.
The run goes on without it.
    nnc run net.nn --out /tmp/net      # another place
    nnc run net.nn --no-save           # none",
    },
    Code {
        code: "W0617",
        title: "parameters were trained with other names of classes",
        explain: "\
A training that starts from parameters of a file (`--init`) uses what is kept with these, so that classes have the
numbers and fields the statistics that the network knows. The names in this data are others, so everything is learnt
from it anew: right for other classes, wrong if the names are only written differently.",
    },
    Code {
        code: "W0640",
        title: "a mean or sum of one number",
        explain: "\
A field is written for one row, so a column in it is one number, and its mean is itself. What is computed of all
rows names the data.
    x = column(\"a\") - mean(column(\"a\"))              # always 0
    raw = column(\"a\")
    x = raw - mean(d.raw)                              # the mean over all rows of `d`
    x = standardize(column(\"a\"))                       # by mean and deviation of the training rows",
    },
    Code {
        code: "W0680",
        title: "a file is imported twice",
        explain: "\
One `import` makes all names of a file known, so the second changes nothing. Was another file meant?
    import \"layers.nn\"
    import \"losses.nn\"",
    },
    Code {
        code: "W0681",
        title: "predictions in other units than those of the file",
        explain: "\
The model was trained on a field that is computed from the columns of its file in a way that has no inverse, or its
loss is not least where it gives the target itself. So `nnc predict` gives what the model gives, numbers in the
units of the field, as it does with `--raw`.
    price: [] = standardize(column(\"price\"))                # predicted: prices
    price: [] = column(\"price\") / column(\"area\")          # predicted: prices for each square metre",
    },
    Code {
        code: "W0682",
        title: "a prediction is not a number",
        explain: "\
The model gives NaN or an infinity for a row. Usually the row has one itself, which arrays may hold, or a value far
beyond those that the model was trained on. The message names the first such row; rows are counted from 0.
    fill(column(\"age\"), median)            # a row without an age gets a prediction
    clamp(column(\"income\"), 0, 1_000_000)  # a number beyond those of the training does no harm",
    },
    Code {
        code: "W0683",
        title: "a setting of an optimizer that cannot be checked",
        explain: "\
A learning rate and other settings of an optimizer are numbers or schedules, and what the optimizer requires of them
is checked for the steps of the training before it begins. What is computed from the data or from parameters has no
value then: a negative learning rate would be used as it is.
    with SGD(lr = 0.1 * std(d.x))          # is it positive?
    with SGD(lr = max(0.1 * std(d.x), 0))  # it is",
    },
    Code {
        code: "W0690",
        title: "values of the data are not what is advised",
        explain: "\
A loss of the library or a body of the program says what it expects of values (`advise y >= 0, \"…\"`), and the data
of the training has others. What is computed is well defined, but rarely meant: with targets outside of 0..1 a cross
entropy has no least value and runs away. Of large data some thousand rows are looked at, before the first step.
    y: [1] = column(\"score\") / 100           # a percentage becomes a share
    y: [1] = if column(\"label\") == 2 then 1 else 0",
    },
    Code {
        code: "W0691",
        title: "a column has no values to learn from",
        explain: "\
All rows of the training part lack a value in a column that is filled with what stands for them. There is no mean,
median or mode then: 0 is filled in, in other parts, too, and the column says nothing.
    split train = 0.8, test = 0.2, group = column(\"user\")   # are the values all in the test part?
    age: [] = fill(column(\"age\"), 40)                       # what is known from elsewhere",
    },
    Code {
        code: "W0692",
        title: "a logarithm that may be infinite",
        explain: "\
Where a softmax is sure of one class, it rounds the others to 0. The logarithm of a probability itself is computed from
the scores and stays finite, in whatever spelling. That of `1 - softmax(z)` and of `softmax(z) @ w` is computed as it is
written: once the network is sure, the loss is infinite, and its gradient is not a number just before.
    log(max(1 - p, 1e-6))                                          # bounded, without a gradient below
    log(max(softmax(z) @ w, 1e-20))
    logsumexp(log_softmax(z)[:, :, new] + log(w), axis = 1)        # log(softmax(z) @ w), always finite",
    },
    Code {
        code: "W0693",
        title: "something that is told and has no effect",
        explain: "\
What is written changes nothing here. An optimizer of a `minimize` line whose parameters are all in groups has none
left; an `order` of dates says how day and month are told apart where the year stands last.
    minimize mse(Net(x), y) with Adam() over Net with SGD()      # Adam changes nothing
    minimize mse(Net(x), y) over Net with SGD()
    minimize mse(Net(x), y) with Adam() over Net.head with SGD()",
    },
    Code {
        code: "W0694",
        title: "a new tensor of one element has the name of an earlier one",
        explain: "\
`x[0] = 1` makes a tensor and binds it to x; it has the elements that the line writes, here one. Tensors are values: the
earlier one stays as it is, and so does what was computed from it.
    y[i] = if i == 0 then 1 else x[i]     # x with another first element",
    },
    Code {
        code: "W0715",
        title: "a declared derivative that is not the true one",
        explain: "\
A function says after `gradient` what its arguments contribute to a derivative. `nnc derive --check` compares that with
finite differences of the function, for the first rows of the data. Where another derivative is meant, as where a step
is trained, the clause begins with `surrogate`, and nothing is told.
    fn root(x) = sqrt(x)
        gradient adjoint / result                    # wrong: a factor 2 is missing
    fn straight(value, x) = value
        surrogate (none, adjoint)                    # right: on purpose",
    },
    Code {
        code: "W0720",
        title: "no folders of the folds are kept",
        explain: "\
`nnc cv` keeps a folder for each fold, a run like any other, with a program that says which fold is held out:
    split folds = 5, fold = 3
The parts of such a `split` are called `train` and `test`. Where the program calls its two parts something else, or
divides its data in an imported file, folds are trained and compared, and no folders are kept.",
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
    Code {
        code: "W0830",
        title: "texts that are longer than their field",
        explain: "\
Of a text with more words, characters or parts than its field has elements the beginning is taken. This is told if it
is so for more than a tenth of them.
    review: class(2_000)[32] = words(column(\"review\"))     # 32 words of each
    review: class(2_000)[100] = words(column(\"review\"))    # more of long ones",
    },
    Code {
        code: "W0831",
        title: "a vocabulary that is never full",
        explain: "\
The training part of the data has fewer different words, characters or parts of words than the field has numbers, so
the last of them never occur, and a table for them is larger than it need be.
    review: class(900)[32] = words(column(\"review\"))       # 898 words, the end, and what is unknown",
    },
    Code {
        code: "W0880",
        title: "further data that nothing reads",
        explain: "\
A line `data u = …` of a `train` draws rows in each step, but no loss and no metric reads a field of them. Its fields
begin with its name; without it they are those of the training's own data.
    data     = labelled
    data u   = unlabelled
    minimize mse(Net(x), Teacher(x)) with Adam()        # the rows of `labelled`
    minimize mse(Net(u.x), Teacher(u.x)) with Adam()    # those of `unlabelled`",
    },
    Code {
        code: "W0881",
        title: "an interval that is longer than the training",
        explain: "\
What stands in the braces of `every` is carried out after so many epochs or steps each, also after the last one of the
training if it is one of them. A training with fewer steps than one interval shows nothing of it.
    epochs = 10
    every 20 epochs { print epoch }       # never
    every 5 epochs { print epoch }        # after the epochs 5 and 10",
    },
    Code {
        code: "W0882",
        title: "a derivative that counts another argument",
        explain: "\
A parameter of a function is what is given for it. So where one argument is computed from another, a derivative by this
one in the function's body counts both ways; a partial derivative holds the other argument constant.
    fn part(x, h) = grad(x * h, x)                # of part(x, 2 * x): 4 x
    fn part(x, h) { z = x; grad(z * h, z) }       # on two lines: h held constant, 2 x
    fn along(x, f) = grad(x * f(x), x)            # 4 x, and it says so
There is no warning where the body itself takes the derivative of that argument, `grad(h, x)`: then it is a function of x.",
    },
    Code {
        code: "W0890",
        title: "the last steps of a training change nothing",
        explain: "\
With `accumulate = 8` the gradients of eight steps, which are batches, are averaged before parameters change. If the
number of steps is no multiple of it, the gradients of the last ones are lost; a training of fewer changes nothing.
    accumulate = 8
    steps = 1_003       # the last three change nothing
    steps = 1_000       # right",
    },
];
