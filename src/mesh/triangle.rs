//! The closest point of a triangle, and its derivatives.

use super::boxes::{max, min};
use crate::math::{Lane, Real, Vector, vector};

/// The barycentric coordinates of the point of a triangle that is closest to a point, and the squared
/// distance. `point` and the edges `ab` and `ac` are seen from corner `a`. On edges and corners the other
/// coordinates are exactly zero. A triangle without area is its edges.
#[inline(always)]
pub fn closest_on_triangle<L: Lane>(point: Vector<L>, ab: Vector<L>, ac: Vector<L>) -> ([L; 3], L) {
    let (zero, one) = (L::zero(), L::one());
    let bc = vector::sub(ac, ab);
    let from_b = vector::sub(point, ab);
    let on_ab = along(point, ab);
    let on_ac = along(point, ac);
    let on_bc = along(from_b, bc);
    let on_edges = closer(
        ([one - on_ab, on_ab, zero], beyond(point, ab, on_ab)),
        ([one - on_ac, zero, on_ac], beyond(point, ac, on_ac)),
    );
    let on_edges = closer(
        on_edges,
        ([zero, one - on_bc, on_bc], beyond(from_b, bc, on_bc)),
    );

    let normal = vector::cross(ab, ac);
    let area = vector::dot(normal, normal);
    let v = vector::dot(vector::cross(point, ac), normal) / area;
    let w = vector::dot(vector::cross(ab, point), normal) / area;
    let u = one - v - w;
    let least = L::select(zero.lt(area), min(u, min(v, w)), -one);
    let rest = vector::scale_add(ac, -w, vector::scale_add(ab, -v, point));
    select(
        least.lt(zero),
        on_edges,
        ([u, v, w], vector::dot(rest, rest)),
    )
}

/// The squared distance of a point to the place `t` of an edge from the origin.
#[inline(always)]
fn beyond<L: Lane>(point: Vector<L>, edge: Vector<L>, t: L) -> L {
    let rest = vector::scale_add(edge, -t, point);
    vector::dot(rest, rest)
}

/// Barycentric coordinates and a squared distance.
type Candidate<L> = ([L; 3], L);

#[inline(always)]
fn closer<L: Lane>(a: Candidate<L>, b: Candidate<L>) -> Candidate<L> {
    select(b.1.lt(a.1), b, a)
}

#[inline(always)]
fn select<L: Lane>(mask: L::Mask, yes: Candidate<L>, no: Candidate<L>) -> Candidate<L> {
    (
        [
            L::select(mask, yes.0[0], no.0[0]),
            L::select(mask, yes.0[1], no.0[1]),
            L::select(mask, yes.0[2], no.0[2]),
        ],
        L::select(mask, yes.1, no.1),
    )
}

/// How far along an edge the closest point is, from 0 to 1; 0 on an edge without length.
#[inline(always)]
fn along<L: Lane>(point: Vector<L>, edge: Vector<L>) -> L {
    let length = vector::dot(edge, edge);
    let t = vector::dot(point, edge) / length;
    let t = L::select(L::zero().lt(length), t, L::zero());
    min(max(t, L::zero()), L::one())
}

/// The corner, edge or face of a triangle that a point is projected to: the corners whose barycentric
/// coordinates are not zero. It is held fixed while derivatives are taken.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// The corners that span it, as many as `count`.
    corners: [usize; 3],
    count: usize,
}

impl Piece {
    /// The piece that barycentric coordinates name.
    pub fn of<T: Real>(barycentric: [T; 3]) -> Self {
        let mut piece = Self {
            corners: [0; 3],
            count: 0,
        };
        for (corner, &share) in barycentric.iter().enumerate() {
            if share != T::ZERO {
                piece.corners[piece.count] = corner;
                piece.count += 1;
            }
        }
        piece
    }

    /// Its edges from the first corner.
    fn edges<T: Real + Lane<Scalar = T>>(&self, triangle: &[Vector<T>; 3]) -> [Vector<T>; 2] {
        let mut edges = [[T::ZERO; 3]; 2];
        for (edge, &corner) in edges.iter_mut().zip(&self.corners[1..self.count.max(1)]) {
            *edge = vector::sub(triangle[corner], triangle[self.corners[0]]);
        }
        edges
    }

    /// The shares of the edges whose sum has the scalar products `with` with them: the solution of the
    /// normal equations, zero where the edges have no extent.
    fn solve<T: Real + Lane<Scalar = T>>(&self, edges: &[Vector<T>; 2], with: [T; 2]) -> [T; 2] {
        let [e, f] = *edges;
        let (ee, ef, ff) = (vector::dot(e, e), vector::dot(e, f), vector::dot(f, f));
        match self.count {
            3 => {
                let normal = vector::cross(e, f);
                let area = vector::dot(normal, normal);
                if area == T::ZERO {
                    return [T::ZERO; 2];
                }
                [
                    (ff * with[0] - ef * with[1]) / area,
                    (ee * with[1] - ef * with[0]) / area,
                ]
            }
            2 if ee != T::ZERO => [with[0] / ee, T::ZERO],
            _ => [T::ZERO; 2],
        }
    }

