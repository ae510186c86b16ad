//! A csv text taken apart into fields (RFC 4180, with a separator of choice).

use std::borrow::Cow;

/// Takes one record after the other from a text.
#[derive(Clone)]
pub struct Scanner<'a> {
    text: &'a str,
    separator: u8,
    at: usize,
}

/// A field: its text without quotes and surrounding blanks, and the byte of the file's text where
/// it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    pub text: Cow<'a, str>,
    pub start: usize,
}

/// Text that is no csv, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScanError {
    /// The quote at this byte is never closed.
    UnclosedQuote(usize),
    /// After a closing quote there is text before the next separator.
    TextAfterQuote(usize),
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str, separator: u8) -> Scanner<'a> {
        Scanner { text, separator, at: 0 }
    }

    /// The byte that it has come to.
    pub fn place(&self) -> usize {
        self.at
    }

    /// Fills `fields` with the next record; false at the end of the text. Empty lines are skipped.
    pub fn next_record(&mut self, fields: &mut Vec<Field<'a>>) -> Result<bool, ScanError> {
        fields.clear();
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.at == bytes.len() {
            return Ok(false);
        }
        loop {
            fields.push(self.next_field()?);
            match bytes.get(self.at) {
                Some(&byte) if byte == self.separator => self.at += 1,
                _ => break,
            }
        }
        Ok(true)
    }

    /// Leaves `at` at the separator, the line end or the text's end.
    fn next_field(&mut self) -> Result<Field<'a>, ScanError> {
        let bytes = self.text.as_bytes();
        let is_blank = |byte: u8| byte == b' ' || (byte == b'\t' && self.separator != b'\t');
        while bytes.get(self.at).is_some_and(|&byte| is_blank(byte)) {
            self.at += 1;
        }
        let start = self.at;
        if bytes.get(start) == Some(&b'"') {
            return self.quoted_field(start);
        }
        let length = bytes[start..].iter().position(|&byte| byte == self.separator || byte == b'\n');
        self.at = length.map_or(bytes.len(), |length| start + length);
        Ok(Field { text: Cow::Borrowed(self.text[start..self.at].trim()), start })
    }

    fn quoted_field(&mut self, start: usize) -> Result<Field<'a>, ScanError> {
        let mut text = Cow::Borrowed("");
        let mut from = start + 1;
        loop {
            let Some(length) = self.text[from..].find('"') else {
                return Err(ScanError::UnclosedQuote(start));
            };
            let piece = &self.text[from..from + length];
            from += length + 1;
            match &mut text {
                Cow::Borrowed("") => text = Cow::Borrowed(piece),
                _ => text.to_mut().push_str(piece),
            }
            if self.text[from..].starts_with('"') {
                text.to_mut().push('"');
                from += 1;
            } else {
                break;
            }
        }
        let rest = &self.text[from..];
        let length =
            rest.bytes().position(|byte| byte == self.separator || byte == b'\n').unwrap_or(rest.len());
        if !rest[..length].trim().is_empty() {
            let blanks = rest.len() - rest.trim_start().len();
            return Err(ScanError::TextAfterQuote(from + blanks));
        }
        self.at = from + length;
        Ok(Field { text, start })
    }
}

/// Line and column of a byte of a text, both from 1; columns count characters.
pub fn line_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.bytes().filter(|&byte| byte == b'\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Vec<Vec<String>>, ScanError> {
        let mut scanner = Scanner::new(text, b',');
        let (mut fields, mut records) = (Vec::new(), Vec::new());
        while scanner.next_record(&mut fields)? {
            records.push(fields.iter().map(|field| field.text.to_string()).collect());
        }
        Ok(records)
    }

    #[test]
    fn plain_and_quoted_fields() {
        assert_eq!(records("a,b\n1,2\n").unwrap(), [["a", "b"], ["1", "2"]]);
        assert_eq!(records("a , b\r\n\r\n1,2").unwrap(), [["a", "b"], ["1", "2"]]);
        assert_eq!(
            records("\"a,b\",\"5\"\" pipe\", \"two\nlines\" \n").unwrap(),
            [["a,b", "5\" pipe", "two\nlines"]]
        );
        assert_eq!(records("\"\",,\"\"\"\"\n").unwrap(), [["", "", "\""]]);
        assert_eq!(records("1,\n").unwrap(), [["1", ""]]);
        assert_eq!(records("\n\n").unwrap(), Vec::<Vec<String>>::new());
        assert_eq!(records("é,\"ü\"x").unwrap_err(), ScanError::TextAfterQuote(7));
        assert_eq!(records("1,\"two\n3").unwrap_err(), ScanError::UnclosedQuote(2));
    }

    #[test]
    fn places() {
        let text = "ab,c\né,d";
        assert_eq!(line_column(text, 3), (1, 4));
        assert_eq!(line_column(text, text.len() - 1), (2, 3));
    }
}
