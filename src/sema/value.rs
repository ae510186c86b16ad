//! The values of expressions during elaboration.
//!
//! Values known at compile time are held as they are; run-time values are nodes of the graph that is being
//! built ([`Tensor`]), or scalars of the loop body that is being built ([`Indexed`]) inside index notation.

use crate::syntax::ast;
use crate::sema::scope::module::ItemRef;
use crate::base::Span;
use crate::ir::{Affine, Dim, Elem, NodeId, ScalarId, Type};
use std::fmt::Write;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum Value {
    /// The value of an expression with an error that has been reported. Operations on it give an error value again,
    /// without a report.
    Error,
    Tensor(Tensor),
    Indexed(Indexed),
    /// All parameters of an instance or a model, and what is computed from them.
    Parameters(ParameterSet),
    /// A whole number; a polynomial if it depends on symbolic dimensions.
    Int(Dim),
    /// The quotient of two sizes that may turn out not to be whole: `T / 2`.
    Ratio(Dim, Dim),
    Float(f64),
    Bool(bool),
    Str(Arc<str>),
    None,
    List(Arc<[Value]>),
    Tuple(Arc<[Value]>),
    /// Dimensions bound by `...s`; as a value, the list of their sizes.
    Pack(Arc<[Axis]>),
    Function(Function),
    /// A layer without its hyperparameters: `Linear`.
    Layer(ItemRef),
    /// A layer with its parameters, or a model.
    Instance(Arc<Instance>),
    /// A data set or one part of it.
    Data(DataValue),
}

/// A node of a graph, with facts about it beyond its type.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub node: NodeId,
    /// The graph that the node is in; see [`crate::sema::build::graphs`].
    pub level: LevelId,
    pub ty: Type,
    /// For each axis whether it stretches (`_`).
    pub stretch: Vec<bool>,
    /// If it has ints: the interval in which they lie.
    pub interval: Option<Interval>,
    /// The value, if it is an affine expression of the steps of enclosing scans: `t`, `T - 1 - t`.
    pub affine: Option<Affine>,
    /// Of ints: from where the values come unchanged.
    pub field: Option<IntSource>,
    /// The expression that made it.
    pub span: Span,
}

/// A tensor for each parameter of an instance: its parameters themselves, or what is computed from them.
#[derive(Clone, Debug)]
pub struct ParameterSet {
    /// The path of the instance.
    pub root: Arc<str>,
    /// What it is called in messages: the name of the model, else the path.
    pub name: Arc<str>,
    /// By path below the instance, in the order in which they were made.
    pub entries: Arc<[(Arc<str>, Tensor)]>,
    /// These are the parameters as they are read, not computed from them.
    pub is_read: bool,
}

/// A scalar of the loop that is being built: one value for each combination of indices.
#[derive(Clone, Debug)]
pub struct Indexed {
    /// The index frame it is in; see [`crate::sema::body::index`].
    pub frame: u32,
    pub id: ScalarId,
    pub elem: Elem,
    pub interval: Option<Interval>,
    pub field: Option<IntSource>,
}

/// What ints come from. A condition that a subscript puts on them is one on this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IntSource {
    Field {
        set: Arc<str>,
        field: Arc<str>,
    },
    ModelInput {
        model: Arc<str>,
        input: Arc<str>,
    },
    /// Whoever calls: conditions on it are met elsewhere.
    Caller,
}

/// A graph that is being built, unique within one elaboration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LevelId(pub u32);

/// `least ..= greatest`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interval {
    pub least: Dim,
    pub greatest: Dim,
}

/// One dimension of a tensor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    pub size: Dim,
    /// A size 1 that broadcasts against any size, written `_`.
    pub stretch: bool,
}

#[derive(Clone, Debug)]
pub enum Function {
    /// An item with a body: `fn`, `activation`, `loss`, `metric`, `init`, `schedule`, `optimizer`.
    Item(ItemRef),
    Builtin(&'static Builtin),
}

/// A layer with its hyperparameters: one set of parameters, told apart by its path.
#[derive(Clone, Debug)]
pub struct Instance {
    /// `fc1`, `Net.blocks.0`; empty for the only model of a file.
    pub path: Arc<str>,
    pub kind: InstanceKind,
    /// Where it was made.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum InstanceKind {
    Layer {
        item: ItemRef,
        hyper: Vec<(Arc<str>, Value)>,
    },
    /// `repeat(n, …)`: one after the other.
    Row(Vec<Arc<Instance>>),
}

/// `digits`, `digits.test`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataValue {
    pub item: Arc<str>,
    pub part: Option<Arc<str>>,
}

impl Axis {
    pub fn new(size: Dim) -> Axis {
        Axis { size, stretch: false }
    }

    /// A size 1 that stretches.
    pub fn stretchable() -> Axis {
        Axis { size: Dim::ONE, stretch: true }
    }
}

impl Interval {
    pub fn new(least: impl Into<Dim>, greatest: impl Into<Dim>) -> Interval {
        Interval { least: least.into(), greatest: greatest.into() }
    }

