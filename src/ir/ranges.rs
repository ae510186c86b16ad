//! Range analysis of the ints of a static graph (interval analysis).
//!
//! An int is a whole number of 64 bits. The ranges decide which tensors and scalars of ints are kept in 32 bits,
//! and which operations certainly do not overflow 64 bits; native code checks all others when it runs.

use super::affine::{Affine, StepId, Var};
use super::graph::{Combine, Graph, Loop, NodeId, Op, Scan};
use super::interval::Interval;
use super::keys::InputKey;
use super::scalar::{BinaryOp, Body, Scalar, ScalarId, Sub, UnaryOp};
use super::types::{ConstData, Elem};
use super::{Sizes, Symbol};
use std::collections::HashMap;

/// Whole numbers from a least to a greatest one.
pub type Range = Interval<i64>;

impl Interval<i64> {
    pub const ALL: Range = Range { least: i64::MIN, greatest: i64::MAX };
    /// The numbers that 32 bits hold.
    pub const NARROW: Range = Range { least: i32::MIN as i64, greatest: i32::MAX as i64 };
    const ZERO: Range = Range { least: 0, greatest: 0 };
    const BIT: Range = Range { least: 0, greatest: 1 };

    /// Whether 32 bits hold all numbers of the range.
    pub fn is_narrow(&self) -> bool {
        Range::NARROW.contains(self)
    }

    /// The range clipped to 64 bits, and whether nothing was clipped.
    fn cut(least: i128, greatest: i128) -> (Range, bool) {
        let all = i128::from(i64::MIN)..=i128::from(i64::MAX);
        let cut = |value: i128| value.clamp(*all.start(), *all.end()) as i64;
        (Range::new(cut(least), cut(greatest)), all.contains(&least) && all.contains(&greatest))
    }

    fn ends(&self) -> (i128, i128) {
        (self.least.into(), self.greatest.into())
    }

    fn size(&self) -> i128 {
        let (least, greatest) = self.ends();
        least.abs().max(greatest.abs())
    }
}

/// The symbolic dimensions whose sizes stand for the least and the greatest of an input's ints: see [`note_input`].
fn ends_of(input: &InputKey) -> [Symbol; 2] {
    [format!("{input}: least").into(), format!("{input}: greatest").into()]
}

/// Notes among the sizes between which powers of two the ints of an input lie, so that code is specialised for
/// them and for other values like them. An input without a note has ints of 32 bits.
pub fn note_input(sizes: &mut Sizes, input: &InputKey, range: Range) {
    let bits = |value: i64| 64 - (if value < 0 { !value } else { value }).leading_zeros();
    let bits = bits(range.least).max(bits(range.greatest));
    let greatest = if bits >= 63 { i64::MAX } else { (1 << bits) - 1 };
    let least = if range.least < 0 { !greatest } else { 0 };
    note_all_of_input(sizes, input, Range::new(least, greatest));
}

/// Notes between which numbers the ints of an input lie that is the same in every call: a subscript within its axis
/// needs no test.
pub fn note_all_of_input(sizes: &mut Sizes, input: &InputKey, range: Range) {
    let [least, greatest] = ends_of(input);
    sizes.insert(least, range.least.into());
    sizes.insert(greatest, range.greatest.into());
}

/// The range that was noted of an input.
pub fn range_of_input(sizes: &Sizes, input: &InputKey) -> Range {
    let [least, greatest] = ends_of(input).map(|end| sizes.get(&end).and_then(|end| end.as_number()));
    match (least, greatest) {
        (Some(least), Some(greatest)) => Range::new(least, greatest),
        _ => Range::NARROW,
    }
}

/// The ranges of the scalars of a body. Those that are not ints have the range [`Range::ALL`].
#[derive(Clone, Debug)]
pub struct OfBody {
    pub ranges: Vec<Range>,
    /// For each scalar whether it may overflow 64 bits.
    pub open: Vec<bool>,
}

/// The trip counts of the enclosing scans.
pub type Trips<'a> = &'a dyn Fn(StepId) -> Option<i64>;

