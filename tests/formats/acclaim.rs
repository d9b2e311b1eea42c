//! Acclaim: against numpy and the BVH of the same take, and small files of our own.

use crate::common::{files_below, posed, shared_data};
use kinarray::Error;
use kinarray::character::{Character, LimitKind, Unit};
use kinarray::io::acclaim::{load_character, load_motion};
use kinarray::io::{Format, LoadOptions, Loaded, Motion, MotionChoice, Source, bvh};
use nalgebra::{Matrix3, Matrix4, Vector4};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|x| x.as_f64().unwrap()).collect()
}

fn frame(motion: &Motion, at: usize) -> Vec<f64> {
    let n_rows = 7 * motion.character.skeleton.len();
    motion.joint_parameters()[at * n_rows..][..n_rows].to_vec()
}

fn worlds(motion: &Motion, at: usize) -> Vec<Matrix4<f64>> {
    posed(&motion.character, &frame(motion, at))
}

fn at_120() -> MotionChoice {
    MotionChoice {
        fps: Some(120.0),
        ..MotionChoice::default()
    }
}

#[test]
fn ends_and_rotations_of_bones_agree_with_the_reference_values() {
    let Some(data) = shared_data() else { return };
    let path = data.join("expected/asf_amc/01_01.amc.json");
    let wanted: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let source = Source::open(&data.join("asf_amc/01_01.amc")).unwrap();
    let loaded = load_motion(&source, &LoadOptions::default(), &at_120(), None).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let motion = loaded.value;
    let character = &motion.character;
    assert_eq!(motion.n_frames(), 2751);
    assert_eq!(character.skeleton.len(), 31);
    assert_eq!(character.parameter_transform.len(), 62);
    let zero = vec![0.0; 7 * character.skeleton.len()];
    let rest = posed(character, &zero);
    // Metres of one number of the file.
    let unit = 0.0254 / 0.45;
    let mut worst: f64 = 0.0;
    for pose in wanted["frames"].as_array().unwrap() {
        let worlds = worlds(&motion, pose["frame"].as_u64().unwrap() as usize);
        let positions = pose["positions"].as_object().unwrap();
        assert_eq!(positions.len(), 31);
        for (bone, position) in positions {
            let (joint, point) = match bone.as_str() {
                "root" => (0, [0.0; 3]),
                bone => character.find_point(&format!("{bone}_end")).unwrap(),
            };
            let place = worlds[joint] * Vector4::new(point[0], point[1], point[2], 1.0) / unit;
            for (own, wanted) in place.iter().zip(numbers(position)) {
                worst = worst.max((own - wanted).abs() / 20.0);
            }
        }
        for (bone, rotation) in pose["rotations"].as_object().unwrap() {
            let joint = character.skeleton.joint_index(bone).unwrap();
            let own: Matrix4<f64> = worlds[joint] * rest[joint].try_inverse().unwrap();
            for (row, wanted) in rotation.as_array().unwrap().iter().enumerate() {
                for (column, wanted) in numbers(wanted).iter().enumerate() {
                    worst = worst.max((own[(row, column)] - wanted).abs());
                }
            }
        }
    }
    println!("01_01.amc: largest difference {worst:.1e}");
    // The reference values are printed with nine digits.
    assert!(worst < 5e-9, "{worst}");
}

#[test]
fn the_published_conversion_of_the_same_take_is_the_same_motion() {
    let Some(data) = shared_data() else { return };
    let source = Source::open(&data.join("asf_amc/01_01.amc")).unwrap();
    let centimetres = LoadOptions {
        file_unit: Some(Unit::Centimeter),
        ..LoadOptions::default()
    };
    let amc = load_motion(&source, &centimetres, &at_120(), None)
        .unwrap()
        .value;
    let source = Source::open(&data.join("bvh/cmu_01_01.bvh")).unwrap();
    let bvh = bvh::load_motion(&source, &centimetres, &MotionChoice::default())
        .unwrap()
        .value;
    let joint = |motion: &Motion, name: &str| motion.character.skeleton.joint_index(name).unwrap();
    for at in [0, 100, 1500, 2750] {
        let (left, right) = (worlds(&amc, at), worlds(&bvh, at + 1));
        for (bone, other) in [
            ("root", "Hips"),
            ("lfemur", "LeftUpLeg"),
            ("ltibia", "LeftLeg"),
            ("lfoot", "LeftFoot"),
            ("rtibia", "RightLeg"),
            ("rfoot", "RightFoot"),
        ] {
            let place = |world: &[Matrix4<f64>], joint: usize| {
                world[joint].column(3).xyz() - world[0].column(3).xyz()
            };
            let own = place(&left, joint(&amc, bone));
            let difference = (own - place(&right, joint(&bvh, other))).amax();
            assert!(difference < 1e-4, "frame {at}, {bone}: {difference}");
        }
    }
}

