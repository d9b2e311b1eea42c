//! The extension `FB_momentum`, with which Momentum and PyMomentum keep a character in a glTF file.
//!
//! The document has `transform`, `parameterSet`, `parameterLimits`, `motion`, `fps` and `metadata`; a
//! node says whether it is a joint, a locator or a solid; a primitive has texture triangles and names of
//! morph targets. Lengths inside the extension are centimetres, except in ellipsoid limits; what is a
//! node's transform is metres as everywhere in glTF.

use std::collections::HashMap;
use std::sync::Arc;

use super::accessor::Data;
use super::nodes::Node;
use super::own::{self, Own};
use crate::character::{
    Character, CharacterParts, CollisionGeometry, CollisionShape, JointPhysicalProperties,
    LimitKind, Locator, PARAMETERS_PER_JOINT, ParameterLimit, ParameterTransform, Skeleton, Unit,
};
use crate::error::{Error, Result};
use crate::io::json::Item;

pub(super) const NAME: &str = "FB_momentum";
pub(super) const CENTIMETERS: f64 = 100.0;
pub(super) const JOINT_PARAMETERS: [&str; PARAMETERS_PER_JOINT] =
    ["tx", "ty", "tz", "rx", "ry", "rz", "sc"];

/// StoredMotion as model parameters, as Momentum stores it beside the animation that other readers see.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMotion {
    /// Frames a second.
    pub fps: f64,
    /// The parameters that `poses` gives.
    pub parameter_names: Vec<String>,
    /// `(n_frames, n_parameters)`; parameters that are lengths are in the character's unit.
    pub poses: Vec<f64>,
    /// The joints that `offsets` are for.
    pub joint_names: Vec<String>,
    /// `(n_joints, 7)` joint parameters to be added in every frame; may be empty.
    pub offsets: Vec<f64>,
    /// Seconds of each frame, where they are not even from 0.
    pub times: Vec<f64>,
    /// Microseconds of each frame by the clock of the recording; empty where the file does not say.
    pub timestamps: Vec<i64>,
    /// Whether the poses are in single precision, as those of Momentum are.
    pub is_single: bool,
}

