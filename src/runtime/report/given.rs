//! What can be wrong with rows that whoever runs a program gives.

use std::sync::Arc;

use super::{Problem, backticked};
use crate::base::{Diagnostic, Span, nearest};

/// What is wrong with rows that are given by whoever runs the program.
#[derive(Clone, Debug)]
pub enum GivenProblem {
    /// Nothing was given; where the program says that it will be, if it does.
    Nothing { set: Arc<str>, fields: Vec<Arc<str>>, declared: Option<Span>, at: Span },
    /// The program has no such data.
    NoSet { name: Arc<str>, sets: Vec<Arc<str>> },
    /// The program says where the rows come from.
    NotGiven { set: Arc<str>, at: Span },
    /// The data has no such field that is given.
    NoField { set: Arc<str>, field: Arc<str>, declared: Vec<Arc<str>>, at: Span },
    /// A field is missing; where it is declared.
    Missing { set: Arc<str>, field: Arc<str>, at: Option<Span> },
    /// Values of a field are missing: how many, and the first row.
    NoValue { set: String, field: String, count: usize, row: usize, at: Option<Span> },
    /// There are more names than classes, or names where there are none.
    Names { set: String, field: String, names: Vec<String>, classes: Option<u64>, at: Option<Span> },
    /// The values are no numbers, truth values or names, but what the host program calls so.
    NoNumbers { set: String, field: String, found: String, at: Option<Span> },
}

impl Problem for GivenProblem {
    fn diagnostic(&self) -> Diagnostic {
        let with_near = |error: Diagnostic, name: &str, known: &[Arc<str>]| match nearest(
            name,
            known.iter().map(|name| &**name),
        ) {
            Some(near) => error.help(format!("there is `{near}`")),
            None => error,
        };
        let declared = |error: Diagnostic, at: &Option<Span>| match at {
            Some(at) => error.at(*at, "declared here"),
            None => error,
        };
        match self {
            GivenProblem::Nothing { set, fields, declared, at } => {
                let error = Diagnostic::error("E0756", format!("no rows were given for `{set}`"));
                let error = match declared {
                    Some(declared) => error.at(*declared, "whoever runs this program says what it is"),
                    None => error.at(*at, ""),
                };
                how_to_give(set, fields).into_iter().fold(error, Diagnostic::help)
            }
            GivenProblem::NoSet { name, sets } => {
                let error = Diagnostic::error("E0757", format!("the program has no data `{name}`"));
                with_near(error, name, sets)
            }
            GivenProblem::NotGiven { set, at } => {
                let message = format!("`{set}` is not given: the program says where its rows come from");
                Diagnostic::error("E0757", message)
                    .at(*at, "")
                    .help("a field that is given has a type and no value: `x: [4]`")
            }
            GivenProblem::NoField { set, field, declared, at } => {
                let message = format!("`{set}` has no field `{field}` that is given");
                with_near(Diagnostic::error("E0757", message).at(*at, ""), field, declared)
            }
            GivenProblem::Missing { set, field, at } => {
                let message = format!("no rows are given for `{field}` of `{set}`");
                let error = declared(Diagnostic::error("E0757", message), at);
                match at {
                    Some(_) => error.help("all fields that have no value are given together"),
                    None => error,
                }
            }
            GivenProblem::NoValue { set, field, count, row, at } => {
                let values = if *count == 1 { "a value is" } else { "values are" };
                let message = format!("{values} missing in what is given for `{field}` of `{set}`");
                let which = match count {
                    1 => format!("it is that of row {row}, from 0"),
                    _ => format!("they are {count}, the first in row {row}, from 0"),
                };
                let help = "fill them, or leave out their rows, before they are given: `frame.fillna(…)`, \
                            `frame.dropna()`";
                declared(Diagnostic::error("E0910", message).note(which).help(help), at)
            }
            GivenProblem::Names { set, field, names, classes, at } => {
                declared(odd_names(set, field, names, *classes), at)
            }
            GivenProblem::NoNumbers { set, field, found, at } => {
                let message = format!("what is given for `{field}` of `{set}` are {found}, not numbers");
                let error = Diagnostic::error("E0912", message);
                declared(error.help("make numbers of them before they are given"), at)
            }
        }
    }
}

/// How rows are given to a program by the command line, in Python and in Rust.
fn how_to_give(set: &str, fields: &[Arc<str>]) -> [String; 3] {
    let each = |form: &dyn Fn(&str) -> String| {
        fields.iter().map(|field| form(field)).collect::<Vec<String>>().join(", ")
    };
    let plain = each(&|field| field.to_owned());
    let python = each(&|field| format!("\"{field}\": {field}"));
    let rust = each(&|field| format!("(\"{field}\", {field})"));
    [
        format!(
            "on the command line: `--data {set}=FILE`, an `npz` or `safetensors` file with the arrays {plain}"
        ),
        format!("in Python: `program.session({set}={{{python}}})`"),
        format!("in a Rust program: `program.session_with(Given::new().data(\"{set}\", [{rust}]))`"),
    ]
}

fn odd_names(set: &str, field: &str, names: &[String], classes: Option<u64>) -> Diagnostic {
    const SHOWN: usize = 8;
    let mut shown = backticked(names.iter().take(SHOWN));
    if names.len() > SHOWN {
        shown.push("…".to_owned());
    }
    let shown = shown.join(", ");
    match classes {
        None => Diagnostic::error("E0911", format!("names are given for `{field}` of `{set}`: {shown}"))
            .help(format!("a field that takes names is a class: `{field}: class({})`", names.len())),
        Some(classes) => {
            let message =
                format!("`{field}` of `{set}` has {classes} classes, and {} names are given", names.len());
            Diagnostic::error("E0911", message).note(format!("the names: {shown}"))
        }
    }
}
