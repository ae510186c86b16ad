//! Matrix products as functions of C, with the sums in the order that [`product`](crate::product) defines.
//!
//! Tiles of the result stand in registers: some rows of so many columns as a vector may have, or the other way
//! round, whichever lies side by side in memory. A matrix that lies side by side in neither is copied, part by part.

use super::text::{Text, element};
use crate::loops::{Gemm, Kind};
use crate::product::{Shape, Side};

/// Columns of a tile of floats.
const WIDTH: i64 = 16;
/// Rows of a tile.
const HEIGHT: i64 = 4;

/// What a function multiplies. Products that are equal here share a function.
#[derive(Clone, PartialEq)]
pub struct Matrices {
    pub kind: Kind,
    pub m: i64,
    pub n: i64,
    pub k: i64,
    /// Rows and columns of each.
    pub sides: [[Side; 2]; 3],
    pub accumulate: bool,
}

impl Matrices {
    pub fn of(gemm: &Gemm) -> Matrices {
        let Gemm { kind, m, n, k, accumulate, .. } = *gemm;
        Matrices { kind, m, n, k, sides: gemm.sides.clone(), accumulate }
    }

    /// The same with rows and columns exchanged: the transposed result of the transposed matrices.
    fn transposed(&self) -> Matrices {
        let [a, b, c] = self.sides.clone();
        let turned = |[row, column]: [Side; 2]| [column, row];
        Matrices { m: self.n, n: self.m, sides: [turned(b), turned(a), turned(c)], ..self.clone() }
    }

    /// Whether the elements of a side of a matrix lie side by side.
    fn is_dense(&self, matrix: usize, side: usize) -> bool {
        self.sides[matrix][side].stride() == Some(1)
    }
}

/// The function of a product, of three parameters.
pub fn function(matrices: &Matrices, shape: &Shape, name: &str, prefix: &str) -> String {
    let ty = element(matrices.kind);
    let restrict = format!("{}RESTRICT", prefix.to_uppercase());
    let mut text = Text::default();
    let sign = if matrices.accumulate { "+=" } else { "=" };
    text.line(format!("/* c[{}, {}] {sign} a[.., {}] b */", matrices.m, matrices.n, matrices.k));
    let of = |name: &str| format!("const {ty} *{restrict} {name}");
    text.line(format!("static void {name}({}, {}, {ty} *{restrict} c)", of("a"), of("b")));
    text.line("{");
    let mut body = Body { text: Text { text: text.text, ..Text::at(1) }, prefix, ty };
    if matrices.kind == Kind::F32 && shape.tidy().is_along_k() {
        body.along_k(matrices);
    } else {
        let block = if matrices.kind == Kind::F32 { shape.k_block() as i64 } else { matrices.k.max(1) };
        let is_turned = !matrices.is_dense(1, 1) && matrices.is_dense(0, 0);
        // The matrix of which whole vectors are read is called b.
        if is_turned {
            body.blocks(&matrices.transposed(), block, ["b", "a"]);
        } else {
            body.blocks(matrices, block, ["a", "b"]);
        }
    }
    body.text.text + "}\n"
}

struct Body<'p> {
    text: Text,
    prefix: &'p str,
    ty: &'static str,
}

