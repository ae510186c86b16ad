//! A compiled program: checked, shared, ready for sessions.

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::data::Table;
use super::data::classes::Classes;
use super::files::input::program_text;
use super::session::Session;
use crate::backend::{Backend, CodeError, Failure};
use crate::base::render::{Style, render_all};
use crate::base::{self, Diagnostic, SourceMap, Span};
use crate::compile::{self, BuildError, Cache, Function, Loader, Measures, Mode, Timings, Use};
use crate::ir::{Graph, Sizes, program as checked};
use crate::syntax::ast;

/// A checked program. Cheap to clone; sessions of all clones share the code made so far.
#[derive(Clone)]
pub struct Program {
    shared: Arc<Shared>,
}

struct Shared {
    checked: checked::Program,
    texts: Texts,
    timings: Arc<Timings>,
    begun: Instant,
    functions: Cache<Part>,
    tables: Vec<OnceLock<Arc<Table>>>,
    classes: OnceLock<Classes>,
    /// Whether code that is made from now on checks its accesses.
    checked_code: AtomicBool,
    /// What makes the code from now on, if somebody has chosen.
    backend: Mutex<Option<&'static dyn Backend>>,
}

/// What a program was made from.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    pub sources: SourceMap,
    pub warnings: base::Diagnostics,
    /// The folder that paths in the program are relative to.
    pub base: PathBuf,
}

/// A graph of a program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    Init,
    /// Of a model, by number.
    Forward(usize),
    /// Of an action, by number.
    Step(usize),
    Evaluate(usize),
    OptimizerInit(usize),
    /// The metric by number.
    Metric(usize, usize),
    /// Of a `print`, `expect` or `plot`.
    Shown(usize),
    /// Of a `generate`.
    Next(usize),
}

/// Why a program was rejected or failed: diagnostics and the texts that they are about.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    pub list: base::Diagnostics,
    pub sources: SourceMap,
}

/// Changes a tree before it is checked; what it adds to the sources is shown in messages.
pub type Adjust<'a> = &'a mut dyn FnMut(&mut SourceMap, &mut ast::File) -> base::Diagnostics;

/// Imported files, by paths relative to the importing one.
pub struct Files;

impl Loader for Files {
    fn load(&mut self, from: &str, path: &str) -> Result<(String, String), String> {
        let path = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
        let name = path.display().to_string();
        program_text(&path).map(|text| (name.clone(), text)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no file `{name}`"),
            std::io::ErrorKind::IsADirectory => format!("`{name}` is a folder"),
            _ => format!("cannot read `{name}`: {error}"),
        })
    }
}

impl Program {
    /// Compiles a text. Paths in it are relative to the current folder.
    ///
    /// # Errors
    /// All errors of the text.
    pub fn from_source(source: &str) -> Result<Program, Diagnostics> {
        Program::compile("program.nn", source, PathBuf::new(), &mut |_, _| base::Diagnostics::new())
    }

    /// Compiles a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// E0701 if it cannot be read; all errors of its text.
    pub fn from_file(path: &Path) -> Result<Program, Diagnostics> {
        let source = read_program(path)?;
        let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Program::compile(&path.display().to_string(), &source, base, &mut |_, _| base::Diagnostics::new())
    }

    /// Compiles a text that messages call `name`, after `adjust` has changed its tree.
    ///
    /// # Errors
    /// All errors of the text.
    pub fn compile(
        name: &str,
        source: &str,
        base: PathBuf,
        adjust: Adjust<'_>,
    ) -> Result<Program, Diagnostics> {
        let begun = Instant::now();
        let timings = Arc::new(Timings::default());
        let mut sources = SourceMap::default();
        let file = sources.add(name, source);
        let (program, warnings) = compile::check(&mut sources, file, &mut Files, adjust, &timings);
        let Some(checked) = program else { return Err(Diagnostics { list: warnings, sources }) };
        let texts = Texts { sources, warnings, base };
        Ok(Program::from_checked(checked, texts, timings, begun))
    }

