//! `kinarray.geometry.TaperedCapsule`, `Ellipsoid` and `Box`.

use pyo3::prelude::*;

use super::{hash, pickle};
use crate::character::{CollisionGeometry, CollisionShape};
use crate::python::values;

const IDENTITY: [f64; 16] = [
    1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
];

/// A solid as the class of its form.
pub fn wrap(py: Python<'_>, solid: CollisionGeometry) -> PyResult<Py<PyAny>> {
    Ok(match solid.shape {
        CollisionShape::TaperedCapsule { .. } => Py::new(py, PyTaperedCapsule(solid))?.into_any(),
        CollisionShape::Ellipsoid { .. } => Py::new(py, PyEllipsoid(solid))?.into_any(),
        CollisionShape::Box { .. } => Py::new(py, PyBox(solid))?.into_any(),
    })
}

/// The solid inside an object of any of the three classes.
pub fn unwrap(object: &Bound<'_, PyAny>) -> PyResult<CollisionGeometry> {
    if let Ok(capsule) = object.cast::<PyTaperedCapsule>() {
        return Ok(capsule.get().0.clone());
    }
    if let Ok(ellipsoid) = object.cast::<PyEllipsoid>() {
        return Ok(ellipsoid.get().0.clone());
    }
    Ok(object.cast::<PyBox>()?.get().0.clone())
}

fn solid(
    parent: i64,
    transformation: Option<&Bound<'_, PyAny>>,
    shape: CollisionShape,
) -> PyResult<CollisionGeometry> {
    Ok(CollisionGeometry {
        // A negative parent is the world, as in the peer.
        parent: usize::try_from(parent).ok(),
        transformation: transformation
            .map(|matrix| values::matrix4(matrix, "transformation"))
            .transpose()?
            .unwrap_or(IDENTITY),
        shape,
    })
}

/// The methods that the three classes share.
macro_rules! solid_class {
    ($class:ident, { $($own:tt)* }) => {
        #[pymethods]
        impl $class {
            $($own)*

            /// Index of the joint that carries it; -1 is the world.
            #[getter]
            fn parent(&self) -> i64 {
                self.0.parent.map_or(-1, |parent| parent as i64)
            }

            /// Solid to joint, ``(4, 4)``; a read-only view.
            #[getter]
            fn transformation<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                values::view(slf.as_any(), &slf.get().0.transformation, &[4, 4])
            }

            fn __hash__(&self) -> u64 {
                hash::of(&self.0)
            }

            fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
                pickle::reduce(py, "CollisionGeometry", &self.0)
            }
        }
    };
}

/// A segment along the local +x axis with a radius that changes linearly.
///
/// Parameters
/// ----------
/// parent : int
/// transformation : array (4, 4), optional
///     Capsule to joint.
/// radius : array (2,), optional
///     Radius at the start and at the end, in the character's unit; default 1.
/// length : float
#[pyclass(name = "TaperedCapsule", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyTaperedCapsule(pub CollisionGeometry);

solid_class!(PyTaperedCapsule, {
    #[new]
    #[pyo3(signature = (parent, transformation = None, radius = None, length = 1.0))]
    fn new(
        parent: i64,
        transformation: Option<&Bound<'_, PyAny>>,
        radius: Option<&Bound<'_, PyAny>>,
        length: f64,
    ) -> PyResult<Self> {
        let radius = radius
            .map(|radius| values::fixed(radius, "radius"))
            .transpose()?;
        let shape = CollisionShape::TaperedCapsule {
            radius: radius.unwrap_or([1.0; 2]),
            length,
        };
        Ok(Self(solid(parent, transformation, shape)?))
    }

    /// Radius at the start and at the end, ``(2,)``.
    #[getter]
    fn radius<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0.shape {
            CollisionShape::TaperedCapsule { radius, .. } => {
                values::fresh(py, radius.to_vec(), &[2])
            }
            _ => values::fresh(py, Vec::<f64>::new(), &[0]),
        }
    }

    /// Length of the segment.
    #[getter]
    fn length(&self) -> f64 {
        match self.0.shape {
            CollisionShape::TaperedCapsule { length, .. } => length,
            _ => 0.0,
        }
    }

    fn __repr__(&self) -> String {
        format!(
            "TaperedCapsule(parent={}, {:?})",
            self.parent(),
            self.0.shape
        )
    }
});

/// An ellipsoid around its own origin.
///
/// Parameters
/// ----------
/// parent : int
/// transformation : array (4, 4), optional
/// radii : array (3,), optional
///     Half axes, in the character's unit; default 1.
#[pyclass(name = "Ellipsoid", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyEllipsoid(pub CollisionGeometry);

solid_class!(PyEllipsoid, {
    #[new]
    #[pyo3(signature = (parent, *, transformation = None, radii = None))]
    fn new(
        parent: i64,
        transformation: Option<&Bound<'_, PyAny>>,
        radii: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let radii = radii
            .map(|radii| values::fixed(radii, "radii"))
            .transpose()?;
        let shape = CollisionShape::Ellipsoid {
            radii: radii.unwrap_or([1.0; 3]),
        };
        Ok(Self(solid(parent, transformation, shape)?))
    }

    /// Half axes, ``(3,)``.
    #[getter]
    fn radii<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0.shape {
            CollisionShape::Ellipsoid { radii } => values::fresh(py, radii.to_vec(), &[3]),
            _ => values::fresh(py, Vec::<f64>::new(), &[0]),
        }
    }

    fn __repr__(&self) -> String {
        format!("Ellipsoid(parent={}, {:?})", self.parent(), self.0.shape)
    }
});

/// A box around its own origin.
///
/// Parameters
/// ----------
/// parent : int
/// transformation : array (4, 4), optional
/// half_extents : array (3,), optional
///     Half edges, in the character's unit; default 1.
#[pyclass(name = "Box", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyBox(pub CollisionGeometry);

solid_class!(PyBox, {
    #[new]
    #[pyo3(signature = (parent, *, transformation = None, half_extents = None))]
    fn new(
        parent: i64,
        transformation: Option<&Bound<'_, PyAny>>,
        half_extents: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let half = half_extents
            .map(|half| values::fixed(half, "half_extents"))
            .transpose()?;
        let shape = CollisionShape::Box {
            half_extents: half.unwrap_or([1.0; 3]),
        };
        Ok(Self(solid(parent, transformation, shape)?))
    }

    /// Half edges, ``(3,)``.
    #[getter]
    fn half_extents<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0.shape {
            CollisionShape::Box { half_extents } => values::fresh(py, half_extents.to_vec(), &[3]),
            _ => values::fresh(py, Vec::<f64>::new(), &[0]),
        }
    }

    fn __repr__(&self) -> String {
        format!("Box(parent={}, {:?})", self.parent(), self.0.shape)
    }
});
