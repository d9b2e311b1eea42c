//! TRC, "track row column": the places of markers as a table, a row for each frame.
//!
//! Four lines of header, the names of the markers, the names of their coordinates, and the rows. There is no
//! specification; this reader takes what OpenSim, Cortex and spreadsheets write.
//!
//! * **Cells** are parted by tabs, by commas or, where a line has neither, by spaces. Names stand above
//!   their first coordinate or anywhere in their order.
//! * **Hidden** is a marker with a blank cell or one that is not a number; its place becomes zero. We write
//!   blank cells: PyMomentum takes `NaN` for a place.
//! * **Unit**: `Units`; millimetres where a file does not say, unless `file_unit` does. +y is up, as in
//!   OpenSim: files do not say.
//! * **Frames**: those that are there, with a warning where the header announces another number. The rate is
//!   `DataRate`, also where the column of times steps otherwise, with a warning too.
//!
//! `header` and `table` are what the file stores; `write` is the way back.

mod header;
mod table;
mod write;

pub use table::load_markers;
pub use write::save_markers;
