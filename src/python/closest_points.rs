//! `kinarray.geometry.find_closest_points`, `find_closest_points_on_mesh`, and the trees behind them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Arc;

use super::nouns::pickle;
use crate::backend::operations::NearestPointsOnMesh;
use crate::backend::queries::{
    ClosestPoints, ClosestPointsOfMesh, FindClosestPoints, FindClosestPointsOnMesh,
};
use crate::mesh::{PointSet, TriangleSet};
use crate::python::apply::apply;
use crate::python::query::ask;
use crate::python::values;

type Array<'py> = Bound<'py, PyAny>;

/// The farthest that is looked for where nobody says: single precision's largest number.
const ANYWHERE: f64 = f32::MAX as f64;

/// What a call can give beside `out`, in order, for the two ways to call `find_closest_points`.
const BY_POINTS: [&str; 3] = ["points_source", "points_target", "max_dist"];
const BY_NORMALS: [&str; 6] = [
    "points_source",
    "normals_source",
    "points_target",
    "normals_target",
    "max_dist",
    "max_normal_dot",
];

/// Sorts the arguments of one of two ways to call a function by name.
fn sorted<'py, const N: usize>(
    names: [&str; N],
    positional: &Bound<'py, PyTuple>,
    named: Option<&Bound<'py, PyDict>>,
) -> PyResult<[Option<Array<'py>>; N]> {
    let wrong = |problem: String| PyTypeError::new_err(format!("find_closest_points() {problem}"));
    if positional.len() > N {
        let problem = format!(
            "takes at most {N} positional arguments, got {}",
            positional.len()
        );
        return Err(wrong(problem));
    }
    let mut sorted = [const { None }; N];
    for (place, object) in sorted.iter_mut().zip(positional) {
        *place = Some(object);
    }
    for (name, object) in named.into_iter().flatten() {
        let name: String = name.extract()?;
        let Some(at) = names.iter().position(|&one| one == name) else {
            return Err(wrong(format!(
                "got an unexpected keyword argument '{name}'"
            )));
        };
        if sorted[at].replace(object).is_some() {
            return Err(wrong(format!("got multiple values for argument '{name}'")));
        }
    }
    Ok(sorted)
}

fn required<'a, 'py>(
    names: &[&str],
    sorted: &'a [Option<Array<'py>>],
    at: usize,
) -> PyResult<&'a Array<'py>> {
    sorted[at].as_ref().ok_or_else(|| {
        PyTypeError::new_err(format!(
            "find_closest_points() missing the argument '{}'",
            names[at]
        ))
    })
}

fn number(object: Option<&Array<'_>>, default: f64) -> PyResult<f64> {
    object.map_or(Ok(default), |object| object.extract())
}

/// For each source point the closest target point; with normals, the closest whose normal fits.
///
/// Two ways to call it::
///
///     find_closest_points(points_source, points_target, max_dist=...)
///     find_closest_points(points_source, normals_source, points_target, normals_target,
///                         max_dist=..., max_normal_dot=0.0)
///
/// A tree is built over the target points once, and shared by batch items that have the same targets;
/// :class:`PointTree` keeps one for many calls. Of several points as close the first is taken. Points that
/// are not finite are never found, and find nothing.
///
/// Parameters
/// ----------
/// points_source : array (..., n_source, 3) or (..., n_source, 2)
/// normals_source : array (..., n_source, 3)
///     Unit normals of the source points. With normals there are three dimensions.
/// points_target : array (..., n_target, 3) or (..., n_target, 2)
///     Batch axes broadcast.
/// normals_target : array (..., n_target, 3)
/// max_dist : float
///     Only points closer than this count.
/// max_normal_dot : float
///     Only points count whose normal's scalar product with the source's is at least this (the name is
///     PyMomentum's).
/// out : tuple of arrays, optional
///     Arrays to fill, one for each result.
///
/// Returns
/// -------
/// points : array (..., n_source, 3) or (..., n_source, 2)
///     Zero where there is none.
/// normals : array (..., n_source, 3)
///     The normal of each found point; only where normals are given.
/// index : int32 array (..., n_source)
///     Which target point; -1 where there is none.
/// valid : bool array (..., n_source)
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError, ValueError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> targets = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
/// >>> points, index, valid = ka.geometry.find_closest_points([[0.9, 0.0, 0.0]], targets)
/// >>> index, valid
/// (array([1], dtype=int32), array([ True]))
#[pyfunction]
#[pyo3(signature = (*args, out = None, **kwargs))]
pub fn find_closest_points<'py>(
    py: Python<'py>,
    args: &Bound<'py, PyTuple>,
    out: Option<&Array<'py>>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Py<PyTuple>> {
    let has = |name: &str| kwargs.is_some_and(|kwargs| kwargs.contains(name).unwrap_or(false));
    if args.len() > 3 || has("normals_source") || has("normals_target") {
        let given = sorted(BY_NORMALS, args, kwargs)?;
        let get = |at| required(&BY_NORMALS, &given, at);
        let least = number(given[5].as_ref(), 0.0)?;
        let query = FindClosestPoints::new(number(given[4].as_ref(), ANYWHERE)?, Some(least))?;
        return ask(py, &query, &[get(0)?, get(1)?, get(2)?, get(3)?], out);
    }
    let given = sorted(BY_POINTS, args, kwargs)?;
    let get = |at| required(&BY_POINTS, &given, at);
    let query = FindClosestPoints::new(number(given[2].as_ref(), ANYWHERE)?, None)?;
    ask(py, &query, &[get(0)?, get(1)?], out)
}

