//! What is saved as glTF comes back: handmade characters with every part, and every file that loads.

use crate::common::{files_below, shared_data};
use kinarray::character::{
    BlendShape, BlendShapeBase, Character, CharacterParts, CollisionGeometry, CollisionShape,
    Joint, JointPhysicalProperties, LimitKind, Locator, Marker, MarkerSequence, Material, Mesh,
    MeshParts, ParameterLimit, ParameterTransform, Picture, PoseShape, Reals, SdfCollider,
    SignedDistanceField, Skeleton, SkinWeights, SkinnedLocator, Unit,
};
use kinarray::io::gltf::write::{Builder, Container, MarkerMesh, MotionToWrite, Values};
use kinarray::io::gltf::{self, load_scene};
use kinarray::io::{
    Extras, LoadOptions, Markers, Motion, MotionChoice, SaveOptions, Saved, Source,
};
use std::sync::Arc;

/// Numbers without a pattern, in -1 .. 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    fn three(&mut self) -> [f64; 3] {
        std::array::from_fn(|_| self.next())
    }

    fn turn(&mut self) -> [f64; 4] {
        let turn: [f64; 4] = std::array::from_fn(|_| self.next());
        let norm = turn.iter().map(|x| x * x).sum::<f64>().sqrt();
        turn.map(|x| x / norm)
    }

    fn singles(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next() as f32).collect()
    }

    fn rigid(&mut self) -> [f64; 16] {
        let [x, y, z, w] = self.turn();
        let turn = nalgebra::UnitQuaternion::new_unchecked(nalgebra::Quaternion::new(w, x, y, z));
        let mut matrix = turn.to_homogeneous();
        for axis in 0..3 {
            matrix[(axis, 3)] = self.next();
        }
        std::array::from_fn(|at| matrix[(at / 4, at % 4)])
    }
}

const N_VERTICES: usize = 9;

