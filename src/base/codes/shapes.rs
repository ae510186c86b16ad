//! E02xx: shapes, types and broadcasting.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0201",
        title: "an argument has the wrong number of axes",
        explain: "\
The declared type of an input says how many axes it has; `...` stands for any number of leading ones.
    model M(x: [B, 64]) …
    y = M(image)             # wrong, if image is [B, 8, 8]
    y = M(flatten(image))    # right",
    },
    Code {
        code: "E0202",
        title: "an argument's size does not match",
        explain: "\
A name of a dimension is bound by the first argument that has it and must match afterwards; numbers
and hyperparameters must match at once.
    fn f(a: [n], b: [n]) = a + b
    y = f(zeros([2]), zeros([3]))    # wrong: n is 2 and 3",
    },
    Code {
        code: "E0203",
        title: "shapes that do not broadcast",
        explain: "\
Shapes are aligned at their last axes. Leading axes may be missing on one side; all others must be
equal. A size of 1 does not stretch by itself: `x[:, new]` and `keep = true` make one that does.
    y = zeros([4, 1]) - zeros([4])       # wrong: not a 4×4 table by accident
    y = zeros([4, 1]) - zeros([4])[:, new]   # right",
    },
    Code {
        code: "E0204",
        title: "a matrix product whose sizes do not fit",
        explain: "\
`a @ b` sums over the last axis of a and the second-to-last (or only) axis of b. Leading axes are
a batch: equal, or missing on one side.
    z = x @ weight           # wrong, if weight is [out, in]
    z = x @ weight.T         # right",
    },
    Code {
        code: "E0205",
        title: "a result is not what its type says",
        explain: "\
The written type of a result is checked; where it is left out it is inferred.
    fn f(x: [n, m]) -> [n] = sum(x, axis = 0)        # wrong: that is [m]
    fn f(x: [n, m]) -> [n] = sum(x, axis = 1)        # right",
    },
    Code {
        code: "E0206",
        title: "a value is not what its declaration says",
        explain: "\
A binding, parameter or state with a written type has that type.
    z: [B, 10] = x @ w       # wrong, if the product is [B, 12]
    z: [B, 12] = x @ w       # right",
    },
    Code {
        code: "E0207",
        title: "dimensions that are not bound",
        explain: "\
A name for several dimensions (`...s`) is bound in the signature and can be used below it.
    fn f(x) -> [...s] = x            # wrong
    fn f(x: [...s]) -> [...s] = x    # right",
    },
    Code {
        code: "E0208",
        title: "a size that is not whole",
        explain: "\
`/` never rounds. Where a whole number is needed and the quotient is none, say which way to round.
    h = reshape(x, [7 / 2, 2])           # wrong
    h = reshape(x, [floor(7 / 2), 2])    # right, if 3 is meant",
    },
    Code {
        code: "E0209",
        title: "an axis that the tensor does not have",
        explain: "\
Axes are numbered from 0; negative numbers count from the end.
    y = sum(x, axis = 2)     # wrong, if x has two axes
    y = sum(x, axis = -1)    # right: the last one",
    },
    Code {
        code: "E0210",
        title: "a subscript outside the tensor",
        explain: "\
A subscript lies in 0 .. size, or counts from the end if it is negative. Slices are not clipped:
`x[a:b]` needs 0 <= a <= b <= size.
    y = x[:, 10]             # wrong, if axis 1 has size 10
    y = x[:, -1]             # right: the last",
    },
    Code {
        code: "E0211",
        title: "too many subscripts",
        explain: "\
There is at most one subscript for each axis, and `...` once for all others.
    y = x[0, 0, 0]           # wrong, if x has two axes
    y = x[0, 0]              # right",
    },
    Code {
        code: "E0212",
        title: "a reshape to another number of elements",
        explain: "\
`reshape` keeps the number of elements; one size may be -1 and is worked out.
    y = reshape(x, [2, 5])       # wrong, if x has 12 elements
    y = reshape(x, [2, -1])      # right",
    },
    Code {
        code: "E0213",
        title: "tensors that cannot be joined",
        explain: "\
`concat` needs tensors that are equal but for the axis along which they are joined, `stack` equal ones.
    y = concat([a, b], axis = 0)     # wrong, if a is [2, 3] and b is [2, 4]
    y = concat([a, b], axis = 1)     # right",
    },
    Code {
        code: "E0214",
        title: "an axis that cannot be split into equal parts",
        explain: "\
`split(x, n)` gives n parts of equal size.
    (a, b) = split(x, 2)             # wrong, if the axis has size 5
    a = x[0:3]                       # right
    b = x[3:]",
    },
    Code {
        code: "E0215",
        title: "elements of another type are needed",
        explain: "\
Ints and bools become floats where floats are needed, never the other way round.
    y = if x then a else b           # wrong, if x is a float
    y = if x > 0 then a else b       # right",
    },
    Code {
        code: "E0216",
        title: "no shape is declared for a maker",
        explain: "\
`uniform`, `normal`, `zeros` and the inits make the shape that the context declares.
    x = uniform(0, 1)                    # wrong
    x: [3] = uniform(0, 1)               # right
    x = uniform(0, 1, shape = [3])       # right",
    },
    Code {
        code: "E0217",
        title: "a size or number out of range",
        explain: "\
Sizes lie between 0 and 2^31 - 1, probabilities between 0 and 1.
    x = zeros([-1])          # wrong
    x = zeros([1])           # right",
    },
    Code {
        code: "E0218",
        title: "`.T` of a tensor with fewer than two axes",
        explain: "\
`.T` swaps the last two axes. A vector in `@` needs no transpose.
    y = v.T @ w              # wrong, if v is a vector
    y = v @ w                # right",
    },
    Code {
        code: "E0219",
        title: "a list that is no tensor",
        explain: "\
Where a tensor is needed the elements of a list are stacked, so they have one shape.
    x = sum([[1, 2], [3]])           # wrong
    x = sum([[1, 2], [3, 0]])        # right",
    },
    Code {
        code: "E0220",
        title: "a parameter would have two shapes",
        explain: "\
A size that reaches the shape of a parameter is the same for all calls of the instance.
    y = M(zeros([5, 2])) + M(zeros([5, 3]))      # wrong, if M has a weight [8, n] for its input [B, n]
Use two instances, or make the inputs equally wide.",
    },
    Code {
        code: "E0221",
        title: "the shape of a parameter is not known",
        explain: "\
Sizes of parameters and states are numbers, the same for every batch.
    layer L()(x: [B, n]) { param w: [B, n] = 0 … }       # wrong: B is the batch
    layer L()(x: [B, n]) { param w: [n] = 0 … }          # right",
    },
    Code {
        code: "E0222",
        title: "a step that is not possible",
        explain: "\
The step of a slice is a whole number from 1 up, that of `arange` is not 0.
    y = x[::-1]              # wrong
    y = flip(x, axis = 0)    # right",
    },
    Code {
        code: "E0223",
        title: "a subscript that is not one whole number",
        explain: "\
Outside of index notation a subscript is an int, known or not.
    y = table[ids]                   # wrong
    y[b, d] = table[ids[b], d]       # right: index notation takes many elements",
    },
    Code {
        code: "E0224",
        title: "an int that may lie outside its class",
        explain: "\
A value declared as `class(n)` lies in 0 .. n, which is proven from what is known of it.
    i: class(3) = int(x)                     # wrong
    i: class(3) = clamp(int(x), 0, 2)        # right",
    },
];
