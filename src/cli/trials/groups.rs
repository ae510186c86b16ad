//! Trials that differ in numbers only are trained together, if that is asked for.

use super::crew::{self, Outcome, Watched};
use crate::cli::runs::record::Folder;
use crate::runtime::program::{Diagnostics, Program};
use crate::runtime::together;

/// More than these are not trained together: what their steps work on must stay in the cache.
const MOST_TOGETHER: usize = 32;

/// A trial that is to be carried out.
pub struct Waiting {
    pub number: usize,
    pub program: Program,
    /// Where it is kept, if it is.
    pub folder: Option<Folder>,
}

/// How a trial came out, and with how many others it was trained; 1 if it was trained alone.
pub struct Done {
    pub number: usize,
    pub outcome: Result<Outcome, Diagnostics>,
    pub together: usize,
}

/// Trials in groups: as many as differ in numbers only, and as many groups as can be carried out at a time.
pub fn divided(waiting: Vec<Waiting>, at_once: usize) -> Vec<Vec<Waiting>> {
    let count = waiting.len();
    let mut kinds: Vec<Vec<Waiting>> = Vec::new();
    for one in waiting {
        let is_like = |kind: &&mut Vec<Waiting>| kind.first().is_some_and(|first| one.program.is_member_with(&first.program));
        match kinds.iter_mut().find(is_like) {
            Some(kind) => kind.push(one),
            None => kinds.push(vec![one]),
        }
    }
    let most = count.div_ceil(at_once.max(1)).clamp(1, MOST_TOGETHER);
    let mut groups = Vec::new();
    for mut kind in kinds {
        // Groups of one size, so that none waits for another.
        let size = kind.len().div_ceil(kind.len().div_ceil(most).max(1));
        while kind.len() > size {
            let rest = kind.split_off(size);
            groups.push(std::mem::replace(&mut kind, rest));
        }
        groups.push(kind);
    }
    groups
}

/// Carries out the trials of a group.
pub fn carry_out(group: &[Waiting]) -> Vec<Done> {
    let done = |one: &Waiting, outcome, together| Done { number: one.number, outcome, together };
    let alone = |one: &Waiting| done(one, crew::carry_out(&one.program, one.folder.as_ref(), None), 1);
    if group.len() < 2 {
        return group.iter().map(alone).collect();
    }
    let mut members = Vec::new();
    let mut watched: Vec<Watched> = Vec::new();
    for one in group {
        let Ok((session, listener)) = crew::prepared(&one.program, one.folder.as_ref()) else {
            return group.iter().map(alone).collect();
        };
        let observer = listener.observer(one.folder.as_ref());
        members.push(together::Member { session, observer });
        watched.push(listener);
    }
    let Some(outcomes) = together::run(&mut members) else {
        return group.iter().map(alone).collect();
    };
    let mut all = Vec::new();
    for (((one, member), listener), outcome) in group.iter().zip(members).zip(watched).zip(outcomes) {
        all.push(match outcome {
            together::Outcome::Ended(ended) => {
                let mut session = member.session;
                done(one, crew::finished(&mut session, ended, &listener, one.folder.as_ref()), group.len())
            }
            together::Outcome::Alone => {
                drop(member);
                match one.folder.as_ref().map_or(Ok(()), Folder::begin_anew) {
                    Ok(()) => alone(one),
                    Err(error) => done(one, Err(one.program.failed([error])), 1),
                }
            }
        });
    }
    all
}
