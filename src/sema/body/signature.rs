//! Written types: what they declare, how arguments are matched against them, how results are checked.
//!
//! In a signature a name that is not known yet is bound by the argument: where it first stands alone as a
//! dimension, over all inputs. Compound dimensions (`2 * n`) are checked after that, never solved.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::shapes::Shape;
use crate::sema::scope::report::types::{DimensionError, Input, InputError, SizeError};
use crate::sema::scope::report::values::PartError;
use crate::sema::build::tensors::number_elem;
use crate::sema::value::{Axis, Tensor, Value};
use crate::base::Span;
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

impl TypedInput<'_> {
    /// The same for messages about a call of `callee`.
    fn told(&self, callee: &str) -> Input {
        Input { name: self.name.clone(), callee: callee.to_owned(), at: self.span, ty: self.ty.span }
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
                self.report(PartError::TupleType { at: ty.span });
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
                DimKind::Pack(Some(name)) => match self.frame().find(&name.text).map(|binding| binding.value.clone()) {
                    Some(Value::Pack(pack)) => axes.extend(pack.iter().cloned()),
                    Some(Value::List(sizes)) if sizes.iter().all(|size| matches!(size, Value::Int(_))) => {
                        axes.extend(sizes.iter().filter_map(Value::as_dim).map(Axis::new));
                    }
                    Some(Value::Error) => return None,
                    _ => {
                        self.report(DimensionError::PackUnbound { name: name.clone(), at: dim.span });
                        return None;
                    }
                },
                DimKind::Pack(None) => {
                    self.report(DimensionError::OpenPack { at: dim.span });
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
            if let Some((name, at)) = self.unbound_name(expr) {
                self.report(DimensionError::Unbound { name, dim: check.dim.span, at });
                fits = false;
                continue;
            }
            let Some(size) = self.size(expr, "a dimension") else {
                fits = false;
                continue;
            };
            if size != check.size {
                let input = inputs.iter().find(|input| input.name.span == check.input.span);
                let (at, ty) = input.map_or((check.dim.span, check.dim.span), |input| (input.span, input.ty.span));
                let input = Input { name: check.input.clone(), callee: callee.to_owned(), at, ty };
                let (wanted, found, dim) = (size, check.size, check.dim.span);
                self.report(InputError::Compound { input, axis: check.axis, wanted, found, dim });
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
            self.report(PartError::TupleType { at: input.ty.span });
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
        if let Value::Tensor(tensor) = &mut value {
            stretch_as_declared(tensor, dims);
        }
        let axes = match &value {
            Value::Tensor(tensor) => tensor.axes(),
            _ => Vec::new(),
        };
        if let Some(binding) = self.frame_mut().find_mut(&input.name.text) {
            binding.value = value.clone();
        }
        let found = Shape::new(elem, &axes);
        self.match_axes(dims, found, input, callee, deferred)
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
                self.report(InputError::Floats { input: input.told(callee), found: Shape::of(tensor) });
                None
            }
            Value::Tensor(tensor) => self.with_elem(tensor.clone(), elem, input.span).map(Value::Tensor),
            Value::Indexed(scalar) => {
                if scalar.elem == elem {
                    return Some(value);
                }
                let id = self.indexed_scalar(&value, input.span)?;
                if scalar.elem == Elem::Float || elem == Elem::Bool {
                    let (input, elem_found) = (input.told(callee), scalar.elem);
                    self.report(InputError::Indexed { input, elem, found: value.clone(), elem_found });
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
                        let input = input.told(callee);
                        self.report(InputError::Number { input, elem, found: value.clone() });
                        None
                    }
                }
            }
            Value::List(_) | Value::Pack(_) => {
                let tensor = self.to_tensor(&value, input.span)?;
                if tensor.ty.elem == Elem::Float && elem != Elem::Float {
                    self.report(InputError::Floats { input: input.told(callee), found: Shape::of(&tensor) });
                    return None;
                }
                self.with_elem(tensor, elem, input.span).map(Value::Tensor)
            }
            _ => {
                self.report(InputError::NotTensor { input: input.told(callee), found: value });
                None
            }
        }
    }

    fn match_axes<'t>(
        &mut self,
        dims: &'t [ast::Dim],
        found: Shape,
        input: &TypedInput<'t>,
        callee: &str,
        deferred: &mut Vec<Deferred<'t>>,
    ) -> bool {
        let axes = found.axes.clone();
        let pack_at = dims.iter().position(|dim| matches!(dim.kind, DimKind::Pack(_)));
        let fits = match pack_at {
            Some(_) => axes.len() + 1 >= dims.len(),
            None => axes.len() == dims.len(),
        };
        if !fits {
            let wanted = dims.len() - usize::from(pack_at.is_some());
            let (input, least) = (input.told(callee), pack_at.is_some());
            self.report(InputError::Rank { input, found, least, wanted });
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
        let value = self.frame().find(&input.name.text).map(|binding| &binding.value);
        let tensor = match value {
            Some(Value::Tensor(tensor)) => Some(tensor),
            _ => None,
        };
        let is_elsewhere =
            |made: &Span| *made != input.span && !self.modules.prelude.has_file(made.file);
        let made = tensor.map(|tensor| tensor.span).filter(is_elsewhere);
        let (shape, found) = (tensor.map(Shape::of), axis.size.clone());
        let (input, dim, bound) = (input.told(callee), dim.span, bound_at);
        let error = SizeError { input, axis: at, wanted, found, shape, dim, bound, made };
        self.report(InputError::Size(error));
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
        let (known, found) = (Shape::new(Elem::Float, known), Shape::new(Elem::Float, &pack));
        let (input, pack) = (input.told(callee), name.clone());
        self.report(InputError::Pack { input, pack, known, found, first });
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
        let declared = self.modules.module(module)?.items.iter().find(|item| item.name() == &**name)?.clone();
        let ast::ItemKind::Const(constant) = &declared.item.kind else { return None };
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

/// Makes axes of size 1 stretchable that the type of an input declares as `_`.
fn stretch_as_declared(tensor: &mut Tensor, dims: &[ast::Dim]) {
    let pack_at = dims.iter().position(|dim| matches!(dim.kind, DimKind::Pack(_)));
    let rank = tensor.ty.rank();
    for at in (0..dims.len()).filter(|at| matches!(dims[*at].kind, DimKind::Stretch)) {
        // Behind a pack axes are counted from the end.
        let axis = match pack_at {
            Some(pack) if at > pack => (rank + at).checked_sub(dims.len()),
            _ => Some(at),
        };
        if let Some(axis) = axis.filter(|axis| *axis < rank && tensor.ty.shape[*axis] == Dim::ONE) {
            tensor.stretch[axis] = true;
        }
    }
}
