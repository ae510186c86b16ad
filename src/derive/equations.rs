//! The derivation of one `minimize` line: the given tensors, the forward equations, the backward equations from the
//! loss down.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::build::{Formula, Writer};
use super::cut::{Cut, cut};
use super::names::{Named, Names, Symbol, names};
use super::notation::{coefficient, functions, replace, rewrite, shorten, symbols};
use super::scans::Recurrence;
use super::term::Term;
use super::text;
use crate::base::order::PutInOrder;
use crate::grad::GradError;
use crate::ir::program::Line;
use crate::ir::{Graph, InputKey, NodeId, Op, OutputKey, Type};

/// A formula of more characters is not readable.
const READABLE: usize = 140;

/// The derivation of a line.
#[derive(Clone, Debug)]
pub struct Derivation {
    pub given: Vec<GivenTensor>,
    pub forward: Vec<Equation>,
    pub backward: Vec<Equation>,
    /// Functions and their derivatives, where formulas name them.
    pub functions: Vec<Equation>,
    /// Whether an element outside of a tensor is read.
    pub padded: bool,
    /// Whether a tensor is written in part only.
    pub partial: bool,
    /// The differentiated graph, with an output for each value and derivative, called by [`Derivation::outputs`].
    pub graph: Graph,
    pub outputs: HashMap<Symbol, Arc<str>>,
}

#[derive(Clone, Debug)]
pub struct GivenTensor {
    pub symbol: Symbol,
    pub ty: Type,
    /// Of a parameter or state: its path.
    pub path: Option<Arc<str>>,
    /// Whether the line trains it.
    pub trained: bool,
}

#[derive(Clone, Debug)]
pub struct Equation {
    /// The symbol that it defines; none for functions.
    pub symbol: Option<Symbol>,
    pub formula: Formula,
    pub ty: Option<Type>,
    /// Where the value stands: the path of an instance or of a parameter.
    pub from: Arc<str>,
    /// `for t = 0, …, 4`: if it holds in every step of a recurrence.
    pub within: Option<Arc<str>>,
}

/// Derives the gradient of a line by the parameters `trained` that it changes.
///
/// # Errors
/// As [`crate::grad::gradient`]: none for programs that compile.
pub fn derive(line: &Line, trained: &[Arc<str>]) -> Result<Derivation, GradError> {
    let step = &line.forward;
    let names = names(step, line, trained);
    let cut = cut(step, line, &names)?;
    let mut page = Page::new(&names, &cut);
    page.forward();
    page.backward();
    let mut graph = cut.whole.clone();
    graph.outputs.clear();
    let mut outputs = HashMap::new();
    for (at, (symbol, node)) in cut.found.iter().enumerate() {
        let name: Arc<str> = at.to_string().into();
        graph.output(OutputKey::Named(name.clone()), *node);
        outputs.insert(symbol.clone(), name);
    }
    Ok(Derivation {
        given: page.given(step, line),
        forward: page.forward,
        backward: page.backward,
        functions: page.functions,
        padded: page.writer.padded || page.padded,
        partial: page.writer.partial || page.partial,
        graph,
        outputs,
    })
}

impl Derivation {
    /// Writes the loss as the program does if its formula is longer than is [`READABLE`].
    pub fn say_loss(&mut self, loss: &str) {
        let loss_equation = self.forward.iter_mut().find(|equation| equation.symbol == Some(Symbol::new("L")));
        if let Some(equation) = loss_equation
            && text::term(&equation.formula.right).chars().count() > READABLE
        {
            equation.formula.right = Term::Words(loss.to_owned());
        }
    }

    /// Keeps only the equations that the derivative by one value depends on.
    pub fn keep_only(&mut self, symbol: &Symbol) {
        let mut wanted: BTreeSet<Symbol> = BTreeSet::from([symbol.clone(), Symbol::new("L")]);
        let used = |equation: &Equation| {
            [symbols(&equation.formula.left), symbols(&equation.formula.right)].concat()
        };
        for equations in [&mut self.backward, &mut self.forward] {
            let mut kept = Vec::new();
            for equation in equations.drain(..).rev() {
                if equation.symbol.as_ref().is_some_and(|symbol| wanted.contains(&symbol.of_any_step())) {
                    wanted.extend(used(&equation).iter().map(Symbol::of_any_step));
                    kept.push(equation);
                }
            }
            kept.reverse();
            *equations = kept;
        }
        self.given.retain(|given| wanted.contains(&given.symbol));
        let named: BTreeSet<String> =
            self.forward.iter().chain(&self.backward).flat_map(|equation| functions(&equation.formula.right)).collect();
        self.functions.retain(|function| functions(&function.formula.left).iter().any(|name| named.contains(name)));
    }
}

