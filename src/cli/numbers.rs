//! Numbers as people read them.

/// `1_234_567`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

/// `12 B`, `3.4 KB`, `56 MB`
pub fn bytes(number: u64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 100.0 {
        format!("{value:.0} {}", units[unit])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// `0.8 ms`, `12.3 s`, `4 min 5 s`
pub fn duration(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:.0} s", (seconds / 60.0) as u64, seconds % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!((count(0), count(999), count(1_234_567)), ("0".into(), "999".into(), "1_234_567".into()));
        assert_eq!(
            (bytes(999), bytes(1500), bytes(123_456_789)),
            ("999 B".into(), "1.5 KB".into(), "123 MB".into())
        );
        assert_eq!(
            (duration(2e-5), duration(0.0123), duration(3.0)),
            ("20 µs".into(), "12.3 ms".into(), "3.0 s".into())
        );
    }
}
