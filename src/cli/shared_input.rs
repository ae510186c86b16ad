//! One text that several read, each at its own pace: what all of them have read is forgotten.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

struct Shared {
    source: Box<dyn Read>,
    /// What not all have read yet.
    bytes: VecDeque<u8>,
    /// How many bytes were read before these.
    before: u64,
    /// How far each has read.
    places: Vec<u64>,
    is_at_end: bool,
}

/// One of those who read.
pub struct Part {
    shared: Rc<RefCell<Shared>>,
    number: usize,
}

/// A reader for each of `count`.
pub fn shared(source: Box<dyn Read>, count: usize) -> Vec<Part> {
    let places = vec![0; count];
    let shared = Shared { source, bytes: VecDeque::new(), before: 0, places, is_at_end: false };
    let shared = Rc::new(RefCell::new(shared));
    (0..count).map(|number| Part { shared: Rc::clone(&shared), number }).collect()
}

impl Read for Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut shared = self.shared.borrow_mut();
        let place = shared.places[self.number];
        let from = (place - shared.before) as usize;
        if from == shared.bytes.len() {
            if shared.is_at_end || into.is_empty() {
                return Ok(0);
            }
            let count = shared.source.read(into)?;
            shared.is_at_end = count == 0;
            shared.bytes.extend(&into[..count]);
        }
        let count = into.len().min(shared.bytes.len() - from);
        into.iter_mut().zip(shared.bytes.range(from..from + count)).for_each(|(to, byte)| *to = *byte);
        shared.places[self.number] = place + count as u64;
        let read_by_all = shared.places.iter().min().map_or(0, |least| (least - shared.before) as usize);
        shared.bytes.drain(..read_by_all);
        shared.before += read_by_all as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_the_whole_text() {
        let text: Vec<u8> = (0..10_000u32).map(|at| at as u8).collect();
        let mut parts = shared(Box::new(io::Cursor::new(text.clone())), 3);
        let mut read: Vec<Vec<u8>> = vec![Vec::new(); 3];
        let mut turn = 0usize;
        while read.iter().any(|bytes| bytes.len() < text.len()) {
            let (number, mut piece) = (turn % 3, vec![0; 1 + turn * 37 % 500]);
            let count = parts[number].read(&mut piece).unwrap();
            read[number].extend(&piece[..count]);
            turn += 1;
        }
        assert!(read.iter().all(|bytes| *bytes == text));
        assert!(parts.iter_mut().all(|part| part.read(&mut [0; 8]).unwrap() == 0));
        assert!(parts[0].shared.borrow().bytes.is_empty());
    }
}
