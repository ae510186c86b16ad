//! Parameters and states: what declares them, what they are worth, `<-`.

use crate::sema::scope::context::Mode;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::frames::{BindingKind, FrameKind};
use crate::sema::value::{Axis, Value};
use crate::sema::build::variables::Variable;
use crate::sema::scope::report::Cause;
use crate::sema::scope::report::data::{DataError, Trained};
use crate::sema::scope::report::layers::{Made, MakingError, VariableError};
use crate::base::Span;
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
        let made = if declared.is_state { Made::State } else { Made::Parameter };
        let Some(text) = self.path(name) else { return Value::Error };
        let FrameKind::Layer(instance) = &self.frame().kind else {
            return self.report(MakingError::NotHere { made, at: span });
        };
        let outer = instance.path.clone();
        if self.in_scan_of_body() {
            return self.report(MakingError::InScan { made, at: span });
        }
        let Some(path) = self.claim(&outer, &text, name.span) else { return Value::Error };
        if let Some(ty) = declared.ty
            && !declared.is_state
            && !declared.frozen
            && let ast::TypeKind::Tensor { element, .. } = &ty.kind
            && !matches!(element, ast::Element::Float)
        {
            return self.report(VariableError::NotFloats { name: text, at: ty.span });
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
                return self.disagreeing_shapes(&known, expected, name.span);
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
            let path = path.clone();
            return self.report(VariableError::OpenShape { path, ty, is_declared: true, at: name });
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
        let errors = self.reports.len();
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
        let new = &self.reports[errors.min(self.reports.len())..];
        let needs_size = !new.is_empty() && new.iter().all(|report| report.cause() == Cause::NoStart);
        if let (None, true, true, Some(expected)) = (&ty, self.context.is_looking(), needs_size, expected) {
            let open = self.reports.split_off(errors);
            self.open.starts.extend(open);
            return self.open_variable(&path, expected, name, declared.is_state, name);
        }
        let Some(ty) = ty else { return Value::Error };
        if ty.static_shape().is_none() {
            return self.report(VariableError::OpenShape { path, ty, is_declared: false, at: name });
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
                self.report(VariableError::NoStart { path: path.into(), at: name })
            }
            (None, Some(expected)) => {
                let elem = expected.elem.unwrap_or(Elem::Float);
                Value::Tensor(self.fill(&Value::int(0), elem, &expected.axes, name))
            }
            (None, None) => self.report(VariableError::NoType { path: path.into(), at: name }),
        }
    }

    fn disagreeing_shapes(&mut self, known: &Variable, expected: &Expected, name: Span) -> Value {
        // The outermost calls that differ are those that disagree.
        let calls = self.frames.iter().map(|frame| frame.call);
        let differing = calls.zip(&known.calls).find(|(call, other)| call != *other);
        let calls = differing.map(|(call, other)| (call, *other));
        let (path, is_state) = (known.path.clone(), known.is_state);
        let (known, needed) = (known.ty.clone(), expected.axes.clone());
        self.report(VariableError::DifferentShapes { path, is_state, known, needed, calls, at: name })
    }

    /// Reports data that depends on what is trained.
    pub fn data_depends(&mut self, on: Trained, span: Span) -> Value {
        let Some((set, declared)) = self.data.open.last().cloned() else { return Value::Error };
        self.report(DataError::DependsOn { data: set, on, declared, at: span })
    }

    /// What a variable is worth at this place of the graph.
    pub fn variable_value(&mut self, path: &Arc<str>, span: Span) -> Value {
        if self.data.is_made() {
            return self.data_depends(Trained::Parameter(path.clone()), span);
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
            None => self.frame().find(&name).map_or(Value::Error, |binding| binding.value.clone()),
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
            let bound = kind.map(|(kind, place, _)| (kind, place));
            self.report(VariableError::NotState { name, bound, at: target.span });
            return;
        };
        if self.in_scan() {
            self.report(VariableError::UpdatedInScan { name, at: target.span, declared });
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
