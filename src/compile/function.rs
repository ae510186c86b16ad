//! A graph as code: for certain sizes, ready to be called.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::pipeline::{self, Artifact, Build, PassId};
use super::timing::Timings;
use crate::backend::{self, Backend, CodeError, Workspace};
use crate::base::Diagnostic;
use crate::ir::program::{Precision, Requirement};
use crate::ir::{Dim, DimError, ExternalKey, Graph, Node, NodeId, Op, Sizes, compact, specialise};
use crate::loops::{LoopError, Target, VerifiedModule};
use crate::opt::{Applied, Purpose};
use crate::plan::{External, Plan, PlanError};

/// Compiled code of one graph at certain sizes.
pub struct Function {
    /// The tensors it works on, in the order in which a call gives them.
    pub externals: Vec<External>,
    pub code: Code,
    usage: Use,
    /// Temporaries that are not in use, of code that will be carried out again.
    workspaces: Mutex<Vec<Workspace>>,
}

/// How a graph is carried out.
pub enum Code {
    Compiled(Box<dyn backend::Code>),
    /// By the interpreter: what is carried out once and small takes less time than compiling it.
    Interpreted(Graph),
}

/// How often a graph will be carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    Once,
    Often,
}

/// What code depends on beside the graph and its sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mode {
    pub precision: Precision,
    /// Check every access of compiled code against its buffer, and make memory unusable before it is written. The
    /// results are the same bits; an access outside is an error.
    pub checked: bool,
    /// What makes the code; the best for this computer if nothing is said.
    pub backend: Option<&'static dyn Backend>,
}

impl Mode {
    pub fn backend(&self) -> &'static dyn Backend {
        self.backend.unwrap_or_else(backend::best)
    }
}

impl From<Precision> for Mode {
    fn from(precision: Precision) -> Mode {
        Mode { precision, ..Mode::default() }
    }
}

/// Above this many points of loops and elements of constants and inputs, compiling takes less time than the
/// interpreter.
const INTERPRETED_POINTS: i64 = 20_000;

/// Why a graph has no code for some sizes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    Size(DimError),
    /// A condition on sizes that they do not keep.
    Requirement(Box<Requirement>),
    Plan(PlanError),
    Code(CodeError),
}

/// Specialises, simplifies, plans and compiles.
///
/// # Errors
/// If a size does not come out whole or positive, or the tensors do not fit into memory.
pub fn build(
    graph: &Graph,
    sizes: &Sizes,
    mode: impl Into<Mode>,
    usage: Use,
    timings: &Timings,
) -> Result<Function, BuildError> {
    let laws = Applied::new(Purpose::Run);
    let build = Build::new(sizes, mode.into(), &laws, timings);
    let graph = Artifact::Graph(graph.clone());
    let graph = pipeline::graph(graph, PassId::Stabilise..=PassId::Specialise, &build)?.graph()?;
    if usage == Use::Once && work(&graph) <= INTERPRETED_POINTS {
        // By the same laws, so that a formula means the same for few rows and for many.
        let graph = pipeline::graph(Artifact::Graph(graph), PassId::Optimise..=PassId::Optimise, &build)?;
        return interpreted(graph.graph()?);
    }
    compiled(pipeline::graph(Artifact::Graph(graph), PassId::Optimise..=PassId::Code, &build)?, usage)
}

/// The loops of a graph for a machine that need not be this one, and the plan that they were made of.
///
/// # Errors
/// As [`build`].
pub fn loops(
    graph: &Graph,
    sizes: &Sizes,
    precision: Precision,
    target: Target,
    timings: &Timings,
) -> Result<(Plan, VerifiedModule), BuildError> {
    let laws = Applied::new(Purpose::Run);
    let mut build = Build::new(sizes, precision.into(), &laws, timings);
    build.target = Some(target);
    match pipeline::graph(Artifact::Graph(graph.clone()), PassId::Stabilise..=PassId::Loops, &build)? {
        Artifact::Loops(plan, module) => Ok((plan, module)),
        _ => Err(BuildError::Code(CodeError::internal("the pipeline has made no loops"))),
    }
}

/// A function out of finished code.
pub(super) fn compiled(artifact: Artifact, usage: Use) -> Result<Function, BuildError> {
    let (plan, code) = artifact.code()?;
    let code = Code::Compiled(code);
    Ok(Function { externals: plan.externals, code, usage, workspaces: Mutex::default() })
}

/// Whether the graph has a meaning at these sizes: every size comes out, and no subscript that was proven to lie
/// within its axis leaves it. Gives whether there is something to compute: no tensor is without elements.
///
/// # Errors
/// If the graph has no meaning at these sizes.
pub fn fits(graph: &Graph, sizes: &Sizes) -> Result<bool, BuildError> {
    let graph = specialise(graph, sizes).map_err(BuildError::Size)?;
    pipeline::specialised_rules(&graph)?;
    Ok(graph.nodes().all(|(_, node)| !node.ty.shape.contains(&Dim::ZERO)))
}

