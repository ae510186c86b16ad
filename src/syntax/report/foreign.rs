//! Habits of other languages (E0018).

use crate::base::{Diagnostic, Span};

fn error(what: impl Into<String>, at: Span) -> Diagnostic {
    super::error("E0018", what, at, "not of this language")
}

/// Signs and characters that are not of this language.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum ForeignSign {
    /// What is spelt otherwise here.
    Spelling { sign: Sign, at: Span },
    /// `===`: what is left of it.
    ThreeSigns { comparison: String, at: Span },
    /// `x -= 1`
    Assigning { name: String, operator: String, at: Span },
    /// `.*`, which is elementwise elsewhere.
    Pointed { operator: String, at: Span },
    /// `tanh.(x)`: the point.
    PointedCall { at: Span },
    /// `√x`
    Function { name: &'static str, at: Span },
    /// `[1, 2; 3, 4]`
    Rows { at: Span },
    /// `//`
    DoubleSlash { at: Span },
    Increment { at: Span },
    FatArrow { at: Span },
    Percent { at: Span },
    QuestionMark { at: Span },
    /// `;`: what takes its place if another statement follows.
    Semicolon { gap: Option<Span>, in_body: bool, at: Span },
    Quote { at: Span },
    /// `'…'`
    SingleQuotes { inside: String, at: Span },
    Character { character: String, at: Span },
}

/// Constructs that are not of this language.
#[derive(Clone, Debug)]
pub(in crate::syntax) enum ForeignConstruct {
    /// `let x = 1` in a body: all before the name.
    BindingWord { gap: Span, at: Span },
    Return { gap: Span, at: Span },
    Declaration { at: Span },
    Loop { word: String, at: Span },
    ElseIf { word: String, at: Span },
    Lambda { at: Span },
    /// `assert x > 0`, and what to do here.
    Statement { word: String, advice: &'static str, at: Span },
    /// `1:3` as a value.
    RangeValue { at: Span },
    /// `sum[i in 0..n](…)`, `sum[i = 0..n](…)`
    IndexRange { at: Span },
    /// `{a:.2f}` in a string.
    Format { at: Span },
    /// `{}` in a string.
    EmptyHole { at: Span },
    /// `f"…"`
    StringPrefix { at: Span },
    /// `a if c else b`
    ConditionBehind { at: Span },
    /// `[i * i for i in 0..3]`
    Comprehension { at: Span },
    /// `for i in 0..3:`: the first word of the line.
    ColonBeforeBlock { word: String, at: Span },
    /// `x is None`
    Is { name: String, at: Span },
    /// `epochs: 10`
    SettingWithColon { gap: Span, at: Span },
    /// `import numpy as np`
    Import { module: String, at: Span },
}

/// A sign or word that is spelt otherwise in other languages.
#[derive(Clone, Copy, Debug)]
pub(in crate::syntax) enum Sign {
    Power,
    Binding,
    And,
    Or,
    Not,
    Minus,
    Times,
    LessOrEqual,
    GreaterOrEqual,
    Unequal,
    Over,
    Squared,
    Cubed,
    Infinity,
    Update,
    Arrow,
}

impl Sign {
    /// What is said, and how it is written here.
    fn rule(self) -> (&'static str, &'static str) {
        match self {
            Sign::Power => ("a power is written `^`", "^"),
            Sign::Binding => ("a binding is written `=`", "="),
            Sign::And => ("the logical and is written `and`", "and"),
            Sign::Or => ("the logical or is written `or`", "or"),
            Sign::Not => ("negation is written `not`", "not "),
            Sign::Minus => ("this is not the minus sign", "-"),
            Sign::Times => ("multiplication is written `*`", "*"),
            Sign::LessOrEqual => ("less or equal is written `<=`", "<="),
            Sign::GreaterOrEqual => ("greater or equal is written `>=`", ">="),
            Sign::Unequal => ("unequal is written `!=`", "!="),
            Sign::Over => ("division is written `/`", "/"),
            Sign::Squared => ("a power is written `^`", "^2"),
            Sign::Cubed => ("a power is written `^`", "^3"),
            Sign::Infinity => ("infinity is written `inf`", "inf"),
            Sign::Update => ("an update is written `<-`", "<-"),
            Sign::Arrow => ("the arrow is written `->`", "->"),
        }
    }
}

impl ForeignSign {
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            ForeignSign::Spelling { sign, at } => {
                let (what, written) = sign.rule();
                error(what, *at).suggest("write", *at, written)
            }
            ForeignSign::ThreeSigns { comparison, at } => {
                error("a comparison has two signs", *at).suggest("write", *at, comparison)
            }
            ForeignSign::Assigning { name, operator, at } => error(format!("there is no `{operator}=`"), *at)
                .help(format!("bind the name again, `{name} = {name} {operator} …`")),
            ForeignSign::Pointed { operator, at } => {
                error(format!("there is no `.{operator}`"), *at).suggest("operators are elementwise: write", *at, operator)
            }
            ForeignSign::PointedCall { at } => {
                error("there is no `.(`", *at).suggest("functions of one number are elementwise: write", *at, "")
            }
            ForeignSign::Function { name, at } => {
                error("functions have names here", *at).help(format!("write `{name}(x)`"))
            }
            ForeignSign::Rows { at } => error("the rows of a matrix are lists", *at)
                .help("`[[1, 2], [3, 4]]`: each row in brackets, commas between"),
            ForeignSign::DoubleSlash { at } => {
                error("there is no `//`", *at).help("`div(a, b)` rounds down; a comment begins with `#`")
            }
            ForeignSign::Increment { at } => {
                error("there is no `++`", *at).help("bind the name again, `x = x + 1`")
            }
            ForeignSign::FatArrow { at } => error("there is no `=>`", *at),
            ForeignSign::Percent { at } => {
                error("there is no `%`", *at).help("the remainder of a / b is `mod(a, b)`")
            }
            ForeignSign::QuestionMark { at } => {
                error("there is no `?`", *at).help("a choice is written `if c then a else b`")
            }
            ForeignSign::Semicolon { gap, in_body, at } => {
                let error = error("statements are not ended by `;`", *at);
                match gap {
                    Some(gap) => error.suggest("a statement ends with its line", *gap, if *in_body { "\n    " } else { "\n" }),
                    None => error.suggest("a statement ends with its line", *at, ""),
                }
            }
            ForeignSign::Quote { at } => {
                error("strings are written in double quotes", *at).help("like \"this\"")
            }
            ForeignSign::SingleQuotes { inside, at } => error("strings are written in double quotes", *at)
                .suggest("write", *at, format!("\"{inside}\"")),
            ForeignSign::Character { character, at } => {
                error(format!("the character `{character}` has no meaning here"), *at)
            }
        }
    }
}

