//! Products whose operands no single stride leads through: the windows of convolutions.

use super::super::{Piece, Product, Reuse, Run, Shape};
use super::{ONCE, Random};
use crate::product::{SCATTERED, Side};

/// A product by the axes of its operands.
struct Case {
    sides: [[Side; 2]; 3],
    accumulate: bool,
}

impl Case {
    fn shape(&self) -> Shape {
        let stride = |side: &Side| side.stride().map_or(SCATTERED, |stride| stride as isize);
        let [a, b, c] = self.sides.each_ref().map(|[rows, columns]| (stride(rows), stride(columns)));
        let size = |side: &Side| side.offsets().len();
        let (m, k, n) = (size(&self.sides[0][0]), size(&self.sides[0][1]), size(&self.sides[1][1]));
        Shape { m, n, k, a, b, c, accumulate: self.accumulate }
    }

    /// The transposed product.
    fn turned(&self) -> Case {
        let [a, b, c] = self.sides.each_ref().map(|[rows, columns]| [columns.clone(), rows.clone()]);
        Case { sides: [b, a, c], accumulate: self.accumulate }
    }

    fn expected(&self, a: &[f32], b: &[f32], c: &[f32]) -> Vec<f32> {
        let shape = self.shape();
        let offsets = self.sides.each_ref().map(|sides| sides.each_ref().map(Side::offsets));
        let mut result = c.to_vec();
        for (i, row) in offsets[2][0].iter().enumerate() {
            for (j, column) in offsets[2][1].iter().enumerate() {
                let element = &mut result[(row + column) as usize];
                for start in (0..shape.k).step_by(shape.k_block()) {
                    let mut sum = 0.0f32;
                    for p in start..shape.k.min(start + shape.k_block()) {
                        let a = a[(offsets[0][0][i] + offsets[0][1][p]) as usize];
                        let b = b[(offsets[1][0][p] + offsets[1][1][j]) as usize];
                        sum = a.mul_add(b, sum);
                    }
                    let adds = self.accumulate || start > 0;
                    *element = if adds { *element + sum } else { sum };
                }
            }
        }
        result
    }

    fn check(&self, random: &mut Random) {
        let reach = |[rows, columns]: &[Side; 2]| {
            let last = |side: &Side| side.offsets().into_iter().max().unwrap_or(0);
            (last(rows) + last(columns) + 1) as usize
        };
        let [a, b, c] = self.sides.each_ref().map(|sides| random.floats(reach(sides)));
        let (shape, expected) = (self.shape(), self.expected(&a, &b, &c));
        let reuse = Reuse { a: 1 + random.below(20), ..ONCE };
        let of_sides = [Product::of_sides, Product::narrow_of_sides];
        for product in of_sides.into_iter().filter_map(|make| make(shape, &self.sides, reuse)) {
            for of in [1, 2, 5] {
                let mut found = c.clone();
                let run = Run::new();
                for number in 0..of {
                    // SAFETY: the matrices reach as far as their sides say.
                    unsafe {
                        let piece = Piece { number, of, run };
                        product.piece(a.as_ptr(), b.as_ptr(), found.as_mut_ptr(), piece);
                    }
                }
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
                assert_eq!(bits(&found), bits(&expected), "{shape:?} {:?} in {of} pieces", self.sides);
            }
        }
    }
}

#[test]
fn windows_are_multiplied_where_they_overlap() {
    let mut random = Random(11);
    for _ in 0..100 {
        let mut size = |most: usize| 1 + random.below(most) as i64;
        let (channels, out, stride, dilation) = (size(9), size(70), size(3), size(2));
        let (u, v, i, j) = (size(5), size(5), size(12), size(40));
        let (height, width) =
            (stride * (i - 1) + dilation * (u - 1) + 1, stride * (j - 1) + dilation * (v - 1) + 1);
        let side = |axes: &[(i64, i64)]| Side::new(axes.to_vec());
        let window = side(&[(channels, height * width), (u, dilation * width), (v, dilation)]);
        let places = side(&[(i, stride * width), (j, stride)]);
        let (n_window, n_places) = (channels * u * v, i * j);
        // The result without gaps, or within zeros around it.
        let gap = random.below(2) as i64;
        let pixels = side(&[(i, j + gap), (j, 1)]);
        let weights = [side(&[(out, n_window)]), side(&[(n_window, 1)])];
        let result = [side(&[(out, n_places + gap * i)]), pixels];
        let forward = Case {
            sides: [weights, [window.clone(), places.clone()], result],
            accumulate: random.below(2) == 0,
        };
        let gradients = [side(&[(out, n_places)]), side(&[(n_places, 1)])];
        let sums = [side(&[(out, n_window)]), side(&[(n_window, 1)])];
        let backward = Case {
            sides: [gradients, [places, window.clone()], sums.clone()],
            accumulate: random.below(2) == 0,
        };
        // A sum over the places of several pictures.
        let pictures = 1 + random.below(3) as i64;
        let all_places = side(&[(pictures, channels * height * width), (i, stride * width), (j, stride)]);
        let all_gradients = [side(&[(out, pictures * n_places)]), side(&[(pictures * n_places, 1)])];
        let of_pictures = Case { sides: [all_gradients, [all_places, window], sums], accumulate: true };
        let cases =
            [forward.turned(), forward, backward.turned(), backward, of_pictures.turned(), of_pictures];
        for case in cases {
            // What one stride leads through may be summed in another way.
            if !case.shape().tidy().is_along_k() {
                case.check(&mut random);
            }
        }
    }
}
