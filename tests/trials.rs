//! Tables as people have them, from `nnc init` to predictions; many trainings at once; a new head on old layers.

#[path = "support/folder.rs"]
mod folder;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use folder::Folder;

/// Orders with an id, dates, names, decimal commas, missing values and missing answers.
fn orders(folder: &Folder) {
    let cities = ["Rome", "Bern", "Oslo", "Rome", "Bern", "Rome", "Cairo"];
    let mut text = String::from("id;day;city;price;age;late\n");
    for row in 0..280u64 {
        // A sequence that repeats after a prime number of rows.
        let number = row * row % 251;
        let city = cities[(number % 7) as usize];
        let price = 500.0 + 17.25 * number as f64;
        let age = if row % 11 == 0 { String::new() } else { (18 + number % 60).to_string() };
        let late = price > 2500.0 || city == "Cairo";
        let late = if row % 40 == 7 { "" } else { ["no", "yes"][usize::from(late)] };
        let price = format!("{price:.2}").replace('.', ",");
        let price = match price.len() {
            7 => format!("{}.{}", &price[..1], &price[1..]),
            _ => price,
        };
        text.push_str(&format!(
            "{};{:02}.{:02}.2024;{city};{price};{age};{late}\n",
            row + 1,
            1 + row % 28,
            1 + row % 12
        ));
    }
    folder.write("orders.csv", &text);
}

