//! The text form of loop IR.

use super::ir::*;
use std::fmt::{self, Display, Formatter, Write};

impl Display for Module {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, kernel) in self.kernels.iter().enumerate() {
            writeln!(f, "kernel k{at}{kernel}")?;
        }
        writeln!(f, "step {{")?;
        items(f, &self.items, 1)?;
        writeln!(f, "}}")
    }
}

fn indent(f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
    (0..depth).try_for_each(|_| f.write_str("  "))
}

fn items(f: &mut Formatter<'_>, all: &[Item], depth: usize) -> fmt::Result {
    for item in all {
        indent(f, depth)?;
        match item {
            Item::Call(call) => {
                write!(f, "k{}(", call.kernel.0)?;
                list(f, &call.bases)?;
                for step in &call.steps {
                    write!(f, ", t{}", step.0)?;
                }
                writeln!(f, ")  # {}", call.name.text)?;
            }
            Item::Gemm(gemm) => {
                let [a, b, c] = &gemm.bases;
                let sign = if gemm.accumulate { "+=" } else { "=" };
                write!(f, "gemm {c} {sign} {a} @ {b}, m {} n {} k {}", gemm.m, gemm.n, gemm.k)?;
                for ([row, column], name) in gemm.sides.iter().zip(["a", "b", "c"]) {
                    write!(f, ", {name} {}:{}", side(row), side(column))?;
                }
                for (size, strides) in &gemm.batch {
                    write!(f, ", batch {size} {}:{}:{}", strides[0], strides[1], strides[2])?;
                }
                writeln!(f, ", pieces {}  # {}", gemm.pieces, gemm.name.text)?;
            }
            Item::Rand(rand) => {
                let kind = match rand.kind {
                    crate::ir::RandKind::Uniform => "uniform",
                    crate::ir::RandKind::Normal => "normal",
                };
                write!(f, "{kind} {} stream {} scan step {}", rand.base, rand.stream, rand.scan_step)?;
                for (step, factor) in &rand.scan_terms {
                    write!(f, " + {factor}*t{}", step.0)?;
                }
                writeln!(f, ", {} x {}  # {}", rand.draws, rand.len, rand.name.text)?;
            }
            Item::Poison { base, bytes } => writeln!(f, "poison {bytes} bytes of {base}")?,
            Item::Scan { step, trip, reverse, local, items: inner } => {
                write!(f, "scan t{} in 0..{trip}{}", step.0, if *reverse { " down" } else { "" })?;
                if let Some(local) = local {
                    write!(f, " at once, each in {} bytes from arena+{}", local.bytes, local.start)?;
                }
                writeln!(f, " {{")?;
                items(f, inner, depth + 1)?;
                indent(f, depth)?;
                writeln!(f, "}}")?;
            }
        }
    }
    Ok(())
}

impl Display for Base {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.place {
            BasePlace::Arena => write!(f, "arena+{}", self.offset)?,
            BasePlace::External(slot) => write!(f, "external{slot}+{}", self.offset)?,
            BasePlace::Constants => write!(f, "constants+{}", self.offset)?,
            BasePlace::Fault => f.write_str("fault")?,
            BasePlace::Report => write!(f, "report")?,
        }
        self.steps.iter().try_for_each(|(step, factor)| write!(f, "+{factor}*t{}", step.0))
    }
}

impl Display for Kernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        for (at, param) in self.params.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            let written = if param.written { "mut " } else { "" };
            write!(f, "{comma}p{at}: *{written}{}", param.kind)?;
            if param.piece_stride != 0 {
                write!(f, " private {}", param.piece_stride)?;
            }
        }
        for step in &self.steps {
            write!(f, ", {step}")?;
        }
        match self.piece {
            Some(piece) => writeln!(f, ") piece {piece} of {} {{", self.pieces)?,
            None => writeln!(f, ") {{")?,
        }
        block(f, self, &self.body, 1)?;
        write!(f, "}}")
    }
}

