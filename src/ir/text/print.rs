//! Printing graphs.

use crate::ir::graph::{Combine, Graph, Loop, Node, NodeId, Op, RandKind};
use crate::ir::scalar::{Body, Scalar, ScalarId, Sub, in_order};
use crate::ir::types::{Const, ConstData};
use std::fmt::{self, Display, Formatter, Write};

/// A node as it stands in the text form, without what follows the first line of a scan.
pub fn line(graph: &Graph, id: NodeId) -> String {
    let mut text = String::new();
    let printed = write_node(&mut text, graph, id, &graph[id], 0);
    debug_assert!(printed.is_ok(), "a string takes all text");
    text.lines().next().unwrap_or_default().trim_end().to_owned()
}

impl Display for Graph {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_graph(f, self, 0)
    }
}

impl Display for NodeId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl Display for Combine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Combine::Set => "=",
            Combine::Add => "+=",
            Combine::Mul => "*=",
            Combine::Max => "max=",
            Combine::Min => "min=",
            Combine::ArgMax => "argmax=",
            Combine::ArgMin => "argmin=",
        })
    }
}

fn write_graph(f: &mut dyn Write, graph: &Graph, indent: usize) -> fmt::Result {
    for (id, node) in graph.nodes() {
        write!(f, "{:indent$}", "")?;
        write_node(f, graph, id, node, indent)?;
        f.write_str("\n")?;
    }
    for output in &graph.outputs {
        writeln!(f, "{:indent$}out {} = {}", "", Quoted(&output.name.to_string()), output.node)?;
    }
    Ok(())
}

fn write_node(f: &mut dyn Write, graph: &Graph, id: NodeId, node: &Node, indent: usize) -> fmt::Result {
    write!(f, "{id} = ")?;
    let operand = |at: usize| Operand(node.operands.get(at).copied());
    match &node.op {
        Op::Input { name, .. } => write!(f, "input {}", Quoted(&name.text()))?,
        Op::Param { path, .. } => write!(f, "param {}", Quoted(path))?,
        Op::State { path, .. } => write!(f, "state {}", Quoted(path))?,
        Op::Const(value) => write_const(f, value)?,
        Op::Loop(body) => write_loop(f, graph, body, &node.operands, indent)?,
        Op::Reshape { .. } => write!(f, "reshape {}", operand(0))?,
        Op::Rand { kind, stream, step, step_axes, .. } => {
            let kind = match kind {
                RandKind::Uniform => "uniform",
                RandKind::Normal => "normal",
            };
            write!(f, "rand {kind} {} step {step} axes {step_axes}", Quoted(stream))?;
        }
        Op::Mark(number) => {
            write!(f, "mark {number} {}", operand(0))?;
            if let [_, declared @ ..] = &*node.operands
                && !declared.is_empty()
            {
                write!(f, " ({})", List(declared))?;
            }
        }
        Op::Scan(scan) => {
            let reverse = if scan.reverse { " reverse" } else { "" };
            let step = crate::ir::Var::Step(scan.step);
            let (carries, captures) = node.operands.split_at(scan.n_carries.min(node.operands.len()));
            writeln!(f, "scan {step} < {}{reverse} ({}; {}) {{", scan.trip, List(carries), List(captures))?;
            write_graph(f, &scan.body, indent + 4)?;
            return write!(f, "{:indent$}}}", "");
        }
        Op::Result(index) => write!(f, "result {index} {}", operand(0))?,
        Op::Carry { index, .. } => write!(f, "carry {index}")?,
        Op::Capture { index, .. } => write!(f, "capture {index}")?,
    }
    write!(f, " : {}", node.ty)
}

fn write_const(f: &mut dyn Write, value: &Const) -> fmt::Result {
    fn values<T>(f: &mut dyn Write, values: &[T], text: impl Fn(&T) -> String) -> fmt::Result {
        for (at, value) in values.iter().enumerate() {
            write!(f, "{}{}", if at > 0 { ", " } else { "" }, text(value))?;
        }
        Ok(())
    }
    f.write_str("const [")?;
    match &value.data {
        ConstData::Float(floats) => values(f, floats, |value| Float(value.0).to_string())?,
        ConstData::Int(ints) => values(f, ints, i64::to_string)?,
        ConstData::Bool(bools) => values(f, bools, bool::to_string)?,
    }
    f.write_str("]")
}

