//! BVH: small files of our own, for each feature and each fault.

use crate::common::{files_below, posed, shared_data};
use kinarray::Error;
use kinarray::character::{
    Character, CharacterParts, Joint, Locator, ParameterTransform, Skeleton, Unit,
};
use kinarray::io::bvh::{WriteOptions, load_character, load_motion, save_motion};
use kinarray::io::{
    Format, LoadOptions, Loaded, Motion, MotionChoice, PositionChannels, Progress, Source,
};

fn choice() -> MotionChoice {
    MotionChoice::default()
}

fn motion(text: &str) -> Loaded<Motion> {
    let source = Source::from_bytes(text.as_bytes());
    load_motion(&source, &LoadOptions::default(), &choice())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    let source = Source::from_bytes(text.as_bytes());
    let error = load_motion(&source, &LoadOptions::default(), &choice()).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    error.to_string()
}

/// The joint parameters of one frame.
fn frame(motion: &Motion, at: usize) -> Vec<f64> {
    let n_rows = 7 * motion.character.skeleton.len();
    motion.joint_parameters()[at * n_rows..][..n_rows].to_vec()
}

const CHAIN: &str = "HIERARCHY
ROOT left arm:1
{
  OFFSET 1 2 3
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT b
  {
    OFFSET 0 10 0
    CHANNELS 2 xrotation ZROTATION
    End Site
    {
      OFFSET 0 5 0
    }
  }
  JOINT c {
    OFFSET 0 0 4
    JOINT d {
      OFFSET 1 0 0
      CHANNELS 2 Yposition Zrotation
      End Site { OFFSET 0 1 0 }
      End Site { OFFSET 0 2 0 }
    }
  }
}
ROOT second
{
  OFFSET 0 0 0
  CHANNELS 0
}
MOTION
Frames: 2
Frame Time: 0.0333333
1 2 3 10 20 730 90 90 7 30
0 0 0 0 0 0 +0 1e1 -7.5 -.5
";

#[test]
fn channels_are_the_parameters() {
    let tabs = CHAIN.replace(' ', "\t").replace("left\tarm", "left arm");
    for text in [CHAIN.to_owned(), CHAIN.replace('\n', "\r\n"), tabs] {
        let loaded = motion(&text);
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        let motion = loaded.value;
        let character = &motion.character;
        assert_eq!(
            character.parameter_transform.names().join(" "),
            "left arm:1_tx left arm:1_ty left arm:1_tz left arm:1_rx left arm:1_ry left arm:1_rz \
             b_rx b_ry b_rz d_ty d_rz"
        );
        assert_eq!(motion.fps, 30.0);
        assert_eq!(character.unit, Unit::Centimeter);
        let ends = character.locators.iter();
        let ends: Vec<_> = ends.map(|end| (end.name.as_str(), end.parent)).collect();
        assert_eq!(ends, [("b_end", 1), ("d_end", 3), ("d_end_2", 3)]);
        let joints = character.skeleton.joints().iter();
        let parents: Vec<_> = joints.map(|joint| joint.parent).collect();
        assert_eq!(parents, [None, Some(0), Some(0), Some(2), None]);
        let first = frame(&motion, 0);
        let degree = std::f64::consts::PI / 180.0;
        // Two whole turns and ten degrees stay what they are.
        let wanted = [1.0, 2.0, 3.0, 730.0 * degree, 20.0 * degree, 10.0 * degree];
        assert_eq!(first[..6], wanted);
        assert_eq!(first[7 * 3 + 1], 7.0);
        // Rx(90) Rz(90) takes x to z, y to -x, z to -y.
        let worlds = posed(character, &first);
        let turn = worlds[0].try_inverse().unwrap() * worlds[1];
        let wanted = [[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]];
        for (row, wanted) in wanted.iter().enumerate() {
            for (column, wanted) in wanted.iter().enumerate() {
                assert!((turn[(row, column)] - wanted).abs() < 1e-14);
            }
        }
        assert_eq!(frame(&motion, 1)[7 + 5], 10.0 * degree);
        assert_eq!(frame(&motion, 1)[7 * 3 + 1], -7.5);
    }
}

