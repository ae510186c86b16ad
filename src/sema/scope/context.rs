//! What expressions are elaborated for, at this place of the program: handed down to what is elaborated within.
//!
//! Nobody sets a [`Context`] and sets it back. [`Elaborator::within`] elaborates something in another context, made
//! of the present one by the methods here, and the present one holds again afterwards, however that ends.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::body::parameter_sets::TakenAt;
use crate::sema::body::trials::Trial;
use crate::sema::value::Value;
use std::sync::Arc;

/// Whether a graph is one of training.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// The compile-time bool `training` is false, and `<-` takes no effect.
    #[default]
    Evaluation,
    /// Training, and `<-` takes no effect: a metric of the batch that is trained on.
    Watching,
    /// Training, and `<-` takes effect.
    Training,
}

/// What a call of a model does that was called with these tensors before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ModelCalls {
    /// It gives what is remembered of the call before: a `measure` shares calls with the first loss.
    #[default]
    Shared,
    /// It calls anew, and is remembered: two calls of a network with dropout are two draws.
    Remembered,
}

/// How much is known of sizes, from much to little.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Sizes {
    /// What a program runs with.
    #[default]
    Known,
    /// A body is only looked at: what its types leave open stays open, parameters may have open shapes, and errors
    /// are not told with the calls that led to them.
    Open,
    /// As `Open`, and sizes that may become equal are taken for equal: nobody has chosen them yet.
    Unchosen,
}

#[derive(Clone, Debug, Default)]
pub struct Context {
    pub mode: Mode,
    pub model_calls: ModelCalls,
    pub sizes: Sizes,
    /// `step`, where it is given: in optimisers and schedules.
    pub step: Option<Value>,
    /// The parameter whose update is being made.
    pub updating: Option<Arc<str>>,
    /// The path under which random numbers are drawn, if not that of the instance.
    pub draw_path: Option<Arc<str>>,
    /// A hyperparameter that is being tried; see [`crate::sema::body::trials`].
    pub trial: Option<Trial>,
    /// The parameters that networks are taken at, in place of their own.
    pub taken_at: Option<Arc<TakenAt>>,
}

impl Context {
    pub fn in_mode(&self, mode: Mode) -> Context {
        Context { mode, ..self.clone() }
    }

    /// Where calls of models are made anew and remembered.
    pub fn remembering_calls(&self) -> Context {
        Context { model_calls: ModelCalls::Remembered, ..self.clone() }
    }

    /// Where a body is looked at on open sizes, in evaluation mode. Sizes that nobody has chosen stay so.
    pub fn looking(&self) -> Context {
        let sizes = self.sizes.max(Sizes::Open);
        Context { mode: Mode::Evaluation, sizes, ..self.clone() }
    }

    /// Where sizes that may become equal are taken for equal.
    pub fn with_unchosen_sizes(&self) -> Context {
        Context { sizes: Sizes::Unchosen, ..self.clone() }
    }

    pub fn at_step(&self, step: Value) -> Context {
        Context { step: Some(step), ..self.clone() }
    }

    /// Where the update of a parameter is made.
    pub fn updating(&self, parameter: Arc<str>) -> Context {
        Context { updating: Some(parameter), ..self.clone() }
    }

    /// Where the starting value of a variable is made.
    pub fn drawing_for(&self, variable: Arc<str>) -> Context {
        Context { draw_path: Some(variable), ..self.clone() }
    }

    pub fn trying(&self, trial: Trial) -> Context {
        Context { trial: Some(trial), ..self.clone() }
    }

    /// Where networks are taken at given parameters.
    pub fn at(&self, taken: Arc<TakenAt>) -> Context {
        Context { taken_at: Some(taken), ..self.clone() }
    }

    /// Whether parameters may have shapes with open sizes, because a body is looked at, not run.
    pub fn is_looking(&self) -> bool {
        self.sizes >= Sizes::Open
    }

    pub fn sizes_may_fit(&self) -> bool {
        self.sizes == Sizes::Unchosen
    }
}

/// The present context, which only this file changes.
#[derive(Debug, Default)]
pub struct Present(Context);

impl std::ops::Deref for Present {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.0
    }
}

impl<'a> Elaborator<'a> {
    /// Elaborates something in another context.
    pub fn within<R>(&mut self, context: Context, run: impl FnOnce(&mut Elaborator<'a>) -> R) -> R {
        let before = std::mem::replace(&mut self.context.0, context);
        let result = run(self);
        self.context.0 = before;
        result
    }
}
