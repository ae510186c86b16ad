//! A program as a stage of the compiler sees it, as text.

use super::function::BuildError;
use super::pipeline::{self, Artifact, Build, Front, PassId, Whole};
use super::symbols::symbols;
use super::{Loader, Stage, Timings};
use crate::backend::{self, Backend, CodeError, Form};
use crate::base::{Diagnostic, FileId, SourceMap, Span};
use crate::ir::program::{Action, BATCH, DataRef, Forward, Precision, Program, Shown, Train};
use crate::ir::ranges::{self, Range};
use crate::ir::{Dim, Graph, InputKey, OutputKey, Sizes, compact};
use crate::loops::Target;
use crate::opt::{Applied, Purpose};
use crate::syntax::{self, ast};
use std::collections::BTreeMap;

/// How many rows a data set is taken to have where only its file would say it.
const ROWS: i64 = 8;
/// Where the program needs more, as it does for a slice of 34 rows: up to so many.
const MOST_ROWS: i64 = 1 << 20;

/// A graph of a program with what it is called.
pub struct Part<'a> {
    pub title: String,
    pub graph: &'a Graph,
    pub span: Span,
    /// The batch size of its `train`.
    pub batch: usize,
}

/// Prints a program at a stage: every `train`, `print`, `expect`, `plot` and `generate`; if it has none, its models.
/// From [`Stage::Opt`] on, for the batch size of the `train`; data sets whose files would have to be opened
/// count as having 8 rows.
///
/// # Errors
/// All errors of the program.
pub fn show(
    sources: &mut SourceMap,
    file: FileId,
    loader: &mut dyn Loader,
    stage: Stage,
) -> Result<String, Vec<Diagnostic>> {
    show_with(sources, file, loader, stage, &Applied::new(Purpose::Run))
}

/// The same with the laws that are allowed, which are counted.
///
/// # Errors
/// All errors of the program.
pub fn show_with(
    sources: &mut SourceMap,
    file: FileId,
    loader: &mut dyn Loader,
    stage: Stage,
    laws: &Applied,
) -> Result<String, Vec<Diagnostic>> {
    let timings = Timings::default();
    let adjust = &mut |_: &mut SourceMap, _: &mut ast::File| Vec::new();
    let mut front = Front { sources, loader, adjust, diagnostics: Vec::new() };
    let whole = pipeline::program(Whole::Text(file), pipeline::shown_at(stage), &mut front, &timings);
    if front.has_errors() {
        return Err(front.diagnostics);
    }
    match &whole {
        Whole::Text(_) => Ok(String::new()),
        Whole::Tree(tree) => Ok(syntax::print::print(tree)),
        Whole::Forward(program) => listed(&forward_parts(program), |part| Ok(forward_text(part.graph))),
        Whole::Steps(program) => {
            listed(&parts(program), |part| shown(part, &sizes(part, program), program.precision, stage, laws))
        }
    }
}

/// The parts of a program one after another.
fn listed(
    parts: &[Part<'_>],
    mut text_of: impl FnMut(&Part<'_>) -> Result<String, BuildError>,
) -> Result<String, Vec<Diagnostic>> {
    let mut text = String::new();
    for part in parts {
        let shown = text_of(part).map_err(|error| vec![error.diagnostic().at(part.span, "")])?;
        if parts.len() > 1 {
            text.push_str(&format!("# {}\n", part.title));
        }
        text.push_str(shown.trim_end());
        text.push_str("\n\n");
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// The graphs that are compiled: of every action; if there are none, of the models.
pub fn parts(program: &Program) -> Vec<Part<'_>> {
    parts_with(program, |train| vec![("train".to_owned(), &train.step.graph)])
}

/// The same before losses are differentiated: two graphs for each `minimize` line, its loss with the metrics, and what
/// its optimiser makes of a parameter, the gradient and its states.
fn forward_parts(program: &Program<Forward>) -> Vec<Part<'_>> {
    parts_with(program, |train| {
        let title = |what: &str, number: usize| match train.lines.len() {
            1 => what.to_owned(),
            _ => format!("{what}, line {}", number + 1),
        };
        let lines = train.lines.iter().enumerate();
        lines.flat_map(|(at, line)| [(title("train", at), &line.forward), (title("update", at), &line.update)]).collect()
    })
}

/// `of_train` gives the graphs of a training, with their titles.
fn parts_with<S>(
    program: &Program<S>,
    of_train: impl Fn(&Train<S>) -> Vec<(String, &Graph)>,
) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for action in &program.actions {
        let (kind, graph, span) = match action {
            Action::Train(train) => {
                let validated = train.evaluate.iter().map(|graph| ("validate".to_owned(), graph));
                let graphs = of_train(train).into_iter().chain(validated);
                let (span, batch) = (train.span, train.batch);
                parts.extend(graphs.map(|(title, graph)| Part { title, graph, span, batch }));
                for shown in train.intervals.iter().flat_map(|interval| &interval.shown) {
                    let (kind, graph, span) = match shown {
                        Shown::Print(item) => ("print at intervals", &item.graph, item.span),
                        Shown::Expect(item) => ("expect at intervals", &item.graph, item.span),
                        Shown::Plot(item) => ("plot at intervals", &item.graph, item.span),
                        Shown::Generate(item) => ("generate at intervals", &item.graph, item.span),
                    };
                    parts.push(Part { title: kind.to_owned(), graph, span, batch: 1 });
                }
                continue;
            }
            Action::Print(item) => ("print", &item.graph, item.span),
            Action::Expect(item) => ("expect", &item.graph, item.span),
            Action::Plot(item) => ("plot", &item.graph, item.span),
            Action::Generate(item) => ("generate", &item.graph, item.span),
        };
        parts.push(Part { title: kind.to_owned(), graph, span, batch: 1 });
    }
    if parts.is_empty() {
        for model in &program.models {
            let Some(graph) = &model.forward else { continue };
            let title = format!("model {}", model.name);
            parts.push(Part { title, graph, span: Span::NONE, batch: 1 });
        }
    }
    parts
}

/// A graph as the pass of a stage leaves it.
fn shown(
    part: &Part<'_>,
    sizes: &Sizes,
    precision: Precision,
    stage: Stage,
    laws: &Applied,
) -> Result<String, BuildError> {
    let timings = Timings::default();
    let mut build = Build::new(sizes, precision.into(), laws, &timings);
    build.invented_sizes = true;
    let code = code_shown(stage);
    match code {
        Some((name, _)) => build.mode.backend = Some(backend_called(name)?),
        // Loops do not depend on the computer where they are shown.
        None => build.target = Some(Target::PLAIN),
    }
    // Code is shown by its back end, also where it cannot run.
    let last = pipeline::shown_at(stage).min(PassId::Loops);
    let artifact = Artifact::Graph(part.graph.clone());
    match (&pipeline::graph(artifact, PassId::Stabilise..=last, &build)?, code) {
        (Artifact::Graph(graph), _) => Ok(graph.to_string()),
        (Artifact::Plan(_, plan), _) => Ok(plan.to_string()),
        (Artifact::Loops(_, module), Some((_, form))) => {
            build.mode.backend().text(module, form).map_err(BuildError::Code)
        }
        (Artifact::Loops(_, module), None) => Ok(module.to_string()),
        (Artifact::Code(..), _) => Ok(String::new()),
    }
}

/// The back end whose code a stage shows, and how.
fn code_shown(stage: Stage) -> Option<(&'static str, Form)> {
    match stage {
        Stage::Avx512 => Some(("avx512", Form::Assembly)),
        Stage::Avx2 => Some(("avx2", Form::Assembly)),
        Stage::Asm => Some(("cranelift", Form::Assembly)),
        Stage::Clif => Some(("cranelift", Form::Intermediate)),
        Stage::Ast | Stage::Ir | Stage::Grad | Stage::Opt | Stage::Plan | Stage::Loops => None,
    }
}

fn backend_called(name: &str) -> Result<&'static dyn Backend, BuildError> {
    backend::find(name).ok_or_else(|| {
        BuildError::Code(CodeError::unsupported(format!("this nnc was built without the back end `{name}`")))
    })
}

