//! Specialisation: numbers take the place of symbolic dimensions, so that a graph in `batch` becomes the graph for
//! a batch of 32.

use super::dim::{Dim, DimError, Sizes};
use super::graph::{Graph, Op};
use super::rewrite::rewrite;

/// The graph with sizes put in place of symbolic dimensions everywhere, in the bodies of scans too. Nodes that no
/// output needs are left out. Symbolic dimensions without a size stay.
///
/// # Errors
/// If a quotient is not a whole number, or the size of an axis or a range is negative.
pub fn specialise(graph: &Graph, sizes: &Sizes) -> Result<Graph, DimError> {
    let mut failed = None;
    let result = rewrite(graph, |new, node, operands| {
        let op = specialise_op(&node.op, sizes).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            node.op.clone()
        });
        new.add(op, operands)
    });
    failed.map_or(Ok(result), Err)
}

fn specialise_op(op: &Op, sizes: &Sizes) -> Result<Op, DimError> {
    op.try_map_sizes(&mut |dim| size(dim, sizes), &mut |affine| affine.with_sizes(sizes))
}

fn size(dim: &Dim, sizes: &Sizes) -> Result<Dim, DimError> {
    let size = dim.substitute(sizes)?;
    match size.as_number() {
        Some(number) if number < 0 => Err(DimError::Negative(number)),
        Some(_) | None => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Affine, Combine, Elem, LoopBuilder, Scan, StepId, Sub, Type};
    use std::sync::Arc;

    fn sizes(n: i64) -> Sizes {
        [("n".into(), Dim::number(n))].into_iter().collect()
    }

    #[test]
    fn bodies_of_scans_too() {
        let n = Dim::symbol("n");
        let mut body = Graph::new();
        let carry = body.add(Op::Carry { index: 0, ty: Type::scalar(Elem::Float) }, vec![]);
        let ty = Type::new(Elem::Float, vec![n.clone()]);
        let x = body.add(Op::Capture { index: 0, ty: ty.clone() }, vec![]);
        let mut l = LoopBuilder::new(&body, vec![]);
        let (before, element) =
            (l.read(carry, vec![]), l.read(x, vec![Sub::Affine(Affine::step(StepId(0)))]));
        let sum = l.binary(crate::ir::BinaryOp::Add, before, element);
        let sum = l.reduce(vec![], vec![], Combine::Set, sum);
        let sum = body.add_loop(sum);
        body.output("next", sum);
        body.output("all", sum);

        let mut graph = Graph::new();
        let x = graph.add(Op::Input { name: "x".into(), ty }, vec![]);
        let zero = graph.fill(0.0, vec![]);
        let scan = Scan { step: StepId(0), trip: n, reverse: false, n_carries: 1, body };
        let scan = graph.add(Op::Scan(Arc::new(scan)), vec![zero, x]);
        let all = graph.add(Op::Result(1), vec![scan]);
        graph.output("all", all);

        let small = specialise(&graph, &sizes(3)).unwrap();
        let Op::Scan(scan) = &small[small[small.outputs[0].node].operands[0]].op else { panic!() };
        assert_eq!(scan.trip, Dim::number(3));
        assert!(scan.body.nodes().all(|(_, node)| node.ty.static_shape().is_some()));
        assert_eq!(small.ty(small.outputs[0].node).to_string(), "[3]");
    }

    #[test]
    fn negative_sizes_are_errors() {
        let mut graph = Graph::new();
        let shape = vec![&Dim::symbol("n") - &Dim::number(4)];
        let zero = graph.fill(0.0, shape);
        graph.output("y", zero);
        assert_eq!(specialise(&graph, &sizes(3)).unwrap_err(), DimError::Negative(-1));
        assert_eq!(specialise(&graph, &sizes(4)).unwrap().ty(crate::ir::NodeId(0)).to_string(), "[0]");
    }
}
