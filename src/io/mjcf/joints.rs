//! From bodies and their joints to a skeleton and its parameters.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};

use super::joint::{Joint, Kind};
use super::model::{Body, Model};
use crate::character::{ParameterLimit, ParameterTransform, Skeleton};
use crate::error::Result;
use crate::io::nodes::Names;
use crate::io::rigid::{Rig, channel_along, frame_along};

/// A skeleton, what drives it, and where the bodies went.
pub(super) struct Built {
    pub skeleton: Skeleton,
    pub transform: ParameterTransform,
    pub limits: Vec<ParameterLimit>,
    /// The joint of each body; that of the world means nothing.
    pub body_joints: Vec<usize>,
}

/// A joint of ours that is not added yet: slides, then turns, then what stands still after them.
struct Open {
    /// The first of the file's joints that it is.
    name: Option<String>,
    place: Isometry3<f64>,
    /// A direction in the parent's frame, and the parameter along it.
    slides: Vec<(Vector3<f64>, usize)>,
    /// An axis of its own, the parameter about it, and the sign.
    turns: Vec<(usize, usize, f64)>,
    /// What the last turn turns about, in the frame of the body.
    anchor: Vector3<f64>,
    after: Isometry3<f64>,
}

impl Open {
    fn at(place: Isometry3<f64>) -> Self {
        Self {
            name: None,
            place,
            slides: Vec::new(),
            turns: Vec::new(),
            anchor: Vector3::zeros(),
            after: Isometry3::identity(),
        }
    }

    fn add(&self, rig: &mut Rig, name: String, parent: Option<usize>) -> usize {
        let joint = rig.add(name, parent, &self.place);
        for (direction, column) in &self.slides {
            rig.drive_along(joint, direction, *column, 1.0);
        }
        for &(channel, column, sign) in &self.turns {
            rig.drive(joint, 3 + channel, column, sign);
        }
        joint
    }

    /// Whether a hinge can be one more of the joint's own angles, which are applied as `Rz · Ry · Rx`.
    fn takes(&self, joint: &Joint<'_, '_>) -> bool {
        let last = self.turns.last().map(|turn| turn.0);
        let next = channel_along(&joint.axis).map(|(channel, _)| channel);
        next < last
            && next.is_some()
            && joint.reference == 0.0
            && joint.anchor == self.anchor
            && self.after.rotation == UnitQuaternion::identity()
    }
}

#[derive(Default)]
struct Builder {
    rig: Rig,
    /// Balls whose range is left out.
    n_cones: usize,
}

/// Makes one joint for each body, and one more above it for each of its joints that does not fit into that.
pub(super) fn build(model: &Model<'_, '_>, warnings: &mut Vec<String>) -> Result<Built> {
    let bodies = &model.bodies;
    let joints = || bodies.iter().flat_map(|body| &body.joints);
    let single = joints().filter(|joint| matches!(joint.kind, Kind::Slide | Kind::Hinge));
    let given = single.filter_map(|joint| joint.name.clone());
    let mut parameters = Names::new(given);
    let mut names = Names::new(bodies.iter().skip(1).map(|body| body.name.clone()));
    let mut builder = Builder::default();
    let mut body_joints = vec![0; bodies.len()];
    for (at, body) in bodies.iter().enumerate().skip(1) {
        let parent = (body.parent > 0).then(|| body_joints[body.parent]);
        body_joints[at] = builder.add_body(body, parent, &mut names, &mut parameters);
    }
    if builder.n_cones > 0 {
        warnings.push(format!(
            "the ranges of {} ball joints are left out: they bound one angle about any axis",
            builder.n_cones
        ));
    }
    let (skeleton, transform, limits) = builder.rig.finish()?;
    Ok(Built {
        skeleton,
        transform,
        limits,
        body_joints,
    })
}

