use std::sync::Arc;

use super::frames;
use crate::character::{
    Character, CharacterParts, CollisionGeometry, CollisionShape, Joint, LimitKind, Locator, Mesh,
    MeshParts, ParameterLimit, ParameterTransform, Skeleton, SkinWeights, Unit,
};

/// `root` carries `arm` and `leg`, `arm` carries `hand`, `hand` carries `thumb`; all of them turned.
fn body() -> CharacterParts {
    let half = std::f64::consts::FRAC_1_SQRT_2;
    let mut joints = vec![
        Joint::new("root", None, [0.0, 1.0, 0.0]),
        Joint::new("arm", Some(0), [0.3, 0.1, 0.0]),
        Joint::new("hand", Some(1), [0.4, 0.0, 0.2]),
        Joint::new("thumb", Some(2), [0.1, 0.2, 0.3]),
        Joint::new("leg", Some(0), [0.1, -0.5, 0.0]),
    ];
    for (at, joint) in joints.iter_mut().enumerate() {
        joint.pre_rotation = match at % 3 {
            0 => [half, 0.0, 0.0, half],
            1 => [0.0, 0.6, 0.0, 0.8],
            _ => [0.5, 0.5, -0.5, 0.5],
        };
    }
    let skeleton = Skeleton::new(joints).unwrap();
    let names = ["root_tx", "arm_rx", "hand_rx", "thumb_rx", "leg_rx", "both"].map(String::from);
    let entries = [
        (0, 0, 1.0),
        (10, 1, 1.0),
        (17, 2, 1.0),
        (24, 3, 1.0),
        (31, 4, 1.0),
    ];
    let both = [(11, 5, 0.5), (25, 5, 0.5)];
    let transform =
        ParameterTransform::new(names.to_vec(), 5, entries.into_iter().chain(both)).unwrap();
    let mut parts = CharacterParts::new("body", skeleton, transform);
    parts.locators = Arc::new(
        (0..5)
            .map(|at| Locator::new(format!("on {at}"), at, [0.1, 0.2, 0.3]))
            .collect(),
    );
    let solid = |parent| CollisionGeometry {
        parent,
        transformation: std::array::from_fn(|at| f64::from(u8::from(at % 5 == 0))),
        shape: CollisionShape::Box {
            half_extents: [1.0; 3],
        },
    };
    parts.collision_geometry = Arc::new(vec![solid(Some(3)), solid(None), solid(Some(4))]);
    let limit = |kind| ParameterLimit { kind, weight: 1.0 };
    let range = [-1.0, 1.0];
    parts.parameter_limits = Arc::new(vec![
        limit(LimitKind::MinMax {
            parameter: 3,
            range,
        }),
        limit(LimitKind::MinMax {
            parameter: 4,
            range,
        }),
        limit(LimitKind::MinMaxJoint {
            joint: 3,
            joint_parameter: 4,
            range,
        }),
        limit(LimitKind::MinMaxJoint {
            joint: 4,
            joint_parameter: 4,
            range,
        }),
    ]);
    let mesh = Mesh::new(MeshParts {
        vertices: (0..6).map(|at| at as f32).collect::<Vec<_>>().into(),
        ..MeshParts::default()
    });
    parts.mesh = Some(Arc::new(mesh.unwrap()));
    let weights = SkinWeights::new(
        3,
        vec![3, 2, 4, 4, 0, 9],
        vec![0.5_f32, 0.25, 0.25, 1.0, 0.0, 0.0].into(),
    );
    parts.skin_weights = Some(Arc::new(weights.unwrap()));
    parts
}

fn character() -> Character {
    Character::new(body()).unwrap()
}

/// Where the locators are at rest, by name.
fn places(of: &Character) -> Vec<(String, [f64; 3])> {
    let world = frames::at_rest(&of.skeleton);
    let locators = of.locators.iter();
    locators
        .map(|locator| {
            (
                locator.name.clone(),
                frames::point(&world[locator.parent], locator.offset),
            )
        })
        .collect()
}

fn names(of: &Character) -> Vec<&str> {
    of.skeleton
        .joints()
        .iter()
        .map(|joint| joint.name.as_str())
        .collect()
}

#[test]
fn what_dropped_joints_carried_stays_where_it_was() {
    let old = character();
    for kept in [&[0][..], &[0, 3], &[0, 2, 4], &[0, 1, 2, 3, 4]] {
        let new = old.simplify_skeleton(kept).unwrap();
        for ((name, want), (_, got)) in places(&old).iter().zip(places(&new)) {
            for axis in 0..3 {
                assert!((want[axis] - got[axis]).abs() < 1e-14, "{kept:?}: {name}");
            }
        }
        let want: Vec<f64> = old.skin_weights.as_ref().unwrap().to_dense(5);
        let got = new.skin_weights.as_ref().unwrap().to_dense(kept.len());
        for (want, got) in want.chunks(5).zip(got.chunks(kept.len())) {
            assert_eq!(want.iter().sum::<f64>(), got.iter().sum::<f64>());
        }
    }
    assert_eq!(old.simplify_skeleton(&[4, 3, 2, 1, 0]).unwrap(), old);
}

