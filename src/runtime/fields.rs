//! The graphs of a data set's fields, carried out by a session.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::array::Array;
use super::call::Moment;
use super::data::lazy::Computed;
use super::data::load;
use super::program::Part;
use super::session::{Session, Tensors};
use crate::base::Diagnostic;
use crate::ir::program::{DataSet, Precision};
use crate::ir::{Graph, Sizes};

/// Carries out the graphs of a data set's fields.
pub(super) struct FieldsOf<'s> {
    pub session: &'s mut Session,
    pub part: Part,
    pub set: &'s DataSet,
}

impl load::Evaluate for FieldsOf<'_> {
    fn once(
        &mut self,
        graph: &Graph,
        sizes: &Sizes,
        inputs: &Tensors,
    ) -> Result<BTreeMap<Arc<str>, Array>, Diagnostic> {
        let moment = Moment { seed: self.set.seed, step: 0 };
        self.session.evaluate_graph(self.part, graph, sizes, moment, inputs, Some(self.set.span))
    }

    fn wide(
        &mut self,
        graph: &Graph,
        sizes: &Sizes,
        inputs: &Tensors,
    ) -> Result<BTreeMap<Arc<str>, Array>, Diagnostic> {
        let moment = Moment { seed: self.set.seed, step: 0 };
        let precision = std::mem::replace(&mut self.session.memory.precision, Precision::F64);
        let outputs = self.session.evaluate_once(graph, sizes, moment, inputs, self.set.span);
        self.session.memory.precision = precision;
        outputs
    }

    fn rows(
        &mut self,
        computed: &Computed,
        sizes: &Sizes,
        inputs: &Tensors,
    ) -> Result<BTreeMap<Arc<str>, Array>, Diagnostic> {
        self.session.compute(computed, sizes, inputs)
    }
}