impl ForeignConstruct {
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            ForeignConstruct::BindingWord { gap, at } => {
                error("a binding has no keyword", *at).suggest("write only `name = …`", *gap, "")
            }
            ForeignConstruct::Return { gap, at } => error("there is no `return`", *at).suggest(
                "the last expression of a body is its value",
                *gap,
                "",
            ),
            ForeignConstruct::Declaration { at } => error("declarations do not stand in bodies", *at)
                .help("declare it as an item, outside of this one"),
            ForeignConstruct::Loop { word, at } => error(format!("there is no `{word}`"), *at)
                .help("`for l in 0..n` repeats at compile time, `scan t < T` runs over time steps"),
            ForeignConstruct::ElseIf { word, at } => {
                error(format!("there is no `{word}`"), *at).suggest("write", *at, "else if")
            }
            ForeignConstruct::Lambda { at } => {
                error("there are no anonymous functions", *at)
                .help("declare it outside of this body, `fn f(x) = 2 * x`, and give its name")
            }
            ForeignConstruct::Statement { word, advice, at } => {
                error(format!("there is no statement `{word}`"), *at).help(*advice)
            }
            ForeignConstruct::RangeValue { at } => error("a range is no value", *at).help(
                "`arange(n)` is the numbers 0 … n - 1, `linspace(a, b, n)` n numbers from a to b; `for i in 0..n` goes through a range",
            ),
            ForeignConstruct::IndexRange { at } => error("the range of an index is written with `<`", *at)
                .help("`sum[i < n](…)`: i goes from 0 to n - 1; where `x[i]` stands alone its size is known and `sum[i](x[i])` says enough"),
            ForeignConstruct::Format { at } => error("values in strings have no format", *at)
                .help("round what is shown: `{round(100 * x) / 100}`"),
            ForeignConstruct::EmptyHole { at } => error("nothing stands in these braces", *at)
                .help("the value itself stands in the braces of a string: `\"loss {x}\"`; a brace is written `{{`"),
            ForeignConstruct::StringPrefix { at } => error("strings have no prefix", *at).suggest(
                "`{x}` in a string is always the value of x",
                *at,
                "",
            ),
            ForeignConstruct::ConditionBehind { at } => error("the condition of a choice comes first", *at)
                .help("write `if c then a else b` for `a if c else b`"),
            ForeignConstruct::Comprehension { at } => error("there are no comprehensions", *at)
                .help("index notation makes a tensor element by element: `y[i < n] = i * i`"),
            ForeignConstruct::ColonBeforeBlock { word, at } => {
                error("a block stands in braces, not behind a colon", *at)
                    .help(format!("write `{word} … {{` and close it with `}}` below"))
            }
            ForeignConstruct::Is { name, at } => error("there is no `is`", *at).help(format!(
                "`kind({name}) == \"none\"` asks whether {name} is given; values are compared with `==`"
            )),
            ForeignConstruct::SettingWithColon { gap, at } => {
                error("a setting is written with `=`", *at).suggest("write", *gap, " =")
            }
            ForeignConstruct::Import { module, at } => error(format!("`{module}` cannot be imported"), *at).help(
                "leave the line out: the library is always there; `import \"file.nn\"` brings what another file declares",
            ),
        }
    }
}
