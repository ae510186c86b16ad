//! Law `operand-first`: a factor of a matrix product that is computed is computed once, as a tensor.
//!
//! In `Σ_k (c a[i, k]) b[k, j]` the factor `c a[i, k]` would be computed again for every `j`, and the sum would not
//! be known as a matrix product. The numbers that are multiplied and added stay the same ones.

use super::laws::LawId;
use super::reductions::{scalar_uses, uses};
use super::scalar::Laws;
use crate::ir::build::LoopNode;
use crate::ir::compose::{paste, paste_sub, same};
use crate::ir::{
    Affine, BinaryOp, Combine, Dim, Elem, Graph, Loop, LoopBuilder, NodeId, Scalar, ScalarId, Sub, Var,
};

/// A product of fewer points is computed as it stands.
const FEWEST_POINTS: i64 = 1 << 13;
/// So is one whose sums have fewer terms.
const FEWEST_TERMS: i64 = 4;

/// What is left of the product when a factor has become a tensor.
pub struct Rest {
    body: Loop,
    operands: Vec<NodeId>,
    factor: ScalarId,
    /// The indices of the product that the factor depends on.
    indices: Vec<usize>,
}

/// The factor as a loop, and the rest.
pub fn split(laws: &Laws<'_, '_>, node: &LoopNode) -> Option<(LoopNode, Rest)> {
    let body = &node.body;
    if body.combine != Combine::Add || body.dropping || body.domain.len() > 64 {
        return None;
    }
    let Scalar::Binary(BinaryOp::Mul, a, b) = body.body[body.body.result] else { return None };
    let used = indices_used(body);
    let (of_a, of_b) = (used[a.0 as usize], used[b.0 as usize]);
    let reduced = (0..body.domain.len()).filter(|index| !body.write.iter().any(|sub| uses(sub, *index)));
    let shared = reduced.filter(|index| (of_a & of_b) >> index & 1 == 1);
    let terms = product(shared.map(|index| &body.domain[index]))?;
    let points = product(body.domain.iter())?;
    let is_product = of_a & !of_b != 0 && of_b & !of_a != 0;
    if !is_product || terms < FEWEST_TERMS || points < FEWEST_POINTS || laws.graph_elem(node) != Elem::Float {
        return None;
    }
    let is_read = |id: ScalarId| matches!(body.body[id], Scalar::Read { .. });
    let factor = [a, b].into_iter().find(|id| !is_read(*id) && reads_plainly(body, *id))?;
    if !laws.applied.allows(LawId::OperandFirst) {
        return None;
    }
    let mask = used[factor.0 as usize];
    let indices: Vec<usize> = (0..body.domain.len()).filter(|index| mask >> index & 1 == 1).collect();
    let domain = indices.iter().map(|index| body.domain[*index].clone()).collect();
    let mut l = LoopBuilder::new(laws.graph, domain);
    // The other indices do not occur in the factor.
    let mut at = |var: Var| match var {
        Var::Index(index) => match indices.iter().position(|it| *it == index as usize) {
            Some(place) => Sub::Affine(Affine::index(place)),
            None => Sub::Affine(Affine::constant(0i64)),
        },
        Var::Step(_) => same(var),
    };
    let values = paste(&mut l, &body.body, &node.operands, &mut at, &mut |l, _, scalar| l.add(scalar));
    let operand = l.map(values[factor.0 as usize]);
    Some((operand, Rest { body: body.clone(), operands: node.operands.clone(), factor, indices }))
}

impl Rest {
    /// The product with the factor read from its tensor.
    pub fn around(&self, graph: &Graph, factor: NodeId) -> LoopNode {
        let body = &self.body;
        let mut l = LoopBuilder::new(graph, body.domain.clone());
        let subs: Vec<Sub> = self.indices.iter().map(|index| l.index(*index)).collect();
        let values = paste(&mut l, &body.body, &self.operands, &mut same, &mut |l, place, scalar| {
            if place == self.factor.0 as usize { l.read(factor, subs.clone()) } else { l.add(scalar) }
        });
        let write = body.write.iter().map(|sub| paste_sub(&mut l, sub, &values, &mut same)).collect();
        let result = values[body.body.result.0 as usize];
        l.finish(body.shape.clone(), write, body.dropping, body.combine, result)
    }
}

/// For each scalar the indices that it depends on, as bits.
fn indices_used(body: &Loop) -> Vec<u64> {
    let mut used: Vec<u64> = Vec::with_capacity(body.body.nodes.len());
    for scalar in &body.body.nodes {
        let it = (0..body.domain.len()).filter(|index| scalar_uses(scalar, *index));
        let mut mask = it.fold(0, |mask, index| mask | 1 << index);
        scalar.for_each_operand(|id| mask |= used[id.0 as usize]);
        used.push(mask);
    }
    used
}

/// Whether a scalar reads something, and only elements whose subscripts are single indices or do not vary: then
/// its tensor is no larger than what it reads.
fn reads_plainly(body: &Loop, id: ScalarId) -> bool {
    let mut needed = vec![false; body.body.nodes.len()];
    needed[id.0 as usize] = true;
    let (mut any, mut plain) = (false, true);
    for at in (0..=id.0 as usize).rev() {
        if !needed[at] {
            continue;
        }
        let scalar = &body.body.nodes[at];
        scalar.for_each_operand(|operand| needed[operand.0 as usize] = true);
        if let Scalar::Read { subs, padded, .. } = scalar {
            any = true;
            plain &= !padded && subs.iter().all(|sub| is_single(body, sub));
        }
    }
    any && plain
}

fn is_single(body: &Loop, sub: &Sub) -> bool {
    match sub {
        Sub::Affine(affine) => {
            affine.as_index().is_some() || (0..body.domain.len()).all(|index| !uses(sub, index))
        }
        Sub::Value(_) => false,
    }
}

fn product<'d>(sizes: impl Iterator<Item = &'d Dim>) -> Option<i64> {
    sizes.map(Dim::as_number).try_fold(1i64, |product, size| Some(product.saturating_mul(size?)))
}
