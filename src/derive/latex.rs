//! A derivation as a LaTeX document.

use super::equations::{Derivation, Equation};
use super::names::Symbol;
use super::page::{conventions, shape};
use super::term::{Reduction, Relation, Term};
use super::text::{function, moment, number};
use crate::ir::Type;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Condition,
    Relation,
    Sum,
    Product,
    Atom,
}

/// A document of all lines: each with its loss as the program writes it.
pub fn document(parts: &[(String, Derivation)]) -> String {
    let mut text = String::from(
        "\\documentclass[11pt]{article}\n\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n\
         \\usepackage[margin=2cm,landscape]{geometry}\n\\usepackage{amsmath,amssymb}\n\
         \\allowdisplaybreaks\n\\setlength{\\parindent}{0pt}\n\\begin{document}\n",
    );
    for (loss, own) in parts {
        text.push_str(&format!("\\section*{{{}}}\n", escaped(loss)));
        for line in conventions(own) {
            text.push_str(&format!("{}\n\n", escaped(&line)));
        }
        let given = own.given.iter().map(|given| {
            let path = given.path.as_deref().unwrap_or_default();
            row(&symbol(&given.symbol), "", Some(&given.ty), path)
        });
        section(&mut text, "Given", given.collect());
        for (title, equations) in
            [("Forward", &own.forward), ("Backward", &own.backward), ("where", &own.functions)]
        {
            section(&mut text, title, rows(equations));
        }
    }
    text.push_str("\\end{document}\n");
    text
}

fn section(text: &mut String, title: &str, rows: Vec<String>) {
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("\\subsection*{{{title}}}\n\\begin{{align*}}\n"));
    text.push_str(&rows.join(" \\\\\n"));
    text.push_str("\n\\end{align*}\n");
}

fn rows(equations: &[Equation]) -> Vec<String> {
    let mut rows = Vec::new();
    let mut open: Option<&str> = None;
    for own in equations {
        if own.within.as_deref() != open {
            open = own.within.as_deref();
            rows.extend(open.map(|header| format!("&\\text{{{}:}}", escaped(header))));
        }
        rows.push(equation(own));
    }
    rows
}

fn equation(own: &Equation) -> String {
    let sign = if own.formula.adds { "\\mathrel{+}=" } else { "=" };
    let right = format!("{sign} {}", term(&own.formula.right));
    row(&term(&own.formula.left), &right, own.ty.as_ref(), &own.from)
}

fn row(left: &str, right: &str, ty: Option<&Type>, from: &str) -> String {
    let shape = ty.map(|ty| format!(" && \\text{{\\small {}}}", escaped(&shape(ty)))).unwrap_or_default();
    let from = if from.is_empty() {
        String::new()
    } else {
        format!(" && \\text{{\\small\\texttt{{{}}}}}", escaped(from))
    };
    format!("{left} &{right}{shape}{from}")
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '_' | '{' | '}' | '%' | '&' | '#' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '…' => out.push_str("\\ldots{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            '<' | '>' | '|' => out.push_str(&format!("${c}$")),
            c => match greek(c) {
                Some(command) => out.push_str(&format!("${command}$")),
                None if c.is_ascii() || ('à'..='ÿ').contains(&c) => out.push(c),
                None => out.push('?'),
            },
        }
    }
    out
}

fn greek(c: char) -> Option<&'static str> {
    const LETTERS: [(char, &str); 38] = [
        ('α', "\\alpha"),
        ('β', "\\beta"),
        ('γ', "\\gamma"),
        ('δ', "\\delta"),
        ('ε', "\\varepsilon"),
        ('ζ', "\\zeta"),
        ('η', "\\eta"),
        ('θ', "\\theta"),
        ('ι', "\\iota"),
        ('κ', "\\kappa"),
        ('λ', "\\lambda"),
        ('μ', "\\mu"),
        ('ν', "\\nu"),
        ('ξ', "\\xi"),
        ('π', "\\pi"),
        ('ρ', "\\rho"),
        ('σ', "\\sigma"),
        ('τ', "\\tau"),
        ('υ', "\\upsilon"),
        ('φ', "\\varphi"),
        ('χ', "\\chi"),
        ('ψ', "\\psi"),
        ('ω', "\\omega"),
        ('Γ', "\\Gamma"),
        ('Δ', "\\Delta"),
        ('Θ', "\\Theta"),
        ('Λ', "\\Lambda"),
        ('Ξ', "\\Xi"),
        ('Π', "\\Pi"),
        ('Σ', "\\Sigma"),
        ('Φ', "\\Phi"),
        ('Ψ', "\\Psi"),
        ('Ω', "\\Omega"),
        ('√', "\\surd"),
        ('∞', "\\infty"),
        ('−', "-"),
        ('ŷ', "\\hat{y}"),
        ('′', "'"),
    ];
    LETTERS.iter().find(|(own, _)| *own == c).map(|(_, command)| *command)
}