/// The least and the greatest value of an affine expression; `None` if a size is not a number or the value may
/// overflow 64 bits.
pub fn of_affine(affine: &Affine, domain: &[i64], trips: Trips<'_>) -> Option<Range> {
    let constant = i128::from(affine.constant.as_number()?);
    let (mut least, mut greatest) = (constant, constant);
    for (var, coefficient) in &affine.terms {
        let size = match var {
            Var::Index(index) => *domain.get(*index as usize)?,
            Var::Step(step) => trips(*step)?,
        };
        let reach = i128::from(coefficient.as_number()?) * i128::from((size - 1).max(0));
        least += reach.min(0);
        greatest += reach.max(0);
    }
    Some(Range::cut(least, greatest)).filter(|(_, exact)| *exact).map(|(range, _)| range)
}

/// The ranges in a body, given the type and the range of each operand.
pub fn of_body(body: &Body, domain: &[i64], trips: Trips<'_>, read: &dyn Fn(u32) -> (Elem, Range)) -> OfBody {
    let mut of = InBody { nodes: &body.nodes, ranges: Vec::new(), elems: Vec::new(), open: Vec::new() };
    for scalar in &body.nodes {
        let (elem, range, open) = of.scalar(scalar, domain, trips, read);
        of.elems.push(elem);
        of.ranges.push(if elem == Elem::Int { range } else { Range::ALL });
        of.open.push(open && elem == Elem::Int);
    }
    OfBody { ranges: of.ranges, open: of.open }
}

struct InBody<'a> {
    nodes: &'a [Scalar],
    ranges: Vec<Range>,
    elems: Vec<Elem>,
    open: Vec<bool>,
}

impl InBody<'_> {
    fn range(&self, id: ScalarId) -> Range {
        match self.elems[id.0 as usize] {
            Elem::Bool => Range::BIT,
            Elem::Int | Elem::Float => self.ranges[id.0 as usize],
        }
    }

    /// Type, range, and whether the operation may overflow 64 bits.
    fn scalar(
        &self,
        scalar: &Scalar,
        domain: &[i64],
        trips: Trips<'_>,
        read: &dyn Fn(u32) -> (Elem, Range),
    ) -> (Elem, Range, bool) {
        let elem = |id: &ScalarId| self.elems[id.0 as usize];
        match scalar {
            Scalar::Float(_) => (Elem::Float, Range::ALL, false),
            Scalar::Bool(_) => (Elem::Bool, Range::BIT, false),
            Scalar::Int(value) => (Elem::Int, Range::new(*value, *value), false),
            Scalar::Affine(affine) => {
                (Elem::Int, of_affine(affine, domain, trips).unwrap_or(Range::ALL), false)
            }
            Scalar::Read { operand, padded, .. } => {
                let (elem, range) = read(*operand);
                (elem, if *padded { range.union(&Range::ZERO) } else { range }, false)
            }
            Scalar::Unary(op, a) => {
                let result = op.result(elem(a)).unwrap_or(Elem::Float);
                let (range, exact) = match op {
                    UnaryOp::Neg => {
                        let (least, greatest) = self.range(*a).ends();
                        Range::cut(-greatest, -least)
                    }
                    UnaryOp::ToInt if elem(a) == Elem::Float => (Range::ALL, true),
                    _ => (self.range(*a), true),
                };
                (result, range, !exact)
            }
            Scalar::Binary(op, a, b) => {
                let result = op.result(elem(a)).unwrap_or(Elem::Float);
                let (range, exact) = binary(*op, &self.range(*a), &self.range(*b));
                (result, range, !exact)
            }
            Scalar::Select(c, a, b) => {
                let then = self.where_holds(*c, true, *a, self.range(*a));
                let otherwise = self.where_holds(*c, false, *b, self.range(*b));
                let range = match (then, otherwise) {
                    (Some(a), Some(b)) => a.union(&b),
                    (one, other) => one.or(other).unwrap_or(Range::ALL),
                };
                (elem(a), range, false)
            }
            Scalar::WithSlope { value, .. } => (elem(value), self.range(*value), false),
        }
    }

    /// The range of an int where a condition holds (or fails); `None` if it never does.
    fn where_holds(&self, condition: ScalarId, holds: bool, id: ScalarId, range: Range) -> Option<Range> {
        let cut = |least: i64, greatest: i64| {
            let (least, greatest) = (range.least.max(least), range.greatest.min(greatest));
            (least <= greatest).then_some(Range::new(least, greatest))
        };
        match &self.nodes[condition.0 as usize] {
            Scalar::Unary(UnaryOp::Not, a) => self.where_holds(*a, !holds, id, range),
            Scalar::Binary(BinaryOp::And, a, b) if holds => {
                let range = self.where_holds(*a, true, id, range)?;
                self.where_holds(*b, true, id, range)
            }
            Scalar::Binary(BinaryOp::Or, a, b) if !holds => {
                let range = self.where_holds(*a, false, id, range)?;
                self.where_holds(*b, false, id, range)
            }
            Scalar::Binary(op, a, b) if self.elems[a.0 as usize] == Elem::Int && (*a == id || *b == id) => {
                let is_left = *a == id;
                let other = self.range(if is_left { *b } else { *a });
                // `id < other`, `id <= other`, `id > other` or `id >= other`.
                let (is_below, strict) = match (op, holds) {
                    (BinaryOp::Lt, true) => (is_left, true),
                    (BinaryOp::Lt, false) => (!is_left, false),
                    (BinaryOp::Le, true) => (is_left, false),
                    (BinaryOp::Le, false) => (!is_left, true),
                    (BinaryOp::Eq, true) => return cut(other.least, other.greatest),
                    _ => return Some(range),
                };
                let by = i64::from(strict);
                if is_below {
                    cut(i64::MIN, other.greatest.saturating_sub(by))
                } else {
                    cut(other.least.saturating_add(by), i64::MAX)
                }
            }
            _ => Some(range),
        }
    }
}

