//! A program as a stage of the compiler sees it, as text.

use super::function::{BuildError, Mode, lowered};
use super::symbols::symbols;
use super::{Loader, Stage, Timings, check};
use crate::backend::{self, CodeError, Form};
use crate::base::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use crate::ir::program::{Action, BATCH, Precision, Program};
use crate::ir::ranges::{self, Range};
use crate::ir::{Dim, Graph, InputKey, OutputKey, Sizes, specialise};
use crate::loops::{self, Target};
use crate::opt::{Applied, Purpose, optimise_for, stabilised};
use crate::plan::{self, plan_for};
use crate::syntax;

/// How many rows a data set is taken to have where only its file would say it.
const ROWS: i64 = 8;

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
) -> Result<String, Diagnostics> {
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
) -> Result<String, Diagnostics> {
    if stage == Stage::Ast {
        let text = sources.file(file).text.clone();
        let (tree, errors) = syntax::parse(file, &text);
        return if errors.is_empty() { Ok(syntax::print::print(&tree)) } else { Err(errors) };
    }
    let timings = Timings::default();
    let (program, diagnostics) = check(sources, file, loader, &mut |_, _| Diagnostics::new(), &timings);
    let Some(program) = program else { return Err(diagnostics) };
    let mut text = String::new();
    let parts = parts(&program);
    for part in &parts {
        let shown = part_text(part, &program, stage, laws).map_err(|error| {
            vec![Diagnostic::error("E0726", format!("no code for these sizes: {error}")).at(part.span, "")]
        })?;
        if parts.len() > 1 {
            text.push_str(&format!("# {}\n", part.title));
        }
        text.push_str(shown.trim_end());
        text.push_str("\n\n");
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// The graphs that are shown: of every action; if there are none, of the models.
pub fn parts(program: &Program) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for action in &program.actions {
        let (kind, graph, span, batch) = match action {
            Action::Train(train) => ("train", &train.step, train.span, train.batch),
            Action::Print(item) => ("print", &item.graph, item.span, 1),
            Action::Expect(item) => ("expect", &item.graph, item.span, 1),
            Action::Plot(item) => ("plot", &item.graph, item.span, 1),
            Action::Generate(item) => ("generate", &item.graph, item.span, 1),
        };
        parts.push(Part { title: kind.to_owned(), graph, span, batch });
        if let Action::Train(train) = action
            && let Some(graph) = &train.evaluate
        {
            parts.push(Part { title: "validate".into(), graph, span, batch });
        }
    }
    if parts.is_empty() {
        for model in &program.models {
            let Some(graph) = &model.forward else { continue };
            parts.push(Part {
                title: format!("model {}", model.name),
                graph,
                span: Span::default(),
                batch: 1,
            });
        }
    }
    parts
}

fn part_text(part: &Part<'_>, program: &Program, stage: Stage, laws: &Applied) -> Result<String, BuildError> {
    match stage {
        Stage::Ast => return Ok(String::new()),
        Stage::Ir => return Ok(forward(part.graph).to_string()),
        Stage::Grad => return Ok(part.graph.to_string()),
        Stage::Opt | Stage::Plan | Stage::Loops => {}
        Stage::Clif | Stage::Asm | Stage::Avx2 | Stage::Avx512 => {}
    }
    let sizes = sizes(part, program);
    let graph = specialise(&stabilised(part.graph), &sizes).map_err(BuildError::Size)?;
    let graph = optimise_for(&graph, laws);
    if stage == Stage::Opt {
        return Ok(graph.to_string());
    }
    let precision: Precision = program.precision;
    let plan = plan_for(&graph, plan::Options { precision }, &sizes).map_err(BuildError::Plan)?;
    if stage == Stage::Plan {
        return Ok(plan.to_string());
    }
    let (name, form) = match stage {
        Stage::Avx512 => ("avx512", Form::Assembly),
        Stage::Avx2 => ("avx2", Form::Assembly),
        Stage::Asm => ("cranelift", Form::Assembly),
        Stage::Clif => ("cranelift", Form::Intermediate),
        Stage::Loops => return Ok(loops::lower(&plan, loops::Options::of(Target::PLAIN))?.to_string()),
        Stage::Ast | Stage::Ir | Stage::Grad | Stage::Opt | Stage::Plan => return Ok(String::new()),
    };
    let backend = backend::find(name).ok_or_else(|| {
        BuildError::Code(CodeError::unsupported(format!("this nnc was built without the back end `{name}`")))
    })?;
    let mode = Mode { precision, backend: Some(backend), ..Mode::default() };
    backend.text(&lowered(&plan, mode)?, form).map_err(BuildError::Code)
}

/// The part of a step that the losses and metrics need; all of a graph without any.
fn forward(graph: &Graph) -> Graph {
    let mut forward = graph.clone();
    let is_forward =
        |key: &OutputKey| matches!(key, OutputKey::Loss(_) | OutputKey::Metric(_) | OutputKey::Whole(..));
    if graph.outputs.iter().any(|output| is_forward(&output.name)) {
        forward.outputs.retain(|output| is_forward(&output.name));
    }
    crate::ir::compact(&forward)
}

/// Numbers for the free dimensions of a part.
pub fn sizes(part: &Part<'_>, program: &Program) -> Sizes {
    let mut sizes = Sizes::from([(BATCH.into(), Dim::from(part.batch))]);
    for data in &program.data {
        let rows = data.rows.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(ROWS);
        sizes.insert(format!("{}.rows", data.name).into(), Dim::number(rows));
        let mut left = rows;
        for (at, part) in data.parts.iter().enumerate() {
            let share = (part.share * rows as f64 + 1e-6).floor() as i64;
            let share = if at + 1 == data.parts.len() { left } else { share.min(left) };
            left -= share;
            sizes.insert(format!("{}.{}.rows", data.name, part.name).into(), Dim::number(share));
        }
    }
    let bounds = program.data.iter().flat_map(|data| &data.fields).map(|field| (&field.name, &field.bounds));
    let bounds = bounds.flat_map(|(name, bounds)| bounds.iter().map(move |bound| (name, bound)));
    let given = program.models.iter().flat_map(|model| &model.bounds).map(|(name, bound)| (name, bound));
    for (name, bound) in bounds.chain(given) {
        if let Ok(below) = bound.below.evaluate(&sizes) {
            ranges::note_input(
                &mut sizes,
                &InputKey::Field(name.clone()),
                Range { least: 0, greatest: below - 1 },
            );
        }
    }
    for symbol in symbols(part.graph) {
        sizes.entry(symbol).or_insert(Dim::number(ROWS));
    }
    sizes
}
