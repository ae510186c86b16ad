//! Functions that declare their derivative: `fn f(x, w) = … gradient …`.
//!
//! The arguments are marked, so that what the function computes of them is told apart from what it computes of
//! anything else. The clause is elaborated once, out of a tensor that stands for the adjoint of the result; see
//! [`crate::grad`] for what becomes of it.

use crate::base::Span;
use crate::ir::program::Declared;
use crate::ir::{Elem, LoopBuilder, NodeId, Op, ScalarId, UnaryOp};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::elementwise::Arg;
use crate::sema::build::roles::body_value_span;
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::gradients::GradientError;
use crate::sema::value::{Expected, ParameterSet, Tensor, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// An argument that has a derivative.
enum Argument {
    Tensor(Arc<str>, Tensor),
    Parameters(Arc<str>, ParameterSet),
}

impl Argument {
    fn name(&self) -> &Arc<str> {
        match self {
            Argument::Tensor(name, _) | Argument::Parameters(name, _) => name,
        }
    }
}

/// What is given for the arguments that have derivatives, if something is given for all parameters: `none` for those
/// that have none in this call, such as numbers that are known at compile time.
fn of_differentiable(definition: &ast::Definition, arguments: &[Argument], entries: Vec<Value>) -> Vec<Value> {
    let lists = definition.inputs.iter().chain(&definition.hyper);
    let names: Vec<&Arc<str>> = lists.flat_map(|list| &list.parameters).map(|known| &known.name.text).collect();
    let is_counted = |name: &Arc<str>| arguments.iter().any(|argument| argument.name() == name);
    let is_of_all = entries.len() == names.len() && entries.len() > arguments.len();
    let fits = |(name, entry): (&&Arc<str>, &Value)| is_counted(name) || matches!(entry, Value::None);
    if !is_of_all || !names.iter().zip(&entries).all(fits) {
        return entries;
    }
    names.iter().zip(entries).filter(|(name, _)| is_counted(name)).map(|(_, entry)| entry).collect()
}

impl Elaborator<'_> {
    /// The result of a function whose parameters are bound in the present frame, with the derivative that it declares.
    pub fn with_declared_gradient(
        &mut self,
        definition: &ast::Definition,
        gradient: &ast::Block,
        span: Span,
    ) -> Value {
        let Some(arguments) = self.marked_arguments(definition, span) else { return Value::Error };
        let value = self.function_body(definition, definition.name.as_str());
        let place = body_value_span(&definition.body);
        let tensor = match value {
            Value::Error => return Value::Error,
            Value::Tensor(tensor) if tensor.ty.elem == Elem::Float => tensor,
            value if value.is_number() => return value,
            found => return self.report(GradientError::NotOneTensor { found, at: place }),
        };
        let Some(node) = self.node(&tensor, place) else { return Value::Error };
        if !self.knows_all(node, &arguments, definition, span) {
            return Value::Error;
        }
        let ones = self.fill(&Value::Float(1.0), Elem::Float, &tensor.axes(), gradient.span);
        let whole = [Arg { value: &Value::Tensor(tensor.clone()), span: place }];
        let stop = &mut |l: &mut LoopBuilder<'_>, scalars: &[ScalarId]| l.unary(UnaryOp::Stop, scalars[0]);
        let constant = self.elementwise("stop", &whole, place, stop);
        let Value::Tensor(adjoint) = self.mark(Value::Tensor(ones), gradient.span) else { return Value::Error };
        let Value::Tensor(result) = self.mark(constant, gradient.span) else { return Value::Error };
        let opened = self.frame_mut().open();
        let given = [("adjoint", adjoint.clone()), ("result", result.clone())];
        for (name, tensor) in given {
            self.frame_mut().bind(name, Value::Tensor(tensor), gradient.span, BindingKind::Local);
        }
        let found = self.block(gradient, None);
        self.frame_mut().close(opened);
        let entries = match found {
            None | Some(Value::Error) => return Value::Error,
            Some(Value::Tuple(entries)) => entries.to_vec(),
            Some(one) => vec![one],
        };
        let at = body_value_span(gradient);
        let entries = of_differentiable(definition, &arguments, entries);
        if entries.len() > arguments.len() {
            let (found, wanted) = (entries.len(), arguments.len());
            return self.report(GradientError::TooMany { found, wanted, function: definition.name.clone(), at });
        }
        let places = self.node(&adjoint, at).zip(self.node(&result, at));
        let Some((adjoint, result)) = places else { return Value::Error };
        let mut operands = vec![node, adjoint, result];
        for (argument, entry) in arguments.iter().zip(entries) {
            if self.contribution(argument, entry, at, &mut operands).is_none() {
                return Value::Error;
            }
        }
        self.ids.mark += 1;
        let mark = Op::Mark(self.ids.mark);
        let made = self.add(span, mark, operands);
        let node = self.level().step.is_none().then_some(made.node);
        let (function, place) = (definition.name.text.clone(), self.user_place(span));
        let is_surrogate = definition.is_surrogate;
        self.built.declared.push(Declared { node, function, is_surrogate, span: place });
        Value::Tensor(Tensor { stretch: tensor.stretch.clone(), span: tensor.span, ..made })
    }

    /// Marks the arguments that have derivatives, in the order of the parameters.
    fn marked_arguments(&mut self, definition: &ast::Definition, span: Span) -> Option<Vec<Argument>> {
        let mut arguments = Vec::new();
        let lists = definition.inputs.iter().chain(&definition.hyper);
        for parameter in lists.flat_map(|list| &list.parameters) {
            let name = parameter.name.text.clone();
            let value = self.frame().find(&name)?.value.clone();
            let marked = match value {
                Value::Tensor(tensor) if tensor.ty.elem == Elem::Float => {
                    let Value::Tensor(marked) = self.mark(Value::Tensor(tensor), span) else { return None };
                    arguments.push(Argument::Tensor(name.clone(), marked.clone()));
                    Value::Tensor(marked)
                }
                value if crate::sema::build::tensors::is_literal_list(&value) => {
                    let Value::Tensor(marked) = self.mark(value, span) else { return None };
                    arguments.push(Argument::Tensor(name.clone(), marked.clone()));
                    Value::Tensor(marked)
                }
                Value::Parameters(set) => {
                    let tensors = set.entries.iter().map(|(_, tensor)| tensor.clone());
                    let mut marked = Vec::new();
                    for tensor in tensors {
                        let Value::Tensor(tensor) = self.mark(Value::Tensor(tensor), span) else { return None };
                        marked.push(tensor);
                    }
                    let set = set.with_tensors(marked);
                    arguments.push(Argument::Parameters(name.clone(), set.clone()));
                    Value::Parameters(set)
                }
                _ => continue,
            };
            if let Some(binding) = self.frame_mut().find_mut(&name) {
                binding.value = marked;
            }
        }
        Some(arguments)
    }

    /// Whether the result has derivatives by its arguments only: by parameters that the function reads by
    /// itself, nothing would know one.
    fn knows_all(
        &mut self,
        result: NodeId,
        arguments: &[Argument],
        definition: &ast::Definition,
        span: Span,
    ) -> bool {
        let mut ends: Vec<NodeId> = Vec::new();
        for argument in arguments {
            match argument {
                Argument::Tensor(_, tensor) => ends.push(tensor.node),
                Argument::Parameters(_, set) => ends.extend(set.entries.iter().map(|(_, tensor)| tensor.node)),
            }
        }
        let level = self.level();
        let graph = &level.graph;
        let mut waiting = vec![result];
        let mut seen = vec![false; graph.len()];
        let mut read: Vec<(NodeId, Arc<str>)> = Vec::new();
        while let Some(id) = waiting.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) || ends.contains(&id) {
                continue;
            }
            match &graph[id].op {
                Op::Param { path, .. } => read.push((id, path.clone())),
                Op::Capture { index, .. } => {
                    let outer = self.levels.len().checked_sub(2).map(|at| &self.levels[at].graph);
                    let node = outer.zip(level.captures.get(*index as usize)).map(|(graph, at)| &graph[*at].op);
                    if let Some(Op::Param { path, .. }) = node {
                        read.push((id, path.clone()));
                    }
                }
                _ => waiting.extend(&graph[id].operands),
            }
        }
        let from: Vec<NodeId> = read.iter().map(|(id, _)| *id).collect();
        if !crate::grad::dependents(graph, &from)[result.0 as usize] {
            return true;
        }
        let trained = read.into_iter().map(|(_, path)| path);
        let trained = trained.filter(|path| self.variables.find(path).is_some_and(|known| !known.frozen));
        let Some(path) = trained.min() else { return true };
        self.report(GradientError::ReadsParameters { path, function: definition.name.clone(), at: span });
        false
    }

    /// Adds an argument and what it contributes to the operands. `None` is reported.
    fn contribution(
        &mut self,
        argument: &Argument,
        entry: Value,
        at: Span,
        operands: &mut Vec<NodeId>,
    ) -> Option<()> {
        if matches!(entry, Value::None) {
            return Some(());
        }
        match argument {
            Argument::Tensor(name, tensor) => {
                let what = format!("the gradient of `{name}`");
                let fitted = self.fit(entry, &Expected::of(tensor), &what, at, at);
                if fitted.is_error() {
                    return None;
                }
                let fitted = self.to_tensor(&fitted, at)?;
                operands.extend([self.node(tensor, at)?, self.node(&fitted, at)?]);
            }
            Argument::Parameters(name, set) => {
                let Value::Parameters(found) = entry else {
                    self.report(GradientError::NotParameters { name: name.clone(), found: entry, at });
                    return None;
                };
                if !self.same_parameters(set, at, &found, at) {
                    return None;
                }
                for (path, tensor) in set.entries.iter() {
                    let (_, contribution) = found.entries.iter().find(|(other, _)| other == path)?;
                    operands.extend([self.node(tensor, at)?, self.node(contribution, at)?]);
                }
            }
        }
        Some(())
    }
}