const ASF: &str = "# a comment
:version 1.10
:name two
:units
  mass 1.0
  length 0.5
  angle deg
:documentation
  anything :at all
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 1 2 3
  orientation 0 0 90
:bonedata
  begin
    id 1
    name upper
    direction 0 1 0
    length 10
    axis 0 0 90 XYZ
    bodymass 3
    dof rx rz
    limits (-160.0 20.0)
           (-inf 70)
  end
  begin
    name lower
    direction 1 0 0
    length 4
    axis 0 0 0 XYZ
    dof rz rx
    limits ( -1 1 ) (-2 2)
  end
  begin
    name stiff
    direction 0 0 1
    length 2
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    upper lower stiff
    root upper
  end
";

const AMC: &str = ":FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
upper 0 0
lower 0 0
2
root 2 4 3 0 0 -450
upper 90 10
lower 30 -20
";

fn skeleton(text: &str) -> Loaded<Character> {
    let source = Source::from_bytes(text.as_bytes());
    load_character(&source, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn motion(text: &str, character: &Character) -> kinarray::Result<Loaded<Motion>> {
    let source = Source::from_bytes(text.as_bytes());
    load_motion(&source, &LoadOptions::default(), &at_120(), Some(character))
}

#[test]
fn degrees_of_freedom_are_the_parameters_and_their_limits_those_of_the_file() {
    let loaded = skeleton(ASF);
    let character = loaded.value;
    assert_eq!(
        character.parameter_transform.names().join(" "),
        "root_tx root_ty root_tz root_rx root_ry root_rz upper_rx upper_rz \
         lower_rx lower_ry lower_rz"
    );
    let degree = std::f64::consts::PI / 180.0;
    let limits = character.parameter_limits.iter();
    let limits: Vec<_> = limits.map(|limit| limit.kind.clone()).collect();
    let wanted = [
        (6, [-160.0 * degree, 20.0 * degree]),
        (7, [f64::NEG_INFINITY, 70.0 * degree]),
    ];
    let wanted = wanted.map(|(parameter, range)| LimitKind::MinMax { parameter, range });
    assert_eq!(limits, wanted);
    assert_eq!(loaded.warnings.len(), 2, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].starts_with("limits of bones"));
    assert!(loaded.warnings[1].starts_with("masses of bones"));
    // A number is 1 / 0.5 inches.
    let joints = character.skeleton.joints();
    for (own, wanted) in joints[0]
        .translation_offset
        .iter()
        .zip([0.0508, 0.1016, 0.1524])
    {
        assert!((own - wanted).abs() < 1e-15);
    }
    let rest = posed(&character, &vec![0.0; 7 * joints.len()]);
    let lower = character.skeleton.joint_index("lower").unwrap();
    let unit = 0.0254 / 0.5;
    for (own, wanted) in rest[lower].column(3).iter().zip([1.0, 12.0, 3.0]) {
        assert!((own / unit - wanted).abs() < 1e-12);
    }
    // At rest every joint is turned as its axis says.
    assert!((rest[lower].fixed_view::<3, 3>(0, 0) - Matrix3::identity()).amax() < 1e-15);
    let (joint, end) = character.find_point("lower_end").unwrap();
    assert_eq!(joint, lower);
    assert!((end[0] / unit - 4.0).abs() < 1e-12 && end[1].abs() < 1e-15);
}

#[test]
fn rows_are_the_parameters_as_they_stand() {
    let character = skeleton(ASF).value;
    let motion = motion(AMC, &character).unwrap().value;
    assert_eq!((motion.n_frames(), motion.fps), (2, 120.0));
    let degree = std::f64::consts::PI / 180.0;
    let unit = 0.0254 / 0.5;
    // What the root is at rest is taken away.
    assert_eq!(motion.model_parameters[..11], [0.0; 11]);
    let second = &motion.model_parameters[11..];
    for (own, wanted) in second.iter().zip([unit, 2.0 * unit, 0.0]) {
        assert!((own - wanted).abs() < 1e-16);
    }
    let wanted = [0.0, 0.0, -450.0 * degree, 90.0 * degree, 10.0 * degree];
    assert_eq!(second[3..8], wanted);
    // rz first, then rx: Rx(-20) Rz(30).
    let turn = |axis: usize, angle: f64| kinarray::io::angles::about(axis, angle * degree);
    let wanted = turn(0, -20.0) * turn(2, 30.0);
    let own =
        turn(2, second[10] / degree) * turn(1, second[9] / degree) * turn(0, second[8] / degree);
    assert!((own - wanted).amax() < 1e-14);
    // Radians, where the file says so; and characters in another unit.
    let radians = AMC.replace(":DEGREES", ":RADIANS").replace("-450", "-4.5");
    let source = Source::from_bytes(radians.as_bytes());
    let centimetres = character.in_unit(Unit::Centimeter);
    let options = LoadOptions::default();
    let other = load_motion(&source, &options, &at_120(), Some(&centimetres))
        .unwrap()
        .value;
    assert_eq!(other.model_parameters[11 + 5], -4.5);
    assert!((other.model_parameters[11] - 100.0 * unit).abs() < 1e-14);
}

#[test]
fn a_character_of_another_kind_is_moved_by_its_names() {
    let mut parts = skeleton(ASF).value.parts();
    parts.metadata = String::new();
    parts.parameter_limits = Default::default();
    let character = Character::new(parts).unwrap();
    let text = AMC
        .replace("lower 0 0", "lower 0 0 0")
        .replace("lower 30 -20", "lower 30 -20 5");
    let motion = motion(&text, &character).unwrap().value;
    let degree = std::f64::consts::PI / 180.0;
    assert_eq!(motion.model_parameters[..3], [1.0, 2.0, 3.0]);
    assert_eq!(
        motion.model_parameters[19..],
        [30.0 * degree, -20.0 * degree, 5.0 * degree]
    );
}

#[test]
fn the_skeleton_is_found_beside_the_motion() {
    let folder = std::env::temp_dir().join(format!("kinarray-acclaim-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("0.asf"), "not a skeleton").unwrap();
    std::fs::write(folder.join("01.ASF"), ASF).unwrap();
    std::fs::write(folder.join("01_02.amc"), AMC).unwrap();
    std::fs::write(folder.join("7.amc"), AMC).unwrap();
    let options = LoadOptions::default();
    let open = |name: &str| Source::open(&folder.join(name)).unwrap();
    let choice = MotionChoice::default();
    let source = open("01_02.amc");
    let loaded = kinarray::io::load_motion(&source, Format::Amc, &options, &choice, None).unwrap();
    assert_eq!(loaded.value.n_frames(), 2);
    assert!(
        loaded
            .warnings
            .iter()
            .any(|warning| warning.starts_with("AMC does not say its rate"))
    );
    let error = load_motion(&open("7.amc"), &options, &choice, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the skeleton: expected a skeleton: pass character="),
        "{error}"
    );
    std::fs::write(folder.join("01.ASF"), ASF.replace("length 10", "length x")).unwrap();
    let error = load_motion(&source, &options, &choice, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("01.ASF, line 20: expected 1 numbers, got \"length x\""),
        "{error}"
    );
    let bytes = Source::from_bytes(AMC.as_bytes());
    assert!(load_motion(&bytes, &options, &choice, None).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        (
            "length 0.5",
            "length 0",
            "line 6: expected a length greater than 0",
        ),
        ("angle deg", "angle grad", "line 7: expected 'deg' or 'rad'"),
        (
            "order TX",
            "order QX",
            "line 11: expected some of tx ty tz rx ry rz l",
        ),
        ("  order TX TY TZ RX RY RZ\n", "", ":root: expected 'order'"),
        (
            "axis XYZ",
            "axis XXZ",
            "line 12: expected an order of axes, such as XYZ",
        ),
        (
            "position 1 2 3",
            "position 1 2",
            "line 13: expected 3 numbers",
        ),
        (
            "position 1 2 3",
            "position 1 2 nan",
            "line 13: expected 3 numbers",
        ),
        (
            "name lower",
            "name upper",
            "expected bones of different names",
        ),
        (
            "name lower",
            "name root",
            "expected a bone that is not called root",
        ),
        (
            "name lower",
            "name ",
            "expected the name of the bone that begins at line 27",
        ),
        ("    length 4\n", "", "expected the length of bone 'lower'"),
        (
            "dof rz rx",
            "dof rz rz",
            "expected each degree of freedom once",
        ),
        (
            "dof rz rx",
            "dof rz",
            "expected limits of 1 degrees of freedom",
        ),
        (
            "(-160.0 20.0)",
            "(160.0 20.0)",
            "expected a lower limit, then an upper one",
        ),
        (
            "(-160.0 20.0)",
            "(160.0 x)",
            "expected limits such as (-10 20)",
        ),
        ("root upper", "root lower", "expected one parent of 'lower'"),
        (
            "root upper",
            "lower upper",
            "every bone to hang from the root",
        ),
        (
            "root upper",
            "root uper",
            "expected bones of :bonedata, not 'uper'",
        ),
        (
            "root upper",
            "pelvis upper",
            "expected a bone of :bonedata, or root",
        ),
        (
            "    root upper\n",
            "",
            "expected a parent of each bone, got none for 'upper'",
        ),
        (
            ":version 1.10",
            "version 1.10",
            "line 2: expected a section",
        ),
    ];
    for (from, to, message) in cases {
        assert!(ASF.contains(from));
        let text = ASF.replacen(from, to, 1);
        let source = Source::from_bytes(text.as_bytes());
        let error = load_character(&source, &LoadOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
        assert!(
            error.to_string().contains(message),
            "{from} -> {to}: {error}"
        );
    }
    let character = skeleton(ASF).value;
    let cases = [
        (
            "upper 0 0\n",
            "",
            "line 6, frame 1: expected a row of each bone that moves, 'upper' too",
        ),
        (
            "lower 30 -20\n",
            "",
            "line 9, frame 2: expected a row of each bone that moves",
        ),
        (
            "upper 0 0",
            "upper 0",
            "line 5: expected 2 finite numbers after upper, got \"upper 0\"",
        ),
        (
            "upper 0 0",
            "upper 0 0 0",
            "line 5: expected 2 numbers after upper",
        ),
        (
            "upper 0 0",
            "upper 0 inf",
            "line 5: expected 2 finite numbers after upper",
        ),
        (
            "upper 0 0",
            "upper 0 0\nupper 0 0",
            "line 6: expected each bone once in frame 1",
        ),
        (
            "upper 0 0",
            "stiff 0 0",
            "line 5: expected a frame's number, or a bone",
        ),
        (
            "\n1\n",
            "\n",
            "line 3: expected the number of the first frame, got \"root\"",
        ),
    ];
    for (from, to, message) in cases {
        assert!(AMC.contains(from));
        let error = motion(&AMC.replacen(from, to, 1), &character)
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{from} -> {to}: {error}");
    }
}

#[test]
fn cut_and_changed_files_do_no_harm() {
    let character = skeleton(ASF).value;
    let options = LoadOptions::default();
    for end in 0..ASF.len() {
        let _ = load_character(&Source::from_bytes(&ASF.as_bytes()[..end]), &options);
    }
    for end in 0..AMC.len() {
        let _ = motion(&AMC[..end], &character);
    }
    let mut state = 1_u64;
    for round in 0..6_000 {
        let text = if round % 2 == 0 { ASF } else { AMC };
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 24) as u8;
        }
        let source = Source::from_bytes(&bytes);
        if round % 2 == 0 {
            let _ = load_character(&source, &options);
        } else {
            let _ = load_motion(&source, &options, &at_120(), Some(&character));
        }
    }
    // A chain of bones as long as you like.
    let mut text = ASF[..ASF.find("  begin").unwrap()].to_owned();
    for bone in 0..50_000 {
        text += &format!("begin\nname b{bone}\ndirection 0 1 0\nlength 1\naxis 0 0 0 XYZ\nend\n");
    }
    text += ":hierarchy\nroot b0\n";
    for bone in 1..50_000 {
        text += &format!("b{} b{bone}\n", bone - 1);
    }
    assert_eq!(skeleton(&text).value.skeleton.len(), 50_001);
}

#[test]
fn every_shared_skeleton_loads() {
    let Some(data) = shared_data() else { return };
    for path in files_below(&data.join("asf_amc"), &["asf"]) {
        let source = Source::open(&path).unwrap();
        assert_eq!(Format::of(&source).unwrap(), Format::Asf);
        let loaded = load_character(&source, &LoadOptions::default()).unwrap();
        assert_eq!(loaded.warnings, Vec::<String>::new());
        assert_eq!(loaded.value.locators.len(), 30);
    }
}
