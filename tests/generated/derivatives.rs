//! Derivatives that a program computes against forward differentiation of what it differentiates.

use nnc::ir::{Graph, Op, Scalar, compact};

use super::dual::{Dual, compared_at_kink};
use super::oracle::{Checked, expected, fault};
use super::random::Random;
use crate::support::backends::{Given, interpreted};
use crate::support::rounding::{Double, Rounded, decided_by_rounding};

/// Both sides have the errors that their bounds say, and those of second order that no bound counts.
const SLACK: f64 = 16.0;

/// The derivative of the sum of an output in a random direction of an input, computed forward, is the scalar
/// product of the direction with another output.
pub fn check(graph: &Graph, given: &Given, of: &str, slope: &str, input: &str) -> Checked<()> {
    if !given.values.values().flatten().all(|value| value.is_finite()) {
        return Ok(());
    }
    let slopes = expected::<Double>(graph, given)?;
    let Some((_, Some(slopes))) = slopes.outputs.into_iter().find(|(name, _)| name == slope) else {
        return Ok(());
    };
    let mut random = Random::named(1, slope);
    let direction: Vec<f64> = slopes.iter().map(|_| random.between(-8, 8) as f64 / 8.0).collect();
    let mut product = Rounded::<Double>::default();
    for (slope, along) in slopes.iter().zip(&direction) {
        product = product + *slope * Rounded::exact(*along);
    }
    let mut alone = graph.clone();
    alone.outputs.retain(|output| &*output.name.text() == of);
    let leaf = format!("input:{input}");
    decided_by_rounding();
    compared_at_kink();
    let results = interpreted::<Dual>(&compact(&alone), given, |name, at, value| Dual {
        value: Rounded::exact(value),
        slope: Rounded::exact(if name == leaf { direction[at] } else { 0.0 }),
    });
    let results = results.or_else(|error| fault("interpreter", error))?;
    if decided_by_rounding() {
        return Ok(());
    }
    let at_kink = compared_at_kink();
    let mut forward = Rounded::<Double>::default();
    if let Some(nnc::ir::interpret::Data::Float(elements)) =
        results.into_values().next().map(|value| value.data)
    {
        elements.iter().for_each(|element| forward = forward + element.slope);
    }
    // Where the derivative itself is not finite, a branch that is not taken may make one of the two so.
    if !forward.value.is_finite() || !forward.is_known() {
        return Ok(());
    }
    let (value, reach) = (product.value, SLACK * (product.error + forward.error) + 1e-300);
    if !product.is_known() || (value - forward.value).abs() <= reach {
        return Ok(());
    }
    if product.value.is_nan() && !all_finite(graph, given) {
        // An element that nobody reads is no branch: what comes of it may be 0 · ∞.
        return Ok(());
    }
    if at_kink && declares_derivatives(graph) {
        // The derivative that is declared for a smooth function is not that of its formula at a kink.
        return Ok(());
    }
    let what = format!(
        "the derivative `{slope}` of `{of}` by `{input}` along {direction:?} is {value:e}; forward differentiation \
         gives {:e} ± {:e}",
        forward.value, forward.error
    );
    fault("derivative", what)
}

/// Whether a derivative is declared (`gradient` in the language) and not that of the formula.
fn declares_derivatives(graph: &Graph) -> bool {
    graph.nodes().any(|(_, node)| match &node.op {
        Op::Loop(body) => body.body.nodes.iter().any(|scalar| matches!(scalar, Scalar::WithSlope { .. })),
        Op::Scan(scan) => declares_derivatives(&scan.body),
        _ => false,
    })
}

/// Whether every value on the way is finite.
fn all_finite(graph: &Graph, given: &Given) -> bool {
    let mut open = graph.clone();
    let values = graph.nodes().filter(|(_, node)| !matches!(node.op, Op::Scan(_))).map(|(id, _)| id);
    values.for_each(|id| open.output(format!("value {}", id.0), id));
    let results = interpreted::<f64>(&open, given, |_, _, value| value);
    results
        .is_ok_and(|all| all.values().all(|value| value.to_f64().iter().all(|element| element.is_finite())))
}
