//! Layers, models and their instances; parameters and states.

use crate::sema::build::built::LayerCall;
use crate::sema::build::built::ModelCall;
use crate::sema::value::Given;
use crate::sema::body::call::differentiated_names;
use crate::sema::build::roles::body_value_span;
use crate::sema::scope::context::ModelCalls;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::{ItemRef, ModuleId};
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::value::{Instance, InstanceKind, Tensor, Value};
use crate::sema::scope::report::calls::{CallError, SpecialCallError, SpecialForm};
use crate::sema::scope::report::data::Trained;
use crate::sema::scope::report::layers::{Made, MakingError};
use crate::sema::scope::report::limits::LimitError;
use crate::base::Span;
use crate::ir::Type;
use crate::syntax::ast::{self, Role};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many instances one `repeat` may make.
const MAX_COPIES: i64 = 10_000;

/// What is known of instances and models.
#[derive(Debug, Default)]
pub struct ModelTable {
    /// All instances made so far, by path.
    pub instances: HashMap<Arc<str>, Arc<Instance>>,
    /// The one instance of each model, by its file and name.
    pub whole: HashMap<(ModuleId, Arc<str>), Arc<Instance>>,
    /// The types of the inputs of each model's first call.
    pub inputs: HashMap<Arc<str>, Vec<Type>>,
    /// Paths of models whose parameters were made before a call of theirs.
    pub made_early: HashSet<Arc<str>>,
}