fn write_loop(
    f: &mut dyn Write,
    graph: &Graph,
    source: &Loop,
    operands: &[NodeId],
    indent: usize,
) -> fmt::Result {
    f.write_str("loop ")?;
    for (index, size) in source.domain.iter().enumerate() {
        write!(f, "{}i{index} < {size}", if index > 0 { ", " } else { "" })?;
    }
    if !source.domain.is_empty() {
        f.write_str(" ")?;
    }
    f.write_str(":")?;
    let listed = !is_in_order(source, operands.len());
    if listed {
        write!(f, " list ({})", List(operands))?;
    }
    let names = names(source, listed);
    let printer = Printer { graph, body: &source.body, operands, names: &names };
    let mut any = false;
    for (at, _) in names.iter().enumerate().filter(|(_, name)| name.is_some()) {
        let id = ScalarId(at as u32);
        let width = indent + 4;
        write!(f, "\n{:width$}let {} = ", "", printer.name(id).unwrap_or_default())?;
        printer.scalar(f, id)?;
        any = true;
    }
    if any {
        let width = indent + 4;
        write!(f, "\n{:width$}", "")?;
    } else {
        f.write_str(" ")?;
    }
    printer.subs(f, &source.write, source.dropping.then_some("drop"))?;
    write!(f, " {} ", source.combine)?;
    printer.operand(f, source.body.result)
}

/// Whether parsing the plain form would give this body and these operands.
fn is_in_order(source: &Loop, n_operands: usize) -> bool {
    let body = &source.body;
    let valid = |id: ScalarId| (id.0 as usize) < body.nodes.len();
    let mut roots: Vec<ScalarId> = values(&source.write).collect();
    roots.push(body.result);
    let mut all_valid = roots.iter().all(|id| valid(*id));
    for (at, scalar) in body.nodes.iter().enumerate() {
        scalar.for_each_operand(|id| all_valid &= (id.0 as usize) < at);
    }
    if !all_valid {
        return false;
    }
    let mut seen = 0;
    let mut first_reads = true;
    for scalar in &body.nodes {
        if let Scalar::Read { operand, .. } = scalar {
            first_reads &= *operand <= seen;
            seen = seen.max(operand + 1);
        }
    }
    let distinct: std::collections::HashSet<&Scalar> = body.nodes.iter().collect();
    first_reads
        && seen as usize == n_operands
        && distinct.len() == body.nodes.len()
        && in_order(&body.nodes, &roots).0 == body.nodes
}

fn values(subs: &[Sub]) -> impl Iterator<Item = ScalarId> {
    subs.iter().filter_map(|sub| match sub {
        Sub::Affine(_) => None,
        Sub::Value(id) => Some(*id),
    })
}

/// A number for each scalar that gets a `let`: all of them, or those used more than once that are not short.
fn names(source: &Loop, all: bool) -> Vec<Option<usize>> {
    let nodes = &source.body.nodes;
    let mut uses = vec![0; nodes.len()];
    let mut count = |id: ScalarId| {
        if let Some(uses) = uses.get_mut(id.0 as usize) {
            *uses += 1;
        }
    };
    values(&source.write).for_each(&mut count);
    count(source.body.result);
    nodes.iter().for_each(|scalar| scalar.for_each_operand(&mut count));
    let mut next = 0;
    let named = nodes.iter().zip(uses).map(|(scalar, uses)| {
        (all || uses > 1 && !is_short(scalar)).then(|| {
            next += 1;
            next - 1
        })
    });
    named.collect()
}

