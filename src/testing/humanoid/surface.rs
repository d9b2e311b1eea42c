//! The body as one implicit surface: rounded solids of elliptic cross-section, blended smoothly.

use super::bones::{
    ANKLE, BALL, FOREARM, HIP, KNEE, SHOULDER, Side, TOE, UPPER_ARM, V3, arm_frame, fingers,
    in_arm, v, wrist,
};

/// A solid around the segment from `ends[0]` to `ends[1]`.
struct Solid {
    ends: [V3; 2],
    /// Half axes at both ends, along `axes`; the third is along the segment, past its ends.
    radii: [V3; 2],
    axes: [V3; 3],
    /// Over what distance it melts into what was there before it.
    blend: f64,
}

impl Solid {
    /// Roughly the signed distance, exact to first order at the surface.
    fn distance(&self, p: &V3) -> f64 {
        let along = self.ends[1] - self.ends[0];
        let length2 = along.norm_squared();
        let t = if length2 > 0.0 {
            ((p - self.ends[0]).dot(&along) / length2).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let q = p - (self.ends[0] + along * t);
        let radii = self.radii[0] * (1.0 - t) + self.radii[1] * t;
        let local = V3::new(
            q.dot(&self.axes[0]),
            q.dot(&self.axes[1]),
            q.dot(&self.axes[2]),
        );
        let scaled = local.component_div(&radii);
        let steep = scaled.component_div(&radii).norm();
        let level = scaled.norm();
        if steep < 1e-9 {
            return -radii.min();
        }
        level * (level - 1.0) / steep
    }
}

/// The whole body.
pub(super) struct Surface(Vec<Solid>);

/// Polynomial smooth minimum: differs from the minimum only where both are within `k`.
fn smooth_min(a: f64, b: f64, k: f64) -> f64 {
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - h * h * k / 4.0
}

impl Surface {
    pub fn new() -> Self {
        let mut surface = Self(Vec::new());
        surface.trunk();
        for side in Side::BOTH {
            surface.leg(side);
            surface.arm(side);
        }
        surface
    }

    /// Roughly the signed distance; negative inside. Soles are flat, on the ground.
    pub fn distance(&self, p: &V3) -> f64 {
        let body = self.0.iter().fold(1.0, |sum: f64, solid| {
            // Half axes are below 0.2 m, and nothing blends over more: far solids change nothing.
            let near = (p - solid.ends[0]).norm().min((p - solid.ends[1]).norm());
            if near > 0.36 {
                sum
            } else {
                smooth_min(sum, solid.distance(p), solid.blend)
            }
        });
        -smooth_min(-body, p.y, 0.012)
    }

    /// Value and gradient, by central differences on a tetrahedron.
    fn slope(&self, p: &V3) -> (f64, V3) {
        const STEP: f64 = 2e-4;
        let corners = [
            v(1.0, -1.0, -1.0),
            v(-1.0, -1.0, 1.0),
            v(-1.0, 1.0, -1.0),
            v(1.0, 1.0, 1.0),
        ];
        let (mut value, mut gradient) = (0.0, V3::zeros());
        for corner in corners {
            let there = self.distance(&(p + corner * STEP));
            value += there / 4.0;
            gradient += corner * (there / (4.0 * STEP));
        }
        (value, gradient)
    }

    /// The point of the surface that following the gradient leads to.
    pub fn project(&self, mut p: V3, steps: usize) -> V3 {
        for _ in 0..steps {
            let (value, gradient) = self.slope(&p);
            let step = gradient * (value / gradient.norm_squared().max(0.05));
            p -= step * (0.03 / step.norm().max(0.03));
            if step.norm() < 1e-6 {
                break;
            }
        }
        p
    }

    fn add(&mut self, ends: [V3; 2], side_axis: V3, radii: [[f64; 2]; 2], blend: f64) {
        let along = (ends[1] - ends[0]).try_normalize(1e-9).unwrap_or(V3::y());
        let first = (side_axis - along * side_axis.dot(&along)).normalize();
        let past = |r: [f64; 2]| V3::new(r[0], r[1], (r[0] + r[1]) / 2.0);
        self.0.push(Solid {
            ends,
            radii: radii.map(past),
            axes: [first, along.cross(&first), along],
            blend,
        });
    }

    fn ellipsoid(&mut self, center: V3, radii: [f64; 3], blend: f64) {
        self.0.push(Solid {
            ends: [center; 2],
            radii: [V3::from(radii); 2],
            axes: [V3::x(), V3::y(), V3::z()],
            blend,
        });
    }

