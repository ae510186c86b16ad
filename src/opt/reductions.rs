//! Laws of sums and other reductions.

use super::laws::{Applied, LawId};
use super::scalar::Laws;
use crate::ir::build::LoopNode;
use crate::ir::compose::{paste, same};
use crate::ir::scalar::size;
use crate::ir::{
    Affine, BinaryOp, Combine, Dim, Elem, Graph, IndexSet, Loop, LoopBuilder, NodeId, Number, Scalar,
    ScalarId, Sub, UnaryOp, Var,
};

/// Laws `unused-index` and `single-index`: `Σ_j x[i]` over `j < n` is `n x[i]`, a maximum over an unused index is
/// the value itself, and an index of one value is 0.
pub fn drop_index(graph: &Graph, applied: &Applied, node: &LoopNode) -> Option<LoopNode> {
    let body = &node.body;
    let law = |index: usize| {
        if body.write.iter().any(|sub| uses(sub, index)) {
            return None;
        }
        if body.domain[index].is_number(1) {
            return Some(LawId::SingleIndex);
        }
        let read = body.body.nodes.iter().any(|scalar| scalar_uses(scalar, index));
        let reduces = matches!(body.combine, Combine::Add | Combine::Max | Combine::Min);
        (!read && reduces && body.domain[index].at_least(&Dim::ONE)).then_some(LawId::UnusedIndex)
    };
    let (index, law) = (0..body.domain.len()).find_map(|index| Some((index, law(index)?)))?;
    if !applied.allows(law) {
        return None;
    }
    let mut domain = body.domain.clone();
    let gone = domain.remove(index);
    let mut l = LoopBuilder::new(graph, domain);
    let mut at = |var: Var| match var {
        Var::Index(old) if old as usize == index => Sub::Affine(Affine::constant(0i64)),
        Var::Index(old) if old as usize > index => Sub::Affine(Affine::index(old as usize - 1)),
        Var::Index(_) | Var::Step(_) => same(var),
    };
    let values = paste(&mut l, &body.body, &node.operands, &mut at, &mut |l, _, scalar| l.add(scalar));
    let mut result = values[body.body.result.0 as usize];
    if body.combine == Combine::Add && !gone.is_number(1) {
        let times = l.add(size(&gone));
        let times = if l.elem(result) == Elem::Float { l.to_float(times) } else { times };
        result = l.binary(BinaryOp::Mul, times, result);
    }
    let write = body.write.iter().map(|sub| match sub {
        Sub::Affine(affine) => crate::ir::compose::place(&mut l, affine, &mut at),
        Sub::Value(id) => Sub::Value(values[id.0 as usize]),
    });
    let write = write.collect();
    Some(l.finish(body.shape.clone(), write, body.dropping, body.combine, result))
}

/// Law `sum-of-negated`: `Σ -x` is `-Σ x`. Gives the sum of `x`.
pub fn sum_of_negated(laws: &Laws<'_, '_>, node: &LoopNode) -> Option<LoopNode> {
    let body = &node.body;
    let Scalar::Unary(UnaryOp::Neg, positive) = body.body[body.body.result] else { return None };
    let reduces = body.combine == Combine::Add && body.domain.len() > body.write.len();
    if !reduces || laws.graph_elem(node) != Elem::Float || !laws.applied.allows(LawId::SumOfNegated) {
        return None;
    }
    let mut l = LoopBuilder::new(laws.graph, body.domain.clone());
    let values = paste(&mut l, &body.body, &node.operands, &mut same, &mut |l, _, scalar| l.add(scalar));
    let write = body.write.iter().map(|sub| match sub {
        Sub::Affine(affine) => Sub::Affine(affine.clone()),
        Sub::Value(id) => Sub::Value(values[id.0 as usize]),
    });
    let write = write.collect();
    let positive = values[positive.0 as usize];
    Some(l.finish(body.shape.clone(), write, body.dropping, Combine::Add, positive))
}

/// Law `factor-out`: `Σ_j c x[i, j]` is `c Σ_j x[i, j]` for every factor or divisor `c` without `j`, in matrix
/// products too. Gives the inner sum, which has fewer factors, and how the outer node is made from it.
pub fn factor_out(laws: &mut Laws<'_, '_>, node: &LoopNode) -> Option<(LoopNode, OuterFactors)> {
    let body = &node.body;
    let reading = laws.applied.is_for_reading();
    if !reading || body.combine != Combine::Add || laws.graph_elem(node) != Elem::Float {
        return None;
    }
    let product = Product::of(body);
    let written_whole = (0..body.write.len())
        .map(|axis| body.write_index(axis).filter(|index| body.domain[*index] == body.shape[axis]))
        .collect::<Option<Vec<usize>>>()
        .filter(|indices| (0..indices.len()).all(|at| !indices[..at].contains(&indices[at])));
    let reduced: Vec<usize> =
        (0..body.domain.len()).filter(|index| !body.write.iter().any(|sub| uses(sub, *index))).collect();
    if written_whole.is_some() && reduced.is_empty() {
        return None;
    }
    let varies = varying(body, &reduced, written_whole.is_some());
    let constant = |id: &ScalarId| !varies[id.0 as usize];
    let (out, kept): (Vec<ScalarId>, Vec<ScalarId>) = product.factors.iter().partition(|id| constant(id));
    let (out_below, kept_below): (Vec<ScalarId>, Vec<ScalarId>) =
        product.divisors.iter().partition(|id| constant(id));
    let nothing_out = out.is_empty() && out_below.is_empty() && !product.negative;
    if nothing_out || (kept.is_empty() && kept_below.is_empty()) || !laws.applied.allows(LawId::FactorOut) {
        return None;
    }
    let graph = laws.graph;
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let values = paste(&mut l, &body.body, &node.operands, &mut same, &mut |l, _, scalar| l.add(scalar));
    let moved = |ids: &[ScalarId]| ids.iter().map(|id| values[id.0 as usize]).collect::<Vec<_>>();
    let result = multiply(laws, &mut l, &moved(&kept), &moved(&kept_below), false);
    let write = body.write.iter().map(|sub| match sub {
        Sub::Affine(affine) => Sub::Affine(affine.clone()),
        Sub::Value(id) => Sub::Value(values[id.0 as usize]),
    });
    let write = write.collect();
    let inner = l.finish(body.shape.clone(), write, body.dropping, Combine::Add, result);
    let axes = written_whole.unwrap_or_default();
    let outer = OuterFactors {
        body: body.clone(),
        operands: node.operands.clone(),
        axes,
        factors: out,
        divisors: out_below,
        negative: product.negative,
    };
    Some((inner, outer))
}