#[test]
fn position_channels_replace_the_offset_where_asked() {
    let options = LoadOptions {
        position_channels: PositionChannels::ReplaceOffset,
        ..LoadOptions::default()
    };
    let source = Source::from_bytes(CHAIN.as_bytes());
    let motion = load_motion(&source, &options, &choice()).unwrap().value;
    let worlds = posed(&motion.character, &frame(&motion, 0));
    assert_eq!(
        [worlds[0].m14, worlds[0].m24, worlds[0].m34],
        [1.0, 2.0, 3.0]
    );
    // Only y has a channel; x and z of the OFFSET are replaced by nothing.
    let local = worlds[2].try_inverse().unwrap() * worlds[3];
    for (got, wanted) in [local.m14, local.m24, local.m34]
        .iter()
        .zip([0.0, 7.0, 0.0])
    {
        assert!((got - wanted).abs() < 1e-13);
    }
}

#[test]
fn units_and_rates_are_as_asked() {
    let source = Source::from_bytes(CHAIN.as_bytes());
    let meters = LoadOptions {
        file_unit: Some(Unit::Meter),
        ..LoadOptions::default()
    };
    assert_eq!(
        load_character(&source, &meters).unwrap().value.unit,
        Unit::Meter
    );
    let options = LoadOptions::default();
    let any = kinarray::io::load_motion(&source, Format::Bvh, &options, &choice(), None);
    let any = any.unwrap().value;
    assert_eq!(
        any.character.skeleton.joints()[1].translation_offset,
        [0.0, 0.1, 0.0]
    );
    assert_eq!(frame(&any, 0)[..3], [0.01, 0.02, 0.03]);
    let faster = MotionChoice {
        fps: Some(60.0),
        ..choice()
    };
    let error = load_motion(&source, &options, &faster).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fps: the file has frames, not curves: 30 a second, and no others, got 60"
    );
    for (time, fps) in [
        (".0083333", 120.0),
        ("0.041667", 24.0),
        ("0.0333667", 1.0 / 0.0333667),
        ("0.01", 100.0),
    ] {
        assert_eq!(motion(&CHAIN.replace("0.0333333", time)).value.fps, fps);
    }
}

#[test]
fn joints_of_one_name_are_told_apart() {
    let text = CHAIN
        .replace("JOINT c", "JOINT b")
        .replace("JOINT d", "JOINT b_2");
    let loaded = motion(&text);
    let joints = loaded.value.character.skeleton.joints().iter();
    let names: Vec<_> = joints.map(|joint| joint.name.as_str()).collect();
    assert_eq!(names, ["left arm:1", "b", "b_3", "b_2", "second"]);
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].contains("a name that another joint has"));
}