    /// A program from what the checker made. `begun` is when the compilation began.
    pub fn from_checked(
        checked: checked::Program,
        texts: Texts,
        timings: Arc<Timings>,
        begun: Instant,
    ) -> Program {
        let tables = checked.data.iter().map(|_| OnceLock::new()).collect();
        let functions = Cache::default();
        let classes = OnceLock::new();
        let checked_code = AtomicBool::new(false);
        let backend = Mutex::default();
        let shared =
            Shared { checked, texts, timings, begun, functions, tables, classes, checked_code, backend };
        Program { shared: Arc::new(shared) }
    }

    /// Whether native code that is made from now on checks every access against its buffer. It gives the same
    /// results, slower; an access outside of a buffer, which is a mistake of the compiler, is the error E0791
    /// where other code would read or write anything.
    pub fn check_accesses(&self, checked: bool) {
        self.shared.checked_code.store(checked, Ordering::Relaxed);
    }

    /// Lets a back end of [`crate::backend`] make the code from now on, not the best for this computer.
    pub fn use_backend(&self, backend: &'static dyn Backend) {
        *self.shared.backend.lock().unwrap_or_else(PoisonError::into_inner) = Some(backend);
    }

    fn mode(&self) -> Mode {
        let checked = self.shared.checked_code.load(Ordering::Relaxed);
        let backend = *self.shared.backend.lock().unwrap_or_else(PoisonError::into_inner);
        Mode { precision: self.checked().precision, checked, backend }
    }

    /// Begins a run: initial parameters, nothing trained.
    ///
    /// # Errors
    /// If starting values cannot be computed (a size that is not whole).
    pub fn session(&self) -> Result<Session, Diagnostics> {
        Session::new(self.clone())
    }

    pub fn checked(&self) -> &checked::Program {
        &self.shared.checked
    }

    pub fn warnings(&self) -> &[Diagnostic] {
        &self.shared.texts.warnings
    }

    pub fn sources(&self) -> &SourceMap {
        &self.shared.texts.sources
    }

    pub fn base(&self) -> &Path {
        &self.shared.texts.base
    }

    /// Time spent in each pass so far.
    pub fn timings(&self) -> &Timings {
        &self.shared.timings
    }

    /// When the compilation began.
    pub fn begun(&self) -> Instant {
        self.shared.begun
    }

    /// Where a data set is kept once it is loaded.
    pub(super) fn table(&self, set: usize) -> &OnceLock<Arc<Table>> {
        &self.shared.tables[set]
    }

    /// The classes that its data sets share. Looks into their files the first time.
    pub(super) fn classes(&self) -> &Classes {
        self.shared.classes.get_or_init(|| Classes::of(&self.checked().data, self.base()))
    }

    /// The code of a part for certain sizes.
    pub(super) fn function(
        &self,
        part: Part,
        graph: &Graph,
        sizes: &Sizes,
    ) -> Result<Arc<Function>, BuildError> {
        let usage = match part {
            Part::Step(_) | Part::Evaluate(_) | Part::Forward(_) | Part::Next(_) => Use::Often,
            Part::Init | Part::OptimizerInit(_) | Part::Metric(..) | Part::Shown(_) => Use::Once,
        };
        self.shared.functions.get(part, sizes, || self.build(graph, sizes, usage))
    }

    /// Code of a graph of the program that nobody keeps. All code is made here, so that none is made for sizes
    /// that the program does not allow.
    pub(super) fn build(&self, graph: &Graph, sizes: &Sizes, usage: Use) -> Result<Function, BuildError> {
        self.build_in(self.checked().precision, graph, sizes, usage)
    }

    /// As [`Program::build`], in floats that need not be the program's.
    pub(super) fn build_in(
        &self,
        precision: checked::Precision,
        graph: &Graph,
        sizes: &Sizes,
        usage: Use,
    ) -> Result<Function, BuildError> {
        self.check_sizes(sizes)?;
        compile::build(graph, sizes, Mode { precision, ..self.mode() }, usage, &self.shared.timings)
    }

    /// Whether a graph can be carried out for these sizes, and if so, whether all its tensors have elements.
    pub(super) fn allows(&self, graph: &Graph, sizes: &Sizes) -> Result<bool, BuildError> {
        self.check_sizes(sizes)?;
        compile::fits(graph, sizes)
    }