/// A character with something in every part, breadth first, with two roots.
fn everything(unit: Unit, double: bool) -> Character {
    let mut random = Random(7);
    let parents = [None, Some(0), Some(0), Some(1), None, Some(2)];
    let joints = parents.iter().enumerate().map(|(at, &parent)| Joint {
        name: format!("joint \"{at}\" ü"),
        parent,
        pre_rotation: random.turn(),
        translation_offset: random.three(),
    });
    let skeleton = Skeleton::new(joints.collect()).unwrap();
    let names = ["root_tx", "bend", "scale_all", "twist"];
    let entries = [
        (0, 0, 1.0),
        (10, 1, 0.1 + 0.2),
        (3, 1, -1.0 / 3.0),
        (6, 2, 1.0),
        (7, 3, 0.07),
        (17, 3, 0.5),
    ];
    let names = names.map(str::to_owned).to_vec();
    let transform = ParameterTransform::new(names, 6, entries)
        .unwrap()
        .with_parameter_set("arms", vec![false, true, false, true])
        .unwrap()
        .with_parameter_set("nobody", vec![false; 4])
        .unwrap()
        .with_blend_shape_parameters(2)
        .unwrap()
        .with_face_expression_parameters(1)
        .unwrap()
        .with_skinned_locator_parameters(&[Some("nose"), None])
        .unwrap();
    let mut parts = CharacterParts::new("höro", skeleton, transform);
    parts.unit = unit;
    parts.metadata = r#"{"a": [1, "ß"]}"#.into();
    let reals = |singles: Vec<f32>| -> Reals {
        match double {
            true => singles
                .iter()
                .map(|&x| f64::from(x) * 1.1)
                .collect::<Vec<f64>>()
                .into(),
            false => singles.into(),
        }
    };
    let vertices = reals(random.singles(3 * N_VERTICES));
    parts.mesh = Some(Arc::new(
        Mesh::new(MeshParts {
            vertices: vertices.clone(),
            faces: vec![[0, 1, 2], [2, 1, 3], [4, 5, 6], [6, 6, 7]],
            lines: vec![vec![0, 1, 2], vec![], vec![8, 7]],
            colors: (0..N_VERTICES as u8).map(|at| [at, 255 - at, 17]).collect(),
            confidence: reals(random.singles(N_VERTICES)),
            texcoords: reals(random.singles(10)),
            materials: materials(),
            face_materials: vec![2, 0, 2, 1],
            texcoord_faces: vec![[0, 1, 2], [3, 4, 0], [1, 1, 2], [4, 4, 4]],
            texcoord_lines: vec![vec![0, 4]],
            poly_faces: vec![0, 1, 3, 2],
            poly_face_sizes: vec![4],
            poly_texcoord_faces: vec![0, 1, 2, 3],
            ..MeshParts::default()
        })
        .unwrap(),
    ));
    let index = (0..N_VERTICES as u32 * 5).map(|at| at % 6).collect();
    let mut weights = random.singles(N_VERTICES * 5);
    // A column without weight in the middle, a vertex without any.
    weights
        .iter_mut()
        .skip(1)
        .step_by(5)
        .for_each(|weight| *weight = 0.0);
    weights[10..15].fill(0.0);
    parts.skin_weights = Some(Arc::new(
        SkinWeights::new(5, index, reals(weights)).unwrap(),
    ));
    let shapes = vec!["fat".to_owned(), "fat".to_owned()];
    let deltas = reals(random.singles(6 * N_VERTICES));
    parts.blend_shape = Some(Arc::new(BlendShape::new(shapes, vertices, deltas).unwrap()));
    let deltas = reals(random.singles(3 * N_VERTICES));
    let face = BlendShapeBase::new(vec!["smile".into()], N_VERTICES, deltas).unwrap();
    parts.face_expression = Some(Arc::new(face));
    let pose = PoseShape::new(
        reals(random.singles(3 * N_VERTICES)),
        reals(random.singles(24 * N_VERTICES)),
        1,
        random.turn(),
        vec![3, 2],
    );
    parts.pose_shape = Some(Arc::new(pose.unwrap()));
    let mut locator = Locator::new("l", 3, random.three());
    locator.locked = [true, false, true];
    locator.weight = 0.3;
    locator.limit_origin = random.three();
    locator.limit_weight = random.three();
    locator.attached_to_skin = true;
    locator.skin_offset = 0.123;
    parts.locators = Arc::new(vec![locator, Locator::new("first", 0, random.three())]);
    let solid = |parent, transformation, shape| CollisionGeometry {
        parent,
        transformation,
        shape,
    };
    let mut sheared = random.rigid();
    sheared[1] += 0.5;
    parts.collision_geometry = Arc::new(vec![
        solid(
            Some(5),
            random.rigid(),
            CollisionShape::TaperedCapsule {
                radius: [0.1, 0.07],
                length: 0.3,
            },
        ),
        solid(
            None,
            random.rigid(),
            CollisionShape::Box {
                half_extents: [0.1, 0.2, 0.7],
            },
        ),
        solid(
            Some(0),
            sheared,
            CollisionShape::Ellipsoid {
                radii: [0.1, 0.2, 0.7],
            },
        ),
    ]);
    parts.parameter_limits = Arc::new(limits(&mut random));
    parts.inverse_bind_pose = Arc::new((0..6).map(|_| random.rigid()).collect());
    let mut nose = SkinnedLocator::new("nose", vec![1, 2], vec![0.7, 0.2], random.three()).unwrap();
    nose.skin_offset = f64::INFINITY;
    let chin = SkinnedLocator::new("chin", vec![0], vec![1.0], random.three()).unwrap();
    parts.skinned_locators = Arc::new(vec![nose, chin]);
    let body = |joint: usize, mass| JointPhysicalProperties {
        mass,
        center_of_mass_offset: [0.1, 0.2, 0.3],
        inertia: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        joint_index: Some(joint),
        ..JointPhysicalProperties::default()
    };
    parts.physical_properties = Arc::new(vec![body(2, 1.5), body(1, 0.0), body(2, 0.1)]);
    let bounds = [[-0.1, 0.0, 0.1], [1.0, 1.1, 1.2]];
    let values = reals(random.singles(24));
    let field = Arc::new(SignedDistanceField::new(bounds, [2, 3, 4], values).unwrap());
    let collider = |random: &mut Random, parent, field| {
        SdfCollider::new(random.three(), random.turn(), parent, field).unwrap()
    };
    parts.sdf_colliders = Arc::new(vec![
        collider(&mut random, Some(4), Some(field.clone())),
        collider(&mut random, None, Some(field)),
        collider(&mut random, None, None),
    ]);
    Character::new(parts).unwrap()
}

