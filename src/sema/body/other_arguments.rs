//! Derivatives by an argument that other arguments are computed from: `part(x, 2 * x)` where the body of `part` has
//! `grad(x * h, x)`.
//!
//! A parameter of a function is what is given, so such a derivative counts both ways. Where the body itself treats
//! the other argument as a function of this one, `grad(h, x)`, that is meant; otherwise it is told.

use crate::base::Span;
use crate::ir::{Graph, NodeId};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::frames::{BindingKind, FrameKind};
use crate::sema::scope::report::parameter_sets::DerivativeWarning;
use crate::sema::value::Value;
use crate::sema::walk;
use crate::syntax::ast::{Block, Expr, ExprKind, StatementKind};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

impl Elaborator<'_> {
    /// Tells if `y`, which is differentiated by the parameter `variable`, has another argument in it that was computed
    /// from what is given for `variable`.
    pub fn tell_other_arguments(&mut self, y: &Expr, variable: &Expr, by: NodeId, at: Span) {
        let (FrameKind::Function, Some(name)) = (&self.frame().kind, variable.as_name()) else { return };
        let Some(item) = self.frame().item.clone() else { return };
        let Some(definition) = item.definition() else { return };
        let Some(parameters) = &definition.inputs else { return };
        let is_parameter = |name: &str| parameters.parameters.iter().any(|known| known.name.as_str() == name);
        // A binding of the body hides the parameter, and is a variable of its own.
        let is_input = self.frame().find(name).is_some_and(|binding| binding.kind == BindingKind::Input);
        if !is_input || !is_parameter(name) {
            return;
        }
        let body = Body::of(&definition.body);
        let named = body.named(y);
        if !named.contains(name) {
            return;
        }
        let others = named.iter().filter(|other| *other != name && is_parameter(other) && !body.follows(other, name));
        let call = self.frame().call;
        for other in others {
            let given = self.frame().find(other).map(|binding| (binding.kind, binding.value.clone()));
            let Some((BindingKind::Input, Value::Tensor(given))) = given else { continue };
            if given.level == self.level().id && depends(self.graph(), given.node, by) {
                let (variable, other) = (name.clone(), other.clone());
                self.report(DerivativeWarning::OtherArgument { variable, other, at, call });
                return;
            }
        }
    }
}

/// Whether a node is computed from another one, or is it.
fn depends(graph: &Graph, node: NodeId, on: NodeId) -> bool {
    node == on || node > on && graph.reachable([node])[on.0 as usize]
}

/// What a body gives names to.
struct Body<'a> {
    bound: HashMap<Arc<str>, Vec<&'a Expr>>,
    /// The derivatives in it: of what, by which name.
    derivatives: Vec<(Expr, Arc<str>)>,
}

impl<'a> Body<'a> {
    fn of(block: &'a Block) -> Body<'a> {
        let mut body = Body { bound: HashMap::new(), derivatives: Vec::new() };
        body.add(block);
        body
    }

    fn add(&mut self, block: &'a Block) {
        for statement in &block.statements {
            match &statement.kind {
                StatementKind::Bind { target, value, .. } => {
                    let name = match target.parts.as_slice() {
                        [only] => only.as_plain(),
                        _ => None,
                    };
                    self.bind(name, value);
                }
                StatementKind::Unpack { names, value, .. } => {
                    names.iter().flatten().for_each(|name| self.bind(Some(&name.text), value));
                }
                StatementKind::Define(define) => self.bind(Some(&define.name.text), &define.value),
                StatementKind::Carry { name, value: Some(value), .. } => self.bind(Some(&name.text), value),
                StatementKind::Collect { name, value, .. } => self.bind(Some(&name.text), value),
                StatementKind::Scan(scan) => self.add(&scan.body),
                StatementKind::For(header) => self.add(&header.body),
                _ => {}
            }
        }
        block.value.iter().for_each(|value| self.find_derivatives(value));
    }

    fn bind(&mut self, name: Option<&Arc<str>>, value: &'a Expr) {
        self.find_derivatives(value);
        if let Some(name) = name {
            self.bound.entry(name.clone()).or_default().push(value);
        }
    }

    fn find_derivatives(&mut self, value: &Expr) {
        walk::expr(value, &mut |part| {
            let found = derivative(part).and_then(|(of, by)| Some((of.clone(), by.as_name()?.clone())));
            self.derivatives.extend(found);
        });
    }

    /// The names that a value is made of, those of the body followed to what they are bound to. What a derivative is
    /// taken by does not count.
    fn named(&self, value: &Expr) -> BTreeSet<Arc<str>> {
        let mut found = BTreeSet::new();
        self.collect(value, &mut found);
        found
    }

    fn collect(&self, value: &Expr, found: &mut BTreeSet<Arc<str>>) {
        if let Some((of, _)) = derivative(value) {
            return self.collect(of, found);
        }
        if let Some(name) = value.as_name()
            && found.insert(name.clone())
        {
            self.bound.get(name).into_iter().flatten().for_each(|bound| self.collect(bound, found));
        }
        walk::parts(value, &mut |part| self.collect(part, found));
    }

    /// Whether the body takes the derivative of something that this argument is in and the variable is not: then the
    /// argument is a function of the variable.
    fn follows(&self, argument: &Arc<str>, variable: &Arc<str>) -> bool {
        self.derivatives.iter().any(|(of, by)| {
            let named = self.named(of);
            by == variable && named.contains(argument) && !named.contains(variable)
        })
    }
}

/// The y and x of `grad(y, x)`.
fn derivative(value: &Expr) -> Option<(&Expr, &Expr)> {
    let ExprKind::Call { callee, args } = &value.kind else { return None };
    match args.args.as_slice() {
        [y, x] if callee.as_name().is_some_and(|name| &**name == "grad") => Some((&y.value, &x.value)),
        _ => None,
    }
}
