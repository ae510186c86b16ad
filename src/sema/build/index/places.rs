//! Subscripts of index notation as places of axes: which elements are read or written, and whether they lie within.

use crate::sema::scope::report::indices::{AccessKind, IndexError, OutsideError, ReadError};
use crate::sema::scope::report::shapes::Shape;
use crate::base::Span;
use crate::ir::program::Bound;
use crate::ir::{Affine, BinaryOp, Dim, Elem, LoopBuilder, ScalarId, Sub};
use crate::sema::build::Builder;
use crate::sema::build::index::bounds::{Fit, Fits, from_start, grows, within};
use crate::sema::build::operators::{affine_of, with_interval};
use crate::sema::value::{IntSource, Interval, Tensor, Value};
use crate::syntax::ast::{self, Otherwise};

/// One subscript, worked out.
#[derive(Clone, Debug)]
pub struct Place {
    pub sub: Sub,
    /// The values that it takes.
    pub interval: Option<Interval>,
    /// The field of the data from which it comes unchanged.
    pub field: Option<IntSource>,
    pub span: Span,
}

/// A subscripted tensor, for messages.
pub struct Subscripted<'t> {
    pub tensor: &'t Tensor,
    pub span: Span,
    pub access: AccessKind,
}

impl Builder<'_> {
    pub fn not_in_index_notation(&mut self, subscripts: &ast::Subscripts) -> Value {
        if let Some(otherwise) = &subscripts.otherwise {
            let at = match otherwise {
                Otherwise::Value(value) => value.span,
                Otherwise::Skip(span) => *span,
            };
            return self.report(IndexError::ElseOutside { at });
        }
        self.report(IndexError::PackOutside { at: subscripts.span })
    }

    /// What is known of the values of a tensor holds for each of its elements.
    pub fn with_facts_of(&self, made: Value, base: &Tensor) -> Value {
        let mut made = with_interval(made, base.interval.clone());
        if let Value::Indexed(scalar) = &mut made {
            scalar.field = base.field.clone();
        }
        made
    }

    /// The indices of a pack as subscripts.
    pub fn pack_places(&mut self, pack: &ast::Name, span: Span) -> Option<Vec<Place>> {
        let introduced = self.index_frames.last().and_then(|frame| {
            let declared = frame.packs.iter().rev().find(|(name, _)| *name == pack.text)?;
            Some((declared.1.clone(), frame.parts.domain().to_vec()))
        });
        let Some((indices, domain)) = introduced else {
            if self.index_frames.iter().any(|frame| frame.doubtful) {
                return None;
            }
            let known = self.frame().find(&pack.text).map(|binding| binding.value.clone());
            if matches!(known, Some(Value::Error)) {
                return None;
            }
            self.report(IndexError::PackNotIndices { name: pack.clone(), at: span });
            return None;
        };
        let place = |index: usize| Place {
            sub: Sub::Affine(Affine::index(index)),
            interval: Some(Interval::below(&domain[index])),
            field: None,
            span,
        };
        Some(indices.into_iter().map(place).collect())
    }

    /// A value as a subscript of an axis. `None` is reported.
    pub fn place(&mut self, value: &Value, size: Option<&Dim>, span: Span) -> Option<Place> {
        match value {
            Value::Error => None,
            Value::Int(_) | Value::Ratio(..) => {
                let Some(dim) = value.as_dim() else {
                    self.whole_error(value, "a subscript", span);
                    return None;
                };
                let dim = size.map_or(dim.clone(), |size| from_start(&dim, size));
                let interval = Some(Interval { least: dim.clone(), greatest: dim.clone() });
                Some(Place { sub: Sub::Affine(Affine::constant(dim)), interval, field: None, span })
            }
            Value::Indexed(scalar) if scalar.elem == Elem::Int => {
                let id = self.indexed_scalar(value, span)?;
                let affine = self.with_index_body(|l| affine_of(l, id)).flatten();
                Some(match affine {
                    Some(affine) => {
                        let interval = self.affine_interval(&affine).or(scalar.interval.clone());
                        Place { sub: Sub::Affine(affine), interval, field: None, span }
                    }
                    None => {
                        let (interval, field) = (scalar.interval.clone(), scalar.field.clone());
                        Place { sub: Sub::Value(id), interval, field, span }
                    }
                })
            }
            Value::Tensor(tensor) if tensor.rank() == 0 && tensor.ty.elem == Elem::Int => {
                if let Some(affine) = &tensor.affine {
                    let interval = self.affine_interval(affine).or(tensor.interval.clone());
                    return Some(Place { sub: Sub::Affine(affine.clone()), interval, field: None, span });
                }
                let id = self.indexed_scalar(value, span)?;
                let (interval, field) = (tensor.interval.clone(), tensor.field.clone());
                Some(Place { sub: Sub::Value(id), interval, field, span })
            }
            Value::Float(_) => {
                self.whole_error(value, "a subscript", span);
                None
            }
            _ => {
                self.report(ReadError::NotInt { found: value.clone(), at: span });
                None
            }
        }
    }

    /// Reports subscripts that are not known to lie within their axes. What depends on symbolic dimensions waits.
    pub fn must_fit(&mut self, places: &[Place], what: &Subscripted<'_>) -> bool {
        if self.index_frames.iter().any(|frame| frame.doubtful) {
            return true;
        }
        let mut all = true;
        for (axis, (place, size)) in places.iter().zip(&what.tensor.ty.shape).enumerate() {
            let fits = place.interval.as_ref().map(|interval| within(interval, size));
            if fits.as_ref().is_some_and(Fits::always) {
                continue;
            }
            // What the type of a field says counts: of a `class(5)` nothing lies within 3 places for sure.
            let never = fits.as_ref().is_some_and(Fits::never);
            if let Some(field) = place.field.as_ref().filter(|_| !never) {
                let bound = Bound { below: size.clone(), span: place.span, is_declared: false };
                self.conditions.ints.push((field.clone(), bound));
                continue;
            }
            match (&place.interval, fits) {
                (Some(interval), Some(fits)) if self.may_wait(place, interval, size, &fits) => {}
                (interval, _) => {
                    self.outside(place, interval.as_ref(), axis, size, what);
                    all = false;
                }
            }
        }
        all
    }

    /// Lets a condition wait for the number of a symbolic dimension, where that is how it can hold.
    pub fn may_wait(&mut self, place: &Place, interval: &Interval, size: &Dim, fits: &Fits) -> bool {
        if fits.never() {
            return false;
        }
        let room = &(size - &interval.greatest) - &Dim::ONE;
        let ends = [(fits.lower, interval.least.clone()), (fits.upper, room)];
        let open: Vec<Dim> =
            ends.into_iter().filter(|(fit, _)| *fit == Fit::Open).map(|(_, end)| end).collect();
        if !open.iter().all(grows) {
            return false;
        }
        let text = self.text(place.span);
        let message =
            format!("the subscript `{text}` lies in {} of an axis of size {size}", show_interval(interval));
        open.into_iter().for_each(|end| self.defer(end, place.span, message.clone()));
        true
    }

    pub fn outside(
        &mut self,
        place: &Place,
        interval: Option<&Interval>,
        axis: usize,
        size: &Dim,
        what: &Subscripted<'_>,
    ) {
        let error = OutsideError {
            axis,
            size: size.clone(),
            values: interval.cloned(),
            tensor: Shape::of(what.tensor),
            base: what.span,
            access: what.access,
            at: place.span,
        };
        self.report(ReadError::Outside(error));
    }

    /// The condition under which all subscripts lie within the axes; `None` if they always do.
    pub fn inside_condition(&mut self, places: &[Place], shape: &[Dim]) -> Option<ScalarId> {
        let mut all: Option<ScalarId> = None;
        for (place, size) in places.iter().zip(shape) {
            let open = Fits { lower: Fit::Open, upper: Fit::Open };
            let fits = place.interval.as_ref().map_or(open, |interval| within(interval, size));
            if fits.always() {
                continue;
            }
            let sub = place.sub.clone();
            all = self.with_index_body(|l| {
                let at = match &sub {
                    Sub::Affine(affine) => l.affine(affine.clone()),
                    Sub::Value(id) => *id,
                };
                let mut inside = all;
                if fits.lower != Fit::Always {
                    let zero = l.int(0);
                    let above = l.binary(BinaryOp::Le, zero, at);
                    inside = Some(both(l, inside, above));
                }
                if fits.upper != Fit::Always {
                    let size = match size.as_number() {
                        Some(number) => l.int(number),
                        None => l.size(size),
                    };
                    let below = l.binary(BinaryOp::Lt, at, size);
                    inside = Some(both(l, inside, below));
                }
                inside
            })?;
        }
        all
    }
}

impl Place {
    /// The affine expression, if it is one.
    pub fn affine(&self) -> Option<Affine> {
        match &self.sub {
            Sub::Affine(affine) => Some(affine.clone()),
            Sub::Value(_) => None,
        }
    }

    pub fn broken(span: Span) -> Place {
        Place { sub: Sub::Affine(Affine::constant(0i64)), interval: None, field: None, span }
    }
}

fn both(l: &mut LoopBuilder<'_>, a: Option<ScalarId>, b: ScalarId) -> ScalarId {
    match a {
        Some(a) => l.binary(BinaryOp::And, a, b),
        None => b,
    }
}

/// `0 .. n`, without the end.
fn show_interval(interval: &Interval) -> String {
    format!("{} .. {}", interval.least, &interval.greatest + &Dim::ONE)
}
