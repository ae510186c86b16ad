//! Which values of a step get an equation, and their symbols.
//!
//! A value is written down if the program's text names it (`sema/notes.rs`), or if an instance or a function
//! gives it. A name from the program is kept; other values are named as in textbooks: the result of the k-th
//! instance with parameters is z[k], its parameters are W[k] and b[k], a function of z[k] is a[k].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::order::PutInOrder;
use crate::ir::program::{BATCH, Line, NamedValue, ValueName};
use crate::ir::{Elem, Graph, NodeId, Op, StepId, Type};

/// A name as it is printed: `∂L/∂z[1]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol {
    pub name: Arc<str>,
    /// The number of the layer, printed in brackets.
    pub layer: Option<Arc<str>>,
    /// Whether the symbol stands for the derivative of the loss by the value.
    pub adjoint: bool,
    /// The step, if a recurrence computes the value in every step.
    pub at: Option<Moment>,
}

/// A step of a recurrence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Moment {
    /// t, or so many steps later.
    Step(i64),
    /// As it is written.
    Fixed(Arc<str>),
}

impl Symbol {
    pub fn new(name: impl Into<Arc<str>>) -> Symbol {
        Symbol { name: name.into(), layer: None, adjoint: false, at: None }
    }

    pub fn at(&self, moment: Moment) -> Symbol {
        Symbol { at: Some(moment), ..self.clone() }
    }

    /// The same value of whatever step.
    pub fn of_any_step(&self) -> Symbol {
        Symbol { at: None, ..self.clone() }
    }

    pub fn adjoint(&self) -> Symbol {
        Symbol { adjoint: true, ..self.clone() }
    }
}

/// A value that gets an equation.
#[derive(Clone, Debug)]
pub struct Named {
    pub node: NodeId,
    pub symbol: Symbol,
    pub ty: Type,
    /// Where it comes from: an instance's path, a parameter's.
    pub from: Arc<str>,
    /// If it is `function(of)`.
    pub call: Option<(Arc<str>, NodeId)>,
}

/// The values of a line, in the order in which they are computed, and its parameters.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub values: Vec<Named>,
    pub parameters: Vec<Named>,
    /// Parameters and states that the line does not train.
    pub others: Vec<Named>,
    /// The instances with parameters, in the order of their numbers.
    pub layers: Vec<Arc<str>>,
}

/// Whether a tensor is printed transposed: the rows of a batch become columns, as in textbooks.
pub fn is_flipped(ty: &Type) -> bool {
    ty.rank() == 2 && ty.elem != Elem::Int && ty.shape[0].as_symbol().is_some_and(|symbol| &**symbol == BATCH)
}

/// What the program calls a value, collected over all notes about its node.
#[derive(Default)]
struct KnownAs {
    binding: Option<(Arc<str>, Arc<str>)>,
    instance: Option<Arc<str>>,
    call: Option<(Arc<str>, NodeId)>,
    /// The instance in whose body the function is called.
    within: Arc<str>,
}

/// Names for what `line`, which changes the parameters `trained`, computes in `graph`.
pub fn names(graph: &Graph, line: &Line, trained: &[Arc<str>]) -> Names {
    let needed = graph.reachable([line.loss]);
    let is_value = |node: NodeId| {
        let computed =
            matches!(graph[node].op, Op::Loop(_) | Op::Reshape { .. } | Op::Result(_) | Op::Mark(_));
        computed && needed[node.0 as usize] && node != line.loss && graph.elem(node) == Elem::Float
    };
    let mut found: BTreeMap<NodeId, KnownAs> = BTreeMap::new();
    let mut instances: Vec<Arc<str>> = Vec::new();
    let leaves = variables(graph, &needed);
    let (mut parameters, variables): (Vec<_>, Vec<_>) =
        leaves.into_iter().partition(|(path, _)| trained.contains(path));
    parameters.put_in_order_by_key(|(path, _)| trained.iter().position(|other| other == path));
    let paths = trained.iter().chain(variables.iter().map(|(path, _)| path));
    let owners: BTreeSet<&str> = paths.filter_map(|path| owner(path)).collect();
    for note in line.values.iter().filter(|note| note.within.is_none()) {
        if note.name == ValueName::Instance && owners.contains(&*note.path) && !instances.contains(&note.path)
        {
            instances.push(note.path.clone());
        }
        if !is_value(note.node) {
            continue;
        }
        let known = found.entry(note.node).or_default();
        match &note.name {
            ValueName::Binding(name) => known.binding = Some((name.clone(), note.path.clone())),
            ValueName::Instance => known.instance = known.instance.take().or(Some(note.path.clone())),
            ValueName::Call { function, of } => {
                known.call = Some((function.clone(), *of));
                known.within = note.path.clone();
            }
        }
    }
    let numbers = |path: &str| instances.iter().position(|instance| &**instance == path).map(|at| at + 1);
    let mut layer = 0;
    let mut values: Vec<Named> = Vec::new();
    for (node, known) in found {
        let number = known.instance.as_deref().and_then(numbers);
        layer = number.unwrap_or(layer);
        let within = numbers(&known.within).filter(|_| number.is_none()).unwrap_or(layer);
        let of_layer = |name: &str| Symbol {
            layer: (within > 0).then(|| within.to_string().into()),
            ..Symbol::new(name)
        };
        let symbol = match (&known.binding, &known.instance, &known.call) {
            (Some((name, _)), _, _) => Symbol::new(name.clone()),
            (None, Some(_), _) if number.is_some() => of_layer("z"),
            (None, _, Some(_)) => of_layer("a"),
            (None, Some(path), None) if path.is_empty() => Symbol::new("ŷ"),
            (None, Some(path), None) => Symbol::new(path.clone()),
            (None, None, None) => continue,
        };
        let from = known.instance.or(known.binding.map(|(_, path)| path)).unwrap_or_default();
        values.push(Named { node, symbol, ty: graph.ty(node).clone(), from, call: known.call });
    }
    let parameters = parameters.iter().map(|(path, node)| {
        let symbol = parameter_symbol(path, owner(path).and_then(numbers));
        Named { node: *node, symbol, ty: graph.ty(*node).clone(), from: path.clone(), call: None }
    });
    let mut parameters: Vec<Named> = parameters.collect();
    let others = variables.iter().map(|(path, node)| {
        let symbol = parameter_symbol(path, owner(path).and_then(numbers));
        Named { node: *node, symbol, ty: graph.ty(*node).clone(), from: path.clone(), call: None }
    });
    let mut others: Vec<Named> = others.collect();
    let taken: BTreeSet<Symbol> = inputs(graph, &needed).collect();
    tell_apart(&mut parameters, taken.clone());
    let symbols_of = |list: &[Named]| list.iter().map(|named| named.symbol.clone()).collect::<Vec<_>>();
    let taken: BTreeSet<Symbol> = taken.into_iter().chain(symbols_of(&parameters)).collect();
    tell_apart(&mut others, taken.clone());
    let taken = taken.into_iter().chain(symbols_of(&others)).collect();
    tell_apart(&mut values, taken);
    Names { values, parameters, others, layers: instances }
}

