//! The loop of a definition: which shape it writes, that it writes no element twice, what was there before.

use crate::base::Span;
use crate::sema::build::index::places::Subscripted;
use crate::sema::build::tensors::convert;
use crate::sema::scope::report::count;
use crate::sema::value::IntSource;
use crate::sema::value::show_axes;
use crate::syntax::ast::Otherwise;
use crate::sema::build::Builder;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Interval, Tensor, Value};
use super::IndexFrame;
use super::places::Place;
use crate::sema::regions::Region;
use crate::base::Diagnostic;
use crate::ir::{Affine, BinaryOp, Combine, Dim, Elem, LoopBuilder, NodeId, Op, Scalar, ScalarId, Sub};
use crate::syntax::ast::{DefineOp, IndexDefinition};

impl Builder<'_> {
    /// Makes the loop, and binds the name.
    pub fn finish_definition(
        &mut self,
        definition: &IndexDefinition,
        target: Option<Target>,
        frame: IndexFrame,
        places: Vec<Place>,
        right: Right,
        dropping: bool,
    ) -> Option<()> {
        let domain = frame.parts.domain().to_vec();
        let affine: Vec<Option<Affine>> = places.iter().map(Place::affine).collect();
        let region = Region::new(&affine, &domain, definition.target_span);
        let adds = definition.op == DefineOp::Add;
        let shape = match &target {
            Some(target) => target.tensor.ty.shape.clone(),
            None => self.new_shape(definition, &region, &places)?,
        };
        if !adds {
            self.check_once(definition, target.as_ref(), &region, &domain)?;
        }
        let covers_all = region.covered().is_ok_and(|sizes| sizes == shape) && !adds;
        let subs: Vec<Sub> = places.into_iter().map(|place| place.sub).collect();
        let made = self.write_loop(definition, &frame, &shape, subs, &right, dropping, covers_all);
        let earlier = target.as_ref().filter(|_| !covers_all);
        let interval = match earlier {
            None => right.interval.clone(),
            Some(earlier) if !adds => union(earlier.tensor.interval.as_ref(), right.interval.as_ref()),
            Some(_) => None,
        };
        let mut tensor = match earlier {
            Some(earlier) => self.with_earlier(&earlier.tensor, made, definition)?,
            None => made,
        };
        if tensor.ty.elem == Elem::Int {
            tensor.interval = interval;
        }
        if target.is_none() {
            tensor.field = right.field;
        }
        tensor.span = definition.target_span;
        let value = Value::Tensor(tensor);
        let name = definition.name.text.clone();
        match target {
            Some(target) if !adds => {
                let written = target.written.into_iter().chain([region]).collect();
                self.bind_name(name.clone(), value, target.span, BindingKind::Declared);
                if let Some(binding) = self.frame_mut().find_mut(&name) {
                    binding.written = written;
                }
            }
            _ => self.bind_name(name, value, definition.name.span, BindingKind::Local),
        }
        Some(())
    }

    #[expect(clippy::too_many_arguments, reason = "what a loop is made of")]
    pub fn write_loop(
        &mut self,
        definition: &IndexDefinition,
        frame: &IndexFrame,
        shape: &[Dim],
        subs: Vec<Sub>,
        right: &Right,
        dropping: bool,
        covers_all: bool,
    ) -> Tensor {
        let span = definition.target_span.to(definition.value.span);
        let builder = LoopBuilder::resume(self.graph(), frame.parts.clone());
        let in_order =
            (0..subs.len()).all(|axis| matches!(&subs[axis], Sub::Affine(cx) if cx.as_index() == Some(axis)));
        if covers_all
            && in_order
            && let Some(node) = whole_read(&builder, right.scalar)
            && self.graph().shape(node) == shape
        {
            return self.tensor(node, span);
        }
        let combine = if definition.op == DefineOp::Add { Combine::Add } else { Combine::Set };
        debug_assert_eq!(builder.elem(right.scalar), right.elem);
        let node = builder.finish(shape.to_vec(), subs, dropping, combine, right.scalar);
        self.add_loop(span, node)
    }

    /// The shape of a tensor that is not declared: every element is written.
    pub fn new_shape(
        &mut self,
        definition: &IndexDefinition,
        region: &Region,
        places: &[Place],
    ) -> Option<Vec<Dim>> {
        let axis = match region.covered() {
            Ok(sizes) => return Some(sizes),
            Err(axis) => axis,
        };
        let place = &places[axis];
        let text = self.text(place.span);
        let name = &definition.name;
        let (message, label) = match &place.sub {
            Sub::Value(_) => (
                format!("the shape of `{name}` is not known"),
                format!("`{text}` is an element of an integer tensor"),
            ),
            Sub::Affine(_) => (
                format!("not every element of `{name}` is written exactly once"),
                format!("`{text}` does not go through all places from 0, each once"),
            ),
        };
        let error = Diagnostic::error("E0315", message).at(place.span, label);
        let sizes = vec!["…"; places.len()].join(", ");
        let help = format!("declare the shape first, `{name}: [{sizes}]`; what is not written is 0");
        let error = match &place.sub {
            Sub::Value(_) => error.help(format!("{help}; then `+=` adds to it")),
            Sub::Affine(_) => error.help(help),
        };
        self.report(error);
        None
    }

    /// Reports what may be written twice.
    pub fn check_once(
        &mut self,
        definition: &IndexDefinition,
        target: Option<&Target>,
        region: &Region,
        domain: &[Dim],
    ) -> Option<()> {
        let name = &definition.name;
        if !region.tells_indices(domain) {
            let error = Diagnostic::error("E0309", format!("an element of `{name}` may be written twice"));
            let error = error.at(definition.target_span, "different indices may give the same place");
            let error = error
                .note("writing twice is excluded only by bare indices, numbers and `k*i + u` with `u < k`");
            let (op, text) = (definition.op_span, "+=");
            self.report(error.suggest("`+=` adds all that is written to one place", op, text));
            return None;
        }
        if let Some(target) = target
            && let Some(first) = target.written.iter().find(|earlier| !earlier.is_apart_from(region))
        {
            let error = Diagnostic::error("E0309", format!("an element of `{name}` may be written twice"));
            let error =
                error.at(definition.target_span, "another statement writes the same places, or may do so");
            let error = error
                .and_at(first.span, "written here")
                .and_at(target.span, "declared here: each element is written at most once");
            self.report(error.suggest("`+=` adds to what is written already", definition.op_span, "+="));
            return None;
        }
        Some(())
    }

    /// What was there before, and what is new: disjoint for `=`, added for `+=`.
    pub fn with_earlier(
        &mut self,
        earlier: &Tensor,
        new: Tensor,
        definition: &IndexDefinition,
    ) -> Option<Tensor> {
        let old = self.node(earlier, definition.name.span)?;
        if self.is_zeros(old) {
            return Some(new);
        }
        let span = definition.target_span.to(definition.value.span);
        self.set_origin(span);
        let op = if new.ty.elem == Elem::Bool { BinaryOp::Or } else { BinaryOp::Add };
        let node = self.graph_mut().map(&[old, new.node], |l, reads| l.binary(op, reads[0], reads[1]));
        Some(self.tensor(node, span))
    }

    /// Whether a node is a tensor of zeros: declared, not written yet.
    pub fn is_zeros(&self, node: NodeId) -> bool {
        let Op::Loop(body) = &self.graph()[node].op else { return false };
        body.combine == Combine::Set
            && match &body.body[body.body.result] {
                Scalar::Float(number) => number.0.to_bits() == 0,
                Scalar::Int(number) => *number == 0,
                Scalar::Bool(value) => !value,
                _ => false,
            }
    }
}

