//! E089x: groups of parameters, and derivatives that functions declare; when and how much parameters change.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0890",
        title: "a group without parameters",
        explain: "\
`over … with …` gives some of the parameters that a line trains a method of their own. A place that means none of them is
a mistake in a name, or names what the line does not train: frozen parameters, models that the loss does not call, and
what the line's own `over` leaves out.
    minimize LOSS with Adam() over \"*.bais\" with SGD()     # wrong
    minimize LOSS with Adam() over \"*.bias\" with SGD()     # right",
    },
    Code {
        code: "E0891",
        title: "a parameter in two groups",
        explain: "\
Each parameter is changed by one method. The nearest name says which: `Net.head.bias` counts before `Net.head`, and names
count before patterns and functions, whatever their order. Where two groups name a parameter equally closely, neither
counts.
    minimize LOSS with Adam() over vectors with SGD() over \"*.bias\" with none           # wrong
    minimize LOSS with Adam() over Net.head.bias with SGD() over \"*.bias\" with none     # right",
    },
    Code {
        code: "E0892",
        title: "what is no group of parameters",
        explain: "\
Before `with`, `over` names layers (`Net.head`), parameters (`Net.head.bias`), patterns of paths (`\"*.bias\"`, in which
`*` stands for any text), or functions that say of a parameter whether it belongs to the group. These look at the shape,
which is known before anything runs, not at values.
    over 3 with SGD()                                # wrong
    fn vectors(param) = count_axes(param) < 2
    over vectors with AdamW(weight_decay = 0)        # right",
    },
    Code {
        code: "E0893",
        title: "the result of a function that declares its derivative",
        explain: "\
`gradient` says what the arguments contribute to a derivative where that by the result is `adjoint`. So the result is
one tensor of floats.
    fn both(x) = (x, x^2)
        gradient adjoint                   # wrong
    fn square(x) = x^2
        gradient 2 * x * adjoint           # right",
    },
    Code {
        code: "E0894",
        title: "the values of a `gradient`",
        explain: "\
A `gradient` has a value for each argument that is a tensor of floats, or parameters of a network, in the order of the
parameters: a tuple if there are several. Arguments for which none is left have no derivative, nor has one for which it
is `none`. What else is given, such as numbers, functions and networks, is not counted.
    fn scaled(x, factor) = x * factor
        gradient (factor * adjoint, sum(x * adjoint))",
    },
    Code {
        code: "E0895",
        title: "a declared derivative that leaves parameters out",
        explain: "\
A function that declares its derivative has one by its arguments only. Parameters of a network that it calls would have
none, without a word, so they are an argument, too.
    fn settled(f, x) { … f(z, x) … } gradient …                    # wrong: the parameters of f
    fn settled(f, w, x) { … (f(z, x) at w) … } gradient …          # right: settled(cell, cell.parameters, x)",
    },
    Code {
        code: "E0897",
        title: "plateaus that nothing counts, or that never come",
        explain: "\
`plateau = patience(5)` says that five epochs without a better loss are a plateau, and a schedule says what becomes of
the rate then. Neither does anything without the other; and a training that stops before its first plateau has none.
    minimize LOSS with Adam(lr = plateau(0.001, gamma = 0.5))
    plateau = patience(5)
    stop = patience(5)          # wrong: the training is over at the first plateau
    stop = patience(20)         # right",
    },
    Code {
        code: "E0898",
        title: "an address at which nobody can listen",
        explain: "\
`nnc watch` shows a run on a page of this computer. Another program may have the port already, or the address is not one
of this computer's.
    nnc watch runs/apples-1                      # the first free port from 8117 on
    nnc watch runs/apples-1 --port 9000          # this port, or the error",
    },
];
