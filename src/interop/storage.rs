//! Memory that outlives a call: a block of ours, or someone's memory with what keeps it.

use pyo3::ffi;
use pyo3::prelude::*;

use crate::interop::any_array::{AnyArray, Guard};
use crate::interop::dlpack::Managed;
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;

/// What keeps a piece of memory alive. Shared by everything that looks at the memory, and dropped on
/// whichever thread lets go last.
#[derive(Debug)]
pub struct Storage(Owner);

#[derive(Debug)]
#[allow(dead_code, reason = "held for their destructors")]
enum Owner {
    Block(Block),
    Managed(Managed),
    /// `None` only while it is being dropped.
    Object(Option<(Guard, Py<PyAny>)>),
}

// SAFETY: the memory is only pointed at from here; what keeps it may be dropped on any thread, Python's
// objects with the interpreter held, as `drop` sees to.
unsafe impl Send for Storage {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Storage {}

// Nothing can be seen through it, whole or half-changed.
impl std::panic::RefUnwindSafe for Storage {}

impl Storage {
    /// A block of ours.
    #[must_use]
    pub fn of_block(block: Block) -> Self {
        Self(Owner::Block(block))
    }

    /// A DLPack structure that was handed over.
    #[must_use]
    pub fn of_managed(managed: Managed) -> Self {
        Self(Owner::Managed(managed))
    }

    /// Somebody's array, and where its numbers lie.
    #[must_use]
    pub fn of_array(array: AnyArray<'_, '_>) -> (Self, Foreign) {
        let object = array.object().to_owned().unbind();
        let (memory, guard) = array.into_parts();
        (Self(Owner::Object(Some((guard, object)))), memory)
    }
}

/// Runs `work` with the interpreter held, from a destructor that anybody may call; `None` where it cannot be.
///
/// [`Python::try_attach`] alone believes this thread to hold it below any other frame of ours; torch lets
/// go of it before it calls a deleter, so that the drop of one buffer can get here without it.
pub(super) fn with_interpreter<R>(work: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    struct Ensured(ffi::PyGILState_STATE);
    impl Drop for Ensured {
        fn drop(&mut self) {
            // SAFETY: ensured on this thread, released once.
            unsafe { ffi::PyGILState_Release(self.0) };
        }
    }
    // SAFETY: may be called at any time.
    if unsafe { ffi::Py_IsInitialized() } == 0 {
        return None;
    }
    // SAFETY: the interpreter is there; nested calls are counted.
    let _ensured = Ensured(unsafe { ffi::PyGILState_Ensure() });
    Python::try_attach(work)
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Owner::Object(held) = &mut self.0 {
            let held = held.take();
            // Where the interpreter is gone, its objects are too.
            let mut held = std::mem::ManuallyDrop::new(held);
            with_interpreter(|_| {
                // SAFETY: taken once, here, and not looked at again.
                drop(unsafe { std::mem::ManuallyDrop::take(&mut held) });
            });
        }
    }
}
