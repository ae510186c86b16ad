//! Tests of the verifier.

use super::*;
use crate::ir::text::parse;

/// The problems of a graph in text form, each with the first word of its place.
fn problems(text: &str) -> Vec<String> {
    let graph = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let faults = verify(&graph).err().unwrap_or_default();
    faults.into_iter().map(|fault| format!("{}: {}", fault.place, fault.problem)).collect()
}

#[test]
fn a_sound_graph() {
    let text = r#"%0 = input "x" : [batch, 2]
%1 = loop i0 < batch : [i0] += mul(%0[i0, 0], %0[i0, 1]) : [batch]
%2 = loop : [] = 0.0 : []
%3 = scan t0 < batch (%2; %1) {
    %0 = carry 0 : []
    %1 = capture 0 : [batch]
    %2 = loop : [] = add(%0[], %1[t0]) : []
    out "next" = %2
}
%4 = result 0 %3 : []
%5 = loop i0 < 3, i1 < 2 : [2*i0 + i1] = 1.0 : [6]
%6 = loop i0 < 3, i1 < 2 : [3*i0 + i1 - 1 else drop] = 1.0 : [6]
out "y" = %4
"#;
    assert_eq!(problems(text), [""; 0]);
}

#[test]
fn bounds_where_sizes_are_numbers() {
    let x = "%0 = input \"x\" : [3]\n";
    for (line, problem) in [
        ("%1 = loop i0 < 4 : [i0] = %0[i0] : [4]", "reads at i0 of 3"),
        ("%1 = loop i0 < 3 : [i0] = %0[i0 - 1] : [3]", "reads at i0 - 1 of 3"),
        ("%1 = loop i0 < 3 : [2*i0] = %0[i0] : [4]", "writes at 2*i0 of 4"),
        ("%1 = loop i0 < 3 : [0] = %0[i0] : [4]", "writes an element twice"),
        ("%1 = loop i0 < 3, i1 < 3 : [2*i0 + i1] = 1.0 : [7]", "writes an element twice"),
        ("%1 = loop i0 < 3000, i1 < 3000 : [i0] = 1.0 : [3000]", "writes an element twice"),
    ] {
        assert_eq!(problems(&format!("{x}{line}")), [format!("{line}: {problem}")]);
    }
    for line in [
        "%1 = loop i0 < 4 : [i0] = %0[i0 else 0] : [4]",
        "%1 = loop i0 < 3 : [i0 - 1 else drop] = %0[i0] : [3]",
        "%1 = loop i0 < 0 : [i0 + 7] = %0[i0 + 9] : [3]",
        "%1 = loop i0 < n : [i0] = %0[i0] : [n]",
        "%1 = loop i0 < 3 : [0] += %0[i0] : [4]",
        "%1 = loop i0 < 1, i1 < 3 : [i1] = %0[i1] : [3]",
    ] {
        assert_eq!(problems(&format!("{x}{line}")), [""; 0]);
    }
}

#[test]
fn rules_of_nodes() {
    for (text, problem) in [
        ("%0 = input \"x\" : [2]\n%1 = reshape %0 : [3]", "%1 = reshape %0 : [3]: 2 elements become 3"),
        (
            "%0 = input \"x\" : [2]\n%1 = input \"x\" : [3]",
            "%1 = input \"x\" : [3]: the same name is [2] elsewhere",
        ),
        ("%0 = loop : [i0] = 0.0 : [1]", "%0 = loop : [i0] = 0.0 : [1]: a variable of i0 is not there"),
        (
            "%0 = loop : [] = int(true) : int[]\n%1 = loop : [] += %0[t3] : int[]",
            "%1 = loop : [] += %0[t3] : int[]: 1 subscripts for 0 axes",
        ),
        (
            "%0 = loop : [] += true : bool[]",
            "%0 = loop : [] += true : bool[]: such values cannot be combined so",
        ),
        (
            "%0 = loop i0 < 2 : [true] argmax= 1.0 : int[2]",
            "%0 = loop i0 < 2 : [true] argmax= 1.0 : int[2]: a subscript is not an int",
        ),
        (
            "%0 = carry 0 : []",
            "%0 = carry 0 : []: the scan around it has no such carry or capture of this type",
        ),
        (
            "%0 = rand uniform \"s\" step t0 axes 2 : [4]",
            "%0 = rand uniform \"s\" step t0 axes 2 : [4]: 2 axes of steps among 1",
        ),
        ("%0 = input \"x\" : [2 - 5]", "%0 = input \"x\" : [-3]: the size -3 is negative"),
    ] {
        assert_eq!(problems(text).first().map(String::as_str), Some(problem));
    }
}

#[test]
fn rules_of_scans() {
    let scan = |body: &str| {
        let head = "%0 = loop : [] = 0.0 : []\n%1 = scan t0 < 3 (%0; %0) {\n";
        problems(&format!("{head}{body}\n}}\n"))
    };
    let place = "%1 = scan t0 < 3 (%0; %0) {";
    assert_eq!(scan("%0 = carry 0 : []\nout \"next\" = %0"), [""; 0]);
    assert_eq!(
        scan("%0 = const [1.0] : [1]\nout \"next\" = %0"),
        [format!("{place}: carry 0 is [] and becomes [1]")]
    );
    assert_eq!(
        scan("%0 = capture 1 : []\nout \"next\" = %0"),
        [format!(
            "{place} > %0 = capture 1 : []: the scan around it has no such carry or capture of this type"
        )]
    );
    assert_eq!(
        scan("%0 = param \"w\" : []\nout \"next\" = %0"),
        [format!("{place} > %0 = param \"w\" : []: it should be captured")]
    );
}

#[test]
fn outputs() {
    let two = "%0 = input \"x\" : [2]\nout \"y\" = %0\nout \"y\" = %0";
    assert_eq!(problems(two), ["out \"y\" = %0: there is another output of that name"]);
    let mut graph = parse("%0 = input \"x\" : [2]").unwrap();
    graph.output("y", NodeId(7));
    assert_eq!(verify(&graph).unwrap_err()[0].problem, Problem::NoSuchNode(NodeId(7)));
}
