//! Functions that change shapes.

use super::{Arguments, Builtin, builtin};
use crate::base::order::PutInOrder;
use crate::base::Span;
use crate::ir::{Affine, BinaryOp, Dim, Elem, LoopBuilder, Op, Sub};
use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::tensors::{common_elem, convert, number_elem, number_scalar};
use crate::sema::scope::report::functions::{AxisError, ReshapeError};
use crate::sema::scope::report::numbers::MakerError;
use crate::sema::scope::report::shapes::Shape;
use crate::sema::scope::report::values::ValueError;
use crate::sema::value::{Axis, Tensor, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("shape", "x", "The sizes of x as a list.", shape),
    builtin(
        "reshape",
        "x, shape",
        "x with other sizes of equally many elements, in row-major order; one size may be -1.",
        reshape,
    ),
    builtin("flatten", "x, from = 1", "All axes from `from` on made one.", flatten),
    builtin("transpose", "x, axes = none", "The axes in another order; without `axes` reversed.", transpose),
    builtin("concat", "tensors, axis = 0", "Tensors one after the other along an axis.", concat),
    builtin("stack", "tensors, axis = 0", "Tensors stacked along a new axis.", stack),
    builtin("split", "x, n, axis = 0", "n equal parts along an axis, as a list.", split),
    builtin(
        "pad",
        "x, widths, value = 0",
        "One pair (before, after) for each axis from the first, filled with `value`.",
        pad,
    ),
    builtin("flip", "x, axis = none", "Backwards along the axes (all without `axis`).", flip),
];

fn shape(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    match e.to_tensor(x.value, x.span) {
        Some(tensor) => Value::list(tensor.ty.shape.into_iter().map(Value::Int).collect()),
        None => Value::Error,
    }
}

impl Builder<'_> {
    /// The same elements with another shape of as many.
    pub fn with_shape(&mut self, tensor: &Tensor, axes: &[Axis], span: Span) -> Value {
        let Some(node) = self.node(tensor, span) else { return Value::Error };
        let shape: Vec<Dim> = axes.iter().map(|axis| axis.size.clone()).collect();
        let stretch = axes.iter().map(|axis| axis.stretch).collect();
        if shape == tensor.ty.shape {
            return Value::Tensor(Tensor { stretch, ..tensor.clone() });
        }
        let made = self.add(span, Op::Reshape { shape }, vec![node]);
        Value::Tensor(Tensor {
            stretch,
            interval: tensor.interval.clone(),
            field: tensor.field.clone(),
            ..made
        })
    }

    /// So many places of one axis from one on: `(start, size)`.
    pub fn window(&mut self, tensor: &Tensor, axis: usize, (start, size): (&Dim, &Dim), span: Span) -> Value {
        let Some(node) = self.node(tensor, span) else { return Value::Error };
        let mut shape = tensor.ty.shape.clone();
        shape[axis] = size.clone();
        let rank = shape.len();
        let mut l = LoopBuilder::new(self.graph(), shape);
        let place = |at: usize| if at == axis { Affine::index(at).offset(start) } else { Affine::index(at) };
        let subs = (0..rank).map(|at| Sub::Affine(place(at))).collect();
        let value = l.read(node, subs);
        let made = l.map(value);
        let made = self.add_loop(span, made);
        let mut stretch = tensor.stretch.clone();
        stretch[axis] = false;
        Value::Tensor(Tensor { stretch, interval: tensor.interval.clone(), field: tensor.field.clone(), ..made })
    }
}

fn reshape(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let (x, sizes) = (a.arg("x"), a.arg("shape"));
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let items = sizes.value.elements().unwrap_or_else(|| vec![sizes.value.clone()]);
    let total = tensor.ty.count();
    // One size may be left to be found.
    let open = items.iter().position(|item| item.as_int() == Some(-1));
    let mut dims = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let size = if Some(at) == open { Some(Dim::ONE) } else { e.size_of(item, "a size", sizes.span) };
        match size {
            Some(size) => dims.push(size),
            None => return Value::Error,
        }
    }
    if let Some(at) = open {
        let rest = Dim::product(&dims);
        match total.exact_div(&rest) {
            Some(size) => dims[at] = size,
            None => {
                let found = Shape::of(&tensor);
                return e.report(ReshapeError::NoSize { found, elements: total, rest, at: a.span });
            }
        }
    } else if Dim::product(&dims) != total {
        let axes: Vec<Axis> = dims.iter().cloned().map(Axis::new).collect();
        let (found, wanted) = (Shape::of(&tensor), Shape::new(Elem::Float, &axes));
        let (elements, asked) = (total, Dim::product(&dims));
        let (at, sizes) = (x.span, sizes.span);
        return e.report(ReshapeError::OtherCount { found, wanted, elements, asked, at, sizes });
    }
    let axes: Vec<Axis> = dims.into_iter().map(Axis::new).collect();
    e.with_shape(&tensor, &axes, a.span)
}

