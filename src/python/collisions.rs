//! What the solids of a character touch: each other, and the ground it stands on.

use pyo3::prelude::*;

use crate::array::{DType, Element};
use crate::backend::operations::CollisionOverlaps;
use crate::error::Error;
use crate::interop::memory::Block;
use crate::interop::output;
use crate::interop::{AnyArray, Kind};
use crate::kinematics::contacts::{self, Contact, SupportPlane};
use crate::math::{Real, Transform};
use crate::python::apply::apply;
use crate::python::nouns::PyCharacter;
use crate::python::values;

type Array<'py> = Bound<'py, PyAny>;

/// How deep the solids of a character are in one another.
///
/// Two solids are compared along the line between their closest centre points: a capsule's centre is its
/// segment, an ellipsoid's or a box' its middle. Their overlap is what their radii along that line sum to,
/// less the distance of the points, as PyMomentum's collision error has it; ellipsoids and boxes whose bounds
/// along the world's axes do not meet have none. Radii, lengths and extents grow
/// with the scale of the joint.
///
/// Parameters
/// ----------
/// character : Character
/// skel_state : array (..., n_joints, 8)
///     World from joint, ``tx ty tz qx qy qz qw s``.
/// out : array (..., n_pairs), optional
///
/// Returns
/// -------
/// array (..., n_pairs)
///     Depths in the character's unit, 0 where the two do not meet, for the pairs of
///     :func:`collision_pairs`; kind, device and dtype of ``skel_state``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> poses = np.zeros((4, character.parameter_transform.size))
/// >>> state = ka.geometry.model_parameters_to_skeleton_state(character, poses)
/// >>> depths = ka.geometry.collision_overlaps(character, state)
/// >>> depths.shape == (4, len(ka.geometry.collision_pairs(character))), float(depths.max())
/// (True, 0.0)
#[pyfunction]
#[pyo3(signature = (character, skel_state, *, out = None))]
fn collision_overlaps<'py>(
    py: Python<'py>,
    character: &Bound<'py, PyCharacter>,
    skel_state: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let prepared = character.get().prepared.clone();
    apply(py, &CollisionOverlaps { prepared }, &[skel_state], out)
}

/// The pairs of a character's solids that may collide.
///
/// Left out are solids of one joint or of a joint and its parent, and pairs of the character that overlap in
/// the rest pose.
/// Solids of the world meet every solid of the character, and not each other.
///
/// Parameters
/// ----------
/// character : Character
///
/// Returns
/// -------
/// NumPy array (n_pairs, 2), uint32
///     Indices into ``character.collision_geometry``.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> pairs = ka.geometry.collision_pairs(ka.testing.create_humanoid(n_vertices=1000))
/// >>> bool((pairs[:, 0] < pairs[:, 1]).all())
/// True
#[pyfunction]
fn collision_pairs<'py>(
    py: Python<'py>,
    character: &Bound<'py, PyCharacter>,
) -> PyResult<Bound<'py, PyAny>> {
    let pairs = character.get().prepared.collision_plan::<f64>().pairs();
    values::fresh(py, pairs.as_flattened().to_vec(), &[pairs.len(), 2])
}

/// An array of one pose or of points, and the kind of array that answers go out as.
struct Pose<'a, 'py> {
    array: AnyArray<'a, 'py>,
    precision: DType,
}

impl<'a, 'py> Pose<'a, 'py> {
    fn read(
        function: &str,
        what: &'a str,
        object: &'a Array<'py>,
        sizes: &[Option<usize>; 2],
        words: &str,
    ) -> PyResult<(Self, Vec<f64>)> {
        let array = AnyArray::read(function, what, object)?;
        let precision = array.precision()?;
        values::require(what, array.shape(), sizes, words)?;
        let numbers = match precision {
            DType::Float64 => array.memory().to_reals::<f64>(what)?,
            _ => {
                let single = array.memory().to_reals::<f32>(what)?;
                single.into_iter().map(f64::from).collect()
            }
        };
        Ok((Self { array, precision }, numbers))
    }

