//! Shape errors that are found where all sizes are numbers, and the names of these sizes in their messages.

use crate::sema::scope::report::count;
use crate::sema::value::Axis;
use crate::base::{Diagnostic, Label, Span};
use crate::ir::Dim;
use crate::sema::scope::Scope;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::module::ItemRef;
use crate::sema::value::Value;
use std::sync::Arc;

/// Values by the names of parameters.
pub type Values = Vec<(Arc<str>, Value)>;

/// A shape error in the body of a definition of the user's, and what that body was elaborated on.
#[derive(Clone, Debug)]
pub struct Numeric {
    pub code: &'static str,
    pub place: Span,
    pub item: ItemRef,
    pub hyper: Values,
    pub inputs: Values,
    /// The sizes of the names of dimensions.
    pub dims: Vec<(Arc<str>, Dim)>,
}

impl Numeric {
    /// The definition in whose body the error is.
    pub fn item(&self) -> &ItemRef {
        &self.item
    }
}

impl Scope<'_> {
    /// Remembers the call in which a shape error was found.
    pub fn remember_sizes(&mut self, error: &Diagnostic) {
        let Some(place) = error.primary_span() else { return };
        if self.context.is_looking() || !matches!(error.code.get(..3), Some("E02" | "E03")) {
            return;
        }
        let around =
            |span: Span| span.file == place.file && span.start <= place.start && place.end <= span.end;
        let frame = self.frames.iter().rev().find(|frame| {
            frame.item.as_ref().is_some_and(|item| around(item.item.span) && item.definition().is_some())
        });
        let Some((frame, item)) = frame.and_then(|frame| Some((frame, frame.item.clone()?))) else { return };
        let of = |kind: BindingKind| -> Values {
            let it = frame.bindings.iter().filter(|it| it.kind == kind);
            it.map(|it| (it.name.clone(), it.value.clone())).collect()
        };
        let dims = frame.bindings.iter().filter_map(|it| match (it.kind, &it.value) {
            (BindingKind::Dim { .. }, Value::Int(size)) => Some((it.name.clone(), size.clone())),
            _ => None,
        });
        let dims = dims.collect();
        let (hyper, inputs) = (of(BindingKind::Hyper), of(BindingKind::Input));
        self.numeric.push(Numeric { code: error.code, place, item, hyper, inputs, dims });
    }

    /// Whether two sizes with symbolic dimensions may be equal once these have numbers.
    pub fn may_fit(&self, a: &Dim, b: &Dim) -> bool {
        self.context.sizes_may_fit() && (a - b).as_number().is_none_or(|difference| difference == 0)
    }
}

pub fn name_sizes_of(error: &mut Diagnostic, named: &Diagnostic, dims: &[(Arc<str>, Dim)]) {
    let mut shown = Vec::new();
    for label in &mut error.labels {
        let same = |other: &&Label| other.span == label.span && other.primary == label.primary;
        if let Some(other) = named.labels.iter().find(same)
            && let Some(both) = joined(&label.message, &other.message, &mut shown)
        {
            label.message = both;
        }
    }
    let mut groups: Vec<(&Dim, Vec<&str>)> = Vec::new();
    for (name, size) in dims.iter().filter(|(name, size)| size.to_string() != **name) {
        if !shown.iter().any(|text| mentions(text, name)) {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == size) {
            Some((_, names)) => names.push(name),
            None => groups.push((size, vec![name])),
        }
    }
    if !groups.is_empty() {
        let texts = groups.into_iter().map(|(size, names)| format!("{} = {size}", names.join(" = ")));
        error.notes.insert(0, format!("here {}", texts.collect::<Vec<_>>().join(", ")));
    }
}

/// A text of numbers with the shapes of another: `this is [B, 2] = [5, 2]`. Where several shapes are compared,
/// the names alone. What was added goes into `shown`.
fn joined(numbers: &str, names: &str, shown: &mut Vec<String>) -> Option<String> {
    let (plain, shapes) = cut(numbers);
    let (_, named) = cut(names);
    if shapes.len() != named.len() || shapes == named {
        return None;
    }
    let mut text = String::new();
    for (at, between) in plain.iter().enumerate() {
        text.push_str(between);
        let (Some(shape), Some(name)) = (shapes.get(at), named.get(at)) else { continue };
        if shape == name {
            text.push_str(shape);
            continue;
        }
        shown.push(name.to_string());
        match shapes.len() {
            1 => text.push_str(&format!("{name} = {shape}")),
            _ => text.push_str(name),
        }
    }
    Some(text)
}

/// The shapes in a text, and what stands before, between and after them.
fn cut(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut plain, mut shapes, mut rest) = (Vec::new(), Vec::new(), text);
    while let Some(open) = rest.find('[')
        && let Some(length) = rest[open..].find(']')
    {
        plain.push(&rest[..open]);
        shapes.push(&rest[open..=open + length]);
        rest = &rest[open + length + 1..];
    }
    plain.push(rest);
    (plain, shapes)
}

fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\'')).any(|word| word == name)
}

/// Adds to a message which axis differs.
pub fn explain_axes(error: Diagnostic, found: &[Axis], wanted: &[Axis]) -> Diagnostic {
    if found.len() != wanted.len() {
        let (found, is) = (found.len(), if wanted.len() == 1 { "is" } else { "are" });
        let wanted = count(wanted.len(), "axis", "axes");
        return error.note(format!("{} where {wanted} {is} declared", count(found, "axis", "axes")));
    }
    let differing = found.iter().zip(wanted).position(|(a, b)| a.size != b.size);
    match differing {
        Some(at) => error.note(format!("axis {at} is {} instead of {}", found[at].size, wanted[at].size)),
        None => error,
    }
}
