//! `kinarray.geometry.Material`.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

use super::{hash, pickle};
use crate::character::{Material, Picture};

/// What a surface looks like, by metalness and roughness as in glTF.
///
/// Parameters
/// ----------
/// name : str, optional
/// base_color : (red, green, blue, opacity), optional
///     Linear, 0 to 1; multiplied with the picture where there is one. White where not given.
/// metallic, roughness : float
///     0 for what is no metal and 1 for metal; 0 for a mirror and 1 for chalk.
/// emissive : (red, green, blue), optional
///     Light that it sends out itself.
/// is_double_sided : bool
///     Whether its back is seen too.
/// base_color_texture : bytes, optional
///     The picture over the texture coordinates, as its file is (PNG or JPEG).
///
/// Raises
/// ------
/// CharacterError
///     A number that is no share.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import Material
/// >>> Material("skin", (0.8, 0.6, 0.5, 1.0), roughness=0.75)
/// Material(name='skin', base_color=(0.8, 0.6, 0.5, 1), metallic=0, roughness=0.75)
#[pyclass(name = "Material", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyMaterial(pub Material);

/// The type of a picture, by what it begins with.
fn mime_type(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, ..] => "image/jpeg",
        _ => "application/octet-stream",
    }
}

#[pymethods]
impl PyMaterial {
    #[new]
    #[pyo3(signature = (name = String::new(), base_color = [1.0; 4], *, metallic = 0.0, roughness = 0.5,
                        emissive = [0.0; 3], is_double_sided = false, base_color_texture = None))]
    fn new(
        name: String,
        base_color: [f32; 4],
        metallic: f32,
        roughness: f32,
        emissive: [f32; 3],
        is_double_sided: bool,
        base_color_texture: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let picture = base_color_texture.map(|bytes| {
            Arc::new(Picture {
                name: String::new(),
                mime_type: mime_type(&bytes).into(),
                bytes,
            })
        });
        let material = Material {
            name,
            base_color,
            metallic,
            roughness,
            emissive,
            is_double_sided,
            base_color_texture: picture,
        };
        material.check()?;
        Ok(Self(material))
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Red, green, blue and opacity; linear, 0 to 1.
    #[getter]
    fn base_color(&self) -> (f32, f32, f32, f32) {
        self.0.base_color.into()
    }

    /// 0 for what is no metal, 1 for metal.
    #[getter]
    fn metallic(&self) -> f32 {
        self.0.metallic
    }

    /// 0 for a mirror, 1 for chalk.
    #[getter]
    fn roughness(&self) -> f32 {
        self.0.roughness
    }

    /// Light that it sends out itself; linear red, green, blue.
    #[getter]
    fn emissive(&self) -> (f32, f32, f32) {
        self.0.emissive.into()
    }

    /// Whether its back is seen too.
    #[getter]
    fn is_double_sided(&self) -> bool {
        self.0.is_double_sided
    }

    /// The picture over the texture coordinates, as its file is; or ``None``.
    #[getter]
    fn base_color_texture<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let picture = self.0.base_color_texture.as_ref();
        picture.map(|picture| PyBytes::new(py, &picture.bytes))
    }

    fn __hash__(&self) -> u64 {
        hash::of(&self.0)
    }

    fn __repr__(&self) -> String {
        let Material {
            name,
            base_color: [r, g, b, a],
            metallic,
            roughness,
            ..
        } = &self.0;
        format!(
            "Material(name='{name}', base_color=({r}, {g}, {b}, {a}), metallic={metallic}, roughness={roughness})"
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Material", &self.0)
    }
}
