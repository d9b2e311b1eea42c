//! What surfaces look like, as Phong materials: the kind that every program reads. Roughness and metalness
//! are in them as Blender puts them there.

use super::super::material::METALLIC;
use super::record::Record;
use super::scene::{Id, Property, Scene, properties};
use crate::character::{Material, Mesh, Picture};

/// Adds the materials of a mesh to its node, and the pictures over them.
pub(super) fn add(scene: &mut Scene, mesh: &Mesh, model: Id) {
    for material in &mesh.materials {
        let id = one(scene, material);
        scene.connect(id, model);
        if let Some(shown) = material
            .base_color_texture
            .as_ref()
            .filter(|one| !one.bytes.is_empty())
        {
            let texture = picture(scene, shown);
            scene.connect_property(texture, id, "DiffuseColor");
        }
    }
}

fn one(scene: &mut Scene, material: &Material) -> Id {
    let (id, record) = scene.object("Material", &material.name, "Material", "");
    let [r, g, b, opacity] = material.base_color.map(f64::from);
    let color = |name: &str, rgb: [f64; 3]| Property::vector(name, ["Color", ""], "A", rgb);
    let number = |name: &str, x: f64| Property::new(name, ["Number", ""], "A").value(x);
    let smooth = 1.0 - f64::from(material.roughness);
    let record = record
        .field("Version", 102)
        .field("ShadingModel", "phong")
        .field("MultiLayer", 0)
        .inside(properties([
            color("DiffuseColor", [r, g, b]),
            number("DiffuseFactor", 1.0),
            color("EmissiveColor", material.emissive.map(f64::from)),
            number("EmissiveFactor", 1.0),
            number("TransparencyFactor", 1.0 - opacity),
            number("Opacity", opacity),
            number("Shininess", smooth * smooth * 100.0),
            number("ShininessExponent", smooth * smooth * 100.0),
            number("ReflectionFactor", f64::from(material.metallic)),
            Property::new(METALLIC, ["Number", ""], "U").value(f64::from(material.metallic)),
        ]));
    scene.add(record);
    id
}

/// A texture with its picture inside the file.
fn picture(scene: &mut Scene, picture: &Picture) -> Id {
    let name = match picture.name.as_str() {
        "" => "picture",
        name => name,
    };
    let suffix = match picture.mime_type.as_str() {
        _ if name.contains('.') => "",
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        _ => "",
    };
    let file = format!("{name}{suffix}");
    let (video, record) = scene.object("Video", name, "Video", "Clip");
    scene.add(
        record
            .field("Type", "Clip")
            .inside(properties([Property::new(
                "Path",
                ["KString", "XRefUrl"],
                "",
            )
            .value(&*file)]))
            .field("UseMipMap", 0)
            .field("Filename", &*file)
            .field("RelativeFilename", &*file)
            .field(
                "Content",
                super::record::Value::Bytes(picture.bytes.clone()),
            ),
    );
    let (texture, record) = scene.object("Texture", name, "Texture", "");
    scene.add(
        record
            .field("Type", "TextureVideoClip")
            .field("Version", 202)
            .inside(properties([]))
            .field("FileName", &*file)
            .field("RelativeFilename", &*file),
    );
    scene.connect(video, texture);
    texture
}

/// The layer of materials: one number for all polygons, or one for each. `None` where there is nothing to
/// say.
pub(super) fn layer(mesh: &Mesh) -> Option<Record> {
    if mesh.materials.is_empty() {
        return None;
    }
    let layer = |mapping: &str, materials: Vec<i32>| {
        Record::new("LayerElementMaterial")
            .with(0)
            .field("Version", 101)
            .field("Name", "")
            .field("MappingInformationType", mapping)
            .field("ReferenceInformationType", "IndexToDirect")
            .field("Materials", materials)
    };
    let each = mesh.face_materials.iter().map(|&material| material as i32);
    if mesh.face_materials.is_empty() {
        return Some(layer("AllSame", vec![0]));
    }
    if mesh.poly_face_sizes.is_empty() {
        return Some(layer("ByPolygon", each.collect()));
    }
    // A polygon has the material of the first triangle that was cut from it.
    let mut triangle = 0;
    let polygons = mesh.poly_face_sizes.iter().map(|&size| {
        let first = mesh.face_materials.get(triangle).copied();
        triangle += size as usize - 2;
        first.unwrap_or_default() as i32
    });
    Some(layer("ByPolygon", polygons.collect()))
}
