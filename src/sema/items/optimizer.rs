//! Optimisers: the body is carried out once for each parameter, with `param`, `grad` and `step` given.

use crate::base::{Diagnostic, Span};
use crate::ir::program::{Train, Variable};
use crate::ir::{Elem, NodeId, Op, OutputKey, Type};
use crate::sema::builtins::Given;
use crate::sema::elaborator::{Elaborator, Expected};
use crate::sema::module::ItemRef;
use crate::sema::scope::{BindingKind, Frame, FrameKind};
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

impl Call {
    /// `None` is reported.
    pub fn new(own: &mut Elaborator<'_>, expr: &ast::Expr, step: &Tensor) -> Option<Call> {
        let none = ast::Args { args: Vec::new(), span: expr.span };
        let (callee, args) = match &expr.kind {
            ast::ExprKind::Call { callee, args } => (&**callee, args),
            _ => (expr, &none),
        };
        let item = match own.expr(callee, None) {
            Value::Function(Function::Item(item)) if item.role() == Some(ast::Role::Optimizer) => item,
            Value::Error => return None,
            other => {
                let found = match &other {
                    Value::Layer(item) => format!("the layer `{}`", item.name()),
                    other => other.describe(),
                };
                let message = format!("an optimizer is needed after `with`, found {found}");
                let error = Diagnostic::error("E0618", message).at(callee.span, "not an optimizer");
                own.report(error.help(
                    "the library has SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, NAdam, RAdam, Adamax",
                ));
                return None;
            }
        };
        let definition = item.definition()?;
        check_body(own, definition);
        let step = Value::Tensor(step.clone());
        let before = own.step.replace(step.clone());
        let given: Vec<Given> = own.given(args, None);
        let wrong = given.iter().any(|given| given.value.is_error());
        let frame = Frame::new(FrameKind::Optimizer, Some(item.clone()), item.module, expr.span);
        let list = definition.hyper.as_ref().or(definition.inputs.as_ref());
        let hyper = own.in_frame(frame, |own| {
            let fits = !wrong
                && own.bind_parameters(
                    list,
                    given,
                    item.name(),
                    definition.name.span,
                    BindingKind::Hyper,
                    expr.span,
                );
            fits.then(|| {
                let bindings = &own.frame().bindings;
                bindings.iter().map(|own| (own.name.clone(), own.value.clone(), own.span)).collect()
            })
        });
        own.step = before;
        let call = Call { item, hyper: hyper?, step, span: expr.span };
        check_schedules(own, &call).then_some(call)
    }
}

/// Reports hyperparameters that change with the step and are no numbers at some; `false` if there are any.
fn check_schedules(own: &mut Elaborator<'_>, call: &Call) -> bool {
    let mut are_numbers = true;
    for (name, value, span) in &call.hyper {
        let Value::Tensor(tensor) = value else { continue };
        if tensor.rank() != 0 {
            continue;
        }
        if let Some((step, value)) = own.first_step(tensor.node, |value| !value.is_finite()) {
            let shown = if value.is_nan() { "NaN".to_string() } else { value.to_string() };
            let message = format!("`{name}` of `{}` is {shown} at step {step}", call.item.name());
            let error = Diagnostic::error("E0130", message).at(*span, "a schedule must give finite numbers");
            let help = "`step` counts from 1: is there a division by 0, or a root or logarithm of what is not positive?";
            own.report(error.help(help));
            are_numbers = false;
        }
    }
    are_numbers
}

/// `param <-` stands exactly once on every path, as the last `<-`.
pub fn check_body(own: &mut Elaborator<'_>, definition: &ast::Definition) {
    let found = updates_param(&definition.body);
    if found {
        return;
    }
    let error =
        Diagnostic::error("E0619", format!("the optimizer `{}` never updates `param`", definition.name));
    let error = error.at(definition.name.span, "no `param <- …` in its body");
    let bound = definition.body.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Bind { target, .. } if target.as_plain().is_some_and(|name| &**name == "param") => {
            Some(target.span)
        }
        _ => None,
    });
    own.report(match bound {
        Some(place) => error
            .and_at(place, "`=` binds a name for the rest of the body")
            .help("`param <- …` updates the parameter"),
        None => error.help("end the body with `param <- param - lr * grad`"),
    });
}

