//! The functions of `kinarray.geometry` on shapes.

use pyo3::prelude::*;

use crate::backend::operations::ComputeShape;
use crate::python::apply::apply;
use crate::python::nouns::{PyBlendShapeBase, PyCharacter};
use crate::python::values;

/// Combines blend shapes; the same as ``blend_shape.compute_shape(coefficients)``.
///
/// Parameters
/// ----------
/// blend_shape : BlendShape or BlendShapeBase
/// coefficients : array (..., n_shapes)
/// out : array (..., n_vertices, 3), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., n_vertices, 3)
///     In the shapes' unit; kind, device and dtype of ``coefficients``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> face = ka.geometry.BlendShapeBase.from_tensors(np.ones((2, 4, 3)), ["smile", "frown"])
/// >>> ka.geometry.compute_blend_shape(face, np.zeros((10, 2), np.float32)).shape
/// (10, 4, 3)
#[pyfunction]
#[pyo3(signature = (blend_shape, coefficients, *, out = None))]
fn compute_blend_shape<'py>(
    py: Python<'py>,
    blend_shape: &Bound<'py, PyBlendShapeBase>,
    coefficients: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let shapes = blend_shape.get().0.clone();
    apply(py, &ComputeShape { shapes }, &[coefficients], out)
}

/// The same character with the vertices of its rest mesh elsewhere, and new normals.
///
/// The triangles stay. A blend shape stays too, with its own base: see :meth:`Character.bake_blend_shape`.
///
/// Parameters
/// ----------
/// character : Character
/// rest_vertex_positions : array (n_vertices, 3)
///     In the character's unit; kept in the precision given.
///
/// Returns
/// -------
/// Character
///
/// Raises
/// ------
/// ShapeError
/// CharacterError
///     No mesh, or one of another number of vertices.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> smaller = ka.geometry.replace_rest_mesh(character, character.mesh.vertices * 0.5)
/// >>> bool((smaller.mesh.vertices == character.mesh.vertices * 0.5).all())
/// True
#[pyfunction]
fn replace_rest_mesh(
    character: &Bound<'_, PyCharacter>,
    rest_vertex_positions: &Bound<'_, PyAny>,
) -> PyResult<PyCharacter> {
    let what = "rest_vertex_positions";
    let (vertices, shape) = values::reals(rest_vertex_positions, what)?;
    values::require(what, &shape, &[None, Some(3)], "(n_vertices, 3)")?;
    let core = character.get().core().replace_rest_mesh(vertices)?;
    Ok(PyCharacter::from_core(core))
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(compute_blend_shape, module)?)?;
    module.add_function(wrap_pyfunction!(replace_rest_mesh, module)?)
}
