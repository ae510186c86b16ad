//! `data NAME = DATA, batch = n`: data of which each step of a training draws rows of its own.

use super::train::{data_ref, data_ref_of, reads, positive};
use crate::base::Span;
use crate::ir::InputKey;
use crate::ir::program::{Companion, Forward, Train};
use crate::sema::body::elaborator::Elaborator;
use crate::sema::scope::report::companions::{CompanionError, CompanionWarning};
use crate::sema::scope::report::settings::SettingError;
use crate::sema::settings;
use crate::sema::value::DataValue;
use crate::syntax::ast;
use std::sync::Arc;

/// The data whose rows the graphs of a training are about.
pub struct BatchData {
    /// That of the setting `data`.
    pub main: DataValue,
    pub companions: Vec<Drawn>,
}

/// Data that is drawn from beside that of the setting `data`.
pub struct Drawn {
    pub name: Arc<str>,
    pub data: DataValue,
    /// Rows of a batch, if they are not as many as those of the setting `data`.
    pub batch: Option<usize>,
    pub span: Span,
}

/// Reads these lines of a `train`, whose settings are known.
pub fn companions(cx: &mut Elaborator<'_>, item: &ast::Train, data: DataValue, train: &mut Train<Forward>) -> BatchData {
    let mut drawn = Vec::new();
    for line in &item.companions {
        let (mut batch, mut shuffle) = (None, train.shuffle);
        for (at, option) in line.options.iter().enumerate() {
            let Some(known) = cx.setting(&settings::COMPANION, option, &line.options[..at]) else { continue };
            match known.name {
                "batch" => batch = positive(cx, &option.value, "`batch`").map(|rows| rows as usize),
                "shuffle" => shuffle = cx.compile_time_bool(&option.value, "`shuffle`").unwrap_or(shuffle),
                _ => {
                    cx.report(SettingError::NotRead { name: option.name.clone() });
                }
            }
        }
        let Some(found) = data_ref(cx, &line.data, "`data`") else { continue };
        let fields = cx.data.sets.get(&data.item).map(|info| info.fields.as_slice()).unwrap_or_default();
        if let Some(field) = fields.iter().find(|field| field.name == line.name.text) {
            let (field, declared) = (field.name.clone(), field.span);
            cx.report(CompanionError::NamedLikeField { field, data: data.item.clone(), at: line.name.span, declared });
            continue;
        }
        train.companions.push(Companion {
            name: line.name.text.clone(),
            data: data_ref_of(&found),
            batch,
            shuffle,
            fields: Vec::new(),
            span: line.span,
        });
        drawn.push(Drawn { name: line.name.text.clone(), data: found, batch, span: line.name.span });
    }
    BatchData { main: data, companions: drawn }
}

/// Finds which fields of its companions a training reads; none of one is told.
pub fn find_fields(cx: &mut Elaborator<'_>, data: &BatchData, train: &mut Train<Forward>) {
    for drawn in &data.companions {
        let Some(info) = cx.data.sets.get(&drawn.data.item) else { continue };
        let names = info.fields.iter().map(|field| field.name.clone());
        let is_read = |field: &Arc<str>| reads(train, &InputKey::Companion(drawn.name.clone(), field.clone()));
        let fields: Vec<Arc<str>> = names.filter(is_read).collect();
        if fields.is_empty() && !cx.has_errors() {
            let first = cx.data.sets[&drawn.data.item].fields.first().map(|field| field.name.clone());
            cx.report(CompanionWarning::Idle { name: drawn.name.clone(), first, at: drawn.span });
        }
        if let Some(companion) = train.companions.iter_mut().find(|companion| companion.name == drawn.name) {
            companion.fields = fields;
        }
    }
}
