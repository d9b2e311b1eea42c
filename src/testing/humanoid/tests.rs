use super::*;
use std::collections::HashMap;

fn vertices(character: &Character) -> Vec<[f64; 3]> {
    let flat = character.mesh.as_ref().unwrap().vertices.as_f64();
    flat.chunks(3).map(|p| [p[0], p[1], p[2]]).collect()
}

#[test]
fn the_skin_is_closed_and_every_triangle_has_an_area() {
    for asked in [500, 2_000, 10_000, 50_000] {
        let character = create_humanoid(asked, Unit::Meter).unwrap();
        let points = vertices(&character);
        let mesh = character.mesh.as_ref().unwrap();
        // The coarsest skin that has all fingers is a little above 500.
        let slack = if asked == 500 { 100 } else { asked / 20 };
        let got = points.len();
        assert!(got.abs_diff(asked) < slack, "asked {asked}, got {got}");
        // Each edge is passed once in each direction: closed, manifold and consistently oriented.
        let mut edges: HashMap<(u32, u32), usize> = HashMap::new();
        let mut used = vec![false; points.len()];
        let mut volume = 0.0;
        for face in &mesh.faces {
            for side in 0..3 {
                *edges.entry((face[side], face[(side + 1) % 3])).or_default() += 1;
                used[face[side] as usize] = true;
            }
            let [a, b, c] = face.map(|at| nalgebra::Vector3::from(points[at as usize]));
            let area = (b - a).cross(&(c - a)).norm() / 2.0;
            assert!(area > 1e-9, "{asked}: triangle {face:?} has area {area}");
            volume += a.dot(&b.cross(&c)) / 6.0;
        }
        assert!(
            edges
                .iter()
                .all(|(&(a, b), &n)| n == 1 && edges.contains_key(&(b, a)))
        );
        assert!(used.iter().all(|&used| used));
        // An adult of 1.75 m has 60 to 85 litres; the sign says that triangles face outwards.
        assert!(
            (0.050..0.085).contains(&volume),
            "{asked}: {volume} cubic metres"
        );
        let (vertices, faces) = (points.len() as i64, mesh.faces.len() as i64);
        assert_eq!(vertices - faces / 2, 2, "one surface without handles");
    }
}

#[test]
fn it_has_the_size_of_an_adult() {
    let points = vertices(&create_humanoid(10_000, Unit::Meter).unwrap());
    let range = |axis: usize| {
        let values = points.iter().map(|p| p[axis]);
        (
            values.clone().fold(f64::MAX, f64::min),
            values.fold(f64::MIN, f64::max),
        )
    };
    let (low, high) = range(1);
    assert!(
        low.abs() < 0.01 && (high - 1.75).abs() < 0.02,
        "{low} to {high}"
    );
    let (left, right) = (range(0).1, -range(0).0);
    assert!(
        (left - right).abs() < 2e-3 && (0.6..0.9).contains(&left),
        "{left} {right}"
    );
}

#[test]
fn weights_sum_to_one_and_blend_over_joints() {
    let character = create_humanoid(10_000, Unit::Meter).unwrap();
    let weights = character.skin_weights.as_ref().unwrap();
    assert_eq!(weights.n_influences(), 8);
    let mut carried = vec![0; character.skeleton.len()];
    let mut most = 0;
    for (joints, shares) in weights
        .index()
        .chunks(8)
        .zip(weights.weight().as_f64().chunks(8))
    {
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        assert!(shares.iter().all(|&share| share >= 0.0));
        most = most.max(shares.iter().filter(|&&share| share > 0.0).count());
        for (&joint, &share) in joints.iter().zip(shares) {
            carried[joint as usize] += usize::from(share > 0.1);
        }
    }
    assert!((6..=8).contains(&most), "{most}");
    // All but the eyes, which have no skin of their own.
    for (joint, count) in character.skeleton.joints().iter().zip(carried) {
        assert!(count > 0 || joint.name.ends_with("eye"), "{}", joint.name);
    }
    // Nothing on the left is carried by the right arm or leg.
    for (at, point) in vertices(&character)
        .iter()
        .enumerate()
        .filter(|(_, p)| p[0] > 0.06)
    {
        for slot in 8 * at..8 * at + 8 {
            let joint = &character.skeleton.joints()[weights.index()[slot] as usize].name;
            let share = weights.weight().as_f64()[slot];
            assert!(
                share < 0.02 || !joint.starts_with("r_"),
                "{joint} at {point:?}"
            );
        }
    }
}

