//! What the bodies of losses advise of the values of the data, such as targets between 0 and 1: looked at once,
//! before the first step.

use crate::ir::interpret::{Feed, Tensor, evaluate};
use crate::ir::program::{BATCH, Train, ValueAdvice};
use crate::ir::{Dim, Elem, InputKey, Op, OutputKey, Sizes, specialise};
use crate::runtime::array::Array;
use crate::runtime::data::{Column, Rows, Table};
use crate::runtime::events::{Event, Observer};
use crate::runtime::report::Problem;
use crate::runtime::report::training::TrainWarning;
use std::sync::Arc;

/// Of large data so many numbers are looked at, in rows at equal distances.
const MOST_NUMBERS: usize = 1 << 18;
/// So many rows are looked at at once.
const ROWS_AT_ONCE: usize = 512;
/// A row with so many values is written out.
const SHOWN: usize = 8;

/// Warns of values that are not as a body advises. Columns that are read batch by batch are not looked at.
pub fn look(train: &Train, table: &Table, rows: &Rows, sizes: &Sizes, observer: &mut dyn Observer) {
    for advice in &train.advice {
        let Some(fields) = fields(advice, table) else { continue };
        let Some(row) = first_against(advice, &fields, rows, sizes) else { continue };
        let shown = |array: &Array| {
            let len = array.row_len();
            let values: Vec<String> = (0..len).map(|at| array.number(row * len + at).to_string()).collect();
            if array.shape().len() == 1 { values.concat() } else { format!("[{}]", values.join(", ")) }
        };
        let short = fields.iter().filter(|field| field.array.row_len() <= SHOWN);
        let fields = short.map(|field| (field.name.clone(), shown(&field.array))).collect();
        let (message, set, at) = (advice.message.clone(), train.data.set.clone(), advice.span);
        let warning = TrainWarning::Advice { message, set, row, fields, at };
        observer.event(&Event::Warning(&warning.diagnostic()));
    }
}

/// A field in memory, as a graph reads it.
struct Field {
    name: Arc<str>,
    elem: Elem,
    array: Arc<Array>,
}

/// The fields that are asked about, if all are in memory.
fn fields(advice: &ValueAdvice, table: &Table) -> Option<Vec<Field>> {
    let asked = advice.graph.nodes().filter_map(|(_, node)| match &node.op {
        Op::Input { name: InputKey::Field(name), ty } => Some((name.clone(), ty.elem)),
        _ => None,
    });
    asked
        .map(|(name, elem)| match table.fields.get(&name) {
            Some(Column::Memory(array)) => Some(Field { name, elem, array: array.clone() }),
            _ => None,
        })
        .collect()
}

/// The first row that is looked at for which the condition does not hold.
fn first_against(
    advice: &ValueAdvice,
    fields: &[Field],
    rows: &Rows,
    sizes: &Sizes,
) -> Option<usize> {
    let len: usize = fields.iter().map(|field| field.array.row_len()).sum();
    let most = (MOST_NUMBERS / len.max(1)).max(1);
    let distance = rows.len().div_ceil(most).max(1);
    let looked_at: Vec<usize> = (0..rows.len()).step_by(distance).map(|at| rows.get(at) as usize).collect();
    for taken in looked_at.chunks(ROWS_AT_ONCE.min(most)) {
        let mut sizes = sizes.clone();
        sizes.insert(BATCH.into(), Dim::from(taken.len()));
        let graph = specialise(&advice.graph, &sizes).ok()?;
        let mut feed: Feed<f64> = Feed::default();
        for field in fields {
            feed.inputs.insert(InputKey::Field(field.name.clone()), gathered(field, taken));
        }
        let results = evaluate(&graph, &feed).ok()?;
        let holds = results.get(&OutputKey::from("holds"))?;
        let values = holds.to_f64();
        let Some(at) = values.iter().position(|value| *value == 0.0) else { continue };
        // A condition on all rows together has no row of its own.
        let has_rows = holds.shape.first() == Some(&taken.len());
        return taken.get(if has_rows { at / (values.len() / taken.len()) } else { 0 }).copied();
    }
    None
}

/// Some rows of a field.
fn gathered(field: &Field, rows: &[usize]) -> Tensor<f64> {
    let array = &field.array;
    let len = array.row_len();
    let mut shape = array.shape().to_vec();
    if let Some(first) = shape.first_mut() {
        *first = rows.len();
    }
    let numbers = rows.iter().flat_map(|row| (row * len..(row + 1) * len).map(|at| array.number(at)));
    match field.elem {
        Elem::Float => Tensor::floats(shape, numbers.collect()),
        Elem::Int => Tensor::ints(shape, numbers.map(|number| number as i64).collect()),
        Elem::Bool => Tensor::bools(shape, numbers.map(|number| number != 0.0).collect()),
    }
}
