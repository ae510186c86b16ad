//! What no processor has vectors for, in kernels whose other values lie in lanes.

use super::*;

/// A whole number that one stage leaves in a register is divided by the next.
#[test]
fn division_of_what_a_register_holds() {
    for (size, op) in [(1, "mod"), (1, "floordiv"), (3, "mod"), (3, "floordiv")] {
        check_text(&format!(
            "%0 = input \"x\" : [24, {size}]
             %1 = loop i0 < 24, i1 < {size} : [i0] argmax= %0[i0, i1] : int[24]
             %2 = loop i0 < 24 : [i0] = {op}(%1[i0], 2) : int[24]
             %3 = loop i0 < 24 : [i0] = {op}(%1[i0], -1) : int[24]
             out \"mod\" = %2
             out \"div\" = %3\n"
        ));
    }
}

/// A whole number that one stage leaves in a register names the place that the next reads or writes.
#[test]
fn places_that_a_register_holds() {
    check_text(
        "%0 = input \"x\" : [24, 3]
         %1 = loop i0 < 24, i1 < 3 : [i0] argmax= %0[i0, i1] : int[24]
         %2 = loop i0 < 24 : [i0] = %0[i0, %1[i0]] : [24]
         %3 = loop i0 < 24 : [i0, %1[i0]] += %2[i0] : [24, 3]
         out \"read\" = %2
         out \"written\" = %3\n",
    );
}

/// Totals of ints, of what moves with the indices and of what does not.
#[test]
fn totals_of_ints() {
    for combine in ["+=", "*=", "max=", "min="] {
        check_text(&format!(
            "%0 = input \"x\" : int[40]
             %1 = loop i0 < 40 : [] {combine} 1 : int[]
             %2 = loop i0 < 6, i1 < 7 : [] {combine} -1 : int[]
             %3 = loop i0 < 9, i1 < 40 : [i0] {combine} mod(%0[i1], 2) : int[9]
             %4 = loop i0 < 9 : [i0] = add(%3[i0], mul(%1[], %2[])) : int[9]
             out \"of x\" = %3
             out \"all\" = %4\n"
        ));
    }
}
