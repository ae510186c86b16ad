//! Expressions.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::build::elementwise::Arg;
use crate::sema::value::Value;
use crate::sema::scope::report::limits::LimitError;
use crate::sema::scope::report::values::{PartError, ValueError};
use crate::base::{Span, with_stack};
use crate::syntax::ast::{self, Constant, ExprKind};
use std::sync::Arc;

impl Elaborator<'_> {
    /// The value of an expression. `expected` is the type that the context declares; numbers and makers take it.
    pub fn expr(&mut self, expr: &ast::Expr, expected: Option<&Expected>) -> Value {
        if !self.work(expr.span) {
            return Value::Error;
        }
        let value =
            if self.enter(expr.span) { with_stack(|| self.expr_kind(expr, expected)) } else { Value::Error };
        self.leave();
        value
    }

    fn expr_kind(&mut self, expr: &ast::Expr, expected: Option<&Expected>) -> Value {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Int(value) => Value::int(*value),
            ExprKind::Float(value) => Value::Float(*value),
            ExprKind::Str(pieces) => self.string(pieces, span),
            ExprKind::Constant(constant) => match constant {
                Constant::True => Value::Bool(true),
                Constant::False => Value::Bool(false),
                Constant::None => Value::None,
                Constant::Pi => Value::Float(std::f64::consts::PI),
                Constant::Inf => Value::Float(f64::INFINITY),
            },
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::Template(template) => match self.template(template) {
                Some(name) => self.name(&name, span),
                None => Value::Error,
            },
            ExprKind::List(items) => self.list(items, expected),
            ExprKind::Tuple(items) => {
                let items: Vec<Value> = items.iter().map(|item| self.expr(item, None)).collect();
                if items.iter().any(|item| matches!(item, Value::Tuple(_))) {
                    return self.report(PartError::NestedTuple { at: span });
                }
                Value::Tuple(items.into())
            }
            ExprKind::Spread(name) => self.name(&name.text, name.span),
            ExprKind::Unary { op, operand, .. } => {
                let value = self.expr(operand, expected);
                self.unary(*op, &value, operand.span, span)
            }
            ExprKind::Binary { op, op_span: _, left, right } => self.binary_expr(*op, left, right, expected),
            ExprKind::If { condition, then, otherwise } => {
                self.if_expr(condition, then, otherwise, span, expected)
            }
            ExprKind::IfBlock(block) => self.if_block(block, true, expected),
            ExprKind::Call { callee, args } => self.call_expr(callee, args, span, expected, None),
            ExprKind::Pipeline { input, stages } => self.pipeline(input, stages),
            ExprKind::At { value, parameters } => self.taken_at(value, parameters, expected),
            ExprKind::Subscript { base, subscripts } => {
                let base_value = match self.known_base(base) {
                    Some(value) => value,
                    None => self.expr(base, None),
                };
                self.subscript(base_value, base.span, subscripts, span)
            }
            ExprKind::Reduce(reduce) => self.reduce_expr(reduce, span),
            ExprKind::Field { base, name } => self.field(base, name, span),
            ExprKind::Transpose(base) => {
                let value = self.expr(base, None);
                self.transpose_last(&value, base.span, span)
            }
            ExprKind::Slice(_) => self.report(PartError::Range { at: span }),
            ExprKind::Error => Value::Error,
        }
    }

    /// A compile-time value as text in names and strings.
    fn string(&mut self, pieces: &[ast::StrPiece], span: Span) -> Value {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                ast::StrPiece::Text(piece) => text.push_str(piece),
                ast::StrPiece::Expr(expr) => match self.expr(expr, None) {
                    Value::Error => return Value::Error,
                    value => text.push_str(&value.show()),
                },
            }
            if text.len() > LONGEST_STRING {
                return self.report(LimitError::String { most: LONGEST_STRING, at: span });
            }
        }
        Value::Str(text.into())
    }

    /// The name that a template stands for: `fc{l}`.
    pub fn template(&mut self, template: &ast::TemplateName) -> Option<Arc<str>> {
        if let Some(plain) = template.as_plain() {
            return Some(plain.clone());
        }
        let mut text = String::new();
        for piece in &template.pieces {
            match piece {
                ast::NamePiece::Text(piece) => text.push_str(piece),
                ast::NamePiece::Expr(expr) => match self.expr(expr, None) {
                    Value::Error => return None,
                    value @ (Value::Int(_) | Value::Str(_)) => text.push_str(&value.show()),
                    found => {
                        self.report(PartError::NameOf { found, at: expr.span });
                        return None;
                    }
                },
            }
        }
        Some(text.into())
    }

    /// The dotted name that a path stands for.
    pub fn path(&mut self, path: &ast::Path) -> Option<Arc<str>> {
        if let Some(plain) = path.as_plain() {
            return Some(plain.clone());
        }
        let parts: Option<Vec<Arc<str>>> = path.parts.iter().map(|part| self.template(part)).collect();
        Some(parts?.join(".").into())
    }

    fn list(&mut self, items: &[ast::Expr], expected: Option<&Expected>) -> Value {
        let inner = expected
            .filter(|expected| !expected.axes.is_empty())
            .map(|expected| Expected { elem: expected.elem, axes: expected.axes[1..].to_vec() });
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match &item.kind {
                ExprKind::Spread(name) => match self.name(&name.text, name.span) {
                    Value::Error => return Value::Error,
                    value => match value.elements() {
                        Some(elements) => values.extend(elements),
                        None => {
                            let (name, at) = (name.clone(), item.span);
                            return self.report(PartError::NotSpread { name, found: value, at });
                        }
                    },
                },
                _ => values.push(self.expr(item, inner.as_ref())),
            }
        }
        if values.iter().any(Value::is_error) {
            return Value::Error;
        }
        let count = values.iter().fold(0, |sum: usize, value| sum.saturating_add(value.n_leaves()));
        if let (true, [first, .., last]) = (count > MOST_ELEMENTS, items) {
            let at = first.span.to(last.span);
            return self.report(LimitError::List { elements: count, most: MOST_ELEMENTS, at });
        }
        Value::list(values)
    }

    fn binary_expr(
        &mut self,
        op: ast::BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        expected: Option<&Expected>,
    ) -> Value {
        // The operands of a comparison need not have the type that is expected of its result.
        let compared = expected.map(Expected::of_any_type);
        let hands_down = match op {
            ast::BinaryOp::Add
            | ast::BinaryOp::Sub
            | ast::BinaryOp::Mul
            | ast::BinaryOp::Div
            | ast::BinaryOp::Pow => expected,
            ast::BinaryOp::MatMul => None,
            ast::BinaryOp::Or
            | ast::BinaryOp::And
            | ast::BinaryOp::Eq
            | ast::BinaryOp::Ne
            | ast::BinaryOp::Lt
            | ast::BinaryOp::Le
            | ast::BinaryOp::Gt
            | ast::BinaryOp::Ge => compared.as_ref(),
        };
        let a = self.expr(left, hands_down);
        // If the left side decides the result, the right side is not elaborated.
        match (op, &a) {
            (ast::BinaryOp::And, Value::Bool(false)) => return a,
            (ast::BinaryOp::Or, Value::Bool(true)) => return a,
            _ => {}
        }
        let b = self.expr(right, hands_down);
        let span = left.span.to(right.span);
        match (op, &a) {
            (ast::BinaryOp::And, Value::Bool(true)) | (ast::BinaryOp::Or, Value::Bool(false))
                if crate::sema::build::operators::elem_of(&b) == Some(crate::ir::Elem::Bool) =>
            {
                return b;
            }
            _ => {}
        }
        self.binary(op, Arg { value: &a, span: left.span }, Arg { value: &b, span: right.span }, span)
    }

    fn if_expr(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Expr,
        otherwise: &ast::Expr,
        span: Span,
        expected: Option<&Expected>,
    ) -> Value {
        let chosen = self.expr(condition, expected.map(Expected::of_any_type).as_ref());
        match &chosen {
            Value::Bool(true) => return self.expr(then, expected),
            Value::Bool(false) => return self.expr(otherwise, expected),
            Value::Error => {
                // The branches may have errors of their own.
                self.expr(then, expected);
                self.expr(otherwise, expected);
                return Value::Error;
            }
            _ => {}
        }
        let is_bool = crate::sema::build::operators::elem_of(&chosen) == Some(crate::ir::Elem::Bool);
        if !is_bool && !matches!(chosen, Value::Parameters(_)) {
            return self.report(ValueError::ConditionNotBool { found: chosen, at: condition.span });
        }
        let mark = self.skips_so_far();
        let a = self.expr(then, expected);
        self.skips_only_if(mark, &chosen, true);
        let mark = self.skips_so_far();
        let b = self.expr(otherwise, expected);
        self.skips_only_if(mark, &chosen, false);
        if a.is_error() || b.is_error() {
            return Value::Error;
        }
        let args = [
            Arg { value: &chosen, span: condition.span },
            Arg { value: &a, span: then.span },
            Arg { value: &b, span: otherwise.span },
        ];
        self.select(args[0], args[1], args[2], span)
    }

    fn reduce_expr(&mut self, reduce: &ast::Reduce, span: Span) -> Value {
        if self.in_elementwise_body() {
            return self.not_elementwise("a reducer", span);
        }
        crate::sema::body::index::reduce(self, reduce, span)
    }
}

/// Bytes of a string, and elements of a list with those of its lists: others are made of them, so a few lines
/// could ask for any number.
const LONGEST_STRING: usize = 1 << 20;
const MOST_ELEMENTS: usize = 1 << 22;

