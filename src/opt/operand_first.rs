//! Law `operand-first`: a factor of a matrix product that is itself an expression is computed once, as a tensor.
//!
//! In `Σ_k (c a[i, k]) b[k, j]` the factor `c a[i, k]` would be computed again for every `j`, and the sum would not
//! be known as a matrix product. The numbers that are multiplied and added stay the same ones.

use super::laws::LawId;
use super::reductions::uses;
use super::scalar::Laws;
use crate::ir::build::LoopNode;
use crate::ir::compose::{paste, paste_sub, same};
use crate::ir::{
    Affine, BinaryOp, Combine, Dim, Elem, Graph, Loop, LoopBuilder, NodeId, Scalar, ScalarId, Sub, Var,
};

/// A product of fewer points is computed as it stands.
const FEWEST_POINTS: i64 = 1 << 13;
/// So is a product whose sums have fewer terms.
const FEWEST_TERMS: i64 = 4;

/// The product without the factor that has become a tensor.
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
    if body.combine != Combine::Add || body.dropping || body.domain.len() >= 64 {
        return None;
    }
    let Scalar::Binary(BinaryOp::Mul, a, b) = body.body[body.body.result] else { return None };
    let dependences = body.body.dependences();
    let (of_a, of_b) = (dependences[a.0 as usize], dependences[b.0 as usize]);
    let reduced = (0..body.domain.len()).filter(|index| !body.write.iter().any(|sub| uses(sub, *index)));
    let shared = reduced.filter(|index| of_a.contains(*index) && of_b.contains(*index));
    let terms = product(shared.map(|index| &body.domain[index]))?;
    let points = product(body.domain.iter())?;
    let is_product = !of_a.is_subset(of_b) && !of_b.is_subset(of_a);
    if !is_product || terms < FEWEST_TERMS || points < FEWEST_POINTS || laws.graph_elem(node) != Elem::Float {
        return None;
    }
    let is_read = |id: ScalarId| matches!(body.body[id], Scalar::Read { .. });
    let factor = [a, b].into_iter().find(|id| !is_read(*id) && reads_plainly(body, *id))?;
    if !laws.applied.allows(LawId::OperandFirst) {
        return None;
    }
    let varies_with = dependences[factor.0 as usize];
    let indices: Vec<usize> = (0..body.domain.len()).filter(|index| varies_with.contains(*index)).collect();
    let domain = indices.iter().map(|index| body.domain[*index].clone()).collect();
    let mut l = LoopBuilder::new(laws.graph, domain);
    // The other indices do not occur in the factor.
    let mut at = |var: Var| match var {
        Var::Index(index) => match indices.iter().position(|other| *other == index as usize) {
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

/// Whether a scalar reads a tensor, and only by subscripts that are single indices or constants. Then the tensor of
/// its values is no larger than the tensors that it reads.
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
