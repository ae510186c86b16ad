//! Memory that can be had. A system promises more than it has and ends the process later, so what needs much
//! asks here first and is refused with the sizes, before anything is allocated.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::Diagnostic;

/// Less than this is not asked for: finding out costs more than it is worth.
const SMALL: u64 = 1 << 24;

/// How much more memory this process can have, and what sets the limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Room {
    pub bytes: u64,
    pub limit: &'static str,
}

/// Memory that is needed at the same time, item by item.
#[derive(Clone, Default, Debug)]
pub struct Need {
    items: Vec<(String, u64)>,
}

impl Need {
    /// One item.
    pub fn of(what: impl Into<String>, bytes: u64) -> Need {
        Need::default().and(what, bytes)
    }

    #[must_use]
    pub fn and(mut self, what: impl Into<String>, bytes: u64) -> Need {
        self.items.push((what.into(), bytes));
        self
    }

    pub fn total(&self) -> u64 {
        self.items.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// # Errors
    /// E0734, with the sizes, if there is not so much.
    pub fn check(&self) -> Result<(), Diagnostic> {
        if self.total() < SMALL {
            return Ok(());
        }
        match room() {
            Some(room) if room.bytes < self.total() => Err(self.refused(&room)),
            Some(_) | None => Ok(()),
        }
    }

    fn refused(&self, room: &Room) -> Diagnostic {
        let (needed, room_text) = (size_text(self.total()), size_text(room.bytes));
        let message = format!("{needed} of memory are needed, and {room_text} can be had");
        let mut items: Vec<&(String, u64)> = self.items.iter().filter(|(_, bytes)| *bytes > 0).collect();
        items.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let error = Diagnostic::error("E0734", message);
        let error = items
            .into_iter()
            .take(MOST_ITEMS)
            .fold(error, |error, (what, bytes)| error.note(format!("{} for {what}", size_text(*bytes))));
        error.note(format!("the limit is {}", room.limit))
    }
}

/// So many items are listed, the largest first.
const MOST_ITEMS: usize = 6;

/// That an allocation failed although there seemed to be room.
pub fn exhausted(what: &str, bytes: u64) -> Diagnostic {
    Diagnostic::error("E0734", format!("there is no memory for {what}: {} more", size_text(bytes)))
}

/// The bytes of so many elements; as many as there are at most if it does not fit into the number.
pub fn bytes_of(shape: &[usize], size: usize) -> u64 {
    let sizes = shape.iter().chain(std::iter::once(&size));
    if shape.contains(&0) {
        return 0;
    }
    sizes.fold(1, |product: u64, size| product.saturating_mul(*size as u64))
}

/// Room for `count` values, which are not there yet.
///
/// # Errors
/// E0734.
pub fn vector<T>(count: usize, what: &str) -> Result<Vec<T>, Diagnostic> {
    let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
    Need::of(what, bytes).check()?;
    let mut values = Vec::new();
    let reserved = super::kernels::allocations::fallible(|| values.try_reserve_exact(count));
    reserved.map_err(|_| exhausted(what, bytes))?;
    Ok(values)
}

/// `count` zeros, falses or what else is the default.
///
/// # Errors
/// E0734.
pub fn filled<T: Clone + Default>(count: usize, what: &str) -> Result<Vec<T>, Diagnostic> {
    let mut values = vector(count, what)?;
    values.resize(count, T::default());
    Ok(values)
}

/// `3.4 MB`, `102 GB`
pub fn size_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["bytes", "KB", "MB", "GB"] {
        if value < 1000.0 {
            let digits = if unit == "bytes" || value >= 100.0 { 0 } else { 1 };
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// The least of all limits; none if the system tells of none.
pub fn room() -> Option<Room> {
    [machine(), address_space(), control_group()].into_iter().flatten().min_by_key(|room| room.bytes)
}

/// What the machine has free or can free, on disk also.
fn machine() -> Option<Room> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let bytes = kilobytes(&text, "MemAvailable:")?.saturating_add(kilobytes(&text, "SwapFree:").unwrap_or(0));
    Some(Room { bytes, limit: "what this computer has free" })
}

/// What `ulimit -v` and `ulimit -d` leave.
fn address_space() -> Option<Room> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let left = |limit: &str, used: &str| {
        let limit = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let limit: u64 = limit.split_whitespace().next()?.parse().ok()?;
        Some(limit.saturating_sub(kilobytes(&status, used)?))
    };
    let of_all = left("Max address space", "VmSize:");
    let of_data = left("Max data size", "VmData:");
    let bytes = of_all.into_iter().chain(of_data).min()?;
    Some(Room { bytes, limit: "that of this process (`ulimit -v`, `ulimit -d`)" })
}

/// What the container or control group leaves, and those around it.
fn control_group() -> Option<Room> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let rooms = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, kinds, path) = (parts.next()?, parts.next()?, parts.next()?);
        let path = path.trim_start_matches('/');
        if number == "0" && kinds.is_empty() {
            let names = ["memory.max", "memory.current", "file"];
            return around(Path::new("/sys/fs/cgroup"), path, names);
        }
        let is_memory = kinds.split(',').any(|kind| kind == "memory");
        let names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache"];
        is_memory.then(|| around(Path::new("/sys/fs/cgroup/memory"), path, names)).flatten()
    });
    let bytes = rooms.min()?;
    Some(Room { bytes, limit: "that of the container or control group" })
}

/// The least that a group or one around it leaves: the limit less what is used, not counting copies of files.
fn around(root: &Path, path: &str, [limit, used, files]: [&str; 3]) -> Option<u64> {
    let mut folder: PathBuf = root.join(path);
    let mut least = None;
    loop {
        let number =
            |name: &str| -> Option<u64> { fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok() };
        if let (Some(limit), Some(used)) = (number(limit), number(used)) {
            let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
            let copies = stat.lines().find_map(|line| line.strip_prefix(files)?.trim().parse().ok());
            let left = limit.saturating_sub(used.saturating_sub(copies.unwrap_or(0)));
            least = Some(least.map_or(left, |least: u64| least.min(left)));
        }
        if folder == root || !folder.pop() {
            return least;
        }
    }
}

/// `MemAvailable:   24015404 kB`
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_refused_with_its_sizes() {
        let need = Need::of("the parameters", 1 << 60).and("the batch", 3_000_000);
        let error = need.check().unwrap_err();
        assert_eq!(error.code, "E0734");
        assert!(error.message.starts_with("1152921.5 TB of memory are needed, and "), "{}", error.message);
        assert_eq!(error.notes[..2], ["1152921.5 TB for the parameters", "3.0 MB for the batch"]);
        assert!(error.notes[2].starts_with("the limit is "));
        assert!(Need::of("little", 1 << 20).check().is_ok());
        assert_eq!(vector::<u64>(usize::MAX / 8, "rows").unwrap_err().code, "E0734");
        assert_eq!(filled::<u8>(3, "rows").unwrap(), [0; 3]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_says_what_there_is() {
        assert!(room().expect("a limit").bytes > 1 << 20);
        assert_eq!(kilobytes("VmSize:\t  12 kB\nMemAvailable:   3 kB\n", "MemAvailable:"), Some(3072));
        assert_eq!((size_text(999), size_text(123_456_789)), ("999 bytes".into(), "123 MB".into()));
        assert_eq!((bytes_of(&[3, 0], 4), bytes_of(&[usize::MAX, 2], 4)), (0, u64::MAX));
    }
}
