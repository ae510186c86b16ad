//! Statements in index notation, scans, and derivatives.

use super::super::tree::{Expr, Program, Statement, line, node, text};
use super::scalar::{Scope, read_of};
use super::{Elem, Maker, Var};

impl Maker {
    /// A scope of fresh indices over axes of these sizes.
    pub fn scope(&mut self, dims: &[usize], has_rows: bool) -> Scope {
        let indices = dims.iter().map(|size| (self.fresh("i"), *size)).collect();
        let is_extreme = self.random.chance(15);
        Scope { indices, has_rows, may_skip: false, points: dims.iter().product(), is_extreme }
    }

    /// `b, i < 3, j < 4`.
    pub fn ranges(scope: &Scope) -> String {
        let rows = scope.has_rows.then(|| "b < B".to_owned());
        let others = scope.indices.iter().map(|(name, size)| format!("{name} < {size}"));
        rows.into_iter().chain(others).collect::<Vec<_>>().join(", ")
    }

    /// `y[i < 3, j < 4] = …`, or a scalar.
    pub fn definition(&mut self) -> Statement {
        let has_rows = self.has_rows && self.random.chance(75);
        let mut dims = self.dims(3);
        if dims.is_empty() && !has_rows {
            // Index notation has an index.
            dims.push(1);
        }
        let scope = self.scope(&dims, has_rows);
        let depth = 1 + self.random.below(4);
        let (value, elem) = match self.random.below(8) {
            0 if !self.smooth => (self.condition(&scope, depth), Elem::Bool),
            1 if !self.smooth => {
                let below = 1 + self.random.below(8);
                let whole = self.whole_number(&scope, depth);
                (node(&format!("clamp($, 0, {})", below - 1), vec![whole.expr]), Elem::Int(Some(below)))
            }
            _ => (self.float(&scope, depth), Elem::Float),
        };
        let name = self.fresh("y");
        let places = Self::ranges(&scope);
        // A literal alone could be an int.
        let value = if elem == Elem::Float { node("0.0 + $", vec![value]) } else { value };
        let statement = line(&format!("{name}[{places}] = $"), vec![value]);
        self.add(&name, elem, dims, has_rows, &[&statement]);
        statement
    }

    /// A tensor of zeros into which the elements of another are added, wherever their subscripts say.
    pub fn scatter(&mut self) -> Statement {
        let has_rows = self.has_rows && self.random.chance(75);
        let Some(source) =
            self.var(|var| var.elem == Elem::Float && var.has_rows == has_rows && !var.dims.is_empty())
        else {
            return self.definition();
        };
        let scope = Scope { may_skip: true, ..self.scope(&source.dims, has_rows) };
        let indices = scope.indices.iter().map(|(name, _)| text(name)).collect();
        let read = read_of(&source, indices, "");
        let mut dims = self.dims(3);
        if dims.is_empty() {
            // Every index of the source stands in the target.
            dims.push(2);
        }
        let mut places: Vec<Expr> = self.targets(&scope, &dims).into_iter().map(text).collect();
        let value = if self.random.chance(50) {
            let factor = self.float(&Scope { may_skip: false, ..scope.clone() }, 2);
            node("$ * $", vec![read, factor])
        } else {
            read
        };
        let name = self.fresh("z");
        let rows = |text: &str| if has_rows { text.to_owned() } else { String::new() };
        let mut shape: Vec<String> = dims.iter().map(usize::to_string).collect();
        if has_rows {
            shape.insert(0, "B".into());
            places.insert(0, text(rows("b")));
        }
        let declared = line(&format!("{name}: [{}]", shape.join(", ")), Vec::new());
        let holes = vec!["$"; places.len()].join(", ");
        places.push(value);
        let written = line(&format!("{name}[{holes} else skip] += $"), places);
        self.add(&name, Elem::Float, dims, has_rows, &[&written]);
        Statement::Group(vec![declared, written])
    }

    /// Subscripts of a written place that have every index in them: some in more than one.
    fn targets(&mut self, scope: &Scope, dims: &[usize]) -> Vec<String> {
        let mut terms: Vec<Vec<(String, usize)>> = vec![Vec::new(); dims.len()];
        let more = self.random.below(2);
        let again = (0..more).filter_map(|_| scope.indices.first().cloned()).collect::<Vec<_>>();
        for index in scope.indices.iter().cloned().chain(again) {
            let axis = self.random.below(dims.len().max(1));
            terms.get_mut(axis).into_iter().for_each(|terms| terms.push(index.clone()));
        }
        let mut places = Vec::new();
        for (terms, size) in terms.iter().zip(dims) {
            let last = (*size as i64 - 1).max(0);
            let [(index, range)] = &terms[..] else {
                let names: Vec<&str> = terms.iter().map(|(name, _)| &**name).collect();
                let shift = self.random.between(0, last.min(2));
                places.push(if names.is_empty() { shift.to_string() } else { names.join(" + ") });
                continue;
            };
            let ids = self.var(|var| {
                matches!(var.elem, Elem::Int(_)) && var.has_rows <= scope.has_rows && var.dims == [*range]
            });
            let affine = match self.random.below(6) {
                0 | 1 if range == size => index.clone(),
                0..3 => format!("{index} + {}", self.random.between(0, last)),
                3 => format!("{last} - {index}"),
                _ => format!("{}*{index} + {}", self.random.between(2, 3), self.random.below(2)),
            };
            let ids = ids.filter(|_| self.random.chance(40));
            places.push(ids.map_or(affine, |ids| read_of(&ids, vec![text(index)], "").to_string()));
        }
        places
    }

