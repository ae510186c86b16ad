//! Arrays as constants of C.

use crate::backend::c::text::{float, int};
use crate::loops::Kind;
use crate::runtime::array::{Array, Elements};

/// The elements of an array as C writes them, as elements of a kind.
pub fn elements(array: &Array, kind: Kind) -> Vec<String> {
    match array.elements() {
        Elements::F32(values) => values.iter().map(|value| float(f64::from(*value), kind)).collect(),
        Elements::F64(values) => values.iter().map(|value| float(*value, kind)).collect(),
        Elements::I32(values) => values.iter().map(|value| int(i64::from(*value), kind)).collect(),
        Elements::I64(values) => values.iter().map(|value| int(*value, kind)).collect(),
        Elements::U8(values) => values.iter().map(ToString::to_string).collect(),
        Elements::Bool(values) => values.iter().map(|value| u8::from(*value).to_string()).collect(),
    }
}

/// The elements of an array as they lie in memory, as elements of a kind.
pub fn bytes_of(array: &Array, kind: Kind) -> Vec<u8> {
    let float = |value: f64| match kind {
        Kind::F64 => value.to_ne_bytes().to_vec(),
        _ => (value as f32).to_ne_bytes().to_vec(),
    };
    let int = |value: i64| match kind {
        Kind::I64 => value.to_ne_bytes().to_vec(),
        Kind::Bool => vec![value as u8],
        Kind::F32 | Kind::F64 => float(value as f64),
        Kind::I32 => (value as i32).to_ne_bytes().to_vec(),
    };
    match array.elements() {
        Elements::F32(values) => values.iter().flat_map(|value| float(f64::from(*value))).collect(),
        Elements::F64(values) => values.iter().flat_map(|value| float(*value)).collect(),
        Elements::I32(values) => values.iter().flat_map(|value| int(i64::from(*value))).collect(),
        Elements::I64(values) => values.iter().flat_map(|value| int(*value)).collect(),
        Elements::U8(values) => values.iter().flat_map(|value| int(i64::from(*value))).collect(),
        Elements::Bool(values) => values.iter().flat_map(|value| int(i64::from(*value))).collect(),
    }
}

/// A text as C writes it.
pub fn string(text: &str) -> String {
    let mut written = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' => written.push_str("\\\""),
            b'\\' => written.push_str("\\\\"),
            b'?' => written.push_str("\\?"),
            b' '..=b'~' => written.push(byte as char),
            // Three digits, so that a digit behind them is not one of them.
            _ => written.push_str(&format!("\\{byte:03o}")),
        }
    }
    written + "\""
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_are_written_in_ascii() {
        assert_eq!(super::string("a \"b\"?\\\n1ß"), "\"a \\\"b\\\"\\?\\\\\\0121\\303\\237\"");
    }
}
