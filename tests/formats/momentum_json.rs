//! Legacy JSON: against PyMomentum, there and back, and faults.

use crate::common::{assert_close, flat};
use crate::momentum_figure::{JSON, expected, figure, message, single};
use kinarray::character::{Character, CollisionShape, Unit};
use kinarray::io::{
    Extras, Format, LoadOptions, Loaded, SaveOptions, Source, Up, load_character, save_character,
};
use serde_json::{Value, json};

fn read(bytes: &[u8]) -> kinarray::Result<Loaded<Character>> {
    let options = LoadOptions {
        unit: Unit::Centimeter,
        ..LoadOptions::default()
    };
    load_character(&Source::from_bytes(bytes), Format::LegacyJson, &options)
}

/// Everything that PyMomentum reads from the file, bit for bit but for what each computes.
fn assert_is_the_figure(character: &Character) {
    let wanted = &expected()["json"];
    let joints = wanted["joints"].as_array().unwrap();
    assert_eq!(character.skeleton.len(), joints.len());
    for (joint, wanted) in character.skeleton.joints().iter().zip(joints) {
        assert_eq!(wanted["name"], *joint.name);
        let parent = joint.parent.map_or(-1, |parent| parent as i64);
        assert_eq!(wanted["parent"], parent);
        assert_close(
            "rotation",
            &joint.pre_rotation,
            &flat(&wanted["rotation"]),
            1e-7,
        );
        assert_eq!(joint.translation_offset[..], flat(&wanted["offset"]));
    }
    let mesh = character.mesh.as_ref().unwrap();
    let numbers = |key: &str| flat(&wanted[key]);
    assert_eq!(mesh.vertices.as_f32(), single(&numbers("vertices")));
    assert_eq!(mesh.normals.as_f32(), single(&numbers("normals")));
    assert_eq!(mesh.texcoords.as_f32(), single(&numbers("texcoords")));
    assert_eq!(json!(mesh.faces), wanted["faces"]);
    assert_eq!(json!(mesh.texcoord_faces), wanted["texcoord_faces"]);
    let weights = character.skin_weights.as_ref().unwrap();
    let width = flat(&wanted["weight"]).len() / mesh.n_vertices();
    let mut dense = vec![0.0; mesh.n_vertices() * joints.len()];
    for (at, (joint, weight)) in numbers("index").iter().zip(numbers("weight")).enumerate() {
        dense[at / width * joints.len() + *joint as usize] += weight;
    }
    assert_close("weights", &weights.to_dense(joints.len()), &dense, 0.0);
    assert_eq!(character.locators.len(), 2);
    for (locator, wanted) in character
        .locators
        .iter()
        .zip(wanted["locators"].as_array().unwrap())
    {
        assert_eq!(wanted["name"], *locator.name);
        assert_eq!(wanted["parent"], locator.parent);
        assert_eq!(locator.offset[..], flat(&wanted["offset"]));
        assert_eq!(locator.limit_origin[..], flat(&wanted["limit_origin"]));
        assert_eq!(wanted["weight"], locator.weight);
    }
    let solids = wanted["solids"].as_array().unwrap();
    assert_eq!(character.collision_geometry.len(), solids.len());
    for (solid, wanted) in character.collision_geometry.iter().zip(solids) {
        assert_eq!(wanted["parent"], solid.parent.unwrap());
        let matrix = flat(&wanted["transformation"]);
        assert_close("transformation", &solid.transformation, &matrix, 1e-6);
        let (form, sizes) = match &solid.shape {
            CollisionShape::TaperedCapsule { radius, length } => {
                ("TaperedCapsule", vec![radius[0], radius[1], *length])
            }
            CollisionShape::Ellipsoid { radii } => ("Ellipsoid", radii.to_vec()),
            CollisionShape::Box { half_extents } => ("Box", half_extents.to_vec()),
        };
        assert_eq!(wanted["form"], form);
        assert_eq!(sizes, flat(&wanted["sizes"]));
    }
}

#[test]
fn a_file_of_pymomentum_is_what_pymomentum_reads() {
    let source = Source::from_bytes(JSON);
    assert_eq!(Format::of(&source).unwrap(), Format::LegacyJson);
    let loaded = read(JSON).unwrap();
    assert_eq!(loaded.up, Up::Y);
    assert_is_the_figure(&loaded.value);
    // No parameters in the file: one a channel.
    assert_eq!(loaded.value.parameter_transform.len(), 7 * 5);
}

