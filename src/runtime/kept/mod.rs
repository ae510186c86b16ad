//! What was learnt from data beside parameters: statistics of the training part, the names of classes, the characters
//! of texts. It is kept in the file of the parameters and used by whatever reads that file, so that nothing is learnt
//! again from a new file.
//!
//! In a safetensors file a statistic is an array `nnc.learnt.DATA.NUMBER`, where the number stands for the formula of
//! the statistic and the columns in it; the metadata has `nnc.learnt`, a JSON object:
//!
//! ```json
//! {"classes": {"DATA": {"FIELD": ["first", "second"]}}, "vocabularies": {"DATA": "abc"}, "given": false}
//! ```

pub mod statistics;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::array::Array;
use super::data::Table;
use super::data::load::Inputs;
use super::report::training::ResumeError;
use super::sources::safetensors::SafeTensors;
use crate::base::Diagnostic;
use crate::ir::program::DataSet;
use crate::ir::{Graph, InputKey};

/// The key of the metadata, and how the names of the arrays begin.
const LEARNT: &str = "nnc.learnt";

/// What was learnt from the data sets of a program.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Kept {
    /// By name, see [`statistics::statistics`].
    statistics: BTreeMap<String, Arc<Array>>,
    /// The names of classes in order, by data set and field.
    classes: BTreeMap<(String, String), Arc<[String]>>,
    /// The characters of texts in order, by data set.
    vocabularies: BTreeMap<String, Arc<[char]>>,
    /// Whether the training itself was given what another had learnt, by `--init`: going on with it needs it again.
    pub given: bool,
}

impl Kept {
    /// What a file has; none if it was written without.
    ///
    /// # Errors
    /// Those of reading its arrays.
    pub fn of_file(file: &SafeTensors) -> Result<Option<Kept>, Diagnostic> {
        let Some(text) = file.metadata().get(LEARNT) else { return Ok(None) };
        let Some(mut kept) = Kept::parse(text) else {
            let file = file.path().display().to_string();
            return Err(ResumeError::Damaged { file, metadata: LEARNT }.into());
        };
        for name in file.names() {
            if let Some(statistic) = name.strip_prefix(LEARNT).and_then(|rest| rest.strip_prefix('.')) {
                kept.statistics.insert(statistic.to_owned(), Arc::new(file.tensor(name)?.load()?));
            }
        }
        Ok(Some(kept))
    }

    fn parse(text: &str) -> Option<Kept> {
        let value: Value = serde_json::from_str(text).ok()?;
        let mut kept = Kept::default();
        for (set, fields) in value["classes"].as_object()? {
            for (field, names) in fields.as_object()? {
                let names = names.as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
                kept.classes.insert((set.clone(), field.clone()), names.collect::<Option<_>>()?);
            }
        }
        for (set, characters) in value["vocabularies"].as_object()? {
            kept.vocabularies.insert(set.clone(), characters.as_str()?.chars().collect());
        }
        kept.given = value["given"].as_bool().unwrap_or(false);
        Some(kept)
    }

    /// The key of the metadata and its text.
    pub fn metadata(&self) -> (String, String) {
        let mut classes: BTreeMap<&str, BTreeMap<&str, &[String]>> = BTreeMap::new();
        for ((set, field), names) in &self.classes {
            classes.entry(set).or_default().insert(field, names);
        }
        let vocabularies: BTreeMap<&str, String> = self
            .vocabularies
            .iter()
            .map(|(set, characters)| (set.as_str(), characters.iter().collect()))
            .collect();
        let value = json!({ "classes": classes, "vocabularies": vocabularies, "given": self.given });
        (LEARNT.to_owned(), value.to_string())
    }

    /// The statistics as arrays of a file.
    pub fn arrays(&self) -> impl Iterator<Item = (String, &Array)> {
        self.statistics.iter().map(|(name, array)| (format!("{LEARNT}.{name}"), &**array))
    }

    /// Whether there is nothing to be kept.
    pub fn is_empty(&self) -> bool {
        self.statistics.is_empty() && self.classes.is_empty() && self.vocabularies.is_empty()
    }

    /// Takes what a data set has learnt from its rows.
    pub fn add(&mut self, set: &str, table: &Table) {
        self.statistics.extend(table.learnt.iter().map(|(name, array)| (name.clone(), Arc::clone(array))));
        for (field, names) in &table.names {
            self.classes.insert((set.to_owned(), field.to_string()), Arc::clone(names));
        }
        if let Some(text) = &table.text {
            self.vocabularies.insert(set.to_owned(), text.vocabulary().into());
        }
    }

    /// The names of the classes of a field, in order.
    pub fn classes(&self, set: &str, field: &str) -> Option<&Arc<[String]>> {
        self.classes.get(&(set.to_owned(), field.to_owned()))
    }

    /// The characters of a text, in order.
    pub fn vocabulary(&self, set: &str) -> Option<&Arc<[char]>> {
        self.vocabularies.get(set)
    }

    /// The fields of a data set with the statistics that are kept as inputs `statistic:N`, and these inputs.
    pub fn put_into(&self, set: &DataSet) -> (Graph, Inputs) {
        let (mut places, mut inputs) = (std::collections::HashMap::new(), Inputs::new());
        for statistic in statistics::statistics(set, &set.graph) {
            let Some(array) = self.statistics.get(&statistic.name) else { continue };
            let shape = set.graph.ty(statistic.node).static_shape();
            if shape.as_deref() != Some(array.shape()) {
                continue;
            }
            let number = places.len() as u32;
            places.insert(statistic.node, number);
            inputs.insert(InputKey::Statistic(number), Arc::clone(array));
        }
        (super::data::statistics::with_inputs(&set.graph, &places), inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_reads_back() {
        let mut kept = Kept::default();
        let names: Arc<[String]> = ["Gentoo".to_owned(), "a \"b\"".to_owned()].into();
        kept.classes.insert(("penguins".into(), "species".into()), names);
        kept.vocabularies.insert("plays".into(), ['\n', 'a', 'ß'].into());
        let (key, text) = kept.metadata();
        assert_eq!(key, "nnc.learnt");
        assert_eq!(Kept::parse(&text), Some(kept));
        assert_eq!(Kept::parse("{}"), None);
    }
}
