//! Memory that someone else owns: validated once, then seen as a view.

use half::{bf16, f16};

use crate::array::{DType, Device, Element, Shape, Strides, View, element_count, show_shape};
use crate::error::{Error, Result};
use crate::interop::copies;
use crate::interop::memory::Block;

/// More axes than any framework makes.
const MAX_RANK: usize = 64;

/// Where an array lies and how.
///
/// Made by [`Foreign::checked`], which refuses descriptions that contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    pointer: *const u8,
    shape: Shape,
    /// In bytes, as a byte-swapped or misaligned array needs them; `None` is row-major without gaps,
    /// which is what nearly all arrays are.
    strides: Option<Box<Strides>>,
    /// The number of elements.
    count: usize,
    /// The device the memory is on.
    pub device: Device,
    dtype: DType,
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
    #[inline(always)]
    pub unsafe fn checked(
        what: &str,
        pointer: *const u8,
        dtype: DType,
        shape: Shape,
        strides: Option<Strides>,
    ) -> Result<Self> {
        let size = dtype.size();
        let count = element_count(&shape).filter(|_| shape.len() <= MAX_RANK);
        let bytes = count.and_then(|count| count.checked_mul(size));
        let (Some(count), Some(bytes)) = (count, bytes) else {
            return Err(impossible(what, &shape));
        };
        let mut foreign = Self {
            pointer,
            shape,
            strides: None,
            count,
            device: Device::CPU,
            dtype,
            read_only: false,
            swapped: false,
        };
        if bytes == 0 {
            return Ok(foreign);
        }
        if pointer.is_null() {
            return Err(nowhere(what, &foreign.shape));
        }
        match strides {
            Some(strides) if !is_row_major(&foreign.shape, &strides, size) => {
                if !stays(pointer, &foreign.shape, &strides, size) {
                    return Err(astray(what, &foreign.shape, &strides));
                }
                foreign.strides = Some(Box::new(strides));
            }
            _ if bytes > isize::MAX as usize - 64 || bytes > usize::MAX - pointer as usize => {
                return Err(impossible(what, &foreign.shape));
            }
            _ => {}
        }
        Ok(foreign)
    }

    /// The element type.
    #[inline]
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The shape.
    #[inline]
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The strides in bytes.
    #[must_use]
    pub fn strides(&self) -> Strides {
        match &self.strides {
            Some(strides) => (**strides).clone(),
            None => row_major(&self.shape, self.dtype.size()),
        }
    }

    /// The address of the element at index zero.
    #[inline]
    #[must_use]
    pub fn pointer(&self) -> *const u8 {
        self.pointer
    }

    /// The number of elements.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no elements.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether the elements follow each other in row-major order without gaps.
    #[inline]
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        self.strides.is_none()
    }

    /// The lowest address and one past the highest that the elements touch.
    #[inline]
    #[must_use]
    pub fn span(&self) -> (usize, usize) {
        if self.is_empty() {
            return (0, 0);
        }
        let (at, size) = (self.pointer as usize, self.dtype.size());
        match &self.strides {
            None => (at, at + self.len() * size),
            Some(strides) => {
                let reach = crate::array::reach(&self.shape, strides).unwrap_or(0..1);
                (
                    at.wrapping_add_signed(reach.start),
                    at.wrapping_add_signed(reach.end - 1) + size,
                )
            }
        }
    }

    /// Whether elements of type `T` can be read in place, as [`Self::view`] does.
    #[inline(always)]
    #[must_use]
    pub fn is_readable<T: Element>(&self) -> bool {
        T::DTYPE == self.dtype && !self.swapped && (self.is_empty() || self.is_stepped_by::<T>())
    }

    /// Whether every element starts at a multiple of what `T` is aligned to.
    #[inline]
    fn is_stepped_by<T>(&self) -> bool {
        let stepped =
            |(&axis, &stride): (&usize, &isize)| axis <= 1 || stride % size_of::<T>() as isize == 0;
        (self.pointer as usize).is_multiple_of(align_of::<T>())
            && match &self.strides {
                None => true,
                Some(strides) => self.shape.iter().zip(&**strides).all(stepped),
            }
    }

    /// The array where it lies; `None` where elements of type `T` cannot be read in place (another
    /// element type, misaligned, or byte-swapped).
    #[inline(always)]
    #[must_use]
    pub fn view<T: Element>(&self) -> Option<View<'_, T>> {
        if !self.is_readable::<T>() {
            return None;
        }
        if self.is_empty() {
            return Some(View::whole(&[], self.shape.clone()));
        }
        let Some(strides) = &self.strides else {
            // SAFETY: `checked` made sure that the memory is there, does not wrap, and is not null;
            // the alignment was just looked at, and any bytes are a `T` (all `Element`s are plain).
            let data = unsafe { std::slice::from_raw_parts(self.pointer.cast(), self.len()) };
            return Some(View::whole(data, self.shape.clone()));
        };
        let mut strides = (**strides).clone();
        for (stride, &axis) in strides.iter_mut().zip(&self.shape) {
            *stride = if axis == 1 {
                0
            } else {
                *stride / size_of::<T>() as isize
            };
        }
        let reach = crate::array::reach(&self.shape, &strides)?;
        let start = self.pointer.cast::<T>().wrapping_offset(reach.start);
        // SAFETY: as above; `reach` covers exactly the elements that the strides touch.
        let data = unsafe { std::slice::from_raw_parts(start, (reach.end - reach.start) as usize) };
        View::strided(data, -reach.start as usize, self.shape.clone(), strides).ok()
    }

    /// Whether the elements lie as other libraries expect them: aligned, a whole number of elements apart,
    /// and in this machine's byte order.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let size = self.dtype.size();
        let stepped = |(&axis, &stride): (&usize, &isize)| axis <= 1 || stride % size as isize == 0;
        // Complex numbers are aligned as their parts are.
        let alignment = size.min(8);
        !self.swapped
            && (self.is_empty()
                || (self.pointer as usize).is_multiple_of(alignment)
                    && self.shape.iter().zip(&self.strides()).all(stepped))
    }

    /// The elements in row-major order and this machine's byte order, in fresh memory with room for a
    /// header. Counted as a copy by the caller's choice, not here.
    #[must_use]
    pub fn to_block(&self, header: usize) -> Block {
        let size = self.dtype.size();
        let mut block = Block::new(self.len() * size, header);
        let out = block.as_mut_slice::<u8>();
        if self.is_contiguous() && !self.swapped {
            if !out.is_empty() {
                // SAFETY: `checked` made sure that so many bytes are there.
                out.copy_from_slice(unsafe { std::slice::from_raw_parts(self.pointer, out.len()) });
            }
            return block;
        }
        fn fill<const N: usize>(from: &Foreign, out: &mut [u8]) {
            let mut places = out.as_chunks_mut::<N>().0.iter_mut();
            from.each(|bytes: [u8; N]| {
                if let Some(place) = places.next() {
                    *place = bytes;
                }
            });
        }
        match size {
            1 => fill::<1>(self, out),
            2 => fill::<2>(self, out),
            4 => fill::<4>(self, out),
            8 => fill::<8>(self, out),
            _ => fill::<16>(self, out),
        }
        block
    }

    /// The elements in row-major order, converted: half to single, single to double. Counted as a
    /// copy by the caller's choice, not here.
    ///
    /// # Errors
    /// [`Error::DType`] where the elements are not real numbers, [`Error::Memory`] where there is no
    /// room for so many.
    pub fn to_reals<T: crate::math::Real>(&self, what: &str) -> Result<Vec<T>> {
        let mut out = Error::reserve(what, self.len())?;
        // What lies as a slice is read as one: without a step for each element.
        if let Some(view) = self.view::<f32>()
            && let Some(slice) = view.as_slice()
        {
            out.extend(slice.iter().map(|&x| T::from_f64(f64::from(x))));
            return Ok(out);
        }
        if let Some(view) = self.view::<f64>()
            && let Some(slice) = view.as_slice()
        {
            out.extend(slice.iter().map(|&x| T::from_f64(x)));
            return Ok(out);
        }
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

    /// Calls `visit` with the bytes of every element, in row-major order and this machine's byte
    /// order; `N` is the element's size.
    fn each<const N: usize>(&self, mut visit: impl FnMut([u8; N])) {
        assert_eq!(N, self.dtype.size());
        if self.is_empty() {
            return;
        }
        let strides = self.strides();
        let mut index = Shape::from_elem(0, self.shape.len());
        let mut at = self.pointer;
        loop {
            // SAFETY: `checked` made sure that every index stays in readable memory; byte arrays
            // have no alignment.
            let mut bytes = unsafe { at.cast::<[u8; N]>().read() };
            if self.swapped {
                bytes.reverse();
                if matches!(self.dtype, DType::Complex64 | DType::Complex128) {
                    // The parts are swapped each, not with each other.
                    bytes.rotate_left(N / 2);
                }
            }
            visit(bytes);
            let mut axis = self.shape.len();
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                index[axis] += 1;
                at = at.wrapping_offset(strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_offset(back(strides[axis], self.shape[axis]));
                index[axis] = 0;
            }
        }
    }

    /// Copies `values`, in row-major order, into the memory.
    ///
    /// # Safety
    /// The memory must be writable, and nobody may read it meanwhile.
    pub unsafe fn write<T: Element>(&self, values: &[T]) {
        // Truth values are bytes to us.
        let as_bytes = self.dtype == DType::Bool && T::DTYPE == DType::UInt8;
        assert!(T::DTYPE == self.dtype || as_bytes);
        assert_eq!(values.len(), self.len());
        if self.is_empty() {
            return;
        }
        copies::count(size_of_val(values));
        let strides = self.strides();
        let mut index = Shape::from_elem(0, self.shape.len());
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
                at = at.wrapping_offset(strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_offset(back(strides[axis], self.shape[axis]));
                index[axis] = 0;
            }
        }
    }
}

