//! Tiles of matrix products as functions of C: some rows of so many columns as two vectors have, whose sums stay in
//! registers.
//!
//! Vectors are those of GCC and Clang, as wide as the processor that they compile for has them. Where there are none
//! a vector is a single number, so one text suits all: other compilers, and processors without vectors.

use std::collections::BTreeSet;

use super::text::{Text, element};
use crate::loops::Kind;

/// The most rows of a tile.
pub const HEIGHT: i64 = 6;

/// A function that adds up the products of some rows and some columns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tile {
    pub is_double: bool,
    pub rows: i64,
    /// Vectors of columns: 1 or 2.
    pub vectors: i64,
    /// Whether a table says where the elements of a row lie; else they are one step apart.
    pub is_scattered: bool,
}

impl Tile {
    pub fn name(self, prefix: &str) -> String {
        let kind = if self.is_double { "double_" } else { "" };
        let scattered = if self.is_scattered { "scattered_" } else { "" };
        format!("{prefix}{kind}{scattered}tile_{}x{}", self.rows, self.vectors)
    }
}

/// The rows of a matrix in parts of equal height: first row, end, height.
pub fn parts_of_rows(rows: i64) -> Vec<(i64, i64, i64)> {
    let is_by_four = rows % 4 == 0 && ![0, 4].contains(&(rows % HEIGHT));
    let mut parts = Vec::new();
    let mut from = 0;
    for height in [HEIGHT, 4, 2, 1].into_iter().skip(usize::from(is_by_four)) {
        let to = from + (rows - from) / height * height;
        if from < to {
            parts.push((from, to, height));
        }
        from = to;
    }
    parts
}

/// The number of columns of a vector, as C says it.
pub fn lanes(kind: Kind, prefix: &str) -> String {
    let kind = if kind == Kind::F64 { "DOUBLE_" } else { "" };
    format!("{}{kind}LANES", prefix.to_uppercase())
}

/// The number of columns of a tile, as C says it.
pub fn wide(kind: Kind, prefix: &str) -> String {
    let kind = if kind == Kind::F64 { "DOUBLE_" } else { "" };
    format!("{}{kind}WIDE", prefix.to_uppercase())
}

/// The types of vectors and the functions of tiles.
pub fn functions(tiles: &BTreeSet<Tile>, prefix: &str) -> String {
    if tiles.is_empty() {
        return String::new();
    }
    let upper = prefix.to_uppercase();
    let mut text = Text::default();
    text.line(VECTORS.replace("P_", &upper).replace("p_", prefix));
    if tiles.iter().any(|tile| !tile.is_double) {
        text.line(FLOATS.replace("P_", &upper).replace("p_", prefix));
        text.line(format!("#if {upper}FMA && {upper}LANES > 1 && !defined(__clang__)"));
        text.line("#pragma GCC push_options\n#pragma GCC optimize (\"expensive-optimizations\", \"fp-contract=fast\")\n#endif");
        tiles.iter().filter(|tile| !tile.is_double).for_each(|tile| function(&mut text, *tile, prefix));
        text.line(format!("#if {upper}FMA && {upper}LANES > 1 && !defined(__clang__)\n#pragma GCC pop_options\n#endif\n"));
    }
    if tiles.iter().any(|tile| tile.is_double) {
        text.line(DOUBLES.replace("P_", &upper).replace("p_", prefix));
        tiles.iter().filter(|tile| tile.is_double).for_each(|tile| function(&mut text, *tile, prefix));
    }
    text.text
}

/// How wide vectors are.
const VECTORS: &str = "\
/* Floats of a vector of the processor: 1 if the compiler has no vectors, or they do not round as is asked for. */
#ifndef P_LANES
#if !defined(__GNUC__) || !defined(__OPTIMIZE__) || (P_FMA && !P_FAST_FMA)
#define P_LANES 1
#elif defined(__AVX512F__)
#define P_LANES 16
#elif defined(__AVX__)
#define P_LANES 8
#elif defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__) || defined(__wasm_simd128__)
#define P_LANES 4
#else
#define P_LANES 1
#endif
#endif";

const FLOATS: &str = "
#define P_WIDE (2 * P_LANES)
#if P_LANES > 1
typedef float p_floats __attribute__((vector_size(4 * P_LANES), aligned(4), may_alias));
#define P_TIMES(a, b, c) ((a) * (b) + (c))
#else
typedef float p_floats;
#if P_FMA
#define P_TIMES(a, b, c) fmaf(a, b, c)
#else
#define P_TIMES(a, b, c) ((a) * (b) + (c))
#endif
#endif
";

