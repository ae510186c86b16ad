//! The loop of a definition: which shape it writes, that it writes no element twice, what was there before.

use crate::base::Span;
use crate::sema::build::index::places::Subscripted;
use crate::sema::build::tensors::convert;
use crate::sema::scope::report::indices::{AccessKind, WriteError};
use crate::sema::scope::report::shapes::Shape;
use crate::sema::value::IntSource;
use crate::syntax::ast::Otherwise;
use crate::sema::build::Builder;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Interval, Tensor, Value};
use super::IndexFrame;
use super::places::Place;
use crate::sema::regions::Region;
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
        let written = Written { shape: &shape, subs, dropping, covers_all };
        let made = self.write_loop(definition, &frame, written, &right);
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

    fn write_loop(
        &mut self,
        definition: &IndexDefinition,
        frame: &IndexFrame,
        written: Written<'_>,
        right: &Right,
    ) -> Tensor {
        let Written { shape, subs, dropping, covers_all } = written;
        let span = definition.target_span.to(definition.value.span);
        let builder = LoopBuilder::resume(self.graph(), frame.parts.clone());
        let in_order =
            (0..subs.len()).all(|axis| matches!(&subs[axis], Sub::Affine(affine) if affine.as_index() == Some(axis)));
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
        let is_element = matches!(place.sub, Sub::Value(_));
        let (name, axes, at) = (definition.name.clone(), places.len(), place.span);
        self.report(WriteError::UnknownShape { name, axes, is_element, at });
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
        let (name, at, op) = (definition.name.clone(), definition.target_span, definition.op_span);
        if !region.tells_indices(domain) {
            self.report(WriteError::Twice { name, at, op });
            return None;
        }
        if let Some(target) = target
            && let Some(first) = target.written.iter().find(|earlier| !earlier.is_apart_from(region))
        {
            let (first, declared) = (first.span, target.span);
            self.report(WriteError::TwiceByTwo { name, at, op, first, declared });
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
        && (0..subs.len()).all(|axis| matches!(&subs[axis], Sub::Affine(affine) if affine.as_index() == Some(axis)));
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

/// Where the elements of a definition are written.
struct Written<'a> {
    shape: &'a [Dim],
    subs: Vec<Sub>,
    /// Whether what lies outside of the tensor is left out.
    dropping: bool,
    /// Whether every element is written.
    covers_all: bool,
}

impl Target {
    /// Its declaration, if it is declared in this body.
    fn declared(&self) -> Option<Span> {
        (!self.span.is_none()).then_some(self.span)
    }
}

/// The right-hand side as a value.
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
        let name = definition.name.clone();
        if definition.op == DefineOp::Add && declared == Elem::Bool {
            let (at, declared) = (definition.target_span, target.declared());
            self.report(WriteError::AddedToBools { name, at, declared });
            return None;
        }
        let fits =
            elem == declared || declared == Elem::Float || (declared == Elem::Int && elem == Elem::Bool);
        if !fits {
            let (declared, target) = (target.declared(), Shape::of(&target.tensor));
            self.report(WriteError::Elements { name, target, found: elem, at: span, declared });
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
            let (name, given, at) = (definition.name.clone(), places.len(), definition.target_span);
            let (declared, target) = (target.declared(), Shape::of(&target.tensor));
            self.report(WriteError::Count { name, given, target, at, declared });
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
                    access: AccessKind::Write,
                };
                self.must_fit(places, &what).then_some(false)
            }
        }
    }

    pub fn wrong_else(&mut self, otherwise: &Otherwise) {
        let at = match otherwise {
            Otherwise::Value(value) => value.span,
            Otherwise::Skip(skip) => *skip,
        };
        self.report(WriteError::Else { at });
    }
}
