//! A compiled program: checked, shared, ready for sessions.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::data::Table;
use super::data::classes::{Classes, Place};
pub use super::diagnostics::Diagnostics;
use super::given::Given;
use super::options::Options;
use super::report::Problem;
use super::report::programs::{ProgramFileCause, ProgramFileError};
use super::session::Session;
use super::twins::Codes;
use super::world::read::program_text;
use super::world::{self, World, names_in};
use crate::backend::{Backend, CodeError};
use crate::base::{self, Diagnostic, SourceMap, Span};
use crate::compile::{self, BuildError, Cache, Function, Loader, Measures, Mode, Timings, Use};
use crate::ir::{Graph, Sizes, program as checked};
use crate::loops::{Target, VerifiedModule};
use crate::plan::{Plan, PlanError};
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
    begun: Duration,
    functions: Cache<Part>,
    /// What other programs have code of, too.
    codes: OnceLock<Arc<Codes>>,
    tables: Vec<OnceLock<Arc<Table>>>,
    classes: OnceLock<Classes>,
    /// Whether code that is made from now on checks its accesses.
    checked_code: AtomicBool,
    /// The back end that was chosen, if one was.
    backend: Mutex<Option<&'static dyn Backend>>,
}

/// What a program was made from.
#[derive(Clone)]
pub struct Texts {
    pub sources: SourceMap,
    pub warnings: Vec<Diagnostic>,
    /// The folder that paths in the program are relative to.
    pub base: PathBuf,
    /// Where its files are.
    pub world: Arc<dyn World>,
}

impl Default for Texts {
    fn default() -> Texts {
        let (sources, warnings) = (SourceMap::default(), Vec::new());
        Texts { sources, warnings, base: PathBuf::new(), world: world::usual() }
    }
}

/// A graph of a program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    Init,
    /// Of a model, by number.
    Forward(usize),
    /// Of an action, by number.
    Step(usize),
    /// A part of an action's divided step, both by number.
    Divided(usize, usize),
    /// The same, whose results are given as soon as they are finished.
    Giving(usize, usize),
    Evaluate(usize),
    OptimizerInit(usize),
    /// The metric by number.
    Metric(usize, usize),
    /// Of a `print`, `expect` or `plot`.
    Shown(usize),
    /// Of a `generate`.
    Next(usize),
    /// Of what an action shows while it is at work: the interval and what it shows, by number.
    While(usize, usize, usize),
}

/// Changes a tree before it is checked; what it adds to the sources is shown in messages.
pub type Adjust<'a> = &'a mut dyn FnMut(&mut SourceMap, &mut ast::File) -> Vec<Diagnostic>;

/// Leaves a tree as it is.
fn unchanged(_: &mut SourceMap, _: &mut ast::File) -> Vec<Diagnostic> {
    Vec::new()
}

/// Imported files, by paths relative to the importing one.
pub struct Files {
    world: Arc<dyn World>,
}

impl Files {
    /// Those of a world.
    pub fn of(world: &Arc<dyn World>) -> Files {
        Files { world: Arc::clone(world) }
    }
}

impl Default for Files {
    fn default() -> Files {
        Files { world: world::usual() }
    }
}

impl Loader for Files {
    fn load(&mut self, from: &str, path: &str) -> Result<(String, String), String> {
        let path = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
        // Two spellings of one path are one file.
        let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
        let name = path.display().to_string();
        program_text(&*self.world, &path).map(|text| (name.clone(), text)).map_err(|error| {
            match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no file `{name}`"),
                std::io::ErrorKind::IsADirectory => format!("`{name}` is a folder"),
                _ => format!("cannot read `{name}`: {error}"),
            }
        })
    }
}

impl Program {
    /// Compiles a text. Paths in it are relative to the current folder.
    ///
    /// # Errors
    /// All errors of the text.
    #[doc(hidden)]
    pub fn from_source(source: &str) -> Result<Program, Diagnostics> {
        Program::compile(source, &Options::new(), &mut unchanged)
    }

    /// Compiles a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// E0701 if it cannot be read; all errors of its text.
    #[doc(hidden)]
    pub fn from_file(path: &Path) -> Result<Program, Diagnostics> {
        Program::from_file_with(path, &Options::new())
    }

    /// Compiles a file of the world that the options say.
    ///
    /// # Errors
    /// As [`Program::from_file`].
    #[doc(hidden)]
    pub fn from_file_with(path: &Path, options: &Options) -> Result<Program, Diagnostics> {
        let source = read_program(&*options.world, path)?;
        let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let options = options.clone().name(path.display().to_string()).folder(base);
        Program::compile(&source, &options, &mut unchanged)
    }

