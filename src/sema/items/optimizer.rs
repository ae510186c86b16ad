//! Optimisers: the body is elaborated once for each parameter, with `param`, `grad` and `step` given, or once for all
//! of them, as one vector `parameters`.

mod subject;

use subject::Subject;
use crate::sema::scope::bodies::{is_whole, sees_all};
use crate::sema::scope::context::LineLoss;
use crate::base::Span;
use crate::ir::program::{Forward, OptimizerState, Train, Variable};
use crate::ir::{Elem, InputKey, NodeId, Op, OutputKey, Type};
use crate::sema::value::Given;
use crate::sema::body::call::differentiated_names;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::body::roles::check_updates;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::report::optimizers::{OptimizerBodyError, OptimizerError};
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::value::{Axis, Function, Tensor, Value};
use crate::syntax::ast::{self, StatementKind};
use std::sync::Arc;

/// An optimiser with its hyperparameters: `Adam(lr = 1e-3)`.
pub struct Call {
    item: ItemRef,
    hyper: Vec<(Arc<str>, Value, Span)>,
    step: Value,
    span: Span,
}

/// What stands after `with` or `else`.
pub enum Method {
    By(Box<Call>),
    /// `none`: the parameters stay as they are.
    Leave,
}

impl Method {
    /// `None` is reported.
    pub fn new(cx: &mut Elaborator<'_>, expr: &ast::Expr, step: &Tensor) -> Option<Method> {
        if !matches!(expr.kind, ast::ExprKind::Call { .. }) && matches!(cx.expr(expr, None), Value::None) {
            return Some(Method::Leave);
        }
        Call::new(cx, expr, step).map(|call| Method::By(Box::new(call)))
    }

    fn call(&self) -> Option<&Call> {
        match self {
            Method::By(call) => Some(call),
            Method::Leave => None,
        }
    }
}

impl Call {
    /// `None` is reported.
    fn new(cx: &mut Elaborator<'_>, expr: &ast::Expr, step: &Tensor) -> Option<Call> {
        let none = ast::Args { args: Vec::new(), span: expr.span };
        let (callee, args) = match &expr.kind {
            ast::ExprKind::Call { callee, args } => (&**callee, args),
            _ => (expr, &none),
        };
        let item = match cx.expr(callee, None) {
            Value::Function(Function::Item(item)) if item.role() == Some(ast::Role::Optimizer) => item,
            Value::Error => return None,
            found => {
                cx.report(OptimizerError::NotOptimizer { found, at: callee.span });
                return None;
            }
        };
        let definition = item.definition()?;
        check_updates(cx, definition);
        if !check_inputs(cx, definition) {
            return None;
        }
        let step = Value::Tensor(step.clone());
        let at_step = cx.context.at_step(step.clone());
        let frame = Frame::new(FrameKind::Optimizer, Some(item.clone()), item.module, expr.span);
        let list = definition.hyper.as_ref().or(definition.inputs.as_ref());
        let hyper = cx.within(at_step, |cx| {
            let given: Vec<Given> = cx.given(args, None);
            let wrong = given.iter().any(|given| given.value.is_error());
            if let Some(parameters) = given.iter().find(|given| given.name.is_none() && is_of_parameters(&given.value)) {
                let (optimizer, over) = (item.name().into(), cx.text(parameters.span).to_owned());
                cx.report(OptimizerError::GivenParameters { optimizer, over, at: parameters.span });
                return None;
            }
            cx.in_frame(frame, |cx| {
                let (name, place) = (item.name(), definition.name.span);
                let fits =
                    !wrong && cx.bind_parameters(list, given, name, place, BindingKind::Hyper, expr.span);
                fits.then(|| {
                    let bindings = &cx.frame().bindings;
                    bindings.iter().map(|binding| (binding.name.clone(), binding.value.clone(), binding.span)).collect()
                })
            })
        });
        let call = Call { item, hyper: hyper?, step, span: expr.span };
        check_schedules(cx, &call).then_some(call)
    }
}

impl Call {
    /// What is wrong where this needs the loss, and gradients are added up over steps.
    pub fn not_accumulated(&self, accumulate: Span) -> OptimizerError {
        OptimizerError::Accumulated { optimizer: self.item.name().to_owned(), accumulate, at: self.span }
    }
}

