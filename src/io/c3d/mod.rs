//! C3D: points that a motion capture system saw, in three dimensions, and what force plates and electrodes
//! said meanwhile. Only the points are read.
//!
//! A header of 512 bytes, a section of named parameters, and the samples: 16-bit integers times a scale, or
//! floats. Numbers are stored as the machine that wrote them had them: Intel, DEC (VAX floats) or
//! MIPS (big-endian).
//!
//! * **Parameters win** over the header where both say the same thing otherwise.
//! * **Hidden** is a point whose fourth number is negative, as the format has it, or of which nothing is
//!   stored: four zeros, or a place that is not finite, which becomes zero. Any other place is kept.
//! * **Subjects**: `name:label` is the marker `label` of the subject `name`. A label without a colon belongs
//!   to the subject without a name; an underscore parts nothing, unlike in PyMomentum.
//! * **Unit**: `POINT:UNITS`; millimetres where a file does not say, unless `file_unit` does.
//! * **Up**: the axis `POINT:Y_SCREEN`; z where a file does not say.
//! * **Long recordings**: the header counts frames in 16 bits; beyond that `TRIAL:ACTUAL_END_FIELD`,
//!   `POINT:LONG_FRAMES` or `POINT:FRAMES` say how many there are.
//!
//! `header` and `parameters` are what the file stores, in `numbers` of its machine; `recording` is where its
//! samples are, `points` what they say, and `entry` makes markers of them.

mod entry;
mod header;
mod numbers;
mod parameters;
mod points;
mod recording;

pub use entry::load_markers;
