//! Small USD files made by hand, for what files of others do not show. Figures are worked out by hand.

use crate::common::{morphed, posed, skinned};
use kinarray::Error;
use kinarray::character::{Character, PARAMETERS_PER_JOINT, Unit};
use kinarray::io::{
    Format, LoadOptions, Loaded, Motion, MotionChoice, Source, Up, load_character, load_motion,
};

/// Two joints along x, one above the other.
pub const TWO_JOINTS: &str = r#"
        uniform token[] joints = ["a", "a/b"]
        uniform matrix4d[] bindTransforms = [
            ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(1,0,0,1))]
        uniform matrix4d[] restTransforms = [
            ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(1,0,0,1))]
"#;

/// A triangle, all of it on the second joint.
pub const TRIANGLE: &str = r#"
        int[] faceVertexCounts = [3]
        int[] faceVertexIndices = [0, 1, 2]
        point3f[] points = [(1, 0, 0), (2, 0, 0), (1, 1, 0)]
        int[] primvars:skel:jointIndices = [1] (interpolation = "constant")
        float[] primvars:skel:jointWeights = [1] (interpolation = "constant")
"#;

/// A file in metres: what stands in the SkelRoot, the skeleton and the mesh besides.
pub fn file(root: &str, skeleton: &str, mesh: &str) -> String {
    format!(
        "#usda 1.0\n(\n metersPerUnit = 1\n)\ndef SkelRoot \"Root\"\n{{\n{root}\n    rel skel:skeleton = </Root/Skel>\n    \
         rel skel:animationSource = </Root/Anim>\n    def Skeleton \"Skel\"\n    {{\n{TWO_JOINTS}\n{skeleton}\n    }}\n    \
         def Mesh \"Mesh\"\n    {{\n{TRIANGLE}\n{mesh}\n    }}\n}}\n"
    )
}

pub fn read(bytes: &[u8], options: &LoadOptions) -> Result<Loaded<Character>, Error> {
    load_character(&Source::from_bytes(bytes), Format::Usd, options)
}

fn character(text: &str) -> Loaded<Character> {
    read(text.as_bytes(), &LoadOptions::default()).unwrap()
}

pub fn moving(text: &str, fps: Option<f64>) -> Result<Loaded<Motion>, Error> {
    let choice = MotionChoice { clip: None, fps };
    let source = Source::from_bytes(text.as_bytes());
    load_motion(&source, Format::Usd, &LoadOptions::default(), &choice, None)
}

fn motion(text: &str) -> Motion {
    moving(text, None).unwrap().value
}

/// The points of each frame.
pub fn frames(motion: &Motion) -> Vec<Vec<[f64; 3]>> {
    let character = &motion.character;
    let n_rows = PARAMETERS_PER_JOINT * character.skeleton.len();
    let size = character.parameter_transform.len();
    let frames = motion.model_parameters.chunks_exact(size);
    frames
        .map(|row| {
            let worlds = posed(character, &row[..n_rows]);
            skinned(character, &worlds, &morphed(character, &row[n_rows..]))
        })
        .collect()
}

/// The points at rest, through the joints, so that the inverse bind pose is seen as well.
pub fn rest(character: &Character) -> Vec<[f64; 3]> {
    let zeros = vec![0.0; PARAMETERS_PER_JOINT * character.skeleton.len()];
    let worlds = posed(character, &zeros);
    skinned(character, &worlds, &morphed(character, &[]))
}

fn assert_points(got: &[[f64; 3]], wanted: &[[f64; 3]]) {
    assert_eq!(got.len(), wanted.len());
    for (got, wanted) in got.iter().zip(wanted) {
        let error = got.iter().zip(wanted).map(|(x, y)| (x - y).abs());
        assert!(
            error.fold(0.0, f64::max) < 1e-6,
            "{got:?} and not {wanted:?}"
        );
    }
}

