//! `kinarray.geometry`: parts of meshes, chosen by vertex, by triangle, by what a texture paints.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use std::sync::Arc;

use crate::character::Selection;
use crate::mesh::{self, Texture};
use crate::python::nouns::{PyCharacter, PyMesh};
use crate::python::{interrupt, values};

type Array<'py> = Bound<'py, PyAny>;

/// A character, or a mesh by itself.
enum Whole<'a, 'py> {
    Character(&'a Bound<'py, PyCharacter>),
    Mesh(&'a Bound<'py, PyMesh>),
}

impl<'a, 'py> Whole<'a, 'py> {
    /// From the first argument, whichever of its two names it came by.
    fn of(
        function: &str,
        character: Option<&'a Array<'py>>,
        mesh: Option<&'a Array<'py>>,
    ) -> PyResult<Self> {
        let wrong = |got: &str| {
            PyTypeError::new_err(format!(
                "{function}() expected a Character or a Mesh, got {got}"
            ))
        };
        let object = match (character, mesh) {
            (Some(object), None) | (None, Some(object)) => object,
            (None, None) => return Err(wrong("neither")),
            (Some(_), Some(_)) => return Err(wrong("both")),
        };
        if let Ok(character) = object.cast() {
            return Ok(Self::Character(character));
        }
        if let Ok(mesh) = object.cast() {
            return Ok(Self::Mesh(mesh));
        }
        Err(wrong(&object.get_type().name()?.to_string()))
    }

    fn mesh(&self) -> PyResult<Arc<crate::character::Mesh>> {
        match self {
            Self::Mesh(mesh) => Ok(mesh.get().0.clone()),
            Self::Character(character) => Ok(character.get().core().mesh_to_select()?.clone()),
        }
    }

    fn select(&self, py: Python<'py>, selection: &Selection) -> PyResult<Py<PyAny>> {
        Ok(match self {
            Self::Character(character) => {
                let part = character.get().core().select(selection)?;
                Py::new(py, PyCharacter::from_core(part))?.into_any()
            }
            Self::Mesh(mesh) => {
                let part = mesh.get().0.select(selection)?;
                Py::new(py, PyMesh(Arc::new(part)))?.into_any()
            }
        })
    }
}

fn given<'a, 'py>(what: &str, active: Option<&'a Array<'py>>) -> PyResult<&'a Array<'py>> {
    active.ok_or_else(|| PyTypeError::new_err(format!("missing the argument '{what}'")))
}

/// The part of a mesh with these vertices, and the triangles all of whose corners stay.
///
/// Everything that belongs to a vertex follows: normals, colours, confidence, and of a character its skin
/// weights and shapes. Lines and polygons stay where all their vertices do; texture coordinates where a
/// triangle or polygon that stays uses them.
///
/// Parameters
/// ----------
/// character : Character or Mesh
///     A mesh may also be passed as ``mesh=``.
/// active_vertices : bool array (n_vertices,)
///     Which stay.
///
/// Returns
/// -------
/// Character or Mesh
///     As was given.
///
/// Raises
/// ------
/// CharacterError
///     A character without a mesh.
/// ShapeError, DTypeError
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> character = ka.testing.create_humanoid(n_vertices=600)
/// >>> upper = character.mesh.vertices[:, 1] > 1.0
/// >>> part = ka.geometry.reduce_mesh_by_vertices(character, upper)
/// >>> bool(part.mesh.n_vertices == upper.sum())
/// True
#[pyfunction]
#[pyo3(signature = (character = None, active_vertices = None, *, mesh = None))]
pub fn reduce_mesh_by_vertices<'py>(
    py: Python<'py>,
    character: Option<&Array<'py>>,
    active_vertices: Option<&Array<'py>>,
    mesh: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let whole = Whole::of("reduce_mesh_by_vertices", character, mesh)?;
    let mesh = whole.mesh()?;
    let what = "active_vertices";
    let stays = values::mask_over(
        given(what, active_vertices)?,
        what,
        mesh.n_vertices(),
        "n_vertices",
    )?;
    whole.select(py, &Selection::of_vertices(&mesh, &stays)?)
}

