//! Range analysis of floats: between which values the elements of a tensor lie, as far as its formula shows it. A
//! sigmoid lies in 0..1, a softmax too, and its logarithm is not above 0. NaN is ignored.
//!
//! The analysis computes an interval of real numbers for each node: see [`super::interval`] for its purpose. Three
//! forms are recognised beyond interval arithmetic: a term divided by the sum that it belongs to, a term minus the logarithm of the sum of exponentials
//! that it belongs to, and a term minus the maximum that it belongs to.

use super::affine::Affine;
use super::dim::Dim;
use super::graph::{Combine, Graph, Loop, NodeId, Op, RandKind};
use super::interval::Interval;
use super::scalar::{BinaryOp, Body, Number, Scalar, ScalarId, Sub, UnaryOp};

/// The range of the elements of a tensor.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Values {
    pub interval: Interval<f64>,
    /// Whether for any data some values of the parameters reach every number in the range.
    pub reached: bool,
    /// Whether the exponentials along an axis add up to 1.
    pub logarithms: bool,
    /// Whether the elements are parameters, without any operation on them.
    free: bool,
}

impl Values {
    pub const UNKNOWN: Values = Values::within(f64::NEG_INFINITY, f64::INFINITY);

    pub const fn within(low: f64, high: f64) -> Values {
        Values { interval: Interval::new(low, high), reached: false, logarithms: false, free: false }
    }

    fn hull(self, other: Values) -> Values {
        let interval = self.interval.union(&other.interval);
        Values::within(interval.least, interval.greatest)
    }

    /// The range of a monotonically increasing function of the elements.
    fn growing(self, f: impl Fn(f64) -> f64) -> Values {
        Values { reached: self.reached, ..Values::within(f(self.interval.least), f(self.interval.greatest)) }
    }

    fn is_all(self) -> bool {
        self.interval.least == f64::NEG_INFINITY && self.interval.greatest == f64::INFINITY
    }
}

/// The range of a node.
pub fn of(graph: &Graph, id: NodeId) -> Values {
    let mut known: Vec<Values> = Vec::with_capacity(id.0 as usize + 1);
    for at in 0..=id.0 {
        let range = node(graph, NodeId(at), &known);
        known.push(range);
    }
    known[id.0 as usize]
}

fn node(graph: &Graph, id: NodeId, known: &[Values]) -> Values {
    let node = &graph[id];
    let of = |id: NodeId| known[id.0 as usize];
    match &node.op {
        // A constant is written in the program, so there is nothing to warn about.
        Op::Const(_) => Values::UNKNOWN,
        Op::Reshape { .. } | Op::Mark(_) => of(node.operands[0]),
        Op::Rand { kind: RandKind::Uniform, .. } => Values::within(0.0, 1.0),
        Op::Param { .. } => Values { reached: true, free: true, ..Values::UNKNOWN },
        Op::Loop(body) => of_loop(graph, body, &node.operands, known),
        Op::Input { .. }
        | Op::State { .. }
        | Op::Rand { kind: RandKind::Normal, .. }
        | Op::Scan(_)
        | Op::Result(_)
        | Op::Carry { .. }
        | Op::Capture { .. } => Values::UNKNOWN,
    }
}

/// The smallest range that contains all values.
fn hull_of(values: impl Iterator<Item = f64>) -> Values {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low <= high { Values::within(low, high) } else { Values::UNKNOWN }
}

