//! The syntax tree of a `.nn` file: what the text says, with the place of every part.
//!
//! The tree is already checked for form: what stands on the left of `=` is a pattern or an index
//! target, a reducer is a [`ExprKind::Reduce`], `i < N` on a left-hand side is an index with a
//! range. Parentheses leave no node (the span of the inner expression takes them in). No node is
//! nested deeper than [`MAX_DEPTH`], so passes may recurse.
//!
//! Nodes carry spans and therefore have no `PartialEq`; two trees are compared by
//! [`super::print`], which leaves the spans out.

use std::fmt;
use std::sync::Arc;

use crate::base::{FileId, Span};

/// The deepest nesting of expressions and blocks that the parser lets through.
pub const MAX_DEPTH: usize = 200;

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
    pub gradient: Option<Expr>,
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

// ---------------------------------------------------------------------------------------- types

#[derive(Clone, Debug)]
pub struct Type {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `[B, 784]`, `int[B, T]`, `class(10)`, `float`; a scalar has no dimensions.
    Tensor { element: Element, dims: Vec<Dim> },
    /// `([B, 2], [B])`, results only.
    Tuple(Vec<Type>),
}

#[derive(Clone, Debug)]
pub enum Element {
    Float,
    Int,
    Bool,
    /// `class(n)`: an int known to lie in `0..n`.
    Class(Box<Expr>),
}