#[test]
fn a_skeleton_alone_is_a_character_without_motion() {
    let text = &CHAIN[..CHAIN.find("MOTION").unwrap()];
    let source = Source::from_bytes(text.as_bytes());
    let character = load_character(&source, &LoadOptions::default())
        .unwrap()
        .value;
    assert_eq!(character.skeleton.len(), 5);
    assert!(refused(text).contains("expected MOTION, got the end of the file"));
    let none = CHAIN.replace("Frames: 2", "Frames: 0");
    assert_eq!(motion(&none).value.n_frames(), 0);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let frames = "line 31: expected 'Frames:' and a number that is not negative";
    let time = "Frame Time: expected a number of seconds greater than 0";
    let channels = "CHANNELS 2 Yposition Zrotation";
    let cases = [
        (
            "Frames: 2",
            "Frames: 3",
            "Frames: expected 3 rows of numbers, as the file says, got 2",
        ),
        ("Frames: 2", "Frames: 4000000000", "got 2 rows"),
        ("Frames: 2", "Frames: -1", frames),
        ("Frames: 2", "Frame: 2", frames),
        ("0.0333333", "nan", time),
        ("0.0333333", "0", time),
        (
            "0.0333333",
            "fast",
            "expected 'Frame Time:' and a number of seconds, got \"fast\"",
        ),
        (
            "90 90 7 30",
            "90 90 7",
            "line 33: expected 10 numbers, one a channel, got 9",
        ),
        (
            "90 90 7 30",
            "90 90 7 30 1",
            "line 33: expected 10 numbers, one a channel, got 11",
        ),
        (
            "90 90 7 30",
            "90 x 7 30",
            "line 33, number 8: expected a finite number, got \"x\"",
        ),
        (
            "90 90 7 30",
            "90 nan 7 30",
            "line 33, number 8: expected a finite number, got \"nan\"",
        ),
        (
            "90 90 7 30",
            "90 1e999 7 30",
            "number 8: expected a finite number, got \"1e999\"",
        ),
        (
            "90 90 7 30",
            "90 9z 7 30",
            "number 8: expected a finite number, got \"9z\"",
        ),
        (
            channels,
            "CHANNELS 2 Yposition Yposition",
            "line 19: expected channels that differ",
        ),
        (
            channels,
            "CHANNELS 3 Yposition Zrotation",
            "expected channel 3 of 3: Xposition",
        ),
        (
            channels,
            "CHANNELS 4000000000",
            "expected the number of channels, 0 to 6",
        ),
        (
            "OFFSET 1 2 3",
            "OFFSET 1 2",
            "line 5: expected three numbers after OFFSET",
        ),
        (
            "  OFFSET 1 2 3\n",
            "",
            "expected the OFFSET of joint 'left arm:1', got \"}\"",
        ),
        (
            "OFFSET 1 2 3",
            "OFFSET 1 2 3 OFFSET 1 2 3",
            "line 4: expected one OFFSET a joint",
        ),
        ("ROOT second", "ROOT", "line 25: expected a name after ROOT"),
        (
            "ROOT second",
            "JOINT second",
            "line 25: expected ROOT or MOTION, got \"JOINT\"",
        ),
        (
            "HIERARCHY",
            "MOTION",
            "line 1: expected 'HIERARCHY', got \"MOTION\"",
        ),
    ];
    for (from, to, message) in cases {
        assert!(CHAIN.contains(from));
        let got = refused(&CHAIN.replacen(from, to, 1));
        assert!(got.contains(message), "{from} -> {to}: {got}");
    }
    assert!(refused("HIERARCHY MOTION Frames: 1").contains("line 1: expected a ROOT, got MOTION"));
    let still = "HIERARCHY ROOT a { OFFSET 0 0 0 }\nMOTION\nFrames: 4000000000\nFrame Time: 1\n";
    assert!(refused(still).contains("CHANNELS: expected channels for the rows of numbers"));
    let more = motion(&format!("{CHAIN}1 2 3\n"));
    let wanted = "1 rows of numbers after the 2 that the file announces are left out";
    assert_eq!(more.warnings, [wanted]);
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let Some(data) = shared_data() else { return };
    for path in files_below(&data.join("invalid/damaged/bvh"), &["bvh"]) {
        let source = Source::open(&path).unwrap();
        let outcome = load_motion(&source, &LoadOptions::default(), &choice());
        let name = path.file_name().unwrap().to_str().unwrap();
        let error = outcome.map(|_| ()).unwrap_err();
        println!("{name}: {error}");
        assert!(matches!(error, Error::Format { .. }));
        let as_character = load_character(&source, &LoadOptions::default());
        let whole = ["cut_in_last_frame", "frame", "word", "nan", "no_motion"];
        assert_eq!(
            as_character.is_ok(),
            whole.iter().any(|start| name.starts_with(start))
        );
    }
}

#[test]
fn cut_and_changed_files_do_no_harm() {
    for end in 0..CHAIN.len() {
        let source = Source::from_bytes(&CHAIN.as_bytes()[..end]);
        let outcome = load_motion(&source, &LoadOptions::default(), &choice());
        assert!(outcome.is_err() || end + 2 >= CHAIN.len(), "{end}");
    }
    let mut state = 1_u64;
    for _ in 0..5_000 {
        let mut bytes = CHAIN.as_bytes().to_vec();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 24) as u8;
        }
        let source = Source::from_bytes(&bytes);
        if let Ok(loaded) = load_motion(&source, &LoadOptions::default(), &choice()) {
            save_motion(&loaded.value, &WriteOptions::default(), Progress::default()).unwrap();
        }
    }
}

#[test]
fn deep_nesting_is_read_and_written() {
    let depth = 100_000;
    let mut text = "HIERARCHY\nROOT r\n{\nOFFSET 0 0 0\n".to_owned();
    for joint in 0..depth {
        text += &format!("JOINT j{joint} {{ OFFSET 0 1 0\n");
    }
    let source = Source::from_bytes(text.as_bytes());
    assert!(load_character(&source, &LoadOptions::default()).is_err());
    text += &"}\n".repeat(depth + 1);
    let source = Source::from_bytes(text.as_bytes());
    let character = load_character(&source, &LoadOptions::default())
        .unwrap()
        .value;
    assert_eq!(character.skeleton.len(), depth + 1);
    let motion = still(character, 1);
    let saved = save_motion(&motion, &WriteOptions::default(), Progress::default()).unwrap();
    let bytes = saved.clone().into_bytes();
    let source = Source::from_bytes(&bytes);
    let again = load_character(&source, &LoadOptions::default())
        .unwrap()
        .value;
    assert_eq!(again.skeleton.len(), depth + 1);
}

