//! What ranks read of a table together is what one process reads, and each reads its part of the bytes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::base::Diagnostic;
use crate::runtime::ranks::{Ranks, Shared, threads};
use crate::runtime::sources::csv::stored::{Held, Large, read};
use crate::runtime::sources::csv::{ColumnRef, Options, Request, Selection, Want};
use crate::runtime::world::{Entry, Fill, Input, Stored, World};

/// One file, of which it counts the bytes that are read.
struct OneFile(Arc<Vec<u8>>, Arc<AtomicUsize>);

impl World for OneFile {
    fn open(&self, _: &Path) -> io::Result<Input> {
        Ok(Input::Stored(Box::new(OneFile(Arc::clone(&self.0), Arc::clone(&self.1)))))
    }

    fn list(&self, _: &Path) -> io::Result<Vec<Entry>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn write(&self, _: &Path, _: Fill<'_>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn write_new(&self, _: &str, _: &str, _: Fill<'_>) -> io::Result<PathBuf> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl Stored for OneFile {
    fn length(&self) -> usize {
        self.0.len()
    }

    fn read_at(&self, start: usize, into: &mut [u8]) -> io::Result<()> {
        self.1.fetch_add(into.len(), Ordering::Relaxed);
        into.copy_from_slice(self.0.get(start..start + into.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// What is read of a column: its name, as what, and whether it stays in the file.
type Asked = (&'static str, Want, bool);

const ASKED: [Asked; 6] = [
    ("x", Want::Wide, true),
    ("kind", Want::Int, true),
    ("n", Want::Int, true),
    ("long", Want::Int, false),
    ("is", Want::Bool, true),
    ("y", Want::F64, false),
];

/// What a rank gets, as a text, and how many bytes it has read.
fn read_by(rank: Option<&Shared>, bytes: &[u8], asked: &[Asked], dropped: &[bool]) -> (Result<String, Diagnostic>, usize) {
    let world = OneFile(Arc::new(bytes.to_vec()), Arc::default());
    let request = |(name, want, _): &Asked| Request::plain(Selection::One(ColumnRef::Name((*name).into())), *want);
    let requests: Vec<Request> = asked.iter().map(request).collect();
    let stays: Vec<bool> = asked.iter().map(|(.., stays)| *stays).collect();
    let found = read(&world, Path::new("t.csv"), &Options::default(), &requests, (&stays, dropped), rank);
    let count = world.1.load(Ordering::Relaxed);
    (found.and_then(|large| shown(&large)), count)
}

fn shown(large: &Large) -> Result<String, Diagnostic> {
    let rows: Vec<u32> = (0..large.rows as u32).rev().collect();
    let of = |held: &Held| match held {
        Held::InMemory(columns) => Ok(format!("{columns:?}")),
        Held::InFile(request) => {
            let mut all = Vec::new();
            large.stored.read_rows(*request, &rows, &mut |_, numbers| all.extend_from_slice(numbers))?;
            Ok(format!("{all:?}"))
        }
    };
    let columns = large.columns.iter().map(of).collect::<Result<Vec<String>, Diagnostic>>()?;
    Ok(format!("{} rows\n{}", large.rows, columns.join("\n")))
}

/// What each of so many ranks gets.
fn read_by_all(size: usize, bytes: &[u8], asked: &[Asked], dropped: &[bool]) -> Vec<(Result<String, Diagnostic>, usize)> {
    let share = |rank: threads::Thread| -> Shared { Arc::new(Mutex::new(Box::new(rank) as Box<dyn Ranks>)) };
    let ranks: Vec<Shared> = threads::ranks(size).into_iter().map(share).collect();
    std::thread::scope(|scope| {
        let each = |rank| scope.spawn(move || read_by(Some(rank), bytes, asked, dropped));
        let all: Vec<_> = ranks.iter().map(each).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Whether all numbers of ranks get what one process gets: values or an error, which it gives.
fn assert_same(what: &str, bytes: &[u8], asked: &[Asked], dropped: &[bool]) -> Result<String, Diagnostic> {
    let (alone, _) = read_by(None, bytes, asked, dropped);
    for size in [1, 2, 3, 4, 8] {
        for (rank, (found, _)) in read_by_all(size, bytes, asked, dropped).into_iter().enumerate() {
            assert_eq!(found, alone, "{what}: rank {rank} of {size}");
        }
    }
    alone
}

/// Rows with quoted line ends, quotes, empty lines, and a number that 32 bits do not hold.
fn table(rows: usize) -> String {
    let mut text = String::from("\u{feff}kind,x,\"n\",note,long,is,y\r\n");
    for row in 0..rows {
        let kind = ["oak", "ash", "fir", "yew"][row * row % 7 % if row > rows / 2 { 4 } else { 3 }];
        let long = if row == rows * 3 / 4 { 1 << 40 } else { row as i64 };
        let empty = if row % 9 == 0 { "\n\r\n" } else { "" };
        let (x, is) = (row as f64 / 7.0, row % 3 == 0);
        text += &format!("{kind}, {x} ,{row},\"a, \"\"{row}\"\"\nö,1,1,b\nx\",{long},{is},-{row}.5\r\n{empty}");
    }
    text
}

#[test]
fn any_number_of_ranks_reads_the_same() {
    for rows in [1, 2, 7, 40, 500] {
        let text = table(rows);
        let found = assert_same("a table", text.as_bytes(), &ASKED, &[]).unwrap();
        assert!(found.starts_with(&format!("{rows} rows\n")), "{found}");
        assert_same("without a line end", text.trim_end().as_bytes(), &ASKED, &[]).unwrap();
        let dropped: Vec<bool> = (0..rows).map(|row| row % 5 == 0 && rows > 1).collect();
        assert_same("dropped rows", text.as_bytes(), &ASKED, &dropped).unwrap();
    }
    // Quotes within fields that are not quoted, and quoted fields that look like rows.
    let mut text = String::from("note,x,y\n");
    (0..300).for_each(|row| text += &format!("a\"{row},{row},1\n\"{}\",2,3\n", "b\"\"\nx,1,2\n".repeat(row % 40)));
    assert_same("quotes", text.as_bytes(), &[("x", Want::F32, true), ("y", Want::Int, false)], &[]).unwrap();
}

/// Each error of a table: the first in the file, with its line.
#[test]
fn any_number_of_ranks_finds_the_same_error() {
    let text = table(200);
    let (lines, places): (Vec<&str>, Vec<usize>) = (text.split_inclusive('\n').collect(), vec![1, 150, 301, 500, 640]);
    let line_of = |row: usize| lines.iter().position(|line| line.contains(&format!(",{row},\""))).unwrap();
    let with = |changes: &[(usize, &str)]| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        changes.iter().for_each(|(line, text)| lines[*line] = (*text).to_owned());
        lines.concat()
    };
    for row in [0, 50, 99, 100, 101, 199] {
        let line = line_of(row);
        let wrong = [
            ("oak,x,1,\"\nö\nx\",2,true,1\n", "E0706"),
            ("oak,1,1\n", "E0707"),
            ("oak,,1,\"\nö\nx\",2,true,1\n", "E0705"),
            ("oak,1,a,\"\nö\nx\",2,true,1\n", "E0706"),
            ("oak,1,1,\"x\" y,2,true,1\n", "E0709"),
            ("7,1,1,\"\nö\nx\",2,true,1\n", "E0706"),
            ("oak,1,1,\"\nö\nx\",2,maybe,1\n", "E0706"),
            ("oak,1e999,1,\"\nö\nx\",2,true,1\n", "E0712"),
        ];
        for (wrong, code) in wrong {
            let error = assert_same(wrong, with(&[(line, wrong)]).as_bytes(), &ASKED, &[]);
            let error = error.expect_err(wrong);
            if row == 0 {
                // It says what a column consists of, so what is wrong may be the rows behind it.
                continue;
            }
            assert_eq!(error.code, code, "{wrong}: {}", error.message);
            let place = error.message.strip_prefix("t.csv:").and_then(|rest| rest.split([':', ' ']).next()?.parse().ok());
            // A row may have three lines.
            assert!(place.is_some_and(|place| (line + 1..line + 4).contains(&place)), "{wrong}: {}", error.message);
        }
    }
    for place in places {
        let mut bytes = text.clone().into_bytes();
        let at = bytes.len() * place / 700;
        bytes[at] = 0xff;
        let error = assert_same("a byte that is no text", &bytes, &ASKED, &[]).unwrap_err();
        assert!(error.message.contains("UTF-8") && error.code == "E0701", "{}", error.message);
        let mut bytes = text.clone().into_bytes();
        bytes[at] = b'"';
        let _ = assert_same("another quote", &bytes, &ASKED, &[]);
        let cut = &text.as_bytes()[..at];
        let _ = assert_same("a table that is cut off", cut, &ASKED, &[]);
    }
    let error = assert_same("no rows", b"kind,x,n,note,long,is,y\n\n", &ASKED, &[]).unwrap_err();
    assert_eq!(error.code, "E0710");
}

/// Beside its part a rank reads the beginning of the file, and where a row begins.
#[test]
fn each_rank_reads_its_part() {
    let mut text = String::from("a,b\n");
    (0..300_000).for_each(|row| text += &format!("{row}.5,{row}\n"));
    let asked = [("a", Want::Wide, true), ("b", Want::Int, false)];
    const BESIDE: usize = 1 << 19;
    let of = |rank: Option<&Shared>| {
        let world = OneFile(Arc::new(text.clone().into_bytes()), Arc::default());
        let requests = asked.map(|(name, want, _)| Request::plain(Selection::One(ColumnRef::Name(name.into())), want));
        let found = read(&world, Path::new("t.csv"), &Options::default(), &requests, (&[true, false], &[]), rank);
        assert_eq!(found.unwrap().rows, 300_000);
        world.1.load(Ordering::Relaxed)
    };
    let alone = of(None);
    assert!((text.len()..text.len() + BESIDE).contains(&alone), "{alone} of {}", text.len());
    for size in [2, 4] {
        let share = |rank: threads::Thread| -> Shared { Arc::new(Mutex::new(Box::new(rank) as Box<dyn Ranks>)) };
        let ranks: Vec<Shared> = threads::ranks(size).into_iter().map(share).collect();
        let counts: Vec<usize> = std::thread::scope(|scope| {
            let all: Vec<_> = ranks.iter().map(|rank| scope.spawn(|| of(Some(rank)))).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let most = text.len() / size + BESIDE;
        assert!(counts.iter().all(|count| *count < most), "{counts:?} of {}", text.len());
    }
}

/// Ranks that find another file in the place of the first.
#[test]
fn ranks_must_read_the_same_file() {
    let share = |rank: threads::Thread| -> Shared { Arc::new(Mutex::new(Box::new(rank) as Box<dyn Ranks>)) };
    let ranks: Vec<Shared> = threads::ranks(2).into_iter().map(share).collect();
    let texts = [table(20), table(21)];
    std::thread::scope(|scope| {
        let each = |(rank, text): (_, &String)| {
            let text = text.clone();
            scope.spawn(move || read_by(Some(rank), text.as_bytes(), &ASKED, &[]).0.unwrap_err())
        };
        let all: Vec<_> = ranks.iter().zip(&texts).map(each).collect();
        for error in all.into_iter().map(|thread| thread.join().unwrap()) {
            assert!(error.code == "E0933" && error.notes.len() == 2, "{error:?}");
        }
    });
}
