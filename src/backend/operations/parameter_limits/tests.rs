use super::super::checks::{Argument, assert_derivatives, forward};
use super::*;
use crate::character::{
    Character, CharacterParts, Joint, LimitKind, ParameterLimit, ParameterTransform, Skeleton, Unit,
};
use crate::error::Result;

/// Three joints in a chain and one beside it; lengths, angles, a scale, and joint 3 driven by nothing.
fn character(limits: Vec<LimitKind>) -> Character {
    let joints = vec![
        Joint::new("root", None, [0.1, 0.2, 0.3]),
        Joint::new("arm", Some(0), [0.5, 0.1, 0.0]),
        Joint::new("hand", Some(1), [0.4, 0.0, 0.2]),
        Joint::new("still", Some(0), [0.0, 0.3, 0.1]),
    ];
    let skeleton = Skeleton::new(joints).unwrap();
    let names = ["tx", "ty", "turn", "bend", "scale_a", "mixed"].map(String::from);
    let entries = [
        (0, 0, 1.0),
        (1, 1, 1.0),
        (5, 2, 1.0),
        (10, 3, 1.0),
        (11, 3, 0.5),
        (11, 2, 0.25),
        (13, 4, 1.0),
        (14, 5, 0.3),
        (17, 5, 1.0),
    ];
    let transform = ParameterTransform::new(names.to_vec(), 4, entries).unwrap();
    let mut parts = CharacterParts::new("", skeleton, transform);
    let with_weights = limits.into_iter().enumerate();
    let limits = with_weights.map(|(at, kind)| ParameterLimit {
        kind,
        weight: 0.5 + at as f64,
    });
    parts.parameter_limits = limits.collect::<Vec<_>>().into();
    Character::new(parts).unwrap()
}

fn every_kind() -> Vec<LimitKind> {
    vec![
        LimitKind::Ellipsoid {
            ellipsoid_parent: 1,
            parent: 2,
            offset: [0.1, -0.2, 0.3],
            ellipsoid: [
                0.3, 0.1, 0.0, 0.05, 0.0, 0.2, -0.1, 0.1, 0.1, 0.0, 0.4, -0.2, 0.0, 0.0, 0.0, 1.0,
            ],
        },
        LimitKind::HalfPlane {
            parameters: [0, 3],
            normal: [0.6, 0.8],
            offset: 2.0,
        },
        LimitKind::LinearJoint {
            reference: [1, 4],
            target: [0, 5],
            scale: -1.5,
            offset: 0.3,
            range: [-3.0, 3.0],
        },
        LimitKind::Linear {
            reference: 1,
            target: 2,
            scale: 0.7,
            offset: -0.2,
            range: [0.0, 0.0],
        },
        LimitKind::MinMaxJoint {
            joint: 1,
            joint_parameter: 4,
            range: [2.0, 3.0],
        },
        LimitKind::MinMaxJointPassive {
            joint: 1,
            joint_parameter: 4,
            range: [2.0, 3.0],
        },
        LimitKind::MinMax {
            parameter: 0,
            range: [-9.0, -3.0],
        },
    ]
}

fn with_limits(character: Character, test: impl FnOnce(Arc<Prepared>, Arc<PreparedLimits>)) {
    let prepared = Arc::new(Prepared::new(Arc::new(character)));
    let limits = prepared.limits().unwrap().clone();
    test(prepared, limits);
}

fn residuals(limits: Vec<LimitKind>, pose: &[f64]) -> Vec<f64> {
    let mut found = Vec::new();
    with_limits(character(limits), |prepared, limits| {
        let op = ParameterLimitResiduals { prepared, limits };
        found = forward(
            &op,
            &[Argument::<f64>::new(&[6], pose.iter().copied()).view()],
        )
        .data;
    });
    found
}

#[test]
fn the_residuals_are_in_the_order_of_their_kinds() {
    with_limits(character(every_kind()), |_, limits| {
        assert_eq!(limits.limits(), [6, 4, 3, 2, 1, 0, 0, 0]);
    });
}

#[test]
fn each_kind_measures_what_it_says() {
    let pose = [0.4, 0.1, 0.5, 0.2, 0.0, 0.0];
    let range = [0.0, 0.3];
    let min_max = LimitKind::MinMax {
        parameter: 0,
        range,
    };
    let joint = LimitKind::MinMaxJoint {
        joint: 1,
        joint_parameter: 4,
        range: [0.5, 1.0],
    };
    // Joint parameter ry of the arm is 0.5 · bend + 0.25 · turn = 0.225.
    let got = residuals(vec![min_max, joint], &pose);
    assert!(
        (got[0] - 0.1).abs() < 1e-15 && (got[1] - 0.275).abs() < 1e-15,
        "{got:?}"
    );
    let line = |range| LimitKind::Linear {
        reference: 1,
        target: 2,
        scale: 2.0,
        offset: 0.3,
        range,
    };
    let lines = vec![line([0.0, 0.0]), line([0.5, 1.0]), line([-1.0, 0.5])];
    let got = residuals(lines, &pose);
    assert!(
        (got[0] - 0.6).abs() < 1e-15 && (got[1] - 0.6).abs() < 1e-15,
        "{got:?}"
    );
    assert_eq!(got[2], 0.0);
    let plane = LimitKind::HalfPlane {
        parameters: [0, 3],
        normal: [0.6, 0.8],
        offset: 1.0,
    };
    assert!((residuals(vec![plane], &pose)[0] + 0.6).abs() < 1e-15);
}

