//! Conditions, whole numbers and sizes that must be known at compile time, and what is said where they are not.

use crate::sema::build::Builder;
use crate::sema::value::Value;
use crate::sema::scope::report::numbers::NumberError;
use crate::base::Span;
use crate::ir::Dim;
use crate::syntax::ast;
use std::sync::Arc;

/// The greatest size of an axis.
const MAX_SIZE: i64 = i32::MAX as i64;

impl Builder<'_> {
    /// The value of a compile-time condition. `None` is reported.
    pub fn bool_of(&mut self, value: Value, condition: &ast::Expr, what: &str) -> Option<bool> {
        match value {
            Value::Bool(value) => Some(value),
            Value::Error => None,
            found if found.is_run_time() => {
                let (what, list, at) = (what.to_owned(), self.list_in(condition), condition.span);
                self.report(NumberError::RunTimeCondition { what, found, list, at });
                None
            }
            found => {
                self.report(NumberError::NotCondition { what: what.to_owned(), found, at: condition.span });
                None
            }
        }
    }

    /// A name in an expression that stands for a list.
    fn list_in(&self, expr: &ast::Expr) -> Option<Box<(Arc<str>, Value)>> {
        let mut list = None;
        crate::sema::walk::expr(expr, &mut |part| {
            let binding = part.as_name().and_then(|name| self.frame().find(name));
            if let Some(binding) = binding.filter(|binding| list.is_none() && matches!(binding.value, Value::List(_)))
            {
                list = Some(Box::new((binding.name.clone(), binding.value.clone())));
            }
        });
        list
    }

    pub fn size_of(&mut self, value: &Value, what: &str, span: Span) -> Option<Dim> {
        let size = value.as_dim();
        match &size {
            Some(size) => {
                if size.as_number().is_some_and(|size| !(0..=MAX_SIZE).contains(&size)) {
                    let (what, size) = (what.to_owned(), size.clone());
                    self.report(NumberError::SizeOutside { what, size, at: span });
                    return None;
                }
            }
            None => self.whole_error(value, what, span),
        }
        size
    }

    /// Reports that something is not a whole number known at compile time.
    pub fn whole_error(&mut self, value: &Value, what: &str, span: Span) {
        if !value.is_error() {
            let (what, found) = (what.to_owned(), value.clone());
            self.report(NumberError::NotWhole { what, found, at: span });
        }
    }
}