/// Whether a value is what other libraries give to an optimiser: parameters, or networks that have them.
fn is_of_parameters(value: &Value) -> bool {
    match value {
        Value::Parameters(_) | Value::Instance(_) => true,
        Value::List(items) | Value::Tuple(items) => {
            items.iter().any(|item| is_of_parameters(item) || matches!(item, Value::Tensor(tensor) if tensor.rank() > 0))
        }
        _ => false,
    }
}

/// The first of the methods that takes a parameter of this shape. `None` is reported.
pub fn for_parameter<'c>(cx: &mut Elaborator<'_>, methods: &'c [Method], path: &Arc<str>) -> Option<&'c Method> {
    let variable = cx.variables.find(path)?.clone();
    let takes = |cx: &mut Elaborator<'_>, method: &Method| match method {
        Method::By(call) => takes(cx, call, path, &variable.ty),
        Method::Leave => true,
    };
    if let Some(method) = methods.iter().find(|method| takes(cx, method)) {
        return Some(method);
    }
    let calls: Vec<&Call> = methods.iter().filter_map(Method::call).collect();
    let last = calls.last()?;
    let optimizers = calls.iter().map(|call| call.item.name().into()).collect();
    let (path, ty, declared) = (path.clone(), variable.ty, variable.span);
    cx.report(OptimizerError::TakesNot { path, ty, optimizers, declared, at: last.span });
    None
}

/// Whether a parameter of this type fits what an optimiser declares that it takes.
fn takes(cx: &mut Elaborator<'_>, call: &Call, path: &Arc<str>, ty: &Type) -> bool {
    let Some(definition) = call.item.definition() else { return false };
    if !is_whole(definition) || sees_all(definition) {
        return true;
    }
    let errors = cx.reports.len();
    let frame = Frame::new(FrameKind::Optimizer, Some(call.item.clone()), call.item.module, call.span);
    let fits = cx.in_frame(frame, |cx| {
        let tensor = cx.add(call.span, Op::Param { path: path.clone(), ty: ty.clone() }, Vec::new());
        bind_whole(cx, call, definition, tensor)
    });
    cx.reports.truncate(errors);
    fits
}

/// Binds hyperparameters, the parameter, and the sizes that it is declared with.
fn bind_whole(cx: &mut Elaborator<'_>, call: &Call, definition: &ast::Definition, param: Tensor) -> bool {
    for (name, value, span) in &call.hyper {
        cx.frame_mut().bind(name.clone(), value.clone(), *span, BindingKind::Hyper);
    }
    let given = vec![Given { name: None, value: Value::Tensor(param), span: call.span }];
    let (name, place) = (call.item.name(), definition.name.span);
    cx.bind_parameters(definition.inputs.as_ref(), given, name, place, BindingKind::Input, call.span)
}

/// What an optimiser for whole parameters declares is one parameter, `param`, or all of them, `parameters`.
fn check_inputs(cx: &mut Elaborator<'_>, definition: &ast::Definition) -> bool {
    let Some(inputs) = definition.inputs.as_ref().filter(|_| is_whole(definition)) else { return true };
    if let [one] = inputs.parameters.as_slice()
        && matches!(one.name.as_str(), "param" | "parameters")
    {
        return true;
    }
    cx.report(OptimizerBodyError::OtherInput { optimizer: definition.name.clone(), at: inputs.span });
    false
}

/// Reports hyperparameters that change with the step and are no numbers at some; `false` if there are any.
fn check_schedules(cx: &mut Elaborator<'_>, call: &Call) -> bool {
    let mut are_numbers = true;
    for (name, value, span) in &call.hyper {
        let Value::Tensor(tensor) = value else { continue };
        if tensor.rank() != 0 {
            continue;
        }
        let (parameter, optimizer, at) = (name.clone(), call.item.name().to_owned(), *span);
        if let Some(on) = cx.known_from_more_than_the_step(tensor.node) {
            cx.report(OptimizerError::Unchecked { parameter, optimizer, on, at });
            continue;
        }
        if let Some((step, value)) = cx.first_step(tensor.node, |value| !value.is_finite()) {
            cx.report(OptimizerError::NotFinite { parameter, optimizer, value, step, at });
            are_numbers = false;
        }
    }
    are_numbers
}

/// An update in the making.
struct Update<'t> {
    subject: Subject,
    /// Whether the body is for whole parameters.
    is_whole: bool,
    line: usize,
    /// States declared so far: name and path.
    states: Vec<(Arc<str>, Arc<str>)>,
    new: Option<(Tensor, Span)>,
    train: &'t mut Train<Forward>,
}