impl Builder {
    fn add_body(
        &mut self,
        body: &Body<'_, '_>,
        parent: Option<usize>,
        names: &mut Names,
        parameters: &mut Names,
    ) -> usize {
        let mut parent = parent;
        let mut open = Open::at(body.place);
        for joint in &body.joints {
            let column = self.add_parameters(joint, &body.name, parameters);
            let name = joint.name.as_deref().unwrap_or(&body.name);
            if joint.kind == Kind::Free {
                // Its values are the place itself, not the difference from where the file puts the body.
                let free = self
                    .rig
                    .add(body.name.clone(), parent, &Isometry3::identity());
                for channel in 0..6 {
                    self.rig.drive(free, channel, column + channel, 1.0);
                }
                return free;
            }
            let is_fit = match joint.kind {
                Kind::Hinge => open.turns.is_empty() || open.takes(joint),
                _ => open.turns.is_empty(),
            };
            if !is_fit {
                let helper = names.fresh(open.name.as_deref().unwrap_or(name));
                parent = Some(open.add(&mut self.rig, helper, parent));
                open = Open::at(open.after);
            }
            open.name.get_or_insert_with(|| name.to_owned());
            open.join(joint, column);
        }
        if open.after == Isometry3::identity() {
            return open.add(&mut self.rig, body.name.clone(), parent);
        }
        let helper = names.fresh(open.name.as_deref().unwrap_or(&body.name));
        let helper = open.add(&mut self.rig, helper, parent);
        self.rig.add(body.name.clone(), Some(helper), &open.after)
    }

    /// The first of a joint's parameters.
    fn add_parameters(
        &mut self,
        joint: &Joint<'_, '_>,
        body: &str,
        parameters: &mut Names,
    ) -> usize {
        let first = self.rig.parameters.len();
        let parts: &[&str] = match joint.kind {
            Kind::Free => &["tx", "ty", "tz", "rx", "ry", "rz"],
            Kind::Ball => &["rx", "ry", "rz"],
            Kind::Slide | Kind::Hinge => {
                let name = match &joint.name {
                    Some(name) => name.clone(),
                    None => parameters.fresh(body),
                };
                self.rig.parameters.push(name);
                if let Some(range) = joint.range {
                    self.rig.limit(first, range);
                }
                return first;
            }
        };
        self.n_cones += usize::from(joint.range.is_some());
        let name = joint.name.as_deref().unwrap_or(body);
        for part in parts {
            let name = parameters.fresh(&format!("{name}_{part}"));
            self.rig.parameters.push(name);
        }
        first
    }
}

impl Open {
    /// Adds a joint that fits.
    fn join(&mut self, joint: &Joint<'_, '_>, column: usize) {
        match joint.kind {
            Kind::Slide => {
                let direction = self.place.rotation * joint.axis.into_inner();
                self.place.translation.vector -= direction * joint.reference;
                self.slides.push((direction, column));
            }
            Kind::Hinge if !self.turns.is_empty() => {
                if let Some((channel, sign)) = channel_along(&joint.axis) {
                    self.turns.push((channel, column, sign));
                }
            }
            Kind::Hinge => {
                self.turn_about(joint.anchor);
                let start = UnitQuaternion::from_axis_angle(&joint.axis, -joint.reference);
                self.place.rotation *= start;
                match channel_along(&joint.axis) {
                    Some((channel, sign)) => self.turns.push((channel, column, sign)),
                    None => {
                        let frame = frame_along(&joint.axis);
                        self.place.rotation *= frame;
                        self.turns.push((2, column, 1.0));
                        let back = Isometry3::from_parts(Vector3::zeros().into(), frame.inverse());
                        self.after = back * self.after;
                    }
                }
            }
            Kind::Ball => {
                self.turn_about(joint.anchor);
                for channel in [2, 1, 0] {
                    self.turns.push((channel, column + channel, 1.0));
                }
            }
            Kind::Free => {}
        }
    }

    /// Moves the joint to the point that turning leaves in its place.
    fn turn_about(&mut self, anchor: Vector3<f64>) {
        self.anchor = anchor;
        self.place.translation.vector += self.place.rotation * anchor;
        self.after = Isometry3::translation(-anchor.x, -anchor.y, -anchor.z);
    }
}
