//! Rewrites sums of products as matrix products (contractions, convolutions).
//!
//! The factors of `out[w] += f1 * f2 * …` fall into those that do not vary with the indices of the sum, which are
//! multiplied afterwards, and two classes by the indices they vary with. A class that is more than a plain read is
//! computed into a tensor of its own first:
//!
//! - `dW[o, i] += (dout[b, o] * slope[b, o]) * x[b, i]`: the first class as a `[b, o]` matrix;
//! - a convolution `x[n, c, 2*i + u - 1, 2*j + v - 1]`: with zeros around it, which the sum for the weight's
//!   gradient shares; the product reads its windows (implicit im2col, [`super::windows`]);
//! - its gradient for the input, which writes to such subscripts: as a sum that reads windows, or the product
//!   first, and then the windows are added up (col2im).

use super::borders;
use super::product;
use super::rebuild::rebuild;
use super::windows;
use crate::base::order::PutInOrder;
use crate::ir::recognise::{Class, Product, Side, is_plain, sizes};
use crate::ir::{Affine, BinaryOp, Body, Combine, Dim, Elem, Graph, Loop, LoopBuilder, Node, NodeId, Op};
use crate::ir::{Scalar, ScalarId, Sub, Var, compose};

/// With fewer columns beside them windows are copied, not packed.
const FEW_COLUMNS: i64 = 16;

/// Splits all sums of products that are worth a matrix product.
pub(super) fn split_products(graph: &Graph) -> Graph {
    rebuild(graph, &|new, _, node, operands| match &node.op {
        Op::Loop(body) => split(new, node, body, &operands),
        _ => None,
    })
}

fn split(graph: &mut Graph, node: &Node, body: &Loop, operands: &[NodeId]) -> Option<NodeId> {
    if node.ty.elem != Elem::Float {
        return None;
    }
    let sizes = sizes(body);
    let Some(product) = divide(body, &sizes) else {
        return borders::sum_without_borders(graph, body, operands);
    };
    let Product { a, b, outer, written, is_bare: bare, .. } = &product;
    let kinds = (0..sizes.len()).map(|index| [written[index], a.indices[index], b.indices[index]]);
    let kinds: Vec<[bool; 3]> = kinds.collect();
    let source = Source { body, operands, sizes: &sizes, kinds: &kinds };
    let is_worth = |[m, n, k]: [i64; 3]| product::is_worth_a_call(m, n, k);
    if !bare
        && outer.is_empty()
        && let Some(sum) = windows::read_instead(graph, &source, [a, b], &is_worth)
    {
        return Some(sum);
    }
    let summed: Vec<bool> = written.iter().map(|written| !written).collect();
    let [a, b] = source.operands(graph, [a, b], &summed)?;
    // The product over all written indices, in the order in which the windows lie if there are any.
    let order = source.in_order(body.write.iter(), written);
    let summed: Vec<usize> = (0..sizes.len()).filter(|index| !written[*index]).collect();
    let domain: Vec<usize> = order.iter().chain(&summed).copied().collect();
    let mut l = LoopBuilder::new(graph, source.dims(&domain));
    let (a, b) = (a.read(&mut l, &domain), b.read(&mut l, &domain));
    let value = l.binary(BinaryOp::Mul, a, b);
    let write = (0..order.len()).map(|at| l.index(at)).collect();
    let product = l.reduce(source.dims(&order), write, Combine::Add, value);
    let product = graph.add_loop(product);
    if outer.is_empty() && *bare && !body.dropping && is_whole(&order, body) {
        return Some(product);
    }
    let combine = if *bare { Combine::Set } else { Combine::Add };
    Some(finish(graph, &source, product, &order, outer, combine))
}

/// The product that a loop is; `None` if a matrix product is not possible, not worth a call, or already there.
fn divide(body: &Loop, sizes: &[i64]) -> Option<Product> {
    let found = Product::of(body)?;
    let [m, n, k] = [Side::M, Side::N, Side::K].map(|side| found.points(side, sizes));
    let is_worth = found.is_two_sided() && product::is_worth_a_call(m, n, k);
    if !is_worth || !found.sums_both() || !found.covers_result() {
        return None;
    }
    let is_plain = found.outer.is_empty() && found.a.is_plain(&body.body) && found.b.is_plain(&body.body);
    let is_done = is_plain && found.is_bare && !body.dropping;
    (!is_done).then_some(found)
}