impl Elaborator<'_> {
    /// The one instance of a model.
    pub fn model(&mut self, item: &ItemRef, span: Span) -> Value {
        let models = self.model_items();
        let several = models.len() > 1;
        let path: Arc<str> = if several { item.name().into() } else { "".into() };
        let key = (item.module, Arc::<str>::from(item.name()));
        if let Some(instance) = self.models.whole.get(&key) {
            return Value::Instance(instance.clone());
        }
        let Some(definition) = item.definition() else { return Value::Error };
        let Some(hyper) = self.bound_hyper(item, definition, Vec::new(), span) else { return Value::Error };
        let kind = InstanceKind::Layer { item: item.clone(), hyper };
        let instance = Arc::new(Instance { path, kind, span: definition.name.span });
        self.models.whole.insert(key, instance.clone());
        Value::Instance(instance)
    }

    /// All models of the user's files.
    pub fn model_items(&self) -> Vec<ItemRef> {
        let items = self.modules.user_modules().flat_map(|(_, module)| &module.items);
        items.filter(|item| item.role() == Some(Role::Model)).cloned().collect()
    }

    /// `Linear(8)`: a new instance.
    pub fn construct(
        &mut self,
        item: &ItemRef,
        given: Vec<Given>,
        span: Span,
        name: Option<&Arc<str>>,
    ) -> Value {
        let Some(definition) = item.definition() else { return Value::Error };
        let Some(path) = self.new_path(item.name(), span, name, Made::Instance(item.name().to_owned())) else { return Value::Error };
        if !self.check_recursion(item, span) {
            return Value::Error;
        }
        if given.iter().any(|given| given.value.is_error()) {
            return Value::Error;
        }
        let mut given = given;
        if let Some(trial) = self.context.trial().filter(|trial| trial.call == span) {
            let name = Some(ast::Name::new(trial.name.clone(), span));
            given.push(Given { name, value: Value::int(trial.value), span });
        }
        let Some(hyper) = self.bound_hyper(item, definition, given, span) else { return Value::Error };
        let kind = InstanceKind::Layer { item: item.clone(), hyper };
        let instance = Arc::new(Instance { path: path.clone(), kind, span });
        self.models.instances.insert(path, instance.clone());
        Value::Instance(instance)
    }

    /// `repeat(n, Block(…))`: the second argument is elaborated n times.
    pub fn repeat(&mut self, args: &ast::Args, span: Span, name: Option<&Arc<str>>) -> Value {
        let positional: Vec<&ast::Arg> = args.positional().collect();
        let [times, block] = positional.as_slice() else {
            let function = SpecialForm::Repeat;
            return self.report(SpecialCallError::Arguments { function, at: args.span });
        };
        let count = self.expr(&times.value, None);
        if matches!(count, Value::Instance(_) | Value::Layer(_)) {
            return self.report(SpecialCallError::NumberFirst { found: count, at: times.span });
        }
        let Some(n) = count.as_int() else {
            self.whole_error(&count, "the number of copies", times.value.span);
            return Value::Error;
        };
        if n < 0 {
            return self.report(SpecialCallError::NegativeCopies { copies: n, at: times.span });
        }
        if n > MAX_COPIES {
            return self.report(LimitError::Copies { copies: n, most: MAX_COPIES, at: times.span });
        }
        let layer = match &block.value.kind {
            ast::ExprKind::Call { callee, .. } => {
                callee.as_name().map_or("block".to_string(), |name| name.to_string())
            }
            _ => return self.report(SpecialCallError::NoParentheses { at: block.span }),
        };
        let Some(path) = self.new_path(&layer, span, name, Made::Repeat(layer.clone())) else { return Value::Error };
        let Some(outer) = self.instance().cloned() else { return Value::Error };
        // The copies are called 0, 1, … inside the row.
        let prefix =
            path.strip_prefix(&*outer.path).map_or(&*path, |rest| rest.trim_start_matches('.')).to_string();
        let mut row = Vec::new();
        for at in 0..n {
            if !self.work(span) {
                return Value::Error;
            }
            let name: Arc<str> = format!("{prefix}.{at}").into();
            let made = match &block.value.kind {
                ast::ExprKind::Call { callee, args } => {
                    self.call_expr(callee, args, block.span, None, Some(&name))
                }
                _ => Value::Error,
            };
            match made {
                Value::Instance(instance) => row.push(instance),
                Value::Error => return Value::Error,
                found => return self.report(SpecialCallError::NotLayer { found, at: block.span }),
            }
        }
        let instance = Arc::new(Instance { path: path.clone(), kind: InstanceKind::Row(row), span });
        self.models.instances.insert(path, instance.clone());
        Value::Instance(instance)
    }

    /// The path of an instance made here. `None` is reported.
    fn new_path(&mut self, layer: &str, span: Span, name: Option<&Arc<str>>, made: Made) -> Option<Arc<str>> {
        let FrameKind::Layer(outer) = &self.frame().kind else {
            self.report(MakingError::NotHere { made, at: span });
            return None;
        };
        let outer = outer.path.clone();
        if self.in_scan_of_body() {
            self.report(MakingError::InScan { made, at: span });
            return None;
        }
        let path = match name {
            Some(name) => name.to_string(),
            None => {
                let layer = layer.to_lowercase();
                let count = self.frame_mut().unnamed.entry(layer.clone()).or_insert(0);
                *count += 1;
                format!("{layer}{count}")
            }
        };
        self.claim(&outer, &path, span)
    }

    /// Makes a path below an instance, once in each call of it.
    pub fn claim(&mut self, outer: &str, name: &str, span: Span) -> Option<Arc<str>> {
        if name == "T" || name.ends_with(".T") {
            self.report(MakingError::CalledT { at: span });
            return None;
        }
        let path: Arc<str> = if outer.is_empty() { name.into() } else { format!("{outer}.{name}").into() };
        if let Some(first) = self.frame_mut().made.insert(path.clone(), span) {
            self.report(MakingError::Twice { name: name.to_owned(), at: span, first });
            return None;
        }
        Some(path)
    }

    /// The hyperparameters of a new instance. `None` is reported.
    fn bound_hyper(
        &mut self,
        item: &ItemRef,
        definition: &ast::Definition,
        given: Vec<Given>,
        span: Span,
    ) -> Option<Vec<(Arc<str>, Value)>> {
        let frame = Frame::new(FrameKind::Function, Some(item.clone()), item.module, span);
        self.in_frame(frame, |cx| {
            let fits = cx.bind_parameters(
                definition.hyper.as_ref(),
                given,
                item.name(),
                definition.name.span,
                BindingKind::Hyper,
                span,
            );
            let bindings = std::mem::take(&mut cx.frame_mut().bindings);
            fits.then(|| bindings.into_iter().map(|binding| (binding.name, binding.value)).collect())
        })
    }

    // -------------------------------------------------------------------------------------- calls

    /// Calls an instance: its body is elaborated with these inputs.
    pub fn call_instance(&mut self, instance: &Arc<Instance>, given: Vec<Given>, span: Span) -> Value {
        if given.iter().any(|given| given.value.is_error()) {
            return Value::Error;
        }
        let (item, hyper) = match &instance.kind {
            InstanceKind::Layer { item, hyper } => (item.clone(), hyper.clone()),
            InstanceKind::Row(row) => return self.call_row(row, given, span),
        };
        if self.data.is_made() {
            return self.data_depends(Trained::Network(item.name().to_owned()), span);
        }
        let open = self
            .frames
            .iter()
            .any(|frame| matches!(&frame.kind, FrameKind::Layer(around) if Arc::ptr_eq(around, instance)));
        if open {
            let (name, declared) = (item.name().to_owned(), item.name_span());
            return self.report(CallError::InstanceCallsItself { name, declared, at: span });
        }
        if self.in_elementwise_body() {
            return self.not_elementwise("a layer", span);
        }
        let is_model = item.role() == Some(Role::Model);
        let key = if is_model { self.model_call(&item, &given) } else { None };
        // Taken at given parameters it has none of its own.
        let taken = self.context.taken_at().cloned();
        let has_own = taken.as_ref().is_none_or(|taken| !taken.covers(&instance.path));
        if is_model && has_own && !self.built.called_models.contains(&item) {
            self.built.called_models.push(item.clone());
        }
        if is_model {
            self.note_model_inputs(&item, &given);
        }
        // The loss itself calls anew each time: two calls of a network with dropout are two draws.
        let key = key.filter(|_| taken.is_none());
        let remembers = self.context.model_calls() == ModelCalls::Remembered;
        if !remembers && let Some(known) = key.as_ref().and_then(|key| self.built.remembered.get(key)) {
            return known.clone();
        }
        // What is frozen is as in evaluation: `training` is false in it, and `<-` takes no effect.
        let value = match self.context.freezes(&instance.path) {
            true => {
                let context = self.context.evaluating();
                self.within(context, |cx| cx.instance_body(instance, &item, hyper, given, span))
            }
            false => self.instance_body(instance, &item, hyper, given, span),
        };
        if is_model {
            self.note_answer(&item, &value);
        }
        if let Some(key) = key
            && remembers
        {
            self.built.remembered.entry(key).or_insert_with(|| value.clone());
        }
        value
    }

    /// Remembers with which types a model is first called.
    fn note_model_inputs(&mut self, item: &ItemRef, given: &[Given]) {
        let types = given.iter().filter(|given| given.name.is_none()).map(|given| match &given.value {
            Value::Tensor(tensor) => Some(tensor.ty.clone()),
            _ => None,
        });
        if let Some(types) = types.collect::<Option<Vec<Type>>>() {
            self.models.inputs.entry(item.name().into()).or_insert(types);
        }
    }

    /// What a remembered call of a model is found by.
    fn model_call(&mut self, item: &ItemRef, given: &[Given]) -> Option<ModelCall> {
        let mut args = Vec::new();
        for given in given {
            match &given.value {
                Value::Tensor(tensor) if given.name.is_none() && self.level().id == tensor.level => {
                    args.push(tensor.node)
                }
                _ => return None,
            }
        }
        Some(ModelCall { path: item.name().into(), level: self.level().id, args })
    }

    fn call_row(&mut self, row: &[Arc<Instance>], given: Vec<Given>, span: Span) -> Value {
        let mut given = given;
        for instance in row {
            let value = self.call_instance(instance, given.clone(), span);
            match given.first_mut() {
                Some(first) => first.value = value,
                None => return value,
            }
        }
        given.into_iter().next().map_or(Value::Error, |first| first.value)
    }

    fn instance_body(
        &mut self,
        instance: &Arc<Instance>,
        item: &ItemRef,
        hyper: Vec<(Arc<str>, Value)>,
        given: Vec<Given>,
        span: Span,
    ) -> Value {
        let Some(definition) = item.definition() else { return Value::Error };
        let mut frame = Frame::new(FrameKind::Layer(instance.clone()), Some(item.clone()), item.module, span);
        frame.marked = differentiated_names(definition);
        for (at, (name, value)) in hyper.into_iter().enumerate() {
            let place = definition.hyper.as_ref().and_then(|list| list.parameters.get(at));
            frame.bind(
                name,
                value,
                place.map_or(instance.span, |parameter| parameter.span),
                BindingKind::Hyper,
            );
        }
        let start = self.graph().len();
        let value = self.in_frame(frame, |cx| {
            let inputs = definition.inputs.as_ref();
            if !cx.bind_parameters(inputs, given, item.name(), definition.name.span, BindingKind::Input, span)
            {
                return Value::Error;
            }
            let handed = cx.expected_result(definition.result.as_ref());
            let Some(value) = cx.block(&definition.body, handed.as_ref()) else {
                return Value::Error;
            };
            match &definition.result {
                Some(ty) => cx.check_result(value, ty, item.name(), body_value_span(&definition.body)),
                None => value,
            }
        });
        let nodes = start..self.graph().len();
        let output = match &value {
            Value::Tensor(tensor) => vec![tensor.ty.clone()],
            Value::Tuple(items) => items
                .iter()
                .filter_map(|item| match item {
                    Value::Tensor(tensor) => Some(tensor.ty.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        self.built.layer_calls.push(LayerCall {
            path: instance.path.clone(),
            layer: item.name().into(),
            output,
            nodes,
        });
        self.note_instance(&instance.path, &value);
        // The result is made by this call, as far as the caller is concerned.
        match value {
            Value::Tensor(tensor) => Value::Tensor(Tensor { span, ..tensor }),
            other => other,
        }
    }
}