/// The part of a line that the loss and the metrics need; all of a graph without any.
fn forward_text(graph: &Graph) -> String {
    let mut forward = graph.clone();
    let is_forward =
        |key: &OutputKey| matches!(key, OutputKey::Loss(_) | OutputKey::Metric(_) | OutputKey::Whole(..));
    if graph.outputs.iter().any(|output| is_forward(&output.name)) {
        forward.outputs.retain(|output| is_forward(&output.name));
    }
    compact(&forward).to_string()
}

/// Numbers for the free dimensions of a part: the first number of rows that the program's conditions allow.
pub fn sizes<S>(part: &Part<'_>, program: &Program<S>) -> Sizes {
    let is_allowed = |sizes: &Sizes| !program.requirements.iter().any(|requirement| requirement.is_broken_by(sizes));
    let doubled = std::iter::successors(Some(ROWS), |rows| (*rows < MOST_ROWS).then_some(2 * rows));
    let mut tried = doubled.map(|rows| sizes_for(part, program, rows));
    tried.find(is_allowed).unwrap_or_else(|| sizes_for(part, program, ROWS))
}

/// The same, where data has as many rows unless its text says how many.
fn sizes_for<S>(part: &Part<'_>, program: &Program<S>, rows_of_files: i64) -> Sizes {
    let mut sizes = Sizes::from([(BATCH.into(), Dim::from(part.batch))]);
    for data in &program.data {
        let rows = data.rows.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(rows_of_files);
        sizes.insert(DataRef::rows_of(&data.name, None), Dim::number(rows));
        let mut left = rows;
        for (at, part) in data.parts.iter().enumerate() {
            let share = (part.share * rows as f64 + 1e-6).floor() as i64;
            let share = if at + 1 == data.parts.len() { left } else { share.min(left) };
            left -= share;
            sizes.insert(DataRef::rows_of(&data.name, Some(&part.name)), Dim::number(share));
        }
    }
    let bounds = program.data.iter().flat_map(|data| &data.fields).map(|field| (&field.name, &field.bounds));
    let bounds = bounds.flat_map(|(name, bounds)| bounds.iter().map(move |bound| (name, bound)));
    let given = program.models.iter().flat_map(|model| &model.bounds).map(|(name, bound)| (name, bound));
    // Fields of several data sets may have one name: the code that is shown takes the ints of each.
    let mut below = BTreeMap::<_, i64>::new();
    for (name, bound) in bounds.chain(given) {
        if let Ok(number) = bound.below.evaluate(&sizes) {
            let most = below.entry(name).or_default();
            *most = number.max(*most);
        }
    }
    for (name, below) in below {
        let range = Range { least: 0, greatest: below - 1 };
        ranges::note_all_of_input(&mut sizes, &InputKey::Field(name.clone()), range);
    }
    for symbol in symbols(part.graph) {
        sizes.entry(symbol).or_insert(Dim::number(rows_of_files));
    }
    sizes
}
