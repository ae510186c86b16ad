//! What can be wrong with `print`, `expect` and `generate`.

use super::{Problem, error, list_names};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::sema::value::Value;
use std::sync::Arc;

/// What is wrong with what is shown or expected.
#[derive(Clone, Debug)]
pub enum OutputError {
    /// `expect` of what is neither true nor false.
    NotCondition { found: Value, at: Span },
    HasNoText { found: Value, at: Span },
}

/// What is wrong with a `generate`.
#[derive(Clone, Debug)]
pub enum GenerateError {
    ChoiceNotNumber { found: Value, at: Span },
    Length { length: i64, at: Span },
    NoLength { at: Span },
    NotData { found: Value, at: Span },
    NotText { data: Arc<str>, declared: Span, at: Span },
    NoTexts { at: Span },
    SeveralTexts { names: Vec<Arc<str>>, at: Span },
    EmptyPrompt { at: Span },
    PromptNotText { found: Value, at: Span },
    NotModel { found: Value, at: Span },
    /// The model takes no row of characters.
    OtherInputs { model: String, declared: Span, at: Span },
    /// The model gives no score for each character.
    NoScores { found: Value, window: usize, at: Span },
}

impl Problem for OutputError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            OutputError::NotCondition { found, at } => {
                let message = format!("`expect` needs a condition, found {}", found.describe());
                error("E0622", message, *at, "compare to make a bool: `x > 0.9`")
            }
            OutputError::HasNoText { found, at } => {
                let message = format!("{} has no text", found.describe());
                error("E0116", message, *at, "a number, a tensor or a string is shown").help(match found {
                    Value::Data(_) => "name a column: `digits.image`",
                    _ => "call it, `Net(x)`, or name a parameter of it, `Net.linear1.weight`",
                })
            }
        }
    }
}

impl Problem for GenerateError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        let error = |message: String, at: &Span, label: &str| error("E0623", message, *at, label);
        match self {
            GenerateError::ChoiceNotNumber { found, at } => {
                let found = found.describe();
                let message = format!("the choice after `with` gives {found}, not a character's number");
                error(message, at, "must give an int")
                    .help("the library has `sample`, `sample_top_k`, `sample_top_p` and `greedy`")
            }
            GenerateError::Length { length, at } => {
                error(format!("`length` is {length}"), at, "at least one character is generated")
            }
            GenerateError::NoLength { at } => {
                let message = "this `generate` does not say how many characters it adds".to_owned();
                error(message, at, "no `length`").help("write `length = 200` behind the choice")
            }
            GenerateError::NotData { found, at } => {
                error(format!("`data` is a data set, found {}", found.describe()), at, "not a data set")
            }
            GenerateError::NotText { data, declared, at } => {
                error(format!("`{data}` is not read from a text"), at, "").and_at(*declared, "declared here")
            }
            GenerateError::NoTexts { at } => {
                let message = "no data of this program is read from a text".to_owned();
                error(message, at, "which number stands for which character?")
                    .help("`data play = text(\"play.txt\") { x = window(64) }` numbers its characters")
            }
            GenerateError::SeveralTexts { names, at } => {
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                let message = format!("several data sets are read from texts: {}", list_names(&names));
                error(message, at, "whose numbers of characters are meant?")
                    .help(format!("add `data = {}`", names.first().copied().unwrap_or_default()))
            }
            GenerateError::EmptyPrompt { at } => {
                error("the text begins with nothing".to_owned(), at, "at least one character is needed")
            }
            GenerateError::PromptNotText { found, at } => {
                error(format!("a text begins with a string, found {}", found.describe()), at, "not a string")
            }
            GenerateError::NotModel { found, at } => {
                error(format!("`generate` takes a model, found {}", found.describe()), at, "not a model")
                    .help("write its name alone: `generate Net from …`")
            }
            GenerateError::OtherInputs { model, declared, at } => {
                let message = format!("`{model}` does not take a row of characters");
                error(message, at, "its one input must be `int[B, T]` with a known `T`")
                    .and_at(*declared, "declared here")
                    .help("`T` is known from the `train` above, or written as a number: `x: int[B, 64]`")
            }
            GenerateError::NoScores { found, window, at } => {
                let label = format!("gives {} for a row of {window} characters", found.describe());
                error("the model does not score the next character".to_owned(), at, &label).help(format!(
                    "it must give [B, {window}, n], the scores after each character, or [B, n], those after the last"
                ))
            }
        }
    }
}