/// For each source point the closest point on a triangle mesh.
///
/// A tree is built over the triangles once, and shared by batch items that have the same vertices;
/// :class:`MeshTree` keeps one for many calls. Of several triangles as close the first is taken. Triangles
/// without area are their edges; triangles with a corner that is not finite are left out, and points that
/// are not finite find nothing.
///
/// Parameters
/// ----------
/// points_source : array (..., n_source, 3)
/// vertices_target : array (..., n_vertices, 3)
///     Batch axes broadcast.
/// faces_target : integer array (n_faces, 3)
/// out : tuple of arrays, optional
///     Arrays to fill, one for each result.
///
/// Returns
/// -------
/// valid : bool array (..., n_source)
///     False where there is no closest point.
/// points : array (..., n_source, 3)
///     Zero where there is none.
/// face_index : int32 array (..., n_source)
///     -1 where there is none.
/// bary : array (..., n_source, 3)
///     Barycentric coordinates on the face: exactly zero for the corners that an edge or corner does not
///     have, and all zero where there is no closest point.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
/// ValueError
///     A triangle that uses a vertex there is not.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
/// >>> valid, points, face, bary = ka.geometry.find_closest_points_on_mesh(
/// ...     [[0.25, 0.25, 1.0]], corners, [[0, 1, 2]])
/// >>> points
/// array([[0.25, 0.25, 0.  ]])
#[pyfunction]
#[pyo3(signature = (points_source, vertices_target, faces_target, *, out = None))]
pub fn find_closest_points_on_mesh<'py>(
    py: Python<'py>,
    points_source: &Array<'py>,
    vertices_target: &Array<'py>,
    faces_target: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyTuple>> {
    let faces = values::triangles(faces_target, "faces_target")?;
    let query = FindClosestPointsOnMesh { faces: &faces };
    ask(py, &query, &[points_source, vertices_target], out)
}

/// The closest points of a triangle mesh, as :func:`find_closest_points_on_mesh` finds them, by themselves.
///
/// Its twin in :mod:`kinarray.autograd` has derivatives, by the points and by the vertices: with what is
/// closest held fixed, which is the derivative wherever the closest face, edge or corner does not change.
///
/// Parameters
/// ----------
/// points_source : array (..., n_source, 3)
/// vertices_target : array (..., n_vertices, 3)
///     Batch axes broadcast.
/// faces_target : integer array (n_faces, 3)
/// out : array (..., n_source, 3), optional
///
/// Returns
/// -------
/// array (..., n_source, 3)
///     Zero where there is no closest point.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
/// ValueError
///     A triangle that uses a vertex there is not.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
/// >>> ka.geometry.closest_points_on_mesh(np.array([[0.25, 0.25, 1.0]]), corners, [[0, 1, 2]])
/// array([[0.25, 0.25, 0.  ]])
#[pyfunction]
#[pyo3(signature = (points_source, vertices_target, faces_target, *, out = None))]
pub fn closest_points_on_mesh<'py>(
    py: Python<'py>,
    points_source: &Array<'py>,
    vertices_target: &Array<'py>,
    faces_target: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let faces = values::triangles(faces_target, "faces_target")?.into();
    let operation = NearestPointsOnMesh { faces };
    apply(py, &operation, &[points_source, vertices_target], out)
}

/// Points made ready for many searches for the closest of them.
///
/// Parameters
/// ----------
/// points : array (n_points, 3) or (n_points, 2)
///     Kept in the precision given. Points that are not finite are never found.
///
/// Raises
/// ------
/// ShapeError, DTypeError
///
/// Examples
/// --------
/// >>> from kinarray.geometry import PointTree
/// >>> tree = PointTree([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
/// >>> points, index, valid = tree.closest([[0.9, 0.0, 0.0]])
/// >>> index
/// array([1], dtype=int32)
#[pyclass(name = "PointTree", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyPointTree(pub Arc<PointSet>);

