//! Copies of graphs: without dead nodes, with nodes replaced on the way, or into another graph.
//!
//! All of these add operands before users with [`Graph::add_from`], so origins are kept and equal nodes are shared.

use super::affine::{Affine, StepId};
use super::dim::Dim;
use super::graph::{Graph, Loop, Node, NodeId, Op, Scan};
use super::types::Type;
use std::sync::Arc;

/// The same outputs from only the nodes they need, renumbered.
pub fn compact(graph: &Graph) -> Graph {
    rewrite(graph, |new, node, operands| new.add_from(node.op.clone(), operands, &node.origin))
}

/// The same outputs, each node that they need made anew by `make` from the new graph, the old node and its
/// operands in the new graph. While `make` runs, the new graph's origin is that of the old node.
pub fn rewrite(graph: &Graph, mut make: impl FnMut(&mut Graph, &Node, Vec<NodeId>) -> NodeId) -> Graph {
    let mut new = Graph::new();
    let needed = graph.reachable(graph.outputs.iter().map(|output| output.node));
    let places = copy(&mut new, graph, &needed, |new, _, node, operands| make(new, node, operands));
    new.origin = graph.origin.clone();
    for output in &graph.outputs {
        new.output(output.name.clone(), places[output.node.0 as usize].expect("outputs are needed"));
    }
    new
}

/// Copies all nodes of `from` into `into`. `leaf` may give a node of `into` in place of a node without operands: an
/// argument for an `Input`, an outer node for a `Capture`. Returns for each node of `from` its copy. Outputs are
/// left to the caller.
pub fn splice(
    into: &mut Graph,
    from: &Graph,
    mut leaf: impl FnMut(&mut Graph, &Node) -> Option<NodeId>,
) -> Vec<NodeId> {
    let places = copy(into, from, &vec![true; from.len()], |new, _, node, operands| {
        let replaced = if operands.is_empty() { leaf(new, node) } else { None };
        replaced.unwrap_or_else(|| new.add(node.op.clone(), operands))
    });
    places.into_iter().map(|place| place.expect("all nodes are copied")).collect()
}

/// Copies the nodes marked in `needed`, whose operands must be marked too. Returns for each node its copy.
pub fn copy(
    into: &mut Graph,
    from: &Graph,
    needed: &[bool],
    mut make: impl FnMut(&mut Graph, NodeId, &Node, Vec<NodeId>) -> NodeId,
) -> Vec<Option<NodeId>> {
    let previous_origin = into.origin.clone();
    let mut places: Vec<Option<NodeId>> = vec![None; from.len()];
    for (id, node) in from.nodes().filter(|(id, _)| needed[id.0 as usize]) {
        let operands = node.operands.iter();
        let operands =
            operands.map(|operand| places[operand.0 as usize].expect("operands are needed")).collect();
        into.origin = node.origin.clone();
        places[id.0 as usize] = Some(make(into, id, node, operands));
    }
    into.origin = previous_origin;
    places
}

/// A scan counter that no scan in the graph has, nested ones included.
pub fn fresh_step(graph: &Graph) -> StepId {
    fn count(graph: &Graph) -> u32 {
        let scans = graph.nodes().filter_map(|(_, node)| match &node.op {
            Op::Scan(scan) => Some(count(&scan.body).max(scan.step.0 + 1)),
            _ => None,
        });
        scans.max().unwrap_or(0)
    }
    StepId(count(graph))
}