struct Page<'a> {
    names: &'a Names,
    cut: &'a Cut,
    writer: Writer<'a>,
    forward: Vec<Equation>,
    backward: Vec<Equation>,
    functions: Vec<Equation>,
    /// Formulas of functions that have a name: σ(z[2]) is a[2].
    known: Vec<(Term, Term)>,
    padded: bool,
    partial: bool,
    /// The recurrences that are written down.
    written: BTreeSet<NodeId>,
}

impl<'a> Page<'a> {
    fn new(names: &'a Names, cut: &'a Cut) -> Page<'a> {
        let mut named: HashMap<NodeId, Symbol> = HashMap::new();
        // A value that is an output has the symbol of the output wherever it is used.
        for output in &cut.graph.outputs {
            named.entry(output.node).or_insert_with(|| cut.symbols[&output.name.text()].clone());
        }
        for (id, node) in cut.graph.nodes() {
            match &node.op {
                Op::Input { name, .. } => {
                    let symbol =
                        cut.symbols.get(&name.text()).cloned().unwrap_or_else(|| Symbol::new(name.label()));
                    named.insert(id, symbol);
                }
                Op::Param { path, .. } | Op::State { path, .. } => {
                    let known = names.others.iter().find(|other| other.from == *path);
                    named.insert(id, known.map_or_else(|| Symbol::new(path.clone()), |other| other.symbol.clone()));
                }
                _ => {}
            }
        }
        let mut writer = Writer::new(&cut.graph, named);
        let is_stack = |symbol: &Symbol| cut.stacks.iter().any(|node| cut.named[node] == *symbol);
        writer.stacks = cut
            .graph
            .nodes()
            .filter(|(_, node)| matches!(&node.op, Op::Input { name, .. } if cut.symbols.get(&name.text()).is_some_and(is_stack)))
            .map(|(id, _)| id)
            .collect();
        Page {
            names,
            cut,
            writer,
            forward: Vec::new(),
            backward: Vec::new(),
            functions: Vec::new(),
            known: Vec::new(),
            padded: false,
            partial: false,
            written: BTreeSet::new(),
        }
    }

    fn given(&self, step: &Graph, line: &Line) -> Vec<GivenTensor> {
        let needed = step.reachable([line.loss]);
        let inputs =
            step.nodes().filter(|(id, _)| needed[id.0 as usize]).filter_map(|(_, node)| match &node.op {
                Op::Input { name, ty } if *name != InputKey::Step => Some(GivenTensor {
                    symbol: Symbol::new(name.label()),
                    ty: ty.clone(),
                    path: None,
                    trained: false,
                }),
                _ => None,
            });
        let given = |named: &Named, trained| GivenTensor {
            symbol: named.symbol.clone(),
            ty: named.ty.clone(),
            path: Some(named.from.clone()),
            trained,
        };
        let others = self.names.others.iter().map(|other| given(other, false));
        let parameters = self.names.parameters.iter().map(|parameter| given(parameter, true));
        inputs.chain(others).chain(parameters).collect()
    }

    fn equations(&mut self, node: NodeId, symbol: &Symbol, from: &Arc<str>) -> Vec<Equation> {
        self.writer.equations(node, symbol, from)
    }

    fn node_of(&self, symbol: &Symbol) -> Option<NodeId> {
        let graph = &self.cut.graph;
        graph
            .outputs
            .iter()
            .find(|output| self.cut.symbols[&output.name.text()] == *symbol)
            .map(|output| output.node)
    }

    fn forward(&mut self) {
        for named in &self.names.values {
            self.recurrences_before(named.node);
            if let (Op::Result(number), Some(scan)) =
                (&self.cut.whole[named.node].op, self.scan_of(named.node))
            {
                let symbol = scan.results[*number as usize].clone();
                self.forward.push(equality(named, named.symbol.clone(), symbol));
                continue;
            }
            let Some(node) = self.node_of(&named.symbol) else { continue };
            let mut equations = self.equations(node, &named.symbol, &named.from);
            if let Some(last) = equations.last_mut() {
                self.name_function(named, last);
                let Formula { left, right, .. } = &last.formula;
                if let (Term::Call(..), Term::Symbol(_)) = (right, left) {
                    self.known.push((right.clone(), left.clone()));
                }
            }
            self.forward.extend(equations);
        }
        let loss = Symbol::new("L");
        self.recurrences_before(NodeId(u32::MAX));
        if let Some(node) = self.node_of(&loss) {
            let mut equations = self.equations(node, &loss, &"".into());
            equations.iter_mut().for_each(|equation| equation.formula = shortened(equation.formula.clone()));
            self.forward.extend(equations);
        }
    }

    fn scan_of(&self, result: NodeId) -> Option<&'a Recurrence> {
        let scan = self.cut.whole[result].operands.first()?;
        self.cut.scans.iter().find(|recurrence| recurrence.node == *scan)
    }

    /// Writes the recurrences of the forward pass that stand before a node.
    fn recurrences_before(&mut self, node: NodeId) {
        for scan in self.cut.scans.iter().filter(|scan| !scan.is_backward && scan.node < node) {
            let equations = self.recurrence(scan);
            self.forward.extend(equations);
        }
    }

    fn recurrence(&mut self, scan: &Recurrence) -> Vec<Equation> {
        if !self.written.insert(scan.node) {
            return Vec::new();
        }
        let Page { cut, known, writer, .. } = self;
        let found = scan.equations(&cut.whole, &cut.named, &cut.stacks, known, &mut writer.counter);
        self.padded |= found.padded;
        self.partial |= found.partial;
        found.equations
    }

    /// The recurrences of the backward pass whose results a node of the cut graph needs.
    fn recurrences_of(&self, node: NodeId) -> Vec<&'a Recurrence> {
        let needed = self.cut.graph.reachable([node]);
        let leaves = self.cut.graph.nodes().filter(|(id, _)| needed[id.0 as usize]);
        let symbols: BTreeSet<&Symbol> = leaves
            .filter_map(|(_, node)| match &node.op {
                Op::Input { name, .. } => self.cut.symbols.get(&name.text()),
                _ => None,
            })
            .collect();
        let used =
            |scan: &&Recurrence| scan.is_backward && scan.results.iter().any(|result| symbols.contains(result));
        self.cut.scans.iter().filter(used).collect()
    }

    /// `a = tanh(z)` instead of its expression, which is written down once.
    fn name_function(&mut self, named: &Named, equation: &mut Equation) {
        let called = named.call.as_ref().and_then(|(function, of)| Some((function, self.symbol_of(*of)?)));
        let Some((function, of)) = called else {
            equation.formula = shortened(equation.formula.clone());
            return;
        };
        let right = &equation.formula.right;
        let found = symbols(right);
        if equation.formula.adds || found.is_empty() || found.iter().any(|place| *place != of) {
            equation.formula = shortened(equation.formula.clone());
            return;
        }
        let name = function.to_string();
        let argument = Term::Symbol(Symbol::new("z"));
        let plain = Term::call(&*name, argument.clone());
        let definition = replace(right, &of, &argument);
        if definition != plain {
            self.define(plain, definition);
        }
        equation.formula.right = Term::call(name, Term::Symbol(of));
    }

    fn define(&mut self, left: Term, right: Term) {
        let formula = Formula { left, adds: false, right };
        if !self.functions.iter().any(|function| function.formula == formula) {
            self.functions.push(Equation { symbol: None, formula, ty: None, from: "".into(), within: None });
        }
    }

    fn symbol_of(&self, node: NodeId) -> Option<Symbol> {
        let all = self.names.values.iter().chain(&self.names.parameters);
        all.clone().find(|value| value.node == node).map(|value| value.symbol.clone())
    }

    fn backward(&mut self) {
        let mut known: BTreeSet<Symbol> = BTreeSet::new();
        let mut parameters: Vec<&Named> = self.names.parameters.iter().collect();
        let mut values: Vec<&Named> = self.names.values.iter().collect();
        values.put_in_order_by_key(|value| std::cmp::Reverse(value.node));
        self.ready(&mut parameters, &known);
        for named in values {
            if self.derivative(named) {
                known.insert(named.symbol.adjoint());
            }
            self.ready(&mut parameters, &known);
        }
        // The remaining parameters depend on values without an equation.
        for named in parameters {
            self.derivative(named);
        }
    }

    /// Writes the derivatives of those parameters that depend on known derivatives only.
    fn ready(&mut self, parameters: &mut Vec<&Named>, known: &BTreeSet<Symbol>) {
        let mut left = Vec::new();
        for named in parameters.drain(..) {
            if self.needs(&named.symbol.adjoint()).is_subset(known) {
                self.derivative(named);
            } else {
                left.push(named);
            }
        }
        *parameters = left;
    }

    /// The derivatives that an equation uses.
    fn needs(&self, symbol: &Symbol) -> BTreeSet<Symbol> {
        if let Some((_, other)) = self.cut.equal.iter().find(|(adjoint, _)| adjoint == symbol) {
            return BTreeSet::from([other.clone()]);
        }
        let Some(node) = self.node_of(symbol) else { return BTreeSet::new() };
        let needed = self.cut.graph.reachable([node]);
        let leaves = self.cut.graph.nodes().filter(|(id, _)| needed[id.0 as usize]);
        let symbols = leaves.filter_map(|(_, node)| match &node.op {
            Op::Input { name, .. } => {
                self.cut.symbols.get(&name.text()).filter(|symbol| symbol.adjoint && symbol.at.is_none()).cloned()
            }
            _ => None,
        });
        let of_scans = self
            .recurrences_of(node)
            .into_iter()
            .flat_map(|scan| scan.needs(&self.cut.whole, &self.cut.named));
        symbols.chain(of_scans).collect()
    }

    fn derivative(&mut self, named: &Named) -> bool {
        let symbol = named.symbol.adjoint();
        if let Some((_, other)) = self.cut.equal.iter().find(|(equal, _)| *equal == symbol) {
            let formula = Formula {
                left: Term::Symbol(symbol.clone()),
                adds: false,
                right: Term::Symbol(other.clone()),
            };
            let ty = Some(named.ty.clone());
            self.backward.push(Equation {
                symbol: Some(symbol),
                formula,
                ty,
                from: named.from.clone(),
                within: None,
            });
            return true;
        }
        let Some(node) = self.node_of(&symbol) else { return false };
        for scan in self.recurrences_of(node) {
            let equations = self.recurrence(scan);
            self.backward.extend(equations);
        }
        let mut equations = self.equations(node, &symbol, &named.from);
        if let Some(last) = equations.last_mut() {
            last.formula.right = self.with_primes(named, &last.formula.right);
        }
        for equation in &mut equations {
            let right = shorten(&equation.formula.right);
            let named = |formula: Term| {
                self.known.iter().find(|known| known.0 == formula).map(|known| known.1.clone())
            };
            equation.formula.right = rewrite(&right, &|term| named(term.clone()).unwrap_or(term));
        }
        self.backward.extend(equations);
        true
    }

    /// f′(z) ⊙ g for every part that is a function of z alone, times the derivative by f(z).
    fn with_primes(&mut self, named: &Named, right: &Term) -> Term {
        let names = self.names;
        let mut parts = match right {
            Term::Sum(parts) => parts.clone(),
            other => vec![(false, other.clone())],
        };
        let calls = names.values.iter().filter_map(|value| match &value.call {
            Some((function, of)) if *of == named.node => Some((function.clone(), value.symbol.clone())),
            _ => None,
        });
        for (function, value) in calls {
            let adjoint = value.adjoint();
            for (minus, part) in &mut parts {
                let Some(factor) = coefficient(part, &adjoint) else { continue };
                let factor = if *minus { factor.negated() } else { factor };
                let is_either = |found: &Symbol| *found == named.symbol || *found == value;
                let found = symbols(&factor);
                if found.is_empty() || !found.iter().all(is_either) {
                    continue;
                }
                let name = function.to_string();
                let argument = Term::Symbol(Symbol::new("z"));
                let definition = replace(&factor, &named.symbol, &argument);
                let definition = replace(&definition, &value, &Term::call(&*name, argument.clone()));
                self.define(Term::Prime(name.clone(), Box::new(argument)), definition);
                let prime = Term::Prime(name, Box::new(Term::Symbol(named.symbol.clone())));
                *minus = false;
                *part = prime.times(Term::Symbol(adjoint.clone()));
            }
        }
        match parts.len() {
            1 if !parts[0].0 => parts.remove(0).1,
            _ => Term::Sum(parts),
        }
    }
}

