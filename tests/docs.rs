//! Every example of `docs/language.md` and `README.md` compiles; `docs/settings.md` is what the tables say.

use std::fmt::Write;

use nnc::runtime::program::Program;
use nnc::sema::settings;

/// The blocks marked as `nn`, with the lines where they begin.
fn examples(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match &mut open {
            Some(_) if line.starts_with("```") => found.extend(open.take()),
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
            None if line == "```nn" => open = Some((number + 2, String::new())),
            None => {}
        }
    }
    found
}

fn check(name: &str, page: &str) {
    let examples = examples(page);
    assert!(!examples.is_empty(), "{name} has examples");
    let mut wrong = String::new();
    for (line, text) in examples {
        if let Err(errors) = Program::from_source(&text) {
            wrong.push_str(&format!("{name}, line {line}:\n{errors}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_language_reference() {
    check("docs/language.md", include_str!("../docs/language.md"));
}

#[test]
fn the_page_about_work() {
    check("docs/work.md", include_str!("../docs/work.md"));
}

#[test]
fn the_front_page() {
    check("README.md", include_str!("../README.md"));
}

/// `docs/settings.md` is written by this test: `INSTA_UPDATE=always cargo test --test docs`.
#[test]
fn the_settings() {
    let wanted = settings_page();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write("docs/settings.md", &wanted).expect("docs/settings.md");
    }
    let found = std::fs::read_to_string("docs/settings.md").unwrap_or_default();
    assert!(found == wanted, "docs/settings.md is out of date: INSTA_UPDATE=always cargo test --test docs");
}

fn settings_page() -> String {
    let mut page = String::from(
        "# Settings and sources\n\nWhat items can be told, and how data is read. This page is made from the tables in \
         `src/sema/settings.rs`, from which the compiler reads them, too: what stands in none of them is an error, and \
         so is what is given twice.\n",
    );
    let default = |default: settings::Default| match default {
        settings::Default::Needed => "must be given".to_owned(),
        settings::Default::Nothing => "–".to_owned(),
        settings::Default::Is(text) => text.to_owned(),
    };
    for group in settings::GROUPS {
        let _ = write!(
            page,
            "\n## `{}`\n\n| {} | takes | default | |\n|---|---|---|---|\n",
            group.item, group.word
        );
        for it in group.settings {
            let _ = writeln!(
                page,
                "| `{}` | `{}` | {} | {} |",
                it.name,
                it.example(),
                default(it.default),
                it.doc
            );
        }
    }
    for (title, table) in [
        ("Sources", settings::SOURCES),
        ("Readers of columns", settings::COLUMNS),
        ("Values of settings", settings::VALUES),
    ] {
        let _ = write!(page, "\n## {title}\n\n| call | argument | default | |\n|---|---|---|---|\n");
        for call in table {
            let _ = writeln!(page, "| `{}` | | | {} |", call.example(), call.doc);
            for (at, it) in call.parameters.iter().enumerate() {
                let named = if at >= call.named_only { ", by name only" } else { "" };
                let more = if call.repeats && at + 1 == call.named_only { ", or several" } else { "" };
                let (name, doc) = (it.name, it.doc);
                let _ = writeln!(page, "| | `{name}`{named}{more} | {} | {doc} |", default(it.default));
            }
        }
    }
    page
}
