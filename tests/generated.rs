//! Random programs, mutated texts and mutated files: a few of them, always the same ones. `examples/fuzz.rs` tries
//! as many as one likes.

#[path = "generated/mod.rs"]
#[allow(dead_code, reason = "what drives long runs is for `examples/fuzz.rs`")]
mod generated;
#[path = "support"]
#[allow(dead_code, reason = "as above")]
mod support {
    pub mod backends;
    pub mod expected;
    pub mod rounding;
}

use generated::case::{Kind, Seeds};
use generated::oracle::Verdict;

/// Tries cases of a kind, of which at least `percent` are accepted.
fn hold(kind: Kind, first: u64, count: u64, percent: u64) {
    let seeds = Seeds::of(kind);
    let mut accepted = 0;
    let mut faults = Vec::new();
    for number in first..first + count {
        let case = seeds.case(kind, number);
        match seeds.verdict(kind, &case) {
            Verdict::Fine(_) => accepted += 1,
            Verdict::Rejected(_) => {}
            Verdict::Fault(fault) => {
                let text = String::from_utf8_lossy(&case.bytes()).into_owned();
                faults.push(format!("{} {number}: {fault:?}\n{text}", kind.name()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(100 * accepted >= percent * count, "only {accepted} of {count} are accepted");
}

/// They are right, run, and give the same by every way there is.
#[test]
fn programs_mean_one_thing() {
    hold(Kind::Programs, 20_000, 120, 85);
}

/// Whatever is written, it is checked and formatted without panic, and formatting changes no meaning.
#[test]
fn damaged_programs_are_told() {
    hold(Kind::Texts, 2_000, 1_500, 1);
}

#[test]
fn damaged_graphs_are_told() {
    hold(Kind::Graphs, 0, 3_000, 5);
}

#[test]
fn damaged_files_are_told() {
    hold(Kind::Files, 0, 20_000, 2);
}

/// The same number makes the same case.
#[test]
fn a_number_is_a_case() {
    for kind in Kind::ALL {
        let seeds = Seeds::of(kind);
        assert_eq!(seeds.case(kind, 5), seeds.case(kind, 5));
    }
}
