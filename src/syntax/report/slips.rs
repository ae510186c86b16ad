//! Small slips: something is nearly right, and what was meant can be shown.

use crate::base::{Diagnostic, Span};

use super::error;

#[derive(Clone, Debug)]
pub(in crate::syntax) enum SlipError {
    /// `0...n`
    ThreePoints { at: Span },
    /// `sum[i] x[i]`: the text of the reducer and its place.
    ReducerWithoutParentheses { reducer: String, reducer_at: Span, at: Span },
    /// `int x` for `x: int`.
    TypeBeforeName { ty: String, name: String, at: Span },
    /// `x: (B, 2)` for `x: [B, 2]`.
    SizesInParentheses { sizes: String, at: Span },
    /// `learning-rate`: the place of the whole name and how it is written.
    Hyphen { whole: Span, name: String, at: Span },
    /// `x[i - 1 else 0, c]`: the place of all subscripts and how they are written, if they are complete.
    EarlyElse { written: Option<(Span, String)>, at: Span },
    /// `split 0.8`: the place of the number, what it says and what is left.
    UnnamedPart { number: Span, share: String, rest: String, at: Span },
    /// `plot x with kind = …`: all from the value to the option.
    OptionsBehindWith { gap: Span, at: Span },
    /// `drop where …`
    DropWithoutRows { at: Span },
    /// `[, 4]` for `[B, 4]`: where the size should stand.
    MissingSize { before: Span, at: Span },
    /// `[?, 4]`
    AnySize { sign: String, at: Span },
}

/// What is no number.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum NumberError {
    /// `0,1`: the place of the whole number and how it is written.
    DecimalComma { whole: Span, written: String, at: Span },
    /// `1.`
    NoDigitBehindPoint { digits: String, at: Span },
    /// `.5`
    NoDigitBeforePoint { digits: String, at: Span },
    NotNumber { text: String, at: Span },
    /// `2x`
    Product { text: String, number: String, name: String, at: Span },
}

impl SlipError {
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            SlipError::ThreePoints { at } => {
                error("E0001", "a range is written with two points", *at, "these are three")
                    .suggest("write", *at, "..")
            }
            SlipError::ReducerWithoutParentheses { reducer, reducer_at, at } => {
                error("E0001", "a reducer takes its body in parentheses", *at, "the body begins here")
                    .and_at(*reducer_at, "the reducer")
                    .help(format!("write `{reducer}(…)`: what the parentheses hold is reduced, and no more"))
            }
            SlipError::TypeBeforeName { ty, name, at } => {
                error("E0001", "a type stands behind its name", *at, "the other way round").suggest(
                    "write",
                    *at,
                    format!("{name}: {ty}"),
                )
            }
            SlipError::SizesInParentheses { sizes, at } => {
                let message = "the sizes of a tensor stand in square brackets";
                error("E0001", message, *at, "a type is expected here").suggest(
                    "write",
                    *at,
                    format!("[{sizes}]"),
                )
            }
            SlipError::Hyphen { whole, name, at } => {
                error("E0001", "a name has no `-` in it", *at, "this is a minus sign")
                    .suggest("write", *whole, name)
            }
            SlipError::EarlyElse { written, at } => {
                let label = "what an outside read gives stands last";
                let error = error("E0001", "`else` closes the list of subscripts", *at, label);
                match written {
                    Some((whole, text)) => error.suggest("write", *whole, text),
                    None => error.help("write `x[i - 1, c else 0]`"),
                }
            }
            SlipError::UnnamedPart { number, share, rest, at } => {
                error("E0016", "the parts of a split have names", *at, "a name and `=` are missing").suggest(
                    "write",
                    *number,
                    format!("train = {share}, test = {rest}"),
                )
            }
            SlipError::OptionsBehindWith { gap, at } => {
                error("E0001", "options of `plot` stand behind commas", *at, "a comma is expected here")
                    .suggest("write", *gap, ",")
                    .help("for example `plot x, kind = \"heat\"`; `nnc doc plot` lists the options")
            }
            SlipError::DropWithoutRows { at } => {
                let message = "rows that are left out are named by a condition";
                error("E0001", message, *at, "`rows where` is missing")
                    .help("write `drop rows where is_missing(column(\"age\"))`")
            }
            SlipError::AnySize { sign, at } => {
                error("E0001", format!("a size cannot be `{sign}`"), *at, "not a size").suggest(
                    "any number of rows has a name",
                    *at,
                    "B",
                )
            }
            SlipError::MissingSize { before, at } => {
                error("E0001", "a size is missing", *at, "nothing stands before this comma").suggest(
                    "any number of rows has a name",
                    *before,
                    "B",
                )
            }
        }
    }
}

impl NumberError {
    pub fn diagnostic(&self) -> Diagnostic {
        let no_number = |what: String, at: Span| error("E0011", what, at, "not a number");
        match self {
            NumberError::DecimalComma { whole, written, at } => {
                error("E0011", "a number has a point, not a comma", *at, "not expected here")
                    .suggest("write", *whole, written)
            }
            NumberError::NoDigitBehindPoint { digits, at } => {
                no_number(format!("a digit is missing behind the point in `{digits}.`"), *at).suggest(
                    "write",
                    *at,
                    format!("{digits}.0"),
                )
            }
            NumberError::NoDigitBeforePoint { digits, at } => {
                no_number(format!("a digit is missing before the point in `.{digits}`"), *at).suggest(
                    "write",
                    *at,
                    format!("0.{digits}"),
                )
            }
            NumberError::NotNumber { text, at } => no_number(format!("`{text}` is not a number"), *at)
                .help("numbers are written `1`, `0.5`, `1e-3`, `1_000`"),
            NumberError::Product { text, number, name, at } => {
                no_number(format!("`{text}` is not a number"), *at).suggest(
                    "if this is a product",
                    *at,
                    format!("{number} * {name}"),
                )
            }
        }
    }
}
