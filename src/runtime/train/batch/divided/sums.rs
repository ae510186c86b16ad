//! The sums that shards make summands of. They are exchanged in groups, each as soon as the last shard of this process
//! has finished it: gradients of the last layers first, while those of the first ones are still computed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::backend::Give;
use crate::base::Diagnostic;
use crate::compile::{Code, Function};
use crate::ir::{Combine, ExternalKey, OutputKey};
use crate::runtime::array::Elements;
use crate::runtime::memory::{Binding, Cell, Memory};
use crate::runtime::ranks::Lost;
use crate::runtime::ranks::beside::{Mine, Summands, Totals};
use crate::runtime::ranks::bytes;
use crate::runtime::session::Session;

/// About so many bytes are exchanged at once: enough that the time to begin a message does not count.
const GROUP: usize = 1 << 19;

/// The sums of a part.
#[derive(Default)]
pub struct Sums {
    list: Vec<Sum>,
    groups: Vec<Group>,
    /// The number of each sum that the code of the last shard gives, by its external.
    given: HashMap<usize, usize>,
}

/// What a sum is of.
pub struct Sum {
    /// What the parts call it.
    pub number: u32,
    /// The tensor of each shard's summand.
    pub summands: Vec<Cell>,
    pub total: Option<Cell>,
    pub like: Elements,
    pub count: usize,
    pub way: Combine,
}

/// Sums that are exchanged together.
#[derive(Default)]
struct Group {
    sums: Vec<usize>,
    summands: Arc<Summands>,
}

/// What is known in a step of the summands of this process.
pub struct Passing<'a> {
    sums: &'a Sums,
    totals: &'a mut Totals,
    /// Those of finished shards.
    finished: Vec<Mine>,
    /// Those of the shard that is computed.
    current: Vec<Option<Elements>>,
    /// How many groups were handed over.
    begun: usize,
}

/// Elements that are passed between processes: ints have 64 bits.
pub fn widened(elements: &Elements) -> Elements {
    match elements {
        Elements::I32(values) => Elements::I64(values.iter().map(|value| i64::from(*value)).collect()),
        other => other.clone(),
    }
}

impl Sums {
    pub fn add(&mut self, sum: Sum) {
        self.list.push(sum);
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The bytes of all totals.
    pub fn bytes(&self) -> usize {
        self.list.iter().map(Sum::bytes).sum()
    }

    /// Makes groups, in the order in which the code of the last shard finishes them. All ranks take the order of the
    /// first that has a shard, since code for other numbers of rows may have another one.
    ///
    /// # Errors
    /// If a rank does not take part.
    pub fn make_groups(&mut self, session: &Session, last: Option<&Binding>) -> Result<(), Lost> {
        let mut order: Vec<usize> = (0..self.list.len()).collect();
        if let Some(function) = last.map(|last| &*last.function) {
            let finished = self.note_given(function);
            order.sort_by_key(|at| finished[*at]);
        }
        let mine: Vec<u64> = order.iter().filter(|_| last.is_some()).map(|at| *at as u64).collect();
        let agreed: Vec<usize> = session.first_list(&mine)?.into_iter().map(|at| at as usize).collect();
        let mut bytes = 0;
        for at in agreed.into_iter().filter(|at| *at < self.list.len()) {
            if bytes == 0 || bytes >= GROUP {
                self.groups.push(Group::default());
                bytes = 0;
            }
            let group = self.groups.last_mut();
            group.into_iter().for_each(|group| group.sums.push(at));
            bytes += self.list[at].bytes().max(1);
        }
        for group in &mut self.groups {
            let like = group.sums.iter().map(|at| (self.list[*at].like.clone(), self.list[*at].count)).collect();
            let ways = group.sums.iter().map(|at| self.list[*at].way).collect();
            group.summands = Arc::new(Summands { like, ways });
        }
        Ok(())
    }

    /// Notes which external each sum is, and gives when each is finished.
    fn note_given(&mut self, function: &Function) -> Vec<usize> {
        let mut finished = vec![usize::MAX; self.list.len()];
        for (external, tensor) in function.externals.iter().enumerate() {
            let ExternalKey::Output(OutputKey::Passed(number)) = &tensor.name else { continue };
            let Some(at) = self.list.iter().position(|sum| sum.number == *number) else { continue };
            // Ints are widened first.
            if matches!(self.list[at].like, Elements::F32(_) | Elements::F64(_)) {
                self.given.insert(external, at);
            }
            if let Code::Compiled(code) = &function.code {
                finished[at] = code.facts().finished_at(external).unwrap_or(usize::MAX);
            }
        }
        finished
    }
}

impl Sum {
    fn bytes(&self) -> usize {
        self.like.size() * self.count
    }
}

impl<'a> Passing<'a> {
    pub fn new(sums: &'a Sums, totals: &'a mut Totals) -> Passing<'a> {
        let finished = sums.groups.iter().map(|_| Mine::new()).collect();
        Passing { sums, totals, finished, current: vec![None; sums.list.len()], begun: 0 }
    }

