//! Layers, models and their instances; parameters and states.

use super::builtins::Given;
use super::call::{body_value_span, differentiated_names};
use super::elaborator::{Elaborator, Expected, ModelCall};
use super::module::{ItemRef, ModuleId};
use super::scope::{BindingKind, Frame, FrameKind};
use super::value::{Axis, Instance, InstanceKind, Tensor, Value, show_axes};
use super::variables::Variable;
use crate::base::{Diagnostic, Span, nearest};
use crate::ir::{Elem, Op, Type};
use crate::syntax::ast::{self, Role};
use std::sync::Arc;

/// A finished call of an instance, for summaries.
#[derive(Clone, Debug)]
pub struct LayerCall {
    pub path: Arc<str>,
    /// `Linear`
    pub layer: Arc<str>,
    pub output: Vec<Type>,
    /// The nodes that the call added to the graph, those of inner calls included.
    pub nodes: std::ops::Range<usize>,
}

impl Elaborator<'_> {
    /// The one instance of a model.
    pub fn model(&mut self, item: &ItemRef, span: Span) -> Value {
        let models = self.model_items();
        let several = models.len() > 1;
        let path: Arc<str> = if several { item.name().into() } else { "".into() };
        if let Some(instance) = self.instances.get(&model_key(item)) {
            return Value::Instance(instance.clone());
        }
        let Some(definition) = item.definition() else { return Value::Error };
        let Some(hyper) = self.bound_hyper(item, definition, Vec::new(), span) else { return Value::Error };
        let kind = InstanceKind::Layer { item: item.clone(), hyper };
        let instance = Arc::new(Instance { path, kind, span: definition.name.span });
        self.instances.insert(model_key(item), instance.clone());
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
        let Some(path) = self.new_path(item.name(), span, name, "an instance") else { return Value::Error };
        if !self.check_recursion(item, span) {
            return Value::Error;
        }
        if given.iter().any(|given| given.value.is_error()) {
            return Value::Error;
        }
        let Some(hyper) = self.bound_hyper(item, definition, given, span) else { return Value::Error };
        let kind = InstanceKind::Layer { item: item.clone(), hyper };
        let instance = Arc::new(Instance { path: path.clone(), kind, span });
        self.instances.insert(path, instance.clone());
        Value::Instance(instance)
    }

    /// `repeat(n, Block(…))`: the second argument is elaborated n times.
    pub fn repeat(&mut self, args: &ast::Args, span: Span, name: Option<&Arc<str>>) -> Value {
        let positional: Vec<&ast::Arg> = args.positional().collect();
        let [times, block] = positional.as_slice() else {
            return self.error(
                "E0106",
                "`repeat` takes a number and a layer: `repeat(3, Block(8))`",
                args.span,
                "two arguments are needed",
            );
        };
        let Some(n) = self.compile_time_int(&times.value, "the number of copies") else {
            return Value::Error;
        };
        if n < 0 {
            return self.error(
                "E0217",
                format!("{n} copies of a layer"),
                times.span,
                "a number from 0 up is needed",
            );
        }
        let layer = match &block.value.kind {
            ast::ExprKind::Call { callee, .. } => {
                callee.as_name().map_or("block".to_string(), |name| name.to_string())
            }
            _ => {
                let message = "`repeat` needs a layer with its parentheses: `repeat(3, Block(8))`";
                return self.error("E0106", message, block.span, "not a new instance");
            }
        };
        let Some(path) = self.new_path(&layer, span, name, "`repeat`") else { return Value::Error };
        let Some(outer) = self.instance().cloned() else { return Value::Error };
        // The copies are called 0, 1, … inside the row.
        let prefix =
            path.strip_prefix(&*outer.path).map_or(&*path, |rest| rest.trim_start_matches('.')).to_string();
        let mut row = Vec::new();
        for at in 0..n {
            if !self.work(span) {
                return Value::Error;
            }
            let own: Arc<str> = format!("{prefix}.{at}").into();
            let made = match &block.value.kind {
                ast::ExprKind::Call { callee, args } => {
                    self.call_expr(callee, args, block.span, None, Some(&own))
                }
                _ => Value::Error,
            };
            match made {
                Value::Instance(instance) => row.push(instance),
                Value::Error => return Value::Error,
                other => {
                    let message = format!("`repeat` needs a layer, found {}", other.describe());
                    return self.error("E0116", message, block.span, "not a new instance");
                }
            }
        }
        let instance = Arc::new(Instance { path: path.clone(), kind: InstanceKind::Row(row), span });
        self.instances.insert(path, instance.clone());
        Value::Instance(instance)
    }

    /// The path of an instance made here. `None` is reported.
    fn new_path(&mut self, layer: &str, span: Span, name: Option<&Arc<str>>, what: &str) -> Option<Arc<str>> {
        let FrameKind::Layer(outer) = &self.frame().kind else {
            let error = Diagnostic::error("E0118", format!("{what} of `{layer}` cannot be made here"));
            let error = error.at(span, "instances are made in the bodies of layers and models");
            self.report(error);
            return None;
        };
        let outer = outer.path.clone();
        if self.in_scan() {
            let error = Diagnostic::error("E0118", format!("{what} of `{layer}` cannot be made in a `scan`"));
            self.report(error.at(span, "make it before the scan and call it here"));
            return None;
        }
        let own = match name {
            Some(name) => name.to_string(),
            None => {
                let layer = layer.to_lowercase();
                let count = self.frame_mut().unnamed.entry(layer.clone()).or_insert(0);
                *count += 1;
                format!("{layer}{count}")
            }
        };
        self.claim(&outer, &own, span)
    }

    /// Makes a path below an instance, once in each call of it.
    fn claim(&mut self, outer: &str, own: &str, span: Span) -> Option<Arc<str>> {
        let path: Arc<str> = if outer.is_empty() { own.into() } else { format!("{outer}.{own}").into() };
        if let Some(first) = self.frame_mut().made.insert(path.clone(), span) {
            let error = Diagnostic::error("E0128", format!("`{own}` is made twice in this body"));
            let error = error.at(span, "made again here").and_at(first, "made here");
            self.report(error.help("in a `for` give each its own name: `fc{l} = …`"));
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
        self.in_frame(frame, |own| {
            let fits = own.bind_parameters(
                definition.hyper.as_ref(),
                given,
                item.name(),
                definition.name.span,
                BindingKind::Hyper,
                span,
            );
            let bindings = std::mem::take(&mut own.frame_mut().bindings);
            fits.then(|| bindings.into_iter().map(|binding| (binding.name, binding.value)).collect())
        })
    }

    // -------------------------------------------------------------------------------------- calls

    /// Calls an instance: its body is carried out with these inputs.
    pub fn call_instance(&mut self, instance: &Arc<Instance>, given: Vec<Given>, span: Span) -> Value {
        if given.iter().any(|given| given.value.is_error()) {
            return Value::Error;
        }
        let (item, hyper) = match &instance.kind {
            InstanceKind::Layer { item, hyper } => (item.clone(), hyper.clone()),
            InstanceKind::Row(row) => return self.call_row(row, given, span),
        };
        let open = self
            .frames
            .iter()
            .any(|frame| matches!(&frame.kind, FrameKind::Layer(own) if Arc::ptr_eq(own, instance)));
        if open {
            let error = Diagnostic::error("E0110", format!("`{}` calls itself", item.name()));
            self.report(error.at(span, "this call never ends").and_at(item.name_span(), "declared here"));
            return Value::Error;
        }
        if self.in_activation() {
            return self.not_elementwise("a layer", span);
        }
        let is_model = item.role() == Some(Role::Model);
        let key = if is_model { self.model_call(&item, &given) } else { None };
        if is_model && !self.called_models.contains(&item) {
            self.called_models.push(item.clone());
        }
        if is_model {
            self.note_model_inputs(&item, &given);
        }
        if let Some(known) = key.as_ref().and_then(|key| self.remembered.get(key)) {
            return known.clone();
        }
        let value = self.instance_body(instance, &item, hyper, given, span);
        if let Some(key) = key
            && self.remember_calls
        {
            self.remembered.insert(key, value.clone());
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
            self.model_inputs.entry(item.name().into()).or_insert(types);
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
        Some(ModelCall { path: item.name().into(), args })
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
        let value = self.in_frame(frame, |own| {
            let inputs = definition.inputs.as_ref();
            if !own.bind_parameters(
                inputs,
                given,
                item.name(),
                definition.name.span,
                BindingKind::Input,
                span,
            ) {
                return Value::Error;
            }
            let handed = own.expected_result(definition.result.as_ref());
            let Some(value) = own.block(&definition.body, handed.as_ref()) else {
                return own.no_value(definition);
            };
            match &definition.result {
                Some(ty) => own.check_result(value, ty, item.name(), body_value_span(&definition.body)),
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
        self.layer_calls.push(LayerCall {
            path: instance.path.clone(),
            layer: item.name().into(),
            output,
            nodes,
        });
        // The result is made by this call, as far as the caller is concerned.
        match value {
            Value::Tensor(tensor) => Value::Tensor(Tensor { span, ..tensor }),
            other => other,
        }
    }

    // --------------------------------------------------------------------- parameters and states

    /// `param name: type = expr [frozen]`
    pub fn param(
        &mut self,
        name: &ast::Path,
        ty: Option<&ast::Type>,
        value: Option<&ast::Expr>,
        frozen: bool,
        span: Span,
    ) {
        let made = self.variable(name, ty, value, frozen, false, span);
        if let Some(own) = self.path(name) {
            self.bind_name(own, made, name.span, BindingKind::Param);
        }
    }

    /// `state name[: type] = expr`
    pub fn state(&mut self, name: &ast::Path, ty: Option<&ast::Type>, value: Option<&ast::Expr>, span: Span) {
        let made = self.variable(name, ty, value, false, true, span);
        if let Some(own) = self.path(name) {
            let kind = if made.is_error() { BindingKind::Local } else { BindingKind::State };
            self.frame_mut().bind(own, made, name.span, kind);
        }
    }

    fn variable(
        &mut self,
        name: &ast::Path,
        ty: Option<&ast::Type>,
        value: Option<&ast::Expr>,
        frozen: bool,
        is_state: bool,
        span: Span,
    ) -> Value {
        let word = if is_state { "state" } else { "parameter" };
        let Some(own) = self.path(name) else { return Value::Error };
        let FrameKind::Layer(instance) = &self.frame().kind else {
            let message = format!("a {word} cannot be declared here");
            return self.error(
                "E0118",
                message,
                span,
                format!("a {word} stands in the body of a layer or model"),
            );
        };
        let outer = instance.path.clone();
        if self.in_scan() {
            let message = format!("a {word} cannot be declared in a `scan`");
            return self.error("E0118", message, span, "declare it before the scan");
        }
        let Some(path) = self.claim(&outer, &own, name.span) else { return Value::Error };
        let expected = match ty.map(|ty| self.declared_type(ty)) {
            Some(None) => return Value::Error,
            Some(Some(expected)) => Some(expected),
            None => None,
        };
        let call = self.frame().call;
        // An ordinary 1 in parameters and states, whatever it was.
        let expected = expected.map(|expected| Expected {
            elem: expected.elem,
            axes: expected.axes.into_iter().map(|axis| Axis::new(axis.size)).collect(),
        });
        if let Some(known) = self.variables.find(&path).cloned() {
            if let Some(expected) = &expected
                && known.ty.shape != expected.shape()
            {
                return self.disagreeing_shapes(&known, expected, name.span, call, word);
            }
            return self.variable_value(&path, span);
        }
        let open = expected
            .as_ref()
            .is_some_and(|expected| expected.axes.iter().any(|axis| axis.size.as_number().is_none()));
        if open {
            return self.open_variable(&path, expected, name, is_state, word, span);
        }
        self.make_variable(path, expected, value, ty.map(|ty| ty.span), frozen, is_state, name.span, call)
    }

    /// A variable whose shape has a free size: allowed where a model is only looked at, not run.
    fn open_variable(
        &mut self,
        path: &Arc<str>,
        expected: Option<Expected>,
        name: &ast::Path,
        is_state: bool,
        word: &str,
        span: Span,
    ) -> Value {
        let Some(expected) = expected else { return Value::Error };
        let ty = Type::new(expected.elem.unwrap_or(Elem::Float), expected.shape());
        self.open_shapes.push(path.clone());
        if !self.allow_open_shapes {
            let shape = show_axes(ty.elem, &expected.axes);
            let message = format!("the shape {shape} of the {word} `{path}` is not known");
            let error = Diagnostic::error("E0221", message).at(name.span, "depends on a free dimension");
            self.report(error.note(
                "the sizes of parameters and states are the same for every batch, so they must be numbers",
            ));
            return Value::Error;
        }
        let op = if is_state {
            Op::State { path: path.clone(), ty }
        } else {
            Op::Param { path: path.clone(), ty }
        };
        Value::Tensor(self.leaf(op, span))
    }

    #[allow(clippy::too_many_arguments)]
    fn make_variable(
        &mut self,
        path: Arc<str>,
        expected: Option<Expected>,
        value: Option<&ast::Expr>,
        declared: Option<Span>,
        frozen: bool,
        is_state: bool,
        name: Span,
        call: Span,
    ) -> Value {
        let level = match self.variables.init_level {
            Some(level) => level,
            None => {
                let level = self.new_level_id();
                self.variables.init_level = Some(level);
                level
            }
        };
        let init = std::mem::take(&mut self.variables.init);
        let draws = self.draw_path.replace(path.clone());
        let what = format!("`{path}`");
        let (init, made) = self.in_level(level, init, |own| {
            let made = match value {
                Some(value) => {
                    let made = own.expr(value, expected.as_ref());
                    match &expected {
                        Some(expected) => {
                            own.fit(made, expected, &what, value.span, declared.unwrap_or(name))
                        }
                        None => match own.to_tensor(&made, value.span) {
                            Some(tensor) => {
                                let elem = if made.is_number() || !made.is_run_time() {
                                    Elem::Float
                                } else {
                                    tensor.ty.elem
                                };
                                own.with_elem(tensor, elem, value.span).map_or(Value::Error, Value::Tensor)
                            }
                            None => Value::Error,
                        },
                    }
                }
                None => match &expected {
                    Some(expected) => Value::Tensor(own.fill(
                        &Value::int(0),
                        expected.elem.unwrap_or(Elem::Float),
                        &expected.axes,
                        name,
                    )),
                    None => own.error(
                        "E0216",
                        format!("no shape is declared for {what}"),
                        name,
                        "give it a type or a value",
                    ),
                },
            };
            let Value::Tensor(tensor) = &made else { return None };
            let node = own.node(tensor, name)?;
            own.graph_mut().output(path.clone(), node);
            Some(tensor.ty.clone())
        });
        self.variables.init = init;
        self.draw_path = draws;
        let Some(ty) = made else { return Value::Error };
        if ty.static_shape().is_none() {
            let message = format!("the shape {ty} of `{path}` is not known");
            return self.error("E0221", message, name, "depends on a free dimension");
        }
        let stretch = vec![false; ty.rank()];
        self.variables.insert(Variable {
            path: path.clone(),
            ty,
            stretch,
            frozen,
            is_state,
            span: name,
            call,
        });
        self.variable_value(&path, name)
    }

    fn disagreeing_shapes(
        &mut self,
        known: &Variable,
        expected: &Expected,
        name: Span,
        call: Span,
        word: &str,
    ) -> Value {
        let (first, second) = (known.ty.to_string(), show_axes(known.ty.elem, &expected.axes));
        let message =
            format!("the {word} `{}` would be {first} for one call and {second} for another", known.path);
        let error = Diagnostic::error("E0220", message).at(name, "one parameter has one shape");
        let error = error.and_at(known.call, format!("this call needs {first}"));
        self.report(error.and_at(call, format!("this one needs {second}")));
        Value::Error
    }

    /// What a variable is worth at this place of the graph.
    pub fn variable_value(&mut self, path: &Arc<str>, span: Span) -> Value {
        if !self.variables.used.contains(path) {
            self.variables.used.push(path.clone());
        }
        if let Some(current) = self.variables.current.get(path) {
            return Value::Tensor(current.clone());
        }
        let Some(variable) = self.variables.find(path).cloned() else { return Value::Error };
        let (path, ty) = (variable.path.clone(), variable.ty.clone());
        let op = if variable.is_state { Op::State { path, ty } } else { Op::Param { path, ty } };
        Value::Tensor(self.leaf(op, span))
    }

    /// A leaf of the outermost graph.
    pub fn leaf(&mut self, op: Op, span: Span) -> Tensor {
        self.set_origin(span);
        let origin = self.graph().origin.clone();
        let level = &mut self.levels[0];
        let node = level.graph.add_from(op, Vec::new(), &origin);
        let ty = level.graph.ty(node).clone();
        let stretch = vec![false; ty.rank()];
        Tensor { node, level: level.id, ty, stretch, interval: None, affine: None, field: None, span }
    }

    /// What a state declared in this body is worth now.
    pub fn state_value(&mut self, name: Arc<str>, span: Span) -> Value {
        let Some(outer) = self.instance_path() else { return Value::Error };
        let path: Arc<str> = if outer.is_empty() { name } else { format!("{outer}.{name}").into() };
        match self.variables.find(&path) {
            Some(_) => self.variable_value(&path, span),
            None => self
                .frame()
                .find(path.rsplit('.').next().unwrap_or(""))
                .map_or(Value::Error, |own| own.value.clone()),
        }
    }

    /// `name <- expr`
    pub fn update(&mut self, target: &ast::Path, value: &ast::Expr) {
        let Some(name) = self.path(target) else { return };
        let kind =
            self.frame().find(&name).map(|binding| (binding.kind, binding.span, binding.value.clone()));
        let Some((BindingKind::State, declared, initial)) = kind else {
            self.expr(value, None);
            if matches!(&kind, Some((_, _, Value::Error))) {
                return;
            }
            let mut error = Diagnostic::error("E0501", format!("`{name}` is not a state"))
                .at(target.span, "`<-` updates states");
            if let Some((kind, at, _)) = kind {
                error = error.and_at(at, format!("a {}", kind.word()));
            }
            self.report(error.help(format!("`state {name} = …` declares one, `{name} = …` binds a name")));
            return;
        };
        if self.in_scan() {
            let error = Diagnostic::error("E0502", format!("the state `{name}` is updated in a `scan`"));
            let error = error.at(target.span, "updated here").and_at(declared, "declared here");
            self.report(error.help("use a carry, and update the state after the scan"));
            return;
        }
        let Value::Tensor(initial) = initial else { return };
        let expected = Expected {
            elem: Some(initial.ty.elem),
            axes: initial.ty.shape.iter().cloned().map(Axis::new).collect(),
        };
        let made = self.expr(value, Some(&expected));
        let made = self.fit(made, &expected, &format!("the state `{name}`"), value.span, declared);
        let Value::Tensor(tensor) = made else { return };
        if !self.mode.updates {
            return;
        }
        let Some(outer) = self.instance_path() else { return };
        let path: Arc<str> = if outer.is_empty() { name } else { format!("{outer}.{name}").into() };
        if self.variables.find(&path).is_some() {
            if !self.variables.updated.contains(&path) {
                self.variables.updated.push(path.clone());
            }
            self.variables.current.insert(path, tensor);
        }
    }

    // ------------------------------------------------------------------------------------- fields

    /// `base.name`: a parameter or an inner instance, a part or column of data, a name with dots.
    pub fn field(&mut self, base: &ast::Expr, name: &ast::TemplateName, span: Span) -> Value {
        // `features.3` may be bound under its dotted name.
        if let Some(dotted) = self.dotted(base, name) {
            let found = self.frame().find(&dotted).map(|binding| (binding.kind, binding.value.clone()));
            match found {
                Some((BindingKind::State, _)) => return self.state_value(dotted, span),
                Some((_, value)) => return value,
                None => {}
            }
            if let ast::ExprKind::Name(root) = &root_of(base).kind
                && self.frame().find(root).is_none()
                && self.frame().bindings.iter().any(|own| own.name.starts_with(&format!("{dotted}.")))
            {
                // A part of a longer dotted name; the whole is looked up around it.
                return Value::Error;
            }
        }
        let base_value = self.expr(base, None);
        let Some(name_text) = self.template(name) else { return Value::Error };
        match &base_value {
            Value::Error => Value::Error,
            Value::Instance(instance) => self.instance_field(instance, &name_text, name.span, span),
            Value::Data(data) => self.data_field(&data.clone(), &name_text, span),
            other => {
                let message = format!("{} has no field `{name_text}`", other.describe());
                self.error("E0129", message, name.span, "only layers, models and data have fields")
            }
        }
    }

    fn dotted(&mut self, base: &ast::Expr, name: &ast::TemplateName) -> Option<Arc<str>> {
        let front = match &base.kind {
            ast::ExprKind::Name(front) => front.clone(),
            ast::ExprKind::Template(front) => self.template(front)?,
            ast::ExprKind::Field { base, name } => self.dotted(base, name)?,
            _ => return None,
        };
        // Only worth the text if some binding has a dot.
        if !self.frame().bindings.iter().any(|own| own.name.contains('.')) {
            return None;
        }
        Some(format!("{front}.{}", self.template(name)?).into())
    }

    fn instance_field(&mut self, instance: &Arc<Instance>, name: &str, name_span: Span, span: Span) -> Value {
        if let InstanceKind::Row(row) = &instance.kind
            && let Some(one) = name.parse::<usize>().ok().and_then(|at| row.get(at))
        {
            return Value::Instance(one.clone());
        }
        let path: Arc<str> =
            if instance.path.is_empty() { name.into() } else { format!("{}.{name}", instance.path).into() };
        if self.variables.find(&path).is_some() {
            return self.variable_value(&path, span);
        }
        if let Some(inner) = self.instances.get(&path) {
            return Value::Instance(inner.clone());
        }
        // `features.3` read part by part.
        let longer = format!("{path}.");
        let inside = self.instances.keys().any(|own| own.starts_with(&longer))
            || self.variables.list.iter().any(|own| own.path.starts_with(&longer));
        if inside {
            let kind = InstanceKind::Row(Vec::new());
            return Value::Instance(Arc::new(Instance { path, kind, span }));
        }
        let mut known: Vec<String> = self
            .variables
            .below(&instance.path)
            .filter_map(|own| first_part(&own.path, &instance.path))
            .collect();
        known.dedup();
        let what = Value::Instance(instance.clone()).describe();
        let mut error = Diagnostic::error("E0129", format!("{what} has no parameter `{name}`"))
            .at(name_span, "not known");
        if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
            error = error.suggest(format!("did you mean `{near}`?"), name_span, near);
        } else if known.is_empty() {
            error = error.help(
                "the shapes of its parameters are known after it has been called; call it above this line",
            );
        } else {
            error = error.help(format!("it has {}", known.join(", ")));
        }
        self.report(error);
        Value::Error
    }
}

/// What the one instance of a model is kept under; no path of a layer has a space.
fn model_key(item: &ItemRef) -> Arc<str> {
    debug_assert!(item.module != ModuleId::PRELUDE);
    format!("model {} {}", item.module.0, item.name()).into()
}

fn first_part(path: &str, prefix: &str) -> Option<String> {
    let rest = if prefix.is_empty() { path } else { path.strip_prefix(prefix)?.strip_prefix('.')? };
    Some(rest.split('.').next().unwrap_or(rest).to_string())
}

fn root_of(expr: &ast::Expr) -> &ast::Expr {
    match &expr.kind {
        ast::ExprKind::Field { base, .. } => root_of(base),
        _ => expr,
    }
}
