//! `require`: conditions on what a body is given.
//!
//! Most are decided at once. One that compares sizes which have no number yet, such as `n >= 2`, waits until
//! they have. One on a number of the training step, a schedule, is looked at for steps that training reaches.

use crate::sema::build::index::bounds::grows;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::optimizers::Beyond;
use crate::sema::value::{Tensor, Value};
use crate::sema::scope::report::roles::{Reason, RequirementError};
use crate::sema::scope::report::values::ValueError;
use crate::sema::scope::report::{Cause, Report};
use crate::ir::interpret::{self, Feed, evaluate};
use crate::ir::program::{PLATEAUS, ValueAdvice};
use crate::ir::{Dim, Elem, Graph, InputKey, Node, NodeId, Op, copy};
use crate::syntax::ast::{self, BinaryOp, ExprKind};

/// All steps up to this one are looked at, and fewer and fewer after it.
const ALL_STEPS: u64 = 128;

/// Advice about elements that are known at compile time is looked at if no loop has more steps than this.
const MOST_WORK: i64 = 1 << 20;

/// What became of a condition.
enum Outcome {
    Holds,
    /// It fails, perhaps at a certain step only.
    Fails(Option<u64>),
    /// It compares sizes that are not known, and cannot wait for them: in these words.
    Open(String),
    /// Reported, or nothing can be said before the program runs.
    Unknown,
}

