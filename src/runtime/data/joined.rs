//! Tables of one form as one: folds of a data set, whose fields differ by what was learnt from other rows.

use std::sync::Arc;

use super::{Column, Table};
use crate::runtime::array::Array;

/// Whether fields of two tables are in memory and of the same type.
pub fn are_alike(one: &Table, other: &Table, fields: &[Arc<str>]) -> bool {
    let is_alike = |field: &Arc<str>| match (one.fields.get(field), other.fields.get(field)) {
        (Some(Column::Memory(a)), Some(Column::Memory(b))) => {
            a.shape() == b.shape() && std::mem::discriminant(a.elements()) == std::mem::discriminant(b.elements())
        }
        _ => false,
    };
    one.rows == other.rows && fields.iter().all(is_alike)
}

impl Table {
    /// The rows of several tables, one table after the other, of fields that are [alike](are_alike). `None` if there are
    /// too many rows to number them.
    pub fn joined(tables: &[&Table], fields: &[Arc<str>]) -> Option<Table> {
        let first = tables.first()?;
        let rows = first.rows.checked_mul(tables.len()).filter(|rows| u32::try_from(*rows).is_ok())?;
        let mut joined = Table { rows, bounds: first.bounds.clone(), ..Table::default() };
        for field in fields {
            let arrays: Vec<&Array> = tables.iter().map(|table| in_memory(table, field)).collect::<Option<_>>()?;
            let mut shape = arrays[0].shape().to_vec();
            *shape.first_mut()? = rows;
            let len = arrays[0].elements().len();
            let mut elements = arrays[0].elements().zeros_alike(len * tables.len());
            arrays.iter().enumerate().for_each(|(at, array)| elements.put(at * len, array.elements()));
            joined.fields.insert(field.clone(), Column::Memory(Arc::new(Array::new(shape, elements).ok()?)));
        }
        Some(joined)
    }
}

fn in_memory<'t>(table: &'t Table, field: &Arc<str>) -> Option<&'t Array> {
    match table.fields.get(field) {
        Some(Column::Memory(array)) => Some(array),
        _ => None,
    }
}
