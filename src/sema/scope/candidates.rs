//! What an unknown name can be where it stands: each name that is known has a kind, each place in a line takes some.

use crate::base::Span;
use crate::sema::settings::{self, Takes};
use crate::syntax::ast::{ItemKind, Role};
use crate::syntax::tokens::{Token, TokenKind, is_word_start, tokens};

/// A name that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    pub name: String,
    pub kind: NameKind,
}

/// What a name is the name of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameKind {
    /// What a body, its inputs or the language give a value; it may be anything.
    Binding,
    Const,
    Data,
    /// What reads columns, within the fields of data.
    Column,
    Definition(Role),
}

impl NameKind {
    /// The kind of an item; nothing for items whose names stand nowhere.
    pub fn of_item(item: &ItemKind) -> Option<NameKind> {
        match item {
            ItemKind::Const(_) => Some(NameKind::Const),
            ItemKind::Data(_) => Some(NameKind::Data),
            ItemKind::Definition(definition) => Some(NameKind::Definition(definition.role)),
            ItemKind::Train(_)
            | ItemKind::Precision(_)
            | ItemKind::Import(_)
            | ItemKind::Print(_)
            | ItemKind::Expect(_)
            | ItemKind::Plot(_)
            | ItemKind::Generate(_)
            | ItemKind::Sweep(_)
            | ItemKind::For(_) => None,
        }
    }
}

/// Where a name stands in its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// `NAME(…)`, `x |> NAME`
    Called,
    /// `with NAME`
    Optimizer,
    /// `data = NAME`
    Data,
    /// `param w: [3] = NAME`
    Start,
    /// `f(NAME)`, `f(a = NAME)`
    Argument,
    /// `y = NAME`, `if c then NAME else NAME`
    Whole,
    /// `NAME + 1`, `NAME[i]`
    Operand,
}

impl Standing {
    /// Looks at the tokens around the name, in its item.
    pub fn of(text: &str, name: Span) -> Standing {
        let start = item_start(text, name.start as usize);
        let (name_start, name_end) = (name.start as usize - start, name.end as usize - start);
        let text = &text[start..];
        let mut tokens = tokens(&text[..name_end + following(&text[name_end..])]);
        tokens.retain(|token| token.kind != TokenKind::Comment);
        // Lines end nothing within parentheses.
        if let Some(open) = innermost_open(&tokens, name_start).filter(|open| open.text(text) == "(") {
            tokens.retain(|token| token.start < open.start || token.kind != TokenKind::Newline);
        }
        let at = tokens.partition_point(|token| token.end <= name_start);
        let behind = tokens.iter().find(|token| token.start >= name_end);
        // A string is one token, whatever is called in it.
        let is_called = text[name_end..].starts_with('(');
        let next = if is_called { "(" } else { behind.map_or("", |token| token.text(text)) };
        let ends_line = behind.is_none_or(|token| token.kind == TokenKind::Newline);
        let before = &tokens[..at];
        let words: Vec<&str> = before.iter().rev().take(4).map(|token| token.text(text)).collect();
        let word = |n: usize| words.get(n).copied().unwrap_or("");
        match (word(0), next) {
            ("with", _) => Standing::Optimizer,
            ("=", _) if takes_data(text, before, word(1)) => Standing::Data,
            (_, "(") | ("|>", _) => Standing::Called,
            ("=", _) if ends_line && matches!(first_of_line(text, before), "param" | "state") => Standing::Start,
            ("(" | ",", "," | ")") => Standing::Argument,
            ("=", "," | ")") if matches!(word(2), "(" | ",") => Standing::Argument,
            ("=" | "then" | "else" | "{" | "\n", "else" | "}") => Standing::Whole,
            ("=" | "then" | "else" | "{" | "\n", _) if ends_line => Standing::Whole,
            _ => Standing::Operand,
        }
    }

    /// What stands here, where that is one kind of thing.
    pub fn only(self) -> Option<&'static str> {
        match self {
            Standing::Optimizer => Some("optimizer"),
            Standing::Data => Some("data set"),
            Standing::Called | Standing::Start | Standing::Argument | Standing::Whole | Standing::Operand => None,
        }
    }

    pub fn takes(self, kind: NameKind) -> bool {
        match (self, kind) {
            (Standing::Optimizer, kind) => kind == NameKind::Definition(Role::Optimizer),
            (Standing::Data, kind) => kind == NameKind::Data,
            (_, NameKind::Binding) => true,
            (Standing::Called, kind) => !matches!(kind, NameKind::Const | NameKind::Data),
            (_, NameKind::Column) => false,
            (_, NameKind::Const | NameKind::Data) => true,
            (Standing::Argument, NameKind::Definition(role)) => role != Role::Optimizer,
            (Standing::Start, NameKind::Definition(role)) => matches!(role, Role::Init | Role::Fn),
            (Standing::Whole, NameKind::Definition(role)) => {
                matches!(role, Role::Activation | Role::Fn | Role::Layer | Role::Model)
            }
            (Standing::Operand, NameKind::Definition(role)) => role == Role::Model,
        }
    }
}

