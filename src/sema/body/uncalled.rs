//! Definitions that nothing calls: their names are checked all the same, and their shapes as far as the written
//! types say them. What only a caller can fix is left open.

use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::bodies::sees_all;
use crate::sema::scope::module::ItemRef;
use crate::sema::scope::frames::{Binding, BindingKind, Frame, FrameKind};
use crate::sema::value::Value;
use crate::sema::scope::report::Cause;
use crate::sema::walk;
use crate::base::Span;
use crate::syntax::ast::{self, DimKind, ExprKind, Role, StatementKind, TypeKind};
use std::sync::Arc;

/// Checks the names in all definitions of the user's files that were never elaborated.
pub fn check(elaborator: &mut Elaborator<'_>) {
    let items: Vec<ItemRef> =
        elaborator.modules.user_modules().flat_map(|(_, module)| module.items.clone()).collect();
    for item in items {
        if !elaborator.was_elaborated(&item)
            && let Some(definition) = item.definition()
        {
            let errors = elaborator.reports.len();
            check_names(elaborator, &item, definition);
            if elaborator.reports.len() == errors {
                check_sizes(elaborator, &item, definition);
            }
        } else if let ast::ItemKind::Const(constant) = &item.item.kind {
            check_constant(elaborator, &item, constant);
        }
    }
}

/// A constant that nothing uses has a value all the same.
fn check_constant(elaborator: &mut Elaborator<'_>, item: &ItemRef, constant: &ast::Const) {
    let frame = Frame::uncalled(FrameKind::File, None, item.module);
    elaborator.in_new_graph(|cx| cx.in_frame(frame, |cx| cx.name(&constant.name.text, constant.name.span)));
}

/// Elaborates the body on symbolic sizes, as far as the written types go.
fn check_sizes(elaborator: &mut Elaborator<'_>, item: &ItemRef, definition: &ast::Definition) {
    if definition.role == Role::Optimizer {
        // A lost value at the end was reported.
        if definition.body.value.is_none() {
            crate::sema::body::roles::check_updates(elaborator, definition);
        }
        return;
    }
    // An init and a schedule need what only a caller has; models are looked at elsewhere.
    if matches!(definition.role, Role::Init | Role::Schedule | Role::Model) {
        return;
    }
    let unchosen = elaborator.context.with_unchosen_sizes();
    let wrong = elaborator.within(unchosen, |cx| cx.wrong_on_free_sizes(item, None, &Vec::new()));
    let certain = wrong.into_iter().flatten().filter(|report| report.cause() == Cause::AnySizes);
    elaborator.reports.extend(certain);
}

fn check_names(elaborator: &mut Elaborator<'_>, item: &ItemRef, definition: &ast::Definition) {
    let mut names = Names::default();
    names.definition(definition);
    let mut frame = Frame::uncalled(FrameKind::Function, Some(item.clone()), item.module);
    // Whatever is bound anywhere in the body counts as known everywhere in it.
    frame.bindings = names.bound.into_iter().map(|name| known(name, definition.name.span)).collect();
    elaborator.in_frame(frame, |cx| {
        for (name, span) in names.used {
            if cx.frame().find(&name).is_none() && cx.global(&name, span).is_none() {
                cx.unknown_name(&name, span);
            }
        }
    });
}

fn known(name: Arc<str>, span: Span) -> Binding {
    Binding { name, value: Value::Error, span, kind: BindingKind::Local, written: Vec::new() }
}

/// The names that a definition binds and those that it uses.
#[derive(Default)]
struct Names {
    bound: Vec<Arc<str>>,
    used: Vec<(Arc<str>, Span)>,
}

impl Names {
    fn definition(&mut self, definition: &ast::Definition) {
        let lists = [&definition.hyper, &definition.inputs];
        for parameter in lists.into_iter().flatten().flat_map(|list| &list.parameters) {
            self.bound.push(parameter.name.text.clone());
            parameter.default.iter().for_each(|default| self.uses(default));
            parameter.ty.iter().for_each(|ty| self.signature(ty));
        }
        match definition.role {
            Role::Init => definition.result.iter().for_each(|ty| self.signature(ty)),
            _ => definition.result.iter().for_each(|ty| self.types(ty)),
        }
        let given: &[&str] = match definition.role {
            Role::Optimizer if sees_all(definition) => &["parameters", "grad", "step", "loss"],
            Role::Optimizer => &["param", "grad", "step"],
            Role::Schedule => &["step", "plateaus"],
            _ => &[],
        };
        self.bound.extend(given.iter().map(|name| Arc::<str>::from(*name)));
        self.block(&definition.body);
        if let Some(gradient) = &definition.gradient {
            if definition.role != Role::Activation {
                self.bound.extend(["adjoint", "result"].map(Arc::<str>::from));
            }
            self.block(gradient);
        }
    }

