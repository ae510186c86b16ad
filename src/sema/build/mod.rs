//! The second room: values become nodes of the graphs that are being built.
//!
//! Everything in `sema/build` works on a [`Builder`], which is a [`Scope`] with graphs: it takes values and gives
//! values. It sees no expressions to be elaborated, so nothing here leads back to the bodies.

pub mod bindings;
pub mod builtins;
pub mod built;
pub mod classes;
pub mod constants;
pub mod derivatives;
pub mod elementwise;
pub mod graphs;
pub mod index;
pub mod notes;
pub mod numbers;
pub mod operators;
pub mod parameter_sets;
pub mod products;
pub mod roles;
pub mod starts;
pub mod subscripts;
pub mod tensors;
pub mod variables;

use crate::sema::scope::Scope;
use crate::sema::scope::report::Problem;
use crate::sema::value::Value;
use built::{Built, Conditions};
use graphs::{Ids, Level};
use index::IndexFrame;
use std::ops::{Deref, DerefMut};
use variables::Variables;

#[derive(Debug)]
pub struct Builder<'a> {
    scope: Scope<'a>,
    /// The graph that is being built, outermost first; there is always one. See [`graphs`].
    pub levels: Vec<Level>,
    /// The levels around those, of which no tensors can be used: those of a body whose parameters are being made.
    pub(in crate::sema) suspended: Vec<Vec<Level>>,
    /// The loops that are being written in index notation, outermost first.
    pub index_frames: Vec<IndexFrame>,
    /// What else is known of the graph that is being built.
    pub built: Built,
    /// Parameters and states of all models.
    pub variables: Variables,
    /// What is asked of data and of sizes.
    pub conditions: Conditions,
    pub(in crate::sema) ids: Ids,
}

impl<'a> Builder<'a> {
    pub fn new(scope: Scope<'a>) -> Builder<'a> {
        Builder {
            scope,
            levels: vec![Level::compile_time()],
            suspended: Vec::new(),
            index_frames: Vec::new(),
            built: Built::default(),
            variables: Variables::default(),
            conditions: Conditions::default(),
            ids: Ids::default(),
        }
    }

    /// [`Scope::report`], of a problem that may be made of what is known here.
    pub fn report(&mut self, problem: impl Problem) -> Value {
        (**self).report(problem)
    }
}

impl<'a> Deref for Builder<'a> {
    type Target = Scope<'a>;
    fn deref(&self) -> &Scope<'a> {
        &self.scope
    }
}

impl<'a> DerefMut for Builder<'a> {
    fn deref_mut(&mut self) -> &mut Scope<'a> {
        &mut self.scope
    }
}
