//! What a loop is, in the words of other systems: a map, a contraction, a window (convolution, pooling), a gather, a
//! scatter. It is found out from subscripts alone, so the sizes of the graph may still be symbolic.
//!
//! There are two ways in:
//!
//! - Whoever writes graphs in another form (an exporter) walks [`Graph::nodes`](super::Graph::nodes), calls
//!   [`recognise`] for each `Op::Loop` and matches on [`Kind`]. What a variant holds are indices of the loop's domain,
//!   axes of tensors, and [`ScalarId`]s of the loop's body: a `Contraction` says which factors make up its two sides
//!   and which indices are rows, columns, terms and batch, a `Window` the stride, the dilation and the beginning of
//!   each axis along which it slides, a `Gather` and a `Scatter` the axes that computed subscripts name. The body of a
//!   kind is not restricted to one operation: in a `Map` it is any formula of the elements that are read, and the
//!   factors of a `Contraction` may be formulas, too; [`Class::is_plain`] says where they are not.
//! - The planner asks for one kind at a time: [`Product::of`], [`Window::of`], [`Gather::of`], [`Scatter::of`].
//!
//! Every loop has exactly one kind: computed subscripts decide first, then windows, then products.

mod places;
mod product;
#[cfg(test)]
mod tests;
mod window;

pub use places::{ComputedRead, Gather, Scatter, is_affine};
pub use product::{Class, Product, Side, collect_factors, indices_of, is_plain, mark, sizes};
pub use window::{Slide, Window};

use super::{Affine, Combine, Loop, Sub};

/// What a loop computes.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Each element by itself: `out[i, j] = f(x[j, i], y[i], …)`. Broadcasts, transpositions and slices are maps.
    Map,
    /// Elements combined over indices that the result does not have.
    Reduction,
    /// A sum of products that is a matrix product, or a batch of them.
    Contraction(Product),
    /// Elements combined over a window that slides along axes of a tensor.
    Window(Window),
    /// Elements that computed subscripts name are read, and perhaps combined.
    Gather(Gather),
    /// Elements that computed subscripts name are written.
    Scatter(Scatter),
    /// Whatever has no other word: strided or partial writes, sums that meet in one element.
    General,
}

/// What a loop is.
pub fn recognise(body: &Loop) -> Kind {
    if let Some(scatter) = Scatter::of(body) {
        return Kind::Scatter(scatter);
    }
    if let Some(gather) = Gather::of(body) {
        return Kind::Gather(gather);
    }
    let product = Product::of(body);
    if let Some(window) = Window::with_product(body, product.as_ref()) {
        return Kind::Window(window);
    }
    if let Some(product) = product.filter(|product| product.is_contraction() && !body.dropping) {
        return Kind::Contraction(product);
    }
    let is_bare = affine_subs(&body.write).all(|affine| affine.as_index().is_some() || affine.is_constant());
    let written = written(body);
    let sums = (0..body.domain.len()).any(|index| is_summed(body, &written, index));
    match (sums, body.combine) {
        _ if !is_bare || body.dropping => Kind::General,
        // Where each element gets one value, combining it with nothing else is a map, whatever combines.
        (false, _) => Kind::Map,
        (true, Combine::Set) => Kind::General,
        (true, _) => Kind::Reduction,
    }
}

/// The affine ones of some subscripts.
fn affine_subs<'s>(subs: impl IntoIterator<Item = &'s Sub>) -> impl Iterator<Item = &'s Affine> {
    subs.into_iter().filter_map(|sub| match sub {
        Sub::Affine(affine) => Some(affine),
        Sub::Value(_) => None,
    })
}

/// For each index of the domain whether an affine subscript of the result moves with it.
fn written(body: &Loop) -> Vec<bool> {
    let mut written = vec![false; body.domain.len()];
    affine_subs(&body.write).for_each(|affine| mark(affine, &mut written));
    written
}

/// Whether the result combines values over an index: it does not have the index, which has more than one value.
fn is_summed(body: &Loop, written: &[bool], index: usize) -> bool {
    !written[index] && body.domain[index].as_number() != Some(1)
}
