//! Rank 3: lowering of a static graph to a schedule of kernels over buffers: fusion, recognition of matrix
//! products, order, memory.
//!
//! A [`Plan`] is what one call of the compiled code does: kernels in order, each over [`View`]s of buffers.
//! [`plan`] makes it in three rounds:
//!
//! | round | passes |
//! |---|---|
//! | graph to graph | [`trim`] subscripts, [`sink`] sums out of scans, [`narrow`] them, [`split`] off matrix products, [`cut`] long sums, [`inline`] elementwise loops, [`align`] results with their readers |
//! | graph to steps | [`order`], [`lower`] (with [`scan`] and [`product`]): one nest or product for each node |
//! | steps to steps | [`chunk`] runs of steps over many rows, [`group`] nests over the same rows, [`sparse`] updates of tables, [`pieces`] for threads, [`memory`] in one arena |
//!
//! Each pass of the first round keeps the meaning of the graph, so it could be left out; [`plain`] leaves out
//! all. Every choice depends on sizes alone, never on the number of threads.

mod address;
mod align;
mod borders;
mod chunk;
mod cut;
mod gemm;
mod group;
mod inline;
#[cfg(test)]
mod interpret;
mod lower;
mod memory;
mod narrow;
mod order;
mod pieces;
mod product;
mod rebuild;
mod scan;
mod sink;
mod sparse;
mod split;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod touched;
mod trim;
mod verify;
mod view;
mod windows;
mod work;

pub use address::{Coverage, coverage, divided_axes};
pub use gemm::Gemm;
#[cfg(test)]
pub use interpret::interpret;
pub use memory::{elem_bytes, fill_with_poison};
pub use verify::verify;
pub use work::Work;

use crate::base::Span;
use crate::ir::program::Precision;
use crate::ir::ranges::Range;
use crate::ir::{Combine, Const, Elem, ExternalKey, Graph, Loop, Phase, RandKind, Sizes, StepId};
use std::fmt;
use std::sync::Arc;

/// What a plan depends on besides the graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    pub precision: Precision,
}

/// Why a graph has no plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// A size that is not a number: the graph was not specialised.
    Open(String),
    /// A tensor (by its type) or all of them together do not fit into memory.
    TooLarge(String),
    /// A rule of plans is broken: a mistake of a pass.
    Broken(String),
}

/// Plans a static graph whose int inputs have 32 bits.
pub fn plan(graph: &Graph, options: Options) -> Result<Plan, PlanError> {
    plan_for(graph, options, &Sizes::new())
}

/// Plans a static graph for inputs whose ints are as [`note_input`](crate::ir::ranges::note_input) has told with the sizes.
pub fn plan_for(graph: &Graph, options: Options, sizes: &Sizes) -> Result<Plan, PlanError> {
    plan_within(graph, options, chunk::Limits::USUAL, sizes)
}

/// The same, but every run of steps that can be divided into chunks of rows is divided, however small it is.
#[cfg(test)]
pub fn plan_in_parts(graph: &Graph, options: Options) -> Result<Plan, PlanError> {
    plan_within(graph, options, chunk::Limits::NONE, &Sizes::new())
}

fn plan_within(
    graph: &Graph,
    options: Options,
    limits: chunk::Limits,
    sizes: &Sizes,
) -> Result<Plan, PlanError> {
    verify::is_static(graph)?;
    let graph = trim::trim(graph);
    let graph = narrow::narrow(&sink::join_sums(&sink::sink_sums(&graph)));
    let graph = split::split_products(&graph);
    let graph = cut::cut_sums(&graph);
    let graph = inline::inline(&graph);
    let graph = align::align(&graph);
    let (mut lowering, steps) = lower::lower(&graph, true, sizes)?;
    let steps = chunk::chunk(&mut lowering, steps, options.precision, limits);
    let mut plan = unplaced(lowering, group::group(steps), options);
    group::shrink_rows(&mut plan.buffers, &mut plan.steps);
    sparse::update_rows(&mut plan);
    pieces::divide(&mut plan.steps);
    let same = group::take_over(&plan.buffers, &plan.steps);
    memory::place(&mut plan, &same)?;
    work::number(&mut plan.steps);
    verified(plan)
}

/// The plainest plan: one nest for each loop. What [`plan`] makes must compute the same.
pub fn plain(graph: &Graph, options: Options) -> Result<Plan, PlanError> {
    verify::is_static(graph)?;
    let (lowering, steps) = lower::lower(graph, false, &Sizes::new())?;
    let mut plan = unplaced(lowering, steps, options);
    let same = memory::all_distinct(&plan);
    memory::place(&mut plan, &same)?;
    verified(plan)
}

/// In tests of the planner: that a plan keeps the rules. Plans of the pipeline are verified by it.
fn verified(plan: Plan) -> Result<Plan, PlanError> {
    if cfg!(test) {
        verify(&plan)?;
    }
    Ok(plan)
}

fn unplaced(lowering: lower::Lowering, steps: Vec<Step>, options: Options) -> Plan {
    let lower::Lowering { buffers, externals, .. } = lowering;
    Plan { precision: options.precision, buffers, externals, arena_bytes: 0, scratch_bytes: 0, steps }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::Open(size) => write!(f, "the size {size} has no number"),
            PlanError::TooLarge(what) => write!(f, "{what} does not fit into memory"),
            PlanError::Broken(what) => f.write_str(what),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub precision: Precision,
    pub buffers: Vec<Buffer>,
    /// The tensors to which the caller gives pointers, by slot.
    pub externals: Vec<External>,
    /// Bytes of the arena; every buffer in it is aligned to 64 bytes.
    pub arena_bytes: usize,
    /// Bytes of private memory that each worker needs for [`Place::Scratch`].
    pub scratch_bytes: usize,
    pub steps: Vec<Step>,
}

