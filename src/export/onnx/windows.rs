//! Windows as `Conv`, `ConvTranspose`, `MaxPool` and `AveragePool`.

use super::cx::{Cx, Made};
use super::graph::{Attribute, Attributes, Ty, Value};
use super::layout::{Domain, Laid};
use super::products::{factors, scaled};
use super::reads::{self, Outside, Source};
use crate::base::order::PutInOrder;
use crate::ir::recognise::{Product, Side, Slide, Window};
use crate::ir::{Affine, BinaryOp, Body, Combine, Dim, Loop, Scalar, ScalarId, Sub};

/// What a window does along an axis of the tensor that it slides over.
struct Spatial {
    axis: usize,
    place: usize,
    offset: Option<usize>,
    stride: i64,
    dilation: i64,
    start: i64,
}

/// The tensor that a window slides over, and how.
struct Slid<'a> {
    operand: usize,
    subs: &'a [Sub],
    spatial: Vec<Spatial>,
}

/// The sum or greatest element of windows; `None` if no operator has this form.
pub fn sum(
    cx: &mut Cx,
    domain: &Domain,
    body: &Loop,
    sources: &[Source<'_>],
    window: &Window,
) -> Made<Option<Laid>> {
    if window.is_transposed {
        return Ok(None);
    }
    match &window.product {
        Some(product) => {
            let read = window.slides.first().and_then(|slide| slide.read);
            match read.and_then(|read| slid(body, read, &window.slides)) {
                Some(slid) => convolution(cx, domain, body, sources, product, (read, slid)),
                None => Ok(None),
            }
        }
        None => pool(cx, domain, body, sources, window),
    }
}

/// A product with a tensor `[rows …, channel, place …]` is a convolution of one element, if its result is laid out in
/// the same way.
pub fn pointwise(
    cx: &mut Cx,
    domain: &Domain,
    body: &Loop,
    sources: &[Source<'_>],
    product: &Product,
) -> Made<Option<Laid>> {
    for class in [&product.a, &product.b] {
        let [read] = class.factors.as_slice() else { continue };
        let Some(slid) = slid(body, *read, &[]) else { continue };
        if cx.writer.known(&sources[slid.operand].value).is_some() {
            continue;
        }
        let mut terms = slid.subs.iter().map(|sub| moves_with(sub, product, Side::K));
        let (Some(channel), None) = (terms.position(|is_term| is_term), terms.position(|is_term| is_term)) else { continue };
        let spatial = slid.subs.iter().enumerate().skip(channel + 1).map(|(axis, sub)| {
            let Sub::Affine(affine) = sub else { return None };
            let [(crate::ir::Var::Index(place), stride)] = affine.terms.as_slice() else { return None };
            let (stride, start) = (stride.as_number()?, affine.constant.as_number()?);
            let place = *place as usize;
            (stride > 0).then_some(Spatial { axis, place, offset: None, stride, dilation: 1, start })
        });
        let Some(spatial) = spatial.collect::<Option<Vec<Spatial>>>() else { continue };
        let is_batch = product.indices(Side::Batch).next().is_some();
        if is_batch || channel == 0 || spatial.is_empty() || spatial.len() > 3 {
            continue;
        }
        let slid = Slid { spatial, ..slid };
        let made = convolution(cx, domain, body, sources, product, (Some(*read), slid))?;
        if made.is_some() {
            return Ok(made);
        }
    }
    Ok(None)
}

fn moves_with(sub: &Sub, product: &Product, side: Side) -> bool {
    let Sub::Affine(affine) = sub else { return false };
    product.indices(side).any(|index| affine.uses(crate::ir::Var::Index(index as u32)))
}

/// What a read slides over, if its slides have numbers and its other subscripts are not computed.
fn slid<'a>(body: &'a Loop, read: ScalarId, slides: &[Slide]) -> Option<Slid<'a>> {
    let Scalar::Read { operand, subs, .. } = &body.body[read] else { return None };
    if subs.iter().any(|sub| matches!(sub, Sub::Value(_))) {
        return None;
    }
    let spatial = slides.iter().map(|slide| {
        let numbers = (slide.stride.as_number()?, slide.dilation.as_number()?, slide.start.as_number()?);
        let is_of_read = slide.read.is_none_or(|other| other == read);
        (is_of_read && numbers.0 > 0 && numbers.1 > 0).then_some(Spatial {
            axis: slide.axis,
            place: slide.place,
            offset: Some(slide.offset),
            stride: numbers.0,
            dilation: numbers.1,
            start: numbers.2,
        })
    });
    let spatial: Vec<Spatial> = spatial.collect::<Option<_>>()?;
    (spatial.len() <= 3).then_some(Slid { operand: *operand as usize, subs, spatial })
}

