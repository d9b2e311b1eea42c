//! Characters that the library builds itself, and pictures of them.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::character::Unit;
use crate::python::nouns::PyCharacter;
use crate::python::values;
use crate::{render, testing};

/// Builds an adult humanoid: about 60 joints, a skinned mesh, parameters with shared, scaling and root
/// ones, limits, locators and capsules. The same every time.
///
/// Parameters
/// ----------
/// n_vertices : int
///     About how many vertices the mesh has.
/// unit : {"m", "cm", "mm"}
///     The unit of its lengths.
///
/// Returns
/// -------
/// Character
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> ka.testing.create_humanoid(n_vertices=2000, unit="cm").unit
/// 'cm'
#[pyfunction]
#[pyo3(signature = (n_vertices = 10_000, unit = "m"))]
fn create_humanoid(py: Python<'_>, n_vertices: usize, unit: &str) -> PyResult<PyCharacter> {
    let unit = Unit::parse(unit)?;
    let character = py.detach(|| testing::create_humanoid(n_vertices, unit))?;
    Ok(PyCharacter::from_core(character))
}

/// Builds a random rig of any size, the same every time: a tree of joints with pre-rotations and offsets,
/// parameters spread over it, and a mesh with random weights.
///
/// Parameters
/// ----------
/// n_joints, n_parameters, n_vertices, n_influences : int
///
/// Returns
/// -------
/// Character
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> len(ka.testing.create_character(127, 136, 100, 4).skeleton)
/// 127
#[pyfunction]
fn create_character(
    n_joints: usize,
    n_parameters: usize,
    n_vertices: usize,
    n_influences: usize,
) -> PyResult<PyCharacter> {
    let character = testing::create_character(n_joints, n_parameters, n_vertices, n_influences)?;
    Ok(PyCharacter::from_core(character))
}

/// Model parameters that make the humanoid walk one cycle.
///
/// Parameters
/// ----------
/// character : Character
///     Parameters that it does not have are left out; those the walk does not use stay 0.
/// n_frames : int
///
/// Returns
/// -------
/// NumPy array (n_frames, n_parameters), float64
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> ka.testing.walk_cycle(ka.testing.create_humanoid(n_vertices=1000), 8).shape[0]
/// 8
#[pyfunction]
fn walk_cycle<'py>(
    py: Python<'py>,
    character: &Bound<'py, PyCharacter>,
    n_frames: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let core = character.get().core();
    let shape = [n_frames, core.parameter_transform.len()];
    values::fresh(py, testing::walk_cycle(core, n_frames), &shape)
}

/// Draws figures side by side and returns a PNG file's bytes.
///
/// Parameters
/// ----------
/// vertices : array (n_figures, n_vertices, 3) or (n_vertices, 3)
///     World positions, y up.
/// faces : integer array (n_faces, 3)
/// width, height : int
///     Pixels.
#[pyfunction]
#[pyo3(signature = (vertices, faces, width = 1200, height = 500))]
fn render_png<'py>(
    py: Python<'py>,
    vertices: &Bound<'py, PyAny>,
    faces: &Bound<'py, PyAny>,
    width: usize,
    height: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let faces = values::triangles(faces, "faces")?;
    let (vertices, shape) = values::reals(vertices, "vertices")?;
    let words = "(n_figures, n_vertices, 3)";
    let sizes = [None, None, Some(3)];
    values::require(
        "vertices",
        &shape,
        &sizes[3 - shape.len().clamp(2, 3)..],
        words,
    )?;
    let length = 3 * shape[shape.len() - 2];
    let png = py.detach(|| {
        let figures: Vec<&[f32]> = vertices.as_f32().chunks(length.max(1)).collect();
        render::figures_png(&figures, &faces, width, height)
    })?;
    Ok(PyBytes::new(py, &png))
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(create_humanoid, module)?)?;
    module.add_function(wrap_pyfunction!(create_character, module)?)?;
    module.add_function(wrap_pyfunction!(walk_cycle, module)?)?;
    module.add_function(wrap_pyfunction!(render_png, module)?)
}
