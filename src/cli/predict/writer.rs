//! What predictions are written as.

use std::io::{self, Write};

use crate::base::Diagnostic;
use crate::base::visible::visible;
use crate::cli::sheet::{self, Cell};
use crate::runtime::answers::trained::Trained;
use crate::runtime::array::Array;
use crate::runtime::sources::{checkpoint, npy};

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv(char),
    Json,
    Npy,
    Safetensors,
}

/// Why writing ended early.
pub enum Stop {
    Write(io::Error),
    Rows(Diagnostic),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Write(error)
    }
}

impl From<Diagnostic> for Stop {
    fn from(error: Diagnostic) -> Stop {
        Stop::Rows(error)
    }
}

/// Writes rows as they come, or arrays at the end.
pub struct Writer<'a> {
    pub out: &'a mut dyn Write,
    pub format: Format,
    pub names: Vec<String>,
    pub begun: bool,
    /// The results of all rows, for arrays.
    pub all: Vec<Vec<Array>>,
    /// Rows that were written, and the first whose results are no numbers.
    pub count: usize,
    pub bad: Option<usize>,
    /// Whether a terminal shows them, which would obey escape sequences in names.
    pub is_shown: bool,
}

impl Writer<'_> {
    /// Writes rows, behind what is kept of the input.
    pub fn rows(
        &mut self,
        trained: &Trained,
        results: &[Array],
        rows: usize,
        kept: &dyn Fn(usize) -> Vec<Cell>,
    ) -> Result<(), Stop> {
        let is_bad = |row: usize| {
            results.iter().any(|array| {
                let width = array.row_len();
                (row * width..(row + 1) * width).any(|at| !array.number(at).is_finite())
            })
        };
        self.bad = self.bad.or_else(|| (0..rows).find(|row| is_bad(*row)).map(|row| self.count + row));
        self.count += rows;
        if matches!(self.format, Format::Npy | Format::Safetensors) {
            self.all.push(results.to_vec());
            return Ok(());
        }
        self.begin()?;
        let mut text = String::new();
        for row in 0..rows {
            let mut cells = kept(row);
            cells.extend(sheet::cells(&trained.predictor, results, row));
            match self.format {
                Format::Csv(separator) => text.push_str(&sheet::csv_line(&cells, separator)),
                _ => text.push_str(&sheet::json_line(&self.names, &cells)),
            }
            text.push('\n');
        }
        self.put(&text)?;
        self.out.flush()?;
        Ok(())
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        match self.is_shown {
            true => self.out.write_all(visible(text).as_bytes()),
            false => self.out.write_all(text.as_bytes()),
        }
    }

    fn begin(&mut self) -> Result<(), Stop> {
        if let (Format::Csv(separator), false) = (self.format, self.begun) {
            let names: Vec<Cell> = self.names.iter().map(|name| Cell::Text(name.clone())).collect();
            let line = sheet::csv_line(&names, separator);
            self.put(&format!("{line}\n"))?;
        }
        self.begun = true;
        Ok(())
    }

    /// Writes what is still to be written.
    pub fn finish(&mut self) -> Result<(), Stop> {
        if !matches!(self.format, Format::Npy | Format::Safetensors) {
            return self.begin();
        }
        let outputs = self.all.first().map_or(0, Vec::len);
        let mut arrays = Vec::new();
        for output in 0..outputs {
            let parts: Vec<&Array> = self.all.iter().map(|results| &results[output]).collect();
            arrays.push(
                joined(&parts).ok_or_else(|| Diagnostic::fault("results of different types"))?,
            );
        }
        let names: Vec<String> = (0..outputs).map(|at| at.to_string()).collect();
        let named: Vec<(&str, &Array)> = names.iter().map(String::as_str).zip(&arrays).collect();
        match (self.format, arrays.as_slice()) {
            (Format::Npy, [array]) => npy::write_to(self.out, array)?,
            (Format::Npy, _) => {
                let message = "an npy file holds one array, the model gives several: write .safetensors";
                return Err(Diagnostic::error("E0775", message).into());
            }
            _ => checkpoint::write_to(self.out, &named, &Default::default())?,
        }
        Ok(())
    }
}

/// The rows of arrays of one type, one after the other.
fn joined(parts: &[&Array]) -> Option<Array> {
    let first = parts.first()?;
    let rows: usize = parts.iter().map(|part| part.rows()).sum();
    let mut shape = first.shape().to_vec();
    *shape.first_mut()? = rows;
    let is_f32 = matches!(first.elements(), crate::runtime::array::Elements::F32(_));
    let precision =
        if is_f32 { crate::ir::program::Precision::F32 } else { crate::ir::program::Precision::F64 };
    let mut all = Array::zeros(crate::ir::Elem::Float, precision, shape);
    let mut at = 0;
    for part in parts {
        all.elements_mut().put(at, part.elements());
        at += part.elements().len();
    }
    Some(all)
}
