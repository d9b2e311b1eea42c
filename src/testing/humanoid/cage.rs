//! Coarse quadrilaterals around the body: its left half, built from tubes, and the mirrored one.

use super::bones::{
    BALL, Bones, FOREARM, HIP, KNEE, SHOULDER, Side, TOE, UPPER_ARM, V3, arm_frame, fingers,
    in_arm, v,
};

/// Which joints may move a vertex, one bit each.
type Joints = u128;

/// A coarse closed surface, counter-clockwise seen from outside.
pub(super) struct Cage {
    pub vertices: Vec<V3>,
    pub joints: Vec<Joints>,
    pub faces: Vec<[usize; 4]>,
}

impl Cage {
    pub fn new(bones: &Bones) -> Self {
        let mut half = Half {
            cage: Self {
                vertices: vec![],
                joints: vec![],
                faces: vec![],
            },
            bones,
        };
        half.build();
        half.cage.compacted().mirrored(bones)
    }

    /// Without the vertices that no face uses, such as those where a limb grows.
    fn compacted(self) -> Self {
        let mut place = vec![usize::MAX; self.vertices.len()];
        let mut kept = Self {
            vertices: vec![],
            joints: vec![],
            faces: self.faces,
        };
        for at in kept.faces.iter_mut().flatten() {
            if place[*at] == usize::MAX {
                place[*at] = kept.vertices.len();
                kept.vertices.push(self.vertices[*at]);
                kept.joints.push(self.joints[*at]);
            }
            *at = place[*at];
        }
        kept
    }

    /// Adds the other half; vertices of the middle plane belong to both.
    fn mirrored(mut self, bones: &Bones) -> Self {
        let partner: Vec<usize> = bones
            .bones
            .iter()
            .enumerate()
            .map(|(index, bone)| match bone.name.split_at(2) {
                ("l_", rest) => bones.index(&format!("r_{rest}")),
                _ => index,
            })
            .collect();
        let mirror = |joints: Joints| {
            (0..partner.len())
                .filter(|&joint| joints >> joint & 1 == 1)
                .fold(0, |mask, joint| mask | 1 << partner[joint])
        };
        let mut twin = Vec::with_capacity(self.vertices.len());
        for index in 0..self.vertices.len() {
            let (vertex, joints) = (self.vertices[index], self.joints[index]);
            if vertex.x.abs() < 1e-9 {
                self.joints[index] |= mirror(joints);
                twin.push(index);
            } else {
                twin.push(self.vertices.len());
                self.vertices.push(Side(-1.0).point(vertex));
                self.joints.push(mirror(joints));
            }
        }
        let other: Vec<_> = self
            .faces
            .iter()
            .map(|&[a, b, c, d]| [d, c, b, a].map(|i| twin[i]))
            .collect();
        self.faces.extend(other);
        self
    }
}

/// The left half under construction.
struct Half<'a> {
    cage: Cage,
    bones: &'a Bones,
}

const SPINE: [&str; 5] = ["hips", "spine1", "spine2", "spine3", "neck1"];
const ARM: [&str; 6] = [
    "l_clavicle",
    "l_shoulder",
    "l_upper_arm_twist",
    "l_elbow",
    "l_forearm_twist",
    "l_wrist",
];
const LEG: [&str; 5] = ["l_hip", "l_thigh_twist", "l_knee", "l_ankle", "l_toes"];

