//! A derivation as a page of text.

use super::build::size_text;
use super::equations::{Derivation, Equation};
use super::names::{Symbol, is_flipped};
use super::text;
use crate::ir::{Elem, Type};

/// Shapes are aligned in a column behind formulas of at most so many characters.
const WIDTH: usize = 56;

/// Gives a text to print below the equation of a value: its elements, for example.
pub type Beside<'a> = &'a dyn Fn(&Symbol) -> Option<String>;

/// The whole derivation, with the texts that `beside` gives for its values.
pub fn page(derivation: &Derivation, loss: &str, beside: Beside<'_>) -> String {
    let mut page = String::new();
    page.push_str(&format!("L = {loss}\n"));
    for line in conventions(derivation) {
        page.push_str(&format!("{line}\n"));
    }
    page.push_str("\nGiven\n");
    let names = derivation.given.iter().map(|given| text::symbol(&given.symbol));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0).max(12);
    for given in &derivation.given {
        let name = text::symbol(&given.symbol);
        let from = given.path.as_deref().unwrap_or_default();
        page.push_str(&row(&name, &shape(&given.ty), from, width));
        page.push_str(&indented(beside(&given.symbol)));
    }
    for (title, equations) in [
        ("Forward", &derivation.forward),
        ("Backward", &derivation.backward),
        ("where", &derivation.functions),
    ] {
        if equations.is_empty() {
            continue;
        }
        page.push_str(&format!("\n{title}\n"));
        let width = equations.iter().map(|equation| formula(equation).chars().count()).filter(|width| *width <= WIDTH).max();
        let mut open: Option<&str> = None;
        for equation in equations {
            if equation.within.as_deref() != open {
                open = equation.within.as_deref();
                page.push_str(&open.map(|header| format!("  {header}\n")).unwrap_or_default());
            }
            let shape = equation.ty.as_ref().map(shape).unwrap_or_default();
            page.push_str(&row(&formula(equation), &shape, &equation.from, width.unwrap_or(WIDTH)));
            page.push_str(&indented(equation.symbol.as_ref().and_then(beside)));
        }
    }
    page
}

/// Remarks on the notation that a reader needs.
pub fn conventions(derivation: &Derivation) -> Vec<String> {
    let mut lines = Vec::new();
    let types = derivation.given.iter().map(|given| (&given.symbol, &given.ty));
    if let Some((symbol, ty)) = types.clone().find(|(_, ty)| is_flipped(ty)) {
        lines.push(format!(
            "The B examples of a batch are columns, counted by n: {} is {}.",
            text::symbol(symbol),
            shape(ty)
        ));
    } else if types.clone().any(|(_, ty)| shape(ty).contains('B')) {
        lines.push("The B examples of a batch are counted by n.".to_owned());
    }
    if derivation.padded {
        lines.push("Elements outside of a tensor count as 0.".to_owned());
    }
    if derivation.partial {
        lines.push("Elements that are not written are 0.".to_owned());
    }
    lines
}

/// `[3, B]`, as the tensor is printed.
pub fn shape(ty: &Type) -> String {
    let mut sizes: Vec<String> = ty.shape.iter().map(size_text).collect();
    if is_flipped(ty) {
        sizes.reverse();
    }
    let elem = match ty.elem {
        Elem::Float => "",
        Elem::Int => "int",
        Elem::Bool => "bool",
    };
    format!("{elem}[{}]", sizes.join(", "))
}

fn formula(equation: &Equation) -> String {
    let sign = if equation.formula.adds { "+=" } else { "=" };
    let indent = if equation.within.is_some() { "  " } else { "" };
    format!("{indent}{} {sign} {}", text::term(&equation.formula.left), text::term(&equation.formula.right))
}

fn row(formula: &str, shape: &str, from: &str, width: usize) -> String {
    let fill = width.saturating_sub(formula.chars().count());
    format!("  {formula}{:fill$}   {shape:<12} {from}", "").trim_end().to_owned() + "\n"
}

fn indented(text: Option<String>) -> String {
    text.map(|text| text.lines().map(|line| format!("      {line}\n")).collect()).unwrap_or_default()
}
