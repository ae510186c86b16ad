//! The words of the language, a line each: `nnc doc` and the library page tell about them.

/// A word, how it is written, and what it is.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    pub word: &'static str,
    pub form: &'static str,
    /// One or two sentences.
    pub doc: &'static str,
}

const fn word(word: &'static str, form: &'static str, doc: &'static str) -> Word {
    Word { word, form, doc }
}

/// What a file is made of.
pub const ITEMS: &[Word] = &[
    word("precision", "precision = f64", "The width of all floats of a program: 32 bits, or 64."),
    word("import", "import \"file.nn\"", "Brings what another file declares, but not what it carries out."),
    word("const", "const RATE = 0.1", "A value with a name, known at compile time."),
    word(
        "activation",
        "activation NAME(x, slope = 0.01) = expression",
        "An elementwise function of its first parameter; `gradient expression` on the next line gives it a derivative of its own.",
    ),
    word(
        "fn",
        "fn NAME(x: [B, n]) -> [B] = expression",
        "A function; its written types are checked at every call.",
    ),
    word(
        "layer",
        "layer NAME(out)(x: [B, in]) -> [B, out] { … }",
        "A function with parameters of its own. The first list has what is known at compile time, the second the inputs; the last expression is the result.",
    ),
    word("loss", "loss NAME(prediction, target) = expression", "A scalar that can be minimized."),
    word(
        "metric",
        "metric NAME(prediction, target) = expression",
        "A scalar to measure, never differentiated; `whole` before the body computes it once an epoch over all rows.",
    ),
    word(
        "init",
        "init NAME(scale = 0.01): [out, in] = expression",
        "Starting values of the shape that is asked for.",
    ),
    word(
        "schedule",
        "schedule NAME(base) = expression",
        "A number for each step, made from `step`, which is 1 for the first update.",
    ),
    word(
        "optimizer",
        "optimizer NAME(lr = 0.01) { param <- param - lr * grad }",
        "How a parameter changes, element by element; `param`, `grad` and `step` are given, `state` is kept.",
    ),
    word("model", "model NAME(x: [B, 4]) -> [B, 3] { … }", "One instance of a layer, called by its name."),
    word(
        "data",
        "data NAME = csv(\"file.csv\") { x: [4] = columns(0:4) }",
        "Rows to learn from: fields for one row each, from a source, made with `rows = N`, or written down.",
    ),
    word(
        "train",
        "train { … }",
        "A training: `data`, one or more `minimize` lines, `epochs` or `steps`, and other settings.",
    ),
    word("print", "print \"loss {x}\"", "Shows strings, tensors and compile-time values."),
    word(
        "expect",
        "expect condition, \"message\"",
        "Makes the run fail if the condition does not hold everywhere.",
    ),
    word("plot", "plot x, y, title = \"…\"", "Draws curves or a cloud of points."),
    word(
        "generate",
        "generate MODEL from \"A\" with sample(), length = 200",
        "A text that a model goes on with, character by character.",
    ),
    word(
        "sweep",
        "sweep { lr in 1e-4..1e-1, log = true }",
        "What `nnc sweep` tries: values of constants, settings and arguments of optimizers, and how trials are judged.",
    ),
    word(
        "for",
        "for k in 0..5 { … }",
        "Carries out the `train`, `print`, `expect`, `plot` and `generate` in its braces for each number or element of a list; in a body, its statements, at compile time.",
    ),
];

/// What begins a line of a body.
pub const STATEMENTS: &[Word] = &[
    word(
        "param",
        "param weight: [out, in] = uniform(-k, k)",
        "A parameter of a layer and what it starts from; `frozen` keeps it as it is.",
    ),
    word(
        "state",
        "state mean: [n] = 0",
        "What a layer or an optimizer keeps and does not train; `<-` gives its next value.",
    ),
    word("require", "require condition, \"message\"", "A condition known at compile time that must hold."),
    word(
        "advise",
        "advise condition, \"message\"",
        "A warning where a condition known at compile time, or on fields of the data, does not hold.",
    ),
    word(
        "scan",
        "scan t < T { carry h: [B, n] = 0 … }",
        "A recurrence over steps; `scan reverse` runs from the last to the first.",
    ),
    word(
        "carry",
        "carry h: [B, n] = 0",
        "What a step of a scan hands on to the next; binding the name gives its next value.",
    ),
    word("collect", "collect hs = h along 1", "Stacks the values of all steps of a scan along an axis."),
    word(
        "gradient",
        "gradient expression",
        "The derivative of an activation, in place of the one that is found.",
    ),
    word(
        "surrogate",
        "surrogate expression",
        "As `gradient`, of a derivative that is another than the true one on purpose.",
    ),
    word(
        "minimize",
        "minimize LOSS with OPTIMIZER over MODEL, clip_norm = 1",
        "A line of `train`: one pass, forward, backward and update.",
    ),
    word("measure", "measure name = METRIC", "A line of `train`: a number to watch."),
    word(
        "every",
        "every 10 epochs { print … }",
        "Lines of `train`: what is printed, expected, drawn and generated while it trains; `epoch` and `step` are given.",
    ),
    word(
        "split",
        "split train = 0.8, test = 0.2",
        "A line of `data`: divides its rows by a seeded permutation.",
    ),
    word(
        "windows",
        "windows series = column(\"station\"), stride = 12",
        "A line of `data` with fields `window(…)`: what is one series, and which windows of it are rows.",
    ),
    word(
        "drop",
        "drop rows where is_missing(column(\"age\"))",
        "A line of `data`: leaves rows out before anything is learnt of them.",
    ),
    word("where", "drop rows where column(\"age\") > 100", "Names the rows that `drop` leaves out."),
];

