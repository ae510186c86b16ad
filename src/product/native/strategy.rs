//! The strategy of a product (operand order, packing, block sizes), decided once from its shape.
//!
//! One of the two outer sides lies in the lanes of vectors: the side called n here, after the operands have been
//! exchanged if that is cheaper. An operand that tiles cannot read fast in place is packed (copied) first.

use super::blocks;
use super::dot::Dots;
use super::groups::Groups;
use super::isa::Isa;
use super::lines::Plan;
use super::window_tile::{Halves, MOST_HALVED_VECTORS, MOST_TABLE_VECTORS};
use super::{Piece, Reuse, Shape, Side};
use crate::product::{MOST_K, SCATTERED};
use std::ops::Range;

/// A `b` that reaches over so many elements stays in the first cache, and is read where it is.
const IN_PLACE: usize = 8 * 1024;

/// How an operand is packed for the tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// Where it is.
    InPlace,
    /// Copied in vectors along the tile's side.
    Straight,
    /// Copied in vectors along k.
    Transposed,
    /// Copied element by element.
    Gathered,
    /// Copied in vectors that come from several places: see [`super::lines`].
    Lines,
    /// Where it is, in groups of rows: see [`super::groups`].
    Grouped,
}

/// How tiles write the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sink {
    InPlace,
    Transposed,
    Scattered,
}

/// Vectors of `b` that tiles read where they are: how far each k lies, and each vector.
#[derive(Clone, Copy)]
pub(super) enum InPlace<'p> {
    Whole { table: &'p [isize], vectors: &'p [isize] },
    Halves { table: &'p [isize], vectors: &'p [Halves] },
}

impl InPlace<'_> {
    /// The most vectors of a tile.
    pub fn most_vectors(&self) -> usize {
        match self {
            InPlace::Whole { .. } => MOST_TABLE_VECTORS,
            InPlace::Halves { .. } => MOST_HALVED_VECTORS,
        }
    }

    pub fn is_like(&self, other: &InPlace<'_>) -> bool {
        matches!(self, InPlace::Whole { .. }) == matches!(other, InPlace::Whole { .. })
    }

    /// From that k on.
    pub fn from(self, depth: usize) -> Self {
        match self {
            InPlace::Whole { table, vectors } => InPlace::Whole { table: &table[depth..], vectors },
            InPlace::Halves { table, vectors } => InPlace::Halves { table: &table[depth..], vectors },
        }
    }
}

/// A product and the strategy for it.
pub struct Product {
    pub(super) isa: &'static Isa,
    /// After the operands have changed places, if so.
    pub(super) shape: Shape,
    swapped: bool,
    pub(super) a_source: Source,
    /// Whether k is contiguous in `a` as tiles read it; otherwise rows are.
    pub(super) by_row: bool,
    pub(super) b_source: Source,
    pub(super) c_sink: Sink,
    /// Vectors lie along k: see [`super::dot`].
    along_k: bool,
    /// Length of the blocks of k.
    pub(super) k_block: usize,
    /// Vectors of a strip, and rows of its tiles at most.
    pub(super) vectors: usize,
    pub(super) rows: usize,
    pub(super) offsets: Option<Box<Offsets>>,
}

/// Where elements lie, if a side of an operand is scattered.
pub(super) struct Offsets {
    /// Of rows and columns of `a`, `b` and `c`.
    pub sides: [[Vec<isize>; 2]; 3],
    axes: [[Side; 2]; 3],
    /// How tiles read `a` in place, if it is scattered and they can.
    pub a_groups: Option<Groups>,
    /// For each block of k, how a row of `a` is copied, if it is scattered and they cannot.
    pub a_lines: Vec<Plan>,
    /// How all columns of `b` are copied, if it is scattered.
    pub b_lines: Plan,
    /// Where each vector of `b` is that lies in one piece, [`SCATTERED`] for others; empty if none is read in place.
    b_vectors: Vec<isize>,
    /// The same of vectors of one run or two.
    b_halves: Vec<Halves>,
}

