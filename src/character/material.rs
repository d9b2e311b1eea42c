//! What a surface looks like.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::error::{Error, Result};

/// How a surface reflects light, by metalness and roughness as in glTF; colours are linear, 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Material {
    /// Its name; may be empty.
    pub name: String,
    /// Red, green, blue and opacity; multiplied with the picture where there is one.
    pub base_color: [f32; 4],
    /// 0 for what is no metal, 1 for metal.
    pub metallic: f32,
    /// 0 for a mirror, 1 for chalk.
    pub roughness: f32,
    /// Light that it sends out itself.
    pub emissive: [f32; 3],
    /// Whether its back is seen too.
    pub is_double_sided: bool,
    /// The picture over the texture coordinates.
    pub base_color_texture: Option<Arc<Picture>>,
}

/// A picture as its file stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Its name, or that of its file; may be empty.
    pub name: String,
    /// `image/png` or `image/jpeg`, by custom.
    pub mime_type: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl Default for Material {
    /// White, half rough, no metal.
    fn default() -> Self {
        Self {
            name: String::new(),
            base_color: [1.0; 4],
            metallic: 0.0,
            roughness: 0.5,
            emissive: [0.0; 3],
            is_double_sided: false,
            base_color_texture: None,
        }
    }
}

impl Material {
    /// Refuses numbers that are no shares.
    ///
    /// # Errors
    /// [`Error::Character`] naming the number.
    pub fn check(&self) -> Result<()> {
        let shares = [
            ("base_color", &self.base_color[..]),
            ("metallic", &[self.metallic]),
            ("roughness", &[self.roughness]),
        ];
        let part = || format!("material '{}'", self.name);
        for (name, numbers) in shares {
            if let Some(wrong) = numbers.iter().find(|x| !(0.0..=1.0).contains(*x)) {
                let problem = format!("{name}: expected 0 to 1, got {wrong}");
                return Err(Error::character(part(), problem));
            }
        }
        // Lamps are brighter than white.
        let is_light = |x: &f32| x.is_finite() && *x >= 0.0;
        match self.emissive.iter().find(|x| !is_light(x)) {
            Some(wrong) => Err(Error::character(
                part(),
                format!("emissive: expected 0 or more, got {wrong}"),
            )),
            None => Ok(()),
        }
    }
}
