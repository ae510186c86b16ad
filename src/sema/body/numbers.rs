//! Conditions, whole numbers and sizes that must be known at compile time.

use crate::ir::Dim;
use crate::sema::body::elaborator::Elaborator;
use crate::syntax::ast;

impl Elaborator<'_> {
    /// A compile-time condition. `None` is reported.
    pub fn compile_time_bool(&mut self, condition: &ast::Expr, what: &str) -> Option<bool> {
        let value = self.expr(condition, None);
        self.bool_of(value, condition, what)
    }

    /// A compile-time int. `None` is reported.
    pub fn compile_time_int(&mut self, expr: &ast::Expr, what: &str) -> Option<i64> {
        let value = self.expr(expr, None);
        match value.as_int() {
            Some(number) => Some(number),
            None => {
                self.whole_error(&value, what, expr.span);
                None
            }
        }
    }

    /// A size: an int, possibly of symbolic dimensions. `None` is reported.
    pub fn size(&mut self, expr: &ast::Expr, what: &str) -> Option<Dim> {
        let value = self.expr(expr, None);
        self.size_of(&value, what, expr.span)
    }
}
