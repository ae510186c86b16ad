//! What a case prints.

use std::error::Error;
use std::path::Path;

use nnc::base::render::{Style, render_all};
use nnc::base::{Diagnostic, SourceMap};
use nnc::compile::show;
use nnc::derive::{Derivation, derive, latex, page};
use nnc::ir::program::Action;
use nnc::runtime::events::{Event, Observer, Scores};
use nnc::runtime::example::Rows;
use nnc::runtime::format::number_text;
use nnc::runtime::options::Options;
use nnc::runtime::program::{Files, Program};
use nnc::syntax::format;

use super::Kind;

/// The kinds that a first line `# test: grad opt` asks for.
pub fn more_kinds(text: &str) -> Result<Vec<Kind>, String> {
    let Some(words) = text.lines().next().and_then(|line| line.strip_prefix("# test:")) else {
        return Ok(Vec::new());
    };
    let kind = |word: &str| Kind::from_name(word).ok_or_else(|| format!("no stage is called `{word}`"));
    words.split_whitespace().map(kind).collect()
}

/// What the case prints.
pub fn output(kind: Kind, path: &Path, text: &str) -> Result<String, Box<dyn Error>> {
    let mut sources = SourceMap::default();
    let file = sources.add(path.to_string_lossy(), text);
    match kind {
        Kind::Stage(stage) => show(&mut sources, file, &mut Files::default(), stage)
            .map_err(|errors| report(&sources, &errors).into()),
        Kind::Fmt => format(text).map_err(|errors| report(&sources, &errors).into()),
        Kind::Errors => match errors(path, text) {
            report if report.is_empty() => Err("nothing is wrong with this program".into()),
            report => Ok(report),
        },
        Kind::Run => {
            let program = compile(path, text)?;
            let mut log = Log { text: String::new(), sources: program.sources().clone() };
            program.session()?.run(&mut log)?;
            Ok(log.text)
        }
        Kind::Derive => {
            let pages = derivations(path, text)?;
            let pages: Vec<String> = pages.iter().map(|(loss, it)| page::page(it, loss, &|_| None)).collect();
            Ok(pages.join("\n"))
        }
        Kind::Latex => Ok(latex::document(&derivations(path, text)?)),
    }
}

/// Every loss with its derivation. That the gradient is right is checked on the way, with finite differences.
fn derivations(path: &Path, text: &str) -> Result<Vec<(String, Derivation)>, Box<dyn Error>> {
    let program = compile(path, &format!("{text}\nprecision = f64\n"))?;
    let mut session = program.session()?;
    let mut made = Vec::new();
    for action in &program.checked().actions {
        let Action::Train(train) = action else { continue };
        for (line, trained) in train.lines.iter().zip(&train.step.trained) {
            let loss = program.sources().text(line.loss_span).to_owned();
            let mut it = derive(line, trained).map_err(|error| format!("{error:?}"))?;
            it.say_loss(&loss);
            // Some number of rows can be shown.
            let rows = session.fewest_rows(train, &it, 0)?;
            session.values(train, &it, rows)?;
            for found in session.compare_gradients(train, &it, Rows { first: 0, count: train.batch })? {
                if found.worst > 1e-4 {
                    return Err(format!("the gradient is wrong: {found:?}").into());
                }
            }
            for found in session.compare_declared(train, line, Rows { first: 0, count: train.batch })? {
                if !found.is_surrogate && found.worst.is_some_and(|worst| worst > 1e-5) {
                    return Err(format!("a declared derivative is wrong: {found:?}").into());
                }
            }
            made.push((loss, it));
        }
    }
    Ok(made)
}

/// Compiles a case as `nnc run` would.
pub fn compile(path: &Path, text: &str) -> Result<Program, nnc::Diagnostics> {
    let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let program =
        Program::compile(text, &Options::new().name(path.to_string_lossy()).folder(base), &mut |_, _| {
            Vec::new()
        })?;
    // All cases run in checked code; that other code gives the same bits is checked in `checks.rs`.
    program.check_accesses(true);
    Ok(program)
}

/// What is wrong with a program; if nothing is when it is checked, what goes wrong when it runs.
pub fn errors(path: &Path, text: &str) -> String {
    let program = match compile(path, text) {
        Ok(program) => program,
        Err(diagnostics) => return diagnostics.to_string(),
    };
    let sources = program.sources().clone();
    let mut log = Log { text: render_all(program.warnings(), &sources, Style::Plain), sources };
    let outcome = program.session().and_then(|mut session| session.run(&mut log));
    if let Err(diagnostics) = outcome {
        log.text.push_str(&diagnostics.to_string());
    }
    log.text
}

/// What a run says, without times.
struct Log {
    text: String,
    sources: SourceMap,
}

impl Observer for Log {
    fn event(&mut self, event: &Event<'_>) {
        let line = match event {
            Event::Print(text) => (*text).to_owned(),
            Event::Warning(warning) => {
                render_all(std::slice::from_ref(*warning), &self.sources, Style::Plain)
            }
            Event::Epoch(report) => {
                let validation =
                    report.validation.as_ref().map(|scores| format!("  validation: {}", line(scores)));
                let train = line(&report.train);
                format!("epoch {}  {train}{}", report.epoch, validation.unwrap_or_default())
            }
            Event::Plot(chart) => format!("plot {}", chart.title),
            _ => return,
        };
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

fn line(scores: &Scores) -> String {
    let losses = scores.losses.iter().map(|loss| format!("loss {}", rounded(*loss)));
    let metrics = scores.metrics.iter().map(|(name, value)| format!("{name} {}", rounded(*value)));
    losses.chain(metrics).collect::<Vec<_>>().join("  ")
}

/// Four digits: enough to see a change of meaning.
fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return number_text(value);
    }
    let scale = 10f64.powf(3.0 - value.abs().log10().floor());
    number_text((value * scale).round() / scale)
}

/// All diagnostics as the user sees them.
pub fn report(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    render_all(diagnostics, sources, Style::Plain)
}
