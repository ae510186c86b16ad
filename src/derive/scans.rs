//! Recurrences: what a scan computes in every step, as equations in t.
//!
//! A scan's results are leaves of the cut graph. Its body is a graph of its own, in which carries, named
//! values and what comes from outside are leaves, too.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::build::{Writer, size_text};
use super::equations::Equation;
use super::names::{Moment, Names, Symbol, within};
use super::notation::{rewrite, shorten};
use super::term::Term;
use crate::ir::program::{Line, ValueName};
use crate::ir::{Affine, Dim, Graph, InputKey, Loop, NodeId, Op, OutputKey, Scalar, Scan, Sub, Var};
use crate::opt;

/// A scan of the whole graph.
pub struct Recurrence {
    pub node: NodeId,
    /// Whether it computes derivatives.
    pub is_backward: bool,
    /// The symbols of its results, by number: last values, then what is kept of every step.
    pub results: Vec<Symbol>,
    /// `for t = 0, …, 4`
    pub header: Arc<str>,
    is_reverse: bool,
    /// The carries, without a step.
    carries: Vec<Symbol>,
    n_carries: usize,
    /// Outputs by name, in order, with what they stand for.
    outputs: Vec<(Arc<str>, Symbol)>,
    leaves: HashMap<Arc<str>, Symbol>,
    functions: Vec<(Term, Symbol)>,
    body: Graph,
    operands: Vec<NodeId>,
}

/// The equations of a recurrence, and what they need to be said of them.
pub struct Written {
    pub equations: Vec<Equation>,
    pub padded: bool,
    pub partial: bool,
}

/// Symbols for the results of all scans that the nodes `of` need. Scans within scans are left out: their
/// results are said in words.
pub fn recurrences(whole: &Graph, of: &[NodeId], line: &Line, names: &Names) -> Vec<Recurrence> {
    let needed = whole.reachable(of.iter().copied());
    let mut taken: BTreeSet<Symbol> = BTreeSet::new();
    let scans = whole.nodes().filter(|(id, _)| needed[id.0 as usize]);
    let mut found: Vec<Recurrence> = Vec::new();
    for (id, node) in scans {
        let Op::Scan(scan) = &node.op else { continue };
        // The scan that a reverse one belongs to is the one whose steps it reads.
        let read = node.operands.iter().filter(|operand| matches!(whole[**operand].op, Op::Result(_)));
        let of = read.filter_map(|result| found.iter().find(|it| it.node == whole[*result].operands[0]));
        let of: Option<Vec<Symbol>> = of
            .into_iter()
            .find(|it| !it.is_backward && it.is_reverse != scan.reverse)
            .map(|it| it.carries.clone());
        found.push(recurrence(whole, id, scan, line, names, of.as_deref(), &mut taken));
    }
    found
}