/// A name in formulas: one letter in italics, words upright; what follows `_` and digits are subscripts.
fn name(text: &str) -> String {
    let (stem, rest) = match text.split_once('_') {
        Some((stem, rest)) if !stem.is_empty() => (stem, rest.to_owned()),
        _ => {
            let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
            if stem.is_empty() { (text, String::new()) } else { (stem, text[stem.len()..].to_owned()) }
        }
    };
    let letters: Vec<char> = stem.chars().filter(|c| *c != '\'').collect();
    let primes = stem.chars().filter(|c| *c == '\'').count();
    let stem = match letters.as_slice() {
        [one] => greek(*one).map_or_else(|| escaped(&one.to_string()), str::to_owned),
        _ => format!("\\mathrm{{{}}}", word(&letters)),
    };
    let primes = if primes == 0 { String::new() } else { format!("^{{{}}}", "\\prime".repeat(primes)) };
    let below = if rest.is_empty() {
        String::new()
    } else {
        format!("_{{\\mathrm{{{}}}}}", word(&rest.chars().collect::<Vec<_>>()))
    };
    format!("{{{stem}{primes}}}{below}")
}

/// A word in mathematics.
fn word(letters: &[char]) -> String {
    letters
        .iter()
        .map(|c| match (c, greek(*c)) {
            (_, Some(command)) => format!("{command} "),
            ('_', _) => "\\_".to_owned(),
            (c, _) if c.is_alphanumeric() && c.is_ascii() || matches!(c, '.' | '\'') => c.to_string(),
            (c, _) => escaped(&c.to_string()),
        })
        .collect()
}

fn symbol(own: &Symbol) -> String {
    let layer = own.layer.as_ref().map(|layer| format!("^{{[{layer}]}}")).unwrap_or_default();
    let at = own.at.as_ref().map(|own| format!("_{{{}}}", moment(own).replace('−', "-")));
    // A name may have a subscript of its own.
    let text = format!("{{{}}}{layer}{}", name(&own.name), at.unwrap_or_default());
    if own.adjoint { format!("\\frac{{\\partial L}}{{\\partial {text}}}") } else { text }
}

fn term(own: &Term) -> String {
    write(own, Level::Condition)
}

fn level(own: &Term) -> Level {
    match own {
        Term::Number(value) if *value < 0.0 => Level::Sum,
        Term::Plain(text) if text.contains(' ') => Level::Sum,
        Term::Number(_) | Term::Plain(_) | Term::Words(_) | Term::Symbol(_) | Term::Element(..) => {
            Level::Atom
        }
        Term::Call(..) | Term::Prime(..) | Term::Transpose(_) | Term::Power(..) | Term::Ratio(..) => {
            Level::Atom
        }
        // Cases have a brace of their own.
        Term::Cases { .. } => Level::Condition,
        Term::Sum(_) => Level::Sum,
        Term::Over { .. } | Term::Product { .. } | Term::Matrix(_) => Level::Product,
        Term::Relation(..) => Level::Relation,
    }
}

fn write(own: &Term, around: Level) -> String {
    let text = plain(own);
    if level(own) < around { format!("\\left({text}\\right)") } else { text }
}