    fn trunk(&mut self) {
        let x = V3::x();
        self.add(
            [v(0.0, 0.93, 0.0), v(0.0, 1.0, 0.0)],
            x,
            [[0.155, 0.100], [0.135, 0.088]],
            0.10,
        );
        self.add(
            [v(0.0, 1.0, 0.0), v(0.0, 1.14, 0.002)],
            x,
            [[0.122, 0.080], [0.110, 0.074]],
            0.12,
        );
        self.add(
            [v(0.0, 1.2, 0.0), v(0.0, 1.34, -0.012)],
            x,
            [[0.128, 0.090], [0.142, 0.096]],
            0.12,
        );
        self.add(
            [v(-0.12, 1.41, -0.022), v(0.12, 1.41, -0.022)],
            V3::y(),
            [[0.055, 0.06]; 2],
            0.07,
        );
        self.add(
            [v(0.0, 1.43, -0.024), v(0.0, 1.56, 0.004)],
            x,
            [[0.056, 0.056], [0.049, 0.050]],
            0.04,
        );
        self.ellipsoid(v(0.0, 1.661, 0.0), [0.074, 0.089, 0.094], 0.04);
        self.add(
            [v(0.0, 1.655, 0.046), v(0.0, 1.578, 0.064)],
            x,
            [[0.062, 0.045], [0.034, 0.030]],
            0.03,
        );
        self.add(
            [v(0.0, 1.662, 0.090), v(0.0, 1.628, 0.110)],
            x,
            [[0.010, 0.012], [0.015, 0.015]],
            0.022,
        );
        self.add(
            [v(-0.036, 1.676, 0.080), v(0.036, 1.676, 0.080)],
            V3::y(),
            [[0.010, 0.012]; 2],
            0.025,
        );
        for side in Side::BOTH {
            let at = |x, y, z| side.point(v(x, y, z));
            self.ellipsoid(at(0.031, 1.653, 0.079), [0.016, 0.012, 0.012], 0.012);
            self.ellipsoid(at(0.072, 0.905, -0.05), [0.085, 0.09, 0.075], 0.05);
            self.ellipsoid(at(0.072, 1.325, 0.062), [0.075, 0.058, 0.042], 0.06);
            self.ellipsoid(at(0.085, 1.32, -0.075), [0.075, 0.10, 0.04], 0.06);
            let trapezius = [at(0.0, 1.50, -0.04), at(0.14, 1.442, -0.028)];
            self.add(trapezius, V3::z(), [[0.036, 0.036], [0.036, 0.036]], 0.06);
            self.ellipsoid(at(0.075, 1.642, -0.006), [0.010, 0.032, 0.02], 0.012);
        }
    }

    fn arm(&mut self, side: Side) {
        let [along, up, _] = arm_frame();
        let shoulder = V3::from(SHOULDER);
        let up = side.point(up);
        let mut limb = |from: V3, to: V3, radii, blend| {
            self.add([side.point(from), side.point(to)], up, radii, blend);
        };
        let at = |distance: f64| shoulder + along * distance;
        let end = UPPER_ARM + FOREARM;
        // Radii: towards the back of the hand, then across.
        limb(
            shoulder,
            at(UPPER_ARM),
            [[0.050, 0.052], [0.037, 0.039]],
            0.05,
        );
        limb(at(0.02), at(0.10), [[0.056, 0.056], [0.047, 0.048]], 0.04);
        limb(
            at(UPPER_ARM),
            at(end),
            [[0.037, 0.039], [0.020, 0.027]],
            0.03,
        );
        limb(
            at(UPPER_ARM + 0.02),
            at(UPPER_ARM + 0.12),
            [[0.034, 0.037], [0.028, 0.032]],
            0.05,
        );
        limb(
            wrist(),
            in_arm(v(0.04, 0.0, 0.0)),
            [[0.019, 0.027], [0.016, 0.036]],
            0.02,
        );
        limb(
            in_arm(v(0.04, 0.0, 0.0)),
            in_arm(v(0.080, 0.0, -0.001)),
            [[0.0165, 0.037], [0.0115, 0.041]],
            0.02,
        );
        for finger in fingers() {
            let tip = finger.length() - finger.radius[1];
            let radii = [[finger.radius[0]; 2], [finger.radius[1]; 2]];
            limb(finger.at(0.0), finger.at(tip), radii, 0.006);
        }
        // The ball of the thumb.
        limb(
            in_arm(v(0.018, -0.007, 0.014)),
            in_arm(v(0.052, -0.010, 0.036)),
            [[0.0155, 0.017], [0.013, 0.014]],
            0.02,
        );
    }

    fn leg(&mut self, side: Side) {
        let [hip, knee, ankle, ball, toe] = [HIP, KNEE, ANKLE, BALL, TOE].map(V3::from);
        let mut limb = |from: V3, to: V3, radii, blend| {
            self.add([side.point(from), side.point(to)], V3::x(), radii, blend);
        };
        limb(
            hip - v(0.0, 0.01, 0.0),
            knee,
            [[0.083, 0.092], [0.050, 0.052]],
            0.05,
        );
        limb(knee, ankle, [[0.050, 0.050], [0.031, 0.036]], 0.04);
        limb(
            v(0.104, 0.39, -0.022),
            v(0.105, 0.24, -0.022),
            [[0.046, 0.045], [0.036, 0.036]],
            0.07,
        );
        // Foot: instep, sole, heel, toes.
        limb(
            ankle - v(0.0, 0.01, -0.01),
            ball + v(0.0, 0.008, 0.0),
            [[0.034, 0.040], [0.042, 0.026]],
            0.03,
        );
        limb(
            v(0.106, 0.028, -0.03),
            ball,
            [[0.034, 0.034], [0.046, 0.024]],
            0.03,
        );
        limb(
            v(0.105, 0.035, -0.052),
            v(0.105, 0.06, -0.042),
            [[0.030, 0.030], [0.028, 0.026]],
            0.03,
        );
        limb(
            ball,
            toe - v(0.0, 0.0, 0.024),
            [[0.046, 0.024], [0.038, 0.020]],
            0.02,
        );
    }
}