impl Method {
    /// Whether it is carried out once, for all the parameters that it takes.
    pub fn sees_all(&self) -> bool {
        self.call().and_then(|call| call.item.definition()).is_some_and(sees_all)
    }
}

/// Elaborates the body for one parameter out of its gradient, an input, or for all parameters that it takes; their new
/// values. `None` is reported.
pub fn apply(
    cx: &mut Elaborator<'_>,
    call: &Call,
    (line, loss): (usize, &LineLoss),
    paths: &[Arc<str>],
    train: &mut Train<Forward>,
) -> Option<Vec<(Arc<str>, NodeId)>> {
    let definition = call.item.definition()?;
    let subject = Subject::new(cx, definition, paths)?;
    let mut frame = Frame::new(FrameKind::Optimizer, Some(call.item.clone()), call.item.module, call.span);
    if is_whole(definition) {
        frame.marked = differentiated_names(definition);
    }
    let mut update =
        Update { subject, is_whole: is_whole(definition), line, states: Vec::new(), new: None, train };
    let context = cx.context.updating(update.subject.name.clone()).at_step(call.step.clone());
    let context = match sees_all(definition) {
        true => context.minimising(Arc::new(LineLoss { of: update.subject.parts.clone(), ..loss.clone() })),
        false => context,
    };
    let body = |cx: &mut Elaborator<'_>| {
        let name_span = definition.name.span;
        let subject = &update.subject;
        let Some(param) = subject.values(cx, call.span) else { return };
        let Some(gradient) = subject.gradients(cx, call.span) else { return };
        match is_whole(definition) {
            true => {
                if !bind_whole(cx, call, definition, param.clone()) {
                    return;
                }
            }
            false => {
                for (name, value, span) in &call.hyper {
                    cx.frame_mut().bind(name.clone(), value.clone(), *span, BindingKind::Hyper);
                }
                cx.frame_mut().bind("param", Value::Tensor(param.clone()), name_span, BindingKind::Input);
            }
        }
        cx.frame_mut().bind("grad", Value::Tensor(gradient), name_span, BindingKind::Input);
        cx.frame_mut().bind("step", call.step.clone(), name_span, BindingKind::Input);
        if sees_all(definition) {
            let ty = Type::scalar(Elem::Float);
            let loss = cx.add(call.span, Op::Input { name: InputKey::LineLoss, ty }, Vec::new());
            cx.frame_mut().bind("loss", Value::Tensor(loss), name_span, BindingKind::Input);
        }
        block(cx, &definition.body, &mut update);
    };
    cx.within(context, |cx| cx.in_frame(frame, body));
    match update.new.take() {
        Some((tensor, span)) => update.subject.new_values(cx, &tensor, span),
        None => {
            if !cx.has_errors() {
                let (optimizer, target) = (call.item.name().to_owned(), update.subject.target);
                cx.report(OptimizerError::LeavesParameter { optimizer, target, at: call.span });
            }
            None
        }
    }
}

fn block(cx: &mut Elaborator<'_>, body: &ast::Block, update: &mut Update<'_>) {
    for statement in &body.statements {
        match &statement.kind {
            StatementKind::State { name, ty, value } => {
                state(cx, name, ty.as_ref(), value.as_ref(), statement.span, update);
            }
            StatementKind::Update { target, value } => assign(cx, target, value, update),
            StatementKind::If(branches) => conditional(cx, branches, update),
            StatementKind::Scan(_) | StatementKind::Define(_) if update.is_whole => cx.statement(statement),
            StatementKind::Param { .. } | StatementKind::Scan(_) | StatementKind::Define(_) => {
                cx.report(OptimizerBodyError::NotElementwise { at: statement.span });
            }
            StatementKind::Bind { .. }
            | StatementKind::Unpack { .. }
            | StatementKind::Declare { .. }
            | StatementKind::Carry { .. }
            | StatementKind::Collect { .. }
            | StatementKind::Require { .. }
            | StatementKind::For(_)
            | StatementKind::Stray(_) => cx.statement(statement),
        }
    }
    if let Some(value) = &body.value {
        cx.report(OptimizerBodyError::HasValue { at: value.span });
    }
}

fn conditional(cx: &mut Elaborator<'_>, branches: &ast::IfBlock, update: &mut Update<'_>) {
    for branch in &branches.branches {
        match cx.compile_time_bool(&branch.condition, "the condition of an `if` block") {
            Some(true) => return block(cx, &branch.body, update),
            Some(false) => {}
            None => return,
        }
    }
    if let Some(otherwise) = &branches.otherwise {
        block(cx, otherwise, update);
    }
}