impl Op {
    /// The same op with other sizes and other affine expressions, in the bodies of scans too.
    pub fn try_map_sizes<E>(
        &self,
        dim: &mut dyn FnMut(&Dim) -> Result<Dim, E>,
        affine: &mut dyn FnMut(&Affine) -> Result<Affine, E>,
    ) -> Result<Op, E> {
        Ok(match self {
            Op::Input { name, ty } => Op::Input { name: name.clone(), ty: map_type(ty, dim)? },
            Op::Param { path, ty } => Op::Param { path: path.clone(), ty: map_type(ty, dim)? },
            Op::State { path, ty } => Op::State { path: path.clone(), ty: map_type(ty, dim)? },
            Op::Carry { index, ty } => Op::Carry { index: *index, ty: map_type(ty, dim)? },
            Op::Capture { index, ty } => Op::Capture { index: *index, ty: map_type(ty, dim)? },
            Op::Const(_) | Op::Mark(_) | Op::Result(_) => self.clone(),
            Op::Loop(body) => Op::Loop(Arc::new(body.try_map_sizes(dim, affine)?)),
            Op::Reshape { shape } => Op::Reshape { shape: map_shape(shape, dim)? },
            Op::Rand { kind, stream, shape, step, step_axes } => Op::Rand {
                kind: *kind,
                stream: stream.clone(),
                shape: map_shape(shape, dim)?,
                step: affine(step)?,
                step_axes: *step_axes,
            },
            Op::Scan(scan) => {
                let trip = dim(&scan.trip)?;
                let mut failed = None;
                let body = rewrite(&scan.body, |new, node, operands| {
                    let op = node.op.try_map_sizes(dim, affine).unwrap_or_else(|error| {
                        failed.get_or_insert(error);
                        node.op.clone()
                    });
                    new.add(op, operands)
                });
                match failed {
                    Some(error) => return Err(error),
                    None => Op::Scan(Arc::new(Scan { trip, body, ..scan.as_ref().clone() })),
                }
            }
        })
    }
}

impl Loop {
    /// The same loop with other sizes and other affine expressions.
    pub fn try_map_sizes<E>(
        &self,
        dim: &mut dyn FnMut(&Dim) -> Result<Dim, E>,
        affine: &mut dyn FnMut(&Affine) -> Result<Affine, E>,
    ) -> Result<Loop, E> {
        let mut failed = None;
        let mut checked = |expression: &Affine| {
            affine(expression).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                expression.clone()
            })
        };
        let mut result = self.clone();
        for scalar in &mut result.body.nodes {
            *scalar = scalar.map_affine(&mut checked);
        }
        result.write = result.write.iter().map(|sub| sub.map_affine(&mut checked)).collect();
        if let Some(error) = failed {
            return Err(error);
        }
        result.domain = map_shape(&self.domain, dim)?;
        result.shape = map_shape(&self.shape, dim)?;
        Ok(result)
    }
}

impl super::Sub {
    /// The same subscript with another affine expression.
    pub fn map_affine(&self, mut to: impl FnMut(&Affine) -> Affine) -> super::Sub {
        match self {
            super::Sub::Affine(affine) => super::Sub::Affine(to(affine)),
            super::Sub::Value(id) => super::Sub::Value(*id),
        }
    }
}

fn map_shape<E>(shape: &[Dim], dim: &mut dyn FnMut(&Dim) -> Result<Dim, E>) -> Result<Vec<Dim>, E> {
    shape.iter().map(dim).collect()
}

fn map_type<E>(ty: &Type, dim: &mut dyn FnMut(&Dim) -> Result<Dim, E>) -> Result<Type, E> {
    Ok(Type::new(ty.elem, map_shape(&ty.shape, dim)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Elem;

    fn input(graph: &mut Graph, name: &str) -> NodeId {
        let ty = Type::new(Elem::Float, vec![Dim::symbol("n")]);
        graph.add(Op::Input { name: name.into(), ty }, vec![])
    }

    #[test]
    fn compacting_keeps_what_outputs_need() {
        let mut graph = Graph::new();
        let (a, b) = (input(&mut graph, "a"), input(&mut graph, "b"));
        graph.sum_of(a, b);
        let doubled = graph.sum_of(b, b);
        graph.output("y", doubled);
        let small = compact(&graph);
        assert_eq!((small.len(), small.find_output("y")), (2, Some(NodeId(1))));
    }

    #[test]
    fn splicing_replaces_leaves() {
        let mut inner = Graph::new();
        let (a, b) = (input(&mut inner, "a"), input(&mut inner, "b"));
        let sum = inner.sum_of(a, b);
        let mut outer = Graph::new();
        let x = input(&mut outer, "x");
        let places = splice(&mut outer, &inner, |_, node| match &node.op {
            Op::Input { name, .. } if *name == "a".into() => Some(x),
            _ => None,
        });
        assert_eq!(outer[places[sum.0 as usize]].operands, vec![x, places[b.0 as usize]]);
        assert_eq!(outer.len(), 3);
    }
}
