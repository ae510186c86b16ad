//! Conditions that choose several numbers at once.
//!
//! Of a loop around such a choice, `a = c ? x : 0; b = c ? y : 0;` with a `c` that is computed from its counter, GCC 11
//! and 12 make wrong vectors: they take the condition of one round for that of another. This is seen where the numbers
//! are stored side by side and the processor has AVX2. Single choices and those by data come out right.

use std::collections::HashMap;

use crate::loops::{Expr, Kernel, Stmt, ValueId};

/// Whether a condition that is the same for several numbers chooses them.
pub fn shared(kernel: &Kernel) -> bool {
    let mut splats = HashMap::new();
    let mut chosen: HashMap<ValueId, u32> = HashMap::new();
    count(&kernel.body, kernel, &mut splats, &mut chosen);
    chosen.values().any(|count| *count > 1)
}

/// Counts the numbers that each condition chooses. `splats` has what is the same in all lanes.
fn count(
    block: &[Stmt],
    kernel: &Kernel,
    splats: &mut HashMap<ValueId, ValueId>,
    chosen: &mut HashMap<ValueId, u32>,
) {
    let lanes = |value: &ValueId| u32::from(kernel.types[value.0 as usize].lanes);
    for stmt in block {
        match stmt {
            Stmt::Let(value, Expr::Splat(of)) => drop(splats.insert(*value, *of)),
            Stmt::Let(value, Expr::Select(condition, ..)) => {
                let scalar = splats.get(condition).unwrap_or(condition);
                if lanes(scalar) == 1 {
                    *chosen.entry(*scalar).or_default() += lanes(value);
                }
            }
            Stmt::For(inner) => count(&inner.body, kernel, splats, chosen),
            Stmt::If { then, .. } => count(then, kernel, splats, chosen),
            Stmt::Let(..) | Stmt::Store { .. } | Stmt::Check { .. } => {}
        }
    }
}
