//! Functions that look at their arguments before they are elaborated, and at the kind of a value.

use crate::sema::value::{Builtin as Function, Special};
use super::{Arguments, Builtin};
use crate::sema::build::Builder;
use crate::sema::scope::report::calls::{SpecialCallError, SpecialForm};
use crate::sema::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
function: Function {
        name: "kind",
        parameters: "x",
        doc: "\"float\", \"int\", \"bool\", \"list\", \"string\", \"function\", \"layer\", \"parameters\" or \"none\", known at compile time.",
        elementwise: true,
 special: Some(Special::Kind),
},
run: |e, a| kind(e, a),
},
    Builtin {
function: Function {
        name: "grad",
        parameters: "y, x",
        doc: "The derivative of sum(y) with respect to the name x, a tensor or parameters.",
        elementwise: false,
 special: Some(Special::Grad),
},
run: |e, a| e.report(SpecialCallError::AsValue { function: SpecialForm::Grad, at: a.span }),
},
    Builtin {
function: Function {
        name: "repeat",
        parameters: "n, layer",
        doc: "n instances in a row, called 0, 1, … inside it.",
        elementwise: false,
 special: Some(Special::Repeat),
},
run: |e, a| e.report(SpecialCallError::AsValue { function: SpecialForm::Repeat, at: a.span }),
},
];

fn kind(e: &mut Builder<'_>, a: &Arguments) -> Value {
    let x = a.arg("x");
    match x.value.kind() {
        Some(kind) => Value::Str(kind.into()),
        None => e.report(SpecialCallError::HasNoKind { found: x.value.clone(), at: x.span }),
    }
}

