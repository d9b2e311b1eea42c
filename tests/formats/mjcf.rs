//! MuJoCo's models: bodies where MuJoCo puts them, what they carry, and what is no model.

use crate::common::{files_below, posed, shared_data};
use kinarray::character::{Character, CollisionShape, LimitKind};
use kinarray::io::{Format, LoadOptions, Loaded, Source, load_character, mjcf};
use nalgebra::{Matrix3, Matrix4, Quaternion, UnitQuaternion, Vector3, Vector4};
use serde_json::Value;
use std::path::Path;

fn try_load(text: &str) -> kinarray::Result<Loaded<Character>> {
    let source = Source::from_bytes(text.as_bytes());
    mjcf::load_character(&source, &LoadOptions::default())
}

fn load(text: &str) -> Character {
    try_load(text).unwrap().value
}

fn refused(text: &str) -> String {
    try_load(text).unwrap_err().to_string()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap().iter();
    list.map(|x| x.as_f64().unwrap()).collect()
}

/// World matrices of all joints.
fn worlds(character: &Character, parameters: &[f64]) -> Vec<Matrix4<f64>> {
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
fn cases() -> Value {
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

#[test]
fn joints_are_put_together_where_that_is_exact() {
    let character = load(
        "<mujoco><worldbody><body name='a'><joint name='s' type='slide' axis='1 2 0'/>
         <joint name='z'/><joint name='y' axis='0 -1 0'/><joint name='x' axis='1 0 0'/>
         <body name='b'><joint name='p' axis='1 0 0'/><joint name='q' axis='0 0 1'/>
         <body name='c'><joint name='a' axis='1 1 0'/>
         <body name='d'><joint name='away' pos='1 0 0'/></body></body></body></body></worldbody></mujoco>",
    );
    let joints = character.skeleton.joints().iter();
    let joints: Vec<&str> = joints.map(|joint| joint.name.as_str()).collect();
    assert_eq!(joints, ["a", "p", "b", "a_1", "c", "away", "d"]);
    let names = character.parameter_transform.names();
    assert_eq!(names, ["s", "z", "y", "x", "p", "q", "a", "away"]);
}

#[test]
fn what_has_no_name_gets_one() {
    let character = load(
        "<mujoco><worldbody><body><freejoint/><site/><site/>
         <body name='body_3'><joint/><body><joint type='ball'/><joint name='body_3_1'/></body></body>
         <body name='e'><joint type='slide'/><joint type='slide' axis='1 0 0'/></body></body></worldbody></mujoco>",
    );
    let joints = character.skeleton.joints().iter();
    let joints: Vec<&str> = joints.map(|joint| joint.name.as_str()).collect();
    assert_eq!(joints, ["body_1", "body_3", "body_3_1_1", "body_3_1", "e"]);
    let names = &character.parameter_transform.names()[6..];
    let ball = ["body_3_1_rx", "body_3_1_ry", "body_3_1_rz"];
    assert_eq!(names[0], "body_3");
    assert_eq!(names[1..4], ball);
    assert_eq!(names[4..], ["body_3_1", "e", "e_1"]);
    assert_eq!(character.parameter_transform.names()[0], "body_1_tx");
    let sites: Vec<&str> = character.locators.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(sites, ["body_1_site", "body_1_site_1"]);
}

/// A folder of its own with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("kinarray-mjcf-{name}-{}", std::process::id()));
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn open(path: &Path) -> kinarray::Result<Loaded<Character>> {
    let options = LoadOptions::default();
    load_character(&Source::open(path).unwrap(), Format::Mjcf, &options)
}

const MODEL: &str = "<mujoco model='m'>
<include file='parts/defaults.xml'/>
<worldbody>
  <body name='a'><include file='parts/../parts/arm.xml'/></body>
</worldbody></mujoco>";
const DEFAULTS: &str = "<mujocoinclude><default><joint axis='1 0 0'/></default></mujocoinclude>";
const ARM: &str = "<mujocoinclude>
<joint name='j'/><body name='b'/><include file='hand.xml'/></mujocoinclude>";

#[test]
fn included_files_are_read_in_their_place() {
    let hand = "<mujocoinclude><body name='hand'><joint name='k'/></body></mujocoinclude>";
    let files = [
        ("m.xml", MODEL),
        ("parts/defaults.xml", DEFAULTS),
        ("parts/arm.xml", ARM),
        ("hand.xml", hand),
        (
            "again.xml",
            "<mujoco><include file='a.xml'/><include file='./b/../a.xml'/></mujoco>",
        ),
        ("a.xml", "<a/>"),
        (
            "circle.xml",
            "<mujoco><worldbody><body/><include file='one.xml'/></worldbody></mujoco>",
        ),
        ("one.xml", "<a><include file='two.xml'/></a>"),
        ("two.xml", "<a>\n<include file='./one.xml'/></a>"),
        (
            "itself.xml",
            "<mujoco><include file='itself.xml'/></mujoco>",
        ),
        (
            "out/out.xml",
            "<mujoco>\n<include file='../a.xml'/></mujoco>",
        ),
        ("root.xml", "<mujoco><include file='/etc/passwd'/></mujoco>"),
        ("broken.xml", "<mujoco><include file='bad.xml'/></mujoco>"),
        ("bad.xml", "<a>\n<b></a>"),
        (
            "deep.xml",
            "<mujoco><worldbody><include file='wrong.xml'/></worldbody></mujoco>",
        ),
        ("wrong.xml", "<a>\n\n<body pos='1 2'/></a>"),
    ];
    let folder = folder("includes", &files);
    let character = open(&folder.join("m.xml")).unwrap().value;
    let joints = character.skeleton.joints().iter();
    let joints: Vec<&str> = joints.map(|joint| joint.name.as_str()).collect();
    assert_eq!(joints, ["a", "b", "hand"]);
    let mut turned = worlds(&character, &[0.0, 0.5]);
    let hand = turned.pop().unwrap();
    assert!((hand[(2, 1)] - 0.5_f64.sin()).abs() < 1e-15, "{hand}");
    for (file, words) in [
        (
            "again.xml",
            "line 1, <include>: expected a file that is included once",
        ),
        (
            "circle.xml",
            "'two.xml', line 2, <include>: expected a file that is included once",
        ),
        ("itself.xml", "expected a file that is included once"),
        (
            "out/out.xml",
            "line 2, <include>: expected a relative path to a file in the same folder",
        ),
        (
            "root.xml",
            "expected a relative path to a file in the same folder",
        ),
        ("broken.xml", "'bad.xml', line 2, column"),
        (
            "deep.xml",
            "'wrong.xml', line 3, <body>: expected 3 numbers in 'pos', got 2",
        ),
    ] {
        let error = open(&folder.join(file)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}\ninstead of {words}");
    }
    assert!(refused(MODEL).contains("given as bytes"));
    // Many files that each include the next, under ever more names.
    let mut many = vec![(
        "m.xml".to_owned(),
        "<mujoco><include file='0.xml'/></mujoco>".to_owned(),
    )];
    for at in 0..300 {
        let next = format!("<a><include file='{}.xml'/></a>", at + 1);
        many.push((format!("{at}.xml"), next));
    }
    let many: Vec<_> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let chain = self::folder("chain", &many);
    let error = open(&chain.join("m.xml")).unwrap_err().to_string();
    assert!(error.contains("at most 256 included files"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::remove_dir_all(chain).unwrap();
}

#[test]
fn mesh_files_are_found_where_the_compiler_says() {
    let square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n";
    let model = |compiler: &str, file: &str| {
        format!(
            "<mujoco><compiler {compiler}/><asset><mesh name='s' file='{file}'/></asset><worldbody>
             <body name='a'><geom type='mesh' mesh='s' mass='1'/></body></worldbody></mujoco>"
        )
    };
    let models = [
        ("beside.xml", model("", "s.obj"), true),
        ("below.xml", model("meshdir='meshes'", "s.obj"), true),
        ("assets.xml", model("assetdir='meshes/'", "s.obj"), true),
        (
            "both.xml",
            model("assetdir='x' meshdir='meshes'", "s.obj"),
            true,
        ),
        (
            "strip.xml",
            model("meshdir='meshes' strippath='true'", "C:\\x/y/s.obj"),
            true,
        ),
        ("missing.xml", model("meshdir='none'", "s.obj"), false),
        ("kind.xml", model("", "s.msh"), false),
        ("in/out.xml", model("meshdir='..'", "s.obj"), false),
        ("absolute.xml", model("meshdir='/etc'", "s.obj"), false),
    ];
    let mut files = vec![("s.obj", square), ("meshes/s.obj", square), ("s.msh", "")];
    files.extend(models.iter().map(|(name, text, _)| (*name, text.as_str())));
    let folder = folder("meshes", &files);
    for (name, text, is_found) in &models {
        let loaded = open(&folder.join(name)).unwrap();
        let warned = |words: &str| {
            loaded
                .warnings
                .iter()
                .any(|warning| warning.contains(words))
        };
        assert_eq!(
            loaded.value.mesh.is_some(),
            *is_found,
            "{name}: {:?}",
            loaded.warnings
        );
        assert_eq!(warned("1 visual meshes are left out"), !is_found, "{name}");
        assert!(warned("1 collision meshes are left out"), "{name}");
        assert!(
            warned("1 bodies have no mass"),
            "{name}: {:?}",
            loaded.warnings
        );
        let from_bytes = try_load(text).unwrap();
        assert!(from_bytes.value.mesh.is_none());
        assert!(
            from_bytes
                .warnings
                .iter()
                .any(|warning| warning.contains("given as bytes")
                    || warning.contains("relative path"))
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_left_out_is_said_once() {
    let loaded = try_load(
        "<mujoco><compiler alignfree='true'/><worldbody><geom type='plane' size='1 1 1'/><light/><light/>
         <body name='a' mocap='true'><joint name='b' type='ball' range='0 1'/><geom size='1' type='cylinder' fromto='0 0 0 1 0 0'/>
         <replicate count='2'><body/></replicate><composite type='cable'/><attach/><flexcomp/><flexcomp/></body></worldbody>
         <equality/><tendon/><actuator/><sensor/><contact/><keyframe><key/></keyframe><keyframe/>
         <asset><texture/></asset></mujoco>",
    )
    .unwrap();
    let mut warnings = loaded.warnings;
    warnings.sort();
    let expected = [
        "'alignfree' is left out: free bodies keep their frames, and are not turned into their principal axes",
        "1 collision cylinders have become capsules, whose ends are round",
        "1 textures are left out",
        "left out 2 times: <flexcomp>",
        "left out 2 times: <light>",
        "left out: <attach>",
        "left out: <composite>",
        "left out: <equality>, <tendon>, <actuator>, <sensor>, <contact>, <keyframe>",
        "left out: <replicate>",
        "left out: a plane, which has no end",
        "left out: that a body is moved by motion capture ('mocap'); it stays in its place",
        "the ranges of 1 ball joints are left out: they bound one angle about any axis",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn what_is_no_model_is_said_with_its_line() {
    let body = |inside: &str| {
        format!("<mujoco>\n<worldbody><body name='a'>\n{inside}\n</body></worldbody></mujoco>")
    };
    let head = |inside: &str| {
        format!("<mujoco>\n{inside}\n<worldbody><body name='a'/></worldbody></mujoco>")
    };
    let circle = "<default class='main'><default class='x'/><default class='x'/></default>";
    for (text, words) in [
        ("<mujoco", "line 1"),
        (
            "<mujocoinclude/>",
            "line 1, <mujocoinclude>: expected a <mujoco>",
        ),
        ("<mujoco/>", "at least one <body>"),
        ("<!DOCTYPE r [<!ENTITY a 'aa'>]><mujoco/>", "document type"),
        (
            &body("<body name='a'/>"),
            "line 3, <body name=\"a\">: expected a name that no other body",
        ),
        (
            &body("<joint name='j'/><joint name='j'/>"),
            "a name that no other joint has",
        ),
        (
            &body("<site name='j'/><site name='j'/>"),
            "a name that no other site has",
        ),
        (
            &body("<joint type='screw'/>"),
            "'type' of free, ball, slide, hinge, got \"screw\"",
        ),
        (
            &body("<joint axis='0 0 0'/>"),
            "directions of a length above 0 in 'axis'",
        ),
        (&body("<joint axis='1 0'/>"), "3 numbers in 'axis', got 2"),
        (
            &body("<joint axis='1 0 inf'/>"),
            "numbers in 'axis', got \"inf\"",
        ),
        (
            &body("<joint limited='true' range='1 1'/>"),
            "two ascending numbers",
        ),
        (
            &body("<joint limited='true'/>"),
            "a 'range', since it is limited",
        ),
        (
            &body("<joint limited='maybe'/>"),
            "'limited' of true, false, auto",
        ),
        (&body("<freejoint/><joint/>"), "a free joint without others"),
        (&body("<joint/><freejoint/>"), "a free joint without others"),
        (
            &body("<body><freejoint/></body>"),
            "a free joint on a body of the world",
        ),
        (
            "<mujoco><worldbody><joint/></worldbody></mujoco>",
            "a joint inside a <body>",
        ),
        (
            &body("<geom size='0'/>"),
            "'size' of 1 numbers above 0, got \"0\"",
        ),
        (
            &body("<geom size='1 2 3 4'/>"),
            "up to 3 numbers in 'size', got 4",
        ),
        (&body("<geom size='1' mass='-1'/>"), "'mass' of 0 or more"),
        (
            &body("<geom size='1' fromto='0 0 0 0 0 1'/>"),
            "'fromto' of no geom but a capsule",
        ),
        (
            &body("<geom type='box' size='1' fromto='1 1 1 1 1 1'/>"),
            "a length above 0 in 'fromto'",
        ),
        (
            &body("<geom type='mesh'/>"),
            "a 'mesh', since it is of type mesh",
        ),
        (
            &body("<geom type='mesh' mesh='x'/>"),
            "'mesh' of a mesh in <asset>, got \"x\"",
        ),
        (
            &body("<geom size='1' material='x'/>"),
            "'material' of a material in <asset>",
        ),
        (
            &body("<geom size='1' class='x'/>"),
            "a default class in 'class', got \"x\"",
        ),
        (
            &body("<body childclass='x'/>"),
            "a default class in 'childclass'",
        ),
        (
            &body("<body quat='0 0 0 0'/>"),
            "a quaternion in 'quat' whose length is a number above 0",
        ),
        (
            &body("<body quat='1e300 1e300 0 0'/>"),
            "a quaternion in 'quat' whose length is a number",
        ),
        (
            &body("<body quat='1 0 0 0' euler='0 0 0'/>"),
            "one of quat, axisangle, euler",
        ),
        (
            &body("<body xyaxes='1 0 0 2 0 0'/>"),
            "a length above 0 in 'xyaxes'",
        ),
        (
            &body("<body zaxis='0 0 0'/>"),
            "a length above 0 in 'zaxis'",
        ),
        (
            &body("<inertial pos='0 0 0' mass='-1'/>"),
            "a 'mass' of 0 or more",
        ),
        (
            &head("<compiler angle='gradian'/>"),
            "line 2, <compiler>: expected an angle of degree or radian",
        ),
        (
            &head("<compiler coordinate='global'/>"),
            "local coordinates",
        ),
        (
            &head("<compiler eulerseq='xyw'/>"),
            "three letters of xyzXYZ",
        ),
        (
            &head("<compiler autolimits='1'/>"),
            "true or false in 'autolimits'",
        ),
        (
            &head("<compiler inertiafromgeom='x'/>"),
            "true, false or auto",
        ),
        (&head("<default class='other'/>"), "no class or 'main'"),
        (
            &head("<default><default/></default>"),
            "an attribute 'class'",
        ),
        (&head(circle), "a name that no other default class has"),
        (&head("<asset><mesh/></asset>"), "a 'name' or a 'file'"),
        (
            &head("<asset><mesh file='a/b.stl'/><mesh file='b.obj'/></asset>"),
            "a name that no other mesh has, got \"b\"",
        ),
        (
            &head("<asset><mesh name='a' vertex='0 0 0' face='0 1 0'/></asset>"),
            "numbers of the 1 vertices",
        ),
        (
            &head("<asset><material name='a'/><material name='a'/></asset>"),
            "a name that no other material",
        ),
    ] {
        let error = refused(text);
        assert!(error.contains(words), "{error}\ninstead of {words}");
    }
}

#[test]
fn many_or_deep_bodies_are_no_problem() {
    let wide = "<body><joint/><body><joint/></body></body>".repeat(10_000);
    let wide = load(&format!("<mujoco><worldbody>{wide}</worldbody></mujoco>"));
    assert_eq!(wide.skeleton.len(), 20_000);
    let deep = |count: usize| {
        let (open, close) = ("<body><joint/>".repeat(count), "</body>".repeat(count));
        try_load(&format!(
            "<mujoco><worldbody>{open}{close}</worldbody></mujoco>"
        ))
    };
    assert_eq!(deep(250).unwrap().value.skeleton.len(), 250);
    assert!(deep(300).unwrap_err().to_string().contains("at most 256"));
}

#[test]
fn broken_files_do_no_harm() {
    let cases = cases();
    let cases = cases.as_object().unwrap().values();
    let texts = cases.map(|case| case["xml"].as_str().unwrap());
    for text in texts {
        for end in (0..text.len()).step_by(43) {
            assert!(try_load(&text[..end]).is_err());
        }
        for at in (0..text.len()).step_by(17) {
            for change in [0x15, 0x02] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= change;
                let source = Source::from_bytes(&bytes);
                let _ = mjcf::load_character(&source, &LoadOptions::default());
            }
        }
    }
}

#[test]
fn broken_models_are_refused() {
    let Some(data) = shared_data() else { return };
    for (file, words) in [
        (
            "malformed_duplicated.xml",
            "a name that no other mesh has, got \"cube\"",
        ),
        (
            "model_with_invalid_filenames.xml",
            "\"invalid_included_name.xml\"",
        ),
    ] {
        let error = open(&data.join("invalid/mjcf").join(file)).unwrap_err();
        assert!(matches!(error, kinarray::Error::Format { .. }));
        let error = error.to_string();
        assert!(error.contains(words) && error.contains(file), "{error}");
    }
}
