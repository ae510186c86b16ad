//! Parsing graphs.

use super::scalar::{Builder, Expr};
use super::scanner::{Parsed, Scanner, TextError};
use crate::ir::affine::StepId;
use crate::ir::graph::{Combine, Graph, Loop, NodeId, Op, RandKind, Scan};
use crate::ir::scalar::{Body, Number};
use crate::ir::types::{Const, ConstData, Elem, Type};
use std::collections::HashMap;
use std::sync::Arc;

/// The graph that a text stands for.
///
/// # Errors
/// Where the text is not what a graph prints as. What is beyond form, the verifier checks.
pub fn parse(text: &str) -> Result<Graph, TextError> {
    let mut scanner = Scanner::new(text);
    let graph = scanner.graph()?;
    if scanner.at_end() { Ok(graph) } else { scanner.error("expected a node or an output") }
}

/// The part of a node's line before its type.
enum Head {
    /// An op that needs the type that follows.
    Typed(fn(Arc<str>, Type) -> Op, Arc<str>),
    Leaf(fn(u32, Type) -> Op, u32),
    Const(Vec<String>),
    Whole(Op, Vec<NodeId>),
    Reshape(NodeId),
    Rand {
        kind: RandKind,
        stream: Arc<str>,
        step: crate::ir::Affine,
        step_axes: u32,
    },
    Loop {
        body: Box<Loop>,
        operands: Vec<NodeId>,
    },
}

type Places = HashMap<u32, NodeId>;

