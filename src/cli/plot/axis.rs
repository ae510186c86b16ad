//! An axis: a range of numbers with round ones marked.

use crate::runtime::format::number_text;

/// From the least number to the greatest, both shown.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Axis {
    pub from: f64,
    pub to: f64,
}

impl Axis {
    /// Around all numbers.
    pub fn around(numbers: impl Iterator<Item = f64>) -> Axis {
        let (from, to) =
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(n), high.max(n)));
        if from > to {
            Axis { from: 0.0, to: 1.0 }
        } else if from == to {
            // One number: something to see on both sides.
            let room = if from == 0.0 { 1.0 } else { from.abs() / 2.0 };
            Axis { from: from - room, to: to + room }
        } else {
            Axis { from, to }
        }
    }

    /// With room on both sides, as a part of its length.
    pub fn wider(self, part: f64) -> Axis {
        let room = (self.to - self.from) * part;
        Axis { from: self.from - room, to: self.to + room }
    }

    /// With room beyond the ends that are not 0.
    pub fn above(self, part: f64) -> Axis {
        let room = (self.to - self.from) * part;
        let from = if self.from == 0.0 { 0.0 } else { self.from - room };
        Axis { from, to: if self.to == 0.0 { 0.0 } else { self.to + room } }
    }

    /// Where a number lies, from 0 to 1.
    pub fn place(&self, number: f64) -> f64 {
        (number - self.from) / (self.to - self.from)
    }

    /// Round numbers within the axis, about as many as asked for, with their texts.
    pub fn ticks(&self, about: usize) -> Vec<(f64, String)> {
        let rough = (self.to - self.from) / about.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        if !step.is_finite() || step <= 0.0 {
            return Vec::new();
        }
        let first = (self.from / step - 1e-9).ceil();
        let last = (self.to / step + 1e-9).floor();
        let count = (last - first).clamp(-1.0, 50.0) as i64 + 1;
        (0..count)
            .map(|at| (first + at as f64) * step)
            .map(|number| if number.abs() < step * 1e-9 { 0.0 } else { number })
            .map(|number| (number, number_text(number)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers() {
        let texts = |from, to, about| -> Vec<String> {
            Axis { from, to }.ticks(about).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts(0.0, 1.0, 5), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(texts(-3.0, 4.0, 4), ["-2", "0", "2", "4"]);
        assert_eq!(texts(0.0137, 0.0162, 3), ["0.014", "0.015", "0.016"]);
        assert_eq!(texts(0.0, 1500.0, 3), ["0", "500", "1000", "1500"]);
        assert_eq!(Axis::around([2.0, 2.0].into_iter()), Axis { from: 1.0, to: 3.0 });
        assert_eq!(Axis::around([].into_iter()), Axis { from: 0.0, to: 1.0 });
    }
}
