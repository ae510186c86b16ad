//! Names that mean nothing where they stand: what was probably meant.

use super::elaborator::Elaborator;
use super::value::Value;
use crate::base::{Diagnostic, Span, nearest};
use crate::syntax::ast::{self, StatementKind};

/// Constants as other languages write them.
const CONSTANTS: [(&str, &str); 9] = [
    ("True", "true"),
    ("False", "false"),
    ("None", "none"),
    ("null", "none"),
    ("nil", "none"),
    ("Pi", "pi"),
    ("PI", "pi"),
    ("Inf", "inf"),
    ("INF", "inf"),
];

/// Parameters as other libraries call them.
const PARAMETERS: [(&str, &str); 10] = [
    ("dim", "axis"),
    ("dims", "axis"),
    ("keepdim", "keep"),
    ("keepdims", "keep"),
    ("learning_rate", "lr"),
    ("kernel_size", "kernel"),
    ("out_features", "out"),
    ("units", "out"),
    ("hidden_size", "hidden"),
    ("num_heads", "heads"),
];

/// The parameter that is probably meant by `name`.
pub fn meant_parameter<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let foreign = PARAMETERS.iter().find(|(other, _)| *other == name).map(|(_, own)| *own);
    let foreign = foreign.and_then(|own| names.iter().find(|known| **known == own)).copied();
    foreign.or_else(|| nearest(name, names.iter().copied()))
}

/// A statement that gives a name its value.
struct Giver {
    statement: Span,
    name: Span,
    is_definition: bool,
}

impl Elaborator<'_> {
    /// Reports a name that is not known.
    pub fn unknown_name(&mut self, name: &str, span: Span) -> Value {
        let error = Diagnostic::error("E0101", format!("`{name}` is not known here")).at(span, "not known");
        let error = match self.given_below(name, span) {
            Some(giver) => self.given_too_late(error, name, span, &giver),
            None => self.probably_meant(error, name, span),
        };
        self.report(error);
        Value::Error
    }

    fn probably_meant(&mut self, error: Diagnostic, name: &str, span: Span) -> Diagnostic {
        if let Some((_, own)) = CONSTANTS.iter().find(|(other, _)| *other == name) {
            return error.suggest(format!("it is written `{own}`"), span, *own);
        }
        if let Some(field) = self.data.declared.iter().find(|own| own.name.as_str() == name) {
            let error = error.and_at(field.name.span, "this field stands below");
            return error.help("a field may use those above it");
        }
        if let Some(set) = self.data.set_with_field(name) {
            return error
                .help(format!("outside of a `train` of this data, `{set}.{name}` is the whole column"));
        }
        let mut candidates: Vec<String> =
            self.frame().bindings.iter().rev().map(|own| own.name.to_string()).collect();
        candidates.extend(self.modules.names(self.frame().module).into_iter().map(String::from));
        candidates.extend(super::builtins::names().map(String::from));
        candidates.push("training".to_string());
        if let Some(near) = nearest(name, candidates.iter().map(String::as_str)) {
            return error.suggest(format!("did you mean `{near}`?"), span, near);
        }
        if name == "step" {
            return error.help("`step` is given in optimisers and schedules");
        }
        if self.in_square_brackets(span) {
            return error.help(format!(
                "an index is introduced on the left-hand side, `y[{name}] = …`, or by a reducer, `sum[{name}](…)`"
            ));
        }
        error
    }

    /// Whether an open `[` stands before a place in its line.
    fn in_square_brackets(&self, span: Span) -> bool {
        let text = &self.sources.file(span.file).text;
        let line = text[..span.start as usize].rsplit('\n').next().unwrap_or("");
        let mut depth = 0;
        for c in line.chars() {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
        }
        depth > 0
    }

    /// The statement of the present body that gives the name its value, but too late.
    fn given_below(&self, name: &str, span: Span) -> Option<Giver> {
        let definition = self.frame().item.as_ref()?.definition()?;
        let mut found = None;
        find_giver(&definition.body, name, &mut |giver| {
            if found.is_none() && giver.statement.file == span.file && giver.statement.end > span.start {
                found = Some(giver);
            }
        });
        found
    }

    fn given_too_late(&self, error: Diagnostic, name: &str, span: Span, giver: &Giver) -> Diagnostic {
        let in_itself = giver.statement.start <= span.start && span.end <= giver.statement.end;
        match (in_itself, giver.is_definition) {
            (true, true) => error
                .and_at(giver.name, "this is what is being defined")
                .help("a recurrence is a `scan` with a `carry`"),
            (true, false) if !self.scans.is_empty() => error
                .and_at(giver.name, "this line gives it its value")
                .help(format!("`carry {name} = 0` at the top of the scan passes it on from step to step")),
            (true, false) => error.and_at(giver.name, "this very line gives it its value"),
            (false, _) => error.and_at(giver.name, "it gets its value below"),
        }
    }
}

fn find_giver(block: &ast::Block, name: &str, found: &mut dyn FnMut(Giver)) {
    for statement in &block.statements {
        let mut give = |own: Span, is_definition: bool| {
            found(Giver { statement: statement.span, name: own, is_definition });
        };
        match &statement.kind {
            StatementKind::Bind { target, .. } if target.as_plain().is_some_and(|own| &**own == name) => {
                give(target.span, false);
            }
            StatementKind::Unpack { names, .. } => {
                let own = names.iter().flatten().find(|own| own.as_str() == name);
                own.iter().for_each(|own| give(own.span, false));
            }
            StatementKind::Define(definition) if definition.name.as_str() == name => {
                give(definition.name.span, true);
            }
            StatementKind::Scan(scan) => find_giver(&scan.body, name, found),
            StatementKind::For(own) => find_giver(&own.body, name, found),
            StatementKind::If(own) => {
                let bodies = own.branches.iter().map(|branch| &branch.body).chain(&own.otherwise);
                bodies.for_each(|body| find_giver(body, name, found));
            }
            _ => {}
        }
    }
}
