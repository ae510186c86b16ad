//! Arguments: put in the order of the parameters, bound, matched against written types.

use crate::sema::value::Given;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::frames::BindingKind;
use crate::sema::body::signature::TypedInput;
use crate::sema::value::Value;
use crate::sema::scope::report::calls::ArgumentError;
use crate::base::Span;
use crate::syntax::ast;

impl Elaborator<'_> {
    /// Binds the arguments of a call in the present frame, and matches typed ones against their types.
    pub fn bind_parameters(
        &mut self,
        list: Option<&ast::ParameterList>,
        given: Vec<Given>,
        callee: &str,
        declared: Span,
        kind: BindingKind,
        span: Span,
    ) -> bool {
        let parameters = list.map_or(&[][..], |list| &list.parameters);
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let positional: Vec<Span> =
            given.iter().filter(|given| given.name.is_none()).map(|given| given.span).collect();
        let Some(places) =
            self.place_arguments(&names, given, callee, list.map_or(declared, |list| list.span))
        else {
            return false;
        };
        let mut typed = Vec::new();
        let mut fits = true;
        for (parameter, given) in parameters.iter().zip(places) {
            let (value, at) = match (given, &parameter.default) {
                (Some(given), _) => (given.value, given.span),
                (None, Some(default)) => (self.expr(default, None), default.span),
                (None, None) => {
                    self.report(ArgumentError::Missing {
                        callee: callee.to_owned(),
                        parameter: parameter.name.clone(),
                        declared: parameter.span,
                        at: span,
                    });
                    fits = false;
                    (Value::Error, span)
                }
            };
            fits &= !value.is_error()
                && (kind != BindingKind::Hyper
                    || self.is_of_kind(parameter, &value, at, (callee, &positional)));
            // The value by which the gradient differentiates must be a node, so a number becomes a tensor.
            let fixed = value.is_number() || matches!(value, Value::List(_));
            let of_floats = !matches!(
                parameter.ty.as_ref().map(|ty| &ty.kind),
                Some(ast::TypeKind::Tensor { element, .. }) if !matches!(element, ast::Element::Float)
            );
            let value = if fixed && of_floats && self.frame().marked.contains(&parameter.name.text) {
                self.mark(value, at)
            } else {
                value
            };
            let none = matches!(value, Value::None);
            self.frame_mut().bind(parameter.name.text.clone(), value, at, kind);
            if let Some(ty) = &parameter.ty
                && !none
            {
                typed.push(TypedInput { name: &parameter.name, ty, span: at });
            }
        }
        fits && self.match_inputs(&typed, callee)
    }
}

