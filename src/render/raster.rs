//! Triangles to pixels: z-buffer, smooth shading, a shadow on the ground.

use nalgebra::Vector3;
use rayon::prelude::*;

use super::camera::{Camera, View};
use super::image::Image;
use crate::error::{Error, Result};

type V3 = Vector3<f64>;

/// Samples a pixel has along each axis.
const SAMPLES: usize = 3;
/// Rows of pixels that are worked on together.
const BAND: usize = 16;
const MOST_PIXELS: usize = 1 << 26;

/// A triangle mesh at a place.
#[derive(Debug, Clone, Copy)]
pub struct MeshInstance<'a> {
    /// `(n_vertices, 3)` positions.
    pub vertices: &'a [f32],
    /// Triangles, counter-clockwise seen from outside.
    pub faces: &'a [[u32; 3]],
    /// Added to every vertex.
    pub offset: [f64; 3],
    /// Linear RGB, 0 to 1.
    pub color: [f64; 3],
}

/// A corner on the screen.
#[derive(Clone, Copy)]
struct Corner {
    screen: [f64; 2],
    /// One over the distance along the view: what is linear on the screen.
    nearness: f64,
    normal: V3,
    world: V3,
}

/// Draws meshes on a light ground; with `ground` a height, they throw a soft shadow on it. Triangles that
/// are not wholly in front of the camera, or have a vertex that is not finite, are left out.
///
/// # Errors
/// [`Error::Value`] for an empty or huge picture, [`Error::Shape`] for a triangle outside its mesh.
pub fn draw(
    meshes: &[MeshInstance],
    camera: &Camera,
    [width, height]: [usize; 2],
    ground: Option<f64>,
) -> Result<Image> {
    if width == 0 || height == 0 || width.saturating_mul(height) > MOST_PIXELS {
        let problem = format!("expected 1 to {MOST_PIXELS} pixels, got {width} x {height}");
        return Err(Error::value("size", problem));
    }
    let view = View::new(camera, width as f64, height as f64);
    let mut triangles = Vec::new();
    for mesh in meshes {
        let corners = corners(mesh, &view)?;
        triangles.extend(mesh.faces.iter().filter_map(|face| {
            let [a, b, c] = face.map(|at| corners[at as usize]);
            Some(([a?, b?, c?], mesh.color))
        }));
    }
    let shade = ground.map(|level| shadow(&triangles, &view, level, width, height));
    let mut pixels = vec![0; width * height * 3];
    let lights = Lights::new(&view);
    pixels
        .par_chunks_mut(BAND * width * 3)
        .enumerate()
        .for_each(|(band, out)| {
            let first = band * BAND;
            draw_band(
                &triangles,
                &lights,
                first,
                [width, height],
                shade.as_deref(),
                out,
            );
        });
    Ok(Image {
        width,
        height,
        pixels,
    })
}

/// Every vertex on the screen, with its area-weighted normal.
fn corners(mesh: &MeshInstance, view: &View) -> Result<Vec<Option<Corner>>> {
    let offset = V3::from(mesh.offset);
    let world: Vec<V3> = mesh
        .vertices
        .chunks_exact(3)
        .map(|p| V3::new(p[0].into(), p[1].into(), p[2].into()) + offset)
        .collect();
    let mut normals = vec![V3::zeros(); world.len()];
    for face in mesh.faces {
        if let Some(vertex) = face.iter().find(|&&at| at as usize >= world.len()) {
            let got = format!("vertex {vertex} in {face:?}");
            return Err(Error::shape(
                "faces",
                format!("vertices below {}", world.len()),
                got,
            ));
        }
        let [a, b, c] = face.map(|at| world[at as usize]);
        let area = (b - a).cross(&(c - a));
        face.iter().for_each(|&at| normals[at as usize] += area);
    }
    let corner = |(world, normal): (&V3, &V3)| {
        let [x, y, depth] = view.project(world)?;
        let normal = normal.try_normalize(0.0)?;
        Some(Corner {
            screen: [x, y],
            nearness: 1.0 / depth,
            normal,
            world: *world,
        })
    };
    Ok(world.iter().zip(&normals).map(corner).collect())
}

