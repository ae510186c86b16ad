//! Laws of reads: of views, of constants, and of elementwise nodes with one reader (producer-consumer fusion).

use super::laws::LawId;
use super::scalar::{Laws, plain_sub};
use crate::ir::build::LoopNode;
use crate::ir::compose::{inline, paste, paste_sub, same};
use crate::ir::{
    BinaryOp, Const, ConstData, Dim, Loop, LoopBuilder, NodeId, Op, Scalar, ScalarId, Sub, UnaryOp,
};

/// An elementwise node is fused into its reader only if the result has at most so many scalars.
const LONGEST: usize = 64;
/// A node whose elements depend on their indices alone is computed again by each reader if it has at most so many
/// scalars.
const LONGEST_FUNCTION: usize = 12;
/// A constant with more elements is not searched for equal elements.
const LARGEST_FILL: usize = 4096;

/// The loop with all laws applied to its expression. `uses` is how often each node is used.
pub fn simplified(laws: &mut Laws<'_, '_>, uses: &[u32], body: &Loop, operands: &[NodeId]) -> LoopNode {
    let mut l = LoopBuilder::new(laws.graph, body.domain.clone());
    let reader = Reader { is_map: body.as_function().is_some(), uses, counts: count_reads(body, operands) };
    let values =
        paste(&mut l, &body.body, operands, &mut same, &mut |l, _, scalar| make(laws, l, &reader, scalar));
    let write = body
        .write
        .iter()
        .map(|sub| {
            let sub = paste_sub(&mut l, sub, &values, &mut same);
            plain_sub(&l, sub)
        })
        .collect();
    let result = values[body.body.result.0 as usize];
    l.finish(body.shape.clone(), write, body.dropping, body.combine, result)
}

/// The facts about the reading loop that the laws of reads need.
struct Reader<'u> {
    is_map: bool,
    uses: &'u [u32],
    /// How many reads there are of each operand.
    counts: Vec<(NodeId, usize)>,
}

fn count_reads(body: &Loop, operands: &[NodeId]) -> Vec<(NodeId, usize)> {
    let mut counts: Vec<(NodeId, usize)> = operands.iter().map(|operand| (*operand, 0)).collect();
    for scalar in &body.body.nodes {
        if let Scalar::Read { operand, .. } = scalar {
            counts[*operand as usize].1 += 1;
        }
    }
    counts
}

fn make(laws: &mut Laws<'_, '_>, l: &mut LoopBuilder<'_>, reader: &Reader<'_>, scalar: Scalar) -> ScalarId {
    if let Scalar::Read { operand, subs, padded } = &scalar {
        let node = l.operands()[*operand as usize];
        let subs: Vec<Sub> = subs.iter().map(|sub| plain_sub(l, sub.clone())).collect();
        if let Some(found) = read(laws, l, reader, node, &subs, *padded) {
            return found;
        }
    }
    laws.make(l, scalar)
}

fn read(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    reader: &Reader<'_>,
    node: NodeId,
    subs: &[Sub],
    padded: bool,
) -> Option<ScalarId> {
    let graph = laws.graph;
    match &graph[node].op {
        Op::Const(value) if !padded => literal(laws, l, value),
        Op::Loop(producer) => {
            let producer = producer.clone();
            producer.as_function()?;
            let once = reader.uses.get(node.0 as usize) == Some(&1);
            let law = if is_function_of_place(&producer) {
                LawId::ReadFunction
            } else if is_scaled(&producer, Factor::MinusOne) {
                LawId::ReadNegated
            } else if laws.applied.is_for_reading() && is_scaled(&producer, Factor::Literal) {
                LawId::ReadScaled
            } else if once && is_picked(l, &producer, subs, padded) {
                LawId::Pick
            } else if is_plain_view(laws, &producer, node, padded, reader.is_map) {
                LawId::ReadView
            } else if is_only_reader(l, reader, node, subs, padded, &producer) {
                LawId::Compose
            } else {
                return None;
            };
            if !laws.applied.allows(law) {
                return None;
            }
            if padded && producer.is_view() && is_faithful(laws, &producer, node) {
                return inline_padded_view(laws, l, reader, node, subs, &producer);
            }
            inline(l, graph, node, subs, padded, &mut |l, _, scalar| make(laws, l, reader, scalar))
        }
        _ => None,
    }
}

/// Law `read-constant`: an element of a constant whose elements are all equal is that number.
fn literal(laws: &Laws<'_, '_>, l: &mut LoopBuilder<'_>, value: &Const) -> Option<ScalarId> {
    let literal = match &value.data {
        ConstData::Float(values) if all_equal(values) => Scalar::Float(values[0]),
        ConstData::Int(values) if all_equal(values) => Scalar::Int(values[0]),
        ConstData::Bool(values) if all_equal(values) => Scalar::Bool(values[0]),
        _ => return None,
    };
    laws.applied.allows(LawId::ReadConstant).then(|| l.add(literal))
}

