//! Points in time as numbers: `2024-02-29`, `2024-02-29 12:30:15`, `29.02.2024`, `02/29/2024`, `2024-02`.

use crate::ir::program::{Date, DateOrder, DatePart};
use crate::runtime::report::tables::NoDate;

/// What is asked of a point in time.
pub(super) fn number(text: &str, date: Date) -> Result<f64, NoDate> {
    let text = text.trim();
    let (day, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let (year, month, day) = day_of(day, date.order)?;
    let (second, zone) = time_of(time)?;
    let days = days_since_1970(year, month, day);
    // A point in time of another zone is that of UTC, which may be another day.
    let (days, second) = match zone {
        0.0 => (days, second),
        zone => {
            let second = second - zone;
            (days + second.div_euclid(86_400.0) as i64, second.rem_euclid(86_400.0))
        }
    };
    let (year, month, day) = date_of(days);
    Ok(match date.part {
        DatePart::Days => days as f64 + second / 86_400.0,
        DatePart::Year => year as f64,
        DatePart::Month => month as f64,
        DatePart::Day => day as f64,
        DatePart::Weekday => (days + 3).rem_euclid(7) as f64,
        DatePart::YearDay => (days - days_since_1970(year, 1, 1) + 1) as f64,
        DatePart::Hour => (second / 3600.0).floor(),
        DatePart::Minute => (second / 60.0).floor() % 60.0,
        DatePart::Second => second % 60.0,
    })
}

/// Whether a text is a point in time, and in which orders it can be read.
pub fn orders(text: &str) -> Vec<DateOrder> {
    let all = [DateOrder::YearMonthDay, DateOrder::DayMonthYear, DateOrder::MonthDayYear];
    let can_be = |order: &DateOrder| number(text, Date { part: DatePart::Days, order: *order }).is_ok();
    all.into_iter().filter(can_be).collect()
}

/// Days since 1970, if a text is a point in time in this order.
pub fn days(text: &str, order: DateOrder) -> Option<f64> {
    number(text, Date { part: DatePart::Days, order }).ok()
}

fn day_of(text: &str, order: DateOrder) -> Result<(i64, i64, i64), NoDate> {
    let separator = text.chars().find(|c| !c.is_ascii_digit()).ok_or(NoDate::Form)?;
    if !matches!(separator, '-' | '/' | '.') {
        return Err(NoDate::Form);
    }
    let parts: Vec<&str> = text.split(separator).collect();
    let is_year = |part: &&str| part.len() == 4;
    let number = |part: &str| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<i64>().ok()).flatten().ok_or(NoDate::Form)
    };
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if is_year(year) => (number(year)?, number(month)?, number(day)?),
        // A month begins with its first day.
        [year, month] if is_year(year) => (number(year)?, number(month)?, 1),
        [first, second, year] if is_year(year) => {
            let (first, second, year) = (number(first)?, number(second)?, number(year)?);
            match order {
                DateOrder::YearMonthDay => return Err(NoDate::Order),
                DateOrder::DayMonthYear => (year, second, first),
                DateOrder::MonthDayYear => (year, first, second),
            }
        }
        _ => return Err(NoDate::Form),
    };
    let exists = (1..=12).contains(&month) && day >= 1 && date_of(days_since_1970(year, month, day)) == (year, month, day);
    if exists { Ok((year, month, day)) } else { Err(NoDate::Range) }
}

/// The second of the day, and by how many seconds its zone is before UTC.
fn time_of(text: &str) -> Result<(f64, f64), NoDate> {
    if text.is_empty() {
        return Ok((0.0, 0.0));
    }
    let (time, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text[..at].trim(), &text[at..]),
        None => (text, ""),
    };
    let parts: Vec<&str> = time.split(':').collect();
    let whole = |part: &str| part.parse::<u32>().map(f64::from).map_err(|_| NoDate::Form);
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (whole(hour)?, whole(minute)?, 0.0),
        [hour, minute, second] => {
            let is_number = second.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let second = second.parse::<f64>().ok().filter(|_| is_number).ok_or(NoDate::Form)?;
            (whole(hour)?, whole(minute)?, second)
        }
        _ => return Err(NoDate::Form),
    };
    let zone = match zone {
        "" | "Z" | "z" => 0.0,
        zone => {
            let (sign, digits) = zone.split_at(1);
            let digits = digits.replace(':', "");
            let (hours, minutes) = match digits.len() {
                2 => (whole(&digits)?, 0.0),
                4 if digits.is_ascii() => (whole(&digits[..2])?, whole(&digits[2..])?),
                _ => return Err(NoDate::Form),
            };
            let seconds = hours * 3600.0 + minutes * 60.0;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    if hour > 23.0 || minute > 59.0 || second >= 60.0 || zone.abs() > 86_400.0 {
        return Err(NoDate::Range);
    }
    Ok((hour * 3600.0 + minute * 60.0 + second, zone))
}

/// Days from 1 January 1970 to a day of the Gregorian calendar (Hinnant, *chrono-compatible low-level date algorithms*).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// The day that is so many days after 1 January 1970.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    // Days since 1 March of year 0, in eras of 400 years (Hinnant, chrono-compatible date algorithms).
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str, part: DatePart) -> Result<f64, NoDate> {
        number(text, Date { part, order: DateOrder::YearMonthDay })
    }

    #[test]
    fn days() {
        for (text, days) in [
            ("1970-01-01", 0.0),
            ("1970-01-02T12:00", 1.5),
            ("1969-12-31 18:00:00", -0.25),
            ("2000-03-01", 11_017.0),
            ("2024/2/29", 19_782.0),
            ("2024-03", 19_783.0),
            ("2024-02-29T23:00:00-02:00", 19_783.0 + 1.0 / 24.0),
            ("2024-02-29T23:00:00Z", 19_782.0 + 23.0 / 24.0),
        ] {
            assert_eq!(part(text, DatePart::Days), Ok(days), "{text}");
        }
    }

    #[test]
    fn parts() {
        let text = "2024-12-31T23:59:30.5";
        for (of, value) in [
            (DatePart::Year, 2024.0),
            (DatePart::Month, 12.0),
            (DatePart::Day, 31.0),
            (DatePart::Weekday, 1.0),
            (DatePart::YearDay, 366.0),
            (DatePart::Hour, 23.0),
            (DatePart::Minute, 59.0),
            (DatePart::Second, 30.5),
        ] {
            assert_eq!(part(text, of), Ok(value), "{of:?}");
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in ["2023-02-29", "2024-13-01", "2024-00-01", "2024-01-32", "2024-01-01 24:00", "2024-01-01 12:61"] {
            assert_eq!(part(text, DatePart::Days), Err(NoDate::Range), "{text}");
        }
        for text in ["", "yesterday", "12", "20240101", "2024-01-01-01", "1.5", "2024-01-01 noon", "٢٠٢٤-01-01"] {
            assert_eq!(part(text, DatePart::Days), Err(NoDate::Form), "{text}");
        }
        assert_eq!(part("31.12.2024", DatePart::Days), Err(NoDate::Order));
        assert_eq!(orders("31.12.2024"), [DateOrder::DayMonthYear]);
        assert_eq!(orders("02/03/2024"), [DateOrder::DayMonthYear, DateOrder::MonthDayYear]);
    }
}
