//! Functions that change shapes.

use super::{Arguments, Builtin, builtin};
use crate::base::{Cause, Diagnostic, Span};
use crate::ir::{Affine, BinaryOp, Dim, Elem, LoopBuilder, Op, Sub};
use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::tensors::{common_elem, convert, number_elem, number_scalar};
use crate::sema::value::{Axis, Tensor, Value, show_axes};

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
}

fn reshape(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let (x, sizes) = (a.arg("x"), a.arg("shape"));
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let items = sizes.value.elements().unwrap_or_else(|| vec![sizes.value.clone()]);
    let total = tensor.ty.count();
    let found = show_axes(tensor.ty.elem, &tensor.axes());
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
                let message =
                    format!("{found} cannot be reshaped: {total} elements are not a multiple of {rest}");
                return e.error("E0212", message, a.span, "no size fits here");
            }
        }
    } else if Dim::product(&dims) != total {
        let axes: Vec<Axis> = dims.iter().cloned().map(Axis::new).collect();
        let wanted = show_axes(Elem::Float, &axes);
        let message = format!("cannot reshape {found} to {wanted}");
        let error =
            Diagnostic::error("E0212", message).at(sizes.span, format!("{} elements", Dim::product(&dims)));
        e.report(error.and_at(x.span, format!("{total} elements")));
        return Value::Error;
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
        return e.error("E0209", "`flatten` of a scalar", x.span, "there is no axis 1");
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
            sorted.sort_unstable();
            if sorted != (0..rank).collect::<Vec<_>>() {
                let message = format!("`transpose` of a tensor with {rank} axes needs each of them once");
                return e.error("E0209", message, given.span, "not an order of all axes");
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
        let message =
            format!("`{}` needs a list of tensors, found {}", a.builtin.name, list.value.describe());
        let error = Diagnostic::error("E0116", message).at(list.span, "not a list");
        e.report(error.help(format!("`{}([a, b], axis = 1)`", a.builtin.name)));
        return None;
    };
    if items.is_empty() {
        e.error(
            "E0213",
            format!("`{}` of an empty list", a.builtin.name),
            list.span,
            "at least one tensor is needed",
        );
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
            let (x, y) = (show_axes(Elem::Float, &tensors[0].axes()), show_axes(Elem::Float, &tensor.axes()));
            let message = format!("cannot concatenate {x} and {y} along axis {axis}");
            return e.error("E0213", message, list, format!("all axes but axis {axis} must be equal"));
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

fn stack(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let Some((tensors, elem, list)) = tensors(e, a) else { return Value::Error };
    let rank = tensors[0].rank() + 1;
    let zero = Value::int(0);
    let axis = a.get("axis").map_or((&zero, a.span), |given| (&given.value, given.span));
    let Some(axis) = e.axis(axis.0, rank, axis.1) else { return Value::Error };
    if let Some(other) = tensors.iter().find(|tensor| tensor.ty.shape != tensors[0].ty.shape) {
        let (x, y) = (show_axes(Elem::Float, &tensors[0].axes()), show_axes(Elem::Float, &other.axes()));
        return e.error("E0213", format!("cannot stack {x} and {y}"), list, "all shapes must be equal");
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
        let message = format!("axis {axis} of size {size} cannot be split into {parts} equal parts");
        let error =
            Diagnostic::error("E0214", message).at(n.span, format!("{size} is not a multiple of {parts}"));
        e.report(error.and_at(x.span, format!("this is {}", show_axes(tensor.ty.elem, &tensor.axes()))));
        return Value::Error;
    };
    let mut made = Vec::new();
    for at in 0..parts {
        if !e.work(a.span) {
            return Value::Error;
        }
        let start = &part * &Dim::number(at);
        made.push(window(e, &tensor, axis, &start, &part, a.span));
    }
    Value::list(made)
}

/// `size` places of one axis from `start` on.
fn window(
    e: &mut Builder<'_>,
    tensor: &Tensor,
    axis: usize,
    start: &Dim,
    size: &Dim,
    span: Span,
) -> Value {
    let Some(node) = e.node(tensor, span) else { return Value::Error };
    let mut shape = tensor.ty.shape.clone();
    shape[axis] = size.clone();
    let rank = shape.len();
    let mut l = LoopBuilder::new(e.graph(), shape);
    let place = |at: usize| if at == axis { Affine::index(at).offset(start) } else { Affine::index(at) };
    let subs = (0..rank).map(|at| Sub::Affine(place(at))).collect();
    let value = l.read(node, subs);
    let made = l.map(value);
    let made = e.add_loop(span, made);
    let mut stretch = tensor.stretch.clone();
    stretch[axis] = false;
    Value::Tensor(Tensor { stretch, interval: tensor.interval.clone(), field: tensor.field.clone(), ..made })
}

fn pad(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let (x, widths) = (a.arg("x"), a.arg("widths"));
    let Some(tensor) = e.to_tensor(x.value, x.span) else { return Value::Error };
    let zero = Value::int(0);
    let fill = a
        .get("value")
        .map_or(Arg { value: &zero, span: a.span }, |given| Arg { value: &given.value, span: given.span });
    if !fill.value.is_number() {
        let message = format!("`pad` fills with a compile-time number, found {}", fill.value.describe());
        let error = Diagnostic::error("E0117", message).because(Cause::NotKnown);
        e.report(error.at(fill.span, "not known at compile time"));
        return Value::Error;
    }
    let pairs = widths.value.elements().unwrap_or_default();
    if pairs.len() != tensor.rank() {
        let message = format!(
            "`pad` of a tensor with {} axes needs as many pairs, found {}",
            tensor.rank(),
            pairs.len()
        );
        let error = Diagnostic::error("E0211", message)
            .at(widths.span, "one pair (before, after) for each axis from the first");
        e.report(error.and_at(x.span, format!("this is {}", show_axes(tensor.ty.elem, &tensor.axes()))));
        return Value::Error;
    }
    let mut sides = Vec::new();
    for pair in &pairs {
        let Some([before, after]) =
            pair.elements().as_deref().and_then(|pair| <&[Value; 2]>::try_from(pair).ok().cloned())
        else {
            return e.error(
                "E0116",
                format!("`pad` needs pairs (before, after), found {}", pair.describe()),
                widths.span,
                "not a pair",
            );
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
