//! URDF, the unified robot description format: links, joints, limits, masses and shapes, read and written.
//!
//! * `raw`: what the file stores
//! * `tree`: the order of the links; which joints follow which
//! * `joints`: the skeleton and its parameters
//! * `bodies`: masses, solids and what is seen
//! * `write`: a character as URDF
//!
//! Each link becomes a joint of its name whose frame is the link's. A model parameter is the value of a
//! joint of the file and has its name; `floating` joints have six (`_tx _ty _tz _rx _ry _rz`, angles as
//! everywhere here), `planar` ones three (`_x _y _yaw`, in the plane across the axis). A joint that mimics
//! another has none: the other's parameter drives both, and its offset is in the rest pose. An axis that is
//! none of x, y, z needs a joint more, named after the URDF joint: it turns, and the link's turns back.
//!
//! Metres, z up. Limits become limits of the parameters. Collision cylinders become capsules, which round
//! joints can have; collision meshes are left out. What is seen becomes one mesh, each vertex bound to its
//! link; mesh files are read when the robot is loaded from a path.

mod bodies;
mod joints;
mod raw;
mod tree;
mod write;

pub use write::save_character;

use std::sync::Arc;

use crate::character::{Character, CharacterParts};
use crate::error::{Error, Result};
use crate::io::xml::{self, Element};
use crate::io::{LoadOptions, Loaded, Source, Up};

/// Reads a robot as a character in metres.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what is there.
pub fn load_character(source: &Source<'_>, _options: &LoadOptions) -> Result<Loaded<Character>> {
    let text = source.text();
    let document = xml::parse(&text)?;
    let robot = raw::Robot::read(&Element::root(&document))?;
    let mut warnings = Vec::new();
    let built = joints::build(&robot, &mut warnings).map_err(Error::as_format)?;
    let mut parts = CharacterParts::new(robot.name.clone(), built.skeleton, built.transform);
    parts.parameter_limits = Arc::new(built.limits);
    parts.physical_properties = Arc::new(bodies::masses(&robot, &built.link_joints));
    let solids = bodies::solids(&robot, &built.link_joints, &mut warnings);
    parts.collision_geometry = Arc::new(solids);
    let worlds = parts.skeleton.rest_places();
    let seen = bodies::mesh(&robot, &built.link_joints, &worlds, source, &mut warnings)?;
    if let Some((mesh, weights)) = seen {
        parts.mesh = Some(Arc::new(mesh));
        parts.skin_weights = Some(Arc::new(weights));
    }
    Ok(Loaded {
        value: Character::new(parts)?,
        up: Up::Z,
        warnings,
    })
}
