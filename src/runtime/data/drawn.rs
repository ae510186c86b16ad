//! Random numbers of fields. Those of a row depend on the seed and the number of the row alone, so they are drawn
//! for the rows that are wanted, when they are wanted, and are never all there beside what is made of them.

use super::rowwise::{begins_with, mentions};
use crate::base::philox::{Draw, stream_of};
use crate::ir::{Elem, Graph, InputKey, Op, RandKind, Type, rewrite};
use crate::runtime::array::{Array, Elements};

/// The random numbers of one call in a field, for all rows.
#[derive(Clone, Debug)]
pub struct Drawn {
    kind: RandKind,
    /// Of the first draw of the first row.
    first: Draw,
    /// A row has so many draws, one behind another, of so many numbers each.
    draws: usize,
    len: usize,
}

/// A call that draws, as a column.
pub struct Apart {
    /// The input that stands in its place.
    pub name: InputKey,
    pub drawn: Drawn,
    /// The shape of one row.
    pub row: Vec<usize>,
}

/// The graph with an input in place of each node that draws numbers row by row, and what is drawn for it.
pub fn apart(graph: &Graph, rows: &str, seed: u64) -> (Graph, Vec<Apart>) {
    let mut found = Vec::new();
    let graph = rewrite(graph, |new, node, operands| {
        let Some((drawn, row)) = row_by_row(&node.op, rows, seed) else {
            return new.add_from(node.op.clone(), operands, &node.origin);
        };
        let name = InputKey::Drawn(found.len() as u32);
        found.push(Apart { name: name.clone(), drawn, row });
        let ty = Type::new(Elem::Float, node.ty.shape.clone());
        new.add_from(Op::Input { name, ty }, operands, &node.origin)
    });
    (graph, found)
}

/// What a node draws, and the shape of a row, if its rows count through its draws.
fn row_by_row(op: &Op, rows: &str, seed: u64) -> Option<(Drawn, Vec<usize>)> {
    let Op::Rand { kind, stream, shape, step, step_axes } = op else { return None };
    let step_axes = *step_axes as usize;
    if step_axes == 0 || !begins_with(shape, rows) || shape[1..].iter().any(|size| mentions(size, rows)) {
        return None;
    }
    let row = Type::new(Elem::Float, shape[1..].to_vec()).static_shape()?;
    let (draws, len) = (row[..step_axes - 1].iter().product(), row[step_axes - 1..].iter().product());
    let scan_step = u32::try_from(step.as_number()?).ok()?;
    let first = Draw { seed, stream: stream_of(stream), step: 0, scan_step };
    Some((Drawn { kind: *kind, first, draws, len }, row))
}

impl Drawn {
    /// Draws the numbers of some rows.
    pub fn gather(&self, rows: &[u32], into: &mut Array) {
        match into.elements_mut() {
            Elements::F32(out) => self.fill(rows, out, |draw, out| self.kind.fill_f32(draw, 0, out)),
            Elements::F64(out) => self.fill(rows, out, |draw, out| self.kind.fill_f64(draw, 0, out)),
            Elements::I32(_) | Elements::I64(_) | Elements::U8(_) | Elements::Bool(_) => {}
        }
    }

    fn fill<T>(&self, rows: &[u32], out: &mut [T], fill: impl Fn(Draw, &mut [T])) {
        let places = out.chunks_exact_mut((self.draws * self.len).max(1));
        for (row, place) in rows.iter().zip(places) {
            let start = row.wrapping_mul(self.draws as u32);
            for (at, out) in place.chunks_exact_mut(self.len.max(1)).enumerate() {
                let step = self.first.scan_step.wrapping_add(start).wrapping_add(at as u32);
                fill(Draw { scan_step: step, ..self.first }, out);
            }
        }
    }
}