/// What stands in expressions.
pub const EXPRESSIONS: &[Word] = &[
    word(
        "if",
        "if c then a else b",
        "A choice, elementwise if c is a tensor; `if c { … } else { … }` is decided at compile time.",
    ),
    word("then", "if c then a else b", "What a choice gives where the condition holds."),
    word(
        "else",
        "x[i - 1 else 0]",
        "What a choice gives otherwise, or what a read outside of a tensor gives.",
    ),
    word(
        "skip",
        "x[i - 1 else skip]",
        "Leaves a term out of the nearest reducer or `+=` where the read is outside.",
    ),
    word("new", "x[:, new]", "Makes an axis that stretches."),
    word("and", "a and b", "Whether both hold."),
    word("or", "a or b", "Whether one of two holds, or both."),
    word("not", "not a", "Whether it does not hold."),
    word("true", "true", "What holds."),
    word("false", "false", "What does not hold."),
    word("none", "none", "Nothing; `kind(x) == \"none\"` asks for it."),
    word("pi", "pi", "3.14159…"),
    word("inf", "inf", "Infinity."),
    word(
        "training",
        "if training { … }",
        "Whether the body is that of a training step; known at compile time.",
    ),
    word("epoch", "every 10 epochs { print epoch }", "The number of the epoch in the braces of `every`, from 1."),
    word("step", "step", "The number of the step in schedules, optimizers and the losses of `minimize`, from 1."),
    word("plateaus", "gamma ^ plateaus", "How many plateaus the training has had, in schedules that optimizers use."),
    word(
        "with",
        "minimize LOSS with OPTIMIZER",
        "Names the optimizer of a `minimize` line, and the choice of a `generate`.",
    ),
    word(
        "over",
        "minimize LOSS with OPTIMIZER over MODEL",
        "The models that a `minimize` line trains, all that its loss calls by default; `over Net.head with …` is a group with an optimizer of its own.",
    ),
    word(
        "at",
        "Net(x) at w",
        "An expression whose networks have the parameters w: `Net.parameters`, and what is computed from it.",
    ),
    word(
        "init",
        "init Teacher = Student",
        "A line of `train`: the parameters of a model before the first step; `Teacher <- …` is one for each step.",
    ),
    word("along", "collect hs = h along 1", "The axis of the steps."),
    word("int", "int[B, T]", "The type of whole numbers, and `int(x)`, which cuts a fraction off."),
    word("bool", "bool[B]", "The type of true and false."),
    word("float", "float", "A float scalar, `[]`, and `float(x)`, which makes floats of ints and bools."),
    word("class", "class(10)", "The type of an int in 0..10."),
];

/// All words, by subject.
pub const SUBJECTS: &[(&str, &[Word])] =
    &[("items", ITEMS), ("statements", STATEMENTS), ("expressions", EXPRESSIONS)];

#[cfg(test)]
mod tests {
    use super::super::tokens::{CONTINUING, ITEM_WORDS, RESERVED};
    use super::*;

    #[test]
    fn every_word_of_the_grammar_is_told_about() {
        let known = |text: &str| SUBJECTS.iter().any(|(_, words)| words.iter().any(|word| word.word == text));
        for text in ITEM_WORDS.iter().chain(&RESERVED).chain(&CONTINUING) {
            assert!(known(text), "nothing is said about `{text}`");
        }
        // The keywords of the grammar file: `kw_scan = @{ "scan" ~ … }`.
        for line in include_str!("../../grammar/nn.pest").lines().filter(|line| line.starts_with("kw_")) {
            let text = line.split('"').nth(1).unwrap_or_default();
            let small = ["from", "whole", "frozen", "reverse", "in", "f32", "f64", "rows", "seed", "epochs", "steps"];
            assert!(known(text) || small.contains(&text), "nothing is said about `{text}`");
        }
    }
}
