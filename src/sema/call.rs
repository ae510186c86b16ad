//! Calls: arguments, functions of all roles, pipelines.

use super::builtins::{Builtin, Given};
use super::elaborator::{Elaborator, Expected, MAX_CALLS};
use super::elementwise::Arg;
use super::module::{Found, ItemRef, ModuleId};
use super::scope::{BindingKind, Frame, FrameKind};
use super::signature::TypedInput;
use super::tensors::{convert, count};
use super::value::{Function, InstanceKind, Value, show_axes};
use crate::base::{Diagnostic, Span, nearest};
use crate::ir::{Elem, Scalar};
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
            return special(self, args, span, name);
        }
        let handed = if self.hands_down(&function) { expected } else { None };
        let given = self.given(args, handed);
        self.call(function, callee.span, given, span, expected, name)
    }

    /// A callee; a binding that hides a function of its name is pointed out.
    fn callee(&mut self, callee: &ast::Expr) -> Value {
        if let ExprKind::Name(name) = &callee.kind
            && let Some(binding) = self.frame().find(name)
            && (binding.value.is_run_time()
                || binding.value.is_number()
                || matches!(binding.value, Value::List(_) | Value::Str(_)))
        {
            let (value, kind, at) = (binding.value.describe(), binding.kind, binding.span);
            let message = format!("`{name}` is {value} here and cannot be called");
            let mut error = Diagnostic::error("E0109", message).at(callee.span, "called here");
            let module = self.frame().module;
            let hidden = self.modules.find(module, name, &mut self.diagnostics).is_some()
                || super::builtins::find(name).is_some();
            if hidden {
                error = error.and_at(at, format!("this {} hides the function `{name}`", kind.word()));
                error = error.help("give the binding another name");
            } else {
                error = error.and_at(at, format!("{} `{name}`", kind.word()));
                error = error.help(format!("`{name}[…]` takes elements, `{name} * (…)` multiplies"));
            }
            self.report(error);
            return Value::Error;
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

    /// Works out the arguments.
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

    fn stage(&mut self, first: Given, stage: &ast::Expr) -> Value {
        let broken = first.value.is_error();
        if matches!(first.value, Value::Tuple(_)) {
            let error =
                Diagnostic::error("E0124", "a tuple cannot be piped").at(first.span, first.value.describe());
            self.report(error.help("take it apart first: `(a, b) = …`"));
            return Value::Error;
        }
        let ExprKind::Call { callee, args } = &stage.kind else {
            let function = self.callee(stage);
            if let Value::Layer(layer) = &function {
                let name = layer.name().to_string();
                let message = format!("`{name}` is a layer without its parentheses");
                let error = Diagnostic::error("E0119", message).at(stage.span, "an instance is needed here");
                let text = self.text(stage.span);
                self.report(error.suggest("make an instance", stage.span, format!("{text}()")));
                return Value::Error;
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
            let made = special(self, args, stage.span, None);
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
            return self.error("E0123", "calls nest too deeply", span, "the limit was reached here");
        }
        match function {
            Value::Error => Value::Error,
            Value::Layer(item) => self.construct(&item, given, span, name),
            Value::Instance(instance) => match &instance.kind {
                InstanceKind::Layer { .. } | InstanceKind::Row(_) => {
                    self.call_instance(&instance, given, span)
                }
            },
            Value::Function(Function::Builtin(builtin)) => self.call_builtin(builtin, given, span, expected),
            Value::Function(Function::Item(item)) => self.call_item(&item, given, span, expected),
            other => {
                let message = format!("{} cannot be called", other.describe());
                self.error("E0109", message, callee, "not a function or layer")
            }
        }
    }

    fn call_builtin(
        &mut self,
        builtin: &'static Builtin,
        given: Vec<Given>,
        span: Span,
        expected: Option<&Expected>,
    ) -> Value {
        if !builtin.elementwise && self.in_activation() && given.iter().any(|given| given.value.is_run_time())
        {
            return self.not_elementwise(&format!("`{}`", builtin.name), span);
        }
        super::builtins::call(self, builtin, given, span, expected)
    }

    /// Whether an activation is being carried out: only elementwise operations may stand in it.
    pub fn in_activation(&self) -> bool {
        self.frames.iter().any(|frame| matches!(frame.kind, FrameKind::Activation))
    }

    pub fn not_elementwise(&mut self, what: &str, span: Span) -> Value {
        let activation = self.frames.iter().rev().find(|frame| matches!(frame.kind, FrameKind::Activation));
        let item = activation.and_then(|frame| frame.item.clone());
        let name = item.as_ref().map_or(String::new(), |item| item.name().to_string());
        let mut error = Diagnostic::error("E0111", format!("the activation `{name}` is not elementwise"));
        error = error.at(span, format!("{what} looks at more than one element"));
        if let Some(item) = &item {
            error = error.and_at(item.name_span(), "declared as an activation");
        }
        self.report(error.help("`fn` declares a function of whole tensors"));
        Value::Error
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
            let message = format!("the optimizer `{}` cannot be called here", item.name());
            return self.error(
                "E0109",
                message,
                span,
                "an optimizer stands after `with` in a `minimize` line",
            );
        }
        let kind = if role == Role::Activation { FrameKind::Activation } else { FrameKind::Function };
        let mut frame = Frame::new(kind, Some(item.clone()), item.module, span);
        frame.marked = differentiated_names(definition);
        let (given, shape) =
            if role == Role::Init { split_shape(definition, given) } else { (given, Vec::new()) };
        let handed = match self.shape_arguments(&shape, expected) {
            Ok(handed) => handed,
            Err(()) => return Value::Error,
        };
        let list = match role {
            Role::Init | Role::Schedule | Role::Optimizer => {
                definition.hyper.as_ref().or(definition.inputs.as_ref())
            }
            _ => definition.inputs.as_ref().or(definition.hyper.as_ref()),
        };
        let step = self.step.clone();
        self.in_frame(frame, |own| {
            if role == Role::Schedule {
                match step {
                    Some(step) => {
                        own.frame_mut().bind("step", step, definition.name.span, BindingKind::Input)
                    }
                    None => {
                        let message = format!("the schedule `{}` needs a step", item.name());
                        return own.error(
                            "E0115",
                            message,
                            span,
                            "a schedule is a hyperparameter of an optimizer",
                        );
                    }
                }
            }
            if !own.bind_parameters(list, given, item.name(), definition.name.span, BindingKind::Input, span)
            {
                return Value::Error;
            }
            match role {
                Role::Init => own.init_body(definition, handed.as_ref(), span),
                Role::Activation => own.activation_body(item, definition, span, handed.as_ref()),
                _ => {
                    let value = own.function_body(definition, item.name());
                    own.check_role(value, definition, item.name())
                }
            }
        })
    }

    /// A body without a value was reported by the parser.
    fn function_body(&mut self, definition: &ast::Definition, name: &str) -> Value {
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

    /// An init: its pattern is matched against the shape asked for.
    fn init_body(&mut self, definition: &ast::Definition, asked: Option<&Expected>, span: Span) -> Value {
        let Some(asked) = asked else {
            let message = format!("no shape is declared for `{}`", definition.name);
            let error = Diagnostic::error("E0216", message).at(span, "which shape?");
            self.report(error.help("say `shape = [...]` or `like = x`, or declare the type of the binding"));
            return Value::Error;
        };
        let asked = Expected { elem: Some(Elem::Float), axes: asked.axes.clone() };
        if let Some(ty) = &definition.result {
            let probe = ast::Name::new("shape asked for", span);
            let ast::TypeKind::Tensor { dims, .. } = &ty.kind else { return Value::Error };
            // The shape is matched like an input's; a tensor of zeros stands for it and is not used.
            let zeros = Value::Tensor(self.fill(&Value::Float(0.0), Elem::Float, &asked.axes, span));
            self.frame_mut().bind(probe.text.clone(), zeros, span, BindingKind::Input);
            let input = TypedInput { name: &probe, ty, span };
            let _ = dims;
            if !self.match_inputs(&[input], definition.name.as_str()) {
                return Value::Error;
            }
        }
        let Some(value) = self.block(&definition.body, Some(&asked)) else {
            return Value::Error;
        };
        let place = body_value_span(&definition.body);
        if let Value::Tensor(tensor) = &value {
            let same = tensor.ty.shape == asked.shape();
            if !same {
                let (found, wanted) =
                    (show_axes(tensor.ty.elem, &tensor.axes()), show_axes(Elem::Float, &asked.axes));
                let message =
                    format!("the init `{}` makes {found} where {wanted} is asked for", definition.name);
                let error = Diagnostic::error("E0114", message).at(place, format!("this is {found}"));
                self.report(error.and_at(span, format!("{wanted} is asked for here")));
                return Value::Error;
            }
        }
        self.fit(value, &asked, &format!("the result of `{}`", definition.name), place, span)
    }

    fn activation_body(
        &mut self,
        item: &ItemRef,
        definition: &ast::Definition,
        span: Span,
        expected: Option<&Expected>,
    ) -> Value {
        let parameters = definition.inputs.as_ref().map_or(&[][..], |list| &list.parameters);
        let Some(first) = parameters.first() else {
            return self.error(
                "E0111",
                format!("the activation `{}` has no input", item.name()),
                definition.name.span,
                "its first parameter is the value",
            );
        };
        for parameter in &parameters[1..] {
            let Some(binding) = self.frame().find(&parameter.name.text) else { continue };
            if binding.value.is_run_time() || !(binding.value.is_number() || binding.value.is_error()) {
                let found = binding.value.describe();
                let at = binding.span;
                let message = format!(
                    "`{}` of the activation `{}` must be a compile-time number, found {found}",
                    parameter.name,
                    item.name()
                );
                let error = Diagnostic::error("E0111", message).at(at, "known at run time only");
                self.report(error.and_at(parameter.span, "declared here"));
                return Value::Error;
            }
        }
        let argument =
            self.frame().find(&first.name.text).map_or(Value::None, |binding| binding.value.clone());
        let argument = match &argument {
            Value::List(_) | Value::Pack(_) => match self.to_tensor(&argument, span) {
                Some(tensor) => Value::Tensor(tensor),
                None => return Value::Error,
            },
            _ => argument,
        };
        if let Some(binding) = self.frame_mut().find_mut(&first.name.text) {
            binding.value = argument.clone();
        }
        let Some(value) = self.block(&definition.body, expected) else { return Value::Error };
        let place = body_value_span(&definition.body);
        let Some(value) = self.keep_shape(value, &argument, definition, place) else { return Value::Error };
        // In its own gradient an activation is differentiated as written.
        let in_own =
            self.frames[..self.frames.len() - 1].iter().any(|frame| frame.item.as_ref() == Some(item));
        match &definition.gradient {
            Some(gradient) if argument.is_run_time() && !in_own => {
                let slope = self.expr(gradient, None);
                if slope.is_error() {
                    return Value::Error;
                }
                let args = [
                    Arg { value: &value, span: place },
                    Arg { value: &argument, span },
                    Arg { value: &slope, span: gradient.span },
                ];
                self.elementwise("combine", &args, span, &mut |l, scalars| {
                    let value = convert(l, scalars[0], Elem::Float);
                    let arg = convert(l, scalars[1], Elem::Float);
                    let slope = convert(l, scalars[2], Elem::Float);
                    l.add(Scalar::WithSlope { value, arg, slope })
                })
            }
            _ => value,
        }
    }

    /// An activation's value with the shape of its argument.
    fn keep_shape(
        &mut self,
        value: Value,
        argument: &Value,
        definition: &ast::Definition,
        place: Span,
    ) -> Option<Value> {
        match (&value, argument) {
            (Value::Error, _) => None,
            (Value::Tensor(own), Value::Tensor(given)) if own.ty.shape == given.ty.shape => Some(value),
            (number, Value::Tensor(given)) if number.is_number() => {
                Some(Value::Tensor(self.fill(number, Elem::Float, &given.axes(), place)))
            }
            (Value::Indexed(_), Value::Indexed(_)) => Some(value),
            (own, given) if own.is_number() && !matches!(given, Value::Tensor(_)) => Some(value),
            (Value::Tensor(own), given) if own.rank() == 0 && given.is_number() => Some(value),
            (own, given) => {
                let message = format!("the activation `{}` does not keep the shape", definition.name);
                let error =
                    Diagnostic::error("E0111", message).at(place, format!("gives {}", own.describe()));
                self.report(
                    error
                        .note(format!("its argument is {}", given.describe()))
                        .help("`fn` declares a function of whole tensors"),
                );
                None
            }
        }
    }

    /// A loss, metric or schedule is a scalar.
    fn check_role(&mut self, value: Value, definition: &ast::Definition, name: &str) -> Value {
        let code = match definition.role {
            Role::Loss => "E0112",
            Role::Metric => "E0113",
            Role::Schedule => "E0115",
            _ => return value,
        };
        let role = definition.role.keyword();
        let place = body_value_span(&definition.body);
        match &value {
            Value::Error => Value::Error,
            Value::Tensor(tensor) if tensor.rank() == 0 && tensor.ty.elem == Elem::Float => value,
            Value::Tensor(tensor) if tensor.rank() == 0 => {
                match self.with_elem(tensor.clone(), Elem::Float, place) {
                    Some(tensor) => Value::Tensor(tensor),
                    None => Value::Error,
                }
            }
            Value::Int(_) | Value::Ratio(..) | Value::Float(_) => value,
            other => {
                let message = format!("the {role} `{name}` must be a scalar, found {}", other.describe());
                let error =
                    Diagnostic::error(code, message).at(place, format!("this is {}", other.describe()));
                let error = error.and_at(definition.name.span, format!("declared as a {role}"));
                self.report(error.help("`mean(…)` or `sum(…)` makes one number of it"));
                Value::Error
            }
        }
    }

    /// The shape given by `shape = …` or `like = …`, else the one that the context declares.
    pub fn shape_arguments(
        &mut self,
        shape: &[Given],
        expected: Option<&Expected>,
    ) -> Result<Option<Expected>, ()> {
        for given in shape {
            let name = given.name.as_ref().map_or("", |name| name.as_str());
            if name == "like" {
                let tensor = self.to_tensor(&given.value, given.span).ok_or(())?;
                return Ok(Some(Expected::of(&tensor)));
            }
            let axes = self.axes_of(&given.value, given.span).ok_or(())?;
            return Ok(Some(Expected { elem: None, axes }));
        }
        Ok(expected.cloned())
    }

    // ---------------------------------------------------------------------------------- parameters

    /// Binds the arguments of a call in the present frame, and matches typed ones against their types.
    pub fn bind_parameters(
        &mut self,
        list: Option<&ast::ParameterList>,
        given: Vec<Given>,
        callee: &str,
        declared: Span,
        kind: BindingKind,
        span: Span,
    ) -> bool {
        let parameters = list.map_or(&[][..], |list| &list.parameters);
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let Some(places) =
            self.place_arguments(&names, given, callee, list.map_or(declared, |list| list.span))
        else {
            return false;
        };
        let mut typed = Vec::new();
        let mut fits = true;
        for (parameter, given) in parameters.iter().zip(places) {
            let (value, at) = match (given, &parameter.default) {
                (Some(given), _) => (given.value, given.span),
                (None, Some(default)) => (self.expr(default, None), default.span),
                (None, None) => {
                    let message = format!("`{callee}` needs `{}`", parameter.name);
                    let error = Diagnostic::error("E0107", message)
                        .at(span, format!("`{}` is missing", parameter.name));
                    self.report(error.and_at(parameter.span, "declared here, without a default"));
                    fits = false;
                    (Value::Error, span)
                }
            };
            fits &= !value.is_error();
            // A tensor stands for what is given, a number for itself: it needs a node to differentiate by.
            let fixed = value.is_number() || matches!(value, Value::List(_));
            let value = if fixed && self.frame().marked.contains(&parameter.name.text) {
                self.mark(value, at)
            } else {
                value
            };
            let none = matches!(value, Value::None);
            self.frame_mut().bind(parameter.name.text.clone(), value, at, kind);
            if let Some(ty) = &parameter.ty
                && !none
            {
                typed.push(TypedInput { name: &parameter.name, ty, span: at });
            }
        }
        fits && self.match_inputs(&typed, callee)
    }

    /// Puts arguments in the order of the parameters. `None` is reported.
    pub fn place_arguments(
        &mut self,
        names: &[&str],
        given: Vec<Given>,
        callee: &str,
        declared: Span,
    ) -> Option<Vec<Option<Given>>> {
        let mut places: Vec<Option<Given>> = names.iter().map(|_| None).collect();
        let positional = given.iter().filter(|given| given.name.is_none()).count();
        let mut next = 0;
        let mut fits = true;
        for given in given {
            let at = match &given.name {
                None => {
                    next += 1;
                    if next > names.len() {
                        let message = format!(
                            "`{callee}` takes {}, {positional} are given",
                            count(names.len(), "argument", "arguments")
                        );
                        let error = Diagnostic::error("E0106", message).at(given.span, "one too many");
                        self.report(with_place(error, declared, "declared here"));
                        fits = false;
                        continue;
                    }
                    next - 1
                }
                Some(name) => match names.iter().position(|own| *own == name.as_str()) {
                    Some(at) => at,
                    None => {
                        let message = format!("`{callee}` has no parameter `{name}`");
                        let mut error = Diagnostic::error("E0106", message).at(name.span, "not a parameter");
                        match nearest(name.as_str(), names.iter().copied()) {
                            Some(near) => {
                                error = error.suggest(format!("did you mean `{near}`?"), name.span, near)
                            }
                            None if !names.is_empty() => {
                                error = error.help(format!("it has {}", names.join(", ")))
                            }
                            None => {}
                        }
                        self.report(with_place(error, declared, "declared here"));
                        fits = false;
                        continue;
                    }
                },
            };
            if let Some(first) = &places[at] {
                let message = format!("`{}` of `{callee}` is given twice", names[at]);
                let error = Diagnostic::error("E0108", message).at(given.span, "given again");
                self.report(error.and_at(first.span, "given here"));
                fits = false;
                continue;
            }
            places[at] = Some(given);
        }
        fits.then_some(places)
    }

    // ---------------------------------------------------------------------------------- recursion

    /// Reports an item that is being carried out already and whose body leads back to it.
    pub fn check_recursion(&mut self, item: &ItemRef, span: Span) -> bool {
        let open = self.frames.iter().any(|frame| frame.item.as_ref() == Some(item));
        if !open {
            return true;
        }
        if item.role() == Some(Role::Activation) {
            // An activation may stand in its own gradient.
            let times = self.frames.iter().filter(|frame| frame.item.as_ref() == Some(item)).count();
            let in_body = item.definition().is_some_and(|definition| mentions(definition, item.name()));
            if times < 2 && !in_body {
                return true;
            }
        }
        let mut trail = Vec::new();
        if !self.leads_to(item, item, &mut trail, &mut Vec::new()) {
            return true;
        }
        let names = std::iter::once(item.name().to_string()).chain(trail).collect::<Vec<_>>().join(" → ");
        let error = Diagnostic::error("E0110", format!("`{}` calls itself", item.name()))
            .at(span, "this call never ends");
        let error = error.and_at(item.name_span(), "declared here");
        self.report(error.note(names).help("`for` and `repeat` do a thing several times"));
        false
    }

    /// Whether the body of `from` names `target`, directly or through what it names.
    fn leads_to(
        &mut self,
        from: &ItemRef,
        target: &ItemRef,
        trail: &mut Vec<String>,
        seen: &mut Vec<ItemRef>,
    ) -> bool {
        let Some(definition) = from.definition() else { return false };
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut note = |expr: &ast::Expr| {
            if let ExprKind::Name(name) = &expr.kind
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        };
        super::walk::block(&definition.body, &mut note);
        definition.gradient.iter().for_each(|gradient| super::walk::expr(gradient, &mut note));
        for name in names {
            let Some(Found::Item(next)) = self.modules.find(from.module, &name, &mut self.diagnostics) else {
                continue;
            };
            if next == *target {
                trail.push(next.name().to_string());
                return true;
            }
            if seen.contains(&next) || next.module == ModuleId::PRELUDE && target.module != ModuleId::PRELUDE
            {
                continue;
            }
            seen.push(next.clone());
            trail.push(next.name().to_string());
            if self.leads_to(&next, target, trail, seen) {
                return true;
            }
            trail.pop();
        }
        false
    }
}

/// The place of a body's value.
pub fn body_value_span(body: &ast::Block) -> Span {
    body.value.as_ref().map_or(body.span, |value| value.span)
}

fn with_place(error: Diagnostic, span: Span, message: &str) -> Diagnostic {
    if span == Span::default() { error } else { error.and_at(span, message) }
}

/// Whether the body itself (not the gradient) names `name`.
fn mentions(definition: &ast::Definition, name: &str) -> bool {
    let mut found = false;
    super::walk::block(&definition.body, &mut |expr| {
        found |= expr.as_name().is_some_and(|own| &**own == name)
    });
    found
}

/// Takes `shape = …` and `like = …` out of the arguments of an init that has no such parameters.
fn split_shape(definition: &ast::Definition, given: Vec<Given>) -> (Vec<Given>, Vec<Given>) {
    let own = |name: &str| {
        let lists = [&definition.hyper, &definition.inputs];
        lists.into_iter().flatten().any(|list| list.parameters.iter().any(|own| own.name.as_str() == name))
    };
    given.into_iter().partition(|given| match &given.name {
        Some(name) => !matches!(name.as_str(), "shape" | "like") || own(name.as_str()),
        None => true,
    })
}

/// The names `x` of all `grad(y, x)` in a body.
pub fn differentiated_names(definition: &ast::Definition) -> HashSet<Arc<str>> {
    let mut names = HashSet::new();
    super::walk::block(&definition.body, &mut |expr| {
        if let ExprKind::Call { callee, args } = &expr.kind
            && callee.as_name().is_some_and(|name| &**name == "grad")
        {
            let variable = args.named("x").or(args.positional().nth(1));
            if let Some(name) = variable.and_then(|arg| arg.value.as_name()) {
                names.insert(name.clone());
            }
        }
    });
    names
}
