//! The table of laws: what each says, when it holds, and by how much its two sides may differ.
//!
//! Everything that [`optimise`](super::optimise) and [`simplify_forward`](super::simplify_forward) change they
//! change by one of these laws, after asking [`Applied::allows`]; so laws can be counted and switched off, and the
//! tests try each of them on extreme numbers.

use std::cell::Cell;

/// By how much the two sides of a law may differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exactness {
    /// Not at all: the same bits for all operands, infinities, NaN and both zeros among them.
    Exact,
    /// The sum of one term, or of terms that are all zero, may be a zero of the other sign.
    ZeroSign,
    /// By the rounding of an operation. Nothing overflows or underflows on one side only.
    Rounding,
    /// The right side has the value that the left side would have without overflow, underflow and cancellation of
    /// intermediate results. Such laws
    /// are applied before derivatives are taken, never after, so that the derivative is that of the value.
    Stable,
    /// They are equal as real numbers. Such laws are applied to formulas that are shown, not to programs that run.
    Reals,
}

/// A rewrite rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Law {
    pub name: &'static str,
    pub equation: &'static str,
    /// The condition under which it is applied; empty if there is none.
    pub when: &'static str,
    pub exactness: Exactness,
}

macro_rules! laws {
    ($($id:ident: $name:literal, $exactness:ident, $equation:literal, $when:literal;)*) => {
        /// The laws of [`LAWS`], in its order.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum LawId { $($id),* }

        /// All laws.
        pub const LAWS: &[Law] = &[$(Law {
            name: $name,
            equation: $equation,
            when: $when,
            exactness: Exactness::$exactness,
        }),*];
    };
}

