//! A trained model as graphs and arrays, for whoever carries it out elsewhere: what `nnc export` writes down.

use std::sync::Arc;

use super::asked::{Asked, fields_of};
use super::meaning::Meaning;
use super::trained::{Trained, Wish};
use crate::base::{Diagnostic, Span};
use crate::compile::BuildError;
use crate::ir::program::{Action, BATCH, DataSet, Model, Precision, Source, SourceColumn, Train};
use crate::ir::ranges;
use crate::ir::{ColumnKey, Dim, DimError, Elem, Graph, InputKey, Output, Sizes, Type, columns_of};
use crate::loops::{Target, VerifiedModule};
use crate::plan::{Plan, PlanError};
use crate::runtime::array::Array;
use crate::runtime::data::load::Inputs;
use crate::runtime::events::Observer;
use crate::runtime::kept::Kept;
use crate::runtime::program::{Diagnostics, Program};
use crate::runtime::report::answers::{AnswerError, ExportError};
use crate::runtime::session::Session;
use crate::runtime::sources::safetensors;
use crate::runtime::train::{Values, values_of_file};

/// A trained model.
pub struct Deployed {
    pub program: Program,
    pub model: Arc<str>,
    /// Inputs are fields for some rows, outputs `0`, `1`, …
    pub graph: Graph,
    /// The symbol of the number of these rows.
    pub rows: Arc<str>,
    /// The sizes in it beside the batch.
    pub sizes: Sizes,
    /// What it reads, in order.
    pub fields: Vec<DeployedField>,
    /// How these are computed from the columns of a source; none if they are given as they are.
    pub preparation: Option<Preparation>,
    /// What its first result means, if a loss says it.
    pub meaning: Option<Meaning>,
    /// How what is predicted is called, and the names of its classes.
    pub target: Option<String>,
    pub names: Option<Arc<[String]>>,
    /// Parameters and states by path.
    pub variables: Vec<(Arc<str>, Arc<Array>)>,
    /// Columns of data that it reads as a whole.
    pub columns: Vec<(ColumnKey, Arc<Array>)>,
    /// The training whose loss calls it.
    pub training: Option<Training>,
}

/// A training of a model.
pub struct Training {
    /// Which of the program's actions it is.
    pub action: usize,
    pub seed: u64,
    pub batch: usize,
    /// A step: fields for `batch` rows, parameters and states become new ones.
    pub step: Graph,
    /// The sizes in it, those of the batch among them.
    pub sizes: Sizes,
    /// What a step reads of its batch, those of further data among them.
    pub fields: Vec<(InputKey, DeployedField)>,
    /// The states of the optimisers.
    pub states: Vec<(Arc<str>, Type)>,
    /// Starting values of parameters and states, and of the optimisers' states: outputs by path.
    pub starts: [Graph; 2],
    pub columns: Vec<(ColumnKey, Arc<Array>)>,
}

/// A field that a model reads.
#[derive(Clone)]
pub struct DeployedField {
    pub name: Arc<str>,
    /// The type of one row.
    pub row: Type,
    /// Ints lie in `0 .. below`.
    pub below: Option<i64>,
    /// The names of its classes.
    pub names: Option<Arc<[String]>>,
}

/// The graph of the fields of a data set, computed in 64 bits.
pub struct Preparation {
    /// Inputs are columns of `rows` rows, and what is known; outputs are the fields by name.
    pub graph: Graph,
    /// The symbol of the number of rows.
    pub rows: Arc<str>,
    pub sizes: Sizes,
    pub columns: Vec<SourceColumn>,
    /// What was learnt from the training's rows.
    pub known: Inputs,
}

