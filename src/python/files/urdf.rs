//! What PyMomentum names by URDF.

use pyo3::prelude::*;

use super::any;
use crate::io::Format;
use crate::python::nouns::PyCharacter;

#[pymethods]
impl PyCharacter {
    /// Loads a robot from a URDF file; see also :func:`kinarray.load_character`.
    ///
    /// Parameters
    /// ----------
    /// urdf_filename : str, os.PathLike, bytes-like, or binary file object
    ///     Visual meshes are read from beside a path.
    /// unit : {"m", "cm", "mm"}
    ///     The unit of the character's lengths. PyMomentum's is the centimetre.
    ///
    /// Returns
    /// -------
    /// Character
    ///
    /// Raises
    /// ------
    /// FormatError
    ///     Naming the file, the element inside it, what was expected and what was found.
    ///
    /// Warns
    /// -----
    /// UserWarning
    ///     For what was left out.
    ///
    /// Examples
    /// --------
    /// >>> from kinarray.geometry import Character
    /// >>> text = b'''<robot name="lamp"><link name="foot"/><link name="arm"/>
    /// ... <joint name="hinge" type="continuous"><parent link="foot"/><child link="arm"/></joint></robot>'''
    /// >>> Character.load_urdf(text).name
    /// 'lamp'
    #[staticmethod]
    #[pyo3(signature = (urdf_filename, *, unit = "m"))]
    fn load_urdf(urdf_filename: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        any::character(urdf_filename, Some(Format::Urdf), any::options(unit, None)?)
    }

    /// The same as :meth:`load_urdf`, from bytes.
    ///
    /// Parameters
    /// ----------
    /// urdf_bytes : bytes-like
    /// unit : {"m", "cm", "mm"}
    ///     As for :meth:`load_urdf`.
    #[staticmethod]
    #[pyo3(signature = (urdf_bytes, *, unit = "m"))]
    fn load_urdf_from_bytes(urdf_bytes: &Bound<'_, PyAny>, unit: &str) -> PyResult<Self> {
        any::character(urdf_bytes, Some(Format::Urdf), any::options(unit, None)?)
    }
}
