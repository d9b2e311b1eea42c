//! Where things are, in each of the forms in which MJCF says how they are turned.

use nalgebra::{Isometry3, Matrix3, Quaternion, Rotation3, Unit, UnitQuaternion, Vector3};

use super::compiler::Compiler;
use crate::error::Result;
use crate::io::xml::Element;

/// Below this a length is that of nothing, as in MuJoCo.
pub(super) const TINY: f64 = 1e-14;

/// The rotation that an element's attributes say.
pub(super) fn rotation(
    element: &Element<'_, '_>,
    compiler: &Compiler,
) -> Result<UnitQuaternion<f64>> {
    let mut found = Vec::new();
    if let Some(quat) = quat_wxyz(element, "quat")? {
        found.push(quat);
    }
    if let Some([x, y, z, angle]) = element.numbers::<4>("axisangle")? {
        let axis = direction(element, Vector3::new(x, y, z), "axisangle")?;
        let angle = compiler.radians(angle);
        found.push(UnitQuaternion::from_axis_angle(&axis, angle));
    }
    if let Some(angles) = element.numbers::<3>("euler")? {
        let mut turn = UnitQuaternion::identity();
        for (angle, (axis, moves)) in angles.into_iter().zip(compiler.euler) {
            let axis = Unit::new_unchecked(axis);
            let next = UnitQuaternion::from_axis_angle(&axis, compiler.radians(angle));
            turn = if moves { turn * next } else { next * turn };
        }
        found.push(turn);
    }
    if let Some([a, b, c, d, e, f]) = element.numbers::<6>("xyaxes")? {
        let x = direction(element, Vector3::new(a, b, c), "xyaxes")?.into_inner();
        let y = Vector3::new(d, e, f);
        let y = direction(element, y - x * x.dot(&y), "xyaxes")?.into_inner();
        let axes = Matrix3::from_columns(&[x, y, x.cross(&y)]);
        let turn = Rotation3::from_matrix_unchecked(axes);
        found.push(UnitQuaternion::from_rotation_matrix(&turn));
    }
    if let Some(axis) = element.numbers::<3>("zaxis")? {
        let axis = direction(element, Vector3::from(axis), "zaxis")?;
        found.push(z_to(&axis));
    }
    match found[..] {
        [] => Ok(UnitQuaternion::identity()),
        [turn] => Ok(turn),
        _ => Err(element.wrong(
            "one of quat, axisangle, euler, xyaxes and zaxis",
            format!("{} of them", found.len()),
        )),
    }
}

/// The shortest rotation from z to a direction; half a turn about x for the opposite one.
pub(super) fn z_to(direction: &Unit<Vector3<f64>>) -> UnitQuaternion<f64> {
    let across = Vector3::z().cross(direction);
    let sine = across.norm();
    let axis = Unit::try_new(across, TINY).unwrap_or(Vector3::x_axis());
    UnitQuaternion::from_axis_angle(&axis, sine.atan2(direction.z))
}

/// A quaternion of an attribute, whose order is `w x y z`.
pub(super) fn quat_wxyz(
    element: &Element<'_, '_>,
    name: &str,
) -> Result<Option<UnitQuaternion<f64>>> {
    let Some([w, x, y, z]) = element.numbers::<4>(name)? else {
        return Ok(None);
    };
    let turn = UnitQuaternion::try_new(Quaternion::new(w, x, y, z), TINY);
    // Numbers can be so large that their squares are none.
    let turn = turn.filter(|turn| (turn.norm() - 1.0).abs() < 1e-9);
    turn.map(Some).ok_or_else(|| {
        let expected = format!("a quaternion in '{name}' whose length is a number above 0");
        element.wrong(expected, format!("{w} {x} {y} {z}"))
    })
}

/// A direction of an attribute.
pub(super) fn direction(
    element: &Element<'_, '_>,
    axis: Vector3<f64>,
    name: &str,
) -> Result<Unit<Vector3<f64>>> {
    let unit = Unit::try_new(axis, TINY).filter(|unit| (unit.norm() - 1.0).abs() < 1e-9);
    unit.ok_or_else(|| {
        let expected = format!("directions of a length above 0 in '{name}'");
        element.wrong(expected, "one that has none")
    })
}

/// `pos` and the rotation of an element without a class.
pub(super) fn place(element: &Element<'_, '_>, compiler: &Compiler) -> Result<Isometry3<f64>> {
    let position = Vector3::from(element.numbers::<3>("pos")?.unwrap_or_default());
    Ok(Isometry3::from_parts(
        position.into(),
        rotation(element, compiler)?,
    ))
}
