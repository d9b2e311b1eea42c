//! Files that are broken, hostile or merely odd: each loads or is refused with its place.

use crate::common::{files_below, glb, load, load_file, shared_data};
use kinarray::Error;
use kinarray::io::LoadOptions;
use kinarray::io::gltf::LoadedScene;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Uses everything that a loaded scene offers, so that what is read late cannot hide a defect.
fn exercise(scene: &LoadedScene) {
    for clip in &scene.clips {
        let mut times = clip.key_times();
        times.truncate(20);
        times.extend([-1.0, 0.0, 1e9]);
        let n_joints = times.len() * clip.n_joints();
        assert_eq!(clip.skeleton_states(&times).len(), n_joints * 8);
        assert_eq!(clip.joint_parameters(&times).len(), n_joints * 7);
        let n_weights = times.len() * clip.n_shapes();
        assert_eq!(clip.morph_weights(&times).len(), n_weights);
        if let Ok(frames) = clip.frame_times(clip.fps()) {
            assert!(!frames.is_empty());
        }
    }
}

/// What the validator calls errors, but does not keep a reader from knowing what is meant.
const TOLERATED: [(&str, &str); 8] = [
    (
        "gltf_validator/animation/sampler_input_no_bounds.gltf",
        "bounds are not needed to read the keys",
    ),
    (
        "gltf_validator/node/empty_children_array.gltf",
        "an empty list is as good as none",
    ),
    (
        "gltf_validator/animation/sampler_bufferview_bytestride.gltf",
        "a stride between keys is read as it says",
    ),
    (
        "gltf_validator/skin/buffer_view_bytestride.gltf",
        "a stride between matrices is read as it says",
    ),
    (
        "gltf_validator/animation_data/quaternion_non_unit_values.gltf",
        "quaternions are normalised, as files with reference values need it too",
    ),
    (
        "gltf_validator/skin/no_common_root.gltf",
        "a forest is fine; magnum/skin.gltf, which has reference values, is one too",
    ),
    (
        "gltf_validator/skin/skeleton_invalid.gltf",
        "skeleton is a hint that is not used",
    ),
    (
        "gltf_validator/buffer/non_relative_uri.gltf",
        "valid, but nothing is fetched from the network",
    ),
];

