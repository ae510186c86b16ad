//! The text of StableHLO operations.

use std::fmt::Write;

/// The type of an element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    F32,
    F64,
    I1,
    I32,
    I64,
    Ui32,
    Ui64,
}

/// A value of the program in the making.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    pub name: String,
    pub kind: Kind,
    pub shape: Vec<i64>,
}

/// A function body in the making.
#[derive(Default)]
pub struct Text {
    pub lines: String,
    next: usize,
    depth: usize,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::F32 => "f32",
            Kind::F64 => "f64",
            Kind::I1 => "i1",
            Kind::I32 => "i32",
            Kind::I64 => "i64",
            Kind::Ui32 => "ui32",
            Kind::Ui64 => "ui64",
        }
    }

    pub fn is_float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }

    /// How values of it are compared.
    fn comparison(self) -> &'static str {
        match self {
            Kind::F32 | Kind::F64 => "FLOAT",
            Kind::I32 | Kind::I64 => "SIGNED",
            Kind::I1 | Kind::Ui32 | Kind::Ui64 => "UNSIGNED",
        }
    }

    /// A number as a literal of this type.
    pub fn literal(self, value: f64) -> String {
        match self {
            Kind::F32 if !value.is_finite() || !(value as f32).is_finite() => {
                format!("0x{:08X}", (value as f32).to_bits())
            }
            Kind::F64 if !value.is_finite() => format!("0x{:016X}", value.to_bits()),
            Kind::F32 | Kind::F64 => {
                let text = format!("{value:e}");
                match text.split_once('e') {
                    Some((digits, power)) if !digits.contains('.') => format!("{digits}.0e{power}"),
                    _ => text,
                }
            }
            Kind::I1 => (value != 0.0).to_string(),
            Kind::I32 | Kind::I64 | Kind::Ui32 | Kind::Ui64 => (value as i64).to_string(),
        }
    }
}

/// `tensor<2x3xf32>`
pub fn type_of(shape: &[i64], kind: Kind) -> String {
    let sizes: String = shape.iter().map(|size| format!("{size}x")).collect();
    format!("tensor<{sizes}{}>", kind.name())
}

/// `[0, 2]`
pub fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(", "))
}

impl Value {
    pub fn ty(&self) -> String {
        type_of(&self.shape, self.kind)
    }

    pub fn count(&self) -> i64 {
        self.shape.iter().product()
    }
}

