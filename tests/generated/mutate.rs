//! Changes texts and files a little, or much, the way mistakes and hostile people do.

use super::random::Random;

/// Things that have a meaning somewhere in a program.
const WORDS: [&str; 56] = [
    "model", "layer", "fn", "train", "data", "print", "expect", "if", "then", "else", "for", "in", "scan",
    "carry", "collect", "along", "param", "state", "grad", "sum", "max", "argmax", "minimize", "with",
    "over", "gradient", "new", "none", "inf", "true", "import", "const", "skip", "reverse", "class", "int",
    "bool", "(", ")", "[", "]", "{", "}", ":", "...", ",", "=", "+=", "<-", "|>", "->", "\"", "{{", "#", "@",
    "^",
];

const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "255",
    "65536",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "1e30",
    "1e-320",
    "0.5",
    "99999999999999999999",
];

/// A text made of one of the seeds, sometimes with a part of another.
pub fn text(random: &mut Random, seeds: &[String]) -> String {
    let mut letters: Vec<char> = random.one_of(seeds).chars().collect();
    // One change alone often leaves a program that is almost right.
    let changes = if random.chance(60) { 1 } else { 1 + random.below(5) };
    for _ in 0..changes {
        let at = random.below(letters.len() + 1);
        let most = 1 << random.below(7);
        let end = (at + 1 + random.below(most)).min(letters.len());
        match random.below(10) {
            0 => drop(letters.drain(at..end)),
            1 => {
                let part: Vec<char> = letters[at..end].to_vec();
                letters.splice(at..at, part);
            }
            2 => {
                let word = *random.one_of(&WORDS);
                letters.splice(at..at, format!(" {word} ").chars());
            }
            3..5 => replace_word(random, &mut letters, &WORDS),
            5 | 6 => replace_number(random, &mut letters),
            7 => {
                let other: Vec<char> = random.one_of(seeds).chars().collect();
                let from = random.below(other.len() + 1);
                let to = (from + random.below(80)).min(other.len());
                letters.splice(at..at, other[from..to].iter().copied());
            }
            8 => {
                let odd = *random.one_of(&[
                    '\n',
                    '\t',
                    '\r',
                    '\0',
                    '\u{1b}',
                    'é',
                    '\u{202e}',
                    '⟦',
                    '\u{10ffff}',
                    '_',
                ]);
                letters.insert(at, odd);
            }
            _ => letters.truncate(at.max(letters.len() / 2)),
        }
    }
    letters.into_iter().collect()
}

/// A word of the text becomes another, one of the language or one that stands elsewhere in it.
fn replace_word(random: &mut Random, letters: &mut Vec<char>, words: &[&str]) {
    let places = runs(letters, |letter| letter.is_alphanumeric() || letter == '_');
    if places.is_empty() {
        return;
    }
    let (start, end) = *random.one_of(&places);
    let new: Vec<char> = if random.chance(60) {
        let (from, to) = *random.one_of(&places);
        letters[from..to].to_vec()
    } else {
        random.one_of(words).chars().collect()
    };
    letters.splice(start..end, new);
}

fn replace_number(random: &mut Random, letters: &mut Vec<char>) {
    let places = runs(letters, |letter| letter.is_ascii_digit());
    if places.is_empty() {
        return;
    }
    let (start, end) = *random.one_of(&places);
    letters.splice(start..end, random.one_of(&NUMBERS).chars());
}

fn runs(letters: &[char], is_in: impl Fn(char) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, letter) in letters.iter().copied().chain([' ']).enumerate() {
        match (start, at < letters.len() && is_in(letter)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                found.push((from, at));
                start = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    found
}

/// A file made of one of the seeds.
pub fn bytes(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut file = seed.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(file.len().max(1));
        // Heads of files are short and mean much.
        let at = if random.chance(60) { at.min(random.below(256)) } else { at };
        match random.below(10) {
            _ if file.is_empty() => return file,
            0 => file.truncate(at),
            1 => {
                let end = (at + 1 + random.below(40)).min(file.len());
                drop(file.drain(at..end));
            }
            2 => {
                let end = (at + 1 + random.below(40)).min(file.len());
                let part = file[at..end].to_vec();
                file.splice(at..at, part);
            }
            3 => {
                let value = *random.one_of(&[0u64, 1, u64::MAX, 1 << 31, 1 << 32, 1 << 62, u64::MAX - 7]);
                let width = *random.one_of(&[2usize, 4, 8]);
                let digits =
                    if random.chance(50) { value.to_le_bytes() } else { value.rotate_left(32).to_be_bytes() };
                for (place, byte) in file.iter_mut().skip(at).zip(&digits[..width]) {
                    *place = *byte;
                }
            }
            4 | 5 => {
                let digits = (0..file.len()).filter(|at| file[*at].is_ascii_digit()).collect::<Vec<_>>();
                if !digits.is_empty() {
                    let at = *random.one_of(&digits);
                    file.splice(at..=at, random.one_of(&NUMBERS).bytes());
                }
            }
            6 => file[at] ^= 1 << random.below(8),
            7 => file[at] = *random.one_of(b"\0\xff\",:[]{}()'\n\r;-e.9 "),
            8 => file[at] = random.below(256) as u8,
            _ => file.extend_from_slice(&[0; 3]),
        }
    }
    file
}
