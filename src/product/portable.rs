//! Products on any processor, in safe code, of matrices that lie row by row: of 32-bit floats with the sums that
//! [`super`] defines, so the same bits as in vectors.

use super::Shape;

/// Partial sums of an element that is summed along k.
const LANES: usize = 16;

/// `c` becomes the product, or grows by it if the shape says so. The strides of the shape are those that the
/// matrices had where they came from: they decide how an element is summed.
pub fn product_f32(shape: &Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
    let Shape { n, k, accumulate, .. } = *shape;
    if shape.tidy().is_along_k() {
        for (at, element) in c.iter_mut().enumerate() {
            let (row, column) = (&a[at / n * k..][..k], at % n);
            let sum = along_k(row, |depth| b[depth * n + column]);
            *element = if accumulate { *element + sum } else { sum };
        }
        return;
    }
    let mut sums = vec![0f32; n];
    // A product without any k still writes zeros.
    for first in (0..k.max(1)).step_by(shape.k_block()) {
        let block = first..k.min(first + shape.k_block());
        let adds = accumulate || first > 0;
        for (row, elements) in c.chunks_exact_mut(n.max(1)).enumerate() {
            sums.fill(0.0);
            for depth in block.clone() {
                let factor = a[row * k + depth];
                let b_row = &b[depth * n..][..n];
                sums.iter_mut().zip(b_row).for_each(|(sum, b)| *sum = fused(factor, *b, *sum));
            }
            for (element, sum) in elements.iter_mut().zip(&sums) {
                *element = if adds { *element + *sum } else { *sum };
            }
        }
    }
}

/// Sixteen sums, each over every sixteenth k, which are added by halves.
fn along_k(row: &[f32], column: impl Fn(usize) -> f32) -> f32 {
    let mut sums = [0f32; LANES];
    for (depth, factor) in row.iter().enumerate() {
        let sum = &mut sums[depth % LANES];
        *sum = fused(*factor, column(depth), *sum);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for at in 0..half {
            sums[at] += sums[at + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The same of 64-bit floats, each sum from the first k to the last.
pub fn product_f64(shape: &Shape, a: &[f64], b: &[f64], c: &mut [f64]) {
    let Shape { n, k, accumulate, .. } = *shape;
    for (row, elements) in c.chunks_exact_mut(n.max(1)).enumerate() {
        if !accumulate {
            elements.fill(0.0);
        }
        for depth in 0..k {
            let factor = a[row * k + depth];
            elements.iter_mut().zip(&b[depth * n..][..n]).for_each(|(sum, b)| *sum += factor * b);
        }
    }
}

/// `a * b + c`, rounded once, without the instruction for it. The product is exact in 64 bits; their sum is rounded
/// to odd, that is, never onto the middle between two floats of 32 bits, so rounding it again is rounding once.
#[inline]
pub fn fused(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    let part = sum - product;
    let error = (product - (sum - part)) + (c - part);
    let bits = sum.to_bits();
    let towards = if (error > 0.0) == (sum > 0.0) { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    // An error that is not a number is of a sum that is not finite.
    let is_inexact = error.abs() > 0.0;
    f64::from_bits(if is_inexact && bits & 1 == 0 { towards } else { bits }) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of all sizes, many of them near the middle between two others.
    fn numbers() -> impl Iterator<Item = f32> {
        let mut state = 1u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match state >> 62 {
                0 => f32::from_bits((state >> 24) as u32),
                1 => ((state >> 40) as i32 - (1 << 23)) as f32,
                2 => 1.0 + (state >> 41) as f32 * f32::EPSILON,
                _ => f32::from_bits((state >> 50) as u32),
            }
        })
    }

    #[test]
    fn fused_is_rounded_once() {
        let mut numbers = numbers();
        let mut next = || numbers.next().unwrap_or_default();
        for _ in 0..300_000 {
            let (a, b, c) = (next(), next(), next());
            // Also where the sum all but cancels, or is small beside the product.
            for c in [c, -(a * b), a * b * f32::EPSILON / 2.0, c * 1e-30] {
                let (found, meant) = (fused(a, b, c), a.mul_add(b, c));
                assert!(
                    found.to_bits() == meant.to_bits() || found.is_nan() && meant.is_nan(),
                    "{a:e} {b:e} {c:e}"
                );
            }
        }
    }

    /// The same bits as vectors give, for shapes that are summed in either way.
    #[test]
    #[cfg(all(feature = "native", vector_products))]
    fn products_are_those_of_vectors() {
        use crate::product::{Piece, Product, Reuse, Run};
        for (m, n, k) in
            [(3, 5, 7), (1, 9, 300), (16, 16, 600), (20, 30, 520), (4, 4, 130), (2, 3, 0), (33, 1, 70)]
        {
            for (transposed, accumulate) in [(false, false), (true, false), (true, true)] {
                let b_strides = if transposed { (1, k as isize) } else { (n as isize, 1) };
                let shape =
                    Shape { m, n, k, a: (k as isize, 1), b: b_strides, c: (n as isize, 1), accumulate };
                let mut values = numbers().filter(|number| number.abs() > 1e-3 && number.abs() < 1e3);
                let mut take = |count: usize| -> Vec<f32> { values.by_ref().take(count).collect() };
                let (a, b, start) = (take(m * k), take(k * n), take(m * n));
                let Some(product) = Product::new(shape, Reuse { a: 1, b: 1 }) else { return };
                let mut meant = start.clone();
                let whole = Piece { number: 0, of: 1, run: Run::ALONE };
                // SAFETY: the matrices have as many elements as the shape says.
                unsafe { product.piece(a.as_ptr(), b.as_ptr(), meant.as_mut_ptr(), whole) };
                let at =
                    |row: usize, column: usize| b[row * b_strides.0 as usize + column * b_strides.1 as usize];
                let rows: Vec<f32> = (0..k * n).map(|place| at(place / n, place % n)).collect();
                let mut found = start;
                product_f32(&shape, &a, &rows, &mut found);
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
                assert_eq!(bits(&found), bits(&meant), "{shape:?}");
            }
        }
    }
}