/// `state m = 0`: of the parameter's shape unless it says another.
fn state(
    cx: &mut Elaborator<'_>,
    name: &ast::Path,
    ty: Option<&ast::Type>,
    value: Option<&ast::Expr>,
    span: Span,
    update: &mut Update<'_>,
) {
    let Some(text) = cx.path(name) else { return };
    let expected = match ty {
        Some(ty) => match cx.declared_type(ty) {
            Some(expected) => expected,
            None => return,
        },
        None => Expected {
            elem: Some(Elem::Float),
            axes: update.subject.ty.shape.iter().cloned().map(Axis::new).collect(),
        },
    };
    let path: Arc<str> = format!("{}:{}.{text}", update.line, update.subject.name).into();
    let ty = Type::new(expected.elem.unwrap_or(Elem::Float), expected.shape());
    let init = std::mem::take(&mut update.train.step.init);
    let init_span = value.map_or(span, |value| value.span);
    let level = cx.new_level_id();
    let subject = &update.subject;
    let (init, ()) = cx.in_level(level, init, |cx| {
        // A state may start from the parameter as it is when the training begins.
        let opened = cx.frame_mut().open();
        if let Some(parameter) = subject.values(cx, init_span) {
            cx.frame_mut().bind(subject.target, Value::Tensor(parameter), span, BindingKind::Input);
        }
        let start = match value {
            Some(value) => cx.expr(value, Some(&expected)),
            None => Value::int(0),
        };
        let fitted = cx.fit(start, &expected, &format!("`{text}`"), init_span, init_span);
        if let (Value::Tensor(_) | Value::Float(_) | Value::Int(_), Some(tensor)) =
            (&fitted, cx.to_tensor(&fitted, init_span))
        {
            cx.graph_mut().output(OutputKey::Named(path.clone()), tensor.node);
        }
        cx.frame_mut().close(opened);
    });
    update.train.step.init = init;
    let variable = Variable { path: path.clone(), ty: ty.clone(), frozen: false, span };
    let parameters = update.subject.paths();
    update.train.step.states.push(OptimizerState { line: update.line, parameters, variable });
    let value = cx.add(span, Op::State { path: path.clone(), ty }, Vec::new());
    update.states.push((text.clone(), path));
    cx.frame_mut().bind(text, Value::Tensor(value), span, BindingKind::Local);
}

/// `m <- …`, `param <- …`
fn assign(cx: &mut Elaborator<'_>, target: &ast::Path, value: &ast::Expr, update: &mut Update<'_>) {
    let Some(name) = cx.path(target) else { return };
    if let Some((_, first)) = &update.new {
        let target_name = update.subject.target;
        cx.report(OptimizerBodyError::UpdatedBefore { target: target_name, at: target.span, first: *first });
        return;
    }
    let state = update.states.iter().find(|(state, _)| *state == name).cloned();
    let ty = match (&state, &*name) {
        (Some((_, path)), _) => {
            let state = update.train.step.states.iter().find(|state| state.variable.path == *path);
            state.map_or_else(|| update.subject.ty.clone(), |state| state.variable.ty.clone())
        }
        (None, name) if name == update.subject.target => update.subject.ty.clone(),
        (None, _) => {
            let target_name = update.subject.target;
            cx.report(OptimizerBodyError::NotState { name: name.clone(), target: target_name, at: target.span });
            cx.frame_mut().bind(name, Value::Error, target.span, BindingKind::Local);
            return;
        }
    };
    let expected = Expected { elem: Some(ty.elem), axes: ty.shape.iter().cloned().map(Axis::new).collect() };
    let new = cx.expr(value, Some(&expected));
    let new = cx.fit(new, &expected, &format!("the new value of `{name}`"), value.span, target.span);
    if new.is_error() {
        return;
    }
    let Some(tensor) = cx.to_tensor(&new, value.span) else { return };
    match state {
        Some((name, path)) => {
            let output = OutputKey::State(path);
            let node = tensor.node;
            let outputs = &mut cx.graph_mut().outputs;
            match outputs.iter_mut().find(|known| known.name == output) {
                Some(known) => known.node = node,
                None => cx.graph_mut().output(output, node),
            }
            cx.frame_mut().bind(name, Value::Tensor(tensor), target.span, BindingKind::Local);
        }
        None => update.new = Some((tensor, target.span)),
    }
}
