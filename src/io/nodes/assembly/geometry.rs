//! Small geometry of positions and normals in single precision.

use nalgebra::{Matrix3, Matrix4, Point3, Vector3};

/// A position through an affine map.
pub(super) fn moved(matrix: &Matrix4<f64>, position: &[f32]) -> [f32; 3] {
    let position = Point3::new(position[0], position[1], position[2]).cast::<f64>();
    matrix
        .transform_point(&position)
        .coords
        .map(|x| x as f32)
        .into()
}

/// The eight corners of the box around some positions.
pub(super) fn corners(positions: &[f32]) -> [Point3<f64>; 8] {
    let mut low = [f64::INFINITY; 3];
    let mut high = [f64::NEG_INFINITY; 3];
    for position in positions.chunks_exact(3) {
        for axis in 0..3 {
            low[axis] = low[axis].min(f64::from(position[axis]));
            high[axis] = high[axis].max(f64::from(position[axis]));
        }
    }
    std::array::from_fn(|corner| {
        let axis = |axis: usize| {
            if corner >> axis & 1 == 0 {
                low[axis]
            } else {
                high[axis]
            }
        };
        Point3::new(axis(0), axis(1), axis(2))
    })
}

/// The matrix of cofactors: the inverse transpose times the determinant.
pub(super) fn cofactors(m: &Matrix3<f64>) -> Matrix3<f64> {
    let (a, b, c) = (m.column(0), m.column(1), m.column(2));
    let sign = if m.determinant() < 0.0 { -1.0 } else { 1.0 };
    Matrix3::from_columns(&[b.cross(&c), c.cross(&a), a.cross(&b)]) * sign
}

/// Area-weighted normals of the vertices from `start` on.
pub(super) fn smooth_normals(vertices: &[f32], faces: &[[u32; 3]], start: usize) -> Vec<f32> {
    let at = |vertex: u32| {
        let place = vertex as usize * 3;
        Vector3::new(vertices[place], vertices[place + 1], vertices[place + 2]).cast::<f64>()
    };
    let mut sums = vec![Vector3::<f64>::zeros(); vertices.len() / 3 - start];
    for &[a, b, c] in faces {
        let area = (at(b) - at(a)).cross(&(at(c) - at(a)));
        for vertex in [a, b, c] {
            sums[vertex as usize - start] += area;
        }
    }
    sums.iter()
        .flat_map(|sum| {
            let unit = sum.try_normalize(0.0).unwrap_or_default();
            [unit.x as f32, unit.y as f32, unit.z as f32]
        })
        .collect()
}
