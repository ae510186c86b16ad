//! The syntax tree of a `.nn` file, with the span of every node.
//!
//! The tree is already checked for form: what stands on the left of `=` is a pattern or an index
//! target, a reducer is a [`ExprKind::Reduce`], `i < N` on a left-hand side is an index with a
//! range. Parentheses leave no node (the span of the inner expression takes them in). No node is
//! nested deeper than [`MAX_DEPTH`], so passes may recurse.
//!
//! Nodes carry spans and therefore have no `PartialEq`; two trees are compared by
//! [`super::print`], which leaves the spans out.

mod expressions;
mod run;
mod statements;
mod types;

use std::fmt;
use std::sync::Arc;

use crate::base::{FileId, Span};

pub use expressions::*;
pub use run::*;
pub use statements::*;
pub use types::*;

/// The deepest nesting of expressions and blocks that the parser lets through.
pub const MAX_DEPTH: usize = if cfg!(feature = "system") { 200 } else { 32 };

/// One source file. Items that could not be parsed are in `broken`, all others in `items`.
#[derive(Clone, Debug, Default)]
pub struct File {
    pub id: FileId,
    /// In the order of the text.
    pub items: Vec<Item>,
    pub broken: Vec<BrokenItem>,
}

/// An item with a syntax error, reported already. Its name exists, nothing else is known of it:
/// a use of the name is no error.
#[derive(Clone, Debug)]
pub struct BrokenItem {
    /// The word the item begins with, `layer`; empty if the text there is no item at all.
    pub keyword: Arc<str>,
    pub name: Option<Name>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub doc: Option<Doc>,
    pub kind: ItemKind,
    /// From the item's first word to its end, without the doc comment.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ItemKind {
    Precision(Precision),
    Import(Import),
    Const(Const),
    /// Everything with a name, parameters and a body.
    Definition(Box<Definition>),
    Data(Box<Data>),
    Train(Box<Train>),
    Print(Print),
    Expect(Expect),
    Plot(Plot),
    Generate(Generate),
    Sweep(Box<Sweep>),
    For(Box<ForItems>),
}

/// The text of the `##` lines above a declaration, without the marks, lines joined by newlines.
#[derive(Clone, Debug)]
pub struct Doc {
    pub text: Arc<str>,
    pub span: Span,
}

#[derive(Clone)]
pub struct Name {
    pub text: Arc<str>,
    pub span: Span,
}

/// `precision = f64`
#[derive(Clone, Debug)]
pub struct Precision {
    pub float: FloatWidth,
    pub span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FloatWidth {
    F32,
    F64,
}

/// `import "file.nn"`
#[derive(Clone, Debug)]
pub struct Import {
    pub path: Arc<str>,
    pub path_span: Span,
}

/// `const NAME = expr`, `const NAME: type = expr`
#[derive(Clone, Debug)]
pub struct Const {
    pub name: Name,
    pub ty: Option<Type>,
    pub value: Expr,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Role {
    Activation,
    Fn,
    Layer,
    Loss,
    Metric,
    Init,
    Schedule,
    Optimizer,
    Model,
}

/// A function of some role, a layer, a model or an optimiser.
///
/// Which list is which: `layer` has hyperparameters and inputs (a single list is the inputs);
/// `model`, `fn`, `loss`, `metric` and `activation` have inputs (a model may have both);
/// `init`, `schedule` and `optimizer` have hyperparameters.
#[derive(Clone, Debug)]
pub struct Definition {
    pub role: Role,
    pub name: Name,
    pub hyper: Option<ParameterList>,
    pub inputs: Option<ParameterList>,
    /// After `->`; for an `init` the pattern of the shape asked for, after `:`.
    pub result: Option<Type>,
    /// `metric f1(z, y) whole { … }`: the span of the word `whole`.
    pub whole: Option<Span>,
    /// A body given by `= expr` has no statements.
    pub body: Block,
    /// The derivative that an activation gives for itself.
    pub gradient: Option<Block>,
    /// Whether that is another derivative than the true one on purpose: its clause begins with `surrogate`.
    pub is_surrogate: bool,
}

#[derive(Clone, Debug)]
pub struct ParameterList {
    pub parameters: Vec<Parameter>,
    /// With its parentheses.
    pub span: Span,
}

/// `name`, `name: type`, `name = default`, `name: type = default`
#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: Name,
    pub ty: Option<Type>,
    pub default: Option<Expr>,
    pub span: Span,
}

impl Name {
    pub fn new(text: impl Into<Arc<str>>, span: Span) -> Name {
        Name { text: text.into(), span }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.text, self.span)
    }
}

