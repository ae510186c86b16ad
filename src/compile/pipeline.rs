//! The pipeline: every pass of the compiler in order, once.
//!
//! `nnc ir --stage`, timings, verification, code for a run and measurements all walk this list ([`program`] the
//! passes over whole programs, [`graph`] those over one graph at certain sizes), so they agree on what comes after
//! what. A new pass is a line of [`PIPELINE`] and its name in [`PassId`].

use std::ops::RangeInclusive;

use super::differentiate::differentiate;
use super::function::{BuildError, Mode};
use super::stage::Stage;
use super::timing::Timings;
use crate::backend::{self, CodeError};
use crate::base::{Diagnostic, FileId, SourceMap};
use crate::ir::program::{Forward, Program};
use crate::ir::{DimError, Graph, Sizes, ranges, specialise, verify};
use crate::loops::{self, Target, VerifiedModule};
use crate::opt::{self, Applied};
use crate::plan::{self, Plan, plan_for};
use crate::sema::{self, Loader};
use crate::syntax::{self, ast};

/// A pass, by its place in [`PIPELINE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PassId {
    Parse,
    Check,
    Differentiate,
    Stabilise,
    Specialise,
    Optimise,
    Plan,
    Loops,
    Code,
}

/// A line of the pipeline.
pub struct Pass {
    pub id: PassId,
    /// As timings and messages call it.
    pub name: &'static str,
    /// The stages that show what it makes.
    pub shown: &'static [Stage],
    run: Run,
}