/// The rest of the loop after its matrix product: multiplies by the other factors and writes where it wrote.
fn finish(
    graph: &mut Graph,
    source: &Source<'_>,
    product: NodeId,
    order: &[usize],
    outer: &[ScalarId],
    combine: Combine,
) -> NodeId {
    let body = source.body;
    let mut l = LoopBuilder::new(graph, source.dims(order));
    let mut at = |var: Var| match var {
        Var::Index(index) => match order.iter().position(|other| *other == index as usize) {
            Some(place) => Sub::Affine(Affine::index(place)),
            None => Sub::Affine(Affine::constant(0i64)),
        },
        Var::Step(_) => compose::same(var),
    };
    let subs = (0..order.len()).map(|at| l.index(at)).collect();
    let mut value = l.read(product, subs);
    for factor in outer {
        let factor = Body { nodes: needed(&body.body, *factor), result: *factor };
        let copies =
            compose::paste(&mut l, &factor, source.operands, &mut at, &mut |l, _, scalar| l.add(scalar));
        value = l.binary(BinaryOp::Mul, value, copies[factor.result.0 as usize]);
    }
    let write = body.write.iter().map(|sub| compose::paste_sub(&mut l, sub, &[], &mut at)).collect();
    let node = l.finish(body.shape.clone(), write, body.dropping, combine, value);
    graph.add_loop(node)
}

/// Whether a loop is a matrix product that the kernel will be called for, as far as its indices tell.
pub(super) fn is_product(body: &Loop) -> bool {
    let Some(found) = Product::of(body) else { return false };
    let is_read = |class: &Class| match class.factors.as_slice() {
        [one] => matches!(body.body[*one], Scalar::Read { padded: false, .. }),
        _ => false,
    };
    let sizes = sizes(body);
    let [m, n, k] = [Side::M, Side::N, Side::K].map(|side| found.points(side, &sizes));
    let is_bare = found.outer.is_empty() && is_read(&found.a) && is_read(&found.b) && !body.dropping;
    is_bare && product::is_worth_a_call(m, n, k)
}

/// Whether the written indices in this order are the result.
fn is_whole(order: &[usize], body: &Loop) -> bool {
    order.len() == body.write.len()
        && (0..order.len()).all(|axis| body.write_index(axis) == Some(order[axis]))
}

/// The loop that is split.
pub(super) struct Source<'s> {
    pub body: &'s Loop,
    pub operands: &'s [NodeId],
    pub sizes: &'s [i64],
    /// For each index whether the result has it, and each class: indices that have the same merge into one if they
    /// lie beside each other.
    pub kinds: &'s [[bool; 3]],
}

/// One side of the product.
pub(super) struct Operand {
    pub node: NodeId,
    /// For each axis a subscript in the indices of the loop.
    pub subs: Vec<Affine>,
}

impl Operand {
    /// Its element in a loop over `domain`, a list of indices of the source.
    pub fn read(&self, l: &mut LoopBuilder<'_>, domain: &[usize]) -> ScalarId {
        let place = |var: Var| match var {
            Var::Index(index) => match domain.iter().position(|other| *other == index as usize) {
                Some(at) => Affine::index(at),
                None => Affine::constant(0i64),
            },
            Var::Step(_) => Affine::var(var),
        };
        let subs = self.subs.iter().map(|sub| Sub::Affine(sub.substitute(place))).collect();
        l.read(self.node, subs)
    }
}