impl Elaborator<'_> {
    /// Elaborates a `require`, or an `advise`, which warns.
    pub(in crate::sema) fn require(&mut self, condition: &ast::Expr, message: Option<&ast::Expr>, is_advice: bool) {
        let why = match self.outcome(condition, message, is_advice) {
            Outcome::Holds | Outcome::Unknown => return,
            Outcome::Fails(None) => None,
            Outcome::Fails(Some(step)) => Some(Reason::Step(step)),
            Outcome::Open(why) => Some(Reason::OpenSizes(why)),
        };
        let at = condition.span;
        if is_advice {
            if let Some(text) = self.requirement_text(condition, message) {
                self.report(RequirementError::Advice { text, at });
            }
            return;
        }
        self.frame_mut().failed = true;
        let Some(text) = self.requirement_text(condition, message) else { return };
        let (call, item) = (self.frame().call, self.frame().item.as_ref());
        let call = item.filter(|_| !call.is_none()).map(|item| (call, item.name().to_owned()));
        self.report(RequirementError::Fails { text, at, call, why });
    }

    fn outcome(&mut self, condition: &ast::Expr, message: Option<&ast::Expr>, is_advice: bool) -> Outcome {
        let errors = self.reports.len();
        let value = self.expr(condition, None);
        match &value {
            Value::Bool(true) => return Outcome::Holds,
            Value::Bool(false) => return Outcome::Fails(None),
            Value::Tensor(tensor) if tensor.rank() == 0 && self.context.step().is_some() => {
                let failing = self.first_step(tensor.node, |value| value == 0.0);
                return failing.map_or(Outcome::Holds, |(step, _)| Outcome::Fails(Some(step)));
            }
            Value::Tensor(tensor) if is_advice && tensor.ty.elem == Elem::Bool => {
                return self.outcome_of_values(tensor, condition, message);
            }
            _ => {}
        }
        let is_open = |report: &Report| matches!(report.cause(), Cause::OpenSizes | Cause::NotKnown);
        let only_open = self.reports[errors..].iter().all(is_open);
        if value.is_error() && only_open && self.reports.len() > errors {
            // Where a model is only looked at, what depends on open sizes is left to those who call it.
            if self.context.is_looking() || is_advice || self.wait_for_sizes(condition, message) {
                self.reports.truncate(errors);
                return Outcome::Unknown;
            }
            // What is meant for all sizes does not hold for most of them.
            let first = &self.reports[errors];
            if message.is_some() && first.cause() == Cause::OpenSizes {
                let why = first.diagnostic.message.clone();
                self.reports.truncate(errors);
                return Outcome::Open(why);
            }
            return Outcome::Unknown;
        }
        if !value.is_error() && self.bool_of(value, condition, "what is required").is_none() && !is_advice {
            // What follows in this body would fail for the same reason.
            self.frame_mut().failed = true;
        }
        Outcome::Unknown
    }

    /// What becomes of advice about the elements of a tensor. That of data waits until a training begins; what
    /// parameters and random numbers decide is not looked at.
    fn outcome_of_values(
        &mut self,
        holds: &Tensor,
        condition: &ast::Expr,
        message: Option<&ast::Expr>,
    ) -> Outcome {
        let Some(level) = self.levels.iter().find(|level| level.id == holds.level) else {
            return Outcome::Unknown;
        };
        let needed = level.graph.reachable([holds.node]);
        let mut is_of_data = false;
        for (_, node) in level.graph.nodes().filter(|(id, _)| needed[id.0 as usize]) {
            match &node.op {
                Op::Input { name: InputKey::Field(_), .. } => is_of_data = true,
                Op::Loop(_) | Op::Reshape { .. } | Op::Const(_) | Op::Mark(_) => {}
                _ => return Outcome::Unknown,
            }
        }
        let mut graph = Graph::new();
        let places =
            copy(&mut graph, &level.graph, &needed, |new, _, node, operands| new.add(node.op.clone(), operands));
        let Some(node) = places[holds.node.0 as usize] else { return Outcome::Unknown };
        graph.output("holds", node);
        if !is_of_data {
            return if is_false_somewhere(&graph) { Outcome::Fails(None) } else { Outcome::Unknown };
        }
        let Some(text) = self.requirement_text(condition, message) else { return Outcome::Unknown };
        let advice = ValueAdvice { graph, span: self.user_place(condition.span), message: text };
        let is_known = |known: &ValueAdvice| (known.span, &known.message) == (advice.span, &advice.message);
        if !self.conditions.values.iter().any(is_known) {
            self.conditions.values.push(advice);
        }
        Outcome::Unknown
    }

    /// What is wrong if the condition does not hold. `None` is reported.
    fn requirement_text(&mut self, condition: &ast::Expr, message: Option<&ast::Expr>) -> Option<String> {
        let Some(message) = message else {
            return Some(format!("`{}` does not hold", self.text(condition.span)));
        };
        match self.expr(message, None) {
            Value::Str(text) => Some(text.to_string()),
            Value::Error => None,
            found => {
                self.report(ValueError::MessageNotText { found, at: message.span });
                None
            }
        }
    }

    /// Leaves comparisons of sizes to the time when these have their numbers; `false` if it cannot.
    fn wait_for_sizes(&mut self, condition: &ast::Expr, message: Option<&ast::Expr>) -> bool {
        let errors = self.reports.len();
        let mut conditions = Vec::new();
        let are_known = self.size_conditions(condition, &mut conditions);
        self.reports.truncate(errors);
        if !are_known || !conditions.iter().all(grows) {
            return false;
        }
        let Some(text) = self.requirement_text(condition, message) else { return false };
        for value in conditions {
            self.defer(value, condition.span, text.clone());
        }
        true
    }

    /// The numbers that must not be negative for the condition to hold.
    fn size_conditions(&mut self, condition: &ast::Expr, into: &mut Vec<Dim>) -> bool {
        let ExprKind::Binary { op, left, right, .. } = &condition.kind else { return false };
        if *op == BinaryOp::And {
            return self.size_conditions(left, into) && self.size_conditions(right, into);
        }
        let (a, b) = (self.expr(left, None), self.expr(right, None));
        let quotient = |value: &Value| match value {
            Value::Ratio(p, q) => Some((p.clone(), q.clone())),
            other => other.as_dim().map(|dim| (dim, Dim::ONE)),
        };
        let (Some((p, q)), Some((r, s))) = (quotient(&a), quotient(&b)) else { return false };
        if !q.at_least(&Dim::ONE) || !s.at_least(&Dim::ONE) {
            return false;
        }
        let difference = &(&p * &s) - &(&r * &q);
        into.push(match op {
            BinaryOp::Ge => difference,
            BinaryOp::Gt => &difference - &Dim::ONE,
            BinaryOp::Le => -&difference,
            BinaryOp::Lt => &-&difference - &Dim::ONE,
            _ => return false,
        });
        true
    }

    /// What a value of the step depends on beside the step.
    pub(in crate::sema) fn known_from_more_than_the_step(&self, node: NodeId) -> Option<Beyond> {
        let graph = self.graph();
        let needed = graph.reachable([node]);
        let mut nodes = graph.nodes().filter(|(id, _)| needed[id.0 as usize]);
        nodes.find_map(|(_, node)| match &node.op {
            Op::State { path, .. } if **path == *PLATEAUS => None,
            Op::Param { .. } | Op::State { .. } => Some(Beyond::Trained),
            Op::Rand { .. } => Some(Beyond::Random),
            Op::Input { name: InputKey::Field(_) | InputKey::Companion(..) | InputKey::Column(_), .. } => Some(Beyond::Data),
            _ => None,
        })
    }

    /// The first step of the training at which a scalar is as `wanted`, with the value there, among the steps
    /// that are looked at. `None` also if the scalar is known from more than the step only.
    pub(in crate::sema) fn first_step(&self, node: NodeId, wanted: impl Fn(f64) -> bool) -> Option<(u64, f64)> {
        let graph = self.graph();
        let needed = graph.reachable([node]);
        let drawn = |(id, node): (NodeId, &Node)| {
            needed[id.0 as usize] && matches!(node.op, Op::Rand { .. })
        };
        if graph.nodes().any(drawn) {
            return None;
        }
        let mut alone = Graph::new();
        // What happens in the training is not known: it is looked at as if there were no plateau.
        let places = copy(&mut alone, graph, &needed, |new, _, node, operands| match &node.op {
            Op::State { path, .. } if **path == *PLATEAUS => new.fill(0.0, Vec::new()),
            op => new.add(op.clone(), operands),
        });
        alone.output("value", places[node.0 as usize]?);
        for step in steps_to(self.context.last_step()) {
            let feed: Feed<f64> = Feed { step: step as u32, ..Feed::default() };
            let values = evaluate(&alone, &feed).ok()?;
            let value = *values
                .get(&"value".into())
                .map(|value: &std::rc::Rc<interpret::Tensor<f64>>| value.to_f64())?
                .first()?;
            if wanted(value) {
                return Some((step, value));
            }
        }
        None
    }
}

