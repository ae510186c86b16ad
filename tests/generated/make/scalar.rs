//! Expressions of one element, in index notation.

use super::super::tree::{Expr, node, text};
use super::{Elem, MOST_POINTS, Maker, Var, number};

/// What an expression may use.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Indices and the sizes of their ranges.
    pub indices: Vec<(String, usize)>,
    /// Rows are read at `b`.
    pub has_rows: bool,
    /// Within a reducer or `+=`, whose terms may be left out.
    pub may_skip: bool,
    /// Points of the loop so far.
    pub points: usize,
    pub is_extreme: bool,
}

/// An int with the least and the greatest value that the checker knows.
pub struct Whole {
    pub expr: Expr,
    pub low: i64,
    pub high: i64,
}

impl Maker {
    /// An expression of floats.
    pub fn float(&mut self, scope: &Scope, depth: usize) -> Expr {
        if depth == 0 || self.random.chance(8) {
            return match self.random.below(5) {
                0 => number(&mut self.random, scope.is_extreme),
                _ => self.element(scope, depth).unwrap_or_else(|| number(&mut self.random, scope.is_extreme)),
            };
        }
        let deeper = depth - 1;
        match self.random.below(24) {
            0..5 => self.element(scope, deeper).unwrap_or_else(|| text("1.5")),
            5..10 => {
                let template = *self.random.one_of(&["($ + $)", "($ - $)", "($ * $)", "($ * $)", "($ / $)"]);
                let parts = vec![self.float(scope, deeper), self.float(scope, deeper)];
                node(template, parts)
            }
            10..14 => {
                let template = *self.random.one_of(&FUNCTIONS);
                let part = self.float(scope, deeper);
                node(template, vec![part])
            }
            14 if !self.smooth => {
                let template = *self.random.one_of(&["floor($)", "ceil($)", "round($)", "sign($)"]);
                let part = self.float(scope, deeper);
                node(template, vec![part])
            }
            14 | 15 => {
                let template = *self.random.one_of(&["max($, $)", "min($, $)"]);
                let parts = vec![self.float(scope, deeper), self.float(scope, deeper)];
                node(template, parts)
            }
            16 | 17 => {
                let condition = self.condition(scope, deeper);
                let parts = vec![condition, self.float(scope, deeper), self.float(scope, deeper)];
                node("(if $ then $ else $)", parts)
            }
            18 => {
                let whole = self.whole_number(scope, deeper);
                node("float($)", vec![whole.expr])
            }
            19 => {
                let (base, exponent) = (self.float(scope, deeper), self.random.one_of(&EXPONENTS));
                node(&format!("(($) ^ {exponent})"), vec![base])
            }
            _ => self.reduced(scope, deeper),
        }
    }

    /// `sum[u < 3](…)` and its like.
    fn reduced(&mut self, scope: &Scope, depth: usize) -> Expr {
        let Some((inner, ranges)) = self.inner(scope) else { return text("0.25") };
        let reducer = *self.random.one_of(&["sum", "sum", "sum", "mean", "max", "min", "prod"]);
        let part = self.float(&inner, depth);
        node(&format!("{reducer}[{ranges}]($)"), vec![part])
    }

