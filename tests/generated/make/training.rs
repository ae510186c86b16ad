//! Random trainings: a small network, made data, an optimiser with some of its settings; groups of parameters, layers
//! that are frozen, several networks, losses at other parameters, windows over a series; inputs that are changed at
//! random, weights of classes, solutions of equations, further data, shards, the parameters of the best epoch, averaged gradients, what is shown at
//! work, and loops around it all.

use super::super::random::Random;
use super::super::tree::{Program, line};

/// A program with a `train`.
pub fn program(seed: u64) -> Program {
    let mut random = Random::new(seed ^ 0x7EA1);
    let mut program = Program::default();
    let (inputs, outputs) = (1 + random.below(9), 1 + random.below(4));
    let classes = random.chance(40) && outputs > 1;
    if random.chance(30) {
        program.directives.push("precision = f64".into());
    }
    let mut layers = Vec::new();
    for _ in 0..random.below(4) {
        let width = *random.one_of(&[1, 2, 3, 5, 8, 9, 16, 17]);
        let bias = if random.chance(20) { ", bias = false" } else { "" };
        layers.push(format!("Linear({width}{bias})"));
        if random.chance(70) {
            layers.push((*random.one_of(&ACTIVATIONS)).to_owned());
        }
        if random.chance(25) {
            layers.push((*random.one_of(&["BatchNorm1d()", "LayerNorm()", "Dropout(0.3)"])).to_owned());
        }
    }
    layers.push(format!("Linear({outputs})"));
    let model = format!("model Net(x: [B, {inputs}]) -> [B, {outputs}] {{ x |> {} }}", layers.join(" |> "));
    program.items.push(line(&model, Vec::new()));
    let batch = *random.one_of(&[1, 2, 3, 4, 5, 8]);
    // A batch of one row has no variance: no batch normalisation for such.
    let whole_batches = model.contains("BatchNorm");
    let batch = if whole_batches { batch.max(2) } else { batch };
    let rows = if whole_batches { 3 * batch } else { *random.one_of(&[4, 5, 8, 16, 17, 33]) };
    let target = if classes {
        format!(
            "y: class({outputs}) = clamp(int(floor(uniform(0, {outputs}, shape = []))), 0, {})",
            outputs - 1
        )
    } else {
        format!("y: [{outputs}] = uniform(-1, 1)")
    };
    let fields = fields(&mut random, inputs, rows);
    let data = format!("data d {{\n    seed = {}\n{fields}\n    {target}\n}}", random.below(100));
    program.items.push(line(&data, Vec::new()));
    let loss = if classes { *random.one_of(&CLASS_LOSSES) } else { *random.one_of(&LOSSES) };
    let loss = loss.replace("CLASSES", &outputs.to_string());
    // What changes inputs at random does so in each row by itself.
    let changed = *random.one_of(&["x", "x", "x", "random_noise(x)", "random_flip(x, p = 0.3)", "tanh(x)"]);
    let loss = loss.replace("Net(x)", &format!("Net({changed})"));
    let loss = loss.as_str();
    let length = if random.chance(50) { "epochs = 2" } else { "steps = 5" };
    let mut lines = vec!["data = d".to_owned()];
    let others = others(&mut random, &mut program, &model, inputs);
    let loss = &format!("{loss}{}", others.term);
    lines.extend(others.lines);
    lines.extend(minimised(&mut random, &mut program, &model, &layers, loss));
    lines.extend([format!("batch = {batch}"), length.to_owned()]);
    if random.chance(30) {
        lines.push("shuffle = false".into());
    }
    if random.chance(15) && layers.len() > 1 {
        lines.push("freeze = [\"linear1\"]".into());
    }
    lines.extend(judged(&mut random));
    lines.extend(watched(&mut random));
    let train = format!("train {{\n    {}\n}}", lines.join("\n    "));
    program.actions.push(line(&repeated(&mut random, train, &lines), Vec::new()));
    program
}

