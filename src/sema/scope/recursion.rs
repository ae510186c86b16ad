//! Recursion: bodies are expanded at each call, so one that leads back to itself would never end.
//!
//! Functions and instances that are passed as arguments may call each other to some depth. A body that names
//! itself, directly or through other items, is an error.

use crate::sema::scope::Scope;
use crate::sema::scope::module::{Found, ItemRef, ModuleId};
use crate::sema::scope::report::calls::CallError;
use crate::base::Span;
use crate::syntax::ast::{self, ExprKind, Role};
use std::sync::Arc;

impl Scope<'_> {
    /// Reports an item that is being elaborated already and whose body leads back to it.
    pub fn check_recursion(&mut self, item: &ItemRef, span: Span) -> bool {
        let open = self.frames.iter().any(|frame| frame.item.as_ref() == Some(item));
        if !open {
            return true;
        }
        if item.role() == Some(Role::Activation) {
            // An activation may stand in its own gradient.
            let times = self.frames.iter().filter(|frame| frame.item.as_ref() == Some(item)).count();
            let in_body = item.definition().is_some_and(|definition| mentions(definition, item.name()));
            if times < 2 && !in_body {
                return true;
            }
        }
        let mut trail = Vec::new();
        if !self.leads_to(item, item, &mut trail, &mut Vec::new()) {
            return true;
        }
        let (name, declared) = (item.name().to_owned(), item.name_span());
        self.report(CallError::CallsItself { name, trail, declared, at: span });
        false
    }

    /// Whether the body of `from` names `target`, directly or through what it names.
    fn leads_to(
        &mut self,
        from: &ItemRef,
        target: &ItemRef,
        trail: &mut Vec<String>,
        seen: &mut Vec<ItemRef>,
    ) -> bool {
        let Some(definition) = from.definition() else { return false };
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut note = |expr: &ast::Expr| {
            if let ExprKind::Name(name) = &expr.kind
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        };
        crate::sema::walk::block(&definition.body, &mut note);
        definition.gradient.iter().for_each(|gradient| crate::sema::walk::block(gradient, &mut note));
        for name in names {
            let Some(Found::Item(next)) = self.find_item(from.module, &name) else {
                continue;
            };
            if next == *target {
                trail.push(next.name().to_string());
                return true;
            }
            if seen.contains(&next) || next.module == ModuleId::PRELUDE && target.module != ModuleId::PRELUDE
            {
                continue;
            }
            seen.push(next.clone());
            trail.push(next.name().to_string());
            if self.leads_to(&next, target, trail, seen) {
                return true;
            }
            trail.pop();
        }
        false
    }
}

/// Whether the body itself (not the gradient) names `name`.
fn mentions(definition: &ast::Definition, name: &str) -> bool {
    let mut is_named = false;
    crate::sema::walk::block(&definition.body, &mut |expr| is_named |= expr.as_name().is_some_and(|known| &**known == name));
    is_named
}
