//! Conversion of values to tensors: numbers and lists that meet tensors, element types, fitting a value to a
//! declared shape.

use crate::sema::scope::report::shapes::Shape;
use crate::sema::scope::report::types::{ListError, TypeError};
use crate::sema::scope::report::values::{IndexedError, ValueError};
use crate::sema::build::Builder;
use crate::sema::value::Expected;
use crate::sema::build::operators::interval_of;
use crate::sema::value::{Axis, Interval, Tensor, Value};
use crate::base::Span;
use crate::ir::{BinaryOp, Const, Dim, Elem, LoopBuilder, ScalarId, Sub, UnaryOp};

/// A number known at compile time, as a scalar of a loop.
pub fn number_scalar(l: &mut LoopBuilder<'_>, value: &Value) -> Option<ScalarId> {
    Some(match value {
        Value::Int(dim) => match dim.as_number() {
            Some(number) => l.int(number),
            None => l.size(dim),
        },
        Value::Float(number) => l.float(*number),
        Value::Bool(value) => l.bool(*value),
        Value::Ratio(a, b) => {
            let (a, b) = (l.size(a), l.size(b));
            let (a, b) = (l.to_float(a), l.to_float(b));
            l.binary(BinaryOp::Div, a, b)
        }
        _ => return None,
    })
}

/// The element type of a number known at compile time.
pub fn number_elem(value: &Value) -> Option<Elem> {
    match value {
        Value::Int(_) => Some(Elem::Int),
        Value::Float(_) | Value::Ratio(..) => Some(Elem::Float),
        Value::Bool(_) => Some(Elem::Bool),
        _ => None,
    }
}

/// Converts a scalar of a loop to another element type. Nothing becomes bool.
pub fn convert(l: &mut LoopBuilder<'_>, id: ScalarId, to: Elem) -> ScalarId {
    let from = l.elem(id);
    if from == to {
        return id;
    }
    // Constants are converted here, so that they stay constants.
    let constant = match l.scalar(id) {
        crate::ir::Scalar::Int(value) => Some(*value as f64),
        crate::ir::Scalar::Bool(value) => Some(f64::from(u8::from(*value))),
        _ => None,
    };
    match (constant, to) {
        (Some(value), Elem::Float) => l.float(value),
        (Some(value), Elem::Int) => l.int(value as i64),
        (_, Elem::Float) => l.unary(UnaryOp::ToFloat, id),
        (_, Elem::Int) => l.unary(UnaryOp::ToInt, id),
        (_, Elem::Bool) => id,
    }
}

/// Whether a value is numbers that are known at compile time.
fn is_constant(value: &Value) -> bool {
    match value.elements() {
        Some(items) => items.iter().all(is_constant),
        None => value.is_number(),
    }
}

