//! What a graph has to do, and code that says how far it is: for measurements.

use super::function::{BuildError, Function, Mode, Use, compiled, planned, specialised};
use super::timing::Timings;
use crate::backend;
use crate::ir::program::Precision;
use crate::ir::{Graph, Sizes, work};
use crate::plan::{Plan, Work};

/// The work of a graph at certain sizes.
#[derive(Clone, Debug)]
pub struct Measures {
    /// Operations on floats of the simplified graph, however they are carried out.
    pub flops: f64,
    /// Kernel by kernel.
    pub works: Vec<Work>,
    /// Bytes of temporaries, and how many of them are in use at one time at the most.
    pub arena_bytes: usize,
    pub live_bytes: usize,
    /// Bytes of inputs, parameters, states and results.
    pub tensor_bytes: usize,
}

/// Plans a graph to see what it has to do.
///
/// # Errors
/// As [`super::build`].
pub fn measures(graph: &Graph, sizes: &Sizes, precision: Precision) -> Result<Measures, BuildError> {
    let timings = Timings::default();
    let graph = specialised(graph, sizes, &timings)?;
    let (graph, plan) = planned(&graph, sizes, precision, &timings)?;
    Ok(Measures::of(&graph, &plan))
}

/// Compiles a graph so that [`RunContext::watch`](backend::RunContext) hears of every kernel.
///
/// # Errors
/// As [`super::build`].
pub fn profiled(
    graph: &Graph,
    sizes: &Sizes,
    mode: Mode,
    timings: &Timings,
) -> Result<(Function, Measures), BuildError> {
    let graph = specialised(graph, sizes, timings)?;
    let (graph, plan) = planned(&graph, sizes, mode.precision, timings)?;
    let measures = Measures::of(&graph, &plan);
    let options = backend::Options { profiled: true };
    Ok((compiled(plan, mode, options, Use::Often, timings)?, measures))
}

impl Measures {
    fn of(graph: &Graph, plan: &Plan) -> Measures {
        Measures {
            flops: work::flops(graph),
            works: plan.works(),
            arena_bytes: plan.arena_bytes,
            live_bytes: plan.live_bytes(),
            tensor_bytes: plan.external_bytes(),
        }
    }
}
