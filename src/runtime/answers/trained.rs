//! A program with its parameters, aimed at a new file: its data set reads the new file in place of the one that the
//! model was trained on, and only the fields that are needed.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::asked::{Asked, fields_of};
use super::predictor::Predictor;
use super::rows::{NewFields, narrowed};
use super::undo::Undo;
use crate::base::{Diagnostic, Severity};
use crate::ir::{Elem, OutputKey, compact};
use crate::ir::program::{DataSet, Select, Source, TableFormat};
use crate::runtime::array::Array;
use crate::runtime::data::classes::Classes;
use crate::runtime::data::lazy::BLOCK;
use crate::runtime::data::load::input_names;
use crate::runtime::data::{Table, read, texts};
use crate::runtime::events::{Event, Observer};
use crate::runtime::given;
use crate::runtime::kept::{Kept, statistics::statistics};
use crate::runtime::program::{Diagnostics, Program};
use crate::runtime::report::Problem;
use crate::runtime::report::answers::{AnswerError, Kind, NewRowsError};
use crate::runtime::report::data::{ClassError, LearntWarning};
use crate::runtime::session::Session;
use crate::runtime::sources::csv::stream::Stream;
use crate::runtime::sources::safetensors;

/// What a command asks of a trained model.
pub struct Wish<'a> {
    /// The file of the parameters.
    pub weights: Option<&'a Path>,
    /// Whose results are meant, if the losses call several models.
    pub model: Option<&'a str>,
    /// The new file; none for the data as the program has it.
    pub input: Option<&'a Path>,
    /// Whether the fields that the loss compares the results with are needed, too.
    pub with_targets: bool,
    /// Whether numbers are given in the units of the file, where what the program has made of them can be undone.
    pub in_units_of_file: bool,
    /// So many rows are computed at once.
    pub batch: usize,
    pub threads: Option<usize>,
}

/// A trained model and where its rows come from.
pub struct Trained {
    pub session: Session,
    pub predictor: Predictor,
    /// The data set as it is read now.
    pub set: DataSet,
    kept: Arc<Kept>,
    classes: Classes,
}

/// Rows of fields.
pub struct Block {
    pub rows: usize,
    /// Those that the model reads, in order.
    pub fields: Vec<Array>,
    /// What stands in each row of a table.
    pub texts: Vec<Vec<String>>,
}