/// What is shown while a training is at work, and steps whose gradients are averaged: neither may change how it is
/// resumed.
fn watched(random: &mut Random) -> Vec<String> {
    let mut lines = Vec::new();
    if random.chance(20) {
        lines.push(format!("accumulate = {}", 1 + random.below(3)));
    }
    if random.chance(20) {
        let interval = *random.one_of(&["epoch", "2 epochs", "step", "3 steps"]);
        let shown = *random.one_of(&[
            "print \"{step} {epoch}\", mean(Net(d.x))",
            "plot mean(Net(d.x), axis = 1)",
            "expect mean(Net(d.x)) == mean(Net(d.x))",
        ]);
        lines.push(format!("every {interval} {{ {shown} }}"));
    }
    lines
}

/// Sometimes a training is carried out in each turn of a loop, from where the turn before ended or anew.
fn repeated(random: &mut Random, train: String, lines: &[String]) -> String {
    if !random.chance(20) {
        return train;
    }
    let is_seeded = lines.iter().any(|line| line.starts_with("seed"));
    let mut inner = train.trim_end_matches('}').to_owned();
    if random.chance(50) {
        inner.push_str("    init = anew\n");
    }
    if !is_seeded && random.chance(30) {
        inner.push_str("    seed = 10 + turn\n");
    }
    format!("for turn in 0..2 {{\n{inner}}}\n}}")
}

/// The rows and the inputs: drawn row by row, or windows over a series.
fn fields(random: &mut Random, inputs: usize, rows: usize) -> String {
    if random.chance(20) {
        let shift = random.below(3);
        let rows = rows + inputs + shift - 1;
        return format!(
            "    rows = {rows}\n    level: [] = standardize(normal(3, 2))\n    x: [{inputs}] = window(level, {inputs}, shift = {shift})"
        );
    }
    format!("    rows = {rows}\n    x: [{inputs}] = normal(0, 1)")
}

/// What a training has beside its network and its data.
#[derive(Default)]
struct Others {
    lines: Vec<String>,
    /// What is added to the loss.
    term: String,
}

/// Further data, shards, or an equation that is solved.
fn others(random: &mut Random, program: &mut Program, model: &str, inputs: usize) -> Others {
    let is_plain = !model.contains("BatchNorm") && !model.contains("Dropout");
    match random.below(10) {
        0 | 1 if is_plain => {
            let rows = *random.one_of(&[1, 3, 7, 16]);
            let data = format!("data e {{\n    rows = {rows}\n    x: [{inputs}] = uniform(-1, 1)\n}}");
            program.items.push(line(&data, Vec::new()));
            let option = *random.one_of(&["", ", batch = 4", ", batch = 9, shuffle = false"]);
            Others {
                lines: vec![format!("data u = e{option}")],
                term: " + 0.1 * mean(Net(u.x)^2)".to_owned(),
            }
        }
        2 if is_plain => {
            Others { lines: vec![format!("shards = {}", 1 + random.below(4))], term: String::new() }
        }
        3 => {
            let cell = "model Cell(z: [B, 3], x: [B, 3]) -> [B, 3] { tanh(0.3 * Linear(3)(z) + x) }";
            program.items.push(line(cell, Vec::new()));
            let given = "fn settled(x: [B, n]) -> [B, 3] {\n    given = Given(x)\n    \
                         fixed_point(Cell, Cell.parameters, given, zeros([B, 3]), steps = 20)\n}";
            let to_three = format!("model Given(x: [B, {inputs}]) -> [B, 3] {{ x |> Linear(3) |> tanh }}");
            program.items.push(line(&to_three, Vec::new()));
            program.items.push(line(given, Vec::new()));
            Others { lines: Vec::new(), term: " + 0.1 * mean(settled(x)^2)".to_owned() }
        }
        _ => Others::default(),
    }
}

/// Settings that end a training early, and say which parameters are there at its end.
fn judged(random: &mut Random) -> Vec<String> {
    if !random.chance(30) {
        return Vec::new();
    }
    let mut lines = vec!["validate = d".to_owned()];
    lines.push((*random.one_of(&["keep = best", "keep = best", "stop = patience(1)"])).to_owned());
    if random.chance(50) {
        lines.push(format!("validate_every = {}", 1 + random.below(3)));
    }
    lines
}

