//! E01xx: names, roles and calls.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0101",
        title: "a name is not known",
        explain: "\
Every name is declared in the file, imported, bound in the body, or part of the library.
    y = x @ wieght           # wrong
    y = x @ weight           # right",
    },
    Code {
        code: "E0102",
        title: "two items of one name in a file",
        explain: "\
Items of a file (constants, functions, layers, models, data) share one set of names.
    fn f(x) = x
    fn f(x) = 2 * x          # wrong: `f` is declared above",
    },
    Code {
        code: "E0103",
        title: "files import each other in a circle",
        explain: "\
An import brings the declarations of another file; two files cannot each need the other first.
Move what both need into a third file.
    import \"common.nn\"",
    },
    Code {
        code: "E0104",
        title: "an import cannot be read",
        explain: "\
The path is relative to the file that imports.
    import \"layer.nn\"        # wrong, if the file is called layers.nn
    import \"layers.nn\"       # right",
    },
    Code {
        code: "E0105",
        title: "one name from two imports",
        explain: "\
Both imported files declare the name, so it is not clear which is meant.
Rename one of them, or declare the name in the importing file, which hides both.
    import \"a.nn\"
    import \"b.nn\"            # wrong, if both declare `Block`",
    },
    Code {
        code: "E0106",
        title: "an argument that the function does not have",
        explain: "\
Positional arguments come first, in order; named ones have the names of parameters.
    y = tanh(x, 2)           # wrong: tanh takes one argument
    y = sum(x, axis = 1)     # right: the axis is named",
    },
    Code {
        code: "E0107",
        title: "an argument is missing",
        explain: "\
A parameter without a default must be given.
    h = Linear()             # wrong: how many outputs?
    h = Linear(128)          # right",
    },
    Code {
        code: "E0108",
        title: "an argument is given twice",
        explain: "\
A parameter takes one argument, by place or by name.
    h = Linear(128, out = 64)    # wrong
    h = Linear(128)              # right",
    },
    Code {
        code: "E0109",
        title: "something that cannot be called is called",
        explain: "\
Only functions, layers and models are called. A binding of the same name hides a function.
    mean = head(h)
    y = mean(x)              # wrong: `mean` is a tensor here
    y = mu(x)                # give one of them another name",
    },
    Code {
        code: "E0110",
        title: "something leads back to itself",
        explain: "\
Functions are expanded at each call and layers at each instance, so recursion would never end.
    fn f(x) = f(x - 1)       # wrong
Use `for` or `repeat` to do a thing several times, `scan` for recurrences.",
    },
    Code {
        code: "E0111",
        title: "an activation is not elementwise",
        explain: "\
An activation computes each element from that element alone, and keeps the shape. Its other
parameters are numbers known at compile time.
    activation a(x) = x / sum(x)     # wrong
    fn a(x) = x / sum(x)             # right: a function of whole tensors",
    },
    Code {
        code: "E0112",
        title: "a loss is not a scalar",
        explain: "\
A loss is one number, which training makes smaller.
    loss l(z, y) = (z - y)^2             # wrong: as many numbers as elements
    loss l(z, y) = mean((z - y)^2)       # right",
    },
    Code {
        code: "E0113",
        title: "a metric is not a scalar",
        explain: "\
A metric is one number.
    metric m(z, y) = z == y              # wrong
    metric m(z, y) = mean(z == y)        # right",
    },
    Code {
        code: "E0114",
        title: "an init makes another shape than is asked for",
        explain: "\
An init makes a tensor of the shape that the parameter declares.
    init half(): [out, in] = 0.5 * eye(3)            # wrong for most shapes
    init half(): [out, in] = 0.5 * uniform(0, 1)     # right: `uniform` makes the shape asked for",
    },
    Code {
        code: "E0115",
        title: "a schedule at a wrong place, or not a number",
        explain: "\
A schedule maps the number of the step to a number, and is given as a hyperparameter of an optimizer.
    print cosine(0.1, total = 100)                   # wrong: which step?
    minimize … with SGD(lr = cosine(0.1, total = 100))    # right",
    },
    Code {
        code: "E0116",
        title: "a value of another kind is needed",
        explain: "\
Numbers, tensors, lists, strings, functions and layers are different kinds of values.
    y = concat(a, b)         # wrong: a list is needed
    y = concat([a, b])       # right",
    },
    Code {
        code: "E0117",
        title: "a value must be known at compile time",
        explain: "\
Sizes, axes, counts and the conditions of `if` blocks are known before anything runs.
    if x > 0 { … }               # wrong, if x is a tensor
    y = if x > 0 then a else b   # right: chooses element by element",
    },
    Code {
        code: "E0118",
        title: "a declaration that cannot stand here",
        explain: "\
Instances, parameters and states stand in the bodies of layers and models, outside of `scan`;
carries and `collect` stand in a `scan`. What is made before a scan may be called in it.
    fn f(x) = x |> Linear(8)             # wrong
    layer F()(x) { x |> Linear(8) }      # right",
    },
    Code {
        code: "E0119",
        title: "a layer without its parentheses",
        explain: "\
A layer's name alone is no instance of it.
    y = x |> LayerNorm           # wrong
    y = x |> LayerNorm()         # right",
    },
    Code {
        code: "E0120",
        title: "what is required does not hold",
        explain: "\
A `require` in a body checks a condition on what is known at compile time. The message is the
author's; both the condition and the call that violates it are shown.
    y = x |> Dropout(1.5)        # wrong: a probability lies in 0..1",
    },
    Code {
        code: "E0121",
        title: "a value is taken apart into the wrong number of names",
        explain: "\
A tuple or list is taken apart with as many names as it has values; `_` drops one.
    (a, b) = split(x, 3)         # wrong
    (a, b, _) = split(x, 3)      # right",
    },
    Code {
        code: "E0122",
        title: "the program unfolds into too much",
        explain: "\
Compile-time loops, `repeat` and calls are written out before anything runs, and there is a limit.
    for l in 0..1000000000 { … }         # wrong
For long recurrences use `scan`, which is not written out.",
    },
    Code {
        code: "E0123",
        title: "expressions or calls nest too deeply",
        explain: "\
Calls may nest 64 deep, and expressions and calls together 600 deep.
Give parts of an expression names, or do without some of the functions.
    y = f(f(f(… x …)))           # wrong, if it goes on like that",
    },
    Code {
        code: "E0124",
        title: "something that is not a number is computed with",
        explain: "\
Tuples exist only as results, functions and layers are called, strings and `none` are no numbers.
    y = Vae(x) + 1               # wrong, if Vae gives a tuple
    (r, mu, lv) = Vae(x)         # right
    y = r + 1",
    },
    Code {
        code: "E0125",
        title: "a value that is not available here",
        explain: "\
Starting values of parameters and states are worked out once, before any data is seen.
    param w: [n] = mean(x)               # wrong: x is an input
    param w: [n] = uniform(-1, 1)        # right",
    },
    Code {
        code: "E0126",
        title: "an indexed value where a whole tensor is needed, or the other way round",
        explain: "\
In index notation the right side is one number for each combination of indices: tensors have one
subscript for every axis, and functions of indexed values are elementwise.
    y[i] = softmax(x[i])         # wrong
    y[i] = softmax(x)[i]         # right",
    },
    Code {
        code: "E0128",
        title: "two instances, parameters or states of one name",
        explain: "\
Each has its own path, even where one binding hides the other.
    for l in 0..3 { fc = Linear(8) }         # wrong
    for l in 0..3 { fc{l} = Linear(8) }      # right",
    },
    Code {
        code: "E0129",
        title: "no such field",
        explain: "\
A layer or model has its parameters and inner instances as fields; they are known once it was called.
    w = fc1.wieght           # wrong
    w = fc1.weight           # right",
    },
    Code {
        code: "E0130",
        title: "a schedule that gives no number",
        explain: "\
What changes with the training step is worked out for steps of the training before it begins. At one
of them it is infinite or NaN, mostly by a division by 0.
    schedule falling(base) = base / (step - 1)   # wrong: step counts from 1
    schedule falling(base) = base / step         # right",
    },
];