impl Deployed {
    /// The model of this name, or the only one that the losses of the last `train` call. Its inputs are the columns
    /// of the data that it was trained on; where these are a text, or given by another program, or no loss calls
    /// the model, they are the fields that it reads.
    ///
    /// # Errors
    /// As [`Trained::new`]; E0850 if a size of the model is open.
    pub fn new(
        program: &Program,
        weights: Option<&std::path::Path>,
        model: Option<&str>,
        observer: &mut dyn Observer,
    ) -> Result<Deployed, Diagnostics> {
        let failed = |error: Diagnostic| program.failed([error]);
        let asked = match Asked::of(program, model) {
            Ok(asked) => asked,
            Err(error) => {
                let models = &program.checked().models;
                let mut named = models.iter().filter(|named| model.is_none_or(|model| *named.name == *model));
                return match (named.next(), named.next()) {
                    (Some(model), None) => of_model(program, model, None, weights, observer),
                    _ => Err(failed(error)),
                };
            }
        };
        let called = program.checked().models.iter().find(|named| named.name == asked.model);
        if let Some(model) = called.filter(|model| stands_alone(model, &asked)) {
            return of_model(program, model, Some(asked.action), weights, observer);
        }
        asked.check_step(program).map_err(failed)?;
        let set = program.checked().data.iter().find(|set| set.name == asked.set);
        let set = set.ok_or_else(|| failed(Diagnostic::fault("the data is not there")))?;
        if matches!(set.source, Source::Text { .. } | Source::Given { .. }) || set.windows.is_some() {
            return of_fields(program, asked, set, weights, observer);
        }
        let wish = Wish {
            weights,
            model,
            input: None,
            with_targets: false,
            in_units_of_file: false,
            batch: 1,
            threads: None,
        };
        let mut trained = Trained::new(program, &wish, observer)?;
        let asked = trained.predictor.asked.clone();
        let new = trained.fields().map_err(failed)?;
        let fields = asked.fields.iter().filter_map(|name| {
            let field = set.fields.iter().find(|field| field.name == *name)?;
            let below = field.bounds.iter().filter_map(|bound| bound.below.as_number()).min();
            Some(DeployedField { name: name.clone(), row: field.row.clone(), below, names: trained.classes(name) })
        });
        let fields: Vec<DeployedField> = fields.collect();
        let is_identity = new.graph.outputs.iter().all(|output| {
            let op = &new.graph[output.node].op;
            matches!(op, crate::ir::Op::Input { name: InputKey::Source(_), .. })
        });
        let mut sizes = Sizes::new();
        let rows: Arc<str> = format!("{}.rows", set.name).into();
        sizes.insert(rows.clone(), Dim::ONE);
        trained.session.add_row_sizes(&new.graph, &mut sizes).map_err(failed)?;
        let preparation = (!is_identity).then_some(Preparation {
            graph: new.graph,
            rows,
            sizes,
            columns: new.columns,
            known: new.known,
        });
        let predictor = &trained.predictor;
        let (meaning, target) = (Some(predictor.meaning.clone()), Some(predictor.target.clone()));
        let names = predictor.names.clone();
        let (graph, model, rows) = (asked.graph, asked.model, BATCH.into());
        let action = Some(asked.action);
        let parts = Parts { graph, rows, model, fields, preparation, meaning, target, names, action };
        parts.with(program, trained.session).map_err(failed)
    }

    /// The loops of the model for so many rows.
    ///
    /// # Errors
    /// If a size is open, or its tensors do not fit into memory.
    pub fn model_loops(&self, rows: usize, target: Target) -> Result<(Plan, VerifiedModule), Diagnostics> {
        self.loops(self.program.checked().precision, &self.graph, &self.sizes_for(rows), target)
    }

    /// The loops of a step of a training, and of the starting values of parameters and of the optimisers' states.
    ///
    /// # Errors
    /// As [`Deployed::model_loops`].
    pub fn training_loops(
        &self,
        training: &Training,
        target: Target,
    ) -> Result<[(Plan, VerifiedModule); 3], Diagnostics> {
        let precision = self.program.checked().precision;
        let start = |graph: &Graph| self.loops(precision, graph, &Sizes::new(), target);
        let step = self.loops(precision, &training.step, &training.sizes, target)?;
        Ok([start(&training.starts[0])?, start(&training.starts[1])?, step])
    }

