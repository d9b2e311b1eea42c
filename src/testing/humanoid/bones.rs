//! Where the joints are and how their axes lie.

use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};

use crate::character::{Joint, Skeleton};
use crate::error::Result;

pub(super) type V3 = Vector3<f64>;

/// A joint with the stretch of body that it carries.
pub(super) struct Bone {
    pub name: String,
    pub parent: Option<usize>,
    /// World position of the joint in the rest pose.
    pub head: V3,
    /// World position of the end of what it carries.
    pub tail: V3,
    /// How thick the body is around it, at both ends.
    pub radius: [f64; 2],
    /// Its axes in the world.
    pub rotation: UnitQuaternion<f64>,
}

/// All bones, and the skeleton made of them.
pub(super) struct Bones {
    pub bones: Vec<Bone>,
    pub skeleton: Skeleton,
}

/// One side of the body: left is +x. Positions mirror as vectors do, axes of rotation as rotations do.
#[derive(Clone, Copy)]
pub(super) struct Side(pub f64);

impl Side {
    pub const BOTH: [Self; 2] = [Self(1.0), Self(-1.0)];

    pub fn prefix(self) -> &'static str {
        if self.0 > 0.0 { "l_" } else { "r_" }
    }

    pub fn point(self, v: V3) -> V3 {
        V3::new(self.0 * v.x, v.y, v.z)
    }

    fn axis(self, v: V3) -> V3 {
        V3::new(v.x, self.0 * v.y, self.0 * v.z)
    }
}

/// The frame of the left arm in the rest pose: along it, towards the back of the hand, forward.
pub(super) fn arm_frame() -> [V3; 3] {
    let (sin, cos) = 42.0_f64.to_radians().sin_cos();
    [V3::new(cos, -sin, 0.0), V3::new(sin, cos, 0.0), V3::z()]
}

pub(super) fn v(x: f64, y: f64, z: f64) -> V3 {
    V3::new(x, y, z)
}

pub(super) const SHOULDER: [f64; 3] = [0.172, 1.425, -0.02];
pub(super) const UPPER_ARM: f64 = 0.285;
pub(super) const FOREARM: f64 = 0.25;
pub(super) const KNEE: [f64; 3] = [0.102, 0.495, 0.008];
pub(super) const ANKLE: [f64; 3] = [0.106, 0.085, -0.022];
pub(super) const HIP: [f64; 3] = [0.09, 0.915, 0.0];
pub(super) const BALL: [f64; 3] = [0.116, 0.028, 0.11];
pub(super) const TOE: [f64; 3] = [0.12, 0.022, 0.185];

/// A finger of the left hand, in the frame of the arm from the wrist.
pub(super) struct Finger {
    pub name: &'static str,
    pub base: V3,
    pub direction: V3,
    pub lengths: [f64; 3],
    pub radius: [f64; 2],
    flexion: V3,
}

impl Finger {
    /// World position on the left hand, `along` metres from the knuckle.
    pub fn at(&self, along: f64) -> V3 {
        in_arm(self.base + self.direction * along)
    }

    pub fn length(&self) -> f64 {
        self.lengths.iter().sum()
    }
}

/// From little finger to index, then the thumb.
pub(super) fn fingers() -> [Finger; 5] {
    let flat = |name, along, across, degrees: f64, lengths, radius: f64| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Finger {
            name,
            base: v(along, -0.001, across),
            direction: v(cos, -0.06, sin).normalize(),
            lengths,
            radius: [radius, radius * 0.8],
            flexion: -V3::z(),
        }
    };
    [
        flat("pinky", 0.081, -0.0315, -9.0, [0.033, 0.021, 0.019], 0.0080),
        flat("ring", 0.089, -0.0115, -3.5, [0.041, 0.027, 0.021], 0.0089),
        flat("middle", 0.094, 0.0095, 1.0, [0.045, 0.029, 0.022], 0.0093),
        flat("index", 0.091, 0.0305, 5.5, [0.040, 0.026, 0.021], 0.0091),
        Finger {
            name: "thumb",
            base: v(0.026, -0.006, 0.028),
            direction: v(0.72, -0.22, 0.66).normalize(),
            lengths: [0.042, 0.032, 0.026],
            radius: [0.0125, 0.0088],
            flexion: v(0.0, 0.75, -0.66),
        },
    ]
}

/// From the frame of the left arm at the wrist to the world.
pub(super) fn in_arm(local: V3) -> V3 {
    let [along, up, forward] = arm_frame();
    wrist() + along * local.x + up * local.y + forward * local.z
}

/// The left wrist.
pub(super) fn wrist() -> V3 {
    V3::from(SHOULDER) + arm_frame()[0] * (UPPER_ARM + FOREARM)
}

impl Bones {
    pub fn new() -> Result<Self> {
        let mut builder = Builder(Vec::new());
        builder.trunk();
        for side in Side::BOTH {
            builder.arm(side);
        }
        for side in Side::BOTH {
            builder.leg(side);
        }
        let bones = builder.0;
        let joints = bones.iter().map(|bone| {
            let world =
                |bone: &Bone| Isometry3::from_parts(Translation3::from(bone.head), bone.rotation);
            let parent = bone
                .parent
                .map_or(Isometry3::identity(), |p| world(&bones[p]));
            let local = parent.inverse() * world(bone);
            let rotation = local.rotation.coords;
            Joint {
                name: bone.name.clone(),
                parent: bone.parent,
                pre_rotation: [rotation.x, rotation.y, rotation.z, rotation.w],
                translation_offset: local.translation.vector.into(),
            }
        });
        let skeleton = Skeleton::new(joints.collect())?;
        Ok(Self { bones, skeleton })
    }