impl Trained {
    /// `program` has a `validate` in each `train`, so that its losses are known in evaluation mode.
    ///
    /// # Errors
    /// E0770 and E0771 if it is not clear what is to be predicted, E0772 if what the model has learnt from its data
    /// is not known, E0773 if its fields cannot be computed row by row, E0774 if there are no parameters, and those
    /// of reading these.
    pub fn new(
        program: &Program,
        wish: &Wish<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Trained, Diagnostics> {
        let failed = |error: Diagnostic| program.failed([error]);
        let asked = Asked::of(program, wish.model).map_err(failed)?;
        asked.check_step(program).map_err(failed)?;
        let sets = &program.checked().data;
        let number = sets.iter().position(|set| set.name == asked.set);
        let number = number.ok_or_else(|| failed(Diagnostic::fault("the data is not there")))?;
        if matches!(sets[number].source, Source::Text { .. }) {
            return Err(failed(AnswerError::Text { at: sets[number].span }.into()));
        }
        let has_parameters = !(program.checked().params.is_empty() && program.checked().states.is_empty());
        if wish.weights.is_none() && has_parameters {
            return Err(failed(AnswerError::Untrained.into()));
        }
        let mut fields = asked.fields.clone();
        if wish.with_targets
            && let Some(graph) =
                asked.train(program).and_then(|train| Some((train, train.evaluate.as_ref()?)))
        {
            fields = fields_of(program, graph.0, graph.1);
        }
        let kept = match wish.weights {
            Some(path) => Kept::of_file(&safetensors::open(&**program.world(), path).map_err(failed)?).map_err(failed)?,
            None => None,
        };
        let kept = match kept {
            Some(kept) => kept,
            None => learnt_again(program, &sets[number], wish.weights, observer)?,
        };
        let kept = Arc::new(kept);
        let mut set = narrowed(&sets[number], &fields, &kept).map_err(failed)?;
        if let Some(path) = wish.input {
            aim(&mut set, path).map_err(failed)?;
        }
        let mut checked = program.checked().clone();
        checked.data[number] = set.clone();
        let classes = Classes::default().with(&checked.data, &kept);
        let mut session = program.replaced(checked).session()?;
        if let Some(threads) = wish.threads {
            session.set_threads(threads);
        }
        if let Some(path) = wish.weights {
            session.load(path, "", observer)?;
        }
        for (from, to) in &asked.stand_ins {
            if let (Some(from), Some(to)) = (session.memory.find(from), session.memory.find(to)) {
                let value = session.memory.shared(from);
                session.memory.set(to, value);
            }
        }
        (session.kept, session.is_aimed) = (Some(Arc::clone(&kept)), true);
        let names = |field: &str| {
            let column = sets[number].columns.iter().find(|column| &*column.field == field && !column.training_only);
            let known = kept.classes(&sets[number].name, field).cloned();
            known.or_else(|| column.and_then(|column| column.names.as_deref().map(Arc::from)))
        };
        let mut predictor = Predictor::new(program, asked, &names, wish.batch);
        if wish.in_units_of_file {
            predictor.undo = Undo::of(&predictor, &sets[number], &kept);
        }
        if !wish.with_targets
            && predictor.undo.is_none()
            && let Some(warning) = predictor.meaning.is_transformed(&sets[number])
        {
            observer.event(&Event::Warning(&warning));
        }
        Ok(Trained { session, predictor, set, kept, classes })
    }

    /// Rows of a table that is read piece by piece; `name` is how messages call it, `names` are those of the columns
    /// if the text does not have them.
    ///
    /// # Errors
    /// E0775 if the data is no table, or has columns by number where only names are there; those of reading columns
    /// of other data.
    pub fn stream(
        &mut self,
        reader: Box<dyn Read>,
        name: String,
        names: Option<Vec<String>>,
    ) -> Result<Rows, Diagnostic> {
        if !matches!(self.set.source, Source::Csv { .. }) {
            return Err(NewRowsError::NoTable { at: self.set.span }.into());
        }
        let fields = NewFields::new(&mut self.session, &self.set, &self.kept)?;
        let precision = self.session.memory.precision;
        let requests = fields.requests(&self.classes, precision);
        let by_number = self.set.columns.iter().find(|column| matches!(column.select, Select::Columns { .. }));
        if let (Some(column), Some(_)) = (by_number, &names) {
            return Err(NewRowsError::ByNumber { name, at: column.span }.into());
        }
        // Lines of JSON have numbers of their own, and come with commas, however the table is written.
        let options = if names.is_some() { TableFormat::default() } else { fields.options() };
        let mut stream = Stream::new(reader, name.clone(), options, requests);
        if let Some(names) = names {
            stream = stream.with_names(names);
        }
        let is_open = stream.is_open();
        let of_texts = fields.columns.iter().filter(|column| column.text.is_some());
        let vocabularies = of_texts.filter_map(|column| Some((column.field.clone(), self.classes(&column.field)?)));
        let vocabularies = vocabularies.collect();
        Ok(Rows { name, stream, is_open, vocabularies, fields, first: 0 })
    }

    /// How fields are computed from the columns of a source.
    ///
    /// # Errors
    /// Those of reading columns of other data.
    pub fn fields(&mut self) -> Result<NewFields, Diagnostic> {
        NewFields::new(&mut self.session, &self.set, &self.kept)
    }

    /// The names of the classes of a field.
    pub fn classes(&self, field: &str) -> Option<Arc<[String]>> {
        self.kept.classes(&self.set.name, field).cloned()
    }

    /// All rows of the data set, read at once or kept in their file.
    ///
    /// # Errors
    /// Those of reading the data.
    pub fn table(&mut self) -> Result<Arc<Table>, Diagnostic> {
        let name = self.set.name.clone();
        self.session.table(&name)
    }

    /// Some rows of a table.
    ///
    /// # Errors
    /// Those of reading them.
    pub fn rows_of(&mut self, table: &Table, field: &str, rows: &[u32]) -> Result<Array, Diagnostic> {
        let session = &mut self.session;
        let sizes = session.row_sizes(std::iter::empty())?;
        let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
        let array = table.rows(field, rows, &sizes, &mut carry)?;
        array.ok_or_else(|| Diagnostic::fault(format!("there is no field `{field}`")))
    }

    /// How many rows of a table are read at once.
    pub fn block_of(&self, table: &Table) -> usize {
        let width = |field: &Arc<str>| {
            table.fields.get(field).map_or(1, |column| column.row_shape().iter().product::<usize>())
        };
        (BLOCK / self.predictor.asked.fields.iter().map(width).max().unwrap_or(1).max(1)).max(1)
    }
}

/// Rows of a table that is read piece by piece.
pub struct Rows {
    name: String,
    stream: Stream,
    /// Which columns are ints, whose classes have no names that are known.
    is_open: Vec<bool>,
    /// Of fields of texts.
    vocabularies: BTreeMap<Arc<str>, Arc<[String]>>,
    fields: NewFields,
    /// Rows that were given out.
    first: usize,
}

impl Rows {
    /// The rows that are there without waiting.
    ///
    /// # Errors
    /// Those of reading and computing them.
    pub fn next(
        &mut self,
        session: &mut Session,
        observer: &mut dyn Observer,
    ) -> Result<Option<Block>, Diagnostic> {
        const ROWS: usize = 256;
        let most = if self.fields.is_elementwise() { ROWS } else { 1 };
        let mut tell = |warning: Diagnostic| observer.event(&Event::Warning(&warning));
        let Some(block) = self.stream.next(most, &mut tell)? else { return Ok(None) };
        // Code is made for one row and for many, and carried out on rows that are repeated where there are fewer.
        let rows = if block.rows == 1 { 1 } else { most };
        let mut columns = Vec::new();
        for ((column, is_open), of) in block.columns.into_iter().zip(&self.is_open).zip(&self.fields.columns) {
            if let (Some(units), Some(texts)) = (of.text, &column.classes) {
                let vocabulary = self.vocabularies.get(&of.field).cloned().unwrap_or_default();
                let ids: Vec<i32> = column.array.to_f64().iter().map(|id| *id as i32).collect();
                let numbers = texts::numbered(units, &vocabulary, texts, &ids);
                let array = super::code::padded(&numbers, 0, rows);
                columns.push(array.ok_or_else(|| Diagnostic::fault("a block without rows"))?);
                continue;
            }
            if let (Some(names), true) = (&column.classes, is_open) {
                let name = names.first().cloned().unwrap_or_default();
                return Err(ClassError::NameForNumber { source: self.name.clone(), name }.into());
            }
            let array = super::code::padded(&column.array, 0, rows);
            columns.push(array.ok_or_else(|| Diagnostic::fault("a block without rows"))?);
        }
        let fields = self.fields.of(session, columns, rows, self.first)?;
        self.first += block.rows;
        Ok(Some(Block { rows: block.rows, fields, texts: block.fields }))
    }

