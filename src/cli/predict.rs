//! `nnc predict`: what a trained model, or several together, say of new rows.

mod writer;

use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::input::DataFiles;
use super::ensemble::{Ensemble, Waiting};
use super::folder;
use super::json_rows::JsonRows;
use super::progress::Terminal;
use super::sheet;
use super::trials::members;
use super::{Failure, output, shared_input};
use crate::base::Diagnostic;
use crate::ir::program::{Source, TableFormat};
use crate::runtime::answers::trained::{Rows, Trained, Wish};
use crate::runtime::array::Array;
use crate::runtime::events::{Event, Observer, Silent};
use crate::runtime::world::native::write::write_atomically;
use crate::runtime::program::Program;
use crate::runtime::sources::csv::stream::Stream;
use crate::runtime::data::Table;
use writer::{Format, Stop, Writer};

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
  nnc predict runs/penguins-sweep-1 new.csv      # the mean of several trials
  nnc predict penguins.nn --weights p.safetensors new.csv --keep id
  tail -f log.csv | nnc predict runs/penguins -
  nnc predict runs/sales-1 sales.csv --last      # the months after the last one
  nnc predict digits.nn --weights d.safetensors new.npz -o out.safetensors")]
pub struct Predict {
    /// The program, or a folder that `nnc run` or `nnc sweep` has kept.
    model: PathBuf,
    /// The new rows: a csv file, lines of JSON, an npy, npz or safetensors file; `-` for standard input.
    input: PathBuf,
    /// The parameters: a file of `nnc run --save` [default: the best of the folder].
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Of a sweep: so many best trials are averaged [default: those that `--keep` has kept, else the best one].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "weights")]
    best: Option<u32>,
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

/// The cells of all rows of a table, and the places of some columns.
type KeptTexts = (Vec<Vec<String>>, Vec<usize>);

/// What is read in a file, for windows: they look ahead.
struct Spooled(PathBuf);

impl Spooled {
    fn new(mut rows: Box<dyn Read>) -> io::Result<Spooled> {
        let spooled = Spooled(std::env::temp_dir().join(format!("nnc-{}.csv", std::process::id())));
        let mut file = File::options().write(true).create_new(true).open(&spooled.0)?;
        io::copy(&mut rows, &mut file)?;
        Ok(spooled)
    }

    /// Lines of JSON as a table with the names of its columns.
    fn of_json(rows: Box<dyn Read>, name: String) -> io::Result<Spooled> {
        let lines = JsonRows::new(Box::new(BufReader::new(rows)), name)?;
        let names: Vec<sheet::Cell> = lines.keys().iter().cloned().map(sheet::Cell::Text).collect();
        let header = format!("{}\n", sheet::csv_line(&names, ','));
        Spooled::new(Box::new(io::Cursor::new(header).chain(lines)))
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        drop(std::fs::remove_file(&self.0));
    }
}

