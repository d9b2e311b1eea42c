//! `kinarray.geometry.Locator`.

use pyo3::prelude::*;

use super::{hash, pickle};
use crate::character::Locator;
use crate::python::values;

/// A named point in a joint's frame, as markers and attachment points are.
///
/// Parameters
/// ----------
/// name : str
/// parent : int
///     Index of the joint that carries it.
/// offset : array (3,)
///     Position in the joint's frame, in the character's unit of length.
/// locked, limit_origin, limit_weight : array (3,)
///     Axes that calibration may not move; where it pulls back to (default ``offset``), and how strongly.
/// weight : float
/// attached_to_skin : bool
/// skin_offset : float
///
/// Examples
/// --------
/// >>> from kinarray.geometry import Locator
/// >>> Locator("l_hand_marker", 3, [0, 0.02, 0])
/// Locator(name='l_hand_marker', parent=3, offset=[0.0, 0.02, 0.0])
#[pyclass(name = "Locator", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyLocator(pub Locator);

#[pymethods]
impl PyLocator {
    #[new]
    #[pyo3(signature = (name, parent, offset = None, locked = None, weight = 1.0, limit_origin = None,
                        limit_weight = None, attached_to_skin = false, skin_offset = 0.0))]
    #[allow(clippy::too_many_arguments)] // the peer's keywords
    fn new(
        name: String,
        parent: usize,
        offset: Option<&Bound<'_, PyAny>>,
        locked: Option<[i64; 3]>,
        weight: f64,
        limit_origin: Option<&Bound<'_, PyAny>>,
        limit_weight: Option<&Bound<'_, PyAny>>,
        attached_to_skin: bool,
        skin_offset: f64,
    ) -> PyResult<Self> {
        let three = |object: Option<&Bound<'_, PyAny>>, what| {
            object
                .map(|object| values::fixed::<3>(object, what))
                .transpose()
        };
        let offset = three(offset, "offset")?.unwrap_or_default();
        Ok(Self(Locator {
            name,
            parent,
            offset,
            locked: locked.unwrap_or_default().map(|axis| axis != 0),
            weight,
            limit_origin: three(limit_origin, "limit_origin")?.unwrap_or(offset),
            limit_weight: three(limit_weight, "limit_weight")?.unwrap_or_default(),
            attached_to_skin,
            skin_offset,
        }))
    }

    /// The locator's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Index of the joint that carries it.
    #[getter]
    fn parent(&self) -> usize {
        self.0.parent
    }

    /// Position in the joint's frame, ``(3,)``; a read-only view.
    #[getter]
    fn offset<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.offset, &[3])
    }

    /// Axes along which calibration may not move it: 1 or 0, ``(3,)``.
    #[getter]
    fn locked(&self) -> [u8; 3] {
        self.0.locked.map(u8::from)
    }

    /// How much it counts in fits.
    #[getter]
    fn weight(&self) -> f64 {
        self.0.weight
    }

    /// Where calibration pulls it back to, ``(3,)``; a read-only view.
    #[getter]
    fn limit_origin<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.limit_origin, &[3])
    }

    /// How strongly, per axis, ``(3,)``; a read-only view.
    #[getter]
    fn limit_weight<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.limit_weight, &[3])
    }

    /// Whether it sits on the skin.
    #[getter]
    fn attached_to_skin(&self) -> bool {
        self.0.attached_to_skin
    }

    /// Its distance from the skin, in the character's unit.
    #[getter]
    fn skin_offset(&self) -> f64 {
        self.0.skin_offset
    }

    fn __repr__(&self) -> String {
        let Locator {
            name,
            parent,
            offset,
            ..
        } = &self.0;
        format!("Locator(name='{name}', parent={parent}, offset={offset:?})")
    }

    fn __hash__(&self) -> u64 {
        hash::of(&self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Locator", &self.0)
    }
}
