//! What of a program is predicted: the results of a model where a loss calls it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::Diagnostic;
use crate::ir::program::{Action, Answer, Train};
use crate::ir::{Graph, InputKey, Op, Output, OutputKey, compact};
use crate::runtime::program::Program;
use crate::runtime::report::answers::{AnswerError, ExportError};
use crate::syntax::ast;

/// Paths of two parameters each.
pub type Pairs = Vec<(Arc<str>, Arc<str>)>;

/// A model's results in the losses of a `train`.
#[derive(Clone)]
pub struct Asked {
    pub model: Arc<str>,
    /// The data set that the training learns from.
    pub set: Arc<str>,
    /// Outputs `0`, `1`, …; inputs are fields of the data for `batch` rows.
    pub graph: Graph,
    /// The fields that it reads, in the order of the data's fields.
    pub fields: Vec<Arc<str>>,
    /// The number of the action, and of the `minimize` line.
    pub action: usize,
    pub line: u32,
    pub answer: Answer,
    /// Parameters that take the place of others: those of a running mean in place of the model that it is one of.
    pub stand_ins: Pairs,
}

impl Asked {
    /// The results of the model of this name; without a name, of the only one that the losses of the last `train`
    /// call.
    ///
    /// # Errors
    /// E0770 if the program trains nothing, E0771 if there is no such model or it is not clear which is meant.
    pub fn of(program: &Program, model: Option<&str>) -> Result<Asked, Diagnostic> {
        if let Some((original, stand_ins)) = model.and_then(|model| original_of(program, model)) {
            return Ok(Asked { stand_ins, ..Asked::of(program, Some(&original))? });
        }
        let mut last = None;
        for (number, action) in program.checked().actions.iter().enumerate() {
            let Action::Train(train) = action else { continue };
            let is_wanted = |answer: &&Answer| model.is_none_or(|model| &*answer.model == model);
            if train.answers.iter().any(|answer| is_wanted(&answer)) {
                last = Some((number, train));
            }
        }
        let Some((action, train)) = last else { return Err(none(program, model).into()) };
        let graph = train.evaluate.as_ref().ok_or_else(|| none(program, model))?;
        let names: BTreeSet<&Arc<str>> = train.answers.iter().map(|answer| &answer.model).collect();
        if model.is_none() && names.len() > 1 {
            let models = names.into_iter().cloned().collect();
            return Err(AnswerError::Models { models, at: train.span }.into());
        }
        // What a model makes of further data is no answer about a row of the training's own.
        let is_wanted = |answer: &&Answer| {
            model.is_none_or(|model| &*answer.model == model) && !reads_companions(graph, answer)
        };
        let mut of_model = train.answers.iter().filter(is_wanted);
        let answer = of_model.next().ok_or_else(|| none(program, model))?.clone();
        if let Some(other) =
            of_model.find(|other| other.results != answer.results && other.line == answer.line)
        {
            return Err(AnswerError::Calls { model: other.model.clone(), at: train.span }.into());
        }
        let mut graph = graph.clone();
        let outputs = answer.results.iter().enumerate();
        graph.outputs = outputs
            .map(|(at, node)| Output { name: OutputKey::named(at.to_string()), node: *node })
            .collect();
        let graph = compact(&graph);
        let fields = fields_of(program, train, &graph);
        let (model, line) = (answer.model.clone(), answer.line);
        Ok(Asked { model, set: train.data.set.clone(), graph, fields, action, line, answer, stand_ins: Vec::new() })
    }

    /// That the results are those of a row: what goes by the step of the training says nothing behind it.
    ///
    /// # Errors
    /// E0768 if the loss gives the model something that depends on the step.
    pub fn check_step(&self, program: &Program) -> Result<(), Diagnostic> {
        let is_step = |op: &Op| matches!(op, Op::Input { name: InputKey::Step, .. });
        if !self.graph.nodes().any(|(_, node)| is_step(&node.op)) {
            return Ok(());
        }
        let (model, at) = (self.model.clone(), self.train(program).map(|train| train.span));
        Err(ExportError::Step { model, at }.into())
    }