fn of_loop(graph: &Graph, body: &Loop, operands: &[NodeId], known: &[Values]) -> Values {
    let expression = Expression { graph, operands, known, body: &body.body, domain: &body.domain };
    let value = expression.result();
    let is_map = body.writes_at_each_point();
    let range = match body.combine {
        Combine::Set if is_map => return value,
        Combine::Set => Values { free: value.free, ..Values::within(value.interval.least, value.interval.greatest) },
        Combine::Add => Values {
            // A sum of products with parameters, which every linear layer is.
            reached: value.reached && value.is_all(),
            ..Values::within(
                if value.interval.least >= 0.0 { 0.0 } else { f64::NEG_INFINITY },
                if value.interval.greatest <= 0.0 { 0.0 } else { f64::INFINITY },
            )
        },
        Combine::Mul if value.interval.least >= 0.0 && value.interval.greatest <= 1.0 => Values::within(0.0, 1.0),
        Combine::Mul if value.interval.least >= 0.0 => Values::within(0.0, f64::INFINITY),
        Combine::Mul => Values::UNKNOWN,
        // Without any term they are infinite, but no known size allows that.
        Combine::Max | Combine::Min => Values::within(value.interval.least, value.interval.greatest),
        Combine::ArgMax | Combine::ArgMin => Values::within(0.0, f64::INFINITY),
    };
    if is_map || sums_whole_axes(body) {
        return range;
    }
    // Elements that are not written are 0.
    let zero = Values::within(0.0, 0.0);
    if matches!(body.combine, Combine::Set | Combine::Add) { range.hull(zero) } else { Values::UNKNOWN }
}

/// Whether every element is the sum over whole axes of one tensor: at its own indices, or at 0 of an axis that is
/// left of a sum.
fn sums_whole_axes(body: &Loop) -> bool {
    (0..body.write.len()).all(|axis| match (&body.write[axis], body.write_index(axis)) {
        (_, Some(index)) => body.domain[index] == body.shape[axis],
        (Sub::Affine(affine), None) => affine.as_number() == Some(0) && body.shape[axis].is_number(1),
        (Sub::Value(_), None) => false,
    })
}

/// One side of a comparison.
#[derive(Clone, Copy)]
enum Side {
    /// A scalar of the same expression.
    Scalar(ScalarId),
    /// A term of the expression of another tensor.
    Term(Option<Term>),
}

/// A term that can be recognised in several expressions over the same domain.
#[derive(Clone, Copy, PartialEq)]
enum Term {
    Number(Number),
    Node(NodeId),
}

/// A scalar expression and the tensors that it reads.
struct Expression<'a> {
    graph: &'a Graph,
    operands: &'a [NodeId],
    known: &'a [Values],
    body: &'a Body,
    domain: &'a [Dim],
}

