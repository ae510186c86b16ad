//! Formulas of whole tensors: `(W[2])ᵀ ∂L/∂z[2]`, `tanh(z) ⊙ g`, `Σ_n g`.
//!
//! A tensor that is read with the indices of the result in order stands for itself, with the indices in opposite
//! order for its transpose. A sum of products whose factors share out the indices is a matrix product.

mod contraction;

use std::collections::BTreeSet;

use super::build::{Letters, Writer, binary, reduced, reduction, size, unary};
use super::names::{Moment, Symbol, is_flipped};
use super::notation::symbols;
use super::term::{Reduction, Term};
use crate::ir::{Affine, BinaryOp, Body, Combine, Dim, Loop, NodeId, Op, Scalar, ScalarId, Sub, Type, Var};

/// A formula with at most so many names is written out wherever it is used.
const WRITTEN_OUT: usize = 3;

/// An axis of size 1 in the place of an index.
const UNIT: usize = usize::MAX;

/// The order of the indices of a printed formula.
struct Order<'a> {
    indices: &'a [usize],
    /// Leading indices that all parts have and that are not written.
    shared: &'a [usize],
}

/// A loop whose formula is being made.
#[derive(Clone, Copy)]
struct Within<'a> {
    body: &'a Loop,
    operands: &'a [NodeId],
    /// The index that counts the steps of a recurrence.
    time: Option<usize>,
}

