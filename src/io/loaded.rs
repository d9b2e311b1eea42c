//! What readers are asked for, and what they bring.

use std::path::PathBuf;

use super::Up;
use crate::character::{MarkerSequence, Unit};
use crate::error::{Error, Result};

/// What position channels of BVH joints mean beside an OFFSET that is not zero; files differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PositionChannels {
    /// They are added to it, as in three.js and Momentum. The default: a file that writes zeros into the
    /// channels of every joint keeps its bones.
    #[default]
    AddToOffset,
    /// They stand in its place, as in Blender.
    ReplaceOffset,
}

/// How to load a file.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The unit of the result.
    pub unit: Unit,
    /// The axis that points up in the result; the file's own where not given.
    pub up: Option<Up>,
    /// The unit of a file that does not say; each format has its custom.
    pub file_unit: Option<Unit>,
    /// Whether each vertex' weights are divided by their sum, as three.js and Blender do and as the glTF
    /// specification asks of files; otherwise they are kept as stored.
    pub normalize_weights: bool,
    /// What position channels of BVH mean.
    pub position_channels: PositionChannels,
    /// Whether names of FBX nodes lose what stands before their last colon.
    pub strip_namespaces: bool,
    /// The folder whose files a file may refer to; its own where not given.
    pub root: Option<PathBuf>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            unit: Unit::default(),
            up: None,
            file_unit: None,
            normalize_weights: true,
            position_channels: PositionChannels::default(),
            strip_namespaces: true,
            root: None,
        }
    }
}

/// Which animation of a file, and at which frames.
#[derive(Debug, Clone, Default)]
pub struct MotionChoice {
    /// The animation; the first one where not given.
    pub clip: Option<ClipChoice>,
    /// Frames a second; the file's own where not given. Formats that store frames, not curves, have no
    /// other rate than their own.
    pub fps: Option<f64>,
}

/// One of several animations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipChoice {
    /// By its place.
    Index(usize),
    /// By its name.
    Name(String),
}

impl MotionChoice {
    /// The place of the chosen animation in a list of names.
    ///
    /// # Errors
    /// [`Error::Format`] where there is none such, naming those that there are.
    pub fn find(&self, names: &[String]) -> Result<usize> {
        let found = match &self.clip {
            None => (!names.is_empty()).then_some(0),
            Some(ClipChoice::Index(at)) => Some(*at).filter(|&at| at < names.len()),
            Some(ClipChoice::Name(name)) => names.iter().position(|own| own == name),
        };
        found.ok_or_else(|| {
            let wanted = match &self.clip {
                None => "animations".to_owned(),
                Some(ClipChoice::Index(at)) => format!("animations[{at}]"),
                Some(ClipChoice::Name(name)) => format!("animations[{name}]"),
            };
            let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            let has = match names.len() {
                0 => "a file without animations".to_owned(),
                count => format!("the file has {count} animations: {}", quoted.join(", ")),
            };
            Error::format(wanted, "an animation", has)
        })
    }
}

impl MotionChoice {
    /// Refuses another rate than that of a file whose motion is frames, not curves.
    ///
    /// # Errors
    /// [`Error::Value`] naming the file's own rate.
    pub fn check_rate(&self, own: f64) -> Result<()> {
        match self.fps {
            Some(fps) if (fps - own).abs() > 1e-3 * own => Err(Error::value(
                "fps",
                format!(
                    "the file has frames, not curves: {own} a second, and no others, got {fps}"
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// What a reader brings: in the unit that the value itself says, along the file's own axes. Whoever asked
/// turns and converts it.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The character, motion or markers.
    pub value: T,
    /// The axis that points up in them.
    pub up: Up,
    /// What was left out or changed, one sentence each.
    pub warnings: Vec<String>,
}

impl<T> Loaded<T> {
    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Loaded<U> {
        Loaded {
            value: change(self.value),
            up: self.up,
            warnings: self.warnings,
        }
    }

    /// The same with another value, which may not be had.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn and_then<U>(self, change: impl FnOnce(T) -> Result<U>) -> Result<Loaded<U>> {
        Ok(Loaded {
            value: change(self.value)?,
            up: self.up,
            warnings: self.warnings,
        })
    }
}

/// The markers of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Markers {
    /// One sequence a subject.
    pub sequences: Vec<MarkerSequence>,
    /// The unit of their positions.
    pub unit: Unit,
}

impl Markers {
    /// Keeps the subject with the most markers, the first of several.
    pub fn keep_main_subject(&mut self) {
        let counts = self.sequences.iter().map(MarkerSequence::n_markers);
        let best = counts.clone().max();
        let main = counts.clone().position(|count| Some(count) == best);
        if let Some(main) = main {
            self.sequences = vec![self.sequences.swap_remove(main)];
        }
    }
}
