//! Expressions and the names in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::Span;

use super::{IfBlock, Index, Name};

#[derive(Clone, Debug)]
pub struct Expr {
    /// Of this expression alone; a clone is the same expression.
    pub id: ExprId,
    pub kind: ExprKind,
    pub span: Span,
}

/// Tells an expression apart from all others: what is known of expressions is kept under it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExprId(u64);

impl ExprId {
    fn fresh() -> ExprId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        ExprId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
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
    /// `Net(x) at w`: an expression whose networks have these parameters.
    At {
        value: Box<Expr>,
        parameters: Box<Expr>,
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
        Expr { id: ExprId::fresh(), kind, span }
    }

    /// The name, if the expression is nothing but a name.
    pub fn as_name(&self) -> Option<&Arc<str>> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
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
