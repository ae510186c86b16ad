//! Floats of 32 bits from those of 64, and what they lose.

use std::sync::Arc;

use crate::runtime::report::data::DataWarning;
use crate::ir::program::Field;
use crate::runtime::array::{Array, Elements};
use crate::runtime::notices::Notices;

/// The first whole number that 32-bit floats do not have is above this.
const WHOLE: f64 = 16_777_216.0;
/// How much of the range of its column a number may be moved by rounding.
const SHARE: f64 = 1e-3;

/// A number that is another one in 32 bits.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Lost {
    row: usize,
    value: f64,
}

/// The numbers of a field in 32 bits. Digits that are lost are told.
pub fn rounded(array: Arc<Array>, field: &Field, notices: &Notices) -> Arc<Array> {
    let Elements::F64(values) = array.elements() else { return array };
    if let Some(Lost { row, value }) = first_lost(values, array.row_len().max(1)) {
        notices.add(DataWarning::Digits { field: field.name.clone(), row, value, at: field.span });
    }
    let values = values.iter().map(|value| *value as f32).collect();
    let shape = array.shape().to_vec();
    Array::new(shape, Elements::F32(values)).map_or(array, Arc::new)
}

/// The first number that is whole and becomes another, or is moved by more than a share of its column's range.
fn first_lost(values: &[f64], columns: usize) -> Option<Lost> {
    let moved = |value: f64| (f64::from(value as f32) - value).abs();
    let is_lost = |range: f64, value: f64| {
        let by = moved(value);
        by > 0.0 && value.is_finite() && (value.fract() == 0.0 && value.abs() > WHOLE || by > SHARE * range)
    };
    // Rounding moves a number by at most 2^-24 of it: only where the range is far smaller is that much.
    let mut ranges: Vec<(f64, f64)> = vec![(f64::INFINITY, f64::NEG_INFINITY); columns];
    for row in values.chunks_exact(columns) {
        for (range, value) in ranges.iter_mut().zip(row) {
            *range = (range.0.min(*value), range.1.max(*value));
        }
    }
    for (row, numbers) in values.chunks_exact(columns).enumerate() {
        for (value, (least, greatest)) in numbers.iter().zip(&ranges) {
            let range = greatest - least;
            if is_lost(if range > 0.0 { range } else { f64::INFINITY }, *value) {
                return Some(Lost { row, value: *value });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_lost() {
        let cases: [(&[f64], Option<usize>); 7] = [
            (&[0.1, 0.2, 0.3], None),
            (&[16_777_216.0, 16_777_218.0], None),
            (&[1.0, 16_777_217.0], Some(1)),
            (&[1_700_000_000.0, 1_700_000_060.0], Some(1)),
            (&[1_234_567.891, 1_234_567.892], Some(0)),
            (&[1_234_567.891, 0.0], None),
            (&[5.1, 5.1], None),
        ];
        for (values, row) in cases {
            assert_eq!(first_lost(values, 1).map(|lost| lost.row), row, "{values:?}");
        }
        assert_eq!(first_lost(&[0.0, 1e9 + 1.0, 5.0, 1e9 + 2.0], 2).map(|lost| lost.row), Some(0));
    }
}
