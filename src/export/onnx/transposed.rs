//! Windows that are written as `ConvTranspose`.

use super::cx::{Cx, Made};
use super::graph::{Attribute, Ty, Value};
use super::layout::Domain;
use super::products::factors;
use super::reads::Source;
use crate::ir::recognise::{Class, Product, Side, Slide, Window};
use crate::ir::{Dim, Loop, Scalar, Sub};

/// The result of a loop whose windows are written; `None` if the operator has not its form.
pub fn written(cx: &mut Cx, body: &Loop, sources: &[Source<'_>]) -> Made<Option<Value>> {
    let Some(window) = Window::of(body) else { return Ok(None) };
    let (true, Some(product)) = (window.is_transposed, &window.product) else { return Ok(None) };
    if cx.writer.float != Ty::F32 || window.slides.len() > 3 {
        return Ok(None);
    }
    let mut slides = window.slides.clone();
    for _ in 0..2 {
        match arranged(product, &slides) {
            // Place and offset play the same part; the weights are what is known.
            Some((data, ..)) if is_known(cx, body, sources, data) => slides.iter_mut().for_each(turn),
            Some(found) => return convolution(cx, body, sources, product, &slides, found),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The slide with place and offset in each other's place.
fn turn(slide: &mut Slide) {
    std::mem::swap(&mut slide.place, &mut slide.offset);
    std::mem::swap(&mut slide.stride, &mut slide.dilation);
}

/// Whether all that the factors read are constants.
fn is_known(cx: &Cx, body: &Loop, sources: &[Source<'_>], class: &Class) -> bool {
    class.factors.iter().all(|factor| match &body.body[*factor] {
        Scalar::Read { operand, .. } => cx.writer.known(&sources[*operand as usize].value).is_some(),
        _ => false,
    })
}

/// The class that has the places of the windows, the one that has the offsets, and the side of the former's indices.
/// Which of two indices is the place and which the offset does not matter to a slide, but a class has all of one kind.
fn arranged<'p>(product: &'p Product, slides: &[Slide]) -> Option<(&'p Class, &'p Class, Side)> {
    let has = |class: &Class, of: &dyn Fn(&Slide) -> usize| slides.iter().all(|slide| class.indices[of(slide)]);
    let (place, offset) = (|slide: &Slide| slide.place, |slide: &Slide| slide.offset);
    if has(&product.a, &place) && has(&product.b, &offset) {
        Some((&product.a, &product.b, Side::M))
    } else if has(&product.b, &place) && has(&product.a, &offset) {
        Some((&product.b, &product.a, Side::N))
    } else {
        None
    }
}

fn convolution(
    cx: &mut Cx,
    body: &Loop,
    sources: &[Source<'_>],
    product: &Product,
    slides: &[Slide],
    (data, weights, side): (&Class, &Class, Side),
) -> Made<Option<Value>> {
    let weight_side = if side == Side::M { Side::N } else { Side::M };
    let is_of_slide = |index: &usize| slides.iter().any(|slide| slide.place == *index || slide.offset == *index);
    let of = |side| product.indices(side).filter(|index| !is_of_slide(index)).collect::<Vec<usize>>();
    let [rows, groups, channels, maps] = [side, Side::Batch, Side::K, weight_side].map(of);
    let (places, offsets): (Vec<usize>, Vec<usize>) = slides.iter().map(|slide| (slide.place, slide.offset)).unzip();
    let shape = |indices: &[usize]| indices.iter().map(|index| body.domain[*index].clone()).collect::<Vec<Dim>>();
    let merged = |indices: &[usize]| Dim::product(&shape(indices));
    let (Some(group), true) = (merged(&groups).as_number(), product.outer.is_empty()) else { return Ok(None) };
    let Some(attributes) = attributes(body, slides, group) else { return Ok(None) };
    let laid = |cx: &mut Cx, class: &Class, order: &[usize]| -> Made<Option<Value>> {
        let domain = Domain::new(&body.domain, order);
        let made = factors(cx, &domain, body, sources, &class.factors)?;
        Ok((made.axes == order).then_some(made.value))
    };
    let data_order = [&rows[..], &groups, &channels, &places].concat();
    let weight_order = [&groups[..], &channels, &maps, &offsets].concat();
    let Some(data) = laid(cx, data, &data_order)? else { return Ok(None) };
    let Some(weight) = laid(cx, weights, &weight_order)? else { return Ok(None) };
    let all_channels = &merged(&groups) * &merged(&channels);
    let to = [vec![merged(&rows), all_channels.clone()], shape(&places)].concat();
    let data = cx.reshape(&data, &shape(&data_order), &to)?;
    let to = [vec![all_channels, merged(&maps)], shape(&offsets)].concat();
    let weight = cx.reshape(&weight, &shape(&weight_order), &to)?;
    let made = cx.writer.node("ConvTranspose", &[&data, &weight], attributes, data.ty, data.rank);
    // The axes of the result, by what they are in the operator's.
    let slid: Vec<Dim> = slides.iter().map(|slide| body.shape[slide.axis].clone()).collect();
    let first = [&rows[..], &groups, &maps].concat();
    let from = [vec![merged(&rows), &merged(&groups) * &merged(&maps)], slid.clone()].concat();
    let made = cx.reshape(&made, &from, &[shape(&first), slid].concat())?;
    let mut order = Vec::with_capacity(body.write.len());
    let mut single = Vec::new();
    for (axis, sub) in body.write.iter().enumerate() {
        let Sub::Affine(affine) = sub else { return Ok(None) };
        let slide = slides.iter().position(|slide| slide.axis == axis).map(|at| first.len() + at);
        let index = affine.as_index().and_then(|index| first.iter().position(|other| *other == index));
        match slide.or(index) {
            Some(from) => order.push(from),
            None if affine.as_number() == Some(0) && body.shape[axis].is_number(1) => single.push(axis),
            None => return Ok(None),
        }
    }
    if order.len() != made.rank {
        return Ok(None);
    }
    let made = cx.writer.transpose(&made, &order);
    Ok(Some(cx.writer.unsqueeze(&made, &single)))
}

/// Strides, dilations and padding, so that the result has the loop's sizes.
fn attributes(body: &Loop, slides: &[Slide], group: i64) -> Option<super::graph::Attributes> {
    let (mut strides, mut dilations, mut kernel) = (Vec::new(), Vec::new(), Vec::new());
    let (mut before, mut after, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for slide in slides {
        let (stride, dilation) = (slide.stride.as_number()?, slide.dilation.as_number()?);
        let reach = &(&body.domain[slide.place] - &Dim::ONE) * &slide.stride;
        let reach = &reach + &(&(&body.domain[slide.offset] - &Dim::ONE) * &slide.dilation);
        let start = slide.start.as_number()?;
        // How much of the windows' reach lies beyond the end of the result.
        let beyond = (&(&reach + &Dim::number(start + 1)) - &body.shape[slide.axis]).as_number()?;
        if stride < 1 || dilation < 1 || start > 0 || -beyond >= stride.max(dilation) {
            return None;
        }
        strides.push(stride);
        dilations.push(dilation);
        kernel.push(body.domain[slide.offset].as_number()?);
        before.push(-start);
        after.push(beyond.max(0));
        more.push((-beyond).max(0));
    }
    before.extend(after);
    Some(vec![
        ("strides", Attribute::Ints(strides)),
        ("dilations", Attribute::Ints(dilations)),
        ("kernel_shape", Attribute::Ints(kernel)),
        ("pads", Attribute::Ints(before)),
        ("output_padding", Attribute::Ints(more)),
        ("group", Attribute::Int(group)),
    ])
}