impl Item {
    /// The `train` that it is, or those in its loop, in the order of the text.
    pub fn trainings(&self) -> Vec<&Train> {
        let mut found = Vec::new();
        visit(std::slice::from_ref(self), &mut |kind| {
            if let ItemKind::Train(train) = kind {
                found.push(&**train);
            }
        });
        found
    }
}

impl ItemKind {
    /// The name that the item declares in its file.
    pub fn name(&self) -> Option<&Name> {
        match self {
            ItemKind::Const(item) => Some(&item.name),
            ItemKind::Definition(item) => Some(&item.name),
            ItemKind::Data(item) => Some(&item.name),
            ItemKind::Train(item) => item.name.as_ref(),
            ItemKind::Precision(_)
            | ItemKind::Import(_)
            | ItemKind::Print(_)
            | ItemKind::Expect(_)
            | ItemKind::Plot(_)
            | ItemKind::Generate(_)
            | ItemKind::Sweep(_)
            | ItemKind::For(_) => None,
        }
    }

    /// The word that the item begins with.
    pub fn keyword(&self) -> &'static str {
        match self {
            ItemKind::Precision(_) => "precision",
            ItemKind::Import(_) => "import",
            ItemKind::Const(_) => "const",
            ItemKind::Definition(item) => item.role.keyword(),
            ItemKind::Data(_) => "data",
            ItemKind::Train(_) => "train",
            ItemKind::Print(_) => "print",
            ItemKind::Expect(_) => "expect",
            ItemKind::Plot(_) => "plot",
            ItemKind::Generate(_) => "generate",
            ItemKind::Sweep(_) => "sweep",
            ItemKind::For(_) => "for",
        }
    }
}

impl File {
    /// All `train` items, also those in loops, in the order of the text.
    pub fn trainings(&self) -> Vec<&Train> {
        self.items.iter().flat_map(Item::trainings).collect()
    }

    /// The first `sweep`.
    pub fn sweep(&self) -> Option<&Sweep> {
        self.items.iter().find_map(|item| match &item.kind {
            ItemKind::Sweep(sweep) => Some(&**sweep),
            _ => None,
        })
    }

    /// Calls `change` with every item, also with those in loops and in `every`, outer ones first.
    pub fn change_items(&mut self, change: &mut dyn FnMut(&mut ItemKind)) {
        change_all(&mut self.items, change);
    }
}

fn visit<'a>(items: &'a [Item], look: &mut dyn FnMut(&'a ItemKind)) {
    for item in items {
        look(&item.kind);
        if let ItemKind::For(header) = &item.kind {
            visit(&header.items, look);
        }
    }
}

fn change_all(items: &mut [Item], change: &mut dyn FnMut(&mut ItemKind)) {
    for item in items {
        change(&mut item.kind);
        match &mut item.kind {
            ItemKind::For(header) => change_all(&mut header.items, change),
            ItemKind::Train(train) => {
                train.intervals.iter_mut().for_each(|interval| change_all(&mut interval.items, change));
            }
            _ => {}
        }
    }
}

impl Role {
    pub const ALL: [Role; 9] = [
        Role::Activation,
        Role::Fn,
        Role::Layer,
        Role::Loss,
        Role::Metric,
        Role::Init,
        Role::Schedule,
        Role::Optimizer,
        Role::Model,
    ];

    /// The word that introduces an item of this role.
    pub fn keyword(self) -> &'static str {
        match self {
            Role::Activation => "activation",
            Role::Fn => "fn",
            Role::Layer => "layer",
            Role::Loss => "loss",
            Role::Metric => "metric",
            Role::Init => "init",
            Role::Schedule => "schedule",
            Role::Optimizer => "optimizer",
            Role::Model => "model",
        }
    }
}
