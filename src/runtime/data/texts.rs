//! Columns of texts as numbers: of words, characters, or frequent parts of words.
//!
//! The vocabulary is learnt from the training part: a list of names, of which the first two stand for what is behind the
//! end of a text and for what is not in the list. Of parts of words it has them in the order in which they were found,
//! so that a word is put together in the same order again (byte-pair encoding, Sennrich et al. 2016, of characters).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::read::{Around, Read};
use super::{Column, Rows};
use crate::base::order::PutInOrder;
use crate::ir::program::{DataSet, PADDING, SourceColumn, TextUnit, TextUnits, UNKNOWN};
use crate::runtime::array::{Array, Elements};
use crate::runtime::report::data::DataWarning;

/// The names of the numbers that stand for no part of a text.
const RESERVED: [&str; 2] = ["(end)", "(unknown)"];

/// Numbers the texts of a data set, by the vocabulary that is known or by that of the training rows.
pub fn number(set: &DataSet, read: &mut [Read], around: Around<'_>, training: &Rows) {
    for (column, read) in set.columns.iter().zip(read) {
        let (Some(units), Some(texts), Column::Memory(array)) = (column.text, read.names.clone(), &read.column) else {
            continue;
        };
        let Elements::I32(ids) = array.elements() else { continue };
        let known = around.classes.names(set, column);
        let vocabulary = match &known {
            Some(known) => Arc::clone(known),
            None => {
                let mut counts = vec![0usize; texts.len()];
                (0..training.len()).for_each(|at| counts[ids[training.get(at) as usize] as usize] += 1);
                learn(units, texts.iter().zip(counts).map(|(text, count)| (&**text, count))).into()
            }
        };
        let (numbers, cut) = Numbering::new(units, &vocabulary).rows(&texts, ids);
        if known.is_none() {
            tell(column, units, &vocabulary, cut, ids.len(), around);
        }
        (read.column, read.names) = (Column::Memory(numbers.into()), Some(vocabulary));
    }
}

/// The numbers of some texts, `[rows, length]`: `ids` says which of the texts each row has.
pub fn numbered(units: TextUnits, vocabulary: &[String], texts: &[String], ids: &[i32]) -> Array {
    Numbering::new(units, vocabulary).rows(texts, ids).0
}

/// What is to be told of texts that a program learns from: where many are cut, or the vocabulary is never full.
fn tell(column: &SourceColumn, units: TextUnits, vocabulary: &[String], cut: Cut, rows: usize, around: Around<'_>) {
    let (field, at) = (column.field.clone(), column.span);
    if cut.rows * 10 > rows {
        let Cut { rows: count, longest } = cut;
        let (field, length) = (field.clone(), units.length);
        around.notices.add(DataWarning::LongTexts { field, count, rows, length, longest, at });
    }
    if vocabulary.len() < units.most {
        let (declared, found) = (units.most, vocabulary.len());
        around.notices.add(DataWarning::SmallVocabulary { field, declared, found, at });
    }
}

/// Texts that were longer than their field.
#[derive(Clone, Copy)]
struct Cut {
    rows: usize,
    longest: usize,
}

/// How a vocabulary numbers texts.
struct Numbering<'a> {
    units: TextUnits,
    numbers: HashMap<&'a str, i32>,
}

