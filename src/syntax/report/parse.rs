//! What can be wrong with a text that the grammar does not accept: what is missing, what stands in the wrong line,
//! and what nothing is known about but the tokens that would have fitted.

use std::fmt;

use crate::base::{Diagnostic, Span};

use super::super::ast::MAX_DEPTH;
use super::error;
use super::foreign::{ForeignConstruct, ForeignSign};
use super::slips::{NumberError, SlipError};
use super::strays::StrayError;

/// What the parser stopped at.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum ParseError {
    Stray(StrayError),
    Missing(MissingError),
    Line(LineError),
    Brace(BraceError),
    Name(NameError),
    Number(NumberError),
    Slip(SlipError),
    ForeignSign(ForeignSign),
    ForeignConstruct(ForeignConstruct),
    Unexpected(Unexpected),
    /// An item that is nested so deep that it is not parsed at all.
    TooDeep { keyword: Span },
}

/// What should stand at a place.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum MissingError {
    /// `a =`, and then a whole statement, which was taken for the value.
    Value { after: String, at: Span, statement: Span },
    Body { found: Found, at: Span },
    Block { found: Found, at: Span },
    Then { found: Found, at: Span },
    Else { at: Span },
    With { line: LineWithWith, found: Found, at: Span },
    /// `from` of `generate`.
    From { found: Found, at: Span },
    /// `along` of `collect`.
    Along { found: Found, at: Span },
    /// `in` of `for`.
    In { found: Found, at: Span },
    /// `=`, before a value that is there or together with one.
    Equals { has_value: bool, at: Span },
    /// `:` before a type.
    Colon { gap: Span, at: Span },
    /// `->` before a type.
    Arrow { gap: Span, at: Span },
    Comma { before: String, gap: Span, bracket: Span, at: Span },
}

/// The lines that have a `with`.
#[derive(Clone, Copy, Debug)]
pub(in crate::syntax) enum LineWithWith {
    Generate,
    Minimize,
}

/// What does not stand in a line of its own, or not in this one.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum LineError {
    /// `whole` of a metric, not behind its inputs.
    LateWhole { at: Span },
    BeginsWithOperator { operator: String, at: Span },
    Maximize { at: Span },
    Misspelt { word: String, meant: &'static str, at: Span },
    /// A comma behind a statement, with nothing or another statement behind it.
    Comma { meant: MeantByComma, at: Span },
    SecondStatement { at: Span },
    /// `else` or `then` without its `if`.
    BranchWithoutIf { word: String, at: Span },
    /// An item within a body, and what to write there if other languages have such a statement.
    ItemInBody { word: String, advice: Option<&'static str>, at: Span },
    /// A line of `train` that only calls something, and what to do if users of other libraries call that.
    CallInTrain { name: String, advice: Option<&'static str>, at: Span },
}

/// What a comma behind a statement is meant for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::syntax) enum MeantByComma {
    /// The end of the statement.
    End,
    /// `a, b = f(x)`
    Tuple,
    NextLine,
}

/// A brace on another line, or with a space too many or too few: two lines look like one statement.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum BraceError {
    /// `if c{`
    TouchesName { name: String, at: Span },
    OnNextLine { gap: Span, at: Span },
    /// `fc {l} = …`
    ApartFromName { gap: Span, at: Span },
}

/// What cannot be a name.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum NameError {
    Reserved { word: String, at: Span },
    /// `model.fit(x, y)`, and what to do if users of other libraries call that.
    ItemWord { word: String, advice: Option<&'static str>, at: Span },
}

/// A token that does not fit, where nothing better is known.
#[derive(Clone, Debug)]
pub(in crate::syntax) struct Unexpected {
    pub expected: Vec<Expected>,
    pub found: Found,
    /// The token before, if that asks for a value.
    pub asks: Option<String>,
    pub advice: Option<Advice>,
    pub at: Span,
}

/// What was found where something else should stand.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum Found {
    Token(String),
    EndOfLine,
    EndOfItem,
}

