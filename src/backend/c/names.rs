//! Names of C: from what a program calls something to an identifier that no compiler objects to.

use std::collections::BTreeSet;

/// Words that are no identifiers in C or C++, and names of the headers that the code includes.
const TAKEN: &[&str] = &[
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch",
    "char", "class", "compl", "concept", "const", "const_cast", "consteval", "constexpr", "constinit", "continue",
    "co_await", "co_return", "co_yield", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else",
    "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long",
    "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private",
    "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return", "short", "signed",
    "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local",
    "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "union", "unsigned", "using", "virtual",
    "void", "volatile", "wchar_t", "while", "xor", "xor_eq", "asm", "errno", "linux", "unix", "I", "NULL", "NAN",
    "INFINITY", "main", "l", "memory", "network", "row", "result", "rows", "results", "seed", "step", "count",
];

/// The identifier for a text: letters, digits and `_` stay, anything else becomes `_`, letters outside of ASCII
/// their number. It begins with a letter.
pub fn identifier(text: &str) -> String {
    let mut name = String::new();
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => name.push(character),
            _ if !character.is_ascii() && character.is_alphabetic() => {
                name.push_str(&format!("u{:04x}", character as u32));
            }
            _ if !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let name = name.trim_matches('_');
    match name.chars().next() {
        None => "x".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("x{name}"),
        Some(_) => name.to_owned(),
    }
}

/// Names that are all different and none of which is taken.
#[derive(Default)]
pub struct Names {
    given: BTreeSet<String>,
}

impl Names {
    /// The identifier for a text, with a number behind it if it is taken.
    pub fn give(&mut self, text: &str) -> String {
        let name = identifier(text);
        let free = |given: &BTreeSet<String>, name: &str| {
            !given.contains(name) && !TAKEN.contains(&name) && !is_value(name)
        };
        let mut candidate = name.clone();
        let mut number = 2;
        while !free(&self.given, &candidate) {
            candidate = format!("{name}_{number}");
            number += 1;
        }
        self.given.insert(candidate.clone());
        candidate
    }
}

/// Whether a name is one of those that values have within a function: `v3`, `i0`, `s1`.
fn is_value(name: &str) -> bool {
    let rest = name.strip_prefix(['v', 'i', 's']);
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        let mut names = Names::default();
        for (text, name) in [
            ("fc1.weight", "fc1_weight"),
            ("fc1 weight", "fc1_weight_2"),
            ("double", "double_2"),
            ("größe", "gru00f6u00dfe"),
            ("0", "x0"),
            ("", "x"),
            ("v12", "v12_2"),
            ("class", "class_2"),
        ] {
            assert_eq!(names.give(text), name);
        }
    }
}