impl Builder<'_> {
    /// The value as a tensor of the level that is being built: a number as a scalar, a list stacked.
    /// Reports what cannot be one.
    pub fn to_tensor(&mut self, value: &Value, span: Span) -> Option<Tensor> {
        match value {
            Value::Tensor(tensor) => Some(tensor.clone()),
            Value::Error => None,
            Value::Int(_) | Value::Ratio(..) | Value::Float(_) | Value::Bool(_) => {
                Some(self.fill(value, number_elem(value)?, &[], span))
            }
            Value::List(_) | Value::Pack(_) => {
                let items = value.elements().unwrap_or_default();
                if self.in_scan() && items.iter().all(is_constant) {
                    // Outside of the scan, so that it is the tensor that is read there, and may be differentiated by.
                    let inner = self.levels.split_off(1);
                    let tensor = self.stack_list(&items, span);
                    self.levels.extend(inner);
                    return tensor;
                }
                self.stack_list(&items, span)
            }
            Value::Indexed(_) => {
                self.report(IndexedError::AsTensor { at: span });
                None
            }
            Value::Str(_)
            | Value::None
            | Value::Parameters(_)
            | Value::Tuple(_)
            | Value::Function(_)
            | Value::Layer(_)
            | Value::Instance(_)
            | Value::Data(_) => {
                self.report(ValueError::NotTensor { found: value.clone(), at: span });
                None
            }
        }
    }

    /// A tensor of one number known at compile time.
    pub fn fill(&mut self, value: &Value, elem: Elem, axes: &[Axis], span: Span) -> Tensor {
        let shape: Vec<Dim> = axes.iter().map(|axis| axis.size.clone()).collect();
        let mut l = LoopBuilder::new(self.graph(), shape);
        let node = match number_scalar(&mut l, value) {
            Some(id) => {
                let id = convert(&mut l, id, elem);
                l.map(id)
            }
            None => {
                let zero = l.float(0.0);
                l.map(zero)
            }
        };
        let mut tensor = self.add_loop(span, node);
        tensor.stretch = axes.iter().map(|axis| axis.stretch).collect();
        if let (Value::Int(dim), Elem::Int) = (value, elem) {
            tensor.interval = Interval { least: dim.clone(), greatest: dim.clone() }.held();
        }
        tensor
    }

    /// A list as a tensor: a constant if all is known, otherwise its elements stacked on a new first axis.
    fn stack_list(&mut self, items: &[Value], span: Span) -> Option<Tensor> {
        if items.iter().any(Value::is_error) {
            return None;
        }
        if items.is_empty() {
            self.report(ListError::Empty { at: span });
            return None;
        }
        let list = Value::list(items.to_vec());
        if let Some(shape) = literal_shape(&list) {
            return self.constant_list(&list, shape, span);
        }
        let mut tensors = Vec::new();
        for item in items {
            tensors.push(self.to_tensor(item, span)?);
        }
        let first = tensors[0].clone();
        if let Some(other) = tensors.iter().find(|tensor| tensor.ty.shape != first.ty.shape) {
            let (first, other) = (first.axes(), other.axes());
            self.report(ListError::OtherShapes { first, other, at: span });
            return None;
        }
        let elem = common_elem(tensors.iter().map(|tensor| tensor.ty.elem));
        self.join(&tensors, 0, true, elem, span)
    }

    fn constant_list(
        &mut self,
        list: &Value,
        shape: Result<Vec<usize>, Ragged>,
        span: Span,
    ) -> Option<Tensor> {
        let shape = match shape {
            Ok(shape) => shape,
            Err(Ragged { first, later }) => {
                self.report(ListError::Ragged { first, later, at: span });
                return None;
            }
        };
        let mut flat = Vec::new();
        flatten(list, &mut flat);
        let elem = common_elem(flat.iter().filter_map(|value| number_elem(value)));
        let numbers = || flat.iter().map(|value| value.as_float().unwrap_or(0.0));
        let ints: Vec<i64> = flat
            .iter()
            .map(|value| value.as_int().unwrap_or_else(|| i64::from(value.as_bool() == Some(true))))
            .collect();
        let range = (ints.iter().min().copied(), ints.iter().max().copied());
        let value = match elem {
            Elem::Float => Const::floats(shape, numbers()),
            Elem::Int => Const::ints(shape, ints),
            Elem::Bool => {
                Const::bools(shape, flat.iter().map(|value| value.as_bool() == Some(true)).collect())
            }
        };
        self.set_origin(span);
        let node = self.graph_mut().constant(value);
        let mut tensor = self.tensor(node, span);
        if let (Elem::Int, (Some(least), Some(greatest))) = (elem, range) {
            tensor.interval = Interval::new(least, greatest).held();
        }
        Some(tensor)
    }

    /// Tensors one after the other along an axis: `concat`, or `stack` with a new axis.
    pub fn join(
        &mut self,
        tensors: &[Tensor],
        axis: usize,
        new: bool,
        elem: Elem,
        span: Span,
    ) -> Option<Tensor> {
        let mut nodes = Vec::new();
        for tensor in tensors {
            let tensor = self.with_elem(tensor.clone(), elem, span)?;
            nodes.push((self.node(&tensor, span)?, tensor));
        }
        let one = |tensor: &Tensor| if new { Dim::ONE } else { tensor.ty.shape[axis].clone() };
        let mut shape = nodes[0].1.ty.shape.clone();
        if new {
            shape.insert(axis, Dim::ONE);
        }
        shape[axis] = nodes.iter().fold(Dim::ZERO, |sum, (_, tensor)| &sum + &one(tensor));
        let interval = tensors.iter().map(|tensor| interval_of(&Value::Tensor(tensor.clone()))).reduce(|a, b| {
            let (a, b) = (a?, b?);
            Some(a.union(&b))
        });
        let joined = self.join_by_selects(&nodes, axis, new, &shape, span)?;
        Some(Tensor { interval: interval.flatten().filter(|_| elem == Elem::Int), ..joined })
    }

    /// One map over the whole result that chooses the part by the index.
    fn join_by_selects(
        &mut self,
        nodes: &[(crate::ir::NodeId, Tensor)],
        axis: usize,
        new: bool,
        shape: &[Dim],
        span: Span,
    ) -> Option<Tensor> {
        let mut l = LoopBuilder::new(self.graph(), shape.to_vec());
        let index = crate::ir::Affine::index(axis);
        let mut ends = Vec::new();
        let mut end = Dim::ZERO;
        for (_, tensor) in nodes {
            let size = if new { Dim::ONE } else { tensor.ty.shape[axis].clone() };
            let start = end.clone();
            end = &end + &size;
            ends.push((start, end.clone()));
        }
        let mut value: Option<ScalarId> = None;
        for ((node, _), (start, end)) in nodes.iter().zip(&ends).rev() {
            let mut subs = Vec::new();
            for at in 0..shape.len() {
                if at != axis {
                    subs.push(Sub::Affine(crate::ir::Affine::index(at)));
                } else if !new {
                    subs.push(Sub::Affine(index.offset(&-start)));
                }
            }
            // Within the part's own range the read is inside it; elsewhere it is not taken.
            let read = if new { l.read(*node, subs) } else { l.read_padded(*node, subs) };
            value = Some(match value {
                None => read,
                Some(rest) => {
                    let (place, end) = (l.affine(index.clone()), l.size(end));
                    let inside = l.binary(BinaryOp::Lt, place, end);
                    l.select(inside, read, rest)
                }
            });
        }
        let node = l.map(value?);
        Some(self.add_loop(span, node))
    }

    /// The tensor with another element type: bool → int → float. Reports a conversion that loses.
    pub fn with_elem(&mut self, tensor: Tensor, elem: Elem, span: Span) -> Option<Tensor> {
        if tensor.ty.elem == elem {
            return Some(tensor);
        }
        if tensor.ty.elem == Elem::Float || elem == Elem::Bool {
            self.report(TypeError::Elements { wanted: elem, found: Shape::of(&tensor), at: span });
            return None;
        }
        let node = self.node(&tensor, span)?;
        let shape = tensor.ty.shape.clone();
        let mut l = LoopBuilder::new(self.graph(), shape.clone());
        let subs = (0..shape.len()).map(|axis| l.index(axis)).collect();
        let read = l.read(node, subs);
        let value = convert(&mut l, read, elem);
        let node = l.map(value);
        let made = self.add_loop(span, node);
        let interval = if elem == Elem::Int { Some(Interval::new(0i64, 1i64)) } else { None };
        Some(Tensor { stretch: tensor.stretch, interval, span: tensor.span, ..made })
    }

    /// Fits a value to a declared type: numbers fill it, lists are stacked, a tensor must have it.
    /// `what` names the value in messages: "`bias`", "the result of `f`".
    pub fn fit(
        &mut self,
        value: Value,
        expected: &Expected,
        what: &str,
        span: Span,
        declared: Span,
    ) -> Value {
        if value.is_error() {
            return Value::Error;
        }
        if value.is_number() {
            let of_value = number_elem(&value).unwrap_or(Elem::Float);
            let elem = expected.elem.unwrap_or(of_value);
            let fits =
                of_value == elem || elem == Elem::Float || (elem == Elem::Int && of_value == Elem::Bool);
            if !fits {
                let what = what.to_owned();
                return self.report(TypeError::Number { what, elem, found: value, at: span, declared });
            }
            return Value::Tensor(self.fill(&value, elem, &expected.axes, span));
        }
        if matches!(value, Value::Indexed(_)) && expected.axes.is_empty() {
            return value;
        }
        let Some(tensor) = self.to_tensor(&value, span) else { return Value::Error };
        let same = tensor.rank() == expected.axes.len()
            && tensor.ty.shape.iter().zip(&expected.axes).all(|(size, axis)| *size == axis.size);
        if !same {
            if self.axes_may_fit(&tensor.axes(), &expected.axes) {
                return Value::Error;
            }
            let elem = expected.elem.unwrap_or(tensor.ty.elem);
            let (found, wanted) = (Shape::of(&tensor), Shape::new(elem, &expected.axes));
            let what = what.to_owned();
            return self.report(TypeError::Shape { what, found, wanted, at: span, declared });
        }
        let elem = expected.elem.unwrap_or(tensor.ty.elem);
        let Some(mut tensor) = self.with_elem(tensor, elem, span) else { return Value::Error };
        tensor.stretch = expected.axes.iter().map(|axis| axis.stretch).collect();
        Value::Tensor(tensor)
    }

    /// Whether shapes with symbolic dimensions may be equal once these have numbers.
    pub fn axes_may_fit(&self, found: &[Axis], wanted: &[Axis]) -> bool {
        let mut pairs = found.iter().zip(wanted);
        found.len() == wanted.len()
            && self.context.sizes_may_fit()
            && pairs.all(|(a, b)| self.may_fit(&a.size, &b.size))
    }
}