impl Writer<'_> {
    /// The definition of a node as a formula of whole tensors, if there is one.
    pub fn whole_definition(&mut self, node: NodeId) -> Option<Term> {
        let made = &self.graph[node];
        match &made.op {
            Op::Loop(body) => {
                let body = body.clone();
                let within = Within { body: &body, operands: &made.operands, time: None };
                self.whole_loop(within, &made.ty)
            }
            Op::Reshape { .. } => Some(Term::call("reshape", self.whole(made.operands[0])?)),
            Op::Mark(_) => self.whole(made.operands[0]),
            // Of `stop_gradient(x)` only x is left.
            Op::Input { .. } | Op::Param { .. } | Op::State { .. } => {
                self.named.get(&node).map(|symbol| Term::Symbol(symbol.clone()))
            }
            Op::Const(value) if value.shape.is_empty() => match &value.data {
                crate::ir::ConstData::Float(values) => Some(Term::Number(values[0].0)),
                _ => None,
            },
            _ => None,
        }
    }

    /// A node where it is used: its name, or its formula.
    fn whole(&mut self, node: NodeId) -> Option<Term> {
        if let Some(symbol) = self.named.get(&node) {
            return Some(Term::Symbol(symbol.clone()));
        }
        let (pending, counter) = self.mark();
        if let Some(term) = self.whole_definition(node) {
            if self.is_used_once(node) || symbols(&term).len() <= WRITTEN_OUT {
                return Some(term);
            }
            self.forget(pending, counter);
            return Some(Term::Symbol(self.auxiliary(node)));
        }
        self.forget(pending, counter);
        // A node that is used once and has no such formula is written out in index notation, together with its
        // user.
        if matches!(self.graph[node].op, Op::Loop(_)) && self.is_used_once(node) {
            return None;
        }
        Some(Term::Symbol(self.auxiliary(node)))
    }

    fn whole_loop(&mut self, within: Within<'_>, ty: &Type) -> Option<Term> {
        let body = within.body;
        if body.dropping {
            return None;
        }
        let out = pattern(&body.write, ty, &body.domain, None)?;
        let written: Vec<usize> = out.indices.iter().copied().filter(|index| *index != UNIT).collect();
        let reduced = reduced(body);
        match reduction(body.combine) {
            None if reduced.is_empty() => {
                let order = Order { indices: &written, shared: &[] };
                self.scalar(within, body.body.result, &order)
            }
            None => None,
            Some(_) if reduced.is_empty() => None,
            Some(what) => {
                if what == Reduction::Sum
                    && let Some(time) = self.time(within, &reduced)
                {
                    return self.sum_of_steps(Within { time: Some(time), ..within }, &written, &reduced);
                }
                if body.combine == Combine::Add
                    && let Some(term) = self.contraction(within, body.body.result, &written, &reduced)
                {
                    return Some(term);
                }
                self.reduction(within, what, &reduced)
            }
        }
    }

    /// The index among `reduced` that counts the steps of a recurrence.
    fn time(&self, within: Within<'_>, reduced: &[usize]) -> Option<usize> {
        within.body.body.nodes.iter().find_map(|scalar| {
            let Scalar::Read { operand, subs, padded: false } = scalar else { return None };
            let Sub::Affine(first) = subs.first()? else { return None };
            let is_stack = self.stacks.contains(&within.operands[*operand as usize]);
            first.as_index().filter(|index| is_stack && reduced.contains(index))
        })
    }

    /// `Σ_t …`, where the values of each step are tensors of their own.
    fn sum_of_steps(&mut self, within: Within<'_>, written: &[usize], reduced: &[usize]) -> Option<Term> {
        let rest: Vec<usize> = reduced.iter().copied().filter(|index| Some(*index) != within.time).collect();
        let result = within.body.body.result;
        let inner = match self.contraction(within, result, written, &rest) {
            Some(term) => term,
            None if rest.is_empty() => {
                self.scalar(within, result, &Order { indices: written, shared: &[] })?
            }
            None => self.reduction(within, Reduction::Sum, &rest)?,
        };
        Some(over_all(Reduction::Sum, vec!["t".to_owned()], inner))
    }

    /// `Σ_n …`, `max_i …`
    fn reduction(&mut self, within: Within<'_>, what: Reduction, over: &[usize]) -> Option<Term> {
        let reads = self.reads(within, within.body.body.result)?;
        let all: BTreeSet<usize> =
            (0..within.body.domain.len()).filter(|index| Some(*index) != within.time).collect();
        let covers = |pattern: &&Vec<usize>| {
            pattern.iter().copied().filter(|index| *index != UNIT).collect::<BTreeSet<_>>() == all
        };
        let order: Vec<usize> = reads.iter().find(covers)?.iter().copied().filter(|i| *i != UNIT).collect();
        let order = Order { indices: &order, shared: &[] };
        let inner = self.scalar(within, within.body.body.result, &order)?;
        let mut letters = Letters::new(&[]);
        let names: Vec<String> = if over.len() == all.len() {
            Vec::new()
        } else {
            over.iter().map(|index| letters.next(&within.body.domain[*index])).collect()
        };
        // In a tensor of three axes nobody would know which one is meant.
        if all.len() > 2 && !names.is_empty() && !(over.len() == 1 && order.indices.last() == over.first()) {
            return None;
        }
        Some(over_all(what, names, inner))
    }

    /// The patterns of all reads of an expression, as displayed. `None`: one of them has none.
    fn reads(&self, within: Within<'_>, id: ScalarId) -> Option<Vec<Vec<usize>>> {
        let mut found = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            match &within.body.body[id] {
                Scalar::Read { operand, subs, padded: false } => {
                    let node = within.operands[*operand as usize];
                    found.push(pattern(subs, self.graph.ty(node), &within.body.domain, within.time)?.indices);
                }
                Scalar::Read { .. } => return None,
                scalar => scalar.for_each_operand(|operand| open.push(operand)),
            }
        }
        Some(found)
    }

    /// An expression in an order of indices.
    fn scalar(&mut self, within: Within<'_>, id: ScalarId, order: &Order<'_>) -> Option<Term> {
        let body: &Body = &within.body.body;
        match &body[id] {
            Scalar::Float(value) => Some(Term::Number(value.0)),
            Scalar::Int(value) => Some(Term::Number(*value as f64)),
            Scalar::Bool(value) => Some(Term::Plain(value.to_string())),
            Scalar::Affine(affine) if affine.is_constant() => Some(size(&affine.constant)),
            Scalar::Affine(_) => None,
            Scalar::Read { operand, subs, padded: false } => {
                let node = within.operands[*operand as usize];
                self.read(within, node, subs, order)
            }
            Scalar::Read { .. } => None,
            Scalar::Unary(op, a) => Some(unary(*op, self.scalar(within, *a, order)?)),
            Scalar::Binary(BinaryOp::Mul, a, b) => {
                if order.shared.is_empty()
                    && let Some(term) = self.contraction(within, id, order.indices, &[])
                {
                    return Some(term);
                }
                Some(self.scalar(within, *a, order)?.times(self.scalar(within, *b, order)?))
            }
            Scalar::Binary(op, a, b) => {
                Some(binary(*op, self.scalar(within, *a, order)?, self.scalar(within, *b, order)?))
            }
            Scalar::Select(condition, a, b) => {
                if let Some(term) = self.one_hot(within, id, order) {
                    return Some(term);
                }
                Some(Term::Cases {
                    condition: Box::new(self.scalar(within, *condition, order)?),
                    then: Box::new(self.scalar(within, *a, order)?),
                    otherwise: Box::new(self.scalar(within, *b, order)?),
                })
            }
            Scalar::WithSlope { value, .. } => self.scalar(within, *value, order),
        }
    }

    /// `if i == y[n] then c else 0` is c onehot(y), where i is the index of the features.
    fn one_hot(&mut self, within: Within<'_>, id: ScalarId, order: &Order<'_>) -> Option<Term> {
        let body: &Body = &within.body.body;
        let Scalar::Select(condition, a, b) = &body[id] else { return None };
        let (Scalar::Binary(BinaryOp::Eq, left, right), Scalar::Float(zero)) = (&body[*condition], &body[*b])
        else {
            return None;
        };
        if zero.0 != 0.0 {
            return None;
        }
        let (index, classes) = match (&body[*left], &body[*right]) {
            (Scalar::Affine(affine), Scalar::Read { .. }) => (affine.as_index()?, *right),
            (Scalar::Read { .. }, Scalar::Affine(affine)) => (affine.as_index()?, *left),
            _ => return None,
        };
        let features = within.body.write.last().and_then(|sub| match sub {
            Sub::Affine(affine) => affine.as_index(),
            Sub::Value(_) => None,
        });
        let is_feature_index = features == Some(index) && order.indices.contains(&index);
        let is_free = self.reads(within, classes)?.iter().all(|pattern| !pattern.contains(&index));
        if !is_feature_index || !is_free {
            return None;
        }
        let factor = self.scalar(within, *a, order)?;
        Some(factor.times(Term::call("onehot", self.scalar(within, classes, order)?)))
    }

    fn read(&mut self, within: Within<'_>, node: NodeId, subs: &[Sub], order: &Order<'_>) -> Option<Term> {
        let Pattern { indices: read, at, is_vector } =
            pattern(subs, self.graph.ty(node), &within.body.domain, within.time)?;
        // The steps of a recurrence have no place in a tensor.
        if self.stacks.contains(&node) && at.is_none() {
            return None;
        }
        let read = read.strip_prefix(order.shared)?;
        let read: Vec<usize> = if order.indices.contains(&UNIT) && read.contains(&UNIT) {
            read.to_vec()
        } else {
            read.iter().copied().filter(|index| *index != UNIT).collect()
        };
        let term = match (self.whole(node)?, at) {
            (term, None) => term,
            (Term::Symbol(symbol), Some(at)) => Term::Symbol(at_moment(&symbol, at)),
            (_, Some(at)) => Term::Symbol(at_moment(&self.auxiliary(node), at)),
        };
        if is_within(&read, order.indices) {
            return Some(term);
        }
        let reversed: Vec<usize> = read.iter().rev().copied().collect();
        if read.len() == 2 && is_within(&reversed, order.indices) {
            return Some(transposed(term));
        }
        // A stack of matrices may be read as one matrix with all their rows.
        let turned: Vec<usize> = read
            .last()
            .copied()
            .into_iter()
            .chain(read.iter().copied().take(read.len().max(1) - 1))
            .collect();
        (!is_vector && order.shared.is_empty() && turned == order.indices).then(|| transposed(term))
    }
}

