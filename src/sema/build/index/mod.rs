//! Index notation as loops: the frame of a loop body that is being written, the places that subscripts name, proofs
//! that they lie within their axes.

pub mod bounds;
pub mod places;
pub mod reduce;
pub mod write;

use crate::base::Span;
use crate::ir::build::{LoopBuilder, LoopParts};
use crate::ir::{Affine, Combine, Dim, Elem, Loop, Scalar, ScalarId, Sub, Var};
use crate::sema::build::Builder;
use crate::sema::scope::frames::BindingKind;
use crate::sema::value::{Indexed, Interval, Tensor, Value};
use crate::syntax::ast::{self, ExprId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A loop body in the making.
#[derive(Clone, Debug)]
pub struct IndexFrame {
    /// Told apart from all others.
    pub id: u32,
    pub parts: LoopParts,
    /// Indices that stand for the dimensions of a pack, by its name: places in the domain.
    pub packs: Vec<(Arc<str>, Vec<usize>)>,
    /// How many calls and how many graphs were open: the indices are names only there.
    pub depth: (usize, usize),
    /// Under which conditions the term counts: what `else skip` asks for.
    pub skips: Vec<ScalarId>,
    /// Whether there is something to leave a term out of.
    pub may_skip: bool,
    /// Whether some range is not known, which is reported: nothing is proven here.
    pub doubtful: bool,
    /// Subscripted expressions that were worked out when ranges were sought.
    pub bases: Bases,
}

/// Values of subscripted expressions.
pub(in crate::sema) type Bases = HashMap<ExprId, Value>;

/// An index with its range.
#[derive(Clone, Debug)]
pub struct Ranged {
    pub name: Arc<str>,
    pub span: Span,
    pub range: Dim,
}

/// The dimensions of a pack that serves as indices.
#[derive(Clone, Debug)]
pub struct RangedPack {
    pub name: Arc<str>,
    pub ranges: Vec<Dim>,
}

/// The indices that a statement or reducer introduces.
#[derive(Clone, Debug, Default)]
pub struct Introduced {
    pub indices: Vec<Ranged>,
    pub packs: Vec<RangedPack>,
    /// Whether some range is not known, which is reported; it counts as 1.
    pub doubtful: bool,
}

impl Builder<'_> {
    /// Works on the loop body of the innermost index frame.
    pub fn with_index_body<R>(&mut self, work: impl FnOnce(&mut LoopBuilder<'_>) -> R) -> Option<R> {
        let mut frame = self.index_frames.pop()?;
        let mut builder = LoopBuilder::resume(self.graph(), std::mem::take(&mut frame.parts));
        let result = work(&mut builder);
        frame.parts = builder.suspend();
        self.index_frames.push(frame);
        Some(result)
    }

    pub fn new_frame_id(&mut self) -> u32 {
        self.ids.frame += 1;
        self.ids.frame
    }

    /// The value of a subscripted expression, if it was worked out when ranges were sought.
    pub fn known_base(&self, base: &ast::Expr) -> Option<Value> {
        self.index_frames.iter().rev().find_map(|frame| frame.bases.get(&base.id).cloned())
    }

    /// The frame whose indices are names here: none in a function called from within index notation.
    pub fn visible_frame(&self) -> Option<&IndexFrame> {
        let here = (self.frames.len(), self.levels.len());
        self.index_frames.last().filter(|frame| frame.depth == here)
    }

    /// Opens a frame with the indices around it and new ones, and binds their names. Returns how many indices
    /// are around it, and what [`Builder::close_frame`] takes.
    pub fn open_frame(
        &mut self,
        inherit: bool,
        new: &Introduced,
        may_skip: bool,
        bases: Bases,
    ) -> (usize, usize) {
        let opened = self.frame_mut().open();
        let parent = if inherit { self.visible_frame().cloned() } else { None };
        let mut domain = parent.as_ref().map_or(Vec::new(), |parent| parent.parts.domain().to_vec());
        let around = domain.len();
        let mut packs = parent.as_ref().map_or(Vec::new(), |parent| parent.packs.clone());
        let mut names = parent.as_ref().map_or(Vec::new(), |parent| self.index_names(parent));
        for index in &new.indices {
            names.push((index.name.clone(), index.span, domain.len()));
            domain.push(index.range.clone());
        }
        for pack in &new.packs {
            let places = (domain.len()..domain.len() + pack.ranges.len()).collect();
            packs.push((pack.name.clone(), places));
            domain.extend(pack.ranges.iter().cloned());
        }
        let (id, depth) = (self.new_frame_id(), (self.frames.len(), self.levels.len()));
        let parts = LoopParts::new(domain.clone());
        self.index_frames.push(IndexFrame {
            id,
            parts,
            packs,
            depth,
            skips: Vec::new(),
            may_skip,
            doubtful: new.doubtful,
            bases,
        });
        for (name, span, place) in names {
            if let Some(id) = self.with_index_body(|l| l.affine(Affine::index(place))) {
                let value = self.indexed(id, Elem::Int, Some(Interval::below(&domain[place])));
                self.frame_mut().bind(name, value, span, BindingKind::Index);
            }
        }
        (around, opened)
    }

    pub fn close_frame(&mut self, opened: usize) -> Option<IndexFrame> {
        self.frame_mut().close(opened);
        self.index_frames.pop()
    }

    /// The names of a frame's indices with their places in its domain.
    pub fn index_names(&self, frame: &IndexFrame) -> Vec<(Arc<str>, Span, usize)> {
        let mut names: Vec<(Arc<str>, Span, usize)> = Vec::new();
        for binding in &self.frame().bindings {
            let (BindingKind::Index, Value::Indexed(indexed)) = (binding.kind, &binding.value) else {
                continue;
            };
            if indexed.frame == frame.id
                && let Scalar::Affine(affine) = frame.parts.scalar(indexed.id)
                && let Some(place) = affine.as_index()
            {
                names.retain(|(name, _, _)| *name != binding.name);
                names.push((binding.name.clone(), binding.span, place));
            }
        }
        names
    }

    /// A scalar of the innermost frame as a value.
    pub fn indexed(&self, id: ScalarId, elem: Elem, interval: Option<Interval>) -> Value {
        let frame = self.index_frames.last().map_or(0, |frame| frame.id);
        Value::Indexed(Indexed { frame, id, elem, interval, field: None })
    }

    /// The condition under which the terms of the innermost frame count; `None` if all do.
    pub fn skip_condition(&mut self) -> Option<ScalarId> {
        let skips = self.index_frames.last()?.skips.clone();
        let (first, rest) = skips.split_first()?;
        self.with_index_body(|l| {
            rest.iter().fold(*first, |all, next| l.binary(crate::ir::BinaryOp::And, all, *next))
        })
    }

    /// How many terms `else skip` has put under a condition so far. For [`Builder::skips_only_if`].
    pub fn skips_so_far(&self) -> usize {
        self.index_frames.last().map_or(0, |frame| frame.skips.len())
    }

    /// What `else skip` has asked for since `mark` holds in a branch of an `if` only: a term is left out only
    /// where that branch is taken.
    pub fn skips_only_if(&mut self, mark: usize, condition: &Value, taken: bool) {
        if self.skips_so_far() <= mark {
            return;
        }
        let Some(condition) = self.indexed_scalar(condition, Span::NONE) else { return };
        let skips: Vec<ScalarId> =
            self.index_frames.last().map_or(Vec::new(), |frame| frame.skips[mark..].to_vec());
        let guarded = self.with_index_body(|l| {
            let otherwise = if taken { l.unary(crate::ir::UnaryOp::Not, condition) } else { condition };
            let guard = |skip: ScalarId| l.binary(crate::ir::BinaryOp::Or, otherwise, skip);
            skips.into_iter().map(guard).collect::<Vec<_>>()
        });
        if let (Some(guarded), Some(frame)) = (guarded, self.index_frames.last_mut()) {
            frame.skips.truncate(mark);
            frame.skips.extend(guarded);
        }
    }

    /// Makes a loop of a closed reducer's frame: one value for each combination of the `around` first indices
    /// that the expression uses. Returns the tensor and those indices.
    pub fn emit_reducer(
        &mut self,
        parts: LoopParts,
        around: usize,
        combine: Combine,
        value: ScalarId,
        span: Span,
    ) -> (Tensor, Vec<usize>) {
        let builder = LoopBuilder::resume(self.graph(), parts);
        let mut node = builder.finish(Vec::new(), Vec::new(), false, combine, value);
        let used: Vec<usize> = used_indices(&node.body).into_iter().filter(|index| *index < around).collect();
        let old = std::mem::take(&mut node.body.domain);
        let kept: Vec<usize> = used.iter().copied().chain(around..old.len()).collect();
        let place = |index: u32| kept.iter().position(|before| *before == index as usize).unwrap_or(0);
        for scalar in &mut node.body.body.nodes {
            *scalar = scalar.map_affine(|affine| {
                affine.substitute(|var| match var {
                    Var::Index(index) => Affine::index(place(index)),
                    Var::Step(step) => Affine::step(step),
                })
            });
        }
        node.body.domain = kept.iter().map(|index| old[*index].clone()).collect();
        node.body.shape = used.iter().map(|index| old[*index].clone()).collect();
        node.body.write = (0..used.len()).map(|index| Sub::Affine(Affine::index(index))).collect();
        (self.add_loop(span, node), used)
    }

    /// What a reducer gave, as a value of the expression around it.
    pub fn read_back(&mut self, tensor: Tensor, used: &[usize]) -> Value {
        if self.visible_frame().is_none() {
            return Value::Tensor(tensor);
        }
        let subs = used.iter().map(|index| Sub::Affine(Affine::index(*index))).collect();
        let made = self.with_index_body(|l| l.read(tensor.node, subs));
        match made {
            Some(id) => self.indexed(id, tensor.ty.elem, tensor.interval),
            None => Value::Error,
        }
    }
}

/// The indices that occur in the expression of a loop.
fn used_indices(body: &Loop) -> BTreeSet<usize> {
    let indices = body.body.affines().flat_map(|affine| &affine.terms).filter_map(|(var, _)| match var {
        Var::Index(index) => Some(*index as usize),
        Var::Step(_) => None,
    });
    indices.collect()
}