fn plain(own: &Term) -> String {
    let list = |terms: &[Term]| terms.iter().map(term).collect::<Vec<_>>().join(", ");
    match own {
        Term::Number(value) => match number(*value).split_once('e') {
            Some((digits, power)) => format!("{digits} \\cdot 10^{{{}}}", power.replace('−', "-")),
            None => number(*value).replace('−', "-").replace('∞', "\\infty"),
        },
        Term::Plain(text) => plain_text(text),
        Term::Words(text) => format!("\\text{{{}}}", escaped(text)),
        Term::Symbol(own) => symbol(own),
        Term::Element(own, subs) if own.adjoint => {
            let inner = Symbol { adjoint: false, ..own.clone() };
            format!("\\frac{{\\partial L}}{{\\partial {}_{{{}}}}}", braced(&inner), list(subs))
        }
        Term::Element(own, subs) => format!("{}_{{{}}}", braced(own), list(subs)),
        Term::Transpose(inner) => match &**inner {
            Term::Symbol(own) if !own.adjoint && own.layer.is_none() => format!("{}^\\top", braced(own)),
            inner => format!("\\left({}\\right)^\\top", term(inner)),
        },
        Term::Sum(parts) => {
            let mut text = String::new();
            for (at, (minus, part)) in parts.iter().enumerate() {
                text.push_str(match (at, minus) {
                    (0, false) => "",
                    (0, true) => "-",
                    (_, false) => " + ",
                    (_, true) => " - ",
                });
                text.push_str(&write(part, Level::Product));
            }
            text
        }
        Term::Product { scalars, tensors } => {
            let scalars =
                scalars.iter().map(|own| write(own, Level::Product)).collect::<Vec<_>>().join("\\,");
            let tensors = tensors.iter().map(|own| write(own, factor_level(own, tensors.len())));
            let sign = if own.is_of_elements() { "\\," } else { " \\odot " };
            let tensors = tensors.collect::<Vec<_>>().join(sign);
            format!("{scalars}\\,{tensors}").trim_end_matches("\\,").trim_start_matches("\\,").to_owned()
        }
        Term::Matrix(parts) => {
            let parts = parts.iter().map(|own| write(own, factor_level(own, parts.len())));
            parts.collect::<Vec<_>>().join("\\, ")
        }
        Term::Ratio(a, b) => format!("\\frac{{{}}}{{{}}}", term(a), term(b)),
        // An accent in braces takes no second superscript.
        Term::Power(a, b) if matches!(&**a, Term::Symbol(own) if own.layer.is_some()) => {
            format!("\\left({}\\right)^{{{}}}", term(a), term(b))
        }
        Term::Power(a, b) => format!("{{{}}}^{{{}}}", write(a, Level::Atom), term(b)),
        Term::Call(name, arguments) if name == "√" => format!("\\sqrt{{{}}}", list(arguments)),
        Term::Call(own, arguments) => format!("{}\\left({}\\right)", operator(own), list(arguments)),
        Term::Prime(own, inner) => format!("{}'\\left({}\\right)", operator(own), term(inner)),
        Term::Over { what, indices, body } => {
            let sign = match what {
                Reduction::Sum => "\\sum",
                Reduction::Product => "\\prod",
                Reduction::Max => "\\max",
                Reduction::Min => "\\min",
                Reduction::ArgMax => "\\operatorname*{arg\\,max}",
                Reduction::ArgMin => "\\operatorname*{arg\\,min}",
            };
            let indices: Vec<String> = indices.iter().map(|own| plain_text(own)).collect();
            let under =
                if indices.is_empty() { String::new() } else { format!("_{{{}}}", indices.join(", ")) };
            match what {
                Reduction::Sum | Reduction::Product => {
                    format!("{sign}{under} {}", write(body, Level::Product))
                }
                _ => format!("{sign}{under}\\left({}\\right)", term(body)),
            }
        }
        Term::Cases { condition, then, otherwise } => format!(
            "\\begin{{cases}} {} & \\text{{if }} {} \\\\ {} & \\text{{else}} \\end{{cases}}",
            term(then),
            term(condition),
            term(otherwise)
        ),
        Term::Relation(own, a, b) => {
            let (sign, turned) = match own {
                Relation::Less => ("<", ">"),
                Relation::LessOrEqual => ("\\le", "\\ge"),
                Relation::Equal => ("=", "="),
                Relation::And => ("\\wedge", "\\wedge"),
                Relation::Or => ("\\vee", "\\vee"),
            };
            let (a, b, sign) = if a.is_scalar() && !b.is_scalar() { (b, a, turned) } else { (a, b, sign) };
            format!("{} {sign} {}", write(a, Level::Sum), write(b, Level::Sum))
        }
    }
}

fn factor_level(own: &Term, count: usize) -> Level {
    match own {
        Term::Over { .. } | Term::Matrix(_) | Term::Product { .. } if count > 1 => Level::Atom,
        _ => Level::Product,
    }
}

/// A symbol that takes another subscript or superscript.
fn braced(own: &Symbol) -> String {
    format!("{{{}}}", symbol(own))
}

fn operator(own: &str) -> String {
    match function(own) {
        known @ ("exp" | "log" | "sin" | "cos" | "tanh" | "max" | "min") => format!("\\{known}"),
        one if one.chars().count() == 1 => name(one),
        other => format!("\\operatorname{{{}}}", word(&other.chars().collect::<Vec<_>>())),
    }
}

/// Sizes and indices: `i < 3`, `2 B`, `plays.rows`.
fn plain_text(text: &str) -> String {
    let words = text.split(' ').map(|part| match part {
        "<" => "<".to_owned(),
        part if part.chars().count() == 1 => name(part),
        part if part.chars().all(|c| c.is_ascii_digit() || "+-()".contains(c)) => part.to_owned(),
        part => format!("\\mathrm{{{}}}", word(&part.chars().collect::<Vec<_>>())),
    });
    words.collect::<Vec<_>>().join("\\,")
}
