//! How a body moves on its parent, as the file stores it.

use nalgebra::{Isometry3, Point3, Unit, Vector3};

use super::classes::Styled;
use super::compiler::Compiler;
use super::place::direction;
use crate::error::Result;
use crate::io::xml::Element;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Free,
    Ball,
    Slide,
    Hinge,
}

/// One of the joints of a body.
pub(super) struct Joint<'f, 'a> {
    /// What it was read from.
    pub element: Element<'f, 'a>,
    pub name: Option<String>,
    pub kind: Kind,
    /// The point that it leaves in its place, in the body's frame.
    pub anchor: Vector3<f64>,
    /// In the body's frame.
    pub axis: Unit<Vector3<f64>>,
    /// Its value where the body is where the file puts it.
    pub reference: f64,
    pub range: Option<[f64; 2]>,
}

impl<'f, 'a> Joint<'f, 'a> {
    /// Reads `<joint>` or `<freejoint>` inside a frame of its body.
    pub fn read(
        styled: &Styled<'_, 'f, 'a>,
        name: Option<String>,
        compiler: &Compiler,
        body_from_frame: &Isometry3<f64>,
    ) -> Result<Self> {
        let element = styled.own;
        let kinds = [
            ("free", Kind::Free),
            ("ball", Kind::Ball),
            ("slide", Kind::Slide),
            ("hinge", Kind::Hinge),
        ];
        let kind = if element.tag() == "freejoint" {
            Kind::Free
        } else {
            styled.one_of("type", &kinds, Kind::Hinge)?
        };
        if kind == Kind::Free {
            return Ok(Self {
                element,
                name,
                kind,
                anchor: Vector3::zeros(),
                axis: Vector3::z_axis(),
                reference: 0.0,
                range: None,
            });
        }
        let anchor = Point3::from(styled.numbers::<3>("pos")?.unwrap_or_default());
        let axis = styled.numbers::<3>("axis")?.unwrap_or([0.0, 0.0, 1.0]);
        let axis = direction(&element, Vector3::from(axis), "axis")?;
        let angle = |x: f64| match kind {
            Kind::Slide => x,
            _ => compiler.radians(x),
        };
        let words = [("true", Some(true)), ("false", Some(false)), ("auto", None)];
        let limited = styled.one_of("limited", &words, None)?;
        let range = styled.numbers::<2>("range")?.map(|range| range.map(angle));
        let range = match (range, limited) {
            (Some([low, high]), Some(true)) if low >= high => {
                let expected = "two ascending numbers, since it is limited";
                return Err(styled.wrong("range", expected, &format!("{low} {high}")));
            }
            (None, Some(true)) => {
                return Err(element.wrong("a 'range', since it is limited", "none"));
            }
            (Some([low, high]), None) if compiler.autolimits && low < high => Some([low, high]),
            (range, Some(true)) => range,
            _ => None,
        };
        Ok(Self {
            element,
            name,
            kind,
            anchor: (body_from_frame * anchor).coords,
            axis: body_from_frame.rotation * axis,
            reference: angle(styled.number("ref")?.unwrap_or_default()),
            range,
        })
    }
}
