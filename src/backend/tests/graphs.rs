//! Graphs without a pattern.

use super::*;

#[test]
fn random_graphs() {
    for seed in 0..8 {
        check(&plan::tests::some_graph(seed));
    }
}

#[test]
fn random_writes() {
    for seed in 0..60 {
        check(&plan::tests::some_writes(seed));
    }
}
