//! A whole piece of work, as a user does it: from a csv file to predictions in another, kept and compared.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

#[path = "support/folder.rs"]
mod folder;

use folder::{Folder, errors};

/// The apples of `models/data/apples.csv`: the first 120 to train on, the others as new ones of unknown kind.
fn apples(folder: &Folder) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/data/apples.csv");
    let text = fs::read_to_string(path).expect("apples");
    let lines: Vec<&str> = text.lines().collect();
    folder.write("apples.csv", &format!("{}\n", lines[..121].join("\n")));
    let without = |line: &str| line.rsplit_once(',').expect("fields").0.to_owned();
    let new: Vec<String> =
        std::iter::once(without(lines[0])).chain(lines[121..].iter().map(|it| without(it))).collect();
    folder.write("new.csv", &format!("{}\n", new.join("\n")));
    lines[121..].iter().map(|line| line.rsplit_once(',').expect("fields").1.to_owned()).collect()
}

/// Names, an id and missing values: from the csv file to predictions in five commands.
#[test]
fn five_commands() {
    let folder = Folder::new("five");
    let kinds = apples(&folder);
    folder.nnc(&["init", "apples.csv"]);
    let program = folder.read("apples.nn");
    assert!(program.contains("fill(columns(\"weight\", \"sweetness\", \"red\"), mean)"), "{program}");
    assert!(program.contains("Left out: \"id\" counts the rows"), "{program}");
    let shown = folder.nnc(&["data", "apples.nn"]);
    assert!(shown.contains("sweetness") && shown.contains("missing"), "{shown}");
    folder.nnc(&["run", "apples.nn"]);
    let run = "runs/apples-1";
    for name in
        ["program.nn", "run.json", "metrics.csv", "best.safetensors", "last.safetensors", "report.html"]
    {
        assert!(folder.0.join(run).join(name).is_file(), "{name}");
    }
    let judged = folder.nnc(&["eval", run]);
    assert!(judged.contains("precision") && judged.contains("Citra"), "{judged}");
    folder.nnc(&["predict", run, "new.csv", "--keep", "id", "-o", "out.csv"]);
    let predicted = folder.read("out.csv");
    let mut lines = predicted.lines();
    assert_eq!(lines.next(), Some("id,kind,p(Ambra),p(Bella),p(Citra)"));
    let right = lines.zip(&kinds).filter(|(line, kind)| line.split(',').nth(1) == Some(kind)).count();
    assert!(right * 10 > kinds.len() * 7, "{right} of {}", kinds.len());
}

/// Nothing is learnt from the new file, and nothing needs the old one: one row and all rows give the same bits, from
/// a file and from a pipe, by another process without the training data.
#[test]
fn what_was_learnt_is_kept() {
    let folder = Folder::new("kept");
    apples(&folder);
    folder.nnc(&["init", "apples.csv"]);
    folder.nnc(&["run", "apples.nn", "--epochs", "20", "--save", "w.safetensors"]);
    assert!(!folder.0.join("runs").exists(), "with --save no folder is kept");
    fs::remove_file(folder.0.join("apples.csv")).expect("removed");
    let predict = ["predict", "apples.nn", "--weights", "w.safetensors"];
    let all = folder.nnc(&[&predict[..], &["new.csv"]].concat());
    let new = folder.read("new.csv");
    let rows: Vec<&str> = new.lines().collect();
    let predicted: Vec<&str> = all.lines().collect();
    assert_eq!(predicted.len(), rows.len());
    for at in [1, 2, rows.len() - 1] {
        let one = folder.on(&format!("{}\n{}\n", rows[0], rows[at]), &[&predict[..], &["-"]].concat());
        assert_eq!(one.lines().nth(1), Some(predicted[at]));
    }
    // Columns in another order, and others beside them.
    let swapped: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<&str> = row.split(',').collect();
            format!("{},\"a, b\",{},{},{}", cells[4], cells[3], cells[2], cells[1])
        })
        .collect();
    let text = swapped.join("\n");
    assert_eq!(folder.on(&text, &[&predict[..], &["-"]].concat()), all);
    // Lines of JSON.
    let json: Vec<String> = rows[1..]
        .iter()
        .map(|row| {
            let cells: Vec<&str> = row.split(',').collect();
            let number = |text: &str| text.parse::<f64>().map_or("null".to_owned(), |it| it.to_string());
            let (weight, sweetness, red) = (number(cells[2]), number(cells[3]), number(cells[4]));
            format!(
                "{{\"orchard\": \"{}\", \"weight\": {weight}, \"sweetness\": {sweetness}, \"red\": {red}}}",
                cells[1]
            )
        })
        .collect();
    let of_json = [&predict[..], &["-", "--from", "jsonl"]].concat();
    assert_eq!(folder.on(&json.join("\n"), &of_json), all);
}

