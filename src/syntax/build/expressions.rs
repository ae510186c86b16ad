//! Operands: names, literals, calls, subscripts, reducers, `if`.

use std::sync::Arc;

use pest::iterators::{Pair, Pairs};

use crate::base::Span;

use super::super::ast::{
    Arg, Args, BinaryOp, Constant, Expr, ExprKind, Index, Name, NamePiece, Otherwise, Reduce, ReduceIndex,
    ReduceOp, Slice, StrPiece, Subscript, SubscriptKind, Subscripts, TemplateName,
};
use super::super::grammar::Rule;
use super::super::report::{ExprError, ReducerError};
use super::{Builder, take};

/// An `expr`, or a slice `a:b` or `:`.
enum SliceOr {
    Expr(Expr),
    Slice(Slice),
}

impl Builder<'_> {
    /// The next pair's expression; the grammar says there is one.
    pub(super) fn next_expr(&mut self, pairs: &mut Pairs<'_, Rule>, around: Span) -> Expr {
        match take(pairs, Rule::expr) {
            Some(pair) => self.expr(pair),
            None => Expr::new(ExprKind::Error, around),
        }
    }

    pub(super) fn term(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let around = self.span(&pair);
        let mut parts = pair.into_inner();
        let Some(first) = parts.next() else { return Expr::new(ExprKind::Error, around) };
        let mut expr = self.primary(first);
        for part in parts {
            let span = expr.span.to(self.span(&part));
            // The expression built so far is an operand of the next node.
            let height = self.height;
            let next = match part.as_rule() {
                Rule::arguments => self.call(expr, part, span),
                Rule::subscripts => {
                    let subscripts = self.subscripts(part);
                    Expr::new(ExprKind::Subscript { base: Box::new(expr), subscripts }, span)
                }
                _ => self.member(expr, part, span),
            };
            let (next, height) = self.checked(next, self.height.max(height));
            self.height = height;
            expr = next;
        }
        expr
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::number => {
                self.height = self.height.max(1);
                self.number(pair.as_str(), span)
            }
            Rule::name => self.nested(span, |builder| builder.name_expr(pair, span)),
            Rule::string => self.nested(span, |builder| {
                let pieces = builder.str_pieces(pair);
                Expr::new(ExprKind::Str(pieces), span)
            }),
            Rule::conditional => self.nested(span, |builder| builder.conditional(pair, span)),
            Rule::list => self.nested(span, |builder| builder.list(pair, span)),
            _ => self.group(pair, span),
        }
    }

    fn number(&mut self, text: &str, span: Span) -> Expr {
        let digits = text.replace('_', "");
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Ok(value) = digits.parse::<i64>() {
                return Expr::new(ExprKind::Int(value), span);
            }
            self.error(ExprError::LargeInt { text: text.to_owned(), at: span });
            return Expr::new(ExprKind::Error, span);
        }
        match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Expr::new(ExprKind::Float(value), span),
            _ => {
                self.error(ExprError::LargeFloat { text: text.to_owned(), at: span });
                Expr::new(ExprKind::Error, span)
            }
        }
    }

    fn name_expr(&mut self, pair: Pair<'_, Rule>, span: Span) -> Expr {
        let name = self.template_name(pair);
        let kind = match name.as_plain() {
            Some(text) => match Constant::from_name(text) {
                Some(constant) => ExprKind::Constant(constant),
                None if &**text == "_" && !self.holes => {
                    self.error(ExprError::Hole { at: span });
                    ExprKind::Error
                }
                None => ExprKind::Name(text.clone()),
            },
            None => ExprKind::Template(name),
        };
        Expr::new(kind, span)
    }

    /// A `name` or `member_name` pair: text and `{expr}` in any order.
    pub(super) fn template_name(&mut self, pair: Pair<'_, Rule>) -> TemplateName {
        let span = self.span(&pair);
        let mut pieces = Vec::new();
        for piece in pair.into_inner() {
            pieces.push(match piece.as_rule() {
                Rule::template => {
                    let around = self.span(&piece);
                    NamePiece::Expr(self.next_expr(&mut piece.into_inner(), around))
                }
                _ => NamePiece::Text(Arc::from(piece.as_str())),
            });
        }
        TemplateName { pieces, span }
    }

    /// The pieces of a `string` pair, escapes resolved.
    pub(super) fn str_pieces(&mut self, pair: Pair<'_, Rule>) -> Vec<StrPiece> {
        let mut pieces = Vec::new();
        for piece in pair.into_inner() {
            let span = self.span(&piece);
            pieces.push(match piece.as_rule() {
                Rule::template => StrPiece::Expr(self.next_expr(&mut piece.into_inner(), span)),
                _ => StrPiece::Text(self.unescape(piece.as_str(), span)),
            });
        }
        pieces
    }

    fn unescape(&mut self, text: &str, span: Span) -> String {
        let mut result = String::with_capacity(text.len());
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '{' | '}' => {
                    result.push(c);
                    if text[at + 1..].starts_with(c) {
                        chars.next();
                    }
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => result.push('\n'),
                    Some((_, 't')) => result.push('\t'),
                    Some((_, escaped @ ('"' | '\\'))) => result.push(escaped),
                    Some((_, other)) => {
                        let start = span.start as usize + at;
                        let at = Span::new(self.file, start, start + 1 + other.len_utf8());
                        self.error(ExprError::Escape { character: other, at });
                    }
                    None => {}
                },
                _ => result.push(c),
            }
        }
        result
    }

    fn list(&mut self, pair: Pair<'_, Rule>, span: Span) -> Expr {
        let mut elements = Vec::new();
        for element in pair.into_inner() {
            elements.push(if element.as_rule() == Rule::pack {
                let place = self.span(&element);
                match self.pack_name(element) {
                    Some(name) => Expr::new(ExprKind::Spread(name), place),
                    None => {
                        self.error(ExprError::UnnamedPack { at: place });
                        Expr::new(ExprKind::Error, place)
                    }
                }
            } else {
                self.expr(element)
            });
        }
        Expr::new(ExprKind::List(elements), span)
    }

    fn group(&mut self, pair: Pair<'_, Rule>, span: Span) -> Expr {
        let is_single = pair.as_str().trim_end_matches(')').trim_end().ends_with(',');
        let mut inner = pair.into_inner();
        let only = inner.len() == 1;
        if only {
            if is_single {
                self.error(ExprError::TupleOfOne { at: span });
            }
            let mut expr = self.next_expr(&mut inner, span);
            expr.span = span;
            return expr;
        }
        self.nested(span, |builder| {
            let elements = inner.map(|element| builder.expr(element)).collect();
            Expr::new(ExprKind::Tuple(elements), span)
        })
    }

    fn conditional(&mut self, pair: Pair<'_, Rule>, span: Span) -> Expr {
        if pair.clone().into_inner().any(|part| part.as_rule() == Rule::block) {
            let block = self.if_block(pair);
            self.check_if_value(&block, span);
            return Expr::new(ExprKind::IfBlock(Box::new(block)), span);
        }
        let mut parts = pair.into_inner().filter(|part| part.as_rule() == Rule::expr);
        let mut next = |builder: &mut Self| {
            Box::new(match parts.next() {
                Some(part) => builder.expr(part),
                None => Expr::new(ExprKind::Error, span),
            })
        };
        let (condition, then, otherwise) = (next(self), next(self), next(self));
        Expr::new(ExprKind::If { condition, then, otherwise }, span)
    }

    fn member(&mut self, base: Expr, pair: Pair<'_, Rule>, span: Span) -> Expr {
        let around = self.span(&pair);
        let name = match pair.into_inner().next() {
            Some(name) => self.template_name(name),
            None => TemplateName { pieces: Vec::new(), span: around },
        };
        if matches!(base.kind, ExprKind::Int(_) | ExprKind::Float(_))
            && name.as_plain().is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        {
            let text = self.text[span.start as usize..span.end as usize].to_owned();
            self.error(ExprError::TwoPoints { text, at: span });
            return Expr::new(ExprKind::Error, span);
        }
        let base = Box::new(base);
        let kind = match name.as_plain() {
            Some(text) if &**text == "T" => ExprKind::Transpose(base),
            _ => ExprKind::Field { base, name },
        };
        Expr::new(kind, span)
    }

    fn call(&mut self, callee: Expr, pair: Pair<'_, Rule>, span: Span) -> Expr {
        let args = self.arguments(pair);
        match callee.kind {
            ExprKind::Subscript { base, subscripts } => {
                match base.as_name().and_then(|name| ReduceOp::from_name(name)) {
                    Some(op) => self.reduce(op, base.span, subscripts, args, span),
                    None => {
                        let callee = Expr::new(ExprKind::Subscript { base, subscripts }, callee.span);
                        Expr::new(ExprKind::Call { callee: Box::new(callee), args }, span)
                    }
                }
            }
            _ => Expr::new(ExprKind::Call { callee: Box::new(callee), args }, span),
        }
    }

    pub(super) fn arguments(&mut self, pair: Pair<'_, Rule>) -> Args {
        let span = self.span(&pair);
        let args = pair.into_inner().map(|argument| self.argument(argument)).collect();
        Args { args, span }
    }

    pub(super) fn argument(&mut self, pair: Pair<'_, Rule>) -> Arg {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let name = take(&mut parts, Rule::ident).map(|name| Name::new(name.as_str(), self.span(&name)));
        take(&mut parts, Rule::eq);
        let around = parts.peek().map_or(span, |part| Span { start: self.span(&part).start, ..span });
        let value = match self.slice(parts, around) {
            SliceOr::Expr(expr) => expr,
            SliceOr::Slice(slice) => Expr::new(ExprKind::Slice(Box::new(slice)), around),
        };
        Arg { name, value, span }
    }

    fn slice(&mut self, mut parts: Pairs<'_, Rule>, around: Span) -> SliceOr {
        let start = take(&mut parts, Rule::expr).map(|part| self.expr(part));
        if take(&mut parts, Rule::colon).is_none() {
            return SliceOr::Expr(start.unwrap_or(Expr::new(ExprKind::Error, around)));
        }
        let end = take(&mut parts, Rule::expr).map(|part| self.expr(part));
        take(&mut parts, Rule::colon);
        let step = take(&mut parts, Rule::expr).map(|part| self.expr(part));
        SliceOr::Slice(Slice { start, end, step })
    }

    fn subscripts(&mut self, pair: Pair<'_, Rule>) -> Subscripts {
        let span = self.span(&pair);
        let (mut items, mut otherwise) = (Vec::new(), None);
        for part in pair.into_inner() {
            if part.as_rule() == Rule::otherwise {
                let mut inner = part.into_inner();
                take(&mut inner, Rule::kw_else);
                otherwise = Some(match take(&mut inner, Rule::kw_skip) {
                    Some(skip) => Otherwise::Skip(self.span(&skip)),
                    None => Otherwise::Value(Box::new(self.next_expr(&mut inner, span))),
                });
            } else {
                items.push(self.subscript(part));
            }
        }
        if items.is_empty() {
            self.error(ExprError::EmptyBrackets { at: span });
        }
        Subscripts { items, otherwise, span }
    }

    fn subscript(&mut self, pair: Pair<'_, Rule>) -> Subscript {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let kind = if take(&mut parts, Rule::kw_new).is_some() {
            SubscriptKind::New
        } else if let Some(pack) = take(&mut parts, Rule::pack) {
            self.pack_name(pack).map_or(SubscriptKind::Rest, SubscriptKind::Pack)
        } else {
            match self.slice(parts, span) {
                SliceOr::Expr(expr) => SubscriptKind::At(expr),
                SliceOr::Slice(slice) => SubscriptKind::Slice(slice),
            }
        };
        Subscript { kind, span }
    }

    pub(super) fn pack_name(&mut self, pack: Pair<'_, Rule>) -> Option<Name> {
        pack.into_inner().next().map(|name| Name::new(name.as_str(), self.span(&name)))
    }

    fn reduce(
        &mut self,
        op: ReduceOp,
        op_span: Span,
        subscripts: Subscripts,
        args: Args,
        span: Span,
    ) -> Expr {
        if let Some(otherwise) = &subscripts.otherwise {
            let at = match otherwise {
                Otherwise::Value(value) => value.span,
                Otherwise::Skip(skip) => *skip,
            };
            self.error(ExprError::Reducer(ReducerError::Else { at }));
        }
        let indices = subscripts.items.into_iter().filter_map(|item| self.reduce_index(op, item)).collect();
        let mut bodies = args.args.into_iter();
        match (bodies.next(), bodies.next()) {
            (Some(Arg { name: None, value, .. }), None) if !matches!(value.kind, ExprKind::Slice(_)) => {
                let reduce = Reduce { op, op_span, indices, body: value };
                Expr::new(ExprKind::Reduce(Box::new(reduce)), span)
            }
            _ => {
                let word = op.as_str();
                self.error(ExprError::Reducer(ReducerError::Body { word, at: args.span }));
                Expr::new(ExprKind::Error, span)
            }
        }
    }

    fn reduce_index(&mut self, op: ReduceOp, item: Subscript) -> Option<ReduceIndex> {
        match item.kind {
            SubscriptKind::Pack(name) => return Some(ReduceIndex::Pack(name)),
            SubscriptKind::At(expr) => {
                if matches!(expr.kind, ExprKind::Error) {
                    return None;
                }
                if let Ok(index) = index_of(expr) {
                    return Some(ReduceIndex::Index(index));
                }
            }
            SubscriptKind::Slice(_) | SubscriptKind::New | SubscriptKind::Rest => {}
        }
        let word = op.as_str();
        self.error(ExprError::Reducer(ReducerError::Index { word, at: item.span }));
        None
    }
}

/// `i` or `i < N` as an index; anything else is given back.
pub(super) fn index_of(expr: Expr) -> Result<Index, Expr> {
    let span = expr.span;
    match expr.kind {
        ExprKind::Name(name) => Ok(Index { name: Name { text: name, span }, bound: None }),
        ExprKind::Binary { op: BinaryOp::Lt, op_span, left, right } => match left.as_name() {
            Some(name) => Ok(Index { name: Name::new(name.clone(), left.span), bound: Some(*right) }),
            None => Err(Expr::new(ExprKind::Binary { op: BinaryOp::Lt, op_span, left, right }, span)),
        },
        _ => Err(expr),
    }
}
