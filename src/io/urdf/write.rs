//! A character as URDF: each of its degrees of freedom is a joint, with massless links between those of one
//! place.

use nalgebra::{Isometry3, Matrix4, Rotation3, UnitQuaternion, Vector3};
use std::fmt::Write;

use super::joints::FREE;
use crate::character::{
    Character, CollisionShape, JointPhysicalProperties, LimitKind, PARAMETERS_PER_JOINT, Unit,
};
use crate::error::Result;
use crate::io::nodes::Names;
use crate::io::{SaveOptions, Saved};

/// Makes a robot of a character: skeleton, parameters, limits, masses and solids.
///
/// # Errors
/// None; what URDF cannot hold is left out with a warning.
pub fn save_character(character: &Character, options: &SaveOptions) -> Result<Saved> {
    let character = character.in_unit(Unit::Meter);
    let mut writer = Writer::new(&character, options);
    writer.links();
    let _ = writeln!(writer.text, "</robot>");
    Ok(Saved::new(writer.text.into_bytes(), writer.warnings))
}

/// A motion of one joint by one parameter.
struct Step {
    column: usize,
    /// The joint's value per parameter.
    factor: f64,
    axis: Vector3<f64>,
    turns: bool,
}

struct Writer<'a> {
    character: &'a Character,
    options: &'a SaveOptions,
    text: String,
    warnings: Vec<String>,
    names: Names,
    joint_names: Names,
    /// The joint that has each parameter's value, and its value per parameter.
    masters: Vec<Option<(String, f64)>>,
    ranges: Vec<Option<[f64; 2]>>,
}

impl<'a> Writer<'a> {
    fn new(character: &'a Character, options: &'a SaveOptions) -> Self {
        let transform = &character.parameter_transform;
        let mut ranges = vec![None; transform.len()];
        let mut warnings = Vec::new();
        for limit in character.parameter_limits.iter() {
            match limit.kind {
                LimitKind::MinMax { parameter, range } => ranges[parameter] = Some(range),
                _ => warnings.push("limits of other types than min and max are left out".into()),
            }
        }
        warnings.dedup();
        let left_out = [
            ("the mesh", options.mesh && character.mesh.is_some()),
            (
                "locators",
                options.locators && !character.locators.is_empty(),
            ),
            (
                "blend shapes",
                options.blend_shapes && character.blend_shape.is_some(),
            ),
        ];
        for (what, is_there) in left_out {
            if is_there {
                warnings.push(format!("{what}: left out"));
            }
        }
        let joints = character.skeleton.joints();
        let mut text = String::from("<?xml version=\"1.0\"?>\n");
        let _ = writeln!(text, "<robot name=\"{}\">", escaped(&character.name));
        Self {
            character,
            options,
            text,
            warnings,
            names: Names::new(joints.iter().map(|joint| joint.name.clone())),
            joint_names: Names::new(transform.names().iter().cloned()),
            masters: vec![None; transform.len()],
            ranges,
        }
    }

    fn links(&mut self) {
        let joints = self.character.skeleton.joints();
        let roots = joints.iter().filter(|joint| joint.parent.is_none()).count();
        let is_plain = |at: usize| {
            let joint = &joints[at];
            joint.translation_offset == [0.0; 3]
                && joint.pre_rotation == [0.0, 0.0, 0.0, 1.0]
                && self.steps(at).is_empty()
        };
        let world = (roots != 1 || !is_plain(0)).then(|| self.names.fresh("world"));
        if let Some(world) = &world {
            let _ = writeln!(self.text, "  <link name=\"{}\"/>", escaped(world));
        }
        for at in 0..joints.len() {
            self.link(at);
            let parent = joints[at].parent.map(|parent| joints[parent].name.clone());
            if let Some(parent) = parent.or_else(|| world.clone()) {
                self.chain(at, &parent);
            }
        }
        let scales = (0..joints.len()).any(|at| {
            let row = PARAMETERS_PER_JOINT * at + 6;
            self.character.parameter_transform.row(row).next().is_some()
        });
        if scales {
            self.warnings.push("scales of joints are left out".into());
        }
    }

