//! Formulas as text: `∂L/∂z[1] = tanh′(z[1]) ⊙ ∂L/∂a[1]`.

use super::names::Symbol;
use super::script::{self, Level, Script, bare, in_parentheses, moment, write};
use super::term::{Reduction, Relation, Term};

pub fn term(term: &Term) -> String {
    script::term::<Text>(term)
}

pub fn symbol(symbol: &Symbol) -> String {
    Text::symbol(symbol)
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

    fn symbol(symbol: &Symbol) -> String {
        let layer = symbol.layer.as_ref().map(|layer| format!("[{layer}]")).unwrap_or_default();
        let adjoint = if symbol.adjoint { "∂L/∂" } else { "" };
        let at = symbol.at.as_ref().map(|time| match moment(time) {
            one if one.chars().count() == 1 => format!("_{one}"),
            several => format!("_{{{several}}}"),
        });
        format!("{adjoint}{}{layer}{}", symbol.name, at.unwrap_or_default())
    }

    fn element(symbol: &Symbol, subscripts: &str) -> String {
        format!("{}[{subscripts}]", Text::symbol(symbol))
    }

    fn transposable(symbol: &Symbol) -> Option<String> {
        (!symbol.adjoint && symbol.layer.is_none() && symbol.at.is_none()).then(|| Text::symbol(symbol))
    }

    fn function(name: &str) -> String {
        script::function(name).to_owned()
    }

    fn call(name: &str, arguments: &str) -> String {
        Self::function(name) + &in_parentheses::<Self>(arguments)
    }

    fn reduction(reduction: Reduction) -> &'static str {
        match reduction {
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

    fn relation(relation: Relation) -> [&'static str; 2] {
        match relation {
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
        let [then, otherwise] = [then, otherwise].map(|part| write::<Self>(part, Level::Sum));
        format!("{then} if {} else {otherwise}", term(condition))
    }
}
