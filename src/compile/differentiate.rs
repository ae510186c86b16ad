//! The pass between the checker and the rest: the forward graphs of a training become one graph of a step.
//!
//! ```text
//! for each line:  forward ──▶ loss ──grad──▶ gradients ──limits──▶ update ──▶ new parameters and states
//! ```
//!
//! What a line reads of parameters and states is what the lines before have made of them, so the graphs of the
//! lines are put one after the other into one graph, in which equal nodes are shared. The laws that make
//! derivatives better are applied to each loss before it is differentiated; see [`crate::opt::forward`].

use std::collections::HashMap;
use std::sync::Arc;

use super::accumulate::Accumulated;
use super::updates::limit;
use crate::base::{is_told, Diagnostic, Span};
use crate::grad::{GradError, gradient};
use crate::ir::program::{Action, Forward, Line, OptimizerState, PLATEAUS, Program, Step, Train, Variable};
use crate::ir::{Elem, Graph, InputKey, Node, NodeId, Op, OutputKey, Type, copy};
use crate::opt::{stabilise, stabilised};

/// Differentiates the losses of all trainings. What is wrong is added to the diagnostics; if they have errors, the
/// result is not whole.
pub fn differentiate(program: Program<Forward>, diagnostics: &mut Vec<Diagnostic>) -> Program {
    let Program { precision, params, states, init, seed, data, models, actions, requirements, sweep } = program;
    let parameters = params.iter().map(|param| Known::new(param, false));
    let variables: HashMap<Arc<str>, Known> =
        parameters.chain(states.iter().map(|state| Known::new(state, true))).collect();
    let actions = actions.into_iter().map(|action| match action {
        Action::Train(train) => {
            Action::Train(Box::new(differentiated(*train, &variables, &init, diagnostics)))
        }
        Action::Print(print) => Action::Print(print),
        Action::Expect(expect) => Action::Expect(expect),
        Action::Plot(plot) => Action::Plot(plot),
        Action::Generate(generate) => Action::Generate(generate),
    });
    let actions = actions.collect();
    Program { precision, params, states, init, seed, data, models, actions, requirements, sweep }
}

/// `start` has an output for each parameter and state, in the order of their creation.
fn differentiated(
    train: Train<Forward>,
    variables: &HashMap<Arc<str>, Known>,
    start: &Graph,
    diagnostics: &mut Vec<Diagnostic>,
) -> Train {
    let Forward { states, init, assignments } = train.step;
    let mut graph = Graph::new();
    let accumulated = train.accumulate.map(|(every, _)| Accumulated::new(&mut graph, every));
    let mut composer = Composer {
        graph,
        accumulated,
        current: HashMap::new(),
        variables,
        states: &states,
        diagnostics,
    };
    let (mut trained, mut assigned) = (Vec::new(), Vec::new());
    for number in 0..=train.lines.len() {
        for assignment in assignments.iter().filter(|assignment| assignment.after == number) {
            assigned.extend(composer.assign(&assignment.graph));
        }
        trained.extend(train.lines.get(number).map(|line| composer.line(number, line)));
    }
    composer.finish(start);
    let Composer { graph, accumulated, .. } = composer;
    // A line that has errors is not there.
    let is_kept = |state: &OptimizerState| {
        trained.get(state.line).is_some_and(|paths| state.parameters.iter().any(|path| paths.contains(path)))
    };
    let (kept, left): (Vec<_>, Vec<_>) = states.into_iter().partition(is_kept);
    let mut init = init;
    init.outputs
        .retain(|output| !left.iter().any(|state| output.name == OutputKey::Named(state.variable.path.clone())));
    let mut states: Vec<Variable> = kept.into_iter().map(|state| state.variable).collect();
    if let Some(accumulated) = accumulated {
        append(&mut init, &accumulated.init);
        states.extend(accumulated.states);
    }
    if train.plateau.is_some() {
        let none = init.fill(0.0, Vec::new());
        init.output(OutputKey::Named(PLATEAUS.into()), none);
        let ty = Type::scalar(Elem::Float);
        states.push(Variable { path: PLATEAUS.into(), ty, frozen: false, span: train.span });
    }
    Train {
        span: train.span,
        data: train.data,
        validate: train.validate,
        companions: train.companions,
        batch: train.batch,
        batch_span: train.batch_span,
        shards: train.shards,
        length: train.length,
        seed: train.seed,
        shuffle: train.shuffle,
        patience: train.patience,
        judged: train.judged,
        keep_best: train.keep_best,
        validate_every: train.validate_every,
        accumulate: train.accumulate,
        plateau: train.plateau,
        frozen: train.frozen,
        init: train.init,
        anew: train.anew,
        intervals: train.intervals,
        advice: train.advice,
        lines: train.lines,
        evaluate: train.evaluate,
        metrics: train.metrics,
        answers: train.answers,
        step: Step { graph, trained, assigned, states, init },
        fields: train.fields,
    }
}

/// A parameter or a state of a model.
struct Known {
    ty: Type,
    declared: Span,
    is_state: bool,
}