const DOUBLES: &str = "
#if P_LANES > 1 && !defined(__ARM_NEON)
#define P_DOUBLE_LANES (P_LANES / 2)
typedef double p_doubles __attribute__((vector_size(4 * P_LANES), aligned(8), may_alias));
#else
#define P_DOUBLE_LANES 1
typedef double p_doubles;
#endif
#define P_DOUBLE_WIDE (2 * P_DOUBLE_LANES)
#define P_DOUBLE_TIMES(a, b, c) ((a) * (b) + (c))
";

fn function(text: &mut Text, tile: Tile, prefix: &str) {
    let upper = prefix.to_uppercase();
    let kind = if tile.is_double { Kind::F64 } else { Kind::F32 };
    let (ty, lanes) = (element(kind), lanes(kind, prefix));
    let vector = format!("{prefix}{}", if tile.is_double { "doubles" } else { "floats" });
    let times = format!("{upper}{}TIMES", if tile.is_double { "DOUBLE_" } else { "" });
    let (rows, vectors) = (tile.rows, tile.vectors);
    let (place, at) = match tile.is_scattered {
        true => ("const ptrdiff_t *places", "[place]"),
        false => ("ptrdiff_t step", ""),
    };
    text.line(format!("/* sums[{rows}, {vectors} vectors] = rows[{rows}, depth] b[depth, {vectors} vectors] */"));
    text.line(format!(
        "static void {}(const {ty} *const *rows, {place}, const {ty} *b, ptrdiff_t width, ptrdiff_t depth, {ty} *sums)\n{{",
        tile.name(prefix)
    ));
    text.depth = 1;
    if !tile.is_double {
        text.text.push_str(&format!("#if {upper}FMA && defined(__clang__)\n#pragma STDC FP_CONTRACT ON\n#endif\n"));
    }
    let pointers: Vec<String> = (0..rows).map(|row| format!("*a{row} = rows[{row}]")).collect();
    text.line(format!("const {ty} {};", pointers.join(", ")));
    for row in 0..rows {
        let sums: Vec<String> = (0..vectors).map(|at| format!("s{row}{at} = {{ 0 }}")).collect();
        text.line(format!("{vector} {};", sums.join(", ")));
    }
    text.open("for (ptrdiff_t d = 0; d < depth; ++d)");
    if tile.is_scattered {
        text.line("const ptrdiff_t place = places[d];");
    }
    for at in 0..vectors {
        let from = if at == 0 { "b".to_owned() } else { format!("(b + {lanes})") };
        text.line(format!("const {vector} b{at} = *(const {vector} *){from};"));
    }
    for row in 0..rows {
        let element = if tile.is_scattered { format!("a{row}{at}") } else { format!("*a{row}") };
        let sums = (0..vectors).map(|at| format!("s{row}{at} = {times}({element}, b{at}, s{row}{at});"));
        text.line(sums.collect::<Vec<_>>().join(" "));
    }
    if !tile.is_scattered {
        let moves: Vec<String> = (0..rows).map(|row| format!("a{row} += step;")).collect();
        text.line(moves.join(" "));
    }
    text.line("b += width;");
    text.close();
    for row in 0..rows {
        for at in 0..vectors {
            let place = match (row, at) {
                (0, 0) => "sums".to_owned(),
                (0, 1) => format!("(sums + {lanes})"),
                _ => format!("(sums + {}*{lanes})", 2 * row + at),
            };
            text.line(format!("*({vector} *){place} = s{row}{at};"));
        }
    }
    text.close();
    text.line("");
}

#[cfg(test)]
mod tests {
    use super::parts_of_rows;

    #[test]
    fn rows_are_divided_without_rest() {
        for rows in 1..100 {
            let mut next = 0;
            for (from, to, height) in parts_of_rows(rows) {
                assert!(from == next && from < to && (to - from) % height == 0, "{rows}");
                next = to;
            }
            assert_eq!(next, rows);
        }
        assert_eq!(parts_of_rows(8), [(0, 8, 4)]);
        assert_eq!(parts_of_rows(11), [(0, 6, 6), (6, 10, 4), (10, 11, 1)]);
    }
}
