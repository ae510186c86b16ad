//! E03xx: index notation.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "E0301",
        title: "this name cannot be an index",
        explain: "\
A name that stands bare in a subscript on the left, or in a reducer's brackets, is always an index. The
name of a dimension, hyperparameter, whole-number constant, `for` or `scan` variable cannot be one, as
it already stands for a number.
    const n = 3
    y[n] = x[n]          # wrong
    y[i] = x[i]          # right",
    },
    Code {
        code: "E0302",
        title: "the range of an index is not known",
        explain: "\
A range is written (`i < N`) or taken from a subscript that is the index alone. It is never guessed
from a compound subscript.
    y[i] = x[2*i + 1]              # wrong: which values does i take?
    y[i < n / 2] = x[2*i + 1]      # right",
    },
    Code {
        code: "E0303",
        title: "an index ranges over axes of different sizes",
        explain: "\
Where no range is written, the range of an index is the size of the axis at each place where it is the
whole subscript, and all these sizes must agree. Both places are shown.
    y[i] = x[i] + z[i]             # wrong if x has 3 elements and z has 4
    y[i < 3] = x[i] + z[i]         # right: only the first three are meant",
    },
    Code {
        code: "E0304",
        title: "the range of an index depends on another index",
        explain: "\
All indices of a statement or reducer run over a rectangle. Give the index its full range and leave
terms out with `if`.
    s[i] = sum[j < i](x[j])                        # wrong
    s[i] = sum[j](if j < i then x[j] else 0)       # right",
    },
    Code {
        code: "E0305",
        title: "a subscript may lie outside its axis",
        explain: "\
Subscripts are proven to lie within the axis from the ranges of the indices alone; the condition of
an `if` proves nothing. Otherwise the access says what an outside read gives.
    y[i < n] = x[i - 1]                # wrong: for i = 0 this reads x[-1]
    y[i < n] = x[i - 1 else 0]         # right: 0 outside
    m[i < n] = max[u < 3](x[i + u - 1 else skip])      # right: leaves the term out
An int tensor carries the interval of its values (`class(n)`, `argmax`, literals); `clamp` gives one.",
    },
    Code {
        code: "E0306",
        title: "not one subscript for every axis",
        explain: "\
A tensor that is read or written with an index has exactly one subscript for every axis, and no slice.
    y[b] = sum[i](x[b])            # wrong for x: [B, n]
    y[b] = sum[i](x[b, i])         # right
    y[b] = x[b, :]                 # wrong
    y[b, i] = x[b, i]              # right",
    },
    Code {
        code: "E0307",
        title: "a subscript that is not an int",
        explain: "\
Subscripts are linear in the indices, or elements of int tensors. `/` of an index gives a float.
    y[i < 2 * n] = x[i / 2]                # wrong
    y[i < n, k < 2] = x[i]                 # right
    y[i < 2 * n] = x[clamp(int(floor(i / 2)), 0, n - 1)]",
    },
    Code {
        code: "E0308",
        title: "`else` where nothing can be left out",
        explain: "\
`else skip` leaves a term out of the nearest reducer, or of `+=`. Elsewhere there is no term to leave
out; say the value of an outside read instead.
    y[i < n] = x[i - 1 else skip]          # wrong
    y[i < n] = x[i - 1 else 0]             # right
On the left `else skip` stands with `+=` only: what would be added outside is dropped.",
    },
    Code {
        code: "E0309",
        title: "an element may be written twice",
        explain: "\
`=` writes each element at most once. That is known for bare indices, numbers and `k*i + u` with
`u < k`; everything else needs `+=`, which adds up what is written to one place.
    y[dst[e]] = m[e]               # wrong: dst may hold a number twice
    y[dst[e]] += m[e]              # right",
    },
    Code {
        code: "E0310",
        title: "there is no tensor to add to",
        explain: "\
`+=` adds to the earlier tensor of that name and gives a new one. A declaration makes one of zeros.
    pooled[dst[e], d] += m[e, d]           # wrong
    pooled: [N, D]                         # right: all zeros at first
    pooled[dst[e], d] += m[e, d]",
    },
    Code {
        code: "E0311",
        title: "`argmax` and `argmin` take one index",
        explain: "\
Their value is the place of the first greatest (least) term, one number.
    p = argmax[i, j](x[i, j])              # wrong
    p = argmax(reshape(x, [m * n]))        # right: the place in row-major order",
    },
    Code {
        code: "E0312",
        title: "these are no indices of a pack",
        explain: "\
In `y[...s, j]` the dimensions bound by `...s` in the signature serve as indices. They are introduced
on the left-hand side or by a reducer, like all indices.
    fn f(x: [...s, n]) { y[j] = x[...s, j]   y }          # wrong
    fn f(x: [...s, n]) { y[...s, j] = x[...s, j]   y }    # right",
    },
    Code {
        code: "E0313",
        title: "an index is introduced twice",
        explain: "\
The indices of one reducer have different names.
    t = sum[i, i](x[i, i])                 # wrong
    t = sum[i](x[i, i])                    # right: the trace",
    },
    Code {
        code: "E0314",
        title: "index notation where no index is introduced",
        explain: "\
`else` in a subscript, and packs as indices, belong to index notation: an index is introduced on the
left-hand side or by a reducer.
    y = x[0 else 1]                        # wrong
    y[i < n] = x[i - 1 else 0]             # right",
    },
    Code {
        code: "E0315",
        title: "not every element is written",
        explain: "\
Without a declaration every element of the new tensor is written exactly once, and the ranges of the
indices give its shape. Otherwise declare the shape; what is not written is 0.
    y[i, i] = x[i]                         # wrong: only the diagonal
    y: [n, n]                              # right
    y[i, i] = x[i]",
    },
];
