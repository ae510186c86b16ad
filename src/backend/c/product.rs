//! Matrix products as functions of C, with the sums in the order that [`product`](crate::product) defines.
//!
//! Tiles of the result stand in registers: some rows of so many columns as a vector may have, or the other way
//! round, whichever lies side by side in memory. A matrix that lies side by side in neither is copied, part by part.

use std::collections::BTreeSet;

use super::text::{Text, element};
use super::tile::{self, HEIGHT, Tile, parts_of_rows};
use crate::loops::{Gemm, Kind};
use crate::product::{Shape, Side};

/// The sums of which an element consists that is added up along k.
const WIDTH: i64 = 16;
/// The most elements that are added up along k at once.
const ALONG: i64 = 4;
/// Floats of the widest vector.
const WIDEST: i64 = 16;

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

/// The function of a product, of three parameters. `tiles` are the functions that it calls.
pub fn function(matrices: &Matrices, shape: &Shape, name: &str, prefix: &str, tiles: &mut BTreeSet<Tile>) -> String {
    let ty = element(matrices.kind);
    let restrict = format!("{}RESTRICT", prefix.to_uppercase());
    let is_along_k = matrices.kind == Kind::F32 && shape.tidy().is_along_k();
    let block = if matrices.kind == Kind::F32 { shape.k_block() as i64 } else { matrices.k.max(1) };
    let sign = if matrices.accumulate { "+=" } else { "=" };
    let comment = format!("/* c[{}, {}] {sign} a[.., {}] b */", matrices.m, matrices.n, matrices.k);
    let of = |name: &str| format!("const {ty} *{restrict} {name}");
    let parameters = format!("{}, {}, {ty} *{restrict} c", of("a"), of("b"));
    let mut body = Body { text: Text::default(), prefix, ty, tiles };
    if is_along_k {
        body.text.line(comment);
        body.text.line(format!("static void {name}({parameters})\n{{"));
        body.text.depth = 1;
        body.along_k(matrices);
        return body.text.text + "}\n";
    }
    // The matrix of which whole vectors are read is called b; where both could be it, vectors lie as in the result.
    let is_across = matrices.is_dense(2, 0) && !matrices.is_dense(2, 1);
    let is_turned = matrices.is_dense(0, 0) && (is_across || !matrices.is_dense(1, 1));
    let (matrices, names) = match is_turned {
        true => (&matrices.transposed(), ["b", "a"]),
        false => (matrices, ["a", "b"]),
    };
    let (wide, n) = (body.wide(), matrices.n);
    body.text.line("/* The columns from j on of the product below. */");
    body.text.line(format!("static inline void {name}_columns({parameters}, const ptrdiff_t j, const int width)\n{{"));
    body.text.depth = 1;
    body.columns(matrices, block, names);
    body.text.close();
    body.text.line("");
    body.text.line(comment);
    body.text.line(format!("static void {name}({parameters})\n{{"));
    body.text.depth = 1;
    body.text.line("ptrdiff_t j = 0;");
    body.text.line(format!("for (; j + {wide} <= {n}; j += {wide}) {name}_columns(a, b, c, j, {wide});"));
    if n % (2 * WIDEST) != 0 {
        body.text.line(format!("if (j < {n}) {name}_columns(a, b, c, j, {n} % {wide});"));
    }
    body.text.text + "}\n"
}

