//! Columns that are not in memory give what loaded ones give.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::classes::Classes;
use super::load::{self, Limits};
use super::read::Around;
use super::{Column, Table};
use crate::ir::Sizes;
use crate::ir::program::Precision;
use crate::runtime::array::{Array, Elements};
use crate::runtime::fields::FieldsOf;
use crate::runtime::given::Given;
use crate::runtime::notices::Notices;
use crate::runtime::program::Program;
use crate::runtime::ranks::threads;
use crate::runtime::session::Session;

/// A file of bytes `[rows, 6]`.
fn file(rows: u8) -> PathBuf {
    let path = std::env::temp_dir().join(format!("nnc-lazy-{}-{rows}.idx", std::process::id()));
    let header = [0, 0, 8, 2, 0, 0, 0, rows, 0, 0, 0, 6];
    let bytes = (0..rows).flat_map(|row| (0..6).map(move |at| row.wrapping_mul(7) ^ (at * 5)));
    std::fs::write(&path, header.into_iter().chain(bytes).collect::<Vec<u8>>()).unwrap();
    path
}

const FIELDS: &str = "
    raw: [2, 3] = tensor()
    x: [6] = tensor() / 255 - 0.5
    norm = mean(x)
    flat: [3, 2] = reshape(raw * 2, [3, 2])
    small: class(16) = argmax(x)
    standard: [6] = standardize(tensor())
    standard_x: [6] = 2 * standardize(x * x)
    noisy: [6] = x + uniform(0, 1)
    split most = 0.75, rest = 0.25
";

/// Random numbers of several shapes, by calls within calls.
const MADE: &str = "
data d {
    rows = 3_000
    x: [30] = uniform(-1, 3)
    y: [1] = if uniform(0, 1) < 0.5 then 1 else 0
    label: class(10) = int(uniform(0, 10))
    far: [5, 7] = normal(shape = [5, 7]) * 2 + x[0]
    two = normal(3, 0.5, shape = [2])
    sum = sum(x)
    split train = 0.75, rest = 0.25
}
print d.rows
";

fn compiled(source: &str) -> Program {
    Program::from_source(source).unwrap_or_else(|error| panic!("{error}"))
}

fn loaded(session: &mut Session, program: &Program, limits: Limits) -> Table {
    loaded_telling(session, program, limits, &Notices::default())
}

fn loaded_telling(session: &mut Session, program: &Program, limits: Limits, notices: &Notices) -> Table {
    let set = &program.checked().data[0];
    let ranks = session.ranks.clone();
    let mut fields = FieldsOf { session, set };
    let classes = Classes::default();
    let given = Given::new();
    let around = Around {
        world: program.world(),
        given: &given,
        base: Path::new(""),
        classes: &classes,
        kept: None,
        dropped: &[],
        notices,
        ranks: ranks.as_ref(),
    };
    load::load(set, around, Precision::F32, limits, &mut fields).unwrap()
}

const ALL: Limits = Limits { memory: usize::MAX, piece: usize::MAX };
const BLOCKS: Limits = Limits { memory: usize::MAX, piece: 0 };
const NOTHING: Limits = Limits { memory: 0, piece: 0 };

fn is_lazy(table: &Table, name: &str) -> bool {
    matches!(table.fields[name], Column::Lazy(_))
}

fn assert_same(session: &mut Session, tables: [&Table; 2], rows: &[u32]) {
    let [one, other] = tables;
    let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
    assert_eq!(one.fields.keys().collect::<Vec<_>>(), other.fields.keys().collect::<Vec<_>>());
    for (name, column) in &one.fields {
        let expected = column.rows_of(rows, &mut carry).unwrap();
        assert_equal(name, &other.fields[name].rows_of(rows, &mut carry).unwrap(), &expected);
        for part in [None, Some("rest")] {
            let expected = one.whole(name, part, &Sizes::new(), &mut carry).unwrap().unwrap();
            let found = other.whole(name, part, &Sizes::new(), &mut carry).unwrap().unwrap();
            assert_equal(name, &found, &expected);
        }
    }
}

