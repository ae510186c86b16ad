//! Going through all expressions of a body.

use crate::syntax::ast::{
    Block, Expr, ExprKind, ForRange, IfBlock, NamePiece, Otherwise, Path, ReduceIndex, Slice, Statement,
    StatementKind, StrPiece, SubscriptKind, Subscripts, TargetSubscriptKind, TemplateName,
};

/// Calls `visit` with every expression of the block, outer ones first.
pub fn block(block: &Block, visit: &mut dyn FnMut(&Expr)) {
    parts_of_block(block, &mut |part| expr(part, visit));
}

/// Calls `visit` with every expression of the statement, outer ones first.
pub fn statement(statement: &Statement, visit: &mut dyn FnMut(&Expr)) {
    parts_of_statement(statement, &mut |part| expr(part, visit));
}

/// Calls `visit` with the expression and all in it, outer ones first.
pub fn expr(value: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(value);
    parts(value, &mut |part| expr(part, visit));
}

/// Calls `visit` with every expression in the brackets, outer ones first.
pub fn subscripts(list: &Subscripts, visit: &mut dyn FnMut(&Expr)) {
    parts_of_subscripts(list, &mut |part| expr(part, visit));
}

fn parts_of_block(block: &Block, visit: &mut dyn FnMut(&Expr)) {
    block.statements.iter().for_each(|inner| parts_of_statement(inner, visit));
    block.value.iter().for_each(|value| visit(value));
}

fn parts_of_statement(statement: &Statement, visit: &mut dyn FnMut(&Expr)) {
    match &statement.kind {
        StatementKind::Bind { target, value, .. } | StatementKind::Update { target, value } => {
            path(target, visit);
            visit(value);
        }
        StatementKind::Unpack { value, .. } => visit(value),
        StatementKind::Define(definition) => {
            for subscript in &definition.subscripts {
                match &subscript.kind {
                    TargetSubscriptKind::Index(index) => {
                        index.bound.iter().for_each(&mut *visit)
                    }
                    TargetSubscriptKind::Pack(_) => {}
                    TargetSubscriptKind::Expr(inner) => visit(inner),
                }
            }
            visit(&definition.value);
        }
        StatementKind::Declare { .. } => {}
        StatementKind::Param { name, value, .. } | StatementKind::State { name, value, .. } => {
            path(name, visit);
            value.iter().for_each(&mut *visit);
        }
        StatementKind::Carry { value, .. } => value.iter().for_each(&mut *visit),
        StatementKind::Collect { value, axis, .. } => {
            visit(value);
            axis.iter().for_each(&mut *visit);
        }
        StatementKind::Scan(scan) => {
            visit(&scan.bound);
            parts_of_block(&scan.body, visit);
        }
        StatementKind::Require { condition, message, .. } => {
            visit(condition);
            message.iter().for_each(&mut *visit);
        }
        StatementKind::For(header) => {
            match &header.over {
                ForRange::Range { start, end } => {
                    visit(start);
                    visit(end);
                }
                ForRange::List(list) => visit(list),
            }
            parts_of_block(&header.body, visit);
        }
        StatementKind::If(branches) => if_block(branches, visit),
        StatementKind::Stray(value) => visit(value),
    }
}

/// Calls `visit` with the expressions directly in one.
pub fn parts(value: &Expr, visit: &mut dyn FnMut(&Expr)) {
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
                    visit(piece);
                }
            }
        }
        ExprKind::Template(name) => template(name, visit),
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(&mut *visit),
        ExprKind::Unary { operand, .. } => visit(operand),
        ExprKind::Binary { left, right, .. } => {
            visit(left);
            visit(right);
        }
        ExprKind::If { condition, then, otherwise } => {
            visit(condition);
            visit(then);
            visit(otherwise);
        }
        ExprKind::IfBlock(inner) => if_block(inner, visit),
        ExprKind::Call { callee, args } => {
            visit(callee);
            args.args.iter().for_each(|arg| visit(&arg.value));
        }
        ExprKind::At { value, parameters } => {
            visit(value);
            visit(parameters);
        }
        ExprKind::Pipeline { input, stages } => {
            visit(input);
            stages.iter().for_each(&mut *visit);
        }
        ExprKind::Subscript { base, subscripts: list } => {
            visit(base);
            parts_of_subscripts(list, visit);
        }
        ExprKind::Reduce(reduce) => {
            for index in &reduce.indices {
                if let ReduceIndex::Index(index) = index {
                    index.bound.iter().for_each(&mut *visit);
                }
            }
            visit(&reduce.body);
        }
        ExprKind::Field { base, name } => {
            visit(base);
            template(name, visit);
        }
        ExprKind::Transpose(base) => visit(base),
        ExprKind::Slice(parts) => slice(parts, visit),
    }
}

fn parts_of_subscripts(list: &Subscripts, visit: &mut dyn FnMut(&Expr)) {
    for item in &list.items {
        match &item.kind {
            SubscriptKind::At(at) => visit(at),
            SubscriptKind::Slice(list) => slice(list, visit),
            SubscriptKind::New | SubscriptKind::Rest | SubscriptKind::Pack(_) => {}
        }
    }
    if let Some(Otherwise::Value(value)) = &list.otherwise {
        visit(value);
    }
}

fn slice(parts: &Slice, visit: &mut dyn FnMut(&Expr)) {
    [&parts.start, &parts.end, &parts.step].into_iter().flatten().for_each(&mut *visit);
}

fn if_block(whole: &IfBlock, visit: &mut dyn FnMut(&Expr)) {
    for branch in &whole.branches {
        visit(&branch.condition);
        parts_of_block(&branch.body, visit);
    }
    whole.otherwise.iter().for_each(|otherwise| parts_of_block(otherwise, visit));
}

fn template(name: &TemplateName, visit: &mut dyn FnMut(&Expr)) {
    for piece in &name.pieces {
        if let NamePiece::Expr(piece) = piece {
            visit(piece);
        }
    }
}

fn path(whole: &Path, visit: &mut dyn FnMut(&Expr)) {
    whole.parts.iter().for_each(|part| template(part, visit));
}
