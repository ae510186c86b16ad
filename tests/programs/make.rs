//! Programs out of seeds.

use std::fmt::Write;

/// Small random numbers.
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        for _ in 0..4 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'t>(&mut self, among: &[&'t str]) -> &'t str {
        among[self.below(among.len())]
    }
}

/// A data set of the program.
struct Set {
    name: &'static str,
    /// Fields of floats with the size of their one axis.
    vectors: Vec<(String, usize)>,
    /// A field of classes, and of how many.
    label: Option<(String, usize)>,
    /// Names of the parts.
    parts: Vec<&'static str>,
    /// How many rows the first part has.
    first_rows: usize,
    rows: usize,
    text: String,
}

/// Names that mean something elsewhere are among those of fields.
const FIELD_NAMES: [&str; 10] =
    ["x", "step", "batch", "loss", "training", "grad", "σ", "features", "param", "h"];
const SET_NAMES: [&str; 3] = ["first", "second", "third"];

/// The program of a seed.
pub fn program(seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut sets: Vec<Set> = Vec::new();
    let count = 1 + random.below(3);
    for name in SET_NAMES.iter().copied().take(count) {
        let set = data(&mut random, name, &sets);
        sets.push(set);
    }
    let models = models(&mut random, &sets);
    let mut items: Vec<String> = sets.iter().map(|set| set.text.clone()).chain(models).collect();
    if random.chance(30) {
        items.push("precision = f64\n".into());
    }
    items.push("const TABLE = [2, 0, 3, 1]\nconst DRAWN = normal(0, 1, shape = [2])\n".into());
    // Declarations may stand in any order.
    for at in (1..items.len()).rev() {
        items.swap(at, random.below(at + 1));
    }
    let set = &sets[random.below(sets.len())];
    let mut actions = Vec::new();
    for _ in 0..1 + random.below(2) {
        actions.push(shown(&mut random, &sets));
        actions.push(train(&mut random, set, &sets));
    }
    actions.push(shown(&mut random, &sets));
    items.extend(actions);
    items.join("\n")
}

