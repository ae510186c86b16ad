//! Definitions `y[b, o] = …` and `y[dst[e], d] += …`.
//!
//! `=` makes a new tensor, or writes into a declared one; `+=` adds to the earlier tensor of the name. Either is
//! one loop over all indices of the left side; `+=` of a `sum` takes the indices of the sum into that loop.

use crate::sema::build::index::write::Right;
use crate::sema::build::index::write::Target;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::build::operators::interval_of;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::Value;
use super::names::Names;
use crate::sema::build::index::places::Place;
use super::reduce::flattened;
use crate::sema::build::index::reduce::identity;
use super::uses::Uses;
use crate::sema::scope::report::indices::WriteError;
use crate::base::Span;
use crate::ir::Combine;
use crate::syntax::ast::{
    self,
    DefineOp, Expr, ExprKind, IndexDefinition, ReduceIndex, ReduceOp, TargetSubscriptKind,
};

/// `y[b, o] = expr`, `y[dst[e], d] += expr`: binds the new tensor in the frame of the call.
pub fn define(elaborator: &mut Elaborator<'_>, definition: &IndexDefinition) {
    if elaborator.try_define(definition).is_none() {
        elaborator.bind_local(&definition.name, Value::Error);
    }
}

impl Elaborator<'_> {
    /// `None` is reported.
    fn try_define(&mut self, definition: &IndexDefinition) -> Option<()> {
        let mut names = self.left_names(&definition.subscripts);
        if !self.check_index_names(&names) {
            return None;
        }
        let target = self.target(definition)?;
        let has_indices = !names.indices.is_empty() || !names.packs.is_empty();
        if definition.op == DefineOp::Set && target.is_none() && !has_indices {
            self.tell_new_tensor(&definition.name, definition.target_span);
        }
        let (summed, body) = self.summed(definition, &names)?;
        for index in &summed.indices {
            names.indices.push(index.clone());
        }
        names.packs.extend(&summed.packs);
        let mut uses = Uses::of(&names);
        self.look_at_left(&mut uses, definition, target.as_ref());
        self.look_for_uses(&mut uses, body, &mut Vec::new());
        let new = self.ranges(&names, &uses);
        let adds = definition.op == DefineOp::Add;
        let (_, opened) = self.open_frame(false, &new, adds, uses.bases);
        let made = self.define_in_frame(definition, target.as_ref(), body, adds);
        let frame = self.close_frame(opened)?;
        let (places, right, dropping) = made?;
        if new.doubtful {
            return None;
        }
        self.finish_definition(definition, target, frame, places, right, dropping)
    }

    /// Warns where `x[0] = 1` makes a new tensor while an earlier x, which it does not change, has more elements.
    fn tell_new_tensor(&mut self, name: &ast::Name, at: Span) {
        let Some(binding) = self.frame().find(name.as_str()) else { return };
        let has_more = match &binding.value {
            Value::Tensor(tensor) => tensor.ty.shape.iter().any(|size| size.as_number() != Some(1)),
            Value::List(elements) => elements.len() > 1,
            _ => false,
        };
        if has_more {
            let declared = binding.span;
            self.report(WriteError::NewTensor { name: name.clone(), at, declared });
        }
    }

    /// The tensor that is written into: declared, or for `+=` any earlier one of the name.
    /// The outer `None` is reported.
    fn target(&mut self, definition: &IndexDefinition) -> Option<Option<Target>> {
        let name = &definition.name;
        let bound = self.frame().find(&name.text).cloned();
        let (value, span, written) = match (bound, definition.op) {
            (Some(binding), DefineOp::Set) if binding.kind == BindingKind::Declared => {
                (binding.value, binding.span, binding.written)
            }
            (_, DefineOp::Set) => return Some(None),
            (Some(binding), DefineOp::Add) => (binding.value, binding.span, binding.written),
            (None, DefineOp::Add) => match self.global(&name.text, name.span) {
                Some(value) => (value, Span::NONE, Vec::new()),
                None => {
                    self.report(WriteError::NoTarget { name: name.clone() });
                    return None;
                }
            },
        };
        match &value {
            Value::Error => None,
            Value::Tensor(tensor) => Some(Some(Target { tensor: tensor.clone(), span, written })),
            Value::List(_) | Value::Int(_) | Value::Float(_) | Value::Ratio(..) => {
                let tensor = self.to_tensor(&value, name.span)?;
                Some(Some(Target { tensor, span, written }))
            }
            _ => {
                let declared = (!span.is_none()).then_some(span);
                self.report(WriteError::NotAddable { name: name.clone(), found: value, declared });
                None
            }
        }
    }

    /// For `y[…] += sum[i](…)`: the indices of the sum, which become indices of the statement.
    fn summed<'t>(
        &mut self,
        definition: &'t IndexDefinition,
        names: &Names<'_>,
    ) -> Option<(Names<'t>, &'t Expr)> {
        let whole = (Names::default(), &definition.value);
        let ExprKind::Reduce(reduce) = &definition.value.kind else { return Some(whole) };
        if definition.op != DefineOp::Add || reduce.op != ReduceOp::Sum || self.frame().find("sum").is_some()
        {
            return Some(whole);
        }
        let (indices, body) = flattened(reduce);
        let again = |index: &&ReduceIndex| match index {
            ReduceIndex::Index(index) => names.has(&index.name.text),
            ReduceIndex::Pack(pack) => names.packs.iter().any(|known| known.text == pack.text),
        };
        let bounded_by_left = indices.iter().any(|index| match index {
            ReduceIndex::Index(index) => index.bound.as_ref().is_some_and(|bound| mentions(bound, names)),
            ReduceIndex::Pack(_) => false,
        });
        if indices.iter().any(again) || bounded_by_left {
            return Some(whole);
        }
        let summed = self.reducer_names(indices);
        self.check_index_names(&summed).then_some((summed, body))
    }

    /// Bare uses of indices on the left: in the axes of the target, and inside `dst[e]`.
    fn look_at_left(&mut self, uses: &mut Uses, definition: &IndexDefinition, target: Option<&Target>) {
        let mut axes = Vec::new();
        for subscript in &definition.subscripts {
            match &subscript.kind {
                TargetSubscriptKind::Index(index) => {
                    axes.push((Some(index.name.text.clone()), 1, subscript.span))
                }
                TargetSubscriptKind::Pack(pack) => {
                    let width = match self.frame().find(&pack.text).map(|binding| &binding.value) {
                        Some(Value::Pack(sizes)) => sizes.len(),
                        _ => 0,
                    };
                    axes.push((None, width, subscript.span));
                }
                TargetSubscriptKind::Expr(expr) => {
                    axes.push((None, 1, subscript.span));
                    self.look_for_uses(uses, expr, &mut Vec::new());
                    uses.note_compound(expr, &[]);
                }
            }
        }
        if let Some(target) = target {
            uses.note_target(&target.tensor, definition.name.as_str(), &axes);
        }
    }

    /// Elaborates both sides in the frame. `None` is reported.
    fn define_in_frame(
        &mut self,
        definition: &IndexDefinition,
        target: Option<&Target>,
        body: &Expr,
        adds: bool,
    ) -> Option<(Vec<Place>, Right, bool)> {
        let places = self.left_places(definition, target);
        let value = self.expr(body, None);
        let scalar = self.indexed_scalar(&value, body.span)?;
        let elem = self.with_index_body(|l| l.elem(scalar))?;
        let (interval, field) = match &value {
            Value::Indexed(indexed) => (interval_of(&value), indexed.field.clone()),
            _ => (interval_of(&value), None),
        };
        let places = places?;
        let (scalar, elem) = match target {
            Some(target) => self.in_type_of(scalar, elem, target, definition, body.span)?,
            None => (scalar, elem),
        };
        let dropping = self.fits_target(definition, target, &places, adds)?;
        let scalar = match self.skip_condition() {
            Some(condition) => self.with_index_body(|l| {
                let nothing = identity(l, Combine::Add, scalar);
                l.select(condition, scalar, nothing)
            })?,
            None => scalar,
        };
        Some((places, Right { scalar, elem, interval, field }, dropping))
    }

    /// The subscripts of the left side, one for each axis.
    fn left_places(&mut self, definition: &IndexDefinition, target: Option<&Target>) -> Option<Vec<Place>> {
        let mut places = Vec::new();
        let mut fits = true;
        for subscript in &definition.subscripts {
            let size = target.and_then(|target| target.tensor.ty.shape.get(places.len()).cloned());
            let value = match &subscript.kind {
                TargetSubscriptKind::Index(index) => self.name(&index.name.text, index.name.span),
                TargetSubscriptKind::Expr(expr) => self.expr(expr, None),
                TargetSubscriptKind::Pack(pack) => {
                    match self.pack_places(pack, subscript.span) {
                        Some(more) => places.extend(more),
                        None => fits = false,
                    }
                    continue;
                }
            };
            match self.place(&value, size.as_ref(), subscript.span) {
                Some(place) => places.push(place),
                None => {
                    fits = false;
                    places.push(Place::broken(subscript.span));
                }
            }
        }
        fits.then_some(places)
    }
}

fn mentions(expr: &Expr, names: &Names<'_>) -> bool {
    let mut is_named = false;
    crate::sema::walk::expr(expr, &mut |part| is_named |= part.as_name().is_some_and(|name| names.has(name)));
    is_named
}
