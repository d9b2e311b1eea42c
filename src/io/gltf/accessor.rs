//! Typed reading of buffers. Every range is checked before a byte is read or memory is asked for.

use std::borrow::Cow;
use std::cell::Cell;

use crate::error::{Error, Result};
use crate::io::json::{Item, Path};

/// More elements than any character has: the bound for accessors without a buffer view.
const MAX_ELEMENTS: usize = 1 << 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

impl Scalar {
    fn read(item: &Item<'_>) -> Result<Self> {
        Ok(match item.integer()? {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5125 => Self::U32,
            5126 => Self::F32,
            _ => return Err(item.wrong("5120, 5121, 5122, 5123, 5125 or 5126")),
        })
    }

    const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }

    const fn is_unsigned(self) -> bool {
        matches!(self, Self::U8 | Self::U16 | Self::U32)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::I8 => "byte",
            Self::U8 => "unsigned byte",
            Self::I16 => "short",
            Self::U16 => "unsigned short",
            Self::U32 => "unsigned int",
            Self::F32 => "float",
        }
    }

    /// The number at the start of `bytes`, which are at least as many as its size.
    fn real(self, bytes: &[u8], normalized: bool) -> f32 {
        let scale = |value: f32, top: f32| {
            if normalized {
                (value / top).max(-1.0)
            } else {
                value
            }
        };
        match self {
            Self::I8 => scale(f32::from(bytes[0] as i8), 127.0),
            Self::U8 => scale(f32::from(bytes[0]), 255.0),
            Self::I16 => scale(f32::from(i16::from_le_bytes([bytes[0], bytes[1]])), 32767.0),
            Self::U16 => scale(f32::from(u16::from_le_bytes([bytes[0], bytes[1]])), 65535.0),
            Self::U32 => scale(self.unsigned(bytes) as f32, u32::MAX as f32),
            Self::F32 => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        }
    }

    fn unsigned(self, bytes: &[u8]) -> u32 {
        match self.size() {
            1 => u32::from(bytes[0]),
            2 => u32::from(u16::from_le_bytes([bytes[0], bytes[1]])),
            _ => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        }
    }
}

struct View {
    buffer: usize,
    offset: usize,
    length: usize,
    stride: Option<usize>,
}

struct Sparse {
    count: usize,
    index_view: usize,
    index_offset: usize,
    index_scalar: Scalar,
    value_view: usize,
    value_offset: usize,
}

pub(super) struct Accessor<'a> {
    path: Path<'a>,
    view: Option<usize>,
    offset: usize,
    scalar: Scalar,
    normalized: bool,
    pub count: usize,
    /// `SCALAR`, `VEC3`, ...
    pub kind: &'static str,
    /// Numbers in an element.
    pub width: usize,
    sparse: Option<Sparse>,
}

const KINDS: [(&str, usize); 7] = [
    ("SCALAR", 1),
    ("VEC2", 2),
    ("VEC3", 3),
    ("VEC4", 4),
    ("MAT2", 4),
    ("MAT3", 9),
    ("MAT4", 16),
];

impl Accessor<'_> {
    /// Bytes from the start of an element to its end.
    fn element_size(&self) -> usize {
        // Columns of matrices start at multiples of 4 bytes.
        let columns = match self.kind {
            "MAT2" => 2,
            "MAT3" => 3,
            "MAT4" => 4,
            _ => return self.width * self.scalar.size(),
        };
        columns * (columns * self.scalar.size()).next_multiple_of(4)
    }

    /// Where number `at` of an element starts.
    fn number_offset(&self, at: usize) -> usize {
        match self.kind {
            "MAT2" => self.in_column(at, 2),
            "MAT3" => self.in_column(at, 3),
            _ => at * self.scalar.size(),
        }
    }

    fn in_column(&self, at: usize, rows: usize) -> usize {
        let column = (rows * self.scalar.size()).next_multiple_of(4);
        at / rows * column + at % rows * self.scalar.size()
    }
}

/// The numbers of a file: buffers, views into them, and accessors, all checked against each other.
pub(super) struct Data<'a> {
    buffers: Vec<Option<Cow<'a, [u8]>>>,
    views: Vec<View>,
    accessors: Vec<Accessor<'a>>,
    /// How many numbers may still be read.
    budget: Cell<usize>,
}

/// What any file may read, and how much more for each of its bytes. Accessors can be shared, or claim
/// zeros without storing them, so that a short file could ask for any amount of memory.
const BASE_BUDGET: usize = 1 << 25;
const BUDGET_PER_BYTE: usize = 16;

