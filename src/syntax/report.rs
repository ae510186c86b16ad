//! What can be wrong with a text, as data, and how it is told: here with an item that the grammar accepts.

mod brackets;
mod foreign;
mod parse;
mod slips;
mod strays;

use std::sync::Arc;

use crate::base::{Diagnostic, Span};

use super::ast::{MAX_DEPTH, Name, Role};
pub(super) use brackets::{BracketError, partner_of};
pub(super) use foreign::{ForeignConstruct, ForeignSign, Sign};
pub(super) use parse::{
    Advice, BraceError, Expected, Found, LineError, LineWithWith, MeantByComma, MeantType, MissingError,
    NameError, ParseError, Unexpected,
};
pub(super) use slips::{NumberError, SlipError};
pub(super) use strays::{MeantItem, StrayError};

/// What the builder of the tree finds.
#[derive(Clone, Debug)]
pub(super) enum BuildError {
    Item(ItemError),
    Statement(StatementError),
    Expr(ExprError),
}

/// What is wrong with an item as a whole.
#[derive(Clone, Debug)]
pub(super) enum ItemError {
    Precision { word: String, at: Span },
    /// An expression in the name of an imported file.
    ImportedExpr { at: Span },
    GradientOf { role: Role, at: Span },
    WholeOf { role: Role, at: Span },
    NoInputs { role: Role, name: Name },
    SecondList { role: Role, at: Span },
    /// `->` of an init.
    Arrow { at: Span },
    /// `:` of anything else.
    Colon { at: Span },
    OptimizerValue { at: Span },
    /// A body that ends without an expression.
    NoValue { role: Role, name: Span, at: Span },
    EmptyData { at: Span },
    GivenTwice { name: Arc<str>, first: Span, at: Span },
    /// An item in the braces of `for` or `every` that is not carried out there.
    NotInBlock { word: &'static str, block: &'static str, at: Span },
}

/// What is wrong with a statement.
#[derive(Clone, Debug)]
pub(super) enum StatementError {
    /// `z += x` of a whole tensor.
    AddedToWhole { name: String, op: Span, at: Span },
    /// `s[i] <- x`
    UpdatedElements { at: Span },
    DeclaredPath { at: Span },
    PatternNotName { at: Span },
    SubscriptNotIndex { at: Span },
    NotTarget { of: Assigned, at: Span },
    /// An `if` block that is a value and has no `else`.
    NoElse { at: Span },
    BranchWithoutValue { branch: Span, at: Span },
    /// The value at the end of the block of a loop.
    /// The end of a loop's body, and what to do if other languages have such a statement.
    LoopValue { word: &'static str, advice: Option<&'static str>, at: Span },
    Lost { meant: MeantByLost, at: Span },
}

/// How a name gets what stands behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Assigned {
    Bound,
    Added,
    Updated,
    Declared,
}

/// What was probably meant by an expression whose value is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MeantByLost {
    /// `s < - x`: the places of both signs.
    Update(Span),
    /// What other languages mean by it, and what to do here.
    Elsewhere(&'static str),
    /// A line that begins with a minus.
    LineBefore,
    Nothing,
}

/// What is wrong with an expression.
#[derive(Clone, Debug)]
pub(super) enum ExprError {
    Constant { name: Arc<str>, at: Span },
    Nesting { at: Span },
    LargeInt { text: String, at: Span },
    LargeFloat { text: String, at: Span },
    Hole { at: Span },
    Escape { character: char, at: Span },
    UnnamedPack { at: Span },
    TupleOfOne { at: Span },
    TwoPoints { text: String, at: Span },
    EmptyBrackets { at: Span },
    Reducer(ReducerError),
    NotStage { at: Span },
    ComparedAgain { first: Span, at: Span },
    LooseNot { at: Span },
}

/// What is wrong with a reducer, `sum[i](x[i])`.
#[derive(Clone, Debug)]
pub(super) enum ReducerError {
    Else { at: Span },
    Body { word: &'static str, at: Span },
    Index { word: &'static str, at: Span },
}

impl From<ItemError> for BuildError {
    fn from(error: ItemError) -> BuildError {
        BuildError::Item(error)
    }
}

impl From<StatementError> for BuildError {
    fn from(error: StatementError) -> BuildError {
        BuildError::Statement(error)
    }
}

impl From<ExprError> for BuildError {
    fn from(error: ExprError) -> BuildError {
        BuildError::Expr(error)
    }
}

impl BuildError {
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            BuildError::Item(error) => error.diagnostic(),
            BuildError::Statement(error) => error.diagnostic(),
            BuildError::Expr(error) => error.diagnostic(),
        }
    }

    /// Whether the end of a body is wrong already: that it has no value needs no saying.
    pub fn is_of_last_statement(&self) -> bool {
        match self {
            BuildError::Expr(error) => matches!(error, ExprError::Nesting { .. }),
            BuildError::Statement(error) => {
                !matches!(error, StatementError::LoopValue { .. } | StatementError::Lost { .. })
            }
            BuildError::Item(_) => false,
        }
    }

