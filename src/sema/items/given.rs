//! Fields of data that whoever runs the program gives: `x: [4]`, a type and no value.

use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Select, Source};
use crate::ir::{Elem, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::value::Value;
use crate::syntax::ast;

/// Finds the fields that have a type and no value, which whoever runs the program gives. `false` if the data has
/// another source as well.
pub(super) fn read_given(cx: &mut Elaborator<'_>, item: &ast::Data, set: &mut DataSet) -> bool {
    let Some(given) = item.fields.iter().find(|field| field.value.is_none()) else { return true };
    let Some(source) = &item.source else {
        set.source = Source::Given { span: given.span };
        return true;
    };
    let (name, ty) = (&given.name, given.ty.as_ref().map_or("", |ty| cx.text(ty.span)));
    let error = Diagnostic::error("E0755", format!("`{name}` does not say what of the file it is"));
    let error = error.at(given.span, "a type and no value").and_at(source.span, "the rows are read here");
    let error = error.help(format!("say it: `{name}: {ty} = tensor(\"{name}\")`, or `= column(\"{name}\")`"));
    cx.report(error.help("only data without a file may be given by the program that runs this one"));
    false
}

impl Elaborator<'_> {
    /// The present row of a field that the program is given: `x: [4]`.
    pub fn given_field(&mut self, field: &ast::DataField, expected: &Expected) -> Value {
        let row = Type::new(expected.elem.unwrap_or(Elem::Float), expected.shape());
        self.read_column(Select::Tensor(field.name.text.to_string()), None, row, field.span)
    }
}
