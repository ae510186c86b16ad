//! Formulas as text: `∂L/∂z[1] = tanh′(z[1]) ⊙ ∂L/∂a[1]`.

use super::names::Symbol;
use super::script::{self, Level, Script, bare, in_parentheses, moment, write};
use super::term::{Reduction, Relation, Term};

pub fn term(own: &Term) -> String {
    script::term::<Text>(own)
}

pub fn symbol(own: &Symbol) -> String {
    Text::symbol(own)
}

struct Text;

impl Script for Text {
    const MINUS: &'static str = "−";
    const PARENTHESES: [&'static str; 2] = ["(", ")"];
    const TRANSPOSED: &'static str = "ᵀ";
    const PRIME: &'static str = "′";
    const TIMES: &'static str = " ";
    const ELEMENT_BY_ELEMENT: &'static str = " ⊙ ";
    const MATRIX_TIMES: &'static str = " ";
    const STACKED_FRACTIONS: bool = false;

    fn number(value: f64) -> String {
        script::number(value)
    }

    fn plain(text: &str) -> String {
        text.to_owned()
    }

    fn words(text: &str) -> String {
        text.to_owned()
    }

    fn symbol(own: &Symbol) -> String {
        let layer = own.layer.as_ref().map(|layer| format!("[{layer}]")).unwrap_or_default();
        let adjoint = if own.adjoint { "∂L/∂" } else { "" };
        let at = own.at.as_ref().map(|own| match moment(own) {
            one if one.chars().count() == 1 => format!("_{one}"),
            several => format!("_{{{several}}}"),
        });
        format!("{adjoint}{}{layer}{}", own.name, at.unwrap_or_default())
    }

    fn element(own: &Symbol, subscripts: &str) -> String {
        format!("{}[{subscripts}]", symbol(own))
    }

    fn transposable(own: &Symbol) -> Option<String> {
        (!own.adjoint && own.layer.is_none() && own.at.is_none()).then(|| symbol(own))
    }

    fn function(name: &str) -> String {
        script::function(name).to_owned()
    }

    fn call(name: &str, arguments: &str) -> String {
        Self::function(name) + &in_parentheses::<Self>(arguments)
    }

    fn reduction(own: Reduction) -> &'static str {
        match own {
            Reduction::Sum => "Σ",
            Reduction::Product => "Π",
            Reduction::Max => "max",
            Reduction::Min => "min",
            Reduction::ArgMax => "argmax",
            Reduction::ArgMin => "argmin",
        }
    }

    fn below(indices: &[String]) -> String {
        match indices {
            [one] if one.chars().count() == 1 => format!("_{one}"),
            several => format!("_{{{}}}", several.join(", ")),
        }
    }

    fn relation(own: Relation) -> [&'static str; 2] {
        match own {
            Relation::Less => ["<", ">"],
            Relation::LessOrEqual => ["≤", "≥"],
            Relation::Equal => ["=", "="],
            Relation::And => ["and", "and"],
            Relation::Or => ["or", "or"],
        }
    }

    /// `2B`, but `2 3` and `B C`.
    fn between(before: &str, after: &str) -> &'static str {
        let joined = before.ends_with(|c: char| c.is_ascii_digit()) && after.starts_with(char::is_alphabetic);
        if joined { "" } else { Self::TIMES }
    }

    fn ratio(above: &Term, below: &Term) -> String {
        let sign = if above.is_scalar() && below.is_scalar() { "/" } else { " / " };
        let above = match above {
            Term::Over { .. } => in_parentheses::<Self>(&bare::<Self>(above)),
            above => write::<Self>(above, Level::Product),
        };
        format!("{above}{sign}{}", write::<Self>(below, Level::Factor))
    }

    fn power(base: &Term, exponent: &Term) -> String {
        let base = write::<Self>(base, Level::Atom);
        match exponent {
            Term::Number(2.0) => format!("{base}²"),
            Term::Number(3.0) => format!("{base}³"),
            exponent => format!("{base}^{}", write::<Self>(exponent, Level::Atom)),
        }
    }

    fn cases(condition: &Term, then: &Term, otherwise: &Term) -> String {
        let [then, otherwise] = [then, otherwise].map(|own| write::<Self>(own, Level::Sum));
        format!("{then} if {} else {otherwise}", term(condition))
    }
}
