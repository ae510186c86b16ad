//! Reports of unknown names, with suggestions of what was probably meant.

use crate::sema::scope::candidates::{Candidate, NameKind, Standing};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::builtins;
use crate::sema::scope::module::{Found, ModuleId};
use crate::sema::scope::report::names::{Meant, TooEarly, UnknownName};
use crate::sema::settings;
use crate::ir::program::PLATEAUS;
use crate::sema::value::Value;
use crate::base::foreign::Foreign;
use crate::base::{Span, foreign, nearest};
use crate::syntax::ast::{self, Role, StatementKind};
use std::sync::Arc;

/// The constants of the language.
const CONSTANTS: [&str; 5] = ["true", "false", "none", "pi", "inf"];

/// A statement that gives a name its value.
struct Giver {
    statement: Span,
    name: Span,
    is_definition: bool,
}

impl Elaborator<'_> {
    /// Reports a name that is not known.
    pub fn unknown_name(&mut self, name: &str, span: Span) -> Value {
        if self.is_broken_field(name) {
            return Value::Error;
        }
        let error = match self.given_below(name, span) {
            Some(giver) => {
                let meant = Some(self.too_early(span, &giver));
                UnknownName { name: name.to_owned(), at: span, meant }
            }
            None => match self.behind_module(name, span) {
                Some((at, last)) => {
                    let meant = Some(self.without_module(&last, at));
                    UnknownName { name: self.text(at).to_owned(), at, meant }
                }
                None => {
                    UnknownName { name: name.to_owned(), at: span, meant: self.probably_meant(name, span) }
                }
            },
        };
        self.report(error);
        Value::Error
    }

    /// Whether a data set that was reported as wrong declares a field of this name.
    fn is_broken_field(&mut self, name: &str) -> bool {
        let broken: Vec<Arc<str>> =
            self.data.sets.iter().filter(|(_, info)| info.broken).map(|(set, _)| set.clone()).collect();
        broken.iter().any(|set| {
            let found = self.find_item(ModuleId::MAIN, set);
            let Some(Found::Item(item)) = found else { return false };
            let ast::ItemKind::Data(data) = &item.item.kind else { return false };
            data.fields.iter().any(|field| field.name.as_str() == name)
        })
    }

    fn probably_meant(&self, name: &str, span: Span) -> Option<Meant> {
        if let Some(constant) = CONSTANTS.iter().find(|constant| **constant == name.to_lowercase()) {
            return Some(Meant::Constant(constant));
        }
        if let Some(field) = self.data.current.declared.iter().find(|field| field.name.as_str() == name) {
            return Some(Meant::FieldBelow(field.name.span));
        }
        if let Some(set) = self.data.set_with_field(name) {
            return Some(Meant::Column { set: set.to_string() });
        }
        if name == PLATEAUS {
            return Some(Meant::Plateaus);
        }
        let known = self.known_names();
        let standing = Standing::of(&self.sources.file(span.file).text, span);
        let folded = foreign::folded(name);
        // A name that differs by capitals is meant whatever it names.
        if let Some(same) = known.iter().find(|known| foreign::folded(&known.name) == folded) {
            return Some(Meant::Near(same.name.clone()));
        }
        if let Some(row) = foreign::find(foreign::NAMES, name) {
            return Some(self.elsewhere(row, span));
        }
        if let Some(row) = foreign::find(foreign::STATEMENTS, name) {
            return Some(Meant::Elsewhere { row, replaced: span });
        }
        if let Some(plain) = name.strip_suffix('\'').filter(|plain| known.iter().any(|known| known.name == *plain)) {
            return Some(Meant::Transposed(plain.to_owned()));
        }
        let fitting = known.iter().filter(|known| standing.takes(known.kind));
        if let Some(near) = nearest(name, fitting.map(|known| known.name.as_str())) {
            return Some(Meant::Near(near.to_owned()));
        }
        if let Some(what) = standing.only() {
            let fitting = known.iter().filter(|known| standing.takes(known.kind));
            return Some(Meant::OneOf { what, names: fitting.map(|known| known.name.clone()).collect() });
        }
        if matches!(name, "step" | "epoch") {
            return Some(if name == "step" { Meant::Step } else { Meant::Epoch });
        }
        let before = self.before_bracket(span)?;
        Some(if before.ends_with("->") || before.ends_with(':') { Meant::Size } else { Meant::Index })
    }

    /// All names that are known here.
    fn known_names(&self) -> Vec<Candidate> {
        let candidate = |name: &str, kind: NameKind| Candidate { name: name.to_owned(), kind };
        let bindings = self.frame().bindings.iter().rev();
        let mut known: Vec<Candidate> =
            bindings.map(|binding| candidate(&binding.name, NameKind::Binding)).collect();
        known.extend(
            self.modules.names(self.frame().module).into_iter().map(|(name, kind)| candidate(name, kind)),
        );
        known.extend(builtins::names().map(|name| candidate(name, NameKind::Definition(Role::Fn))));
        known.push(candidate("training", NameKind::Binding));
        if self.context.row().is_some() {
            let words = settings::names(settings::COLUMNS).into_iter();
            known.extend(words.map(|name| candidate(name, NameKind::Column)));
        }
        known
    }

    /// `torch.nn.Linear`: the whole, and the name at its end.
    fn behind_module(&self, name: &str, span: Span) -> Option<(Span, String)> {
        if !foreign::is_module(name) {
            return None;
        }
        let text = &self.sources.file(span.file).text;
        let (mut end, mut last) = (span.end as usize, None);
        while let Some(rest) = text[end..].strip_prefix('.') {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if length == 0 {
                break;
            }
            last = Some(&rest[..length]);
            end += 1 + length;
        }
        Some((Span { end: end as u32, ..span }, last?.to_owned()))
    }

    /// What a name behind the module of another language is here.
    fn without_module(&self, last: &str, at: Span) -> Meant {
        let constants = CONSTANTS.into_iter().map(str::to_owned);
        let mut names = self.known_names().into_iter().map(|known| known.name).chain(constants);
        let same = names.find(|known| foreign::folded(known) == foreign::folded(last));
        match (same, foreign::find(foreign::NAMES, last)) {
            (Some(same), _) => Meant::WithoutModule(same),
            (None, Some(row)) => self.elsewhere(row, at),
            (None, None) => Meant::Module,
        }
    }

    /// What another library calls so. Where that makes an object first, `MSELoss()(z, y)`, and a function here does
    /// without, the empty parentheses go, too.
    fn elsewhere(&self, row: &'static Foreign, span: Span) -> Meant {
        let text = &self.sources.file(span.file).text;
        let is_function = row.here.starts_with(|c: char| c.is_lowercase());
        let made_first = is_function && text[span.end as usize..].starts_with("()(");
        let replaced = if made_first { Span { end: span.end + 2, ..span } } else { span };
        Meant::Elsewhere { row, replaced }
    }

    /// What stands before the open `[` that a place in a line is in, if it is in one.
    fn before_bracket(&self, span: Span) -> Option<&str> {
        let text = &self.sources.file(span.file).text;
        let line = text[..span.start as usize].rsplit('\n').next().unwrap_or("");
        let mut open = Vec::new();
        for (at, c) in line.char_indices() {
            match c {
                '[' => open.push(at),
                ']' => drop(open.pop()),
                _ => {}
            }
        }
        open.last().map(|at| line[..*at].trim_end())
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

    fn too_early(&self, span: Span, giver: &Giver) -> Meant {
        let in_itself = giver.statement.start <= span.start && span.end <= giver.statement.end;
        let how = match (in_itself, giver.is_definition) {
            (true, true) => TooEarly::InItsDefinition,
            (true, false) if !self.scans.is_empty() => TooEarly::InScan,
            (true, false) => TooEarly::InItsLine,
            (false, _) => TooEarly::Above,
        };
        Meant::TooEarly { given: giver.name, how }
    }
}

