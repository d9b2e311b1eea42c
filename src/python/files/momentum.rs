//! PyMomentum's own text files: parameters and limits, locators, and characters of its past.

use pyo3::prelude::*;
use std::borrow::Cow;

use super::{any, work};
use crate::error::Error;
use crate::io::locators::{self, LocatorSpace};
use crate::io::{Format, SaveOptions, legacy_json, model_definition};
use crate::python::nouns::PyCharacter;

impl PyCharacter {
    /// This character with the parameters and limits of a model definition.
    pub(super) fn with_model_definition(&self, source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let core = self.core();
        let read = |source: &crate::io::Source<'_>| {
            model_definition::load_model_definition(source, core).map_err(Error::as_format)
        };
        Ok(Self::from_core(work::read(source, None, read)?))
    }

    /// This character with the locators of a file.
    pub(super) fn with_locators_of(&self, source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let core = self.core();
        let read = |source: &crate::io::Source<'_>| {
            locators::load_locators(source, core).map_err(Error::as_format)
        };
        Ok(Self::from_core(work::read(source, None, read)?))
    }
}

fn legacy(source: &Bound<'_, PyAny>, unit: &str) -> PyResult<PyCharacter> {
    any::character(source, Some(Format::LegacyJson), any::options(unit, None)?)
}

#[pymethods]
impl PyCharacter {
    /// Loads a model definition (``.model``): the parameters, their sets, and limits.
    ///
    /// Parameters
    /// ----------
    /// filename : str, os.PathLike, bytes-like, or binary file object
    ///     Text that begins with ``Momentum Model Definition V1.0``; its lengths are centimetres.
    ///
    /// Returns
    /// -------
    /// Character
    ///     This character with the parameters of the file in the place of its own.
    ///
    /// Raises
    /// ------
    /// FormatError
    ///     Naming the file, the line, what was expected and what was found.
    ///
    /// Examples
    /// --------
    /// >>> from kinarray.testing import create_humanoid
    /// >>> text = b"Momentum Model Definition V1.0\n[ParameterTransform]\nl_elbow.rz = 0.5*bend\n"
    /// >>> character = create_humanoid(n_vertices=1000).load_model_definition(text)
    /// >>> character.parameter_transform.names
    /// ['bend']
    fn load_model_definition(&self, filename: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with_model_definition(filename)
    }

    /// The same as :meth:`load_model_definition`, from bytes.
    ///
    /// Parameters
    /// ----------
    /// model_bytes : bytes-like
    fn load_model_definition_from_bytes(&self, model_bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with_model_definition(model_bytes)
    }

    /// Saves the parameters, their sets and the limits as a model definition (``.model``).
    ///
    /// Parameters
    /// ----------
    /// filename : str, os.PathLike, or binary file object
    ///
    /// Warns
    /// -----
    /// UserWarning
    ///     For what the format cannot hold.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> from kinarray.testing import create_humanoid
    /// >>> file = io.BytesIO()
    /// >>> create_humanoid(n_vertices=1000).save_model_definition(file)
    /// >>> file.getvalue()[:30]
    /// b'Momentum Model Definition V1.0'
    fn save_model_definition(&self, filename: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = self.core();
        work::save(filename, |_| model_definition::save_model_definition(core))
    }

    /// Loads locators (``.locators``).
    ///
    /// Parameters
    /// ----------
    /// filename : str, os.PathLike, bytes-like, or binary file object
    ///     JSON, in centimetres; positions of a joint, or of the world in the rest pose.
    ///
    /// Returns
    /// -------
    /// Character
    ///     This character with the locators of the file beside its own.
    ///
    /// Raises
    /// ------
    /// FormatError
    ///     Naming the file, the entry, what was expected and what was found.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> from kinarray.testing import create_humanoid
    /// >>> file, character = io.BytesIO(), create_humanoid(n_vertices=1000)
    /// >>> character.save_locators(file)
    /// >>> len(character.with_locators([], replace=True).load_locators(file.getvalue()).locators)
    /// 28
    fn load_locators(&self, filename: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with_locators_of(filename)
    }

    /// The same as :meth:`load_locators`, from bytes.
    ///
    /// Parameters
    /// ----------
    /// locator_bytes : bytes-like
    fn load_locators_from_bytes(&self, locator_bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.with_locators_of(locator_bytes)
    }

