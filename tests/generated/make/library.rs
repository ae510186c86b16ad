//! Statements that call the library, layers with parameters, functions with declared derivatives, and networks at
//! other parameters.

use super::super::tree::{Expr, Statement, line, text};
use super::{Elem, MOST_POINTS, Maker, Var};

impl Maker {
    /// A statement of one of the kinds of this file.
    pub fn library(&mut self) -> Statement {
        for _ in 0..8 {
            let made = match self.random.below(8) {
                0 | 1 => self.ordered(),
                2 => self.divided_ints(),
                3 => self.algebra(),
                4 | 5 => self.layered(),
                6 => self.declared(),
                _ => self.elsewhere(),
            };
            if let Some(statement) = made {
                return statement;
            }
        }
        self.definition()
    }

    /// `sort`, `argsort`, `largest`, `cumsum`, `median`, `quantile`, `searchsorted`.
    fn ordered(&mut self) -> Option<Statement> {
        let x = self.var(|var| var.elem == Elem::Float && var.dims.last().is_some_and(|size| *size > 0))?;
        if self.random.chance(20) {
            return self.greatest(&x);
        }
        let name = self.fresh("o");
        let last = *x.dims.last()?;
        let outer = x.dims[..x.dims.len() - 1].to_vec();
        let falling = *self.random.one_of(&["", ", descending = true"]);
        let of = text(&x.name);
        let share = *self.random.one_of(&["0", "0.25", "0.5", "0.9", "1"]);
        let (template, parts, elem, dims) = match self.random.below(7) {
            0 | 1 => (format!("sort(${falling})"), vec![of], Elem::Float, x.dims.clone()),
            2 => ("cumsum($)".into(), vec![of], Elem::Float, x.dims.clone()),
            3 => ("median($)".into(), vec![of], Elem::Float, outer),
            4 => (format!("quantile($, {share})"), vec![of], Elem::Float, outer),
            5 if !self.smooth => {
                (format!("argsort(${falling})"), vec![of], Elem::Int(Some(last)), x.dims.clone())
            }
            6 if !self.smooth => {
                let table = self.var(|var| {
                    var.elem == Elem::Float && !var.has_rows && var.dims.len() == 1 && var.dims[0] > 0
                })?;
                let below = table.dims[0] + 1;
                let template = "searchsorted(sort($), $)".to_owned();
                (template, vec![text(&table.name), of], Elem::Int(Some(below)), x.dims.clone())
            }
            _ => return None,
        };
        let statement = line(&format!("{name} = {template}"), parts);
        self.add(&name, elem, dims, x.has_rows, &[&statement]);
        Some(statement)
    }

    /// `(values, places) = largest(x, k)`
    fn greatest(&mut self, x: &Var) -> Option<Statement> {
        let last = *x.dims.last()?;
        let k = 1 + self.random.below(last);
        let (values, places) = (self.fresh("o"), self.fresh("i"));
        let statement = line(&format!("({values}, {places}) = largest($, {k})"), vec![text(&x.name)]);
        let mut dims = x.dims.clone();
        *dims.last_mut()? = k;
        self.add(&values, Elem::Float, dims.clone(), x.has_rows, &[&statement]);
        if !self.smooth {
            self.add(&places, Elem::Int(Some(last)), dims, x.has_rows, &[&statement]);
        }
        Some(statement)
    }

    /// `(q, r) = qr(a)` and `(values, vectors) = eigh(a)` of matrices without nearly equal columns or eigenvalues.
    fn factored(&mut self, x: &Var) -> Option<Statement> {
        let n = x.dims[0];
        let (first, second) = (self.fresh("l"), self.fresh("l"));
        let apart = format!("(0.1 * tanh($) + diagonal_matrix(1.0 + arange({n})))");
        let (of, dims) = match self.random.below(3) {
            0 => (format!("eigh({apart}, sweeps = 4)"), vec![n]),
            1 => (format!("qr(concat([tanh($), {apart}], axis = -2))"), vec![2 * n, n]),
            _ => (format!("qr({apart})"), vec![n, n]),
        };
        let parts = vec![text(&x.name); of.matches('$').count()];
        let statement = line(&format!("({first}, {second}) = {of}"), parts);
        self.add(&first, Elem::Float, dims, x.has_rows, &[&statement]);
        self.add(&second, Elem::Float, vec![n, n], x.has_rows, &[&statement]);
        Some(statement)
    }