fn recurrence(
    whole: &Graph,
    id: NodeId,
    scan: &Scan,
    line: &Line,
    names: &Names,
    of: Option<&[Symbol]>,
    taken: &mut BTreeSet<Symbol>,
) -> Recurrence {
    let is_backward = id > line.loss;
    let path = whole[id].origin.path.as_deref().unwrap_or_default();
    let number = names.layers.iter().position(|it| &**it == path);
    let mut symbol = |name: &str| {
        let layer = number.map(|at| (at + 1).to_string());
        let mut it = Symbol { adjoint: is_backward, ..Symbol::new(name) };
        it.layer = layer.clone().map(Arc::from);
        for again in 2.. {
            if taken.insert(it.clone()) {
                break;
            }
            it.layer =
                Some(layer.as_ref().map_or(again.to_string(), |layer| format!("{layer}.{again}")).into());
        }
        it
    };
    // Derivatives of carries run against the steps of the scan that they belong to.
    let forwards = scan.reverse == is_backward;
    let earlier = Moment::Step(if forwards { -1 } else { 1 });
    let (before, after) = if is_backward { (Moment::Step(0), earlier) } else { (earlier, Moment::Step(0)) };
    let mut leaves = HashMap::new();
    let mut outputs: Vec<(Arc<str>, Symbol)> = Vec::new();
    // What nodes of the body are called in its equations.
    let mut named: HashMap<NodeId, (Arc<str>, Symbol)> = HashMap::new();
    let mut carries = Vec::new();
    for output in &scan.body.outputs[..scan.n_carries] {
        let known = of.and_then(|carries| carries.iter().find(|it| it.name == output.name.text()));
        let it = match known {
            Some(carry) if is_backward => carry.adjoint(),
            _ => symbol(&output.name.text()),
        };
        carries.push(it.clone());
        let key: Arc<str> = format!("next:{}", carries.len() - 1).into();
        named.entry(output.node).or_insert((key, it.at(after.clone())));
    }
    let mut functions = Vec::new();
    for note in within(line, scan.step).filter(|_| !is_backward) {
        let is_leaf = |node: NodeId| !matches!(scan.body[node].op, Op::Loop(_) | Op::Reshape { .. });
        match &note.name {
            ValueName::Binding(name) if (note.node.0 as usize) < scan.body.len() && !is_leaf(note.node) => {
                let key = format!("value:{}", note.node.0).into();
                named.entry(note.node).or_insert_with(|| (key, symbol(name).at(Moment::Step(0))));
            }
            ValueName::Call { function, of } => functions.push((note.node, function.clone(), *of)),
            ValueName::Binding(_) | ValueName::Instance => {}
        }
    }
    let functions = functions.into_iter().filter_map(|(node, function, of)| {
        let (of, it) = (named.get(&of)?, named.get(&node)?);
        Some((Term::call(&*function, Term::Symbol(of.1.clone())), it.1.clone()))
    });
    let functions: Vec<(Term, Symbol)> = functions.collect();
    let mut results: Vec<Symbol> = Vec::new();
    let last = if forwards { end(&scan.trip) } else { "0".into() };
    for it in &carries {
        results.push(it.at(Moment::Fixed(match (is_backward, forwards) {
            (false, _) => last.clone(),
            (true, true) => "−1".into(),
            (true, false) => size_text(&scan.trip).into(),
        })));
    }
    for output in &scan.body.outputs[scan.n_carries..] {
        let it = match &scan.body[output.node].op {
            Op::Carry { index, .. } => carries[*index as usize].at(before.clone()),
            _ => {
                let mut fresh = || Symbol { adjoint: false, ..symbol(if is_backward { "δ" } else { "s" }) };
                let key = format!("value:{}", output.node.0).into();
                named.entry(output.node).or_insert_with(|| (key, fresh().at(Moment::Step(0)))).1.clone()
            }
        };
        results.push(it);
    }
    for (at, it) in carries.iter().enumerate() {
        leaves.insert(format!("carry:{at}").into(), it.at(before.clone()));
        let start = match (is_backward, forwards) {
            (false, true) => "−1".into(),
            (false, false) => size_text(&scan.trip).into(),
            (true, true) => end(&scan.trip),
            (true, false) => "0".into(),
        };
        outputs.push((format!("start:{at}").into(), it.at(Moment::Fixed(start))));
    }
    let mut inner: Vec<(NodeId, (Arc<str>, Symbol))> = named.into_iter().collect();
    inner.sort_by_key(|(node, _)| *node);
    let mut body = scan.body.clone();
    body.outputs.clear();
    for (node, (key, it)) in inner {
        body.output(OutputKey::Named(key.clone()), node);
        leaves.insert(key.clone(), it.clone());
        outputs.push((key, it));
    }
    let range = match scan.reverse {
        false => format!("for t = 0, …, {}", end(&scan.trip)),
        true => format!("for t = {}, …, 0", end(&scan.trip)),
    };
    Recurrence {
        node: id,
        is_backward,
        results,
        header: range.into(),
        is_reverse: scan.reverse,
        carries,
        n_carries: scan.n_carries,
        outputs,
        leaves,
        functions,
        body,
        operands: whole[id].operands.clone(),
    }
}

