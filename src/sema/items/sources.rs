//! Where data comes from: `csv("digits.csv", header = false)`.

use super::columns::list_names;
use crate::base::{Diagnostic, nearest};
use crate::ir::program::Source;
use crate::sema::elaborator::Elaborator;
use crate::syntax::ast;

pub(super) const SOURCES: [&str; 8] =
    ["csv", "npy", "npz", "safetensors", "idx", "parquet", "images", "text"];

pub fn read_source(own: &mut Elaborator<'_>, source: &ast::Expr) -> Option<Source> {
    let ast::ExprKind::Call { callee, args } = &source.kind else {
        own.error("E0604", "a source is a call such as `csv(\"a.csv\")`", source.span, "not a source");
        return None;
    };
    let kind = callee.as_name().cloned().unwrap_or_default();
    if !SOURCES.contains(&&*kind) {
        let error =
            Diagnostic::error("E0604", format!("`{}` is not a source of data", own.text(callee.span)));
        let error = error.at(callee.span, format!("sources are {}", list_names(&SOURCES)));
        own.report(match nearest(&kind, SOURCES) {
            Some(near) => error.suggest(format!("did you mean `{near}`?"), callee.span, near),
            None => error,
        });
        return None;
    }
    let Some(first) = args.positional().next() else {
        own.error("E0604", format!("`{kind}` needs the path of a file"), args.span, "write the path here");
        return None;
    };
    let path = own.text_arg(&first.value)?;
    let span = first.value.span;
    let (mut header, mut separator) = (None, ',');
    for arg in args.args.iter().filter(|arg| arg.span != first.span) {
        match arg.name.as_ref().map(|name| &*name.text) {
            Some("header") if &*kind == "csv" => {
                header = Some(own.compile_time_bool(&arg.value, "`header`")?);
            }
            Some("separator") if &*kind == "csv" => {
                let text = own.text_arg(&arg.value)?;
                let mut characters = text.chars();
                let (Some(character), None) = (characters.next(), characters.next()) else {
                    own.error("E0604", "a separator is one character", arg.value.span, format!("\"{text}\""));
                    return None;
                };
                separator = character;
            }
            _ => {
                let options = if &*kind == "csv" {
                    "its options are `header` and `separator`"
                } else {
                    "it has no options"
                };
                let message = match &arg.name {
                    Some(name) => format!("`{kind}` has no option `{name}`"),
                    None => format!("`{kind}` takes one file"),
                };
                own.error("E0604", message, arg.span, options);
                return None;
            }
        }
    }
    Some(match &*kind {
        "csv" => Source::Csv { path, header, separator, span },
        "npy" => Source::Npy { path, span },
        "npz" => Source::Npz { path, span },
        "safetensors" => Source::Safetensors { path, span },
        "idx" => Source::Idx { path, span },
        "parquet" => Source::Parquet { path, span },
        "images" => Source::Images { path, span },
        _ => Source::Text { path, span },
    })
}
