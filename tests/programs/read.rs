//! Programs whose rows are read: texts, names, dates and missing numbers of a table, and pictures.

use super::make::Random;

/// The program of a seed.
pub fn program(seed: u64) -> String {
    let mut random = Random::new(seed ^ 0x5EED);
    let (data, model, loss) = match random.below(4) {
        0 => pictures(&mut random),
        1 | 2 => texts(&mut random),
        _ => numbers(&mut random),
    };
    let mut lines = vec![format!("data = {}", if data.contains("split") { "d.train" } else { "d" })];
    lines.push(format!("minimize {loss} with {}", random.pick(&OPTIMIZERS)));
    lines.push(format!("batch = {}", 1 + random.below(5)));
    lines.push(random.pick(&["epochs = 2", "steps = 3"]).to_owned());
    let extra =
        ["seed = 3", "shuffle = false", "accumulate = 2", "keep = best", "every epoch { print epoch }"];
    for line in extra {
        if random.chance(20) {
            lines.push(line.to_owned());
        }
    }
    if data.contains("split") && random.chance(50) {
        lines.push("validate = d.test".to_owned());
    }
    let mut train = format!("train {{\n    {}\n}}\n", lines.join("\n    "));
    if random.chance(25) {
        let inner = train.trim_end().trim_end_matches('}').to_owned();
        train = format!("for turn in 0..2 {{\n{inner}    init = anew\n}}\n}}\n");
    }
    let shown = if data.contains("split") { "d.test" } else { "d" };
    let fields = if model.contains("x: ") { "x" } else { "text" };
    format!("{data}{model}{train}print mean(Net({shown}.{fields}))\n")
}

const OPTIMIZERS: [&str; 4] = ["SGD(lr = 0.01)", "Adam(lr = 0.01)", "AdamW(lr = 0.01)", "Lion(lr = 0.001)"];

const SPLITS: [&str; 5] = [
    "",
    "    split train = 0.75, test = 0.25\n",
    "    split train = 0.5, test = 0.5, in_order = true\n",
    "    split train = 0.75, test = 0.25, stratify = kind\n",
    "    split folds = 3, fold = 2\n",
];

/// Texts by words, characters or parts of words, with vocabularies and lengths that fit or cut.
fn texts(random: &mut Random) -> (String, String, String) {
    let unit = random.pick(&["words", "characters", "pairs"]);
    let (most, length) = (3 + random.below(70), 1 + random.below(40));
    let split = random.pick(&SPLITS);
    let data = format!(
        "data d = csv(\"files/opinions.csv\") {{\n    text: class({most})[{length}] = {unit}(column(\"text\"))\n    kind: class(2) = column(\"kind\")\n{split}}}\n"
    );
    let width = 1 + random.below(8);
    let body = match random.below(3) {
        0 => format!("mean(text |> Embedding({most}, {width}), axis = 1) |> Linear(2)"),
        1 => format!("(text |> Embedding({most}, {width}) |> GRU({width}))[:, -1] |> Linear(2)"),
        _ => format!("sum(one_hot(text, {most}), axis = 1) |> Linear({width}) |> tanh |> Linear(2)"),
    };
    let model = format!("model Net(text: int[B, T]) -> [B, 2] {{\n    {body}\n}}\n");
    (data, model, "cross_entropy(Net(text), kind)".to_owned())
}

/// Numbers that may miss, names, dates.
fn numbers(random: &mut Random) -> (String, String, String) {
    let mut fields = vec!["price: [] = standardize(column(\"price\"))".to_owned()];
    let mut parts = vec!["price".to_owned()];
    if random.chance(60) {
        let with = random.pick(&["mean", "median", "mode", "40"]);
        fields.push(format!("age: [] = fill(column(\"age\"), {with}) / 50"));
        fields.push("unknown: bool[] = is_missing(column(\"age\"))".to_owned());
        parts.extend(["age".to_owned(), "(if unknown then 1 else 0)".to_owned()]);
    }
    if random.chance(60) {
        let part = random.pick(&["days", "year", "month", "day", "weekday", "yearday", "hour"]);
        fields.push(format!("day: [] = date(column(\"day\"), part = \"{part}\")"));
        parts.push("day / 20000".to_owned());
    }
    if random.chance(60) {
        let count = 2 + random.below(3);
        fields.push(format!("place: class({count}) = category(column(\"place\"))"));
        parts.push("place".to_owned());
    }
    fields.push(format!("x: [{}] = [{}]", parts.len(), parts.join(", ")));
    fields.push("kind: class(2) = column(\"kind\")".to_owned());
    let split = random.pick(&SPLITS);
    let data = format!("data d = csv(\"files/opinions.csv\") {{\n    {}\n{split}}}\n", fields.join("\n    "));
    let model = format!(
        "model Net(x: [B, {}]) -> [B, 2] {{ x |> Linear({}) |> tanh |> Linear(2) }}\n",
        parts.len(),
        1 + random.below(9)
    );
    (data, model, "cross_entropy(Net(x), kind)".to_owned())
}

/// Pictures in folders, scaled to the size of the field.
fn pictures(random: &mut Random) -> (String, String, String) {
    let (channels, height, width) = (1 + 2 * random.below(2), 1 + random.below(9), 1 + random.below(9));
    let fit = random.pick(&["cover", "contain", "stretch"]);
    let data = format!(
        "data d = images(\"../right/files/animals\") {{\n    x: [{channels}, {height}, {width}] = pixels(fit = \"{fit}\") / 255\n    kind: class(3) = labels()\n}}\n"
    );
    let changed =
        random.pick(&["x", "random_flip(x, p = 0.5)", "random_shift(x, most = 1)", "random_noise(x)"]);
    let body = match random.below(2) {
        0 => format!("{changed} |> flatten |> Linear(3)"),
        _ => format!("{changed} |> Conv2d(2, 1) |> relu |> GlobalAvgPool2d() |> Linear(3)"),
    };
    let model = format!("model Net(x: [B, {channels}, {height}, {width}]) -> [B, 3] {{\n    {body}\n}}\n");
    (data, model, "cross_entropy(Net(x), kind)".to_owned())
}
