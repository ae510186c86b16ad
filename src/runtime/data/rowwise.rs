//! Which fields can be computed batch by batch: those whose every row depends on the same row of the source
//! alone, and on what is the same for all rows.

use super::load::{Columns, Inputs};
use crate::ir::{Affine, Combine, Dim, Graph, Loop, NodeId, Op, Output, Scalar, Sub, Var, compact};

/// What a node has to do with rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Its first axis are the rows, and each row depends on that row of the inputs.
    Rows,
    /// The same for all rows.
    Constant,
    /// Anything else: a statistic, a neighbour.
    Other,
}

/// What the inputs of a graph are.
pub struct Names<'a> {
    pub columns: &'a Columns,
    /// Tensors that are the same for all rows.
    pub known: &'a Inputs,
}

/// What each node has to do with rows, where `rows` is the number of rows.
pub fn kinds(graph: &Graph, rows: &str, names: &Names<'_>) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::with_capacity(graph.len());
    for (_, node) in graph.nodes() {
        let of = |operand: &NodeId| kinds[operand.0 as usize];
        let kind = match &node.op {
            Op::Input { name, ty } if names.columns.contains_key(name) && begins_with(&ty.shape, rows) => {
                Kind::Rows
            }
            Op::Input { name, .. } if names.known.contains_key(name) => Kind::Constant,
            Op::Const(_) => Kind::Constant,
            Op::Mark(_) => of(&node.operands[0]),
            Op::Reshape { shape } => match of(&node.operands[0]) {
                Kind::Rows if begins_with(shape, rows) => Kind::Rows,
                Kind::Constant if !shape.iter().any(|size| mentions(size, rows)) => Kind::Constant,
                Kind::Rows | Kind::Constant | Kind::Other => Kind::Other,
            },
            Op::Loop(body) => loop_kind(body, rows, &node.operands.iter().map(of).collect::<Vec<_>>()),
            Op::Input { .. }
            | Op::Param { .. }
            | Op::State { .. }
            | Op::Rand { .. }
            | Op::Scan(_)
            | Op::Result(_)
            | Op::Carry { .. }
            | Op::Capture { .. } => Kind::Other,
        };
        kinds.push(kind);
    }
    kinds
}

/// The graph of one output.
pub(super) fn only(graph: &Graph, output: &Output) -> Graph {
    let mut graph = graph.clone();
    graph.outputs = vec![output.clone()];
    compact(&graph)
}

/// Whether an output has no sums in it. The parts of a sum are added in an order that may depend on the number
/// of rows; everything else has the same bits however many rows are computed at once.
pub(super) fn is_elementwise(graph: &Graph, output: &Output) -> bool {
    only(graph, output).nodes().all(|(_, node)| match &node.op {
        Op::Loop(body) => body.combine == Combine::Set,
        Op::Scan(_) => false,
        _ => true,
    })
}

pub(super) fn mentions(size: &Dim, rows: &str) -> bool {
    let mut symbols = Vec::new();
    size.symbols(&mut symbols);
    symbols.iter().any(|symbol| &**symbol == rows)
}

/// `[rows, …]` with no other `rows` in it.
pub(super) fn begins_with(shape: &[Dim], rows: &str) -> bool {
    let Some((first, rest)) = shape.split_first() else { return false };
    first.as_symbol().is_some_and(|symbol| &**symbol == rows) && !rest.iter().any(|size| mentions(size, rows))
}

fn loop_kind(body: &Loop, rows: &str, operands: &[Kind]) -> Kind {
    if operands.contains(&Kind::Other) {
        return Kind::Other;
    }
    let open = body.domain.iter().chain(&body.shape).any(|size| mentions(size, rows));
    if !open && !operands.contains(&Kind::Rows) {
        return if forms(body).any(|form| form_mentions(form, rows)) { Kind::Other } else { Kind::Constant };
    }
    let is_rows = |size: &Dim| size.as_symbol().is_some_and(|symbol| &**symbol == rows);
    let Some(index) = body.domain.iter().position(is_rows) else { return Kind::Other };
    let others = body.domain.iter().enumerate().filter(|(at, _)| *at != index);
    let fits = begins_with(&body.shape, rows)
        && !others.map(|(_, size)| size).any(|size| mentions(size, rows))
        && body.write_index(0) == Some(index)
        && body.write[1..].iter().all(|sub| is_free_of(sub, index, rows));
    if fits && keeps_rows(body, index, rows, operands) { Kind::Rows } else { Kind::Other }
}

/// Whether a loop combines values of all rows, each computed from that row alone, in such a way that it can be
/// carried out on some rows after others.
pub fn sums_rows(body: &Loop, rows: &str, operands: &[Kind]) -> bool {
    let is_rows = |size: &Dim| size.as_symbol().is_some_and(|symbol| &**symbol == rows);
    let Some(index) = body.domain.iter().position(is_rows) else { return false };
    let mut others = body.domain.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, size)| size);
    matches!(body.combine, Combine::Add | Combine::Mul | Combine::Max | Combine::Min)
        && operands.contains(&Kind::Rows)
        && !operands.contains(&Kind::Other)
        && !others.any(|size| mentions(size, rows))
        && !body.shape.iter().any(|size| mentions(size, rows))
        && body.write.iter().all(|sub| is_free_of(sub, index, rows))
        && keeps_rows(body, index, rows, operands)
}

/// Whether the expression at a row reads nothing but that row and what is the same for all.
fn keeps_rows(body: &Loop, index: usize, rows: &str, operands: &[Kind]) -> bool {
    body.body.nodes.iter().all(|scalar| match scalar {
        Scalar::Affine(form) => is_form_free_of(form, index, rows),
        Scalar::Read { operand, subs, padded } => match (operands[*operand as usize], subs.split_first()) {
            (Kind::Rows, Some((Sub::Affine(first), rest))) => {
                !padded
                    && first.as_index() == Some(index)
                    && rest.iter().all(|sub| is_free_of(sub, index, rows))
            }
            (Kind::Constant, _) => subs.iter().all(|sub| is_free_of(sub, index, rows)),
            (Kind::Rows | Kind::Other, _) => false,
        },
        _ => true,
    })
}

/// The linear forms in a loop.
fn forms(body: &Loop) -> impl Iterator<Item = &Affine> {
    let inner = body.body.nodes.iter().flat_map(|scalar| match scalar {
        Scalar::Read { subs, .. } => subs.iter().collect(),
        _ => Vec::new(),
    });
    let subs = body.write.iter().chain(inner).filter_map(|sub| match sub {
        Sub::Affine(form) => Some(form),
        Sub::Value(_) => None,
    });
    subs.chain(body.body.nodes.iter().filter_map(|scalar| match scalar {
        Scalar::Affine(form) => Some(form),
        _ => None,
    }))
}

fn form_mentions(form: &Affine, rows: &str) -> bool {
    mentions(&form.constant, rows) || form.terms.iter().any(|(_, coefficient)| mentions(coefficient, rows))
}

fn is_form_free_of(form: &Affine, index: usize, rows: &str) -> bool {
    !form.uses(Var::Index(index as u32)) && !form_mentions(form, rows)
}

fn is_free_of(sub: &Sub, index: usize, rows: &str) -> bool {
    match sub {
        Sub::Affine(form) => is_form_free_of(form, index, rows),
        // A number computed from the row itself.
        Sub::Value(_) => true,
    }
}
