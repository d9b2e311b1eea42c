//! Files that are broken, hostile or merely odd: each loads or is refused with what is wrong.

use crate::common::{Noise, files_below, posed, shared_data};
use crate::fbx_written::{bar, moved, saved};
use kinarray::Error;
use kinarray::character::Unit;
use kinarray::io::{LoadOptions, MotionChoice, Source, Up, fbx};
use std::time::Instant;

/// Reads everything that a file offers.
fn read(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let source = Source::from_bytes(bytes);
    let options = LoadOptions::default();
    let loaded = fbx::load_character(&source, &options)?;
    let mut warnings = loaded.warnings;
    match fbx::load_motion(&source, &options, &MotionChoice::default()) {
        Ok(motion) => warnings.extend(motion.warnings),
        Err(error @ Error::Format { .. }) => warnings.push(error.to_string()),
        Err(error) => return Err(error),
    }
    let _ = fbx::load_markers(&source, &options);
    Ok(warnings)
}

#[test]
fn broken_files_are_refused_or_load() {
    let Some(data) = shared_data() else { return };
    let mut count = 0;
    for folder in ["fbx_fail", "fbx_fuzz", "fbx_odd"] {
        for path in files_below(&data.join("invalid").join(folder), &["fbx"]) {
            let bytes = std::fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let start = Instant::now();
            let outcome = read(&bytes);
            let seconds = start.elapsed().as_secs_f64();
            match &outcome {
                Ok(warnings) => println!("{name}: loads, {seconds:.3} s, {warnings:?}"),
                Err(error) => {
                    println!("{name}: {seconds:.3} s, {error}");
                    assert!(matches!(error, Error::Format { .. }), "{error:?}");
                }
            }
            assert!(seconds < 2.0, "{name}: {seconds} s");
            if folder == "fbx_fail" {
                assert!(outcome.is_err(), "{name} loads");
            }
            count += 1;
        }
    }
    assert_eq!(count, 70);
}

#[test]
fn damaged_bytes_never_panic() {
    let bytes = saved(&moved(&bar(), 2), Up::Y);
    for length in (0..bytes.len()).step_by(13) {
        let _ = read(&bytes[..length]);
    }
    let mut noise = Noise(7);
    let mut loaded = 0;
    for _ in 0..1500 {
        let mut damaged = bytes.clone();
        for _ in 0..=noise.below(4) {
            let at = noise.below(damaged.len());
            damaged[at] = noise.below(256) as u8;
        }
        match read(&damaged) {
            Ok(_) => loaded += 1,
            Err(error) => assert!(matches!(error, Error::Format { .. }), "{error:?}"),
        }
    }
    // Most bytes are names and numbers, which may be any.
    assert!(loaded > 300, "{loaded}");
}

/// A small ASCII file with these objects and connections.
fn ascii(objects: &str, connections: &str) -> String {
    format!(
        "; FBX 7.4.0 project file\nFBXHeaderExtension:  {{\n\tFBXHeaderVersion: 1003\n\tFBXVersion: 7400\n}}\n\
         GlobalSettings:  {{\n\tVersion: 1000\n\tProperties70:  {{\n\
         \t\tP: \"UpAxis\", \"int\", \"Integer\", \"\",1\n\
         \t\tP: \"UnitScaleFactor\", \"double\", \"Number\", \"\",2.54\n\t}}\n}}\n\
         Objects:  {{\n{objects}}}\nConnections:  {{\n{connections}}}\n"
    )
}

fn model(id: u32, name: &str, properties: &str) -> String {
    format!(
        "\tModel: {id}, \"Model::{name}\", \"LimbNode\" {{\n\t\tVersion: 232\n\t\tProperties70:  {{\n{properties}\t\t}}\n\t}}\n"
    )
}

fn vector(name: &str, xyz: [f64; 3]) -> String {
    let [x, y, z] = xyz;
    format!("\t\t\tP: \"{name}\", \"{name}\", \"\", \"A\",{x},{y},{z}\n")
}

#[test]
fn inches_become_metres_and_children_may_leave_out_scale() {
    let root = vector("Lcl Scaling", [2.0; 3]) + &vector("Lcl Translation", [10.0, 0.0, 0.0]);
    let child = |mode: u32| {
        format!("\t\t\tP: \"InheritType\", \"enum\", \"\", \"\",{mode}\n")
            + &vector("Lcl Translation", [0.0, 5.0, 0.0])
    };
    let leaf = vector("Lcl Translation", [0.0, 1.0, 0.0]);
    // Whether the leaf, a step of one inch away, is seen through the scale of the root.
    for (mode, steps) in [(1, 2.0), (2, 1.0), (0, 2.0)] {
        let objects = model(1, "ns:root", &root)
            + &model(2, "ns:child", &child(mode))
            + &model(3, "child", &leaf);
        let file = ascii(
            &objects,
            "\tC: \"OO\",1,0\n\tC: \"OO\",2,1\n\tC: \"OO\",3,2\n",
        );
        let loaded = fbx::load_character(
            &Source::from_bytes(file.as_bytes()),
            &LoadOptions::default(),
        );
        let loaded = loaded.unwrap();
        let character = &loaded.value;
        assert_eq!(character.unit, Unit::Meter);
        let names: Vec<&str> = character
            .skeleton
            .joints()
            .iter()
            .map(|joint| joint.name.as_str())
            .collect();
        assert_eq!(names, ["root", "child", "child_1"]);
        assert!(
            loaded
                .warnings
                .iter()
                .any(|warning| warning.contains("child_1"))
        );
        let worlds = posed(character, &[0.0; 21]);
        let at = |joint: usize| worlds[joint].fixed_view::<3, 1>(0, 3).into_owned() / 0.0254;
        assert!((at(1) - nalgebra::Vector3::new(10.0, 10.0, 0.0)).norm() < 1e-9);
        assert!(
            (at(2) - nalgebra::Vector3::new(10.0, 10.0 + steps, 0.0)).norm() < 1e-9,
            "{mode}"
        );
    }
}

#[test]
fn an_animation_that_claims_to_last_for_years_is_refused() {
    let stack = "\tAnimationStack: 5, \"AnimStack::long\", \"\" {\n\t\tProperties70:  {\n\
                 \t\t\tP: \"LocalStart\", \"KTime\", \"Time\", \"\",0\n\
                 \t\t\tP: \"LocalStop\", \"KTime\", \"Time\", \"\",9000000000000000000\n\t\t}\n\t}\n";
    let file = ascii(&(model(1, "root", "") + stack), "\tC: \"OO\",1,0\n");
    let source = Source::from_bytes(file.as_bytes());
    let choice = MotionChoice {
        fps: Some(1e6),
        ..MotionChoice::default()
    };
    let error = fbx::load_motion(&source, &LoadOptions::default(), &choice).unwrap_err();
    assert!(
        error.to_string().contains("AnimationStack 'long'"),
        "{error}"
    );
    assert!(error.to_string().contains("frames a second"), "{error}");
}