    /// `0 .. size`
    pub fn below(size: &Dim) -> Interval {
        Interval { least: Dim::ZERO, greatest: size - &Dim::ONE }
    }

    /// All ints.
    pub fn all() -> Interval {
        Interval::new(i64::MIN, i64::MAX)
    }

    /// The same interval, as far as its ends were computed exactly: one that is not says nothing, so all ints up to it
    /// are possible. `None` if both are such. Nothing else has to be proven: ints are exact when the program runs, or
    /// it ends with an error.
    pub fn held(self) -> Option<Interval> {
        let all = Interval::all();
        let least = if self.least.is_exact() { self.least } else { all.least.clone() };
        let greatest = if self.greatest.is_exact() { self.greatest } else { all.greatest.clone() };
        (least != all.least || greatest != all.greatest).then_some(Interval { least, greatest })
    }

    /// The hull of both.
    pub fn union(&self, other: &Interval) -> Interval {
        Interval {
            least: self.least.min_with(&other.least),
            greatest: self.greatest.max_with(&other.greatest),
        }
    }
}

impl Tensor {
    pub fn rank(&self) -> usize {
        self.ty.rank()
    }

    pub fn axes(&self) -> Vec<Axis> {
        let axes = self.ty.shape.iter().zip(&self.stretch);
        axes.map(|(size, stretch)| Axis { size: size.clone(), stretch: *stretch }).collect()
    }
}

impl Value {
    pub fn int(value: i64) -> Value {
        Value::Int(Dim::number(value))
    }

    pub fn list(values: Vec<Value>) -> Value {
        Value::List(values.into())
    }

    /// The number of its elements and theirs that are no lists.
    pub fn n_leaves(&self) -> usize {
        match self {
            Value::List(items) => items.iter().map(Value::n_leaves).sum(),
            _ => 1,
        }
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error)
    }

    /// Whether the value exists at run time only.
    pub fn is_run_time(&self) -> bool {
        matches!(self, Value::Tensor(_) | Value::Indexed(_))
    }

    /// Ints, floats and bools known at compile time.
    pub fn is_number(&self) -> bool {
        matches!(self, Value::Int(_) | Value::Ratio(..) | Value::Float(_) | Value::Bool(_))
    }

    /// The size, of an int known at compile time or a quotient that is to come out whole.
    pub fn as_dim(&self) -> Option<Dim> {
        match self {
            Value::Int(dim) => Some(dim.clone()),
            Value::Ratio(a, b) => a.exact_div(b),
            _ => None,
        }
    }

    /// The number of an int that depends on no symbolic dimension.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(dim) => dim.as_number(),
            _ => None,
        }
    }

    /// The number, as a float, of what is known at compile time.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Value::Int(dim) => dim.as_number().map(|value| value as f64),
            Value::Float(value) => Some(*value),
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The texts of a list that has some and nothing else.
    pub fn as_texts(&self) -> Option<Vec<String>> {
        match self {
            Value::List(items) if !items.is_empty() => {
                items.iter().map(|item| item.as_str().map(str::to_string)).collect()
            }
            _ => None,
        }
    }

    /// The elements, where a list of sizes or of tensors may stand.
    pub fn elements(&self) -> Option<Vec<Value>> {
        match self {
            Value::List(items) => Some(items.to_vec()),
            Value::Tuple(items) => Some(items.to_vec()),
            Value::Instance(instance) => match &instance.kind {
                InstanceKind::Row(row) => Some(row.iter().cloned().map(Value::Instance).collect()),
                _ => None,
            },
            Value::Pack(axes) => Some(axes.iter().map(|axis| Value::Int(axis.size.clone())).collect()),
            _ => None,
        }
    }

    /// The result of `kind(x)`.
    pub fn kind(&self) -> Option<&'static str> {
        let of_elem = |elem: Elem| match elem {
            Elem::Float => "float",
            Elem::Int => "int",
            Elem::Bool => "bool",
        };
        Some(match self {
            Value::Tensor(tensor) => of_elem(tensor.ty.elem),
            Value::Indexed(scalar) => of_elem(scalar.elem),
            Value::Int(_) => "int",
            Value::Ratio(..) | Value::Float(_) => "float",
            Value::Bool(_) => "bool",
            Value::Str(_) => "string",
            Value::None => "none",
            Value::List(_) | Value::Pack(_) => "list",
            Value::Function(_) => "function",
            Value::Layer(_) | Value::Instance(_) => "layer",
            Value::Parameters(_) => "parameters",
            Value::Error | Value::Tuple(_) | Value::Data(_) => return None,
        })
    }

    /// As a message names it, with its article: "an `int[B, 3]` tensor", "the number 3", "the layer `Linear`".
    pub fn describe(&self) -> String {
        match self {
            Value::Error => "an erroneous value".to_string(),
            Value::Tensor(tensor) => match tensor.ty.rank() {
                0 => format!("a run-time {} scalar", tensor.ty.elem),
                _ => format!("a tensor {}", show_axes(tensor.ty.elem, &tensor.axes())),
            },
            Value::Indexed(scalar) => format!("an indexed {} value", scalar.elem),
            Value::Int(_) | Value::Ratio(..) | Value::Float(_) => format!("the number {}", self.show()),
            Value::Bool(value) => format!("the bool {value}"),
            Value::Parameters(set) => format!("the parameters of `{}`", set.name),
            Value::Str(text) => format!("the string \"{text}\""),
            Value::None => "none".to_string(),
            Value::List(items) => format!("a list of {}", items.len()),
            Value::Tuple(items) => format!("a tuple of {}", items.len()),
            Value::Pack(_) => format!("the sizes {}", self.show()),
            Value::Function(Function::Builtin(builtin)) => format!("the function `{}`", builtin.name),
            Value::Function(Function::Item(item)) => format!("the {} `{}`", item.role_word(), item.name()),
            Value::Layer(item) => format!("the layer `{}` without its hyperparameters", item.name()),
            Value::Instance(instance) => match &instance.kind {
                InstanceKind::Layer { item, .. } => format!("an instance of `{}`", item.name()),
                InstanceKind::Row(row) => format!("a row of {} layers", row.len()),
            },
            Value::Data(data) => match &data.part {
                Some(part) => format!("the part `{}.{part}` of the data", data.item),
                None => format!("the data `{}`", data.item),
            },
        }
    }

    /// As a user would write it: in `{}` of strings.
    pub fn show(&self) -> String {
        match self {
            Value::Int(dim) => dim.to_string(),
            Value::Ratio(a, b) => match (a.as_symbol().is_some(), b.as_number().is_some()) {
                (true, true) => format!("{a} / {b}"),
                _ => format!("({a}) / ({b})"),
            },
            Value::Float(value) => show_float(*value),
            Value::Bool(value) => value.to_string(),
            Value::Str(text) => text.to_string(),
            Value::None => "none".to_string(),
            Value::List(items) => show_list(items.iter().map(Value::show)),
            Value::Tuple(items) => {
                let text = show_list(items.iter().map(Value::show));
                format!("({})", &text[1..text.len() - 1])
            }
            Value::Pack(axes) => show_list(axes.iter().map(|axis| axis.size.to_string())),
            Value::Tensor(tensor) => show_axes(tensor.ty.elem, &tensor.axes()),
            Value::Function(Function::Builtin(builtin)) => builtin.name.to_string(),
            Value::Function(Function::Item(item)) | Value::Layer(item) => item.name().to_string(),
            Value::Instance(instance) => instance.path.to_string(),
            Value::Error | Value::Indexed(_) | Value::Parameters(_) | Value::Data(_) => self.describe(),
        }
    }
}

