//! Formulas as text: `∂L/∂z[1] = tanh′(z[1]) ⊙ ∂L/∂a[1]`.

use super::names::{Moment, Symbol};
use super::term::{Reduction, Relation, Term};

/// How tightly a formula holds together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Condition,
    Relation,
    Sum,
    Product,
    Factor,
    Atom,
}

pub fn symbol(own: &Symbol) -> String {
    let layer = own.layer.as_ref().map(|layer| format!("[{layer}]")).unwrap_or_default();
    let adjoint = if own.adjoint { "∂L/∂" } else { "" };
    let at = own.at.as_ref().map(|own| match moment(own) {
        one if one.chars().count() == 1 => format!("_{one}"),
        several => format!("_{{{several}}}"),
    });
    format!("{adjoint}{}{layer}{}", own.name, at.unwrap_or_default())
}

/// `t`, `t − 1`
pub fn moment(own: &Moment) -> String {
    match own {
        Moment::Step(0) => "t".to_owned(),
        Moment::Step(later) if *later > 0 => format!("t+{later}"),
        Moment::Step(earlier) => format!("t−{}", earlier.unsigned_abs()),
        Moment::Fixed(text) => text.to_string(),
    }
}

pub fn term(own: &Term) -> String {
    write(own, Level::Condition)
}

/// What a function is called in formulas.
pub fn function(name: &str) -> &str {
    match name {
        "sigmoid" => "σ",
        other => other,
    }
}

fn level(own: &Term) -> Level {
    match own {
        Term::Number(value) if *value < 0.0 => Level::Sum,
        Term::Symbol(own) | Term::Element(own, _) if own.adjoint => Level::Factor,
        Term::Plain(text) if text.contains(' ') => Level::Sum,
        Term::Number(_) | Term::Plain(_) | Term::Words(_) | Term::Symbol(_) | Term::Element(..) => {
            Level::Atom
        }
        Term::Call(..) | Term::Prime(..) | Term::Transpose(_) | Term::Power(..) => Level::Atom,
        Term::Sum(_) => Level::Sum,
        Term::Over { .. } | Term::Product { .. } | Term::Matrix(_) | Term::Ratio(..) => Level::Product,
        Term::Cases { .. } => Level::Condition,
        Term::Relation(..) => Level::Relation,
    }
}

fn write(own: &Term, around: Level) -> String {
    let text = plain(own);
    if level(own) < around { format!("({text})") } else { text }
}

fn plain(own: &Term) -> String {
    let list = |terms: &[Term]| terms.iter().map(term).collect::<Vec<_>>().join(", ");
    match own {
        Term::Number(value) => number(*value),
        Term::Plain(text) | Term::Words(text) => text.clone(),
        Term::Symbol(own) => symbol(own),
        Term::Element(own, subs) => format!("{}[{}]", symbol(own), list(subs)),
        Term::Transpose(inner) => match &**inner {
            Term::Symbol(own) if !own.adjoint && own.layer.is_none() && own.at.is_none() => {
                format!("{}ᵀ", symbol(own))
            }
            inner => format!("({})ᵀ", term(inner)),
        },
        Term::Sum(parts) => {
            let mut text = String::new();
            for (at, (minus, part)) in parts.iter().enumerate() {
                text.push_str(match (at, minus) {
                    (0, false) => "",
                    (0, true) => "−",
                    (_, false) => " + ",
                    (_, true) => " − ",
                });
                text.push_str(&write(part, Level::Product));
            }
            text
        }
        Term::Product { scalars, tensors } => {
            let mut text = String::new();
            for scalar in scalars {
                let next = write(scalar, Level::Product);
                let joined =
                    text.ends_with(|c: char| c.is_ascii_digit()) && next.starts_with(char::is_alphabetic);
                if !text.is_empty() && !joined {
                    text.push(' ');
                }
                text.push_str(&next);
            }
            let tensors: Vec<String> =
                tensors.iter().map(|own| write(own, factor_level(own, tensors.len()))).collect();
            if !text.is_empty() && !tensors.is_empty() {
                text.push(' ');
            }
            text + &tensors.join(if own.is_of_elements() { " " } else { " ⊙ " })
        }
        Term::Matrix(parts) => {
            parts.iter().map(|own| write(own, factor_level(own, parts.len()))).collect::<Vec<_>>().join(" ")
        }
        Term::Ratio(a, b) => {
            let is_short = a.is_scalar() && b.is_scalar();
            let below = match &**b {
                Term::Product { .. } => format!("({})", plain(b)),
                other => write(other, Level::Factor),
            };
            let above = match &**a {
                Term::Over { .. } => format!("({})", plain(a)),
                above => write(above, Level::Product),
            };
            if is_short { format!("{above}/{below}") } else { format!("{above} / {below}") }
        }
        Term::Power(a, b) => match (&**a, &**b) {
            (a, Term::Number(2.0)) => format!("{}²", write(a, Level::Atom)),
            (a, Term::Number(3.0)) => format!("{}³", write(a, Level::Atom)),
            (a, b) => format!("{}^{}", write(a, Level::Atom), write(b, Level::Atom)),
        },
        Term::Call(name, arguments) => format!("{}({})", function(name), list(arguments)),
        Term::Prime(name, inner) => format!("{}′({})", function(name), term(inner)),
        Term::Over { what, indices, body } => {
            let sign = match what {
                Reduction::Sum => "Σ",
                Reduction::Product => "Π",
                Reduction::Max => "max",
                Reduction::Min => "min",
                Reduction::ArgMax => "argmax",
                Reduction::ArgMin => "argmin",
            };
            let under = match indices.as_slice() {
                [] => String::new(),
                [one] if one.chars().count() == 1 => format!("_{one}"),
                several => format!("_{{{}}}", several.join(", ")),
            };
            match what {
                Reduction::Sum | Reduction::Product => {
                    format!("{sign}{under} {}", write(body, Level::Product))
                }
                _ => format!("{sign}{under}({})", term(body)),
            }
        }
        Term::Cases { condition, then, otherwise } => {
            format!(
                "{} if {} else {}",
                write(then, Level::Sum),
                term(condition),
                write(otherwise, Level::Sum)
            )
        }
        Term::Relation(own, a, b) => {
            let (sign, turned) = match own {
                Relation::Less => ("<", ">"),
                Relation::LessOrEqual => ("≤", "≥"),
                Relation::Equal => ("=", "="),
                Relation::And => ("and", "and"),
                Relation::Or => ("or", "or"),
            };
            let (a, b, sign) = if a.is_scalar() && !b.is_scalar() { (b, a, turned) } else { (a, b, sign) };
            format!("{} {sign} {}", write(a, Level::Sum), write(b, Level::Sum))
        }
    }
}

/// A sum over indices reaches as far as it can, so as a factor it stands in parentheses.
fn factor_level(own: &Term, count: usize) -> Level {
    match own {
        Term::Over { .. } | Term::Matrix(_) | Term::Ratio(..) | Term::Product { .. } if count > 1 => {
            Level::Factor
        }
        _ => Level::Product,
    }
}

/// Few digits where few say it.
pub fn number(value: f64) -> String {
    if value == f64::INFINITY {
        return "∞".to_owned();
    }
    let text = if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e7) {
        format!("{value:e}")
    } else {
        format!("{value}")
    };
    text.replace('-', "−")
}
