//! Statements about whole tensors: broadcasting, products, reductions, views.

use super::super::tree::{Expr, Statement, line, text};
use super::{Elem, MOST_POINTS, Maker, Var};

impl Maker {
    /// A statement with functions of whole tensors.
    pub fn whole(&mut self) -> Statement {
        for _ in 0..8 {
            if let Some(statement) = self.try_whole() {
                return statement;
            }
        }
        self.definition()
    }

    fn try_whole(&mut self) -> Option<Statement> {
        let x = self.var(|var| var.elem == Elem::Float)?;
        let name = self.fresh("v");
        let axis = x.dims.len().checked_sub(1).map(|last| self.random.below(last + 1));
        let place = |axis: usize| axis + usize::from(x.has_rows);
        let of = text(&x.name);
        let (template, parts, dims): (String, Vec<Expr>, Vec<usize>) = match self.random.below(20) {
            0 => {
                let sign = *self.random.one_of(&["+", "-", "*", "/"]);
                let y = self.var(|var| fits_below(var, &x))?;
                (format!("$ {sign} $"), vec![of, text(&y.name)], x.dims.clone())
            }
            1 => {
                let sign = *self.random.one_of(&["+", "*", "-"]);
                (format!("$ {sign} $"), vec![of.clone(), of], x.dims.clone())
            }
            2 => {
                let function = *self.random.one_of(&["tanh", "exp", "sigmoid", "log", "sqrt", "relu", "sin"]);
                (format!("{function}($)"), vec![of], x.dims.clone())
            }
            3 | 4 => {
                let axis = axis?;
                let least = usize::from(self.smooth);
                let reducer = *self.random.one_of(&["sum", "mean", "max", "min", "prod"]);
                (x.dims[axis] >= least).then_some(())?;
                (format!("{reducer}($, axis = {})", place(axis)), vec![of], without(&x.dims, axis))
            }
            5 => {
                let axis = axis?;
                let reducer = *self.random.one_of(&["sum", "mean", "max"]);
                let keep = format!("$ - {reducer}($, axis = {}, keep = true)", place(axis));
                (keep, vec![of.clone(), of], x.dims.clone())
            }
            6 => {
                let function = *self.random.one_of(&[
                    "softmax($)",
                    "log(softmax($))",
                    "log_softmax($)",
                    "cumsum($)",
                    "exp($) / sum(exp($), axis = -1, keep = true)",
                ]);
                (axis? == x.dims.len() - 1).then_some(())?;
                (function.to_owned(), vec![of.clone(), of], x.dims.clone())
            }
            7 => {
                let axis = axis?;
                let function = *self.random.one_of(&["logsumexp", "var", "std"]);
                (format!("{function}($, axis = {})", place(axis)), vec![of], without(&x.dims, axis))
            }
            8 | 9 => return self.product(&x, &name),
            10 => {
                let axis = axis?;
                (format!("flip($, axis = {})", place(axis)), vec![of], x.dims.clone())
            }
            11 => {
                let axis = axis?;
                let y = self.var(|var| joins(var, &x, axis))?;
                let mut dims = x.dims.clone();
                dims[axis] += y.dims[axis];
                (format!("concat([$, $], axis = {})", place(axis)), vec![of, text(&y.name)], dims)
            }
            12 => {
                let total: usize = x.dims.iter().product();
                let dims = self.divided(total);
                let sizes = with_rows(&x, &dims);
                (format!("reshape($, [{sizes}])"), vec![of], dims)
            }
            13 | 14 => return self.slice(&x, axis?, &name),
            15 => {
                (x.dims.len() == 2 && !x.has_rows).then_some(())?;
                ("$.T".to_owned(), vec![of], vec![x.dims[1], x.dims[0]])
            }
            18 => {
                // Logarithms of what is put together of exponentials: laws compute them from the exponents.
                (axis? == x.dims.len() - 1 && x.dims[axis?] > 0).then_some(())?;
                let function = *self.random.one_of(&[
                    "log(sum(softmax($) * sigmoid($), axis = -1))",
                    "log(sum(exp($) / (1.5 + tanh($)), axis = -1))",
                    "log(sum(exp($), axis = -1) + exp(-max($, axis = -1)))",
                    "log(prod(sigmoid($) * softmax($), axis = -1))",
                    "log(max(softmax($), axis = -1) * min(sigmoid($), axis = -1))",
                    "log(sum(if $ > 0 then sigmoid($) else 0.25, axis = -1))",
                ]);
                (function.to_owned(), vec![of.clone(), of], without(&x.dims, x.dims.len() - 1))
            }
            19 => {
                let function = *self.random.one_of(&[
                    "log(sigmoid($) * 0.3 + (1 - sigmoid($)) * 0.7)",
                    "log(exp($) + 2 * exp(-$))",
                    "log(sqrt(sigmoid($)) * sigmoid($) ^ 3)",
                    "log(if $ > 0 then 1 - sigmoid($) else 2 * sigmoid($))",
                ]);
                (function.to_owned(), vec![of.clone(), of.clone(), of], x.dims.clone())
            }
            16 if !self.smooth => {
                let axis = axis?;
                (x.dims[axis] > 0).then_some(())?;
                let reducer = *self.random.one_of(&["argmax", "argmin"]);
                let statement = line(&format!("{name} = {reducer}($, axis = {})", place(axis)), vec![of]);
                self.add(
                    &name,
                    Elem::Int(Some(x.dims[axis])),
                    without(&x.dims, axis),
                    x.has_rows,
                    &[&statement],
                );
                return Some(statement);
            }
            _ => {
                let below = 1 + self.random.below(6);
                let ids = self.var(|var| matches!(var.elem, Elem::Int(Some(n)) if n <= below))?;
                let mut dims = ids.dims.clone();
                dims.push(below);
                (dims.iter().product::<usize>() <= MOST_POINTS).then_some(())?;
                let statement = line(&format!("{name} = one_hot($, {below})"), vec![text(&ids.name)]);
                self.add(&name, Elem::Float, dims, ids.has_rows, &[&statement]);
                return Some(statement);
            }
        };
        let statement = line(&format!("{name} = {template}"), parts);
        self.add(&name, Elem::Float, dims, x.has_rows, &[&statement]);
        Some(statement)
    }

