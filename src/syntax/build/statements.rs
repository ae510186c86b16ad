//! Blocks and statements; what may stand on the left of `=`, `+=` and `<-`.

use std::sync::Arc;

use pest::iterators::Pair;

use crate::base::foreign::{self, Foreign};
use crate::base::{Span, with_stack};

use super::super::ast::{
    BinaryOp, Block, DefineOp, Expr, ExprKind, For, IfBlock, IfBranch, IndexDefinition, Name,
    NamePiece, Otherwise, Path, Scan, Statement, StatementKind, Subscript, SubscriptKind, TargetSubscript,
    TargetSubscriptKind, TemplateName, UnaryOp,
};
use super::super::grammar::Rule;
use super::super::report::{Assigned, MeantByLost, StatementError};
use super::expressions::index_of;
use super::{Builder, take};

/// The target of an assignment.
enum Target {
    Path(Path),
    Tuple(Vec<Option<Name>>),
    Indexed {
        name: Name,
        subscripts: Vec<TargetSubscript>,
        otherwise: Option<Otherwise>,
    },
    /// Reported already.
    Wrong,
}

impl Builder<'_> {
    pub(super) fn block(&mut self, pair: Pair<'_, Rule>) -> Block {
        let span = self.span(&pair);
        let mut statements = Vec::new();
        let mut value = None;
        let count = pair.clone().into_inner().len();
        for (at, part) in pair.into_inner().enumerate() {
            let place = self.span(&part);
            let doc = self.doc(place);
            let kind = self.statement(part, place);
            let last = at + 1 == count;
            let kind = match kind {
                StatementKind::Stray(expr) if last => {
                    value = Some(Box::new(expr));
                    continue;
                }
                StatementKind::If(block) if last && is_value(&block) => {
                    value = Some(Box::new(Expr::new(ExprKind::IfBlock(block), place)));
                    continue;
                }
                StatementKind::Stray(expr) => {
                    self.stray(&expr, count);
                    // What else is wrong with it does not matter.
                    StatementKind::Stray(Expr::new(ExprKind::Error, place))
                }
                StatementKind::If(mut block) => {
                    self.check_if_statement(&mut block, place, last);
                    StatementKind::If(block)
                }
                other => other,
            };
            statements.push(Statement { doc, kind, span: place });
        }
        Block { statements, value, span }
    }

    fn statement(&mut self, pair: Pair<'_, Rule>, span: Span) -> StatementKind {
        let rule = pair.as_rule();
        if rule == Rule::assignment {
            return self.assignment(pair, span);
        }
        let mut parts = pair.into_inner();
        parts.next();
        match rule {
            Rule::param | Rule::state => {
                let name = match take(&mut parts, Rule::path) {
                    Some(path) => self.path(path),
                    None => Path { parts: Vec::new(), span },
                };
                take(&mut parts, Rule::colon);
                let ty = take(&mut parts, Rule::ty).map(|ty| self.ty(ty));
                take(&mut parts, Rule::eq);
                let value = take(&mut parts, Rule::expr).map(|value| self.expr(value));
                if rule == Rule::state {
                    return StatementKind::State { name, ty, value };
                }
                let frozen = take(&mut parts, Rule::kw_frozen).map(|word| self.span(&word));
                StatementKind::Param { name, ty, value, frozen }
            }
            Rule::carry => {
                let name = self.next_name(&mut parts, span);
                take(&mut parts, Rule::colon);
                let ty = take(&mut parts, Rule::ty).map(|ty| self.ty(ty));
                take(&mut parts, Rule::eq);
                let value = take(&mut parts, Rule::expr).map(|value| self.expr(value));
                StatementKind::Carry { name, ty, value }
            }
            Rule::collect => {
                let name = self.next_name(&mut parts, span);
                let value = match take(&mut parts, Rule::eq) {
                    Some(_) => self.next_expr(&mut parts, span),
                    None => Expr::new(ExprKind::Name(name.text.clone()), name.span),
                };
                let axis = take(&mut parts, Rule::kw_along).map(|_| self.next_expr(&mut parts, span));
                StatementKind::Collect { name, value, axis }
            }
            Rule::scan => {
                let reverse = take(&mut parts, Rule::kw_reverse).map(|word| self.span(&word));
                let variable = self.next_name(&mut parts, span);
                take(&mut parts, Rule::less);
                let bound = self.next_expr(&mut parts, span);
                let header_span = Span { end: bound.span.end, ..span };
                let mut body = self.next_block(parts.next(), span);
                self.check_no_value(&mut body, "`scan`");
                StatementKind::Scan(Scan { reverse, variable, bound, body, header_span })
            }
            Rule::for_loop => {
                let (variable, over) = self.for_header(&mut parts, span);
                let mut body = self.next_block(parts.next(), span);
                self.check_no_value(&mut body, "`for`");
                StatementKind::For(For { variable, over, body })
            }
            _ => {
                let condition = self.next_expr(&mut parts, span);
                take(&mut parts, Rule::comma);
                let message = take(&mut parts, Rule::expr).map(|message| self.expr(message));
                StatementKind::Require { condition, message, is_advice: rule == Rule::advise }
            }
        }
    }

    fn next_block(&mut self, pair: Option<Pair<'_, Rule>>, around: Span) -> Block {
        match pair {
            Some(pair) if self.depth < super::MAX_RECURSION => {
                self.depth += 1;
                let outer = self.height;
                self.height = 0;
                let block = with_stack(|| self.block(pair));
                let (_, height) = self.checked(Expr::new(ExprKind::Error, around), self.height);
                self.height = outer.max(height);
                self.depth -= 1;
                block
            }
            Some(_) => {
                self.too_deep(around);
                Block { statements: Vec::new(), value: None, span: around }
            }
            None => Block { statements: Vec::new(), value: None, span: around },
        }
    }

    pub(super) fn path(&mut self, pair: Pair<'_, Rule>) -> Path {
        let span = self.span(&pair);
        let mut parts = Vec::new();
        for part in pair.into_inner() {
            let part = if part.as_rule() == Rule::member { part.into_inner().next() } else { Some(part) };
            parts.extend(part.map(|part| self.template_name(part)));
        }
        if let [only] = parts.as_slice()
            && let Some(text) = only.as_plain().cloned()
        {
            self.check_bindable(&text, span);
        }
        Path { parts, span }
    }

    fn assignment(&mut self, pair: Pair<'_, Rule>, span: Span) -> StatementKind {
        let mut parts = pair.into_inner();
        let count = parts.len();
        let Some(left) = parts.next() else { return StatementKind::Stray(Expr::new(ExprKind::Error, span)) };
        if count == 1 {
            return match lone_if(&left) {
                Some(conditional) => StatementKind::If(Box::new(self.if_block(conditional))),
                None => StatementKind::Stray(self.expr(left)),
            };
        }
        self.holes = true;
        let left = self.expr(left);
        self.holes = false;
        if take(&mut parts, Rule::colon).is_some() {
            return self.typed(left, parts, span);
        }
        let Some(op) = parts.next() else { return StatementKind::Stray(left) };
        let op_span = self.span(&op);
        let value = self.next_expr(&mut parts, span);
        let (rule, target_span) = (op.as_rule(), left.span);
        match (rule, self.target(left, rule)) {
            (Rule::larrow, Target::Path(target)) => StatementKind::Update { target, value },
            (Rule::eq, Target::Path(target)) => StatementKind::Bind { target, ty: None, value },
            (Rule::eq, Target::Tuple(names)) => {
                StatementKind::Unpack { names, pattern_span: target_span, value }
            }
            (Rule::eq | Rule::plus_eq, Target::Indexed { name, subscripts, otherwise }) => {
                let op = if rule == Rule::eq { DefineOp::Set } else { DefineOp::Add };
                StatementKind::Define(IndexDefinition {
                    name,
                    subscripts,
                    otherwise,
                    target_span,
                    op,
                    op_span,
                    value,
                })
            }
            (Rule::plus_eq, Target::Path(_)) => {
                let name = self.text[target_span.start as usize..target_span.end as usize].to_owned();
                self.error(StatementError::AddedToWhole { name, op: op_span, at: target_span });
                StatementKind::Stray(Expr::new(ExprKind::Error, span))
            }
            (Rule::larrow, Target::Indexed { .. }) => {
                self.error(StatementError::UpdatedElements { at: target_span });
                StatementKind::Stray(Expr::new(ExprKind::Error, span))
            }
            (_, Target::Wrong) => StatementKind::Stray(Expr::new(ExprKind::Error, span)),
            _ => {
                let of = assigned_by(rule);
                self.error(StatementError::NotTarget { of, at: target_span });
                StatementKind::Stray(Expr::new(ExprKind::Error, span))
            }
        }
    }

    /// `name: type` or `name: type = expr`
    fn typed(
        &mut self,
        left: Expr,
        mut parts: pest::iterators::Pairs<'_, Rule>,
        span: Span,
    ) -> StatementKind {
        let ty = take(&mut parts, Rule::ty).map(|ty| self.ty(ty));
        let target_span = left.span;
        let value = take(&mut parts, Rule::eq).map(|_| self.next_expr(&mut parts, span));
        match (self.target(left, Rule::colon), value, ty) {
            (Target::Path(target), Some(value), ty) => StatementKind::Bind { target, ty, value },
            (Target::Path(target), None, Some(ty)) => match target.as_plain() {
                Some(text) => {
                    StatementKind::Declare { name: Name { text: text.clone(), span: target_span }, ty }
                }
                None => {
                    self.error(StatementError::DeclaredPath { at: target_span });
                    StatementKind::Stray(Expr::new(ExprKind::Error, span))
                }
            },
            (Target::Wrong, _, _) => StatementKind::Stray(Expr::new(ExprKind::Error, span)),
            _ => {
                self.error(StatementError::NotTarget { of: assigned_by(Rule::colon), at: target_span });
                StatementKind::Stray(Expr::new(ExprKind::Error, span))
            }
        }
    }

    fn target(&mut self, left: Expr, op: Rule) -> Target {
        let span = left.span;
        match left.kind {
            ExprKind::Error => Target::Wrong,
            ExprKind::Constant(constant) => {
                self.check_bindable(&Arc::from(constant.as_str()), span);
                Target::Wrong
            }
            ExprKind::Tuple(elements) | ExprKind::List(elements) => {
                let mut names = Vec::with_capacity(elements.len());
                for element in elements {
                    match element.as_name() {
                        Some(name) if &**name == "_" => names.push(None),
                        Some(name) => names.push(Some(Name::new(name.clone(), element.span))),
                        None => {
                            self.error(StatementError::PatternNotName { at: element.span });
                            return Target::Wrong;
                        }
                    }
                }
                Target::Tuple(names)
            }
            ExprKind::Subscript { base, subscripts } => {
                let Some(name) = base.as_name().cloned() else {
                    self.error(StatementError::NotTarget { of: assigned_by(op), at: span });
                    return Target::Wrong;
                };
                let otherwise = subscripts.otherwise;
                let subscripts =
                    subscripts.items.into_iter().filter_map(|item| self.target_subscript(item)).collect();
                Target::Indexed { name: Name { text: name, span: base.span }, subscripts, otherwise }
            }
            kind => match path_of(Expr::new(kind, span)) {
                Some(path) => Target::Path(path),
                None => {
                    self.error(StatementError::NotTarget { of: assigned_by(op), at: span });
                    Target::Wrong
                }
            },
        }
    }

    fn target_subscript(&mut self, item: Subscript) -> Option<TargetSubscript> {
        let span = item.span;
        let kind = match item.kind {
            SubscriptKind::Pack(name) => TargetSubscriptKind::Pack(name),
            SubscriptKind::At(Expr { kind: ExprKind::Error, .. }) => return None,
            SubscriptKind::At(expr) => match index_of(expr) {
                Ok(index) => TargetSubscriptKind::Index(index),
                Err(expr) => TargetSubscriptKind::Expr(expr),
            },
            SubscriptKind::Slice(_) | SubscriptKind::New | SubscriptKind::Rest => {
                self.error(StatementError::SubscriptNotIndex { at: span });
                return None;
            }
        };
        Some(TargetSubscript { kind, span })
    }

    // --------------------------------------------------------------------------- if blocks

    pub(super) fn if_block(&mut self, pair: Pair<'_, Rule>) -> IfBlock {
        let around = self.span(&pair);
        let mut parts = pair.into_inner();
        let (mut branches, mut otherwise) = (Vec::new(), None);
        while let Some(part) = parts.next() {
            match part.as_rule() {
                Rule::expr => {
                    let condition = self.expr(part);
                    let body = self.next_block(parts.next(), around);
                    branches.push(IfBranch { condition, body });
                }
                Rule::block => otherwise = Some(self.next_block(Some(part), around)),
                _ => {}
            }
        }
        IfBlock { branches, otherwise }
    }

    /// An `if` block that is used as a value.
    pub(super) fn check_if_value(&mut self, block: &IfBlock, span: Span) {
        if block.otherwise.is_none() {
            self.error(StatementError::NoElse { at: span });
        }
        for branch in blocks_of(block).filter(|branch| branch.value.is_none()) {
            self.error(StatementError::BranchWithoutValue { branch: branch.span, at: span });
        }
    }

    /// An `if` block that is no value: what its branches end in would be lost, and is left out once that is told.
    fn check_if_statement(&mut self, block: &mut IfBlock, span: Span, last: bool) {
        let is_value = |branch: &Block| branch.value.as_ref().is_some_and(|value| called_elsewhere(value).is_none());
        if last && blocks_of(block).any(is_value) {
            self.check_if_value(block, span);
            return;
        }
        let branches = block.branches.iter_mut().map(|branch| &mut branch.body).chain(&mut block.otherwise);
        for value in branches.filter_map(|branch| branch.value.take()) {
            self.stray(&value, 2);
        }
    }

    /// The value at the end of the block of a loop would be lost.
    fn check_no_value(&mut self, body: &mut Block, word: &'static str) {
        if let Some(value) = body.value.take() {
            let advice = called_elsewhere(&value).map(|row| row.advice);
            self.error(StatementError::LoopValue { word, advice, at: value.span });
        }
    }

    fn stray(&mut self, expr: &Expr, statements: usize) {
        if matches!(expr.kind, ExprKind::Error) {
            return;
        }
        let first = self.text[expr.span.start as usize..].chars().next();
        let update = match &expr.kind {
            ExprKind::Binary { op: BinaryOp::Lt, left, right, op_span } if left.as_name().is_some() => {
                matches!(right.kind, ExprKind::Unary { op: UnaryOp::Neg, .. })
                    .then(|| op_span.to(Span { end: right.span.start + 1, ..right.span }))
            }
            _ => None,
        };
        let meant = match (update, called_elsewhere(expr), first) {
            (Some(signs), _, _) => MeantByLost::Update(signs),
            (None, Some(row), _) => MeantByLost::Elsewhere(row.advice),
            (None, None, Some('-')) if statements > 1 => MeantByLost::LineBefore,
            (None, None, _) => MeantByLost::Nothing,
        };
        self.error(StatementError::Lost { meant, at: expr.span });
    }
}