impl Expression<'_> {
    fn result(&self) -> Values {
        self.ranges().get(self.body.result.0 as usize).copied().unwrap_or(Values::UNKNOWN)
    }

    fn ranges(&self) -> Vec<Values> {
        let mut ranges: Vec<Values> = Vec::with_capacity(self.body.nodes.len());
        for scalar in &self.body.nodes {
            let range = self.scalar(scalar, &ranges);
            ranges.push(range);
        }
        ranges
    }

    fn scalar(&self, scalar: &Scalar, ranges: &[Values]) -> Values {
        let of = |id: &ScalarId| ranges[id.0 as usize];
        match scalar {
            Scalar::Float(value) => Values::within(value.0, value.0),
            Scalar::Int(value) => Values::within(*value as f64, *value as f64),
            Scalar::Bool(_) => Values::within(0.0, 1.0),
            Scalar::Affine(affine) => self.affine(affine),
            Scalar::Read { operand, padded, .. } => {
                let range = self.known[self.operands[*operand as usize].0 as usize];
                if *padded { range.hull(Values::within(0.0, 0.0)) } else { range }
            }
            Scalar::Unary(op, a) => unary(*op, of(a)),
            Scalar::Binary(op, a, b) => self.binary(*op, (*a, of(a)), (*b, of(b))),
            Scalar::Select(condition, a, b) => self.select(*condition, (*a, of(a)), (*b, of(b)), ranges),
            Scalar::WithSlope { value, .. } => of(value),
        }
    }

    fn affine(&self, affine: &Affine) -> Values {
        use super::affine::Var;
        if affine.terms.iter().any(|(var, _)| matches!(var, Var::Step(_))) {
            return Values::UNKNOWN;
        }
        let size = |var: Var| match var {
            Var::Index(index) => self.domain[index as usize].clone(),
            Var::Step(_) => Dim::ONE,
        };
        let Some((least, greatest)) = affine.bounds(size) else { return Values::UNKNOWN };
        let low = match least.as_number() {
            Some(least) => least as f64,
            None if least.at_least(&Dim::ONE) => 1.0,
            None if least.at_least(&Dim::ZERO) => 0.0,
            None => f64::NEG_INFINITY,
        };
        Values::within(low, greatest.as_number().map_or(f64::INFINITY, |greatest| greatest as f64))
    }

    fn binary(&self, op: BinaryOp, (a, x): (ScalarId, Values), (b, y): (ScalarId, Values)) -> Values {
        match op {
            BinaryOp::Add => {
                Values { reached: x.free || y.free, ..Values::within(x.interval.least + y.interval.least, x.interval.greatest + y.interval.greatest) }
            }
            BinaryOp::Sub => {
                let logarithms = self.is_part_of_logarithm(a, b);
                let is_part = logarithms || self.is_part(a, b, Combine::Max);
                let high = if is_part { 0.0 } else { x.interval.greatest - y.interval.least };
                Values { reached: x.free || y.free, logarithms, ..Values::within(x.interval.least - y.interval.greatest, high) }
            }
            BinaryOp::Mul if a == b => {
                let most = (x.interval.least * x.interval.least).max(x.interval.greatest * x.interval.greatest);
                let least =
                    if x.interval.least <= 0.0 && x.interval.greatest >= 0.0 { 0.0 } else { (x.interval.least * x.interval.least).min(x.interval.greatest * x.interval.greatest) };
                Values::within(least, most)
            }
            BinaryOp::Mul => Values {
                reached: x.free || y.free,
                ..corners(x, y, |a, b| if a == 0.0 || b == 0.0 { 0.0 } else { a * b })
            },
            BinaryOp::Div if x.interval.least >= 0.0 && self.is_part(a, b, Combine::Add) => Values::within(0.0, 1.0),
            BinaryOp::Div if y.interval.least > 0.0 || y.interval.greatest < 0.0 || y.interval.least == 0.0 && x.interval.least >= 0.0 => {
                Values { reached: x.free, ..corners(x, y, |a, b| if a == 0.0 { 0.0 } else { a / b }) }
            }
            BinaryOp::Div => Values::UNKNOWN,
            BinaryOp::Pow if x.interval.least >= 0.0 => Values::within(0.0, f64::INFINITY),
            BinaryOp::Pow | BinaryOp::FloorDiv | BinaryOp::Mod => Values::UNKNOWN,
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Eq | BinaryOp::And | BinaryOp::Or => {
                Values::within(0.0, 1.0)
            }
        }
    }

    /// In the branch of a condition `p < q` that is taken, q is not below p; in the other one p is not below q.
    fn select(
        &self,
        condition: ScalarId,
        (a, x): (ScalarId, Values),
        (b, y): (ScalarId, Values),
        ranges: &[Values],
    ) -> Values {
        let Some(((p, least), (q, most))) = self.comparison(condition, ranges) else { return x.hull(y) };
        let is = |id: ScalarId, side: Side| match side {
            Side::Scalar(other) => {
                id == other || self.term(id).is_some_and(|term| Some(term) == self.term(other))
            }
            Side::Term(term) => term.is_some() && self.term(id) == term,
        };
        let above = |range: Values, low: f64| Values::within(range.interval.least.max(low), range.interval.greatest);
        let below = |range: Values, high: f64| Values::within(range.interval.least, range.interval.greatest.min(high));
        let taken = if is(a, q) {
            above(x, least.interval.least)
        } else if is(a, p) {
            below(x, most.interval.greatest)
        } else {
            x
        };
        let other = if is(b, p) {
            above(y, most.interval.least)
        } else if is(b, q) {
            below(y, least.interval.greatest)
        } else {
            y
        };
        taken.hull(other)
    }

    /// Both sides of a comparison `p < q` with their ranges: of this expression, or of the tensor of bools that the
    /// condition is read from.
    fn comparison(&self, condition: ScalarId, ranges: &[Values]) -> Option<((Side, Values), (Side, Values))> {
        if let Scalar::Binary(BinaryOp::Lt | BinaryOp::Le, p, q) = self.body.nodes[condition.0 as usize] {
            let of = |id: ScalarId| (Side::Scalar(id), ranges[id.0 as usize]);
            return Some((of(p), of(q)));
        }
        let node = &self.graph[plain(self.graph, self.read_here(condition)?)];
        let Op::Loop(body) = &node.op else { return None };
        let inner = Expression {
            graph: self.graph,
            operands: &node.operands,
            known: self.known,
            body: &body.body,
            domain: &body.domain,
        };
        match body.body.nodes[body.body.result.0 as usize] {
            Scalar::Binary(BinaryOp::Lt | BinaryOp::Le, p, q) if body.writes_at_each_point() => {
                let ranges = inner.ranges();
                let of = |id: ScalarId| (Side::Term(inner.term(id)), ranges[id.0 as usize]);
                Some((of(p), of(q)))
            }
            _ => None,
        }
    }

    /// A number, or the tensor that is read at the indices of the domain.
    fn term(&self, id: ScalarId) -> Option<Term> {
        match &self.body.nodes[id.0 as usize] {
            Scalar::Float(value) => Some(Term::Number(*value)),
            Scalar::Int(value) => Some(Term::Number(Number(*value as f64))),
            _ => self.read_here(id).map(|node| Term::Node(plain(self.graph, node))),
        }
    }

    fn read_here(&self, id: ScalarId) -> Option<NodeId> {
        read_at_index_of_each_axis(self.graph, (self.body, self.domain.len()), self.operands, id)
    }

    /// The node that a scalar reads, and the subscripts.
    fn read(&self, id: ScalarId) -> Option<(NodeId, &[Sub])> {
        match &self.body.nodes[id.0 as usize] {
            Scalar::Read { operand, subs, padded: false } => Some((self.operands[*operand as usize], subs)),
            Scalar::Unary(UnaryOp::Stop, of) => self.read(*of),
            _ => None,
        }
    }

    /// Whether `whole` is the sum (or maximum) over some axes of the tensor that `part` is read from, at the same
    /// place: the part is one of its terms.
    fn is_part(&self, part: ScalarId, whole: ScalarId, combine: Combine) -> bool {
        let (Some((part, at)), Some((whole, place))) = (self.read(part), self.read(whole)) else {
            return false;
        };
        is_term(self.graph, part, at, whole, place, combine)
    }

    /// Whether `whole` is the logarithm of a sum of exponentials, of which that of `part` is one.
    fn is_part_of_logarithm(&self, part: ScalarId, whole: ScalarId) -> bool {
        let (Some((part, at)), Some((whole, place))) = (self.read(part), self.read(whole)) else {
            return false;
        };
        let Some(sum) = map_of(self.graph, whole, UnaryOp::Log) else { return false };
        let Some(exponentials) = summed(self.graph, sum, Combine::Add) else { return false };
        map_of(self.graph, exponentials, UnaryOp::Exp) == Some(part)
            && is_term(self.graph, exponentials, at, sum, place, Combine::Add)
    }
}

