//! `cargo test --release --lib product -- --ignored --nocapture`: products of real networks, beside the library.

mod windows;

use super::{ONCE, Piece, Product, Random, Run, Shape, reach};
use crate::runtime::kernels::peak::multiply_add_f32;
use std::time::Instant;

type Strides = (isize, isize);

const ALL: Piece = Piece { number: 0, of: 1, run: Run::ALONE };

/// Name, (m, n, k), strides of A, B and C, whether added.
const PRODUCTS: &[(&str, [usize; 3], [Strides; 3], bool)] = &[
    ("mnist fwd1 NT", [64, 128, 784], [(784, 1), (1, 784), (128, 1)], false),
    ("mnist fwd2 NT", [64, 10, 128], [(128, 1), (1, 128), (10, 1)], false),
    ("mnist bwd dx", [64, 128, 10], [(10, 1), (128, 1), (128, 1)], false),
    ("mnist bwd w2", [10, 128, 64], [(1, 10), (128, 1), (128, 1)], false),
    ("mnist bwd w1", [128, 784, 64], [(1, 128), (784, 1), (784, 1)], false),
    ("wide fwd1 NT", [128, 512, 784], [(784, 1), (1, 784), (512, 1)], false),
    ("wide fwd2 NT", [128, 512, 512], [(512, 1), (1, 512), (512, 1)], false),
    ("wide fwd3 NT", [128, 10, 512], [(512, 1), (1, 512), (10, 1)], false),
    ("wide bwd dx3", [128, 512, 10], [(10, 1), (512, 1), (512, 1)], false),
    ("wide bwd w3", [10, 512, 128], [(1, 10), (512, 1), (512, 1)], false),
    ("wide bwd dx2", [128, 512, 512], [(512, 1), (512, 1), (512, 1)], false),
    ("wide bwd w2", [512, 512, 128], [(1, 512), (512, 1), (512, 1)], false),
    ("wide bwd w1", [512, 784, 128], [(1, 512), (784, 1), (784, 1)], false),
    ("deep fwd NT", [32, 64, 64], [(64, 1), (1, 64), (64, 1)], false),
    ("deep bwd dx", [32, 64, 64], [(64, 1), (64, 1), (64, 1)], false),
    ("deep bwd w", [64, 64, 32], [(1, 64), (64, 1), (64, 1)], false),
    ("lstm step NT", [32, 512, 128], [(128, 1), (1, 128), (512, 1)], false),
    ("lstm bwd", [32, 128, 512], [(512, 1), (128, 1), (128, 1)], false),
    ("lstm in /32", [64, 512, 64], [(64, 1), (1, 64), (16384, 1)], false),
    ("lstm out /32", [64, 65, 128], [(4096, 1), (1, 128), (65, 1)], false),
    ("lstm bwd out", [65, 128, 64], [(1, 65), (4096, 1), (128, 1)], true),
    ("lstm bwd out dx", [64, 128, 65], [(65, 1), (128, 1), (4096, 1)], false),
    ("lstm bwd whh", [512, 128, 2048], [(1, 512), (128, 1), (128, 1)], false),
    ("lstm bwd wih", [512, 64, 64], [(1, 16384), (64, 1), (64, 1)], true),
    ("lstm bwd x", [64, 64, 512], [(16384, 1), (64, 1), (64, 1)], false),
    ("gpt attn_in NT", [1024, 384, 128], [(128, 1), (1, 128), (384, 1)], false),
    ("gpt qk NT", [64, 64, 32], [(384, 1), (1, 384), (64, 1)], false),
    ("gpt av", [64, 32, 64], [(64, 1), (384, 1), (128, 1)], false),
    ("gpt dv", [32, 64, 64], [(1, 128), (64, 1), (1, 128)], false),
    ("gpt dq TN", [64, 32, 64], [(1, 64), (384, 1), (128, 1)], false),
    ("gpt fc1 NT", [1024, 512, 128], [(128, 1), (1, 128), (512, 1)], false),
    ("gpt fc2 NT", [1024, 128, 512], [(512, 1), (1, 512), (128, 1)], false),
    ("gpt fc2 dx", [1024, 512, 128], [(128, 1), (512, 1), (512, 1)], false),
    ("gpt fc2 dw", [128, 512, 1024], [(1, 128), (512, 1), (512, 1)], false),
    ("gpt fc1 dw", [512, 128, 1024], [(1, 512), (128, 1), (128, 1)], false),
    ("gpt head NT", [1024, 65, 128], [(128, 1), (1, 128), (65, 1)], false),
    ("lenet c1", [784, 6, 25], [(1, 784), (1, 25), (1, 784)], false),
    ("lenet c2", [100, 16, 150], [(1, 100), (1, 150), (1, 100)], false),
    ("lenet c2 dx", [100, 150, 16], [(1, 100), (150, 1), (1, 100)], false),
    ("lenet c2 dw", [150, 16, 100], [(100, 1), (1, 100), (1, 150)], true),
    ("lenet c1 dw", [25, 6, 784], [(784, 1), (1, 784), (1, 25)], true),
    ("lenet l1 NT", [64, 120, 400], [(400, 1), (1, 400), (120, 1)], false),
    ("lenet l1 dx", [64, 400, 120], [(120, 1), (400, 1), (400, 1)], false),
    ("lenet l1 dw", [120, 400, 64], [(1, 120), (400, 1), (400, 1)], false),
    ("lenet l2 NT", [64, 84, 120], [(120, 1), (1, 120), (84, 1)], false),
    ("cnn c1", [784, 32, 9], [(1, 784), (1, 9), (1, 784)], false),
    ("cnn c2", [196, 64, 288], [(1, 196), (1, 288), (1, 196)], false),
    ("cnn l1 NT", [64, 128, 3136], [(3136, 1), (1, 3136), (128, 1)], false),
    ("cnn l1 dx", [64, 3136, 128], [(128, 1), (3136, 1), (3136, 1)], false),
    ("cnn l1 dw", [128, 3136, 64], [(1, 128), (3136, 1), (3136, 1)], false),
    ("cnn c2 dx", [196, 288, 64], [(1, 196), (288, 1), (1, 196)], false),
    ("cnn c2 dw", [288, 64, 196], [(196, 1), (1, 196), (1, 288)], true),
    ("cnn c1 dw", [32, 9, 784], [(784, 1), (1, 784), (9, 1)], true),
    ("square 256", [256, 256, 256], [(256, 1), (256, 1), (256, 1)], false),
    ("square 512", [512, 512, 512], [(512, 1), (512, 1), (512, 1)], false),
    ("square 1024", [1024, 1024, 1024], [(1024, 1), (1024, 1), (1024, 1)], false),
    ("square 1024 NT", [1024, 1024, 1024], [(1024, 1), (1, 1024), (1024, 1)], false),
    ("square 1024 TN", [1024, 1024, 1024], [(1, 1024), (1024, 1), (1024, 1)], false),
    ("matvec NT", [1, 1024, 1024], [(1024, 1), (1, 1024), (1024, 1)], false),
    ("matvec NN", [1, 1024, 1024], [(1024, 1), (1024, 1), (1024, 1)], false),
    ("m=8 NT", [8, 1024, 1024], [(1024, 1), (1, 1024), (1024, 1)], false),
];

