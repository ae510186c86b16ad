//! Tables as people write them.

use super::*;
use crate::runtime::array::Elements;
use crate::runtime::world::native::NativeWorld;

fn one(column: i64, want: Want) -> Request {
    Request::plain(Selection::One(ColumnRef::Number(column)), want)
}

fn named(name: &str, want: Want) -> Request {
    Request::plain(Selection::One(ColumnRef::Name(name.to_owned())), want)
}

fn range(start: Option<i64>, end: Option<i64>, want: Want) -> Request {
    Request::plain(Selection::Range { start, end }, want)
}

fn table(text: &str, requests: &[Request]) -> Result<Table, Diagnostic> {
    read_text(text, "a.csv", &Options::default(), requests)
}

fn error(text: &str, requests: &[Request]) -> (&'static str, String) {
    let error = table(text, requests).unwrap_err();
    (error.code, error.message)
}

#[test]
fn the_checked_in_tables() {
    let digits = [range(Some(0), Some(64), Want::F32), one(64, Want::Int)];
    let digits =
        read(&NativeWorld, Path::new("models/data/digits.csv"), &Options::default(), &digits).unwrap();
    assert_eq!((digits.rows, digits.header), (1797, None));
    assert_eq!(digits.columns[0].array.shape(), [1797, 64]);
    assert_eq!(digits.columns[0].array.to_f32()[..4], [0.0, 0.0, 5.0, 13.0]);
    assert_eq!(digits.columns[1].array.to_i64().unwrap()[..4], [0, 1, 2, 3]);
    let iris = [range(None, Some(-1), Want::F64), named("species", Want::Int)];
    let iris = read(&NativeWorld, Path::new("models/data/iris.csv"), &Options::default(), &iris).unwrap();
    assert_eq!(iris.columns[0].array.shape(), [150, 4]);
    let classes = iris.columns[1].classes.as_ref().unwrap();
    assert_eq!(classes, &["setosa", "versicolor", "virginica"]);
    assert_eq!(iris.columns[1].array.to_i64().unwrap()[149], 2);
    for (name, rows, columns) in
        [("breast_cancer", 569, 31), ("wine", 178, 14), ("diabetes", 442, 11), ("karate_edges", 78, 3)]
    {
        let all = [range(None, None, Want::F32)];
        let table =
            read(&NativeWorld, Path::new(&format!("models/data/{name}.csv")), &Options::default(), &all)
                .unwrap();
        assert_eq!(table.columns[0].array.shape(), [rows, columns]);
    }
}

#[test]
fn headers_and_options() {
    let text = "x;n\n1,5;a\n";
    let options = Options { separator: ';', ..Options::default() };
    let wrong = read_text(text, "a.csv", &options, &[named("x", Want::F32)]).unwrap_err();
    assert_eq!(wrong.message, "a.csv:2:1: column `x` is `1,5`, which is not a number");
    assert!(wrong.helps[0].message.contains("decimal = \",\""));
    let wrong = table(text, &[named("n", Want::F32)]).unwrap_err();
    assert_eq!(wrong.helps.last().unwrap().message, "its first line has \";\" in it: say `separator = \";\"`");
    let years = "2020,2021\n1,2\n";
    assert_eq!(table(years, &[one(0, Want::Int)]).unwrap().rows, 1);
    let options = Options { header: Some(true), ..Options::default() };
    let years = read_text(years, "a.csv", &options, &[named("2021", Want::Int)]).unwrap();
    assert_eq!((years.rows, years.columns[0].array.elements()), (1, &Elements::I32(vec![2])));
    let options = Options { header: Some(false), ..Options::default() };
    let names = read_text("b\na\nb\n", "a.csv", &options, &[one(0, Want::Int)]).unwrap();
    assert_eq!(names.columns[0].array.elements(), &Elements::I32(vec![1, 0, 1]));
}

#[test]
fn places_of_wrong_values() {
    let x = [named("x", Want::F32)];
    assert_eq!(
        error("k,x\na,1\n\"b\nc\",oops\n", &x),
        ("E0706", "a.csv:4:4: column `x` is `oops`, which is not a number".to_owned())
    );
    assert_eq!(error("k,x\né, \n", &x), ("E0705", "a.csv:2:4: column `x` has no value".to_owned()));
    assert_eq!(
        error("k,x\na,NaN\n", &x),
        ("E0705", "a.csv:2:3: column `x` has no value but `NaN`".to_owned())
    );
    assert_eq!(error("k,x\na,?\n", &x).0, "E0705");
    assert_eq!(error("k,x\na,inf\n", &x).0, "E0706");
    assert_eq!(
        error("k,x\na,1e99\n", &x),
        ("E0712", "a.csv:2:3: column `x` is 1e99, which does not fit the type of the field".to_owned())
    );
    assert_eq!(
        error("k,x\na,1\nb,2,3\n", &x),
        ("E0707", "a.csv:3 has 3 fields, but line 1 has 2".to_owned())
    );
    assert_eq!(error("k,x\na,1\nb\n", &x), ("E0707", "a.csv:3 has 1 field, but line 1 has 2".to_owned()));
    assert_eq!(error("k,x\na,\"1\n", &x), ("E0709", "a.csv:2:3: this quote is never closed".to_owned()));
    let x = [named("x", Want::Int)];
    assert_eq!(
        error("k,x\na,1.5\n", &x),
        ("E0712", "a.csv:2:3: column `x` is 1.5, but the field is an int".to_owned())
    );
    let long = table("k,x\na,3000000000\nb,-1\n", &x).unwrap();
    assert_eq!(long.columns[0].array.elements(), &Elements::I64(vec![3_000_000_000, -1]));
    assert_eq!(error("k,x\na,9223372036854775808\n", &x).0, "E0712");
    assert_eq!(
        error("k,x\na,1\nb,c\n", &x),
        ("E0706", "a.csv:3:3: column `x` is `c`, but it began with numbers".to_owned())
    );
    assert_eq!(
        error("k,x\na,c\nb,1\n", &x),
        ("E0706", "a.csv:3:3: column `x` is the number 1, but it began with names".to_owned())
    );
    assert_eq!(table("k,x\na,2.0\n", &x).unwrap().columns[0].array.elements(), &Elements::I32(vec![2]));
}