impl<'a> Numbering<'a> {
    fn new(units: TextUnits, vocabulary: &'a [String]) -> Numbering<'a> {
        let numbers = vocabulary.iter().map(|name| &**name).zip(0..).skip(RESERVED.len()).collect();
        Numbering { units, numbers }
    }

    fn rows(&self, texts: &[String], ids: &[i32]) -> (Array, Cut) {
        let length = self.units.length;
        let numbers: Vec<Vec<i32>> = texts.iter().map(|text| self.of(text)).collect();
        let mut all = vec![PADDING; ids.len() * length];
        let mut cut = Cut { rows: 0, longest: 0 };
        for (row, id) in all.chunks_exact_mut(length).zip(ids) {
            let Some(numbers) = usize::try_from(*id).ok().and_then(|id| numbers.get(id)) else { continue };
            cut.rows += usize::from(numbers.len() > length);
            cut.longest = cut.longest.max(numbers.len());
            row.iter_mut().zip(numbers).for_each(|(place, number)| *place = *number);
        }
        let array = Array::new(vec![ids.len(), length], Elements::I32(all)).expect("as many elements as the shape has");
        (array, cut)
    }

    /// All numbers of a text.
    fn of(&self, text: &str) -> Vec<i32> {
        let number = |part: &str| self.numbers.get(part).copied().unwrap_or(UNKNOWN);
        match self.units.unit {
            TextUnit::Words => words(text).iter().map(|word| number(word)).collect(),
            TextUnit::Characters => text.chars().map(|c| number(c.encode_utf8(&mut [0; 4]))).collect(),
            TextUnit::Pairs => pieces(text).iter().flat_map(|piece| self.parts(piece)).collect(),
        }
    }

    /// The parts of a word: neighbours are joined as long as what they make is in the vocabulary, first those that are
    /// furthest ahead in it.
    fn parts(&self, piece: &str) -> Vec<i32> {
        let mut parts: Vec<String> = piece.chars().map(String::from).collect();
        loop {
            let joined = parts.windows(2).map(|pair| self.numbers.get(pair.concat().as_str()).copied());
            let best = joined.enumerate().filter_map(|(at, number)| Some((number?, at))).min();
            let Some((_, at)) = best else { break };
            let second = parts.remove(at + 1);
            parts[at].push_str(&second);
        }
        parts.iter().map(|part| self.numbers.get(part.as_str()).copied().unwrap_or(UNKNOWN)).collect()
    }
}

/// The words of a text in small letters: runs of letters and digits, with apostrophes within, and every other character
/// by itself.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut characters = text.chars().flat_map(char::to_lowercase).peekable();
    while let Some(c) = characters.next() {
        let goes_on = is_open && characters.peek().is_some_and(|next| next.is_alphanumeric());
        let is_within = c.is_alphanumeric() || matches!(c, '\'' | '’') && goes_on;
        if is_within && is_open {
            words.last_mut().into_iter().for_each(|word| word.push(c));
        } else if !c.is_whitespace() {
            words.push(c.into());
        }
        is_open = is_within;
    }
    words
}

/// A text in pieces that each begin with the blanks before a word; what is joined is joined within one of them.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for c in text.chars() {
        let begins = match before {
            None => true,
            Some(before) => {
                let kind = |c: char| (c.is_alphanumeric(), c.is_whitespace());
                kind(c) != kind(before) && !before.is_whitespace()
            }
        };
        match pieces.last_mut().filter(|_| !begins) {
            Some(piece) => piece.push(c),
            None => pieces.push(c.into()),
        }
        before = Some(c);
    }
    pieces
}

/// The vocabulary of texts that are there so many times.
fn learn<'t>(units: TextUnits, texts: impl Iterator<Item = (&'t str, usize)>) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (text, count) in texts.filter(|(_, count)| *count > 0) {
        let parts = match units.unit {
            TextUnit::Words => words(text),
            TextUnit::Characters => text.chars().map(String::from).collect(),
            TextUnit::Pairs => pieces(text),
        };
        parts.into_iter().for_each(|part| *counts.entry(part).or_default() += count);
    }
    let room = units.most.saturating_sub(RESERVED.len());
    let names = match units.unit {
        TextUnit::Words | TextUnit::Characters => most_frequent(counts, room),
        TextUnit::Pairs => joined_pairs(&counts, room),
    };
    RESERVED.iter().map(|name| (*name).to_owned()).chain(names).collect()
}

