//! Triangles of a mesh that cross each other.

use super::boxes::{BLOCK, BoxTree, Place};
use super::triangles::{bounds, corners, places};
use crate::math::Vector;
use robust::{Coord3D, orient3d};

/// The pairs of triangles that cross, each as its two indices in ascending order; the pairs in ascending
/// order. Exact: signs of volumes are computed without rounding errors.
///
/// Two triangles cross where an edge of one passes through the other, from one side to the other.
/// Triangles that only touch, or lie in one plane, do not cross; neighbours across an edge never do;
/// triangles that share one corner do where they cross elsewhere.
#[must_use]
pub fn self_intersections(vertices: &[f64], faces: &[[u32; 3]]) -> Vec<[u32; 2]> {
    let mut places = places(vertices, faces);
    let of = |place: &Place<f64, 3>| bounds(&corners(vertices, faces[place.index as usize]));
    let tree = BoxTree::new(&mut places, of);
    let around: Vec<_> = places.iter().map(of).collect();
    let mut found = Vec::new();
    let range = |leaf: usize| leaf * BLOCK..((leaf + 1) * BLOCK).min(places.len());
    tree.pairs(|a, b| {
        for one in range(a) {
            for other in range(b).filter(|&other| a != b || other > one) {
                if !around[one].meets(&around[other]) {
                    continue;
                }
                let pair = [places[one].index, places[other].index];
                let [one, other] = pair.map(|index| faces[index as usize]);
                if cross(vertices, one, other) || cross(vertices, other, one) {
                    found.push([pair[0].min(pair[1]), pair[0].max(pair[1])]);
                }
            }
        }
    });
    found.sort_unstable();
    found
}

/// Whether an edge of `one` passes through `other`.
fn cross(vertices: &[f64], one: [u32; 3], other: [u32; 3]) -> bool {
    let shared = |vertex: &u32| other.contains(vertex);
    if one.iter().filter(|&vertex| shared(vertex)).count() > 1 {
        return false;
    }
    let triangle = corners(vertices, other);
    let tips = corners(vertices, one);
    (0..3).any(|at| {
        let next = (at + 1) % 3;
        // An edge from the shared corner meets the other triangle there, and nowhere else if not in
        // its plane.
        !shared(&one[at]) && !shared(&one[next]) && passes(tips[at], tips[next], &triangle)
    })
}

/// Whether the way from `p` to `q` leads through the triangle, its edges included, from one side to the
/// other.
fn passes(p: Vector<f64>, q: Vector<f64>, [a, b, c]: &[Vector<f64>; 3]) -> bool {
    let (start, end) = (side(*a, *b, *c, p), side(*a, *b, *c, q));
    if !(start < 0.0 && end > 0.0 || start > 0.0 && end < 0.0) {
        return false;
    }
    let turns = [side(p, q, *a, *b), side(p, q, *b, *c), side(p, q, *c, *a)];
    turns.iter().all(|&turn| turn >= 0.0) || turns.iter().all(|&turn| turn <= 0.0)
}

/// A number with the sign of the volume of a tetrahedron.
fn side(a: Vector<f64>, b: Vector<f64>, c: Vector<f64>, d: Vector<f64>) -> f64 {
    let point = |[x, y, z]: Vector<f64>| Coord3D { x, y, z };
    orient3d(point(a), point(b), point(c), point(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAT: [f64; 9] = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn with(more: &[f64], faces: &[[u32; 3]]) -> Vec<[u32; 2]> {
        let vertices = [&FLAT[..], more].concat();
        self_intersections(&vertices, faces)
    }

    #[test]
    fn what_passes_through_crosses_and_what_touches_does_not() {
        let two = [[0, 1, 2], [3, 4, 5]];
        let through = [0.2, 0.2, -1.0, 0.3, 0.2, 1.0, 0.2, 0.3, 1.0];
        assert_eq!(with(&through, &two), [[0, 1]]);
        let touching = [0.1, 0.1, 0.0, 1.0, 0.1, 1.0, 0.1, 1.0, 1.0];
        assert_eq!(with(&touching, &two), [[0_u32; 2]; 0]);
        let in_the_plane = [0.1, 0.1, 0.0, 1.0, 0.1, 0.0, 0.1, 1.0, 0.0];
        assert_eq!(with(&in_the_plane, &two), [[0_u32; 2]; 0]);
        let above = [0.2, 0.2, 1e-300, 0.3, 0.2, 1.0, 0.2, 0.3, 1.0];
        assert_eq!(with(&above, &two), [[0_u32; 2]; 0]);
        // A millionth of a millionth of a millionth of a hair through it.
        let barely = [0.2, 0.2, -1e-300, 0.3, 0.2, 1.0, 0.2, 0.3, 1.0];
        assert_eq!(with(&barely, &two), [[0, 1]]);
    }

    #[test]
    fn a_shared_corner_is_no_crossing_by_itself() {
        let (through, beside) = (
            [0.5, 0.4, -1.0, 0.5, 0.4, 1.0],
            [-0.5, -0.4, -1.0, -0.5, -0.4, 1.0],
        );
        assert_eq!(with(&through, &[[0, 1, 2], [0, 3, 4]]), [[0, 1]]);
        assert_eq!(with(&beside, &[[0, 1, 2], [0, 3, 4]]), [[0_u32; 2]; 0]);
        assert_eq!(
            with(&[0.2, 0.9, 0.0], &[[0, 1, 2], [0, 1, 3]]),
            [[0_u32; 2]; 0]
        );
        assert_eq!(with(&[], &[[0, 1, 2], [0, 1, 2]]), [[0_u32; 2]; 0]);
    }

    #[test]
    fn the_tree_finds_every_pair_that_trying_all_finds() {
        let mut seed = 5_u64;
        let mut random = |size: f64| {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            size * ((seed >> 40) as f64 / (1_u64 << 23) as f64 - 1.0)
        };
        let mut vertices = Vec::new();
        for _ in 0..700 {
            let middle: [f64; 3] = std::array::from_fn(|_| random(1.0));
            for _ in 0..3 {
                vertices.extend(middle.map(|x| x + random(0.4)));
            }
        }
        vertices[100] = f64::NAN;
        let faces: Vec<[u32; 3]> = (0..700).map(|f| [3 * f, 3 * f + 1, 3 * f + 2]).collect();
        let mut all = Vec::new();
        for a in 0..700_u32 {
            for b in a + 1..700 {
                let (one, other) = (faces[a as usize], faces[b as usize]);
                if cross(&vertices, one, other) || cross(&vertices, other, one) {
                    all.push([a, b]);
                }
            }
        }
        assert!(all.len() > 100);
        assert_eq!(self_intersections(&vertices, &faces), all);
    }
}
