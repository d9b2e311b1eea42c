//! What is asked of every format, from what this one stores.

use super::compose::{Files, composed};
use super::convert::{Scene, scene};
use super::layer::Layer;
use super::{crate_file, package, text};
use crate::character::Character;
use crate::error::{Error, Result};
use crate::io::{LoadOptions, Loaded, Motion, MotionChoice, Progress, Source};

/// Reads the layer of a file in any of the three forms, told apart by content, without what it brings in.
///
/// # Errors
/// [`Error::Format`] with the line or byte, what the format asks for and what is there.
pub fn read_layer(source: &Source<'_>) -> Result<Layer> {
    layer_of(source.bytes(), &source.progress)
}

pub(super) fn layer_of(bytes: &[u8], progress: &Progress<'_>) -> Result<Layer> {
    if bytes.starts_with(package::MAGIC) {
        let first = package::first_entry(bytes)?;
        return inside(&first.name, single(first.bytes, progress));
    }
    single(bytes, progress)
}

fn single(bytes: &[u8], progress: &Progress<'_>) -> Result<Layer> {
    if bytes.starts_with(crate_file::MAGIC) {
        return crate_file::read(bytes, progress);
    }
    text::read(&Source::from_bytes(bytes).text(), progress)
}

/// Says which file of several something is about.
pub(super) fn inside<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| match error {
        Error::Format {
            file,
            location,
            expected,
            got,
        } => Error::Format {
            file,
            location: format!("{name}, {location}"),
            expected,
            got,
        },
        other => other,
    })
}

/// Reads a file with everything in it, and with what it brings in from files beside it.
///
/// # Errors
/// [`Error::Format`] with the place, what the format asks for and what is there.
pub fn load_scene(source: &Source<'_>, options: &LoadOptions) -> Result<Scene> {
    let read = || {
        let bytes = source.bytes();
        let first = layer_of(bytes, &source.progress)?;
        let is_package = bytes.starts_with(package::MAGIC);
        let (files, path) = if is_package {
            (Files::Package(bytes), package::first_entry(bytes)?.name)
        } else {
            (Files::Beside(source), String::new())
        };
        let (layer, size) = composed(first, &path, &files, bytes.len(), source.progress)?;
        scene(&layer, size, options, &source.progress)
    };
    read().map_err(|error| error.as_format().in_file(&source.name()))
}

/// Reads the character of a file: all its skeletons and meshes.
///
/// # Errors
/// [`Error::Format`] with the place, what the format asks for and what is there.
pub fn load_character(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Character>> {
    let scene = load_scene(source, options)?;
    Ok(Loaded {
        value: scene.character,
        up: scene.up,
        warnings: scene.warnings,
    })
}

/// Reads the motion of a file, of which there is one: all skeletons move by the clock of the stage.
///
/// # Errors
/// [`Error::Format`] as for the character, and where nothing moves.
pub fn load_motion(
    source: &Source<'_>,
    options: &LoadOptions,
    choice: &MotionChoice,
) -> Result<Loaded<Motion>> {
    let scene = load_scene(source, options)?;
    let clip = &scene.clip;
    let clips = if clip.is_there() {
        vec![clip.name()]
    } else {
        Vec::new()
    };
    choice.find(&clips)?;
    let fps = choice.fps.unwrap_or_else(|| clip.fps());
    let codes = clip.frames(fps)?;
    let mut model_parameters: Vec<f64> = Vec::new();
    let mut previous = Vec::new();
    for (done, &code) in codes.iter().enumerate() {
        source.progress.at(done, codes.len())?;
        previous = clip.parameters(code, &previous);
        model_parameters.extend(&previous);
    }
    let seconds = |code: &f64| code / clip.codes_per_second();
    Ok(Loaded {
        value: Motion {
            name: clip.name(),
            fps,
            times: codes.iter().map(seconds).collect(),
            model_parameters,
            identity: Vec::new(),
            is_single: true,
            timestamps: Vec::new(),
            clips,
            character: scene.character,
        },
        up: scene.up,
        warnings: scene.warnings,
    })
}
