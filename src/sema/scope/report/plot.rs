//! What can be wrong with `plot`.

use super::{Problem, count, error};
use crate::base::{Diagnostic, SourceMap, Span, nearest};
use crate::ir::Dim;
use crate::ir::program::PlotKind;
use crate::sema::value::Value;
use crate::syntax::ast::Name;

/// What is wrong with a picture.
#[derive(Clone, Debug)]
pub enum PlotError {
    Nothing { at: Span },
    NotCurve { found: Value, at: Span },
    DifferentRows { rows: Dim, at: Span, known: Dim, first: Span },
    NoSuchKind { found: String, at: Span },
    NotTexts { option: Name, found: Value, at: Span },
    /// An option that says nothing about this kind.
    NoEffect { option: Name, kind: PlotKind },
    Names { names: usize, curves: usize, at: Span },
    /// More or fewer labels than bars, images, classes, or rows and columns.
    Labels { labels: usize, kind: PlotKind, shown: Vec<usize>, at: Span },
    Bins { bins: u64, at: Span },
    /// Too many or too few tensors for this kind.
    Tensors { kind: PlotKind, at: Span },
    /// A tensor that this kind does not show.
    Shape { kind: PlotKind, found: Value, at: Span },
}

/// What a kind of picture is made of.
fn needs(kind: PlotKind) -> &'static str {
    match kind {
        PlotKind::Curves | PlotKind::Points | PlotKind::Bars => "`plot x, y`, columns with the same rows",
        PlotKind::Histogram => "tensors of numbers, each with at least one axis",
        PlotKind::Heat => "one matrix",
        PlotKind::Images => "one tensor: [rows, columns], [n, rows, columns], [n, 1, …] or, in colour, [n, 3, …]",
        PlotKind::Regions => {
            "points [n, 2] of a lattice and their classes [n] or scores [n, k], then maybe points of data [m, 2] and \
             their classes [m]"
        }
        PlotKind::Levels => {
            "points [n, 2] of a lattice and their heights [n], then maybe points of data [m, 2] and their classes [m]"
        }
    }
}

impl Problem for PlotError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            PlotError::Nothing { at } => error("E0622", "nothing to plot", *at, "write `plot x, y`"),
            PlotError::NotCurve { found, at } => {
                error("E0622", "a curve is a tensor of one axis (or of one column)", *at, found.describe())
                    .help("`kind = \"heat\"` shows a matrix, `kind = \"images\"` pictures")
            }
            PlotError::DifferentRows { rows, at, known, first } => {
                let message = "the tensors of a plot have different numbers of rows";
                error("E0622", message, *at, format!("{rows} rows")).and_at(*first, format!("{known} rows"))
            }
            PlotError::NoSuchKind { found, at } => {
                let kinds = PlotKind::ALL.map(PlotKind::name);
                let message = format!("there is no kind of picture `{found}`");
                let error = error("E0622", message, *at, "not a kind");
                match nearest(found, kinds) {
                    Some(near) => error.suggest(format!("did you mean \"{near}\"?"), *at, format!("\"{near}\"")),
                    None => error.help(format!("kinds are {}", kinds.join(", "))),
                }
            }
            PlotError::NotTexts { option, found, at } => {
                let label = format!("found {}", found.describe());
                error("E0622", format!("`{}` is a list of strings", option.as_str()), *at, label)
            }
            PlotError::NoEffect { option, kind } => {
                let message = format!("`{}` has no effect on {}", option.as_str(), kind.name());
                error("E0622", message, option.span, "remove this")
            }
            PlotError::Names { names, curves, at } => {
                let message = format!("{names} names for {curves} curves");
                error("E0622", message, *at, "a name for each, in order")
            }
            PlotError::Labels { labels, kind, shown, at } => {
                let shown: Vec<String> = shown.iter().map(usize::to_string).collect();
                let (shown, what) = match kind {
                    PlotKind::Images => (shown.concat(), "images"),
                    PlotKind::Regions => (shown.concat(), "classes"),
                    PlotKind::Heat => (shown.join(" × "), "elements"),
                    _ => (shown.concat(), "bars"),
                };
                let labels = count(*labels, "label", "labels");
                error("E0622", format!("{labels} for {shown} {what}"), *at, match kind {
                    PlotKind::Heat => "one for each row, or for each column",
                    _ => "one for each, in order",
                })
            }
            PlotError::Bins { bins, at } => {
                error("E0622", format!("{bins} bars of a histogram"), *at, "10000 at most")
            }
            PlotError::Tensors { kind, at } => {
                let message = format!("`kind = \"{}\"` has another number of tensors", kind.name());
                error("E0622", message, *at, format!("needs {}", needs(*kind)))
            }
            PlotError::Shape { kind, found, at } => {
                let message = format!("`kind = \"{}\"` cannot show this", kind.name());
                error("E0622", message, *at, found.describe()).help(format!("it needs {}", needs(*kind)))
            }
        }
    }
}
