//! Parameters as values: `Net.parameters`, what is computed from them, and expressions `at` them.
//!
//! A set is a tensor for each parameter below an instance, by its path from there. What is elementwise on tensors is
//! elementwise on sets, parameter by parameter. `expr at w` elaborates an expression in a context in which reads of
//! these parameters give the tensors of the set; see [`Elaborator::variable_value`].

use crate::base::{Diagnostic, Span};
use crate::ir::{Elem, NodeId};
use crate::sema::body::elaborator::{Elaborator, Expected};
use crate::sema::build::builtins::{Builtin, Given};
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::module::ItemRef;
use crate::sema::value::{Instance, InstanceKind, ParameterSet, Tensor, Value};
use crate::syntax::ast::{self, BinaryOp, Role};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The parameters that an expression is taken at, in place of those that its networks have.
#[derive(Debug)]
pub struct TakenAt {
    tensors: HashMap<Arc<str>, Tensor>,
    /// The path of the instance that they belong to.
    root: Arc<str>,
    was_read: AtomicBool,
    /// Of an `at` around this one.
    outer: Option<Arc<TakenAt>>,
}

impl TakenAt {
    /// What a parameter is worth here, if a set gives it.
    pub fn value(&self, path: &str) -> Option<Tensor> {
        match self.tensors.get(path) {
            Some(tensor) => {
                self.was_read.store(true, Ordering::Relaxed);
                Some(tensor.clone())
            }
            None => self.outer.as_ref()?.value(path),
        }
    }

    /// Whether the parameters of the instance of this path are given.
    pub fn covers(&self, path: &str) -> bool {
        *self.root == *path || self.outer.as_ref().is_some_and(|outer| outer.covers(path))
    }
}

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