fn updates_param(block: &ast::Block) -> bool {
    block.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Update { target, .. } => target.as_plain().is_some_and(|name| &**name == "param"),
        StatementKind::If(branches) => {
            branches.branches.iter().any(|branch| updates_param(&branch.body))
                || branches.otherwise.as_ref().is_some_and(updates_param)
        }
        _ => false,
    })
}

/// One parameter's update in the making.
struct Update<'t> {
    path: Arc<str>,
    line: usize,
    ty: Type,
    /// States declared so far: name and path.
    states: Vec<(Arc<str>, Arc<str>)>,
    new: Option<(Tensor, Span)>,
    train: &'t mut Train,
}

/// Carries out the body for one parameter; its new value. `None` is reported.
pub fn apply(
    own: &mut Elaborator<'_>,
    call: &Call,
    line: usize,
    path: &Arc<str>,
    param: NodeId,
    gradient: NodeId,
    train: &mut Train,
) -> Option<Tensor> {
    let definition = call.item.definition()?;
    let frame = Frame::new(FrameKind::Optimizer, Some(call.item.clone()), call.item.module, call.span);
    own.updating = Some(path.clone());
    own.set_origin(call.span);
    let ty = own.graph().ty(param).clone();
    let mut update = Update { path: path.clone(), line, ty, states: Vec::new(), new: None, train };
    let before = own.step.replace(call.step.clone());
    own.in_frame(frame, |own| {
        let name_span = definition.name.span;
        for (name, value, span) in &call.hyper {
            own.frame_mut().bind(name.clone(), value.clone(), *span, BindingKind::Hyper);
        }
        let param = own.tensor(param, name_span);
        let gradient = own.tensor(gradient, name_span);
        own.frame_mut().bind("param", Value::Tensor(param), name_span, BindingKind::Input);
        own.frame_mut().bind("grad", Value::Tensor(gradient), name_span, BindingKind::Input);
        own.frame_mut().bind("step", call.step.clone(), name_span, BindingKind::Input);
        block(own, &definition.body, &mut update);
    });
    own.updating = None;
    own.step = before;
    match update.new {
        Some((tensor, _)) => Some(tensor),
        None => {
            if !own.has_errors() {
                let error = Diagnostic::error(
                    "E0619",
                    format!("`{}` leaves `param` as it is here", call.item.name()),
                );
                own.report(error.at(call.span, "with these hyperparameters no `param <- …` is reached"));
            }
            None
        }
    }
}

fn block(own: &mut Elaborator<'_>, body: &ast::Block, update: &mut Update<'_>) {
    for statement in &body.statements {
        match &statement.kind {
            StatementKind::State { name, ty, value } => {
                state(own, name, ty.as_ref(), value.as_ref(), statement.span, update);
            }
            StatementKind::Update { target, value } => assign(own, target, value, update),
            StatementKind::If(branches) => conditional(own, branches, update),
            StatementKind::Param { .. } | StatementKind::Scan(_) | StatementKind::Define(_) => {
                own.error(
                    "E0620",
                    "this cannot stand in an optimizer",
                    statement.span,
                    "its body is elementwise: bindings, `state`, `<-` and `if`",
                );
            }
            StatementKind::Bind { .. }
            | StatementKind::Unpack { .. }
            | StatementKind::Declare { .. }
            | StatementKind::Carry { .. }
            | StatementKind::Collect { .. }
            | StatementKind::Require { .. }
            | StatementKind::For(_)
            | StatementKind::Stray(_) => own.statement(statement),
        }
    }
    if let Some(value) = &body.value {
        own.error("E0620", "an optimizer has no value", value.span, "assign it: `param <- …`");
    }
}

fn conditional(own: &mut Elaborator<'_>, branches: &ast::IfBlock, update: &mut Update<'_>) {
    for branch in &branches.branches {
        match own.compile_time_bool(&branch.condition, "the condition of an `if` block") {
            Some(true) => return block(own, &branch.body, update),
            Some(false) => {}
            None => return,
        }
    }
    if let Some(otherwise) = &branches.otherwise {
        block(own, otherwise, update);
    }
}