#[test]
fn what_is_written_is_the_same_file() {
    let options = SaveOptions::default();
    let saved = save_character(&figure(), Format::LegacyJson, &options, &Extras::default());
    let saved = saved.unwrap();
    assert_eq!(saved.warnings, Vec::<String>::new());
    let own: Value = serde_json::from_slice(&saved.clone().into_bytes()).unwrap();
    let theirs: Value = serde_json::from_slice(JSON).unwrap();
    assert_eq!(keys(&own, ""), keys(&theirs, ""));
    assert_close("numbers", &numbers(&own), &numbers(&theirs), 2e-7);
    assert_is_the_figure(&read(&saved.clone().into_bytes()).unwrap().value);
}

/// The places of all values.
fn keys(value: &Value, place: &str) -> Vec<String> {
    match value {
        Value::Object(entries) => {
            let each = entries.iter();
            each.flat_map(|(key, value)| keys(value, &format!("{place}.{key}")))
                .collect()
        }
        Value::Array(items) => {
            let each = items.iter().enumerate();
            each.flat_map(|(at, item)| keys(item, &format!("{place}[{at}]")))
                .collect()
        }
        Value::String(text) => vec![format!("{place} = {text}")],
        _ => vec![place.to_owned()],
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Object(entries) => entries.values().flat_map(numbers).collect(),
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

#[test]
fn units_are_converted_and_what_is_lost_is_said() {
    let in_metres = load_character(
        &Source::from_bytes(JSON),
        Format::LegacyJson,
        &LoadOptions::default(),
    );
    let in_metres = in_metres.unwrap().value;
    assert_eq!(
        in_metres.skeleton.joints()[0].translation_offset,
        [0.01, 0.9, 0.02]
    );
    let options = SaveOptions::default();
    let save = |character: &Character, options: &SaveOptions| {
        save_character(character, Format::LegacyJson, options, &Extras::default()).unwrap()
    };
    let back = read(&save(&in_metres, &options).into_bytes())
        .unwrap()
        .value;
    let (own, wanted) = (back.mesh.as_ref().unwrap(), figure().mesh.clone().unwrap());
    let of = |mesh: &kinarray::character::Mesh| mesh.vertices.iter().collect::<Vec<f64>>();
    assert_close("vertices", &of(own), &of(&wanted), 1e-5);

    let mut parts = figure().parts();
    parts.metadata = "{}".into();
    let mut locators = parts.locators.as_ref().clone();
    locators[0].weight = 3.0;
    parts.locators = locators.into();
    let rich = Character::new(parts).unwrap();
    let warnings = save(&rich, &options).warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("locators") && warnings[1].contains("metadata"));
    let bare = SaveOptions {
        mesh: false,
        locators: false,
        collisions: false,
        ..options
    };
    let bare: Value = serde_json::from_slice(&save(&rich, &bare).into_bytes()).unwrap();
    assert_eq!(
        bare.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["Skeleton"]
    );
}

/// Every value that PyMomentum, too, takes in more than one way.
#[test]
fn older_names_and_polygons_are_read() {
    let file = json!({
        "BodySkeleton": {"Bones": [
            {"Name": "a", "Parent": -1},
            {"Name": "b", "Parent": 0, "TranslationOffset": [0, 1, 0]},
        ]},
        "skinnedmodel": {
            "vertices": [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 2, 2]],
            "faces": {"Indices": [0, 1, 2, 3, 2, 3, 4], "Offsets": [0, 4, 7]},
            "SkinningWeights": [
                [0, 0.1], [1, 0.2], [0, 0.3], [1, 0.4], [0, 0.5], [1, 0.6], [0, 0.7], [1, 0.8], [0, 0.9],
                [1, 1], [0, 1], [1, 0.5], [0, 0.5]
            ],
            "SkinningOffsets": [0, 9, 10, 10, 11, 13],
        },
        "collision": [{"radius": [1, 2], "length": 3, "parent": u64::MAX,
                       "transformation": {"Scale": 2, "Translation": [1, 2, 3]}}],
        "locators": [{"name": "l", "parent": 1, "offset": [1, 2, 3]}, {"name": "m"}],
    });
    let loaded = read(&serde_json::to_vec(&file).unwrap()).unwrap();
    let character = &loaded.value;
    assert_eq!(character.skeleton.joints()[1].parent, Some(0));
    let mesh = character.mesh.as_ref().unwrap();
    assert_eq!(mesh.faces, [[0, 1, 2], [0, 2, 3], [2, 3, 4]]);
    let weights = character.skin_weights.as_ref().unwrap();
    assert_eq!(weights.n_influences(), 8);
    let dense = weights.to_dense(2);
    // The smallest of nine weights, 0.1 on the first joint, is gone; nothing is divided by the sum.
    assert_close("weights", &dense[..2], &[2.4, 2.0], 1e-6);
    assert_eq!(dense[2..6], [0.0, 1.0, 0.0, 0.0]);
    let solid = &character.collision_geometry[0];
    assert_eq!(solid.parent, None);
    assert_eq!(solid.transformation[..4], [2.0, 0.0, 0.0, 1.0]);
    assert_eq!(character.locators.len(), 1);
    assert_eq!(character.locators[0].offset, [1.0, 2.0, 3.0]);
    let warnings = loaded.warnings.join("; ");
    for part in [
        "1 vertices have no weights",
        "1 vertices have more than 8",
        "locator 'm'",
    ] {
        assert!(warnings.contains(part), "{warnings}");
    }
    assert_eq!(loaded.warnings.len(), 3, "{warnings}");
}

