//! Names as expressions, and the values of `const` items.

use crate::base::Span;
use crate::sema::scope::report::calls::CallError;
use crate::sema::scope::report::values::ValueError;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::builtins;
use crate::sema::scope::context::Mode;
use crate::sema::scope::frames::{BindingKind, Frame, FrameKind};
use crate::sema::scope::module::{Found, ItemRef, ModuleId};
use crate::sema::value::{DataValue, Function, LevelId, Value};
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::Arc;

/// The `const` items that were worked out.
#[derive(Debug, Default)]
pub struct Constants {
    pub values: HashMap<(ModuleId, Arc<str>), Value>,
    /// Those that are tensors, by the graph that they were made in.
    pub tensors: HashMap<(LevelId, ModuleId, Arc<str>), Value>,
    /// Those that are being worked out: for circles.
    pub open: Vec<(ModuleId, Arc<str>)>,
}

impl Elaborator<'_> {
    /// The value of a name.
    pub fn name(&mut self, name: &Arc<str>, span: Span) -> Value {
        if let Some(binding) = self.frame().find(name) {
            if binding.kind == BindingKind::State {
                return self.state_value(name.clone(), span);
            }
            return binding.value.clone();
        }
        if let Some(value) = self.global(name, span) {
            return value;
        }
        self.unknown_name(name, span)
    }

    /// The value of a name outside of bodies: in the file, its imports, the prelude, the language.
    pub fn global(&mut self, name: &Arc<str>, span: Span) -> Option<Value> {
        let module = self.frame().module;
        match self.find_item(module, name) {
            Some(Found::Item(item)) => return Some(self.item_value(item, span)),
            Some(Found::Broken) => return Some(Value::Error),
            None => {}
        }
        if &**name == "training" {
            return Some(Value::Bool(self.context.mode() != Mode::Evaluation));
        }
        builtins::find(name).map(|builtin| Value::Function(Function::Builtin(builtin)))
    }

    fn item_value(&mut self, item: ItemRef, span: Span) -> Value {
        match &item.item.kind {
            ast::ItemKind::Const(_) => self.constant(&item),
            ast::ItemKind::Definition(definition) => match definition.role {
                ast::Role::Layer => Value::Layer(item),
                ast::Role::Model => self.model(&item, span),
                ast::Role::Activation
                | ast::Role::Fn
                | ast::Role::Loss
                | ast::Role::Metric
                | ast::Role::Init
                | ast::Role::Schedule
                | ast::Role::Optimizer => Value::Function(Function::Item(item)),
            },
            ast::ItemKind::Data(data) => Value::Data(DataValue { item: data.name.text.clone(), part: None }),
            ast::ItemKind::Train(_) => {
                self.report(ValueError::Train { name: item.name().to_owned(), at: span })
            }
            ast::ItemKind::Precision(_)
            | ast::ItemKind::Import(_)
            | ast::ItemKind::Print(_)
            | ast::ItemKind::Expect(_)
            | ast::ItemKind::Plot(_)
            | ast::ItemKind::Generate(_)
            | ast::ItemKind::Sweep(_)
            | ast::ItemKind::For(_) => Value::Error,
        }
    }

    /// The value of a `const`. Compile-time values are worked out once, tensors once in every graph that uses them,
    /// outside of its scans.
    fn constant(&mut self, item: &ItemRef) -> Value {
        let ast::ItemKind::Const(constant) = &item.item.kind else { return Value::Error };
        let key = (item.module, constant.name.text.clone());
        if let Some(value) = self.constants.values.get(&key) {
            return value.clone();
        }
        let in_graph = (self.levels[0].id, item.module, constant.name.text.clone());
        if let Some(value) = self.constants.tensors.get(&in_graph) {
            return value.clone();
        }
        if self.constants.open.contains(&key) {
            let (name, at) = (constant.name.clone(), constant.value.span);
            return self.report(CallError::ConstantOfItself { name, at });
        }
        self.constants.open.push(key.clone());
        let frame =
            Frame::uncalled(FrameKind::File, None, item.module);
        let index_frames = std::mem::take(&mut self.index_frames);
        let value = self.in_outermost_level(|cx| cx.in_frame(frame, |cx| cx.constant_value(constant)));
        self.index_frames = index_frames;
        self.constants.open.pop();
        if contains_tensor(&value) {
            self.constants.tensors.insert(in_graph, value.clone());
        } else {
            self.constants.values.insert(key, value.clone());
        }
        value
    }

    fn constant_value(&mut self, constant: &ast::Const) -> Value {
        let expected = constant.ty.as_ref().map(|ty| self.declared_type(ty));
        match expected {
            Some(None) => Value::Error,
            Some(Some(expected)) => {
                let value = self.expr(&constant.value, Some(&expected));
                let ty_span = constant.ty.as_ref().map_or(constant.value.span, |ty| ty.span);
                self.fit(value, &expected, &format!("`{}`", constant.name), constant.value.span, ty_span)
            }
            None => self.expr(&constant.value, None),
        }
    }
}

fn contains_tensor(value: &Value) -> bool {
    match value {
        Value::Tensor(_) | Value::Indexed(_) | Value::Parameters(_) => true,
        Value::List(items) | Value::Tuple(items) => items.iter().any(contains_tensor),
        _ => false,
    }
}
