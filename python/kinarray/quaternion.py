"""Quaternions ``x y z w``: rotations, on any kind of array.

Products are Hamilton products: rotating by ``multiply(a, b)`` is rotating by ``b``, then by ``a``. Leading
axes are a batch, any number of them, and broadcast. Names, argument order and meaning are PyMomentum's
``quaternion`` and ``quaternion_np``; Euler angles of any order are new.
"""

from __future__ import annotations

from typing import Any

from . import _slices
from ._core import quaternion as _compiled

align_z_with = _compiled.align_z_with
angular_distance = _compiled.angular_distance
blend = _compiled.blend
check = _compiled.check
check_and_normalize_weights = _compiled.check_and_normalize_weights
conjugate = _compiled.conjugate
euler_xyz_to_quaternion = _compiled.euler_xyz_to_quaternion
euler_zyx_to_quaternion = _compiled.euler_zyx_to_quaternion
from_axis_angle = _compiled.from_axis_angle
from_euler = _compiled.from_euler
from_rotation_matrix = _compiled.from_rotation_matrix
from_two_vectors = _compiled.from_two_vectors
identity = _compiled.identity
inverse = _compiled.inverse
multiply = _compiled.multiply
multiply_assume_normalized = _compiled.multiply_assume_normalized
multiply_backprop = _compiled.multiply_backprop
multiply_backprop_assume_normalized = _compiled.multiply_backprop_assume_normalized
normalize = _compiled.normalize
normalize_backprop = _compiled.normalize_backprop
quaternion_to_xyz_euler = _compiled.quaternion_to_xyz_euler
rotate_vector = _compiled.rotate_vector
rotate_vector_assume_normalized = _compiled.rotate_vector_assume_normalized
rotate_vector_backprop = _compiled.rotate_vector_backprop
rotate_vector_backprop_assume_normalized = _compiled.rotate_vector_backprop_assume_normalized
slerp = _compiled.slerp
to_axis_angle = _compiled.to_axis_angle
to_euler = _compiled.to_euler
to_rotation_matrix = _compiled.to_rotation_matrix
to_rotation_matrix_assume_normalized = _compiled.to_rotation_matrix_assume_normalized


def split(q: Any) -> tuple[Any, Any]:
    """Takes quaternions apart: first the scalar part, then the vector.

    Parameters
    ----------
    q : array (..., 4)
        Quaternions ``x y z w``.

    Returns
    -------
    tuple of array (..., 1), array (..., 3)
        Views of ``q`` where its library has views, else copies of its kind.

    Raises
    ------
    ShapeError, DTypeError, DeviceError

    Examples
    --------
    >>> import kinarray as ka, numpy as np
    >>> w, v = ka.quaternion.split(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> w, v
    (array([4.]), array([1., 2., 3.]))
    """
    if _slices.has_views(q, 4):
        return q[..., 3:4], q[..., 0:3]
    return _compiled._scalar_part(q), _compiled._vector_part(q)


__all__ = [
    "align_z_with",
    "angular_distance",
    "blend",
    "check",
    "check_and_normalize_weights",
    "conjugate",
    "euler_xyz_to_quaternion",
    "euler_zyx_to_quaternion",
    "from_axis_angle",
    "from_euler",
    "from_rotation_matrix",
    "from_two_vectors",
    "identity",
    "inverse",
    "multiply",
    "multiply_assume_normalized",
    "multiply_backprop",
    "multiply_backprop_assume_normalized",
    "normalize",
    "normalize_backprop",
    "quaternion_to_xyz_euler",
    "rotate_vector",
    "rotate_vector_assume_normalized",
    "rotate_vector_backprop",
    "rotate_vector_backprop_assume_normalized",
    "slerp",
    "split",
    "to_axis_angle",
    "to_euler",
    "to_rotation_matrix",
    "to_rotation_matrix_assume_normalized",
]
