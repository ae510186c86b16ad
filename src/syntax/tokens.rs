//! Cuts text into tokens without parsing it: for finding items and brackets before pest runs,
//! for error messages after it failed, and for the formatter, which must keep comments.

/// The words that begin an item.
pub const ITEM_WORDS: [&str; 20] = [
    "precision",
    "import",
    "const",
    "activation",
    "fn",
    "layer",
    "loss",
    "metric",
    "init",
    "schedule",
    "optimizer",
    "model",
    "data",
    "train",
    "print",
    "expect",
    "plot",
    "generate",
    "sweep",
    "for",
];

/// Reserved words, which cannot be names.
pub const RESERVED: [&str; 7] = ["if", "then", "else", "for", "and", "or", "not"];

/// A line that begins with one of these words continues the statement of the line before.
pub const CONTINUING: [&str; 6] = ["then", "else", "gradient", "surrogate", "with", "over"];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    Word,
    Number,
    /// With its quotes and everything between them.
    Str,
    /// A string without its closing quote, to the end of the line.
    OpenStr,
    /// `(`, `[` or `{`
    Open,
    /// `)`, `]` or `}`
    Close,
    Symbol,
    Newline,
    Comment,
    /// A character that occurs in no token.
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    pub fn text(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

const SYMBOLS: [&str; 10] = ["...", "..", "|>", "->", "<-", "+=", "==", "!=", "<=", ">="];

/// The tokens of the text, blanks left out. Every byte that is not blank is in one token.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 3);
    // A byte order mark is skipped.
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < bytes.len() {
        let start = at;
        let kind = match bytes[at] {
            b' ' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'\n' => {
                at += 1;
                TokenKind::Newline
            }
            b'#' => {
                at = line_end(text, at);
                TokenKind::Comment
            }
            b'(' | b'[' | b'{' => {
                at += 1;
                TokenKind::Open
            }
            b')' | b']' | b'}' => {
                at += 1;
                TokenKind::Close
            }
            b'"' => match string_end(text, at) {
                Some(end) => {
                    at = end;
                    TokenKind::Str
                }
                None => {
                    at = text[..line_end(text, at)].trim_end().len().max(at + 1);
                    TokenKind::OpenStr
                }
            },
            b'0'..=b'9' => {
                at = if follows_member_dot(text, &tokens, at) {
                    word_end(text, at)
                } else {
                    number_end(text, at)
                };
                TokenKind::Number
            }
            _ => {
                if let Some(symbol) = SYMBOLS.iter().find(|symbol| text[at..].starts_with(**symbol)) {
                    at += symbol.len();
                    TokenKind::Symbol
                } else if b"+-*/^@=<>,:.".contains(&bytes[at]) {
                    at += 1;
                    TokenKind::Symbol
                } else {
                    let first = text[at..].chars().next().unwrap_or(' ');
                    at += first.len_utf8();
                    if is_word_start(first) {
                        at = word_end(text, at);
                        TokenKind::Word
                    } else {
                        TokenKind::Unknown
                    }
                }
            }
        };
        tokens.push(Token { kind, start, end: at });
    }
    tokens
}

pub fn is_word_start(c: char) -> bool {
    c == '_' || if c.is_ascii() { c.is_ascii_alphabetic() } else { pest::unicode::XID_START(c) }
}

fn is_word_more(c: char) -> bool {
    c == '\''
        || c == '_'
        || if c.is_ascii() { c.is_ascii_alphanumeric() } else { pest::unicode::XID_CONTINUE(c) }
}

/// Whether the whole text is one name that may be bound.
pub fn is_name(text: &str) -> bool {
    text.starts_with(is_word_start) && text.chars().all(is_word_more) && !RESERVED.contains(&text)
}

fn word_end(text: &str, at: usize) -> usize {
    text[at..].find(|c| !is_word_more(c)).map_or(text.len(), |length| at + length)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |length| at + length)
}

/// `blocks.0`: digits behind the dot of a path are a name.
fn follows_member_dot(text: &str, tokens: &[Token], at: usize) -> bool {
    let [.., base, dot] = tokens else { return false };
    dot.text(text) == "."
        && dot.end == at
        && base.end == dot.start
        && matches!(base.kind, TokenKind::Word | TokenKind::Close | TokenKind::Number)
}

fn number_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while at < bytes.len() && (bytes[at].is_ascii_digit() || bytes[at] == b'_') {
            at += 1;
        }
        at
    };
    let digit_at = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = digits(start);
    if bytes.get(at) == Some(&b'.') && digit_at(at + 1) {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if digit_at(at + 1 + sign) {
            at = digits(at + 1 + sign);
        }
    }
    // `2x` and `1e` are one wrong token, not a number and a name.
    word_end(text, at)
}

/// Where a string that begins at `start` ends, its `{expr}` pieces included.
fn string_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    // Inside a string (`"`) or inside the braces of a piece (`{`).
    let mut modes = vec![b'"'];
    let mut at = start + 1;
    while at < bytes.len() {
        let mode = *modes.last()?;
        match (mode, bytes[at]) {
            (_, b'\n') => return None,
            (b'"', b'\\') => at += 1,
            (b'"', b'{') if bytes.get(at + 1) == Some(&b'{') => at += 1,
            (_, b'{') => modes.push(b'{'),
            (b'{', b'}') => {
                modes.pop();
            }
            (b'"', b'"') => {
                modes.pop();
                if modes.is_empty() {
                    return Some(at + 1);
                }
            }
            (b'{', b'"') => modes.push(b'"'),
            _ => {}
        }
        at += 1;
    }
    None
}
