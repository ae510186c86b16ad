//! Numbers as a table writes them: with a decimal comma, or with digits in groups of three.

use std::borrow::Cow;

use super::Options;

/// A number with a decimal point and without groups; none if the text is no number as this table writes them.
pub(super) fn plain<'t>(text: &'t str, options: &Options) -> Option<Cow<'t, str>> {
    if options.decimal == '.' && options.thousands.is_none() {
        return Some(Cow::Borrowed(text));
    }
    let (whole, fraction) = match text.split_once(options.decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let is_plain = |text: &str| !text.contains([options.decimal, '.']);
    let whole = match options.thousands {
        Some(thousands) if whole.contains(thousands) => {
            let unsigned = whole.trim_start_matches(['+', '-']);
            let mut groups = unsigned.split(thousands);
            let is_first = |group: &str| (1..=3).contains(&group.len()) && all_digits(group);
            let is_group = |group: &str| group.len() == 3 && all_digits(group);
            if !groups.next().is_some_and(is_first) || !groups.all(is_group) {
                return None;
            }
            whole.replace(thousands, "")
        }
        _ => whole.to_owned(),
    };
    let fits = is_plain(&whole) && fraction.is_none_or(is_plain);
    fits.then(|| match fraction {
        Some(fraction) => Cow::Owned(format!("{whole}.{fraction}")),
        None => Cow::Owned(whole),
    })
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_groups() {
        let german = Options { decimal: ',', thousands: Some('.'), ..Options::default() };
        let number = |text: &str| plain(text, &german).and_then(|text| text.parse::<f64>().ok());
        assert_eq!(number("1.234.567,25"), Some(1_234_567.25));
        assert_eq!(number("-12,5"), Some(-12.5));
        assert_eq!(number("7"), Some(7.0));
        assert_eq!(number("-1.000"), Some(-1000.0));
        assert_eq!(number("1,5e3"), Some(1500.0));
        // A point that groups nothing is no decimal point.
        for text in ["1.5", "12.34,5", "1.2345", ".123", "1,2,3", "1,234.5", "", "x"] {
            assert_eq!(number(text), None, "{text}");
        }
        let english = Options { thousands: Some(','), ..Options::default() };
        assert_eq!(plain("1,234.5", &english).as_deref(), Some("1234.5"));
        let comma = Options { decimal: ',', ..Options::default() };
        assert_eq!(plain("1.5", &comma), None);
        assert_eq!(plain("1,5", &comma).as_deref(), Some("1.5"));
    }
}
