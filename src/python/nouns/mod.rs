//! The nouns as Python classes: thin, frozen mirrors of `crate::character`.

mod blend_shape;
mod character;
mod collision;
mod html;
mod joint;
mod locator;
mod mesh;
mod parameter_limit;
mod parameter_transform;
pub(super) mod pickle;
mod skeleton;
mod skin_weights;

pub use character::PyCharacter;
pub use mesh::PyMesh;

use pyo3::prelude::*;

/// Adds the classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<joint::PyJoint>()?;
    module.add_class::<skeleton::PySkeleton>()?;
    module.add_class::<parameter_transform::PyParameterTransform>()?;
    module.add_class::<parameter_transform::PyInverseParameterTransform>()?;
    module.add_class::<parameter_limit::PyParameterLimit>()?;
    module.add_class::<mesh::PyMesh>()?;
    module.add_class::<skin_weights::PySkinWeights>()?;
    module.add_class::<blend_shape::PyBlendShape>()?;
    module.add_class::<locator::PyLocator>()?;
    module.add_class::<collision::PyTaperedCapsule>()?;
    module.add_class::<collision::PyEllipsoid>()?;
    module.add_class::<collision::PyBox>()?;
    module.add_class::<character::PyCharacter>()?;
    module.add_function(wrap_pyfunction!(pickle::_restore, module)?)
}