    /// The `train` that the model is taken from.
    pub fn train<'p>(&self, program: &'p Program) -> Option<&'p Train> {
        match program.checked().actions.get(self.action) {
            Some(Action::Train(train)) => Some(train),
            _ => None,
        }
    }
}

/// The model that a loss calls and whose parameters are called and shaped as those of another, which a training computes
/// of others: `Average <- 0.99 * Average + 0.01 * Net`. With the paths of both, of the mean's first.
fn original_of(program: &Program, model: &str) -> Option<(Arc<str>, Pairs)> {
    let parameters = &program.checked().params;
    let below = |model: &str| {
        let paths = parameters.iter().filter_map(|parameter| {
            Some((parameter.path.strip_prefix(model)?.strip_prefix('.')?.to_owned(), &parameter.path, &parameter.ty))
        });
        paths.collect::<Vec<_>>()
    };
    let of_mean = below(model);
    let trains = program.checked().actions.iter().rev().filter_map(|action| match action {
        Action::Train(train) => Some(train),
        _ => None,
    });
    trains.into_iter().find_map(|train| {
        let is_called = train.answers.iter().any(|answer| &*answer.model == model);
        let is_computed = of_mean.iter().any(|(_, path, _)| train.step.assigned.contains(path));
        if is_called || !is_computed {
            return None;
        }
        let names: BTreeSet<&Arc<str>> = train.answers.iter().map(|answer| &answer.model).collect();
        let mut alike = names.into_iter().filter_map(|name| {
            let others = below(name);
            let fits = others.iter().map(|(name, _, ty)| (name, ty)).eq(of_mean.iter().map(|(name, _, ty)| (name, ty)));
            let pairs = of_mean.iter().zip(&others).map(|(mean, other)| (mean.1.clone(), other.1.clone()));
            fits.then(|| (name.clone(), pairs.collect()))
        });
        alike.next().filter(|_| alike.next().is_none())
    })
}

/// Whether the results of a call depend on data that the training draws from beside its own.
fn reads_companions(graph: &Graph, answer: &Answer) -> bool {
    let needed = graph.reachable(answer.results.iter().copied());
    graph.nodes().any(|(id, node)| {
        needed[id.0 as usize] && matches!(&node.op, Op::Input { name: InputKey::Companion(..), .. })
    })
}

/// The fields of the training data that a graph reads.
pub fn fields_of(program: &Program, train: &Train, graph: &Graph) -> Vec<Arc<str>> {
    let set = program.checked().data.iter().find(|set| set.name == train.data.set);
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let reads = |field: &Arc<str>| {
        graph.nodes().any(|(id, node)| {
            needed[id.0 as usize]
                && matches!(&node.op, Op::Input { name: InputKey::Field(name), .. } if name == field)
        })
    };
    let fields = set.into_iter().flat_map(|set| &set.fields).map(|field| field.name.clone());
    fields.filter(reads).collect()
}

/// Says in each `train` without `validate` that it validates on its own data: so its losses are known in evaluation
/// mode. Nothing is trained.
pub fn validate_somewhere(file: &mut ast::File) {
    file.change_items(&mut |kind| {
        let ast::ItemKind::Train(train) = kind else { return };
        let find = |name: &str| train.settings.iter().find(|setting| setting.name.as_str() == name);
        if let (Some(data), None) = (find("data"), find("validate")) {
            let mut validate = data.clone();
            validate.name.text = "validate".into();
            train.settings.push(validate);
        }
    });
}

fn none(program: &Program, model: Option<&str>) -> AnswerError {
    let trainings = program.checked().trainings().flat_map(|train| &train.answers);
    let called: BTreeSet<Arc<str>> = trainings.map(|answer| answer.model.clone()).collect();
    match model.filter(|_| !called.is_empty()) {
        None => AnswerError::NoModel,
        Some(model) => {
            AnswerError::NotCalled { model: model.to_owned(), called: called.into_iter().collect() }
        }
    }
}