#[derive(Clone, Debug)]
pub struct Dim {
    pub kind: DimKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum DimKind {
    /// A whole number, a name or arithmetic on them.
    Size(Expr),
    /// `...` or `...s`
    Pack(Option<Name>),
    /// `_`, a size 1 that stretches.
    Stretch,
}

// ----------------------------------------------------------------------------------- statements

/// Statements and the value of the last expression. The blocks of `if` and `for` are no scopes.
#[derive(Clone, Debug)]
pub struct Block {
    pub statements: Vec<Statement>,
    /// The last expression. An `if` block in last place is the value if it has an `else` and
    /// every branch has a value; otherwise it is a [`StatementKind::If`].
    pub value: Option<Box<Expr>>,
    /// With its braces, or the expression after `=`.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Statement {
    pub doc: Option<Doc>,
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `name = expr`, `name: type = expr`, `fc{l} = expr`, `features.{3} = expr`
    Bind {
        target: Path,
        ty: Option<Type>,
        value: Expr,
    },
    /// `(a, _, c) = expr`; `None` stands for `_`.
    Unpack {
        names: Vec<Option<Name>>,
        pattern_span: Span,
        value: Expr,
    },
    /// `y[b, o] = expr`, `y[dst[e], d] += expr`
    Define(IndexDefinition),
    /// `name <- expr`
    Update {
        target: Path,
        value: Expr,
    },
    /// `z: [N, D]`: declared, all zeros.
    Declare {
        name: Name,
        ty: Type,
    },
    /// `param name: type = expr [frozen]`
    Param {
        name: Path,
        ty: Option<Type>,
        value: Option<Expr>,
        frozen: Option<Span>,
    },
    /// `state name[: type] = expr`
    State {
        name: Path,
        ty: Option<Type>,
        value: Option<Expr>,
    },
    /// `carry name[: type] = expr`
    Carry {
        name: Name,
        ty: Option<Type>,
        value: Option<Expr>,
    },
    /// `collect name = expr along axis`; `collect h along 1` collects `h` under its own name.
    Collect {
        name: Name,
        value: Expr,
        axis: Option<Expr>,
    },
    Scan(Scan),
    /// `require cond, "message"`
    Require {
        condition: Expr,
        message: Option<Expr>,
    },
    For(For),
    /// An `if` block that is not a value.
    If(Box<IfBlock>),
    /// An expression that is neither bound nor last, reported already.
    Stray(Expr),
}

#[derive(Clone, Debug)]
pub struct IndexDefinition {
    pub name: Name,
    pub subscripts: Vec<TargetSubscript>,
    /// `else skip` at the end of the list: what would be written outside is dropped.
    pub otherwise: Option<Otherwise>,
    /// The whole left-hand side.
    pub target_span: Span,
    pub op: DefineOp,
    pub op_span: Span,
    pub value: Expr,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DefineOp {
    /// `=`
    Set,
    /// `+=`
    Add,
}

#[derive(Clone, Debug)]
pub struct TargetSubscript {
    pub kind: TargetSubscriptKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TargetSubscriptKind {
    /// A bare name, always an index; `i < N` writes its range.
    Index(Index),
    /// `...s`: a pack of indices.
    Pack(Name),
    /// `S*i + u`, `0`, `dst[e]`
    Expr(Expr),
}

/// An index introduced by a left-hand side or a reducer, with its range if that is written.
#[derive(Clone, Debug)]
pub struct Index {
    pub name: Name,
    pub bound: Option<Expr>,
}

/// `scan [reverse] t < T { … }`
#[derive(Clone, Debug)]
pub struct Scan {
    /// The span of the word `reverse`.
    pub reverse: Option<Span>,
    pub variable: Name,
    pub bound: Expr,
    pub body: Block,
    /// `scan t < T`, without the body.
    pub header_span: Span,
}

/// `for l in 0..n { … }`
#[derive(Clone, Debug)]
pub struct For {
    pub variable: Name,
    pub over: ForRange,
    pub body: Block,
}

#[derive(Clone, Debug)]
pub enum ForRange {
    /// `start..end`, without `end`.
    Range { start: Expr, end: Expr },
    /// The elements of a compile-time list.
    List(Expr),
}

/// `if c { … } else if d { … } else { … }`
#[derive(Clone, Debug)]
pub struct IfBlock {
    /// At least one.
    pub branches: Vec<IfBranch>,
    pub otherwise: Option<Block>,
}

#[derive(Clone, Debug)]
pub struct IfBranch {
    pub condition: Expr,
    pub body: Block,
}

// ---------------------------------------------------------------------------------- expressions

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number without point or exponent.
    Int(i64),
    /// A number with point or exponent.
    Float(f64),
    Str(Vec<StrPiece>),
    Constant(Constant),
    Name(Arc<str>),
    /// A name with compile-time parts, `fc{l}`.
    Template(TemplateName),
    /// `[a, b]`; elements may be [`ExprKind::Spread`].
    List(Vec<Expr>),
    /// `(a, b)`: two elements or more.
    Tuple(Vec<Expr>),
    /// `...s`, as an element of a list only: the sizes of a pack.
    Spread(Name),
    Unary {
        op: UnaryOp,
        op_span: Span,
        operand: Box<Expr>,
    },
    Binary {
        op: BinaryOp,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `if c then a else b`
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// An `if` block used as a value: it has an `else`.
    IfBlock(Box<IfBlock>),
    /// `f(a, name = b)`; a second list, `Attention(8)(mask)`, is a call of a call.
    Call {
        callee: Box<Expr>,
        args: Args,
    },
    /// `x |> f |> g(a)`: each stage is a name, a path or a call. At least one stage.
    Pipeline {
        input: Box<Expr>,
        stages: Vec<Expr>,
    },
    /// `x[:, -1, i else 0]`
    Subscript {
        base: Box<Expr>,
        subscripts: Subscripts,
    },
    /// `sum[i < N, j](body)`
    Reduce(Box<Reduce>),
    /// `base.name`, `features.{3}`, `blocks.0`
    Field {
        base: Box<Expr>,
        name: TemplateName,
    },
    /// `base.T`
    Transpose(Box<Expr>),
    /// `a:b`, as an argument only: `columns(0:64)`.
    Slice(Box<Slice>),
    /// Something that was reported already.
    Error,
}

#[derive(Clone, Debug)]
pub enum StrPiece {
    /// With escapes resolved.
    Text(String),
    /// `{expr}`
    Expr(Expr),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Constant {
    True,
    False,
    None,
    Pi,
    Inf,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    Neg,
    Not,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Add,
    Sub,
    Mul,
    Div,
    MatMul,
    Pow,
}

/// The arguments of a call in the order of the text.
#[derive(Clone, Debug)]
pub struct Args {
    pub args: Vec<Arg>,
    /// With its parentheses.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Arg {
    pub name: Option<Name>,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Subscripts {
    pub items: Vec<Subscript>,
    /// `else value`, `else skip` at the end of the list.
    pub otherwise: Option<Otherwise>,
    /// With its brackets.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Subscript {
    pub kind: SubscriptKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum SubscriptKind {
    At(Expr),
    Slice(Slice),
    /// `new`: a stretchable axis.
    New,
    /// `...`: all axes not named.
    Rest,
    /// `...s`: a pack of indices.
    Pack(Name),
}

/// `start:end:step`
#[derive(Clone, Debug)]
pub struct Slice {
    pub start: Option<Expr>,
    pub end: Option<Expr>,
    pub step: Option<Expr>,
}

/// What a read outside the tensor gives.
#[derive(Clone, Debug)]
pub enum Otherwise {
    Value(Box<Expr>),
    /// The span of the word `skip`.
    Skip(Span),
}

#[derive(Clone, Debug)]
pub struct Reduce {
    pub op: ReduceOp,
    pub op_span: Span,
    pub indices: Vec<ReduceIndex>,
    pub body: Expr,
}

#[derive(Clone, Debug)]
pub enum ReduceIndex {
    Index(Index),
    /// `...s`
    Pack(Name),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReduceOp {
    Sum,
    Mean,
    Prod,
    Max,
    Min,
    Argmax,
    Argmin,
    Any,
    All,
}

/// One part of a dotted name: text and compile-time expressions, `weight_ih_l{l}`, `{3}`.
#[derive(Clone, Debug)]
pub struct TemplateName {
    pub pieces: Vec<NamePiece>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum NamePiece {
    Text(Arc<str>),
    Expr(Expr),
}

/// A dotted name that is bound: `h`, `fc{l}`, `features.{3}`. At least one part.
#[derive(Clone, Debug)]
pub struct Path {
    pub parts: Vec<TemplateName>,
    pub span: Span,
}

// ------------------------------------------------------------------------------- data and train

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
}

/// `name = expr`, `name: type = expr`
#[derive(Clone, Debug)]
pub struct DataField {
    pub doc: Option<Doc>,
    pub name: Name,
    pub ty: Option<Type>,
    pub value: Expr,
    pub span: Span,
}

/// `split train = 0.8, test = 0.2, in_order = true`
#[derive(Clone, Debug)]
pub struct Split {
    pub parts: Vec<Setting>,
    /// `in_order`, kept apart from the parts.
    pub in_order: Option<Setting>,
    pub span: Span,
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
    pub minimize: Vec<Minimize>,
    pub measures: Vec<Measure>,
    /// The word `train`.
    pub keyword_span: Span,
}

/// `minimize LOSS with OPTIMIZER over A, B, clip_norm = c`
#[derive(Clone, Debug)]
pub struct Minimize {
    pub loss: Expr,
    /// Missing `with` is reported already.
    pub optimizer: Expr,
    /// Empty: all models that the loss calls.
    pub over: Vec<Expr>,
    /// `clip_norm = c`, `clip_value = c`
    pub options: Vec<Setting>,
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

// -------------------------------------------------------------------------------------- helpers

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
            | ItemKind::Plot(_) => None,
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

impl Constant {
    pub fn as_str(self) -> &'static str {
        match self {
            Constant::True => "true",
            Constant::False => "false",
            Constant::None => "none",
            Constant::Pi => "pi",
            Constant::Inf => "inf",
        }
    }

    pub fn from_name(name: &str) -> Option<Constant> {
        match name {
            "true" => Some(Constant::True),
            "false" => Some(Constant::False),
            "none" => Some(Constant::None),
            "pi" => Some(Constant::Pi),
            "inf" => Some(Constant::Inf),
            _ => None,
        }
    }
}

impl UnaryOp {
    pub fn as_str(self) -> &'static str {
        match self {
            UnaryOp::Neg => "-",
            UnaryOp::Not => "not",
        }
    }
}

impl BinaryOp {
    pub fn as_str(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::MatMul => "@",
            BinaryOp::Pow => "^",
        }
    }

    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
        )
    }
}

impl ReduceOp {
    pub fn as_str(self) -> &'static str {
        match self {
            ReduceOp::Sum => "sum",
            ReduceOp::Mean => "mean",
            ReduceOp::Prod => "prod",
            ReduceOp::Max => "max",
            ReduceOp::Min => "min",
            ReduceOp::Argmax => "argmax",
            ReduceOp::Argmin => "argmin",
            ReduceOp::Any => "any",
            ReduceOp::All => "all",
        }
    }