#[test]
fn limits_of_dropped_joints_go_and_parameters_stay() {
    let new = character().simplify_skeleton(&[0, 4]).unwrap();
    assert_eq!(new.parameter_transform.len(), 6);
    assert_eq!(new.parameter_limits.len(), 3);
    assert!(matches!(
        new.parameter_limits[2].kind,
        LimitKind::MinMaxJoint { joint: 1, .. }
    ));
    let driven: Vec<usize> = (0..14)
        .flat_map(|row| new.parameter_transform.row(row).map(|(column, _)| column))
        .collect();
    assert_eq!(driven, [0, 4]);
    // The weights of arm, hand and thumb are the root's now, in one place.
    let weights = new.skin_weights.as_ref().unwrap();
    assert_eq!(weights.index()[..3], [0, 1, 0]);
    assert_eq!(weights.weight().as_f32()[..3], [0.75, 0.25, 0.0]);
}

#[test]
fn simplify_keeps_the_joints_of_its_parameters_and_the_roots() {
    let old = character();
    assert_eq!(
        old.joints_for_parameters(&[false, false, false, false, false, true])
            .unwrap(),
        [1, 3]
    );
    let new = old
        .simplify(&[false, false, false, true, false, false])
        .unwrap();
    assert_eq!(names(&new), ["root", "thumb"]);
    assert!(
        old.simplify(&[true])
            .unwrap_err()
            .to_string()
            .contains("1 entries")
    );
    assert_eq!(
        old.parameters_for_joints(&[3]).unwrap(),
        [false, false, false, true, false, true]
    );
    assert!(
        old.parameters_for_joints(&[9])
            .unwrap_err()
            .to_string()
            .contains("joint index 9")
    );
}

#[test]
fn roots_and_strangers_are_refused() {
    let message = |joints: &[usize]| {
        character()
            .simplify_skeleton(joints)
            .unwrap_err()
            .to_string()
    };
    assert!(message(&[]).contains("no joints are enabled"));
    assert!(message(&[1]).contains("joint 'root'"));
    assert!(message(&[0, 7]).contains("joint index 7, but the skeleton has 5 joints"));
}

#[test]
fn stripping_takes_what_the_joints_carry() {
    let new = character().strip_joints(&["hand"]).unwrap();
    assert_eq!(names(&new), ["root", "arm", "leg"]);
    assert_eq!(
        new.parameter_transform.names(),
        ["root_tx", "arm_rx", "leg_rx", "both"]
    );
    assert_eq!(new.locators.len(), 3);
    let parents: Vec<_> = new
        .collision_geometry
        .iter()
        .map(|solid| solid.parent)
        .collect();
    assert_eq!(parents, [None, Some(2)]);
    assert_eq!(new.parameter_limits.len(), 2);
    assert!(matches!(
        new.parameter_limits[0].kind,
        LimitKind::MinMax { parameter: 2, .. }
    ));
    let weights = new.skin_weights.as_ref().unwrap();
    assert_eq!(weights.index()[..2], [1, 2]);
    let message = |joint: &str| character().strip_joints(&[joint]).unwrap_err().to_string();
    assert!(message("root").contains("no joint would be left"));
    assert!(message("wing").contains("no joint 'wing'"));
    assert_eq!(character().strip_joints::<&str>(&[]).unwrap(), character());
}

#[test]
fn coefficients_of_shapes_survive_a_strip() {
    let mut parts = body();
    parts.set_blend_shape_parameters(2).unwrap();
    let old = Character::new(parts).unwrap();
    let new = old.strip_joints(&["arm"]).unwrap();
    assert_eq!(
        new.parameter_transform.blend_shape_columns(),
        [Some(2), Some(3)]
    );
}

#[test]
fn a_vertex_without_a_joint_is_named() {
    let mut parts = body();
    let mut joints = parts.skeleton.joints().to_vec();
    joints.push(Joint::new("prop", None, [0.0; 3]));
    let all: Vec<Option<usize>> = (0..5).map(Some).collect();
    parts.parameter_transform =
        Arc::new(parts.parameter_transform.over_joints(&all, 6, []).unwrap());
    parts.skeleton = Arc::new(Skeleton::new(joints).unwrap());
    let weights = SkinWeights::new(1, vec![0, 5], vec![1.0_f32; 2].into()).unwrap();
    parts.skin_weights = Some(Arc::new(weights));
    let error = Character::new(parts)
        .unwrap()
        .strip_joints(&["prop"])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("vertex 1 is carried by joint 'prop'"),
        "{error}"
    );
}