/// The last step.
fn end(trip: &Dim) -> Arc<str> {
    match trip.as_number() {
        Some(steps) => (steps - 1).to_string().into(),
        None => format!("{}−1", size_text(trip)).into(),
    }
}

impl Recurrence {
    /// Whether a result is kept of every step.
    pub fn is_stack(&self, result: u32) -> bool {
        result as usize >= self.n_carries
    }

    /// The equations, given what nodes of the whole graph are called. `stacks` are those with an axis for the
    /// steps; `known` are formulas that have a name.
    pub fn equations(
        &self,
        whole: &Graph,
        names: &HashMap<NodeId, Symbol>,
        stacks: &BTreeSet<NodeId>,
        known: &mut Vec<(Term, Term)>,
        counter: &mut usize,
    ) -> Written {
        let (graph, outer) = self.graph(whole, names);
        let mut named: HashMap<NodeId, Symbol> = HashMap::new();
        let mut is_stack = Vec::new();
        for output in &graph.outputs {
            if let Some(symbol) = self.leaves.get(&output.name.text()) {
                named.entry(output.node).or_insert_with(|| symbol.clone());
            }
        }
        for (id, node) in graph.nodes() {
            let Op::Input { name, .. } = &node.op else { continue };
            let text = name.text();
            let symbol = self.leaves.get(&text).cloned();
            let symbol = symbol.or_else(|| outer.get(&text).map(|node| names[node].clone()));
            named.insert(id, symbol.unwrap_or_else(|| Symbol::new(name.label())));
            if outer.get(&text).is_some_and(|node| stacks.contains(node)) {
                is_stack.push(id);
            }
        }
        let mut writer = Writer::new(&graph, named);
        writer.stacks.extend(is_stack);
        writer.step = Some("t".to_owned());
        writer.counter = *counter;
        for (id, node) in graph.nodes() {
            let varies = match &node.op {
                Op::Input { name, .. } => self.leaves.get(&name.text()).is_some_and(|it| it.at.is_some()),
                Op::Loop(body) => uses_step(body),
                _ => false,
            };
            if varies || node.operands.iter().any(|operand| writer.varying.contains(operand)) {
                writer.varying.insert(id);
            }
        }
        let mut found = Vec::new();
        for (name, symbol) in &self.outputs {
            let Some(node) = graph.find_output(OutputKey::Named(name.clone())) else { continue };
            let inner = !name.starts_with("start:");
            for mut equation in writer.equations(node, symbol, &"".into()) {
                let right = shorten(&equation.formula.right);
                let named =
                    |it: &Term| known.iter().find(|known| known.0 == *it).map(|known| known.1.clone());
                equation.formula.right = rewrite(&right, &|it| named(&it).unwrap_or(it));
                equation.within = inner.then(|| self.header.clone());
                found.push(equation);
            }
        }
        for (call, it) in &self.functions {
            known.push((call.clone(), Term::Symbol(it.clone())));
        }
        for it in &found {
            if matches!(it.formula.right, Term::Call(..)) {
                known.push((it.formula.right.clone(), it.formula.left.clone()));
            }
        }
        // What is the same in every step stands before the first.
        let (mut ordered, steps): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|it| it.symbol.as_ref().is_some_and(|it| it.at.is_none()));
        ordered.iter_mut().for_each(|it| it.within = None);
        ordered.extend(steps);
        *counter = writer.counter;
        Written { equations: ordered, padded: writer.padded, partial: writer.partial }
    }

    /// The derivatives that it is made of.
    pub fn needs(&self, whole: &Graph, names: &HashMap<NodeId, Symbol>) -> Vec<Symbol> {
        let (graph, outer) = self.graph(whole, names);
        let inputs = graph.nodes().filter_map(|(_, node)| match &node.op {
            Op::Input { name, .. } => outer.get(&name.text()).map(|node| names[node].clone()),
            _ => None,
        });
        inputs.filter(|it| it.adjoint && it.at.is_none()).collect()
    }

    /// The body with its leaves, simplified; which nodes of the whole graph its other inputs stand for.
    fn graph(&self, whole: &Graph, names: &HashMap<NodeId, Symbol>) -> (Graph, HashMap<Arc<str>, NodeId>) {
        let mut graph = Graph::new();
        let mut outer = HashMap::new();
        let mut imported = HashMap::new();
        let needed = self.body.reachable(self.body.outputs.iter().map(|output| output.node));
        let mut places: Vec<Option<NodeId>> = vec![None; self.body.len()];
        let mut outputs: Vec<(Arc<str>, NodeId)> = Vec::new();
        for at in 0..self.n_carries {
            let start = import(&mut graph, whole, self.operands[at], names, &mut outer, &mut imported);
            outputs.push((format!("start:{at}").into(), start));
        }
        for (id, node) in self.body.nodes().filter(|(id, _)| needed[id.0 as usize]) {
            let made = match &node.op {
                Op::Carry { index, ty } => {
                    let leaf = Op::Input { name: InputKey::field(format!("carry:{index}")), ty: ty.clone() };
                    graph.add(leaf, Vec::new())
                }
                Op::Capture { index, .. } => {
                    let operand = self.operands[self.n_carries + *index as usize];
                    import(&mut graph, whole, operand, names, &mut outer, &mut imported)
                }
                op => {
                    let operands = node.operands.iter().filter_map(|it| places[it.0 as usize]).collect();
                    graph.add_from(op.clone(), operands, &node.origin)
                }
            };
            places[id.0 as usize] = Some(made);
            for output in self.body.outputs.iter().filter(|output| output.node == id) {
                let name = output.name.text();
                outputs.push((name.clone(), made));
                let leaf = Op::Input { name: InputKey::Field(name), ty: node.ty.clone() };
                places[id.0 as usize] = Some(graph.add(leaf, Vec::new()));
            }
        }
        for (name, node) in outputs {
            graph.output(OutputKey::Named(name), node);
        }
        (opt::simplify_to_read(&graph), outer)
    }
}