/// What users of other languages mean by an expression that stands alone: `print(x)`, `layers.append(l)`, `break`.
fn called_elsewhere(expr: &Expr) -> Option<&'static Foreign> {
    let row = match &expr.kind {
        ExprKind::Call { callee, .. } => match &callee.kind {
            ExprKind::Field { name, .. } => foreign::find(foreign::METHODS, plain(name)?),
            _ => foreign::find(foreign::STATEMENTS, callee.as_name()?),
        },
        _ => foreign::find(foreign::STATEMENTS, expr.as_name()?),
    };
    row.filter(|row| !row.advice.is_empty())
}

fn plain(name: &TemplateName) -> Option<&str> {
    match name.pieces.as_slice() {
        [NamePiece::Text(text)] => Some(text),
        _ => None,
    }
}

/// The pair of an `if` block that is a whole statement.
fn lone_if<'i>(expr: &Pair<'i, Rule>) -> Option<Pair<'i, Rule>> {
    let only = |pair: Pair<'i, Rule>| {
        let mut parts = pair.into_inner();
        parts.next().filter(|_| parts.next().is_none())
    };
    let term = only(expr.clone()).filter(|term| term.as_rule() == Rule::term)?;
    let conditional = only(term).filter(|primary| primary.as_rule() == Rule::conditional)?;
    conditional.clone().into_inner().any(|part| part.as_rule() == Rule::block).then_some(conditional)
}

