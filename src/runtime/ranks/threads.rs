//! Ranks that are threads of one process, each with a session of its own. What they compute is what processes compute.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::{Lost, Ranks, Why};

/// How long a thread waits for another.
const PATIENCE: Duration = Duration::from_secs(600);

enum Message {
    Bytes(Arc<Vec<u8>>),
    End(String),
}

/// A rank that is a thread.
pub struct Thread {
    rank: usize,
    to: Vec<Sender<Message>>,
    from: Vec<Receiver<Message>>,
    /// How others have ended.
    ends: Vec<Option<String>>,
}

/// So many ranks, to be given to threads.
pub fn ranks(size: usize) -> Vec<Thread> {
    let thread = |rank| Thread { rank, to: Vec::new(), from: Vec::new(), ends: vec![None; size] };
    let mut all: Vec<Thread> = (0..size).map(thread).collect();
    for sender in 0..size {
        for receiver in 0..size {
            let (to, from) = channel();
            all[sender].to.push(to);
            all[receiver].from.push(from);
        }
    }
    all
}

impl Ranks for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&mut self, to: Vec<Arc<Vec<u8>>>, lengths: &[usize]) -> Result<Vec<Vec<u8>>, Lost> {
        // Who is gone is noticed below, where nothing comes from it.
        self.to.iter().zip(to).for_each(|(sender, bytes)| drop(sender.send(Message::Bytes(bytes))));
        let mut received = Vec::with_capacity(lengths.len());
        for (rank, length) in lengths.iter().enumerate() {
            let lost = |why| Err(Lost { rank, why });
            match self.from[rank].recv_timeout(PATIENCE) {
                Ok(Message::Bytes(bytes)) if bytes.len() == *length => received.push(bytes.to_vec()),
                Ok(Message::Bytes(_)) => return lost(Why::Library("it has sent something else".to_owned())),
                Ok(Message::End(said)) => {
                    self.ends[rank] = Some(said.clone());
                    return lost(Why::Ended(said));
                }
                Err(RecvTimeoutError::Disconnected) => return lost(Why::Gone("a thread".to_owned())),
                Err(RecvTimeoutError::Timeout) => return lost(Why::Silent(PATIENCE.as_secs())),
            }
        }
        Ok(received)
    }

    fn end(&mut self, outcome: &str) -> Vec<Option<String>> {
        self.to.iter().for_each(|sender| drop(sender.send(Message::End(outcome.to_owned()))));
        for (rank, end) in self.ends.iter_mut().enumerate() {
            while end.is_none() {
                match self.from[rank].recv_timeout(PATIENCE) {
                    Ok(Message::End(said)) => *end = Some(said),
                    Ok(Message::Bytes(_)) => {}
                    Err(_) => break,
                }
            }
        }
        self.ends.clone()
    }

    fn leave(&mut self) {
        self.to.clear();
    }
}
