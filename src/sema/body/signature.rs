//! Written types: what they declare, how arguments are matched against them, how results are checked.
//!
//! In a signature a name that is not known yet is bound by the argument: where it first stands alone as a
//! dimension, over all inputs. Compound dimensions (`2 * n`) are checked after that, never solved.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::count;
use crate::sema::build::tensors::{number_elem};
use crate::sema::value::{Axis, Value, show_axes};
use crate::base::{Diagnostic, Span};
use crate::ir::{Dim, Elem};
use crate::syntax::ast::{self, DimKind, ExprKind, TypeKind};
use std::sync::Arc;

/// A dimension that is checked once all names are bound.
struct Deferred<'t> {
    dim: &'t ast::Dim,
    size: Dim,
    input: &'t ast::Name,
    axis: usize,
}

/// An input with its type, and the place of the argument.
pub struct TypedInput<'t> {
    pub name: &'t ast::Name,
    pub ty: &'t ast::Type,
    pub span: Span,
}

/// The element type that a written type declares.
pub fn elem_of_type(element: &ast::Element) -> Elem {
    match element {
        ast::Element::Float => Elem::Float,
        ast::Element::Int | ast::Element::Class(_) => Elem::Int,
        ast::Element::Bool => Elem::Bool,
    }
}

impl Elaborator<'_> {
    /// A type all of whose names are known: of a binding, parameter, state, result. `None` is reported.
    pub fn declared_type(&mut self, ty: &ast::Type) -> Option<Expected> {
        match &ty.kind {
            TypeKind::Tensor { element, dims } => {
                let axes = self.declared_axes(dims)?;
                Some(Expected { elem: Some(elem_of_type(element)), axes })
            }
            TypeKind::Tuple(_) => {
                self.error(
                    "E0124",
                    "a tuple type stands for results only",
                    ty.span,
                    "one tensor is needed here",
                );
                None
            }
        }
    }

    /// The axes that written dimensions stand for.
    pub fn declared_axes(&mut self, dims: &[ast::Dim]) -> Option<Vec<Axis>> {
        let mut axes = Vec::new();
        for dim in dims {
            match &dim.kind {
                DimKind::Stretch => axes.push(Axis::stretchable()),
                DimKind::Size(size) => axes.push(self.declared_axis(size)?),
                DimKind::Pack(Some(name)) => match self.frame().find(&name.text).map(|it| it.value.clone()) {
                    Some(Value::Pack(pack)) => axes.extend(pack.iter().cloned()),
                    Some(Value::List(sizes)) if sizes.iter().all(|size| matches!(size, Value::Int(_))) => {
                        axes.extend(sizes.iter().filter_map(Value::as_dim).map(Axis::new));
                    }
                    Some(Value::Error) => return None,
                    _ => {
                        let message = format!("no dimensions `...{name}` are bound here");
                        self.error("E0207", message, dim.span, "a signature binds them: `x: [...s]`");
                        return None;
                    }
                },
                DimKind::Pack(None) => {
                    let message = "`...` cannot stand where a shape is declared";
                    self.error("E0207", message, dim.span, "name the dimensions in the signature: `...s`");
                    return None;
                }
            }
        }
        Some(axes)
    }

    fn declared_axis(&mut self, size: &ast::Expr) -> Option<Axis> {
        if let Some(name) = size.as_name()
            && let Some(binding) = self.frame().find(name)
            && binding.kind == (BindingKind::Dim { stretch: true })
        {
            return Some(Axis::stretchable());
        }
        self.size(size, "a dimension").map(Axis::new)
    }

    /// Matches the inputs of a call, which are bound in the frame already, against their types, and binds the
    /// names of dimensions. `callee` names the function. `false` is reported.
    pub fn match_inputs(&mut self, inputs: &[TypedInput<'_>], callee: &str) -> bool {
        let mut deferred = Vec::new();
        let mut fits = true;
        for input in inputs {
            fits &= self.match_input(input, callee, &mut deferred);
        }
        if !fits {
            return false;
        }
        for check in deferred {
            let DimKind::Size(expr) = &check.dim.kind else { continue };
            if let Some((name, place)) = self.unbound_name(expr) {
                let message = format!("the dimension `{name}` is not bound");
                let error = Diagnostic::error("E0207", message).at(place, "not known");
                let text = self.text(check.dim.span);
                self.report(error.help(format!(
                    "a name is bound where it stands alone as a dimension; `{text}` is only checked"
                )));
                fits = false;
                continue;
            }
            let Some(size) = self.size(expr, "a dimension") else {
                fits = false;
                continue;
            };
            if size != check.size {
                let text = self.text(check.dim.span);
                let span = inputs
                    .iter()
                    .find(|it| it.name.span == check.input.span)
                    .map_or(check.dim.span, |it| it.span);
                let message = format!(
                    "axis {} of `{}` must be {text} = {size}, found {}",
                    check.axis, check.input, check.size
                );
                let error = Diagnostic::error("E0202", message)
                    .at(span, format!("axis {} is {}", check.axis, check.size));
                self.report(error.and_at(check.dim.span, format!("`{callee}` asks for {text} = {size}")));
                fits = false;
            }
        }
        fits
    }

    /// A name in a compound dimension that nothing has bound.
    fn unbound_name(&mut self, expr: &ast::Expr) -> Option<(Arc<str>, Span)> {
        let mut names = Vec::new();
        crate::sema::walk::expr(expr, &mut |part| {
            names.extend(part.as_name().map(|name| (name.clone(), part.span)))
        });
        names
            .into_iter()
            .find(|(name, span)| self.frame().find(name).is_none() && self.global(name, *span).is_none())
    }

    fn match_input<'t>(
        &mut self,
        input: &TypedInput<'t>,
        callee: &str,
        deferred: &mut Vec<Deferred<'t>>,
    ) -> bool {
        let TypeKind::Tensor { element, dims } = &input.ty.kind else {
            self.error(
                "E0124",
                "a tuple type stands for results only",
                input.ty.span,
                "one tensor is needed here",
            );
            return false;
        };
        let Some(value) = self.frame().find(&input.name.text).map(|binding| binding.value.clone()) else {
            return true;
        };
        let elem = elem_of_type(element);
        let Some(mut value) = self.input_value(value, input, elem, dims, callee) else { return false };
        if let Some(class) = class_of(element) {
            let Some(size) = self.size(class, "the number of classes") else { return false };
            let what = format!("`{}` of `{callee}`", input.name);
            value = self.with_class_size(value, &size, &what, input.span, input.ty.span);
        }
        let axes = match &value {
            Value::Tensor(tensor) => tensor.axes(),
            _ => Vec::new(),
        };
        if let Some(binding) = self.frame_mut().find_mut(&input.name.text) {
            binding.value = value.clone();
        }
        let found = show_axes(elem, &axes);
        self.match_axes(dims, &axes, &found, input, callee, deferred)
    }

    /// The argument with the element type that is declared.
    fn input_value(
        &mut self,
        value: Value,
        input: &TypedInput<'_>,
        elem: Elem,
        dims: &[ast::Dim],
        callee: &str,
    ) -> Option<Value> {
        match &value {
            Value::Error => None,
            Value::Tensor(tensor) if tensor.ty.elem == Elem::Float && elem != Elem::Float => {
                self.wrong_elements(input, tensor.axes(), callee);
                None
            }
            Value::Tensor(tensor) => self.with_elem(tensor.clone(), elem, input.span).map(Value::Tensor),
            Value::Indexed(scalar) => {
                if scalar.elem == elem {
                    return Some(value);
                }
                let id = self.indexed_scalar(&value, input.span)?;
                if scalar.elem == Elem::Float || elem == Elem::Bool {
                    let message = format!(
                        "`{}` of `{callee}` is declared as {elem}, found {}",
                        input.name,
                        value.describe()
                    );
                    self.error("E0215", message, input.span, format!("made of {}s", scalar.elem));
                    return None;
                }
                Some(self.index_result(input.span, |l| crate::sema::build::tensors::convert(l, id, elem)))
            }
            number
                if number.is_number()
                    && (dims.is_empty() || dims.iter().all(|dim| matches!(dim.kind, DimKind::Pack(_)))) =>
            {
                let of_number = number_elem(number)?;
                match (of_number, elem) {
                    (Elem::Int, Elem::Float) => Some(number.as_float().map_or(value.clone(), Value::Float)),
                    (of_number, elem) if of_number == elem => Some(value),
                    (Elem::Bool, Elem::Float | Elem::Int) => Some(value),
                    _ => {
                        let message = format!(
                            "`{}` of `{callee}` is declared as {elem}, found {}",
                            input.name,
                            value.describe()
                        );
                        let error = Diagnostic::error("E0215", message).at(input.span, "of another kind");
                        self.report(error.and_at(input.ty.span, "declared here"));
                        None
                    }
                }
            }
            Value::List(_) | Value::Pack(_) => {
                let tensor = self.to_tensor(&value, input.span)?;
                if tensor.ty.elem == Elem::Float && elem != Elem::Float {
                    self.wrong_elements(input, tensor.axes(), callee);
                    return None;
                }
                self.with_elem(tensor, elem, input.span).map(Value::Tensor)
            }
            other => {
                let text = self.text(input.ty.span);
                let message = format!(
                    "`{}` of `{callee}` must be a tensor {text}, found {}",
                    input.name,
                    other.describe()
                );
                let error = Diagnostic::error("E0201", message)
                    .at(input.span, format!("this is {}", other.describe()));
                self.report(error.and_at(input.ty.span, "declared here"));
                None
            }
        }
    }

    /// Floats where ints or bools are declared.
    fn wrong_elements(&mut self, input: &TypedInput<'_>, axes: Vec<Axis>, callee: &str) {
        let (found, wanted) = (show_axes(Elem::Float, &axes), self.text(input.ty.span));
        let message = format!("{} of `{callee}` must be {wanted}, found {found}", quoted(input.name));
        let error = Diagnostic::error("E0215", message)
            .at(input.span, format!("these are floats: {found}"))
            .and_at(input.ty.span, "declared here");
        self.report(match wanted.starts_with("bool") {
            true => error.help("compare to make bools: `x > 0`"),
            false => error.help(
                "`int(x)` drops what is behind the point; a field is declared as `int[…]` or `class(n)`",
            ),
        });
    }

    fn match_axes<'t>(
        &mut self,
        dims: &'t [ast::Dim],
        axes: &[Axis],
        found: &str,
        input: &TypedInput<'t>,
        callee: &str,
        deferred: &mut Vec<Deferred<'t>>,
    ) -> bool {
        let pack_at = dims.iter().position(|dim| matches!(dim.kind, DimKind::Pack(_)));
        let fits = match pack_at {
            Some(_) => axes.len() + 1 >= dims.len(),
            None => axes.len() == dims.len(),
        };
        if !fits {
            let text = self.text(input.ty.span);
            let least = if pack_at.is_some() { "at least " } else { "" };
            let wanted = dims.len() - usize::from(pack_at.is_some());
            let message = format!("{} of `{callee}` must be {text}, found {found}", quoted(input.name));
            let error = Diagnostic::error("E0201", message)
                .at(input.span, format!("this is {found}: {}", count(axes.len(), "axis", "axes")))
                .and_at(input.ty.span, format!("declared with {least}{}", count(wanted, "axis", "axes")));
            self.report(error);
            return false;
        }
        let (before, after) = match pack_at {
            Some(at) => (at, dims.len() - at - 1),
            None => (dims.len(), 0),
        };
        let mut fits = true;
        for (at, dim) in dims.iter().enumerate() {
            if Some(at) == pack_at {
                let pack: Arc<[Axis]> = axes[before..axes.len() - after].into();
                if let DimKind::Pack(Some(name)) = &dim.kind {
                    fits &= self.match_pack(name, pack, input, callee);
                }
                continue;
            }
            let axis_at = if at < before { at } else { axes.len() - (dims.len() - at) };
            fits &= self.match_axis(dim, &axes[axis_at], axis_at, input, callee, deferred);
        }
        fits
    }

    fn match_axis<'t>(
        &mut self,
        dim: &'t ast::Dim,
        axis: &Axis,
        at: usize,
        input: &TypedInput<'t>,
        callee: &str,
        deferred: &mut Vec<Deferred<'t>>,
    ) -> bool {
        let (wanted, bound_at) = match &dim.kind {
            DimKind::Pack(_) => return true,
            DimKind::Stretch => (Dim::ONE, dim.span),
            DimKind::Size(size) => match &size.kind {
                ExprKind::Int(number) => (Dim::number(*number), dim.span),
                ExprKind::Name(name) => match self.known_dimension(name) {
                    Some((Value::Error, _)) => return true,
                    Some((value, span)) => match value.as_dim() {
                        Some(size) => (size, span),
                        None => {
                            self.whole_error(&value, &format!("the dimension `{name}`"), dim.span);
                            return false;
                        }
                    },
                    None => {
                        let kind = BindingKind::Dim { stretch: axis.stretch };
                        self.frame_mut().bind(name.clone(), Value::Int(axis.size.clone()), dim.span, kind);
                        return true;
                    }
                },
                _ => {
                    deferred.push(Deferred { dim, size: axis.size.clone(), input: input.name, axis: at });
                    return true;
                }
            },
        };
        if wanted == axis.size {
            return true;
        }
        if self.may_fit(&wanted, &axis.size) {
            return false;
        }
        let text = self.text(dim.span);
        let shown = if text == wanted.to_string() { text.to_string() } else { format!("{text} = {wanted}") };
        let message =
            format!("axis {at} of {} of `{callee}` must be {shown}, found {}", quoted(input.name), axis.size);
        let found = match self.frame().find(&input.name.text).map(|it| &it.value) {
            Some(Value::Tensor(tensor)) => show_axes(tensor.ty.elem, &tensor.axes()),
            _ => axis.size.to_string(),
        };
        let made = match self.frame().find(&input.name.text).map(|it| &it.value) {
            Some(Value::Tensor(tensor))
                if tensor.span != input.span && !self.modules.prelude.has_file(tensor.span.file) =>
            {
                Some(tensor.span)
            }
            _ => None,
        };
        let mut error = Diagnostic::error("E0202", message).at(input.span, format!("this is {found}"));
        error = error.and_at(dim.span, format!("`{callee}` declares {shown} here"));
        if bound_at != dim.span {
            error = error.and_at(bound_at, format!("{text} is {wanted} by this"));
        }
        if let Some(made) = made {
            error = error.and_at(made, "the value is made here");
        }
        self.report(error);
        false
    }

    fn match_pack(
        &mut self,
        name: &ast::Name,
        pack: Arc<[Axis]>,
        input: &TypedInput<'_>,
        callee: &str,
    ) -> bool {
        let Some(binding) = self.frame().find(&name.text) else {
            self.frame_mut().bind(
                name.text.clone(),
                Value::Pack(pack),
                name.span,
                BindingKind::Dim { stretch: false },
            );
            return true;
        };
        let (Value::Pack(known), first) = (&binding.value, binding.span) else { return true };
        let same = known.len() == pack.len() && known.iter().zip(pack.iter()).all(|(a, b)| a.size == b.size);
        if same {
            return true;
        }
        let (known, found) = (show_axes(Elem::Float, known), show_axes(Elem::Float, &pack));
        let message = format!("`...{name}` of `{callee}` is {known} and {found}");
        let error = Diagnostic::error("E0202", message).at(input.span, format!("here it is {found}"));
        self.report(error.and_at(first, format!("bound to {known} here")));
        false
    }

    /// What a dimension's name means before the inputs bind it: a hyperparameter, a whole-number constant of
    /// the file, a dimension bound before, an input that is a number.
    fn known_dimension(&mut self, name: &Arc<str>) -> Option<(Value, Span)> {
        if let Some(binding) = self.frame().find(name) {
            let number = binding.value.is_number() || binding.value.is_error();
            return number.then(|| (binding.value.clone(), binding.span));
        }
        let module = self.frame().module;
        let found = self.modules.module(module)?.items.iter().find(|item| item.name() == &**name)?.clone();
        let ast::ItemKind::Const(constant) = &found.item.kind else { return None };
        let span = constant.name.span;
        let value = self.global(name, span)?;
        matches!(value, Value::Int(_)).then_some((value, span))
    }
}

pub fn class_of(element: &ast::Element) -> Option<&ast::Expr> {
    match element {
        ast::Element::Class(size) => Some(size),
        ast::Element::Float | ast::Element::Int | ast::Element::Bool => None,
    }
}

/// A name in messages; what an init is asked for is no name.
fn quoted(name: &ast::Name) -> String {
    if name.as_str().contains(' ') { name.to_string() } else { format!("`{name}`") }
}
