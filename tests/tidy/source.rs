//! Just enough of Rust's syntax to check sources: code apart from strings and comments, imports, and the
//! lengths of functions.

/// A source text whose code is told apart from its strings and comments.
pub struct Source {
    /// The text with strings, characters and comments left out; lines keep their numbers.
    pub code: String,
    /// What stands in string literals.
    pub strings: Vec<String>,
}

/// A function with a body.
pub struct Function {
    pub name: String,
    /// The line of its `fn`, from 1.
    pub line: usize,
    /// Its lines, from `fn` to the closing brace.
    pub lines: usize,
}

impl Source {
    pub fn new(text: &str) -> Source {
        let mut source = Source { code: String::new(), strings: Vec::new() };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let after_name = source.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if let Some(length) = string_length(rest, after_name) {
                source.strings.push(inside(&rest[..length]));
                source.code.push_str("\"\"");
                length
            } else if let Some(length) = character_length(rest) {
                source.code.push_str("' '");
                length
            } else {
                source.code.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            };
            source.code.extend(rest[..length].chars().filter(|c| *c == '\n'));
            rest = &rest[length..];
        }
        source
    }

    /// The first names of all paths that begin with `root` (`crate::`), also of those in a group
    /// (`crate::{sema, syntax}`), each with its line.
    pub fn names_below(&self, root: &str) -> Vec<(usize, &str)> {
        let mut names = Vec::new();
        for (at, _) in self.code.match_indices(root) {
            let line = self.line_at(at);
            let rest = &self.code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => names.extend(members(group).into_iter().map(|member| (line, name(member)))),
                None => names.push((line, name(rest))),
            }
        }
        names
    }

    /// All functions with a body.
    pub fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            let is_word = !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let name = name(&self.code[at + 3..]);
            if !is_word || name.is_empty() {
                continue;
            }
            let Some(open) = self.body_of(at) else { continue };
            let close = open + closing(&self.code[open..]);
            let line = self.line_at(at);
            let lines = self.line_at(close) - line + 1;
            functions.push(Function { name: name.to_owned(), line, lines });
        }
        functions
    }

    fn line_at(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Where the body of the function at `at` opens; `None` if it is only declared.
    fn body_of(&self, at: usize) -> Option<usize> {
        let mut depth = 0;
        for (offset, c) in self.code[at..].char_indices() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                '{' if depth == 0 => return Some(at + offset),
                ';' if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }
}

/// The name at the start of a text.
fn name(text: &str) -> &str {
    let text = text.trim_start();
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Where the brace is that closes the one at the start of `code`.
fn closing(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

/// The members of a group of imports, `group` being what follows its `{`.
fn members(group: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members
}

/// The length of the string literal at the start of `text`, with its quotes; `after_name`: the text before it
/// ends in a name, so that an `r` here belongs to the name.
fn string_length(text: &str, after_name: bool) -> Option<usize> {
    if let Some(raw) = text.strip_prefix('r').filter(|_| !after_name) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(2 + hashes + body.find(&end)? + end.len());
    }
    let body = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// The length of the character literal at the start of `text`: `'"'`, but no lifetime.
fn character_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let mut chars = body.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next()?;
        return Some(body[2..].find('\'')? + 4);
    }
    let (at, second) = chars.next()?;
    (first != '\'' && second == '\'').then_some(at + 2)
}

/// What stands between the quotes of a string literal.
fn inside(literal: &str) -> String {
    let body = literal.trim_start_matches(['r', '#']).trim_end_matches('#');
    body[1..body.len() - 1].to_owned()
}

#[test]
fn code_is_told_from_strings_and_comments() {
    let text = "fn a<'a>() { // }\n let q = '\"'; \"}\\\"\"; r#\"}\"}\"#;\n}\nfn b();\nuse crate::{ir::{self, x},\n sema};";
    let source = Source::new(text);
    assert_eq!(source.strings, ["}\\\"", "}\"}"]);
    let functions: Vec<_> =
        source.functions().iter().map(|it| (it.name.clone(), it.line, it.lines)).collect();
    assert_eq!(functions, [("a".to_owned(), 1, 3)]);
    assert_eq!(source.names_below("crate::"), [(5, "ir"), (5, "sema")]);
}
