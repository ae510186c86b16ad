//! Types and parameter lists.

use pest::iterators::Pair;

use crate::base::Span;

use super::super::ast::{Dim, DimKind, Element, Parameter, ParameterList, Type, TypeKind};
use super::super::grammar::Rule;
use super::{Builder, take};

impl Builder<'_> {
    pub(super) fn ty(&mut self, pair: Pair<'_, Rule>) -> Type {
        let span = self.span(&pair);
        let mut element = Element::Float;
        let mut dims = Vec::new();
        let mut members = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::ty => members.push(self.ty(part)),
                Rule::element => element = self.element(part),
                _ => dims = part.into_inner().map(|dim| self.dim(dim)).collect(),
            }
        }
        if members.len() == 1
            && let Some(only) = members.pop()
        {
            return only;
        }
        let kind =
            if members.is_empty() { TypeKind::Tensor { element, dims } } else { TypeKind::Tuple(members) };
        Type { kind, span }
    }

    fn element(&mut self, pair: Pair<'_, Rule>) -> Element {
        let span = self.span(&pair);
        let word = pair.as_str();
        let mut parts = pair.into_inner();
        if take(&mut parts, Rule::kw_class).is_some() {
            return Element::Class(Box::new(self.next_expr(&mut parts, span)));
        }
        match word {
            "int" => Element::Int,
            "bool" => Element::Bool,
            _ => Element::Float,
        }
    }

    fn dim(&mut self, pair: Pair<'_, Rule>) -> Dim {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::pack => DimKind::Pack(self.pack_name(pair)),
            Rule::stretch => DimKind::Stretch,
            _ => DimKind::Size(self.expr(pair)),
        };
        Dim { kind, span }
    }

    pub(super) fn parameters(&mut self, pair: Pair<'_, Rule>) -> ParameterList {
        let span = self.span(&pair);
        let parameters = pair.into_inner().map(|parameter| self.parameter(parameter, span)).collect();
        ParameterList { parameters, span }
    }

    fn parameter(&mut self, pair: Pair<'_, Rule>, around: Span) -> Parameter {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let name = self.next_name(&mut parts, around);
        take(&mut parts, Rule::colon);
        let ty = take(&mut parts, Rule::ty).map(|ty| self.ty(ty));
        take(&mut parts, Rule::eq);
        let default = take(&mut parts, Rule::expr).map(|expr| self.expr(expr));
        Parameter { name, ty, default, span }
    }
}
