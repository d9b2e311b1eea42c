//! What the targets share: descriptions of arrays, and an oracle that calculates in 128 bits.

use arbitrary::{Result, Unstructured};
use half::{bf16, f16};
use kinarray::array::{Batch, DType, Element};
use kinarray::interop::foreign::Foreign;

/// Every element type.
pub const DTYPES: [DType; 15] = [
    DType::Bool,
    DType::Int8,
    DType::Int16,
    DType::Int32,
    DType::Int64,
    DType::UInt8,
    DType::UInt16,
    DType::UInt32,
    DType::UInt64,
    DType::Float16,
    DType::BFloat16,
    DType::Float32,
    DType::Float64,
    DType::Complex64,
    DType::Complex128,
];

/// A number that is mostly small, sometimes at an edge, sometimes anything.
pub fn number(u: &mut Unstructured<'_>) -> Result<i64> {
    const EDGES: [i64; 12] = [
        i64::MAX,
        i64::MIN,
        i64::MAX / 2,
        i64::MIN / 2,
        i64::MAX / 8,
        i64::MAX / 4 + 1,
        1 << 32,
        1 << 31,
        -(1 << 31),
        (1 << 62) + 1,
        -1,
        0,
    ];
    Ok(match u.int_in_range(0..=9)? {
        0 => *u.choose(&EDGES)?,
        1 => u.arbitrary()?,
        2 => i64::from(u.arbitrary::<i16>()?),
        _ => u.int_in_range(-4..=5)?,
    })
}

/// A size; like [`number`], but seldom negative.
pub fn size(u: &mut Unstructured<'_>) -> Result<i64> {
    match u.int_in_range(0..=5)? {
        0 => number(u),
        _ => u.int_in_range(0..=4),
    }
}

/// Makes a target of a function of arbitrary bytes: for libFuzzer, or a program that draws the bytes
/// itself, for as many seconds as its argument says.
#[macro_export]
macro_rules! target {
    ($run:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            let _ = $run(&mut arbitrary::Unstructured::new(data));
        });
        #[cfg(not(fuzzing))]
        fn main() {
            $crate::draw(|data| $run(&mut arbitrary::Unstructured::new(data)).is_ok());
        }
    };
}

/// Calls `run` with random bytes; a seed that fails is printed, and as second argument tried again.
pub fn draw(run: impl Fn(&[u8]) -> bool) {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments
        .next()
        .map_or(10, |text| text.parse().expect("seconds"));
    let again: Option<u64> = arguments.next().map(|text| text.parse().expect("a seed"));
    let start = std::time::Instant::now();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut seed = again.unwrap_or_else(|| now.map_or(1, |now| now.as_nanos() as u64));
    let (mut count, mut whole) = (0_u64, 0_u64);
    let mut data = vec![0; 512];
    while start.elapsed().as_secs() < seconds {
        seed = seed.wrapping_add(u64::from(again.is_none()));
        // SplitMix64.
        let mut state = seed;
        for bytes in data.as_chunks_mut::<8>().0 {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *bytes = (word ^ (word >> 31)).to_ne_bytes();
        }
        let length = 64 + (seed % 449) as usize;
        let failed =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&data[..length])));
        match failed {
            Ok(decoded) => whole += u64::from(decoded),
            Err(_) => {
                eprintln!("seed {seed}");
                std::process::exit(1);
            }
        }
        count += 1;
        if again.is_some() {
            break;
        }
    }
    println!(
        "{count} cases, {whole} of them whole, in {:?}",
        start.elapsed()
    );
}

/// Memory that is there: exactly so many bytes between pages that cannot be touched, so that a read
/// past either end is seen, with AddressSanitizer or without.
pub struct Memory(&'static mut [u8]);

impl Memory {
    /// Some bytes, all different enough.
    pub fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let length = u.int_in_range(0..=600_usize)?;
        // At the end of its page it starts aligned.
        let length = if u.int_in_range(0..=3)? == 0 {
            length
        } else {
            length / 16 * 16
        };
        let room = room();
        let start = if u.arbitrary()? { 0 } else { PAGE - length };
        // SAFETY: one page, which this thread alone uses, one description at a time.
        let bytes = unsafe { std::slice::from_raw_parts_mut(room.add(start), length) };
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (at * 7 + at / 251) as u8;
        }
        Ok(Self(bytes))
    }

    /// Where it starts.
    pub fn start(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    /// How long it is.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const PAGE: usize = 4096;

/// A page between two that cannot be touched.
fn room() -> *mut u8 {
    static ROOM: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let room = *ROOM.get_or_init(|| {
        // SAFETY: a fresh mapping, of which the middle page is opened.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let base = libc::mmap(
                std::ptr::null_mut(),
                3 * PAGE,
                libc::PROT_NONE,
                flags,
                -1,
                0,
            );
            assert_ne!(base, libc::MAP_FAILED);
            let middle = base.cast::<u8>().add(PAGE);
            assert_eq!(
                libc::mprotect(middle.cast(), PAGE, libc::PROT_READ | libc::PROT_WRITE),
                0
            );
            middle as usize
        }
    });
    room as *mut u8
}

/// Where the elements of an array lie, by 128-bit arithmetic: the lowest byte and one past the highest,
/// relative to the element at index zero; `None` where there are no elements.
pub fn extent(shape: &[usize], strides: &[isize], size: usize) -> Option<(i128, i128)> {
    if shape.contains(&0) {
        return None;
    }
    let (mut low, mut high) = (0_i128, size as i128);
    for (&length, &stride) in shape.iter().zip(strides) {
        let travel = (length as i128 - 1).saturating_mul(stride as i128);
        low = low.saturating_add(travel.min(0));
        high = high.saturating_add(travel.max(0));
    }
    Some((low, high))
}