    /// What moves a joint, in the order in which it does.
    fn steps(&self, at: usize) -> Vec<Step> {
        let transform = &self.character.parameter_transform;
        let row = |channel: usize| -> Vec<(usize, f64)> {
            transform.row(PARAMETERS_PER_JOINT * at + channel).collect()
        };
        let mut steps = Vec::new();
        // One parameter along any direction is one joint.
        let mut shifts: Vec<(usize, Vector3<f64>)> = Vec::new();
        for axis in 0..3 {
            for (column, factor) in row(axis) {
                match shifts.iter_mut().find(|(known, _)| *known == column) {
                    Some((_, direction)) => direction[axis] = factor,
                    None => {
                        let mut direction = Vector3::zeros();
                        direction[axis] = factor;
                        shifts.push((column, direction));
                    }
                }
            }
        }
        for (column, direction) in shifts {
            let length = direction.norm();
            steps.push(Step {
                column,
                factor: length,
                axis: direction / length,
                turns: false,
            });
        }
        for channel in [5, 4, 3] {
            for (column, factor) in row(channel) {
                let mut axis = Vector3::zeros();
                axis[channel - 3] = factor.signum();
                steps.push(Step {
                    column,
                    factor: factor.abs(),
                    axis,
                    turns: true,
                });
            }
        }
        steps
    }

    /// The joints from a parent's link to a joint's own.
    fn chain(&mut self, at: usize, parent: &str) {
        let joint = &self.character.skeleton.joints()[at];
        let [x, y, z, w] = joint.pre_rotation;
        let turn = UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, x, y, z));
        let offset = Vector3::from(joint.translation_offset);
        let mut origin = Isometry3::from_parts(offset.into(), UnitQuaternion::identity());
        let mut parent = parent.to_owned();
        let steps = self.steps(at);
        let last_shift = steps.iter().filter(|step| !step.turns).count();
        let count = steps.len();
        for (number, step) in steps.into_iter().enumerate() {
            let mut axis = step.axis;
            // Shifts are along the parent's axes. The rotation comes with the last of them, or the first turn.
            if number + 1 == last_shift || (number == 0 && last_shift == 0) {
                origin.rotation *= turn;
                if !step.turns {
                    axis = turn.inverse() * axis;
                }
            }
            let child = match number + 1 == count {
                true => joint.name.clone(),
                false => {
                    let between = self.names.fresh(&format!("{}_part", joint.name));
                    let _ = writeln!(self.text, "  <link name=\"{}\"/>", escaped(&between));
                    between
                }
            };
            let step = Step { axis, ..step };
            self.moving(&step, &parent, &child, &origin);
            parent = child;
            origin = Isometry3::identity();
        }
        if count == 0 {
            origin.rotation *= turn;
            let name = self.joint_names.fresh(&format!("{}_fixed", joint.name));
            self.open(&name, "fixed", &parent, &joint.name, &origin);
            let _ = writeln!(self.text, "  </joint>");
        }
    }

    fn open(&mut self, name: &str, kind: &str, parent: &str, child: &str, origin: &Isometry3<f64>) {
        let (name, parent, child) = (escaped(name), escaped(parent), escaped(child));
        let _ = writeln!(
            self.text,
            "  <joint name=\"{name}\" type=\"{kind}\">\n    <parent link=\"{parent}\"/>\n    \
             <child link=\"{child}\"/>\n    {}",
            origin_tag(origin)
        );
    }

    fn moving(&mut self, step: &Step, parent: &str, child: &str, origin: &Isometry3<f64>) {
        let parameter = &self.character.parameter_transform.names()[step.column];
        let master = self.masters[step.column].clone();
        let name = match &master {
            None => parameter.clone(),
            Some(_) => self.joint_names.fresh(&format!("{parameter}_of_{child}")),
        };
        let range = self.ranges[step.column];
        let kind = match (step.turns, range) {
            (true, None) => "continuous",
            (true, Some(_)) => "revolute",
            (false, _) => "prismatic",
        };
        self.open(&name, kind, parent, child, origin);
        let [x, y, z] = [step.axis.x, step.axis.y, step.axis.z].map(|x| x + 0.0);
        let _ = writeln!(self.text, "    <axis xyz=\"{x} {y} {z}\"/>");
        let needs_limit = kind != "continuous";
        let scale = step.factor;
        if needs_limit {
            let [low, high] = range.unwrap_or([-FREE / scale, FREE / scale]);
            let (low, high) = (low * scale, high * scale);
            let _ = writeln!(
                self.text,
                "    <limit lower=\"{low}\" upper=\"{high}\" effort=\"0\" velocity=\"0\"/>"
            );
        }
        match master {
            Some((master, value)) => {
                let _ = writeln!(
                    self.text,
                    "    <mimic joint=\"{}\" multiplier=\"{}\" offset=\"0\"/>",
                    escaped(&master),
                    scale / value
                );
            }
            None => {
                if (scale - 1.0).abs() > 1e-12 {
                    self.warnings.push(format!(
                        "joint '{name}': its value is {scale} times the parameter's"
                    ));
                }
                self.masters[step.column] = Some((name, scale));
            }
        }
        let _ = writeln!(self.text, "  </joint>");
    }

    fn link(&mut self, at: usize) {
        let name = escaped(&self.character.skeleton.joints()[at].name);
        let _ = writeln!(self.text, "  <link name=\"{name}\">");
        let bodies = self.character.physical_properties.iter();
        for body in bodies.filter(|body| body.joint_index == Some(at)).take(1) {
            inertial(&mut self.text, body);
        }
        if self.options.collisions {
            let solids = self.character.collision_geometry.iter();
            for solid in solids.filter(|solid| solid.parent == Some(at)) {
                collision(
                    &mut self.text,
                    &mut self.warnings,
                    &solid.shape,
                    &solid.transformation,
                );
            }
        }
        let _ = writeln!(self.text, "  </link>");
    }
}