/// The lines of a training that say what is minimized, by whom, and what else is computed in a step.
fn minimised(
    random: &mut Random,
    program: &mut Program,
    model: &str,
    layers: &[String],
    loss: &str,
) -> Vec<String> {
    let optimizer = *random.one_of(&OPTIMIZERS);
    let clip = *random.one_of(&["", "", ", clip_norm = 1", ", clip_value = 0.1"]);
    let other = model.replacen("Net(", "Other(", 1);
    // A network that normalises by batches has no value for other parameters that is worth comparing.
    let is_plain = !model.contains("BatchNorm");
    match random.below(10) {
        0 | 1 => {
            let part =
                *random.one_of(&["vectors", "\"*.bias\"", "Net.linear1", "Net.linear1.weight", "matrices"]);
            let part = if model.contains("bias = false") { "Net.linear1.weight" } else { part };
            let second = if random.chance(20) { "none" } else { random.one_of(&OPTIMIZERS) };
            // Nothing is left to train where a group is all there is.
            let second = if layers.len() == 1 { *random.one_of(&OPTIMIZERS) } else { second };
            vec![format!("minimize {loss} with {optimizer} over {part} with {second}{clip}")]
        }
        2 if is_plain => {
            program.items.push(line(&other, Vec::new()));
            let second = random.one_of(&OPTIMIZERS);
            vec![
                format!("minimize {loss} with {optimizer} over Net{clip}"),
                format!("minimize mse(Other(x), Net(x)) with {second} over Other"),
            ]
        }
        3 if is_plain => {
            program.items.push(line(&other, Vec::new()));
            vec![
                "init Other = Net".to_owned(),
                format!("minimize {loss} with {optimizer} over Net{clip}"),
                "Other <- 0.9 * Other + 0.1 * Net".to_owned(),
            ]
        }
        4 if is_plain && !model.contains("Dropout") => {
            let sharp = format!(
                "fn sharp(x, y) {{\n    w = Net.parameters\n    g = stop_gradient(grad({loss}, w))\n    {loss} at w + 0.05 / (0.01 + norm(g)) * g\n}}"
            );
            program.items.push(line(&sharp, Vec::new()));
            vec![format!("minimize sharp(x, y) with {optimizer}{clip}")]
        }
        _ => vec![format!("minimize {loss} with {optimizer}{clip}")],
    }
}

const ACTIVATIONS: [&str; 8] = ["relu", "tanh", "sigmoid", "gelu", "silu", "softplus", "elu", "leaky_relu"];

const CLASS_LOSSES: [&str; 4] = [
    "cross_entropy(Net(x), y)",
    "cross_entropy(Net(x), y, smoothing = 0.1)",
    "cross_entropy(Net(x), y, weight = balanced(d.y, CLASSES))",
    "mean(straight_through(one_hot(argmax(Net(x), axis = 1), CLASSES), softmax(Net(x))) * one_hot(y, CLASSES))",
];

const LOSSES: [&str; 4] = ["mse(Net(x), y)", "l1(Net(x), y)", "huber(Net(x), y)", "mean((Net(x) - y)^2)"];

const OPTIMIZERS: [&str; 18] = [
    "SGD(lr = 0.1)",
    "SGD(lr = 0.1, momentum = 0.9)",
    "SGD(lr = 0.1, momentum = 0.9, nesterov = true)",
    "SGD(lr = 0.1, weight_decay = 0.01)",
    "Adam(lr = 0.01)",
    "Adam(lr = 0.01, amsgrad = true)",
    "AdamW(lr = 0.01)",
    "Adagrad(lr = 0.1)",
    "Adadelta(lr = 1.0)",
    "RMSprop(lr = 0.01)",
    "RMSprop(lr = 0.01, momentum = 0.9, centered = true)",
    "NAdam(lr = 0.01)",
    "RAdam(lr = 0.01)",
    "Adamax(lr = 0.01)",
    "Rprop(lr = 0.01)",
    "Lion(lr = 0.001)",
    "Adam(lr = cosine(0.1, warmup = 2, total = 9))",
    "SGD(lr = step_decay(0.1, every = 2, gamma = 0.5))",
];
