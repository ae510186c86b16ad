//! Split reductions: long sums to few results are divided into partial sums, which threads can share and whose
//! rounding errors grow with the length of a part only. The rule looks at sizes alone.

use super::address::extents;
use super::rebuild::rebuild;
use crate::ir::{Affine, Combine, Dim, Elem, Graph, Loop, LoopBuilder, Node, NodeId, Op, Sub, Var, compose};

/// Shorter sums stay whole.
const LONG: i64 = 4096;
/// The number of parts.
const PARTS: i64 = 16;
/// With more results than this the sums are spread over threads by result.
const FEW_RESULTS: i64 = 4096;

/// Cuts the long sums of a graph.
pub(super) fn cut_sums(graph: &Graph) -> Graph {
    rebuild(graph, &|new, _, node, operands| match &node.op {
        Op::Loop(body) => cut(new, node, body, &operands),
        _ => None,
    })
}

fn cut(graph: &mut Graph, node: &Node, body: &Loop, operands: &[NodeId]) -> Option<NodeId> {
    if body.combine != Combine::Add || body.dropping || node.ty.elem == Elem::Bool {
        return None;
    }
    let sizes = extents(body);
    let written: Vec<usize> =
        (0..body.write.len()).map(|axis| body.write_index(axis)).collect::<Option<_>>()?;
    let reduced: Vec<usize> = (0..sizes.len()).filter(|index| !written.contains(index)).collect();
    let length: i64 = reduced.iter().map(|index| sizes[*index]).product();
    let results: i64 = written.iter().map(|index| sizes[*index]).product();
    // The outermost index that is long enough is cut.
    let index = *reduced.iter().find(|index| sizes[**index] >= 4 * PARTS)?;
    if length < LONG || results > FEW_RESULTS || length / PARTS < results.min(PARTS) {
        return None;
    }
    let part = sizes[index] / PARTS;
    let rest = sizes[index] - part * PARTS;
    let parts = piece(graph, body, operands, index, Some(PARTS), part, 0);
    let whole = sum_of_parts(graph, parts);
    if rest == 0 {
        return Some(whole);
    }
    let rest = piece(graph, body, operands, index, None, rest, part * PARTS);
    Some(graph.sum_of(whole, rest))
}

/// The sums over `from + p * part .. from + (p + 1) * part` of one index, for p below `parts` as a new first
/// axis; `None` for a single one without such an axis.
fn piece(
    graph: &mut Graph,
    body: &Loop,
    operands: &[NodeId],
    index: usize,
    parts: Option<i64>,
    part: i64,
    from: i64,
) -> NodeId {
    let ahead = usize::from(parts.is_some());
    let mut domain: Vec<Dim> = parts.map(Dim::number).into_iter().collect();
    domain.extend(body.domain.iter().cloned());
    domain[index + ahead] = Dim::number(part);
    let mut l = LoopBuilder::new(graph, domain);
    let mut at = |var: Var| match var {
        Var::Index(old) => {
            let mut place = Affine::index(old as usize + ahead);
            if old as usize == index {
                if ahead > 0 {
                    place = place.add(&Affine::index(0).scale(&Dim::number(part)));
                }
                place = place.offset(&Dim::number(from));
            }
            Sub::Affine(place)
        }
        Var::Step(_) => compose::same(var),
    };
    let places = compose::paste(&mut l, &body.body, operands, &mut at, &mut |l, _, scalar| l.add(scalar));
    let write = body.write.iter().map(|sub| compose::paste_sub(&mut l, sub, &places, &mut at));
    let write: Vec<Sub> = parts.map(|_| Sub::Affine(Affine::index(0))).into_iter().chain(write).collect();
    let shape = parts.map(Dim::number).into_iter().chain(body.shape.iter().cloned()).collect();
    let value = places[body.body.result.0 as usize];
    let node = l.reduce(shape, write, Combine::Add, value);
    graph.add_loop(node)
}

/// Sums over the first axis.
fn sum_of_parts(graph: &mut Graph, parts: NodeId) -> NodeId {
    let shape = graph.shape(parts).to_vec();
    let mut l = LoopBuilder::new(graph, shape.clone());
    let subs: Vec<Sub> = (0..shape.len()).map(|axis| l.index(axis)).collect();
    let value = l.read(parts, subs.clone());
    let node = l.reduce(shape[1..].to_vec(), subs[1..].to_vec(), Combine::Add, value);
    graph.add_loop(node)
}
