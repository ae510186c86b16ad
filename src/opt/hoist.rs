//! Law `hoist`: what a scan computes in each step without its carries is computed before it.
//!
//! What is the same in every step is computed once. A product that differs from step to step but does not
//! depend on the carries, such as the input's part of a recurrent layer, is computed for all steps at once: a
//! large product instead of many small ones. The scan then reads its slice.

use super::laws::LawId;
use super::round::Round;
use super::scans::Pruned;
use crate::ir::build::LoopNode;
use crate::ir::compose::over_steps;
use crate::ir::{
    Affine, BinaryOp, Combine, Dim, Graph, Loop, LoopBuilder, NodeId, Op, Scalar, Scan, Sub, UnaryOp, Var,
    copy,
};

/// On what a node of a body depends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Class {
    /// On captures.
    Constant,
    /// On the step too.
    Step,
    /// On carries, or it cannot be taken out.
    Carried,
}

/// Takes nodes out of the body into `round.new`. Whether there were any.
pub fn apply(round: &mut Round<'_>, scan: &Scan, pruned: &mut Pruned) -> bool {
    let classes = classify(&pruned.body, scan);
    let wanted: Vec<NodeId> = pruned
        .body
        .nodes()
        .filter(|(id, node)| match (classes[id.0 as usize], &node.op) {
            (Class::Constant, Op::Loop(body)) => is_work(body),
            (Class::Step, Op::Loop(body)) => is_product(body),
            _ => false,
        })
        .map(|(id, _)| id)
        .collect();
    if wanted.is_empty() || !round.applied.allows(LawId::Hoist) {
        return false;
    }
    let mut lift = Lift {
        scan,
        body: &pruned.body,
        classes: &classes,
        captures: &pruned.operands[pruned.n_carries..],
        places: vec![None; pruned.body.len()],
    };
    let lifted: Vec<(NodeId, NodeId)> =
        wanted.into_iter().map(|node| (node, lift.place(round, node))).collect();
    let operands = &mut pruned.operands;
    let n_carries = pruned.n_carries;
    let mut body = Graph::new();
    let all = vec![true; pruned.body.len()];
    let places = copy(&mut body, &pruned.body, &all, |body, id, node, inner| {
        let Some((_, outer)) = lifted.iter().find(|(it, _)| *it == id) else {
            return body.add(node.op.clone(), inner);
        };
        let index = operands[n_carries..].iter().position(|it| it == outer).unwrap_or_else(|| {
            operands.push(*outer);
            operands.len() - 1 - n_carries
        });
        let ty = round.new.ty(*outer).clone();
        let capture = body.add(Op::Capture { index: index as u32, ty }, Vec::new());
        match classes[id.0 as usize] {
            Class::Step => slice(body, capture, scan),
            Class::Constant | Class::Carried => capture,
        }
    });
    for output in &pruned.body.outputs {
        body.output(output.name.clone(), places[output.node.0 as usize].expect("all are copied"));
    }
    pruned.body = body;
    true
}

fn classify(body: &Graph, scan: &Scan) -> Vec<Class> {
    let mut classes: Vec<Class> = Vec::with_capacity(body.len());
    for (_, node) in body.nodes() {
        let of_operands =
            node.operands.iter().map(|id| classes[id.0 as usize]).max().unwrap_or(Class::Constant);
        let it = match &node.op {
            Op::Carry { .. } | Op::Rand { .. } | Op::Scan(_) | Op::Result(_) => Class::Carried,
            Op::Loop(body) if uses_step(body, scan) => Class::Step,
            Op::Loop(_) | Op::Reshape { .. } | Op::Mark(_) | Op::Const(_) | Op::Capture { .. } => {
                Class::Constant
            }
            Op::Input { .. } | Op::Param { .. } | Op::State { .. } => Class::Carried,
        };
        classes.push(it.max(of_operands));
    }
    classes
}