#[test]
fn a_table_with_dates_names_and_gaps() {
    let folder = Folder::new("orders");
    orders(&folder);
    folder.nnc(&["init", "orders.csv"]);
    let program = folder.read("orders.nn");
    for part in [
        "separator = \";\", decimal = \",\", thousands = \".\"",
        "standardize(date(column(\"day\"), order = \"dmy\"))",
        "city: class(5) = category(column(\"city\"))",
        "drop rows where is_missing(column(\"late\"))",
        "stratify = late",
        "Left out: \"id\" counts the rows",
    ] {
        assert!(program.contains(part), "{part}: {program}");
    }
    let shown = folder.nnc(&["data", "orders.nn"]);
    assert!(shown.contains("dates, written dmy") && shown.contains("fields of 273 rows"), "{shown}");
    folder.nnc(&["run", "orders.nn", "--epochs", "60"]);
    // A page for whoever wants to know what came out, that asks nothing of a network.
    let page = folder.read("runs/orders-1/report.html");
    for part in
        ["are predicted rightly", "class=\"confusion\"", "Learning curves", "linear1 (Linear)", "SHA-256"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http"), "it asks for something");
    // Another process without the training file: one row of a city that nobody has seen, and without the answer.
    fs::remove_file(folder.0.join("orders.csv")).expect("it is there");
    let rows = "day;city;price;age\n01.02.2025;Atlantis;4.000,00;\n01.02.2025;Rome;600,00;40\n";
    let answer = folder.on(rows, &["predict", "runs/orders-1", "-"]);
    let classes: Vec<&str> = answer.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!(classes, ["late", "yes", "no"], "{answer}");
    let alone =
        folder.on("day;city;price;age\n01.02.2025;Rome;600,00;40\n", &["predict", "runs/orders-1", "-"]);
    assert_eq!(alone.lines().nth(1), answer.lines().nth(2));
    // JSON has numbers of its own, whatever the table has.
    let object = "{\"day\": \"01.02.2025\", \"city\": \"Rome\", \"price\": 600.0, \"age\": 40}\n";
    let json = folder.on(object, &["predict", "runs/orders-1", "-", "--from", "jsonl", "--to", "csv"]);
    assert_eq!(json, alone);
}

const APPLES: &str = r#"
data apples = csv("apples.csv") {
    x: [3] = standardize(fill(columns("weight", "sweetness", "red"), median))
    kind: class(3) = column("kind")
    split train = 0.8, test = 0.2, stratify = kind
}
const WIDTH = 8
model Apple(x: [B, 3]) -> [B, 3] { x |> Linear(WIDTH) |> tanh |> Linear(3) }
train {
    data     = apples.train
    minimize cross_entropy(Apple(x), kind) with Adam(lr = 0.02)
    measure  accuracy(Apple(x), kind)
    validate = apples.test
    batch    = 32
    epochs   = 10
}
"#;

fn apples(name: &str) -> Folder {
    let folder = Folder::new(name);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/data/apples.csv");
    folder.write("apples.csv", &fs::read_to_string(path).expect("apples"));
    folder.write("apples.nn", APPLES);
    folder
}

#[test]
fn folds() {
    let folder = apples("folds");
    let table = folder.nnc(&["cv", "apples.nn", "--format", "csv"]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["fold", "epochs", "loss", "accuracy", "validation loss", "validation accuracy"]);
    assert_eq!(
        lines.iter().map(|line| line[0]).collect::<Vec<_>>(),
        ["fold", "1", "2", "3", "4", "5", "mean", "deviation"]
    );
    let number = |line: usize, column: usize| lines[line][column].parse::<f64>().expect("a number");
    for column in 2..6 {
        let mean = (1..6).map(|line| number(line, column)).sum::<f64>() / 5.0;
        assert!((number(6, column) - mean).abs() < 1e-9, "{table}");
    }
    assert!(number(6, 5) > 0.7 && number(7, 4) > 0.0, "{table}");
    // Whatever is carried out at the same time, each fold comes out the same.
    assert_eq!(folder.nnc(&["cv", "apples.nn", "--format", "csv", "--jobs", "1"]), table);
    // A fold by itself: the program that says so.
    folder.write("fold.nn", &APPLES.replace("split train = 0.8, test = 0.2,", "split folds = 5, fold = 3,"));
    folder.nnc(&["run", "fold.nn", "--out", "alone"]);
    let metrics = folder.read("alone/metrics.csv");
    let last: Vec<&str> = metrics.lines().last().expect("epochs").split(',').collect();
    assert_eq!(last[3..], lines[3][2..], "{metrics}");
    let few = folder.nnc(&["cv", "apples.nn", "--folds", "3", "--set", "train.epochs=2", "--format", "json"]);
    assert_eq!(few.lines().count(), 5, "{few}");
    let whole =
        APPLES.replace(", test = 0.2", "").replace("0.8", "1").replace("    validate = apples.test\n", "");
    folder.write("whole.nn", &whole);
    let said = folder.fails(&["cv", "whole.nn"]);
    assert!(said.contains("E0762"), "{said}");
}

/// Folds are kept as runs; their models predict together.
#[test]
fn folders_of_folds() {
    let folder = apples("fold-folders");
    let table = folder.nnc(&["cv", "apples.nn", "--out", "kept", "--format", "csv"]);
    assert_eq!(folder.read("kept/folds.csv"), table);
    assert!(folder.read("kept/fold-3/program.nn").contains("split folds = 5, fold = 3, stratify = kind"));
    assert!(folder.nnc(&["rerun", "kept/fold-2"]).starts_with("the same bits"));
    assert_eq!(folder.nnc(&["cv", "apples.nn", "--no-save", "--format", "csv"]), table);
    assert!(!folder.0.join("runs").exists());

    let p = |model: &str| -> f64 {
        let text = folder.nnc(&["predict", model, "apples.csv"]);
        text.lines()
            .nth(7)
            .and_then(|line| line.split(',').nth(2))
            .expect("a probability")
            .parse()
            .expect("a number")
    };
    let mean = (1..=5).map(|fold| p(&format!("kept/fold-{fold}"))).sum::<f64>() / 5.0;
    assert!((p("kept") - mean).abs() < 1e-6, "{mean}");
    assert!(folder.nnc(&["eval", "kept", "apples.csv"]).contains("the mean of 5 models"));
    let said = folder.fails(&["eval", "kept"]);
    assert!(said.contains("have learnt from other rows"), "{said}");

    // Broken off: one fold is not there, one has not ended.
    fs::remove_dir_all(folder.0.join("kept/fold-5")).expect("it is there");
    let running = folder.read("kept/fold-4/run.json").replace("\"finished\"", "\"running\"");
    folder.write("kept/fold-4/run.json", &running);
    assert_eq!(folder.nnc(&["cv", "apples.nn", "--resume", "kept", "--format", "csv"]), table);

    // Together, each fold on its own rows and with its own statistics: the same but for rounding.
    let output =
        folder.command(&["cv", "apples.nn", "--together", "--jobs", "1", "--out", "together"]).output();
    let said = folder::errors(&output.expect("nnc starts"));
    assert_eq!(said.matches("one of 5 together").count(), 5, "{said}");
    let numbers =
        |text: String| -> Vec<f64> { text.split([',', '\n']).filter_map(|cell| cell.parse().ok()).collect() };
    let (together, alone) = (numbers(folder.read("together/folds.csv")), numbers(table));
    assert_eq!(together.len(), alone.len());
    assert!(
        together.iter().zip(&alone).all(|(a, b)| (a - b).abs() <= 1e-3 * b.abs().max(1.0)),
        "{together:?} {alone:?}"
    );

    // Parts of other names are no folds in the text of a program.
    let named = APPLES.replace("train = 0.8, test = 0.2", "one = 0.8, two = 0.2");
    folder
        .write("named.nn", &named.replace("apples.train", "apples.one").replace("apples.test", "apples.two"));
    let output = folder.command(&["cv", "named.nn", "--folds", "2"]).output().expect("nnc starts");
    assert!(
        output.status.success() && folder::errors(&output).contains("W0720"),
        "{}",
        folder::errors(&output)
    );
}

/// What is tried stands in the program; the best trials predict together.
#[test]
fn a_sweep_in_the_program() {
    let folder = apples("sweep-in-file");
    let sweep = "sweep {\n    lr    in 1e-3..1e-1, log = true\n    WIDTH in [2, 8]\n    trials = 6\n    seed   = 3\n    \
                 by     = \"validation accuracy\"\n    greatest = true\n    keep   = 3\n}\n";
    folder.write("swept.nn", &format!("{APPLES}{sweep}"));
    // A training takes no notice of it.
    folder.nnc(&["run", "swept.nn", "--out", "alone", "--epochs", "1"]);
    let table = folder.nnc(&["sweep", "swept.nn", "--format", "csv", "--out", "many"]);
    let of_options = folder.nnc(&[
        "sweep",
        "apples.nn",
        "lr=1e-3..1e-1:log",
        "WIDTH=2,8",
        "--trials",
        "6",
        "--seed",
        "3",
        "--format",
        "csv",
        "--by",
        "validation accuracy",
        "--greatest",
    ]);
    assert_eq!(table, of_options);
    let best: Vec<&str> =
        table.lines().skip(1).map(|line| line.split(',').next().expect("a trial")).collect();
    let kept = |trial: &str| folder.0.join(format!("many/trial-{trial}")).exists();
    assert!(
        best[..3].iter().all(|trial| kept(trial)) && best[3..].iter().all(|trial| !kept(trial)),
        "{table}"
    );
    // The command line says something else.
    let few =
        folder.nnc(&["sweep", "swept.nn", "lr=0.01", "--points", "2", "--format", "csv", "--by", "loss"]);
    assert_eq!(few.lines().count(), 3, "{few}");

    let numbers = |text: &str| -> Vec<Vec<f64>> {
        let cells = text.lines().skip(1).map(|line| line.split(',').skip(1));
        cells.map(|cells| cells.map(|cell| cell.parse().expect("a probability")).collect()).collect()
    };
    let all = folder.nnc(&["predict", "many", "apples.csv"]);
    let each: Vec<String> = best[..3]
        .iter()
        .map(|trial| folder.nnc(&["predict", &format!("many/trial-{trial}"), "apples.csv"]))
        .collect();
    let (mean, each) = (numbers(&all), each.iter().map(|text| numbers(text)).collect::<Vec<_>>());
    assert_eq!(mean.len(), folder.read("apples.csv").lines().count() - 1);
    for (row, probabilities) in mean.iter().enumerate() {
        for (class, p) in probabilities.iter().enumerate() {
            let expected = each.iter().map(|of_trial| of_trial[row][class]).sum::<f64>() / 3.0;
            assert!((p - expected).abs() < 1e-6, "row {row}: {p} and {expected}");
        }
    }
    // From a pipe, as lines of JSON, and of the best one alone.
    let piped = folder.on(&folder.read("apples.csv"), &["predict", "many", "-"]);
    assert_eq!(piped, all);
    let json = folder.nnc(&["predict", "many", "apples.csv", "--to", "jsonl"]);
    folder.write("again.jsonl", &objects(&folder.read("apples.csv")));
    assert_eq!(folder.nnc(&["predict", "many", "again.jsonl", "--to", "jsonl"]), json);
    let first = folder.nnc(&["predict", "many", "apples.csv", "--best", "1"]);
    assert_eq!(first, folder.nnc(&["predict", &format!("many/trial-{}", best[0]), "apples.csv"]));
    assert!(folder.fails(&["predict", "many", "apples.csv", "--best", "4"]).contains("has 3 trials"));

    let said = folder.fails(&["importance", "many"]);
    assert!(said.contains(&format!("name one of them: `many/trial-{}`", best[0])), "{said}");

    let judged = folder.nnc(&["eval", "many", "--json"]);
    let judged: serde_json::Value = serde_json::from_str(judged.trim()).expect("JSON");
    assert_eq!(judged["models"].as_array().map(Vec::len), Some(3));
    let losses =
        judged["models"].as_array().into_iter().flatten().map(|model| model["summary"]["log loss"].as_f64());
    let mean = losses.map(|loss| loss.expect("a number")).sum::<f64>() / 3.0;
    // The logarithm of a mean is not less than the mean of logarithms.
    assert!(judged["summary"]["log loss"].as_f64().expect("a number") <= mean + 1e-6, "{judged}");
}

/// The rows of a table as objects; empty fields are left out.
fn objects(table: &str) -> String {
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().expect("a header");
    let object = |cells: Vec<&str>| {
        let pairs = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
        let pairs = pairs.map(|(name, cell)| match cell.parse::<f64>() {
            Ok(_) => format!("\"{name}\": {cell}"),
            Err(_) => format!("\"{name}\": \"{cell}\""),
        });
        format!("{{{}}}\n", pairs.collect::<Vec<_>>().join(", "))
    };
    lines.map(object).collect()
}

#[test]
fn thirty_two_members() {
    let folder = apples("sweep");
    let command = [
        "sweep",
        "apples.nn",
        "lr=1e-3..1e-1:log",
        "WIDTH=2..16:int",
        "--trials",
        "32",
        "--keep",
        "4",
        "--format",
        "csv",
    ];
    let table = folder.nnc(&command);
    assert_eq!(folder.read("runs/apples-sweep-1/sweep.csv"), table);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 33);
    assert_eq!(lines[0][..4], ["trial", "lr", "WIDTH", "epoch"]);
    let at = lines[0].iter().position(|name| *name == "validation loss").expect("a loss");
    let losses: Vec<f64> = lines[1..].iter().map(|line| line[at].parse().expect("a number")).collect();
    assert!(losses.is_sorted(), "{losses:?}");
    let kept = fs::read_dir(folder.0.join("runs/apples-sweep-1")).expect("a folder").count();
    assert_eq!(kept, 4 + 3, "four trials, the table, the picture and which trials predict together");
    let picture = folder.read("runs/apples-sweep-1/sweep.svg");
    let lines_of_width =
        |width: &str| picture.matches(&format!("stroke-width=\"{width}\" stroke-linecap")).count();
    assert_eq!((lines_of_width("3"), lines_of_width("1.5")), (1, 31), "a line for each trial");
    // A member is a run like any other, with the bits that it has alone.
    let best = format!("runs/apples-sweep-1/trial-{}", lines[1][0]);
    let program = folder.read(&format!("{best}/program.nn"));
    assert!(program.contains(&format!("lr = {})", lines[1][1])), "{program}");
    assert!(program.contains(&format!("const WIDTH = {}", lines[1][2])), "{program}");
    assert!(folder.nnc(&["rerun", &best]).starts_with("the same bits"));
    folder.nnc(&["predict", &best, "apples.csv"]);
    // The same values whatever is carried out at the same time, others with another seed.
    let again = folder.nnc(&[&command[..], &["--jobs", "1"]].concat());
    assert_eq!(again, table);
    let grid =
        folder.nnc(&["sweep", "apples.nn", "lr=0.1,0.01", "batch=8,16", "epochs=2", "--format", "csv"]);
    assert_eq!(grid.lines().count(), 5, "{grid}");
}