/// The range of a result, and whether it certainly fits in 64 bits.
fn binary(op: BinaryOp, a: &Range, b: &Range) -> (Range, bool) {
    let ((a_least, a_most), (b_least, b_most)) = (a.ends(), b.ends());
    let around = |values: [i128; 4]| {
        let least = values.into_iter().fold(i128::MAX, i128::min);
        let greatest = values.into_iter().fold(i128::MIN, i128::max);
        Range::cut(least, greatest)
    };
    match op {
        BinaryOp::Add => Range::cut(a_least + b_least, a_most + b_most),
        BinaryOp::Sub => Range::cut(a_least - b_most, a_most - b_least),
        BinaryOp::Mul => around([a_least * b_least, a_least * b_most, a_most * b_least, a_most * b_most]),
        BinaryOp::FloorDiv if b_least > 0 => {
            let [p, q, r, s] = [(a_least, b_least), (a_least, b_most), (a_most, b_least), (a_most, b_most)]
                .map(|(x, y)| x.div_euclid(y));
            around([p, q, r, s])
        }
        BinaryOp::FloorDiv => Range::cut(-a.size(), a.size()),
        BinaryOp::Mod if a_least >= 0 && b_least > 0 => Range::cut(0, a_most.min(b_most - 1)),
        BinaryOp::Mod => Range::cut((b_least + 1).min(0), (b_most - 1).max(0)),
        BinaryOp::Div | BinaryOp::Pow => (Range::ALL, true),
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Eq | BinaryOp::And | BinaryOp::Or => (Range::BIT, true),
    }
}