fn uses_step(body: &Loop, scan: &Scan) -> bool {
    let step = Var::Step(scan.step);
    let in_sub = |sub: &Sub| matches!(sub, Sub::Affine(affine) if affine.uses(step));
    body.write.iter().any(in_sub)
        || body.body.nodes.iter().any(|scalar| match scalar {
            Scalar::Affine(affine) => affine.uses(step),
            Scalar::Read { subs, .. } => subs.iter().any(in_sub),
            _ => false,
        })
}

/// Whether a loop is more than a view or a simple map: worth a tensor of its own.
fn is_work(body: &Loop) -> bool {
    let reduces = body.as_function().is_none();
    let costly = body.body.nodes.iter().any(|scalar| {
        matches!(
            scalar,
            Scalar::Unary(
                UnaryOp::Exp
                    | UnaryOp::Log
                    | UnaryOp::Sin
                    | UnaryOp::Cos
                    | UnaryOp::Tanh
                    | UnaryOp::Erf
                    | UnaryOp::NormalCdf,
                _
            ) | Scalar::Binary(BinaryOp::Pow, ..)
        )
    });
    let reads = body.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::Read { .. }));
    reads && (reduces || costly)
}

/// Whether a loop is a sum of products of elements of two tensors.
fn is_product(body: &Loop) -> bool {
    let reads = body.body.nodes.iter().filter(|scalar| matches!(scalar, Scalar::Read { .. })).count();
    body.combine == Combine::Add && reads >= 2 && body.domain.len() > body.write.len()
}

struct Lift<'l> {
    scan: &'l Scan,
    body: &'l Graph,
    classes: &'l [Class],
    captures: &'l [NodeId],
    places: Vec<Option<NodeId>>,
}

impl Lift<'_> {
    /// The node outside of the scan, with the steps as a new first axis if its class is `Step`.
    fn place(&mut self, round: &mut Round<'_>, node: NodeId) -> NodeId {
        let mut waiting = vec![node];
        while let Some(top) = waiting.last().copied() {
            let it = &self.body[top];
            let open: Vec<NodeId> =
                it.operands.iter().copied().filter(|id| self.places[id.0 as usize].is_none()).collect();
            if !open.is_empty() {
                waiting.extend(open);
                continue;
            }
            waiting.pop();
            let operands: Vec<NodeId> =
                it.operands.iter().map(|id| self.places[id.0 as usize].expect("placed before")).collect();
            let stacked = self.classes[top.0 as usize] == Class::Step;
            let origin = std::mem::replace(&mut round.new.origin, it.origin.clone());
            let place = match &it.op {
                Op::Capture { index, .. } => self.captures[*index as usize],
                Op::Loop(body) if stacked => {
                    let inner: Vec<bool> =
                        it.operands.iter().map(|id| self.classes[id.0 as usize] == Class::Step).collect();
                    let mut body = over_steps(body, self.scan.step, &self.scan.trip, &inner);
                    body.write.insert(0, Sub::Affine(Affine::index(0)));
                    body.shape.insert(0, self.scan.trip.clone());
                    round.loop_node(LoopNode { body, operands })
                }
                Op::Loop(body) => round.loop_node(LoopNode { body: body.as_ref().clone(), operands }),
                Op::Reshape { shape } => {
                    let mut shape: Vec<Dim> = shape.clone();
                    if stacked {
                        shape.insert(0, self.scan.trip.clone());
                    }
                    round.new.add(Op::Reshape { shape }, operands)
                }
                op => round.new.add(op.clone(), operands),
            };
            round.new.origin = origin;
            self.places[top.0 as usize] = Some(place);
        }
        self.places[node.0 as usize].expect("placed above")
    }
}

/// `stack[step, …]`.
fn slice(graph: &mut Graph, stack: NodeId, scan: &Scan) -> NodeId {
    let shape: Vec<Dim> = graph.shape(stack)[1..].to_vec();
    let rank = shape.len();
    let mut l = LoopBuilder::new(graph, shape);
    let mut subs = vec![Sub::Affine(Affine::step(scan.step))];
    subs.extend((0..rank).map(|axis| l.index(axis)));
    let value = l.read(stack, subs);
    let node = l.map(value);
    graph.add_loop(node)
}
