//! Values that do not have the types that are written for them.

use super::shapes::{Shape, explain_axes};
use super::{Cause, Problem, count, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::{Dim, Elem};
use crate::sema::value::{Axis, Interval, Value, show_axes};
use crate::syntax::ast;
use std::sync::Arc;

/// A value that does not fit the type that is declared for it. `what` is its name: "`bias`", "the result of `f`".
#[derive(Clone, Debug)]
pub enum TypeError {
    Shape { what: String, found: Shape, wanted: Shape, at: Span, declared: Span },
    /// A number of another kind.
    Number { what: String, elem: Elem, found: Value, at: Span, declared: Span },
    /// Elements that would lose something.
    Elements { wanted: Elem, found: Shape, at: Span },
    /// Ints that are not known to be numbers of classes.
    Class { what: String, classes: Dim, values: Option<Interval>, at: Span, declared: Span },
    Result { callee: String, found: Shape, wanted: Shape, at: Span, declared: Span },
    NumberOfResults { callee: String, given: usize, wanted: usize, at: Span, declared: Span },
    OneResult { callee: String, found: Value, wanted: usize, at: Span, declared: Span },
}

/// An argument that does not fit the type of its parameter.
#[derive(Clone, Debug)]
pub enum InputError {
    NotTensor { input: Input, found: Value },
    Rank { input: Input, found: Shape, least: bool, wanted: usize },
    /// Floats where ints or bools are declared.
    Floats { input: Input, found: Shape },
    /// A number of another kind.
    Number { input: Input, elem: Elem, found: Value },
    /// An indexed value of other elements.
    Indexed { input: Input, elem: Elem, found: Value, elem_found: Elem },
    /// An axis of another size.
    Size(SizeError),
    /// An axis that a compound dimension gives another size.
    Compound { input: Input, axis: usize, wanted: Dim, found: Dim, dim: Span },
    /// A pack of dimensions that another input has bound in another way.
    Pack { input: Input, pack: ast::Name, known: Shape, found: Shape, first: Span },
}

/// An axis of an argument that has another size than its dimension.
#[derive(Clone, Debug)]
pub struct SizeError {
    pub input: Input,
    pub axis: usize,
    pub wanted: Dim,
    pub found: Dim,
    pub shape: Option<Shape>,
    pub dim: Span,
    /// Where the dimension was bound.
    pub bound: Span,
    /// Where the value was made, if that is another place.
    pub made: Option<Span>,
}

/// The parameter that an argument is given for.
#[derive(Clone, Debug)]
pub struct Input {
    pub name: ast::Name,
    pub callee: String,
    /// The argument.
    pub at: Span,
    /// The type of the parameter.
    pub ty: Span,
}

/// What is wrong with a written type.
#[derive(Clone, Debug)]
pub enum DimensionError {
    /// A name in a compound dimension that nothing binds.
    Unbound { name: Arc<str>, dim: Span, at: Span },
    PackUnbound { name: ast::Name, at: Span },
    /// `...` where a shape is declared.
    OpenPack { at: Span },
}

/// What is wrong with a list that is to be a tensor.
#[derive(Clone, Debug)]
pub enum ListError {
    Empty { at: Span },
    /// Elements of other shapes, known at compile time.
    Ragged { first: Vec<usize>, later: Vec<usize>, at: Span },
    OtherShapes { first: Vec<Axis>, other: Vec<Axis>, at: Span },
}

impl Problem for TypeError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            TypeError::Shape { what, found, wanted, at, declared } => {
                let label = format!("declared {}", wanted.as_declared(sources.text(*declared)));
                let message = format!("{what} is declared as {wanted}, found {found}");
                let error = error("E0206", message, *at, format!("this is {}", found.alone()));
                explain_axes(error.and_at(*declared, label), found, wanted)
            }
            TypeError::Number { what, elem, found, at, declared } => {
                let found = found.describe();
                let message = format!("{what} is declared as {elem}, found {found}");
                error("E0215", message, *at, format!("this is {found}")).and_at(*declared, "declared here")
            }
            TypeError::Elements { wanted, found, at } => {
                let message = format!("expected {wanted}s, found {found}");
                let label = format!("this is made of {}s", found.elem);
                error("E0215", message, *at, label).help(match wanted {
                    Elem::Int => "`int(x)` drops what is behind the point",
                    Elem::Bool => "compare to make bools: `x > 0`",
                    Elem::Float => "`float(x)` makes floats",
                })
            }
            TypeError::Class { what, classes, values, at, declared } => {
                let known = match values {
                    Some(values) => {
                        format!("its values lie in {} .. {}", values.least, &values.greatest + &Dim::ONE)
                    }
                    None => "nothing is known of its values".to_owned(),
                };
                let message = format!("{what} is declared as class({classes}), but {known}");
                error("E0224", message, *at, "may lie outside")
                    .and_at(*declared, "declared here")
                    .help(format!("`clamp(x, 0, {classes} - 1)` keeps it inside"))
            }
            TypeError::Result { callee, found, wanted, at, declared } => {
                let text = sources.text(*declared);
                let in_numbers = Shape::new(wanted.elem, &wanted.axes).as_declared(text);
                let message = format!("the result of `{callee}` is {found}, declared as {in_numbers}");
                let error = error("E0205", message, *at, format!("this is {}", found.alone()))
                    .and_at(*declared, format!("declared as {}", wanted.as_declared(text)));
                explain_axes(error, found, wanted)
            }
            TypeError::NumberOfResults { callee, given, wanted, at, declared } => {
                let message = format!("`{callee}` declares {wanted} results and gives {given}");
                error("E0205", message, *at, format!("{given} results"))
                    .and_at(*declared, format!("{wanted} declared"))
            }
            TypeError::OneResult { callee, found, wanted, at, declared } => {
                let found = found.describe();
                let message = format!("`{callee}` declares {wanted} results and gives {found}");
                error("E0205", message, *at, found).and_at(*declared, "declared here")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            TypeError::Shape { .. }
            | TypeError::Result { .. }
            | TypeError::NumberOfResults { .. }
            | TypeError::OneResult { .. } => Cause::AnySizes,
            TypeError::Number { .. } | TypeError::Elements { .. } | TypeError::Class { .. } => Cause::Program,
        }
    }

    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        match self {
            TypeError::Shape { found, wanted, .. } | TypeError::Result { found, wanted, .. } => {
                vec![found, wanted]
            }
            _ => Vec::new(),
        }
    }
}

