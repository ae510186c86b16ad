//! How the columns and results of a deployed model are called.

use std::sync::Arc;

use super::deployed::Deployed;
use super::meaning::{Probabilities, Reading};
use crate::base::order::PutInOrder;
use crate::ir::program::{Select, SourceColumn};
use crate::ir::{Dim, Elem, NodeId, Type};

/// A result of a model.
pub struct DeployedResult {
    pub name: String,
    pub node: NodeId,
    /// The type for one row, or of the whole if it has no rows.
    pub row: Type,
    pub has_rows: bool,
}

impl Deployed {
    /// The results of the model, in order.
    pub fn results(&self) -> Vec<DeployedResult> {
        let numbered = self.graph.outputs.iter().filter_map(|output| {
            let number: usize = output.name.text().parse().ok()?;
            Some((number, output.node))
        });
        let mut outputs: Vec<(usize, NodeId)> = numbered.collect();
        outputs.put_in_order_by_key(|(number, _)| *number);
        let is_single = outputs.len() == 1;
        let made = outputs.into_iter().map(|(number, node)| {
            let ty = self.graph.ty(node);
            let has_rows = self.has_rows(node);
            let shape = ty.shape.iter().skip(usize::from(has_rows)).cloned().collect();
            let name = if is_single { self.result_name() } else { format!("value {number}") };
            DeployedResult { name, node, row: Type::new(ty.elem, shape), has_rows }
        });
        made.collect()
    }

    /// Whether a node of the model's graph has one part for each row.
    pub fn has_rows(&self, node: NodeId) -> bool {
        let first = self.graph.shape(node).first();
        first.and_then(Dim::as_symbol).is_some_and(|symbol| *symbol == self.rows)
    }

    /// How the only result is called: by what it means.
    fn result_name(&self) -> String {
        match (self.meaning.as_ref().map(|meaning| meaning.reading), &self.target) {
            (Some(Reading::Classes(_, Probabilities::Themselves)), _) => "probabilities".to_owned(),
            (Some(Reading::Classes(..)), _) => "scores".to_owned(),
            (Some(Reading::Truth(_)), Some(target)) => format!("score of {target}"),
            (_, Some(target)) => target.clone(),
            (_, None) => "value".to_owned(),
        }
    }
}

/// The names of the classes of a column, in the order of their numbers, if its elements are these numbers.
pub fn column_classes(deployed: &Deployed, column: &SourceColumn) -> Option<Arc<[String]>> {
    let field = deployed.fields.iter().find(|field| field.name == column.field);
    let classes = field.and_then(|field| field.names.clone()).filter(|_| column.row.elem == Elem::Int);
    classes.or_else(|| column.names.clone().map(Arc::from))
}

/// What a column is called: as in the source, if the field is one column of it by name.
pub fn column_name(column: &SourceColumn) -> String {
    match &column.select {
        Select::Named(columns) => match columns.as_slice() {
            [one] => one.clone(),
            _ => column.field.to_string(),
        },
        _ => column.field.to_string(),
    }
}

/// Where a column stands in the source, where its name does not say it.
pub fn column_place(column: &SourceColumn) -> Option<String> {
    match &column.select {
        Select::Named(columns) if columns.len() > 1 => Some(format!("columns {}", columns.join(", "))),
        Select::Columns { from, to } if to - from > 1 => Some(format!("columns {from} to {}", to - 1)),
        Select::Columns { from, .. } => Some(format!("column {from}")),
        Select::Tensor(name) => Some(format!("the array `{name}`")),
        _ => None,
    }
}