    /// Compiles a text after `adjust` has changed its tree.
    ///
    /// # Errors
    /// All errors of the text.
    #[doc(hidden)]
    pub fn compile(source: &str, options: &Options, adjust: Adjust<'_>) -> Result<Program, Diagnostics> {
        let world = Arc::clone(&options.world);
        let begun = world.now();
        let clock = Arc::clone(&world);
        let timings = Arc::new(Timings::of(move || clock.now()));
        let mut sources = SourceMap::default();
        let file = sources.add(options.name.as_str(), source);
        let mut files = Files::of(&world);
        let (program, warnings) = compile::check(&mut sources, file, &mut files, adjust, &timings);
        let Some(checked) = program else { return Err(Diagnostics { list: warnings, sources }) };
        let texts = Texts { sources, warnings, base: options.folder.clone(), world };
        let program = Program::from_checked(checked, texts, timings, begun);
        program.check_accesses(options.checked_code);
        Ok(program)
    }

    /// A program from what the checker made. `begun` is when the compilation began.
    #[doc(hidden)]
    pub fn from_checked(
        checked: checked::Program,
        texts: Texts,
        timings: Arc<Timings>,
        begun: Duration,
    ) -> Program {
        let tables = checked.data.iter().map(|_| OnceLock::new()).collect();
        let (functions, codes) = (Cache::default(), OnceLock::new());
        let classes = OnceLock::new();
        let checked_code = AtomicBool::new(false);
        let backend = Mutex::default();
        let shared =
            Shared { checked, texts, timings, begun, functions, codes, tables, classes, checked_code, backend };
        Program { shared: Arc::new(shared) }
    }

    /// Another checked program of the same texts, whose code is made in the same way. It shares nothing else with this
    /// one.
    pub(super) fn replaced(&self, checked: checked::Program) -> Program {
        let texts = self.shared.texts.clone();
        let other = Program::from_checked(checked, texts, Arc::clone(&self.shared.timings), self.begun());
        let mode = self.mode();
        other.check_accesses(mode.checked);
        *other.shared.backend.lock().unwrap_or_else(PoisonError::into_inner) = mode.backend;
        other
    }

    /// Whether native code that is made from now on checks every access against its buffer. It gives the same
    /// results, slower; an access outside of a buffer, which is a mistake of the compiler, is the error E0791
    /// where other code would read or write anything.
    #[doc(hidden)]
    pub fn check_accesses(&self, checked: bool) {
        self.shared.checked_code.store(checked, Ordering::Relaxed);
    }

    /// Lets a back end of [`crate::backend`] make the code from now on, not the best for this computer.
    #[doc(hidden)]
    pub fn use_backend(&self, backend: &'static dyn Backend) {
        *self.shared.backend.lock().unwrap_or_else(PoisonError::into_inner) = Some(backend);
    }

    pub(super) fn mode(&self) -> Mode {
        let checked = self.shared.checked_code.load(Ordering::Relaxed);
        let backend = *self.shared.backend.lock().unwrap_or_else(PoisonError::into_inner);
        Mode { precision: self.checked().precision, checked, backend }
    }

    /// Begins a run: initial parameters, nothing trained.
    ///
    /// # Errors
    /// If starting values cannot be computed (a size that is not whole).
    pub fn session(&self) -> Result<Session, Diagnostics> {
        Session::new(self.clone(), Given::new())
    }

    /// Begins a run with rows for the data sets whose fields have no values in the program.
    ///
    /// # Errors
    /// As [`Program::session`]; E0757 if the program has no such data, or its fields are others.
    pub fn session_with(&self, given: Given) -> Result<Session, Diagnostics> {
        Session::new(self.clone(), given)
    }

    #[doc(hidden)]
    pub fn checked(&self) -> &checked::Program {
        &self.shared.checked
    }

