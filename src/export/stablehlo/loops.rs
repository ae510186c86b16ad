//! Loops: products as `dot_general`, sums along axes as `reduce`, everything that writes elsewhere as `scatter`.

use super::Unsupported;
use super::graph::Graphs;
use super::scalars::{Points, number};
use super::text::{Kind, Value, list, type_of};
use crate::ir::recognise::Product;
use crate::ir::{Combine, Loop, ScalarId, Sub};

impl Graphs {
    /// The result of a loop.
    pub fn looped(&mut self, body: &Loop, operands: Vec<Value>) -> Result<Value, Unsupported> {
        let sizes = body.domain.iter().map(number).collect::<Result<Vec<i64>, _>>()?;
        let shape = body.shape.iter().map(number).collect::<Result<Vec<i64>, _>>()?;
        let mut points = Points::new(body, operands, sizes);
        match plain_write(body, &points.sizes, &shape) {
            Some(written) => self.reduced(&mut points, &written, shape),
            None => self.scattered(&mut points, shape),
        }
    }

    /// A loop that writes its indices `written` along the axes of the result, those of one place left out.
    fn reduced(
        &mut self,
        points: &mut Points<'_>,
        written: &[usize],
        shape: Vec<i64>,
    ) -> Result<Value, Unsupported> {
        let body = points.body;
        let summed: Vec<usize> = (0..points.sizes.len()).filter(|index| !written.contains(index)).collect();
        if let Some(value) = self.product(points, written)? {
            return Ok(self.text.reshape(&value, shape));
        }
        let over: Vec<usize> = written.iter().chain(&summed).copied().collect();
        let value = points.value(self, body.body.result, &over)?;
        let has_sum = summed.iter().any(|index| points.sizes[*index] != 1);
        let value = match body.combine {
            Combine::ArgMax | Combine::ArgMin => {
                self.place_of_best(&value, written.len(), body.combine == Combine::ArgMax)
            }
            _ if has_sum => {
                let (operation, start) = combination(body.combine, value.kind);
                let start = self.text.splat(start, value.kind, Vec::new());
                self.text.reduce(&value, operation, &start, written.len())
            }
            _ => value,
        };
        Ok(self.text.reshape(&value, shape))
    }

    /// A sum of products as a product of two tensors.
    fn product(&mut self, points: &mut Points<'_>, written: &[usize]) -> Result<Option<Value>, Unsupported> {
        let body = points.body;
        let Some(product) = Product::of(body).filter(|product| product.is_contraction()) else { return Ok(None) };
        let live = |index: &usize| points.sizes[*index] > 1;
        let (in_a, in_b) = (&product.a.indices, &product.b.indices);
        let of = |list: &[usize], a: bool, b: bool| -> Vec<usize> {
            list.iter().copied().filter(live).filter(|index| (in_a[*index], in_b[*index]) == (a, b)).collect()
        };
        let summed: Vec<usize> = (0..points.sizes.len()).filter(|index| !written.contains(index)).collect();
        let (batch, m, n, k) =
            (of(written, true, true), of(written, true, false), of(written, false, true), of(&summed, true, true));
        let live_written: Vec<usize> = written.iter().copied().filter(live).collect();
        let all = batch.len() + m.len() + n.len() == live_written.len();
        if !all || k.len() != summed.iter().filter(|index| live(index)).count() {
            return Ok(None);
        }
        let over_a: Vec<usize> = [&batch[..], &m, &k].concat();
        let over_b: Vec<usize> = [&batch[..], &n, &k].concat();
        let a = self.factors(points, &product.a.factors, &over_a)?;
        let b = self.factors(points, &product.b.factors, &over_b)?;
        let order: Vec<usize> = [&batch[..], &m, &n].concat();
        let result = points.shape(&order);
        let places = |from: usize, count: usize| list((from..from + count).map(|axis| axis as i64));
        let text = format!(
            "stablehlo.dot_general {}, {}, batching_dims = {} x {}, contracting_dims = {} x {}, \
             precision = [HIGHEST, HIGHEST] : ({}, {}) -> {}",
            a.name,
            b.name,
            places(0, batch.len()),
            places(0, batch.len()),
            places(batch.len() + m.len(), k.len()),
            places(batch.len() + n.len(), k.len()),
            a.ty(),
            b.ty(),
            type_of(&result, a.kind)
        );
        let value = self.text.add(&text, a.kind, result);
        let back: Option<Vec<usize>> =
            live_written.iter().map(|index| order.iter().position(|other| other == index)).collect();
        let Some(back) = back else { return Ok(None) };
        let mut value = self.text.transpose(&value, &back);
        for factor in &product.outer {
            let factor = points.value(self, *factor, &live_written)?;
            value = self.text.same("stablehlo.multiply", &[&value, &factor]);
        }
        Ok(Some(value))
    }

