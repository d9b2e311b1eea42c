//! What a pose stands on: contacts with a plane, and the polygon they span.

use crate::character::Character;
use crate::error::{Error, Result};
use crate::math::{Transform, Vector, vector};

use super::CollisionPlan;

/// Vectors shorter than this have no direction.
const TINY: f64 = 1e-8;
/// Points of a polygon that are nearer than this part of its size are one, and corners that stick out
/// less are none.
const SAME: f64 = 1e-7;

/// A plane and two axes in it.
#[derive(Debug, Clone, Copy)]
pub struct SupportPlane {
    normal: Vector<f64>,
    offset: f64,
    u: Vector<f64>,
    v: Vector<f64>,
}

impl SupportPlane {
    /// The points with `normal · point = offset`; `u` is a hint for the first axis, else +x where that is
    /// not along the normal.
    ///
    /// # Errors
    /// [`Error::Value`] for numbers that are not finite, and vectors without a direction in the plane.
    pub fn new(normal: Vector<f64>, offset: f64, u: Option<Vector<f64>>) -> Result<Self> {
        let length = finite_length("plane_normal", normal)?;
        if !offset.is_finite() {
            return Err(Error::value(
                "plane_offset",
                format!("{offset} is not finite"),
            ));
        }
        let (normal, offset) = (vector::scale(normal, 1.0 / length), offset / length);
        let flat = |axis: Vector<f64>| {
            let flat = vector::scale_add(normal, -vector::dot(axis, normal), axis);
            let length = vector::dot(flat, flat).sqrt();
            (length > TINY).then(|| vector::scale(flat, 1.0 / length))
        };
        let axis = |which: usize| std::array::from_fn(|c| f64::from(u8::from(c == which)));
        let u = match u {
            Some(hint) => {
                let length = finite_length("plane_u_axis", hint)?;
                flat(vector::scale(hint, 1.0 / length))
                    .ok_or_else(|| Error::value("plane_u_axis", "it is parallel to plane_normal"))?
            }
            None => {
                // The axis that is least along the normal has a direction in the plane.
                let least = (0..3).min_by(|&a, &b| normal[a].abs().total_cmp(&normal[b].abs()));
                flat(axis(0))
                    .or_else(|| flat(axis(least.unwrap_or(0))))
                    .unwrap_or_else(|| axis(0))
            }
        };
        let v = vector::cross(u, normal);
        Ok(Self {
            normal,
            offset,
            u,
            v,
        })
    }

    fn height(&self, point: Vector<f64>) -> f64 {
        vector::dot(self.normal, point) - self.offset
    }
}

fn finite_length(what: &str, axis: Vector<f64>) -> Result<f64> {
    let length = vector::dot(axis, axis).sqrt();
    if length > TINY && length.is_finite() {
        return Ok(length);
    }
    Err(Error::value(
        what,
        format!("expected finite numbers and a length above {TINY}, got {axis:?}"),
    ))
}

/// A point of a body that touches a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// Where in the world.
    pub position: Vector<f64>,
    /// The joint that carries it.
    pub parent: usize,
    /// Where in the joint's frame.
    pub offset: Vector<f64>,
}

impl Contact {
    fn new(states: &[Transform<f64>], parent: usize, position: Vector<f64>) -> Self {
        Self {
            position,
            parent,
            offset: states[parent].apply_inverse(position),
        }
    }
}

/// The states of one pose, with quaternions of unit length.
///
/// # Errors
/// [`Error::Value`] naming the joint whose state is not one.
pub fn pose_states(states: &[f64]) -> Result<Vec<Transform<f64>>> {
    let joints = states.as_chunks::<8>().0.iter().enumerate();
    joints
        .map(|(joint, columns)| {
            let wrong = |problem: &str| {
                Err(Error::value(
                    "skeleton_state",
                    format!("joint {joint}: {problem}"),
                ))
            };
            let mut state = Transform::from_columns(*columns);
            let length = state.q.iter().map(|x| x * x).sum::<f64>().sqrt();
            if columns.iter().any(|x| !x.is_finite()) {
                return wrong("a number is not finite");
            }
            if length <= TINY {
                return wrong("the quaternion is zero");
            }
            if state.s <= 0.0 {
                return wrong("the scale is not positive");
            }
            state.q = state.q.map(|x| x / length);
            Ok(state)
        })
        .collect()
}

/// The deepest point of each joint's solids, where it is not more than `margin` above the plane; in the
/// order in which the solids name the joints.
#[must_use]
pub fn plane_contacts(
    plan: &CollisionPlan<f64>,
    states: &[Transform<f64>],
    margin: f64,
    plane: &SupportPlane,
) -> Vec<Contact> {
    let columns: Vec<f64> = states.iter().flat_map(|state| state.to_columns()).collect();
    let mut contacts: Vec<Contact> = Vec::new();
    for (parent, point) in plan.deepest(&columns, plane.normal) {
        if plane.height(point) > margin {
            continue;
        }
        match contacts.iter_mut().find(|contact| contact.parent == parent) {
            None => contacts.push(Contact::new(states, parent, point)),
            Some(contact) if plane.height(point) < plane.height(contact.position) => {
                *contact = Contact::new(states, parent, point);
            }
            Some(_) => {}
        }
    }
    contacts
}