    fn answer<T: Element + bytemuck::Pod>(
        &self,
        py: Python<'py>,
        data: &[T],
        shape: &[usize],
    ) -> PyResult<Bound<'py, PyAny>> {
        let (kind, rank) = (self.array.kind(), shape.len());
        let mut block = Block::new(size_of_val(data), output::header(kind, rank));
        block.as_mut_slice::<T>().copy_from_slice(data);
        let like = (kind != Kind::Numbers).then(|| self.array.object());
        output::hand_over(py, kind, like, block, T::DTYPE, shape)
    }

    fn points(&self, py: Python<'py>, points: &[[f64; 3]]) -> PyResult<Bound<'py, PyAny>> {
        let (numbers, shape) = (points.as_flattened(), [points.len(), 3]);
        match self.precision {
            DType::Float64 => self.answer(py, numbers, &shape),
            _ => {
                let single: Vec<f32> = numbers.iter().map(|&x| f32::from_f64(x)).collect();
                self.answer(py, &single, &shape)
            }
        }
    }

    /// Positions, joints and offsets.
    fn contacts(&self, py: Python<'py>, contacts: &[Contact]) -> PyResult<[Bound<'py, PyAny>; 3]> {
        let of = |part: fn(&Contact) -> [f64; 3]| contacts.iter().map(part).collect::<Vec<_>>();
        let parents: Vec<i64> = contacts.iter().map(|c| c.parent as i64).collect();
        Ok([
            self.points(py, &of(|contact| contact.position))?,
            self.answer(py, &parents, &[parents.len()])?,
            self.points(py, &of(|contact| contact.offset))?,
        ])
    }
}

fn plane(
    normal: Option<&Array<'_>>,
    offset: f64,
    u_axis: Option<&Array<'_>>,
) -> PyResult<SupportPlane> {
    let normal = normal
        .map(|normal| values::fixed(normal, "plane_normal"))
        .transpose()?
        .unwrap_or([0.0, 1.0, 0.0]);
    let u_axis = u_axis
        .map(|axis| values::fixed(axis, "plane_u_axis"))
        .transpose()?;
    Ok(SupportPlane::new(normal, offset, u_axis)?)
}

/// A height above the plane, else two centimetres in the character's unit.
fn height(character: &PyCharacter, what: &str, height: Option<f64>) -> PyResult<f64> {
    let height = height.unwrap_or(0.02 * character.core().unit.per_meter());
    if height >= 0.0 && height.is_finite() {
        return Ok(height);
    }
    Err(PyErr::from(Error::value(
        what,
        format!("expected a finite number that is not negative, got {height}"),
    )))
}

fn pose<'a, 'py>(
    function: &str,
    character: &PyCharacter,
    state: &'a Array<'py>,
) -> PyResult<(Pose<'a, 'py>, Vec<Transform<f64>>)> {
    let sizes = [Some(character.core().skeleton.len()), Some(8)];
    let (pose, numbers) = Pose::read(
        function,
        "skeleton_state",
        state,
        &sizes,
        "(n_joints, 8), one pose",
    )?;
    Ok((pose, contacts::pose_states(&numbers)?))
}