/// A character that does not move.
fn still(character: Character, n_frames: usize) -> Motion {
    Motion {
        name: String::new(),
        model_parameters: vec![0.0; n_frames * character.parameter_transform.len()],
        character,
        fps: 25.0,
        times: (0..n_frames).map(|frame| frame as f64 / 25.0).collect(),
        identity: Vec::new(),
        is_single: false,
        timestamps: Vec::new(),
        clips: Vec::new(),
    }
}

/// Five joints with pre-rotations, all turning, the root and the third one moving along.
fn turning(n_frames: usize) -> Motion {
    let mut joints = vec![Joint::new("r", None, [0.1, 0.2, 0.3])];
    for (at, name) in ["a", "b", "c"].iter().enumerate() {
        let mut joint = Joint::new(*name, Some(at), [0.0, 0.5, 0.1]);
        joint.pre_rotation = [0.5, -0.5, 0.5, 0.5];
        joints.push(joint);
    }
    joints.push(Joint::new("side", Some(1), [0.3, 0.0, 0.0]));
    let skeleton = Skeleton::new(joints).unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new("x", skeleton, transform);
    let end = Locator::new("c_end", 3, [0.0, 0.2, 0.0]);
    parts.locators = vec![end, Locator::new("other", 0, [0.0; 3])].into();
    let mut motion = still(Character::new(parts).unwrap(), n_frames);
    for (at, row) in motion.model_parameters.chunks_exact_mut(7).enumerate() {
        row[3..6].copy_from_slice(&[3.0, 2.0, 2.5].map(|x| x * (at as f64 * 1.7 + x).sin()));
    }
    for (at, row) in motion.model_parameters.chunks_exact_mut(35).enumerate() {
        row[..3].copy_from_slice(&[0.3, 0.1, 0.2].map(|x| x * (at as f64).cos()));
        row[14] = 0.1 * (at as f64).sin();
    }
    motion.identity = vec![0.0; 35];
    motion.identity[8] = 0.25;
    motion
}

#[test]
fn pre_rotations_scales_and_body_measures_are_folded_in() {
    let mut motion = turning(40);
    for scaled in [false, true] {
        if scaled {
            // The second joint is twice as large, the third by another factor in each frame.
            for (at, row) in motion.model_parameters.chunks_exact_mut(35).enumerate() {
                row[13] = 1.0;
                row[20] = 0.5 * (at as f64).sin();
            }
        }
        for position_channels in [
            PositionChannels::AddToOffset,
            PositionChannels::ReplaceOffset,
        ] {
            let written = WriteOptions {
                position_channels,
                ..WriteOptions::default()
            };
            let saved = save_motion(&motion, &written, Progress::default()).unwrap();
            let starts = [
                "locators other",
                "scales are left",
                "position channels are written to",
            ];
            let wanted: Vec<_> = starts
                .into_iter()
                .filter(|start| scaled || !start.starts_with("scales"))
                .collect();
            assert_eq!(saved.warnings.len(), wanted.len(), "{:?}", saved.warnings);
            for (warning, start) in saved.warnings.iter().zip(wanted) {
                assert!(warning.starts_with(start), "{warning}");
            }
            let options = LoadOptions {
                position_channels,
                ..LoadOptions::default()
            };
            let bytes = saved.clone().into_bytes();
            let source = Source::from_bytes(&bytes);
            let again = load_motion(&source, &options, &choice()).unwrap().value;
            for at in 0..40 {
                same_places(&motion, &again, at);
            }
        }
    }
}

/// The same world transforms but for scale and the unit, which is m on the left and cm on the right.
fn same_places(left: &Motion, right: &Motion, at: usize) {
    let wanted = posed(&left.character, &frame(left, at));
    let got = posed(&right.character, &frame(right, at));
    for (joint, own) in left.character.skeleton.joints().iter().zip(&wanted) {
        let got = &got[right.character.skeleton.joint_index(&joint.name).unwrap()];
        for axis in 0..3 {
            let error = got[(axis, 3)] / 100.0 - own[(axis, 3)];
            assert!(error.abs() < 1e-12, "{at} {}: {error}", joint.name);
            let (got, own) = (got.column(axis).normalize(), own.column(axis).normalize());
            assert!((got - own).amax() < 1e-12, "{at} {}", joint.name);
        }
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let mut motion = turning(2);
    motion.model_parameters[40] = f64::NAN;
    let error = save_motion(&motion, &WriteOptions::default(), Progress::default()).unwrap_err();
    assert_eq!(error.to_string(), "motion: frame 1, joint 'r': not finite");
    let stop = |_| false;
    let error = save_motion(&turning(2), &WriteOptions::default(), Progress::new(&stop));
    assert_eq!(error.unwrap_err(), Error::Interrupted);
}