impl Offsets {
    fn new(sides: &[[Side; 2]; 3]) -> Box<Offsets> {
        let offsets = |side: &Side| side.offsets().into_iter().map(|offset| offset as isize).collect();
        let all = sides.each_ref().map(|sides| sides.each_ref().map(offsets));
        Box::new(Offsets {
            sides: all,
            axes: sides.clone(),
            a_groups: None,
            a_lines: Vec::new(),
            b_lines: Plan::new(&[], 1),
            b_vectors: Vec::new(),
            b_halves: Vec::new(),
        })
    }

    /// Finds the vectors of `b` that tiles can read where they are.
    fn find_columns_in_place(&mut self) {
        let neither = Halves { places: [SCATTERED; 2], split: 0 };
        let vectors = 0..self.b_lines.vectors();
        self.b_vectors = vectors.clone().map(|at| self.b_lines.whole(at).unwrap_or(SCATTERED)).collect();
        self.b_halves = vectors.map(|at| self.b_lines.halves(at).unwrap_or(neither)).collect();
    }

    /// How tiles can read a scattered `a` in place.
    fn groups(&self, isa: &Isa) -> Option<Groups> {
        let [rows, k] = &self.axes[0];
        Groups::new(isa, [rows, k])
    }

    /// Of the transposed matrices.
    fn turn(&mut self) {
        self.sides.swap(0, 1);
        self.axes.swap(0, 1);
        self.sides.iter_mut().for_each(|[rows, columns]| std::mem::swap(rows, columns));
        self.axes.iter_mut().for_each(|[rows, columns]| std::mem::swap(rows, columns));
    }
}

fn is_scattered(strides: (isize, isize)) -> bool {
    strides.0 == SCATTERED || strides.1 == SCATTERED
}

impl Product {
    /// `None` if the processor has no vectors that this can use.
    #[cfg(test)]
    pub fn new(shape: Shape, reuse: Reuse) -> Option<Product> {
        Some(Product::with(Isa::of_this_processor()?, shape, None, reuse))
    }

    /// The same of operands whose sides may be scattered; `sides` are those of the shape.
    pub fn of_sides(shape: Shape, sides: &[[Side; 2]; 3], reuse: Reuse) -> Option<Product> {
        let isa = Isa::of_this_processor()?;
        Some(Product::with(isa, shape, Some(sides), reuse))
    }

    /// In the narrowest vectors that the processor has.
    #[cfg(test)]
    pub fn narrow(shape: Shape, reuse: Reuse) -> Option<Product> {
        Some(Product::with(Isa::narrow()?, shape, None, reuse))
    }

    #[cfg(test)]
    pub fn narrow_of_sides(shape: Shape, sides: &[[Side; 2]; 3], reuse: Reuse) -> Option<Product> {
        Some(Product::with(Isa::narrow()?, shape, Some(sides), reuse))
    }