impl Input {
    /// A name in messages; what an init is asked for is no name.
    fn quoted(&self) -> String {
        match self.name.as_str().contains(' ') {
            true => self.name.to_string(),
            false => format!("`{}`", self.name),
        }
    }
}

impl Problem for InputError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            InputError::NotTensor { input, found } => {
                let (found, ty) = (found.describe(), sources.text(input.ty));
                let message = format!("`{}` of `{}` must be a tensor {ty}, found {found}", input.name, input.callee);
                error("E0201", message, input.at, format!("this is {found}")).and_at(input.ty, "declared here")
            }
            InputError::Rank { input, found, least, wanted } => {
                let least = if *least { "at least " } else { "" };
                let ty = sources.text(input.ty);
                let axes = count(found.axes.len(), "axis", "axes");
                let message = format!("{} of `{}` must be {ty}, found {found}", input.quoted(), input.callee);
                let error = error("E0201", message, input.at, format!("this is {}: {axes}", found.alone()))
                    .and_at(input.ty, format!("declared with {least}{}", count(*wanted, "axis", "axes")));
                match found.axes.len().checked_sub(*wanted) {
                    Some(1) if ty == show_axes(found.elem, &found.axes[1..]) => {
                        let sizes = ty.replacen('[', if ty.ends_with("[]") { "[B" } else { "[B, " }, 1);
                        error.help(format!(
                            "the first axis goes through the rows of a batch and is declared, too: `{}: {sizes}`",
                            input.name
                        ))
                    }
                    None if found.axes.len() + 1 == *wanted && found.axes.len() >= 2 => error
                        .help("`x[:, new]` makes an axis of size 1 behind the first, such as that of the channels"),
                    _ => error,
                }
            }
            InputError::Floats { input, found } => {
                let ty = sources.text(input.ty);
                let message = format!("{} of `{}` must be {ty}, found {found}", input.quoted(), input.callee);
                error("E0215", message, input.at, format!("these are floats: {}", found.alone()))
                    .and_at(input.ty, "declared here")
                    .help(match ty.starts_with("bool") {
                        true => "compare to make bools: `x > 0`",
                        false => {
                            "`int(x)` drops what is behind the point; a field is declared as `int[…]` or `class(n)`"
                        }
                    })
            }
            InputError::Number { input, elem, found } => {
                error("E0215", of_another_kind(input, *elem, found), input.at, "of another kind")
                    .and_at(input.ty, "declared here")
            }
            InputError::Indexed { input, elem, found, elem_found } => {
                let label = format!("made of {elem_found}s");
                error("E0215", of_another_kind(input, *elem, found), input.at, label)
            }
            InputError::Size(error) => error.diagnostic(sources),
            InputError::Compound { input, axis, wanted, found, dim } => {
                let (text, callee) = (sources.text(*dim), &input.callee);
                let message = format!("axis {axis} of `{}` must be {text} = {wanted}, found {found}", input.name);
                error("E0202", message, input.at, format!("axis {axis} is {found}"))
                    .and_at(*dim, format!("`{callee}` asks for {text} = {wanted}"))
            }
            InputError::Pack { input, pack, known, found, first } => {
                let message = format!("`...{pack}` of `{}` is {known} and {found}", input.callee);
                error("E0202", message, input.at, format!("here it is {}", found.alone()))
                    .and_at(*first, format!("bound to {} here", known.alone()))
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            InputError::Floats { .. } | InputError::Number { .. } | InputError::Indexed { .. } => Cause::Program,
            InputError::NotTensor { .. }
            | InputError::Rank { .. }
            | InputError::Size(_)
            | InputError::Compound { .. }
            | InputError::Pack { .. } => Cause::AnySizes,
        }
    }

    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        match self {
            InputError::Rank { found, .. } | InputError::Floats { found, .. } => vec![found],
            InputError::Size(error) => error.shape.iter_mut().collect(),
            InputError::Pack { known, found, .. } => vec![known, found],
            _ => Vec::new(),
        }
    }
}