impl Elaborator<'_> {
    /// `Net.parameters`: all parameters below an instance that are not frozen.
    pub fn parameters_of(&mut self, instance: &Arc<Instance>, span: Span) -> Value {
        let item = match &instance.kind {
            InstanceKind::Layer { item, .. } if item.role() == Some(Role::Model) => Some(item.clone()),
            _ => None,
        };
        self.make_parameters(instance);
        let below = self.variables.below(&instance.path);
        let paths: Vec<Arc<str>> =
            below.filter(|it| !it.is_state && !it.frozen).map(|it| it.path.clone()).collect();
        let name: Arc<str> = match &item {
            Some(item) => item.name().into(),
            None => instance.path.clone(),
        };
        if paths.is_empty() {
            let message = format!("the parameters of `{name}` are not known here");
            let error = Diagnostic::error("E0590", message).at(span, "none so far");
            let is_known = self.variables.below(&instance.path).next().is_some();
            self.report(match is_known {
                true => error.note("all that it has is frozen"),
                false => error.help("call it above: its inputs say what shapes they have"),
            });
            return Value::Error;
        }
        if let Some(item) = item
            && !self.built.called_models.contains(&item)
        {
            self.built.called_models.push(item);
        }
        let mut entries = Vec::new();
        for path in paths {
            let Value::Tensor(tensor) = self.variable_value(&path, span) else { return Value::Error };
            let short = match instance.path.is_empty() {
                true => path.clone(),
                false => path[instance.path.len() + 1..].into(),
            };
            entries.push((short, tensor));
        }
        let root = instance.path.clone();
        Value::Parameters(ParameterSet { root, name, entries: entries.into(), is_read: true })
    }

    /// Makes the parameters of a model, which nothing may have called yet, on the types of its inputs. What is wrong
    /// is told by the calls.
    pub fn make_parameters(&mut self, instance: &Arc<Instance>) {
        let InstanceKind::Layer { item, .. } = &instance.kind else { return };
        let Some(definition) = item.definition().filter(|it| it.role == Role::Model) else { return };
        if !self.models.made_early.insert(instance.path.clone()) {
            return;
        }
        let inputs = self.models.inputs.clone();
        let errors = self.diagnostics.len();
        let built = std::mem::take(&mut self.built);
        let current = std::mem::take(&mut self.variables.current);
        let known = self.variables.list.len();
        let open = std::mem::take(&mut self.open.shapes);
        let parameters = definition.inputs.as_ref().map_or(&[][..], |list| &list.parameters);
        let types = parameters.iter().filter(|it| it.default.is_none()).map(|it| it.ty.as_ref());
        if let Some(types) = types.collect::<Option<Vec<&ast::Type>>>() {
            let frames = std::mem::take(&mut self.frames);
            self.frames.extend(frames.first().cloned());
            let context = crate::sema::scope::context::Context::default().looking();
            let run = |cx: &mut Elaborator<'_>| {
                let given: Option<Vec<Given>> = types.iter().map(|ty| cx.given_free(item, ty)).collect();
                given.map(|given| cx.call_instance(instance, given, definition.name.span))
            };
            self.within(context, |cx| cx.in_new_graph(run));
            self.frames = frames;
        }
        self.diagnostics.truncate(errors);
        if self.open.shapes.iter().any(|(_, ty, _)| ty.static_shape().is_none()) {
            self.variables.truncate(known);
        }
        self.open.shapes = open;
        self.models.inputs = inputs;
        self.built = built;
        self.variables.current = current;
    }

    fn given_free(&mut self, item: &ItemRef, ty: &ast::Type) -> Option<Given> {
        let ty_of = crate::sema::items::models::free_type(self, item, ty)?;
        let name = crate::ir::InputKey::field(format!("{}", ty.span.start));
        let tensor = self.add(ty.span, crate::ir::Op::Input { name, ty: ty_of }, Vec::new());
        Some(Given { name: None, value: Value::Tensor(tensor), span: ty.span })
    }

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

    /// `expr at w`
    pub fn taken_at(
        &mut self,
        value: &ast::Expr,
        parameters: &ast::Expr,
        expected: Option<&Expected>,
    ) -> Value {
        let set = match self.expr(parameters, None) {
            Value::Parameters(set) => set,
            Value::Error => {
                self.expr(value, expected);
                return Value::Error;
            }
            other => {
                let message = format!("`at` needs parameters, found {}", other.describe());
                let error = Diagnostic::error("E0593", message).at(parameters.span, "no parameters");
                self.report(match other {
                    Value::Instance(_) => {
                        error.help(format!("`{0}.parameters` are those of `{0}`", self.text(parameters.span)))
                    }
                    _ => error.help("`Net.parameters`, and what is computed from it, are the parameters of a network"),
                });
                return Value::Error;
            }
        };
        let taken = Arc::new(TakenAt {
            tensors: set.entries.iter().map(|(name, tensor)| (set.path(name), tensor.clone())).collect(),
            root: set.root.clone(),
            was_read: AtomicBool::new(false),
            outer: self.context.taken_at.clone(),
        });
        let made = self.within(self.context.at(taken.clone()), |cx| cx.expr(value, expected));
        if !made.is_error() && !taken.was_read.load(Ordering::Relaxed) {
            let name = &set.name;
            let message = format!("this does not depend on the parameters of `{name}`");
            let error = Diagnostic::error("E0594", message)
                .at(value.span, format!("`{name}` is not called here"))
                .and_at(parameters.span, format!("these are parameters of `{name}`"));
            self.report(error.help(format!("call the network before `at`: `{name}(x) at w`")));
            return Value::Error;
        }
        made
    }

    /// Carries out an elementwise operation parameter by parameter: on sets of the same parameters, and numbers.
    pub fn map_sets(
        &mut self,
        args: &[Arg<'_>],
        span: Span,
        run: &mut dyn FnMut(&mut Self, &[Value]) -> Value,
    ) -> Value {
        let sets = args.iter().filter_map(|arg| match arg.value {
            Value::Parameters(set) => Some((set, arg.span)),
            _ => None,
        });
        let sets: Vec<(&ParameterSet, Span)> = sets.collect();
        let Some(&(first, first_span)) = sets.first() else { return Value::Error };
        if sets[1..].iter().any(|(set, at)| !self.same_parameters(first, first_span, set, *at)) {
            return Value::Error;
        }
        for arg in args {
            let fits = match arg.value {
                Value::Error => return Value::Error,
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
                return Value::Error;
            }
        }
        let mut tensors = Vec::new();
        for at in 0..first.entries.len() {
            let values: Vec<Value> = args
                .iter()
                .map(|arg| match arg.value {
                    Value::Parameters(set) => Value::Tensor(set.entries[at].1.clone()),
                    value => value.clone(),
                })
                .collect();
            let made = run(self, &values);
            let Some(tensor) = self.to_tensor(&made, span) else { return Value::Error };
            tensors.push(tensor);
        }
        Value::Parameters(first.with_tensors(tensors))
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
            cx.call(Value::Function(crate::sema::value::Function::Builtin(builtin)), span, given.collect(), span, None, None)
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
                    let function = Value::Function(crate::sema::value::Function::Builtin(builtin));
                    self.call(function, span, given, span, None, None)
                }
            });
        }
        total
    }

    /// An activation of a set.
    pub fn activated_set(&mut self, item: &ItemRef, given: &[Given], span: Span) -> Value {
        let args: Vec<Arg<'_>> = given.iter().map(|it| Arg { value: &it.value, span: it.span }).collect();
        self.map_sets(&args, span, &mut |cx, values| {
            let given = given.iter().zip(values);
            let given = given.map(|(it, value)| Given { value: value.clone(), ..it.clone() });
            cx.call_item(item, given.collect(), span, None)
        })
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

    /// Gives each tensor of a computed set a name of its own; see [`Elaborator::mark`]. The parameters themselves
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
