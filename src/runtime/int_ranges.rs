//! Between which numbers the ints lie that code is given, which is told to the compiler with the sizes.

use super::array::Elements;
use super::data::{Column, Table};
use super::session::{Session, Tensors};
use crate::base::Diagnostic;
use crate::ir::ranges::{self, Range};
use crate::ir::{Elem, Graph, InputKey, Op, Sizes};

/// The sizes, and what the ints of the inputs of a graph are: how large those of 64 bits are at most, or, if the same
/// code is to take other values as well, only that they have so many.
pub fn noted(graph: &Graph, sizes: &Sizes, inputs: &Tensors, by_value: bool) -> Sizes {
    let mut sizes = sizes.clone();
    for (_, node) in graph.nodes() {
        if let Op::Input { name, .. } = &node.op
            && let Some(array) = inputs.get(name)
            && matches!(array.elements(), Elements::I64(_))
        {
            let range = array.int_range().filter(|_| by_value).unwrap_or(Range::ALL);
            ranges::note_input(&mut sizes, name, range);
        }
    }
    sizes
}

/// Tells with the sizes between which numbers the ints of the fields and columns lie that a graph reads.
///
/// # Errors
/// Those of loading other data.
pub fn note_ints(
    session: &mut Session,
    graph: &Graph,
    table: &Table,
    sizes: &mut Sizes,
) -> Result<(), Diagnostic> {
    for (_, node) in graph.nodes() {
        let Op::Input { name, ty } = &node.op else { continue };
        if ty.elem != Elem::Int {
            continue;
        }
        let range = match name {
            InputKey::Column(key) => session.column(key, sizes)?.and_then(|column| column.int_range()),
            InputKey::Field(field) => range_of(table, field, sizes),
            InputKey::Step
            | InputKey::Source(_)
            | InputKey::Drawn(_)
            | InputKey::Statistic(_)
            | InputKey::Gradient(_)
            | InputKey::LineLoss
            | InputKey::Passed(_)
            | InputKey::Companion(..) => None,
        };
        if let Some(range) = range {
            // Columns are the same in every call, and so are the fields that batches are taken from.
            ranges::note_all_of_input(sizes, name, range);
        }
    }
    Ok(())
}

/// Between which numbers the ints of a field lie.
pub fn range_of(table: &Table, field: &str, sizes: &Sizes) -> Option<Range> {
    match table.fields.get(field)? {
        Column::Lazy(column) if !column.wide => table.bounds.get(field).and_then(|bounds| bounds.at(sizes).range()),
        column => column.int_range(),
    }
}