/// Calls `paint(x, y, weights)` for each point of a grid with `density` points a pixel inside a triangle,
/// within rows `rows` of the grid and `width` columns.
fn cover(
    corners: [[f64; 2]; 3],
    density: f64,
    rows: std::ops::Range<usize>,
    width: usize,
    mut paint: impl FnMut(usize, usize, [f64; 3]),
) {
    let [a, b, c] = corners.map(|p| p.map(|x| x * density - 0.5));
    let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    if area == 0.0 {
        return;
    }
    let span = |axis: usize, from: usize, to: usize| {
        let low = a[axis].min(b[axis]).min(c[axis]).ceil().max(from as f64);
        let high = a[axis]
            .max(b[axis])
            .max(c[axis])
            .floor()
            .min(to as f64 - 1.0);
        if low <= high {
            low as usize..high as usize + 1
        } else {
            0..0
        }
    };
    for y in span(1, rows.start, rows.end) {
        for x in span(0, 0, width) {
            let (px, py) = (x as f64, y as f64);
            let edge = |p: [f64; 2], q: [f64; 2]| {
                (q[0] - p[0]) * (py - p[1]) - (q[1] - p[1]) * (px - p[0])
            };
            let weights = [edge(b, c) / area, edge(c, a) / area, edge(a, b) / area];
            if weights.iter().all(|&w| w >= 0.0) {
                paint(x, y, weights);
            }
        }
    }
}

fn draw_band(
    triangles: &[([Corner; 3], [f64; 3])],
    lights: &Lights,
    first: usize,
    [width, height]: [usize; 2],
    shade: Option<&[f32]>,
    out: &mut [u8],
) {
    let (across, rows) = (width * SAMPLES, out.len() / (3 * width) * SAMPLES);
    let top = first * SAMPLES;
    let mut nearest = vec![0.0_f64; across * rows];
    let mut colors = vec![[0.0_f32; 3]; across * rows];
    for (corners, color) in triangles {
        cover(
            corners.map(|c| c.screen),
            SAMPLES as f64,
            top..top + rows,
            across,
            |x, y, weights| {
                let [i, j, k] = std::array::from_fn(|at| weights[at] * corners[at].nearness);
                let nearness = i + j + k;
                let slot = (y - top) * across + x;
                if nearness > nearest[slot] {
                    nearest[slot] = nearness;
                    let normal =
                        corners[0].normal * i + corners[1].normal * j + corners[2].normal * k;
                    let world =
                        (corners[0].world * i + corners[1].world * j + corners[2].world * k)
                            / nearness;
                    colors[slot] = lights.shine(&normal.normalize(), &world, color);
                }
            },
        );
    }
    for (at, pixel) in out.chunks_mut(3).enumerate() {
        let (x, y) = (at % width, at / width);
        let dark = shade.map_or(0.0, |shade| shade[(first + y) * width + x]);
        let back = backdrop((first + y) as f32 / height as f32).map(|c| c * (1.0 - 0.42 * dark));
        let mut sum = [0.0; 3];
        for sample in 0..SAMPLES * SAMPLES {
            let slot = (y * SAMPLES + sample / SAMPLES) * across + x * SAMPLES + sample % SAMPLES;
            let seen = if nearest[slot] > 0.0 {
                colors[slot]
            } else {
                back
            };
            sum.iter_mut().zip(seen).for_each(|(sum, c)| *sum += c);
        }
        for (byte, sum) in pixel.iter_mut().zip(sum) {
            let linear = (sum / (SAMPLES * SAMPLES) as f32).clamp(0.0, 1.0);
            *byte = (linear.powf(1.0 / 2.2) * 255.0).round() as u8;
        }
    }
}

/// Light from the top to the bottom of the picture, linear RGB.
fn backdrop(down: f32) -> [f32; 3] {
    let low = [0.80, 0.805, 0.82];
    let high = [0.93, 0.94, 0.955];
    std::array::from_fn(|at| high[at] + (low[at] - high[at]) * down)
}

/// Towards the strong light, for a viewer whose right and up are these.
fn key_light(view: &View) -> V3 {
    let [right, up] = view.sideways();
    let towards = right.cross(&up);
    (up * 0.85 - right * 0.55 + towards * 0.62).normalize()
}

/// Two lights that stand with the viewer, the sky, and a rim.
struct Lights {
    eye: V3,
    key: V3,
    fill: V3,
}

impl Lights {
    fn new(view: &View) -> Self {
        let [right, up] = view.sideways();
        let fill = (right * 0.9 + up * 0.15 + right.cross(&up) * 0.5).normalize();
        Self {
            eye: view.eye(),
            key: key_light(view),
            fill,
        }
    }

