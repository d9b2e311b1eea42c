//! Memory that someone else owns: validated once, then seen as a view.

use half::{bf16, f16};

use crate::array::{DType, Device, Element, Shape, Strides, View, element_count, show_shape};
use crate::error::{Error, Result};
use crate::interop::copies;

/// More axes than any framework makes.
const MAX_RANK: usize = 64;

/// Where an array lies and how; strides in bytes, as a byte-swapped or misaligned array needs them.
///
/// Made by [`Foreign::checked`], which refuses descriptions that contradict themselves.
#[derive(Debug, Clone)]
pub struct Foreign {
    pointer: *const u8,
    dtype: DType,
    shape: Shape,
    strides: Strides,
    /// The device the memory is on.
    pub device: Device,
    /// Whether the owner forbids writing.
    pub read_only: bool,
    /// Whether the bytes of each element are in the order that this machine does not use.
    pub swapped: bool,
}

impl Foreign {
    /// Describes memory, given byte strides (row-major where there are none).
    ///
    /// # Safety
    /// If the description is not contradictory (which is checked), the memory it describes must be
    /// readable for as long as the result is used.
    ///
    /// # Errors
    /// [`Error::Value`] for a null pointer with elements behind it, a rank or sizes no array has, and
    /// strides that leave the address space.
    #[inline]
    pub unsafe fn checked(
        what: &str,
        pointer: *const u8,
        dtype: DType,
        shape: Shape,
        strides: Option<Strides>,
    ) -> Result<Self> {
        let size = dtype.size();
        let mut bytes = size as isize;
        let strides = match strides {
            Some(strides) => strides,
            None => {
                let mut strides: Strides = smallvec::SmallVec::from_elem(0, shape.len());
                for (stride, &axis) in strides.iter_mut().zip(&shape).rev() {
                    *stride = bytes;
                    bytes = bytes.wrapping_mul(axis.max(1) as isize);
                }
                strides
            }
        };
        let foreign = Self {
            pointer,
            dtype,
            shape,
            strides,
            device: Device::CPU,
            read_only: false,
            swapped: false,
        };
        match foreign.contradiction() {
            None => Ok(foreign),
            Some(problem) => Err(Error::value(what, problem)),
        }
    }

    #[inline]
    fn contradiction(&self) -> Option<String> {
        if self.shape.len() > MAX_RANK || self.shape.len() != self.strides.len() {
            return Some(format!("the array claims {} axes", self.shape.len()));
        }
        let Some(count) = element_count(&self.shape)
            .and_then(|count| count.checked_mul(self.dtype.size()).map(|_| count))
        else {
            return Some(format!(
                "the array claims the impossible shape {}",
                show_shape(&self.shape)
            ));
        };
        if count == 0 {
            return None;
        }
        if self.pointer.is_null() {
            return Some(format!(
                "the array has shape {} but no memory behind it (a null pointer; a fake or meta \
                 tensor?)",
                show_shape(&self.shape)
            ));
        }
        let reach = crate::array::reach(&self.shape, &self.strides);
        let fits = reach.and_then(|reach| {
            let start = (self.pointer as usize).checked_add_signed(reach.start)?;
            let end = (self.pointer as usize).checked_add_signed(reach.end)?;
            end.checked_add(self.dtype.size())?;
            (end - start <= isize::MAX as usize - 64).then_some(())
        });
        if fits.is_none() {
            return Some(format!(
                "strides {:?} (bytes) of shape {} leave the address space",
                &self.strides[..],
                show_shape(&self.shape)
            ));
        }
        None
    }

    /// The element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The strides in bytes.
    #[must_use]
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// The address of the element at index zero.
    #[must_use]
    pub fn pointer(&self) -> *const u8 {
        self.pointer
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        // Beside an axis of size zero the others may be of any size.
        element_count(&self.shape).unwrap_or(0)
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// Whether the elements follow each other in row-major order without gaps.
    #[inline]
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        let mut step = self.dtype.size() as isize;
        for (&axis, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if axis != 1 && stride != step {
                return self.is_empty();
            }
            step = step.wrapping_mul(axis as isize);
        }
        true
    }

