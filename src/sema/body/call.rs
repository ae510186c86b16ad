//! Calls: arguments, functions of all roles, pipelines.

use crate::sema::build::roles::body_value_span;
use crate::sema::build::tensors::is_literal_list;
use crate::sema::value::Given;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::limits::MAX_CALLS;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::value::{Function, InstanceKind, Value};
use crate::sema::scope::report::calls::CallError;
use crate::sema::scope::report::limits::LimitError;
use crate::sema::scope::report::optimizers::OptimizerError;
use crate::base::Span;
use crate::ir::program::PLATEAUS;
use crate::syntax::ast::{self, ExprKind, Role};
use std::collections::HashSet;
use std::sync::Arc;

impl Elaborator<'_> {
    /// `callee(args)`. `name` is the binding whose whole right side this is.
    pub fn call_expr(
        &mut self,
        callee: &ast::Expr,
        args: &ast::Args,
        span: Span,
        expected: Option<&Expected>,
        name: Option<&Arc<str>>,
    ) -> Value {
        if let Some(value) = self.data_call(callee, args, span, expected) {
            return value;
        }
        let function = self.callee(callee);
        if let Value::Function(Function::Builtin(builtin)) = &function
            && let Some(special) = builtin.special
        {
            return crate::sema::body::special::call(self, special, args, span, name);
        }
        let handed = if self.hands_down(&function) { expected } else { None };
        let given = self.given(args, handed);
        self.call(function, callee.span, given, span, expected, name)
    }

    /// A callee; a binding that hides a function of its name is pointed out. In an optimiser `grad` is the gradient, and
    /// `grad(y, x)` a derivative all the same.
    fn callee(&mut self, callee: &ast::Expr) -> Value {
        if let ExprKind::Name(name) = &callee.kind
            && let Some(binding) = self.frame().find(name)
        {
            let is_given = binding.kind == BindingKind::Input && matches!(self.frame().kind, FrameKind::Optimizer);
            if is_given
                && &**name == "grad"
                && let Some(builtin) = crate::sema::build::builtins::find(name)
            {
                return Value::Function(Function::Builtin(builtin));
            }
            if is_given && &**name == "loss" {
                return self.report(OptimizerError::LossCalled { at: callee.span });
            }
        }
        if let ExprKind::Name(name) = &callee.kind
            && let Some(binding) = self.frame().find(name)
            && (binding.value.is_run_time()
                || binding.value.is_number()
                || matches!(binding.value, Value::List(_) | Value::Str(_)))
        {
            let (value, kind, declared) = (binding.value.clone(), binding.kind, binding.span);
            let module = self.frame().module;
            let hides_function = self.find_item(module, name).is_some()
                || crate::sema::build::builtins::find(name).is_some();
            let (name, at) = (name.clone(), callee.span);
            return self.report(CallError::Binding { name, value, kind, declared, hides_function, at });
        }
        self.expr(callee, None)
    }

    /// Whether the declared shape is handed down to the arguments: elementwise functions.
    fn hands_down(&self, function: &Value) -> bool {
        match function {
            Value::Function(Function::Builtin(builtin)) => builtin.elementwise,
            Value::Function(Function::Item(item)) => item.role() == Some(Role::Activation),
            _ => false,
        }
    }

    /// Elaborates the arguments.
    pub fn given(&mut self, args: &ast::Args, expected: Option<&Expected>) -> Vec<Given> {
        let mut given = Vec::new();
        for arg in &args.args {
            let mut value = self.expr(&arg.value, expected);
            // `(1, 2)` as an argument means the list.
            if let (Value::Tuple(items), ExprKind::Tuple(_)) = (&value, &arg.value.kind) {
                value = Value::List(items.clone());
            }
            given.push(Given { name: arg.name.clone(), value, span: arg.span });
        }
        given
    }

    /// `x |> f |> g(a)`
    pub fn pipeline(&mut self, input: &ast::Expr, stages: &[ast::Expr]) -> Value {
        let mut value = self.expr(input, None);
        let mut span = input.span;
        for stage in stages {
            let first = Given { name: None, value, span };
            span = span.to(stage.span);
            value = self.stage(first, stage);
        }
        value
    }

    /// `first |> stage`
    pub fn stage(&mut self, first: Given, stage: &ast::Expr) -> Value {
        let broken = first.value.is_error();
        if matches!(first.value, Value::Tuple(_)) {
            return self.report(CallError::TuplePiped { found: first.value, at: first.span });
        }
        let ExprKind::Call { callee, args } = &stage.kind else {
            let function = self.callee(stage);
            if let Value::Layer(layer) = &function {
                let name = layer.name().to_string();
                return self.report(CallError::LayerWithoutParentheses { name, at: stage.span });
            }
            return if broken {
                Value::Error
            } else {
                self.call(function, stage.span, vec![first], stage.span, None, None)
            };
        };
        let function = self.callee(callee);
        if let Value::Function(Function::Builtin(builtin)) = &function
            && let Some(special) = builtin.special
        {
            // `x |> repeat(3, Block())`: the row is made, then called.
            let made = crate::sema::body::special::call(self, special, args, stage.span, None);
            return if broken || made.is_error() {
                Value::Error
            } else {
                self.call(made, callee.span, vec![first], stage.span, None, None)
            };
        }
        let given = self.given(args, None);
        if let Value::Layer(_) = &function {
            let instance = self.call(function, callee.span, given, stage.span, None, None);
            return if broken {
                Value::Error
            } else {
                self.call(instance, stage.span, vec![first], stage.span, None, None)
            };
        }
        if broken {
            return Value::Error;
        }
        let all = std::iter::once(first).chain(given).collect();
        self.call(function, callee.span, all, stage.span, None, None)
    }

    /// Calls a value.
    pub fn call(
        &mut self,
        function: Value,
        callee: Span,
        given: Vec<Given>,
        span: Span,
        expected: Option<&Expected>,
        name: Option<&Arc<str>>,
    ) -> Value {
        if self.frames.len() > MAX_CALLS {
            return self.report(LimitError::Calls { at: span });
        }
        match function {
            Value::Error => Value::Error,
            Value::Layer(item) => self.construct(&item, given, span, name),
            Value::Instance(instance) => match &instance.kind {
                InstanceKind::Layer { .. } | InstanceKind::Row(_) => {
                    self.call_instance(&instance, given, span)
                }
            },
            Value::Function(Function::Builtin(builtin)) => {
                self.call_builtin(builtin, given, span, expected)
            }
            Value::Function(Function::Item(item)) => {
                let kept = given.clone();
                let value = self.call_item(&item, given, span, expected);
                self.note_call(item.name(), &kept, &value);
                value
            }
            found => self.report(CallError::NotCallable { found, at: callee }),
        }
    }

    // ---------------------------------------------------------------------------------- functions

    /// Calls an item with a body, of any role but layer and model.
    pub fn call_item(
        &mut self,
        item: &ItemRef,
        given: Vec<Given>,
        span: Span,
        expected: Option<&Expected>,
    ) -> Value {
        let Some(definition) = item.definition() else { return Value::Error };
        if !self.check_recursion(item, span) {
            return Value::Error;
        }
        if given.iter().any(|given| given.value.is_error()) {
            return Value::Error;
        }
        let role = definition.role;
        if role == Role::Optimizer {
            return self.report(CallError::Optimizer { name: item.name().to_owned(), at: span });
        }
        if role == Role::Activation && given.iter().any(|given| matches!(given.value, Value::Parameters(_))) {
            return self.activated_set(item, &given, span);
        }
        // Losses and metrics are of tensors: a list of numbers is one.
        let mut given = given;
        if matches!(role, Role::Loss | Role::Metric) {
            for argument in given.iter_mut().filter(|given| is_literal_list(&given.value)) {
                if let Some(tensor) = self.to_tensor(&argument.value, argument.span) {
                    argument.value = Value::Tensor(tensor);
                }
            }
        }
        let kind = if role == Role::Activation { FrameKind::Activation } else { FrameKind::Function };
        let mut frame = Frame::new(kind, Some(item.clone()), item.module, span);
        frame.marked = differentiated_names(definition);
        let (given, shape) =
            if role == Role::Init { split_shape(definition, given) } else { (given, Vec::new()) };
        let handed = match self.shape_arguments(&shape, expected) {
            Some(handed) => handed,
            None => return Value::Error,
        };
        let list = match role {
            Role::Init | Role::Schedule | Role::Optimizer => {
                definition.hyper.as_ref().or(definition.inputs.as_ref())
            }
            _ => definition.inputs.as_ref().or(definition.hyper.as_ref()),
        };
        let step = self.context.step().cloned();
        self.in_frame(frame, |cx| {
            if role == Role::Schedule {
                match step {
                    Some(step) => {
                        cx.frame_mut().bind("step", step, definition.name.span, BindingKind::Input);
                        if let Some(plateaus) = cx.context.plateaus().cloned() {
                            cx.frame_mut().bind(PLATEAUS, plateaus, definition.name.span, BindingKind::Input);
                        }
                    }
                    None => {
                        let schedule = item.name().to_owned();
                        return cx.report(CallError::NoStep { schedule, at: span });
                    }
                }
            }
            if !cx.bind_parameters(list, given, item.name(), definition.name.span, BindingKind::Input, span) {
                return Value::Error;
            }
            match role {
                Role::Init => cx.init_body(definition, handed.as_ref(), span),
                Role::Activation => cx.activation_body(item, definition, span, handed.as_ref()),
                _ => {
                    let value = cx.function_value(definition, span);
                    cx.check_role(value, definition)
                }
            }
        })
    }

    /// The value of a function whose parameters are bound.
    fn function_value(&mut self, definition: &ast::Definition, span: Span) -> Value {
        match &definition.gradient {
            Some(gradient) => self.with_declared_gradient(definition, gradient, span),
            None => self.function_body(definition, definition.name.as_str()),
        }
    }

    /// A body without a value was reported by the parser.
    pub fn function_body(&mut self, definition: &ast::Definition, name: &str) -> Value {
        let handed = self.expected_result(definition.result.as_ref());
        let Some(value) = self.block(&definition.body, handed.as_ref()) else {
            return Value::Error;
        };
        let span = body_value_span(&definition.body);
        match &definition.result {
            Some(ty) => self.check_result(value, ty, name, span),
            None => value,
        }
    }
}