/// Where the item begins that a place is in: the last line before it that begins with a word at its margin.
fn item_start(text: &str, place: usize) -> usize {
    let starts = text[..place].rmatch_indices('\n').map(|(newline, _)| newline + 1);
    let mut items = starts.filter(|start| text[*start..].starts_with(is_word_start));
    items.next().unwrap_or(0)
}

/// The length of the rest of the line and of the two below.
fn following(text: &str) -> usize {
    text.match_indices('\n').nth(2).map_or(text.len(), |(newline, _)| newline)
}

/// The innermost bracket that is open at a place.
fn innermost_open(tokens: &[Token], place: usize) -> Option<Token> {
    let mut open = Vec::new();
    for token in tokens.iter().take_while(|token| token.start < place) {
        match token.kind {
            TokenKind::Open => open.push(*token),
            TokenKind::Close => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// Whether a setting of this name, whose `=` is the last of these tokens, is a data set.
fn takes_data(text: &str, before: &[Token], name: &str) -> bool {
    let is_setting = settings::GROUPS.iter().flat_map(|group| group.settings);
    let mut takes = is_setting.filter(|setting| setting.name == name).map(|setting| setting.takes);
    let first = first_of_line(text, before);
    // `data = d`, and `data extra = d` in a `train`.
    (first == name || first == "generate") && takes.any(|takes| takes == Takes::Data)
        || first == "data" && before.len() > 3 && before[before.len() - 3].text(text) == "data" && is_indented(text, before)
}

/// The word that the line of the last token begins with.
fn first_of_line<'t>(text: &'t str, before: &[Token]) -> &'t str {
    let line = before.rsplit(|token| token.kind == TokenKind::Newline || token.text(text) == "{").next();
    line.and_then(<[Token]>::first).map_or("", |token| token.text(text))
}

/// Whether the last token stands within braces.
fn is_indented(text: &str, before: &[Token]) -> bool {
    let braces = |brace: &str| before.iter().filter(|token| token.text(text) == brace).count();
    braces("{") > braces("}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;

    /// Where `NAME` stands in the text.
    fn standing(text: &str) -> Standing {
        let start = text.find("NAME").unwrap();
        Standing::of(text, Span::new(FileId(1), start, start + 4))
    }

    #[test]
    fn places_in_a_line() {
        for (text, expected) in [
            ("y = NAME(x)", Standing::Called),
            ("y = x |> NAME", Standing::Called),
            ("print \"{NAME(x)}\"", Standing::Called),
            ("minimize mse(y, t) with NAME(lr = 1)", Standing::Optimizer),
            ("train {\n    data = NAME\n}", Standing::Data),
            ("train { data = NAME.test\n}", Standing::Data),
            ("train {\n    validate = NAME\n}", Standing::Data),
            ("train {\n    data extra = NAME, batch = 4\n}", Standing::Data),
            ("data d = NAME", Standing::Whole),
            ("data d = NAME(\"a.csv\")", Standing::Called),
            ("    param w: [3] = NAME\n", Standing::Start),
            ("f(NAME)", Standing::Argument),
            ("f(a, b = NAME)", Standing::Argument),
            ("f(\n    a,\n    b = NAME\n)", Standing::Argument),
            ("y = NAME\n", Standing::Whole),
            ("y = if c then NAME else 2", Standing::Whole),
            ("fn f(x) {\n    NAME\n}", Standing::Whole),
            ("y = NAME + 1", Standing::Operand),
            ("y = NAME[0]", Standing::Operand),
            ("print NAME", Standing::Operand),
            ("f(NAME * 2)", Standing::Operand),
        ] {
            assert_eq!(standing(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_place_takes() {
        let init = NameKind::Definition(Role::Init);
        assert!(Standing::Argument.takes(init) && Standing::Start.takes(init) && Standing::Called.takes(init));
        assert!(!Standing::Data.takes(init) && !Standing::Whole.takes(init) && !Standing::Operand.takes(init));
        assert!(!Standing::Called.takes(NameKind::Data) && Standing::Operand.takes(NameKind::Binding));
    }
}
