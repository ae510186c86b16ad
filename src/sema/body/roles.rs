//! What each role promises: an init makes the shape asked for, an activation keeps the shape, a loss is a scalar.

use crate::sema::build::roles::body_value_span;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::value::Expected;
use crate::sema::build::elementwise::Arg;
use crate::sema::scope::bodies::sees_all;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::frames::BindingKind;
use crate::sema::body::signature::TypedInput;
use crate::sema::build::tensors::convert;
use crate::sema::value::Value;
use crate::sema::scope::report::numbers::{MakerError, NoShape};
use crate::sema::scope::report::roles::RoleError;
use crate::sema::scope::report::shapes::Shape;
use crate::base::Span;
use crate::ir::{Elem, Scalar};
use crate::sema::scope::report::optimizers::OptimizerBodyError;
use crate::syntax::ast::{self, StatementKind};

impl Elaborator<'_> {
    /// An init: its pattern is matched against the shape asked for.
    pub fn init_body(&mut self, definition: &ast::Definition, asked: Option<&Expected>, span: Span) -> Value {
        let Some(asked) = asked else {
            let what = NoShape::Init(definition.name.to_string());
            return self.report(MakerError::NoShape { what, at: span });
        };
        let asked = Expected { elem: Some(Elem::Float), axes: asked.axes.clone() };
        if let Some(ty) = &definition.result {
            let probe = ast::Name::new("the shape asked", span);
            if !matches!(ty.kind, ast::TypeKind::Tensor { .. }) {
                return Value::Error;
            }
            // The shape is matched like an input's; a tensor of zeros stands for it and is not used.
            let zeros = Value::Tensor(self.fill(&Value::Float(0.0), Elem::Float, &asked.axes, span));
            self.frame_mut().bind(probe.text.clone(), zeros, span, BindingKind::Input);
            let input = TypedInput { name: &probe, ty, span };
            if !self.match_inputs(&[input], definition.name.as_str()) {
                return Value::Error;
            }
        }
        let Some(value) = self.block(&definition.body, Some(&asked)) else {
            return Value::Error;
        };
        let place = body_value_span(&definition.body);
        if let Value::Tensor(tensor) = &value {
            let same = tensor.ty.shape == asked.shape();
            if !same {
                return self.report(RoleError::OtherShape {
                    init: definition.name.clone(),
                    found: Shape::of(tensor),
                    wanted: Shape::new(Elem::Float, &asked.axes),
                    at: place,
                    asked: span,
                });
            }
        }
        self.fit(value, &asked, &format!("the result of `{}`", definition.name), place, span)
    }

    pub fn activation_body(
        &mut self,
        item: &ItemRef,
        definition: &ast::Definition,
        span: Span,
        expected: Option<&Expected>,
    ) -> Value {
        let parameters = definition.inputs.as_ref().map_or(&[][..], |list| &list.parameters);
        let Some(first) = parameters.first() else {
            return self.report(RoleError::NoInput { activation: definition.name.clone() });
        };
        for parameter in &parameters[1..] {
            let Some(binding) = self.frame().find(&parameter.name.text) else { continue };
            if binding.value.is_run_time() || !(binding.value.is_number() || binding.value.is_error()) {
                return self.report(RoleError::RunTimeParameter {
                    activation: definition.name.clone(),
                    parameter: parameter.name.clone(),
                    declared: parameter.span,
                    found: binding.value.clone(),
                    at: binding.span,
                });
            }
        }
        let argument =
            self.frame().find(&first.name.text).map_or(Value::None, |binding| binding.value.clone());
        let argument = match &argument {
            Value::List(_) | Value::Pack(_) => match self.to_tensor(&argument, span) {
                Some(tensor) => Value::Tensor(tensor),
                None => return Value::Error,
            },
            _ => argument,
        };
        if let Some(binding) = self.frame_mut().find_mut(&first.name.text) {
            binding.value = argument.clone();
        }
        let Some(value) = self.block(&definition.body, expected) else { return Value::Error };
        let place = body_value_span(&definition.body);
        let Some(value) = self.keep_shape(value, &argument, definition, place) else { return Value::Error };
        // In its own gradient an activation is differentiated as written.
        let in_own =
            self.frames[..self.frames.len() - 1].iter().any(|frame| frame.item.as_ref() == Some(item));
        match &definition.gradient {
            Some(gradient) if argument.is_run_time() && !in_own => {
                let slope = self.block(gradient, None).unwrap_or(Value::Error);
                if slope.is_error() {
                    return Value::Error;
                }
                let args = [
                    Arg { value: &value, span: place },
                    Arg { value: &argument, span },
                    Arg { value: &slope, span: gradient.span },
                ];
                self.elementwise("combine", &args, span, &mut |l, scalars| {
                    let value = convert(l, scalars[0], Elem::Float);
                    let arg = convert(l, scalars[1], Elem::Float);
                    let slope = convert(l, scalars[2], Elem::Float);
                    l.add(Scalar::WithSlope { value, arg, slope })
                })
            }
            _ => value,
        }
    }
}

/// Reports an optimiser whose body never updates `param`, or `parameters`.
pub fn check_updates(cx: &mut Elaborator<'_>, definition: &ast::Definition) {
    let updated = if sees_all(definition) { "parameters" } else { "param" };
    if updates(&definition.body, updated) {
        return;
    }
    let bound = definition.body.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Bind { target, .. } if target.as_plain().is_some_and(|name| &**name == updated) => {
            Some(target.span)
        }
        _ => None,
    });
    cx.report(OptimizerBodyError::NeverUpdates { optimizer: definition.name.clone(), updated, bound });
}

fn updates(block: &ast::Block, updated: &str) -> bool {
    block.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Update { target, .. } => target.as_plain().is_some_and(|name| &**name == updated),
        StatementKind::If(branches) => {
            branches.branches.iter().any(|branch| updates(&branch.body, updated))
                || branches.otherwise.as_ref().is_some_and(|block| updates(block, updated))
        }
        _ => false,
    })
}