    /// The parameters and states that a training takes from a file when it begins.
    ///
    /// # Errors
    /// If the file cannot be read, or its tensors do not fit.
    pub fn start_values(&self, training: &Training) -> Result<Values, Diagnostics> {
        let Some(Action::Train(train)) = self.program.checked().actions.get(training.action) else {
            return Ok(Values::new());
        };
        if train.init.is_none() {
            return Ok(Values::new());
        }
        let mut session = self.program.session()?;
        values_of_file(&mut session, train).map_err(|error| self.program.failed([error]))
    }

    fn open_size(&self, size: &str) -> ExportError {
        ExportError::OpenSize { size: Some(size.to_owned()), model: self.model.clone() }
    }

    /// The loops that compute the fields of one row.
    ///
    /// # Errors
    /// As [`Deployed::model_loops`].
    pub fn preparation_loops(
        &self,
        preparation: &Preparation,
        target: Target,
    ) -> Result<(Plan, VerifiedModule), Diagnostics> {
        let mut sizes = preparation.sizes.clone();
        sizes.insert(preparation.rows.clone(), Dim::ONE);
        self.loops(Precision::F64, &preparation.graph, &sizes, target)
    }

    fn loops(
        &self,
        precision: Precision,
        graph: &Graph,
        sizes: &Sizes,
        target: Target,
    ) -> Result<(Plan, VerifiedModule), Diagnostics> {
        let made = self.program.loops(precision, graph, sizes, target);
        made.map_err(|error| {
            let diagnostic = match &error {
                BuildError::Size(DimError::Unbound(name)) => self.open_size(name).into(),
                BuildError::Plan(PlanError::Open(name)) => self.open_size(name).into(),
                other => self.program.build_failed(other, Span::NONE),
            };
            self.program.failed([diagnostic])
        })
    }

    /// The sizes for so many rows, with what is known of ints.
    pub fn sizes_for(&self, rows: usize) -> Sizes {
        let mut sizes = self.sizes.clone();
        sizes.insert(self.rows.clone(), Dim::from(rows));
        for field in &self.fields {
            let key = InputKey::Field(field.name.clone());
            if let (Some(below), Elem::Int) = (field.below, field.row.elem) {
                ranges::note_input(&mut sizes, &key, ranges::Range { least: 0, greatest: below - 1 });
            }
        }
        for (key, array) in &self.columns {
            if let Some(range) = array.int_range() {
                ranges::note_all_of_input(&mut sizes, &InputKey::Column(key.clone()), range);
            }
        }
        sizes
    }
}

/// What is known before parameters are taken from a session.
struct Parts {
    graph: Graph,
    rows: Arc<str>,
    model: Arc<str>,
    fields: Vec<DeployedField>,
    preparation: Option<Preparation>,
    meaning: Option<Meaning>,
    target: Option<String>,
    names: Option<Arc<[String]>>,
    /// The number of the `train`.
    action: Option<usize>,
}

impl Parts {
    fn with(self, program: &Program, mut session: Session) -> Result<Deployed, Diagnostic> {
        let Parts { graph, rows, model, fields, preparation, meaning, target, names, action } = self;
        let mut sizes = Sizes::new();
        session.add_row_sizes(&graph, &mut sizes)?;
        let mut columns = Vec::new();
        for key in columns_of(&graph) {
            if let Some(column) = session.column(&key, &sizes)? {
                columns.push((key, column));
            }
        }
        let variables = session.parameters().map(Arc::from).collect::<Vec<Arc<str>>>();
        let variables = variables.into_iter().filter_map(|path| {
            let cell = session.memory.find(&path)?;
            Some((path, session.memory.shared(cell)))
        });
        let variables = variables.collect();
        let of_action = |action: usize| match program.checked().actions.get(action) {
            Some(Action::Train(train)) => Some((action, train)),
            _ => None,
        };
        let training = match action.and_then(of_action) {
            Some((action, train)) => Some(training_of(program, (action, train), &mut session)?),
            None => None,
        };
        let program = program.clone();
        Ok(Deployed {
            program,
            model,
            graph,
            rows,
            sizes,
            fields,
            preparation,
            meaning,
            target,
            names,
            variables,
            columns,
            training,
        })
    }
}

