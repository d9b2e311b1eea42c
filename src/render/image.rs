//! A finished picture.

use crate::error::{Error, Result};

/// 8-bit sRGB pixels, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `(height, width, 3)`.
    pub pixels: Vec<u8>,
}

impl Image {
    /// As a PNG file.
    ///
    /// # Errors
    /// [`Error::Value`] where the pixels do not fill the size.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let wrong = |problem: png::EncodingError| Error::value("image", problem);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(wrong)?;
        writer.write_image_data(&self.pixels).map_err(wrong)?;
        writer.finish().map_err(wrong)?;
        Ok(bytes)
    }
}
