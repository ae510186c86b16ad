//! Predictions as columns: the class and its probabilities, or numbers, behind columns of the input that are kept.

use serde_json::{Map, Value, json};

use crate::runtime::answers::meaning::{Probabilities, Reading};
use crate::runtime::answers::predictor::Predictor;
use crate::runtime::array::{Array, Elements};

/// What stands in a field.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    Text(String),
    /// A number as text, with as many digits as it has.
    Number(String),
}

/// The names of the columns that a model's results become.
pub fn names(predictor: &Predictor) -> Vec<String> {
    let (target, outputs) = (predictor.target.as_str(), &predictor.asked.graph.outputs);
    let row = |at: usize| -> Vec<usize> {
        let shape = predictor.asked.graph.shape(outputs[at].node);
        let sizes = shape.iter().skip(1).map(|size| size.as_number().unwrap_or(1));
        sizes.map(|size| usize::try_from(size).unwrap_or(1)).collect()
    };
    let mut names = Vec::new();
    match predictor.meaning.reading {
        Reading::Classes(count, of) => {
            names.push(target.to_owned());
            let word = if of == Probabilities::Unknown { "score" } else { "p" };
            names.extend((0..count).map(|class| format!("{word}({})", class_name(predictor, class))));
        }
        Reading::Truth(_) => {
            let elements = elements(target, &row(0));
            names.extend(elements.iter().flat_map(|element| [element.clone(), format!("p({element})")]));
        }
        Reading::Numbers if outputs.len() == 1 => names.extend(elements(target, &row(0))),
        Reading::Numbers => {
            for at in 0..outputs.len() {
                names.extend(elements(&format!("{target}.{at}"), &row(at)));
            }
        }
    }
    names
}

/// `y`, or `y[0]`, `y[1]`, … where a row has several elements.
fn elements(name: &str, row: &[usize]) -> Vec<String> {
    let count: usize = row.iter().product();
    if count == 1 {
        return vec![name.to_owned()];
    }
    let subscripts = |mut at: usize| {
        let mut places: Vec<String> = Vec::new();
        for size in row.iter().rev() {
            places.insert(0, (at % size).to_string());
            at /= size;
        }
        places.join(",")
    };
    (0..count).map(|at| format!("{name}[{}]", subscripts(at))).collect()
}

/// The name of a class, or its number if it has none.
pub fn class_name(predictor: &Predictor, class: usize) -> String {
    let name = predictor.names.as_ref().and_then(|names| names.get(class));
    name.cloned().unwrap_or_else(|| class.to_string())
}

/// The predictions of one row, in the order of [`names`].
pub fn cells(predictor: &Predictor, results: &[Array], row: usize) -> Vec<Cell> {
    let is_f32 = results.iter().any(|array| matches!(array.elements(), Elements::F32(_)));
    let number = |value: f64| number(value, is_f32);
    let of = |array: &Array| -> Vec<f64> {
        let len = array.row_len();
        (row * len..(row + 1) * len).map(|at| array.number(at)).collect()
    };
    match predictor.meaning.reading {
        Reading::Classes(..) => {
            let values = of(&results[0]);
            let (class, probabilities) = predictor.meaning.read(&values);
            let rest = probabilities.unwrap_or(values);
            let name = class_name(predictor, class);
            let name = if predictor.names.is_some() { Cell::Text(name) } else { Cell::Number(name) };
            std::iter::once(name).chain(rest.into_iter().map(number)).collect()
        }
        Reading::Truth(_) => {
            let (_, probabilities) = predictor.meaning.read(&of(&results[0]));
            let truth = |p: f64| Cell::Number(u8::from(p > 0.5).to_string());
            probabilities.into_iter().flatten().flat_map(|p| [truth(p), number(p)]).collect()
        }
        Reading::Numbers => results.iter().flat_map(of).map(number).collect(),
    }
}

/// A field of the input as it stands there.
pub fn kept(text: &str) -> Cell {
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(_) => Cell::Number(text.to_owned()),
        Err(_) => Cell::Text(text.to_owned()),
    }
}

/// With the fewest digits that say which number it is.
fn number(value: f64, is_f32: bool) -> Cell {
    Cell::Number(if is_f32 { (value as f32).to_string() } else { value.to_string() })
}

/// A line of a csv file, without its end.
pub fn csv_line(cells: &[Cell], separator: char) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(separator);
        }
        match cell {
            Cell::Number(text) => line.push_str(text),
            Cell::Text(text) if needs_quotes(text, separator) => {
                line.push('"');
                line.push_str(&text.replace('"', "\"\""));
                line.push('"');
            }
            Cell::Text(text) => line.push_str(text),
        }
    }
    line
}

fn needs_quotes(text: &str, separator: char) -> bool {
    text.contains([separator, '"', '\n', '\r']) || text.trim() != text
}

/// A line of JSON, without its end.
pub fn json_line(names: &[String], cells: &[Cell]) -> String {
    let value = |cell: &Cell| match cell {
        Cell::Text(text) => json!(text),
        // JSON has no infinities.
        Cell::Number(text) => serde_json::from_str(text).unwrap_or(Value::Null),
    };
    let object: Map<String, Value> =
        names.iter().zip(cells).map(|(name, cell)| (name.clone(), value(cell))).collect();
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back() {
        let cells = [Cell::Text("a,\"b\"".into()), Cell::Number("0.1".into()), Cell::Text(" x".into())];
        assert_eq!(csv_line(&cells, ','), "\"a,\"\"b\"\"\",0.1,\" x\"");
        assert_eq!(csv_line(&cells, ';'), "\"a,\"\"b\"\"\";0.1;\" x\"");
        let names = ["n".to_owned(), "p".to_owned()];
        let cells = [Cell::Text("\u{e9}\"".into()), Cell::Number("NaN".into())];
        assert_eq!(json_line(&names, &cells), "{\"n\":\"\u{e9}\\\"\",\"p\":null}");
    }

    #[test]
    fn elements_are_numbered_by_their_axes() {
        assert_eq!(elements("y", &[]), ["y"]);
        assert_eq!(elements("y", &[1]), ["y"]);
        assert_eq!(elements("y", &[2]), ["y[0]", "y[1]"]);
        assert_eq!(elements("y", &[2, 2]), ["y[0,0]", "y[0,1]", "y[1,0]", "y[1,1]"]);
    }
}
