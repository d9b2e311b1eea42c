"""Differentiable twins of :mod:`kinarray.trs`."""

from .. import trs as _plain
from ._twins import twin as _twin

blend = _twin(_plain.blend, __name__)
from_matrix = _twin(_plain.from_matrix, __name__)
from_rotation_matrix = _twin(_plain.from_rotation_matrix, __name__)
from_scale = _twin(_plain.from_scale, __name__)
from_skeleton_state = _twin(_plain.from_skeleton_state, __name__)
from_translation = _twin(_plain.from_translation, __name__)
index_select = _twin(_plain.index_select, __name__)
inverse = _twin(_plain.inverse, __name__)
multiply = _twin(_plain.multiply, __name__)
rotmat_from_euler_xyz = _twin(_plain.rotmat_from_euler_xyz, __name__)
rotmat_inverse = _twin(_plain.rotmat_inverse, __name__)
rotmat_multiply = _twin(_plain.rotmat_multiply, __name__)
rotmat_rotate_vector = _twin(_plain.rotmat_rotate_vector, __name__)
slerp = _twin(_plain.slerp, __name__)
to_matrix = _twin(_plain.to_matrix, __name__)
to_skeleton_state = _twin(_plain.to_skeleton_state, __name__)
transform_points = _twin(_plain.transform_points, __name__)
where = _twin(_plain.where, __name__)
identity = _plain.identity

__all__ = [
    "blend",
    "from_matrix",
    "from_rotation_matrix",
    "from_scale",
    "from_skeleton_state",
    "from_translation",
    "identity",
    "index_select",
    "inverse",
    "multiply",
    "rotmat_from_euler_xyz",
    "rotmat_inverse",
    "rotmat_multiply",
    "rotmat_rotate_vector",
    "slerp",
    "to_matrix",
    "to_skeleton_state",
    "transform_points",
    "where",
]