/// The tensor, if the scalar is an element of it at all indices in order.
fn whole_read(l: &LoopBuilder<'_>, scalar: ScalarId) -> Option<NodeId> {
    let Scalar::Read { operand, subs, padded: false } = l.scalar(scalar) else { return None };
    let in_order = subs.len() == l.domain().len()
        && (0..subs.len()).all(|axis| matches!(&subs[axis], Sub::Affine(cx) if cx.as_index() == Some(axis)));
    in_order.then(|| l.operands()[*operand as usize])
}

fn union(a: Option<&Interval>, b: Option<&Interval>) -> Option<Interval> {
    let (a, b) = (a?, b?);
    Some(a.union(b))
}

/// What a definition writes into.
pub struct Target {
    pub tensor: Tensor,
    /// Where it was declared or bound.
    pub span: Span,
    /// What other statements have written into it.
    pub written: Vec<Region>,
}

/// The right-hand side, worked out.
pub struct Right {
    pub scalar: ScalarId,
    pub elem: Elem,
    pub interval: Option<Interval>,
    pub field: Option<IntSource>,
}

impl Builder<'_> {
    /// The value with the element type of the target.
    pub fn in_type_of(
        &mut self,
        scalar: ScalarId,
        elem: Elem,
        target: &Target,
        definition: &IndexDefinition,
        span: Span,
    ) -> Option<(ScalarId, Elem)> {
        let declared = target.tensor.ty.elem;
        let name = &definition.name;
        if definition.op == DefineOp::Add && declared == Elem::Bool {
            let error =
                Diagnostic::error("E0215", format!("`{name}` is made of bools and cannot be added to"));
            let error = error.at(definition.target_span, "`+=` needs numbers");
            self.report(if target.span == Span::default() {
                error
            } else {
                error.and_at(target.span, "declared here")
            });
            return None;
        }
        let fits =
            elem == declared || declared == Elem::Float || (declared == Elem::Int && elem == Elem::Bool);
        if !fits {
            let message = format!("`{name}` is made of {declared}s, the right side gives {elem}s");
            let mut error = Diagnostic::error("E0215", message).at(span, format!("gives {elem}s"));
            if target.span != Span::default() {
                error = error.and_at(
                    target.span,
                    format!("declared as {}", show_axes(declared, &target.tensor.axes())),
                );
            }
            self.report(match declared {
                Elem::Int => error.help("`int(x)` drops what is behind the point"),
                Elem::Bool => error.help("compare to make bools: `x > 0`"),
                Elem::Float => error,
            });
            return None;
        }
        let scalar = self.with_index_body(|l| convert(l, scalar, declared))?;
        Some((scalar, declared))
    }

    /// Whether the left side fits the tensor that is written into. Gives whether writes outside are dropped.
    pub fn fits_target(
        &mut self,
        definition: &IndexDefinition,
        target: Option<&Target>,
        places: &[Place],
        adds: bool,
    ) -> Option<bool> {
        let Some(target) = target else {
            if let Some(otherwise) = &definition.otherwise {
                self.wrong_else(otherwise);
                return None;
            }
            return Some(false);
        };
        if places.len() != target.tensor.rank() {
            let shape = show_axes(target.tensor.ty.elem, &target.tensor.axes());
            let message = format!(
                "{} for `{}`: {shape}",
                count(places.len(), "subscript", "subscripts"),
                definition.name
            );
            let error = Diagnostic::error("E0306", message).at(
                definition.target_span,
                format!("{} needed", count(target.tensor.rank(), "subscript is", "subscripts are")),
            );
            self.report(match target.span == Span::default() {
                true => error,
                false => error.and_at(target.span, format!("this is {shape}")),
            });
            return None;
        }
        match &definition.otherwise {
            Some(Otherwise::Skip(_)) if adds => {
                Some(self.inside_condition(places, &target.tensor.ty.shape).is_some())
            }
            Some(otherwise) => {
                self.wrong_else(otherwise);
                None
            }
            None => {
                let what = Subscripted {
                    tensor: &target.tensor,
                    span: definition.name.span,
                    verb: "written",
                    may_say_else: false,
                };
                self.must_fit(places, &what).then_some(false)
            }
        }
    }

    pub fn wrong_else(&mut self, otherwise: &Otherwise) {
        let place = match otherwise {
            Otherwise::Value(value) => value.span,
            Otherwise::Skip(skip) => *skip,
        };
        let error = Diagnostic::error("E0308", "`else` on this left-hand side");
        let error = error.at(place, "nothing is read here");
        self.report(error.help("with `+=`, `else skip` drops what would be added outside"));
    }
}
