//! Files that are written here: ufbx by itself and our own reader see the same character and motion.

use crate::common::{files_below, morphed, posed, shared_data, skinned};
use kinarray::character::{
    BlendShape, Character, CharacterParts, Joint, Locator, Marker, MarkerSequence, Material, Mesh,
    MeshParts, ParameterTransform, Picture, Skeleton, SkinWeights, Unit,
};
use kinarray::io::{
    self, Extras, Format, LoadOptions, Markers, Motion, MotionChoice, SaveOptions, Source, Up, fbx,
};
use nalgebra::{Matrix4, Vector3};
use std::sync::Arc;

fn options(unit: Unit) -> LoadOptions {
    LoadOptions {
        unit,
        ..LoadOptions::default()
    }
}

fn axes(up: Up) -> fbx::Axes {
    fbx::Axes {
        up,
        ..fbx::Axes::default()
    }
}

/// Two joints that turn, grow and move, and a bar of two squares on them, with two shapes.
pub fn bar() -> Character {
    let mut arm = Joint::new("arm", Some(0), [0.5, 0.25, 0.0]);
    arm.pre_rotation = [0.5, 0.5, -0.5, 0.5];
    let root = Joint::new("root", None, [0.1, 1.0, -2.0]);
    let hand = Joint::new("hand", Some(1), [0.0, 0.75, 0.0]);
    let skeleton = Skeleton::new(vec![root, arm, hand]).unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new("bar", skeleton, transform);
    let vertices = vec![
        0.0_f32, 0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 0.5, 1.0, 1.0, 0.5, 2.0, 1.0,
        0.5,
    ];
    let mesh = MeshParts {
        vertices: vertices.clone().into(),
        faces: vec![[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]],
        texcoords: vec![
            0.0_f32, 0.0, 0.5, 0.0, 1.0, 0.0, 0.0, 1.0, 0.5, 1.0, 1.0, 0.75,
        ]
        .into(),
        texcoord_faces: vec![[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]],
        poly_faces: vec![0, 1, 4, 3, 1, 2, 5, 4],
        poly_face_sizes: vec![4, 4],
        poly_texcoord_faces: vec![0, 1, 4, 3, 1, 2, 5, 4],
        colors: vec![
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [1, 2, 3],
            [128, 64, 32],
            [9, 9, 9],
        ],
        ..MeshParts::default()
    };
    parts.mesh = Some(Arc::new(Mesh::new(mesh).unwrap()));
    let index = vec![0, 1, 1, 2, 2, 0, 0, 2, 1, 0, 2, 1];
    let weight = vec![
        1.0_f32, 0.0, 0.5, 0.5, 0.25, 0.75, 1.0, 0.0, 0.75, 0.25, 0.5, 0.5,
    ];
    parts.skin_weights = Some(Arc::new(SkinWeights::new(2, index, weight.into()).unwrap()));
    let mut rows = vec![0.0_f32; 36];
    (rows[2], rows[16], rows[18]) = (0.5, -0.25, 1.0);
    let names = vec!["smile".into(), "frown".into()];
    let shape = BlendShape::new(names, vertices.into(), rows.into()).unwrap();
    parts.locators = Arc::new(vec![Locator::new("tip", 2, [0.0, 0.1, 0.2])]);
    let character = Character::new(parts).unwrap();
    character
        .with_blend_shape(Some(Arc::new(shape)), None)
        .unwrap()
}

pub fn moved(character: &Character, n_frames: usize) -> Motion {
    let width = character.parameter_transform.len();
    let value = |frame: usize, at: usize| ((frame * 7 + at * 3) as f64 * 0.37).sin();
    let pose =
        |frame| (0..width).map(move |at| value(frame, at) * if at % 7 == 6 { 0.3 } else { 0.9 });
    Motion {
        name: String::new(),
        character: character.clone(),
        fps: 24.0,
        times: (0..n_frames).map(|frame| frame as f64 / 24.0).collect(),
        model_parameters: (0..n_frames).flat_map(pose).collect(),
        identity: Vec::new(),
        is_single: false,
        timestamps: Vec::new(),
        clips: Vec::new(),
    }
}

pub fn saved(motion: &Motion, up: Up) -> Vec<u8> {
    let saved = fbx::save_motion(
        motion,
        &SaveOptions::default(),
        axes(up),
        &Extras::default(),
    );
    saved.unwrap().into_bytes()
}

fn coefficients(motion: &Motion, pose: &[f64]) -> Vec<f64> {
    let columns = motion.character.parameter_transform.blend_shape_columns();
    columns.iter().map(|column| pose[column.unwrap()]).collect()
}

