//! `loss at x` in an optimiser that sees all its parameters as one vector: the loss of its line at other parameters.

use crate::base::Span;
use crate::ir::{Dim, Type};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::body::losses::loss_of_line;
use crate::sema::scope::context::{LineLoss, TakenAt};
use crate::sema::scope::frames::BindingKind;
use crate::sema::scope::report::optimizers::OptimizerError;
use crate::sema::value::{Axis, Expected, Tensor, Value};
use crate::sema::walk;
use crate::syntax::ast;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

impl Elaborator<'_> {
    /// `expr at x` with a vector x: `loss` in the expression is that at x.
    pub(super) fn taken_at_vector(
        &mut self,
        value: &ast::Expr,
        (vector, at): (&Tensor, Span),
        loss: &LineLoss,
        expected: Option<&Expected>,
    ) -> Value {
        let mut names_loss = false;
        walk::expr(value, &mut |part| names_loss |= part.as_name().is_some_and(|name| &**name == "loss"));
        if !names_loss {
            return self.report(OptimizerError::NoLoss { at: value.span, parameters: at });
        }
        let wanted = loss.of.iter().fold(Dim::ZERO, |sum, (_, ty)| &sum + &ty.count());
        if vector.ty.shape != [wanted.clone()] {
            return self.report(OptimizerError::LossAt { found: Value::Tensor(vector.clone()), wanted, at });
        }
        let Some(parts) = self.parts_of_vector(vector, &loss.of, at) else { return Value::Error };
        let Some(there) = self.line_loss(loss, parts) else { return Value::Error };
        let opened = self.frame_mut().open();
        self.frame_mut().bind("loss", Value::Tensor(there), value.span, BindingKind::Input);
        let made = self.expr(value, expected);
        self.frame_mut().close(opened);
        made
    }

    /// The loss of a line at given parameters. It is made where the line stands, with random draws of its own; what it
    /// calls is no part of what the line itself calls.
    fn line_loss(&mut self, loss: &LineLoss, parts: Vec<(Arc<str>, Tensor)>) -> Option<Tensor> {
        let taken = Arc::new(TakenAt {
            tensors: parts.into_iter().collect(),
            root: Arc::from(""),
            was_read: AtomicBool::new(false),
            outer: None,
        });
        let inner = self.frames.split_off(loss.n_frames);
        let (names, answers) = (self.built.named_values.len(), self.built.answers.len());
        let context = self.context.of_loss().at(taken);
        let made = self.within(context, |cx| loss_of_line(cx, loss.keyword, &loss.line));
        self.built.named_values.truncate(names);
        self.built.answers.truncate(answers);
        self.frames.extend(inner);
        made
    }

    /// Tensors of these types out of a vector that has their elements one after the other. `None` is reported.
    pub fn parts_of_vector(
        &mut self,
        vector: &Tensor,
        of: &[(Arc<str>, Type)],
        span: Span,
    ) -> Option<Vec<(Arc<str>, Tensor)>> {
        let mut start = Dim::ZERO;
        let mut parts = Vec::new();
        for (path, ty) in of {
            let size = ty.count();
            let Value::Tensor(part) = self.window(vector, 0, (&start, &size), span) else { return None };
            let axes: Vec<Axis> = ty.shape.iter().cloned().map(Axis::new).collect();
            let Value::Tensor(part) = self.with_shape(&part, &axes, span) else { return None };
            start = &start + &size;
            parts.push((path.clone(), part));
        }
        Some(parts)
    }
}