/// Whether an element of the output of a graph without inputs is false, as far as that is computed with little work.
fn is_false_somewhere(graph: &Graph) -> bool {
    let work = |node: &Node| match &node.op {
        Op::Loop(body) => body.domain.iter().try_fold(1i64, |work, size| work.checked_mul(size.as_number()?)),
        _ => Some(0),
    };
    let is_small = graph.nodes().all(|(_, node)| work(node).is_some_and(|work| work <= MOST_WORK));
    let evaluated = is_small.then(|| evaluate(graph, &Feed::<f64>::default()));
    evaluated.and_then(Result::ok).is_some_and(|values| {
        values.values().any(|holds| holds.to_f64().contains(&0.0))
    })
}

/// The steps that are looked at: the first ones, then some at growing distances, and the last one.
fn steps_to(last: u64) -> Vec<u64> {
    let last = last.clamp(1, u64::from(u32::MAX));
    let mut steps: Vec<u64> = (1..=last.min(ALL_STEPS)).collect();
    let mut step = ALL_STEPS + ALL_STEPS / 8;
    while step < last {
        steps.push(step);
        step += step / 8;
    }
    if last > ALL_STEPS {
        steps.push(last);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::steps_to;

    #[test]
    fn the_first_steps_and_the_last_are_looked_at() {
        assert_eq!(steps_to(0), [1]);
        assert_eq!(steps_to(3), [1, 2, 3]);
        let many = steps_to(1_000_000);
        assert_eq!((many[127], many.last()), (128, Some(&1_000_000)));
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]) && many.len() < 250);
    }
}