fn message(text: &str) -> String {
    let error = read(text.as_bytes(), &LoadOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn transforms_above_a_skeleton_are_in_its_root() {
    let above = r#"
    float3 xformOp:scale = (2, 2, 2)
    float xformOp:rotateZ = 90
    double3 xformOp:translate = (10, 0, 0)
    uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateZ", "xformOp:scale"]"#;
    let loaded = character(&file(above, "", ""));
    assert_points(
        &rest(&loaded.value),
        &[[10.0, 2.0, 0.0], [10.0, 4.0, 0.0], [8.0, 2.0, 0.0]],
    );
    let joints = loaded.value.skeleton.joints();
    assert_eq!(joints[0].translation_offset, [10.0, 0.0, 0.0]);
    // No joint has a scale at rest: that of the root is in the next one's offset.
    assert!((joints[1].translation_offset[0] - 2.0).abs() < 1e-12);
    // A transform of the mesh itself has no effect, but that of its points in the bind pose has.
    let own = r#"
    double3 xformOp:translate = (5, 5, 5)
    uniform token[] xformOpOrder = ["xformOp:translate"]
    matrix4d primvars:skel:geomBindTransform = ((1,0,0,0),(0,1,0,0),(0,0,1,0),(0,0,3,1))"#;
    let loaded = character(&file("", "", own));
    assert_points(
        &rest(&loaded.value),
        &[[1.0, 0.0, 3.0], [2.0, 0.0, 3.0], [1.0, 1.0, 3.0]],
    );
}

#[test]
fn a_bind_pose_other_than_the_rest_pose_skins_the_rest_mesh() {
    // Bound where the second joint is at (1, 0, 0), at rest a quarter turn about z.
    let turned = "        uniform matrix4d[] restTransforms = [
            ((0,1,0,0),(-1,0,0,0),(0,0,1,0),(0,0,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(1,0,0,1))]";
    let start = TWO_JOINTS
        .find("        uniform matrix4d[] restTransforms")
        .unwrap();
    let text = file("", "", "").replace(&TWO_JOINTS[start..], turned);
    let loaded = character(&text);
    assert_points(
        &rest(&loaded.value),
        &[[0.0, 1.0, 0.0], [0.0, 2.0, 0.0], [-1.0, 1.0, 0.0]],
    );
}

#[test]
fn motion_is_linear_between_samples_and_turns_on_the_shorter_way() {
    let animation = r#"
    def SkelAnimation "Anim"
    {
        uniform token[] joints = ["a/b", "a"]
        float3[] translations.timeSamples = { 0: [(1, 0, 0), (0, 0, 0)], 4: [(1, 0, 0), (0, 8, 0)] }
        quatf[] rotations.timeSamples = {
            0: [(1, 0, 0, 0), (1, 0, 0, 0)],
            4: [(-0.70710678118, 0, 0, -0.70710678118), (1, 0, 0, 0)]
        }
    }"#;
    let motion = motion(&file(animation, "", ""));
    assert_eq!(
        (motion.name.as_str(), motion.fps, motion.n_frames()),
        ("Anim", 24.0, 5)
    );
    let frames = frames(&motion);
    let half = std::f64::consts::FRAC_PI_4;
    let (sine, cosine) = half.sin_cos();
    assert_points(
        &frames[0],
        &[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 1.0, 0.0]],
    );
    assert_points(
        &frames[2],
        &[
            [1.0, 4.0, 0.0],
            [1.0 + cosine, 4.0 + sine, 0.0],
            [1.0 - sine, 4.0 + cosine, 0.0],
        ],
    );
    assert_points(
        &frames[4],
        &[[1.0, 8.0, 0.0], [1.0, 9.0, 0.0], [0.0, 8.0, 0.0]],
    );
}

#[test]
fn scales_at_rest_and_in_motion() {
    let animation = r#"
    def SkelAnimation "Anim"
    {
        uniform token[] joints = ["a"]
        half3[] scales.timeSamples = { 0: [(1, 1, 1)], 2: [(3, 3, 3)] }
    }"#;
    let moved = motion(&file(animation, "", ""));
    // Joint 'b', which the animation does not speak of, keeps its rest transform.
    assert_points(
        &frames(&moved)[1],
        &[[2.0, 0.0, 0.0], [4.0, 0.0, 0.0], [2.0, 2.0, 0.0]],
    );
    assert_points(
        &frames(&moved)[2],
        &[[3.0, 0.0, 0.0], [6.0, 0.0, 0.0], [3.0, 3.0, 0.0]],
    );
    let uneven = animation.replace("(3, 3, 3)", "(3, 1, 1)");
    let warnings = moving(&file(&uneven, "", ""), None).unwrap().warnings;
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("1 joints are scaled differently")),
        "{warnings:?}"
    );
}