    /// `mod` and `div` of ints and of floats, by numbers and by what is never 0.
    fn divided_ints(&mut self) -> Option<Statement> {
        (!self.smooth).then_some(())?;
        let has_rows = self.has_rows && self.random.chance(60);
        let dims = vec![1 + self.random.below(9)];
        let scope = self.scope(&dims, has_rows);
        let name = self.fresh("q");
        let places = Self::ranges(&scope);
        let by = 1 + self.random.below(7);
        let negative = self.random.chance(30);
        let whole = self.whole_number(&scope, 2).expr;
        let (template, parts, elem): (String, Vec<Expr>, Elem) = match self.random.below(4) {
            0 if !negative => (format!("mod($, {by})"), vec![whole], Elem::Int(Some(by))),
            0 | 1 => {
                let sign = if negative { "-" } else { "" };
                (format!("clamp(div($, {sign}{by}), 0, 8)"), vec![whole], Elem::Int(Some(9)))
            }
            2 => {
                let other = self.whole_number(&scope, 1).expr;
                let by = format!("clamp(mod($, max(1, $)), 0, {by})");
                (by, vec![whole, other], Elem::Int(Some(9)))
            }
            _ => {
                let value = self.float(&scope, 2);
                (format!("0.0 + mod($, {by}) + 0.5 * div($, {by})"), vec![value.clone(), value], Elem::Float)
            }
        };
        let statement = line(&format!("{name}[{places}] = {template}"), parts);
        self.add(&name, elem, dims, has_rows, &[&statement]);
        Some(statement)
    }

    /// Linear algebra of matrices that are well conditioned by construction, and of any.
    fn algebra(&mut self) -> Option<Statement> {
        let square = |var: &Var| {
            let is_square = var.dims.len() == 2 && var.dims[0] == var.dims[1];
            var.elem == Elem::Float && is_square && (1..6).contains(&var.dims[0])
        };
        let Some(x) = self.var(square) else { return self.made_square() };
        let n = x.dims[0];
        if n < 5 && self.random.chance(25) {
            return self.factored(&x);
        }
        let name = self.fresh("l");
        let safe = format!("(0.1 * tanh($) + 2 * eye({n}))");
        let positive = format!("(eye({n}) + 0.1 * tanh($) @ transpose(tanh($)))");
        let positive =
            if x.has_rows { safe.clone() } else { positive.replace("transpose(tanh($))", "tanh($).T") };
        let (template, dims) = match self.random.below(8) {
            0 => (format!("inverse({safe})"), x.dims.clone()),
            1 => (format!("det({safe})"), Vec::new()),
            2 => (format!("logdet({safe})"), Vec::new()),
            3 if !x.has_rows => (format!("cholesky({positive})"), x.dims.clone()),
            4 => (format!("solve({safe}, tanh($))"), x.dims.clone()),
            5 => ("trace($)".into(), Vec::new()),
            6 => (format!("lower_triangle($, offset = {})", self.random.between(-1, 1)), x.dims.clone()),
            _ => ("det($)".into(), Vec::new()),
        };
        let parts = vec![text(&x.name); template.matches('$').count()];
        let statement = line(&format!("{name} = {template}"), parts);
        self.add(&name, Elem::Float, dims, x.has_rows, &[&statement]);
        Some(statement)
    }

    /// A square matrix of what is there.
    fn made_square(&mut self) -> Option<Statement> {
        let n = 1 + self.random.below(5);
        let has_rows = self.has_rows && self.random.chance(50);
        let scope = self.scope(&[n, n], has_rows);
        let value = self.float(&scope, 2);
        let name = self.fresh("y");
        let statement = line(&format!("{name}[{}] = 0.0 + $", Self::ranges(&scope)), vec![value]);
        self.add(&name, Elem::Float, vec![n, n], has_rows, &[&statement]);
        Some(statement)
    }

    /// A layer, alone or called in each step of a scan.
    fn layered(&mut self) -> Option<Statement> {
        let x = self.var(|var| {
            let has_axis = var.dims.last().is_some_and(|size| *size > 0);
            var.elem == Elem::Float
                && has_axis
                && var.dims.len() <= 2
                && var.dims.len() + usize::from(var.has_rows) >= 1
        })?;
        let width = *x.dims.last()?;
        let (name, layer) = (self.fresh("v"), self.fresh("f"));
        let of = text(&x.name);
        if self.random.chance(50) {
            let (template, out) = match self.random.below(5) {
                0 => (format!("$ |> Linear({width}) |> tanh |> Linear(2)"), 2),
                1 => ("layer_norm($)".to_owned(), width),
                2 => ("rms_norm($)".to_owned(), width),
                3 => ("$ |> LayerNorm()".to_owned(), width),
                _ => {
                    let out = 1 + self.random.below(9);
                    (format!("$ |> Linear({out})"), out)
                }
            };
            let mut dims = x.dims.clone();
            *dims.last_mut()? = out;
            let statement = line(&format!("{name} = {template}"), vec![of]);
            self.add(&name, Elem::Float, dims, x.has_rows, &[&statement]);
            return Some(statement);
        }
        let (step, carry, all) = (self.fresh("t"), self.fresh("h"), self.fresh("a"));
        let shape = if x.has_rows { vec!["B".to_owned()] } else { Vec::new() };
        let shape =
            shape.into_iter().chain(x.dims.iter().map(usize::to_string)).collect::<Vec<_>>().join(", ");
        let made = line(&format!("{layer} = Linear({width})"), Vec::new());
        let trip = 1 + self.random.below(5);
        let along = x.dims.len() - 1 + usize::from(x.has_rows);
        let body = vec![
            line(&format!("carry {carry}: [{shape}] = 0"), Vec::new()),
            line(&format!("{carry} = tanh({layer}({carry}) + $ * (1 + {step}))"), vec![of]),
            line(&format!("collect {all} = {layer}({carry}) along {along}"), Vec::new()),
        ];
        let reverse = if self.random.chance(30) { "reverse " } else { "" };
        let block = Statement::Block { head: text(format!("scan {reverse}{step} < {trip}")), body };
        let mut dims = x.dims.clone();
        self.add(&carry, Elem::Float, dims.clone(), x.has_rows, &[&block]);
        dims.insert(x.dims.len() - 1, trip);
        if dims.iter().product::<usize>() <= MOST_POINTS {
            self.add(&all, Elem::Float, dims, x.has_rows, &[&block]);
        }
        Some(Statement::Group(vec![made, block]))
    }