    /// Carries out the last shard of this process. What it finishes is handed over at once, except for the last group:
    /// nothing is passed on as a whole of a shard that fails.
    ///
    /// # Errors
    /// Those of the call.
    pub fn last_shard(
        &mut self,
        call: impl FnOnce(&Give<'_>) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let sums = self.sums;
        let passing = RefCell::new(self);
        call(&|external, mut bytes| {
            let Some(at) = sums.given.get(&external) else { return };
            let sum = &sums.list[*at];
            let elements = bytes::take(&mut bytes, sum.count, &sum.like);
            let mut passing = passing.borrow_mut();
            passing.current[*at] = Some(elements);
            while passing.begun + 1 < sums.groups.len() && passing.has_next() {
                passing.begin_next();
            }
        })
    }

    /// Whether the shard that is computed has finished all sums of the next group.
    fn has_next(&self) -> bool {
        self.sums.groups[self.begun].sums.iter().all(|at| self.current[*at].is_some())
    }

    /// Hands the next group over.
    fn begin_next(&mut self) {
        let group = &self.sums.groups[self.begun];
        let mut mine = std::mem::take(&mut self.finished[self.begun]);
        let current = &mut self.current;
        let summands: Vec<Elements> = group.sums.iter().filter_map(|at| current[*at].take()).collect();
        if summands.len() == group.sums.len() {
            mine.push(summands);
        }
        self.totals.begin(&group.summands, mine);
        self.begun += 1;
    }

    /// Takes what a shard has made, which is not the last of this process.
    pub fn shard(&mut self, number: usize, memory: &Memory) {
        for (group, mine) in self.sums.groups.iter().zip(&mut self.finished) {
            let of = |at: &usize| widened(memory.get(self.sums.list[*at].summands[number]).elements());
            mine.push(group.sums.iter().map(of).collect());
        }
    }

    /// Hands over what is left, of the last shard `last` too if there is one, and puts the totals in their places.
    ///
    /// # Errors
    /// If a rank does not take part.
    pub fn finish(mut self, last: Option<usize>, memory: &mut Memory) -> Result<(), Lost> {
        while self.begun < self.sums.groups.len() {
            if let Some(last) = last {
                for at in &self.sums.groups[self.begun].sums {
                    let summand = || widened(memory.get(self.sums.list[*at].summands[last]).elements());
                    self.current[*at].get_or_insert_with(summand);
                }
            }
            self.begin_next();
        }
        let totals = self.totals.take(self.sums.groups.len())?;
        for (group, totals) in self.sums.groups.iter().zip(totals) {
            for (at, total) in group.sums.iter().zip(totals) {
                if let Some(cell) = self.sums.list[*at].total {
                    *memory.get_mut(cell).elements_mut() = total;
                }
            }
        }
        Ok(())
    }
}
