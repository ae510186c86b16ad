//! Windows: convolutions, pools, and the way back from them, told from subscripts in which two indices meet.

use super::{Product, Side, affine_subs, is_summed, written};
use crate::ir::{Affine, Combine, Dim, Loop, Scalar, ScalarId, Sub, Var};

/// A convolution or a pool, or the way back from one.
#[derive(Clone, Debug)]
pub struct Window {
    /// The subscripts in which the place of the window and the place within the window meet, one for each axis along
    /// which the window slides.
    pub slides: Vec<Slide>,
    /// The product that a convolution is; a pool has none.
    pub product: Option<Product>,
    /// Whether the windows are written, as by the gradient for what a convolution reads.
    pub is_transposed: bool,
}

/// A subscript `stride * place + dilation * offset + start`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slide {
    /// The read in the loop's body with this subscript; `None` where the result has it.
    pub read: Option<ScalarId>,
    /// The axis of what is read, or of the result.
    pub axis: usize,
    /// The index that is the place of the window.
    pub place: usize,
    /// The index that is the place within the window.
    pub offset: usize,
    /// By how much the window moves with its place.
    pub stride: Dim,
    /// The distance of neighbours within the window.
    pub dilation: Dim,
    /// Where the first window begins: minus the width of the padding before the first element.
    pub start: Dim,
    /// Whether what lies outside of the tensor reads as 0, or is dropped where it is written.
    pub is_padded: bool,
}

impl Window {
    /// The window of a loop, if it has one.
    pub fn of(body: &Loop) -> Option<Window> {
        Window::with_product(body, Product::of(body).as_ref())
    }

    /// The same, where the product that the loop is is known.
    pub(super) fn with_product(body: &Loop, product: Option<&Product>) -> Option<Window> {
        let product = product.filter(|product| product.sums_both()).cloned();
        let read = read_slides(body);
        if !read.is_empty() {
            return Some(Window { slides: read, product, is_transposed: false });
        }
        let written: Vec<Slide> = match body.combine {
            Combine::Set => Vec::new(),
            _ => body.write.iter().enumerate().filter_map(|(axis, sub)| written_slide(body, axis, sub)).collect(),
        };
        (!written.is_empty()).then_some(Window { slides: written, product, is_transposed: true })
    }

    /// Whether an index is the place within the window along some axis.
    pub fn is_offset(&self, index: usize) -> bool {
        self.slides.iter().any(|slide| slide.offset == index)
    }

    /// Whether it is a convolution of each channel by itself (a depthwise convolution): the two factors share an index
    /// of the result, and what is summed is the window alone.
    pub fn is_depthwise(&self) -> bool {
        let Some(product) = &self.product else { return false };
        !self.is_transposed
            && product.indices(Side::Batch).next().is_some()
            && product.indices(Side::K).all(|index| self.is_offset(index))
    }
}

/// The windows that are read. Of the two indices that meet, the result has the place of the window.
fn read_slides(body: &Loop) -> Vec<Slide> {
    let written = written(body);
    let mut slides: Vec<Slide> = Vec::new();
    for (at, scalar) in body.body.nodes.iter().enumerate() {
        let Scalar::Read { subs, padded, .. } = scalar else { continue };
        for (axis, sub) in subs.iter().enumerate() {
            let Some((first, second)) = affine_subs([sub]).find_map(pair) else { continue };
            let slide = |place: &Term, offset: &Term, affine: &Affine| Slide {
                read: Some(ScalarId(at as u32)),
                axis,
                place: place.0,
                offset: offset.0,
                stride: place.1.clone(),
                dilation: offset.1.clone(),
                start: affine.constant.clone(),
                is_padded: *padded,
            };
            let Sub::Affine(affine) = sub else { continue };
            match (is_summed(body, &written, first.0), is_summed(body, &written, second.0)) {
                (false, true) => slides.push(slide(&first, &second, affine)),
                (true, false) => slides.push(slide(&second, &first, affine)),
                (false, false) | (true, true) => {}
            }
        }
    }
    slides
}

/// The window that is written along an axis. The two indices that meet play the same part there, so either may be
/// called the place of the window: the longer one is, a symbolic one counting as long, and the first of equal ones.
fn written_slide(body: &Loop, axis: usize, sub: &Sub) -> Option<Slide> {
    let Sub::Affine(affine) = sub else { return None };
    let (first, second) = pair(affine)?;
    let size = |term: &Term| body.domain[term.0].as_number().unwrap_or(i64::MAX);
    let (place, offset) = if size(&first) < size(&second) { (second, first) } else { (first, second) };
    Some(Slide {
        read: None,
        axis,
        place: place.0,
        offset: offset.0,
        stride: place.1,
        dilation: offset.1,
        start: affine.constant.clone(),
        is_padded: body.dropping,
    })
}

/// An index of the domain and its coefficient.
type Term = (usize, Dim);

/// The two indices that meet in a subscript, if there are two.
fn pair(affine: &Affine) -> Option<(Term, Term)> {
    let mut terms = affine.terms.iter().filter_map(|(var, coefficient)| match var {
        Var::Index(index) => Some((*index as usize, coefficient.clone())),
        Var::Step(_) => None,
    });
    match (terms.next(), terms.next(), terms.next()) {
        (Some(first), Some(second), None) => Some((first, second)),
        _ => None,
    }
}
