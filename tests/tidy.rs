//! The rules of the house, as tests: `docs/architecture.md` says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nnc::base::codes;
use source::Source;

#[path = "tidy/source.rs"]
mod source;

/// A folder imports only folders of lower rank, and itself.
const RANKS: [(&str, u32); 16] = [
    ("base", 0),
    ("syntax", 1),
    ("ir", 1),
    ("product", 1),
    ("grad", 2),
    ("opt", 2),
    ("shard", 2),
    ("derive", 3),
    ("sema", 3),
    ("plan", 3),
    ("loops", 4),
    ("backend", 5),
    ("compile", 6),
    ("runtime", 7),
    ("export", 8),
    ("cli", 9),
];

/// Lines of a source file; long ones are divided by ideas.
const MOST_LINES: usize = 500;

/// Lines of a function; what is longer is divided by ideas.
const MOST_LINES_OF_A_FUNCTION: usize = 80;

/// Longer than [`MOST_LINES_OF_A_FUNCTION`] because they are tables: one `match` over all cases. Files are
/// named by the ends of their paths.
const TABLES: [(&str, &str); 6] = [
    ("interpreter/translate.rs", "expr"),
    ("avx/verify.rs", "classes"),
    ("emit/general.rs", "general_inst"),
    ("emit/vector.rs", "vector_inst"),
    ("lir/roles.rs", "for_each"),
    ("select/expr.rs", "unary"),
];

/// Longer than [`MOST_LINES_OF_A_FUNCTION`] and to be divided.
const LONG_FUNCTIONS: [(&str, &str); 0] = [];

/// Where `unsafe` may stand.
const UNSAFE_FOLDERS: [&str; 3] = ["src/backend/native", "src/product", "src/runtime/kernels"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with this ending, as paths from the root.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path.strip_prefix(root()).expect("below the root").to_path_buf());
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(root().join(path)).expect("a readable file")
}

fn rank_of(folder: &str) -> Option<u32> {
    RANKS.iter().find(|(name, _)| *name == folder).map(|(_, rank)| *rank)
}

/// The folder of `src/` that a file belongs to.
fn folder_of(path: &Path) -> Option<String> {
    let part = path.components().nth(1)?.as_os_str().to_str()?;
    Some(part.strip_suffix(".rs").unwrap_or(part).to_owned())
}