fn all_equal<T: PartialEq>(values: &[T]) -> bool {
    !values.is_empty() && values.len() <= LARGEST_FILL && values.iter().all(|value| *value == values[0])
}

/// Law `read-function`: an element of a fill, a mask, a range is computed where it is read.
fn is_function_of_place(producer: &Loop) -> bool {
    producer.body.nodes.len() <= LONGEST_FUNCTION
        && !producer.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::Read { .. }))
}

/// Law `read-view`: an element of a transpose, slice or broadcast is read at its source. A padded view is fused
/// only into elementwise nodes: products are faster on whole tensors.
fn is_plain_view(laws: &Laws<'_, '_>, producer: &Loop, node: NodeId, padded: bool, is_map: bool) -> bool {
    match &producer.body[producer.body.result] {
        Scalar::Read { subs, padded: inner, .. } => {
            let affine = subs.iter().all(|sub| matches!(sub, Sub::Affine(_)));
            affine && (!inner || is_map) && (!padded || is_faithful(laws, producer, node))
        }
        _ => false,
    }
}

/// The factor by which a tensor is scaled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Factor {
    MinusOne,
    Literal,
}

/// Laws `read-negated` and `read-scaled`: an element of `-x` is read as `-x`, so that the sign can leave a sum, and
/// one of `c · x` as `c · x`.
fn is_scaled(producer: &Loop, factor: Factor) -> bool {
    let body = &producer.body;
    let plain = |id: ScalarId| match &body[id] {
        Scalar::Read { subs, padded: false, .. } => subs.iter().all(|sub| matches!(sub, Sub::Affine(_))),
        _ => false,
    };
    match body[body.result] {
        Scalar::Unary(UnaryOp::Neg, a) => factor == Factor::MinusOne && plain(a),
        Scalar::Binary(BinaryOp::Mul, c, a) => {
            factor == Factor::Literal && matches!(body[c], Scalar::Float(_)) && plain(a)
        }
        _ => false,
    }
}

/// Law `pick`: where a few elements of an elementwise node with one reader are read by a computed subscript (a
/// gather), only those are computed.
pub fn is_picked(l: &LoopBuilder<'_>, producer: &Loop, subs: &[Sub], padded: bool) -> bool {
    !padded
        && l.domain().len() < producer.domain.len()
        && subs.iter().any(|sub| matches!(sub, Sub::Value(_)))
        && producer.body.nodes.len() <= LONGEST
        && producer.as_function().is_some()
}

/// Whether an element is outside of the view exactly where its source is read outside, so that the padding of the
/// view can become padding of its source.
fn is_faithful(laws: &Laws<'_, '_>, producer: &Loop, node: NodeId) -> bool {
    let Scalar::Read { operand, subs, .. } = &producer.body[producer.body.result] else { return false };
    let shape: &[Dim] = laws.graph.shape(laws.graph[node].operands[*operand as usize]);
    let bare = |index: usize| {
        subs.iter().zip(shape).any(|(sub, size)| {
            matches!(sub, Sub::Affine(affine) if affine.as_index() == Some(index))
                && *size == producer.domain[index]
        })
    };
    (0..producer.domain.len()).all(bare)
}

fn inline_padded_view(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    reader: &Reader<'_>,
    node: NodeId,
    subs: &[Sub],
    producer: &Loop,
) -> Option<ScalarId> {
    let axes = producer.as_function()?;
    let operands = laws.graph[node].operands.clone();
    let mut at = |var: crate::ir::Var| match var {
        crate::ir::Var::Index(index) => subs[axes[index as usize]].clone(),
        crate::ir::Var::Step(_) => same(var),
    };
    let values = paste(l, &producer.body, &operands, &mut at, &mut |l, _, scalar| match scalar {
        Scalar::Read { operand, subs, .. } => {
            make(laws, l, reader, Scalar::Read { operand, subs, padded: true })
        }
        other => make(laws, l, reader, other),
    });
    Some(values[producer.body.result.0 as usize])
}

/// Law `compose`: an elementwise node that only one elementwise node reads, element by element, is written into
/// it.
fn is_only_reader(
    l: &LoopBuilder<'_>,
    reader: &Reader<'_>,
    node: NodeId,
    subs: &[Sub],
    padded: bool,
    producer: &Loop,
) -> bool {
    let once = reader.uses.get(node.0 as usize) == Some(&1)
        && reader.counts.iter().any(|(operand, count)| *operand == node && *count == 1);
    if padded || !reader.is_map || !once || l.scalars().len() + producer.body.nodes.len() > LONGEST {
        return false;
    }
    let mut seen = vec![false; l.domain().len()];
    let distinct = subs.iter().all(|sub| match sub {
        Sub::Affine(affine) => {
            affine.as_index().is_some_and(|index| !std::mem::replace(&mut seen[index], true))
        }
        Sub::Value(_) => false,
    });
    distinct && seen.iter().all(|seen| *seen)
}
