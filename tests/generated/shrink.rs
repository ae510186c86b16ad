//! Makes a program that shows a fault smaller while it shows the same fault: parts are left out or replaced by
//! their own parts for as long as that works (delta debugging over the tree).

use super::tree::{Expr, Piece, Program, Statement, text};

/// The smallest program found with at most `tries` tests.
pub fn shrink(program: Program, tries: usize, is_faulty: &mut dyn FnMut(&Program) -> bool) -> Program {
    let mut best = program;
    let mut left = tries;
    loop {
        let before = best.clone();
        let mut number = 0;
        while let Some(candidate) = candidate(&best, number) {
            number += 1;
            if candidate == best || candidate.to_string().len() > best.to_string().len() {
                continue;
            }
            if left == 0 {
                return best;
            }
            left -= 1;
            if is_faulty(&candidate) {
                best = candidate;
                // What stood behind it now has its number.
                number = number.saturating_sub(1);
            }
        }
        if best == before {
            return best;
        }
    }
}

/// The change of a number; none if there are not so many.
fn candidate(program: &Program, number: usize) -> Option<Program> {
    let mut left = number;
    let mut count = |of: usize| -> Option<usize> {
        if left < of {
            return Some(left);
        }
        left -= of;
        None
    };
    let mut changed = program.clone();
    if let Some(at) = count(program.results.len()) {
        remove_result(&mut changed, at);
        return Some(changed);
    }
    if let Some(at) = count(program.actions.len()) {
        changed.actions.remove(at);
        return Some(changed);
    }
    let statements = count_statements(&program.statements);
    if let Some(at) = count(statements) {
        // From the end: what is read there goes first.
        remove_statement(&mut changed.statements, &mut (statements - 1 - at));
        return Some(changed);
    }
    if let Some(at) = count(program.inputs.len()) {
        changed.inputs.remove(at);
        return Some(changed);
    }
    if let Some(at) = count(program.directives.len()) {
        changed.directives.remove(at);
        return Some(changed);
    }
    let ways = REPLACEMENTS.len() + MOST_PARTS;
    if let Some(at) = count(count_parts(&mut changed) * ways) {
        replace(part(&mut changed, at / ways)?, at % ways);
        return Some(changed);
    }
    let numbers = numbers(program);
    let at = count(numbers.len() * SMALLER)?;
    let (old, way) = (numbers[at / SMALLER], at % SMALLER);
    renumber(&mut changed, old, [1, 2, old / 2, old - 1][way]);
    Some(changed)
}

const REPLACEMENTS: [&str; 4] = ["1.0", "0", "true", "0.5"];

/// An expression is replaced by one of its first parts.
const MOST_PARTS: usize = 4;

const SMALLER: usize = 4;

fn replace(expr: &mut Expr, way: usize) {
    if let Some(simple) = REPLACEMENTS.get(way) {
        *expr = text(*simple);
        return;
    }
    let part = expr.parts().nth(way - REPLACEMENTS.len()).cloned();
    part.into_iter().for_each(|part| *expr = part);
}

/// A result goes; those behind it have other numbers then.
fn remove_result(program: &mut Program, at: usize) {
    program.results.remove(at);
    let moved = |line: &String| -> Option<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let ["#", "derivative", of, slope, input] = words[..] else { return Some(line.clone()) };
        let place = |word: &str| -> Option<usize> {
            let place: usize = word.parse().ok()?;
            (place != at).then(|| if place > at { place - 1 } else { place })
        };
        Some(format!("# derivative {} {} {input}", place(of)?, place(slope)?))
    };
    program.directives = program.directives.iter().filter_map(moved).collect();
}

fn count_statements(statements: &[Statement]) -> usize {
    let within = |statement: &Statement| match statement {
        Statement::Line(_) | Statement::Group(_) => 0,
        Statement::Block { body, .. } => count_statements(body),
    };
    statements.iter().map(|statement| 1 + within(statement)).sum()
}

fn remove_statement(statements: &mut Vec<Statement>, at: &mut usize) -> bool {
    for place in 0..statements.len() {
        if *at == 0 {
            statements.remove(place);
            return true;
        }
        *at -= 1;
        if let Statement::Block { body, .. } = &mut statements[place]
            && remove_statement(body, at)
        {
            return true;
        }
    }
    false
}

