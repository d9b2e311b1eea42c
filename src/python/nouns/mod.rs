//! The nouns as Python classes: thin, frozen mirrors of `crate::character`.

mod blend_shape;
mod character;
mod collision;
mod distance_field;
mod hash;
mod html;
mod html_tables;
mod joint;
mod limit_data;
mod locator;
mod marker;
mod material;
mod mesh;
mod mppca;
mod numbered;
mod parameter_limit;
mod parameter_transform;
mod physical_properties;
pub(super) mod pickle;
mod pose_shape;
mod skeleton;
mod skin_weights;
mod skinned_locator;

pub use blend_shape::PyBlendShapeBase;
pub use character::PyCharacter;
pub use marker::{PyMarker, PyMarkerSequence};
pub use mesh::PyMesh;
pub use parameter_transform::PyInverseParameterTransform;
pub use skeleton::PySkeleton;

use pyo3::prelude::*;

/// Adds the classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    numbered::register(module)?;
    module.add_class::<joint::PyJoint>()?;
    module.add_class::<skeleton::PySkeleton>()?;
    module.add_class::<parameter_transform::PyParameterTransform>()?;
    module.add_class::<parameter_transform::PyInverseParameterTransform>()?;
    module.add_class::<parameter_limit::PyParameterLimit>()?;
    module.add_class::<limit_data::PyLimitType>()?;
    module.add_class::<limit_data::PyLimitData>()?;
    module.add_class::<limit_data::PyLimitMinMax>()?;
    module.add_class::<limit_data::PyLimitMinMaxJoint>()?;
    module.add_class::<limit_data::PyLimitLinear>()?;
    module.add_class::<limit_data::PyLimitLinearJoint>()?;
    module.add_class::<limit_data::PyLimitHalfPlane>()?;
    module.add_class::<limit_data::PyLimitEllipsoid>()?;
    module.add_class::<mppca::PyMppca>()?;
    module.add_class::<material::PyMaterial>()?;
    module.add_class::<mesh::PyMesh>()?;
    module.add_class::<skin_weights::PySkinWeights>()?;
    module.add_class::<blend_shape::PyBlendShapeBase>()?;
    module.add_class::<blend_shape::PyBlendShape>()?;
    module.add_class::<pose_shape::PyPoseShape>()?;
    module.add_class::<locator::PyLocator>()?;
    module.add_class::<collision::PyTaperedCapsule>()?;
    module.add_class::<collision::PyEllipsoid>()?;
    module.add_class::<collision::PyBox>()?;
    module.add_class::<skinned_locator::PySkinnedLocator>()?;
    module.add_class::<physical_properties::PyJointPhysicalProperties>()?;
    module.add_class::<distance_field::PySignedDistanceField>()?;
    module.add_class::<distance_field::PySdfCollider>()?;
    module.add_class::<marker::PyMarker>()?;
    module.add_class::<marker::PyMarkerSequence>()?;
    module.add_class::<character::PyCharacter>()?;
    module.add_function(wrap_pyfunction!(pickle::_restore, module)?)
}