impl Half<'_> {
    fn joints(&self, groups: &[&[&str]]) -> Joints {
        groups
            .iter()
            .flat_map(|group| group.iter())
            .fold(0, |mask, name| mask | 1 << self.bones.index(name))
    }

    fn vertex(&mut self, position: V3, joints: Joints) -> usize {
        self.cage.vertices.push(position);
        self.cage.joints.push(joints);
        self.cage.vertices.len() - 1
    }

    /// `count` vertices on an ellipse from angle `start`, from `axes[0]` towards `axes[1]`.
    fn ring(
        &mut self,
        center: V3,
        axes: [V3; 2],
        count: usize,
        start: f64,
        joints: Joints,
    ) -> Vec<usize> {
        (0..count)
            .map(|k| {
                let (sin, cos) = (start + 360.0 * k as f64 / count as f64)
                    .to_radians()
                    .sin_cos();
                self.vertex(center + axes[0] * cos + axes[1] * sin, joints)
            })
            .collect()
    }

    /// Joins two rings of equal size, or two open rows of it.
    fn tube(&mut self, from: &[usize], to: &[usize], closed: bool) {
        let count = from.len();
        for k in 0..count - usize::from(!closed) {
            let next = (k + 1) % count;
            self.cage.faces.push([from[k], from[next], to[next], to[k]]);
        }
    }

    fn build(&mut self) {
        let rows = self.trunk();
        self.arm(&rows);
        self.leg(&rows[0]);
    }

    /// Rows of seven vertices from the front middle over the left side to the back middle.
    fn trunk(&mut self) -> Vec<Vec<usize>> {
        let low: &[&str] = &["hips", "spine1", "l_hip", "l_thigh_twist"];
        let spine: &[&str] = &SPINE;
        let shoulder: &[&str] = &[
            "spine1",
            "spine2",
            "spine3",
            "neck1",
            "l_clavicle",
            "l_shoulder",
            "l_upper_arm_twist",
        ];
        let neck: &[&str] = &["spine3", "neck1", "neck2", "head", "l_clavicle"];
        let head: &[&str] = &["neck1", "neck2", "head", "jaw"];
        // Height, middle, half width, half depth.
        let rows: [(f64, f64, f64, f64, &[&str]); 12] = [
            (0.875, -0.005, 0.165, 0.105, low),
            (
                0.99,
                0.0,
                0.15,
                0.10,
                &["hips", "spine1", "spine2", "l_hip"],
            ),
            (1.13, 0.0, 0.13, 0.092, spine),
            (1.275, -0.01, 0.155, 0.11, shoulder),
            (1.33, -0.012, 0.155, 0.11, shoulder),
            (1.385, -0.018, 0.15, 0.10, shoulder),
            (1.455, -0.024, 0.125, 0.065, shoulder),
            (1.495, -0.022, 0.062, 0.058, neck),
            (
                1.542,
                -0.008,
                0.053,
                0.058,
                &["spine3", "neck1", "neck2", "head", "jaw"],
            ),
            (1.585, 0.02, 0.062, 0.075, head),
            (1.655, 0.008, 0.074, 0.10, &["neck2", "head", "jaw"]),
            (1.725, 0.0, 0.055, 0.065, &["head"]),
        ];
        let mut built: Vec<Vec<usize>> = Vec::new();
        for (y, z, width, depth, names) in rows {
            let joints = self.joints(&[names]);
            let row = (0..7)
                .map(|k| {
                    let (sin, cos) = (30.0 * k as f64).to_radians().sin_cos();
                    let x = if k % 6 == 0 { 0.0 } else { width * sin };
                    self.vertex(v(x, y, z + depth * cos), joints)
                })
                .collect();
            built.push(row);
        }
        for (low, pair) in built.windows(2).enumerate() {
            for k in 0..6 {
                // The hole that the arm grows from.
                if !((3..6).contains(&low) && (2..4).contains(&k)) {
                    self.cage
                        .faces
                        .push([pair[0][k], pair[0][k + 1], pair[1][k + 1], pair[1][k]]);
                }
            }
        }
        let crown = &built[built.len() - 1].clone();
        let joints = self.joints(&[&["head"]]);
        let top = self.vertex(v(0.0, 1.75, 0.0), joints);
        let side = self.vertex(v(0.03, 1.745, 0.0), joints);
        self.cage.faces.extend([
            [crown[0], crown[1], side, top],
            [crown[1], crown[2], crown[3], side],
            [side, crown[3], crown[4], crown[5]],
            [top, side, crown[5], crown[6]],
        ]);
        built
    }

    fn arm(&mut self, rows: &[Vec<usize>]) {
        let [along, up, forward] = arm_frame();
        let around = [
            (6, 4),
            (6, 3),
            (6, 2),
            (5, 2),
            (4, 2),
            (3, 2),
            (3, 3),
            (3, 4),
            (4, 4),
            (5, 4),
        ];
        let mut ring: Vec<usize> = around.iter().map(|&(row, k)| rows[row][k]).collect();
        let palm: Vec<String> = fingers().iter().map(|f| format!("l_{}1", f.name)).collect();
        let palm: Vec<&str> = palm.iter().map(String::as_str).collect();
        let upper = self.joints(&[&ARM[..4], &["spine3"]]);
        let lower = self.joints(&[&ARM[1..]]);
        let hand = self.joints(&[&ARM[3..], &palm]);
        // Distance from the shoulder, half thickness, half width.
        let end = UPPER_ARM + FOREARM;
        let rings = [
            (0.075, 0.052, 0.052, upper),
            (0.2, 0.043, 0.044, self.joints(&[&ARM[..5]])),
            (UPPER_ARM, 0.038, 0.039, lower),
            (UPPER_ARM + 0.1, 0.037, 0.039, lower),
            (end - 0.01, 0.021, 0.027, hand),
        ];
        for (distance, thick, wide, joints) in rings {
            let center = V3::from(SHOULDER) + along * distance;
            let next = self.ring(center, [up * thick, forward * wide], 10, -36.0, joints);
            self.tube(&ring, &next, true);
            ring = next;
        }
        // Rows of the palm: five vertices above and five below, from little finger to index.
        let palm_row = |half: &mut Self, at: [f64; 5], width: f64, middle: f64, thick: f64| {
            let mut row = vec![0; 10];
            for j in 0..5 {
                let across = middle + width * (j as f64 / 2.0 - 1.0);
                let edge = if j % 4 == 0 { 0.6 } else { 1.0 };
                let above = in_arm(v(at[j], thick * edge, across));
                let below = in_arm(v(at[j], -thick * edge, across));
                row[(j + 9) % 10] = half.vertex(above, hand);
                row[8 - j] = half.vertex(below, hand);
            }
            row
        };
        let lower_palm = palm_row(self, [0.028; 5], 0.032, 0.001, 0.016);
        let upper_palm = palm_row(self, [0.058; 5], 0.041, 0.0, 0.014);
        let knuckles = palm_row(
            self,
            [0.094, 0.103, 0.110, 0.110, 0.104],
            0.043,
            0.0,
            0.0095,
        );
        self.tube(&ring, &lower_palm, true);
        self.tube(&lower_palm, &upper_palm, true);
        self.tube(&upper_palm, &knuckles, true);
        // The thumb grows from the side of the palm, so that side is open.
        let hole = [lower_palm[3], lower_palm[4], upper_palm[4], upper_palm[3]];
        self.cage.faces.retain(|face| *face != hole);
        for (f, finger) in fingers().iter().enumerate() {
            let own: Vec<String> = (1..=3).map(|n| format!("l_{}{n}", finger.name)).collect();
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            let joints = self.joints(&[&own, &["l_wrist"]]);
            let at = |j: usize| (knuckles[(j + 9) % 10], knuckles[8 - j]);
            let direction = (finger.at(1.0) - finger.at(0.0)).normalize();
            let (mut ring, above) = if finger.name == "thumb" {
                // From the hole's lower corner near the wrist: above is towards the fingers.
                (hole.to_vec(), along)
            } else {
                let (back, front) = (at(f), at(f + 1));
                (vec![back.0, front.0, front.1, back.1], up)
            };
            let above = (above - direction * above.dot(&direction)).normalize();
            let across = direction.cross(&above);
            let length = finger.length();
            let places = [0.03, (0.03 + length) / 2.0, length - finger.radius[1] * 0.6];
            for (number, distance) in places.into_iter().enumerate() {
                let r = if number == 2 {
                    finger.radius[1] * 0.9
                } else {
                    finger.radius[0] * 0.95
                };
                let center = finger.at(distance);
                let next = self.corner_ring(center, [above * r, across * r], &ring, joints);
                self.tube(&ring, &next, true);
                ring = next;
            }
            self.cage.faces.push([ring[0], ring[1], ring[2], ring[3]]);
        }
    }

    /// Four corners of a square, turned so that they follow the corners of `before` most closely.
    fn corner_ring(
        &mut self,
        center: V3,
        axes: [V3; 2],
        before: &[usize],
        joints: Joints,
    ) -> Vec<usize> {
        let corner = |k: usize| {
            let (sin, cos) = (90.0 * k as f64 - 45.0).to_radians().sin_cos();
            (axes[0] * cos + axes[1] * sin) * std::f64::consts::SQRT_2 * 0.8
        };
        let middle: V3 = before.iter().map(|&at| self.cage.vertices[at]).sum::<V3>() / 4.0;
        let fit = |turn: usize| -> f64 {
            (0..4)
                .map(|k| corner(k + turn).dot(&(self.cage.vertices[before[k]] - middle)))
                .sum()
        };
        let turn = (0..4)
            .max_by(|&a, &b| fit(a).total_cmp(&fit(b)))
            .unwrap_or(0);
        (0..4)
            .map(|k| self.vertex(center + corner(k + turn), joints))
            .collect()
    }

    fn leg(&mut self, row: &[usize]) {
        let top = self.joints(&[&["hips", "spine1", "l_hip", "l_thigh_twist"]]);
        let thigh = self.joints(&[&["hips"], &LEG[..3]]);
        let shank = self.joints(&[&LEG[..4]]);
        let foot = self.joints(&[&LEG[2..]]);
        let crotch = self.vertex(v(0.0, 0.815, -0.012), top);
        let mut ring: Vec<usize> = std::iter::once(crotch)
            .chain(row.iter().rev().copied())
            .collect();
        let [hip, knee, ball, toe] = [HIP, KNEE, BALL, TOE].map(V3::from);
        // Center, half width, half depth.
        let rings = [
            (hip + (knee - hip) * 0.36, 0.072, 0.078, thigh),
            (hip + (knee - hip) * 0.75, 0.056, 0.06, shank),
            (knee, 0.05, 0.052, shank),
            (v(0.105, 0.33, -0.02), 0.05, 0.05, shank),
            (v(0.106, 0.115, -0.022), 0.034, 0.042, foot),
            (v(0.107, 0.062, -0.026), 0.034, 0.045, foot),
            (v(0.107, 0.004, -0.028), 0.028, 0.04, foot),
        ];
        // The ring starts at the inner side and runs over the back to the outer side.
        let mut foot_rows = Vec::new();
        for (center, width, depth, joints) in rings {
            let next = self.ring(center, [-V3::x() * width, -V3::z() * depth], 8, 0.0, joints);
            self.tube(&ring, &next, true);
            foot_rows = vec![ring, next.clone()];
            ring = next;
        }
        // The heel is closed below; the foot grows from its front.
        let center = self.vertex(v(0.107, 0.0, -0.028), foot);
        for k in [0, 2, 4, 6] {
            self.cage
                .faces
                .push([ring[(k + 7) % 8], ring[k], ring[k + 1], center]);
        }
        let (upper, lower) = (&foot_rows[0], &foot_rows[1]);
        let holes = [5, 6].map(|k| [upper[k], upper[k + 1], lower[k + 1], lower[k]]);
        self.cage.faces.retain(|face| !holes.contains(face));
        let mut ring = vec![upper[5], upper[6], upper[7], lower[7], lower[6], lower[5]];
        for (center, width, above, below) in [
            (v(0.111, 0.0, 0.045), 0.036, 0.062, 0.002),
            (ball, 0.042, 0.024, 0.026),
            (toe - v(0.0, 0.0, 0.006), 0.028, 0.012, 0.018),
        ] {
            let next = [
                (1.0, above),
                (0.0, above),
                (-1.0, above),
                (-1.0, -below),
                (0.0, -below),
                (1.0, -below),
            ]
            .map(|(side, height)| self.vertex(center + v(side * width, height, 0.0), foot));
            self.tube(&ring, &next, true);
            ring = next.to_vec();
        }
        self.cage.faces.extend([
            [ring[0], ring[1], ring[4], ring[5]],
            [ring[1], ring[2], ring[3], ring[4]],
        ]);
    }
}
