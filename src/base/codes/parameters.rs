//! E059x: parameters as values.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0590",
        title: "parameters that are not known yet",
        explain: "\
`Net.parameters` is one value with all parameters of `Net`, so their shapes must be known. Those of a model follow from
the types of its inputs; where these leave sizes open, and for an instance in the body of a layer, they are known after
the first call.
    w = fc.parameters              # wrong above the first call of fc
    y = fc(x)
    w = fc.parameters              # right",
    },
    Code {
        code: "E0591",
        title: "parameters of different networks",
        explain: "\
Two sets of parameters are combined parameter by parameter, so they must have the same paths and shapes: those of one
network, or of two that are built alike.
    Net.parameters + Other.parameters          # wrong, if Other has other layers",
    },
    Code {
        code: "E0592",
        title: "an operation that parameters as a whole do not have",
        explain: "\
All parameters of a network together are combined with numbers and with parameters, element by element: `w - 0.1 * g`,
`sqrt(v)`, `max(a, b)`. `sum(w)`, `prod(w)`, `max(w)`, `min(w)` and `norm(w)` make one number of them. One parameter is a
tensor: `w.fc1.weight`.
    x @ w                          # wrong
    Net(x) at w                    # right: the network with these parameters",
    },
    Code {
        code: "E0593",
        title: "`at` without parameters",
        explain: "\
`expression at w` is the expression in which a network has the parameters w instead of its own. w is `Net.parameters`, or
computed from it.
    Net(x) at Net                  # wrong
    Net(x) at 0.5 * Net.parameters # right",
    },
    Code {
        code: "E0594",
        title: "an expression taken at parameters that it does not read",
        explain: "\
What stands before `at` calls the network whose parameters are given. A call before that has its result already.
    y = Net(x)
    mse(y, z) at w                 # wrong: y was computed above
    mse(Net(x), z) at w            # right",
    },
    Code {
        code: "E0595",
        title: "a line that computes parameters, without parameters",
        explain: "\
`Teacher <- …` in a `train` gives all parameters of a model new values in each step, `init Teacher = …` before the first.
On both sides the name of a model, or of a layer in it, stands for its parameters.
    Teacher <- mse(Teacher(x), y)                  # wrong
    Teacher <- 0.99 * Teacher + 0.01 * Student     # right",
    },
    Code {
        code: "E0596",
        title: "the second list of an optimizer",
        explain: "\
An optimizer with a second list sees whole parameters, and the list says which ones it takes: one input, `param`, with the
type that they match, or `parameters`, all of them as one vector.
    optimizer Rows(lr = 0.1)(weight: [m, n], bias: [n]) { … }     # wrong
    optimizer Rows(lr = 0.1)(param: [m, n]) { … }                 # right: all matrices
    optimizer All(lr = 0.1)(parameters: [n]) { … }                # right: all as one vector",
    },
    Code {
        code: "E0597",
        title: "a parameter that no optimizer takes",
        explain: "\
An optimizer for whole parameters takes those that match its pattern; behind `else` stands who takes the others.
    minimize LOSS with Muon(lr = 0.02)                            # wrong, if there are biases
    minimize LOSS with Muon(lr = 0.02) else AdamW(lr = 1e-3)      # right",
    },
];