    /// Whether a value is missing.
    pub fn is_missing_value(&self) -> bool {
        matches!(
            self,
            BuildError::Item(ItemError::NoValue { .. })
                | BuildError::Statement(StatementError::NoElse { .. } | StatementError::BranchWithoutValue { .. })
        )
    }

    /// The place of a value that is lost.
    pub fn lost_value(&self) -> Option<Span> {
        match self {
            BuildError::Item(ItemError::OptimizerValue { at })
            | BuildError::Statement(StatementError::LoopValue { at, .. } | StatementError::Lost { at, .. }) => {
                Some(*at)
            }
            _ => None,
        }
    }
}

fn error(code: &'static str, message: impl Into<String>, at: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, message).at(at, label)
}

impl ItemError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ItemError::Precision { word, at } => {
                error("E0001", format!("there is no precision `{word}`"), *at, "`f32` or `f64`")
            }
            ItemError::ImportedExpr { at } => {
                error("E0013", "the name of an imported file is written out", *at, "no expression stands here")
            }
            ItemError::GradientOf { role, at } => {
                let message = format!("only functions give their own `gradient`, not a {}", role.keyword());
                error("E0013", message, *at, "not allowed here")
            }
            ItemError::WholeOf { role, at } => {
                let message = format!("only a metric may be `whole`, not a {}", role.keyword());
                error("E0013", message, *at, "not allowed here")
            }
            ItemError::NoInputs { role, name } => {
                let label = format!("a {} takes its inputs in parentheses", role.keyword());
                let end = Span { start: name.span.end, ..name.span };
                let error = error("E0013", format!("`{name}` has no list of inputs"), name.span, label);
                match role {
                    Role::Model => error.help("for example `model Net(x: [B, 4]) -> [B, 3] { x |> Linear(8) |> relu |> Linear(3) }`"),
                    _ => error.suggest("without inputs write", end, "()"),
                }
            }
            ItemError::SecondList { role, at } => {
                let message = format!("only layers, models and optimizers have two lists, not a {}", role.keyword());
                error("E0013", message, *at, "a second list").help("put everything into the first list")
            }
            ItemError::Arrow { at } => {
                error("E0013", "an init names the shape it makes after `:`", *at, "not an arrow")
                    .suggest("write", *at, ":")
            }
            ItemError::Colon { at } => {
                error("E0013", "the type of the result stands after `->`", *at, "not a colon")
                    .suggest("write", *at, " ->")
            }
            ItemError::OptimizerValue { at } => {
                error("E0006", "an optimizer has no value", *at, "this expression is lost")
                    .help("an optimizer ends with `param <- …`")
            }
            ItemError::NoValue { role, name, at } => {
                let message = format!("this {} has no value", role.keyword());
                error("E0015", message, *at, "the body ends without an expression")
                    .and_at(*name, "declared here")
                    .help("the last expression of a body is its value")
            }
            ItemError::EmptyData { at } => {
                let message = "a data declaration has a source or fields";
                error("E0001", message, *at, "expected `= source` or `{ fields }`")
            }
            ItemError::GivenTwice { name, first, at } => {
                error("E0014", format!("`{name}` is given twice"), *at, "given again").and_at(*first, "given first")
            }
            ItemError::NotInBlock { word, block: "every", at } => {
                let message = format!("`{word}` does not stand in the braces of `every`");
                error("E0884", message, *at, "not while a training is at work")
                    .help("`print`, `expect`, `plot` and `generate` stand there")
            }
            ItemError::NotInBlock { word, block, at } => {
                let message = format!("`{word}` does not stand in the braces of `{block}`");
                error("E0884", message, *at, "a declaration is one for the whole file").help(
                    "`train`, `print`, `expect`, `plot`, `generate` and `for` stand there; declare it outside, as a function of what the loop changes",
                )
            }
        }
    }
}

impl StatementError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            StatementError::AddedToWhole { name, op, at } => {
                error("E0007", "`+=` adds to elements chosen by indices", *at, "this names a whole tensor")
                    .suggest("bind the name again", *op, format!("= {name} +"))
            }
            StatementError::UpdatedElements { at } => {
                error("E0007", "`<-` updates a whole state", *at, "these are elements of one")
                    .help("define the new value with `=` first, then say `state <- value`")
            }
            StatementError::DeclaredPath { at } => {
                error("E0007", "a tensor that is declared has a plain name", *at, "not a plain name")
            }
            StatementError::PatternNotName { at } => {
                error("E0007", "only names stand in a pattern", *at, "this is not a name")
                    .help("`(a, _, c) = f(x)` takes a tuple apart; `_` drops an element")
            }
            StatementError::SubscriptNotIndex { at } => {
                error("E0007", "an index stands here on the left-hand side", *at, "slices are for reading")
                    .help("write an index, `y[i] = x[i]`; its range is the size of the axis it subscripts")
            }
            StatementError::NotTarget { of, at } => of.not_a_target(*at),
            StatementError::NoElse { at } => {
                let message = "this `if` is used as a value and has no `else`";
                error("E0012", message, *at, "no value if the condition does not hold").help("add `else { … }`")
            }
            StatementError::BranchWithoutValue { branch, at } => {
                error("E0012", "a branch of this `if` has no value", *branch, "ends without an expression")
                    .and_at(Span { end: at.start + 2, ..*at }, "used as a value")
            }
            StatementError::LoopValue { word, advice, at } => {
                error("E0006", format!("the block of a {word} has no value"), *at, "this expression is lost")
                    .help(advice.unwrap_or("bind it to a name"))
            }
            StatementError::Lost { meant, at } => {
                let message = "this expression is neither bound nor last in its body";
                let error = error("E0006", message, *at, "its value is lost");
                match meant {
                    MeantByLost::Update(signs) => error.suggest("if this is an update", *signs, "<-"),
                    MeantByLost::Elsewhere(advice) => error.help(*advice),
                    MeantByLost::LineBefore => {
                        error.help("to go on with the line before, end that line with the `-`")
                    }
                    MeantByLost::Nothing => error.help("bind it, `name = …`, or remove it"),
                }
            }
        }
    }
}

