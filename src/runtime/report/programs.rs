//! What can be wrong with a program when it is compiled and called: its text, its code, its models, and what its items
//! show and expect.

use std::sync::Arc;

use super::Problem;
use crate::backend::{CodeError, Failure};
use crate::base::{Diagnostic, Span, nearest};
use crate::ir::Elem;
use crate::runtime::array::{ShapeError, shape_text};
use crate::runtime::room::size_text;

/// Why the text of a program cannot be read.
#[derive(Clone, Debug)]
pub struct ProgramFileError {
    pub path: String,
    /// What the system says.
    pub why: String,
    pub cause: ProgramFileCause,
}

/// What is known of the reason.
#[derive(Clone, Debug)]
pub enum ProgramFileCause {
    /// There is no such file; another one in its place with almost this name.
    Missing { near: Option<String> },
    NotUtf8,
    System,
}

impl Problem for ProgramFileError {
    fn diagnostic(&self) -> Diagnostic {
        let error = Diagnostic::error("E0701", format!("cannot read `{}`: {}", self.path, self.why));
        match &self.cause {
            ProgramFileCause::Missing { near: Some(near) } => error.help(format!("there is `{near}`")),
            ProgramFileCause::NotUtf8 => {
                error.help("save it as UTF-8, with `iconv -f latin1 -t utf-8` for example")
            }
            ProgramFileCause::Missing { near: None } | ProgramFileCause::System => error,
        }
    }
}

impl Problem for CodeError {
    fn diagnostic(&self) -> Diagnostic {
        match &self.kind {
            Failure::Access(fault) => {
                let failed = Diagnostic::of_nnc("E0791", &self.text)
                    .note("nothing was read or written there; what the step computed is not to be trusted");
                match fault.site.kernel.span {
                    place if place.is_none() => failed,
                    place => failed.at(place, "computed here"),
                }
            }
            Failure::Internal => Diagnostic::of_nnc("E0792", &self.text),
            Failure::Unsupported => Diagnostic::error("E0793", self.text.clone())
                .help("without `--backend`, the best one for this computer is taken"),
            Failure::NoMemory => Diagnostic::error("E0734", self.text.clone()),
            Failure::Misfit => Diagnostic::fault(&self.text),
        }
    }
}

impl Problem for ShapeError {
    /// A tensor for a model that cannot be made.
    fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error("E0731", self.to_string())
    }
}

/// Memory that is needed and cannot be had.
#[derive(Clone, Debug)]
pub enum MemoryError {
    /// More is needed than there is; item by item, the largest first.
    Refused { items: Vec<(String, u64)>, room: u64, limit: &'static str },
    /// An allocation failed although there seemed to be room.
    Exhausted { what: String, bytes: u64 },
}

impl Problem for MemoryError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            MemoryError::Refused { items, room, limit } => {
                let total = items.iter().fold(0, |sum: u64, (_, bytes)| sum.saturating_add(*bytes));
                let (needed, room) = (size_text(total), size_text(*room));
                let error =
                    Diagnostic::error("E0734", format!("{needed} of memory are needed, and {room} can be had"));
                let listed = items.iter().filter(|(_, bytes)| *bytes > 0).take(MOST_ITEMS);
                let error = listed
                    .fold(error, |error, (what, bytes)| error.note(format!("{} for {what}", size_text(*bytes))));
                error.note(format!("the limit is {limit}"))
            }
            MemoryError::Exhausted { what, bytes } => {
                Diagnostic::error("E0734", format!("there is no memory for {what}: {} more", size_text(*bytes)))
            }
        }
    }
}

/// So many items are listed.
const MOST_ITEMS: usize = 6;

/// An int that has left 64 bits.
#[derive(Clone, Copy, Debug)]
pub struct Overflown {
    pub at: Span,
}

impl Problem for Overflown {
    fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error("E0745", "an int does not fit into 64 bits")
            .at(self.at, "here a sum, product or quotient of ints lies beyond -2^63 .. 2^63 - 1")
            .help("compute with floats, which are rounded instead: `float(x)`")
    }
}

/// What is wrong with the call of a model.
#[derive(Clone, Debug)]
pub enum ModelError {
    Unknown { name: String, models: Vec<Arc<str>> },
    /// A size is open, since nothing in the program calls the model.
    Open { model: Arc<str> },
    /// The size of an input is open.
    OpenInput { model: Arc<str> },
    /// Other numbers of inputs.
    Inputs { model: Arc<str>, wanted: usize, given: usize },
    /// An input of another type, as messages show types.
    Input { model: Arc<str>, input: Arc<str>, wanted: String, given: String },
    /// An input that is given other elements.
    Elements { model: Arc<str>, input: Arc<str>, elem: Elem },
    /// A value of an input that does not lie below its bound.
    Bound { model: String, input: String, value: i64, below: i64 },
    /// Other numbers of results than there is room for.
    Results { model: String, wanted: usize, given: usize },
    /// Room for a result of another type.
    Result { model: String, wanted: String, given: String },
}

