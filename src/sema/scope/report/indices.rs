//! What can be wrong with index notation: which names are indices, their ranges, what is read and written.

use super::shapes::Shape;
use super::{Cause, Problem, count, error};
use crate::base::{Diagnostic, SourceMap, Span};
use crate::ir::{Dim, Elem};
use crate::sema::value::{Interval, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// What is wrong with an index.
#[derive(Clone, Debug)]
pub enum IndexError {
    /// A name that means something else: a constant, a dimension, the variable of a loop.
    NotIndex { name: Arc<str>, what: &'static str, value: Value, declared: Option<Span>, at: Span },
    IntroducedTwice { name: ast::Name, first: Span },
    /// No size says the range. `compound` is a subscript that has more in it than the index.
    UnknownRange { name: Arc<str>, compound: Option<Span>, at: Span },
    /// The index alone is a subscript of axes of different sizes.
    DifferentSizes { name: Arc<str>, first: AxisUse, other: AxisUse },
    /// The range that is written names another index.
    RangeOfIndex { index: Arc<str>, other: Arc<str>, bound: Span, at: Span },
    PackUnbound { name: ast::Name },
    /// Dimensions that are no indices here.
    PackNotIndices { name: ast::Name, at: Span },
    /// `argmax[i, j]`
    OneIndex { reducer: &'static str, at: Span },
    ElseOutside { at: Span },
    PackOutside { at: Span },
}

/// An axis that an index runs over.
#[derive(Clone, Debug)]
pub struct AxisUse {
    pub axis: usize,
    /// The tensor, as it is written.
    pub tensor: String,
    pub size: Dim,
    pub at: Span,
}

/// What is wrong with the elements that are read.
#[derive(Clone, Debug)]
pub enum ReadError {
    /// A slice, `new` or `...` beside an index.
    BesideIndex { what: Beside, tensor: Shape, at: Span, base: Span },
    Count { given: usize, tensor: Shape, at: Span, base: Span },
    NotInt { found: Value, at: Span },
    /// A subscript that may lie outside of its axis, for all that is known.
    Outside(OutsideError),
    NothingToSkip { at: Span },
}

/// A subscript that may lie outside of its axis.
#[derive(Clone, Debug)]
pub struct OutsideError {
    pub axis: usize,
    pub size: Dim,
    /// Its values, as far as they are known.
    pub values: Option<Interval>,
    pub tensor: Shape,
    pub base: Span,
    pub access: AccessKind,
    pub at: Span,
}

/// What cannot stand beside an index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beside {
    Slice,
    New,
    Rest,
}

/// Whether elements are read or written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessKind {
    Read,
    Write,
}

/// What is wrong with what is written. `declared` is the place of the tensor, if it has one in this body.
#[derive(Clone, Debug)]
pub enum WriteError {
    NoTarget { name: ast::Name },
    NotAddable { name: ast::Name, found: Value, declared: Option<Span> },
    AddedToBools { name: ast::Name, at: Span, declared: Option<Span> },
    Elements { name: ast::Name, target: Shape, found: Elem, at: Span, declared: Option<Span> },
    Count { name: ast::Name, given: usize, target: Shape, at: Span, declared: Option<Span> },
    Else { at: Span },
    /// One statement may write an element twice.
    Twice { name: ast::Name, at: Span, op: Span },
    /// Two statements may.
    TwiceByTwo { name: ast::Name, at: Span, op: Span, first: Span, declared: Span },
    /// Not every element is written exactly once, or nobody knows.
    UnknownShape { name: ast::Name, axes: usize, is_element: bool, at: Span },
    /// `x[0] = 1`, where x is known with more elements.
    NewTensor { name: ast::Name, at: Span, declared: Span },
}

impl Problem for IndexError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            IndexError::NotIndex { name, what, value, declared, at } => {
                let known = match value {
                    value if value.is_number() => format!(" ({})", value.show()),
                    _ => String::new(),
                };
                let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                let message = format!("`{name}` is {article} {what}{known} and cannot be an index");
                let error = error("E0301", message, *at, "used as an index");
                let error = match declared {
                    Some(declared) => error.and_at(*declared, format!("{what} `{name}`")),
                    None => error,
                };
                error.help("give the index another name")
            }
            IndexError::IntroducedTwice { name, first } => {
                let message = format!("the index `{name}` is introduced twice");
                error("E0313", message, name.span, "introduced again").and_at(*first, "introduced here")
            }
            IndexError::UnknownRange { name, compound, at } => {
                let message = format!("the range of the index `{name}` is not known");
                let error = error("E0302", message, *at, "which values does it take?");
                let error = match compound {
                    Some(place) if place != at => {
                        let text = sources.text(*place);
                        error.and_at(*place, format!("a range is never guessed from `{text}`"))
                    }
                    Some(_) => error.note("a range is taken from a subscript that is the index alone"),
                    None => error.note("it subscripts no tensor, so no size says it"),
                };
                error.help(format!("write the range where `{name}` is introduced: `{name} < …`"))
            }
            IndexError::DifferentSizes { name, first, other } => {
                let message = format!(
                    "the index `{name}` ranges over axes of different sizes: {} and {}",
                    first.size, other.size
                );
                error("E0303", message, other.at, other.label())
                    .and_at(first.at, first.label())
                    .help(format!("where only a part is meant, write the range: `{name} < …`"))
            }
            IndexError::RangeOfIndex { index, other, bound, at } => {
                let text = sources.text(*bound);
                let message = format!("the range of `{index}` depends on the index `{other}`");
                error("E0304", message, *at, "a range contains no index").help(format!(
                    "give `{index}` its full range, and write `if {index} < {text} then … else 0` in the body"
                ))
            }
            IndexError::PackUnbound { name } => {
                let message = format!("no dimensions `...{name}` are bound here");
                error("E0312", message, name.span, "not a pack of dimensions")
                    .help(format!("a signature binds them: `x: [...{name}]`"))
            }
            IndexError::PackNotIndices { name, at } => {
                error("E0312", format!("`...{name}` are no indices here"), *at, "not introduced as indices").help(
                    format!("introduce them on the left, `y[...{name}] = …`, or by a reducer, `sum[...{name}](…)`"),
                )
            }
            IndexError::OneIndex { reducer, at } => {
                error("E0311", format!("`{reducer}` takes one index"), *at, "a place has one number").help(
                    format!("`{reducer}(reshape(x, […]), axis = -1)` numbers the places of several axes"),
                )
            }
            IndexError::ElseOutside { at } => {
                let message = "`else` in a subscript outside of index notation";
                error("E0314", message, *at, "no index is introduced around this")
                    .help("introduce an index: `y[i < n] = x[i - 1 else 0]`")
            }
            IndexError::PackOutside { at } => {
                let message = "a pack of indices outside of index notation";
                error("E0314", message, *at, "no indices are introduced around this")
                    .help("`...` alone stands for all axes not named; `y[...s] = x[...s]` introduces indices")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            IndexError::UnknownRange { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }
}

impl AxisUse {
    fn label(&self) -> String {
        format!("axis {} of `{}` is {}", self.axis, self.tensor, self.size)
    }
}

impl Problem for ReadError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            ReadError::BesideIndex { what, tensor, at, base } => {
                let what = match what {
                    Beside::Slice => "a slice",
                    Beside::New => "`new`",
                    Beside::Rest => "`...`",
                };
                error("E0306", format!("{what} beside an index"), *at, "one place is needed here")
                    .and_at(*base, format!("this is {}", tensor.alone()))
                    .help(
                        "a tensor read with an index has one subscript for every axis: write an index for this one \
                         too",
                    )
            }
            ReadError::Count { given, tensor, at, base } => {
                let message = format!("{} for {tensor}", count(*given, "subscript", "subscripts"));
                let needed = count(tensor.axes.len(), "subscript is", "subscripts are");
                error("E0306", message, *at, format!("{needed} needed"))
                    .and_at(*base, format!("this is {}", tensor.alone()))
                    .note("a tensor read with an index has one subscript for every axis")
            }
            ReadError::NotInt { found, at } => {
                let text = sources.text(*at);
                let message = format!("a subscript must be an int, found {}", found.describe());
                let error = error("E0307", message, *at, "not an int");
                match found {
                    Value::Indexed(indexed) if indexed.elem == Elem::Float && text.contains('/') => {
                        error.help(format!("`/` gives a float; `int(floor({text}))` rounds down"))
                    }
                    Value::Tensor(_) => error.help("give it its own subscripts: `table[ids[b], d]`"),
                    _ => error,
                }
            }
            ReadError::Outside(error) => error.diagnostic(sources),
            ReadError::NothingToSkip { at } => {
                let message = "there is no reducer or `+=` around this `else skip`";
                error("E0308", message, *at, "no term that could be left out")
                    .help("`else 0` gives a value outside")
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            ReadError::BesideIndex { .. } | ReadError::Count { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }

    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        match self {
            ReadError::BesideIndex { tensor, .. } | ReadError::Count { tensor, .. } => vec![tensor],
            ReadError::Outside(error) => vec![&mut error.tensor],
            ReadError::NotInt { .. } | ReadError::NothingToSkip { .. } => Vec::new(),
        }
    }
}