/// What would have fitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::syntax) enum Expected {
    Statement,
    Value,
    Name,
    Type,
    Parameter,
    String,
    Item,
    Body,
    Operator,
    EndOfLine,
    EndOfItem,
    Token(&'static str),
}

/// What was probably meant by a token that does not fit.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum Advice {
    /// A word where a type should stand.
    Type(MeantType),
    /// `==` that binds a name.
    Bind,
    /// `=` within an expression.
    Compare,
    /// `{1, 2}`
    List,
    /// The message of a requirement without the comma before it.
    CommaBefore { gap: Span },
}

/// What a word stands for where a type should stand.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum MeantType {
    /// `float32`, `long`: the word for this type.
    Word(&'static str),
    /// `Tensor[3]`: sizes alone are floats.
    SizesAlone,
    /// `Tensor<3>`
    NotKnown,
    /// `Tensor`, `torch.Tensor`
    Tensor,
    /// `N`
    Size(String),
}

impl ParseError {
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            ParseError::Stray(error) => error.diagnostic(),
            ParseError::Missing(error) => error.diagnostic(),
            ParseError::Line(error) => error.diagnostic(),
            ParseError::Brace(error) => error.diagnostic(),
            ParseError::Name(error) => error.diagnostic(),
            ParseError::Number(error) => error.diagnostic(),
            ParseError::Slip(error) => error.diagnostic(),
            ParseError::ForeignSign(error) => error.diagnostic(),
            ParseError::ForeignConstruct(error) => error.diagnostic(),
            ParseError::Unexpected(error) => error.diagnostic(),
            ParseError::TooDeep { keyword } => {
                let message = format!("this item is nested far more than {MAX_DEPTH} deep");
                error("E0003", message, *keyword, "in this item").help("give inner parts names of their own")
            }
        }
    }
}

/// An enum of one subject becomes a [`ParseError`].
macro_rules! subjects {
    ($($subject:ident $error:ident)*) => {
        $(impl From<$error> for ParseError {
            fn from(error: $error) -> ParseError {
                ParseError::$subject(error)
            }
        })*
    };
}

subjects! {
    Stray StrayError
    Missing MissingError
    Line LineError
    Brace BraceError
    Name NameError
    Number NumberError
    Slip SlipError
    ForeignSign ForeignSign
    ForeignConstruct ForeignConstruct
    Unexpected Unexpected
}

impl MissingError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            MissingError::Value { after, at, statement } => {
                error("E0001", format!("a value is missing after `{after}`"), *at, "the line goes on below")
                    .and_at(*statement, "so this does not begin a statement")
            }
            MissingError::Body { found, at } => {
                error("E0001", "a body is missing", *at, format!("expected here, found {found}"))
                    .help("a body is `= expression` or `{ statements }`")
            }
            MissingError::Block { found, at } => {
                error("E0001", "a block is missing", *at, format!("expected here, found {found}"))
                    .help("a block is `{ statements }`, with `{` on this line")
            }
            MissingError::Then { found, at } => {
                let message = "`then` or a block is missing after the condition";
                let error = error("E0001", message, *at, format!("expected `then` or `{{`, found {found}"));
                match found {
                    Found::Token(text) if text == "=" => {
                        error.suggest("a comparison is written `==`", *at, "==")
                    }
                    _ => error.help("`if c then a else b`, or `if c { … } else { … }`"),
                }
            }
            MissingError::Else { at } => {
                error("E0012", "`if … then …` has no `else`", *at, "`else` expected here")
                    .help("write `if c then a else b`: there must be a value in the other case, too")
            }
            MissingError::With { line, found, at } => {
                let (message, example) = line.rule();
                error("E0001", message, *at, format!("expected `with`, found {found}"))
                    .help(format!("for example `{example}`"))
            }
            MissingError::From { found, at } => {
                let message = "a `generate` says what the text begins with";
                error("E0001", message, *at, format!("expected `from`, found {found}"))
                    .help("for example `generate Net from \"A\" with sample(temperature = 0.8), length = 200`")
            }
            MissingError::Along { found, at } => {
                let message = "`collect` names the axis of the steps";
                error("E0001", message, *at, format!("expected `along`, found {found}"))
                    .help("for example `collect hs = h along 1`")
            }
            MissingError::In { found, at } => {
                let message = "a `for` header says what it runs over";
                error("E0001", message, *at, format!("expected `in`, found {found}"))
                    .help("for example `for l in 0..layers { … }`")
            }
            MissingError::Equals { has_value: true, at } => {
                let before = Span { end: at.start, ..*at };
                error("E0016", "`=` is missing", *at, "`=` expected before this").suggest("write", before, "= ")
            }
            MissingError::Equals { has_value: false, at } => {
                error("E0016", "`=` is missing", *at, "expected `=` and a value")
            }
            MissingError::Colon { gap, at } => {
                error("E0016", "`:` is missing", *at, "a type stands after `:`").suggest("write", *gap, ":")
            }
            MissingError::Arrow { gap, at } => {
                let label = "the type of the result stands after `->`";
                error("E0016", "`->` is missing", *at, label).suggest("write", *gap, " ->")
            }
            MissingError::Comma { before, gap, bracket, at } => {
                let message = format!("a comma or an operator is missing before `{before}`");
                error("E0001", message, *at, "not part of the value before it")
                    .and_at(*bracket, "inside this bracket")
                    .suggest("if these are two elements", *gap, ",")
            }
        }
    }
}

