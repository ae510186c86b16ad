//! Data, training, and the other items that run in order: `print`, `expect`, `plot`, `generate`, and loops of these;
//! what a `sweep` tries.

use crate::base::Span;

use super::{Args, Doc, Expr, ForRange, Item, Name, Type};

/// `data NAME = source { fields }`
#[derive(Clone, Debug)]
pub struct Data {
    pub name: Name,
    /// The call after `=`.
    pub source: Option<Expr>,
    pub fields: Vec<DataField>,
    pub rows: Option<Setting>,
    pub seed: Option<Setting>,
    pub split: Option<Split>,
    /// The conditions of `drop rows where`.
    pub drops: Vec<Expr>,
    pub windows: Option<Windows>,
}

/// `name = expr`, `name: type = expr`, or `name: type` of data that the program is given.
#[derive(Clone, Debug)]
pub struct DataField {
    pub doc: Option<Doc>,
    pub name: Name,
    pub ty: Option<Type>,
    pub value: Option<Expr>,
    pub span: Span,
}

/// `windows series = column("station"), stride = 12`
#[derive(Clone, Debug)]
pub struct Windows {
    pub options: Vec<Setting>,
    pub span: Span,
}

/// `split train = 0.8, test = 0.2, stratify = kind`
#[derive(Clone, Debug)]
pub struct Split {
    pub parts: Vec<Setting>,
    /// What says how rows are divided, apart from the parts: [`SPLIT_OPTIONS`].
    pub options: Vec<Setting>,
    pub span: Span,
}

/// Names in a `split` that are none of parts.
pub const SPLIT_OPTIONS: [&str; 5] = ["in_order", "stratify", "group", "folds", "fold"];

impl Split {
    /// The option of this name, if it is given.
    pub fn option(&self, name: &str) -> Option<&Setting> {
        self.options.iter().find(|option| option.name.as_str() == name)
    }
}

/// `name = expr`
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: Name,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Train {
    /// A `train` need not have a name.
    pub name: Option<Name>,
    /// `data = …`, `validate = …`, `batch = …`: all lines `name = expr` in order.
    pub settings: Vec<Setting>,
    /// `data NAME = …`: what each step draws rows of beside those of the setting `data`.
    pub companions: Vec<Companion>,
    pub minimize: Vec<Minimize>,
    pub measures: Vec<Measure>,
    /// `A <- …` and `init A = …`, in order.
    pub updates: Vec<Update>,
    /// `every 10 epochs { … }`, in order.
    pub intervals: Vec<Interval>,
    /// The word `train`.
    pub keyword_span: Span,
}

/// `every 10 epochs { … }`: what is carried out while it trains.
#[derive(Clone, Debug)]
pub struct Interval {
    /// Without a number it is each.
    pub count: Option<Expr>,
    pub unit: IntervalUnit,
    /// `print`, `expect`, `plot` and `generate`.
    pub items: Vec<Item>,
    /// From the word `every` to the unit.
    pub header_span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntervalUnit {
    Epochs,
    Steps,
}

/// `for NAME in RANGE { … }` around items that are carried out.
#[derive(Clone, Debug)]
pub struct ForItems {
    pub variable: Name,
    pub over: ForRange,
    pub items: Vec<Item>,
    pub span: Span,
}

/// `sweep { … }`: what is tried, and how trials are judged.
#[derive(Clone, Debug)]
pub struct Sweep {
    pub tried: Vec<Tried>,
    /// `trials = 32`, `by = "validation accuracy"`: all lines `name = expr` in order.
    pub settings: Vec<Setting>,
    /// The word `sweep`.
    pub keyword_span: Span,
}

/// `lr in 1e-4..1e-1, log = true`, `WIDTH in [8, 16]`: a line of a `sweep`.
#[derive(Clone, Debug)]
pub struct Tried {
    pub name: Name,
    pub values: ForRange,
    pub options: Vec<Setting>,
    pub span: Span,
}

/// `data NAME = DATA, batch = n`: a line of a `train`.
#[derive(Clone, Debug)]
pub struct Companion {
    /// What its fields begin with in losses: `NAME.x`.
    pub name: Name,
    pub data: Expr,
    pub options: Vec<Setting>,
    pub span: Span,
}

/// `minimize LOSS with OPTIMIZER over A, B over C with OTHER, clip_norm = c`
#[derive(Clone, Debug)]
pub struct Minimize {
    pub loss: Expr,
    /// `with A else B`, each for the parameters that those before it do not take. Empty if all stand in groups.
    pub methods: Vec<Expr>,
    /// Empty: all models that the loss calls.
    pub over: Vec<Expr>,
    pub groups: Vec<Group>,
    /// `clip_norm = c`, `clip_value = c`
    pub options: Vec<Setting>,
    pub span: Span,
}

impl Minimize {
    /// The optimizers of the line and of its groups.
    pub fn optimizers(&self) -> impl Iterator<Item = &Expr> {
        self.methods.iter().chain(self.groups.iter().flat_map(|group| &group.methods))
    }
}

/// `over Net.head, "*.bias" with A else B`: parameters with a method of their own.
#[derive(Clone, Debug)]
pub struct Group {
    pub places: Vec<Expr>,
    pub methods: Vec<Expr>,
    pub span: Span,
}

/// `Teacher <- expr`, parameters that are computed in each step, or `init Teacher = expr`, before the first one.
#[derive(Clone, Debug)]
pub struct Update {
    pub target: Expr,
    pub value: Expr,
    pub is_start: bool,
    /// How many `minimize` lines stand before it.
    pub after: usize,
    pub span: Span,
}

/// `measure NAME = expr` or `measure expr`
#[derive(Clone, Debug)]
pub struct Measure {
    pub name: Option<Name>,
    pub value: Expr,
    pub span: Span,
}

/// `print expr`; several are printed on one line.
#[derive(Clone, Debug)]
pub struct Print {
    pub values: Vec<Expr>,
}

/// `expect cond, "message"`
#[derive(Clone, Debug)]
pub struct Expect {
    pub condition: Expr,
    pub message: Option<Expr>,
}

/// `plot args`
#[derive(Clone, Debug)]
pub struct Plot {
    pub args: Args,
}

/// `generate MODEL from PROMPT with CHOICE, length = n`
#[derive(Clone, Debug)]
pub struct Generate {
    pub model: Expr,
    pub prompt: Expr,
    /// Gets the scores of the next character as its first argument and gives one of them.
    pub choice: Expr,
    /// `length = …`, `seed = …`, `data = …`
    pub options: Vec<Setting>,
}
