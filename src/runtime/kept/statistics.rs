//! The statistics in the graph of a data set's fields: what is computed of all rows and is the same for each.

use std::sync::Arc;

use crate::ir::program::{DataSet, SourceColumn};
use crate::ir::{Dim, Graph, InputKey, NodeId, Op, Output, OutputKey, rewrite};

/// A statistic that fields use row by row.
pub struct Statistic {
    pub node: NodeId,
    /// `DATA.NUMBER`, where the number stands for its formula and the columns that it is of.
    pub name: String,
}

/// The statistics that the outputs of a graph use, where what they are of comes from a source or from other data.
///
/// A statistic depends on the rows of some data, and its own size does not. Of those that only serve to compute
/// others, such as the sum within a mean, nothing need be kept.
pub fn statistics(set: &DataSet, graph: &Graph) -> Vec<Statistic> {
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let count = graph.len();
    let (mut learns, mut reads, mut is_same) = (vec![false; count], vec![false; count], vec![false; count]);
    let mut is_used = vec![false; count];
    for (id, node) in graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        let at = id.0 as usize;
        let is_data = matches!(
            &node.op,
            Op::Input { name: InputKey::Source(_) | InputKey::Column(_) | InputKey::Drawn(_), .. }
        );
        let any = |of: &[bool]| node.operands.iter().any(|operand| of[operand.0 as usize]);
        reads[at] = is_data || any(&reads);
        learns[at] = is_data || any(&learns) || mentions_sizes(&node.op);
        let is_open = node.ty.shape.iter().any(|size| size.as_number().is_none());
        // The results of a scan are looked at one by one.
        is_same[at] = learns[at] && (!is_open || matches!(node.op, Op::Scan(_)));
        if !is_same[at] {
            node.operands.iter().for_each(|operand| is_used[operand.0 as usize] = true);
        }
    }
    graph.outputs.iter().for_each(|output| is_used[output.node.0 as usize] = true);
    let is_statistic = |(id, node): &(NodeId, &crate::ir::Node)| {
        let at = id.0 as usize;
        needed[at] && is_same[at] && reads[at] && is_used[at] && !matches!(node.op, Op::Scan(_))
    };
    let found = graph.nodes().filter(is_statistic);
    found.map(|(node, _)| Statistic { node, name: name(set, graph, node) }).collect()
}

/// Whether an operation has a size in it that is not a number yet.
fn mentions_sizes(op: &Op) -> bool {
    let is_open = |size: &Dim| size.as_number().is_none();
    let mapped = op.try_map_sizes::<()>(
        &mut |size| if is_open(size) { Err(()) } else { Ok(size.clone()) },
        &mut |form| {
            let mut sizes = form.terms.iter().map(|(_, size)| size).chain([&form.constant]);
            if sizes.any(is_open) { Err(()) } else { Ok(form.clone()) }
        },
    );
    mapped.is_err()
}

/// The name of a statistic: the same for the same formula of the same columns, wherever its field stands.
fn name(set: &DataSet, graph: &Graph, node: NodeId) -> String {
    let mut part = graph.clone();
    part.outputs = vec![Output { name: OutputKey::named("value"), node }];
    let part = rewrite(&part, |new, node, operands| match &node.op {
        Op::Input { name: InputKey::Source(_), ty } => {
            let Op::Input { name, .. } = &node.op else { return new.add(node.op.clone(), operands) };
            let column = set.columns.iter().find(|column| column.name == *name);
            let text = column.map(text_of).unwrap_or_default();
            new.add(Op::Input { name: InputKey::Field(Arc::from(text)), ty: ty.clone() }, operands)
        }
        _ => new.add_from(node.op.clone(), operands, &node.origin),
    });
    format!("{}.{:016x}", set.name, number_of(part.to_string().as_bytes()))
}

/// What a column is, wherever it is read.
fn text_of(column: &SourceColumn) -> String {
    let mut text = format!("{:?} {}", column.select, column.training_only);
    if let Some(summary) = column.summary {
        text.push_str(&format!(" {summary:?}"));
    }
    if let Some(units) = column.text {
        text.push_str(&format!(" {units:?}"));
    }
    if let Some(date) = column.date {
        text.push_str(&format!(" {date:?}"));
    }
    text
}

/// A number of 64 bits that stands for a text (FNV-1a).
pub fn number_of(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |number, byte| {
        (number ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