impl OutsideError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        let OutsideError { axis, size, values, tensor, base, access, at } = self;
        let text = sources.text(*at);
        let name = sources.text(*base).trim_end_matches('[');
        let message = format!("the subscript `{text}` may lie outside axis {axis} of `{name}`");
        let label = match values {
            Some(values) => {
                let end = &values.greatest + &Dim::ONE;
                format!("lies in {} .. {end}, the axis has the places 0 .. {size}", values.least)
            }
            None => format!("nothing is known of its range; the axis has the places 0 .. {size}"),
        };
        let error = error("E0305", message, *at, label);
        let error = match base.is_empty() {
            true => error,
            false => error.and_at(*base, format!("this is {}", tensor.alone())),
        };
        error.help(match (access, values) {
            (AccessKind::Read, Some(_)) => format!(
                "say what an outside read gives: `{text} else 0`, or `else skip` to leave the term out"
            ),
            (AccessKind::Read, None) => format!(
                "`{text} else 0` says what an outside read gives; `clamp({text}, 0, …)` keeps it inside"
            ),
            (AccessKind::Write, _) => format!(
                "it must be within the axis for all values of the indices; `{text} else skip` with `+=` drops the \
                 others"
            ),
        })
    }
}

impl Problem for WriteError {
    fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        match self {
            WriteError::NoTarget { name } => {
                error("E0310", format!("there is no tensor `{name}` to add to"), name.span, "not known")
                    .help(format!("declare it first, all zeros: `{name}: [N, D]`"))
            }
            WriteError::NewTensor { name, at, declared } => {
                let message = format!("this makes a new tensor of one element, the earlier `{name}` is not changed");
                Diagnostic::warning("W0694", message)
                    .at(*at, "its only element")
                    .and_at(*declared, format!("the earlier `{name}`"))
                    .help(format!("with one element changed it is `y[i] = if i == 0 then 1 else {name}[i]`"))
            }
            WriteError::NotAddable { name, found, declared } => {
                let message = format!("`{name}` is {} and cannot be added to", found.describe());
                let error = error("E0310", message, name.span, "not a tensor");
                labelled(error, *declared, "bound here")
                    .help(format!("declare a tensor first, all zeros: `{name}: [N, D]`"))
            }
            WriteError::AddedToBools { name, at, declared } => {
                let message = format!("`{name}` is made of bools and cannot be added to");
                labelled(error("E0215", message, *at, "`+=` needs numbers"), *declared, "declared here")
            }
            WriteError::Elements { name, target, found, at, declared } => {
                let message = format!("`{name}` is made of {}s, the right side gives {found}s", target.elem);
                let error = error("E0215", message, *at, format!("gives {found}s"));
                let error = labelled(error, *declared, &format!("declared as {}", target.alone()));
                match target.elem {
                    Elem::Int => error.help("`int(x)` drops what is behind the point"),
                    Elem::Bool => error.help("compare to make bools: `x > 0`"),
                    Elem::Float => error,
                }
            }
            WriteError::Count { name, given, target, at, declared } => {
                let given = count(*given, "subscript", "subscripts");
                let needed = count(target.axes.len(), "subscript is", "subscripts are");
                let error =
                    error("E0306", format!("{given} for `{name}`: {target}"), *at, format!("{needed} needed"));
                labelled(error, *declared, &format!("this is {}", target.alone()))
            }
            WriteError::Else { at } => {
                error("E0308", "`else` on this left-hand side", *at, "nothing is read here")
                    .help("with `+=`, `else skip` drops what would be added outside")
            }
            WriteError::Twice { name, at, op } => {
                let message = format!("an element of `{name}` may be written twice");
                error("E0309", message, *at, "different indices may give the same place")
                    .note("writing twice is excluded only by bare indices, numbers and `k*i + u` with `u < k`")
                    .suggest("`+=` adds all that is written to one place", *op, "+=")
            }
            WriteError::TwiceByTwo { name, at, op, first, declared } => {
                let message = format!("an element of `{name}` may be written twice");
                error("E0309", message, *at, "another statement writes the same places, or may do so")
                    .and_at(*first, "written here")
                    .and_at(*declared, "declared here: each element is written at most once")
                    .suggest("`+=` adds to what is written already", *op, "+=")
            }
            WriteError::UnknownShape { name, axes, is_element, at } => {
                let text = sources.text(*at);
                let sizes = vec!["…"; *axes].join(", ");
                let advice = format!("declare the shape first, `{name}: [{sizes}]`; what is not written is 0");
                match is_element {
                    true => {
                        let label = format!("`{text}` is an element of an integer tensor");
                        error("E0315", format!("the shape of `{name}` is not known"), *at, label)
                            .help(format!("{advice}; then `+=` adds to it"))
                    }
                    false => {
                        let message = format!("not every element of `{name}` is written exactly once");
                        let label = format!("`{text}` does not go through all places from 0, each once");
                        error("E0315", message, *at, label).help(advice)
                    }
                }
            }
        }
    }

    fn cause(&self) -> Cause {
        match self {
            WriteError::Count { .. } => Cause::AnySizes,
            _ => Cause::Program,
        }
    }

    fn shapes_mut(&mut self) -> Vec<&mut Shape> {
        match self {
            WriteError::Elements { target, .. } | WriteError::Count { target, .. } => vec![target],
            _ => Vec::new(),
        }
    }
}

fn labelled(error: Diagnostic, declared: Option<Span>, label: &str) -> Diagnostic {
    match declared {
        Some(declared) => error.and_at(declared, label),
        None => error,
    }
}
