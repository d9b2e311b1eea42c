//! A call frame of XLA's, read with checks: this is all the unsafe code that reading needs.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;

use smallvec::SmallVec;

use super::abi::{self, Api, Attributes, ByteSpan, CallFrame, MetadataExtension, Scalar};
use super::{TARGET, misshapen};
use crate::array::{Shape, View, element_count};
use crate::error::{Error, Result};

/// More than any call has, and few enough to tell numbers from garbage.
const MOST: i64 = 256;

/// Numbers by name.
pub(super) type Scalars = SmallVec<[(String, i64); 6]>;

/// An element type of buffers.
pub(super) trait Element: Copy {
    /// Its number.
    const DTYPE: c_int;
}

impl Element for f32 {
    const DTYPE: c_int = abi::F32;
}

impl Element for f64 {
    const DTYPE: c_int = abi::F64;
}

/// A call that is to compute something.
pub(super) struct Frame<'f> {
    frame: *const CallFrame,
    lives: PhantomData<&'f CallFrame>,
}

impl<'f> Frame<'f> {
    /// Answers what XLA wants to know; `None` where there is nothing else to do.
    ///
    /// # Safety
    /// `frame` is a call frame of XLA's that lives for `'f`.
    pub(super) unsafe fn new(frame: *mut CallFrame) -> Option<Self> {
        // SAFETY: a valid frame, by the caller's promise. The extensions are a list of structures that
        // start alike; one of this kind has the fields of its kind, and nobody else looks at them now.
        // Fields are read one by one: no reference covers what another version may not have.
        unsafe {
            let mut extension = (*frame).extension_start;
            while !extension.is_null() {
                if (*extension).kind == abi::METADATA {
                    let metadata = (*extension.cast::<MetadataExtension>()).metadata;
                    let version = &raw mut (*metadata).api_version;
                    // The oldest version that is still accepted, and all that is used here.
                    (*version).major = 0;
                    (*version).minor = 1;
                    (*metadata).traits = 0;
                    return None;
                }
                extension = (*extension).next;
            }
            if (*frame).stage != abi::EXECUTE {
                return None;
            }
        }
        Some(Self {
            frame,
            lives: PhantomData,
        })
    }

    /// The functions of XLA.
    pub(super) fn api(&self) -> &'f Api {
        // SAFETY: a call that computes has a table of functions, of which ours is the first.
        unsafe { &*(*self.frame).api }
    }

    /// The attributes, all of them numbers.
    pub(super) fn scalars(&self) -> Result<Scalars> {
        // SAFETY: a valid frame.
        let attributes: &Attributes = unsafe { &(*self.frame).attributes };
        let mut scalars = Scalars::new();
        for at in 0..counted(attributes.size)? {
            // SAFETY: the three lists have `size` elements each. An attribute of type scalar is one of
            // that structure, whose value is as large as its type says; names are valid text.
            let (name, value) = unsafe {
                let (kind, scalar) = (*attributes.types.add(at), *attributes.each.add(at));
                if kind != abi::SCALAR {
                    return Err(Error::value(TARGET, "an attribute is not a number"));
                }
                let scalar = &*scalar.cast::<Scalar>();
                if scalar.dtype != abi::S64 {
                    return Err(Error::value(TARGET, "an attribute is not an int64"));
                }
                let name: &ByteSpan = &**attributes.names.add(at);
                let bytes: &[u8] = match name.length {
                    0 => &[],
                    length => std::slice::from_raw_parts(name.start.cast(), length),
                };
                (bytes, scalar.value.cast::<i64>().read_unaligned())
            };
            scalars.push((String::from_utf8_lossy(name).into_owned(), value));
        }
        Ok(scalars)
    }

    /// The element type of the first argument.
    pub(super) fn dtype(&self) -> Result<c_int> {
        // SAFETY: a valid frame.
        let arguments = unsafe { &(*self.frame).arguments };
        let Some(first) = buffers(arguments)?.first().copied() else {
            return Err(Error::value(TARGET, "there are no arrays"));
        };
        match first.dtype {
            known @ (abi::F32 | abi::F64) => Ok(known),
            other => Err(mistyped(other)),
        }
    }

    /// The arguments, all of them in one precision.
    pub(super) fn arguments<T: Element>(&self) -> Result<SmallVec<[View<'f, T>; 8]>> {
        // SAFETY: a valid frame.
        let arguments = unsafe { &(*self.frame).arguments };
        let mut views = SmallVec::new();
        for buffer in buffers(arguments)? {
            let (data, shape, length) = measured::<T>(buffer)?;
            let data: &[T] = match length {
                0 => &[],
                // SAFETY: not null, aligned, and as long as the shape says; nobody writes to an argument
                // while the call lasts.
                _ => unsafe { std::slice::from_raw_parts(data, length) },
            };
            views.push(View::contiguous(data, &shape)?);
        }
        Ok(views)
    }

    /// Where the results go, which must have these shapes. To be called once a frame.
    pub(super) fn results<T: Element>(
        &self,
        name: &str,
        shapes: &[&[usize]],
    ) -> Result<SmallVec<[&'f mut [T]; 4]>> {
        // SAFETY: a valid frame.
        let results = buffers(unsafe { &(*self.frame).results })?;
        if results.len() != shapes.len() {
            let (expected, got) = (shapes.len(), results.len());
            let problem = format!("expected {expected} results, got {got}");
            return Err(Error::value(name, problem));
        }
        let mut slices: SmallVec<[&'f mut [T]; 4]> = SmallVec::new();
        for (buffer, &expected) in results.into_iter().zip(shapes) {
            let (data, shape, length) = measured::<T>(buffer)?;
            if shape[..] != *expected {
                return Err(misshapen(name, expected, &shape));
            }
            slices.push(match length {
                0 => &mut [],
                // SAFETY: not null, aligned, and as long as the shape says. No two buffers of a call
                // overlap, because its lowering declares no aliases. All bits are numbers.
                _ => unsafe { std::slice::from_raw_parts_mut(data, length) },
            });
        }
        Ok(slices)
    }
}

