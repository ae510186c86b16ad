//! Nothing is elaborated twice: what stands n times in itself takes as many times the work.

use crate::sema::scope::context::Mode;
use super::tests::elaborated;
use crate::syntax::ast::ItemKind;

/// Expressions in which `HOLE` may be an int again.
const FORMS: [&str; 26] = [
    "list[HOLE]",
    "count[HOLE]",
    "matrix[HOLE, 0]",
    "matrix[HOLE][1]",
    "list[0:HOLE + 1][0]",
    "(if HOLE > 1 then 1 else 0)",
    "(if count[HOLE] > 1 then 1 else 0)",
    "(HOLE |> same)",
    "same(HOLE)",
    "chosen(HOLE)",
    "[HOLE, 1][0]",
    "-HOLE",
    "(HOLE * 1)",
    "min(HOLE, 2)",
    "clamp(HOLE, 0, 2)",
    "count[clamp(HOLE, 0, 2)]",
    "sum[i < 2](HOLE)",
    "sum[i](count[i] * HOLE)",
    "max[i](matrix[i, clamp(HOLE, 0, 1)])",
    "sum[i](matrix[clamp(HOLE, 0, 2), i])",
    "sum[i](if HOLE > 0 then count[i] else 0)",
    "max[i < 3](count[min(i, clamp(HOLE, 0, 2))])",
    "(count + HOLE)[0]",
    "int(HOLE)",
    "max(count * HOLE, axis = 0)",
    "argmax([HOLE, 1])",
];

const AROUND: &str = "
const list = [0, 1, 2]
const count = arange(3)
const matrix = zeros([3, 2])
fn same(x) = x
fn chosen(x) { if kind(x) == \"int\" { x } else { 0 } }
";

/// The work of elaborating all `print` items; `None` if something was reported.
fn work(text: &str) -> Result<u64, String> {
    let mode = Mode::Evaluation;
    let (_, work, diagnostics) = elaborated(text, mode, |e| {
        let items = e.modules.main().map(|main| main.items.clone()).unwrap_or_default();
        for item in items {
            let ItemKind::Print(print) = &item.item.kind else { continue };
            print.values.iter().for_each(|value| drop(e.expr(value, None)));
        }
        e.limits.work()
    });
    match diagnostics.iter().find(|error| error.code == "E0122" || error.code == "E0101") {
        Some(error) => Err(error.message.clone()),
        None => Ok(work),
    }
}

fn nested(form: &str, times: usize) -> String {
    let inner = (0..times).fold("0".to_string(), |inner, _| form.replace("HOLE", &inner));
    format!("{AROUND}\nprint {inner}")
}

#[test]
fn work_grows_with_nesting_at_most_as_its_square() {
    let mut wrong = Vec::new();
    for form in FORMS {
        match (work(&nested(form, 6)), work(&nested(form, 12))) {
            (Ok(few), Ok(many)) if many <= 4 * few + 8 => {}
            (few, many) => wrong.push(format!("{form}: 6 times {few:?}, 12 times {many:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A constant that is a tensor is made once in a graph, so a chain of them takes no more work than its length.
#[test]
fn constants_are_made_once() {
    let chain = |length: usize| {
        let links: Vec<String> =
            (1..=length).map(|at| format!("const c{at} = c{} + c{}", at - 1, at - 1)).collect();
        format!("const c0 = tanh([1.0])\n{}\nprint c{length}", links.join("\n"))
    };
    let (few, many) = (work(&chain(10)).unwrap(), work(&chain(20)).unwrap());
    assert!(many <= 3 * few, "10 links take {few}, 20 take {many}");
}
