//! Scans as recurrences: equations in the step t.
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
use crate::base::order::PutInOrder;
use crate::ir::program::{Line, ValueName};
use crate::ir::{Dim, Graph, InputKey, NodeId, Op, OutputKey, Scan};
use crate::opt;

/// A scan of the whole graph.
pub struct Recurrence {
    pub node: NodeId,
    /// Whether it computes derivatives.
    pub is_backward: bool,
    /// The symbols of its results, by number: last values of carries, then collected values.
    pub results: Vec<Symbol>,
    /// `for t = 0, …, 4`
    pub header: Arc<str>,
    is_reverse: bool,
    /// The carries, without a step.
    carries: Vec<Symbol>,
    n_carries: usize,
    /// The outputs of the body by key, in order, with their symbols.
    outputs: Vec<(Arc<str>, Symbol)>,
    leaves: HashMap<Arc<str>, Symbol>,
    functions: Vec<(Term, Symbol)>,
    body: Graph,
    operands: Vec<NodeId>,
}

/// The equations of a recurrence, and which remarks they need.
pub struct Written {
    pub equations: Vec<Equation>,
    pub padded: bool,
    pub partial: bool,
}

/// Symbols for the results of all scans that the nodes `of` depend on. Scans within scans are left out; their
/// results are described in words.
pub fn recurrences(whole: &Graph, of: &[NodeId], line: &Line, names: &Names) -> Vec<Recurrence> {
    let needed = whole.reachable(of.iter().copied());
    let mut taken: BTreeSet<Symbol> = BTreeSet::new();
    let scans = whole.nodes().filter(|(id, _)| needed[id.0 as usize]);
    let mut found: Vec<Recurrence> = Vec::new();
    for (id, node) in scans {
        let Op::Scan(scan) = &node.op else { continue };
        // A reverse scan belongs to the scan whose stacks it reads.
        let read = node.operands.iter().filter(|operand| matches!(whole[**operand].op, Op::Result(_)));
        let mut read_scans =
            read.filter_map(|result| found.iter().find(|recurrence| recurrence.node == whole[*result].operands[0]));
        let forward: Option<Vec<Symbol>> = read_scans
            .find(|recurrence| !recurrence.is_backward && recurrence.is_reverse != scan.reverse)
            .map(|recurrence| recurrence.carries.clone());
        found.push(recurrence(whole, id, scan, line, names, forward.as_deref(), &mut taken));
    }
    found
}

/// The order in which a scan takes its steps, and what that means for the moments of its carries.
#[derive(Clone, Copy)]
struct Direction {
    is_backward: bool,
    is_reverse: bool,
}

impl Direction {
    /// Whether t grows from step to step. Adjoints of carries run against the steps of the scan that they
    /// belong to.
    fn is_ascending(self) -> bool {
        self.is_reverse == self.is_backward
    }

    fn neighbour(self) -> Moment {
        Moment::Step(if self.is_ascending() { -1 } else { 1 })
    }

    /// The moment of a carry as a step finds it.
    fn before(self) -> Moment {
        if self.is_backward { Moment::Step(0) } else { self.neighbour() }
    }

    /// The moment of a carry as a step leaves it.
    fn after(self) -> Moment {
        if self.is_backward { self.neighbour() } else { Moment::Step(0) }
    }

    /// The moment of a carry's starting value.
    fn start(self, trip: &Dim) -> Moment {
        Moment::Fixed(match (self.is_backward, self.is_ascending()) {
            (false, true) => "−1".into(),
            (false, false) => size_text(trip).into(),
            (true, true) => end(trip),
            (true, false) => "0".into(),
        })
    }

    /// The moment of a carry's last value.
    fn last(self, trip: &Dim) -> Moment {
        Moment::Fixed(match (self.is_backward, self.is_ascending()) {
            (false, true) => end(trip),
            (false, false) => "0".into(),
            (true, true) => "−1".into(),
            (true, false) => size_text(trip).into(),
        })
    }
}

/// Makes symbols that nothing else has.
struct FreshSymbols<'t> {
    /// The number of the layer that the scan belongs to.
    layer: Option<String>,
    is_backward: bool,
    taken: &'t mut BTreeSet<Symbol>,
}

