//! Products against the sum that their definition says, bit for bit; and their speed.

mod scattered;
mod speed;

use super::{Piece, Product, Reuse, Run, Shape};

/// A product by itself.
const ONCE: Reuse = Reuse { a: 1, b: 1 };

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    fn float(&mut self) -> f32 {
        self.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0
    }

    fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }

    fn size(&mut self) -> usize {
        match self.below(4) {
            0 => 1 + self.below(8),
            1 => 1 + self.below(40),
            2 => 1 + self.below(130),
            _ => [16, 32, 64, 12, 48, 600][self.below(6)],
        }
    }

    /// Contiguous along columns, along rows, or along neither; with and without gaps.
    fn strides(&mut self, rows: usize, columns: usize) -> (isize, isize) {
        let gap = self.below(5) as isize;
        match self.below(5) {
            0 | 1 => (columns as isize + gap, 1),
            2 | 3 => (1, rows as isize + gap),
            _ => (2 * columns as isize + 3, 2),
        }
    }
}

fn place(row: usize, column: usize, strides: (isize, isize)) -> usize {
    (row as isize * strides.0 + column as isize * strides.1) as usize
}

/// How many elements a matrix reaches over.
fn reach(rows: usize, columns: usize, strides: (isize, isize)) -> usize {
    place(rows.max(1) - 1, columns.max(1) - 1, strides) + 1
}

/// Sixteen sums, added by halves.
fn along_k(values: impl Iterator<Item = (f32, f32)>) -> f32 {
    let mut sums = [0.0f32; 16];
    for (at, (a, b)) in values.enumerate() {
        sums[at % 16] = a.mul_add(b, sums[at % 16]);
    }
    for half in [8, 4, 2, 1] {
        for at in 0..half {
            sums[at] += sums[at + half];
        }
    }
    sums[0]
}

/// What the head of the folder promises.
fn expected(shape: &Shape, a: &[f32], b: &[f32], c: &[f32]) -> Vec<f32> {
    let blocks = shape.k.div_ceil(256).max(1);
    let block = shape.k.div_ceil(blocks).max(1);
    let mut result = c.to_vec();
    for i in 0..shape.m {
        for j in 0..shape.n {
            let at = place(i, j, shape.c);
            if shape.is_along_k() {
                let values = |p| (a[place(i, p, shape.a)], b[place(p, j, shape.b)]);
                let sum = along_k((0..shape.k).map(values));
                result[at] = if shape.accumulate { result[at] + sum } else { sum };
                continue;
            }
            if !shape.accumulate {
                result[at] = 0.0;
            }
            for start in (0..shape.k).step_by(block) {
                let mut sum = 0.0f32;
                for p in start..(start + block).min(shape.k) {
                    sum = a[place(i, p, shape.a)].mul_add(b[place(p, j, shape.b)], sum);
                }
                let is_first = start == 0 && !shape.accumulate;
                result[at] = if is_first { sum } else { result[at] + sum };
            }
        }
    }
    result
}

fn check(shape: Shape, random: &mut Random) {
    let a = random.floats(reach(shape.m, shape.k, shape.a));
    let b = random.floats(reach(shape.k, shape.n, shape.b));
    let before = random.floats(reach(shape.m, shape.n, shape.c));
    let wanted = expected(&shape, &a, &b, &before);
    for (name, product) in [("widest", Product::new(shape, ONCE)), ("narrow", Product::narrow(shape, ONCE))] {
        let Some(product) = product else { continue };
        for pieces in [1, 2, 5] {
            let mut c = before.clone();
            let run = Run::new();
            for number in 0..pieces {
                let piece = Piece { number, of: pieces, run };
                // SAFETY: the vectors are as long as the shape reaches.
                unsafe { product.piece(a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), piece) };
            }
            let same = c.iter().zip(&wanted).all(|(number, other)| number.to_bits() == other.to_bits());
            assert!(same, "{shape:?}, {name} in {pieces} pieces");
        }
    }
}

#[test]
fn any_shape_in_any_pieces_gives_the_same_bits() {
    let mut random = Random(1);
    let mut work = 0;
    while work < 3_000_000 {
        let (m, n, k) = (random.size(), random.size(), random.size());
        if m * n * k > 300_000 {
            continue;
        }
        work += m * n * k;
        let (a, b, c) = (random.strides(m, k), random.strides(k, n), random.strides(m, n));
        check(Shape { m, n, k, a, b, c, accumulate: random.below(2) == 0 }, &mut random);
    }
}

#[test]
fn a_copy_serves_its_own_run_only() {
    let mut random = Random(5);
    let (m, n, k) = (70, 90, 300);
    let shape =
        Shape { m, n, k, a: (k as isize, 1), b: (1, k as isize), c: (n as isize, 1), accumulate: false };
    let reuse = Reuse { a: 1, b: 3 };
    let Some(product) = Product::new(shape, reuse) else { return };
    let mut b = random.floats(n * k);
    for _ in 0..2 {
        let run = Run::new();
        for _ in 0..reuse.b {
            let (a, mut c) = (random.floats(m * k), vec![0.0; m * n]);
            let piece = Piece { number: 0, of: 1, run };
            // SAFETY: the vectors are as long as the shape reaches.
            unsafe { product.piece(a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), piece) };
            assert_eq!(c, expected(&shape, &a, &b, &c));
        }
        b.iter_mut().for_each(|element| *element += 1.0);
    }
}

#[test]
fn few_long_rows() {
    let mut random = Random(4);
    for (m, n, k) in [(1, 70, 300), (70, 1, 64), (5, 9, 161), (33, 6, 784), (1, 1, 33), (7, 18, 240)] {
        for accumulate in [false, true] {
            let (a, b) = ((k as isize + 3, 1), (1, k as isize));
            check(Shape { m, n, k, a, b, c: (n as isize, 1), accumulate }, &mut random);
            check(Shape { m, n, k, a, b, c: (1, m as isize), accumulate }, &mut random);
        }
    }
}

#[test]
fn nothing_to_sum_is_zero_and_no_element_is_nothing() {
    let mut random = Random(2);
    for (m, n, k) in [(0, 5, 5), (5, 0, 5), (20, 30, 0)] {
        for accumulate in [false, true] {
            let shape =
                Shape { m, n, k, a: (k as isize, 1), b: (n as isize, 1), c: (n as isize, 1), accumulate };
            check(shape, &mut random);
        }
    }
}

#[test]
fn more_columns_than_fit_a_copy() {
    let mut random = Random(3);
    for (m, n, k, b) in [(70, 1100, 300, (1100, 1)), (3, 2100, 260, (1, 260))] {
        let shape = Shape { m, n, k, a: (k as isize, 1), b, c: (n as isize, 1), accumulate: false };
        check(shape, &mut random);
    }
}