fn inertial(text: &mut String, body: &JointPhysicalProperties) {
    let [x, y, z, w] = body.inertia_rotation;
    let turn = UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, x, y, z));
    let place = Isometry3::from_parts(Vector3::from(body.center_of_mass_offset).into(), turn);
    let [xx, xy, xz, _, yy, yz, _, _, zz] = body.inertia;
    let _ = writeln!(
        text,
        "    <inertial>\n      {}\n      <mass value=\"{}\"/>\n      <inertia ixx=\"{xx}\" ixy=\"{xy}\" \
         ixz=\"{xz}\" iyy=\"{yy}\" iyz=\"{yz}\" izz=\"{zz}\"/>\n    </inertial>",
        origin_tag(&place),
        body.mass
    );
}

fn collision(
    text: &mut String,
    warnings: &mut Vec<String>,
    shape: &CollisionShape,
    rows: &[f64; 16],
) {
    let matrix = Matrix4::from_row_slice(rows);
    let block = matrix.fixed_view::<3, 3>(0, 0).into_owned();
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix(&block));
    let mut place = Isometry3::from_parts(Vector3::new(rows[3], rows[7], rows[11]).into(), turn);
    let form = match *shape {
        CollisionShape::Box { half_extents } => {
            let [x, y, z] = half_extents.map(|x| 2.0 * x);
            format!("<box size=\"{x} {y} {z}\"/>")
        }
        CollisionShape::Ellipsoid { radii: [x, y, z] } => {
            let radius = (x * y * z).cbrt();
            if x != y || y != z {
                warnings.push("an ellipsoid has become a sphere of its volume".into());
            }
            format!("<sphere radius=\"{radius}\"/>")
        }
        CollisionShape::TaperedCapsule {
            radius: [start, end],
            length,
        } => {
            if start != end {
                warnings.push("a tapered capsule has become one of its mean radius".into());
            }
            // Along z around the middle.
            let quarter = std::f64::consts::FRAC_PI_2;
            let turn = UnitQuaternion::from_axis_angle(&Vector3::y_axis(), quarter);
            let middle = Vector3::new(0.5 * length, 0.0, 0.0);
            place *= Isometry3::from_parts(middle.into(), turn);
            let radius = 0.5 * (start + end);
            format!("<capsule radius=\"{radius}\" length=\"{length}\"/>")
        }
    };
    let _ = writeln!(
        text,
        "    <collision>\n      {}\n      <geometry>{form}</geometry>\n    </collision>",
        origin_tag(&place)
    );
}

/// `<origin>`, by fixed-axis angles as URDF has them.
fn origin_tag(place: &Isometry3<f64>) -> String {
    let [x, y, z] = place.translation.vector.into();
    let (roll, pitch, yaw) = place.rotation.euler_angles();
    format!("<origin xyz=\"{x} {y} {z}\" rpy=\"{roll} {pitch} {yaw}\"/>")
}

fn escaped(name: &str) -> String {
    name.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
