//! A file written by PyMomentum 0.1.114, against what PyMomentum itself reads from it.

use crate::common::{assert_close, flat, load, posed, skinned};
use kinarray::character::{CollisionShape, LimitKind, Unit};
use kinarray::io::LoadOptions;
use kinarray::io::gltf::LoadedScene;
use nalgebra::Quaternion;
use serde_json::Value;

fn hero(unit: Unit) -> LoadedScene {
    let options = LoadOptions {
        unit,
        ..LoadOptions::default()
    };
    load(include_bytes!("../data/momentum_hero.glb"), &options).unwrap()
}

fn reference() -> Value {
    serde_json::from_str(include_str!("../data/momentum_hero.json")).unwrap()
}

#[test]
fn the_parameter_transform_and_the_motion_are_those_that_were_saved() {
    let (scene, wanted) = (hero(Unit::Centimeter), reference());
    assert_eq!(scene.warnings, Vec::<String>::new());
    let character = &scene.character;
    assert_eq!(character.name, "hero");
    let joints = character.skeleton.joints();
    let names: Vec<&str> = joints.iter().map(|joint| joint.name.as_str()).collect();
    assert_eq!(names, ["root", "spine", "hand", "foot"]);
    assert_eq!(joints[2].parent, Some(1));
    assert_close(
        "offset",
        &joints[0].translation_offset,
        &[1.0, 90.0, 2.0],
        1e-5,
    );

    let transform = &character.parameter_transform;
    assert_eq!(serde_json::json!(transform.names()), wanted["names"]);
    assert_close(
        "transform",
        &transform.to_dense(),
        &flat(&wanted["T"]),
        1e-9 * 90.0,
    );
    let upper = &transform.parameter_sets()["upper"];
    assert_eq!(*upper, [false, false, true, false, true, false, false]);
    assert_eq!(character.metadata, r#"{"a": 1}"#);

    let motion = scene.motion.as_ref().unwrap();
    assert_eq!(motion.fps, 60.0);
    assert_eq!(motion.n_frames(), 5);
    assert_eq!(motion.parameter_names, transform.names());
    // Bit for bit what was saved: the reference prints nine digits, which determine a float.
    let single = |values: &[f64]| -> Vec<f32> { values.iter().map(|&x| x as f32).collect() };
    assert_eq!(single(&motion.poses), single(&flat(&wanted["motion"])));
    assert_eq!(single(&motion.offsets), single(&flat(&wanted["identity"])));
}

/// Frames of the motion, posed by the independent kinematics of these tests.
fn check_poses(unit: Unit, per_centimeter: f64) {
    let (scene, wanted) = (hero(unit), reference());
    let character = &scene.character;
    let transform = &character.parameter_transform;
    let motion = scene.motion.as_ref().unwrap();
    let dense = transform.to_dense();
    let rest: Vec<f64> = character
        .blend_shape
        .as_ref()
        .unwrap()
        .base()
        .iter()
        .collect();
    for (frame, parameters) in motion.poses.chunks(transform.len()).enumerate() {
        let joint_parameters: Vec<f64> = dense
            .chunks(transform.len())
            .map(|row| row.iter().zip(parameters).map(|(t, p)| t * p).sum())
            .collect();
        let worlds = posed(character, &joint_parameters);
        for (world, state) in worlds
            .iter()
            .zip(wanted["state"][frame].as_array().unwrap())
        {
            let state = flat(state);
            let place = [0, 1, 2].map(|axis| world[(axis, 3)] / per_centimeter);
            assert_close("position", &place, &state[..3], 2e-4);
            let [x, y, z, w] = [state[3], state[4], state[5], state[6]];
            let turn = nalgebra::UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z));
            let linear = turn.to_rotation_matrix().into_inner() * state[7];
            let error = (world.fixed_view::<3, 3>(0, 0) - linear).amax();
            assert!(error < 1e-5, "{error}");
        }
        let points = skinned(character, &worlds, &rest);
        let points: Vec<f64> = points
            .iter()
            .flatten()
            .map(|x| x / per_centimeter)
            .collect();
        assert_close("points", &points, &flat(&wanted["points"][frame]), 5e-4);
    }
}

#[test]
fn poses_agree_in_centimetres() {
    check_poses(Unit::Centimeter, 1.0);
}

#[test]
fn poses_agree_in_metres() {
    check_poses(Unit::Meter, 0.01);
}

/// The animation that other programs see shows the saved motion with its identity offsets.
#[test]
fn the_baked_animation_is_the_same_motion() {
    let scene = hero(Unit::Centimeter);
    let character = &scene.character;
    let motion = scene.motion.as_ref().unwrap();
    let clip = &scene.clips[0];
    assert_eq!(clip.fps(), 60.0);
    let times = clip.frame_times(60.0).unwrap();
    assert_eq!(times.len(), motion.n_frames());
    let transform = &character.parameter_transform;
    let dense = transform.to_dense();
    let from_clip = clip.joint_parameters(&times);
    for (frame, parameters) in motion.poses.chunks(transform.len()).enumerate() {
        let joint_parameters: Vec<f64> = dense
            .chunks(transform.len())
            .zip(&motion.offsets)
            .map(|(row, offset)| {
                offset + row.iter().zip(parameters).map(|(t, p)| t * p).sum::<f64>()
            })
            .collect();
        let n = joint_parameters.len();
        let wanted = posed(character, &joint_parameters);
        let got = posed(character, &from_clip[frame * n..(frame + 1) * n]);
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).amax() < 2e-4, "{got} {wanted}");
        }
    }
    let weights = clip.morph_weights(&times);
    let saved: Vec<f64> = motion
        .poses
        .chunks(transform.len())
        .flat_map(|row| [row[5], row[6]])
        .collect();
    assert_close("morph weights", &weights, &saved, 1e-6);
}

