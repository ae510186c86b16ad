//! Columns that stay in their file give what loaded ones give.

use std::path::{Path, PathBuf};

use super::{Column, Table, load};
use crate::ir::program::Precision;
use crate::ir::{Graph, Sizes};
use crate::runtime::call::Moment;
use crate::runtime::program::{Part, Program};
use crate::runtime::session::{Session, Tensors};

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
    same: [6] = standardize(tensor())
    noisy: [6] = x + uniform(0, 1)
    split train = 0.75, rest = 0.25
";

fn loaded(session: &mut Session, program: &Program, limit: usize) -> Table {
    let set = &program.checked().data[0];
    let moment = Moment { seed: set.seed, step: 0 };
    // Two graphs, so they must not share code.
    let part = Part::Fields(usize::from(limit == 0));
    let mut evaluate = |graph: &Graph, sizes: &Sizes, inputs: &Tensors| {
        session.evaluate_graph(part, graph, sizes, moment, inputs, None)
    };
    load::load(set, Path::new(""), Precision::F32, limit, &mut evaluate).unwrap()
}

#[test]
fn lazy_columns_are_the_same() {
    let path = file(40);
    let fields: String =
        FIELDS.lines().filter(|line| !line.contains("swapped")).collect::<Vec<_>>().join("\n");
    let source = format!("data d = idx(\"{}\") {{{fields}}}\nprint d.rows\n", path.display());
    let program = Program::from_source(&source).unwrap_or_else(|error| panic!("{error}"));
    let mut session = program.session().unwrap();
    let (memory, lazy) = (loaded(&mut session, &program, usize::MAX), loaded(&mut session, &program, 0));
    let is_lazy = |name: &str| matches!(lazy.fields[name], Column::Lazy(_));
    let names = ["raw", "x", "norm", "flat", "small"];
    assert!(names.iter().all(|name| is_lazy(name)), "{:?}", lazy.fields);
    assert!(!is_lazy("same") && !is_lazy("noisy"));
    let rows = [3, 0, 39, 17, 3];
    let mut carry = |code: &_, sizes: &_, inputs: &_| session.compute(code, sizes, inputs);
    for (name, column) in &memory.fields {
        let expected = column.rows_of(&rows, &mut carry).unwrap();
        assert!(lazy.fields[name].rows_of(&rows, &mut carry).unwrap() == expected, "{name}");
        let part = Some("rest");
        let whole = memory.whole(name, part, &mut carry).unwrap();
        assert!(whole.is_some() && lazy.whole(name, part, &mut carry).unwrap() == whole, "{name}");
    }
    std::fs::remove_file(path).unwrap();
}
