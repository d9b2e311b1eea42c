//! MuJoCo's models: bodies where MuJoCo puts them, and what they carry.

use crate::common::{files_below, posed, shared_data};
use kinarray::character::{Character, CollisionShape, LimitKind};
use kinarray::io::{Format, LoadOptions, Loaded, Source, load_character, mjcf};
use nalgebra::{Matrix3, Matrix4, Quaternion, UnitQuaternion, Vector3, Vector4};
use serde_json::Value;
use std::path::Path;

pub fn try_load(text: &str) -> kinarray::Result<Loaded<Character>> {
    let source = Source::from_bytes(text.as_bytes());
    mjcf::load_character(&source, &LoadOptions::default())
}

pub fn load(text: &str) -> Character {
    try_load(text).unwrap().value
}

pub fn refused(text: &str) -> String {
    try_load(text).unwrap_err().to_string()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap().iter();
    list.map(|x| x.as_f64().unwrap()).collect()
}

/// World matrices of all joints.
pub fn worlds(character: &Character, parameters: &[f64]) -> Vec<Matrix4<f64>> {
    let rows = 7 * character.skeleton.len();
    let joints: Vec<f64> = (0..rows)
        .map(|row| {
            let entries = character.parameter_transform.row(row);
            entries.map(|(at, factor)| factor * parameters[at]).sum()
        })
        .collect();
    posed(character, &joints)
}

fn at(character: &Character, joint: &str) -> usize {
    let found = character.skeleton.joint_index(joint);
    found.unwrap_or_else(|| panic!("no joint '{joint}'"))
}

/// Parameters for a `qpos` of MuJoCo; `address` is the name of the field that has each joint's.
fn parameters(character: &Character, joints: &Value, address: &str, qpos: &[f64]) -> Vec<f64> {
    let names = character.parameter_transform.names();
    let mut parameters = vec![f64::NAN; names.len()];
    let mut set = |name: String, value: f64| {
        let at = names.iter().position(|own| *own == name);
        let at = at.unwrap_or_else(|| panic!("no parameter '{name}' in {names:?}"));
        assert!(parameters[at].is_nan(), "'{name}' twice");
        parameters[at] = value;
    };
    for joint in joints.as_array().unwrap() {
        let name = joint["name"].as_str().unwrap();
        let mut at = usize::try_from(joint[address].as_u64().unwrap()).unwrap();
        match joint["type"].as_str().unwrap() {
            "hinge" | "slide" => set(name.into(), qpos[at]),
            kind => {
                if kind == "free" {
                    for axis in ["tx", "ty", "tz"] {
                        set(format!("{name}_{axis}"), qpos[at]);
                        at += 1;
                    }
                }
                let quat_wxyz = &qpos[at..at + 4];
                let [w, x, y, z] = quat_wxyz.try_into().unwrap();
                let turn = UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z));
                // `Rz · Ry · Rx`, as nalgebra's roll, pitch and yaw are.
                let (rx, ry, rz) = turn.euler_angles();
                for (axis, angle) in [("rx", rx), ("ry", ry), ("rz", rz)] {
                    set(format!("{name}_{axis}"), angle);
                }
            }
        }
    }
    assert!(parameters.iter().all(|x| !x.is_nan()), "{names:?}");
    parameters
}

/// The body above a body, over joints that are none.
fn parent_body<'a>(character: &'a Character, bodies: &[&str], body: &str) -> &'a str {
    let joints = character.skeleton.joints();
    let mut above = joints[at(character, body)].parent;
    while let Some(joint) = above {
        if bodies.contains(&joints[joint].name.as_str()) {
            return &joints[joint].name;
        }
        above = joints[joint].parent;
    }
    "world"
}

#[test]
fn bodies_are_where_mujoco_puts_them() {
    let Some(data) = shared_data() else { return };
    let mut compared = 0;
    for path in files_below(&data.join("expected/mjcf"), &["json"]) {
        let wanted: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = wanted["file"].as_str().unwrap();
        let source = Source::open(&data.join(name)).unwrap();
        let format = Format::of(&source).unwrap();
        let loaded = load_character(&source, format, &LoadOptions::default()).unwrap();
        let character = loaded.value;
        let bodies = wanted["bodies"].as_array().unwrap();
        let names: Vec<&str> = bodies.iter().map(|b| b["name"].as_str().unwrap()).collect();
        for body in &bodies[1..] {
            let parent = names[usize::try_from(body["parent"].as_u64().unwrap()).unwrap()];
            let own = body["name"].as_str().unwrap();
            assert_eq!(parent_body(&character, &names[1..], own), parent);
        }
        let joints = wanted["joints"].as_array().unwrap();
        let limited: Vec<_> = joints.iter().filter(|j| j["limited"] == true).collect();
        assert_eq!(character.parameter_limits.len(), limited.len(), "{name}");
        for (limit, joint) in character.parameter_limits.iter().zip(limited) {
            let LimitKind::MinMax { parameter, range } = limit.kind else {
                panic!("another kind of limit");
            };
            assert_eq!(
                character.parameter_transform.names()[parameter],
                joint["name"]
            );
            for (got, wanted) in range.iter().zip(numbers(&joint["range"])) {
                assert!((got - wanted).abs() < 1e-8, "{name}: {limit:?} {wanted}");
            }
        }
        let mut worst = 0.0_f64;
        for pose in wanted["poses"].as_array().unwrap() {
            let qpos = numbers(&pose["qpos"]);
            let parameters = parameters(&character, &wanted["joints"], "qpos_address", &qpos);
            let own = worlds(&character, &parameters);
            for (body, &name) in names.iter().enumerate().skip(1) {
                let world = own[at(&character, name)];
                let [w, x, y, z] = numbers(&pose["body_quats_wxyz"][body]).try_into().unwrap();
                let turn = UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z));
                let position = numbers(&pose["body_positions"][body]);
                let wanted = Matrix4::new_translation(&Vector3::from_column_slice(&position))
                    * turn.to_homogeneous();
                worst = worst.max((world - wanted).amax());
                compared += 1;
            }
        }
        println!("{name}: {worst:.1e}, {:?}", loaded.warnings);
        // The figures have nine digits.
        assert!(worst < 1e-8, "{name}: {worst}");
    }
    assert!(compared > 300, "{compared}");
}

