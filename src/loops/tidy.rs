//! Dead code elimination: leaves out stores and values of a kernel that nothing uses.

use super::ir::*;

/// Drops stores to private memory that nothing loads, and values that nothing uses.
/// `is_scratch`: for each parameter, whether it is private memory. `aliases`: which parameters reach into it.
pub fn drop_unused(kernel: &mut Kernel, is_scratch: &[bool], aliases: &[Vec<u32>]) {
    let mut loaded = vec![false; kernel.params.len()];
    note_loads(&kernel.body, &mut loaded);
    let is_loaded = |aliases: &Vec<u32>| aliases.iter().any(|alias| loaded[*alias as usize]);
    let dead: Vec<bool> =
        is_scratch.iter().zip(aliases).map(|(scratch, aliases)| *scratch && !is_loaded(aliases)).collect();
    let mut used = vec![false; kernel.types.len()];
    sweep(&mut kernel.body, &dead, &mut used);
}

fn note_loads(block: &[Stmt], loaded: &mut [bool]) {
    for stmt in block {
        match stmt {
            Stmt::Let(_, Expr::Load(address)) => loaded[address.param as usize] = true,
            Stmt::Let(_, Expr::Gather(addresses)) => {
                addresses.iter().for_each(|address| loaded[address.param as usize] = true);
            }
            Stmt::Let(..) | Stmt::Store { .. } | Stmt::Check { .. } => {}
            Stmt::For(inner) => note_loads(&inner.body, loaded),
            Stmt::If { then, .. } => note_loads(then, loaded),
        }
    }
}

/// Walks backwards, so that every use of a value is seen before its definition.
fn sweep(block: &mut Vec<Stmt>, dead: &[bool], used: &mut Vec<bool>) {
    let mut kept = Vec::with_capacity(block.len());
    for mut stmt in std::mem::take(block).into_iter().rev() {
        let keep = match &mut stmt {
            Stmt::Let(value, expr) => {
                let keep = used[value.0 as usize];
                if keep {
                    expr.for_each_value(|value| used[value.0 as usize] = true);
                }
                keep
            }
            Stmt::Store { address, value } => {
                let keep = !dead[address.param as usize];
                if keep {
                    used[value.0 as usize] = true;
                    address.index.terms.iter().for_each(|(value, _)| used[value.0 as usize] = true);
                }
                keep
            }
            Stmt::For(inner) => {
                sweep_for(inner, dead, used);
                let keep = !inner.body.is_empty() || !inner.carries.is_empty();
                if keep {
                    for bound in [inner.from, inner.to] {
                        if let Bound::Value(value) = bound {
                            used[value.0 as usize] = true;
                        }
                    }
                }
                keep
            }
            Stmt::Check { address, .. } => {
                address.index.terms.iter().for_each(|(value, _)| used[value.0 as usize] = true);
                true
            }
            Stmt::If { condition, then } => {
                sweep(then, dead, used);
                let keep = !then.is_empty();
                if keep {
                    used[condition.0 as usize] = true;
                }
                keep
            }
        };
        if keep {
            kept.push(stmt);
        }
    }
    kept.reverse();
    *block = kept;
}

/// A carried value is needed if its result is needed, or if a value that is needed in the loop uses it.
fn sweep_for(inner: &mut For, dead: &[bool], used: &mut Vec<bool>) {
    let mut needed: Vec<bool> = inner.carries.iter().map(|carry| used[carry.result.0 as usize]).collect();
    // Only a carry whose result nobody uses has to be looked for in the body; loops within loops would double the
    // work with each level.
    while needed.contains(&false) {
        let (mut body, mut seen) = (inner.body.clone(), used.clone());
        use_carries(inner, &needed, &mut seen);
        sweep(&mut body, dead, &mut seen);
        let carries = inner.carries.iter().zip(&needed);
        let now: Vec<bool> =
            carries.map(|(carry, needed)| *needed || seen[carry.current.0 as usize]).collect();
        if now == needed {
            (inner.body, *used) = (body, seen);
            let mut needed = needed.into_iter();
            inner.carries.retain(|_| needed.next().unwrap_or(false));
            return;
        }
        needed = now;
    }
    use_carries(inner, &needed, used);
    sweep(&mut inner.body, dead, used);
}

/// Marks what the needed ones among the carried values are computed from.
fn use_carries(inner: &For, needed: &[bool], used: &mut [bool]) {
    for (carry, _) in inner.carries.iter().zip(needed).filter(|(_, needed)| **needed) {
        used[carry.next.0 as usize] = true;
        used[carry.start.0 as usize] = true;
    }
}
