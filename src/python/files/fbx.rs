//! What PyMomentum names by FBX, but for its builder: `Character.load_fbx`, `save_fbx` and their kin.

use pyo3::prelude::*;

use super::gltf_save::{Frames, marker_sequence};
use super::save_options::save_options;
use super::work;
use crate::character::{Character, PARAMETERS_PER_JOINT, Unit};
use crate::error::Result;
use crate::io::fbx::{Axes, FbxBuilder, FrontVector, Handedness};
use crate::io::{
    self, ClipChoice, Format, LoadOptions, Loaded, Motion, MotionChoice, Progress, SaveOptions,
    Saved, Source, Up,
};
use crate::python::nouns::PyCharacter;
use crate::python::values;

/// Adds the functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(is_fbxsdk_available, module)?)
}

/// Whether Autodesk's FBX SDK is there: never. Nothing needs it; FBX files are written without.
///
/// Returns
/// -------
/// bool
///
/// Examples
/// --------
/// >>> from kinarray.geometry import is_fbxsdk_available
/// >>> is_fbxsdk_available()
/// False
#[pyfunction]
fn is_fbxsdk_available() -> bool {
    false
}

/// What the loaders are asked for.
struct Wanted {
    options: LoadOptions,
    blend_shapes: bool,
}

impl Wanted {
    fn new(unit: &str, blend_shapes: bool, strip_namespaces: bool) -> Result<Self> {
        Ok(Self {
            options: LoadOptions {
                unit: Unit::parse(unit)?,
                strip_namespaces,
                ..LoadOptions::default()
            },
            blend_shapes,
        })
    }

    fn character(&self, character: Character) -> Result<Character> {
        match self.blend_shapes {
            true => Ok(character),
            false => character.with_blend_shape(None, None),
        }
    }
}

type Takes<'py> = (PyCharacter, Vec<Bound<'py, PyAny>>, f64);

