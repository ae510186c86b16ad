//! Contributions to the captures of a scan, taken out of the scan (loop fission).
//!
//! What a body's node adds to the adjoint of a capture in each step is a loop `dT[R(i)] += D(i)`. Over all
//! steps it is `dT[R(t, i)] += D(t, i)`: the same loop with one more index, which runs over the steps and reads
//! the stacks of what the body reads in each of them.

use super::scans::{DependsOn, Split};
use crate::ir::build::LoopNode;
use crate::ir::compose::{inline, normalise, over_steps, paste, paste_sub, same};
use crate::ir::{Affine, Combine, Dim, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, Scan, Sub};
use std::sync::Arc;

/// Where a value of a body is found outside of the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A node of the outer graph: the same for all steps.
    Outer(NodeId),
    /// The k-th of the stacks that the forward scan collects for the reverse scan.
    Forward(usize),
    /// The adjoint of a collected result of the forward scan.
    Adjoint(usize),
    /// The k-th of the stacks that the reverse scan collects.
    Reverse(usize),
    /// The k-th of the stacks that are computed outside of both scans.
    Stacked(usize),
}

/// A sum over all steps, outside of the scan.
pub enum Lifted {
    Loop(Loop, Vec<Source>),
    Reshape(Vec<Dim>, Box<Lifted>),
    /// The sum of a stack.
    Sum(Source),
}

/// How the sum of a node of the body over all steps is computed.
pub fn lift(split: &mut Split<'_>, node: NodeId) -> Lifted {
    let graph = &split.body.graph;
    match &graph[node].op {
        Op::Loop(body) if matches!(body.combine, Combine::Set | Combine::Add) => {
            let (body, sources) = with_sources(split, node, body);
            Lifted::Loop(body, sources)
        }
        Op::Reshape { shape } => {
            let (shape, operand) = (shape.clone(), graph[node].operands[0]);
            Lifted::Reshape(shape, Box::new(lift(split, operand)))
        }
        _ => Lifted::Sum(split.source(node)),
    }
}

/// A loop of the body, and where its operands are found.
pub fn with_sources(split: &mut Split<'_>, node: NodeId, body: &Loop) -> (Loop, Vec<Source>) {
    let operands = &split.body.graph[node].operands;
    let LoopNode { body, operands } = read_through_views(split, body, operands);
    let sources = operands.iter().map(|operand| split.source(*operand)).collect();
    (body, sources)
}

/// Adds the loop for all steps at once: its result has the steps as a new first axis.
pub fn build_stack(
    graph: &mut Graph,
    body: &Loop,
    sources: &[Source],
    scan: &Scan,
    resolve: &dyn Fn(&Source) -> NodeId,
) -> NodeId {
    let operands: Vec<NodeId> = sources.iter().map(resolve).collect();
    let stacked: Vec<bool> = sources.iter().map(|source| !matches!(source, Source::Outer(_))).collect();
    let mut body = over_steps(body, scan.step, &scan.trip, &stacked);
    body.write.insert(0, Sub::Affine(Affine::index(0)));
    body.shape.insert(0, scan.trip.clone());
    let node = normalise(LoopNode { body, operands });
    graph.add(Op::Loop(Arc::new(node.body)), node.operands)
}

/// The loop with slices and the like of captures read at their source, so that they need no stack.
fn read_through_views(split: &Split<'_>, body: &Loop, operands: &[NodeId]) -> LoopNode {
    let graph = &split.body.graph;
    let mut l = LoopBuilder::new(graph, body.domain.clone());
    let values =
        paste(&mut l, &body.body, operands, &mut same, &mut |l, _, scalar| at_source(l, split, scalar));
    let write = body.write.iter().map(|sub| paste_sub(&mut l, sub, &values, &mut same)).collect();
    let result = values[body.body.result.0 as usize];
    l.finish(body.shape.clone(), write, body.dropping, body.combine, result)
}

fn at_source(l: &mut LoopBuilder<'_>, split: &Split<'_>, scalar: Scalar) -> crate::ir::ScalarId {
    let graph = &split.body.graph;
    if let Scalar::Read { operand, subs, padded } = &scalar {
        let node = l.operands()[*operand as usize];
        if let Op::Loop(producer) = &graph[node].op
            && split.depends_on(node) == DependsOn::Step
            && producer.is_view()
            && graph[node].operands.iter().all(|of| split.depends_on(*of) == DependsOn::Captures)
        {
            let mut deeper = |l: &mut LoopBuilder<'_>, _, scalar| at_source(l, split, scalar);
            if let Some(value) = inline(l, graph, node, subs, *padded, &mut deeper) {
                return value;
            }
        }
    }
    l.add(scalar)
}

/// Adds the sum to the graph.
pub fn build(graph: &mut Graph, lifted: Lifted, scan: &Scan, resolve: &dyn Fn(&Source) -> NodeId) -> NodeId {
    match lifted {
        Lifted::Loop(body, sources) => {
            let operands: Vec<NodeId> = sources.iter().map(resolve).collect();
            let stacked: Vec<bool> =
                sources.iter().map(|source| !matches!(source, Source::Outer(_))).collect();
            // Every step adds to the same elements.
            let body = Loop { combine: Combine::Add, ..over_steps(&body, scan.step, &scan.trip, &stacked) };
            let node = normalise(LoopNode { body, operands });
            graph.add(Op::Loop(Arc::new(node.body)), node.operands)
        }
        Lifted::Reshape(shape, inner) => {
            let inner = build(graph, *inner, scan, resolve);
            graph.add(Op::Reshape { shape }, vec![inner])
        }
        Lifted::Sum(source) => sum_over_steps(graph, resolve(&source)),
    }
}

fn sum_over_steps(graph: &mut Graph, stack: NodeId) -> NodeId {
    let shape = graph.shape(stack).to_vec();
    let mut l = LoopBuilder::new(graph, shape.clone());
    let subs: Vec<Sub> = (0..shape.len()).map(|axis| l.index(axis)).collect();
    let value = l.read(stack, subs.clone());
    let sum = normalise(l.reduce(shape[1..].to_vec(), subs[1..].to_vec(), Combine::Add, value));
    graph.add_loop(sum)
}
