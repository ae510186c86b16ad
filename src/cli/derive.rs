//! `nnc derive`: the gradient as mathematics.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;

use super::input::DataFiles;
use super::progress::Terminal;
use super::settings::Settings;
use super::{Failure, input, say};
use crate::base::nearest;
use crate::derive::names::is_flipped;
use crate::derive::{self, Derivation, Symbol, latex, page, text};
use crate::ir::program::{Action, Line, Train};
use crate::ir::{Elem, Type};
use crate::runtime::array::{Array, Elements};
use crate::runtime::events::{Event, Observer};
use crate::runtime::example::{DeclaredAgreement, Rows};
use crate::runtime::format::{array_text, number_text};
use crate::runtime::program::Program;

/// Print the gradient that the compiler derives, in the notation of textbooks.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc derive models/xor.nn
  nnc derive models/xor.nn --wrt linear1.weight
  nnc derive models/xor.nn --numeric --row 2
  nnc derive models/xor.nn --check
  nnc derive models/xor.nn --latex > xor.tex")]
pub struct Derive {
    /// The program; `-` for standard input.
    file: PathBuf,
    /// Print a LaTeX document.
    #[arg(long, conflicts_with_all = ["numeric", "check"])]
    latex: bool,
    /// Only what leads to the derivative by one parameter: `linear1.weight` or `W[1]`.
    #[arg(long, value_name = "NAME")]
    wrt: Option<String>,
    /// Show the values for one row of the data under each formula, or for as many as the loss needs.
    #[arg(long, conflicts_with = "check", group = "values")]
    numeric: bool,
    /// The row, from 0 on.
    #[arg(long, value_name = "N", requires = "numeric", conflicts_with = "check")]
    row: Option<usize>,
    /// Compare the gradient of every parameter with finite differences in 64 bits.
    #[arg(long, group = "values")]
    check: bool,
    /// With `--numeric` or `--check`: the parameters in a safetensors file instead of the starting values.
    #[arg(long, value_name = "FILE", requires = "values")]
    init: Option<PathBuf>,
    #[command(flatten)]
    data: DataFiles,
    /// Check every access of native code against its buffer: slower, the same results.
    #[arg(long)]
    checked: bool,
}

/// A `minimize` line.
struct Part<'p> {
    train: &'p Train,
    line: &'p Line,
    /// The loss as it is written.
    loss: String,
    derivation: Derivation,
}

impl Derive {
    pub fn carry_out(self) -> Result<(), Failure> {
        let precision = self.check.then(|| "f64".to_owned());
        let settings = Settings { precision, ..Settings::default() };
        let program = input::compile(&self.file, &mut |sources, file| settings.apply(sources, file))?;
        let program = self.data.apply(&program)?;
        program.check_accesses(self.checked);
        let mut observer = Terminal::new(true, false, program.sources().clone());
        for warning in program.warnings() {
            observer.event(&Event::Warning(warning));
        }
        let mut parts = parts(&program)?;
        if let Some(name) = &self.wrt {
            parts = narrowed(parts, name)?;
        }
        if self.latex {
            let parts: Vec<(String, Derivation)> =
                parts.into_iter().map(|part| (part.loss, part.derivation)).collect();
            say(latex::document(&parts).trim_end());
            return Ok(());
        }
        if !self.numeric && !self.check {
            let pages: Vec<String> =
                parts.iter().map(|part| page::page(&part.derivation, &part.loss, &|_| None)).collect();
            say(pages.join("\n\n").trim_end());
            return Ok(());
        }
        let mut session = program.session()?;
        if let Some(path) = &self.init {
            session.load(path, "", &mut observer)?;
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                say("");
            }
            if self.check {
                let rows = Rows { first: 0, count: part.train.batch };
                let found = session.compare_gradients(part.train, &part.derivation, rows)?;
                say(&agreements(part, &found));
                let declared = session.compare_declared(part.train, part.line, rows)?;
                if !declared.is_empty() {
                    say(&format!("\n{}", declared_agreements(&declared)));
                }
                for warning in declared.iter().filter_map(DeclaredAgreement::warning) {
                    observer.event(&Event::Warning(&warning));
                }
            } else {
                let rows = session.fewest_rows(part.train, &part.derivation, self.row.unwrap_or(0))?;
                if let Rows { first, count: 2.. } = rows {
                    let last = first + rows.count - 1;
                    say(&format!("The loss needs {} rows at a time: {first} to {last}.\n", rows.count));
                }
                let values = session.values(part.train, &part.derivation, rows)?;
                let derivation = &part.derivation;
                say(page::page(derivation, &part.loss, &|symbol| shown(derivation, &values, symbol))
                    .trim_end());
            }
        }
        Ok(())
    }
}

/// Every `minimize` line of the program.
fn parts(program: &Program) -> Result<Vec<Part<'_>>, Failure> {
    let mut parts = Vec::new();
    for action in &program.checked().actions {
        let Action::Train(train) = action else { continue };
        for (line, trained) in train.lines.iter().zip(&train.step.trained) {
            let loss =
                program.sources().text(line.loss_span).split_whitespace().collect::<Vec<_>>().join(" ");
            let mut derivation = derive::derive(line, trained)
                .map_err(|error| Failure::Usage(format!("the loss has no derivative: {:?}", error.what)))?;
            derivation.say_loss(&loss);
            parts.push(Part { train, line, loss, derivation });
        }
    }
    if parts.is_empty() {
        return Err(Failure::Usage("the program minimizes nothing: there is no gradient to derive".into()));
    }
    Ok(parts)
}

