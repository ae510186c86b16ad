//! Range analysis of floats: between which values the elements of a tensor lie, as far as its formula shows it. A
//! sigmoid lies in 0..1, a softmax too, and its logarithm is not above 0. NaN is ignored.
//!
//! The analysis computes an interval of real numbers for each node. Three forms are recognised beyond interval
//! arithmetic: a term divided by the sum that it belongs to, a term minus the logarithm of the sum of exponentials
//! that it belongs to, and a term minus the maximum that it belongs to.

use super::affine::Affine;
use super::dim::Dim;
use super::graph::{Combine, Graph, Loop, NodeId, Op, RandKind};
use super::scalar::{BinaryOp, Body, Number, Scalar, ScalarId, Sub, UnaryOp};

/// The range of the elements of a tensor.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    pub low: f64,
    pub high: f64,
    /// Whether for any data some values of the parameters reach every number in the range.
    pub reached: bool,
    /// Whether the exponentials along an axis add up to 1.
    pub logarithms: bool,
    /// Whether the elements are parameters, without any operation on them.
    free: bool,
}

impl Range {
    pub const UNKNOWN: Range = Range::within(f64::NEG_INFINITY, f64::INFINITY);

    pub const fn within(low: f64, high: f64) -> Range {
        Range { low, high, reached: false, logarithms: false, free: false }
    }

    fn hull(self, other: Range) -> Range {
        Range::within(self.low.min(other.low), self.high.max(other.high))
    }

    /// The range of a monotonically increasing function of the elements.
    fn growing(self, f: impl Fn(f64) -> f64) -> Range {
        Range { reached: self.reached, ..Range::within(f(self.low), f(self.high)) }
    }

    fn is_all(self) -> bool {
        self.low == f64::NEG_INFINITY && self.high == f64::INFINITY
    }
}

/// The range of a node.
pub fn of(graph: &Graph, id: NodeId) -> Range {
    let mut known: Vec<Range> = Vec::with_capacity(id.0 as usize + 1);
    for at in 0..=id.0 {
        let range = node(graph, NodeId(at), &known);
        known.push(range);
    }
    known[id.0 as usize]
}

fn node(graph: &Graph, id: NodeId, known: &[Range]) -> Range {
    let node = &graph[id];
    let of = |id: NodeId| known[id.0 as usize];
    match &node.op {
        // A constant is written in the program, so there is nothing to warn about.
        Op::Const(_) => Range::UNKNOWN,
        Op::Reshape { .. } | Op::Mark(_) => of(node.operands[0]),
        Op::Rand { kind: RandKind::Uniform, .. } => Range::within(0.0, 1.0),
        Op::Param { .. } => Range { reached: true, free: true, ..Range::UNKNOWN },
        Op::Loop(body) => of_loop(graph, body, &node.operands, known),
        Op::Input { .. }
        | Op::State { .. }
        | Op::Rand { kind: RandKind::Normal, .. }
        | Op::Scan(_)
        | Op::Result(_)
        | Op::Carry { .. }
        | Op::Capture { .. } => Range::UNKNOWN,
    }
}

/// The smallest range that contains all values.
fn hull_of(values: impl Iterator<Item = f64>) -> Range {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low <= high { Range::within(low, high) } else { Range::UNKNOWN }
}

fn of_loop(graph: &Graph, body: &Loop, operands: &[NodeId], known: &[Range]) -> Range {
    let expression = Expression { graph, operands, known, body: &body.body, domain: &body.domain };
    let value = expression.result();
    let is_map = is_map(body);
    let range = match body.combine {
        Combine::Set if is_map => return value,
        Combine::Set => Range { free: value.free, ..Range::within(value.low, value.high) },
        Combine::Add => Range {
            // A sum of products with parameters, which every linear layer is.
            reached: value.reached && value.is_all(),
            ..Range::within(
                if value.low >= 0.0 { 0.0 } else { f64::NEG_INFINITY },
                if value.high <= 0.0 { 0.0 } else { f64::INFINITY },
            )
        },
        Combine::Mul if value.low >= 0.0 && value.high <= 1.0 => Range::within(0.0, 1.0),
        Combine::Mul if value.low >= 0.0 => Range::within(0.0, f64::INFINITY),
        Combine::Mul => Range::UNKNOWN,
        // Without any term they are infinite, but no known size allows that.
        Combine::Max | Combine::Min => Range::within(value.low, value.high),
        Combine::ArgMax | Combine::ArgMin => Range::within(0.0, f64::INFINITY),
    };
    if is_map || sums_whole_axes(body) {
        return range;
    }
    // Elements that are not written are 0.
    let zero = Range::within(0.0, 0.0);
    if matches!(body.combine, Combine::Set | Combine::Add) { range.hull(zero) } else { Range::UNKNOWN }
}