impl Scanner<'_> {
    fn graph(&mut self) -> Parsed<Graph> {
        let mut graph = Graph::new();
        let mut places = Places::new();
        loop {
            if self.take_word("out") {
                let name = self.quoted()?;
                self.expect("=")?;
                let node = self.node(&|number| places.get(&number).copied())?;
                graph.output(&*name, node);
            } else if self.take("%") {
                let number = self.natural()?;
                self.expect("=")?;
                let id = self.node_line(&mut graph, &places)?;
                if places.insert(number, id).is_some() {
                    return self.error(format!("%{number} is there twice"));
                }
            } else {
                return Ok(graph);
            }
        }
    }

    fn node_line(&mut self, graph: &mut Graph, places: &Places) -> Parsed<NodeId> {
        let head = self.head(graph, places)?;
        if let Head::Whole(op @ Op::Scan(_), operands) = head {
            return Ok(graph.add(op, operands));
        }
        self.expect(":")?;
        let ty = self.ty()?;
        let (op, operands) = match head {
            Head::Typed(make, name) => (make(name, ty.clone()), vec![]),
            Head::Leaf(make, index) => (make(index, ty.clone()), vec![]),
            Head::Const(numerals) => (Op::Const(Arc::new(self.constant(&numerals, &ty)?)), vec![]),
            Head::Whole(op, operands) => (op, operands),
            Head::Reshape(operand) => (Op::Reshape { shape: ty.shape.clone() }, vec![operand]),
            Head::Rand { kind, stream, step, step_axes } => {
                (Op::Rand { kind, stream, shape: ty.shape.clone(), step, step_axes }, vec![])
            }
            Head::Loop { mut body, operands } => {
                body.shape = ty.shape.clone();
                (Op::Loop(Arc::new(*body)), operands)
            }
        };
        let id = graph.add(op, operands);
        if graph.ty(id) != &ty {
            let found = graph.ty(id);
            return self.error(format!("the type is {found}, not {ty}"));
        }
        Ok(id)
    }

    fn head(&mut self, graph: &Graph, places: &Places) -> Parsed<Head> {
        let find = |number: u32| places.get(&number).copied();
        Ok(match self.word()? {
            "input" => Head::Typed(|name, ty| Op::Input { name: (&*name).into(), ty }, self.quoted()?.into()),
            "param" => Head::Typed(|path, ty| Op::Param { path, ty }, self.quoted()?.into()),
            "state" => Head::Typed(|path, ty| Op::State { path, ty }, self.quoted()?.into()),
            "carry" => Head::Leaf(|index, ty| Op::Carry { index, ty }, self.natural()?),
            "capture" => Head::Leaf(|index, ty| Op::Capture { index, ty }, self.natural()?),
            "const" => Head::Const(self.numerals()?),
            "reshape" => Head::Reshape(self.node(&find)?),
            "mark" => {
                let number = self.natural()?;
                let mut operands = vec![self.node(&find)?];
                if self.take("(") {
                    operands.extend(self.nodes(places, ")")?);
                }
                Head::Whole(Op::Mark(number), operands)
            }
            "result" => {
                let index: u32 = self.natural()?;
                let scan = self.node(&find)?;
                let known = match &graph[scan].op {
                    Op::Scan(scan) => scan.body.outputs.len() > index as usize,
                    _ => false,
                };
                if !known {
                    return self.error(format!("{scan} has no result {index}"));
                }
                Head::Whole(Op::Result(index), vec![scan])
            }
            "rand" => {
                let kind = match self.word()? {
                    "uniform" => RandKind::Uniform,
                    "normal" => RandKind::Normal,
                    other => return self.error(format!("no random numbers are called `{other}`")),
                };
                let stream = self.quoted()?.into();
                self.expect("step")?;
                let step = self.affine()?;
                self.expect("axes")?;
                Head::Rand { kind, stream, step, step_axes: self.natural()? }
            }
            "scan" => {
                let step = StepId(self.numbered('t')?);
                self.expect("<")?;
                let trip = self.dim()?;
                let reverse = self.take_word("reverse");
                self.expect("(")?;
                let mut operands = self.nodes(places, ";")?;
                let n_carries = operands.len();
                operands.extend(self.nodes(places, ")")?);
                self.expect("{")?;
                let body = self.graph()?;
                self.expect("}")?;
                if body.outputs.len() < n_carries {
                    return self.error("a scan needs an output for each carry");
                }
                Head::Whole(Op::Scan(Arc::new(Scan { step, trip, reverse, n_carries, body })), operands)
            }
            "loop" => self.loop_head(graph, places)?,
            other => return self.error(format!("no node is called `{other}`")),
        })
    }

    fn loop_head(&mut self, graph: &Graph, places: &Places) -> Parsed<Head> {
        let find = |number: u32| places.get(&number).copied();
        let mut domain = Vec::new();
        while !self.take(":") {
            if !domain.is_empty() {
                self.expect(",")?;
            }
            if self.numbered('i')? as usize != domain.len() {
                return self.error("indices are numbered in order");
            }
            self.expect("<")?;
            domain.push(self.dim()?);
        }
        let listed = self.take_word("list");
        let mut operands = Vec::new();
        if listed {
            self.expect("(")?;
            operands = self.nodes(places, ")")?;
        }
        let mut order = Vec::new();
        let mut lets = HashMap::new();
        while self.take_word("let") {
            let name = self.numbered('v')?;
            self.expect("=")?;
            let expr = self.expr(&find)?;
            order.push(name);
            lets.insert(name, expr);
        }
        let (write, dropping) = self.subs(&find, "drop")?;
        let combine = self.combine()?;
        let value = self.expr(&find)?;
        let elem_of = |node: NodeId| graph.elem(node);
        let mut builder = Builder {
            lets,
            named: HashMap::new(),
            nodes: Vec::new(),
            elems: Vec::new(),
            interned: HashMap::new(),
            listed,
            operands,
            elem_of: &elem_of,
        };
        if listed {
            for name in order {
                builder.build(&Expr::Name(name)).or_else(|message| self.error(message))?;
            }
        }
        let write = builder.subs(&write).or_else(|message| self.error(message))?;
        let result = builder.build(&value).or_else(|message| self.error(message))?;
        let body = Body { nodes: builder.nodes, result };
        let body = Box::new(Loop { domain, shape: Vec::new(), write, dropping, combine, body });
        Ok(Head::Loop { body, operands: builder.operands })
    }

    fn combine(&mut self) -> Parsed<Combine> {
        use Combine::{Add, ArgMax, ArgMin, Max, Min, Mul, Set};
        let all = [Set, Add, Mul, Max, Min, ArgMax, ArgMin];
        match all.into_iter().find(|combine| self.take(&combine.to_string())) {
            Some(combine) => Ok(combine),
            None => self.error("expected `=`, `+=` or the like"),
        }
    }

    fn nodes(&mut self, places: &Places, end: &str) -> Parsed<Vec<NodeId>> {
        let mut nodes = Vec::new();
        while !self.take(end) {
            if !nodes.is_empty() {
                self.expect(",")?;
            }
            nodes.push(self.node(&|number| places.get(&number).copied())?);
        }
        Ok(nodes)
    }

    fn numerals(&mut self) -> Parsed<Vec<String>> {
        self.expect("[")?;
        let mut numerals = Vec::new();
        while !self.take("]") {
            if !numerals.is_empty() {
                self.expect(",")?;
            }
            let numeral = if self.take("-inf") {
                "-inf".to_owned()
            } else if self.take_word("nan") {
                self.nan_bits()?.to_bits().to_string() + "nan"
            } else if self.peek_word().is_empty() {
                self.numeral()?.to_owned()
            } else {
                self.word()?.to_owned()
            };
            numerals.push(numeral);
        }
        Ok(numerals)
    }

    fn constant(&self, numerals: &[String], ty: &Type) -> Parsed<Const> {
        let values = |ok: bool| if ok { Ok(()) } else { self.error(format!("these are no values of {ty}")) };
        let shape = ty.static_shape();
        let count = shape.as_ref().map(|shape| shape.iter().product::<usize>());
        values(count == Some(numerals.len()))?;
        let float = |numeral: &String| match numeral.strip_suffix("nan").filter(|bits| !bits.is_empty()) {
            Some(bits) => bits.parse().ok().map(f64::from_bits),
            None => numeral.parse().ok(),
        };
        let data = match ty.elem {
            Elem::Float => {
                numerals.iter().map(|n| float(n).map(Number)).collect::<Option<_>>().map(ConstData::Float)
            }
            Elem::Int => numerals.iter().map(|n| n.parse().ok()).collect::<Option<_>>().map(ConstData::Int),
            Elem::Bool => numerals.iter().map(|n| n.parse().ok()).collect::<Option<_>>().map(ConstData::Bool),
        };
        values(data.is_some())?;
        let (shape, data) = (shape.unwrap_or_default(), data.unwrap_or(ConstData::Float(Vec::new())));
        Ok(Const { shape, data })
    }
}
