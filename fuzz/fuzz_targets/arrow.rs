//! Arbitrary structures of the Arrow C data interface: refused, or read exactly where they say, and
//! released once.
//!
//! What the interface has no way to tell is kept honest: arrays of pointers and bitmaps are as long as
//! the numbers beside them say. All numbers themselves are arbitrary.
#![cfg_attr(fuzzing, no_main)]

use std::ffi::{CString, c_char, c_void};

use arbitrary::{Result, Unstructured};
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use kinarray::array::DType;
use kinarray::interop::arrow;
use kinarray_fuzz::{number, size};

#[repr(C)]
struct Schema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut Schema,
    dictionary: *mut Schema,
    release: Option<unsafe extern "C" fn(*mut Schema)>,
    private: *mut c_void,
}
const _: () = assert!(size_of::<Schema>() == size_of::<FFI_ArrowSchema>());

#[repr(C)]
struct Array {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut Array,
    dictionary: *mut Array,
    release: Option<unsafe extern "C" fn(*mut Array)>,
    private: *mut c_void,
}
const _: () = assert!(size_of::<Array>() == size_of::<FFI_ArrowArray>());

unsafe extern "C" fn release_schema(schema: *mut Schema) {
    // SAFETY: `run` put its counter there.
    unsafe {
        *(*schema).private.cast::<u32>() += 1;
        (*schema).release = None;
    }
}

unsafe extern "C" fn release_array(array: *mut Array) {
    // SAFETY: as above.
    unsafe {
        *(*array).private.cast::<u32>() += 1;
        (*array).release = None;
    }
}

/// Everything that the structures point at.
#[derive(Default)]
struct Arena {
    texts: Vec<CString>,
    bytes: Vec<Box<[u8]>>,
    words: Vec<Box<[u64]>>,
    pointers: Vec<Box<[*mut c_void]>>,
    schemas: Vec<Box<Schema>>,
    arrays: Vec<Box<Array>>,
}

/// What one chunk holds, calculated beside.
struct Expected {
    first: i128,
    count: i128,
    rows: i128,
    /// Whether the numbers are there: a claim of very many is believed, and must not be read.
    there: bool,
}

kinarray_fuzz::target!(run);

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut arena = Arena::default();
    let mut released = Box::new(0_u32);
    let counter: *mut c_void = (&raw mut *released).cast();

    let levels = if u.int_in_range(0..=30)? == 0 {
        u.int_in_range(0..=40)?
    } else {
        u.int_in_range(0..=3)?
    };
    let mut lists = Vec::new();
    for _ in 0..levels {
        lists.push(size(u)?);
    }
    let double = u.arbitrary()?;
    let mut schema = make_schema(u, &mut arena, &lists, double, counter)?;

    let mut chunks = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..*u.choose(&[1, 1, 1, 0, 2, 3])? {
        let (array, expects) = make_array(u, &mut arena, &lists, double, counter)?;
        let there = expects.there;
        expected.push(expects);
        chunks.push(array);
        if !there {
            // Several are joined, and so read.
            expected.drain(..expected.len() - 1);
            chunks.drain(..chunks.len() - 1);
            break;
        }
    }
    let given = 1 + chunks.len() as u32;
    // SAFETY: live structures of the same layout; moved out, as the interface has it.
    let adopted = unsafe {
        let schema = FFI_ArrowSchema::from_raw((&raw mut schema).cast());
        let chunks = chunks
            .iter_mut()
            .map(|chunk| FFI_ArrowArray::from_raw((&raw mut *chunk).cast()))
            .collect();
        arrow::adopt("x", &schema, chunks)
    };
    if let Ok((imported, _)) = &adopted {
        let foreign = imported.foreign();
        let rows: i128 = expected.iter().map(|chunk| chunk.rows).sum();
        assert_eq!(foreign.shape()[0] as i128, rows);
        let as_made = foreign.dtype()
            == if double {
                DType::Float64
            } else {
                DType::Float32
            };
        if as_made && expected.iter().all(|chunk| chunk.there) && foreign.len() <= 1 << 16 {
            let reals = foreign.to_reals::<f64>("x").unwrap_or_default();
            let all = expected
                .iter()
                .flat_map(|chunk| (0..chunk.count).map(|at| (chunk.first + at) as f64));
            if !reals.is_empty() {
                assert_eq!(reals, all.collect::<Vec<f64>>());
            }
        }
    }
    drop(adopted);
    assert_eq!(*released, given);
    Ok(())
}