/// Trials that differ in numbers only have code in common, and the bits that each has alone.
#[test]
fn code_in_common() {
    let folder = apples("common");
    folder.nnc(&[&["sweep", "apples.nn", "--out", "common"], &VALUES[..]].concat());
    for trial in 1..=12 {
        let run = format!("common/trial-{trial}");
        assert!(folder.nnc(&["rerun", &run]).starts_with("the same bits"), "{run}");
    }
}

const VALUES: [&str; 4] = ["lr=0.1,0.03,0.01", "seed=1,2", "stop=patience(1),patience(9)", "--jobs=1"];

/// Trained together, trials come out as alone but for rounding; each is kept like any other and ends by itself, early or
/// with an error.
#[test]
fn trials_together() {
    let folder = apples("together");
    let output = |arguments: &[&str]| {
        let output = folder.command(arguments).output().expect("nnc starts");
        let said = folder::errors(&output);
        assert!(output.status.success(), "{said}");
        said
    };
    let sweep = ["sweep", "apples.nn"];
    let said = output(&[&sweep, &VALUES[..], &["--out", "together", "--together"]].concat());
    assert_eq!(said.matches("one of 12 together").count(), 12, "{said}");
    let said = output(&[&sweep, &VALUES[..], &["--out", "alone"]].concat());
    assert!(!said.contains("together"), "{said}");
    let metrics = |sweep: &str, trial: u32| -> Vec<Vec<f64>> {
        let text = folder.read(&format!("{sweep}/trial-{trial}/metrics.csv"));
        let numbers =
            |line: &str| line.split(',').skip(3).map(|cell| cell.parse().expect("a number")).collect();
        text.lines().skip(1).map(numbers).collect()
    };
    for trial in 1..=12 {
        let (together, alone) = (metrics("together", trial), metrics("alone", trial));
        assert_eq!(together.len(), alone.len(), "trial {trial} has as many epochs");
        for (a, b) in together.iter().flatten().zip(alone.iter().flatten()) {
            assert!((a - b).abs() <= 1e-3 * b.abs().max(1.0), "trial {trial}: {a} and {b}");
        }
    }
    let few = (1..=12).filter(|trial| metrics("together", *trial).len() < 10).count();
    assert!(few > 0, "patience ends some of them early");
    folder.nnc(&["predict", "together/trial-1", "apples.csv"]);

    // What goes wrong is told of the trial that it happens to, as its own run tells it.
    let said =
        output(&["sweep", "apples.nn", "lr=0.03,0.02,3e38", "--jobs", "1", "--out", "wild", "--together"]);
    assert!(said.contains("error[E0723]") && said.contains("lr = 0.03; one of 3 together"), "{said}");
    assert!(folder.read("wild/sweep.csv").contains("E0723"));
    assert!(!folder.0.join("wild/trial-3/metrics-2.csv").exists());
}