#[pymethods]
impl PyCharacter {
    /// Loads a character from an FBX file, binary or ASCII; see also :func:`kinarray.load_character`.
    ///
    /// Parameters
    /// ----------
    /// fbx_filename : str, os.PathLike, bytes-like, or binary file object
    /// model_filename, locators_filename : as the first, optional
    ///     A model definition and locators for the character; see :meth:`load_model_definition` and
    ///     :meth:`load_locators`.
    /// permissive : bool
    ///     Changes nothing: what can be read is read, with a warning for what is left out.
    /// load_blendshapes : bool
    ///     Whether the character has the file's blend shapes.
    /// strip_namespaces : bool
    ///     Whether names of nodes lose what stands before their last colon.
    /// unit : {"m", "cm", "mm"}
    ///     The unit of the character's lengths.
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Raises
    /// ------
    /// FormatError
    ///     A file is damaged.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> from kinarray.geometry import Character, Joint, ParameterTransform, Skeleton
    /// >>> upper = Joint("upper", -1, [0, 0, 0, 1], [0, 0, 0])
    /// >>> skeleton = Skeleton([upper, Joint("lower", 0, [0, 0, 0, 1], [0, 1, 0])])
    /// >>> arm = Character("arm", skeleton, ParameterTransform.identity(skeleton))
    /// >>> file = io.BytesIO()
    /// >>> Character.save_fbx(file, arm)
    /// >>> Character.load_fbx(file.getvalue()).skeleton.joint_names
    /// ['upper', 'lower']
    #[staticmethod]
    #[pyo3(signature = (fbx_filename, model_filename = None, locators_filename = None,
        permissive = false, load_blendshapes = false, strip_namespaces = true, *, unit = "m"))]
    fn load_fbx(
        fbx_filename: &Bound<'_, PyAny>,
        model_filename: Option<&Bound<'_, PyAny>>,
        locators_filename: Option<&Bound<'_, PyAny>>,
        permissive: bool,
        load_blendshapes: bool,
        strip_namespaces: bool,
        unit: &str,
    ) -> PyResult<Self> {
        let _ = permissive;
        let wanted = Wanted::new(unit, load_blendshapes, strip_namespaces)?;
        let mut character = load(fbx_filename, &wanted)?;
        if let Some(model) = model_filename {
            character = character.with_model_definition(model)?;
        }
        if let Some(locators) = locators_filename {
            character = character.with_locators_of(locators)?;
        }
        Ok(character)
    }

    /// The same as :meth:`load_fbx`, from bytes.
    ///
    /// Parameters
    /// ----------
    /// fbx_bytes : bytes-like
    /// permissive, load_blendshapes, strip_namespaces, unit
    ///     As for :meth:`load_fbx`.
    #[staticmethod]
    #[pyo3(signature = (fbx_bytes, permissive = false, load_blendshapes = false,
        strip_namespaces = true, *, unit = "m"))]
    fn load_fbx_from_bytes(
        fbx_bytes: &Bound<'_, PyAny>,
        permissive: bool,
        load_blendshapes: bool,
        strip_namespaces: bool,
        unit: &str,
    ) -> PyResult<Self> {
        let _ = permissive;
        load(
            fbx_bytes,
            &Wanted::new(unit, load_blendshapes, strip_namespaces)?,
        )
    }

    /// Loads a character and all animations of an FBX file.
    ///
    /// Parameters
    /// ----------
    /// fbx_filename : str, os.PathLike, bytes-like, or binary file object
    /// permissive, load_blendshapes, strip_namespaces, unit
    ///     As for :meth:`load_fbx`.
    ///
    /// Returns
    /// -------
    /// character : Character
    /// motions : list of NumPy arrays (n_frames, 7 * n_joints), float32
    ///     Joint parameters in every frame of each animation; :func:`kinarray.load_motion` gives them in the
    ///     precision of the file, with the coefficients of blend shapes.
    /// fps : float
    ///     The frame rate of the file; 0 without animations.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import Character, Joint, ParameterTransform, Skeleton
    /// >>> upper = Joint("upper", -1, [0, 0, 0, 1], [0, 0, 0])
    /// >>> skeleton = Skeleton([upper, Joint("lower", 0, [0, 0, 0, 1], [0, 1, 0])])
    /// >>> arm = Character("arm", skeleton, ParameterTransform.identity(skeleton))
    /// >>> file, parameters = io.BytesIO(), np.zeros((10, 7 * 2))
    /// >>> parameters[:, 5] = np.linspace(0, 1, 10)
    /// >>> Character.save_fbx_with_joint_params(file, arm, 30.0, parameters)
    /// >>> again, motions, fps = Character.load_fbx_with_motion(file.getvalue())
    /// >>> bool(np.allclose(motions[0], parameters, atol=1e-6)), fps
    /// (True, 30.0)
    #[staticmethod]
    #[pyo3(signature = (fbx_filename, permissive = false, load_blendshapes = false,
        strip_namespaces = true, *, unit = "m"))]
    fn load_fbx_with_motion<'py>(
        py: Python<'py>,
        fbx_filename: &Bound<'py, PyAny>,
        permissive: bool,
        load_blendshapes: bool,
        strip_namespaces: bool,
        unit: &str,
    ) -> PyResult<Takes<'py>> {
        let _ = permissive;
        let wanted = Wanted::new(unit, load_blendshapes, strip_namespaces)?;
        load_with_motion(py, fbx_filename, &wanted)
    }

    /// The same as :meth:`load_fbx_with_motion`, from bytes.
    ///
    /// Parameters
    /// ----------
    /// fbx_bytes : bytes-like
    /// permissive, load_blendshapes, strip_namespaces, unit
    ///     As for :meth:`load_fbx`.
    #[staticmethod]
    #[pyo3(signature = (fbx_bytes, permissive = false, load_blendshapes = false,
        strip_namespaces = true, *, unit = "m"))]
    fn load_fbx_with_motion_from_bytes<'py>(
        py: Python<'py>,
        fbx_bytes: &Bound<'py, PyAny>,
        permissive: bool,
        load_blendshapes: bool,
        strip_namespaces: bool,
        unit: &str,
    ) -> PyResult<Takes<'py>> {
        let _ = permissive;
        let wanted = Wanted::new(unit, load_blendshapes, strip_namespaces)?;
        load_with_motion(py, fbx_bytes, &wanted)
    }

    /// Saves a character, its motion and markers as binary FBX. No SDK is needed.
    ///
    /// Parameters
    /// ----------
    /// path : str, os.PathLike, or binary file object
    /// character : Character
    /// fps : float
    /// motion : array (n_frames, n_parameters), optional
    ///     Model parameters; coefficients of blend shapes and face expressions among them move the shapes.
    /// offsets : array (7 * n_joints,), optional
    ///     Joint parameters that are added in every frame.
    /// markers : sequence of sequence of Marker, optional
    ///     The markers of each frame, in the character's unit.
    /// options : FileSaveOptions, optional
    ///
    /// Raises
    /// ------
    /// ShapeError, InvalidValueError
    ///     Numbers that do not fit the character.
    ///
    /// Warns
    /// -----
    /// UserWarning
    ///     For what FBX cannot hold, such as the parameter transform.
    #[staticmethod]
    #[pyo3(signature = (path, character, fps = 120.0, motion = None, offsets = None, markers = None,
        options = None))]
    fn save_fbx(
        path: &Bound<'_, PyAny>,
        character: &Self,
        fps: f64,
        motion: Option<&Bound<'_, PyAny>>,
        offsets: Option<&Bound<'_, PyAny>>,
        markers: Option<Frames<'_>>,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let core = character.core();
        let motion = motion.map(|motion| frames(motion, "motion", core.parameter_transform.len()));
        let motion = motion.transpose()?.unwrap_or_default();
        let identity = offsets.map(|offsets| identity(offsets, core)).transpose()?;
        let identity = identity.unwrap_or_default();
        // Offsets without motion are one frame.
        let width = core.parameter_transform.len();
        let motion = match motion.is_empty() && !identity.is_empty() {
            true => vec![0.0; width],
            false => motion,
        };
        save(path, core, markers, fps, options, |builder| {
            builder.add_motion(core, fps, &motion, &identity)
        })
    }

    /// The same as :meth:`save_fbx`, with motion in joint parameters.
    ///
    /// Parameters
    /// ----------
    /// path : str, os.PathLike, or binary file object
    /// character : Character
    /// fps : float
    /// joint_params : array (n_frames, 7 * n_joints), optional
    ///     Blend shapes stay as they are at rest.
    /// markers : sequence of sequence of Marker, optional
    /// options : FileSaveOptions, optional
    #[staticmethod]
    #[pyo3(signature = (path, character, fps = 120.0, joint_params = None, markers = None,
        options = None))]
    fn save_fbx_with_joint_params(
        path: &Bound<'_, PyAny>,
        character: &Self,
        fps: f64,
        joint_params: Option<&Bound<'_, PyAny>>,
        markers: Option<Frames<'_>>,
        options: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let core = character.core();
        let width = PARAMETERS_PER_JOINT * core.skeleton.len();
        let motion = joint_params.map(|motion| frames(motion, "joint_params", width));
        let motion = motion.transpose()?.unwrap_or_default();
        save(path, core, markers, fps, options, |builder| {
            builder.add_motion_with_joint_params(core, fps, &motion)
        })
    }
}