    /// The scope of a reducer's terms, and its ranges as they are written.
    fn inner(&mut self, scope: &Scope) -> Option<(Scope, String)> {
        let mut inner = Scope { may_skip: true, ..scope.clone() };
        let mut ranges = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let size = self.size();
            let points = inner.points * size.max(1);
            if points > MOST_POINTS {
                continue;
            }
            inner.points = points;
            let name = self.fresh("u");
            ranges.push(format!("{name} < {size}"));
            inner.indices.push((name, size));
        }
        (!ranges.is_empty()).then(|| (inner, ranges.join(", ")))
    }

    /// A condition.
    pub fn condition(&mut self, scope: &Scope, depth: usize) -> Expr {
        let deeper = depth.saturating_sub(1);
        match self.random.below(if depth == 0 { 3 } else { 9 }) {
            0 | 1 => {
                let sign = *self.random.one_of(&["<", "<=", ">", ">=", "=="]);
                let parts = vec![self.float(scope, deeper), self.float(scope, deeper)];
                node(&format!("($ {sign} $)"), parts)
            }
            2 => {
                let read = self.read(scope, deeper, |var| var.elem == Elem::Bool);
                read.map_or_else(|| text("true"), |(expr, _)| expr)
            }
            3 | 4 => {
                let sign = *self.random.one_of(&["<", "<=", "==", "!="]);
                let parts =
                    vec![self.whole_number(scope, deeper).expr, self.whole_number(scope, deeper).expr];
                node(&format!("($ {sign} $)"), parts)
            }
            5 => {
                let part = self.condition(scope, deeper);
                node("(not $)", vec![part])
            }
            6 | 7 => {
                let word = *self.random.one_of(&["and", "or"]);
                let parts = vec![self.condition(scope, deeper), self.condition(scope, deeper)];
                node(&format!("($ {word} $)"), parts)
            }
            _ => {
                let Some((inner, ranges)) = self.inner(scope) else { return text("false") };
                let reducer = *self.random.one_of(&["any", "all"]);
                let part = self.condition(&inner, deeper);
                node(&format!("{reducer}[{ranges}]($)"), vec![part])
            }
        }
    }

    /// An int, with bounds that the checker knows as well.
    pub fn whole_number(&mut self, scope: &Scope, depth: usize) -> Whole {
        let deeper = depth.saturating_sub(1);
        match self.random.below(if depth == 0 { 5 } else { 12 }) {
            0 => {
                let value = self.random.between(-3, 9);
                let literal = if value < 0 { format!("({value})") } else { value.to_string() };
                Whole { expr: text(literal), low: value, high: value }
            }
            1 | 2 if !scope.indices.is_empty() => {
                let (name, size) = self.random.one_of(&scope.indices).clone();
                Whole { expr: text(name), low: 0, high: (size as i64 - 1).max(0) }
            }
            3 | 4 => self.known_int(scope, deeper),
            5 | 6 => {
                let (a, b) = (self.whole_number(scope, deeper), self.whole_number(scope, deeper));
                Whole {
                    expr: node("($ + $)", vec![a.expr, b.expr]),
                    low: a.low + b.low,
                    high: a.high + b.high,
                }
            }
            7 => {
                let (a, factor) = (self.whole_number(scope, deeper), self.random.between(-2, 3));
                let ends = [a.low.saturating_mul(factor), a.high.saturating_mul(factor)];
                let expr = node(&format!("(({factor}) * $)"), vec![a.expr]);
                Whole { expr, low: ends[0].min(ends[1]), high: ends[0].max(ends[1]) }
            }
            8 => {
                let Some((inner, ranges)) = self.inner(scope) else { return zero() };
                let reducer = *self.random.one_of(&["argmax", "argmin"]);
                let part = self.float(&inner, deeper);
                // Two indices have no single place.
                if ranges.contains(',') {
                    return zero();
                }
                let size = inner.indices.last().map_or(1, |(_, size)| *size) as i64;
                let expr = node(&format!("{reducer}[{ranges}]($)"), vec![part]);
                Whole { expr, low: 0, high: (size - 1).max(0) }
            }
            9 => {
                let (a, high) = (self.whole_number(scope, deeper), self.random.between(0, 7));
                Whole { expr: node(&format!("clamp($, 0, {high})"), vec![a.expr]), low: 0, high }
            }
            10 => {
                let condition = self.condition(scope, deeper);
                let (a, b) = (self.whole_number(scope, deeper), self.whole_number(scope, deeper));
                let expr = node("(if $ then $ else $)", vec![condition, a.expr, b.expr]);
                Whole { expr, low: i64::MIN / 4, high: i64::MAX / 4 }
            }
            _ => {
                let part = self.float(scope, deeper);
                let expr = node("int(clamp($, -9, 9))", vec![part]);
                Whole { expr, low: i64::MIN / 4, high: i64::MAX / 4 }
            }
        }
    }

    /// An element of an int tensor whose values lie below a number.
    fn known_int(&mut self, scope: &Scope, depth: usize) -> Whole {
        match self.read(scope, depth, |var| matches!(var.elem, Elem::Int(Some(_)))) {
            Some((expr, Elem::Int(Some(below)))) => Whole { expr, low: 0, high: below as i64 - 1 },
            _ => zero(),
        }
    }

    fn element(&mut self, scope: &Scope, depth: usize) -> Option<Expr> {
        self.read(scope, depth, |var| var.elem == Elem::Float).map(|(expr, _)| expr)
    }

    fn read(&mut self, scope: &Scope, depth: usize, fits: impl Fn(&Var) -> bool) -> Option<(Expr, Elem)> {
        let has_rows = scope.has_rows;
        let var = self.var(|var| fits(var) && (has_rows || !var.has_rows))?;
        let places: Vec<(Expr, bool)> =
            var.dims.iter().map(|size| self.subscript(scope, *size, depth)).collect();
        let is_within = places.iter().all(|(_, within)| *within) && self.random.chance(95);
        let outside = match self.random.below(4) {
            _ if is_within || places.is_empty() => "",
            0 | 1 if scope.may_skip => " else skip",
            _ if var.elem == Elem::Bool => " else false",
            2 if var.elem == Elem::Float => " else 1",
            3 if var.elem == Elem::Float => " else -2.5",
            _ => " else 0",
        };
        let subscripts = places.into_iter().map(|(expr, _)| expr).collect();
        Some((read_of(&var, subscripts, outside), var.elem))
    }

    /// A subscript of an axis of `size` elements, and whether it is known to lie within.
    pub fn subscript(&mut self, scope: &Scope, size: usize, depth: usize) -> (Expr, bool) {
        let n = size as i64;
        let (expr, low, high) = match self.random.below(if depth == 0 { 8 } else { 10 }) {
            0..4 if !scope.indices.is_empty() => {
                let fitting: Vec<&(String, usize)> =
                    scope.indices.iter().filter(|(_, range)| *range <= size).collect();
                let (name, range) = if fitting.is_empty() {
                    self.random.one_of(&scope.indices).clone()
                } else {
                    (*self.random.one_of(&fitting)).clone()
                };
                // Where ranges are not written, an index that stands alone has the size of its axis.
                let name = if range != size { format!("{name} + 0") } else { name };
                (text(name), 0, range as i64 - 1)
            }
            4..8 if !scope.indices.is_empty() => self.affine(scope, n),
            8 => {
                let whole = self.whole_number(scope, depth.saturating_sub(1));
                return (node(&format!("clamp($, 0, {})", (n - 1).max(0)), vec![whole.expr]), n > 0);
            }
            9 => {
                let whole = self.known_int(scope, depth.saturating_sub(1));
                (whole.expr, whole.low, whole.high)
            }
            _ => {
                let value = self.random.between(0, (n - 1).max(0));
                (text(value.to_string()), value, value)
            }
        };
        (expr, low >= 0 && high < n)
    }

    /// `a*i + b*j + c`, often one that stays within `n`.
    fn affine(&mut self, scope: &Scope, n: i64) -> (Expr, i64, i64) {
        let (name, range) = self.random.one_of(&scope.indices).clone();
        let last = (range as i64 - 1).max(0);
        let factor = *self.random.one_of(&[1, 1, 1, -1, 2, 3, -2]);
        let (mut low, mut high) = if factor > 0 { (0, factor * last) } else { (factor * last, 0) };
        let mut template = match factor {
            1 => name,
            -1 => format!("-{name}"),
            _ => format!("{factor}*{name}"),
        };
        if self.random.chance(30) {
            let (other, range) = self.random.one_of(&scope.indices).clone();
            template = format!("{template} + {other}");
            high += (range as i64 - 1).max(0);
        }
        let shift = if self.random.chance(70) && high - low < n {
            self.random.between(-low, n - 1 - high)
        } else {
            self.random.between(-2, 3)
        };
        low += shift;
        high += shift;
        let template = match shift {
            // An index that stands alone has the size of its axis.
            0 => format!("{template} + 0"),
            1.. => format!("{template} + {shift}"),
            _ => format!("{template} - {}", -shift),
        };
        (text(template), low, high)
    }
}

