//! Pickling: every noun is one `bytes` object, small and quick, with a version in front.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

use super::{
    PyCharacter, blend_shape, collision,
    joint::PyJoint,
    limit_data,
    locator::PyLocator,
    material::PyMaterial,
    mesh::PyMesh,
    mppca::PyMppca,
    parameter_limit::PyParameterLimit,
    parameter_transform::{PyInverseParameterTransform, PyParameterTransform},
    pose_shape::PyPoseShape,
    skeleton::PySkeleton,
    skin_weights::PySkinWeights,
};
use super::{
    distance_field::{PySdfCollider, PySignedDistanceField},
    marker::{PyMarker, PyMarkerSequence},
    physical_properties::PyJointPhysicalProperties,
    skinned_locator::PySkinnedLocator,
};
use crate::error::Error;
use crate::python::closest_points::{PyMeshTree, PyPointTree};

/// Grows when the layout of any noun changes.
const VERSION: u8 = 1;

type Reduced<'py> = (Bound<'py, PyAny>, (&'static str, Bound<'py, PyBytes>));

/// What `__reduce__` returns for a noun of the class `class`.
pub fn reduce<'py>(
    py: Python<'py>,
    class: &'static str,
    noun: &impl Serialize,
) -> PyResult<Reduced<'py>> {
    let bytes = postcard::to_extend(noun, vec![VERSION])
        .map_err(|error| PyErr::from(Error::value(class, format!("cannot be pickled: {error}"))))?;
    let restore = py.import("kinarray._core")?.getattr("_restore")?;
    Ok((restore, (class, PyBytes::new(py, &bytes))))
}

fn read<T: DeserializeOwned>(class: &str, bytes: &[u8]) -> PyResult<T> {
    let found = bytes.first().copied();
    if found != Some(VERSION) {
        return Err(PyErr::from(Error::Format {
            file: "<pickle>".into(),
            location: class.into(),
            expected: format!("version {VERSION}"),
            got: found.map_or("nothing".into(), |version| format!("version {version}")),
        }));
    }
    postcard::from_bytes(&bytes[1..]).map_err(|error| {
        PyErr::from(Error::Format {
            file: "<pickle>".into(),
            location: class.into(),
            expected: "a pickled object".into(),
            got: error.to_string(),
        })
    })
}

/// Makes a noun from what `__reduce__` stored.
#[pyfunction]
pub fn _restore(py: Python<'_>, class: &str, bytes: &[u8]) -> PyResult<Py<PyAny>> {
    fn wrap<T: Into<PyClassInitializer<T>> + PyClass>(
        py: Python<'_>,
        noun: T,
    ) -> PyResult<Py<PyAny>> {
        Ok(Py::new(py, noun)?.into_any())
    }
    match class {
        "Joint" => wrap(py, PyJoint(read(class, bytes)?)),
        "Skeleton" => wrap(py, PySkeleton(Arc::new(read(class, bytes)?))),
        "ParameterTransform" => wrap(py, PyParameterTransform::new(Arc::new(read(class, bytes)?))),
        "InverseParameterTransform" => {
            let transform = Arc::new(read(class, bytes)?);
            wrap(py, PyInverseParameterTransform::of(&transform))
        }
        "ParameterLimit" => wrap(py, PyParameterLimit(read(class, bytes)?)),
        "LimitData" => wrap(py, limit_data::PyLimitData(read(class, bytes)?)),
        "LimitMinMax" => wrap(py, read::<limit_data::PyLimitMinMax>(class, bytes)?),
        "LimitMinMaxJoint" => wrap(py, read::<limit_data::PyLimitMinMaxJoint>(class, bytes)?),
        "LimitLinear" => wrap(py, read::<limit_data::PyLimitLinear>(class, bytes)?),
        "LimitLinearJoint" => wrap(py, read::<limit_data::PyLimitLinearJoint>(class, bytes)?),
        "LimitHalfPlane" => wrap(py, read::<limit_data::PyLimitHalfPlane>(class, bytes)?),
        "LimitEllipsoid" => wrap(py, read::<limit_data::PyLimitEllipsoid>(class, bytes)?),
        "Mppca" => wrap(py, PyMppca::from_core(read(class, bytes)?)?),
        "Material" => wrap(py, PyMaterial(read(class, bytes)?)),
        "Mesh" => wrap(py, PyMesh(Arc::new(read(class, bytes)?))),
        "PointTree" => wrap(py, PyPointTree(Arc::new(read(class, bytes)?))),
        "MeshTree" => wrap(py, PyMeshTree(Arc::new(read(class, bytes)?))),
        "SkinWeights" => wrap(py, PySkinWeights(Arc::new(read(class, bytes)?))),
        "BlendShapeBase" => blend_shape::wrap_offsets(py, read(class, bytes)?),
        "BlendShape" => blend_shape::wrap_whole(py, read(class, bytes)?),
        "PoseShape" => wrap(py, PyPoseShape::from_core(read(class, bytes)?)),
        "Locator" => wrap(py, PyLocator(read(class, bytes)?)),
        "CollisionGeometry" => collision::wrap(py, read(class, bytes)?),
        "SkinnedLocator" => wrap(py, PySkinnedLocator(read(class, bytes)?)),
        "JointPhysicalProperties" => wrap(py, PyJointPhysicalProperties(read(class, bytes)?)),
        "SignedDistanceField" => wrap(py, PySignedDistanceField(Arc::new(read(class, bytes)?))),
        "SDFCollider" => wrap(py, PySdfCollider(read(class, bytes)?)),
        "Marker" => wrap(py, PyMarker(read(class, bytes)?)),
        "MarkerSequence" => wrap(py, PyMarkerSequence(read(class, bytes)?)),
        "Character" => wrap(py, PyCharacter::from_core(read(class, bytes)?)),
        other => Err(PyErr::from(Error::value(
            "pickle",
            format!("unknown class {other:?}"),
        ))),
    }
}