    pub fn from_name(name: &str) -> Option<ReduceOp> {
        Some(match name {
            "sum" => ReduceOp::Sum,
            "mean" => ReduceOp::Mean,
            "prod" => ReduceOp::Prod,
            "max" => ReduceOp::Max,
            "min" => ReduceOp::Min,
            "argmax" => ReduceOp::Argmax,
            "argmin" => ReduceOp::Argmin,
            "any" => ReduceOp::Any,
            "all" => ReduceOp::All,
            _ => return None,
        })
    }
}

impl Expr {
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr { kind, span }
    }

    /// The name, if the expression is nothing but a name.
    pub fn as_name(&self) -> Option<&Arc<str>> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The text, if the expression is a string without `{expr}`.
    pub fn as_plain_str(&self) -> Option<String> {
        let ExprKind::Str(pieces) = &self.kind else { return None };
        pieces
            .iter()
            .map(|piece| match piece {
                StrPiece::Text(text) => Some(text.as_str()),
                StrPiece::Expr(_) => None,
            })
            .collect()
    }
}

impl TemplateName {
    /// The text, if the name has no compile-time parts.
    pub fn as_plain(&self) -> Option<&Arc<str>> {
        match self.pieces.as_slice() {
            [NamePiece::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl Path {
    /// The name, if the path is a single one without compile-time parts.
    pub fn as_plain(&self) -> Option<&Arc<str>> {
        match self.parts.as_slice() {
            [part] => part.as_plain(),
            _ => None,
        }
    }
}

impl Args {
    pub fn positional(&self) -> impl Iterator<Item = &Arg> {
        self.args.iter().filter(|arg| arg.name.is_none())
    }

    pub fn named(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|arg| arg.name.as_ref().is_some_and(|given| &*given.text == name))
    }
}
