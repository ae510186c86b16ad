//! Sums of products as `MatMul`.
//!
//! The two sides of a product are tensors `[batch …, rows …, terms …]` and `[batch …, terms …, columns …]`; several
//! indices of one part are merged, and taken apart again in the result.

use super::cx::{Cx, Made};
use super::graph::Value;
use super::layout::{Domain, Laid};
use super::reads::Source;
use super::scalars::Scalars;
use crate::base::order::PutInOrder;
use crate::ir::recognise::{Class, Product, Side};
use crate::ir::{Dim, Loop, ScalarId};

/// The result of a product over the indices of the loop's result; `None` if it is none.
pub fn sum(
    cx: &mut Cx,
    domain: &Domain,
    body: &Loop,
    sources: &[Source<'_>],
    product: &Product,
) -> Made<Option<Laid>> {
    if !product.is_contraction() {
        return Ok(None);
    }
    let live = |index: &usize| !body.domain[*index].is_number(1);
    let in_order = |side| {
        let mut indices: Vec<usize> = product.indices(side).filter(live).collect();
        indices.put_in_order_by_key(|index| domain.places[*index]);
        indices
    };
    let [batch, m, n, k] = [Side::Batch, Side::M, Side::N, Side::K].map(in_order);
    // The side whose indices the result has first, or that has any, is on the left.
    let first = |indices: &[usize]| indices.first().map_or(usize::MAX, |index| domain.places[*index]);
    let (left, right, rows, columns) = match first(&m) <= first(&n) {
        true => (&product.a, &product.b, m, n),
        false => (&product.b, &product.a, n, m),
    };
    let (left_order, right_order) = ([&batch[..], &rows, &k].concat(), [&batch[..], &k, &columns].concat());
    let Some(a) = side(cx, body, sources, left, &left_order)? else { return Ok(None) };
    let Some(b) = side(cx, body, sources, right, &right_order)? else { return Ok(None) };
    let shape = |indices: &[usize]| indices.iter().map(|index| body.domain[*index].clone()).collect::<Vec<Dim>>();
    let [batch_shape, row_shape, column_shape, term_shape] = [&batch, &rows, &columns, &k].map(|indices| shape(indices));
    let merged = |parts: &[Dim]| vec![Dim::product(parts)];
    // Rows stay as they are where the right side is one matrix for all.
    let keeps_rows = batch.is_empty() && columns.len() <= 1 || rows.len() == 1;
    let left_rows = if keeps_rows { row_shape.clone() } else { merged(&row_shape) };
    let left_shape = [batch_shape.clone(), left_rows, merged(&term_shape)].concat();
    let a = cx.reshape(&a, &shape(&left_order), &left_shape)?;
    // A vector is a matrix of one column: not every runtime multiplies with vectors well.
    let right_columns = merged(&column_shape);
    let right_shape = [batch_shape.clone(), merged(&term_shape), right_columns.clone()].concat();
    let b = cx.reshape(&b, &shape(&right_order), &right_shape)?;
    let made = cx.writer.matmul(&a, &b);
    let result = [batch.clone(), rows, columns].concat();
    let rows_of_result = if keeps_rows { row_shape } else { merged(&row_shape) };
    let from = [batch_shape, rows_of_result, right_columns].concat();
    let made = cx.reshape(&made, &from, &shape(&result))?;
    let sum = domain.in_order(cx, &made, &result);
    scaled(cx, domain, body, sources, product, sum).map(Some)
}

/// A sum of products, multiplied by the factors that stand outside of it.
pub fn scaled(
    cx: &mut Cx,
    domain: &Domain,
    body: &Loop,
    sources: &[Source<'_>],
    product: &Product,
    mut sum: Laid,
) -> Made<Laid> {
    let mut scalars = Scalars::new(domain, &body.body, sources, &product.outer);
    for factor in &product.outer {
        let factor = scalars.value(cx, *factor)?;
        sum = domain.binary(cx, "Mul", &sum, &factor);
    }
    Ok(sum)
}

/// One side with exactly these axes.
fn side(
    cx: &mut Cx,
    body: &Loop,
    sources: &[Source<'_>],
    class: &Class,
    order: &[usize],
) -> Made<Option<Value>> {
    let domain = Domain::new(&body.domain, order);
    let laid = factors(cx, &domain, body, sources, &class.factors)?;
    Ok((laid.axes == order).then_some(laid.value))
}

/// The product of some factors.
pub fn factors(
    cx: &mut Cx,
    domain: &Domain,
    body: &Loop,
    sources: &[Source<'_>],
    factors: &[ScalarId],
) -> Made<Laid> {
    let mut scalars = Scalars::new(domain, &body.body, sources, factors);
    let mut product: Option<Laid> = None;
    for factor in factors {
        let factor = scalars.value(cx, *factor)?;
        product = Some(match product {
            Some(product) => domain.binary(cx, "Mul", &product, &factor),
            None => factor,
        });
    }
    product.ok_or_else(|| "a product without factors".to_owned())
}