impl FreshSymbols<'_> {
    fn symbol(&mut self, name: &str) -> Symbol {
        let mut symbol = Symbol { adjoint: self.is_backward, ..Symbol::new(name) };
        symbol.layer = self.layer.clone().map(Arc::from);
        for again in 2.. {
            if self.taken.insert(symbol.clone()) {
                break;
            }
            let layer = self.layer.as_ref().map_or(again.to_string(), |layer| format!("{layer}.{again}"));
            symbol.layer = Some(layer.into());
        }
        symbol
    }
}

/// The nodes of a body that its equations name: the key and the symbol of each.
type NamedNodes = HashMap<NodeId, (Arc<str>, Symbol)>;

/// The recurrence of a scan; `forward` are the carries of the scan that it is the derivative of.
fn recurrence(
    whole: &Graph,
    id: NodeId,
    scan: &Scan,
    line: &Line,
    names: &Names,
    forward: Option<&[Symbol]>,
    taken: &mut BTreeSet<Symbol>,
) -> Recurrence {
    let direction = Direction { is_backward: id > line.loss, is_reverse: scan.reverse };
    let path = whole[id].origin.path.as_deref().unwrap_or_default();
    let number = names.layers.iter().position(|other| &**other == path);
    let layer = number.map(|at| (at + 1).to_string());
    let mut symbols = FreshSymbols { layer, is_backward: direction.is_backward, taken };
    let mut named: NamedNodes = HashMap::new();
    let carries = carry_symbols(scan, direction, forward, &mut symbols);
    for (at, carry) in carries.iter().enumerate() {
        let key: Arc<str> = format!("next:{at}").into();
        named.entry(scan.body.outputs[at].node).or_insert((key, carry.at(direction.after())));
    }
    let functions = match direction.is_backward {
        true => Vec::new(),
        false => name_values(scan, line, &mut symbols, &mut named),
    };
    let results = result_symbols(scan, direction, &carries, &mut symbols, &mut named);
    let mut leaves = HashMap::new();
    let mut outputs: Vec<(Arc<str>, Symbol)> = Vec::new();
    for (at, carry) in carries.iter().enumerate() {
        leaves.insert(format!("carry:{at}").into(), carry.at(direction.before()));
        outputs.push((format!("start:{at}").into(), carry.at(direction.start(&scan.trip))));
    }
    let mut inner: Vec<(NodeId, (Arc<str>, Symbol))> = named.into_iter().collect();
    inner.put_in_order_by_key(|(node, _)| *node);
    let mut body = scan.body.clone();
    body.outputs.clear();
    for (node, (key, symbol)) in inner {
        body.output(OutputKey::Named(key.clone()), node);
        leaves.insert(key.clone(), symbol.clone());
        outputs.push((key, symbol));
    }
    let range = match scan.reverse {
        false => format!("for t = 0, …, {}", end(&scan.trip)),
        true => format!("for t = {}, …, 0", end(&scan.trip)),
    };
    Recurrence {
        node: id,
        is_backward: direction.is_backward,
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

/// The symbols of the carries, without a step: their names in the program, or the adjoints of the carries of
/// the forward scan.
fn carry_symbols(
    scan: &Scan,
    direction: Direction,
    forward: Option<&[Symbol]>,
    symbols: &mut FreshSymbols<'_>,
) -> Vec<Symbol> {
    let outputs = scan.body.outputs[..scan.n_carries].iter();
    let symbols = outputs.map(|output| {
        let name = output.name.text();
        let known = forward.and_then(|carries| carries.iter().find(|carry| carry.name == name));
        match known {
            Some(carry) if direction.is_backward => carry.adjoint(),
            _ => symbols.symbol(&name),
        }
    });
    symbols.collect()
}

/// Names the values of a body that the program binds to a name. Returns which of them are a function of
/// another one: the call, and the symbol of its result.
fn name_values(
    scan: &Scan,
    line: &Line,
    symbols: &mut FreshSymbols<'_>,
    named: &mut NamedNodes,
) -> Vec<(Term, Symbol)> {
    let mut calls = Vec::new();
    for note in within(line, scan.step) {
        let is_leaf = |node: NodeId| !matches!(scan.body[node].op, Op::Loop(_) | Op::Reshape { .. });
        match &note.name {
            ValueName::Binding(name) if (note.node.0 as usize) < scan.body.len() && !is_leaf(note.node) => {
                let key = format!("value:{}", note.node.0).into();
                named.entry(note.node).or_insert_with(|| (key, symbols.symbol(name).at(Moment::Step(0))));
            }
            ValueName::Call { function, of } => calls.push((note.node, function.clone(), *of)),
            ValueName::Binding(_) | ValueName::Instance => {}
        }
    }
    let functions = calls.into_iter().filter_map(|(node, function, argument)| {
        let (argument, result) = (named.get(&argument)?, named.get(&node)?);
        Some((Term::call(&*function, Term::Symbol(argument.1.clone())), result.1.clone()))
    });
    functions.collect()
}

/// The symbols of a scan's results: the last values of the carries, then what is collected in every step, which
/// gets a name if it has none.
fn result_symbols(
    scan: &Scan,
    direction: Direction,
    carries: &[Symbol],
    symbols: &mut FreshSymbols<'_>,
    named: &mut NamedNodes,
) -> Vec<Symbol> {
    let mut results: Vec<Symbol> = carries.iter().map(|carry| carry.at(direction.last(&scan.trip))).collect();
    for output in &scan.body.outputs[scan.n_carries..] {
        let result = match &scan.body[output.node].op {
            Op::Carry { index, .. } => carries[*index as usize].at(direction.before()),
            _ => {
                let letter = if direction.is_backward { "δ" } else { "s" };
                let mut fresh = || Symbol { adjoint: false, ..symbols.symbol(letter) };
                let key = format!("value:{}", output.node.0).into();
                named.entry(output.node).or_insert_with(|| (key, fresh().at(Moment::Step(0)))).1.clone()
            }
        };
        results.push(result);
    }
    results
}

/// The last step.
fn end(trip: &Dim) -> Arc<str> {
    match trip.as_number() {
        Some(steps) => (steps - 1).to_string().into(),
        None => format!("{}−1", size_text(trip)).into(),
    }
}

impl Recurrence {
    /// Whether a result is a collected value, with an element for each step.
    pub fn is_stack(&self, result: u32) -> bool {
        result as usize >= self.n_carries
    }

    /// The equations, given the symbols (`names`) of nodes of the whole graph. `stacks` are the nodes with an axis
    /// for the steps; `known` are formulas that have a name.
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
                Op::Input { name, .. } => self.leaves.get(&name.text()).is_some_and(|symbol| symbol.at.is_some()),
                Op::Loop(body) => body.body.uses_any_step(),
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
                    |term: &Term| known.iter().find(|known| known.0 == *term).map(|known| known.1.clone());
                equation.formula.right = rewrite(&right, &|term| named(&term).unwrap_or(term));
                equation.within = inner.then(|| self.header.clone());
                found.push(equation);
            }
        }
        for (call, result) in &self.functions {
            known.push((call.clone(), Term::Symbol(result.clone())));
        }
        for Equation { formula, .. } in &found {
            if matches!(formula.right, Term::Call(..)) {
                known.push((formula.right.clone(), formula.left.clone()));
            }
        }
        // Equations that hold for all steps stand before those of the single steps.
        let (mut ordered, steps): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|equation| equation.symbol.as_ref().is_some_and(|symbol| symbol.at.is_none()));
        ordered.iter_mut().for_each(|equation| equation.within = None);
        ordered.extend(steps);
        *counter = writer.counter;
        Written { equations: ordered, padded: writer.padded, partial: writer.partial }
    }

    /// The derivatives from outside that its equations use.
    pub fn needs(&self, whole: &Graph, names: &HashMap<NodeId, Symbol>) -> Vec<Symbol> {
        let (graph, outer) = self.graph(whole, names);
        let inputs = graph.nodes().filter_map(|(_, node)| match &node.op {
            Op::Input { name, .. } => outer.get(&name.text()).map(|node| names[node].clone()),
            _ => None,
        });
        inputs.filter(|symbol| symbol.adjoint && symbol.at.is_none()).collect()
    }

    /// The simplified body, and the nodes of the whole graph that its inputs of other keys stand for.
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
                    let operands = node.operands.iter().filter_map(|operand| places[operand.0 as usize]).collect();
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

/// Copies a node of the whole graph into that of a body: as a leaf if it has a name, with its operands otherwise.
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
    let old = &whole[node];
    let made = if names.contains_key(&node) {
        let name: Arc<str> = format!("outer:{}", node.0).into();
        outer.insert(name.clone(), node);
        graph.add(Op::Input { name: InputKey::Field(name), ty: old.ty.clone() }, Vec::new())
    } else {
        let operands = old.operands.iter();
        let operands =
            operands.map(|operand| import(graph, whole, *operand, names, outer, imported)).collect();
        graph.add_from(old.op.clone(), operands, &old.origin)
    };
    imported.insert(node, made);
    made
}