impl StoredMotion {
    /// The number of frames.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.poses
            .len()
            .checked_div(self.parameter_names.len())
            .unwrap_or(0)
    }

    /// The poses as `(n_frames, n_parameters)` in the order of `names`; 0 for a name that they do not
    /// give.
    #[must_use]
    pub fn model_parameters(&self, names: &[String]) -> Vec<f64> {
        if names == self.parameter_names {
            return self.poses.clone();
        }
        let places: Vec<Option<usize>> = names
            .iter()
            .map(|name| self.parameter_names.iter().position(|known| known == name))
            .collect();
        let value = |frame: usize, place: Option<usize>| {
            place.map_or(0.0, |place| {
                self.poses[frame * self.parameter_names.len() + place]
            })
        };
        (0..self.n_frames())
            .flat_map(|frame| places.iter().map(move |&place| value(frame, place)))
            .collect()
    }

    /// The offsets as `(n_joints, 7)` joint parameters of `skeleton`; 0 for a joint that they do not
    /// give.
    #[must_use]
    pub fn identity(&self, skeleton: &Skeleton) -> Vec<f64> {
        let mut identity = vec![0.0; skeleton.len() * PARAMETERS_PER_JOINT];
        let rows = self.offsets.as_chunks::<PARAMETERS_PER_JOINT>().0;
        for (name, row) in self.joint_names.iter().zip(rows) {
            if let Some(joint) = skeleton.joint_index(name) {
                identity[joint * PARAMETERS_PER_JOINT..][..PARAMETERS_PER_JOINT]
                    .copy_from_slice(row);
            }
        }
        identity
    }

    /// Puts what the poses were before they were rounded in their place.
    pub(super) fn refine(&mut self, item: &Item<'_>, data: &Data<'_>) -> Result<()> {
        let sized = |place: &Item<'_>, got: usize, expected: usize| match got == expected {
            true => Ok(()),
            false => Err(Error::format(
                &place.path,
                format!("{expected} numbers"),
                got,
            )),
        };
        if let Some(place) = item.get("offsets") {
            let offsets = own::doubles(data, &place)?;
            sized(&place, offsets.len(), self.offsets.len())?;
            self.offsets = offsets;
        }
        if let Some(place) = item.get("times") {
            let times = own::doubles(data, &place)?;
            sized(&place, times.len(), self.n_frames())?;
            self.times = times;
        }
        if let Some(double) = item.get("double") {
            self.is_single = !double.bool()?;
        }
        let Some(place) = item.get("values") else {
            return Ok(());
        };
        let count = self.parameter_names.len();
        let columns = item.need("columns")?.items()?;
        let columns = columns.iter().map(|at| at.index("parameterNames", count));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let values = own::array(data, &place)?;
        let expected = columns.len().checked_mul(self.n_frames());
        sized(&place, values.len(), expected.unwrap_or(usize::MAX))?;
        let mut values = values.iter();
        for pose in self.poses.chunks_exact_mut(count.max(1)) {
            for (&column, value) in columns.iter().zip(&mut values) {
                pose[column] = value;
            }
        }
        Ok(())
    }

    /// The same of a character whose lengths are in another unit.
    pub(super) fn in_unit(mut self, character: &Character, unit: Unit) -> Self {
        let factor = unit.per_meter() / character.unit.per_meter();
        if factor != 1.0 {
            self.scale(character, factor);
        }
        self
    }

    /// Multiplies all lengths.
    fn scale(&mut self, character: &Character, factor: f64) {
        let transform = &character.parameter_transform;
        let lengths = transform.length_parameters();
        let known = transform.names().iter().map(String::as_str).zip(lengths);
        let known: HashMap<&str, bool> = known.collect();
        let is_length = |name: &String| known.get(name.as_str()) == Some(&true);
        let is_length: Vec<bool> = self.parameter_names.iter().map(is_length).collect();
        let columns: Vec<usize> = (0..is_length.len()).filter(|&at| is_length[at]).collect();
        for pose in self.poses.chunks_exact_mut(is_length.len().max(1)) {
            columns.iter().for_each(|&at| pose[at] *= factor);
        }
        for joint in self.offsets.chunks_exact_mut(PARAMETERS_PER_JOINT) {
            joint[..3].iter_mut().for_each(|x| *x *= factor);
        }
    }
}

/// What a node is for Momentum: `skeleton_joint`, `locator`, `collision_capsule`, ...
pub(super) fn kind<'a>(node: &Node<'a>) -> Option<(&'a str, Item<'a>)> {
    let extension = node.extension(NAME).or_else(|| node.extension(own::NAME))?;
    Some((extension.get("type")?.value.as_str()?, extension))
}

/// Whether the document seems to have motion as model parameters.
pub(super) fn has_motion(root: &Item<'_>) -> bool {
    let extension = root.get("extensions").and_then(|all| all.get(NAME));
    extension.is_some_and(|extension| extension.get("motion").is_some())
}

/// Whether the document was written by Momentum with joints of its own.
pub(super) fn has_joints(root: &Item<'_>, nodes: &[Node<'_>]) -> bool {
    root.get("extensions")
        .is_some_and(|extensions| extensions.get(NAME).is_some())
        && nodes
            .iter()
            .any(|node| matches!(kind(node), Some(("skeleton_joint", _))))
}

/// What the extension adds to a character.
pub(super) struct Additions {
    /// In centimetres: transform, limits, locators, solids and metadata.
    character: Character,
    motion: Option<StoredMotion>,
}

impl Additions {
    /// Puts what was read onto a character in metres; gives the motion in `unit`.
    pub fn apply(self, parts: &mut CharacterParts, unit: Unit) -> Option<StoredMotion> {
        let to_unit = unit.per_meter() / CENTIMETERS;
        let motion = self.motion.map(|mut motion| {
            if to_unit != 1.0 {
                motion.scale(&self.character, to_unit);
            }
            motion
        });
        let metric = self.character.in_unit(Unit::Meter);
        parts.parameter_transform = metric.parameter_transform.clone();
        parts.parameter_limits = metric.parameter_limits.clone();
        parts.locators = metric.locators.clone();
        parts.collision_geometry = metric.collision_geometry.clone();
        parts.metadata = metric.metadata.clone();
        parts.physical_properties = metric.physical_properties.clone();
        motion
    }
}