/// The statements of all places.
fn everywhere(program: &mut Program) -> impl Iterator<Item = &mut Statement> {
    program.items.iter_mut().chain(&mut program.statements).chain(&mut program.actions)
}

fn count_parts(program: &mut Program) -> usize {
    fn of_expr(expr: &Expr) -> usize {
        expr.parts().map(|part| 1 + of_expr(part)).sum()
    }
    fn of_statement(statement: &Statement) -> usize {
        match statement {
            Statement::Line(expr) => of_expr(expr),
            Statement::Group(lines) => lines.iter().map(of_statement).sum(),
            Statement::Block { body, .. } => body.iter().map(of_statement).sum(),
        }
    }
    everywhere(program).map(|statement| of_statement(statement)).sum()
}

/// The part of an expression with a number; outer ones come first.
fn part(program: &mut Program, mut at: usize) -> Option<&mut Expr> {
    fn of_expr<'a>(expr: &'a mut Expr, at: &mut usize) -> Option<&'a mut Expr> {
        for part in expr.parts_mut() {
            if *at == 0 {
                return Some(part);
            }
            *at -= 1;
            if let Some(found) = of_expr(part, at) {
                return Some(found);
            }
        }
        None
    }
    fn of_statement<'a>(statement: &'a mut Statement, at: &mut usize) -> Option<&'a mut Expr> {
        match statement {
            Statement::Line(expr) => of_expr(expr, at),
            Statement::Group(lines) | Statement::Block { body: lines, .. } => {
                lines.iter_mut().find_map(|line| of_statement(line, at))
            }
        }
    }
    everywhere(program).find_map(|statement| of_statement(statement, &mut at))
}

/// Whole numbers above 1 in the text.
fn numbers(program: &Program) -> Vec<usize> {
    let text = program.to_string();
    let mut found: Vec<usize> =
        words(&text).filter_map(|word| word.parse().ok()).filter(|n| *n > 1).collect();
    found.sort_unstable();
    found.dedup();
    found.retain(|number| *number < 100);
    found
}

/// Names and numbers.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '.' && c != '_').filter(|word| !word.is_empty())
}

fn renumber(program: &mut Program, old: usize, new: usize) {
    let change = |text: &mut String| {
        let mut changed = String::new();
        let mut word = String::new();
        for letter in text.chars().chain(['\0']) {
            if letter.is_alphanumeric() || letter == '.' || letter == '_' {
                word.push(letter);
                continue;
            }
            let is_old = word.parse() == Ok(old);
            changed.push_str(&if is_old { new.to_string() } else { std::mem::take(&mut word) });
            word.clear();
            if letter != '\0' {
                changed.push(letter);
            }
        }
        *text = changed;
    };
    fn within(expr: &mut Expr, change: &dyn Fn(&mut String)) {
        for piece in &mut expr.pieces {
            match piece {
                Piece::Text(text) => change(text),
                Piece::Part(part) => within(part, change),
            }
        }
    }
    fn statement(of: &mut Statement, change: &dyn Fn(&mut String)) {
        match of {
            Statement::Line(expr) => within(expr, change),
            Statement::Group(lines) => lines.iter_mut().for_each(|line| statement(line, change)),
            Statement::Block { head, body } => {
                within(head, change);
                body.iter_mut().for_each(|line| statement(line, change));
            }
        }
    }
    program.inputs.iter_mut().for_each(change);
    everywhere(program).for_each(|line| statement(line, &change));
}

/// The shortest bytes found with at most `tries` tests: runs are left out, long ones first.
pub fn shorten(bytes: Vec<u8>, tries: usize, is_faulty: &mut dyn FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut best = bytes;
    let mut left = tries;
    let mut run = best.len() / 2;
    while run > 0 {
        let mut at = 0;
        while at < best.len() {
            if left == 0 {
                return best;
            }
            left -= 1;
            let mut candidate = best.clone();
            drop(candidate.drain(at..(at + run).min(best.len())));
            if is_faulty(&candidate) {
                best = candidate;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
    best
}