impl Body<'_> {
    fn fused(&self, a: &str, b: &str, c: &str) -> String {
        if self.ty == "float" {
            format!("{}fmaf({a}, {b}, {c})", self.prefix)
        } else {
            format!("{c} + {a} * {b}")
        }
    }

    /// Elements that are sums of sixteen sums, each over every sixteenth k.
    fn along_k(&mut self, of: &Matrices) {
        let (rows, columns) = match (of.m, of.n) {
            (1, n) => (1, n.min(HEIGHT)),
            (m, 1) => (m.min(HEIGHT), 1),
            _ => (2, 2),
        };
        let parts = |size: i64, tile: i64| {
            let whole = size - size % tile;
            [(0, whole, tile), (whole, size, 1)].into_iter().filter(|(from, to, _)| from < to)
        };
        for (from, to, rows) in parts(of.m, rows) {
            self.text.open(format!("for (ptrdiff_t i = {from}; i < {to}; i += {rows})"));
            for (from, to, columns) in parts(of.n, columns) {
                self.text.open(format!("for (ptrdiff_t j = {from}; j < {to}; j += {columns})"));
                self.sums_along_k(of, rows, columns);
                self.text.close();
            }
            self.text.close();
        }
    }

    fn sums_along_k(&mut self, of: &Matrices, rows: i64, columns: i64) {
        let tile: Vec<(i64, i64)> =
            (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))).collect();
        let name = |(row, column): &(i64, i64)| format!("sum{row}{column}");
        let names: Vec<String> = tile.iter().map(|sum| format!("{}[{WIDTH}] = {{ 0 }}", name(sum))).collect();
        self.text.line(format!("float {};", names.join(", ")));
        let whole = of.k - of.k % WIDTH;
        let parts = [(0, whole, WIDTH), (whole, of.k, of.k - whole)];
        for (from, to, lanes) in parts.into_iter().filter(|(from, to, _)| from < to) {
            self.text.open(format!("for (ptrdiff_t d = {from}; d < {to}; d += {lanes})"));
            self.text.open(format!("for (int l = 0; l < {lanes}; ++l)"));
            for (row, column) in &tile {
                let a = format!("a[{} + d + l]", place("i", *row, &of.sides[0][0]));
                let b = format!("b[{} + d + l]", place("j", *column, &of.sides[1][1]));
                let sum = format!("{}[l]", name(&(*row, *column)));
                let fused = self.fused(&a, &b, &sum);
                self.text.line(format!("{sum} = {fused};"));
            }
            self.text.close();
            self.text.close();
        }
        for half in [8, 4, 2, 1] {
            let sums = tile.iter().map(|sum| format!("{0}[l] += {0}[l + {half}];", name(sum)));
            let sums: Vec<String> = sums.collect();
            self.text.line(format!("for (int l = 0; l < {half}; ++l) {{ {} }}", sums.join(" ")));
        }
        for (row, column) in &tile {
            let target = element_of("c", ("i", *row), ("j", *column), &of.sides[2]);
            let sign = if of.accumulate { "+=" } else { "=" };
            self.text.line(format!("{target} {sign} {}[0];", name(&(*row, *column))));
        }
    }

    /// Elements that are sums of blocks of k, one after the other.
    fn blocks(&mut self, of: &Matrices, block: i64, [a, b]: [&str; 2]) {
        let width = if self.ty == "float" { WIDTH } else { WIDTH / 2 };
        let is_scattered = of.sides[1].iter().any(|side| side.stride().is_none());
        let is_copied = is_scattered || !of.is_dense(1, 1) && of.m > HEIGHT;
        let whole = of.n - of.n % width;
        for (from, to, width) in [(0, whole, width), (whole, of.n, of.n - whole)] {
            if from == to {
                continue;
            }
            self.text.open(format!("for (ptrdiff_t j = {from}; j < {to}; j += {width})"));
            for (name, side) in [("of_b", &of.sides[1][1]), ("of_c", &of.sides[2][1])] {
                if side.stride().is_none() {
                    let at = place("(j + l)", 0, side);
                    self.text.line(format!("ptrdiff_t {name}[{width}];"));
                    self.text.line(format!("for (int l = 0; l < {width}; ++l) {name}[l] = {at};"));
                }
            }
            let first = block.min(of.k);
            for (from, to, depth, adds) in [(0, first, first, of.accumulate), (first, of.k, block, true)] {
                if from == to && from > 0 {
                    continue;
                }
                if from + depth < to {
                    self.text.open(format!("for (ptrdiff_t k = {from}; k < {to}; k += {depth})"));
                    let end = format!("(k + {depth} < {to} ? k + {depth} : {to})");
                    self.block(of, ["k", &end], width, depth, is_copied, adds, [a, b]);
                } else {
                    self.text.open("");
                    self.block(of, [&from.to_string(), &to.to_string()], width, depth, is_copied, adds, [a, b]);
                }
                self.text.close();
            }
            self.text.close();
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn block(
        &mut self,
        of: &Matrices,
        [from, to]: [&str; 2],
        width: i64,
        depth: i64,
        is_copied: bool,
        adds: bool,
        [a, b]: [&str; 2],
    ) {
        if is_copied {
            self.text.line(format!("{} part[{}];", self.ty, (depth * width).max(1)));
            self.text.open(format!("for (ptrdiff_t d = {from}; d < {to}; ++d)"));
            let source = lane_of(b, ("d", 0), "of_b", &of.sides[1]);
            let target = format!("part[(d - {from})*{width} + l]");
            self.text.line(format!("for (int l = 0; l < {width}; ++l) {target} = {source};"));
            self.text.close();
        }
        let whole = of.m - of.m % HEIGHT;
        for (first, last, rows) in [(0, whole, HEIGHT), (whole, of.m, 1)] {
            if first == last {
                continue;
            }
            self.text.open(format!("for (ptrdiff_t i = {first}; i < {last}; i += {rows})"));
            let sums: Vec<String> = (0..rows).map(|row| format!("sum{row}[{width}] = {{ 0 }}")).collect();
            self.text.line(format!("{} {};", self.ty, sums.join(", ")));
            self.text.open(format!("for (ptrdiff_t d = {from}; d < {to}; ++d)"));
            self.text.open(format!("for (int l = 0; l < {width}; ++l)"));
            let factor = match is_copied {
                true => format!("part[(d - {from})*{width} + l]"),
                false => lane_of(b, ("d", 0), "of_b", &of.sides[1]),
            };
            self.text.line(format!("const {} factor = {factor};", self.ty));
            for row in 0..rows {
                let left = element_of(a, ("i", row), ("d", 0), &of.sides[0]);
                let sum = format!("sum{row}[l]");
                let fused = self.fused(&left, "factor", &sum);
                self.text.line(format!("{sum} = {fused};"));
            }
            self.text.close();
            self.text.close();
            self.text.open(format!("for (int l = 0; l < {width}; ++l)"));
            for row in 0..rows {
                let target = lane_of("c", ("i", row), "of_c", &of.sides[2]);
                self.text.line(format!("{target} {} sum{row}[l];", if adds { "+=" } else { "=" }));
            }
            self.text.close();
            self.text.close();
        }
    }
}

/// How far an element of a side lies from the first: `(i + 1)*784`.
fn place(index: &str, more: i64, side: &Side) -> String {
    let index = if more == 0 { index.to_owned() } else { format!("({index} + {more})") };
    let term = |index: String, stride: i64| match stride {
        0 => "0".to_owned(),
        1 => index,
        _ => format!("{index}*{stride}"),
    };
    if let Some(stride) = side.stride() {
        return term(index, stride);
    }
    let mut inner: i64 = side.axes.iter().map(|(size, _)| size).product();
    let terms = side.axes.iter().enumerate().map(|(axis, (size, stride))| {
        inner /= size;
        let outer = if inner == 1 { index.clone() } else { format!("({index}/{inner})") };
        term(if axis == 0 { outer } else { format!("({outer} % {size})") }, *stride)
    });
    let terms: Vec<String> = terms.filter(|term| term != "0").collect();
    format!("({})", if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") })
}

fn element_of(name: &str, row: (&str, i64), column: (&str, i64), sides: &[Side; 2]) -> String {
    let [rows, columns] = sides;
    joined(name, [place(row.0, row.1, rows), place(column.0, column.1, columns)])
}

/// The element in a row and in the column of a lane, whose places stand in `table` if they are scattered.
fn lane_of(name: &str, row: (&str, i64), table: &str, sides: &[Side; 2]) -> String {
    let [rows, columns] = sides;
    let column = match columns.stride() {
        Some(_) => place("(j + l)", 0, columns),
        None => format!("{table}[l]"),
    };
    joined(name, [place(row.0, row.1, rows), column])
}

fn joined(name: &str, parts: [String; 2]) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| part != "0").collect();
    format!("{name}[{}]", if parts.is_empty() { "0".to_owned() } else { parts.join(" + ") })
}
