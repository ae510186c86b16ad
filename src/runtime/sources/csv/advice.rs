//! What to do about a text in a csv file where a number is needed.

/// The advice that fits the text.
pub(super) fn no_number(text: &str) -> &'static str {
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
    let without = |dropped: &[char]| is_number(&text.replace(|c| dropped.contains(&c), ""));
    let has_digits = text.contains(|c: char| c.is_ascii_digit());
    if is_number(&text.replace(',', ".")) || without(&[',']) || without(&[' ', '\u{a0}', '\'']) {
        "numbers are written with a decimal point and without separators of thousands"
    } else if text.strip_suffix('%').is_some_and(is_number) {
        "numbers are written without a per cent sign"
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
    use super::no_number;

    #[test]
    fn each_kind_of_text_has_its_advice() {
        let kinds = [
            ("decimal point", &["1,5", "1,234.5", "1 234", "1'000"][..]),
            ("per cent", &["5%", "-2.5%"]),
            ("dates", &["2024-01-31", "31.1.2024", "1/31/24", "2024-01-31T12:00:05Z", "12:30"]),
            ("decimal digits", &["$5", "1_000", "0x10", "3 €"]),
            ("units", &["5kg", "-3 m"]),
            ("`bool`", &["true", "No"]),
            ("column of names", &["cat", "a1", ""]),
        ];
        for (wanted, texts) in kinds {
            for text in texts {
                assert!(no_number(text).contains(wanted), "{text}: {}", no_number(text));
            }
        }
    }
}