    fn factors(
        &mut self,
        points: &mut Points<'_>,
        factors: &[ScalarId],
        over: &[usize],
    ) -> Result<Value, Unsupported> {
        let mut product: Option<Value> = None;
        for factor in factors {
            let value = points.value(self, *factor, over)?;
            product = Some(match product {
                Some(others) => self.text.same("stablehlo.multiply", &[&others, &value]),
                None => value,
            });
        }
        product.ok_or(Unsupported::Subscript)
    }

    /// The number of the greatest or least element along the last axes.
    fn place_of_best(&mut self, value: &Value, first: usize, greatest: bool) -> Value {
        let text = &mut self.text;
        let count: i64 = value.shape[first..].iter().product();
        let mut shape = value.shape[..first].to_vec();
        let result = shape.clone();
        shape.push(count);
        let value = text.reshape(value, shape.clone());
        let places = text.iota(first, Kind::I64, shape);
        let worst = if greatest { f64::NEG_INFINITY } else { f64::INFINITY };
        let worst = match value.kind {
            Kind::I64 if greatest => text.int(i64::MIN, Kind::I64, Vec::new()),
            Kind::I64 => text.int(i64::MAX, Kind::I64, Vec::new()),
            kind => text.splat(worst, kind, Vec::new()),
        };
        let zero = text.int(0, Kind::I64, Vec::new());
        let (one, place) = (type_of(&[], value.kind), type_of(&[], Kind::I64));
        let name = text.fresh();
        text.line(&format!(
            "{name}:2 = \"stablehlo.reduce\"({}, {}, {}, {}) ({{",
            value.name, places.name, worst.name, zero.name
        ));
        text.indent();
        text.line(&format!("^bb0(%a: {one}, %i: {place}, %b: {one}, %j: {place}):"));
        let scalar = |name: &str, kind| Value { name: name.to_owned(), kind, shape: Vec::new() };
        let (a, b) = (scalar("%a", value.kind), scalar("%b", value.kind));
        let (i, j) = (scalar("%i", Kind::I64), scalar("%j", Kind::I64));
        let better = text.compare(if greatest { "GT" } else { "LT" }, &b, &a);
        let equal = text.compare("EQ", &a, &b);
        let earlier = text.compare("LT", &j, &i);
        let tie = text.same("stablehlo.and", &[&equal, &earlier]);
        let takes = text.same("stablehlo.or", &[&better, &tie]);
        let best = text.select(&takes, &b, &a);
        let at = text.select(&takes, &j, &i);
        text.line(&format!("stablehlo.return {}, {} : {one}, {place}", best.name, at.name));
        text.outdent();
        text.line(&format!(
            "}}) {{dimensions = array<i64: {first}>}} : ({}, {}, {one}, {place}) -> ({}, {})",
            value.ty(),
            places.ty(),
            type_of(&result, value.kind),
            type_of(&result, Kind::I64)
        ));
        Value { name: format!("{name}#1"), kind: Kind::I64, shape: result }
    }