    fn shine(&self, normal: &V3, world: &V3, color: &[f64; 3]) -> [f32; 3] {
        let to_eye = (self.eye - world).normalize();
        let key = normal.dot(&self.key).max(0.0);
        let fill = normal.dot(&self.fill).max(0.0);
        let sky = 0.5 + 0.5 * normal.y;
        let gloss = normal
            .dot(&(self.key + to_eye).normalize())
            .max(0.0)
            .powi(40);
        let rim = (1.0 - normal.dot(&to_eye).max(0.0)).powi(4);
        let warm = [1.0, 0.97, 0.92];
        let cool = [0.85, 0.93, 1.0];
        std::array::from_fn(|at| {
            let light =
                0.95 * key * warm[at] + 0.22 * fill * cool[at] + (0.07 + 0.17 * sky) * cool[at];
            (color[at] * light + 0.07 * gloss + 0.10 * rim) as f32
        })
    }
}

/// How dark the ground is in each pixel, 0 to 1: the meshes seen along the light, blurred.
fn shadow(
    triangles: &[([Corner; 3], [f64; 3])],
    view: &View,
    level: f64,
    width: usize,
    height: usize,
) -> Vec<f32> {
    let light = key_light(view);
    // A light from below or along the ground throws no shadow on it.
    let mut mask = vec![0.0; width * height];
    if light.y < 0.05 {
        return mask;
    }
    let land = |corner: &Corner| {
        let along = (corner.world.y - level) / light.y;
        view.project(&(corner.world - light * along))
    };
    for (corners, _) in triangles {
        let [Some(a), Some(b), Some(c)] = corners.each_ref().map(land) else {
            continue;
        };
        let screen = [a, b, c].map(|p| [p[0], p[1]]);
        cover(screen, 1.0, 0..height, width, |x, y, _| {
            mask[y * width + x] = 1.0
        });
    }
    let radius = (height / 120).max(1);
    for _ in 0..3 {
        blur(&mut mask, width, height, 1, radius);
        blur(&mut mask, height, width, width, radius);
    }
    mask
}

/// A moving average along lines of `length` values that are `stride` apart.
fn blur(values: &mut [f32], length: usize, lines: usize, stride: usize, radius: usize) {
    let between = if stride == 1 { length } else { 1 };
    let mut line = vec![0.0; length];
    for start in (0..lines).map(|line| line * between) {
        (0..length).for_each(|at| line[at] = values[start + at * stride]);
        for at in 0..length {
            let window = at.saturating_sub(radius)..(at + radius + 1).min(length);
            values[start + at * stride] =
                line[window].iter().sum::<f32>() / (2 * radius + 1) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: Camera = Camera {
        eye: [0.0, 0.0, 5.0],
        target: [0.0; 3],
        angle: 0.5,
    };

    fn triangle(z: f32, color: [f64; 3]) -> ([f32; 9], [f64; 3]) {
        ([-9.0, -9.0, z, 9.0, -9.0, z, 0.0, 9.0, z], color)
    }

    fn middle(order: &[([f32; 9], [f64; 3])]) -> [u8; 3] {
        let meshes: Vec<_> = order
            .iter()
            .map(|(vertices, color)| MeshInstance {
                vertices,
                faces: &[[0, 1, 2]],
                offset: [0.0; 3],
                color: *color,
            })
            .collect();
        let image = draw(&meshes, &CAMERA, [9, 9], None).unwrap();
        image.pixels[3 * 40..3 * 41].try_into().unwrap()
    }

    #[test]
    fn the_nearer_triangle_is_seen_in_whichever_order_they_come() {
        let (red, blue) = (
            triangle(1.0, [1.0, 0.0, 0.0]),
            triangle(-1.0, [0.0, 0.0, 1.0]),
        );
        let seen = middle(&[red, blue]);
        assert_eq!(seen, middle(&[blue, red]));
        assert!(seen[0] > 150 && seen[2] < 100, "{seen:?}");
    }

    #[test]
    fn what_is_behind_the_camera_or_not_finite_is_left_out() {
        let empty = middle(&[]);
        assert_eq!(middle(&[triangle(6.0, [1.0, 0.0, 0.0])]), empty);
        assert_eq!(middle(&[triangle(f32::NAN, [1.0, 0.0, 0.0])]), empty);
    }

    #[test]
    fn wrong_arguments_are_named() {
        let mesh = MeshInstance {
            vertices: &[0.0; 9],
            faces: &[[0, 1, 3]],
            offset: [0.0; 3],
            color: [1.0; 3],
        };
        assert!(
            draw(&[mesh], &CAMERA, [4, 4], None)
                .unwrap_err()
                .to_string()
                .contains("vertex 3")
        );
        assert!(
            draw(&[], &CAMERA, [0, 4], None)
                .unwrap_err()
                .to_string()
                .contains("0 x 4")
        );
    }
}
