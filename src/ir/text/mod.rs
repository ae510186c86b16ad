//! The text form of graphs: what dumps, messages and snapshots show, and what tests write.
//!
//! ```text
//! %0 = input "x" : [batch, 2]
//! %1 = param "fc.weight" : [8, 2]
//! %2 = loop i0 < batch, i1 < 8, i2 < 2 : [i0, i1] += mul(%0[i0, i2], %1[i1, i2]) : [batch, 8]
//! %3 = loop i0 < batch, i1 < 8 :
//!     let v0 = exp(%2[i0, i1])
//!     [i0, i1] = div(v0, add(v0, 1.0)) : [batch, 8]
//! %4 = scan t0 < 4 (%5; %3) {
//!     %0 = carry 0 : [8]
//!     …
//!     out "next" = %2
//! }
//! %5 = result 0 %4 : [8]
//! out "y" = %5
//! ```
//!
//! | form | meaning |
//! |---|---|
//! | `i0`, `t0` | index 0 of the loop, the counter of scan 0 |
//! | `(n + 1)*i0 + (n)` | an affine expression; sizes that are not numbers stand in parentheses |
//! | `%1[i0, 2*i1]` | a read; `%1[i0 - 1 else 0]` is padded |
//! | `%1[%2[i0], =3]` | subscripts that are computed; `=3` is an int constant among them |
//! | `{i0 + 1}` | an affine expression as a value |
//! | `1.0`, `inf`, `nan`; `1`; `true` | constants: float, int, bool |
//! | `select(c, a, b)`, `slope(value, arg, slope)` | see [`Scalar`](super::Scalar) |
//! | `[i0] =`, `+=`, `*=`, `max=`, `min=`, `argmax=`, `argmin=` | how values are combined |
//! | `[i0 - 1 else drop] +=` | writes outside are left out |
//! | `let v0 = …` | a part that is used more than once |
//!
//! [`parse()`] gives back the graph that was printed, but for origins. A loop whose body or operands are not in
//! the order that [`LoopBuilder`](super::LoopBuilder) gives them is printed with `list`, every scalar by
//! itself, and with its operands.

mod parse;
mod print;
mod scalar;
mod scanner;
mod size;
#[cfg(test)]
mod tests;

pub use parse::parse;
pub use print::line;
pub use scanner::TextError;
