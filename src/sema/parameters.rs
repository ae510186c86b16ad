//! Parameters and states: what declares them, what they are worth, `<-`.

use super::elaborator::{Elaborator, Expected};
use super::scope::{BindingKind, FrameKind};
use super::value::{Axis, Tensor, Value, show_axes};
use super::variables::Variable;
use crate::base::{Diagnostic, Span};
use crate::ir::{Elem, Op, Type};
use crate::syntax::ast;
use std::sync::Arc;

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
}
