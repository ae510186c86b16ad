//! Settings of the command line that take the place of those in the file: they become lines of its `train`s
//! before anything is checked, so they are checked like any others.

use crate::base::order::PutInOrder;
use crate::base::{Diagnostic, SourceMap};
use crate::syntax::{self, ast};

/// What the command line changes.
#[derive(Clone, Default, Debug)]
pub struct Settings {
    /// `key = value` of every `train`.
    pub train: Vec<(String, String)>,
    /// `f32` or `f64`.
    pub precision: Option<String>,
}

impl Settings {
    /// From `train.key=value`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let wrong = || format!("`--set {text}`: write it as train.key=value, for example train.batch=64");
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let key = key.trim().strip_prefix("train.").ok_or_else(wrong)?;
        if !syntax::tokens::is_name(key) || value.trim().is_empty() || value.contains('\n') {
            return Err(wrong());
        }
        self.add(key, value.trim().to_owned())
    }

    /// Adds `key = value` of every `train`.
    ///
    /// # Errors
    /// If the command line has said it before.
    pub fn add(&mut self, key: &str, value: String) -> Result<(), String> {
        let length = |key: &str| matches!(key, "epochs" | "steps");
        match self.train.iter().find(|(known, _)| known == key || length(known) && length(key)) {
            Some((known, _)) if known == key => {
                Err(format!("`{key}` is set twice on the command line: remove one of them"))
            }
            Some((known, _)) => Err(format!(
                "the command line sets `{known}` and `{key}`: either of them says how long to train"
            )),
            None => {
                self.train.push((key.to_owned(), value));
                Ok(())
            }
        }
    }

    /// Puts the settings into a file's tree; the text of the command line becomes a source of its own.
    pub fn apply(&self, sources: &mut SourceMap, file: &mut ast::File) -> Vec<Diagnostic> {
        let mut text = String::new();
        if let Some(precision) = &self.precision {
            text.push_str(&format!("precision = {precision}\n"));
        }
        if !self.train.is_empty() {
            let lines = self.train.iter().map(|(key, value)| format!("    {key} = {value}\n"));
            text.push_str(&format!("train {{\n{}}}\n", lines.collect::<String>()));
        }
        if text.is_empty() {
            return Vec::new();
        }
        let id = sources.add("command line", text.as_str());
        let (given, errors) = syntax::parse(id, &text);
        for item in given.items {
            match item.kind {
                ast::ItemKind::Precision(_) => {
                    file.items.retain(|item| !matches!(item.kind, ast::ItemKind::Precision(_)));
                    file.items.insert(0, item);
                }
                ast::ItemKind::Train(given) => {
                    file.change_items(&mut |kind| {
                        if let ast::ItemKind::Train(train) = kind {
                            replace(train, &given.settings);
                        }
                    });
                }
                _ => {}
            }
        }
        errors.into_iter().filter(|error| error.is_error()).collect()
    }

    /// The text of a program with these settings written into it.
    pub fn written_into(&self, text: &str) -> String {
        let mut sources = SourceMap::default();
        let id = sources.add("program", text);
        let (file, _) = syntax::parse(id, text);
        let mut edits: Vec<(usize, usize, String)> = Vec::new();
        let mut precision = self.precision.as_ref().map(|width| format!("precision = {width}"));
        for item in &file.items {
            if let ast::ItemKind::Precision(_) = &item.kind
                && let Some(line) = precision.take()
            {
                edits.push((item.span.start as usize, item.span.end as usize, line));
            }
        }
        file.trainings().into_iter().for_each(|train| self.edits_of(train, text, &mut edits));
        edits.extend(precision.map(|line| (0, 0, format!("{line}\n"))));
        edits.put_in_order();
        let mut written = text.to_owned();
        for (start, end, new) in edits.into_iter().rev() {
            written.replace_range(start..end, &new);
        }
        written
    }

    fn edits_of(&self, train: &ast::Train, text: &str, edits: &mut Vec<(usize, usize, String)>) {
        for (key, value) in &self.train {
            let line = format!("{key} = {value}");
            let is_meant = |setting: &&ast::Setting| {
                let name = setting.name.as_str();
                name == key || matches!((name, key.as_str()), ("epochs", "steps") | ("steps", "epochs"))
            };
            let end = train.keyword_span.end as usize;
            match train.settings.iter().find(is_meant) {
                Some(known) => edits.push((known.span.start as usize, known.span.end as usize, line)),
                None => {
                    let brace = text[end..].find('{').map_or(end, |at| end + at + 1);
                    edits.push((brace, brace, format!("\n    {line}")));
                }
            }
        }
    }

    /// Whether there is something that only a `train` can take.
    pub fn needs_train(&self) -> bool {
        !self.train.is_empty()
    }
}

/// Whether a tree has a `train`.
pub fn has_train(file: &ast::File) -> bool {
    !file.trainings().is_empty()
}

fn replace(train: &mut ast::Train, given: &[ast::Setting]) {
    for setting in given {
        let name = setting.name.as_str();
        // `epochs` and `steps` say the same thing in two ways.
        let other = match name {
            "epochs" => "steps",
            "steps" => "epochs",
            name => name,
        };
        train.settings.retain(|setting| setting.name.as_str() != name && setting.name.as_str() != other);
        train.settings.push(setting.clone());
    }
}
