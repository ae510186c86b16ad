//! Groups of a `minimize` line, `over Net.head, "*.bias" with A`: parameters with a method of their own.

use crate::base::Span;
use crate::ir::Op;
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::groups::GroupError;
use crate::sema::value::{Given, InstanceKind, Value};
use crate::syntax::ast;
use std::sync::Arc;

/// A parameter of a line, and the number of the group that it belongs to.
pub struct Member {
    pub path: Arc<str>,
    pub group: Option<usize>,
}

/// What a place of a group means.
struct Meant {
    /// The numbers of parameters.
    parameters: Vec<usize>,
    /// How closely it names them: 0 for patterns and functions, for names the number of their parts.
    rank: usize,
    span: Span,
}

/// Puts the parameters that a line could train into its groups. A longer name counts before a shorter one, a name
/// before patterns and functions. Parameters of no group are left out if the line has no method for them. `None` is
/// reported.
pub fn divide(cx: &mut Elaborator<'_>, line: &ast::Minimize, all: &[Arc<str>]) -> Option<Vec<Member>> {
    let mut groups: Vec<Vec<Meant>> = Vec::new();
    for group in &line.groups {
        groups.push(group.places.iter().map(|place| meant(cx, place, all)).collect::<Option<_>>()?);
    }
    let mut members = Vec::new();
    for (at, path) in all.iter().enumerate() {
        let numbered = groups.iter().enumerate();
        let places = numbered.flat_map(|(number, places)| places.iter().map(move |place| (number, place)));
        let places: Vec<(usize, &Meant)> = places.filter(|(_, place)| place.parameters.contains(&at)).collect();
        let nearest = places.iter().map(|(_, place)| place.rank).max();
        let mut nearest = places.iter().filter(|(_, place)| Some(place.rank) == nearest);
        let first = nearest.next();
        if let Some((number, first)) = first
            && let Some((_, other)) = nearest.find(|(other, _)| other != number)
        {
            cx.report(GroupError::InTwo { path: path.clone(), first: first.span, at: other.span });
            return None;
        }
        members.push(Member { path: path.clone(), group: first.map(|(number, _)| *number) });
    }
    for (number, group) in line.groups.iter().enumerate() {
        if !members.iter().any(|member| member.group == Some(number)) {
            cx.report(GroupError::NothingLeft { at: group.span });
            return None;
        }
    }
    let is_idle = members.iter().all(|member| member.group.is_some());
    if let (true, [method, ..]) = (is_idle, line.methods.as_slice())
        && !matches!(method.kind, ast::ExprKind::Constant(_))
    {
        cx.report(GroupError::IdleMethod { at: method.span });
    }
    members.retain(|member| member.group.is_some() || !line.methods.is_empty());
    Some(members)
}

/// What a place of a group means. `None` is reported.
fn meant(cx: &mut Elaborator<'_>, place: &ast::Expr, all: &[Arc<str>]) -> Option<Meant> {
    let value = cx.expr(place, None);
    let parts = |path: &str| 1 + path.split('.').filter(|part| !part.is_empty()).count();
    let (parameters, rank) = match &value {
        Value::Error => return None,
        Value::Instance(instance) if matches!(instance.kind, InstanceKind::Layer { .. } | InstanceKind::Row(_)) => {
            let prefix = &instance.path;
            let is_below = |path: &str| {
                path.strip_prefix(&**prefix).is_some_and(|rest| prefix.is_empty() || rest.starts_with('.'))
            };
            (numbers(all, is_below), parts(prefix))
        }
        Value::Parameters(set) if set.is_read => {
            let paths: Vec<Arc<str>> = set.entries.iter().map(|(name, _)| set.path(name)).collect();
            (numbers(all, |path| paths.iter().any(|known| **known == *path)), parts(&set.root))
        }
        Value::Str(pattern) => (numbers(all, |path| fits(pattern, path)), 0),
        Value::Function(_) => (chosen(cx, &value, place, all)?, 0),
        Value::Tensor(tensor) => match &cx.graph_mut()[tensor.node].op {
            Op::Param { path: read, .. } => {
                let read = read.clone();
                (numbers(all, |path| *path == *read), parts(&read))
            }
            _ => return no_place(cx, value, place),
        },
        _ => return no_place(cx, value, place),
    };
    if parameters.is_empty() {
        cx.report(GroupError::FitsNothing { place: value, all: all.to_vec(), at: place.span });
        return None;
    }
    Some(Meant { parameters, rank, span: place.span })
}

fn numbers(all: &[Arc<str>], is_meant: impl Fn(&str) -> bool) -> Vec<usize> {
    (0..all.len()).filter(|at| is_meant(&all[*at])).collect()
}

/// The parameters of which a function is true.
fn chosen(cx: &mut Elaborator<'_>, function: &Value, place: &ast::Expr, all: &[Arc<str>]) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for (at, path) in all.iter().enumerate() {
        let param = cx.variable_value(path, place.span);
        let given = vec![Given { name: None, value: param, span: place.span }];
        match cx.call(function.clone(), place.span, given, place.span, None, None) {
            Value::Bool(true) => found.push(at),
            Value::Bool(false) => {}
            Value::Error => return None,
            found => {
                cx.report(GroupError::NotCondition { found, path: path.clone(), at: place.span });
                return None;
            }
        }
    }
    Some(found)
}

fn no_place(cx: &mut Elaborator<'_>, found: Value, place: &ast::Expr) -> Option<Meant> {
    cx.report(GroupError::NotPlace { found, at: place.span });
    None
}

/// Whether a path fits a pattern, in which `*` stands for any text.
fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, inner)) = parts.split_last() else { return rest.is_empty() };
    for part in inner {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("*.bias", "blocks.0.bias") && fits("blocks.*.w*", "blocks.0.up.weight") && fits("*", "b"));
        assert!(fits("bias", "bias") && fits("a*a", "aa"));
        assert!(!fits("*.bias", "bias") && !fits("bias", "fc.bias") && !fits("a*a", "a") && !fits("*.bias", "fc.bias2"));
    }
}
