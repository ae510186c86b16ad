//! Characters of the text form, one after the other.

use std::fmt;

/// What is wrong with a text, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextError {
    /// From 1.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for TextError {}

pub(super) type Parsed<T> = Result<T, TextError>;

pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0 }
    }

    pub fn error<T>(&self, message: impl Into<String>) -> Parsed<T> {
        let line = 1 + self.text[..self.at].matches('\n').count();
        Err(TextError { line, message: message.into() })
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        let found: String = self.text[self.at..].chars().take(12).collect();
        self.error(format!("expected {what}, found `{}`", found.escape_debug()))
    }

    /// Passes over white space and comments from `#` to the end of the line.
    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    pub fn rest(&mut self) -> &'t str {
        self.skip();
        &self.text[self.at..]
    }

    pub fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Whether a symbol comes next.
    pub fn sees(&mut self, symbol: &str) -> bool {
        self.rest().starts_with(symbol)
    }

    /// Passes over a symbol if it comes next.
    pub fn take(&mut self, symbol: &str) -> bool {
        let found = self.sees(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    pub fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.take(symbol) { Ok(()) } else { self.expected(&format!("`{symbol}`")) }
    }

    /// The word that comes next, empty if none does.
    pub fn peek_word(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.starts_with(|c: char| c.is_ascii_digit()) { "" } else { word }
    }

    pub fn word(&mut self) -> Parsed<&'t str> {
        let word = self.peek_word();
        if word.is_empty() {
            return self.expected("a word");
        }
        self.at += word.len();
        Ok(word)
    }

    /// Passes over a word if it comes next.
    pub fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    /// A number after a letter: `i0`, `t12`, `v3`.
    pub fn peek_numbered(&mut self, letter: char) -> Option<u32> {
        let digits = self.peek_word().strip_prefix(letter)?;
        if digits.chars().all(|c| c.is_ascii_digit()) { digits.parse().ok() } else { None }
    }

    pub fn numbered(&mut self, letter: char) -> Parsed<u32> {
        let Some(number) = self.peek_numbered(letter) else {
            return self.expected(&format!("`{letter}` with a number"));
        };
        self.word().map(|_| number)
    }

    /// Digits without a sign.
    pub fn natural<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let Ok(number) = rest[..end].parse() else { return self.expected("a number") };
        self.at += end;
        Ok(number)
    }

    /// The characters of a number with sign, point and exponent.
    pub fn numeral(&mut self) -> Parsed<&'t str> {
        let rest = self.rest();
        let mut end = usize::from(rest.starts_with('-'));
        let bytes = rest.as_bytes();
        while let Some(byte) = bytes.get(end) {
            let after_exponent = end > 0 && matches!(bytes[end - 1], b'e' | b'E');
            if !(byte.is_ascii_digit()
                || matches!(byte, b'.' | b'e' | b'E')
                || matches!(byte, b'-' | b'+') && after_exponent)
            {
                break;
            }
            end += 1;
        }
        if !rest[..end].contains(|c: char| c.is_ascii_digit()) {
            return self.expected("a number");
        }
        self.at += end;
        Ok(&rest[..end])
    }

    pub fn quoted(&mut self) -> Parsed<String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            let mut rest = self.text[self.at..].chars();
            match rest.next() {
                Some('"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') if rest.as_str().starts_with("u{") => {
                    self.at += 3;
                    let digits = self.text[self.at..].split('}').next().unwrap_or_default();
                    let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                    let Some(c) = c else { return self.error("no such character") };
                    self.at += digits.len();
                    self.expect("}")?;
                    text.push(c);
                }
                Some('\\') => {
                    let Some(c) = rest.next() else { return self.error("a text without an end") };
                    self.at += 1 + c.len_utf8();
                    text.push(c);
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
                None => return self.error("a text without an end"),
            }
        }
    }
}

/// Letters of names of symbolic dimensions: dots for `digits.rows`, primes.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '\'') || !c.is_ascii() && !c.is_whitespace()
}
