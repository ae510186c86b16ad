//! Programs that differ in numbers only, carried out together.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::actions::Came;
use super::array::{Array, Elements};
use super::events::{Event, Observer};
use super::program::{Diagnostics, Program};
use super::session::Session;
use super::train::members;
use crate::ir::Graph;
use crate::ir::members::{Common, Options, Place, common, number_path, united};
use crate::ir::program::{self as checked, Action, Precision, Variable};
use crate::opt::stabilised;

/// A program on its way through its actions, and who hears of it.
pub struct Member {
    pub session: Session,
    pub observer: Box<dyn Observer>,
}

/// How a member came out.
pub enum Outcome {
    Ended(Result<(), Diagnostics>),
    /// It could not be carried out with the others: what was done is void, and it is to be carried out alone.
    Alone,
}

/// Carries out programs of which each is a member of the first ([`Program::is_member_with`]): their trainings
/// together, all else one after the other. `None` if it cannot be done; nothing was carried out then.
pub fn run(members: &mut [Member]) -> Option<Vec<Outcome>> {
    let program = members.first()?.session.program.clone();
    share(members)?;
    let mut came: Vec<Option<Came>> = members.iter().map(|_| Some(Came::default())).collect();
    let mut is_open: Vec<bool> = vec![true; members.len()];
    let mut begun = false;
    for (number, action) in program.checked().actions.iter().enumerate() {
        let is_training = matches!(action, Action::Train(_));
        if is_training && !begun {
            let all = members.iter_mut();
            let all = all.map(|one| members::Member { session: &mut one.session, observer: &mut *one.observer });
            let trained = members::run(all.collect(), number)?;
            begun = true;
            for (at, trained) in trained.into_iter().enumerate() {
                let Some(trained) = trained else {
                    came[at] = None;
                    continue;
                };
                let Member { session, observer } = &mut members[at];
                session.keep_all(&mut **observer);
                observer.event(&Event::Kept);
                session.tell(&mut **observer);
                is_open[at] = !observer.leave();
                if let Some(came) = &mut came[at] {
                    came.last = Some(trained);
                }
            }
            continue;
        }
        for (at, one) in members.iter_mut().enumerate() {
            if let (Some(came), true) = (&mut came[at], is_open[at])
                && let ControlFlow::Break(()) = one.session.act(number, &mut *one.observer, came)
            {
                is_open[at] = false;
            }
        }
    }
    let outcome = |came: Option<Came>| match came {
        Some(came) if came.failures.is_empty() => Outcome::Ended(Ok(())),
        Some(came) => Outcome::Ended(Err(program.failed(came.failures))),
        None => Outcome::Alone,
    };
    Some(came.into_iter().map(outcome).collect())
}

/// Reads the data of the trainings of a program, for others to share. What is wrong with it is told where it is used.
pub fn read_data(program: &Program) {
    if let Ok(mut session) = program.session() {
        read_data_by(&mut session).unwrap_or_default();
    }
}

fn read_data_by(session: &mut Session) -> Option<()> {
    let program = session.program.clone();
    for train in program.checked().trainings() {
        for data in std::iter::once(&train.data).chain(&train.validate) {
            session.table(&data.set).ok()?;
        }
    }
    Some(())
}

/// Reads the data of the training once for all.
fn share(members: &mut [Member]) -> Option<()> {
    let (first, others) = members.split_first_mut()?;
    let program = first.session.program.clone();
    read_data_by(&mut first.session)?;
    others.iter().for_each(|other| other.session.program.share_with(&program));
    Some(())
}

/// A step that several programs have code of, and the numbers of one of them.
pub struct Own {
    common: Arc<Common>,
    number: usize,
}

impl Own {
    pub(super) fn graph(&self) -> &Graph {
        &self.common.graph
    }

    /// Puts the numbers to the tensors of a session.
    pub(super) fn put(&self, session: &mut Session) {
        for (at, values) in self.common.numbers.iter().enumerate() {
            let value = values[self.number].0;
            let elements = match session.memory.precision {
                Precision::F32 => Elements::F32(vec![value as f32]),
                Precision::F64 => Elements::F64(vec![value]),
            };
            let array = Array::new(Vec::new(), elements).expect("one number");
            session.memory.add_named(number_path(at), array);
        }
    }
}

/// The step that a program has in common with another, for its own session. Its numbers are given when it runs, so
/// code is made once for all that differ from the other in the same numbers.
pub fn step_in_common(with: &Program, program: &Program) -> Option<Arc<Own>> {
    let step = |program: &Program| match program.checked().actions.first() {
        // The laws that look at numbers are applied to those of each.
        Some(Action::Train(train)) if train.shards.is_none() => Some(stabilised(&train.step.graph)),
        _ => None,
    };
    let alike = with.is_member_with(program);
    let common = common(&[&step(with)?, &step(program)?]).filter(|common| alike && !common.numbers.is_empty())?;
    Some(Arc::new(Own { common: Arc::new(common), number: 1 }))
}

impl Session {
    /// Trains by a step that other programs have code of, too.
    #[doc(hidden)]
    pub fn train_by(&mut self, step: Arc<Own>) {
        self.common = Some(step);
    }
}

impl Program {
    /// Whether this program and another differ in numbers only, and begin with a training.
    pub fn is_member_with(&self, other: &Program) -> bool {
        let (a, b) = (self.checked(), other.checked());
        let kinds = |program: &Program| -> Vec<_> {
            program.checked().actions.iter().map(std::mem::discriminant).collect()
        };
        let (Some(Action::Train(train)), Some(Action::Train(train_of_other))) = (a.actions.first(), b.actions.first())
        else {
            return false;
        };
        let folds = |program: &checked::Program, train: &checked::Train| {
            program.data.iter().find(|set| set.name == train.data.set).map(|set| set.division.folds)
        };
        let own_rows = train.seed != train_of_other.seed || folds(a, train) != folds(b, train_of_other);
        let options = Options { place: Place::First, own_rows };
        a.precision == b.precision
            && kinds(self) == kinds(other)
            && are_alike(&a.params, &b.params)
            && are_alike(&a.states, &b.states)
            && are_alike(&train.step.states, &train_of_other.step.states)
            && members::are_alike(train, train_of_other)
            && united(&[&train.step.graph, &train_of_other.step.graph], options).is_some()
    }
}

fn are_alike(a: &[Variable], b: &[Variable]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.path == b.path && a.ty == b.ty)
}
