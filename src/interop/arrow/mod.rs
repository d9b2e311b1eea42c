//! Arrow columns in and out, by the PyCapsule protocol and the structures of arrow-rs.
//!
//! A column of numbers is 1-D; a column of fixed-size lists, nested or not, or of
//! `arrow.fixed_shape_tensor`, has the rows as its first axis.
//!
//! * [`speaks`], [`import`], [`adopt`], [`Imported`]: a column that came in
//! * [`export`], [`export_capsules`], [`Library`]: a result that goes out, as whose column
//! * `column`: what a column of numbers looks like, and where its numbers lie
//! * `capsule`: structures out of capsules and into them
//! * `table`: a table of one column as that column
//! * `check`: what arrow-rs trusts a producer with, checked
//!
//! Three things that arrow-rs offers are not used. `ffi_stream`'s readers convert inside `next`,
//! where nothing can be checked before, so `capsule` asks the stream itself. A lying producer makes
//! `from_ffi` panic, so `check` looks first. `FixedShapeTensor` writes `"dim_names":null`, which
//! pyarrow refuses, so `describe` writes that metadata and `column` reads it.

mod capsule;
mod check;
mod column;
mod describe;
mod import;
mod library;
mod table;

pub use describe::export_capsules;
pub use import::{Imported, adopt, import, speaks};
pub use library::{Library, export};

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
