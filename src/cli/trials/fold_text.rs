//! The text of a program whose data is divided into folds, in place of two parts.

use crate::base::SourceMap;
use crate::runtime::program::Program;
use crate::syntax::{self, ast};

/// The text with a `split` in which one of `count` folds, from 0, is held out. None if the data of the training does
/// not stand in it, or is not divided.
pub fn written(text: &str, program: &Program, count: usize, held: usize) -> Option<String> {
    let set = program.checked().trainings().next()?.data.set.clone();
    let mut sources = SourceMap::default();
    let id = sources.add("program", text);
    let (file, _) = syntax::parse(id, text);
    let split = file.items.iter().find_map(|item| match &item.kind {
        ast::ItemKind::Data(data) if data.name.text == set => data.split.as_ref(),
        _ => None,
    })?;
    let mut words = vec![format!("folds = {count}"), format!("fold = {}", held + 1)];
    let others = split.options.iter().filter(|option| !matches!(option.name.as_str(), "folds" | "fold"));
    words.extend(others.map(|option| sources.text(option.span).to_owned()));
    let mut new = text.to_owned();
    new.replace_range(split.span.start as usize..split.span.end as usize, &format!("split {}", words.join(", ")));
    Some(new)
}
