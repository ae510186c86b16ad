//! Digits that an optimizer's formula loses in 32 bits: `1 - beta^step` is a difference of two numbers near 1.

use crate::base::Diagnostic;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::{ItemRef, ModuleId};
use crate::sema::walk;
use crate::syntax::ast::{self, BinaryOp, Expr, ExprKind};

/// Warns where the body of an optimizer of the program has `1 - beta^step`.
pub fn check(cx: &mut Elaborator<'_>, item: &ItemRef, definition: &ast::Definition) {
    if item.module == ModuleId::PRELUDE || has_wide_floats(cx) {
        return;
    }
    let mut found = Vec::new();
    walk::block(&definition.body, &mut |expr| {
        if let Some(base) = base_of_correction(expr) {
            found.push((expr.span, base.span));
        }
    });
    for (span, base) in found {
        let better = format!("bias_correction({}, step)", cx.text(base));
        let warning = Diagnostic::warning("W0641", "`1 - b^step` loses digits in 32 bits");
        let warning = warning.at(span, "both numbers are near 1 in the first steps");
        cx.report(warning.suggest("the library's form loses none", span, better));
    }
}

fn has_wide_floats(cx: &Elaborator<'_>) -> bool {
    let items = cx.modules.main().map(|main| main.items.as_slice()).unwrap_or_default();
    items.iter().any(
        |item| matches!(&item.item.kind, ast::ItemKind::Precision(it) if it.float == ast::FloatWidth::F64),
    )
}

/// The b of `1 - b^step`.
fn base_of_correction(expr: &Expr) -> Option<&Expr> {
    let ExprKind::Binary { op: BinaryOp::Sub, left, right, .. } = &expr.kind else { return None };
    let is_one = match &left.kind {
        ExprKind::Int(1) => true,
        ExprKind::Float(number) => *number == 1.0,
        _ => false,
    };
    let ExprKind::Binary { op: BinaryOp::Pow, left: base, right: exponent, .. } = &right.kind else {
        return None;
    };
    (is_one && exponent.as_name().is_some_and(|name| &**name == "step")).then_some(base)
}
