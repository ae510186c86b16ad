//! The tile and packing kernels of each instruction set.

use super::copy::{self, Block, CopyFn};
use super::dot::{self, Dots, DotsFn};
use super::lines::{self, Lines, LinesFn};
use super::tile::{self, Tile, TileFn};
use super::vector::{Narrow, Vector, Wide};

/// The functions for one set of instructions.
pub(super) struct Isa {
    pub lanes: usize,
    /// Tiles of one, two, four, eight and sixteen vectors: by column, then by row; by the number of rows, less
    /// one.
    tiles: [[&'static [TileFn]; 5]; 2],
    pub dots: DotsFn,
    pub transpose: CopyFn,
    pub straight: CopyFn,
    pub into_strips: CopyFn,
    pub lines: LinesFn,
}

impl Isa {
    /// The widest vectors that this processor has.
    pub fn of_this_processor() -> Option<&'static Isa> {
        if is_x86_feature_detected!("avx512f") {
            return Some(&WIDE);
        }
        Isa::narrow()
    }

    /// AVX2, also where there is something wider.
    pub fn narrow() -> Option<&'static Isa> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&NARROW)
    }

    pub fn tile(&self, rows: usize, vectors: usize, by_row: bool) -> TileFn {
        self.tiles[usize::from(by_row)][vectors.ilog2() as usize][rows - 1]
    }

    /// The most rows of a tile of so many vectors.
    pub fn most_rows(&self, vectors: usize) -> usize {
        self.tiles[0][vectors.ilog2() as usize].len()
    }
}

macro_rules! instructions {
    ($isa:ident, $module:ident, $vector:ty, $features:literal, $dots:tt, $parts:tt, $one:tt, $two:tt, $four:tt, $eight:tt, $sixteen:tt) => {
        static $isa: Isa = Isa {
            lanes: <$vector as Vector>::LANES,
            tiles: [
                $module::column::ALL,
                $module::row::ALL,
            ],
            dots: $module::dots,
            transpose: $module::transpose,
            straight: $module::straight,
            into_strips: $module::into_strips,
            lines: $module::lines,
        };

        mod $module {
            use super::*;

            #[target_feature(enable = $features)]
            unsafe fn tile<const R: usize, const V: usize, const BY_ROW: bool>(tile: &Tile) {
                // SAFETY: the caller's contract is the same.
                unsafe { tile::tile::<$vector, R, V, BY_ROW>(tile) }
            }

            #[target_feature(enable = $features)]
            pub(super) unsafe fn dots(dots: &Dots) {
                // SAFETY: the caller's contract is the same.
                unsafe { dot::dots::<$vector, $dots, $parts>(dots) }
            }

            #[target_feature(enable = $features)]
            pub(super) unsafe fn transpose(block: &Block) {
                // SAFETY: the caller's contract is the same.
                unsafe { copy::transpose::<$vector>(block) }
            }

            #[target_feature(enable = $features)]
            pub(super) unsafe fn straight(block: &Block) {
                // SAFETY: the caller's contract is the same.
                unsafe { copy::straight::<$vector>(block) }
            }

            #[target_feature(enable = $features)]
            pub(super) unsafe fn into_strips(block: &Block) {
                // SAFETY: the caller's contract is the same.
                unsafe { copy::into_strips::<$vector>(block) }
            }

            #[target_feature(enable = $features)]
            pub(super) unsafe fn lines(lines: &Lines<'_>) {
                // SAFETY: the caller's contract is the same.
                unsafe { lines::pack::<$vector>(lines) }
            }

            pub(super) mod column {
                use super::*;
                pub(in super::super) const ALL: [&[TileFn]; 5] = [
                    &instructions!(tiles 1 false $one),
                    &instructions!(tiles 2 false $two),
                    &instructions!(tiles 4 false $four),
                    &instructions!(tiles 8 false $eight),
                    &instructions!(tiles 16 false $sixteen),
                ];
            }

            pub(super) mod row {
                use super::*;
                pub(in super::super) const ALL: [&[TileFn]; 5] = [
                    &instructions!(tiles 1 true $one),
                    &instructions!(tiles 2 true $two),
                    &instructions!(tiles 4 true $four),
                    &instructions!(tiles 8 true $eight),
                    &instructions!(tiles 16 true $sixteen),
                ];
            }
        }
    };
    (tiles $vectors:literal $by_row:literal [$($rows:literal)*]) => {
        [$(tile::<$rows, $vectors, $by_row>),*]
    };
}

// With 32 registers up to 24 sums, with 16 up to 12: besides them stand the vectors of `b` and a factor.
instructions!(
    WIDE, wide, Wide, "avx512f",
    4, 1,
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16],
    [1 2 3 4 5 6 7 8 9 10 11 12],
    [1 2 3 4 5 6],
    [1 2],
    [1]
);
instructions!(
    NARROW, narrow, Narrow, "avx2,fma",
    2, 2,
    [1 2 3 4 5 6 7 8 9 10 11 12],
    [1 2 3 4 5 6],
    [1 2],
    [1],
    [1]
);