/// Whether a subscript of a loop is the step.
fn uses_step(body: &Loop) -> bool {
    let varies = |it: &Affine| it.terms.iter().any(|(var, _)| matches!(var, Var::Step(_)));
    body.body.nodes.iter().any(|scalar| match scalar {
        Scalar::Affine(it) => varies(it),
        Scalar::Read { subs, .. } => subs.iter().any(|sub| matches!(sub, Sub::Affine(it) if varies(it))),
        _ => false,
    })
}

/// A node of the whole graph in a body's: a leaf if it has a name, computed again otherwise.
fn import(
    graph: &mut Graph,
    whole: &Graph,
    node: NodeId,
    names: &HashMap<NodeId, Symbol>,
    outer: &mut HashMap<Arc<str>, NodeId>,
    imported: &mut HashMap<NodeId, NodeId>,
) -> NodeId {
    if let Some(known) = imported.get(&node) {
        return *known;
    }
    let it = &whole[node];
    let made = if names.contains_key(&node) {
        let name: Arc<str> = format!("outer:{}", node.0).into();
        outer.insert(name.clone(), node);
        graph.add(Op::Input { name: InputKey::Field(name), ty: it.ty.clone() }, Vec::new())
    } else {
        let operands = it.operands.iter();
        let operands =
            operands.map(|operand| import(graph, whole, *operand, names, outer, imported)).collect();
        graph.add_from(it.op.clone(), operands, &it.origin)
    };
    imported.insert(node, made);
    made
}