/// A sweep that is killed and gone on with has the table of one that nobody disturbs.
#[test]
fn a_sweep_that_was_killed() {
    let folder = apples("killed");
    let trials = ["sweep", "apples.nn", "lr=0.1,0.01,0.001", "batch=8,16", "--format", "csv", "--jobs", "1"];
    let whole = folder.nnc(&[&trials[..], &["--out", "whole"]].concat());
    let mut child = folder.command(&[&trials[..], &["--out", "killed"]].concat());
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nnc starts");
    while !folder.0.join("killed/sweep.csv").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it is at work or has ended");
    child.wait().expect("it has ended");
    // What had ended is not carried out again; whatever the moment was, a trial without its end is.
    let first =
        fs::metadata(folder.0.join("killed/trial-1/run.json")).expect("a run").modified().expect("a time");
    fs::create_dir_all(folder.0.join("killed/trial-6")).expect("a folder");
    folder.write("killed/trial-6/program.nn", "half a prog");
    if let Err(error) = fs::remove_file(folder.0.join("killed/trial-6/run.json")) {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }
    assert_eq!(folder.nnc(&[&trials[..], &["--resume", "killed"]].concat()), whole);
    let again =
        fs::metadata(folder.0.join("killed/trial-1/run.json")).expect("a run").modified().expect("a time");
    assert_eq!(first, again);
    assert_eq!(folder.read("killed/sweep.csv"), folder.read("whole/sweep.csv"));
    // Other values are another sweep: nothing of the first is taken for it, or removed.
    let said = folder.fails(&["sweep", "apples.nn", "lr=0.5,0.01", "--resume", "killed"]);
    assert!(said.contains("E0776") && said.contains("the program is not the same"), "{said}");
    assert!(folder.0.join("killed/trial-1/best.safetensors").exists());
    let said = folder.fails(&["sweep", "apples.nn", "lr=0.5", "--resume", "nowhere"]);
    assert!(said.contains("no folder of a sweep"), "{said}");
}

