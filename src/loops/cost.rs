//! The cost model of schedules: what a point of a stage costs with one index or another in vector lanes.

use super::access::{Access, Node, Work};
use super::ir::Kind;
use super::regions::{Limit, limits};
use super::schedule::{Axis, Freedom, MAX_UNROLLED, Segment, widths};
use crate::ir::{BinaryOp, Combine, ScalarId};

/// For each node, whether it depends on each index.
pub fn dependences(work: &Work) -> Vec<Vec<bool>> {
    let mut all: Vec<Vec<bool>> = Vec::with_capacity(work.nodes.len());
    for node in &work.nodes {
        let mut varies = vec![false; work.sizes.len()];
        let mut join = |id: &ScalarId| {
            varies.iter_mut().zip(&all[id.0 as usize]).for_each(|(varies, its)| *varies |= its);
        };
        match node {
            Node::Float(_) | Node::Int(_) | Node::Bool(_) => {}
            Node::Form(form) => {
                varies
                    .iter_mut()
                    .zip(&form.coefficients)
                    .for_each(|(varies, factor)| *varies |= *factor != 0);
            }
            Node::Read(access) => varies = access_dependence(access, &all, work.sizes.len()),
            Node::Unary(_, a) | Node::Same(a) => join(a),
            Node::Binary(_, a, b) => {
                join(a);
                join(b);
            }
            Node::Select(c, a, b) => {
                join(c);
                join(a);
                join(b);
            }
        }
        all.push(varies);
    }
    all
}

fn access_dependence(access: &Access, nodes: &[Vec<bool>], rank: usize) -> Vec<bool> {
    let mut varies = vec![false; rank];
    let mut mark = |factors: &[i64]| {
        varies.iter_mut().zip(factors).for_each(|(varies, factor)| *varies |= *factor != 0);
    };
    mark(&access.form.coefficients);
    access.checks.iter().for_each(|check| mark(&check.form.coefficients));
    let values =
        access.values.iter().map(|(id, _)| id).chain(access.checks.iter().filter_map(|c| c.value.as_ref()));
    for id in values {
        varies.iter_mut().zip(&nodes[id.0 as usize]).for_each(|(varies, its)| *varies |= its);
    }
    varies
}

/// What it costs to compute a node once, in operations.
fn weight(node: &Node) -> f64 {
    match node {
        Node::Float(_) | Node::Int(_) | Node::Bool(_) | Node::Same(_) => 0.0,
        Node::Form(_) | Node::Read(_) | Node::Select(..) => 1.0,
        Node::Unary(op, _) => op.properties().instructions,
        Node::Binary(op, ..) => op.properties().instructions,
    }
}

/// A stage and what is known of it.
pub struct Analysis<'w> {
    pub work: &'w Work,
    pub depends: Vec<Vec<bool>>,
    lanes: u8,
    pub cut: Option<usize>,
    repeatable: bool,
}

impl<'w> Analysis<'w> {
    pub fn new(work: &'w Work, freedom: Freedom) -> Analysis<'w> {
        let Freedom { lanes, cut, repeatable } = freedom;
        Analysis { work, depends: dependences(work), lanes, cut, repeatable }
    }

    /// The cheapest of some indices to become lanes, and of how many, with the cost of one point; `None` for no
    /// lanes.
    pub fn best_vector(&self, indices: impl Iterator<Item = usize>) -> (f64, Option<(usize, u8)>) {
        let mut best = (self.scalar_cost(), None);
        for index in indices {
            for lanes in widths(self.lanes) {
                if let Some(cost) = self.vector_cost(index, lanes)
                    && cost < best.0
                {
                    best = (cost, Some((index, lanes)));
                }
            }
        }
        best
    }

    /// The loop over an index, which becomes lanes if it is the one that is named.
    pub fn axis(&self, index: usize, vector: Option<(usize, u8)>) -> Axis {
        let mut axis = Axis::plain(index, self.work.sizes[index]);
        if let Some((lane_index, lanes)) = vector
            && lane_index == index
        {
            axis.lanes = lanes;
            axis.limits = self.limits(index);
            axis.overlap = self.repeatable && self.cut != Some(index) && !self.work.reduced[index];
        }
        axis
    }

    /// How many points the loops have that belong to the stage alone.
    pub fn rounds(&self) -> f64 {
        self.work.sizes[self.work.shared..].iter().product::<i64>() as f64
    }

    /// Whether gathered reads stay the same in the loops beside that of the lanes, because the reductions
    /// are written out.
    pub fn gathers_hoist(&self, vector: Option<usize>, reductions: &[Axis]) -> bool {
        let Some(index) = vector else { return false };
        if self.work.reduced[index] || reductions.iter().map(|axis| axis.size).product::<i64>() > MAX_UNROLLED
        {
            return false;
        }
        let others = (self.work.shared..self.work.sizes.len())
            .filter(|&other| other != index && !self.work.reduced[other]);
        let others: Vec<usize> = others.collect();
        self.work.nodes.iter().zip(&self.depends).any(|(node, depends)| match node {
            Node::Read(access) => {
                let gathered = !matches!(access.form.coefficients[index], 0 | 1);
                gathered && others.iter().any(|other| !depends[*other])
            }
            _ => false,
        })
    }
}

impl Analysis<'_> {
    pub fn scalar_cost(&self) -> f64 {
        self.work.nodes.iter().map(weight).sum::<f64>() + 1.0
    }

