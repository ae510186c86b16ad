//! The functions of the file of C as Rust sees them: for programs into which a build script takes a model.

use super::api::{Api, Member};
use super::file::File;
use super::Sizes;
use crate::backend::c::text::Text;
use crate::loops::Kind;

impl File<'_> {
    /// A module of Rust: rows, results, the names of classes, and a model that is safe to call.
    pub fn rust(&self, api: &Api, sizes: Sizes) -> String {
        let prefix = &self.prefix;
        let mut text = Text::default();
        text.line(format!("// Written by nnc {}: the model of `{}.c`.\n", env!("CARGO_PKG_VERSION"), self.options.name));
        structure(&mut text, "Row", "What is known of one row.", &api.row);
        structure(&mut text, "Output", "What the network says of it.", &api.results);
        text.line(FAULT);
        text.line(format!("#[repr(C, align(8))]\nstruct Memory([u8; {}]);\n", (sizes.memory.max(1) + 7) / 8 * 8));
        text.line(FUNCTIONS);
        text.line(format!("    fn {prefix}predict(memory: *mut Memory, row: *const Row, result: *mut Output) -> i32;"));
        if self.has_classes() {
            text.line(format!("    fn {prefix}class(result: *const Output) -> i32;"));
        }
        if let Some(classes) = self.count_of_probabilities() {
            text.line(format!("    fn {prefix}probabilities(result: *const Output, probabilities: *mut [f64; {classes}]);"));
        }
        text.line("}\n");
        text.line(MODEL.replace("NAME_", prefix));
        self.classes_in_rust(&mut text);
        for member in &api.row {
            if let Some(names) = &member.names {
                let name = format!("NAMES_OF_{}", member.name.to_uppercase());
                list(&mut text, &format!("What the numbers of `{}` mean.", member.name), &name, names);
            }
        }
        text.text
    }

    fn classes_in_rust(&self, text: &mut Text) {
        let prefix = &self.prefix;
        if self.has_classes() || self.count_of_probabilities().is_some() {
            text.open("impl Output");
            if self.has_classes() {
                text.text.push_str(&CLASS.replace("NAME_", prefix));
            }
            if let Some(classes) = self.count_of_probabilities() {
                let of = PROBABILITIES.replace("NAME_", prefix).replace("CLASSES", &classes.to_string());
                text.text.push_str(&of);
            }
            text.close();
            text.line("");
        }
        if let (true, Some(names)) = (self.has_classes(), &self.deployed.names) {
            list(text, "What the classes are called.", "CLASSES", names);
        }
    }
}

const FAULT: &str = "\
/// Why there is no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A whole number has left 64 bits.
    Overflow,
    /// A number of the row does not lie in its range.
    OutOfRange,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fault::Overflow => \"a whole number has left 64 bits\",
            Fault::OutOfRange => \"a number of the row does not lie in its range\",
        })
    }
}

impl std::error::Error for Fault {}
";

/// Texts of Rust, where `NAME_` stands for what names of C begin with.
const MODEL: &str = include_str!("rust/model.txt");
const CLASS: &str = include_str!("rust/class.txt");
const PROBABILITIES: &str = include_str!("rust/probabilities.txt");
const FUNCTIONS: &str = include_str!("rust/functions.txt");

/// A struct whose layout is that of C.
fn structure(text: &mut Text, name: &str, what: &str, members: &[Member]) {
    text.line(format!("/// {what}\n#[repr(C)]\n#[derive(Clone, Copy, Debug)]"));
    text.open(format!("pub struct {name}"));
    for member in members {
        let ty = match member.kind {
            Kind::F32 => "f32",
            Kind::F64 => "f64",
            Kind::I32 => "i32",
            Kind::I64 => "i64",
            Kind::Bool => "u8",
        };
        let ty = match member.is_array() {
            true => format!("[{ty}; {}]", member.count().max(1)),
            false => ty.to_owned(),
        };
        text.line(format!("/// {}", member.comment.escape_default()));
        text.line(format!("pub {}: {ty},", identifier(&member.name)));
    }
    if members.is_empty() {
        text.line("pub unused: u8,");
    }
    text.close();
    text.line("");
}

fn list(text: &mut Text, what: &str, name: &str, names: &[String]) {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    text.line(format!("/// {what}\npub const {name}: [&str; {}] = [{}];\n", names.len(), names.join(", ")));
}

/// A name of C as Rust takes it.
fn identifier(name: &str) -> String {
    const WORDS: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "dyn", "final", "fn", "gen", "impl", "in", "let", "loop",
        "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "trait", "type", "unsafe", "unsized",
        "use", "where", "yield",
    ];
    match name {
        "self" | "Self" | "super" | "crate" => format!("{name}_"),
        _ if WORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_owned(),
    }
}
