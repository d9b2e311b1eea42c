//! Output memory: 64-byte aligned blocks that can be released from their data pointer alone.
//!
//! A block is one allocation: room for a header (the DLPack structures of whoever takes the block
//! over), a tag, and the data. The tag sits just before the data, so a framework that only hands the
//! data pointer back (NumPy) can release a block as well as one that hands a structure back.
//!
//! Large blocks are mapped on huge pages where the system offers them, and a bounded number of them
//! is kept for reuse: first touches of fresh pages would otherwise be a large part of a big batch.

use std::ptr::NonNull;
use std::sync::Mutex;

/// What every output is aligned to; JAX takes over memory without a copy only from here on.
pub const ALIGNMENT: usize = 64;

/// Blocks from this size on are mapped and pooled; smaller ones come from the allocator.
const LARGE: usize = 256 << 10;
/// The size of a huge page.
const HUGE: usize = 2 << 20;
/// What the pool keeps at most. Two outputs of the largest common batches fit.
const POOL_LIMIT: usize = 256 << 20;

#[repr(C)]
struct Tag {
    base: *mut u8,
    total: usize,
    head: usize,
    length: usize,
}
const TAG: usize = size_of::<Tag>();

/// An owned, initialised, 64-byte aligned piece of memory.
#[derive(Debug)]
pub struct Block {
    data: NonNull<u8>,
}

// SAFETY: a block is plain memory with one owner; nothing in it is tied to a thread.
unsafe impl Send for Block {}
// SAFETY: shared references only read.
unsafe impl Sync for Block {}

impl Block {
    /// A block of `length` bytes with room for `header` bytes before it.
    ///
    /// Aborts like `Vec` where the system has no memory left; [`Self::try_new`] does not.
    #[must_use]
    pub fn new(length: usize, header: usize) -> Self {
        Self::try_new(length, header).unwrap_or_else(|| {
            let layout = std::alloc::Layout::from_size_align(length, ALIGNMENT);
            std::alloc::handle_alloc_error(layout.unwrap_or(std::alloc::Layout::new::<u8>()))
        })
    }

    /// A block as from [`Self::new`]; `None` where the system has not so much memory.
    #[must_use]
    pub fn try_new(length: usize, header: usize) -> Option<Self> {
        let head = (header + TAG).next_multiple_of(ALIGNMENT);
        let wanted = head
            .checked_add(length)
            .filter(|&bytes| bytes < isize::MAX as usize - 2 * HUGE)?;
        let (base, data, total) = if wanted >= LARGE {
            let (base, total) = pool::take(wanted)?;
            (base, base.wrapping_add(head), total)
        } else if wanted <= small::LARGEST {
            let (base, total) = small::take(wanted)?;
            (base, base.wrapping_add(head), total)
        } else {
            // Aligned by hand: `malloc` keeps blocks at hand per thread, `aligned_alloc` does not.
            let total = wanted + ALIGNMENT;
            let layout = heap_layout(total);
            // SAFETY: the size is not zero.
            let base = unsafe { std::alloc::alloc(layout) };
            if base.is_null() {
                return None;
            }
            let start = (base as usize).next_multiple_of(ALIGNMENT) - base as usize;
            let data = base.wrapping_add(start + head);
            // SAFETY: `start < ALIGNMENT`, so `length` bytes from `data` lie inside the allocation.
            unsafe { data.write_bytes(0, length) };
            (base, data, total)
        };
        // SAFETY: the tag's bytes lie between `base` and `data`, `head` being at least their size,
        // and `data` is aligned to 64 bytes.
        unsafe {
            data.sub(TAG).cast::<Tag>().write(Tag {
                base,
                total,
                head,
                length,
            });
            Some(Self {
                data: NonNull::new_unchecked(data),
            })
        }
    }

    fn tag(&self) -> &Tag {
        // SAFETY: written by `new` and never moved.
        unsafe { &*self.data.as_ptr().sub(TAG).cast::<Tag>() }
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tag().length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the data starts.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.data.as_ptr()
    }

    /// Where the room for a header starts; it is aligned like the data.
    #[must_use]
    pub fn header(&self) -> *mut u8 {
        self.as_ptr().wrapping_sub(self.tag().head)
    }

    /// The data as elements.
    #[must_use]
    pub fn as_slice<T: bytemuck::Pod>(&self) -> &[T] {
        // SAFETY: initialised by `new`, aligned to 64 bytes, and any bytes are a `T`.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), self.len() / size_of::<T>()) }
    }

