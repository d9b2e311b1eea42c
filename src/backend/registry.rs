//! Operations by number, for compiled programs that can carry a number and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::sync::{LazyLock, Weak};

use super::AnyOperation;

#[derive(Default)]
struct Registry {
    next: u64,
    /// All that are in use, by their number.
    known: HashMap<u64, Weak<dyn AnyOperation>>,
    /// Those that some compiled program may ask for: such a program cannot say when it ends.
    kept: HashMap<u64, Arc<dyn AnyOperation>>,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of an operation, and the one operation that has it: equal operations are one.
#[must_use]
pub fn intern<O: AnyOperation + 'static>(operation: O) -> (u64, Arc<dyn AnyOperation>) {
    let mut registry = registry();
    registry.known.retain(|_, known| known.strong_count() > 0);
    for (&number, known) in &registry.known {
        if let Some(known) = known.upgrade()
            && known.equals(&operation)
        {
            return (number, known);
        }
    }
    let number = registry.next;
    registry.next += 1;
    let operation: Arc<dyn AnyOperation> = Arc::new(operation);
    registry.known.insert(number, Arc::downgrade(&operation));
    (number, operation)
}

/// Keeps an operation for as long as the process lives.
pub fn keep(number: u64) {
    let mut registry = registry();
    if let Some(operation) = registry.known.get(&number).and_then(Weak::upgrade) {
        registry.kept.insert(number, operation);
    }
}

/// The operation of this number, where it is in use.
#[must_use]
pub fn find(number: u64) -> Option<Arc<dyn AnyOperation>> {
    registry().known.get(&number)?.upgrade()
}