/// The range of the elements of a loop's result, given the range of the values that it combines, and whether
/// combining them certainly does not overflow 64 bits.
pub fn of_combined(body: &Loop, value: Range, domain: &[i64]) -> (Range, bool) {
    let uses = |index: usize| {
        body.write.iter().any(|sub| match sub {
            Sub::Affine(affine) => affine.uses(Var::Index(index as u32)),
            Sub::Value(_) => false,
        })
    };
    let by_value = body.write.iter().any(|sub| matches!(sub, Sub::Value(_)));
    let bare = (0..body.write.len()).filter_map(|axis| body.write_index(axis)).collect::<Vec<usize>>();
    let indices = 0..domain.len();
    // How many values may be combined in one element: an index that is a subscript by itself contributes one value.
    let terms = |index: &usize| by_value || !bare.contains(index);
    let count = indices.clone().filter(terms).fold(1i128, |n, index| n.saturating_mul(domain[index].into()));
    let covers = !by_value
        && !body.dropping
        && indices.clone().all(|index| uses(index) || domain[index] > 0)
        && (0..body.write.len()).all(|axis| {
            body.write_index(axis).is_some_and(|index| body.domain[index] == body.shape[axis])
                || body.shape[axis].is_number(1)
        });
    let (least, greatest) = value.ends();
    let with = |identity: i64| {
        let identity = Range::new(identity, identity);
        (if covers { value } else { value.union(&identity) }, true)
    };
    match body.combine {
        Combine::Set => (value.union(&Range::ZERO), true),
        Combine::Add => Range::cut(least.saturating_mul(count).min(0), greatest.saturating_mul(count).max(0)),
        Combine::Mul => {
            let size = value.size().max(1);
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            let most = if size == 1 { 1 } else { size.checked_pow(count.min(128)).unwrap_or(i128::MAX) };
            Range::cut(if least < 0 { -most } else { 0 }, most)
        }
        Combine::Max => with(i64::MIN),
        Combine::Min => with(i64::MAX),
        Combine::ArgMax | Combine::ArgMin => {
            let reduced = indices.filter(|index| !uses(*index));
            let count = reduced.fold(1i128, |n, index| n.saturating_mul(domain[index].into()));
            Range::cut(0, (count - 1).max(0))
        }
    }
}

/// The ranges of the nodes of a graph and of the bodies of its scans.
#[derive(Clone, Default, Debug)]
pub struct OfGraph {
    nodes: Vec<Range>,
    bodies: HashMap<NodeId, OfGraph>,
    /// The ranges of the carries of the scans over all steps.
    carries: HashMap<NodeId, Vec<Range>>,
}

impl OfGraph {
    pub fn node(&self, id: NodeId) -> Range {
        self.nodes.get(id.0 as usize).copied().unwrap_or(Range::ALL)
    }

    /// The ranges within the body of a scan.
    pub fn body(&self, scan: NodeId) -> OfGraph {
        self.bodies.get(&scan).cloned().unwrap_or_default()
    }

    /// The range of a carry of a scan over all steps, its first and last values included.
    pub fn carry(&self, scan: NodeId, index: usize) -> Range {
        self.carries.get(&scan).and_then(|carries| carries.get(index)).copied().unwrap_or(Range::ALL)
    }
}

/// The number of the last step that a training may have, so that `step + 1` is an int of 32 bits.
pub const MAX_STEP: i64 = 1 << 30;

/// The most passes over the body of a scan for the ranges of its carries.
const MAX_ROUNDS: i64 = 1024;

/// Ranges of all nodes of a static graph; `input` says those of its inputs.
pub fn of_graph(graph: &Graph, input: &dyn Fn(&InputKey) -> Range) -> OfGraph {
    in_graph(graph, input, &[], &[], &|_| None)
}