/// The element type in which values of these types meet.
pub fn common_elem(elems: impl Iterator<Item = Elem>) -> Elem {
    let rank = |elem: Elem| match elem {
        Elem::Bool => 0,
        Elem::Int => 1,
        Elem::Float => 2,
    };
    elems.max_by_key(|elem| rank(*elem)).unwrap_or(Elem::Float)
}

/// Two elements of a list that have different shapes.
struct Ragged {
    first: Vec<usize>,
    later: Vec<usize>,
}

/// The shape of a list of numbers and lists of them; `None` if it holds anything else.
fn literal_shape(value: &Value) -> Option<Result<Vec<usize>, Ragged>> {
    match value {
        Value::Int(dim) => dim.as_number().map(|_| Ok(Vec::new())),
        Value::Float(_) | Value::Bool(_) => Some(Ok(Vec::new())),
        Value::List(items) => {
            let mut shape: Option<Vec<usize>> = None;
            for item in items.iter() {
                let inner = match literal_shape(item)? {
                    Ok(inner) => inner,
                    Err(ragged) => return Some(Err(ragged)),
                };
                match &shape {
                    None => shape = Some(inner),
                    Some(first) if *first != inner => {
                        return Some(Err(Ragged { first: first.clone(), later: inner }));
                    }
                    Some(_) => {}
                }
            }
            let mut shape = shape?;
            shape.insert(0, items.len());
            Some(Ok(shape))
        }
        _ => None,
    }
}

/// Whether a value is a list of numbers known at compile time, or of lists of them.
pub fn is_literal_list(value: &Value) -> bool {
    matches!(value, Value::List(_)) && matches!(literal_shape(value), Some(Ok(_)))
}

fn flatten<'v>(value: &'v Value, into: &mut Vec<&'v Value>) {
    match value {
        Value::List(items) => items.iter().for_each(|item| flatten(item, into)),
        other => into.push(other),
    }
}
