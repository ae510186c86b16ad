//! Name resolution inside a body: bindings in the order in which they were made, and the frame of one call.
//!
//! An inner scope hides an outer one: language and prelude, imports, file, signature, body, statement.
//! Signature, body and statement are one list here, searched from its end; the others are in [`crate::sema::scope::module`].

use crate::sema::regions::Region;
use crate::sema::scope::module::{ItemRef, ModuleId};
use crate::sema::value::{Instance, Value};
use crate::base::Span;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Binding {
    pub name: Arc<str>,
    pub value: Value,
    pub span: Span,
    pub kind: BindingKind,
    /// Of a declared tensor: what has been written into it.
    pub written: Vec<Region>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BindingKind {
    /// `name = expr`
    Local,
    /// An input of a function, layer or model; a data field.
    Input,
    /// A hyperparameter.
    Hyper,
    /// A dimension bound by a signature; `stretch` if it was bound to a `_`.
    Dim { stretch: bool },
    /// The variable of a `for`.
    For,
    /// The counter of a `scan`.
    Step,
    /// An index of index notation, for one statement or reducer.
    Index,
    /// `param name`
    Param,
    /// `state name`: the current value is in the table of states.
    State,
    /// `carry name`
    Carry,
    /// Declared (`z: [N, D]`).
    Declared,
}

impl BindingKind {
    /// Its name in messages.
    pub fn word(self) -> &'static str {
        match self {
            BindingKind::Local => "binding",
            BindingKind::Input => "input",
            BindingKind::Hyper => "hyperparameter",
            BindingKind::Dim { .. } => "dimension",
            BindingKind::For => "variable of a `for`",
            BindingKind::Step => "counter of a `scan`",
            BindingKind::Index => "index",
            BindingKind::Param => "parameter",
            BindingKind::State => "state",
            BindingKind::Carry => "carry",
            BindingKind::Declared => "declared tensor",
        }
    }
}

/// What kind of body is being elaborated: what may stand in it.
#[derive(Clone, Debug)]
pub enum FrameKind {
    /// The top of a file: constants, `print`, `train`, data.
    File,
    /// A function of any role but layer and model.
    Function,
    /// An activation: elementwise in its first parameter.
    Activation,
    /// A layer or model: parameters, states and instances may stand here.
    Layer(Arc<Instance>),
    /// The body of an optimiser.
    Optimizer,
}

/// One call in progress.
#[derive(Clone, Debug)]
pub struct Frame {
    pub kind: FrameKind,
    /// The item that is called; `None` at the top of a file.
    pub item: Option<ItemRef>,
    /// The file whose names are meant.
    pub module: ModuleId,
    /// The call, in the caller's text.
    pub call: Span,
    pub bindings: Vec<Binding>,
    /// Where the inner scopes that are open begin in `bindings`.
    scopes: Vec<usize>,
    /// The paths of instances, parameters and states made by this call, with their places.
    pub made: HashMap<Arc<str>, Span>,
    /// How many unnamed instances of each layer this call has made.
    pub unnamed: HashMap<String, usize>,
    /// A `require` does not hold: the rest of the body would only fail in other ways.
    pub failed: bool,
    /// The names that the body differentiates by (`grad(y, x)`): their values are marked.
    pub marked: HashSet<Arc<str>>,
    /// How many graphs were open when the body began: one more for each `scan` around its call.
    pub levels: usize,
}

impl Frame {
    /// The frame of an item that is elaborated for itself, or of the top of a file: no call leads there.
    pub fn uncalled(kind: FrameKind, item: Option<ItemRef>, module: ModuleId) -> Frame {
        Frame::new(kind, item, module, Span::NONE)
    }

    pub fn new(kind: FrameKind, item: Option<ItemRef>, module: ModuleId, call: Span) -> Frame {
        Frame {
            kind,
            item,
            module,
            call,
            bindings: Vec::new(),
            scopes: Vec::new(),
            made: HashMap::new(),
            unnamed: HashMap::new(),
            failed: false,
            marked: HashSet::new(),
            levels: 1,
        }
    }

    /// Binds a name. A local binding of that name in the same scope can never be seen again and makes room: the
    /// turns of a `for` bind the same names a thousand times.
    pub fn bind(&mut self, name: impl Into<Arc<str>>, value: Value, span: Span, kind: BindingKind) {
        let name = name.into();
        let scope = self.scopes.last().copied().unwrap_or(0);
        let hidden = self.bindings[scope..]
            .iter()
            .rposition(|earlier| earlier.name == name && matches!(earlier.kind, BindingKind::Local | BindingKind::For));
        if let Some(at) = hidden {
            self.bindings.remove(scope + at);
        }
        self.bindings.push(Binding { name, value, span, kind, written: Vec::new() });
    }

    pub fn find(&self, name: &str) -> Option<&Binding> {
        self.bindings.iter().rev().find(|binding| &*binding.name == name)
    }

    pub fn find_mut(&mut self, name: &str) -> Option<&mut Binding> {
        self.bindings.iter_mut().rev().find(|binding| &*binding.name == name)
    }

    /// For [`Frame::close`]: what is bound after it belongs to an inner scope.
    pub fn open(&mut self) -> usize {
        self.scopes.push(self.bindings.len());
        self.bindings.len()
    }

    pub fn close(&mut self, opened: usize) {
        self.bindings.truncate(opened);
        while self.scopes.last().is_some_and(|scope| *scope > opened) {
            self.scopes.pop();
        }
        self.scopes.pop();
    }
}
