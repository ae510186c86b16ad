//! What can be wrong with a text outside of all items.

use crate::base::{Diagnostic, Span};

use super::super::tokens::ITEM_WORDS;
use super::error;

#[derive(Clone, Debug)]
pub(in crate::syntax) enum StrayError {
    Nothing { at: Span },
    /// `// …`, `% …`, `"""…`
    Comment { at: Span },
    Word { word: String, meant: MeantItem, at: Span },
}

/// What was probably meant by a word that begins no item.
#[derive(Clone, Copy, Debug)]
pub(in crate::syntax) enum MeantItem {
    /// `param w: [3]`
    LineOfBody,
    /// `minimize …`
    LineOfTrain,
    /// `x = 1`
    Constant,
    /// `let x = 1`
    Let,
    /// `def f(x)`
    Function,
    /// `class Net(nn.Module):`
    Class,
    /// `end` below a function.
    End,
    /// `(a, b) = f(x)`
    Pattern,
    /// `printf(x)`
    PrintInstead,
    /// `assert x > 0`
    Expectation,
    /// `from x import y`
    Import,
    /// `if`, `while`, `return`: what other languages carry out line by line.
    CarriedOut,
    /// A call that users of other libraries know, and what takes its place.
    Foreign(&'static str),
    Misspelt(&'static str),
    /// `f(x)`
    Print,
    NotKnown,
}

impl StrayError {
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            StrayError::Nothing { at } => error("E0004", "no item begins here", *at, ""),
            StrayError::Comment { at } => {
                error("E0018", "a comment begins with `#`", *at, "not of this language").suggest("write", *at, "#")
            }
            StrayError::Word { word, meant, at } => {
                let label = "expected an item: `model`, `data`, `train`, `print` …";
                meant.told(error("E0004", format!("no item begins with `{word}`"), *at, label), word, *at)
            }
        }
    }
}

impl MeantItem {
    fn told(self, error: Diagnostic, word: &str, at: Span) -> Diagnostic {
        let start = Span { end: at.start, ..at };
        match self {
            MeantItem::LineOfBody => error.help(format!("`{word}` stands in the body of a layer or a model")),
            MeantItem::LineOfTrain => error.help(format!("`{word}` stands in the braces of `train`")),
            MeantItem::Constant => error.suggest("a value with a name is a constant", start, "const "),
            MeantItem::Let => error.suggest("a value with a name is a constant", at, "const"),
            MeantItem::Function => error.suggest("a function is declared with `fn`", at, "fn"),
            MeantItem::Class => error
                .help("a network is a function of its inputs: `model Net(x: [B, 4]) -> [B, 3] { x |> Linear(8) |> relu |> Linear(3) }`; `layer` declares a part of one"),
            MeantItem::End => error.help("a body stands in braces: `fn f(x) { … }`, or is one expression: `fn f(x) = 2 * x`"),
            MeantItem::Pattern => error.help("a tuple is taken apart in a body: `fn f(x) { (a, b) = split(x, 2); a }` on two lines"),
            MeantItem::PrintInstead => error.suggest("to see a value, print it", at, "print "),
            MeantItem::Expectation => {
                error.suggest("a condition that must hold is written `expect`", at, "expect")
            }
            MeantItem::Import => error.help(
                "leave the line out: the library is always there; `import \"file.nn\"` brings what another file declares",
            ),
            MeantItem::CarriedOut => error.help(
                "a file declares items; what is carried out stands in bodies of functions, layers and models, in `train` and in `print`",
            ),
            MeantItem::Foreign(advice) => error.help(advice),
            MeantItem::Misspelt(item) => error.suggest(format!("did you mean `{item}`?"), at, item),
            MeantItem::Print => error.suggest("to see a value, print it", start, "print "),
            MeantItem::NotKnown => error.help(format!("items begin with one of: {}", ITEM_WORDS.join(", "))),
        }
    }
}
