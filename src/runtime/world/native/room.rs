//! What the system says of memory: of the computer, of this process, of its container.

use std::fs;
use std::path::{Path, PathBuf};

use crate::runtime::room::Room;

/// The least of all limits; none if the system tells of none.
pub fn room() -> Option<Room> {
    [machine(), address_space(), control_group()].into_iter().flatten().min_by_key(|room| room.bytes)
}

/// The bytes that the machine has free or can free, swap space included.
fn machine() -> Option<Room> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let bytes = kilobytes(&text, "MemAvailable:")?.saturating_add(kilobytes(&text, "SwapFree:").unwrap_or(0));
    Some(Room { bytes, limit: "what this computer has free" })
}

/// The bytes that `ulimit -v` and `ulimit -d` leave to the process.
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

/// The bytes that the control group of the container leaves, and those around it.
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_what_there_is() {
        assert!(room().expect("a limit").bytes > 1 << 20);
        assert_eq!(kilobytes("VmSize:\t  12 kB\nMemAvailable:   3 kB\n", "MemAvailable:"), Some(3072));
    }
}
