//! Parsing the scalar expression of a loop.

use super::scanner::{Parsed, Scanner};
use crate::ir::affine::Affine;
use crate::ir::graph::NodeId;
use crate::ir::scalar::{BinaryOp, Number, Scalar, ScalarId, Sub, UnaryOp};
use crate::ir::types::Elem;
use std::collections::HashMap;

/// An expression as it is written. A `let` is put in where it is first used.
#[derive(Clone)]
pub(super) enum Expr {
    /// A scalar without operands.
    Leaf(Scalar),
    Read {
        node: NodeId,
        subs: Vec<SubExpr>,
        padded: bool,
    },
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<[Expr; 2]>),
    Select(Box<[Expr; 3]>),
    WithSlope(Box<[Expr; 3]>),
    Name(u32),
}

#[derive(Clone)]
pub(super) enum SubExpr {
    Affine(Affine),
    Value(Expr),
}

impl Scanner<'_> {
    /// `node` finds the node of a number after `%`.
    pub fn expr(&mut self, node: &dyn Fn(u32) -> Option<NodeId>) -> Parsed<Expr> {
        if self.take("{") {
            let affine = self.affine()?;
            self.expect("}")?;
            return Ok(Expr::Leaf(Scalar::Affine(affine)));
        }
        if self.sees("%") {
            let node_id = self.node(node)?;
            let (subs, padded) = self.subs(node, "0")?;
            return Ok(Expr::Read { node: node_id, subs, padded });
        }
        if let Some(number) = self.peek_numbered('v') {
            self.word()?;
            return Ok(Expr::Name(number));
        }
        let float = |value: f64| Ok(Expr::Leaf(Scalar::Float(Number(value))));
        if self.take("-inf") {
            return float(f64::NEG_INFINITY);
        }
        let word = self.peek_word();
        if word.is_empty() {
            let numeral = self.numeral()?;
            return match (numeral.parse(), numeral.parse()) {
                (Ok(int), _) => Ok(Expr::Leaf(Scalar::Int(int))),
                (_, Ok(value)) => float(value),
                _ => self.error(format!("{numeral} is not a number")),
            };
        }
        self.word()?;
        match word {
            "true" | "false" => return Ok(Expr::Leaf(Scalar::Bool(word == "true"))),
            "inf" => return float(f64::INFINITY),
            "nan" => return float(self.nan_bits()?),
            _ => {}
        }
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.take(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.expr(node)?);
        }
        let unary = UnaryOp::ALL.iter().copied().find(|op| op.name() == word);
        let binary = BinaryOp::ALL.iter().copied().find(|op| op.name() == word);
        let n_arguments = arguments.len();
        let expr = match (unary, binary, word) {
            (Some(op), _, _) => <[Expr; 1]>::try_from(arguments).ok().map(|[a]| Expr::Unary(op, Box::new(a))),
            (None, Some(op), _) => {
                <[Expr; 2]>::try_from(arguments).ok().map(|both| Expr::Binary(op, Box::new(both)))
            }
            (None, None, "select") => arguments.try_into().ok().map(|all| Expr::Select(Box::new(all))),
            (None, None, "slope") => arguments.try_into().ok().map(|all| Expr::WithSlope(Box::new(all))),
            _ => return self.error(format!("no operation is called `{word}`")),
        };
        expr.map_or_else(|| self.error(format!("`{word}` does not take {n_arguments} arguments")), Ok)
    }

    pub fn nan_bits(&mut self) -> Parsed<f64> {
        if !self.take("(0x") {
            return Ok(f64::NAN);
        }
        let rest = self.rest();
        let digits = rest.split(')').next().unwrap_or_default();
        let Ok(bits) = u64::from_str_radix(digits, 16) else { return self.error("not a number in base 16") };
        self.take(digits);
        self.expect(")")?;
        Ok(f64::from_bits(bits))
    }

    pub fn node(&mut self, node: &dyn Fn(u32) -> Option<NodeId>) -> Parsed<NodeId> {
        self.expect("%")?;
        let number = self.natural()?;
        node(number).map_or_else(|| self.error(format!("there is no %{number} above")), Ok)
    }

    /// `[i0, %1[i1] else 0]`: the subscripts, and whether there is an `else`.
    pub fn subs(
        &mut self,
        node: &dyn Fn(u32) -> Option<NodeId>,
        otherwise: &str,
    ) -> Parsed<(Vec<SubExpr>, bool)> {
        self.expect("[")?;
        let mut subs = Vec::new();
        loop {
            if self.take("]") {
                return Ok((subs, false));
            }
            if self.take_word("else") {
                self.expect(otherwise)?;
                self.expect("]")?;
                return Ok((subs, true));
            }
            if !subs.is_empty() {
                self.expect(",")?;
            }
            let is_affine = self.peek_numbered('i').is_some()
                || self.peek_numbered('t').is_some()
                || self.rest().starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '('));
            subs.push(if is_affine {
                SubExpr::Affine(self.affine()?)
            } else {
                self.take("=");
                SubExpr::Value(self.expr(node)?)
            });
        }
    }
}