/// The step from past the end of an axis to its start. An axis of size 1 may have any stride.
#[inline]
fn back(stride: isize, size: usize) -> isize {
    stride.wrapping_mul(size as isize).wrapping_neg()
}

/// Byte strides without gaps.
fn row_major(shape: &[usize], size: usize) -> Strides {
    let mut strides = crate::array::contiguous_strides(shape);
    let scaled = |stride: &mut isize| *stride = stride.wrapping_mul(size as isize);
    strides.iter_mut().for_each(scaled);
    strides
}

/// Whether byte strides are those of row-major order; axes of size 1 do not count.
#[inline(always)]
fn is_row_major(shape: &[usize], strides: &[isize], size: usize) -> bool {
    let mut step = size as isize;
    let mut same = shape.len() == strides.len();
    for (&axis, &stride) in shape.iter().zip(strides).rev() {
        same &= axis == 1 || stride == step;
        step = step.wrapping_mul(axis as isize);
    }
    same
}

/// Whether all elements lie inside the address space, and no further apart than memory can be large.
fn stays(pointer: *const u8, shape: &[usize], strides: &[isize], size: usize) -> bool {
    let reach = crate::array::reach(shape, strides).filter(|_| shape.len() == strides.len());
    let fits = reach.and_then(|reach| {
        let start = (pointer as usize).checked_add_signed(reach.start)?;
        let end = (pointer as usize).checked_add_signed(reach.end)?;
        end.checked_add(size)?;
        (end - start <= isize::MAX as usize - 64).then_some(())
    });
    fits.is_some()
}

