//! What arrow-rs trusts a producer with, checked: a foreign library's mistake is an error, not a panic.
//!
//! arrow-rs asserts that pointers are there and text is UTF-8, follows children as deep as they go,
//! and calculates with lengths without looking for overflow. It keeps the pointers private, so they
//! are looked at by the layout that the C data interface fixes.

use std::ffi::{CStr, c_char, c_void};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

use crate::error::{Error, Result};

/// More levels than any column of numbers has.
const MAX_DEPTH: usize = 32;

/// How `struct ArrowSchema` starts.
#[repr(C)]
struct Schema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *const *const FFI_ArrowSchema,
}
const _: () = assert!(size_of::<Schema>() <= size_of::<FFI_ArrowSchema>());

/// How `struct ArrowArray` starts.
#[repr(C)]
struct Array {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *const *const c_void,
    children: *const *const FFI_ArrowArray,
}
const _: () = assert!(size_of::<Array>() <= size_of::<FFI_ArrowArray>());

/// Checks a schema and everything below it.
pub(super) fn schema(what: &str, schema: &FFI_ArrowSchema) -> Result<()> {
    if !readable(schema, 0) {
        return Err(Error::value(
            what,
            "an Arrow schema that contradicts itself",
        ));
    }
    Ok(())
}

fn readable(schema: &FFI_ArrowSchema, depth: usize) -> bool {
    // SAFETY: the layout that the C data interface fixes.
    let raw = unsafe { &*std::ptr::from_ref(schema).cast::<Schema>() };
    // SAFETY: null or a C string, as the interface has it.
    let text = |at: *const c_char| unsafe { CStr::from_ptr(at) }.to_str().ok();
    if depth > MAX_DEPTH || raw.format.is_null() {
        return false;
    }
    let Some(format) = text(raw.format) else {
        return false;
    };
    let needed = match format.as_bytes() {
        [b'+', b's' | b'u', ..] => 0,
        [b'+', b'r', ..] => 2,
        [b'+', ..] => 1,
        _ => 0,
    };
    let named = raw.name.is_null() || text(raw.name).is_some();
    let below = |child| readable(child, depth + 1);
    named
        && raw.n_children >= needed
        && schema.dictionary().is_none_or(below)
        && (0..raw.n_children as usize).all(|index| {
            // SAFETY: so many pointers, each null or a child's.
            unsafe { child(raw.children, index) }.is_some_and(below)
        })
}

/// Checks one chunk of a column of numbers of `size` bytes in lists of these lengths, and tells where
/// its numbers start, before any offset.
pub(super) fn array(
    what: &str,
    array: &FFI_ArrowArray,
    lists: &[usize],
    size: usize,
) -> Result<*const u8> {
    let numbers = consistent(array, lists, size);
    numbers.ok_or_else(|| Error::value(what, "an Arrow array that contradicts its schema"))
}

fn consistent(array: &FFI_ArrowArray, lists: &[usize], size: usize) -> Option<*const u8> {
    // SAFETY: the layout that the C data interface fixes.
    let raw = unsafe { &*std::ptr::from_ref(array).cast::<Array>() };
    let length = usize::try_from(raw.length).ok()?;
    let end = length.checked_add(usize::try_from(raw.offset).ok()?)?;
    // As many bits as arrow-rs calculates with.
    end.checked_mul(8 * size)?;
    let n_buffers = if lists.is_empty() { 2 } else { 1 };
    if raw.n_buffers != n_buffers || raw.buffers.is_null() || array.dictionary().is_some() {
        return None;
    }
    let Some((&list, inner)) = lists.split_first() else {
        // SAFETY: two buffers, of which the second holds the numbers.
        return Some(unsafe { raw.buffers.add(1).read() }.cast());
    };
    if raw.n_children != 1 {
        return None;
    }
    // SAFETY: one pointer, null or the child's.
    let child = unsafe { child(raw.children, 0) }?;
    if length > 0 && end.checked_mul(list)? > child.len() {
        return None;
    }
    consistent(child, inner, size)
}

/// The field of a struct of one field; the number of columns otherwise. The schema was checked.
pub(super) fn only_field(
    schema: &FFI_ArrowSchema,
) -> std::result::Result<*mut FFI_ArrowSchema, String> {
    // SAFETY: the layout that the C data interface fixes.
    let raw = unsafe { &*std::ptr::from_ref(schema).cast::<Schema>() };
    if schema.format() != "+s" || raw.n_children != 1 {
        return Err(format!("{} columns", raw.n_children));
    }
    // SAFETY: one child, as `schema` saw.
    Ok(unsafe { raw.children.read() }.cast_mut())
}

/// The child of a struct of one, cut to the rows of the struct; `None` where it is not there, or too
/// short, or rows of the struct are null.
pub(super) fn only_child(array: &FFI_ArrowArray) -> Option<*mut FFI_ArrowArray> {
    // SAFETY: the layout that the C data interface fixes.
    let raw = unsafe { &*std::ptr::from_ref(array).cast::<Array>() };
    if raw.n_children != 1 || raw.null_count > 0 {
        return None;
    }
    if raw.children.is_null() {
        return None;
    }
    // SAFETY: one pointer, null or a live child's.
    let child = unsafe { raw.children.read() }.cast_mut();
    let inner = child.cast::<Array>();
    if inner.is_null() {
        return None;
    }
    // SAFETY: the layout that the C data interface fixes.
    let (start, length) = unsafe { ((*inner).offset, (*inner).length) };
    let end = raw.offset.checked_add(raw.length)?;
    if raw.offset < 0 || raw.length < 0 || start < 0 || end > length {
        return None;
    }
    if (raw.offset, raw.length) != (0, length) {
        let offset = start.checked_add(raw.offset)?;
        // SAFETY: as above; the array is ours, and nobody else looks at it meanwhile.
        unsafe {
            (*inner).offset = offset;
            (*inner).length = raw.length;
            (*inner).null_count = -1;
        }
    }
    Some(child)
}

