//! Arbitrary descriptions of memory: refused, or read exactly where they say.
#![cfg_attr(fuzzing, no_main)]

use arbitrary::{Result, Unstructured};
use kinarray::array::{Shape, Strides};
use kinarray::interop::foreign::Foreign;
use kinarray_fuzz::{DTYPES, Memory, check, number, size};

kinarray_fuzz::target!(run);

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let dtype = *u.choose(&DTYPES)?;
    let mut memory = Memory::new(u)?;
    let rank = match u.int_in_range(0..=20)? {
        0 => u.int_in_range(0..=70)?,
        _ => u.int_in_range(0..=4)?,
    };
    let mut shape = Shape::new();
    for _ in 0..rank {
        shape.push(size(u)? as usize);
    }
    let strides = if u.arbitrary()? {
        let mut strides = Strides::new();
        let odd = u.int_in_range(0..=5)? == 0;
        let ranks = if u.int_in_range(0..=30)? == 0 {
            rank + 1
        } else {
            rank
        };
        for _ in 0..ranks {
            let step = number(u)? as isize;
            strides.push(if odd {
                step
            } else {
                step.wrapping_mul(dtype.size() as isize)
            });
        }
        Some(strides)
    } else {
        None
    };
    let pointer = match u.int_in_range(0..=11)? {
        0 => std::ptr::null(),
        1 => u.arbitrary::<usize>()? as *const u8,
        2 => memory.start().wrapping_add(u.int_in_range(0..=600)?),
        _ => {
            let elements = memory.len() / dtype.size();
            memory
                .start()
                .wrapping_add(u.int_in_range(0..=elements)? * dtype.size())
        }
    };
    let swapped = u.int_in_range(0..=5)? == 0;
    // SAFETY: `check` reads only what lies inside of `memory`.
    let described = unsafe { Foreign::checked("x", pointer.cast(), dtype, shape, strides) };
    if let Ok(mut foreign) = described {
        foreign.swapped = swapped && dtype.size() > 1;
        check(&foreign, &mut memory);
    }
    Ok(())
}
