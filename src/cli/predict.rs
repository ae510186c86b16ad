//! `nnc predict`: what a trained model says of new rows.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::input::DataFiles;
use super::folder::{self, Model};
use super::json_rows::JsonRows;
use super::progress::Terminal;
use super::sheet::{self, Cell};
use super::{Failure, output};
use crate::base::Diagnostic;
use crate::base::visible::visible;
use crate::ir::program::Source;
use crate::runtime::answers::trained::{Trained, Wish};
use crate::runtime::array::Array;
use crate::runtime::events::{Event, Observer};
use crate::runtime::world::native::write::write_atomically;
use crate::runtime::program::Program;
use crate::runtime::sources::csv::stream::Stream;
use crate::runtime::sources::{checkpoint, npy};

/// Predict: what a trained model says of new rows, from a file or standard input.
#[derive(Args)]
#[command(after_help = "\
The input has the columns, or the stored arrays, that the program's data reads; those of what is to be predicted
may be missing. What was learnt from the training data (means, names of classes) is that of the weights. If the
loss compares the model with classes, the output has the class by name and the probability of each; otherwise
numbers, in the units of the file where what the program does to them can be undone. One row and a million give the same bits for each row.

Examples:
  nnc run penguins.nn --out runs/penguins
  nnc predict runs/penguins new.csv -o out.csv
  nnc predict penguins.nn --weights p.safetensors new.csv --keep id
  tail -f log.csv | nnc predict runs/penguins -
  nnc predict runs/sales-1 sales.csv --last      # the months after the last one
  nnc predict digits.nn --weights d.safetensors new.npz -o out.safetensors")]