/// Only what leads to the derivative by one parameter, in the lines that train it.
fn narrowed<'p>(parts: Vec<Part<'p>>, name: &str) -> Result<Vec<Part<'p>>, Failure> {
    let mut known: Vec<String> = Vec::new();
    let mut kept = Vec::new();
    for mut part in parts {
        let mut trained = part.derivation.given.iter().filter(|given| given.trained);
        let wanted =
            trained.find(|given| given.path.as_deref() == Some(name) || text::symbol(&given.symbol) == name);
        match wanted.map(|given| given.symbol.clone()) {
            Some(symbol) => {
                part.derivation.keep_only(&symbol.adjoint());
                kept.push(part);
            }
            None => {
                let trained = part.derivation.given.iter().filter(|given| given.trained);
                let paths = trained.filter_map(|given| given.path.as_deref());
                known.extend(paths.map(str::to_owned));
            }
        }
    }
    if kept.is_empty() {
        let near = nearest(name, known.iter().map(String::as_str));
        let near = near.map(|near| format!("; there is `{near}`")).unwrap_or_default();
        return Err(Failure::Usage(format!("no loss is derived by a parameter `{name}`{near}")));
    }
    Ok(kept)
}

/// The values of a symbol, as the tensor is printed.
fn shown(derivation: &Derivation, values: &HashMap<Symbol, Array>, symbol: &Symbol) -> Option<String> {
    let array = values.get(symbol)?;
    let types = derivation.given.iter().map(|given| (Some(&given.symbol), Some(&given.ty)));
    let equations = derivation.forward.iter().chain(&derivation.backward);
    let mut types = types.chain(equations.map(|equation| (equation.symbol.as_ref(), equation.ty.as_ref())));
    let ty = types.find(|(name, _)| *name == Some(symbol)).and_then(|(_, ty)| ty);
    let flips = ty.is_some_and(is_flipped);
    Some(if flips { array_text(&turned(array, ty)?) } else { array_text(array) })
}

/// A matrix with rows and columns changed.
fn turned(array: &Array, ty: Option<&Type>) -> Option<Array> {
    let [rows, columns] = array.shape() else { return None };
    let places = (0..*columns).flat_map(|column| (0..*rows).map(move |row| row * columns + column));
    let elements = match (ty.map(|ty| ty.elem), array.elements()) {
        (Some(Elem::Int), Elements::I32(values)) => Elements::I32(places.map(|at| values[at]).collect()),
        (Some(Elem::Int), Elements::I64(values)) => Elements::I64(places.map(|at| values[at]).collect()),
        (_, Elements::F64(values)) => Elements::F64(places.map(|at| values[at]).collect()),
        (_, Elements::F32(values)) => Elements::F32(places.map(|at| values[at]).collect()),
        (_, Elements::Bool(values)) => Elements::Bool(places.map(|at| values[at]).collect()),
        (_, Elements::U8(_) | Elements::I32(_) | Elements::I64(_)) => return None,
    };
    Array::new(vec![*columns, *rows], elements).ok()
}

fn agreements(part: &Part<'_>, found: &[crate::runtime::example::Agreement]) -> String {
    let mut text = format!("L = {}: gradients against finite differences\n", part.loss);
    let width = found.iter().map(|named| named.path.chars().count()).max().unwrap_or(0).max(9);
    text.push_str(&format!("  {:width$}  worst relative error  elements\n", "parameter"));
    for agreement in found {
        let elements = if agreement.compared == agreement.elements {
            format!("all {}", agreement.elements)
        } else {
            format!("{} of {}", agreement.compared, agreement.elements)
        };
        let fill = width - agreement.path.chars().count();
        text.push_str(&format!(
            "  {}{:fill$}  {:<20}  {elements}\n",
            agreement.path,
            "",
            number_text(agreement.worst)
        ));
    }
    text.trim_end().to_owned()
}

/// A row for each function that declares its derivative, with the worst of its calls.
fn declared_agreements(found: &[DeclaredAgreement]) -> String {
    let mut text = String::from("derivatives that functions declare, against finite differences of the functions\n");
    let width = found.iter().map(|call| call.function.chars().count()).max().unwrap_or(0).max(8);
    text.push_str(&format!("  {:width$}  worst relative error  calls\n", "function"));
    let mut told: Vec<&str> = Vec::new();
    for first in found {
        if told.contains(&&*first.function) {
            continue;
        }
        told.push(&first.function);
        let calls: Vec<&DeclaredAgreement> = found.iter().filter(|call| call.function == first.function).collect();
        let worst = calls.iter().filter_map(|call| call.worst).reduce(f64::max);
        let worst = match worst {
            Some(_) if first.is_surrogate => "a surrogate".to_owned(),
            Some(worst) => number_text(worst),
            None => "not compared in scans".to_owned(),
        };
        let fill = width - first.function.chars().count();
        text.push_str(&format!("  {}{:fill$}  {worst:<20}  {}\n", first.function, "", calls.len()));
    }
    text.trim_end().to_owned()
}