laws! {
    Fold: "fold", Rounding, "an operation on constants is a constant",
        "in 32 and in 64 bits it comes out the same but for rounding";
    AddZero: "add-zero", Exact, "x + 0 = x, x - 0 = x", "x is never -0 where +0 is added";
    ZeroMinus: "zero-minus", Exact, "0 - x = -x", "of ints, and for the zero -0";
    AddNegative: "add-negative", Exact, "a + -b = a - b, a - -b = a + b, a + (-c) b = a - c b", "";
    IntMinusItself: "int-minus-itself", Exact, "x - x = 0", "of ints";
    MergeSelects: "merge-selects", Exact,
        "(if c then a else 0) + (if c then 0 else b) = if c then a + 0 else 0 + b", "";
    Negations: "negations", Exact, "--a = a, -(c a) = (-c) a, -(c / a) = (-c) / a", "";
    NegatedDifference: "negated-difference", Reals, "-(a - b) = b - a", "of floats; of ints always";
    NotNot: "not-not", Exact, "not not a = a", "";
    MulOne: "mul-one", Exact, "1 a = a, -1 a = -a", "";
    MulZero: "mul-zero", Exact, "0 a = 0", "of ints, and of floats made of bools and of ints that are not below 0";
    MulNegative: "mul-negative", Exact, "-a · -b = a b, -a b = -(a b), -a / b = -(a / b), a / -b = -(a / b)", "";
    DivPowerOfTwo: "div-power-of-two", Exact, "a / 2^k = 2^-k a", "2^k and 2^-k are 32-bit floats, not denormal";
    MergeFactors: "merge-factors", Reals, "c (d a) = (c d) a, c (d / a) = (c d) / a", "";
    MoveFactor: "move-factor", Reals, "(c a) b = c (a b), (c a) / b = c (a / b)", "";
    MulReciprocal: "mul-reciprocal", Reals, "(1 / a) b = b / a", "";
    Shorten: "shorten", Reals, "y (1 - a) - (1 - y) a = y - a", "it has fewer operations";
    ExpLog: "exp-log", Reals, "exp(log a) = a", "a >= 0";
    Selects: "selects", Exact,
        "if c then a else a = a, if not c then a else b = if c then b else a, a condition asked twice is known", "";
    AndOr: "and-or", Exact, "true and a = a, false or a = a, a and a = a", "";
    Comparisons: "comparisons", Exact, "i < n = true", "the ranges of the indices decide it";
    Inside: "inside", Exact, "a padded read is a plain one", "it is inside for all points";
    Strip: "strip", Exact, "stop(x) = x, slope(x, …) = x, mark(x) = x", "after derivatives have been taken";

    LogExp: "log-exp", Stable, "log(exp u) = u", "";
    LogQuotient: "log-quotient", Stable, "log(x / y) = log x - log y",
        "one logarithm is known by another law or x is 1; the other number is above 0";
    LogProduct: "log-product", Stable, "log(x y) = log x + log y",
        "one logarithm is known by another law; the other number is above 0";
    LogSigmoid: "log-sigmoid", Stable, "log(1 / (1 + exp u)) = -(max(u, 0) + log(1 + exp(-|u|)))",
        "with the derivative of the right side; a slope that is declared must be the true one";
    LogOnePlusExp: "log-one-plus-exp", Stable, "log(1 + exp u) = max(u, 0) + log(1 + exp(-|u|))",
        "u may be above 0";
    Log1pExp: "log1p-exp", Stable, "log1p(exp u) = max(u, 0) + log1p(exp(-|u|))",
        "u may be above 0; a function is log1p if it is x near 0 and its declared slope is 1 / (1 + x)";
    LogOnePlusTanh: "log-one-plus-tanh", Stable, "log(1 + tanh v) = log 2 - log(1 + exp(-2 v))", "";
    LogOneMinusTanhSquared: "log-one-minus-tanh-squared", Stable,
        "log(1 - tanh² v) = 2 (log 2 - |v| - log(1 + exp(-2 |v|)))", "";
    LogSelect: "log-select", Stable, "log(if c then a else b) = if c then log a else log b",
        "both logarithms are known by other laws, or one is and the other is of a number";
    LogScaledExp: "log-scaled-exp", Stable, "log(w exp u) = u + log w", "not in formulas that are shown";
    LogSumExp: "log-sum-exp", Stable,
        "log(Σ w exp u) = m + log(Σ w exp(u - m)), m the greatest u of a term that is not 0",
        "u depends on all indices, and the sum is not written in this form; not in formulas that are shown";
    LogReduction: "log-reduction", Stable, "log(Π x) = Σ log x, log(max x) = max log x, log(min x) = min log x",
        "log x is known by another law; not in formulas that are shown";

    OneMinusPower: "one-minus-power", Stable,
        "1 - c^x = -tanh(u / 2) (exp u + 1) where |u| < 1/2, u = x log c",
        "c is a number between 0 and 1; with the derivative of the left side";

    ReadConstant: "read-constant", Exact, "an element of a constant whose elements are equal is that number", "";
    ReadFunction: "read-function", Exact, "an element of a fill, a mask, a range is computed where it is read", "";
    ReadView: "read-view", Exact, "an element of a view is read at its source", "";
    ReadNegated: "read-negated", Exact, "an element of -x is read as -x", "";
    ReadScaled: "read-scaled", Reals, "an element of c x is read as c x", "";
    Pick: "pick", Exact, "of elements that are picked by number only those are computed", "";
    Compose: "compose", Exact, "an elementwise node is computed in its only reader", "";

    ScatterToView: "scatter-to-view", Exact, "out[i + c] = x[i] is out[j] = x[j - c else 0]", "";
    ScatterToSelect: "scatter-to-select", ZeroSign, "out[b, y[b]] += e is out[b, k] = if k == y[b] then e else 0",
        "every index is written bare";
    WriteTransposed: "write-transposed", Exact, "a loop of which only the transpose is used writes the transpose", "";
    UnusedIndex: "unused-index", Rounding, "Σ_j x = n x, max_j x = x", "j < n does not occur in x, and n is not 0";
    SingleIndex: "single-index", ZeroSign, "Σ_j x[j] = x[0]", "j < 1";
    SumOfNegated: "sum-of-negated", ZeroSign, "Σ -x = -Σ x", "every element is written";
    FactorOut: "factor-out", Reals, "Σ_j c x[j] = c Σ_j x[j]", "c does not depend on j";
    OperandFirst: "operand-first", Exact, "Σ_k f(i, k) g(k, j) = Σ_k F[i, k] g(k, j)",
        "it is a matrix product of size if F is a tensor of its own";
    Copy: "copy", Exact, "a loop that gives each element of a tensor is that tensor", "";
    Reshape: "reshape", Exact, "reshape(reshape x) = reshape x, a reshaped fill is a fill", "";

    UnusedCarry: "unused-carry", Exact, "what is carried or collected but not used is left out of a scan", "";
    CaptureFill: "capture-fill", Exact, "what reads nothing is computed inside of a scan", "";
    CaptureView: "capture-view", Exact, "the source of a view is captured in place of the view", "";
    CollectedSlice: "collected-slice", Exact, "the stack of the slices of a stack is that stack", "";
    Hoist: "hoist", Exact, "what a scan computes without its carries is computed before it", "";
}