/// The parameters and states that the loss is computed from.
fn variables(graph: &Graph, needed: &[bool]) -> Vec<(Arc<str>, NodeId)> {
    let nodes = graph.nodes().filter(|(id, _)| needed[id.0 as usize]);
    let leaves = nodes.filter_map(|(id, node)| match &node.op {
        Op::Param { path, .. } | Op::State { path, .. } => Some((path.clone(), id)),
        _ => None,
    });
    leaves.collect()
}

/// The inputs that a graph has names for already.
fn inputs<'g>(graph: &'g Graph, needed: &'g [bool]) -> impl Iterator<Item = Symbol> + 'g {
    graph.nodes().filter(|(id, _)| needed[id.0 as usize]).filter_map(|(_, node)| match &node.op {
        Op::Input { name, .. } => Some(Symbol::new(name.label())),
        _ => None,
    })
}

/// The instance that a parameter belongs to: `fc1` of `fc1.weight`.
fn owner(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(owner, _)| owner)
}

/// `weight` and `bias` are W and b as in every textbook; other names stay as they are.
fn parameter_symbol(path: &str, number: Option<usize>) -> Symbol {
    let last = path.rsplit('.').next().unwrap_or(path);
    let short = [("weight", "W"), ("bias", "b")].into_iter().find_map(|(long, short)| {
        let rest = last.strip_prefix(long)?;
        (rest.is_empty() || rest.starts_with('_')).then(|| format!("{short}{rest}"))
    });
    let name = match (&short, number) {
        (Some(short), Some(_)) => short.clone(),
        (None, _) if number.is_some() || !path.contains('.') => last.to_owned(),
        _ => path.to_owned(),
    };
    Symbol { layer: number.map(|number| number.to_string().into()), ..Symbol::new(name) }
}

/// Equal names get numbers: `h` and `h` become h[1] and h[2], two z[1] become z[1.1] and z[1.2].
fn tell_apart(values: &mut [Named], mut taken: BTreeSet<Symbol>) {
    let mut uses: BTreeMap<Symbol, usize> = BTreeMap::new();
    values.iter().for_each(|value| *uses.entry(value.symbol.clone()).or_default() += 1);
    let mut seen: BTreeMap<Symbol, usize> = BTreeMap::new();
    for named in values {
        if uses[&named.symbol] == 1 && !taken.contains(&named.symbol) {
            continue;
        }
        let plain = named.symbol.clone();
        loop {
            let number = seen.entry(plain.clone()).or_default();
            *number += 1;
            let layer = match &plain.layer {
                Some(layer) => format!("{layer}.{number}"),
                None => number.to_string(),
            };
            named.symbol.layer = Some(layer.into());
            if taken.insert(named.symbol.clone()) {
                break;
            }
        }
    }
}

/// The notes about values in the body of a scan: their names in the program, and the functions that give them.
pub fn within(line: &Line, step: StepId) -> impl Iterator<Item = &NamedValue> {
    line.values.iter().filter(move |note| note.within == Some(step))
}
