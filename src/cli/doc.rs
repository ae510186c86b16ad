//! `nnc doc`: what the `##` comments say of the library, and of a program; and the words of the language.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, input, report, say};
use crate::base::{SourceMap, Span, foreign, nearest};
use crate::runtime::program::Diagnostics;
use crate::sema::{prelude, reference};
use crate::syntax::{self, ast};

/// Tell about the library and the language, or about what a program declares.
#[derive(Args)]
#[command(after_help = "\
Examples:
  nnc doc                       everything in the language and its library, a line each
  nnc doc Conv2d cosine         these, with their source
  nnc doc reshape scan train    built-in functions and words of the language, too
  nnc doc --file lenet.nn       what a program declares
  nnc doc --file lenet.nn LeNet")]
pub struct Doc {
    /// What to tell about; a line about each if nothing is named.
    names: Vec<String>,
    /// A program instead of the library; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Doc {
    pub fn carry_out(self) -> Result<(), Failure> {
        let mut sources = SourceMap::default();
        let mut files = Vec::new();
        match &self.file {
            Some(path) => {
                let program = input::read(path)?;
                let id = sources.add(program.name.as_str(), program.text.as_str());
                let (tree, list) = syntax::parse(id, &program.text);
                if list.iter().any(|diagnostic| diagnostic.is_error()) {
                    report(&Diagnostics { list, sources });
                    return Err(Failure::Silent);
                }
                files.push((program.name, tree));
            }
            None => {
                for (name, text) in prelude::FILES {
                    let id = sources.add(*name, *text);
                    let topic = name.trim_start_matches("prelude/").trim_end_matches(".nn");
                    files.push((topic.to_owned(), syntax::parse(id, text).0));
                }
            }
        }
        if self.names.is_empty() {
            let mut pages: Vec<String> = if self.file.is_none() { language() } else { Vec::new() };
            pages.extend(files.iter().map(|(topic, tree)| page(topic, tree, &sources)));
            say(&pages.into_iter().filter(|page| !page.is_empty()).collect::<Vec<_>>().join("\n\n"));
            return Ok(());
        }
        let items = || files.iter().flat_map(|(_, tree)| &tree.items);
        for (at, name) in self.names.iter().enumerate() {
            let called = |item: &&ast::Item| item.kind.name().is_some_and(|known| known.as_str() == name);
            let mut texts: Vec<String> = items().filter(called).map(|item| entry(item, &sources)).collect();
            if self.file.is_none() {
                let words = reference::entries().into_iter().filter(|entry| entry.name == name);
                texts.extend(words.map(|entry| format!("{}\n\n{}", entry.doc, entry.form)));
            }
            if texts.is_empty() {
                let names = items().filter_map(|item| item.kind.name()).map(ast::Name::as_str);
                return Err(Failure::Usage(self.nothing_called(name, names.collect())));
            }
            if at > 0 {
                say("");
            }
            say(&texts.join("\n\n"));
        }
        Ok(())
    }

    /// What is said about a name that there is not.
    fn nothing_called(&self, name: &str, mut names: Vec<&str>) -> String {
        let message = format!("nothing is called `{name}` here");
        if self.file.is_none() {
            names.extend(reference::entries().iter().map(|entry| entry.name));
            let same = names.iter().any(|known| foreign::folded(known) == foreign::folded(name));
            if let Some(row) = foreign::find(foreign::NAMES, name).filter(|_| !same) {
                return match (row.here, row.advice) {
                    ("", advice) => format!("{message}; {advice}"),
                    (here, "") => format!("{message}; it is `{here}`"),
                    (here, advice) => format!("{message}; it is `{here}`: {advice}"),
                };
            }
        }
        match nearest(name, names) {
            Some(near) => format!("{message}; there is `{near}`"),
            None => message,
        }
    }
}

/// The words of the language and its functions, by subject.
fn language() -> Vec<String> {
    let entries = reference::entries();
    let mut pages: Vec<(&str, Vec<String>)> = Vec::new();
    for entry in &entries {
        if pages.last().is_none_or(|(subject, _)| *subject != entry.subject) {
            pages.push((entry.subject, vec![entry.subject.to_owned()]));
        }
        if let Some((_, lines)) = pages.last_mut() {
            lines.push(format!("  {}", entry.form));
            lines.push(format!("      {}", first_sentence(entry.doc)));
        }
    }
    pages.into_iter().map(|(_, lines)| lines.join("\n")).collect()
}

/// A line for each item of a file: its signature and the first sentence about it.
fn page(topic: &str, tree: &ast::File, sources: &SourceMap) -> String {
    let mut lines = Vec::new();
    for item in tree.items.iter().filter(|item| item.kind.name().is_some()) {
        lines.push(format!("  {}", signature(item, sources)));
        if let Some(doc) = &item.doc {
            lines.push(format!("      {}", first_sentence(&doc.text)));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("{topic}\n{}", lines.join("\n"))
}

/// All that is written about an item, and the item itself.
fn entry(item: &ast::Item, sources: &SourceMap) -> String {
    let source = sources.text(item.span).trim_end();
    match &item.doc {
        Some(doc) => format!("{}\n\n{source}", doc.text.trim_end()),
        None => source.to_owned(),
    }
}

/// The item up to its body, on one line.
fn signature(item: &ast::Item, sources: &SourceMap) -> String {
    let end = match &item.kind {
        ast::ItemKind::Definition(definition) => {
            let lists =
                [&definition.hyper, &definition.inputs].into_iter().flatten().map(|list| list.span.end);
            lists
                .chain(definition.result.as_ref().map(|ty| ty.span.end))
                .max()
                .unwrap_or(definition.name.span.end)
        }
        _ => item.kind.name().map_or(item.span.end, |name| name.span.end),
    };
    let text = sources.text(Span { end, ..item.span });
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.find(". ") {
        Some(end) => line[..=end].to_owned(),
        None => line,
    }
}