impl LineWithWith {
    /// What such a line says with its `with`, and an example.
    fn rule(self) -> (&'static str, &'static str) {
        match self {
            LineWithWith::Generate => (
                "a `generate` says how each character is chosen",
                "generate Net from \"A\" with sample(temperature = 0.8), length = 200",
            ),
            LineWithWith::Minimize => {
                ("a `minimize` line names its optimizer", "minimize mse(Net(x), y) with Adam(lr = 1e-3)")
            }
        }
    }
}

impl LineError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            LineError::LateWhole { at } => {
                error("E0013", "`whole` stands directly after the inputs of a metric", *at, "not here")
            }
            LineError::BeginsWithOperator { operator, at } => {
                let label = "the statement above ended with its line";
                error("E0006", format!("a line cannot begin with `{operator}`"), *at, label)
                    .help(format!("to go on over the end of a line, end that line with `{operator}`"))
            }
            LineError::Maximize { at } => {
                error("E0018", "there is no `maximize`", *at, "not of this language")
                    .help("what is smallest when its negative is greatest: `minimize -(…) with …`")
            }
            LineError::Misspelt { word, meant, at } => {
                let message = format!("`{word}` does not begin a statement");
                error("E0001", message, *at, "an unknown word before a name")
                    .suggest(format!("did you mean `{meant}`?"), *at, *meant)
            }
            LineError::Comma { meant, at } => {
                let message = "the lines of a block are not separated by commas";
                error("E0008", message, *at, "a comma after a whole statement")
                    .help(match meant {
                        MeantByComma::End => "leave it out",
                        MeantByComma::Tuple => "a tuple is taken apart in parentheses: `(a, b) = …`",
                        MeantByComma::NextLine => "begin a new line instead",
                    })
            }
            LineError::SecondStatement { at } => {
                error("E0008", "two statements on one line", *at, "this begins another statement")
                    .help("put it on a line of its own")
            }
            LineError::BranchWithoutIf { word, at } => {
                error("E0001", format!("this `{word}` belongs to no `if`"), *at, "not expected here")
                    .help("`if c then a else b`, or `if c { … } else { … }`")
            }
            LineError::ItemInBody { word, advice, at } => {
                let message = format!("`{word}` begins an item, and items stand outside of all braces");
                error("E0013", message, *at, "not in a body")
                    .help(advice.unwrap_or("move it out of this body; its name is known there all the same"))
            }
            LineError::CallInTrain { name, advice, at } => {
                let message = format!("a line of `train` cannot be a call of `{name}`");
                error("E0001", message, *at, "only called").help(advice.unwrap_or(
                    "lines of `train` are settings such as `epochs = 10`, `minimize LOSS with OPTIMIZER`, `measure METRIC`, `init MODEL = …` and `MODEL <- …`",
                ))
            }
        }
    }
}

