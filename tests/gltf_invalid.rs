//! Files that are broken, hostile or merely odd: each loads or is refused with its place, quickly.

mod gltf_common;

use gltf_common::{files_below, shared_data};
use kinarray::Error;
use kinarray::io::gltf::{LoadOptions, LoadedScene, load, load_file};
use serde_json::Value;
use std::collections::BTreeMap;

/// Uses everything that a loaded scene offers, so that lazy parts cannot hide a defect.
fn exercise(scene: &LoadedScene) {
    for clip in &scene.clips {
        let mut times = clip.key_times();
        times.truncate(20);
        times.extend([-1.0, 0.0, 1e9]);
        clip.skeleton_states(&times);
        clip.joint_parameters(&times);
        clip.morph_weights(&times);
        if let Ok(frames) = clip.frame_times(clip.fps()) {
            assert!(!frames.is_empty());
        }
    }
}

#[test]
fn broken_files_are_refused_with_their_place() {
    let Some(data) = shared_data() else { return };
    let invalid = data.join("invalid");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(invalid.join(name)).unwrap()).unwrap()
    };
    let verdicts = read("gltf_validator/VERDICTS.json");
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
                Err(error) => println!("{name}: {error}"),
            }
            outcomes.insert(name.to_owned(), outcome);
        }
    }
    assert!(outcomes.len() > 140, "{}", outcomes.len());
    for (name, outcome) in &outcomes {
        let Err(error) = outcome else { continue };
        assert!(matches!(error, Error::Format { .. }), "{name}: {error:?}");
    }
    let mut wrong = Vec::new();
    for (name, verdict) in verdicts["cases"].as_object().unwrap() {
        let n_errors = verdict["numErrors"].as_u64().unwrap();
        let loads = outcomes[name].is_ok();
        println!(
            "{} {name} {:?}",
            if (n_errors == 0) == loads { "same" } else { "DIFFERENT" },
            verdict["codes"]
        );
        if (n_errors == 0) != loads {
            wrong.push(name);
        }
    }
    println!("{wrong:#?}");
    let _ = load(&[], &LoadOptions::default());
}
