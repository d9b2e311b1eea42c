//! The file as ufbx reads it: within limits, as it is stored, with its axes and its unit.

use std::cell::Cell;

use ufbx::{AllocatorOpts, CoordinateAxis, LoadOpts, SceneRoot};

use crate::character::Unit;
use crate::error::{Error, Result};
use crate::io::{Loaded, Source, Up};

/// Bytes that even a small file may need, and how many more for each of its own.
const BYTES: (usize, usize) = (48 << 20, 16);

/// Numbers that we may make of even a small file, and how many more for each of its bytes.
const NUMBERS: (usize, usize) = (1 << 22, 8);

/// Longer chains of nodes are not read.
const MAX_DEPTH: u32 = 2048;

/// A file that has been read.
pub(super) struct Stored {
    pub scene: SceneRoot,
    /// The file's name without its suffix; empty for bytes.
    pub name: String,
    pub up: Up,
    pub unit: Unit,
    /// The file's lengths to those in `unit`.
    pub length: f64,
    pub fps: f64,
    pub warnings: Vec<String>,
    /// How many more numbers may be made of it.
    budget: Cell<usize>,
}

impl Stored {
    /// Reads a file; `with_records` keeps its records as they are stored, and no pictures.
    pub fn open(source: &Source<'_>, with_records: bool) -> Result<Self> {
        let bytes = source.bytes();
        let within = || AllocatorOpts {
            memory_limit: bytes.len().saturating_mul(BYTES.1).saturating_add(BYTES.0),
            ..AllocatorOpts::default()
        };
        let listen = |progress: &ufbx::Progress| {
            let total = usize::try_from(progress.bytes_total).unwrap_or(usize::MAX);
            let done = usize::try_from(progress.bytes_read).unwrap_or(total);
            match source.progress.at(done, total.saturating_mul(2)) {
                Ok(()) => ufbx::ProgressResult::Continue,
                Err(_) => ufbx::ProgressResult::Cancel,
            }
        };
        let options = LoadOpts {
            temp_allocator: within(),
            result_allocator: within(),
            ignore_embedded: with_records,
            load_external_files: false,
            evaluate_caches: false,
            force_single_thread_ascii_parsing: true,
            node_depth_limit: MAX_DEPTH,
            progress_cb: ufbx::ProgressCb::Ref(&listen),
            file_format: ufbx::FileFormat::Fbx,
            retain_dom: with_records,
            ..LoadOpts::default()
        };
        let scene = ufbx::load_memory(bytes, options).map_err(|problem| refused(&problem))?;
        let mut warnings = Vec::new();
        for warning in &scene.metadata.warnings {
            let times = match warning.count {
                0 | 1 => String::new(),
                count => format!(" ({count} times)"),
            };
            warnings.push(format!("{}{times}", warning.description));
        }
        let up = up(&scene, &mut warnings);
        let (unit, length) = unit(scene.settings.unit_meters, &mut warnings);
        let fps = scene.settings.frames_per_second;
        let fps = if (1e-3..=1e5).contains(&fps) {
            fps
        } else {
            warnings.push(format!("the frame rate {fps} is taken as 30"));
            30.0
        };
        let numbers = bytes.len().saturating_mul(NUMBERS.1);
        Ok(Self {
            scene,
            name: source.stem(),
            up,
            unit,
            length,
            fps,
            warnings,
            budget: Cell::new(numbers.saturating_add(NUMBERS.0)),
        })
    }

    /// Says that so many more numbers are made.
    ///
    /// # Errors
    /// [`Error::Format`] where they are out of proportion to the file.
    pub fn charge(&self, place: &str, numbers: usize) -> Result<()> {
        match self.budget.get().checked_sub(numbers) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => Err(Error::format(
                place,
                "data in proportion to the size of the file",
                format!("{numbers} more numbers"),
            )),
        }
    }

    /// What was made of it, with its axis and the warnings.
    pub fn bring<T>(mut self, value: T) -> Loaded<T> {
        let mut seen = std::collections::HashSet::new();
        self.warnings.retain(|warning| seen.insert(warning.clone()));
        Loaded {
            value,
            up: self.up,
            warnings: self.warnings,
        }
    }
}

fn refused(problem: &ufbx::Error) -> Error {
    use ufbx::ErrorType as Kind;
    let description = problem.description.to_string();
    let (place, expected) = match problem.type_ {
        Kind::Cancelled => return Error::Interrupted,
        Kind::TruncatedFile => ("the end", "a whole FBX file"),
        Kind::EmptyFile => ("the beginning", "an FBX file"),
        Kind::UnrecognizedFileFormat => ("the beginning", "an FBX file, binary or ASCII"),
        Kind::MemoryLimit | Kind::AllocationLimit | Kind::OutOfMemory => {
            ("the file", "content in proportion to the size of the file")
        }
        Kind::NodeDepthLimit => ("Objects", "nodes in chains of at most 2048"),
        Kind::UnsupportedVersion => ("the header", "FBX 3000 to 7700"),
        _ => ("the file", "well-formed FBX"),
    };
    Error::format(place, expected, description)
}

fn up(scene: &ufbx::Scene, warnings: &mut Vec<String>) -> Up {
    use CoordinateAxis as Axis;
    let axes = &scene.settings.axes;
    let number = |axis: CoordinateAxis| axis as u32;
    let known = [axes.right, axes.up, axes.front]
        .map(number)
        .iter()
        .all(|&axis| axis < number(Axis::Unknown));
    if known {
        let vector = |axis: CoordinateAxis| {
            let mut vector = nalgebra::Vector3::<f64>::zeros();
            vector[(number(axis) / 2) as usize] = if number(axis) % 2 == 0 { 1.0 } else { -1.0 };
            vector
        };
        let front = vector(axes.right).cross(&vector(axes.up));
        if front == -vector(axes.front) {
            warnings.push("the axes are left-handed; coordinates are kept as they are".into());
        }
    }
    match axes.up {
        Axis::PositiveX => Up::X,
        Axis::PositiveY => Up::Y,
        Axis::PositiveZ => Up::Z,
        other => {
            let (up, name) = match other {
                Axis::NegativeX => (Up::X, "-x"),
                Axis::NegativeZ => (Up::Z, "-z"),
                Axis::NegativeY => (Up::Y, "-y"),
                _ => (Up::Y, "not given"),
            };
            warnings.push(format!(
                "the axis that points up is {name}; +{up:?} is assumed"
            ));
            up
        }
    }
}

/// The unit to keep lengths in, and what they are multiplied by.
fn unit(meters: f64, warnings: &mut Vec<String>) -> (Unit, f64) {
    if !(meters > 0.0 && meters.is_finite()) {
        warnings.push(format!(
            "the unit of {meters} m is taken as a centimetre, the unit of files that do not say"
        ));
        return (Unit::Centimeter, 1.0);
    }
    [Unit::Meter, Unit::Centimeter, Unit::Millimeter]
        .into_iter()
        .find(|unit| (meters * unit.per_meter() - 1.0).abs() < 1e-9)
        .map_or((Unit::Meter, meters), |unit| (unit, 1.0))
}
