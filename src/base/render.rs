//! Diagnostics for people (text with the source beside it) and for programs (JSON).

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde_json::{Value, json};

use super::span::SourceFile;
use super::visible::visible;
use super::{Diagnostic, FileId, Severity, SourceMap, Span};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Without escape sequences: the same bytes everywhere.
    Plain,
    Colour,
}

/// All diagnostics, a blank line after each, in the order given.
pub fn render_all(diagnostics: &[Diagnostic], sources: &SourceMap, style: Style) -> String {
    diagnostics.iter().map(|diagnostic| render(diagnostic, sources, style) + "\n").collect()
}

/// One diagnostic, with a line end after it. Invalid spans are allowed.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let diagnostic = &safe(diagnostic);
    let message = shortened(&diagnostic.message);
    let title = level.primary_title(message.as_str()).id(diagnostic.code);
    let mut main = Group::with_title(title);
    for file in files_of(diagnostic, sources) {
        let source = sources.file(file);
        let labels = || diagnostic.labels.iter().filter(|label| label.span.file == file);
        let part = Excerpt::of(source, labels().map(|label| label.span));
        let mut snippet = part.snippet(source);
        for label in labels() {
            let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(part.place(source, label.span));
            snippet = snippet.annotation(if label.message.is_empty() {
                annotation
            } else {
                annotation.label(label.message.as_str())
            });
        }
        main = main.element(snippet);
    }
    for note in &diagnostic.notes {
        main = main.element(Level::NOTE.message(note.as_str()));
    }
    let mut patches = Vec::new();
    for help in &diagnostic.helps {
        match &help.patch {
            Some((span, text)) if exists(span.file, sources) => {
                let source = sources.file(span.file);
                let part = Excerpt::of(source, std::iter::once(*span));
                let patch = Patch::new(part.place(source, *span), text.as_str());
                let snippet = part.snippet(source).patch(patch);
                patches.push(Level::HELP.secondary_title(help.message.as_str()).element(snippet));
            }
            _ => main = main.element(Level::HELP.message(help.message.as_str())),
        }
    }
    let groups: Vec<Group<'_>> = std::iter::once(main).chain(patches).collect();
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let text = renderer.decor_style(DecorStyle::Unicode).render(&groups);
    // Trailing blanks would make snapshots and diffs noisy.
    let mut lines: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    if lines.is_empty() {
        lines.push('\n');
    }
    lines
}

/// The diagnostic without control characters, which names and texts of the user may contain. Lines of source text
/// are made safe where they are drawn.
fn safe(diagnostic: &Diagnostic) -> Diagnostic {
    let mut safe = diagnostic.clone();
    let labels = safe.labels.iter_mut().map(|label| &mut label.message);
    let helps = safe.helps.iter_mut().map(|help| {
        std::iter::once(&mut help.message).chain(help.patch.as_mut().map(|(_, replacement)| replacement))
    });
    let texts = std::iter::once(&mut safe.message).chain(labels).chain(&mut safe.notes);
    for text in texts.chain(helps.flatten()) {
        if let Cow::Owned(shown) = visible(text) {
            *text = shown;
        }
    }
    safe
}

/// One diagnostic for `check --json`: `code`, `severity`, `message`, `file`, `line`, `column`,
/// `end_line`, `end_column` (from 1, in characters; null without a place), `labels`, `notes`,
/// `helps`.
pub fn to_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let mut value = diagnostic.primary_span().map_or_else(|| json!({}), |span| place(span, sources));
    for key in ["file", "line", "column", "end_line", "end_column"] {
        if value.get(key).is_none() {
            value[key] = Value::Null;
        }
    }
    value["code"] = json!(diagnostic.code);
    value["severity"] = json!(match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    });
    value["message"] = json!(diagnostic.message);
    let labels = diagnostic.labels.iter().map(|label| {
        let mut entry = place(label.span, sources);
        entry["message"] = json!(label.message);
        entry["primary"] = json!(label.primary);
        entry
    });
    value["labels"] = labels.collect();
    value["notes"] = json!(diagnostic.notes);
    let helps = diagnostic.helps.iter().map(|help| {
        let mut entry = json!({ "message": help.message, "patch": null });
        if let Some((span, text)) = &help.patch {
            let mut patch = place(*span, sources);
            patch["text"] = json!(text);
            entry["patch"] = patch;
        }
        entry
    });
    value["helps"] = helps.collect();
    value
}

fn place(span: Span, sources: &SourceMap) -> Value {
    if !exists(span.file, sources) {
        return json!({});
    }
    let source = sources.file(span.file);
    let range = clamped(&source.text, span);
    let (line, column) = sources.line_column(span.file, range.start as u32);
    let (end_line, end_column) = sources.line_column(span.file, range.end as u32);
    json!({
        "file": &*source.name, "line": line, "column": column,
        "end_line": end_line, "end_column": end_column,
    })
}