/// The index of a buffer in [`Plan::buffers`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BufferId(pub u32);

/// A run of elements in memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    pub elem: Elem,
    /// If the elements are ints: the range of all of them.
    pub range: Range,
    /// The number of elements.
    pub len: usize,
    pub place: Place,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// Byte offset in the arena.
    Arena(usize),
    /// Byte offset in the worker's private memory: rows that live within one iteration of a nest's shared loops.
    Scratch(usize),
    /// The slot of a tensor of the caller.
    External(u32),
    Const(Arc<Const>),
}

/// A tensor of the caller: an input, a variable (updated in place if `written`), an output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct External {
    pub name: ExternalKey,
    pub elem: Elem,
    /// If the elements are ints: whether they have 64 bits, not 32.
    pub wide: bool,
    pub shape: Vec<usize>,
    pub written: bool,
}

impl Buffer {
    /// Whether it is of ints that 32 bits may not hold.
    pub fn is_wide(&self) -> bool {
        self.elem == Elem::Int && !self.range.is_narrow()
    }

    /// The bytes of one element.
    pub fn elem_bytes(&self, precision: Precision) -> usize {
        elem_bytes(self.elem, self.is_wide(), precision)
    }
}

impl External {
    /// Whether a call writes all of its elements: it is an output, not a variable.
    pub fn is_result(&self) -> bool {
        self.written && matches!(self.name, ExternalKey::Output(_))
    }
}

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "steps are few beside what they compute")]
pub enum Step {
    Nest(Nest),
    Gemm(Gemm),
    Rand(Rand),
    Scan(ScanSteps),
}

/// A buffer as a tensor: `element(i) = buffer[offset + Σ strides · i]`, plus `step_stride · t` for each scan
/// around it.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    pub buffer: BufferId,
    pub offset: i64,
    /// The size of each axis; reads marked `padded` are 0 outside of it.
    pub shape: Vec<i64>,
    /// In elements, one for each axis.
    pub strides: Vec<i64>,
    pub step_strides: Vec<(StepId, i64)>,
}

/// Loops that share their first `shared` indices:
/// `for shared { stage 0 over its other indices; stage 1 …; }`.
/// Every stage writes, at one point of the shared loops, only what later stages read at that same point,
/// so the shared loops may be cut into pieces for threads.
#[derive(Clone, Debug)]
pub struct Nest {
    pub name: Name,
    pub shared: usize,
    pub stages: Vec<Stage>,
    /// The number of equal chunks of the first shared loop that are tasks for threads; 1 for none. It belongs to
    /// the plan and does not depend on the number of threads, so that results do not either.
    pub pieces: usize,
}

/// One loop of a nest, with the memory of what it reads and writes. All sizes are numbers.
/// The domain's first `shared` indices are those of the nest.
#[derive(Clone, Debug)]
pub struct Stage {
    pub body: Arc<Loop>,
    pub operands: Vec<View>,
    pub target: View,
    /// Whether the target already holds values that `combine` adds to (it is not set to the identity first).
    pub accumulate: bool,
}

impl Stage {
    /// Whether the target must be set to the identity before the loop: unless it already holds values, or
    /// is written everywhere exactly once. (In the last case the old values may be among the operands.)
    pub fn needs_identity(&self) -> bool {
        let points = |sizes: &[crate::ir::Dim]| -> Option<i64> {
            sizes.iter().try_fold(1i64, |product, size| Some(product * size.as_number()?))
        };
        let body = &self.body;
        let covers =
            body.combine == Combine::Set && !body.dropping && points(&body.domain) == points(&body.shape);
        !self.accumulate && !covers
    }

    /// Whether the target is filled with the identity before the loop: it needs that, and the loop does not set
    /// every element itself.
    pub fn is_filled(&self) -> bool {
        self.needs_identity() && !coverage(&self.body).covering
    }
}

#[derive(Clone, Debug)]
pub struct Rand {
    pub name: Name,
    pub kind: RandKind,
    /// The hash of the stream's name.
    pub stream: u32,
    pub target: View,
    /// The first `step_axes` axes of the target count scan steps, added to `step`.
    pub step_axes: usize,
    pub step: crate::ir::Affine,
}

/// `steps`, executed `trip` times.
#[derive(Clone, Debug)]
pub struct ScanSteps {
    pub step: StepId,
    pub trip: i64,
    pub reverse: bool,
    /// Of a scan whose iterations may run at the same time, the memory that each needs for itself. Whatever else
    /// one of them writes, no other touches.
    pub local: Option<Local>,
    pub steps: Vec<Step>,
}

/// The part of the arena that holds what lives within one iteration of a scan.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Local {
    pub start: usize,
    pub bytes: usize,
}

/// The name of a kernel, in the user's terms.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Name {
    /// `Net.fc1 matmul`, `softmax + cross_entropy`.
    pub text: String,
    pub phase: Phase,
    /// The number of the kernel: its index in [`Plan::works`].
    pub number: u32,
    /// The span of the program that it computes.
    pub span: Span,
}

/// The value of an element that is never written.
pub fn identity(combine: Combine, elem: Elem) -> f64 {
    match (combine, elem) {
        (Combine::Set | Combine::Add | Combine::ArgMax | Combine::ArgMin, _) => 0.0,
        (Combine::Mul, _) => 1.0,
        (Combine::Max, Elem::Float) => f64::NEG_INFINITY,
        (Combine::Min, Elem::Float) => f64::INFINITY,
        (Combine::Max, Elem::Int) => i64::MIN as f64,
        (Combine::Min, Elem::Int) => i64::MAX as f64,
        (Combine::Max, Elem::Bool) => 0.0,
        (Combine::Min, Elem::Bool) => 1.0,
    }
}
