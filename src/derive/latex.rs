//! A derivation as a LaTeX document.

use super::equations::{Derivation, Equation};
use super::names::Symbol;
use super::page::{conventions, shape};
use super::script::{self, Level, Script, function, in_parentheses, moment, write};
use super::term::{Reduction, Relation, Term};
use crate::ir::Type;

/// A document of all lines: each with its loss as the program writes it.
pub fn document(parts: &[(String, Derivation)]) -> String {
    let mut text = String::from(
        "\\documentclass[11pt]{article}\n\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n\
         \\usepackage[margin=2cm,landscape]{geometry}\n\\usepackage{amsmath,amssymb}\n\
         \\allowdisplaybreaks\n\\setlength{\\parindent}{0pt}\n\\begin{document}\n",
    );
    for (loss, derivation) in parts {
        text.push_str(&format!("\\section*{{{}}}\n", escaped(loss)));
        for line in conventions(derivation) {
            text.push_str(&format!("{}\n\n", escaped(&line)));
        }
        let given = derivation.given.iter().map(|given| {
            let path = given.path.as_deref().unwrap_or_default();
            row(&Latex::symbol(&given.symbol), "", Some(&given.ty), path)
        });
        section(&mut text, "Given", given.collect());
        for (title, equations) in [
            ("Forward", &derivation.forward),
            ("Backward", &derivation.backward),
            ("where", &derivation.functions),
        ] {
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
    for equation in equations {
        if equation.within.as_deref() != open {
            open = equation.within.as_deref();
            rows.extend(open.map(|header| format!("&\\text{{{}:}}", escaped(header))));
        }
        rows.push(equation_row(equation));
    }
    rows
}

fn equation_row(equation: &Equation) -> String {
    let sign = if equation.formula.adds { "\\mathrel{+}=" } else { "=" };
    let right = format!("{sign} {}", term(&equation.formula.right));
    row(&term(&equation.formula.left), &right, equation.ty.as_ref(), &equation.from)
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
    LETTERS.iter().find(|(letter, _)| *letter == c).map(|(_, command)| *command)
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

struct Latex;

impl Script for Latex {
    const MINUS: &'static str = "-";
    const PARENTHESES: [&'static str; 2] = ["\\left(", "\\right)"];
    const TRANSPOSED: &'static str = "^\\top";
    const PRIME: &'static str = "'";
    const TIMES: &'static str = "\\,";
    const ELEMENT_BY_ELEMENT: &'static str = " \\odot ";
    const MATRIX_TIMES: &'static str = "\\, ";
    const STACKED_FRACTIONS: bool = true;

    fn number(value: f64) -> String {
        match script::number(value).split_once('e') {
            Some((digits, power)) => format!("{digits} \\cdot 10^{{{}}}", power.replace('−', "-")),
            None => script::number(value).replace('−', "-").replace('∞', "\\infty"),
        }
    }

    /// Sizes and indices: `i < 3`, `2 B`, `plays.rows`.
    fn plain(text: &str) -> String {
        let words = text.split(' ').map(|part| match part {
            "<" => "<".to_owned(),
            part if part.chars().count() == 1 => name(part),
            part if part.chars().all(|c| c.is_ascii_digit() || "+-()".contains(c)) => part.to_owned(),
            part => format!("\\mathrm{{{}}}", word(&part.chars().collect::<Vec<_>>())),
        });
        words.collect::<Vec<_>>().join("\\,")
    }

    fn words(text: &str) -> String {
        format!("\\text{{{}}}", escaped(text))
    }

    fn symbol(symbol: &Symbol) -> String {
        let layer = symbol.layer.as_ref().map(|layer| format!("^{{[{layer}]}}")).unwrap_or_default();
        let at = symbol.at.as_ref().map(|time| format!("_{{{}}}", moment(time).replace('−', "-")));
        // A name may have a subscript of its own.
        let text = format!("{{{}}}{layer}{}", name(&symbol.name), at.unwrap_or_default());
        if symbol.adjoint { adjoint(&text) } else { text }
    }

    fn element(symbol: &Symbol, subscripts: &str) -> String {
        let inner = Symbol { adjoint: false, ..symbol.clone() };
        let text = format!("{}_{{{subscripts}}}", braced(&inner));
        if symbol.adjoint { adjoint(&text) } else { text }
    }

    fn transposable(symbol: &Symbol) -> Option<String> {
        (!symbol.adjoint && symbol.layer.is_none()).then(|| braced(symbol))
    }

    fn function(called: &str) -> String {
        match function(called) {
            known @ ("exp" | "log" | "sin" | "cos" | "tanh" | "max" | "min") => format!("\\{known}"),
            one if one.chars().count() == 1 => name(one),
            other => format!("\\operatorname{{{}}}", word(&other.chars().collect::<Vec<_>>())),
        }
    }

    fn call(name: &str, arguments: &str) -> String {
        match name {
            "√" => format!("\\sqrt{{{arguments}}}"),
            name => Self::function(name) + &in_parentheses::<Self>(arguments),
        }
    }

    fn reduction(reduction: Reduction) -> &'static str {
        match reduction {
            Reduction::Sum => "\\sum",
            Reduction::Product => "\\prod",
            Reduction::Max => "\\max",
            Reduction::Min => "\\min",
            Reduction::ArgMax => "\\operatorname*{arg\\,max}",
            Reduction::ArgMin => "\\operatorname*{arg\\,min}",
        }
    }

    fn below(indices: &[String]) -> String {
        let indices: Vec<String> = indices.iter().map(|index| Self::plain(index)).collect();
        format!("_{{{}}}", indices.join(", "))
    }

    fn relation(relation: Relation) -> [&'static str; 2] {
        match relation {
            Relation::Less => ["<", ">"],
            Relation::LessOrEqual => ["\\le", "\\ge"],
            Relation::Equal => ["=", "="],
            Relation::And => ["\\wedge", "\\wedge"],
            Relation::Or => ["\\vee", "\\vee"],
        }
    }

    fn between(_: &str, _: &str) -> &'static str {
        Self::TIMES
    }

    fn ratio(above: &Term, below: &Term) -> String {
        format!("\\frac{{{}}}{{{}}}", term(above), term(below))
    }

    fn power(base: &Term, exponent: &Term) -> String {
        let base = match base {
            // An accent in braces takes no second superscript.
            Term::Symbol(symbol) if symbol.layer.is_some() => in_parentheses::<Self>(&term(base)),
            base => format!("{{{}}}", write::<Self>(base, Level::Atom)),
        };
        format!("{base}^{{{}}}", term(exponent))
    }

    /// Cases have a brace.
    fn cases(condition: &Term, then: &Term, otherwise: &Term) -> String {
        let [condition, then, otherwise] = [condition, then, otherwise].map(term);
        format!(
            "\\begin{{cases}} {then} & \\text{{if }} {condition} \\\\ {otherwise} & \\text{{else}} \\end{{cases}}"
        )
    }
}

fn term(term: &Term) -> String {
    script::term::<Latex>(term)
}

/// The derivative of the loss by a symbol.
fn adjoint(text: &str) -> String {
    format!("\\frac{{\\partial L}}{{\\partial {text}}}")
}

/// A symbol that takes another subscript or superscript.
fn braced(symbol: &Symbol) -> String {
    format!("{{{}}}", Latex::symbol(symbol))
}
