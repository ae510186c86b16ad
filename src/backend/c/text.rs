//! Lines of C with their indentation, and numbers as C writes them.

use crate::loops::{Kind, Linear, ValueId};

/// Lines of C.
#[derive(Default)]
pub struct Text {
    pub text: String,
    pub depth: usize,
}

impl Text {
    /// Lines that stand so deep.
    pub fn at(depth: usize) -> Text {
        Text { text: String::new(), depth }
    }

    pub fn line(&mut self, line: impl AsRef<str>) {
        (0..self.depth).for_each(|_| self.text.push_str("    "));
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// A line that ends with `{`.
    pub fn open(&mut self, line: impl AsRef<str>) {
        self.line(format!("{} {{", line.as_ref()));
        self.depth += 1;
    }

    pub fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.line("}");
    }
}

/// The type of an element in memory.
pub fn element(kind: Kind) -> &'static str {
    match kind {
        Kind::F32 => "float",
        Kind::F64 => "double",
        Kind::I32 => "int32_t",
        Kind::I64 => "int64_t",
        Kind::Bool => "uint8_t",
    }
}

/// A float as C writes it, which reads back to the same bits.
pub fn float(value: f64, kind: Kind) -> String {
    let (text, is_finite, suffix) = match kind {
        Kind::F32 => (format!("{:?}", value as f32), (value as f32).is_finite(), "f"),
        _ => (format!("{value:?}"), value.is_finite(), ""),
    };
    if is_finite {
        let has_point = text.contains(['.', 'e']);
        let text = format!("{text}{}{suffix}", if has_point { "" } else { ".0" });
        return if text.starts_with('-') { format!("({text})") } else { text };
    }
    let text = match (value.is_nan(), value > 0.0) {
        (true, _) => "NAN",
        (false, true) => "INFINITY",
        (false, false) => "-INFINITY",
    };
    // These are floats.
    match kind {
        Kind::F64 => format!("((double){text})"),
        _ if text.starts_with('-') => format!("({text})"),
        _ => text.to_owned(),
    }
}

/// An int as C writes it.
pub fn int(value: i64, kind: Kind) -> String {
    match (kind, value) {
        (Kind::I32, _) if value == i64::from(i32::MIN) => "INT32_MIN".to_owned(),
        (Kind::I64, i64::MIN) => "INT64_MIN".to_owned(),
        (Kind::I64, _) if i32::try_from(value).is_err() && value < 0 => {
            format!("(-INT64_C({}))", value.unsigned_abs())
        }
        (Kind::I64, _) if i32::try_from(value).is_err() => format!("INT64_C({value})"),
        _ if value < 0 => format!("({value})"),
        _ => value.to_string(),
    }
}

/// `4*i0 + i1 + 3`
pub fn linear(form: &Linear, name: &dyn Fn(ValueId) -> String) -> String {
    let mut text = String::new();
    for (value, factor) in &form.terms {
        let name = name(*value);
        let term = if factor.abs() == 1 { name } else { format!("{}*{name}", factor.unsigned_abs()) };
        match (text.is_empty(), *factor < 0) {
            (true, false) => text = term,
            (true, true) => text = format!("-{term}"),
            (false, false) => text.push_str(&format!(" + {term}")),
            (false, true) => text.push_str(&format!(" - {term}")),
        }
    }
    match (text.is_empty(), form.constant) {
        (true, constant) => constant.to_string(),
        (false, 0) => text,
        (false, constant @ 1..) => format!("{text} + {constant}"),
        (false, constant) => format!("{text} - {}", constant.unsigned_abs()),
    }
}
