//! `generate`: a model goes on with a text, one character at a time.
//!
//! The model sees the last characters of the text, as many as its window takes, so nothing has to be known of
//! what it keeps inside. A text that is shorter than the window is filled up behind its end; that changes
//! nothing for a model whose scores depend only on what stands before, and this is checked.

use std::sync::Arc;

use super::array::{Array, Elements};
use super::call::Moment;
use super::program::Part;
use super::report::programs::GenerateError;
use super::session::{Results, Session, Tensors};
use crate::base::Diagnostic;
use crate::ir::program::Generate;
use crate::ir::{InputKey, Sizes};

/// The prompt and the characters that the model adds.
///
/// # Errors
/// E0716 if the prompt has a character that the text of the data does not have; E0732 if the model cannot go
/// on with it; those of loading the data.
pub fn generate(session: &mut Session, part: Part, item: &Generate) -> Result<String, Diagnostic> {
    let table = session.table(&item.data)?;
    let Some(text) = &table.text else {
        return Err(GenerateError::NoText { set: item.data.clone(), at: item.span }.into());
    };
    let vocabulary = text.vocabulary().len();
    if vocabulary != item.classes {
        let (set, scored, at) = (item.data.clone(), item.classes, item.span);
        return Err(GenerateError::Characters { set, scored, found: vocabulary, at }.into());
    }
    let mut characters = text.encode(&item.prompt).map_err(|error| error.at(item.prompt_span, ""))?;
    if !item.scores_each && characters.len() < item.window {
        let (needed, found, at) = (item.window, characters.len(), item.prompt_span);
        return Err(GenerateError::Short { needed, found, at }.into());
    }
    let seed = item.seed.unwrap_or(session.program.checked().seed);
    for step in 1..=item.length {
        let moment = Moment { seed, step: step as u32 };
        let seen = &characters[characters.len().saturating_sub(item.window)..];
        let results = next(session, part, item, seen, 0, moment)?;
        if step == 1 && seen.len() < item.window {
            let other = (vocabulary - 1) as i32;
            let again = next(session, part, item, seen, other, moment)?;
            if !same_bits(&results, &again) {
                return Err(GenerateError::LooksAhead { at: item.span }.into());
            }
        }
        if results
            .get(&"scores".into())
            .is_some_and(|scores| scores.to_f64().iter().any(|score| score.is_nan()))
        {
            return Err(GenerateError::NoNumbers { step, at: item.span }.into());
        }
        match results.get(&"next".into()).map(Array::elements) {
            Some(Elements::I32(chosen)) if usize::try_from(chosen[0]).is_ok_and(|class| class < vocabulary) => {
                characters.push(chosen[0]);
            }
            Some(Elements::I64(chosen)) if (0..vocabulary as i64).contains(&chosen[0]) => {
                characters.push(chosen[0] as i32);
            }
            _ => {
                let (characters, at) = (vocabulary, item.span);
                return Err(GenerateError::NoCharacter { step, characters, at }.into());
            }
        }
    }
    Ok(text.decode(&characters))
}

/// One call of the model. Places behind the text hold `filler`.
fn next(
    session: &mut Session,
    part: Part,
    item: &Generate,
    seen: &[i32],
    filler: i32,
    moment: Moment,
) -> Result<Results, Diagnostic> {
    let mut characters = seen.to_vec();
    characters.resize(item.window, filler);
    let place = Array::new(Vec::new(), Elements::I32(vec![seen.len() as i32 - 1]));
    let characters = Array::new(vec![1, item.window], Elements::I32(characters));
    let given = [("characters", characters), ("place", place)];
    let inputs: Tensors = given
        .into_iter()
        .filter_map(|(name, array)| Some((InputKey::field(name), Arc::new(array.ok()?))))
        .collect();
    session.evaluate_graph(part, &item.graph, &Sizes::new(), moment, &inputs, Some(item.span))
}

fn same_bits(a: &Results, b: &Results) -> bool {
    let bits = |results: &Results| -> Option<Vec<u64>> {
        Some(results.get(&"scores".into())?.to_f64().iter().map(|score| score.to_bits()).collect())
    };
    bits(a) == bits(b)
}