    /// Saves the locators (``.locators``).
    ///
    /// Parameters
    /// ----------
    /// filename : str, os.PathLike, or binary file object
    /// space : LocatorSpace
    ///     Whether positions are those in the world, in the rest pose (the default), or those in the joint.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> from kinarray.geometry import LocatorSpace
    /// >>> from kinarray.testing import create_humanoid
    /// >>> file = io.BytesIO()
    /// >>> create_humanoid(n_vertices=1000).save_locators(file, LocatorSpace.Local)
    #[pyo3(signature = (filename, space = None))]
    fn save_locators(
        &self,
        filename: &Bound<'_, PyAny>,
        space: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let space = match space {
            None => LocatorSpace::Global,
            Some(space) => {
                let name = space
                    .getattr("name")
                    .and_then(|name| name.extract::<String>());
                match name.as_deref() {
                    Ok("Global") => LocatorSpace::Global,
                    Ok("Local") => LocatorSpace::Local,
                    _ => {
                        let shown = space.repr()?.to_string();
                        let problem =
                            format!("expected LocatorSpace.Global or .Local, got {shown}");
                        return Err(Error::value("space", problem).into());
                    }
                }
            }
        };
        let core = self.core();
        work::save(filename, |_| locators::save_locators(core, space))
    }

    /// Loads a character from the JSON of PyMomentum's past; see also :func:`kinarray.load_character`.
    ///
    /// Parameters
    /// ----------
    /// json_path : str, os.PathLike, bytes-like, or binary file object
    /// unit : {"m", "cm", "mm"}
    ///     The unit of the character's lengths; those of the file are centimetres.
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Raises
    /// ------
    /// FormatError
    ///     Naming the file, the place inside it, what was expected and what was found.
    ///
    /// Examples
    /// --------
    /// >>> from kinarray.geometry import Character, Joint, ParameterTransform, Skeleton
    /// >>> skeleton = Skeleton([Joint("hips", -1, [0, 0, 0, 1], [0, 1, 0])])
    /// >>> hips = Character("hips", skeleton, ParameterTransform.identity(skeleton))
    /// >>> text = Character.to_legacy_json_string(hips)
    /// >>> Character.load_legacy_json_from_string(text).skeleton.joint_names
    /// ['hips']
    #[staticmethod]
    #[pyo3(signature = (json_path, *, unit = "m"))]
    fn load_legacy_json(json_path: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        legacy(json_path, unit)
    }

    /// The same as :meth:`load_legacy_json`, from bytes.
    ///
    /// Parameters
    /// ----------
    /// json_bytes : bytes-like
    /// unit : {"m", "cm", "mm"}
    #[staticmethod]
    #[pyo3(signature = (json_bytes, *, unit = "m"))]
    fn load_legacy_json_from_bytes(json_bytes: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        legacy(json_bytes, unit)
    }

    /// The same as :meth:`load_legacy_json`, from a text.
    ///
    /// Parameters
    /// ----------
    /// json_string : str
    /// unit : {"m", "cm", "mm"}
    #[staticmethod]
    #[pyo3(signature = (json_string, *, unit = "m"))]
    fn load_legacy_json_from_string(
        py: Python<'_>,
        json_string: Cow<'_, str>,
        unit: &str,
    ) -> PyResult<Self> {
        let bytes = pyo3::types::PyBytes::new(py, json_string.as_bytes());
        legacy(bytes.as_any(), unit)
    }

    /// Saves a character as the JSON of PyMomentum's past: skeleton, mesh, locators and solids.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    /// json_path : str, os.PathLike, or binary file object
    ///
    /// Warns
    /// -----
    /// UserWarning
    ///     For what the format cannot hold, such as the parameter transform.
    ///
    /// Examples
    /// --------
    /// >>> import io
    /// >>> from kinarray.geometry import Character, Joint, ParameterTransform, Skeleton
    /// >>> skeleton = Skeleton([Joint("hips", -1, [0, 0, 0, 1], [0, 1, 0])])
    /// >>> hips = Character("hips", skeleton, ParameterTransform.identity(skeleton))
    /// >>> Character.save_legacy_json(hips, io.BytesIO())
    #[staticmethod]
    fn save_legacy_json(character: &Self, json_path: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = character.core();
        work::save(json_path, |_| {
            legacy_json::save_character(core, &SaveOptions::default())
        })
    }

    /// The text that :meth:`save_legacy_json` writes.
    ///
    /// Parameters
    /// ----------
    /// character : Character
    ///
    /// Returns
    /// -------
    /// str
    #[staticmethod]
    fn to_legacy_json_string(py: Python<'_>, character: &Self) -> PyResult<String> {
        let core = character.core();
        let saved = py.detach(|| legacy_json::save_character(core, &SaveOptions::default()))?;
        work::warn(py, "<text>", &saved.warnings)?;
        Ok(String::from_utf8(saved.into_bytes())?)
    }
}