#[test]
fn limits_locators_and_solids_are_those_that_were_saved() {
    let scene = hero(Unit::Centimeter);
    let character = &scene.character;
    let limits = &character.parameter_limits;
    assert_eq!(limits.len(), 8);
    assert_eq!(limits[0].weight, 0.5);
    let range = [-10.0, 20.0];
    assert_eq!(
        limits[1].kind,
        LimitKind::MinMax {
            parameter: 0,
            range
        }
    );
    let LimitKind::MinMaxJoint {
        joint: 2,
        joint_parameter: 0,
        range,
    } = limits[2].kind
    else {
        panic!("{:?}", limits[2]);
    };
    assert_close("range", &range, &[-3.0, 4.0], 1e-5);
    let LimitKind::Linear {
        reference: 2,
        target: 4,
        scale: 0.5,
        range,
        ..
    } = limits[3].kind
    else {
        panic!("{:?}", limits[3]);
    };
    assert_eq!(range, [-1.0, 1.0]);
    let LimitKind::Linear {
        range: [0.0, 0.0],
        scale,
        ..
    } = limits[4].kind
    else {
        panic!("{:?}", limits[4]);
    };
    assert_close("scale", &[scale], &[0.5], 1e-9);
    assert!(matches!(
        limits[5].kind,
        LimitKind::LinearJoint {
            reference: [1, 3],
            target: [2, 5],
            ..
        }
    ));
    let LimitKind::HalfPlane {
        parameters: [2, 4],
        normal,
        offset,
    } = limits[6].kind
    else {
        panic!("{:?}", limits[6]);
    };
    assert_close(
        "line",
        &[normal[0], normal[1], offset],
        &[0.6, 0.8, 0.14],
        1e-6,
    );
    let LimitKind::Ellipsoid {
        ellipsoid_parent: 1,
        parent: 2,
        offset,
        ellipsoid,
    } = limits[7].kind
    else {
        panic!("{:?}", limits[7]);
    };
    assert_close("offset", &offset, &[1.0, 2.0, 3.0], 1e-5);
    let wanted = [
        2.0, 0.0, 0.0, 7.0, 0.0, 2.0, 0.0, 8.0, 0.0, 0.0, 2.0, 9.0, 0.0, 0.0, 0.0, 1.0,
    ];
    assert_close("ellipsoid", &ellipsoid, &wanted, 1e-5);

    let locator = &character.locators[0];
    assert_eq!((locator.name.as_str(), locator.parent), ("l_marker", 2));
    assert_close("locator", &locator.offset, &[1.0, 2.0, 3.0], 1e-5);
    assert_close("origin", &locator.limit_origin, &[1.0; 3], 1e-9);
    assert_close("pull", &locator.limit_weight, &[0.1, 0.2, 0.3], 1e-6);
    assert_eq!(locator.locked, [true, false, true]);
    assert!(locator.attached_to_skin);
    assert_close(
        "distance",
        &[locator.skin_offset, locator.weight],
        &[0.7, 0.5],
        1e-6,
    );

    let solids = &character.collision_geometry;
    let parents: Vec<_> = solids.iter().map(|solid| solid.parent).collect();
    assert_eq!(parents, [Some(1), Some(2), Some(3)]);
    let CollisionShape::TaperedCapsule { radius, length } = solids[0].shape else {
        panic!("{:?}", solids[0]);
    };
    assert_close(
        "capsule",
        &[radius[0], radius[1], length],
        &[3.0, 4.0, 20.0],
        1e-9,
    );
    let column = [3, 7, 11].map(|at| solids[0].transformation[at]);
    assert_close("capsule's place", &column, &[4.0, 5.0, 6.0], 1e-5);
    assert!(matches!(
        solids[1].shape,
        CollisionShape::Ellipsoid {
            radii: [1.0, 2.0, 3.0]
        }
    ));
    assert!(matches!(
        solids[2].shape,
        CollisionShape::Box {
            half_extents: [4.0, 5.0, 6.0]
        }
    ));
}

#[test]
fn the_mesh_has_its_texture_triangles_and_shapes() {
    let scene = hero(Unit::Meter);
    let mesh = scene.character.mesh.as_ref().unwrap();
    // The marker's own little mesh is for other programs to show.
    assert_eq!(mesh.n_vertices(), 6);
    assert_eq!(mesh.faces, [[0, 1, 2], [2, 1, 3], [0, 4, 5]]);
    assert_eq!(mesh.texcoords.len(), 8);
    assert_eq!(mesh.texcoord_faces, [[0, 1, 2], [2, 1, 3], [0, 1, 3]]);
    assert_eq!(
        scene.character.blend_shape.as_ref().unwrap().names(),
        ["fat", "tall"]
    );
    assert_eq!(
        scene
            .character
            .skin_weights
            .as_ref()
            .unwrap()
            .n_influences(),
        6
    );
}
