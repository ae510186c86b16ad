//! Recurrences: `scan [reverse] t < T { carry …; …; collect … along k }`.
//!
//! The body becomes a graph of its own: carries are leaves of it, tensors from outside are captured, the counter
//! is a step that subscripts may use. In the body a carry is an ordinary name; its last binding is the next
//! value. The IR stacks what is collected on a new first axis; another axis is a transpose after it.

use crate::sema::scope::report::Problem;
use crate::sema::scope::report::scans::{CarryError, ScanError};
use crate::sema::scope::report::shapes::Shape;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Interval, ParameterSet, Tensor, Value};
use crate::base::Span;
use crate::ir::{Dim, Elem, NodeId, Op, OutputKey, Scan, StepId};
use crate::syntax::ast::{self, StatementKind};
use std::sync::Arc;

/// A recurrence whose body is being elaborated.
#[derive(Debug)]
pub struct Open {
    /// How many calls were open: `collect` belongs to the scan of the same body.
    depth: usize,
    collected: Vec<Collected>,
}

/// `collect name = value along axis`
#[derive(Debug)]
struct Collected {
    name: ast::Name,
    /// `None` after an error.
    tensor: Option<Tensor>,
    axis: usize,
}

/// `carry name: type = value`
struct Carry<'t> {
    name: &'t ast::Name,
    /// The starting value, of a set of parameters those of all; `None` after an error.
    start: Option<Start>,
    expected: Option<Expected>,
    /// Of a carry declared as `class(n)`: that n.
    class: Option<Dim>,
    /// Its type, or its name if none is written.
    declared: Span,
}

/// What a carry is worth before the first step.
#[derive(Clone)]
enum Start {
    Tensor(Tensor),
    /// A carry in the IR for each parameter.
    Parameters(ParameterSet),
}

impl Start {
    fn tensors(&self) -> Vec<&Tensor> {
        match self {
            Start::Tensor(tensor) => vec![tensor],
            Start::Parameters(set) => set.entries.iter().map(|(_, tensor)| tensor).collect(),
        }
    }

    fn tensor(&self) -> Option<&Tensor> {
        match self {
            Start::Tensor(tensor) => Some(tensor),
            Start::Parameters(_) => None,
        }
    }
}

impl Carry<'_> {
    /// The value that the tensors make, one for each carry of the IR.
    fn value(&self, tensors: &mut dyn Iterator<Item = Tensor>) -> Value {
        match &self.start {
            None => Value::Error,
            Some(Start::Tensor(start)) => {
                tensors.next().map_or(Value::Error, |tensor| Value::Tensor(self.known(tensor, start)))
            }
            Some(Start::Parameters(set)) => {
                let made: Vec<Tensor> = tensors.take(set.entries.len()).collect();
                match made.len() == set.entries.len() {
                    true => Value::Parameters(set.with_tensors(made)),
                    false => Value::Error,
                }
            }
        }
    }

    /// What is known of the carry's value in every step, and after the last.
    fn known(&self, value: Tensor, start: &Tensor) -> Tensor {
        let interval = self.class.as_ref().map(Interval::below);
        Tensor { stretch: start.stretch.clone(), interval, ..value }
    }
}