impl Writer<'_> {
    /// The equation of a node, after the equations of the nodes that it needed a name for.
    pub(super) fn equations(&mut self, node: NodeId, symbol: &Symbol, from: &Arc<str>) -> Vec<Equation> {
        let before = self.pending.len();
        let formula = self.formula(node, symbol);
        let mut found: Vec<(NodeId, Equation)> = Vec::new();
        let mut at = before;
        while at < self.pending.len() {
            let node = self.pending[at];
            let symbol = self.named[&node].clone();
            let formula = shortened(self.formula(node, &symbol));
            let ty = Some(self.graph.ty(node).clone());
            found.push((node, Equation { symbol: Some(symbol), formula, ty, from: "".into(), within: None }));
            at += 1;
        }
        found.put_in_order_by_key(|equation| equation.0);
        let mut found: Vec<Equation> = found.into_iter().map(|equation| equation.1).collect();
        let ty = Some(self.graph.ty(node).clone());
        found.push(Equation { symbol: Some(symbol.clone()), formula, ty, from: from.clone(), within: None });
        found
    }
}

/// `∂L/∂z = ∂L/∂a`
fn equality(named: &Named, left: Symbol, right: Symbol) -> Equation {
    let formula = Formula { left: Term::Symbol(left.clone()), adds: false, right: Term::Symbol(right) };
    Equation {
        symbol: Some(left),
        formula,
        ty: Some(named.ty.clone()),
        from: named.from.clone(),
        within: None,
    }
}

fn shortened(formula: Formula) -> Formula {
    Formula { right: shorten(&formula.right), ..formula }
}