#[test]
fn ufbx_sees_the_joints_points_and_weights() {
    let character = bar();
    let motion = moved(&character, 9);
    for up in [Up::Y, Up::Z, Up::X] {
        let bytes = saved(&motion, up);
        let scene = ufbx::load_memory(
            &bytes,
            ufbx::LoadOpts {
                strict: true,
                ..Default::default()
            },
        );
        let scene = scene.unwrap_or_else(|error| panic!("{}", error.description));
        assert_eq!(scene.metadata.warnings.len(), 0);
        // Centimetres, whatever the character is in.
        let unit_meters = scene.settings.unit_meters;
        assert_eq!(unit_meters, 0.01);
        let axes = &scene.settings.axes;
        let number = |axis: ufbx::CoordinateAxis| axis as u32;
        let unit = |axis: u32| {
            let mut unit = Vector3::<f64>::zeros();
            unit[axis as usize / 2] = 1.0 - 2.0 * f64::from(axis % 2);
            unit
        };
        let [right, above, front] = [axes.right, axes.up, axes.front].map(number).map(unit);
        assert_eq!(right.cross(&above), front, "{up:?} is a right hand");
        let width = motion.character.parameter_transform.len();
        let joint_parameters = motion.joint_parameters();
        for (frame, &time) in motion.times.iter().enumerate() {
            let options = ufbx::EvaluateOpts {
                evaluate_skinning: true,
                ..Default::default()
            };
            let stack = &scene.anim_stacks[0];
            let now = ufbx::evaluate_scene(&scene, &stack.anim, time, options);
            let now = now.unwrap_or_else(|error| panic!("{}", error.description));
            let n = 7 * character.skeleton.len();
            let worlds = posed(&character, &joint_parameters[frame * n..][..n]);
            for (joint, world) in character.skeleton.joints().iter().zip(&worlds) {
                let node = ufbx::find_node(&now, &joint.name).unwrap();
                let parent = node.parent.as_ref().unwrap();
                let wanted = joint
                    .parent
                    .map_or("", |parent| &character.skeleton.joints()[parent].name);
                assert_eq!(&*parent.element.name, wanted);
                let m = &node.node_to_world;
                let mut own = Matrix4::new(
                    m.m00, m.m01, m.m02, m.m03, m.m10, m.m11, m.m12, m.m13, m.m20, m.m21, m.m22,
                    m.m23, 0.0, 0.0, 0.0, 1.0,
                );
                for row in 0..3 {
                    own[(row, 3)] *= unit_meters;
                }
                assert!((own - world).amax() < 2e-6, "{}: {own} {world}", joint.name);
            }
            let pose = &motion.model_parameters[frame * width..][..width];
            let weights = coefficients(&motion, pose);
            for (channel, weight) in now.blend_channels.into_iter().zip(&weights) {
                assert!((channel.weight - weight).abs() < 1e-7);
            }
            let points = skinned(&character, &worlds, &morphed(&character, &weights));
            let mesh = &now.meshes[0];
            assert!(!mesh.skinned_is_local);
            for (point, own) in points.iter().zip(&mesh.skinned_position.values) {
                let error = (Vector3::from(*point)
                    - Vector3::new(own.x, own.y, own.z) * unit_meters)
                    .norm();
                assert!(error < 3e-6, "{error}");
            }
        }
        let tip = ufbx::find_node(&scene, "tip").unwrap();
        assert_eq!(&*tip.parent.as_ref().unwrap().element.name, "hand");
    }
}

/// The largest difference of joints and points between two motions, relative to the size of what moves.
fn difference(one: &Motion, other: &Motion) -> f64 {
    assert_eq!(one.times.len(), other.times.len());
    let names = |motion: &Motion| -> Vec<(String, Option<usize>)> {
        let joints = motion.character.skeleton.joints().iter();
        joints
            .map(|joint| (joint.name.clone(), joint.parent))
            .collect()
    };
    let (first, second) = (names(one), names(other));
    assert_eq!(first, second[..first.len()]);
    let (a, b) = (one.joint_parameters(), other.joint_parameters());
    let (wide, wide_too) = (7 * first.len(), 7 * second.len());
    let (mut size, mut worst) = (1e-9_f64, 0.0_f64);
    let frames = one.times.len();
    for frame in (0..frames).step_by((frames / 10).max(1)) {
        let worlds = posed(&one.character, &a[frame * wide..][..wide]);
        let worlds_too = posed(&other.character, &b[frame * wide_too..][..wide_too]);
        let place = |m: &Matrix4<f64>| Vector3::new(m[(0, 3)], m[(1, 3)], m[(2, 3)]);
        for (own, too) in worlds.iter().zip(&worlds_too) {
            size = size.max(place(own).norm());
            worst = worst.max((place(own) - place(too)).norm());
        }
        if one.character.mesh.is_some() {
            let points = |motion: &Motion, worlds: &[Matrix4<f64>]| {
                let width = motion.character.parameter_transform.len();
                let pose = &motion.model_parameters[frame * width..][..width];
                let weights = coefficients(motion, pose);
                skinned(
                    &motion.character,
                    worlds,
                    &morphed(&motion.character, &weights),
                )
            };
            let (own, too) = (points(one, &worlds), points(other, &worlds_too));
            assert_eq!(own.len(), too.len());
            for (own, too) in own.iter().zip(&too) {
                size = size.max(Vector3::from(*own).norm());
                worst = worst.max((Vector3::from(*own) - Vector3::from(*too)).norm());
            }
        }
    }
    worst / size
}