    /// The lowest address and one past the highest that the elements touch.
    #[must_use]
    pub fn span(&self) -> (usize, usize) {
        if self.is_empty() {
            return (0, 0);
        }
        let reach = crate::array::reach(&self.shape, &self.strides).unwrap_or(0..1);
        let at = self.pointer as usize;
        (
            at.wrapping_add_signed(reach.start),
            at.wrapping_add_signed(reach.end - 1) + self.dtype.size(),
        )
    }

    /// Whether elements of type `T` can be read in place, as [`Self::view`] does.
    #[inline]
    #[must_use]
    pub fn is_readable<T: Element>(&self) -> bool {
        let size = size_of::<T>() as isize;
        let stepped = |(&axis, &stride): (&usize, &isize)| axis > 1 && stride % size != 0;
        T::DTYPE == self.dtype
            && !self.swapped
            && (self.is_empty()
                || (self.pointer as usize).is_multiple_of(align_of::<T>())
                    && !self.shape.iter().zip(&self.strides).any(stepped))
    }

    /// The array where it lies; `None` where elements of type `T` cannot be read in place (another
    /// element type, misaligned, or byte-swapped).
    #[inline]
    #[must_use]
    pub fn view<T: Element>(&self) -> Option<View<'_, T>> {
        if T::DTYPE != self.dtype || self.swapped {
            return None;
        }
        if self.is_empty() {
            return View::contiguous(&[], &self.shape).ok();
        }
        let size = size_of::<T>();
        if !(self.pointer as usize).is_multiple_of(align_of::<T>()) {
            return None;
        }
        if self.is_contiguous() {
            // SAFETY: `checked` made sure that the memory is there, does not wrap, and is not null;
            // the alignment was just looked at, and any bytes are a `T` (all `Element`s are plain).
            let data = unsafe { std::slice::from_raw_parts(self.pointer.cast(), self.len()) };
            return View::contiguous(data, &self.shape).ok();
        }
        let mut strides = self.strides.clone();
        for (stride, &axis) in strides.iter_mut().zip(&self.shape) {
            if axis == 1 {
                *stride = 0;
            } else if *stride % size as isize != 0 {
                return None;
            } else {
                *stride /= size as isize;
            }
        }
        let reach = crate::array::reach(&self.shape, &strides)?;
        let start = self.pointer.cast::<T>().wrapping_offset(reach.start);
        // SAFETY: as above; `reach` covers exactly the elements that the strides touch.
        let data = unsafe { std::slice::from_raw_parts(start, (reach.end - reach.start) as usize) };
        View::strided(data, -reach.start as usize, self.shape.clone(), strides).ok()
    }

    /// The elements in row-major order, converted: half to single, single to double. Counted as a
    /// copy by the caller's choice, not here.
    ///
    /// # Errors
    /// [`Error::DType`] where the elements are not real numbers, [`Error::Memory`] where there is no
    /// room for so many.
    pub fn to_reals<T: crate::math::Real>(&self, what: &str) -> Result<Vec<T>> {
        let mut out = Error::reserve(what, self.len())?;
        match self.dtype {
            DType::Float32 => self.each(|bytes: [u8; 4]| {
                out.push(T::from_f64(f64::from(f32::from_ne_bytes(bytes))));
            }),
            DType::Float64 => {
                self.each(|bytes: [u8; 8]| out.push(T::from_f64(f64::from_ne_bytes(bytes))));
            }
            DType::Float16 => self.each(|bytes: [u8; 2]| {
                out.push(T::from_f64(f16::from_ne_bytes(bytes).to_f64()));
            }),
            DType::BFloat16 => self.each(|bytes: [u8; 2]| {
                out.push(T::from_f64(bf16::from_ne_bytes(bytes).to_f64()));
            }),
            other => return Err(not_real(what, other)),
        }
        Ok(out)
    }

    /// The elements in row-major order as integers.
    ///
    /// # Errors
    /// [`Error::DType`] where the elements are not integers, [`Error::Value`] where one is larger
    /// than an `i64` holds, [`Error::Memory`] where there is no room for so many.
    pub fn to_integers(&self, what: &str) -> Result<Vec<i64>> {
        let mut out = Error::reserve(what, self.len())?;
        match self.dtype {
            DType::Int8 => self.each(|bytes| out.push(i64::from(i8::from_ne_bytes(bytes)))),
            DType::Int16 => self.each(|bytes| out.push(i64::from(i16::from_ne_bytes(bytes)))),
            DType::Int32 => self.each(|bytes| out.push(i64::from(i32::from_ne_bytes(bytes)))),
            DType::Int64 => self.each(|bytes| out.push(i64::from_ne_bytes(bytes))),
            DType::UInt8 => self.each(|bytes| out.push(i64::from(u8::from_ne_bytes(bytes)))),
            DType::UInt16 => self.each(|bytes| out.push(i64::from(u16::from_ne_bytes(bytes)))),
            DType::UInt32 => self.each(|bytes| out.push(i64::from(u32::from_ne_bytes(bytes)))),
            DType::UInt64 => {
                let mut largest = 0;
                self.each(|bytes| {
                    let value = u64::from_ne_bytes(bytes);
                    largest = largest.max(value);
                    out.push(value as i64);
                });
                if largest > i64::MAX as u64 {
                    return Err(Error::value(what, format!("{largest} is too large")));
                }
            }
            other => return Err(Error::dtype(what, "an integer dtype", other)),
        }
        Ok(out)
    }

    /// The elements in row-major order as truth values.
    ///
    /// # Errors
    /// [`Error::DType`] where the elements are not bool, [`Error::Memory`] where there is no room for
    /// so many.
    pub fn to_bools(&self, what: &str) -> Result<Vec<bool>> {
        if self.dtype != DType::Bool {
            return Err(Error::dtype(what, "bool", self.dtype));
        }
        let mut out = Error::reserve(what, self.len())?;
        self.each(|[byte]: [u8; 1]| out.push(byte != 0));
        Ok(out)
    }

    /// The step from past the end of an axis to its start. An axis of size 1 may have any stride.
    #[inline]
    fn back(&self, axis: usize) -> isize {
        let (stride, size) = (self.strides[axis], self.shape[axis] as isize);
        stride.wrapping_mul(size).wrapping_neg()
    }

    /// Calls `visit` with the bytes of every element, in row-major order and this machine's byte
    /// order; `N` is the element's size.
    fn each<const N: usize>(&self, mut visit: impl FnMut([u8; N])) {
        assert_eq!(N, self.dtype.size());
        if self.is_empty() {
            return;
        }
        let mut index: Shape = smallvec::SmallVec::from_elem(0, self.shape.len());
        let mut at = self.pointer;
        loop {
            // SAFETY: `checked` made sure that every index stays in readable memory; byte arrays
            // have no alignment.
            let mut bytes = unsafe { at.cast::<[u8; N]>().read() };
            if self.swapped {
                bytes.reverse();
            }
            visit(bytes);
            let mut axis = self.shape.len();
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                index[axis] += 1;
                at = at.wrapping_offset(self.strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_offset(self.back(axis));
                index[axis] = 0;
            }
        }
    }

    /// Whether the numbers can be written into: a host array that its owner lets be written.
    ///
    /// Copies `values`, in row-major order, into the memory.
    ///
    /// # Safety
    /// The memory must be writable, and nobody may read it meanwhile.
    pub unsafe fn write<T: Element>(&self, values: &[T]) {
        assert_eq!(T::DTYPE, self.dtype);
        assert_eq!(values.len(), self.len());
        if self.is_empty() {
            return;
        }
        copies::count(size_of_val(values));
        let mut index: Shape = smallvec::SmallVec::from_elem(0, self.shape.len());
        let mut at = self.pointer.cast_mut();
        for &value in values {
            // SAFETY: `checked` made sure that every index stays in the memory; the caller's promise.
            unsafe {
                at.cast::<T>().write_unaligned(value);
                if self.swapped {
                    std::slice::from_raw_parts_mut(at, size_of::<T>()).reverse();
                }
            }
            for axis in (0..self.shape.len()).rev() {
                index[axis] += 1;
                at = at.wrapping_offset(self.strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_offset(self.back(axis));
                index[axis] = 0;
            }
        }
    }
}

/// The error for elements that are not real numbers.
#[cold]
pub fn not_real(what: &str, dtype: DType) -> Error {
    Error::dtype(what, "float32 or float64 (or float16, bfloat16)", dtype)
}
