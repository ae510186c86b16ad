//! Elaborating a definition on inputs of its written types, with symbolic dimensions for all sizes that a caller
//! would choose.
//!
//! Two things need it. A definition that nothing calls is checked this way as far as its types go. And a shape
//! error found at a call, where all sizes are numbers, is looked for again with names for them: messages then
//! say `[B, H - 2] = [5, 12]`.

use crate::sema::build::builtins::Given;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::items::models::free_type;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Instance, InstanceKind, IntSource, Value};
use crate::base::{Diagnostic, Label, Span};
use crate::ir::{Dim, InputKey, Op, Type};
use crate::syntax::ast::{self, DimKind, Role, TypeKind};
use std::sync::Arc;

/// What depends on open sizes where a model is looked at, not run.
#[derive(Debug, Default)]
pub struct OpenVariables {
    /// Variables whose shape does, with their places.
    pub shapes: Vec<(Arc<str>, Type, Span)>,
    /// Errors of starting values that do, or that depend, if no size is open, wrongly on an input.
    pub starts: Vec<Diagnostic>,
}

/// Errors that are looked for a second time; the others wait until these are mended.
const MOST_EXPLAINED: usize = 8;

/// Values by the names of parameters.
type Values = Vec<(Arc<str>, Value)>;

/// A shape error in the body of a definition of the user's, and what that body was elaborated on.
#[derive(Clone, Debug)]
pub struct Numeric {
    code: &'static str,
    place: Span,
    item: ItemRef,
    hyper: Values,
    inputs: Values,
    /// The sizes of the names of dimensions.
    dims: Vec<(Arc<str>, Dim)>,
}

impl Numeric {
    /// The definition in whose body the error is.
    pub fn item(&self) -> &ItemRef {
        &self.item
    }
}

impl Elaborator<'_> {
    /// What is wrong with the body of an error on symbolic sizes.
    pub fn wrong_as_before(&mut self, error: &Numeric) -> Option<Vec<Diagnostic>> {
        self.wrong_on_free_sizes(&error.item, Some(&error.hyper), &error.inputs)
    }

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

    /// The errors of a body that is elaborated on symbolic sizes. `None` if its types say too little.
    pub fn wrong_on_free_sizes(
        &mut self,
        item: &ItemRef,
        hyper: Option<&Values>,
        inputs: &Values,
    ) -> Option<Vec<Diagnostic>> {
        let reported = std::mem::take(&mut self.diagnostics);
        let variables = self.variables.list.len();
        self.begin_graph();
        let looking = self.context.looking();
        let done =
            self.within(looking, |cx| cx.in_new_graph(|cx| cx.carry_out_freely(item, hyper, inputs)).1);
        self.variables.truncate(variables);
        self.open.shapes.clear();
        let found = std::mem::replace(&mut self.diagnostics, reported);
        done.map(|()| found)
    }

    fn carry_out_freely(&mut self, item: &ItemRef, hyper: Option<&Values>, inputs: &Values) -> Option<()> {
        let definition = item.definition()?;
        let span = definition.name.span;
        let hyper = match hyper {
            Some(hyper) => hyper.clone(),
            None => self.free_hyper(item, definition)?,
        };
        let is_layer = matches!(definition.role, Role::Layer | Role::Model);
        let list = match is_layer {
            true => definition.inputs.as_ref(),
            false => definition.inputs.as_ref().or(definition.hyper.as_ref()),
        };
        let mut given = Vec::new();
        for (at, parameter) in list.iter().flat_map(|list| &list.parameters).enumerate() {
            let known = inputs.iter().find(|(name, _)| *name == parameter.name.text).map(|(_, value)| value);
            let value = match (known, &parameter.ty) {
                (Some(Value::Tensor(_)) | None, Some(ty)) => {
                    let scalar = matches!(&ty.kind, TypeKind::Tensor { dims, .. } if dims.is_empty());
                    // A scalar may be meant as a size, known when it is compiled.
                    if scalar || (known.is_none() && parameter.default.is_some()) {
                        if parameter.default.is_some() {
                            continue;
                        }
                        return None;
                    }
                    let ty = free_type(self, item, ty)?;
                    self.free_input(&parameter.name.text, ty, parameter.span)
                }
                (Some(Value::Tensor(tensor)), None) => {
                    let ty = tensor.ty.clone();
                    self.free_input(&parameter.name.text, ty, parameter.span)
                }
                (Some(value), _) => value.clone(),
                (None, None) if parameter.default.is_some() => continue,
                (None, None) if definition.role == Role::Activation && at == 0 => {
                    let ty = Type::new(crate::ir::Elem::Float, vec![Dim::symbol("n")]);
                    self.free_input(&parameter.name.text, ty, parameter.span)
                }
                (None, None) if is_size(definition, &parameter.name.text) => {
                    Value::Int(Dim::symbol(parameter.name.text.clone()))
                }
                (None, None) => return None,
            };
            given.push(Given { name: Some(parameter.name.clone()), value, span });
        }
        if is_layer {
            let path: Arc<str> = format!("free {}", item.name()).into();
            let kind = InstanceKind::Layer { item: item.clone(), hyper };
            self.call_instance(&Arc::new(Instance { path, kind, span }), given, span);
        } else {
            self.call_item(item, given, span, None);
        }
        Some(())
    }

    /// Hyperparameters that nobody has given: their defaults, or symbolic dimensions where they are sizes.
    fn free_hyper(&mut self, item: &ItemRef, definition: &ast::Definition) -> Option<Values> {
        let mut values = Values::new();
        if matches!(definition.role, Role::Layer | Role::Model) {
            for parameter in definition.hyper.iter().flat_map(|list| &list.parameters) {
                let name = parameter.name.text.clone();
                let value = match &parameter.default {
                    Some(default) => {
                        let frame = crate::sema::scope::frames::Frame::new(
                            crate::sema::scope::frames::FrameKind::Function,
                            Some(item.clone()),
                            item.module,
                            Span::default(),
                        );
                        self.in_frame(frame, |cx| cx.expr(default, None))
                    }
                    None if is_size(definition, &name) => Value::Int(Dim::symbol(name.clone())),
                    None => return None,
                };
                values.push((name, value));
            }
        }
        Some(values)
    }

    fn free_input(&mut self, name: &Arc<str>, ty: Type, span: Span) -> Value {
        let node = self.graph_mut().add(Op::Input { name: InputKey::field(name.clone()), ty }, Vec::new());
        let mut tensor = self.tensor(node, span);
        tensor.field = Some(IntSource::Caller);
        Value::Tensor(tensor)
    }

    /// Whether two sizes with symbolic dimensions may be equal once these have numbers.
    pub fn may_fit(&self, a: &Dim, b: &Dim) -> bool {
        self.context.sizes_may_fit() && (a - b).as_number().is_none_or(|difference| difference == 0)
    }
}