#[test]
fn our_reader_gives_back_what_was_written() {
    let character = bar();
    let motion = moved(&character, 9);
    let bytes = saved(&motion, Up::Z);
    let source = Source::from_bytes(&bytes);
    let plain = LoadOptions::default();
    let load = |choice: &MotionChoice| io::load_motion(&source, Format::Fbx, &plain, choice, None);
    let loaded = load(&MotionChoice::default()).unwrap();
    assert_eq!(loaded.up, Up::Z);
    let own = loaded.value;
    assert_eq!(
        (own.fps, own.n_frames(), own.name.as_str()),
        (24.0, 9, "Take 001")
    );
    assert!(difference(&motion, &own) < 1e-6);
    let (mesh, again) = (
        character.mesh.as_ref().unwrap(),
        own.character.mesh.as_ref().unwrap(),
    );
    assert_eq!(mesh.vertices, again.vertices);
    assert_eq!(mesh.texcoords.as_f32(), again.texcoords.as_f32());
    assert_eq!(mesh.colors, again.colors);
    assert_eq!(mesh.poly_faces, again.poly_faces);
    assert_eq!(mesh.poly_texcoord_faces, again.poly_texcoord_faces);
    for (a, b) in mesh.normals.iter().zip(again.normals.iter()) {
        assert!((a - b).abs() < 1e-6);
    }
    let shapes = own.character.blend_shape.as_ref().unwrap();
    assert_eq!(shapes.names(), ["smile", "frown"]);
    assert_eq!(
        shapes.displacements(),
        character.blend_shape.as_ref().unwrap().displacements()
    );
    let fine = MotionChoice {
        fps: Some(48.0),
        ..MotionChoice::default()
    };
    let fine = load(&fine).unwrap().value;
    assert_eq!(fine.n_frames(), 17);
}

#[test]
fn surfaces_look_as_they_did() {
    let picture = Picture {
        name: "skin.png".into(),
        mime_type: "image/png".into(),
        bytes: b"\x89PNG\r\n\x1a\n and so on".to_vec(),
    };
    let skin = Material {
        name: "skin".into(),
        base_color: [0.8, 0.5, 0.25, 0.75],
        metallic: 0.25,
        roughness: 0.5,
        base_color_texture: Some(Arc::new(picture)),
        ..Material::default()
    };
    let lamp = Material {
        name: "lamp".into(),
        emissive: [1.0, 0.5, 0.0],
        ..Material::default()
    };
    let mut parts = bar().parts();
    let mut mesh = MeshParts::from((**parts.mesh.as_ref().unwrap()).clone());
    mesh.materials = vec![skin.clone(), lamp.clone()];
    // The triangles of one polygon have one material.
    let polygons = mesh.poly_face_sizes.iter().enumerate();
    let each = polygons.flat_map(|(at, &size)| vec![(at % 2) as u32; size as usize - 2]);
    mesh.face_materials = each.collect();
    let wanted = mesh.face_materials.clone();
    assert!(wanted.contains(&0) && wanted.contains(&1));
    parts.mesh = Some(Arc::new(Mesh::new(mesh).unwrap()));
    let motion = moved(&Character::new(parts).unwrap(), 2);
    let bytes = saved(&motion, Up::Y);
    let source = Source::from_bytes(&bytes);
    let again = fbx::load_character(&source, &LoadOptions::default()).unwrap();
    assert_eq!(again.warnings, Vec::<String>::new());
    let mesh = again.value.mesh.as_ref().unwrap();
    assert_eq!(mesh.face_materials, wanted);
    for (own, again) in [&skin, &lamp].into_iter().zip(&mesh.materials) {
        assert_eq!(own.name, again.name);
        assert_eq!(own.base_color_texture, again.base_color_texture);
        let numbers = |m: &Material| {
            let more = [m.metallic, m.roughness];
            [&m.base_color[..], &m.emissive[..], &more[..]].concat()
        };
        for (a, b) in numbers(own).iter().zip(numbers(again)) {
            assert!((a - b).abs() < 1e-6, "{own:?} {again:?}");
        }
    }
}