    /// A call of a function that declares its derivative, which is the true one.
    fn declared(&mut self) -> Option<Statement> {
        let x = self.var(|var| var.elem == Elem::Float)?;
        let (function, name) = (self.fresh("F"), self.fresh("e"));
        let (template, item) = match self.random.below(6) {
            // Values whose derivative is another's, here one that is the same.
            4 => ("$(tanh($) + 1, tanh($))", "fn F(value, x) = straight_through(value, x)"),
            5 => ("$($)", "fn F(x: [...s]) -> [...s] = limited_gradient(tanh(x), 1e30)"),
            0 => (
                "$($)",
                "activation F(x, rate = 0.7) = tanh(rate * x)\n    gradient rate * (1 - tanh(rate * x)^2)",
            ),
            1 => ("$($)", "fn F(x: [...s]) -> [...s] = tanh(x)\n    gradient adjoint * (1 - result^2)"),
            2 => (
                "$($, $)",
                "fn F(a: [...s], b: [...s]) = a * sin(b)\n    gradient (adjoint * sin(b), adjoint * a * cos(b))",
            ),
            _ => (
                "$($, 3)",
                "fn F(x: [...s], n) = x * n\n    gradient {\n        scaled = adjoint * n\n        scaled\n    }",
            ),
        };
        self.items.push(line(&item.replacen(" F(", &format!(" {function}("), 1), Vec::new()));
        let mut parts = vec![text(&function)];
        parts.resize(template.matches('$').count(), text(&x.name));
        let statement = line(&format!("{name} = {template}"), parts);
        self.add(&name, Elem::Float, x.dims.clone(), x.has_rows, &[&statement]);
        Some(statement)
    }

    /// Another network at parameters that are not its own.
    fn elsewhere(&mut self) -> Option<Statement> {
        let x = self.var(|var| {
            let axes = var.dims.len() + usize::from(var.has_rows);
            var.elem == Elem::Float && axes == 2 && var.dims.iter().all(|size| (1..20).contains(size))
        })?;
        let (model, name, w) = (self.fresh("Net"), self.fresh("v"), self.fresh("w"));
        let width = *x.dims.last()?;
        let out = 1 + self.random.below(4);
        let hidden = 1 + self.random.below(8);
        let text_of_model = format!(
            "model {model}(x: [R, {width}]) -> [R, {out}] {{ x |> Linear({hidden}) |> tanh |> Linear({out}) }}"
        );
        self.items.push(line(&text_of_model, Vec::new()));
        let of = || text(&x.name);
        let taken = line(&format!("{w} = {model}.parameters"), Vec::new());
        let mut lines = vec![taken];
        let template = match self.random.below(4) {
            0 => format!("{model}($)"),
            1 => format!("{model}($) at 0.9 * {w}"),
            // A derivative by parameters is one over all rows.
            2 if !x.has_rows => {
                let slope = self.fresh("g");
                lines.push(line(&format!("{slope} = grad(sum({model}($) ^ 2), {w})"), vec![of()]));
                format!("{model}($) at {w} - 0.1 * {slope} / (1 + norm({slope}))")
            }
            3 if !x.has_rows => {
                let (step, carry) = (self.fresh("t"), self.fresh("c"));
                let body = vec![
                    line(&format!("carry {carry} = {w}"), Vec::new()),
                    line(
                        &format!("{carry} = {carry} - 0.1 * grad(mean({model}($) ^ 2) at {carry}, {carry})"),
                        vec![of()],
                    ),
                ];
                lines.push(Statement::Block { head: text(format!("scan {step} < 2")), body });
                format!("{model}($) at {carry}")
            }
            _ => format!("{model}($) at {w} + 0.1 * {w} ^ 2"),
        };
        lines.push(line(&format!("{name} = {template}"), vec![of()]));
        let mut dims = x.dims.clone();
        *dims.last_mut()? = out;
        let group = Statement::Group(lines);
        self.add(&name, Elem::Float, dims, x.has_rows, &[&group]);
        Some(group)
    }
}