/// Looks at a description that was accepted: it must not contradict itself, and where its elements lie
/// inside of `memory`, every way to read it must give what lies there.
pub fn check(foreign: &Foreign, memory: &mut Memory) {
    let size = foreign.dtype().size();
    let count = foreign
        .shape()
        .iter()
        .try_fold(1_u128, |all, &length| all.checked_mul(length as u128));
    let _ = (foreign.span(), foreign.is_contiguous());
    let Some((low, high)) = extent(foreign.shape(), &foreign.strides(), size) else {
        assert!(foreign.is_empty());
        assert_eq!(foreign.len(), 0);
        read(foreign, &[]);
        return;
    };
    let count = count.expect("a number of elements that fits");
    assert!(
        count * size as u128 <= isize::MAX as u128 + size as u128 * 2
            || count <= isize::MAX as u128
    );
    assert_eq!(foreign.len() as u128, count);
    assert!(!foreign.pointer().is_null());
    let at = foreign.pointer() as usize as i128;
    assert!(
        at + low >= 0 && at + high <= 1 << 64,
        "leaves the address space"
    );
    assert!(
        high - low <= isize::MAX as i128,
        "longer than a slice may be"
    );
    assert_eq!(foreign.span(), ((at + low) as usize, (at + high) as usize));
    let start = memory.start() as usize as i128;
    if at + low < start || at + high > start + memory.len() as i128 || count > 4096 {
        return;
    }
    let mut elements = Vec::new();
    for index in 0..count {
        let mut rest = index;
        let mut place = at - start;
        for (&length, &stride) in foreign.shape().iter().zip(&foreign.strides()).rev() {
            place += (rest % length as u128) as i128 * stride as i128;
            rest /= length as u128;
        }
        let place = usize::try_from(place).unwrap();
        let mut bytes = memory.0[place..place + size].to_vec();
        if foreign.swapped {
            bytes.reverse();
        }
        elements.push(bytes);
    }
    read(foreign, &elements);
}

/// Reads in every way there is, and compares with the bytes of the elements.
fn read(foreign: &Foreign, elements: &[Vec<u8>]) {
    macro_rules! each {
        ($($kind:ty),*) => { $( read_as::<$kind>(foreign, elements, |bytes| {
            <$kind>::from_ne_bytes(bytes.try_into().unwrap())
        }); )* };
    }
    each!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, f16, bf16);
    if let Ok(integers) = foreign.to_integers("x") {
        assert_eq!(integers.len(), elements.len());
    }
    if let Ok(truths) = foreign.to_bools("x") {
        assert_eq!(truths.len(), elements.len());
        for (truth, bytes) in truths.iter().zip(elements) {
            assert_eq!(*truth, bytes[0] != 0);
        }
    }
    for reals in [foreign.to_reals::<f64>("x")].into_iter().flatten() {
        assert_eq!(reals.len(), elements.len());
        for (&real, bytes) in reals.iter().zip(elements) {
            let expected = match foreign.dtype() {
                DType::Float64 => f64::from_ne_bytes(bytes[..].try_into().unwrap()),
                DType::Float32 => f32::from_ne_bytes(bytes[..].try_into().unwrap()).into(),
                DType::Float16 => f16::from_ne_bytes(bytes[..].try_into().unwrap()).to_f64(),
                _ => bf16::from_ne_bytes(bytes[..].try_into().unwrap()).to_f64(),
            };
            assert!(real == expected || real.is_nan() && expected.is_nan());
        }
    }
    if let Ok(reals) = foreign.to_reals::<f32>("x") {
        assert_eq!(reals.len(), elements.len());
    }
}

fn read_as<T: Element + bytemuck_like::Bytes>(
    foreign: &Foreign,
    elements: &[Vec<u8>],
    parse: impl Fn(&[u8]) -> T,
) {
    let Some(view) = foreign.view::<T>() else {
        assert!(!foreign.is_readable::<T>() || T::DTYPE != foreign.dtype());
        return;
    };
    assert!(foreign.is_readable::<T>());
    let expected: Vec<T> = elements.iter().map(|bytes| parse(bytes)).collect();
    let same = |ours: &[T]| {
        assert_eq!(ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(&expected) {
            assert_eq!(ours.bytes(), expected.bytes());
        }
    };
    same(&view.to_vec());
    if let Some(slice) = view.as_slice() {
        same(slice);
    }
    // As the operations see it: items of the last axes, over a batch of the leading ones.
    for core in 0..=view.shape().len().min(3) {
        let lead = view.shape().len() - core;
        let shape = view.shape()[..lead].to_vec();
        let batch = Batch::new(view.clone(), core, &shape);
        assert_eq!(batch.len() * batch.core_len(), expected.len());
        if let Some(slice) = batch.as_slice() {
            same(slice);
        }
        if expected.is_empty() {
            continue;
        }
        let mut scratch = vec![expected[0]; batch.core_len()];
        let mut all = Vec::new();
        for index in 0..batch.len() {
            all.extend_from_slice(batch.item(index, &mut scratch));
        }
        same(&all);
    }
}

/// Bytes of numbers, to compare those that are no numbers too.
mod bytemuck_like {
    pub trait Bytes {
        fn bytes(&self) -> u64;
    }
    macro_rules! bytes {
        ($($kind:ty),*) => { $( impl Bytes for $kind {
            fn bytes(&self) -> u64 {
                let mut all = [0; 8];
                let own = self.to_ne_bytes();
                all[..own.len()].copy_from_slice(&own);
                u64::from_ne_bytes(all)
            }
        } )* };
    }
    bytes!(
        i8,
        i16,
        i32,
        i64,
        u8,
        u16,
        u32,
        u64,
        f32,
        f64,
        half::f16,
        half::bf16
    );
}
