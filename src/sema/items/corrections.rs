//! Digits that an optimizer's formula loses in 32 bits: `1 - beta^step` is a difference of two numbers near 1.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::module::{ItemRef, ModuleId};
use crate::sema::scope::report::training::TrainWarning;
use crate::sema::walk;
use crate::syntax::ast::{self, BinaryOp, Expr, ExprKind};

/// Warns where the body of an optimizer of the program has `1 - beta^step`.
pub fn check(cx: &mut Elaborator<'_>, item: &ItemRef, definition: &ast::Definition) {
    if item.module == ModuleId::PRELUDE || has_wide_floats(cx) {
        return;
    }
    let mut corrections = Vec::new();
    walk::block(&definition.body, &mut |expr| {
        let base = base_of_correction(expr);
        corrections.extend(base.map(|base| TrainWarning::Correction { base: base.span, at: expr.span }));
    });
    for correction in corrections {
        cx.report(correction);
    }
}

fn has_wide_floats(cx: &Elaborator<'_>) -> bool {
    let items = cx.modules.main().map(|main| main.items.as_slice()).unwrap_or_default();
    items.iter().any(
        |item| matches!(&item.item.kind, ast::ItemKind::Precision(precision) if precision.float == ast::FloatWidth::F64),
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
