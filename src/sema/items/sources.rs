//! Where data comes from: `csv("digits.csv", header = false)`.

use crate::base::{Span, nearest};
use crate::ir::program::{Source, TableFormat};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::sources::{MeantSource, SourceError};
use crate::sema::settings::{self, SOURCES};
use crate::syntax::ast;

/// Formats of tables that are not read, as pandas calls them.
const TABLES: [&str; 6] = ["parquet", "feather", "excel", "json", "html", "sql"];
/// Formats of arrays that are not read.
const ARRAYS: [&str; 6] = ["hdf5", "h5", "pickle", "torch", "tfrecord", "mat"];

/// What to do with a file of a format that is not read.
fn conversion(kind: &str) -> Option<String> {
    let format = kind.trim_start_matches("read_").trim_start_matches("load_");
    let format = if format == "xlsx" { "excel" } else { format };
    if TABLES.contains(&format) {
        let line = format!("pandas.read_{format}(\"FILE\").to_csv(\"FILE.csv\", index = False)");
        return Some(format!("convert it to csv, in Python for example: `{line}`"));
    }
    let advice = "convert it to npz, in Python for example: `numpy.savez(\"a.npz\", x = x, y = y)`";
    ARRAYS.contains(&format).then(|| advice.to_owned())
}

/// What the arguments of a source say.
struct Given {
    path: String,
    nested: bool,
    format: TableFormat,
    span: Span,
}

/// Makes a source of its arguments.
type Make = fn(Given) -> Source;

/// What is made of the arguments: a row for each of [`SOURCES`], in their order.
const MADE: [(&str, Make); SOURCES.len()] = [
    ("csv", |Given { path, format, span, .. }| Source::Csv { path, format, span }),
    ("npy", |Given { path, span, .. }| Source::Npy { path, span }),
    ("npz", |Given { path, span, .. }| Source::Npz { path, span }),
    ("safetensors", |Given { path, span, .. }| Source::Safetensors { path, span }),
    ("idx", |Given { path, span, .. }| Source::Idx { path, span }),
    ("images", |Given { path, nested, span, .. }| Source::Images { path, nested, span }),
    ("text", |Given { path, span, .. }| Source::Text { path, span }),
];

/// Calls of other libraries that read what a source reads, by a part of their names; longer ones first.
const READERS: [(&str, &str); 16] = [
    ("safetensors", "safetensors"),
    ("load_file", "safetensors"),
    ("imagefolder", "images"),
    ("image", "images"),
    ("loadtxt", "csv"),
    ("genfromtxt", "csv"),
    ("read_table", "csv"),
    ("mnist", "idx"),
    ("csv", "csv"),
    ("npz", "npz"),
    ("npy", "npy"),
    ("np.load", "npy"),
    ("numpy.load", "npy"),
    ("idx", "idx"),
    ("text", "text"),
    ("open", "text"),
];

/// Reports a file that no field reads: then nobody knows how many rows there are.
pub fn must_be_read(cx: &mut Elaborator<'_>, item: &ast::Data, reads: bool) {
    let Some(source) = item.source.as_ref().filter(|_| !reads) else { return };
    cx.report(SourceError::NotRead { data: item.name.clone(), at: source.span });
}

pub fn read_source(cx: &mut Elaborator<'_>, source: &ast::Expr) -> Option<Source> {
    let ast::ExprKind::Call { callee, args } = &source.kind else {
        cx.report(SourceError::NotCall { at: source.span });
        return None;
    };
    let kind = callee.as_name().cloned().unwrap_or_default();
    let Some(number) = SOURCES.iter().position(|call| *call.name == *kind) else {
        let text = cx.text(callee.span).to_lowercase();
        let reader = READERS.iter().find(|(part, _)| text.contains(part));
        let meant = match (conversion(&kind), nearest(&kind, settings::names(SOURCES)), reader) {
            (Some(advice), _, _) => MeantSource::Conversion(advice),
            (None, Some(near), _) => MeantSource::Near(near),
            (None, None, Some((_, here))) => MeantSource::Elsewhere(here),
            (None, None, None) => MeantSource::Nothing,
        };
        cx.report(SourceError::Unknown { callee: callee.span, meant });
        return None;
    };
    let (call, (_, make)) = (&SOURCES[number], MADE[number]);
    let arguments = cx.arguments(call, args)?;
    let path = arguments.get("path")?;
    let span = path.span;
    let path = cx.text_arg(path)?;
    let header = match arguments.get("header") {
        Some(header) => Some(cx.compile_time_bool(header, "`header`")?),
        None => None,
    };
    let nested = match arguments.get("nested") {
        Some(nested) => cx.compile_time_bool(nested, "`nested`")?,
        None => false,
    };
    let mut format = TableFormat { header, ..TableFormat::default() };
    if let Some(separator) = arguments.get("separator") {
        format.separator = character(cx, separator, "a separator")?;
    }
    if let Some(decimal) = arguments.get("decimal") {
        format.decimal = character(cx, decimal, "the point of a number")?;
    }
    if let Some(thousands) = arguments.get("thousands") {
        format.thousands = Some(character(cx, thousands, "what groups digits")?);
    }
    numbers_are_clear(cx, &format, source.span)?;
    Some(make(Given { path, nested, format, span }))
}

/// A string of one character; `what` it is.
fn character(cx: &mut Elaborator<'_>, value: &ast::Expr, what: &'static str) -> Option<char> {
    let text = cx.text_arg(value)?;
    let mut characters = text.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else {
        cx.report(SourceError::NotCharacter { what, text, at: value.span });
        return None;
    };
    Some(character)
}

/// Whether the characters within numbers are different ones, and none stands for itself. `None` is reported.
fn numbers_are_clear(cx: &mut Elaborator<'_>, format: &TableFormat, span: Span) -> Option<()> {
    let within = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | 'e' | 'E' | '"');
    let twice = format.thousands == Some(format.decimal);
    let odd = [Some(format.decimal), format.thousands].into_iter().flatten().find(|c| within(*c));
    cx.report(match odd {
        Some(character) => SourceError::OddCharacter { character, at: span },
        None if twice => SourceError::SamePoint { character: format.decimal, at: span },
        None => return Some(()),
    });
    None
}

#[cfg(test)]
mod tests {
    use super::{MADE, SOURCES};

    #[test]
    fn each_source_is_made_of_its_own_arguments() {
        assert!(MADE.iter().map(|(word, _)| *word).eq(SOURCES.iter().map(|call| call.name)));
    }
}
