//! What surfaces look like, and the pieces of a mesh that have one material each.

use serde_json::{Value, json};

use super::document::Document;
use crate::character::{Material, Mesh};
use crate::error::Result;

const STRENGTH: &str = "KHR_materials_emissive_strength";

/// Adds the materials of a mesh, one after the other; the place of the first.
pub(super) fn add(document: &mut Document, mesh: &Mesh) -> Result<usize> {
    let first = document.materials.len();
    for material in &mesh.materials {
        material.check()?;
        let item = item(document, material);
        document.materials.push(item);
    }
    Ok(first)
}

fn item(document: &mut Document, material: &Material) -> Value {
    // As doubles: in the shortest text of a single another reader could find another number.
    let exact = |numbers: &[f32]| numbers.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let mut surface = json!({
        "baseColorFactor": exact(&material.base_color),
        "metallicFactor": f64::from(material.metallic),
        "roughnessFactor": f64::from(material.roughness),
    });
    if let Some(picture) = material
        .base_color_texture
        .as_ref()
        .filter(|one| !one.bytes.is_empty())
    {
        surface["baseColorTexture"] = json!({"index": document.texture(picture)});
    }
    let mut item = json!({
        "name": material.name,
        "pbrMetallicRoughness": surface,
        "doubleSided": material.is_double_sided,
    });
    if material.base_color[3] < 1.0 {
        item["alphaMode"] = "BLEND".into();
    }
    let brightest = material.emissive.iter().copied().fold(0.0, f32::max);
    if brightest > 0.0 {
        // A power of two, by which numbers are divided and multiplied without rounding.
        let strength = brightest.max(1.0).log2().ceil().exp2();
        item["emissiveFactor"] = json!(exact(&material.emissive.map(|x| x / strength)));
        if strength > 1.0 {
            document.extensions_used.insert(STRENGTH);
            item["extensions"] = json!({STRENGTH: {"emissiveStrength": strength}});
        }
    }
    item
}

/// A material of the mesh and the triangles that have it; all of them where there is no list.
type Piece = (Option<usize>, Option<Vec<usize>>);

/// The pieces of a mesh.
pub(super) fn pieces(mesh: &Mesh) -> Vec<Piece> {
    if mesh.face_materials.is_empty() {
        let first = (!mesh.materials.is_empty()).then_some(0);
        return vec![(first, None)];
    }
    let mut lists = vec![Vec::new(); mesh.materials.len()];
    for (face, &material) in mesh.face_materials.iter().enumerate() {
        lists[material as usize].push(face);
    }
    let lists = lists.into_iter().enumerate();
    lists
        .filter(|(_, faces)| !faces.is_empty())
        .map(|(material, faces)| (Some(material), Some(faces)))
        .collect()
}
