//! What to do about a text in a csv file where a number is needed.

use super::numbers::plain;
use super::{Options, dates};

/// The advice that fits the text, in the first line of a table without a header or anywhere else.
pub fn no_number(text: &str, is_first: bool, options: &Options) -> String {
    if is_first {
        return "if the first line has the names of the columns, say `header = true`".to_owned();
    }
    another_notation(text, options).unwrap_or_else(|| no_notation(text).to_owned())
}

/// What it is, if not a number in another notation.
fn no_notation(text: &str) -> &'static str {
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
    let without = |dropped: &[char]| is_number(&text.replace(|c| dropped.contains(&c), ""));
    let has_digits = text.contains(|c: char| c.is_ascii_digit());
    if is_number(&text.replace(',', ".")) || without(&[',']) || without(&[' ', '\u{a0}', '\'']) {
        "numbers are written with a decimal point and without separators of thousands"
    } else if text.strip_suffix('%').is_some_and(is_number) {
        "numbers are written without a per cent sign"
    } else if !dates::orders(text).is_empty() {
        "a point in time becomes a number by `date(column(…))`"
    } else if is_date(text) {
        "dates and times are no numbers: write them as days or seconds since a day, or leave the column out"
    } else if without(&['$', '€', '£', '_']) || text.starts_with("0x") || text.starts_with("0X") {
        "numbers are written in decimal digits, without units and signs of currencies"
    } else if has_digits && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        "numbers are written without units"
    } else if ["true", "false", "yes", "no", "t", "f", "y", "n"].contains(&text.to_lowercase().as_str()) {
        "true and false are read by a field that is declared as `bool`"
    } else {
        "a column of names is read as classes if the field is declared as `class(n)` or `int`"
    }
}

/// How the table is read if the text is a number that is written in another way.
fn another_notation(text: &str, options: &Options) -> Option<String> {
    let is_number = |decimal: char, thousands: Option<char>| {
        let options = Options { decimal, thousands, ..*options };
        plain(text, &options).is_some_and(|text| text.parse::<f64>().is_ok())
    };
    if options.decimal != '.' && is_number('.', None) {
        return Some(format!("this one has a decimal point, the table is read with `decimal = \"{}\"`", options.decimal));
    }
    let ways = [(',', None), ('.', Some(',')), (',', Some('.')), ('.', Some(' ')), (',', Some(' ')), ('.', Some('\''))];
    let (decimal, thousands) = ways.into_iter().find(|(decimal, thousands)| is_number(*decimal, *thousands))?;
    let thousands = thousands.map(|c| format!("thousands = \"{c}\""));
    let decimal = (decimal != '.').then(|| format!("decimal = \"{decimal}\""));
    let said: Vec<String> = decimal.into_iter().chain(thousands).collect();
    Some(format!("say how numbers are written: `csv(\"…\", {})`", said.join(", ")))
}

/// Whether it is a date or a time by its form: `2026-11-28`, `28.11.2026`, `11/28/26 14:03`.
fn is_date(text: &str) -> bool {
    let mut parts = text.split(['-', '/', '.', ':', ' ', 'T', 'Z', '+']).filter(|part| !part.is_empty());
    let numbers = parts.clone().count();
    (2..=8).contains(&numbers)
        && text.contains(['-', '/', ':', '.'])
        && parts.all(|part| part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{Options, no_number};

    #[test]
    fn each_kind_of_text_has_its_advice() {
        let kinds = [
            ("decimal = \",\"", &["1,5", "1.234,5"][..]),
            ("thousands = ", &["1,234.5", "1 234", "1'000"]),
            ("decimal point", &["1 2345"]),
            ("per cent", &["5%", "-2.5%"]),
            ("point in time", &["2024-01-31", "31.1.2024", "2024-01-31T12:00:05Z"]),
            ("dates", &["1/31/24", "12:30"]),
            ("decimal digits", &["$5", "1_000", "0x10", "3 €"]),
            ("units", &["5kg", "-3 m"]),
            ("`bool`", &["true", "No"]),
            ("column of names", &["cat", "a1", ""]),
        ];
        for (wanted, texts) in kinds {
            for text in texts {
                let said = no_number(text, false, &Options::default());
                assert!(said.contains(wanted), "{text}: {said}");
            }
        }
    }
}