fn limits(random: &mut Random) -> Vec<ParameterLimit> {
    let kinds = vec![
        LimitKind::MinMax {
            parameter: 0,
            range: [-0.1, 0.7],
        },
        LimitKind::MinMax {
            parameter: 1,
            range: [f64::NEG_INFINITY, 0.7],
        },
        LimitKind::MinMaxJoint {
            joint: 3,
            joint_parameter: 1,
            range: [-0.1, 0.2],
        },
        LimitKind::MinMaxJointPassive {
            joint: 2,
            joint_parameter: 4,
            range: [-0.1, 0.2],
        },
        LimitKind::Linear {
            reference: 0,
            target: 3,
            scale: 0.1,
            offset: 0.3,
            range: [-0.3, f64::INFINITY],
        },
        LimitKind::LinearJoint {
            reference: [1, 3],
            target: [2, 0],
            scale: 0.1,
            offset: 0.3,
            range: [0.0, 0.0],
        },
        LimitKind::HalfPlane {
            parameters: [0, 3],
            normal: [0.6, 0.8],
            offset: 0.1,
        },
        LimitKind::Ellipsoid {
            ellipsoid_parent: 1,
            parent: 5,
            offset: random.three(),
            ellipsoid: random.rigid(),
        },
    ];
    let weights = kinds
        .into_iter()
        .map(|kind| ParameterLimit { kind, weight: 0.3 });
    weights.collect()
}

/// Four materials, one of them unused, two with the same picture.
fn materials() -> Vec<Material> {
    let picture = Arc::new(Picture {
        name: "skin".into(),
        mime_type: "image/png".into(),
        bytes: vec![0x89, b'P', b'N', b'G', 1, 2, 3],
    });
    let plain = Material {
        name: "plain".into(),
        base_color: [0.1, 0.2, 0.3, 0.4],
        metallic: 0.7,
        roughness: 0.3,
        is_double_sided: true,
        ..Material::default()
    };
    let textured = Material {
        base_color_texture: Some(picture.clone()),
        ..Material::default()
    };
    let lamp = Material {
        name: "lamp".into(),
        emissive: [0.1, 5.3, 0.0],
        base_color_texture: Some(picture),
        ..Material::default()
    };
    vec![plain, textured, lamp, Material::default()]
}

fn options(unit: Unit) -> LoadOptions {
    LoadOptions {
        unit,
        ..LoadOptions::default()
    }
}

fn loaded(saved: &Saved, unit: Unit) -> Character {
    let bytes = saved.clone().into_bytes();
    let source = Source::from_bytes(&bytes);
    let loaded = gltf::load_character(&source, &options(unit)).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    loaded.value
}

/// Part by part, so that a failure names the part.
fn assert_same(got: &Character, wanted: &Character) {
    macro_rules! same {
        ($($part:ident)*) => {$(
            assert!(got.$part == wanted.$part, stringify!($part));
        )*};
    }
    same!(name unit skeleton parameter_transform parameter_limits);
    same!(locators collision_geometry metadata skinned_locators physical_properties);
    same!(inverse_bind_pose mesh skin_weights blend_shape face_expression pose_shape sdf_colliders);
    let dtype = |character: &Character| character.mesh.as_ref().map(|mesh| mesh.vertices.dtype());
    assert_eq!(dtype(got), dtype(wanted));
}

#[test]
fn every_part_of_a_character_comes_back_exactly() {
    for unit in [Unit::Meter, Unit::Centimeter, Unit::Millimeter] {
        for double in [false, true] {
            let character = everything(unit, double);
            for text in [false, true] {
                let save = SaveOptions {
                    text,
                    ..SaveOptions::default()
                };
                let saved = gltf::save_character(&character, &save, &Extras::default()).unwrap();
                assert_eq!(saved.warnings, Vec::<String>::new());
                assert_same(&loaded(&saved, unit), &character);
            }
        }
    }
}

