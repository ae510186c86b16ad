//! Products of convolutions, forward and for the gradient of their weights, of one picture.

use super::super::{ONCE, Product, Random, Shape};
use super::{ALL, peak, seconds};
use crate::product::{SCATTERED, Side};

/// Channels in and out, height and width of the result, of a window, and how far windows move.
const CONVOLUTIONS: &[[i64; 5]] = &[
    [3, 16, 32, 3, 1],
    [16, 16, 32, 3, 1],
    [16, 32, 16, 3, 2],
    [32, 32, 16, 3, 1],
    [64, 64, 8, 3, 1],
    [64, 64, 14, 3, 1],
    [64, 64, 28, 3, 1],
    [128, 128, 7, 3, 1],
    [6, 16, 10, 5, 1],
    [1, 1, 32, 3, 1],
];

#[test]
#[ignore = "a measurement"]
fn windows_of_real_networks() {
    let peak = peak();
    println!("{:<24} {:>16} {:>16}", "in out size window step", "forward", "weights");
    for convolution in CONVOLUTIONS {
        let [channels, out, size, window, step] = *convolution;
        let width = (size - 1) * step + window;
        let side = |axes: &[(i64, i64)]| Side::new(axes.to_vec());
        let windows = side(&[(channels, width * width), (window, width), (window, 1)]);
        let places = side(&[(size, width * step), (size, step)]);
        let (n_window, n_places) = (channels * window * window, size * size);
        let matrix = |rows, columns| [side(&[(rows, columns)]), side(&[(columns, 1)])];
        let forward = [matrix(out, n_window), [windows.clone(), places.clone()], matrix(out, n_places)];
        let weights = [matrix(out, n_places), [places, windows], matrix(out, n_window)];
        let rates = [(forward, false), (weights, true)].map(|(sides, adds)| rate(&sides, adds));
        let [forward, weights] = rates.map(|rate| match rate {
            Some(rate) => format!("{rate:.0} ({:.0} %)", rate / peak * 100.0),
            None => String::new(),
        });
        println!("{:<24} {forward:>16} {weights:>16}", format!("{convolution:?}"));
    }
}

/// GFLOP/s of a product.
fn rate(sides: &[[Side; 2]; 3], accumulate: bool) -> Option<f64> {
    let stride = |side: &Side| side.stride().map_or(SCATTERED, |stride| stride as isize);
    let [a, b, c] = sides.each_ref().map(|[rows, columns]| (stride(rows), stride(columns)));
    let size = |side: &Side| side.offsets().len();
    let (m, k, n) = (size(&sides[0][0]), size(&sides[0][1]), size(&sides[1][1]));
    let product = Product::of_sides(Shape { m, n, k, a, b, c, accumulate }, sides, ONCE)?;
    let last = |side: &Side| side.offsets().into_iter().max().unwrap_or(0);
    let mut random = Random(1);
    let mut matrix = |at: usize| random.floats((last(&sides[at][0]) + last(&sides[at][1]) + 1) as usize);
    let (a, b, mut c) = (matrix(0), matrix(1), matrix(2));
    // SAFETY: the matrices reach as far as their sides say.
    let seconds = seconds(|| unsafe { product.piece(a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), ALL) });
    Some(2e-9 * (m * n * k) as f64 / seconds)
}
