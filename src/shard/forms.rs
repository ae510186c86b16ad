//! How the nodes of a graph depend on the rows of a batch.

use super::rows_in;
use crate::ir::{Combine, Dim, Loop, Scalar, Sub};

/// How a tensor depends on the rows of a batch. The number is its axis that runs over rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// There is one for all shards.
    Whole,
    /// What stands at a row depends on that row, and on what there is for all shards.
    Rows(usize),
    /// What stands at a row depends on the number of that row at most: a shard's rows can be computed anywhere, and so
    /// can all rows.
    Free(usize),
}

impl Form {
    /// The axis of rows, if a shard can have its own.
    pub fn axis(self) -> Option<usize> {
        match self {
            Form::Whole => None,
            Form::Rows(axis) | Form::Free(axis) => Some(axis),
        }
    }
}

/// How a loop is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Division {
    /// From whole operands.
    Whole,
    /// Row by row: this index runs over the rows, and writes them along the axis.
    Map { index: usize, axis: usize },
    /// This index runs over the rows, whose contributions are combined.
    Sum { index: usize },
}

impl Division {
    pub fn index(self) -> Option<usize> {
        match self {
            Division::Whole => None,
            Division::Map { index, .. } | Division::Sum { index } => Some(index),
        }
    }
}

/// A loop with what is known of its operands.
pub struct Divided<'a> {
    pub body: &'a Loop,
    /// Of each operand.
    pub forms: Vec<Form>,
    pub shapes: Vec<&'a [Dim]>,
}

impl Divided<'_> {
    /// Whether a read, as `index` runs over the rows, is of the operand's row at that place.
    pub fn is_local(&self, operand: usize, subs: &[Sub], index: usize) -> bool {
        let Some(axis) = self.forms[operand].axis() else { return false };
        let alone = matches!(&subs[axis], Sub::Affine(affine) if affine.as_index() == Some(index));
        alone && self.shapes[operand][axis] == self.body.domain[index]
    }

    /// The best way to compute it: that which needs the fewest tensors gathered from all shards.
    pub fn division(&self) -> Division {
        let ways = (0..self.body.domain.len()).filter_map(|index| self.by(index));
        let cost = |way: &Division| (self.gathered(*way), matches!(way, Division::Sum { .. }));
        match ways.min_by_key(cost) {
            Some(way) => way,
            None => Division::Whole,
        }
    }

    /// The division by an index, if it can run over the rows.
    fn by(&self, index: usize) -> Option<Division> {
        let body = self.body;
        rows_in(&body.domain[index])?;
        let uses = |sub: &Sub| match sub {
            Sub::Affine(affine) => affine.uses(crate::ir::Var::Index(index as u32)),
            Sub::Value(_) => false,
        };
        let written: Vec<usize> = (0..body.write.len()).filter(|axis| uses(&body.write[*axis])).collect();
        match written[..] {
            [axis] => {
                let alone = body.write_index(axis) == Some(index) && body.shape[axis] == body.domain[index];
                alone.then_some(Division::Map { index, axis })
            }
            // Without a row of an operand it is the same for all shards.
            [] if self.has_local_rows(index) => match body.combine {
                Combine::ArgMax | Combine::ArgMin => None,
                Combine::Set | Combine::Add | Combine::Mul | Combine::Max | Combine::Min => {
                    Some(Division::Sum { index })
                }
            },
            _ => None,
        }
    }

    /// Whether rows of data are read at the place of the index.
    fn has_local_rows(&self, index: usize) -> bool {
        self.reads().any(|(operand, subs)| {
            matches!(self.forms[operand], Form::Rows(_)) && self.is_local(operand, subs, index)
        })
    }

    /// How many operands that shards have rows of must be gathered.
    fn gathered(&self, division: Division) -> usize {
        let Some(index) = division.index() else { return self.body.domain.len() };
        let needs_all = |operand: usize| {
            matches!(self.forms[operand], Form::Rows(_))
                && self.reads().any(|(read, subs)| read == operand && !self.is_local(operand, subs, index))
        };
        (0..self.forms.len()).filter(|operand| needs_all(*operand)).count()
    }

    /// What the result is.
    pub fn form(&self, division: Division) -> Form {
        match division {
            Division::Map { index, axis } if self.has_local_rows(index) => Form::Rows(axis),
            Division::Map { axis, .. } => Form::Free(axis),
            Division::Whole | Division::Sum { .. } => Form::Whole,
        }
    }

    /// Which forms of an operand are read: its rows, all of it.
    pub fn wanted(&self, operand: usize, division: Division) -> (bool, bool) {
        let Some(index) = division.index() else { return (false, true) };
        let reads = self.reads().filter(|(read, _)| *read == operand);
        reads.fold((false, false), |(rows, whole), (_, subs)| {
            let local = self.is_local(operand, subs, index);
            (rows || local, whole || !local)
        })
    }

    fn reads(&self) -> impl Iterator<Item = (usize, &[Sub])> {
        self.body.body.nodes.iter().filter_map(|scalar| match scalar {
            Scalar::Read { operand, subs, .. } => Some((*operand as usize, subs.as_slice())),
            _ => None,
        })
    }
}

/// The axis of rows after a reshape, if every row stays together.
pub fn reshaped(from: &[Dim], axis: usize, to: &[Dim]) -> Option<usize> {
    let before = Dim::product(&from[..axis]);
    (0..to.len()).find(|axis| rows_in(&to[*axis]).is_some() && Dim::product(&to[..*axis]) == before)
}
