//! `nnc summary`: the layers of each model with their sizes.

use std::path::PathBuf;

use clap::Args;

use super::numbers::{bytes, count};
use super::{Failure, input, report, say};
use crate::ir::program::{LayerSummary, Model, Precision, Program, Variable};
use crate::ir::{Dim, Elem, Sizes, Type};
use crate::runtime::program::Diagnostics;

/// Print the layers of each model: output shapes, parameters, multiply-adds, bytes.
#[derive(Args)]
#[command(after_help = "\
Example:
  nnc summary models/digits.nn

Multiply-adds are those of one call for one row; bytes are those of parameters and states.")]
pub struct Summary {
    /// The program; `-` for standard input.
    file: PathBuf,
}

impl Summary {
    pub fn carry_out(self) -> Result<(), Failure> {
        let program = input::compile(&self.file, &mut |_, _| Vec::new())?;
        if !program.warnings().is_empty() {
            report(&Diagnostics { list: program.warnings().to_vec(), sources: program.sources().clone() });
        }
        let checked = program.checked();
        if checked.models.is_empty() {
            say("the program has no models");
        }
        for (at, model) in checked.models.iter().enumerate() {
            if at > 0 {
                say("");
            }
            say(&model_text(model, checked));
        }
        Ok(())
    }
}

const TITLES: [&str; 5] = ["layer", "output", "parameters", "multiply-adds", "bytes"];

pub fn model_text(model: &Model, program: &Program) -> String {
    let inputs: Vec<String> = model.inputs.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let mut text = format!("model {}({})\n", model.name, inputs.join(", "));
    let mut rows: Vec<[String; 5]> = vec![TITLES.map(str::to_owned)];
    // The first axis of the inputs are the rows.
    let rows_of = |ty: &Type| ty.shape.first().and_then(Dim::as_symbol).cloned();
    let one: Sizes = model.inputs.iter().filter_map(|(_, ty)| Some((rows_of(ty)?, Dim::ONE))).collect();
    let mut total = (0u64, Dim::ZERO, 0u64);
    for layer in &model.layers {
        let (numbers, size) = sizes(layer, program);
        let multiply_adds =
            layer.multiply_adds.substitute(&one).unwrap_or_else(|_| layer.multiply_adds.clone());
        total = (total.0 + numbers, &total.1 + &multiply_adds, total.2 + size);
        let name = if layer.path.is_empty() {
            format!("{}", layer.layer)
        } else {
            format!("{} ({})", layer.path, layer.layer)
        };
        let output: Vec<String> = layer.output.iter().map(ToString::to_string).collect();
        rows.push([name, output.join(", "), count(numbers), work(&multiply_adds), bytes(size)]);
    }
    rows.push(["total".into(), String::new(), count(total.0), work(&total.1), bytes(total.2)]);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (TITLES.len() - 1));
    for (at, row) in rows.iter().enumerate() {
        if at == 1 || at + 1 == rows.len() {
            text.push_str(&rule);
            text.push('\n');
        }
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let fill = " ".repeat(widths[column] - cell.chars().count());
            // Texts to the left, numbers to the right.
            let (before, behind) = if column < 2 { ("", fill.as_str()) } else { (fill.as_str(), "") };
            line.push_str(&format!("{before}{cell}{behind}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// How many numbers the layer's own parameters have, and how many bytes they take.
fn sizes(layer: &LayerSummary, program: &Program) -> (u64, u64) {
    let is_of_layer = |variable: &&Variable| layer.params.contains(&variable.path);
    let sizes = program.params.iter().chain(&program.states).filter(is_of_layer).map(|variable| {
        let numbers =
            variable.ty.count().as_number().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        let size = match (variable.ty.elem, program.precision) {
            (Elem::Float, Precision::F64) => 8,
            (Elem::Float, Precision::F32) | (Elem::Int, _) => 4,
            (Elem::Bool, _) => 1,
        };
        (numbers, numbers * size)
    });
    sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
}

fn work(size: &Dim) -> String {
    match size.as_number().and_then(|number| u64::try_from(number).ok()) {
        Some(number) => count(number),
        None => size.to_string(),
    }
}
