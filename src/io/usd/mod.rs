//! Universal scene description
mod crate_file;
mod layer;
mod text;
mod types;
mod value;
pub use layer::{Fields, Layer, Prim, Property, Specifier};
pub use value::{Numbers, Value};

/// Reads the layer.
///
/// # Errors
/// [`crate::Error::Format`].
pub fn read_layer(source: &crate::io::Source<'_>) -> crate::error::Result<Layer> {
    let bytes = source.bytes();
    if bytes.starts_with(crate_file::MAGIC) {
        crate_file::read(bytes, &source.progress)
    } else {
        text::read(&source.text(), &source.progress)
    }
}
