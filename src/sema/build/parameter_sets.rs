//! Parameters as values: what is elementwise on tensors is elementwise on sets of parameters, parameter by parameter.

use crate::base::{Diagnostic, Span};
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
        let message = format!("the parameters of `{}` have no `{name}`", set.name);
        let paths: Vec<&str> = set.entries.iter().map(|(path, _)| &**path).collect();
        let error = Diagnostic::error("E0129", message).at(name_span, "not known");
        self.report(error.help(format!("they are {}", paths.join(", "))));
        Value::Error
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
                let found = arg.value.describe();
                let message = format!("parameters are combined with numbers and parameters, not with {found}");
                let error = Diagnostic::error("E0592", message).at(arg.span, found);
                self.report(error.and_at(first_span, format!("the parameters of `{}`", first.name)).help(
                    "one parameter is a tensor: `w.fc1.weight`; the network is called at them: `Net(x) at w`",
                ));
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
        let differs = a.entries.iter().find_map(|(path, tensor)| {
            match b.entries.iter().find(|(other, _)| other == path) {
                Some((_, other)) if other.ty.shape == tensor.ty.shape => None,
                Some((_, other)) => Some(format!("`{path}` is {} in one and {} in the other", tensor.ty, other.ty)),
                None => Some(format!("`{path}` is in one of them only")),
            }
        });
        let more = b.entries.iter().find(|(path, _)| !a.entries.iter().any(|(other, _)| other == path));
        let differs = differs.or_else(|| more.map(|(path, _)| format!("`{path}` is in one of them only")));
        let in_order = a.entries.iter().zip(b.entries.iter()).all(|((p, _), (q, _))| p == q);
        let differs = differs.or_else(|| (!in_order).then(|| "they stand in another order".to_string()));
        let Some(differs) = differs else { return true };
        let error = Diagnostic::error("E0591", "these are parameters of different networks");
        let error = error.at(b_span, format!("the parameters of `{}`", b.name));
        self.report(error.and_at(a_span, format!("the parameters of `{}`", a.name)).note(differs));
        false
    }

    /// An operator with a set on one side at least.
    pub fn set_binary(&mut self, op: BinaryOp, left: Arg<'_>, right: Arg<'_>, span: Span) -> Value {
        if op == BinaryOp::MatMul {
            let at = if matches!(left.value, Value::Parameters(_)) { left.span } else { right.span };
            let error = Diagnostic::error("E0592", "`@` of parameters of a network").at(at, "several tensors");
            self.report(error.help("one parameter is a tensor: `w.fc1.weight`"));
            return Value::Error;
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
        let like = given.iter().any(|it| is_set(it) && it.name.as_ref().is_some_and(|it| it.as_str() == "like"));
        let folds = match builtin.name {
            "sum" => Some(BinaryOp::Add),
            "prod" => Some(BinaryOp::Mul),
            "all" => Some(BinaryOp::And),
            "any" => Some(BinaryOp::Or),
            _ => None,
        };
        let alone = given.iter().filter(|it| !matches!(it.value, Value::None | Value::Bool(false))).count() == 1;
        let extreme = matches!(builtin.name, "max" | "min") && alone;
        if !(folds.is_some() || extreme || builtin.elementwise || takes_like && like) {
            return None;
        }
        let args: Vec<Arg<'_>> = given.iter().map(|it| Arg { value: &it.value, span: it.span }).collect();
        if (folds.is_some() || extreme) && !alone {
            let error = Diagnostic::error("E0592", format!("`{}` of parameters goes over all of them", builtin.name));
            self.report(error.at(span, "no axis, and nothing to keep"));
            return Some(Value::Error);
        }
        let mapped = self.map_sets(&args, span, &mut |cx, values| {
            let given = given.iter().zip(values).map(|(it, value)| Given { value: value.clone(), ..it.clone() });
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
        let Some(found) = self.derivatives(of_node, &by, span, span) else { return Value::Error };
        if found.iter().all(Option::is_none) {
            let message = format!("the value does not depend on the parameters of `{}`", set.name);
            let error = Diagnostic::error("E0404", message).at(of_span, "computed without them");
            self.report(error.help(format!("`{}(x) at w` depends on w", set.name)));
            return Value::Error;
        }
        let mut tensors = Vec::new();
        for (found, (_, tensor)) in found.into_iter().zip(set.entries.iter()) {
            tensors.push(match found {
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