#[test]
fn a_point_on_its_ellipsoid_has_no_residual() {
    let sphere = |radius: f64| {
        let mut ellipsoid = [0.0; 16];
        [0, 5, 10].iter().for_each(|&at| ellipsoid[at] = radius);
        ellipsoid[15] = 1.0;
        LimitKind::Ellipsoid {
            ellipsoid_parent: 0,
            parent: 1,
            offset: [0.0; 3],
            ellipsoid,
        }
    };
    // The arm is at (0.5, 0.1, 0) from the root, whatever the pose of the root.
    let pose = [1.0, 2.0, 0.7, 0.0, 0.0, 0.0];
    let distance = 0.5_f64.hypot(0.1);
    assert!(
        residuals(vec![sphere(distance)], &pose)
            .iter()
            .all(|r| r.abs() < 1e-15)
    );
    let beyond = residuals(vec![sphere(0.2)], &pose);
    let size = beyond.iter().map(|r| r * r).sum::<f64>().sqrt();
    assert!((size - (distance - 0.2)).abs() < 1e-14, "{size}");
}

#[test]
fn derivatives_agree_with_differences_and_with_each_other() {
    with_limits(character(every_kind()), |prepared, limits| {
        let residuals = ParameterLimitResiduals {
            prepared: prepared.clone(),
            limits: limits.clone(),
        };
        let energy = ParameterLimitEnergy { prepared, limits };
        for shape in [&[6][..], &[4, 6], &[2, 3, 6], &[0, 6]] {
            let pose = Argument::noise(shape, 8);
            assert_derivatives(&residuals, std::slice::from_ref(&pose));
            assert_derivatives(&energy, &[pose]);
        }
    });
}

#[test]
fn the_centre_of_an_ellipsoid_has_no_direction_and_finite_derivatives() {
    let mut ellipsoid = [0.0; 16];
    [0, 5, 10, 15].iter().for_each(|&at| ellipsoid[at] = 1.0);
    let centred = LimitKind::Ellipsoid {
        ellipsoid_parent: 1,
        parent: 1,
        offset: [0.0; 3],
        ellipsoid,
    };
    with_limits(character(vec![centred]), |prepared, limits| {
        let op = ParameterLimitResiduals { prepared, limits };
        let pose = Argument::noise(&[6], 9);
        assert_eq!(forward(&op, &[pose.view()]).data, [0.0; 3]);
        assert_derivatives(&op, &[pose]);
    });
}

#[test]
fn limits_that_nothing_can_change_are_idle() -> Result<()> {
    let of_still = LimitKind::MinMaxJoint {
        joint: 3,
        joint_parameter: 0,
        range: [1.0, 2.0],
    };
    assert_eq!(residuals(vec![of_still], &[0.5; 6]), [0.0]);
    let character = character(every_kind());
    let prepared = Arc::new(Prepared::new(Arc::new(character)));
    let enabled = [false, false, true, false, false, false];
    let limits = Arc::new(PreparedLimits::new(prepared.character(), Some(&enabled))?);
    let op = ParameterLimitResiduals { prepared, limits };
    let got = forward(&op, &[Argument::<f64>::noise(&[6], 10).view()]).data;
    let idle: Vec<bool> = got.iter().map(|&r| r == 0.0).collect();
    // MinMax on tx and the half plane of tx and bend; the others feel the turn.
    assert_eq!(idle, [true, false, false, false, true, false, false, false]);
    Ok(())
}

#[test]
fn a_pose_that_is_not_a_number_does_not_keep_its_limits() {
    let got = residuals(every_kind(), &[f64::NAN; 6]);
    assert!(got.iter().all(|r| r.is_nan()), "{got:?}");
}

#[test]
fn the_energy_does_not_depend_on_the_unit() {
    let meters = character(every_kind());
    let lengths = meters.parameter_transform.length_parameters();
    let pose = Argument::<f64>::noise(&[6], 11).data;
    let energy = |unit: Unit| {
        let factor = unit.per_meter();
        let pose = pose.iter().zip(&lengths);
        let pose: Vec<f64> = pose
            .map(|(&x, &length)| if length { x * factor } else { x })
            .collect();
        let mut energy = 0.0;
        with_limits(meters.in_unit(unit), |prepared, limits| {
            let op = ParameterLimitEnergy { prepared, limits };
            energy = forward(&op, &[Argument::<f64>::new(&[6], pose).view()]).data[0];
        });
        energy
    };
    let (meters, centimeters) = (energy(Unit::Meter), energy(Unit::Centimeter));
    assert!(meters > 1.0 && (meters / centimeters - 1.0).abs() < 1e-12);
}