#[test]
fn what_cannot_be_tried_is_told() {
    let folder = apples("wrong");
    for (arguments, part) in [
        (&["momentum=0.9"][..], "no optimizer with the argument `momentum"),
        (&["lr"], "write NAME=VALUE"),
        (&["lr=1..0.1"], "1 is not less than 0.1"),
        (&["lr=0.1", "lr=0.2"], "given twice"),
        (&["lr=oops"], "E0101"),
        (&["lr=0.1", "--by", "beauty"], "there is no score `beauty`"),
        (&["lr=0..1", "batch=1..1000000:int", "--points", "1000"], "too many combinations"),
    ] {
        let said = folder.fails(&[&["sweep", "apples.nn"], arguments].concat());
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

/// The layers of one training in another, with a new head, which alone is trained.
#[test]
fn a_new_head_on_old_layers() {
    let folder = apples("head");
    let body = "layer Body()(x: [B, 3]) -> [B, 8] {\n    first = Linear(8)\n    norm = BatchNorm1d()\n    norm(tanh(first(x)))\n}\n";
    let data = &APPLES[..APPLES.find("const").expect("it is there")];
    let old = format!(
        "{data}{body}model Old(x: [B, 3]) -> [B, 1] {{\n    body = Body()\n    head = Linear(1)\n    head(body(x))\n}}\n\
         train {{\n    data = apples.train\n    minimize mse(Old(x), x[:, 0:1]) with Adam(lr = 0.01)\n    epochs = 3\n}}\n\
         print Old.body.first.weight\n"
    );
    let new = format!(
        "{data}{body}model New(x: [B, 3]) -> [B, 3] {{\n    body = Body()\n    head = Linear(3)\n    head(body(x))\n}}\n\
         train {{\n    data = apples.train\n    minimize cross_entropy(New(x), kind) with Adam(lr = 0.01) over New.head\n    \
         init = safetensors(\"old.safetensors\", except = [\"head\"])\n    epochs = 3\n}}\n\
         print New.body.first.weight\n"
    );
    folder.write("old.nn", &old);
    folder.write("new.nn", &new);
    let learnt = folder.nnc(&["run", "old.nn", "--quiet", "--save", "old.safetensors"]);
    let taken = folder.nnc(&["run", "new.nn", "--quiet"]);
    assert_eq!(learnt, taken);
    folder.write("only.nn", &new.replace("except = [\"head\"]", "only = [\"body.first\", \"body.norm\"]"));
    assert_eq!(folder.nnc(&["run", "only.nn", "--quiet"]), taken);
    folder.write("all.nn", &new.replace(", except = [\"head\"]", ""));
    let said = folder.fails(&["run", "all.nn"]);
    assert!(said.contains("E0713") && said.contains("except = "), "{said}");
    folder.write("misspelt.nn", &new.replace("[\"head\"]", "[\"haed\"]"));
    let said = folder.fails(&["run", "misspelt.nn"]);
    assert!(said.contains("E0656") && said.contains("did you mean `head`"), "{said}");
}
