//! From a plan to a module: every nest becomes a kernel, or the same kernel as an equal one before it.

use super::LoopError;
use super::access::{self, Node, Work};
use super::builder::Builder;
use super::checks;
use super::emit::Emitter;
use super::ir::*;
use super::merge;
use super::params::{self, Params};
use super::schedule::{self, Freedom};
use super::target::Target;
use super::tidy;
use super::trips::Trips;
use super::verify::VerifiedModule;
use super::works::{fill_of, product_of};
use crate::ir::hash::{FastMap, Interner};
use crate::ir::program::Precision;
use crate::ir::{Combine, StepId};
use crate::plan::{self, Plan, Step};

/// How many multiplications and additions a step that is one function may have, roughly; wider vectors gain more
/// than calls cost.
const TINY_WORK: i64 = 20_000;
/// Products of so few multiplications are written as loops.
const SMALL_GEMM: i64 = 8 * 1024;

/// How to lower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    pub target: Target,
    /// Whether every access is checked, and memory unusable before it is written.
    pub checked: bool,
}

impl Options {
    /// As fast as it goes.
    pub fn of(target: Target) -> Options {
        Options { target, checked: false }
    }
}

/// Lowers a whole plan.
///
/// # Errors
/// If the plan is not static or asks for what loops cannot express: a mistake of an earlier stage.
pub fn lower(plan: &Plan, options: Options) -> Result<VerifiedModule, LoopError> {
    let Options { target, checked } = options;
    let scratch_start = (plan.arena_bytes as i64 + 63) / 64 * 64;
    let mut lowering = Lowering {
        plan,
        lanes: target.float_lanes(plan.precision),
        own_math: target.own_math,
        products: target.products,
        scratch_start,
        kernels: Vec::new(),
        known: Interner::default(),
        made: FastMap::default(),
        trips: Trips::default(),
        most_pieces: 1,
        work: 0,
        checked,
        born: if checked { plan.born() } else { Vec::new() },
        now: 0,
        accesses: Vec::new(),
        sites: Vec::new(),
    };
    let items = lowering.steps(&plan.steps)?;
    let constants = params::constants(plan);
    let constant_bytes = constants.last().map_or(0, |(offset, _, len)| offset + len);
    let constants =
        constants.into_iter().map(|(offset, value, _)| Constant { offset, value: value.clone() }).collect();
    let arena_bytes =
        scratch_start as usize + lowering.most_pieces * params::scratch_stride(plan).max(0) as usize;
    let tiny = target.one_function
        && lowering.work <= TINY_WORK
        && items.iter().all(|item| is_plain(item, &lowering.kernels));
    super::verify::module(Module {
        precision: plan.precision,
        target,
        externals: plan.externals.clone(),
        kernels: lowering.kernels,
        items,
        constants,
        constant_bytes,
        arena_bytes,
        scratch_start: scratch_start as usize,
        tiny,
        checked,
        sites: lowering.sites,
        accesses: lowering.accesses,
    })
}

/// Whether an item is loops and nothing else.
fn is_plain(item: &Item, kernels: &[Kernel]) -> bool {
    match item {
        Item::Call(call) => kernels[call.kernel.0 as usize].pieces == 1,
        Item::Gemm(_) | Item::Rand(_) => false,
        Item::Poison { .. } => true,
        Item::Scan { .. } => false,
    }
}

struct Lowering<'p> {
    plan: &'p Plan,
    /// Of floats of the plan's precision.
    lanes: u8,
    /// See [`Target`].
    own_math: bool,
    products: bool,
    scratch_start: i64,
    kernels: Vec<Kernel>,
    known: Interner,
    /// The kernels by what they were made of, so that equal layers are lowered once.
    made: FastMap<Source, KernelId>,
    /// The scans around the step.
    trips: Trips,
    most_pieces: usize,
    /// Points of all nests.
    work: i64,
    /// What can find an int that has left 64 bits.
    sites: Vec<plan::Name>,
    checked: bool,
    /// The buffers that come to life with each step, in order of execution; empty if nothing is checked.
    born: Vec<Vec<plan::BufferId>>,
    /// The number of the step.
    now: usize,
    accesses: Vec<Site>,
}

/// What a kernel is made of: all that its code depends on.
#[derive(PartialEq, Eq, Hash)]
struct Source {
    stages: Vec<Work>,
    params: Vec<Param>,
    /// For each parameter whether it is private memory, and which parameters may reach its memory.
    is_scratch: Vec<bool>,
    aliases: Vec<Vec<u32>>,
    steps: Vec<StepId>,
    pieces: usize,
}

