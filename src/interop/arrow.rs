//! Arrow columns in and out, by the C data interface and its PyCapsule protocol.
//!
//! A column of numbers is 1-D; a column of fixed-size lists, nested or not, or of
//! `arrow.fixed_shape_tensor`, has the rows as its first axis. Only what numbers need is read.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{ffi, intern};

use crate::array::{DType, Shape, show_shape};
use crate::error::{Error, Result};
use crate::interop::copies;
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;

/// Whose column it is, and so whose the result shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// pyarrow.
    PyArrow,
    /// polars.
    Polars,
    /// pandas.
    Pandas,
    /// Somebody else who speaks the protocol.
    Other,
}

impl Library {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PyArrow => "pyarrow",
            Self::Polars => "polars",
            Self::Pandas => "pandas",
            Self::Other => "arrow",
        }
    }
}

/// How rows that are arrays themselves are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Fixed-size lists inside of fixed-size lists.
    Nested,
    /// `arrow.fixed_shape_tensor`: one list, and its shape as metadata.
    Tensor,
}

impl Form {
    /// The form that suits a shape where nothing else decides: lists as long as one level is enough.
    #[must_use]
    pub fn of(shape: &[usize]) -> Self {
        if shape.len() > 2 {
            Self::Tensor
        } else {
            Self::Nested
        }
    }
}

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

#[repr(C)]
struct Stream {
    get_schema: Option<unsafe extern "C" fn(*mut Stream, *mut Schema) -> c_int>,
    get_next: Option<unsafe extern "C" fn(*mut Stream, *mut Array) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut Stream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut Stream)>,
    private: *mut c_void,
}

impl Schema {
    const EMPTY: Self = Self {
        format: std::ptr::null(),
        name: std::ptr::null(),
        metadata: std::ptr::null(),
        flags: 0,
        n_children: 0,
        children: std::ptr::null_mut(),
        dictionary: std::ptr::null_mut(),
        release: None,
        private: std::ptr::null_mut(),
    };
}

impl Array {
    const EMPTY: Self = Self {
        length: 0,
        null_count: 0,
        offset: 0,
        n_buffers: 0,
        n_children: 0,
        buffers: std::ptr::null_mut(),
        children: std::ptr::null_mut(),
        dictionary: std::ptr::null_mut(),
        release: None,
        private: std::ptr::null_mut(),
    };
}

/// A structure taken over from a producer, released when dropped.
struct Owned<T: Release>(Box<T>);

trait Release {
    /// Calls the producer's release function once.
    fn release(&mut self);
}

macro_rules! releasable {
    ($($kind:ty),*) => {$(
        impl Release for $kind {
            fn release(&mut self) {
                if let Some(release) = self.release {
                    // SAFETY: the producer's function, on a structure that was moved out of its
                    // capsule; it marks the structure as released.
                    unsafe { release(self) };
                    self.release = None;
                }
            }
        }
    )*};
}
releasable!(Schema, Array, Stream);

impl<T: Release> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.release();
    }
}

// SAFETY: the C data interface lets structures be released on any thread.
unsafe impl<T: Release> Send for Owned<T> {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl<T: Release> Sync for Owned<T> {}

/// A column that came in: where its numbers lie, and what keeps them there.
pub struct Imported {
    foreign: Foreign,
    _chunks: Vec<Owned<Array>>,
    _joined: Option<Block>,
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Imported").field(&self.foreign).finish()
    }
}

impl Imported {
    /// Where the numbers lie.
    #[must_use]
    pub fn foreign(&self) -> &Foreign {
        &self.foreign
    }
}

