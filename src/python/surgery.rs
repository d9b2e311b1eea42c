//! Changing what a character is made of: the functions of `kinarray.geometry`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::character::Character;
use crate::character::surgery::CharacterMassScale;
use crate::python::nouns::{PyCharacter, PySkeleton};

/// A member of `kinarray.geometry.CharacterMassScale`, which is an enumeration of Python's.
pub fn mass_scale(member: Option<&Bound<'_, PyAny>>) -> PyResult<CharacterMassScale> {
    let Some(member) = member else {
        return Ok(CharacterMassScale::default());
    };
    let name = member.getattr("name").and_then(|name| name.extract());
    let name: String = name.unwrap_or_default();
    match name.as_str() {
        "PreserveMass" => Ok(CharacterMassScale::PreserveMass),
        "PreserveDensity" => Ok(CharacterMassScale::PreserveDensity),
        _ => Err(PyTypeError::new_err(format!(
            "mass_scale: expected a CharacterMassScale, got {}",
            member.repr()?
        ))),
    }
}

/// A character without some joints and everything below them.
///
/// What they carry goes too: locators, solids, limits, and the parameters that drive nothing else. The mesh
/// stays whole; what the joints carried of it goes to the nearest joint that stays.
///
/// Parameters
/// ----------
/// character : Character
/// joint_names : sequence of str
///
/// Returns
/// -------
/// Character
///
/// Raises
/// ------
/// KeyError
///     A joint there is not, with the closest name there is.
/// CharacterError
///     No joint would be left, or a vertex would be left without one.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> root = character.skeleton[0].name
/// >>> bodiless = ka.geometry.strip_joints(character, [character.skeleton[1].name])
/// >>> len(bodiless.skeleton) < len(character.skeleton), root in bodiless.skeleton
/// (True, True)
#[pyfunction]
pub fn strip_joints(
    py: Python<'_>,
    character: &Bound<'_, PyCharacter>,
    joint_names: Vec<String>,
) -> PyResult<PyCharacter> {
    let core = character.get().core();
    let skeleton = PySkeleton(core.skeleton.clone());
    for name in &joint_names {
        skeleton.find(py, name)?;
    }
    Ok(PyCharacter::from_core(core.strip_joints(&joint_names)?))
}

/// One character with a limb of another: everything below ``target_root`` is replaced by what is below
/// ``source_root``.
///
/// The root of the limb stays the target's, and so does the mesh; what the joints that go carried of it goes
/// to ``target_root``. Joints, the parameters that drive them, limits, locators and solids come along;
/// parameters of one name become one.
///
/// Parameters
/// ----------
/// source_character, target_character : Character
///     In one unit.
/// source_root, target_root : str
///     Joints.
///
/// Returns
/// -------
/// Character
///
/// Raises
/// ------
/// KeyError
///     A joint there is not, with the closest name there is.
/// CharacterError
///     Units that differ, or a joint of the source with the name of one that stays.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> character = ka.testing.create_humanoid(n_vertices=1000)
/// >>> child = character.scaled(0.7)
/// >>> mixed = ka.geometry.replace_skeleton_hierarchy(child, character, "l_wrist", "l_wrist")
/// >>> mixed.skeleton.joint_names == character.skeleton.joint_names
/// True
#[pyfunction]
pub fn replace_skeleton_hierarchy(
    py: Python<'_>,
    source_character: &Bound<'_, PyCharacter>,
    target_character: &Bound<'_, PyCharacter>,
    source_root: &str,
    target_root: &str,
) -> PyResult<PyCharacter> {
    let (source, target) = (source_character.get().core(), target_character.get().core());
    PySkeleton(source.skeleton.clone()).find(py, source_root)?;
    PySkeleton(target.skeleton.clone()).find(py, target_root)?;
    let mixed = Character::replace_skeleton_hierarchy(source, target, source_root, target_root)?;
    Ok(PyCharacter::from_core(mixed))
}

/// Adds the functions and the class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(strip_joints, module)?)?;
    module.add_function(wrap_pyfunction!(replace_skeleton_hierarchy, module)?)
}
