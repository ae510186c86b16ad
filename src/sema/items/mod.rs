//! Data, training and output: everything of a file that is carried out, as an [`ir::program::Program`](Program).

use super::elaborator::Elaborator;
use super::value::{DataValue, Value};
use crate::base::Span;
use crate::ir::program::Program;
use crate::syntax::ast;

/// Elaborates all items of the main file. Errors are in the elaborator.
pub fn program(elaborator: &mut Elaborator<'_>) -> Program {
    let program = Program::default();
    let Some(main) = elaborator.modules.main() else { return program };
    for item in main.items.clone() {
        match &item.item.kind {
            ast::ItemKind::Train(_)
            | ast::ItemKind::Data(_)
            | ast::ItemKind::Print(_)
            | ast::ItemKind::Expect(_)
            | ast::ItemKind::Plot(_) => {
                elaborator.error("E0199", "this item is not supported yet", item.item.span, "here");
            }
            ast::ItemKind::Precision(_)
            | ast::ItemKind::Import(_)
            | ast::ItemKind::Const(_)
            | ast::ItemKind::Definition(_) => {}
        }
    }
    program
}

/// `digits.image`, `digits.test`, `digits.test.image`, `digits.rows`
pub fn data_field(elaborator: &mut Elaborator<'_>, data: &DataValue, name: &str, span: Span) -> Value {
    let _ = (data, name);
    elaborator.error("E0199", "columns of data are not supported yet", span, "here")
}