#[pymethods]
impl PyPointTree {
    #[new]
    fn new(points: &Array<'_>) -> PyResult<Self> {
        let (reals, shape) = values::reals(points, "points")?;
        let words = "(n_points, 3) or (n_points, 2)";
        let dim = shape.get(1).copied().unwrap_or(0);
        let dim = if dim == 2 { 2 } else { 3 };
        values::require("points", &shape, &[None, Some(dim)], words)?;
        Ok(Self(Arc::new(PointSet::new(reals, dim)?)))
    }

    /// The points, ``(n_points, 3)`` or ``(n_points, 2)``; a read-only view.
    #[getter]
    fn points<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let set = &slf.get().0;
        values::view_reals(slf.as_any(), set.points(), &[set.len(), set.dim()])
    }

    /// For each point the closest of the tree's, in the precision of ``points``.
    ///
    /// Parameters
    /// ----------
    /// points : array (..., n_source, 3) or (..., n_source, 2)
    /// max_dist : float
    ///     Only points closer than this count.
    /// out : tuple of arrays, optional
    ///
    /// Returns
    /// -------
    /// tuple
    ///     Points, indices and valid, as from :func:`find_closest_points`.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError, ValueError
    #[pyo3(signature = (points, max_dist = ANYWHERE, *, out = None))]
    fn closest<'py>(
        &self,
        py: Python<'py>,
        points: &Array<'py>,
        max_dist: f64,
        out: Option<&Array<'py>>,
    ) -> PyResult<Py<PyTuple>> {
        ask(py, &ClosestPoints::new(&self.0, max_dist)?, &[points], out)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        let set = &self.0;
        format!(
            "PointTree({} points in {}-D, {})",
            set.len(),
            set.dim(),
            set.points().dtype()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "PointTree", &*self.0)
    }
}

/// A triangle mesh made ready for many searches for its closest point.
///
/// Parameters
/// ----------
/// vertices : array (n_vertices, 3)
///     Kept in the precision given.
/// faces : integer array (n_faces, 3)
///     Triangles with a corner that is not finite are left out.
///
/// Raises
/// ------
/// ShapeError, DTypeError
/// ValueError
///     A triangle that uses a vertex there is not.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> mesh = ka.testing.create_humanoid(n_vertices=600).mesh
/// >>> tree = ka.geometry.MeshTree(mesh.vertices, mesh.faces)
/// >>> valid, points, face, bary = tree.closest(np.zeros((5, 10, 3)))
/// >>> points.shape
/// (5, 10, 3)
#[pyclass(name = "MeshTree", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyMeshTree(pub Arc<TriangleSet>);

#[pymethods]
impl PyMeshTree {
    #[new]
    fn new(vertices: &Array<'_>, faces: &Array<'_>) -> PyResult<Self> {
        let (reals, shape) = values::reals(vertices, "vertices")?;
        values::require("vertices", &shape, &[None, Some(3)], "(n_vertices, 3)")?;
        let faces = values::triangles(faces, "faces")?;
        Ok(Self(Arc::new(TriangleSet::new(reals, faces)?)))
    }

    /// Positions, ``(n_vertices, 3)``; a read-only view.
    #[getter]
    fn vertices<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let vertices = slf.get().0.vertices();
        values::view_reals(slf.as_any(), vertices, &[vertices.len() / 3, 3])
    }

    /// Vertex indices of each triangle, ``(n_faces, 3)`` uint32; a read-only view.
    #[getter]
    fn faces<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let faces = slf.get().0.faces();
        values::view(slf.as_any(), faces.as_flattened(), &[faces.len(), 3])
    }

    /// For each point the closest point of the mesh, in the precision of ``points``.
    ///
    /// Parameters
    /// ----------
    /// points : array (..., n_source, 3)
    /// out : tuple of arrays, optional
    ///
    /// Returns
    /// -------
    /// tuple
    ///     Valid, points, faces and barycentric coordinates, as from
    ///     :func:`find_closest_points_on_mesh`.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    #[pyo3(signature = (points, *, out = None))]
    fn closest<'py>(
        &self,
        py: Python<'py>,
        points: &Array<'py>,
        out: Option<&Array<'py>>,
    ) -> PyResult<Py<PyTuple>> {
        ask(py, &ClosestPointsOfMesh { mesh: &self.0 }, &[points], out)
    }

    fn __repr__(&self) -> String {
        let set = &self.0;
        format!(
            "MeshTree({} vertices, {} faces, {})",
            set.vertices().len() / 3,
            set.faces().len(),
            set.vertices().dtype()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "MeshTree", &*self.0)
    }
}

/// Adds the functions and classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPointTree>()?;
    module.add_class::<PyMeshTree>()?;
    module.add_function(wrap_pyfunction!(find_closest_points, module)?)?;
    module.add_function(wrap_pyfunction!(find_closest_points_on_mesh, module)?)?;
    module.add_function(wrap_pyfunction!(closest_points_on_mesh, module)?)
}