#[test]
fn a_new_root_has_six_parameters_of_its_own() {
    let node = Joint::new("camera", None, [1.0, 2.0, 3.0]);
    let (new, joint, parameter) = character().add_rigid_transform_node(node).unwrap();
    assert_eq!((joint, parameter), (5, 6));
    assert_eq!(
        new.parameter_transform.names()[6..],
        ["tx", "ty", "tz", "rx", "ry", "rz"].map(|axis| format!("camera_{axis}"))
    );
    for at in 0..6 {
        assert_eq!(
            new.parameter_transform.row(35 + at).collect::<Vec<_>>(),
            [(6 + at, 1.0)]
        );
    }
    assert_eq!(new.parameter_transform.row(41).count(), 0);
    assert_eq!(new.bind_pose().unwrap()[5][3], 1.0);
    let twice = new.add_rigid_transform_node(Joint::new("camera", None, [0.0; 3]));
    assert!(twice.unwrap_err().to_string().contains("same name"));
}

#[test]
fn a_limb_is_replaced_below_its_root() {
    let mut parts = body();
    // The same body with other lengths and names below the hand.
    let mut joints = parts.skeleton.joints().to_vec();
    joints[3].name = "claw".into();
    joints[3].translation_offset = [9.0, 0.0, 0.0];
    joints.swap(3, 4);
    parts.skeleton = Arc::new(Skeleton::new(joints).unwrap());
    let rows: Vec<Option<usize>> = [0, 1, 2, 4, 3].map(Some).to_vec();
    parts.parameter_transform =
        Arc::new(parts.parameter_transform.over_joints(&rows, 5, []).unwrap());
    let source = Character::new(parts).unwrap();
    let target = character();
    let new = Character::replace_skeleton_hierarchy(&source, &target, "hand", "arm").unwrap();
    assert_eq!(names(&new), ["root", "arm", "claw", "leg"]);
    assert_eq!(new.skeleton.joints()[2].parent, Some(1));
    assert_eq!(new.skeleton.joints()[2].translation_offset, [9.0, 0.0, 0.0]);
    // "both" drives the arm here and the claw there: one parameter.
    assert_eq!(
        new.parameter_transform.names(),
        ["root_tx", "arm_rx", "leg_rx", "both", "thumb_rx"]
    );
    assert_eq!(
        new.parameter_transform.row(18).collect::<Vec<_>>(),
        [(3, 0.5)]
    );
    // The new joint's bind pose is its rest pose, seen from where the arm is bound.
    let (bind, rest) = (new.bind_pose().unwrap(), frames::at_rest(&new.skeleton));
    let rest = frames::to_rows(&rest[2].to_homogeneous());
    assert!(bind[2].iter().zip(rest).all(|(a, b)| (a - b).abs() < 1e-12));
    let message = |source: &Character, from, to| {
        let result = Character::replace_skeleton_hierarchy(source, &target, from, to);
        result.unwrap_err().to_string()
    };
    assert!(message(&source, "nose", "arm").contains("no joint 'nose'"));
    assert!(message(&source, "root", "thumb").contains("same name"));
    assert!(message(&source.in_unit(Unit::Millimeter), "hand", "arm").contains("in_unit"));
}

#[test]
fn matrices_that_are_no_motion_are_refused() {
    let message = |change: &[(usize, f64)]| {
        let mut matrix: [f64; 16] = std::array::from_fn(|at| f64::from(u8::from(at % 5 == 0)));
        for &(at, x) in change {
            matrix[at] = x;
        }
        character().transformed(&matrix).unwrap_err().to_string()
    };
    assert!(message(&[(0, -1.0)]).contains("mirrors"));
    assert!(message(&[(0, 2.0)]).contains("unevenly"));
    assert!(message(&[(1, 0.5)]).contains("shears"));
    assert!(message(&[(12, 1.0)]).contains("last row"));
    assert!(message(&[(0, 0.0), (5, 0.0), (10, 0.0)]).contains("positive scale"));
    assert!(message(&[(3, f64::NAN)]).contains("finite"));
}

#[test]
fn a_motion_moves_what_the_joints_carry() {
    // A quarter turn about x, a shift, and twice the size.
    let matrix = [
        2.0, 0.0, 0.0, 1.0, 0.0, 0.0, -2.0, 2.0, 0.0, 2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0,
    ];
    let (old, new) = (character(), character().transformed(&matrix).unwrap());
    for ((name, [x, y, z]), (_, got)) in places(&old).iter().zip(places(&new)) {
        let want = [2.0 * x + 1.0, -2.0 * z + 2.0, 2.0 * y + 3.0];
        assert!(
            want.iter().zip(got).all(|(a, b)| (a - b).abs() < 1e-13),
            "{name}"
        );
    }
    let world = &new.collision_geometry[1].transformation;
    assert_eq!([world[3], world[7], world[11]], [1.0, 2.0, 3.0]);
    assert_eq!(
        new.mesh.as_ref().unwrap().vertices.as_f32()[3..],
        [7.0, -8.0, 11.0]
    );
}

#[test]
fn scales_are_positive() {
    use super::CharacterMassScale::{PreserveDensity, PreserveMass};
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(character().scaled(scale, PreserveMass).is_err(), "{scale}");
    }
    assert_eq!(
        (PreserveMass.factor(2.0), PreserveDensity.factor(2.0)),
        (1.0, 8.0)
    );
}