#[test]
fn a_transform_above_that_moves_moves_the_root() {
    let above = r#"
    double3 xformOp:translate.timeSamples = { 1: (0, 0, 0), 3: (0, 0, 4) }
    uniform token[] xformOpOrder = ["xformOp:translate"]"#;
    let motion = motion(&file(above, "", ""));
    assert_eq!(motion.n_frames(), 3);
    assert!((motion.times[0] - 1.0 / 24.0).abs() < 1e-12);
    for (frame, z) in [0.0, 2.0, 4.0].into_iter().enumerate() {
        assert_points(
            &frames(&motion)[frame],
            &[[1.0, 0.0, z], [2.0, 0.0, z], [1.0, 1.0, z]],
        );
    }
}

#[test]
fn in_betweens_divide_the_weight_of_a_shape() {
    let shape = r#"
        uniform token[] skel:blendShapes = ["smile"]
        rel skel:blendShapeTargets = <smile>
        def BlendShape "smile"
        {
            uniform vector3f[] offsets = [(0, 2, 0)]
            uniform vector3f[] inbetweens:half = [(1, 0, 0)] (weight = 0.5)
            uniform int[] pointIndices = [1]
        }"#;
    let animation = r#"
    def SkelAnimation "Anim"
    {
        uniform token[] blendShapes = ["frown", "smile"]
        float[] blendShapeWeights.timeSamples = {
            0: [9, 0.25], 1: [9, 0.5], 2: [9, 0.75], 3: [9, 1], 4: [9, -0.5], 5: [9, 1.5]
        }
    }"#;
    let motion = motion(&file(animation, "", shape));
    let names = motion
        .character
        .blend_shape
        .as_ref()
        .unwrap()
        .names()
        .to_vec();
    assert_eq!(names, ["smile", "smile.half"]);
    // Outside the two nearest are carried on: at -0.5 the in-between has -1, at 1.5 the shapes 2 and -1.
    let wanted = [
        [0.5, 0.0],
        [1.0, 0.0],
        [0.5, 1.0],
        [0.0, 2.0],
        [-1.0, 0.0],
        [-1.0, 4.0],
    ];
    for (frame, [x, y]) in frames(&motion).iter().zip(wanted) {
        assert_points(
            frame,
            &[[1.0, 0.0, 0.0], [2.0 + x, y, 0.0], [1.0, 1.0, 0.0]],
        );
    }
}

#[test]
fn the_clock_is_the_files_unless_asked_otherwise() {
    let text = file(
        "def SkelAnimation \"Anim\"\n{\n uniform token[] joints = [\"a\"]\n \
         float3[] translations.timeSamples = { 0: [(0, 0, 0)], 60: [(6, 0, 0)] }\n}",
        "",
        "",
    );
    let clocked = text.replace(
        "metersPerUnit = 1",
        "metersPerUnit = 1\n timeCodesPerSecond = 30\n startTimeCode = 15\n endTimeCode = 45",
    );
    let own = motion(&clocked);
    assert_eq!((own.fps, own.n_frames()), (30.0, 31));
    assert_eq!((own.times[0], own.times[30]), (0.5, 1.5));
    assert_points(
        &frames(&own)[15],
        &[[4.0, 0.0, 0.0], [5.0, 0.0, 0.0], [4.0, 1.0, 0.0]],
    );
    let twice = moving(&clocked, Some(60.0)).unwrap().value;
    assert_eq!((twice.fps, twice.n_frames()), (60.0, 61));
    let choice = MotionChoice {
        clip: Some(kinarray::io::ClipChoice::Name("Walk".into())),
        fps: None,
    };
    let source = Source::from_bytes(clocked.as_bytes());
    let error =
        load_motion(&source, Format::Usd, &LoadOptions::default(), &choice, None).unwrap_err();
    assert!(error.to_string().contains("'Anim'"), "{error}");
}