#[test]
fn neighbouring_vertices_have_similar_weights() {
    let character = create_humanoid(20_000, Unit::Meter).unwrap();
    let n_joints = character.skeleton.len();
    let weights = character.skin_weights.as_ref().unwrap();
    let dense = |vertex: u32| {
        let mut row = vec![0.0; n_joints];
        for slot in 8 * vertex as usize..8 * vertex as usize + 8 {
            row[weights.index()[slot] as usize] += weights.weight().as_f64()[slot];
        }
        row
    };
    let points = vertices(&character);
    for face in &character.mesh.as_ref().unwrap().faces {
        let (a, b) = (dense(face[0]), dense(face[1]));
        let change: f64 = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).sum();
        assert!(
            change < 1.0,
            "between {:?} and {:?}: {change}",
            points[face[0] as usize],
            points[face[1] as usize]
        );
    }
}

#[test]
fn units_differ_by_their_factor_exactly() {
    let meters = create_humanoid(500, Unit::Meter).unwrap();
    let centimeters = create_humanoid(500, Unit::Centimeter).unwrap();
    assert_eq!(centimeters.unit, Unit::Centimeter);
    assert!(meters.in_unit(Unit::Centimeter) == centimeters);
    for (a, b) in meters
        .skeleton
        .joints()
        .iter()
        .zip(centimeters.skeleton.joints())
    {
        assert_eq!(
            a.translation_offset.map(|x| x * 100.0),
            b.translation_offset
        );
    }
}

#[test]
fn its_rig_is_complete() {
    let character = create_humanoid(500, Unit::Meter).unwrap();
    let transform = &character.parameter_transform;
    assert_eq!((character.skeleton.len(), transform.len()), (62, 67));
    assert!(character.locators.len() >= 20 && character.collision_geometry.len() >= 20);
    assert_eq!(
        transform
            .scaling_parameters()
            .iter()
            .filter(|&&on| on)
            .count(),
        6
    );
    assert_eq!(
        transform.rigid_parameters(),
        transform.parameter_sets()["rigid"]
    );
    let dense = transform.to_dense();
    let drives = |name: &str| {
        let column = transform.names().iter().position(|n| n == name).unwrap();
        dense
            .iter()
            .skip(column)
            .step_by(transform.len())
            .filter(|&&x| x != 0.0)
            .count()
    };
    assert_eq!(
        [
            drives("l_index_curl"),
            drives("spine_rx"),
            drives("scale_legs")
        ],
        [3, 3, 4]
    );
    for column in transform.names() {
        assert!(drives(column) > 0, "{column}");
    }
    let turned = character
        .skeleton
        .joints()
        .iter()
        .filter(|joint| joint.pre_rotation[3] < 0.99);
    assert!(turned.count() > 10);
}

#[test]
fn the_rest_pose_and_the_walk_keep_the_limits() {
    let character = create_humanoid(500, Unit::Meter).unwrap();
    let poses = walk_cycle(&character, 1000);
    let width = character.parameter_transform.len();
    assert_eq!(poses.len(), 1000 * width);
    for limit in character.parameter_limits.iter() {
        let crate::character::LimitKind::MinMax { parameter, range } = limit.kind else {
            continue;
        };
        assert!(range[0] <= 0.0 && range[1] >= 0.0 && range[0] < range[1]);
        for pose in poses.chunks(width) {
            let name = &character.parameter_transform.names()[parameter];
            assert!(
                (range[0]..=range[1]).contains(&pose[parameter]),
                "{name}: {} not in {range:?}",
                pose[parameter]
            );
        }
    }
    assert_eq!(poses, walk_cycle(&character, 1000));
    assert_ne!(poses[..width], poses[16 * width..17 * width]);
}

#[test]
fn too_few_vertices_are_refused() {
    let message = create_humanoid(100, Unit::Meter).unwrap_err().to_string();
    assert_eq!(message, "n_vertices: expected 500 to 1000000, got 100");
}
