"""Differentiable twins of :mod:`kinarray.quaternion`."""

from .. import quaternion as _plain
from ._twins import twin as _twin

align_z_with = _twin(_plain.align_z_with, __name__)
angular_distance = _twin(_plain.angular_distance, __name__)
blend = _twin(_plain.blend, __name__)
check_and_normalize_weights = _twin(_plain.check_and_normalize_weights, __name__)
conjugate = _twin(_plain.conjugate, __name__)
euler_xyz_to_quaternion = _twin(_plain.euler_xyz_to_quaternion, __name__)
euler_zyx_to_quaternion = _twin(_plain.euler_zyx_to_quaternion, __name__)
from_axis_angle = _twin(_plain.from_axis_angle, __name__)
from_euler = _twin(_plain.from_euler, __name__)
from_rotation_matrix = _twin(_plain.from_rotation_matrix, __name__)
from_two_vectors = _twin(_plain.from_two_vectors, __name__)
inverse = _twin(_plain.inverse, __name__)
multiply = _twin(_plain.multiply, __name__)
multiply_assume_normalized = _twin(_plain.multiply_assume_normalized, __name__)
normalize = _twin(_plain.normalize, __name__)
quaternion_to_xyz_euler = _twin(_plain.quaternion_to_xyz_euler, __name__)
rotate_vector = _twin(_plain.rotate_vector, __name__)
rotate_vector_assume_normalized = _twin(_plain.rotate_vector_assume_normalized, __name__)
slerp = _twin(_plain.slerp, __name__)
split = _twin(_plain.split, __name__)
to_axis_angle = _twin(_plain.to_axis_angle, __name__)
to_euler = _twin(_plain.to_euler, __name__)
to_rotation_matrix = _twin(_plain.to_rotation_matrix, __name__)
to_rotation_matrix_assume_normalized = _twin(_plain.to_rotation_matrix_assume_normalized, __name__)
identity = _plain.identity
check = _plain.check

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
    "normalize",
    "quaternion_to_xyz_euler",
    "rotate_vector",
    "rotate_vector_assume_normalized",
    "slerp",
    "split",
    "to_axis_angle",
    "to_euler",
    "to_rotation_matrix",
    "to_rotation_matrix_assume_normalized",
]
