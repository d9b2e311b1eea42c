use super::*;
use crate::backend::operations::checks::{Argument, assert_derivatives, forward, jvp, vjp};
use crate::character::{
    Character, CharacterParts, CollisionGeometry, CollisionShape, Joint, ParameterTransform,
    Skeleton,
};

const IDENTITY: [f64; 16] = [
    1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
];

fn solid(parent: Option<usize>, shape: CollisionShape) -> CollisionGeometry {
    CollisionGeometry {
        parent,
        transformation: IDENTITY,
        shape,
    }
}

fn capsule(radius: [f64; 2], length: f64) -> CollisionShape {
    CollisionShape::TaperedCapsule { radius, length }
}

/// A chain of joints far apart along x, with these solids.
fn chain(n_joints: usize, solids: Vec<CollisionGeometry>) -> Arc<Prepared> {
    let joints = (0..n_joints)
        .map(|joint| {
            let parent = joint.checked_sub(1);
            Joint::new(format!("joint{joint}"), parent, [50.0, 0.0, 0.0])
        })
        .collect();
    let skeleton = Skeleton::new(joints).unwrap();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new("chain", skeleton, transform);
    parts.collision_geometry = Arc::new(solids);
    Arc::new(Prepared::new(Arc::new(Character::new(parts).unwrap())))
}

/// Solids of all forms on joints 0, 2 and 4, and one of the world.
fn zoo() -> Arc<Prepared> {
    let mut turned = solid(
        Some(4),
        CollisionShape::Box {
            half_extents: [0.7, 0.9, 1.1],
        },
    );
    turned.transformation = [
        0.36, 0.48, -0.8, 0.1, -0.8, 0.6, 0.0, 0.2, 0.48, 0.64, 0.6, -0.1, 0.0, 0.0, 0.0, 1.0,
    ];
    let ellipsoid = CollisionShape::Ellipsoid {
        radii: [0.8, 1.2, 0.6],
    };
    chain(
        5,
        vec![
            solid(Some(0), capsule([0.9, 0.5], 2.0)),
            solid(Some(2), capsule([0.4, 1.0], 1.5)),
            solid(Some(2), ellipsoid.clone()),
            turned,
            solid(Some(4), ellipsoid),
            solid(None, capsule([1.0, 0.8], 1.0)),
        ],
    )
}

fn states(batch: &[usize], n_joints: usize, seed: u64) -> Argument<f64> {
    let mut shape = batch.to_vec();
    shape.extend([n_joints, 8]);
    let mut states = Argument::<f64>::noise(&shape, seed);
    for state in states.data.chunks_mut(8) {
        state[7] = 1.2 + 0.3 * state[7];
    }
    states
}

/// The segments of two capsules, searched by brute force.
fn by_search(a: [f64; 8], b: [f64; 8]) -> f64 {
    let at = |c: &[f64; 8], t: f64| [c[0] + t * c[3], c[1] + t * c[4], c[2] + t * c[5]];
    let mut best = (f64::INFINITY, 0.0);
    let n = 1000;
    for i in 0..=n {
        for j in 0..=n {
            let (u, v) = (f64::from(i) / f64::from(n), f64::from(j) / f64::from(n));
            let (p, q) = (at(&a, u), at(&b, v));
            let distance = (0..3).map(|c| (p[c] - q[c]).powi(2)).sum::<f64>().sqrt();
            if distance < best.0 {
                let radii = a[6] + u * (a[7] - a[6]) + b[6] + v * (b[7] - b[6]);
                best = (distance, radii - distance);
            }
        }
    }
    best.1.max(0.0)
}

#[test]
fn capsules_overlap_by_their_radii_at_the_closest_points_and_grow_with_their_joint() {
    let prepared = chain(
        3,
        vec![
            solid(Some(0), capsule([0.9, 0.5], 2.0)),
            solid(Some(2), capsule([0.4, 1.0], 1.5)),
        ],
    );
    let operation = CollisionOverlaps { prepared };
    let mut met = 0;
    for seed in 0..12 {
        let states = states(&[], 3, 100 + seed);
        let got = forward(&operation, &[states.view()]).data[0];
        let world = |joint: usize, length: f64, radius: [f64; 2]| {
            let s = &states.data[joint * 8..joint * 8 + 8];
            let q = nalgebra::Quaternion::new(s[6], s[3], s[4], s[5]);
            let x = nalgebra::UnitQuaternion::new_normalize(q) * nalgebra::Vector3::x();
            let x = x * (length * s[7]);
            [
                s[0],
                s[1],
                s[2],
                x.x,
                x.y,
                x.z,
                radius[0] * s[7],
                radius[1] * s[7],
            ]
        };
        let want = by_search(world(0, 2.0, [0.9, 0.5]), world(2, 1.5, [0.4, 1.0]));
        assert!(
            (got - want).abs() < 3e-3,
            "seed {seed}: {got} is not {want}"
        );
        met += usize::from(want > 0.0);
    }
    assert!(met > 3);
}