    /// The data as elements to write.
    #[must_use]
    pub fn as_mut_slice<T: bytemuck::Pod>(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`, and `&mut self` is the only way to the data.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr().cast(), self.len() / size_of::<T>()) }
    }

    /// Gives the ownership away; [`Self::from_raw`] with the returned pointer takes it back.
    #[must_use]
    pub fn into_raw(self) -> *mut u8 {
        std::mem::ManuallyDrop::new(self).as_ptr()
    }

    /// Takes back what [`Self::into_raw`] gave away.
    ///
    /// # Safety
    /// `data` came from [`Self::into_raw`] and has not been taken back before.
    #[must_use]
    pub unsafe fn from_raw(data: *mut u8) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                data: NonNull::new_unchecked(data),
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let &Tag {
            base, total, head, ..
        } = self.tag();
        if head + self.len() >= LARGE {
            pool::give(base, total);
        } else if total <= small::LARGEST {
            small::give(base, total);
        } else {
            // SAFETY: allocated in `new` with this layout.
            unsafe { std::alloc::dealloc(base, heap_layout(total)) };
        }
    }
}

fn heap_layout(total: usize) -> std::alloc::Layout {
    std::alloc::Layout::from_size_align(total, 16).expect("the size was checked")
}

/// Small blocks, kept by the thread that released them: asking the system's allocator twice a call would
/// take longer than a small call itself. What they hold from before is overwritten by whoever gets them.
mod small {
    use std::alloc::Layout;
    use std::cell::RefCell;

    use super::ALIGNMENT;

    /// Larger blocks are not kept here.
    pub(super) const LARGEST: usize = 4096;
    const STEP: usize = 256;
    /// How many blocks of each size a thread keeps.
    const EACH: usize = 4;

    struct Kept([(usize, [*mut u8; EACH]); LARGEST / STEP]);

    thread_local! {
        static KEPT: RefCell<Kept> = const {
            RefCell::new(Kept([(0, [std::ptr::null_mut(); EACH]); LARGEST / STEP]))
        };
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            for (class, (count, blocks)) in self.0.iter().enumerate() {
                for &base in &blocks[..*count] {
                    // SAFETY: allocated by `take` with this layout, and kept by nobody else.
                    unsafe { std::alloc::dealloc(base, layout((class + 1) * STEP)) };
                }
            }
        }
    }

    fn layout(total: usize) -> Layout {
        Layout::from_size_align(total, ALIGNMENT).expect("a small size")
    }

    /// At least `wanted` initialised, aligned bytes, and how many they are; `None` where there are none.
    #[inline]
    pub(super) fn take(wanted: usize) -> Option<(*mut u8, usize)> {
        let class = wanted.div_ceil(STEP).max(1) - 1;
        let total = (class + 1) * STEP;
        let kept = KEPT.try_with(|kept| {
            let (count, blocks) = &mut kept.borrow_mut().0[class];
            *count = count.checked_sub(1)?;
            Some(blocks[*count])
        });
        if let Ok(Some(base)) = kept {
            return Some((base, total));
        }
        // SAFETY: the size is not zero.
        let base = unsafe { std::alloc::alloc_zeroed(layout(total)) };
        (!base.is_null()).then_some((base, total))
    }

    #[inline]
    pub(super) fn give(base: *mut u8, total: usize) {
        // A thread that ends has let go of what it kept. Tools that look for use after release want
        // blocks to be released indeed.
        let kept = !cfg!(kinarray_no_reuse)
            && KEPT.try_with(|kept| {
                let (count, blocks) = &mut kept.borrow_mut().0[total / STEP - 1];
                let room = *count < EACH;
                if room {
                    blocks[*count] = base;
                    *count += 1;
                }
                room
            }) == Ok(true);
        if !kept {
            // SAFETY: allocated by `take` with this layout.
            unsafe { std::alloc::dealloc(base, layout(total)) };
        }
    }
}

/// The number of bytes that the pool keeps for reuse now.
#[must_use]
pub fn pooled_bytes() -> usize {
    pool::KEPT
        .try_lock()
        .map_or(0, |kept| kept.iter().map(|mapped| mapped.size).sum())
}

/// Gives everything that the pool keeps back to the system.
pub fn clear_pool() {
    pool::clear();
}

mod pool {
    use super::{HUGE, LARGE, Mutex, POOL_LIMIT};

    /// Mapped blocks nobody uses. Only ever tried, never waited for: a forked
    /// child may inherit it locked, and then simply does without.
    pub(super) static KEPT: Mutex<Vec<Mapped>> = Mutex::new(Vec::new());

    /// A mapped block that nobody uses.
    pub(super) struct Mapped {
        base: *mut u8,
        pub(super) size: usize,
    }

    // SAFETY: plain memory with one owner; nothing in it is tied to a thread.
    unsafe impl Send for Mapped {}

    /// At least `wanted` initialised bytes, and how many they are; `None` where there are not so many.
    pub(super) fn take(wanted: usize) -> Option<(*mut u8, usize)> {
        let step = if wanted >= HUGE { HUGE } else { LARGE / 4 };
        let total = wanted.next_multiple_of(step);
        if let Ok(mut kept) = KEPT.try_lock() {
            // The newest that fits without wasting more than a quarter: its pages are the warmest.
            let fits = |mapped: &Mapped| mapped.size >= total && mapped.size <= total + total / 4;
            if let Some(found) = kept.iter().rposition(fits) {
                let Mapped { base, size } = kept.remove(found);
                return Some((base, size));
            }
        }
        Some((map(total)?, total))
    }

    pub(super) fn give(base: *mut u8, total: usize) {
        if total <= POOL_LIMIT
            && !cfg!(kinarray_no_reuse)
            && let Ok(mut kept) = KEPT.try_lock()
        {
            let mut sum: usize = kept.iter().map(|mapped| mapped.size).sum::<usize>() + total;
            while sum > POOL_LIMIT {
                let Mapped { base, size } = kept.remove(0);
                unmap(base, size);
                sum -= size;
            }
            kept.push(Mapped { base, size: total });
            return;
        }
        unmap(base, total);
    }

    pub(super) fn clear() {
        if let Ok(mut kept) = KEPT.try_lock() {
            for Mapped { base, size } in kept.drain(..) {
                unmap(base, size);
            }
        }
    }

    #[cfg(unix)]
    fn map(total: usize) -> Option<*mut u8> {
        // Mapped with a huge page to spare so that the block can start on one.
        // Miri knows no mappings of which a part is given back.
        let spare = if total >= HUGE && !cfg!(miri) {
            HUGE
        } else {
            0
        };
        // SAFETY: an anonymous private mapping touches nothing that exists; only parts of this very
        // mapping are unmapped or advised on.
        unsafe {
            let base = libc::mmap(
                std::ptr::null_mut(),
                total + spare,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if base == libc::MAP_FAILED {
                return None;
            }
            let base = base.cast::<u8>();
            if spare == 0 {
                return Some(base);
            }
            let before = (base as usize).next_multiple_of(HUGE) - base as usize;
            if before > 0 {
                libc::munmap(base.cast(), before);
            }
            let start = base.add(before);
            if spare > before {
                libc::munmap(start.add(total).cast(), spare - before);
            }
            #[cfg(target_os = "linux")]
            libc::madvise(start.cast(), total, libc::MADV_HUGEPAGE);
            Some(start)
        }
    }

    #[cfg(unix)]
    fn unmap(base: *mut u8, total: usize) {
        // SAFETY: a whole mapping made by `map`, which nobody uses any more.
        unsafe { libc::munmap(base.cast(), total) };
    }

    #[cfg(not(unix))]
    fn layout(total: usize) -> std::alloc::Layout {
        std::alloc::Layout::from_size_align(total, super::ALIGNMENT).expect("the size was checked")
    }

    #[cfg(not(unix))]
    fn map(total: usize) -> Option<*mut u8> {
        // SAFETY: the size is not zero.
        let base = unsafe { std::alloc::alloc_zeroed(layout(total)) };
        (!base.is_null()).then_some(base)
    }

    #[cfg(not(unix))]
    fn unmap(base: *mut u8, total: usize) {
        // SAFETY: allocated by `map` with this layout.
        unsafe { std::alloc::dealloc(base, layout(total)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_size_are_aligned_and_writable_to_the_end() {
        // Miri takes minutes for megabytes.
        let large: &[usize] = if cfg!(miri) {
            &[]
        } else {
            &[HUGE + 1, 3 * HUGE]
        };
        for &length in [0, 1, 96, 4096, LARGE - 1, LARGE].iter().chain(large) {
            for header in [0, 80, 300] {
                let mut block = Block::new(length, header);
                assert_eq!(block.as_ptr() as usize % ALIGNMENT, 0);
                assert_eq!(block.header() as usize % ALIGNMENT, 0);
                assert!(block.as_ptr() as usize - block.header() as usize >= header);
                block.as_mut_slice::<u8>().fill(7);
                let raw = block.into_raw();
                // SAFETY: given away in the line before.
                let block = unsafe { Block::from_raw(raw) };
                assert_eq!(block.len(), length);
                assert!(block.as_slice::<u8>().iter().all(|&byte| byte == 7));
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri gives up where the system says no")]
    fn what_no_system_has_is_refused() {
        for length in [usize::MAX, isize::MAX as usize, 1 << 60] {
            assert!(Block::try_new(length, 80).is_none());
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "hundreds of megabytes")]
    fn the_pool_stays_bounded() {
        let blocks: Vec<Block> = (0..5).map(|_| Block::new(POOL_LIMIT / 3, 0)).collect();
        drop(blocks);
        assert!(pooled_bytes() <= POOL_LIMIT);
    }
}