fn find_giver(block: &ast::Block, name: &str, found: &mut dyn FnMut(Giver)) {
    for statement in &block.statements {
        let mut give = |given: Span, is_definition: bool| {
            found(Giver { statement: statement.span, name: given, is_definition });
        };
        match &statement.kind {
            StatementKind::Bind { target, .. } if target.as_plain().is_some_and(|bound| &**bound == name) => {
                give(target.span, false);
            }
            StatementKind::Unpack { names, .. } => {
                let given = names.iter().flatten().find(|given| given.as_str() == name);
                given.iter().for_each(|name| give(name.span, false));
            }
            StatementKind::Define(definition) if definition.name.as_str() == name => {
                give(definition.name.span, true);
            }
            StatementKind::Scan(scan) => find_giver(&scan.body, name, found),
            StatementKind::For(inner) => find_giver(&inner.body, name, found),
            StatementKind::If(inner) => {
                let bodies = inner.branches.iter().map(|branch| &branch.body).chain(&inner.otherwise);
                bodies.for_each(|body| find_giver(body, name, found));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sema::scope::prelude;
    use super::*;
    use crate::base::FileId;
    use crate::syntax;

    /// The items of the library.
    fn library() -> Vec<ast::Item> {
        let parse = |(_, text): &(&str, &str)| syntax::parse(FileId(0), text).0;
        let items = prelude::FILES.iter().map(parse).flat_map(|file| file.items.into_iter());
        items.map(|item| ast::Item::clone(&item)).collect()
    }

    #[test]
    fn what_takes_the_place_of_a_name_exists() {
        let library = library();
        let words =
            ["csv", "npy", "standardize", "fill", "is_missing", "none", "inf", "pi", "uniform", "normal"];
        for row in foreign::NAMES.iter().filter(|row| !row.here.is_empty()) {
            let known =
                library.iter().any(|item| item.kind.name().is_some_and(|name| name.as_str() == row.here))
                    || builtins::find(row.here).is_some()
                    || words.contains(&row.here);
            assert!(known, "`{}` takes the place of {}, but does not exist", row.here, row.theirs);
        }
    }

    #[test]
    fn names_of_the_library_are_not_foreign() {
        for item in library() {
            let Some(name) = item.kind.name() else { continue };
            let theirs = foreign::NAMES.iter().flat_map(|row| row.theirs.split_whitespace());
            let same: Vec<&str> = theirs.filter(|theirs| theirs == &name.as_str()).collect();
            assert!(same.is_empty(), "the library has `{name}`");
        }
    }

    #[test]
    fn what_takes_the_place_of_an_argument_is_a_parameter() {
        let library = library();
        let mut parameters: Vec<String> = Vec::new();
        for item in &library {
            let ast::ItemKind::Definition(definition) = &item.kind else { continue };
            let lists = [&definition.hyper, &definition.inputs];
            let names = lists.into_iter().flatten().flat_map(|list| &list.parameters);
            parameters.extend(names.map(|parameter| parameter.name.to_string()));
        }
        for name in builtins::names().filter_map(builtins::find).map(|builtin| builtin.parameters) {
            parameters
                .extend(name.split(',').map(|part| part.split('=').next().unwrap_or(part).trim().to_owned()));
        }
        parameters.push("separator".to_owned());
        for row in foreign::ARGUMENTS.iter().filter(|row| !row.here.is_empty()) {
            assert!(parameters.iter().any(|name| name == row.here), "`{}` for {}", row.here, row.theirs);
        }
    }
}