/// A message in which the middle of very long words is left out, since names and numbers of the user may have any
/// length.
fn shortened(message: &str) -> String {
    const MOST: usize = 400;
    if message.chars().count() <= MOST {
        return message.to_string();
    }
    let start: String = message.chars().take(MOST / 2).collect();
    let end: Vec<char> = message.chars().rev().take(MOST / 4).collect();
    format!("{start} … {}", end.into_iter().rev().collect::<String>())
}

/// The files with labels, that of the first primary label first.
fn files_of(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<FileId> {
    let mut files: Vec<FileId> = diagnostic.primary_span().map(|span| span.file).into_iter().collect();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    files.retain(|&file| exists(file, sources));
    files
}

fn exists(file: FileId, sources: &SourceMap) -> bool {
    sources.files().any(|(id, _)| id == file)
}

/// The part of a source that a message shows. Rendering from the whole text would make many messages about a long
/// text take time in proportion to the square of its length.
struct Excerpt {
    /// The number of its first line, from 0.
    line: usize,
    bytes: Range<usize>,
}

/// The number of lines shown above and below the spans of a message where they help.
const CONTEXT: usize = 2;

impl Excerpt {
    fn of(source: &SourceFile, spans: impl Iterator<Item = Span>) -> Excerpt {
        let ranges = spans.map(|span| clamped(&source.text, span));
        let all = ranges.reduce(|all, next| all.start.min(next.start)..all.end.max(next.end));
        let (line, bytes) = source.lines_around(all.unwrap_or(0..0), CONTEXT);
        Excerpt { line, bytes }
    }

    fn snippet<'a, T: Clone>(&self, source: &'a SourceFile) -> Snippet<'a, T> {
        let text = &source.text[self.bytes.clone()];
        Snippet::source(text).line_start(self.line + 1).path(visible(&source.name))
    }

    /// The range of a span within the part.
    fn place(&self, source: &SourceFile, span: Span) -> Range<usize> {
        let range = clamped(&source.text, span);
        range.start - self.bytes.start..range.end - self.bytes.start
    }
}

/// The span as a range that may index the text.
fn clamped(text: &str, span: Span) -> Range<usize> {
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.floor_char_boundary(span.end as usize);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> SourceMap {
        let mut sources = SourceMap::default();
        sources.add("test.nn", text);
        sources
    }

    #[test]
    fn shows_source_labels_and_patch() {
        let sources = sources("x = 1\ny = (x + 2\n");
        let at = |start, end| Span::new(FileId(0), start, end);
        let diagnostic = Diagnostic::error("E0002", "`(` is never closed")
            .at(at(10, 11), "opened here")
            .and_at(at(16, 16), "`)` expected")
            .note("brackets nest")
            .suggest("close it", at(16, 16), ")");
        insta::assert_snapshot!(render(&diagnostic, &sources, Style::Plain), @r"
        error[E0002]: `(` is never closed
          ╭▸ test.nn:2:5
          │
        2 │ y = (x + 2
          │     ┯     ─ `)` expected
          │     │
          │     opened here
          │
          ╰ note: brackets nest
        help: close it
          ╭╴
        2 │ y = (x + 2)
          ╰╴          +
        ");
        let value = to_json(&diagnostic, &sources);
        assert_eq!((value["line"].as_u64(), value["column"].as_u64()), (Some(2), Some(5)));
        assert_eq!(value["helps"][0]["patch"]["text"], ")");
    }

    #[test]
    fn no_escape_sequence_is_left() {
        let mut sources = SourceMap::default();
        let file = sources.add("ev\x1b[2Jil.nn", "x = \"\x1b[31m\x07\"\n");
        let span = Span::new(file, 4, 12);
        let escape = "\x1b]0;title\x07 \u{9b}31m";
        let diagnostic = Diagnostic::warning("W0071", escape)
            .at(span, escape)
            .note(escape)
            .help(escape)
            .suggest(escape, span, escape);
        let text = render(&diagnostic, &sources, Style::Plain);
        let obeyed = |character: char| character.is_control() && character != '\n';
        assert!(!text.contains(obeyed), "{text:?}");
    }

    #[test]
    fn odd_spans_do_not_panic() {
        for text in [
            "",
            "\n",
            "\r\n\r\n",
            "a\tb\r\n\tσ漢字\r\nend",
            "漢",
            "x = \"\u{1b}[31m\u{0}\u{200b}\"",
            "\n\n\n",
        ] {
            let sources = sources(text);
            let length = text.len() as u32 + 3;
            for start in 0..=length {
                for end in [0, start, start + 1, start + 2, length, u32::MAX] {
                    for file in [0, 7] {
                        let span = Span { file: FileId(file), start, end };
                        let diagnostic = Diagnostic::warning("W0071", "a\nb\t漢")
                            .at(span, "here\nand there")
                            .and_at(span, "")
                            .suggest("write", span, "σ\n\tz")
                            .help("");
                        assert!(render(&diagnostic, &sources, Style::Plain).ends_with('\n'));
                        render(&diagnostic, &sources, Style::Colour);
                        to_json(&diagnostic, &sources);
                    }
                }
            }
        }
    }
}
