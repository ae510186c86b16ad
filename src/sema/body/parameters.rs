//! Parameters and states: what declares them, what they are worth, `<-`.

use crate::sema::scope::context::Mode;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::frames::{BindingKind, FrameKind};
use crate::sema::value::{Axis, Value, show_axes};
use crate::sema::build::variables::Variable;
use crate::base::{Cause, Diagnostic, Span};
use crate::ir::{Elem, Op, OutputKey, Type};
use crate::syntax::ast;
use std::sync::Arc;

/// A `param` or `state` line.
#[derive(Clone, Copy)]
struct Declared<'t> {
    ty: Option<&'t ast::Type>,
    value: Option<&'t ast::Expr>,
    frozen: bool,
    is_state: bool,
}

impl Elaborator<'_> {
    /// `param name: type = expr [frozen]`
    pub fn param(
        &mut self,
        name: &ast::Path,
        ty: Option<&ast::Type>,
        value: Option<&ast::Expr>,
        frozen: bool,
        span: Span,
    ) {
        let made = self.variable(name, Declared { ty, value, frozen, is_state: false }, span);
        if let Some(path) = self.path(name) {
            self.bind_name(path, made, name.span, BindingKind::Param);
        }
    }

    /// `state name[: type] = expr`
    pub fn state(&mut self, name: &ast::Path, ty: Option<&ast::Type>, value: Option<&ast::Expr>, span: Span) {
        let made = self.variable(name, Declared { ty, value, frozen: false, is_state: true }, span);
        if let Some(path) = self.path(name) {
            let kind = if made.is_error() { BindingKind::Local } else { BindingKind::State };
            self.frame_mut().bind(path, made, name.span, kind);
        }
    }

    fn variable(&mut self, name: &ast::Path, declared: Declared<'_>, span: Span) -> Value {
        let word = if declared.is_state { "state" } else { "parameter" };
        let Some(own_path) = self.path(name) else { return Value::Error };
        let FrameKind::Layer(instance) = &self.frame().kind else {
            let message = format!("a {word} cannot be declared here");
            let label = format!("a {word} stands in the body of a layer or model");
            return self.error("E0118", message, span, label);
        };
        let outer = instance.path.clone();
        if self.in_scan_of_body() {
            let message = format!("a {word} cannot be declared in a `scan`");
            return self.error("E0118", message, span, "declare it before the scan");
        }
        let Some(path) = self.claim(&outer, &own_path, name.span) else { return Value::Error };
        if let Some(ty) = declared.ty
            && !declared.is_state
            && !declared.frozen
            && let ast::TypeKind::Tensor { element, .. } = &ty.kind
            && !matches!(element, ast::Element::Float)
        {
            let message = format!("the parameter `{own_path}` is not made of floats");
            let error = Diagnostic::error("E0125", message).at(ty.span, "whole numbers cannot be trained");
            self.report(error.help("`param … frozen` stays as it is, `state` is updated by `<-`"));
            return Value::Error;
        }
        let expected = match declared.ty.map(|ty| self.declared_type(ty)) {
            Some(None) => return Value::Error,
            Some(Some(expected)) => Some(expected),
            None => None,
        };
        // An ordinary 1 in parameters and states, whatever it was.
        let expected = expected.map(|expected| Expected {
            elem: expected.elem,
            axes: expected.axes.into_iter().map(|axis| Axis::new(axis.size)).collect(),
        });
        if let Some(known) = self.variables.find(&path).cloned() {
            if let Some(expected) = &expected
                && known.ty.shape != expected.shape()
            {
                return self.disagreeing_shapes(&known, expected, name.span, word);
            }
            return self.variable_value(&path, span);
        }
        let open = |expected: &Expected| expected.axes.iter().any(|axis| axis.size.as_number().is_none());
        if let Some(expected) = expected.as_ref().filter(|expected| open(expected)) {
            return self.open_variable(&path, expected, name.span, declared.is_state, span);
        }
        self.make_variable(path, expected.as_ref(), declared, name.span)
    }

    /// A variable whose shape has a symbolic size: allowed where a model is only looked at, not run.
    fn open_variable(
        &mut self,
        path: &Arc<str>,
        expected: &Expected,
        name: Span,
        is_state: bool,
        span: Span,
    ) -> Value {
        let ty = Type::new(expected.elem.unwrap_or(Elem::Float), expected.shape());
        self.open.shapes.push((path.clone(), ty.clone(), name));
        if !self.context.is_looking() {
            let message = format!("the shape {ty} of `{path}` is not known");
            let error = Diagnostic::error("E0221", message).at(name, "depends on a free dimension");
            self.report(error.note(
                "the sizes of parameters and states are the same for every batch, so they must be numbers",
            ));
            return Value::Error;
        }
        let path = path.clone();
        let op = if is_state { Op::State { path, ty } } else { Op::Param { path, ty } };
        Value::Tensor(self.leaf(op, span))
    }

    /// A new variable: its starting value is worked out in the graph of starting values.
    fn make_variable(
        &mut self,
        path: Arc<str>,
        expected: Option<&Expected>,
        declared: Declared<'_>,
        name: Span,
    ) -> Value {
        let level = match self.variables.init_level {
            Some(level) => level,
            None => {
                let level = self.new_level_id();
                self.variables.init_level = Some(level);
                level
            }
        };
        let errors = self.diagnostics.len();
        let init = std::mem::take(self.starts());
        let build = |cx: &mut Elaborator<'_>| {
            let Value::Tensor(tensor) = cx.starting_value(&path, expected, declared, name) else {
                return None;
            };
            let node = cx.node(&tensor, declared.value.map_or(name, |value| value.span))?;
            cx.graph_mut().output(OutputKey::Named(path.clone()), node);
            Some(tensor.ty)
        };
        let drawing = self.context.drawing_for(path.clone());
        let (init, ty) = self.within(drawing, |cx| cx.in_level(level, init, build));
        *self.starts() = init;
        // A starting value that depends on an open size: nobody asks for it where a model is only looked at.
        let new = &self.diagnostics[errors.min(self.diagnostics.len())..];
        let needs_size = !new.is_empty() && new.iter().all(|error| error.cause == Some(Cause::NoStart));
        if let (None, true, true, Some(expected)) = (&ty, self.context.is_looking(), needs_size, expected) {
            let open = self.diagnostics.split_off(errors);
            self.open.starts.extend(open);
            return self.open_variable(&path, expected, name, declared.is_state, name);
        }
        let Some(ty) = ty else { return Value::Error };
        if ty.static_shape().is_none() {
            let message = format!("the shape {ty} of `{path}` is not known");
            return self.error("E0221", message, name, "depends on a free dimension");
        }
        let calls = self.frames.iter().map(|frame| frame.call).collect();
        self.variables.insert(Variable {
            path: path.clone(),
            stretch: vec![false; ty.rank()],
            ty,
            frozen: declared.frozen,
            is_state: declared.is_state,
            span: name,
            calls,
        });
        self.variable_value(&path, name)
    }

    fn starting_value(
        &mut self,
        path: &str,
        expected: Option<&Expected>,
        declared: Declared<'_>,
        name: Span,
    ) -> Value {
        let what = format!("`{path}`");
        match (declared.value, expected) {
            (Some(value), Some(expected)) => {
                let made = self.expr(value, Some(expected));
                self.fit(made, expected, &what, value.span, declared.ty.map_or(name, |ty| ty.span))
            }
            // Without a type it is that of the value; numbers are floats.
            (Some(value), None) => {
                let made = self.expr(value, None);
                let Some(tensor) = self.to_tensor(&made, value.span) else { return Value::Error };
                let elem = if made.is_run_time() { tensor.ty.elem } else { Elem::Float };
                self.with_elem(tensor, elem, value.span).map_or(Value::Error, Value::Tensor)
            }
            (None, Some(_)) if !declared.is_state => {
                let error = Diagnostic::error("E0125", format!("the parameter {what} has no starting value")).because(Cause::NoStart);
                let error = error.at(name, "what is it worth before the first step?");
                self.report(
                    error.help("`= uniform(-k, k)` or an init such as `= he()` draws it, `= 0` fills it"),
                );
                Value::Error
            }
            (None, Some(expected)) => {
                let elem = expected.elem.unwrap_or(Elem::Float);
                Value::Tensor(self.fill(&Value::int(0), elem, &expected.axes, name))
            }
            (None, None) => self.error(
                "E0216",
                format!("no shape is declared for {what}"),
                name,
                "give it a type or a value",
            ),
        }
    }

    fn disagreeing_shapes(&mut self, known: &Variable, expected: &Expected, name: Span, word: &str) -> Value {
        let (first, second) = (known.ty.to_string(), show_axes(known.ty.elem, &expected.axes));
        let message =
            format!("the {word} `{}` would be {first} for one call and {second} for another", known.path);
        let error = Diagnostic::error("E0220", message).at(name, "one parameter has one shape");
        // The outermost calls that differ are those that disagree.
        let calls = self.frames.iter().map(|frame| frame.call);
        let differing = calls.zip(&known.calls).find(|(it, other)| it != *other);
        self.report(match differing {
            Some((span, other)) => error
                .and_at(*other, format!("this call needs {first}"))
                .and_at(span, format!("this one needs {second}")),
            None => error,
        });
        Value::Error
    }

    /// Reports data that depends on what is trained.
    pub fn data_depends(&mut self, on: &str, span: Span) -> Value {
        let Some((set, declared)) = self.data.open.last().cloned() else { return Value::Error };
        let message = format!("the data `{set}` depends on {on}");
        let error = Diagnostic::error("E0631", message).at(span, "known in training only");
        self.report(error.and_at(declared, "this data is made once, before anything is trained"));
        Value::Error
    }

    /// What a variable is worth at this place of the graph.
    pub fn variable_value(&mut self, path: &Arc<str>, span: Span) -> Value {
        if self.data.is_made() {
            return self.data_depends(&format!("the parameter `{path}`"), span);
        }
        if self.in_starts()
            && let Some(start) = self.start_of(path, span)
        {
            return Value::Tensor(start);
        }
        if let Some(given) = self.context.taken_at().and_then(|taken| taken.value(path)) {
            return Value::Tensor(given);
        }
        if let Some(current) = self.variables.current.get(path) {
            return Value::Tensor(current.clone());
        }
        let Some(variable) = self.variables.find(path).cloned() else { return Value::Error };
        let (path, ty) = (variable.path.clone(), variable.ty.clone());
        let op = if variable.is_state { Op::State { path, ty } } else { Op::Param { path, ty } };
        Value::Tensor(self.leaf(op, span))
    }

    /// What a state declared in this body is worth now.
    pub fn state_value(&mut self, name: Arc<str>, span: Span) -> Value {
        let Some(outer) = self.instance_path() else { return Value::Error };
        let path: Arc<str> = match outer.is_empty() {
            true => name.clone(),
            false => format!("{outer}.{name}").into(),
        };
        match self.variables.find(&path) {
            Some(_) => self.variable_value(&path, span),
            None => self.frame().find(&name).map_or(Value::Error, |it| it.value.clone()),
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
            let is_param = matches!(&kind, Some((BindingKind::Param, ..)));
            if let Some((kind, at, _)) = kind {
                error = error.and_at(at, format!("a {}", kind.word()));
            }
            self.report(match is_param {
                true => error.help("parameters are updated by the optimizer of a `train`, nowhere else"),
                false => error.help(format!("`state {name} = …` declares one, `{name} = …` binds a name")),
            });
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
        if self.context.mode() != Mode::Training {
            return;
        }
        let Some(outer) = self.instance_path() else { return };
        let path: Arc<str> = if outer.is_empty() { name } else { format!("{outer}.{name}").into() };
        if self.variables.find(&path).is_some() {
            self.variables.current.insert(path, tensor);
        }
    }
}
