//! Posed copies of one mesh, side by side.

use super::camera::Camera;
use super::raster::{MeshInstance, draw};
use crate::error::{Error, Result};

/// From how far round and from how far above the figures are seen, in radians.
const AROUND: f64 = 0.65;
const ABOVE: f64 = 0.16;
const ANGLE: f64 = 0.30;
/// Room between figures, and around them, as part of their height.
const GAP: f64 = 0.10;

/// A PNG picture of posed copies of one mesh side by side, each `(n_vertices, 3)`, from left to right;
/// y is up, and they are seen from the front left. The camera frames them by itself, so any unit will do.
///
/// # Errors
/// [`Error::Shape`] where figures and triangles do not fit, [`Error::Value`] without anything to draw.
pub fn figures_png(
    figures: &[&[f32]],
    faces: &[[u32; 3]],
    width: usize,
    height: usize,
) -> Result<Vec<u8>> {
    let Some(count) = figures.first().map(|figure| figure.len()) else {
        return Err(Error::value("figures", "expected at least one"));
    };
    if let Some(other) = figures
        .iter()
        .find(|figure| figure.len() != count || count % 3 != 0)
    {
        let got = format!("{} numbers after {count}", other.len());
        return Err(Error::shape(
            "figures",
            "figures of one shape (n_vertices, 3)",
            got,
        ));
    }
    // Along the picture's axes: right, up, towards the viewer.
    let right = [AROUND.cos(), 0.0, -AROUND.sin()];
    let towards = [AROUND.sin(), 0.0, AROUND.cos()];
    let axes = [right, [0.0, 1.0, 0.0], towards];
    let boxes: Vec<[[f64; 2]; 3]> = figures
        .iter()
        .map(|figure| axes.map(|axis| extent(figure, axis)))
        .collect();
    if boxes.iter().flatten().any(|[low, high]| low > high) {
        return Err(Error::value("figures", "there is no finite vertex to draw"));
    }
    let over_all = |axis: usize| {
        let low = boxes.iter().map(|b| b[axis][0]).fold(f64::MAX, f64::min);
        (
            low,
            boxes.iter().map(|b| b[axis][1]).fold(f64::MIN, f64::max),
        )
    };
    let (floor, top) = over_all(1);
    let size = |[low, high]: [f64; 2]| high - low;
    let tallest = boxes
        .iter()
        .map(|b| size(b[0]).max(size(b[1])))
        .fold(f64::MIN_POSITIVE, f64::max);
    let aspect = width as f64 / height.max(1) as f64;
    let margin = GAP * tallest;
    let bodies: f64 = boxes.iter().map(|b| size(b[0])).sum();
    // What a wide picture has left over goes between the figures, within reason.
    let spare = aspect * (top - floor + 2.4 * margin) - bodies;
    let gap = (spare / (figures.len() + 1) as f64).clamp(margin, 3.0 * margin);
    let total = bodies + gap * (figures.len() - 1) as f64;
    let mut edge = -total / 2.0;
    let meshes: Vec<MeshInstance> = figures
        .iter()
        .zip(&boxes)
        .enumerate()
        .map(|(number, (vertices, b))| {
            let (sideways, depth) = (edge - b[0][0], -(b[2][0] + b[2][1]) / 2.0);
            edge += size(b[0]) + gap;
            MeshInstance {
                vertices,
                faces,
                offset: std::array::from_fn(|at| right[at] * sideways + towards[at] * depth),
                color: COLORS[number % COLORS.len()],
            }
        })
        .collect();
    let deep = boxes.iter().map(|b| size(b[2])).fold(0.0, f64::max);
    let tall = (top - floor).max((total + 2.0 * margin) / aspect - 2.0 * margin) + 2.4 * margin;
    let distance = tall / 2.0 / (ANGLE / 2.0).tan() + deep / 2.0;
    let middle = [0.0, (floor + top) / 2.0 - 0.1 * margin, 0.0];
    let (sin, cos) = ABOVE.sin_cos();
    let eye =
        std::array::from_fn(|at| middle[at] + distance * (towards[at] * cos + [0.0, sin, 0.0][at]));
    let camera = Camera {
        eye,
        target: middle,
        angle: ANGLE,
    };
    draw(&meshes, &camera, [width, height], Some(floor))?.to_png()
}

/// Linear RGB, one after the other.
const COLORS: [[f64; 3]; 5] = [
    [0.80, 0.36, 0.20],
    [0.75, 0.50, 0.17],
    [0.23, 0.50, 0.36],
    [0.17, 0.40, 0.60],
    [0.42, 0.30, 0.58],
];

/// Lowest and highest finite coordinate along an axis.
fn extent(vertices: &[f32], axis: [f64; 3]) -> [f64; 2] {
    vertices
        .chunks_exact(3)
        .map(|p| (0..3).map(|at| f64::from(p[at]) * axis[at]).sum::<f64>())
        .filter(|x| x.is_finite())
        .fold([f64::MAX, f64::MIN], |[low, high], x| {
            [low.min(x), high.max(x)]
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::Unit;

    fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width as usize, info.height as usize, pixels)
    }

    /// Columns in which something darker and more colourful than the ground is seen.
    fn occupied(width: usize, pixels: &[u8]) -> Vec<bool> {
        (0..width)
            .map(|x| {
                pixels
                    .chunks(3)
                    .skip(x)
                    .step_by(width)
                    .any(|p| p.iter().max().unwrap() - p.iter().min().unwrap() > 25)
            })
            .collect()
    }

    #[test]
    fn figures_stand_side_by_side_inside_the_picture_in_any_unit() {
        for unit in [Unit::Meter, Unit::Millimeter] {
            let character = crate::testing::create_humanoid(1000, unit).unwrap();
            let mesh = character.mesh.as_ref().unwrap();
            let png = figures_png(&[mesh.vertices.as_f32(); 3], &mesh.faces, 480, 200).unwrap();
            let (width, height, pixels) = decode(&png);
            assert_eq!((width, height), (480, 200));
            let columns = occupied(width, &pixels);
            let starts = columns
                .windows(2)
                .filter(|pair| !pair[0] && pair[1])
                .count();
            assert_eq!(starts, 3, "{unit}: {columns:?}");
            assert!(!columns[0] && !columns[479]);
        }
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        assert!(figures_png(&[], &[], 10, 10).is_err());
        assert!(figures_png(&[&[f32::NAN; 3]], &[], 10, 10).is_err());
        assert!(
            figures_png(&[&[0.0; 3], &[0.0; 6]], &[], 10, 10)
                .unwrap_err()
                .to_string()
                .contains("6 numbers")
        );
    }
}