/// A function that the interpreter carries out, with the externals that a plan would have.
fn interpreted(graph: Graph) -> Result<Function, BuildError> {
    let graph = compact(&graph);
    let external = |name: ExternalKey, node: NodeId| {
        let ty = graph.ty(node);
        let shape = ty.static_shape().ok_or_else(|| BuildError::Plan(PlanError::Open(ty.to_string())))?;
        let written = matches!(name, ExternalKey::Output(_));
        Ok::<External, BuildError>(External { name, elem: ty.elem, wide: false, shape, written })
    };
    let mut externals: Vec<External> = Vec::new();
    for (id, node) in graph.nodes() {
        let external = match &node.op {
            Op::Input { name, .. } => external(ExternalKey::Input(name.clone()), id)?,
            Op::Param { path, .. } => external(ExternalKey::Param(path.clone()), id)?,
            Op::State { path, .. } => external(ExternalKey::State(path.clone()), id)?,
            _ => continue,
        };
        externals.push(external);
    }
    for output in &graph.outputs {
        externals.push(external(ExternalKey::Output(output.name.clone()), output.node)?);
    }
    let code = Code::Interpreted(graph);
    Ok(Function { externals, code, usage: Use::Once, workspaces: Mutex::default() })
}

/// Points of loops and elements of everything else.
fn work(graph: &Graph) -> i64 {
    let product = |sizes: &[Dim]| {
        sizes.iter().fold(1i64, |product, size| product.saturating_mul(size.as_number().unwrap_or(i64::MAX)))
    };
    let of = |node: &Node| match &node.op {
        Op::Loop(body) => product(&body.domain).max(product(&body.shape)),
        Op::Scan(scan) => work(&scan.body).saturating_mul(scan.trip.as_number().unwrap_or(i64::MAX)),
        _ => product(&node.ty.shape),
    };
    graph.nodes().fold(0i64, |sum, (_, node)| sum.saturating_add(of(node)))
}

impl Function {
    /// Bytes that a call needs beside the tensors that it is given.
    pub fn temporary_bytes(&self) -> usize {
        match &self.code {
            Code::Compiled(code) => code.facts().arena_bytes,
            Code::Interpreted(_) => 0,
        }
    }

    /// Carries out `work` with memory for temporaries, which is kept for the next call if there will be one.
    ///
    /// # Errors
    /// If there is not enough memory, and those of `work`.
    pub fn with_workspace<T>(
        &self,
        code: &dyn backend::Code,
        work: impl FnOnce(&mut Workspace) -> Result<T, CodeError>,
    ) -> Result<T, CodeError> {
        let free = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = free().pop();
        let mut workspace = match ready {
            Some(workspace) => workspace,
            None => code.workspace()?,
        };
        let result = work(&mut workspace);
        if self.usage == Use::Often {
            free().push(workspace);
        }
        result
    }
}

/// Code that was made, by what it is of and for which sizes. Shared by all sessions of a program.
pub struct Cache<K> {
    entries: Mutex<Entries<K>>,
}

struct Entries<K> {
    functions: HashMap<(K, Sizes), Entry>,
    /// How often a function was asked for.
    requests: u64,
}

struct Entry {
    function: Arc<Function>,
    /// The number of the last request for it.
    last: u64,
}

/// So many functions are kept: who predicts for ever other sizes must not fill the memory with code.
const KEPT: usize = 128;

impl<K> Default for Cache<K> {
    fn default() -> Cache<K> {
        Cache { entries: Mutex::new(Entries { functions: HashMap::new(), requests: 0 }) }
    }
}

impl<K: Hash + Eq + Clone> Cache<K> {
    /// The function for a key and sizes, made now if it is new or was not asked for in a long time.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get(
        &self,
        key: K,
        sizes: &Sizes,
        make: impl FnOnce() -> Result<Arc<Function>, BuildError>,
    ) -> Result<Arc<Function>, BuildError> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.requests += 1;
        let last = entries.requests;
        let key = (key, sizes.clone());
        if let Some(entry) = entries.functions.get_mut(&key) {
            entry.last = last;
            return Ok(Arc::clone(&entry.function));
        }
        let function = make()?;
        if entries.functions.len() >= KEPT {
            let oldest = entries.functions.iter().min_by_key(|(_, entry)| entry.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                entries.functions.remove(&oldest);
            }
        }
        entries.functions.insert(key, Entry { function: Arc::clone(&function), last });
        Ok(function)
    }
}

impl From<LoopError> for BuildError {
    fn from(error: LoopError) -> BuildError {
        BuildError::Code(error.into())
    }
}

impl BuildError {
    /// The diagnostic: sizes that do not come out, more memory than there is, or a mistake of nnc itself.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            BuildError::Size(_) | BuildError::Requirement(_) | BuildError::Plan(PlanError::Open(_)) => {
                Diagnostic::error("E0726", format!("no code for these sizes: {self}"))
            }
            BuildError::Plan(PlanError::TooLarge(_)) => Diagnostic::error("E0734", self.to_string()),
            BuildError::Plan(PlanError::Broken(_)) => {
                Diagnostic::error("E0792", format!("a fault of nnc: {self}"))
            }
            BuildError::Code(error) if error.is_no_memory() => {
                Diagnostic::error("E0734", format!("there is {error}"))
            }
            BuildError::Code(error) => Diagnostic::error("E0792", format!("a fault of nnc: {error}")),
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Size(DimError::Unbound(name)) => write!(f, "the size `{name}` is not known"),
            BuildError::Size(DimError::NotWhole(a, b)) => write!(f, "{a} / {b} is not a whole number"),
            BuildError::Size(DimError::TooLarge) => f.write_str("a size is beyond 64 bits"),
            BuildError::Size(DimError::Negative(size)) => write!(f, "a size comes out as {size}"),
            BuildError::Requirement(requirement) => f.write_str(&requirement.message),
            BuildError::Plan(error) => error.fmt(f),
            BuildError::Code(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("externals", &self.externals).finish_non_exhaustive()
    }
}

impl std::error::Error for BuildError {}