/// A float as the language writes it: with a point or an exponent.
pub fn show_float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    if value.is_nan() {
        return "nan".to_string();
    }
    let plain = value.to_string();
    if plain.contains(['.', 'e']) || plain.len() > 17 { format!("{value:?}") } else { format!("{plain}.0") }
}

/// `[B, _, 3]`, `int[B]`
pub fn show_axes(elem: Elem, axes: &[Axis]) -> String {
    let mut text = if elem == Elem::Float { String::new() } else { elem.to_string() };
    let sizes = axes.iter().map(|axis| if axis.stretch { "_".to_string() } else { axis.size.to_string() });
    let _ = write!(text, "{}", show_list(sizes));
    text
}

fn show_list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// What is expected of a value: the shape and element type handed down to numbers and makers.
#[derive(Clone, PartialEq, Debug)]
pub struct Expected {
    pub elem: Option<Elem>,
    pub axes: Vec<Axis>,
}

impl Expected {
    pub fn of(tensor: &Tensor) -> Expected {
        Expected { elem: Some(tensor.ty.elem), axes: tensor.axes() }
    }

    /// The same shape with elements of any type.
    pub fn of_any_type(&self) -> Expected {
        Expected { elem: None, axes: self.axes.clone() }
    }

    pub fn shape(&self) -> Vec<Dim> {
        self.axes.iter().map(|axis| axis.size.clone()).collect()
    }
}

/// An argument that was worked out.
#[derive(Clone, Debug)]
pub struct Given {
    pub name: Option<ast::Name>,
    pub value: Value,
    pub span: Span,
}

/// A function of the language; what it does is in [`super::build::builtins`].
#[derive(Debug)]
pub struct Builtin {
    pub name: &'static str,
    /// As a user would declare them: `x, axis = none`; those after `*` are always named.
    pub parameters: &'static str,
    /// One line.
    pub doc: &'static str,
    /// Element by element: may stand in activations and hands a declared shape down to its arguments.
    pub elementwise: bool,
    pub special: Option<Special>,
}

/// The functions that look at their arguments before these are elaborated; see [`super::body::special`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Special {
    Kind,
    Grad,
    Repeat,
}
