//! Every example of `docs/language.md` and `README.md` compiles.

use nnc::runtime::program::Program;

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
fn the_front_page() {
    check("README.md", include_str!("../README.md"));
}