impl Text {
    pub fn line(&mut self, text: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.lines, "{:indent$}{text}", "", indent = 4 + 2 * self.depth);
    }

    pub fn indent(&mut self) {
        self.depth += 1;
    }

    pub fn outdent(&mut self) {
        self.depth -= 1;
    }

    pub fn fresh(&mut self) -> String {
        self.next += 1;
        format!("%{}", self.next)
    }

    /// `%7 = OPERATION`
    pub fn add(&mut self, operation: &str, kind: Kind, shape: Vec<i64>) -> Value {
        let name = self.fresh();
        self.line(&format!("{name} = {operation}"));
        Value { name, kind, shape }
    }

    /// An operation on values of one type, which gives one of the same type.
    pub fn same(&mut self, operation: &str, operands: &[&Value]) -> Value {
        let first = operands[0];
        let names: Vec<&str> = operands.iter().map(|value| value.name.as_str()).collect();
        let text = format!("{operation} {} : {}", names.join(", "), first.ty());
        self.add(&text, first.kind, first.shape.clone())
    }

    /// An operation whose type says what it takes and gives.
    fn shaped(&mut self, operation: &str, of: &Value, rest: &str, kind: Kind, shape: Vec<i64>) -> Value {
        let to = type_of(&shape, kind);
        self.add(&format!("{operation} {}{rest} : ({}) -> {to}", of.name, of.ty()), kind, shape)
    }

    /// The same number everywhere.
    pub fn splat(&mut self, value: f64, kind: Kind, shape: Vec<i64>) -> Value {
        let text = format!("stablehlo.constant dense<{}> : {}", kind.literal(value), type_of(&shape, kind));
        self.add(&text, kind, shape)
    }

    /// The same int everywhere.
    pub fn int(&mut self, value: i64, kind: Kind, shape: Vec<i64>) -> Value {
        self.add(&format!("stablehlo.constant dense<{value}> : {}", type_of(&shape, kind)), kind, shape)
    }

    /// Numbers one behind another.
    pub fn constant(&mut self, literals: &[String], kind: Kind, shape: Vec<i64>) -> Value {
        let flat = vec![literals.len() as i64];
        let text = format!("stablehlo.constant dense<[{}]> : {}", literals.join(", "), type_of(&flat, kind));
        let values = self.add(&text, kind, flat);
        self.reshape(&values, shape)
    }

    pub fn reshape(&mut self, of: &Value, shape: Vec<i64>) -> Value {
        if of.shape == shape {
            return of.clone();
        }
        self.shaped("stablehlo.reshape", of, "", of.kind, shape)
    }

    pub fn convert(&mut self, of: &Value, kind: Kind) -> Value {
        if of.kind == kind {
            return of.clone();
        }
        self.shaped("stablehlo.convert", of, "", kind, of.shape.clone())
    }

    pub fn transpose(&mut self, of: &Value, order: &[usize]) -> Value {
        if order.iter().copied().eq(0..order.len()) {
            return of.clone();
        }
        let shape = order.iter().map(|axis| of.shape[*axis]).collect();
        let rest = format!(", dims = {}", list(order.iter().map(|axis| *axis as i64)));
        self.shaped("stablehlo.transpose", of, &rest, of.kind, shape)
    }

    /// Each axis of the value becomes that axis of the shape; `axes` ascend.
    pub fn broadcast(&mut self, of: &Value, axes: &[usize], shape: Vec<i64>) -> Value {
        if of.shape == shape {
            return of.clone();
        }
        let rest = format!(", dims = {}", list(axes.iter().map(|axis| *axis as i64)));
        self.shaped("stablehlo.broadcast_in_dim", of, &rest, of.kind, shape)
    }

    /// For each axis the first element, the end and the distance.
    pub fn slice(&mut self, of: &Value, ranges: &[(i64, i64, i64)]) -> Value {
        let shape: Vec<i64> = ranges.iter().map(|(from, to, by)| (to - from + by - 1) / by).collect();
        if shape == of.shape {
            return of.clone();
        }
        let texts: Vec<String> = ranges.iter().map(|(from, to, by)| format!("{from}:{to}:{by}")).collect();
        self.shaped("stablehlo.slice", of, &format!(" [{}]", texts.join(", ")), of.kind, shape)
    }

    /// Zeros around.
    pub fn pad(&mut self, of: &Value, low: &[i64], high: &[i64]) -> Value {
        if low.iter().chain(high).all(|width| *width == 0) {
            return of.clone();
        }
        let zero = self.splat(0.0, of.kind, Vec::new());
        let shape: Vec<i64> = of.shape.iter().zip(low.iter().zip(high)).map(|(n, (a, b))| n + a + b).collect();
        let zeros = list(of.shape.iter().map(|_| 0));
        let text = format!(
            "stablehlo.pad {}, {}, low = {}, high = {}, interior = {zeros} : ({}, {}) -> {}",
            of.name,
            zero.name,
            list(low.iter().copied()),
            list(high.iter().copied()),
            of.ty(),
            zero.ty(),
            type_of(&shape, of.kind)
        );
        self.add(&text, of.kind, shape)
    }

    pub fn iota(&mut self, axis: usize, kind: Kind, shape: Vec<i64>) -> Value {
        let text = format!("stablehlo.iota dim = {axis} : {}", type_of(&shape, kind));
        self.add(&text, kind, shape)
    }

    /// `LT`, `LE`, `EQ`, …
    pub fn compare(&mut self, how: &str, a: &Value, b: &Value) -> Value {
        let to = type_of(&a.shape, Kind::I1);
        let kind = a.kind.comparison();
        let text = format!("stablehlo.compare {how}, {}, {}, {kind} : ({}, {}) -> {to}", a.name, b.name, a.ty(), b.ty());
        self.add(&text, Kind::I1, a.shape.clone())
    }

    pub fn select(&mut self, which: &Value, yes: &Value, no: &Value) -> Value {
        let text = format!("stablehlo.select {}, {}, {} : {}, {}", which.name, yes.name, no.name, which.ty(), yes.ty());
        self.add(&text, yes.kind, yes.shape.clone())
    }

    /// Combines along the last axes, from `first` on.
    pub fn reduce(&mut self, of: &Value, operation: &str, start: &Value, first: usize) -> Value {
        let axes = list((first..of.shape.len()).map(|axis| axis as i64));
        let shape = of.shape[..first].to_vec();
        let text = format!(
            "stablehlo.reduce({} init: {}) applies {operation} across dimensions = {axes} : ({}, {}) -> {}",
            of.name,
            start.name,
            of.ty(),
            start.ty(),
            type_of(&shape, of.kind)
        );
        self.add(&text, of.kind, shape)
    }

    /// The elements of a list at places, which are in it.
    pub fn gather(&mut self, of: &Value, places: &Value) -> Value {
        let text = format!(
            "\"stablehlo.gather\"({}, {}) {{dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [0], \
             start_index_map = [0], index_vector_dim = {}>, slice_sizes = array<i64: 1>, indices_are_sorted = false}} : \
             ({}, {}) -> {}",
            of.name,
            places.name,
            places.shape.len(),
            of.ty(),
            places.ty(),
            type_of(&places.shape, of.kind)
        );
        self.add(&text, of.kind, places.shape.clone())
    }
}
