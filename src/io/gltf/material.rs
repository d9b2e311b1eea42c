//! What surfaces look like: base colour with its picture, metalness, roughness and light of their own.

use std::sync::Arc;

use super::accessor::Data;
use super::container;
use crate::character::{Material, Picture};
use crate::error::Result;
use crate::io::Source;
use crate::io::json::Item;

/// What a picture beside the file may have, at most.
const LARGEST_PICTURE: usize = 64 << 20;

/// What a surface without a material looks like in glTF.
pub(super) fn default_material() -> Material {
    Material {
        metallic: 1.0,
        roughness: 1.0,
        ..Material::default()
    }
}

/// Reads the materials whose places in the file are `used`. A picture that cannot be had is left out with a
/// warning: the shape is what matters.
pub(super) fn read(
    root: &Item<'_>,
    data: &Data<'_>,
    source: &Source<'_>,
    used: &[usize],
    warnings: &mut Vec<String>,
) -> Result<Vec<Material>> {
    let items = root.list("materials")?;
    let pictures = Pictures {
        textures: root.list("textures")?,
        images: root.list("images")?,
        data,
        source,
    };
    let mut read: Vec<Option<Arc<Picture>>> = vec![None; pictures.images.len()];
    let mut materials = Vec::with_capacity(used.len());
    let mut left_out = 0;
    for &index in used {
        let item = items[index].clone().object()?;
        let mut share = |place: Option<Item<'_>>, default: f32| -> Result<f32> {
            let Some(place) = place else {
                return Ok(default);
            };
            let given = place.number()?;
            if !(0.0..=1.0).contains(&given) {
                let path = &place.path;
                warnings.push(format!("{path}: expected 0 to 1, got {given}; clamped"));
            }
            Ok(given.clamp(0.0, 1.0) as f32)
        };
        let mut material = default_material();
        if let Some(name) = item.get("name") {
            material.name = name.str()?.to_owned();
        }
        let pbr = item.get("pbrMetallicRoughness");
        let surface = |key: &str| pbr.as_ref().and_then(|pbr| pbr.get(key));
        if let Some(color) = surface("baseColorFactor") {
            color.numbers::<4>()?;
            for (channel, place) in material.base_color.iter_mut().zip(color.items()?) {
                *channel = share(Some(place), 1.0)?;
            }
        }
        material.metallic = share(surface("metallicFactor"), 1.0)?;
        material.roughness = share(surface("roughnessFactor"), 1.0)?;
        if let Some(color) = item.get("emissiveFactor") {
            color.numbers::<3>()?;
            for (channel, place) in material.emissive.iter_mut().zip(color.items()?) {
                *channel = share(Some(place), 0.0)?;
            }
        }
        let strength = item
            .get("extensions")
            .and_then(|all| all.get("KHR_materials_emissive_strength"))
            .and_then(|strength| strength.get("emissiveStrength"));
        if let Some(strength) = strength {
            let factor = strength.number()?;
            if factor < 0.0 {
                return Err(strength.wrong("0 or more"));
            }
            let bright = |x: &mut f32| *x = (f64::from(*x) * factor) as f32;
            material.emissive.iter_mut().for_each(bright);
        }
        if let Some(sides) = item.get("doubleSided") {
            material.is_double_sided = sides.bool()?;
        }
        if let Some(texture) = surface("baseColorTexture") {
            material.base_color_texture = pictures.of(&texture, &mut read, warnings)?;
        }
        let has_more = item.get("normalTexture").is_some()
            || item.get("occlusionTexture").is_some()
            || item.get("emissiveTexture").is_some()
            || surface("metallicRoughnessTexture").is_some();
        left_out += usize::from(has_more);
        materials.push(material);
    }
    if left_out > 0 {
        warnings.push(format!(
            "{left_out} materials have pictures of more than the base colour, which are left out"
        ));
    }
    Ok(materials)
}

struct Pictures<'s, 'a> {
    textures: Vec<Item<'a>>,
    images: Vec<Item<'a>>,
    data: &'s Data<'a>,
    source: &'s Source<'s>,
}

impl Pictures<'_, '_> {
    /// The picture of a texture.
    fn of(
        &self,
        place: &Item<'_>,
        read: &mut [Option<Arc<Picture>>],
        warnings: &mut Vec<String>,
    ) -> Result<Option<Arc<Picture>>> {
        let texture = &self.textures[place
            .need("index")?
            .index("textures", self.textures.len())?];
        // A texture may have its picture in a newer format, or in that as well.
        let newer = texture.get("extensions").and_then(|extensions| {
            let names = [
                "KHR_texture_basisu",
                "EXT_texture_webp",
                "EXT_texture_avif",
                "MSFT_texture_dds",
            ];
            names.iter().find_map(|name| extensions.get(name))
        });
        let image = match texture.optional_index("source", "images", self.images.len())? {
            None => match &newer {
                Some(newer) => newer.optional_index("source", "images", self.images.len())?,
                None => None,
            },
            image => image,
        };
        let Some(image) = image else {
            return Ok(None);
        };
        if place
            .get("texCoord")
            .is_some_and(|set| set.integer().is_ok_and(|set| set != 0))
        {
            let path = &place.path;
            warnings.push(format!(
                "{path}: it lies on other texture coordinates than the first; left out"
            ));
            return Ok(None);
        }
        if read[image].is_none() {
            match self.read(&self.images[image]) {
                Ok(picture) => read[image] = Some(Arc::new(picture)),
                Err(problem) => warnings.push(format!("{problem}; the picture is left out")),
            }
        }
        Ok(read[image].clone())
    }

    fn read(&self, item: &Item<'_>) -> Result<Picture> {
        let text = |key: &str| item.get(key).map_or(Ok(""), |text| text.str());
        let mut name = text("name")?.to_owned();
        let mut mime_type = text("mimeType")?.to_owned();
        let bytes = match item.get("uri") {
            Some(uri) => {
                let reference = uri.str()?;
                if mime_type.is_empty() {
                    mime_type = mime_type_of(reference).to_owned();
                }
                if name.is_empty() && !reference.starts_with("data:") {
                    let (_, file) = reference.rsplit_once('/').unwrap_or(("", reference));
                    name = file.to_owned();
                }
                let bytes = container::resolve(&uri, LARGEST_PICTURE + 1, self.source)?;
                if bytes.len() > LARGEST_PICTURE {
                    return Err(uri.wrong("a picture of at most 64 MiB"));
                }
                bytes
            }
            None => {
                let bytes = self.data.view(&item.need("bufferView")?)?;
                // Many pictures could share the bytes of one view.
                self.data.charge(&item.path, bytes.len() / 4)?;
                bytes.to_vec()
            }
        };
        Ok(Picture {
            name,
            mime_type,
            bytes,
        })
    }
}

/// By the start of a data URI or the suffix of a file.
fn mime_type_of(reference: &str) -> &str {
    if let Some((kind, _)) = reference
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once([';', ',']))
    {
        return kind;
    }
    let suffix = reference.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    match suffix.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ktx2" => "image/ktx2",
        "dds" => "image/vnd-ms.dds",
        _ => "",
    }
}