/// Where a character is in a file.
pub(super) struct Place<'p, 'a> {
    pub nodes: &'p [Node<'a>],
    /// The nodes that may be locators and solids.
    pub in_scene: &'p [usize],
    /// The joint that a node hangs on.
    pub joint_of: &'p dyn Fn(usize) -> Option<usize>,
    /// What we have put beside the extension.
    pub own: Option<&'p Own<'a>>,
}

/// Reads the extension; `skeleton` is in metres.
pub(super) fn read(
    root: &Item<'_>,
    data: &Data<'_>,
    place: &Place<'_, '_>,
    skeleton: &Skeleton,
    warnings: &mut Vec<String>,
) -> Result<Additions> {
    let Place {
        nodes,
        in_scene,
        joint_of,
        own,
    } = *place;
    let extension = root.need("extensions")?.need(NAME)?;
    let transform = match extension.get("transform") {
        Some(transform) => read_transform(&transform, skeleton)?,
        None => ParameterTransform::identity(skeleton),
    };
    let transform = match extension.get("parameterSet") {
        Some(sets) => add_sets(&sets, transform)?,
        None => transform,
    };
    let names = Lookup {
        parameters: transform
            .names()
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), at))
            .collect(),
        skeleton,
    };
    let mut limits = Vec::new();
    for limit in extension.list("parameterLimits")? {
        limits.push(read_limit(&limit, &names)?);
    }
    if let Some(constraints) = extension.get("poseConstraints")
        && constraints.value.as_object().is_some_and(|o| !o.is_empty())
    {
        warnings.push(format!("{}: left out", constraints.path));
    }
    let motion = read_motion(&extension, data)?;
    let mut parts = CharacterParts::new("", skeleton.scaled(CENTIMETERS), transform.clone());
    parts.unit = Unit::Centimeter;
    parts.parameter_limits = Arc::new(limits);
    if let Some(metadata) = extension.get("metadata") {
        parts.metadata = match metadata.value.as_str() {
            Some(text) => text.to_owned(),
            None => metadata.value.to_string(),
        };
    }
    let (mut locators, mut solids) = (Vec::new(), Vec::new());
    let mut bodies = Vec::new();
    let order = |node: usize| own.and_then(|own| own.order.get(&node).copied());
    for &at in in_scene {
        let node = &nodes[at];
        let Some((kind, extension)) = kind(node) else {
            continue;
        };
        if let (Some(item), Some(joint)) = (extension.get("physicalProperties"), joint_of(at)) {
            bodies.push(read_body(&item, joint)?);
        }
        let parent = node.parent.and_then(joint_of);
        match kind {
            "skeleton_joint" | "marker" => {}
            "locator" => {
                let parent = parent.ok_or_else(|| {
                    Error::format(&node.item.path, "a locator below a joint", "none above it")
                })?;
                locators.push((order(at), read_locator(node, &extension, parent)?));
            }
            "collision_capsule" | "collision_ellipsoid" | "collision_box" => {
                solids.push((order(at), read_solid(node, kind, &extension, parent)?));
            }
            _ => warnings.push(format!("{}: type '{kind}' is left out", extension.path)),
        }
    }
    // Momentum keeps them in the order of their joints, and we as they were.
    locators.sort_by_key(|(order, locator)| (*order, locator.parent));
    solids.sort_by_key(|(order, solid)| (*order, solid.parent));
    parts.locators = Arc::new(locators.into_iter().map(|(_, locator)| locator).collect());
    parts.collision_geometry = Arc::new(solids.into_iter().map(|(_, solid)| solid).collect());
    parts.physical_properties = Arc::new(bodies);
    Ok(Additions {
        character: Character::new(parts)?,
        motion,
    })
}

/// Names to indices.
struct Lookup<'a> {
    parameters: HashMap<&'a str, usize>,
    skeleton: &'a Skeleton,
}

impl Lookup<'_> {
    fn parameter(&self, item: &Item<'_>) -> Result<usize> {
        let found = self.parameters.get(item.str()?).copied();
        found.ok_or_else(|| item.wrong("the name of a parameter"))
    }

    fn joint(&self, item: &Item<'_>) -> Result<usize> {
        self.skeleton
            .joint_index(item.str()?)
            .ok_or_else(|| item.wrong("the name of a joint"))
    }
}

