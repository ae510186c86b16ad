//! The tile and packing kernels of each instruction set.

use super::copy::{self, Block, CopyFn};
use super::dot::{self, Dots, DotsFn};
use super::lines::{self, Lines, LinesFn};
use super::tile::{self, Tile, TileFn};
use super::vector::*;
use super::window_tile::{self, GroupedFn, GroupedTile, HalvedFn, HalvedTile, TableFn, TableTile};

/// The functions for one set of instructions.
pub(super) struct Isa {
    pub lanes: usize,
    /// The vectors of a tile of many rows and columns: so many that multiply-adds are what limits it, not loads.
    pub usual_vectors: usize,
    /// Tiles of one, two, four, eight and sixteen vectors: by column, then by row; by the number of rows, less
    /// one.
    tiles: [[&'static [TileFn]; 5]; 2],
    /// Tiles of one and two vectors with rows in groups of two to five: by the number of groups, less one.
    grouped: [[&'static [GroupedFn]; MOST_GROUP - 1]; 2],
    /// Tiles of one, two and four vectors by table: by the number of rows, less one.
    by_table: [&'static [TableFn]; 3],
    /// Tiles of one and two vectors of two runs: by the number of rows, less one.
    by_halves: [&'static [HalvedFn]; 2],
    pub dots: DotsFn,
    pub transpose: CopyFn,
    pub straight: CopyFn,
    pub into_strips: CopyFn,
    pub lines: LinesFn,
}

/// The most rows of a group.
pub(super) const MOST_GROUP: usize = 5;

impl Isa {
    /// The widest vectors that this processor has.
    #[cfg(target_arch = "x86_64")]
    pub fn of_this_processor() -> Option<&'static Isa> {
        if is_x86_feature_detected!("avx512f") {
            return Some(&WIDE);
        }
        Isa::narrow()
    }

    /// AVX2, also where there is something wider: the narrowest vectors.
    #[cfg(target_arch = "x86_64")]
    pub fn narrow() -> Option<&'static Isa> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&NARROW)
    }

    #[cfg(target_arch = "aarch64")]
    pub fn of_this_processor() -> Option<&'static Isa> {
        Some(&NEON)
    }

    #[cfg(all(test, target_arch = "aarch64"))]
    pub fn narrow() -> Option<&'static Isa> {
        Isa::of_this_processor()
    }

    pub fn tile(&self, rows: usize, vectors: usize, by_row: bool) -> TileFn {
        self.tiles[usize::from(by_row)][vectors.ilog2() as usize][rows - 1]
    }

    /// A tile of so many groups of rows.
    pub fn grouped_tile(&self, groups: usize, of: usize, vectors: usize) -> GroupedFn {
        self.grouped[vectors - 1][of - 2][groups - 1]
    }

    /// The most groups of so many rows in a tile of one or two vectors.
    pub fn most_groups(&self, of: usize, vectors: usize) -> usize {
        self.grouped[vectors - 1][of - 2].len()
    }

    pub fn table_tile(&self, rows: usize, vectors: usize) -> TableFn {
        self.by_table[vectors.ilog2() as usize][rows - 1]
    }

    pub fn halved_tile(&self, rows: usize, vectors: usize) -> HalvedFn {
        self.by_halves[vectors.ilog2() as usize][rows - 1]
    }

    /// The most rows of a tile of so many vectors.
    pub fn most_rows(&self, vectors: usize) -> usize {
        self.tiles[0][vectors.ilog2() as usize].len()
    }
}

macro_rules! instructions {
    ($isa:ident, $module:ident, $vector:ty, $features:literal, $usual:literal, $dots:tt, $parts:tt, $one:tt, $two:tt, $four:tt, $eight:tt, $sixteen:tt, $grouped_one:tt, $grouped_two:tt,
     $halved_one:tt, $halved_two:tt) => {
        static $isa: Isa = Isa {
            lanes: <$vector as Vector>::LANES,
            usual_vectors: $usual,
            tiles: [
                $module::column::ALL,
                $module::row::ALL,
            ],
            grouped: $module::GROUPED,
            by_table: $module::BY_TABLE,
            by_halves: $module::BY_HALVES,
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
            unsafe fn grouped<const R: usize, const S: usize, const V: usize>(tile: &GroupedTile) {
                // SAFETY: the caller's contract is the same.
                unsafe { window_tile::grouped::<$vector, R, S, V>(tile) }
            }

            #[target_feature(enable = $features)]
            unsafe fn by_table<const R: usize, const V: usize>(tile: &TableTile) {
                // SAFETY: the caller's contract is the same.
                unsafe { window_tile::by_table::<$vector, R, V>(tile) }
            }

            #[target_feature(enable = $features)]
            unsafe fn by_halves<const R: usize, const V: usize>(tile: &HalvedTile) {
                // SAFETY: the caller's contract is the same.
                unsafe { window_tile::by_halves::<$vector, R, V>(tile) }
            }

            pub(super) const BY_HALVES: [&[HalvedFn]; 2] =
                [&instructions!(halves 1 $halved_one), &instructions!(halves 2 $halved_two)];

            pub(super) const GROUPED: [[&[GroupedFn]; MOST_GROUP - 1]; 2] =
                [instructions!(groups 1 $grouped_one), instructions!(groups 2 $grouped_two)];

            pub(super) const BY_TABLE: [&[TableFn]; 3] = [
                &instructions!(table 1 $one),
                &instructions!(table 2 $two),
                &instructions!(table 4 $four),
            ];

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
    (table $vectors:literal [$($rows:literal)*]) => {
        [$(by_table::<$rows, $vectors>),*]
    };
    (halves $vectors:literal [$($rows:literal)*]) => {
        [$(by_halves::<$rows, $vectors>),*]
    };
    (groups $vectors:literal [$([$of:literal: $($rows:literal)*])*]) => {
        [$(&[$(grouped::<$rows, $of, $vectors>),*]),*]
    };
}

// With 32 registers up to 24 sums, with 16 up to 12: besides them stand the vectors of `b` and a factor.
#[cfg(target_arch = "x86_64")]
instructions!(
    WIDE, wide, Wide, "avx512f", 2,
    4, 1,
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16],
    [1 2 3 4 5 6 7 8 9 10 11 12],
    [1 2 3 4 5 6],
    [1 2],
    [1],
    [[2: 2 4 6 8 10 12] [3: 3 6 9 12 15] [4: 4 8 12 16] [5: 5 10 15]],
    [[2: 2 4 6 8 10 12] [3: 3 6 9 12] [4: 4 8 12] [5: 5 10]],
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16],
    [1 2 3 4 5 6 7 8 9 10 11 12]
);
#[cfg(target_arch = "x86_64")]
instructions!(
    NARROW, narrow, Narrow, "avx2,fma", 2,
    2, 2,
    [1 2 3 4 5 6 7 8 9 10 11 12],
    [1 2 3 4 5 6],
    [1 2],
    [1],
    [1],
    [[2: 2 4 6 8 10 12] [3: 3 6 9 12] [4: 4 8 12] [5: 5 10]],
    [[2: 2 4 6] [3: 3 6] [4: 4] [5: 5]],
    [1 2 3 4 5 6 7 8 9 10 11 12],
    [1 2 3 4 5 6]
);
#[cfg(target_arch = "aarch64")]
instructions!(
    NEON, neon, Neon, "neon", 4,
    2, 4,
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16],
    [1 2 3 4 5 6 7 8 9 10 11 12],
    [1 2 3 4 5 6],
    [1 2],
    [1],
    [[2: 2 4 6 8 10 12] [3: 3 6 9 12 15] [4: 4 8 12 16] [5: 5 10 15]],
    [[2: 2 4 6 8 10 12] [3: 3 6 9 12] [4: 4 8 12] [5: 5 10]],
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16],
    [1 2 3 4 5 6 7 8 9 10 11 12]
);
