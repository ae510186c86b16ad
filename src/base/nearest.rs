//! The name that a misspelt one probably stands for.

use super::foreign::folded;

/// The candidate nearest to `name`, if one is near enough to be what was meant: at most a third
/// of its characters differ (one for short names). Of equally near ones that with most of its letters, then the first of the same length.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody has misspelt a name that long.
    if name.len() > 200 {
        return None;
    }
    // Other capitals or underscores are another spelling of the same name.
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let wanted = folded(name);
    if let Some(same) = candidates.iter().find(|candidate| folded(candidate) == wanted) {
        return Some(same);
    }
    let limit = (name.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = edit_distance(name, candidate);
        let good = distance <= limit && distance < candidate.chars().count();
        // Of equally near ones that with more of the letters, then that of the same length: letters that changed
        // places rather than a lost one.
        let fit = |other: &str| (shared_letters(name, other), other.chars().count() == name.chars().count());
        let better = |(least, other): (usize, &str)| {
            distance < least || (distance == least && fit(candidate) > fit(other))
        };
        if good && best.is_none_or(better) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters of a name another one has, too.
fn shared_letters(name: &str, other: &str) -> usize {
    let mut left: Vec<char> = other.chars().collect();
    let mut is_there = |c: &char| left.iter().position(|other| other == c).map(|at| left.swap_remove(at)).is_some();
    name.chars().filter(|c| is_there(c)).count()
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour;
/// a difference in case alone counts as one in all.
pub fn edit_distance(left: &str, right: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left != right && left.to_lowercase() == right.to_lowercase() {
        return 1;
    }
    // Rows of the usual table: two back, one back, this one.
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(edit_distance("weight", "weight"), 0);
        assert_eq!(edit_distance("wieght", "weight"), 1);
        assert_eq!(edit_distance("weigt", "weight"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("relu", "ReLU"), 1);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn offers_only_what_is_near() {
        let names = ["softmax", "sigmoid", "tanh", "x"];
        assert_eq!(nearest("sofmtax", names), Some("softmax"));
        assert_eq!(nearest("tan", names), Some("tanh"));
        assert_eq!(nearest("convolution", names), None);
        assert_eq!(nearest("y", names), None);
    }
}