#[test]
#[ignore = "a measurement"]
fn products_of_real_networks() {
    let peak = peak();
    println!("peak {peak:.0} GFLOP/s");
    println!(
        "{:<16} {:>16} {:>10} {:>10} {:>8} {:>6} {:>6}",
        "", "m n k", "us", "library", "GFLOP/s", "peak", "ratio"
    );
    for &(name, [m, n, k], [a, b, c], accumulate) in PRODUCTS {
        let shape = Shape { m, n, k, a, b, c, accumulate };
        let Some(product) = Product::new(shape, ONCE) else { return };
        let mut random = Random(1);
        let (left, right) = (random.floats(reach(m, k, a)), random.floats(reach(k, n, b)));
        let mut result = vec![0.0; reach(m, n, c)];
        let (left, right, result) = (left.as_ptr(), right.as_ptr(), result.as_mut_ptr());
        // SAFETY: the vectors are as long as the shape reaches.
        let seconds_of_product = seconds(|| unsafe { product.piece(left, right, result, ALL) });
        // SAFETY: as above.
        let library = seconds(|| unsafe { by_library(&shape, left, right, result) });
        let rate = 2e-9 * (m * n * k) as f64 / seconds_of_product;
        println!(
            "{name:<16} {:>16} {:>10.2} {:>10.2} {rate:>8.0} {:>5.0}% {:>6.2}",
            format!("{m} {n} {k}"),
            seconds_of_product * 1e6,
            library * 1e6,
            rate / peak * 100.0,
            library / seconds_of_product
        );
    }
}

/// The best of several runs.
fn seconds(mut run: impl FnMut()) -> f64 {
    run();
    let start = Instant::now();
    run();
    let once = start.elapsed().as_secs_f64().max(1e-8);
    let repeats = ((1e-3 / once) as usize).clamp(1, 100_000);
    let mut best = f64::INFINITY;
    for _ in 0..25 {
        let start = Instant::now();
        (0..repeats).for_each(|_| run());
        best = best.min(start.elapsed().as_secs_f64() / repeats as f64);
    }
    best
}

unsafe fn by_library(shape: &Shape, a: *const f32, b: *const f32, c: *mut f32) {
    // SAFETY: by the contract.
    unsafe {
        ::gemm::gemm(
            shape.m,
            shape.n,
            shape.k,
            c,
            shape.c.1,
            shape.c.0,
            shape.accumulate,
            a,
            shape.a.1,
            shape.a.0,
            b,
            shape.b.1,
            shape.b.0,
            1.0f32,
            1.0,
            false,
            false,
            false,
            ::gemm::Parallelism::None,
        );
    }
}

/// What independent multiply-adds reach.
fn peak() -> f64 {
    let mut operations = 0.0;
    let best = seconds(|| operations = multiply_add_f32(1_000_000));
    operations / best * 1e-9
}
