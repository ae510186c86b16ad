//! Windows that leave their tensor.

use super::*;

/// Windows that are together as long as their tensor, and begin behind its first element or before it.
#[test]
fn windows_beyond_one_end() {
    for by in [-1, 1, 6] {
        check_text(&format!(
            "%0 = input \"x\" : [8, 7]
             %1 = input \"w\" : [4, 8]
             %2 = loop i0 < 8, i1 < 4, i2 < 4 : [i0, i1] += %0[i0, i1 + i2 + {by} else 0] : [8, 4]
             %3 = loop i0 < 8, i1 < 4, i2 < 4 : [i0, i1] += exp(%0[i0, i1 - i2 + {by} else 0]) : [8, 4]
             %4 = loop i0 < 8, i1 < 4, i2 < 4, i3 < 8 : [i0, i1, i3] += mul(%0[i0, i1 + i2 + {by} else 0], %1[i2, i3]) : [8, 4, 8]
             %5 = loop i0 < 8, i1 < 4, i2 < 4 : [i0, i1 + i2 + {by} else drop] += mul(%2[i0, i1], %1[i2, 0]) : [8, 7]
             out \"sum\" = %2
             out \"other\" = %3
             out \"product\" = %4
             out \"written\" = %5\n"
        ).replace("+ -", "- ").replace(" + 0 ", " "));
    }
}

/// Windows at places that move with the steps of a scan, which lie beyond the tensor in some of them.
#[test]
fn windows_in_a_scan() {
    check_text(
        "%0 = input \"x\" : [8, 2, 5]
         %1 = loop i0 < 8, i1 < 4 : [i0, i1] = 0.5 : [8, 4]
         %2 = scan t0 < 3 (%1; %0) {
             %0 = capture 0 : [8, 2, 5]
             %1 = carry 0 : [8, 4]
             %2 = loop i0 < 8, i1 < 4, i2 < 3 : [i0, i1] += mul(%1[i0, i1], %0[i0, t0, i1 - i2 + 1 else 0]) : [8, 4]
             %3 = loop i0 < 8, i1 < 4, i2 < 3 : [i0, i1] += mul(%2[i0, i2], %0[i0, 1, i1 + i2 - t0 else 0]) : [8, 4]
             out \"h\" = %3
         }
         %3 = result 0 %2 : [8, 4]
         out \"h\" = %3\n",
    );
}
