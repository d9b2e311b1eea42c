//! The threads that batches run on.

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::ThreadPool;

/// The number asked for; 0 is one per core.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// The pool of one process. After a fork the child has none of its parent's threads, and perhaps a
/// lock that nobody will open; so a child makes a state of its own and leaves the old one alone.
struct State {
    process: u32,
    pool: Mutex<Option<Arc<ThreadPool>>>,
}

static STATE: AtomicPtr<State> = AtomicPtr::new(std::ptr::null_mut());

fn state() -> &'static State {
    let process = std::process::id();
    let found = STATE.load(Ordering::Acquire);
    // SAFETY: the pointer is null or comes from `Box::leak` below and is never freed.
    if let Some(state) = unsafe { found.as_ref() }
        && state.process == process
    {
        return state;
    }
    let fresh = Box::leak(Box::new(State {
        process,
        pool: Mutex::new(None),
    }));
    match STATE.compare_exchange(found, fresh, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => fresh,
        // Another thread of this process was quicker; what we made is a few bytes, once.
        // SAFETY: as above, and not null because somebody just stored it.
        Err(winner) => unsafe { &*winner },
    }
}

/// Sets the number of threads that batches run on; 0 is one per core.
pub fn set_num_threads(threads: usize) {
    WANTED.store(threads, Ordering::Relaxed);
    let old = state()
        .pool
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    drop(old);
}

/// The number of threads that batches run on.
pub fn num_threads() -> usize {
    // Asked once: the system looks through its control groups for the answer, which takes longer than
    // many a batch.
    static CORES: OnceLock<usize> = OnceLock::new();
    match WANTED.load(Ordering::Relaxed) {
        0 => *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from)),
        wanted => wanted,
    }
}

/// Runs `work` where `rayon` finds this library's threads; on the calling thread if there is only one
/// or none can be started.
pub fn run_in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let threads = num_threads();
    if threads <= 1 {
        return work();
    }
    let pool = {
        let mut slot = state().pool.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|index| format!("kinarray-{index}"))
                .build()
                .ok()
                .map(Arc::new);
        }
        slot.clone()
    };
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}
