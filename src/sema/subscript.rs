//! Subscripts of whole tensors: `x[:, 0]`, `x[1:]`, `x[:, new]`, `x[..., -1]`, `.T`; and of lists.

use super::elaborator::Elaborator;
use super::index::{Fit, grows, not_negative};
use super::operators::interval_of;
use super::value::{Axis, Tensor, Value, show_axes};
use crate::base::{Diagnostic, Span};
use crate::ir::{Affine, Dim, Elem, LoopBuilder, Sub};
use crate::syntax::ast::{self, SubscriptKind};

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

impl Elaborator<'_> {
    pub fn subscript(
        &mut self,
        base: Value,
        base_span: Span,
        subscripts: &ast::Subscripts,
        span: Span,
    ) -> Value {
        if self.in_elementwise_body() && base.is_run_time() {
            return self.not_elementwise("a subscript", span);
        }
        match &base {
            Value::Error => Value::Error,
            Value::List(_) | Value::Pack(_) if !self.mentions_index(subscripts) => {
                self.list_element(&base, base_span, subscripts, span)
            }
            Value::Indexed(_) => {
                let error =
                    Diagnostic::error("E0126", "an indexed value has no axes").at(span, "subscripted here");
                self.report(error.help("functions of indexed values must be elementwise"));
                Value::Error
            }
            _ if self.mentions_index(subscripts) => match self.to_tensor(&base, base_span) {
                Some(tensor) => super::index::subscript(self, &tensor, subscripts, span),
                None => Value::Error,
            },
            Value::Tensor(tensor) => self.slice(tensor, base_span, subscripts, span),
            other => {
                let message = format!("{} cannot be subscripted", other.describe());
                self.error("E0124", message, base_span, "not a tensor or list")
            }
        }
    }

    /// Whether a subscript stands in index notation: it names an index, a pack of indices, or has an `else`.
    pub fn mentions_index(&self, subscripts: &ast::Subscripts) -> bool {
        if subscripts.otherwise.is_some()
            || subscripts.items.iter().any(|item| matches!(item.kind, SubscriptKind::Pack(_)))
        {
            return true;
        }
        if self.index_frames.is_empty() {
            return false;
        }
        let mut found = false;
        super::walk::subscripts(subscripts, &mut |expr| match &expr.kind {
            ast::ExprKind::Name(name) => {
                found |= self.frame().find(name).is_some_and(|cx| matches!(cx.value, Value::Indexed(_)));
            }
            // `c[y[...s]]`: the element of `y` stands at the place that the pack names.
            ast::ExprKind::Subscript { subscripts, .. } => {
                found |= subscripts.items.iter().any(|item| matches!(item.kind, SubscriptKind::Pack(_)));
            }
            _ => {}
        });
        found
    }

    fn list_element(
        &mut self,
        list: &Value,
        base_span: Span,
        subscripts: &ast::Subscripts,
        span: Span,
    ) -> Value {
        let elements = list.elements().unwrap_or_default();
        let numbers = elements.iter().all(Value::is_number);
        match subscripts.items.as_slice() {
            [ast::Subscript { kind: SubscriptKind::At(at), .. }] => {
                let made = self.expr(at, None);
                // An index known at run time only: the list becomes a tensor.
                if made.is_run_time() {
                    return match self.to_tensor(list, base_span) {
                        Some(tensor) => self.element_at(&tensor, base_span, at, &made, span),
                        None => Value::Error,
                    };
                }
                let Some(number) = made.as_int() else {
                    self.whole_error(&made, "the subscript of a list", at.span);
                    return Value::Error;
                };
                let place = if number < 0 { number + elements.len() as i64 } else { number };
                match usize::try_from(place).ok().and_then(|place| elements.get(place)) {
                    Some(value) => value.clone(),
                    None => {
                        let message = format!("element {number} of a list of {}", elements.len());
                        let error = Diagnostic::error("E0210", message).at(at.span, "outside the list");
                        self.report(error.and_at(base_span, format!("{} elements", elements.len())));
                        Value::Error
                    }
                }
            }
            [ast::Subscript { kind: SubscriptKind::Slice(slice), .. }] => {
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
            _ if numbers || !elements.is_empty() => match self.to_tensor(list, base_span) {
                Some(tensor) => self.slice(&tensor, base_span, subscripts, span),
                None => Value::Error,
            },
            _ => self.error("E0210", "an empty list has no elements", span, "subscripted here"),
        }
    }

    /// The element of a tensor's first axis at an elaborated index.
    fn element_at(
        &mut self,
        tensor: &Tensor,
        base_span: Span,
        at: &ast::Expr,
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

    fn slice(&mut self, tensor: &Tensor, base_span: Span, subscripts: &ast::Subscripts, span: Span) -> Value {
        let axes = tensor.axes();
        let named = subscripts
            .items
            .iter()
            .filter(|item| !matches!(item.kind, SubscriptKind::New | SubscriptKind::Rest))
            .count();
        if named > axes.len() {
            let found = show_axes(tensor.ty.elem, &axes);
            let message = format!("{named} subscripts for {found}");
            let error = Diagnostic::error("E0211", message).at(
                subscripts.span,
                format!("{} can be subscripted", super::tensors::count(axes.len(), "axis", "axes")),
            );
            let error = error.and_at(base_span, format!("this is {found}"));
            let rows = self.text(base_span).ends_with(']') && self.text(base_span).starts_with('[');
            let text = self.text(subscripts.span);
            let none = text
                .split(['[', ',', ']'])
                .find(|part| matches!(part.trim(), "None" | "newaxis" | "np.newaxis"));
            self.report(match (rows, none) {
                (true, _) => error.help("if these are two rows of a matrix, a comma is missing between them"),
                (false, Some(none)) => error
                    .help(format!("an axis of size 1 is made by `new`, not `{}`: `x[:, new]`", none.trim())),
                (false, None) => error,
            });
            return Value::Error;
        }
        if subscripts.items.iter().filter(|item| matches!(item.kind, SubscriptKind::Rest)).count() > 1 {
            return self.error(
                "E0211",
                "`...` stands twice",
                subscripts.span,
                "it can stand for all axes not named only once",
            );
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut kept: Vec<Option<Axis>> = Vec::new();
        let mut axis = 0;
        let whole = |axis: &Axis| Part::Range { start: Dim::ZERO, step: 1, size: axis.size.clone() };
        let mut fits = true;
        for item in &subscripts.items {
            let part = match &item.kind {
                SubscriptKind::New => {
                    parts.push(Part::New);
                    kept.push(None);
                    continue;
                }
                SubscriptKind::Rest => {
                    for _ in 0..axes.len() - named {
                        parts.push(whole(&axes[axis]));
                        kept.push(Some(axes[axis].clone()));
                        axis += 1;
                    }
                    continue;
                }
                SubscriptKind::Slice(slice) => self.slice_part(slice, &axes[axis].size, item.span),
                SubscriptKind::At(at) => self.at_part(at, &axes[axis].size, axis, tensor, base_span),
                SubscriptKind::Pack(_) => return Value::Error,
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

    /// `a:b:s`, which must lie within the axis.
    fn slice_part(&mut self, slice: &ast::Slice, size: &Dim, span: Span) -> Option<Part> {
        let step = match &slice.step {
            Some(step) => match self.compile_time_int(step, "the step of a slice")? {
                step if step >= 1 => step,
                step => {
                    self.error(
                        "E0222",
                        format!("the step of a slice is {step}"),
                        span,
                        "a step is at least 1",
                    );
                    return None;
                }
            },
            None => 1,
        };
        let start = match &slice.start {
            Some(start) => self.slice_end(start, size, "the start of a slice")?,
            None => Dim::ZERO,
        };
        let end = match &slice.end {
            Some(end) => self.slice_end(end, size, "the end of a slice")?,
            None => size.clone(),
        };
        let message = format!("the slice {start}:{end} of an axis of size {size}");
        let ends = [start.clone(), size - &end, &end - &start];
        if !self.holds_or_waits(&ends, span, &message) {
            let known =
                start.as_number().is_some() && end.as_number().is_some() && size.as_number().is_some();
            let label =
                if known { "reaches outside" } else { "may reach outside: it is not proven to lie within" };
            let error = Diagnostic::error("E0210", message).at(span, label);
            self.report(error.note("slices are not clipped: `a:b` needs 0 <= a <= b <= size"));
            return None;
        }
        let length = &end - &start;
        let count =
            if step == 1 { length } else { (&length + &Dim::number(step - 1)).floor_div(&Dim::number(step)) };
        Some(Part::Range { start, step, size: count })
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

    /// The end of a slice; a negative number counts from the end of the axis.
    fn slice_end(&mut self, expr: &ast::Expr, size: &Dim, what: &str) -> Option<Dim> {
        let value = self.expr(expr, None);
        match value.as_dim() {
            Some(dim) => {
                Some(if dim.as_number().is_some_and(|number| number < 0) { size + &dim } else { dim })
            }
            None => {
                self.whole_error(&value, what, expr.span);
                None
            }
        }
    }

    /// A single subscript.
    fn at_part(
        &mut self,
        at: &ast::Expr,
        size: &Dim,
        axis: usize,
        tensor: &Tensor,
        base_span: Span,
    ) -> Option<Part> {
        let value = self.expr(at, None);
        self.place_part(at, &value, size, axis, tensor, base_span)
    }

    /// The same for an elaborated subscript.
    fn place_part(
        &mut self,
        at: &ast::Expr,
        value: &Value,
        size: &Dim,
        axis: usize,
        tensor: &Tensor,
        base_span: Span,
    ) -> Option<Part> {
        let outside = |place: &str| {
            Diagnostic::error("E0210", format!("subscript {place} of an axis of size {size}"))
                .at(at.span, format!("axis {axis} has the places 0 .. {size}"))
                .and_at(base_span, format!("this is {}", show_axes(tensor.ty.elem, &tensor.axes())))
        };
        match value {
            Value::Error => None,
            Value::Int(_) | Value::Ratio(..) => {
                let Some(place) = value.as_dim() else {
                    self.whole_error(value, "a subscript", at.span);
                    return None;
                };
                let from_start = if place.as_number().is_some_and(|number| number < 0) {
                    size + &place
                } else {
                    place.clone()
                };
                let room = &(size - &from_start) - &Dim::ONE;
                let message = format!("the place {place} of an axis of size {size}");
                if !self.holds_or_waits(&[from_start.clone(), room], at.span, &message) {
                    self.report(outside(&place.to_string()));
                    return None;
                }
                Some(Part::At(Affine::constant(from_start)))
            }
            Value::Tensor(place) if place.rank() == 0 && place.ty.elem == Elem::Int => {
                let interval = interval_of(value);
                let fits = interval.as_ref().is_some_and(|cx| {
                    cx.least.at_least(&Dim::ZERO) && size.at_least(&(&cx.greatest + &Dim::ONE))
                });
                if !fits {
                    let bound = place.field.clone();
                    if let Some(field) = bound {
                        let below = crate::ir::program::Bound {
                            below: size.clone(),
                            span: at.span,
                            is_declared: false,
                        };
                        self.field_bounds.push((field, below));
                    } else {
                        let text = self.text(at.span).to_string();
                        let range = match &interval {
                            Some(cx) => {
                                format!("`{text}` lies in {} .. {}", cx.least, &cx.greatest + &Dim::ONE)
                            }
                            None => format!("nothing is known of the range of `{text}`"),
                        };
                        self.report(
                            outside(&format!("`{text}`"))
                                .note(range)
                                .help("`clamp(i, 0, n - 1)` keeps it inside"),
                        );
                        return None;
                    }
                }
                Some(match &place.affine {
                    Some(affine) => Part::At(affine.clone()),
                    None => Part::Gather(place.clone()),
                })
            }
            Value::Tensor(place) if place.ty.elem == Elem::Int => {
                let found = show_axes(place.ty.elem, &place.axes());
                let message = format!("a tensor {found} as a subscript");
                let error = Diagnostic::error("E0223", message).at(at.span, "one place is needed here");
                self.report(
                    error.help("index notation takes elements at many places: `y[b, d] = table[ids[b], d]`"),
                );
                None
            }
            other => {
                match other {
                    Value::Float(_) => self.whole_error(other, "a subscript", at.span),
                    _ => {
                        let message = format!("a subscript must be an int, found {}", other.describe());
                        self.error("E0223", message, at.span, "not an int");
                    }
                }
                None
            }
        }
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
            let found = show_axes(tensor.ty.elem, &tensor.axes());
            let message = format!("`.T` of {found}");
            return self.error("E0218", message, span, "`.T` swaps the last two axes; this has fewer");
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
}