#[test]
fn folders_import_only_lower_ranks() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let Some(folder) = folder_of(&path) else { continue };
        let Some(rank) = rank_of(&folder) else { continue };
        // The interpreter and finite differences serve the tests of all folders.
        let is_test = path.to_string_lossy().contains("tests");
        for (line, import) in Source::new(&text(&path)).names_below("crate::") {
            if import != folder && rank_of(import).is_some_and(|other| other >= rank) && !is_test {
                wrong.push(format!("{}:{line}: `{folder}` imports `{import}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rooms of the checker, each of which knows those above it in this list only.
const ROOMS: [&str; 4] = ["scope", "build", "body", "items"];

#[test]
fn rooms_of_the_checker_know_only_those_below() {
    let mut wrong = Vec::new();
    for (rank, room) in ROOMS.iter().enumerate() {
        for path in files(&format!("src/sema/{room}"), "rs") {
            for (line, import) in Source::new(&text(&path)).names_below("crate::sema::") {
                let is_above =
                    ROOMS.iter().position(|other| *other == import).is_some_and(|other| other > rank);
                let is_elaborator = import == "Elaborator" && rank < 2;
                if is_above || is_elaborator {
                    wrong.push(format!("{}:{line}: `{room}` imports `{import}`", path.display()));
                }
            }
        }
    }
    // What begins with a context of its own is an item, and parameters that are asked for before their model is called.
    let begins =
        ["src/sema/items", "src/sema/body/parameter_sets.rs", "src/sema/body/elaborator.rs", "tests.rs"];
    for path in files("src/sema/body", "rs") {
        let name = path.to_string_lossy().into_owned();
        if text(&path).contains(".in_item(") && !begins.iter().any(|begin| name.contains(begin)) {
            wrong.push(format!("{name}: a body begins with an `ItemContext`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")).chain(files("examples", "rs")) {
        let text = text(&path);
        let lines = text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{} has {lines} lines; {MOST_LINES} is the most", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not begin with what it is (//!)", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    let mut excused: Vec<(&str, &str)> = TABLES.iter().chain(&LONG_FUNCTIONS).copied().collect();
    for path in files("src", "rs") {
        let name = path.to_string_lossy().into_owned();
        if name.contains("tests") {
            continue;
        }
        for function in Source::new(&text(&path)).functions() {
            let excuse =
                excused.iter().position(|(file, long)| name.ends_with(file) && *long == function.name);
            if function.lines <= MOST_LINES_OF_A_FUNCTION {
                continue;
            }
            match excuse {
                Some(at) => drop(excused.swap_remove(at)),
                None => wrong.push(format!(
                    "{name}:{}: `{}` has {} lines; {MOST_LINES_OF_A_FUNCTION} are the most",
                    function.line, function.name, function.lines
                )),
            }
        }
    }
    let idle =
        excused.iter().map(|(file, long)| format!("{file}: `{long}` is short now and needs no exception"));
    wrong.extend(idle);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A page that sends a reader to a file must not outlive it. Capitals stand for names to be chosen.
#[test]
fn the_files_that_pages_name_are_there() {
    let mut wrong = Vec::new();
    let pages = files("docs", "md").into_iter().chain(["README.md", "CONTRIBUTING.md"].map(PathBuf::from));
    for page in pages {
        let text = text(&page);
        let spans = text.split('`').skip(1).step_by(2);
        for name in spans.filter(|span| {
            span.contains('/') && !span.contains([' ', '*', '<', '{']) && !span.contains(char::is_uppercase)
        }) {
            let is_ours = name.ends_with(".rs")
                || ["src/", "tests/", "benches/"].iter().any(|folder| name.starts_with(folder));
            if is_ours && !Path::new(name).exists() && !Path::new("src").join(name).exists() {
                wrong.push(format!("{} names `{name}`", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `own` and `it` say nothing of what a value is; the context of a stage is called `cx`.
#[test]
fn values_are_called_by_what_they_are() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let source = Source::new(&text(&path));
        for (number, line) in source.code.lines().enumerate() {
            if line
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == "own" || word == "it")
            {
                wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where messages of the front half and of runs are put together; what is wrong is data everywhere else.
/// What processes tell that train together stands with them.
const MESSAGES: [&str; 6] = [
    "src/base/",
    "src/sema/scope/report/",
    "src/syntax/report",
    "src/runtime/report/",
    "src/runtime/ranks/",
    "src/runtime/kernels/mpi/",
];
/// Who decides by a code: names that parameters do not know come from readers of several formats.
const MAY_ASK: [&str; 1] = ["src/runtime/tables.rs"];

/// Whether a file holds tests only.
fn is_test(name: &str) -> bool {
    name.contains("tests") || name.ends_with("sources/damage.rs")
}

/// A file without its tests, which stand at its end.
fn without_tests(text: &str) -> &str {
    let mut at = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let is_condition = line.starts_with("#[cfg(") && line.contains("test");
        if is_condition && lines.peek().is_some_and(|next| next.contains("mod ") && next.contains('{')) {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

#[test]
fn what_is_wrong_is_data() {
    let mut wrong = Vec::new();
    let folders = ["src/base", "src/sema", "src/syntax", "src/runtime"];
    for path in folders.into_iter().flat_map(|folder| files(folder, "rs")) {
        let name = path.to_string_lossy().into_owned();
        let may_tell = MESSAGES.iter().any(|place| name.starts_with(place)) || is_test(&name);
        let text = text(&path);
        let source = Source::new(without_tests(&text));
        for (number, line) in source.code.lines().enumerate() {
            if !may_tell
                && ["Diagnostic::error(", "Diagnostic::warning("].iter().any(|call| line.contains(call))
            {
                wrong.push(format!("{name}:{}: a message is put together here", number + 1));
            }
            // Strings are empty in `code`.
            let asks =
                ["code == \"\"", "code != \"\"", "code, \"\"", "message.contains(", "message.starts_with("];
            let may_ask = is_test(&name) || MAY_ASK.contains(&name.as_str());
            if !may_ask && asks.iter().any(|question| line.contains(question)) {
                wrong.push(format!("{name}:{}: decides by the text of a message or its code", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_only_where_it_may() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let name = path.to_string_lossy().into_owned();
        if UNSAFE_FOLDERS.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        for (number, line) in text(&path).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
                .iter()
                .any(|word| code.contains(word))
            {
                wrong.push(format!("{name}:{}: {}", number + 1, code.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_folders_touch_nothing_outside() {
    let modules = ["fs", "time", "thread", "io", "env", "net", "process"];
    let macros = ["println!", "eprintln!", "dbg!"];
    // Timing of passes, and memory for machine code.
    let allowed = ["src/compile/timing.rs"];
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let name = path.to_string_lossy().into_owned();
        let pure = folder_of(&path).and_then(|folder| rank_of(&folder)).is_some_and(|rank| rank < 7);
        if !pure || allowed.contains(&name.as_str()) || name.contains("tests") {
            continue;
        }
        let text = text(&path);
        let source = Source::new(text.split("#[cfg(test)]").next().unwrap_or_default());
        for (line, module) in source.names_below("std::") {
            if modules.contains(&module) {
                wrong.push(format!("{name}:{line}: std::{module}"));
            }
        }
        for (number, line) in source.code.lines().enumerate() {
            if let Some(word) = macros.iter().find(|word| line.contains(**word)) {
                wrong.push(format!("{name}:{}: {word}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files, clock and processors come through the `World`; only the native one asks the system. Threads, measurements
/// of this computer and the command line are of the system by their nature.
#[test]
fn only_the_native_world_asks_the_system() {
    let forbidden = ["std::fs", "fs::File", "Instant::now", "SystemTime::now", "available_parallelism"];
    let native = ["src/runtime/world/native/", "src/runtime/kernels/", "src/runtime/measure/", "src/cli/"];
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let name = path.to_string_lossy().into_owned();
        if native.iter().any(|folder| name.starts_with(folder)) || is_test(&name) {
            continue;
        }
        let text = text(&path);
        for (number, line) in without_tests(&text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = forbidden.iter().find(|word| code.contains(**word)) {
                wrong.push(format!("{name}:{}: {word}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_undone() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        for (number, line) in text(&path).lines().enumerate() {
            let unfinished = ["todo!(", "unimplemented!(", "allow(dead_code)", "allow(unused", "dbg!("];
            if let Some(word) = unfinished.iter().find(|word| line.contains(**word)) {
                wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_snapshot_has_a_case() {
    let mut wrong = Vec::new();
    for path in files("tests/snapshots", "snap") {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((folder, case)) = name.split_once('@') else {
            wrong.push(format!("{} is not FOLDER@CASE", path.display()));
            continue;
        };
        let file = if matches!(folder, "wrong" | "right" | "onnx") {
            format!("tests/{folder}/{case}.nn")
        } else {
            format!("tests/cases/{folder}/{case}.nn")
        };
        if !root().join(file).exists() {
            wrong.push(format!("{} has no case", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_is_explained_and_has_a_case() {
    let known: BTreeSet<String> = codes::all().map(|code| code.code.to_owned()).collect();
    let mut used = BTreeSet::new();
    for path in files("src", "rs") {
        if !path.starts_with("src/base/codes") {
            let text = text(&path);
            used.extend(codes_in(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()));
        }
    }
    let mut wrong: Vec<String> =
        used.difference(&known).map(|code| format!("{code} is not explained")).collect();
    wrong.extend(known.difference(&used).map(|code| format!("{code} is never reported")));
    let cases: BTreeSet<String> = files("tests/cases/errors", "nn")
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.get(..5)?.to_owned()))
        .collect();
    let untested = known.difference(&cases).filter(|code| !tested_elsewhere(code));
    wrong.extend(untested.map(|code| format!("{code} has no case in tests/cases/errors")));
    wrong.extend(cases.difference(&known).map(|code| format!("the case {code} is of no known code")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Codes that no `.nn` file alone can bring about: damaged files, the library's own calls.
fn tested_elsewhere(code: &str) -> bool {
    // Mistakes of the compiler, and computers without code: no test knows of one.
    if ["E0791", "E0792", "E0793", "E0799"].contains(&code) {
        return true;
    }
    let mut rust = files("src", "rs").into_iter().chain(files("tests", "rs"));
    rust.any(|path| {
        let text = text(&path);
        let tests = if path.starts_with("tests") || path.to_string_lossy().contains("tests") {
            Some(text.as_str())
        } else {
            let tests = text.split_once("#[cfg(test)]").or_else(|| text.split_once("#[cfg(all(test"));
            tests.map(|(_, tests)| tests)
        };
        tests.is_some_and(|tests| tests.contains(&format!("\"{code}\"")))
    })
}

/// `docs/errors.md` is written by this test: `INSTA_UPDATE=always cargo test --test tidy`.
#[test]
fn the_documentation_lists_every_code() {
    let path = root().join("docs/errors.md");
    let mut wanted = String::from(
        "# Errors and warnings\n\nWhat `nnc explain CODE` prints, for all codes. This page is written by `tests/tidy.rs`.\n",
    );
    for code in codes::all() {
        let title = format!("\n## {}: {}\n\n", code.code, code.title);
        wanted.push_str(&title);
        let mut in_code = false;
        for line in code.explain.lines() {
            if line.starts_with("    ") != in_code {
                in_code = !in_code;
                wanted.push_str(if in_code { "\n```\n" } else { "```\n\n" });
            }
            wanted.push_str(line.strip_prefix("    ").unwrap_or(line));
            wanted.push('\n');
        }
        if in_code {
            wanted.push_str("```\n");
        }
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::create_dir_all(root().join("docs"))
            .and_then(|()| fs::write(&path, &wanted))
            .expect("docs/errors.md");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/errors.md is out of date: INSTA_UPDATE=always cargo test --test tidy");
}

/// The codes in string literals of a source text.
fn codes_in(text: &str) -> Vec<String> {
    let is_code = |text: &String| {
        let number = text.strip_prefix(['E', 'W']);
        number.is_some_and(|number| number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    Source::new(text).strings.into_iter().filter(is_code).collect()
}