/// `state m = 0`: of the parameter's shape unless it says another.
fn state(
    own: &mut Elaborator<'_>,
    name: &ast::Path,
    ty: Option<&ast::Type>,
    value: Option<&ast::Expr>,
    span: Span,
    update: &mut Update<'_>,
) {
    let Some(text) = own.path(name) else { return };
    let expected = match ty {
        Some(ty) => match own.declared_type(ty) {
            Some(expected) => expected,
            None => return,
        },
        None => Expected {
            elem: Some(Elem::Float),
            axes: update.ty.shape.iter().cloned().map(Axis::new).collect(),
        },
    };
    let path: Arc<str> = format!("{}:{}.{text}", update.line, update.path).into();
    let ty = Type::new(expected.elem.unwrap_or(Elem::Float), expected.shape());
    let init = std::mem::take(&mut update.train.optimizer_init);
    let init_span = value.map_or(span, |value| value.span);
    let level = own.new_level_id();
    let parameter = Op::Param { path: update.path.clone(), ty: update.ty.clone() };
    let (init, ()) = own.in_level(level, init, |own| {
        // A state may start from the parameter as it is when the training begins.
        let opened = own.frame_mut().open();
        let parameter = own.add(init_span, parameter, Vec::new());
        own.frame_mut().bind("param", Value::Tensor(parameter), span, BindingKind::Input);
        let start = match value {
            Some(value) => own.expr(value, Some(&expected)),
            None => Value::int(0),
        };
        let fitted = own.fit(start, &expected, &format!("`{text}`"), init_span, init_span);
        if let (Value::Tensor(_) | Value::Float(_) | Value::Int(_), Some(tensor)) =
            (&fitted, own.to_tensor(&fitted, init_span))
        {
            own.graph_mut().output(OutputKey::Named(path.clone()), tensor.node);
        }
        own.frame_mut().close(opened);
    });
    update.train.optimizer_init = init;
    update.train.optimizer_states.push(Variable { path: path.clone(), ty: ty.clone(), frozen: false, span });
    let value = own.add(span, Op::State { path: path.clone(), ty }, Vec::new());
    update.states.push((text.clone(), path));
    own.frame_mut().bind(text, Value::Tensor(value), span, BindingKind::Local);
}

/// `m <- …`, `param <- …`
fn assign(own: &mut Elaborator<'_>, target: &ast::Path, value: &ast::Expr, update: &mut Update<'_>) {
    let Some(name) = own.path(target) else { return };
    if let Some((_, first)) = &update.new {
        let error = Diagnostic::error("E0619", "`param` is updated once, by the last `<-`");
        own.report(
            error
                .at(target.span, "an update after that of `param`")
                .and_at(*first, "`param` is updated here"),
        );
        return;
    }
    let state = update.states.iter().find(|(own, _)| *own == name).cloned();
    let ty = match (&state, &*name) {
        (Some((_, path)), _) => {
            let own = update.train.optimizer_states.iter().find(|own| own.path == *path);
            own.map_or_else(|| update.ty.clone(), |own| own.ty.clone())
        }
        (None, "param") => update.ty.clone(),
        (None, _) => {
            let error = Diagnostic::error("E0620", format!("`{name}` is neither a state nor `param`"));
            let error = error.at(target.span, "`<-` updates `param` and what is declared by `state`");
            own.report(error.help(format!("`state {name} = 0` at the top of the body declares it")));
            own.frame_mut().bind(name, Value::Error, target.span, BindingKind::Local);
            return;
        }
    };
    let expected = Expected { elem: Some(ty.elem), axes: ty.shape.iter().cloned().map(Axis::new).collect() };
    let new = own.expr(value, Some(&expected));
    let new = own.fit(new, &expected, &format!("the new value of `{name}`"), value.span, target.span);
    if new.is_error() {
        return;
    }
    let Some(tensor) = own.to_tensor(&new, value.span) else { return };
    match state {
        Some((name, path)) => {
            let output = OutputKey::State(path);
            let node = tensor.node;
            let outputs = &mut own.graph_mut().outputs;
            match outputs.iter_mut().find(|own| own.name == output) {
                Some(known) => known.node = node,
                None => own.graph_mut().output(output, node),
            }
            own.frame_mut().bind(name, Value::Tensor(tensor), target.span, BindingKind::Local);
        }
        None => update.new = Some((tensor, target.span)),
    }
}
