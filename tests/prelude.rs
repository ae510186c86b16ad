//! `docs/library.md` lists the library as its doc comments tell it. `INSTA_UPDATE=always cargo test --test prelude`
//! writes the page anew.

use std::fmt::Write;
use std::path::Path;

const WORDS: [&str; 9] =
    ["activation", "const", "fn", "init", "layer", "loss", "metric", "optimizer", "schedule"];

const HEAD: &str = "# The library

Every activation, layer, loss, metric, start value, optimiser and schedule that the language brings along, \
with its formula, shapes and source. All of it is written in the language, in `src/prelude/`; names and layouts \
of parameters are PyTorch's. At the end stand the words of the language and its built-in functions. This page is \
made from the doc comments there and from the tables of the compiler.
";

/// A file of the library: what its first comment says, and its items that have a doc comment.
struct Chapter {
    file: String,
    about: String,
    items: Vec<(String, String)>,
}

fn chapter(path: &Path) -> std::io::Result<Chapter> {
    let text = std::fs::read_to_string(path)?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let head: Vec<&str> =
        text.lines().take_while(|line| line.starts_with("# ")).map(|line| &line[2..]).collect();
    let mut items = Vec::new();
    let mut doc: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(it) = line.strip_prefix("## ") {
            doc.push(it);
            continue;
        }
        let word = line.split(' ').next().unwrap_or_default();
        if WORDS.contains(&word) && !doc.is_empty() {
            items.push((signature(line), doc.join(" ")));
        }
        doc.clear();
    }
    Ok(Chapter { file, about: head.join(" "), items })
}

/// The declaration up to its body.
fn signature(line: &str) -> String {
    let (mut depth, mut end) = (0, line.len());
    for (at, c) in line.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => end = end.min(at),
            '=' if depth == 0 => end = end.min(at),
            _ => {}
        }
    }
    line[..end].trim_end().to_owned()
}

fn page() -> std::io::Result<String> {
    let mut paths: Vec<_> =
        std::fs::read_dir("src/prelude")?.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut page = HEAD.to_owned();
    for path in paths {
        let Chapter { file, about, items } = chapter(&path)?;
        let _ = write!(page, "\n## `{file}`\n\n{about}\n\n| declaration | what it is |\n|---|---|\n");
        for (declaration, doc) in items {
            let _ = writeln!(page, "| `{declaration}` | {} |", doc.replace('|', "\\|"));
        }
    }
    let mut subject = "";
    for entry in nnc::sema::reference::entries() {
        if entry.subject != subject {
            subject = entry.subject;
            let _ = write!(
                page,
                "\n## The language: {subject}\n\n| how it is written | what it is |\n|---|---|\n"
            );
        }
        let (form, doc) = (entry.form.replace('|', "\\|"), entry.doc.replace('|', "\\|"));
        let _ = writeln!(page, "| `{form}` | {doc} |");
    }
    Ok(page)
}

#[test]
fn the_page_is_what_the_doc_comments_say() {
    let wanted = page().expect("the library's files");
    if std::env::var("INSTA_UPDATE").is_ok_and(|value| value == "always") {
        std::fs::write("docs/library.md", &wanted).expect("the page can be written");
    }
    let found = std::fs::read_to_string("docs/library.md").unwrap_or_default();
    let first = found.lines().zip(wanted.lines()).find(|(a, b)| a != b);
    assert!(found == wanted, "docs/library.md is not up to date; first difference: {first:?}");
}

#[test]
fn every_layer_and_loss_says_what_it_is() {
    for entry in std::fs::read_dir("src/prelude").expect("the library") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let mut before = "";
        for line in text.lines() {
            let word = line.split(' ').next().unwrap_or_default();
            let shown = ["layer", "loss", "metric", "optimizer", "schedule", "init"].contains(&word);
            assert!(!shown || before.starts_with("## "), "{}: `{line}` has no doc comment", path.display());
            before = line;
        }
    }
}
