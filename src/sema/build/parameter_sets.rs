//! Parameters as values: what is elementwise on tensors is elementwise on sets of parameters, parameter by parameter.

use crate::sema::scope::report::layers::MemberError;
use crate::sema::scope::report::parameter_sets::{DerivativeError, Difference, SetError};
use crate::base::Span;
use crate::ir::{Elem, NodeId};
use crate::sema::build::Builder;
use crate::sema::build::elementwise::Arg;
use crate::sema::value::{Builtin, Given, ParameterSet, Tensor, Value};
use crate::syntax::ast::BinaryOp;
use std::sync::Arc;

impl ParameterSet {
    /// The whole path of a parameter.
    pub fn path(&self, name: &Arc<str>) -> Arc<str> {
        match self.root.is_empty() {
            true => name.clone(),
            false => format!("{}.{name}", self.root).into(),
        }
    }

    /// The same parameters with other tensors.
    pub fn with_tensors(&self, tensors: Vec<Tensor>) -> ParameterSet {
        let names = self.entries.iter().map(|(name, _)| name.clone());
        ParameterSet { entries: names.zip(tensors).collect(), is_read: false, ..self.clone() }
    }
}

pub fn has_sets(args: &[Arg<'_>]) -> bool {
    args.iter().any(|arg| matches!(arg.value, Value::Parameters(_)))
}

impl Builder<'_> {
    /// `w.fc1`, `w.fc1.weight`
    pub fn part_of_set(&mut self, set: &ParameterSet, name: &str, name_span: Span) -> Value {
        if name == "parameters" {
            return Value::Parameters(set.clone());
        }
        if let Some((_, tensor)) = set.entries.iter().find(|(path, _)| **path == *name) {
            return Value::Tensor(tensor.clone());
        }
        let inside = |path: &str| Some(Arc::from(path.strip_prefix(name)?.strip_prefix('.')?));
        let entries: Arc<[(Arc<str>, Tensor)]> =
            set.entries.iter().filter_map(|(path, tensor)| Some((inside(path)?, tensor.clone()))).collect();
        if !entries.is_empty() {
            let path = |outer: &str| match outer.is_empty() {
                true => Arc::from(name),
                false => Arc::from(format!("{outer}.{name}")),
            };
            let (root, name) = (path(&set.root), path(&set.name));
            return Value::Parameters(ParameterSet { root, name, entries, is_read: set.is_read });
        }
        let (set, paths) = (set.name.clone(), set.entries.iter().map(|(path, _)| path.clone()).collect());
        self.report(MemberError::NotInSet { set, name: name.to_owned(), paths, at: name_span })
    }

    /// An elementwise operation, parameter by parameter: on sets of the same parameters, and numbers.
    pub fn map_sets(
        &mut self,
        args: &[Arg<'_>],
        span: Span,
        operation: &mut dyn FnMut(&mut Self, &[Value]) -> Value,
    ) -> Value {
        let Some((set, arguments)) = self.set_arguments(args) else { return Value::Error };
        let mut tensors = Vec::new();
        for values in arguments {
            let made = operation(self, &values);
            let Some(tensor) = self.to_tensor(&made, span) else { return Value::Error };
            tensors.push(tensor);
        }
        Value::Parameters(set.with_tensors(tensors))
    }

    /// The arguments of an elementwise operation for each parameter of the sets among them, and the first of these.
    /// `None` is reported.
    pub fn set_arguments(&mut self, args: &[Arg<'_>]) -> Option<(ParameterSet, Vec<Vec<Value>>)> {
        let sets = args.iter().filter_map(|arg| match arg.value {
            Value::Parameters(set) => Some((set, arg.span)),
            _ => None,
        });
        let sets: Vec<(&ParameterSet, Span)> = sets.collect();
        let &(first, first_span) = sets.first()?;
        if sets[1..].iter().any(|(set, at)| !self.same_parameters(first, first_span, set, *at)) {
            return None;
        }
        for arg in args {
            let fits = match arg.value {
                Value::Error => return None,
                Value::Parameters(_) => true,
                Value::Tensor(tensor) => tensor.rank() == 0,
                value => value.is_number() || matches!(value, Value::None | Value::Str(_)),
            };
            if !fits {
                let (name, found) = (first.name.clone(), arg.value.clone());
                self.report(SetError::NotCombined { name, found, at: arg.span, set: first_span });
                return None;
            }
        }
        let of_parameter = |at: usize| {
            let values = args.iter().map(|arg| match arg.value {
                Value::Parameters(set) => Value::Tensor(set.entries[at].1.clone()),
                value => value.clone(),
            });
            values.collect()
        };
        Some((first.clone(), (0..first.entries.len()).map(of_parameter).collect()))
    }

    /// Whether two sets have the same parameters of the same shapes; reports what differs.
    pub fn same_parameters(&mut self, a: &ParameterSet, a_span: Span, b: &ParameterSet, b_span: Span) -> bool {
        let find = |set: &ParameterSet, path: &Arc<str>| {
            set.entries.iter().find(|(other, _)| other == path).map(|(_, tensor)| tensor.ty.clone())
        };
        let differs = a.entries.iter().find_map(|(path, tensor)| match find(b, path) {
            Some(other) if other.shape == tensor.ty.shape => None,
            Some(second) => Some(Difference::Type { path: path.clone(), first: tensor.ty.clone(), second }),
            None => Some(Difference::InOneOnly { path: path.clone() }),
        });
        let more = b.entries.iter().find(|(path, _)| find(a, path).is_none());
        let differs = differs.or_else(|| more.map(|(path, _)| Difference::InOneOnly { path: path.clone() }));
        let in_order = a.entries.iter().zip(b.entries.iter()).all(|((p, _), (q, _))| p == q);
        let Some(how) = differs.or_else(|| (!in_order).then_some(Difference::Order)) else { return true };
        let (first, second) = (a.name.clone(), b.name.clone());
        self.report(SetError::Different { first, second, how, at: b_span, first_at: a_span });
        false
    }

    /// An operator with a set on one side at least.
    pub fn set_binary(&mut self, op: BinaryOp, left: Arg<'_>, right: Arg<'_>, span: Span) -> Value {
        if op == BinaryOp::MatMul {
            let at = if matches!(left.value, Value::Parameters(_)) { left.span } else { right.span };
            return self.report(SetError::MatMul { at });
        }
        self.map_sets(&[left, right], span, &mut |cx, values| {
            let (a, b) = (Arg { value: &values[0], span: left.span }, Arg { value: &values[1], span: right.span });
            cx.binary(op, a, b, span)
        })
    }

    /// A function of the language on a set: elementwise ones parameter by parameter, reductions over all of them.
    /// `None` if it takes no sets.
    pub fn set_builtin(
        &mut self,
        builtin: &'static Builtin,
        given: &[Given],
        span: Span,
    ) -> Option<Value> {
        let is_set = |given: &Given| matches!(given.value, Value::Parameters(_));
        let takes_like = matches!(builtin.name, "zeros" | "ones" | "normal" | "uniform" | "bernoulli");
        let like = given.iter().any(|given| is_set(given) && given.name.as_ref().is_some_and(|name| name.as_str() == "like"));
        let folds = match builtin.name {
            "sum" => Some(BinaryOp::Add),
            "prod" => Some(BinaryOp::Mul),
            "all" => Some(BinaryOp::And),
            "any" => Some(BinaryOp::Or),
            _ => None,
        };
        let alone = given.iter().filter(|given| !matches!(given.value, Value::None | Value::Bool(false))).count() == 1;
        let extreme = matches!(builtin.name, "max" | "min") && alone;
        if !(folds.is_some() || extreme || builtin.elementwise || takes_like && like) {
            return None;
        }
        let args: Vec<Arg<'_>> = given.iter().map(|given| Arg { value: &given.value, span: given.span }).collect();
        if (folds.is_some() || extreme) && !alone {
            return Some(self.report(SetError::Axis { function: builtin.name, at: span }));
        }
        let mapped = self.map_sets(&args, span, &mut |cx, values| {
            let given = given.iter().zip(values).map(|(given, value)| Given { value: value.clone(), ..given.clone() });
            cx.call_builtin(builtin, given.collect(), span, None)
        });
        let Value::Parameters(set) = &mapped else { return Some(mapped) };
        if folds.is_none() && !extreme {
            return Some(mapped);
        }
        let mut total: Option<Value> = None;
        for (_, tensor) in set.entries.iter() {
            let next = Value::Tensor(tensor.clone());
            total = Some(match (total, folds) {
                (None, _) => next,
                (Some(sum), Some(op)) => {
                    self.binary(op, Arg { value: &sum, span }, Arg { value: &next, span }, span)
                }
                (Some(best), None) => {
                    let given = [best, next].map(|value| Given { name: None, value, span }).to_vec();
                    self.call_builtin(builtin, given, span, None)
                }
            });
        }
        total
    }

    /// `grad(y, w)`: a set; parameters that y does not depend on have derivative 0.
    pub fn gradient_by_set(&mut self, of: &Tensor, of_span: Span, set: &ParameterSet, span: Span) -> Value {
        let Some(of_node) = self.node(of, of_span) else { return Value::Error };
        let mut by: Vec<NodeId> = Vec::new();
        for (_, tensor) in set.entries.iter() {
            let Some(node) = self.node(tensor, span) else { return Value::Error };
            by.push(node);
        }
        let Some(slopes) = self.derivatives(of_node, &by, span, span) else { return Value::Error };
        if slopes.iter().all(Option::is_none) {
            return self.report(DerivativeError::IndependentOfSet { set: set.name.clone(), at: of_span });
        }
        let mut tensors = Vec::new();
        for (slope, (_, tensor)) in slopes.into_iter().zip(set.entries.iter()) {
            tensors.push(match slope {
                Some(node) => Tensor { stretch: tensor.stretch.clone(), ..self.tensor(node, span) },
                None => self.fill(&Value::int(0), Elem::Float, &tensor.axes(), span),
            });
        }
        Value::Parameters(set.with_tensors(tensors))
    }

    /// Gives each tensor of a computed set a name of its own; see [`Builder::mark`]. The parameters themselves
    /// have theirs.
    pub fn mark_set(&mut self, set: ParameterSet, span: Span) -> Value {
        if set.is_read {
            return Value::Parameters(set);
        }
        let mut tensors = Vec::new();
        for (_, tensor) in set.entries.iter() {
            let Value::Tensor(marked) = self.mark(Value::Tensor(tensor.clone()), span) else { return Value::Error };
            tensors.push(marked);
        }
        Value::Parameters(set.with_tensors(tensors))
    }
}