impl Source<'_> {
    pub fn dims(&self, indices: &[usize]) -> Vec<Dim> {
        indices.iter().map(|index| Dim::number(self.sizes[*index])).collect()
    }

    /// The size of an index.
    pub fn size_of(&self, var: Var) -> Dim {
        match var {
            Var::Index(index) => Dim::number(self.sizes[index as usize]),
            Var::Step(_) => Dim::ONE,
        }
    }

    /// The indices of an affine form that have more than one value.
    pub fn live_indices(&self, affine: &Affine) -> impl Iterator<Item = usize> {
        let index = |var: &Var| match var {
            Var::Index(index) => Some(*index as usize),
            Var::Step(_) => None,
        };
        affine.terms.iter().filter_map(move |(var, _)| index(var)).filter(|index| self.sizes[*index] > 1)
    }

    /// The two sides of the product: one of them in windows, if it is read so.
    fn operands(&self, graph: &mut Graph, classes: [&Class; 2], summed: &[bool]) -> Option<[Operand; 2]> {
        for (at, class) in classes.into_iter().enumerate() {
            // Windows that are multiplied with little are better laid out once for all products.
            let other = classes[1 - at];
            let alone = (0..self.sizes.len()).filter(|index| other.indices[*index] && !class.indices[*index]);
            if alone.map(|index| self.sizes[index]).product::<i64>() < FEW_COLUMNS {
                continue;
            }
            if let [one] = class.factors.as_slice()
                && let Some(read) = windows::read_in_windows(graph, self, *one)
            {
                let other = self.operand(graph, other)?;
                let other = windows::summed_last(graph, self, other, summed)?;
                return Some(if at == 0 { [read, other] } else { [other, read] });
            }
        }
        Some([self.operand(graph, classes[0])?, self.operand(graph, classes[1])?])
    }

    /// A plain read as it is; anything else as a tensor over the class's indices.
    pub fn operand(&self, graph: &mut Graph, class: &Class) -> Option<Operand> {
        if let [one] = class.factors.as_slice()
            && is_plain(&self.body.body, *one)
            && let Scalar::Read { operand, subs, .. } = &self.body.body[*one]
        {
            let affine = |sub: &Sub| match sub {
                Sub::Affine(affine) => Some(affine.clone()),
                Sub::Value(_) => None,
            };
            let subs = subs.iter().map(affine).collect::<Option<_>>()?;
            return Some(Operand { node: self.operands[*operand as usize], subs });
        }
        let order = self.window_order(class);
        let mut l = LoopBuilder::new(graph, self.dims(&order));
        let mut at = |var: Var| match var {
            Var::Index(index) => match order.iter().position(|other| *other == index as usize) {
                Some(place) => Sub::Affine(Affine::index(place)),
                None => Sub::Affine(Affine::constant(0i64)),
            },
            Var::Step(_) => compose::same(var),
        };
        let mut value: Option<ScalarId> = None;
        for factor in &class.factors {
            let factor = Body { nodes: needed(&self.body.body, *factor), result: *factor };
            let places =
                compose::paste(&mut l, &factor, self.operands, &mut at, &mut |l, _, scalar| l.add(scalar));
            let factor = places[factor.result.0 as usize];
            value = Some(match value {
                Some(product) => l.binary(BinaryOp::Mul, product, factor),
                None => factor,
            });
        }
        let node = l.map(value?);
        let node = graph.add_loop(node);
        Some(Operand { node, subs: order.iter().map(|index| Affine::index(*index)).collect() })
    }

    /// The order of the axes of a class's tensor: as they are read.
    fn window_order(&self, class: &Class) -> Vec<usize> {
        let subs = class.factors.iter().filter_map(|factor| match &self.body.body[*factor] {
            Scalar::Read { subs, .. } => Some(subs.as_slice()),
            _ => None,
        });
        let mut order = self.in_order(subs.flatten(), &class.indices);
        let rest = (0..self.sizes.len()).filter(|index| class.indices[*index]);
        rest.for_each(|index| {
            if !order.contains(&index) {
                order.push(index)
            }
        });
        order
    }

    /// The indices of `set` in the order of subscripts: those that stand alone in one; then, of those that
    /// share one, the short ones (the window) before the long ones (the places of the window). A window longer than
    /// its places has the channels beside it.
    fn in_order<'a>(&self, subs: impl Iterator<Item = &'a Sub>, set: &[bool]) -> Vec<usize> {
        let mut ranks: Vec<Vec<usize>> = vec![Vec::new()];
        for sub in subs {
            let Sub::Affine(affine) = sub else { continue };
            let index = |var: &Var| match var {
                Var::Index(index) => set[*index as usize].then_some(*index as usize),
                Var::Step(_) => None,
            };
            let mut indices: Vec<usize> = affine.terms.iter().filter_map(|(var, _)| index(var)).collect();
            indices.put_in_order_by_key(|index| (self.sizes[*index], *index));
            let first = usize::from(indices.len() > 1);
            for (rank, index) in indices.into_iter().enumerate() {
                ranks.resize(ranks.len().max(first + rank + 1), Vec::new());
                ranks[first + rank].push(index);
            }
        }
        if let [alone, short, long] = ranks.as_mut_slice() {
            let kind = |index: &usize| self.kinds[*index];
            let belongs = |index: &usize| kind(index) == kind(&long[0]) && kind(index) != kind(&short[0]);
            let (beside, first): (Vec<usize>, Vec<usize>) =
                alone.iter().partition(|index| Some(*index) != alone.first() && belongs(index));
            *alone = first;
            long.splice(0..0, beside);
        }
        let mut order: Vec<usize> = Vec::new();
        ranks.into_iter().flatten().for_each(|index| {
            if !order.contains(&index) {
                order.push(index)
            }
        });
        order
    }
}

/// The scalars up to `id`, which include all that it depends on. The builder drops the others.
fn needed(body: &Body, id: ScalarId) -> Vec<Scalar> {
    body.nodes[..=id.0 as usize].to_vec()
}