fn flatten(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let from = match a.get("from") {
        Some(given) => match e.axis(&given.value, tensor.rank() + 1, given.span) {
            Some(axis) => axis,
            None => return Value::Error,
        },
        None => 1,
    };
    if from > tensor.rank() {
        return e.report(AxisError::FlattenedScalar { at: x.span });
    }
    let mut axes = tensor.axes();
    let rest = axes.split_off(from);
    axes.push(Axis::new(Dim::product(rest.iter().map(|axis| &axis.size))));
    e.with_shape(&tensor, &axes, a.span)
}

fn transpose(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let rank = tensor.rank();
    let order: Vec<usize> = match a.get("axes") {
        None => (0..rank).rev().collect(),
        Some(given) => {
            let items = given.value.elements().unwrap_or_else(|| vec![given.value.clone()]);
            let mut order = Vec::new();
            for item in &items {
                match e.axis(item, rank, given.span) {
                    Some(axis) => order.push(axis),
                    None => return Value::Error,
                }
            }
            let mut sorted = order.clone();
            sorted.put_in_order();
            if sorted != (0..rank).collect::<Vec<_>>() {
                return e.report(AxisError::NotOrder { rank, at: given.span });
            }
            order
        }
    };
    e.permute(&tensor, &order, a.span)
}

/// The tensors of a list, with their common element type.
fn tensors(e: &mut Builder<'_>, a: &Arguments) -> Option<(Vec<Tensor>, Elem, Span)> {
    let list = a.arg("tensors");
    let Some(items) = list.value.elements() else {
        let (function, found) = (a.builtin.name, list.value.clone());
        e.report(ValueError::TensorsNotList { function, found, at: list.span });
        return None;
    };
    if items.is_empty() {
        e.report(ReshapeError::EmptyList { function: a.builtin.name, at: list.span });
        return None;
    }
    let mut tensors = Vec::new();
    for item in &items {
        tensors.push(e.to_tensor(item, list.span)?);
    }
    let elem = common_elem(tensors.iter().map(|tensor| tensor.ty.elem));
    Some((tensors, elem, list.span))
}

fn concat(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let Some((tensors, elem, list)) = tensors(e, a) else { return Value::Error };
    let rank = tensors[0].rank();
    let zero = Value::int(0);
    let axis = a.get("axis").map_or((&zero, a.span), |given| (&given.value, given.span));
    let Some(axis) = e.axis(axis.0, rank, axis.1) else { return Value::Error };
    for tensor in &tensors[1..] {
        let fits = tensor.rank() == rank
            && (0..rank).all(|at| at == axis || tensor.ty.shape[at] == tensors[0].ty.shape[at]);
        if !fits {
            if may_be_equal(e, &tensors[0], tensor, Some(axis)) {
                return Value::Error;
            }
            let shape = |tensor: &Tensor| Shape::new(Elem::Float, &tensor.axes());
            let (first, other) = (shape(&tensors[0]), shape(tensor));
            return e.report(ReshapeError::Concat { first, other, axis, at: list });
        }
    }
    if let [one] = tensors.as_slice() {
        return Value::Tensor(one.clone());
    }
    match e.join(&tensors, axis, false, elem, a.span) {
        Some(mut tensor) => {
            // Stretchable axes are ordinary here.
            tensor.stretch.iter_mut().for_each(|stretch| *stretch = false);
            Value::Tensor(tensor)
        }
        None => Value::Error,
    }
}

/// Whether sizes that nobody has chosen yet may make two shapes equal, on all axes but one.
fn may_be_equal(e: &Builder<'_>, first: &Tensor, other: &Tensor, but: Option<usize>) -> bool {
    let (a, b) = (&first.ty.shape, &other.ty.shape);
    a.len() == b.len() && (0..a.len()).all(|at| Some(at) == but || a[at] == b[at] || e.may_fit(&a[at], &b[at]))
}

fn stack(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let Some((tensors, elem, list)) = tensors(e, a) else { return Value::Error };
    let rank = tensors[0].rank() + 1;
    let zero = Value::int(0);
    let axis = a.get("axis").map_or((&zero, a.span), |given| (&given.value, given.span));
    let Some(axis) = e.axis(axis.0, rank, axis.1) else { return Value::Error };
    if let Some(other) = tensors.iter().find(|tensor| tensor.ty.shape != tensors[0].ty.shape) {
        if may_be_equal(e, &tensors[0], other, None) {
            return Value::Error;
        }
        let shape = |tensor: &Tensor| Shape::new(Elem::Float, &tensor.axes());
        let (first, other) = (shape(&tensors[0]), shape(other));
        return e.report(ReshapeError::Stack { first, other, at: list });
    }
    e.join(&tensors, axis, true, elem, a.span).map_or(Value::Error, Value::Tensor)
}

