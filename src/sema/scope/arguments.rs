//! Which argument goes to which parameter.

use crate::base::Span;
use crate::sema::value::Given;
use crate::sema::scope::Scope;
use crate::sema::scope::frames::FrameKind;
use crate::sema::scope::report::calls::ArgumentError;
use crate::sema::value::Value;
use crate::syntax::ast;

impl Scope<'_> {
    /// Whether what is given for a hyperparameter is true or false exactly if its default is. A number by position
    /// for what is true or false is one too many: in other libraries the size of the input comes first.
    pub fn is_of_kind(
        &mut self,
        parameter: &ast::Parameter,
        value: &Value,
        at: Span,
        (callee, positional): (&str, &[Span]),
    ) -> bool {
        let Some(default) = &parameter.default else { return true };
        let is_flag = match &default.kind {
            ast::ExprKind::Constant(ast::Constant::True | ast::Constant::False) => true,
            ast::ExprKind::Int(_) | ast::ExprKind::Float(_) => false,
            _ => return true,
        };
        let fits = match (is_flag, value) {
            (true, Value::Bool(_)) => true,
            (true, other) => other.is_run_time(),
            (false, value) => !matches!(value, Value::Bool(_)),
        };
        if fits {
            return true;
        }
        let is_size = is_flag && value.is_number() && positional.len() > 1 && positional.contains(&at);
        let is_size = is_size && !matches!(self.frame().kind, FrameKind::Optimizer);
        self.report(ArgumentError::OtherKind {
            callee: callee.to_owned(),
            parameter: parameter.name.clone(),
            is_flag,
            found: Box::new(value.clone()),
            at,
            others: is_size.then(|| positional[1..].to_vec()),
            declared: known(parameter.span),
        });
        false
    }

    /// Puts arguments in the order of the parameters. `None` is reported.
    pub fn place_arguments(
        &mut self,
        names: &[&str],
        given: Vec<Given>,
        callee: &str,
        declared: Span,
    ) -> Option<Vec<Option<Given>>> {
        let mut places: Vec<Option<Given>> = names.iter().map(|_| None).collect();
        let positional = given.iter().filter(|given| given.name.is_none()).count();
        let mut next = 0;
        let mut fits = true;
        for given in given {
            let at = match &given.name {
                None => {
                    next += 1;
                    if next > names.len() {
                        self.report(ArgumentError::TooMany {
                            callee: callee.to_owned(),
                            takes: names.len(),
                            given: positional,
                            at: given.span,
                            declared: known(declared),
                        });
                        fits = false;
                        continue;
                    }
                    next - 1
                }
                Some(name) => match names.iter().position(|known| *known == name.as_str()) {
                    Some(at) => at,
                    None => {
                        self.report(ArgumentError::Unknown {
                            callee: callee.to_owned(),
                            name: name.clone(),
                            known: names.iter().map(|name| (*name).to_owned()).collect(),
                            declared: known(declared),
                        });
                        fits = false;
                        continue;
                    }
                },
            };
            if let Some(first) = &places[at] {
                self.report(ArgumentError::GivenTwice {
                    callee: callee.to_owned(),
                    parameter: names[at].to_owned(),
                    at: given.span,
                    first: first.span,
                });
                fits = false;
                continue;
            }
            places[at] = Some(given);
        }
        fits.then_some(places)
    }
}

/// The place of a declaration, unless it is of the language.
fn known(declared: Span) -> Option<Span> {
    (!declared.is_none()).then_some(declared)
}
