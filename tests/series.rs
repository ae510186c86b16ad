//! Rows that are several rows of a file: from a monthly series to a forecast of the next year.

use std::fs;
use std::path::Path;

#[path = "support/folder.rs"]
mod folder;

use folder::{Folder, errors};

const PROGRAM: &str = "\
data airline = csv(\"air.csv\") {
    past: [24] = window(standardize(log(column(\"passengers\"))), 24)
    future: [12] = window(standardize(log(column(\"passengers\"))), 12, shift = 24)
    split train = 0.7, test = 0.3, in_order = true
}
model Forecast(past: [B, 24]) -> [B, 12] {
    last = past[:, 23]
    past[:, 12:] + (past - last[:, new] |> Linear(12))
}
train {
    data     = airline.train
    minimize mse(Forecast(past), future) with Adam(lr = cosine(0.005, total = 900))
    validate = airline.test
    batch    = 16
    epochs   = 200
}
";

fn passengers() -> (String, Vec<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/data/airline_passengers.csv");
    let text = fs::read_to_string(path).expect("passengers");
    let numbers =
        text.lines().skip(1).map(|line| line.split(',').nth(1).expect("two").parse().expect("a number"));
    let numbers = numbers.collect();
    (text, numbers)
}

fn numbers(line: &str) -> Vec<f64> {
    line.split(',').filter_map(|cell| cell.parse().ok()).collect()
}

/// From the csv file to the twelve months after its end, in passengers, and the same out of a pipe.
#[test]
fn a_year_is_forecast() {
    let folder = Folder::new("forecast");
    let (text, truth) = passengers();
    // The last year is what comes.
    let lines: Vec<&str> = text.lines().collect();
    let known = lines[..lines.len() - 12].join("\n");
    folder.write("air.csv", &format!("{known}\n"));
    folder.write("air.nn", PROGRAM);
    folder.nnc(&["run", "air.nn"]);
    fs::rename(folder.0.join("air.csv"), folder.0.join("now.csv")).expect("renamed");
    let run = "runs/air-1";
    let out = folder.nnc(&["predict", run, "now.csv", "--last", "--keep", "month"]);
    let rows: Vec<&str> = out.lines().collect();
    assert!(rows[0].starts_with("month,future[0],") && rows[0].ends_with("future[11]"), "{out}");
    assert!(rows.len() == 2 && rows[1].starts_with("1959-12,"), "{out}");
    let forecast = numbers(rows[1]);
    let off = forecast.iter().zip(&truth[132..]).map(|(forecast, truth)| (forecast / truth - 1.0).abs());
    let off = off.sum::<f64>() / 12.0;
    assert!(forecast.len() == 12 && off < 0.08, "{off} off: {forecast:?}");
    // All windows: the last is that one. Of the last 24 rows it is the only one.
    let all = folder.nnc(&["predict", run, "now.csv"]);
    assert_eq!(all.lines().count(), 1 + 132 - 23);
    let last = all.lines().last().expect("rows").to_owned();
    assert_eq!(rows[1].split_once(',').expect("cells").1, last);
    let piped = format!("{}\n{}\n", lines[0], lines[lines.len() - 36..lines.len() - 12].join("\n"));
    assert_eq!(folder.on(&piped, &["predict", run, "-"]).lines().nth(1), Some(&*last));
    folder.write("short.csv", &format!("{}\n", lines[..20].join("\n")));
    // Lines of JSON are rows as well, from a file or a pipe.
    let table = folder.read("now.csv");
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().expect("a header");
    let object = |cells: Vec<&str>| {
        format!("{{\"{}\": \"{}\", \"{}\": {}}}\n", names[0], cells[0], names[1], cells[1])
    };
    let objects: String = lines.map(object).collect();
    folder.write("now.jsonl", &objects);
    assert_eq!(folder.nnc(&["predict", run, "now.jsonl"]), all);
    assert_eq!(folder.on(&objects, &["predict", run, "-", "--from", "jsonl", "--to", "csv"]), all);
    let said = folder.fails(&["predict", run, "short.csv"]);
    assert!(said.contains("E0830") && said.contains("24 rows"), "{said}");
    let said = folder.fails(&["predict", run, "now.csv", "--keep", "moon"]);
    assert!(said.contains("E0708"), "{said}");
}

/// Several series in one file, in any order: no window has rows of two, and each has its own end for the test.
#[test]
fn series_are_kept_apart() {
    let folder = Folder::new("apart");
    let mut rows: Vec<String> = Vec::new();
    for day in 1..=20 {
        for (shop, level) in [("north", 100), ("south", 200), ("west", 300)] {
            rows.push(format!("{shop},2024-01-{day:02},{}", level + day));
        }
    }
    // Put out of order by a step that has no common divisor with their number.
    let shuffled: Vec<&str> = (0..rows.len()).map(|at| &*rows[at * 37 % rows.len()]).collect();
    folder.write("shops.csv", &format!("shop,day,sales\n{}\n", shuffled.join("\n")));
    let data = "data shops = csv(\"shops.csv\") {
    past: [3] = window(column(\"sales\"), 3)
    next: [1] = window(column(\"sales\"), 1, shift = 3)
    shop: class(3) = column(\"shop\")
    windows series = column(\"shop\"), order = date(column(\"day\"))
    split train = 0.6, test = 0.4, in_order = true
}
const STEPS = shops.past[:, 1:] - shops.past[:, :-1]
expect STEPS == ones([shops.rows, 2])
expect shops.next[:, 0] == shops.past[:, 2] + 1
expect shops.rows == 3 * (12 - 3) + 3 * (8 - 3)
expect max(shops.train.next) < 313 and min(shops.test.past) == 113
expect sum(shops.test.shop) == 5 * 3
";
    folder.write("shops.nn", data);
    folder.nnc(&["run", "shops.nn"]);
    let groups = data
        .replace("in_order = true", "group = column(\"shop\")")
        .split("expect shops.rows")
        .next()
        .map(str::to_owned);
    folder.write("groups.nn", &groups.expect("a part"));
    folder.nnc(&["run", "groups.nn"]);
    let model = "model M(past: [B, 3]) -> [B, 1] { past[:, 2:] + (past - past[:, 2][:, new] |> Linear(1)) }
train {\n data = shops.train\n minimize mse(M(past), next) with Adam(lr = 0.05)\n validate = shops.test\n epochs = 150\n}\n";
    folder.write("trained.nn", &format!("{data}{model}"));
    folder.nnc(&["run", "trained.nn", "--out", "kept"]);
    let out = folder.nnc(&["predict", "kept", "shops.csv", "--last", "--keep", "shop,day"]);
    assert_eq!(out.lines().count(), 4, "{out}");
    for (shop, next) in [("north", 121.0), ("south", 221.0), ("west", 321.0)] {
        let line = out.lines().find(|line| line.starts_with(shop)).expect("a shop");
        assert!(line.contains("2024-01-20") && (numbers(line)[0] - next).abs() < 0.5, "{out}");
    }
}

/// A program is written for a series, and for several in one file, that forecasts as it stands.
#[test]
fn a_program_is_written_for_a_series() {
    let folder = Folder::new("init_series");
    let (text, _) = passengers();
    folder.write("air.csv", &text);
    let said = folder.command(&["init", "air.csv", "-o", "plain.nn"]).output().expect("nnc starts");
    assert!(errors(&said).contains("--series"), "{}", errors(&said));
    folder.nnc(&["init", "air.csv", "--series"]);
    let program = folder.read("air.nn");
    assert!(
        program.contains("past: [24] = window(level, 24)") && program.contains("shift = 24"),
        "{program}"
    );
    assert!(program.contains("standardize(log(column(\"passengers\")))"), "{program}");
    assert!(program.contains("windows order = date(column(\"month\"))"), "{program}");
    folder.nnc(&["run", "air.nn", "--epochs", "60"]);
    let out = folder.nnc(&["predict", "runs/air-1", "air.csv", "--last", "--keep", "month"]);
    let rows: Vec<&str> = out.lines().collect();
    assert!(rows.len() == 2 && rows[1].starts_with("1960-12,"), "{out}");
    let forecast = numbers(rows[1]);
    assert!(forecast.len() == 12 && forecast.iter().all(|count| (300.0..900.0).contains(count)), "{out}");
    let mut rows = vec!["day;shop;sold".to_owned()];
    for day in 0..120 {
        for (shop, level) in [("nord", 20.0), ("süd", 50.0)] {
            let sold = level + f64::from(day % 7) + f64::from(day) / 20.0;
            rows.push(format!(
                "{:02}.{:02}.2024;{shop};{}",
                day % 28 + 1,
                day / 28 + 1,
                format!("{sold:.2}").replace('.', ",")
            ));
        }
    }
    folder.write("sales.csv", &rows.join("\r\n"));
    folder.nnc(&["init", "sales.csv", "--series", "--past", "14", "--future", "7"]);
    let program = folder.read("sales.nn");
    let windows = "windows series = column(\"shop\"), order = date(column(\"day\"), order = \"dmy\")";
    assert!(program.contains(windows) && program.contains("decimal = \",\""), "{program}");
    folder.nnc(&["run", "sales.nn", "--epochs", "40"]);
    let out = folder.nnc(&["predict", "runs/sales-1", "sales.csv", "--last", "--keep", "shop"]);
    assert!(out.lines().count() == 3 && out.contains("nord,") && out.contains("süd,"), "{out}");
    let said = folder.fails(&["init", "air.csv", "--series", "--past", "100", "-o", "b.nn"]);
    assert!(said.contains("E0780") && said.contains("too few"), "{said}");
    let said = folder.fails(&["init", "sales.csv", "--series", "--target", "shop", "-o", "b.nn"]);
    assert!(said.contains("E0780") && said.contains("no numbers"), "{said}");
}
