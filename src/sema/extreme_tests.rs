//! The least and the greatest whole number wherever one may stand: something is said or made, and nothing overflows
//! (tests are compiled with checks for that).

use crate::base::SourceMap;
use crate::sema::{NoImports, check};
use crate::syntax;

/// Programs in which GREATEST and LEAST are these numbers, and `;` and a `print` at the end begin a line.
const PROGRAMS: [&str; 29] = [
    "print [1, 2, 3][0::GREATEST]",
    "print [1, 2, 3][LEAST]",
    "print [1, 2, 3][LEAST:]",
    "print arange(3)[0::GREATEST]",
    "print arange(3)[GREATEST]",
    "print arange(3)[LEAST:GREATEST:GREATEST]",
    "print sum(arange(3), axis = LEAST)",
    "print stack([arange(3)], axis = LEAST)",
    "print arange(LEAST, GREATEST)",
    "print arange(0, 10, GREATEST)",
    "print arange(0, 10, LEAST)",
    "print 2 ^ GREATEST",
    "print arange(3) ^ GREATEST",
    "print arange(3) ^ LEAST",
    "print window(arange(8), GREATEST, GREATEST)",
    "print pad(arange(3), [[GREATEST, GREATEST]])",
    "print split(arange(4), [GREATEST, GREATEST])",
    "print reshape(arange(4), [GREATEST, GREATEST])",
    "print div(LEAST, -1)",
    "print mod(LEAST, -1)",
    "print sum[i < GREATEST](i)",
    "fn f(x: [n]) { y[GREATEST * i + GREATEST] = x[i]; y } print f(arange(3))",
    "fn f(x: [n]) { scan t < GREATEST { carry h = 0.0; h = h + 1 }; h } print f(arange(3))",
    "fn f(x: [n]) { x[GREATEST - n] } print f(arange(3))",
    "fn f(x: [n]) { x[n * GREATEST] } print f(arange(3))",
    "data d { rows = GREATEST; x: [] = 1 } print d.x",
    "data d = text(\"a.txt\") { x = window(GREATEST, shift = GREATEST) }",
    "data d = csv(\"a.csv\") { x = columns(LEAST:GREATEST) }",
    "data d = csv(\"a.csv\") { x = column(GREATEST) }",
];

#[test]
fn extreme_numbers_overflow_nowhere() {
    for program in PROGRAMS {
        let text = program.replace("LEAST", "(-9223372036854775807 - 1)").replace("GREATEST", "9223372036854775807");
        let text = text.replace("; ", "\n").replace("} print", "}\nprint");
        let mut sources = SourceMap::default();
        let file = sources.add("extreme.nn", text.as_str());
        let (tree, errors) = syntax::parse(file, &text);
        assert!(errors.is_empty(), "{program}: {errors:?}");
        check(&mut sources, tree, &mut NoImports);
    }
}