/// Takes `shape = …` and `like = …` out of the arguments of an init that has no such parameters.
fn split_shape(definition: &ast::Definition, given: Vec<Given>) -> (Vec<Given>, Vec<Given>) {
    let has_parameter = |name: &str| {
        let lists = [&definition.hyper, &definition.inputs];
        lists.into_iter().flatten().any(|list| list.parameters.iter().any(|parameter| parameter.name.as_str() == name))
    };
    given.into_iter().partition(|given| match &given.name {
        Some(name) => !matches!(name.as_str(), "shape" | "like") || has_parameter(name.as_str()),
        None => true,
    })
}

/// The names `x` of all `grad(y, x)` in a body.
pub fn differentiated_names(definition: &ast::Definition) -> HashSet<Arc<str>> {
    let mut names = HashSet::new();
    let mut note = |expr: &ast::Expr| {
        if let ExprKind::Call { callee, args } = &expr.kind
            && callee.as_name().is_some_and(|name| &**name == "grad")
        {
            let variable = args.named("x").or(args.positional().nth(1));
            if let Some(name) = variable.and_then(|arg| arg.value.as_name()) {
                names.insert(name.clone());
            }
        }
    };
    crate::sema::walk::block(&definition.body, &mut note);
    definition.gradient.iter().for_each(|gradient| crate::sema::walk::block(gradient, &mut note));
    names
}
