//! Ranks that are processes begun by an MPI launcher: `mpirun`, `mpiexec`, `srun`. The library is the one that the
//! launcher belongs to, and is opened only if there is a launcher.
//!
//! All there is of MPI here are messages of bytes between two ranks. Whoever waits looks again and again whether the
//! others are still there, so nobody waits for a process that is gone.

mod library;

use std::env;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::Diagnostic;
use crate::runtime::ranks::{Lost, Ranks, Why, to_all};
use library::{Library, Request};

/// Kinds of messages.
const BYTES: i32 = 1;
const END: i32 = 2;

/// Bytes of the message in which a rank says how it ends.
const END_BYTES: usize = 2048;
/// The most bytes of one message.
const MESSAGE: usize = 1 << 30;
/// How long is waited for a rank that says nothing, if `NNC_RANKS_TIMEOUT` says nothing else.
const SILENCE: Duration = Duration::from_secs(1800);
/// How long a message may still be on its way from a rank that has ended.
const ON_ITS_WAY: Duration = Duration::from_secs(5);
/// How long is waited for the others at the end.
const FAREWELL: Duration = Duration::from_secs(20);
/// How often it is looked whether the others are there.
const LOOK: Duration = Duration::from_millis(20);

/// A process among others.
pub struct Process {
    library: Library,
    rank: usize,
    size: usize,
    /// Of each rank: where its process is seen if it runs on this computer, and what it is called.
    peers: Vec<Peer>,
    silence: Duration,
    is_movable: bool,
    /// How long exchanges have taken, and how many bytes were sent.
    spent: (Duration, u64),
}

struct Peer {
    /// `None` of a rank on another computer.
    here: Option<String>,
    name: String,
    /// The message in which it says how it ends.
    end: Box<[u8; END_BYTES]>,
    request: Request,
    ended: Option<String>,
}

/// Messages on their way; the bytes stay until these are done.
#[derive(Default)]
struct Messages {
    sent: Vec<Arc<Vec<u8>>>,
    received: Vec<Vec<u8>>,
    /// The other rank and the request; whether something is to come from it.
    open: Vec<(usize, Request, bool)>,
}

/// The number of ranks that a launcher says there are, and the libraries that it may belong to.
fn launched() -> Option<(usize, Vec<String>)> {
    let number = |name: &str| env::var(name).ok()?.trim().parse::<usize>().ok();
    const OPEN_MPI: [&str; 3] = ["libmpi.so.40", "libmpi.so.80", "libmpi_abi.so.1"];
    // Debian calls that of MPICH alone by a name of its own, so it is looked for behind those whose place somebody has
    // to say.
    const MPICH: [&str; 4] = ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi.so.12", "libmpich.so.12"];
    let (size, known): (usize, Vec<&str>) = match (number("OMPI_COMM_WORLD_SIZE"), number("PMI_SIZE")) {
        (Some(size), _) => (size, OPEN_MPI.to_vec()),
        (None, Some(size)) => (size, MPICH.into_iter().chain(OPEN_MPI).collect()),
        // Of Slurm: `srun --mpi=pmix`.
        (None, None) => {
            number("PMIX_RANK")?;
            (number("SLURM_NTASKS")?, OPEN_MPI.into_iter().chain(MPICH).collect())
        }
    };
    let said = env::var("NNC_MPI").ok();
    let names = said.map_or_else(|| known.into_iter().map(str::to_owned).collect(), |name| vec![name]);
    Some((size, names))
}

/// The rank that a launcher says this process is.
pub fn launched_rank() -> Option<usize> {
    launched()?;
    let number = |name: &str| env::var(name).ok()?.trim().parse::<usize>().ok();
    number("OMPI_COMM_WORLD_RANK").or_else(|| number("PMI_RANK")).or_else(|| number("PMIX_RANK"))
}

/// How many ranks a launcher says there are on this computer.
pub fn ranks_here() -> usize {
    let number = |name: &str| env::var(name).ok()?.trim().parse::<usize>().ok();
    number("OMPI_COMM_WORLD_LOCAL_SIZE").or_else(|| number("MPI_LOCALNRANKS")).unwrap_or(1).max(1)
}