/// Locators named `Floor…` that are not more than `height` above the plane, then the contacts of the
/// solids; and the places of all such locators.
#[must_use]
pub fn support_contacts(
    character: &Character,
    plan: &CollisionPlan<f64>,
    states: &[Transform<f64>],
    height: f64,
    plane: &SupportPlane,
) -> (Vec<Contact>, Vec<Vector<f64>>) {
    let (mut contacts, mut floor) = (Vec::new(), Vec::new());
    let locators = character.locators.iter();
    for locator in locators.filter(|locator| locator.name.starts_with("Floor")) {
        let position = states[locator.parent].apply(locator.offset);
        floor.push(position);
        if plane.height(position) <= height {
            contacts.push(Contact::new(states, locator.parent, position));
        }
    }
    contacts.extend(plane_contacts(plan, states, height, plane));
    (contacts, floor)
}

/// The convex hull of the points' projections onto the plane, counter-clockwise by the plane's axes.
#[must_use]
pub fn support_polygon(points: &[Vector<f64>], plane: &SupportPlane) -> Vec<Vector<f64>> {
    let mut flat: Vec<[f64; 2]> = points
        .iter()
        .map(|point| [vector::dot(*point, plane.u), vector::dot(*point, plane.v)])
        .collect();
    flat.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let size = [0, 1]
        .map(|c| {
            let of = |fold: fn(f64, f64) -> f64| flat.iter().map(|p| p[c]).reduce(fold);
            of(f64::max).unwrap_or(0.0) - of(f64::min).unwrap_or(0.0)
        })
        .into_iter()
        .fold(0.0, f64::max);
    let near = SAME * size;
    flat.dedup_by(|a, b| (a[0] - b[0]).abs() <= near && (a[1] - b[1]).abs() <= near);
    if flat.len() > 2 {
        let mut lower = chain(flat.iter().copied(), SAME * size * size);
        let mut upper = chain(flat.iter().rev().copied(), SAME * size * size);
        lower.pop();
        upper.pop();
        lower.append(&mut upper);
        flat = lower;
    }
    let origin = vector::scale(plane.normal, plane.offset);
    flat.into_iter()
        .map(|[u, v]| vector::scale_add(plane.u, u, vector::scale_add(plane.v, v, origin)))
        .collect()
}

/// The points, sorted, without those at which the way does not turn left.
fn chain(points: impl Iterator<Item = [f64; 2]>, straight: f64) -> Vec<[f64; 2]> {
    let mut chain: Vec<[f64; 2]> = Vec::new();
    for point in points {
        while let [.., a, b] = chain[..] {
            let turn = (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]);
            if turn > straight {
                break;
            }
            chain.pop();
        }
        chain.push(point);
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_is_the_hull_without_what_is_inside_or_twice() {
        let plane = SupportPlane::new([0.0, 2.0, 0.0], 1.0, None).unwrap();
        let points = [
            [0.0, 5.0, 0.0],
            [1.0, -5.0, 0.0],
            [1.0, 0.0, 1.0],
            [0.0, 0.0, 1.0],
            [0.5, 0.0, 0.5],
            [0.5, 0.0, 0.0],
            [1.0, 3.0, 1.0],
        ];
        let polygon = support_polygon(&points, &plane);
        let want = [
            [0.0, 0.5, 0.0],
            [1.0, 0.5, 0.0],
            [1.0, 0.5, 1.0],
            [0.0, 0.5, 1.0],
        ];
        // v = u x normal = x x y = z: counter-clockwise is x, then z.
        assert_eq!(polygon, want);
        // The hull does not depend on the order of the points.
        let reversed: Vec<_> = points.iter().rev().copied().collect();
        assert_eq!(support_polygon(&reversed, &plane), want);
        for count in 0..3 {
            assert_eq!(support_polygon(&points[..count], &plane).len(), count);
        }
        assert_eq!(support_polygon(&[[1.0; 3]; 4], &plane).len(), 1);
    }

    #[test]
    fn planes_without_a_direction_are_refused() {
        let new = |normal, u| {
            SupportPlane::new(normal, 0.0, u)
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert!(new([0.0; 3], None).starts_with("plane_normal: "));
        assert!(new([f64::NAN, 0.0, 0.0], None).starts_with("plane_normal: "));
        assert!(new([0.0, 1.0, 0.0], Some([0.0, 3.0, 0.0])).contains("parallel"));
        assert!(new([0.0, 1.0, 0.0], Some([0.0; 3])).starts_with("plane_u_axis: "));
        // Along x the hint +x has no direction in the plane; another axis does.
        assert!(SupportPlane::new([1.0, 0.0, 0.0], 0.0, None).is_ok());
    }
}