#[test]
fn units_and_axes_are_turned_as_asked() {
    let up_z = file("", "", "")
        .replace("metersPerUnit = 1", "metersPerUnit = 0.01\n upAxis = \"Z\"")
        .replace("(1, 1, 0)", "(0, 0, 50)");
    let loaded = character(&up_z);
    assert_eq!((loaded.up, loaded.value.unit), (Up::Z, Unit::Meter));
    assert_points(&rest(&loaded.value)[2..], &[[0.0, 0.0, 0.5]]);
    let options = LoadOptions {
        up: Some(Up::Y),
        ..LoadOptions::default()
    };
    let turned = read(up_z.as_bytes(), &options).unwrap();
    assert_points(&rest(&turned.value)[2..], &[[0.0, 0.5, 0.0]]);
    // Inches, which is no unit of ours; and a file that does not say: centimetres, or what it is told.
    let inches = up_z.replace("0.01", "0.0254");
    assert_points(&rest(&character(&inches).value)[2..], &[[0.0, 0.0, 1.27]]);
    let unsaid = up_z.replace("metersPerUnit = 0.01", "");
    assert_points(&rest(&character(&unsaid).value)[2..], &[[0.0, 0.0, 0.5]]);
    let told = LoadOptions {
        file_unit: Some(Unit::Millimeter),
        ..LoadOptions::default()
    };
    assert_points(
        &rest(&read(unsaid.as_bytes(), &told).unwrap().value)[2..],
        &[[0.0, 0.0, 0.05]],
    );
}

#[test]
fn joints_of_one_name_have_their_paths() {
    let text = file("", "", "").replace("[\"a\", \"a/b\"]", "[\"hip\", \"hip/hip\"]");
    let loaded = character(&text).value;
    let names: Vec<&str> = loaded
        .skeleton
        .joints()
        .iter()
        .map(|joint| joint.name.as_str())
        .collect();
    assert_eq!(names, ["hip", "hip/hip"]);
    assert_eq!(loaded.name, "Root");
}

#[test]
fn meshes_count_joints_in_their_own_order() {
    let own = r#"
        uniform token[] skel:joints = ["a/b", "a"]
        int[] primvars:skel:jointIndices = [0, 1, 1, 0, 0, 1] (interpolation = "vertex" elementSize = 2)
        float[] primvars:skel:jointWeights = [1, 0, 1, 0, 1, 3] (interpolation = "vertex" elementSize = 2)"#;
    let text = file("", "", own);
    let weights = |options: &LoadOptions| {
        let loaded = read(text.as_bytes(), options).unwrap().value;
        let weights = loaded.skin_weights.as_ref().unwrap();
        let values = weights.weight().as_f64().to_vec();
        (weights.index().to_vec(), values)
    };
    let (index, values) = weights(&LoadOptions::default());
    assert_eq!(index, [1, 0, 0, 0, 1, 0]);
    assert_eq!(values, [1.0, 0.0, 1.0, 0.0, 0.25, 0.75]);
    let kept = LoadOptions {
        normalize_weights: false,
        ..LoadOptions::default()
    };
    assert_eq!(weights(&kept).1[4..], [1.0, 3.0]);
    let other = text.replace(
        "[\"a/b\", \"a\"]\n        int",
        "[\"a/c\", \"a\"]\n        int",
    );
    assert!(message(&other).contains("'a/c'"));
}

