//! A graph as code: for certain sizes, ready to be called.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::timing::{Pass, Timings};
use crate::ir::program::{Precision, Requirement};
use crate::ir::verify::verify;
use crate::ir::{DimError, Graph, Sizes, specialise};
use crate::jit::{self, Executable, JitError, Workspace};
use crate::loops;
use crate::opt::optimise;
use crate::plan::{self, External, PlanError, plan};

/// Compiled code of one graph at certain sizes.
pub struct Function {
    /// The tensors it works on, in the order in which a call gives them.
    pub externals: Vec<External>,
    pub code: Code,
    /// Temporaries that are not in use.
    workspaces: Mutex<Vec<Workspace>>,
}

/// How a graph is carried out.
pub enum Code {
    Native(Executable),
}

/// Why a graph has no code for some sizes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    Size(DimError),
    /// A condition on sizes that they do not keep.
    Requirement(Box<Requirement>),
    Plan(PlanError),
    Code(JitError),
}

/// Specialises, simplifies, plans and compiles.
///
/// # Errors
/// If a size does not come out whole or positive, or the tensors do not fit into memory.
pub fn build(
    graph: &Graph,
    sizes: &Sizes,
    precision: Precision,
    timings: &Timings,
) -> Result<Function, BuildError> {
    let graph = timings.time(Pass::Specialise, || specialise(graph, sizes)).map_err(BuildError::Size)?;
    verified(&graph, "specialise")?;
    let graph = timings.time(Pass::Optimise, || optimise(&graph));
    verified(&graph, "optimise")?;
    let plan =
        timings.time(Pass::Plan, || plan(&graph, plan::Options { precision })).map_err(BuildError::Plan)?;
    let module = timings.time(Pass::Loops, || loops::lower(&plan)).map_err(|error| JitError(error.0));
    let module = module.map_err(BuildError::Code)?;
    let code = timings
        .time(Pass::Code, || Executable::from_module(&module, &plan.externals, jit::Options::default()));
    let code = Code::Native(code.map_err(BuildError::Code)?);
    Ok(Function { externals: plan.externals, code, workspaces: Mutex::default() })
}

/// In tests and debug builds: that a pass left a graph that keeps the rules.
fn verified(graph: &Graph, pass: &str) -> Result<(), BuildError> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    verify(graph).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        BuildError::Code(JitError(format!("after `{pass}`: {}", faults.join("; "))))
    })
}

impl Function {
    /// Carries out `work` with memory for temporaries, which is kept for the next call.
    ///
    /// # Errors
    /// If there is not enough memory, and those of `work`.
    pub fn with_workspace<T>(
        &self,
        code: &Executable,
        work: impl FnOnce(&mut Workspace) -> Result<T, JitError>,
    ) -> Result<T, JitError> {
        let free = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = free().pop();
        let mut workspace = match ready {
            Some(workspace) => workspace,
            None => code.workspace()?,
        };
        let result = work(&mut workspace);
        free().push(workspace);
        result
    }
}

/// Code that was made, by what it is of and for which sizes. Shared by all sessions of a program.
pub struct Cache<K> {
    functions: Mutex<HashMap<(K, Sizes), Arc<Function>>>,
}

impl<K> Default for Cache<K> {
    fn default() -> Cache<K> {
        Cache { functions: Mutex::default() }
    }
}

impl<K: Hash + Eq> Cache<K> {
    /// The function for a key and sizes, made now if it is new.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get(
        &self,
        key: K,
        sizes: &Sizes,
        make: impl FnOnce() -> Result<Function, BuildError>,
    ) -> Result<Arc<Function>, BuildError> {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (key, sizes.clone());
        if let Some(function) = functions.get(&key) {
            return Ok(Arc::clone(function));
        }
        let function = Arc::new(make()?);
        functions.insert(key, Arc::clone(&function));
        Ok(function)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Size(DimError::Unbound(name)) => write!(f, "the size `{name}` is not known"),
            BuildError::Size(DimError::NotWhole(a, b)) => write!(f, "{a} / {b} is not a whole number"),
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