    /// A type that binds the names in it.
    fn signature(&mut self, ty: &ast::Type) {
        let TypeKind::Tensor { dims, .. } = &ty.kind else { return };
        for dim in dims {
            match &dim.kind {
                DimKind::Size(size) => match size.as_name() {
                    Some(name) => self.bound.push(name.clone()),
                    None => self.uses(size),
                },
                DimKind::Pack(Some(name)) => self.bound.push(name.text.clone()),
                DimKind::Pack(None) | DimKind::Stretch => {}
            }
        }
    }

    /// A type that uses the names in it.
    fn types(&mut self, ty: &ast::Type) {
        match &ty.kind {
            TypeKind::Tensor { dims, .. } => {
                for dim in dims {
                    match &dim.kind {
                        DimKind::Size(size) => self.uses(size),
                        DimKind::Pack(Some(name)) => self.used.push((name.text.clone(), name.span)),
                        DimKind::Pack(None) | DimKind::Stretch => {}
                    }
                }
            }
            TypeKind::Tuple(types) => types.iter().for_each(|ty| self.types(ty)),
        }
    }

    fn block(&mut self, block: &ast::Block) {
        block.statements.iter().for_each(|statement| self.statement(statement));
        block.value.iter().for_each(|value| self.uses(value));
    }

    fn statement(&mut self, statement: &ast::Statement) {
        walk::statement(statement, &mut |expr| self.expr(expr));
        self.bindings(statement);
    }

    /// What a statement and those in it bind.
    fn bindings(&mut self, statement: &ast::Statement) {
        let inner = |names: &mut Names, block: &ast::Block| {
            block.statements.iter().for_each(|statement| names.bindings(statement));
        };
        match &statement.kind {
            StatementKind::Bind { target, ty, .. } => {
                self.path(target);
                ty.iter().for_each(|ty| self.types(ty));
            }
            StatementKind::Param { name, ty, .. } | StatementKind::State { name, ty, .. } => {
                self.path(name);
                ty.iter().for_each(|ty| self.types(ty));
            }
            StatementKind::Unpack { names, .. } => {
                self.bound.extend(names.iter().flatten().map(|name| name.text.clone()));
            }
            StatementKind::Define(definition) => {
                self.bound.push(definition.name.text.clone());
                for subscript in &definition.subscripts {
                    match &subscript.kind {
                        ast::TargetSubscriptKind::Index(index) => self.bound.push(index.name.text.clone()),
                        ast::TargetSubscriptKind::Pack(name) => {
                            self.used.push((name.text.clone(), name.span))
                        }
                        // Any unknown name in it is an index.
                        ast::TargetSubscriptKind::Expr(expr) => {
                            walk::expr(expr, &mut |part| self.bound.extend(part.as_name().cloned()));
                        }
                    }
                }
            }
            StatementKind::Declare { name, ty } => {
                self.bound.push(name.text.clone());
                self.types(ty);
            }
            StatementKind::Carry { name, ty, .. } => {
                self.bound.push(name.text.clone());
                ty.iter().for_each(|ty| self.types(ty));
            }
            StatementKind::Collect { name, .. } => self.bound.push(name.text.clone()),
            StatementKind::Scan(scan) => {
                self.bound.push(scan.variable.text.clone());
                inner(self, &scan.body);
            }
            StatementKind::For(repeated) => {
                self.bound.push(repeated.variable.text.clone());
                inner(self, &repeated.body);
            }
            StatementKind::If(branches) => self.if_block(branches),
            StatementKind::Update { .. } | StatementKind::Require { .. } | StatementKind::Stray(_) => {}
        }
    }

    fn if_block(&mut self, whole: &ast::IfBlock) {
        let bodies = whole.branches.iter().map(|branch| &branch.body).chain(&whole.otherwise);
        bodies.flat_map(|body| &body.statements).for_each(|statement| self.bindings(statement));
    }

    /// The first part of a path, of a templated name what stands before the template.
    fn path(&mut self, path: &ast::Path) {
        if let Some(first) = path.parts.first().and_then(|part| part.as_plain()) {
            self.bound.push(first.clone());
        }
    }

    fn uses(&mut self, expr: &ast::Expr) {
        walk::expr(expr, &mut |expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &ast::Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.used.push((name.clone(), expr.span)),
            ExprKind::Spread(name) => self.used.push((name.text.clone(), name.span)),
            ExprKind::Reduce(reduce) => {
                for index in &reduce.indices {
                    match index {
                        ast::ReduceIndex::Index(index) => self.bound.push(index.name.text.clone()),
                        ast::ReduceIndex::Pack(name) => self.used.push((name.text.clone(), name.span)),
                    }
                }
            }
            ExprKind::IfBlock(whole) => self.if_block(whole),
            _ => {}
        }
    }
}