fn is_short(scalar: &Scalar) -> bool {
    match scalar {
        Scalar::Float(_) | Scalar::Int(_) | Scalar::Bool(_) | Scalar::Affine(_) => true,
        Scalar::Read { subs, .. } => values(subs).next().is_none(),
        Scalar::Unary(..) | Scalar::Binary(..) | Scalar::Select(..) | Scalar::WithSlope { .. } => false,
    }
}

struct Printer<'a> {
    graph: &'a Graph,
    body: &'a Body,
    operands: &'a [NodeId],
    names: &'a [Option<usize>],
}

impl Printer<'_> {
    fn name(&self, id: ScalarId) -> Option<String> {
        let name = self.names.get(id.0 as usize).copied().flatten();
        name.map(|number| format!("v{number}"))
    }

    /// Its name, or what it is.
    fn operand(&self, f: &mut dyn Write, id: ScalarId) -> fmt::Result {
        match self.name(id) {
            Some(name) => f.write_str(&name),
            None => self.scalar(f, id),
        }
    }

    fn scalar(&self, f: &mut dyn Write, id: ScalarId) -> fmt::Result {
        // Only a body that the verifier refuses lacks a scalar.
        let Some(scalar) = self.body.nodes.get(id.0 as usize) else { return write!(f, "v{}?", id.0) };
        match scalar {
            Scalar::Float(value) => write!(f, "{}", Float(value.0)),
            Scalar::Int(value) => write!(f, "{value}"),
            Scalar::Bool(value) => write!(f, "{value}"),
            Scalar::Affine(affine) => write!(f, "{{{affine}}}"),
            Scalar::Read { operand, subs, padded } => {
                let node = self.operands.get(*operand as usize).copied();
                debug_assert!(node.is_none_or(|node| (node.0 as usize) < self.graph.len()));
                write!(f, "{}", Operand(node))?;
                self.subs(f, subs, padded.then_some("0"))
            }
            Scalar::Unary(op, a) => self.call(f, op.name(), &[*a]),
            Scalar::Binary(op, a, b) => self.call(f, op.name(), &[*a, *b]),
            Scalar::Select(condition, a, b) => self.call(f, "select", &[*condition, *a, *b]),
            Scalar::WithSlope { value, arg, slope } => self.call(f, "slope", &[*value, *arg, *slope]),
        }
    }

    fn call(&self, f: &mut dyn Write, name: &str, arguments: &[ScalarId]) -> fmt::Result {
        write!(f, "{name}(")?;
        for (at, argument) in arguments.iter().enumerate() {
            f.write_str(if at > 0 { ", " } else { "" })?;
            self.operand(f, *argument)?;
        }
        f.write_str(")")
    }

    fn subs(&self, f: &mut dyn Write, subs: &[Sub], otherwise: Option<&str>) -> fmt::Result {
        f.write_str("[")?;
        for (at, sub) in subs.iter().enumerate() {
            f.write_str(if at > 0 { ", " } else { "" })?;
            match sub {
                Sub::Affine(affine) => write!(f, "{affine}")?,
                Sub::Value(id) => {
                    let constant = matches!(self.body.nodes.get(id.0 as usize), Some(Scalar::Int(_)));
                    f.write_str(if constant && self.name(*id).is_none() { "=" } else { "" })?;
                    self.operand(f, *id)?;
                }
            }
        }
        if let Some(otherwise) = otherwise {
            write!(f, "{}else {otherwise}", if subs.is_empty() { "" } else { " " })?;
        }
        f.write_str("]")
    }
}

/// Digits that parse back to the same bits, always with a point or an exponent.
struct Float(f64);

impl Display for Float {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.to_bits() == f64::NAN.to_bits() {
            f.write_str("nan")
        } else if self.0.is_nan() {
            write!(f, "nan({:#x})", self.0.to_bits())
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"")?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", c as u32)?,
                c => write!(f, "{c}")?,
            }
        }
        write!(f, "\"")
    }
}

struct Operand(Option<NodeId>);

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, "{id}"),
            None => f.write_str("%?"),
        }
    }
}

struct List<'a>(&'a [NodeId]);

impl Display for List<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