/// What a training is made of.
fn training_of(
    program: &Program,
    (action, train): (usize, &Train),
    session: &mut Session,
) -> Result<Training, Diagnostic> {
    let mut sizes = Sizes::new();
    sizes.insert(BATCH.into(), Dim::from(train.batch));
    let step = train.step.graph.clone();
    session.add_row_sizes(&step, &mut sizes)?;
    let mut columns = Vec::new();
    for key in columns_of(&step) {
        if let Some(column) = session.column(&key, &sizes)? {
            if let Some(range) = column.int_range() {
                ranges::note_all_of_input(&mut sizes, &InputKey::Column(key.clone()), range);
            }
            columns.push((key, column));
        }
    }
    let fields = batch_fields(program, train, &step);
    for (key, field) in &fields {
        if let (Some(below), Elem::Int) = (field.below, field.row.elem) {
            ranges::note_input(&mut sizes, key, ranges::Range { least: 0, greatest: below - 1 });
        }
    }
    let states = train.step.states.iter().map(|state| (state.path.clone(), state.ty.clone())).collect();
    let starts = [program.checked().init.clone(), train.step.init.clone()];
    let (seed, batch) = (train.seed, train.batch);
    Ok(Training { action, seed, batch, step, sizes, fields, states, starts, columns })
}

/// The fields that a step reads of the training's own data, and of what it draws beside it, which are called as in the
/// program: `u.x`.
fn batch_fields(program: &Program, train: &Train, step: &Graph) -> Vec<(InputKey, DeployedField)> {
    let field_of = |set: &str, name: &str, called: Arc<str>| {
        let set = program.checked().data.iter().find(|known| *known.name == *set)?;
        let field = set.fields.iter().find(|field| *field.name == *name)?;
        let below = field.bounds.iter().filter_map(|bound| bound.below.as_number()).min();
        Some(DeployedField { name: called, row: field.row.clone(), below, names: None })
    };
    let of_own = fields_of(program, train, step).into_iter().filter_map(|name| {
        let field = field_of(&train.data.set, &name, name.clone())?;
        Some((InputKey::Field(name), field))
    });
    let of_others = train.companions.iter().flat_map(|companion| {
        companion.fields.iter().filter_map(move |name| {
            let field = field_of(&companion.data.set, name, format!("{}.{name}", companion.name).into())?;
            Some((InputKey::Companion(companion.name.clone(), name.clone()), field))
        })
    });
    of_own.chain(of_others).collect()
}

/// A model in a loss, whose inputs are the fields as they are.
fn of_fields(
    program: &Program,
    asked: Asked,
    set: &DataSet,
    weights: Option<&std::path::Path>,
    observer: &mut dyn Observer,
) -> Result<Deployed, Diagnostics> {
    let failed = |error: Diagnostic| program.failed([error]);
    let session = session(program, weights, observer)?;
    let kept = match weights {
        Some(path) => {
            let file = safetensors::open(&**program.world(), path).map_err(failed)?;
            Kept::of_file(&file).map_err(failed)?.unwrap_or_default()
        }
        None => Kept::default(),
    };
    let fields = asked.fields.iter().filter_map(|name| {
        let field = set.fields.iter().find(|field| field.name == *name)?;
        let below = field.bounds.iter().filter_map(|bound| bound.below.as_number()).min();
        let characters = kept.vocabulary(&set.name).filter(|_| field.row.elem == Elem::Int);
        let characters = characters.map(|all| all.iter().map(char::to_string).collect::<Vec<String>>());
        let names = kept.classes(&set.name, name).cloned().or(characters.map(Arc::from));
        Some(DeployedField { name: name.clone(), row: field.row.clone(), below, names })
    });
    let fields = fields.collect();
    let meaning = Meaning::of(program, &asked);
    let target = meaning.target.as_deref().map(str::to_owned);
    let names = meaning.target.as_ref().and_then(|target| kept.classes(&set.name, target).cloned());
    let (graph, model, meaning, rows) = (asked.graph, asked.model, Some(meaning), BATCH.into());
    let action = Some(asked.action);
    Parts { graph, rows, model, fields, preparation: None, meaning, target, names, action }.with(program, session).map_err(failed)
}