    /// The point projected to the piece (to the whole line or plane of it), and the coordinates along
    /// its edges. The origin where there is no piece.
    fn coordinates<T: Real + Lane<Scalar = T>>(
        &self,
        point: Vector<T>,
        triangle: &[Vector<T>; 3],
    ) -> ([Vector<T>; 2], [T; 2]) {
        let edges = self.edges(triangle);
        let from = vector::sub(point, triangle[self.corners[0]]);
        let with = edges.map(|edge| vector::dot(edge, from));
        let along = self.solve(&edges, with);
        (edges, along)
    }

    /// The point projected to the piece.
    pub fn project<T: Real + Lane<Scalar = T>>(
        &self,
        point: Vector<T>,
        triangle: &[Vector<T>; 3],
    ) -> Vector<T> {
        if self.count == 0 {
            return [T::ZERO; 3];
        }
        let (edges, along) = self.coordinates(point, triangle);
        let start = triangle[self.corners[0]];
        let first = vector::scale_add(edges[0], along[0], start);
        vector::scale_add(edges[1], along[1], first)
    }

    /// The change of the projected point while the point and the triangle change.
    pub fn push<T: Real + Lane<Scalar = T>>(
        &self,
        point: Vector<T>,
        triangle: &[Vector<T>; 3],
        d_point: Vector<T>,
        d_triangle: &[Vector<T>; 3],
    ) -> Vector<T> {
        if self.count == 0 {
            return [T::ZERO; 3];
        }
        let (edges, along) = self.coordinates(point, triangle);
        let rest = vector::sub(point, self.project(point, triangle));
        let d_edges = self.edges(d_triangle);
        // With the coordinates held: the piece moves under the point. The rest of the change is along
        // the edges, so that what is left between the point and its projection stays across them.
        let mut moved = d_triangle[self.corners[0]];
        for (&d_edge, &t) in d_edges.iter().zip(&along) {
            moved = vector::scale_add(d_edge, t, moved);
        }
        let lag = vector::sub(d_point, moved);
        let with =
            std::array::from_fn(|e| vector::dot(d_edges[e], rest) + vector::dot(edges[e], lag));
        let change = self.solve(&edges, with);
        let first = vector::scale_add(edges[0], change[0], moved);
        vector::scale_add(edges[1], change[1], first)
    }

    /// The cotangents of the point and of the triangle's corners.
    pub fn pull<T: Real + Lane<Scalar = T>>(
        &self,
        point: Vector<T>,
        triangle: &[Vector<T>; 3],
        cotangent: Vector<T>,
    ) -> (Vector<T>, [Vector<T>; 3]) {
        let mut corners = [[T::ZERO; 3]; 3];
        if self.count == 0 {
            return ([T::ZERO; 3], corners);
        }
        let (edges, along) = self.coordinates(point, triangle);
        let rest = vector::sub(point, self.project(point, triangle));
        let with = edges.map(|edge| vector::dot(edge, cotangent));
        let shares = self.solve(&edges, with);
        // The part of the cotangent along the piece goes to the point, the rest to the corners.
        let inside = vector::scale_add(edges[1], shares[1], vector::scale(edges[0], shares[0]));
        let across = vector::sub(cotangent, inside);
        let weights = [T::ONE - along[0] - along[1], along[0], along[1]];
        let turns = [-shares[0] - shares[1], shares[0], shares[1]];
        for at in 0..self.count {
            let of_move = vector::scale(across, weights[at]);
            corners[self.corners[at]] = vector::scale_add(rest, turns[at], of_move);
        }
        (inside, corners)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The closest point by looking at every point of a fine grid over the triangle.
    #[test]
    fn no_point_of_the_triangle_is_closer() {
        let mut seed = 1_u64;
        let mut random = || {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (seed >> 40) as f64 / (1_u64 << 23) as f64 - 1.0
        };
        for round in 0..300 {
            let mut vectors = [[0.0; 3]; 3].map(|v: [f64; 3]| v.map(|_| random()));
            match round % 10 {
                0 => vectors[1] = [0.0; 3],                    // two corners in one place
                1 => vectors[2] = vectors[1].map(|x| x * 0.3), // all on a line
                2 => vectors[0] = vectors[1].map(|x| x * 0.5), // the point is on an edge
                3 => (vectors[1], vectors[2]) = ([0.0; 3], [0.0; 3]),
                _ => {}
            }
            let [point, ab, ac] = vectors;
            let (bary, distance) = closest_on_triangle(point, ab, ac);
            assert!(bary.iter().all(|&b| (0.0..=1.0).contains(&b)));
            assert!((bary.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let apart = |v: f64, w: f64| -> f64 {
                (0..3)
                    .map(|c| (point[c] - v * ab[c] - w * ac[c]).powi(2))
                    .sum()
            };
            assert!((apart(bary[1], bary[2]) - distance).abs() < 1e-12);
            for i in 0..=40 {
                for j in 0..=40 - i {
                    let other = apart(f64::from(i) / 40.0, f64::from(j) / 40.0);
                    assert!(
                        other >= distance - 1e-12,
                        "round {round}: {other} < {distance}"
                    );
                }
            }
        }
    }
}
