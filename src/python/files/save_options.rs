//! `kinarray.geometry.FileSaveOptions`, which is a class of Python's.

use pyo3::prelude::*;

use crate::io::SaveOptions;

/// The options that a caller gave, and `GltfFileFormat` as it is called.
pub(super) fn save_options(
    options: Option<&Bound<'_, PyAny>>,
    target: &Bound<'_, PyAny>,
) -> PyResult<SaveOptions> {
    let mut chosen = SaveOptions::default();
    let mut format = "Auto".to_owned();
    if let Some(options) = options {
        let flag = |name: &str| -> PyResult<bool> { options.getattr(name)?.extract() };
        chosen.mesh = flag("mesh")?;
        chosen.locators = flag("locators")?;
        chosen.collisions = flag("collisions")?;
        chosen.blend_shapes = flag("blend_shapes")?;
        chosen.extensions = flag("extensions")?;
        chosen.namespace = options.getattr("fbx_namespace")?.extract()?;
        format = format_name(&options.getattr("gltf_file_format")?)?;
    }
    chosen.text = is_text(&format, target)?;
    Ok(chosen)
}

/// The name of a member of `GltfFileFormat`.
pub(super) fn format_name(member: &Bound<'_, PyAny>) -> PyResult<String> {
    let name: Option<String> = member.getattr("name").and_then(|name| name.extract()).ok();
    name.filter(|name| ["Auto", "Binary", "Ascii"].contains(&name.as_str()))
        .ok_or_else(|| {
            pyo3::exceptions::PyTypeError::new_err(format!(
                "file_format: expected a GltfFileFormat, got {}",
                member
                    .repr()
                    .map_or_else(|_| "?".into(), |text| text.to_string())
            ))
        })
}

/// Whether glTF is written as text.
pub(super) fn is_text(format: &str, target: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(match format {
        "Ascii" => true,
        "Binary" => false,
        _ => super::target::path_of(target)?.is_some_and(|path| {
            let suffix = path.extension().unwrap_or_default();
            suffix.eq_ignore_ascii_case("gltf")
        }),
    })
}
