//! Arbitrary DLPack structures, by themselves and in capsules: refused, or read exactly where they say,
//! and deleted once.
#![cfg_attr(fuzzing, no_main)]

use std::ffi::{CStr, c_void};
use std::sync::Once;

use arbitrary::{Result, Unstructured};
use dlpark::DlpackFlags;
use dlpark::ffi::{
    DLDataType, DLDataTypeCode, DLDevice, DLDeviceType, DLManagedTensor, DLManagedTensorVersioned,
    DLPackVersion, DLTensor,
};
use kinarray::interop::dlpack;
use kinarray_fuzz::{DTYPES, Memory, check, number, size};
use pyo3::prelude::*;

kinarray_fuzz::target!(run);

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut memory = Memory::new(u)?;
    let dtype = match u.int_in_range(0..=9)? {
        0 => DLDataType {
            code: DLDataTypeCode(u.arbitrary()?),
            bits: u.arbitrary()?,
            lanes: u.arbitrary()?,
        },
        _ => dlpack::dlpack_dtype(*u.choose(&DTYPES)?),
    };
    let element = usize::from(dtype.bits / 8).max(1);
    let ndim: i32 = match u.int_in_range(0..=20)? {
        0 => u.arbitrary()?,
        1 => u.int_in_range(0..=70)?,
        _ => u.int_in_range(0..=4)?,
    };
    // As many numbers as the interface promises; where it must be refused anyway, none at all.
    let rank = if (0..=64).contains(&ndim) {
        ndim as usize
    } else {
        0
    };
    let mut shape = Vec::with_capacity(rank);
    let mut strides = Vec::with_capacity(rank);
    for _ in 0..rank {
        shape.push(size(u)?);
        strides.push(number(u)?);
    }
    let (mut shape, mut strides) = (shape.into_boxed_slice(), strides.into_boxed_slice());
    let byte_offset = match u.int_in_range(0..=5)? {
        0 => u.arbitrary()?,
        1 => u.int_in_range(0..=64)?,
        _ => 0_u64,
    };
    let place = match u.int_in_range(0..=8)? {
        0 => u.int_in_range(0..=memory.len())?,
        _ => u.int_in_range(0..=memory.len() / element)? * element,
    };
    let data = match u.int_in_range(0..=11)? {
        0 => std::ptr::null_mut(),
        1 => u.arbitrary::<usize>()? as *mut c_void,
        2 => memory.start().wrapping_add(place).cast(),
        _ => memory
            .start()
            .wrapping_add(place)
            .wrapping_sub(byte_offset as usize)
            .cast(),
    };
    let device_type = match u.int_in_range(0..=15)? {
        0 => u.arbitrary()?,
        _ => *u.choose(&[1, 1, 1, 3])?,
    };
    let dl_tensor = DLTensor {
        data,
        device: DLDevice {
            device_type: DLDeviceType(device_type),
            device_id: if u.arbitrary()? { 0 } else { u.arbitrary()? },
        },
        ndim,
        dtype,
        shape: if u.int_in_range(0..=15)? == 0 {
            std::ptr::null_mut()
        } else {
            shape.as_mut_ptr()
        },
        strides: if u.int_in_range(0..=3)? == 0 {
            std::ptr::null_mut()
        } else {
            strides.as_mut_ptr()
        },
        byte_offset,
    };
    match u.int_in_range(0..=3)? {
        // SAFETY: the arrays are as long as `ndim` says; `check` reads only what lies in `memory`.
        0 => {
            if let Ok(foreign) = unsafe { dlpack::read("x", &dl_tensor) } {
                check(&foreign, &mut memory);
            }
        }
        1 => {
            let mut deleted = 0_u32;
            let mut managed = DLManagedTensor {
                dl_tensor,
                manager_ctx: (&raw mut deleted).cast(),
                deleter: Some(delete_legacy),
            };
            in_capsule((&raw mut managed).cast(), c"dltensor", &mut memory);
            assert_eq!(deleted, 1);
        }
        _ => {
            let mut deleted = 0_u32;
            let major = if u.int_in_range(0..=15)? == 0 {
                u.arbitrary()?
            } else {
                1
            };
            let mut managed = DLManagedTensorVersioned {
                version: DLPackVersion {
                    major,
                    minor: u.arbitrary()?,
                },
                manager_ctx: (&raw mut deleted).cast(),
                deleter: Some(delete_versioned),
                flags: DlpackFlags::from_bits_retain(u.arbitrary()?),
                dl_tensor,
            };
            in_capsule(
                (&raw mut managed).cast(),
                c"dltensor_versioned",
                &mut memory,
            );
            assert_eq!(deleted, 1);
        }
    }
    Ok(())
}

unsafe extern "C" fn delete_legacy(tensor: *mut DLManagedTensor) {
    // SAFETY: `run` put its counter there.
    unsafe { *(*tensor).manager_ctx.cast::<u32>() += 1 };
}

unsafe extern "C" fn delete_versioned(tensor: *mut DLManagedTensorVersioned) {
    // SAFETY: as above.
    unsafe { *(*tensor).manager_ctx.cast::<u32>() += 1 };
}

/// Consumes a structure as it comes from Python; a second time there is nothing left.
fn in_capsule(structure: *mut c_void, name: &'static CStr, memory: &mut Memory) {
    static START: Once = Once::new();
    START.call_once(Python::initialize);
    Python::attach(|py| {
        // SAFETY: the structure outlives the capsule, which has no destructor of its own.
        unsafe {
            let capsule = pyo3::ffi::PyCapsule_New(structure, name.as_ptr(), None);
            let capsule = Bound::from_owned_ptr(py, capsule);
            if let Ok((foreign, managed)) = dlpack::consume("x", &capsule) {
                check(&foreign, memory);
                drop(managed);
            }
            assert!(dlpack::consume("x", &capsule).is_err());
        }
    });
}
