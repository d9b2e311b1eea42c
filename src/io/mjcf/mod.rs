//! MJCF, the models of MuJoCo: bodies, joints, limits, masses and shapes, read.
//!
//! * `files`: the model's file and those that it includes
//! * `compiler`: options that bear on everything else
//! * `classes`: `<default>`, and elements as it fills them in
//! * `place`: where things are, in each form in which it can be said
//! * `assets`, `joint`, `geom`, `inertia`, `model`: what the file stores
//! * `joints`: the skeleton and its parameters
//!
//! Each body becomes a joint of its name whose frame is the body's; the world is none. A model parameter is
//! the value of a joint of the file as MuJoCo has it in `qpos` and has the joint's name (the body's where it
//! has none); `free` joints have six (`_tx _ty _tz _rx _ry _rz`, the place itself; angles as everywhere
//! here), `ball` joints three (`_rx _ry _rz`). So a character with all parameters zero is where MuJoCo puts
//! it with all of `qpos` zero: a free body lies at the origin, and `ref` is what the value is in the pose of
//! the file.
//!
//! Several joints of a body are one joint as long as they are slides, then hinges about z, y, x in this order
//! and at one point; one that does not fit is a joint more above the body's, named after it. So is one whose
//! axis is oblique or that does not turn about the body's origin.
//!
//! `<replicate>` makes its copies; `<composite>`, `<flexcomp>`, `<attach>` and what moves a model by itself are
//! left out with a warning. A part without a name is named after its body, a body without one `body_<number>`,
//! counted as MuJoCo does.
//!
//! Metres, z up. Ranges become limits of the parameters. Geoms that collide become solids (cylinders become
//! capsules, meshes are left out); geoms in the groups 0 to 2 are seen and become one mesh, each vertex bound
//! to its body; mesh files are read when the model is loaded from a path. Sites become locators.

mod assets;
mod classes;
mod compiler;
mod files;
mod geom;
mod inertia;
mod joint;
mod joints;
mod model;
mod place;

use std::borrow::Cow;
use std::sync::Arc;

use crate::character::{Character, CharacterParts, Locator};
use crate::error::{Error, Result};
use crate::io::nodes::Names;
use crate::io::rigid::{self, Placed};
use crate::io::{LoadOptions, Loaded, Source, Up};

/// Sections that move a model or measure it, and what else has no place in a character.
const LEFT_OUT: [&str; 10] = [
    "equality",
    "tendon",
    "actuator",
    "sensor",
    "contact",
    "deformable",
    "keyframe",
    "custom",
    "extension",
    "flex",
];

/// Reads a model as a character in metres.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what is there.
pub fn load_character(source: &Source<'_>, _options: &LoadOptions) -> Result<Loaded<Character>> {
    let texts = files::Texts::read(source)?;
    let files = files::Files::parse(&texts)?;
    let compiler = compiler::Compiler::read(&files)?;
    let classes = classes::Classes::read(&files)?;
    let assets = assets::Assets::read(&files, &compiler, &classes)?;
    let model = model::Model::read(&files, &compiler, &classes, &assets)?;
    let mut warnings = left_out(&files, &model, &assets, &compiler);

    let built = joints::build(&model, &mut warnings).map_err(Error::as_format)?;
    let joints = &built.body_joints;
    let name = files.root().attribute("model").map(str::to_owned);
    let name = name.unwrap_or_else(|| source.stem());
    let mut parts = CharacterParts::new(name, built.skeleton, built.transform);
    parts.parameter_limits = Arc::new(built.limits);
    let masses = inertia::masses(&model, joints, &compiler, &assets, source, &mut warnings);
    parts.physical_properties = Arc::new(masses);
    let solids = placed(&model, joints, |geom| geom.collides);
    parts.collision_geometry = Arc::new(rigid::solids(solids.into_iter(), &mut warnings));
    parts.locators = Arc::new(locators(&model, joints));
    let worlds = parts.skeleton.rest_places();
    let seen = placed(&model, joints, |geom| geom.is_seen);
    let load = |&mesh: &usize| {
        let triangles = assets.triangles(mesh, source)?;
        Ok((Cow::Borrowed(triangles), [1.0; 3]))
    };
    let progress = source.progress;
    let seen = rigid::mesh(seen.into_iter(), &worlds, load, progress, &mut warnings)?;
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

/// Geoms of a kind, on the joints of their bodies.
fn placed<'m>(
    model: &'m model::Model<'_, '_>,
    joints: &[usize],
    is_wanted: impl Fn(&geom::Geom<'_, '_>) -> bool,
) -> Vec<Placed<'m, usize>> {
    let mut found = Vec::new();
    for (at, (body, &joint)) in model.bodies.iter().zip(joints).enumerate() {
        let joint = (at > 0).then_some(joint);
        found.extend(
            body.geoms
                .iter()
                .filter(|geom| is_wanted(geom))
                .map(|geom| Placed {
                    joint,
                    place: geom.place,
                    form: &geom.form,
                    color: geom.color,
                }),
        );
    }
    found
}

fn locators(model: &model::Model<'_, '_>, joints: &[usize]) -> Vec<Locator> {
    let sites = || model.bodies.iter().flat_map(|body| &body.sites);
    let named = sites().filter_map(|site| site.name.clone());
    let mut names = Names::new(named);
    let mut locators = Vec::new();
    for (body, &joint) in model.bodies.iter().zip(joints) {
        for site in &body.sites {
            let name = match &site.name {
                Some(name) => name.clone(),
                None => names.fresh(&format!("{}_site", body.name)),
            };
            locators.push(Locator::new(name, joint, site.position.into()));
        }
    }
    locators
}

fn left_out(
    files: &files::Files<'_>,
    model: &model::Model<'_, '_>,
    assets: &assets::Assets<'_, '_>,
    compiler: &compiler::Compiler,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let sections = LEFT_OUT
        .iter()
        .filter(|name| !files.sections(name).is_empty());
    let sections: Vec<String> = sections.map(|name| format!("<{name}>")).collect();
    if !sections.is_empty() {
        warnings.push(format!("left out: {}", sections.join(", ")));
    }
    for (what, &count) in &model.left_out {
        warnings.push(match count {
            1 => format!("left out: {what}"),
            _ => format!("left out {count} times: {what}"),
        });
    }
    if assets.n_textures > 0 {
        warnings.push(format!("{} textures are left out", assets.n_textures));
    }
    if compiler.align_free {
        warnings.push(
            "'alignfree' is left out: free bodies keep their frames, and are not turned into \
             their principal axes"
                .into(),
        );
    }
    warnings
}