    /// The joint called `name`; the names used here are those of this folder.
    pub fn index(&self, name: &str) -> usize {
        self.skeleton.joint_index(name).unwrap_or_default()
    }
}

struct Builder(Vec<Bone>);

impl Builder {
    fn add(&mut self, name: String, parent: &str, ends: [V3; 2], radius: [f64; 2], axes: Axes) {
        let rotation = match axes {
            Axes::World => UnitQuaternion::identity(),
            Axes::Bone(flexion) => {
                let x = (ends[1] - ends[0]).normalize();
                let z = (flexion - x * flexion.dot(&x)).normalize();
                let matrix = Matrix3::from_columns(&[x, z.cross(&x), z]);
                UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(matrix))
            }
        };
        self.0.push(Bone {
            parent: self.0.iter().position(|bone| bone.name == parent),
            name,
            head: ends[0],
            tail: ends[1],
            radius,
            rotation,
        });
    }

    fn trunk(&mut self) {
        let spine = [
            ("hips", v(0.0, 0.95, 0.0), [0.14, 0.125]),
            ("spine1", v(0.0, 1.05, -0.004), [0.12, 0.12]),
            ("spine2", v(0.0, 1.17, -0.01), [0.125, 0.13]),
            ("spine3", v(0.0, 1.30, -0.018), [0.13, 0.10]),
            ("neck1", v(0.0, 1.455, -0.022), [0.06, 0.056]),
            ("neck2", v(0.0, 1.515, -0.012), [0.056, 0.056]),
            ("head", v(0.0, 1.57, 0.0), [0.07, 0.08]),
        ];
        let top = v(0.0, 1.70, 0.01);
        for (at, &(name, head, radius)) in spine.iter().enumerate() {
            let tail = spine.get(at + 1).map_or(top, |next| next.1);
            let parent = if at == 0 { "" } else { spine[at - 1].0 };
            self.add(name.into(), parent, [head, tail], radius, Axes::World);
        }
        let jaw = [v(0.0, 1.592, 0.025), v(0.0, 1.553, 0.085)];
        self.add("jaw".into(), "head", jaw, [0.035, 0.03], Axes::World);
        for side in Side::BOTH {
            let eye = [v(0.032, 1.652, 0.078), v(0.032, 1.652, 0.09)].map(|p| side.point(p));
            let name = format!("{}eye", side.prefix());
            self.add(name, "head", eye, [0.012, 0.012], Axes::World);
        }
    }

    fn arm(&mut self, side: Side) {
        let [along, up, forward] = arm_frame();
        let name = |part: &str| format!("{}{part}", side.prefix());
        let shoulder = V3::from(SHOULDER);
        let at = |distance: f64| shoulder + along * distance;
        let knuckle = in_arm(v(0.092, 0.0, 0.0));
        let half = UPPER_ARM + FOREARM / 2.0;
        let chain = [
            (
                "clavicle",
                v(0.025, 1.425, 0.01),
                shoulder,
                [0.05, 0.06],
                v(0.0, -1.0, 0.0),
            ),
            (
                "shoulder",
                shoulder,
                at(UPPER_ARM / 2.0),
                [0.056, 0.047],
                -up,
            ),
            (
                "upper_arm_twist",
                at(UPPER_ARM / 2.0),
                at(UPPER_ARM),
                [0.047, 0.041],
                -up,
            ),
            ("elbow", at(UPPER_ARM), at(half), [0.041, 0.038], -up),
            ("forearm_twist", at(half), wrist(), [0.038, 0.027], -up),
            ("wrist", wrist(), knuckle, [0.026, 0.03], -forward),
        ];
        let mut parent = "spine3".to_owned();
        for (part, head, tail, radius, flexion) in chain {
            let ends = [side.point(head), side.point(tail)];
            self.add(
                name(part),
                &parent,
                ends,
                radius,
                Axes::Bone(side.axis(flexion)),
            );
            parent = name(part);
        }
        for finger in fingers() {
            let flexion =
                along * finger.flexion.x + up * finger.flexion.y + forward * finger.flexion.z;
            let mut start = 0.0;
            let mut parent = name("wrist");
            for (number, length) in finger.lengths.iter().enumerate() {
                let ends = [finger.at(start), finger.at(start + length)].map(|p| side.point(p));
                let own = name(&format!("{}{}", finger.name, number + 1));
                let radius = [finger.radius[0], finger.radius[1]];
                self.add(
                    own.clone(),
                    &parent,
                    ends,
                    radius,
                    Axes::Bone(side.axis(flexion)),
                );
                parent = own;
                start += length;
            }
        }
    }

    fn leg(&mut self, side: Side) {
        let name = |part: &str| format!("{}{part}", side.prefix());
        let [hip, knee, ankle, ball, toe] = [HIP, KNEE, ANKLE, BALL, TOE].map(V3::from);
        let middle = (hip + knee) / 2.0;
        let chain = [
            ("hip", hip, middle, [0.085, 0.075], -V3::x()),
            ("thigh_twist", middle, knee, [0.075, 0.054], -V3::x()),
            ("knee", knee, ankle, [0.054, 0.036], V3::x()),
            ("ankle", ankle, ball, [0.04, 0.03], -V3::x()),
            ("toes", ball, toe, [0.026, 0.02], -V3::x()),
        ];
        let mut parent = "hips".to_owned();
        for (part, head, tail, radius, flexion) in chain {
            let ends = [side.point(head), side.point(tail)];
            self.add(
                name(part),
                &parent,
                ends,
                radius,
                Axes::Bone(side.axis(flexion)),
            );
            parent = name(part);
        }
    }
}

enum Axes {
    /// As in the world: x to the left, y up, z forward.
    World,
    /// x along the bone, z as near as can be to this axis, about which it bends.
    Bone(V3),
}
