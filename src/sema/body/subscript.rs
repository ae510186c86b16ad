//! Subscripts as they are written, `x[:, 0]`, `x[1:]`, `x[..., -1]`: what stands in the brackets becomes values. What
//! these mean is said in [`crate::sema::build::subscripts`].

use crate::base::Span;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::subscripts::{Slice, Subscript};
use crate::sema::scope::report::subscripts::SubscriptError;
use crate::sema::value::{Tensor, Value};
use crate::syntax::ast::{self, SubscriptKind};

impl Elaborator<'_> {
    pub fn subscript(
        &mut self,
        base: Value,
        base_span: Span,
        subscripts: &ast::Subscripts,
        span: Span,
    ) -> Value {
        if self.in_elementwise_body() && base.is_run_time() {
            return self.not_elementwise("a subscript", span);
        }
        match &base {
            Value::Error => Value::Error,
            Value::List(_) | Value::Pack(_) if !self.mentions_index(subscripts) => {
                self.subscript_of_list(&base, base_span, subscripts, span)
            }
            Value::Instance(_) if !self.mentions_index(subscripts) && base.elements().is_some() => {
                let row = Value::List(base.elements().unwrap_or_default().into());
                self.subscript_of_list(&row, base_span, subscripts, span)
            }
            Value::Indexed(_) => self.report(SubscriptError::OfIndexed { at: span }),
            _ if self.mentions_index(subscripts) => match self.to_tensor(&base, base_span) {
                Some(tensor) => super::index::subscript(self, &tensor, subscripts, span),
                None => Value::Error,
            },
            Value::Tensor(tensor) => self.subscript_of_tensor(tensor, base_span, subscripts, span),
            _ => self.report(SubscriptError::NoElements { found: base.clone(), base: base_span }),
        }
    }

    /// Whether a subscript stands in index notation: it names an index, a pack of indices, or has an `else`.
    pub fn mentions_index(&self, subscripts: &ast::Subscripts) -> bool {
        if subscripts.otherwise.is_some()
            || subscripts.items.iter().any(|item| matches!(item.kind, SubscriptKind::Pack(_)))
        {
            return true;
        }
        if self.index_frames.is_empty() {
            return false;
        }
        let mut is_named = false;
        crate::sema::walk::subscripts(subscripts, &mut |expr| match &expr.kind {
            ast::ExprKind::Name(name) => {
                is_named |= self.frame().find(name).is_some_and(|binding| matches!(binding.value, Value::Indexed(_)));
            }
            // `c[y[...s]]`: the element of `y` stands at the place that the pack names.
            ast::ExprKind::Subscript { subscripts, .. } => {
                is_named |= subscripts.items.iter().any(|item| matches!(item.kind, SubscriptKind::Pack(_)));
            }
            _ => {}
        });
        is_named
    }

    fn subscript_of_list(
        &mut self,
        list: &Value,
        base_span: Span,
        subscripts: &ast::Subscripts,
        span: Span,
    ) -> Value {
        if let [subscript] = subscripts.items.as_slice()
            && let Some(subscript) = self.elaborated_subscript(subscript)
            && !matches!(subscript, Subscript::New | Subscript::Rest)
        {
            return self.element_of_list(list, base_span, &subscript, span);
        }
        match self.to_tensor(list, base_span) {
            Some(tensor) => self.subscript_of_tensor(&tensor, base_span, subscripts, span),
            None => Value::Error,
        }
    }

    fn subscript_of_tensor(
        &mut self,
        tensor: &Tensor,
        base_span: Span,
        subscripts: &ast::Subscripts,
        span: Span,
    ) -> Value {
        if !self.has_axes_for(tensor, base_span, subscripts) {
            return Value::Error;
        }
        let items = subscripts.items.iter();
        let given: Option<Vec<Subscript>> = items.map(|item| self.elaborated_subscript(item)).collect();
        match given {
            Some(given) => self.slice(tensor, base_span, &given, span),
            None => Value::Error,
        }
    }

    /// Whether a subscript is what makes an axis in Python: `None`, `np.newaxis`.
    fn means_new_axis(&self, at: &ast::Expr) -> bool {
        match self.text(at.span) {
            "none" | "np.newaxis" | "tf.newaxis" | "torch.newaxis" => true,
            word @ ("None" | "newaxis") => self.frame().find(word).is_none(),
            _ => false,
        }
    }

    /// `None` for what is reported and for a pack of indices, which stands in index notation only.
    fn elaborated_subscript(&mut self, subscript: &ast::Subscript) -> Option<Subscript> {
        if let SubscriptKind::At(at) = &subscript.kind
            && self.means_new_axis(at)
        {
            let word = self.text(at.span).to_owned();
            self.report(SubscriptError::NewAxis { word, at: at.span });
            return None;
        }
        let mut value = |expr: &ast::Expr| (self.expr(expr, None), expr.span);
        Some(match &subscript.kind {
            SubscriptKind::At(at) => {
                let (place, span) = value(at);
                Subscript::At { place, span }
            }
            SubscriptKind::Slice(slice) => {
                let step = slice.step.as_ref().map(&mut value);
                let start = slice.start.as_ref().map(&mut value);
                let end = slice.end.as_ref().map(&mut value);
                Subscript::Slice(Box::new(Slice { start, end, step }), subscript.span)
            }
            SubscriptKind::New => Subscript::New,
            SubscriptKind::Rest => Subscript::Rest,
            SubscriptKind::Pack(_) => return None,
        })
    }
}