/// The factors that are taken out of a sum.
pub struct OuterFactors {
    body: Loop,
    operands: Vec<NodeId>,
    /// For each axis of the result the index of the sum that it is written by.
    axes: Vec<usize>,
    factors: Vec<ScalarId>,
    divisors: Vec<ScalarId>,
    negative: bool,
}

impl OuterFactors {
    /// The factors times the inner sum, elementwise.
    pub fn around(&self, laws: &mut Laws<'_, '_>, inner: NodeId) -> LoopNode {
        let shape = self.body.shape.clone();
        let rank = shape.len();
        let mut l = LoopBuilder::new(laws.graph, shape);
        // The factors taken out contain no index that is reduced.
        let mut at = |var: Var| match var {
            Var::Index(index) => {
                let axis = self.axes.iter().position(|other| *other == index as usize).unwrap_or(0);
                if rank == 0 { Sub::Affine(Affine::constant(0i64)) } else { Sub::Affine(Affine::index(axis)) }
            }
            Var::Step(_) => same(var),
        };
        let values =
            paste(&mut l, &self.body.body, &self.operands, &mut at, &mut |l, _, scalar| l.add(scalar));
        let subs = (0..rank).map(|axis| l.index(axis)).collect();
        let sum = l.read(inner, subs);
        let mut factors: Vec<ScalarId> = self.factors.iter().map(|id| values[id.0 as usize]).collect();
        factors.push(sum);
        let divisors: Vec<ScalarId> = self.divisors.iter().map(|id| values[id.0 as usize]).collect();
        let result = multiply(laws, &mut l, &factors, &divisors, self.negative);
        l.map(result)
    }
}

fn multiply(
    laws: &mut Laws<'_, '_>,
    l: &mut LoopBuilder<'_>,
    factors: &[ScalarId],
    divisors: &[ScalarId],
    negative: bool,
) -> ScalarId {
    let mut result = factors.first().copied().unwrap_or_else(|| l.float(1.0));
    for factor in factors.iter().skip(1) {
        result = laws.product(l, result, *factor);
    }
    for divisor in divisors {
        result = laws.quotient(l, result, *divisor);
    }
    if negative { laws.negated(l, result) } else { result }
}

/// The result of a body as a product.
struct Product {
    factors: Vec<ScalarId>,
    divisors: Vec<ScalarId>,
    negative: bool,
}

impl Product {
    fn of(body: &Loop) -> Product {
        let mut product = Product { factors: Vec::new(), divisors: Vec::new(), negative: false };
        let mut waiting = vec![body.body.result];
        while let Some(id) = waiting.pop() {
            match body.body[id] {
                Scalar::Binary(BinaryOp::Mul, a, b) => waiting.extend([b, a]),
                Scalar::Binary(BinaryOp::Div, a, b) => {
                    waiting.push(a);
                    product.divisors.push(b);
                }
                Scalar::Unary(UnaryOp::Neg, a) => {
                    waiting.push(a);
                    product.negative = !product.negative;
                }
                // A factor 1 is made again below; taken out, it would be taken out again for ever.
                Scalar::Float(Number(1.0)) => {}
                _ => product.factors.push(id),
            }
        }
        product
    }
}

/// For each scalar whether it must stay in the sum: whether it varies with a reduced index, or, unless
/// `other_indices_stay`, with any index.
fn varying(body: &Loop, reduced: &[usize], other_indices_stay: bool) -> Vec<bool> {
    let varies = |indices: IndexSet| match other_indices_stay {
        true => reduced.iter().any(|index| indices.contains(*index)),
        false => !indices.is_empty(),
    };
    body.body.dependences().into_iter().map(varies).collect()
}

pub fn uses(sub: &Sub, index: usize) -> bool {
    match sub {
        Sub::Affine(affine) => affine.uses(Var::Index(index as u32)),
        Sub::Value(_) => false,
    }
}

fn scalar_uses(scalar: &Scalar, index: usize) -> bool {
    scalar.affines().any(|affine| affine.uses(Var::Index(index as u32)))
}

impl Laws<'_, '_> {
    pub fn graph_elem(&self, node: &LoopNode) -> Elem {
        let elem = |operand: u32| self.graph.elem(node.operands[operand as usize]);
        node.body.body.elem_of(node.body.body.result, &elem)
    }
}
