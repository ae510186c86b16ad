//! Which argument goes to which parameter.

use crate::base::{Diagnostic, Span, foreign};
use crate::sema::value::Given;
use crate::sema::scope::Scope;
use crate::sema::scope::frames::FrameKind;
use crate::sema::scope::report::count;
use crate::sema::scope::report::names::meant_parameter;
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
        let wanted = match (is_flag, value) {
            (true, Value::Bool(_)) => return true,
            (true, other) if !other.is_run_time() => "true or false",
            (false, Value::Bool(_)) => "a number",
            _ => return true,
        };
        let message = format!("`{}` of `{callee}` is {wanted}, found {}", parameter.name, value.describe());
        let error = Diagnostic::error("E0647", message).at(at, format!("not {wanted}"));
        let error = with_place(error, parameter.span, "declared here");
        let is_size = is_flag && value.is_number() && positional.len() > 1 && positional.contains(&at);
        self.report(match is_size && !matches!(self.frame().kind, FrameKind::Optimizer) {
            true => {
                let others: Vec<&str> = positional[1..].iter().map(|span| self.text(*span)).collect();
                error.help(format!("the sizes of inputs are inferred: `{callee}({})`", others.join(", ")))
            }
            false => error,
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
                        let message = format!(
                            "`{callee}` takes {}, {positional} are given",
                            count(names.len(), "argument", "arguments")
                        );
                        let error = Diagnostic::error("E0106", message).at(given.span, "one too many");
                        let error = match foreign::find(foreign::METHODS, callee) {
                            Some(row) => error.help(row.advice),
                            None => error,
                        };
                        self.report(with_place(error, declared, "declared here"));
                        fits = false;
                        continue;
                    }
                    next - 1
                }
                Some(name) => match names.iter().position(|it| *it == name.as_str()) {
                    Some(at) => at,
                    None => {
                        let message = format!("`{callee}` has no parameter `{name}`");
                        let error = Diagnostic::error("E0106", message).at(name.span, "not a parameter");
                        let error = meant_parameter(error, name, names);
                        self.report(with_place(error, declared, "declared here"));
                        fits = false;
                        continue;
                    }
                },
            };
            if let Some(first) = &places[at] {
                let message = format!("`{}` of `{callee}` is given twice", names[at]);
                let error = Diagnostic::error("E0108", message).at(given.span, "given again");
                self.report(error.and_at(first.span, "given here"));
                fits = false;
                continue;
            }
            places[at] = Some(given);
        }
        fits.then_some(places)
    }
}

fn with_place(error: Diagnostic, span: Span, message: &str) -> Diagnostic {
    if span == Span::default() { error } else { error.and_at(span, message) }
}
