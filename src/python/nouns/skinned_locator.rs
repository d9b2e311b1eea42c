//! `kinarray.geometry.SkinnedLocator`.

use pyo3::prelude::*;

use super::pickle;
use crate::character::SkinnedLocator;
use crate::python::values;

/// A named point that several joints carry by weight, as a vertex of the skin is.
///
/// Parameters
/// ----------
/// name : str
/// parents : integer array (n_influences,)
///     The joints that carry it. Any number of them; PyMomentum stops at 8.
/// skin_weights : array (n_influences,)
///     How much each of them does; they are kept as given and count relative to their sum.
/// position : array (3,), optional
///     Position in the world in the rest pose, in the character's unit; default 0.
/// weight : float
///     How much it counts in fits.
/// skin_offset : float
///     Distance from the skin, in the character's unit; a marker has a thickness.
///
/// Raises
/// ------
/// CharacterError
///     Where there is not one finite weight for each parent.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import SkinnedLocator
/// >>> SkinnedLocator("elbow", [3, 4], [0.5, 0.5], [0.4, 1.2, 0.0])
/// SkinnedLocator(name='elbow', parents=[3, 4], position=[0.4, 1.2, 0.0])
#[pyclass(name = "SkinnedLocator", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PySkinnedLocator(pub SkinnedLocator);

#[pymethods]
impl PySkinnedLocator {
    #[new]
    #[pyo3(signature = (name, parents, skin_weights, position = None, weight = 1.0, skin_offset = 0.0))]
    fn new(
        name: String,
        parents: &Bound<'_, PyAny>,
        skin_weights: &Bound<'_, PyAny>,
        position: Option<&Bound<'_, PyAny>>,
        weight: f64,
        skin_offset: f64,
    ) -> PyResult<Self> {
        let (parents, shape) = values::indices(parents, "parents")?;
        values::require("parents", &shape, &[None], "(n_influences,)")?;
        let (skin_weights, shape) = values::reals(skin_weights, "skin_weights")?;
        values::require("skin_weights", &shape, &[None], "(n_influences,)")?;
        let position = position
            .map(|position| values::fixed::<3>(position, "position"))
            .transpose()?
            .unwrap_or_default();
        let skin_weights = skin_weights.iter().collect();
        let mut locator = SkinnedLocator::new(name, parents, skin_weights, position)?;
        (locator.weight, locator.skin_offset) = (weight, skin_offset);
        Ok(Self(locator))
    }

    /// The locator's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Indices of the joints that carry it, ``(n_influences,)`` uint32; a read-only view.
    #[getter]
    fn parents<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let parents = slf.get().0.parents();
        values::view(slf.as_any(), parents, &[parents.len()])
    }

    /// How much each of them does, ``(n_influences,)``; a read-only view.
    #[getter]
    fn skin_weights<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let weights = slf.get().0.skin_weights();
        values::view(slf.as_any(), weights, &[weights.len()])
    }

    /// Position in the world in the rest pose, ``(3,)``; a read-only view.
    #[getter]
    fn position<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.position, &[3])
    }

    /// How much it counts in fits.
    #[getter]
    fn weight(&self) -> f64 {
        self.0.weight
    }

    /// Its distance from the skin, in the character's unit.
    #[getter]
    fn skin_offset(&self) -> f64 {
        self.0.skin_offset
    }

    fn __repr__(&self) -> String {
        format!(
            "SkinnedLocator(name='{}', parents={:?}, position={:?})",
            self.0.name,
            self.0.parents(),
            self.0.position
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "SkinnedLocator", &self.0)
    }
}