#[test]
fn faults_are_named_with_their_place() {
    let whole: Value = serde_json::from_slice(JSON).unwrap();
    let cases: [(&str, Value, &str); 17] = [
        (
            "/Skeleton",
            Value::Null,
            "the document: expected a property 'Skeleton'",
        ),
        (
            "/Skeleton/Bones/1/Parent",
            json!(1),
            "Skeleton.Bones[1].Parent",
        ),
        (
            "/Skeleton/Bones/1/Parent",
            json!(7),
            "Skeleton.Bones[1].Parent",
        ),
        (
            "/Skeleton/Bones/2/Name",
            json!(7),
            "Skeleton.Bones[2].Name: expected a string",
        ),
        (
            "/Skeleton/Bones/2/Name",
            json!("root"),
            "another joint has the same name",
        ),
        (
            "/Skeleton/Bones/2/PreRotation",
            json!([0, 0, 0, 2]),
            "Skeleton.Bones[2].PreRotation",
        ),
        (
            "/Skeleton/Bones/2/TranslationOffset",
            json!([0, 0]),
            "expected 3 numbers, got 2",
        ),
        (
            "/SkinnedModel/RestPositions/3",
            json!([1, 2]),
            "SkinnedModel.RestPositions[3]",
        ),
        (
            "/SkinnedModel/RestPositions/3/1",
            json!(1e300),
            "SkinnedModel.RestPositions[3]",
        ),
        (
            "/SkinnedModel/RestVertexNormals",
            json!([[0, 0, 1]]),
            "1 normals for 6 vertices",
        ),
        (
            "/SkinnedModel/Faces/Indices/4",
            json!(6),
            "SkinnedModel.Faces.Indices[4]",
        ),
        (
            "/SkinnedModel/Faces/Offsets/1",
            json!(2),
            "SkinnedModel.Faces.Offsets[1]",
        ),
        (
            "/SkinnedModel/Faces/Offsets/1",
            json!(100),
            "SkinnedModel.Faces.Offsets[1]",
        ),
        (
            "/SkinnedModel/SkinningWeights/2",
            json!([5, 0.5]),
            "SkinnedModel.SkinningWeights[2]",
        ),
        (
            "/SkinnedModel/SkinningOffsets",
            json!([0, 2]),
            "SkinnedModel.SkinningOffsets",
        ),
        ("/Collision/1/type", json!("cone"), "Collision[1].type"),
        ("/Locators/1/parent", json!(5), "Locators[1].parent"),
    ];
    for (place, value, wanted) in cases {
        let mut file = whole.clone();
        *file.pointer_mut(place).unwrap() = value;
        let got = message(read(&serde_json::to_vec(&file).unwrap()));
        assert!(got.contains(wanted), "{place}: {got}");
    }
    assert!(message(read(b"{\n\"Skeleton\": ")).contains("line 2, column 12"));
    assert!(message(read(b"[]")).contains("expected an object"));
    // No part of the file makes it panic.
    for end in 0..JSON.len() {
        assert!(read(&JSON[..end]).is_err() || JSON[end..].trim_ascii().is_empty());
    }
}