#[test]
fn columns_that_do_not_exist() {
    let text = "width,height\n1,2\n";
    let missing = table(text, &[named("heigth", Want::F32)]).unwrap_err();
    assert_eq!((missing.code, missing.helps[0].message.as_str()), ("E0708", "it has `height`"));
    assert_eq!(
        error(text, &[one(2, Want::F32)]),
        ("E0708", "`a.csv` has 2 columns, so there is no column 2".to_owned())
    );
    assert_eq!(error(text, &[one(i64::MIN, Want::F32)]).0, "E0708");
    assert_eq!(error(text, &[range(Some(0), Some(3), Want::F32)]).0, "E0708");
    assert_eq!(error(text, &[range(Some(1), Some(1), Want::F32)]).0, "E0708");
    assert_eq!(error("1,2\n", &[named("x", Want::F32)]).0, "E0708");
    assert_eq!(error("x,x\n1,2\n", &[named("x", Want::F32)]).0, "E0708");
}

#[test]
fn no_rows() {
    assert_eq!(error("", &[]).0, "E0710");
    assert_eq!(error("\n\n", &[]).0, "E0710");
    assert_eq!(error("x,y\n", &[]).0, "E0710");
}

#[test]
fn the_first_line() {
    // A text, whether its first line is a header, and whether that is in doubt.
    let cases = [
        ("x,y\n1,2\n", true, false),
        ("1,2\n3,4\n", false, false),
        ("1\n2\n", false, false),
        ("2019\n3\n", false, false),
        ("x\n", true, false),
        ("1\n", false, false),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,2.2,virginica\n", false, false),
        ("5.1,3.5,setosa\n4.9,3.0,virginica\n", false, true),
        ("year,2019,2020\na,1,2\nb,3,4\n", true, true),
        ("year,2019,2020\n1,1,2\n", true, true),
        ("2019,2020\n1,2\n", true, true),
        ("2019,2020\n2020,2021\n", false, false),
        ("0,1,2\n5,6,7\n", false, true),
        ("0,1,2\n0,1,2\n", false, false),
        ("0,1\n1,0\n", false, false),
        (",a,b\n0,1,2\n", true, false),
        (",1,2\n3,4,5\n", true, false),
        ("a,,c\n1,2,3\n", true, false),
        ("1,,3\n1,2,3\n", false, false),
        ("?,1\n2,3\n", false, false),
        ("text,label\ngood,yes\nbad,no\n", true, true),
        ("good,yes\nbad,no\nsad,yes\n", false, false),
        ("3,name\nx,name2\n", true, false),
    ];
    for (text, is_header, in_doubt) in cases {
        let begun = Begun::new(text, "a.csv", &Options::default(), &[]).unwrap();
        assert_eq!((begun.header.is_some(), begun.doubt.is_some()), (is_header, in_doubt), "{text}");
    }
    let begun = Begun::new("3,x\n4,5\n", "a.csv", &Options::default(), &[named("x", Want::F32)]).unwrap();
    assert!(begun.header.is_some() && begun.doubt.is_none());
}

#[test]
fn values_that_are_missing_are_so_everywhere() {
    for missing in ["", "NA", "nan", "NaN", "?", "null", "None", "-", ".", "n/a", "missing", "#N/A", "\"\""] {
        for (place, rows) in
            [(0, [missing, "red", "blue"]), (1, ["red", missing, "blue"]), (1, ["1", missing, "2"])]
        {
            for want in [Want::Int, Want::F64, Want::Wide, Want::Bool] {
                let text: String = rows.iter().map(|row| format!("{row},0\n")).collect();
                let options = Options { header: Some(false), ..Options::default() };
                let found = read_text(&text, "a.csv", &options, &[one(0, want)]).unwrap_err();
                let is_first = place == 0 || want == Want::Int || rows[0] == "1";
                if is_first {
                    assert_eq!(found.code, "E0705", "{missing} {place} {want:?}: {}", found.message);
                    assert!(
                        found.message.starts_with(&format!("a.csv:{}:1:", place + 1)),
                        "{}",
                        found.message
                    );
                }
            }
        }
    }
}

#[test]
fn names_that_are_given() {
    let names: Arc<[String]> = ["b".to_owned(), "none".to_owned(), "7".to_owned()].into();
    let request = |text: &str| {
        let request = Request { classes: Some(names.clone()), ..one(0, Want::Int) };
        let options = Options { header: Some(false), ..Options::default() };
        read_text(text, "a.csv", &options, &[request])
    };
    let read = request("none\nb\n7\n").unwrap();
    assert_eq!(read.columns[0].array.elements(), &Elements::I32(vec![1, 0, 2]));
    assert_eq!(read.columns[0].classes.as_deref(), Some(&*names));
    assert_eq!(request("c\n").unwrap_err().code, "E0754");
    assert_eq!(request("?\n").unwrap_err().code, "E0705");
}
