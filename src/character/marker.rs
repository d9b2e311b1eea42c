//! Points that a motion capture system saw.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use crate::error::{Error, Result};

/// One marker in one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// Its name.
    pub name: String,
    /// Where it was seen.
    pub pos: [f64; 3],
    /// Whether it was hidden, so that its position means nothing.
    pub occluded: bool,
    /// How much the observation is to be trusted, 0 to 1.
    pub confidence: f64,
}

/// What a [`MarkerSequence`] is made of. The tables are row-major `(n_frames, n_markers)`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MarkerSequenceParts {
    /// The subject's name.
    pub name: String,
    /// The name of each marker.
    pub marker_names: Vec<String>,
    /// Frames per second.
    pub fps: f64,
    /// Seconds from the start of the recording to the first frame.
    pub start_time: f64,
    /// The number of frames.
    pub n_frames: usize,
    /// Where each marker was seen.
    pub positions: Vec<[f64; 3]>,
    /// Whether each was hidden, so that its position means nothing.
    pub occluded: Vec<bool>,
    /// How much each observation is to be trusted, 0 to 1.
    pub confidence: Vec<f64>,
}

/// The markers of one subject, frame after frame: each name once, and every marker in every frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MarkerSequenceParts", into = "MarkerSequenceParts")]
pub struct MarkerSequence {
    parts: MarkerSequenceParts,
}

impl TryFrom<MarkerSequenceParts> for MarkerSequence {
    type Error = Error;

    fn try_from(parts: MarkerSequenceParts) -> Result<Self> {
        Self::new(parts)
    }
}

impl From<MarkerSequence> for MarkerSequenceParts {
    fn from(sequence: MarkerSequence) -> Self {
        sequence.parts
    }
}

impl MarkerSequence {
    /// From tables.
    ///
    /// # Errors
    /// [`Error::Shape`] where a table has another size than frames times markers.
    pub fn new(parts: MarkerSequenceParts) -> Result<Self> {
        let (n_frames, n_markers) = (parts.n_frames, parts.marker_names.len());
        for (what, length) in [
            ("positions", parts.positions.len()),
            ("occluded", parts.occluded.len()),
            ("confidence", parts.confidence.len()),
        ] {
            if n_frames.checked_mul(n_markers) != Some(length) {
                let expected = format!("{n_frames} frames of {n_markers} markers");
                return Err(Error::shape(what, expected, format!("{length} entries")));
            }
        }
        Ok(Self { parts })
    }

    /// From the markers of each frame. A marker that some frames do not list counts as hidden in them; one
    /// that a frame lists twice is two markers.
    ///
    /// # Errors
    /// [`Error::Memory`] where frames times markers is more than there is room for.
    pub fn from_frames(name: String, fps: f64, frames: &[Vec<&Marker>]) -> Result<Self> {
        let mut found: HashMap<(&str, usize), usize> = HashMap::new();
        let mut marker_names = Vec::new();
        let mut columns = Vec::with_capacity(frames.len());
        for frame in frames {
            let mut seen: HashMap<&str, usize> = HashMap::new();
            let mut own = Vec::with_capacity(frame.len());
            for marker in frame {
                let repeat = seen.entry(&marker.name).or_default();
                own.push(*found.entry((&marker.name, *repeat)).or_insert_with(|| {
                    marker_names.push(marker.name.clone());
                    marker_names.len() - 1
                }));
                *repeat += 1;
            }
            columns.push(own);
        }
        let size = frames.len().saturating_mul(marker_names.len());
        let mut positions = Error::reserve("frames", size)?;
        let mut occluded = Error::reserve("frames", size)?;
        let mut confidence = Error::reserve("frames", size)?;
        positions.resize(size, [0.0; 3]);
        occluded.resize(size, true);
        confidence.resize(size, 1.0);
        for (at, (frame, columns)) in frames.iter().zip(&columns).enumerate() {
            for (marker, column) in frame.iter().zip(columns) {
                let cell = at * marker_names.len() + column;
                positions[cell] = marker.pos;
                occluded[cell] = marker.occluded;
                confidence[cell] = marker.confidence;
            }
        }
        Self::new(MarkerSequenceParts {
            name,
            marker_names,
            fps,
            start_time: 0.0,
            n_frames: frames.len(),
            positions,
            occluded,
            confidence,
        })
    }

    /// The subject's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The name of each marker.
    #[must_use]
    pub fn marker_names(&self) -> &[String] {
        &self.parts.marker_names
    }

    /// Frames per second.
    #[must_use]
    pub fn fps(&self) -> f64 {
        self.parts.fps
    }

    /// Seconds from the start of the recording to the first frame.
    #[must_use]
    pub fn start_time(&self) -> f64 {
        self.parts.start_time
    }

    /// The number of frames.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.parts.n_frames
    }

    /// The number of markers.
    #[must_use]
    pub fn n_markers(&self) -> usize {
        self.parts.marker_names.len()
    }

    /// `(n_frames, n_markers)`: where each marker was seen.
    #[must_use]
    pub fn positions(&self) -> &[[f64; 3]] {
        &self.parts.positions
    }

    /// `(n_frames, n_markers)`: whether each was hidden, so that its position means nothing.
    #[must_use]
    pub fn occluded(&self) -> &[bool] {
        &self.parts.occluded
    }

    /// `(n_frames, n_markers)`: how much each observation is to be trusted, 0 to 1.
    #[must_use]
    pub fn confidence(&self) -> &[f64] {
        &self.parts.confidence
    }

    /// One marker in one frame; `None` where there is no such frame or marker.
    #[must_use]
    pub fn marker(&self, frame: usize, marker: usize) -> Option<Marker> {
        let name = self.parts.marker_names.get(marker)?;
        let cell = frame.checked_mul(self.n_markers())?.checked_add(marker)?;
        Some(Marker {
            name: name.clone(),
            pos: *self.parts.positions.get(cell)?,
            occluded: *self.parts.occluded.get(cell)?,
            confidence: *self.parts.confidence.get(cell)?,
        })
    }

    /// All markers in one frame; none where there is no such frame.
    pub fn frame(&self, frame: usize) -> impl Iterator<Item = Marker> {
        (0..self.n_markers()).map_while(move |marker| self.marker(frame, marker))
    }

    /// One marker through all frames: where it was seen, whether it was hidden, and how much that is to be
    /// trusted; nothing where there is no such marker.
    pub fn column(&self, marker: usize) -> impl Iterator<Item = ([f64; 3], bool, f64)> {
        let every = self.n_markers().max(1);
        let frames = if marker < self.n_markers() {
            self.n_frames()
        } else {
            0
        };
        (0..frames).map(move |frame| {
            let cell = frame * every + marker;
            let parts = &self.parts;
            (
                parts.positions[cell],
                parts.occluded[cell],
                parts.confidence[cell],
            )
        })
    }

    /// The same with every position moved.
    #[must_use]
    pub fn map_positions(mut self, change: impl Fn([f64; 3]) -> [f64; 3]) -> Self {
        for position in &mut self.parts.positions {
            *position = change(*position);
        }
        self
    }
}