/// The most frequent ones first; of equally frequent ones in the order of the alphabet.
fn most_frequent(counts: BTreeMap<String, usize>, most: usize) -> Vec<String> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.put_in_order_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counts.truncate(most);
    counts.into_iter().map(|(name, _)| name).collect()
}

/// The characters, and then again and again what the most frequent pair of neighbours makes.
fn joined_pairs(pieces: &BTreeMap<String, usize>, most: usize) -> Vec<String> {
    let mut characters: BTreeMap<String, usize> = BTreeMap::new();
    for (piece, count) in pieces {
        piece.chars().for_each(|c| *characters.entry(c.into()).or_default() += count);
    }
    let mut names = most_frequent(characters, most);
    let mut words: Vec<(Vec<String>, usize)> =
        pieces.iter().map(|(piece, count)| (piece.chars().map(String::from).collect(), *count)).collect();
    while names.len() < most {
        let mut pairs: HashMap<(&str, &str), usize> = HashMap::new();
        for (parts, count) in &words {
            parts.windows(2).for_each(|pair| *pairs.entry((&pair[0], &pair[1])).or_default() += count);
        }
        let better = |a: &((&str, &str), usize), b: &((&str, &str), usize)| a.1.cmp(&b.1).then(b.0.cmp(&a.0));
        let Some(((first, second), count)) = pairs.into_iter().max_by(better) else { break };
        // What stands there once says nothing.
        if count < 2 {
            break;
        }
        let (first, second) = (first.to_owned(), second.to_owned());
        let joined = format!("{first}{second}");
        for (parts, _) in &mut words {
            let mut at = 0;
            while at + 1 < parts.len() {
                if parts[at] == first && parts[at + 1] == second {
                    parts.remove(at + 1);
                    parts[at].clone_from(&joined);
                }
                at += 1;
            }
        }
        if !names.contains(&joined) {
            names.push(joined);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(unit: TextUnit, length: usize, most: usize) -> TextUnits {
        TextUnits { unit, length, most }
    }

    #[test]
    fn words_are_small_and_signs_stand_alone() {
        assert_eq!(words("I don't, I DON'T!"), ["i", "don't", ",", "i", "don't", "!"]);
        assert_eq!(words("'a' 1.5 ñandú"), ["'", "a", "'", "1", ".", "5", "ñandú"]);
        assert_eq!(pieces("to be, or"), ["to", " be", ",", " or"]);
        assert!(words("").is_empty() && pieces("").is_empty());
    }

    #[test]
    fn a_vocabulary_has_the_frequent_ones_and_two_more() {
        let of = units(TextUnit::Words, 4, 4);
        let vocabulary = learn(of, [("b a a", 1), ("a c b", 2), ("d d d d d d d", 0)].into_iter());
        assert_eq!(vocabulary, ["(end)", "(unknown)", "a", "b"]);
        let texts = ["a b x".to_owned(), "b b b b b".to_owned(), String::new()];
        let (numbers, cut) = Numbering::new(of, &vocabulary).rows(&texts, &[0, 1, 2]);
        assert_eq!(numbers.to_i64().expect("ints").as_ref(), [2, 3, 1, 0, 3, 3, 3, 3, 0, 0, 0, 0]);
        assert_eq!((cut.rows, cut.longest), (1, 5));
    }

    #[test]
    fn pairs_are_joined_as_they_were_learnt() {
        let of = units(TextUnit::Pairs, 8, 20);
        let vocabulary = learn(of, [("low lower lowest", 3), ("new newer", 2)].into_iter());
        assert!(vocabulary.contains(&"low".to_owned()) && vocabulary.contains(&" low".to_owned()), "{vocabulary:?}");
        let numbers = Numbering::new(of, &vocabulary).of("low lows");
        let shown: Vec<&str> = numbers.iter().map(|number| &*vocabulary[*number as usize]).collect();
        assert_eq!(shown, ["low", " low", "s"]);
        assert_eq!(Numbering::new(of, &vocabulary).of("z"), [UNKNOWN]);
    }
}