    /// The names of the columns, once rows have been read.
    pub fn header(&self) -> Vec<String> {
        match self.stream.header() {
            Some(names) => names.to_vec(),
            None => (0..self.stream.n_columns()).map(|at| format!("column {at}")).collect(),
        }
    }
}

/// What the model has learnt from its data, computed again: its file has not kept it.
fn learnt_again(
    program: &Program,
    set: &DataSet,
    weights: Option<&Path>,
    observer: &mut dyn Observer,
) -> Result<Kept, Diagnostics> {
    let may_have_names = set.columns.iter().any(|column| {
        let is_table = matches!(column.select, Select::Columns { .. } | Select::Named(_) | Select::Labels);
        column.names.is_none() && column.row.elem == Elem::Int && is_table
    });
    if statistics(set, &set.graph).is_empty() && !may_have_names {
        return Ok(Kept::default());
    }
    let mut kept = Kept::default();
    let shown = weights.map(|path| path.display().to_string()).unwrap_or_default();
    let table = program
        .session()
        .and_then(|mut session| session.table(&set.name).map_err(|error| program.failed([error])));
    match table {
        Ok(table) => {
            kept.add(&set.name, &table);
            if weights.is_none() || kept.is_empty() {
                return Ok(kept);
            }
            let warning = LearntWarning::NotKept { file: shown, set: set.name.clone(), at: set.span };
            observer.event(&Event::Warning(&warning.diagnostic()));
            Ok(kept)
        }
        Err(mut errors) => {
            for error in &mut errors.list {
                if error.severity == Severity::Error {
                    let note = format!("`{shown}` has not kept what was learnt from `{}`", set.name);
                    *error = error.clone().note(note);
                }
            }
            Err(errors)
        }
    }
}

/// Aims a data set at a new file, every row of which is meant, in no part.
fn aim(set: &mut DataSet, path: &Path) -> Result<(), Diagnostic> {
    set.source = aimed(set, path)?;
    let mut division = std::mem::take(&mut set.division).graph;
    if let Some(windows) = &mut set.windows {
        windows.cross_parts = true;
        let series = ["series", "order"].map(OutputKey::named);
        division.outputs.retain(|output| series.contains(&output.name));
        set.division.graph = compact(&division);
    }
    let names = [input_names(&set.graph), input_names(&set.division.graph)].concat();
    set.columns.retain(|column| names.contains(&column.name));
    Ok(())
}

/// The source of a data set with a new file in place of its own.
fn aimed(set: &DataSet, input: &Path) -> Result<Source, Diagnostic> {
    let path = std::path::absolute(input).unwrap_or_else(|_| input.to_path_buf()).display().to_string();
    let ending = input.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let named = set.columns.iter().all(|column| matches!(column.select, Select::Tensor(_)));
    let wanted = match set.source {
        Source::Npz { .. } | Source::Safetensors { .. } | Source::Given { .. } => {
            Some(Kind::NamedArrays)
        }
        Source::Npy { .. } if ending != "npy" => Some(Kind::Array),
        _ => None,
    };
    let other = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "npy", "npz", "safetensors", "png", "jpg"];
    let is_named =
        matches!(set.source, Source::Npz { .. } | Source::Safetensors { .. } | Source::Given { .. });
    let is_fit = is_named && ["npz", "safetensors"].contains(&&*ending) || !other.contains(&&*ending);
    if let (Some(wanted), false) = (wanted, is_fit) {
        let file = input.display().to_string();
        return Err(NewRowsError::OtherKind { file, wanted, at: set.span }.into());
    }
    let source = match set.source.clone() {
        Source::Csv { format, span, .. } => Source::Csv { path, format, span },
        Source::Npz { span, .. } | Source::Safetensors { span, .. } if ending == "npz" => {
            Source::Npz { path, span }
        }
        Source::Npz { span, .. } | Source::Safetensors { span, .. } => Source::Safetensors { path, span },
        Source::Npy { span, .. } | Source::Idx { span, .. } if ending == "npy" && !named => {
            Source::Npy { path, span }
        }
        Source::Npy { span, .. } => Source::Npy { path, span },
        Source::Idx { span, .. } => Source::Idx { path, span },
        Source::Images { nested, span, .. } => Source::Images { path, nested, span },
        Source::Given { .. } => given::source_of(set, input),
        other @ (Source::None | Source::Text { .. }) => other,
    };
    Ok(source)
}

/// The path of a data set's file as messages show it.
pub fn shown(program: &Program, set: &DataSet) -> String {
    match set.source.file() {
        None => set.name.to_string(),
        Some((path, _)) => read::resolve(program.base(), path).display().to_string(),
    }
}