    /// `y[2*i + u] = x[i, u]`.
    pub fn interleaved(&mut self) -> Statement {
        let found = self.var(|var| var.elem == Elem::Float && var.dims.len() == 2 && !var.dims.contains(&0));
        let Some(source) = found else { return self.definition() };
        let (rows, columns) = (source.dims[0], source.dims[1]);
        let (i, u, name) = (self.fresh("i"), self.fresh("u"), self.fresh("w"));
        let read = read_of(&source, vec![text(&i), text(&u)], "");
        let (b, shape) = if source.has_rows { ("b, ", "B, ") } else { ("", "") };
        let size = rows * columns;
        let declared = line(&format!("{name}: [{shape}{size}]"), Vec::new());
        let written = line(&format!("{name}[{b}{columns}*{i} + {u}] = $"), vec![read]);
        self.add(&name, Elem::Float, vec![size], source.has_rows, &[&written]);
        Statement::Group(vec![declared, written])
    }

    /// A recurrence with one or two carries, of which something is collected.
    pub fn scan(&mut self) -> Statement {
        let has_rows = self.has_rows && self.random.chance(70);
        let trip = 1 + self.random.below(7);
        let step = self.fresh("t");
        let dims = vec![1 + self.random.below(9)];
        let (carry, count) = (self.fresh("h"), self.fresh("c"));
        let shape: Vec<String> =
            has_rows.then(|| "B".to_owned()).into_iter().chain(dims.iter().map(usize::to_string)).collect();
        let ty = if shape.is_empty() { "float".to_owned() } else { format!("[{}]", shape.join(", ")) };
        let mut body = vec![line(&format!("carry {carry}: {ty} = 0.5"), Vec::new())];
        let counts = self.random.chance(40);
        if counts {
            body.push(line(&format!("carry {count}: int = 0"), Vec::new()));
        }
        let before = self.vars.len();
        self.add(&carry, Elem::Float, dims.clone(), has_rows, &[]);
        let mut scope = self.scope(&dims, has_rows);
        let names: Vec<Expr> = scope.indices.iter().map(|(name, _)| text(name)).collect();
        scope.indices.push((step.clone(), trip));
        let value = self.float(&scope, 3);
        scope.indices.pop();
        let places = Self::ranges(&scope);
        let it = read_of(&self.vars[before].clone(), names, "");
        let next = self.fresh("n");
        let value = node("0.5 * $ + tanh($)", vec![it, value]);
        body.push(line(&format!("{next}[{places}] = $"), vec![value]));
        body.push(line(&format!("{carry} = {next}"), Vec::new()));
        if counts {
            let scope = Scope { indices: vec![(step.clone(), trip)], points: 1, ..Scope::default() };
            let condition = self.condition(&scope, 2);
            let once = self.fresh("u");
            let template = format!("{count} = {count} + (if any[{once} < 1]($) then 1 else 0)");
            body.push(line(&template, vec![condition]));
        }
        self.vars.truncate(before);
        let all = self.fresh("a");
        let collects = self.random.chance(70);
        let along = if has_rows { 1 } else { 0 };
        if collects {
            body.push(line(&format!("collect {all} = {next} along {along}"), Vec::new()));
        }
        let reverse = if self.random.chance(40) { "reverse " } else { "" };
        let lines: Vec<&Statement> = body.iter().collect();
        self.add(&carry, Elem::Float, dims.clone(), has_rows, &lines);
        if collects {
            let dims = std::iter::once(trip).chain(dims).collect();
            self.add(&all, Elem::Float, dims, has_rows, &lines);
        }
        if counts {
            self.vars.push(Var {
                name: count,
                elem: Elem::Int(None),
                dims: Vec::new(),
                has_rows: false,
                is_smooth: true,
                inputs: Vec::new(),
                is_input: false,
            });
        }
        Statement::Block { head: text(format!("scan {reverse}{step} < {trip}")), body }
    }

    /// A scalar of what was computed, its derivative by a float input, and perhaps that of a sum of it.
    pub fn gradients(&mut self, program: &mut Program) {
        let inputs: Vec<Var> =
            self.vars.iter().filter(|var| var.is_input && var.elem == Elem::Float).cloned().collect();
        let mut wanted = if self.smooth { 1 + self.random.below(2) } else { 0 };
        self.smooth = true;
        while wanted > 0 {
            wanted -= 1;
            let input = self.random.one_of(&inputs).clone();
            let found = self.var(|var| {
                var.elem == Elem::Float && var.has_rows >= input.has_rows && var.inputs.contains(&input.name)
            });
            let Some(of) = found.filter(|of| !of.is_input) else { continue };
            let (sum, slope) = (self.fresh("s"), self.fresh("g"));
            let ways: &[&str] = &["sum($)", "sum($ * $)", "sum(tanh($))", "mean($)"];
            // A mean over rows depends on how many there are.
            let weighted = *self.random.one_of(if of.has_rows { &ways[..3] } else { ways });
            let of = text(&of.name);
            program.statements.push(line(&format!("{sum} = {weighted}"), vec![of.clone(), of]));
            program.statements.push(line(&format!("{slope} = grad({sum}, {})", input.name), Vec::new()));
            self.derivative(program, &sum, &slope, &input);
            if self.random.chance(35) {
                let (second, curve) = (self.fresh("s"), self.fresh("g"));
                program.statements.push(line(&format!("{second} = sum({slope} * {slope})"), Vec::new()));
                program
                    .statements
                    .push(line(&format!("{curve} = grad({second}, {})", input.name), Vec::new()));
                self.derivative(program, &second, &curve, &input);
            }
        }
    }

    /// Says that one result is the derivative of another.
    fn derivative(&mut self, program: &mut Program, sum: &str, slope: &str, input: &Var) {
        let at = program.results.len();
        program.results.push(text(sum));
        program.results.push(text(slope));
        program.directives.push(format!("# derivative {at} {} {}", at + 1, input.name));
    }
}