    /// The warnings about its text: what is probably not meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.shared.texts.warnings
    }

    /// Its texts, which places in messages are of.
    pub fn sources(&self) -> &SourceMap {
        &self.shared.texts.sources
    }

    #[doc(hidden)]
    pub fn base(&self) -> &Path {
        &self.shared.texts.base
    }

    /// Time spent in each pass so far.
    #[doc(hidden)]
    pub fn timings(&self) -> &Timings {
        &self.shared.timings
    }

    /// When the compilation began, by the clock of its world.
    #[doc(hidden)]
    pub fn begun(&self) -> Duration {
        self.shared.begun
    }

    /// Where its files are, and its clock.
    pub fn world(&self) -> &Arc<dyn World> {
        &self.shared.texts.world
    }

    /// Where a data set is kept once it is loaded.
    pub(super) fn table(&self, set: usize) -> &OnceLock<Arc<Table>> {
        &self.shared.tables[set]
    }

    /// The classes that its data sets share. Looks into their files the first time.
    pub(super) fn classes(&self) -> &Classes {
        self.shared.classes.get_or_init(|| {
            Classes::of(&self.checked().data, Place { world: self.world(), base: self.base() })
        })
    }

    /// The code of a part for certain sizes.
    pub(super) fn function(
        &self,
        part: Part,
        graph: &Graph,
        sizes: &Sizes,
    ) -> Result<Arc<Function>, BuildError> {
        let is_once = matches!(part, Part::Init | Part::OptimizerInit(_) | Part::Metric(..) | Part::Shown(_));
        let usage = if is_once { Use::Once } else { Use::Often };
        self.shared.functions.get(part, sizes, || match (part, self.shared.codes.get()) {
            (Part::Giving(..), _) => {
                compile::giving(graph, sizes, self.mode(), &self.shared.timings).map(Arc::new)
            }
            (_, None) => self.build(graph, sizes, usage).map(Arc::new),
            (_, Some(codes)) => {
                self.check_sizes(sizes)?;
                codes.get(graph, sizes, (usage, self.mode()), || self.build(graph, sizes, usage))
            }
        })
    }

    /// Code that other programs may share with this one.
    pub(super) fn codes(&self) -> &Arc<Codes> {
        self.shared.codes.get_or_init(Arc::default)
    }

    /// Shares code from now on, unless it does so already.
    pub(super) fn share_codes(&self, codes: &Arc<Codes>) {
        self.shared.codes.get_or_init(|| Arc::clone(codes));
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

    /// The loops of a graph for another machine.
    pub(super) fn loops(
        &self,
        precision: checked::Precision,
        graph: &Graph,
        sizes: &Sizes,
        target: Target,
    ) -> Result<(Plan, VerifiedModule), BuildError> {
        self.check_sizes(sizes)?;
        compile::loops(graph, sizes, precision, target, &self.shared.timings)
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
        match self.checked().requirements.iter().find(|requirement| requirement.is_broken_by(sizes)) {
            Some(broken) => Err(BuildError::Requirement(Box::new(broken.clone()))),
            None => Ok(()),
        }
    }

    /// Diagnostics with the texts of this program.
    #[doc(hidden)]
    pub fn failed(&self, list: impl Into<Vec<Diagnostic>>) -> Diagnostics {
        Diagnostics { list: list.into(), sources: self.sources().clone() }
    }

    /// A failure to make code, at a place.
    pub(super) fn build_failed(&self, error: &BuildError, span: Span) -> Diagnostic {
        let failed = error.diagnostic();
        let asked_for = |error: Diagnostic| match span.is_none() {
            true => error,
            false => error.at(span, "asked for here"),
        };
        match error {
            BuildError::Code(error) if error.is_no_memory() => {
                asked_for(failed)
            }
            BuildError::Code(error) => asked_for(error.diagnostic()),
            BuildError::Plan(PlanError::Broken(what)) => {
                asked_for(CodeError::internal(what).diagnostic())
            }
            BuildError::Requirement(requirement) => failed.at(requirement.span, "needs other sizes"),
            BuildError::Size(_) | BuildError::Plan(_) => asked_for(failed),
        }
    }
}

/// The text of a program file.
///
/// # Errors
/// E0701.
pub fn read_program(world: &dyn World, path: &Path) -> Result<String, Diagnostics> {
    program_text(world, path).map_err(|error| {
        let cause = match error.kind() {
            std::io::ErrorKind::NotFound => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let mut names = names_in(world, folder.unwrap_or(Path::new("."))).unwrap_or_default();
                names.retain(|name| name.ends_with(".nn"));
                let file_name = path.file_name().unwrap_or_default().to_string_lossy();
                let near = base::nearest(&file_name, names.iter().map(String::as_str));
                let near = near.map(|near| path.with_file_name(near).display().to_string());
                ProgramFileCause::Missing { near }
            }
            std::io::ErrorKind::InvalidData => ProgramFileCause::NotUtf8,
            _ => ProgramFileCause::System,
        };
        let (path, why) = (path.display().to_string(), error.to_string());
        ProgramFileError { path, why, cause }.diagnostic().into()
    })
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("base", &self.shared.texts.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is a mistake of the compiler says so, and how to report it; what a computer lacks says what helps.
    #[test]
    fn failures_of_code_have_codes() {
        let broken = CodeError::internal("a rule").diagnostic();
        assert_eq!(broken.code, "E0792");
        assert!(broken.message.contains("a fault of nnc") && format!("{broken:?}").contains("report"));
        let lacking = CodeError::unsupported("this processor does not have AVX-512F").diagnostic();
        assert_eq!(lacking.code, "E0793");
    }
}