fn of_another_kind(input: &Input, elem: Elem, found: &Value) -> String {
    format!("`{}` of `{}` is declared as {elem}, found {}", input.name, input.callee, found.describe())
}

impl SizeError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        let SizeError { input, axis, wanted, found, shape, dim, bound, made } = self;
        let (text, callee) = (sources.text(*dim), &input.callee);
        let shown = if text == wanted.to_string() { text.to_owned() } else { format!("{text} = {wanted}") };
        let message = format!("axis {axis} of {} of `{callee}` must be {shown}, found {found}", input.quoted());
        let this = shape.as_ref().map_or_else(|| found.to_string(), Shape::alone);
        let mut error = error("E0202", message, input.at, format!("this is {this}"))
            .and_at(*dim, format!("`{callee}` declares {shown} here"));
        if bound != dim {
            error = error.and_at(*bound, format!("{text} is {wanted} by this"));
        }
        match made {
            Some(made) => error.and_at(*made, "the value is made here"),
            None => error,
        }
    }
}

impl Problem for DimensionError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            DimensionError::Unbound { name, dim, at } => {
                let text = sources.text(*dim);
                error("E0207", format!("the dimension `{name}` is not bound"), *at, "not known").help(format!(
                    "a name is bound where it stands alone as a dimension; `{text}` is only checked"
                ))
            }
            DimensionError::PackUnbound { name, at } => {
                let message = format!("no dimensions `...{name}` are bound here");
                error("E0207", message, *at, "a signature binds them: `x: [...s]`")
            }
            DimensionError::OpenPack { at } => {
                let message = "`...` cannot stand where a shape is declared";
                error("E0207", message, *at, "name the dimensions in the signature: `...s`")
            }
        }
    }
}

impl Problem for ListError {
    fn diagnostic(&self, _: &SourceMap) -> Diagnostic {
        match self {
            ListError::Empty { at } => error("E0219", "an empty list has no shape", *at, "a tensor is needed here"),
            ListError::Ragged { first, later, at } => {
                let label = format!("the first element has the shape {first:?}, a later one {later:?}");
                error("E0219", "the elements of this list have different shapes", *at, label)
            }
            ListError::OtherShapes { first, other, at } => {
                let (first, other) = (show_axes(Elem::Float, first), show_axes(Elem::Float, other));
                let message = format!("the elements of this list have different shapes: {first} and {other}");
                error("E0219", message, *at, "stacked to a tensor, all elements must have one shape")
            }
        }
    }
}