/// Where the solids of a character touch a plane: the deepest point of each joint.
///
/// Parameters
/// ----------
/// character : Character
/// skeleton_state : array (n_joints, 8)
///     One pose, world from joint, ``tx ty tz qx qy qz qw s``.
/// contact_margin : float
///     How far above the plane a surface still counts, in the character's unit.
/// plane_normal : array (3,), optional
///     Default up, ``[0, 1, 0]``; of any length but 0.
/// plane_offset : float
///     The plane is ``dot(plane_normal, point) = plane_offset``.
///
/// Returns
/// -------
/// positions : array (n_contacts, 3)
///     World positions, of the kind of ``skeleton_state``, in its precision (float32 for half).
/// parent_indices : array (n_contacts,), int64
/// parent_offsets : array (n_contacts, 3)
///     The same points in the frames of the joints: ``position = t + R(q) (s * offset)``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
/// InvalidValueError
///     A negative margin, a plane without a direction, a state that is not finite or has no scale.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> state = ka.geometry.model_parameters_to_skeleton_state(
/// ...     character, np.zeros(character.parameter_transform.size))
/// >>> positions, parents, offsets = ka.geometry.plane_collision_contacts_by_parent(character, state, 0.1)
/// >>> positions.shape == offsets.shape == (len(parents), 3)
/// True
#[pyfunction]
#[pyo3(signature = (character, skeleton_state, contact_margin = 0.0, plane_normal = None, plane_offset = 0.0))]
fn plane_collision_contacts_by_parent<'py>(
    py: Python<'py>,
    character: &Bound<'py, PyCharacter>,
    skeleton_state: &Array<'py>,
    contact_margin: f64,
    plane_normal: Option<&Array<'py>>,
    plane_offset: f64,
) -> PyResult<(Array<'py>, Array<'py>, Array<'py>)> {
    let character = character.get();
    let margin = height(character, "contact_margin", Some(contact_margin))?;
    let plane = plane(plane_normal, plane_offset, None)?;
    let function = "plane_collision_contacts_by_parent";
    let (pose, states) = pose(function, character, skeleton_state)?;
    let plan = character.prepared.collision_plan();
    let found = contacts::plane_contacts(plan, &states, margin, &plane);
    Ok(pose.contacts(py, &found)?.into())
}

/// What a character stands on: floor locators and solids near a plane.
///
/// Parameters
/// ----------
/// character : Character
///     Of its locators those count whose names start with ``Floor``.
/// skeleton_state : array (n_joints, 8)
///     One pose, world from joint, ``tx ty tz qx qy qz qw s``.
/// contact_height : float, optional
///     How far above the plane a locator or a surface still counts, in the character's unit; default two
///     centimetres.
/// plane_normal : array (3,), optional
///     Default up, ``[0, 1, 0]``; of any length but 0.
/// plane_offset : float
///     The plane is ``dot(plane_normal, point) = plane_offset``.
///
/// Returns
/// -------
/// positions : array (n_contacts, 3)
///     World positions of the locators, then of the solids' deepest points, of the kind of
///     ``skeleton_state``, in its precision (float32 for half).
/// parent_indices : array (n_contacts,), int64
/// parent_offsets : array (n_contacts, 3)
///     The same points in the frames of the joints.
/// floor_positions : array (n_floor_locators, 3)
///     World positions of all floor locators, those in the air too.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, InvalidValueError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> character = character.with_locators([ka.geometry.Locator("Floor_root", 0)])
/// >>> state = ka.geometry.model_parameters_to_skeleton_state(
/// ...     character, np.zeros(character.parameter_transform.size))
/// >>> ka.geometry.support_contacts(character, state)[3].shape
/// (1, 3)
#[pyfunction]
#[pyo3(signature = (character, skeleton_state, contact_height = None, plane_normal = None, plane_offset = 0.0))]
fn support_contacts<'py>(
    py: Python<'py>,
    character: &Bound<'py, PyCharacter>,
    skeleton_state: &Array<'py>,
    contact_height: Option<f64>,
    plane_normal: Option<&Array<'py>>,
    plane_offset: f64,
) -> PyResult<(Array<'py>, Array<'py>, Array<'py>, Array<'py>)> {
    let character = character.get();
    let height = height(character, "contact_height", contact_height)?;
    let plane = plane(plane_normal, plane_offset, None)?;
    let (pose, states) = pose("support_contacts", character, skeleton_state)?;
    let plan = character.prepared.collision_plan();
    let (found, floor) =
        contacts::support_contacts(character.core(), plan, &states, height, &plane);
    let [positions, parents, offsets] = pose.contacts(py, &found)?;
    Ok((positions, parents, offsets, pose.points(py, &floor)?))
}