    /// Code of a graph that says when each kernel is done, and what the kernels have to do.
    pub(super) fn profiled(
        &self,
        graph: &Graph,
        sizes: &Sizes,
    ) -> Result<(Arc<Function>, Measures), BuildError> {
        self.check_sizes(sizes)?;
        let (function, measures) = compile::profiled(graph, sizes, self.mode(), &self.shared.timings)?;
        Ok((Arc::new(function), measures))
    }

    fn check_sizes(&self, sizes: &Sizes) -> Result<(), BuildError> {
        match self.checked().requirements.iter().find(|it| it.is_broken_by(sizes)) {
            Some(broken) => Err(BuildError::Requirement(Box::new(broken.clone()))),
            None => Ok(()),
        }
    }

    /// Diagnostics with the texts of this program.
    pub fn failed(&self, list: impl Into<base::Diagnostics>) -> Diagnostics {
        Diagnostics { list: list.into(), sources: self.sources().clone() }
    }

    /// A failure to make code, at a place.
    pub(super) fn build_failed(&self, error: &BuildError, span: Span) -> Diagnostic {
        let failed = Diagnostic::error("E0726", format!("no code for these sizes: {error}"));
        match error {
            BuildError::Code(error) if error.is_no_memory() => {
                Diagnostic::error("E0734", format!("there is {error}")).at(span, "asked for here")
            }
            BuildError::Code(error) => code_failed(error).at(span, "asked for here"),
            BuildError::Requirement(requirement) => failed.at(requirement.span, "needs other sizes"),
            BuildError::Size(_) | BuildError::Plan(_) => failed.at(span, "asked for here"),
        }
    }
}

/// What went wrong in code, at the place in the program if that is known.
pub(super) fn code_failed(error: &CodeError) -> Diagnostic {
    const REPORT: &str =
        "please report this program with its data, and the version that `nnc --version` says";
    let of_nnc = |code, text: &str| Diagnostic::error(code, format!("a fault of nnc: {text}")).help(REPORT);
    match &error.kind {
        Failure::Access(fault) => {
            let failed = of_nnc("E0791", &error.text)
                .note("nothing was read or written there; what the step computed is not to be trusted");
            match fault.site.kernel.span {
                place if place == Span::default() => failed,
                place => failed.at(place, "computed here"),
            }
        }
        Failure::Internal => of_nnc("E0792", &error.text),
        Failure::Unsupported => Diagnostic::error("E0793", error.text.clone())
            .help("without `--backend`, the best one for this computer is taken"),
        Failure::Misfit | Failure::NoMemory => Diagnostic::error("E0799", error.text.clone()),
    }
}

/// The text of a program file.
///
/// # Errors
/// E0701.
pub fn read_program(path: &Path) -> Result<String, Diagnostics> {
    program_text(path).map_err(|error| {
        let message = format!("cannot read `{}`: {error}", path.display());
        if error.kind() != std::io::ErrorKind::NotFound {
            let mut diagnostic = Diagnostic::error("E0701", message);
            if error.kind() == std::io::ErrorKind::InvalidData {
                diagnostic = diagnostic.help("save it as UTF-8, with `iconv -f latin1 -t utf-8` for example");
            }
            return Diagnostics { list: vec![diagnostic], sources: SourceMap::default() };
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let names: Vec<String> = std::fs::read_dir(folder.unwrap_or(Path::new(".")))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".nn"))
            .collect();
        let it = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut diagnostic = Diagnostic::error("E0701", message);
        if let Some(near) = base::nearest(&it, names.iter().map(String::as_str)) {
            diagnostic = diagnostic.help(format!("there is `{}`", path.with_file_name(near).display()));
        }
        Diagnostics { list: vec![diagnostic], sources: SourceMap::default() }
    })
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("base", &self.shared.texts.base).finish_non_exhaustive()
    }
}

impl Deref for Diagnostics {
    type Target = [Diagnostic];
    fn deref(&self) -> &[Diagnostic] {
        &self.list
    }
}

impl fmt::Display for Diagnostics {
    /// With the source beside each message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render_all(&self.list, &self.sources, Style::Plain))
    }
}

impl std::error::Error for Diagnostics {}