impl Known {
    fn new(variable: &Variable, is_state: bool) -> (Arc<str>, Known) {
        let known = Known { ty: variable.ty.clone(), declared: variable.span, is_state };
        (variable.path.clone(), known)
    }
}

/// What takes the place of inputs of a graph that is put into that of the step.
#[derive(Default)]
struct Leaves {
    gradients: HashMap<Arc<str>, NodeId>,
    loss: Option<NodeId>,
    /// Another number of the step.
    step: Option<NodeId>,
}

/// The graph of a step in the making.
struct Composer<'a> {
    graph: Graph,
    accumulated: Option<Accumulated>,
    /// Parameters and states that have a new value by now.
    current: HashMap<Arc<str>, NodeId>,
    variables: &'a HashMap<Arc<str>, Known>,
    /// Of the optimisers.
    states: &'a [OptimizerState],
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Composer<'_> {
    /// Adds the loss of a line, its gradient and the updates; the parameters that it changes.
    fn line(&mut self, number: usize, line: &Line) -> Vec<Arc<str>> {
        let loss = self.forward(line);
        let Some(gradients) = self.gradients(line, loss) else { return Vec::new() };
        let (paths, mut nodes): (Vec<Arc<str>>, Vec<NodeId>) = gradients.into_iter().unzip();
        if let Some(accumulated) = &mut self.accumulated {
            for (path, node) in paths.iter().zip(&mut nodes) {
                *node = accumulated.mean(&mut self.graph, (number, path), *node, line.span);
            }
        }
        for clip in &line.clips {
            limit(&mut self.graph, clip, &mut nodes);
        }
        let stable = self.graph.outputs.iter().find(|output| output.name == OutputKey::Loss(number as u32));
        let loss = stable.map_or(loss, |output| output.node);
        let gradients = paths.iter().cloned().zip(nodes).collect();
        let step = self.accumulated.as_ref().map(|of| of.update);
        self.update(number, line, &Leaves { gradients, loss: Some(loss), step });
        paths
    }

    /// Adds what a line computes of parameters that no optimiser changes; their paths.
    fn assign(&mut self, assignment: &Graph) -> Vec<Arc<str>> {
        let places = self.put(assignment, &vec![true; assignment.len()], &Leaves::default());
        let mut paths = Vec::new();
        for output in &assignment.outputs {
            if let (OutputKey::Param(path), Some(node)) = (&output.name, places[output.node.0 as usize]) {
                let node = self.when_due(node, path);
                self.current.insert(path.clone(), node);
                paths.push(path.clone());
            }
        }
        paths
    }

    /// Adds the forward graph of a line; the loss.
    fn forward(&mut self, line: &Line) -> NodeId {
        let needed = vec![true; line.forward.len()];
        let places = self.put(&line.forward, &needed, &Leaves::default());
        for output in &line.forward.outputs {
            let Some(node) = places[output.node.0 as usize] else { continue };
            match &output.name {
                OutputKey::State(path) => drop(self.current.insert(path.clone(), node)),
                name => self.graph.output(name.clone(), node),
            }
        }
        places[line.loss.0 as usize].unwrap_or(line.loss)
    }

    /// The gradient of a loss by each parameter that it depends on. `None` is reported.
    fn gradients(&mut self, line: &Line, loss: NodeId) -> Option<Vec<(Arc<str>, NodeId)>> {
        let over: Vec<NodeId> = line.over.iter().filter_map(|path| self.value(path)).collect();
        let loss = self.stable(&[loss], &over)[0];
        let found = match gradient(&mut self.graph, &[(loss, None)], &over) {
            Ok(found) => found,
            Err(error) => {
                self.report(missing_derivative(line, &error));
                return None;
            }
        };
        let mut gradients = Vec::new();
        for (path, gradient) in line.over.iter().zip(found) {
            match gradient {
                Some(gradient) => gradients.push((path.clone(), gradient)),
                None => {
                    let declared = self.variables.get(path).map(|variable| variable.declared);
                    self.report(independent(line, path, declared));
                }
            }
        }
        Some(gradients)
    }

    /// Applies the laws that come before derivatives by `wrt` are taken; the nodes that have the values of `of`
    /// then, which are the outputs as well.
    fn stable(&mut self, of: &[NodeId], wrt: &[NodeId]) -> Vec<NodeId> {
        let stable = stabilise(&mut self.graph, of, wrt);
        for output in &mut self.graph.outputs {
            if let Some(at) = of.iter().position(|node| *node == output.node) {
                output.node = stable[at];
            }
        }
        stable
    }

    /// Adds the updates of the parameters that have a gradient.
    fn update(&mut self, number: usize, line: &Line, leaves: &Leaves) {
        let gradients = &leaves.gradients;
        let states = self.states;
        let of_optimizer =
            |path: &Arc<str>| states.iter().find(|state| state.line == number && state.variable.path == *path);
        let is_kept = |name: &OutputKey| match name {
            OutputKey::Param(path) => gradients.contains_key(path),
            OutputKey::State(path) => {
                of_optimizer(path)
                    .is_none_or(|state| state.parameters.iter().any(|path| gradients.contains_key(path)))
            }
            _ => false,
        };
        // Nothing differentiates an optimiser, so its laws are applied here.
        let update = stabilised(&line.update);
        let outputs: Vec<_> = update.outputs.iter().filter(|output| is_kept(&output.name)).collect();
        let needed = update.reachable(outputs.iter().map(|output| output.node));
        let places = self.put(&update, &needed, leaves);
        for output in outputs {
            let Some(node) = places[output.node.0 as usize] else { continue };
            match &output.name {
                OutputKey::State(path) if of_optimizer(path).is_some() => {
                    let node = self.when_due(node, path);
                    self.graph.output(output.name.clone(), node);
                }
                OutputKey::Param(path) => {
                    let node = self.when_due(node, path);
                    self.current.insert(path.clone(), node);
                }
                OutputKey::State(path) => {
                    self.current.insert(path.clone(), node);
                }
                _ => {}
            }
        }
    }

    /// What is left when all lines are there: the laws for metrics, and the new values as outputs.
    fn finish(&mut self, init: &Graph) {
        // After the losses, which derivations show as they were written.
        let is_metric = |key: &OutputKey| matches!(key, OutputKey::Metric(_) | OutputKey::Whole(..));
        let outputs = self.graph.outputs.iter();
        let metrics: Vec<NodeId> = outputs.filter(|output| is_metric(&output.name)).map(|output| output.node).collect();
        self.stable(&metrics, &[]);
        for output in &init.outputs {
            let OutputKey::Named(path) = &output.name else { continue };
            let (Some(node), Some(variable)) = (self.current.get(path), self.variables.get(path)) else {
                continue;
            };
            let is_state = variable.is_state;
            let name = if is_state { OutputKey::State(path.clone()) } else { OutputKey::Param(path.clone()) };
            self.graph.output(name, *node);
        }
    }

    /// The new value of a variable; where gradients are accumulated, the one before until it is time for an update.
    fn when_due(&mut self, new: NodeId, path: &Arc<str>) -> NodeId {
        if self.accumulated.is_none() {
            return new;
        }
        let of_optimizer = self.states.iter().find(|state| state.variable.path == *path);
        let old = match of_optimizer {
            Some(state) => {
                let ty = state.variable.ty.clone();
                Some(self.graph.add(Op::State { path: path.clone(), ty }, Vec::new()))
            }
            None => self.value(path),
        };
        match (&self.accumulated, old) {
            (Some(accumulated), Some(old)) => accumulated.choose(&mut self.graph, new, old),
            _ => new,
        }
    }

    /// Puts nodes of another graph into that of the step. Parameters and states are what they are worth by now.
    fn put(&mut self, from: &Graph, needed: &[bool], leaves: &Leaves) -> Vec<Option<NodeId>> {
        let current = &self.current;
        let leaf = |new: &mut Graph, node: &Node| match &node.op {
            Op::Param { path, .. } | Op::State { path, .. } => current.get(path).copied(),
            // An optimiser that sees all parameters sees those that the loss does not depend on, too.
            Op::Input { name: InputKey::Gradient(path), ty } => {
                Some(leaves.gradients.get(path).copied().unwrap_or_else(|| new.fill(0.0, ty.shape.clone())))
            }
            Op::Input { name: InputKey::LineLoss, .. } => leaves.loss,
            Op::Input { name: InputKey::Step, .. } => leaves.step,
            _ => None,
        };
        copy(&mut self.graph, from, needed, |new, _, node, operands| {
            leaf(new, node).unwrap_or_else(|| new.add(node.op.clone(), operands))
        })
    }

    /// The node that a parameter is worth at this place of the graph.
    fn value(&mut self, path: &Arc<str>) -> Option<NodeId> {
        if let Some(node) = self.current.get(path) {
            return Some(*node);
        }
        let ty = self.variables.get(path)?.ty.clone();
        Some(self.graph.add(Op::Param { path: path.clone(), ty }, Vec::new()))
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if !is_told(self.diagnostics.iter_mut(), &diagnostic, true) {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// Adds the outputs of a graph to another.
fn append(to: &mut Graph, from: &Graph) {
    let places = copy(to, from, &vec![true; from.len()], |new, _, node, operands| new.add(node.op.clone(), operands));
    for output in &from.outputs {
        if let Some(node) = places[output.node.0 as usize] {
            to.output(output.name.clone(), node);
        }
    }
}

fn missing_derivative(line: &Line, error: &GradError) -> Diagnostic {
    let by = error.wrt.and_then(|at| line.over.get(at)).map_or("the parameters", |path| &**path);
    error.diagnostic(by).and_at(line.loss_span, "this loss is differentiated")
}

/// A parameter that the loss does not depend on.
fn independent(line: &Line, path: &str, declared: Option<Span>) -> Diagnostic {
    let warning = Diagnostic::warning("W0601", format!("no loss depends on the parameter `{path}`"));
    let warning = warning.at(line.loss_span, "the loss does not depend on it, so it stays as it is");
    match declared {
        Some(span) => warning.and_at(span, "declared here"),
        None => warning,
    }
}