/// `Σ inner`; what is the same for all indices stands outside.
pub fn over_all(what: Reduction, indices: Vec<String>, inner: Term) -> Term {
    match inner {
        Term::Sum(parts) if what == Reduction::Sum && parts.len() == 1 && parts[0].0 => {
            over_all(what, indices, parts[0].1.clone()).negated()
        }
        Term::Product { scalars, tensors } if what == Reduction::Sum => {
            let (outer, rest): (Vec<Term>, Vec<Term>) =
                tensors.into_iter().partition(|tensor| is_same_over(tensor, &indices));
            let rest = rest.into_iter().reduce(Term::times).unwrap_or(Term::Number(1.0));
            let sum = Term::Over { what, indices, body: Box::new(rest) };
            scalars.into_iter().chain(outer).fold(sum, |product, factor| factor.times(product))
        }
        Term::Ratio(above, below) if what == Reduction::Sum && is_same_over(&below, &indices) => {
            over_all(what, indices, *above).over(*below)
        }
        // Σ_t Σ_n is one sum.
        Term::Over { what: Reduction::Sum, indices: inner, body }
            if what == Reduction::Sum && !indices.is_empty() && !inner.is_empty() =>
        {
            Term::Over { what, indices: [indices, inner].concat(), body }
        }
        inner => Term::Over { what, indices, body: Box::new(inner) },
    }
}