fn joint_parameter(item: &Item<'_>) -> Result<usize> {
    let found = match item.value.as_str() {
        Some(name) => JOINT_PARAMETERS.iter().position(|known| *known == name),
        None => Some(item.integer()?).filter(|&at| at < PARAMETERS_PER_JOINT),
    };
    found.ok_or_else(|| item.wrong("tx, ty, tz, rx, ry, rz or sc"))
}

fn read_transform(item: &Item<'_>, skeleton: &Skeleton) -> Result<ParameterTransform> {
    let mut names = Vec::new();
    for name in item.need("parameters")?.items()? {
        names.push(name.str()?.to_owned());
    }
    let columns: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), at))
        .collect();
    let lookup = Lookup {
        parameters: columns,
        skeleton,
    };
    let mut entries = Vec::new();
    let joints = item.get("joints").map(|joints| joints.entries());
    for (name, joint_item) in joints.transpose()?.unwrap_or_default() {
        let Some(joint) = skeleton.joint_index(name) else {
            return Err(Error::format(
                &joint_item.path,
                "the name of a joint",
                format!("{name:?}"),
            ));
        };
        for (name, channel) in joint_item.entries()? {
            let Some(which) = JOINT_PARAMETERS.iter().position(|known| *known == name) else {
                return Err(Error::format(
                    &channel.path,
                    "tx, ty, tz, rx, ry, rz or sc",
                    format!("{name:?}"),
                ));
            };
            for (name, value) in channel.entries()? {
                let Some(&column) = lookup.parameters.get(name) else {
                    return Err(Error::format(
                        &value.path,
                        "the name of a parameter",
                        format!("{name:?}"),
                    ));
                };
                let row = joint * PARAMETERS_PER_JOINT + which;
                entries.push((row, column, value.number()?));
            }
        }
    }
    drop(lookup);
    let count = names.len();
    let transform = ParameterTransform::new(names, skeleton.len(), entries)?;
    let columns = |key: &str| match item.get(key) {
        Some(columns) => own::read_columns(&columns, count),
        None => Ok(Vec::new()),
    };
    let blend_shapes = columns("blendShapeParameters")?;
    let face_expressions = columns("faceExpressionParameters")?;
    transform.with_columns(blend_shapes, face_expressions, Vec::new())
}

fn add_sets(item: &Item<'_>, mut transform: ParameterTransform) -> Result<ParameterTransform> {
    for (name, members) in item.entries()? {
        let mut mask = vec![false; transform.len()];
        for member in members.items()? {
            // Momentum passes over names that the transform does not have, and so do we.
            let member = member.str()?;
            if let Some(at) = transform.names().iter().position(|own| own == member) {
                mask[at] = true;
            }
        }
        transform = transform.with_parameter_set(name, mask)?;
    }
    Ok(transform)
}

/// Where a linear limit applies; everywhere without bounds.
fn limit_range(item: &Item<'_>) -> Result<[f64; 2]> {
    let bound = |key: &str| item.get(key).map(|bound| bound.number()).transpose();
    let free = f64::from(f32::MAX);
    Ok(match (bound("rangeMin")?, bound("rangeMax")?) {
        (None, None) => [0.0, 0.0],
        (low, high) => [low.unwrap_or(-free), high.unwrap_or(free)],
    })
}

