//! The geoms of bodies: what they collide with, what is seen, and what they weigh.

use nalgebra::{Isometry3, Unit, Vector3};

use super::assets::Assets;
use super::classes::Styled;
use super::compiler::Compiler;
use super::place::{TINY, direction, rotation, z_to};
use crate::error::Result;
use crate::io::rigid::Form;
use crate::io::xml::Element;

/// Of the six groups that a model's parts are in, a viewer shows those up to this one unless asked.
const LAST_SHOWN_GROUP: f64 = 2.0;

/// Water, kilograms a cubic metre: the density of a geom that says none.
const DENSITY: f64 = 1000.0;

/// A form on a body.
pub(super) struct Geom<'f, 'a> {
    /// What it was read from.
    pub element: Element<'f, 'a>,
    /// Geom to body.
    pub place: Isometry3<f64>,
    /// A mesh is a place in the list of the assets.
    pub form: Form<usize>,
    /// Red, green, blue; 0 to 1.
    pub color: Option<[f64; 3]>,
    pub collides: bool,
    pub is_seen: bool,
    pub group: f64,
    pub weight: Weight,
}

/// What a geom weighs.
pub(super) enum Weight {
    Mass(f64),
    Density(f64),
    /// That of its surface alone.
    Shell,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plane,
    Field,
    Sphere,
    Capsule,
    Ellipsoid,
    Cylinder,
    Box,
    Mesh,
    Distance,
}

impl<'f, 'a> Geom<'f, 'a> {
    /// Reads `<geom>` inside a frame of its body; for one that cannot be kept, what it is.
    #[allow(clippy::type_complexity)] // the inner result is no error
    pub fn read(
        styled: &Styled<'_, 'f, 'a>,
        compiler: &Compiler,
        assets: &Assets<'f, 'a>,
        body_from_frame: &Isometry3<f64>,
    ) -> Result<std::result::Result<Self, &'static str>> {
        let kinds = [
            ("plane", Kind::Plane),
            ("hfield", Kind::Field),
            ("sphere", Kind::Sphere),
            ("capsule", Kind::Capsule),
            ("ellipsoid", Kind::Ellipsoid),
            ("cylinder", Kind::Cylinder),
            ("box", Kind::Box),
            ("mesh", Kind::Mesh),
            ("sdf", Kind::Distance),
        ];
        let kind = styled.one_of("type", &kinds, Kind::Sphere)?;
        match kind {
            Kind::Plane => return Ok(Err("a plane, which has no end")),
            Kind::Field => return Ok(Err("a height field")),
            Kind::Distance => return Ok(Err("a geom that is a signed distance field")),
            Kind::Mesh => {}
            _ if styled.text("mesh").is_some() => {
                return Ok(Err("a geom whose size is that of a mesh"));
            }
            _ => {}
        }
        let mut size = styled.up_to_three("size")?;
        let place = match styled.numbers::<6>("fromto")? {
            Some(ends) => {
                let (place, half) = between(styled, kind, ends)?;
                if kind == Kind::Box || kind == Kind::Ellipsoid {
                    size = [size[0], size[0], half];
                } else {
                    size[1] = half;
                }
                place
            }
            None => {
                let position = Vector3::from(styled.numbers::<3>("pos")?.unwrap_or_default());
                let turn = rotation(&styled.turned(), compiler)?;
                Isometry3::from_parts(position.into(), turn)
            }
        };
        let n_sizes = match kind {
            Kind::Sphere => 1,
            Kind::Capsule | Kind::Cylinder => 2,
            Kind::Box | Kind::Ellipsoid => 3,
            _ => 0,
        };
        if let Some(wrong) = size[..n_sizes].iter().find(|&&size| size <= 0.0) {
            let expected = format!("{n_sizes} numbers above 0");
            return Err(styled.wrong("size", &expected, &wrong.to_string()));
        }
        let (radius, length) = (size[0], 2.0 * size[1]);
        let form = match kind {
            Kind::Capsule => Form::Capsule { radius, length },
            Kind::Cylinder => Form::Cylinder { radius, length },
            Kind::Box => Form::Box(size.map(|half| 2.0 * half)),
            Kind::Ellipsoid => Form::Ellipsoid(size),
            Kind::Mesh => Form::Mesh(assets.mesh_of(styled)?),
            _ => Form::Ellipsoid([radius; 3]),
        };
        let bits = |name: &str| Ok::<_, crate::Error>(styled.number(name)?.unwrap_or(1.0) != 0.0);
        let collides = bits("contype")? | bits("conaffinity")?;
        let group = styled.number("group")?.unwrap_or_default();
        let rgba = match styled.numbers::<4>("rgba")? {
            Some(own) => Some(own),
            None => assets.color_of(styled)?,
        };
        Ok(Ok(Self {
            element: styled.own,
            place: body_from_frame * place,
            form,
            color: rgba.map(|[r, g, b, _]| [r, g, b].map(|x| x.clamp(0.0, 1.0))),
            collides,
            is_seen: group <= LAST_SHOWN_GROUP && rgba.is_none_or(|rgba| rgba[3] > 0.0),
            group,
            weight: weight(styled)?,
        }))
    }
}

fn weight(styled: &Styled<'_, '_, '_>) -> Result<Weight> {
    let not_negative = |name: &str| match styled.number(name)? {
        Some(number) if number < 0.0 => Err(styled.wrong(name, "0 or more", &number.to_string())),
        number => Ok(number),
    };
    let words = [("true", true), ("false", false)];
    if styled.one_of("shellinertia", &words, false)? {
        return Ok(Weight::Shell);
    }
    Ok(match not_negative("mass")? {
        Some(mass) => Weight::Mass(mass),
        None => Weight::Density(not_negative("density")?.unwrap_or(DENSITY)),
    })
}

/// The place around the middle of two points, with z from the second to the first, and half their distance.
fn between(
    styled: &Styled<'_, '_, '_>,
    kind: Kind,
    [a, b, c, d, e, f]: [f64; 6],
) -> Result<(Isometry3<f64>, f64)> {
    if kind == Kind::Sphere || kind == Kind::Mesh {
        let expected = "no geom but a capsule, cylinder, box or ellipsoid";
        return Err(styled.wrong("fromto", expected, "another type"));
    }
    let (from, to) = (Vector3::new(a, b, c), Vector3::new(d, e, f));
    let along: Unit<Vector3<f64>> = direction(&styled.own, from - to, "fromto")?;
    let half = 0.5 * (from - to).norm();
    if half < TINY {
        return Err(styled.wrong("fromto", "two points apart", "two at one place"));
    }
    let middle = 0.5 * from + 0.5 * to;
    Ok((Isometry3::from_parts(middle.into(), z_to(&along)), half))
}
