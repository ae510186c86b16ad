//! Products that read an operand in windows, where they overlap: of `x[n, c, 2 i + u - 1, 2 j + v - 1]` no tensor
//! of windows is made. What must be in memory is made here:
//!
//! - a read that reaches beyond its tensor reads a copy with zeros around it: `x[n, c, y - 1, z - 1]?`;
//! - a sum that writes to windows, `dx[n, c, i + u - 1, j + v - 1] += dy[n, o, i, j] w[o, c, u, v]`, becomes one
//!   that reads windows: `dx[n, c, y, z] = Σ dy[n, o, y - u + 1, z - v + 1]? w[o, c, u, v]`;
//! - the other operand lies so that one stride leads through all that is summed.

use super::product::SHORT_WINDOWS;
use super::split::{Operand, Source};
use crate::base::order::PutInOrder;
use crate::ir::recognise::Class;
use crate::ir::{Affine, BinaryOp, Combine, Dim, Graph, LoopBuilder, NodeId, Scalar, ScalarId, Sub, Var};

/// A sum that reads windows may take so many more multiplications than the one that writes them, as a share.
const MOST_MORE: f64 = 0.4;

/// A tensor in windows: each subscript in the indices of the loop; `None` if the read has no windows, or if the
/// tensor of its windows would not be larger than the tensor.
pub(super) fn read_in_windows(graph: &mut Graph, source: &Source<'_>, read: ScalarId) -> Option<Operand> {
    let Scalar::Read { operand, subs, padded } = &source.body.body[read] else { return None };
    let subs: Vec<Affine> = subs.iter().map(as_affine).collect::<Option<_>>()?;
    if !subs.iter().any(|sub| source.live_indices(sub).count() > 1) {
        return None;
    }
    surrounded(graph, source, (source.operands[*operand as usize], subs), &|_| *padded)
}

/// The tensor with as many zeros around it as the subscripts reach beyond it, if that is not
/// larger than its windows. `padded`: whether a subscript may reach beyond its axis. By how much is not known of one
/// that moves with the steps of a scan.
pub(super) fn surrounded(
    graph: &mut Graph,
    source: &Source<'_>,
    (node, subs): (NodeId, Vec<Affine>),
    padded: &dyn Fn(&Affine) -> bool,
) -> Option<Operand> {
    let shape: Vec<i64> = graph.shape(node).iter().map(Dim::as_number).collect::<Option<_>>()?;
    if subs.iter().any(|sub| padded(sub) && moves_with_steps(sub)) {
        return None;
    }
    let mut is_copied = false;
    let (mut first, mut sizes) = (Vec::new(), Vec::new());
    for (sub, size) in subs.iter().zip(&shape) {
        let (least, greatest) = sub.bounds(|var| source.size_of(var))?;
        let (least, greatest) = (least.as_number()?, greatest.as_number()?);
        let is_within = !padded(sub) || least >= 0 && greatest < *size;
        is_copied |= !is_within;
        first.push(if is_within { 0 } else { least });
        sizes.push(if is_within { *size } else { greatest - least + 1 });
    }
    let points = |sizes: &[i64]| sizes.iter().fold(1i64, |product, size| product.saturating_mul(*size));
    let mut indices: Vec<usize> = subs.iter().flat_map(|sub| source.live_indices(sub)).collect();
    indices.put_in_order();
    indices.dedup();
    let windows = indices.iter().fold(1i64, |product, index| product.saturating_mul(source.sizes[*index]));
    if !is_copied {
        return Some(Operand { node, subs });
    }
    if points(&sizes) > windows {
        return None;
    }
    let mut l = LoopBuilder::new(graph, sizes.iter().map(|size| Dim::number(*size)).collect());
    let places = first.iter().enumerate().map(|(axis, first)| {
        Sub::Affine(Affine::index(axis).offset(&Dim::number(*first)))
    });
    let value = l.read_padded(node, places.collect());
    let copy = l.map(value);
    let node = graph.add_loop(copy);
    let subs = subs.iter().zip(&first).map(|(sub, first)| sub.offset(&Dim::number(-first))).collect();
    Some(Operand { node, subs })
}