fn split(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let (x, n) = (a.arg("x"), a.arg("n"));
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let zero = Value::int(0);
    let axis = a.get("axis").map_or((&zero, a.span), |given| (&given.value, given.span));
    let Some(axis) = e.axis(axis.0, tensor.rank(), axis.1) else { return Value::Error };
    let Some(parts) = n.value.as_int() else {
        e.whole_error(n.value, "the number of parts", n.span);
        return Value::Error;
    };
    let size = &tensor.ty.shape[axis];
    let part = if parts >= 1 { size.exact_div(&Dim::number(parts)) } else { None };
    let Some(part) = part else {
        let (found, size) = (Shape::of(&tensor), size.clone());
        return e.report(ReshapeError::Split { found, axis, size, parts, at: n.span, tensor: x.span });
    };
    let mut made = Vec::new();
    for at in 0..parts {
        if !e.work(a.span) {
            return Value::Error;
        }
        let start = &part * &Dim::number(at);
        made.push(e.window(&tensor, axis, (&start, &part), a.span));
    }
    Value::list(made)
}

fn pad(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let (x, widths) = (a.arg("x"), a.arg("widths"));
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let zero = Value::int(0);
    let fill = a
        .get("value")
        .map_or(Arg { value: &zero, span: a.span }, |given| Arg { value: &given.value, span: given.span });
    if !fill.value.is_number() {
        return e.report(MakerError::Filling { found: fill.value.clone(), at: fill.span });
    }
    let pairs = widths.value.elements().unwrap_or_default();
    if pairs.len() != tensor.rank() {
        let (found, pairs) = (Shape::of(&tensor), pairs.len());
        return e.report(ReshapeError::PadWidths { found, pairs, at: widths.span, tensor: x.span });
    }
    let mut sides = Vec::new();
    for pair in &pairs {
        let Some([before, after]) =
            pair.elements().as_deref().and_then(|pair| <&[Value; 2]>::try_from(pair).ok().cloned())
        else {
            return e.report(ValueError::NotPair { found: pair.clone(), at: widths.span });
        };
        let (Some(before), Some(after)) =
            (e.size_of(&before, "a width", widths.span), e.size_of(&after, "a width", widths.span))
        else {
            return Value::Error;
        };
        sides.push((before, after));
    }
    let elem = common_elem([tensor.ty.elem, number_elem(fill.value).unwrap_or(Elem::Float)].into_iter());
    let Some(node) = e.node(&tensor, x.span) else { return Value::Error };
    let size = |(axis, (before, after)): (usize, &(Dim, Dim))| &(&tensor.ty.shape[axis] + before) + after;
    let shape: Vec<Dim> = sides.iter().enumerate().map(size).collect();
    let mut l = LoopBuilder::new(e.graph(), shape);
    let subs =
        sides.iter().enumerate().map(|(axis, (before, _))| Sub::Affine(Affine::index(axis).offset(&-before)));
    let read = l.read_padded(node, subs.collect());
    let mut value = convert(&mut l, read, elem);
    let is_zero = fill.value.as_float() == Some(0.0);
    if !is_zero {
        let mut inside = None;
        for (axis, (before, after)) in sides.iter().enumerate() {
            let place = l.affine(Affine::index(axis));
            if !before.is_number(0) {
                let low = l.size(before);
                let test = l.binary(BinaryOp::Le, low, place);
                inside = Some(inside.map_or(test, |inside| l.binary(BinaryOp::And, inside, test)));
            }
            if !after.is_number(0) {
                let high = l.size(&(before + &tensor.ty.shape[axis]));
                let test = l.binary(BinaryOp::Lt, place, high);
                inside = Some(inside.map_or(test, |inside| l.binary(BinaryOp::And, inside, test)));
            }
        }
        if let (Some(inside), Some(number)) = (inside, number_scalar(&mut l, fill.value)) {
            let number = convert(&mut l, number, elem);
            value = l.select(inside, value, number);
        }
    }
    let made = l.map(value);
    Value::Tensor(e.add_loop(a.span, made))
}

fn flip(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let mut axes = Vec::new();
    match a.get("axis") {
        None => axes.extend(0..tensor.rank()),
        Some(given) => {
            for item in given.value.elements().unwrap_or_else(|| vec![given.value.clone()]) {
                match e.axis(&item, tensor.rank(), given.span) {
                    Some(axis) => axes.push(axis),
                    None => return Value::Error,
                }
            }
        }
    }
    let Some(node) = e.node(&tensor, x.span) else { return Value::Error };
    let mut l = LoopBuilder::new(e.graph(), tensor.ty.shape.clone());
    let subs = (0..tensor.rank()).map(|axis| match axes.contains(&axis) {
        true => Affine::index(axis).scale(&Dim::number(-1)).offset(&(&tensor.ty.shape[axis] - &Dim::ONE)),
        false => Affine::index(axis),
    });
    let value = l.read(node, subs.map(Sub::Affine).collect());
    let made = l.map(value);
    let made = e.add_loop(a.span, made);
    Value::Tensor(Tensor { stretch: tensor.stretch, interval: tensor.interval, field: tensor.field, ..made })
}