fn read_limit(item: &Item<'_>, names: &Lookup<'_>) -> Result<ParameterLimit> {
    let kind = item.need("type")?;
    let number = |key: &str| item.need(key)?.number();
    let parameter = |key: &str| names.parameter(&item.need(key)?);
    let joint = |key: &str| names.joint(&item.need(key)?);
    let limits = || item.need("limits")?.numbers::<2>();
    let of_joint = |joint_key: &str, parameter_key: &str| -> Result<[usize; 2]> {
        let which = joint_parameter(&item.need(parameter_key)?)?;
        Ok([joint(joint_key)?, which])
    };
    let ellipsoid = |parent_key: &str, matrix_key: &str| -> Result<LimitKind> {
        let mut ellipsoid = [0.0; 16];
        let columns = item.need(matrix_key)?;
        let list = columns.items()?;
        if list.len() != 4 {
            return Err(columns.wrong("four columns"));
        }
        for (at, column) in list.iter().enumerate() {
            for (row, value) in column.numbers::<4>()?.into_iter().enumerate() {
                let unit = if at == 3 && row < 3 { CENTIMETERS } else { 1.0 };
                ellipsoid[row * 4 + at] = value * unit;
            }
        }
        Ok(LimitKind::Ellipsoid {
            ellipsoid_parent: joint(parent_key)?,
            parent: joint("parent")?,
            offset: item
                .need("offset")?
                .numbers::<3>()?
                .map(|x| x * CENTIMETERS),
            ellipsoid,
        })
    };
    let kind = match kind.str()? {
        "minmax" => LimitKind::MinMax {
            parameter: parameter("parameter")?,
            range: limits()?,
        },
        "minmax_joint" => {
            let [joint, joint_parameter] = of_joint("jointIndex", "jointParameter")?;
            LimitKind::MinMaxJoint {
                joint,
                joint_parameter,
                range: limits()?,
            }
        }
        "minmax_joint_passive" => {
            let [joint, joint_parameter] = of_joint("jointIndex", "jointParameter")?;
            LimitKind::MinMaxJointPassive {
                joint,
                joint_parameter,
                range: limits()?,
            }
        }
        "linear" => LimitKind::Linear {
            reference: parameter("referenceParameter")?,
            target: parameter("targetParameter")?,
            scale: number("scale")?,
            offset: number("offset")?,
            range: limit_range(item)?,
        },
        "linear_joint" => LimitKind::LinearJoint {
            reference: of_joint("referenceJoint", "referenceJointParameter")?,
            target: of_joint("targetJoint", "targetJointParameter")?,
            scale: number("scale")?,
            offset: number("offset")?,
            range: limit_range(item)?,
        },
        "half_plane" => LimitKind::HalfPlane {
            parameters: [parameter("param1")?, parameter("param2")?],
            normal: item.need("normal")?.numbers()?,
            offset: number("offset")?,
        },
        "ellipsoid" => ellipsoid("ellipsoidParent", "ellipsoid")?,
        // As older versions spelled it.
        "elipsoid" => ellipsoid("elipsoidParent", "elipsoid")?,
        _ => return Err(kind.wrong("a type of limit that Momentum has")),
    };
    let weight = item
        .get("weight")
        .map_or(Ok(0.0), |weight| weight.number())?;
    Ok(ParameterLimit { kind, weight })
}

/// A node's rest translation in centimetres.
fn place(node: &Node<'_>) -> [f64; 3] {
    (node.local.translation * CENTIMETERS).into()
}

fn read_locator(node: &Node<'_>, item: &Item<'_>, parent: usize) -> Result<Locator> {
    let mut locator = Locator::new(node.name.clone(), parent, place(node));
    if let Some(weight) = item.get("weight") {
        locator.weight = weight.number()?;
    }
    if let Some(origin) = item.optional_numbers("limitOrigin")? {
        locator.limit_origin = origin;
    }
    if let Some(weight) = item.optional_numbers("limitWeight")? {
        locator.limit_weight = weight;
    }
    if let Some(locked) = item.optional_numbers::<3>("locked")? {
        locator.locked = locked.map(|axis| axis != 0.0);
    }
    if let Some(attached) = item.get("attachedToSkin") {
        locator.attached_to_skin = attached.bool()?;
    }
    if let Some(offset) = item.get("skinOffset") {
        locator.skin_offset = offset.number()?;
    }
    Ok(locator)
}

