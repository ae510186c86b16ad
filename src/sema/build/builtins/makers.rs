//! Constructors of tensors: constants, counts, random numbers. The shape is given, or the context declares it.

use super::{Arguments, Builtin, Given, builtin};
use crate::base::Span;
use crate::ir::{Affine, BinaryOp, Dim, Elem, LoopBuilder, Op, RandKind};
use crate::sema::build::Builder;
use crate::sema::value::Expected;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::tensors::{convert, number_elem};
use crate::sema::scope::report::numbers::{MakerError, NoShape};
use crate::sema::value::{Axis, Interval, Tensor, Value};
use std::sync::Arc;

pub(super) const BUILTINS: &[Builtin] = &[
    builtin("zeros", "shape = none, *, like = none", "A tensor of zeros.", |e, a| filled(e, a, 0)),
    builtin("ones", "shape = none, *, like = none", "A tensor of ones.", |e, a| filled(e, a, 1)),
    builtin("full", "shape, value, *, like = none", "A tensor of one value.", full),
    builtin(
        "arange",
        "start, end = none, step = 1",
        "The whole numbers 0 .. start, or start .. end by step.",
        arange,
    ),
    builtin(
        "uniform",
        "lo = 0, hi = 1, *, shape = none, like = none",
        "Random numbers, uniform in lo .. hi.",
        uniform,
    ),
    builtin(
        "normal",
        "mean = 0, std = 1, *, shape = none, like = none",
        "Random numbers, normally distributed.",
        normal,
    ),
    builtin(
        "bernoulli",
        "p, *, shape = none, like = none",
        "Random numbers, 1 with probability p, else 0.",
        bernoulli,
    ),
];

impl Builder<'_> {
    /// A shape given as a list of sizes, or one size.
    pub fn axes_of(&mut self, value: &Value, span: Span) -> Option<Vec<Axis>> {
        match value {
            Value::Pack(axes) => Some(axes.to_vec()),
            Value::Error => None,
            Value::List(items) => {
                let mut axes = Vec::new();
                for item in items.iter() {
                    axes.push(Axis::new(self.size_of(item, "a size", span)?));
                }
                Some(axes)
            }
            other => Some(vec![Axis::new(self.size_of(other, "a size", span)?)]),
        }
    }

    /// The name of a random stream: the path of the instance and the ordinal of the call.
    fn stream(&mut self) -> Arc<str> {
        let path =
            self.context.draw_path().cloned().or_else(|| self.instance_path()).unwrap_or_else(|| "".into());
        let ordinal = self.built.draws.entry(path.clone()).or_insert(0);
        *ordinal += 1;
        format!("{path}#{ordinal}").into()
    }

    /// Random numbers of a shape.
    fn random(&mut self, kind: RandKind, axes: &[Axis], span: Span) -> Value {
        let shape = axes.iter().map(|axis| axis.size.clone()).collect();
        let (stream, step) = (self.stream(), self.scan_step());
        let made = self.add(span, Op::Rand { kind, stream, shape, step, step_axes: 0 }, Vec::new());
        let stretch = axes.iter().map(|axis| axis.stretch).collect();
        Value::Tensor(Tensor { stretch, ..made })
    }
}

/// The tensor of greatest rank that random numbers are drawn with: `normal(mean, std)`, `bernoulli(p)`.
fn drawn_with(a: &Arguments) -> Option<&Tensor> {
    let given = ["lo", "hi", "mean", "std", "p"].into_iter().filter_map(|name| a.get(name));
    let tensors = given.filter_map(|given| match &given.value {
        Value::Tensor(tensor) if tensor.rank() > 0 => Some(tensor),
        _ => None,
    });
    tensors.max_by_key(|tensor| tensor.rank())
}

