//! Characters that the library builds itself, and pictures of them.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::character::Unit;
use crate::python::error::to_py;
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
    let unit = Unit::parse(unit).map_err(to_py)?;
    let character = py.detach(|| testing::create_humanoid(n_vertices, unit)).map_err(to_py)?;
    Ok(PyCharacter::from_core(character))
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
    values::require("vertices", &shape, &sizes[3 - shape.len().clamp(2, 3)..], words).map_err(to_py)?;
    let length = 3 * shape[shape.len() - 2];
    let png = py
        .detach(|| {
            let figures: Vec<&[f32]> = vertices.as_f32().chunks(length.max(1)).collect();
            render::figures_png(&figures, &faces, width, height)
        })
        .map_err(to_py)?;
    Ok(PyBytes::new(py, &png))
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(create_humanoid, module)?)?;
    module.add_function(wrap_pyfunction!(render_png, module)?)
}