    fn with(isa: &'static Isa, shape: Shape, sides: Option<&[[Side; 2]; 3]>, reuse: Reuse) -> Product {
        let shape = shape.tidy();
        let scattered = [shape.a, shape.b, shape.c].into_iter().any(is_scattered);
        let mut offsets = sides.filter(|_| scattered).map(Offsets::new);
        let turned = turn(shape);
        let cost_here = cost(isa, &shape, reuse.b, offsets.as_deref());
        offsets.iter_mut().for_each(|offsets| offsets.turn());
        let swapped = cost(isa, &turned, reuse.a, offsets.as_deref()) < cost_here;
        if !swapped {
            offsets.iter_mut().for_each(|offsets| offsets.turn());
        }
        let shape = if swapped { turned } else { shape };
        let vectors = match shape.n.div_ceil(isa.lanes) {
            1 => 1,
            n if n > 8 && shape.m <= isa.most_rows(16) => 16,
            n if n > 4 && shape.m <= isa.most_rows(8) => 8,
            n if n > 2 && shape.m <= isa.most_rows(4) => 4,
            // Rows that are windows have tiles of two vectors at most.
            n if n > 2 && !is_scattered(shape.a) => isa.usual_vectors,
            _ => 2,
        };
        // Tiles that read windows where they are have few vectors.
        let vectors = if is_scattered(shape.b) { vectors.min(MOST_TABLE_VECTORS) } else { vectors };
        let mut rows = isa.most_rows(vectors);
        let k_block = shape.k_block();
        if let Some(offsets) = &mut offsets {
            offsets.a_groups = offsets.groups(isa).filter(|_| is_scattered(shape.a) && vectors <= 2);
            if let Some(groups) = &offsets.a_groups {
                rows = groups.of * isa.most_groups(groups.of, vectors);
            } else if is_scattered(shape.a) {
                let blocks = offsets.sides[0][1].chunks(k_block);
                offsets.a_lines = blocks.map(|block| Plan::new(block, isa.lanes)).collect();
            }
            if is_scattered(shape.b) {
                offsets.b_lines = Plan::new(&offsets.sides[1][1], isa.lanes);
            }
        }
        let is_grouped = offsets.as_ref().is_some_and(|offsets| offsets.a_groups.is_some());
        let (a_source, by_row) = match shape.a {
            _ if is_grouped => (Source::Grouped, true),
            strides if is_scattered(strides) => (Source::Lines, true),
            (_, 1) => (Source::InPlace, true),
            (1, _) if shape.n > 2 * vectors * isa.lanes => (Source::Straight, false),
            (1, _) => (Source::InPlace, false),
            _ => (Source::Gathered, false),
        };
        let b_source = match shape.b {
            strides if is_scattered(strides) => Source::Lines,
            (_, 1) if shape.m <= 4 * rows || shape.k * shape.b.0 as usize <= IN_PLACE => Source::InPlace,
            (_, 1) => Source::Straight,
            (1, _) => Source::Transposed,
            _ => Source::Gathered,
        };
        let c_sink = match shape.c {
            strides if is_scattered(strides) => Sink::Scattered,
            (_, 1) => Sink::InPlace,
            (1, _) => Sink::Transposed,
            _ => Sink::Scattered,
        };
        let along_k = shape.is_along_k();
        let is_by_table = b_source == Source::Lines && (a_source, by_row) == (Source::InPlace, true);
        if is_by_table && let Some(offsets) = &mut offsets {
            offsets.find_columns_in_place();
        }
        Product {
            isa,
            shape,
            swapped,
            a_source,
            by_row,
            b_source,
            c_sink,
            along_k,
            k_block,
            vectors,
            rows,
            offsets,
        }
    }

    /// Rows of `a` that belong to one tile.
    pub(super) fn unit(&self) -> usize {
        self.groups().map_or(1, |groups| groups.of)
    }

    pub(super) fn groups(&self) -> Option<&Groups> {
        self.offsets.as_ref()?.a_groups.as_ref()
    }