/// Whether a formula is made from numbers and sums over the same indices, so that it is the same for all of
/// them.
fn is_same_over(term: &Term, indices: &[String]) -> bool {
    match term {
        Term::Number(_) | Term::Plain(_) => true,
        Term::Over { indices: inner, .. } => !indices.is_empty() && inner == indices,
        Term::Sum(parts) => parts.iter().all(|(_, part)| is_same_over(part, indices)),
        Term::Product { scalars, tensors } => {
            scalars.iter().chain(tensors).all(|scalar| is_same_over(scalar, indices))
        }
        Term::Ratio(a, b) | Term::Power(a, b) => is_same_over(a, indices) && is_same_over(b, indices),
        Term::Call(_, arguments) => arguments.iter().all(|argument| is_same_over(argument, indices)),
        _ => false,
    }
}

fn matrix(left: Term, right: Term) -> Term {
    let parts = |term: Term| match term {
        Term::Matrix(parts) => (None, parts),
        Term::Product { scalars, mut tensors } if !scalars.is_empty() && tensors.len() == 1 => {
            let factor = Term::Product { scalars, tensors: Vec::new() };
            (Some(factor), std::mem::take(&mut tensors))
        }
        other => (None, vec![other]),
    };
    let ((a, left), (b, right)) = (parts(left), parts(right));
    let product = Term::Matrix([left, right].concat());
    a.into_iter().chain(b).fold(product, |product, factor| factor.times(product))
}

fn transposed(term: Term) -> Term {
    match term {
        Term::Transpose(inner) => *inner,
        Term::Matrix(parts) => Term::Matrix(parts.into_iter().rev().map(transposed).collect()),
        Term::Sum(parts) => {
            Term::Sum(parts.into_iter().map(|(minus, part)| (minus, transposed(part))).collect())
        }
        Term::Product { scalars, tensors } => {
            Term::Product { scalars, tensors: tensors.into_iter().map(transposed).collect() }
        }
        term if term.is_scalar() => term,
        other => Term::Transpose(Box::new(other)),
    }
}

/// Whether `part` runs through `whole` in its order.
fn is_within(part: &[usize], whole: &[usize]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|index| rest.any(|other| other == index))
}

/// How a tensor is read or written.
struct Pattern {
    /// The indices of its axes, in the order in which the tensor is printed.
    indices: Vec<usize>,
    /// Of a tensor with an axis for the steps of a recurrence: at which one.
    at: Option<Moment>,
    is_vector: bool,
}

/// The pattern of subscripts that are one index for each axis and run over all of it. `None` if one is anything
/// else. `time` is the index that counts steps.
fn pattern(subs: &[Sub], ty: &Type, domain: &[Dim], time: Option<usize>) -> Option<Pattern> {
    let (mut indices, mut at, mut kept) = (Vec::new(), None, Vec::new());
    for (sub, size) in subs.iter().zip(&ty.shape) {
        let Sub::Affine(affine) = sub else { return None };
        if let Some(moment) = moment(affine, time) {
            if at.replace(moment).is_some() {
                return None;
            }
            continue;
        }
        let index = match affine.as_index() {
            Some(index) => index,
            None if affine.as_number() == Some(0) && size.is_number(1) => UNIT,
            None => return None,
        };
        if index != UNIT && (indices.contains(&index) || domain[index] != *size) {
            return None;
        }
        indices.push(index);
        kept.push(size.clone());
    }
    if is_flipped(&Type::new(ty.elem, kept)) {
        indices.reverse();
    }
    Some(Pattern { is_vector: indices.len() == 1, indices, at })
}

/// The moment that a subscript stands for.
fn moment(affine: &Affine, time: Option<usize>) -> Option<Moment> {
    let [(var, coefficient)] = affine.terms.as_slice() else { return None };
    let is_time = match var {
        Var::Step(_) => true,
        Var::Index(index) => time == Some(*index as usize),
    };
    let later = affine.constant.as_number()?;
    (is_time && coefficient.is_number(1)).then_some(Moment::Step(later))
}

/// The symbol of a recurrence's value at one moment.
fn at_moment(symbol: &Symbol, moment: Moment) -> Symbol {
    match (&symbol.at, moment) {
        (Some(Moment::Step(earlier)), Moment::Step(later)) => symbol.at(Moment::Step(earlier + later)),
        (_, moment) => symbol.at(moment),
    }
}