#[cold]
fn impossible(what: &str, shape: &[usize]) -> Error {
    let claim = match shape.len() {
        rank if rank > MAX_RANK => format!("the array claims {rank} axes"),
        _ => format!(
            "the array claims the impossible shape {}",
            show_shape(shape)
        ),
    };
    Error::value(what, claim)
}

#[cold]
fn nowhere(what: &str, shape: &[usize]) -> Error {
    Error::value(
        what,
        format!(
            "the array has shape {} but no memory behind it (a null pointer; a fake or meta tensor?)",
            show_shape(shape)
        ),
    )
}

#[cold]
fn astray(what: &str, shape: &[usize], strides: &[isize]) -> Error {
    Error::value(
        what,
        format!(
            "strides {strides:?} (bytes) of shape {} leave the address space",
            show_shape(shape)
        ),
    )
}

/// The error for elements that are not real numbers.
#[cold]
pub fn not_real(what: &str, dtype: DType) -> Error {
    Error::dtype(what, "float32 or float64 (or float16, bfloat16)", dtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory in which element `i` of the row-major order is the number `i`.
    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| i as f32).collect()
    }

    /// Memory described with these byte strides, starting at this byte.
    fn described(
        bytes: &[u8],
        start: usize,
        shape: &[usize],
        strides: &[isize],
    ) -> Result<Foreign> {
        let (shape, strides) = (Shape::from_slice(shape), Strides::from_slice(strides));
        let pointer = bytes.as_ptr().wrapping_add(start);
        // SAFETY: the tests below describe memory inside of the slice.
        unsafe { Foreign::checked("x", pointer, DType::Float32, shape, Some(strides)) }
    }

    fn contents(foreign: &Foreign) -> Vec<f32> {
        let mut read = Vec::new();
        foreign.each(|bytes: [u8; 4]| read.push(f32::from_ne_bytes(bytes)));
        read
    }

    #[test]
    fn every_order_is_read_where_it_lies() {
        let memory = numbers(12);
        let bytes: &[u8] = bytemuck::cast_slice(&memory);
        for (start, shape, strides, expected) in [
            (0, &[3, 4][..], &[16, 4][..], (0..12).collect::<Vec<i32>>()),
            (
                0,
                &[4, 3],
                &[4, 16],
                vec![0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
            ),
            (44, &[12], &[-4], (0..12).rev().collect()),
            (4, &[3, 2], &[16, 8], vec![1, 3, 5, 7, 9, 11]),
            (8, &[2, 3], &[0, 4], vec![2, 3, 4, 2, 3, 4]),
            (20, &[1, 1], &[isize::MIN, 999], vec![5]),
            (0, &[], &[], vec![0]),
            (0, &[3, 0, usize::MAX], &[1, 2, 3], vec![]),
        ] {
            let foreign = described(bytes, start, shape, strides).unwrap();
            let expected: Vec<f32> = expected.iter().map(|&number| number as f32).collect();
            assert_eq!(contents(&foreign), expected, "{shape:?} {strides:?}");
            assert_eq!(foreign.view::<f32>().unwrap().to_vec(), expected);
            assert_eq!(foreign.to_reals::<f64>("x").unwrap().len(), expected.len());
            let block = foreign.to_block(0);
            assert_eq!(&block.as_slice::<f32>()[..expected.len()], &expected[..]);
            let (from, to) = foreign.span();
            let all = bytes.as_ptr_range();
            assert!(from == to || from >= all.start as usize && to <= all.end as usize);
        }
    }

    #[test]
    fn what_cannot_be_read_in_place_is_converted() {
        let mut bytes = vec![0_u8];
        bytes.extend(bytemuck::cast_slice::<_, u8>(&numbers(5)));
        let odd = described(&bytes, 1, &[5], &[4]).unwrap();
        let aligned = (bytes.as_ptr() as usize + 1).is_multiple_of(align_of::<f32>());
        assert_eq!(odd.view::<f32>().is_some(), aligned);
        assert_eq!(odd.to_reals::<f32>("x").unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0]);

        let swapped: Vec<u8> = (0..5)
            .flat_map(|i| {
                let mut number = (i as f32).to_ne_bytes();
                number.reverse();
                number
            })
            .collect();
        let mut foreign = described(&swapped, 0, &[5], &[4]).unwrap();
        foreign.swapped = true;
        assert!(foreign.view::<f32>().is_none());
        assert_eq!(
            foreign.to_reals::<f32>("x").unwrap(),
            [0.0, 1.0, 2.0, 3.0, 4.0]
        );
    }

    #[test]
    fn numbers_are_written_where_they_belong() {
        let mut memory = numbers(6);
        let pointer = memory.as_mut_ptr().cast();
        let (shape, strides) = ([3, 2].into(), Strides::from([4, 12]));
        // SAFETY: memory inside of the vector, which nobody reads meanwhile.
        let foreign = unsafe {
            let foreign = Foreign::checked("x", pointer, DType::Float32, shape, Some(strides));
            let foreign = foreign.unwrap();
            foreign.write(&[10.0_f32, 11.0, 12.0, 13.0, 14.0, 15.0]);
            foreign
        };
        assert_eq!(contents(&foreign), [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
        assert_eq!(memory[2], 14.0);
    }

    #[test]
    fn contradictions_are_refused() {
        let memory = numbers(4);
        for (shape, strides) in [
            (&[4][..], &[isize::MAX][..]),
            (&[usize::MAX], &[4]),
            (&[1 << 40, 1 << 40], &[0, 0]),
            (&[4, 4], &[4]),
        ] {
            let refused = described(bytemuck::cast_slice(&memory), 0, shape, strides);
            assert!(refused.is_err(), "{shape:?}");
        }
        let null = std::ptr::null();
        // SAFETY: refused, so never read.
        let nowhere = unsafe { Foreign::checked("x", null, DType::Float32, [2].into(), None) };
        assert!(nowhere.unwrap_err().to_string().contains("null pointer"));
    }
}