#[test]
fn parts_that_are_not_asked_for_are_not_there() {
    let character = everything(Unit::Meter, false);
    let none = SaveOptions {
        mesh: false,
        locators: false,
        collisions: false,
        ..SaveOptions::default()
    };
    let saved = gltf::save_character(&character, &none, &Extras::default()).unwrap();
    let without = loaded(&saved, Unit::Meter);
    assert!(without.mesh.is_none() && without.blend_shape.is_none());
    assert!(without.locators.is_empty() && without.collision_geometry.is_empty());
    assert_eq!(without.skeleton, character.skeleton);
    assert_eq!(without.inverse_bind_pose, character.inverse_bind_pose);

    let plain = SaveOptions {
        extensions: false,
        ..SaveOptions::default()
    };
    let saved = gltf::save_character(&character, &plain, &Extras::default()).unwrap();
    assert!(
        !saved
            .clone()
            .into_bytes()
            .windows(11)
            .any(|word| word == b"FB_momentum")
    );
    let scene = load_scene(
        &Source::from_bytes(&saved.clone().into_bytes()),
        &options(Unit::Meter),
    )
    .unwrap();
    // A piece for each of the three materials that are seen.
    let read = scene.character.mesh.as_ref().unwrap();
    let written = character.mesh.as_ref().unwrap().vertices.as_f32();
    assert_eq!(read.vertices.as_f32(), [written; 3].concat());
}

#[test]
fn a_changed_node_counts_more_than_what_it_was_when_it_was_written() {
    let character = everything(Unit::Meter, false);
    let text = SaveOptions {
        text: true,
        ..SaveOptions::default()
    };
    let saved = gltf::save_character(&character, &text, &Extras::default()).unwrap();
    let mut document: serde_json::Value =
        serde_json::from_slice(&saved.clone().into_bytes()).unwrap();
    document["nodes"][2]["translation"] = serde_json::json!([1, 2, 3]);
    let bytes = document.to_string().into_bytes();
    let changed = gltf::load_character(&Source::from_bytes(&bytes), &options(Unit::Meter)).unwrap();
    let joints = changed.value.skeleton.joints();
    assert_eq!(joints[1].translation_offset, [1.0, 2.0, 3.0]);
    assert_eq!(joints[2], character.skeleton.joints()[2]);
}

#[test]
fn a_bare_skeleton_and_a_bare_mesh_come_back() {
    let mut parts = everything(Unit::Meter, false).parts();
    parts.skin_weights = None;
    let unbound = Character::new(parts.clone()).unwrap();
    let saved =
        gltf::save_character(&unbound, &SaveOptions::default(), &Extras::default()).unwrap();
    assert_same(&loaded(&saved, Unit::Meter), &unbound);
    let bare = CharacterParts::new(
        "bare",
        (*parts.skeleton).clone(),
        (*parts.parameter_transform).clone(),
    );
    for character in [bare, CharacterParts::empty("nothing")] {
        let character = Character::new(character).unwrap();
        let saved = gltf::save_character(&character, &SaveOptions::default(), &Extras::default());
        assert_same(&loaded(&saved.unwrap(), Unit::Meter), &character);
    }
}

fn motion(unit: Unit, is_single: bool) -> Motion {
    let character = everything(unit, false);
    let mut random = Random(3);
    let count = character.parameter_transform.len();
    let poses = (0..20 * count).map(|_| match is_single {
        true => f64::from(random.next() as f32),
        false => random.next(),
    });
    let poses = poses.collect();
    let identity = (0..42).map(|_| random.next()).collect();
    let stamps = (0..20).map(|frame| (1 << 60) + frame).collect();
    let mut motion = Motion::new("walk", character, 59.94, poses, identity, stamps).unwrap();
    motion.is_single = is_single;
    motion
}

#[test]
fn motion_comes_back_bit_by_bit() {
    for unit in [Unit::Meter, Unit::Centimeter] {
        for is_single in [true, false] {
            let mut motion = motion(unit, is_single);
            if !is_single {
                motion.times.iter_mut().for_each(|time| *time += 0.1);
            }
            let saved = gltf::save_motion(&motion, &SaveOptions::default(), &Extras::default());
            let bytes = saved.unwrap().into_bytes();
            let choice = MotionChoice::default();
            let back = gltf::load_motion(&Source::from_bytes(&bytes), &options(unit), &choice);
            let back = back.unwrap().value;
            assert_same(&back.character, &motion.character);
            let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&back.model_parameters), bits(&motion.model_parameters));
            assert_eq!(bits(&back.identity), bits(&motion.identity));
            assert_eq!(bits(&back.times), bits(&motion.times));
            assert_eq!((back.fps, back.is_single), (motion.fps, is_single));
            assert_eq!(
                (back.name, back.timestamps),
                (motion.name, motion.timestamps)
            );
        }
    }
}

