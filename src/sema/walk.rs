//! Going through all expressions of a body.

use crate::syntax::ast::{
    Block, Expr, ExprKind, ForRange, IfBlock, NamePiece, Otherwise, Path, ReduceIndex, Slice, Statement,
    StatementKind, StrPiece, SubscriptKind, Subscripts, TargetSubscriptKind, TemplateName,
};

/// Calls `visit` with every expression of the block, outer ones first.
pub fn block(block: &Block, visit: &mut dyn FnMut(&Expr)) {
    block.statements.iter().for_each(|inner| statement(inner, visit));
    block.value.iter().for_each(|value| expr(value, visit));
}

pub fn statement(statement: &Statement, visit: &mut dyn FnMut(&Expr)) {
    match &statement.kind {
        StatementKind::Bind { target, value, .. } | StatementKind::Update { target, value } => {
            path(target, visit);
            expr(value, visit);
        }
        StatementKind::Unpack { value, .. } => expr(value, visit),
        StatementKind::Define(definition) => {
            for subscript in &definition.subscripts {
                match &subscript.kind {
                    TargetSubscriptKind::Index(index) => {
                        index.bound.iter().for_each(|bound| expr(bound, visit))
                    }
                    TargetSubscriptKind::Pack(_) => {}
                    TargetSubscriptKind::Expr(inner) => expr(inner, visit),
                }
            }
            expr(&definition.value, visit);
        }
        StatementKind::Declare { .. } => {}
        StatementKind::Param { name, value, .. } | StatementKind::State { name, value, .. } => {
            path(name, visit);
            value.iter().for_each(|value| expr(value, visit));
        }
        StatementKind::Carry { value, .. } => value.iter().for_each(|value| expr(value, visit)),
        StatementKind::Collect { value, axis, .. } => {
            expr(value, visit);
            axis.iter().for_each(|axis| expr(axis, visit));
        }
        StatementKind::Scan(scan) => {
            expr(&scan.bound, visit);
            block(&scan.body, visit);
        }
        StatementKind::Require { condition, message, .. } => {
            expr(condition, visit);
            message.iter().for_each(|message| expr(message, visit));
        }
        StatementKind::For(header) => {
            match &header.over {
                ForRange::Range { start, end } => {
                    expr(start, visit);
                    expr(end, visit);
                }
                ForRange::List(list) => expr(list, visit),
            }
            block(&header.body, visit);
        }
        StatementKind::If(branches) => if_block(branches, visit),
        StatementKind::Stray(value) => expr(value, visit),
    }
}

/// Calls `visit` with the expression and all in it, outer ones first.
pub fn expr(value: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(value);
    match &value.kind {
        ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Constant(_)
        | ExprKind::Name(_)
        | ExprKind::Spread(_)
        | ExprKind::Error => {}
        ExprKind::Str(pieces) => {
            for piece in pieces {
                if let StrPiece::Expr(piece) = piece {
                    expr(piece, visit);
                }
            }
        }
        ExprKind::Template(name) => template(name, visit),
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(|item| expr(item, visit)),
        ExprKind::Unary { operand, .. } => expr(operand, visit),
        ExprKind::Binary { left, right, .. } => {
            expr(left, visit);
            expr(right, visit);
        }
        ExprKind::If { condition, then, otherwise } => {
            expr(condition, visit);
            expr(then, visit);
            expr(otherwise, visit);
        }
        ExprKind::IfBlock(inner) => if_block(inner, visit),
        ExprKind::Call { callee, args } => {
            expr(callee, visit);
            args.args.iter().for_each(|arg| expr(&arg.value, visit));
        }
        ExprKind::At { value, parameters } => {
            expr(value, visit);
            expr(parameters, visit);
        }
        ExprKind::Pipeline { input, stages } => {
            expr(input, visit);
            stages.iter().for_each(|stage| expr(stage, visit));
        }
        ExprKind::Subscript { base, subscripts: list } => {
            expr(base, visit);
            subscripts(list, visit);
        }
        ExprKind::Reduce(reduce) => {
            for index in &reduce.indices {
                if let ReduceIndex::Index(index) = index {
                    index.bound.iter().for_each(|bound| expr(bound, visit));
                }
            }
            expr(&reduce.body, visit);
        }
        ExprKind::Field { base, name } => {
            expr(base, visit);
            template(name, visit);
        }
        ExprKind::Transpose(base) => expr(base, visit),
        ExprKind::Slice(parts) => slice(parts, visit),
    }
}

/// Calls `visit` with every expression in the brackets.
pub fn subscripts(list: &Subscripts, visit: &mut dyn FnMut(&Expr)) {
    for item in &list.items {
        match &item.kind {
            SubscriptKind::At(at) => expr(at, visit),
            SubscriptKind::Slice(list) => slice(list, visit),
            SubscriptKind::New | SubscriptKind::Rest | SubscriptKind::Pack(_) => {}
        }
    }
    if let Some(Otherwise::Value(value)) = &list.otherwise {
        expr(value, visit);
    }
}

fn slice(parts: &Slice, visit: &mut dyn FnMut(&Expr)) {
    [&parts.start, &parts.end, &parts.step].into_iter().flatten().for_each(|part| expr(part, visit));
}

fn if_block(whole: &IfBlock, visit: &mut dyn FnMut(&Expr)) {
    for branch in &whole.branches {
        expr(&branch.condition, visit);
        block(&branch.body, visit);
    }
    whole.otherwise.iter().for_each(|otherwise| block(otherwise, visit));
}

fn template(name: &TemplateName, visit: &mut dyn FnMut(&Expr)) {
    for piece in &name.pieces {
        if let NamePiece::Expr(piece) = piece {
            expr(piece, visit);
        }
    }
}

fn path(whole: &Path, visit: &mut dyn FnMut(&Expr)) {
    whole.parts.iter().for_each(|part| template(part, visit));
}
