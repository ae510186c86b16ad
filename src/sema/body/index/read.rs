//! Subscripts with indices: `x[n, c, 2*i + u - 1 else 0]`, `table[ids[b, t], d]`.
//!
//! A subscript is linear in the indices and the steps of scans, or an int that is computed (an element of an int
//! tensor). It is proven to lie within its axis, or `else` says what an outside read gives: a padded read, a
//! select around one, or a term that is left out.

use crate::sema::build::index::places::Place;
use crate::sema::build::index::places::Subscripted;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::operators::{interval_of, with_interval};
use crate::sema::scope::report::indices::{AccessKind, Beside, ReadError};
use crate::sema::scope::report::shapes::Shape;
use crate::sema::build::tensors::{common_elem, convert, number_elem};
use crate::sema::value::{Tensor, Value};
use crate::base::Span;
use crate::ir::{ScalarId, Sub};
use crate::syntax::ast::{self, Otherwise, SubscriptKind};

/// A subscript that mentions an index: `x[i, 2*j - 1 else 0]`, inside index notation only. `base` is a tensor.
pub fn subscript(
    elaborator: &mut Elaborator<'_>,
    base: &Tensor,
    subscripts: &ast::Subscripts,
    span: Span,
) -> Value {
    if elaborator.index_frames.is_empty() {
        return elaborator.not_in_index_notation(subscripts);
    }
    let base_span = Span { end: subscripts.span.start, ..span };
    let Some(places) = elaborator.places(base, subscripts, base_span) else {
        if let Some(Otherwise::Value(value)) = &subscripts.otherwise {
            elaborator.expr(value, None);
        }
        return Value::Error;
    };
    let Some(node) = elaborator.node(base, span) else { return Value::Error };
    let what = Subscripted { tensor: base, span: base_span, access: AccessKind::Read };
    let subs: Vec<Sub> = places.iter().map(|place| place.sub.clone()).collect();
    let made = match &subscripts.otherwise {
        None => match elaborator.must_fit(&places, &what) {
            true => elaborator.index_result(span, |l| l.read(node, subs)),
            false => Value::Error,
        },
        Some(otherwise) => {
            let condition = elaborator.inside_condition(&places, &base.ty.shape);
            let Some(condition) = condition else {
                // Always within: the `else` is never needed, but is looked at.
                if let Otherwise::Value(value) = otherwise {
                    elaborator.expr(value, None);
                }
                let made = elaborator.index_result(span, |l| l.read(node, subs));
                return elaborator.with_facts_of(made, base);
            };
            let made = elaborator.index_result(span, |l| l.read_padded(node, subs));
            return elaborator.read_or_else(made, base, otherwise, condition, span);
        }
    };
    elaborator.with_facts_of(made, base)
}

impl Elaborator<'_> {
    fn read_or_else(
        &mut self,
        made: Value,
        base: &Tensor,
        otherwise: &Otherwise,
        condition: ScalarId,
        span: Span,
    ) -> Value {
        let Value::Indexed(read) = &made else { return Value::Error };
        let read = read.id;
        match otherwise {
            Otherwise::Skip(word) => {
                if !self.index_frames.last().is_some_and(|frame| frame.may_skip) {
                    return self.report(ReadError::NothingToSkip { at: *word });
                }
                if let Some(frame) = self.index_frames.last_mut() {
                    frame.skips.push(condition);
                }
                self.with_facts_of(made, base)
            }
            Otherwise::Value(expr) => {
                let value = self.expr(expr, None);
                if value.is_error() {
                    return Value::Error;
                }
                let Some(other) = self.indexed_scalar(&value, expr.span) else { return Value::Error };
                let zero = match &value {
                    Value::Int(dim) => dim.is_number(0),
                    Value::Float(number) => *number == 0.0 && number.is_sign_positive(),
                    Value::Bool(value) => !value,
                    _ => false,
                };
                let interval = match (&base.interval, interval_of(&value)) {
                    (Some(a), Some(b)) => Some(a.union(&b)),
                    _ => None,
                };
                let number = number_elem(&value);
                let made = self.index_result(span, |l| {
                    let other_elem = number.unwrap_or_else(|| l.elem(other));
                    let elem = common_elem([l.elem(read), other_elem].into_iter());
                    let read = convert(l, read, elem);
                    if zero {
                        return read;
                    }
                    let other = convert(l, other, elem);
                    l.select(condition, read, other)
                });
                with_interval(made, interval)
            }
        }
    }

    /// The subscripts of a tensor, one for each axis. `None` is reported.
    fn places(&mut self, base: &Tensor, subscripts: &ast::Subscripts, base_span: Span) -> Option<Vec<Place>> {
        let mut places = Vec::new();
        let mut fits = true;
        for item in &subscripts.items {
            match &item.kind {
                SubscriptKind::At(at) => {
                    let value = self.expr(at, None);
                    let size = base.ty.shape.get(places.len()).cloned();
                    match self.place(&value, size.as_ref(), at.span) {
                        Some(place) => places.push(place),
                        None => {
                            fits = false;
                            places.push(Place::broken(at.span));
                        }
                    }
                }
                SubscriptKind::Pack(pack) => match self.pack_places(pack, item.span) {
                    Some(pack) => places.extend(pack),
                    None => return None,
                },
                SubscriptKind::Slice(_) | SubscriptKind::New | SubscriptKind::Rest => {
                    let what = match &item.kind {
                        SubscriptKind::Slice(_) => Beside::Slice,
                        SubscriptKind::New => Beside::New,
                        _ => Beside::Rest,
                    };
                    let (tensor, at) = (Shape::of(base), item.span);
                    self.report(ReadError::BesideIndex { what, tensor, at, base: base_span });
                    return None;
                }
            }
        }
        if places.len() != base.rank() {
            let (given, tensor, at) = (places.len(), Shape::of(base), subscripts.span);
            self.report(ReadError::Count { given, tensor, at, base: base_span });
            return None;
        }
        fits.then_some(places)
    }
}