#[test]
fn broken_files_are_refused_with_their_place() {
    let Some(data) = shared_data() else { return };
    let invalid = data.join("invalid");
    let mut outcomes: BTreeMap<String, Result<LoadedScene, Error>> = BTreeMap::new();
    for folder in [
        "gltf_assimp",
        "gltf_magnum",
        "gltf_misc",
        "gltf_validator",
        "damaged/glb",
        "vrm",
    ] {
        for path in files_below(&invalid.join(folder), &["gltf", "glb", "vrm"]) {
            let name = path.strip_prefix(&invalid).unwrap().to_str().unwrap();
            let outcome = load_file(&path, &LoadOptions::default());
            match &outcome {
                Ok(scene) => {
                    println!("{name}: loads, {:?}", scene.warnings);
                    exercise(scene);
                }
                Err(error) => {
                    println!("{error}");
                    assert!(matches!(error, Error::Format { .. }), "{error:?}");
                    assert!(error.to_string().contains(name), "{error}");
                }
            }
            outcomes.insert(name.to_owned(), outcome);
        }
    }
    assert!(outcomes.len() > 140, "{}", outcomes.len());

    let verdicts = std::fs::read(invalid.join("gltf_validator/VERDICTS.json")).unwrap();
    let verdicts: Value = serde_json::from_slice(&verdicts).unwrap();
    let mut wrong = Vec::new();
    for (name, verdict) in verdicts["cases"].as_object().unwrap() {
        if TOLERATED.iter().any(|(file, _)| file == name) {
            continue;
        }
        let is_valid = verdict["numErrors"] == 0;
        match &outcomes[name] {
            Ok(_) if !is_valid => wrong.push(format!("{name} loads: {}", verdict["codes"])),
            // Valid, but nothing to make a skeleton of.
            Err(Error::Format { location, .. }) if is_valid && location != "nodes" => {
                wrong.push(format!("{:?}", outcomes[name].as_ref().err()));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for name in outcomes.keys().filter(|name| name.starts_with("damaged/")) {
        assert!(outcomes[name].is_err(), "{name} loads");
    }
}

#[test]
fn every_valid_file_loads_or_has_nothing_to_pose() {
    let Some(data) = shared_data() else { return };
    let mut refused = Vec::new();
    for path in files_below(&data.join("gltf"), &["gltf", "glb", "vrm", "vrma"]) {
        match load_file(&path, &LoadOptions::default()) {
            Ok(scene) => exercise(&scene),
            Err(error) => {
                println!("{error}");
                assert!(matches!(error, Error::Format { .. }), "{error:?}");
                refused.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    println!("{refused:?}");
    assert_eq!(refused, NOTHING_TO_POSE);
}

/// Micro-files that break a rule of the format on purpose, or hold no node.
const NOTHING_TO_POSE: [&str; 4] = [
    // A byteStride of 6.
    "mesh-morph-target-attributes.gltf",
    // Meshes without any node.
    "mesh-skin-attributes.gltf",
    // A primitive without attributes.
    "mesh-sparse.gltf",
    // A node with a matrix and a translation.
    "scene-transformation.gltf",
];

/// The message of the error for some bytes.
fn refusal(bytes: &[u8]) -> String {
    let error = load(bytes, &LoadOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    error.to_string()
}

/// A triangle in a GLB; `change` edits its JSON.
fn triangle(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut document = json!({
        "asset": { "version": "2.0" },
        "scene": 0,
        "scenes": [{ "nodes": [0] }],
        "nodes": [{ "mesh": 0 }],
        "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 } }] }],
        "buffers": [{ "byteLength": 36 }],
        "bufferViews": [{ "buffer": 0, "byteLength": 36 }],
        "accessors": [{ "bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3" }],
    });
    change(&mut document);
    let corners: [f32; 9] = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let bytes: Vec<u8> = corners.iter().flat_map(|x| x.to_le_bytes()).collect();
    glb(&document, &bytes)
}

#[test]
fn the_whole_triangle_loads() {
    let scene = load(&triangle(|_| {}), &LoadOptions::default()).unwrap();
    let mesh = scene.character.mesh.as_ref().unwrap();
    assert_eq!(mesh.n_vertices(), 3);
    assert_eq!(mesh.faces, [[0, 1, 2]]);
    assert_eq!(scene.character.skeleton.joints()[0].name, "node_0");
    assert!(scene.warnings.is_empty(), "{:?}", scene.warnings);
}

#[test]
fn a_cut_file_is_refused_wherever_it_is_cut() {
    let whole = triangle(|_| {});
    for length in 0..whole.len() {
        let message = refusal(&whole[..length]);
        assert!(message.contains("byte "), "{length}: {message}");
    }
    assert!(refusal(&whole[..whole.len() - 1]).contains("cut off"));
}

#[test]
fn claimed_lengths_are_not_believed() {
    // Four gigabytes in the header of the file, and of a chunk.
    let mut bytes = triangle(|_| {});
    bytes[8..12].copy_from_slice(&[0xff; 4]);
    assert!(refusal(&bytes).contains("byte 8: expected 4294967295 bytes"));
    let mut bytes = triangle(|_| {});
    bytes[12..16].copy_from_slice(&[0xfc, 0xff, 0xff, 0xff]);
    assert!(refusal(&bytes).contains("byte 12: expected a chunk of at most"));

    let message = refusal(&triangle(|json| json["accessors"][0]["count"] = json!(4)));
    assert!(message.contains("accessors[0].count: expected elements within the 36 bytes"));
    let message = refusal(&triangle(|json| {
        json["accessors"][0]["count"] = json!(u64::MAX)
    }));
    assert!(message.contains("accessors[0].count"), "{message}");
    let message = refusal(&triangle(|json| {
        json["accessors"][0]["byteOffset"] = json!(u64::MAX - 1);
    }));
    assert!(message.contains("no byte at all"), "{message}");
    let message = refusal(&triangle(|json| {
        json["bufferViews"][0]["byteOffset"] = json!(4);
    }));
    assert!(message.contains("bufferViews[0]: expected a range within the 36 bytes"));
    let message = refusal(&triangle(|json| {
        json["buffers"][0]["byteLength"] = json!(4_000_000_000_u64);
    }));
    assert!(message.contains("buffers[0].byteLength: expected at most the 36 bytes"));
}

#[test]
fn a_small_file_cannot_ask_for_much_memory() {
    // Zeros that are not stored.
    let message = refusal(&triangle(|json| {
        json["accessors"][0] =
            json!({ "componentType": 5126, "count": 2_000_000_000, "type": "VEC3" });
    }));
    assert!(message.contains("without a buffer view"), "{message}");
    // One mesh of many such vertices on many nodes.
    let message = refusal(&triangle(|json| {
        json["accessors"][0]["count"] = json!(1_000_000);
        json["accessors"][0]
            .as_object_mut()
            .unwrap()
            .remove("bufferView");
        // One of them is stored.
        json["accessors"][0]["sparse"] = json!({
            "count": 1,
            "indices": { "bufferView": 0, "componentType": 5125 },
            "values": { "bufferView": 0 },
        });
        json["nodes"] = vec![json!({ "mesh": 0 }); 1000].into();
        json["scenes"][0]["nodes"] = (0..1000).collect::<Vec<_>>().into();
    }));
    assert!(
        message.contains("in proportion to the size of the file"),
        "{message}"
    );
    // As many joints as there is room for braces.
    let message = refusal(&triangle(|json| {
        json["nodes"] = vec![json!({}); 100_000].into();
        json["scenes"] = json!([]);
        json.as_object_mut().unwrap().remove("scene");
    }));
    assert!(message.contains("at most 65536 joints"), "{message}");
    // Brackets without end.
    let deep = format!("{{\"asset\":{}", "[".repeat(100_000));
    assert!(refusal(deep.as_bytes()).contains("JSON"));
}

#[test]
fn other_kinds_of_files_are_named_for_what_they_are_not() {
    assert!(refusal(b"").contains("an empty file"));
    assert!(refusal(b"Dear reader,\n").contains("'Dear reader,\\n'"));
    assert!(refusal(b"{ \"asset\": ").contains("expected JSON"));
    assert!(refusal(b"{}").contains("expected a property 'asset'"));
    let message = refusal(br#"{ "asset": { "version": "1.0" } }"#);
    assert!(
        message.contains("asset.version: expected glTF version 2.x"),
        "{message}"
    );
    let mut bytes = triangle(|_| {});
    bytes[4] = 1;
    assert!(refusal(&bytes).contains("byte 4: expected GLB version 2, got 1"));
}

#[test]
fn buffers_outside_the_folder_are_not_read() {
    for uri in [
        "../x.bin",
        "/etc/hostname",
        "%2e%2e%2fx.bin",
        "http://example.com/x.bin",
        "file:x",
    ] {
        let message = refusal(&triangle(|json| json["buffers"][0]["uri"] = json!(uri)));
        assert!(message.contains("buffers[0].uri"), "{message}");
        assert!(message.contains("same folder or below"), "{message}");
    }
    let message = refusal(&triangle(|json| json["buffers"][0]["uri"] = json!("x.bin")));
    assert!(message.contains("given as bytes"), "{message}");
}

#[test]
fn wrong_documents_are_refused_with_their_place() {
    for (change, place) in [
        (
            json!({ "nodes": [{ "mesh": 1 }] }),
            "nodes[0].mesh: expected an index into meshes",
        ),
        (
            json!({ "nodes": [{ "mesh": 0, "rotation": [0, 0, 0, 0] }] }),
            "nodes[0].rotation",
        ),
        (
            json!({ "nodes": [{ "mesh": 0, "translation": [0, 0] }] }),
            "nodes[0].translation: expected 3",
        ),
        (
            json!({ "nodes": [{ "mesh": 0, "children": [0] }] }),
            "nodes[0]: expected a tree",
        ),
        (
            json!({ "nodes": [{ "mesh": 0, "scale": ["1", 1, 1] }] }),
            "nodes[0].scale[0]: expected a number",
        ),
        (
            json!({ "nodes": [{ "mesh": 0, "scale": [1e300, 1, 1], "children": [1] }, { "scale": [1e300, 1, 1] }] }),
            "nodes[1]: expected a transform of finite size",
        ),
        (
            json!({ "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 }, "mode": 7 }] }] }),
            "meshes[0].primitives[0].mode",
        ),
        (
            json!({ "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 }, "indices": 0 }] }] }),
            "meshes[0].primitives[0].indices",
        ),
        (
            json!({ "extensionsRequired": ["KHR_draco_mesh_compression"] }),
            "extensionsRequired[0]",
        ),
    ] {
        let message = refusal(&triangle(|json| {
            for (key, value) in change.as_object().unwrap() {
                json[key] = value.clone();
            }
        }));
        assert!(message.contains(place), "{message}");
    }
}

/// A file that a computer has damaged: no byte and no number in it can bring the reader down.
#[test]
fn changed_bytes_and_changed_numbers_are_survived() {
    let mut sources = vec![
        triangle(|_| {}),
        include_bytes!("../data/momentum_hero.glb").to_vec(),
    ];
    if let Some(data) = shared_data() {
        for name in [
            "khronos/SimpleSkin.gltf",
            "misc/singleBlendshapeCube_sparse.glb",
            "magnum/skin.glb",
        ] {
            sources.push(std::fs::read(data.join("gltf").join(name)).unwrap());
        }
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut loaded, mut refused) = (0, 0);
    for source in &sources {
        for _ in 0..rounds() {
            let mut bytes = source.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes[at] = random(256) as u8,
                    1 => bytes[at] ^= 1 << random(8),
                    // A digit of the text, so that what is read stays JSON.
                    _ => {
                        let digits: Vec<usize> = (0..bytes.len())
                            .filter(|&at| bytes[at].is_ascii_digit())
                            .collect();
                        bytes[digits[random(digits.len())]] = b'0' + random(10) as u8;
                    }
                }
            }
            match load(&bytes, &LoadOptions::default()) {
                Ok(scene) => {
                    exercise(&scene);
                    loaded += 1;
                }
                Err(Error::Format { .. }) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    assert!(loaded > 0 && refused > 0, "{loaded} {refused}");
}

/// More rounds of damage where KINARRAY_FUZZ_ROUNDS asks for them.
fn rounds() -> usize {
    let asked = std::env::var("KINARRAY_FUZZ_ROUNDS").ok();
    asked.and_then(|rounds| rounds.parse().ok()).unwrap_or(300)
}