/// The operand beside one that is read in windows, with the indices of `summed` as its last axes if they are
/// not neighbours already.
pub(super) fn summed_last(
    graph: &mut Graph,
    source: &Source<'_>,
    operand: Operand,
    summed: &[bool],
) -> Option<Operand> {
    let mut order: Vec<usize> = Vec::new();
    for sub in &operand.subs {
        match source.live_indices(sub).collect::<Vec<usize>>().as_slice() {
            [] => {}
            [index] => order.push(*index),
            _ => return Some(operand),
        }
    }
    let kinds: Vec<bool> = order.iter().map(|index| summed[*index]).collect();
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    // Where the last ones are many, the others are loops.
    let last = order.iter().rev().take_while(|index| summed[**index]);
    if changes <= 1 || last.map(|index| source.sizes[*index]).product::<i64>() >= SHORT_WINDOWS {
        return Some(operand);
    }
    order.put_in_order_by_key(|index| summed[*index]);
    let mut l = LoopBuilder::new(graph, source.dims(&order));
    let value = operand.read(&mut l, &order);
    let copy = l.map(value);
    let node = graph.add_loop(copy);
    Some(Operand { node, subs: order.iter().map(|index| Affine::index(*index)).collect() })
}

/// A sum of products of two classes that writes to windows as one that reads them; `None` if it is none, or would
/// be longer, or if sums for so many m, n and k are not worth it.
pub(super) fn read_instead(
    graph: &mut Graph,
    source: &Source<'_>,
    classes: [&Class; 2],
    is_worth: &dyn Fn([i64; 3]) -> bool,
) -> Option<NodeId> {
    let body = source.body;
    let write: Vec<Affine> = body.write.iter().map(as_affine).collect::<Option<_>>()?;
    if !write.iter().any(|sub| source.live_indices(sub).count() > 1) {
        return None;
    }
    let [one, two] = classes;
    let [places, other] = [(one, two), (two, one)]
        .into_iter()
        .find_map(|(places, other)| Some([places, other]).filter(|_| has_places(source, &write, places, other)))?;
    let Places { at, sizes, results, is_result } = Places::of(source, &write, [places, other])?;
    let is_summed = |index: &usize| !is_result[*index] && sizes[*index] > 1;
    let summed: Vec<usize> = (0..sizes.len()).filter(is_summed).collect();
    let size_of = |pick: &dyn Fn(usize) -> bool| -> i64 {
        (0..sizes.len()).filter(|index| pick(*index)).map(|index| sizes[index]).product()
    };
    let has = |class: &Class, index: usize| class.indices[index] || at[index].is_some();
    let m = size_of(&|index| is_result[index] && has(places, index) && !other.indices[index]);
    let n = size_of(&|index| is_result[index] && !has(places, index));
    let k = size_of(&|index| summed.contains(&index));
    if !is_worth([m, n, k]) {
        return None;
    }
    let read = source.operand(graph, places)?;
    let other = source.operand(graph, other)?;
    // Where a window lies beyond its places there is nothing: the tensor must end there.
    let ends = |place: usize| {
        let shape = graph.shape(read.node);
        let mut axes = (0..read.subs.len()).filter(|axis| read.subs[*axis].uses(Var::Index(place as u32)));
        let axis = axes.next();
        axes.next().is_none()
            && axis.is_some_and(|axis| {
                read.subs[axis].as_index() == Some(place)
                    && shape[axis].as_number() == Some(source.sizes[place])
            })
    };
    if !(0..at.len()).filter(|place| at[*place].is_some()).all(ends) {
        return None;
    }
    let moved = Source { sizes: &sizes, ..*source };
    let place = |var: Var| match var {
        Var::Index(index) => at[index as usize].clone().unwrap_or(Affine::var(var)),
        Var::Step(_) => Affine::var(var),
    };
    let subs = read.subs.iter().map(|sub| sub.substitute(place)).collect();
    // Subscripts that move with steps are those of the read that there was, which stays inside.
    let read = surrounded(graph, &moved, (read.node, subs), &|sub| !moves_with_steps(sub))?;
    let is_summed: Vec<bool> = (0..sizes.len()).map(|index| summed.contains(&index)).collect();
    let other = summed_last(graph, &moved, other, &is_summed)?;
    let domain: Vec<usize> = results.iter().chain(&summed).copied().collect();
    let dims = domain.iter().map(|index| Dim::number(sizes[*index])).collect();
    let mut l = LoopBuilder::new(graph, dims);
    let (a, b) = (read.read(&mut l, &domain), other.read(&mut l, &domain));
    let value = l.binary(BinaryOp::Mul, a, b);
    let mut next = 0;
    let write = write.iter().map(|sub| {
        if source.live_indices(sub).next().is_none() {
            return Sub::Affine(Affine::constant(0i64));
        }
        next += 1;
        Sub::Affine(Affine::index(next - 1))
    });
    let write = write.collect();
    let sum = l.reduce(body.shape.clone(), write, Combine::Add, value);
    Some(graph.add_loop(sum))
}