/// Reads an object that speaks the PyCapsule protocol; `None` where it does not.
///
/// # Errors
/// [`Error::Value`] naming the row of a null, [`Error::DType`] for columns of anything but numbers.
pub fn import(
    what: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<Option<(Imported, Library, Form)>> {
    let py = object.py();
    let (schema, chunks) = if object.hasattr(intern!(py, "__arrow_c_array__"))? {
        let pair = object.call_method0(intern!(py, "__arrow_c_array__"))?;
        let schema = take::<Schema>(what, &pair.get_item(0)?, c"arrow_schema")?;
        let array = take::<Array>(what, &pair.get_item(1)?, c"arrow_array")?;
        (schema, vec![array])
    } else if object.hasattr(intern!(py, "__arrow_c_stream__"))? {
        let capsule = object.call_method0(intern!(py, "__arrow_c_stream__"))?;
        drain(what, take::<Stream>(what, &capsule, c"arrow_array_stream")?)?
    } else {
        return Ok(None);
    };
    let library = library_of(object)?;
    // SAFETY: a schema that its producer filled.
    let (column, form) = unsafe { Column::of(what, &schema.0)? };
    let mut parts = Vec::with_capacity(chunks.len());
    let mut first_row = 0;
    for chunk in &chunks {
        // SAFETY: an array that its producer filled to match the schema.
        unsafe { parts.push(column.locate(what, &chunk.0, first_row)?) };
        first_row += chunk.0.length;
    }
    let imported = match <[Foreign; 1]>::try_from(parts) {
        Ok([foreign]) => Imported {
            foreign,
            _chunks: chunks,
            _joined: None,
        },
        Err(parts) => join(what, &column, &parts)?,
    };
    Ok(Some((imported, library, form)))
}

/// Several chunks as one piece of memory: a documented copy.
fn join(what: &str, column: &Column, parts: &[Foreign]) -> Result<Imported> {
    let bytes: usize = parts
        .iter()
        .map(|part| part.len() * part.dtype().size())
        .sum();
    let mut block = Block::new(bytes, 0);
    let mut rest = block.as_mut_slice::<u8>();
    let mut rows = 0;
    for part in parts {
        let size = part.len() * part.dtype().size();
        if size > 0 {
            // SAFETY: `locate` made contiguous memory of this size out of what the producer filled.
            let from = unsafe { std::slice::from_raw_parts(part.pointer(), size) };
            rest[..size].copy_from_slice(from);
            rest = &mut rest[size..];
        }
        rows += part.shape()[0];
    }
    if bytes > 0 {
        copies::count(bytes);
    }
    let mut shape = Shape::from_slice(&[rows]);
    shape.extend_from_slice(&column.row);
    // SAFETY: the block is kept beside the description.
    let mut foreign = unsafe { Foreign::checked(what, block.as_ptr(), column.dtype, shape, None)? };
    foreign.read_only = true;
    Ok(Imported {
        foreign,
        _chunks: Vec::new(),
        _joined: Some(block),
    })
}

fn library_of(object: &Bound<'_, PyAny>) -> PyResult<Library> {
    let module = object.get_type().module()?.to_string();
    Ok(match module.split('.').next().unwrap_or_default() {
        "pyarrow" => Library::PyArrow,
        "polars" => Library::Polars,
        "pandas" => Library::Pandas,
        _ => Library::Other,
    })
}

/// Moves a structure out of its capsule, which then holds a released one.
fn take<T: Release>(what: &str, capsule: &Bound<'_, PyAny>, name: &CStr) -> PyResult<Owned<T>> {
    // SAFETY: a capsule of this name holds this structure; moving it out is how the protocol hands
    // ownership over, and the mark of a moved structure is a missing release function.
    unsafe {
        let pointer = ffi::PyCapsule_GetPointer(capsule.as_ptr(), name.as_ptr()).cast::<T>();
        if pointer.is_null() {
            return Err(PyErr::fetch(capsule.py()));
        }
        let owned = Box::new(std::ptr::read(pointer));
        forget_release(pointer);
        let owned = Owned(owned);
        if owned.is_released() {
            return Err(Error::value(what, "an Arrow capsule that was used before").into());
        }
        Ok(owned)
    }
}

/// Clears the `release` field of one of the three structures.
///
/// # Safety
/// `pointer` points at a live structure.
unsafe fn forget_release<T: Release>(pointer: *mut T) {
    // SAFETY: the `release` field is the second to last word of all three structures.
    unsafe {
        let words = size_of::<T>() / size_of::<usize>();
        pointer.cast::<usize>().add(words - 2).write(0);
    }
}

impl<T: Release> Owned<T> {
    fn is_released(&self) -> bool {
        let words = size_of::<T>() / size_of::<usize>();
        // SAFETY: as in `forget_release`.
        unsafe {
            std::ptr::from_ref(&*self.0)
                .cast::<usize>()
                .add(words - 2)
                .read()
                == 0
        }
    }
}

/// Everything that a stream holds.
fn drain(what: &str, mut stream: Owned<Stream>) -> PyResult<(Owned<Schema>, Vec<Owned<Array>>)> {
    let failed = |stream: &mut Stream, code: c_int| -> PyErr {
        let text = stream.get_last_error.and_then(|last| {
            // SAFETY: the producer's function on its stream; a C string or null.
            unsafe {
                let text = last(stream);
                (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
            }
        });
        let text = text.unwrap_or_else(|| format!("error {code}"));
        Error::value(what, format!("the Arrow stream failed: {text}")).into()
    };
    let (Some(get_schema), Some(get_next)) = (stream.0.get_schema, stream.0.get_next) else {
        return Err(Error::value(what, "an Arrow stream without functions").into());
    };
    let mut schema = Owned(Box::new(Schema::EMPTY));
    // SAFETY: the producer's functions on its stream, with room for what they write.
    let code = unsafe { get_schema(&raw mut *stream.0, &raw mut *schema.0) };
    if code != 0 {
        return Err(failed(&mut stream.0, code));
    }
    let mut chunks = Vec::new();
    loop {
        let mut array = Owned(Box::new(Array::EMPTY));
        // SAFETY: as above.
        let code = unsafe { get_next(&raw mut *stream.0, &raw mut *array.0) };
        if code != 0 {
            return Err(failed(&mut stream.0, code));
        }
        if array.is_released() {
            return Ok((schema, chunks));
        }
        chunks.push(array);
    }
}

/// What a column of numbers looks like.
struct Column {
    dtype: DType,
    /// The lengths of the fixed-size lists, outermost first.
    lists: Vec<usize>,
    /// The shape of one row: that of the tensor extension, or else the lists.
    row: Shape,
}

impl Column {
    /// Reads a schema.
    ///
    /// # Safety
    /// A schema that its producer filled, not yet released.
    unsafe fn of(what: &str, schema: &Schema) -> Result<(Self, Form)> {
        let mut lists = Vec::new();
        let mut level = schema;
        let refused = |got: &str| {
            Error::dtype(
                what,
                "a column of float32 or float64, or of fixed-size lists of them",
                got,
            )
        };
        let dtype = loop {
            if level.format.is_null() {
                return Err(refused("a schema without a format"));
            }
            // SAFETY: a C string of the producer.
            let format = unsafe { CStr::from_ptr(level.format) };
            let format = format.to_string_lossy();
            if !level.dictionary.is_null() {
                return Err(refused("a dictionary column"));
            }
            if let Some(size) = format.strip_prefix("+w:") {
                let size = size.parse().map_err(|_| refused(&format))?;
                lists.push(size);
                if level.n_children != 1 || level.children.is_null() || lists.len() > 32 {
                    return Err(refused("lists that contradict themselves"));
                }
                // SAFETY: one child, which the producer filled.
                level = unsafe { &**level.children };
                continue;
            }
            break match &*format {
                "f" => DType::Float32,
                "g" => DType::Float64,
                "e" => DType::Float16,
                "c" => DType::Int8,
                "C" => DType::UInt8,
                "s" => DType::Int16,
                "S" => DType::UInt16,
                "i" => DType::Int32,
                "I" => DType::UInt32,
                "l" => DType::Int64,
                "L" => DType::UInt64,
                "b" => return Err(refused("a column of bool")),
                "+s" => {
                    return Err(refused(
                        "a table; pass one of its columns, or a column of fixed-size lists",
                    ));
                }
                "+l" | "+L" | "+vl" | "+vL" => {
                    return Err(refused(
                        "a column of lists of any length; cast it to fixed-size lists first",
                    ));
                }
                other => return Err(refused(&format!("a column of Arrow format '{other}'"))),
            };
        };
        let mut row: Shape = lists.iter().copied().collect();
        let mut form = if lists.len() > 1 {
            Form::Nested
        } else {
            Form::Tensor
        };
        // SAFETY: metadata of the producer.
        let metadata = unsafe { metadata(schema.metadata) };
        let named = |wanted: &str| {
            let found = metadata.iter().find(|(key, _)| key == wanted.as_bytes());
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        if named("ARROW:extension:name").as_deref() == Some("arrow.fixed_shape_tensor")
            && let Some(text) = named("ARROW:extension:metadata")
        {
            form = Form::Tensor;
            row = tensor_shape(what, &text)?;
            let (inside, claimed): (usize, usize) = (lists.iter().product(), row.iter().product());
            if inside != claimed {
                return Err(Error::value(
                    what,
                    format!(
                        "a tensor column of shape {} over lists of {inside}",
                        show_shape(&row)
                    ),
                ));
            }
        }
        Ok((Self { dtype, lists, row }, form))
    }

    /// Finds the numbers of one chunk, whose first row is row `first_row` of the column.
    ///
    /// # Safety
    /// An array that its producer filled to match the schema, not yet released.
    unsafe fn locate(&self, what: &str, array: &Array, first_row: i64) -> Result<Foreign> {
        let broken = || Error::value(what, "an Arrow array that contradicts its schema");
        let rows = usize::try_from(array.length).map_err(|_| broken())?;
        let mut level = array;
        // The part of the current level that the rows cover.
        let (mut start, mut length) = (0_usize, rows);
        let mut per_row = 1_usize;
        for depth in 0..=self.lists.len() {
            let offset = usize::try_from(level.offset).map_err(|_| broken())?;
            start = start.checked_add(offset).ok_or_else(broken)?;
            let has = usize::try_from(level.length).map_err(|_| broken())?;
            let end = start.checked_add(length).ok_or_else(broken)?;
            if length > 0 && end > has.checked_add(offset).ok_or_else(broken)? {
                return Err(broken());
            }
            // SAFETY: the producer's buffers, of which the first holds the validity.
            unsafe { refuse_nulls(what, level, start, length, per_row, first_row)? };
            let Some(&size) = self.lists.get(depth) else {
                break;
            };
            start = start.checked_mul(size).ok_or_else(broken)?;
            length = length.checked_mul(size).ok_or_else(broken)?;
            per_row = per_row.checked_mul(size).ok_or_else(broken)?;
            if level.n_children != 1 || level.children.is_null() {
                return Err(broken());
            }
            // SAFETY: one child, which the producer filled.
            level = unsafe { &**level.children };
        }
        let mut shape = Shape::from_slice(&[rows]);
        shape.extend_from_slice(&self.row);
        let pointer = if level.n_buffers < 2 || level.buffers.is_null() {
            std::ptr::null::<u8>()
        } else {
            // SAFETY: two buffers, of which the second holds the numbers.
            unsafe { (*level.buffers.add(1)).cast::<u8>() }
        };
        let pointer = if pointer.is_null() {
            pointer
        } else {
            pointer.wrapping_add(start.checked_mul(self.dtype.size()).ok_or_else(broken)?)
        };
        // SAFETY: the producer keeps the buffers until the array is released, which its owner keeps.
        let mut foreign = unsafe { Foreign::checked(what, pointer, self.dtype, shape, None)? };
        foreign.read_only = true;
        Ok(foreign)
    }
}

/// Refuses a null among the elements `start .. start + length` of a level, naming its row.
///
/// # Safety
/// An array that its producer filled.
unsafe fn refuse_nulls(
    what: &str,
    level: &Array,
    start: usize,
    length: usize,
    per_row: usize,
    first_row: i64,
) -> Result<()> {
    if level.null_count == 0 || level.n_buffers < 1 || level.buffers.is_null() {
        return Ok(());
    }
    // SAFETY: at least one buffer.
    let bits = unsafe { (*level.buffers).cast::<u8>() };
    if bits.is_null() {
        return Ok(());
    }
    for index in 0..length {
        let at = start + index;
        // SAFETY: the validity has a bit for each element of the level.
        if unsafe { *bits.add(at / 8) } >> (at % 8) & 1 == 0 {
            return Err(Error::value(
                what,
                format!(
                    "row {} of the column is null (or holds one); fill or drop it first",
                    first_row + (index / per_row) as i64
                ),
            ));
        }
    }
    Ok(())
}

/// The pairs of a metadata block: a count, then lengths and bytes.
///
/// # Safety
/// Null, or metadata of a producer.
unsafe fn metadata(at: *const c_char) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut at = at.cast::<u8>();
    if at.is_null() {
        return Vec::new();
    }
    // SAFETY: the format of the C data interface; lengths are trusted as the producer's promise.
    unsafe {
        let mut number = || {
            let value = at.cast::<i32>().read_unaligned();
            at = at.add(4);
            value
        };
        let count = number();
        let mut pairs = Vec::new();
        let mut position = at;
        let read = |position: &mut *const u8| {
            let length = position.cast::<i32>().read_unaligned().max(0) as usize;
            *position = position.add(4);
            let bytes = std::slice::from_raw_parts(*position, length).to_vec();
            *position = position.add(length);
            bytes
        };
        for _ in 0..count.clamp(0, 1024) {
            let key = read(&mut position);
            let value = read(&mut position);
            pairs.push((key, value));
        }
        pairs
    }
}

/// The shape that the tensor extension's metadata gives, where it is row-major.
fn tensor_shape(what: &str, text: &str) -> Result<Shape> {
    let bad = |got: String| Error::value(what, got);
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| bad(format!("the tensor column's metadata is not JSON: {error}")))?;
    if let Some(order) = value.get("permutation").and_then(|order| order.as_array()) {
        let in_order = order
            .iter()
            .enumerate()
            .all(|(place, axis)| axis.as_u64() == Some(place as u64));
        if !in_order {
            return Err(bad(
                "the tensor column permutes its axes; store it in row-major order".into(),
            ));
        }
    }
    let sizes = value.get("shape").and_then(|shape| shape.as_array());
    let shape: Option<Shape> = sizes.and_then(|sizes| {
        sizes
            .iter()
            .map(|size| size.as_u64().map(|size| size as usize))
            .collect()
    });
    shape.ok_or_else(|| bad("the tensor column's metadata has no shape".into()))
}

// Out -----------------------------------------------------------------------------------------------

struct SchemaParts {
    _format: CString,
    _name: CString,
    _metadata: Vec<u8>,
    children: Vec<*mut Schema>,
}

struct ArrayParts {
    _block: Option<Arc<Block>>,
    _buffers: Vec<*const c_void>,
    children: Vec<*mut Array>,
}

unsafe extern "C" fn release_schema(schema: *mut Schema) {
    // SAFETY: made by `schema`, released once by its consumer; children that the consumer moved out
    // are marked as released.
    unsafe {
        let parts = Box::from_raw((*schema).private.cast::<SchemaParts>());
        for &child in &parts.children {
            Box::from_raw(child).release();
        }
        (*schema).release = None;
    }
}

unsafe extern "C" fn release_array(array: *mut Array) {
    // SAFETY: as above.
    unsafe {
        let parts = Box::from_raw((*array).private.cast::<ArrayParts>());
        for &child in &parts.children {
            Box::from_raw(child).release();
        }
        (*array).release = None;
    }
}

fn schema(format: &str, name: &str, metadata: Vec<u8>, child: Option<Schema>) -> Schema {
    let mut parts = Box::new(SchemaParts {
        _format: CString::new(format).expect("no zero bytes"),
        _name: CString::new(name).expect("no zero bytes"),
        _metadata: metadata,
        children: child
            .into_iter()
            .map(|child| Box::into_raw(Box::new(child)))
            .collect(),
    });
    Schema {
        format: parts._format.as_ptr(),
        name: parts._name.as_ptr(),
        metadata: if parts._metadata.is_empty() {
            std::ptr::null()
        } else {
            parts._metadata.as_ptr().cast()
        },
        n_children: parts.children.len() as i64,
        children: parts.children.as_mut_ptr(),
        release: Some(release_schema),
        private: Box::into_raw(parts).cast(),
        ..Schema::EMPTY
    }
}

fn array(length: usize, block: Option<Arc<Block>>, child: Option<Array>) -> Array {
    let mut buffers = vec![std::ptr::null()];
    if let Some(block) = &block {
        buffers.push(block.as_ptr().cast_const().cast());
    }
    let mut parts = Box::new(ArrayParts {
        _block: block,
        _buffers: buffers,
        children: child
            .into_iter()
            .map(|child| Box::into_raw(Box::new(child)))
            .collect(),
    });
    Array {
        length: length as i64,
        n_buffers: parts._buffers.len() as i64,
        n_children: parts.children.len() as i64,
        buffers: parts._buffers.as_mut_ptr(),
        children: parts.children.as_mut_ptr(),
        release: Some(release_array),
        private: Box::into_raw(parts).cast(),
        ..Array::EMPTY
    }
}

/// Describes a row-major array as a column: the schema and the array over the same memory.
fn describe(
    block: &Arc<Block>,
    dtype: DType,
    shape: &[usize],
    form: Form,
) -> Result<(Schema, Array)> {
    let format = match dtype {
        DType::Float32 => "f",
        DType::Float64 => "g",
        DType::Float16 => "e",
        DType::Int32 => "i",
        DType::Int64 => "l",
        other => {
            return Err(Error::dtype(
                "Arrow column",
                "a dtype that Arrow has",
                other,
            ));
        }
    };
    let (rows, row) = match shape {
        [] => (1, &[][..]),
        [rows, row @ ..] => (*rows, row),
    };
    let count: usize = row.iter().product();
    let mut result = (
        schema(format, "item", Vec::new(), None),
        array(rows * count, Some(block.clone()), None),
    );
    match form {
        Form::Tensor if !row.is_empty() => {
            let sizes: Vec<String> = row.iter().map(ToString::to_string).collect();
            let text = format!("{{\"shape\":[{}]}}", sizes.join(","));
            let metadata = encode_metadata(&[
                ("ARROW:extension:name", "arrow.fixed_shape_tensor"),
                ("ARROW:extension:metadata", &text),
            ]);
            result = (
                schema(&format!("+w:{count}"), "", metadata, Some(result.0)),
                array(rows, None, Some(result.1)),
            );
        }
        _ => {
            for depth in (0..row.len()).rev() {
                let outer: usize = row[..depth].iter().product();
                result = (
                    schema(
                        &format!("+w:{}", row[depth]),
                        "item",
                        Vec::new(),
                        Some(result.0),
                    ),
                    array(rows * outer, None, Some(result.1)),
                );
            }
        }
    }
    Ok(result)
}

fn encode_metadata(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = (pairs.len() as i32).to_ne_bytes().to_vec();
    for text in pairs.iter().flat_map(|&(key, value)| [key, value]) {
        bytes.extend((text.len() as i32).to_ne_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// The pair of capsules that `__arrow_c_array__` returns.
///
/// # Errors
/// [`Error::DType`] for element types that Arrow does not have.
pub fn export_capsules<'py>(
    py: Python<'py>,
    block: &Arc<Block>,
    dtype: DType,
    shape: &[usize],
    form: Form,
) -> PyResult<Bound<'py, PyTuple>> {
    unsafe extern "C" fn destroy_schema(capsule: *mut ffi::PyObject) {
        // SAFETY: called once, with the capsule made below; a consumer marks what it took.
        unsafe {
            let schema = ffi::PyCapsule_GetPointer(capsule, c"arrow_schema".as_ptr());
            Box::from_raw(schema.cast::<Schema>()).release();
        }
    }
    unsafe extern "C" fn destroy_array(capsule: *mut ffi::PyObject) {
        // SAFETY: as above.
        unsafe {
            let array = ffi::PyCapsule_GetPointer(capsule, c"arrow_array".as_ptr());
            Box::from_raw(array.cast::<Array>()).release();
        }
    }
    let (schema, array) = describe(block, dtype, shape, form)?;
    // SAFETY: fresh boxes, given away to the capsules.
    unsafe {
        let schema = Bound::from_owned_ptr_or_err(
            py,
            ffi::PyCapsule_New(
                Box::into_raw(Box::new(schema)).cast(),
                c"arrow_schema".as_ptr(),
                Some(destroy_schema),
            ),
        )?;
        let array = Bound::from_owned_ptr_or_err(
            py,
            ffi::PyCapsule_New(
                Box::into_raw(Box::new(array)).cast(),
                c"arrow_array".as_ptr(),
                Some(destroy_array),
            ),
        )?;
        PyTuple::new(py, [schema, array])
    }
}

/// What carries our capsules to a library's constructor.
#[pyclass(frozen, module = "kinarray.interop", name = "_Column")]
struct Carrier {
    block: Arc<Block>,
    dtype: DType,
    shape: Shape,
    form: Form,
}

#[pymethods]
impl Carrier {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema;
        export_capsules(py, &self.block, self.dtype, &self.shape, self.form)
    }
}

/// Hands a block over as a column of the library that `like` comes from.
///
/// # Errors
/// What the library raises.
pub fn export<'py>(
    py: Python<'py>,
    block: Block,
    dtype: DType,
    shape: &[usize],
    library: Library,
    form: Form,
    like: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // One level of lists needs no extension type, unless the column that came in had one.
    let form = match form {
        Form::Tensor if shape.len() <= 2 => Form::Nested,
        form => form,
    };
    let column = Bound::new(
        py,
        Carrier {
            block: Arc::new(block),
            dtype,
            shape: Shape::from_slice(shape),
            form,
        },
    )?;
    match library {
        Library::PyArrow => py.import("pyarrow")?.call_method1("array", (column,)),
        // Whoever it is can take our column by the protocol that it speaks itself.
        Library::Other => Ok(column.into_any()),
        Library::Polars => {
            let name = like.getattr(intern!(py, "name"))?;
            let series = py
                .import("polars")?
                .call_method1("Series", (&name, column))?;
            // The column's own field name wins over the argument.
            series.call_method1(intern!(py, "alias"), (name,))
        }
        Library::Pandas => {
            let array = py.import("pyarrow")?.call_method1("array", (column,))?;
            let pandas = py.import("pandas")?;
            let extension = pandas
                .getattr("arrays")?
                .call_method1("ArrowExtensionArray", (array,))?;
            let keywords = PyDict::new(py);
            keywords.set_item("index", like.getattr("index")?)?;
            keywords.set_item("name", like.getattr("name")?)?;
            keywords.set_item("copy", false)?;
            pandas.call_method("Series", (extension,), Some(&keywords))
        }
    }
}
