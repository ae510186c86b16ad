//! Expressions of the loop IR as expressions of C.

use super::helpers::Helper;
use super::kernel::Writer;
use super::lanes;
use super::text::{element, float, int, linear};
use crate::backend::CodeError;
use crate::loops::{Address, Binary, Expr, Kind, Linear, Unary, ValueId};

impl Writer<'_> {
    /// A value where it is used; in a loop over lanes, that of the lane `l`.
    pub fn value(&self, value: ValueId) -> String {
        let value = self.place(value);
        match self.definitions.get(&value) {
            Some(Expr::Float(number)) => return float(number.0, self.kind(value)),
            Some(Expr::Int(number)) => return int(*number, self.kind(value)),
            Some(Expr::Bool(truth)) => return if *truth { "1" } else { "0" }.to_owned(),
            Some(Expr::Splat(a)) => return self.value(*a),
            Some(Expr::Iota(1)) => return "l".to_owned(),
            Some(Expr::Iota(step)) => return format!("({step} * l)"),
            _ => {}
        }
        if let Some(text) = self.expressions.get(&value) {
            return text.clone();
        }
        let name = self.name(value);
        if self.lanes(value) > 1 && self.is_array(value) { format!("{name}[l]") } else { name }
    }

    /// One lane of a value, outside of a loop over lanes.
    pub fn lane(&self, value: ValueId, lane: u8) -> String {
        let value = self.place(value);
        match self.definitions.get(&value) {
            Some(Expr::Splat(a)) => self.value(*a),
            Some(Expr::Iota(step)) => (step * i64::from(lane)).to_string(),
            _ if self.lanes(value) == 1 => self.value(value),
            _ => format!("{}[{lane}]", self.name(value)),
        }
    }

    pub fn linear(&self, form: &Linear) -> String {
        linear(form, &|value| self.value(value))
    }

    /// `x[4*i0 + 1]`; `lane` is what is added for the lane.
    pub fn access(&self, address: &Address, lane: &str) -> String {
        let mut index = address.index.clone();
        index.constant += self.shifts[address.param as usize];
        let place = self.linear(&index);
        let place = match (place.as_str(), lane) {
            (_, "") => place,
            ("0", lane) => lane.to_owned(),
            (_, lane) => format!("{place} + {lane}"),
        };
        format!("{}[{place}]", self.params[address.param as usize])
    }

    /// The expression of a value that is computed at its place: of a scalar, or of one lane.
    ///
    /// # Errors
    /// If an operation does not take values of its type.
    pub fn expr(&mut self, value: ValueId, expr: &Expr) -> Result<String, CodeError> {
        let kind = self.kind(value);
        let is_vector = self.lanes(value) > 1;
        Ok(match expr {
            Expr::Float(_) | Expr::Int(_) | Expr::Bool(_) | Expr::Splat(_) | Expr::Iota(_) => self.value(value),
            Expr::Linear(form) => self.linear(form),
            Expr::Extract(a, lane) => self.lane(*a, *lane),
            Expr::Half(a, upper) => {
                let first = if *upper { self.lanes(*a) / 2 } else { 0 };
                self.lane(*a, first)
            }
            Expr::Load(address) => self.access(address, if is_vector { "l" } else { "" }),
            Expr::Gather(addresses) => match (addresses.first(), lanes::stride(addresses)) {
                (Some(first), None) => self.access(first, ""),
                (Some(first), Some(stride)) if is_vector => {
                    let lane = if stride == 1 { "l".to_owned() } else { format!("{stride}*l") };
                    self.access(first, &lane)
                }
                (Some(first), Some(_)) => self.access(first, ""),
                (None, _) => return Err(CodeError::internal("a gather of nothing")),
            },
            Expr::Pack(parts) => parts.first().map(|part| self.value(*part)).unwrap_or_default(),
            Expr::Unary(op, a) => self.unary(*op, *a, kind)?,
            Expr::Binary(op, a, b) => self.binary(*op, *a, *b)?,
            Expr::Fma(a, b, c) => {
                let helper = if kind == Kind::F32 { Helper::FmaFloat } else { Helper::FmaDouble };
                let [a, b, c] = [a, b, c].map(|term| self.value(*term));
                self.call(helper, &[a, b, c])
            }
            Expr::Select(c, a, b) => {
                format!("{} ? {} : {}", self.value(*c), self.value(*a), self.value(*b))
            }
            Expr::Library(function, operands) => {
                let operands: Vec<String> = operands.iter().map(|operand| self.value(*operand)).collect();
                let suffix = if kind == Kind::F32 { "f" } else { "" };
                format!("{}{suffix}({})", function.name(), operands.join(", "))
            }
            Expr::Overflows(op, a, b) => {
                let helper = match op {
                    Binary::Add => Helper::AddOverflows,
                    Binary::Sub => Helper::SubOverflows,
                    Binary::Mul => Helper::MulOverflows,
                    _ => Helper::DivOverflows,
                };
                self.call(helper, &[self.value(*a), self.value(*b)])
            }
        })
    }

    pub fn call(&mut self, helper: Helper, arguments: &[String]) -> String {
        self.helpers.insert(helper);
        format!("{}{}({})", self.prefix, helper.name(), arguments.join(", "))
    }

    fn unary(&mut self, op: Unary, a: ValueId, to: Kind) -> Result<String, CodeError> {
        let (value, from) = (self.value(a), self.kind(a));
        let of_math = |name: &str| format!("{name}{}({value})", if from == Kind::F32 { "f" } else { "" });
        let is_float = from.is_float();
        Ok(match op {
            Unary::Neg if is_float => format!("-{value}"),
            Unary::Neg => wrapping(from, "0u", "-", &value),
            Unary::Abs if is_float => of_math("fabs"),
            Unary::Abs => format!("{value} < 0 ? {} : {value}", wrapping(from, "0u", "-", &value)),
            Unary::Sqrt if is_float => of_math("sqrt"),
            Unary::Floor if is_float => of_math("floor"),
            Unary::Ceil if is_float => of_math("ceil"),
            Unary::Round if is_float => of_math("rint"),
            Unary::Not => format!("!{value}"),
            Unary::ToFloat => format!("({}){value}", element(to)),
            Unary::ToInt if is_float => {
                let helper = if from == Kind::F32 { Helper::FloatToInt } else { Helper::DoubleToInt };
                self.call(helper, &[value])
            }
            Unary::ToInt | Unary::ToIndex | Unary::FromIndex => format!("({}){value}", element(to)),
            Unary::ToBits | Unary::FromBits => {
                let helper = match (from, to) {
                    (Kind::F32, Kind::I32) => Helper::BitsOfFloat,
                    (Kind::I32, Kind::F32) => Helper::FloatOfBits,
                    (Kind::F64, Kind::I64) => Helper::BitsOfDouble,
                    (Kind::I64, Kind::F64) => Helper::DoubleOfBits,
                    _ => return Err(misfit(op, from)),
                };
                self.call(helper, &[value])
            }
            Unary::Sqrt | Unary::Floor | Unary::Ceil | Unary::Round => return Err(misfit(op, from)),
        })
    }

    fn binary(&mut self, op: Binary, a: ValueId, b: ValueId) -> Result<String, CodeError> {
        let kind = self.kind(a);
        let is_counter = self.is_counter(a) && self.is_counter(b);
        let (a, b) = (self.value(a), self.value(b));
        let is_plain = kind.is_float() || is_counter;
        Ok(match op {
            Binary::Add if is_plain => format!("{a} + {b}"),
            Binary::Sub if is_plain => format!("{a} - {b}"),
            Binary::Mul if is_plain => format!("{a} * {b}"),
            Binary::Div if kind.is_float() => format!("{a} / {b}"),
            Binary::Add => wrapping(kind, &a, "+", &b),
            Binary::Sub => wrapping(kind, &a, "-", &b),
            Binary::Mul => wrapping(kind, &a, "*", &b),
            Binary::FloorDiv => {
                let quotient = self.call(Helper::FloorDiv, &[a, b]);
                if kind == Kind::I32 { format!("(int32_t){quotient}") } else { quotient }
            }
            Binary::Mod => {
                let rest = self.call(Helper::FloorMod, &[a, b]);
                if kind == Kind::I32 { format!("(int32_t){rest}") } else { rest }
            }
            Binary::Lt => format!("{a} < {b}"),
            Binary::Le => format!("{a} <= {b}"),
            Binary::Eq => format!("{a} == {b}"),
            Binary::And => format!("{a} & {b}"),
            Binary::Or => format!("{a} | {b}"),
            Binary::Xor => format!("{a} ^ {b}"),
            Binary::Min => format!("{a} < {b} ? {a} : {b}"),
            Binary::Max => format!("{a} > {b} ? {a} : {b}"),
            Binary::Shl => wrapping(kind, &a, "<<", &b),
            Binary::Shr => wrapping(kind, &a, ">>", &b),
            Binary::Div => return Err(misfit(op, kind)),
        })
    }
}

/// An operation on ints that leaves away what does not fit, as unsigned ints do.
fn wrapping(kind: Kind, a: &str, op: &str, b: &str) -> String {
    let (signed, unsigned) =
        if kind == Kind::I64 { ("int64_t", "uint64_t") } else { ("int32_t", "uint32_t") };
    let b = if matches!(op, "<<" | ">>") { b.to_owned() } else { format!("({unsigned}){b}") };
    format!("({signed})(({unsigned}){a} {op} {b})")
}

fn misfit(op: impl std::fmt::Debug, kind: Kind) -> CodeError {
    CodeError::internal(format!("C: {op:?} of {kind:?}"))
}