impl Lowering<'_> {
    fn steps(&mut self, steps: &[Step]) -> Result<Vec<Item>, LoopError> {
        let mut items = Vec::with_capacity(steps.len());
        for step in steps {
            self.poison(&mut items)?;
            match step {
                Step::Nest(nest) => self.nest(nest, &mut items)?,
                Step::Gemm(gemm) => self.gemm(gemm, &mut items)?,
                Step::Rand(rand) => items.push(self.rand(rand)?),
                Step::Scan(scan) => {
                    self.trips.push(scan.step, scan.trip);
                    let inner = self.steps(&scan.steps)?;
                    self.trips.pop();
                    if scan.trip > 0 {
                        items.push(Item::Scan {
                            step: scan.step,
                            trip: scan.trip,
                            reverse: scan.reverse,
                            local: scan.local,
                            items: inner,
                        });
                    }
                }
            }
        }
        Ok(items)
    }

    /// Lets nothing be read of the buffers that come to life now. Gives the step its number.
    fn poison(&mut self, items: &mut Vec<Item>) -> Result<(), LoopError> {
        let born = self.born.get(self.now).cloned().unwrap_or_default();
        self.now += 1;
        for id in born {
            let buffer = &self.plan.buffers[id.0 as usize];
            let bytes = (buffer.elem_bytes(self.plan.precision) * buffer.len) as i64;
            if let plan::Place::Arena(offset) = buffer.place {
                let base = Base { place: BasePlace::Arena, offset: offset as i64, steps: Vec::new() };
                items.push(Item::Poison { base, bytes });
            }
        }
        Ok(())
    }

    fn nest(&mut self, nest: &plan::Nest, items: &mut Vec<Item>) -> Result<(), LoopError> {
        let mut params = Params::new(self.plan, self.scratch_start, nest.pieces, self.trips.clone());
        let mut works = Vec::with_capacity(nest.stages.len());
        for stage in &nest.stages {
            works.push(access::normalise(stage, nest.shared, &mut params)?);
        }
        let mut pieces = nest.pieces.max(1);
        let scatters = works.len() == 1 && works[0].is_scatter;
        if scatters && works[0].shared == 0 {
            // No index divides the target.
            pieces = 1;
        }
        let single = works.len() == 1 && (works[0].injective || scatters);
        if single {
            works[0].shared = 0;
            works[0].target_shared.fill(None);
        }
        // What is not written everywhere is filled first: at each point of the shared loops the part that
        // belongs to it.
        let mut stages = Vec::with_capacity(works.len());
        for (work, stage) in works.into_iter().zip(&nest.stages) {
            if stage.needs_identity() && !work.covering {
                let fill = fill_of(&work)?;
                if pieces > 1 && work.shared == 0 {
                    let mut fill_params = params_for_fill(self, &params);
                    self.kernel(&nest.name, vec![fill], &mut fill_params, pieces, items)?;
                } else {
                    stages.push(fill);
                }
            }
            stages.push(work);
        }
        // What has no element to write does nothing; an empty reduction writes the identity.
        stages.retain(|work| {
            !work.sizes.iter().zip(&work.reduced).any(|(size, reduced)| *size == 0 && !reduced)
        });
        if stages.is_empty() {
            return Ok(());
        }
        if single
            && pieces > 1
            && !stages[0].sizes.iter().zip(&stages[0].reduced).any(|(_, reduced)| !reduced)
        {
            pieces = 1;
        }
        self.kernel(&nest.name, stages, &mut params, pieces, items)
    }

    /// Makes a kernel of stages in normal form, if there is none of equal ones, and a call of it.
    fn kernel(
        &mut self,
        name: &plan::Name,
        mut stages: Vec<Work>,
        params: &mut Params<'_>,
        pieces: usize,
        items: &mut Vec<Item>,
    ) -> Result<(), LoopError> {
        self.count_work(&stages)?;
        merge::simplify(&mut stages);
        let fault = stages.iter().any(Work::is_open).then(|| {
            self.sites.push(name.clone());
            (params.fault(), self.sites.len() as i64)
        });
        let written: Vec<u32> = stages.iter().map(|work| work.write.param).collect();
        let aliases = mark_written(params, &written);
        if self.checked {
            params.need_steps_of_bases();
        }
        let source = Source {
            stages,
            params: params.params.clone(),
            is_scratch: params.is_scratch.clone(),
            aliases,
            steps: params.steps.clone(),
            pieces,
        };
        // What a kernel reports has the number of its place in the plan, so each of those is made.
        let reports = self.checked || fault.is_some();
        let kernel = match self.made.get(&source) {
            Some(known) if !reports => *known,
            _ => {
                let mut kernel = self.make(&source, fault)?;
                if self.checked {
                    checks::insert(&mut kernel, params, name, &mut self.accesses)?;
                }
                let id = self.kernel_id(kernel);
                self.made.insert(source, id);
                id
            }
        };
        self.most_pieces = self.most_pieces.max(self.kernels[kernel.0 as usize].pieces);
        let (mut bases, mut buffers) = (params.bases.clone(), params.buffers());
        if self.checked {
            bases.push(Base { place: BasePlace::Report, offset: 0, steps: Vec::new() });
            buffers.push((0, 16));
        }
        let steps = params.steps.clone();
        items.push(Item::Call(Call { name: name.clone(), kernel, bases, buffers, steps }));
        Ok(())
    }

    /// The kernel of a source. `fault`: the parameter and the number by which it reports that an int left 64 bits.
    fn make(&self, source: &Source, fault: Option<(u32, i64)>) -> Result<Kernel, LoopError> {
        let Source { stages, params, is_scratch, aliases, steps, pieces } = source;
        let is_long = stages.iter().any(Work::is_long);
        let float = match self.plan.precision {
            Precision::F32 => Kind::F32,
            Precision::F64 => Kind::F64,
        };
        let lanes = if is_long { 1 } else { self.lanes };
        let cut_index = cut_index(stages, *pieces);
        let freedom = Freedom { lanes, cut: cut_index, repeatable: is_repeatable(stages, aliases) };
        let plans = schedule::schedule(stages, freedom);
        let mut builder = Builder::new(params.clone(), aliases.clone());
        builder.long = is_long;
        builder.own_math = self.own_math;
        let steps: FastMap<StepId, ValueId> = steps.iter().map(|step| (*step, builder.step())).collect();
        let rank = stages.iter().map(|work| work.sizes.len()).max().unwrap_or(0);
        let axes = || plans.shared.iter().chain(plans.stages.iter().flat_map(|stage| &stage.parallel));
        let cut_axis = cut_index.and_then(|index| axes().find(|axis| axis.index == index));
        let cut = cut_axis.map(|axis| {
            let tile = axis.jam * i64::from(axis.lanes);
            let (start, end) = range_of_task(&mut builder, axis.size, tile, *pieces as i64);
            (axis.index, start, end)
        });
        let pieces = if cut.is_some() { *pieces } else { 1 };
        let mut emitter = Emitter::new(&mut builder, &steps, lanes, float, rank);
        emitter.cut = cut;
        emitter.private = is_scratch.clone();
        emitter.n_shared = stages[0].shared;
        emitter.fault = fault;
        let written: Vec<u32> = stages.iter().map(|work| work.write.param).collect();
        let pointwise = stages.iter().all(|work| work.sizes.len() == work.shared);
        emitter.loops(&plans.shared, &mut |emitter| {
            if pointwise {
                emitter.pointwise(stages, &written);
                return;
            }
            for (work, schedule) in stages.iter().zip(&plans.stages) {
                let has_loops = work.sizes.len() > work.shared;
                // Without loops of its own a stage writes to one place, which loads after it find again.
                emitter.builder.begin_stage(&written, has_loops.then_some(work.write.param));
                emitter.stage(work, schedule);
            }
        });
        let mut kernel = builder.finish(pieces)?;
        for param in &mut kernel.params {
            if pieces == 1 {
                param.piece_stride = 0;
            }
        }
        tidy::drop_unused(&mut kernel, is_scratch, aliases);
        Ok(kernel)
    }

    /// Adds up the work of stages, and refuses those that have no meaning.
    fn count_work(&mut self, stages: &[Work]) -> Result<(), LoopError> {
        for work in stages {
            self.work += work.sizes.iter().product::<i64>() * (work.nodes.len() as i64 + 1) / 4;
            let is_place = matches!(work.combine, Combine::ArgMax | Combine::ArgMin);
            if is_place && !work.injective {
                return Err(LoopError("argmax into an element that is written twice".into()));
            }
        }
        Ok(())
    }

    /// The id of a kernel; equal kernels are one.
    fn kernel_id(&mut self, kernel: Kernel) -> KernelId {
        match self.known.find(&kernel, |place| self.kernels[place as usize] == kernel) {
            Ok(place) => KernelId(place),
            Err(slot) => {
                let place = self.kernels.len() as u32;
                self.known.enter(slot, place);
                self.kernels.push(kernel);
                KernelId(place)
            }
        }
    }

    fn gemm(&mut self, gemm: &plan::Gemm, items: &mut Vec<Item>) -> Result<(), LoopError> {
        let (m, n, k) = (gemm.m(), gemm.n(), gemm.k());
        let total = gemm.batch.iter().product::<i64>() * m * n * k;
        if !self.products || total <= SMALL_GEMM || m * n * k <= 512 && total <= 8 * SMALL_GEMM {
            let mut params = Params::new(self.plan, self.scratch_start, 1, self.trips.clone());
            let work = product_of(gemm, &mut params)?;
            if gemm.batch.iter().product::<i64>() * m * n == 0 {
                return Ok(());
            }
            return self.kernel(&gemm.name, vec![work], &mut params, 1, items);
        }
        let kind =
            params::kind_of(self.plan.buffers[gemm.c.buffer.0 as usize].elem, false, self.plan.precision);
        let views = gemm.views();
        for view in views {
            params::within_buffer(self.plan, view, &view.shape, &self.trips)?;
        }
        let base = |view: &plan::View| {
            params::base_of(self.plan, self.scratch_start, view, 0, &[]).map(|(base, _)| base)
        };
        let batch = gemm.batch.iter().enumerate();
        items.push(Item::Gemm(Gemm {
            name: gemm.name.clone(),
            kind,
            batch: batch.map(|(axis, size)| (*size, views.map(|view| view.strides[axis]))).collect(),
            m,
            n,
            k,
            sides: [0, 1, 2].map(|operand| gemm.axes(operand).map(Side::new)),
            bases: [base(views[0])?, base(views[1])?, base(views[2])?],
            accumulate: gemm.accumulate,
            pieces: gemm.pieces.max(1),
        }));
        Ok(())
    }

    fn rand(&mut self, rand: &plan::Rand) -> Result<Item, LoopError> {
        let shape = &rand.target.shape;
        let mut stride = 1;
        for (size, axis_stride) in shape.iter().zip(&rand.target.strides).rev() {
            if *axis_stride != stride && *size != 1 {
                return Err(LoopError("random numbers into memory that is not contiguous".into()));
            }
            stride *= size;
        }
        params::within_buffer(self.plan, &rand.target, shape, &self.trips)?;
        let mut scan_terms = Vec::new();
        for (var, factor) in &rand.step.terms {
            match (var, factor.as_number()) {
                (crate::ir::Var::Step(step), Some(factor)) => scan_terms.push((*step, factor)),
                _ => return Err(LoopError("a scan step that is not known".into())),
            }
        }
        let scan_step = rand.step.constant.as_number();
        Ok(Item::Rand(Rand {
            name: rand.name.clone(),
            kind: rand.kind,
            elem: params::kind_of(crate::ir::Elem::Float, false, self.plan.precision),
            stream: rand.stream,
            base: params::base_of(self.plan, self.scratch_start, &rand.target, 0, &[])?.0,
            draws: shape[..rand.step_axes].iter().product(),
            len: shape[rand.step_axes..].iter().product(),
            scan_step: scan_step.ok_or_else(|| LoopError("a scan step that is not known".into()))?,
            scan_terms,
        }))
    }
}