fn in_graph(
    graph: &Graph,
    input: &dyn Fn(&InputKey) -> Range,
    carries: &[Range],
    captures: &[Range],
    trips: Trips<'_>,
) -> OfGraph {
    let mut of = OfGraph { nodes: Vec::with_capacity(graph.len()), ..OfGraph::default() };
    let mut results: HashMap<NodeId, Vec<Range>> = HashMap::new();
    let at = |ranges: &[Range], index: u32| ranges.get(index as usize).copied().unwrap_or(Range::ALL);
    for (id, node) in graph.nodes() {
        let operand = |at: usize| node.operands.get(at).map_or(Range::ALL, |operand| of.node(*operand));
        let range = match &node.op {
            Op::Input { name: InputKey::Step, .. } => Range::new(0, MAX_STEP),
            Op::Input { name, .. } => input(name),
            Op::Param { .. } | Op::State { .. } | Op::Rand { .. } => Range::ALL,
            Op::Const(value) => match &value.data {
                ConstData::Int(values) => {
                    let least = values.iter().copied().min().unwrap_or(0);
                    Range::new(least, values.iter().copied().max().unwrap_or(0))
                }
                ConstData::Float(_) | ConstData::Bool(_) => Range::ALL,
            },
            Op::Loop(body) if node.ty.elem == Elem::Int => {
                let read = |at: u32| (graph.elem(node.operands[at as usize]), operand(at as usize));
                of_loop(body, trips, &read)
            }
            Op::Loop(_) => Range::ALL,
            Op::Reshape { .. } | Op::Mark(_) => operand(0),
            Op::Scan(scan) => {
                let operands: Vec<Range> = node.operands.iter().map(|operand| of.node(*operand)).collect();
                let (inner, carries) = of_scan(scan, input, &operands, trips);
                let collected = scan.body.outputs[scan.n_carries..].iter().map(|output| inner.node(output.node));
                results.insert(id, carries.iter().copied().chain(collected).collect());
                of.bodies.insert(id, inner);
                of.carries.insert(id, carries);
                Range::ALL
            }
            Op::Result(index) => {
                let scan = node.operands.first().and_then(|scan| results.get(scan));
                scan.map_or(Range::ALL, |scan| at(scan, *index))
            }
            Op::Carry { index, .. } => at(carries, *index),
            Op::Capture { index, .. } => at(captures, *index),
        };
        of.nodes.push(range);
    }
    of
}

fn of_loop(body: &Loop, trips: Trips<'_>, read: &dyn Fn(u32) -> (Elem, Range)) -> Range {
    let domain: Option<Vec<i64>> = body.domain.iter().map(|size| size.as_number()).collect();
    let Some(domain) = domain else { return Range::ALL };
    let value = of_body(&body.body, &domain, trips, read).ranges[body.body.result.0 as usize];
    of_combined(body, value, &domain).0
}

/// The ranges in a scan's body and of its carries (abstract interpretation). Each pass over the body stands for one
/// step, so the ranges hold after as many passes as there are steps, or earlier at a fixed point.
fn of_scan(
    scan: &Scan,
    input: &dyn Fn(&InputKey) -> Range,
    operands: &[Range],
    trips: Trips<'_>,
) -> (OfGraph, Vec<Range>) {
    let trip = scan.trip.as_number();
    let trips = |step: StepId| if step == scan.step { trip } else { trips(step) };
    let (initial, captures) = operands.split_at(scan.n_carries.min(operands.len()));
    let mut carries = initial.to_vec();
    for round in 0..=MAX_ROUNDS {
        let inner = in_graph(&scan.body, input, &carries, captures, &trips);
        let next = scan.body.outputs.iter().take(scan.n_carries).map(|output| inner.node(output.node));
        let wider: Vec<Range> = carries.iter().zip(next).map(|(carry, next)| carry.union(&next)).collect();
        if wider == carries || trip.is_some_and(|trip| round >= trip) {
            return (inner, carries);
        }
        carries = wider;
    }
    let carries = vec![Range::ALL; scan.n_carries];
    (in_graph(&scan.body, input, &carries, captures, &trips), carries)
}

/// Whether all affine expressions, as values and as subscripts, fit in 64 bits.
pub fn linear_forms_fit(graph: &Graph) -> bool {
    fits_within(graph, &|_| None)
}

fn fits_within(graph: &Graph, trips: Trips<'_>) -> bool {
    graph.nodes().all(|(_, node)| match &node.op {
        Op::Loop(body) => {
            let domain: Option<Vec<i64>> = body.domain.iter().map(|size| size.as_number()).collect();
            let written = body.write.iter().filter_map(|sub| match sub {
                Sub::Affine(affine) => Some(affine),
                Sub::Value(_) => None,
            });
            domain.is_none_or(|domain| {
                body.body.affines().chain(written).all(|affine| of_affine(affine, &domain, trips).is_some())
            })
        }
        Op::Scan(scan) => {
            let trip = scan.trip.as_number();
            fits_within(&scan.body, &|step| if step == scan.step { trip } else { trips(step) })
        }
        _ => true,
    })
}
