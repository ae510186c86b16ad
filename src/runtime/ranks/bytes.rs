//! Tensors as bytes, the lowest first.

use std::ops::Range;

use crate::runtime::array::Elements;

/// Appends the bytes of elements.
pub fn append(into: &mut Vec<u8>, elements: &Elements) {
    append_part(into, elements, 0..elements.len());
}

/// Appends the bytes of some elements.
pub fn append_part(into: &mut Vec<u8>, elements: &Elements, part: Range<usize>) {
    macro_rules! numbers {
        ($values:expr, $size:expr) => {{
            let start = into.len();
            into.resize(start + part.len() * $size, 0);
            for (place, value) in into[start..].chunks_exact_mut($size).zip(&$values[part]) {
                place.copy_from_slice(&value.to_le_bytes());
            }
        }};
    }
    match elements {
        Elements::F32(values) => numbers!(values, 4),
        Elements::F64(values) => numbers!(values, 8),
        Elements::I32(values) => numbers!(values, 4),
        Elements::I64(values) => numbers!(values, 8),
        Elements::U8(values) => into.extend_from_slice(&values[part]),
        Elements::Bool(values) => into.extend(values[part].iter().map(|value| u8::from(*value))),
    }
}

/// Takes as many elements of the type of others off the front of bytes; fewer, if there are fewer.
pub fn take(from: &mut &[u8], count: usize, like: &Elements) -> Elements {
    let size = like.size();
    let (mine, rest) = from.split_at((count * size).min(from.len()));
    *from = rest;
    macro_rules! numbers {
        ($kind:ident, $ty:ty, $size:expr) => {
            Elements::$kind(
                mine.chunks_exact($size)
                    .map(|bytes| {
                        let mut number = [0; $size];
                        number.copy_from_slice(bytes);
                        <$ty>::from_le_bytes(number)
                    })
                    .collect(),
            )
        };
    }
    match like {
        Elements::F32(_) => numbers!(F32, f32, 4),
        Elements::F64(_) => numbers!(F64, f64, 8),
        Elements::I32(_) => numbers!(I32, i32, 4),
        Elements::I64(_) => numbers!(I64, i64, 8),
        Elements::U8(_) => Elements::U8(mine.to_vec()),
        Elements::Bool(_) => Elements::Bool(mine.iter().map(|byte| *byte != 0).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back() {
        let all = [
            Elements::F32(vec![1.5, f32::NAN, -0.0]),
            Elements::F64(vec![f64::MIN_POSITIVE, 2.0]),
            Elements::I32(vec![-1, i32::MAX]),
            Elements::I64(vec![i64::MIN]),
            Elements::U8(vec![0, 255]),
            Elements::Bool(vec![true, false]),
        ];
        let mut bytes = Vec::new();
        all.iter().for_each(|elements| append(&mut bytes, elements));
        let mut rest = bytes.as_slice();
        for elements in &all {
            let again = take(&mut rest, elements.len(), elements);
            assert_eq!(format!("{again:?}"), format!("{elements:?}"));
        }
        assert!(rest.is_empty());
    }
}
