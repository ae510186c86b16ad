//! Elaborating a definition on inputs of its written types, with symbolic dimensions for all sizes that a caller
//! would choose.
//!
//! Two things need it. A definition that nothing calls is checked this way as far as its types go. And a shape
//! error found at a call, where all sizes are numbers, is looked for again with names for them: messages then
//! say `[B, H - 2] = [5, 12]`.

use crate::sema::scope::report::Report;
use crate::sema::scope::report::sizes::{Numeric, Values};
use crate::sema::value::Given;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::walk;
use crate::sema::scope::module::ItemRef;
use crate::sema::value::{Instance, InstanceKind, IntSource, Value};
use crate::base::Span;
use crate::ir::{Dim, Elem, InputKey, Op, Type};
use crate::syntax::ast::{self, DimKind, Role, TypeKind};
use std::sync::Arc;

/// What depends on open sizes where a model is looked at, not run.
#[derive(Debug, Default)]
pub struct OpenVariables {
    /// Variables whose shape does, with their places.
    pub shapes: Vec<(Arc<str>, Type, Span)>,
    /// Errors of starting values that do, or that depend, if no size is open, wrongly on an input.
    pub starts: Vec<Report>,
}

/// Errors that are looked for a second time; the others wait until these are mended.
const MOST_EXPLAINED: usize = 8;

impl Elaborator<'_> {
    /// What is wrong with the body of an error on symbolic sizes.
    pub fn wrong_as_before(&mut self, error: &Numeric) -> Option<Vec<Report>> {
        self.wrong_on_free_sizes(&error.item, Some(&error.hyper), &error.inputs)
    }

    /// The errors of a body that is elaborated on symbolic sizes. `None` if its types say too little.
    pub fn wrong_on_free_sizes(
        &mut self,
        item: &ItemRef,
        hyper: Option<&Values>,
        inputs: &Values,
    ) -> Option<Vec<Report>> {
        let reported = std::mem::take(&mut self.reports);
        let variables = self.variables.list.len();
        self.begin_graph();
        let looking = self.context.looking();
        let done =
            self.within(looking, |cx| cx.in_new_graph(|cx| cx.elaborate_freely(item, hyper, inputs)).1);
        self.variables.truncate(variables);
        self.open.shapes.clear();
        let reports = std::mem::replace(&mut self.reports, reported);
        done.map(|()| reports)
    }

    fn elaborate_freely(&mut self, item: &ItemRef, hyper: Option<&Values>, inputs: &Values) -> Option<()> {
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
                    let ty = Type::new(Elem::Float, vec![Dim::symbol("n")]);
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
                        let kind = FrameKind::Function;
                        let frame = Frame::uncalled(kind, Some(item.clone()), item.module);
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
}

/// Whether a name stands alone as a dimension in a signature or the type of a parameter.
fn is_size(definition: &ast::Definition, name: &str) -> bool {
    let lists = [&definition.hyper, &definition.inputs];
    let inputs =
        lists.into_iter().flatten().flat_map(|list| &list.parameters).filter_map(|parameter| parameter.ty.as_ref());
    let params = definition.body.statements.iter().filter_map(|statement| match &statement.kind {
        ast::StatementKind::Param { ty, .. } => ty.as_ref(),
        _ => None,
    });
    inputs.chain(params).chain(&definition.result).any(|ty| match &ty.kind {
        TypeKind::Tensor { dims, .. } => dims.iter().any(|dim| match &dim.kind {
            DimKind::Size(size) => size.as_name().is_some_and(|known| &**known == name),
            DimKind::Pack(_) | DimKind::Stretch => false,
        }),
        TypeKind::Tuple(_) => false,
    })
}

/// The type of a signature with every unknown name a free dimension of that name. `None` is reported.
pub fn free_type(cx: &mut Elaborator<'_>, item: &ItemRef, ty: &ast::Type) -> Option<Type> {
    let TypeKind::Tensor { element, dims } = &ty.kind else { return None };
    let elem = match element {
        ast::Element::Float => Elem::Float,
        ast::Element::Int | ast::Element::Class(_) => Elem::Int,
        ast::Element::Bool => Elem::Bool,
    };
    let frame = Frame::uncalled(FrameKind::File, Some(item.clone()), item.module);
    cx.in_frame(frame, |cx| {
        let mut names = Vec::new();
        for dim in dims {
            if let DimKind::Size(size) = &dim.kind {
                walk::expr(size, &mut |part| {
                    names.extend(part.as_name().map(|name| (name.clone(), part.span)))
                });
            }
        }
        for (name, span) in names {
            let known = cx.frame().find(&name).is_some()
                || matches!(cx.global(&name, span), Some(Value::Int(_)))
                || matches!(&*name, "min" | "max" | "floor");
            if !known {
                let free = Value::Int(Dim::symbol(name.clone()));
                cx.frame_mut().bind(
                    name,
                    free,
                    span,
                    BindingKind::Dim { stretch: false },
                );
            }
        }
        let mut shape = Vec::new();
        for dim in dims {
            match &dim.kind {
                DimKind::Size(size) => shape.push(cx.size(size, "a size")?),
                DimKind::Stretch => shape.push(Dim::ONE),
                // One free dimension stands for any number of them.
                DimKind::Pack(name) => {
                    let name = name.as_ref().map_or("rest".to_string(), |name| name.to_string());
                    shape.push(Dim::symbol(name));
                }
            }
        }
        Some(Type::new(elem, shape))
    })
}

/// Puts names beside the numbers in shape errors.
pub fn name_sizes(cx: &mut Elaborator<'_>) {
    let numeric: Vec<Numeric> = std::mem::take(&mut cx.numeric);
    for error in numeric.into_iter().take(MOST_EXPLAINED) {
        let Some(at) = cx.reports.iter().position(|report| report.is_at(&error.key)) else { continue };
        let Some(mut again) = cx.wrong_as_before(&error) else { continue };
        let Some(named) = again.iter().position(|report| report.is_at(&error.key)) else { continue };
        if let Some(help) = cx.what_would_fit(&error, &again[named], &again) {
            cx.reports[at].diagnostic.helps.push(help);
        }
        let sources = cx.sources;
        cx.reports[at].name_sizes(&mut again[named], &error.dims, sources);
    }
}

