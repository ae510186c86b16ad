//! Comparison of gradients with finite differences, in 64 bits and by the interpreter.

use super::{GradError, gradient};
use crate::ir::interpret::{Data, EvalError, Feed, Tensor, evaluate};
use crate::ir::{Elem, Graph, NodeId, Op, OutputKey};

/// Why a gradient could not be compared.
#[derive(Clone, PartialEq, Debug)]
pub enum CheckError {
    Gradient(GradError),
    Value(EvalError),
    /// The graph does not depend on this variable.
    Independent(usize),
    /// The variable is not an input or a parameter of floats, so it cannot be varied.
    NotALeaf(usize),
}

/// How far the derivatives of `Σ of` are from central differences: the greatest of `|a - b| / (1 + |a| + |b|)`.
/// The variables are inputs, parameters or states; all sizes must be numbers. `transform` is what is done to
/// the graph after differentiating it, such as optimising; its outputs stay.
///
/// # Errors
/// See [`CheckError`].
pub fn worst_error(
    graph: &Graph,
    of: NodeId,
    wrt: &[NodeId],
    feed: &Feed<f64>,
    transform: &dyn Fn(&Graph) -> Graph,
) -> Result<f64, CheckError> {
    let mut forward = graph.clone();
    forward.outputs.clear();
    forward.output("value", of);
    let mut with_gradient = forward.clone();
    let derivatives = gradient(&mut with_gradient, &[(of, None)], wrt).map_err(CheckError::Gradient)?;
    for (at, derivative) in derivatives.iter().enumerate() {
        with_gradient
            .output(OutputKey::named(at.to_string()), derivative.ok_or(CheckError::Independent(at))?);
    }
    let found = evaluate(&transform(&with_gradient), feed).map_err(CheckError::Value)?;
    let mut worst = 0.0f64;
    for (at, variable) in wrt.iter().enumerate() {
        let derivative = found[&OutputKey::named(at.to_string())].to_f64();
        for (element, derivative) in derivative.iter().enumerate() {
            let side = |step: f64| {
                let feed = changed(graph, feed, *variable, element, step).ok_or(CheckError::NotALeaf(at))?;
                let values = evaluate(&forward, &feed).map_err(CheckError::Value)?;
                Ok(values[&OutputKey::named("value")].to_f64().iter().sum::<f64>())
            };
            let expected = (side(STEP)? - side(-STEP)?) / (2.0 * STEP);
            let error = (derivative - expected).abs() / (1.0 + derivative.abs() + expected.abs());
            // A NaN counts as an infinite error.
            worst = if error.is_nan() { f64::INFINITY } else { worst.max(error) };
        }
    }
    Ok(worst)
}

const STEP: f64 = 1e-5;

fn changed(
    graph: &Graph,
    feed: &Feed<f64>,
    variable: NodeId,
    element: usize,
    step: f64,
) -> Option<Feed<f64>> {
    let mut feed = feed.clone();
    let tensor = match &graph[variable].op {
        Op::Input { name, .. } => feed.inputs.get_mut(name),
        Op::Param { path, .. } | Op::State { path, .. } => feed.variables.get_mut(path),
        _ => None,
    }?;
    let Data::Float(values) = &mut tensor.data else { return None };
    values[element] += step;
    Some(feed)
}

/// Values for all inputs, parameters and states of a static graph: floats in −1 to 1 away from 0, ints 0 and 1
/// in turn.
pub fn random_feed(graph: &Graph, seed: u64) -> Feed<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut feed = Feed { step: 1, seed, ..Feed::default() };
    for (_, node) in graph.nodes() {
        let (Op::Input { ty, .. } | Op::Param { ty, .. } | Op::State { ty, .. }) = &node.op else {
            continue;
        };
        let Some(shape) = ty.static_shape() else { continue };
        let count = shape.iter().product();
        let tensor = match ty.elem {
            Elem::Float => Tensor::floats(
                shape,
                (0..count)
                    .map(|_| {
                        let value: f64 = 0.05 + 0.95 * next();
                        if next() < 0.5 { -value } else { value }
                    })
                    .collect(),
            ),
            Elem::Int => Tensor::ints(shape, (0..count).map(|at| (at % 2) as i64).collect()),
            Elem::Bool => Tensor::bools(shape, (0..count).map(|at| at % 2 == 0).collect()),
        };
        match &node.op {
            Op::Input { name, .. } => feed.inputs.insert(name.clone(), tensor),
            Op::Param { path, .. } | Op::State { path, .. } => feed.variables.insert(path.clone(), tensor),
            _ => None,
        };
    }
    feed
}