/// Joins the other ranks, if a launcher has begun several.
///
/// # Errors
/// E0932 if there is no library for it, or it fails; E0934 if another rank does not join.
pub fn join() -> Result<Option<Process>, Diagnostic> {
    let Some((wanted, names)) = launched().filter(|(size, _)| *size > 1) else { return Ok(None) };
    let Some(library) = names.iter().find_map(|name| Library::open(name)) else {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("{wanted} processes were begun to train together, but there is no MPI library");
        let error = Diagnostic::error("E0932", message).note(format!("looked for {}", names.join(", ")));
        return Err(error
            .help("install the library that the launcher belongs to: `apt-get install openmpi-bin` or `mpich`")
            .help("`NNC_MPI=/path/to/libmpi.so` names it"));
    };
    let begun = library.begin().filter(|(rank, size, _)| *size == wanted && rank < size);
    let Some((rank, size, is_movable)) = begun else {
        let message = format!("`{}` does not join the {wanted} processes", library.name);
        let error = Diagnostic::error("E0932", message);
        return Err(error.help("`NNC_MPI` names the library that the launcher belongs to"));
    };
    let seconds = env::var("NNC_RANKS_TIMEOUT").ok().and_then(|text| text.trim().parse().ok());
    let silence = seconds.map_or(SILENCE, Duration::from_secs);
    let spent = (Duration::ZERO, 0);
    let mut process = Process { library, rank, size, is_movable, peers: Vec::new(), silence, spent };
    process.meet()?;
    Ok(Some(process))
}

/// This process, as the others see it: the computer, and its number and beginning there.
fn name_of_this() -> String {
    let computer = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {} {}", computer.trim(), space.display(), process::id())
}

impl Process {
    /// Learns where the others are, and begins to listen for their ends.
    fn meet(&mut self) -> Result<(), Diagnostic> {
        const LENGTH: usize = 256;
        let mut name = name_of_this().into_bytes();
        name.resize(LENGTH, b' ');
        let mine = String::from_utf8_lossy(&name).trim().to_owned();
        let names = self.exchange(to_all(self.size, name), &vec![LENGTH; self.size])?;
        for (rank, name) in names.iter().enumerate() {
            let name = String::from_utf8_lossy(name).trim().to_owned();
            let place = |name: &str| name.rsplit_once(' ').map(|(place, _)| place.to_owned());
            let number = name.rsplit(' ').next().unwrap_or_default().to_owned();
            let is_here = place(&name) == place(&mine) && Path::new("/proc/self").exists();
            let mut peer = Peer {
                here: is_here.then(|| format!("/proc/{number}")),
                name: format!("process {number}"),
                end: Box::new([0; END_BYTES]),
                request: 0,
                ended: None,
            };
            if rank != self.rank {
                // SAFETY: the message is in a box that lives as long as the process does: see `Drop`.
                let request = unsafe { self.library.receive(&mut peer.end[..], rank, END) };
                peer.request = request.ok_or_else(|| self.failed(rank))?;
            }
            self.peers.push(peer);
        }
        Ok(())
    }

    fn failed(&self, rank: usize) -> Lost {
        Lost { rank, why: Why::Library(format!("`{}` has failed", self.library.name)) }
    }

    fn begin(&self, messages: &mut Messages) -> Result<(), Lost> {
        for rank in (0..self.size).filter(|rank| *rank != self.rank) {
            for piece in messages.received[rank].chunks_mut(MESSAGE) {
                // SAFETY: the bytes are given back, or left for ever, when all messages are done.
                let request = unsafe { self.library.receive(piece, rank, BYTES) };
                messages.open.push((rank, request.ok_or_else(|| self.failed(rank))?, true));
            }
        }
        // Each begins with the rank behind it, so that not all send to the same one.
        for rank in (1..self.size).map(|distance| (self.rank + distance) % self.size) {
            for piece in messages.sent[rank].chunks(MESSAGE) {
                // SAFETY: as above.
                let request = unsafe { self.library.send(piece, rank, BYTES) };
                messages.open.push((rank, request.ok_or_else(|| self.failed(rank))?, false));
            }
        }
        Ok(())
    }

    /// Waits until all messages have come and gone.
    fn wait(&mut self, messages: &mut Messages) -> Result<(), Lost> {
        let begun = Instant::now();
        let (mut looked, mut rounds) = (begun, 0_u32);
        loop {
            let mut at = 0;
            while at < messages.open.len() {
                let (rank, request, _) = &mut messages.open[at];
                match self.library.is_done(request) {
                    Some(true) => drop(messages.open.swap_remove(at)),
                    Some(false) => at += 1,
                    None => return Err(Lost { rank: *rank, why: Why::Library("a message has failed".into()) }),
                }
            }
            if messages.open.is_empty() {
                return Ok(());
            }
            rounds = rounds.saturating_add(1);
            // Others may need the processor more.
            match rounds {
                0..200 => std::hint::spin_loop(),
                200..20_000 => std::thread::yield_now(),
                _ => std::thread::sleep(Duration::from_micros(50)),
            }
            if looked.elapsed() > LOOK {
                looked = Instant::now();
                self.look(messages, begun)?;
            }
        }
    }

