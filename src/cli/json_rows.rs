//! Lines of JSON, an object each, as the rows of a table whose columns are the keys of the first.

use std::io::{self, BufRead, Read};

use serde_json::{Map, Value};

use super::sheet::{Cell, csv_line};

/// The longest line: input without line ends may be endless.
const LONGEST_LINE: u64 = 1 << 26;

/// Gives the lines as those of a csv text without header.
pub struct JsonRows {
    lines: Box<dyn BufRead>,
    name: String,
    keys: Vec<String>,
    line: usize,
    /// What is still to be given out.
    text: Vec<u8>,
    given: usize,
}

impl JsonRows {
    /// Reads the first line.
    ///
    /// # Errors
    /// If it cannot be read or is no object.
    pub fn new(lines: Box<dyn BufRead>, name: String) -> io::Result<JsonRows> {
        let (keys, text) = (Vec::new(), Vec::new());
        let mut rows = JsonRows { lines, name, keys, line: 0, text, given: 0 };
        rows.fill()?;
        Ok(rows)
    }

    /// The names of the columns.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Takes the next line. An empty one is a line of the table, too, so that lines keep their numbers.
    fn fill(&mut self) -> io::Result<()> {
        (self.text, self.given) = (Vec::new(), 0);
        let mut line = String::new();
        if self.lines.by_ref().take(LONGEST_LINE).read_line(&mut line)? == 0 {
            return Ok(());
        }
        self.line += 1;
        if line.len() as u64 == LONGEST_LINE {
            let message = format!("{}:{}: a line is longer than 67 MB", self.name, self.line);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if !line.trim().is_empty() {
            let wrong = |what: &str| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{}:{}: {what}", self.name, self.line))
            };
            let object: Map<String, Value> = serde_json::from_str(&line)
                .map_err(|error| wrong(&format!("a line is an object, {{\"a\": 1}}: {error}")))?;
            if self.keys.is_empty() {
                self.keys = object.keys().cloned().collect();
            }
            let cells = self.keys.iter().map(|key| match object.get(key) {
                None | Some(Value::Null) => Ok(Cell::Number(String::new())),
                Some(Value::String(text)) => Ok(Cell::Text(text.clone())),
                Some(value @ (Value::Bool(_) | Value::Number(_))) => Ok(Cell::Number(value.to_string())),
                Some(Value::Array(_) | Value::Object(_)) => {
                    Err(wrong(&format!("`{key}` is neither a number nor a text")))
                }
            });
            let cells = cells.collect::<io::Result<Vec<Cell>>>()?;
            self.text = csv_line(&cells, ',').into_bytes();
        }
        self.text.push(b'\n');
        Ok(())
    }
}

impl Read for JsonRows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.fill()?;
        }
        let rest = &self.text[self.given..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}
