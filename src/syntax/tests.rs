//! Tests of the parser over whole programs.

use super::*;

fn programs() -> Vec<(String, String)> {
    let mut programs = Vec::new();
    for folder in ["tests/cases/parse", "models", "src/prelude"] {
        let path = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        let Ok(entries) = std::fs::read_dir(path) else { continue };
        for entry in entries.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "nn") {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                programs.push((entry.path().display().to_string(), text));
            }
        }
    }
    programs.sort();
    programs
}

#[test]
fn programs_parse() {
    for (name, text) in programs() {
        let (tree, errors) = parse(FileId(0), &text);
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        assert!(!tree.items.is_empty() && tree.broken.is_empty(), "{name}");
    }
}