/// The tensor behind views that change neither its elements nor their subscripts.
fn plain(graph: &Graph, mut id: NodeId) -> NodeId {
    loop {
        let node = &graph[id];
        id = match &node.op {
            Op::Mark(_) => node.operands[0],
            Op::Loop(body) if body.writes_at_each_point() => {
                match read_at_index_of_each_axis(
                    graph,
                    (&body.body, body.domain.len()),
                    &node.operands,
                    body.body.result,
                ) {
                    Some(operand) => operand,
                    None => return id,
                }
            }
            _ => return id,
        };
    }
}

/// The tensor that a scalar reads at the indices of the domain, in order; an axis of size 1 is read at 0.
fn read_at_index_of_each_axis(
    graph: &Graph,
    (body, rank): (&Body, usize),
    operands: &[NodeId],
    id: ScalarId,
) -> Option<NodeId> {
    match &body.nodes[id.0 as usize] {
        Scalar::Read { operand, subs, padded: false } => {
            let operand = operands[*operand as usize];
            let shape = graph.shape(operand);
            let is_index_of_axis = |(axis, sub): (usize, &Sub)| match sub {
                Sub::Affine(affine) => {
                    affine.as_index() == Some(axis)
                        || affine.as_number() == Some(0)
                            && shape.get(axis).is_some_and(|size| size.is_number(1))
                }
                Sub::Value(_) => false,
            };
            (subs.len() == rank && subs.iter().enumerate().all(is_index_of_axis)).then_some(operand)
        }
        Scalar::Unary(UnaryOp::Stop, of) => read_at_index_of_each_axis(graph, (body, rank), operands, *of),
        _ => None,
    }
}

