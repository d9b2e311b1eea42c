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
///     A marker that some frames do not list counts as hidden in them.
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
    fn new(name: String, frames: Vec<Vec<Bound<'_, PyMarker>>>, fps: f64) -> PyResult<Self> {
        let frames: Vec<Vec<&Marker>> = frames
            .iter()
            .map(|frame| frame.iter().map(|marker| &marker.get().0).collect())
            .collect();
        Ok(Self(MarkerSequence::from_frames(name, fps, &frames)?))
    }

    /// The subject's name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The markers of each frame, as a new list; ``positions`` and its like are quicker to use.
    #[getter]
    fn frames(&self) -> Vec<Vec<PyMarker>> {
        let frame = |frame| self.0.frame(frame).map(PyMarker).collect();
        (0..self.0.n_frames()).map(frame).collect()
    }

    /// The name of each marker.
    #[getter]
    fn marker_names(&self) -> &[String] {
        self.0.marker_names()
    }

    /// Where each marker was seen, ``(n_frames, n_markers, 3)``; a read-only view.
    #[getter]
    fn positions<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let sequence = &slf.get().0;
        let shape = [sequence.n_frames(), sequence.n_markers(), 3];
        values::view(slf.as_any(), sequence.positions().as_flattened(), &shape)
    }

    /// Whether each marker was hidden, ``(n_frames, n_markers)``; a read-only view.
    #[getter]
    fn occluded<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let sequence = &slf.get().0;
        let shape = [sequence.n_frames(), sequence.n_markers()];
        let bytes: &[u8] = bytemuck::cast_slice(sequence.occluded());
        values::view(slf.as_any(), bytes, &shape)?.call_method1("view", ("bool",))
    }

    /// How much each observation is to be trusted, 0 to 1, ``(n_frames, n_markers)``; a read-only view.
    #[getter]
    fn confidence<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let sequence = &slf.get().0;
        let shape = [sequence.n_frames(), sequence.n_markers()];
        values::view(slf.as_any(), sequence.confidence(), &shape)
    }

    /// Frames per second.
    #[getter]
    fn fps(&self) -> f64 {
        self.0.fps()
    }

    /// Seconds from the start of the recording to the first frame.
    #[getter]
    fn start_time(&self) -> f64 {
        self.0.start_time()
    }

    fn __len__(&self) -> usize {
        self.0.n_frames()
    }

    fn __repr__(&self) -> String {
        format!(
            "MarkerSequence(name='{}', frames={}, fps={})",
            self.0.name(),
            self.0.n_frames(),
            self.0.fps()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "MarkerSequence", &self.0)
    }
}