/// Builds a body: scalars in the order in which they are first needed, equal ones shared, unless every scalar
/// of the body has a name.
pub(super) struct Builder<'a> {
    pub lets: HashMap<u32, Expr>,
    pub named: HashMap<u32, ScalarId>,
    pub nodes: Vec<Scalar>,
    pub elems: Vec<Elem>,
    pub interned: HashMap<Scalar, ScalarId>,
    /// Whether equal scalars stay apart and operands are fixed.
    pub listed: bool,
    pub operands: Vec<NodeId>,
    pub elem_of: &'a dyn Fn(NodeId) -> Elem,
}

impl Builder<'_> {
    /// The scalar of an expression, or what is wrong with it.
    pub fn build(&mut self, expr: &Expr) -> Result<ScalarId, String> {
        let scalar = match expr {
            Expr::Leaf(scalar) => scalar.clone(),
            Expr::Name(number) => {
                if let Some(id) = self.named.get(number) {
                    return Ok(*id);
                }
                // The entry is removed, so that a name cannot be defined by itself.
                let expr = self.lets.remove(number).ok_or_else(|| format!("there is no v{number}"))?;
                let id = self.build(&expr)?;
                self.named.insert(*number, id);
                return Ok(id);
            }
            Expr::Read { node, subs, padded } => {
                let subs = self.subs(subs)?;
                let operand = match self.operands.iter().position(|other| other == node) {
                    Some(at) => at,
                    None if self.listed => return Err(format!("{node} is not among the operands")),
                    None => {
                        self.operands.push(*node);
                        self.operands.len() - 1
                    }
                };
                Scalar::Read { operand: operand as u32, subs, padded: *padded }
            }
            Expr::Unary(op, a) => Scalar::Unary(*op, self.build(a)?),
            Expr::Binary(op, both) => Scalar::Binary(*op, self.build(&both[0])?, self.build(&both[1])?),
            Expr::Select(all) => {
                Scalar::Select(self.build(&all[0])?, self.build(&all[1])?, self.build(&all[2])?)
            }
            Expr::WithSlope(all) => Scalar::WithSlope {
                value: self.build(&all[0])?,
                arg: self.build(&all[1])?,
                slope: self.build(&all[2])?,
            },
        };
        self.add(scalar)
    }

    pub fn subs(&mut self, subs: &[SubExpr]) -> Result<Vec<Sub>, String> {
        let subs = subs.iter().map(|sub| match sub {
            SubExpr::Affine(affine) => Ok(Sub::Affine(affine.clone())),
            SubExpr::Value(expr) => self.build(expr).map(Sub::Value),
        });
        subs.collect()
    }

    fn add(&mut self, scalar: Scalar) -> Result<ScalarId, String> {
        if let Some(id) = self.interned.get(&scalar).filter(|_| !self.listed) {
            return Ok(*id);
        }
        let elem = self.elem(&scalar)?;
        let id = ScalarId(self.nodes.len() as u32);
        self.nodes.push(scalar.clone());
        self.elems.push(elem);
        self.interned.insert(scalar, id);
        Ok(id)
    }

    fn elem(&self, scalar: &Scalar) -> Result<Elem, String> {
        let of = |id: &ScalarId| self.elems[id.0 as usize];
        let same = |a: &ScalarId, b: &ScalarId| {
            if of(a) == of(b) {
                Ok(of(a))
            } else {
                Err(format!("{} and {} do not go together", of(a), of(b)))
            }
        };
        match scalar {
            Scalar::Float(_) => Ok(Elem::Float),
            Scalar::Int(_) | Scalar::Affine(_) => Ok(Elem::Int),
            Scalar::Bool(_) => Ok(Elem::Bool),
            Scalar::Read { operand, .. } => Ok((self.elem_of)(self.operands[*operand as usize])),
            Scalar::Unary(op, a) => {
                op.result(of(a)).ok_or_else(|| format!("`{}` does not take {}", op.name(), of(a)))
            }
            Scalar::Binary(op, a, b) => {
                let elem = same(a, b)?;
                op.result(elem).ok_or_else(|| format!("`{}` does not take {elem}", op.name()))
            }
            Scalar::Select(_, a, b) => same(a, b),
            Scalar::WithSlope { value, .. } => Ok(of(value)),
        }
    }
}