impl BraceError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            BraceError::TouchesName { name, at } => {
                let label = format!("`{name}{{…}}` is a name with a compile-time part");
                error("E0017", "a block's brace has a space before it", *at, label).suggest(
                    "put a space before the brace",
                    Span { end: at.start, ..*at },
                    " ",
                )
            }
            BraceError::OnNextLine { gap, at } => {
                let message = "`{` stands on the line of what it belongs to";
                error("E0017", message, *at, "a statement ended with the line above")
                    .suggest("move it up", *gap, " ")
            }
            BraceError::ApartFromName { gap, at } => {
                let label = "with a space before it, this is a block";
                error("E0017", "the brace of a name touches it", *at, label).suggest(
                    "if this is a name with a compile-time part",
                    *gap,
                    "",
                )
            }
        }
    }
}

impl NameError {
    fn diagnostic(&self) -> Diagnostic {
        match self {
            NameError::Reserved { word, at } => {
                let message = format!("`{word}` is a reserved word and cannot be a name");
                error("E0005", message, *at, "a name is expected here").suggest(
                    "give it another name",
                    *at,
                    format!("{word}_"),
                )
            }
            NameError::ItemWord { word, advice, at } => {
                let label = format!("a name is expected after `{word}`");
                let error = error("E0005", format!("`{word}` begins an item and is no name here"), *at, label);
                match advice {
                    Some(advice) => error.help(*advice),
                    None => error.help(format!("`{word} NAME …` declares one; `nnc doc {word}` tells more")),
                }
            }
        }
    }
}

impl Unexpected {
    fn diagnostic(&self) -> Diagnostic {
        let Unexpected { expected, found, asks, advice, at } = self;
        let message = match expected.as_slice() {
            [] => format!("{found} does not fit here"),
            expected => format!("expected {}, found {found}", one_of(expected)),
        };
        let label = match asks {
            Some(before) => format!("a value is expected after `{before}`"),
            None if at.is_empty() => "something is missing here".to_owned(),
            None => "not expected here".to_owned(),
        };
        let error = error("E0001", message, *at, label);
        match advice {
            Some(Advice::Type(meant)) => meant.told(error, *at),
            Some(Advice::Bind) => error.suggest("a name is bound with a single `=`", *at, "="),
            Some(Advice::Compare) => error.suggest("a comparison is written `==`", *at, "=="),
            Some(Advice::List) => error.help("a list is written in square brackets: `[1, 2, 3]`"),
            Some(Advice::CommaBefore { gap }) => {
                error.suggest("a comma stands before the message", *gap, ",")
            }
            None => error,
        }
    }
}

impl MeantType {
    fn told(&self, error: Diagnostic, at: Span) -> Diagnostic {
        let error = error.help("types are `[B, 3]`, `int[B]`, `bool[B]`, `class(10)`, `float`");
        match self {
            MeantType::Word(word) => error.suggest("write", at, *word),
            MeantType::SizesAlone => error.suggest("a tensor of floats is its sizes alone", at, ""),
            MeantType::Tensor => error.help("the type of a tensor is its sizes: `x: [B, 4]`"),
            MeantType::NotKnown => error,
            MeantType::Size(name) => error.suggest("if this is a size", at, format!("[{name}]")),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Token(text) => write!(f, "`{text}`"),
            Found::EndOfLine => f.write_str("the end of the line"),
            Found::EndOfItem => f.write_str("the end of the item"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expected::Statement => "a statement",
            Expected::Value => "a value",
            Expected::Name => "a name",
            Expected::Type => "a type",
            Expected::Parameter => "a parameter",
            Expected::String => "a string",
            Expected::Item => "an item",
            Expected::Body => "a body",
            Expected::Operator => "an operator",
            Expected::EndOfLine => "the end of the line",
            Expected::EndOfItem => "the end of the item",
            Expected::Token(text) => return write!(f, "`{text}`"),
        })
    }
}

/// `a value, a name or an operator`
fn one_of(expected: &[Expected]) -> String {
    let words: Vec<String> = expected.iter().map(Expected::to_string).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
