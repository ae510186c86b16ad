//! What a loop is, in the words of other systems: a map, a contraction, a window, a gather. It is found out from
//! subscripts, so it does not depend on sizes, which may still be symbolic. The planner asks it what may be left to
//! the matrix kernel; whoever writes graphs in another form asks it for everything.

mod product;
#[cfg(test)]
mod tests;

pub use product::{Class, Product, Side, indices_of, is_plain, mark, sizes};

use super::{Affine, Combine, Loop, Scalar, Sub, Var};

/// What a loop computes.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Each element by itself: `out[i, j] = f(x[j, i], y[i], …)`. Broadcasts, transpositions and slices are maps.
    Map,
    /// Elements combined over indices that the result does not have.
    Reduction,
    /// A sum of products that is a matrix product, or a batch of them.
    Contraction(Product),
    /// Elements combined over a window that moves with an index of the result.
    Window(Window),
    /// Elements at computed places.
    Gather,
    /// Elements to computed places.
    Scatter,
    /// Whatever has no other word: strided or partial writes, sums that meet in one element.
    General,
}

/// A convolution or a pool, or the way back from one.
#[derive(Clone, Debug)]
pub struct Window {
    /// Indices that meet in one subscript: the place of the window, and the place in it.
    pub pairs: Vec<(usize, usize)>,
    /// The product that a convolution is; a pool has none.
    pub product: Option<Product>,
    /// Whether the windows are written, as by the gradient for what a convolution reads.
    pub is_transposed: bool,
}

/// What a loop is.
pub fn recognise(body: &Loop) -> Kind {
    if body.write.iter().any(is_computed) {
        return Kind::Scatter;
    }
    let reads = || {
        body.body.nodes.iter().filter_map(|scalar| match scalar {
            Scalar::Read { subs, .. } => Some(subs),
            _ => None,
        })
    };
    if reads().flatten().any(is_computed) {
        return Kind::Gather;
    }
    let mut written = vec![false; body.domain.len()];
    body.write.iter().filter_map(affine).for_each(|it| mark(it, &mut written));
    let is_point = |index: usize| body.domain[index].as_number() == Some(1);
    let is_summed = |index: usize| !written[index] && !is_point(index);
    let product = Product::of(body).filter(Product::sums_both);
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (place, offset) in reads().flatten().filter_map(affine).filter_map(pair) {
        // Of the two, the result has the place of the window.
        match (is_summed(place), is_summed(offset)) {
            (false, true) => pairs.push((place, offset)),
            (true, false) => pairs.push((offset, place)),
            (false, false) | (true, true) => {}
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    if !pairs.is_empty() {
        return Kind::Window(Window { pairs, product, is_transposed: false });
    }
    let pairs: Vec<(usize, usize)> = body.write.iter().filter_map(affine).filter_map(pair).collect();
    if !pairs.is_empty() && body.combine != Combine::Set {
        return Kind::Window(Window { pairs, product, is_transposed: true });
    }
    if let Some(product) = product.filter(|product| product.covers_result() && !body.dropping) {
        return Kind::Contraction(product);
    }
    let is_bare = body.write.iter().filter_map(affine).all(|it| it.as_index().is_some() || it.is_constant());
    let sums = (0..body.domain.len()).any(is_summed);
    match (sums, body.combine) {
        _ if !is_bare || body.dropping => Kind::General,
        (false, Combine::Set) => Kind::Map,
        // One element each: combining it with nothing is a map, whatever combines.
        (false, _) => Kind::Map,
        (true, Combine::Set) => Kind::General,
        (true, _) => Kind::Reduction,
    }
}

fn is_computed(sub: &Sub) -> bool {
    matches!(sub, Sub::Value(_))
}

fn affine(sub: &Sub) -> Option<&Affine> {
    match sub {
        Sub::Affine(affine) => Some(affine),
        Sub::Value(_) => None,
    }
}

/// The two indices that meet in a subscript, if there are two.
fn pair(affine: &Affine) -> Option<(usize, usize)> {
    let mut indices = affine.terms.iter().filter_map(|(var, _)| match var {
        Var::Index(index) => Some(*index as usize),
        Var::Step(_) => None,
    });
    match (indices.next(), indices.next(), indices.next()) {
        (Some(first), Some(second), None) => Some((first, second)),
        _ => None,
    }
}