#[test]
fn shared_files_survive_a_round_trip() {
    let Some(data) = shared_data() else { return };
    for path in files_below(&data.join("fbx"), &["fbx"]) {
        let source = Source::open(&path).unwrap();
        let choice = MotionChoice::default();
        let load = |source: &Source<'_>| {
            io::load_motion(
                source,
                Format::Fbx,
                &options(Unit::Centimeter),
                &choice,
                None,
            )
            .unwrap()
        };
        let loaded = load(&source);
        let bytes = saved(&loaded.value, loaded.up);
        let source = Source::from_bytes(&bytes);
        let again = load(&source);
        assert_eq!(again.up, loaded.up);
        let worst = difference(&loaded.value, &again.value);
        println!("{}: {worst:.1e}", path.display());
        assert!(worst < 1e-6, "{}: {worst}", path.display());
    }
}

#[test]
fn markers_bodies_and_meshes_go_into_one_file() {
    let character = bar().in_unit(Unit::Centimeter);
    let marker = |name: &str, pos: [f64; 3], occluded| Marker {
        name: name.into(),
        pos,
        occluded,
        confidence: 1.0,
    };
    let frames = [
        vec![
            marker("head", [0.0, 1.5, 0.0], false),
            marker("toe", [0.1, 0.0, 0.0], false),
        ],
        vec![
            marker("head", [0.25, 1.5, 0.0], false),
            marker("toe", [9.0; 3], true),
        ],
    ];
    let frames: Vec<Vec<&Marker>> = frames.iter().map(|frame| frame.iter().collect()).collect();
    let sequence = MarkerSequence::from_frames("one".into(), 60.0, &frames).unwrap();
    let mut builder = fbx::FbxBuilder::new(fbx::Axes::default());
    builder
        .add_character(&character, &SaveOptions::default())
        .unwrap();
    let place = fbx::BodyPlace {
        name: "prop",
        joint: 1,
    };
    let spaced = SaveOptions {
        namespace: "prop".into(),
        ..SaveOptions::default()
    };
    builder.add_rigid_body(&character, place, &spaced).unwrap();
    let mesh = character.mesh.as_ref().unwrap();
    let turn = [
        0.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 1.0,
    ];
    let own = (&**mesh, Unit::Centimeter);
    let place = Joint::new("", None, [1.0, 0.0, 0.0]);
    builder
        .add_animated_mesh(own, &place, "ball", 60.0, &turn)
        .unwrap();
    builder
        .add_animated_character(&character, "box", 60.0, &turn)
        .unwrap();
    builder.add_marker_sequence(&sequence, Unit::Meter).unwrap();
    let motion = moved(&character, 3);
    builder
        .add_motion(&character, 30.0, &motion.model_parameters, &[])
        .unwrap();
    assert!(
        builder
            .add_motion(&bar().in_unit(Unit::Millimeter), 30.0, &[], &[])
            .is_err()
    );
    let saved = builder.save().unwrap();
    assert!(
        saved
            .warnings
            .iter()
            .any(|warning| warning.contains("hidden")),
        "{:?}",
        saved.warnings
    );
    let bytes = saved.clone().into_bytes();
    let source = Source::from_bytes(&bytes);
    let plain = LoadOptions::default();
    let markers: Markers = fbx::load_markers(&source, &plain).unwrap().value;
    assert_eq!(markers.unit, Unit::Centimeter);
    let own = &markers.sequences[0];
    assert_eq!((own.fps(), own.n_frames()), (60.0, 5));
    assert_eq!(own.marker_names()[0], "head");
    for (frame, name, place) in [
        (0, 0, [0.0, 150.0, 0.0]),
        (1, 0, [25.0, 150.0, 0.0]),
        (1, 1, [10.0, 0.0, 0.0]),
    ] {
        let got = Vector3::from(own.marker(frame, name).unwrap().pos);
        assert!((got - Vector3::from(place)).norm() < 1e-4, "{got}");
    }
    let loaded = fbx::load_character(&source, &plain).unwrap().value;
    assert!(loaded.skeleton.joint_index("prop").is_some());
    assert_eq!(loaded.mesh.as_ref().unwrap().n_vertices(), 24);
    let kept = LoadOptions {
        strip_namespaces: false,
        ..plain
    };
    let loaded = fbx::load_character(&source, &kept).unwrap().value;
    assert!(loaded.skeleton.joint_index("prop:arm").is_some());
}