fn blocks_of(block: &IfBlock) -> impl Iterator<Item = &Block> {
    block.branches.iter().map(|branch| &branch.body).chain(&block.otherwise)
}

fn is_value(block: &IfBlock) -> bool {
    block.otherwise.is_some() && blocks_of(block).all(|branch| branch.value.is_some())
}

/// `a`, `fc{l}`, `features.{3}` as a path.
fn path_of(expr: Expr) -> Option<Path> {
    let span = expr.span;
    match expr.kind {
        ExprKind::Name(text) => {
            let pieces = vec![NamePiece::Text(text)];
            Some(Path { parts: vec![TemplateName { pieces, span }], span })
        }
        ExprKind::Template(name) => Some(Path { parts: vec![name], span }),
        ExprKind::Field { base, name } => {
            let mut path = path_of(*base)?;
            path.parts.push(name);
            path.span = span;
            Some(path)
        }
        // No instance may be called `T`; that is said where names are checked.
        ExprKind::Transpose(base) => {
            let base_end = base.span.end;
            let mut path = path_of(*base)?;
            let name_span = Span { start: base_end + 1, ..span };
            path.parts.push(TemplateName { pieces: vec![NamePiece::Text(Arc::from("T"))], span: name_span });
            path.span = span;
            Some(path)
        }
        _ => None,
    }
}

/// What a sign between a name and what it gets does.
fn assigned_by(sign: Rule) -> Assigned {
    match sign {
        Rule::larrow => Assigned::Updated,
        Rule::plus_eq => Assigned::Added,
        Rule::colon => Assigned::Declared,
        _ => Assigned::Bound,
    }
}