    /// A loop that writes to places that are computed.
    fn scattered(&mut self, points: &mut Points<'_>, shape: Vec<i64>) -> Result<Value, Unsupported> {
        let body = points.body;
        if matches!(body.combine, Combine::ArgMax | Combine::ArgMin) {
            return Err(Unsupported::PlaceOfBest);
        }
        let over: Vec<usize> = (0..points.sizes.len()).collect();
        let value = points.value(self, body.body.result, &over)?;
        let (place, inside) = points.places(self, &body.write, &shape, body.dropping, &over)?;
        let count: i64 = shape.iter().product();
        let text = &mut self.text;
        let place = match inside {
            // Outside of the result nothing is written.
            Some(inside) => {
                let outside = text.int(count, Kind::I64, place.shape.clone());
                text.select(&inside, &place, &outside)
            }
            None => place,
        };
        let n = value.count();
        let (updates, places) = (text.reshape(&value, vec![n]), text.reshape(&place, vec![n]));
        let (operation, start) = combination(body.combine, value.kind);
        let start = text.splat(start, value.kind, vec![count]);
        let one = type_of(&[], value.kind);
        let name = text.fresh();
        text.line(&format!("{name} = \"stablehlo.scatter\"({}, {}, {}) ({{", start.name, places.name, updates.name));
        text.indent();
        text.line(&format!("^bb0(%a: {one}, %b: {one}):"));
        if body.combine == Combine::Set {
            text.line(&format!("stablehlo.return %b : {one}"));
        } else {
            let scalar = |name: &str| Value { name: name.to_owned(), kind: value.kind, shape: Vec::new() };
            let joined = text.same(operation, &[&scalar("%a"), &scalar("%b")]);
            text.line(&format!("stablehlo.return {} : {one}", joined.name));
        }
        text.outdent();
        text.line(&format!(
            "}}) {{scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], \
             scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, indices_are_sorted = false, \
             unique_indices = false}} : ({}, {}, {}) -> {}",
            start.ty(),
            places.ty(),
            updates.ty(),
            start.ty()
        ));
        let value = Value { name, kind: value.kind, shape: vec![count] };
        Ok(text.reshape(&value, shape))
    }
}

/// The indices along the axes of the result, if each axis has one of its own or one place.
fn plain_write(body: &Loop, sizes: &[i64], shape: &[i64]) -> Option<Vec<usize>> {
    let mut written = Vec::new();
    for (sub, size) in body.write.iter().zip(shape) {
        let Sub::Affine(affine) = sub else { return None };
        match affine.as_index() {
            Some(index) if sizes[index] == *size && !written.contains(&index) => written.push(index),
            None if affine.is_constant() && *size == 1 && affine.constant.is_number(0) => {}
            _ => return None,
        }
    }
    let is_combined = body.combine != Combine::Set
        || (0..sizes.len()).all(|index| written.contains(&index) || sizes[index] == 1);
    is_combined.then_some(written)
}

/// The operation that combines, and what it begins with.
fn combination(combine: Combine, kind: Kind) -> (&'static str, f64) {
    let (low, high) = if kind.is_float() {
        (f64::NEG_INFINITY, f64::INFINITY)
    } else {
        (i64::MIN as f64, i64::MAX as f64)
    };
    match (combine, kind) {
        (Combine::Mul | Combine::Min | Combine::ArgMin, Kind::I1) => ("stablehlo.and", 1.0),
        (_, Kind::I1) => ("stablehlo.or", 0.0),
        (Combine::Mul, _) => ("stablehlo.multiply", 1.0),
        (Combine::Max | Combine::ArgMax, _) => ("stablehlo.maximum", low),
        (Combine::Min | Combine::ArgMin, _) => ("stablehlo.minimum", high),
        (Combine::Set | Combine::Add, _) => ("stablehlo.add", 0.0),
    }
}
