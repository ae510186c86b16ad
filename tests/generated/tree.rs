//! A generated program: text with parts that can be taken out, which is all that shrinking needs to know.

use std::fmt;

/// A piece of text with expressions in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expr {
    pub pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    Text(String),
    Part(Expr),
}

/// One statement, or a block of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    Line(Expr),
    /// `scan … {`, the statements, `}`.
    Block {
        head: Expr,
        body: Vec<Statement>,
    },
    /// Lines that belong together, such as the shape of a tensor and what is written into it.
    Group(Vec<Statement>),
}

/// One model and what is asked of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    /// The lines in front: `# values wide`.
    pub directives: Vec<String>,
    /// Items before the model.
    pub items: Vec<Statement>,
    pub inputs: Vec<String>,
    pub statements: Vec<Statement>,
    pub results: Vec<Expr>,
    /// Items after the model.
    pub actions: Vec<Statement>,
}

/// Text alone.
pub fn text(text: impl Into<String>) -> Expr {
    Expr { pieces: vec![Piece::Text(text.into())] }
}

/// A text in which each `$` stands for the next of the parts.
pub fn node(template: &str, parts: Vec<Expr>) -> Expr {
    let mut pieces = Vec::new();
    let mut parts = parts.into_iter();
    for (number, piece) in template.split('$').enumerate() {
        if number > 0 {
            pieces.extend(parts.next().map(Piece::Part));
        }
        if !piece.is_empty() {
            pieces.push(Piece::Text(piece.to_owned()));
        }
    }
    Expr { pieces }
}

pub fn line(template: &str, parts: Vec<Expr>) -> Statement {
    Statement::Line(node(template, parts))
}

impl Expr {
    pub fn parts(&self) -> impl Iterator<Item = &Expr> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Text(_) => None,
        })
    }

    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.pieces.iter_mut().filter_map(|piece| match piece {
            Piece::Part(part) => Some(part),
            Piece::Text(_) => None,
        })
    }
}

impl Statement {
    fn write(&self, indent: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Line(expr) => writeln!(f, "{:indent$}{expr}", ""),
            Statement::Group(lines) => lines.iter().try_for_each(|line| line.write(indent, f)),
            Statement::Block { head, body } => {
                writeln!(f, "{:indent$}{head} {{", "")?;
                body.iter().try_for_each(|line| line.write(indent + 4, f))?;
                writeln!(f, "{:indent$}}}", "")
            }
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Part(part) => part.fmt(f),
        })
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(0, f)
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.directives.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.items.iter().try_for_each(|item| item.write(0, f))?;
        if !self.results.is_empty() {
            writeln!(f, "model M({}) {{", self.inputs.join(", "))?;
            self.statements.iter().try_for_each(|statement| statement.write(4, f))?;
            let results: Vec<String> = self.results.iter().map(Expr::to_string).collect();
            match &results[..] {
                [one] => writeln!(f, "    {one}")?,
                several => writeln!(f, "    ({})", several.join(", "))?,
            }
            writeln!(f, "}}")?;
        }
        self.actions.iter().try_for_each(|item| item.write(0, f))
    }
}