fn text(u: &mut Unstructured<'_>, arena: &mut Arena, usual: &str) -> Result<*const c_char> {
    let bytes = match u.int_in_range(0..=25)? {
        0 => return Ok(std::ptr::null()),
        1 => u.bytes(u.len().min(6))?.to_vec(),
        2 => u
            .choose(&[
                "+s",
                "+l",
                "+L",
                "+r",
                "b",
                "e",
                "u",
                "tdD",
                "+w:",
                "+w:-1",
                "+w:99999999999",
                "d:5,2",
                "+us:0,1",
                "+vl",
            ])?
            .as_bytes()
            .to_vec(),
        _ => usual.as_bytes().to_vec(),
    };
    let bytes: Vec<u8> = bytes.into_iter().take_while(|&byte| byte != 0).collect();
    arena.texts.push(CString::new(bytes).expect("no zero"));
    Ok(arena.texts.last().expect("one was pushed").as_ptr())
}

fn metadata(u: &mut Unstructured<'_>, arena: &mut Arena, lists: &[i64]) -> Result<*const c_char> {
    let sizes: Vec<String> = match u.int_in_range(0..=3)? {
        0 => (0..u.int_in_range(0..=3)?)
            .map(|_| Ok(number(u)?.to_string()))
            .collect::<Result<_>>()?,
        _ => lists.iter().map(ToString::to_string).collect(),
    };
    let mut json = format!("{{\"shape\":[{}]", sizes.join(","));
    if u.int_in_range(0..=4)? == 0 {
        json += &format!(",\"permutation\":[{}]", number(u)?);
    }
    json += "}";
    let mut value = json.into_bytes();
    if u.int_in_range(0..=7)? == 0 {
        value = u.bytes(u.len().min(12))?.to_vec();
    }
    let pairs: [(&[u8], &[u8]); 2] = [
        (b"ARROW:extension:name", b"arrow.fixed_shape_tensor"),
        (b"ARROW:extension:metadata", &value),
    ];
    let mut out = Vec::new();
    if u.int_in_range(0..=15)? == 0 {
        out.extend((-1_i32).to_ne_bytes());
    } else {
        out.extend(2_i32.to_ne_bytes());
        for (key, value) in pairs {
            for part in [key, value] {
                out.extend((part.len() as i32).to_ne_bytes());
                out.extend(part);
            }
        }
    }
    arena.bytes.push(out.into());
    Ok(arena.bytes.last().expect("one was pushed").as_ptr().cast())
}

fn make_schema(
    u: &mut Unstructured<'_>,
    arena: &mut Arena,
    lists: &[i64],
    double: bool,
    counter: *mut c_void,
) -> Result<Schema> {
    let usual = match lists.first() {
        Some(length) => format!("+w:{length}"),
        None if double => "g".into(),
        None => "f".into(),
    };
    let mut children = Vec::new();
    let mut wanted = usize::from(!lists.is_empty());
    if u.int_in_range(0..=25)? == 0 {
        wanted = u.int_in_range(0..=3)?;
    }
    for _ in 0..wanted {
        if u.int_in_range(0..=30)? == 0 {
            children.push(std::ptr::null_mut());
            continue;
        }
        let mut child = Box::new(make_schema(
            u,
            arena,
            lists.get(1..).unwrap_or(&[]),
            double,
            counter,
        )?);
        // A parent's release function releases its children.
        child.release = Some(release_nothing_schema);
        children.push((&raw mut *child).cast());
        arena.schemas.push(child);
    }
    let n_children = match u.int_in_range(0..=30)? {
        0 => -i64::from(u.arbitrary::<u32>()?),
        1 => 0,
        _ => children.len() as i64,
    };
    arena.pointers.push(children.into());
    let pointers = arena
        .pointers
        .last_mut()
        .expect("one was pushed")
        .as_mut_ptr();
    // Where the bytes have run out every number is 0, and this would have no end.
    let dictionary = if !u.is_empty() && u.int_in_range(0..=40)? == 0 {
        let mut inner = Box::new(make_schema(u, arena, &[], double, counter)?);
        inner.release = Some(release_nothing_schema);
        let at = &raw mut *inner;
        arena.schemas.push(inner);
        at
    } else {
        std::ptr::null_mut()
    };
    Ok(Schema {
        format: text(u, arena, &usual)?,
        name: text(u, arena, "item")?,
        metadata: if u.int_in_range(0..=2)? == 0 {
            metadata(u, arena, lists)?
        } else {
            std::ptr::null()
        },
        flags: u.arbitrary()?,
        n_children: if n_children > 0 && u.int_in_range(0..=60)? == 0 {
            0
        } else {
            n_children
        },
        children: if u.int_in_range(0..=60)? == 0 {
            std::ptr::null_mut()
        } else {
            pointers.cast()
        },
        dictionary,
        release: Some(release_schema),
        private: counter,
    })
}

unsafe extern "C" fn release_nothing_schema(schema: *mut Schema) {
    // SAFETY: a live structure.
    unsafe { (*schema).release = None };
}

unsafe extern "C" fn release_nothing_array(array: *mut Array) {
    // SAFETY: a live structure.
    unsafe { (*array).release = None };
}

