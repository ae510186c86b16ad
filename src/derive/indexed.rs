//! Formulas of single elements: `z[n, o, i, j] = Σ_{c, u, v} W[o, c, u, v] x[n, c, i + u, j + v]`.

use super::build::{Formula, Letters, Writer, binary, reduced, reduction, size, size_text, unary};
use super::names::{Moment, Symbol};
use super::term::Term;
use super::text::term;
use super::whole::over_all;
use std::sync::Arc;

use crate::ir::{Affine, Combine, Loop, NodeId, Op, Scalar, ScalarId, Sub, Var};

impl Writer<'_> {
    /// The definition of a node by its elements. A node that is neither a loop nor a view is described in words.
    pub fn indexed_definition(&mut self, node: NodeId, symbol: &Symbol) -> Formula {
        let made = &self.graph[node];
        let Op::Loop(body) = &made.op else {
            let right = self.described(node);
            return Formula { left: Term::Symbol(symbol.clone()), adds: false, right };
        };
        let body = body.clone();
        let mut letters = Letters::new(&self.taken());
        let indices: Vec<String> = body.domain.iter().map(|dim| letters.next(dim)).collect();
        let places: Vec<Term> = indices.iter().cloned().map(Term::Plain).collect();
        let subs: Vec<Term> = body
            .write
            .iter()
            .map(|sub| self.subscript(&body, &made.operands, sub, &places, &mut letters))
            .collect();
        let left =
            if subs.is_empty() { Term::Symbol(symbol.clone()) } else { Term::Element(symbol.clone(), subs) };
        let value = self.element(&body, &made.operands, body.body.result, &places, &mut letters);
        let is_plain = body.write.iter().all(
            |sub| matches!(sub, Sub::Affine(affine) if affine.as_index().is_some() || affine.is_constant()),
        );
        let over = reduced(&body);
        self.partial |= !is_plain;
        match reduction(body.combine) {
            Some(_) if !is_plain && body.combine == Combine::Add => {
                Formula { left, adds: true, right: value }
            }
            Some(what) if is_plain && !over.is_empty() => {
                let names = over.iter().map(|index| range(&body, *index, &indices[*index])).collect();
                Formula { left, adds: false, right: over_all(what, names, value) }
            }
            _ => Formula { left, adds: false, right: value },
        }
    }

    /// The description of a leaf or of random numbers.
    fn described(&mut self, node: NodeId) -> Term {
        let made = &self.graph[node];
        match &made.op {
            Op::Rand { kind, .. } => Term::Words(match kind {
                crate::ir::RandKind::Uniform => "uniform random numbers in [0, 1)".to_owned(),
                crate::ir::RandKind::Normal => "standard normal random numbers".to_owned(),
            }),
            Op::Const(_) => Term::Words("a constant of the program".to_owned()),
            Op::Reshape { .. } => Term::call("reshape", Term::Symbol(self.auxiliary(made.operands[0]))),
            Op::Result(index) => Term::Words(format!("result {} of the recurrence", index + 1)),
            _ => Term::Words("given".to_owned()),
        }
    }

    fn taken(&self) -> Vec<String> {
        let names = self.named.values().map(|symbol| symbol.name.to_string());
        self.step.iter().cloned().chain(names).collect()
    }

    /// One element of a node: of its name, or its formula.
    fn element_of(&mut self, node: NodeId, mut subs: Vec<Term>, letters: &mut Letters) -> Term {
        let named = |symbol: Symbol, subs: Vec<Term>| {
            if subs.is_empty() { Term::Symbol(symbol) } else { Term::Element(symbol, subs) }
        };
        if let Some(symbol) = self.named.get(&node) {
            let mut symbol = symbol.clone();
            if self.stacks.contains(&node) && !subs.is_empty() {
                let moment: Arc<str> = match (&symbol.at, term(&subs.remove(0))) {
                    (Some(Moment::Step(later)), at) if *later < 0 => format!("{at}−{}", -later).into(),
                    (Some(Moment::Step(later)), at) if *later > 0 => format!("{at}+{later}").into(),
                    (_, at) => at.into(),
                };
                symbol = symbol.at(Moment::Fixed(moment));
            }
            return named(symbol, subs);
        }
        if let Op::Loop(body) = &self.graph[node].op
            && self.is_written_out(node)
            && !body.dropping
            && let Some(places) = inverse(body, &subs)
        {
            let (body, operands) = (body.clone(), self.graph[node].operands.clone());
            let over = reduced(&body);
            let mut names = Vec::new();
            let places: Vec<Term> = places
                .into_iter()
                .enumerate()
                .map(|(index, place)| {
                    place.unwrap_or_else(|| {
                        let letter = letters.next(&body.domain[index]);
                        if over.contains(&index) {
                            names.push(range(&body, index, &letter));
                        }
                        Term::Plain(letter)
                    })
                })
                .collect();
            let value = self.element(&body, &operands, body.body.result, &places, letters);
            return match reduction(body.combine) {
                Some(what) if !names.is_empty() => over_all(what, names, value),
                _ => value,
            };
        }
        named(self.auxiliary(node), subs)
    }

    fn element(
        &mut self,
        body: &Loop,
        operands: &[NodeId],
        id: ScalarId,
        places: &[Term],
        letters: &mut Letters,
    ) -> Term {
        match &body.body[id] {
            Scalar::Float(value) => Term::Number(value.0),
            Scalar::Int(value) => Term::Number(*value as f64),
            Scalar::Bool(value) => Term::Plain(value.to_string()),
            Scalar::Affine(affine) => self.affine(affine, places),
            Scalar::Read { operand, subs, padded } => {
                self.padded |= *padded;
                let subs =
                    subs.iter().map(|sub| self.subscript(body, operands, sub, places, letters)).collect();
                self.element_of(operands[*operand as usize], subs, letters)
            }
            Scalar::Unary(op, a) => unary(*op, self.element(body, operands, *a, places, letters)),
            Scalar::Binary(op, a, b) => {
                let a = self.element(body, operands, *a, places, letters);
                binary(*op, a, self.element(body, operands, *b, places, letters))
            }
            Scalar::Select(condition, a, b) => Term::Cases {
                condition: Box::new(self.element(body, operands, *condition, places, letters)),
                then: Box::new(self.element(body, operands, *a, places, letters)),
                otherwise: Box::new(self.element(body, operands, *b, places, letters)),
            },
            Scalar::WithSlope { value, .. } => self.element(body, operands, *value, places, letters),
        }
    }

    fn subscript(
        &mut self,
        body: &Loop,
        operands: &[NodeId],
        sub: &Sub,
        places: &[Term],
        letters: &mut Letters,
    ) -> Term {
        match sub {
            Sub::Affine(affine) => self.affine(affine, places),
            Sub::Value(id) => self.element(body, operands, *id, places, letters),
        }
    }

    /// `2i + u − 1`
    fn affine(&self, affine: &Affine, places: &[Term]) -> Term {
        let mut sum = Term::Number(0.0);
        for (var, coefficient) in &affine.terms {
            let place = match var {
                Var::Index(index) => places[*index as usize].clone(),
                Var::Step(_) => Term::Plain(self.step.clone().unwrap_or_else(|| "t".to_owned())),
            };
            sum = match coefficient.as_number() {
                Some(1) => sum.plus(place),
                Some(-1) => sum.minus(place),
                Some(number) => sum.plus(Term::Number(number as f64).times(place)),
                None => sum.plus(Term::Plain(size_text(coefficient)).times(place)),
            };
        }
        if affine.constant.is_number(0) && !affine.terms.is_empty() {
            sum
        } else {
            sum.plus(size(&affine.constant))
        }
    }
}

/// An index of a sum: with its range if no subscript is the index alone.
fn range(body: &Loop, index: usize, letter: &str) -> String {
    let is_bare = body.body.nodes.iter().any(|scalar| match scalar {
        Scalar::Read { subs, .. } => {
            subs.iter().any(|sub| matches!(sub, Sub::Affine(affine) if affine.as_index() == Some(index)))
        }
        _ => false,
    });
    if is_bare { letter.to_owned() } else { format!("{letter} < {}", size_text(&body.domain[index])) }
}

/// The values of a loop's indices, solved for from the subscripts of one element of its result; an inner `None` is
/// an index that is summed over. `None` if they do not follow from the subscripts.
fn inverse(body: &Loop, subs: &[Term]) -> Option<Vec<Option<Term>>> {
    let mut places = vec![None; body.domain.len()];
    for (write, sub) in body.write.iter().zip(subs) {
        let Sub::Affine(affine) = write else { return None };
        match affine.as_index() {
            Some(index) => places[index] = Some(sub.clone()),
            None if affine.is_constant() => {}
            None => return None,
        }
    }
    let over = reduced(body);
    let known = places.iter().enumerate().all(|(index, place)| place.is_some() || over.contains(&index));
    known.then_some(places)
}