    /// How tiles read vectors of `b` that lie where they are.
    pub(super) fn in_place(&self, vectors: Range<usize>) -> Option<InPlace<'_>> {
        let offsets = self.offsets.as_ref()?;
        let table = offsets.sides[1][0].as_slice();
        let whole = offsets.b_vectors.get(vectors.clone())?;
        if whole.iter().all(|place| *place != SCATTERED) {
            return Some(InPlace::Whole { table, vectors: whole });
        }
        let halves = offsets.b_halves.get(vectors)?;
        let are_halves = halves.iter().all(|halves| halves.places[0] != SCATTERED);
        are_halves.then_some(InPlace::Halves { table, vectors: halves })
    }

    /// The number of tasks for so many threads: a few for each, so that the others take over the share of a thread
    /// that is late.
    pub fn pieces(most: usize, threads: usize) -> usize {
        if threads > 1 { most.min(4 * threads) } else { 1 }
    }

    fn is_cut_by_columns(&self, pieces: usize) -> bool {
        let strip = self.vectors * self.isa.lanes;
        self.shape.n >= 2 * pieces * strip || self.shape.n >= self.shape.m
    }

    /// Computes one of several pieces of the product, which write to distinct elements.
    ///
    /// # Safety
    /// The addresses are those of the first elements of the operands, which reach as far as the shape says;
    /// `c` overlaps neither `a` nor `b`.
    pub unsafe fn piece(&self, a: *const f32, b: *const f32, c: *mut f32, piece: Piece) {
        let Shape { m, n, .. } = self.shape;
        let (a, b) = if self.swapped { (b, a) } else { (a, b) };
        let strip = self.vectors * self.isa.lanes;
        let (mut rows, mut columns) = (0..m, 0..n);
        let Piece { number, of: pieces, run } = piece;
        if pieces > 1 {
            let part = |units: usize, unit: usize, most: usize| {
                (units * number / pieces * unit).min(most)..(units * (number + 1) / pieces * unit).min(most)
            };
            if self.is_cut_by_columns(pieces) {
                columns = part(n.div_ceil(strip), strip, n);
            } else {
                let unit = self.groups().map_or(4, |groups| groups.of);
                rows = part(m.div_ceil(unit), unit, m);
            }
        }
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        // SAFETY: by the contract.
        unsafe {
            if self.along_k {
                self.dots(a, b, c, rows, columns);
            } else {
                blocks::run(self, run, (a, b, c), rows, columns);
            }
        }
    }

    /// # Safety
    /// As [`Product::piece`].
    unsafe fn dots(
        &self,
        a: *const f32,
        b: *const f32,
        c: *mut f32,
        rows: Range<usize>,
        columns: Range<usize>,
    ) {
        let Shape { k, a: (a_stride, _), b: (_, b_stride), c: c_strides, accumulate, .. } = self.shape;
        let (row, column) = (rows.start as isize, columns.start as isize);
        let dots = Dots {
            m: rows.len(),
            n: columns.len(),
            k,
            a: a.wrapping_offset(row * a_stride),
            a_stride,
            b: b.wrapping_offset(column * b_stride),
            b_stride,
            c: c.wrapping_offset(row * c_strides.0 + column * c_strides.1),
            c_strides,
            add: accumulate,
        };
        // SAFETY: by the contract.
        unsafe { (self.isa.dots)(&dots) }
    }
}

/// The same product of the transposed matrices.
fn turn(shape: Shape) -> Shape {
    let turned = |(row, column)| (column, row);
    Shape { m: shape.n, n: shape.m, a: turned(shape.b), b: turned(shape.a), c: turned(shape.c), ..shape }
}

/// Roughly how long a product takes as it stands, if a copy of `b` serves so many.
fn cost(isa: &Isa, shape: &Shape, reuse_b: usize, offsets: Option<&Offsets>) -> usize {
    let Shape { m, n, k, .. } = *shape;
    let vectors = n.div_ceil(isa.lanes);
    // In sixteenths of a vector instruction.
    let product = 8 * vectors * m * k;
    // Of a scattered operand that is copied in lines along one of its sides.
    let lines = |strides, operand: usize, along: usize| {
        let offsets = offsets.filter(|_| is_scattered(strides))?;
        let is_in_place = operand == 1 && shape.a.1 == 1;
        Some(Plan::cost(&offsets.sides[operand][along], isa.lanes, is_in_place))
    };
    let copy = |strides: (isize, isize), elements: usize| match strides {
        strides if is_scattered(strides) => 32 * elements,
        (_, 1) => 0,
        (1, _) => 4 * elements,
        _ => 32 * elements,
    };
    let groups = offsets.filter(|_| is_scattered(shape.a)).and_then(|offsets| offsets.groups(isa));
    let a = match lines(shape.a, 0, 1) {
        Some(_) if groups.is_some() => groups.map_or(0, |groups| groups.cost(m, k) * vectors.div_ceil(2)),
        Some(each) => each * m * k,
        None if shape.a.0 == 1 || shape.a.1 == 1 => 0,
        None => 32 * m * k,
    };
    let b = lines(shape.b, 1, 1).map_or_else(|| copy(shape.b, k * n), |each| each * k * n);
    product + a + b / reuse_b.max(1) + copy(shape.c, m * n * k.div_ceil(MOST_K))
}