impl<'a> Data<'a> {
    pub fn new(root: &Item<'a>, buffers: Vec<Option<Cow<'a, [u8]>>>) -> Result<Self> {
        let lengths: Vec<usize> = root
            .list("buffers")?
            .iter()
            .map(|buffer| buffer.need("byteLength")?.integer())
            .collect::<Result<_>>()?;
        let mut views = Vec::new();
        for item in root.list("bufferViews")? {
            views.push(read_view(&item, &lengths)?);
        }
        let stored: usize = buffers.iter().flatten().map(|bytes| bytes.len()).sum();
        let mut data = Self {
            buffers,
            views,
            accessors: Vec::new(),
            budget: Cell::new(BASE_BUDGET + BUDGET_PER_BYTE.saturating_mul(stored)),
        };
        for item in root.list("accessors")? {
            let accessor = data.read_accessor(&item)?;
            data.accessors.push(accessor);
        }
        Ok(data)
    }

    pub fn len(&self) -> usize {
        self.accessors.len()
    }

    pub fn accessor(&self, index: usize) -> &Accessor<'a> {
        &self.accessors[index]
    }

    fn read_accessor(&self, item: &Item<'a>) -> Result<Accessor<'a>> {
        let kind = item.need("type")?;
        let name = kind.str()?;
        let &(kind, width) = KINDS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| kind.wrong("SCALAR, VEC2, VEC3, VEC4, MAT2, MAT3 or MAT4"))?;
        let count_item = item.need("count")?;
        // The format asks for at least one element; none at all does no harm, see `is_stored`.
        let count = count_item.integer()?;
        let integer =
            |item: &Item<'_>, key: &str| item.get(key).map_or(Ok(0), |offset| offset.integer());
        let view = item.optional_index("bufferView", "bufferViews", self.views.len())?;
        let accessor = Accessor {
            path: item.path.clone(),
            view,
            offset: integer(item, "byteOffset")?,
            scalar: Scalar::read(&item.need("componentType")?)?,
            normalized: item
                .get("normalized")
                .map_or(Ok(false), |normalized| normalized.bool())?,
            count,
            kind,
            width,
            sparse: None,
        };
        let size = accessor.element_size();
        match view {
            Some(view) => {
                let stride = self.views[view].stride.unwrap_or(size);
                if stride < size {
                    return Err(Error::format(
                        format!("{}.bufferView", item.path),
                        format!("a byteStride of at least {size}, the size of an element"),
                        stride,
                    ));
                }
                self.check_range(&count_item, view, accessor.offset, count, stride, size)?;
            }
            // Zeros, or nothing but sparse values: the file holds no bytes for these elements.
            None if count > MAX_ELEMENTS => {
                return Err(Error::format(
                    &count_item.path,
                    format!("at most {MAX_ELEMENTS} elements without a buffer view"),
                    count,
                ));
            }
            None => {}
        }
        let sparse = item
            .get("sparse")
            .map(|sparse| -> Result<Sparse> {
                let sparse = sparse.object()?;
                let sparse_count = sparse.need("count")?;
                let number = sparse_count.integer()?;
                if number == 0 || number > count {
                    return Err(sparse_count.wrong(format!("1 to {count}")));
                }
                let (indices, values) = (sparse.need("indices")?, sparse.need("values")?);
                let view = |item: &Item<'_>| {
                    item.need("bufferView")?
                        .index("bufferViews", self.views.len())
                };
                let scalar_item = indices.need("componentType")?;
                let scalar = Scalar::read(&scalar_item)?;
                if !scalar.is_unsigned() {
                    return Err(scalar_item.wrong("5121, 5123 or 5125"));
                }
                let sparse = Sparse {
                    count: number,
                    index_view: view(&indices)?,
                    index_offset: integer(&indices, "byteOffset")?,
                    index_scalar: scalar,
                    value_view: view(&values)?,
                    value_offset: integer(&values, "byteOffset")?,
                };
                let bytes = scalar.size();
                let (at, offset) = (sparse.index_view, sparse.index_offset);
                self.check_range(&indices, at, offset, number, bytes, bytes)?;
                let (at, offset) = (sparse.value_view, sparse.value_offset);
                self.check_range(&values, at, offset, number, size, size)?;
                Ok(sparse)
            })
            .transpose()?;
        Ok(Accessor { sparse, ..accessor })
    }

    /// That `count` elements lie inside the view.
    fn check_range(
        &self,
        place: &Item<'_>,
        view: usize,
        offset: usize,
        count: usize,
        stride: usize,
        size: usize,
    ) -> Result<()> {
        let end = match count.checked_sub(1) {
            None => Some(offset),
            Some(steps) => steps
                .checked_mul(stride)
                .and_then(|bytes| bytes.checked_add(size)?.checked_add(offset)),
        };
        let length = self.views[view].length;
        match end {
            Some(end) if end <= length => Ok(()),
            _ => Err(Error::format(
                &place.path,
                format!("elements within the {length} bytes of bufferViews[{view}]"),
                format!(
                    "{count} elements of {size} bytes, {stride} apart, from byte {offset}, \
                     which ends at {}",
                    end.map_or_else(|| "no byte at all".into(), |end| format!("byte {end}"))
                ),
            )),
        }
    }

    /// Whether the file holds numbers for an accessor; without, an extension would have to supply them.
    pub fn is_stored(&self, index: usize) -> bool {
        let accessor = &self.accessors[index];
        let stored = |view: usize| self.buffers[self.views[view].buffer].is_some();
        let sparse = accessor.sparse.as_ref();
        let stored_densely = accessor.count > 0 && accessor.view.is_some_and(stored);
        stored_densely || sparse.is_some_and(|sparse| stored(sparse.value_view))
    }

    /// The bytes of the buffer view that an index stands for.
    pub fn view(&self, item: &Item<'_>) -> Result<&[u8]> {
        self.view_bytes(item.index("bufferViews", self.views.len())?)
    }

    /// The bytes of an accessor whose elements lie behind each other without gaps.
    fn packed(&self, accessor: &Accessor<'_>) -> Result<Option<&[u8]>> {
        let size = accessor.element_size();
        let has_gaps = size != accessor.width * accessor.scalar.size();
        let Some(view) = accessor
            .view
            .filter(|_| accessor.sparse.is_none() && !has_gaps)
        else {
            return Ok(None);
        };
        if self.views[view].stride.is_some_and(|stride| stride != size) {
            return Ok(None);
        }
        let bytes = self.view_bytes(view)?;
        Ok(bytes.get(accessor.offset..accessor.offset + accessor.count * size))
    }

    fn view_bytes(&self, view: usize) -> Result<&[u8]> {
        let View {
            buffer,
            offset,
            length,
            ..
        } = self.views[view];
        self.buffers[buffer]
            .as_deref()
            .and_then(|bytes| bytes.get(offset..offset + length))
            .ok_or_else(|| {
                Error::format(
                    format!("buffers[{buffer}]"),
                    "a uri, or a binary chunk in the file",
                    "none",
                )
            })
    }

    /// Calls `take(element, bytes of the element)` for every stored element, sparse ones last.
    fn visit(&self, accessor: &Accessor<'_>, mut take: impl FnMut(usize, &[u8])) -> Result<()> {
        let size = accessor.element_size();
        if let Some(view) = accessor.view {
            let bytes = self.view_bytes(view)?;
            let stride = self.views[view].stride.unwrap_or(size);
            for element in 0..accessor.count {
                take(element, &bytes[accessor.offset + element * stride..]);
            }
        }
        if let Some(sparse) = &accessor.sparse {
            let indices = self.view_bytes(sparse.index_view)?;
            let values = self.view_bytes(sparse.value_view)?;
            let mut least = 0;
            for at in 0..sparse.count {
                let place = sparse.index_offset + at * sparse.index_scalar.size();
                let element = sparse.index_scalar.unsigned(&indices[place..]) as usize;
                if element < least || element >= accessor.count {
                    return Err(Error::format(
                        format!("{}.sparse.indices, entry {at}", accessor.path),
                        format!(
                            "increasing indices, here from {least} to {}",
                            accessor.count - 1
                        ),
                        element,
                    ));
                }
                least = element + 1;
                take(element, &values[sparse.value_offset + at * size..]);
            }
        }
        Ok(())
    }

    /// Takes `numbers` from what the file may still make us hold.
    pub fn charge(&self, place: impl std::fmt::Display, numbers: usize) -> Result<()> {
        match self.budget.get().checked_sub(numbers) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => Err(Error::format(
                place,
                "data in proportion to the size of the file",
                format!("{numbers} more numbers, by sharing or claiming what is not stored"),
            )),
        }
    }

    /// All numbers, an element after the other; integers divided by their largest value where they are
    /// marked as normalised.
    pub fn reals(&self, index: usize) -> Result<Vec<f32>> {
        let accessor = &self.accessors[index];
        self.charge(&accessor.path, accessor.count * accessor.width)?;
        if accessor.scalar == Scalar::F32
            && let Some(bytes) = self.packed(accessor)?
        {
            let numbers = bytes.as_chunks::<4>().0.iter();
            return Ok(numbers.map(|&number| f32::from_le_bytes(number)).collect());
        }
        let mut reals = vec![0.0; accessor.count * accessor.width];
        self.visit(accessor, |element, bytes| {
            let numbers = &mut reals[element * accessor.width..][..accessor.width];
            for (at, number) in numbers.iter_mut().enumerate() {
                let bytes = &bytes[accessor.number_offset(at)..];
                *number = accessor.scalar.real(bytes, accessor.normalized);
            }
        })?;
        Ok(reals)
    }

    /// Like [`Self::reals`], refusing what is not finite.
    pub fn finite_reals(&self, index: usize) -> Result<Vec<f32>> {
        let reals = self.reals(index)?;
        // Without a branch for each number.
        const EXPONENT: u32 = 0x7f80_0000;
        let is_odd = |x: &f32| u32::from(x.to_bits() & EXPONENT == EXPONENT);
        if reals.iter().map(is_odd).fold(0, |any, odd| any | odd) == 0 {
            return Ok(reals);
        }
        if let Some(at) = reals.iter().position(|x| !x.is_finite()) {
            return Err(Error::format(
                format!(
                    "accessors[{index}], element {}",
                    at / self.accessors[index].width
                ),
                "finite numbers",
                reals[at],
            ));
        }
        Ok(reals)
    }

    /// All numbers of an accessor of unsigned integers.
    pub fn unsigned(&self, index: usize) -> Result<Vec<u32>> {
        let accessor = &self.accessors[index];
        if !accessor.scalar.is_unsigned() {
            return Err(Error::format(
                format!("accessors[{index}].componentType"),
                "unsigned integers",
                accessor.scalar.name(),
            ));
        }
        self.charge(&accessor.path, accessor.count * accessor.width)?;
        if let Some(bytes) = self.packed(accessor)? {
            return Ok(match accessor.scalar.size() {
                1 => bytes.iter().map(|&number| number.into()).collect(),
                2 => {
                    let numbers = bytes.as_chunks::<2>().0.iter();
                    numbers.map(|&n| u16::from_le_bytes(n).into()).collect()
                }
                _ => {
                    let numbers = bytes.as_chunks::<4>().0.iter();
                    numbers.map(|&n| u32::from_le_bytes(n)).collect()
                }
            });
        }
        let mut integers = vec![0; accessor.count * accessor.width];
        self.visit(accessor, |element, bytes| {
            for at in 0..accessor.width {
                let bytes = &bytes[accessor.number_offset(at)..];
                integers[element * accessor.width + at] = accessor.scalar.unsigned(bytes);
            }
        })?;
        Ok(integers)
    }

    /// An accessor index, checked to have one of `kinds`.
    pub fn reference(&self, item: &Item<'_>, kinds: &[&str]) -> Result<usize> {
        let index = item.index("accessors", self.accessors.len())?;
        let kind = self.accessors[index].kind;
        if !kinds.contains(&kind) {
            return Err(Error::format(
                &item.path,
                format!("an accessor of type {}", kinds.join(" or ")),
                format!("accessors[{index}] of type {kind}"),
            ));
        }
        Ok(index)
    }

    /// An accessor index, checked to hold floats or (where `integers`) normalised integers as well.
    pub fn float_reference(
        &self,
        item: &Item<'_>,
        kinds: &[&str],
        integers: bool,
    ) -> Result<usize> {
        let index = self.reference(item, kinds)?;
        let accessor = &self.accessors[index];
        let fits = match accessor.scalar {
            Scalar::F32 => true,
            Scalar::U32 => false,
            _ => integers && accessor.normalized,
        };
        if !fits {
            return Err(Error::format(
                &item.path,
                if integers {
                    "an accessor of floats or normalised integers"
                } else {
                    "an accessor of floats"
                },
                format!("accessors[{index}] of {}", accessor.scalar.name()),
            ));
        }
        Ok(index)
    }
}

fn read_view(item: &Item<'_>, lengths: &[usize]) -> Result<View> {
    let buffer = item.need("buffer")?.index("buffers", lengths.len())?;
    let offset = item
        .get("byteOffset")
        .map_or(Ok(0), |offset| offset.integer())?;
    let length_item = item.need("byteLength")?;
    let length = length_item.integer()?;
    if length == 0 {
        return Err(length_item.wrong("at least 1"));
    }
    let end = offset.checked_add(length);
    if end.is_none_or(|end| end > lengths[buffer]) {
        return Err(Error::format(
            &item.path,
            format!(
                "a range within the {} bytes of buffers[{buffer}]",
                lengths[buffer]
            ),
            format!("{length} bytes from byte {offset}"),
        ));
    }
    let stride = item
        .get("byteStride")
        .map(|stride| {
            let bytes = stride.integer()?;
            if (4..=252).contains(&bytes) && bytes.is_multiple_of(4) {
                Ok(bytes)
            } else {
                Err(stride.wrong("a multiple of 4 from 4 to 252"))
            }
        })
        .transpose()?;
    Ok(View {
        buffer,
        offset,
        length,
        stride,
    })
}