/// A child, if it is there.
///
/// # Safety
/// Null, or more than `index` pointers, each null or a live structure's.
unsafe fn child<'a, T>(children: *const *const T, index: usize) -> Option<&'a T> {
    if children.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { children.add(index).read().as_ref() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow_array::ffi::to_ffi;
    use arrow_data::ArrayData;
    use arrow_schema::{DataType, Field};

    /// Two rows of three numbers.
    fn column() -> (FFI_ArrowArray, FFI_ArrowSchema) {
        let numbers = ArrayData::builder(DataType::Float32)
            .len(6)
            .add_buffer(arrow_buffer::Buffer::from_vec(vec![1.0_f32; 6]))
            .build()
            .unwrap();
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let rows = ArrayData::builder(DataType::FixedSizeList(item, 3))
            .len(2)
            .add_child_data(numbers)
            .build()
            .unwrap();
        to_ffi(&rows).unwrap()
    }

    fn refused_array(lie: impl FnOnce(&mut Array)) -> bool {
        let (mut structure, _schema) = column();
        let raw = std::ptr::from_mut(&mut structure).cast::<Array>();
        // SAFETY: the layout that the C data interface fixes; arrow-rs releases by its own data.
        lie(unsafe { &mut *raw });
        array("x", &structure, &[3], 4).is_err()
    }

    fn refused_schema(lie: impl FnOnce(&mut Schema)) -> bool {
        let (_array, mut structure) = column();
        let raw = std::ptr::from_mut(&mut structure).cast::<Schema>();
        // SAFETY: as above, and what the release function frees is put back.
        unsafe {
            let (format, name) = ((*raw).format, (*raw).name);
            lie(&mut *raw);
            let refused = schema("x", &structure).is_err();
            (*raw).format = format;
            (*raw).name = name;
            refused
        }
    }

    #[test]
    fn an_honest_column_passes() {
        assert!(!refused_array(|_| ()));
        assert!(!refused_schema(|_| ()));
    }

    #[test]
    fn arrays_that_lie_are_errors() {
        assert!(refused_array(|raw| raw.length = -1));
        assert!(refused_array(|raw| raw.length = i64::MAX));
        assert!(refused_array(|raw| raw.length = 3));
        assert!(refused_array(|raw| raw.offset = 1));
        assert!(refused_array(|raw| raw.offset = -1));
        assert!(refused_array(|raw| raw.n_buffers = 0));
        assert!(refused_array(|raw| raw.buffers = std::ptr::null()));
        assert!(refused_array(|raw| raw.n_children = 0));
        assert!(refused_array(|raw| raw.children = std::ptr::null()));
        let null = std::ptr::null();
        assert!(refused_array(|raw| raw.children = &raw const null));
    }

    #[test]
    fn schemas_that_lie_are_errors() {
        assert!(refused_schema(|raw| raw.format = std::ptr::null()));
        assert!(refused_schema(|raw| raw.format = c"\xff".as_ptr()));
        assert!(refused_schema(|raw| raw.name = c"\xff".as_ptr()));
        assert!(refused_schema(|raw| raw.n_children = 0));
        assert!(refused_schema(|raw| raw.n_children = -1));
        assert!(refused_schema(|raw| raw.children = std::ptr::null()));
        let null = std::ptr::null();
        assert!(refused_schema(|raw| raw.children = &raw const null));
    }
    /// Rows 1 and 2 of a table of one column of three numbers.
    fn batch(lie: impl FnOnce(&mut Array)) -> Option<(i64, i64)> {
        let numbers = ArrayData::builder(DataType::Float32)
            .len(3)
            .add_buffer(arrow_buffer::Buffer::from_vec(vec![1.0_f32; 3]))
            .build()
            .unwrap();
        let field = Field::new("x", DataType::Float32, false);
        let rows = ArrayData::builder(DataType::Struct(vec![field].into()))
            .len(2)
            .offset(1)
            .add_child_data(numbers)
            .build()
            .unwrap();
        let mut structure = FFI_ArrowArray::new(&rows);
        let raw = std::ptr::from_mut(&mut structure).cast::<Array>();
        // SAFETY: as above.
        lie(unsafe { &mut *raw });
        let child = only_child(&structure)?;
        // SAFETY: as above.
        let child = unsafe { &*child.cast::<Array>() };
        Some((child.offset, child.length))
    }

    #[test]
    fn the_column_of_a_table_is_cut_to_its_rows() {
        assert_eq!(batch(|_| ()), Some((1, 2)));
        assert_eq!(batch(|raw| (raw.offset, raw.length) = (0, 3)), Some((0, 3)));
        let null = std::ptr::null();
        for refused in [
            batch(|raw| raw.length = 3),
            batch(|raw| raw.length = -1),
            batch(|raw| raw.length = i64::MAX),
            batch(|raw| raw.offset = -1),
            batch(|raw| raw.null_count = 1),
            batch(|raw| raw.n_children = 2),
            batch(|raw| raw.children = std::ptr::null()),
            batch(|raw| raw.children = &raw const null),
        ] {
            assert_eq!(refused, None);
        }
    }
}