/// The shape given or declared, of random numbers also that of what they are drawn with. `None` is reported.
fn shape(e: &mut Builder<'_>, a: &Arguments) -> Option<Expected> {
    let given: Vec<Given> = ["shape", "like"]
        .into_iter()
        .filter_map(|name| {
            let mut given = a.get(name)?.clone();
            given.name = Some(crate::syntax::ast::Name::new(name, given.span));
            Some(given)
        })
        .collect();
    match e.shape_arguments(&given, a.expected.as_ref()) {
        Some(Some(expected)) => Some(expected),
        Some(None) => {
            if let Some(tensor) = drawn_with(a) {
                return Some(Expected::of(tensor));
            }
            let what = NoShape::Maker(a.builtin.name);
            e.report(MakerError::NoShape { what, at: a.span });
            None
        }
        None => None,
    }
}

fn filled(e: &mut Builder<'_>, a: &Arguments, value: i64) -> Value {
    let Some(expected) = shape(e, a) else { return Value::Error };
    let elem = expected.elem.unwrap_or(Elem::Float);
    let value = if elem == Elem::Bool { Value::Bool(value != 0) } else { Value::int(value) };
    Value::Tensor(e.fill(&value, elem, &expected.axes, a.span))
}

fn full(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let Some(expected) = shape(e, a) else { return Value::Error };
    let value = a.arg("value");
    if value.value.is_number() {
        let elem = expected.elem.or(number_elem(value.value)).unwrap_or(Elem::Float);
        return Value::Tensor(e.fill(value.value, elem, &expected.axes, a.span));
    }
    let elem = match value.value {
        Value::Tensor(tensor) if tensor.ty.elem == Elem::Int => expected.elem.unwrap_or(Elem::Int),
        _ => Elem::Float,
    };
    let ones = Value::Tensor(e.fill(&Value::int(1), elem, &expected.axes, a.span));
    e.binary(crate::syntax::ast::BinaryOp::Mul, Arg { value: &ones, span: a.span }, value, a.span)
}

fn arange(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let zero = Value::int(0);
    let one = Value::int(1);
    let (start, end) = match a.get("end") {
        Some(end) => (a.arg("start"), Arg { value: &end.value, span: end.span }),
        None => (Arg { value: &zero, span: a.span }, a.arg("start")),
    };
    let step = a.get("step").map_or(&one, |given| &given.value);
    let whole = (start.value.as_dim(), end.value.as_dim(), step.as_int());
    if let (Some(from), Some(to), Some(step)) = whole {
        if step == 0 {
            return e.report(MakerError::ZeroStep { at: a.span });
        }
        let (length, step_dim) = (&to - &from, Dim::number(step));
        let count = if step > 0 {
            (&length + &Dim::number(step - 1)).floor_div(&step_dim)
        } else {
            let back = -&step_dim;
            (&(&back - &length) - &Dim::ONE).floor_div(&back)
        };
        let Some(count) = e.size_of(&Value::Int(count), "the number of elements", a.span) else {
            return Value::Error;
        };
        let mut l = LoopBuilder::new(e.graph(), vec![count.clone()]);
        let value = l.affine(Affine::index(0).scale(&step_dim).offset(&from));
        let node = l.map(value);
        let made = e.add_loop(a.span, node);
        let last = &from + &(&(&count - &Dim::ONE) * &step_dim);
        let interval = if step > 0 {
            Interval { least: from, greatest: last }
        } else {
            Interval { least: last, greatest: from }
        };
        return Value::Tensor(Tensor { interval: interval.held(), ..made });
    }
    let (Some(from), Some(to), Some(step)) = (start.value.as_float(), end.value.as_float(), step.as_float())
    else {
        return e.report(MakerError::UnknownCount { at: a.span });
    };
    let count = ((to - from) / step).ceil();
    if !count.is_finite() || !(0.0..2e9).contains(&count) {
        return e.report(MakerError::Count { count, at: a.span });
    }
    let mut l = LoopBuilder::new(e.graph(), vec![Dim::number(count as i64)]);
    let index = l.affine(Affine::index(0));
    let (index, by, from) = (l.to_float(index), l.float(step), l.float(from));
    let scaled = l.binary(BinaryOp::Mul, index, by);
    let value = l.binary(BinaryOp::Add, from, scaled);
    let node = l.map(value);
    Value::Tensor(e.add_loop(a.span, node))
}