/// The part of a mesh with these triangles, and the vertices that they use.
///
/// Parameters
/// ----------
/// character : Character or Mesh
///     A mesh may also be passed as ``mesh=``.
/// active_faces : bool array (n_faces,)
///     Which stay.
///
/// Returns
/// -------
/// Character or Mesh
///     As was given; what follows is as for :func:`reduce_mesh_by_vertices`.
///
/// Raises
/// ------
/// CharacterError
///     A character without a mesh.
/// ShapeError, DTypeError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> mesh = ka.testing.create_humanoid(n_vertices=600).mesh
/// >>> ka.geometry.reduce_mesh_by_faces(mesh, np.arange(mesh.n_faces) < 10).n_faces
/// 10
#[pyfunction]
#[pyo3(signature = (character = None, active_faces = None, *, mesh = None))]
pub fn reduce_mesh_by_faces<'py>(
    py: Python<'py>,
    character: Option<&Array<'py>>,
    active_faces: Option<&Array<'py>>,
    mesh: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let whole = Whole::of("reduce_mesh_by_faces", character, mesh)?;
    let mesh = whole.mesh()?;
    let what = "active_faces";
    let stays = values::mask_over(
        given(what, active_faces)?,
        what,
        mesh.faces.len(),
        "n_faces",
    )?;
    whole.select(py, &Selection::of_faces(&mesh, &stays)?)
}

/// The character without the vertices below the waist; its skeleton stays as it is.
///
/// Those vertices stay whose heaviest joint, and half of whose weight, belongs to the joint ``b_spine0`` (or
/// else ``c_spine0``), what is above it, or what it carries.
///
/// Parameters
/// ----------
/// character : Character
///     Without a skinned mesh it comes back as it is.
///
/// Returns
/// -------
/// Character
///
/// Raises
/// ------
/// CharacterError
///     No joint ``b_spine0`` or ``c_spine0``.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import (
/// ...     Character, Joint, Mesh, ParameterTransform, Skeleton, SkinWeights, strip_lower_body_vertices)
/// >>> names = {"hips": -1, "leg": 0, "b_spine0": 0}
/// >>> skeleton = Skeleton([Joint(n, p, [0, 0, 0, 1], [0, 1, 0]) for n, p in names.items()])
/// >>> mesh = Mesh([[0, 0, 0], [0, 1, 0], [0, 2, 0]], [])
/// >>> character = Character("x", skeleton, ParameterTransform.identity(skeleton))
/// >>> character = character.with_mesh_and_skin_weights(mesh, SkinWeights([[1], [0], [2]], [[1.0]] * 3))
/// >>> strip_lower_body_vertices(character).mesh.vertices[:, 1]
/// array([1., 2.])
#[pyfunction]
pub fn strip_lower_body_vertices(character: &Bound<'_, PyCharacter>) -> PyResult<PyCharacter> {
    Ok(PyCharacter::from_core(
        character.get().core().without_lower_body()?,
    ))
}

fn texture_of(texture: &Array<'_>) -> PyResult<Texture> {
    let (pixels, shape) = values::colors(texture, "texture", 3, "(height, width, 3)")?;
    Ok(Texture::new(shape[0], shape[1], pixels)?)
}

