//! The table of scalar operators: one row each, with everything that passes need to know of an operator besides its
//! meaning (`interpret/real.rs`) and its derivative (`grad/partial.rs`).

use super::types::Elem;

/// What passes know of an operator.
#[derive(Clone, Copy)]
pub struct Properties {
    /// Its spelling in the text form.
    pub name: &'static str,
    /// The type of the result for operands of one type; `None` if the operator does not take them.
    pub result: fn(Elem) -> Option<Elem>,
    /// A rough time for one element in vectorised code, in nanoseconds.
    pub nanoseconds: f64,
    /// A rough number of instructions, by which schedules are compared.
    pub instructions: f64,
    /// Whether it is an elementary function, evaluated by dozens of instructions: too expensive to be computed again
    /// and again.
    pub is_function: bool,
    /// Whether it is arithmetic when its operands are floats: it counts as a floating-point operation, and has
    /// derivatives by its operands (or a missing derivative is an error).
    pub is_arithmetic: bool,
    /// Whether its derivative is best computed from its result.
    pub reuses_result: bool,
    pub slope: Slope,
    /// The least and the greatest value that it can have, whatever its operands are.
    pub range: (f64, f64),
}

/// Whether a derivative of an operator can be infinite for finite operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slope {
    Finite,
    /// It is infinite where the operand (of two, the second one) is 0.
    InfiniteAtZero,
    /// It overflows somewhere.
    Overflows,
}

fn float(elem: Elem) -> Option<Elem> {
    (elem == Elem::Float).then_some(Elem::Float)
}

fn int(elem: Elem) -> Option<Elem> {
    (elem == Elem::Int).then_some(Elem::Int)
}

fn bool(elem: Elem) -> Option<Elem> {
    (elem == Elem::Bool).then_some(Elem::Bool)
}

fn number(elem: Elem) -> Option<Elem> {
    (elem != Elem::Bool).then_some(elem)
}

fn any(elem: Elem) -> Option<Elem> {
    Some(elem)
}

fn to_float(elem: Elem) -> Option<Elem> {
    (elem != Elem::Float).then_some(Elem::Float)
}

fn to_int(elem: Elem) -> Option<Elem> {
    (elem != Elem::Int).then_some(Elem::Int)
}

fn order(elem: Elem) -> Option<Elem> {
    (elem != Elem::Bool).then_some(Elem::Bool)
}

fn equality(_: Elem) -> Option<Elem> {
    Some(Elem::Bool)
}

/// Conversions, comparisons and logic: one cheap instruction.
const CHEAP: Properties = Properties {
    name: "",
    result: any,
    nanoseconds: 0.1,
    instructions: 1.0,
    is_function: false,
    is_arithmetic: false,
    reuses_result: false,
    slope: Slope::Finite,
    range: (f64::NEG_INFINITY, f64::INFINITY),
};

/// One arithmetic instruction.
const ARITHMETIC: Properties = Properties { is_arithmetic: true, ..CHEAP };

/// An elementary function of floats.
const FUNCTION: Properties = Properties {
    result: float,
    nanoseconds: 2.0,
    instructions: 22.0,
    is_function: true,
    is_arithmetic: true,
    ..CHEAP
};

/// Makes the enum of operators, the list of all of them, and the table of their properties.
macro_rules! operators {
    ($(#[$about:meta])* $enum:ident { $($(#[$doc:meta])* $op:ident = $properties:expr;)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum $enum { $($(#[$doc])* $op),* }

        impl $enum {
            pub const ALL: &[$enum] = &[$($enum::$op),*];

            pub const fn properties(self) -> &'static Properties {
                match self { $($enum::$op => const { &$properties }),* }
            }

            /// Its spelling in the text form.
            pub fn name(self) -> &'static str {
                self.properties().name
            }

            /// The type of the result for operands of type `elem`; `None` if it does not apply.
            pub fn result(self, elem: Elem) -> Option<Elem> {
                (self.properties().result)(elem)
            }
        }
    };
}

