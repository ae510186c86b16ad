//! Law `hoist`: values of a scan's body that do not depend on its carries are computed before the scan
//! (loop-invariant code motion).
//!
//! A value that is the same in every step is computed once. A product that differs from step to step but does not
//! depend on the carries, such as the input's part of a recurrent layer, is computed for all steps at once: a
//! large product instead of many small ones. The scan then reads its slice.

use super::laws::LawId;
use super::round::Round;
use super::scans::Pruned;
use crate::ir::build::LoopNode;
use crate::ir::compose::over_steps;
use crate::ir::{Affine, Combine, Dim, Graph, Loop, NodeId, Op, Scalar, Scan, Sub, copy};

/// On what a node of a body depends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Class {
    /// On captures.
    Constant,
    /// On the step too.
    Step,
    /// On carries; or the node cannot be moved out.
    Carried,
}

/// Moves nodes out of the body into `round.new`. Returns whether there were any.
pub fn apply(round: &mut Round<'_>, scan: &Scan, pruned: &mut Pruned) -> bool {
    let classes = classify(&pruned.body, scan);
    let wanted: Vec<NodeId> = pruned
        .body
        .nodes()
        .filter(|(id, node)| match (classes[id.0 as usize], &node.op) {
            (Class::Constant, Op::Loop(body)) => is_work(body),
            (Class::Step, Op::Loop(body)) => sums_pairs(body),
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
        let Some((_, outer)) = lifted.iter().find(|(node, _)| *node == id) else {
            return body.add(node.op.clone(), inner);
        };
        let index = operands[n_carries..].iter().position(|other| other == outer).unwrap_or_else(|| {
            operands.push(*outer);
            operands.len() - 1 - n_carries
        });
        let ty = round.new.ty(*outer).clone();
        let capture = body.add(Op::Capture { index: index as u32, ty }, Vec::new());
        match classes[id.0 as usize] {
            Class::Step => body.element_at(capture, scan.step),
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
        let by_itself = match &node.op {
            Op::Carry { .. } | Op::Rand { .. } | Op::Scan(_) | Op::Result(_) => Class::Carried,
            Op::Loop(body) if body.uses_step(scan.step) => Class::Step,
            Op::Loop(_) | Op::Reshape { .. } | Op::Mark(_) | Op::Const(_) | Op::Capture { .. } => {
                Class::Constant
            }
            Op::Input { .. } | Op::Param { .. } | Op::State { .. } => Class::Carried,
        };
        classes.push(by_itself.max(of_operands));
    }
    classes
}

/// Whether a loop is a reduction or an expensive map, so that its result is worth storing as a tensor.
fn is_work(body: &Loop) -> bool {
    let reduces = body.as_function().is_none();
    let costly = body.body.nodes.iter().any(Scalar::is_function);
    let reads = body.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::Read { .. }));
    reads && (reduces || costly)
}

/// Whether a loop is a sum over what it reads of two tensors, or of two places: a product, and any other formula that is
/// as much work. [`Product`](crate::ir::recognise::Product) asks for more, which does not matter here.
fn sums_pairs(body: &Loop) -> bool {
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
            let old = &self.body[top];
            let open: Vec<NodeId> =
                old.operands.iter().copied().filter(|id| self.places[id.0 as usize].is_none()).collect();
            if !open.is_empty() {
                waiting.extend(open);
                continue;
            }
            waiting.pop();
            let operands: Vec<NodeId> =
                old.operands.iter().map(|id| self.places[id.0 as usize].expect("placed before")).collect();
            let stacked = self.classes[top.0 as usize] == Class::Step;
            let origin = std::mem::replace(&mut round.new.origin, old.origin.clone());
            let place = match &old.op {
                Op::Capture { index, .. } => self.captures[*index as usize],
                Op::Loop(body) if stacked => {
                    let inner: Vec<bool> =
                        old.operands.iter().map(|id| self.classes[id.0 as usize] == Class::Step).collect();
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
