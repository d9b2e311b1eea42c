"""Differentiable twins of :mod:`kinarray.skel_state`."""

from .. import skel_state as _plain
from ._twins import twin as _twin

blend = _twin(_plain.blend, __name__)
from_matrix = _twin(_plain.from_matrix, __name__)
from_quaternion = _twin(_plain.from_quaternion, __name__)
from_scale = _twin(_plain.from_scale, __name__)
from_translation = _twin(_plain.from_translation, __name__)
inverse = _twin(_plain.inverse, __name__)
multiply = _twin(_plain.multiply, __name__)
multiply_assume_normalized = _twin(_plain.multiply_assume_normalized, __name__)
slerp = _twin(_plain.slerp, __name__)
split = _twin(_plain.split, __name__)
to_matrix = _twin(_plain.to_matrix, __name__)
transform_points = _twin(_plain.transform_points, __name__)
transform_points_assume_normalized = _twin(_plain.transform_points_assume_normalized, __name__)
identity = _plain.identity
check = _plain.check

__all__ = [
    "blend",
    "check",
    "from_matrix",
    "from_quaternion",
    "from_scale",
    "from_translation",
    "identity",
    "inverse",
    "multiply",
    "multiply_assume_normalized",
    "slerp",
    "split",
    "to_matrix",
    "transform_points",
    "transform_points_assume_normalized",
]