/// Elaborates a scan statement: binds the carries and what is collected in the frame of the call.
pub fn scan(elaborator: &mut Elaborator<'_>, scan: &ast::Scan, span: Span) {
    let trip = elaborator.size(&scan.bound, "the number of steps");
    let carries = elaborator.carries(&scan.body);
    let step = elaborator.new_step_id();
    let opened = elaborator.frame_mut().open();
    elaborator.open_level(step, trip.clone().unwrap_or(Dim::ONE));
    let depth = elaborator.frames.len();
    elaborator.scans.push(Open { depth, collected: Vec::new() });
    elaborator.scan_body(scan, &carries, step, &trip.clone().unwrap_or(Dim::ONE));
    let next: Vec<Option<Vec<Tensor>>> = carries.iter().map(|carry| elaborator.next_value(carry, scan)).collect();
    let Some(open) = elaborator.scans.pop() else { return };
    let outputs = elaborator.scan_outputs(&carries, &next, &open.collected, span);
    elaborator.frame_mut().close(opened);
    let Some(mut level) = elaborator.close_level() else { return };
    level.graph = elaborator.compact_body(&level.graph, step);
    let results = match (trip, outputs) {
        (Some(trip), Some(())) if elaborator.has_steps(scan, &trip, &open.collected) => {
            let scan = Scan {
                step,
                trip,
                reverse: scan.reverse.is_some(),
                n_carries: carries.iter().filter_map(|carry| carry.start.as_ref()).map(|start| start.tensors().len()).sum(),
                body: level.graph,
            };
            elaborator.scan_results(scan, &carries, level.captures, span)
        }
        _ => None,
    };
    let mut results = results.into_iter().flatten();
    for carry in &carries {
        let value = carry.value(&mut results);
        elaborator.bind_local(carry.name, value);
    }
    for collected in open.collected {
        let value = match results.next() {
            Some(stacked) => elaborator.along(&stacked, &collected, span),
            None => Value::Error,
        };
        elaborator.bind_local(&collected.name, value);
    }
}

/// `collect name = value along axis`, at its place in the body of a scan.
pub fn collect(
    elaborator: &mut Elaborator<'_>,
    name: &ast::Name,
    value: &ast::Expr,
    axis: Option<&ast::Expr>,
    span: Span,
) {
    let depth = elaborator.frames.len();
    if elaborator.scans.last().is_none_or(|open| open.depth != depth) {
        elaborator.report(ScanError::CollectOutside { at: span });
        elaborator.bind_local(name, Value::Error);
        return;
    }
    let made = elaborator.expr(value, None);
    let tensor = elaborator.to_tensor(&made, value.span);
    let place = match (axis, &tensor) {
        (Some(axis), Some(tensor)) => elaborator.collect_axis(axis, tensor),
        (None, _) => Some(0),
        (Some(_), None) => None,
    };
    let first = elaborator
        .scans
        .last()
        .and_then(|open| open.collected.iter().find(|collected| collected.name.text == name.text).map(|collected| collected.name.span));
    if let Some(first) = first {
        elaborator.report(ScanError::CollectedTwice { name: name.clone(), first });
        return;
    }
    let collected = Collected {
        name: name.clone(),
        tensor: tensor.filter(|_| place.is_some()),
        axis: place.unwrap_or(0),
    };
    if let Some(open) = elaborator.scans.last_mut() {
        open.collected.push(collected);
    }
}

/// `carry` anywhere but directly in the body of a scan.
pub fn misplaced_carry(elaborator: &mut Elaborator<'_>, name: &ast::Name, span: Span) {
    let depth = elaborator.frames.len();
    if elaborator.scans.last().is_some_and(|open| open.depth == depth) {
        elaborator.report(CarryError::Misplaced { name: name.clone(), at: span });
    } else {
        elaborator.report(CarryError::OutsideScan { at: span });
    }
    elaborator.bind_local(name, Value::Error);
}