/// Whether a point may be computed twice: nothing that a stage reads is written by itself or a later one.
fn is_repeatable(stages: &[Work], aliases: &[Vec<u32>]) -> bool {
    stages.iter().enumerate().all(|(at, stage)| {
        let adds = stage.accumulate || !stage.injective && stage.combine != Combine::Set;
        let reads = stage.nodes.iter().filter_map(|node| match node {
            Node::Read(access) => Some(access.param),
            _ => None,
        });
        let written = || stages[at..].iter().flat_map(|later| &aliases[later.write.param as usize]);
        let mut reads = reads.into_iter();
        !adds && reads.all(|param| written().all(|read| *read != param))
    })
}

fn params_for_fill<'p>(lowering: &Lowering<'p>, params: &Params<'_>) -> Params<'p> {
    let mut fresh = Params::new(lowering.plan, lowering.scratch_start, 1, lowering.trips.clone());
    fresh.adopt(params);
    fresh
}

/// Marks the parameters that stages write to, and all that share memory with them. Returns for each parameter those
/// that share its memory.
fn mark_written(params: &mut Params<'_>, written: &[u32]) -> Vec<Vec<u32>> {
    for param in written {
        params.params[*param as usize].written = true;
    }
    let aliases = params.aliases();
    for param in written {
        aliases[*param as usize].iter().for_each(|alias| params.params[*alias as usize].written = true);
    }
    aliases
}

/// The index whose range is divided among tasks, if there are several.
fn cut_index(stages: &[Work], pieces: usize) -> Option<usize> {
    match stages {
        _ if pieces == 1 => None,
        [work] if work.shared == 0 => (0..work.sizes.len()).find(|&index| !work.reduced[index]),
        _ => (stages[0].shared > 0).then_some(0),
    }
}

/// Where the range of a task begins and ends: equal parts of `size`, whole tiles each.
fn range_of_task(builder: &mut Builder, size: i64, tile: i64, tasks: i64) -> (ValueId, ValueId) {
    let chunk = (size + tasks - 1) / tasks;
    let chunk = (chunk + tile - 1) / tile * tile;
    let task = builder.piece();
    let start = builder.linear(Linear { constant: 0, terms: vec![(task, chunk)] });
    let end = builder.linear(Linear { constant: chunk, terms: vec![(task, chunk)] });
    (start, end)
}
