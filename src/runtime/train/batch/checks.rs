//! What is asked of the code for a batch before it is used: how much memory steps take, and whether what a
//! checkpoint has of an unfinished epoch is such as they give.

use super::{Batch, Slot};
use crate::compile::Function;
use crate::ir::ExternalKey;
use crate::runtime::array::Array;
use crate::runtime::room::{self, Need};
use crate::runtime::train::averages::Averages;

/// Bytes of an element, about: what is refused is refused for the size of large tensors.
const ELEMENT: usize = 4;

impl Batch {
    /// The memory that steps of this code take beside parameters and states.
    pub fn need(function: &Function, size: usize) -> Need {
        let bytes = |is_kind: fn(&ExternalKey) -> bool| {
            let of_kind = function.externals.iter().filter(|external| is_kind(&external.name));
            of_kind.fold(0, |sum: u64, external| sum.saturating_add(room::bytes_of(&external.shape, ELEMENT)))
        };
        let kept = format!("what a step keeps of a batch of {size} rows");
        Need::of(kept, function.temporary_bytes() as u64)
            .and("the batch", bytes(|key| matches!(key, ExternalKey::Input(_))))
            .and("results of a step", bytes(|key| matches!(key, ExternalKey::Output(_))))
    }

    /// Whether this code uses the number of the step.
    pub fn uses_step(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Step))
    }

    /// Whether sums over earlier batches are such as this code gives.
    pub fn fits(&self, averages: &Averages) -> bool {
        if averages == &Averages::default() {
            return true;
        }
        let results = &self.results;
        let fits = |(arrays, arguments): (&Vec<Array>, &Vec<usize>)| {
            arrays.len() == arguments.len()
                && arrays.iter().zip(arguments).all(|(array, number)| {
                    let shape = &results.shapes[*number];
                    let is_alike = std::mem::discriminant(array.elements())
                        == std::mem::discriminant(results.arrays[*number].elements());
                    is_alike && array.shape().len() == shape.len() && array.shape().get(1..) == shape.get(1..)
                })
        };
        averages.losses.len() == results.losses.len()
            && averages.metrics.len() == results.metrics.len()
            && (averages.gathered.len() == results.gathered.len())
            && averages.gathered.iter().zip(&results.gathered).all(fits)
    }
}
