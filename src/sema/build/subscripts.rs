//! What subscripts of whole tensors and of lists mean: `x[:, 0]`, `x[1:]`, `x[:, new]`, `x[..., -1]`, `.T`, from their
//! values to the loop that reads the elements.

use crate::base::Span;
use crate::ir::program::Bound;
use crate::ir::{Affine, Dim, Elem, LoopBuilder, Sub};
use crate::sema::build::Builder;
use crate::sema::build::index::bounds::{Fit, from_start, grows, not_negative};
use crate::sema::build::operators::interval_of;
use crate::sema::scope::report::shapes::Shape;
use crate::sema::scope::report::subscripts::{Slip, SubscriptError};
use crate::sema::value::{Axis, Tensor, Value};
use crate::syntax::ast::{self, SubscriptKind};

/// `start:end:step`, each with its place.
#[derive(Debug)]
pub struct Slice {
    pub start: Option<(Value, Span)>,
    pub end: Option<(Value, Span)>,
    pub step: Option<(Value, Span)>,
}

/// A subscript, the expressions of which are values.
#[derive(Debug)]
pub enum Subscript {
    /// `x[2]`
    At { place: Value, span: Span },
    /// `x[start:end:step]`, and its place
    Slice(Box<Slice>, Span),
    /// `new`
    New,
    /// `...`
    Rest,
}

/// The effect of one subscript on its axis.
enum Part {
    /// `start + step * i` for `i < size`.
    Range { start: Dim, step: i64, size: Dim },
    /// A single element: the axis is dropped.
    At(Affine),
    /// A single element whose index is known at run time.
    Gather(Tensor),
    /// A new stretchable axis.
    New,
}

