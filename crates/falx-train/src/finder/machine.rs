//! What the system says of memory. Only Linux tells; elsewhere nothing is known.

use std::path::Path;

const KIB: f64 = 1024.0;

/// The memory of this process in MiB.
pub(crate) fn resident_mib() -> Option<f64> {
    kib("/proc/self/status", "VmRSS:").map(|kib| kib / KIB)
}

/// The most memory of this process since [`forget_peak`] in MiB.
pub(crate) fn peak_mib() -> Option<f64> {
    kib("/proc/self/status", "VmHWM:").map(|kib| kib / KIB)
}

/// Begins to measure the peak anew, where the system lets us.
pub(crate) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The memory in MiB that this process may come to have: what it has, and what is free of the machine's or of the
/// container's.
pub(crate) fn available_mib() -> Option<f64> {
    let machine = kib("/proc/meminfo", "MemAvailable:")? / KIB;
    let group = Path::new("/sys/fs/cgroup");
    let bytes = |name: &str| -> Option<f64> {
        let text = std::fs::read_to_string(group.join(name)).ok()?;
        text.trim().parse().ok()
    };
    let limit = bytes("memory.max").zip(bytes("memory.current"));
    let container = limit.map(|(most, used)| (most - used) / KIB / KIB);
    let free = container.map_or(machine, |container| machine.min(container));
    Some(free + resident_mib()?)
}

/// The number after `name` in a file of lines such as `VmRSS:   1234 kB`.
fn kib(path: &str, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
