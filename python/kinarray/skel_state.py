"""Skeleton states ``tx ty tz qx qy qz qw s``: transforms ``t + s R x``, on any kind of array.

The transform of ``multiply(a, b)`` is that of ``b``, then that of ``a``. Leading axes are a batch, any number
of them, and broadcast. Names, argument order and meaning are PyMomentum's ``skel_state`` and
``skel_state_np``.
"""

from __future__ import annotations

from typing import Any

from . import _slices
from ._core import skel_state as _compiled

blend = _compiled.blend
check = _compiled.check
from_matrix = _compiled.from_matrix
from_quaternion = _compiled.from_quaternion
from_scale = _compiled.from_scale
from_translation = _compiled.from_translation
identity = _compiled.identity
inverse = _compiled.inverse
multiply = _compiled.multiply
multiply_assume_normalized = _compiled.multiply_assume_normalized
multiply_backprop = _compiled.multiply_backprop
slerp = _compiled.slerp
to_matrix = _compiled.to_matrix
transform_points = _compiled.transform_points
transform_points_assume_normalized = _compiled.transform_points_assume_normalized


def split(skel_state: Any) -> tuple[Any, Any, Any]:
    """Takes states apart: translation, rotation and scale.

    Parameters
    ----------
    skel_state : array (..., 8)
        States ``tx ty tz qx qy qz qw s``.

    Returns
    -------
    tuple of array (..., 3), array (..., 4), array (..., 1)
        Views of ``skel_state`` where its library has views, else copies of its kind.

    Raises
    ------
    ShapeError, DTypeError, DeviceError

    Examples
    --------
    >>> import kinarray as ka, numpy as np
    >>> t, q, s = ka.skel_state.split(np.array([1.0, 2, 3, 0, 0, 0, 1, 2]))
    >>> t, s
    (array([1., 2., 3.]), array([2.]))
    """
    if _slices.has_views(skel_state, 8):
        return skel_state[..., :3], skel_state[..., 3:7], skel_state[..., 7:]
    return (
        _compiled._translation_part(skel_state),
        _compiled._rotation_part(skel_state),
        _compiled._scale_part(skel_state),
    )


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
    "multiply_backprop",
    "slerp",
    "split",
    "to_matrix",
    "transform_points",
    "transform_points_assume_normalized",
]