#[test]
fn the_animation_shows_what_the_parameters_say() {
    let motion = motion(Unit::Centimeter, true);
    let saved = gltf::save_motion(&motion, &SaveOptions::default(), &Extras::default()).unwrap();
    let scene = load_scene(
        &Source::from_bytes(&saved.clone().into_bytes()),
        &options(Unit::Centimeter),
    )
    .unwrap();
    let clip = &scene.clips[0];
    let states = clip.skeleton_states(&clip.frame_times(59.94).unwrap());
    let joints = motion.joint_parameters();
    assert_eq!(states.len() / 8, joints.len() / 7);
    for (pose, states) in joints.chunks(42).zip(states.chunks(48)) {
        let worlds = crate::common::posed(&motion.character, pose);
        for (world, state) in worlds.iter().zip(states.chunks(8)) {
            let error = (world - crate::common::state_matrix(state)).amax();
            assert!(error < 1e-5 * world.amax().max(1.0), "{error}");
        }
    }
    let weights = clip.morph_weights(&clip.frame_times(59.94).unwrap());
    let wanted = motion
        .model_parameters
        .chunks(motion.character.parameter_transform.len());
    for (pose, weights) in wanted.zip(weights.chunks(2)) {
        assert_eq!(pose[4..6], *weights);
    }
    // The same from states.
    let flat: Vec<f64> = clip.skeleton_states(&clip.frame_times(59.94).unwrap());
    let saved = gltf::save_skeleton_states(
        &motion.character,
        59.94,
        Values::Double(&flat),
        &SaveOptions::default(),
        &Extras::default(),
    );
    let bytes = saved.unwrap().into_bytes();
    let again = load_scene(&Source::from_bytes(&bytes), &options(Unit::Centimeter)).unwrap();
    assert!(again.motion.is_none());
    let clip = &again.clips[0];
    for (got, wanted) in clip
        .skeleton_states(&clip.frame_times(59.94).unwrap())
        .iter()
        .zip(&flat)
    {
        assert!((got - wanted).abs() < 1e-4, "{got} {wanted}");
    }
}

#[test]
fn markers_come_back_with_those_that_were_hidden() {
    let marker = |name: &str, at: f64, occluded| Marker {
        name: name.into(),
        pos: [at, 0.1, 1.0 / 3.0],
        occluded,
        confidence: 0.7,
    };
    let frames = [
        vec![marker("a", 0.1, false), marker("b", 0.2, true)],
        vec![],
        vec![marker("b", 0.3, false), marker("c", 0.2, true)],
        vec![],
    ];
    let frames: Vec<Vec<&Marker>> = frames.iter().map(|frame| frame.iter().collect()).collect();
    let sequence =
        |name: &str, fps| MarkerSequence::from_frames(name.into(), fps, &frames).unwrap();
    for unit in [Unit::Meter, Unit::Millimeter] {
        let markers = Markers {
            sequences: vec![sequence("one", 100.0), sequence("two", 59.94)],
            unit,
        };
        let saved = gltf::save_markers(&markers, false, &Extras::default()).unwrap();
        let bytes = saved.clone().into_bytes();
        let source = Source::from_bytes(&bytes);
        let back = gltf::load_markers(&source, &options(unit)).unwrap().value;
        assert_eq!(back, markers);
    }
}

