//! What surfaces look like, as far as metalness and roughness describe it.

use std::sync::Arc;

use super::scene::Stored;
use crate::character::{Material, Picture};
use crate::io::Source;

/// What a picture beside the file may have, at most.
const LARGEST_PICTURE: usize = 64 << 20;

/// A number of our own: Phong materials have no metalness.
pub(super) const METALLIC: &str = "kinarray_metallic";

/// Reads the materials whose places in the scene are `used`. Older kinds of material are taken as what comes
/// closest. A picture that cannot be had is left out with a warning.
pub(super) fn read(stored: &mut Stored, source: &Source<'_>, used: &[usize]) -> Vec<Material> {
    let mut warnings = Vec::new();
    let all = stored.scene.materials.as_ref();
    let found = used.iter().filter_map(|&at| all.get(at));
    let materials = found.map(|material| one(material, source, &mut warnings));
    let materials = materials.collect();
    stored.warnings.append(&mut warnings);
    materials
}

fn one(material: &ufbx::Material, source: &Source<'_>, warnings: &mut Vec<String>) -> Material {
    let pbr = &material.pbr;
    let share = |x: f64| {
        if x.is_finite() {
            x.clamp(0.0, 1.0) as f32
        } else {
            0.0
        }
    };
    let factor = match pbr.base_factor.has_value {
        true => pbr.base_factor.value_vec4.x,
        false => 1.0,
    };
    let mut read = Material {
        name: material.element.name.to_string(),
        ..Material::default()
    };
    if pbr.base_color.has_value {
        let color = pbr.base_color.value_vec4;
        let [r, g, b] = [color.x, color.y, color.z].map(|x| share(x * factor));
        read.base_color = [r, g, b, 1.0];
    }
    if pbr.opacity.has_value {
        read.base_color[3] = share(pbr.opacity.value_vec4.x);
    }
    // Other programs put other things into the reflection of such a material.
    let number = |name: &str| {
        let found = material.element.props.find_prop(name);
        found.map(|found| share(found.value_vec4.x))
    };
    if let (false, Some(opacity)) = (pbr.opacity.has_value, number("Opacity")) {
        read.base_color[3] = opacity;
    }
    if let Some(metallic) = number(METALLIC) {
        read.metallic = metallic;
    } else if pbr.metalness.has_value {
        read.metallic = share(pbr.metalness.value_vec4.x);
    }
    if pbr.roughness.has_value {
        read.roughness = share(pbr.roughness.value_vec4.x);
    }
    if pbr.emission_color.has_value {
        let color = pbr.emission_color.value_vec4;
        let strength = match pbr.emission_factor.has_value {
            true => pbr.emission_factor.value_vec4.x,
            false => 1.0,
        };
        let light = |x: f64| {
            if x.is_finite() {
                x.max(0.0) as f32
            } else {
                0.0
            }
        };
        read.emissive = [color.x, color.y, color.z].map(|x| light(x * strength));
    }
    read.is_double_sided = material.features.double_sided.enabled;
    if let Some(texture) = pbr
        .base_color
        .texture
        .as_ref()
        .filter(|_| pbr.base_color.texture_enabled)
    {
        read.base_color_texture = picture(texture, source, warnings);
    }
    read
}

/// The picture of a texture: inside the file or beside it.
fn picture(
    texture: &ufbx::Texture,
    source: &Source<'_>,
    warnings: &mut Vec<String>,
) -> Option<Arc<Picture>> {
    let reference = texture.relative_filename.replace('\\', "/");
    let (_, file) = reference.rsplit_once('/').unwrap_or(("", &reference));
    let place = format!("Texture '{}'", texture.element.name);
    let bytes = match texture.content.is_empty() {
        false => Ok(texture.content.to_vec()),
        // Paths are often those of another machine.
        true => source
            .neighbour(&place, &reference, LARGEST_PICTURE + 1)
            .or_else(|_| source.neighbour(&place, file, LARGEST_PICTURE + 1)),
    };
    match bytes {
        Ok(bytes) if bytes.len() <= LARGEST_PICTURE => Some(Arc::new(Picture {
            name: file.to_owned(),
            mime_type: mime_type(&bytes).to_owned(),
            bytes,
        })),
        Ok(_) => {
            warnings.push(format!(
                "{place}: a picture of more than 64 MiB is left out"
            ));
            None
        }
        Err(problem) => {
            warnings.push(format!("{problem}; the picture is left out"));
            None
        }
    }
}

/// What the first bytes of a picture tell.
fn mime_type(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xFF, 0xD8, ..] => "image/jpeg",
        [b'R', b'I', b'F', b'F', ..] => "image/webp",
        [b'D', b'D', b'S', ..] => "image/vnd-ms.dds",
        [b'I', b'I', ..] | [b'M', b'M', ..] => "image/tiff",
        _ => "image/x-tga",
    }
}