/// A row that is written into a pipe comes back before the next one is written.
#[test]
fn rows_of_a_pipe_are_answered_one_by_one() {
    let folder = Folder::new("pipe");
    apples(&folder);
    folder.nnc(&["init", "apples.csv"]);
    folder.nnc(&["run", "apples.nn", "--epochs", "2", "--out", "kept"]);
    let new = folder.read("new.csv");
    let mut rows = new.lines();
    let mut command = folder.command(&["predict", "kept", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("nnc starts");
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    writeln!(input, "{}", rows.next().expect("a header")).expect("written");
    for (number, row) in rows.take(3).enumerate() {
        writeln!(input, "{row}").expect("written");
        if number == 0 {
            assert!(output.next().expect("a line").expect("a text").starts_with("kind,"));
        }
        assert!(output.next().expect("a line").expect("a text").contains("0."));
    }
    drop(input);
    assert!(output.next().is_none());
    assert!(child.wait().expect("nnc ends").success());
}

/// A column that gives the answer away, and columns of different scale, are told; and the words of data have a page.
#[test]
fn odd_columns_are_told() {
    let folder = Folder::new("odd");
    let rows: Vec<String> = (0..40)
        .map(|at| {
            let kind = if at % 3 == 0 { "ill" } else { "well" };
            let ward = if at % 3 == 0 { 12 } else { 4 };
            format!("{},{},{ward},{kind}", 20 + at * 7 % 50, 1_000_000 + at * 999 % 77_777)
        })
        .collect();
    folder.write("p.csv", &format!("age,income,ward,state\n{}\n", rows.join("\n")));
    let program = "data p = csv(\"p.csv\") {
    x: [3] = columns(\"age\", \"income\", \"ward\")
    state: class(2) = column(\"state\")
}
model Net(x: [B, 3]) -> [B, 2] { x |> Linear(2) }
train {
    data = p
    minimize cross_entropy(Net(x), state) with SGD(lr = 0.1)
    epochs = 1
}
";
    folder.write("p.nn", program);
    let shown = folder.nnc(&["data", "p.nn"]);
    assert!(shown.contains("odd: `ward` says by itself what `state` is"), "{shown}");
    assert!(!shown.contains("`age` says"), "{shown}");
    assert!(shown.contains("`income` up to") && shown.contains("beside `ward` up to 12"), "{shown}");
    folder.write(
        "q.nn",
        &program.replace(
            "columns(\"age\", \"income\", \"ward\")",
            "standardize(columns(\"age\", \"income\", \"ward\"))",
        ),
    );
    assert!(!folder.nnc(&["data", "q.nn"]).contains("up to"));
    for (word, says) in [
        ("category", "n - 1 of them"),
        ("window", "rows"),
        ("patience", "stop"),
        ("stratify", "split"),
        ("csv", "header = …"),
    ] {
        let page = folder.nnc(&["doc", word]);
        assert!(page.contains(says), "{word}: {page}");
    }
}

/// The best parameters are kept at the end, and a training that is gone on with after its end has the last ones.
#[test]
fn the_best_epoch_is_kept() {
    let folder = Folder::new("best");
    let program = "data line {
    x = [[0.0], [1.0], [2.0], [3.0]]
    y = [[1.0], [3.0], [5.0], [7.0]]
    split train = 0.5, test = 0.5, in_order = true
}
model Line(x: [B, 1]) -> [B, 1] { x |> Linear(1) }
optimizer Away(lr = 0.5) {
    state sum = 0
    sum <- 0.5 * sum + grad
    param <- param - lr * (if step <= 20 then sum else -sum)
}
train {
    data     = line.train
    minimize mse(Line(x), y) with Away(lr = 0.1)
    validate = line.test
    measure  near = 1 / (1 + l1(Line(x), y))
    batch    = 2
    epochs   = 40
    keep     = best(by = \"near\", greatest = true)
}
print Line.linear1.weight, Line.linear1.bias
";
    folder.write("line.nn", program);
    let whole = folder.nnc(&["run", "line.nn", "--quiet", "--save", "whole.safetensors"]);
    let last = folder.nnc(&["run", "line.nn", "--quiet", "--epochs", "39"]);
    assert_eq!(whole, last, "an epoch that is worse changes nothing");
    // Broken off before and after the best, and gone on with.
    for epochs in ["7", "30"] {
        folder.nnc(&["run", "line.nn", "--quiet", "--epochs", epochs, "--save", "part.safetensors"]);
        let rest =
            ["run", "line.nn", "--quiet", "--resume", "part.safetensors", "--save", "rest.safetensors"];
        assert_eq!(folder.nnc(&rest), whole, "{epochs}");
        let file = |name: &str| fs::read(folder.0.join(name)).expect("a file");
        assert!(file("rest.safetensors") == file("whole.safetensors"), "{epochs}");
    }
    let kept = folder.command(&["run", "line.nn", "--no-save"]).output().expect("nnc starts");
    assert!(String::from_utf8_lossy(&kept.stdout).contains("kept is epoch 28"), "{kept:?}");
    folder.write(
        "patient.nn",
        &program.replace(
            "keep ",
            "validate_every = 2\n    stop = patience(3, by = \"near\", greatest = true)\n    keep ",
        ),
    );
    let stopped = folder.nnc(&["run", "patient.nn", "--no-save"]);
    assert!(
        stopped.contains("stopped") && stopped.contains("step 10/40") && !stopped.contains("step 12/40"),
        "{stopped}"
    );
}

/// What does not fit is an error with its place.
#[test]
fn wrong_input_is_told_with_its_place() {
    let folder = Folder::new("wrong");
    apples(&folder);
    folder.nnc(&["init", "apples.csv"]);
    // Classes of names without one for all others.
    let program = folder.read("apples.nn");
    let (before, after) = program.split_once("category(column(\"orchard\"))").expect("a category");
    folder.write(
        "apples.nn",
        &format!("{before}column(\"orchard\", names = [\"hill\", \"lake\", \"valley\", \"\"]){after}"),
    );
    folder.nnc(&["run", "apples.nn", "--epochs", "2", "--out", "kept"]);
    let predict = |name: &str, text: &str| {
        folder.write(name, text);
        folder.fails(&["predict", "kept", name])
    };
    let said = predict("a.csv", "orchard,weight,sweetness,red\nhill,150,12,0.5\nmoon,150,12,0.5\n");
    assert!(said.contains("E0754") && said.contains("a.csv:3:1") && said.contains("moon"), "{said}");
    let said = predict("b.csv", "orchard,weight,red\nhill,150,0.5\n");
    assert!(said.contains("E0708") && said.contains("sweetness"), "{said}");
    let said = predict("c.csv", "orchard,weight,sweetness,red\nhill,150,12,dark\n");
    assert!(said.contains("E0706") && said.contains("c.csv:2:13"), "{said}");
    let said = predict("d.csv", "orchard,weight,sweetness,red\nhill,150,12\n");
    assert!(said.contains("E0707") && said.contains("d.csv:2"), "{said}");
    let said = folder.fails(&["predict", "apples.nn", "new.csv"]);
    assert!(said.contains("E0774"), "{said}");
    let said = folder.fails(&["predict", "kept", "new.csv", "--model", "Nett"]);
    assert!(said.contains("E0771") && said.contains("`Net`"), "{said}");
    let said = folder.fails(&["resume", "."]);
    assert!(said.contains("E0776"), "{said}");
    let said = folder.fails(&["run", "apples.nn", "--out", "kept"]);
    assert!(said.contains("E0776"), "{said}");
}

/// What cannot be predicted is told before anything is read.
#[test]
fn what_cannot_be_predicted_is_told() {
    let folder = Folder::new("cannot");
    folder.write("t.csv", "a,b,y\n1,2,3\n2,1,5\n3,5,4\n4,4,9\n");
    let data =
        "data t = csv(\"t.csv\") {\n    x: [2] = columns(\"a\", \"b\")\n    y: [1] = column(\"y\")\n}\n";
    let rest = "model Net(x: [B, 2]) -> [B, 1] { x |> Linear(1) }\ntrain {\n    data = t\n    \
                minimize mse(Net(x), y) with SGD(lr = 0.01)\n    batch = 4\n    epochs = 2\n}\n";
    let run = |name: &str, data: &str| {
        folder.write(&format!("{name}.nn"), &format!("{data}{rest}"));
        folder.nnc(&["run", &format!("{name}.nn"), "--save", &format!("{name}.safetensors")]);
    };
    let predict = |program: &str, weights: &str, input: &str| {
        folder.fails(&[
            "predict",
            &format!("{program}.nn"),
            "--weights",
            &format!("{weights}.safetensors"),
            input,
        ])
    };
    run("plain", data);
    let by_number = data.replace("columns(\"a\", \"b\")", "columns(0:2)");
    run("number", &by_number);
    folder.write("new.jsonl", "{\"a\": 1, \"b\": 2}\n");
    let said = predict("number", "number", "new.jsonl");
    assert!(said.contains("E0775"), "{said}");
    // The statistic that the program asks for is not the one that was kept.
    run("mean", &data.replace("columns(\"a\", \"b\")", "standardize(columns(\"a\", \"b\"))"));
    folder.write(
        "other.nn",
        &folder
            .read("mean.nn")
            .replace("standardize(columns(\"a\", \"b\"))", "standardize(2 * columns(\"a\", \"b\"))"),
    );
    let said = predict("other", "mean", "t.csv");
    assert!(said.contains("E0772"), "{said}");
    run("random", &data.replace("columns(\"a\", \"b\")", "columns(\"a\", \"b\") + 0.1 * normal()"));
    let said = predict("random", "random", "t.csv");
    assert!(said.contains("E0773"), "{said}");
    folder.write("formula.nn", "print 1 + 1\n");
    let said = folder.fails(&["predict", "formula.nn", "t.csv"]);
    assert!(said.contains("E0770"), "{said}");
    // Other names than those of the start are learnt anew, and that is told.
    let names = "data t = csv(\"n.csv\") {\n    x: class(2) = column(\"n\")\n    y: [1] = column(\"y\")\n}\n";
    let of_names = rest.replace("x: [B, 2]", "x: int[B]").replace("x |> Linear", "one_hot(x, 2) |> Linear");
    folder.write("names.nn", &format!("{names}{of_names}"));
    folder.write("n.csv", "n,y\nred,1\nblue,2\n");
    folder.nnc(&["run", "names.nn", "--save", "names.safetensors"]);
    folder.write("n.csv", "n,y\ngreen,1\nblack,2\n");
    let start = ["run", "names.nn", "--no-save", "--init", "names.safetensors"];
    let output = folder.command(&start).output().expect("nnc starts");
    assert!(output.status.success() && errors(&output).contains("W0617"), "{}", errors(&output));
    // Where no folder can be made, the run goes on without.
    folder.write("runs", "a file");
    let output = folder.command(&["run", "plain.nn"]).output().expect("nnc starts");
    assert!(output.status.success() && errors(&output).contains("W0616"), "{}", errors(&output));
}

/// A file of parameters without what was learnt, as older versions wrote it, works with the training data, and says
/// so.
#[test]
fn older_files_of_parameters_work() {
    let folder = Folder::new("older");
    apples(&folder);
    folder.nnc(&["init", "apples.csv"]);
    folder.nnc(&["run", "apples.nn", "--epochs", "5", "--save", "w.safetensors"]);
    let bytes = fs::read(folder.0.join("w.safetensors")).expect("a file");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("a length")) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    header["__metadata__"].as_object_mut().expect("metadata").remove("nnc.learnt").expect("what was learnt");
    let text = header.to_string();
    let mut old = (text.len() as u64).to_le_bytes().to_vec();
    old.extend(text.as_bytes());
    old.extend(&bytes[8 + length..]);
    fs::write(folder.0.join("old.safetensors"), old).expect("a file");
    let predict = |weights: &str| {
        let output = folder.command(&["predict", "apples.nn", "--weights", weights, "new.csv"]).output();
        let output = output.expect("nnc starts");
        assert!(output.status.success(), "{}", errors(&output));
        (String::from_utf8_lossy(&output.stdout).into_owned(), errors(&output))
    };
    let (new, old) = (predict("w.safetensors"), predict("old.safetensors"));
    assert_eq!(new.0, old.0);
    assert!(new.1.is_empty() && old.1.contains("W0615"), "{} {}", new.1, old.1);
    fs::remove_file(folder.0.join("apples.csv")).expect("removed");
    let said = folder.fails(&["predict", "apples.nn", "--weights", "old.safetensors", "new.csv"]);
    assert!(said.contains("E0701") && said.contains("has not kept"), "{said}");
}

/// The loss says what results mean: scores, probabilities, yes or no, numbers.
#[test]
fn the_loss_says_what_results_mean() {
    let folder = Folder::new("meaning");
    folder.write("t.csv", "a,b,kind,yes,size\n1,2,u,1,3\n2,1,v,0,5\n3,5,u,1,4\n4,4,v,0,9\n");
    let program = |result: &str, tail: &str, loss: &str| {
        format!(
            "data t = csv(\"t.csv\") {{\n    x: [2] = columns(\"a\", \"b\")\n    kind: class(2) = column(\"kind\")\n    \
             yes: [1] = column(\"yes\")\n    size: [1] = column(\"size\")\n}}\nmodel Net(x: [B, 2]) -> [B, {result}] \
             {{ x |> Linear({result}){tail} }}\ntrain {{\n    data = t\n    minimize {loss} with SGD(lr = 0.01)\n    \
             batch = 4\n    epochs = 3\n}}\n"
        )
    };
    let header = |name: &str, text: &str| {
        folder.write(&format!("{name}.nn"), text);
        folder.nnc(&["run", &format!("{name}.nn"), "--out", name]);
        folder.nnc(&["predict", name, "t.csv"]).lines().next().unwrap_or_default().to_owned()
    };
    let scores = program("2", "", "cross_entropy(Net(x), kind)");
    assert_eq!(header("scores", &scores), "kind,p(u),p(v)");
    let shares = program("2", " |> softmax", "mean(-log(sum(Net(x) * one_hot(kind, 2), axis = 1)))");
    assert_eq!(header("shares", &shares), "kind,p(u),p(v)");
    let hinge = program("2", "", "multi_margin(Net(x), kind)");
    assert_eq!(header("hinge", &hinge), "kind,score(u),score(v)");
    let truth = program("1", "", "binary_cross_entropy(Net(x), yes)");
    assert_eq!(header("truth", &truth), "yes,p(yes)");
    let numbers = program("1", "", "mse(Net(x), size)");
    assert_eq!(header("numbers", &numbers), "size");
    let two = program("2", "", "mse(Net(x), x)");
    assert_eq!(header("two", &two), "x[0],x[1]");
}

/// Rows of metrics without the time that they took.
fn timeless(text: &str) -> Vec<String> {
    let without = |line: &str| {
        let cells = line.split(',').enumerate().filter(|(at, _)| *at != 2).map(|(_, cell)| cell);
        cells.collect::<Vec<&str>>().join(",")
    };
    text.lines().map(without).collect()
}

/// Broken off and gone on with, and carried out again: the same bits.
#[test]
fn runs_go_on_and_come_out_the_same() {
    let folder = Folder::new("runs");
    apples(&folder);
    folder.nnc(&["init", "apples.csv"]);
    folder.nnc(&["run", "apples.nn", "--epochs", "30", "--seed", "3"]);
    folder.nnc(&["run", "apples.nn", "--epochs", "30", "--seed", "4", "--set", "train.batch=16"]);
    let said = folder.nnc(&["rerun", "runs/apples-2"]);
    assert!(said.contains("the same bits"), "{said}");
    let table = folder.nnc(&["runs"]);
    assert!(table.contains("runs/apples-2") && table.contains("validation loss"), "{table}");
    assert!(
        table.lines().next().is_some_and(|line| line.contains("batch") && line.contains("seed")),
        "{table}"
    );
    let csv = folder.nnc(&["runs", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 3, "{csv}");
    // As if it had been broken off after 10 epochs: what was kept then, and rows of metrics behind it.
    folder.nnc(&["run", "apples.nn", "--epochs", "10", "--seed", "3", "--save", "ten.safetensors"]);
    let run = folder.0.join("runs/apples-1");
    let whole = fs::read(run.join("last.safetensors")).expect("a file");
    let metrics = folder.read("runs/apples-1/metrics.csv");
    fs::copy(folder.0.join("ten.safetensors"), run.join("last.safetensors")).expect("copied");
    let info = folder.read("runs/apples-1/run.json").replace("\"finished\"", "\"running\"");
    folder.write("runs/apples-1/run.json", &info);
    folder.nnc(&["resume", "runs/apples-1"]);
    assert!(whole == fs::read(run.join("last.safetensors")).expect("a file"), "other bits");
    assert_eq!(timeless(&metrics), timeless(&folder.read("runs/apples-1/metrics.csv")));
    assert!(folder.nnc(&["rerun", "runs/apples-1"]).contains("the same bits"));
    folder.write("apples.csv", &folder.read("apples.csv").replacen("0.47", "0.48", 1));
    let said = folder.fails(&["rerun", "runs/apples-1"]);
    assert!(said.contains("E0777") && said.contains("apples.csv"), "{said}");
}

/// A running mean of a network predicts and is evaluated under its own name, with its own parameters.
#[test]
fn a_running_mean_predicts() {
    let folder = Folder::new("mean");
    let rows: Vec<String> = (0..120)
        .map(|at| (f64::from(at * 37 % 100) / 50.0 - 1.0, f64::from(at * 61 % 100) / 50.0 - 1.0))
        .map(|(a, b)| format!("{a},{b},{}", if a + b > 0.0 { "above" } else { "below" }))
        .collect();
    folder.write("d.csv", &rows.join("\n"));
    let program = "data d = csv(\"d.csv\") {
    x: [2] = columns(0:2)
    side: class(2) = column(2)
    split train = 0.8, test = 0.2
}
layer Body()(x: [B, 2]) -> [B, 2] { x |> Linear(8) |> tanh |> Linear(2) }
model Net(x: [B, 2]) -> [B, 2] { x |> Body() }
model Average(x: [B, 2]) -> [B, 2] { x |> Body() }
model Other(x: [B, 2]) -> [B, 2] { x |> Linear(2) }
train {
    data     = d.train
    init Average = Net
    minimize cross_entropy(Net(x), side) with Adam(lr = 0.02)
    Average <- 0.98 * Average + 0.02 * Net
    validate = d.test
    epochs   = 10
}
print softmax(Average([[0.2, 0.1]]))[0], softmax(Net([[0.2, 0.1]]))[0], Other([[0, 0]])
";
    folder.write("d.nn", program);
    let printed = folder.nnc(&["run", "d.nn", "--out", "r", "--quiet"]);
    let numbers = |text: &str| -> Vec<f64> {
        text.split([' ', '[', ']', ',', '\n']).filter_map(|word| word.parse().ok()).collect()
    };
    let (printed, new) = (numbers(&printed), "0.2,0.1\n");
    let predicted = |model: &str| {
        let out = folder.on(new, &["predict", "r", "-", "--weights", "r/last.safetensors", "--model", model]);
        numbers(out.lines().nth(1).expect("a row"))
    };
    for (model, at) in [("Average", 0), ("Net", 2)] {
        let found = predicted(model);
        for (found, printed) in found.iter().zip(&printed[at..at + 2]) {
            assert!((found - printed).abs() < 1e-3, "{model}: {found} is not {printed}");
        }
    }
    assert!((printed[0] - printed[2]).abs() > 0.02, "they do not differ: {printed:?}");
    let judged =
        |model: &str| folder.nnc(&["eval", "r", "--weights", "r/last.safetensors", "--model", model]);
    assert_ne!(judged("Average"), judged("Net"));
    assert!(folder.fails(&["predict", "r", "d.csv", "--model", "Other"]).contains("E0771"));
}
