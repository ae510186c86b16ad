//! Tests of the text form.

use super::*;
use crate::ir::dim::Dim;

fn round_trip(text: &str) {
    let graph = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(graph.to_string(), text);
}

#[test]
fn every_kind_of_node() {
    round_trip(
        r#"%0 = input "x" : [batch, 2]
%1 = param "fc.weight" : [8, 2]
%2 = state "bn.\"mean\"" : [8]
%3 = const [1.0, -0.0, inf, -inf, nan, 1e-45, 0.1] : [7]
%4 = const [1, -2] : int[2]
%5 = const [true, false] : bool[2]
%6 = loop i0 < batch, i1 < 8, i2 < 2 : [i0, i1] += mul(%0[i0, i2], %1[i1, i2]) : [batch, 8]
%7 = loop i0 < batch, i1 < 8 :
    let v0 = exp(%6[i0, i1])
    [i0, i1] = div(v0, add(v0, 1.0)) : [batch, 8]
%8 = reshape %7 : [8*batch]
%9 = rand uniform "net.drop" step 3*t0 + 1 axes 0 : [batch, 8]
%10 = mark 4 %9 : [batch, 8]
%11 = loop : [] = 0.0 : []
%12 = scan t0 < batch reverse (%11; %0) {
    %0 = carry 0 : []
    %1 = capture 0 : [batch, 2]
    %2 = loop i0 < 2 : [else drop] += add(%0[], %1[t0, i0]) : []
    out "next" = %2
    out "all" = %2
}
%13 = result 1 %12 : [batch]
%14 = loop i0 < batch : [] argmax= %13[i0] : int[]
out "loss:0" = %11
out "" = %14
"#,
    );
}

#[test]
fn subscripts_and_constants() {
    round_trip(
        r#"%0 = input "ids" : int[n]
%1 = input "x" : [n, n + 1]
%2 = loop i0 < n, i1 < n : [%0[i0], 2*i1 - 1 else drop] max= %1[%0[i1], =3 else 0] : [n, n]
%3 = loop i0 < n : [i0] = select(lt({i0 + (n - 1)}, int(true)), {(n)}, {3}) : int[n]
%4 = loop i0 < n : [i0] = select(le(%0[i0], -3), slope(tanh(%1[i0, 0]), %1[i0, 0], -1.5), nan(0xfff8000000000000)) : [n]
%5 = loop i0 < n, i1 < n : [(n)*i0 + i1] *= sub(%1[i0, (n)*i0 + (floor(n / 2))], -inf) : [n^2]
out "y" = %2
"#,
    );
}

#[test]
fn bodies_in_another_order_are_listed() {
    let text = r#"%0 = input "x" : [4]
%1 = input "y" : [4]
%2 = loop i0 < 4 : list (%1, %0)
    let v0 = 1.0
    let v1 = %0[i0]
    let v2 = 1.0
    let v3 = %1[i0]
    let v4 = add(v3, v1)
    [i0] = v4 : [4]
"#;
    round_trip(text);
    let graph = parse(text).unwrap();
    let crate::ir::Op::Loop(body) = &graph[crate::ir::NodeId(2)].op else { panic!() };
    assert_eq!(body.body.nodes.len(), 5);
}

#[test]
fn sizes() {
    for text in [
        "0",
        "-3",
        "n",
        "2*n + 1",
        "a*b + a^2",
        "-a*b^2 + 3*digits.rows - 7",
        "floor(n / 2)",
        "floor((n + 1) / (2*k))",
        "3*(D / h) - 1",
        "((n + 1) / h)",
        "min(a + 1, b)",
        "max(n - 4, 2)^2",
        "floor((2*floor(H / 3)) / k)",
    ] {
        let mut scanner = scanner::Scanner::new(text);
        let dim: Dim = scanner.dim().unwrap();
        assert!(scanner.at_end(), "{text}");
        assert_eq!(dim.to_string(), text);
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (text, message) in [
        ("%0 = inptu \"x\" : []", "line 1: no node is called `inptu`"),
        ("%0 = input \"x\" : [", "line 1: expected a number, found ``"),
        ("\n%0 = reshape %4 : []", "line 2: there is no %4 above"),
        ("%0 = loop : [] = foo(1.0) : []", "line 1: no operation is called `foo`"),
        ("%0 = loop : [] = add(1.0, 1) : []", "line 1: float and int do not go together"),
        ("%0 = loop : [] = exp(1) : []", "line 1: `exp` does not take int"),
        ("%0 = loop : [] = exp(1.0, 2.0) : []", "line 1: `exp` does not take 2 arguments"),
        ("%0 = loop : [] = 1.0 : int[]", "line 1: the type is [], not int[]"),
        ("%0 = loop : let v0 = neg(v0) [] = v0 : []", "line 1: there is no v0"),
        ("%0 = input \"x\" : []\n%1 = result 0 %0 : []", "line 2: %0 has no result 0"),
        ("%0 = const [1.0, 2.0] : [3]", "line 1: these are no values of [3]"),
        ("out \"y", "line 1: a text without an end"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
    }
}
