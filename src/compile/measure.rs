//! Measurements of code: the work that a graph has to do, and code that says when each kernel is done.

use super::function::{BuildError, Function, Mode, Use, compiled};
use super::pipeline::{self, Artifact, Build, PassId};
use super::timing::Timings;
use crate::ir::program::Precision;
use crate::ir::{Graph, Sizes, work};
use crate::opt::{Applied, Purpose};
use crate::plan::Work;

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
    let (laws, timings) = (Applied::new(Purpose::Run), Timings::default());
    let build = Build::new(sizes, precision.into(), &laws, &timings);
    let planned = planned(graph, &build)?;
    Measures::of(&planned)
}

/// Compiles a graph so that [`RunContext::watch`](crate::backend::RunContext) hears of every kernel.
///
/// # Errors
/// As [`super::build`].
pub fn profiled(
    graph: &Graph,
    sizes: &Sizes,
    mode: Mode,
    timings: &Timings,
) -> Result<(Function, Measures), BuildError> {
    let laws = Applied::new(Purpose::Run);
    let build = Build { profiled: true, ..Build::new(sizes, mode, &laws, timings) };
    let planned = planned(graph, &build)?;
    let measures = Measures::of(&planned)?;
    let code = pipeline::graph(planned, PassId::Loops..=PassId::Code, &build)?;
    Ok((compiled(code, Use::Often)?, measures))
}

/// Compiles a graph so that [`RunContext::results`](crate::backend::RunContext) hears of every result. The kernels are
/// those of [`super::build`].
///
/// # Errors
/// As [`super::build`].
pub fn giving(graph: &Graph, sizes: &Sizes, mode: Mode, timings: &Timings) -> Result<Function, BuildError> {
    let laws = Applied::new(Purpose::Run);
    let build = Build { profiled: true, ..Build::new(sizes, mode, &laws, timings) };
    let code = pipeline::graph(planned(graph, &build)?, PassId::Loops..=PassId::Code, &build)?;
    compiled(code, Use::Often)
}

fn planned(graph: &Graph, build: &Build<'_>) -> Result<Artifact, BuildError> {
    pipeline::graph(Artifact::Graph(graph.clone()), PassId::Stabilise..=PassId::Plan, build)
}

impl Measures {
    fn of(planned: &Artifact) -> Result<Measures, BuildError> {
        let (graph, plan) = planned.plan()?;
        Ok(Measures {
            flops: work::flops(graph),
            works: plan.works(),
            arena_bytes: plan.arena_bytes,
            live_bytes: plan.live_bytes(),
            tensor_bytes: plan.external_bytes(),
        })
    }
}