/// How a window lies on an axis, in the words of the operators.
struct Extent {
    kernel: Dim,
    /// Elements of padding before and after.
    before: i64,
    after: i64,
    /// The part of the axis that is slid over.
    from: i64,
    size: Dim,
}

fn extent(body: &Loop, spatial: &Spatial, size: &Dim) -> Option<Extent> {
    let kernel = spatial.offset.map_or(Dim::ONE, |offset| body.domain[offset].clone());
    let reach = &(&body.domain[spatial.place] - &Dim::ONE) * &Dim::number(spatial.stride);
    let reach = &reach + &(&(&kernel - &Dim::ONE) * &Dim::number(spatial.dilation));
    let (from, before) = (spatial.start.max(0), (-spatial.start).max(0));
    // The last element that is read, counted from the first one that is slid over.
    let last = &reach - &Dim::number(before);
    let over = (&last - &(&(size - &Dim::number(from)) - &Dim::ONE)).as_number()?;
    // What is left over at the end would make one place more, if a stride fits into it.
    let cut = if -over >= spatial.stride { over } else { 0 };
    let size = &(size - &Dim::number(from)) + &Dim::number(cut);
    Some(Extent { kernel, before, after: over.max(0), from, size })
}

/// The tensor that is slid over with the axes: `first`, then those that windows slide along.
fn data(
    cx: &mut Cx,
    body: &Loop,
    sources: &[Source<'_>],
    slid: &Slid<'_>,
    extents: &[Extent],
    first: &[usize],
) -> Made<Option<(Value, Vec<Dim>)>> {
    let mut sizes = body.domain.clone();
    let mut subs: Vec<Sub> = slid.subs.to_vec();
    let mut order = first.to_vec();
    for (spatial, extent) in slid.spatial.iter().zip(extents) {
        subs[spatial.axis] = Sub::Affine(Affine::index(sizes.len()).offset(&Dim::number(extent.from)));
        order.push(sizes.len());
        sizes.push(extent.size.clone());
    }
    let domain = Domain::new(&sizes, &order);
    let places = reads::places(&subs, &|_| None)?;
    let laid = reads::read(cx, &domain, &sources[slid.operand], &places, Outside::Zero)?;
    let shape = order.iter().map(|index| sizes[*index].clone()).collect();
    Ok((laid.axes == order).then_some((laid.value, shape)))
}

fn attributes(slid: &Slid<'_>, extents: &[Extent]) -> Attributes {
    let ints = |of: &dyn Fn(&Spatial) -> i64| Attribute::Ints(slid.spatial.iter().map(of).collect());
    let (before, after) = (extents.iter().map(|extent| extent.before), extents.iter().map(|extent| extent.after));
    vec![
        ("strides", ints(&|spatial| spatial.stride)),
        ("dilations", ints(&|spatial| spatial.dilation)),
        ("pads", Attribute::Ints(before.chain(after).collect())),
    ]
}

fn kernel(extents: &[Extent]) -> Option<Vec<i64>> {
    extents.iter().map(|extent| extent.kernel.as_number()).collect()
}

/// Indices of a side that are neither places nor offsets, in the order of the domain.
fn others(domain: &Domain, body: &Loop, product: &Product, slid: &Slid<'_>, side: Side) -> Vec<usize> {
    let is_spatial =
        |index: &usize| slid.spatial.iter().any(|spatial| spatial.place == *index || spatial.offset == Some(*index));
    let mut indices: Vec<usize> = product.indices(side).filter(|index| !is_spatial(index)).collect();
    indices.retain(|index| !body.domain[*index].is_number(1));
    indices.put_in_order_by_key(|index| domain.places[*index]);
    indices
}

fn convolution(
    cx: &mut Cx,
    domain: &Domain,
    body: &Loop,
    sources: &[Source<'_>],
    product: &Product,
    (read, slid): (Option<ScalarId>, Slid<'_>),
) -> Made<Option<Laid>> {
    let is_data = |factors: &[ScalarId]| read.is_some_and(|read| factors == [read]);
    let (weights, data_side, weight_side) = match (is_data(&product.a.factors), is_data(&product.b.factors)) {
        (true, false) => (&product.b, Side::M, Side::N),
        (false, true) => (&product.a, Side::N, Side::M),
        _ => return Ok(None),
    };
    let found = slid.spatial.iter().map(|spatial| extent(body, spatial, &sources[slid.operand].shape[spatial.axis]));
    let Some(extents) = found.collect::<Option<Vec<Extent>>>() else { return Ok(None) };
    let of = |side| others(domain, body, product, &slid, side);
    let [rows, groups, channels, maps] = [data_side, Side::Batch, Side::K, weight_side].map(of);
    let shape = |indices: &[usize]| indices.iter().map(|index| body.domain[*index].clone()).collect::<Vec<Dim>>();
    let merged = |indices: &[usize]| Dim::product(&shape(indices));
    let Some(group) = merged(&groups).as_number() else { return Ok(None) };
    if cx.writer.float != Ty::F32 || sources[slid.operand].value.ty != Ty::F32 {
        return Ok(None);
    }
    let offsets: Vec<usize> = slid.spatial.iter().filter_map(|spatial| spatial.offset).collect();
    let first = [&rows[..], &groups, &channels].concat();
    let Some((data, from)) = data(cx, body, sources, &slid, &extents, &first)? else { return Ok(None) };
    let sizes = extents.iter().map(|extent| extent.size.clone());
    let to = [merged(&rows), &merged(&groups) * &merged(&channels)].into_iter().chain(sizes).collect::<Vec<Dim>>();
    let data = cx.reshape(&data, &from, &to)?;
    let order = [&groups[..], &maps, &channels, &offsets].concat();
    let inner = Domain::new(&body.domain, &order);
    let weight = factors(cx, &inner, body, sources, &weights.factors)?;
    if weight.axes != order {
        return Ok(None);
    }
    let kernels = extents.iter().map(|extent| extent.kernel.clone());
    let to = [&merged(&groups) * &merged(&maps), merged(&channels)].into_iter().chain(kernels).collect::<Vec<Dim>>();
    let weight = cx.reshape(&weight.value, &shape(&order), &to)?;
    let mut attributes = attributes(&slid, &extents);
    attributes.push(("group", Attribute::Int(group)));
    if let Some(kernel) = kernel(&extents) {
        attributes.push(("kernel_shape", Attribute::Ints(kernel)));
    }
    let made = cx.writer.node("Conv", &[&data, &weight], attributes, data.ty, data.rank);
    let places: Vec<usize> = slid.spatial.iter().map(|spatial| spatial.place).collect();
    let result = [&rows[..], &groups, &maps, &places].concat();
    let from = [merged(&rows), &merged(&groups) * &merged(&maps)].into_iter().chain(shape(&places)).collect::<Vec<Dim>>();
    let made = cx.reshape(&made, &from, &shape(&result))?;
    let sum = domain.in_order(cx, &made, &result);
    scaled(cx, domain, body, sources, product, sum).map(Some)
}

/// The greatest element of each window, or their sum.
fn pool(cx: &mut Cx, domain: &Domain, body: &Loop, sources: &[Source<'_>], window: &Window) -> Made<Option<Laid>> {
    let Some((read, is_guarded)) = pooled(body, window, sources) else { return Ok(None) };
    let Some(slid) = slid(body, read, &window.slides) else { return Ok(None) };
    let found = slid.spatial.iter().map(|spatial| extent(body, spatial, &sources[slid.operand].shape[spatial.axis]));
    let Some(extents) = found.collect::<Option<Vec<Extent>>>() else { return Ok(None) };
    let Some(kernel) = kernel(&extents) else { return Ok(None) };
    let is_padded = extents.iter().any(|extent| extent.before > 0 || extent.after > 0);
    let is_dilated = slid.spatial.iter().any(|spatial| spatial.dilation != 1);
    let ty = sources[slid.operand].value.ty;
    let op = match body.combine {
        Combine::Max if ty.is_float() && (is_guarded || !is_padded) => "MaxPool",
        Combine::Add if ty == Ty::F32 && !is_guarded && !is_dilated => "AveragePool",
        _ => return Ok(None),
    };
    let is_spatial =
        |index: &usize| slid.spatial.iter().any(|spatial| spatial.place == *index || spatial.offset == Some(*index));
    let mut rows: Vec<usize> = (0..body.domain.len()).filter(|index| !is_spatial(index)).collect();
    rows.retain(|index| !body.domain[*index].is_number(1));
    rows.put_in_order_by_key(|index| domain.places[*index]);
    let Some((data, from)) = data(cx, body, sources, &slid, &extents, &rows)? else { return Ok(None) };
    let shape = |indices: &[usize]| indices.iter().map(|index| body.domain[*index].clone()).collect::<Vec<Dim>>();
    let sizes: Vec<Dim> = extents.iter().map(|extent| extent.size.clone()).collect();
    let head = match rows.split_last() {
        Some((last, before)) => vec![Dim::product(&shape(before)), body.domain[*last].clone()],
        None => vec![Dim::ONE, Dim::ONE],
    };
    let data = cx.reshape(&data, &from, &[&head[..], &sizes].concat())?;
    let mut attributes = attributes(&slid, &extents);
    attributes.push(("kernel_shape", Attribute::Ints(kernel.clone())));
    if op == "AveragePool" {
        attributes.retain(|(name, _)| *name != "dilations");
        attributes.push(("count_include_pad", Attribute::Int(1)));
    }
    let mut made = cx.writer.node(op, &[&data], attributes, data.ty, data.rank);
    if op == "AveragePool" {
        let count = cx.writer.float(kernel.iter().product::<i64>() as f64);
        made = cx.writer.binary("Mul", &made, &count);
    }
    let places: Vec<usize> = slid.spatial.iter().map(|spatial| spatial.place).collect();
    let result = [&rows[..], &places].concat();
    let made = cx.reshape(&made, &[head, shape(&places)].concat(), &shape(&result))?;
    Ok(Some(domain.in_order(cx, &made, &result)))
}

/// The element that a pool combines, and whether elements outside of the tensor are left out, by a condition that says
/// of each slide that it lies within.
fn pooled(body: &Loop, window: &Window, sources: &[Source<'_>]) -> Option<(ScalarId, bool)> {
    let (inner, result) = (&body.body, body.body.result);
    match &inner[result] {
        Scalar::Read { .. } => Some((result, false)),
        Scalar::Select(condition, read, otherwise) if matches!(inner[*read], Scalar::Read { .. }) => {
            let Scalar::Float(value) = &inner[*otherwise] else { return None };
            let mut conditions = Vec::new();
            conjunction(inner, *condition, &mut conditions);
            let Scalar::Read { operand, subs, .. } = &inner[*read] else { return None };
            let shape = sources[*operand as usize].shape;
            let is_about = |(a, b, op): &(ScalarId, ScalarId, BinaryOp)| {
                let slide_of = |id: ScalarId| {
                    window.slides.iter().find(|slide| match (&subs[slide.axis], &inner[id]) {
                        (Sub::Affine(sub), Scalar::Affine(affine)) => sub == affine,
                        _ => false,
                    })
                };
                match op {
                    BinaryOp::Le => is_size(inner, *a, &Dim::ZERO) && slide_of(*b).is_some(),
                    BinaryOp::Lt => slide_of(*a).is_some_and(|slide| is_size(inner, *b, &shape[slide.axis])),
                    _ => false,
                }
            };
            let is_within = value.0 == f64::NEG_INFINITY
                && conditions.iter().all(is_about)
                && conditions.len() == 2 * window.slides.len();
            is_within.then_some((*read, true))
        }
        _ => None,
    }
}

fn is_size(body: &Body, id: ScalarId, wanted: &Dim) -> bool {
    match &body[id] {
        Scalar::Int(value) => wanted.is_number(*value),
        Scalar::Affine(affine) => affine.is_constant() && affine.constant == *wanted,
        _ => false,
    }
}

/// The comparisons that hold together.
fn conjunction(body: &Body, id: ScalarId, into: &mut Vec<(ScalarId, ScalarId, BinaryOp)>) {
    match &body[id] {
        Scalar::Binary(BinaryOp::And, a, b) => {
            conjunction(body, *a, into);
            conjunction(body, *b, into);
        }
        Scalar::Binary(op, a, b) => into.push((*a, *b, *op)),
        _ => into.push((id, id, BinaryOp::Eq)),
    }
}