/// The tensor to whose elements a node applies this function.
fn map_of(graph: &Graph, id: NodeId, function: UnaryOp) -> Option<NodeId> {
    let node = &graph[plain(graph, id)];
    let Op::Loop(body) = &node.op else { return None };
    match &body.body.nodes[body.body.result.0 as usize] {
        Scalar::Unary(op, of) if *op == function && body.writes_at_each_point() => {
            read_at_index_of_each_axis(graph, (&body.body, body.domain.len()), &node.operands, *of)
        }
        _ => None,
    }
}

/// The tensor that a node sums over whole axes.
fn summed(graph: &Graph, id: NodeId, combine: Combine) -> Option<NodeId> {
    let node = &graph[plain(graph, id)];
    let Op::Loop(body) = &node.op else { return None };
    let fits = body.combine == combine && sums_whole_axes(body);
    fits.then_some(())?;
    read_at_index_of_each_axis(graph, (&body.body, body.domain.len()), &node.operands, body.body.result)
}

/// Whether the element `at` of `part` is a term of the element `place` of `whole`.
fn is_term(graph: &Graph, part: NodeId, at: &[Sub], whole: NodeId, place: &[Sub], combine: Combine) -> bool {
    let whole = plain(graph, whole);
    let Some(of) = summed(graph, whole, combine) else { return false };
    if plain(graph, of) != plain(graph, part) {
        return false;
    }
    let Op::Loop(body) = &graph[whole].op else { return false };
    (0..body.write.len()).all(|axis| match body.write_index(axis) {
        Some(index) => at.get(index).is_some() && at.get(index) == place.get(axis),
        None => true,
    })
}

fn unary(op: UnaryOp, x: Values) -> Values {
    match op {
        UnaryOp::Neg => Values { reached: x.reached, ..Values::within(-x.interval.greatest, -x.interval.least) },
        UnaryOp::Exp => x.growing(f64::exp),
        UnaryOp::Log => x.growing(|x| if x > 0.0 { x.ln() } else { f64::NEG_INFINITY }),
        UnaryOp::Sqrt => x.growing(|x| x.max(0.0).sqrt()),
        UnaryOp::Tanh => x.growing(f64::tanh),
        UnaryOp::Erf => {
            Values::within(if x.interval.least >= 0.0 { 0.0 } else { -1.0 }, if x.interval.greatest <= 0.0 { 0.0 } else { 1.0 })
        }
        UnaryOp::Floor => Values::within(x.interval.least.floor(), x.interval.greatest.floor()),
        UnaryOp::Ceil => Values::within(x.interval.least.ceil(), x.interval.greatest.ceil()),
        UnaryOp::Round => Values::within(x.interval.least.round(), x.interval.greatest.round()),
        UnaryOp::ToInt => Values::within(x.interval.least.floor(), x.interval.greatest.ceil()),
        UnaryOp::ToFloat | UnaryOp::Stop => x,
        // Nothing more than its range is known of any other.
        other => {
            let (least, greatest) = other.properties().range;
            Values::within(least, greatest)
        }
    }
}

fn corners(x: Values, y: Values, f: impl Fn(f64, f64) -> f64) -> Values {
    let values = [f(x.interval.least, y.interval.least), f(x.interval.least, y.interval.greatest), f(x.interval.greatest, y.interval.least), f(x.interval.greatest, y.interval.greatest)];
    if values.iter().any(|value| value.is_nan()) {
        return Values::UNKNOWN;
    }
    hull_of(values.into_iter())
}