/// The purpose for which laws are applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To run: the values stay what they are but for rounding.
    Run,
    /// Before differentiation: the laws that make values and derivatives stable.
    Differentiate,
    /// For readers: all laws of real numbers.
    Read,
}

/// Which laws are applied, and how often each was.
#[derive(Debug)]
pub struct Applied {
    purpose: Purpose,
    off: Vec<bool>,
    counts: Vec<Cell<u32>>,
    /// How many more applications are allowed: see [`Applied::refuel`].
    fuel: Cell<u32>,
}

impl Applied {
    pub fn new(purpose: Purpose) -> Applied {
        let counts = LAWS.iter().map(|_| Cell::new(0)).collect();
        Applied { purpose, off: vec![false; LAWS.len()], counts, fuel: Cell::new(u32::MAX) }
    }

    /// The same without the law of this name. `None`: there is none.
    pub fn without(mut self, name: &str) -> Option<Applied> {
        let at = LAWS.iter().position(|law| law.name == name)?;
        self.off[at] = true;
        Some(self)
    }

    /// Whether a law may be applied now; if so, the application is counted. Ask this last, when the other
    /// conditions of the law hold.
    pub fn allows(&self, law: LawId) -> bool {
        let at = law as usize;
        let suits = match self.purpose {
            Purpose::Run => LAWS[at].exactness <= Exactness::Rounding,
            Purpose::Differentiate => LAWS[at].exactness <= Exactness::Stable,
            Purpose::Read => true,
        };
        if !suits || self.off[at] || self.fuel.get() == 0 {
            return false;
        }
        self.counts[at].set(self.counts[at].get().saturating_add(1));
        self.fuel.set(self.fuel.get() - 1);
        true
    }

    /// Whether all laws of real numbers are applied.
    pub fn is_for_reading(&self) -> bool {
        self.purpose == Purpose::Read
    }

    /// How often each law was applied, in the order of [`LAWS`].
    pub fn counts(&self) -> Vec<u32> {
        self.counts.iter().map(Cell::get).collect()
    }

    /// Allows more applications, in proportion to `scalars`, the number of operations of the graph. Each law leaves
    /// fewer or cheaper operations, so no graph needs more; the limit stops laws that by mistake undo one another
    /// for ever.
    pub fn refuel(&self, scalars: usize) {
        self.fuel.set(u32::try_from(scalars.saturating_mul(64).saturating_add(4096)).unwrap_or(u32::MAX));
    }

    /// Allows no more applications, because the graph has become too large.
    pub fn exhaust(&self) {
        self.fuel.set(0);
    }

    /// Whether the limit was reached.
    pub fn is_exhausted(&self) -> bool {
        self.fuel.get() == 0
    }

    /// The law that was applied most often.
    pub fn most_applied(&self) -> &'static str {
        let most = (0..LAWS.len()).max_by_key(|at| self.counts[*at].get());
        most.map_or("", |at| LAWS[at].name)
    }
}