/// `(n_frames, width)` numbers.
pub(super) fn frames(
    object: &Bound<'_, PyAny>,
    what: &'static str,
    width: usize,
) -> PyResult<Vec<f64>> {
    let (numbers, shape) = values::reals(object, what)?;
    let words = format!("(n_frames, {width})");
    values::require(what, &shape, &[None, Some(width)], &words)?;
    Ok(numbers.iter().collect())
}

/// Joint parameters of a body, in a row or a column.
pub(super) fn identity(offsets: &Bound<'_, PyAny>, character: &Character) -> PyResult<Vec<f64>> {
    let rows = PARAMETERS_PER_JOINT * character.skeleton.len();
    let (numbers, shape) = values::reals(offsets, "offsets")?;
    if shape[..] != [rows, 1] {
        let words = format!("({rows},) = (7 * n_joints,)");
        values::require("offsets", &shape, &[Some(rows)], &words)?;
    }
    Ok(numbers.iter().collect())
}

/// The options and the axes that a caller gave.
pub(super) fn options_and_axes(
    options: Option<&Bound<'_, PyAny>>,
    target: &Bound<'_, PyAny>,
) -> PyResult<(SaveOptions, Axes)> {
    let chosen = save_options(options, target)?;
    let Some(options) = options else {
        return Ok((chosen, Axes::default()));
    };
    let info = options.getattr("coord_system_info")?;
    let name =
        |field: &str| -> PyResult<String> { info.getattr(field)?.getattr("name")?.extract() };
    let up = match name("up_vector")?.as_str() {
        "XAxis" => Up::X,
        "ZAxis" => Up::Z,
        _ => Up::Y,
    };
    let front = match name("front_vector")?.as_str() {
        "ParityEven" => FrontVector::Even,
        _ => FrontVector::Odd,
    };
    let handedness = match name("coord_system")?.as_str() {
        "LeftHanded" => Handedness::Left,
        _ => Handedness::Right,
    };
    Ok((
        chosen,
        Axes {
            up,
            front,
            handedness,
        },
    ))
}

