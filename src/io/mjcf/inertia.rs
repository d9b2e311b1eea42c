//! What bodies weigh: as they say, or from their geoms.

use nalgebra::{Isometry3, Matrix3, SymmetricEigen, UnitQuaternion, Vector3};
use std::f64::consts::PI;

use super::assets::Assets;
use super::compiler::{Compiler, InertiaFrom};
use super::geom::{Geom, Weight};
use super::model::{Body, Model};
use super::place;
use crate::character::JointPhysicalProperties;
use crate::error::Result;
use crate::io::Source;
use crate::io::rigid::Form;
use crate::io::xml::Element;

/// A mass and how it is spread, about the axes of `place`.
#[derive(Clone)]
pub(super) struct Inertial {
    /// Inertia frame to body.
    pub place: Isometry3<f64>,
    pub mass: f64,
    pub inertia: Matrix3<f64>,
}

impl Inertial {
    /// Reads `<inertial>`.
    pub fn read(element: &Element<'_, '_>, compiler: &Compiler) -> Result<Self> {
        let mass = element.number("mass")?;
        let mass = mass.filter(|&mass| mass >= 0.0);
        let mass = mass.ok_or_else(|| element.wrong("a 'mass' of 0 or more", "none such"))?;
        let diagonal = element.numbers::<3>("diaginertia")?;
        let inertia = match element.numbers::<6>("fullinertia")? {
            Some([xx, yy, zz, xy, xz, yz]) => Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz),
            None => Matrix3::from_diagonal(&Vector3::from(diagonal.unwrap_or_default())),
        };
        Ok(Self {
            place: place::place(element, compiler)?,
            mass,
            inertia,
        })
    }
}

/// The mass of each body that has one, on the joint that stands for it.
pub(super) fn masses(
    model: &Model<'_, '_>,
    joints: &[usize],
    compiler: &Compiler,
    assets: &Assets<'_, '_>,
    source: &Source<'_>,
    warnings: &mut Vec<String>,
) -> Vec<JointPhysicalProperties> {
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for (body, &joint) in model.bodies.iter().zip(joints).skip(1) {
        let from_geoms = match compiler.inertia_from {
            InertiaFrom::Auto => body.inertial.is_none(),
            InertiaFrom::Geoms => true,
            InertiaFrom::Inertial => false,
        };
        let own = if from_geoms {
            of_geoms(body, compiler, assets, source).unwrap_or_else(|reason| {
                unknown.push(reason);
                None
            })
        } else {
            body.inertial.clone()
        };
        let bounds = compiler.bound_mass > 0.0 || compiler.bound_inertia > 0.0;
        let nothing = Inertial {
            place: Isometry3::identity(),
            mass: 0.0,
            inertia: Matrix3::zeros(),
        };
        if let Some(mut inertial) = own.or_else(|| bounds.then_some(nothing)) {
            adjust(&mut inertial, compiler);
            found.push((body, joint, inertial));
        }
    }
    if let Some(first) = unknown.first() {
        warnings.push(format!(
            "{} bodies have no mass, since it is not known; the first: {first}",
            unknown.len()
        ));
    }
    let total: f64 = found.iter().map(|(.., inertial)| inertial.mass).sum();
    if let Some(wanted) = compiler.total_mass {
        if unknown.is_empty() && total > 0.0 {
            for (.., inertial) in &mut found {
                inertial.mass *= wanted / total;
                inertial.inertia *= wanted / total;
            }
        } else {
            warnings.push("'settotalmass' is left out, since not all masses are known".into());
        }
    }
    let found = found.into_iter();
    found
        .map(|(body, joint, inertial)| {
            let turn = inertial.place.rotation.coords;
            JointPhysicalProperties {
                mass: inertial.mass,
                center_of_mass_offset: inertial.place.translation.vector.into(),
                inertia: std::array::from_fn(|at| inertial.inertia[(at / 3, at % 3)]),
                inertia_rotation: [turn.x, turn.y, turn.z, turn.w],
                joint_name: body.name.clone(),
                joint_index: Some(joint),
            }
        })
        .collect()
}

/// The least masses and moments, and moments that a body can have, where the file asks for them.
fn adjust(inertial: &mut Inertial, compiler: &Compiler) {
    inertial.mass = inertial.mass.max(compiler.bound_mass);
    if compiler.bound_inertia <= 0.0 && !compiler.balance_inertia {
        return;
    }
    let axes = SymmetricEigen::new(inertial.inertia);
    let mut moments = axes.eigenvalues.map(|x| x.max(compiler.bound_inertia));
    let sum = moments.sum();
    if compiler.balance_inertia && moments.iter().any(|x| 2.0 * x > sum) {
        moments = Vector3::repeat(sum / 3.0);
    }
    let turn = axes.eigenvectors;
    inertial.inertia = turn * Matrix3::from_diagonal(&moments) * turn.transpose();
}

