//! How many copies of array memory the library has made: what lets a user prove that none was.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Counts one copy of `bytes` bytes; none is no copy.
pub fn count(bytes: usize) {
    if bytes == 0 {
        return;
    }
    COUNT.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

/// Copies and bytes copied since the process started.
#[must_use]
pub fn total() -> (u64, u64) {
    (COUNT.load(Relaxed), BYTES.load(Relaxed))
}
