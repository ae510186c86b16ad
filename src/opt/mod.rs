//! Rank 2: algebraic simplification by named rewrite rules, tensor IR to tensor IR.
//!
//! A rewrite rule is called a law here. [`optimise`] applies laws until none applies, [`stabilise`] those that must
//! come before derivatives are taken, of which [`simplify_forward`] are those that formulas are shown with. The table [`LAWS`] lists all: each with its equation, the condition
//! under which it is applied and by how much its sides may differ, which decides where it may be used. Most are
//! exact; `tests/laws` tries each on
//! extreme numbers. Their code stands in
//!
//! - [`fold`], [`scalar`], [`sums`]: laws of the scalar expressions in loops;
//! - [`logarithm`], [`logistic`], [`exponentials`], [`stabilise`]: logarithms of exponentials, and of products, sums
//!   and quotients of them;
//! - [`reads`]: reads through views, fills and elementwise nodes (fusion);
//! - [`scatters`], [`reductions`], [`operand_first`]: laws of whole loops;
//! - [`scans`], [`hoist`]: laws of scans, such as loop-invariant code motion.
//!
//! Common subexpressions need no law, since equal nodes are one node ([`Graph::add`]); nor does dead code, since a
//! node that no output needs is not copied.
//!
//! Every law leaves fewer nodes, or in one node fewer operations, or cheaper ones (a view is read through, a sign
//! moves outwards, a division becomes a multiplication), so applying them ends. A limit makes that certain
//! ([`Applied::refuel`]): in debug builds and tests it is an error to reach it.

mod exponentials;
mod fold;
mod forward;
mod hoist;
mod known;
mod laws;
mod logarithm;
mod logistic;
mod operand_first;
mod powers;
mod reads;
mod reductions;
mod round;
mod scalar;
mod scans;
mod scatters;
mod stabilise;
mod sums;
#[cfg(test)]
mod tests;

use crate::ir::{Graph, Op, compact};
pub use forward::{simplify_forward, stabilised};
pub use stabilise::stabilise;
pub use laws::{Applied, Exactness, LAWS, Law, LawId, Purpose};

/// The limit of rounds; no graph that people write needs nearly as many.
const MOST_ROUNDS: usize = 32;
/// The limit by which writing nodes into their readers may make a graph larger.
const MOST_GROWTH: usize = 64;

/// The same outputs, computed with fewer operations; the values differ by rounding at most. `Stop`, `WithSlope` and
/// `Mark`
/// are gone afterwards: take derivatives before.
pub fn optimise(graph: &Graph) -> Graph {
    optimise_for(graph, &Applied::new(Purpose::Run))
}

/// The graph as a formula for readers, simplified by all laws of real numbers.
pub fn simplify_to_read(graph: &Graph) -> Graph {
    optimise_for(graph, &Applied::new(Purpose::Read))
}

/// The graph simplified by the laws that `applied` allows. It counts them.
pub fn optimise_for(graph: &Graph, applied: &Applied) -> Graph {
    applied.refuel(scalars(graph));
    let optimised = optimise_with(graph, applied);
    debug_assert!(
        !applied.is_exhausted(),
        "laws are applied without end, most often {}",
        applied.most_applied()
    );
    optimised
}

fn optimise_with(graph: &Graph, applied: &Applied) -> Graph {
    let mut current = compact(graph);
    let mut dirty = None;
    let most = scalars(&current).saturating_mul(MOST_GROWTH).saturating_add(10_000);
    for _ in 0..MOST_ROUNDS {
        if scalars(&current) > most {
            applied.exhaust();
        }
        let (next, changed) = round::apply(&current, dirty.as_deref(), applied);
        let settled = !changed.iter().any(|changed| *changed);
        // After a round over the changed nodes alone, a last round over all nodes makes sure that no law applies.
        if settled && dirty.is_none() {
            return next;
        }
        dirty = (!settled).then_some(changed);
        current = next;
    }
    current
}

/// How many scalar operations and nodes a graph has.
fn scalars(graph: &Graph) -> usize {
    let of = |op: &Op| match op {
        Op::Loop(body) => body.body.nodes.len(),
        Op::Scan(scan) => scalars(&scan.body),
        _ => 1,
    };
    graph.nodes().map(|(_, node)| of(&node.op)).sum()
}