/// The mass of a body's geoms together, about its own axes; an error says which geom's is not known.
fn of_geoms(
    body: &Body<'_, '_>,
    compiler: &Compiler,
    assets: &Assets<'_, '_>,
    source: &Source<'_>,
) -> std::result::Result<Option<Inertial>, String> {
    let [first, last] = compiler.inertia_groups;
    let mut parts = Vec::new();
    for geom in &body.geoms {
        let is_massless = matches!(geom.weight, Weight::Mass(0.0) | Weight::Density(0.0));
        if geom.group >= first && geom.group <= last && !is_massless {
            parts.push(of_geom(geom, assets, source)?);
        }
    }
    let mass: f64 = parts.iter().map(|part| part.mass).sum();
    if parts.is_empty() || mass <= 0.0 {
        return Ok(None);
    }
    if let [one] = &parts[..] {
        return Ok(Some(one.clone()));
    }
    let centers = parts
        .iter()
        .map(|part| part.place.translation.vector * part.mass);
    let center = centers.sum::<Vector3<f64>>() / mass;
    let inertias = parts.iter().map(|part| {
        let turn = part.place.rotation.to_rotation_matrix().into_inner();
        let away = part.place.translation.vector - center;
        turn * part.inertia * turn.transpose() + of_point(&away) * part.mass
    });
    Ok(Some(Inertial {
        place: Isometry3::from_parts(center.into(), UnitQuaternion::identity()),
        mass,
        inertia: inertias.sum(),
    }))
}

/// The moments of a mass of 1 at a point.
fn of_point(at: &Vector3<f64>) -> Matrix3<f64> {
    Matrix3::identity() * at.norm_squared() - at * at.transpose()
}

fn of_geom(
    geom: &Geom<'_, '_>,
    assets: &Assets<'_, '_>,
    source: &Source<'_>,
) -> std::result::Result<Inertial, String> {
    let mut place = geom.place;
    let (volume, moments) = match geom.form {
        Form::Ellipsoid([a, b, c]) => {
            let [a2, b2, c2] = [a, b, c].map(|x| x * x);
            let moments = Vector3::new(b2 + c2, a2 + c2, a2 + b2) / 5.0;
            (4.0 / 3.0 * PI * a * b * c, Matrix3::from_diagonal(&moments))
        }
        Form::Box([a, b, c]) => {
            let [a2, b2, c2] = [a, b, c].map(|x| x * x);
            let moments = Vector3::new(b2 + c2, a2 + c2, a2 + b2) / 12.0;
            (a * b * c, Matrix3::from_diagonal(&moments))
        }
        Form::Cylinder { radius, length } => {
            (PI * radius * radius * length, of_cylinder(radius, length))
        }
        Form::Capsule { radius, length } => {
            let straight = PI * radius * radius * length;
            let round = 4.0 / 3.0 * PI * radius.powi(3);
            let share = round / (straight + round);
            // Two half balls, each about its own centre of mass and moved to its end.
            let end = 0.4 * radius * radius;
            let aside = end + 0.25 * length * length + 0.375 * radius * length;
            let ends = Matrix3::from_diagonal(&Vector3::new(aside, aside, end));
            let moments = of_cylinder(radius, length) * (1.0 - share) + ends * share;
            (straight + round, moments)
        }
        Form::Mesh(at) => {
            let (volume, center, moments) = assets.solid(at, source)?;
            place.translation.vector += place.rotation * center;
            (volume, moments)
        }
    };
    let mass = match geom.weight {
        Weight::Mass(mass) => mass,
        Weight::Density(density) => density * volume,
        Weight::Shell => {
            let place = geom.element.place();
            return Err(format!("{place}: 'shellinertia' is not computed"));
        }
    };
    if !mass.is_finite() || moments.iter().any(|x| !x.is_finite()) {
        return Err(format!("{}: its mass is not finite", geom.element.place()));
    }
    Ok(Inertial {
        place,
        mass,
        inertia: moments * mass,
    })
}

/// The moments of a cylinder with a mass of 1.
fn of_cylinder(radius: f64, length: f64) -> Matrix3<f64> {
    let across = (3.0 * radius * radius + length * length) / 12.0;
    Matrix3::from_diagonal(&Vector3::new(across, across, 0.5 * radius * radius))
}