    /// Whether those that something is to come from are still there.
    fn look(&mut self, messages: &Messages, begun: Instant) -> Result<(), Lost> {
        self.hear();
        for (rank, ..) in &messages.open {
            let Some(peer) = self.peers.get(*rank) else { continue };
            let lost = |why| Err(Lost { rank: *rank, why });
            if let Some(said) = &peer.ended
                && (!said.is_empty() || begun.elapsed() > ON_ITS_WAY)
            {
                return lost(Why::Ended(said.clone()));
            }
            if peer.here.as_ref().is_some_and(|place| is_gone(place)) {
                return lost(Why::Gone(peer.name.clone()));
            }
            if begun.elapsed() > self.silence {
                return lost(Why::Silent(self.silence.as_secs()));
            }
        }
        Ok(())
    }

    /// Hears of others that have ended.
    fn hear(&mut self) {
        for (rank, peer) in self.peers.iter_mut().enumerate() {
            if rank != self.rank && peer.ended.is_none() && self.library.is_done(&mut peer.request) == Some(true) {
                let text = String::from_utf8_lossy(&peer.end[..]);
                peer.ended = Some(text.trim_end_matches('\0').to_owned());
            }
        }
    }
}

/// Whether a process is there no more; one that has ended and that nobody has asked after yet is gone, too.
fn is_gone(place: &str) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("{place}/stat")) else { return true };
    status.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z') || rest.starts_with('X'))
}

impl Ranks for Process {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn is_movable(&self) -> bool {
        self.is_movable
    }

    fn spent(&self) -> (Duration, u64) {
        self.spent
    }

    fn exchange(&mut self, to: Vec<Arc<Vec<u8>>>, lengths: &[usize]) -> Result<Vec<Vec<u8>>, Lost> {
        let begun = Instant::now();
        let sent: usize = to.iter().map(|bytes| bytes.len()).sum::<usize>() - to[self.rank].len();
        let received = lengths.iter().map(|length| vec![0; *length]).collect();
        let mut messages = Messages { sent: to, received, open: Vec::new() };
        // What this rank says to itself is copied only if others are told the same.
        let to_itself = std::mem::take(&mut messages.sent[self.rank]);
        messages.received[self.rank] = Arc::try_unwrap(to_itself).unwrap_or_else(|shared| shared.to_vec());
        match self.begin(&mut messages).and_then(|()| self.wait(&mut messages)) {
            Ok(()) => {
                self.spent.0 += begun.elapsed();
                self.spent.1 += sent as u64;
                Ok(messages.received)
            }
            Err(lost) => {
                // The library may still write to the bytes, so they stay for ever.
                Box::leak(Box::new(messages));
                Err(lost)
            }
        }
    }

    fn end(&mut self, outcome: &str) -> Vec<Option<String>> {
        let mut text = outcome.as_bytes().to_vec();
        text.resize(END_BYTES, 0);
        let text: &'static [u8] = text.leak();
        for rank in (0..self.size).filter(|rank| *rank != self.rank) {
            // SAFETY: the bytes stay for ever. A message that nobody receives any more needs no end.
            unsafe { self.library.send(text, rank, END) };
        }
        self.peers.iter_mut().enumerate().for_each(|(rank, peer)| {
            if rank == self.rank {
                peer.ended = Some(outcome.to_owned());
            }
        });
        let begun = Instant::now();
        while self.peers.iter().any(|peer| peer.ended.is_none()) && begun.elapsed() < FAREWELL {
            self.hear();
            let missing = self.peers.iter().filter(|peer| peer.ended.is_none());
            let mut places = missing.map(|peer| peer.here.as_deref());
            if begun.elapsed() > LOOK && places.all(|place| place.is_some_and(is_gone)) {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        self.peers.iter().map(|peer| peer.ended.clone()).collect()
    }

    fn leave(&mut self) {
        if self.peers.iter().all(|peer| peer.ended.is_some()) {
            self.library.finalize();
        } else {
            self.library.abort();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for peer in &mut self.peers {
            let unused = Box::new([0; END_BYTES]);
            // Something may still come: the room for it stays for ever.
            Box::leak(std::mem::replace(&mut peer.end, unused));
        }
    }
}
