//! `kinarray.geometry.Skeleton`.

use pyo3::exceptions::{PyIndexError, PyKeyError};
use pyo3::prelude::*;
use std::sync::Arc;

use super::{hash, html_tables, joint::PyJoint, pickle};
use crate::character::Skeleton;
use crate::python::values;

/// Joints in an order in which parents come before their children.
///
/// Behaves like a sequence of joints; ``skeleton["l_wrist"]`` and ``skeleton[3]`` are joints.
///
/// Parameters
/// ----------
/// joint_list : sequence of Joint
///
/// Raises
/// ------
/// CharacterError
///     A parent that is missing or not before its child, two joints of one name, a pre-rotation that is
///     not of unit length.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import Joint, Skeleton
/// >>> skeleton = Skeleton([Joint("a", -1, [0, 0, 0, 1], [0, 0, 0]), Joint("b", 0, [0, 0, 0, 1], [0, 1, 0])])
/// >>> len(skeleton), skeleton.joint_names, skeleton.joint_parents
/// (2, ['a', 'b'], [-1, 0])
#[pyclass(name = "Skeleton", module = "kinarray.geometry", frozen, eq, sequence)]
#[derive(PartialEq)]
pub struct PySkeleton(pub Arc<Skeleton>);

#[pymethods]
impl PySkeleton {
    #[new]
    fn new(joint_list: Vec<Bound<'_, PyJoint>>) -> PyResult<Self> {
        let joints = joint_list.iter().map(|joint| joint.get().0.clone());
        let skeleton = Skeleton::new(joints.collect())?;
        Ok(Self(Arc::new(skeleton)))
    }

    /// The number of joints; the same as ``len(skeleton)``.
    #[getter]
    fn size(&self) -> usize {
        self.0.len()
    }

    /// The joints, in order.
    #[getter]
    fn joints(&self) -> Vec<PyJoint> {
        self.0.joints().iter().cloned().map(PyJoint).collect()
    }

    /// The joints' names, in order.
    #[getter]
    fn joint_names(&self) -> Vec<&str> {
        self.0
            .joints()
            .iter()
            .map(|joint| joint.name.as_str())
            .collect()
    }

    /// Each joint's parent; -1 for a root.
    #[getter]
    fn joint_parents(&self) -> Vec<i64> {
        let parents = self.0.joints().iter().map(|joint| joint.parent);
        parents
            .map(|parent| parent.map_or(-1, |parent| parent as i64))
            .collect()
    }

    /// Positions in the parents' frames, ``(n_joints, 3)`` float64, in the character's unit.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let joints = self.0.joints().iter();
        let flat: Vec<f64> = joints.flat_map(|joint| joint.translation_offset).collect();
        values::fresh(py, flat, &[self.0.len(), 3])
    }

    /// Constant rotations, ``(n_joints, 4)`` float64 unit quaternions ``x y z w``.
    #[getter]
    fn pre_rotations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let joints = self.0.joints().iter();
        let flat: Vec<f64> = joints.flat_map(|joint| joint.pre_rotation).collect();
        values::fresh(py, flat, &[self.0.len(), 4])
    }

    /// The joints under ``b_spine0``; empty where the skeleton has no such joint.
    #[getter]
    fn upper_body_joints(&self) -> Vec<usize> {
        let Some(spine) = self.0.joint_index("b_spine0") else {
            return Vec::new();
        };
        let all = 0..self.0.len();
        all.filter(|&joint| self.0.is_ancestor(joint, spine))
            .collect()
    }

    /// The index of the joint called ``name``; -1 for a missing one where ``allow_missing``.
    ///
    /// Raises ``KeyError``, with the closest name there is.
    #[pyo3(signature = (name, allow_missing = false))]
    fn joint_index(&self, py: Python<'_>, name: &str, allow_missing: bool) -> PyResult<i64> {
        match self.find(py, name) {
            Ok(index) => Ok(index as i64),
            Err(_) if allow_missing => Ok(-1),
            Err(unknown) => Err(unknown),
        }
    }

    /// The index of a joint's parent; -1 for a root.
    fn get_parent(&self, joint_index: usize) -> PyResult<i64> {
        let parent = self.at(joint_index)?.0.parent;
        Ok(parent.map_or(-1, |parent| parent as i64))
    }

    /// The indices of the joints parented under a joint, or of everything below it where ``recursive``.
    fn get_child_joints(&self, root_joint_index: usize, recursive: bool) -> PyResult<Vec<usize>> {
        self.at(root_joint_index)?;
        Ok(self.0.children(root_joint_index, recursive))
    }

    /// Whether one joint lies on the way from another to its root; a joint is its own ancestor.
    fn is_ancestor(&self, joint_index: usize, ancestor_joint_index: usize) -> PyResult<bool> {
        self.at(joint_index)?;
        self.at(ancestor_joint_index)?;
        Ok(self.0.is_ancestor(joint_index, ancestor_joint_index))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Whether there is a joint of this name, or this joint.
    fn __contains__(&self, key: &Bound<'_, PyAny>) -> bool {
        if let Ok(joint) = key.cast::<PyJoint>() {
            return self.0.joints().contains(&joint.get().0);
        }
        let name = key.extract::<String>();
        name.is_ok_and(|name| self.0.joint_index(&name).is_some())
    }

    fn __getitem__(&self, py: Python<'_>, key: &Bound<'_, PyAny>) -> PyResult<PyJoint> {
        if let Ok(name) = key.extract::<String>() {
            return self.at(self.find(py, &name)?);
        }
        let index: isize = key.extract()?;
        let count = self.0.len() as isize;
        self.at(
            usize::try_from(if index < 0 { index + count } else { index }).unwrap_or(usize::MAX),
        )
    }

    fn __repr__(&self) -> String {
        let roots: Vec<&str> = self
            .0
            .joints()
            .iter()
            .filter(|joint| joint.parent.is_none())
            .map(|joint| joint.name.as_str())
            .collect();
        format!(
            "Skeleton({} joints, root {})",
            self.0.len(),
            roots.join(", ")
        )
    }

    fn __hash__(&self) -> u64 {
        hash::of(&*self.0)
    }

    fn _repr_html_(&self) -> String {
        html_tables::skeleton(&self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Skeleton", &*self.0)
    }
}

impl PySkeleton {
    fn at(&self, index: usize) -> PyResult<PyJoint> {
        let joint = self.0.joints().get(index).cloned().map(PyJoint);
        joint.ok_or_else(|| {
            PyIndexError::new_err(format!(
                "joint index out of range: the skeleton has {} joints",
                self.0.len()
            ))
        })
    }

    /// The index of a joint.
    pub fn find(&self, py: Python<'_>, name: &str) -> PyResult<usize> {
        let index = self.0.joint_index(name);
        index.ok_or_else(|| self.unknown(py, name))
    }

    #[cold]
    fn unknown(&self, py: Python<'_>, name: &str) -> PyErr {
        let names = self.0.joints().iter().map(|joint| joint.name.as_str());
        let hint = values::did_you_mean(name, names, py);
        PyKeyError::new_err(format!("the skeleton has no joint '{name}'{hint}"))
    }
}
