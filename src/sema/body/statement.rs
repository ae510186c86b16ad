//! Statements and blocks.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::Value;
use crate::sema::scope::report::limits::LimitError;
use crate::sema::scope::report::values::PartError;
use crate::base::Span;
use crate::syntax::ast::{self, ExprKind, StatementKind};

/// The most iterations of a compile-time loop.
const MAX_TURNS: i64 = 100_000;

impl Elaborator<'_> {
    /// Elaborates the statements; returns the value of the last expression, if there is one.
    pub fn block(&mut self, block: &ast::Block, expected: Option<&Expected>) -> Option<Value> {
        for statement in &block.statements {
            self.statement(statement);
            if self.limits.is_reached() || self.frame().failed {
                return Some(Value::Error);
            }
        }
        block.value.as_ref().map(|value| self.expr(value, expected))
    }

    pub fn statement(&mut self, statement: &ast::Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Bind { target, ty, value } => self.bind(target, ty.as_ref(), value),
            StatementKind::Unpack { names, pattern_span, value } => self.unpack(names, *pattern_span, value),
            StatementKind::Define(definition) => {
                if self.in_elementwise_body() {
                    self.not_elementwise("index notation", definition.target_span);
                }
                crate::sema::body::index::define(self, definition);
            }
            StatementKind::Update { target, value } => self.update(target, value),
            StatementKind::Declare { name, ty } => self.declare(name, ty),
            StatementKind::Param { name, ty, value, frozen } => {
                self.param(name, ty.as_ref(), value.as_ref(), frozen.is_some(), span);
            }
            StatementKind::State { name, ty, value } => self.state(name, ty.as_ref(), value.as_ref(), span),
            StatementKind::Carry { name, .. } => crate::sema::body::scan::misplaced_carry(self, name, span),
            StatementKind::Collect { name, value, axis } => {
                crate::sema::body::scan::collect(self, name, value, axis.as_ref(), span);
            }
            StatementKind::Scan(scan) => crate::sema::body::scan::scan(self, scan, span),
            StatementKind::Require { condition, message, is_advice } => {
                self.require(condition, message.as_ref(), *is_advice);
            }
            StatementKind::For(header) => {
                self.turns(&header.variable, &header.over, span, &mut |cx, value| cx.for_body(header, value));
            }
            StatementKind::If(block) => {
                self.if_block(block, false, None);
            }
            StatementKind::Stray(expr) => {
                self.expr(expr, None);
            }
        }
    }

    fn bind(&mut self, target: &ast::Path, ty: Option<&ast::Type>, value: &ast::Expr) {
        let name = self.path(target);
        let expected = ty.map(|ty| self.declared_type(ty));
        if let Some(None) = expected {
            self.expr(value, None);
            if let Some(name) = name {
                self.bind_name(name, Value::Error, target.span, BindingKind::Local);
            }
            return;
        }
        let expected = expected.flatten();
        // The next value of a carry has the type that the carry declares.
        let handed = expected.clone().or_else(|| {
            let binding = self.frame().find(name.as_ref()?)?;
            match (&binding.value, binding.kind) {
                (Value::Tensor(tensor), BindingKind::Carry) => Some(Expected::of(tensor)),
                _ => None,
            }
        });
        // A constructor that is the whole right side has the name of the binding.
        let mut made = match (&value.kind, &name) {
            (ExprKind::Call { callee, args }, Some(name)) => {
                self.call_expr(callee, args, value.span, handed.as_ref(), Some(name))
            }
            _ => self.expr(value, handed.as_ref()),
        };
        if let Some(expected) = &expected {
            let what = format!("`{}`", self.text(target.span));
            made = self.fit(made, expected, &what, value.span, ty.map_or(target.span, |ty| ty.span));
            if let Some(ty) = ty {
                made = self.with_class(made, ty, &what, value.span);
            }
        }
        if let Some(name) = name {
            self.bind_name(name, made, target.span, BindingKind::Local);
        }
    }

    fn unpack(&mut self, names: &[Option<ast::Name>], pattern: Span, value: &ast::Expr) {
        let made = self.expr(value, None);
        let parts = match &made {
            Value::Error => None,
            Value::Tuple(_) | Value::List(_) | Value::Pack(_) => made.elements(),
            _ => {
                self.report(PartError::NotTuple { found: made.clone(), at: value.span });
                None
            }
        };
        if let Some(parts) = &parts
            && parts.len() != names.len()
        {
            let (values, names) = (parts.len(), names.len());
            self.report(PartError::Count { values, names, at: pattern, value: value.span });
        }
        for (at, name) in names.iter().enumerate() {
            if let Some(name) = name {
                let part = parts.as_ref().and_then(|parts| parts.get(at).cloned()).unwrap_or(Value::Error);
                self.bind_local(name, part);
            }
        }
    }

    /// `z: [N, D]`: all zeros until it is written.
    fn declare(&mut self, name: &ast::Name, ty: &ast::Type) {
        let value = match self.declared_type(ty) {
            Some(expected) => {
                let elem = expected.elem.unwrap_or(crate::ir::Elem::Float);
                let zero = if elem == crate::ir::Elem::Bool { Value::Bool(false) } else { Value::int(0) };
                let filled = self.fill(&zero, elem, &expected.axes, name.span);
                Value::Tensor(filled)
            }
            None => Value::Error,
        };
        self.frame_mut().bind(name.text.clone(), value, name.span, BindingKind::Declared);
    }

    /// Carries out the turns of a compile-time loop; with `Value::Error`, once, if it is not known over what.
    pub fn turns(
        &mut self,
        variable: &ast::Name,
        over: &ast::ForRange,
        span: Span,
        turn: &mut dyn FnMut(&mut Self, Value),
    ) {
        match over {
            ast::ForRange::Range { start, end } => {
                let start_value = self.compile_time_int(start, "the start of a `for`");
                let end_value = self.compile_time_int(end, "the end of a `for`");
                let (Some(start), Some(end)) = (start_value, end_value) else {
                    turn(self, Value::Error);
                    return;
                };
                if end.saturating_sub(start) > MAX_TURNS {
                    let turns = end.saturating_sub(start);
                    self.report(LimitError::Turns { turns, at: variable.span });
                    turn(self, Value::Error);
                    return;
                }
                let mut at = start;
                while at < end && self.work(span) {
                    turn(self, Value::int(at));
                    at += 1;
                }
            }
            ast::ForRange::List(list) => {
                let value = self.expr(list, None);
                match value.elements() {
                    Some(items) => items.into_iter().for_each(|item| turn(self, item)),
                    None => {
                        if !value.is_error() {
                            self.report(PartError::NotLoopable { found: value, at: list.span });
                        }
                        turn(self, Value::Error);
                    }
                }
            }
        }
    }

    fn for_body(&mut self, header: &ast::For, value: Value) {
        let variable = &header.variable;
        self.frame_mut().bind(variable.text.clone(), value, variable.span, BindingKind::For);
        // The body of a `for` has no value of its own.
        self.block(&header.body, None);
    }

    /// An `if` block; its condition is known at compile time.
    pub fn if_block(&mut self, block: &ast::IfBlock, is_value: bool, expected: Option<&Expected>) -> Value {
        for branch in &block.branches {
            match self.compile_time_bool(&branch.condition, "the condition of an `if` block") {
                Some(true) => return self.block(&branch.body, expected).unwrap_or(Value::None),
                Some(false) => {}
                None => {
                    // The branches are elaborated to find further errors and to bind their names.
                    self.block(&branch.body, expected);
                    if let Some(otherwise) = &block.otherwise {
                        self.block(otherwise, expected);
                    }
                    return Value::Error;
                }
            }
        }
        match &block.otherwise {
            Some(otherwise) => self.block(otherwise, expected).unwrap_or(Value::None),
            // Where a value is needed, the parser has asked for an `else`.
            None if is_value => Value::Error,
            None => Value::None,
        }
    }
}