/// What MuJoCo makes of small models, each for one thing that there is: `tests/data/mjcf_by_mujoco.py`.
pub fn cases() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mjcf_by_mujoco.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["cases"].clone()
}

#[test]
fn small_models_are_as_mujoco_has_them() {
    let mut compared = 0;
    for (name, case) in cases().as_object().unwrap() {
        let character = load(case["xml"].as_str().unwrap());
        let bodies = case["bodies"].as_array().unwrap();
        let bodies: Vec<&str> = bodies.iter().map(|body| body.as_str().unwrap()).collect();
        for (&body, parent) in bodies.iter().zip(case["parents"].as_array().unwrap()) {
            assert_eq!(
                parent_body(&character, &bodies, body),
                parent,
                "{name}: {body}"
            );
        }
        for pose in case["poses"].as_array().unwrap() {
            let qpos = numbers(&pose["qpos"]);
            let parameters = parameters(&character, &case["joints"], "address", &qpos);
            let own = worlds(&character, &parameters);
            let places = pose["positions"].as_array().unwrap().iter();
            let turns = pose["rotations"].as_array().unwrap();
            for ((&body, place), turn) in bodies.iter().zip(places).zip(turns) {
                let world = own[at(&character, body)];
                let turn = Matrix3::from_row_slice(&numbers(turn));
                let place = Vector3::from_column_slice(&numbers(place));
                let error = (world.fixed_view::<3, 3>(0, 0) - turn).amax();
                assert!(error < 1e-12, "{name}: {body} is turned, {error}");
                let error = (world.fixed_view::<3, 1>(0, 3) - place).amax();
                assert!(error < 1e-12, "{name}: {body} is elsewhere, {error}");
                compared += 1;
            }
            let sites = pose["sites"].as_object().unwrap();
            assert_eq!(character.locators.len(), sites.len(), "{name}");
            for locator in character.locators.iter() {
                let [x, y, z] = locator.offset;
                let place = own[locator.parent] * Vector4::new(x, y, z, 1.0);
                let wanted = Vector3::from_column_slice(&numbers(&sites[&locator.name]));
                assert!((place.xyz() - wanted).amax() < 1e-12, "{name}: {locator:?}");
            }
        }
        let names = character.parameter_transform.names();
        let mut limits = 0;
        for joint in case["joints"].as_array().unwrap() {
            if joint["type"] == "ball" || joint["range"].is_null() {
                continue;
            }
            let wanted = numbers(&joint["range"]);
            let found = character
                .parameter_limits
                .iter()
                .find_map(|limit| match limit.kind {
                    LimitKind::MinMax { parameter, range } if names[parameter] == joint["name"] => {
                        Some(range)
                    }
                    _ => None,
                });
            let range = found.unwrap_or_else(|| panic!("{name}: no limit of {joint}"));
            assert!((range[0] - wanted[0]).abs() < 1e-12 && (range[1] - wanted[1]).abs() < 1e-12);
            limits += 1;
        }
        assert_eq!(character.parameter_limits.len(), limits, "{name}");
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn small_models_weigh_what_mujoco_says() {
    let mut compared = 0;
    for (name, case) in cases().as_object().unwrap() {
        let character = load(case["xml"].as_str().unwrap());
        let bodies = case["bodies"].as_array().unwrap().iter();
        for (body, wanted) in bodies.zip(case["masses"].as_array().unwrap()) {
            let joint = at(&character, body.as_str().unwrap());
            let mut all = character.physical_properties.iter();
            let own = all.find(|own| own.joint_index == Some(joint));
            let mass = wanted[0].as_f64().unwrap();
            let Some(own) = own else {
                assert_eq!(mass, 0.0, "{name}: {body}");
                continue;
            };
            let center = Vector3::from_column_slice(&numbers(&wanted[1]));
            let [x, y, z, w] = own.inertia_rotation;
            let turn = UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z));
            let turn = turn.to_rotation_matrix().into_inner();
            let inertia = turn * Matrix3::from_row_slice(&own.inertia) * turn.transpose();
            let inertia_wanted = Matrix3::from_row_slice(&numbers(&wanted[2]));
            // Meshes are in single precision there.
            let near = if own.mass > 0.0 && case["xml"].as_str().unwrap().contains("<mesh") {
                1e-6
            } else {
                1e-12
            };
            assert!(
                (own.mass - mass).abs() <= near * mass,
                "{name}: {body} {own:?} {wanted}"
            );
            let error = (Vector3::from(own.center_of_mass_offset) - center).amax();
            assert!(error < near * 10.0, "{name}: {body} {own:?} {wanted}");
            let error = (inertia - inertia_wanted).amax();
            assert!(
                error <= near * inertia_wanted.amax(),
                "{name}: {body} {inertia} {inertia_wanted}"
            );
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}

#[test]
fn geoms_become_solids_where_mujoco_has_them() {
    let mut compared = 0;
    for (name, case) in cases().as_object().unwrap() {
        let character = load(case["xml"].as_str().unwrap());
        let solids = character.collision_geometry.iter();
        let geoms = case["geoms"].as_array().unwrap();
        assert_eq!(solids.len(), geoms.len(), "{name}");
        for (solid, geom) in solids.zip(geoms) {
            let body = at(&character, geom[0].as_str().unwrap());
            assert_eq!(solid.parent, Some(body), "{name}: {geom}");
            let size = numbers(&geom[2]);
            let turn = Matrix3::from_row_slice(&numbers(&geom[4]));
            let place = Vector3::from_column_slice(&numbers(&geom[3]));
            let own = Matrix4::from_row_slice(&solid.transformation);
            let own_turn = own.fixed_view::<3, 3>(0, 0).into_owned();
            let own_place = own.fixed_view::<3, 1>(0, 3).into_owned();
            match (&solid.shape, geom[1].as_str().unwrap()) {
                (CollisionShape::Ellipsoid { radii }, "sphere") => {
                    assert!(radii.iter().all(|&radius| radius == size[0]));
                    assert!((own_turn - turn).amax() < 1e-12, "{name}: {geom}");
                    assert!((own_place - place).amax() < 1e-12, "{name}: {geom}");
                }
                (CollisionShape::Ellipsoid { radii: sizes }, "ellipsoid")
                | (
                    CollisionShape::Box {
                        half_extents: sizes,
                    },
                    "box",
                ) => {
                    assert!(
                        (0..3).all(|at| (sizes[at] - size[at]).abs() < 1e-12),
                        "{geom}"
                    );
                    assert!((own_turn - turn).amax() < 1e-12, "{name}: {geom}");
                    assert!((own_place - place).amax() < 1e-12, "{name}: {geom}");
                }
                (CollisionShape::TaperedCapsule { radius, length }, "capsule" | "cylinder") => {
                    assert_eq!(radius, &[size[0]; 2]);
                    assert!((length - 2.0 * size[1]).abs() < 1e-12);
                    let start = place - turn * Vector3::z() * size[1];
                    assert!((own_place - start).amax() < 1e-12, "{name}: {geom}");
                    let along = own_turn * Vector3::x() - turn * Vector3::z();
                    assert!(along.amax() < 1e-12, "{name}: {geom}");
                }
                (shape, kind) => panic!("{name}: {shape:?} for a {kind}"),
            }
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}

#[test]
fn meshes_are_seen_where_mujoco_has_them() {
    let case = &cases()["what is seen"];
    let character = load(case["xml"].as_str().unwrap());
    let mesh = character.mesh.as_ref().unwrap();
    let wanted = numbers(&case["seen_meshes"]);
    assert_eq!(wanted.len(), 2 * 5 * 3);
    let own: Vec<f64> = mesh.vertices.iter().collect();
    assert_eq!(own.len(), wanted.len());
    for (at, (own, wanted)) in own.iter().zip(&wanted).enumerate() {
        // Both are in single precision.
        assert!((own - wanted).abs() < 2e-6, "{at}: {own} {wanted}");
    }
    assert_eq!(mesh.colors[0], [255, 0, 0]);
    assert_eq!(mesh.colors[9], [0, 255, 0]);
    let weights = character.skin_weights.as_ref().unwrap();
    assert_eq!(weights.index()[4], at(&character, "a") as u32);
    assert_eq!(weights.index()[5], at(&character, "b") as u32);
    // Both wedges are seen from outside, though the first one is mirrored.
    for faces in mesh.faces.chunks(6) {
        let corner = |at: u32| Vector3::from_column_slice(&own[3 * at as usize..][..3]);
        let sixths = faces.iter().map(|face| {
            let [a, b, c] = face.map(corner);
            a.dot(&b.cross(&c))
        });
        assert!(sixths.sum::<f64>() > 0.1);
    }
}
