//! What the test harness is made of.

pub mod backends;
pub mod cases;
pub mod checks;
pub mod expected;
pub mod many;
pub mod rounding;
pub mod snapshot;
pub mod text;

use nnc::compile::Stage;

/// What a case can print.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Fmt,
    Stage(Stage),
    Run,
    Errors,
    /// The gradient as mathematics.
    Derive,
    /// The same as a LaTeX document.
    Latex,
}

impl Kind {
    /// From the name of a folder, or a word of `# test:`.
    pub fn from_name(name: &str) -> Option<Kind> {
        match name {
            "parse" => Some(Kind::Stage(Stage::Ast)),
            "fmt" => Some(Kind::Fmt),
            "run" => Some(Kind::Run),
            "errors" => Some(Kind::Errors),
            "derive" => Some(Kind::Derive),
            "latex" => Some(Kind::Latex),
            _ => Stage::from_name(name).map(Kind::Stage),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Fmt => "fmt",
            Kind::Stage(stage) => stage.name(),
            Kind::Run => "run",
            Kind::Errors => "errors",
            Kind::Derive => "derive",
            Kind::Latex => "latex",
        }
    }
}