    pub fn weight_of_all(&self) -> f64 {
        self.work.nodes.iter().map(weight).sum()
    }

    pub fn varies(&self, id: ScalarId, index: usize) -> bool {
        self.depends[id.0 as usize][index]
    }

    /// Whether `index` decides, by values that are read, which element is written.
    pub fn moves_write_by_value(&self, index: usize) -> bool {
        self.moves_by_value(&self.work.write, index)
    }

    /// Whether `index` decides, by values that are read, which element an access meets.
    fn moves_by_value(&self, access: &Access, index: usize) -> bool {
        access.values.iter().any(|(id, _)| self.varies(*id, index))
            || access.checks.iter().filter_map(|check| check.value).any(|id| self.varies(id, index))
    }

    /// The cost of one point if `index` becomes lanes; `None` if it cannot.
    pub fn vector_cost(&self, index: usize, lanes: u8) -> Option<f64> {
        let work = self.work;
        // Vectors of four lanes count as one: what is done lane by lane costs as many times more.
        let fours = (f64::from(lanes) / 4.0).max(1.0);
        let is_double = self.lanes == 2;
        let is_reduction = work.reduced[index];
        if is_reduction {
            let kind = work.kinds[work.result.0 as usize];
            let any_order = match work.combine {
                Combine::Add | Combine::Max | Combine::Min => true,
                // A product of floats that overflows on its way is what its order makes of it.
                Combine::Mul => !kind.is_float(),
                Combine::Set | Combine::ArgMax | Combine::ArgMin => false,
            };
            // There are no lanes for ints beside 64-bit floats, nor for totals of ints.
            if !any_order || kind == Kind::Bool || is_double && kind == Kind::I32 {
                return None;
            }
        }
        let mut cost = 0.0;
        for (at, node) in work.nodes.iter().enumerate() {
            // What stands in the register of an earlier stage lies
            // in lanes, though its place does not move with them, so an operation may have lanes all the same.
            let is_operation = matches!(node, Node::Unary(..) | Node::Binary(..) | Node::Select(..));
            if is_double && work.kinds[at] == Kind::I32 && is_operation {
                return None;
            }
            if !self.depends[at][index] {
                // A scalar that is put into all lanes.
                cost += if matches!(node, Node::Read(_)) { 1.5 } else { 0.2 };
                continue;
            }
            if work.kinds[at] == Kind::I32 && is_double {
                return None;
            }
            cost += match node {
                Node::Binary(BinaryOp::FloorDiv | BinaryOp::Mod, ..) => return None,
                Node::Read(access) => self.read_cost(access, index, fours),
                other => weight(other),
            };
        }
        let mut rounds = work.sizes.iter().zip(&work.reduced).filter(|(_, reduced)| **reduced);
        let rounds = rounds.by_ref().map(|(size, _)| *size).product::<i64>() as f64;
        let write = &work.write;
        if is_reduction {
            cost += (56.0 + 4.0 * fours.log2()) / rounds;
        } else {
            let stride = write.form.coefficients[index];
            if self.moves_write_by_value(index) || stride == 0 && !work.write_is_private() {
                return None;
            }
            if work.target_kind == Kind::I32 && is_double {
                return None;
            }
            cost += if stride == 1 { 1.0 } else { 6.0 * fours } / rounds;
        }
        let axis = self.axis(index, Some((index, lanes)));
        // Pieces begin at whole vectors counted from the first point.
        if axis.room() < i64::from(lanes) || self.cut == Some(index) && !axis.limits.is_empty() {
            return None;
        }
        let part = |segment: Segment| {
            let cost_of_point = if segment.lanes > 1 { cost } else { self.scalar_cost() };
            (segment.trips() * segment.jam) as f64 * cost_of_point
        };
        let total: f64 = axis.segments(&[]).into_iter().map(part).sum();
        Some(total / work.sizes[index] as f64)
    }

    pub fn read_cost(&self, access: &Access, index: usize, fours: f64) -> f64 {
        let by_value = self.moves_by_value(access, index);
        let checks = access.checks.iter().filter(|check| check.form.coefficients[index] == 0).count() as f64;
        // A gather is shared by the points side by side that it does not move with.
        let depends = access_dependence(access, &self.depends, self.work.sizes.len());
        let is_parallel = |other: &usize| !self.work.reduced[*other] && *other != index;
        let repeats = (0..depends.len()).filter(is_parallel).filter(|other| !depends[*other]);
        let shared = repeats.map(|other| self.work.sizes[other]).max().unwrap_or(1).min(4) as f64;
        let gather = fours * if by_value { 12.0 } else { 7.0 / shared };
        let load = if !by_value && access.form.coefficients[index] == 1 { 1.0 } else { gather };
        load + checks
    }

    /// What says whether accesses that move with `index` are inside of their tensors.
    pub fn limits(&self, index: usize) -> Vec<Limit> {
        let reads = self.work.nodes.iter().filter_map(|node| match node {
            Node::Read(access) => Some(access),
            _ => None,
        });
        limits(reads.chain([&self.work.write]), index, &self.work.sizes)
    }
}
