//! `kinarray.geometry.Marker` and `MarkerSequence`.

use pyo3::prelude::*;

use super::pickle;
use crate::character::{Marker, MarkerSequence};
use crate::python::values;

/// A point that a motion capture system saw in one frame.
///
/// Parameters
/// ----------
/// name : str
/// pos : array (3,), optional
///     Where it was seen; default 0.
/// occluded : bool, optional
///     Whether it was hidden, so that its position means nothing; without one it is.
/// confidence : float
///     How much the observation is to be trusted, 0 to 1.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import Marker
/// >>> Marker("l_wrist_out", [0.2, 1.1, 0.4])
/// Marker(name='l_wrist_out', pos=[0.2, 1.1, 0.4], occluded=False, confidence=1)
#[pyclass(name = "Marker", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyMarker(pub Marker);

#[pymethods]
impl PyMarker {
    #[new]
    #[pyo3(signature = (name = String::from("Undefined"), pos = None, occluded = None, confidence = 1.0))]
    fn new(
        name: String,
        pos: Option<&Bound<'_, PyAny>>,
        occluded: Option<bool>,
        confidence: f64,
    ) -> PyResult<Self> {
        let pos = pos.map(|pos| values::fixed(pos, "pos")).transpose()?;
        Ok(Self(Marker {
            name,
            occluded: occluded.unwrap_or(pos.is_none()),
            pos: pos.unwrap_or_default(),
            confidence,
        }))
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it was seen, ``(3,)``; a read-only view.
    #[getter]
    fn pos<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.pos, &[3])
    }

    /// Whether it was hidden, so that its position means nothing.
    #[getter]
    fn occluded(&self) -> bool {
        self.0.occluded
    }

    /// How much the observation is to be trusted, 0 to 1.
    #[getter]
    fn confidence(&self) -> f64 {
        self.0.confidence
    }

    fn __repr__(&self) -> String {
        let Marker {
            name,
            pos,
            occluded,
            confidence,
        } = &self.0;
        let occluded = if *occluded { "True" } else { "False" };
        format!("Marker(name='{name}', pos={pos:?}, occluded={occluded}, confidence={confidence})")
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Marker", &self.0)
    }
}

/// The markers of one subject, frame after frame.
///
/// Parameters
/// ----------
/// name : str
///     The subject's name.
/// frames : sequence of sequences of Marker
/// fps : float
///     Frames per second.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import Marker, MarkerSequence
/// >>> MarkerSequence("dancer", [[Marker("head", [0, 1.8, 0])]] * 3, fps=120)
/// MarkerSequence(name='dancer', frames=3, fps=120)
#[pyclass(name = "MarkerSequence", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyMarkerSequence(pub MarkerSequence);

#[pymethods]
impl PyMarkerSequence {
    #[new]
    #[pyo3(signature = (name = String::new(), frames = Vec::new(), fps = 30.0))]
    fn new(name: String, frames: Vec<Vec<Bound<'_, PyMarker>>>, fps: f64) -> Self {
        let frame = |frame: &Vec<Bound<'_, PyMarker>>| {
            let markers = frame.iter();
            markers.map(|marker| marker.get().0.clone()).collect()
        };
        Self(MarkerSequence {
            name,
            frames: frames.iter().map(frame).collect(),
            fps,
        })
    }

    /// The subject's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The markers of each frame.
    #[getter]
    fn frames(&self) -> Vec<Vec<PyMarker>> {
        let frame = |frame: &Vec<Marker>| frame.iter().cloned().map(PyMarker).collect();
        self.0.frames.iter().map(frame).collect()
    }

    /// Frames per second.
    #[getter]
    fn fps(&self) -> f64 {
        self.0.fps
    }

    fn __len__(&self) -> usize {
        self.0.frames.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "MarkerSequence(name='{}', frames={}, fps={})",
            self.0.name,
            self.0.frames.len(),
            self.0.fps
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "MarkerSequence", &self.0)
    }
}