/// What a pass does.
#[derive(Clone, Copy)]
enum Run {
    /// To a whole program. What is wrong with the program is added to the diagnostics.
    Program { run: fn(Whole, &mut Front<'_>) -> Whole, verify: Verify<Whole> },
    /// To one graph at certain sizes.
    Graph { run: fn(Artifact, &Build<'_>) -> Result<Artifact, BuildError>, verify: Verify<Artifact> },
}

/// The rules that what a pass has made breaks. Asked for in tests and debug builds.
type Verify<T> = fn(&T) -> Vec<String>;

/// The passes in order. A stage shows what its pass has made.
pub const PIPELINE: [Pass; 9] = [
    Pass {
        id: PassId::Parse,
        name: "parse",
        shown: &[Stage::Ast],
        run: Run::Program { run: parse, verify: no_rules },
    },
    Pass {
        id: PassId::Check,
        name: "check",
        shown: &[Stage::Ir],
        run: Run::Program { run: check, verify: program_rules },
    },
    Pass {
        id: PassId::Differentiate,
        name: "differentiate",
        shown: &[Stage::Grad],
        run: Run::Program { run: with_steps, verify: program_rules },
    },
    Pass {
        id: PassId::Stabilise,
        name: "stabilise",
        shown: &[],
        run: Run::Graph { run: stabilise, verify: graph_rules },
    },
    Pass {
        id: PassId::Specialise,
        name: "specialise",
        shown: &[],
        run: Run::Graph { run: specialised, verify: graph_rules },
    },
    Pass {
        id: PassId::Optimise,
        name: "optimise",
        shown: &[Stage::Opt],
        run: Run::Graph { run: optimise, verify: graph_rules },
    },
    Pass {
        id: PassId::Plan,
        name: "plan",
        shown: &[Stage::Plan],
        run: Run::Graph { run: planned, verify: plan_rules },
    },
    Pass {
        id: PassId::Loops,
        name: "loops",
        shown: &[Stage::Loops],
        // Lowering verifies what it makes, in every build.
        run: Run::Graph { run: lowered, verify: no_rules },
    },
    Pass {
        id: PassId::Code,
        name: "machine code",
        shown: &[Stage::Clif, Stage::Asm, Stage::Avx2, Stage::Avx512],
        run: Run::Graph { run: code, verify: no_rules },
    },
];

// ------------------------------------------------------------------------------------ whole programs

/// A program on its way through the first passes.
pub enum Whole {
    Text(FileId),
    Tree(ast::File),
    /// Forward graphs, as the checker hands them over.
    Forward(Program<Forward>),
    Steps(Program),
}

/// What the passes over whole programs share.
pub struct Front<'a> {
    pub sources: &'a mut SourceMap,
    pub loader: &'a mut dyn Loader,
    /// Changes the tree before it is checked.
    pub adjust: &'a mut dyn FnMut(&mut SourceMap, &mut ast::File) -> Vec<Diagnostic>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Carries out the passes over whole programs up to one of them.
pub fn program(mut whole: Whole, last: PassId, front: &mut Front<'_>, timings: &Timings) -> Whole {
    for pass in PIPELINE.iter().filter(|pass| pass.id <= last) {
        let Run::Program { run, verify } = pass.run else { continue };
        whole = timings.time(pass.id, || run(whole, front));
        if cfg!(debug_assertions) && !front.has_errors() {
            let faults = verify(&whole);
            let faults = faults.iter().map(|fault| Diagnostic::fault(format!("after `{}`: {fault}", pass.name)));
            front.diagnostics.extend(faults);
        }
    }
    whole
}

/// The pass that makes what a stage shows.
pub fn shown_at(stage: Stage) -> PassId {
    let pass = PIPELINE.iter().find(|pass| pass.shown.contains(&stage));
    pass.map_or(PassId::Parse, |pass| pass.id)
}

impl Front<'_> {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

fn program_rules(whole: &Whole) -> Vec<String> {
    let graphs: Vec<&Graph> = match whole {
        Whole::Text(_) | Whole::Tree(_) => Vec::new(),
        Whole::Forward(program) => {
            let lines = program.trainings().flat_map(|train| &train.lines);
            lines.flat_map(|line| [&line.forward, &line.update]).collect()
        }
        Whole::Steps(program) => program.trainings().map(|train| &train.step.graph).collect(),
    };
    graphs.into_iter().flat_map(rules_of).collect()
}

fn parse(whole: Whole, front: &mut Front<'_>) -> Whole {
    let Whole::Text(file) = whole else { return whole };
    let text = front.sources.file(file).text.clone();
    let (mut tree, diagnostics) = syntax::parse(file, &text);
    front.diagnostics.extend(diagnostics);
    front.diagnostics.extend((front.adjust)(front.sources, &mut tree));
    Whole::Tree(tree)
}

fn check(whole: Whole, front: &mut Front<'_>) -> Whole {
    let Whole::Tree(tree) = whole else { return whole };
    let checked = sema::check(front.sources, tree, front.loader);
    front.diagnostics.extend(checked.diagnostics);
    Whole::Forward(checked.program)
}

fn with_steps(whole: Whole, front: &mut Front<'_>) -> Whole {
    let Whole::Forward(program) = whole else { return whole };
    Whole::Steps(differentiate(program, &mut front.diagnostics))
}

// ------------------------------------------------------------------------------------------- graphs

/// A graph on its way to code.
pub enum Artifact {
    Graph(Graph),
    /// With the graph that was planned.
    Plan(Graph, Plan),
    Loops(Plan, VerifiedModule),
    Code(Plan, Box<dyn backend::Code>),
}

/// What the passes over a graph depend on.
pub struct Build<'a> {
    pub sizes: &'a Sizes,
    pub mode: Mode,
    /// What loops are made for, if not for the back end of the mode.
    pub target: Option<Target>,
    /// Whether the code says when each kernel is done.
    pub profiled: bool,
    /// Whether the sizes are invented, for something to be shown: what is proven of real ones need not hold.
    pub invented_sizes: bool,
    /// The laws that may be applied, which are counted.
    pub laws: &'a Applied,
    pub timings: &'a Timings,
}

impl<'a> Build<'a> {
    pub fn new(sizes: &'a Sizes, mode: Mode, laws: &'a Applied, timings: &'a Timings) -> Build<'a> {
        Build { sizes, mode, target: None, profiled: false, invented_sizes: false, laws, timings }
    }
}

/// Carries out some passes over a graph.
///
/// # Errors
/// If a size does not come out whole or positive, or the tensors do not fit into memory.
pub fn graph(
    mut artifact: Artifact,
    passes: RangeInclusive<PassId>,
    build: &Build<'_>,
) -> Result<Artifact, BuildError> {
    for pass in PIPELINE.iter().filter(|pass| passes.contains(&pass.id)) {
        let Run::Graph { run, verify } = pass.run else { continue };
        artifact = build.timings.time(pass.id, || run(artifact, build))?;
        if cfg!(debug_assertions) && !build.invented_sizes {
            keeps(&artifact, pass.name, verify)?;
        }
    }
    Ok(artifact)
}

/// Checks that what a pass has made keeps the rules.
fn keeps(artifact: &Artifact, pass: &str, verify: Verify<Artifact>) -> Result<(), BuildError> {
    match verify(artifact) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(broken(&format!("after `{pass}`: {}", faults.join("; ")))),
    }
}

/// A mistake of the compiler.
fn broken(what: &str) -> BuildError {
    BuildError::Code(CodeError::internal(what.to_owned()))
}

/// Checks that a specialised graph keeps the rules of the tensor IR, in every build.
///
/// # Errors
/// If it has none.
pub fn specialised_rules(graph: &Graph) -> Result<(), BuildError> {
    match rules_of(graph) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(broken(&format!("after `specialise`: {}", faults.join("; ")))),
    }
}

fn graph_rules(artifact: &Artifact) -> Vec<String> {
    match artifact {
        Artifact::Graph(graph) | Artifact::Plan(graph, _) => rules_of(graph),
        Artifact::Loops(..) | Artifact::Code(..) => Vec::new(),
    }
}

/// The rules of plans that a plan breaks.
fn plan_rules(artifact: &Artifact) -> Vec<String> {
    let checked = artifact.plan().map(|(_, plan)| plan::verify(plan));
    match checked {
        Ok(Ok(())) => Vec::new(),
        Ok(Err(fault)) => vec![fault.to_string()],
        Err(_) => vec!["there is no plan".to_owned()],
    }
}

/// The rules of the tensor IR that a graph breaks.
fn rules_of(graph: &Graph) -> Vec<String> {
    match verify(graph) {
        Ok(()) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn no_rules<T>(_: &T) -> Vec<String> {
    Vec::new()
}

impl Artifact {
    /// The graph, up to the plan.
    ///
    /// # Errors
    /// If the pipeline is in disorder: a mistake of the compiler.
    pub fn graph(self) -> Result<Graph, BuildError> {
        match self {
            Artifact::Graph(graph) | Artifact::Plan(graph, _) => Ok(graph),
            Artifact::Loops(..) | Artifact::Code(..) => Err(broken("there is no graph after `plan`")),
        }
    }
}

impl Artifact {
    /// The plan, and the graph that was planned.
    ///
    /// # Errors
    /// As [`Artifact::graph`].
    pub fn plan(&self) -> Result<(&Graph, &Plan), BuildError> {
        match self {
            Artifact::Plan(graph, plan) => Ok((graph, plan)),
            Artifact::Graph(_) | Artifact::Loops(..) | Artifact::Code(..) => {
                Err(broken("the plan is what `plan` has made"))
            }
        }
    }

    /// The code, at the end.
    ///
    /// # Errors
    /// As [`Artifact::graph`].
    pub fn code(self) -> Result<(Plan, Box<dyn backend::Code>), BuildError> {
        match self {
            Artifact::Code(plan, code) => Ok((plan, code)),
            Artifact::Graph(_) | Artifact::Plan(..) | Artifact::Loops(..) => {
                Err(broken("there is no code before `machine code`"))
            }
        }
    }
}

fn stabilise(artifact: Artifact, _: &Build<'_>) -> Result<Artifact, BuildError> {
    Ok(Artifact::Graph(opt::stabilised(&artifact.graph()?)))
}

fn specialised(artifact: Artifact, build: &Build<'_>) -> Result<Artifact, BuildError> {
    let graph = specialise(&artifact.graph()?, build.sizes).map_err(BuildError::Size)?;
    if ranges::linear_forms_fit(&graph) {
        Ok(Artifact::Graph(graph))
    } else {
        Err(BuildError::Size(DimError::TooLarge))
    }
}

fn optimise(artifact: Artifact, build: &Build<'_>) -> Result<Artifact, BuildError> {
    Ok(Artifact::Graph(opt::optimise_for(&artifact.graph()?, build.laws)))
}

fn planned(artifact: Artifact, build: &Build<'_>) -> Result<Artifact, BuildError> {
    let graph = artifact.graph()?;
    let options = plan::Options { precision: build.mode.precision };
    let plan = plan_for(&graph, options, build.sizes).map_err(BuildError::Plan)?;
    Ok(Artifact::Plan(graph, plan))
}

fn lowered(artifact: Artifact, build: &Build<'_>) -> Result<Artifact, BuildError> {
    let Artifact::Plan(_, plan) = artifact else { return Err(broken("loops are made of a plan")) };
    let target = build.target.unwrap_or_else(|| build.mode.backend().target(plan.precision));
    let module = loops::lower(&plan, loops::Options { target, checked: build.mode.checked })?;
    Ok(Artifact::Loops(plan, module))
}

fn code(artifact: Artifact, build: &Build<'_>) -> Result<Artifact, BuildError> {
    let Artifact::Loops(plan, module) = artifact else { return Err(broken("code is made of loops")) };
    let options = backend::Options { profiled: build.profiled };
    let code = build.mode.backend().compile(&module, options).map_err(BuildError::Code)?;
    Ok(Artifact::Code(plan, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Timings and ranges of passes rely on the places; what is printed is printed by one pass.
    #[test]
    fn passes_stand_at_their_places() {
        for (place, pass) in PIPELINE.iter().enumerate() {
            assert_eq!(pass.id as usize, place, "{}", pass.name);
        }
        for stage in Stage::ALL {
            let showing = PIPELINE.iter().filter(|pass| pass.shown.contains(&stage));
            assert_eq!(showing.count(), 1, "{stage}");
        }
    }

    /// Stages are listed in the order of the passes that make them.
    #[test]
    fn stages_are_in_order() {
        let stages: Vec<Stage> = PIPELINE.iter().flat_map(|pass| pass.shown).copied().collect();
        assert_eq!(stages, Stage::ALL);
    }
}
