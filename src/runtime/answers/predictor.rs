//! A trained model and what its results mean, for any number of rows.

use std::sync::Arc;

use super::asked::Asked;
use super::code::{RowCode, padded};
use super::meaning::{Meaning, Reading};
use super::undo::Undo;
use crate::base::Diagnostic;
use crate::ir::OutputKey;
use crate::ir::program::{Field, Select};
use crate::runtime::array::{Array, Elements};
use crate::runtime::program::Program;
use crate::runtime::session::Session;

/// Answers for rows of fields.
pub struct Predictor {
    pub asked: Asked,
    pub meaning: Meaning,
    /// The names of the target's classes, if it has classes with names.
    pub names: Option<Arc<[String]>>,
    /// How the target is called: the column that it is read from, or the field.
    pub target: String,
    /// How numbers become those of the file, if they are not the same.
    pub(super) undo: Option<Undo>,
    /// So many rows are computed at once.
    batch: usize,
    /// By which of the fields have ints of 64 bits.
    code: Vec<(Vec<bool>, RowCode)>,
    below: Vec<Option<i64>>,
}

impl Predictor {
    /// `original` is the program as it is written, `names` those of the classes of fields by name.
    pub fn new(
        original: &Program,
        asked: Asked,
        names: &dyn Fn(&str) -> Option<Arc<[String]>>,
        batch: usize,
    ) -> Predictor {
        let meaning = Meaning::of(original, &asked);
        let set = original.checked().data.iter().find(|set| set.name == asked.set);
        let mut target = meaning.target.as_deref().unwrap_or(&asked.model).to_owned();
        let mut below = Vec::new();
        if let Some(set) = set {
            let bound = |field: &Field| field.bounds.iter().filter_map(|bound| bound.below.as_number()).min();
            let field = |name: &Arc<str>| set.fields.iter().find(|field| field.name == *name);
            below.extend(asked.fields.iter().map(|name| field(name).and_then(bound)));
            let of_target = set
                .columns
                .iter()
                .filter(|column| Some(&column.field) == meaning.target.as_ref() && !column.training_only);
            let selects: Vec<&Select> = of_target.map(|column| &column.select).collect();
            if let ([Select::Named(columns)], Reading::Classes(..)) = (selects.as_slice(), meaning.reading)
                && let [column] = columns.as_slice()
            {
                target.clone_from(column);
            }
        }
        let names = meaning.target.as_deref().and_then(names);
        Predictor { asked, meaning, names, target, undo: None, batch: batch.max(1), code: Vec::new(), below }
    }

    /// Turns numbers of the target's field into those of the file, if that can be done.
    pub fn turn_back(&self, numbers: &mut Array) {
        if let Some(undo) = &self.undo {
            undo.apply(numbers);
        }
    }

    /// The results of the model for rows of its fields, all rows of each result together.
    ///
    /// # Errors
    /// Those of making code and of calling it.
    pub fn results(
        &mut self,
        session: &mut Session,
        fields: &[Array],
        rows: usize,
    ) -> Result<Vec<Array>, Diagnostic> {
        let wide: Vec<bool> =
            fields.iter().map(|array| matches!(array.elements(), Elements::I64(_))).collect();
        let at = match self.code.iter().position(|(known, _)| *known == wide) {
            Some(at) => at,
            None => {
                let named = self.asked.fields.iter().zip(&self.below).zip(&wide);
                let named: Vec<_> =
                    named.map(|((name, below), wide)| (name.clone(), *below, *wide)).collect();
                let made = RowCode::new(session, &self.asked.graph, self.batch, &named)?;
                self.code.push((wide, made));
                self.code.len() - 1
            }
        };
        let code = &mut self.code[at].1;
        let count = self.asked.graph.outputs.len();
        let mut results: Vec<Option<Array>> = vec![None; count];
        let broken = || Diagnostic::fault("a field has no rows, or a model no results");
        for from in (0..rows).step_by(self.batch) {
            let part: Vec<Array> = fields
                .iter()
                .map(|array| padded(array, from, self.batch).ok_or_else(broken))
                .collect::<Result<_, _>>()?;
            code.call(session, &part.iter().collect::<Vec<_>>())?;
            let taken = self.batch.min(rows - from);
            for (number, all) in results.iter_mut().enumerate() {
                let key = OutputKey::named(number.to_string());
                let result = code.result(&key).ok_or_else(broken)?;
                let len = result.row_len();
                if all.is_none() {
                    let mut shape = result.shape().to_vec();
                    shape.first_mut().map(|first| *first = rows).ok_or_else(broken)?;
                    let zeros = crate::ir::Elem::Float;
                    *all = Some(Array::zeros(zeros, session.memory.precision, shape));
                }
                if let Some(all) = all {
                    all.elements_mut().put(from * len, &result.elements().part(0..taken * len));
                }
            }
        }
        let mut results: Vec<Array> = results.into_iter().map(|array| array.ok_or_else(broken)).collect::<Result<_, _>>()?;
        if let (Some(undo), Some(first)) = (&self.undo, results.first_mut()) {
            undo.apply(first);
        }
        Ok(results)
    }
}
