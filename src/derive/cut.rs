//! The differentiated graph, cut at the values that get an equation.
//!
//! Where such a value is used, it becomes a leaf, so that each equation is simplified separately. The result is one
//! graph with an output for each equation.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::names::{Names, Symbol};
use super::scans::{Recurrence, recurrences};
use crate::base::order::PutInOrder;
use crate::grad::{self, GradError};
use crate::ir::program::Line;
use crate::ir::{Graph, InputKey, NodeId, Op, OutputKey};
use crate::opt;

/// The equations of a line as one graph.
pub struct Cut {
    /// Its leaves and outputs have the keys of [`Cut::symbols`]; tensors that are given keep their names.
    pub graph: Graph,
    /// The symbols of the leaves and outputs of the cut graph.
    pub symbols: HashMap<Arc<str>, Symbol>,
    /// Values whose derivative is that of another: `∂L/∂z = ∂L/∂a`.
    pub equal: Vec<(Symbol, Symbol)>,
    /// The whole differentiated graph, and the nodes of its values and derivatives.
    pub whole: Graph,
    pub found: Vec<(Symbol, NodeId)>,
    /// The scans of the whole graph, whose results are leaves of the cut one.
    pub scans: Vec<Recurrence>,
    /// The symbols of nodes of the whole graph.
    pub named: HashMap<NodeId, Symbol>,
    /// Nodes of the whole graph whose first axis is the steps of a scan.
    pub stacks: BTreeSet<NodeId>,
}

/// Differentiates the loss by all parameters and by all values between them and the loss, and cuts there.
///
/// # Errors
/// As [`grad::gradient`]; the step was differentiated before, so there are none for programs that compile.
pub fn cut(step: &Graph, line: &Line, names: &Names) -> Result<Cut, GradError> {
    let mut whole = step.clone();
    let trained: Vec<NodeId> = names.parameters.iter().map(|parameter| parameter.node).collect();
    let from_parameters = grad::dependents(&whole, &trained);
    let is_between = |node: NodeId| {
        from_parameters[node.0 as usize]
            && grad::dependents(&whole, &[node]).get(line.loss.0 as usize).copied().unwrap_or(false)
    };
    let between: Vec<_> = names.values.iter().filter(|value| is_between(value.node)).collect();
    let wrt: Vec<NodeId> = trained.iter().copied().chain(between.iter().map(|value| value.node)).collect();
    opt::simplify_forward(&mut whole, &[line.loss], &wrt);
    let derivatives = grad::gradient(&mut whole, &[(line.loss, None)], &wrt)?;

    let mut symbols: HashMap<Arc<str>, Symbol> = HashMap::new();
    let mut leaves: HashMap<NodeId, Arc<str>> = HashMap::new();
    let mut found = Vec::new();
    let mut equal = Vec::new();
    let mut enter = |node: NodeId, symbol: Symbol, leaves: &mut HashMap<NodeId, Arc<str>>| {
        found.push((symbol.clone(), node));
        match leaves.get(&node) {
            Some(first) => equal.push((symbol, symbols[first].clone())),
            None => {
                let name: Arc<str> = format!("%{}", symbols.len()).into();
                symbols.insert(name.clone(), symbol);
                leaves.insert(node, name);
            }
        }
    };
    for named in names.parameters.iter().chain(&names.values) {
        enter(named.node, named.symbol.clone(), &mut leaves);
    }
    enter(line.loss, Symbol::new("L"), &mut leaves);
    // In order from the loss down, so that the second of two equal derivatives is defined by the first one.
    let mut adjoints: Vec<_> = names.parameters.iter().chain(between).zip(derivatives).collect();
    adjoints.put_in_order_by_key(|(named, _)| std::cmp::Reverse(named.node));
    for (named, derivative) in adjoints {
        if let Some(derivative) = derivative {
            enter(derivative, named.symbol.adjoint(), &mut leaves);
        }
    }
    let ends: Vec<NodeId> = leaves.keys().copied().collect();
    let scans = recurrences(&whole, &ends, line, names);
    let mut stacks = BTreeSet::new();
    for (id, node) in whole.nodes() {
        let Op::Result(number) = &node.op else { continue };
        let Some(scan) = scans.iter().find(|scan| scan.node == node.operands[0]) else { continue };
        if scan.is_stack(*number) {
            stacks.insert(id);
        }
        leaves.entry(id).or_insert_with(|| {
            let name: Arc<str> = format!("%{}", symbols.len()).into();
            symbols.insert(name.clone(), scan.results[*number as usize].clone());
            name
        });
    }
    let mut named: HashMap<NodeId, Symbol> =
        leaves.iter().map(|(node, name)| (*node, symbols[name].clone())).collect();
    for (id, node) in whole.nodes() {
        if let Op::Input { name, .. } = &node.op {
            named.entry(id).or_insert_with(|| Symbol::new(name.label()));
        }
    }
    named.extend(names.others.iter().map(|other| (other.node, other.symbol.clone())));
    let graph = opt::simplify_to_read(&cut_at(&whole, &leaves));
    Ok(Cut { graph, symbols, equal, whole, found, scans, named, stacks })
}

/// Each node of `leaves` as an output, computed from the others as inputs.
fn cut_at(whole: &Graph, leaves: &HashMap<NodeId, Arc<str>>) -> Graph {
    let needed = needed(whole, leaves);
    let mut cut = Graph::new();
    let mut uses: Vec<Option<NodeId>> = vec![None; whole.len()];
    let mut outputs = Vec::new();
    for (id, node) in whole.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        let operands = node.operands.iter().filter_map(|operand| uses[operand.0 as usize]).collect();
        let name = leaves.get(&id);
        if let (Op::Result(_), Some(name)) = (&node.op, name) {
            let leaf = Op::Input { name: InputKey::Field(name.clone()), ty: node.ty.clone() };
            uses[id.0 as usize] = Some(cut.add(leaf, Vec::new()));
            continue;
        }
        let made = cut.add_from(node.op.clone(), operands, &node.origin);
        uses[id.0 as usize] = Some(made);
        let Some(name) = name else { continue };
        // A leaf needs no equation.
        if !matches!(node.op, Op::Param { .. } | Op::Input { .. } | Op::State { .. } | Op::Result(_)) {
            outputs.push((name.clone(), made));
        }
        let leaf = Op::Input { name: InputKey::Field(name.clone()), ty: node.ty.clone() };
        uses[id.0 as usize] = Some(cut.add(leaf, Vec::new()));
    }
    for (name, node) in outputs {
        cut.output(OutputKey::Named(name), node);
    }
    cut
}

/// The nodes that the leaves are computed from, not going beyond results of scans.
fn needed(whole: &Graph, leaves: &HashMap<NodeId, Arc<str>>) -> Vec<bool> {
    let mut needed = vec![false; whole.len()];
    let mut open: Vec<NodeId> = leaves.keys().copied().collect();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut needed[id.0 as usize], true) {
            continue;
        }
        if !matches!(whole[id].op, Op::Result(_)) {
            open.extend(&whole[id].operands);
        }
    }
    needed
}