impl Builder<'_> {
    /// Whether there are not more subscripts than axes, and at most one `...`.
    pub fn has_axes_for(&mut self, tensor: &Tensor, base_span: Span, subscripts: &ast::Subscripts) -> bool {
        let items = subscripts.items.iter();
        let named =
            items.filter(|item| !matches!(item.kind, SubscriptKind::New | SubscriptKind::Rest)).count();
        if named > tensor.rank() {
            let error = SubscriptError::TooMany {
                named,
                found: Shape::of(tensor),
                at: subscripts.span,
                base: base_span,
                slip: self.subscript_slip(base_span, subscripts.span),
            };
            self.report(error);
            return false;
        }
        if subscripts.items.iter().filter(|item| matches!(item.kind, SubscriptKind::Rest)).count() > 1 {
            self.report(SubscriptError::TwoRests { at: subscripts.span });
            return false;
        }
        true
    }

    /// `list[2]`, `list[1:]`
    pub fn element_of_list(
        &mut self,
        list: &Value,
        base_span: Span,
        subscript: &Subscript,
        span: Span,
    ) -> Value {
        let elements = list.elements().unwrap_or_default();
        match subscript {
            // An index known at run time only: the list becomes a tensor.
            Subscript::At { place, span: at } if place.is_run_time() => match self.to_tensor(list, base_span) {
                Some(tensor) => self.element_at(&tensor, base_span, *at, place, span),
                None => Value::Error,
            },
            Subscript::At { place, span: at } => {
                let Some(number) = place.as_int() else {
                    self.whole_error(place, "the subscript of a list", *at);
                    return Value::Error;
                };
                let from_start = from_start(&Dim::number(number), &Dim::from(elements.len())).as_number();
                let from_start = from_start.and_then(|place| usize::try_from(place).ok());
                match from_start.and_then(|place| elements.get(place)) {
                    Some(value) => value.clone(),
                    None => {
                        let (elements, at) = (elements.len(), *at);
                        let error = SubscriptError::OutsideList { number, elements, at, base: base_span };
                        self.report(error)
                    }
                }
            }
            Subscript::Slice(slice, _) => {
                let size = Dim::from(elements.len());
                let Some(Part::Range { start, step, size }) = self.slice_part(slice, &size, span) else {
                    return Value::Error;
                };
                let (Some(start), Some(size)) = (start.as_number(), size.as_number()) else {
                    return Value::Error;
                };
                let places = (0..size).map(|at| (start + at * step) as usize);
                Value::list(places.filter_map(|place| elements.get(place).cloned()).collect())
            }
            Subscript::New | Subscript::Rest => Value::Error,
        }
    }

    /// The part of a tensor that subscripts name, which [`Builder::has_axes_for`] all.
    pub fn slice(&mut self, tensor: &Tensor, base_span: Span, subscripts: &[Subscript], span: Span) -> Value {
        let axes = tensor.axes();
        let named =
            subscripts.iter().filter(|item| !matches!(item, Subscript::New | Subscript::Rest)).count();
        let mut parts: Vec<Part> = Vec::new();
        let mut kept: Vec<Option<Axis>> = Vec::new();
        let mut axis = 0;
        let whole = |axis: &Axis| Part::Range { start: Dim::ZERO, step: 1, size: axis.size.clone() };
        let mut fits = true;
        for subscript in subscripts {
            let part = match subscript {
                Subscript::New => {
                    parts.push(Part::New);
                    kept.push(None);
                    continue;
                }
                Subscript::Rest => {
                    for _ in 0..axes.len() - named {
                        parts.push(whole(&axes[axis]));
                        kept.push(Some(axes[axis].clone()));
                        axis += 1;
                    }
                    continue;
                }
                Subscript::Slice(slice, span) => self.slice_part(slice, &axes[axis].size, *span),
                Subscript::At { place, span } => {
                    self.place_part(*span, place, &axes[axis].size, axis, tensor, base_span)
                }
            };
            fits &= part.is_some();
            parts.push(part.unwrap_or_else(|| whole(&axes[axis])));
            kept.push(Some(axes[axis].clone()));
            axis += 1;
        }
        for axis in &axes[axis..] {
            parts.push(whole(axis));
            kept.push(Some(axis.clone()));
        }
        if !fits {
            return Value::Error;
        }
        self.take(tensor, &parts, &kept, span)
    }

    /// `a:b:s`, which must lie within the axis. `None` is reported.
    fn slice_part(&mut self, slice: &Slice, size: &Dim, span: Span) -> Option<Part> {
        let Slice { start, end, step } = slice;
        let step = match step {
            Some((step, step_span)) => match step.as_int() {
                Some(step) if step >= 1 => step,
                Some(step) => {
                    self.report(SubscriptError::Step { step, at: span });
                    return None;
                }
                None => {
                    self.whole_error(step, "the step of a slice", *step_span);
                    return None;
                }
            },
            None => 1,
        };
        let start = match start {
            Some(start) => self.slice_end(start, size, "the start of a slice")?,
            None => Dim::ZERO,
        };
        let end = match end {
            Some(end) => self.slice_end(end, size, "the end of a slice")?,
            None => size.clone(),
        };
        let ends = [start.clone(), size - &end, &end - &start];
        let outside = SubscriptError::SliceOutside {
            start: start.clone(),
            end: end.clone(),
            size: size.clone(),
            at: span,
        };
        if !self.holds_or_waits(&ends, span, &outside.message()) {
            self.report(outside);
            return None;
        }
        let length = &end - &start;
        let count =
            if step == 1 { length } else { (&length + &Dim::number(step - 1)).floor_div(&Dim::number(step)) };
        Some(Part::Range { start, step, size: count })
    }

    /// The end of a slice, counted from the start of the axis.
    fn slice_end(&mut self, (value, span): &(Value, Span), size: &Dim, what: &str) -> Option<Dim> {
        match value.as_dim() {
            Some(dim) => Some(from_start(&dim, size)),
            None => {
                self.whole_error(value, what, *span);
                None
            }
        }
    }

    /// What was probably meant by more subscripts than there are axes.
    fn subscript_slip(&self, base: Span, subscripts: Span) -> Option<Slip> {
        let (base, text) = (self.text(base), self.text(subscripts));
        if base.starts_with('[') && base.ends_with(']') {
            return Some(Slip::Rows);
        }
        let mut parts = text.split(['[', ',', ']']).map(str::trim);
        let word = parts.find(|part| matches!(*part, "None" | "newaxis" | "np.newaxis"))?;
        Some(Slip::New(word.to_owned()))
    }

    fn take(&mut self, tensor: &Tensor, parts: &[Part], kept: &[Option<Axis>], span: Span) -> Value {
        let Some(node) = self.node(tensor, span) else { return Value::Error };
        let mut gathers = Vec::new();
        for part in parts {
            if let Part::Gather(at) = part {
                match self.node(at, span) {
                    Some(node) => gathers.push(node),
                    None => return Value::Error,
                }
            }
        }
        let mut out: Vec<Axis> = Vec::new();
        for (part, axis) in parts.iter().zip(kept) {
            match part {
                Part::Range { size, .. } => {
                    let stretch = axis.as_ref().is_some_and(|axis| axis.stretch && size.is_number(1));
                    out.push(Axis { size: size.clone(), stretch });
                }
                Part::New => out.push(Axis::stretchable()),
                Part::At(_) | Part::Gather(_) => {}
            }
        }
        let shape: Vec<Dim> = out.iter().map(|axis| axis.size.clone()).collect();
        let mut l = LoopBuilder::new(self.graph(), shape);
        let mut subs = Vec::new();
        let (mut index, mut gather) = (0, 0);
        for part in parts {
            match part {
                Part::Range { start, step, .. } => {
                    let place = Affine::index(index).scale(&Dim::number(*step)).offset(start);
                    subs.push(Sub::Affine(place));
                    index += 1;
                }
                Part::New => index += 1,
                Part::At(place) => subs.push(Sub::Affine(place.clone())),
                Part::Gather(_) => {
                    let place = l.read(gathers[gather], Vec::new());
                    subs.push(Sub::Value(place));
                    gather += 1;
                }
            }
        }
        let value = l.read(node, subs);
        let made = l.map(value);
        let made = self.add_loop(span, made);
        let stretch = out.iter().map(|axis| axis.stretch).collect();
        Value::Tensor(Tensor {
            stretch,
            interval: tensor.interval.clone(),
            field: tensor.field.clone(),
            ..made
        })
    }

    /// Whether no number is known to be negative. Those with symbolic dimensions are checked when these have their
    /// sizes.
    fn holds_or_waits(&mut self, ends: &[Dim], span: Span, message: &str) -> bool {
        let open: Vec<&Dim> = ends.iter().filter(|end| not_negative(end) != Fit::Always).collect();
        let may_hold = open.iter().all(|end| not_negative(end) == Fit::Open && grows(end));
        if may_hold {
            open.into_iter().for_each(|end| self.defer(end.clone(), span, message.to_string()));
        }
        may_hold
    }

    /// A place that is known at run time: it is proven to lie within the axis, or what it comes from must keep to it.
    fn run_time_place(
        &mut self,
        at: Span,
        value: &Value,
        place: &Tensor,
        size: &Dim,
        outside: &dyn Fn(String, Option<String>) -> SubscriptError,
    ) -> Option<Part> {
        let interval = interval_of(value);
        let fits = interval
            .as_ref()
            .is_some_and(|values| values.least.at_least(&Dim::ZERO) && size.at_least(&(&values.greatest + &Dim::ONE)));
        let never = interval.as_ref().is_some_and(|values| values.greatest.at_least(size));
        match place.field.as_ref().filter(|_| !never) {
            _ if fits => {}
            Some(source) => {
                let below = Bound { below: size.clone(), span: at, is_declared: false };
                self.conditions.ints.push((source.clone(), below));
            }
            None => {
                let text = self.text(at);
                let range = match &interval {
                    Some(values) => format!("`{text}` lies in {} .. {}", values.least, &values.greatest + &Dim::ONE),
                    None => format!("nothing is known of the range of `{text}`"),
                };
                self.report(outside(format!("`{text}`"), Some(range)));
                return None;
            }
        }
        Some(match &place.affine {
            Some(affine) => Part::At(affine.clone()),
            None => Part::Gather(place.clone()),
        })
    }

    /// `x.T`: the last two axes change places.
    pub fn transpose_last(&mut self, value: &Value, value_span: Span, span: Span) -> Value {
        if value.is_error() {
            return Value::Error;
        }
        if self.in_elementwise_body() {
            return self.not_elementwise("`.T`", span);
        }
        let Some(tensor) = self.to_tensor(value, value_span) else { return Value::Error };
        let rank = tensor.rank();
        if rank < 2 {
            return self.report(SubscriptError::TooFewAxes { found: Shape::of(&tensor), at: span });
        }
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(rank - 1, rank - 2);
        self.permute(&tensor, &order, span)
    }

    /// The axes in another order: axis k of the result is axis `order[k]`.
    pub fn permute(&mut self, tensor: &Tensor, order: &[usize], span: Span) -> Value {
        let Some(node) = self.node(tensor, span) else { return Value::Error };
        let shape = order.iter().map(|axis| tensor.ty.shape[*axis].clone()).collect();
        let mut l = LoopBuilder::new(self.graph(), shape);
        let mut subs = vec![Sub::Affine(Affine::constant(0i64)); order.len()];
        for (place, axis) in order.iter().enumerate() {
            subs[*axis] = Sub::Affine(Affine::index(place));
        }
        let value = l.read(node, subs);
        let made = l.map(value);
        let made = self.add_loop(span, made);
        let stretch = order.iter().map(|axis| tensor.stretch[*axis]).collect();
        Value::Tensor(Tensor {
            stretch,
            interval: tensor.interval.clone(),
            field: tensor.field.clone(),
            ..made
        })
    }

    /// The element of a tensor's first axis at an elaborated index.
    fn element_at(
        &mut self,
        tensor: &Tensor,
        base_span: Span,
        at: Span,
        place: &Value,
        span: Span,
    ) -> Value {
        let axes = tensor.axes();
        let Some(part) = self.place_part(at, place, &axes[0].size, 0, tensor, base_span) else {
            return Value::Error;
        };
        let rest =
            axes[1..].iter().map(|axis| Part::Range { start: Dim::ZERO, step: 1, size: axis.size.clone() });
        let parts: Vec<Part> = std::iter::once(part).chain(rest).collect();
        let kept: Vec<Option<Axis>> = axes.iter().cloned().map(Some).collect();
        self.take(tensor, &parts, &kept, span)
    }

    /// The same for an elaborated subscript.
    fn place_part(
        &mut self,
        at: Span,
        value: &Value,
        size: &Dim,
        axis: usize,
        tensor: &Tensor,
        base_span: Span,
    ) -> Option<Part> {
        let outside = |place: String, range: Option<String>| {
            let (size, found) = (size.clone(), Shape::of(tensor));
            SubscriptError::PlaceOutside { place, size, axis, at, found, base: base_span, range }
        };
        match value {
            Value::Error => None,
            Value::Int(_) | Value::Ratio(..) => {
                let Some(place) = value.as_dim() else {
                    self.whole_error(value, "a subscript", at);
                    return None;
                };
                let from_start = from_start(&place, size);
                let room = &(size - &from_start) - &Dim::ONE;
                let error = outside(place.to_string(), None);
                if !self.holds_or_waits(&[from_start.clone(), room], at, &error.message()) {
                    self.report(error);
                    return None;
                }
                Some(Part::At(Affine::constant(from_start)))
            }
            Value::Tensor(place) if place.ty.elem == Elem::Int => {
                if place.rank() > 0 {
                    self.report(SubscriptError::ManyPlaces { found: Shape::of(place), at });
                    return None;
                }
                self.run_time_place(at, value, place, size, &outside)
            }
            Value::Float(_) => {
                self.whole_error(value, "a subscript", at);
                None
            }
            other => {
                self.report(SubscriptError::NotInt { found: other.clone(), at });
                None
            }
        }
    }
}