impl Assigned {
    fn not_a_target(self, at: Span) -> Diagnostic {
        let (sign, advice) = match self {
            Assigned::Updated => {
                ("`<-`", "the name of a `state`, or `param` in an optimizer, stands on the left of `<-`")
            }
            Assigned::Added => ("`+=`", "a name with indices stands on the left of `+=`: `y[i] += x[i]`"),
            Assigned::Declared => ("`:`", "a name stands before `: type`"),
            Assigned::Bound => {
                ("`=`", "a name, names in parentheses or a name with indices stands on the left of `=`")
            }
        };
        let message = format!("this cannot stand on the left of {sign}");
        let error = error("E0007", message, at, "not something that can be bound").help(advice);
        match self {
            Assigned::Bound => error.help("a comparison is written `==`"),
            Assigned::Updated | Assigned::Added | Assigned::Declared => error,
        }
    }
}

impl ExprError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ExprError::Constant { name, at } => {
                let message = format!("`{name}` is a constant and cannot be bound");
                error("E0005", message, *at, "this name is taken by the language")
            }
            ExprError::Nesting { at } => {
                let label = "too many operators, branches or brackets within each other";
                error("E0003", format!("this is nested more than {MAX_DEPTH} deep"), *at, label)
                    .help("give an inner part a name of its own")
            }
            ExprError::LargeInt { text, at } => {
                let message = format!("`{text}` is too large for a whole number");
                error("E0011", message, *at, "whole numbers end at 2^63 - 1").suggest(
                    "a number with a point is a float",
                    *at,
                    format!("{text}.0"),
                )
            }
            ExprError::LargeFloat { text, at } => {
                error("E0011", format!("`{text}` is too large for a float"), *at, "floats end at about 1.8e308")
                    .help("infinity is called `inf`")
            }
            ExprError::TwoPoints { text, at } => {
                error("E0011", format!("`{text}` is not a number"), *at, "a number has one point")
            }
            ExprError::Hole { at } => {
                error("E0013", "`_` is not a value", *at, "`_` stands in types and on the left of `=` only")
            }
            ExprError::Escape { character, at } => {
                error("E0009", format!("`\\{character}` means nothing in a string"), *at, "unknown escape")
                    .help("the escapes are \\n, \\t, \\\" and \\\\")
            }
            ExprError::UnnamedPack { at } => {
                let label = "write `...s`, where `s` is a pack of dimensions";
                error("E0013", "`...` in a list needs the name of a pack", *at, label)
            }
            ExprError::TupleOfOne { at } => {
                error("E0013", "a tuple has two elements or more", *at, "a single element needs no comma")
            }
            ExprError::EmptyBrackets { at } => {
                error("E0001", "empty brackets select nothing", *at, "a subscript is expected here")
            }
            ExprError::Reducer(error) => error.diagnostic(),
            ExprError::NotStage { at } => {
                error("E0013", "only a name, a path or a call may follow `|>`", *at, "this is neither")
                    .help("give the pipeline's result a name, and go on with that")
            }
            ExprError::ComparedAgain { first, at } => {
                error("E0010", "comparisons do not chain", *at, "a second comparison")
                    .and_at(*first, "the first one gives a bool")
                    .help("join them with `and`: `a < b and b < c`")
            }
            ExprError::LooseNot { at } => {
                let message = "`not` binds more loosely than the operator before it";
                error("E0001", message, *at, "put `not …` in parentheses")
            }
        }
    }
}

impl ReducerError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ReducerError::Body { word, at } => {
                let message = format!("`{word}[…]` takes one expression in its parentheses");
                error("E0013", message, *at, "the body of the reducer").help(format!(
                    "`{word}[i](x[i])` reduces over the index `i`, `{word}(x, axis = 0)` over an axis"
                ))
            }
            ReducerError::Index { word, at } => {
                let message = format!("`{word}[…]` takes names of indices in its brackets");
                error("E0013", message, *at, "this is neither `i` nor `i < N`")
            }
            ReducerError::Else { at } => {
                let message = "`else` stands in the subscript of a tensor, not in a reducer's brackets";
                error("E0013", message, *at, "not allowed here")
            }
        }
    }
}
