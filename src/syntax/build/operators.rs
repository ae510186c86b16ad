//! Groups the flat list of operands and operators that the grammar gives, by precedence.

use pest::iterators::{Pair, Pairs};

use crate::base::{Span, with_stack};

use super::super::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use super::super::grammar::Rule;
use super::super::report::ExprError;
use super::{Builder, MAX_RECURSION};

// From loosest to tightest; `|>` and `at` are looser than all of them and handled apart.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const ADD: u8 = 5;
const MULTIPLY: u8 = 6;
const NEGATE: u8 = 7;
const POWER: u8 = 8;

impl Builder<'_> {
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Expr {
        with_stack(|| self.pipeline(pair))
    }

    /// Pipelines and what stands before and after `at`: the loosest operators, from left to right.
    fn pipeline(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut flat = pair.into_inner();
        let (mut expr, mut height) = self.operators(&mut flat, OR, span);
        while let Some(rule) = flat.peek().map(|pair| pair.as_rule()) {
            (expr, height) = match rule {
                Rule::pipe => self.stages(&mut flat, expr, height, span),
                Rule::at => {
                    flat.next();
                    let (parameters, right) = self.operators(&mut flat, OR, span);
                    let whole = expr.span.to(parameters.span);
                    let kind = ExprKind::At { value: Box::new(expr), parameters: Box::new(parameters) };
                    self.checked(Expr::new(kind, whole), height.max(right))
                }
                _ => break,
            };
        }
        self.height = self.height.max(height);
        expr
    }

    /// `|> f |> g(a)` after the input.
    fn stages(
        &mut self,
        flat: &mut Pairs<'_, Rule>,
        input: Expr,
        mut height: usize,
        span: Span,
    ) -> (Expr, usize) {
        let mut stages = Vec::new();
        while flat.peek().is_some_and(|pair| pair.as_rule() == Rule::pipe) {
            flat.next();
            let (stage, stage_height) = self.operators(flat, OR, span);
            height = height.max(stage_height);
            if !is_stage(&stage) {
                self.error(ExprError::NotStage { at: stage.span });
                stages.push(Expr::new(ExprKind::Error, stage.span));
                continue;
            }
            stages.push(stage);
        }
        let whole = stages.last().map_or(input.span, |last| input.span.to(last.span));
        let pipeline = Expr::new(ExprKind::Pipeline { input: Box::new(input), stages }, whole);
        self.checked(pipeline, height)
    }

    /// One operand and all operators after it that bind at least as tightly as `least`, with the
    /// height of the result.
    fn operators(&mut self, flat: &mut Pairs<'_, Rule>, least: u8, around: Span) -> (Expr, usize) {
        if self.depth >= MAX_RECURSION {
            self.too_deep(around);
            flat.by_ref().for_each(drop);
            return (Expr::new(ExprKind::Error, around), 1);
        }
        self.depth += 1;
        let (mut left, mut height) = self.operand(flat, least, around);
        let mut compared: Option<Span> = None;
        while let Some(pair) = flat.peek() {
            let Some((op, power)) = infix(&pair) else { break };
            if power < least {
                break;
            }
            let op_span = self.span(&pair);
            flat.next();
            if op.is_comparison() {
                if let Some(first) = compared {
                    self.error(ExprError::ComparedAgain { first, at: op_span });
                }
                compared = Some(op_span);
            }
            let right_least = if op == BinaryOp::Pow { POWER } else { power + 1 };
            let (right, right_height) = self.operators(flat, right_least, around);
            let span = left.span.to(right.span);
            let kind = ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) };
            (left, height) = self.checked(Expr::new(kind, span), height.max(right_height));
        }
        self.depth -= 1;
        (left, height)
    }

    fn operand(&mut self, flat: &mut Pairs<'_, Rule>, least: u8, around: Span) -> (Expr, usize) {
        let Some(pair) = flat.next() else { return (Expr::new(ExprKind::Error, around), 1) };
        if pair.as_rule() != Rule::prefix {
            let outer = std::mem::replace(&mut self.height, 0);
            let expr = self.term(pair);
            let height = std::mem::replace(&mut self.height, outer);
            return (expr, height);
        }
        let op_span = self.span(&pair);
        let (op, power) = if pair.as_str() == "-" { (UnaryOp::Neg, NEGATE) } else { (UnaryOp::Not, NOT) };
        if power < least && op == UnaryOp::Not {
            self.error(ExprError::LooseNot { at: op_span });
        }
        if op == UnaryOp::Neg && is_least_int(flat.clone()) {
            let number = flat.next().map_or(around, |pair| self.span(&pair));
            return (Expr::new(ExprKind::Int(i64::MIN), op_span.to(number)), 1);
        }
        let (operand, height) = self.operators(flat, power, around);
        let span = op_span.to(operand.span);
        let kind = ExprKind::Unary { op, op_span, operand: Box::new(operand) };
        self.checked(Expr::new(kind, span), height)
    }
}

/// Whether what follows a minus makes the least whole number: it is one, though without the minus it is none.
fn is_least_int(mut behind: Pairs<'_, Rule>) -> bool {
    let digits = behind.next().map(|pair| pair.as_str().trim().replace('_', "")).unwrap_or_default();
    let is_power = behind.next().and_then(|pair| infix(&pair)).is_some_and(|(op, _)| op == BinaryOp::Pow);
    digits.parse() == Ok(i64::MIN.unsigned_abs()) && !is_power
}

fn infix(pair: &Pair<'_, Rule>) -> Option<(BinaryOp, u8)> {
    if pair.as_rule() != Rule::infix {
        return None;
    }
    Some(match pair.as_str() {
        "or" => (BinaryOp::Or, OR),
        "and" => (BinaryOp::And, AND),
        "==" => (BinaryOp::Eq, COMPARE),
        "!=" => (BinaryOp::Ne, COMPARE),
        "<" => (BinaryOp::Lt, COMPARE),
        "<=" => (BinaryOp::Le, COMPARE),
        ">" => (BinaryOp::Gt, COMPARE),
        ">=" => (BinaryOp::Ge, COMPARE),
        "+" => (BinaryOp::Add, ADD),
        "-" => (BinaryOp::Sub, ADD),
        "*" => (BinaryOp::Mul, MULTIPLY),
        "/" => (BinaryOp::Div, MULTIPLY),
        "@" => (BinaryOp::MatMul, MULTIPLY),
        _ => (BinaryOp::Pow, POWER),
    })
}

fn is_stage(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(_) | ExprKind::Template(_) | ExprKind::Error => true,
        ExprKind::Field { base, .. } => is_stage(base),
        ExprKind::Call { callee, .. } => is_stage(callee),
        _ => false,
    }
}