impl Predict {
    pub fn carry_out(mut self) -> Result<(), Failure> {
        let paths = members::of(&self.model, self.best.map(|best| best as usize))?;
        if paths.len() > 1 && self.weights.is_some() {
            return Err(Failure::Usage("`--weights` is for one model, not for the trials of a sweep".into()));
        }
        let spooled = self.spooled(&paths[0])?;
        if let Some(spooled) = &spooled {
            self.input.clone_from(&spooled.0);
            self.from = None;
        }
        let wish = Wish {
            weights: None,
            model: self.name.as_deref(),
            input: (self.input != Path::new("-")).then_some(&*self.input),
            with_targets: false,
            in_units_of_file: !self.raw,
            batch: self.batch as usize,
            threads: self.threads,
        };
        let format = self.format()?;
        let mut trained = Ensemble::new(&paths, self.weights.as_deref(), &self.data, &wish, (true, self.checked))?;
        let program = trained.program.clone();
        let mut observer = Terminal::new(true, false, program.sources().clone());
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
                Err(Stop::Rows(error)) => Err(failed(&program, &trained.lead, error)),
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
            (_, Some(error)) => Err(failed(&program, &trained.lead, error)),
            (Err(error), None) => {
                let message = format!("cannot write `{}`: {error}", self.output.display());
                Err(program.failed([Diagnostic::error("E0714", message)]).into())
            }
            (Ok(()), None) => Ok(()),
        }
    }

    /// Standard input, or lines of JSON, in a file, if the rows of a model are windows.
    fn spooled(&self, model: &Path) -> Result<Option<Spooled>, Failure> {
        let is_json = self.is_json();
        if self.input != Path::new("-") && !is_json {
            return Ok(None);
        }
        let program = folder::model(model, self.weights.as_deref(), &self.data)?.program;
        let Some(set) = program.checked().data.iter().find(|set| set.windows.is_some()) else { return Ok(None) };
        let usual = TableFormat::default();
        let is_usual = matches!(&set.source, Source::Csv { format, .. }
            if (format.separator, format.decimal, format.thousands) == (usual.separator, usual.decimal, usual.thousands));
        if is_json && !is_usual {
            // They are refused where they are read.
            return Ok(None);
        }
        let failed = |error| Failure::from(program.failed([error]));
        let (reader, name) = self.open().map_err(failed)?;
        let cannot = |error: io::Error| failed(Diagnostic::error("E0701", format!("cannot read `{name}`: {error}")));
        let spooled = if is_json { Spooled::of_json(reader, name.clone()) } else { Spooled::new(reader) };
        Ok(Some(spooled.map_err(cannot)?))
    }

    /// Whether rows are lines of JSON.
    fn is_json(&self) -> bool {
        let ending = self.input.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match self.from {
            Some(format) => format == TextFormat::Jsonl,
            None => matches!(ending.as_deref(), Some("jsonl" | "ndjson")),
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
        all: &mut Ensemble,
        observer: &mut dyn Observer,
        format: Format,
        out: &mut dyn Write,
    ) -> Result<(), Stop> {
        let trained = &all.lead;
        let mut writer =
            Writer { out, format, names: sheet::names(&trained.predictor), begun: false, all: vec![], count: 0, bad: None, is_shown: self.output == Path::new("-") && io::stdout().is_terminal() };
        let is_json = self.is_json();
        if is_json && trained.set.windows.is_some() {
            let message = "windows of this data are not read from lines of JSON";
            let help = "they are of a table with commas between its columns and points in its numbers";
            return Err(Diagnostic::error("E0775", message).help(help).into());
        }
        if trained.set.windows.is_none() && (is_json || matches!(trained.set.source, Source::Csv { .. })) {
            self.of_lines(all, observer, is_json, &mut writer)?;
        } else {
            self.of_arrays(all, &mut writer)?;
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
        all: &mut Ensemble,
        observer: &mut dyn Observer,
        is_json: bool,
        writer: &mut Writer<'_>,
    ) -> Result<(), Stop> {
        let (reader, name) = self.open()?;
        let mut readers: Vec<Box<dyn Read>> = match all.others.len() {
            0 => vec![reader],
            others => shared_input::shared(reader, others + 1).into_iter().map(|part| Box::new(part) as Box<dyn Read>).collect(),
        };
        let of_lead = readers.remove(0);
        let mut rows = rows_of(&mut all.lead, of_lead, name.clone(), is_json)?;
        let of_others = all.others.iter_mut().zip(readers);
        let of_others = of_others.map(|(other, reader)| rows_of(other, reader, name.clone(), is_json));
        let mut of_others: Vec<Rows> = of_others.collect::<Result<_, Diagnostic>>()?;
        let mut waiting: Vec<Waiting> = of_others.iter().map(|_| Waiting::default()).collect();
        let mut kept: Option<Vec<usize>> = None;
        while let Some(block) = rows.next(&mut all.lead.session, observer)? {
            if kept.is_none() {
                let (places, names) = self.kept_columns(&rows.header())?;
                writer.names.splice(0..0, names);
                kept = Some(places);
            }
            let results = all.lead.predictor.results(&mut all.lead.session, &block.fields, block.rows)?;
            for (number, rows) in of_others.iter_mut().enumerate() {
                let until = waiting[number].rows + block.rows - waiting[number].left();
                while waiting[number].rows < until {
                    let other = &mut all.others[number];
                    let Some(block) = rows.next(&mut other.session, &mut Silent)? else { break };
                    let results = other.predictor.results(&mut other.session, &block.fields, block.rows)?;
                    all.note(number, &results, block.rows, &mut waiting[number]);
                }
            }
            let results = all.mean(results, &mut waiting)?;
            let places = kept.as_deref().unwrap_or_default();
            writer.rows(&all.lead, &results, block.rows, &|row| {
                places.iter().map(|place| sheet::kept(&block.texts[row][*place])).collect()
            })?;
        }
        Ok(())
    }

    /// Rows of stored arrays.
    fn of_arrays(&self, all: &mut Ensemble, writer: &mut Writer<'_>) -> Result<(), Stop> {
        let trained = &mut all.lead;
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
        let chosen: Vec<u32> = (0..table.rows as u32).filter(chosen).collect();
        let block = trained.block_of(&table);
        let tables = all.others.iter_mut().map(Trained::table).collect::<Result<Vec<Arc<Table>>, Diagnostic>>()?;
        let mut waiting: Vec<Waiting> = tables.iter().map(|_| Waiting::default()).collect();
        for rows in chosen.chunks(block) {
            let results = results_of(&mut all.lead, &table, rows)?;
            for (number, table) in tables.iter().enumerate() {
                let results = results_of(&mut all.others[number], table, rows)?;
                all.note(number, &results, rows.len(), &mut waiting[number]);
            }
            let results = all.mean(results, &mut waiting)?;
            writer.rows(&all.lead, &results, rows.len(), &|row| {
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

/// Rows of a text for one model.
fn rows_of(trained: &mut Trained, reader: Box<dyn Read>, name: String, is_json: bool) -> Result<Rows, Diagnostic> {
    if !is_json {
        return trained.stream(reader, name, None);
    }
    let lines = JsonRows::new(Box::new(BufReader::new(reader)), name.clone());
    let lines = lines.map_err(|error| Diagnostic::error("E0701", error.to_string()))?;
    let keys = lines.keys().to_vec();
    trained.stream(Box::new(lines), name, Some(keys))
}

/// What one model says of rows of a table.
fn results_of(trained: &mut Trained, table: &Table, rows: &[u32]) -> Result<Vec<Array>, Diagnostic> {
    let fields = trained.predictor.asked.fields.clone();
    let arrays = fields.iter().map(|field| trained.rows_of(table, field, rows));
    let arrays = arrays.collect::<Result<Vec<Array>, Diagnostic>>()?;
    trained.predictor.results(&mut trained.session, &arrays, rows.len())
}

fn failed(program: &Program, trained: &Trained, error: Diagnostic) -> Failure {
    let source = crate::runtime::data::read::placed(error, trained.set.span);
    program.failed([source]).into()
}
