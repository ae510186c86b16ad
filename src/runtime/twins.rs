//! What programs that have much in common share: data that they define in the same way, and code of equal graphs.

use std::sync::{Arc, Mutex, PoisonError};

use super::program::Program;
use crate::base::Span;
use crate::compile::{BuildError, Function, Mode, Use};
use crate::ir::program::{DataSet, Field, Source, SourceColumn};
use crate::ir::{Graph, Sizes};

/// Code that several programs share.
#[derive(Default)]
pub struct Codes {
    known: Mutex<Vec<Known>>,
}

struct Known {
    graph: Graph,
    sizes: Sizes,
    usage: Use,
    mode: Mode,
    function: Arc<Function>,
}

/// So many functions are looked through.
const MOST: usize = 64;

impl Codes {
    /// The code of a graph, made now if no program had an equal one.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get(
        &self,
        graph: &Graph,
        sizes: &Sizes,
        (usage, mode): (Use, Mode),
        make: impl FnOnce() -> Result<Function, BuildError>,
    ) -> Result<Arc<Function>, BuildError> {
        let all = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |one: &&Known| {
            one.usage == usage && same_mode(one.mode, mode) && one.sizes == *sizes && one.graph.computes_as(graph)
        };
        if let Some(one) = all().iter().find(is_same) {
            return Ok(Arc::clone(&one.function));
        }
        // Nobody waits meanwhile: what several make at the same time is the same.
        let function = Arc::new(make()?);
        let mut known = all();
        if known.len() < MOST {
            let (graph, sizes, function) = (graph.clone(), sizes.clone(), Arc::clone(&function));
            known.push(Known { graph, sizes, usage, mode, function });
        }
        Ok(function)
    }
}

fn same_mode(a: Mode, b: Mode) -> bool {
    a.precision == b.precision && a.checked == b.checked && a.backend().name() == b.backend().name()
}

impl Program {
    /// Takes over the data sets of another program that are loaded there and defined here in the same way, and shares
    /// code of equal graphs with it from now on.
    pub fn share_with(&self, other: &Program) {
        self.share_codes(other.codes());
        if self.base() == other.base() && self.checked().precision == other.checked().precision {
            self.share_data_of(other);
        }
    }

    /// Takes over the data sets of another program that are loaded there and defined here in the same way.
    pub(super) fn share_data_of(&self, other: &Program) {
        let (ours, theirs) = (&self.checked().data, &other.checked().data);
        // Names are numbered over all data.
        if ours.len() != theirs.len() || !ours.iter().zip(theirs).all(|(a, b)| is_same(a, b)) {
            return;
        }
        for number in 0..ours.len() {
            if let Some(table) = other.table(number).get() {
                self.table(number).get_or_init(|| Arc::clone(table));
            }
        }
    }
}

/// Whether two data sets have the same rows.
fn is_same(a: &DataSet, b: &DataSet) -> bool {
    let column = |column: &SourceColumn| SourceColumn { span: Span::NONE, ..column.clone() };
    let field = |field: &Field| {
        let bounds: Vec<_> = field.bounds.iter().map(|bound| (bound.below.clone(), bound.is_declared)).collect();
        (field.name.clone(), field.row.clone(), bounds, field.reach)
    };
    let windows = |set: &DataSet| set.windows.map(|windows| (windows.stride, windows.cross_parts));
    let parts = |set: &DataSet| -> Vec<_> {
        set.parts.iter().map(|part| (part.name.clone(), part.share.to_bits())).collect()
    };
    (&a.name, a.rows, a.in_order, a.seed, a.division.folds) == (&b.name, b.rows, b.in_order, b.seed, b.division.folds)
        && source(&a.source) == source(&b.source)
        && a.columns.iter().map(column).eq(b.columns.iter().map(column))
        && a.fields.iter().map(field).eq(b.fields.iter().map(field))
        && (windows(a), parts(a)) == (windows(b), parts(b))
        && a.graph.computes_as(&b.graph)
        && a.division.graph.computes_as(&b.division.graph)
}

/// A source without the place where the program names it.
fn source(source: &Source) -> Source {
    let mut plain = source.clone();
    match &mut plain {
        Source::None => {}
        Source::Given { span }
        | Source::Csv { span, .. }
        | Source::Npy { span, .. }
        | Source::Npz { span, .. }
        | Source::Safetensors { span, .. }
        | Source::Idx { span, .. }
        | Source::Images { span, .. }
        | Source::Text { span, .. } => *span = Span::NONE,
    }
    plain
}
