//! A camera that looks at a point.

use nalgebra::Vector3;

/// A perspective camera; +y is up in the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Where it stands.
    pub eye: [f64; 3],
    /// What it looks at.
    pub target: [f64; 3],
    /// Vertical angle of view in radians.
    pub angle: f64,
}

/// A camera for a picture of one size: world to pixels.
pub(super) struct View {
    eye: Vector3<f64>,
    right: Vector3<f64>,
    up: Vector3<f64>,
    forward: Vector3<f64>,
    focal: f64,
    middle: [f64; 2],
}

impl View {
    pub fn new(camera: &Camera, width: f64, height: f64) -> Self {
        let eye = Vector3::from(camera.eye);
        let forward = (Vector3::from(camera.target) - eye)
            .try_normalize(0.0)
            .unwrap_or(-Vector3::z());
        let side = forward.cross(&Vector3::y());
        let right = side.try_normalize(1e-9).unwrap_or(Vector3::x());
        Self {
            eye,
            right,
            up: right.cross(&forward),
            forward,
            focal: height / 2.0 / (camera.angle / 2.0).tan(),
            middle: [width / 2.0, height / 2.0],
        }
    }

    /// Pixel coordinates, y down, and the distance along the view; `None` for what is not in front.
    pub fn project(&self, point: &Vector3<f64>) -> Option<[f64; 3]> {
        let seen = point - self.eye;
        let depth = seen.dot(&self.forward);
        let scale = self.focal / depth;
        let x = self.middle[0] + seen.dot(&self.right) * scale;
        let y = self.middle[1] - seen.dot(&self.up) * scale;
        (depth > 0.0 && x.is_finite() && y.is_finite()).then_some([x, y, depth])
    }

    pub fn eye(&self) -> Vector3<f64> {
        self.eye
    }

    /// Towards the viewer's right and up, in the world.
    pub fn sideways(&self) -> [Vector3<f64>; 2] {
        [self.right, self.up]
    }
}