    /// `x @ y`, `x @ y.T`.
    fn product(&mut self, x: &Var, name: &str) -> Option<Statement> {
        let inner = *x.dims.last()?;
        (x.dims.len() <= 2 && (x.has_rows || x.dims.len() == 2)).then_some(())?;
        let y = self.var(|var| {
            var.elem == Elem::Float && !var.has_rows && var.dims.len() == 2 && var.dims.contains(&inner)
        })?;
        let transposed = y.dims[0] != inner || y.dims[1] == inner && self.random.chance(50);
        let columns = if transposed { y.dims[0] } else { y.dims[1] };
        let mut dims = x.dims.clone();
        *dims.last_mut()? = columns;
        (dims.iter().product::<usize>() <= MOST_POINTS).then_some(())?;
        let template = if transposed { "$ @ $.T" } else { "$ @ $" };
        let statement = line(&format!("{name} = {template}"), vec![text(&x.name), text(&y.name)]);
        self.add(name, Elem::Float, dims, x.has_rows, &[&statement]);
        Some(statement)
    }

    /// `x[:, 1:5:2]`, `x[:, 3]`.
    fn slice(&mut self, x: &Var, axis: usize, name: &str) -> Option<Statement> {
        let size = x.dims[axis];
        (size > 0).then_some(())?;
        let mut dims = x.dims.clone();
        let start = self.random.below(size);
        let part = if self.random.chance(30) {
            dims.remove(axis);
            if self.random.chance(30) { format!("-{}", size - start) } else { start.to_string() }
        } else {
            let end = start + 1 + self.random.below(size - start);
            let stride = *self.random.one_of(&[1, 1, 2, 3]);
            dims[axis] = (end - start).div_ceil(stride);
            if stride == 1 { format!("{start}:{end}") } else { format!("{start}:{end}:{stride}") }
        };
        let colons = ":, ".repeat(axis + usize::from(x.has_rows));
        let statement = line(&format!("{name} = $[{colons}{part}]"), vec![text(&x.name)]);
        self.add(name, Elem::Float, dims, x.has_rows, &[&statement]);
        Some(statement)
    }

    /// Sizes whose product is `total`.
    fn divided(&mut self, total: usize) -> Vec<usize> {
        let divisors: Vec<usize> = (1..=total).filter(|by| total.is_multiple_of(*by)).collect();
        if divisors.is_empty() {
            return vec![0];
        }
        let first = *self.random.one_of(&divisors);
        if self.random.chance(30) { vec![total] } else { vec![first, total / first] }
    }
}

/// Whether `y` broadcasts to the shape of `x` by missing leading axes.
fn fits_below(y: &Var, x: &Var) -> bool {
    let floats = y.elem == Elem::Float;
    floats && (y.has_rows == x.has_rows && y.dims == x.dims || !y.has_rows && x.dims.ends_with(&y.dims))
}

/// Whether `y` can stand behind `x` along an axis.
fn joins(y: &Var, x: &Var, axis: usize) -> bool {
    let alike = y.dims.len() == x.dims.len() && without(&y.dims, axis) == without(&x.dims, axis);
    y.elem == Elem::Float && y.has_rows == x.has_rows && alike
}

fn without(dims: &[usize], axis: usize) -> Vec<usize> {
    dims.iter().enumerate().filter(|(at, _)| *at != axis).map(|(_, size)| *size).collect()
}

fn with_rows(x: &Var, dims: &[usize]) -> String {
    let rows = x.has_rows.then(|| "B".to_owned());
    rows.into_iter().chain(dims.iter().map(usize::to_string)).collect::<Vec<_>>().join(", ")
}