fn block(f: &mut Formatter<'_>, kernel: &Kernel, stmts: &[Stmt], depth: usize) -> fmt::Result {
    for stmt in stmts {
        indent(f, depth)?;
        match stmt {
            Stmt::Let(value, expr) => {
                writeln!(f, "{value}: {} = {expr}", kernel.types[value.0 as usize])?;
            }
            Stmt::Store { address, value } => writeln!(f, "{address} = {value}")?,
            Stmt::Check { address, lanes, site } => writeln!(f, "check {site}: {lanes} of {address}")?,
            Stmt::For(inner) => {
                write!(f, "for {} in {}..{}", inner.counter, inner.from, inner.to)?;
                if inner.step != 1 {
                    write!(f, " step {}", inner.step)?;
                }
                for (at, carry) in inner.carries.iter().enumerate() {
                    let word = if at == 0 { " with " } else { ", " };
                    write!(f, "{word}{} = {}", carry.current, carry.start)?;
                }
                writeln!(f, " {{")?;
                block(f, kernel, &inner.body, depth + 1)?;
                indent(f, depth)?;
                f.write_char('}')?;
                for (at, carry) in inner.carries.iter().enumerate() {
                    let word = if at == 0 { " giving " } else { ", " };
                    write!(f, "{word}{} = {}", carry.result, carry.next)?;
                }
                writeln!(f)?;
            }
            Stmt::If { condition, then } => {
                writeln!(f, "if {condition} {{")?;
                block(f, kernel, then, depth + 1)?;
                indent(f, depth)?;
                writeln!(f, "}}")?;
            }
        }
    }
    Ok(())
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Float(value) => write!(f, "{:?}", value.0),
            Expr::Int(value) => write!(f, "{value}"),
            Expr::Bool(value) => write!(f, "{value}"),
            Expr::Linear(linear) => write!(f, "{linear}"),
            Expr::Iota(step) => write!(f, "iota {step}"),
            Expr::Splat(a) => write!(f, "splat {a}"),
            Expr::Pack(values) => {
                f.write_str("pack ")?;
                list(f, values)
            }
            Expr::Extract(a, lane) => write!(f, "extract {a}, {lane}"),
            Expr::Half(a, upper) => write!(f, "{} {a}", if *upper { "upper" } else { "lower" }),
            Expr::Load(address) => write!(f, "{address}"),
            Expr::Gather(addresses) => {
                f.write_str("gather ")?;
                list(f, addresses)
            }
            Expr::Unary(op, a) => write!(f, "{} {a}", op.name()),
            Expr::Binary(op, a, b) => write!(f, "{} {a}, {b}", op.name()),
            Expr::Overflows(op, a, b) => write!(f, "overflows {} {a}, {b}", op.name()),
            Expr::Library(function, operands) => {
                write!(f, "library {} ", function.name())?;
                list(f, operands)
            }
            Expr::Fma(a, b, c) => write!(f, "fma {a}, {b}, {c}"),
            Expr::Select(c, a, b) => write!(f, "select {c}, {a}, {b}"),
        }
    }
}

/// `9`, or of several axes the sizes, too: `8×34 8×1`.
fn side(side: &Side) -> String {
    match side.stride() {
        Some(stride) => stride.to_string(),
        None => {
            let axes: Vec<String> =
                side.axes.iter().map(|(size, stride)| format!("{size}×{stride}")).collect();
            axes.join(" ")
        }
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, all: &[T]) -> fmt::Result {
    for (at, one) in all.iter().enumerate() {
        write!(f, "{}{one}", if at > 0 { ", " } else { "" })?;
    }
    Ok(())
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "p{}[{}]", self.param, self.index)
    }
}

impl Display for Linear {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (value, factor)) in self.terms.iter().enumerate() {
            let plus = if at > 0 { " + " } else { "" };
            match factor {
                1 => write!(f, "{plus}{value}")?,
                _ => write!(f, "{plus}{factor}*{value}")?,
            }
        }
        match (self.terms.is_empty(), self.constant) {
            (true, constant) => write!(f, "{constant}"),
            (false, 0) => Ok(()),
            (false, constant) if constant < 0 => write!(f, " - {}", constant.unsigned_abs()),
            (false, constant) => write!(f, " + {constant}"),
        }
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Number(number) => write!(f, "{number}"),
            Bound::Value(value) => write!(f, "{value}"),
        }
    }
}

impl Display for ValueId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::F32 => "f32",
            Kind::F64 => "f64",
            Kind::I32 => "i32",
            Kind::I64 => "i64",
            Kind::Bool => "bool",
        })
    }
}

impl Display for Ty {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.lanes {
            1 => write!(f, "{}", self.kind),
            lanes => write!(f, "{}x{lanes}", self.kind),
        }
    }
}

impl Library {
    /// As `math.h` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Library::Exp => "exp",
            Library::Log => "log",
            Library::Sin => "sin",
            Library::Cos => "cos",
            Library::Tanh => "tanh",
            Library::Erf => "erf",
            Library::Erfc => "erfc",
            Library::Pow => "pow",
        }
    }
}

impl Unary {
    pub fn name(self) -> &'static str {
        match self {
            Unary::Neg => "neg",
            Unary::Abs => "abs",
            Unary::Sqrt => "sqrt",
            Unary::Floor => "floor",
            Unary::Ceil => "ceil",
            Unary::Round => "round",
            Unary::Not => "not",
            Unary::ToFloat => "float",
            Unary::ToInt => "int",
            Unary::ToIndex => "index",
            Unary::FromIndex => "from_index",
            Unary::ToBits => "bits",
            Unary::FromBits => "from_bits",
        }
    }
}

impl Binary {
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "add",
            Binary::Sub => "sub",
            Binary::Mul => "mul",
            Binary::Div => "div",
            Binary::FloorDiv => "floordiv",
            Binary::Mod => "mod",
            Binary::Lt => "lt",
            Binary::Le => "le",
            Binary::Eq => "eq",
            Binary::And => "and",
            Binary::Or => "or",
            Binary::Xor => "xor",
            Binary::Min => "min",
            Binary::Max => "max",
            Binary::Shl => "shl",
            Binary::Shr => "shr",
        }
    }
}
