//! Images in another size: each new pixel is the mean of the old ones around its place, weighted by how near they are.
//!
//! The weights fall linearly from the place to both sides, over one pixel where an image grows and over as many as become
//! one where it shrinks, first along rows and then along columns, as the image libraries of Python do it.

use crate::ir::program::Fit;

/// Pixels of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Area {
    pub height: usize,
    pub width: usize,
}

/// A part of a side, from and to, in pixels.
type Part = (f64, f64);

/// Pixels of `channels` bytes each, brought from one size to another.
pub fn fitted(bytes: &[u8], channels: usize, from: Area, to: Area, fit: Fit) -> Vec<u8> {
    if from.height == 0 || from.width == 0 {
        return vec![0; to.height * to.width * channels];
    }
    let whole = |side: usize| (0.0, side as f64);
    let ratio = |to: usize, from: usize| to as f64 / from as f64;
    let (high, wide) = (ratio(to.height, from.height), ratio(to.width, from.width));
    match fit {
        Fit::Stretch => resampled(bytes, channels, from, whole(from.height), whole(from.width), to),
        Fit::Cover => {
            let scale = high.max(wide);
            let middle = |side: usize, to: usize| {
                let length = (to as f64 / scale).min(side as f64);
                let from = (side as f64 - length) / 2.0;
                (from, from + length)
            };
            resampled(bytes, channels, from, middle(from.height, to.height), middle(from.width, to.width), to)
        }
        Fit::Contain => {
            let scale = high.min(wide);
            let side = |from: usize, to: usize| ((from as f64 * scale).round() as usize).clamp(1, to.max(1));
            let inner = Area { height: side(from.height, to.height), width: side(from.width, to.width) };
            let small = resampled(bytes, channels, from, whole(from.height), whole(from.width), inner);
            let mut all = vec![0; to.height * to.width * channels];
            let (top, left) = ((to.height - inner.height) / 2, (to.width - inner.width) / 2);
            let line = inner.width * channels;
            for (row, pixels) in small.chunks_exact(line.max(1)).enumerate() {
                let start = ((top + row) * to.width + left) * channels;
                all[start..start + line].copy_from_slice(pixels);
            }
            all
        }
    }
}

/// A part of an image in another size.
fn resampled(bytes: &[u8], channels: usize, from: Area, rows: Part, columns: Part, to: Area) -> Vec<u8> {
    let (rows, columns) = (weights(from.height, rows, to.height), weights(from.width, columns, to.width));
    // Along each row, and then along each column.
    let mut wide = vec![0.0; from.height * to.width * channels];
    for (line, new) in bytes.chunks_exact(from.width * channels).zip(wide.chunks_exact_mut((to.width * channels).max(1))) {
        for (pixel, (first, weights)) in new.chunks_exact_mut(channels).zip(&columns) {
            for (weight, old) in weights.iter().zip(line[first * channels..].chunks_exact(channels)) {
                pixel.iter_mut().zip(old).for_each(|(sum, old)| *sum += weight * f64::from(*old));
            }
        }
    }
    let line = to.width * channels;
    let mut all = Vec::with_capacity(to.height * line);
    for (first, weights) in &rows {
        let mut sums = vec![0.0; line];
        for (weight, old) in weights.iter().zip(wide[first * line..].chunks_exact(line.max(1))) {
            sums.iter_mut().zip(old).for_each(|(sum, old)| *sum += weight * old);
        }
        all.extend(sums.iter().map(|sum| sum.round().clamp(0.0, 255.0) as u8));
    }
    all
}

/// For each new pixel of a side the first old one, and the weights of that and those behind it, which add up to 1.
fn weights(size: usize, (from, end): Part, count: usize) -> Vec<(usize, Vec<f64>)> {
    let scale = (end - from) / count as f64;
    let reach = scale.max(1.0);
    let of = |at: usize| {
        let place = from + (at as f64 + 0.5) * scale;
        let first = ((place - reach + 0.5).floor().max(0.0) as usize).min(size - 1);
        let last = ((place + reach + 0.5).floor().max(1.0) as usize).clamp(first + 1, size);
        let near = |old: usize| (1.0 - (old as f64 + 0.5 - place).abs() / reach).max(0.0);
        let weights: Vec<f64> = (first..last).map(near).collect();
        let sum: f64 = weights.iter().sum();
        match sum > 0.0 {
            true => (first, weights.iter().map(|weight| weight / sum).collect()),
            false => (first, vec![1.0]),
        }
    };
    (0..count).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(height: usize, width: usize) -> Area {
        Area { height, width }
    }

    /// Compared with `PIL.Image.resize(…, BILINEAR)`.
    #[test]
    fn sizes_change_as_elsewhere() {
        let ramp: Vec<u8> = (0..8).map(|at| at * 30).collect();
        assert_eq!(fitted(&ramp, 1, area(1, 8), area(1, 4), Fit::Stretch), [21, 75, 135, 189]);
        assert_eq!(fitted(&[0, 100], 1, area(1, 2), area(1, 4), Fit::Stretch), [0, 25, 75, 100]);
        assert_eq!(fitted(&ramp, 1, area(1, 8), area(1, 8), Fit::Stretch), ramp);
        let colours = [10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30];
        assert_eq!(fitted(&colours, 3, area(2, 2), area(1, 1), Fit::Cover), [10, 20, 30]);
    }

    #[test]
    fn sides_are_cut_or_black() {
        let wide = [9, 5, 5, 9];
        assert_eq!(fitted(&wide, 1, area(1, 4), area(1, 2), Fit::Cover), [5, 5]);
        assert_eq!(fitted(&[7, 7, 7, 7], 1, area(1, 4), area(2, 4), Fit::Contain), [7, 7, 7, 7, 0, 0, 0, 0]);
        assert_eq!(fitted(&[7; 8], 1, area(2, 4), area(4, 4), Fit::Contain), [[0; 4], [7; 4], [7; 4], [0; 4]].concat());
        assert_eq!(fitted(&[], 1, area(0, 0), area(1, 2), Fit::Cover), [0, 0]);
    }
}
