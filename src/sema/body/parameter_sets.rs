//! Parameters as values: `Net.parameters`, what is computed from them, and expressions `at` them.
//!
//! A set is a tensor for each parameter below an instance, by its path from there. What is elementwise on tensors is
//! elementwise on sets, parameter by parameter. `expr at w` elaborates an expression in a context in which reads of
//! these parameters give the tensors of the set; see [`Elaborator::variable_value`].

use crate::sema::scope::report::parameter_sets::SetError;
use crate::base::Span;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::context::{ItemContext, TakenAt};
use crate::sema::scope::module::ItemRef;
use crate::sema::value::{Expected, Given, Instance, InstanceKind, IntSource, ParameterSet, Value};
use crate::syntax::ast::{self, Role};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
            below.filter(|variable| !variable.is_state && !variable.frozen).map(|variable| variable.path.clone()).collect();
        let name: Arc<str> = match &item {
            Some(item) => item.name().into(),
            None => instance.path.clone(),
        };
        if paths.is_empty() {
            let is_frozen = self.variables.below(&instance.path).next().is_some();
            return self.report(SetError::Unknown { name, is_frozen, at: span });
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
        let Some(definition) = item.definition().filter(|definition| definition.role == Role::Model) else { return };
        if !self.models.made_early.insert(instance.path.clone()) {
            return;
        }
        let inputs = self.models.inputs.clone();
        let errors = self.reports.len();
        let construction = self.begin_construction();
        let known = self.variables.list.len();
        let open = std::mem::take(&mut self.open.shapes);
        let parameters = definition.inputs.as_ref().map_or(&[][..], |list| &list.parameters);
        let types = parameters.iter().filter(|parameter| parameter.default.is_none()).map(|parameter| parameter.ty.as_ref());
        if let Some(types) = types.collect::<Option<Vec<&ast::Type>>>() {
            let frames = std::mem::take(&mut self.frames);
            self.frames.extend(frames.first().cloned());
            let call = |cx: &mut Elaborator<'_>| {
                let given: Option<Vec<Given>> = types.iter().map(|ty| cx.given_free(item, ty)).collect();
                given.map(|given| cx.call_instance(instance, given, definition.name.span))
            };
            self.in_item(ItemContext::file(), |cx| {
                cx.within(cx.context.looking(), |cx| cx.in_new_graph(call));
            });
            self.frames = frames;
        }
        self.reports.truncate(errors);
        if self.open.shapes.iter().any(|(_, ty, _)| ty.static_shape().is_none()) {
            self.variables.truncate(known);
        }
        self.open.shapes = open;
        self.models.inputs = inputs;
        self.go_on_with(construction);
    }

    fn given_free(&mut self, item: &ItemRef, ty: &ast::Type) -> Option<Given> {
        let ty_of = crate::sema::body::free::free_type(self, item, ty)?;
        let name = crate::ir::InputKey::field(format!("{}", ty.span.start));
        let mut tensor = self.add(ty.span, crate::ir::Op::Input { name, ty: ty_of }, Vec::new());
        // What whole numbers must be is asked of the calls.
        tensor.field = Some(IntSource::Caller);
        Some(Given { name: None, value: Value::Tensor(tensor), span: ty.span })
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
            Value::Tensor(vector) if let Some(loss) = self.context.line_loss().cloned() => {
                return self.taken_at_vector(value, (&vector, parameters.span), &loss, expected);
            }
            found => return self.report(SetError::NotParameters { found, at: parameters.span }),
        };
        let taken = Arc::new(TakenAt {
            tensors: set.entries.iter().map(|(name, tensor)| (set.path(name), tensor.clone())).collect(),
            root: set.root.clone(),
            was_read: AtomicBool::new(false),
            outer: self.context.taken_at().cloned(),
        });
        let made = self.within(self.context.at(taken.clone()), |cx| cx.expr(value, expected));
        if !made.is_error() && !taken.was_read.load(Ordering::Relaxed) {
            let (name, parameters) = (set.name, parameters.span);
            return self.report(SetError::Independent { name, at: value.span, parameters });
        }
        made
    }

    /// An activation of a set.
    pub fn activated_set(&mut self, item: &ItemRef, given: &[Given], span: Span) -> Value {
        let args: Vec<Arg<'_>> = given.iter().map(|given| Arg { value: &given.value, span: given.span }).collect();
        let Some((set, arguments)) = self.set_arguments(&args) else { return Value::Error };
        let mut tensors = Vec::new();
        for values in arguments {
            let given = given.iter().zip(values).map(|(given, value)| Given { value, ..given.clone() });
            let made = self.call_item(item, given.collect(), span, None);
            let Some(tensor) = self.to_tensor(&made, span) else { return Value::Error };
            tensors.push(tensor);
        }
        Value::Parameters(set.with_tensors(tensors))
    }
}
