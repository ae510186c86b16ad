//! What the language itself brings along, as a list: its words and its built-in functions. `nnc doc` and
//! `docs/library.md` are made from it, beside the library, whose doc comments speak for themselves.

use crate::sema::build::builtins;
use crate::sema::settings;
use crate::syntax::words;

/// Something that has a name without being declared in a file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `items`, `built-in functions` …
    pub subject: &'static str,
    pub name: &'static str,
    /// How it is written.
    pub form: String,
    pub doc: &'static str,
}

/// All of it, subject by subject.
pub fn entries() -> Vec<Entry> {
    let words = words::SUBJECTS.iter().flat_map(|(subject, words)| {
        words.iter().map(|word| Entry { subject, name: word.word, form: word.form.to_owned(), doc: word.doc })
    });
    let functions = builtins::names().filter_map(builtins::find).map(|builtin| Entry {
        subject: "built-in functions",
        name: builtin.name,
        form: format!("{}({})", builtin.name, builtin.parameters),
        doc: builtin.doc,
    });
    let calls = [
        ("sources of data", settings::SOURCES),
        ("what reads data", settings::COLUMNS),
        ("values of settings", settings::VALUES),
    ];
    let calls = calls.into_iter().flat_map(|(subject, calls)| {
        calls.iter().map(move |call| Entry { subject, name: call.name, form: call.form(), doc: call.doc })
    });
    let settings = settings::GROUPS.iter().flat_map(|group| {
        group.settings.iter().map(|setting| Entry {
            subject: "settings",
            name: setting.name,
            form: format!("{} = {} in `{}`", setting.name, setting.example(), group.item),
            doc: setting.doc,
        })
    });
    words.chain(functions).chain(calls).chain(settings).collect()
}