fn uniform(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let Some(expected) = shape(e, a) else { return Value::Error };
    let draw = e.random(RandKind::Uniform, &expected.axes, a.span);
    let (zero, one) = (Value::int(0), Value::int(1));
    let lo = a
        .get("lo")
        .map_or(Arg { value: &zero, span: a.span }, |given| Arg { value: &given.value, span: given.span });
    let hi = a
        .get("hi")
        .map_or(Arg { value: &one, span: a.span }, |given| Arg { value: &given.value, span: given.span });
    if let (Some(from), Some(to)) = (lo.value.as_float(), hi.value.as_float())
        && !(from <= to && (to - from).is_finite())
    {
        return e.report(MakerError::Range { from, to, at: a.span });
    }
    e.elementwise("draw between", &[Arg { value: &draw, span: a.span }, lo, hi], a.span, &mut |l, scalars| {
        let (lo, hi) = (convert(l, scalars[1], Elem::Float), convert(l, scalars[2], Elem::Float));
        let width = l.binary(BinaryOp::Sub, hi, lo);
        let scaled = l.binary(BinaryOp::Mul, width, scalars[0]);
        l.binary(BinaryOp::Add, lo, scaled)
    })
}

fn normal(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let Some(expected) = shape(e, a) else { return Value::Error };
    let draw = e.random(RandKind::Normal, &expected.axes, a.span);
    let (zero, one) = (Value::int(0), Value::int(1));
    let mean = a
        .get("mean")
        .map_or(Arg { value: &zero, span: a.span }, |given| Arg { value: &given.value, span: given.span });
    let std = a
        .get("std")
        .map_or(Arg { value: &one, span: a.span }, |given| Arg { value: &given.value, span: given.span });
    if let Some(number) = std.value.as_float()
        && !(number >= 0.0 && number.is_finite())
    {
        return e.report(MakerError::Deviation { deviation: number, at: std.span });
    }
    e.elementwise(
        "draw around",
        &[Arg { value: &draw, span: a.span }, mean, std],
        a.span,
        &mut |l, scalars| {
            let (mean, std) = (convert(l, scalars[1], Elem::Float), convert(l, scalars[2], Elem::Float));
            let scaled = l.binary(BinaryOp::Mul, std, scalars[0]);
            l.binary(BinaryOp::Add, mean, scaled)
        },
    )
}

fn bernoulli(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let Some(expected) = shape(e, a) else { return Value::Error };
    let draw = e.random(RandKind::Uniform, &expected.axes, a.span);
    let p = a.arg("p");
    if let Some(number) = p.value.as_float()
        && !(0.0..=1.0).contains(&number)
    {
        return e.report(MakerError::Probability { probability: number, at: p.span });
    }
    let elem = expected.elem.unwrap_or(Elem::Float);
    e.elementwise("draw with", &[Arg { value: &draw, span: a.span }, p], a.span, &mut |l, scalars| {
        let p = convert(l, scalars[1], Elem::Float);
        let hit = l.binary(BinaryOp::Lt, scalars[0], p);
        match elem {
            Elem::Bool => hit,
            Elem::Int | Elem::Float => {
                let (one, zero) = (l.int(1), l.int(0));
                let (one, zero) = (convert(l, one, elem), convert(l, zero, elem));
                l.select(hit, one, zero)
            }
        }
    })
}

impl Builder<'_> {
    /// The shape given by `shape = …` or `like = …`, else the one that the context declares. The outer `None`
    /// is reported.
    pub fn shape_arguments(
        &mut self,
        shape: &[Given],
        expected: Option<&Expected>,
    ) -> Option<Option<Expected>> {
        let Some(given) = shape.first() else { return Some(expected.cloned()) };
        if given.name.as_ref().is_some_and(|name| name.as_str() == "like") {
            let tensor = self.to_tensor(&given.value, given.span)?;
            return Some(Some(Expected::of(&tensor)));
        }
        let axes = self.axes_of(&given.value, given.span)?;
        Some(Some(Expected { elem: None, axes }))
    }
}