impl Elaborator<'_> {
    /// The carries of a body with their starting values, which are worked out before the first step.
    fn carries<'t>(&mut self, body: &'t ast::Block) -> Vec<Carry<'t>> {
        let mut carries: Vec<Carry<'t>> = Vec::new();
        for statement in &body.statements {
            let StatementKind::Carry { name, ty, value } = &statement.kind else { continue };
            if let Some(first) = carries.iter().find(|carry| carry.name.text == name.text) {
                self.report(CarryError::DeclaredTwice { name: name.clone(), first: first.name.span });
                continue;
            }
            let expected = ty.as_ref().map(|ty| self.declared_type(ty));
            let declared = ty.as_ref().map_or(name.span, |ty| ty.span);
            let broken = matches!(expected, Some(None));
            let expected = expected.flatten();
            let class = ty.as_ref().and_then(|ty| self.declared_class(ty));
            let start = match value {
                Some(value) => {
                    let made = self.expr(value, expected.as_ref());
                    if let (Value::Parameters(set), None) = (&made, ty) {
                        let start = Some(Start::Parameters(set.clone()));
                        carries.push(Carry { name, start, expected: None, class: None, declared });
                        continue;
                    }
                    match (&expected, broken) {
                        (_, true) => None,
                        (Some(expected), _) => {
                            let what = format!("the carry `{name}`");
                            let start = self.fit(made, expected, &what, value.span, declared);
                            match self.within_class(start, class.as_ref(), &what, value.span, declared) {
                                Value::Tensor(tensor) => Some(tensor),
                                _ => None,
                            }
                        }
                        (None, _) => self.to_tensor(&made, value.span),
                    }
                }
                None => {
                    self.report(CarryError::NoStart { name: name.clone(), at: statement.span });
                    None
                }
            };
            let expected = start.as_ref().map(Expected::of).or(expected);
            let start = start.map(Start::Tensor);
            carries.push(Carry { name, start, expected, class, declared });
        }
        carries
    }

    /// Elaborates the body of one step.
    fn scan_body(&mut self, scan: &ast::Scan, carries: &[Carry<'_>], step: StepId, trip: &Dim) {
        let variable = &scan.variable;
        let counter = self.step_tensor(step, trip, variable.span);
        self.frame_mut().bind(variable.text.clone(), counter, variable.span, BindingKind::Step);
        let mut index = 0;
        for carry in carries {
            let mut leaves = Vec::new();
            for start in carry.start.iter().flat_map(Start::tensors) {
                let op = Op::Carry { index, ty: start.ty.clone() };
                leaves.push(self.add(carry.name.span, op, Vec::new()));
                index += 1;
            }
            let value = carry.value(&mut leaves.into_iter());
            self.bind_name(carry.name.text.clone(), value, carry.name.span, BindingKind::Carry);
        }
        for statement in &scan.body.statements {
            if self.limits.is_reached() {
                return;
            }
            if !matches!(statement.kind, StatementKind::Carry { .. }) {
                self.statement(statement);
            }
        }
        if let Some(value) = &scan.body.value {
            self.expr(value, None);
            self.report(ScanError::BodyValue { at: value.span });
        }
    }

    /// What a carry is worth after the step: its last binding. `None` is reported.
    fn next_value(&mut self, carry: &Carry<'_>, scan: &ast::Scan) -> Option<Vec<Tensor>> {
        let name = carry.name;
        let (value, kind, at) =
            self.frame().find(&name.text).map(|binding| (binding.value.clone(), binding.kind, binding.span))?;
        if kind == BindingKind::Carry {
            self.report(CarryError::NeverChanges { name: name.clone(), scan: scan.header_span });
            return None;
        }
        if let Some(Start::Parameters(start)) = &carry.start {
            return self.next_set(carry, start, &value, at);
        }
        let expected = carry.expected.as_ref()?;
        carry.start.as_ref()?.tensor()?;
        if value.is_error() {
            return None;
        }
        if let Value::Tensor(tensor) = &value {
            let elem = expected.elem.unwrap_or(Elem::Float);
            let loses = tensor.ty.elem != elem && (tensor.ty.elem == Elem::Float || elem == Elem::Bool);
            if tensor.ty.shape != expected.shape() || loses {
                self.report(CarryError::OtherType {
                    name: name.clone(),
                    start: Shape::new(elem, &expected.axes),
                    next: Shape::of(tensor),
                    loses,
                    at,
                    declared: carry.declared,
                });
                return None;
            }
        }
        let what = format!("the carry `{name}`");
        let next = self.fit(value, expected, &what, at, carry.declared);
        match self.within_class(next, carry.class.as_ref(), &what, at, carry.declared) {
            Value::Tensor(tensor) => Some(vec![tensor]),
            _ => None,
        }
    }

    /// The next value of a carry that is a set of parameters. `None` is reported.
    fn next_set(
        &mut self,
        carry: &Carry<'_>,
        start: &ParameterSet,
        value: &Value,
        at: Span,
    ) -> Option<Vec<Tensor>> {
        match value {
            Value::Error => None,
            Value::Parameters(next) => {
                let fits = self.same_parameters(start, carry.declared, next, at);
                fits.then(|| next.entries.iter().map(|(_, tensor)| tensor.clone()).collect())
            }
            next => {
                let (name, of, next) = (carry.name.clone(), start.name.clone(), next.clone());
                self.report(CarryError::NoParameters { name, of, next, at, declared: carry.declared });
                None
            }
        }
    }

    /// The outputs of the body: the next carries, then what is collected. `None` was reported.
    fn scan_outputs(
        &mut self,
        carries: &[Carry<'_>],
        next: &[Option<Vec<Tensor>>],
        collected: &[Collected],
        span: Span,
    ) -> Option<()> {
        let mut outputs: Vec<(Arc<str>, NodeId)> = Vec::new();
        for (carry, next) in carries.iter().zip(next) {
            let next = next.as_ref()?;
            for (at, tensor) in next.iter().enumerate() {
                let node = self.node(tensor, span)?;
                let name = match next.len() {
                    1 => carry.name.text.clone(),
                    _ => format!("{}.{at}", carry.name).into(),
                };
                outputs.push((name, node));
            }
        }
        for value in collected {
            let node = self.node(value.tensor.as_ref()?, span)?;
            outputs.push((value.name.text.clone(), node));
        }
        for (name, node) in outputs {
            self.graph_mut().output(OutputKey::Named(name), node);
        }
        Some(())
    }

    /// Whether there is anything to collect: reports a scan over no steps.
    fn has_steps(&mut self, scan: &ast::Scan, trip: &Dim, collected: &[Collected]) -> bool {
        let Some(first) = collected.first() else { return true };
        if trip.at_least(&Dim::ONE) {
            return true;
        }
        let (steps, collected, at) = (trip.clone(), first.name.clone(), scan.header_span);
        let error = ScanError::NoSteps { steps, collected, at };
        if trip.as_number().is_none() {
            let message = error.diagnostic(self.sources).message;
            self.defer(trip - &Dim::ONE, at, message);
            return true;
        }
        self.report(error);
        false
    }

    /// The scan and its results in the graph around it.
    fn scan_results(
        &mut self,
        scan: Scan,
        carries: &[Carry<'_>],
        captures: Vec<NodeId>,
        span: Span,
    ) -> Option<Vec<Tensor>> {
        let mut operands = Vec::new();
        for carry in carries {
            for start in carry.start.as_ref()?.tensors() {
                operands.push(self.node(start, span)?);
            }
        }
        operands.extend(captures);
        let results = scan.body.outputs.len();
        let made = self.add(span, Op::Scan(Arc::new(scan)), operands);
        Some((0..results).map(|index| self.add(span, Op::Result(index as u32), vec![made.node])).collect())
    }

    /// The axis of the stack along which values lie one after the other.
    fn collect_axis(&mut self, axis: &ast::Expr, tensor: &Tensor) -> Option<usize> {
        let number = self.compile_time_int(axis, "the axis of a `collect`")?;
        let rank = tensor.rank() as i64 + 1;
        let place = if number < 0 { number + rank } else { number };
        if !(0..rank).contains(&place) {
            let (rank, element) = (rank as usize, Shape::of(tensor));
            self.report(ScanError::Axis { axis: number, rank, element, at: axis.span });
            return None;
        }
        Some(place as usize)
    }

    /// The stack of what was collected, with the axis of the steps where it was asked for.
    fn along(&mut self, stacked: &Tensor, collected: &Collected, span: Span) -> Value {
        let of_element = collected.tensor.as_ref().map_or(Vec::new(), |tensor| tensor.stretch.clone());
        let stretch: Vec<bool> = std::iter::once(false).chain(of_element).collect();
        // Each step has collected a value of this interval.
        let interval = collected.tensor.as_ref().and_then(|tensor| tensor.interval.clone());
        let stacked = Tensor { stretch, interval, span: collected.name.span, ..stacked.clone() };
        if collected.axis == 0 {
            return Value::Tensor(stacked);
        }
        let mut order: Vec<usize> = (1..stacked.rank()).collect();
        order.insert(collected.axis, 0);
        self.permute(&stacked, &order, span)
    }
}
