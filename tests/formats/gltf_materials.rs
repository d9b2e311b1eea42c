//! What surfaces look like: read from small documents, written so that any viewer finds it.

use crate::common::glb;
use kinarray::character::{
    Character, CharacterParts, Joint, Material, Mesh, MeshParts, ParameterTransform, Skeleton,
};
use kinarray::io::gltf::{self, LoadedScene, load_scene};
use kinarray::io::{Extras, LoadOptions, SaveOptions, Source};
use serde_json::{Value, json};
use std::sync::Arc;

const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Pieces of one triangle each, with the materials given.
fn document(pieces: &[Option<usize>], materials: Value) -> Value {
    let primitive = |material: &Option<usize>| {
        let mut primitive = json!({"attributes": {"POSITION": 0}});
        if let Some(material) = material {
            primitive["material"] = json!(material);
        }
        primitive
    };
    json!({
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": pieces.iter().map(primitive).collect::<Vec<_>>()}],
        "materials": materials,
        "textures": [{"source": 0}],
        "images": [{"bufferView": 1, "mimeType": "image/png"}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [
            {"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 8},
        ],
        "buffers": [{"byteLength": 44}],
    })
}

fn read(document: &Value) -> kinarray::Result<LoadedScene> {
    let corners = [0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let mut binary: Vec<u8> = corners.iter().flat_map(|x| x.to_le_bytes()).collect();
    binary.extend(PNG);
    load_scene(
        &Source::from_bytes(&glb(document, &binary)),
        &LoadOptions::default(),
    )
}

fn mesh(scene: &LoadedScene) -> &Mesh {
    scene.character.mesh.as_ref().unwrap()
}

#[test]
fn every_part_of_a_material_is_read() {
    let material = json!({
        "name": "skin", "doubleSided": true, "emissiveFactor": [0.5, 0.25, 0.0],
        "extensions": {"KHR_materials_emissive_strength": {"emissiveStrength": 4.0}},
        "pbrMetallicRoughness": {
            "baseColorFactor": [0.5, 0.25, 0.125, 0.75], "metallicFactor": 0.25,
            "roughnessFactor": 0.5, "baseColorTexture": {"index": 0},
        },
    });
    let scene = read(&document(&[Some(0)], json!([material]))).unwrap();
    assert_eq!(scene.warnings, Vec::<String>::new());
    let [material] = &mesh(&scene).materials[..] else {
        panic!("one material");
    };
    assert_eq!(material.name, "skin");
    assert_eq!(material.base_color, [0.5, 0.25, 0.125, 0.75]);
    assert_eq!((material.metallic, material.roughness), (0.25, 0.5));
    assert_eq!(material.emissive, [2.0, 1.0, 0.0]);
    assert!(material.is_double_sided);
    let picture = material.base_color_texture.as_ref().unwrap();
    assert_eq!(
        (&picture.bytes[..], &*picture.mime_type),
        (&PNG[..], "image/png")
    );
    assert!(mesh(&scene).face_materials.is_empty());
}

#[test]
fn triangles_have_the_material_of_their_piece() {
    let materials = json!([{"name": "a"}, {"name": "never used"}, {"name": "c"}]);
    let scene = read(&document(&[Some(2), Some(0), None, Some(2)], materials)).unwrap();
    let names: Vec<&str> = mesh(&scene)
        .materials
        .iter()
        .map(|one| &*one.name)
        .collect();
    assert_eq!(names, ["a", "c", ""]);
    assert_eq!(mesh(&scene).face_materials, [1, 0, 2, 1]);
    // What a surface without a material looks like is said by the specification.
    let default = &mesh(&scene).materials[2];
    assert_eq!((default.metallic, default.roughness), (1.0, 1.0));
    let none = read(&document(&[None, None], json!([]))).unwrap();
    assert!(mesh(&none).materials.is_empty());
}

#[test]
fn what_is_wrong_with_a_material_is_said() {
    let surface = |surface: Value| document(&[Some(0)], json!([{"pbrMetallicRoughness": surface}]));
    let refused = |document: &Value, part: &str| {
        let problem = read(document).unwrap_err().to_string();
        assert!(problem.contains(part), "{problem}");
    };
    refused(&document(&[Some(3)], json!([{}])), "primitives[0].material");
    refused(
        &surface(json!({"metallicFactor": "much"})),
        "metallicFactor",
    );
    refused(
        &surface(json!({"baseColorFactor": [1, 1]})),
        "baseColorFactor",
    );
    refused(&surface(json!({"baseColorTexture": {"index": 7}})), "index");
    let warned = |document: &Value, part: &str| {
        let scene = read(document).unwrap();
        assert_eq!(scene.warnings.len(), 1, "{:?}", scene.warnings);
        assert!(scene.warnings[0].contains(part), "{:?}", scene.warnings);
        mesh(&scene).materials[0].clone()
    };
    let clamped = warned(&surface(json!({"roughnessFactor": 1.5})), "got 1.5");
    assert_eq!(clamped.roughness, 1.0);
    warned(
        &surface(json!({"metallicRoughnessTexture": {"index": 0}})),
        "more than the base colour",
    );
    let mut elsewhere = surface(json!({"baseColorTexture": {"index": 0}}));
    elsewhere["images"][0] = json!({"uri": "../secret.png"});
    assert!(warned(&elsewhere, "secret").base_color_texture.is_none());
}

#[test]
fn a_viewer_finds_a_piece_for_each_material() {
    let skeleton = Skeleton::new(vec![Joint {
        name: "root".into(),
        parent: None,
        pre_rotation: [0.0, 0.0, 0.0, 1.0],
        translation_offset: [0.0; 3],
    }])
    .unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new("sheet", skeleton, transform);
    let named = |name: &str| Material {
        name: name.into(),
        ..Material::default()
    };
    parts.mesh = Some(Arc::new(
        Mesh::new(MeshParts {
            vertices: vec![
                0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0,
            ]
            .into(),
            faces: vec![[0, 1, 2], [1, 3, 2], [2, 1, 0]],
            materials: vec![named("front"), named("back")],
            face_materials: vec![0, 1, 0],
            ..MeshParts::default()
        })
        .unwrap(),
    ));
    let character = Character::new(parts).unwrap();
    let save = SaveOptions {
        text: true,
        extensions: false,
        ..SaveOptions::default()
    };
    let saved = gltf::save_character(&character, &save, &Extras::default()).unwrap();
    let document: Value = serde_json::from_slice(&saved.clone().into_bytes()).unwrap();
    let primitives = document["meshes"][0]["primitives"].as_array().unwrap();
    let seen: Vec<_> = primitives
        .iter()
        .map(|primitive| {
            let accessor = primitive["indices"].as_u64().unwrap() as usize;
            let material = primitive["material"].as_u64().unwrap() as usize;
            (
                document["accessors"][accessor]["count"].as_u64().unwrap(),
                document["materials"][material]["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(seen, [(6, "front"), (3, "back")]);
    // Vertices are there once, however many pieces show them.
    let attributes: Vec<&Value> = primitives.iter().map(|one| &one["attributes"]).collect();
    assert_eq!(attributes[0], attributes[1]);
}
