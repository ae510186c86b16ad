//! Fields: parameters and inner instances of layers and models, parts and columns of data, names with dots.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::value::{Instance, InstanceKind, Value};
use crate::sema::scope::report::layers::MemberError;
use crate::base::Span;
use crate::syntax::ast;
use std::sync::Arc;

impl Elaborator<'_> {
    /// `base.name`: a parameter or an inner instance, a part or column of data, a name with dots.
    pub fn field(&mut self, base: &ast::Expr, name: &ast::TemplateName, span: Span) -> Value {
        // `features.3` may be bound under its dotted name.
        if let Some(dotted) = self.dotted(base, name) {
            let bound = self.frame().find(&dotted).map(|binding| (binding.kind, binding.value.clone()));
            match bound {
                Some((BindingKind::State, _)) => return self.state_value(dotted, span),
                Some((_, value)) => return value,
                None => {}
            }
            if let ast::ExprKind::Name(root) = &root_of(base).kind
                && self.frame().find(root).is_none()
                && self.frame().bindings.iter().any(|binding| binding.name.starts_with(&format!("{dotted}.")))
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
            Value::Parameters(set) => self.part_of_set(set, &name_text, name.span),
            Value::Data(data) => self.data_field(&data.clone(), &name_text, span),
            found => {
                let module = self.frame().module;
                let is_function = crate::sema::build::builtins::find(&name_text).is_some()
                    || self.find_item(module, &name_text).is_some();
                let (found, base) = (found.clone(), base.span);
                self.report(MemberError::NoFields { found, name: name_text, is_function, base, at: name.span })
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
        if !self.frame().bindings.iter().any(|binding| binding.name.contains('.')) {
            return None;
        }
        Some(format!("{front}.{}", self.template(name)?).into())
    }

    /// Before an instance is called: makes the parameters whose shapes its hyperparameters alone fix. The inputs
    /// are not known, and nothing is reported. `false` if the instance has no body.
    fn find_variables_early(&mut self, instance: &Arc<Instance>) -> bool {
        let InstanceKind::Layer { item, hyper } = &instance.kind else { return false };
        let Some(definition) = item.definition() else { return false };
        let mut frame =
            Frame::new(FrameKind::Layer(instance.clone()), Some(item.clone()), item.module, instance.span);
        for (name, value) in hyper {
            frame.bind(name.clone(), value.clone(), instance.span, BindingKind::Hyper);
        }
        for input in definition.inputs.iter().flat_map(|list| &list.parameters) {
            frame.bind(input.name.text.clone(), Value::Error, input.span, BindingKind::Input);
        }
        let (errors, draws) = (self.reports.len(), self.built.draws.clone());
        self.in_frame(frame, |cx| {
            definition.body.statements.iter().for_each(|statement| cx.statement(statement))
        });
        self.reports.truncate(errors);
        self.built.draws = draws;
        true
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
        if name == "parameters" {
            return self.parameters_of(instance, span);
        }
        if let Some(inner) = self.models.instances.get(&path) {
            return Value::Instance(inner.clone());
        }
        if self.find_variables_early(instance) && self.variables.find(&path).is_some() {
            return self.variable_value(&path, span);
        }
        self.make_parameters(instance);
        if self.variables.find(&path).is_some() {
            return self.variable_value(&path, span);
        }
        if let Some(inner) = self.models.instances.get(&path) {
            return Value::Instance(inner.clone());
        }
        // `features.3` read part by part.
        let longer = format!("{path}.");
        let inside = self.models.instances.keys().any(|inner| inner.starts_with(&longer))
            || self.variables.list.iter().any(|variable| variable.path.starts_with(&longer));
        if inside {
            let kind = InstanceKind::Row(Vec::new());
            return Value::Instance(Arc::new(Instance { path, kind, span }));
        }
        let mut known: Vec<String> = self
            .variables
            .below(&instance.path)
            .filter_map(|variable| first_part(&variable.path, &instance.path))
            .collect();
        known.dedup();
        let (found, name) = (Value::Instance(instance.clone()), name.to_owned());
        self.report(MemberError::NoParameter { found, name, known, at: name_span })
    }
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