pub struct Predict {
    /// The program, or a folder that `nnc run` has kept.
    model: PathBuf,
    /// The new rows: a csv file, lines of JSON, an npy, npz or safetensors file; `-` for standard input.
    input: PathBuf,
    /// The parameters: a file of `nnc run --save` [default: the best of the folder].
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    data: DataFiles,
    /// Where the predictions go: .csv, .jsonl, .npy, .safetensors; `-` for standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Columns of the input that stand before the predictions: `a,b`, or `all`.
    #[arg(long, value_name = "COLUMNS")]
    keep: Option<String>,
    /// Numbers as the model gives them: those of the field that it was trained on, be it a logarithm or standardised.
    #[arg(long)]
    raw: bool,
    /// Of windows of a series only the last: what comes after the end of the file.
    #[arg(long)]
    last: bool,
    /// The model, if the loss calls several.
    #[arg(long = "model", value_name = "NAME")]
    name: Option<String>,
    /// What the input is, if its name does not say it.
    #[arg(long, value_name = "FORMAT")]
    from: Option<TextFormat>,
    /// What standard output is to be.
    #[arg(long, value_name = "FORMAT")]
    to: Option<TextFormat>,
    /// Rows that are computed at once: faster for large models, but the last bits may differ [default: 1].
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch: u32,
    /// Threads to compute with; results do not depend on it [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = super::threads)]
    threads: Option<usize>,
    /// Check every access of native code against its buffer: slower, the same results.
    #[arg(long)]
    checked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TextFormat {
    Csv,
    Jsonl,
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv(char),
    Json,
    Npy,
    Safetensors,
}

/// The cells of all rows of a table, and the places of some columns.
type KeptTexts = (Vec<Vec<String>>, Vec<usize>);

/// Standard input in a file, for windows: they look ahead.
struct Spooled(PathBuf);

impl Spooled {
    fn new() -> io::Result<Spooled> {
        let spooled = Spooled(std::env::temp_dir().join(format!("nnc-{}.csv", std::process::id())));
        let mut file = File::options().write(true).create_new(true).open(&spooled.0)?;
        io::copy(&mut io::stdin(), &mut file)?;
        Ok(spooled)
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Why writing ended early.
enum Stop {
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

impl Predict {
    pub fn carry_out(mut self) -> Result<(), Failure> {
        let Model { program, weights } = folder::model(&self.model, self.weights.as_deref(), &self.data)?;
        let has_windows = program.checked().data.iter().any(|set| set.windows.is_some());
        let spooled = match has_windows && self.input == Path::new("-") {
            true => Some(Spooled::new().map_err(|error| {
                program.failed([Diagnostic::error("E0701", format!("cannot read standard input: {error}"))])
            })?),
            false => None,
        };
        if let Some(spooled) = &spooled {
            self.input.clone_from(&spooled.0);
        }
        program.check_accesses(self.checked);
        let mut observer = Terminal::new(true, false, program.sources().clone());
        let is_piped = self.input == Path::new("-");
        let wish = Wish {
            weights: weights.as_deref(),
            model: self.name.as_deref(),
            input: (!is_piped).then_some(&*self.input),
            with_targets: false,
            in_units_of_file: !self.raw,
            batch: self.batch as usize,
            threads: self.threads,
        };
        let format = self.format()?;
        let mut trained = Trained::new(&program, &wish, &mut observer)?;
        if self.output == Path::new("-") {
            let out = io::stdout();
            if matches!(format, Format::Npy | Format::Safetensors) && out.is_terminal() {
                return Err(Failure::Usage(
                    "arrays are not shown on a terminal: name a file with `-o`".into(),
                ));
            }
            return match self.write(&mut trained, &mut observer, format, &mut out.lock()) {
                Err(Stop::Write(error)) => {
                    output::remember(Err(error));
                    Ok(())
                }
                Err(Stop::Rows(error)) => Err(failed(&program, &trained, error)),
                Ok(()) => Ok(()),
            };
        }
        let mut stopped = None;
        let written = write_atomically(&self.output, &mut |out| match self.write(
            &mut trained,
            &mut observer,
            format,
            out,
        ) {
            Ok(()) => Ok(()),
            Err(Stop::Write(error)) => Err(error),
            Err(Stop::Rows(error)) => {
                stopped = Some(error);
                Err(io::Error::other("stopped"))
            }
        });
        match (written, stopped) {
            (_, Some(error)) => Err(failed(&program, &trained, error)),
            (Err(error), None) => {
                let message = format!("cannot write `{}`: {error}", self.output.display());
                Err(program.failed([Diagnostic::error("E0714", message)]).into())
            }
            (Ok(()), None) => Ok(()),
        }
    }

    fn format(&self) -> Result<Format, Failure> {
        let ending = self.output.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let is_stdout = self.output == Path::new("-");
        if self.to.is_some() && !is_stdout {
            return Err(Failure::Usage("`--to` is for standard output: a file says it by its name".into()));
        }
        match (ending.as_deref(), self.to) {
            (_, Some(TextFormat::Csv)) => Ok(Format::Csv(',')),
            (_, Some(TextFormat::Jsonl)) => Ok(Format::Json),
            (Some("csv"), None) => Ok(Format::Csv(',')),
            (Some("tsv"), None) => Ok(Format::Csv('\t')),
            (Some("jsonl" | "ndjson"), None) => Ok(Format::Json),
            (Some("npy"), None) => Ok(Format::Npy),
            (Some("safetensors"), None) => Ok(Format::Safetensors),
            _ if is_stdout => Ok(Format::Csv(',')),
            _ => Err(Failure::Usage(format!(
                "`{}`: the name of the output ends in .csv, .tsv, .jsonl, .npy or .safetensors",
                self.output.display()
            ))),
        }
    }

    fn write(
        &self,
        trained: &mut Trained,
        observer: &mut dyn Observer,
        format: Format,
        out: &mut dyn Write,
    ) -> Result<(), Stop> {
        let mut writer =
            Writer { out, format, names: sheet::names(&trained.predictor), begun: false, all: vec![], count: 0, bad: None, is_shown: self.output == Path::new("-") && io::stdout().is_terminal() };
        let ending = self.input.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let is_json = match self.from {
            Some(format) => format == TextFormat::Jsonl,
            None => matches!(ending.as_deref(), Some("jsonl" | "ndjson")),
        };
        if is_json && trained.set.windows.is_some() {
            let message = "windows are of a table, not of lines of JSON";
            return Err(Diagnostic::error("E0775", message).into());
        }
        if trained.set.windows.is_none() && (is_json || matches!(trained.set.source, Source::Csv { .. })) {
            self.of_lines(trained, observer, is_json, &mut writer)?;
        } else {
            self.of_arrays(trained, &mut writer)?;
        }
        if let Some(row) = writer.bad {
            let message = format!("what is predicted for row {row} is not a finite number");
            let warning = Diagnostic::warning("W0682", message).note("it is the first such row");
            observer.event(&Event::Warning(&warning));
        }
        writer.finish()
    }

    /// Rows of a text, as they come.
    fn of_lines(
        &self,
        trained: &mut Trained,
        observer: &mut dyn Observer,
        is_json: bool,
        writer: &mut Writer<'_>,
    ) -> Result<(), Stop> {
        let (reader, name) = self.open()?;
        let mut rows = if is_json {
            let lines = JsonRows::new(Box::new(BufReader::new(reader)), name.clone());
            let lines = lines.map_err(|error| Diagnostic::error("E0701", error.to_string()))?;
            let keys = lines.keys().to_vec();
            trained.stream(Box::new(lines), name, Some(keys))?
        } else {
            trained.stream(reader, name, None)?
        };
        let mut kept: Option<Vec<usize>> = None;
        while let Some(block) = rows.next(&mut trained.session, observer)? {
            if kept.is_none() {
                let (places, names) = self.kept_columns(&rows.header())?;
                writer.names.splice(0..0, names);
                kept = Some(places);
            }
            let results = trained.predictor.results(&mut trained.session, &block.fields, block.rows)?;
            let places = kept.as_deref().unwrap_or_default();
            writer.rows(trained, &results, block.rows, &|row| {
                places.iter().map(|place| sheet::kept(&block.texts[row][*place])).collect()
            })?;
        }
        Ok(())
    }

    /// Rows of stored arrays.
    fn of_arrays(&self, trained: &mut Trained, writer: &mut Writer<'_>) -> Result<(), Stop> {
        let is_table = matches!(trained.set.source, Source::Csv { .. });
        if let (Some(keep), false) = (&self.keep, is_table) {
            let message = format!("`--keep {keep}`: arrays have no columns with names");
            return Err(Diagnostic::error("E0775", message).into());
        }
        if self.input == Path::new("-") {
            let message = "arrays are read from a file, not from a pipe";
            return Err(Diagnostic::error("E0775", message).into());
        }
        if self.last && trained.set.windows.is_none() {
            let error = Diagnostic::error("E0775", "`--last` is for windows of a series");
            return Err(error.at(trained.set.span, "no field of this data is a `window(…)`").into());
        }
        let table = trained.table()?;
        let (texts, places) = self.kept_texts(trained, writer)?;
        let chosen = |row: &u32| !self.last || table.is_last[*row as usize];
        let all: Vec<u32> = (0..table.rows as u32).filter(chosen).collect();
        let fields = trained.predictor.asked.fields.clone();
        let block = trained.block_of(&table);
        for rows in all.chunks(block) {
            let arrays = fields.iter().map(|field| trained.rows_of(&table, field, rows));
            let arrays = arrays.collect::<Result<Vec<Array>, Diagnostic>>()?;
            let results = trained.predictor.results(&mut trained.session, &arrays, rows.len())?;
            writer.rows(trained, &results, rows.len(), &|row| {
                let in_file = table.rows_of_file.as_ref().map_or(row, |ends| ends[rows[row] as usize] as usize);
                let cell = |place: &usize| texts.get(in_file).map(|cells: &Vec<String>| sheet::kept(&cells[*place]));
                places.iter().filter_map(cell).collect()
            })?;
        }
        Ok(())
    }

    /// What stands in each row of a table, and the places of the columns that are kept.
    fn kept_texts(&self, trained: &Trained, writer: &mut Writer<'_>) -> Result<KeptTexts, Diagnostic> {
        let (Some(_), Source::Csv { format, .. }) = (&self.keep, &trained.set.source) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let (reader, name) = self.open()?;
        let mut stream = Stream::new(reader, name, *format, Vec::new());
        let mut texts = Vec::new();
        // What is to be told of the file is told where its columns are read.
        while let Some(block) = stream.next(256, &mut drop)? {
            texts.extend(block.fields);
        }
        let header = match stream.header() {
            Some(names) => names.to_vec(),
            None => (0..stream.n_columns()).map(|at| format!("column {at}")).collect(),
        };
        let (places, names) = self.kept_columns(&header)?;
        writer.names.splice(0..0, names);
        Ok((texts, places))
    }

    fn open(&self) -> Result<(Box<dyn Read>, String), Diagnostic> {
        if self.input == Path::new("-") {
            return Ok((Box::new(io::stdin()), "standard input".into()));
        }
        let name = self.input.display().to_string();
        let cannot = |error| Diagnostic::error("E0701", format!("cannot read `{name}`: {error}"));
        let mut file = File::open(&self.input).map_err(cannot)?;
        let mut magic = [0; 2];
        let count = file.read(&mut magic).map_err(cannot)?;
        let begun = io::Cursor::new(magic[..count].to_vec());
        let whole = begun.chain(file);
        // Tables are read gzipped, too.
        let reader: Box<dyn Read> = match magic == [0x1f, 0x8b] {
            true => Box::new(flate2::read::MultiGzDecoder::new(whole)),
            false => Box::new(whole),
        };
        Ok((reader, name))
    }

    /// The places and names of the columns of the input that are kept.
    fn kept_columns(&self, header: &[String]) -> Result<(Vec<usize>, Vec<String>), Diagnostic> {
        let Some(keep) = &self.keep else { return Ok((Vec::new(), Vec::new())) };
        if keep == "all" {
            return Ok(((0..header.len()).collect(), header.to_vec()));
        }
        let mut places = Vec::new();
        for name in keep.split(',').map(str::trim) {
            let found = header.iter().position(|column| column == name);
            let found = found.or_else(|| name.parse().ok().filter(|at| *at < header.len()));
            places.push(found.ok_or_else(|| {
                let error = Diagnostic::error("E0708", format!("the input has no column `{name}`"));
                error.note(format!("its columns are {}", header.join(", ")))
            })?);
        }
        let names = places.iter().map(|place| header[*place].clone()).collect();
        Ok((places, names))
    }
}

fn failed(program: &Program, trained: &Trained, error: Diagnostic) -> Failure {
    let source = crate::runtime::data::read::placed(error, trained.set.span);
    program.failed([source]).into()
}

/// Writes rows as they come, or arrays at the end.
struct Writer<'a> {
    out: &'a mut dyn Write,
    format: Format,
    names: Vec<String>,
    begun: bool,
    /// The results of all rows, for arrays.
    all: Vec<Vec<Array>>,
    /// Rows that were written, and the first whose results are no numbers.
    count: usize,
    bad: Option<usize>,
    /// Whether a terminal shows them, which would obey escape sequences in names.
    is_shown: bool,
}

impl Writer<'_> {
    fn rows(
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

    fn finish(&mut self) -> Result<(), Stop> {
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