impl Problem for ModelError {
    fn diagnostic(&self) -> Diagnostic {
        let error = |message: String| Diagnostic::error("E0731", message);
        match self {
            ModelError::Unknown { name, models } => {
                let error = error(format!("there is no model `{name}`"));
                match nearest(name, models.iter().map(|model| &**model)) {
                    Some(near) => error.help(format!("there is `{near}`")),
                    None => error,
                }
            }
            ModelError::Open { model } => {
                error(format!("a size of `{model}` is open: nothing in the program calls it"))
            }
            ModelError::OpenInput { model } => error(format!("a size of an input of `{model}` is open")),
            ModelError::Inputs { model, wanted, given } => {
                error(format!("`{model}` has {wanted} inputs, {given} are given"))
            }
            ModelError::Input { model, input, wanted, given } => {
                error(format!("the input `{input}` of `{model}` is {wanted}, but {given} is given"))
            }
            ModelError::Elements { model, input, elem } => {
                error(format!("the input `{input}` of `{model}` has {elem} elements"))
            }
            ModelError::Bound { model, input, value, below } => error(format!(
                "the input `{input}` of `{model}` has the value {value}, but it must lie in 0..{below}"
            )),
            ModelError::Results { model, wanted, given } => {
                error(format!("`{model}` has {wanted} results, and there is room for {given}"))
            }
            ModelError::Result { model, wanted, given } => {
                error(format!("a result of `{model}` is {wanted}, and there is room for {given}"))
            }
        }
    }
}

/// What is wrong with a parameter that is replaced.
#[derive(Clone, Debug)]
pub enum ParameterError {
    Unknown { path: String, near: Option<String> },
    Shape { path: String, known: Vec<usize>, given: Vec<usize> },
    Elements { path: String, elem: Elem },
    /// The elements of a file do not fit.
    OfFile { path: Arc<str>, elem: Elem },
}

impl Problem for ParameterError {
    fn diagnostic(&self) -> Diagnostic {
        let error = |message: String| Diagnostic::error("E0713", message);
        match self {
            ParameterError::Unknown { path, near } => {
                let near = near.as_ref().map_or(String::new(), |near| format!("; there is `{near}`"));
                error(format!("there is no parameter `{path}`{near}"))
            }
            ParameterError::Shape { path, known, given } => {
                let (known, given) = (shape_text(known), shape_text(given));
                error(format!("`{path}` has the shape {known}, but {given} is given"))
            }
            ParameterError::Elements { path, elem } => error(format!("`{path}` has {elem} elements")),
            ParameterError::OfFile { path, elem } => {
                error(format!("`{path}` has {elem} elements, the file's do not fit"))
            }
        }
    }
}

/// An `expect` whose condition does not hold.
#[derive(Clone, Debug)]
pub struct NotExpected {
    /// The user's own words, or the condition.
    pub what: String,
    /// How many elements there are, of how many it does not hold, and the first of these.
    pub elements: usize,
    pub wrong: usize,
    pub first: usize,
    /// Both sides as they are shown.
    pub sides: Vec<String>,
    pub at: Span,
}

impl Problem for NotExpected {
    fn diagnostic(&self) -> Diagnostic {
        let NotExpected { what, elements, wrong, first, sides, at } = self;
        let label = match elements {
            1 => "this does not hold".to_owned(),
            _ => format!("this does not hold for {wrong} of {elements} elements, first for number {first}"),
        };
        let error = Diagnostic::error("E0724", format!("not as expected: {what}")).at(*at, label);
        sides.iter().fold(error, |error, side| error.note(side.as_str()))
    }
}

/// Something is shown that depends on a parameter as it was drawn.
#[derive(Clone, Debug)]
pub struct Untrained {
    pub path: Arc<str>,
    pub at: Span,
}

impl Problem for Untrained {
    fn diagnostic(&self) -> Diagnostic {
        let message = format!("this shows random numbers: nothing trains `{}`", self.path);
        Diagnostic::warning("W0610", message)
            .at(self.at, "")
            .help("train its model, or read parameters with `--init FILE`")
    }
}

/// Why a model cannot go on with a text.
#[derive(Clone, Debug)]
pub enum GenerateError {
    /// The data has no text that says which number stands for which character.
    NoText { set: Arc<str>, at: Span },
    /// The model scores other characters than the text has.
    Characters { set: Arc<str>, scored: usize, found: usize, at: Span },
    /// The text begins with fewer characters than the model needs.
    Short { needed: usize, found: usize, at: Span },
    /// Scores depend on characters that come later.
    LooksAhead { at: Span },
    NoNumbers { step: usize, at: Span },
    /// What is chosen is no character.
    NoCharacter { step: usize, characters: usize, at: Span },
}

impl Problem for GenerateError {
    fn diagnostic(&self) -> Diagnostic {
        let error = |message: String| Diagnostic::error("E0732", message);
        match self {
            GenerateError::NoText { set, at } => error(format!("no field of `{set}` is a window of its text"))
                .at(*at, "which number stands for which character?"),
            GenerateError::Characters { set, scored, found, at } => {
                let message = format!(
                    "the model scores {scored} characters, but the text of `{set}` has {found} different ones"
                );
                error(message).at(*at, "")
            }
            GenerateError::Short { needed, found, at } => {
                let message = format!(
                    "the model needs {needed} characters to score the next one, but the text begins with {found}"
                );
                error(message).at(*at, "too short")
            }
            GenerateError::LooksAhead { at } => {
                error("the model's scores depend on characters that come later".to_owned())
                    .at(*at, "so it cannot go on with a text")
                    .help("attention needs a causal mask, a recurrent layer one direction")
            }
            GenerateError::NoNumbers { step, at } => {
                error(format!("the scores for character {step} are not numbers")).at(*at, "")
            }
            GenerateError::NoCharacter { step, characters, at } => {
                error(format!("character {step} that is chosen is none of the {characters} of the text"))
                    .at(*at, "")
            }
        }
    }
}
