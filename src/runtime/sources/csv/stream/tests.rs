//! Rows come whole and in order, whatever pieces the text is read in.

use super::super::{ColumnRef, Selection, Want};
use super::*;
use crate::runtime::array::Elements;

/// Gives one byte at a time.
struct Slow(Vec<u8>);

impl Read for Slow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() || into.is_empty() {
            return Ok(0);
        }
        into[0] = self.0.remove(0);
        Ok(1)
    }
}

fn stream(text: &str, slow: bool) -> Stream {
    let request = Request::plain(Selection::List(vec![ColumnRef::Name("b".into())]), Want::F64);
    let bytes = text.as_bytes().to_vec();
    let reader: Box<dyn Read> =
        if slow { Box::new(Slow(bytes)) } else { Box::new(io::Cursor::new(bytes)) };
    Stream::new(reader, "t.csv".into(), Options::default(), vec![request])
}

fn values(mut stream: Stream) -> Result<(Vec<f64>, Vec<Vec<String>>), Diagnostic> {
    let (mut values, mut fields) = (Vec::new(), Vec::new());
    while let Some(block) = stream.next(2, &mut |_| {})? {
        let Elements::F64(found) = block.columns[0].array.elements() else { panic!("floats") };
        values.extend(found);
        fields.extend(block.fields);
    }
    Ok((values, fields))
}

#[test]
fn rows_come_in_any_pieces() {
    let text = "a,b\n\"x, \"\"y\"\"\nz\",1\n\u{e9},2.5\r\n\n,3";
    for slow in [false, true] {
        let (found, fields) = values(stream(text, slow)).unwrap();
        assert_eq!(found, [1.0, 2.5, 3.0]);
        assert_eq!(fields[0], ["x, \"y\"\nz", "1"]);
        assert_eq!(fields[2], ["", "3"]);
    }
}

#[test]
fn lines_may_end_in_carriage_returns_alone() {
    for slow in [false, true] {
        for text in ["a,b\rx,1\ry,2", "a,b\rx,1\r\ry,2\r", "a,b\r\nx,1\r\ny,2\r\n"] {
            assert_eq!(values(stream(text, slow)).unwrap().0, [1.0, 2.0], "{text:?}");
        }
    }
}

/// Neither a line nor a quote without end is waited for.
#[test]
fn a_row_has_an_end() {
    let endless: [Box<dyn Read>; 2] =
        [Box::new(io::repeat(b'1')), Box::new(io::Cursor::new(*b"a,b\n1,\"\n").chain(io::repeat(b'\n')))];
    for reader in endless {
        let error = values(Stream { reader, ..stream("", false) }).unwrap_err();
        assert!(error.code == "E0709" && error.message.contains("longer than 67.1 MB"), "{}", error.message);
    }
}

#[test]
fn errors_name_the_line_of_the_file() {
    for slow in [false, true] {
        let error = values(stream("a,b\n1,1\n1,2\n1,x\n", slow)).unwrap_err();
        assert!(error.message.starts_with("t.csv:4:3: "), "{}", error.message);
        let error = values(stream("a,b\n1,1\n1,2\n1\n", slow)).unwrap_err();
        assert!(error.message.starts_with("t.csv:4 has 1 field"), "{}", error.message);
        let error = values(stream("a,b\n1,1\n1,\"2\n", slow)).unwrap_err();
        assert!(error.message.starts_with("t.csv:3:3: "), "{}", error.message);
    }
}