/// A chunk; its numbers count up from the start of their memory.
fn make_array(
    u: &mut Unstructured<'_>,
    arena: &mut Arena,
    lists: &[i64],
    double: bool,
    counter: *mut c_void,
) -> Result<(Array, Expected)> {
    let rows = size(u)?;
    let mut expected = Expected {
        first: 0,
        count: rows.into(),
        rows: rows.into(),
        there: true,
    };
    let mut length = rows;
    // From the outside in; children are as long as they must be, mostly.
    let mut levels: Vec<(i64, i64)> = Vec::new();
    for &list in lists {
        let offset = if u.arbitrary()? { 0 } else { number(u)? };
        levels.push((length, offset));
        expected.first = expected
            .first
            .wrapping_add(offset.into())
            .saturating_mul(list.into());
        expected.count = expected.count.saturating_mul(list.into());
        let needed = length.saturating_add(offset).saturating_mul(list);
        length = match u.int_in_range(0..=12)? {
            0 => number(u)?,
            1 => needed.saturating_add(u.int_in_range(0..=3)?),
            _ => needed,
        };
    }
    let offset = if u.arbitrary()? { 0 } else { number(u)? };
    levels.push((length, offset));
    expected.first = expected.first.wrapping_add(offset.into());
    let mut inner: Option<Array> = None;
    for (depth, &(length, offset)) in levels.iter().enumerate().rev() {
        let is_numbers = depth == lists.len();
        let end = length
            .checked_add(offset)
            .filter(|&end| length >= 0 && offset >= 0 && end <= 1 << 14);
        let mut buffers: Vec<*mut c_void> = Vec::new();
        // The interface has no length for bitmaps.
        if let Some(end) = end
            && u.int_in_range(0..=9)? == 0
        {
            let byte = if u.arbitrary()? { 255 } else { u.arbitrary()? };
            arena
                .bytes
                .push(vec![byte; (end as usize).div_ceil(8)].into());
            buffers.push(
                arena
                    .bytes
                    .last_mut()
                    .expect("one was pushed")
                    .as_mut_ptr()
                    .cast(),
            );
        } else {
            buffers.push(std::ptr::null_mut());
        }
        if is_numbers {
            expected.there = end.is_some();
            buffers.push(match end {
                Some(end) => {
                    let mut words = Vec::new();
                    if double {
                        words.extend((0..end).map(|at| (at as f64).to_bits()));
                    } else {
                        for at in (0..end).step_by(2) {
                            let (low, high) = ((at as f32).to_bits(), (at as f32 + 1.0).to_bits());
                            words.push(u64::from(low) | u64::from(high) << 32);
                        }
                    }
                    arena.words.push(words.into());
                    arena
                        .words
                        .last_mut()
                        .expect("one was pushed")
                        .as_mut_ptr()
                        .cast()
                }
                None if u.arbitrary()? => std::ptr::null_mut(),
                // Aligned: what is not is copied, and so must be there.
                None => (u.arbitrary::<usize>()? & !7) as *mut c_void,
            });
        }
        let n_buffers = match number(u)? {
            // One or two are read, more are refused before.
            lie if u.int_in_range(0..=30)? == 0 && lie != 2 => lie.min(buffers.len() as i64),
            _ => buffers.len() as i64,
        };
        arena.pointers.push(buffers.into());
        let buffers = arena
            .pointers
            .last_mut()
            .expect("one was pushed")
            .as_mut_ptr();
        let mut children = Vec::new();
        if let Some(mut child) = inner.take() {
            child.release = Some(release_nothing_array);
            let mut child = Box::new(child);
            children.push(if u.int_in_range(0..=60)? == 0 {
                std::ptr::null_mut()
            } else {
                (&raw mut *child).cast()
            });
            arena.arrays.push(child);
        }
        let n_children = if u.int_in_range(0..=30)? == 0 {
            // One is read; more or fewer are refused before.
            number(u)?.clamp(i64::MIN, children.len() as i64)
        } else {
            children.len() as i64
        };
        arena.pointers.push(children.into());
        let children = arena
            .pointers
            .last_mut()
            .expect("one was pushed")
            .as_mut_ptr();
        inner = Some(Array {
            length,
            null_count: if u.int_in_range(0..=3)? == 0 {
                number(u)?
            } else {
                0
            },
            offset,
            n_buffers,
            n_children,
            buffers: if u.int_in_range(0..=60)? == 0 {
                std::ptr::null_mut()
            } else {
                buffers.cast()
            },
            children: if u.int_in_range(0..=60)? == 0 {
                std::ptr::null_mut()
            } else {
                children.cast()
            },
            dictionary: std::ptr::null_mut(),
            release: Some(release_array),
            private: counter,
        });
    }
    Ok((inner.expect("the numbers at least"), expected))
}
