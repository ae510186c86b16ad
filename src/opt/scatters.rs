//! Laws of scatters (loops whose writes have other subscripts than single indices): written as a function of the
//! element, `out[i] = e(i)`, they can be fused into their readers.

use super::laws::{Applied, LawId};
use crate::ir::build::LoopNode;
use crate::ir::compose::{normalise, paste, same, writes_once};
use crate::ir::{Affine, BinaryOp, Combine, Dim, Elem, Graph, Loop, LoopBuilder, Op, Scalar, Sub, Var};

/// Law `scatter-to-select`: if every index is written bare, then with a new index `k` for each other subscript
/// `out[b, y[b]] = e` is `out[b, k] = if k == y[b] then e else 0`.
pub fn to_select(graph: &Graph, applied: &Applied, node: &LoopNode) -> Option<LoopNode> {
    let body = &node.body;
    if !matches!(body.combine, Combine::Set | Combine::Add) || body.as_function().is_some() {
        return None;
    }
    let bare: Vec<Option<usize>> = (0..body.write.len())
        .map(|axis| body.write_index(axis).filter(|index| body.domain[*index] == body.shape[axis]))
        .collect();
    let all_bare =
        (0..body.domain.len()).all(|index| bare.iter().filter(|axis| **axis == Some(index)).count() == 1);
    if !all_bare || !applied.allows(LawId::ScatterToSelect) {
        return None;
    }
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let values = paste(&mut l, &body.body, &node.operands, &mut same, &mut |l, _, scalar| l.add(scalar));
    let mut result = values[body.body.result.0 as usize];
    let zero = match l.elem(result) {
        Elem::Float => l.float(0.0),
        Elem::Int => l.int(0),
        Elem::Bool => l.bool(false),
    };
    let mut write = Vec::new();
    for (axis, sub) in body.write.iter().enumerate() {
        if bare[axis].is_some() {
            write.push(sub.clone());
            continue;
        }
        let index = l.add_index(body.shape[axis].clone());
        write.push(l.index(index));
        let value = l.affine(Affine::index(index));
        let place = match sub {
            Sub::Affine(affine) => l.affine(affine.clone()),
            Sub::Value(id) => values[id.0 as usize],
        };
        let here = l.binary(BinaryOp::Eq, value, place);
        result = l.select(here, result, zero);
    }
    Some(normalise(l.finish(body.shape.clone(), write, false, Combine::Set, result)))
}

/// Law `scatter-to-view`: a tensor that is written as a slice of a larger one, `out[i + c] = x[i]`, is that tensor
/// read with padding, `out[j] = x[j - c else 0]`.
pub fn to_view(graph: &Graph, applied: &Applied, node: &LoopNode) -> Option<LoopNode> {
    let body = &node.body;
    if !matches!(body.combine, Combine::Set) || body.as_function().is_some() || !writes_once(body) {
        return None;
    }
    let Scalar::Read { operand, subs, .. } = &body.body[body.body.result] else { return None };
    let shape = graph.shape(node.operands[*operand as usize]);
    // For each index of the loop its value as an affine expression of the subscripts of the element.
    let mut places: Vec<Option<Affine>> = vec![None; body.domain.len()];
    for (axis, sub) in body.write.iter().enumerate() {
        let Sub::Affine(affine) = sub else { return None };
        let [(Var::Index(index), coefficient)] = affine.terms.as_slice() else { return None };
        let index = *index as usize;
        if !coefficient.is_number(1) || places[index].is_some() {
            return None;
        }
        let whole = affine.constant.is_number(0) && body.domain[index] == body.shape[axis];
        let shown_by_source = subs.iter().zip(shape).any(|(sub, size)| {
            matches!(sub, Sub::Affine(affine) if affine.as_index() == Some(index))
                && *size == body.domain[index]
        });
        if !whole && !shown_by_source {
            return None;
        }
        places[index] = Some(Affine::index(axis).offset(&-&affine.constant));
    }
    let places: Vec<Affine> = places.into_iter().collect::<Option<_>>()?;
    let subs = subs.iter().map(|sub| match sub {
        Sub::Affine(affine) => Some(Sub::Affine(affine.substitute(|var| match var {
            Var::Index(index) => places[index as usize].clone(),
            Var::Step(_) => Affine::var(var),
        }))),
        Sub::Value(_) => None,
    });
    let subs = subs.collect::<Option<Vec<Sub>>>()?;
    if !applied.allows(LawId::ScatterToView) {
        return None;
    }
    let domain: Vec<Dim> = body.shape.clone();
    let mut l = LoopBuilder::new(graph, domain);
    let value = l.read_padded(node.operands[*operand as usize], subs);
    Some(l.map(value))
}

/// Law `write-transposed`: if only the transpose of a loop is used, the loop writes the transpose itself.
pub fn write_transposed(graph: &Graph, applied: &Applied, uses: &[u32], node: &LoopNode) -> Option<LoopNode> {
    let body = &node.body;
    let [Scalar::Read { subs, padded: false, .. }] = body.body.nodes.as_slice() else { return None };
    body.as_function()?;
    let source = node.operands[0];
    let Op::Loop(producer) = &graph[source].op else { return None };
    if uses.get(source.0 as usize) != Some(&1) || subs.len() != body.domain.len() {
        return None;
    }
    // For each index of the transpose the axis of the source that it subscripts.
    let mut axes = vec![usize::MAX; body.domain.len()];
    for (axis, sub) in subs.iter().enumerate() {
        let Sub::Affine(affine) = sub else { return None };
        let index = affine.as_index()?;
        if axes[index] != usize::MAX || body.domain[index] != producer.shape[axis] {
            return None;
        }
        axes[index] = axis;
    }
    let order = (0..body.write.len()).map(|axis| Some(axes[body.write_index(axis)?]));
    let order = order.collect::<Option<Vec<usize>>>()?;
    if !applied.allows(LawId::WriteTransposed) {
        return None;
    }
    let write = order.iter().map(|axis| producer.write[*axis].clone()).collect();
    let shape = order.iter().map(|axis| producer.shape[*axis].clone()).collect();
    let body = Loop { write, shape, ..producer.as_ref().clone() };
    Some(normalise(LoopNode { body, operands: graph[source].operands.clone() }))
}