/// To the bit, but for statistics over all rows: these are added up in another order.
fn assert_equal(name: &str, found: &Array, expected: &Array) {
    assert_eq!(found.shape(), expected.shape(), "{name}");
    if name.starts_with("standard") {
        let (found, expected) = (found.to_f64(), expected.to_f64());
        let close =
            found.iter().zip(expected.iter()).all(|(found, expected)| (found - expected).abs() < 1e-5);
        assert!(close, "{name}: {found:?} {expected:?}");
    } else {
        // Ints have 64 bits where it is not known beforehand that 32 hold them.
        assert!(found.clone().narrowed() == expected.clone().narrowed(), "{name}");
    }
}

#[test]
fn lazy_columns_are_the_same() {
    let path = file(40);
    let program = compiled(&format!("data d = idx(\"{}\") {{{FIELDS}}}\nprint d.rows\n", path.display()));
    let mut session = program.session().unwrap();
    let memory = loaded(&mut session, &program, ALL);
    let lazy = loaded(&mut session, &program, NOTHING);
    let eager: Vec<_> = lazy.fields.keys().filter(|name| !is_lazy(&lazy, name)).collect();
    assert!(eager.is_empty(), "{eager:?}");
    assert_same(&mut session, [&memory, &lazy], &[3, 0, 39, 17, 3]);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn random_fields_are_the_same_however_they_are_made() {
    let program = compiled(MADE);
    let mut session = program.session().unwrap();
    let memory = loaded(&mut session, &program, ALL);
    let blocks = loaded(&mut session, &program, BLOCKS);
    let lazy = loaded(&mut session, &program, NOTHING);
    let Column::Memory(x) = &memory.fields["x"] else { panic!("x is in memory") };
    let Elements::F32(values) = x.elements() else { panic!("x are floats") };
    assert!(
        values.iter().any(|value| *value < 0.0) && values.iter().all(|value| (-1.0..3.0).contains(value))
    );
    assert!(memory.fields.keys().all(|name| !is_lazy(&memory, name) && !is_lazy(&blocks, name)));
    let eager: Vec<_> = lazy.fields.keys().filter(|name| !is_lazy(&lazy, name)).collect();
    assert!(eager.is_empty(), "{eager:?}");
    let rows = [3, 0, 2_999, 2_184, 2_185, 3];
    assert_same(&mut session, [&memory, &blocks], &rows);
    assert_same(&mut session, [&memory, &lazy], &rows);
}

/// Numbers, names, gaps and quoted commas; blank lines, an index without a name, and rows that are left out.
fn table() -> PathBuf {
    let path = std::env::temp_dir().join(format!("nnc-lazy-{}.csv", std::process::id()));
    let mut text = String::from("\u{feff}kind,a,b,c,note,keep\r\n");
    for row in 0..60u32 {
        let kind = ["oak", "ash", "fir"][(row * row % 7 % 3) as usize];
        let a = f64::from(row) / 7.0 - 3.0;
        let b = if row % 11 == 3 { "NA".to_owned() } else { (f64::from(row * 37 % 19) * 0.25).to_string() };
        let keep = if row % 13 == 5 { "" } else { "1" };
        let empty = if row % 9 == 0 { "\n" } else { "" };
        text += &format!("{kind}, {a} ,{b},-{row}.5e-1,\"x, \"\"{row}\"\"\nö\",{keep}\r\n{empty}");
    }
    std::fs::write(&path, text).unwrap();
    path
}

const OF_TABLE: &str = "
    kind: class(3) = column(\"kind\")
    raw: [2] = columns(\"a\", \"c\")
    a = column(\"a\")
    b = fill(column(\"b\"), 0.5)
    standard: [2] = standardize(columns(\"c\", \"a\"))
    x: [3] = stack([column(\"a\"), column(\"c\") * 2, fill(column(\"b\"), -1)], axis = 0)
    drop rows where is_missing(column(\"keep\"))
    split most = 0.75, rest = 0.25
";

#[test]
fn a_table_that_stays_in_its_file_is_the_same() {
    let path = table();
    let program = compiled(&format!("data d = csv(\"{}\") {{{OF_TABLE}}}\nprint d.rows\n", path.display()));
    let mut session = program.session().unwrap();
    let memory = loaded(&mut session, &program, ALL);
    let stored = loaded(&mut session, &program, NOTHING);
    assert_eq!((memory.rows, stored.rows), (55, 55));
    for name in ["raw", "a", "b", "standard", "x"] {
        assert!(is_lazy(&stored, name) && !is_lazy(&memory, name), "{name}");
    }
    assert!(!is_lazy(&stored, "kind"));
    assert_same(&mut session, [&memory, &stored], &[3, 0, 54, 17, 18, 19, 3]);
    std::fs::write(&path, "kind,a,b,c,note,keep\n").unwrap();
    let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
    let error = stored.fields["raw"].rows_of(&[7], &mut carry).unwrap_err();
    assert_eq!(error.code, "E0701");
    std::fs::remove_file(path).unwrap();
}

/// All numbers of a table that stays in its file, as each of some ranks reads it.
fn read_by_ranks(size: usize, program: &Program) -> Vec<Vec<(String, Vec<u64>)>> {
    let of = |rank: threads::Thread| {
        let mut session = program.session().unwrap();
        session.join(Arc::new(Mutex::new(Box::new(rank)))).unwrap();
        let table = loaded(&mut session, program, NOTHING);
        let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
        let of = |(name, column): (&Arc<str>, &Column)| {
            let all = column.whole(&mut carry).unwrap();
            (name.to_string(), all.to_f64().iter().map(|value| value.to_bits()).collect())
        };
        table.fields.iter().map(of).collect()
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = threads::ranks(size).into_iter().map(|rank| scope.spawn(move || of(rank))).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Rows, names, statistics, and rows that are left out.
#[test]
fn ranks_read_the_same_table() {
    let path = std::env::temp_dir().join(format!("nnc-ranks-{}.csv", std::process::id()));
    // Wide enough for several blocks.
    let names: Vec<String> = (0..60).map(|column| format!("w{column}")).collect();
    let mut text = format!("kind,a,b,c,note,keep,{}\n", names.join(","));
    for row in 0..3_000u32 {
        let (kind, keep) = (["oak", "ash", "fir"][(row % 3) as usize], if row % 13 == 5 { "" } else { "1" });
        let wide: Vec<String> = (0..60).map(|column| format!("{}.{column}", row * 7 % 31)).collect();
        text += &format!("{kind},{},NA,-{row}.5e-1,\"x\n\",{keep},{}\n", f64::from(row) / 7.0, wide.join(","));
    }
    std::fs::write(&path, text).unwrap();
    let fields = format!("{OF_TABLE}\n    standard_wide: [60] = standardize(columns(6:66))\n");
    let program = compiled(&format!("data d = csv(\"{}\") {{{fields}}}\nprint d.rows\n", path.display()));
    let mut session = program.session().unwrap();
    let notices = Notices::default();
    let alone = loaded_telling(&mut session, &program, NOTHING, &notices);
    assert!(is_lazy(&alone, "standard") && is_lazy(&alone, "b"));
    // A column without any value, which is not in memory.
    let told = notices.take();
    assert!(!told.is_empty() && told.iter().all(|warning| warning.code == "W0691"), "{told:?}");
    let alone = read_by_ranks(1, &program).remove(0);
    for size in [2, 3, 8] {
        for (rank, found) in read_by_ranks(size, &program).into_iter().enumerate() {
            assert!(found == alone, "rank {rank} of {size}");
        }
    }
    std::fs::remove_file(path).unwrap();
}