fn save(
    path: &Bound<'_, PyAny>,
    character: &Character,
    markers: Option<Frames<'_>>,
    fps: f64,
    options: Option<&Bound<'_, PyAny>>,
    motion: impl FnOnce(&mut FbxBuilder) -> Result<()> + Send,
) -> PyResult<()> {
    let (options, axes) = options_and_axes(options, path)?;
    let markers = markers.map(|frames| marker_sequence(&frames, fps, ""));
    let markers = markers.transpose()?;
    work::save(path, |progress: Progress<'_>| -> Result<Saved> {
        let mut builder = FbxBuilder::new(axes);
        builder.add_character(character, &options)?;
        progress.at(1, 3)?;
        motion(&mut builder)?;
        if let Some(markers) = &markers {
            builder.add_marker_sequence(markers, character.unit)?;
        }
        progress.at(2, 3)?;
        builder.save()
    })
}

fn load(source: &Bound<'_, PyAny>, wanted: &Wanted) -> PyResult<PyCharacter> {
    let loaded = work::read(source, None, |source| {
        io::load_character(source, Format::Fbx, &wanted.options)?
            .and_then(|character| wanted.character(character))
    })?;
    Ok(PyCharacter::from_core(loaded))
}

/// The character and all motions.
fn takes(source: &Source<'_>, wanted: &Wanted) -> Result<Loaded<(Character, Vec<Motion>)>> {
    let loaded = io::load_character(source, Format::Fbx, &wanted.options)?;
    let Loaded {
        value,
        up,
        mut warnings,
    } = loaded;
    let mut motions: Vec<Motion> = Vec::new();
    let mut count = io::fbx::n_animations(source)?;
    while motions.len() < count {
        let choice = MotionChoice {
            clip: Some(ClipChoice::Index(motions.len())),
            fps: None,
        };
        let motion = io::load_motion(source, Format::Fbx, &wanted.options, &choice, None)?;
        warnings.extend(motion.warnings);
        count = motion.value.clips.len();
        motions.push(motion.value);
    }
    Ok(Loaded {
        value: (wanted.character(value)?, motions),
        up,
        warnings,
    })
}

fn load_with_motion<'py>(
    py: Python<'py>,
    source: &Bound<'py, PyAny>,
    wanted: &Wanted,
) -> PyResult<Takes<'py>> {
    let (character, motions) = work::read(source, None, |source| takes(source, wanted))?;
    let width = PARAMETERS_PER_JOINT * character.skeleton.len();
    let arrays = motions.iter().map(|motion| {
        let single = motion.joint_parameters().into_iter().map(|x| x as f32);
        values::fresh(
            py,
            single.collect::<Vec<f32>>(),
            &[motion.n_frames(), width],
        )
    });
    let arrays = arrays.collect::<PyResult<_>>()?;
    let fps = motions.first().map_or(0.0, |motion| motion.fps);
    Ok((PyCharacter::from_core(character), arrays, fps))
}