/// Which triangles a texture paints in which colour.
///
/// Parameters
/// ----------
/// mesh : Mesh
///     With ``texcoords`` and ``texcoord_faces``. ``(0, 0)`` is the middle of the first pixel of the first
///     row, ``(1, 1)`` that of the last of the last.
/// texture : uint8 array (height, width, 3)
/// region_colors : uint8 array (n_regions, 3)
///     Of several regions of one colour the last has its triangles.
/// threshold : float
///     A triangle belongs to a region if at least this part of its samples, and at least one, has the
///     region's colour; 0 to 1.
/// num_samples : {3, 1, 4, 6, 7, 10}
///     Where triangles are looked at: 3 is the corners, 1 the centroid, 4 both; 6 the corners and the
///     middles of the edges, 7 with the centroid, 10 with three places inside.
///
/// Returns
/// -------
/// list of list of int
///     The triangles of each region, in ascending order.
///
/// Raises
/// ------
/// CharacterError
///     A mesh without texture coordinates.
/// ShapeError, DTypeError, ValueError
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import Mesh, classify_triangles_by_texture
/// >>> mesh = Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]],
/// ...             texcoords=[[0, 0], [0.2, 0], [0, 0.2]], texcoord_faces=[[0, 1, 2]])
/// >>> texture = np.zeros((4, 4, 3), np.uint8)
/// >>> classify_triangles_by_texture(mesh, texture, [[255, 0, 0], [0, 0, 0]])
/// [[], [0]]
#[pyfunction]
#[pyo3(signature = (mesh, texture, region_colors, threshold = 0.0, num_samples = 3))]
pub fn classify_triangles_by_texture<'py>(
    py: Python<'py>,
    mesh: &Bound<'py, PyMesh>,
    texture: &Array<'py>,
    region_colors: &Array<'py>,
    threshold: f64,
    num_samples: usize,
) -> PyResult<Vec<Vec<u32>>> {
    let texture = texture_of(texture)?;
    let (colors, _) = values::colors(region_colors, "region_colors", 2, "(n_regions, 3)")?;
    let mesh = &mesh.get().0;
    interrupt::run(py, mesh.faces.len().saturating_mul(num_samples), |_| {
        mesh::classify_triangles(mesh, &texture, &colors, threshold, num_samples)
    })
}

/// The part of a mesh that a texture paints, cut along the border of what is painted.
///
/// A corner is inside where the texture has one of the colours at its texture coordinate. Triangles that are
/// inside stay, those outside go, and those across are cut at the place of each edge that halving it finds.
///
/// Parameters
/// ----------
/// mesh : Mesh
///     With ``texcoords`` and ``texcoord_faces``.
/// texture : uint8 array (height, width, 3)
/// region_colors : uint8 array (n_colors, 3)
///     What is inside.
/// num_binary_search_steps : int
///     How often an edge is halved.
///
/// Returns
/// -------
/// Mesh
///     Without lines and polygons: cutting does not keep them whole.
///
/// Raises
/// ------
/// CharacterError
///     A mesh without texture coordinates.
/// ShapeError, DTypeError, ValueError
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import Mesh, split_mesh_by_texture_region
/// >>> mesh = Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]],
/// ...             texcoords=[[0, 0], [1, 0], [0, 1]], texcoord_faces=[[0, 1, 2]])
/// >>> texture = np.zeros((2, 2, 3), np.uint8)
/// >>> texture[0, 0] = 255
/// >>> part = split_mesh_by_texture_region(mesh, texture, [[255, 255, 255]])
/// >>> part.vertices.max(axis=0).round(1)
/// array([0.5, 0.5, 0. ])
#[pyfunction]
#[pyo3(signature = (mesh, texture, region_colors, num_binary_search_steps = 8))]
pub fn split_mesh_by_texture_region<'py>(
    py: Python<'py>,
    mesh: &Bound<'py, PyMesh>,
    texture: &Array<'py>,
    region_colors: &Array<'py>,
    num_binary_search_steps: u32,
) -> PyResult<PyMesh> {
    let texture = texture_of(texture)?;
    let (colors, _) = values::colors(region_colors, "region_colors", 2, "(n_colors, 3)")?;
    let mesh = &mesh.get().0;
    let part = interrupt::run(py, 16 * mesh.faces.len(), |_| {
        mesh::split_region(mesh, &texture, &colors, num_binary_search_steps)
    })?;
    Ok(PyMesh(Arc::new(part)))
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(reduce_mesh_by_vertices, module)?)?;
    module.add_function(wrap_pyfunction!(reduce_mesh_by_faces, module)?)?;
    module.add_function(wrap_pyfunction!(strip_lower_body_vertices, module)?)?;
    module.add_function(wrap_pyfunction!(classify_triangles_by_texture, module)?)?;
    module.add_function(wrap_pyfunction!(split_mesh_by_texture_region, module)?)
}