#[test]
fn spheres_of_any_form_overlap_exactly() {
    let forms = [
        capsule([0.6, 0.6], 0.0),
        CollisionShape::Ellipsoid { radii: [0.6; 3] },
    ];
    for a in &forms {
        for b in &forms {
            let solids = vec![solid(Some(0), a.clone()), solid(Some(2), b.clone())];
            let prepared = chain(3, solids);
            let operation = CollisionOverlaps { prepared };
            let mut states = states(&[], 3, 1);
            states.data[..3].copy_from_slice(&[0.0; 3]);
            states.data[16..19].copy_from_slice(&[0.6, 0.0, 0.8]);
            (states.data[7], states.data[23]) = (1.0, 1.5);
            let got = forward(&operation, &[states.view()]).data;
            assert!((got[0] - 0.5).abs() < 1e-12);
        }
    }
}

#[test]
fn derivatives_agree_with_differences_and_with_each_other() {
    let prepared = zoo();
    let operation = CollisionOverlaps {
        prepared: prepared.clone(),
    };
    assert_eq!(prepared.collision_plan::<f64>().pairs().len(), 13);
    for (seed, batch) in [&[][..], &[1], &[40], &[2, 3], &[0]]
        .into_iter()
        .enumerate()
    {
        let states = states(batch, 5, seed as u64);
        assert_derivatives(&operation, &[states]);
    }
}

#[test]
fn boxes_side_by_side_do_not_overlap() {
    let flat = CollisionShape::Box {
        half_extents: [1.0, 1.0, 0.1],
    };
    let solids = vec![solid(Some(0), flat.clone()), solid(Some(2), flat)];
    let prepared = chain(3, solids);
    let operation = CollisionOverlaps { prepared };
    let depth = |height: f64| {
        let mut states = Argument::<f64>::new(&[3, 8], [0.0; 24]);
        for joint in 0..3 {
            states.data[joint * 8 + 6..joint * 8 + 8].copy_from_slice(&[1.0, 1.0]);
        }
        states.data[16..19].copy_from_slice(&[0.5, 0.5, height]);
        forward(&operation, &[states.view()]).data[0]
    };
    assert!(depth(0.19) > 0.0);
    assert_eq!(depth(0.21), 0.0);
}

#[test]
fn pairs_that_always_touch_are_left_out() {
    let ball = || capsule([1.0, 1.0], 0.0);
    let long = || capsule([1.0, 1.0], 200.0);
    let mut over = solid(Some(3), long());
    // Beside the centres: where centres fall together there is no direction to overlap along.
    (over.transformation[3], over.transformation[7]) = (-200.0, 0.5);
    let solids = vec![
        solid(Some(0), ball()),
        solid(Some(0), ball()),
        solid(Some(1), ball()),
        solid(Some(2), ball()),
        solid(None, ball()),
        solid(None, ball()),
        solid(Some(3), ball()),
        // Reaches over all of them in the rest pose, which counts for those of the character.
        over,
    ];
    let prepared = chain(4, solids);
    let pairs = prepared.collision_plan::<f32>().pairs().to_vec();
    let want = [
        [0, 3],
        [0, 4],
        [0, 5],
        [0, 6],
        [1, 3],
        [1, 4],
        [1, 5],
        [1, 6],
        [2, 4],
        [2, 5],
        [2, 6],
        [3, 4],
        [3, 5],
        [4, 6],
        [4, 7],
        [5, 6],
        [5, 7],
    ];
    assert_eq!(pairs, want);
}

#[test]
fn what_does_not_meet_or_has_no_direction_has_no_derivative() {
    let prepared = chain(
        3,
        vec![
            solid(Some(0), capsule([1.0, 1.0], 0.0)),
            solid(Some(2), capsule([1.0, 1.0], 0.0)),
        ],
    );
    let operation = CollisionOverlaps { prepared };
    for apart in [0.0, 2.5] {
        let mut states = states(&[], 3, 4);
        for joint in [0, 2] {
            let at = [apart * joint as f64, 0.0, 0.0];
            states.data[joint * 8..joint * 8 + 3].copy_from_slice(&at);
        }
        let along = Argument::<f64>::noise(&[3, 8], 5);
        assert_eq!(forward(&operation, &[states.view()]).data, [0.0]);
        let pushed = jvp(&operation, &[states.view()], &[Some(along.view())]);
        assert_eq!(pushed.data, [0.0]);
        let pulled = vjp(&operation, &[states.view()], &Argument::noise(&[1], 6));
        assert_eq!(pulled[0], [0.0; 24]);
    }
}