#[test]
fn polygons_texture_coordinates_and_colours() {
    let own = r#"
        int[] faceVertexCounts = [4, 2]
        int[] faceVertexIndices = [0, 1, 2, 3, 0, 1]
        point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
        texCoord2f[] primvars:st = [(0, 0), (1, 0.25)] (interpolation = "faceVarying")
        int[] primvars:st:indices = [0, 1, 1, 0, 0, 0]
        color3f[] primvars:displayColor = [(1, 0, 0.5)] (interpolation = "constant")"#;
    let loaded = character(&file("", "", own));
    let mesh = loaded.value.mesh.as_ref().unwrap();
    assert_eq!(mesh.faces[..], [[0, 1, 2], [0, 2, 3]]);
    assert_eq!(mesh.poly_face_sizes[..], [4]);
    assert_eq!(mesh.texcoord_faces[..], [[0, 1, 1], [0, 1, 0]]);
    let texcoords: Vec<f64> = mesh.texcoords.iter().collect();
    assert_eq!(texcoords, [0.0, 1.0, 1.0, 0.75]);
    assert_eq!(mesh.colors[..], [[255, 0, 128]; 4]);
    assert!(
        loaded
            .warnings
            .iter()
            .any(|text| text.starts_with("1 polygons of fewer")),
        "{:?}",
        loaded.warnings
    );
    // Seen clockwise: turned around. And so is what a mirror makes of it; both together change nothing.
    let left = format!("{own}\n        uniform token orientation = \"leftHanded\"");
    let faces = |root: &str, own: &str| {
        character(&file(root, "", own))
            .value
            .mesh
            .as_ref()
            .unwrap()
            .faces[0]
    };
    assert_eq!(faces("", &left), [3, 2, 1]);
    let mirror = "    float3 xformOp:scale = (-1, 1, 1)\n    uniform token[] xformOpOrder = [\"xformOp:scale\"]";
    assert_eq!(faces(mirror, own), [3, 2, 1]);
    assert_eq!(faces(mirror, &left), [0, 1, 2]);
}

#[test]
fn meshes_that_are_not_skinned_stand_still() {
    let text = "#usda 1.0\n(\n metersPerUnit = 1\n)\ndef Xform \"Box\"\n{\n double3 xformOp:translate = (0, 7, 0)\n \
                uniform token[] xformOpOrder = [\"xformOp:translate\"]\n def Mesh \"Mesh\"\n {\n  int[] faceVertexCounts = [3]\n  \
                int[] faceVertexIndices = [0, 1, 2]\n  point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]\n }\n}\n";
    let loaded = character(text);
    assert_eq!(loaded.value.skeleton.joints()[0].name, "stage");
    assert_points(
        &rest(&loaded.value),
        &[[0.0, 7.0, 0.0], [1.0, 7.0, 0.0], [0.0, 8.0, 0.0]],
    );
    assert_eq!(
        loaded.warnings,
        ["meshes that are not skinned hang on a joint of their own"]
    );
    for gone in ["over Mesh", "class Mesh"] {
        assert!(
            message(&text.replace("def Mesh", gone))
                .contains("a Skeleton prim with joints, or a Mesh prim")
        );
    }
    let inactive = text.replace("def Mesh \"Mesh\"", "def Mesh \"Mesh\" (active = false)");
    assert!(
        message(&inactive).contains("none among 2 prims"),
        "{}",
        message(&inactive)
    );
}

#[test]
fn what_is_left_out_is_said_once() {
    let root = r#"
    def Sphere "s" {}
    def Sphere "t" {}
    def Material "gold" {}
    def SkelAnimation "Loose" {}
    variantSet "look" = { "red" { def Mesh "m" {} } "blue" {} }"#;
    let own = "        normal3f[] normals = [(0, 0, 1)]\n        point3f[] points.timeSamples = { 0: [(1, 0, 0), (2, 0, 0), (1, 1, 0)], 1: [(1, 0, 0), (2, 0, 0), (1, 1, 0)] }\n        \
               uniform token skel:skinningMethod = \"dualQuaternion\"";
    let warnings = character(&file(root, "", own)).warnings;
    for wanted in [
        "what 'variants' of /Root brings in is left out",
        "2 prims of type Sphere are left out",
        "1 materials are left out",
        "the normals of 1 meshes are left out",
        "1 animations that no skeleton uses are left out",
        "points over time are left out: /Root/Mesh",
        "what asks for dual quaternions is skinned linearly: /Root/Mesh",
    ] {
        let count = warnings
            .iter()
            .filter(|text| text.starts_with(wanted))
            .count();
        assert_eq!(count, 1, "{wanted}: {warnings:?}");
    }
    assert_eq!(warnings.len(), 7, "{warnings:?}");
}