fn zero() -> Whole {
    Whole { expr: text("0"), low: 0, high: 0 }
}

/// `x[b, i, j else 0]`.
pub fn read_of(var: &Var, subscripts: Vec<Expr>, outside: &str) -> Expr {
    let rows = if var.has_rows { "b" } else { "" };
    let places = vec!["$"; subscripts.len()].join(", ");
    let comma = if var.has_rows && !subscripts.is_empty() { ", " } else { "" };
    if rows.is_empty() && subscripts.is_empty() {
        return text(&var.name);
    }
    node(&format!("{}[{rows}{comma}{places}{outside}]", var.name), subscripts)
}

const FUNCTIONS: [&str; 19] = [
    "exp($)",
    "exp(-abs($))",
    "log($)",
    "log(abs($) + 0.1)",
    "sin($)",
    "cos($)",
    "tanh($)",
    "tanh($)",
    "sqrt($)",
    "sqrt(abs($))",
    "abs($)",
    "sigmoid($)",
    "relu($)",
    "softplus($)",
    "erf($)",
    "(-$)",
    "log(sigmoid($))",
    "(1 / (1 + exp(-$)))",
    "gelu($)",
];

const EXPONENTS: [&str; 6] = ["2", "3", "2", "0.5", "(-1)", "0"];