/// The polygon that a character stands on: the hull of its contacts, projected onto the plane.
///
/// Parameters
/// ----------
/// character : Character
/// skeleton_state : array (n_joints, 8)
///     One pose, world from joint, ``tx ty tz qx qy qz qw s``.
/// contact_height : float, optional
///     In the character's unit; default two centimetres.
/// plane_normal : array (3,), optional
///     Default up, ``[0, 1, 0]``; of any length but 0.
/// plane_offset : float
///     The plane is ``dot(plane_normal, point) = plane_offset``.
/// plane_u_axis : array (3,), optional
///     Hint for the first axis in the plane; default +x where that is not along the normal.
///
/// Returns
/// -------
/// array (n_vertices, 3)
///     As :func:`support_polygon_from_world_points` gives it, of the kind of ``skeleton_state``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, InvalidValueError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> state = ka.geometry.model_parameters_to_skeleton_state(
/// ...     character, np.zeros(character.parameter_transform.size))
/// >>> ka.geometry.support_polygon(character, state, 0.1).shape[1]
/// 3
#[pyfunction]
#[pyo3(signature = (character, skeleton_state, contact_height = None, plane_normal = None, plane_offset = 0.0,
                    plane_u_axis = None))]
fn support_polygon<'py>(
    py: Python<'py>,
    character: &Bound<'py, PyCharacter>,
    skeleton_state: &Array<'py>,
    contact_height: Option<f64>,
    plane_normal: Option<&Array<'py>>,
    plane_offset: f64,
    plane_u_axis: Option<&Array<'py>>,
) -> PyResult<Array<'py>> {
    let character = character.get();
    let height = height(character, "contact_height", contact_height)?;
    let plane = plane(plane_normal, plane_offset, plane_u_axis)?;
    let (pose, states) = pose("support_polygon", character, skeleton_state)?;
    let plan = character.prepared.collision_plan();
    let (found, _) = contacts::support_contacts(character.core(), plan, &states, height, &plane);
    let points: Vec<_> = found.iter().map(|contact| contact.position).collect();
    pose.points(py, &contacts::support_polygon(&points, &plane))
}

/// The convex hull of points that are projected onto a plane.
///
/// Parameters
/// ----------
/// support_points : array (n_points, 3)
/// plane_normal : array (3,), optional
///     Default up, ``[0, 1, 0]``; of any length but 0.
/// plane_offset : float
///     The plane is ``dot(plane_normal, point) = plane_offset``.
/// plane_u_axis : array (3,), optional
///     Hint for the first axis ``u`` in the plane, the second being ``u x normal``; default +x where that is
///     not along the normal.
///
/// Returns
/// -------
/// array (n_vertices, 3)
///     Points of the plane, counter-clockwise by its two axes, from the smallest first coordinate; none
///     inside an edge, none twice, fewer than three where the points span no area. Of the kind of
///     ``support_points``, in its precision (float32 for half).
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, InvalidValueError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> points = np.array([[0.0, 3.0, 0.0], [1.0, 5.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.0, 0.2]])
/// >>> ka.geometry.support_polygon_from_world_points(points).tolist()
/// [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
#[pyfunction]
#[pyo3(signature = (support_points, plane_normal = None, plane_offset = 0.0, plane_u_axis = None))]
fn support_polygon_from_world_points<'py>(
    py: Python<'py>,
    support_points: &Array<'py>,
    plane_normal: Option<&Array<'py>>,
    plane_offset: f64,
    plane_u_axis: Option<&Array<'py>>,
) -> PyResult<Array<'py>> {
    let plane = plane(plane_normal, plane_offset, plane_u_axis)?;
    let function = "support_polygon_from_world_points";
    let sizes = [None, Some(3)];
    let (pose, numbers) = Pose::read(
        function,
        "support_points",
        support_points,
        &sizes,
        "(n_points, 3)",
    )?;
    let points = numbers.as_chunks::<3>().0;
    if let Some(row) = points
        .iter()
        .position(|point| point.iter().any(|x| !x.is_finite()))
    {
        return Err(PyErr::from(Error::value(
            "support_points",
            format!("row {row} is not finite"),
        )));
    }
    pose.points(py, &contacts::support_polygon(points, &plane))
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(collision_overlaps, module)?)?;
    module.add_function(wrap_pyfunction!(collision_pairs, module)?)?;
    module.add_function(wrap_pyfunction!(
        plane_collision_contacts_by_parent,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(support_contacts, module)?)?;
    module.add_function(wrap_pyfunction!(support_polygon, module)?)?;
    module.add_function(wrap_pyfunction!(support_polygon_from_world_points, module)?)
}