/// The set whose columns are being made: its name, its vectors with their sizes, its parts.
type OwnColumns<'a> = (&'a str, &'a [(String, usize)], &'a [&'a str]);

/// What is one number for a column: of the set itself, of its first part, of another set.
fn statistic(random: &mut Random, size: usize, sets: &[Set], it: Option<OwnColumns<'_>>) -> Option<String> {
    let mut columns: Vec<String> = Vec::new();
    for set in sets {
        for (field, _) in set.vectors.iter().filter(|(_, it)| *it == size) {
            columns.push(format!("{}.{field}", set.name));
            columns.extend(set.parts.iter().map(|part| format!("{}.{part}.{field}", set.name)));
        }
    }
    if let Some((name, fields, parts)) = it {
        for (field, _) in fields.iter().filter(|(_, it)| *it == size) {
            columns.push(format!("{name}.{field}"));
            columns.extend(parts.iter().map(|part| format!("{name}.{part}.{field}")));
        }
    }
    if columns.is_empty() {
        return None;
    }
    let column = columns[random.below(columns.len())].clone();
    let text = match random.below(6) {
        0 => format!("mean({column}, axis = 0)"),
        1 => format!("(std({column}, axis = 0) + 1)"),
        2 => format!("max({column}, axis = 0)"),
        3 => format!("{column}[0]"),
        4 => format!("mean({column}[0:2], axis = 0)"),
        _ => format!("mean({column})"),
    };
    Some(text)
}

fn data(random: &mut Random, name: &'static str, before: &[Set]) -> Set {
    let literal = random.chance(30);
    let rows = if literal { 6 } else { 6 + random.below(20) };
    let parts: Vec<&'static str> = if random.chance(50) { vec!["train", "test"] } else { Vec::new() };
    let mut text = format!("data {name} {{\n");
    if !literal {
        let _ = writeln!(text, "    rows = {rows}");
    }
    if random.chance(20) {
        text.push_str("    seed = 3\n");
    }
    let mut vectors: Vec<(String, usize)> = Vec::new();
    let mut label = None;
    let n_fields = 2 + random.below(3);
    for at in 0..n_fields {
        let size = if at == 0 { 2 } else { 1 + random.below(2) };
        let field = loop {
            let field = random.pick(&FIELD_NAMES).to_string();
            if !vectors.iter().any(|(known, _)| *known == field) {
                break field;
            }
        };
        let value = field_value(random, size, rows, literal, at, name, &vectors, &parts, before);
        let _ = writeln!(text, "    {field}: [{size}] = {value}");
        vectors.push((field, size));
    }
    if random.chance(60) {
        let classes = 4;
        let values: Vec<String> = (0..rows).map(|_| random.below(classes).to_string()).collect();
        if literal {
            let _ = writeln!(text, "    label: class({classes}) = [{}]", values.join(", "));
            label = Some(("label".to_string(), classes));
        }
    }
    if !parts.is_empty() {
        let order = if random.chance(30) { ", in_order = true" } else { "" };
        let _ = writeln!(text, "    split train = 0.5, test = 0.5{order}");
    }
    text.push_str("}\n");
    Set { name, vectors, label, parts, first_rows: rows / 2, rows, text }
}

#[expect(clippy::too_many_arguments, reason = "what a field may be made of")]
fn field_value(
    random: &mut Random,
    size: usize,
    rows: usize,
    literal: bool,
    at: usize,
    name: &str,
    earlier: &[(String, usize)],
    parts: &[&str],
    before: &[Set],
) -> String {
    let same: Vec<&(String, usize)> = earlier.iter().filter(|(_, it)| *it == size).collect();
    if at == 0 || same.is_empty() {
        return match literal {
            true => {
                let row = |random: &mut Random| {
                    let values: Vec<String> = (0..size).map(|_| format!("{}.5", random.below(9))).collect();
                    format!("[{}]", values.join(", "))
                };
                let values: Vec<String> = (0..rows).map(|_| row(random)).collect();
                format!("[{}]", values.join(", "))
            }
            false => random.pick(&["uniform(-1, 1)", "normal(0, 1)", "0.5", "bernoulli(0.5)"]).to_string(),
        };
    }
    let field = same[random.below(same.len())].0.clone();
    let it = Some((name, earlier, parts));
    match random.below(6) {
        0 => format!("standardize({field})"),
        1 => format!("standardize({field} * 2 + 1)"),
        2 => format!("tanh({field}) + DRAWN[0]"),
        3 => match statistic(random, size, before, it) {
            Some(statistic) => format!("{field} - {statistic}"),
            None => format!("{field} * 2"),
        },
        4 => match (statistic(random, size, before, it), statistic(random, size, before, it)) {
            (Some(mean), Some(other)) => format!("({field} - {mean}) / (abs({other}) + 1)"),
            _ => format!("{field}^2"),
        },
        _ => format!("if {field} > 0 then {field} else 0.1"),
    }
}

/// Two models, of layers whose parameters start from one another, from other models and from the data.
fn models(random: &mut Random, sets: &[Set]) -> Vec<String> {
    let start = |random: &mut Random| match random.below(6) {
        0 => "0.5 * w".to_string(),
        1 => "half".to_string(),
        2 => "w + half".to_string(),
        3 => statistic(random, 2, sets, None).unwrap_or_else(|| "w".into()),
        4 => "DRAWN".to_string(),
        _ => "uniform(-1, 1)".to_string(),
    };
    let (second, third, state) = (start(random), start(random), start(random));
    let update = random.pick(&[
        "",
        "    kept <- 0.9 * kept + 0.1 * mean(x, axis = 0)\n",
        "    if training { kept <- w }\n",
    ]);
    let layer = format!(
        "layer Block()(x: [B, 2]) -> [B, 2] {{\n    param w: [2] = uniform(0.5, 1)\n    half = w / 2\n    \
         param v: [2] = {second}\n    state kept: [2] = {state}\n    param u: [2] = {third}\n{update}    \
         (x - kept) * w + v * u\n}}\n"
    );
    let walk = "fn walk(x: [B, 2]) -> [B, 2] {\n    scan t < 3 {\n        carry at: class(4)[B] = argmax(x, axis = 1)\n        \
                carry h: [B, 2] = x\n        at[b] = TABLE[at[b]]\n        h = 0.5 * h + at[:, new]\n        \
                collect places = at along 0\n    }\n    y[b, j] = h[b, j] + TABLE[places[1, b]]\n    y\n}\n";
    let body = random.pick(&[
        "x |> Block() |> Linear(2)",
        "x |> Linear(2) |> tanh |> Block()",
        "walk(x |> Block()) |> Linear(2)",
        "x |> Linear(2) |> Dropout(0.5) |> Linear(2)",
    ]);
    let first = format!("model Net(x: [B, 2]) -> [B, 2] {{\n    fc = Linear(2)\n    fc(x) + ({body})\n}}\n");
    let copied = random.pick(&["Net.fc.weight", "0.5 * Net.fc.weight", "uniform(-1, 1)", "Net.fc.weight.T"]);
    let second = format!(
        "model Other(x: [B, 2]) -> [B, 2] {{\n    param weight: [2, 2] = {copied}\n    x @ weight.T\n}}\n"
    );
    vec![layer, walk.into(), first, second]
}

/// A column of two numbers a row, for a model.
fn column(random: &mut Random, set: &Set) -> String {
    let wide: Vec<&(String, usize)> = set.vectors.iter().filter(|(_, size)| *size == 2).collect();
    let field = &wide[random.below(wide.len())].0;
    let part = match set.parts.is_empty() || random.chance(50) {
        true => String::new(),
        false => format!(".{}", random.pick(&set.parts)),
    };
    let slice = random.pick(&["", "", "[0:2]", "[1:3]"]);
    format!("{}{part}.{field}{slice}", set.name)
}

fn train(random: &mut Random, set: &Set, sets: &[Set]) -> String {
    let part = if set.parts.is_empty() { String::new() } else { ".train".to_string() };
    let wide: Vec<&(String, usize)> = set.vectors.iter().filter(|(_, size)| *size == 2).collect();
    let field = |random: &mut Random| wide[random.below(wide.len())].0.clone();
    let (x, y) = (field(random), field(random));
    let optimizer = random.pick(&[
        "SGD(lr = 0.01)",
        "Adam(lr = 0.01)",
        "SGD(lr = constant(0.01), momentum = 0.9)",
        "RMSprop(lr = 0.001)",
    ]);
    let mut text = format!(
        "train {{\n    data = {}{part}\n    minimize mse(Net({x}), {y}) with {optimizer}\n",
        set.name
    );
    let others = [
        format!("    minimize mse(Other({x}), stop_gradient(Net({x}))) with {optimizer} over Other\n"),
        format!(
            "    minimize mean((Other({x}) - {})^2) with SGD(lr = 0.01) over Other, clip_norm = 1\n",
            statistic(random, 2, sets, None).unwrap_or_else(|| "1".into())
        ),
        format!(
            "    minimize mean(Net({})^2) + 0.1 * mean(Other({y})) with SGD(lr = 0.001), clip_value = 1\n",
            column(random, set)
        ),
        "    minimize 0.5 * sum(Net.fc.bias^2) with SGD(lr = 0.1) over Net\n".to_string(),
    ];
    for other in others {
        if random.chance(25) {
            text.push_str(&other);
        }
    }
    if random.chance(40) {
        let _ = writeln!(
            text,
            "    measure {} = mean(abs(Net({x}) - {y}))",
            random.pick(&["error", "loss", "step"])
        );
    }
    if random.chance(20) {
        let _ = writeln!(text, "    measure r = r2(Net({x}), {y})");
    }
    let batches = ["    batch = 3\n", "    batch = 4\n", "    batch = shape(zeros([2, 3]))[0]\n", ""];
    text.push_str(random.pick(&batches));
    text.push_str(random.pick(&["    steps = 3\n", "    epochs = 2\n"]));
    if !set.parts.is_empty() && random.chance(50) {
        let _ = writeln!(text, "    validate = {}.test", set.name);
    }
    if random.chance(20) {
        text.push_str("    shuffle = false\n");
    }
    text.push_str("}\n");
    text
}

fn shown(random: &mut Random, sets: &[Set]) -> String {
    let set = &sets[random.below(sets.len())];
    let column = column(random, set);
    match random.below(7) {
        0 => format!("print Net({column})\n"),
        1 => format!("print \"{{mean({column})}} of {{{}.rows}}\"\n", set.name),
        2 => format!("expect shape({column}[0]) == [2]\n"),
        3 => format!("plot {column}\n"),
        4 if set.parts.is_empty() => format!("expect {}.rows == {}\n", set.name, set.rows),
        4 => format!("expect {}.train.rows == {}\n", set.name, set.first_rows),
        5 => match &set.label {
            Some((label, _)) => format!("print sum[i](TABLE[{}.{label}[i]])\n", set.name),
            None => format!("print walk({column})\n"),
        },
        _ => "print Other.weight, Net.fc.weight\n".to_string(),
    }
}