operators! {
    /// An operator of one operand.
    UnaryOp {
        Neg = Properties { name: "neg", result: number, ..ARITHMETIC };
        Exp = Properties {
            name: "exp", instructions: 14.0, reuses_result: true, slope: Slope::Overflows,
            range: (0.0, f64::INFINITY), ..FUNCTION
        };
        Log = Properties { name: "log", instructions: 18.0, slope: Slope::InfiniteAtZero, ..FUNCTION };
        Sin = Properties { name: "sin", range: (-1.0, 1.0), ..FUNCTION };
        Cos = Properties { name: "cos", range: (-1.0, 1.0), ..FUNCTION };
        Tanh = Properties {
            name: "tanh", nanoseconds: 3.0, reuses_result: true, range: (-1.0, 1.0), ..FUNCTION
        };
        Sqrt = Properties {
            name: "sqrt", result: float, nanoseconds: 1.0, instructions: 4.0, reuses_result: true,
            slope: Slope::InfiniteAtZero, range: (0.0, f64::INFINITY), ..ARITHMETIC
        };
        Erf = Properties { name: "erf", nanoseconds: 3.0, range: (-1.0, 1.0), ..FUNCTION };
        /// The distribution function of the standard normal distribution.
        NormalCdf = Properties { name: "normal_cdf", nanoseconds: 3.0, range: (0.0, 1.0), ..FUNCTION };
        Floor = Properties { name: "floor", result: float, ..ARITHMETIC };
        Ceil = Properties { name: "ceil", result: float, ..ARITHMETIC };
        /// To the nearest, ties to even.
        Round = Properties { name: "round", result: float, ..ARITHMETIC };
        Not = Properties { name: "not", result: bool, range: (0.0, 1.0), ..CHEAP };
        /// From int or bool.
        ToFloat = Properties { name: "float", result: to_float, ..CHEAP };
        /// From float (rounded towards zero; the nearest int if that does not fit, 0 for NaN) or bool.
        ToInt = Properties { name: "int", result: to_int, ..CHEAP };
        /// The value itself; a constant for derivatives.
        Stop = Properties { name: "stop", ..CHEAP };
    }
}

operators! {
    /// An operator of two operands of one type.
    BinaryOp {
        Add = Properties { name: "add", result: number, ..ARITHMETIC };
        Sub = Properties { name: "sub", result: number, ..ARITHMETIC };
        Mul = Properties { name: "mul", result: number, ..ARITHMETIC };
        /// Of floats.
        Div = Properties {
            name: "div", result: float, nanoseconds: 1.0, instructions: 4.0, reuses_result: true,
            slope: Slope::InfiniteAtZero, ..ARITHMETIC
        };
        /// Of floats: x to the power y.
        Pow = Properties {
            name: "pow", nanoseconds: 6.0, instructions: 40.0, slope: Slope::Overflows, ..FUNCTION
        };
        /// Of ints, rounded down; a division by zero gives 0.
        FloorDiv = Properties {
            name: "floordiv", result: int, nanoseconds: 1.0, instructions: 20.0, ..CHEAP
        };
        /// Of ints: `a - b * floor(a / b)`; by zero it gives 0.
        Mod = Properties { name: "mod", result: int, nanoseconds: 1.0, instructions: 20.0, ..CHEAP };
        Lt = Properties { name: "lt", result: order, ..CHEAP };
        Le = Properties { name: "le", result: order, ..CHEAP };
        Eq = Properties { name: "eq", result: equality, ..CHEAP };
        And = Properties { name: "and", result: bool, ..CHEAP };
        Or = Properties { name: "or", result: bool, ..CHEAP };
    }
}

#[cfg(test)]
mod tests {
    use super::{BinaryOp, UnaryOp};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names = UnaryOp::ALL.iter().map(|op| op.name()).chain(BinaryOp::ALL.iter().map(|op| op.name()));
        let unique: BTreeSet<&str> = names.clone().collect();
        assert_eq!(unique.len(), names.count());
    }
}