fn read_solid(
    node: &Node<'_>,
    kind: &str,
    item: &Item<'_>,
    parent: Option<usize>,
) -> Result<CollisionGeometry> {
    let shape = match kind {
        "collision_capsule" => CollisionShape::TaperedCapsule {
            radius: item.need("radius")?.numbers()?,
            length: item.need("length")?.number()?,
        },
        "collision_ellipsoid" => CollisionShape::Ellipsoid {
            radii: item.need("radii")?.numbers()?,
        },
        _ => CollisionShape::Box {
            half_extents: item.need("halfExtents")?.numbers()?,
        },
    };
    let whole = node.extension(own::NAME);
    let whole = whole.and_then(|item| item.get("transformation"));
    let transformation = match whole {
        Some(matrix) => {
            let mut matrix = matrix.numbers::<16>()?;
            for at in [3, 7, 11] {
                matrix[at] *= CENTIMETERS;
            }
            matrix
        }
        None => {
            let mut matrix = node.local.rotation.to_homogeneous();
            matrix
                .fixed_view_mut::<3, 1>(0, 3)
                .copy_from(&(node.local.translation * CENTIMETERS));
            std::array::from_fn(|at| matrix[(at / 4, at % 4)])
        }
    };
    Ok(CollisionGeometry {
        parent,
        transformation,
        shape,
    })
}

/// What a joint weighs, as newer versions of Momentum store it.
fn read_body(item: &Item<'_>, joint: usize) -> Result<JointPhysicalProperties> {
    let inertia = item.need("inertia")?;
    let moment = |key: &str| inertia.need(key)?.number();
    let [xx, xy, xz] = [moment("ixx")?, moment("ixy")?, moment("ixz")?];
    let [yy, yz, zz] = [moment("iyy")?, moment("iyz")?, moment("izz")?];
    let [w, x, y, z] = item.need("inertiaRotation")?.numbers()?;
    let turn = super::nodes::unit_quaternion([x, y, z, w])
        .ok_or_else(|| item.wrong("an inertiaRotation that is not of length 0"))?;
    Ok(JointPhysicalProperties {
        mass: item.need("mass")?.number()?,
        center_of_mass_offset: item.need("centerOfMass")?.numbers()?,
        inertia: [xx, xy, xz, xy, yy, yz, xz, yz, zz],
        inertia_rotation: turn.coords.into(),
        joint_name: String::new(),
        joint_index: Some(joint),
    })
}

fn read_motion(extension: &Item<'_>, data: &Data<'_>) -> Result<Option<StoredMotion>> {
    let Some(item) = extension.get("motion") else {
        return Ok(None);
    };
    let n_frames = item.get("nframes").map_or(Ok(0), |count| count.integer())?;
    let strings = |key: &str| -> Result<Vec<String>> {
        let names = item.list(key)?;
        let names = names.iter().map(|name| Ok(name.str()?.to_owned()));
        names.collect()
    };
    // Momentum writes -1 where there is none.
    let present = |key: &str| item.get(key).filter(|item| item.value.as_i64() != Some(-1));
    let values = |place: &Item<'_>, wanted: Option<usize>| -> Result<Vec<f64>> {
        let kinds = ["SCALAR", "VEC2", "VEC3", "VEC4", "MAT4"];
        let index = data.float_reference(place, &kinds, false)?;
        let values = data.finite_reals(index)?;
        if wanted != Some(values.len()) {
            return Err(Error::format(
                &place.path,
                format!("{} numbers", wanted.unwrap_or(usize::MAX)),
                values.len(),
            ));
        }
        Ok(values.into_iter().map(f64::from).collect())
    };
    let (parameter_names, poses) = match present("poses") {
        Some(place) if n_frames > 0 => {
            let names = strings("parameterNames")?;
            let poses = values(&place, names.len().checked_mul(n_frames))?;
            (names, poses)
        }
        _ => Default::default(),
    };
    let (joint_names, offsets) = match present("offsets") {
        Some(place) => {
            let names = strings("jointNames")?;
            let offsets = values(&place, names.len().checked_mul(PARAMETERS_PER_JOINT))?;
            (names, offsets)
        }
        None => Default::default(),
    };
    if poses.is_empty() && offsets.is_empty() {
        return Ok(None);
    }
    let timestamps = item.list("timestamps")?;
    let timestamps = timestamps
        .iter()
        .map(|time| time.value.as_i64().ok_or_else(|| time.wrong("an integer")));
    let fps = extension.get("fps").map_or(Ok(0.0), |fps| fps.number())?;
    Ok(Some(StoredMotion {
        fps,
        parameter_names,
        poses,
        joint_names,
        offsets,
        times: Vec::new(),
        timestamps: timestamps.collect::<Result<_>>()?,
        is_single: true,
    }))
}
