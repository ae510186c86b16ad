//! What can be wrong with predictions for new rows, and with what they are exported as.

use std::sync::Arc;

use super::{Problem, backticked};
use crate::base::{Diagnostic, Span, nearest};
use crate::ir::Type;

/// Why a program cannot answer for new rows.
#[derive(Clone, Debug)]
pub enum AnswerError {
    /// No `train` calls a model.
    NoModel,
    /// The loss calls several, and none is named.
    Models { models: Vec<Arc<str>>, at: Span },
    /// The loss calls the model on different inputs.
    Calls { model: Arc<str>, at: Span },
    /// No loss calls the model; those that losses call.
    NotCalled { model: String, called: Vec<Arc<str>> },
    /// Nothing was trained.
    Untrained,
    /// The data is a text, whose windows are no rows.
    Text { at: Span },
    /// A statistic of a field is not kept with the parameters.
    NotKept { set: Arc<str>, field: Arc<str>, at: Span },
    /// A field is made of other rows, or random.
    OtherRows { set: Arc<str>, field: Arc<str>, at: Option<Span> },
}

impl Problem for AnswerError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            AnswerError::NoModel => {
                Diagnostic::error("E0770", "the program has no `train` whose loss calls a model").help(
                    "its loss says which fields of the data the model reads: `minimize mse(Net(x), y) with …`",
                )
            }
            AnswerError::Models { models, at } => {
                let message = format!("the loss calls {}", backticked(models).join(" and "));
                Diagnostic::error("E0771", message)
                    .at(*at, "which is meant?")
                    .help("say it with `--model NAME`")
            }
            AnswerError::Calls { model, at } => {
                Diagnostic::error("E0771", format!("the loss calls `{model}` on different inputs"))
                    .at(*at, "which call is meant?")
                    .help("predict with a program whose loss calls the model once")
            }
            AnswerError::NotCalled { model, called } => {
                let error = Diagnostic::error("E0771", format!("no loss calls a model `{model}`"));
                match nearest(model, called.iter().map(|name| &**name)) {
                    Some(near) => error.help(format!("there is `{near}`")),
                    None => error.note(format!("they call {}", called.join(", "))),
                }
            }
            AnswerError::Untrained => {
                Diagnostic::error("E0774", "no parameters are given: the network is not trained")
                    .help("say where they are: `--weights FILE`, written by `nnc run --save FILE`")
            }
            AnswerError::Text { at } => {
                Diagnostic::error("E0773", "windows of a text are no rows that can be predicted")
                    .at(*at, "a text")
                    .help("`nnc generate` goes on with one")
            }
            AnswerError::NotKept { set, field, at } => {
                let message = format!("what `{field}` of `{set}` has learnt from its rows is not kept");
                Diagnostic::error("E0772", message).at(*at, "uses a statistic over rows")
            }
            AnswerError::OtherRows { set, field, at } => {
                let message = format!("the field `{field}` of `{set}` needs more than its row");
                let error = Diagnostic::error("E0773", message);
                match at {
                    Some(at) => error.at(*at, "random, or made of other rows"),
                    None => error,
                }
            }
        }
    }
}

/// Why new rows cannot be read from where they are said to be.
#[derive(Clone, Debug)]
pub enum NewRowsError {
    /// The file is of another kind than that of the training.
    OtherKind { file: String, wanted: Kind, at: Span },
    /// What is no table is not read from a pipe.
    NoTable { at: Span },
    /// Columns are read by number, and rows have names only.
    ByNumber { name: String, at: Span },
}

/// What a model reads its rows from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    NamedArrays,
    Array,
}

impl Problem for NewRowsError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            NewRowsError::OtherKind { file, wanted, at } => {
                let wanted = match wanted {
                    Kind::NamedArrays => "arrays by name: an npz or safetensors file",
                    Kind::Array => "one array: an npy file",
                };
                let message = format!("`{file}` is not what the model reads, {wanted}");
                Diagnostic::error("E0775", message).at(*at, "the data that it was trained on")
            }
            NewRowsError::NoTable { at } => {
                Diagnostic::error("E0775", "this data is no table, so it is not read from a pipe")
                    .at(*at, "its arrays are read from a file")
            }
            NewRowsError::ByNumber { name, at } => {
                Diagnostic::error("E0775", format!("`{name}` has names, and no order of columns"))
                    .at(*at, "read by number")
                    .help("read columns by name: `column(\"age\")`")
            }
        }
    }
}

/// A target that is predicted as the data has it, since what was computed from its file cannot be undone.
#[derive(Clone, Debug)]
pub struct NotUndone {
    pub target: Arc<str>,
    pub at: Span,
}

impl Problem for NotUndone {
    fn diagnostic(&self) -> Diagnostic {
        let message = format!("`{}` is predicted as the data has it, not as its file", self.target);
        Diagnostic::warning("W0681", message)
            .at(self.at, "computed from the file")
            .help("undo what this formula does to read the predictions in the units of the file")
    }
}

/// Why a model cannot be exported.
#[derive(Clone, Debug)]
pub enum ExportError {
    /// A size is not a number; its name is not known if nothing calls the model.
    OpenSize { size: Option<String>, model: Arc<str> },
    /// What the loss gives the model depends on the step of the training.
    Step { model: Arc<str>, at: Option<Span> },
    /// An input has no rows.
    NoRows { input: Arc<str>, model: Arc<str>, ty: Type },
}

impl Problem for ExportError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            ExportError::OpenSize { size, model } => {
                let size = size.as_deref().unwrap_or("?");
                Diagnostic::error("E0850", format!("the size `{size}` of `{model}` is open"))
                    .note("memory and loops of exported code have sizes that are numbers")
                    .help(
                        "write the number in the model's type, or export the model of a loss, whose data says it",
                    )
            }
            ExportError::Step { model, at } => {
                let message = format!("what the loss gives `{model}` depends on the step of the training");
                let error = Diagnostic::error("E0768", message);
                let error = match at {
                    Some(at) => error.at(*at, "there is no step behind its end"),
                    None => error,
                };
                error.help(format!(
                    "export another model that calls it with a number: `model Final(x: …) = {model}(x, 0.5)`"
                ))
            }
            ExportError::NoRows { input, model, ty } => {
                let message = format!("the input `{input}` of `{model}` is {ty}, which has no rows");
                Diagnostic::error("E0850", message).help("its first axis is the batch: `x: [B, 4]`")
            }
        }
    }
}