/// The result of a sum that writes to windows, as one that reads them has it.
struct Places {
    /// The index of the result that takes the place of each index that the windows are at.
    at: Vec<Option<Affine>>,
    sizes: Vec<i64>,
    /// The indices of the result, in order.
    results: Vec<usize>,
    is_result: Vec<bool>,
}

impl Places {
    fn of(source: &Source<'_>, write: &[Affine], [places, other]: [&Class; 2]) -> Option<Places> {
        let mut at: Vec<Option<Affine>> = vec![None; source.sizes.len()];
        let mut sizes = source.sizes.to_vec();
        let mut more = 1.0;
        let (mut results, mut is_result) = (Vec::new(), vec![false; sizes.len()]);
        for (axis, sub) in write.iter().enumerate() {
            let size = source.body.shape[axis].as_number()?;
            let live: Vec<usize> = source.live_indices(sub).collect();
            let index = match live.as_slice() {
                [] if size == 1 && sub.constant.is_number(0) => continue,
                [index] if sub.as_index() == Some(*index) && sizes[*index] == size => *index,
                [_, _, ..] => {
                    let place = place_of(source, sub, places, other)?;
                    more *= size as f64 / sizes[place] as f64;
                    let rest = sub.sub(&Affine::index(place));
                    at[place] = Some(Affine::index(place).sub(&rest));
                    sizes[place] = size;
                    place
                }
                _ => return None,
            };
            if std::mem::replace(&mut is_result[index], true) {
                return None;
            }
            results.push(index);
        }
        (more <= 1.0 + MOST_MORE).then_some(Places { at, sizes, results, is_result })
    }
}

/// Whether in each subscript in which several indices meet one is the place of a window.
fn has_places(source: &Source<'_>, write: &[Affine], places: &Class, other: &Class) -> bool {
    let mut meeting = write.iter().filter(|sub| source.live_indices(sub).count() > 1);
    meeting.all(|sub| place_of(source, sub, places, other).is_some())
}

/// Of the indices that meet in a subscript, the longest that `places` has alone, if it moves by single elements and
/// only `other` has the rest.
fn place_of(source: &Source<'_>, sub: &Affine, places: &Class, other: &Class) -> Option<usize> {
    let alone = |index: &usize| places.indices[*index] && !other.indices[*index];
    let place = source.live_indices(sub).filter(alone).max_by_key(|index| source.sizes[*index])?;
    let is_single = sub.coefficient(Var::Index(place as u32)).is_number(1);
    let rest = source.live_indices(sub).filter(|index| *index != place);
    let rest_is_other = rest.into_iter().all(|index| other.indices[index] && !places.indices[index]);
    let others = source.body.write.iter().filter_map(as_affine);
    let is_once = others.filter(|other| other.uses(Var::Index(place as u32))).count() == 1;
    (is_single && rest_is_other && is_once).then_some(place)
}

fn moves_with_steps(sub: &Affine) -> bool {
    sub.terms.iter().any(|(var, _)| matches!(var, Var::Step(_)))
}

pub(super) fn as_affine(sub: &Sub) -> Option<Affine> {
    match sub {
        Sub::Affine(affine) => Some(affine.clone()),
        Sub::Value(_) => None,
    }
}