/// Whether every element is written once, at its own indices.
fn is_map(body: &Loop) -> bool {
    body.write.len() == body.domain.len()
        && !body.dropping
        && (0..body.write.len())
            .all(|axis| body.write_index(axis) == Some(axis) && body.domain[axis] == body.shape[axis])
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
    known: &'a [Range],
    body: &'a Body,
    domain: &'a [Dim],
}

impl Expression<'_> {
    fn result(&self) -> Range {
        self.ranges().get(self.body.result.0 as usize).copied().unwrap_or(Range::UNKNOWN)
    }

    fn ranges(&self) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::with_capacity(self.body.nodes.len());
        for scalar in &self.body.nodes {
            let range = self.scalar(scalar, &ranges);
            ranges.push(range);
        }
        ranges
    }

    fn scalar(&self, scalar: &Scalar, ranges: &[Range]) -> Range {
        let of = |id: &ScalarId| ranges[id.0 as usize];
        match scalar {
            Scalar::Float(value) => Range::within(value.0, value.0),
            Scalar::Int(value) => Range::within(*value as f64, *value as f64),
            Scalar::Bool(_) => Range::within(0.0, 1.0),
            Scalar::Affine(affine) => self.affine(affine),
            Scalar::Read { operand, padded, .. } => {
                let range = self.known[self.operands[*operand as usize].0 as usize];
                if *padded { range.hull(Range::within(0.0, 0.0)) } else { range }
            }
            Scalar::Unary(op, a) => unary(*op, of(a)),
            Scalar::Binary(op, a, b) => self.binary(*op, (*a, of(a)), (*b, of(b))),
            Scalar::Select(condition, a, b) => self.select(*condition, (*a, of(a)), (*b, of(b)), ranges),
            Scalar::WithSlope { value, .. } => of(value),
        }
    }

    fn affine(&self, affine: &Affine) -> Range {
        use super::affine::Var;
        if affine.terms.iter().any(|(var, _)| matches!(var, Var::Step(_))) {
            return Range::UNKNOWN;
        }
        let size = |var: Var| match var {
            Var::Index(index) => self.domain[index as usize].clone(),
            Var::Step(_) => Dim::ONE,
        };
        let Some((least, greatest)) = affine.bounds(size) else { return Range::UNKNOWN };
        let low = match least.as_number() {
            Some(least) => least as f64,
            None if least.at_least(&Dim::ONE) => 1.0,
            None if least.at_least(&Dim::ZERO) => 0.0,
            None => f64::NEG_INFINITY,
        };
        Range::within(low, greatest.as_number().map_or(f64::INFINITY, |greatest| greatest as f64))
    }

    fn binary(&self, op: BinaryOp, (a, x): (ScalarId, Range), (b, y): (ScalarId, Range)) -> Range {
        match op {
            BinaryOp::Add => {
                Range { reached: x.free || y.free, ..Range::within(x.low + y.low, x.high + y.high) }
            }
            BinaryOp::Sub => {
                let logarithms = self.is_part_of_logarithm(a, b);
                let is_part = logarithms || self.is_part(a, b, Combine::Max);
                let high = if is_part { 0.0 } else { x.high - y.low };
                Range { reached: x.free || y.free, logarithms, ..Range::within(x.low - y.high, high) }
            }
            BinaryOp::Mul if a == b => {
                let most = (x.low * x.low).max(x.high * x.high);
                let least =
                    if x.low <= 0.0 && x.high >= 0.0 { 0.0 } else { (x.low * x.low).min(x.high * x.high) };
                Range::within(least, most)
            }
            BinaryOp::Mul => Range {
                reached: x.free || y.free,
                ..corners(x, y, |a, b| if a == 0.0 || b == 0.0 { 0.0 } else { a * b })
            },
            BinaryOp::Div if x.low >= 0.0 && self.is_part(a, b, Combine::Add) => Range::within(0.0, 1.0),
            BinaryOp::Div if y.low > 0.0 || y.high < 0.0 || y.low == 0.0 && x.low >= 0.0 => {
                Range { reached: x.free, ..corners(x, y, |a, b| if a == 0.0 { 0.0 } else { a / b }) }
            }
            BinaryOp::Div => Range::UNKNOWN,
            BinaryOp::Pow if x.low >= 0.0 => Range::within(0.0, f64::INFINITY),
            BinaryOp::Pow | BinaryOp::FloorDiv | BinaryOp::Mod => Range::UNKNOWN,
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Eq | BinaryOp::And | BinaryOp::Or => {
                Range::within(0.0, 1.0)
            }
        }
    }

    /// In the branch of a condition `p < q` that is taken, q is not below p; in the other one p is not below q.
    fn select(
        &self,
        condition: ScalarId,
        (a, x): (ScalarId, Range),
        (b, y): (ScalarId, Range),
        ranges: &[Range],
    ) -> Range {
        let Some(((p, least), (q, most))) = self.comparison(condition, ranges) else { return x.hull(y) };
        let is = |id: ScalarId, side: Side| match side {
            Side::Scalar(other) => {
                id == other || self.term(id).is_some_and(|it| Some(it) == self.term(other))
            }
            Side::Term(term) => term.is_some() && self.term(id) == term,
        };
        let above = |range: Range, low: f64| Range::within(range.low.max(low), range.high);
        let below = |range: Range, high: f64| Range::within(range.low, range.high.min(high));
        let taken = if is(a, q) {
            above(x, least.low)
        } else if is(a, p) {
            below(x, most.high)
        } else {
            x
        };
        let other = if is(b, p) {
            above(y, most.low)
        } else if is(b, q) {
            below(y, least.high)
        } else {
            y
        };
        taken.hull(other)
    }

    /// Both sides of a comparison `p < q` with their ranges: of this expression, or of the tensor of bools that the
    /// condition is read from.
    fn comparison(&self, condition: ScalarId, ranges: &[Range]) -> Option<((Side, Range), (Side, Range))> {
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
            Scalar::Binary(BinaryOp::Lt | BinaryOp::Le, p, q) if is_map(body) => {
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
        read_at_own_indices(self.graph, (self.body, self.domain.len()), self.operands, id)
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
            Op::Loop(body) if is_map(body) => {
                match read_at_own_indices(
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
fn read_at_own_indices(
    graph: &Graph,
    (body, rank): (&Body, usize),
    operands: &[NodeId],
    id: ScalarId,
) -> Option<NodeId> {
    match &body.nodes[id.0 as usize] {
        Scalar::Read { operand, subs, padded: false } => {
            let operand = operands[*operand as usize];
            let shape = graph.shape(operand);
            let is_own = |(axis, sub): (usize, &Sub)| match sub {
                Sub::Affine(affine) => {
                    affine.as_index() == Some(axis)
                        || affine.as_number() == Some(0)
                            && shape.get(axis).is_some_and(|size| size.is_number(1))
                }
                Sub::Value(_) => false,
            };
            (subs.len() == rank && subs.iter().enumerate().all(is_own)).then_some(operand)
        }
        Scalar::Unary(UnaryOp::Stop, of) => read_at_own_indices(graph, (body, rank), operands, *of),
        _ => None,
    }
}

/// The tensor to whose elements a node applies this function.
fn map_of(graph: &Graph, id: NodeId, function: UnaryOp) -> Option<NodeId> {
    let node = &graph[plain(graph, id)];
    let Op::Loop(body) = &node.op else { return None };
    match &body.body.nodes[body.body.result.0 as usize] {
        Scalar::Unary(op, of) if *op == function && is_map(body) => {
            read_at_own_indices(graph, (&body.body, body.domain.len()), &node.operands, *of)
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
    read_at_own_indices(graph, (&body.body, body.domain.len()), &node.operands, body.body.result)
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

fn unary(op: UnaryOp, x: Range) -> Range {
    match op {
        UnaryOp::Neg => Range { reached: x.reached, ..Range::within(-x.high, -x.low) },
        UnaryOp::Exp => x.growing(f64::exp),
        UnaryOp::Log => x.growing(|x| if x > 0.0 { x.ln() } else { f64::NEG_INFINITY }),
        UnaryOp::Sqrt => x.growing(|x| x.max(0.0).sqrt()),
        UnaryOp::Tanh => x.growing(f64::tanh),
        UnaryOp::Erf => {
            Range::within(if x.low >= 0.0 { 0.0 } else { -1.0 }, if x.high <= 0.0 { 0.0 } else { 1.0 })
        }
        UnaryOp::NormalCdf => Range::within(0.0, 1.0),
        UnaryOp::Sin | UnaryOp::Cos => Range::within(-1.0, 1.0),
        UnaryOp::Floor => Range::within(x.low.floor(), x.high.floor()),
        UnaryOp::Ceil => Range::within(x.low.ceil(), x.high.ceil()),
        UnaryOp::Round => Range::within(x.low.round(), x.high.round()),
        UnaryOp::Not => Range::within(0.0, 1.0),
        UnaryOp::ToInt => Range::within(x.low.floor(), x.high.ceil()),
        UnaryOp::ToFloat | UnaryOp::Stop => x,
    }
}

fn corners(x: Range, y: Range, f: impl Fn(f64, f64) -> f64) -> Range {
    let values = [f(x.low, y.low), f(x.low, y.high), f(x.high, y.low), f(x.high, y.high)];
    if values.iter().any(|value| value.is_nan()) {
        return Range::UNKNOWN;
    }
    hull_of(values.into_iter())
}