#[test]
fn a_scene_of_several_things_is_put_together() {
    let character = everything(Unit::Centimeter, false);
    let mut builder = Builder::new(30.0).unwrap();
    let turn = [0.0, 1.0, 0.0, 0.0];
    let all = SaveOptions::default();
    builder
        .add_character(&character, [100.0, 0.0, 0.0], turn, &all)
        .unwrap();
    let other = everything(Unit::Meter, true);
    builder.add_character(&other, [0.0; 3], turn, &all).unwrap();
    let mesh = other.mesh.as_ref().unwrap();
    builder.add_mesh(mesh, "ground", true, Unit::Meter).unwrap();
    let names = ["bend".to_owned(), "unknown".to_owned()];
    let motion = MotionToWrite {
        names: &names,
        values: Values::Single(&[0.1, 0.2, 0.3, 0.4]),
        ..MotionToWrite::default()
    };
    builder
        .add_motion(&character, 30.0, &motion, true, "bending")
        .unwrap();
    builder
        .add_motion(&other, 30.0, &motion, true, "other")
        .unwrap();
    let marker = Marker {
        name: "m".into(),
        pos: [0.0; 3],
        occluded: false,
        confidence: 1.0,
    };
    let cube = MarkerMesh::UnitCube;
    let frames = [vec![&marker]];
    let sequence = MarkerSequence::from_frames("seen".into(), 30.0, &frames).unwrap();
    builder
        .add_marker_sequence(&sequence, Unit::Meter, cube, "seen")
        .unwrap();
    assert_eq!(builder.warnings().len(), 2);
    let bytes = builder.to_bytes(Container::Binary).unwrap();
    let scene = load_scene(&Source::from_bytes(&bytes), &options(Unit::Centimeter)).unwrap();
    assert_same(&scene.character, &character);
    assert_eq!(
        scene.warnings[0],
        "the file has 2 characters; the first one is read"
    );
    let motion = scene.motion.unwrap();
    assert_eq!(motion.poses, [0.1_f32, 0.2, 0.3, 0.4].map(f64::from));
    let clips: Vec<&str> = scene.clips.iter().map(|clip| clip.name()).collect();
    assert_eq!(clips, ["bending", "other", "seen"]);
}

#[test]
fn every_file_that_loads_survives_being_saved() {
    let Some(data) = shared_data() else {
        return;
    };
    let mut count = 0;
    for path in files_below(&data.join("gltf"), &["gltf", "glb", "vrm"]) {
        let Ok(source) = Source::open(&path) else {
            continue;
        };
        let Ok(first) = gltf::load_character(&source, &LoadOptions::default()) else {
            continue;
        };
        let saved = gltf::save_character(&first.value, &SaveOptions::default(), &Extras::default());
        let saved = saved.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let back = gltf::load_character(
            &Source::from_bytes(&saved.clone().into_bytes()),
            &LoadOptions::default(),
        );
        let back = back.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        eprintln!("{}", path.display());
        assert_same(&back.value, &first.value);
        let choice = MotionChoice::default();
        if let Ok(motion) = gltf::load_motion(&source, &LoadOptions::default(), &choice) {
            let saved =
                gltf::save_motion(&motion.value, &SaveOptions::default(), &Extras::default());
            let saved = saved
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                .into_bytes();
            let back = gltf::load_motion(
                &Source::from_bytes(&saved),
                &LoadOptions::default(),
                &choice,
            );
            let back = back.unwrap().value;
            let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
            assert_eq!(
                single(&back.model_parameters),
                single(&motion.value.model_parameters)
            );
            assert_eq!(back.times, motion.value.times);
        }
        count += 1;
    }
    assert!(count > 50, "{count} files");
}

#[test]
fn damaged_files_of_ours_are_refused_or_read() {
    let motion = motion(Unit::Centimeter, false);
    let text = SaveOptions {
        text: true,
        ..SaveOptions::default()
    };
    for save in [SaveOptions::default(), text] {
        let bytes = gltf::save_motion(&motion, &save, &Extras::default())
            .unwrap()
            .into_bytes();
        let read = |bytes: &[u8]| {
            let source = Source::from_bytes(bytes);
            let choice = MotionChoice::default();
            drop(gltf::load_motion(&source, &LoadOptions::default(), &choice));
            drop(gltf::load_markers(&source, &LoadOptions::default()));
        };
        let mut random = Random(5);
        let mut place = |count: usize| ((random.next() + 1.0) / 2.0 * count as f64) as usize;
        for _ in 0..60 {
            read(&bytes[..place(bytes.len())]);
            let mut damaged = bytes.clone();
            for _ in 0..3 {
                let at = place(bytes.len());
                damaged[at] = place(256) as u8;
            }
            read(&damaged);
        }
    }
}