fn counted(size: i64) -> Result<usize> {
    match size {
        0..=MOST => Ok(size as usize),
        _ => Err(Error::value(TARGET, format!("a list claims {size} parts"))),
    }
}

fn buffers(list: &abi::Buffers) -> Result<SmallVec<[&abi::Buffer; 8]>> {
    let mut found = SmallVec::new();
    for at in 0..counted(list.size)? {
        // SAFETY: both lists have `size` elements, and one of type buffer is that structure.
        found.push(unsafe {
            let (kind, buffer): (_, *mut c_void) = (*list.types.add(at), *list.each.add(at));
            if kind != abi::BUFFER || buffer.is_null() {
                return Err(Error::value(TARGET, "an argument is not an array"));
            }
            &*buffer.cast::<abi::Buffer>()
        });
    }
    Ok(found)
}

/// Where a buffer's elements are, its shape, and how many elements there are.
fn measured<T: Element>(buffer: &abi::Buffer) -> Result<(*mut T, Shape, usize)> {
    if buffer.dtype != T::DTYPE {
        return Err(mistyped(buffer.dtype));
    }
    let rank = counted(buffer.rank)?;
    let mut shape = Shape::new();
    for axis in 0..rank {
        // SAFETY: `dims` has `rank` elements.
        let size = unsafe { *buffer.dims.add(axis) };
        let Ok(size) = usize::try_from(size) else {
            let problem = format!("an array claims the negative size {size}");
            return Err(Error::value(TARGET, problem));
        };
        shape.push(size);
    }
    let length = element_count(&shape)
        .filter(|length| length.checked_mul(size_of::<T>()).is_some())
        .ok_or_else(|| Error::value(TARGET, "an array claims more elements than there can be"))?;
    let data = buffer.data.cast::<T>();
    if length > 0 && (data.is_null() || !data.is_aligned()) {
        let problem = "an array has no memory, or memory that is not aligned";
        return Err(Error::value(TARGET, problem));
    }
    Ok((data, shape, length))
}

#[cold]
fn mistyped(dtype: c_int) -> Error {
    Error::dtype(
        TARGET,
        "arrays of one type, float32 or float64",
        match dtype {
            abi::F32 => "float32 beside float64".into(),
            abi::F64 => "float64 beside float32".into(),
            other => format!("XLA's type {other}"),
        },
    )
}