/// Whether a name stands alone as a dimension in a signature or the type of a parameter.
fn is_size(definition: &ast::Definition, name: &str) -> bool {
    let lists = [&definition.hyper, &definition.inputs];
    let inputs =
        lists.into_iter().flatten().flat_map(|list| &list.parameters).filter_map(|it| it.ty.as_ref());
    let params = definition.body.statements.iter().filter_map(|statement| match &statement.kind {
        ast::StatementKind::Param { ty, .. } => ty.as_ref(),
        _ => None,
    });
    inputs.chain(params).chain(&definition.result).any(|ty| match &ty.kind {
        TypeKind::Tensor { dims, .. } => dims.iter().any(|dim| match &dim.kind {
            DimKind::Size(size) => size.as_name().is_some_and(|it| &**it == name),
            DimKind::Pack(_) | DimKind::Stretch => false,
        }),
        TypeKind::Tuple(_) => false,
    })
}

/// Puts names beside the numbers in shape errors.
pub fn name_sizes(cx: &mut Elaborator<'_>) {
    let numeric: Vec<Numeric> = std::mem::take(&mut cx.numeric);
    for error in numeric.into_iter().take(MOST_EXPLAINED) {
        let is_it =
            |found: &Diagnostic| found.code == error.code && found.primary_span() == Some(error.place);
        let Some(at) = cx.diagnostics.iter().position(is_it) else { continue };
        let Some(found) = cx.wrong_as_before(&error) else { continue };
        let Some(named) = found.iter().find(|found| is_it(found)) else { continue };
        if error.code == "E0203"
            && let Some(help) = cx.what_would_fit(&error, named, &found)
        {
            cx.diagnostics[at].helps.push(help);
        }
        name_sizes_of(&mut cx.diagnostics[at], named, &error.dims);
    }
}

fn name_sizes_of(error: &mut Diagnostic, named: &Diagnostic, dims: &[(Arc<str>, Dim)]) {
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