/// Whether what the loss gives the model says nothing of a row of the data: it is drawn at random, as what a generator
/// makes pictures of, or the model's rows are others than the data's, as the steps of all episodes of a batch.
fn stands_alone(model: &Model, asked: &Asked) -> bool {
    let Some(forward) = &model.forward else { return false };
    let has_other_rows = |output: &Output| {
        let Some(first) = asked.graph.shape(output.node).first() else { return false };
        let mut symbols = Vec::new();
        first.symbols(&mut symbols);
        first.as_symbol().is_none() && symbols.iter().any(|symbol| &**symbol == BATCH)
    };
    let has_rows = model.inputs.iter().all(|(_, ty)| ty.shape.first().and_then(Dim::as_symbol).is_some());
    let is_drawn = asked.graph.draws_numbers() && !forward.draws_numbers();
    has_rows && (is_drawn || asked.graph.outputs.iter().any(has_other_rows))
}

/// A model by itself, which a training may learn.
fn of_model(
    program: &Program,
    model: &Model,
    action: Option<usize>,
    weights: Option<&std::path::Path>,
    observer: &mut dyn Observer,
) -> Result<Deployed, Diagnostics> {
    let failed = |error: Diagnostic| program.failed([error]);
    let Some(graph) = &model.forward else {
        return Err(failed(ExportError::OpenSize { size: None, model: model.name.clone() }.into()));
    };
    let mut fields = Vec::new();
    let mut rows: Option<Arc<str>> = None;
    for (name, ty) in &model.inputs {
        let first = ty.shape.first().and_then(Dim::as_symbol);
        let first = first.filter(|size| rows.as_ref().is_none_or(|rows| rows == *size));
        rows = first.cloned().or(rows);
        if first.is_none() {
            let (input, model, ty) = (name.clone(), model.name.clone(), ty.clone());
            return Err(failed(ExportError::NoRows { input, model, ty }.into()));
        }
        let row = Type::new(ty.elem, ty.shape[1..].to_vec());
        let bounds = model.bounds.iter().filter(|(input, _)| input == name);
        let below = bounds.filter_map(|(_, bound)| bound.below.as_number()).min();
        fields.push(DeployedField { name: name.clone(), row, below, names: None });
    }
    let session = session(program, weights, observer)?;
    let (graph, model) = (graph.clone(), model.name.clone());
    let rows = rows.unwrap_or_else(|| BATCH.into());
    let parts =
        Parts { graph, rows, model, fields, preparation: None, meaning: None, target: None, names: None, action };
    parts.with(program, session).map_err(failed)
}

fn session(
    program: &Program,
    weights: Option<&std::path::Path>,
    observer: &mut dyn Observer,
) -> Result<Session, Diagnostics> {
    let checked = program.checked();
    if weights.is_none() && !(checked.params.is_empty() && checked.states.is_empty()) {
        return Err(program.failed([AnswerError::Untrained.into()]));
    }
    let mut session = program.session()?;
    if let Some(path) = weights {
        session.load(path, "", observer)?;
    }
    Ok(session)
}
