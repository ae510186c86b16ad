//! Fields of data that whoever runs the program gives: `x: [4]`, a type and no value.

use crate::ir::program::{DataSet, Select, Source};
use crate::ir::{Elem, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::sources::SourceError;
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
    let (name, ty) = (given.name.clone(), given.ty.as_ref().map(|ty| ty.span));
    cx.report(SourceError::FieldWithoutValue { name, ty, at: given.span, source: source.span });
    false
}

impl Elaborator<'_> {
    /// The present row of a field that the program is given: `x: [4]`.
    pub fn given_field(&mut self, field: &ast::DataField, expected: &Expected) -> Value {
        let row = Type::new(expected.elem.unwrap_or(Elem::Float), expected.shape());
        self.read_column(Select::Tensor(field.name.text.to_string()), None, row, field.span)
    }
}