struct Body<'p> {
    text: Text,
    prefix: &'p str,
    ty: &'static str,
    tiles: &'p mut BTreeSet<Tile>,
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
            (1, n) => (1, n.min(ALONG)),
            (m, 1) => (m.min(ALONG), 1),
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

    /// The function of some columns, whose elements are sums of blocks of k, one after the other.
    fn columns(&mut self, of: &Matrices, block: i64, [a, b]: [&str; 2]) {
        let wide = self.wide();
        for (name, side, index) in [("of_b", &of.sides[1][1], "(j + l)"), ("of_c", &of.sides[2][1], "(j + l)")] {
            if side.stride().is_none() {
                let at = place(index, 0, side);
                self.text.line(format!("ptrdiff_t {name}[{wide}];"));
                self.text.line(format!("for (int l = 0; l < width; ++l) {name}[l] = {at};"));
            }
        }
        let deepest = block.min(of.k).max(1);
        self.text.line(format!("{} part[{deepest}*{wide}], sums[{}*{wide}];", self.ty, HEIGHT.min(of.m)));
        let is_one = of.k <= block;
        if is_one {
            self.text.line(format!("const ptrdiff_t k = 0, depth = {};", of.k));
        } else {
            self.text.open(format!("for (ptrdiff_t k = 0; k < {}; k += {block})", of.k));
            self.text.line(match of.k % block {
                0 => format!("const ptrdiff_t depth = {block};"),
                _ => format!("const ptrdiff_t depth = {0} - k < {block} ? {0} - k : {block};", of.k),
            });
        }
        if of.sides[0][1].stride().is_none() {
            let at = place("(k + d)", 0, &of.sides[0][1]);
            self.text.line(format!("ptrdiff_t of_k[{deepest}];"));
            self.text.line(format!("for (ptrdiff_t d = 0; d < depth; ++d) of_k[d] = {at};"));
        }
        self.right(of, b);
        for (from, to, height) in parts_of_rows(of.m) {
            self.rows(of, a, [from, to, height], is_one);
        }
        if !is_one {
            self.text.close();
        }
    }

    /// The right matrix in a part whose rows lie one after the other, unless they can be read as they are.
    fn right(&mut self, of: &Matrices, b: &str) {
        let wide = self.wide();
        let is_direct = of.is_dense(1, 1) && of.sides[1][0].stride().is_some() && of.m <= HEIGHT;
        let source = lane_of(b, ("(k + d)", 0), "of_b", &of.sides[1]);
        if is_direct {
            let first = element_of(b, ("k", 0), ("j", 0), &of.sides[1]);
            let stride = of.sides[1][0].stride().unwrap_or(0);
            self.text.line(format!("const {} *right = &{first};", self.ty));
            self.text.line(format!("ptrdiff_t next = {stride};"));
            self.text.open(format!("if (width < {wide})"));
        }
        self.text.open("for (ptrdiff_t d = 0; d < depth; ++d)");
        self.text.line(format!("for (int l = 0; l < width; ++l) part[d*{wide} + l] = {source};"));
        self.text.line(format!("for (int l = width; l < {wide}; ++l) part[d*{wide} + l] = 0;"));
        self.text.close();
        if is_direct {
            self.text.line("right = part;");
            self.text.line(format!("next = {wide};"));
            self.text.close();
        } else {
            self.text.line(format!("const {} *const right = part;", self.ty));
            self.text.line(format!("const ptrdiff_t next = {wide};"));
        }
    }

    /// The tiles of some rows.
    fn rows(&mut self, of: &Matrices, a: &str, [from, to, height]: [i64; 3], is_one: bool) {
        let wide = self.wide();
        self.text.open(format!("for (ptrdiff_t i = {from}; i < {to}; i += {height})"));
        let step = of.sides[0][1].stride();
        let pointers: Vec<String> = (0..height)
            .map(|row| match step {
                Some(_) => format!("&{}", element_of(a, ("i", row), ("k", 0), &of.sides[0])),
                None => format!("&{}", joined(a, [place("i", row, &of.sides[0][0]), "0".to_owned()])),
            })
            .collect();
        self.text.line(format!("const {} *const rows[{height}] = {{ {} }};", self.ty, pointers.join(", ")));
        let is_double = self.ty == "double";
        let is_scattered = step.is_none();
        let [one, two] = [1, 2].map(|vectors| Tile { is_double, rows: height, vectors, is_scattered });
        let places = step.map_or("of_k".to_owned(), |step| step.to_string());
        let call = |tile: Tile| format!("{}(rows, {places}, right, next, depth, sums);", tile.name(self.prefix));
        self.tiles.insert(two);
        // Two vectors are as many columns as divide these, on any processor.
        if of.n % (2 * WIDEST) == 0 {
            self.text.line(call(two));
        } else {
            self.tiles.insert(one);
            let lanes = tile::lanes(self.kind(), self.prefix);
            self.text.line(format!("if (width > {lanes}) {}", call(two)));
            self.text.line(format!("else {}", call(one)));
        }
        let store = |sign: &str, text: &mut Text| {
            text.open("for (int l = 0; l < width; ++l)");
            for row in 0..height {
                let target = lane_of("c", ("i", row), "of_c", &of.sides[2]);
                let sum = match row {
                    0 => "sums[l]".to_owned(),
                    1 => format!("sums[{wide} + l]"),
                    _ => format!("sums[{row}*{wide} + l]"),
                };
                text.line(format!("{target} {sign} {sum};"));
            }
            text.close();
        };
        match (of.accumulate, is_one) {
            (true, _) => store("+=", &mut self.text),
            (false, true) => store("=", &mut self.text),
            (false, false) => {
                self.text.open("if (k == 0)");
                store("=", &mut self.text);
                self.text.close();
                self.text.open("else");
                store("+=", &mut self.text);
                self.text.close();
            }
        }
        self.text.close();
    }

    fn kind(&self) -> Kind {
        if self.ty == "double" { Kind::F64 } else { Kind::F32 }
    }

    /// The columns of a tile, as C says it.
    fn wide(&self) -> String {
        tile::wide(self.kind(), self.prefix)
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
